//! The operation log: what rb landed here, newest first, and the way back from each of it.
//!
//! Whoever lands writes the entry (`apply::log`); this room reads the log and takes operations back.

mod prune;
mod undo;

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

pub use prune::{PruneOptions, Pruned};
pub use undo::{OperationRef, UndoOptions, Undone};

use crate::apply::log::{LOG, LOG_VERSION, LoggedOperation, OPERATION_FILE, RECEIPT_FILE};
use crate::error::{Error, Result};
use crate::id::CommitId;
use crate::path::RepoPath;
use crate::receipt::Receipt;
use crate::repo::Repo;

/// An operation as the log tells of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[non_exhaustive]
pub struct Operation {
    /// Its name.
    pub operation_id: String,
    /// When it landed, in seconds since the epoch.
    pub time: i64,
    /// The strategy that was taken, or `undo`.
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
}

/// An entry as it stands in the log.
pub(crate) struct Entry {
    /// The commit that holds it.
    pub(crate) commit: CommitId,
    pub(crate) logged: LoggedOperation,
    pub(crate) undone_by: Option<String>,
}

impl From<Entry> for Operation {
    fn from(Entry { logged, undone_by, .. }: Entry) -> Self {
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
        }
    }
}

impl Repo {
    /// The operations that landed here, newest first.
    ///
    /// # Errors
    /// [`Error::CorruptObject`] and [`Error::MissingObject`] for a log that cannot be read; [`Error::Unsupported`] for
    /// one that a newer rb wrote.
    pub fn operations(&self) -> Result<Vec<Operation>> {
        Ok(self.log_entries()?.into_iter().map(Into::into).collect())
    }

    /// An operation with the receipt it was answered with; an undo has none.
    ///
    /// # Errors
    /// [`Error::UnknownOperation`], and those of [`Repo::operations`].
    pub fn operation_with_receipt(&self, which: &OperationRef) -> Result<(Operation, Option<Receipt>)> {
        let entry = self.find_operation(which)?;
        let objects = self.objects();
        let file = objects.tree(objects.commit(entry.commit)?.tree)?.find(RECEIPT_FILE.as_bytes());
        let text = file.map(|file| objects.blob(file.id)).transpose()?;
        Ok((entry.into(), text.and_then(|text| serde_json::from_slice(&text).ok())))
    }

    pub(crate) fn log_entries(&self) -> Result<Vec<Entry>> {
        let mut at = self.read_reference(LOG.as_bytes())?;
        let objects = self.objects();
        let mut entries = Vec::new();
        let mut undone: HashMap<String, String> = HashMap::new();
        while let Some(id) = at {
            let commit = objects.commit(id)?;
            // The first entry has no entry before it: its parents are the tips, whose trees hold no operation.
            let Some(file) = objects.tree(commit.tree)?.find(OPERATION_FILE.as_bytes()) else { break };
            let Some(logged) = parse(id, &objects.blob(file.id)?)? else { break };
            let undone_by = undone.remove(&logged.operation_id);
            // An undo that was itself taken back took back nothing.
            if let (Some(undoes), None) = (&logged.undoes, &undone_by) {
                undone.insert(undoes.clone(), logged.operation_id.clone());
            }
            entries.push(Entry { commit: id, logged, undone_by });
            at = commit.parents.first().copied();
        }
        Ok(entries)
    }
}

/// The document of an entry; `None` where a file of a tip happens to have its name.
fn parse(id: CommitId, text: &[u8]) -> Result<Option<LoggedOperation>> {
    #[derive(Deserialize)]
    struct Version {
        version: u32,
        operation_id: String,
    }
    let Ok(Version { version, operation_id }) = serde_json::from_slice(text) else { return Ok(None) };
    if version > LOG_VERSION {
        return Err(Error::Unsupported {
            what: format!("version {version} of the operation log"),
            why: format!("a newer rb wrote operation {operation_id}"),
        });
    }
    serde_json::from_slice(text).map(Some).map_err(|error| Error::CorruptObject {
        kind: "operation",
        id: id.0,
        source: error.into(),
    })
}
