//! What became of publishing an operation, kept beside its entry in the log.

use super::OperationRef;
use crate::error::{Error, Result};
use crate::receipt::Published;
use crate::record::RecordKind;
use crate::repo::Repo;

/// The file of an entry that says it.
pub(super) const FILE: &str = "published.json";

impl Repo {
    /// Keeps what became of publishing an operation, in place of what was kept before.
    ///
    /// # Writes
    /// The record of the operation.
    ///
    /// # Errors
    /// [`OperationError::Unknown`](crate::error::OperationError::Unknown); [`Error::Locked`]; [`Error::Io`].
    pub(crate) fn note_published(&self, operation_id: &str, published: &Published) -> Result<()> {
        let entry = self.find_operation(&OperationRef::Id(operation_id.to_owned()))?;
        let Some(mut record) = self.read_record(RecordKind::Operation, &entry.id)? else { return Ok(()) };
        let text = serde_json::to_vec(published).map_err(|error| Error::internal("a record", error))?;
        record.files.insert(FILE.to_owned(), text);
        self.write_record(RecordKind::Operation, &entry.id, Some(record.revision), &record.files)?;
        Ok(())
    }
}
