//! What changes between two trees, as a patch: git's own format, to the byte, so that `git apply` takes it.
//!
//! [`Repo::diff`](crate::Repo::diff) finds the files that differ, renames among them; [`Diff::patches`] compares one of them line by line, and
//! [`FilePatch::lines`] spells it as `git diff --binary` does. Everything is data: colours and pages are the caller's.
//! Nothing here writes.
//!
//! ```
//! # let folder = tempfile::tempdir()?;
//! # let repo = rollback_core::guide::sample(folder.path().join("r"))?;
//! use rollback_core::patch::DiffOptions;
//!
//! let tree = |revision: &str| repo.tree_of_commit(repo.resolve_commit(revision)?);
//! let diff = repo.diff(tree("HEAD~2")?, tree("HEAD~1")?, &DiffOptions::from_config(&repo)?)?;
//! assert_eq!(diff.files().len(), 1);
//! let counts = diff.counts(&diff.files()[0])?;
//! assert_eq!((counts.added, counts.deleted), (Some(1), Some(1)));
//! let mut text = Vec::new();
//! diff.write_to(&mut text)?;
//! assert!(String::from_utf8(text)?.ends_with("@@ -1 +1 @@\n-print('hello')\n+print('bye')\n"));
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! # What differs from `git diff`
//! `diff.noprefix`, `diff.mnemonicPrefix`, `diff.relative`, `diff.orderFile`, external diff programs, textconv and
//! `diff.submodule` are not heeded: `git apply` would not take what they make, or not here. Functions are found by
//! git's default rule, not by that of a `diff` driver. A binary file is spelled whole, never as a delta, which
//! `git apply` takes as well.

mod binary;
mod compared;
mod document;
mod files;
mod options;
mod renames;
mod spelling;
mod words;

pub use compared::{FilePatch, Hunk, LineKind, PatchContent, PatchLine};
pub use document::{DiffDocument, PatchText};
pub use files::{ChangedFile, Diff, FileCounts, FileSide};
pub use options::DiffOptions;
pub use spelling::{SpelledKind, SpelledLine};
pub use words::{WordChange, word_changes};

#[doc(hidden)]
pub use crate::content::is_space;
