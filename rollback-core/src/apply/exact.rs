//! The index of a landing whose trees say what the files of the work tree are, whatever the index says of them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::index_edit;
use super::inspect::Expected;
use crate::error::{InTheWay, Result, WorkTreeError};
use crate::path::RepoPath;
use crate::repo::index::Index;

/// The index of a landing whose trees say what the files of the work tree are, whatever the index says of them.
#[derive(Clone, Debug)]
pub(crate) struct Exact {
    /// What the index has to hold, its stat data aside.
    pub(crate) index_before: Index,
    /// What it will hold.
    pub(crate) index_after: Index,
    /// The paths whose files are what the index says, so that their stat data can be taken from them.
    pub(crate) clean: BTreeSet<RepoPath>,
    /// Folders that stay although they lose their last file: they were empty before.
    pub(crate) folders: BTreeSet<RepoPath>,
    /// What the two trees of the landing hold.
    pub(crate) sides: Sides,
}

/// What the trees of an exact landing hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Sides {
    /// Both hold every file of a whole state, as it is in the work tree.
    WholeState,
    /// They hold some paths; each side says how.
    Paths {
        /// What stands there.
        before: FileBytes,
        /// What will stand there.
        after: FileBytes,
    },
}

/// How a tree holds the files of the work tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum FileBytes {
    /// Their bytes as they are.
    AsTheyAre,
    /// What git keeps of them: they are converted for the work tree.
    AsGitKeepsThem,
}

impl Sides {
    /// What has to stand in the work tree before.
    pub(super) fn expected(self) -> Expected {
        match self {
            Self::WholeState | Self::Paths { before: FileBytes::AsTheyAre, .. } => Expected::Recorded,
            Self::Paths { before: FileBytes::AsGitKeepsThem, .. } => Expected::Indexed,
        }
    }

    /// Whether the files that are written are converted.
    pub(super) fn converts(self) -> bool {
        matches!(self, Self::Paths { after: FileBytes::AsGitKeepsThem, .. })
    }
}

impl Exact {
    /// Refuses where something was staged since the index was read.
    pub(super) fn refuse_other_index(&self, index: &Index) -> Result<()> {
        let differing = index_edit::differences(&self.index_before, index);
        match differing.is_empty() {
            true => Ok(()),
            false => Err(WorkTreeError::InTheWay {
                reason: InTheWay::Staged,
                paths: differing.into_iter().map(|indexed| indexed.path).collect(),
            }
            .into()),
        }
    }
}
