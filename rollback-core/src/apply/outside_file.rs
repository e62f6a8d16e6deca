//! One file outside of the repository, replaced whole: it holds the old bytes or the new ones, and the new ones are on the
//! disk when that is said.
//!
//! Owner, group, permissions and extended attributes of a file that is there stay. A link is followed to the file that it
//! names and stays a link. A file with several names is refused: a replacement would part them. The bytes never become an
//! object of the repository, because such files hold passwords.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use bstr::ByteSlice;

use super::durable;
use super::folder::Folder;
use crate::error::{Error, Result};
use crate::repo::config::Shared;

/// The permissions of a file that was not there: it may hold a password.
const NEW_FILE: u32 = 0o600;

/// Writes the file; `permissions` replaces those that it has.
///
/// # Writes
/// The file, and beside it for a moment one whose name begins with `.rb-written-`. Folders that are missing, each on the
/// disk before the file is.
///
/// # Errors
/// [`Error::BadRequest`] for what is no plain file, has several names, or belongs to a user that its replacement cannot be
/// given to; [`Error::Io`].
pub(crate) fn replace_outside(path: &Path, bytes: &[u8], permissions: Option<u32>) -> Result<()> {
    let target = followed(path)?;
    let refused = |why: &str| Error::BadRequest(format!("{} {why}", path.display()));
    let (Some(folder), Some(name)) = (target.parent(), target.file_name().and_then(<[u8]>::from_os_str))
    else {
        return Err(refused("names no file"));
    };
    let failed = |error| Error::io("write", &target, error);
    durable::make_folders(folder, Shared::Umask, true)?;
    let parent = Folder::open(folder).map_err(failed)?;
    let old = match parent.open_file(name) {
        Ok(file) => Some(file),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(failed(error)),
    };
    if let Some(old) = &old {
        refuse_what_cannot_be_replaced(old).map_err(|why| refused(&why))?;
    }
    let staged = [b".rb-written-", name].concat();
    match parent.remove_file(&staged) {
        // A kill left it.
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let written = write_staged(&parent, &staged, bytes, old.as_ref(), permissions);
    let moved = written.and_then(|()| parent.rename_over(&staged, &parent, name));
    if let Err(error) = moved {
        let _ = parent.remove_file(&staged);
        return Err(failed(error));
    }
    parent.sync().map_err(failed)
}

fn write_staged(
    parent: &Folder,
    staged: &[u8],
    bytes: &[u8],
    old: Option<&File>,
    permissions: Option<u32>,
) -> std::io::Result<()> {
    let mut file = parent.create_file(staged, NEW_FILE)?;
    file.write_all(bytes)?;
    if let Some(old) = old {
        keep_owner_and_attributes(old, &file)?;
    }
    set_permissions(&file, old, permissions)?;
    file.sync_all()
}

/// The file that the path leads to; a link that leads nowhere is refused by the system's own words.
fn followed(path: &Path) -> Result<PathBuf> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_symlink() => {
            fs::canonicalize(path).map_err(|error| Error::io("follow", path, error))
        }
        _ => Ok(path.to_owned()),
    }
}

#[cfg(unix)]
fn refuse_what_cannot_be_replaced(old: &File) -> std::result::Result<(), String> {
    use std::os::unix::fs::MetadataExt;
    let metadata = old.metadata().map_err(|error| error.to_string())?;
    if !metadata.is_file() {
        return Err("is no plain file".into());
    }
    match metadata.nlink() {
        0 | 1 => Ok(()),
        names => Err(format!("has {names} names (hard links), which a replacement would part")),
    }
}

#[cfg(unix)]
fn keep_owner_and_attributes(old: &File, new: &File) -> std::io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    let (was, is) = (old.metadata()?, new.metadata()?);
    if (was.uid(), was.gid()) != (is.uid(), is.gid()) {
        std::os::unix::fs::fchown(new, Some(was.uid()), Some(was.gid()))?;
    }
    keep_extended_attributes(old, new)
}

