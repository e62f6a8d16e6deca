//! The entry that a landing leaves in the operation log.
//!
//! An entry is a record of rb's own, called after a number that counts them and the operation. It is staged before the
//! landing and gets its place after the commit point, by the journal: what has landed is logged even after a crash. The
//! commits and trees that taking the operation back needs are kept beside it (`apply::keep`).

use std::collections::btree_map::Entry as PathEntry;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::exact::{Exact, FileBytes, Sides};
use super::folder::{Attributes, Folder, Parent, parent_of};
use super::index_edit::entries_at;
use super::inspect::Found;
use super::records;
use crate::apply::changes::Change;
use crate::error::{Error, InTheWay, RepositoryError, Result, WorkTreeError};
use crate::id::{CommitId, Entry, EntryKind, ObjectId, TreeId};
use crate::journal::{IndexedPath, LoggedEntry, StateFile};
use crate::operation::OperationId;
use crate::path::RepoPath;
use crate::record::{Files, Record, RecordKind, Revision};
use crate::repo::Repo;
use crate::repo::config::Settings;
use crate::repo::index::{Flags, Index};
use crate::repo::{Edits, Objects};

/// The file of an entry that says what happened to the repository.
pub(crate) const OPERATION_FILE: &str = "operation.json";

/// The file of an entry that holds the document by which the operation was answered.
pub(crate) const RECEIPT_FILE: &str = "receipt.json";

/// The version of [`LoggedOperation`].
pub(crate) const LOG_VERSION: u32 = 1;

/// What an operation did to the repository: all that taking it back needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LoggedOperation {
    pub(crate) version: u32,
    pub(crate) operation_id: String,
    /// Seconds since the epoch.
    pub(crate) time: i64,
    /// The strategy, or `undo`.
    pub(crate) kind: String,
    /// What was asked for, as text for people.
    pub(crate) target: String,
    /// The reference that moved; HEAD's where none did.
    #[serde(rename = "ref")]
    pub(crate) reference: RepoPath,
    pub(crate) before: Option<CommitId>,
    /// Where it is since; absent where the operation removed it.
    pub(crate) after: Option<CommitId>,
    pub(crate) commit_ids: Vec<CommitId>,
    /// Whether only index and work tree changed.
    pub(crate) staged: bool,
    /// What index and work tree held at the touched paths.
    pub(crate) tree_before: TreeId,
    pub(crate) tree_after: TreeId,
    /// The operation that this one took back.
    pub(crate) undoes: Option<String>,
    pub(crate) paths: Vec<TouchedPath>,
    pub(crate) state_files: Vec<TouchedStateFile>,
    /// Where the whole state of work tree and index was exchanged, and not only that of the touched paths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) states: Option<States>,
    /// What was put back outside of the repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) outside: Option<LoggedOutside>,
    /// Where what was not committed was replaced: how the two trees and the index are to be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) edits: Option<LoggedEdits>,
    /// Whether it stopped for a person and left a pick or revert in progress.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) stopped: bool,
    /// The operation that this one goes on with: taking this one back takes back both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) continues: Option<String>,
}

/// What work tree and index held, and hold, at paths that were edited and not committed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LoggedEdits {
    pub(crate) before: EditsSide,
    pub(crate) after: EditsSide,
}

/// One side of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EditsSide {
    /// How the tree of this side holds the files.
    pub(crate) files: FileBytes,
    /// What the index holds at all the paths.
    pub(crate) index: Vec<IndexedPath>,
    /// The files that are what the index says.
    pub(crate) clean: BTreeSet<RepoPath>,
    /// Folders that are there without a file of these paths.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) folders: BTreeSet<RepoPath>,
    /// Trees that keep what the index holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) kept: Vec<TreeId>,
}

impl LoggedEdits {
    /// The way back.
    pub(crate) fn exchanged(&self) -> Self {
        Self { before: self.after.clone(), after: self.before.clone() }
    }

