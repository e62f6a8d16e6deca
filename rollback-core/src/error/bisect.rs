//! What keeps a bisection from beginning.

use super::kind::Family;
use crate::id::CommitId;

/// Commits between which there is nothing to find, or nothing that a check could tell apart.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BisectError {
    /// The good commit has the bad one in its past.
    #[error("{good} was named as good and has {bad} in its past: there is no commit between")]
    NothingBetween {
        /// The commit that was named as good.
        good: CommitId,
        /// The bad one.
        bad: CommitId,
    },
    /// The check passes where it should fail.
    #[error("the check passes at {commit}, which should be bad: there is nothing to find")]
    BadIsGood {
        /// The commit.
        commit: CommitId,
    },
    /// The check fails where it should pass.
    #[error("the check fails at {commit}, which was named as good: {reason}")]
    GoodIsBad {
        /// The commit.
        commit: CommitId,
        /// Why, as a fragment.
        reason: String,
    },
    /// The check fails where the pasts of the good and the bad commit meet.
    #[error(
        "the check fails at {base}, where the pasts of the good and the bad commit meet: {good} has what mends it"
    )]
    MendedSince {
        /// The commit at which they meet.
        base: CommitId,
        /// The good commit, which is not in the past of the bad one.
        good: CommitId,
    },
    /// The check says nothing about an end of the range.
    #[error("the check says nothing about {commit}: {reason}")]
    NotJudged {
        /// The commit.
        commit: CommitId,
        /// Why, as a fragment.
        reason: String,
    },
    /// The check passes nowhere on the first-parent line.
    #[error("the check passes at none of {judged} commits on the first-parent line back to {oldest}")]
    NoGood {
        /// The oldest of them.
        oldest: CommitId,
        /// How many were judged.
        judged: usize,
    },
    /// No commit of the range touches the paths, or none that does is the culprit.
    #[error("what turned bad between {good} and {bad} is no change to the given paths")]
    NotInPaths {
        /// The good commit.
        good: CommitId,
        /// The bad one.
        bad: CommitId,
    },
}

impl Family for BisectError {
    fn code(&self) -> &'static str {
        match self {
            Self::NothingBetween { .. } => "nothing-between",
            Self::BadIsGood { .. } => "bad-is-good",
            Self::GoodIsBad { .. } => "good-is-bad",
            Self::MendedSince { .. } => "mended-since",
            Self::NotJudged { .. } => "not-judged",
            Self::NoGood { .. } => "no-good-commit",
            Self::NotInPaths { .. } => "not-in-paths",
        }
    }
}
