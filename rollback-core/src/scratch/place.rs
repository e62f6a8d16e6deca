//! Where the candidate of a run lies: a folder that rb derives from the id of the run and finds again by it.
//!
//! The folder lies below a root in the system's folder for temporary files that only its user can enter. A marker beside
//! the files says of which run of which repository they are: without it nothing there is read, written or removed. No
//! record says where a candidate is.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use bstr::ByteSlice;

use crate::error::{Error, Result};
use crate::listing;
use crate::repo::{Repo, sha256};

/// How the root begins; the user's number follows.
const ROOT: &str = "rb-candidates";
/// The marker.
const MARKER: &str = "rb-candidate";
/// How often the folders of a candidate are made before the error counts.
const ATTEMPTS: usize = 8;
/// The folder of the files.
const FILES: &str = "files";

/// The place of one run's candidate, whether or not it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    root: PathBuf,
    folder: PathBuf,
    marker: String,
}

impl Place {
    /// The place for the run of this id.
    ///
    /// # Errors
    /// [`Error::BadRequest`] for an id that is no plain name.
    pub fn of_run(repo: &Repo, id: &str) -> Result<Self> {
        let plain = !id.is_empty() && id.len() <= 64 && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !plain {
            return Err(Error::BadRequest(format!("'{id}' is no id of a run")));
        }
        let repository = identity(repo);
        let root = root();
        let folder = root.join(format!("{id}-{}", &repository[..16]));
        Ok(Self { root, folder, marker: format!("rb candidate 1\nrun {id}\nrepository {repository}\n") })
    }

    /// The folder of the files.
    pub fn files(&self) -> PathBuf {
        self.folder.join(FILES)
    }

    /// Whether the candidate is there and is this run's.
    pub fn is_there(&self) -> bool {
        self.is_marked() && is_own(&self.files())
    }

    /// Whether a process holds it, see [`Held`].
    fn is_held(&self) -> bool {
        let marker = fs::File::open(self.folder.join(MARKER));
        marker.is_ok_and(|marker| matches!(marker.try_lock(), Err(fs::TryLockError::WouldBlock)))
    }

    fn is_marked(&self) -> bool {
        is_own(&self.root) && is_own(&self.folder) && marker_of(&self.folder).as_ref() == Some(&self.marker)
    }

    /// Makes the folder, unless it is there.
    ///
    /// # Writes
    /// The folder and its marker.
    ///
    /// # Errors
    /// [`PathError::Hostile`](crate::error::PathError::Hostile) where something that is not this run's stands there;
    /// [`Error::Io`].
    pub fn make(&self) -> Result<()> {
        if !self.is_marked() {
            self.make_folder()?;
            let marker = self.folder.join(MARKER);
            fs::write(&marker, &self.marker).map_err(|error| Error::io("write", &marker, error))?;
        }
        make_own(&self.files())
    }

    /// Another process removes the root when its last candidate goes, also between the two folders.
    fn make_folder(&self) -> Result<()> {
        for _ in 0..ATTEMPTS {
            make_own(&self.root)?;
            self.remove_unmarked()?;
            match make_own(&self.folder) {
                Err(Error::Io { source, .. }) if source.kind() == ErrorKind::NotFound => {}
                made => return made,
            }
        }
        make_own(&self.root)?;
        make_own(&self.folder)
    }

    /// Removes the candidate, if it is there and is this run's.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn remove(&self) -> Result<()> {
        if !self.is_marked() {
            return Ok(());
        }
        fs::remove_dir_all(&self.folder).map_err(|error| Error::io("remove", &self.folder, error))?;
        remove_if_empty(&self.root);
        Ok(())
    }

    /// A kill while the folder was made leaves an empty one, or half a marker in it.
    fn remove_unmarked(&self) -> Result<()> {
        if is_own(&self.folder) && listing::rows(&self.folder).is_ok_and(|rows| rows.len() == 1) {
            let _ = fs::remove_file(self.folder.join(MARKER));
        }
        match fs::remove_dir(&self.folder) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(Error::io("remove", &self.folder, error))
            }
            _ => Ok(()),
        }
    }
}

