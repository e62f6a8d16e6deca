//! The store of rb's own records: files below `rb/records/` of the common git directory.
//!
//! A record is replaced whole: written beside, flushed, renamed. A writer names the revision that it read, and the lock
//! of the store makes comparing and replacing one step. A record that cannot be read is passed over and named; it stays
//! where it is until `rb prune` takes it away, and no other record depends on it.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::durable;
use super::own::OwnFolder;
use crate::error::{Error, RepositoryError, Result};
use crate::record::{self, Files, Flaw, Record, RecordKind, Revision, UnreadableRecord};
use crate::repo::Repo;
use crate::repo::config::Settings;

/// The folder of all records, below the common git directory.
const RECORDS: [&str; 2] = ["rb", "records"];

/// The lock of the store.
const LOCK: &str = "lock";

/// What a record is called while it is written. No record has such a name.
const WRITTEN: &str = ".written";

/// How long another writer is waited for. It writes one small file.
const PATIENCE: Duration = Duration::from_secs(10);

/// What there is of a kind of records.
#[derive(Debug, Default)]
pub(crate) struct Records {
    /// Ids and records, in the order of the ids.
    pub(crate) read: Vec<(String, Record)>,
    /// Those that cannot be used.
    pub(crate) unreadable: Vec<UnreadableRecord>,
}

impl Repo {
    /// The record of this id; `None` where there is none.
    ///
    /// # Errors
    /// [`RepositoryError::ForeignRecord`] for one that cannot be used; [`RepositoryError::LinkInGitDir`];
    /// [`Error::Io`].
    pub(crate) fn read_record(&self, kind: RecordKind, id: &str) -> Result<Option<Record>> {
        let Some(name) = record::file_name(id) else { return Ok(None) };
        match self.record_folder(kind)? {
            Some(own) => read_one(&own, kind, id, &name),
            None => Ok(None),
        }
    }

    /// All records of a kind; one that cannot be read is named and skipped.
    ///
    /// # Errors
    /// [`RepositoryError::LinkInGitDir`] and [`Error::Io`] where the folder cannot be read.
    pub(crate) fn records(&self, kind: RecordKind) -> Result<Records> {
        let mut records = Records::default();
        let Some(own) = self.record_folder(kind)? else { return Ok(records) };
        for id in ids(&own)? {
            let name = record::file_name(&id).unwrap_or_default();
            match read_one(&own, kind, &id, &name) {
                Ok(found) => records.read.extend(found.map(|record| (id, record))),
                Err(error) => records.unreadable.push(self.unreadable(kind, &id, &error)),
            }
        }
        Ok(records)
    }

    /// The ids of the records of a kind, in order, whether or not they can be read.
    ///
    /// # Errors
    /// As [`Repo::records`].
    pub(crate) fn record_ids(&self, kind: RecordKind) -> Result<Vec<String>> {
        self.record_folder(kind)?.map_or(Ok(Vec::new()), |own| ids(&own))
    }

    /// A record of this id that cannot be used.
    pub(crate) fn unreadable(&self, kind: RecordKind, id: &str, error: &Error) -> UnreadableRecord {
        let folder = self.common_dir().join(RECORDS[0]).join(RECORDS[1]).join(kind.folder());
        let path = folder.join(record::file_name(id).unwrap_or_default());
        let damaged =
            !matches!(error, Error::Repository(RepositoryError::Unsupported { .. }) | Error::Io { .. });
        UnreadableRecord { kind, id: id.to_owned(), path, why: why(error), damaged }
    }

