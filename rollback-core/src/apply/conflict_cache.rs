//! The files by which `git rerere` remembers how conflicts were resolved: `rr-cache/` of the common git directory, and
//! `MERGE_RR`.
//!
//! They are a cache: each file is replaced whole, and one that a crash left out is made again by the next conflict.

use std::fs;
use std::path::{Path, PathBuf};

use super::durable;
use crate::bounded;
use crate::error::{Error, Result};
use crate::repo::Repo;
use crate::repo::config::Settings;

/// The folder of resolutions, for reading and writing.
pub(crate) struct ConflictCache<'a> {
    repo: &'a Repo,
    settings: Settings,
}

impl<'a> ConflictCache<'a> {
    /// The cache of this repository.
    pub(crate) fn of(repo: &'a Repo) -> Result<Self> {
        Ok(Self { repo, settings: Settings::of(repo)? })
    }

    /// Whether the folder is there.
    pub(crate) fn is_there(&self) -> bool {
        self.folder().is_dir()
    }

    fn folder(&self) -> PathBuf {
        self.repo.common_dir().join("rr-cache")
    }

    fn path(&self, id: &str, name: &str) -> PathBuf {
        self.folder().join(id).join(name)
    }

    /// The names of the files that are kept for a conflict.
    pub(crate) fn names(&self, id: &str) -> Result<Vec<String>> {
        match crate::listing::rows(&self.folder().join(id)) {
            Ok(rows) => Ok(rows.into_iter().filter_map(|row| row.file_name().into_string().ok()).collect()),
            Err(error) if bounded::is_absent(&error) => Ok(Vec::new()),
            Err(error) => Err(Error::io("read", self.folder().join(id), error)),
        }
    }

    /// A file that is kept for a conflict.
    pub(crate) fn read(&self, id: &str, name: &str) -> Result<Option<Vec<u8>>> {
        durable::read_if_there(&self.path(id, name))
    }

    /// Keeps a file for a conflict.
    ///
    /// # Writes
    /// One file below `rr-cache/`.
    pub(crate) fn write(&self, id: &str, name: &str, bytes: &[u8]) -> Result<()> {
        let base = self.repo.common_dir();
        durable::refuse_links(&base, &Path::new("rr-cache").join(id))?;
        durable::make_folders(&self.folder().join(id), self.settings.shared, false)?;
        self.replace(&self.path(id, name), bytes)
    }

    /// Forgets a file that is kept for a conflict.
    pub(crate) fn remove(&self, id: &str, name: &str) -> Result<()> {
        durable::refuse_links(&self.repo.common_dir(), &Path::new("rr-cache").join(id))?;
        durable::remove_if_there(&self.path(id, name))
    }

    /// The paths whose conflicts are not resolved yet.
    pub(crate) fn open_conflicts(&self) -> Result<Option<Vec<u8>>> {
        durable::read_if_there(&self.repo.git_dir().join("MERGE_RR"))
    }

    /// Replaces the list of these paths.
    ///
    /// # Writes
    /// `MERGE_RR` in the git directory, and the folder of resolutions where `rerere.enabled` asks for it.
    pub(crate) fn write_open_conflicts(&self, text: &[u8]) -> Result<()> {
        durable::refuse_links(&self.repo.common_dir(), Path::new("rr-cache"))?;
        durable::make_folders(&self.folder(), self.settings.shared, false)?;
        self.replace(&self.repo.git_dir().join("MERGE_RR"), text)
    }

    fn replace(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        let written = path.with_extension("rb-new");
        durable::remove_if_there(&written)?;
        durable::write_new(&written, bytes, self.settings.shared, false)?;
        fs::rename(&written, path).map_err(|error| Error::io("write", path, error))
    }
}
