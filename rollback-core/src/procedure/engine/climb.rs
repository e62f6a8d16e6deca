//! Climbing the ladder: each rung becomes a candidate, each candidate is checked, and one that passes lands.
//!
//! A rung that is not taken says why; what discards later changes needs consent. Nothing lands unchecked. A run and a
//! look ahead at it climb alike, each with a [`Climber`] of its own.

use std::ops::ControlFlow;

use super::candidate::{Candidate, Stop, Tried};
use super::drive::Flow;
use super::event::{Event, On};
use super::ports::Content;
use super::state::{Ending, Part, Pause, RungTried, Unit, UnitKind, UnitState};
use super::{EngineError, Result, Run};
use crate::error::{Error, LandingError};
use crate::procedure::check::Outcome;
use crate::procedure::format::{Check, Expect, Reason, Rung, Subject};
use crate::receipt::OutcomeKind;

/// What tells a run that climbs from a look ahead at it.
pub(super) trait Climber {
    /// Makes a candidate of a rung, or of the edits alone.
    fn attempt(&mut self, run: &mut Run<'_>, rung: Option<&Rung>) -> Result<Tried>;

    /// Ends the climb at a rung that came to no candidate and has no rung after it.
    fn stop(&mut self, run: &mut Run<'_>, rung: Option<&Rung>, tried: RungTried, stop: Stop) -> Result<Flow>;

    /// Checks a candidate and takes it.
    fn take(&mut self, run: &mut Run<'_>, tried: RungTried, candidate: Candidate) -> Result<Rungs>;
}

/// Where climbing goes after a rung: to an end, or to the next one.
pub(super) type Rungs = ControlFlow<Climbed, Fall>;

/// How a climb ends.
pub(super) enum Climbed {
    Flow(Flow),
    Refused(EngineError),
}

/// Why a rung was not taken. The next one is tried whose `when` has the reason.
pub(super) struct Fall {
    reason: Reason,
    why: String,
}

/// Carries a run out: candidates are checked, and one that passes lands.
struct Landing<'a> {
    part: Option<Part>,
    /// The unit that the run is at.
    id: &'a str,
}

impl Climber for Landing<'_> {
    fn attempt(&mut self, run: &mut Run<'_>, rung: Option<&Rung>) -> Result<Tried> {
        run.attempt(rung, self.part.map_or(1.0, Part::progress))
    }

    fn stop(&mut self, run: &mut Run<'_>, rung: Option<&Rung>, tried: RungTried, stop: Stop) -> Result<Flow> {
        match stop {
            Stop::NothingToDo(why) if self.part.is_some() => Ok(Flow::Skipped(why)),
            Stop::NothingToDo(why) => Ok(Flow::End(Ending::NothingToDo, why)),
            Stop::Paused(pause) => Ok(Flow::Pause(pause)),
            Stop::Command(command) => run.command_rung(&command, rung, tried),
        }
    }

    fn take(&mut self, run: &mut Run<'_>, tried: RungTried, candidate: Candidate) -> Result<Rungs> {
        match run.validate(&candidate)? {
            None => {}
            Some(Judged::Failed(why)) => {
                let fall = Fall { reason: Reason::ValidationFailed, why };
                return Ok(ControlFlow::Continue(run.fell(tried, fall)));
            }
            Some(Judged::Doubt(check, why)) => {
                // Manual edits stay: only a candidate without them is made anew.
                let kept = run.state.candidate.is_some();
                let folder = kept.then(|| candidate.scratch.folder().to_owned());
                let pause = Pause { folder, ..Pause::new(check, why) };
                return Ok(ControlFlow::Break(Climbed::Flow(Flow::Pause(pause))));
            }
        }
        run.remember(RungTried { taken: true, ..tried });
        run.land(candidate, self.id).map(|flow| ControlFlow::Break(Climbed::Flow(flow)))
    }
}

impl Run<'_> {
    /// Climbs the ladder until a candidate passes, and lands it.
    pub(super) fn rollback(&mut self, part: Option<Part>, id: &str) -> Result<Flow> {
        match self.climb(&mut Landing { part, id })? {
            Climbed::Flow(flow) => Ok(flow),
            Climbed::Refused(error) => Err(error),
        }
    }

