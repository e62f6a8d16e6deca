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

use crate::bounded;
use crate::error::{Error, PathError, RepositoryError, Result};
use crate::id::{CommitId, Entry, EntryMode, ObjectId};
use crate::operation::OperationId;
use crate::path::RepoPath;
use crate::record::is_plain_id;
use crate::repo::index::{Flags, IndexEntry};
use crate::repo::refs::check_writable_name;
use crate::repo::sha256;

/// The version of the record. A newer one is refused.
const VERSION: u32 = 1;
const OPEN: &str = "journal.json";
const CLOSED: &str = "closed.json";
/// The most bytes of a record: it names the paths of a landing.
const LARGEST: u64 = 1 << 30;
const STAGE_PREFIX: &str = ".rb-landing-";

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

    /// The entry of a tree that holds the bytes as they are.
    pub(crate) fn entry(&self) -> Entry {
        let mode = match self.kind {
            FingerprintKind::File => EntryMode::BLOB,
            FingerprintKind::Executable => EntryMode::EXECUTABLE,
            FingerprintKind::Symlink => EntryMode::SYMLINK,
        };
        Entry { mode, id: self.id }
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) logged: Option<LoggedEntry>,
    /// The line that HEAD's log gets where no reference moves, with its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) head_line: Option<RepoPath>,
    /// What is put back outside of the repository, after the commit point.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) outside: Vec<OutsidePath>,
}

/// A path outside of the repository that is put back, from files that are staged on its own file system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OutsidePath {
    /// The folder that holds it, from the root of the file system on; the other paths are below this one.
    pub(crate) root: RepoPath,
    /// The folder of the staged files. The author of a repository cannot have made it: without it nothing is
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

/// An entry of the operation log that is staged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LoggedEntry {
    /// The id of its record.
    pub(crate) id: String,
    /// What is kept for it.
    pub(crate) keeps: Vec<ObjectId>,
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

