//! What is known of a run. It is kept as a record of rb's own, which every transition replaces.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::approval::CheckedSignature;
use super::error::Result;
use super::event::On;
use super::ports::{Candidates, Ground, RunRecords};
use crate::error::RepositoryError;
use crate::id::CommitId;
use crate::plan::LossClass;
use crate::procedure::check::Verdict;
use crate::procedure::format::{Period, Reason, RungKind};
use crate::procedure::input::Inputs;
use crate::process::LeftProgram;
use crate::record::{self, Files, RecordKind, Revision, UnreadableRecord};
use crate::repo::Repo;

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RunStatus {
    /// It runs, or was cut off while it ran.
    Running,
    /// It waits for a person.
    Paused,
    /// Everything was done, and everything passed.
    Complete,
    /// It landed, and something after that failed.
    LandedWithFailures,
    /// It has nothing to do.
    NothingToDo,
    /// It ended without landing.
    Failed,
    /// It was aborted.
    Aborted,
}

impl RunStatus {
    /// The status in words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "In Progress",
            Self::Paused => "Paused",
            Self::Complete => "Complete",
            Self::LandedWithFailures => "Landed, then failed",
            Self::NothingToDo => "Nothing to do",
            Self::Failed => "Failed",
            Self::Aborted => "Aborted",
        }
    }

    /// Whether the run can go on.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Running | Self::Paused)
    }
}

/// Why a run ended as it did, which decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// Everything was done.
    Done,
    /// The state asked for was there already.
    NothingToDo,
    /// No rung could be taken; nothing landed.
    NoRung,
    /// Checks failed; nothing landed.
    ChecksFailed,
    /// It landed, and something after that failed.
    LandedButFailed,
    /// It paused.
    Paused,
    /// A step before landing failed; nothing landed.
    StepFailed,
    /// A unit was refused; nothing landed.
    Refused,
}

impl Ending {
    /// The status of a run that ended so.
    pub fn status(self) -> RunStatus {
        match self {
            Self::Done => RunStatus::Complete,
            Self::NothingToDo => RunStatus::NothingToDo,
            Self::LandedButFailed => RunStatus::LandedWithFailures,
            Self::Paused => RunStatus::Paused,
            Self::NoRung | Self::ChecksFailed | Self::StepFailed | Self::Refused => RunStatus::Failed,
        }
    }
}

/// What a run is for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Purpose {
    /// To roll back.
    #[default]
    Rollback,
    /// To bring back what a run has rolled back, as `[undo]` says.
    Reapply {
        /// That run.
        run: String,
    },
    /// To prepare the next attempt, as `[retry]` says.
    Retry,
}

impl Purpose {
    /// Whether it is an ordinary rollback.
    pub fn is_rollback(&self) -> bool {
        *self == Self::Rollback
    }
}

/// What kind of work a unit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum UnitKind {
    /// A message to people.
    Message,
    /// A precheck.
    Precheck,
    /// The checkpoint.
    Checkpoint,
    /// The verified backup.
    Backup,
    /// Evidence.
    Evidence,
    /// A step.
    Step,
    /// The rollback itself: candidate, checks, landing.
    Rollback,
    /// Time between gradual steps.
    Wait,
    /// A check of the live system.
    Verify,
    /// Publishing.
    Publish,
    /// Watching.
    Soak,
    /// The branch on which the next attempt is prepared.
    Branch,
    /// Something that was due afterwards.
    Followup,
}

/// Where a unit stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UnitState {
    /// Nothing of it was done.
    Pending,
    /// It began; whether it ended is not known.
    Started,
    /// It is done.
    Done,
    /// It was left out.
    Skipped,
    /// It failed, and the run went on or ended.
    Failed,
}

/// One unit of work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[non_exhaustive]
pub struct Unit {
    /// What kind it is.
    pub kind: UnitKind,
    /// The check, step, evidence or message; for gradual rollbacks the step such as `2/5`.
    pub id: String,
    /// Where it stands.
    pub state: UnitState,
    /// Whether it may simply run again after it was cut off.
    pub repeatable: bool,
    /// The group it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Which part of a gradual way it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Part>,
    /// What there is to say about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub started: Option<Timestamp>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub ended: Option<Timestamp>,
}

impl Unit {
    pub(super) fn new(kind: UnitKind, id: impl Into<String>, repeatable: bool) -> Self {
        let state = UnitState::Pending;
        let id = id.into();
        Self { kind, id, state, repeatable, group: None, part: None, note: None, started: None, ended: None }
    }
}

/// A part of a gradual way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[non_exhaustive]
pub struct Part {
    /// Which, counted from 1.
    pub step: u32,
    /// Of how many.
    pub of: u32,
}

