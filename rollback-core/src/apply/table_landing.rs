//! What a landing changes where references are stored in tables: the reference and its log, HEAD's log, the references of
//! git's state (`REVERT_HEAD` and its kin), what the operation log keeps, and the anchor that is no longer needed.
//!
//! All of it that belongs to the stack of the reference that moves is one table, whose place in the list is the commit
//! point. What belongs to another stack follows. What is written is always what is still missing, so that doing it twice
//! is the same as doing it once.

use bstr::ByteSlice;

use super::stage::Stage;
use super::tables::{Changes, PATIENCE, Staged, log_update, refuse_links, remove_unlisted, stack_dirs};
use super::{anchor, durable, keep, lock};
use crate::error::{Error, Result};
use crate::id::ObjectId;
use crate::journal::{Journal, StateFile};
use crate::reftable::RefValue;
use crate::repo::Repo;
use crate::repo::config::{Settings, TableSettings};
use crate::repo::refs::stack::{FOLDER, LIST, Stack};
use crate::repo::refs::{is_of_work_tree, own_stack, stack_dir};

/// Writes the table of the commit point, under the locks.
pub(super) fn stage(
    repo: &Repo,
    stage: &Stage,
    journal: &Journal,
    settings: &Settings,
) -> Result<Option<Staged>> {
    refuse_unwritable(repo, journal)?;
    let Some(moved) = &journal.reference else { return Ok(None) };
    let stack = Stack::open(&stack_dir(&repo.local(), moved.name.as_bytes()), repo.local().object_hash())?;
    let changes = missing(repo, &stack, journal)?;
    if changes.is_empty() {
        return Ok(None);
    }
    Staged::write(&stack, changes, unique(journal), &stage.folder, settings).map(Some)
}

/// What cannot be written is refused before the commit point, whichever stack it belongs to.
fn refuse_unwritable(repo: &Repo, journal: &Journal) -> Result<()> {
    let state = journal.state_files.iter().filter(|file| repo.keeps_as_reference(&file.name));
    state.map(value_of).try_for_each(|value| value.map(drop))?;
    let moved = journal.reference.iter().filter(|moved| !moved.logs.is_empty());
    let mut lines = moved.map(|moved| &moved.log_line).chain(&journal.head_line);
    lines.try_for_each(|line| log_update(line.as_bytes()).map(drop))
}

/// Writes what is missing in the stacks after the commit point.
pub(super) fn settle(repo: &Repo, stage: &Stage, journal: &Journal, settings: &Settings) -> Result<()> {
    let hash = repo.local().object_hash();
    for git_dir in stack_dirs(repo) {
        refuse_links(&git_dir)?;
        let folder = git_dir.join(FOLDER);
        // The list that counts since the commit point may be in memory only.
        durable::sync_folder(&folder, settings.fsync.references)?;
        if missing(repo, &Stack::open(&git_dir, hash)?, journal)?.is_empty() {
            continue;
        }
        // The lock of a landing that was killed can be gone: removed by hand, or lost with the power.
        let list_lock = folder.join(format!("{LIST}.lock"));
        if !lock::is_ours(&list_lock, &journal.operation)? {
            lock::take(&list_lock, &stage.path("lock"), &journal.operation, PATIENCE)?;
        }
        let stack = Stack::open(&git_dir, hash)?;
        // A kill within the last attempt.
        remove_unlisted(&stack, Some(unique(journal)))?;
        let changes = missing(repo, &stack, journal)?;
        if !changes.is_empty() {
            let staged = Staged::write(&stack, changes, unique(journal), &stage.folder, settings)?;
            staged.commit(settings)?;
            durable::sync_folder(&folder, settings.fsync.references)?;
        }
    }
    Ok(())
}

/// Removes tables of the landing that no list came to name.
pub(super) fn take_back(repo: &Repo, journal: &Journal) -> Result<()> {
    let hash = repo.local().object_hash();
    for git_dir in stack_dirs(repo) {
        refuse_links(&git_dir)?;
        remove_unlisted(&Stack::open(&git_dir, hash)?, Some(unique(journal)))?;
    }
    Ok(())
}

/// The digits in the names of the landing's tables, by which they are known after a crash.
fn unique(journal: &Journal) -> u32 {
    let digits = journal.operation.get(..8).unwrap_or(&journal.operation);
    u32::from_str_radix(digits, 16).unwrap_or_default()
}

/// What the stack lacks of a landing.
fn missing(repo: &Repo, stack: &Stack, journal: &Journal) -> Result<Changes> {
    let local = repo.local();
    let own = own_stack(&local).map(|git_dir| git_dir.join(FOLDER));
    let is_own = own.as_ref() == Some(&stack.folder);
    let has = |name: &[u8]| (own.is_some() && is_of_work_tree(name)) == is_own;
    let mut changes = Changes::new(TableSettings::of(repo)?.layout);
    if let Some(moved) = &journal.reference {
        let name = moved.name.as_bytes();
        if has(name) {
            let value = moved.new.map_or(RefValue::Deletion, |commit| RefValue::Object(commit.0));
            changes.set(stack, name, value)?;
            if moved.new.is_none() {
                changes.drop_log(stack, name)?;
            }
        }
        for (name, _) in moved.logs.iter().filter(|(name, _)| has(name.as_bytes())) {
            changes.add_line(stack, name.as_bytes(), log_update(moved.log_line.as_bytes())?)?;
        }
    }
    if let Some(line) = journal.head_line.as_ref().filter(|_| has(b"HEAD")) {
        changes.add_line(stack, b"HEAD", log_update(line.as_bytes())?)?;
    }
    for file in journal.state_files.iter().filter(|file| repo.keeps_as_reference(&file.name)) {
        if has(file.name.as_bytes()) {
            changes.set(stack, file.name.as_bytes(), value_of(file)?)?;
        }
    }
    if has(anchor::NAME.as_bytes()) {
        changes.set(stack, anchor::NAME.as_bytes(), RefValue::Deletion)?;
    }
    if let Some(entry) = journal.logged.as_ref().filter(|_| !is_own) {
        keep::add_missing(repo, stack, entry, &mut changes)?;
    }
    Ok(changes)
}

/// The value of a reference that other repositories keep in a file.
fn value_of(file: &StateFile) -> Result<RefValue> {
    let Some(content) = &file.content else { return Ok(RefValue::Deletion) };
    let id = content.as_bytes().trim().to_str().ok().and_then(|hex| hex.parse::<ObjectId>().ok());
    let id = id.ok_or_else(|| Error::BadRequest(format!("{} would hold no object id", file.name)))?;
    Ok(RefValue::Object(id))
}
