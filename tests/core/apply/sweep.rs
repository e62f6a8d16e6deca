//! The kill sweep: `kill -9` at every system call of a landing, again inside the recovery, and then the
//! question whether the repository is exactly as before or exactly as after.
//!
//! One command: `cargo test -p rollback-core --lib kill_sweep -- --ignored --nocapture`. Needs `strace`.
//! `RB_SWEEP_SEED` and `RB_SWEEP_SHARE` (1 in N points) choose what is tried; both are printed.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

use super::kit::*;
use super::shapes::{self, Deed, Shape};
use test_kit::records;

use crate::apply::recover::recover;
use crate::apply::{LandOptions, land};
use crate::checkpoint::RestoreOptions;
use crate::operation::OperationId;
use crate::oplog::{OperationRef, UndoOptions};
use crate::plan::PlanOptions;
use crate::receipt::{ApplyOptions, CommitTime, Identity};
use crate::repo::Repo;
use crate::repo::refs::stack::Stack;
use crate::sequence::{
    SequenceAction, SequenceContext, SequenceEvent, SequenceFront, SequenceRequest, StrategyCall,
};
use crate::target::{CommitsTarget, Target};

const DRIVER: &str = "apply::tests::sweep::the_driver_of_the_sweep";
const BEGIN: &str = "/the-sweep-begins-here";

