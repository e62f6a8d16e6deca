//! Working off the units of a run, each written down before and after.

use super::event::{Event, On};
use super::state::{Ending, Pause, RunStatus, Unit, UnitKind, UnitState};
use super::{EngineError, Result, Resumption, Run};
use crate::checkpoint::CheckpointOptions;
use crate::error::OperationError;
use crate::id::CommitId;
use crate::oplog::Operation;
use crate::plan::PlanOptions;
use crate::procedure::check::{Outcome, Verdict};
use crate::procedure::format::{
    Demand, Effect, Evidence, EvidenceTime, Message, Occasion, Period, Precheck, Step, TreePath,
};

/// How long a program may run that only shows more of a failure.
const LONGEST_DIAGNOSIS: Period = Period(std::time::Duration::from_secs(120));

/// How a unit ended.
pub(super) enum Flow {
    Done(Option<String>),
    Skipped(String),
    /// The run goes on and the report says so.
    Failed(String),
    Pause(Pause),
    End(Ending, String),
}

impl Flow {
    /// Nothing is left to do, and there is nothing to say about it.
    pub(super) const DONE: Self = Self::Done(None);

    /// Whether and how the verdict on a check of the live system lets a run go on; `failed` is for one that does not pass.
    fn of_check(check: &str, verdict: &Verdict, failed: impl FnOnce(String) -> Self) -> Self {
        match verdict.outcome {
            Outcome::Pass | Outcome::Skip => Self::DONE,
            Outcome::Inconclusive => Self::Pause(Pause::new(check, verdict.to_string())),
            Outcome::Fail | Outcome::Error => failed(verdict.to_string()),
        }
    }

    /// What a step that has come to this is to a run of which something `landed` already, or nothing.
    fn of_step(self, step: &Step, landed: bool) -> Self {
        match self {
            Self::Failed(why) if step.optional => Self::Skipped(why),
            Self::Failed(why) if !landed => Self::End(Ending::StepFailed, why),
            other => other,
        }
    }
}

