//! The report of a rehearsal: a row a change, with what is in its way.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{CommitLine, Facts, Graph, Report, ReportKind, ReportOutcome, SCHEMA_VERSION, Standing, Timing};
use crate::id::CommitId;
use crate::path::RepoPath;
use crate::rehearsal::{Prospect, Rehearsal, RehearsalSummary, RehearsedChange};

/// How many digits of an id are shown: without a repository none can be told to suffice.
const DIGITS: usize = 10;

/// A change of a rehearsal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct MatrixRow {
    /// The change.
    #[serde(flatten)]
    pub commit: CommitLine,
    /// The parent of a merge that it was compared with, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mainline: Option<usize>,
    /// How it stands.
    pub prospect: Prospect,
    /// Why, where neither paths nor commits say it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// The paths in conflict.
    pub conflicts: Vec<RepoPath>,
    /// The later commits that are in the way.
    pub blocked_by: Vec<CommitLine>,
}

impl Report {
    /// The report of a rehearsal that was made at `at`.
    pub fn of_rehearsal(rehearsal: &Rehearsal, at: Timestamp) -> Self {
        let summary = rehearsal.summary();
        let mut facts = Facts::default();
        facts.add("Rolled back onto", rehearsal.range.tip.to_string());
        facts.add("Can be rolled back or are undone", format!("{:.1}%", summary.percent()));
        Self {
            schema_version: SCHEMA_VERSION,
            kind: ReportKind::Rehearsal,
            id: rehearsal.range.tip.to_hex_with_len(DIGITS),
            title: match summary.changes {
                1 => "Rehearsal of 1 change".into(),
                changes => format!("Rehearsal of {changes} changes"),
            },
            outcome: outcome(&summary),
            timing: Timing { started: at, finished: Some(at), elapsed_ms: None, target_ms: None },
            facts: facts.0,
            matrix: rehearsal.changes.iter().map(|change| row(change, rehearsal)).collect(),
            timeline: Vec::new(),
            graph: Graph::default(),
            ladder: Vec::new(),
            changes: Vec::new(),
            moved: None,
            diff: None,
            checks: Vec::new(),
            outside: Vec::new(),
            evidence: Vec::new(),
            followups: Vec::new(),
            messages: Vec::new(),
        }
    }
}

fn outcome(summary: &RehearsalSummary) -> ReportOutcome {
    let open = summary.changes - summary.revertible - summary.undone;
    let mut detail =
        format!("{} of {} can be rolled back with one command.", summary.revertible, summary.changes);
    for (number, what) in [
        (summary.undone, "undone already"),
        (summary.conflicted, "blocked by later changes"),
        (summary.checks_failed, "with failing checks"),
        (summary.inconclusive, "that the checks cannot tell"),
        (summary.needs_review, "to look at"),
    ] {
        if number > 0 {
            detail.push_str(&format!(" {number} {what}."));
        }
    }
    let (word, standing) = match open {
        0 => ("All can go back", Standing::Good),
        _ => ("Some are blocked", Standing::Attention),
    };
    ReportOutcome { word: word.into(), standing, detail }
}

fn row(change: &RehearsedChange, rehearsal: &Rehearsal) -> MatrixRow {
    let line = |id: CommitId| {
        let own = rehearsal.changes.iter().find(|other| other.commit_id == id);
        let subject = own.map(|own| own.subject.clone()).unwrap_or_default();
        CommitLine { commit_id: id, short: id.to_hex_with_len(DIGITS), subject }
    };
    let why = match &change.check {
        Some(verdict) if verdict.blocks() => verdict.reason.clone(),
        _ => change.reason.clone().unwrap_or_default(),
    };
    MatrixRow {
        commit: line(change.commit_id),
        mainline: change.mainline,
        prospect: change.prospect(),
        why,
        conflicts: change.conflicts.clone(),
        blocked_by: change.blocked_by.iter().flatten().map(|id| line(*id)).collect(),
    }
}