impl Part {
    /// How much of what is left this part goes: the parts before have moved the present value already.
    pub(super) fn progress(self) -> f64 {
        1.0 / (1.0 + f64::from(self.of) - f64::from(self.step))
    }
}

/// A rung and what came of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[non_exhaustive]
pub struct RungTried {
    /// Its place in the ladder, counted from 1; 0 where the phase has no ladder.
    pub at: usize,
    /// The strategy; absent where the phase has no ladder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<RungKind>,
    /// Whether it was taken.
    pub taken: bool,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// In words.
    pub why: String,
    /// The paths it touches.
    pub paths: Vec<crate::path::RepoPath>,
    /// What is lost by it, where it came to a result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss: Option<LossClass>,
    /// The later commits whose edits it discards.
    pub discards: Vec<CommitId>,
}

/// Why a run waits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[non_exhaustive]
pub struct Pause {
    /// The unit, check or step it waits at.
    pub at: String,
    /// What a person has to do or decide.
    pub why: String,
    /// The candidate's folder, where something is to be edited there. No record has it: it follows from the id of the run.
    #[serde(skip_deserializing, skip_serializing_if = "Option::is_none")]
    pub folder: Option<PathBuf>,
    /// The role whose approval it waits for, where it waits for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<String>,
}

impl Pause {
    /// A pause until a person has done or decided something.
    pub(super) fn new(at: impl Into<String>, why: impl Into<String>) -> Self {
        Self { at: at.into(), why: why.into(), folder: None, approval: None }
    }
}

/// A candidate that a person edits: kept until it lands or its rung is left. Where it lies follows from the id of the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[non_exhaustive]
pub struct KeptCandidate {
    /// The paths at or below which it may differ.
    pub within: Vec<crate::path::RepoPath>,
}

/// Everything that is known of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[non_exhaustive]
pub struct RunState {
    /// The version of this document.
    pub schema_version: u32,
    /// Its id.
    pub id: String,
    /// The procedure.
    pub procedure: String,
    /// The name or file by which the procedure was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found_as: Option<String>,
    /// The hash of the procedure with its includes and scripts.
    pub hash: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Purpose::is_rollback")]
    pub purpose: Purpose,
    /// The phase.
    pub phase: String,
    /// The variant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// The values of its inputs.
    #[schemars(with = "serde_json::Value")]
    pub inputs: Inputs,
    /// Whether it is an emergency.
    pub emergency: bool,
    /// Whether a result that discards later edits was permitted.
    #[serde(default)]
    pub allow_loss: bool,
    /// Whether the rungs that are for `manual` only are taken.
    #[serde(default)]
    pub by_hand: bool,
    /// Whether merges are taken whole, beyond the paths of the phase.
    #[serde(default)]
    pub whole_merge: bool,
    /// Why it runs.
    pub reason: String,
    /// What triggered it.
    pub trigger: String,
    /// The severity it was recognised as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// Who runs it, in which roles.
    pub roles: Vec<String>,
    /// Who approved: role and name. Recorded and not enforced, unless a signature stands beside it.
    pub approvals: Vec<(String, String)>,
    /// The signatures among them that were checked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signatures: Vec<CheckedSignature>,
    /// Whether only signed approvals count.
    #[serde(default)]
    pub approvals_enforced: bool,
    /// What people confirmed.
    pub confirmed: Vec<String>,
    /// The reference that moves.
    pub reference: String,
    /// Where it was when the run began.
    pub tip: CommitId,
    /// When it began.
    #[schemars(with = "String")]
    pub started: Timestamp,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub finished: Option<Timestamp>,
    /// Within which time it should be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rto: Option<Period>,
    /// Where it stands.
    pub status: RunStatus,
    /// How it ended, or that it pauses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ending: Option<Ending>,
    /// What it waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause: Option<Pause>,
    /// Its work, in order.
    pub units: Vec<Unit>,
    /// The rungs tried, in order.
    pub rungs: Vec<RungTried>,
    /// The rung of the ladder it is at, counted from 0.
    pub rung: usize,
    /// How many edits of the candidate are done.
    pub edits_done: usize,
    /// The candidate, where a person edits it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidate: Option<KeptCandidate>,
    /// The verdicts: by check, on what it ran.
    pub verdicts: BTreeMap<String, BTreeMap<On, Verdict>>,
    /// What it rolled back.
    pub targets: Vec<CommitId>,
    /// Where restored content came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<CommitId>,
    /// The commits it made.
    pub commits: Vec<CommitId>,
    /// The operations by which they landed, as `rb undo` takes them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operations: Vec<String>,
    /// What took longer than it should: the run, or groups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overruns: Vec<String>,
    /// The branch that has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub landed_on: Option<String>,
    /// The programs that are running, or that a process which died may have left.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub programs: Vec<LeftProgram>,
    /// What happened outside the repository and remains when the run is aborted.
    pub outside_effects: Vec<String>,
    /// Evidence: its name, the SHA-256 of what was kept.
    pub evidence: BTreeMap<String, String>,
    /// The checkpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<String>,
}