    /// Tries the rungs that are eligible, one after the other, until one ends the climb.
    pub(super) fn climb(&mut self, climber: &mut dyn Climber) -> Result<Climbed> {
        let ladder = self.phase.ladder.clone();
        if ladder.is_empty() {
            return Ok(match self.try_rung(climber, 0, None)? {
                ControlFlow::Continue(fall) => Climbed::Flow(Flow::End(Ending::ChecksFailed, fall.why)),
                ControlFlow::Break(climbed) => climbed,
            });
        }
        let (first, mut reasons) = self.begin_of(&ladder);
        self.state.rung = first;
        let mut last = "no rung of the ladder was eligible".to_owned();
        for (at, rung) in ladder.iter().enumerate().skip(first) {
            if !rung.is_eligible(at, &reasons) {
                continue;
            }
            self.state.rung = at;
            let Fall { reason, why } = match self.try_rung(climber, at + 1, Some(rung))? {
                ControlFlow::Continue(fall) => fall,
                ControlFlow::Break(climbed) => return Ok(climbed),
            };
            // The files stay where a person edited them; the next rung has a candidate of its own.
            self.state.candidate = None;
            reasons.push(reason);
            last = why;
        }
        let failed = reasons.contains(&Reason::ValidationFailed);
        let ending = if failed { Ending::ChecksFailed } else { Ending::NoRung };
        Ok(Climbed::Flow(Flow::End(ending, last)))
    }

    fn try_rung(&mut self, climber: &mut dyn Climber, at: usize, rung: Option<&Rung>) -> Result<Rungs> {
        let mut tried = RungTried::new(at, rung);
        let result = match rung.and_then(|rung| self.missing_approval(rung)) {
            Some(pause) => Tried::Stopped(Stop::Paused(pause)),
            None => climber.attempt(self, rung)?,
        };
        let candidate = match result {
            Tried::Candidate(candidate) => candidate,
            Tried::Fell { reason, why } => {
                return Ok(ControlFlow::Continue(self.fell(tried, Fall { reason, why })));
            }
            Tried::Stopped(stop) => {
                let flow = climber.stop(self, rung, tried, stop)?;
                return Ok(ControlFlow::Break(Climbed::Flow(flow)));
            }
        };
        tried.describe(&candidate);
        if !candidate.discards.is_empty() && !self.request.allow_loss {
            tried.why = "it discards later changes, and that was not permitted".into();
            let (discards, paths) = (candidate.discards.clone(), tried.paths.clone());
            self.remember(tried);
            let refusal = Error::from(LandingError::LossNotAllowed { discards, paths, renamed: Vec::new() });
            return Ok(ControlFlow::Break(Climbed::Refused(refusal.into())));
        }
        tried.why = rung.and_then(|rung| rung.title.clone()).unwrap_or_else(|| "its checks pass".into());
        climber.take(self, tried, *candidate)
    }

    fn fell(&mut self, tried: RungTried, fall: Fall) -> Fall {
        self.remember(RungTried { reason: Some(fall.reason), why: fall.why.clone(), ..tried });
        fall
    }

    /// The place in the ladder where climbing begins or goes on, and the reasons that have been given so far.
    fn begin_of(&self, ladder: &[Rung]) -> (usize, Vec<Reason>) {
        let by_hand = self.request.by_hand.then_some(Reason::Manual);
        let reasons = self.state.rungs.iter().filter_map(|rung| rung.reason).chain(by_hand).collect();
        let is_manual = |rung: &Rung| by_hand.is_some_and(|manual| rung.when.contains(&manual));
        let first = match self.state.rung {
            0 => ladder.iter().position(is_manual).unwrap_or(0),
            at => at,
        };
        (first, reasons)
    }

    /// Which rung it comes to is not known at the start: its approval can be brought later.
    fn missing_approval(&self, rung: &Rung) -> Option<Pause> {
        let error = self.refuse_unapproved_rung(rung).err()?;
        let role = rung.approval.clone()?;
        let pause = Pause::new(format!("approval of {role}"), error.to_string());
        Some(Pause { approval: Some(role), ..pause })
    }

