//! The rows of a folder.
//!
//! [`std::fs::read_dir`] panics where the system reports an error while a folder is closed. A folder that was only read
//! has nothing to lose by then, so the reader here ignores such an error.

use std::ffi::OsString;
use std::fs::{FileType, Metadata};
use std::io;
use std::path::{Path, PathBuf};

/// One row of a folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Row {
    path: PathBuf,
    name: OsString,
}

impl Row {
    /// The folder and the name.
    pub(crate) fn path(&self) -> PathBuf {
        self.path.clone()
    }

    /// The name alone.
    pub(crate) fn file_name(&self) -> OsString {
        self.name.clone()
    }

    /// What the row is; a link is a link.
    pub(crate) fn file_type(&self) -> io::Result<FileType> {
        self.metadata().map(|metadata| metadata.file_type())
    }

    /// The metadata of the row; a link's own where it is one.
    pub(crate) fn metadata(&self) -> io::Result<Metadata> {
        std::fs::symlink_metadata(&self.path)
    }
}

/// The rows of a folder but `.` and `..`, in the order of the system.
///
/// # Errors
/// As [`std::fs::read_dir`], for the folder and for its rows.
pub(crate) fn rows(folder: &Path) -> io::Result<Vec<Row>> {
    names(folder).map(|names| names.into_iter().map(|name| Row { path: folder.join(&name), name }).collect())
}

#[cfg(unix)]
fn names(folder: &Path) -> io::Result<Vec<OsString>> {
    use std::os::unix::ffi::OsStringExt;

    use rustix::fs::{Dir, Mode, OFlags};

    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut names = Vec::new();
    for row in Dir::new(rustix::fs::open(folder, flags, Mode::empty())?)? {
        let name = row?.file_name().to_bytes().to_vec();
        if name != b"." && name != b".." {
            names.push(OsString::from_vec(name));
        }
    }
    Ok(names)
}

#[cfg(not(unix))]
fn names(folder: &Path) -> io::Result<Vec<OsString>> {
    std::fs::read_dir(folder)?.map(|row| row.map(|row| row.file_name())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_are_those_of_the_standard_library() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["a", ".b", "c d"] {
            std::fs::write(folder.path().join(name), name).expect("it can be written");
        }
        std::fs::create_dir(folder.path().join("sub")).expect("it can be made");
        let mut found: Vec<_> = rows(folder.path()).expect("it can be read").iter().map(Row::path).collect();
        let standard = std::fs::read_dir(folder.path()).expect("it can be read");
        let mut expected: Vec<_> = standard.map(|row| row.expect("a row").path()).collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_no_folder_is_an_error_of_the_same_kind() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("file"), "").expect("it can be written");
        for name in ["file", "nowhere"] {
            let path = folder.path().join(name);
            let standard = std::fs::read_dir(&path).map(drop).expect_err(name).kind();
            assert_eq!(rows(&path).expect_err(name).kind(), standard, "{name}");
        }
    }
}
