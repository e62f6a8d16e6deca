//! What a run would come to before it lands: the ladder climbed without a program, a check or a person.
//!
//! Every rung whose `when` fits what came before it is tried as a run would try it, and what cannot be known without
//! running something is left open. Nothing is written: candidates lie in a folder of the system's for temporary files.

use std::ops::ControlFlow;

use super::candidate::{Candidate, Stop, Tried};
use super::climb::{Climbed, Climber, Rungs};
use super::drive::Flow;
use super::prepare::Intent;
use super::state::{Ending, Pause, RungTried, UnitKind};
use super::{Engine, EngineError, Result, Run, RunRequest, RunState};
use crate::procedure::format::{Action, Procedure, Rung, Step};

/// What a run would come to before it lands.
#[derive(Debug)]
#[non_exhaustive]
pub struct Foresight {
    /// The run as it would begin, with the rungs as they would be tried. Its ending is set where it would end, and its
    /// pause where it would wait, before anything lands.
    pub state: RunState,
    /// What would refuse the rung that would be taken.
    pub refusal: Option<EngineError>,
    /// The programs that the run would start and that are not found.
    pub missing_programs: Vec<String>,
}

impl Engine<'_> {
    /// What a run would come to before it lands: its units and what would come of each rung that it would try. Whether it
    /// is trusted is not asked.
    ///
    /// # Errors
    /// As [`Engine::start`].
    pub fn foresee(&self, procedure: &Procedure, request: RunRequest) -> Result<Foresight> {
        let mut observer = ();
        let mut run = self.prepare(procedure, request, Intent::Look, &mut observer)?;
        let rolls_back = run.state.units.iter().any(|unit| unit.kind == UnitKind::Rollback);
        let refusal = if rolls_back { run.foresee()? } else { None };
        let missing_programs = run.missing_programs();
        Ok(Foresight { state: run.state, refusal, missing_programs })
    }
}

/// Climbs without a program and without a person, and lands nothing.
#[derive(Default)]
struct Looking {
    /// The step that edits the candidate and that only a run can do.
    open: Option<Step>,
}

impl Climber for Looking {
    fn attempt(&mut self, run: &mut Run<'_>, rung: Option<&Rung>) -> Result<Tried> {
        self.open = None;
        let mut candidate = match run.build_candidate(rung, 1.0)? {
            Ok((candidate, _)) => candidate,
            Err(tried) => return Ok(tried),
        };
        for id in run.phase.edits.clone() {
            let Some(step) = run.procedure.step(&id) else { continue };
            if step.unless.is_some() || matches!(step.action(), Ok(Action::Manual(_) | Action::Run(_))) {
                run.refresh(&mut candidate)?;
                // What the rest will touch is not known; that it changes nothing cannot be said yet.
                self.open = Some(step.clone());
                return Ok(Tried::Candidate(Box::new(candidate)));
            }
            run.edit_step(&mut candidate, step)?;
        }
        run.judge_shape(candidate)
    }

    fn stop(&mut self, run: &mut Run<'_>, _: Option<&Rung>, tried: RungTried, stop: Stop) -> Result<Flow> {
        let gradual = run.phase.gradual.is_some() && !run.state.emergency;
        let (taken, why, flow) = match stop {
            // A gradual run leaves such a part of the way out, and goes on.
            Stop::NothingToDo(why) if gradual => (false, why, Flow::Done(None)),
            Stop::NothingToDo(why) => (false, why.clone(), Flow::End(Ending::NothingToDo, why)),
            Stop::Paused(pause) => (false, pause.why.clone(), Flow::Pause(pause)),
            Stop::Command(command) => (true, format!("{} would do it", command.join(" ")), Flow::Done(None)),
        };
        run.remember(RungTried { taken, why, ..tried });
        Ok(flow)
    }

    fn take(&mut self, run: &mut Run<'_>, tried: RungTried, candidate: Candidate) -> Result<Rungs> {
        let why = run.what_is_left(self.open.as_ref());
        run.remember(RungTried { taken: true, why, ..tried });
        let step = self.open.as_ref().filter(|step| step.unless.is_none());
        if let Some(step) = step
            && let Ok(Action::Manual(what)) = step.action()
            && let Ok(why) = run.words(what)
        {
            return Ok(ControlFlow::Break(Climbed::Flow(Flow::Pause(Pause::new(&step.id, why)))));
        }
        let refusal = run.refuse_obstacles(&candidate.plan).err();
        Ok(ControlFlow::Break(refusal.map_or(Climbed::Flow(Flow::Done(None)), Climbed::Refused)))
    }
}

impl Run<'_> {
    fn foresee(&mut self) -> Result<Option<EngineError>> {
        let climbed = self.climb(&mut Looking::default())?;
        // Nothing was tried yet as far as the record of a run is concerned.
        self.state.rung = 0;
        match climbed {
            Climbed::Refused(refusal) => return Ok(Some(refusal)),
            Climbed::Flow(Flow::Pause(pause)) => {
                self.state.ending = Some(Ending::Paused);
                self.state.pause = Some(pause);
            }
            Climbed::Flow(Flow::End(ending, _)) => self.state.ending = Some(ending),
            Climbed::Flow(_) => {}
        }
        Ok(None)
    }

    /// What a rung that would be taken has before it.
    fn what_is_left(&self, open: Option<&Step>) -> String {
        let open = open.map(|step| format!("what '{}' edits is not known before it runs; ", step.id));
        let open = open.unwrap_or_default();
        match [&self.phase.validate[..], &self.phase.validate_each].concat().as_slice() {
            [] => format!("{open}it would land"),
            checks => format!("{open}it would land once these pass: {}", checks.join(", ")),
        }
    }
}
