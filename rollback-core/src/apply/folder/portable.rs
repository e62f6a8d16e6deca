//! Folders as paths, for systems without descriptors of folders.
//!
//! What is checked and what is written are two steps here: a link swapped in between is followed.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use bstr::ByteSlice;

use super::{Attributes, FileInfo, FileKind};
use crate::path::RepoPath;
use crate::repo::config::Shared;
use crate::repo::index::Stat;

/// The path without links.
pub(crate) type Identity = PathBuf;

/// A folder known by its path.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
}

impl Folder {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        fs::metadata(path).map(|_| Self { path: path.to_owned() })
    }

    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        Ok(Self { path: self.path.clone() })
    }

    pub(super) fn open_below(&self, _: &RepoPath) -> io::Result<Option<Self>> {
        Ok(None)
    }

    fn at(&self, name: &[u8]) -> io::Result<PathBuf> {
        let name = name.to_path().map_err(|_| io::Error::from(io::ErrorKind::InvalidFilename))?;
        Ok(self.path.join(name))
    }

    pub(crate) fn open_folder(&self, name: &[u8]) -> io::Result<Self> {
        let path = self.at(name)?;
        match fs::symlink_metadata(&path)?.is_dir() {
            true => Ok(Self { path }),
            false => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    pub(crate) fn info(&self, name: &[u8]) -> io::Result<Option<FileInfo>> {
        match fs::symlink_metadata(self.at(name)?) {
            Ok(metadata) => Ok(Some(info(&metadata))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn attributes(&self, name: &[u8]) -> io::Result<Option<Attributes>> {
        let metadata = match fs::symlink_metadata(self.at(name)?) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let since = metadata.modified()?.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let modified = (i64::try_from(since.as_secs()).unwrap_or(0), since.subsec_nanos());
        Ok(Some(Attributes { permissions: 0, modified }))
    }

    pub(crate) fn set_attributes(&self, name: &[u8], attributes: &Attributes) -> io::Result<()> {
        let (seconds, nanoseconds) = attributes.modified;
        let since = std::time::Duration::new(u64::try_from(seconds).unwrap_or(0), nanoseconds);
        OpenOptions::new().write(true).open(self.at(name)?)?.set_modified(std::time::UNIX_EPOCH + since)
    }

    pub(crate) fn group_of_new_files(&self) -> io::Result<u32> {
        Ok(0)
    }

    pub(crate) fn set_group(&self, _: &[u8], _: u32) -> io::Result<()> {
        Ok(())
    }

    pub(crate) fn names(&self) -> io::Result<Vec<Vec<u8>>> {
        let mut names = Vec::new();
        for row in fs::read_dir(&self.path)? {
            let name = row?.file_name();
            names.push(<[u8]>::from_os_str(&name).ok_or(io::ErrorKind::InvalidFilename)?.to_vec());
        }
        Ok(names)
    }

    pub(crate) fn identity(&self) -> io::Result<Identity> {
        fs::canonicalize(&self.path)
    }

    pub(crate) fn device(&self) -> io::Result<u64> {
        Ok(0)
    }

    pub(crate) fn open_file(&self, name: &[u8]) -> io::Result<File> {
        File::open(self.at(name)?)
    }

    pub(crate) fn read_link(&self, name: &[u8]) -> io::Result<Vec<u8>> {
        let target = fs::read_link(self.at(name)?)?;
        Ok(<[u8]>::from_path(&target).ok_or(io::ErrorKind::InvalidFilename)?.to_vec())
    }

    pub(crate) fn create_file(&self, name: &[u8], _mode: u32) -> io::Result<File> {
        OpenOptions::new().write(true).create_new(true).open(self.at(name)?)
    }

    pub(crate) fn open_or_create(&self, name: &[u8], _mode: u32) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).create(true).truncate(false).open(self.at(name)?)
    }

    pub(crate) fn create_symlink(&self, _target: &[u8], _name: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn make_folder(&self, name: &[u8]) -> io::Result<()> {
        fs::create_dir(self.at(name)?)
    }

    pub(crate) fn remove_folder(&self, name: &[u8]) -> io::Result<()> {
        fs::remove_dir(self.at(name)?)
    }

    pub(crate) fn remove_file(&self, name: &[u8]) -> io::Result<()> {
        fs::remove_file(self.at(name)?)
    }

    pub(crate) fn exchange(&self, _: &[u8], _: &Self, _: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn rename_to_free(&self, name: &[u8], other: &Self, other_name: &[u8]) -> io::Result<()> {
        let (from, to) = (self.at(name)?, other.at(other_name)?);
        if fs::symlink_metadata(&to).is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        fs::rename(from, to)
    }

    pub(crate) fn rename_over(&self, name: &[u8], other: &Self, other_name: &[u8]) -> io::Result<()> {
        fs::rename(self.at(name)?, other.at(other_name)?)
    }

    pub(crate) fn share(&self, _: Shared) -> io::Result<()> {
        Ok(())
    }

    pub(crate) fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

fn info(metadata: &fs::Metadata) -> FileInfo {
    let kind = match metadata.file_type() {
        kind if kind.is_file() => FileKind::File { executable: false },
        kind if kind.is_symlink() => FileKind::Symlink,
        kind if kind.is_dir() => FileKind::Folder,
        _ => FileKind::Other,
    };
    FileInfo { kind, stat: Stat::of(metadata), size: metadata.len(), device: 0 }
}
