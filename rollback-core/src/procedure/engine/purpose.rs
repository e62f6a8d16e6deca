//! Runs that do something else than rolling back: bringing a rollback's work back, and preparing the next attempt.
//!
//! Both are made of what a rollback is made of: a phase, its units, its checks. Nothing here has a way of its own to
//! change the repository.

use super::drive::Flow;
use super::state::{Purpose, Unit, UnitKind, UnitState};
use super::{Engine, EngineError, Result, Run};
use crate::procedure::format::{CommitText, Effect, Phase, Procedure, Rung, RungKind, Target, UnknownName};

/// What the prechecks are called that stand for the conditions of `[undo]`, counted from 1.
const CONDITION: &str = "condition-";

/// The names of the conditions under which a rollback may be taken back.
pub(super) fn conditions(procedure: &Procedure) -> impl Iterator<Item = String> {
    let count = procedure.document.undo.as_ref().map_or(0, |undo| undo.conditions.len());
    (1..=count).map(|at| format!("{CONDITION}{at}"))
}

/// The condition of this name.
pub(super) fn condition<'a>(procedure: &'a Procedure, id: &str) -> Option<&'a String> {
    let at: usize = id.strip_prefix(CONDITION)?.parse().ok()?;
    procedure.document.undo.as_ref()?.conditions.get(at.checked_sub(1)?)
}

impl Engine<'_> {
    /// The phase as it runs for this purpose.
    pub(super) fn phase_of(
        &self,
        procedure: &Procedure,
        name: &str,
        variant: Option<&str>,
        purpose: &Purpose,
    ) -> Result<Phase> {
        let phase = procedure.phase(name, variant)?;
        match purpose {
            Purpose::Rollback => Ok(phase),
            Purpose::Reapply { run } => self.reapplying(procedure, phase, run),
            Purpose::Retry => {
                let retry = procedure.document.retry.as_ref();
                let retry = retry.ok_or_else(|| EngineError::lacks(procedure, "retry"))?;
                Ok(Phase {
                    title: Some("Prepare the next attempt".into()),
                    authority: phase.authority,
                    before: retry.steps.clone(),
                    ..Phase::default()
                })
            }
        }
    }

    /// The rollback's own commits, newest first, are what is reverted.
    fn reapplying(&self, procedure: &Procedure, phase: Phase, id: &str) -> Result<Phase> {
        let undo = procedure.document.undo.clone();
        let undo = undo.ok_or_else(|| EngineError::lacks(procedure, "undo"))?;
        let state = self.any_run(id)?.0;
        if state.procedure != procedure.id || state.commits.is_empty() {
            let why = format!("the run {id} has landed nothing of procedure '{}'", procedure.id);
            return Err(EngineError::Target(why));
        }
        let commits = state.commits.iter().rev().map(ToString::to_string).collect();
        let title = phase.title.unwrap_or_else(|| state.phase.clone());
        Ok(Phase {
            title: Some(format!("Bring back: {title}")),
            authority: phase.authority,
            approvals: phase.approvals,
            target: Some(Target { commits, ..Target::default() }),
            ladder: vec![Rung { kind: RungKind::RevertCommit, ..Rung::default() }],
            commit: Some(CommitText::default()),
            validate: undo.validate,
            publish: undo.publish,
            soak: undo.soak,
            ..Phase::default()
        })
    }
}

impl Run<'_> {
    /// Starts the branch on which the next attempt is prepared.
    pub(super) fn start_branch(&mut self) -> Result<Flow> {
        let branch = self.procedure.document.retry.as_ref().and_then(|retry| retry.branch.as_ref());
        let Some(branch) = branch else { return Ok(Flow::DONE) };
        let branch = self.words(branch)?;
        self.engine.repo.start_branch(&branch, self.state.tip)?;
        Ok(Flow::Done(Some(format!("the next attempt is prepared on {branch}"))))
    }

    /// Does what was due afterwards and writes down how that went.
    pub(super) fn follow_up(&mut self, id: &str) -> Result<()> {
        let rows = &self.procedure.document.followup;
        let Some(followup) = rows.iter().find(|row| row.id == id) else {
            let known = rows.iter().map(|row| row.id.as_str());
            return Err(EngineError::Unknown(UnknownName::new("follow-up", id, known)));
        };
        let step = followup.step.as_ref().and_then(|step| self.procedure.step(step));
        let repeatable = step.is_none_or(|step| step.effect == Effect::Read);
        let unit = self.begin_afterwards(Unit::new(UnitKind::Followup, id, repeatable))?;
        let mut flow = Flow::DONE;
        if let Some(step) = step {
            if let Some(role) = &step.approval {
                self.refuse_unapproved(&format!("'{}'", step.id), role)?;
            }
            flow = self.step(step)?;
        }
        for check in &followup.checks {
            let verdict = self.check_live(check)?;
            if verdict.blocks() && matches!(flow, Flow::Done(_)) {
                flow = Flow::Failed(format!("{check}: {verdict}"));
            }
        }
        self.end_afterwards(unit, if let Flow::Done(_) = flow { Flow::DONE } else { flow });
        self.save(&format!("follow-up {id}"))
    }

    /// Writes down that a unit begins which belongs to no run in progress. One that was cut off begins again only where
    /// the request says so.
    pub(super) fn begin_afterwards(&mut self, mut unit: Unit) -> Result<Unit> {
        let cut_off = |other: &Unit| other.state == UnitState::Started && !other.repeatable;
        if !self.request.retry && self.state.unit(unit.kind, &unit.id).is_some_and(cut_off) {
            return Err(EngineError::CutOff(unit.id));
        }
        unit.state = UnitState::Started;
        unit.started = Some(self.engine.clock.now());
        self.replace_unit(unit.clone());
        self.save(&format!("{} started", unit.id))?;
        Ok(unit)
    }

    /// Ends a unit that belongs to no run in progress. What would have to wait for a person has failed.
    pub(super) fn end_afterwards(&mut self, mut unit: Unit, flow: Flow) {
        unit.ended = Some(self.engine.clock.now());
        (unit.state, unit.note) = match flow {
            Flow::Done(note) => (UnitState::Done, note),
            Flow::Failed(why) | Flow::Skipped(why) | Flow::End(_, why) => (UnitState::Failed, Some(why)),
            Flow::Pause(pause) => (UnitState::Failed, Some(pause.why)),
        };
        self.replace_unit(unit);
    }

    /// Puts a unit in place of the one of its kind and name, at the end.
    fn replace_unit(&mut self, unit: Unit) {
        self.state.units.retain(|other| other.kind != unit.kind || other.id != unit.id);
        self.state.units.push(unit);
    }
}
