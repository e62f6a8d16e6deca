//! A reference that keeps the new objects while nothing else names them, so that a `git gc --prune=now`
//! at the same time cannot take them away.
//!
//! It is `refs/worktree/rb-landing`: references there belong to one work tree and are never packed, so that
//! removing the file removes the reference.

use std::fs;
use std::path::{Path, PathBuf};

use super::durable;
use crate::error::{Error, Result};
use crate::id::ObjectId;
use crate::repo::config::Settings;

const NAME: &str = "refs/worktree/rb-landing";

/// Where the reference lies. A link on the way would lead elsewhere.
fn path_in(git_dir: &Path) -> Result<PathBuf> {
    durable::refuse_links(git_dir, Path::new(NAME))?;
    Ok(git_dir.join(NAME))
}

/// Names the object, and with it all that it reaches. `staged` is a free name on the same file system: a
/// reference that is empty for a moment would be a broken one.
pub(crate) fn drop_anchor(
    git_dir: &Path,
    staged: &Path,
    object: ObjectId,
    settings: &Settings,
) -> Result<()> {
    let path = path_in(git_dir)?;
    if let Some(folder) = path.parent() {
        durable::make_folders(folder, settings.shared, false)?;
    }
    let content = format!("{object}\n");
    durable::write_new(staged, content.as_bytes(), settings.shared, settings.fsync.references)?;
    fs::rename(staged, &path).map_err(|error| Error::io("write", path, error))
}

/// Removes the reference, if it is there.
pub(crate) fn weigh_anchor(git_dir: &Path) -> Result<()> {
    let path = path_in(git_dir)?;
    durable::remove_if_there(&path)?;
    if let Some(folder) = path.parent() {
        // Others may keep references of their own there.
        let _ = fs::remove_dir(folder);
    }
    Ok(())
}