    pub(super) fn refuse_unapproved_rung(&self, rung: &Rung) -> Result<()> {
        let Some(role) = &rung.approval else { return Ok(()) };
        self.refuse_unapproved(rung.title.as_deref().unwrap_or("the rung"), role)
    }

    pub(super) fn remember(&mut self, tried: RungTried) {
        self.observer.event(&Event::Rung(&tried));
        self.state.rungs.push(tried);
    }

    fn validate(&mut self, candidate: &Candidate) -> Result<Option<Judged>> {
        let checks = self.cheapest_first(&self.phase.validate);
        self.control_first()?;
        let each = self.phase.validate_each.clone();
        let steps = candidate.plan.chosen_attempt().map_or(0, |attempt| attempt.steps.len());
        for at in (0..steps).filter(|_| !each.is_empty() && steps > 1) {
            let scratch = self.engine.repo.files_of(Content::Step(&candidate.plan, at))?;
            self.link(&*scratch)?;
            if let Some(judged) = self.judge(&each, scratch.folder())? {
                return Ok(Some(judged));
            }
        }
        self.judge(&checks, candidate.scratch.folder())
    }

    /// The checks that only look at files and figures before those that start programs, and questions at the end.
    fn cheapest_first(&self, ids: &[String]) -> Vec<String> {
        let cost = |id: &String| match self.procedure.check(id).map(Check::subject) {
            Some(Ok(Subject::Question(_))) => 2,
            Some(Ok(Subject::Program(_) | Subject::Metric(_))) => 1,
            _ => 0,
        };
        let mut ids = ids.to_vec();
        ids.sort_by_key(cost);
        ids
    }

    /// The first thing that stands in the way, if anything does. What fails decides; a doubt waits for the rest.
    fn judge(&mut self, checks: &[String], folder: &std::path::Path) -> Result<Option<Judged>> {
        let mut doubt = None;
        for id in checks {
            let verdict = self.check(id, On::Candidate, folder)?;
            if verdict.outcome == Outcome::Inconclusive {
                doubt = Some(Judged::Doubt(id.clone(), verdict.to_string()));
            } else if verdict.blocks() {
                return Ok(Some(Judged::Failed(format!("{id}: {verdict}"))));
            }
            if doubt.is_some() && self.phase.fail_fast == Some(true) {
                break;
            }
        }
        Ok(doubt)
    }

    /// Whether a check also runs on the tip as it is, at this time.
    pub(super) fn is_controlled(&self, id: &str, when: Controlled) -> bool {
        let known = self.state.verdicts.get(id).is_some_and(|verdicts| verdicts.contains_key(&On::Control));
        let Some(check) = self.procedure.check(id).filter(|check| check.ask.is_none() && !known) else {
            return false;
        };
        check.control.or(self.phase.control).unwrap_or(when == Controlled::AfterFailure)
    }

    /// Runs the checks that are to show red before green, where they lie in the place of the candidate, whose files are
    /// put there after them: what is the same is written once.
    pub(super) fn control_in_place(&mut self) -> Result<()> {
        if self.first_controls().iter().any(|id| self.needs_files(id)) {
            let files = self.engine.repo.place_files(&self.state.id, None, self.present_tip())?;
            self.link(&*files)?;
            self.tip_files = Some(files);
            self.control_first()?;
            self.tip_files = None;
        }
        Ok(())
    }

    /// Runs the checks that are to show red before green and have not run yet.
    fn control_first(&mut self) -> Result<()> {
        self.first_controls().iter().try_for_each(|id| self.control(id))
    }

    fn first_controls(&self) -> Vec<String> {
        let checks = self.cheapest_first(&self.phase.validate).into_iter();
        checks.filter(|id| self.is_controlled(id, Controlled::First)).collect()
    }

    /// Runs a check on the tip as it is. Its files are brought together once a run, and only for checks that need them.
    pub(super) fn control(&mut self, id: &str) -> Result<()> {
        let folder = match self.tip_files.take() {
            Some(scratch) => self.tip_files.insert(scratch).folder().to_owned(),
            None if self.needs_files(id) => {
                let scratch = self.engine.repo.files_of(Content::Commit(self.present_tip()))?;
                self.link(&*scratch)?;
                self.tip_files.insert(scratch).folder().to_owned()
            }
            None => self.engine.place(),
        };
        self.check(id, On::Control, &folder).map(drop)
    }

