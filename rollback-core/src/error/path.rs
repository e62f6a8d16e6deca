//! What a path is not, or must not be.

use super::kind::Family;
use super::{ErrorClass, LastSeen};
use crate::id::CommitId;
use crate::path::RepoPath;

/// A path that means nothing in the history that was searched, or that must not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// A path is spelled in a way that no path inside a repository can be.
    #[error("'{path}' is not a path inside the repository: {why}")]
    Invalid {
        /// What was given.
        path: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The path does not occur in the history of the tip.
    #[error("path '{path}' never existed in the history of {tip}")]
    NeverExisted {
        /// The path asked for.
        path: RepoPath,
        /// The tip whose history was searched.
        tip: CommitId,
        /// Where it did exist: a reference beside the tip's history, and the commit seen there.
        last_seen: Option<LastSeen>,
        /// Paths at the tip that differ from it in ASCII case alone.
        case_twins: Vec<RepoPath>,
        /// Paths at the tip that are spelled almost like it, the most alike first.
        nearest: Vec<RepoPath>,
    },
    /// Neither HEAD nor the index has the path, so that git has no version of it to bring back.
    #[error("path '{path}' is neither in HEAD nor in the index{}", removed_by.map(|commit| format!(": {commit} removed it")).unwrap_or_default())]
    NotTracked {
        /// The path asked for.
        path: RepoPath,
        /// The commit that removed it, where one did.
        removed_by: Option<CommitId>,
    },
    /// The path is kept out of the work tree, by a sparse checkout or by hand.
    #[error("path '{path}' is kept out of the work tree (skip-worktree)")]
    KeptOut {
        /// The path asked for.
        path: RepoPath,
    },
    /// The path exists and was never good in the history of the tip.
    #[error("path '{path}' was never good in the history of {tip}")]
    NeverGood {
        /// The path asked for.
        path: RepoPath,
        /// The tip whose history was searched.
        tip: CommitId,
    },
    /// Two paths of the result are one file on this file system.
    #[error("path {path} differs only in case from {twin}, and this file system does not tell them apart")]
    CaseCollision {
        /// A path that would be written.
        path: RepoPath,
        /// The path it collides with.
        twin: RepoPath,
    },
    /// A tree holds a path that must never be written.
    #[error("refusing to write the path {path:?}: {why}")]
    Hostile {
        /// The path as the tree spells it.
        path: RepoPath,
        /// What it could do.
        why: &'static str,
    },
}

impl Family for PathError {
    fn code(&self) -> &'static str {
        match self {
            Self::Invalid { .. } => "invalid-path",
            Self::NeverExisted { .. } => "path-never-existed",
            Self::NotTracked { .. } => "not-tracked",
            Self::KeptOut { .. } => "kept-out",
            Self::NeverGood { .. } => "never-good",
            Self::CaseCollision { .. } => "case-collision",
            Self::Hostile { .. } => "hostile-path",
        }
    }

    fn class(&self) -> ErrorClass {
        match self {
            Self::Invalid { .. } => ErrorClass::Usage,
            _ => ErrorClass::Precondition,
        }
    }

    fn paths(&self) -> Vec<RepoPath> {
        match self {
            Self::NeverExisted { path, .. }
            | Self::NotTracked { path, .. }
            | Self::KeptOut { path }
            | Self::NeverGood { path, .. }
            | Self::Hostile { path, .. } => vec![path.clone()],
            Self::CaseCollision { path, twin } => vec![path.clone(), twin.clone()],
            _ => Vec::new(),
        }
    }
}
