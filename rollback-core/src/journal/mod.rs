//! The record of a landing while it is under way: all that is needed to finish it or to take it back
//! after the process has died at any moment.
//!
//! It lies in `rb/landing/` of the work tree's git directory, beside the staged files. It is complete
//! and flushed before the first lock is taken, and it is renamed away before the last one is released.
//! This room knows nothing of work trees and indexes: `apply` does.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::id::{CommitId, Entry, ObjectId};
use crate::path::RepoPath;

/// The version of the record. A newer one is refused.
const VERSION: u32 = 1;
const OPEN: &str = "journal.json";
const CLOSED: &str = "closed.json";

/// What a file in the work tree was, byte for byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fingerprint {
    pub(crate) kind: FingerprintKind,
    /// The id of a blob with the bytes as they are in the work tree, no filter applied.
    pub(crate) id: ObjectId,
}

/// What kind of file it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum FingerprintKind {
    File,
    Executable,
    Symlink,
}

impl Fingerprint {
    pub(crate) fn file(id: ObjectId, executable: bool) -> Self {
        Self { kind: if executable { FingerprintKind::Executable } else { FingerprintKind::File }, id }
    }

    pub(crate) fn symlink(id: ObjectId) -> Self {
        Self { kind: FingerprintKind::Symlink, id }
    }
}

/// A landing under way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Journal {
    version: u32,
    /// Random; every lock that the landing takes holds it.
    pub(crate) operation: String,
    /// The folder at the root of the work tree that holds the staged files, where they cannot lie in the
    /// git directory because that is on another file system.
    pub(crate) stage_in_work_tree: Option<RepoPath>,
    pub(crate) reference: Option<MovedReference>,
    /// What the index will hold at the touched paths; `None` where the index is not written.
    pub(crate) index: Option<Vec<IndexedPath>>,
    pub(crate) steps: Vec<Step>,
    /// Folders that were not there before, outermost first.
    pub(crate) missing_folders: Vec<RepoPath>,
    pub(crate) locks: Vec<Place>,
    pub(crate) state_files: Vec<StateFile>,
    /// The entry of the operation log that says so.
    #[serde(default)]
    pub(crate) log: Option<LoggedEntry>,
    /// What is put back outside of the repository, after the commit point.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) outside: Vec<OutsidePath>,
}

/// A path outside of the repository that is put back, from files that are staged on its own file system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OutsidePath {
    /// The folder that holds it, from the root of the file system on; the other paths are below this one.
    pub(crate) root: RepoPath,
    /// The folder of the staged files. Whoever handed over a repository cannot have made it: without it nothing is
    /// written.
    pub(crate) stage: RepoPath,
    /// What is done, in this order. The position in the list names the place in the stage.
    pub(crate) steps: Vec<OutsideStep>,
}

/// What is done at one path outside of the repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OutsideStep {
    /// The step itself.
    pub(crate) step: Step,
    /// The permission bits of a file or folder that is made.
    pub(crate) permissions: Option<u32>,
    /// When a file that is made was modified: seconds since the epoch and nanoseconds.
    pub(crate) modified: Option<(i64, u32)>,
}

/// A move of the operation log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LoggedEntry {
    pub(crate) old: Option<CommitId>,
    pub(crate) new: CommitId,
}

/// The reference whose move is the commit point.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct MovedReference {
    /// The full name, or `HEAD` where it is detached.
    pub(crate) name: RepoPath,
    pub(crate) old: Option<CommitId>,
    /// Where it goes; `None` where it is removed.
    pub(crate) new: Option<CommitId>,
    /// What is appended to the logs, without the end of the line.
    pub(crate) log_line: RepoPath,
    /// The references whose logs get the line, with their log files.
    pub(crate) logs: Vec<(RepoPath, Place)>,
}

/// The entries of a path in the index: none, one, or the stages of a conflict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct IndexedPath {
    pub(crate) path: RepoPath,
    /// Stage and flags as `Flags::tag` packs them, mode and object.
    pub(crate) entries: Vec<(u8, Entry)>,
}

/// What is done at one path of the work tree. The position in the list names its place in the stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Step {
    pub(crate) path: RepoPath,
    pub(crate) action: Action,
}

/// What is done at a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Action {
    /// The path is free and gets the staged file.
    Add {
        /// What it becomes.
        new: Fingerprint,
    },
    /// The file changes places with the staged one.
    Replace {
        /// What it was.
        old: Fingerprint,
        /// What it becomes.
        new: Fingerprint,
    },
    /// The file goes into the stage.
    Remove {
        /// What it was.
        old: Fingerprint,
    },
    /// The empty folder of a submodule is made.
    MakeFolder,
    /// The folder of a submodule goes, if it is empty.
    RemoveFolder,
}

