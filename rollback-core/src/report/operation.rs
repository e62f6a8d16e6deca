//! The report of an operation, from its entry in the operation log.

use jiff::Timestamp;

use super::graph::{Graph, Marks, Part, marks_of_plan, nodes};
use super::origin::{add_origin, add_requests};
use super::{
    Changed, CheckReport, CommitLine, Facts, Look, Moment, Moved, Report, ReportKind, ReportOutcome,
    RungReport, SCHEMA_VERSION, Standing, Timing,
};
use crate::checks::command_line;
use crate::error::Result;
use crate::id::{CommitId, Entry};
use crate::oplog::{Operation, OperationRef, kind};
use crate::plan::{Attempt, AttemptResult, LossClass, Plan};
use crate::receipt::{Published, Receipt};
use crate::repo::Repo;
use crate::repo::refs::short_reference;
use crate::strategy::Strategy;
use crate::verdict::{CheckKind, CheckRun, On};

/// The most commits of a kind that a graph shows.
pub(super) const SHOWN: usize = 8;

impl Repo {
    /// The report of an operation of the operation log.
    ///
    /// # Errors
    /// [`OperationError::Unknown`](crate::error::OperationError::Unknown), and what reading the log can meet.
    pub fn report_of_operation(&self, which: &OperationRef) -> Result<Report> {
        let (operation, receipt) = self.operation_with_receipt(which)?;
        let at = Timestamp::from_second(operation.time).unwrap_or_default();
        Ok(Report {
            schema_version: SCHEMA_VERSION,
            kind: ReportKind::Operation,
            title: title(&operation),
            outcome: outcome(&operation, receipt.as_ref()),
            timing: Timing { started: at, finished: Some(at), elapsed_ms: None, target_ms: None },
            facts: facts(self, &operation, receipt.as_ref()),
            matrix: Vec::new(),
            timeline: timeline(&operation, receipt.as_ref(), at),
            graph: graph(self, &operation, receipt.as_ref()),
            ladder: receipt.iter().flat_map(|receipt| ladder(self, &receipt.plan)).collect(),
            changes: changes(&operation, receipt.as_ref()),
            moved: operation.before.zip(operation.after).map(|(before, after)| Moved { before, after }),
            diff: None,
            checks: receipt.iter().flat_map(|receipt| checks(&receipt.plan)).collect(),
            outside: Vec::new(),
            evidence: Vec::new(),
            followups: Vec::new(),
            messages: Vec::new(),
            id: operation.operation_id,
        })
    }

    /// A commit in a line; one that cannot be read by its id alone.
    pub(super) fn commit_line(&self, commit_id: CommitId) -> CommitLine {
        match self.commit_summary(commit_id) {
            Ok(known) => CommitLine { commit_id, short: known.abbreviation, subject: known.subject },
            Err(_) => CommitLine { commit_id, short: commit_id.to_hex_with_len(7), subject: String::new() },
        }
    }
}

fn title(operation: &Operation) -> String {
    let target = &operation.target;
    match operation.kind.as_str() {
        kind::UNDO => format!("Undo of {target}"),
        kind::REDO => format!("Redo of {}", target.strip_prefix("undo ").unwrap_or(target)),
        kind::UNDO_GIT => format!("Undo of git's {target}"),
        kind::CHECKPOINT_RESTORE => format!("Return to the checkpoint {target}"),
        kind::RESTORE_UNCOMMITTED => format!("Restore of {target}"),
        kind if kind == Strategy::CherryPick.name() => format!("Pick of {target}"),
        _ => format!("Rollback of {target}"),
    }
}

fn outcome(operation: &Operation, receipt: Option<&Receipt>) -> ReportOutcome {
    let later = receipt.and_then(|receipt| receipt.outcome.later_failure.clone());
    let reference = operation.reference.to_string();
    let branch = short_reference(&reference);
    match (&operation.undone_by, later) {
        (Some(by), _) => ReportOutcome {
            word: "Taken back".into(),
            standing: Standing::Attention,
            detail: format!("Operation {by} took it back."),
        },
        (None, Some(failure)) => ReportOutcome {
            word: "Landed, then failed".into(),
            standing: Standing::Attention,
            detail: failure,
        },
        (None, None) if operation.staged => ReportOutcome {
            word: "Staged".into(),
            standing: Standing::Open,
            detail: "Index and work tree hold the result; no commit was made.".into(),
        },
        (None, None) => ReportOutcome {
            word: "Landed".into(),
            standing: Standing::Good,
            detail: format!("The result is on {branch}."),
        },
    }
}

