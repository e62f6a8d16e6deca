//! Running a procedure: what must be so first, the rollback itself, what is done around it, and what is remembered.
//!
//! A run is a list of units worked off in order. `started` is recorded before each and `done` after it, in
//! the record of the run, so that a run that was cut off goes on where it was. The candidate is built in a scratch work
//! tree and checked there; only then does the branch move, once, by compare-and-swap.
//!
//! The engine never asks: what needs a person pauses the run, and what lacks consent refuses it.

mod approval;
mod base;
mod candidate;
mod checks;
mod climb;
mod drive;
mod error;
mod event;
mod evidence;
mod foresight;
mod outside;
mod placeholders;
mod ports;
mod prepare;
mod programs;
mod publish;
mod purpose;
mod report;
#[cfg(feature = "approvals")]
mod signature;
mod state;
mod steps;
mod targets;
mod units;
mod values;

pub use approval::{APPROVAL_NAMESPACE, CheckedSignature, SignedApproval};
pub use error::{EngineError, Result};
pub use event::{Event, Observer, On};
pub use foresight::Foresight;
pub use publish::{Publication, PublishConsent};
pub use report::markdown as report_markdown;
pub use state::{
    Ending, KeptCandidate, Pause, Purpose, RunState, RunStatus, RungTried, Unit, UnitKind, UnitState, runs,
    unreadable_runs,
};

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use ports::{CandidateFiles, Ground, Held};
use prepare::Intent;

use super::format::{Phase, Procedure};
use super::pins;
use super::trigger::Samples;
use crate::cancel::Cancel;
use crate::error::OperationError;
use crate::id::CommitId;
use crate::oplog::{OperationRef, UndoOptions};
use crate::plan::Plan;
use crate::process::{Holder, Redactor, Runner};
use crate::receipt::ApplyOptions;
use crate::repo::Repo;
use crate::trust::{Fingerprint, sha256};
use state::Record;

/// The time, passed in.
pub trait Clock: Sync {
    /// Now.
    fn now(&self) -> Timestamp;
    /// Lets time pass.
    fn wait(&self, time: Duration);
}

/// The system's time.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn wait(&self, time: Duration) {
        std::thread::sleep(time);
    }
}

/// What is needed to run procedures.
pub struct Engine<'a> {
    repo: &'a dyn Ground,
    runner: &'a dyn Runner,
    clock: &'a dyn Clock,
    environment: &'a dyn Fn(&str) -> Option<String>,
    cancel: Cancel,
}

/// What is asked of a run.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct RunRequest {
    /// What the run is for; to roll back unless given.
    pub purpose: Purpose,
    /// The phase; the procedure's default unless given.
    pub phase: Option<String>,
    /// The variant of the phase.
    pub variant: Option<String>,
    /// Values of inputs: name and value.
    pub set: Vec<(String, String)>,
    /// Members to leave out of lists: name and value.
    pub exclude: Vec<(String, String)>,
    /// Leaves out manual prechecks and gradual steps; never backup, trust or authority.
    pub emergency: bool,
    /// Permits a result that discards later edits.
    pub allow_loss: bool,
    /// Why it runs.
    pub reason: String,
    /// What triggered it.
    pub trigger: String,
    /// The severity it was recognised as.
    pub severity: Option<String>,
    /// The roles of the caller.
    pub roles: Vec<String>,
    /// Who approved: role and name.
    pub approvals: Vec<(String, String)>,
    /// Approvals with signatures.
    pub signatures: Vec<SignedApproval>,
    /// The list of allowed signers, from outside the candidate. With it, only signed approvals count.
    pub allowed_signers: Option<String>,
    /// Groups to work off that are only worked off when a request names them.
    pub groups: Vec<String>,
    /// Takes merges whole, beyond the paths of the phase.
    pub whole_merge: bool,
    /// Prechecks, checks and manual steps that a person has confirmed, by their id.
    pub confirmed: Vec<String>,
    /// The words typed for what cannot be taken back.
    pub words: Option<String>,
    /// Takes the rungs that are for `manual` only.
    pub by_hand: bool,
    /// Publishes the result once it has landed.
    pub publish: bool,
    /// What may be published beyond a result that passed everything.
    pub publishing: PublishConsent,
    /// Watches for as long as the procedure says before the run is complete.
    pub soak: bool,
    /// The hash that was trusted, by a record outside the repository or the pipeline's configuration.
    pub trusted_hash: Option<String>,
    /// The name or file by which the procedure was found, so that it can be found again when the run goes on.
    pub found_as: Option<String>,
    /// Samples for checks of metrics.
    pub samples: Samples,
    /// How the result lands.
    pub landing: ApplyOptions,
    /// Publishes, or does what was due afterwards, once more after that was cut off.
    pub retry: bool,
}

