//! A stack of reftables: the tables that `tables.list` names, oldest first, read as one.
//!
//! A stack that is open stays as it was: its files are held open, and no writer changes a table. Writers replace the list
//! and remove tables that it no longer names, so that opening a stack begins again where a table is gone.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::bounded;
use crate::error::{Error, RepositoryError, Result};
use crate::reftable::{self, LogRecord, LogUpdate, RefRecord, RefValue, Table, TableError, is_safe_name};

/// The folder of a stack, in a git directory.
pub(crate) const FOLDER: &str = "reftable";
/// The file in it that names the tables.
pub(crate) const LIST: &str = "tables.list";
/// The most bytes of the list.
const LONGEST_LIST: u64 = 1 << 20;
/// How often opening begins again: each time another process replaced the list meanwhile.
const TRIES: usize = 100;

/// A stack of tables, open.
pub(crate) struct Stack {
    pub(crate) folder: PathBuf,
    /// The names of the tables, oldest first.
    pub(crate) names: Vec<String>,
    pub(crate) tables: Vec<Table>,
    /// The hash of its ids.
    pub(crate) hash: gix::hash::Kind,
}

impl Stack {
    /// Opens the stack in the folder `reftable` of a git directory.
    ///
    /// # Errors
    /// [`RepositoryError::BadReferences`], which names the table; [`Error::Io`].
    pub(crate) fn open(git_dir: &Path, hash: gix::hash::Kind) -> Result<Self> {
        let folder = git_dir.join(FOLDER);
        let mut names = read_list(&folder)?;
        for _ in 0..TRIES {
            if let Some(tables) = open_all(&folder, &names, hash)? {
                return Ok(Self { folder, names, tables, hash });
            }
            let now = read_list(&folder)?;
            if now == names {
                break;
            }
            names = now;
        }
        let missing = names.iter().find(|name| fs::symlink_metadata(folder.join(name)).is_err());
        let missing = folder.join(missing.map_or(LIST, String::as_str));
        Err(RepositoryError::BadReferences { why: format!("the table {} is missing", missing.display()) }
            .into())
    }

    /// What the reference holds; `None` where there is none of this name.
    pub(crate) fn value(&self, name: &[u8]) -> Result<Option<RefValue>> {
        // The newest table that has the name decides.
        for (nth, table) in self.tables.iter().enumerate().rev() {
            let failed = |error| self.failed(&self.names[nth], error);
            let mut from = reftable::references([table], name).map_err(failed)?;
            match from.next().transpose().map_err(failed)? {
                Some(record) if record.name == name => {
                    return Ok(Some(record.value).filter(|value| *value != RefValue::Deletion));
                }
                _ => {}
            }
        }
        Ok(None)
    }

    /// The references whose names begin with the prefix, in order.
    pub(crate) fn references(&self, prefix: &[u8]) -> Result<impl Iterator<Item = Result<RefRecord>>> {
        let failed = |error| self.failed(LIST, error);
        let from = reftable::references(&self.tables, prefix).map_err(failed)?;
        Ok(from
            .map(move |record| record.map_err(failed))
            .take_while(move |record| !matches!(record, Ok(record) if !record.name.starts_with(prefix)))
            .filter(|record| !matches!(record, Ok(record) if record.value == RefValue::Deletion)))
    }

    /// The lines of a reference's log with their numbers, the newest first; at most `most` of them.
    pub(crate) fn log(&self, name: &[u8], most: usize) -> Result<Vec<(u64, LogUpdate)>> {
        let failed = |error| self.failed(LIST, error);
        let mut key = name.to_vec();
        key.push(0);
        let mut found = Vec::new();
        for record in reftable::logs(&self.tables, &key).map_err(failed)? {
            let LogRecord { name: of, update_index, value } = record.map_err(failed)?;
            if of != name {
                break;
            }
            found.extend(value.map(|update| (update_index, update)));
            if found.len() >= most {
                break;
            }
        }
        Ok(found)
    }

    /// The number of the next transaction.
    ///
    /// # Errors
    /// [`RepositoryError::BadReferences`] where there is no number left.
    pub(crate) fn next_update_index(&self) -> Result<u64> {
        self.index_after(self.tables.iter().map(|table| table.max_update_index).max().unwrap_or(0))
    }

    /// The number after this one.
    ///
    /// # Errors
    /// As [`Stack::next_update_index`].
    pub(crate) fn index_after(&self, index: u64) -> Result<u64> {
        let none = TableError::Malformed("no update index is left for another transaction");
        index.checked_add(1).ok_or_else(|| self.failed(LIST, none))
    }

    /// The error of a table, by its name.
    pub(crate) fn failed(&self, name: &str, error: TableError) -> Error {
        table_error(&self.folder.join(name), error)
    }
}

/// What is wrong with a table, as an error that names its file.
pub(crate) fn table_error(path: &Path, error: TableError) -> Error {
    match error {
        TableError::Io(error) => Error::io("read", path, error),
        TableError::Malformed(why) => {
            RepositoryError::BadReferences { why: format!("{}: {why}", path.display()) }.into()
        }
    }
}

/// The names of the tables; none where there is no list.
fn read_list(folder: &Path) -> Result<Vec<String>> {
    let path = folder.join(LIST);
    let bytes = match bounded::read(&path, LONGEST_LIST) {
        Ok(bytes) => bytes,
        Err(error) if bounded::is_absent(&error) => return Ok(Vec::new()),
        Err(error) => return Err(Error::io("read", path, error)),
    };
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let mut names: Vec<String> = Vec::new();
    for line in lines {
        match std::str::from_utf8(line) {
            Ok(name) if is_safe_name(name) && !names.iter().any(|known| known == name) => {
                names.push(name.to_owned())
            }
            _ => {
                let why = format!("{} names {:?}, which is no table", path.display(), bstr::BStr::new(line));
                return Err(RepositoryError::BadReferences { why }.into());
            }
        }
    }
    Ok(names)
}

/// The tables; `None` where one is gone.
fn open_all(folder: &Path, names: &[String], hash: gix::hash::Kind) -> Result<Option<Vec<Table>>> {
    let mut tables = Vec::with_capacity(names.len());
    for name in names {
        let path = folder.join(name);
        let file = match bounded::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io("read", path, error)),
        };
        let table = Table::open(Box::new(file), hash).map_err(|error| table_error(&path, error))?;
        tables.push(table);
    }
    Ok(Some(tables))
}