/// A place that lasts as long as it is held: it is removed with this value, or after the end of this process by the next
/// [`sweep`].
pub(super) struct Held {
    place: Place,
    files: PathBuf,
    /// The marker, locked.
    _lock: fs::File,
}

impl Held {
    /// A new place of its own.
    ///
    /// # Writes
    /// The folder and its marker.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(super) fn new(repo: &Repo) -> Result<Self> {
        // A sweep can take a folder that is not marked yet for one that a killed process left.
        for _ in 0..ATTEMPTS {
            match Self::attempt(repo) {
                Err(Error::Io { source, .. }) if source.kind() == ErrorKind::NotFound => {}
                made => return made,
            }
        }
        Self::attempt(repo)
    }

    fn attempt(repo: &Repo) -> Result<Self> {
        let number = getrandom::u64()
            .map_err(|error| Error::internal("no random number to be had", std::io::Error::other(error)))?;
        let place = Place::of_run(repo, &format!("held{number:016x}"))?;
        place.make_folder()?;
        let marker = place.folder.join(MARKER);
        let failed = |error| Error::io("write", &marker, error);
        let mut lock = fs::File::create_new(&marker).map_err(failed)?;
        // Locked before it says whose folder this is: what it does not mark, no sweep removes.
        lock.lock().map_err(failed)?;
        lock.write_all(place.marker.as_bytes()).map_err(failed)?;
        let files = place.files();
        let held = Self { place, files, _lock: lock };
        make_own(&held.files)?;
        Ok(held)
    }

    pub(super) fn files(&self) -> &Path {
        &self.files
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // What cannot be removed is no error of what was done in it.
        let _ = self.place.remove();
    }
}

/// Removes the candidates of runs of this repository that `is_open` does not know, and what processes left that have
/// ended.
///
/// # Errors
/// [`Error::Io`] where one cannot be removed.
pub fn sweep(repo: &Repo, is_open: impl Fn(&str) -> bool) -> Result<()> {
    let root = root();
    if !is_own(&root) {
        return Ok(());
    }
    let suffix = format!("-{}", &identity(repo)[..16]);
    let rows = listing::rows(&root).map_err(|error| Error::io("read", &root, error))?;
    for name in rows.iter().filter_map(|row| row.file_name().into_string().ok()) {
        if let Some(id) = name.strip_suffix(&suffix)
            && !is_open(id)
            && let Ok(place) = Place::of_run(repo, id)
            && !place.is_held()
        {
            place.remove()?;
            // One that was never marked holds nothing, or it stays.
            let _ = place.remove_unmarked();
        }
    }
    remove_if_empty(&root);
    Ok(())
}

/// An empty folder cannot hold a candidate, and one that is not empty is not removed.
fn remove_if_empty(root: &Path) {
    let _ = fs::remove_dir(root);
}

fn root() -> PathBuf {
    std::env::temp_dir().join(format!("{ROOT}-{}", user()))
}

/// Stands for the repository, whichever of its work trees is at work.
fn identity(repo: &Repo) -> String {
    let folder = repo.common_dir();
    sha256(<[u8]>::from_path(&folder).unwrap_or_default())
}

fn marker_of(folder: &Path) -> Option<String> {
    let marker = folder.join(MARKER);
    let metadata = fs::symlink_metadata(&marker).ok()?;
    (metadata.is_file() && metadata.len() < 1024).then(|| fs::read_to_string(&marker).ok()).flatten()
}

/// Makes a folder that only its user can enter; one that is there has to be the user's.
fn make_own(folder: &Path) -> Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(folder) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            return Err(Error::io("make", folder, error));
        }
        _ => {}
    }
    match is_own(folder) {
        true => Ok(()),
        false => Err(Error::io(
            "use",
            folder,
            std::io::Error::new(ErrorKind::PermissionDenied, "it is a link, or not this user's alone"),
        )),
    }
}

#[cfg(unix)]
fn is_own(folder: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::symlink_metadata(folder)
        .is_ok_and(|metadata| metadata.is_dir() && metadata.uid() == user() && metadata.mode() & 0o022 == 0)
}

