//! The world of a simulated run: records, a lease, a repository, programs and the time, all in memory, and the crashes.
//!
//! Every call of a port passes [`Process::call`]: there another process may be let in, the call may fail, and the process
//! may die, before or after what the call does. One process is at work at a time, so that a seed replays.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use jiff::Timestamp;

use crate::error::{Error, Result, RevisionError};
use crate::id::{CommitId, TreeId};
use crate::path::RepoPath;
use crate::procedure::engine::ports::Held;
use crate::procedure::engine::{Clock, RunState, UnitState};
use crate::process::{
    Command, Ended, Holder, LeftProgram, Output, ProcessId, Runner, StartError, Stream, Watch,
};
use crate::record::Revision;

/// Where the simulated repository lies: nowhere.
pub(super) const NOWHERE: &str = "/rb-simulation/repository";
/// The branch that is checked out.
pub(super) const MAIN: &str = "refs/heads/main";

/// A source of numbers that follows from a seed.
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5DEE_CE66)
    }

    pub(super) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.roll() % bound.max(1)
    }

    /// Whether something happens that does so in `percent` of 100 cases.
    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

/// A process died. Thrown by the port at which it did.
pub(super) struct Crash;

/// What goes wrong in one process.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Trouble {
    /// The call at which it dies, and whether before what the call does.
    pub(super) crash: Option<(u64, bool)>,
    /// The machine goes down with it: nothing keeps running, and what was not flushed may be lost.
    pub(super) power: bool,
    /// The call that fails for want of space, where it writes.
    pub(super) fail: Option<u64>,
}

pub(super) type Tree = BTreeMap<RepoPath, Vec<u8>>;

pub(super) struct Commit {
    pub(super) id: CommitId,
    pub(super) parents: Vec<CommitId>,
    pub(super) message: String,
    pub(super) tree: Tree,
}

pub(super) struct Landed {
    pub(super) id: String,
    pub(super) reference: String,
    pub(super) before: Option<CommitId>,
    pub(super) after: Option<CommitId>,
    pub(super) undone_by: Option<String>,
}

/// The record of a run.
pub(super) struct Record {
    pub(super) run: RunState,
    pub(super) revision: Revision,
    pub(super) plan: Option<Vec<u8>>,
}

/// How the last start of a program ended, as the process that started it knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Last {
    Running,
    Passed,
    Failed,
    /// The process died before it knew.
    CutOff,
}

struct Running {
    tree: String,
    name: String,
    until: i64,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) now: i64,
    pub(super) dice: Option<Dice>,
    pub(super) records: Vec<Record>,
    /// What is kept beside the records, and whether it is on the disk.
    pub(super) kept: BTreeMap<(usize, String), Vec<u8>>,
    lease: Option<usize>,
    pub(super) commits: Vec<Commit>,
    pub(super) trees: Vec<Tree>,
    pub(super) branches: BTreeMap<String, CommitId>,
    pub(super) remote: BTreeMap<String, CommitId>,
    pub(super) operations: Vec<Landed>,
    /// The folders of candidates.
    pub(super) folders: BTreeMap<PathBuf, Tree>,
    pub(super) made: u64,
    running: Vec<Running>,
    /// Of each run and program that must not start twice: how its last start ended.
    pub(super) starts: BTreeMap<(String, String), Last>,
    /// What programs said last, by run and name.
    pub(super) said: BTreeMap<(String, String), Ended>,
    /// The messages that were told, by run.
    pub(super) told: BTreeSet<(String, String)>,
    pub(super) violations: Vec<String>,
    pub(super) trace: Vec<String>,
    /// The processes at work, and whose turn it is.
    at_work: Vec<usize>,
    turn: usize,
}

impl State {
    pub(super) fn violation(&mut self, what: impl Into<String>) {
        let mut what = what.into();
        for (nth, record) in self.records.iter().enumerate() {
            what = what.replace(record.run.id.as_str(), &format!("{}", nth + 1));
        }
        self.trace.push(format!("VIOLATION: {what}"));
        self.violations.push(what);
    }

    pub(super) fn dice(&mut self) -> &mut Dice {
        self.dice.get_or_insert_with(|| Dice::new(0))
    }

    pub(super) fn commit(&self, id: CommitId) -> Result<&Commit> {
        let missing = || Error::from(RevisionError::Unknown { spec: id.to_string(), source: None });
        self.commits.iter().find(|commit| commit.id == id).ok_or_else(missing)
    }

