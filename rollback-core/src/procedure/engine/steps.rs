//! Steps on the real system, and messages.

use std::path::Path;

use super::event::Event;
use super::{Result, Run};
use crate::procedure::check::{Outcome, Verdict, filled};
use crate::procedure::format::{Action, Message, Named, Step};
use crate::procedure::placeholder::fill;

/// What came of a step.
pub(super) enum Stepped {
    Done(Option<String>),
    Failed(String),
    /// A person has to do it.
    Manual(String),
}

impl Run<'_> {
    pub(super) fn step(&mut self, step: &Step) -> Result<Stepped> {
        if let Some(role) = &step.approval {
            self.refuse_unapproved(&format!("step '{}'", step.id), role)?;
        }
        if let Some(why) = self.missing_need(step) {
            return Ok(Stepped::Failed(why));
        }
        let folder = self.engine.place();
        if let Some(check) = &step.unless
            && self.passes_in(check, &folder)?
        {
            return Ok(Stepped::Done(Some(format!("unnecessary: '{check}' passes"))));
        }
        match step.action() {
            Ok(Action::Manual(_)) if self.is_confirmed(&step.id) => {
                return Ok(Stepped::Done(Some("confirmed".into())));
            }
            Ok(Action::Manual(what)) => return Ok(Stepped::Manual(self.words(what)?)),
            Ok(Action::Message(id)) => {
                let message = self.procedure.document.message.iter().find(|message| message.id == id);
                return message.map_or(Ok(Stepped::Done(None)), |message| self.message(message));
            }
            Ok(Action::Wait(time)) => {
                self.engine.clock.wait(time.0);
                return Ok(Stepped::Done(None));
            }
            Ok(Action::Delete(paths)) => self.delete(paths)?,
            Ok(Action::Copy(copy)) => self.copy(copy)?,
            Ok(Action::EnvFile(file)) => self.env_file(file)?,
            Ok(Action::Run(_)) => {
                if let Some(why) = self.run_with_retries(step, &folder)? {
                    return Ok(Stepped::Failed(why));
                }
            }
            Ok(_) => return Ok(Stepped::Failed("it edits a candidate, and there is none".into())),
            Err(misshapen) => return Ok(Stepped::Failed(misshapen.message)),
        }
        let effect = self.effect_of(step)?;
        self.state.outside_effects.push(effect);
        Ok(Stepped::Done(None))
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
        use super::state::{UnitKind, UnitState};
        let done = |id: &String| {
            self.state.units.iter().any(|unit| {
                unit.kind == UnitKind::Step
                    && unit.id == *id
                    && matches!(unit.state, UnitState::Done | UnitState::Skipped)
            })
        };
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
        Ok(self.judged(&step.id, &format!("step/{}", step.id), command, &expect, None)?.0)
    }

    /// Standard input is the one place where a secret may stand.
    fn words_with_secrets(&self, text: &str) -> Result<String> {
        fill(text.trim_start_matches('\n'), |found| match found.namespace {
            "secret" => Ok((self.engine.environment)(found.name).unwrap_or_default()),
            _ => self.words_for_program(&found.to_string()),
        })
    }

    /// Prints, saves and, where there is a way, sends a message.
    pub(super) fn message(&mut self, message: &Message) -> Result<Stepped> {
        let text = self.redactor.redact_str(self.words(&message.text)?.trim());
        let subject = message.subject.as_deref().map(|subject| self.words(subject)).transpose()?;
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
            return Ok(Stepped::Done(None));
        }
        let folder = self.engine.place();
        let run = self.arguments(&message.send)?;
        let command = self.command(&run, &folder, &Named::default(), &message.secrets, None)?.input(whole);
        let (verdict, _) = self.judged(
            &message.id,
            &format!("message/{}.log", message.id),
            command,
            &Default::default(),
            None,
        )?;
        // A message that was not sent is said and saved: it never stands in the way of a rollback.
        Ok(Stepped::Done((verdict.outcome != Outcome::Pass).then(|| format!("not sent: {verdict}"))))
    }
}