    fn needs_files(&self, id: &str) -> bool {
        let subject = self.procedure.check(id).map(Check::subject);
        matches!(subject, Some(Ok(Subject::Program(_) | Subject::File(_))))
    }

    fn land(&mut self, mut candidate: Candidate, id: &str) -> Result<Flow> {
        if let Some((text, Some(path))) = self.own_report()? {
            self.add_file(&mut candidate, &path, &text)?;
        }
        self.refuse_moved(self.present_tip())?;
        let plan = serde_json::to_vec_pretty(&candidate.plan)
            .map_err(|error| Error::internal("the plan cannot be written", error))?;
        self.record.plan = Some(plan);
        // Written down before the branch moves: after a crash the commit on the branch says that it has.
        self.save(&format!("{id} landing"))?;
        let landed = self.engine.repo.apply(candidate.plan, &self.landing_options()?)?.outcome;
        match landed.kind {
            OutcomeKind::Committed => {}
            OutcomeKind::NothingToDo => {
                return Ok(Flow::End(Ending::NothingToDo, "the branch holds this result".into()));
            }
            _ => return Ok(Flow::End(Ending::NoRung, "nothing landed".into())),
        }
        self.state.commits.extend(&landed.commit_ids);
        self.tip_files = None;
        self.state.operations.extend(landed.operation_id);
        self.state.landed_on.clone_from(&landed.reference);
        // All of it is in the commit now.
        self.state.candidate = None;
        let reference = landed.reference.unwrap_or_default();
        self.observer.event(&Event::Landed { commits: &landed.commit_ids, reference: &reference });
        Ok(match landed.later_failure {
            Some(failure) => Flow::Failed(failure),
            None => Flow::Done(Some(format!("landed on {reference}"))),
        })
    }

    /// A rung that an outside program carries out.
    fn command_rung(&mut self, run: &[String], rung: Option<&Rung>, mut tried: RungTried) -> Result<Flow> {
        let secrets = rung.map_or(&[][..], |rung| &rung.secrets);
        let command = self.live_command(run, secrets, None)?;
        let run = command.arguments().to_vec();
        self.refuse_foreign_script(&run, command.folder())?;
        // It changes what git does not know: after a crash a person says whether it runs again.
        let started = |unit: &&mut Unit| unit.kind == UnitKind::Rollback && unit.state == UnitState::Started;
        self.state.units.iter_mut().filter(started).for_each(|unit| unit.repeatable = false);
        self.save("command rung started")?;
        let verdict = self.judged("rung", "rung", command, &Expect::default(), None)?;
        tried.taken = verdict.outcome == Outcome::Pass;
        tried.why = if tried.taken { format!("{} has done it", run[0]) } else { verdict.to_string() };
        self.remember(tried);
        self.state.outside_effects.push(self.shown(&run));
        Ok(match verdict.outcome {
            Outcome::Pass => Flow::Done(Some("carried out by an outside program".into())),
            _ => Flow::End(Ending::StepFailed, verdict.to_string()),
        })
    }
}

impl RungTried {
    pub(super) fn new(at: usize, rung: Option<&Rung>) -> Self {
        Self { at, kind: rung.map(|rung| rung.kind), ..Self::default() }
    }

    /// Says what a candidate touches and what that costs.
    pub(super) fn describe(&mut self, candidate: &Candidate) {
        if let Some(attempt) = candidate.plan.chosen_attempt() {
            self.paths.clone_from(&attempt.paths_touched);
            self.loss = Some(candidate.loss());
        }
        self.discards.clone_from(&candidate.discards);
    }
}

impl Rung {
    /// Whether a rung at this place, counted from 0, may be tried after these reasons.
    pub(super) fn is_eligible(&self, at: usize, reasons: &[Reason]) -> bool {
        at == 0 && !self.when.contains(&Reason::Manual)
            || self.when.iter().any(|reason| reasons.contains(reason))
    }
}

/// When a check runs on the tip as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Controlled {
    /// Before the candidate, because the procedure wants to show red before green.
    First,
    /// Once it failed on the candidate.
    AfterFailure,
}

/// What stands in the way of a candidate.
enum Judged {
    Failed(String),
    Doubt(String, String),
}
