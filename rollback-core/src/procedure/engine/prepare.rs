//! What is refused before anything changes: consent, trust, names, values, targets that are not there.
//!
//! The first rung is planned in memory here, so that a missing merge, a path that never existed or an edited file in
//! the way is known before anything is announced, backed up or stopped. Nothing is written.

use std::sync::Arc;

use super::approval::refuse_undeserved_roles;
use super::event::Event;
use super::state::{Purpose, Record, RunState, RunStatus, UnitKind};
use super::{Engine, EngineError, Observer, Result, Run, RunRequest, fingerprint, units};
use crate::plan::{Plan, PlanOptions};
use crate::procedure::format::{Document, Group, Period, Phase, Pick, Procedure, Reason, Rung, UnknownName};
use crate::procedure::input::Inputs;
use crate::process::Redactor;
use crate::receipt::{ApplyOptions, Destination};
use crate::trust::Fingerprint;

/// What a run is prepared for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Intent {
    /// To be carried out, which needs trust.
    Act,
    /// To be looked at.
    Look,
}

/// The group of this name.
pub(super) fn group<'a>(document: &'a Document, name: &str) -> Result<&'a Group> {
    let unknown = || EngineError::Unknown(UnknownName::new("group", name, document.group.names()));
    document.group.get(name).ok_or_else(unknown)
}