/// How a run that was cut off or paused goes on.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Resumption {
    /// What has been confirmed since.
    pub confirmed: Vec<String>,
    /// Runs the step that was cut off once more.
    pub retry: bool,
    /// Takes the step that was cut off, or the manual one, for done.
    pub mark_done: bool,
    /// Takes the tip as it is now for the one to roll back, where it moved and nothing has landed.
    pub replan: bool,
    /// The rest of the request, as when the run began: consent, samples, landing.
    pub request: RunRequest,
}

/// The programs that a procedure names, each once.
pub fn programs(procedure: &Procedure) -> Vec<String> {
    units::programs(&procedure.document)
}

/// Removes the candidates of runs that have ended or are not known, which a killed process leaves.
///
/// # Writes
/// The system's folder for temporary files.
///
/// # Errors
/// Those of reading the records of runs. A candidate that cannot be removed stays, and is no error.
pub fn sweep_candidates(repo: &Repo) -> Result<()> {
    sweep(repo)
}

fn sweep(repo: &dyn Ground) -> Result<()> {
    let open = open_runs(repo)?;
    let _ = repo.sweep_placed(&|id| open.iter().any(|open| open == id));
    Ok(())
}

fn open_runs(repo: &dyn Ground) -> Result<Vec<String>> {
    Ok(repo.runs()?.into_iter().filter(|run| run.status.is_open()).map(|run| run.id).collect())
}

/// The hash of all that trust covers: the files of a procedure, and the files of the work tree that its commands name.
pub fn fingerprint(procedure: &Procedure, work_dir: Option<&std::path::Path>) -> Fingerprint {
    // Without its folder: the hash that a pipeline is given must be the same in every checkout.
    let base = |name: &'_ str| name.rsplit(['/', '\\']).next().map_or(0, |base| name.len() - base.len());
    let files =
        procedure.files.iter().map(|(name, bytes)| (name[base(name)..].to_owned(), Some(sha256(bytes))));
    Fingerprint::of_hashes(files.chain(pins::pinned(procedure, work_dir)).collect())
}

/// A run in progress: the request, what is known, and where it is written down.
struct Run<'a> {
    engine: &'a Engine<'a>,
    procedure: &'a Procedure,
    phase: Phase,
    request: RunRequest,
    /// What was trusted: the scripts that run are held to it.
    trusted: Fingerprint,
    state: RunState,
    record: Record,
    redactor: Arc<Redactor>,
    observer: &'a mut dyn Observer,
    /// What the first rung starts from, planned when the run was prepared.
    first: Option<(Box<Plan>, Vec<CommitId>)>,
    /// The files of the tip, for checks that run there too.
    tip_files: Option<Box<dyn CandidateFiles>>,
    /// How many updates have been due so far.
    updates: u64,
    /// Whether the unit that is at work has done what cannot be taken back: started a program, said a message, changed a
    /// file outside.
    has_acted: bool,
}

impl<'a> Engine<'a> {
    /// An engine at work in `repo`, with what it needs beside: what starts programs, the time, and the variables of the
    /// environment, from which programs get what they are allowed.
    pub fn new(
        repo: &'a Repo,
        runner: &'a dyn Runner,
        clock: &'a dyn Clock,
        environment: &'a dyn Fn(&str) -> Option<String>,
    ) -> Self {
        Self { repo, runner, clock, environment, cancel: Cancel::default() }
    }

    /// The same, stopped once `cancel` is cancelled.
    #[must_use]
    pub fn cancelled_by(self, cancel: Cancel) -> Self {
        Self { cancel, ..self }
    }

    /// Runs a phase of a procedure until it ends or pauses.
    ///
    /// # Writes
    /// The record of the run, checkpoints, `rb/runs/` in the git directory, and whatever the procedure says.
    ///
    /// # Errors
    /// Refusals, all of them before anything changes.
    pub fn start(
        &self,
        procedure: &Procedure,
        request: RunRequest,
        observer: &mut dyn Observer,
    ) -> Result<RunState> {
        let mut lease = self.lease(&procedure.id, None)?;
        self.end_leftovers(observer)?;
        let mut run = self.prepare(procedure, request, Intent::Act, observer)?;
        lease.note(&self.holder(&procedure.id, Some(&run.state.id)));
        run.tell_of_missing_programs();
        run.save("started")?;
        run.drive()?;
        Ok(run.state)
    }

