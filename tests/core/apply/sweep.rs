//! The kill sweep: `kill -9` at every system call of a landing, again inside the recovery, and then the
//! question whether the repository is exactly as before or exactly as after.
//!
//! One command: `cargo test -p rollback-core --lib kill_sweep -- --ignored --nocapture`. Needs `strace`.
//! `RB_SWEEP_SEED` and `RB_SWEEP_SHARE` (1 in N points) choose what is tried; both are printed.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::kit::*;
use super::shapes::{self, Shape};
use crate::apply::recover::recover;
use crate::apply::{LandOptions, land};
use crate::repo::Repo;

const DRIVER: &str = "apply::tests::sweep::the_driver_of_the_sweep";
const BEGIN: &str = "/the-sweep-begins-here";

/// What a child process does. The sweep starts it under strace.
#[test]
#[ignore = "started by the sweep"]
fn the_driver_of_the_sweep() {
    let Some(root) = std::env::var_os("RB_SWEEP_ROOT") else { return };
    let what = std::env::var("RB_SWEEP_DO").unwrap();
    let landing = fs::read(std::env::var_os("RB_SWEEP_LANDING").unwrap()).unwrap();
    let landing = shapes::decode(&landing);
    let repo = Repo::discover(&root).unwrap();
    let thread = fs::read_link("/proc/thread-self").unwrap();
    eprintln!("{}", thread.file_name().unwrap().display());
    std::io::stdin().read_exact(&mut [0]).unwrap();
    // A call that the trace shows, so that what comes before is not swept.
    let _ = fs::metadata(BEGIN);
    let failed = match what.as_str() {
        "land" => land(&repo, &landing, &LandOptions::default()).map(|landed| landed.later_failure.is_some()),
        _ => recover(&repo).map(|_| false),
    };
    // 8 is what the command line says for a failure after the commit point.
    match failed {
        Ok(false) => std::process::exit(0),
        Ok(true) => std::process::exit(8),
        Err(error) => {
            eprintln!("{error}: {:?}", std::error::Error::source(&error).map(ToString::to_string));
            std::process::exit(5)
        }
    }
}

/// One child process, and how strace is to interfere with it.
pub(super) struct Child<'a> {
    pub(super) root: &'a Path,
    pub(super) landing: &'a Path,
    pub(super) what: &'a str,
    pub(super) strace: Vec<String>,
}

/// How a child ended: by our signal, or with a code and what it said.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ended {
    Killed,
    Code(i32, String),
}

impl Ended {
    pub(super) fn is_success(&self) -> bool {
        matches!(self, Self::Code(0, _))
    }
}

impl Child<'_> {
    pub(super) fn run(&self) -> Ended {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", DRIVER, "--ignored", "--nocapture", "--test-threads=1", "-q"])
            .env("RB_SWEEP_ROOT", self.root)
            .env("RB_SWEEP_LANDING", self.landing)
            .env("RB_SWEEP_DO", self.what)
            .env("HOME", "/nonexistent")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env_remove("RUST_BACKTRACE")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // The child says which thread does the work and waits until strace has it.
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let mut thread = String::new();
        said.read_line(&mut thread).unwrap();
        let thread = thread.trim();
        let tracer = (!self.strace.is_empty()).then(|| {
            let strace = Command::new("strace")
                .args(&self.strace)
                .args(["-p", thread])
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let status = format!("/proc/{thread}/status");
            while fs::read_to_string(&status).is_ok_and(|status| status.contains("TracerPid:\t0\n")) {
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
            strace
        });
        // It may be dead already.
        let _ = child.stdin.take().unwrap().write_all(b"g");
        let status = child.wait().unwrap();
        if let Some(mut tracer) = tracer {
            tracer.wait().unwrap();
        }
        let mut words = String::new();
        said.read_to_string(&mut words).unwrap();
        match (status.code(), status.signal()) {
            (_, Some(9)) => Ended::Killed,
            (Some(code), _) => Ended::Code(code, words),
            other => panic!("{other:?}"),
        }
    }
}

/// A place in a run: the nth call of one kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Point {
    pub(super) call: String,
    pub(super) nth: usize,
}