    /// Writes a record in place of the one of revision `expected`, or as a new one.
    ///
    /// # Writes
    /// One file below `rb/records/` of the common git directory. It is on the disk when this returns.
    ///
    /// # Errors
    /// [`Error::BadRequest`] for an id that cannot be a name or a record above its limit; [`Error::Locked`] where
    /// another process wrote it meanwhile.
    pub(crate) fn write_record(
        &self,
        kind: RecordKind,
        id: &str,
        expected: Option<Revision>,
        files: &Files,
    ) -> Result<Revision> {
        let settings = Settings::of(self)?;
        let name = name_of(kind, id)?;
        let _lock = StoreLock::take(self, &settings)?;
        let own = self.make_record_folder(kind, &settings)?;
        let found = read_one(&own, kind, id, &name)?.map(|record| record.revision);
        if found != expected {
            return Err(Error::Locked { path: own.path.join(name), age: None });
        }
        let revision = Revision(expected.map_or(1, |Revision(last)| last.saturating_add(1)));
        let bytes = encode(kind, id, revision, files)?;
        put(&own, &name, &bytes, &settings)?;
        Ok(revision)
    }

    /// Moves a record that is staged as a file into its place; one that is there already stays.
    ///
    /// # Writes
    /// One file below `rb/records/` of the common git directory.
    ///
    /// # Errors
    /// [`RepositoryError::LinkInGitDir`]; [`Error::Io`].
    pub(super) fn place_record(
        &self,
        kind: RecordKind,
        id: &str,
        staged: &Path,
        settings: &Settings,
    ) -> Result<()> {
        let name = name_of(kind, id)?;
        let Some(bytes) = durable::read_if_there(staged)? else { return Ok(()) };
        let _lock = StoreLock::take(self, settings)?;
        let own = self.make_record_folder(kind, settings)?;
        let there = own.folder.info(name.as_bytes());
        match there.map_err(|error| Error::io("examine", own.path.join(&name), error))? {
            Some(_) => Ok(()),
            None => put(&own, &name, &bytes, settings),
        }
    }

    /// Removes records; those that are gone already are fine.
    ///
    /// # Writes
    /// Files below `rb/records/` go.
    ///
    /// # Errors
    /// [`Error::Locked`]; [`Error::Io`].
    pub(crate) fn remove_records(&self, kind: RecordKind, ids: &[String]) -> Result<()> {
        let settings = Settings::of(self)?;
        let Some(own) = self.record_folder(kind)?.filter(|_| !ids.is_empty()) else { return Ok(()) };
        let _lock = StoreLock::take(self, &settings)?;
        for name in ids.iter().filter_map(|id| record::file_name(id)) {
            match own.folder.remove_file(name.as_bytes()) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(Error::io("remove", own.path.join(name), error));
                }
                _ => {}
            }
        }
        sync(&own, &settings)
    }

    fn record_folder(&self, kind: RecordKind) -> Result<Option<OwnFolder>> {
        OwnFolder::open(&self.common_dir(), &[RECORDS[0], RECORDS[1], kind.folder()])
    }

    fn make_record_folder(&self, kind: RecordKind, settings: &Settings) -> Result<OwnFolder> {
        OwnFolder::make(&self.common_dir(), &[RECORDS[0], RECORDS[1], kind.folder()], settings)
    }
}

/// The bytes of a record.
///
/// # Errors
/// [`Error::BadRequest`] where it is larger than its kind may be.
pub(crate) fn encode(kind: RecordKind, id: &str, revision: Revision, files: &Files) -> Result<Vec<u8>> {
    let bytes = record::encode(kind, id, revision, files);
    match bytes.len() as u64 > kind.limit() {
        true => Err(Error::BadRequest(format!(
            "the record of {} {id} would have {} bytes, more than the {} that it may have",
            kind.as_str(),
            bytes.len(),
            kind.limit()
        ))),
        false => Ok(bytes),
    }
}

/// Refuses links where a landing logs itself, which it does when it has landed.
///
/// # Errors
/// [`RepositoryError::LinkInGitDir`].
pub(super) fn refuse_links(repo: &Repo) -> Result<()> {
    let common_dir = repo.common_dir();
    let parts = ["rb/records/operations", "rb/records/lock", "RB_HEAD", "RB_HEAD.lock", "logs/RB_HEAD"];
    parts.iter().try_for_each(|part| durable::refuse_links(&common_dir, Path::new(part)))
}

