//! Which operation of git waits to be finished in this work tree.
//!
//! The files are read as git's `wt_status_get_state` reads them; nothing here writes.

use std::fs::{self, Metadata};

use crate::bounded;
use crate::error::Result;
use crate::path::RepoPath;
use crate::repo::Repo;

/// An operation that was begun and not finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InProgress {
    /// `MERGE_HEAD` is there.
    Merge,
    /// A rebase.
    Rebase,
    /// `git am`.
    Am,
    /// A pick that stopped, or a sequence of picks.
    Pick,
    /// A revert that stopped, or a sequence of reverts.
    Revert,
}

impl InProgress {
    /// What people call it.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Merge => "a merge",
            Self::Rebase => "a rebase",
            Self::Am => "git am",
            Self::Pick => "a cherry-pick",
            Self::Revert => "a revert",
        }
    }
}

impl Repo {
    /// What git has begun here and not finished, such as `a merge`.
    pub fn git_operation_in_progress(&self) -> Option<&'static str> {
        self.operation_in_progress().map(InProgress::describe)
    }

    /// The paths of the index that are in conflict.
    ///
    /// # Errors
    /// Where the index cannot be read.
    pub fn unmerged(&self) -> Result<Vec<RepoPath>> {
        self.unmerged_paths()
    }

    /// The operation in progress; a bisection is none, because commits can be made during one.
    pub fn operation_in_progress(&self) -> Option<InProgress> {
        let git_dir = self.git_dir();
        // What cannot be looked at counts as there: an operation that is not seen would be landed over.
        let there = |name: &str, is_kind: fn(&Metadata) -> bool| match fs::metadata(git_dir.join(name)) {
            Ok(metadata) => is_kind(&metadata),
            Err(error) => !bounded::is_absent(&error),
        };
        let file = |name: &str| match self.keeps_as_reference(name) {
            true => self.read_state(name).map_or(true, |found| found.is_some()),
            false => there(name, Metadata::is_file),
        };
        let folder = |name: &str| there(name, Metadata::is_dir);
        if file("MERGE_HEAD") {
            return Some(InProgress::Merge);
        }
        if folder("rebase-merge") || file("rebase-apply/rebasing") {
            return Some(InProgress::Rebase);
        }
        if folder("rebase-apply") {
            return Some(InProgress::Am);
        }
        if file("CHERRY_PICK_HEAD") {
            return Some(InProgress::Pick);
        }
        if file("REVERT_HEAD") {
            return Some(InProgress::Revert);
        }
        let todo = match bounded::read(&git_dir.join("sequencer/todo"), bounded::DOCUMENT) {
            Ok(todo) => todo,
            Err(error) if bounded::is_absent(&error) => return None,
            Err(_) => return Some(InProgress::Pick),
        };
        let pick = todo.starts_with(b"pick") || todo.starts_with(b"p ");
        Some(if pick { InProgress::Pick } else { InProgress::Revert })
    }
}
