//! What a checkpoint says of itself, for people and for its restoration.

use serde::{Deserialize, Serialize};

use crate::apply::Attributes;
use crate::id::{CommitId, TreeId};
use crate::journal::StateFile;
use crate::path::RepoPath;

/// The version of [`Manifest`].
pub(super) const VERSION: u32 = 1;

/// A checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Checkpoint {
    /// Whose it is: a procedure, or `manual`.
    pub scope: String,
    /// Its name.
    pub name: String,
    /// The commit that HEAD was at, or that a procedure started from.
    pub commit_id: CommitId,
    /// The tree that holds the checkpoint.
    pub record_id: TreeId,
    /// What HEAD was on: a branch, or `HEAD` where it was detached.
    pub head: RepoPath,
    /// When it was made, in seconds since the epoch.
    pub time: i64,
    /// What its maker had to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The operation of git that was in progress, such as `a merge`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// What it holds of the work tree; absent where there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work_tree: Option<WorkTreePart>,
    /// What it holds of the world outside the repository.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outside: Vec<OutsidePart>,
}

impl Checkpoint {
    /// The name with the scope before it.
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.scope, self.name)
    }
}

/// The work tree and the index of a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct WorkTreePart {
    /// How many files and links it holds.
    pub files: usize,
    /// How many of them git did not track.
    pub untracked: usize,
    /// How many entries the index had.
    pub index_entries: usize,
    /// How many paths of the index were in conflict.
    pub conflicts: usize,
    /// Ignored paths that were taken along because they were named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignored: Vec<RepoPath>,
    /// What was left out, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<Skipped>,
}

/// Something that no checkpoint holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Skipped {
    /// Where it is.
    pub path: RepoPath,
    /// Why it was left out.
    pub why: String,
}

/// A path outside the repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct OutsidePart {
    /// Where it is, from the root of the file system on.
    pub path: RepoPath,
    /// What was there, the path itself first; nothing where there was nothing.
    pub entries: Vec<OutsideEntry>,
}

/// A file, folder or link outside the repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct OutsideEntry {
    /// Where it is below the path that was named; empty for that path itself.
    pub path: RepoPath,
    /// What it was.
    #[serde(flatten)]
    pub kind: OutsideKind,
}

/// What stood at a path outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum OutsideKind {
    /// A folder.
    Folder {
        /// The permission bits.
        permissions: u32,
    },
    /// A file.
    File {
        /// The permission bits.
        permissions: u32,
        /// The size in bytes.
        size: u64,
        /// The SHA-256 of the bytes, in hexadecimal.
        sha256: String,
        /// When it was last modified: seconds since the epoch and nanoseconds.
        modified: (i64, u32),
    },
    /// A symbolic link.
    Symlink {
        /// Where it points.
        target: RepoPath,
    },
}

/// The record of a checkpoint: which tree it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Named {
    pub(super) version: u32,
    pub(super) tree: TreeId,
}

/// The file of a checkpoint that says what it holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub(super) version: u32,
    pub(super) commit_id: CommitId,
    pub(super) head: RepoPath,
    pub(super) time: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<String>,
    /// The files of git's state; absent in checkpoints that older builds made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) operation: Option<Vec<StateFile>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) work_tree: Option<WorkTreePart>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) outside: Vec<OutsidePart>,
}

/// What a file of the work tree was beside its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileRow {
    pub(super) path: RepoPath,
    pub(super) attributes: Attributes,
    /// Whether the index was right about it: its stat data was that of the file, and nothing was edited since.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) clean: bool,
}
