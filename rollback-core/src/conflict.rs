//! Conflicts as data: which path, why, and the three versions that met.

use serde::{Deserialize, Serialize};

use crate::id::Entry;
use crate::path::RepoPath;

/// A path on which a three-way merge could not decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Conflict {
    /// The path that carries the stages.
    pub path: RepoPath,
    /// Why the merge could not decide.
    pub kind: ConflictKind,
    /// What git would put into the index: stages 1, 2 and 3.
    pub stages: Stages,
}

impl Conflict {
    /// A conflict on `path`.
    pub fn new(path: RepoPath, kind: ConflictKind, stages: Stages) -> Self {
        Self { path, kind, stages }
    }
}

/// The versions of a conflicted path, as the stages of git's index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Stages {
    /// Stage 1, the common ancestor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Entry>,
    /// Stage 2, the side that is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ours: Option<Entry>,
    /// Stage 3, the side that comes in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub theirs: Option<Entry>,
}

/// Why a path is in conflict, in the words of git's merge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ConflictKind {
    /// Both sides changed the same lines.
    Content,
    /// Both sides added the path, with different content.
    AddAdd,
    /// One side changed what the other deleted.
    ModifyDelete,
    /// One side renamed what the other deleted.
    RenameDelete,
    /// Both sides renamed the same file to different names.
    RenameRename,
    /// A folder stands where the other side has a file.
    FileDirectory,
    /// The sides disagree on what the path is: a file, a symbolic link or a submodule.
    DistinctTypes,
    /// A folder was renamed on one side and the other added to it: git asks where the addition belongs.
    DirectoryRename,
    /// Both sides changed a binary file, or a file no text merge may touch.
    Binary,
    /// Both sides changed where a symbolic link points.
    Symlink,
    /// Both sides moved a submodule, and neither is the descendant of the other as far as can be seen.
    Submodule,
    /// Only the modes are in conflict.
    Mode,
}
