//! Folders as file descriptors.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::{Attributes, FileInfo, FileKind};
use crate::path::RepoPath;
use crate::repo::config::Shared;
use crate::repo::index::Stat;

/// Device and inode.
pub(crate) type Identity = (u64, u64);

/// A folder held open.
#[derive(Debug)]
pub(crate) struct Folder {
    fd: OwnedFd,
}

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

impl Folder {
    /// Opens the folder at `path`, following links: only for roots that the caller vouches for.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let fd = rustix::fs::openat(CWD, path, FOLDER, Mode::empty())?;
        Ok(Self { fd })
    }

    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        self.fd.try_clone().map(|fd| Self { fd })
    }

    /// Opens a folder several levels down in one step; `None` where the system cannot, or where something
    /// on the way is missing or no folder.
    pub(super) fn open_below(&self, path: &RepoPath) -> io::Result<Option<Self>> {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        {
            use rustix::fs::ResolveFlags;
            let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
            let opened = rustix::fs::openat2(&self.fd, os(path.as_bytes()), FOLDER, Mode::empty(), resolve);
            if let Ok(fd) = opened {
                return Ok(Some(Self { fd }));
            }
        }
        let _ = path;
        Ok(None)
    }

    /// Opens the folder called `name` in this one; a link is refused.
    pub(crate) fn open_folder(&self, name: &[u8]) -> io::Result<Self> {
        let fd = rustix::fs::openat(&self.fd, os(name), FOLDER | OFlags::NOFOLLOW, Mode::empty())?;
        Ok(Self { fd })
    }

    /// What stands at `name`, if anything.
    pub(crate) fn info(&self, name: &[u8]) -> io::Result<Option<FileInfo>> {
        match rustix::fs::statat(&self.fd, os(name), AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(info(&stat))),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// What the file or link called `name` has beside its content; `None` where there is none.
    pub(crate) fn attributes(&self, name: &[u8]) -> io::Result<Option<Attributes>> {
        match rustix::fs::statat(&self.fd, os(name), AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(Attributes {
                permissions: permissions(stat.st_mode),
                modified: (stat.st_mtime, u32::try_from(stat.st_mtime_nsec).unwrap_or(0)),
            })),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Gives a file its permissions and time, and a link its time. Read, write and execute are all that is ever given: a
    /// record may name any bits. A folder keeps the other bits that it has.
    pub(crate) fn set_attributes(&self, name: &[u8], attributes: &Attributes) -> io::Result<()> {
        use rustix::fs::{Timespec, Timestamps, UTIME_OMIT};
        let info = self.info(name)?;
        if info.is_some_and(|info| info.kind != FileKind::Symlink) {
            let is_folder = info.is_some_and(|info| info.kind == FileKind::Folder);
            let stat = rustix::fs::statat(&self.fd, os(name), AtFlags::SYMLINK_NOFOLLOW)?;
            let other = if is_folder { mode_of(&stat) & !0o777 } else { 0 };
            let mode = Mode::from_bits_truncate((attributes.permissions & 0o777 | other) as _);
            rustix::fs::chmodat(&self.fd, os(name), mode, AtFlags::empty())?;
        }
        let times = Timestamps {
            last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
            last_modification: Timespec {
                tv_sec: attributes.modified.0,
                tv_nsec: attributes.modified.1.into(),
            },
        };
        Ok(rustix::fs::utimensat(&self.fd, os(name), &times, AtFlags::SYMLINK_NOFOLLOW)?)
    }

    /// The group that the system gives to a file that is made in this folder.
    pub(crate) fn group_of_new_files(&self) -> io::Result<u32> {
        let stat = rustix::fs::fstat(&self.fd)?;
        let inherits = !cfg!(any(target_os = "linux", target_os = "android")) || mode_of(&stat) & 0o2000 != 0;
        Ok(if inherits { stat.st_gid } else { rustix::process::getegid().as_raw() })
    }

    /// Gives a file or link of the caller's own another group, where it has not that one and the caller may.
    pub(crate) fn set_group(&self, name: &[u8], group: u32) -> io::Result<()> {
        let stat = rustix::fs::statat(&self.fd, os(name), AtFlags::SYMLINK_NOFOLLOW)?;
        if stat.st_gid == group {
            return Ok(());
        }
        let group = Some(rustix::fs::Gid::from_raw(group));
        match rustix::fs::chownat(&self.fd, os(name), None, group, AtFlags::SYMLINK_NOFOLLOW) {
            // Only a file that is made in the folder itself can get a group that its maker is not in.
            Err(Errno::PERM) => Ok(()),
            done => Ok(done?),
        }
    }

    /// The names in the folder, in no order.
    pub(crate) fn names(&self) -> io::Result<Vec<Vec<u8>>> {
        let mut names = Vec::new();
        for row in rustix::fs::Dir::read_from(&self.fd)? {
            let row = row?;
            let name = row.file_name().to_bytes();
            if name != b"." && name != b".." {
                names.push(name.to_vec());
            }
        }
        Ok(names)
    }

    /// What tells this folder from all others.
    pub(crate) fn identity(&self) -> io::Result<Identity> {
        let stat = rustix::fs::fstat(&self.fd)?;
        Ok((info(&stat).device, stat.st_ino))
    }

    /// The device the folder is on.
    pub(crate) fn device(&self) -> io::Result<u64> {
        Ok(info(&rustix::fs::fstat(&self.fd)?).device)
    }

    /// Opens the file called `name` for reading; a link is refused.
    pub(crate) fn open_file(&self, name: &[u8]) -> io::Result<File> {
        // Without NONBLOCK a pipe of that name would wait for a writer.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        Ok(File::from(rustix::fs::openat(&self.fd, os(name), flags, Mode::empty())?))
    }

    /// Where the link called `name` points.
    pub(crate) fn read_link(&self, name: &[u8]) -> io::Result<Vec<u8>> {
        Ok(rustix::fs::readlinkat(&self.fd, os(name), Vec::new())?.into_bytes())
    }

    /// Makes a new file; it must not exist.
    pub(crate) fn create_file(&self, name: &[u8], mode: u32) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        // How wide a mode is differs between systems; 32 bits hold each.
        let mode = Mode::from_raw_mode(mode as rustix::fs::RawMode);
        Ok(File::from(rustix::fs::openat(&self.fd, os(name), flags, mode)?))
    }

    /// Opens the file called `name` for reading and writing, and makes it where it is missing; a link is refused.
    pub(crate) fn open_or_create(&self, name: &[u8], mode: u32) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let mode = Mode::from_raw_mode(mode as rustix::fs::RawMode);
        Ok(File::from(rustix::fs::openat(&self.fd, os(name), flags, mode)?))
    }

    /// Makes a symbolic link; it must not exist.
    pub(crate) fn create_symlink(&self, target: &[u8], name: &[u8]) -> io::Result<()> {
        Ok(rustix::fs::symlinkat(os(target), &self.fd, os(name))?)
    }

    pub(crate) fn make_folder(&self, name: &[u8]) -> io::Result<()> {
        Ok(rustix::fs::mkdirat(&self.fd, os(name), Mode::from_raw_mode(0o777))?)
    }

    /// Removes an empty folder.
    pub(crate) fn remove_folder(&self, name: &[u8]) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.fd, os(name), AtFlags::REMOVEDIR)?)
    }

    /// Unlinks a file. Only for names in the staging area.
    pub(crate) fn remove_file(&self, name: &[u8]) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.fd, os(name), AtFlags::empty())?)
    }

    /// Swaps the two names; both must exist.
    ///
    /// # Errors
    /// `Unsupported` where the system or the file system cannot swap.
    pub(crate) fn exchange(&self, name: &[u8], other: &Self, other_name: &[u8]) -> io::Result<()> {
        #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
        {
            use rustix::fs::RenameFlags;
            let done = rustix::fs::renameat_with(
                &self.fd,
                os(name),
                &other.fd,
                os(other_name),
                RenameFlags::EXCHANGE,
            );
            unsupported(done)
        }
        #[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
        {
            let _ = (name, other, other_name);
            Err(io::ErrorKind::Unsupported.into())
        }
    }

    /// Moves `name` to a name that must be free.
    pub(crate) fn rename_to_free(&self, name: &[u8], other: &Self, other_name: &[u8]) -> io::Result<()> {
        #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
        {
            use rustix::fs::RenameFlags;
            let done = rustix::fs::renameat_with(
                &self.fd,
                os(name),
                &other.fd,
                os(other_name),
                RenameFlags::NOREPLACE,
            );
            match unsupported(done) {
                Err(error) if error.kind() == io::ErrorKind::Unsupported => {}
                done => return done,
            }
        }
        // A hard link fails where the name is taken; folders are never moved.
        match rustix::fs::linkat(&self.fd, os(name), &other.fd, os(other_name), AtFlags::empty()) {
            Ok(()) => self.remove_file(name),
            Err(Errno::PERM | Errno::NOTSUP | Errno::NOSYS) => self.rename_if_free(name, other, other_name),
            Err(error) => Err(error.into()),
        }
    }

    /// Looks whether the name is free and then takes it, where the file system can do no better.
    fn rename_if_free(&self, name: &[u8], other: &Self, other_name: &[u8]) -> io::Result<()> {
        if other.info(other_name)?.is_some() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        Ok(rustix::fs::renameat(&self.fd, os(name), &other.fd, os(other_name))?)
    }

    /// Moves `name` to a name that may be taken by a file of rb's own, which is replaced.
    pub(crate) fn rename_over(&self, name: &[u8], other: &Self, other_name: &[u8]) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.fd, os(name), &other.fd, os(other_name))?)
    }

    /// Gives this folder the permissions that `core.sharedRepository` asks for.
    pub(crate) fn share(&self, shared: Shared) -> io::Result<()> {
        if shared == Shared::Umask {
            return Ok(());
        }
        let mode = mode_of(&rustix::fs::fstat(&self.fd)?);
        // New files in it belong to the group of the folder.
        let wanted = shared.adjust(mode) | 0o2000;
        match wanted == mode {
            true => Ok(()),
            false => Ok(rustix::fs::fchmod(&self.fd, Mode::from_bits_truncate(wanted as _))?),
        }
    }

    /// Flushes the names in this folder.
    pub(crate) fn sync(&self) -> io::Result<()> {
        Ok(rustix::fs::fsync(&self.fd)?)
    }
}

