//! What stands in the way in the repository itself.

use std::path::PathBuf;

use super::Source;
use super::kind::Family;

/// Why a repository cannot be used, or not for what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RepositoryError {
    /// No repository at or above the folder.
    #[error("not a git repository (or any of its parents): {}", path.display())]
    NotARepository {
        /// Where the search began.
        path: PathBuf,
    },
    /// The repository belongs to another user.
    #[error("the repository at {} is owned by another user", path.display())]
    NotOwned {
        /// The git directory.
        path: PathBuf,
    },
    /// The repository uses a format this crate cannot read or would damage.
    #[error("{what} is not supported: {why}")]
    Unsupported {
        /// The format, such as `HEAD as a symbolic link`.
        what: String,
        /// What stands in the way.
        why: String,
    },
    /// A symbolic link stands where something of the git directory would be written.
    #[error("{} is a symbolic link in a git directory: writing through it could end anywhere", path.display())]
    LinkInGitDir {
        /// The link.
        path: PathBuf,
    },
    /// The configuration puts the work tree away from the folder that the repository was found in.
    #[error("core.worktree leads to {}, away from the folder that the repository lies in", work_tree.display())]
    WorkTreeElsewhere {
        /// The folder that it leads to.
        work_tree: PathBuf,
    },
    /// A record of rb's own in a git directory was cut off or altered, or is not one that rb wrote.
    #[error("the record {} cannot be used: {why}", path.display())]
    ForeignRecord {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Files of references say what no reference says.
    #[error("references cannot be read: {why}")]
    BadReferences {
        /// Which, where that is known, and what is wrong with it.
        why: String,
    },
    /// The operation needs a work tree and the repository has none.
    #[error("{operation} needs a work tree, and the repository at {} is bare", git_dir.display())]
    NeedsWorkTree {
        /// What was asked for.
        operation: &'static str,
        /// The git directory.
        git_dir: PathBuf,
    },
    /// The index cannot be read.
    #[error("the index is corrupt")]
    CorruptIndex {
        /// What is wrong with it.
        #[source]
        source: Source,
    },
}

impl RepositoryError {
    /// Files of references that say nothing a reader of references understands.
    pub(crate) fn unreadable_references(source: impl Into<Source>) -> Self {
        let source = source.into();
        let mut why = source.to_string();
        let mut cause = source.source();
        while let Some(inner) = cause {
            why = format!("{why}: {inner}");
            cause = inner.source();
        }
        Self::BadReferences { why }
    }
}

impl Family for RepositoryError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotARepository { .. } => "not-a-repository",
            Self::NotOwned { .. } => "not-owned",
            Self::Unsupported { .. } => "unsupported-format",
            Self::LinkInGitDir { .. } => "link-in-git-directory",
            Self::WorkTreeElsewhere { .. } => "work-tree-elsewhere",
            Self::ForeignRecord { .. } => "foreign-record",
            Self::BadReferences { .. } => "bad-references",
            Self::NeedsWorkTree { .. } => "needs-work-tree",
            Self::CorruptIndex { .. } => "corrupt-index",
        }
    }
}
