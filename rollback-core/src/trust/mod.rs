//! Trust: which procedures may run commands here, and whether the repository's own filters may, recorded outside of it.
//!
//! A record pins the SHA-256 of a procedure with its includes and of the files of the tree that it names. Unattended, the
//! hash comes from the pipeline's configuration. Nothing of the checkout can vouch for itself.

mod repository;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::apply::durable;
use crate::error::{Error, Result};
use crate::repo::config::Shared;

pub use repository::{OwnProgram, fingerprint_of};

/// What stands in place of a procedure's name where the programs of a repository are trusted. No procedure has it.
pub const REPOSITORY: &str = "";

/// The hash of everything that a procedure runs by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Fingerprint {
    /// The hash of all of it, in hexadecimal: what a pipeline is given.
    pub hash: String,
    /// The hash of each file, so that it can be said what changed. A script that is not there has none.
    pub files: BTreeMap<String, Option<String>>,
}

impl Fingerprint {
    /// The fingerprint of files, each with the bytes that were read; `None` for one that is not there.
    pub fn new<'a>(files: impl IntoIterator<Item = (&'a str, Option<&'a [u8]>)>) -> Self {
        Self::of_hashes(files.into_iter().map(|(name, bytes)| (name.to_owned(), bytes.map(sha256))).collect())
    }

    /// The fingerprint of files whose hashes are known.
    pub(crate) fn of_hashes(files: BTreeMap<String, Option<String>>) -> Self {
        let mut whole = Vec::new();
        for (name, hash) in &files {
            // Lengths first: no name can be mistaken for the end of another.
            whole.extend_from_slice(
                format!("{} {name} {}\n", name.len(), hash.as_deref().unwrap_or("-")).as_bytes(),
            );
        }
        Self { hash: sha256(&whole), files }
    }

    /// The files that differ from `trusted`.
    pub fn changed_since(&self, trusted: &Self) -> Vec<String> {
        let names: std::collections::BTreeSet<_> = self.files.keys().chain(trusted.files.keys()).collect();
        names.into_iter().filter(|name| self.files.get(*name) != trusted.files.get(*name)).cloned().collect()
    }
}

/// The SHA-256 of bytes, in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    crate::repo::sha256(bytes)
}

/// The records of one user.
#[derive(Debug, Clone)]
pub struct TrustStore {
    folder: PathBuf,
}

/// Whether a fingerprint is trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trusted {
    /// It is what was trusted.
    Yes,
    /// Nothing was trusted under this name.
    No,
    /// Something else was trusted: these files have changed since.
    Changed(Vec<String>),
}

impl TrustStore {
    /// The store in the user's folder for data: `$XDG_DATA_HOME/rb/trust`, or below the home folder.
    pub fn of_user(environment: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let data =
            environment("XDG_DATA_HOME").filter(|folder| Path::new(folder).is_absolute()).map(PathBuf::from);
        let home = || environment("HOME").map(|home| PathBuf::from(home).join(".local/share"));
        let local = || environment("LOCALAPPDATA").map(PathBuf::from);
        Some(Self { folder: data.or_else(home).or_else(local)?.join("rb").join("trust") })
    }