fn facts(repo: &Repo, operation: &Operation, receipt: Option<&Receipt>) -> Vec<super::Fact> {
    let mut facts = Facts::default();
    add_origin(&mut facts, repo, &operation.reference.to_string(), operation.after);
    if let Some(receipt) = receipt {
        add_requests(&mut facts, repo, &receipt.plan.target.commits);
    }
    facts.add("Strategy", &operation.kind);
    facts.add("Reference", operation.reference.to_string());
    facts.add("Before", operation.before.map_or(String::new(), |id| id.to_string()));
    facts.add("After", operation.after.map_or(String::new(), |id| id.to_string()));
    facts.add("Takes back", operation.undoes.clone().unwrap_or_default());
    add_published(&mut facts, operation.published.as_ref());
    if let Some(plan) = receipt.map(|receipt| &receipt.plan) {
        if let Some(culprit) = &plan.target.culprit {
            let short = repo.abbreviation(culprit.commit_id);
            facts.add("The change", format!("{short} {} ({})", culprit.subject, culprit.author));
        }
        facts.add("Reason", plan.request.options.message.reason.clone().unwrap_or_default());
        if let Some(chosen) = plan.chosen_attempt() {
            facts.add("Loss", kept(chosen));
        }
    }
    facts.0
}

/// Where the result went from here.
fn add_published(facts: &mut Facts, published: Option<&Published>) {
    let Some(published) = published else { return };
    let place = format!("{} {}", published.remote, published.branch());
    match &published.refusal {
        Some(refusal) => facts.add("Not pushed", format!("{place}: {}", refusal.why)),
        None => facts.add("Pushed to", place),
    }
    let url = published.pull_request.as_ref().and_then(|request| request.url.clone());
    facts.add("Opened pull request", url.unwrap_or_default());
}

/// What became of later edits.
fn kept(attempt: &Attempt) -> String {
    match (attempt.loss.class, attempt.loss.discards.len()) {
        (LossClass::Exact, _) => "exactly as before the change".into(),
        (LossClass::Inverse, _) => "later edits were kept".into(),
        (LossClass::Snapshot, 0) => "nothing was discarded".into(),
        (LossClass::Snapshot, 1) => "the edits of 1 later commit were discarded".into(),
        (LossClass::Snapshot, number) => format!("the edits of {number} later commits were discarded"),
    }
}

fn timeline(operation: &Operation, receipt: Option<&Receipt>, at: Timestamp) -> Vec<Moment> {
    let mut moments: Vec<_> = receipt.iter().flat_map(|receipt| checked(&receipt.plan)).collect();
    let reference = operation.reference.to_string();
    moments.push(Moment {
        at: Some(at),
        elapsed_ms: None,
        kind: "landing".into(),
        name: short_reference(&reference).to_owned(),
        state: "done".into(),
        note: match (operation.staged, operation.commit_ids.len()) {
            (true, _) => Some("into index and work tree".into()),
            (false, 0) => None,
            (false, 1) => Some("one commit".into()),
            (false, number) => Some(format!("{number} commits, one move")),
        },
    });
    moments
}

/// A row for each tree that checks ran on, in the order in which they did.
fn checked(plan: &Plan) -> Vec<Moment> {
    let mut moments = Vec::new();
    for runs in plan.checks.chunk_by(|one, other| (one.on, one.attempt) == (other.on, other.attempt)) {
        let attempt = runs[0].attempt.and_then(|index| plan.attempts.get(index));
        let passed = runs.iter().filter(|run| !run.verdict.blocks()).count();
        let result = match attempt {
            Some(_) if passed < runs.len() => "failed",
            _ => "done",
        };
        moments.push(Moment {
            at: None,
            elapsed_ms: Some(runs.iter().map(|run| run.elapsed_ms).sum()),
            kind: "checks".into(),
            name: attempt
                .map_or("the tip as it was".into(), |attempt| format!("the result of {}", attempt.strategy)),
            state: result.into(),
            note: Some(format!("{passed} of {} passed", runs.len())),
        });
    }
    moments
}

fn graph(repo: &Repo, operation: &Operation, receipt: Option<&Receipt>) -> Graph {
    let Some(receipt) = receipt else {
        let mut after = Marks::default();
        let reference = operation.reference.to_string();
        if let Some(id) = operation.after {
            after.add(id, Part::Tip, short_reference(&reference));
        }
        let mut before = Marks::default();
        if let Some(id) = operation.before {
            before.add(id, Part::Undone, short_reference(&reference));
        }
        return Graph { before: nodes(repo, before.0), after: nodes(repo, after.0) };
    };
    Graph {
        before: nodes(repo, marks_of_plan(&receipt.plan, None, SHOWN)),
        after: nodes(repo, marks_of_plan(&receipt.plan, Some(&receipt.outcome), SHOWN)),
    }
}

