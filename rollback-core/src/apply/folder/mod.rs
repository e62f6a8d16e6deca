//! Folders held open, so that what was checked is what is written to.
//!
//! A path is walked from the root of the work tree one folder at a time and never through a symbolic
//! link. All moves are by name inside folders that are already open: a link swapped in meanwhile leads
//! nowhere. Nothing here truncates a file, and only `Folder::remove_file` unlinks one.
//!
//! Where a file system has neither renames that spare what is there nor hard links (FAT and exFAT through FUSE), a name
//! is looked at and then taken: a file that appears there in this moment is replaced.

#[cfg(not(unix))]
mod portable;
#[cfg(unix)]
mod unix;

#[cfg(not(unix))]
pub(crate) use portable::{Folder, Identity};
#[cfg(unix)]
pub(crate) use unix::{Folder, Identity};

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::bounded;
use crate::path::RepoPath;
use crate::repo::index::Stat;

/// What stands at a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileKind {
    File {
        executable: bool,
    },
    Symlink,
    Folder,
    /// A device, a socket or a pipe.
    Other,
}

/// What the file system says about a name, links not followed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FileInfo {
    pub(crate) kind: FileKind,
    pub(crate) stat: Stat,
    /// The size in bytes.
    pub(crate) size: u64,
    /// The device, in full.
    pub(crate) device: u64,
}

/// What a file has beside its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Attributes {
    /// The permission bits; 0 where the system has none.
    pub(crate) permissions: u32,
    /// When it was last modified: seconds since the epoch and nanoseconds.
    pub(crate) modified: (i64, u32),
}

/// The folder in which a path lies.
#[derive(Debug)]
pub(crate) enum Parent {
    Open(Folder),
    /// It does not exist, and nothing stands in its place.
    Missing,
    /// A file or a symbolic link stands where a folder is needed.
    Obstructed(RepoPath),
}

/// Refuses a path that leads out of the folder it is counted from. Paths of trees were checked before; those of records
/// that lie in the repository were not.
fn refuse_leading_out(path: &RepoPath) -> io::Result<()> {
    match path.components().any(|name| matches!(name, b"." | b"..")) {
        true => Err(io::Error::new(io::ErrorKind::InvalidInput, "the path leads out of its folder")),
        false => Ok(()),
    }
}

/// Walks from `root` to the folder that holds `path`.
pub(crate) fn parent_of(root: &Folder, path: &RepoPath) -> io::Result<Parent> {
    refuse_leading_out(path)?;
    let Some(parent) = path.parent().filter(|parent| !parent.is_root()) else {
        return Ok(Parent::Open(root.try_clone()?));
    };
    if let Some(folder) = root.open_below(&parent)? {
        return Ok(Parent::Open(folder));
    }
    let mut folder = root.try_clone()?;
    let mut at = RepoPath::default();
    for name in parent.components() {
        at = at.join(name);
        match folder.info(name)? {
            None => return Ok(Parent::Missing),
            Some(FileInfo { kind: FileKind::Folder, .. }) => folder = folder.open_folder(name)?,
            Some(_) => return Ok(Parent::Obstructed(at)),
        }
    }
    Ok(Parent::Open(folder))
}

/// Removes the folder called `name` unless something lies in it. One that is gone, or is no folder, is none.
pub(crate) fn remove_unless_filled(parent: &Folder, name: &[u8]) -> io::Result<()> {
    match parent.remove_folder(name) {
        Err(error)
            if !matches!(
                error.kind(),
                io::ErrorKind::NotFound
                    | io::ErrorKind::NotADirectory
                    | io::ErrorKind::DirectoryNotEmpty
                    | io::ErrorKind::ResourceBusy
            ) =>
        {
            Err(error)
        }
        _ => Ok(()),
    }
}

/// The group that a file at `path` gets when it is made where it belongs, with the folders above it that are missing.
pub(crate) fn group_at(root: &Folder, path: &RepoPath) -> io::Result<u32> {
    let mut at = path.clone();
    loop {
        match parent_of(root, &at)? {
            Parent::Open(folder) => return folder.group_of_new_files(),
            Parent::Missing | Parent::Obstructed(_) => match at.parent().filter(|above| !above.is_root()) {
                Some(above) => at = above,
                None => return root.group_of_new_files(),
            },
        }
    }
}

