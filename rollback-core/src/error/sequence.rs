//! What can be wrong with a sequence of reverts or picks.

use super::kind::Family;
use super::words::list;
use crate::id::CommitId;
use crate::path::RepoPath;

/// A sequence that cannot be begun, or not be gone on with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SequenceError {
    /// Nothing waits to be gone on with.
    #[error("no cherry-pick or revert is in progress")]
    NothingInProgress,
    /// Something waits, and it is not this.
    #[error("no {command} is in progress")]
    NotInProgress {
        /// git's name for what was asked for.
        command: &'static str,
    },
    /// A sequence waits already.
    #[error("a {command} is already in progress")]
    AlreadyInProgress {
        /// git's name for it.
        command: &'static str,
        /// Whether it stands at a commit that can be skipped.
        can_skip: bool,
    },
    /// The commits that are left are for the other command.
    #[error("cannot {wanted} during a {found}")]
    OtherCommand {
        /// What was asked for.
        wanted: &'static str,
        /// What is in progress.
        found: &'static str,
    },
    /// A line of `sequencer/todo` says nothing that git would do.
    #[error("line {line} of sequencer/todo cannot be used: '{text}'")]
    UnreadableTodo {
        /// The line, from 1.
        line: usize,
        /// What it says.
        text: String,
    },
    /// `sequencer/head` names no commit.
    #[error("sequencer/head does not say where HEAD was before")]
    UnreadableHead,
    /// `sequencer/opts` cannot be used.
    #[error("{why}")]
    UnreadableOptions {
        /// What is wrong with it.
        why: String,
    },
    /// The branch had no commit when the sequence began.
    #[error("it began on a branch without commits, and there is no going back to that")]
    BeganUnborn,
    /// The commit at which it stopped was committed already.
    #[error("there is nothing to skip: HEAD moved since it stopped")]
    NothingToSkip {
        /// git's name for the command.
        command: &'static str,
    },
    /// A merge needs its mainline to be named.
    #[error("{commit} is a merge, and no mainline was named (-m)")]
    NeedsMainline {
        /// The merge.
        commit: CommitId,
    },
    /// The commit has no parent of that number.
    #[error("{commit} has no parent number {parent}")]
    NoSuchParent {
        /// The commit.
        commit: CommitId,
        /// The number, from 1.
        parent: usize,
    },
    /// What is staged would get mixed up with the result.
    #[error("the index differs from HEAD: {}", list(paths))]
    IndexDiffers {
        /// Where.
        paths: Vec<RepoPath>,
    },
    /// There is no commit that could be undone on a branch without commits.
    #[error("there is nothing to revert on a branch without commits")]
    NothingToRevert,
    /// The engine cannot decide a merge as git would.
    #[error("{commit} cannot be merged here: {why}")]
    NeedsReview {
        /// git's name for the command.
        command: &'static str,
        /// The commit.
        commit: CommitId,
        /// Why.
        why: String,
    },
    /// The program that merges by another strategy could not be started.
    #[error("{commit} is to be merged by the strategy '{name}', which cannot be started: {why}")]
    StrategyUnavailable {
        /// The commit to be picked.
        commit: CommitId,
        /// The strategy.
        name: String,
        /// Why.
        why: String,
    },
}

impl Family for SequenceError {
    fn code(&self) -> &'static str {
        match self {
            Self::NothingInProgress | Self::NotInProgress { .. } => "not-in-progress",
            Self::AlreadyInProgress { .. } => "operation-in-progress",
            Self::OtherCommand { .. } => "other-command-in-progress",
            Self::UnreadableTodo { .. } | Self::UnreadableHead => "unreadable-sequence",
            Self::UnreadableOptions { .. } => "unreadable-options",
            Self::BeganUnborn => "began-unborn",
            Self::NothingToSkip { .. } => "nothing-to-skip",
            Self::NeedsMainline { .. } => "needs-mainline",
            Self::NoSuchParent { .. } => "no-such-parent",
            Self::IndexDiffers { .. } => "index-differs",
            Self::NothingToRevert => "nothing-to-revert",
            Self::NeedsReview { .. } => "needs-review",
            Self::StrategyUnavailable { .. } => "strategy-unavailable",
        }
    }

    fn paths(&self) -> Vec<RepoPath> {
        match self {
            Self::IndexDiffers { paths } => paths.clone(),
            _ => Vec::new(),
        }
    }
}