    /// The index of the landing that leads from one side to the other.
    ///
    /// # Errors
    /// [`WorkTreeError::InTheWay`] where the index does not hold what the first side says.
    pub(crate) fn exact(&self, present: Index) -> Result<Exact> {
        let staged: Vec<_> = self
            .before
            .index
            .iter()
            .filter(|indexed| entries_at(&present, &indexed.path) != indexed.entries)
            .map(|indexed| indexed.path.clone())
            .collect();
        if !staged.is_empty() {
            return Err(WorkTreeError::InTheWay { reason: InTheWay::Staged, paths: staged }.into());
        }
        let mut after = present.clone();
        let changed = self.after.index.iter().filter(|row| entries_at(&present, &row.path) != row.entries);
        let replacements: BTreeMap<_, _> =
            changed.map(|row| (row.path.as_bytes().to_vec(), row.to_index())).collect();
        if !replacements.is_empty() {
            after.replace(replacements);
            after.forget_trees();
        }
        let touched: BTreeSet<&[u8]> = self.after.index.iter().map(|row| row.path.as_bytes()).collect();
        for entry in after.entries_mut().iter_mut().filter(|entry| touched.contains(entry.path.as_slice())) {
            // Without stat data git reads the file; those that are clean get theirs when they are written.
            entry.stat = Default::default();
        }
        Ok(Exact {
            index_before: present,
            index_after: after,
            clean: self.after.clean.clone(),
            folders: self.after.folders.clone(),
            sides: Sides::Paths { before: self.before.files, after: self.after.files },
        })
    }

    /// Makes trees of all that the index holds on both sides, a tree for each stage: what keeps the objects.
    pub(crate) fn keep(&mut self, objects: &Objects) -> Result<()> {
        for side in [&mut self.before, &mut self.after] {
            side.kept = kept_by(&side.index, objects)?;
        }
        Ok(())
    }
}

fn kept_by(index: &[IndexedPath], objects: &Objects) -> Result<Vec<TreeId>> {
    let mut stages: BTreeMap<u8, Edits> = BTreeMap::new();
    for row in index {
        for (tag, entry) in &row.entries {
            if Flags::from_tag(*tag).intent_to_add() {
                // git names the empty blob and need not have it.
                objects.write_blob(b"")?;
            }
            let stage = Flags::from_tag(*tag).stage();
            stages.entry(stage).or_default().insert(row.path.clone(), Some(*entry));
        }
    }
    stages.into_values().map(|edits| objects.edit_tree(objects.empty_tree(), &edits)).collect()
}

/// A path of the work tree before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TouchedPath {
    pub(crate) path: RepoPath,
    pub(crate) before: Option<Entry>,
    pub(crate) after: Option<Entry>,
    /// Permissions and time of the file before; absent where there was none, or no work tree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) attributes: Option<Attributes>,
    /// Whether the file was missing from the work tree before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) absent: bool,
    /// What its entry in the index was marked with before, as `Flags::tag` packs it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) flags: u8,
}

fn is_zero(tag: &u8) -> bool {
    *tag == 0
}

/// The records of the states between which a checkpoint was restored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct States {
    pub(crate) before: TreeId,
    pub(crate) after: TreeId,
}

impl States {
    /// The way back.
    pub(crate) fn exchanged(&self) -> Self {
        Self { before: self.after, after: self.before }
    }
}

/// Paths outside of the repository before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LoggedOutside {
    /// The records that keep them.
    pub(crate) records: States,
    /// The paths, as the records name them.
    pub(crate) paths: Vec<RepoPath>,
}

/// A file of git's state before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TouchedStateFile {
    pub(crate) name: String,
    pub(crate) before: Option<RepoPath>,
    pub(crate) after: Option<RepoPath>,
}

/// An entry to be written, as far as it is known before the landing looks at the work tree.
#[derive(Clone, Debug)]
pub(crate) struct LogDraft {
    pub(crate) operation: LoggedOperation,
    /// The document that the operation was answered with.
    pub(crate) receipt: Vec<u8>,
    /// The entry that this one goes on with, whose paths and files are told as they were before it.
    pub(crate) previous: Option<Box<LoggedOperation>>,
}

impl LogDraft {
    /// An entry of its own.
    pub(crate) fn new(operation: LoggedOperation, receipt: Vec<u8>) -> Self {
        Self { operation, receipt, previous: None }
    }

