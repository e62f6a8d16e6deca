//! Steps on the real system, and messages.

use std::path::Path;

use super::event::Event;
use super::{Result, Run};
use crate::procedure::check::{Outcome, Verdict, filled};
use crate::procedure::format::{Message, Named, Step};
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
        if let Some(manual) = &step.manual {
            return match self.is_confirmed(&step.id) {
                true => Ok(Stepped::Done(Some("confirmed".into()))),
                false => Ok(Stepped::Manual(self.words(manual)?)),
            };
        }
        if let Some(id) = &step.message {
            let message = self.procedure.document.message.iter().find(|message| message.id == *id).cloned();
            return message.map_or(Ok(Stepped::Done(None)), |message| self.message(&message));
        }
        if let Some(wait) = step.wait {
            self.engine.clock.wait(wait.0);
            return Ok(Stepped::Done(None));
        }
        if !step.delete.is_empty() {
            self.delete(&step.delete)?;
        } else if let Some(copy) = &step.copy {
            self.copy(copy)?;
        } else if let Some(file) = &step.env_file {
            self.env_file(file)?;
        } else {
            for attempt in 0..=step.retries {
                let verdict = self.run_step_in(step, &folder)?;
                if verdict.outcome == Outcome::Pass {
                    break;
                }
                if attempt == step.retries {
                    return Ok(Stepped::Failed(verdict.to_string()));
                }
            }
        }
        let effect = step.title.clone().unwrap_or_else(|| step.id.clone());
        self.state.outside_effects.push(match step.undo.is_empty() {
            true => effect,
            false => format!("{effect} (taken back by: {})", self.shown(&self.arguments(&step.undo)?)),
        });
        Ok(Stepped::Done(None))
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
