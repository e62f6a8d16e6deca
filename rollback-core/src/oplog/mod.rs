//! The operation log: what rb landed here, newest first, and the way back from each of it.
//!
//! A landing writes the entry (`apply::log`); this room reads the log and takes operations back. An entry that cannot be
//! read is passed over and named.
//!
//! ```
//! # let folder = tempfile::tempdir()?;
//! # let repo = rollback_core::guide::sample(folder.path().join("r"))?;
//! use rollback_core::oplog::{OperationRef, UndoOptions};
//! use rollback_core::{ApplyOptions, PlanOptions, Target};
//!
//! let before = repo.resolve_commit("HEAD")?;
//! let plan = repo.plan(&Target::paths(["app.py"]), &PlanOptions::default())?;
//! repo.apply(plan, &ApplyOptions::default())?;
//!
//! let operations = repo.operations()?;
//! assert_eq!((operations.len(), operations[0].kind.as_str()), (1, "revert-commit"));
//! assert_eq!(operations[0].before, Some(before));
//! // What an undo would do can be asked first.
//! let newest = OperationRef::Id(operations[0].operation_id.clone());
//! repo.check_undo(&newest, &UndoOptions::default())?;
//! repo.undo(&newest, &UndoOptions::default())?;
//! assert_eq!(repo.resolve_commit("HEAD")?, before);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

mod git_moves;
mod git_undo;
mod prune;
mod published;
mod undo;

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

pub use git_moves::GitMove;
pub use git_undo::GitUndone;
pub use prune::{PruneOptions, Pruned};
pub use undo::{OperationRef, UndoOptions, Undone};

pub use crate::operation::kind;

use crate::apply::log::{LoggedOperation, RECEIPT_FILE, read_entry};
use crate::error::Result;
use crate::id::CommitId;
use crate::path::RepoPath;
use crate::receipt::{Published, Receipt};
use crate::record::{Record, RecordKind, UnreadableRecord};
use crate::repo::Repo;

/// An operation as the log tells of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Operation {
    /// Its name.
    pub operation_id: String,
    /// When it landed, in seconds since the epoch.
    pub time: i64,
    /// The strategy that was taken, or one of [`kind`].
    pub kind: String,
    /// What was asked for, as text for people.
    pub target: String,
    /// The reference that moved; the one that HEAD was on where only index and work tree changed.
    #[serde(rename = "ref")]
    pub reference: RepoPath,
    /// Where it was; absent where the operation made it.
    pub before: Option<CommitId>,
    /// Where it is since; absent where the operation removed it.
    pub after: Option<CommitId>,
    /// The commits that were made, in order.
    pub commit_ids: Vec<CommitId>,
    /// Whether only index and work tree changed.
    pub staged: bool,
    /// The paths that changed.
    pub paths: Vec<RepoPath>,
    /// Paths outside of the repository that were put back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outside: Vec<RepoPath>,
    /// The operation that this one took back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<String>,
    /// The operation that took this one back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undone_by: Option<String>,
    /// Whether it stopped for a person, and left a pick or revert in progress.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stopped: bool,
    /// What became of letting its result leave this machine, the last time that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<Published>,
}

/// An entry as it stands in the log.
pub(crate) struct Entry {
    /// The id of its record.
    pub(crate) id: String,
    pub(crate) receipt: Vec<u8>,
    pub(crate) published: Option<Published>,
    pub(crate) logged: LoggedOperation,
    pub(crate) undone_by: Option<String>,
    /// The operation that went on with this one: what this one did is part of that.
    pub(crate) continued_by: Option<String>,
}

