//! New objects, made durable before anything names them.
//!
//! An object counts as stored only when it can be read back: an empty file left by a power cut is
//! written anew, which the object library's own writer would skip.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use bstr::ByteSlice;
use gix::objs::{Exists, Kind};

use super::durable;
use crate::error::{Error, Result};
use crate::id::ObjectId;
use crate::repo::config::Settings;
use crate::repo::{NewObjects, Repo};

/// Stores the objects that are not stored yet.
///
/// # Writes
/// Loose objects below `objects/`, by way of `tmp_obj_*` files that git's gc removes after a crash.
pub(crate) fn store(repo: &Repo, objects: &NewObjects, settings: &Settings) -> Result<()> {
    let local = repo.local();
    let store = Store {
        folder: local.objects.store_ref().path().to_owned(),
        compression: local.loose_compression(),
        settings,
    };
    let mut folders = BTreeSet::new();
    let mut staged = Vec::new();
    for (id, kind, bytes) in objects {
        let path = store.path_of(*id);
        match store.state_of(&path, *kind, bytes)? {
            // Whoever wrote it may not have flushed it, and from now on it is relied on.
            State::Whole(file) => {
                durable::sync_file(&file, &path, settings.fsync.objects)?;
                folders.extend(path.parent().map(Path::to_owned));
            }
            State::Absent if local.objects.exists(&id.0) => {}
            State::Absent | State::Broken => staged.push((store.stage(*kind, bytes)?, path)),
        }
    }
    for (temporary, path) in staged {
        let folder = path.parent().expect("a loose object lies in a folder").to_owned();
        durable::make_folders(&folder, settings.shared, settings.fsync.objects)?;
        temporary.persist(&path).map_err(|error| Error::io("store", path, error.error))?;
        folders.insert(folder);
    }
    folders.iter().try_for_each(|folder| durable::sync_folder(folder, settings.fsync.objects))
}

struct Store<'a> {
    folder: PathBuf,
    compression: gix::zlib::Compression,
    settings: &'a Settings,
}

enum State {
    Absent,
    Broken,
    Whole(File),
}

impl Store<'_> {
    fn path_of(&self, id: ObjectId) -> PathBuf {
        let hex = id.to_string();
        self.folder.join(&hex[..2]).join(&hex[2..])
    }

    fn state_of(&self, path: &Path, kind: Kind, bytes: &[u8]) -> Result<State> {
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(State::Absent),
            Err(error) => return Err(Error::io("read", path, error)),
        };
        let mut stored = Vec::new();
        file.read_to_end(&mut stored).map_err(|error| Error::io("read", path, error))?;
        Ok(if inflates_to(&stored, kind, bytes) { State::Whole(file) } else { State::Broken })
    }

    /// Writes the object beside its place and flushes it.
    fn stage(&self, kind: Kind, bytes: &[u8]) -> Result<tempfile::TempPath> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("tmp_obj_");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(fs::Permissions::from_mode(0o444));
        }
        let failed = |error| Error::io("write an object in", &self.folder, error);
        let temporary = builder.tempfile_in(&self.folder).map_err(failed)?;
        let mut deflate = gix::zlib::stream::deflate::Write::new(temporary, self.compression);
        deflate.write_all(&gix::objs::encode::loose_header(kind, bytes.len() as u64)).map_err(failed)?;
        deflate.write_all(bytes).map_err(failed)?;
        deflate.flush().map_err(failed)?;
        let temporary = deflate.into_inner();
        durable::sync_file(temporary.as_file(), temporary.path(), self.settings.fsync.objects)?;
        durable::adjust_shared(temporary.path(), self.settings.shared)?;
        Ok(temporary.into_temp_path())
    }
}

fn inflates_to(stored: &[u8], kind: Kind, bytes: &[u8]) -> bool {
    let header = gix::objs::encode::loose_header(kind, bytes.len() as u64);
    let mut wanted = header.to_vec();
    wanted.extend_from_slice(bytes);
    // One byte more than wanted, to notice a longer object.
    let mut found = vec![0; wanted.len() + 1];
    let mut inflate = gix::zlib::Inflate::default();
    match inflate.once(stored, &mut found) {
        Ok((gix::zlib::Status::StreamEnd, _, written)) => found[..written].as_bstr() == wanted.as_bstr(),
        _ => false,
    }
}
