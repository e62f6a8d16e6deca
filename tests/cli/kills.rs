//! Commands that are more than one landing, interrupted at system calls of theirs: by `kill -9`, by an error of the
//! system, by a power cut. What the user does next finishes or takes back.
//!
//! `RB_KILLS`, `RB_ERRORS` and `RB_CUTS` say how often each command is interrupted, `RB_HOSTILE_SEED` chooses the calls.
//! One kill and one error of each command run with the ordinary tests.
#![cfg(target_os = "linux")]
#![expect(clippy::print_stdout, reason = "a suite says what it tried")]

mod scenes;
mod verdict;

use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;

use test_kit::suite::Seeded;
use test_kit::{Disk, Sandbox};

use scenes::{SCENES, Scene, Start, World};
use verdict::{Ended, Judge};

/// How a command is interrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Kill,
    Error,
    /// A kill, then the file system is shut down.
    PowerCut,
}

/// Calls that change something, or that decide.
const CALLS: &str = "openat,openat2,write,rename,renameat2,fsync,fdatasync,unlink,unlinkat,link,linkat,mkdirat,mkdir,\
                     flock,fchmod,ftruncate,clone,clone3,wait4,symlinkat,read,getdents64";

/// What the system may answer instead of doing what it is asked for.
const ERRORS: [&str; 5] = ["ENOSPC", "EIO", "EACCES", "EDQUOT", "EINTR"];

/// A call of a command: the nth of its name.
#[derive(Clone, Debug)]
struct Point {
    call: String,
    nth: usize,
    /// Whether it writes to the standard output or error.
    is_output: bool,
}

/// The calls of a trace. What the loader does before the program begins is left out.
fn points_of(trace: &str) -> Vec<Point> {
    let of_loader = |line: &str| line.contains(".so") || line.contains("\\177ELF");
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut found, mut begun) = (Vec::new(), false);
    for line in trace.lines() {
        let Some((call, rest)) = line.split_once('(') else { continue };
        let nth = counts.entry(call).or_default();
        *nth += 1;
        begun |= !of_loader(line);
        if begun {
            let is_output = call == "write" && (rest.starts_with("1,") || rest.starts_with("2,"));
            found.push(Point { call: call.to_owned(), nth: *nth, is_output });
        }
    }
    found
}

/// Some of the points. Each name of a call is as likely as each other: reads are many, and a rename matters more.
fn chosen(points: &[Point], count: usize, dice: &mut Seeded) -> BTreeSet<usize> {
    let mut names: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    points.iter().enumerate().for_each(|(at, point)| names.entry(&point.call).or_default().push(at));
    let mut left: Vec<Vec<usize>> = names.into_values().collect();
    let mut chosen = BTreeSet::new();
    while chosen.len() < count && !left.is_empty() {
        let name = dice.below(left.len());
        let of_name = &mut left[name];
        chosen.insert(of_name.swap_remove(dice.below(of_name.len())));
        left.retain(|of_name| !of_name.is_empty());
    }
    chosen
}

/// Runs the command under strace; `inject` says what happens at which call. Without it the trace is returned.
fn traced(world: &World, inject: Option<(&Point, &str)>) -> (Ended, String) {
    let log = world.repo.around().join("trace");
    let mut command = world.repo.command("timeout");
    command.args(["-k", "5", "90", "strace", "-qq", "-o"]).arg(&log).env("TMPDIR", world.temp());
    match inject {
        Some((Point { call, nth, .. }, how)) => {
            command.args(["-e", &format!("trace={call}"), "-e", &format!("inject={call}:{how}:when={nth}")])
        }
        None => command.args(["-e", &format!("trace={CALLS}")]),
    };
    command.arg(env!("CARGO_BIN_EXE_rb")).args(world.line().split(' ')).stdin(Stdio::null());
    let output = command.output().expect("strace can be started");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let trace = std::fs::read(log).unwrap_or_default();
    (Ended { code: output.status.code(), said }, String::from_utf8_lossy(&trace).into_owned())
}

/// A command that is interrupted again and again, each time in a copy of the same world.
struct Subject {
    world: World,
    judge: Judge,
    points: Vec<Point>,
}

impl Subject {
    /// Runs the command once without a fault: that is what "after" means.
    fn new(start: &Start, scene: Scene) -> Self {
        let world = start.begin(scene);
        let whole = world.copy_in(&std::env::temp_dir());
        let before = verdict::facts(&whole);
        let (ended, trace) = traced(&whole, None);
        assert_eq!(ended.code, Some(0), "{}: {}", scene.line, ended.said);
        let judge = Judge::new(before, &whole);
        let points = points_of(&trace);
        assert!(points.len() > 20, "{}: {trace}", scene.line);
        Self { world, judge, points }
    }