fn name_of(kind: RecordKind, id: &str) -> Result<String> {
    record::file_name(id)
        .ok_or_else(|| Error::BadRequest(format!("'{id}' is too long, or empty, for a {}", kind.as_str())))
}

fn ids(own: &OwnFolder) -> Result<Vec<String>> {
    let names = own.folder.names().map_err(|error| Error::io("read", &own.path, error))?;
    let mut ids: Vec<_> = names.iter().filter_map(|name| record::id_of(name)).collect();
    ids.sort();
    Ok(ids)
}

fn read_one(own: &OwnFolder, kind: RecordKind, id: &str, name: &str) -> Result<Option<Record>> {
    let path = own.path.join(name);
    let unusable = |why: String| Err(RepositoryError::ForeignRecord { path: path.clone(), why }.into());
    let failed = |error| Error::io("read", &path, error);
    let file = match own.folder.open_file(name.as_bytes()) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(own.refusal(name, error)),
    };
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return unusable("it is no file".to_owned());
    }
    if metadata.len() > kind.limit() {
        return unusable(format!("it has {} bytes, more than any such record", metadata.len()));
    }
    let mut bytes = Vec::new();
    file.take(kind.limit()).read_to_end(&mut bytes).map_err(failed)?;
    record::decode(kind, id, &bytes).map(Some).or_else(|flaw| match flaw {
        Flaw::Damaged(why) => unusable(why),
        Flaw::Newer(version) => Err(RepositoryError::Unsupported {
            what: format!("version {version} of records"),
            why: format!("a newer rb wrote {}", path.display()),
        }
        .into()),
    })
}

fn put(own: &OwnFolder, name: &str, bytes: &[u8], settings: &Settings) -> Result<()> {
    let (path, written) = (own.path.join(name), own.path.join(WRITTEN));
    let failed = |error| Error::io("write", &path, error);
    match own.folder.remove_file(WRITTEN.as_bytes()) {
        // A kill left it.
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let mut file = own.folder.create_file(WRITTEN.as_bytes(), 0o666).map_err(failed)?;
    durable::share_file(&file, &written, settings.shared)?;
    file.write_all(bytes).map_err(failed)?;
    durable::sync_file(&file, &written, settings.fsync.journal)?;
    own.folder.rename_over(WRITTEN.as_bytes(), &own.folder, name.as_bytes()).map_err(failed)?;
    sync(own, settings)
}

fn sync(own: &OwnFolder, settings: &Settings) -> Result<()> {
    match settings.fsync.journal {
        true => own.folder.sync().map_err(|error| Error::io("flush", &own.path, error)),
        false => Ok(()),
    }
}

/// The right to write records, held until it is dropped or the process ends.
pub(crate) struct StoreLock {
    _file: File,
}

impl StoreLock {
    /// Takes the lock, or waits for another writer.
    pub(super) fn take(repo: &Repo, settings: &Settings) -> Result<Self> {
        match Self::within(repo, settings, PATIENCE)? {
            Ok(lock) => Ok(lock),
            Err(path) => Err(Error::Locked { path, age: None }),
        }
    }

    /// Takes the lock unless another writer holds it.
    pub(super) fn take_if_free(repo: &Repo, settings: &Settings) -> Result<Option<Self>> {
        Ok(Self::within(repo, settings, Duration::ZERO)?.ok())
    }

    fn within(repo: &Repo, settings: &Settings, patience: Duration) -> Result<Result<Self, PathBuf>> {
        let own = OwnFolder::make(&repo.common_dir(), &RECORDS, settings)?;
        let file = own.lock(LOCK, patience, settings)?;
        Ok(file.map(|file| Self { _file: file }).ok_or_else(|| own.path.join(LOCK)))
    }
}

/// The reason alone: the path is said beside it.
fn why(error: &Error) -> String {
    match error {
        Error::Repository(RepositoryError::ForeignRecord { why, .. }) => why.clone(),
        Error::Io { source, .. } => source.to_string(),
        other => other.to_string(),
    }
}
