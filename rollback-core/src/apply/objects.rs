//! New objects, made durable before anything names them.
//!
//! An object counts as stored only when it can be read back: an empty file left by a power cut is
//! written anew, which the object library's own writer would skip.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bstr::ByteSlice;
use gix::objs::{Exists, Kind};

use super::durable::{self, Flushes};
use crate::error::{Error, Result};
use crate::id::ObjectId;
use crate::listing;
use crate::repo::Repo;
use crate::repo::config::Settings;

/// Stores the objects that are not stored yet.
///
/// # Writes
/// Loose objects below `objects/`, by way of `tmp_obj_*` files that git's gc removes after a crash.
pub(crate) fn store(repo: &Repo, objects: &[(ObjectId, Kind, Vec<u8>)], settings: &Settings) -> Result<()> {
    let mut local = repo.local();
    // What came in a new pack meanwhile is stored again, which does no harm.
    local.objects.refresh_never();
    let store = Store {
        folder: local.objects.store_ref().path().to_owned(),
        compression: local.loose_compression(),
        settings,
    };
    let mut folders = BTreeSet::new();
    let mut staged = Vec::new();
    let mut flushes = Flushes::new(settings.fsync.objects);
    for (id, kind, bytes) in objects {
        let path = store.path_of(*id);
        match store.state_of(&path, *kind, bytes)? {
            // It may never have been flushed, and from now on it is relied on.
            State::Whole(file) => {
                flushes.add(file, path.display().to_string())?;
                folders.extend(path.parent().map(Path::to_owned));
            }
            State::Absent if local.objects.exists(&id.0) => {}
            State::Absent | State::Broken => staged.push((store.stage(*kind, bytes, &mut flushes)?, path)),
        }
    }
    flushes.finish()?;
    for (temporary, path) in staged {
        folders.insert(store.put(temporary, &path)?);
    }
    folders.iter().try_for_each(|folder| durable::sync_folder(folder, settings.fsync.objects))
}

/// What may have been written this recently and not be on the disk, where files have to be flushed one by one.
const UNFLUSHED: Duration = Duration::from_secs(15 * 60);

/// Flushes what other programs wrote and a result builds on: git leaves its objects to the system unless it is told
/// otherwise, and a reference that is on the disk must not name what is not.
///
/// # Errors
/// [`Error::Io`].
pub(crate) fn flush_existing(repo: &Repo, settings: &Settings) -> Result<()> {
    if !settings.fsync.objects {
        return Ok(());
    }
    let local = repo.local();
    let own = local.objects.store_ref().path().to_owned();
    let alternates = local.objects.store_ref().alternate_db_paths().unwrap_or_default();
    for folder in std::iter::once(own).chain(alternates) {
        if durable::is_folder(&folder)? && !durable::sync_file_system(&folder)? {
            flush_recent(&folder)?;
        }
    }
    Ok(())
}

/// Flushes the files of an object folder that are not older than [`UNFLUSHED`], and the folders that hold them.
fn flush_recent(folder: &Path) -> Result<()> {
    let failed = |error| Error::io("flush", folder, error);
    let recently = |metadata: &fs::Metadata| {
        let age = metadata.modified().ok().and_then(|modified| modified.elapsed().ok());
        age.is_none_or(|age| age < UNFLUSHED)
    };
    for row in listing::rows(folder).map_err(failed)? {
        let below = row.path();
        for inner in listing::rows(&below).into_iter().flatten() {
            if inner.metadata().is_ok_and(|metadata| metadata.is_file() && recently(&metadata)) {
                File::open(inner.path()).and_then(|file| file.sync_all()).map_err(failed)?;
            }
        }
        durable::sync_folder(&below, durable::is_folder(&below)?)?;
    }
    durable::sync_folder(folder, true)
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

    /// Makes the folder that the object lies in; a link in its place would lead elsewhere.
    fn make_folder_of(&self, path: &Path) -> Result<PathBuf> {
        let folder = path.parent().expect("a loose object lies in a folder").to_owned();
        durable::refuse_links(&self.folder, folder.strip_prefix(&self.folder).unwrap_or(&folder))?;
        durable::make_folders(&folder, self.settings.shared, self.settings.fsync.objects)?;
        Ok(folder)
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

    /// Writes the object beside its place.
    fn stage(&self, kind: Kind, bytes: &[u8], flushes: &mut Flushes) -> Result<tempfile::TempPath> {
        let failed = |error| Error::io("write an object in", &self.folder, error);
        let temporary = self.temporary().map_err(failed)?;
        let mut deflate = gix::zlib::stream::deflate::Write::new(temporary, self.compression);
        deflate.write_all(&gix::objs::encode::loose_header(kind, bytes.len() as u64)).map_err(failed)?;
        deflate.write_all(bytes).map_err(failed)?;
        deflate.flush().map_err(failed)?;
        self.settle(deflate.into_inner(), flushes)
    }

    fn temporary(&self) -> std::io::Result<tempfile::NamedTempFile> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("tmp_obj_");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(fs::Permissions::from_mode(0o444));
        }
        builder.tempfile_in(&self.folder)
    }

    /// Gives a written object its permissions; it may be put into its place when the flushes are finished.
    fn settle(&self, file: tempfile::NamedTempFile, flushes: &mut Flushes) -> Result<tempfile::TempPath> {
        durable::adjust_shared(file.path(), self.settings.shared)?;
        let (file, path) = file.into_parts();
        flushes.add(file, path.display().to_string())?;
        Ok(path)
    }

    /// Gives a flushed object its name, and returns the folder, which is not flushed.
    fn put(&self, temporary: tempfile::TempPath, path: &Path) -> Result<PathBuf> {
        let folder = self.make_folder_of(path)?;
        temporary.persist(path).map_err(|error| Error::io("store", path, error.error))?;
        Ok(folder)
    }
}