/// What a child process does. The sweep starts it under strace.
#[test]
#[ignore = "started by the sweep"]
fn the_driver_of_the_sweep() {
    let Some(root) = std::env::var_os("RB_SWEEP_ROOT") else { return };
    let what = std::env::var("RB_SWEEP_DO").unwrap();
    let deed = fs::read(std::env::var_os("RB_SWEEP_DEED").unwrap()).unwrap();
    let deed = shapes::decode(&deed);
    let repo = Repo::discover_with_environment(&root).unwrap();
    let thread = fs::read_link("/proc/thread-self").unwrap();
    eprintln!("{}", thread.file_name().unwrap().display());
    // An injected error that hits this call is one too early, and no harm.
    let _ = std::io::stdin().read_exact(&mut [0]);
    let failed = match what.as_str() {
        "do" => ready(&repo, deed).and_then(|deed| {
            // A call that the trace shows, so that what comes before is not swept.
            let _ = fs::metadata(BEGIN);
            carry_out(&repo, &deed)
        }),
        _ => {
            let _ = fs::metadata(BEGIN);
            recover(&repo).map(|_| false)
        }
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

/// Keeps the present and prepares the landing of a restore, which is what is swept.
fn ready(repo: &Repo, deed: Deed) -> crate::Result<Deed> {
    if !matches!(deed, Deed::Restore) {
        return Ok(deed);
    }
    let kept = repo.find_checkpoint("kept")?;
    let options = RestoreOptions::default().with_outside();
    let ready = repo.ready(&repo.objects(), &kept, options, &OperationId::random()?)?;
    ready
        .landing
        .map(|landing| Deed::Land(Box::new(landing)))
        .ok_or_else(|| crate::Error::BadRequest("there is nothing to restore".into()))
}

/// Does it; says whether something failed after the commit point.
pub(super) fn carry_out(repo: &Repo, deed: &Deed) -> crate::Result<bool> {
    match deed {
        Deed::Land(landing) => {
            land(repo, landing, &LandOptions::default()).map(|landed| landed.later_failure.is_some())
        }
        Deed::Undo => repo
            .undo(&OperationRef::Last, &UndoOptions::default().with_outside())
            .map(|undone| undone.later_failure.is_some()),
        Deed::Restore => {
            let kept = repo.find_checkpoint("kept")?;
            let restored = repo.restore_checkpoint(&kept, RestoreOptions::default().with_outside())?;
            Ok(restored.later_failure.is_some())
        }
        Deed::BringBack => {
            let restored = repo.restore_uncommitted(&shapes::everything())?;
            Ok(restored.outcome.later_failure.is_some())
        }
        Deed::Sequence(step) => go(repo, *step),
        Deed::Revert(revision) => {
            let revisions = vec![(*revision).to_owned()];
            let target = Target::Commits(CommitsTarget { revisions, ..CommitsTarget::default() });
            let plan = repo.plan(&target, &PlanOptions::default())?;
            let identity = Identity { name: NAME.into(), email: EMAIL.into() };
            let time = CommitTime { seconds: 1_700_000_000, offset: 3600 };
            let options =
                ApplyOptions { identity: Some(identity), time: Some(time), ..ApplyOptions::default() };
            repo.apply(plan, &options).map(|receipt| receipt.outcome.later_failure.is_some())
        }
    }
}

/// One child process, and how strace is to interfere with it.
pub(super) struct Child<'a> {
    pub(super) root: &'a Path,
    pub(super) deed: &'a Path,
    pub(super) what: &'a str,
    pub(super) strace: Vec<String>,
    /// How long a file may become, in bytes: a write that would go beyond it is cut short, the next one fails.
    pub(super) file_size: Option<usize>,
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
    fn program(&self) -> Command {
        let this = std::env::current_exe().unwrap();
        let Some(limit) = self.file_size else { return Command::new(this) };
        let mut command = Command::new("sh");
        // Who does not ignore the signal is killed by it.
        command.args(["-c", "trap '' XFSZ; exec prlimit --fsize=\"$0\" -- \"$@\""]);
        command.arg(limit.to_string()).arg(this);
        command
    }

    pub(super) fn run(&self) -> Ended {
        let mut command = self.program();
        command
            .args(["--exact", DRIVER, "--ignored", "--nocapture", "--test-threads=1", "-q"])
            .env("RB_SWEEP_ROOT", self.root)
            .env("RB_SWEEP_DEED", self.deed)
            .env("RB_SWEEP_DO", self.what)
            .env("HOME", "/nonexistent")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .envs([("GIT_AUTHOR_NAME", NAME), ("GIT_AUTHOR_EMAIL", EMAIL), ("GIT_AUTHOR_DATE", DATE)])
            .envs([
                ("GIT_COMMITTER_NAME", NAME),
                ("GIT_COMMITTER_EMAIL", EMAIL),
                ("GIT_COMMITTER_DATE", DATE),
            ])
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
            let attached = || {
                fs::read_to_string(format!("/proc/{thread}/status"))
                    .is_ok_and(|status| !status.contains("TracerPid:\t0\n"))
            };
            // Attached is not yet in control: only when strace waits has it asked the thread to stop.
            let waits = || {
                fs::read_to_string(format!("/proc/{}/stat", strace.id()))
                    .is_ok_and(|stat| stat.rsplit(')').next().is_some_and(|rest| rest.starts_with(" S ")))
            };
            while !(attached() && waits()) && fs::metadata(format!("/proc/{thread}")).is_ok() {
                std::thread::sleep(std::time::Duration::from_micros(500));
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
    /// The sequence of a seed, which is not 0.
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

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
    /// The file that tells a child process what to do.
    pub(super) deed: PathBuf,
    before: Judged,
    after: Judged,
}

/// What is compared.
#[derive(Debug, PartialEq, Eq)]
struct Judged {
    state: State,
    branch_logs: String,
    state_files: Vec<Option<Vec<u8>>>,
    leftovers: Vec<PathBuf>,
    /// When each file was modified: what is put back is the file that was there.
    times: BTreeMap<PathBuf, (i64, i64)>,
    /// The entries of the operation log, newest first, without the names and times that differ from run to run.
    operations: Vec<String>,
    /// What lies outside of the repository, with permissions, bytes and times.
    outside: BTreeMap<PathBuf, (u32, Vec<u8>, Option<SystemTime>)>,
}

impl Judged {
    /// Files that the operation writes have the time of its run, all others that which they had.
    fn is_after(&self, before: &Self, after: &Self) -> bool {
        let written = |path: &PathBuf| before.state.files.get(path) != after.state.files.get(path);
        let kept = |judged: &Self| -> BTreeMap<PathBuf, (i64, i64)> {
            judged
                .times
                .iter()
                .filter(|(path, _)| !written(path))
                .map(|(path, time)| (path.clone(), *time))
                .collect()
        };
        kept(self) == kept(after)
            && self.outside == after.outside
            && (&self.state, &self.branch_logs, &self.state_files, &self.leftovers, &self.operations)
                == (&after.state, &after.branch_logs, &after.state_files, &after.leftovers, &after.operations)
    }
}

impl Scene {
    pub(super) fn new(shape: Shape) -> Self {
        let deed = shape.sandbox.root.parent().unwrap().join("deed.json");
        fs::write(&deed, shapes::encode(&shape.deed)).unwrap();
        let before = judge(&shape, &shape.copy());
        let copy = shape.copy();
        let child = Child { root: &copy.root, deed: &deed, what: "do", strace: Vec::new(), file_size: None };
        let ended = child.run();
        assert!(ended.is_success(), "{} is done: {ended:?}", shape.name);
        let after = judge(&shape, &copy);
        assert_ne!(before, after);
        assert!(after.leftovers.is_empty() && !copy.git_dir().join("rb/landing").exists());
        Self { shape, deed, before, after }
    }

    /// Whether the deed leaves an entry in the operation log.
    pub(super) fn is_logged(&self) -> bool {
        self.before.operations != self.after.operations
    }

    /// Whether the repository is as before or as after; `None` where it is neither.
    pub(super) fn verdict(&self, copy: &Sandbox) -> Option<&'static str> {
        let now = judge(&self.shape, copy);
        match () {
            () if now == self.before => Some("before"),
            () if now.is_after(&self.before, &self.after) => Some("after"),
            () => None,
        }
    }

    pub(super) fn explain(&self, copy: &Sandbox) {
        let now = judge(&self.shape, copy);
        println!("--- before {:#?}\n--- now {:#?}", self.before, now);
    }

    pub(super) fn points(&self) -> Vec<Point> {
        let copy = self.shape.copy();
        let log = self.deed.with_file_name("trace");
        points_of(
            &Child { root: &copy.root, deed: &self.deed, what: "do", strace: Vec::new(), file_size: None },
            &log,
        )
    }

    /// The system calls of recoveries that have much to do: of what was killed at one of its last renames, before
    /// the commit point and behind it.
    fn recovery_points(&self, points: &[Point]) -> Vec<Point> {
        let renames: Vec<_> = points.iter().filter(|point| point.call.starts_with("rename")).collect();
        let log = self.deed.with_file_name("trace");
        let mut found = Vec::new();
        for late in renames.iter().rev().take(4) {
            let copy = self.shape.copy();
            assert_eq!(self.run(&copy, "do", kill_at(late)), Ended::Killed);
            let child = Child {
                root: &copy.root,
                deed: &self.deed,
                what: "recover",
                strace: Vec::new(),
                file_size: None,
            };
            found.extend(points_of(&child, &log));
        }
        found
    }

    pub(super) fn run(&self, copy: &Sandbox, what: &str, strace: Vec<String>) -> Ended {
        Child { root: &copy.root, deed: &self.deed, what, strace, file_size: None }.run()
    }

    /// Carries out the deed where no file may become longer than this.
    pub(super) fn run_within(&self, copy: &Sandbox, file_size: usize) -> Ended {
        let file_size = Some(file_size);
        Child { root: &copy.root, deed: &self.deed, what: "do", strace: Vec::new(), file_size }.run()
    }
}

fn judge(shape: &Shape, sandbox: &Sandbox) -> Judged {
    let branch_log = |name: &str| sandbox.log(&format!("refs/heads/{name}"));
    let state_files = ["REVERT_HEAD", "MERGE_MSG", "AUTO_MERGE", "sequencer/todo"];
    let mut state = sandbox.state();
    // The checkpoints that keep the present have random names, whether it changed or not.
    let is_named = |line: &&str| !line.contains("/manual/before-");
    state.refs = state.refs.lines().filter(is_named).collect();
    let base = sandbox.root.parent().unwrap();
    Judged {
        outside: shape.outside.as_ref().map(|[folder, _]| outside_of(folder)).unwrap_or_default(),
        times: sandbox.times(),
        operations: operations(sandbox),
        branch_logs: ["main", "side", "rescue/one", "feature/deep/name"].map(branch_log).concat(),
        state_files: state_files.map(|name| sandbox.state_file(name)).to_vec(),
        leftovers: sandbox
            .leftovers()
            .iter()
            .map(|path| path.strip_prefix(base).unwrap_or(path).to_owned())
            .collect(),
        state,
    }
}

/// Every file and folder, links not followed; a folder has no time that counts.
pub(super) fn outside_of(folder: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>, Option<SystemTime>)> {
    let mut found = BTreeMap::new();
    for row in fs::read_dir(folder).unwrap() {
        let path = row.unwrap().path();
        let metadata = fs::symlink_metadata(&path).unwrap();
        let (bytes, time) = match () {
            () if metadata.is_dir() => (Vec::new(), None),
            () if metadata.is_symlink() => {
                (fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes(), None)
            }
            () => (fs::read(&path).unwrap(), metadata.modified().ok()),
        };
        if metadata.is_dir() {
            found.extend(outside_of(&path));
        }
        found.insert(path, (metadata.mode(), bytes, time));
    }
    found
}

/// The operation log as its files say, newest first. What it needs is kept.
pub(super) fn operations(sandbox: &Sandbox) -> Vec<String> {
    let common = sandbox.git(&["rev-parse", "--path-format=absolute", "--git-common-dir"]);
    let log = kept_log(sandbox, Path::new(&common));
    let mut names: Vec<String> = Vec::new();
    let mut entries = Vec::new();
    for (id, files) in records::all(Path::new(&common), "operations").into_iter().rev() {
        let mut entry: serde_json::Value = serde_json::from_slice(&files["operation.json"]).unwrap();
        let name = entry["operation_id"].as_str().unwrap().to_owned();
        assert!(id.ends_with(&format!("-{name}")), "{id}");
        let kept = log.lines().filter(|line| line.ends_with(&format!("\trb: operation {name}"))).count();
        let receipt = files.contains_key("receipt.json");
        let undoes = names.iter().position(|undone| *undone == name);
        entry["time"] = 0.into();
        for record in ["/states/before", "/states/after", "/outside/records/before", "/outside/records/after"]
        {
            // The record of the present has a random name too, and stat data: what it keeps of files is the same.
            if let Some(record) = entry.pointer_mut(record) {
                let kept = sandbox.git(&["ls-tree", record.as_str().unwrap()]);
                let is_kept = |row: &&str| row.ends_with("\twork-tree") || row.contains("\toutside-");
                *record = kept.lines().filter(is_kept).collect::<Vec<_>>().into();
            }
        }
        entry["operation_id"] = serde_json::Value::Null;
        if let Some(undoes) = entry["undoes"].as_str() {
            names.push(undoes.to_owned());
            entry["undoes"] = "one of these".into();
        }
        entries.push(format!("{entry} kept {kept} receipt {receipt} undone by {undoes:?}"));
    }
    entries
}

/// The lines that keep objects for records. git shows none that names no commit, so tables are read here.
fn kept_log(sandbox: &Sandbox, common: &Path) -> String {
    if !sandbox.has_tables() {
        return fs::read_to_string(common.join("logs/RB_HEAD")).unwrap_or_default();
    }
    let stack = Stack::open(common, sandbox.repo().local().object_hash()).unwrap();
    let lines = stack.log(b"RB_HEAD", usize::MAX).unwrap();
    lines.into_iter().map(|(_, line)| format!("\t{}", line.message)).collect()
}

/// One in so many points is tried.
pub(super) fn share() -> usize {
    let share = std::env::var("RB_SWEEP_SHARE").ok().and_then(|share| share.parse().ok()).unwrap_or(1);
    println!("1 in {share} points (RB_SWEEP_SHARE)");
    share
}

/// All shapes, or the one that `RB_SWEEP_SHAPE` names, which may be `many files` too.
pub(super) fn chosen_shapes() -> Vec<Shape> {
    let only = std::env::var("RB_SWEEP_SHAPE").ok();
    let chosen = |shape: &Shape| only.as_ref().is_none_or(|only| *only == shape.name);
    let large = only.is_some().then(shapes::many_files);
    shapes::all().into_iter().chain(large).filter(chosen).collect()
}

#[test]
#[ignore = "minutes: the full sweep"]
fn kill_sweep() {
    sweep(chosen_shapes(), &mut Dice::from_environment(), share());
}

#[test]
fn a_slice_of_the_kill_sweep_on_tables_ends_before_or_after() {
    if can_trace() {
        let few = ["one file", "linked work tree", "undo", "branch removed", "a resolved conflict continued"];
        let shapes = with_tables(|| shapes::named(&few));
        sweep(shapes, &mut Dice::new(5), 150);
    }
}

#[test]
fn a_slice_of_the_kill_sweep_ends_before_or_after() {
    if can_trace() {
        sweep(chosen_shapes(), &mut Dice::new(3), 250);
    }
}

fn sweep(shapes: Vec<Shape>, dice: &mut Dice, share: usize) {
    let (mut tried, mut wrong) = (0, Vec::new());
    for shape in shapes {
        let scene = Scene::new(shape);
        let points = scene.points();
        let recovery_points = scene.recovery_points(&points);
        let mut verdicts: BTreeMap<&str, usize> = BTreeMap::new();
        let (mut second_kills, mut missed) = (0, 0);
        for point in points.iter().filter(|_| dice.below(share) == 0).collect::<Vec<_>>() {
            let copy = scene.shape.copy();
            let ended = scene.run(&copy, "do", kill_at(point));
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
            let retry = || {
                let retried = scene.run(&copy, "do", Vec::new());
                retried.is_success() && scene.verdict(&copy) == Some("after")
            };
            match scene.verdict(&copy) {
                Some(verdict)
                    if recovered.is_success()
                        && !copy.git_dir().join("rb/landing").exists()
                        && (verdict == "after" || retry()) =>
                {
                    *verdicts.entry(verdict).or_default() += 1;
                }
                verdict => {
                    let name = scene.shape.name;
                    println!("WRONG {name} {point:?} then {second:?} {how}: {recovered:?} {verdict:?}");
                    if wrong.is_empty() {
                        scene.explain(&copy);
                    }
                    wrong.push((name, point.clone(), second));
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

/// Goes a step in a sequence; whether something failed after it had landed.
pub(super) fn go(repo: &Repo, step: shapes::Move) -> crate::Result<bool> {
    struct Silent;
    impl SequenceFront for Silent {
        fn edit(&mut self, _: &Path) -> Result<(), String> {
            Ok(())
        }
        fn merge_by_strategy(&mut self, _: &StrategyCall<'_>) -> Result<i32, String> {
            Err("no strategy".to_owned())
        }
        fn tell(&mut self, _: SequenceEvent<'_>) {}
    }
    let context = SequenceContext {
        identity: Some(Identity { name: NAME.into(), email: EMAIL.into() }),
        time: Some(CommitTime { seconds: 1_700_000_000, offset: 3600 }),
        ..SequenceContext::default()
    };
    let report = match step {
        shapes::Move::Stop => {
            let second = repo.resolve_commit("second")?;
            repo.begin_sequence(
                &SequenceRequest::new(SequenceAction::Revert, vec![second]),
                &context,
                &mut Silent,
            )
        }
        shapes::Move::Continue => repo.continue_sequence(None, None, &context, &mut Silent),
        shapes::Move::Skip => repo.skip_in_sequence(None, &context, &mut Silent),
        shapes::Move::Abort => repo.abort_sequence(&context, &mut Silent),
    };
    report.map(|report| report.later_failure.is_some())
}