fn ladder(repo: &Repo, plan: &Plan) -> Vec<RungReport> {
    let rung = |(index, attempt): (usize, &Attempt)| {
        let taken = plan.chosen == Some(index);
        RungReport {
            strategy: attempt.strategy.name().to_owned(),
            subject: subject(repo, attempt),
            taken,
            result: result(attempt, taken).to_owned(),
            why: why(attempt, taken),
            discards: attempt.loss.discards.iter().map(|id| repo.commit_line(*id)).collect(),
        }
    };
    plan.attempts.iter().enumerate().map(rung).collect()
}

fn subject(repo: &Repo, attempt: &Attempt) -> String {
    match (attempt.strategy, attempt.from, attempt.commit_id) {
        (Strategy::RestoreFile, Some(from), _) => format!("from {}", repo.abbreviation(from)),
        (_, _, Some(commit)) => {
            let mainline = attempt.mainline.map(|number| format!(" -m {number}")).unwrap_or_default();
            let part = match attempt.scope.as_ref().map(|scope| scope.paths().len()) {
                Some(0) | None => "",
                Some(1) => ", one path of it",
                Some(_) => ", some paths of it",
            };
            format!("{}{mainline}{part}", repo.abbreviation(commit))
        }
        _ if attempt.steps.len() > 1 => format!("{} commits", attempt.steps.len()),
        _ => String::new(),
    }
}

fn result(attempt: &Attempt, taken: bool) -> &'static str {
    match attempt.result {
        AttemptResult::Clean if taken => "taken",
        AttemptResult::Clean if attempt.reason.is_some() => "rejected",
        AttemptResult::Clean => "not needed",
        AttemptResult::Conflicted => "conflicts",
        AttemptResult::Empty => "changes nothing",
        AttemptResult::AlreadyRolledBack => "already rolled back",
        AttemptResult::NotApplicable => "does not apply",
        AttemptResult::NeedsReview => "needs a person",
    }
}

fn why(attempt: &Attempt, taken: bool) -> String {
    if let Some(reason) = attempt.reason.as_ref().filter(|_| attempt.conflicts.is_empty()) {
        return reason.clone();
    }
    if !attempt.conflicts.is_empty() {
        let paths: Vec<_> = attempt.conflicts.iter().map(|conflict| conflict.path.to_string()).collect();
        return format!("in {}", paths.join(", "));
    }
    match (taken, attempt.paths_touched.len()) {
        (true, 1) => format!("clean, 1 path; {}", kept(attempt)),
        (true, number) => format!("clean, {number} paths; {}", kept(attempt)),
        (false, _) => String::new(),
    }
}

fn changes(operation: &Operation, receipt: Option<&Receipt>) -> Vec<Changed> {
    let kind = |before: &Option<Entry>, after: &Option<Entry>| match (before, after) {
        (None, _) => "added",
        (_, None) => "deleted",
        _ => "modified",
    };
    let chosen = receipt.and_then(|receipt| receipt.plan.chosen_attempt());
    match chosen.filter(|attempt| !attempt.changes.is_empty()) {
        Some(attempt) => attempt
            .changes
            .iter()
            .map(|change| Changed {
                path: change.path.clone(),
                kind: kind(&change.before, &change.after).into(),
            })
            .collect(),
        None => operation
            .paths
            .iter()
            .map(|path| Changed { path: path.clone(), kind: "modified".into() })
            .collect(),
    }
}

fn checks(plan: &Plan) -> Vec<CheckReport> {
    let several = plan.checks.iter().any(|run| run.attempt.is_some() && run.attempt != plan.chosen);
    plan.checks
        .iter()
        .filter(|run| run.on == On::Candidate)
        .map(|run| {
            let same =
                |other: &&CheckRun| other.on == On::Control && other.kind == run.kind && other.run == run.run;
            let attempt = run.attempt.and_then(|index| plan.attempts.get(index)).filter(|_| several);
            let setup = if run.kind == CheckKind::Setup { "setup: " } else { "" };
            CheckReport {
                name: format!("{setup}{}", command_line(&run.run)),
                title: attempt.map(|attempt| format!("on the result of {}", attempt.strategy)),
                before: plan.checks.iter().find(same).map(look),
                candidate: Some(look(run)),
                live: None,
            }
        })
        .collect()
}

fn look(run: &CheckRun) -> Look {
    let mut output = run.stdout.clone();
    if !run.stderr.is_empty() {
        if !output.is_empty() && !output.ends_with('\n') {
            output.push('\n');
        }
        output.push_str(&run.stderr);
    }
    Look { verdict: run.verdict.clone(), elapsed_ms: Some(run.elapsed_ms), output }
}