/// The system calls of a whole run after the beginning, in their order.
fn points_of(child: &Child<'_>, log: &Path) -> Vec<Point> {
    let strace = vec!["-o".into(), log.display().to_string(), "-e".into(), "signal=none".into()];
    Child { strace, ..*child }.run();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut begun = false;
    let mut found = Vec::new();
    for line in String::from_utf8_lossy(&fs::read(log).unwrap()).lines() {
        let Some((call, _)) = line.split_once('(') else { continue };
        let nth = counts.entry(call.to_owned()).or_default();
        *nth += 1;
        if begun
            && call.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && call != "exit_group"
        {
            found.push(Point { call: call.to_owned(), nth: *nth });
        }
        begun |= line.contains(BEGIN);
    }
    found
}

fn kill_at(point: &Point) -> Vec<String> {
    inject(point, "signal=KILL")
}

pub(super) fn inject(point: &Point, how: &str) -> Vec<String> {
    let inject = format!("inject={}:{how}:when={}", point.call, point.nth);
    ["-o", "/dev/null", "-e", &format!("trace={}", point.call), "-e", "signal=none", "-e", &inject]
        .map(String::from)
        .to_vec()
}

/// A small generator: the sweep must be repeatable, not random.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn from_environment() -> Self {
        let seed = std::env::var("RB_SWEEP_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
        println!("seed {seed} (RB_SWEEP_SEED)");
        Self(seed)
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound.max(1) as u64) as usize
    }
}

/// Whether strace is here and may trace; suites that need it say so when it is not.
pub(super) fn can_trace() -> bool {
    let can = Command::new("strace").args(["-o", "/dev/null", "true"]).stderr(Stdio::null()).status();
    let can = can.is_ok_and(|status| status.success());
    if !can {
        eprintln!("SKIPPED: strace cannot trace here");
    }
    can
}

/// A shape with everything that the judge needs.
pub(super) struct Scene {
    pub(super) shape: Shape,
    pub(super) landing: PathBuf,
    before: Judged,
    after: Judged,
}

/// What is compared.
#[derive(Debug, PartialEq, Eq)]
struct Judged {
    state: State,
    branch_logs: String,
    state_files: Vec<Option<Vec<u8>>>,
    locks: Vec<PathBuf>,
}

impl Scene {
    pub(super) fn new(shape: Shape) -> Self {
        let landing = shape.sandbox.root.parent().unwrap().join("landing.json");
        fs::write(&landing, shapes::encode(&shape.landing)).unwrap();
        let before = judge(&shape.sandbox.twin());
        let copy = shape.sandbox.twin();
        let child = Child { root: &copy.root, landing: &landing, what: "land", strace: Vec::new() };
        let ended = child.run();
        assert!(ended.is_success(), "{} lands: {ended:?}", shape.name);
        let after = judge(&copy);
        assert_ne!(before, after);
        assert!(after.locks.is_empty() && !copy.git_dir().join("rb/landing").exists());
        Self { shape, landing, before, after }
    }

    /// Whether the repository is as before or as after; `None` where it is neither.
    pub(super) fn verdict(&self, copy: &Sandbox) -> Option<&'static str> {
        let now = judge(copy);
        match () {
            () if now == self.before => Some("before"),
            () if now == self.after => Some("after"),
            () => None,
        }
    }

    pub(super) fn explain(&self, copy: &Sandbox) {
        let now = judge(copy);
        println!("--- before {:#?}\n--- now {:#?}", self.before, now);
    }

    pub(super) fn points(&self) -> Vec<Point> {
        let copy = self.shape.sandbox.twin();
        let log = self.landing.with_file_name("trace");
        points_of(&Child { root: &copy.root, landing: &self.landing, what: "land", strace: Vec::new() }, &log)
    }

    /// The system calls of a recovery that has much to do: of a landing killed at its last rename but one.
    fn recovery_points(&self, points: &[Point]) -> Vec<Point> {
        let renames = points.iter().filter(|point| point.call.starts_with("rename"));
        let late = renames.rev().nth(2).unwrap_or(&points[points.len() / 2]);
        let copy = self.shape.sandbox.twin();
        assert_eq!(self.run(&copy, "land", kill_at(late)), Ended::Killed);
        let log = self.landing.with_file_name("trace");
        points_of(
            &Child { root: &copy.root, landing: &self.landing, what: "recover", strace: Vec::new() },
            &log,
        )
    }

    pub(super) fn run(&self, copy: &Sandbox, what: &str, strace: Vec<String>) -> Ended {
        Child { root: &copy.root, landing: &self.landing, what, strace }.run()
    }
}

