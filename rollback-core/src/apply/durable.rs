//! Making files outlive a power cut: write beside, flush, rename, flush the folder.
//!
//! A flush that failed is never tried again and trusted: after it the kernel may have dropped the pages.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use crate::bounded;
use crate::error::{Error, RepositoryError, Result};
use crate::repo::config::Shared;

/// Flushes the data of an open file where `wanted`.
pub(crate) fn sync_file(file: &File, path: &Path, wanted: bool) -> Result<()> {
    if wanted {
        file.sync_all().map_err(|error| Error::io("flush", path, error))?;
    }
    Ok(())
}

/// Files that were written and are flushed together.
///
/// One by one, each would wait for a commit of the file system's own journal, which is nearly all the time that a landing
/// of many files takes. So where there are many, the file system is asked first to write out whatever it holds; the
/// flush of each file, which alone is relied on, then finds little left to do.
pub(crate) struct Flushes {
    wanted: bool,
    open: Vec<(File, String)>,
}

impl Flushes {
    /// From so many files on writing out all that the file system holds pays.
    const MANY: usize = 32;
    /// So many are open at the most; systems allow as few as 256.
    const MOST: usize = 128;

    pub(crate) fn new(wanted: bool) -> Self {
        Self { wanted, open: Vec::new() }
    }

    /// Flushes the file by the time that [`Flushes::finish`] returns.
    pub(crate) fn add(&mut self, file: File, path: impl Into<String>) -> Result<()> {
        if self.wanted {
            self.open.push((file, path.into()));
        }
        if self.open.len() >= Self::MOST { self.finish() } else { Ok(()) }
    }

    /// Flushes what was added. After an error nothing of it may be relied on.
    pub(crate) fn finish(&mut self) -> Result<()> {
        if let Some((file, path)) = self.open.first().filter(|_| self.open.len() >= Self::MANY) {
            write_out(file).map_err(|error| Error::io("flush the file system of", path, error))?;
        }
        self.open.drain(..).try_for_each(|(file, path)| sync_file(&file, Path::new(&path), true))
    }
}

/// Has the file system that the file lies on write out all that it holds, where the system can do that.
#[cfg(target_os = "linux")]
fn write_out(file: &File) -> io::Result<()> {
    match rustix::fs::syncfs(file) {
        // What is relied on are the flushes that follow.
        Err(rustix::io::Errno::NOSYS | rustix::io::Errno::OPNOTSUPP) => Ok(()),
        done => Ok(done?),
    }
}

/// Elsewhere each file is flushed alone.
#[cfg(not(target_os = "linux"))]
fn write_out(_: &File) -> io::Result<()> {
    Ok(())
}

/// Has the file system of a folder write out all that it holds; `false` where the system cannot.
#[cfg(target_os = "linux")]
pub(crate) fn sync_file_system(folder: &Path) -> Result<bool> {
    let failed = |error| Error::io("flush the file system of", folder, error);
    let open = File::open(folder).map_err(failed)?;
    match rustix::fs::syncfs(&open) {
        Err(rustix::io::Errno::NOSYS | rustix::io::Errno::OPNOTSUPP) => Ok(false),
        Err(error) => Err(failed(error.into())),
        Ok(()) => Ok(true),
    }
}

/// Elsewhere files are flushed one by one.
#[cfg(not(target_os = "linux"))]
pub(crate) fn sync_file_system(_: &Path) -> Result<bool> {
    Ok(false)
}

/// Flushes the names in a folder where `wanted`.
pub(crate) fn sync_folder(path: &Path, wanted: bool) -> Result<()> {
    // Elsewhere a folder cannot be opened to be flushed.
    if wanted && cfg!(unix) {
        File::open(path)
            .and_then(|folder| folder.sync_all())
            .map_err(|error| Error::io("flush", path, error))?;
    }
    Ok(())
}

/// Makes a new file with these bytes and the permissions that `core.sharedRepository` asks for; it must not exist.
pub(crate) fn write_new(path: &Path, bytes: &[u8], shared: Shared, sync: bool) -> Result<()> {
    let mut file = create_new(path).map_err(|error| Error::io("create", path, error))?;
    share_file(&file, path, shared)?;
    file.write_all(bytes).map_err(|error| Error::io("write", path, error))?;
    sync_file(&file, path, sync)
}

