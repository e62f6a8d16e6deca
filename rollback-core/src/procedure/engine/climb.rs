//! Climbing the ladder: each rung becomes a candidate, each candidate is checked, and one that passes lands.
//!
//! A rung that is not taken says why; what discards later changes needs consent. Nothing lands unchecked.

use super::candidate::{Candidate, Tried};
use super::drive::Flow;
use super::event::{Event, On};
use super::state::{Ending, Part, Pause, RungTried, Unit, UnitKind, UnitState};
use super::{EngineError, Result, Run};
use crate::plan::{Plan, PlanOptions};
use crate::procedure::check::{Outcome, Verdict};
use crate::procedure::format::{Reason, Rung, RungKind};
use crate::receipt::{Destination, OutcomeKind};
use crate::scratch::Scratch;

impl Run<'_> {
    /// Climbs the ladder until a candidate passes, and lands it.
    pub(super) fn rollback(&mut self, part: Option<Part>, id: &str) -> Result<Flow> {
        let ladder = self.phase.ladder.clone();
        if ladder.is_empty() {
            return Ok(match self.try_and_land(0, None, part, id)? {
                Climbed::Flow(flow) => flow,
                // Part of the way can be where it is already.
                Climbed::Next(_, why) => Flow::End(Ending::ChecksFailed, why),
            });
        }
        let (first, mut reasons) = self.begin_of(&ladder);
        self.state.rung = first;
        let mut last = "no rung of the ladder was eligible".to_owned();
        for (at, rung) in ladder.iter().enumerate().skip(self.state.rung) {
            if !rung.is_eligible(at, &reasons) {
                continue;
            }
            self.state.rung = at;
            match self.try_and_land(at + 1, Some(rung), part, id)? {
                Climbed::Flow(flow) => return Ok(flow),
                Climbed::Next(reason, why) => {
                    // The files stay where a person edited them; the next rung has a candidate of its own.
                    self.state.candidate = None;
                    reasons.push(reason);
                    last = why;
                }
            }
        }
        let ending =
            if reasons.contains(&Reason::ValidationFailed) { Ending::ChecksFailed } else { Ending::NoRung };
        Ok(Flow::End(ending, last))
    }

    fn try_and_land(
        &mut self,
        at: usize,
        rung: Option<&Rung>,
        part: Option<Part>,
        id: &str,
    ) -> Result<Climbed> {
        let mut tried = RungTried::new(at, rung);
        if let Some(pause) = rung.and_then(|rung| self.missing_approval(rung)) {
            return Ok(Climbed::Flow(Flow::Pause(pause)));
        }
        let candidate = match self.attempt(rung, part.map_or(1.0, Part::progress))? {
            Tried::Candidate(candidate) => candidate,
            Tried::NothingToDo(why) if part.is_some() => {
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
        tried.describe(&candidate);
        if let Some(refusal) = self.refusal_of_loss(&candidate, &mut tried) {
            self.remember(tried);
            return Err(refusal);
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
                // What people did by hand stays: only a candidate that nobody edited is made anew.
                let kept = self.state.candidate.is_some();
                let folder = kept.then(|| candidate.scratch.folder().to_owned());
                return Ok(Climbed::Flow(Flow::Pause(Pause { folder, ..Pause::new(check, why) })));
            }
        }
        tried.taken = true;
        tried.why = rung.and_then(|rung| rung.title.clone()).unwrap_or_else(|| "its checks pass".into());
        self.remember(tried);
        self.land(*candidate, id).map(Climbed::Flow)
    }

    /// The place in the ladder where climbing begins or goes on, and the reasons that have been given so far.
    pub(super) fn begin_of(&self, ladder: &[Rung]) -> (usize, Vec<Reason>) {
        let mut reasons: Vec<Reason> = self.state.rungs.iter().filter_map(|rung| rung.reason).collect();
        let mut first = self.state.rung;
        if self.request.by_hand {
            reasons.push(Reason::Manual);
            if first == 0 {
                first = ladder.iter().position(|rung| rung.when.contains(&Reason::Manual)).unwrap_or(0);
            }
        }
        (first, reasons)
    }

    /// Which rung it comes to is not known at the start: its approval can be brought later.
    pub(super) fn missing_approval(&self, rung: &Rung) -> Option<Pause> {
        let role = rung.approval.as_ref()?;
        let error = self.refuse_unapproved(rung.title.as_deref().unwrap_or("the rung"), role).err()?;
        let pause = Pause::new(format!("approval of {role}"), error.to_string());
        Some(Pause { approval: Some(role.clone()), ..pause })
    }

    /// What discards later changes needs consent.
    pub(super) fn refusal_of_loss(
        &self,
        candidate: &Candidate,
        tried: &mut RungTried,
    ) -> Option<EngineError> {
        if candidate.discards.is_empty() || self.request.allow_loss {
            return None;
        }
        tried.why = "it discards later changes, and that was not permitted".into();
        let (discards, paths) = (candidate.discards.clone(), tried.paths.clone());
        Some(crate::Error::LossNotAllowed { discards, paths, renamed: Vec::new() }.into())
    }

    fn remember(&mut self, tried: RungTried) {
        self.observer.event(&Event::Rung(&tried));
        self.state.rungs.push(tried);
    }

    fn validate(&mut self, candidate: &Candidate) -> Result<Judged> {
        let checks = self.cheapest_first(&self.phase.validate);
        for id in &checks {
            if self.is_controlled(id, Controlled::First) {
                self.control(id)?;
            }
        }
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

    /// The checks that only look at files and figures before those that start programs, and questions at the end.
    fn cheapest_first(&self, ids: &[String]) -> Vec<String> {
        let cost = |id: &String| {
            self.procedure.check(id).map_or(0, |check| {
                let (starts, asks) = (!check.run.is_empty(), check.ask.is_some());
                u8::from(starts || check.metric.is_some()) + 2 * u8::from(asks)
            })
        };
        let mut ids = ids.to_vec();
        ids.sort_by_key(cost);
        ids
    }

    /// The first thing that stands in the way, if anything does. What fails decides; a doubt waits for the rest.
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
            let decided = |(_, verdict): &(String, Verdict)| verdict.outcome != Outcome::Inconclusive;
            if blocking.as_ref().is_some_and(|found| decided(found) || self.phase.fail_fast == Some(true)) {
                break;
            }
        }
        Ok(blocking.map(|(id, verdict)| match verdict.outcome {
            Outcome::Inconclusive => Judged::Doubt(id, verdict.to_string()),
            _ => Judged::Failed(format!("{id}: {verdict}")),
        }))
    }

    /// Whether a check also runs on the tip as it is, at this time.
    pub(super) fn is_controlled(&self, id: &str, when: Controlled) -> bool {
        let known = self.state.verdicts.get(id).is_some_and(|verdicts| verdicts.contains_key(&On::Control));
        let Some(check) = self.procedure.check(id).filter(|check| check.ask.is_none() && !known) else {
            return false;
        };
        match check.control.or(self.phase.control) {
            Some(false) => false,
            Some(true) => true,
            None => when == Controlled::AfterFailure,
        }
    }

    /// Runs a check on the tip as it is. Its files are brought together once a run, and only for checks that need them.
    pub(super) fn control(&mut self, id: &str) -> Result<()> {
        let folder = match self.tip_files.take() {
            Some(scratch) => self.tip_files.insert(scratch).folder().to_owned(),
            None if self.needs_files(id) => {
                let mut scratch = Scratch::of_commit(self.engine.repo, self.present_tip())?;
                self.link(&mut scratch)?;
                self.tip_files.insert(scratch).folder().to_owned()
            }
            None => self.engine.place(),
        };
        self.check(id, On::Control, &folder).map(drop)
    }

    fn needs_files(&self, id: &str) -> bool {
        self.procedure.check(id).is_some_and(|check| !check.run.is_empty() || check.file.is_some())
    }

    pub(super) fn branch(&self) -> Result<Option<String>> {
        let branch = self.phase.branch.as_ref().or(self.procedure.document.branch.as_ref());
        branch.map(|branch| self.words(branch)).transpose()
    }

    fn land(&mut self, mut candidate: Candidate, id: &str) -> Result<Flow> {
        if let Some((text, Some(path))) = self.own_report()? {
            self.add_file(&mut candidate, &path, &text)?;
        }
        let tip = self.engine.repo.plan_tip(&PlanOptions::default())?;
        if tip.commit_id != self.present_tip() {
            let (reference, expected) = (self.state.reference.clone(), self.present_tip());
            return Err(EngineError::Moved { reference, expected, found: tip.commit_id });
        }
        let plan = serde_json::to_vec_pretty(&candidate.plan);
        self.plan = Some(plan.map_err(|error| crate::Error::internal("the plan cannot be written", error))?);
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
                self.tip_files = None;
                self.state.operations.extend(receipt.outcome.operation_id);
                self.state.landed_on.clone_from(&receipt.outcome.reference);
                // All of it is in the commit now.
                self.state.candidate = None;
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
        let folder = self.engine.place();
        let run = self.arguments(&rung.run)?;
        self.refuse_foreign_script(&run, &folder)?;
        let command = self.command(&run, &folder, &Default::default(), &rung.secrets, None)?;
        // It changes what git does not know: after a crash a person says whether it runs again.
        let started = |unit: &&mut Unit| unit.kind == UnitKind::Rollback && unit.state == UnitState::Started;
        self.state.units.iter_mut().filter(started).for_each(|unit| unit.repeatable = false);
        self.save("command rung started")?;
        let (verdict, _) = self.judged("rung", "rung", command, &Default::default(), None)?;
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