impl From<Entry> for Operation {
    fn from(Entry { logged, undone_by, published, .. }: Entry) -> Self {
        Self {
            operation_id: logged.operation_id,
            time: logged.time,
            kind: logged.kind,
            target: logged.target,
            reference: logged.reference,
            before: logged.before,
            after: logged.after,
            commit_ids: logged.commit_ids,
            staged: logged.staged,
            paths: logged.paths.into_iter().map(|touched| touched.path).collect(),
            outside: logged.outside.map(|outside| outside.paths).unwrap_or_default(),
            undoes: logged.undoes,
            undone_by,
            stopped: logged.stopped,
            published,
        }
    }
}

impl Repo {
    /// The operations that landed here, newest first; one that another went on with is part of that. An entry that cannot be read is passed over;
    /// [`Repo::unreadable_operations`] names it.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io) where the folder of records cannot be read.
    pub fn operations(&self) -> Result<Vec<Operation>> {
        let entries = self.log_entries()?.into_iter();
        Ok(entries.filter(|entry| entry.continued_by.is_none()).map(Into::into).collect())
    }

    /// The entries of the log that cannot be read, and why.
    ///
    /// # Errors
    /// As [`Repo::operations`].
    pub fn unreadable_operations(&self) -> Result<Vec<UnreadableRecord>> {
        Ok(self.read_log()?.unreadable)
    }

    /// An operation with the receipt it was answered with; an undo has none.
    ///
    /// # Errors
    /// [`OperationError::Unknown`](crate::error::OperationError::Unknown), and those of [`Repo::operations`].
    pub fn operation_with_receipt(&self, which: &OperationRef) -> Result<(Operation, Option<Receipt>)> {
        let entry = self.find_operation(which)?;
        let receipt = serde_json::from_slice(&entry.receipt).ok();
        Ok((entry.into(), receipt))
    }

    pub(crate) fn log_entries(&self) -> Result<Vec<Entry>> {
        Ok(self.read_log()?.entries)
    }

    fn read_log(&self) -> Result<Log> {
        let kind = RecordKind::Operation;
        let records = self.records(kind)?;
        let mut log = Log { entries: Vec::new(), unreadable: records.unreadable };
        for (id, record) in records.read {
            match entry_of(&id, record) {
                Ok(entry) => log.entries.push(entry),
                Err(error) => log.unreadable.push(self.unreadable(kind, &id, &error)),
            }
        }
        // Two work trees that landed at the same moment may have taken the same number.
        log.entries.sort_by(|one, other| other.place().cmp(&one.place()));
        let mut continued: HashMap<String, String> = HashMap::new();
        for entry in &mut log.entries {
            entry.continued_by = continued.remove(&entry.logged.operation_id);
            if let Some(earlier) = &entry.logged.continues {
                continued.insert(earlier.clone(), entry.logged.operation_id.clone());
            }
        }
        let mut undone: HashMap<String, String> = HashMap::new();
        for entry in &mut log.entries {
            entry.undone_by = undone.remove(&entry.logged.operation_id);
            // An undo that was itself taken back took back nothing.
            if let (Some(undoes), None) = (&entry.logged.undoes, &entry.undone_by) {
                undone.insert(undoes.clone(), entry.logged.operation_id.clone());
            }
        }
        Ok(log)
    }
}

/// The entries of the log, newest first, and those that cannot be read.
struct Log {
    entries: Vec<Entry>,
    unreadable: Vec<UnreadableRecord>,
}

impl Entry {
    /// What orders the log: the number, then the time.
    fn place(&self) -> (&str, i64, &str) {
        (number_of(&self.id), self.logged.time, &self.id)
    }
}

/// The number of an entry, whose digits are always as many.
fn number_of(id: &str) -> &str {
    id.split('-').next().unwrap_or_default()
}

fn entry_of(id: &str, mut record: Record) -> Result<Entry> {
    let logged = read_entry(id, &mut record)?;
    let receipt = record.files.remove(RECEIPT_FILE).unwrap_or_default();
    let published = record.files.remove(published::FILE).and_then(|text| serde_json::from_slice(&text).ok());
    Ok(Entry { id: id.to_owned(), receipt, published, logged, undone_by: None, continued_by: None })
}
