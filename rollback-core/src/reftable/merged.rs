//! Several tables as one: of records with the same key, that of the newest table counts.

use super::Result;
use super::record::{LogRecord, Record, RefRecord};
use super::table::{Records, Table};

/// The next record of a table, with its key.
type Head = Option<(Vec<u8>, Record)>;

/// The records of a stack of tables, in order.
pub(crate) struct Merged<'a> {
    /// Those of each table, the oldest table first.
    heads: Vec<(Records<'a>, Head)>,
}

impl<'a> Merged<'a> {
    /// The references from this name on, deleted ones included.
    pub(crate) fn references(tables: impl IntoIterator<Item = &'a Table>, name: &[u8]) -> Result<Self> {
        Self::of(tables.into_iter().map(|table| table.references_from(name)))
    }

    /// The lines of logs from that of this name on, deleted ones included.
    pub(crate) fn logs(tables: impl IntoIterator<Item = &'a Table>, name: &[u8]) -> Result<Self> {
        Self::of(tables.into_iter().map(|table| table.logs_from(name)))
    }

    fn of(tables: impl Iterator<Item = Result<Records<'a>>>) -> Result<Self> {
        let mut heads = Vec::new();
        for records in tables {
            let mut records = records?;
            let head = head(&mut records)?;
            heads.push((records, head));
        }
        Ok(Self { heads })
    }

    fn next(&mut self) -> Result<Option<Record>> {
        let keys = self.heads.iter().filter_map(|(_, head)| head.as_ref().map(|(key, _)| key));
        let Some(smallest) = keys.min().cloned() else { return Ok(None) };
        let mut newest = None;
        for (records, at) in &mut self.heads {
            if at.as_ref().is_some_and(|(key, _)| *key == smallest) {
                newest = at.take();
                *at = head(records)?;
            }
        }
        Ok(newest.map(|(_, record)| record))
    }

    /// The next reference.
    pub(crate) fn next_reference(&mut self) -> Result<Option<RefRecord>> {
        Ok(match self.next()? {
            Some(Record::Ref(record)) => Some(record),
            _ => None,
        })
    }

    /// The next line of a log.
    pub(crate) fn next_log(&mut self) -> Result<Option<LogRecord>> {
        Ok(match self.next()? {
            Some(Record::Log(record)) => Some(record),
            _ => None,
        })
    }
}

fn head(records: &mut Records<'_>) -> Result<Head> {
    Ok(records.next()?.map(|record| (record.key(), record)))
}
