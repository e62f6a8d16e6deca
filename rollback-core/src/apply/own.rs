//! Folders of rb's own below a git directory, opened one name at a time and never through a link.
//!
//! The git directory is the root that rb chose; its author may have put links into it.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bstr::ByteSlice;

use super::durable;
use super::folder::{FileKind, Folder};
use crate::error::{Error, RepositoryError, Result};
use crate::repo::config::Settings;

/// A folder of rb's own, held open, with its path for messages.
#[derive(Debug)]
pub(crate) struct OwnFolder {
    pub(crate) folder: Folder,
    pub(crate) path: PathBuf,
}

impl OwnFolder {
    /// Opens the folder below `base`; `None` where it is missing.
    ///
    /// # Errors
    /// [`RepositoryError::LinkInGitDir`]; [`Error::Io`].
    pub(crate) fn open(base: &Path, names: &[&str]) -> Result<Option<Self>> {
        let mut at = Self::root(base)?;
        for name in names {
            match at.step(name)? {
                Some(next) => at = next,
                None => return Ok(None),
            }
        }
        Ok(Some(at))
    }

    /// Opens the folder below `base` and makes what is missing, with the permissions of a shared repository.
    ///
    /// # Errors
    /// As [`OwnFolder::open`].
    pub(crate) fn make(base: &Path, names: &[&str], settings: &Settings) -> Result<Self> {
        let mut at = Self::root(base)?;
        for name in names {
            at = match at.step(name)? {
                Some(next) => next,
                None => at.make_step(name, settings)?,
            };
        }
        Ok(at)
    }

    fn root(base: &Path) -> Result<Self> {
        let folder = Folder::open(base).map_err(|error| Error::io("open", base, error))?;
        Ok(Self { folder, path: base.to_owned() })
    }

    fn step(&self, name: &str) -> Result<Option<Self>> {
        let path = self.path.join(name);
        match self.folder.open_folder(name.as_bytes()) {
            Ok(folder) => Ok(Some(Self { folder, path })),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.refusal(name, error)),
        }
    }

    fn make_step(&self, name: &str, settings: &Settings) -> Result<Self> {
        let path = self.path.join(name);
        let failed = |error| Error::io("create", &path, error);
        match self.folder.make_folder(name.as_bytes()) {
            // Another process makes the same folder.
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(failed(error)),
            _ => {}
        }
        let made = self.step(name)?.ok_or_else(|| failed(ErrorKind::NotFound.into()))?;
        made.folder.share(settings.shared).map_err(failed)?;
        if settings.fsync.journal {
            self.folder.sync().map_err(|error| Error::io("flush", &self.path, error))?;
        }
        Ok(made)
    }

    /// Takes the system's lock on a file of the folder, which is made where it is missing; `None` where another process
    /// holds it for longer than `patience`. The lock ends when the file is dropped, and with the process.
    ///
    /// # Errors
    /// [`RepositoryError::LinkInGitDir`]; [`Error::Io`].
    pub(crate) fn lock(&self, name: &str, patience: Duration, settings: &Settings) -> Result<Option<File>> {
        let opened = self.folder.open_or_create(name.as_bytes(), 0o666);
        let file = opened.map_err(|error| self.refusal(name, error))?;
        let path = self.path.join(name);
        durable::share_file(&file, &path, settings.shared)?;
        let begun = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Some(file)),
                Err(TryLockError::WouldBlock) if begun.elapsed() < patience => {
                    std::thread::sleep(Duration::from_millis(2));
                }
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(Error::io("lock", path, error)),
            }
        }
    }

    /// The path of a name in it, for messages.
    pub(crate) fn path_of(&self, name: &[u8]) -> PathBuf {
        self.path.join(name.to_path_lossy())
    }

    /// Why the name could not be opened: a link has an error of its own.
    pub(crate) fn refusal(&self, name: &str, error: std::io::Error) -> Error {
        let path = self.path.join(name);
        match self.folder.info(name.as_bytes()) {
            Ok(Some(info)) if info.kind == FileKind::Symlink => RepositoryError::LinkInGitDir { path }.into(),
            _ => Error::io("open", path, error),
        }
    }
}
