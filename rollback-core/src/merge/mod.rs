//! The three-way merge of trees: git's merge-ort, and faster.
//!
//! One [`Engine`] merges many times: base, ours and theirs are trees, the result is a [`Merged`], and nothing
//! is written to disk. A clean result has the very tree that `git merge-tree` would write; a conflict has the
//! same stages and the same tree with markers. What the engine cannot decide as git would it does not decide:
//! [`Verdict::NeedsReview`].

mod attributes;
pub mod batch;
mod cache;
mod case;
mod collect;
mod content;
mod engine;
mod entries;
mod eol;
mod hash;
mod options;
mod order;
mod outcome;
mod pack;
mod rename;
mod store;
mod subtree;
pub mod text;
mod tree;

pub use engine::Engine;
pub use options::{DirectoryRenames, Favor, Options, Renames, Subtree};
pub use outcome::{Labels, Merged, ReviewReason, Verdict};
