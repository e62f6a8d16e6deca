//! Steps on the real system, and messages.

use std::path::Path;

use super::drive::Flow;
use super::event::Event;
use super::state::{Unit, UnitKind, UnitState};
use super::{Result, Run};
use crate::procedure::check::{Outcome, Verdict, filled};
use crate::procedure::format::{Action, Expect, Message, Step};
use crate::procedure::placeholder::fill;

impl Run<'_> {
    /// Does a step of the real system: it is done, it failed, or it waits for a person.
    pub(super) fn step(&mut self, step: &Step) -> Result<Flow> {
        if let Some(role) = &step.approval {
            self.refuse_unapproved(&format!("step '{}'", step.id), role)?;
        }
        if let Some(why) = self.missing_need(step) {
            return Ok(Flow::Failed(why));
        }
        let folder = self.engine.place();
        if let Some(check) = &step.unless
            && self.passes_in(check, &folder)?
        {
            return Ok(Flow::Done(Some(format!("unnecessary: '{check}' passes"))));
        }
        match step.action() {
            Ok(Action::Manual(what)) => return self.confirmation(&step.id, what),
            Ok(Action::Message(id)) => {
                let message = self.procedure.document.message.iter().find(|message| message.id == id);
                return message.map_or(Ok(Flow::DONE), |message| self.message(message));
            }
            Ok(Action::Wait(time)) => {
                self.engine.clock.wait(time.0);
                return Ok(Flow::DONE);
            }
            Ok(Action::Delete(paths)) => self.delete(paths)?,
            Ok(Action::Copy(copy)) => self.copy(copy)?,
            Ok(Action::EnvFile(file)) => self.env_file(file)?,
            Ok(Action::Run(_)) => {
                if let Some(why) = self.run_with_retries(step, &folder)? {
                    return Ok(Flow::Failed(why));
                }
            }
            Ok(_) => return Ok(Flow::Failed("it edits a candidate, and there is none".into())),
            Err(misshapen) => return Ok(Flow::Failed(misshapen.message)),
        }
        let effect = self.effect_of(step)?;
        self.state.outside_effects.push(effect);
        Ok(Flow::DONE)
    }

    /// What a step that is done has done outside of the repository, in words.
    pub(super) fn effect_of(&self, step: &Step) -> Result<String> {
        let effect = step.title.clone().unwrap_or_else(|| step.id.clone());
        Ok(match step.undo.is_empty() {
            true => effect,
            false => format!("{effect} (taken back by: {})", self.shown(&self.arguments(&step.undo)?)),
        })
    }

    /// Runs the program of a step until it does what is expected; says what it did at last where it does not.
    fn run_with_retries(&mut self, step: &Step, folder: &Path) -> Result<Option<String>> {
        let mut verdict = self.run_step_in(step, folder)?;
        for _ in 0..step.retries {
            if verdict.outcome == Outcome::Pass {
                break;
            }
            verdict = self.run_step_in(step, folder)?;
        }
        Ok((verdict.outcome != Outcome::Pass).then(|| verdict.to_string()))
    }

    fn missing_need(&self, step: &Step) -> Option<String> {
        let is_done = |unit: &Unit| matches!(unit.state, UnitState::Done | UnitState::Skipped);
        let done = |id: &String| self.state.unit(UnitKind::Step, id).is_some_and(is_done);
        step.needs.iter().find(|id| !done(id)).map(|id| format!("it needs '{id}', which was not done"))
    }

    /// Runs the program of a step in a folder and judges it.
    pub(super) fn run_step_in(&mut self, step: &Step, folder: &Path) -> Result<Verdict> {
        let run = self.arguments(&step.run)?;
        self.refuse_foreign_script(&run, folder)?;
        let mut command = self.command(&run, folder, &step.env, &step.secrets, step.timeout)?;
        if let Some(text) = &step.stdin {
            command = command.input(self.words_with_secrets(text)?);
        }
        let expect = filled(&step.expect.clone().unwrap_or_default(), |text| self.words_for_program(text))?;
        self.judged(&step.id, &format!("step/{}", step.id), command, &expect, None)
    }

    /// Standard input is the one place where a secret may stand.
    fn words_with_secrets(&self, text: &str) -> Result<String> {
        fill(text.trim_start_matches('\n'), |found| match found.namespace {
            "secret" => Ok((self.engine.environment)(found.name).unwrap_or_default()),
            _ => self.words_for_program(&found.to_string()),
        })
    }

    /// Prints, saves and, where there is a way, sends a message.
    pub(super) fn message(&mut self, message: &Message) -> Result<Flow> {
        let text = self.redactor.redact_str(self.words(&message.text)?.trim());
        let subject = message.subject.as_deref().map(|subject| self.words(subject)).transpose()?;
        self.has_acted = true;
        self.observer.event(&Event::Message {
            id: &message.id,
            to: &message.to,
            subject: subject.as_deref(),
            text: &text,
        });
        let whole = match &subject {
            Some(subject) => format!("Subject: {subject}\n\n{text}\n"),
            None => format!("{text}\n"),
        };
        self.keep(&format!("message/{}.txt", message.id), whole.as_bytes())?;
        if message.send.is_empty() {
            return Ok(Flow::DONE);
        }
        let command = self.live_command(&message.send, &message.secrets, None)?.input(whole);
        let log = format!("message/{}.log", message.id);
        let verdict = self.judged(&message.id, &log, command, &Expect::default(), None)?;
        // A message that was not sent is said and saved: it never stands in the way of a rollback.
        Ok(Flow::Done((verdict.outcome != Outcome::Pass).then(|| format!("not sent: {verdict}"))))
    }
}