    /// The entry as it goes into the log, and what the journal says of it.
    ///
    /// # Errors
    /// Where the log cannot be read.
    pub(super) fn build(
        &self,
        repo: &Repo,
        touched: Vec<TouchedPath>,
        state_files: &[StateFile],
    ) -> Result<(LoggedEntry, Vec<u8>)> {
        let mut operation = self.operation.clone();
        operation.paths = touched;
        for file in state_files.iter().flat_map(|file| files_of(repo, file)) {
            let before = repo.read_state(&file.name)?.map(RepoPath::new);
            operation.state_files.push(TouchedStateFile { name: file.name, before, after: file.content });
        }
        if let Some(previous) = &self.previous {
            operation.go_on_with(previous);
        }
        let mut text = serde_json::to_vec_pretty(&operation)
            .map_err(|error| Error::internal("cannot write the operation log", error))?;
        text.push(b'\n');
        let files =
            Files::from([(OPERATION_FILE.to_owned(), text), (RECEIPT_FILE.to_owned(), self.receipt.clone())]);
        let id = next_id(repo, &operation.operation_id)?;
        let record = records::encode(RecordKind::Operation, &id, Revision(1), &files)?;
        Ok((LoggedEntry { id, keeps: operation.kept() }, record))
    }
}

/// The file, or where a folder is to go the files in it.
fn files_of(repo: &Repo, file: &StateFile) -> Vec<StateFile> {
    let rows = crate::listing::rows(&repo.git_dir().join(&file.name));
    match (&file.content, rows) {
        (None, Ok(rows)) => {
            let names = rows.into_iter().filter_map(|row| row.file_name().into_string().ok());
            let names = names.map(|name| format!("{}/{name}", file.name));
            names.filter(|name| StateFile::is_known(name)).map(|name| StateFile::remove(&name)).collect()
        }
        _ => vec![file.clone()],
    }
}

impl LoggedOperation {
    /// Tells paths and state files as they were before `previous`, with what has become of them now.
    fn go_on_with(&mut self, previous: &Self) {
        let mut paths: BTreeMap<RepoPath, TouchedPath> =
            previous.paths.iter().map(|touched| (touched.path.clone(), touched.clone())).collect();
        for touched in std::mem::take(&mut self.paths) {
            match paths.entry(touched.path.clone()) {
                PathEntry::Occupied(mut known) => known.get_mut().after = touched.after,
                PathEntry::Vacant(free) => drop(free.insert(touched)),
            }
        }
        self.paths = paths.into_values().collect();
        for file in &previous.state_files {
            match self.state_files.iter_mut().find(|other| other.name == file.name) {
                Some(other) => other.before.clone_from(&file.before),
                None => self.state_files.push(file.clone()),
            }
        }
    }

    /// What taking the operation back needs and nothing else may keep.
    fn kept(&self) -> Vec<ObjectId> {
        let commits = self.before.into_iter().chain(self.after).map(|commit| commit.0);
        // No commit keeps what was only staged.
        let staged = [self.tree_before, self.tree_after].into_iter().filter(|_| self.staged);
        let outside = self.outside.iter().map(|outside| &outside.records);
        let states = self.states.iter().chain(outside).flat_map(|states| [states.before, states.after]);
        let edits = self.edits.iter().flat_map(|edits| edits.before.kept.iter().chain(&edits.after.kept));
        commits.chain(staged.chain(states).chain(edits.copied()).map(|tree| tree.0)).collect()
    }
}

/// What an entry says.
///
/// # Errors
/// [`RepositoryError::ForeignRecord`] for one that says nothing, [`RepositoryError::Unsupported`] for one of a newer rb.
pub(crate) fn read_entry(id: &str, record: &mut Record) -> Result<LoggedOperation> {
    let refuse = |why: String| Error::from(RepositoryError::ForeignRecord { path: id.into(), why });
    #[derive(Deserialize)]
    struct Version {
        version: u32,
    }
    let text = record.files.remove(OPERATION_FILE).unwrap_or_default();
    let Version { version } = serde_json::from_slice(&text).map_err(|error| refuse(error.to_string()))?;
    if version > LOG_VERSION {
        return Err(RepositoryError::Unsupported {
            what: format!("version {version} of the operation log"),
            why: format!("a newer rb wrote {id}"),
        }
        .into());
    }
    let logged: LoggedOperation = serde_json::from_slice(&text).map_err(|error| refuse(error.to_string()))?;
    if operation_of(id) != Some(logged.operation_id.as_str()) {
        return Err(refuse(format!("it is that of operation {}", logged.operation_id)));
    }
    Ok(logged)
}