    /// Interrupts the command and says what is wrong then, and after what the user does next.
    fn interrupt(&self, mode: Mode, point: Option<&Point>, dice: &mut Seeded) -> Vec<String> {
        let error = ERRORS[dice.below(ERRORS.len())];
        let log = dice.below(2) == 0;
        let disk = (mode == Mode::PowerCut).then(|| Disk::new().expect("it could be made before"));
        let parent = disk.as_ref().map_or_else(std::env::temp_dir, |disk| disk.path().to_owned());
        let world = self.world.copy_in(&parent);
        disk.iter().for_each(Disk::flush);
        let how = if mode == Mode::Error { format!("error={error}") } else { "signal=KILL".to_owned() };
        let (ended, _) = traced(&world, point.map(|point| (point, how.as_str())));
        disk.iter().for_each(|disk| disk.cut(log));
        let mut wrong = Vec::new();
        if mode == Mode::Error {
            let is_output = point.is_some_and(|point| point.is_output);
            wrong.extend(self.judge.wrong_answers(&world, &ended, is_output));
        }
        if point.is_none() && !self.judge.is_done(&world, &verdict::facts(&world)) {
            wrong.push("it had said that it is done".to_owned());
        }
        wrong.extend(self.judge.wrong_ends(&world, mode == Mode::Error));
        let place = point.map_or("after its end".to_owned(), |point| format!("{} {}", point.call, point.nth));
        let how = if mode == Mode::PowerCut { format!("power cut, log {log}") } else { how };
        let told = |what: String| format!("{} at {place} {how}: {what}; {ended:?}", self.world.scene.line);
        wrong.into_iter().map(told).collect()
    }

    /// As many interruptions as asked for, at different calls; after power cuts two more of a command that has ended.
    fn sweep(&self, mode: Mode, count: usize, dice: &mut Seeded) -> (usize, Vec<String>) {
        let chosen = chosen(&self.points, count, dice);
        let points = chosen.into_iter().map(|at| Some(&self.points[at]));
        let ended = if mode == Mode::PowerCut { 2 } else { 0 };
        let all: Vec<_> = points.chain(std::iter::repeat_n(None, ended)).collect();
        let wrong: Vec<_> = all.iter().flat_map(|point| self.interrupt(mode, *point, dice)).collect();
        println!(
            "{:<30} {mode:?}: {} calls, {} tried, {} wrong",
            self.world.scene.line,
            self.points.len(),
            all.len(),
            wrong.len()
        );
        (all.len(), wrong)
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

/// Interrupts every command in each of these ways so many times.
fn sweep(modes: &[(Mode, usize)]) {
    if !Sandbox::can_trace() {
        return;
    }
    let seed = number("RB_HOSTILE_SEED").unwrap_or(2026);
    let mut dice = Seeded::new(seed);
    let start = Start::new();
    let (mut tried, mut found) = (0, Vec::new());
    for scene in SCENES {
        let subject = Subject::new(&start, scene);
        for (mode, count) in modes {
            let (times, wrong) = subject.sweep(*mode, *count, &mut dice);
            tried += times;
            found.extend(wrong);
        }
    }
    println!("{tried} interruptions of {} commands, seed {seed}, {} wrong", SCENES.len(), found.len());
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_slice_of_kills_and_errors_in_whole_commands_ends_well() {
    sweep(&[(Mode::Kill, 1), (Mode::Error, 1)]);
}

#[test]
fn a_program_that_the_system_has_no_thread_for_is_not_started() {
    if !Sandbox::can_trace() {
        return;
    }
    let subject = Subject::new(&Start::new(), SCENES[0]);
    let world = subject.world.copy_in(&std::env::temp_dir());
    let thread = subject.points.iter().find(|point| point.call.starts_with("clone")).expect("a thread");
    let (ended, _) = traced(&world, Some((thread, "error=EAGAIN")));
    assert_eq!(ended.code, Some(5), "{}", ended.said);
    assert!(
        ended.said.contains("failed: step s: error: program 'sh' could not be started"),
        "{}",
        ended.said
    );
    assert!(!world.repo.path().join(".git/side").exists(), "it has run");
    assert_eq!(subject.judge.wrong_ends(&world, false), Vec::<String>::new());
}

#[test]
#[ignore = "minutes: RB_KILLS of each command"]
fn kills_of_whole_commands() {
    sweep(&[(Mode::Kill, number("RB_KILLS").unwrap_or(40) as usize)]);
}

#[test]
#[ignore = "minutes: RB_ERRORS of each command"]
fn errors_in_whole_commands() {
    sweep(&[(Mode::Error, number("RB_ERRORS").unwrap_or(40) as usize)]);
}

#[test]
#[ignore = "minutes, and root: RB_CUTS of each command"]
fn power_cuts_in_whole_commands() {
    if Disk::new().is_none() {
        println!("SKIPPED: no ext4 image can be mounted here");
        return;
    }
    sweep(&[(Mode::PowerCut, number("RB_CUTS").unwrap_or(40) as usize)]);
}