impl Run<'_> {
    /// Works off what is left.
    pub(super) fn drive(&mut self) -> Result<()> {
        let driven = self.work_off();
        self.remove_candidate();
        driven
    }

    fn work_off(&mut self) -> Result<()> {
        let units = self.state.units.len();
        self.observer.event(&Event::Run {
            id: &self.state.id,
            procedure: &self.state.procedure,
            phase: &self.state.phase,
            units,
            rto: self.state.rto,
        });
        for at in 0..units {
            if self.state.units[at].state != UnitState::Pending {
                continue;
            }
            if self.engine.cancel.is_cancelled() {
                return Err(crate::Error::Cancelled.into());
            }
            self.warn_of_overrun(at);
            self.tell_how_it_goes()?;
            if self.group_has_ended(at) {
                continue;
            }
            self.begin(at)?;
            let flow = match self.unit(at) {
                Ok(flow) => flow,
                Err(error) => {
                    // Once it has done something outside, it is not refused: it begins again, or a person says how far
                    // it came.
                    let is_open = self.has_acted && self.changes_something(at);
                    match error {
                        EngineError::Core(crate::Error::Cancelled) => self.cut_off(at)?,
                        _ if is_open => self.cut_off(at)?,
                        _ => self.refused(at, &error)?,
                    }
                    return Err(error);
                }
            };
            if self.end(at, flow)? {
                return match self.state.status {
                    RunStatus::Failed | RunStatus::LandedWithFailures => self.after_failure(),
                    _ => Ok(()),
                };
            }
        }
        self.complete()
    }

    /// Leaves a unit out whose group ends at the first check that does not pass, once one has not.
    fn group_has_ended(&mut self, at: usize) -> bool {
        let units = &self.state.units;
        let group = units[at].group.as_ref().and_then(|name| self.procedure.document.group.get(name));
        let failed = |unit: &Unit| {
            unit.group == units[at].group && unit.kind == UnitKind::Verify && unit.state == UnitState::Failed
        };
        let ended = group.is_some_and(|group| group.fail_fast) && units.iter().any(failed);
        if ended {
            let unit = &mut self.state.units[at];
            unit.state = UnitState::Skipped;
            unit.note = Some("a check of its group did not pass before".into());
        }
        ended
    }

    fn changes_something(&self, at: usize) -> bool {
        let unit = &self.state.units[at];
        let writes = |step: &Step| step.effect != Effect::Read;
        !unit.repeatable || unit.kind == UnitKind::Step && self.procedure.step(&unit.id).is_some_and(writes)
    }

    fn begin(&mut self, at: usize) -> Result<()> {
        let now = self.engine.clock.now();
        self.has_acted = false;
        let unit = &mut self.state.units[at];
        unit.state = UnitState::Started;
        unit.started = Some(now);
        let (kind, id) = (unit.kind, unit.id.clone());
        tracing::debug!(?kind, id, "step started");
        self.observer.event(&Event::Started { at: at + 1, kind, id: &id });
        // What only reads is repeated after a crash anyway: its beginning need not be on the disk.
        match self.state.units[at].repeatable && !matches!(kind, UnitKind::Rollback | UnitKind::Publish) {
            true => Ok(()),
            false => self.save(&format!("{id} started")),
        }
    }

    /// Writes down how a unit ended; whether the run stops here.
    fn end(&mut self, at: usize, flow: Flow) -> Result<bool> {
        let now = self.engine.clock.now();
        let (state, note, stop) = match flow {
            Flow::Done(note) => (UnitState::Done, note, None),
            Flow::Skipped(why) => (UnitState::Skipped, Some(why), None),
            Flow::Failed(why) => (UnitState::Failed, Some(why), None),
            Flow::Pause(pause) => {
                self.state.conclude(Ending::Paused);
                self.observer.event(&Event::Paused(&pause));
                let why = pause.why.clone();
                self.state.pause = Some(pause);
                (UnitState::Pending, Some(why), Some("paused"))
            }
            // Part of a gradual way can be where it is already.
            Flow::End(Ending::NothingToDo, why) if !self.state.commits.is_empty() => {
                (UnitState::Skipped, Some(why), None)
            }
            Flow::End(ending, why) => {
                let landed = !self.state.commits.is_empty();
                self.state.conclude(if landed { Ending::LandedButFailed } else { ending });
                self.state.finished = Some(now);
                let state =
                    if ending == Ending::NothingToDo { UnitState::Skipped } else { UnitState::Failed };
                (state, Some(why), Some("ended"))
            }
        };
        let unit = &mut self.state.units[at];
        (unit.ended, unit.state, unit.note) = (Some(now), state, note);
        let id = unit.id.clone();
        tracing::debug!(?state, id, "step ended");
        self.observer.event(&Event::Ended { at: at + 1, id: &id, state, note: unit.note.as_deref() });
        self.save(&format!("{id} {}", stop.unwrap_or("done")))?;
        Ok(stop.is_some())
    }

    /// Leaves a unit as a crash would: what only reads begins again, how far it came is not known of what writes.
    fn cut_off(&mut self, at: usize) -> Result<()> {
        let unit = &mut self.state.units[at];
        if unit.repeatable {
            unit.state = UnitState::Pending;
        }
        let id = unit.id.clone();
        self.save(&format!("{id} cut off"))
    }

    /// Leaves a unit that was refused as if it had not begun: it changed nothing.
    fn refused(&mut self, at: usize, error: &EngineError) -> Result<()> {
        let landed = !self.state.commits.is_empty() || !self.state.outside_effects.is_empty();
        self.state.units[at].state = UnitState::Pending;
        let id = self.state.units[at].id.clone();
        if landed {
            self.state.conclude(Ending::Paused);
            self.state.ending = Some(Ending::LandedButFailed);
            return self.save(&format!("{id} refused"));
        }
        self.state.conclude(Ending::Refused);
        self.state.finished = Some(self.engine.clock.now());
        self.state.units[at].note = Some(error.to_string());
        self.save(&format!("{id} refused"))?;
        self.tell_of_failure()?;
        self.save("failure told")
    }

    fn complete(&mut self) -> Result<()> {
        self.state.finished = Some(self.engine.clock.now());
        self.warn_of_overrun(self.state.units.len());
        self.state.conclude(self.state.ending_of_units());
        self.keep_report()?;
        if self.state.status == RunStatus::Complete {
            return self.save("complete");
        }
        // Written down first: a message that was sent is not sent again.
        self.save("landed, then failed")?;
        self.tell_of_failure()?;
        self.save("failure told")
    }

    /// Keeps the reports with the run. What was committed is what was known then; what is kept is the whole story.
    pub(super) fn keep_report(&mut self) -> Result<()> {
        self.own_report()?;
        let report = super::report::markdown(self.procedure, &self.state);
        let report = self.redactor.redact_str(&report);
        self.keep("report.md", report.as_bytes())
    }

    /// Writes the procedure's own report with what is known now, and keeps it with the run.
    pub(super) fn own_report(&mut self) -> Result<Option<(String, Option<TreePath>)>> {
        let id = self.phase.report.as_ref().filter(|_| self.state.purpose.is_rollback());
        let mut reports = self.procedure.document.report.iter();
        let Some(report) = reports.find(|report| Some(&report.id) == id) else { return Ok(None) };
        let text = self.redactor.redact_str(self.words(&report.text)?.trim_start());
        self.keep(&format!("report/{}.md", report.id), text.as_bytes())?;
        Ok(Some((text, report.path.clone())))
    }

    /// Removes the candidate of a run that has no use for it any more. One that cannot be removed stays, and
    /// the next run tries again.
    fn remove_candidate(&self) {
        if !self.state.status.is_open() && self.record.exists() {
            let _ = self.engine.repo.remove_placed(&self.state.id);
        }
    }

    /// Writes the run down; `what` says what has happened.
    pub(super) fn save(&mut self, what: &str) -> Result<()> {
        self.record.save(self.engine.repo, &self.state, what)
    }

    /// Says that it failed, keeps what is to be kept then, and what shows more of it.
    fn after_failure(&mut self) -> Result<()> {
        self.tell_of_failure()?;
        self.diagnose()?;
        self.save("failure told")
    }

    /// The messages and the evidence for a run that did not succeed.
    fn tell_of_failure(&mut self) -> Result<()> {
        let document = &self.procedure.document;
        for message in document.message.iter().filter(|message| message.on == Occasion::Failed) {
            self.message(message)?;
        }
        for evidence in document.evidence.iter().filter(|evidence| evidence.when == EvidenceTime::Failure) {
            if self.phase.evidence.contains(&evidence.id) {
                self.evidence(evidence)?;
            }
        }
        Ok(())
    }

    /// Runs what shows more when it does not work, and keeps what it says. These programs only read; one that needs an
    /// input that was not given is left out, and in an emergency none runs.
    fn diagnose(&mut self) -> Result<()> {
        if self.state.emergency {
            return Ok(());
        }
        for id in self.phase.diagnose.clone() {
            let row = self.procedure.document.diagnose.iter().find(|row| row.id == id);
            for (at, run) in row.iter().flat_map(|row| &row.run).enumerate() {
                let Ok(command) = self.live_command(run, &[], Some(LONGEST_DIAGNOSIS)) else { continue };
                // A program that cannot be started has nothing to say.
                let _ = self.run_program(&id, &format!("diagnose/{id}/{}", at + 1), &command)?;
            }
        }
        Ok(())
    }

    /// Sends the updates that are due: as often as they, or the first message, say.
    fn tell_how_it_goes(&mut self) -> Result<()> {
        let messages = &self.procedure.document.message;
        let every = messages.iter().filter(|row| matches!(row.on, Occasion::Initiated | Occasion::Update));
        let Some(every) = every.filter_map(|row| row.every).min() else { return Ok(()) };
        let due = self.elapsed().0.as_secs() / every.0.as_secs().max(1);
        if due <= self.updates {
            return Ok(());
        }
        self.updates = due;
        for message in messages.iter().filter(|message| message.on == Occasion::Update) {
            self.message(message)?;
        }
        Ok(())
    }

    /// Says once that the run takes longer than it should, and once of each group whose work came before `at`.
    fn warn_of_overrun(&mut self, at: usize) {
        if let Some(rto) = self.state.rto
            && self.elapsed() > rto
        {
            self.overrun("the run", rto);
        }
        for (name, group) in self.procedure.document.group.iter() {
            let Some(budget) = group.budget else { continue };
            let units = || self.state.units[..at].iter().filter(|unit| unit.group.as_deref() == Some(name));
            let began = units().filter_map(|unit| unit.started).min();
            let ended = units().filter_map(|unit| unit.ended).max();
            let Some((began, ended)) = began.zip(ended) else { continue };
            let took = ended.duration_since(began).try_into().unwrap_or_default();
            if Period(took) > budget {
                self.overrun(group.title.as_deref().unwrap_or(name), budget);
            }
        }
    }

    fn overrun(&mut self, what: &str, budget: Period) {
        if !self.state.overruns.iter().any(|known| known == what) {
            self.state.overruns.push(what.to_owned());
            self.observer.event(&Event::Overrun { what, budget });
        }
    }

    /// Brings a run that was cut off or paused back to where it can go on.
    pub(super) fn take_up(&mut self, how: &Resumption) -> Result<()> {
        self.state.confirmed.extend(how.confirmed.iter().cloned());
        // What was permitted to this run stays permitted: it goes on from the same tip, or not at all.
        self.state.allow_loss |= how.request.allow_loss;
        self.request.allow_loss = self.state.allow_loss;
        self.request.by_hand = self.state.by_hand;
        self.state.find_landings(self.engine.repo)?;
        self.refuse_taken_back()?;
        if self.state.commits.is_empty() {
            match self.refuse_moved(self.state.tip) {
                Err(EngineError::Moved { .. }) if how.replan => self.replan()?,
                result => result?,
            }
        }
        self.accept_approvals()?;
        if let Some(at) = self.state.units.iter().position(|unit| unit.state == UnitState::Started) {
            self.take_up_unit(at, how)?;
        }
        if let Some(pause) = self.state.pause.take()
            && how.mark_done
        {
            self.state.confirmed.push(pause.at);
        }
        self.state.status = RunStatus::Running;
        self.state.ending = None;
        self.save("resumed")
    }

    /// Refuses to go on where the tip is not the expected one.
    pub(super) fn refuse_moved(&self, expected: CommitId) -> Result<()> {
        let found = self.engine.repo.plan_tip(&PlanOptions::default())?.commit_id;
        match found == expected {
            true => Ok(()),
            false => Err(EngineError::Moved { reference: self.state.reference.clone(), expected, found }),
        }
    }

    /// Refuses to go on where what had landed was taken back since, by an abort that was cut off or by an undo.
    fn refuse_taken_back(&self) -> Result<()> {
        if self.state.operations.is_empty() {
            return Ok(());
        }
        let own = |row: &Operation| self.state.operations.contains(&row.operation_id);
        let mut rows = self.engine.repo.operations()?.into_iter().filter(own);
        match rows.find_map(|row| Some((row.operation_id, row.undone_by?))) {
            Some((operation, by)) => {
                Err(crate::Error::from(OperationError::AlreadyUndone { operation, by }).into())
            }
            None => Ok(()),
        }
    }

    /// Decides what becomes of the unit that was cut off. One that may simply run again does so, whatever a person says.
    fn take_up_unit(&mut self, at: usize, how: &Resumption) -> Result<()> {
        let unit = &mut self.state.units[at];
        if unit.repeatable || how.retry && !how.mark_done {
            unit.state = UnitState::Pending;
            return Ok(());
        }
        if !how.mark_done {
            return Err(EngineError::CutOff(unit.id.clone()));
        }
        unit.state = UnitState::Done;
        unit.note = Some("taken for done".into());
        let (kind, id) = (unit.kind, unit.id.clone());
        let effect = match (kind, self.procedure.step(&id)) {
            (UnitKind::Step | UnitKind::Backup, Some(step)) => self.effect_of(step)?,
            (UnitKind::Message, _) => return Ok(()),
            _ => id,
        };
        self.state.outside_effects.push(effect);
        Ok(())
    }

    /// Goes on from another tip: what was found out about the old one, and what was approved for it, no longer counts.
    fn replan(&mut self) -> Result<()> {
        let tip = self.engine.repo.plan_tip(&PlanOptions::default())?;
        let state = &mut self.state;
        (state.reference, state.tip) = (tip.reference, tip.commit_id);
        (state.rung, state.edits_done) = (0, 0);
        state.rungs.clear();
        state.targets.clear();
        state.source = None;
        state.verdicts.retain(|_, verdicts| {
            verdicts.retain(|on, _| *on == On::Live);
            !verdicts.is_empty()
        });
        state.signatures.clear();
        if state.approvals_enforced {
            state.approvals.clear();
        }
        // It was made of the old tip.
        state.candidate = None;
        self.record.plan = None;
        Ok(())
    }

    fn unit(&mut self, at: usize) -> Result<Flow> {
        let Unit { kind, id, part, .. } = self.state.units[at].clone();
        let document = &self.procedure.document;
        match kind {
            UnitKind::Message => match document.message.iter().find(|row| row.id == id) {
                Some(message) => self.due_message(message),
                None => Ok(Flow::DONE),
            },
            UnitKind::Precheck => self.precheck(&id),
            UnitKind::Checkpoint => self.checkpoint(),
            UnitKind::Backup => self.backup(),
            UnitKind::Evidence => match document.evidence.iter().find(|row| row.id == id) {
                Some(evidence) => self.due_evidence(evidence),
                None => Ok(Flow::DONE),
            },
            UnitKind::Step => match self.procedure.step(&id) {
                Some(step) => {
                    let landed = self.has_landed();
                    Ok(self.step(step)?.of_step(step, landed))
                }
                None => Ok(Flow::DONE),
            },
            UnitKind::Rollback => self.rollback(part, &id),
            UnitKind::Wait => {
                if let Some(gradual) = &self.phase.gradual {
                    let pauses = gradual.steps.saturating_sub(1).max(1);
                    self.engine.clock.wait(gradual.over.0 / pauses);
                }
                Ok(Flow::DONE)
            }
            UnitKind::Verify => Ok(Flow::of_check(&id, &self.check_live(&id)?, Flow::Failed)),
            UnitKind::Publish => self.publish(),
            UnitKind::Soak => self.soak(),
            UnitKind::Branch => self.start_branch(),
            // It is done when it is asked for, and then written down at once.
            UnitKind::Followup => Ok(Flow::DONE),
        }
    }

    fn due_message(&mut self, message: &Message) -> Result<Flow> {
        if message.on == Occasion::Complete
            && let Some(failed) = self.state.failures().next()
        {
            return Ok(Flow::Skipped(format!("it is not complete: '{}' failed", failed.id)));
        }
        self.message(message)
    }

    fn due_evidence(&mut self, evidence: &Evidence) -> Result<Flow> {
        Ok(match self.evidence(evidence)? {
            Some(missing) if !evidence.optional && evidence.run.is_empty() => Flow::Failed(missing),
            missing => Flow::Done(missing),
        })
    }

    /// Watches until the time is over or a check no longer passes.
    fn soak(&mut self) -> Result<Flow> {
        let soak = self.phase.soak.clone().or_else(|| self.procedure.document.soak.clone());
        let Some(soak) = soak else { return Ok(Flow::DONE) };
        let end = self.elapsed().0 + soak.lasting.0;
        let every =
            soak.every.map_or(soak.lasting.0 / 10, |every| every.0).max(std::time::Duration::from_secs(1));
        while self.elapsed().0 < end {
            self.engine.clock.wait(every);
            self.tell_how_it_goes()?;
            for check in &soak.checks {
                let verdict = self.check_live(check)?;
                if matches!(verdict.outcome, Outcome::Fail | Outcome::Error) {
                    return Ok(Flow::Failed(format!("{check} after {}: {verdict}", self.elapsed())));
                }
            }
        }
        Ok(Flow::Done(Some(format!("calm for {}", soak.lasting))))
    }

    fn has_landed(&self) -> bool {
        let changes = self.phase.says_what_to_change();
        // A rung that is a program of its own lands no commit.
        let rolled_back = |unit: &Unit| unit.kind == UnitKind::Rollback && unit.state == UnitState::Done;
        !self.state.commits.is_empty()
            || self.state.units.iter().any(rolled_back)
            || !changes && !self.state.outside_effects.is_empty()
    }

    fn precheck(&mut self, id: &str) -> Result<Flow> {
        if let Some(condition) = super::purpose::condition(self.procedure, id)
            && !self.state.purpose.is_rollback()
        {
            return self.confirmation(id, condition);
        }
        let row = self.procedure.document.precheck.iter().find(|row| row.id == id);
        match row.map(Precheck::demand) {
            Some(Ok(Demand::Confirmed(question))) => self.confirmation(id, question),
            Some(Ok(Demand::Checked(check))) => {
                let failed = |why| Flow::End(Ending::ChecksFailed, why);
                Ok(Flow::of_check(check, &self.check_live(check)?, failed))
            }
            Some(Ok(Demand::Done(step))) => match self.procedure.step(step) {
                Some(step) => Ok(self.step(step)?.of_step(step, false)),
                None => Ok(Flow::DONE),
            },
            _ => Ok(Flow::DONE),
        }
    }

    /// Waits until a person has confirmed what is asked.
    pub(super) fn confirmation(&self, id: &str, question: &str) -> Result<Flow> {
        Ok(match self.is_confirmed(id) {
            true => Flow::Done(Some("confirmed".into())),
            false => Flow::Pause(Pause::new(id, self.words(question)?)),
        })
    }

    fn checkpoint(&mut self) -> Result<Flow> {
        let Some(checkpoint) = &self.procedure.document.checkpoint else { return Ok(Flow::DONE) };
        let name = self.words(&checkpoint.name)?;
        let outside = checkpoint.outside.iter().map(|path| Ok(self.expanded(&self.words(path)?)));
        let outside = outside.collect::<Result<Vec<_>>>()?;
        let repo = self.engine.repo;
        let options = CheckpointOptions::at(self.state.tip).with_outside(outside).following();
        let made = repo.create_checkpoint(&self.procedure.id, &name, &options)?;
        repo.verify_checkpoint(&made, checkpoint.deep)?.sound(&made)?;
        self.state.checkpoint = Some(name.clone());
        Ok(Flow::Done(Some(name)))
    }

    /// A backup that was not verified is none.
    fn backup(&mut self) -> Result<Flow> {
        let Some(backup) = &self.procedure.document.backup else { return Ok(Flow::DONE) };
        let Some(step) = self.procedure.step(&backup.step) else { return Ok(Flow::DONE) };
        let failed = |why: String| match backup.required {
            true => Flow::End(Ending::StepFailed, format!("there is no usable backup: {why}")),
            false => Flow::Failed(why),
        };
        match self.step(step)? {
            Flow::Done(_) => {}
            Flow::Failed(why) => return Ok(failed(why)),
            other => return Ok(other),
        }
        let verdict = self.check_live(&backup.verify)?;
        Ok(if verdict.outcome == Outcome::Pass { Flow::DONE } else { failed(verdict.to_string()) })
    }
}