/// Whether blobs are stored or only named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keeping {
    Store,
    OnlyName,
}

/// Stores the bytes of files as blobs, piece by piece, so that no file has to fit into memory.
///
/// # Writes
/// As [`store`]. The blobs are stored by [`BlobStore::finish`], which has to be called before anything names them.
pub(crate) struct BlobStore<'a> {
    local: gix::Repository,
    store: Store<'a>,
    staged: BTreeMap<PathBuf, tempfile::TempPath>,
    flushes: Flushes,
    keeping: Keeping,
}

impl<'a> BlobStore<'a> {
    pub(crate) fn new(repo: &Repo, settings: &'a Settings, keeping: Keeping) -> Self {
        let local = repo.local();
        let store = Store {
            folder: local.objects.store_ref().path().to_owned(),
            compression: local.loose_compression(),
            settings,
        };
        let flushes = Flushes::new(settings.fsync.objects);
        Self { local, store, staged: BTreeMap::new(), flushes, keeping }
    }

    /// Stores the `size` bytes of an open file; `see` is shown each piece. `None` where the file changed meanwhile.
    pub(crate) fn keep(
        &mut self,
        file: &mut (impl Read + Seek),
        size: u64,
        see: &mut dyn FnMut(&[u8]),
    ) -> std::io::Result<Option<ObjectId>> {
        let Some(id) = self.pass(file, size, see)? else { return Ok(None) };
        let path = self.store.path_of(id);
        if self.keeping == Keeping::OnlyName {
            return Ok(Some(id));
        }
        let stored = fs::metadata(&path).is_ok_and(|metadata| metadata.len() > 0);
        if stored || self.staged.contains_key(&path) || self.local.objects.exists(&id.0) {
            return Ok(Some(id));
        }
        file.seek(std::io::SeekFrom::Start(0))?;
        let mut deflate =
            gix::zlib::stream::deflate::Write::new(self.store.temporary()?, self.store.compression);
        deflate.write_all(&gix::objs::encode::loose_header(Kind::Blob, size))?;
        let mut failed = None;
        let again = self.pass(file, size, &mut |piece| {
            failed = failed.take().or(deflate.write_all(piece).err());
        })?;
        if let Some(error) = failed {
            return Err(error);
        }
        if again != Some(id) {
            return Ok(None);
        }
        deflate.flush()?;
        let settled = self.store.settle(deflate.into_inner(), &mut self.flushes);
        self.staged.insert(path, settled.map_err(std::io::Error::other)?);
        Ok(Some(id))
    }

    /// The id of the bytes; `None` where there are not as many as the size says.
    fn pass(
        &self,
        file: &mut impl Read,
        size: u64,
        see: &mut dyn FnMut(&[u8]),
    ) -> std::io::Result<Option<ObjectId>> {
        let mut hasher = gix::hash::hasher(self.local.object_hash());
        hasher.update(&gix::objs::encode::loose_header(Kind::Blob, size));
        let mut buffer = vec![0; 64 * 1024];
        let mut seen = 0;
        loop {
            match file.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => {
                    seen += read as u64;
                    hasher.update(&buffer[..read]);
                    see(&buffer[..read]);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        if seen != size {
            return Ok(None);
        }
        hasher.try_finalize().map(|id| Some(ObjectId(id))).map_err(std::io::Error::other)
    }

    /// Stores what was kept, so that it is found under its name after a power cut.
    pub(crate) fn finish(mut self) -> Result<()> {
        self.flushes.finish()?;
        let mut folders = BTreeSet::new();
        for (path, temporary) in self.staged {
            folders.insert(self.store.put(temporary, &path)?);
        }
        let sync = self.store.settings.fsync.objects;
        folders.iter().try_for_each(|folder| durable::sync_folder(folder, sync))
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