    /// A store in a folder of the caller's choice, which must not lie in a repository.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Whether the fingerprint is what was trusted for this repository and procedure.
    ///
    /// # Errors
    /// [`Error::Io`] for a file that cannot be read.
    pub fn check(&self, repository: &Path, procedure: &str, fingerprint: &Fingerprint) -> Result<Trusted> {
        let file = self.file(repository, procedure);
        let bytes = match fs::read(&file) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Trusted::No),
            Err(error) => return Err(Error::io("read", file, error)),
        };
        // A record that was cut off or altered vouches for nothing; trusting again replaces it.
        let Ok(record) = serde_json::from_slice::<TrustRecord>(&bytes) else { return Ok(Trusted::No) };
        if record.fingerprint.hash == fingerprint.hash {
            return Ok(Trusted::Yes);
        }
        Ok(Trusted::Changed(fingerprint.changed_since(&record.fingerprint)))
    }

    /// Whether there is a record at all.
    pub fn knows(&self, repository: &Path, procedure: &str) -> bool {
        self.file(repository, procedure).is_file()
    }

    /// Trusts the fingerprint from now on, in place of what was trusted before.
    ///
    /// # Writes
    /// One file of the store, readable by the user alone. It is on the disk when this returns.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn trust(&self, repository: &Path, procedure: &str, fingerprint: &Fingerprint) -> Result<()> {
        let file = self.file(repository, procedure);
        let record = TrustRecord {
            repository: repository.display().to_string(),
            procedure: procedure.to_owned(),
            fingerprint: fingerprint.clone(),
        };
        let bytes = serde_json::to_vec_pretty(&record)
            .map_err(|error| Error::internal("cannot write a record of trust", error))?;
        durable::make_folders(&self.folder, Shared::Umask, true)?;
        let failed = |error| Error::io("write", &file, error);
        let mut staged = tempfile::NamedTempFile::new_in(&self.folder).map_err(failed)?;
        std::io::Write::write_all(&mut staged, &bytes).map_err(failed)?;
        durable::sync_file(staged.as_file(), &file, true)?;
        staged.persist(&file).map_err(|error| failed(error.error))?;
        durable::sync_folder(&self.folder, true)
    }

    /// Every record of the user, by repository and procedure.
    ///
    /// # Errors
    /// [`Error::Io`] for a record that cannot be read.
    pub fn list(&self) -> Result<Vec<TrustRecord>> {
        let rows = match crate::listing::rows(&self.folder) {
            Ok(rows) => rows,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Error::io("read", &self.folder, error)),
        };
        let mut records = Vec::new();
        for row in rows {
            let path = row.path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let bytes = fs::read(&path).map_err(|error| Error::io("read", &path, error))?;
            // Files of other programs are left out.
            records.extend(serde_json::from_slice::<TrustRecord>(&bytes));
        }
        records.sort_by(|a, b| (&a.repository, &a.procedure).cmp(&(&b.repository, &b.procedure)));
        Ok(records)
    }

    /// Forgets what was trusted, also for the time after a power cut; returns whether there was anything.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn forget(&self, repository: &Path, procedure: &str) -> Result<bool> {
        let file = self.file(repository, procedure);
        match fs::remove_file(&file) {
            Ok(()) => durable::sync_folder(&self.folder, true).map(|()| true),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(Error::io("remove", file, error)),
        }
    }

    fn file(&self, repository: &Path, procedure: &str) -> PathBuf {
        let whole = fs::canonicalize(repository).unwrap_or_else(|_| repository.to_owned());
        let name = sha256(format!("{}\0{procedure}", whole.display()).as_bytes());
        self.folder.join(format!("{name}.json"))
    }
}

/// What the user trusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct TrustRecord {
    /// The git directory that the work trees of the repository share.
    pub repository: String,
    /// The procedure; empty for the programs of the repository itself.
    pub procedure: String,
    /// What it was when it was trusted.
    pub fingerprint: Fingerprint,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sha_256_is_the_usual_one() {
        assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn what_was_trusted_is_told_from_what_has_changed_since() {
        let folder = tempfile::tempdir().unwrap();
        let store = TrustStore::in_folder(folder.path().join("trust"));
        let repository = folder.path().join("repo");
        let of = |script: Option<&'static [u8]>| {
            Fingerprint::new([("x.toml", Some(&b"id"[..])), ("./s.sh", script)])
        };
        let first = of(Some(b"echo 1"));
        assert_eq!(store.check(&repository, "x", &first).unwrap(), Trusted::No);
        store.trust(&repository, "x", &first).unwrap();
        assert_eq!(store.check(&repository, "x", &first).unwrap(), Trusted::Yes);
        assert_eq!(store.check(&repository, "y", &first).unwrap(), Trusted::No);
        let changed = Trusted::Changed(vec!["./s.sh".to_owned()]);
        assert_eq!(store.check(&repository, "x", &of(Some(b"echo 2"))).unwrap(), changed);
        assert_eq!(store.check(&repository, "x", &of(None)).unwrap(), changed);
        for cut in ["", "{\"repository\": \"", "null"] {
            fs::write(store.file(&repository, "x"), cut).unwrap();
            assert_eq!(store.check(&repository, "x", &first).unwrap(), Trusted::No, "{cut}");
        }
        store.trust(&repository, "x", &first).unwrap();
        assert_eq!(store.check(&repository, "x", &first).unwrap(), Trusted::Yes);
        assert!(store.forget(&repository, "x").unwrap());
        assert!(!store.forget(&repository, "x").unwrap());
    }

    #[test]
    fn no_two_sets_of_files_share_a_hash() {
        let one = Fingerprint::new([("a", Some(&b"b"[..])), ("c", None)]);
        let other = Fingerprint::new([("a", Some(&b"b"[..])), ("c", Some(&b""[..]))]);
        assert_ne!(one.hash, other.hash);
    }

    #[test]
    fn the_store_lies_in_the_users_folder_for_data() {
        let of = |pairs: &'static [(&'static str, &'static str)]| {
            TrustStore::of_user(|name| {
                pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
            })
            .map(|store| store.folder)
        };
        assert_eq!(of(&[("XDG_DATA_HOME", "/d"), ("HOME", "/h")]), Some(PathBuf::from("/d/rb/trust")));
        assert_eq!(
            of(&[("XDG_DATA_HOME", "relative"), ("HOME", "/h")]),
            Some(PathBuf::from("/h/.local/share/rb/trust"))
        );
        assert_eq!(of(&[]), None);
    }
}