    /// What a run would do, without doing anything: its units, after everything that would be refused has been; whether it
    /// is trusted is not asked.
    ///
    /// # Errors
    /// As [`Engine::start`].
    pub fn preview(&self, procedure: &Procedure, request: RunRequest) -> Result<RunState> {
        Ok(self.prepare(procedure, request, Intent::Look, &mut ())?.state)
    }

    /// Goes on with a run that was cut off or paused; the only open one where no id is given.
    ///
    /// # Writes
    /// As [`Engine::start`].
    ///
    /// # Errors
    /// [`EngineError::Changed`], [`EngineError::Moved`], [`EngineError::CutOff`], [`EngineError::NoRun`] and the
    /// refusals of [`Engine::start`].
    pub fn resume(
        &self,
        procedure: &Procedure,
        id: Option<&str>,
        how: Resumption,
        observer: &mut dyn Observer,
    ) -> Result<RunState> {
        let _lease = self.lease(&procedure.id, id)?;
        self.end_leftovers(observer)?;
        let (state, record) = self.open_run(id)?;
        let hash = fingerprint(procedure, self.repo.work_dir()).hash;
        if hash != state.hash {
            return Err(EngineError::Changed { id: state.id, procedure: procedure.id.clone() });
        }
        let mut run = self.reopen(procedure, how.request.clone(), (state, record), observer)?;
        // What is secret was not written down.
        run.refuse_unset_inputs()?;
        run.take_up(&how)?;
        run.drive()?;
        Ok(run.state)
    }

    /// Gives a run up: what landed is taken back as [`Repo::undo`](crate::Repo::undo) does, where it can be. What
    /// happened outside the repository, and what git could not take back, is listed and stays.
    ///
    /// # Writes
    /// As an undo, and the record of the run.
    ///
    /// # Errors
    /// [`EngineError::NoRun`], [`EngineError::SeveralRuns`].
    pub fn abort(&self, id: Option<&str>) -> Result<RunState> {
        let open = self.open_run(id)?.0;
        let _lease = self.lease(&open.procedure, Some(&open.id))?;
        self.end_leftovers(&mut ())?;
        let (mut state, mut record) = self.open_run(Some(&open.id))?;
        record.plan = None;
        state.find_landings(self.repo)?;
        for unit in state.units.iter().filter(|unit| unit.state == UnitState::Started && !unit.repeatable) {
            let in_part = format!("'{}' was cut off and may have done its work in part", unit.id);
            state.outside_effects.push(in_part);
        }
        (state.status, state.finished) = (RunStatus::Aborted, Some(self.clock.now()));
        (state.pause, state.candidate) = (None, None);
        // The candidate will not land; losing it loses nothing that was committed.
        let _ = self.repo.remove_placed(&state.id);
        let logged = if state.operations.is_empty() { Vec::new() } else { self.repo.operations()? };
        while let Some(operation) = state.operations.pop() {
            match self.repo.undo(&OperationRef::Id(operation.clone()), &UndoOptions::default()) {
                // An abort that was cut off may have taken it back already.
                Ok(_) | Err(crate::Error::Operation(OperationError::AlreadyUndone { .. })) => {
                    let rows = logged.iter().filter(|row| row.operation_id == operation);
                    let gone: Vec<CommitId> = rows.flat_map(|row| row.commit_ids.clone()).collect();
                    state.commits.retain(|commit| !gone.contains(commit));
                }
                Err(error) => {
                    state.outside_effects.push(format!("the commits of operation {operation} stay: {error}"));
                    state.operations.push(operation);
                    break;
                }
            }
        }
        if state.operations.is_empty() {
            state.commits.clear();
            state.landed_on = None;
        }
        record.save(self.repo, &state, "aborted")?;
        Ok(state)
    }

