//! Running a procedure: what must be so first, the rollback itself, what is done around it, and what is remembered.
//!
//! A run is a list of units worked off in order. `started` is recorded before each and `done` after it, under
//! `refs/rb/runs/<id>`, so that a run that was cut off goes on where it was. The candidate is built in a scratch work
//! tree and checked there; only then does the branch move, once, by compare-and-swap.
//!
//! The engine asks nobody: what needs a person pauses the run, and what lacks consent refuses it.

mod candidate;
mod checks;
mod drive;
mod error;
mod event;
mod evidence;
mod outside;
mod report;
mod state;
mod steps;
mod targets;
mod units;
mod words;

pub use error::{EngineError, Result};
pub use event::{Event, Observer, On};
pub use report::markdown as report_markdown;
pub use state::{Ending, Pause, RunState, RunStatus, RungTried, Unit, UnitKind, UnitState, runs};

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use jiff::Timestamp;

use super::format::{Phase, Procedure};
use super::input::Inputs;
use super::trigger::Samples;
use crate::plan::PlanOptions;
use crate::process::{Redactor, Runner};
use crate::receipt::ApplyOptions;
use crate::repo::Repo;
use crate::trust::Fingerprint;

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
    /// The repository.
    pub repo: &'a Repo,
    /// Starts programs.
    pub runner: &'a dyn Runner,
    /// The time.
    pub clock: &'a dyn Clock,
    /// The variables of the environment, from which programs get what they are allowed.
    pub environment: &'a dyn Fn(&str) -> Option<String>,
    /// Set by whoever wants the run to stop.
    pub cancel: Option<Arc<AtomicBool>>,
}

/// What is asked of a run.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct RunRequest {
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
    /// The roles of whoever asks.
    pub roles: Vec<String>,
    /// Who approved: role and name.
    pub approvals: Vec<(String, String)>,
    /// Prechecks, checks and manual steps that a person has confirmed, by their id.
    pub confirmed: Vec<String>,
    /// The words typed for what cannot be taken back.
    pub words: Option<String>,
    /// Takes the rungs that are for `manual` only.
    pub by_hand: bool,
    /// Publishes the result once it has landed.
    pub publish: bool,
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
    /// The rest of the request, as when the run began: consent, samples, landing.
    pub request: RunRequest,
}

impl RunRequest {
    /// A request with nothing given.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Resumption {
    /// A resumption with nothing given.
    pub fn new() -> Self {
        Self::default()
    }
}

/// The programs that a procedure names, each once; one that has none only moves git and needs no trust.
pub fn programs(procedure: &Procedure) -> Vec<String> {
    units::programs(&procedure.document)
}

/// The hash of all that a procedure runs by itself: its files, and the scripts it names by path in the work tree.
pub fn fingerprint(procedure: &Procedure, work_dir: Option<&std::path::Path>) -> Fingerprint {
    let scripts: Vec<(String, Option<Vec<u8>>)> = programs(procedure)
        .into_iter()
        .filter(|program| program.contains('/') && !program.starts_with('/'))
        .map(|program| {
            let bytes = work_dir.and_then(|folder| std::fs::read(folder.join(&program)).ok());
            (program, bytes)
        })
        .collect();
    // Without its folder: the hash that a pipeline is given must be the same in every checkout.
    let base = |name: &'_ str| name.rsplit(['/', '\\']).next().map_or(0, |base| name.len() - base.len());
    let files = procedure.files.iter().map(|(name, bytes)| (&name[base(name)..], Some(bytes.as_slice())));
    let scripts = scripts.iter().map(|(name, bytes)| (name.as_str(), bytes.as_deref()));
    Fingerprint::new(files.chain(scripts))
}

/// A run in progress: the request, what is known, and where it is written down.
struct Run<'a> {
    engine: &'a Engine<'a>,
    procedure: &'a Procedure,
    phase: Phase,
    request: RunRequest,
    state: RunState,
    record: Option<crate::id::CommitId>,
    redactor: Arc<Redactor>,
    observer: &'a mut dyn Observer,
    overrun: bool,
    /// How many updates have been due so far.
    updates: u64,
    /// The folder of a candidate that was edited by hand while the run paused.
    reopened: Option<PathBuf>,
}

