//! The folder of a landing: what is about to be moved into place, and what was moved out of it.
//!
//! Staged files lie on the file system of the work tree, because only there can a rename swap them.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::content::{Content, raw_id};
use super::durable::{self, Flushes};
use super::folder::{Folder, make_parent_of};
use super::inspect::fingerprint;
use super::size::Size;
use crate::error::{Error, RepositoryError, Result};
use crate::id::{Entry, EntryKind, ObjectId};
use crate::journal::{Fingerprint, is_stage_name, stage_name};
use crate::path::RepoPath;
use crate::repo::config::Settings;
use crate::repo::{Objects, Repo};

/// The folder of the landing under way, in `git_dir`.
pub(crate) fn folder_of(git_dir: &Path) -> PathBuf {
    git_dir.join("rb").join("landing")
}

/// The folder of what the last landing displaced, in `git_dir`: a process that had a file of it open may still write to
/// it.
pub(crate) fn displaced_of(git_dir: &Path) -> PathBuf {
    git_dir.join("rb").join("displaced")
}

/// What staging files takes, beside the objects.
pub(crate) struct Writing<'a> {
    /// How content becomes that of the work tree; without it the bytes are written as they are.
    pub(crate) content: Option<Content<'a>>,
    /// The files that are not on the disk yet.
    pub(crate) flushes: Flushes,
}

/// The staging area of one landing.
#[derive(Debug)]
pub(crate) struct Stage {
    /// `rb/landing/`: the journal, the index, the new reference.
    pub(crate) folder: PathBuf,
    /// Where the files are staged; `None` without a work tree.
    pub(crate) files: Option<Folder>,
    /// The name of the folder with the files, where it had to be made in the work tree.
    pub(crate) in_work_tree: Option<RepoPath>,
}

impl Stage {
    /// Makes an empty staging area. What an earlier landing left must have been dealt with.
    pub(crate) fn make(
        repo: &Repo,
        root: Option<&Folder>,
        operation: &str,
        settings: &Settings,
    ) -> Result<Self> {
        let folder = folder_of(repo.git_dir());
        durable::make_folders(&folder, settings.shared, settings.fsync.journal)?;
        let failed = |error| Error::io("open", &folder, error);
        let Some(root) = root else {
            return Ok(Self { folder, files: None, in_work_tree: None });
        };
        let own = Folder::open(&folder).map_err(failed)?;
        if own.device().map_err(failed)? == root.device().map_err(failed)? {
            durable::make_folders(&folder.join("files"), settings.shared, false)?;
            let files = own.open_folder(b"files").map_err(failed)?;
            return Ok(Self { folder, files: Some(files), in_work_tree: None });
        }
        let name = stage_name(operation);
        // Recovery has to find it even when it is killed before the journal is written.
        let named = folder.join("work-tree-stage");
        durable::write_new(&named, name.as_bytes(), settings.shared, settings.fsync.journal)?;
        let made = root.make_folder(name.as_bytes()).and_then(|()| root.open_folder(name.as_bytes()));
        let files = made.map_err(|error| Error::io("create", &name, error))?;
        Ok(Self { folder, files: Some(files), in_work_tree: Some(name.as_str().into()) })
    }

    /// The staging area of a path outside of the repository, which is nothing but a folder with files.
    pub(crate) fn outside(folder: PathBuf, files: Option<Folder>) -> Self {
        Self { folder, files, in_work_tree: None }
    }

    /// Opens the staging area that a journal tells of.
    pub(crate) fn reopen(
        folder: PathBuf,
        root: Option<&Folder>,
        in_work_tree: Option<&RepoPath>,
    ) -> Result<Self> {
        if let Some(name) = in_work_tree.filter(|name| !is_stage_name(name.as_bytes())) {
            // Everything in the folder that is opened here will be removed.
            return Err(RepositoryError::ForeignRecord {
                path: folder,
                why: format!("it names {name:?}, which no landing does"),
            }
            .into());
        }
        let opened = match (root, in_work_tree) {
            (Some(root), Some(name)) => root.open_folder(name.as_bytes()),
            _ => Folder::open(&folder).and_then(|own| own.open_folder(b"files")),
        };
        let files = match opened {
            Ok(files) => Some(files),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(Error::io("open", &folder, error)),
        };
        Ok(Self { folder, files, in_work_tree: in_work_tree.cloned() })
    }

    /// The folder of the staged files.
    pub(crate) fn files(&self) -> Result<&Folder> {
        self.files
            .as_ref()
            .ok_or_else(|| Error::io("open", &self.folder, std::io::ErrorKind::NotFound.into()))
    }

