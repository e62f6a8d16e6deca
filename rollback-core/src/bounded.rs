//! Reads files that a repository or its procedures choose: regular files below a size limit, without waiting for a pipe.
//!
//! [`read`] follows links and is for files that the user names. No more than the limit is in memory.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The most bytes of a procedure or of a file that it includes.
pub const PROCEDURE: u64 = 1 << 20;
/// The most bytes of a plan document, of samples, of an approval.
pub const DOCUMENT: u64 = 64 << 20;
/// The most bytes of a file that is checked, pinned or kept as evidence.
pub const CHECKED: u64 = 128 << 20;
/// The most bytes of a file of a candidate.
pub const CONTENT: u64 = 512 << 20;

/// Reads a regular file of at most `limit` bytes.
///
/// # Errors
/// What the system says; `InvalidInput` for what is no regular file; `FileTooLarge`.
pub fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    read_open(open(path)?, limit)
}

/// Reads an open file, if it is a regular one of at most `limit` bytes.
///
/// # Errors
/// As [`read`].
pub(crate) fn read_open(file: File, limit: u64) -> io::Result<Vec<u8>> {
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(refused("it is not a regular file"));
    }
    let too_large =
        || io::Error::new(io::ErrorKind::FileTooLarge, format!("it is larger than {limit} bytes"));
    if metadata.len() > limit {
        return Err(too_large());
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0));
    // A file of /proc has no size, and any file can grow while it is read.
    file.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit { Err(too_large()) } else { Ok(bytes) }
}

/// The error for what is no file to be read.
pub(crate) fn refused(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why.to_owned())
}

/// Whether the error says that nothing is there: neither the path nor a folder on the way to it. Any other error says
/// nothing about that.
pub(crate) fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Opens a file to be read; a pipe is not waited for.
#[cfg(unix)]
pub(crate) fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    // Without NONBLOCK a pipe would wait for a writer.
    let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
    File::options().read(true).custom_flags(flags.bits().cast_signed()).open(path)
}

/// Opens a file to be read.
#[cfg(not(unix))]
pub(crate) fn open(path: &Path) -> io::Result<File> {
    File::open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_regular_file_is_read_up_to_its_limit_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "12345").unwrap();
        assert_eq!(read(&file, 5).unwrap(), b"12345");
        assert_eq!(read(&file, 4).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        assert!(read(folder.path(), 5).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn devices_and_pipes_are_refused_at_once_and_links_followed() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::write(root.join("file"), "12345").unwrap();
        std::os::unix::fs::symlink("file", root.join("link")).unwrap();
        std::os::unix::fs::symlink("/dev/zero", root.join("zero")).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, root.join("pipe"), rustix::fs::Mode::RUSR).unwrap();
        assert_eq!(read(&root.join("link"), 100).unwrap(), b"12345");
        assert!(read(&root.join("zero"), 100).is_err());
        assert!(read(&root.join("pipe"), 100).is_err());
    }
}
