//! Merging tables of a stack into one, so that the stack stays short: as git does after each transaction.
//!
//! The tables that are merged are locked one by one, and the list only to read it before and to replace it after, so that
//! others can write meanwhile. Whatever happens, the list names either the old tables or the new one.

use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use super::tables::{SHORT_LOCK, StackLock, Staged, random};
use super::{durable, lock};
use crate::error::{Error, Result};
use crate::reftable::{self, RefValue, TableName, header_len};
use crate::repo::config::{Settings, TableSettings};
use crate::repo::refs::stack::{LIST, Stack};

/// Merges what is due. A stack stays as it is where another process is at work on it, or where that fails: it is read the
/// same.
pub(super) fn compact(lock: &StackLock, settings: &Settings, tables: TableSettings) {
    let compaction = Compaction { lock, settings, tables };
    if let Err(error) = compaction.run() {
        tracing::debug!(%error, "the tables were not merged");
    }
}

struct Compaction<'a> {
    lock: &'a StackLock,
    settings: &'a Settings,
    tables: TableSettings,
}

impl Compaction<'_> {
    fn run(&self) -> Result<()> {
        if due(&self.lock.open()?, self.tables.factor).is_none() {
            return Ok(());
        }
        let mut locks = Vec::new();
        let done = self.merge(&mut locks);
        let released = lock::release(&locks, SHORT_LOCK);
        done.and(released)
    }

    fn merge(&self, locks: &mut Vec<PathBuf>) -> Result<()> {
        let (stack, range) = self.lock.with_list(self.settings, || {
            let stack = self.lock.open()?;
            let range = due(&stack, self.tables.factor);
            let range = range.map(|range| self.lock_tables(&stack, range, locks)).transpose()?;
            Ok((stack, range.filter(|range| range.len() > 1)))
        })?;
        let Some(range) = range else { return Ok(()) };
        let merged = self.merged(&stack, range.clone())?;
        self.lock.with_list(self.settings, || self.replace(&stack, range, merged))
    }

    /// Locks the tables from the newest on; one that another process is merging ends the run.
    fn lock_tables(
        &self,
        stack: &Stack,
        range: Range<usize>,
        locks: &mut Vec<PathBuf>,
    ) -> Result<Range<usize>> {
        for nth in range.clone().rev() {
            match self.lock.take_lock(&stack.names[nth], Duration::ZERO, self.settings) {
                Ok(lock) => locks.push(lock),
                Err(Error::Locked { .. }) => return Ok(nth + 1..range.end),
                Err(error) => return Err(error),
            }
        }
        Ok(range)
    }

    /// The bytes of one table that says what these say; `None` where they cancel each other out.
    fn merged(&self, stack: &Stack, range: Range<usize>) -> Result<Option<(TableName, Vec<u8>)>> {
        let tables = &stack.tables[range.clone()];
        let failed = |error| stack.failed(LIST, error);
        // What is gone is forgotten where no older table can have it.
        let is_oldest = range.start == 0;
        let references = reftable::references(tables, b"").map_err(failed)?.filter(
            |record| !matches!(record, Ok(record) if is_oldest && record.value == RefValue::Deletion),
        );
        let logs = reftable::logs(tables, b"")
            .map_err(failed)?
            .filter(|record| !matches!(record, Ok(record) if is_oldest && record.value.is_none()));
        let (Some(first), Some(last)) = (tables.first(), tables.last()) else { return Ok(None) };
        let (min_update_index, max_update_index) = (first.min_update_index, last.max_update_index);
        let limits = reftable::Limits { min_update_index, max_update_index, hash: self.lock.hash };
        let bytes = reftable::write(limits, self.tables.layout, references, logs).map_err(failed)?;
        let unique = random()?;
        Ok(bytes.map(|bytes| (TableName { min_update_index, max_update_index, unique }, bytes)))
    }

    /// Puts the new table in place of the old ones, wherever they stand in the list by now.
    fn replace(
        &self,
        before: &Stack,
        range: Range<usize>,
        merged: Option<(TableName, Vec<u8>)>,
    ) -> Result<()> {
        let now = self.lock.open()?;
        let old = &before.names[range];
        let Some(at) = now.names.windows(old.len()).position(|names| names == old) else { return Ok(()) };
        let mut names = now.names.clone();
        names.splice(at..at + old.len(), merged.as_ref().map(|(name, _)| name.to_string()));
        let table = merged.as_ref().map(|(name, bytes)| (name, bytes.as_slice()));
        Staged::of(&now, table, &names, &self.lock.own.path, self.settings)?.commit(self.settings)?;
        durable::sync_folder(&now.folder, self.settings.fsync.references)?;
        old.iter().try_for_each(|name| durable::remove_if_there(&now.folder.join(name)))
    }
}

/// The tables that are to be merged.
fn due(stack: &Stack, factor: u64) -> Option<Range<usize>> {
    let overhead = header_len(stack.hash) - 1;
    let sizes: Vec<_> = stack.tables.iter().map(|table| table.size.saturating_sub(overhead)).collect();
    reftable::segment(&sizes, factor)
}
