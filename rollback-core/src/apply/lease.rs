//! The right to carry out runs of procedures in a repository: one process at a time, whatever work tree it is in.
//!
//! The file is locked by the system, so the right ends with the process that holds it, however that ends. What stands in
//! the file is for people: who holds it. Nothing is decided by it.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::time::Duration;

use super::own::OwnFolder;
use crate::error::Result;
use crate::process::Holder;
use crate::repo::Repo;
use crate::repo::config::Settings;

/// The file, below `rb` of the common git directory.
const LEASE: &str = "lease";
/// A process that is just being started holds copies of all that is open here, until it runs.
const JUST_STARTED: Duration = Duration::from_millis(200);
/// The most bytes that are read of who holds it.
const LONGEST: u64 = 4096;

/// The right itself, held until it is dropped or the process ends.
#[derive(Debug)]
pub(crate) struct Lease {
    file: File,
}

/// What came of asking for it.
#[derive(Debug)]
pub(crate) enum Leased {
    Taken(Lease),
    /// Another process has it; who, where that could be read.
    Held(Option<Holder>),
}

impl Repo {
    /// Takes the right to carry out runs, or says who has it.
    ///
    /// # Writes
    /// `rb/lease` in the common git directory.
    ///
    /// # Errors
    /// [`RepositoryError::LinkInGitDir`](crate::error::RepositoryError::LinkInGitDir); [`Error::Io`](crate::Error::Io).
    pub(crate) fn lease(&self, holder: &Holder) -> Result<Leased> {
        let settings = Settings::of(self)?;
        let own = OwnFolder::make(&self.common_dir(), &["rb"], &settings)?;
        let Some(file) = own.lock(LEASE, JUST_STARTED, &settings)? else {
            let read = own.folder.open_file(LEASE.as_bytes()).ok().and_then(read);
            return Ok(Leased::Held(read));
        };
        let mut lease = Lease { file };
        lease.note(holder);
        Ok(Leased::Taken(lease))
    }
}

impl Lease {
    /// Says who holds it. It is held whether or not that can be written.
    pub(crate) fn note(&mut self, holder: &Holder) {
        let text = serde_json::to_vec(holder).unwrap_or_default();
        let _ = self
            .file
            .set_len(0)
            .and_then(|()| self.file.seek(SeekFrom::Start(0)))
            .and_then(|_| self.file.write_all(&text));
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let _ = self.file.set_len(0);
    }
}

fn read(file: File) -> Option<Holder> {
    let mut bytes = Vec::new();
    file.take(LONGEST).read_to_end(&mut bytes).ok()?;
    serde_json::from_slice(&bytes).ok()
}