    /// What these commits reach.
    pub(super) fn reach(&self, tips: &[CommitId]) -> BTreeSet<CommitId> {
        let mut seen = BTreeSet::new();
        let mut left = tips.to_vec();
        while let Some(id) = left.pop() {
            if seen.insert(id) {
                left.extend(self.commit(id).into_iter().flat_map(|commit| commit.parents.iter().copied()));
            }
        }
        seen
    }

    pub(super) fn add_commit(&mut self, parents: Vec<CommitId>, tree: Tree, message: &str) -> CommitId {
        let id: CommitId = format!("c{:039x}", self.commits.len() + 1).parse().expect("it is an id");
        self.commits.push(Commit { id, parents, message: message.to_owned(), tree });
        id
    }

    pub(super) fn tree_id(&mut self, tree: &Tree) -> TreeId {
        let at = self.trees.iter().position(|known| known == tree).unwrap_or_else(|| {
            self.trees.push(tree.clone());
            self.trees.len() - 1
        });
        TreeId(format!("e{at:039x}").parse().expect("it is an id"))
    }

    pub(super) fn tree(&self, id: TreeId) -> Option<&Tree> {
        let at = usize::from_str_radix(&id.to_string()[1..], 16).ok()?;
        self.trees.get(at)
    }

    /// The start of a program that a person permits once more.
    pub(super) fn permit(&mut self, run: &str, program: &str) {
        self.starts.remove(&(run.to_owned(), program.to_owned()));
    }

    /// Moves a reference and logs that, as one step.
    pub(super) fn land(&mut self, reference: &str, after: Option<CommitId>) -> String {
        let id = format!("op{}", self.operations.len() + 1);
        let before = self.branches.get(reference).copied();
        match after {
            Some(after) => self.branches.insert(reference.to_owned(), after),
            None => self.branches.remove(reference),
        };
        self.operations.push(Landed {
            id: id.clone(),
            reference: reference.to_owned(),
            before,
            after,
            undone_by: None,
        });
        id
    }

    /// The place of a run among the records.
    pub(super) fn at(&self, id: &str) -> usize {
        self.records.iter().position(|record| record.run.id == id).unwrap_or(usize::MAX)
    }

    /// A run as its record has it.
    pub(super) fn run(&self, id: &str) -> Option<&RunState> {
        self.records.get(self.at(id)).map(|record| &record.run)
    }

    /// Takes a record over.
    pub(super) fn write(&mut self, record: Record) {
        let at = self.at(&record.run.id);
        match self.records.get_mut(at) {
            Some(old) => *old = record,
            None => self.records.push(record),
        }
        let open = self.records.iter().filter(|record| record.run.status.is_open()).count();
        if open > 1 {
            self.violation(format!("{open} runs are open at once"));
        }
    }

    /// What keeps running comes to its end by itself.
    fn settle(&mut self) {
        let now = self.now;
        self.running.retain(|program| program.until > now);
    }

    fn holds_lease(&mut self, process: usize, what: &str) {
        if self.lease != Some(process) {
            self.violation(format!("process {process}: {what} without the lease"));
        }
    }
}

pub(super) struct World {
    state: Mutex<State>,
    changed: Condvar,
}

impl World {
    pub(super) fn new(seed: u64) -> Arc<Self> {
        let state = State { now: 1_000, dice: Some(Dice::new(seed)), ..State::default() };
        Arc::new(Self { state: Mutex::new(state), changed: Condvar::new() })
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Lets processes begin; the first is at work.
    pub(super) fn begin(&self, processes: &[usize]) {
        let mut state = self.state();
        state.at_work = processes.to_vec();
        state.turn = processes[0];
    }

    /// A process has ended: its lease is free, and the next one is at work.
    pub(super) fn end(&self, process: usize) {
        let mut state = self.state();
        if state.lease == Some(process) {
            state.lease = None;
        }
        state.at_work.retain(|other| *other != process);
        if let Some(next) = state.at_work.first() {
            state.turn = *next;
        }
        self.changed.notify_all();
    }

    /// Waits until it is this process's turn; now and then that of another comes first.
    fn wait_for_turn(&self, process: usize) -> MutexGuard<'_, State> {
        let mut state = self.state();
        if state.at_work.len() > 1 && state.turn == process && state.dice().chance(25) {
            let others: Vec<_> = state.at_work.iter().copied().filter(|other| *other != process).collect();
            let next = state.dice().below(others.len() as u64);
            state.turn = others[usize::try_from(next).unwrap_or_default()];
            self.changed.notify_all();
        }
        while state.turn != process {
            state = self.changed.wait(state).unwrap_or_else(std::sync::PoisonError::into_inner);
        }
        state
    }
}