/// Creates a file that must not exist.
pub(crate) fn create_new(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

/// Makes the folder and those above it that are missing, each flushed into its parent where `sync`.
pub(crate) fn make_folders(path: &Path, shared: Shared, sync: bool) -> Result<()> {
    let parent = path.parent().map(|parent| if parent == "" { Path::new(".") } else { parent });
    let make = || match fs::create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        made => made.map(|()| true),
    };
    let made = match (make(), parent) {
        (Err(error), Some(parent)) if error.kind() == io::ErrorKind::NotFound => {
            make_folders(parent, shared, sync)?;
            make()
        }
        (made, _) => made,
    };
    if made.map_err(|error| Error::io("create", path, error))? {
        adjust_shared(path, shared)?;
        parent.map_or(Ok(()), |parent| sync_folder(parent, sync))?;
    }
    Ok(())
}

/// Refuses a symbolic link on the way from `base` to `below`, its last part included: the author of the git
/// directory may have led it anywhere.
///
/// # Errors
/// [`RepositoryError::LinkInGitDir`].
pub(crate) fn refuse_links(base: &Path, below: &Path) -> Result<()> {
    let mut at = base.to_owned();
    for part in below.components() {
        at.push(part);
        let metadata = match fs::symlink_metadata(&at) {
            Ok(metadata) => metadata,
            Err(error) if bounded::is_absent(&error) => break,
            Err(error) => return Err(Error::io("examine", at, error)),
        };
        if metadata.is_symlink() {
            return Err(RepositoryError::LinkInGitDir { path: at }.into());
        }
    }
    Ok(())
}

/// Gives a file or folder of the git directory the permissions that `core.sharedRepository` asks for.
#[cfg(unix)]
pub(crate) fn adjust_shared(path: &Path, shared: Shared) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    if shared == Shared::Umask {
        return Ok(());
    }
    let failed = |error| Error::io("change the permissions of", path, error);
    let metadata = fs::symlink_metadata(path).map_err(failed)?;
    let mode = metadata.permissions().mode();
    let mut wanted = shared.adjust(mode);
    if metadata.is_dir() {
        // New files in it belong to the group of the folder.
        wanted |= 0o2000;
    }
    if wanted == mode {
        return Ok(());
    }
    fs::set_permissions(path, fs::Permissions::from_mode(wanted)).map_err(failed)
}

/// Gives a file or folder of the git directory the permissions that `core.sharedRepository` asks for.
#[cfg(not(unix))]
pub(crate) fn adjust_shared(_: &Path, _: Shared) -> Result<()> {
    Ok(())
}

/// As [`adjust_shared`], for an open file.
#[cfg(unix)]
pub(crate) fn share_file(file: &File, path: &Path, shared: Shared) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    if shared == Shared::Umask {
        return Ok(());
    }
    let failed = |error| Error::io("change the permissions of", path, error);
    let mode = file.metadata().map_err(failed)?.permissions().mode();
    match shared.adjust(mode) {
        wanted if wanted == mode => Ok(()),
        wanted => match file.set_permissions(fs::Permissions::from_mode(wanted)) {
            // Another user made it, and could be opened.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
            done => done.map_err(failed),
        },
    }
}

/// As [`adjust_shared`], for an open file.
#[cfg(not(unix))]
pub(crate) fn share_file(_: &File, _: &Path, _: Shared) -> Result<()> {
    Ok(())
}

/// The most bytes of such a file: a staged entry of the operation log is the largest.
const LARGEST: u64 = 1 << 30;

/// What was found at a path, `None` for nothing. What cannot be read is an error: it is not absent.
fn if_there<T>(path: &Path, found: io::Result<T>) -> Result<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if bounded::is_absent(&error) => Ok(None),
        Err(error) => Err(Error::io("read", path, error)),
    }
}

/// The bytes of a regular file that need not be there.
pub(crate) fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>> {
    if_there(path, bounded::read(path, LARGEST))
}

/// What stands at a path, links followed.
fn metadata_if_there(path: &Path) -> Result<Option<fs::Metadata>> {
    if_there(path, fs::metadata(path))
}

/// Whether anything stands at the path; never decided by a failure, as by `Path::exists`.
pub(crate) fn is_there(path: &Path) -> Result<bool> {
    Ok(metadata_if_there(path)?.is_some())
}

/// Whether a folder stands at the path; never decided by a failure, as by `Path::is_dir`.
pub(crate) fn is_folder(path: &Path) -> Result<bool> {
    Ok(metadata_if_there(path)?.is_some_and(|metadata| metadata.is_dir()))
}

/// Whether a file stands at the path; never decided by a failure, as by `Path::is_file`.
pub(crate) fn is_file(path: &Path) -> Result<bool> {
    Ok(metadata_if_there(path)?.is_some_and(|metadata| metadata.is_file()))
}

/// Removes a file that may be gone already.
pub(crate) fn remove_if_there(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io("remove", path, error)),
        _ => Ok(()),
    }
}