fn judge(sandbox: &Sandbox) -> Judged {
    let git_dir = sandbox.git_dir();
    let common = sandbox.git(&["rev-parse", "--path-format=absolute", "--git-common-dir"]);
    let branch_log = |name: &str| {
        fs::read_to_string(Path::new(&common).join("logs/refs/heads").join(name)).unwrap_or_default()
    };
    let state_files = ["REVERT_HEAD", "MERGE_MSG", "AUTO_MERGE", "sequencer/todo"];
    Judged {
        branch_logs: ["main", "side", "rescue/one", "feature/deep/name"].map(branch_log).concat(),
        state_files: state_files.map(|name| fs::read(git_dir.join(name)).ok()).to_vec(),
        locks: sandbox
            .git_dir_bytes()
            .into_keys()
            .filter(|path| path.extension().is_some_and(|ext| ext == "lock"))
            .collect(),
        state: sandbox.state(),
    }
}

/// One in so many points is tried.
pub(super) fn share() -> usize {
    let share = std::env::var("RB_SWEEP_SHARE").ok().and_then(|share| share.parse().ok()).unwrap_or(1);
    println!("1 in {share} points (RB_SWEEP_SHARE)");
    share
}

/// All shapes, or the one that `RB_SWEEP_SHAPE` names.
pub(super) fn chosen_shapes() -> Vec<Shape> {
    let only = std::env::var("RB_SWEEP_SHAPE").ok();
    let chosen = |shape: &Shape| only.as_ref().is_none_or(|only| *only == shape.name);
    shapes::all().into_iter().filter(chosen).collect()
}

#[test]
#[ignore = "minutes: the full sweep"]
fn kill_sweep() {
    let mut dice = Dice::from_environment();
    let share = share();
    let (mut tried, mut wrong) = (0, Vec::new());
    for shape in chosen_shapes() {
        let scene = Scene::new(shape);
        let points = scene.points();
        let recovery_points = scene.recovery_points(&points);
        let mut verdicts: BTreeMap<&str, usize> = BTreeMap::new();
        let (mut second_kills, mut missed) = (0, 0);
        for point in points.iter().filter(|_| dice.below(share) == 0).collect::<Vec<_>>() {
            let copy = scene.shape.sandbox.twin();
            let ended = scene.run(&copy, "land", kill_at(point));
            if ended != Ended::Killed {
                // A call that only waits, or one whose number depends on the time.
                missed += 1;
            }
            let second = recovery_points[dice.below(recovery_points.len())].clone();
            // In the recovery another kill, or an error of the disk.
            let how = ["signal=KILL", "signal=KILL", "error=EIO", "error=ENOSPC"][dice.below(4)];
            second_kills += usize::from(!scene.run(&copy, "recover", inject(&second, how)).is_success());
            let recovered = scene.run(&copy, "recover", Vec::new());
            tried += 1;
            match scene.verdict(&copy) {
                Some(verdict) if recovered.is_success() && !copy.git_dir().join("rb/landing").exists() => {
                    *verdicts.entry(verdict).or_default() += 1;
                    if verdict == "before" {
                        let retried = scene.run(&copy, "land", Vec::new());
                        assert!(retried.is_success(), "the retry after {point:?}: {retried:?}");
                        assert_eq!(scene.verdict(&copy), Some("after"), "the retry after {point:?}");
                    }
                }
                verdict => {
                    println!(
                        "WRONG {} {point:?} then {second:?}: {recovered:?} {verdict:?}",
                        scene.shape.name
                    );
                    if wrong.is_empty() {
                        scene.explain(&copy);
                    }
                    wrong.push((scene.shape.name, point.clone(), second));
                }
            }
        }
        println!(
            "{:<28} {} calls, verdicts {verdicts:?}, recovery stopped too {second_kills}, not reached {missed}",
            scene.shape.name,
            points.len()
        );
    }
    println!("{tried} kills, {} outside before/after", wrong.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
}