/// A file of the git directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Place {
    /// In the git directory of the work tree.
    GitDir(RepoPath),
    /// In the part that linked work trees share.
    CommonDir(RepoPath),
    /// Anywhere: an index that the environment named.
    Elsewhere(RepoPath),
}

impl Place {
    /// The path of the file system.
    pub(crate) fn resolve(&self, git_dir: &Path, common_dir: &Path) -> Result<PathBuf> {
        let (base, path) = match self {
            Self::GitDir(path) => (git_dir, path),
            Self::CommonDir(path) => (common_dir, path),
            Self::Elsewhere(path) => (Path::new(""), path),
        };
        let relative = path.to_relative_path().ok_or_else(|| Error::InvalidPath {
            path: path.to_string(),
            why: "this system cannot spell it",
        })?;
        Ok(base.join(relative))
    }
}

/// A file of git's state, such as `REVERT_HEAD`, in the git directory of the work tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StateFile {
    /// The path in the git directory, such as `sequencer/todo`.
    pub(crate) name: String,
    /// What it holds; `None` removes the file, or a folder with all in it.
    pub(crate) content: Option<RepoPath>,
}

impl StateFile {
    /// The file is to hold these bytes.
    pub(crate) fn write(name: &str, content: impl Into<Vec<u8>>) -> Self {
        Self { name: name.to_owned(), content: Some(RepoPath::new(content)) }
    }
}

/// What a folder of a landing holds.
#[derive(Debug)]
pub(crate) enum Left {
    /// No record: nothing was locked or changed yet, or all is over.
    Nothing,
    /// A landing that was neither finished nor taken back.
    Open(Journal),
    /// One that is over, except that locks may be held.
    Closed(Journal),
}

impl Journal {
    /// A record without steps.
    pub(crate) fn new(operation: String) -> Self {
        Self {
            version: VERSION,
            operation,
            stage_in_work_tree: None,
            reference: None,
            index: None,
            steps: Vec::new(),
            missing_folders: Vec::new(),
            locks: Vec::new(),
            state_files: Vec::new(),
            log: None,
            outside: Vec::new(),
        }
    }

    /// Somebody may have handed over the record with the repository: what it names lies where such things lie.
    fn refuse_strange_names(&self) -> Result<()> {
        let places = self
            .locks
            .iter()
            .chain(self.reference.iter().flat_map(|moved| moved.logs.iter().map(|(_, place)| place)));
        let inside = places.filter_map(|place| match place {
            Place::GitDir(path) | Place::CommonDir(path) => Some(path.clone()),
            // The index that the environment named; only a lock of the operation's own is ever removed there.
            Place::Elsewhere(_) => None,
        });
        // It is part of names of files.
        if self.operation.is_empty() || !self.operation.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            let path = RepoPath::from(self.operation.as_str());
            return Err(Error::HostilePath { path, why: "no operation is called so" });
        }
        let states = self.state_files.iter().map(|state| RepoPath::from(state.name.as_str()));
        let paths = self.steps.iter().map(|step| &step.path).chain(&self.missing_folders);
        let others =
            paths.chain(&self.stage_in_work_tree).chain(self.reference.iter().map(|moved| &moved.name));
        inside.chain(states).chain(others.cloned()).try_for_each(|path| refuse_strange_name(&path))
    }

    /// The bytes of the record.
    pub(crate) fn encode(&self) -> Result<Vec<u8>> {
        serde_json::to_vec(self).map_err(|error| Error::internal("cannot write the journal", error))
    }

    /// Where the record of a landing in `folder` is written first, and where it counts.
    pub(crate) fn paths(folder: &Path) -> (PathBuf, PathBuf) {
        (folder.join("journal.tmp"), folder.join(OPEN))
    }

    /// Reads what was left in `folder`.
    pub(crate) fn read(folder: &Path) -> Result<Left> {
        if let Some(journal) = read_one(&folder.join(OPEN))? {
            return Ok(Left::Open(journal));
        }
        Ok(read_one(&folder.join(CLOSED))?.map_or(Left::Nothing, Left::Closed))
    }

    /// Marks the landing in `folder` as over.
    pub(crate) fn close(folder: &Path) -> Result<()> {
        let (from, to) = (folder.join(OPEN), folder.join(CLOSED));
        fs::rename(&from, &to).map_err(|error| Error::io("close", from, error))
    }
}