impl Engine<'_> {
    pub(super) fn prepare<'a>(
        &'a self,
        procedure: &'a Procedure,
        request: RunRequest,
        intent: Intent,
        observer: &'a mut dyn Observer,
    ) -> Result<Run<'a>> {
        let open = self.repo.runs()?.into_iter().find(|run| run.status.is_open());
        // Looking starts nothing and is in no run's way.
        if let Some(RunState { id, procedure, status, .. }) = open.filter(|_| intent == Intent::Act) {
            return Err(EngineError::Concurrent { id, procedure, status: status.as_str() });
        }
        let name = self.phase_name(procedure, &request)?;
        let phase = self.phase_of(procedure, &name, request.variant.as_deref(), &request.purpose)?;
        request.groups.iter().try_for_each(|name| group(&procedure.document, name).map(drop))?;
        let mut run = self.new_run(procedure, name, phase, request, observer)?;
        run.refuse_without_consent()?;
        if intent == Intent::Act {
            self.refuse_untrusted(procedure, &run.request, &run.state.hash)?;
        }
        if run.phase.says_what_to_change() {
            let mut landing = run.request.landing.clone();
            if let Some(branch) = &run.phase.branch.as_ref().or(procedure.document.branch.as_ref()) {
                landing.destination = Destination::Branch((*branch).clone());
            }
            self.repo.preflight(&PlanOptions::default(), &landing)?;
        }
        if let (true, Some(publish)) = (run.request.publish, run.publishes()) {
            run.remote(publish)?;
        }
        run.refuse_unset_inputs()?;
        run.refuse_what_cannot_be()?;
        run.tell_of_drills()?;
        Ok(run)
    }

    fn phase_name(&self, procedure: &Procedure, request: &RunRequest) -> Result<String> {
        if let Purpose::Reapply { run } = &request.purpose {
            return Ok(self.any_run(run)?.0.phase);
        }
        let names = || procedure.document.phase.names();
        let of_a_retry = || names().next().filter(|_| request.purpose == Purpose::Retry);
        let name = request.phase.as_deref().or_else(|| procedure.default_phase()).or_else(of_a_retry);
        let no_phase = || EngineError::NoPhase(names().map(ToOwned::to_owned).collect());
        name.map(ToOwned::to_owned).ok_or_else(no_phase)
    }

    /// A run of which nothing is written down yet.
    pub(super) fn new_run<'a>(
        &'a self,
        procedure: &'a Procedure,
        name: String,
        phase: Phase,
        mut request: RunRequest,
        observer: &'a mut dyn Observer,
    ) -> Result<Run<'a>> {
        let inputs = Inputs::resolve(&procedure.document, &request.set, &request.exclude)?;
        let tip = self.repo.plan_tip(&PlanOptions::default())?;
        let id = format!("{:08x}", getrandom::u32().unwrap_or_else(|_| std::process::id()));
        let redactor = self.redactor(procedure, &inputs);
        for text in [&mut request.reason, &mut request.trigger] {
            *text = redactor.redact_str(text);
        }
        let trusted = fingerprint(procedure, self.repo.work_dir());
        let hash = trusted.hash.clone();
        let begun = units::Begun { id, name, inputs, hash, tip, now: self.clock.now() };
        let state = (begun.state(procedure, &phase, &request), Record::default());
        Ok(self.assembled(procedure, phase, request, trusted, state, observer))
    }

    /// A run as it was written down, to be gone on with.
    pub(super) fn reopen<'a>(
        &'a self,
        procedure: &'a Procedure,
        request: RunRequest,
        (mut state, record): (RunState, Record),
        observer: &'a mut dyn Observer,
    ) -> Result<Run<'a>> {
        state.inputs.give_again(&procedure.document, &request.set)?;
        let trusted = fingerprint(procedure, self.repo.work_dir());
        self.refuse_untrusted(procedure, &request, &trusted.hash)?;
        let phase = self.phase_of(procedure, &state.phase, state.variant.as_deref(), &state.purpose)?;
        Ok(self.assembled(procedure, phase, request, trusted, (state, record), observer))
    }

    fn assembled<'a>(
        &'a self,
        procedure: &'a Procedure,
        phase: Phase,
        request: RunRequest,
        trusted: Fingerprint,
        (state, record): (RunState, Record),
        observer: &'a mut dyn Observer,
    ) -> Run<'a> {
        let redactor = self.redactor(procedure, &state.inputs);
        let (engine, first, tip_files, updates, has_acted) = (self, None, None, 0, false);
        Run {
            engine,
            procedure,
            phase,
            request,
            trusted,
            state,
            record,
            redactor,
            observer,
            first,
            tip_files,
            updates,
            has_acted,
        }
    }

    /// A procedure needs trust for acting, whatever it contains: one without a program can still write and remove files.
    pub(super) fn refuse_untrusted(
        &self,
        procedure: &Procedure,
        request: &RunRequest,
        hash: &str,
    ) -> Result<()> {
        if request.trusted_hash.as_deref() == Some(hash) {
            return Ok(());
        }
        let (procedure, hash) = (procedure.id.clone(), hash.to_owned());
        Err(EngineError::NotTrusted { procedure, hash, changed: Vec::new() })
    }

    fn redactor(&self, procedure: &Procedure, inputs: &Inputs) -> Arc<Redactor> {
        let document = &procedure.document;
        let declared = (document.step.iter().flat_map(|step| &step.secrets))
            .chain(document.check.iter().flat_map(|check| &check.secrets))
            .chain(document.evidence.iter().flat_map(|evidence| &evidence.secrets))
            .chain(document.message.iter().flat_map(|message| &message.secrets))
            .chain(document.publishing().into_iter().flat_map(|(_, publish)| &publish.secrets))
            .chain(document.phases().flat_map(|phase| &phase.ladder).flat_map(|rung| &rung.secrets))
            .filter_map(|name| Some((name.clone(), (self.environment)(name)?)));
        let secret = inputs.secrets().map(|(name, value)| (name.to_owned(), value.to_owned()));
        Arc::new(Redactor::new(declared.chain(secret).collect::<Vec<_>>()))
    }
}