    /// A file of the landing other than the staged ones.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Writes what the work tree will hold at `path` and returns what it is. It is on the disk when the flushes are
    /// finished.
    pub(crate) fn write_file(
        &self,
        slot: usize,
        path: &RepoPath,
        entry: Entry,
        objects: &Objects,
        writing: &mut Writing<'_>,
        settings: &Settings,
    ) -> Result<Fingerprint> {
        let files = self.files()?;
        let name = slot_name(slot);
        let hash = objects.gix().object_hash();
        let failed = |error| Error::io("stage", path.to_string(), error);
        let is_link = entry.mode.kind() == EntryKind::Symlink;
        let executable = entry.mode.kind() == EntryKind::Executable;
        // The umask takes away what the user does not want, as it does in git's checkout.
        let mode = if executable { 0o777 } else { 0o666 };
        let mut content = writing.content.as_mut().filter(|_| !is_link);
        let bytes = match Size::of(path, entry, objects, content.as_deref_mut())? {
            Size::InPieces if !is_link => None,
            _ => Some(objects.blob(entry.id)?),
        };
        if let Some(target) = bytes.as_ref().filter(|_| is_link && settings.symlinks) {
            files.create_symlink(target, name.as_bytes()).map_err(failed)?;
            return Ok(Fingerprint::symlink(raw_id(target, hash)?));
        }
        let mut file = files.create_file(name.as_bytes(), mode).map_err(failed)?;
        let id = match (bytes, content) {
            (None, _) => {
                objects.in_pieces(entry.id, &mut |piece| file.write_all(piece).map_err(failed))?;
                entry.id
            }
            (Some(bytes), content) => {
                let written = match content {
                    Some(content) => content.write_for_work_tree(path, entry.id, bytes, &mut file)?,
                    None => {
                        file.write_all(&bytes).map_err(failed)?;
                        Some(raw_id(&bytes, hash)?)
                    }
                };
                match written {
                    Some(id) => id,
                    None => hash_of_staged(files, &name, hash).map_err(failed)?,
                }
            }
        };
        writing.flushes.add(file, path.to_string())?;
        Ok(Fingerprint::file(id, executable && cfg!(unix)))
    }

    /// Moves a staged file to the path below `folder`.
    pub(crate) fn set_aside(&self, name: &str, path: &RepoPath, folder: &Folder) -> Result<()> {
        let failed = |error| Error::io("keep", path.to_string(), error);
        let parent = make_parent_of(folder, path, &mut Vec::new()).map_err(failed)?;
        let files = self.files()?;
        match files.rename_to_free(name.as_bytes(), &parent, path.file_name()) {
            // The stage lies in the work tree because that is on another file system.
            Err(error) if error.kind() == std::io::ErrorKind::CrossesDevices => {
                let mut kept = parent.create_file(path.file_name(), 0o600).map_err(failed)?;
                let mut file = files.open_file(name.as_bytes()).map_err(failed)?;
                std::io::copy(&mut file, &mut kept).map(drop).map_err(failed)
            }
            moved => moved.map_err(failed),
        }
    }

    /// Keeps what was displaced until the next landing, in place of what the last one had displaced.
    pub(crate) fn retire(&self, root: Option<&Folder>, git_dir: &Path) -> Result<()> {
        if self.in_work_tree.is_some() || self.files.is_none() {
            return self.remove(root);
        }
        let displaced = displaced_of(git_dir);
        remove_all(&displaced)?;
        fs::rename(&self.folder, &displaced).map_err(|error| Error::io("move", &self.folder, error))
    }

    /// Removes the staging area with all in it.
    pub(crate) fn remove(&self, root: Option<&Folder>) -> Result<()> {
        if let (Some(name), Some(root), Some(files)) = (&self.in_work_tree, root, &self.files) {
            let failed = |error| Error::io("remove", name.to_string(), error);
            for inner in files.names().map_err(failed)? {
                files.remove_file(&inner).map_err(failed)?;
            }
            root.remove_folder(name.as_bytes()).map_err(failed)?;
        }
        remove_all(&self.folder)
    }
}

/// The hash of a staged file that never was in memory as a whole.
fn hash_of_staged(files: &Folder, name: &str, hash: gix::hash::Kind) -> std::io::Result<ObjectId> {
    let info = files.info(name.as_bytes())?.ok_or(std::io::ErrorKind::NotFound)?;
    fingerprint(files, name.as_bytes(), &info, hash).map(|found| found.id)
}

fn remove_all(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io("remove", folder, error)),
        _ => Ok(()),
    }
}

/// The name of a staged file. After a swap it is the file that was displaced.
pub(crate) fn slot_name(slot: usize) -> String {
    slot.to_string()
}

/// The name of a displaced file where the system cannot swap two names.
pub(crate) fn displaced_name(slot: usize) -> String {
    format!("{slot}.old")
}
