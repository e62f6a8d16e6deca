//! Blobs that are not to be in memory whole: how large they are, and their bytes piece by piece.
//!
//! Up to `rb.blobLimit` a blob may be read whole; above it a request for all of it is refused by its
//! size, which the object's header tells before anything is unpacked. A blob that is stored whole, loose or
//! in a pack, can be had in pieces whatever its size; one that is stored as a delta cannot. Nothing here writes.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::Path;

use gix::objs::{FindHeader, Kind};
use gix::odb::pack::data::entry::Header;
use gix::odb::pack::{data, index};

use super::objects::Objects;
use crate::error::{Error, ObjectError, Result, SettingError};
use crate::id::ObjectId;

/// The most bytes of an object that are read at once, where `rb.blobLimit` does not say otherwise.
pub(super) const DEFAULT_LIMIT: u64 = 512 << 20;
/// Bytes of a piece.
const PIECE: usize = 64 * 1024;

/// What is shown the pieces of a blob, in order.
pub(crate) type Sink<'a> = dyn FnMut(&[u8]) -> Result<()> + 'a;

impl Objects {
    /// The size of a blob in bytes, without unpacking it.
    ///
    /// # Errors
    /// As [`Objects::blob`], sizes aside.
    pub(crate) fn blob_size(&self, id: ObjectId) -> Result<u64> {
        if let Some(size) = self.kept_size(id) {
            return Ok(size);
        }
        match FindHeader::try_header(&self.gix().objects, &id.0) {
            Ok(Some(header)) => Ok(header.size),
            Ok(None) if self.goes_on_without(id) => Ok(0),
            Ok(None) => Err(self.missing(id, "blob")),
            Err(source) => Err(corrupt(id, source)),
        }
    }

    /// The most bytes of a blob that may be in memory: `rb.blobLimit`, or else 512 MiB or
    /// `core.bigFileThreshold`, whichever is more.
    ///
    /// # Errors
    /// [`SettingError::Value`].
    pub(crate) fn blob_limit(&self) -> Result<u64> {
        blob_limit(self.gix())
    }

    /// Blobs with more bytes than this are written to the work tree in pieces, as by git.
    ///
    /// # Errors
    /// [`SettingError::Value`].
    pub(crate) fn streaming_threshold(&self) -> Result<u64> {
        streaming_threshold(self.gix())
    }

    /// Refuses a blob that would fill the memory, as `what`.
    ///
    /// # Errors
    /// [`Error::TooLarge`].
    pub(crate) fn refuse_too_large(&self, what: impl ToString, size: u64) -> Result<()> {
        let limit = self.blob_limit()?;
        match size > limit {
            true => Err(Error::TooLarge { what: what.to_string(), size, limit }),
            false => Ok(()),
        }
    }

    /// Whether [`Objects::in_pieces`] needs no more memory than a piece.
    pub(crate) fn is_stored_whole(&self, id: ObjectId) -> bool {
        matches!(self.stored(id), Ok(Some(_)))
    }

    /// Shows the bytes of a blob to `sink` and returns how many they are. A blob of more than
    /// `core.bigFileThreshold` bytes that is stored whole is never in memory as a whole.
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`ObjectError::Missing`], [`ObjectError::Corrupt`], and what `sink` returns.
    pub(crate) fn in_pieces(&self, id: ObjectId, sink: &mut Sink<'_>) -> Result<u64> {
        let size = self.blob_size(id)?;
        if size > self.streaming_threshold()?
            && let Some(stored) = self.stored(id)?
        {
            return stored.inflate(id, size, sink).map(|()| size);
        }
        let bytes = self.blob(id)?;
        bytes.chunks(PIECE).try_for_each(sink)?;
        Ok(bytes.len() as u64)
    }

    fn stored(&self, id: ObjectId) -> Result<Option<Stored>> {
        let store = self.gix().objects.store_ref();
        let others = store.alternate_db_paths().unwrap_or_default();
        for folder in std::iter::once(store.path().to_owned()).chain(others) {
            if let Some(stored) = loose_in(&folder, id)? {
                return Ok(Some(stored));
            }
            if let Some(stored) = packed_in(&folder.join("pack"), id) {
                return Ok(stored);
            }
        }
        Ok(None)
    }
}