impl IndexedPath {
    /// The entries as an index has them, without stat data.
    pub(crate) fn to_index(&self) -> Vec<IndexEntry> {
        let entry = |(tag, entry): &(u8, Entry)| {
            let flags = Flags::from_tag(*tag);
            IndexEntry { flags, ..IndexEntry::new(self.path.as_bytes(), *entry, flags.stage()) }
        };
        self.entries.iter().map(entry).collect()
    }
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
        let relative = path.to_relative_path().ok_or_else(|| PathError::Invalid {
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

/// The files of git's state that a landing may write or remove.
const STATE_FILES: [&str; 16] = [
    "COMMIT_EDITMSG",
    "MERGE_MSG",
    "SQUASH_MSG",
    "MERGE_AUTOSTASH",
    "MERGE_HEAD",
    "MERGE_MODE",
    "AUTO_MERGE",
    "REVERT_HEAD",
    "CHERRY_PICK_HEAD",
    "ORIG_HEAD",
    "MERGE_RR",
    "sequencer",
    "sequencer/todo",
    "sequencer/head",
    "sequencer/opts",
    "sequencer/abort-safety",
];

impl StateFile {
    /// Whether the name is that of a file of git's state. Other names in a record are not rb's.
    pub(crate) fn is_known(name: &str) -> bool {
        STATE_FILES.contains(&name)
    }

    /// The file is to hold these bytes.
    pub(crate) fn write(name: &str, content: impl Into<Vec<u8>>) -> Self {
        Self { name: name.to_owned(), content: Some(RepoPath::new(content)) }
    }

    /// The file, or the folder with all in it, is to go.
    pub(crate) fn remove(name: &str) -> Self {
        Self { name: name.to_owned(), content: None }
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
            logged: None,
            head_line: None,
            outside: Vec::new(),
        }
    }

    /// The bytes of the record: a line with their checksum, and the document.
    pub(crate) fn encode(&self) -> Result<Vec<u8>> {
        let text =
            serde_json::to_vec(self).map_err(|error| Error::internal("cannot write the journal", error))?;
        Ok([CHECKED, sha256(&text).as_bytes(), b"\n", &text].concat())
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

    /// The first thing it names that no landing of rb's names. The record lies in the repository, whose
    /// author may have written it: nothing in it leads out of the git directory and the work tree.
    fn foreign(&self) -> Option<String> {
        let lock = |place: &&Place| match place {
            Place::GitDir(path) | Place::CommonDir(path) => {
                path.is_plain() && path.as_bytes().ends_with(b".lock")
            }
            Place::Elsewhere(path) => path.as_bytes().ends_with(b".lock"),
        };
        let log = |place: &&Place| match place {
            Place::GitDir(path) | Place::CommonDir(path) => {
                path.is_plain() && path.as_bytes().starts_with(b"logs/")
            }
            Place::Elsewhere(_) => false,
        };
        let reference = |name: &RepoPath| {
            name.as_bytes() == b"HEAD" || name.is_plain() && check_writable_name(name.as_bytes()).is_ok()
        };
        let shown = |path: &RepoPath| format!("{path:?}");
        let moved = self.reference.as_ref();
        (!OperationId::is_spelled_so(&self.operation))
            .then(|| self.operation.clone())
            .or_else(|| {
                self.stage_in_work_tree.iter().find(|name| !is_stage_name(name.as_bytes())).map(shown)
            })
            .or_else(|| self.steps.iter().map(|step| &step.path).find(|path| !path.is_plain()).map(shown))
            .or_else(|| {
                let outside = self.outside.iter();
                let mut paths = outside
                    .flat_map(|part| part.steps.iter().map(|step| &step.step.path).chain([&part.stage]));
                paths.find(|path| !path.is_plain()).map(shown)
            })
            .or_else(|| {
                // The author of a folder can put a stage into it, so that a stage counts for the folder it lies in.
                let strays = |part: &&OutsidePath| {
                    let place = part.stage.parent().unwrap_or_default();
                    part.steps.iter().any(|step| !place.contains(&step.step.path))
                };
                self.outside.iter().find(strays).map(|part| shown(&part.stage))
            })
            .or_else(|| self.missing_folders.iter().find(|path| !path.is_plain()).map(shown))
            .or_else(|| self.locks.iter().find(|place| !lock(place)).map(|place| format!("{place:?}")))
            .or_else(|| moved.map(|moved| &moved.name).filter(|name| !reference(name)).map(shown))
            .or_else(|| {
                let mut logs = moved.iter().flat_map(|moved| &moved.logs).map(|(_, place)| place);
                logs.find(|place| !log(place)).map(|place| format!("{place:?}"))
            })
            .or_else(|| {
                let ids = self.logged.iter().map(|entry| &entry.id);
                ids.into_iter().find(|id| !is_plain_id(id)).cloned()
            })
            .or_else(|| {
                let mut names = self.state_files.iter().map(|file| &file.name);
                names.find(|name| !StateFile::is_known(name)).cloned()
            })
    }

    /// Whether the file is that of a landing that is over.
    pub(crate) fn is_closed(path: &Path) -> bool {
        path.ends_with(CLOSED)
    }

    /// Marks the landing in `folder` as over.
    pub(crate) fn close(folder: &Path) -> Result<()> {
        let (from, to) = (folder.join(OPEN), folder.join(CLOSED));
        fs::rename(&from, &to).map_err(|error| Error::io("close", from, error))
    }
}

fn read_one(path: &Path) -> Result<Option<Journal>> {
    let bytes = match bounded::read(path, LARGEST) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io("read", path, error)),
    };
    let refuse = |why| Err(RepositoryError::ForeignRecord { path: path.to_owned(), why }.into());
    let Some(text) = checked(&bytes) else {
        return refuse("its checksum does not fit: it was cut off or altered".to_owned());
    };
    let journal: Journal = match serde_json::from_slice(text) {
        Ok(journal) => journal,
        Err(error) => return refuse(format!("it cannot be read: {error}")),
    };
    if journal.version > VERSION {
        return Err(RepositoryError::Unsupported {
            what: format!("journal version {}", journal.version),
            why: "a newer rb began the operation and has to finish it".into(),
        }
        .into());
    }
    if let Some(foreign) = journal.foreign() {
        return refuse(format!("it names {foreign}, which no landing does"));
    }
    Ok(Some(journal))
}

/// How a journal with a checksum begins. The first rb wrote none.
const CHECKED: &[u8] = b"rb-journal sha256 ";

/// The document of a journal, where its checksum fits.
fn checked(bytes: &[u8]) -> Option<&[u8]> {
    let Some(rest) = bytes.strip_prefix(CHECKED) else { return Some(bytes) };
    let end = rest.iter().position(|byte| *byte == b'\n')?;
    let text = &rest[end + 1..];
    (sha256(text).as_bytes() == &rest[..end]).then_some(text)
}

/// The name of the folder of staged files at the root of the work tree.
pub(crate) fn stage_name(operation: &str) -> String {
    format!("{STAGE_PREFIX}{operation}")
}

/// Whether a folder in `rb/` holds what a landing displaced and could not put back, or what was written to afterwards.
pub(crate) fn is_leftover_name(name: &[u8]) -> bool {
    let operation = name.strip_prefix(b"aside-").or_else(|| name.strip_prefix(b"written-"));
    operation.and_then(|rest| std::str::from_utf8(rest).ok()).is_some_and(OperationId::is_spelled_so)
}

/// Whether a folder at the root of the work tree can be one of staged files.
pub(crate) fn is_stage_name(name: &[u8]) -> bool {
    let operation =
        name.strip_prefix(STAGE_PREFIX.as_bytes()).and_then(|rest| std::str::from_utf8(rest).ok());
    operation.is_some_and(OperationId::is_spelled_so)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_that_was_cut_or_altered_anywhere_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (_, path) = Journal::paths(folder.path());
        let bytes = Journal::new("00ff".into()).encode().unwrap();
        for length in 0..bytes.len() {
            fs::write(&path, &bytes[..length]).unwrap();
            assert!(Journal::read(folder.path()).is_err(), "{length} bytes of it");
        }
        for at in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[at] ^= 1;
            fs::write(&path, &altered).unwrap();
            assert!(Journal::read(folder.path()).is_err(), "byte {at}");
        }
    }

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
    fn a_journal_of_a_newer_version_or_a_broken_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (_, path) = Journal::paths(folder.path());
        let mut journal = Journal::new("00".into());
        journal.version = VERSION + 1;
        fs::write(&path, journal.encode().unwrap()).unwrap();
        assert!(matches!(
            Journal::read(folder.path()),
            Err(Error::Repository(RepositoryError::Unsupported { .. }))
        ));
        fs::write(&path, b"{\"version\":").unwrap();
        assert!(matches!(
            Journal::read(folder.path()),
            Err(Error::Repository(RepositoryError::ForeignRecord { .. }))
        ));
    }

    fn moved(name: &str, log: Place) -> MovedReference {
        let commit = CommitId("e69de29bb2d1d6434b8b29ae775ad8c2e48c5391".parse().unwrap());
        MovedReference {
            name: name.into(),
            old: Some(commit),
            new: Some(commit),
            log_line: RepoPath::default(),
            logs: vec![("HEAD".into(), log)],
        }
    }

    fn log() -> Place {
        Place::GitDir("logs/HEAD".into())
    }

    fn step(path: &str) -> Step {
        Step { path: path.into(), action: Action::MakeFolder }
    }

    fn state(name: &str) -> StateFile {
        StateFile::write(name, "x")
    }

    fn outside(path: &str, stage: &str) -> OutsidePath {
        let step = OutsideStep { step: step(path), permissions: None, modified: None };
        OutsidePath { root: "/etc".into(), stage: stage.into(), steps: vec![step] }
    }

    #[test]
    fn a_journal_that_leads_out_of_the_repository_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (_, path) = Journal::paths(folder.path());
        type Change = fn(&mut Journal);
        let changes: Vec<(&str, Change)> = vec![
            ("operation", |it| it.operation = "../../x".into()),
            ("no operation", |it| it.operation = String::new()),
            ("stage", |it| it.stage_in_work_tree = Some("..".into())),
            ("stage of others", |it| it.stage_in_work_tree = Some("src".into())),
            ("step", |it| it.steps.push(step("../x"))),
            ("absolute step", |it| it.steps.push(step("/etc/x"))),
            ("outside", |it| it.outside.push(outside("../x", ".rb-outside-0"))),
            ("stage outside", |it| it.outside.push(outside("x", "../.rb-outside-0"))),
            ("stage elsewhere", |it| it.outside.push(outside("x", "handed/over/.rb-outside-0"))),
            ("folder", |it| it.missing_folders.push("a/../..".into())),
            ("lock", |it| it.locks.push(Place::GitDir("../x.lock".into()))),
            ("no lock", |it| it.locks.push(Place::Elsewhere("/etc/passwd".into()))),
            ("reference", |it| it.reference = Some(moved("../x", log()))),
            ("hook", |it| it.reference = Some(moved("hooks/pre-commit", log()))),
            ("log", |it| it.reference = Some(moved("HEAD", Place::GitDir("logs/../../x".into())))),
            ("no log", |it| it.reference = Some(moved("HEAD", Place::GitDir("config".into())))),
            ("log elsewhere", |it| it.reference = Some(moved("HEAD", Place::Elsewhere("/x".into())))),
            ("state", |it| it.state_files.push(state("../../x"))),
            ("no state", |it| it.state_files.push(state("hooks/pre-commit"))),
        ];
        let mut sound = Journal::new("00ff".into());
        sound.reference = Some(moved("refs/heads/main", log()));
        sound.steps.push(step("a/b"));
        sound.outside.push(outside("x", ".rb-outside-0"));
        sound.outside.push(outside("mounted/x", "mounted/.rb-outside-0"));
        sound.state_files.push(state("sequencer/todo"));
        fs::write(&path, sound.encode().unwrap()).unwrap();
        assert!(Journal::read(folder.path()).is_ok(), "the control");
        for (what, change) in changes {
            let mut journal = sound.clone();
            change(&mut journal);
            fs::write(&path, journal.encode().unwrap()).unwrap();
            let read = Journal::read(folder.path());
            assert!(
                matches!(read, Err(Error::Repository(RepositoryError::ForeignRecord { .. }))),
                "{what}: {read:?}"
            );
        }
    }
}