/// One process at work in the world.
pub(super) struct Process {
    pub(super) world: Arc<World>,
    pub(super) number: usize,
    trouble: Trouble,
    calls: Mutex<u64>,
}

/// What a call of a port does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Read,
    Write,
    /// It has to be the holder of the lease that does it.
    Guarded,
}

impl Process {
    pub(super) fn new(world: &Arc<World>, number: usize, trouble: Trouble) -> Self {
        Self { world: world.clone(), number, trouble, calls: Mutex::new(0) }
    }

    /// Waits until this process may begin.
    pub(super) fn arrive(&self) {
        drop(self.world.wait_for_turn(self.number));
    }

    /// One call of a port.
    pub(super) fn call<T>(
        &self,
        kind: Kind,
        what: &str,
        effect: impl FnOnce(&mut State) -> Result<T>,
    ) -> Result<T> {
        let mut state = self.world.wait_for_turn(self.number);
        let count = {
            let mut calls = self.calls.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            *calls += 1;
            *calls
        };
        if kind != Kind::Read {
            let line = format!("[{}] {what}", self.number);
            state.trace.push(line);
        }
        state.settle();
        if self.trouble.crash == Some((count, true)) {
            self.die(state, what);
        }
        if kind != Kind::Read && self.trouble.fail == Some(count) {
            state.trace.push(format!("[{}] {what}: no space", self.number));
            let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
            return Err(Error::io("write", NOWHERE, full));
        }
        if kind == Kind::Guarded {
            state.holds_lease(self.number, what);
        }
        let done = effect(&mut state);
        if self.trouble.crash == Some((count, false)) {
            self.die(state, what);
        }
        done
    }

    fn die(&self, mut state: MutexGuard<'_, State>, what: &str) -> ! {
        let how = if self.trouble.power { "the power goes" } else { "it is killed" };
        state.trace.push(format!("[{}] {how} at: {what}", self.number));
        for last in state.starts.values_mut().filter(|last| **last == Last::Running) {
            *last = Last::CutOff;
        }
        if self.trouble.power {
            state.running.clear();
            // Neither what is kept beside a record nor a candidate is flushed.
            let names: Vec<_> = state.kept.keys().cloned().collect();
            for name in names {
                if state.dice().chance(30) {
                    state.kept.remove(&name);
                }
            }
            if state.dice().chance(50) {
                state.folders.clear();
            }
        }
        if state.lease == Some(self.number) {
            state.lease = None;
        }
        drop(state);
        resume_unwind(Box::new(Crash));
    }

    /// Takes the lease unless another process has it.
    pub(super) fn lease(&self) -> Result<std::result::Result<Box<dyn Held>, Option<Holder>>> {
        let number = self.number;
        let taken = self.call(Kind::Write, "takes the lease", |state| {
            let free = state.lease.is_none();
            if free {
                state.lease = Some(number);
            }
            Ok(free)
        })?;
        Ok(match taken {
            true => Ok(Box::new(Lease { world: self.world.clone(), process: number })),
            false => Err(None),
        })
    }
}

struct Lease {
    world: Arc<World>,
    process: usize,
}

impl Held for Lease {
    fn note(&mut self, _: &Holder) {}
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut state = self.world.state();
        if state.lease == Some(self.process) {
            state.lease = None;
        }
    }
}

impl Clock for Process {
    fn now(&self) -> Timestamp {
        let now = self.world.state().now;
        Timestamp::from_second(1_700_000_000 + now).expect("it is a time")
    }

    fn wait(&self, time: Duration) {
        let seconds = i64::try_from(time.as_secs()).unwrap_or(1).max(1);
        let _ = self.call(Kind::Read, "waits", |state| {
            state.now += seconds;
            Ok(())
        });
    }
}

/// Programs that change something outside, of which a start must not be repeated unasked.
pub(super) fn is_once(name: &str) -> bool {
    ["step-", "send-", "rung-", "publish-"].iter().any(|kind| name.starts_with(kind))
}

