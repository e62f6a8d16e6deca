//! The entry that a landing leaves in the operation log, `refs/rb/log`.
//!
//! An entry is a commit. Its first parent is the entry before it; the tips before and after are further parents, so
//! that garbage collection keeps them. It is built in memory and stored with the objects of the landing, and the
//! reference moves after the commit point, by the journal: what has landed is logged even after a crash.

use std::collections::BTreeMap;
use std::path::Path;

use bstr::BString;
use gix::objs::Kind;
use serde::{Deserialize, Serialize};

use super::folder::{Attributes, Folder, Parent, parent_of};
use super::inspect::Found;
use super::{durable, reference};
use crate::apply::changes::Change;
use crate::error::{Error, Result};
use crate::id::{CommitId, Entry, EntryKind, EntryMode, ObjectId, TreeId};
use crate::journal::{LoggedEntry, StateFile};
use crate::path::RepoPath;
use crate::repo::config::Settings;
use crate::repo::index::Flags;
use crate::repo::{NewObjects, Objects, Repo, Signature, Tree, TreeEntry};

/// The full name of the log.
pub(crate) const LOG: &str = "refs/rb/log";

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
    /// Whether somebody had removed the file from the work tree before.
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
    pub(crate) before: CommitId,
    pub(crate) after: CommitId,
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
    pub(crate) committer: Signature,
}

impl LogDraft {
    /// The entry as a commit in memory, and its move of the log.
    ///
    /// # Errors
    /// Where the log cannot be read, or another reference stands in its place.
    pub(super) fn build(
        &self,
        repo: &Repo,
        touched: Vec<TouchedPath>,
        state_files: &[StateFile],
    ) -> Result<(LoggedEntry, NewObjects)> {
        let mut operation = self.operation.clone();
        operation.paths = touched;
        for file in state_files {
            operation.state_files.push(TouchedStateFile {
                name: file.name.clone(),
                before: durable::read_if_there(&repo.git_dir().join(&file.name))?.map(RepoPath::new),
                after: file.content.clone(),
            });
        }
        let mut text = serde_json::to_vec_pretty(&operation)
            .map_err(|error| Error::internal("cannot write the operation log", error))?;
        text.push(b'\n');
        let old = repo.read_reference(LOG.as_bytes())?;
        reference::refuse_linked_components(repo, LOG.as_bytes())?;
        if old.is_none()
            && let Some(other) = repo.reference_in_the_way(LOG.as_bytes())?
        {
            return Err(Error::BadRequest(format!("{LOG} cannot exist beside {other}")));
        }
        let objects = repo.objects();
        let blob = |bytes: &[u8]| -> Result<Entry> {
            Ok(Entry { mode: EntryMode::BLOB, id: objects.write_blob(bytes)? })
        };
        let mut rows = BTreeMap::from([
            (OPERATION_FILE.to_owned(), blob(&text)?),
            (RECEIPT_FILE.to_owned(), blob(&self.receipt)?),
        ]);
        if operation.staged {
            // No commit keeps what was only staged.
            let folder = |id: TreeId| Entry { mode: EntryMode::TREE, id: id.0 };
            rows.insert("tree-before".into(), folder(operation.tree_before));
            rows.insert("tree-after".into(), folder(operation.tree_after));
        }
        let subject = format!("{}: {}", operation.kind, operation.target).replace(['\n', '\r', '\0'], " ");
        let outside = operation.outside.iter().map(|outside| &outside.records);
        let states = operation.states.iter().chain(outside).flat_map(|states| [states.before, states.after]);
        let parents: Vec<CommitId> =
            old.into_iter().chain(operation.before).chain(operation.after).chain(states).collect();
        let new = write_record(&objects, rows, &parents, &self.committer, &subject)?;
        Ok((LoggedEntry { old, new }, objects.take_new()))
    }
}

/// Puts the commit of a record into memory.
pub(crate) fn write_record(
    objects: &Objects,
    rows: BTreeMap<String, Entry>,
    parents: &[CommitId],
    committer: &Signature,
    message: &str,
) -> Result<CommitId> {
    let entries = rows.into_iter().map(|(name, entry)| TreeEntry { name: name.into(), entry }).collect();
    let tree = objects.write_tree(&Tree { entries })?;
    let mut text = BString::from(format!("tree {tree}\n"));
    let mut named = Vec::new();
    for parent in parents {
        // git warns of a parent that is named twice.
        if !named.contains(&parent) {
            text.extend_from_slice(format!("parent {parent}\n").as_bytes());
            named.push(parent);
        }
    }
    for role in ["author", "committer"] {
        text.extend_from_slice(
            format!("{role} {} <{}> {}\n", committer.name, committer.email, committer.time).as_bytes(),
        );
    }
    text.extend_from_slice(format!("\n{}\n", message.trim_end()).as_bytes());
    objects.write_raw(Kind::Commit, &text).map(Into::into)
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

/// Moves the log; once is as good as twice. Returns why it never can be moved, where that is so.
pub(super) fn advance(
    repo: &Repo,
    staged: &Path,
    entry: &LoggedEntry,
    settings: &Settings,
) -> Result<Option<Error>> {
    let found = repo.read_reference(LOG.as_bytes())?;
    if found == Some(entry.new) {
        return Ok(None);
    }
    if found != entry.old {
        let null = |id: Option<CommitId>| id.unwrap_or(CommitId(ObjectId::null_like(&entry.new.0)));
        return Ok(Some(Error::Moved {
            reference: LOG.into(),
            expected: null(entry.old),
            found: null(found),
        }));
    }
    reference::commit(repo, staged, LOG.as_bytes(), settings)?;
    let path = repo.reference_path(LOG.as_bytes())?;
    durable::sync_folder(path.parent().unwrap_or(repo.git_dir()), settings.fsync.references)?;
    Ok(None)
}
