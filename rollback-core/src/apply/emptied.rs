//! Folders that a landing leaves without a file.
//!
//! Never: a folder that holds anything, or the one the process stands in.

use std::collections::BTreeSet;
use std::io::{self, ErrorKind};

use super::folder::{Folder, Identity, Parent, parent_of};
use crate::bounded;
use crate::error::{Error, Result};
use crate::journal::{Action, Step};
use crate::path::RepoPath;

/// Folders that lost their last file go, as under git, but for those to be kept; never the one the process stands in.
pub(super) fn remove_emptied_folders(root: &Folder, steps: &[Step], kept: &BTreeSet<RepoPath>) -> Result<()> {
    let current = Folder::open(std::path::Path::new(".")).and_then(|folder| folder.identity()).ok();
    let made: BTreeSet<_> =
        steps.iter().filter(|step| step.action == Action::MakeFolder).map(|step| &step.path).collect();
    let removed = |step: &&Step| matches!(step.action, Action::Remove { .. } | Action::RemoveFolder);
    for step in steps.iter().filter(removed).rev() {
        let mut folder = step.path.parent();
        let goes = |path: &RepoPath| !path.is_root() && !made.contains(path) && !kept.contains(path);
        while let Some(path) = folder.filter(&goes) {
            let gone = remove_if_empty(root, &path, current.as_ref());
            if !gone.map_err(|error| Error::io("remove", path.to_string(), error))? {
                break;
            }
            folder = path.parent();
        }
    }
    Ok(())
}

/// Whether the folder is gone now; one that holds something, or on which something is mounted, stays.
fn remove_if_empty(root: &Folder, path: &RepoPath, current: Option<&Identity>) -> io::Result<bool> {
    let Parent::Open(parent) = parent_of(root, path)? else { return Ok(false) };
    let here = match parent.open_folder(path.file_name()) {
        Ok(here) => here.identity()?,
        // Removed with another file, or a file by now.
        Err(error) if bounded::is_absent(&error) => {
            return Ok(error.kind() == ErrorKind::NotFound);
        }
        Err(error) => return Err(error),
    };
    if Some(&here) == current {
        return Ok(false);
    }
    match parent.remove_folder(path.file_name()) {
        Ok(()) => Ok(true),
        Err(error) if matches!(error.kind(), ErrorKind::DirectoryNotEmpty | ErrorKind::ResourceBusy) => {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}
