//! What a run would come to before it lands: the ladder climbed without a program, a check or a person.
//!
//! Every rung whose `when` fits what came before it is tried as a run would try it, and what cannot be known without
//! running something is left open. Nothing is written: candidates lie in a folder of the system's for temporary files.

use super::candidate::{Candidate, Tried};
use super::prepare::Intent;
use super::state::{Ending, Pause, RungTried, UnitKind};
use super::{Engine, EngineError, Result, Run, RunRequest, RunState};
use crate::procedure::format::{Procedure, Reason, Rung, Step};

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

/// What came of a rung that was tried without running anything.
enum Foreseen {
    /// The run would go no further, or land.
    Last(Option<EngineError>),
    Next(Reason),
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

impl Run<'_> {
    fn foresee(&mut self) -> Result<Option<EngineError>> {
        let ladder = self.phase.ladder.clone();
        if ladder.is_empty() {
            return Ok(match self.foresee_rung(0, None)? {
                Foreseen::Last(refusal) => refusal,
                Foreseen::Next(_) => {
                    self.state.ending = Some(Ending::ChecksFailed);
                    None
                }
            });
        }
        let (first, mut reasons) = self.begin_of(&ladder);
        for (at, rung) in ladder.iter().enumerate().skip(first) {
            if !rung.is_eligible(at, &reasons) {
                continue;
            }
            match self.foresee_rung(at + 1, Some(rung))? {
                Foreseen::Last(refusal) => return Ok(refusal),
                Foreseen::Next(reason) => reasons.push(reason),
            }
        }
        self.state.ending = Some(Ending::NoRung);
        Ok(None)
    }

    fn foresee_rung(&mut self, at: usize, rung: Option<&Rung>) -> Result<Foreseen> {
        let mut tried = RungTried::new(at, rung);
        if let Some(pause) = rung.and_then(|rung| self.missing_approval(rung)) {
            tried.why.clone_from(&pause.why);
            self.state.rungs.push(tried);
            return Ok(self.waits(pause));
        }
        let (candidate, open) = match self.try_in_memory(rung)? {
            (Tried::Candidate(candidate), open) => (candidate, open),
            (Tried::NothingToDo(why), _) => {
                tried.why = why;
                self.state.rungs.push(tried);
                // A gradual run leaves such a part of the way out, and goes on.
                let gradual = self.phase.gradual.is_some() && !self.state.emergency;
                self.state.ending = (!gradual).then_some(Ending::NothingToDo);
                return Ok(Foreseen::Last(None));
            }
            (Tried::Command, _) => {
                tried.taken = true;
                tried.why = format!("{} would do it", rung.map_or(String::new(), |rung| rung.run.join(" ")));
                self.state.rungs.push(tried);
                return Ok(Foreseen::Last(None));
            }
            (Tried::Fell { reason, why }, _) => {
                (tried.reason, tried.why) = (Some(reason), why);
                self.state.rungs.push(tried);
                return Ok(Foreseen::Next(reason));
            }
            (Tried::Paused(pause), _) => return Ok(self.waits(pause)),
        };
        tried.describe(&candidate);
        if let Some(refusal) = self.refusal_of_loss(&candidate, &mut tried) {
            self.state.rungs.push(tried);
            return Ok(Foreseen::Last(Some(refusal)));
        }
        tried.taken = true;
        tried.why = self.what_is_left(open.as_ref());
        self.state.rungs.push(tried);
        if let Some(manual) = open.as_ref().filter(|step| step.unless.is_none()).and_then(|step| {
            let why = self.words(step.manual.as_ref()?).ok()?;
            Some(Pause::new(&step.id, why))
        }) {
            return Ok(self.waits(manual));
        }
        Ok(Foreseen::Last(self.refuse_obstacles(&candidate.plan).err()))
    }

    fn waits(&mut self, pause: Pause) -> Foreseen {
        self.state.ending = Some(Ending::Paused);
        self.state.pause = Some(pause);
        Foreseen::Last(None)
    }

    /// Tries a rung, or the edits alone, as far as no program and no person is needed; with the step that is.
    fn try_in_memory(&mut self, rung: Option<&Rung>) -> Result<(Tried, Option<Step>)> {
        let mut candidate = match self.begun(rung, 1.0)? {
            Ok((candidate, _)) => candidate,
            Err(tried) => return Ok((tried, None)),
        };
        for id in self.phase.edits.clone() {
            let Some(step) = self.procedure.step(&id).cloned() else { continue };
            if step.manual.is_some() || step.unless.is_some() || !step.run.is_empty() {
                self.refresh(&mut candidate)?;
                // What the rest will touch is not known; that it changes nothing cannot be said yet.
                return Ok((Tried::Candidate(Box::new(candidate)), Some(step)));
            }
            self.edit_step(&mut candidate, &step)?;
        }
        Ok((self.judge_shape(candidate)?, None))
    }

    /// What a rung that would be taken has before it.
    fn what_is_left(&self, open: Option<&Step>) -> String {
        let mut left = Vec::new();
        left.extend(open.map(|step| format!("what '{}' edits is not known before it runs", step.id)));
        let checks: Vec<&str> =
            self.phase.validate.iter().chain(&self.phase.validate_each).map(String::as_str).collect();
        left.push(match checks.as_slice() {
            [] => "it would land".to_owned(),
            checks => format!("it would land once these pass: {}", checks.join(", ")),
        });
        left.join("; ")
    }
}

impl RungTried {
    pub(super) fn new(at: usize, rung: Option<&Rung>) -> Self {
        Self {
            at,
            kind: rung.map(|rung| rung.kind),
            taken: false,
            reason: None,
            why: String::new(),
            paths: Vec::new(),
            loss: None,
            discards: Vec::new(),
        }
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
