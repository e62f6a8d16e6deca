//! What keeps a result from landing, or stops it there.

use std::path::PathBuf;

use super::kind::Family;
use super::words::list;
use super::{ErrorClass, NotPutBack, Source};
use crate::id::CommitId;
use crate::path::{Rename, RepoPath, old_names};

/// Why a result may not land, or did not land as it was to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LandingError {
    /// The branch is not where the plan found it.
    #[error("{reference} moved from {expected} to {found} since the plan was made")]
    Moved {
        /// The reference, such as `HEAD`.
        reference: String,
        /// Where the plan found it.
        expected: CommitId,
        /// Where it is now.
        found: CommitId,
    },
    /// What is staged is not what the plan was made on.
    #[error("what is staged is not what it was when the plan was made")]
    IndexMoved,
    /// A plan that was read from a file says something else than planning the same request does.
    #[error(
        "the plan is not what planning gives here: '{field}' differs, so it was altered, or made of another state"
    )]
    PlanAltered {
        /// The first field that differs, such as `attempts[0].tree_id`.
        field: String,
    },
    /// The branch to be made is there and holds something else.
    #[error("branch {branch} already exists at {found}, which is not this result")]
    BranchExists {
        /// The branch.
        branch: String,
        /// Where it is.
        found: CommitId,
    },
    /// A name that git would not accept for a branch.
    #[error("'{name}' is not a valid branch name")]
    InvalidBranchName {
        /// What was given.
        name: String,
    },
    /// The branch to be moved is checked out.
    #[error("branch {branch} is checked out at {}", worktree.display())]
    BranchCheckedOut {
        /// The branch.
        branch: String,
        /// The work tree that has it.
        worktree: PathBuf,
    },
    /// The upstream of the branch changed the same paths, and the tip lacks these changes.
    #[error("{upstream} has {count} newer change{} to {path} that the tip lacks", if *count == 1 { "" } else { "s" })]
    UpstreamAhead {
        /// The remote-tracking branch.
        upstream: String,
        /// How many commits change the path there.
        count: usize,
        /// The path.
        path: RepoPath,
    },
    /// The chosen result discards later edits, which was not allowed.
    #[error(
        "the result discards {} later change{} to {}{}",
        discards.len(),
        if discards.len() == 1 { "" } else { "s" },
        list(paths),
        old_names(renamed)
    )]
    LossNotAllowed {
        /// The commits whose edits would be gone.
        discards: Vec<CommitId>,
        /// The paths concerned.
        paths: Vec<RepoPath>,
        /// Which of them had another name in the commit they are taken from.
        renamed: Vec<Rename>,
    },
    /// A path goes through a driver that the repository itself configures, and the repository is not trusted.
    #[error(
        "{path} goes through the {driver} that this repository configures, and the repository is not trusted"
    )]
    DriverNotTrusted {
        /// The path.
        path: RepoPath,
        /// The driver, such as `filter 'x'`.
        driver: String,
    },
    /// Commits would be signed by a program that the repository itself configures, and the repository is not trusted.
    #[error(
        "commits are to be signed by what this repository configures as {key}, and the repository is not trusted"
    )]
    SignerNotTrusted {
        /// The key, such as `gpg.program`.
        key: String,
    },
    /// A filter that must not fail failed.
    #[error("filter '{filter}' failed on {path}: {why}")]
    FilterFailed {
        /// The path that needs it.
        path: RepoPath,
        /// Its name.
        filter: String,
        /// How it ended.
        why: String,
    },
    /// The installed git could not be asked.
    #[error("cannot cross-check: {why}")]
    CrossCheckFailed {
        /// What is missing or what git said.
        why: String,
    },
    /// The commit could not be signed.
    #[error("the commit could not be signed")]
    Signing {
        /// What the signer said.
        #[source]
        source: Source,
    },
    /// A hook ended with an error.
    #[error("the {hook} hook refuses the commit: {why}")]
    Hook {
        /// The hook's name.
        hook: &'static str,
        /// How it ended, and the first line of what it said.
        why: String,
    },
    /// The result has landed, but paths outside of the repository are not as they were to be.
    #[error("{} outside of the repository could not be put back: {}", list(&left.iter().map(|left| left.path.clone()).collect::<Vec<_>>()), left.first().map(|left| left.why.as_str()).unwrap_or_default())]
    NotPutBack {
        /// Which, and why.
        left: Vec<NotPutBack>,
    },
}

impl Family for LandingError {
    fn code(&self) -> &'static str {
        match self {
            Self::Moved { .. } => "moved",
            Self::IndexMoved => "index-moved",
            Self::PlanAltered { .. } => "plan-altered",
            Self::BranchExists { .. } => "branch-exists",
            Self::InvalidBranchName { .. } => "invalid-branch-name",
            Self::BranchCheckedOut { .. } => "branch-checked-out",
            Self::UpstreamAhead { .. } => "upstream-ahead",
            Self::LossNotAllowed { .. } => "loss-not-allowed",
            Self::DriverNotTrusted { .. } => "driver-not-trusted",
            Self::SignerNotTrusted { .. } => "signer-not-trusted",
            Self::FilterFailed { .. } => "filter-failed",
            Self::CrossCheckFailed { .. } => "cross-check-failed",
            Self::Signing { .. } => "signing-failed",
            Self::Hook { .. } => "hook-failed",
            Self::NotPutBack { .. } => "not-put-back",
        }
    }

    fn class(&self) -> ErrorClass {
        match self {
            Self::InvalidBranchName { .. } => ErrorClass::Usage,
            Self::LossNotAllowed { .. } | Self::DriverNotTrusted { .. } | Self::SignerNotTrusted { .. } => {
                ErrorClass::Consent
            }
            _ => ErrorClass::Precondition,
        }
    }

    fn paths(&self) -> Vec<RepoPath> {
        match self {
            Self::UpstreamAhead { path, .. }
            | Self::DriverNotTrusted { path, .. }
            | Self::FilterFailed { path, .. } => vec![path.clone()],
            Self::LossNotAllowed { paths, .. } => paths.clone(),
            Self::NotPutBack { left } => left.iter().map(|left| left.path.clone()).collect(),
            _ => Vec::new(),
        }
    }
}
