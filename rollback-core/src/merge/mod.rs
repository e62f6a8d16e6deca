//! The three-way merge of trees: git's merge-ort, and faster.
//!
//! One [`Engine`] merges many times: base, ours and theirs are trees, the result is a [`Merged`], and nothing
//! is written to disk. A clean result has the very tree that `git merge-tree` would write; a conflict has the
//! same stages and the same tree with markers. The measure is the release of git that is followed
//! ([`FollowedGit`](crate::repo::FollowedGit)).
//!
//! ```
//! # let folder = tempfile::tempdir()?;
//! # let repo = rollback_core::guide::sample(folder.path().join("r"))?;
//! use rollback_core::merge::{Engine, Labels, Options, Verdict};
//!
//! let tree = |revision: &str| repo.tree_of_commit(repo.resolve_commit(revision)?);
//! // Undoing HEAD~1: its tree is the base, its parent's is theirs.
//! let (base, ours, theirs) = (tree("HEAD~1")?, tree("HEAD")?, tree("HEAD~2")?);
//! let mut engine = Engine::new(&repo, Options::from_config(&repo)?)?;
//! let merged = engine.merge(base, ours, theirs, &Labels::new("base", "HEAD", "parent"))?;
//! assert!(merged.is_clean() && matches!(merged.verdict, Verdict::Clean));
//! assert_ne!(merged.tree_id, ours);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is not decided here
//! What the engine cannot decide as git would it does not decide: [`Verdict::NeedsReview`]. The classes, each a
//! [`ReviewReason`]:
//! - a file that both sides changed and whose `merge` attribute names a configured program, where there is no
//!   `MergeDrivers` to run it ([`crate::merge_drivers`]), where the repository itself configures it and is not trusted,
//!   or where it fails;
//! - a submodule that both sides moved and that is not checked out, while git keeps repositories of submodules: one
//!   of these may hold the history that tells which side is ahead;
//! - renormalising a path with a filter or an encoding, and renormalising without a work tree;
//! - trees that contradict themselves in a folder that has to be entered: a name twice, rows out of order, a null
//!   id, a name with a slash; folders deeper than 2048;
//! - renames where git 2.47 loses a file or stops at an assertion: a folder rename into a path that is settled as a
//!   whole, of a file of ours that replaced a folder, or onto a path of another type.
//!
//! # How it goes
//! The three trees are walked together (`collect`); what differs goes on record. Renames are found and the
//! records changed accordingly (`rename`). Then every record is decided, folders from the inside out (`entries`),
//! files by the text merge ([`text`]). Objects come straight out of packs where they can (`pack`).

mod attributes;
#[doc(hidden)]
pub mod batch;
mod cache;
mod case;
mod collect;
mod content;
mod driver;
mod engine;
mod entries;
mod eol;
mod hash;
mod options;
mod order;
mod outcome;
mod pack;
#[cfg(fuzzing)]
pub mod raw;
mod rename;
mod store;
mod submodule;
mod subtree;
#[doc(hidden)]
pub mod text;
mod tree;

pub(crate) use attributes::{DiffAttributes, MarkerSize, MarkerSizes};
pub(crate) use content::looks_binary;
pub(crate) use options::algorithm as diff_algorithm;
/// How similar files are, and which of those that could be renames are.
pub(crate) mod file_similarity {
    pub(crate) use super::rename::matching::{Best, Candidate, best_equal, unique};
    pub(crate) use super::rename::similarity::{Chunks, Counter, FULL_SCORE, score, sizes_allow};
}
pub use engine::Engine;
pub use options::{DirectoryRenames, Favor, Options, Renames, Subtree};
pub use outcome::{Labels, Merged, ReviewReason, Verdict};