#[cfg(not(unix))]
fn is_own(folder: &Path) -> bool {
    fs::symlink_metadata(folder).is_ok_and(|metadata| metadata.is_dir())
}

#[cfg(unix)]
fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

#[cfg(not(unix))]
fn user() -> u32 {
    0
}

#[cfg(all(test, unix))]
mod tests {
    use test_kit::Sandbox;

    use super::*;

    fn world() -> (Sandbox, Repo) {
        let sandbox = Sandbox::new();
        sandbox.commit("one", &[("a", "1\n")]);
        let repo = Repo::discover(sandbox.path()).expect("it is a repository");
        (sandbox, repo)
    }

    fn id() -> String {
        format!("{:08x}", getrandom::u32().expect("the system has randomness"))
    }

    #[test]
    fn a_candidate_is_found_again_by_the_id_of_its_run_and_by_no_other_repository() {
        let (_sandbox, repo) = world();
        let place = Place::of_run(&repo, &id()).unwrap();
        assert!(!place.is_there());
        place.make().unwrap();
        assert!(place.is_there() && place.files().is_dir());
        let (_other, other) = world();
        assert!(!Place { marker: "another".into(), ..place.clone() }.is_there());
        sweep(&other, |_| false).unwrap();
        assert!(place.is_there(), "another repository's sweep leaves it");
        sweep(&repo, |_| true).unwrap();
        assert!(place.is_there(), "the run is open");
        sweep(&repo, |_| false).unwrap();
        assert!(!place.is_there());
    }

    #[test]
    fn what_is_held_stays_until_it_is_dropped_and_what_a_dead_process_left_goes() {
        let (_sandbox, repo) = world();
        let held = Held::new(&repo).unwrap();
        let folder = held.place.folder.clone();
        sweep(&repo, |_| false).unwrap();
        assert!(held.files().is_dir(), "its process lives");
        // As a process leaves it that is killed: the lock goes with it, the folder stays.
        let Held { place, _lock, .. } = &held;
        _lock.unlock().unwrap();
        sweep(&repo, |_| false).unwrap();
        assert!(!place.folder.exists());
        drop(held);
        for half in ["", MARKER] {
            make_own(&root()).unwrap();
            make_own(&folder).unwrap();
            if !half.is_empty() {
                fs::write(folder.join(half), "half a mar").unwrap();
            }
            sweep(&repo, |_| false).unwrap();
            assert!(!folder.exists(), "{half:?}");
        }
    }

    #[test]
    fn what_lies_there_without_the_marker_stays() {
        let (_sandbox, repo) = world();
        let place = Place::of_run(&repo, &id()).unwrap();
        fs::create_dir_all(place.files()).unwrap();
        fs::write(place.files().join("thesis"), "precious").unwrap();
        place.remove().unwrap();
        assert!(place.make().is_err());
        sweep(&repo, |_| false).unwrap();
        assert!(place.files().join("thesis").exists());
        fs::remove_dir_all(&place.folder).unwrap();
    }

    #[test]
    fn a_link_in_the_place_is_never_followed() {
        let (sandbox, repo) = world();
        let place = Place::of_run(&repo, &id()).unwrap();
        let outside = sandbox.path().join("outside");
        fs::create_dir_all(outside.join(FILES)).unwrap();
        fs::write(outside.join(MARKER), &place.marker).unwrap();
        make_own(&place.root).unwrap();
        std::os::unix::fs::symlink(&outside, &place.folder).unwrap();
        assert!(!place.is_there());
        place.remove().unwrap();
        assert!(place.make().is_err() && outside.join(MARKER).exists());
        fs::remove_file(&place.folder).unwrap();
    }

    #[test]
    fn an_id_that_leads_anywhere_has_no_place() {
        let (_sandbox, repo) = world();
        for id in ["", "..", "a/b", "/etc", "a.b", &"a".repeat(65)] {
            assert!(Place::of_run(&repo, id).is_err(), "{id}");
        }
    }
}
