//! What placeholders stand for during a run.

use super::state::{RunState, RunStatus, Unit, UnitKind, UnitState};
use super::{EngineError, Result, Run};
use crate::procedure::format::Period;
use crate::procedure::placeholder::{Placeholder, fill};

/// Who gets a text, which decides what stands for the secrets in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Audience {
    /// Messages, reports, records: a mark stands for a secret.
    People,
    /// A program, or what a check expects of it: the value itself.
    Program,
    /// The tree that is committed: a secret in it is refused.
    Tree,
}

impl Run<'_> {
    /// The text for people, with its placeholders filled; what is not known yet stays empty.
    pub(super) fn words(&self, text: &str) -> Result<String> {
        fill(text, |found| self.word(found, Audience::People, None))
    }

    /// As [`Run::words`], for a program, which gets the secrets that the procedure hands it.
    pub(super) fn words_for_program(&self, text: &str) -> Result<String> {
        fill(text, |found| self.word(found, Audience::Program, None))
    }

    /// As [`Run::words`], for a file that is committed; within the repetition for one member of a list.
    pub(super) fn words_for_tree(&self, text: &str, each: Option<&str>) -> Result<String> {
        fill(text, |found| self.word(found, Audience::Tree, each))
    }

    /// All arguments of a command. No shell reads them, so a home folder that the procedure names is filled in here.
    pub(super) fn arguments(&self, run: &[String]) -> Result<Vec<String>> {
        let one = |argument: &String| {
            let filled = self.words_for_program(argument)?;
            Ok(match argument.starts_with("~/") {
                true => self.expanded(&filled).display().to_string(),
                false => filled,
            })
        };
        run.iter().map(one).collect()
    }

    /// A command as people may see it.
    pub(super) fn shown(&self, run: &[String]) -> String {
        self.redactor.redact_str(&run.join(" "))
    }

    fn input(&self, name: &str, audience: Audience) -> Result<String> {
        let inputs = &self.state.inputs;
        let value = inputs.get(name)?.to_owned();
        match audience {
            Audience::People if inputs.is_secret(name) => Ok(format!("[redacted {name}]")),
            Audience::Tree if inputs.is_secret(name) => {
                Err(EngineError::Target(format!("input '{name}' is secret, and would be committed")))
            }
            _ => Ok(value),
        }
    }

    fn word(&self, found: Placeholder<'_>, audience: Audience, each: Option<&str>) -> Result<String> {
        let state = &self.state;
        let short = |id: Option<&crate::id::CommitId>| {
            id.map_or(String::new(), |id| self.engine.repo.abbreviation(*id))
        };
        let whole = |id: Option<&crate::id::CommitId>| id.map_or(String::new(), ToString::to_string);
        Ok(match (found.namespace, found.name) {
            ("input", name) => self.input(name, audience)?,
            ("each", _) => each.unwrap_or_default().to_owned(),
            ("check", name) => self.of_a_check(name),
            ("phase", "id") => state.phase.clone(),
            ("phase", "title") => self.phase.title.clone().unwrap_or_else(|| state.phase.clone()),
            ("phase", "rto") => state.rto.map_or(String::new(), |rto| rto.to_string()),
            ("phase", "severity") => state.severity.clone().unwrap_or_default(),
            ("procedure", "id") => state.procedure.clone(),
            ("procedure", "title") => self.procedure.document.title.clone().unwrap_or_default(),
            ("trigger", "text") => state.trigger.clone(),
            ("trigger", "id") => state.trigger.clone(),
            ("target", "commit") => whole(state.targets.first()),
            ("target", "short") => short(state.targets.first()),
            ("target", "subject") => match state.targets.first() {
                Some(id) => self.engine.repo.commit_summary(*id)?.subject,
                None => String::new(),
            },
            ("target", "parent") => match state.targets.last() {
                Some(id) => whole(self.engine.repo.commit_summary(*id)?.parents.first()),
                None => String::new(),
            },
            ("target", "path") => self.phase.paths.first().map_or(String::new(), ToString::to_string),
            ("source", "commit") => whole(state.source.as_ref().or(state.targets.first())),
            ("source", "short") => short(state.source.as_ref().or(state.targets.first())),
            ("result", "commit") => whole(state.commits.last()),
            ("result", "short") => short(state.commits.last()),
            ("result", "branch") => state.landed_on.clone().unwrap_or_default(),
            ("result", "strategy") => state
                .rungs
                .iter()
                .rev()
                .find(|rung| rung.taken)
                .map_or(String::new(), |rung| rung.why.clone()),
            ("tip", "commit") => state.tip.to_string(),
            ("tip", "short") => short(Some(&state.tip)),
            ("tip", "branch") => state.reference.trim_start_matches("refs/heads/").to_owned(),
            ("candidate", "folder") => {
                let folder = state.pause.as_ref().and_then(|pause| pause.folder.as_ref());
                folder.map_or_else(
                    || "the candidate's folder".to_owned(),
                    |folder| folder.display().to_string(),
                )
            }
            ("date", name) => self.date(name),
            ("run", name) => self.of_the_run(name),
            _ => String::new(),
        })
    }

    fn date(&self, form: &str) -> String {
        let started = self.state.started.to_zoned(jiff::tz::TimeZone::UTC);
        let format = match form {
            "iso" => "%Y-%m-%d",
            "compact" => "%Y%m%d",
            "stamp" => "%Y%m%d-%H%M%S",
            _ => "%Y-%m-%d %H:%M:%S UTC",
        };
        started.strftime(format).to_string()
    }

    pub(super) fn elapsed(&self) -> Period {
        let end = self.state.finished.unwrap_or_else(|| self.engine.clock.now());
        let elapsed: std::time::Duration =
            end.duration_since(self.state.started).try_into().unwrap_or_default();
        Period(std::time::Duration::from_secs(elapsed.as_secs()))
    }

    fn of_the_run(&self, name: &str) -> String {
        let state = &self.state;
        match name {
            "id" => state.id.clone(),
            "started" => to_the_second(state.started),
            "finished" => to_the_second(state.finished.unwrap_or_else(|| self.engine.clock.now())),
            "duration" => self.elapsed().to_string(),
            "minutes" => self.elapsed().0.as_secs().div_ceil(60).to_string(),
            "operator" => state.roles.join(", "),
            // Whoever gave no reason has at least said, or been told, what triggered the run.
            "reason" if state.reason.is_empty() => state.trigger.clone(),
            "reason" => state.reason.clone(),
            "status" => so_far(state).to_owned(),
            "results" => super::report::results(state),
            "timeline" => super::report::timeline(state),
            "evidence" => state.evidence.keys().cloned().collect::<Vec<_>>().join(", "),
            _ => String::new(),
        }
    }

    fn of_a_check(&self, name: &str) -> String {
        let (check, what) = name.rsplit_once('.').unwrap_or((name, "outcome"));
        let Some(verdict) = self.state.verdict(check) else { return "not run".to_owned() };
        match what {
            "outcome" => verdict.outcome.to_string(),
            "expected" => verdict.expected.clone().unwrap_or_default(),
            _ => verdict.found.clone().unwrap_or_default(),
        }
    }
}

/// How a run stands, for a message that is sent while it goes on.
fn so_far(state: &RunState) -> &'static str {
    let worked_off = |unit: &Unit| {
        unit.kind == UnitKind::Message || !matches!(unit.state, UnitState::Pending | UnitState::Started)
    };
    match (state.commits.is_empty(), state.failures().next().is_some()) {
        _ if matches!(state.status, RunStatus::Failed | RunStatus::NothingToDo | RunStatus::Aborted) => {
            state.standing()
        }
        (false, true) => "landed, with failures",
        (true, true) => "not complete, with failures",
        (false, false) if state.units.iter().all(worked_off) => "restored, checks passing",
        (true, false) if state.units.iter().all(worked_off) => "done, checks passing",
        (false, false) => "landed, verification under way",
        (true, false) => "in progress",
    }
}

/// A moment as people write it, in UTC.
fn to_the_second(moment: jiff::Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
