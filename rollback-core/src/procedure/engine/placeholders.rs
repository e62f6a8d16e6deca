//! What placeholders stand for during a run.

use super::state::{RunState, RunStatus, Unit, UnitKind, UnitState};
use super::{EngineError, Result, Run};
use crate::id::CommitId;
use crate::procedure::format::{Period, spelled, text};
use crate::procedure::placeholder::{Known, OfCheck, Placeholder, Word, fill};
use crate::repo::CommitSummary;

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

    /// All arguments of a command. No shell reads them, so a home folder that the procedure names is filled in here. A
    /// value never becomes an option.
    pub(super) fn arguments(&self, run: &[String]) -> Result<Vec<String>> {
        let mut options_ended = false;
        let mut filled = Vec::with_capacity(run.len());
        for argument in run {
            let mut value = self.words_for_program(argument)?;
            if argument.starts_with("~/") {
                value = self.expanded(&value).display().to_string();
            }
            if value.starts_with('-') && !argument.starts_with('-') && !options_ended {
                return Err(EngineError::ValueIsOption { argument: argument.clone(), value });
            }
            options_ended |= argument == "--";
            filled.push(value);
        }
        Ok(filled)
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
        match found.word() {
            Ok(Word::Known(known)) => self.known(known, each),
            Ok(Word::Input(name)) => self.input(name, audience),
            Ok(Word::Check(name, what)) => Ok(self.of_a_check(name, what)),
            // A secret stands in standard input alone, which is filled elsewhere; nothing else gets past the checker.
            Ok(Word::Secret(_)) | Err(_) => Ok(String::new()),
        }
    }

    /// What the run knows by itself; empty where it is not known yet.
    fn known(&self, known: Known, each: Option<&str>) -> Result<String> {
        let (state, repo) = (&self.state, self.engine.repo);
        let short = |id: Option<&CommitId>| id.map_or(String::new(), |id| repo.abbreviation(*id));
        let summary = |id: Option<&CommitId>| id.map(|id| repo.commit_summary(*id)).transpose();
        let first_parent = |commit: CommitSummary| commit.parents.first().copied();
        let source = state.source.as_ref().or(state.targets.first());
        Ok(match known {
            Known::EachValue => each.unwrap_or_default().to_owned(),
            Known::PhaseId => state.phase.clone(),
            Known::PhaseTitle => self.phase.title.clone().unwrap_or_else(|| state.phase.clone()),
            Known::PhaseRto => text(state.rto),
            Known::PhaseSeverity => text(state.severity.as_ref()),
            Known::ProcedureId => state.procedure.clone(),
            Known::ProcedureTitle => text(self.procedure.document.title.as_ref()),
            Known::TriggerText | Known::TriggerId => state.trigger.clone(),
            Known::TargetCommit => text(state.targets.first()),
            Known::TargetShort => short(state.targets.first()),
            Known::TargetSubject => text(summary(state.targets.first())?.map(|commit| commit.subject)),
            Known::TargetParent => text(summary(state.targets.last())?.and_then(first_parent)),
            Known::TargetPath => text(self.phase.paths.first()),
            Known::SourceCommit => text(source),
            Known::SourceShort => short(source),
            Known::ResultCommit => text(state.commits.last()),
            Known::ResultShort => short(state.commits.last()),
            Known::ResultTree => text(state.commits.last().map(|id| repo.tree_of_commit(*id)).transpose()?),
            Known::ResultBranch => text(state.landed_on.as_ref()),
            Known::ResultStrategy => strategy(state),
            Known::TipCommit => state.tip.to_string(),
            Known::TipShort => short(Some(&state.tip)),
            Known::TipBranch => state.reference.trim_start_matches("refs/heads/").to_owned(),
            Known::CandidateFolder => candidate_folder(state),
            Known::DateIso => self.date("%Y-%m-%d"),
            Known::DateCompact => self.date("%Y%m%d"),
            Known::DateStamp => self.date("%Y%m%d-%H%M%S"),
            Known::DateTime => self.date("%Y-%m-%d %H:%M:%S UTC"),
            Known::RunId => state.id.clone(),
            Known::RunStarted => to_the_second(state.started),
            Known::RunFinished => to_the_second(state.finished.unwrap_or_else(|| self.engine.clock.now())),
            Known::RunDuration => self.elapsed().to_string(),
            Known::RunMinutes => self.elapsed().0.as_secs().div_ceil(60).max(1).to_string(),
            Known::RunOperator => state.roles.join(", "),
            // A run without a reason has at least a trigger.
            Known::RunReason if state.reason.is_empty() => state.trigger.clone(),
            Known::RunReason => state.reason.clone(),
            Known::RunStatus => so_far(state).to_owned(),
            Known::RunResults => super::report::results(state),
            Known::RunTimeline => super::report::timeline(state),
            Known::RunEvidence => state.evidence.keys().cloned().collect::<Vec<_>>().join(", "),
        })
    }

    fn date(&self, format: &str) -> String {
        self.state.started.to_zoned(jiff::tz::TimeZone::UTC).strftime(format).to_string()
    }

    pub(super) fn elapsed(&self) -> Period {
        let end = self.state.finished.unwrap_or_else(|| self.engine.clock.now());
        let seconds = end.duration_since(self.state.started).as_secs();
        Period(std::time::Duration::from_secs(seconds.try_into().unwrap_or_default()))
    }

    fn of_a_check(&self, check: &str, what: OfCheck) -> String {
        let Some(verdict) = self.state.verdict(check) else { return "not run".to_owned() };
        match what {
            OfCheck::Outcome => verdict.outcome.to_string(),
            OfCheck::Expected => verdict.expected.clone().unwrap_or_default(),
            OfCheck::Found => verdict.found.clone().unwrap_or_default(),
        }
    }
}

/// The strategy of the rung that was taken; where the phase has no rung, values were set.
fn strategy(state: &RunState) -> String {
    let taken = state.rungs.iter().rev().find(|rung| rung.taken);
    taken.map_or(String::new(), |rung| rung.kind.map_or("set".into(), |kind| spelled(&kind)))
}

fn candidate_folder(state: &RunState) -> String {
    let folder = state.pause.as_ref().and_then(|pause| pause.folder.as_ref());
    folder.map_or_else(|| "the candidate's folder".into(), |folder| folder.display().to_string())
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