impl Run<'_> {
    fn refuse_without_consent(&mut self) -> Result<()> {
        let document = &self.procedure.document;
        let what = format!("phase '{}' of procedure '{}'", self.state.phase, self.procedure.id);
        let own = &self.phase.authority;
        let needed = if own.is_empty() { &document.authority } else { own };
        if !needed.is_empty() && !self.request.roles.iter().any(|role| needed.contains(role)) {
            return Err(EngineError::Authority { what, needed: needed.clone() });
        }
        refuse_undeserved_roles(document, &self.request, self.engine.repo)?;
        self.accept_approvals()?;
        for role in self.phase.approvals.clone() {
            self.refuse_unapproved(&what, &role)?;
        }
        self.refuse_unapproved_work()?;
        match &self.phase.confirm {
            Some(words) if self.request.words.as_ref() != Some(words) => {
                Err(EngineError::Confirmation { what, words: words.clone() })
            }
            _ => Ok(()),
        }
    }

    /// Approvals that the run is bound to ask for: those of its steps, of the rung it begins with, of publishing.
    fn refuse_unapproved_work(&self) -> Result<()> {
        for unit in &self.state.units {
            let role = match unit.kind {
                UnitKind::Step | UnitKind::Backup => {
                    self.procedure.step(&unit.id).and_then(|step| step.approval.as_ref())
                }
                UnitKind::Publish => self.publishes().and_then(|publish| publish.approval.as_ref()),
                _ => None,
            };
            if let Some(role) = role {
                self.refuse_unapproved(&format!("'{}'", unit.id), role)?;
            }
        }
        let manual = |rung: &Rung| rung.when.contains(&Reason::Manual);
        let first = self.phase.ladder.iter().find(|rung| manual(rung) == self.request.by_hand);
        first.map_or(Ok(()), |rung| self.refuse_unapproved_rung(rung))
    }

    /// Says that the procedure should have been rehearsed by now; a run is as good as a rehearsal.
    fn tell_of_drills(&mut self) -> Result<()> {
        let Some(every) = self.procedure.document.drill_every else { return Ok(()) };
        let own = |run: &RunState| run.procedure == self.procedure.id && run.status == RunStatus::Complete;
        let last = self.engine.repo.runs()?.into_iter().filter(own).filter_map(|run| run.finished).max();
        let age = last.map(|last| self.state.started.duration_since(last).try_into().unwrap_or_default());
        if age.is_none_or(|age| Period(age) > every) {
            self.observer.event(&Event::DrillDue { every, last });
        }
        Ok(())
    }

    /// Plans the first rung, or sets the values, in memory.
    fn refuse_what_cannot_be(&mut self) -> Result<()> {
        self.refuse_ambiguous_target()?;
        let document = &self.procedure.document;
        for evidence in document.evidence.iter().filter(|row| self.phase.evidence.contains(&row.id)) {
            self.kept_name(evidence)?;
        }
        let first = self.phase.ladder.first().filter(|rung| !rung.when.contains(&Reason::Manual)).cloned();
        let plan = match first {
            Some(rung) if !self.request.by_hand => self.rehearse(&rung)?,
            _ if self.phase.ladder.is_empty() && !self.phase.set.is_empty() => self.rehearse_values()?,
            _ => None,
        };
        match plan {
            Some(plan) => self.refuse_obstacles(&plan),
            None => Ok(()),
        }
    }

    fn refuse_ambiguous_target(&self) -> Result<()> {
        let Some(target) = &self.phase.target else { return Ok(()) };
        let found = self.commits_of(target)?;
        let asks = target.pick == Pick::One && target.has_filters() && found.len() > 1;
        let copes = |rung: &Rung| rung.when.contains(&Reason::Multiple) || rung.commits.is_some();
        if !asks || self.phase.ladder.iter().any(copes) {
            return Ok(());
        }
        let commits = found.iter().map(|id| self.engine.repo.abbreviation(*id)).collect();
        Err(EngineError::Ambiguous(commits))
    }

    /// Refuses an edited, untracked or ignored file in the way of what would land.
    pub(super) fn refuse_obstacles(&self, plan: &Plan) -> Result<()> {
        self.engine.repo.check(plan, &self.landing_options()?)?;
        Ok(())
    }

    /// How a candidate lands. Consent to loss is asked for where its rung is tried: another one may lose nothing.
    pub(super) fn landing_options(&self) -> Result<ApplyOptions> {
        let mut options = ApplyOptions { allow_loss: true, ..self.request.landing.clone() };
        if let Some(branch) = self.phase.branch.as_ref().or(self.procedure.document.branch.as_ref()) {
            options.destination = Destination::Branch(self.words(branch)?);
        }
        Ok(options)
    }
}
