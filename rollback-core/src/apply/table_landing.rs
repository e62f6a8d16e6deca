//! What a landing changes where references are stored in tables: the reference and its log, HEAD's log, the references of
//! git's state (`REVERT_HEAD` and its kin), what the operation log keeps, and the anchor that is no longer needed.
//!
//! All of it that belongs to the stack of the reference that moves is one table, whose place in the list is the commit
//! point. What belongs to another stack follows. What is written is always what is still missing, so that doing it twice
//! is the same as doing it once.

use std::path::Path;

use bstr::ByteSlice;

use super::stage::Stage;
use super::tables::{Changes, Staged, log_update, remove_unlisted, stack_dirs};
use super::{anchor, durable, keep};
use crate::error::{Error, Result};
use crate::id::ObjectId;
use crate::journal::{Journal, StateFile};
use crate::reftable::RefValue;
use crate::repo::Repo;
use crate::repo::config::{Settings, TableSettings};
use crate::repo::refs::stack::{FOLDER, Stack};
use crate::repo::refs::{is_state_reference, stack_dir};

/// Writes the table of the commit point, under the locks.
pub(super) fn stage(
    repo: &Repo,
    stage: &Stage,
    journal: &Journal,
    settings: &Settings,
) -> Result<Option<Staged>> {
    // What cannot be written is refused before the commit point, whichever stack it belongs to.
    let state = journal.state_files.iter().filter(|file| is_state_reference(&file.name));
    state.map(value_of).try_for_each(|value| value.map(drop))?;
    let Some(moved) = &journal.reference else { return Ok(None) };
    stage_in(repo, &stack_dir(&repo.local(), moved.name.as_bytes()), stage, journal, settings)
}

/// Writes what is missing in the stacks after the commit point.
pub(super) fn settle(repo: &Repo, stage: &Stage, journal: &Journal, settings: &Settings) -> Result<()> {
    for git_dir in stack_dirs(repo) {
        let folder = git_dir.join(FOLDER);
        // The list that counts since the commit point may be in memory only.
        durable::sync_folder(&folder, settings.fsync.references)?;
        if let Some(staged) = stage_in(repo, &git_dir, stage, journal, settings)? {
            staged.commit(settings)?;
            durable::sync_folder(&folder, settings.fsync.references)?;
        }
    }
    Ok(())
}

/// Removes tables of the landing that no list came to name, under the locks.
pub(super) fn take_back(repo: &Repo, journal: &Journal) -> Result<()> {
    let hash = repo.local().object_hash();
    for git_dir in stack_dirs(repo) {
        remove_unlisted(&Stack::open(&git_dir, hash)?, Some(unique(journal)))?;
    }
    Ok(())
}

/// The digits in the names of the landing's tables, by which they are known after a crash.
fn unique(journal: &Journal) -> u32 {
    let digits = journal.operation.get(..8).unwrap_or(&journal.operation);
    u32::from_str_radix(digits, 16).unwrap_or_default()
}

fn stage_in(
    repo: &Repo,
    git_dir: &Path,
    stage: &Stage,
    journal: &Journal,
    settings: &Settings,
) -> Result<Option<Staged>> {
    let layout = TableSettings::of(repo)?.layout;
    let stack = Stack::open(git_dir, repo.local().object_hash())?;
    let changes = Missing { repo, git_dir, stack: &stack, journal }.changes(layout)?;
    if changes.is_empty() {
        return Ok(None);
    }
    Staged::write(&stack, changes, unique(journal), &stage.folder, (settings, layout)).map(Some)
}

/// What a stack lacks of a landing.
struct Missing<'a> {
    repo: &'a Repo,
    git_dir: &'a Path,
    stack: &'a Stack,
    journal: &'a Journal,
}

impl Missing<'_> {
    /// Whether the reference belongs to this stack.
    fn has(&self, name: &[u8]) -> bool {
        stack_dir(&self.repo.local(), name) == self.git_dir
    }

    fn changes(&self, layout: crate::reftable::Layout) -> Result<Changes> {
        let mut changes = Changes::default();
        if let Some(moved) = &self.journal.reference {
            let name = moved.name.as_bytes();
            if self.has(name) {
                let value = moved.new.map_or(RefValue::Deletion, |commit| RefValue::Object(commit.0));
                changes.set(self.stack, name, value)?;
                if moved.new.is_none() {
                    changes.drop_log(self.stack, name)?;
                }
            }
            for (name, _) in moved.logs.iter().filter(|(name, _)| self.has(name.as_bytes())) {
                changes.add_line(
                    self.stack,
                    name.as_bytes(),
                    log_update(moved.log_line.as_bytes())?,
                    layout,
                )?;
            }
        }
        if let Some(line) = self.journal.head_line.as_ref().filter(|_| self.has(b"HEAD")) {
            changes.add_line(self.stack, b"HEAD", log_update(line.as_bytes())?, layout)?;
        }
        for file in self.journal.state_files.iter().filter(|file| is_state_reference(&file.name)) {
            if self.has(file.name.as_bytes()) {
                changes.set(self.stack, file.name.as_bytes(), value_of(file)?)?;
            }
        }
        if self.has(anchor::NAME.as_bytes()) {
            changes.set(self.stack, anchor::NAME.as_bytes(), RefValue::Deletion)?;
        }
        if let Some(entry) = self.journal.logged.as_ref().filter(|_| self.git_dir == self.repo.common_dir()) {
            keep::add_missing(self.repo, self.stack, entry, &mut changes)?;
        }
        Ok(changes)
    }
}

/// The value of a reference that other repositories keep in a file.
fn value_of(file: &StateFile) -> Result<RefValue> {
    let Some(content) = &file.content else { return Ok(RefValue::Deletion) };
    let id = content.as_bytes().trim().to_str().ok().and_then(|hex| hex.parse::<ObjectId>().ok());
    let id = id.ok_or_else(|| Error::BadRequest(format!("{} would hold no object id", file.name)))?;
    Ok(RefValue::Object(id))
}
