//! Several tables as one: of records with the same key, that of the newest table counts.

use super::Result;
use super::record::{LogRecord, Record, RefRecord};
use super::table::{Records, Table};

/// The next record of a table, with its key.
type Head = Option<(Vec<u8>, Record)>;

/// The records of a stack of tables, in order.
struct Merged<'a> {
    /// Those of each table, the oldest table first.
    heads: Vec<(Records<'a>, Head)>,
}

impl<'a> Merged<'a> {
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
}

/// The references of these tables from a name on, deleted ones included.
pub(crate) fn references<'a, T: IntoIterator<Item = &'a Table>>(
    tables: T,
    name: &[u8],
) -> Result<impl Iterator<Item = Result<RefRecord>> + use<'a, T>> {
    let mut merged = Merged::of(tables.into_iter().map(|table| table.references_from(name)))?;
    Ok(std::iter::from_fn(move || match merged.next().transpose()? {
        Ok(Record::Ref(record)) => Some(Ok(record)),
        Ok(_) => None,
        Err(error) => Some(Err(error)),
    }))
}

/// The lines of logs in these tables from that of a name on, deleted ones included.
pub(crate) fn logs<'a, T: IntoIterator<Item = &'a Table>>(
    tables: T,
    name: &[u8],
) -> Result<impl Iterator<Item = Result<LogRecord>> + use<'a, T>> {
    let mut merged = Merged::of(tables.into_iter().map(|table| table.logs_from(name)))?;
    Ok(std::iter::from_fn(move || match merged.next().transpose()? {
        Ok(Record::Log(record)) => Some(Ok(record)),
        Ok(_) => None,
        Err(error) => Some(Err(error)),
    }))
}

fn head(records: &mut Records<'_>) -> Result<Head> {
    Ok(records.next()?.map(|record| (record.key(), record)))
}
