//! Locks: our own on `rb/lock`, which dies with the process, and git's `*.lock` files, which do not.
//!
//! A lock file of git's is made as a hard link to a file that already holds the name of the operation, so
//! that no moment exists in which it is there and cannot be told from another process's. Only a lock that
//! holds that name is ever removed.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::durable;
use super::own::OwnFolder;
use crate::error::{Error, Result};
use crate::repo::config::Settings;

/// How long a lock may seem to be held that is not: a process that is just being started holds copies of all that is open
/// here, until it runs.
const JUST_STARTED: Duration = Duration::from_millis(100);

/// The right to land in this work tree, held until it is dropped.
#[derive(Debug)]
pub(crate) struct LandingLock {
    _file: File,
}

impl LandingLock {
    /// Takes the lock, or refuses almost at once.
    ///
    /// # Errors
    /// [`Error::Locked`].
    pub(crate) fn take(git_dir: &Path, settings: &Settings) -> Result<Self> {
        for part in ["rb/lock", "rb/landing", "rb/displaced"] {
            durable::refuse_links(git_dir, Path::new(part))?;
        }
        let own = OwnFolder::make(git_dir, &["rb"], settings)?;
        match own.lock("lock", JUST_STARTED, settings)? {
            Some(file) => Ok(Self { _file: file }),
            None => Err(Error::Locked { path: own.path.join("lock"), age: None }),
        }
    }
}

/// How a lock file of this operation reads.
fn signature(operation: &str) -> String {
    format!("rb {operation}\n")
}

/// Writes the file that all locks of the operation are links to.
///
/// It is flushed: after a power cut an empty lock would be there that names no owner.
pub(crate) fn write_payload(path: &Path, operation: &str, settings: &Settings) -> Result<()> {
    durable::write_new(path, signature(operation).as_bytes(), settings.shared, settings.fsync.journal)
}

/// Takes `lock`, waiting up to `patience` for its holder.
///
/// # Errors
/// [`Error::Locked`].
pub(crate) fn take(lock: &Path, payload: &Path, operation: &str, patience: Duration) -> Result<()> {
    let begun = Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        match link(lock, payload, operation) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(Error::io("create", lock, error)),
        }
        if begun.elapsed() + pause > patience {
            return Err(Error::locked_by_file(lock));
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

/// Waits up to `patience` for another holder of `lock` than these operations, and takes nothing.
///
/// # Errors
/// [`Error::Locked`].
pub(crate) fn wait_for(lock: &Path, ours: &[&str], patience: Duration) -> Result<()> {
    let begun = Instant::now();
    loop {
        match fs::symlink_metadata(lock) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            found => found.map_err(|error| Error::io("examine", lock, error))?,
        };
        for operation in ours {
            if is_ours(lock, operation)? {
                return Ok(());
            }
        }
        if begun.elapsed() >= patience {
            return Err(Error::locked_by_file(lock));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn link(lock: &Path, payload: &Path, operation: &str) -> std::io::Result<()> {
    match fs::hard_link(payload, lock) {
        // Some file systems have no hard links. There a kill at this very moment leaves an empty lock
        // that cannot be recognised as ours.
        Err(error) if matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::Unsupported) => {
            durable::create_new(lock)?.write_all(signature(operation).as_bytes())
        }
        done => done,
    }
}

/// Whether `lock` is there and belongs to the operation.
///
/// # Errors
/// [`Error::Io`] where that cannot be told: then it is neither removed nor forgotten.
pub(crate) fn is_ours(lock: &Path, operation: &str) -> Result<bool> {
    match fs::symlink_metadata(lock) {
        Ok(metadata) if metadata.is_file() && metadata.len() < 256 => {}
        Ok(_) => return Ok(false),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(Error::io("examine", lock, error)),
    }
    match fs::read(lock) {
        Ok(bytes) => Ok(bytes == signature(operation).as_bytes()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Error::io("read", lock, error)),
    }
}

/// Removes the locks that belong to the operation; all others stay.
pub(crate) fn release<'a>(locks: impl IntoIterator<Item = &'a PathBuf>, operation: &str) -> Result<()> {
    for lock in locks {
        if is_ours(lock, operation)? {
            durable::remove_if_there(lock)?;
        }
    }
    Ok(())
}