impl Runner for Process {
    fn run(&self, command: &Command, watch: &mut dyn Watch) -> std::result::Result<Output, StartError> {
        let words = command.arguments().to_vec();
        let name = words[0].clone();
        let run = command.variable("RB_RUN").unwrap_or_default().to_owned();
        let tree = command.tree_name().unwrap_or_default().to_owned();
        let key = (run.clone(), name.clone());
        let number = self.number;
        if name == "git" {
            return Ok(self.git(&words));
        }
        let started = self.call(Kind::Guarded, &format!("starts {name}"), |state| {
            let last = state.starts.get(&key).copied();
            if let Some(last @ (Last::Running | Last::Passed | Last::CutOff)) = last {
                state.violation(format!("'{name}' of run {run} starts again after it {last:?}"));
            }
            if let Some(other) = state.running.first() {
                let other = other.name.clone();
                state.violation(format!("'{name}' of run {run} overlaps '{other}'"));
            }
            let recorded = state.run(&run);
            let named = recorded.iter().flat_map(|run| &run.programs).any(|left| left.tree == tree);
            let mut begun = recorded
                .iter()
                .flat_map(|run| &run.units)
                .any(|unit| unit.state == UnitState::Started && !unit.repeatable);
            // That it failed is told of a run that has ended.
            begun |= name == "send-failed" && recorded.is_some_and(|run| !run.status.is_open());
            if !named {
                state.violation(format!("'{name}' of run {run} starts before the record names it"));
            }
            if is_once(&name) {
                if !begun {
                    state.violation(format!("'{name}' of run {run} starts before the record says so"));
                }
                state.starts.insert(key.clone(), Last::Running);
            }
            let roll = state.dice().below(100);
            let (lasts, ended) = match roll {
                0..=4 => (1_000_000, Ended::TimedOut),
                5..=19 => (3, Ended::Exited(1)),
                _ => (3, Ended::Exited(0)),
            };
            let until = state.now + lasts;
            state.running.push(Running { tree: tree.clone(), name: name.clone(), until });
            Ok(ended)
        });
        let ended = match started {
            Ok(ended) => ended,
            Err(_) => {
                let source = std::io::Error::from(std::io::ErrorKind::OutOfMemory);
                return Err(StartError::System { program: name, source });
            }
        };
        watch.started(&ProcessId { pid: 1, started: None, boot: None });
        watch.line(Stream::Stdout, "at work");
        let _ = self.call(Kind::Read, &format!("waits for {name}"), |state| {
            state.running.retain(|program| program.tree != tree);
            state.now += if ended == Ended::TimedOut { 600 } else { 3 };
            if is_once(&name) {
                let last = if ended.is_success() { Last::Passed } else { Last::Failed };
                state.starts.insert(key.clone(), last);
            }
            state.trace.push(format!("[{number}] {name}: {ended}"));
            state.said.insert(key, ended);
            Ok(())
        });
        Ok(Output::new(ended, "said\n", ""))
    }

    fn end(&self, left: &LeftProgram) -> bool {
        let ended = self.call(Kind::Read, "ends a leftover", |state| {
            let before = state.running.len();
            state.running.retain(|program| program.tree != left.tree);
            Ok(state.running.len() < before)
        });
        ended.unwrap_or_default()
    }
}

impl Process {
    /// git, as far as it talks to a remote.
    fn git(&self, words: &[String]) -> Output {
        let said = self.call(Kind::Guarded, &words.join(" "), |state| {
            if words[1] == "ls-remote" {
                let rows = state.remote.iter().map(|(name, id)| format!("{id}\t{name}\n"));
                return Ok((Ended::Exited(0), rows.collect::<String>()));
            }
            let (id, name) = words[words.len() - 1].split_once(':').expect("it is a refspec");
            let id: CommitId = id.parse().expect("it is a commit");
            let fits = state.remote.get(name).is_none_or(|theirs| state.reach(&[id]).contains(theirs));
            if !fits || state.dice().chance(10) {
                return Ok((Ended::Exited(1), String::new()));
            }
            state.remote.insert(name.to_owned(), id);
            Ok((Ended::Exited(0), String::new()))
        });
        let (ended, text) = said.unwrap_or((Ended::Exited(128), String::new()));
        Output::new(ended, text, "")
    }
}

/// A folder for a candidate of a run.
pub(super) fn place_of(run: &str) -> PathBuf {
    Path::new("/rb-simulation/places").join(run)
}