fn read_one(path: &Path) -> Result<Option<Journal>> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io("read", path, error)),
    };
    let journal: Journal = serde_json::from_slice(&bytes)
        .map_err(|error| Error::internal(format!("cannot read the journal {}", path.display()), error))?;
    if journal.version > VERSION {
        return Err(Error::Unsupported {
            what: format!("journal version {}", journal.version),
            why: "a newer rb began the operation and has to finish it".into(),
        });
    }
    journal.refuse_strange_names()?;
    Ok(Some(journal))
}

/// Refuses a name that leads out of the folder that it is to lie in.
///
/// # Errors
/// [`Error::HostilePath`].
pub(crate) fn refuse_strange_name(path: &RepoPath) -> Result<()> {
    let bytes = path.as_bytes();
    let is_strange = |part: &[u8]| matches!(part, b"" | b"." | b"..") || part.contains(&0);
    let leads_out = bytes.split(|byte| *byte == b'/').any(is_strange)
        || cfg!(windows) && bytes.iter().any(|byte| matches!(byte, b'\\' | b':'));
    match leads_out {
        true => {
            Err(Error::HostilePath { path: path.clone(), why: "a record names it, and it leads elsewhere" })
        }
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_comes_back_as_it_was_written_whatever_the_paths() {
        let folder = tempfile::tempdir().unwrap();
        let id: ObjectId = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391".parse().unwrap();
        let mut journal = Journal::new("00ff".into());
        journal.steps.push(Step {
            path: RepoPath::new(&b"caf\xe9\n"[..]),
            action: Action::Replace { old: Fingerprint::file(id, true), new: Fingerprint::symlink(id) },
        });
        journal.locks.push(Place::GitDir("index.lock".into()));
        journal.state_files.push(StateFile { name: "REVERT_HEAD".into(), content: None });
        let (_, path) = Journal::paths(folder.path());
        fs::write(&path, journal.encode().unwrap()).unwrap();
        let Left::Open(read) = Journal::read(folder.path()).unwrap() else { panic!("the journal is open") };
        assert_eq!(read.steps, journal.steps);
        assert_eq!((read.locks, read.state_files), (journal.locks, journal.state_files));
        Journal::close(folder.path()).unwrap();
        assert!(matches!(Journal::read(folder.path()).unwrap(), Left::Closed(_)));
    }

    #[test]
    fn a_journal_that_names_what_lies_elsewhere_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (_, path) = Journal::paths(folder.path());
        let id: ObjectId = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391".parse().unwrap();
        let elsewhere = || RepoPath::from("../../home/.profile");
        let step = |path| Step { path, action: Action::Remove { old: Fingerprint::file(id, false) } };
        let moved = |name: &str, log: RepoPath| MovedReference {
            name: name.into(),
            old: None,
            new: None,
            log_line: "".into(),
            logs: vec![(name.into(), Place::GitDir(log))],
        };
        let plants: [&dyn Fn(&mut Journal); 10] = [
            &|journal| journal.operation = "x/../../home".into(),
            &|journal| journal.state_files.push(StateFile::write("../../home/.profile", "x")),
            &|journal| journal.state_files.push(StateFile::write("/home/.profile", "x")),
            &|journal| journal.steps.push(step(elsewhere())),
            &|journal| journal.steps.push(step("/home/.profile".into())),
            &|journal| journal.missing_folders.push(elsewhere()),
            &|journal| journal.stage_in_work_tree = Some(elsewhere()),
            &|journal| journal.locks.push(Place::CommonDir(elsewhere())),
            &|journal| journal.reference = Some(moved("refs/../../../home/.profile", "logs/HEAD".into())),
            &|journal| journal.reference = Some(moved("refs/heads/main", elsewhere())),
        ];
        for plant in plants {
            let mut journal = Journal::new("00".into());
            plant(&mut journal);
            fs::write(&path, journal.encode().unwrap()).unwrap();
            let read = Journal::read(folder.path());
            assert!(matches!(read, Err(Error::HostilePath { .. })), "{journal:?}");
        }
    }

    #[test]
    fn a_journal_of_a_newer_version_or_a_broken_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (_, path) = Journal::paths(folder.path());
        let mut journal = Journal::new("00".into());
        journal.version = VERSION + 1;
        fs::write(&path, journal.encode().unwrap()).unwrap();
        assert!(matches!(Journal::read(folder.path()), Err(Error::Unsupported { .. })));
        fs::write(&path, b"{\"version\":").unwrap();
        assert!(matches!(Journal::read(folder.path()), Err(Error::Internal { .. })));
    }
}
