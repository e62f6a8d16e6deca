//! The ways back. Each is tried in memory and tells what would come of it; none of them writes.
//!
//! A new strategy is a row of [`Strategy`] and a function of the workbench.

mod attempt;
mod blockers;
mod dependents;
pub(crate) mod hunks;
pub(crate) mod ladder;
mod loss;
pub(crate) mod part;
pub(crate) mod scope;
pub(crate) mod workbench;

pub use attempt::{Attempt, AttemptResult, Loss, LossClass, Rejection, Restriction, Scope, Step};
pub use dependents::{Dependent, DependentReason};
pub use hunks::ConflictHunk;
pub use part::{Part, Place};
pub use workbench::EmptyCommits;

use serde::{Deserialize, Serialize};

/// One way back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Strategy {
    /// The inverse of a commit, merged into the tip.
    RevertCommit,
    /// The inverse of a merge against its mainline.
    RevertMerge,
    /// The replay of a commit from history.
    CherryPick,
    /// The exact content and mode of paths from a commit.
    RestoreFile,
    /// Edits of files that a procedure declares; no ladder tries it.
    Set,
}

impl Strategy {
    /// All of them, in the order of the ladder.
    pub const ALL: [Self; 4] = [Self::RevertCommit, Self::RevertMerge, Self::CherryPick, Self::RestoreFile];

    /// The name by which it is asked for and reported.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RevertCommit => "revert-commit",
            Self::RevertMerge => "revert-merge",
            Self::CherryPick => "cherry-pick",
            Self::RestoreFile => "restore-file",
            Self::Set => "set",
        }
    }
}

impl std::fmt::Display for Strategy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// The name given is no strategy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown strategy '{0}'")]
pub struct UnknownStrategy(pub String);

impl std::str::FromStr for Strategy {
    type Err = UnknownStrategy;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|strategy| strategy.name() == name)
            .ok_or_else(|| UnknownStrategy(name.to_owned()))
    }
}
