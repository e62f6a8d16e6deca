//! What keeps an operation of the log from being taken back.

use super::ErrorClass;
use super::kind::Family;
use super::words::list;
use crate::id::CommitId;
use crate::path::RepoPath;

/// An operation that is not there, or that cannot be taken back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OperationError {
    /// The operation stopped for a person, and what it left in progress is gone.
    #[error("operation {operation} stopped for a person, and nothing of it is in progress any more")]
    NotInProgress {
        /// The operation.
        operation: String,
    },
    /// Another operation went on with it, and is taken back as a whole.
    #[error("operation {by} went on with {operation}")]
    Continued {
        /// The operation.
        operation: String,
        /// The one that went on with it.
        by: String,
    },
    /// rb has landed nothing in this repository.
    #[error("rb has landed nothing here yet")]
    NothingLanded,
    /// Everything that rb landed is undone already.
    #[error("everything that rb landed here is undone already")]
    NothingToUndo,
    /// Nothing was undone since the last landing.
    #[error("nothing was undone here since the last landing")]
    NothingToRedo,
    /// The log of a branch has no move of git's that could be taken back.
    #[error("the log of {reference} has no move that git made and that could be taken back")]
    NoGitMove {
        /// The reference.
        reference: RepoPath,
    },
    /// The newest move of a branch is one that rb made.
    #[error("rb moved {reference} last, in operation {operation}")]
    MovedByRb {
        /// The reference.
        reference: RepoPath,
        /// The operation.
        operation: String,
    },
    /// The operation log has no such operation.
    #[error("'{spec}' names no operation of the log")]
    Unknown {
        /// What was given.
        spec: String,
    },
    /// The operation was taken back before.
    #[error("operation {operation} was undone already, by operation {by}")]
    AlreadyUndone {
        /// The operation.
        operation: String,
        /// The undo.
        by: String,
    },
    /// Commits were made on top of an operation that is to be taken back.
    #[error("later commits build on operation {operation}: {reference} is at {found}")]
    LaterCommits {
        /// The operation.
        operation: String,
        /// The reference that it moved.
        reference: String,
        /// Where that is now.
        found: CommitId,
        /// The commits that the operation made, in order.
        commits: Vec<CommitId>,
    },
    /// An operation that is to be taken back was made where HEAD was on something else.
    #[error("operation {operation} was made on {made_on}, and HEAD is on {head} here")]
    MadeElsewhere {
        /// The operation.
        operation: String,
        /// The reference that HEAD was on; `HEAD` where it was detached.
        made_on: RepoPath,
        /// The one that it is on; `HEAD` where it is detached.
        head: RepoPath,
    },
    /// The reference that an operation moved, which is to be taken back, is not there any more.
    #[error("{reference} is gone; operation {operation} left it at {expected}")]
    ReferenceGone {
        /// The operation.
        operation: String,
        /// The reference.
        reference: RepoPath,
        /// Where the operation left it.
        expected: CommitId,
    },
    /// Other branches have the commits of an operation that is to be taken back.
    #[error("{reference} already has what operation {operation} made")]
    Published {
        /// The operation.
        operation: String,
        /// The remote-tracking reference.
        reference: String,
        /// The commits that the operation made, in order.
        commits: Vec<CommitId>,
    },
    /// An operation left nothing that could be pushed.
    #[error("operation {operation} left nothing to push: {why}")]
    NothingToPush {
        /// The operation.
        operation: String,
        /// Why there is nothing.
        why: String,
    },
    /// There is no remote to push to, or none of this name.
    #[error("{}", match named {
        Some(name) => format!("no remote is called '{name}'"),
        None if remotes.is_empty() => "there is no remote to push to".to_owned(),
        None => format!("no remote is the branch's own, and there are several: {}", remotes.join(", ")),
    })]
    NoRemote {
        /// The name that was given.
        named: Option<String>,
        /// The remotes that there are.
        remotes: Vec<String>,
    },
    /// An operation put back paths outside of the repository, and writing there was not allowed in taking it back.
    #[error("operation {operation} put back {} outside of the repository", list(paths))]
    OutsideNotAllowed {
        /// The operation.
        operation: String,
        /// The paths.
        paths: Vec<RepoPath>,
    },
}

impl Family for OperationError {
    fn code(&self) -> &'static str {
        match self {
            Self::NothingLanded => "nothing-landed",
            Self::NothingToUndo => "nothing-to-undo",
            Self::NothingToRedo => "nothing-to-redo",
            Self::NoGitMove { .. } => "no-git-move",
            Self::MovedByRb { .. } => "moved-by-rb",
            Self::NotInProgress { .. } => "stop-is-over",
            Self::Continued { .. } => "continued",
            Self::Unknown { .. } => "unknown-operation",
            Self::AlreadyUndone { .. } => "already-undone",
            Self::LaterCommits { .. } => "later-commits",
            Self::MadeElsewhere { .. } => "made-elsewhere",
            Self::ReferenceGone { .. } => "reference-gone",
            Self::Published { .. } => "published",
            Self::NothingToPush { .. } => "nothing-to-push",
            Self::NoRemote { .. } => "no-remote",
            Self::OutsideNotAllowed { .. } => "outside-not-allowed",
        }
    }

    fn class(&self) -> ErrorClass {
        match self {
            Self::OutsideNotAllowed { .. } => ErrorClass::Consent,
            _ => ErrorClass::Precondition,
        }
    }

    fn paths(&self) -> Vec<RepoPath> {
        match self {
            Self::OutsideNotAllowed { paths, .. } => paths.clone(),
            _ => Vec::new(),
        }
    }
}