impl Repo {
    /// What the newest entry of the log says; `None` where there is none, or it says nothing that can be used.
    ///
    /// # Errors
    /// Where the records cannot be read.
    pub(crate) fn newest_operation(&self) -> Result<Option<LoggedOperation>> {
        let Some(id) = self.record_ids(RecordKind::Operation)?.pop() else { return Ok(None) };
        let record = match self.read_record(RecordKind::Operation, &id) {
            Err(Error::Repository(RepositoryError::ForeignRecord { .. })) => None,
            read => read?,
        };
        Ok(record.and_then(|mut record| read_entry(&id, &mut record).ok()))
    }
}

/// For whom objects are kept.
pub(crate) fn owner(operation: &str) -> String {
    format!("operation {operation}")
}

/// The operation that an entry of this id is about.
pub(crate) fn operation_of(id: &str) -> Option<&str> {
    let (number, operation) = id.split_once('-')?;
    let is_number = number.len() == DIGITS && number.bytes().all(|byte| byte.is_ascii_digit());
    (is_number && OperationId::is_spelled_so(operation)).then_some(operation)
}

/// So many digits has the number of an entry.
const DIGITS: usize = 10;

/// The id of the next entry. Two work trees that land at the same moment may take the same number.
fn next_id(repo: &Repo, operation: &str) -> Result<String> {
    let ids = repo.record_ids(RecordKind::Operation)?;
    let last =
        ids.iter().rev().find_map(|id| operation_of(id).and(id.split('-').next()?.parse::<u64>().ok()));
    Ok(format!("{:0DIGITS$}-{operation}", last.unwrap_or(0) + 1))
}

/// The touched paths as they are before the landing.
pub(super) fn touched(
    changes: &[Change],
    looked: Option<(&Folder, &[Found], &[Flags])>,
) -> Result<Vec<TouchedPath>> {
    let flags = |nth: usize| looked.and_then(|(_, _, flags)| flags.get(nth)).map_or(0, |flags| flags.tag());
    let attributes = |nth: usize, path: &RepoPath| -> Result<Option<Attributes>> {
        let Some((root, found, _)) = looked else { return Ok(None) };
        if !matches!(found.get(nth), Some(Found::Clean(_))) {
            return Ok(None);
        }
        let failed = |error| Error::io("examine", path.to_string(), error);
        match parent_of(root, path).map_err(failed)? {
            Parent::Open(parent) => parent.attributes(path.file_name()).map_err(failed),
            _ => Ok(None),
        }
    };
    let absent = |nth: usize, change: &Change| {
        let is_file = change.old.is_some_and(|old| old.mode.kind() != EntryKind::Submodule);
        is_file && looked.is_some_and(|(_, found, _)| found.get(nth) == Some(&Found::Nothing))
    };
    changes
        .iter()
        .enumerate()
        .map(|(nth, change)| {
            Ok(TouchedPath {
                path: change.path.clone(),
                before: change.old,
                after: change.new,
                attributes: attributes(nth, &change.path)?,
                absent: absent(nth, change),
                flags: flags(nth),
            })
        })
        .collect()
}

/// Gives the staged entry its place in the log, and keeps what it names; once is as good as twice.
pub(super) fn advance(repo: &Repo, staged: &Path, entry: &LoggedEntry, settings: &Settings) -> Result<()> {
    if let Some(operation) = operation_of(&entry.id) {
        repo.keep_alive(&owner(operation), &entry.keeps)?;
    }
    repo.place_record(RecordKind::Operation, &entry.id, staged, settings)
}