/// As [`Objects::blob_limit`], of a repository that is just being opened.
pub(super) fn blob_limit(repo: &gix::Repository) -> Result<u64> {
    let config = repo.config_snapshot();
    match config.try_integer("rb.blobLimit") {
        Ok(None) => Ok(DEFAULT_LIMIT.max(streaming_threshold(repo)?)),
        Ok(Some(limit)) if limit >= 0 => Ok(limit as u64),
        Ok(Some(_)) => {
            Err(SettingError::Value { key: "rb.blobLimit".into(), why: "it is negative".into() }.into())
        }
        Err(error) => Err(SettingError::Value { key: "rb.blobLimit".into(), why: error.to_string() }.into()),
    }
}

fn streaming_threshold(repo: &gix::Repository) -> Result<u64> {
    repo.big_file_threshold().map_err(|error| {
        SettingError::Value { key: "core.bigFileThreshold".into(), why: error.to_string() }.into()
    })
}

/// A blob that is stored as itself.
enum Stored {
    Loose(File),
    Packed { pack: data::File, at: u64 },
}

impl Stored {
    fn inflate(self, id: ObjectId, size: u64, sink: &mut Sink<'_>) -> Result<()> {
        match self {
            Self::Loose(file) => {
                let header = gix::objs::encode::loose_header(Kind::Blob, size);
                inflate(&mut BufReader::new(file), id, &header, size, sink)
            }
            Self::Packed { pack, at } => {
                let range = at..pack.pack_end() as u64;
                let mut bytes = pack.entry_slice(range).ok_or_else(|| corrupt(id, "its pack is cut off"))?;
                inflate(&mut bytes, id, &[], size, sink)
            }
        }
    }
}

/// Unpacks what follows `header`, and compares its hash with `id` at the end.
fn inflate(
    from: &mut impl BufRead,
    id: ObjectId,
    header: &[u8],
    size: u64,
    sink: &mut Sink<'_>,
) -> Result<()> {
    let mut state = gix::zlib::Decompress::new();
    let mut hasher = gix::hash::hasher(id.0.kind());
    hasher.update(&gix::objs::encode::loose_header(Kind::Blob, size));
    let mut buffer = vec![0; PIECE];
    let mut skipped = 0;
    let mut seen = 0;
    loop {
        let read = gix::zlib::stream::inflate::read(from, &mut state, &mut buffer);
        let read = read.map_err(|error| corrupt(id, error))?;
        if read == 0 {
            break;
        }
        let skip = read.min(header.len() - skipped);
        if buffer[..skip] != header[skipped..skipped + skip] {
            return Err(corrupt(id, "its header is not that of a blob"));
        }
        skipped += skip;
        let piece = &buffer[skip..read];
        seen += piece.len() as u64;
        if seen > size {
            break;
        }
        hasher.update(piece);
        sink(piece)?;
    }
    let found = hasher.try_finalize().map_err(|error| corrupt(id, error))?;
    match seen == size && found == id.0 {
        true => Ok(()),
        false => Err(corrupt(id, "its bytes are not those of its name")),
    }
}

fn loose_in(folder: &Path, id: ObjectId) -> Result<Option<Stored>> {
    let hex = id.to_string();
    let path = folder.join(&hex[..2]).join(&hex[2..]);
    match File::open(&path) {
        Ok(file) => Ok(Some(Stored::Loose(file))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io("read", path, error)),
    }
}

/// `Some(None)` where it is there as a delta.
fn packed_in(folder: &Path, id: ObjectId) -> Option<Option<Stored>> {
    let files = crate::listing::rows(folder).ok()?;
    let indices = files
        .iter()
        .map(|file| file.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "idx"));
    for path in indices {
        let Ok(index) = index::File::at(&path, id.0.kind()) else { continue };
        let Some(at) = index.lookup(id.0) else { continue };
        let pack = data::File::at(path.with_extension("pack"), id.0.kind()).ok()?;
        let entry = pack.entry(index.pack_offset_at_index(at)).ok()?;
        let whole = matches!(entry.header, Header::Blob);
        return Some(whole.then_some(Stored::Packed { pack, at: entry.data_offset }));
    }
    None
}

fn corrupt(id: ObjectId, source: impl Into<crate::error::Source>) -> Error {
    ObjectError::Corrupt { kind: "blob", id, source: source.into() }.into()
}
