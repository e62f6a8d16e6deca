//! Working off the units of a run, each written down before and after.

use super::candidate::{Candidate, Tried};
use super::event::{Event, On};
use super::state::{Ending, Pause, RunStatus, RungTried, UnitKind, UnitState};
use super::steps::Stepped;
use super::{EngineError, Result, Resumption, Run};
use crate::checkpoint::CheckpointOptions;
use crate::plan::{Plan, PlanOptions};
use crate::procedure::check::{Outcome, Verdict};
use crate::procedure::format::{EvidenceTime, Occasion, Reason, Rung, RungKind};
use crate::receipt::{Destination, OutcomeKind};
use crate::scratch::Scratch;

/// How a unit ended.
enum Flow {
    Done(Option<String>),
    Skipped(String),
    /// The run goes on and the report says so.
    Failed(String),
    Pause(Pause),
    End(Ending, String),
}

impl Run<'_> {
    /// Works off what is left.
    pub(super) fn drive(&mut self) -> Result<()> {
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
            self.warn_of_overrun();
            self.tell_how_it_goes()?;
            self.begin(at)?;
            let flow = self.unit(at);
            let flow = match flow {
                Ok(flow) => flow,
                Err(error) => {
                    // What was refused changed nothing: the unit is as if it had not begun.
                    self.state.units[at].state = UnitState::Pending;
                    self.finish_with_error(at)?;
                    return Err(error);
                }
            };
            if self.end(at, flow)? {
                return if self.state.status == RunStatus::Failed { self.after_failure() } else { Ok(()) };
            }
        }
        self.complete()
    }

    fn begin(&mut self, at: usize) -> Result<()> {
        let now = self.engine.clock.now();
        let unit = &mut self.state.units[at];
        unit.state = UnitState::Started;
        unit.started = Some(now);
        let (kind, id) = (unit.kind, unit.id.clone());
        self.observer.event(&Event::Started { at: at + 1, kind, id: &id });
        // What only reads is repeated after a crash anyway: its beginning need not be on the disk.
        if self.state.units[at].repeatable && kind != UnitKind::Rollback {
            Ok(())
        } else {
            self.save(&format!("{id} started"))
        }
    }

    /// Writes down how a unit ended; whether the run stops here.
    fn end(&mut self, at: usize, flow: Flow) -> Result<bool> {
        let now = self.engine.clock.now();
        let unit = &mut self.state.units[at];
        unit.ended = Some(now);
        let id = unit.id.clone();
        let (state, note, stop) = match flow {
            Flow::Done(note) => (UnitState::Done, note, None),
            Flow::Skipped(why) => (UnitState::Skipped, Some(why), None),
            Flow::Failed(why) => (UnitState::Failed, Some(why), None),
            Flow::Pause(pause) => {
                self.state.status = RunStatus::Paused;
                self.state.ending = Some(Ending::Paused);
                self.observer.event(&Event::Paused(&pause));
                let why = pause.why.clone();
                self.state.pause = Some(pause);
                (UnitState::Pending, Some(why), Some("paused"))
            }
            Flow::End(ending, why) => {
                self.state.status = match ending {
                    Ending::NothingToDo => RunStatus::NothingToDo,
                    _ => RunStatus::Failed,
                };
                self.state.ending = Some(ending);
                self.state.finished = Some(now);
                let state =
                    if ending == Ending::NothingToDo { UnitState::Skipped } else { UnitState::Failed };
                (state, Some(why), Some("ended"))
            }
        };
        let unit = &mut self.state.units[at];
        unit.state = state;
        unit.note = note;
        self.observer.event(&Event::Ended {
            at: at + 1,
            id: &id,
            note: self.state.units[at].note.as_deref(),
        });
        self.save(&format!("{id} {}", stop.unwrap_or("done")))?;
        Ok(stop.is_some())
    }

    fn finish_with_error(&mut self, at: usize) -> Result<()> {
        let landed = !self.state.commits.is_empty() || !self.state.outside_effects.is_empty();
        if landed {
            self.state.status = RunStatus::Paused;
            self.state.ending = Some(Ending::LandedButFailed);
        } else {
            self.state.status = RunStatus::Failed;
            self.state.finished = Some(self.engine.clock.now());
        }
        let id = self.state.units[at].id.clone();
        self.save(&format!("{id} refused"))
    }

    fn complete(&mut self) -> Result<()> {
        self.state.finished = Some(self.engine.clock.now());
        self.warn_of_overrun();
        let failed = self
            .state
            .units
            .iter()
            .any(|unit| unit.state == UnitState::Failed && unit.kind != UnitKind::Evidence);
        self.state.status = RunStatus::Complete;
        self.state.ending = Some(if failed { Ending::LandedButFailed } else { Ending::Done });
        let report = super::report::markdown(self.procedure, &self.state);
        let report = self.redactor.redact_str(&report);
        self.keep("report.md", report.as_bytes())?;
        self.save("complete")
    }

    pub(super) fn save(&mut self, message: &str) -> Result<()> {
        self.record = Some(self.state.write(self.engine.repo, self.record, message)?);
        Ok(())
    }

    /// Says that it failed, and keeps what is to be kept then.
    fn after_failure(&mut self) -> Result<()> {
        let document = &self.procedure.document;
        for message in document.message.iter().filter(|message| message.on == Occasion::Failed) {
            self.message(message)?;
        }
        for evidence in document.evidence.iter().filter(|evidence| evidence.when == EvidenceTime::Failure) {
            if self.phase.evidence.contains(&evidence.id) {
                self.evidence(evidence)?;
            }
        }
        self.save("failure told")
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

    fn warn_of_overrun(&mut self) {
        if let Some(rto) = self.state.rto
            && !self.overrun
            && self.elapsed() > rto
        {
            self.overrun = true;
            self.observer.event(&Event::Overrun { what: "the run", budget: rto });
        }
    }

    /// Brings a run that was cut off or paused back to where it can go on.
    pub(super) fn take_up(&mut self, how: &Resumption) -> Result<()> {
        self.state.confirmed.extend(how.confirmed.iter().cloned());
        self.state.approvals.extend(how.request.approvals.iter().cloned());
        self.find_landing()?;
        if self.state.commits.is_empty() {
            let tip = self.engine.repo.plan_tip(&PlanOptions::default())?;
            if tip.commit_id != self.state.tip {
                let (reference, expected) = (self.state.reference.clone(), self.state.tip);
                return Err(EngineError::Moved { reference, expected, found: tip.commit_id });
            }
        }
        for unit in &mut self.state.units {
            if unit.state != UnitState::Started {
                continue;
            }
            unit.state = match (unit.repeatable, how.retry, how.mark_done) {
                (_, _, true) => UnitState::Done,
                (true, ..) | (_, true, _) => UnitState::Pending,
                _ => return Err(EngineError::CutOff { unit: unit.id.clone() }),
            };
        }
        if let Some(pause) = self.state.pause.take() {
            self.reopened = pause.folder;
            if how.mark_done {
                self.state.confirmed.push(pause.at);
            }
        }
        self.state.status = RunStatus::Running;
        self.state.ending = None;
        self.save("resumed")
    }

    /// A run that died between landing and writing it down has landed: its commit names it.
    fn find_landing(&mut self) -> Result<()> {
        let repo = self.engine.repo;
        let Some(at) = self
            .state
            .units
            .iter()
            .position(|unit| unit.kind == UnitKind::Rollback && unit.state == UnitState::Started)
        else {
            return Ok(());
        };
        let reference = match self.branch()? {
            Some(branch) => format!("refs/heads/{branch}"),
            None => self.state.reference.clone(),
        };
        let Ok(head) = repo.resolve_commit(&reference) else { return Ok(()) };
        let trailer = format!("Rollback-Run: {}", self.state.id);
        let already = self.state.commits.contains(&head);
        if !already && repo.commit_message(head)?.lines().any(|line| line == trailer) {
            self.state.commits.push(head);
            self.state.landed_on = Some(reference);
            self.state.units[at].state = UnitState::Done;
        }
        Ok(())
    }

    fn unit(&mut self, at: usize) -> Result<Flow> {
        let (kind, id) = (self.state.units[at].kind, self.state.units[at].id.clone());
        let work_dir = self.engine.repo.work_dir().unwrap_or(self.engine.repo.git_dir()).to_owned();
        let document = &self.procedure.document;
        match kind {
            UnitKind::Message => {
                let message = document.message.iter().find(|message| message.id == id).cloned();
                message.map_or(Ok(Flow::Done(None)), |message| self.message(&message).map(of_a_step))
            }
            UnitKind::Precheck => self.precheck(&id),
            UnitKind::Checkpoint => self.checkpoint(),
            UnitKind::Backup => self.backup(),
            UnitKind::Evidence => {
                let Some(evidence) = document.evidence.iter().find(|evidence| evidence.id == id).cloned()
                else {
                    return Ok(Flow::Done(None));
                };
                match self.evidence(&evidence)? {
                    None => Ok(Flow::Done(None)),
                    Some(missing) if evidence.optional || !evidence.run.is_empty() => {
                        Ok(Flow::Done(Some(missing)))
                    }
                    Some(missing) => Ok(Flow::Failed(missing)),
                }
            }
            UnitKind::Step => {
                let Some(step) = self.procedure.step(&id).cloned() else { return Ok(Flow::Done(None)) };
                let landed = self.has_landed();
                Ok(match self.step(&step)? {
                    Stepped::Done(note) => Flow::Done(note),
                    Stepped::Failed(why) if step.optional => Flow::Skipped(why),
                    Stepped::Failed(why) if landed => Flow::Failed(why),
                    Stepped::Failed(why) => Flow::End(Ending::StepFailed, why),
                    Stepped::Manual(why) => Flow::Pause(Pause { at: id, why, folder: None }),
                })
            }
            UnitKind::Rollback => self.rollback(&id),
            UnitKind::Wait => {
                if let Some(gradual) = &self.phase.gradual {
                    let pauses = gradual.steps.saturating_sub(1).max(1);
                    self.engine.clock.wait(gradual.over.0 / pauses);
                }
                Ok(Flow::Done(None))
            }
            UnitKind::Verify => {
                let verdict = self.check(&id, On::Live, &work_dir)?;
                Ok(match verdict.outcome {
                    Outcome::Pass | Outcome::Skip => Flow::Done(None),
                    Outcome::Inconclusive => {
                        Flow::Pause(Pause { at: id, why: verdict.to_string(), folder: None })
                    }
                    Outcome::Fail | Outcome::Error => Flow::Failed(verdict.to_string()),
                })
            }
            UnitKind::Publish => self.publish().map(of_a_step),
            UnitKind::Soak => self.soak(&work_dir),
        }
    }

    /// Watches until the time is over or a check no longer passes.
    fn soak(&mut self, folder: &std::path::Path) -> Result<Flow> {
        let soak = self.phase.soak.clone().or_else(|| self.procedure.document.soak.clone());
        let Some(soak) = soak else { return Ok(Flow::Done(None)) };
        let end = self.elapsed().0 + soak.lasting.0;
        let every =
            soak.every.map_or(soak.lasting.0 / 10, |every| every.0).max(std::time::Duration::from_secs(1));
        while self.elapsed().0 < end {
            self.engine.clock.wait(every);
            self.tell_how_it_goes()?;
            for check in &soak.checks {
                let verdict = self.check(check, On::Live, folder)?;
                if matches!(verdict.outcome, Outcome::Fail | Outcome::Error) {
                    return Ok(Flow::Failed(format!("{check} after {}: {verdict}", self.elapsed())));
                }
            }
        }
        Ok(Flow::Done(Some(format!("calm for {}", soak.lasting))))
    }

    /// Publishes a run that has ended, and writes down how that went.
    pub(super) fn publish_again(&mut self) -> Result<()> {
        let stepped = self.publish()?;
        let now = self.engine.clock.now();
        let mut unit = super::state::Unit::new(UnitKind::Publish, "publish", false);
        unit.started = Some(now);
        unit.ended = Some(now);
        match stepped {
            Stepped::Done(note) => {
                unit.state = UnitState::Done;
                unit.note = note;
            }
            Stepped::Failed(why) | Stepped::Manual(why) => {
                unit.state = UnitState::Failed;
                unit.note = Some(why);
            }
        }
        let failed = unit.state == UnitState::Failed;
        self.state.units.retain(|other| other.kind != UnitKind::Publish);
        self.state.units.push(unit);
        self.state.ending = Some(if failed { Ending::LandedButFailed } else { Ending::Done });
        self.save("published")
    }

    fn has_landed(&self) -> bool {
        let changes = self.phase.says_what_to_change();
        !self.state.commits.is_empty() || !changes && !self.state.outside_effects.is_empty()
    }

    fn precheck(&mut self, id: &str) -> Result<Flow> {
        let Some(precheck) = self.procedure.document.precheck.iter().find(|row| row.id == id).cloned() else {
            return Ok(Flow::Done(None));
        };
        if let Some(question) = &precheck.ask {
            return Ok(match self.is_confirmed(id) {
                true => Flow::Done(Some("confirmed".into())),
                false => Flow::Pause(Pause { at: id.to_owned(), why: self.words(question)?, folder: None }),
            });
        }
        if let Some(check) = &precheck.check {
            let folder = self.engine.repo.work_dir().unwrap_or(self.engine.repo.git_dir()).to_owned();
            let verdict = self.check(check, On::Live, &folder)?;
            return Ok(match verdict.outcome {
                Outcome::Pass | Outcome::Skip => Flow::Done(None),
                Outcome::Inconclusive => {
                    Flow::Pause(Pause { at: check.clone(), why: verdict.to_string(), folder: None })
                }
                _ => Flow::End(Ending::ChecksFailed, verdict.to_string()),
            });
        }
        match precheck.step.as_ref().and_then(|step| self.procedure.step(step)).cloned() {
            Some(step) => Ok(match self.step(&step)? {
                Stepped::Done(note) => Flow::Done(note),
                Stepped::Failed(why) if step.optional => Flow::Skipped(why),
                Stepped::Failed(why) => Flow::End(Ending::StepFailed, why),
                Stepped::Manual(why) => Flow::Pause(Pause { at: id.to_owned(), why, folder: None }),
            }),
            None => Ok(Flow::Done(None)),
        }
    }

    fn checkpoint(&mut self) -> Result<Flow> {
        let Some(checkpoint) = self.procedure.document.checkpoint.clone() else {
            return Ok(Flow::Done(None));
        };
        let name = self.words(&checkpoint.name)?;
        let mut outside = Vec::new();
        for path in &checkpoint.outside {
            outside.push(self.expanded(&self.words(path)?));
        }
        let repo = self.engine.repo;
        let options = CheckpointOptions::at(self.state.tip).with_outside(outside).following();
        let made = repo.create_checkpoint(&self.procedure.id, &name, &options)?;
        repo.verify_checkpoint(&made, checkpoint.deep)?.sound(&made)?;
        self.state.checkpoint = Some(name.clone());
        Ok(Flow::Done(Some(name)))
    }

    /// A backup that was not verified is none.
    fn backup(&mut self) -> Result<Flow> {
        let Some(backup) = self.procedure.document.backup.clone() else { return Ok(Flow::Done(None)) };
        let Some(step) = self.procedure.step(&backup.step).cloned() else { return Ok(Flow::Done(None)) };
        let failed = |why: String| match backup.required {
            true => Flow::End(Ending::StepFailed, format!("there is no usable backup: {why}")),
            false => Flow::Failed(why),
        };
        match self.step(&step)? {
            Stepped::Done(_) => {}
            Stepped::Failed(why) => return Ok(failed(why)),
            Stepped::Manual(why) => return Ok(Flow::Pause(Pause { at: step.id, why, folder: None })),
        }
        let folder = self.engine.repo.work_dir().unwrap_or(self.engine.repo.git_dir()).to_owned();
        let verdict = self.check(&backup.verify, On::Live, &folder)?;
        Ok(if verdict.outcome == Outcome::Pass { Flow::Done(None) } else { failed(verdict.to_string()) })
    }

    /// Climbs the ladder until a candidate passes, and lands it.
    fn rollback(&mut self, id: &str) -> Result<Flow> {
        let progress = match id.split_once('/') {
            // Of what is left: the steps before have moved the present value already.
            Some((step, of)) => 1.0 / (1.0 + of.parse().unwrap_or(1.0) - step.parse().unwrap_or(1.0)),
            None => 1.0,
        };
        let ladder = self.phase.ladder.clone();
        if ladder.is_empty() {
            return Ok(match self.try_and_land(0, None, progress, id)? {
                Climbed::Flow(flow) => flow,
                // Part of the way can be where it is already.
                Climbed::Next(_, why) => Flow::End(Ending::ChecksFailed, why),
            });
        }
        let mut reasons: Vec<Reason> = self.state.rungs.iter().filter_map(|rung| rung.reason).collect();
        if self.request.by_hand && self.state.rung == 0 {
            reasons.push(Reason::Manual);
            let manual = ladder.iter().position(|rung| rung.when.contains(&Reason::Manual));
            self.state.rung = manual.unwrap_or(0);
        }
        let mut last = "no rung of the ladder was eligible".to_owned();
        for (at, rung) in ladder.iter().enumerate().skip(self.state.rung) {
            let eligible = at == 0 && !rung.when.contains(&Reason::Manual)
                || rung.when.iter().any(|reason| reasons.contains(reason));
            if !eligible {
                continue;
            }
            if self.state.rung != at {
                self.state.edits_done = 0;
            }
            self.state.rung = at;
            match self.try_and_land(at + 1, Some(rung), progress, id)? {
                Climbed::Flow(flow) => return Ok(flow),
                Climbed::Next(reason, why) => {
                    reasons.push(reason);
                    last = why;
                }
            }
        }
        let ending =
            if reasons.contains(&Reason::ValidationFailed) { Ending::ChecksFailed } else { Ending::NoRung };
        Ok(Flow::End(ending, last))
    }

    fn try_and_land(&mut self, at: usize, rung: Option<&Rung>, progress: f64, id: &str) -> Result<Climbed> {
        let mut tried = RungTried {
            at,
            kind: rung.map(|rung| rung.kind),
            taken: false,
            reason: None,
            why: String::new(),
            paths: Vec::new(),
            discards: Vec::new(),
        };
        let candidate = match self.attempt(rung, progress)? {
            Tried::Candidate(candidate) => candidate,
            Tried::NothingToDo(why) if progress < 1.0 || id.contains('/') => {
                return Ok(Climbed::Flow(Flow::Skipped(why)));
            }
            Tried::NothingToDo(why) => return Ok(Climbed::Flow(Flow::End(Ending::NothingToDo, why))),
            Tried::Paused(pause) => return Ok(Climbed::Flow(Flow::Pause(pause))),
            Tried::Command => return self.command_rung(rung, tried).map(Climbed::Flow),
            Tried::Fell { reason, why } => {
                tried.reason = Some(reason);
                tried.why.clone_from(&why);
                self.remember(tried);
                return Ok(Climbed::Next(reason, why));
            }
        };
        if let Some(attempt) = candidate.plan.chosen_attempt() {
            tried.paths.clone_from(&attempt.paths_touched);
        }
        tried.discards.clone_from(&candidate.discards);
        if !candidate.discards.is_empty() && !self.request.allow_loss {
            tried.why = "it discards later changes, and that was not permitted".into();
            let paths = tried.paths.clone();
            self.remember(tried);
            return Err(crate::Error::LossNotAllowed { discards: candidate.discards.clone(), paths }.into());
        }
        match self.validate(&candidate)? {
            Judged::Passed => {}
            Judged::Failed(why) => {
                tried.reason = Some(Reason::ValidationFailed);
                tried.why.clone_from(&why);
                self.remember(tried);
                return Ok(Climbed::Next(Reason::ValidationFailed, why));
            }
            Judged::Doubt(check, why) => {
                return Ok(Climbed::Flow(Flow::Pause(Pause { at: check, why, folder: None })));
            }
        }
        tried.taken = true;
        tried.why = rung.and_then(|rung| rung.title.clone()).unwrap_or_else(|| "its checks pass".into());
        self.remember(tried);
        self.land(*candidate, id).map(Climbed::Flow)
    }

    fn remember(&mut self, tried: RungTried) {
        self.observer.event(&Event::Rung(&tried));
        self.state.rungs.push(tried);
    }

    fn validate(&mut self, candidate: &Candidate) -> Result<Judged> {
        let checks = self.phase.validate.clone();
        self.control(&checks)?;
        let steps = candidate.plan.chosen_attempt().map_or(0, |attempt| attempt.steps.len());
        if !self.phase.validate_each.is_empty() && steps > 1 {
            for at in 0..steps {
                let mut scratch = Scratch::of_step(self.engine.repo, &candidate.plan, at)?;
                self.link(&mut scratch)?;
                let each = self.phase.validate_each.clone();
                if let Some(judged) = self.judge(&each, scratch.folder())? {
                    return Ok(judged);
                }
            }
        }
        let folder = candidate.scratch.folder().to_owned();
        Ok(self.judge(&checks, &folder)?.unwrap_or(Judged::Passed))
    }

    /// The first thing that stands in the way, if anything does. Without `fail_fast` every check is run first.
    fn judge(&mut self, checks: &[String], folder: &std::path::Path) -> Result<Option<Judged>> {
        let mut blocking: Option<(String, Verdict)> = None;
        for id in checks {
            let verdict = self.check(id, On::Candidate, folder)?;
            let worse = match &blocking {
                None => verdict.blocks(),
                Some((_, known)) => known.outcome == Outcome::Inconclusive && verdict.blocks(),
            };
            if worse {
                blocking = Some((id.clone(), verdict));
            }
            if blocking.is_some() && self.phase.fail_fast == Some(true) {
                break;
            }
        }
        Ok(blocking.map(|(id, verdict)| match verdict.outcome {
            Outcome::Inconclusive => Judged::Doubt(id, verdict.to_string()),
            _ => Judged::Failed(format!("{id}: {verdict}")),
        }))
    }

    /// Runs the same checks on the tip as it is, once a run.
    fn control(&mut self, checks: &[String]) -> Result<()> {
        let wanted: Vec<String> = checks
            .iter()
            .filter(|id| {
                let check = self.procedure.check(id);
                check.is_some_and(|check| check.ask.is_none() && check.control != Some(false))
                    && !self
                        .state
                        .verdicts
                        .get(*id)
                        .is_some_and(|verdicts| verdicts.contains_key(&On::Control))
            })
            .cloned()
            .collect();
        if wanted.is_empty() || self.phase.control == Some(false) || self.state.emergency {
            return Ok(());
        }
        let mut scratch = Scratch::of_commit(self.engine.repo, self.present_tip())?;
        self.link(&mut scratch)?;
        let folder = scratch.folder().to_owned();
        for id in wanted {
            self.check(&id, On::Control, &folder)?;
        }
        Ok(())
    }

    fn branch(&self) -> Result<Option<String>> {
        let branch = self.phase.branch.as_ref().or(self.procedure.document.branch.as_ref());
        branch.map(|branch| self.words(branch)).transpose()
    }

    fn land(&mut self, mut candidate: Candidate, id: &str) -> Result<Flow> {
        let report = self.phase.report.as_ref();
        let report = report
            .and_then(|id| self.procedure.document.report.iter().find(|report| report.id == *id))
            .cloned();
        if let Some(report) = report {
            let text = self.redactor.redact_str(self.words(&report.text)?.trim_start());
            self.keep(&format!("report/{}.md", report.id), text.as_bytes())?;
            if let Some(path) = &report.path {
                self.add_file(&mut candidate, path, &text)?;
            }
        }
        let tip = self.engine.repo.plan_tip(&PlanOptions::default())?;
        if tip.commit_id != self.present_tip() {
            let (reference, expected) = (self.state.reference.clone(), self.present_tip());
            return Err(EngineError::Moved { reference, expected, found: tip.commit_id });
        }
        // Written down before the branch moves: after a crash the commit on the branch says that it has.
        self.save(&format!("{id} landing"))?;
        let mut options = self.request.landing.clone();
        options.allow_loss = true;
        if let Some(branch) = self.branch()? {
            options.destination = Destination::Branch(branch);
        }
        let plan: Plan = candidate.plan;
        let receipt = self.engine.repo.apply(plan, &options)?;
        match receipt.outcome.kind {
            OutcomeKind::Committed => {
                self.state.commits.extend(&receipt.outcome.commit_ids);
                self.state.landed_on.clone_from(&receipt.outcome.reference);
                let reference = receipt.outcome.reference.unwrap_or_default();
                self.observer
                    .event(&Event::Landed { commits: &receipt.outcome.commit_ids, reference: &reference });
                Ok(match receipt.outcome.later_failure {
                    Some(failure) => Flow::Failed(failure),
                    None => Flow::Done(Some(format!("landed on {reference}"))),
                })
            }
            OutcomeKind::NothingToDo => {
                Ok(Flow::End(Ending::NothingToDo, "the branch holds this result".into()))
            }
            _ => Ok(Flow::End(Ending::NoRung, "nothing landed".into())),
        }
    }

    /// A rung that an outside program carries out.
    fn command_rung(&mut self, rung: Option<&Rung>, mut tried: RungTried) -> Result<Flow> {
        let Some(rung) = rung.filter(|rung| rung.kind == RungKind::Command) else {
            return Ok(Flow::Done(None));
        };
        if let Some(role) = &rung.approval
            && !self.state.approvals.iter().any(|(approved, _)| approved == role)
        {
            return Err(EngineError::Approval {
                what: rung.title.clone().unwrap_or_else(|| "the rung".into()),
                role: role.clone(),
            });
        }
        let folder = self.engine.repo.work_dir().unwrap_or(self.engine.repo.git_dir()).to_owned();
        let run = self.arguments(&rung.run)?;
        let command = self.command(&run, &folder, &Default::default(), &["GH_TOKEN".to_owned()], None)?;
        self.save("command rung started")?;
        let (verdict, _) = self.judged("rung", "rung", command, &Default::default(), None)?;
        tried.taken = verdict.outcome == Outcome::Pass;
        tried.why = if tried.taken { format!("{} has done it", run[0]) } else { verdict.to_string() };
        self.remember(tried);
        self.state.outside_effects.push(run.join(" "));
        Ok(match verdict.outcome {
            Outcome::Pass => Flow::Done(Some("carried out by an outside program".into())),
            _ => Flow::End(Ending::StepFailed, verdict.to_string()),
        })
    }
}

/// Where climbing goes after a rung.
enum Climbed {
    Flow(Flow),
    Next(Reason, String),
}

/// What the checks of a candidate say together.
enum Judged {
    Passed,
    Failed(String),
    Doubt(String, String),
}

fn of_a_step(stepped: Stepped) -> Flow {
    match stepped {
        Stepped::Done(note) => Flow::Done(note),
        Stepped::Failed(why) => Flow::Failed(why),
        Stepped::Manual(why) => Flow::Pause(Pause { at: "manual step".into(), why, folder: None }),
    }
}