/// Access lists and labels. A file system without any has nothing to keep.
#[cfg(target_os = "linux")]
fn keep_extended_attributes(old: &File, new: &File) -> std::io::Result<()> {
    const LONGEST: usize = 64 << 10;
    let mut names = vec![0; LONGEST];
    let Ok(length) = rustix::fs::flistxattr(old, &mut names[..]) else { return Ok(()) };
    let mut value = vec![0; LONGEST];
    for name in names[..length].split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        let length = rustix::fs::fgetxattr(old, name, &mut value[..])?;
        rustix::fs::fsetxattr(new, name, &value[..length], rustix::fs::XattrFlags::empty())?;
    }
    Ok(())
}

#[cfg(all(unix, not(target_os = "linux")))]
fn keep_extended_attributes(_: &File, _: &File) -> std::io::Result<()> {
    Ok(())
}

/// After the owner, whose change takes permissions away. Never set-id or sticky.
#[cfg(unix)]
fn set_permissions(file: &File, old: Option<&File>, permissions: Option<u32>) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let kept = old.map(File::metadata).transpose()?.map(|metadata| metadata.permissions().mode());
    let mode = permissions.or(kept).unwrap_or(NEW_FILE) & 0o777;
    file.set_permissions(fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn refuse_what_cannot_be_replaced(old: &File) -> std::result::Result<(), String> {
    match old.metadata() {
        Ok(metadata) if metadata.is_file() => Ok(()),
        _ => Err("is no plain file".into()),
    }
}

#[cfg(not(unix))]
fn keep_owner_and_attributes(_: &File, _: &File) -> std::io::Result<()> {
    Ok(())
}

#[cfg(not(unix))]
fn set_permissions(_: &File, _: Option<&File>, _: Option<u32>) -> std::io::Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("it is there").permissions().mode() & 0o7777
    }

    #[test]
    fn permissions_stay_and_are_never_set_id() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("app.env");
        for (before, after) in [(0o640, 0o640), (0o604, 0o604), (0o6755, 0o755), (0o400, 0o400)] {
            let _ = fs::remove_file(&file);
            fs::write(&file, "A=1\n").unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(before)).unwrap();
            replace_outside(&file, b"A=2\n", None).unwrap();
            assert_eq!((mode(&file), fs::read(&file).unwrap()), (after, b"A=2\n".to_vec()));
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else lies there");
    }

    #[test]
    fn a_link_stays_a_link_and_its_file_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real.env"), folder.path().join("link.env"));
        fs::write(&real, "A=1\n").unwrap();
        symlink("real.env", &link).unwrap();
        replace_outside(&link, b"A=2\n", None).unwrap();
        assert_eq!(fs::read_link(&link).unwrap(), Path::new("real.env"));
        assert_eq!(fs::read(&real).unwrap(), b"A=2\n");
        fs::remove_file(&real).unwrap();
        assert!(replace_outside(&link, b"A=3\n", None).is_err(), "it leads nowhere");
    }

    #[test]
    fn names_of_one_file_are_not_parted() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (folder.path().join("one"), folder.path().join("other"));
        fs::write(&one, "A=1\n").unwrap();
        fs::hard_link(&one, &other).unwrap();
        let refused = replace_outside(&one, b"A=2\n", None).unwrap_err().to_string();
        assert!(refused.contains("2 names"), "{refused}");
        assert_eq!(fs::metadata(&other).unwrap().ino(), fs::metadata(&one).unwrap().ino());
    }

    #[test]
    fn a_new_file_is_its_users_alone_and_what_a_kill_left_goes() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(".rb-written-new.env"), "half").unwrap();
        let file = folder.path().join("new.env");
        replace_outside(&file, b"A=1\n", None).unwrap();
        assert_eq!((mode(&file), fs::read_dir(folder.path()).unwrap().count()), (0o600, 1));
    }
}