impl RunState {
    /// Lets the run end so. The only place that sets a status and its ending.
    pub(super) fn conclude(&mut self, ending: Ending) {
        self.status = ending.status();
        self.ending = Some(ending);
    }

    /// How the run stands, in words. Every report, message and status says it with these.
    pub fn standing(&self) -> &'static str {
        match (self.status, self.ending) {
            (RunStatus::Failed, Some(Ending::ChecksFailed)) => "Checks failed, nothing landed",
            (RunStatus::Failed, _) => "Failed, nothing landed",
            (status, _) => status.as_str(),
        }
    }

    /// Takes over what landed for this run and was not written down, because the process died in between: the commit of
    /// an operation, or that of the tip, names the run.
    pub(super) fn find_landings(&mut self, repo: &dyn Ground) -> Result<()> {
        let landing = |unit: &Unit| {
            unit.state == UnitState::Started && matches!(unit.kind, UnitKind::Rollback | UnitKind::Publish)
        };
        let Some(at) = self.units.iter().position(landing) else { return Ok(()) };
        let operations = repo.operations()?.into_iter().rev().filter(|row| row.undone_by.is_none());
        let mut found: Vec<_> = operations
            .filter_map(|row| {
                Some((row.after?, row.commit_ids, row.reference.to_string(), Some(row.operation_id)))
            })
            .collect();
        if let Ok(tip) = repo.resolve_commit(&self.reference) {
            found.push((tip, vec![tip], self.reference.clone(), None));
        }
        let trailer = format!("Rollback-Run: {}", self.id);
        for (after, commits, reference, operation) in found {
            if self.commits.contains(&after)
                || !repo.commit_message(after)?.lines().any(|line| line == trailer)
            {
                continue;
            }
            self.commits.extend(commits);
            self.operations.extend(operation);
            self.landed_on = Some(reference);
            if self.units[at].kind == UnitKind::Rollback {
                self.units[at].state = UnitState::Done;
            }
        }
        Ok(())
    }

    /// What failed, as far as the run is to be judged by it: missing evidence is reported, and a follow-up comes later.
    pub fn failures(&self) -> impl Iterator<Item = &Unit> {
        let counts = |unit: &&Unit| {
            unit.state == UnitState::Failed && !matches!(unit.kind, UnitKind::Evidence | UnitKind::Followup)
        };
        self.units.iter().filter(counts)
    }

    /// The unit of this kind and name.
    pub fn unit(&self, kind: UnitKind, id: &str) -> Option<&Unit> {
        self.units.iter().find(|unit| unit.kind == kind && unit.id == id)
    }

    /// How a run ends whose units are all worked off.
    pub(super) fn ending_of_units(&self) -> Ending {
        if self.failures().next().is_some() { Ending::LandedButFailed } else { Ending::Done }
    }

    /// The verdict on a check that counts: of the live system, else of the candidate.
    pub fn verdict(&self, check: &str) -> Option<&Verdict> {
        let verdicts = self.verdicts.get(check)?;
        verdicts.get(&On::Live).or_else(|| verdicts.get(&On::Candidate))
    }

    fn of_record(id: &str, record: &record::Record) -> Result<Self, crate::Error> {
        let refuse = |why: String| {
            crate::Error::from(RepositoryError::ForeignRecord { path: format!("of run {id}").into(), why })
        };
        let bytes = record.files.get(STATE_FILE).map(Vec::as_slice).unwrap_or_default();
        let state: Self = serde_json::from_slice(bytes).map_err(|error| refuse(error.to_string()))?;
        // The id names folders, too.
        match state.id == id && record::is_plain_id(id) {
            true => Ok(state),
            false => Err(refuse(format!("it is that of run {:?}", state.id))),
        }
    }

    /// With the candidate's folder, where a person is to look there: derived from the id, whatever the record says.
    pub(super) fn located(mut self, repo: &dyn Candidates) -> Self {
        if let Some(pause) = &mut self.pause {
            pause.folder = self.candidate.as_ref().and_then(|_| repo.placed(&self.id));
        }
        self
    }

    /// As it is written down: without any place of the file system.
    pub(super) fn unlocated(&self) -> Self {
        let mut state = self.clone();
        state.pause.iter_mut().for_each(|pause| pause.folder = None);
        state
    }
}

