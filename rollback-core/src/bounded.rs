//! Reads files that a repository or its procedures choose: regular files below a size limit, without waiting for a pipe.
//!
//! [`read`] follows links and is for files that the user names. [`read_below`] follows none beneath its root and is for
//! files of a repository: a tracked link would lead anywhere. Both hold no more than the limit in memory.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::apply::folder::{FileKind, Folder, Parent, parent_of};
use crate::path::RepoPath;

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

/// Reads a regular file of at most `limit` bytes beneath `root`; a link on the way or in its place is refused.
///
/// # Errors
/// As [`read`], and `InvalidInput` for a link.
pub fn read_below(root: &Path, path: &RepoPath, limit: u64) -> io::Result<Vec<u8>> {
    let folder = match parent_of(&Folder::open(root)?, path)? {
        Parent::Open(folder) => folder,
        Parent::Missing => return Err(io::ErrorKind::NotFound.into()),
        Parent::Obstructed(at) => return Err(refused(&format!("{at} is a symbolic link or no folder"))),
    };
    let name = path.file_name();
    let Some(info) = folder.info(name)? else { return Err(io::ErrorKind::NotFound.into()) };
    match info.kind {
        FileKind::File { .. } => read_open(folder.open_file(name)?, limit),
        FileKind::Symlink => Err(refused("it is a symbolic link, which is not followed")),
        _ => Err(refused("it is not a regular file")),
    }
}

fn read_open(file: File, limit: u64) -> io::Result<Vec<u8>> {
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

fn refused(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why.to_owned())
}

#[cfg(unix)]
fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    // Without NONBLOCK a pipe would wait for a writer.
    let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
    File::options().read(true).custom_flags(flags.bits().cast_signed()).open(path)
}

#[cfg(not(unix))]
fn open(path: &Path) -> io::Result<File> {
    File::open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_up_to_its_limit() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("a")).unwrap();
        std::fs::write(folder.path().join("a/b"), "12345").unwrap();
        let below = |limit| read_below(folder.path(), &RepoPath::from("a/b"), limit);
        assert_eq!(below(5).unwrap(), b"12345");
        assert_eq!(below(4).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        assert_eq!(read(&folder.path().join("a/b"), 4).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        let missing = read_below(folder.path(), &RepoPath::from("c/b"), 5).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
        assert!(read(&folder.path().join("a"), 5).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn links_devices_and_pipes_are_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::write(root.join("outside"), "secret").unwrap();
        std::fs::create_dir(root.join("tree")).unwrap();
        let tree = root.join("tree");
        std::os::unix::fs::symlink("../outside", tree.join("link")).unwrap();
        std::os::unix::fs::symlink("..", tree.join("folder")).unwrap();
        std::os::unix::fs::symlink("/dev/zero", tree.join("zero")).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, tree.join("pipe"), rustix::fs::Mode::RUSR).unwrap();
        for name in ["link", "folder/outside", "zero", "pipe"] {
            let error = read_below(&tree, &RepoPath::from(name), 100).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{name}: {error}");
        }
        assert_eq!(read(&tree.join("link"), 100).unwrap(), b"secret");
        assert!(read(&tree.join("zero"), 100).is_err());
        assert!(read(&tree.join("pipe"), 100).is_err());
        assert!(read_below(&tree, &RepoPath::from("../outside"), 100).is_err());
    }
}