fn os(name: &[u8]) -> &OsStr {
    OsStr::from_bytes(name)
}

fn unsupported(done: rustix::io::Result<()>) -> io::Result<()> {
    match done {
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => Err(io::ErrorKind::Unsupported.into()),
        done => Ok(done?),
    }
}

#[expect(clippy::unnecessary_cast, reason = "the width of the field differs between systems")]
fn mode_of(stat: &rustix::fs::Stat) -> u32 {
    stat.st_mode as u32 & 0o7777
}

/// The permission bits of a mode, which is not equally wide everywhere.
fn permissions(mode: impl Into<u32>) -> u32 {
    mode.into() & 0o777
}

#[expect(clippy::unnecessary_cast, reason = "the widths of these fields differ between systems")]
fn info(stat: &rustix::fs::Stat) -> FileInfo {
    let permissions = stat.st_mode as u32 & 0o7777;
    let kind = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => FileKind::File { executable: permissions & 0o100 != 0 },
        FileType::Symlink => FileKind::Symlink,
        FileType::Directory => FileKind::Folder,
        _ => FileKind::Other,
    };
    let size = stat.st_size as u64;
    FileInfo {
        kind,
        size,
        device: stat.st_dev as u64,
        stat: Stat {
            ctime: (stat.st_ctime as u32, stat.st_ctime_nsec as u32),
            mtime: (stat.st_mtime as u32, stat.st_mtime_nsec as u32),
            dev: stat.st_dev as u32,
            ino: stat.st_ino as u32,
            uid: stat.st_uid as u32,
            gid: stat.st_gid as u32,
            size: crate::repo::index::munged_size(size),
        },
    }
}