/// Where a run is written down: the revision that was read or written last, and what is kept beside the state.
#[derive(Default)]
pub(super) struct Record {
    /// The revision that the next write replaces; `None` for a run that is not written down yet.
    revision: Option<Revision>,
    /// The plan of the candidate, as JSON.
    pub(super) plan: Option<Vec<u8>>,
}

impl Record {
    /// The record of a run that was read at `revision`.
    pub(super) fn of(repo: &dyn Ground, id: &str, revision: Revision) -> Result<Self> {
        Ok(Self { revision: Some(revision), plan: repo.run_plan(id)? })
    }

    /// Whether the run is written down.
    pub(super) fn exists(&self) -> bool {
        self.revision.is_some()
    }

    /// Writes the run down in place of what was read or written last; `what` says what has happened.
    pub(super) fn save(&mut self, repo: &dyn Ground, state: &RunState, what: &str) -> Result<()> {
        self.revision = Some(repo.write_run(state, self.revision, self.plan.as_deref(), what)?);
        Ok(())
    }
}

const STATE_FILE: &str = "run.json";
/// When the record was written, and what had happened: a line for each revision.
const TRANSITIONS_FILE: &str = "transitions.txt";
/// The plan of the candidate that landed, or was about to.
const PLAN_FILE: &str = "plan.json";

impl RunRecords for Repo {
    fn run(&self, id: &str) -> Result<Option<(RunState, Revision)>, crate::Error> {
        let Some(record) = self.read_record(RecordKind::Run, id)? else { return Ok(None) };
        Ok(Some((RunState::of_record(id, &record)?.located(self), record.revision)))
    }

    fn runs(&self) -> Result<Vec<RunState>, crate::Error> {
        let records = self.records(RecordKind::Run)?.read;
        let read = records.iter().filter_map(|(id, record)| RunState::of_record(id, record).ok());
        let mut runs: Vec<_> = read.map(|run| run.located(self)).collect();
        runs.sort_by_key(|run| run.started);
        Ok(runs)
    }

    fn run_plan(&self, id: &str) -> Result<Option<Vec<u8>>, crate::Error> {
        let record = self.read_record(RecordKind::Run, id)?;
        Ok(record.and_then(|mut record| record.files.remove(PLAN_FILE)))
    }

    fn write_run(
        &self,
        run: &RunState,
        after: Option<Revision>,
        plan: Option<&[u8]>,
        what: &str,
    ) -> Result<Revision, crate::Error> {
        let bytes = serde_json::to_vec_pretty(&run.unlocated())
            .map_err(|error| crate::Error::internal("the state of the run cannot be written", error))?;
        let transitions = match after {
            Some(_) => self
                .read_record(RecordKind::Run, &run.id)?
                .and_then(|mut record| record.files.remove(TRANSITIONS_FILE)),
            None => {
                self.keep_alive(&format!("run {}", run.id), &[run.tip.0])?;
                None
            }
        };
        let mut transitions = transitions.unwrap_or_default();
        transitions.extend_from_slice(format!("{} {what}\n", Timestamp::now()).as_bytes());
        let mut files =
            Files::from([(STATE_FILE.to_owned(), bytes), (TRANSITIONS_FILE.to_owned(), transitions)]);
        files.extend(plan.map(|plan| (PLAN_FILE.to_owned(), plan.to_vec())));
        self.write_record(RecordKind::Run, &run.id, after, &files)
    }

    fn keep_run_file(&self, id: &str, name: &str, bytes: &[u8]) -> Result<(), crate::Error> {
        Self::keep_run_file(self, id, name, bytes)
    }

    fn run_folder(&self, id: &str) -> PathBuf {
        Self::run_folder(self, id)
    }
}

/// The runs of a repository, the newest last. A record that cannot be read is passed over; [`unreadable_runs`] names it.
///
/// # Errors
/// Where the folder of records cannot be read.
pub fn runs(repo: &Repo) -> Result<Vec<RunState>> {
    Ok(repo.runs()?)
}

/// The records of runs that cannot be read, and why. The other runs are not concerned.
///
/// # Errors
/// As [`runs`].
pub fn unreadable_runs(repo: &Repo) -> crate::Result<Vec<UnreadableRecord>> {
    let records = repo.records(RecordKind::Run)?;
    let mut unreadable = records.unreadable;
    for (id, record) in &records.read {
        if let Err(error) = RunState::of_record(id, record) {
            unreadable.push(repo.unreadable(RecordKind::Run, id, &error));
        }
    }
    Ok(unreadable)
}