/// The deepest nesting of a folder that is removed as a whole.
const MAX_REMOVED_DEPTH: usize = 128;

/// Removes what is called `name` in `parent`, a folder with all in it, and follows no link. What is not there is fine.
pub(crate) fn remove_tree(parent: &Folder, name: &[u8]) -> io::Result<()> {
    remove_below(parent, name, MAX_REMOVED_DEPTH)
}

fn remove_below(parent: &Folder, name: &[u8], depth: usize) -> io::Result<()> {
    match parent.info(name)? {
        None => Ok(()),
        Some(FileInfo { kind: FileKind::Folder, .. }) if depth > 0 => {
            let folder = parent.open_folder(name)?;
            folder.names()?.iter().try_for_each(|inner| remove_below(&folder, inner, depth - 1))?;
            parent.remove_folder(name)
        }
        Some(FileInfo { kind: FileKind::Folder, .. }) => {
            Err(io::Error::other("it is nested deeper than any folder of rb's"))
        }
        Some(_) => parent.remove_file(name),
    }
}

/// As [`parent_of`], making the folders that are missing; their paths are appended to `made`.
pub(crate) fn make_parent_of(root: &Folder, path: &RepoPath, made: &mut Vec<RepoPath>) -> io::Result<Folder> {
    refuse_leading_out(path)?;
    let mut folder = root.try_clone()?;
    let mut at = RepoPath::default();
    for name in path.parent().unwrap_or_default().components() {
        at = at.join(name);
        match folder.make_folder(name) {
            Ok(()) => made.push(at.clone()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        folder = folder.open_folder(name)?;
    }
    Ok(folder)
}

/// Reads a regular file of at most `limit` bytes beneath `root`; a link on the way or in its place is refused.
///
/// # Errors
/// As [`bounded::read`], and `InvalidInput` for a link.
pub(crate) fn read_below(root: &Path, path: &RepoPath, limit: u64) -> io::Result<Vec<u8>> {
    let folder = match parent_of(&Folder::open(root)?, path)? {
        Parent::Open(folder) => folder,
        Parent::Missing => return Err(io::ErrorKind::NotFound.into()),
        Parent::Obstructed(at) => {
            return Err(bounded::refused(&format!("{at} is a symbolic link or no folder")));
        }
    };
    let name = path.file_name();
    let Some(info) = folder.info(name)? else { return Err(io::ErrorKind::NotFound.into()) };
    match info.kind {
        FileKind::File { .. } => bounded::read_open(folder.open_file(name)?, limit),
        FileKind::Symlink => Err(bounded::refused("it is a symbolic link, which is not followed")),
        _ => Err(bounded::refused("it is not a regular file")),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_read_through_links_and_nothing_but_files() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::write(root.join("outside"), "secret").unwrap();
        let tree = root.join("tree");
        std::fs::create_dir_all(tree.join("a")).unwrap();
        std::fs::write(tree.join("a/b"), "12345").unwrap();
        assert_eq!(read_below(&tree, &RepoPath::from("a/b"), 5).unwrap(), b"12345");
        std::os::unix::fs::symlink("../outside", tree.join("link")).unwrap();
        std::os::unix::fs::symlink("..", tree.join("folder")).unwrap();
        std::os::unix::fs::symlink("/dev/zero", tree.join("zero")).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, tree.join("pipe"), rustix::fs::Mode::RUSR).unwrap();
        let refused = |name, limit| read_below(&tree, &RepoPath::from(name), limit).unwrap_err().kind();
        for name in ["link", "folder/outside", "zero", "pipe", "../outside"] {
            assert_eq!(refused(name, 100), io::ErrorKind::InvalidInput, "{name}");
        }
        assert_eq!(refused("a/b", 4), io::ErrorKind::FileTooLarge);
        assert_eq!(refused("c/b", 5), io::ErrorKind::NotFound);
    }
}
