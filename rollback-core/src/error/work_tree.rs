//! What stands in the way in the work tree and the index.

use std::path::PathBuf;

use super::InTheWay;
use super::kind::Family;
use super::words::list;
use crate::path::RepoPath;

/// Work that is not committed or not finished, in the place where the result would be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkTreeError {
    /// A merge, rebase or the like waits to be finished.
    #[error("{operation} is in progress in this work tree")]
    OperationInProgress {
        /// What waits, such as `a merge`.
        operation: &'static str,
    },
    /// The index holds conflicts.
    #[error("the index has unmerged entries: {}", list(paths))]
    Unmerged {
        /// The paths with stages.
        paths: Vec<RepoPath>,
    },
    /// Uncommitted work stands where the result would be written.
    #[error("{} would be overwritten: {}", reason.describe(), list(paths))]
    InTheWay {
        /// What kind of work it is.
        reason: InTheWay,
        /// Where it stands.
        paths: Vec<RepoPath>,
    },
    /// Files were written to while they were displaced; what was written was kept.
    #[error("{} was written to while it was replaced; what was written is kept in {}", paths.first().map(ToString::to_string).unwrap_or_default(), folder.display())]
    SetAside {
        /// The paths that the files had.
        paths: Vec<RepoPath>,
        /// Where the files are, each at its path.
        folder: PathBuf,
    },
}

impl Family for WorkTreeError {
    fn code(&self) -> &'static str {
        match self {
            Self::OperationInProgress { .. } => "operation-in-progress",
            Self::Unmerged { .. } => "unmerged-index",
            Self::InTheWay { .. } => "in-the-way",
            Self::SetAside { .. } => "set-aside",
        }
    }

    fn paths(&self) -> Vec<RepoPath> {
        match self {
            Self::Unmerged { paths } | Self::InTheWay { paths, .. } | Self::SetAside { paths, .. } => {
                paths.clone()
            }
            _ => Vec::new(),
        }
    }
}
