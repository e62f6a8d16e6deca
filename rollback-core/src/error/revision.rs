//! What a revision does not name.

use super::kind::Family;
use super::words::abbreviated;
use super::{ErrorClass, Source};
use crate::id::CommitId;

/// A revision that names nothing, too much or the wrong thing, or history that does not reach so far.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RevisionError {
    /// A revision names nothing.
    #[error("unknown revision '{spec}'")]
    Unknown {
        /// What was given.
        spec: String,
        /// Why it could not be resolved.
        #[source]
        source: Option<Source>,
    },
    /// A date is older than the first commit.
    #[error("nothing was committed by {date}: the history of {} begins on {begins}", tip.to_hex_with_len(10))]
    BeforeHistory {
        /// What was given.
        date: String,
        /// The day of the oldest first-parent commit, such as `2026-01-31`.
        begins: String,
        /// The commit whose history it is.
        tip: CommitId,
    },
    /// An abbreviated id names more than one object.
    #[error("'{spec}' is ambiguous: it could be {}", candidates.join(", "))]
    Ambiguous {
        /// What was given.
        spec: String,
        /// The objects that it could be.
        candidates: Vec<String>,
    },
    /// A revision names something other than a commit.
    #[error("'{spec}' is a {kind}, not a commit")]
    NotACommit {
        /// What was given.
        spec: String,
        /// What it is.
        kind: String,
    },
    /// Revisions that together name no commit, such as `main..main`.
    #[error("no commit is in {}", specs.join(" "))]
    EmptyCommitSet {
        /// What was given.
        specs: Vec<String>,
    },
    /// The commits of a range are not what lies between its ends along first parents.
    #[error(
        "range {spec} does not follow first parents: {} {} brought in commits that it leaves out",
        if brought_by.len() == 1 { "merge" } else { "merges" },
        abbreviated(brought_by)
    )]
    RangeOffLine {
        /// The range.
        spec: String,
        /// The merges that brought in what the range leaves out, the oldest first.
        brought_by: Vec<CommitId>,
    },
    /// The branch never was at a commit along its first parents, so there are no changes since to undo one by one.
    #[error("{reference} never was at {} along its first parents", commit.to_hex_with_len(10))]
    NeverThere {
        /// The reference.
        reference: String,
        /// The commit.
        commit: CommitId,
    },
    /// `--mainline` names a parent the commit does not have, or the commit is no merge.
    #[error("mainline {mainline} does not fit {commit}, which has {parents} parent{}", if *parents == 1 { "" } else { "s" })]
    MainlineOutOfRange {
        /// The commit.
        commit: CommitId,
        /// The parent asked for, counted from 1.
        mainline: usize,
        /// How many parents the commit has.
        parents: usize,
    },
    /// History ends at a shallow boundary before the question could be answered.
    #[error("history is shallow: it ends at {boundary} before {what} could be found")]
    ShallowHistory {
        /// The first boundary commit met.
        boundary: CommitId,
        /// What was being looked for.
        what: String,
    },
    /// The branch has no commit yet.
    #[error("the current branch {branch} has no commit yet")]
    Unborn {
        /// The branch that HEAD names.
        branch: String,
    },
}

impl Family for RevisionError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown { .. } => "unknown-revision",
            Self::BeforeHistory { .. } => "before-history",
            Self::Ambiguous { .. } => "ambiguous-revision",
            Self::NotACommit { .. } => "not-a-commit",
            Self::EmptyCommitSet { .. } => "empty-commit-set",
            Self::RangeOffLine { .. } => "range-off-line",
            Self::NeverThere { .. } => "never-there",
            Self::MainlineOutOfRange { .. } => "mainline-out-of-range",
            Self::ShallowHistory { .. } => "shallow-history",
            Self::Unborn { .. } => "unborn-branch",
        }
    }

    fn class(&self) -> ErrorClass {
        match self {
            Self::MainlineOutOfRange { .. } => ErrorClass::Usage,
            _ => ErrorClass::Precondition,
        }
    }
}
