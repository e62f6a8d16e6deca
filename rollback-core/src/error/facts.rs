//! What errors tell beside their text.

use serde::{Deserialize, Serialize};

use crate::id::CommitId;
use crate::path::RepoPath;

/// Where a path was seen that the tip's history does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LastSeen {
    /// The reference that reaches it, such as `refs/heads/legacy`.
    pub reference: String,
    /// The newest commit there that has the path or removed it.
    pub commit_id: CommitId,
}

impl LastSeen {
    /// The path at `commit_id`, which `reference` reaches.
    pub fn new(reference: impl Into<String>, commit_id: CommitId) -> Self {
        Self { reference: reference.into(), commit_id }
    }
}

/// What kind of uncommitted work stands in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum InTheWay {
    /// Edits in the work tree.
    Edited,
    /// Changes in the index.
    Staged,
    /// A file that git does not track.
    Untracked,
    /// A file that git ignores.
    Ignored,
    /// A symbolic link or a file where a folder is needed, or a folder where a file is.
    Obstructed,
    /// Edits of a file that `skip-worktree` hides from git.
    SkipWorktree,
    /// Edits of a file that `assume-unchanged` hides from git.
    AssumeUnchanged,
    /// A file that `git add --intent-to-add` announced, and whose content is not recorded.
    IntentToAdd,
}

impl InTheWay {
    pub(super) fn describe(self) -> &'static str {
        match self {
            Self::Edited => "edits that are not committed",
            Self::Staged => "changes that are staged and not committed",
            Self::Untracked => "files that git does not track",
            Self::Ignored => "files that git ignores",
            Self::Obstructed => "something of another kind",
            Self::SkipWorktree => "edits that git does not show (skip-worktree)",
            Self::AssumeUnchanged => "edits that git does not show (assume-unchanged)",
            Self::IntentToAdd => "files that are to be added and are not staged yet (intent-to-add)",
        }
    }
}

/// A path outside of the repository that is not as it was to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct NotPutBack {
    /// Where it is, from the root of the file system on.
    pub path: RepoPath,
    /// Why, as text for people.
    pub why: String,
}
