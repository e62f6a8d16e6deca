//! A reference that keeps the new objects while nothing else names them, so that a `git gc --prune=now`
//! at the same time cannot take them away.
//!
//! It is `refs/worktree/rb-landing`: references there belong to one work tree and are never packed, so that
//! removing the file removes the reference. Where references are stored in tables, it lies in the stack of the work tree.

use std::fs;
use std::path::{Path, PathBuf};

use super::tables::transact;
use super::{durable, stage::Stage};
use crate::error::{Error, Result};
use crate::id::ObjectId;
use crate::reftable::RefValue;
use crate::repo::Repo;
use crate::repo::config::Settings;
use crate::repo::refs::{References, Storage, stack_dir};

pub(super) const NAME: &str = "refs/worktree/rb-landing";

/// Where the reference lies. A link on the way would lead elsewhere.
fn path_in(git_dir: &Path) -> Result<PathBuf> {
    durable::refuse_links(git_dir, Path::new(NAME))?;
    Ok(git_dir.join(NAME))
}

/// Names the object, and with it all that it reaches.
pub(crate) fn drop_anchor(repo: &Repo, stage: &Stage, object: ObjectId, settings: &Settings) -> Result<()> {
    if repo.storage() == Storage::Tables {
        return set(repo, RefValue::Object(object), settings);
    }
    let path = path_in(repo.git_dir())?;
    if let Some(folder) = path.parent() {
        durable::make_folders(folder, settings.shared, false)?;
    }
    let content = format!("{object}\n");
    // Staged on the same file system: a reference that is empty for a moment would be a broken one.
    let staged = stage.path("anchor");
    durable::write_new(&staged, content.as_bytes(), settings.shared, settings.fsync.references)?;
    fs::rename(staged, &path).map_err(|error| Error::io("write", path, error))
}

/// Removes the reference, if it is there.
pub(crate) fn weigh_anchor(repo: &Repo) -> Result<()> {
    if repo.storage() == Storage::Tables {
        return match References::of(&repo.local())?.read(NAME.as_bytes())? {
            Some(_) => set(repo, RefValue::Deletion, &Settings::of(repo)?),
            None => Ok(()),
        };
    }
    let path = path_in(repo.git_dir())?;
    durable::remove_if_there(&path)?;
    if let Some(folder) = path.parent() {
        // Others may keep references of their own there.
        let _ = fs::remove_dir(folder);
    }
    Ok(())
}

fn set(repo: &Repo, value: RefValue, settings: &Settings) -> Result<()> {
    let git_dir = stack_dir(&repo.local(), NAME.as_bytes());
    transact(repo, &git_dir, settings, |stack, changes| changes.set(stack, NAME.as_bytes(), value))
}