impl Engine<'_> {
    /// Runs a phase of a procedure until it ends or pauses.
    ///
    /// # Writes
    /// `refs/rb/runs/`, `refs/rb/checkpoints/`, `rb/runs/` in the git directory, and whatever the procedure says.
    ///
    /// # Errors
    /// Refusals, all of them before anything changes.
    pub fn start(
        &self,
        procedure: &Procedure,
        request: RunRequest,
        observer: &mut dyn Observer,
    ) -> Result<RunState> {
        let mut run = self.prepare(procedure, request, observer)?;
        run.save("started")?;
        run.drive()?;
        Ok(run.state)
    }

    /// What a run would do, without doing anything: its units, after everything that would be refused has been.
    ///
    /// # Errors
    /// As [`Engine::start`].
    pub fn preview(&self, procedure: &Procedure, request: RunRequest) -> Result<RunState> {
        Ok(self.prepare(procedure, request, &mut ())?.state)
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
        let (state, record) = self.open_run(id)?;
        let hash = fingerprint(procedure, self.repo.work_dir()).hash;
        if hash != state.hash {
            return Err(EngineError::Changed { id: state.id, procedure: procedure.id.clone() });
        }
        self.refuse_untrusted(procedure, &how.request, &hash)?;
        let phase = procedure.phase(&state.phase, state.variant.as_deref())?;
        let redactor = self.redactor(procedure, &state.inputs);
        let mut run = Run {
            engine: self,
            procedure,
            phase,
            request: how.request.clone(),
            state,
            record: Some(record),
            redactor,
            observer,
            overrun: false,
            updates: 0,
            reopened: None,
        };
        run.take_up(&how)?;
        run.drive()?;
        Ok(run.state)
    }

    /// Gives a run up. What landed is named and stays; what happened outside the repository is listed.
    ///
    /// # Writes
    /// The record of the run.
    ///
    /// # Errors
    /// [`EngineError::NoRun`], [`EngineError::SeveralRuns`].
    pub fn abort(&self, id: Option<&str>) -> Result<RunState> {
        let (mut state, record) = self.open_run(id)?;
        state.status = RunStatus::Aborted;
        state.finished = Some(self.clock.now());
        if let Some(folder) = state.pause.take().and_then(|pause| pause.folder) {
            // A candidate that nobody will land; losing it loses nothing that was committed.
            let _ = std::fs::remove_dir_all(folder);
        }
        state.write(self.repo, Some(record), "aborted")?;
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
            Some(name) => document.group.get(name).map(|group| group.checks.clone()).ok_or_else(|| {
                let known: Vec<String> = document.group.names().map(ToOwned::to_owned).collect();
                let nearest = super::format::nearest(name, known.iter().map(String::as_str));
                EngineError::Unknown(super::format::UnknownName {
                    kind: "group",
                    found: name.into(),
                    nearest,
                    known,
                })
            })?,
            None => document.success.as_ref().map_or_else(Vec::new, |success| success.all.clone()),
        };
        let name = request.phase.clone().or_else(|| procedure.default_phase().map(ToOwned::to_owned));
        let name = name.or_else(|| document.phase.names().next().map(ToOwned::to_owned)).unwrap_or_default();
        let phase = procedure.phase(&name, request.variant.as_deref())?;
        if request.phase.is_some() && group.is_none() {
            checks.extend(phase.verify.iter().cloned());
        }
        let hash = fingerprint(procedure, self.repo.work_dir()).hash;
        self.refuse_untrusted(procedure, &request, &hash)?;
        let inputs = Inputs::resolve(document, &request.set, &request.exclude)?;
        let tip = self.repo.plan_tip(&PlanOptions::default())?;
        let mut state = units::new_state(
            procedure,
            &name,
            &phase,
            &request,
            inputs,
            hash,
            tip,
            "verify".into(),
            self.clock.now(),
        );
        state.units.clear();
        let redactor = self.redactor(procedure, &state.inputs);
        let (record, overrun, updates, reopened) = (None, false, 0, None);
        let mut run = Run {
            engine: self,
            procedure,
            phase,
            request,
            state,
            record,
            redactor,
            observer,
            overrun,
            updates,
            reopened,
        };
        let folder = self.repo.work_dir().unwrap_or(self.repo.git_dir()).to_owned();
        checks.dedup();
        for check in checks {
            run.check(&check, On::Live, &folder)?;
        }
        run.state.finished = Some(self.clock.now());
        Ok(run.state)
    }

    /// Publishes the result of a run that has landed.
    ///
    /// # Writes
    /// Whatever the procedure's way of publishing does, and the record of the run.
    ///
    /// # Errors
    /// [`EngineError::NoRun`], [`EngineError::Changed`], trust and approval.
    pub fn publish(
        &self,
        procedure: &Procedure,
        id: &str,
        request: RunRequest,
        observer: &mut dyn Observer,
    ) -> Result<RunState> {
        let missing = || EngineError::NoRun { id: Some(id.to_owned()) };
        let (state, record) = RunState::read(self.repo, id)?.ok_or_else(missing)?;
        if state.landed_on.is_none() {
            return Err(EngineError::Target(format!(
                "the run {id} has landed nothing that could be published"
            )));
        }
        let hash = fingerprint(procedure, self.repo.work_dir()).hash;
        self.refuse_untrusted(procedure, &request, &hash)?;
        let phase = procedure.phase(&state.phase, state.variant.as_deref())?;
        let redactor = self.redactor(procedure, &state.inputs);
        let (record, overrun, updates, reopened) = (Some(record), false, 0, None);
        let mut run = Run {
            engine: self,
            procedure,
            phase,
            request,
            state,
            record,
            redactor,
            observer,
            overrun,
            updates,
            reopened,
        };
        run.state.approvals.extend(run.request.approvals.clone());
        run.publish_again()?;
        Ok(run.state)
    }

    fn open_run(&self, id: Option<&str>) -> Result<(RunState, crate::id::CommitId)> {
        let id = match id {
            Some(id) => id.to_owned(),
            None => {
                let open: Vec<String> = runs(self.repo)?
                    .into_iter()
                    .filter(|run| run.status.is_open())
                    .map(|run| run.id)
                    .collect();
                match open.as_slice() {
                    [] => return Err(EngineError::NoRun { id: None }),
                    [one] => one.clone(),
                    _ => return Err(EngineError::SeveralRuns { ids: open }),
                }
            }
        };
        let found = RunState::read(self.repo, &id)?.ok_or(EngineError::NoRun { id: Some(id) })?;
        if !found.0.status.is_open() {
            return Err(EngineError::Ended { id: found.0.id, status: found.0.status.as_str() });
        }
        Ok(found)
    }

    fn prepare<'a>(
        &'a self,
        procedure: &'a Procedure,
        request: RunRequest,
        observer: &'a mut dyn Observer,
    ) -> Result<Run<'a>> {
        if let Some(open) = runs(self.repo)?.into_iter().find(|run| run.status.is_open()) {
            return Err(EngineError::Concurrent {
                id: open.id,
                procedure: open.procedure,
                status: open.status.as_str(),
            });
        }
        let name = request.phase.clone().or_else(|| procedure.default_phase().map(ToOwned::to_owned));
        let name = name.ok_or_else(|| EngineError::NoPhase {
            known: procedure.document.phase.names().map(ToOwned::to_owned).collect(),
        })?;
        let phase = procedure.phase(&name, request.variant.as_deref())?;
        let inputs = Inputs::resolve(&procedure.document, &request.set, &request.exclude)?;
        self.refuse_without_consent(procedure, &name, &phase, &request)?;
        let hash = fingerprint(procedure, self.repo.work_dir()).hash;
        self.refuse_untrusted(procedure, &request, &hash)?;
        let planning = PlanOptions::default();
        let changes = phase.says_what_to_change();
        if changes {
            self.repo.preflight(&planning, &request.landing)?;
        }
        let tip = self.repo.plan_tip(&planning)?;
        let id = format!("{:08x}", getrandom::u32().unwrap_or_else(|_| std::process::id()));
        let mut run = Run {
            engine: self,
            procedure,
            state: units::new_state(
                procedure,
                &name,
                &phase,
                &request,
                inputs,
                hash,
                tip,
                id,
                self.clock.now(),
            ),
            redactor: Arc::default(),
            phase,
            request,
            record: None,
            observer,
            overrun: false,
            updates: 0,
            reopened: None,
        };
        run.redactor = self.redactor(procedure, &run.state.inputs);
        run.refuse_unset_inputs()?;
        Ok(run)
    }

    fn refuse_without_consent(
        &self,
        procedure: &Procedure,
        name: &str,
        phase: &Phase,
        request: &RunRequest,
    ) -> Result<()> {
        let what = format!("phase '{name}' of procedure '{}'", procedure.id);
        let needed =
            if phase.authority.is_empty() { &procedure.document.authority } else { &phase.authority };
        if !needed.is_empty() && !request.roles.iter().any(|role| needed.contains(role)) {
            return Err(EngineError::Authority { what, needed: needed.clone() });
        }
        for role in &phase.approvals {
            if !request.approvals.iter().any(|(approved, _)| approved == role) {
                return Err(EngineError::Approval { what, role: role.clone() });
            }
        }
        match &phase.confirm {
            Some(words) if request.words.as_ref() != Some(words) => {
                Err(EngineError::Confirmation { what, words: words.clone() })
            }
            _ => Ok(()),
        }
    }

    /// A procedure that runs programs needs trust; one that only moves git does not.
    fn refuse_untrusted(&self, procedure: &Procedure, request: &RunRequest, hash: &str) -> Result<()> {
        let runs_programs = !programs(procedure).is_empty();
        if !runs_programs || request.trusted_hash.as_deref() == Some(hash) {
            return Ok(());
        }
        Err(EngineError::NotTrusted {
            procedure: procedure.id.clone(),
            hash: hash.to_owned(),
            changed: Vec::new(),
        })
    }

    fn redactor(&self, procedure: &Procedure, inputs: &Inputs) -> Arc<Redactor> {
        let document = &procedure.document;
        let declared = (document.step.iter().flat_map(|step| &step.secrets))
            .chain(document.check.iter().flat_map(|check| &check.secrets))
            .chain(document.evidence.iter().flat_map(|evidence| &evidence.secrets))
            .chain(document.message.iter().flat_map(|message| &message.secrets))
            .filter_map(|name| Some((name.clone(), (self.environment)(name)?)));
        let secret = document
            .input
            .iter()
            .filter(|(_, input)| input.secret)
            .filter_map(|(name, _)| Some((name.to_owned(), inputs.get(name).ok()?.to_owned())));
        Arc::new(Redactor::new(declared.chain(secret).collect::<Vec<_>>()))
    }

    /// The folder in which a run keeps what is not git's: logs and evidence.
    pub fn run_folder(&self, id: &str) -> PathBuf {
        self.repo.git_dir().join("rb").join("runs").join(id)
    }
}
