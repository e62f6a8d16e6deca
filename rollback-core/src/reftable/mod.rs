//! The format of reftable, git's second storage of references: bytes in, records out, and the other way round.
//!
//! The source is `Documentation/technical/reftable.adoc` of git; where that leaves a choice, tables are written as git
//! writes them (4096-byte blocks, a restart every 16 records, an index from the fourth block on, log blocks unaligned).
//! The section that maps objects to references is optional, and nothing in git reads it: it is skipped when reading and
//! left out when writing.
//!
//! Nothing here opens a file by name, writes one, or knows what a reference means: `repo::refs` reads a stack of tables,
//! `apply::tables` writes one. Whatever the bytes say, no more memory is taken than a block may have (16 MiB), each step
//! goes forward in the table, and an index leads only backward, so that every walk ends.

mod block;
mod compaction;
mod merged;
mod name;
mod record;
mod table;
mod varint;
mod writer;

pub(crate) use compaction::{DEFAULT_FACTOR, segment};
pub(crate) use merged::{logs, references};
pub(crate) use name::{TableName, is_safe_name};
pub(crate) use record::{LogRecord, LogUpdate, RefRecord, RefValue};
pub(crate) use table::Table;
pub(crate) use writer::{Layout, Limits, header_len, write};

/// Why a table cannot be read or written.
#[derive(Debug)]
pub(crate) enum TableError {
    /// The bytes could not be had.
    Io(std::io::Error),
    /// They are no reftable, or a damaged one.
    Malformed(&'static str),
}

impl From<std::io::Error> for TableError {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

type Result<T> = std::result::Result<T, TableError>;

fn malformed<T>(why: &'static str) -> Result<T> {
    Err(TableError::Malformed(why))
}

#[cfg(test)]
mod tests;
