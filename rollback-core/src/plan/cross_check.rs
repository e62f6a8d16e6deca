//! What the installed git says of a plan's merges. Asking it is the work of `process`.

use serde::{Deserialize, Serialize};

use crate::id::{CommitId, TreeId};

/// What the installed git says of the merges of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct CrossCheck {
    /// What `git version` prints.
    pub git: String,
    /// How many merges were done again.
    pub merges: usize,
    /// Where git came to something else, in the order of the plan's steps.
    pub differences: Vec<Difference>,
}

impl CrossCheck {
    /// Whether git came to the same tree in every merge.
    pub fn agrees(&self) -> bool {
        self.differences.is_empty()
    }
}

/// A merge of which git makes something else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Difference {
    /// The commit undone or replayed.
    pub commit_id: CommitId,
    /// The merge: base, ours, theirs.
    pub merge: [TreeId; 3],
    /// The tree of the plan.
    pub tree_id: TreeId,
    /// Whether git calls it clean.
    pub clean_for_git: bool,
    /// git's tree; with conflict markers where it is not clean.
    pub tree_of_git: TreeId,
}
