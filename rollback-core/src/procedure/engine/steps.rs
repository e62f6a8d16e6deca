//! Steps on the real system, messages and publishing.

use std::path::Path;

use super::event::{Event, On};
use super::{Result, Run};
use crate::plan::{BranchMerge, PlannedMerge};
use crate::procedure::check::{Outcome, Verdict, filled};
use crate::procedure::format::{Message, Named, Publish, Step};
use crate::procedure::placeholder::fill;
use crate::receipt::{ApplyOptions, Destination};

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
            false => format!("{effect} (taken back by: {})", self.arguments(&step.undo)?.join(" ")),
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
        let expect = filled(&step.expect.clone().unwrap_or_default(), |text| self.words(text))?;
        Ok(self.judged(&step.id, &format!("step/{}", step.id), command, &expect, None)?.0)
    }

    /// Standard input is the one place where a secret may stand.
    fn words_with_secrets(&self, text: &str) -> Result<String> {
        fill(text.trim_start_matches('\n'), |found| match found.namespace {
            "secret" => Ok((self.engine.environment)(found.name).unwrap_or_default()),
            _ => self.words(&found.to_string()),
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

    /// How the result leaves this machine, if there is a way.
    pub(super) fn publishes(&self) -> Option<Publish> {
        self.phase.publish.clone().or_else(|| self.procedure.document.publish.clone())
    }

    /// Lets the result leave this machine.
    pub(super) fn publish(&mut self) -> Result<Stepped> {
        let Some(publish) = self.publishes() else { return Ok(Stepped::Done(None)) };
        if let Some(role) = &publish.approval {
            self.refuse_unapproved("publishing", role)?;
        }
        if let Some(why) = self.merge_into(&publish)? {
            return Ok(Stepped::Failed(why));
        }
        let folder = self.engine.place();
        for run in self.publishing(&publish)? {
            let secrets = ["SSH_AUTH_SOCK".to_owned(), "GH_TOKEN".to_owned(), "GIT_SSH_COMMAND".to_owned()];
            let report = super::report::markdown(self.procedure, &self.state);
            let report = self.redactor.redact_str(&report);
            let command =
                self.command(&run, &folder, &Named::default(), &secrets, publish.timeout)?.input(report);
            let (verdict, _) = self.judged("publish", "publish", command, &Default::default(), None)?;
            if verdict.outcome != Outcome::Pass {
                return Ok(Stepped::Failed(verdict.to_string()));
            }
            self.state.outside_effects.push(format!("published with {}", run.join(" ")));
        }
        for check in &publish.verify {
            let verdict = self.check(check, On::Live, &folder)?;
            if verdict.blocks() {
                return Ok(Stepped::Failed(format!("{check}: {verdict}")));
            }
        }
        Ok(Stepped::Done(None))
    }

    /// Merges the rollback branch with a merge commit, as `git merge --no-ff` would; says what stands in the way.
    fn merge_into(&mut self, publish: &Publish) -> Result<Option<String>> {
        let (Some(into), Some(reference)) = (&publish.merge_into, self.state.landed_on.clone()) else {
            return Ok(None);
        };
        let into = self.words(into)?;
        let branch = reference.strip_prefix("refs/heads/").unwrap_or(&reference).to_owned();
        if branch == into {
            return Ok(None);
        }
        let message = format!("Merge branch '{branch}' into {into}\n\nRollback-Run: {}\n", self.state.id);
        let merge = BranchMerge { branch, into: into.clone(), message };
        let landing =
            ApplyOptions { destination: Destination::CurrentBranch, ..self.request.landing.clone() };
        match self.engine.repo.plan_merge(&merge)? {
            PlannedMerge::Clean(plan) => {
                let receipt = self.engine.repo.apply(*plan, &landing)?;
                self.state.commits.extend(&receipt.outcome.commit_ids);
                self.state.operations.extend(receipt.outcome.operation_id);
                self.state.landed_on = Some(format!("refs/heads/{into}"));
                let reference = format!("refs/heads/{into}");
                let commits = &receipt.outcome.commit_ids;
                self.observer.event(&Event::Landed { commits, reference: &reference });
                Ok(None)
            }
            PlannedMerge::AlreadyMerged => {
                self.state.landed_on = Some(format!("refs/heads/{into}"));
                Ok(None)
            }
            PlannedMerge::Conflicts(paths) => {
                let paths: Vec<_> = paths.iter().map(ToString::to_string).collect();
                Ok(Some(format!("merging into {into} conflicts in {}", paths.join(", "))))
            }
        }
    }

    /// The commands of publishing: a push that is never forced, and the procedure's own.
    fn publishing(&self, publish: &Publish) -> Result<Vec<Vec<String>>> {
        let mut commands = Vec::new();
        if let (Some(remote), Some(reference)) = (&publish.push, &self.state.landed_on) {
            let push = ["git", "push", remote, &format!("{reference}:{reference}")];
            commands.push(push.map(ToOwned::to_owned).to_vec());
        }
        if !publish.run.is_empty() {
            commands.push(self.arguments(&publish.run)?);
        }
        Ok(commands)
    }
}