    /// Runs checks of the live system and nothing else: those of a group, or those by which the rollback counts as
    /// successful and those of the phase, where one is named. Nothing is recorded but their output.
    ///
    /// # Errors
    /// Trust, unknown names and unset inputs.
    pub fn verify(
        &self,
        procedure: &Procedure,
        group: Option<&str>,
        request: RunRequest,
        observer: &mut dyn Observer,
    ) -> Result<RunState> {
        let document = &procedure.document;
        let mut checks = match group {
            Some(name) => prepare::group(document, name)?.checks.clone(),
            None => document.success.as_ref().map_or_else(Vec::new, |success| success.all.clone()),
        };
        let fail_fast = group.and_then(|name| document.group.get(name)).is_some_and(|group| group.fail_fast);
        let name = request.phase.as_deref().or_else(|| procedure.default_phase());
        let name = name.or_else(|| document.phase.names().next()).unwrap_or_default().to_owned();
        let phase = procedure.phase(&name, request.variant.as_deref())?;
        if request.phase.is_some() && group.is_none() {
            checks.extend(phase.verify.iter().cloned());
        }
        let mut run = self.new_run(procedure, name, phase, request, observer)?;
        run.state.id = "verify".into();
        run.state.units.clear();
        self.refuse_untrusted(procedure, &run.request, &run.state.hash)?;
        let mut seen = std::collections::BTreeSet::new();
        for check in checks.into_iter().filter(|check| seen.insert(check.clone())) {
            let verdict = run.check_live(&check)?;
            if fail_fast && verdict.blocks() {
                break;
            }
        }
        run.state.finished = Some(self.clock.now());
        Ok(run.state)
    }

    /// Does what was due after a run: the step of the follow-up, then its checks.
    ///
    /// # Writes
    /// Whatever the step does, and the record of the run.
    ///
    /// # Errors
    /// [`EngineError::NoRun`], an unknown follow-up, trust and approval.
    pub fn follow_up(
        &self,
        procedure: &Procedure,
        id: &str,
        followup: &str,
        request: RunRequest,
        observer: &mut dyn Observer,
    ) -> Result<RunState> {
        let _lease = self.lease(&procedure.id, Some(id))?;
        self.end_leftovers(observer)?;
        let found = self.any_run(id)?;
        let mut run = self.reopen(procedure, request, found, observer)?;
        run.accept_approvals()?;
        run.follow_up(followup)?;
        Ok(run.state)
    }

    fn any_run(&self, id: &str) -> Result<(RunState, Record)> {
        let found = self.repo.run(id)?.ok_or_else(|| EngineError::NoRun(Some(id.to_owned())))?;
        Ok((found.0, Record::of(self.repo, id, found.1)?))
    }

    /// Ends what processes that died left running, whichever run they were at: one that has ended can have been told of
    /// or published when its process died.
    fn end_leftovers(&self, observer: &mut dyn Observer) -> Result<()> {
        let mut ended = 0;
        for id in self.repo.runs()?.into_iter().filter(|run| !run.programs.is_empty()).map(|run| run.id) {
            let (mut state, mut record) = self.any_run(&id)?;
            let left = std::mem::take(&mut state.programs);
            ended += left.iter().filter(|program| self.runner.end(program)).count();
            record.save(self.repo, &state, "leftovers ended")?;
        }
        if ended > 0 {
            observer.event(&Event::LeftoversEnded { programs: ended });
        }
        sweep(self.repo)
    }

    /// The right to carry out runs here, which one process has at a time.
    pub(super) fn lease(&self, procedure: &str, run: Option<&str>) -> Result<Box<dyn Held>> {
        let taken = self.repo.take_lease(&self.holder(procedure, run))?;
        taken.map_err(|holder| EngineError::AtWork(holder.map(Box::new)))
    }

    fn holder(&self, procedure: &str, run: Option<&str>) -> Holder {
        Holder::this_process(procedure, run, Timestamp::now())
    }

    /// The folder in which steps and checks of the live system run.
    fn place(&self) -> PathBuf {
        self.repo.work_dir().unwrap_or(self.repo.git_dir()).to_owned()
    }

    fn open_run(&self, id: Option<&str>) -> Result<(RunState, Record)> {
        let mut ids = match id {
            Some(id) => vec![id.to_owned()],
            None => open_runs(self.repo)?,
        };
        let found = match (ids.pop(), ids.is_empty()) {
            (Some(id), true) => self.any_run(&id)?,
            (None, _) => return Err(EngineError::NoRun(None)),
            (last, _) => return Err(EngineError::SeveralRuns(ids.into_iter().chain(last).collect())),
        };
        if !found.0.status.is_open() {
            return Err(EngineError::Ended { id: found.0.id, status: found.0.status.as_str() });
        }
        Ok(found)
    }

    /// The folder in which a run keeps what is not git's: logs and evidence.
    pub fn run_folder(&self, id: &str) -> PathBuf {
        self.repo.run_folder(id)
    }
}

#[cfg(test)]
#[path = "../../../tests/simulation/mod.rs"]
mod simulation;
