//! How much a procedure may hold. What exceeds a limit is refused by name before anything else is read of it, so that
//! no file of a repository can take the memory or the time of a command that only lists procedures.

use std::ops::Range;

use toml_edit::{Item, Table, Value};

/// The most bytes of one file.
pub(super) const BYTES: usize = crate::bounded::PROCEDURE as usize;
/// The most files: a procedure and what it includes.
pub(super) const FILES: usize = 16;
/// The most members of a list or table.
const MEMBERS: usize = 1_000;
/// The most values of a file.
const VALUES: usize = 20_000;
/// The most tables and lists around a value.
const DEPTH: usize = 24;
/// The most regular expressions of a file.
const PATTERNS: usize = 256;
/// The most mistakes that are told of.
pub(super) const PROBLEMS: usize = 100;
/// The longest name for which a similar one is looked for, in bytes.
pub(super) const NAME: usize = 64;

/// The keys whose values are regular expressions.
const PATTERN_KEYS: [&str; 9] =
    ["stdout", "stderr", "never", "capture", "regex", "pattern", "grep", "author", "after"];

/// What a file holds too much of, and the offset of the first thing that is too much.
pub(super) fn exceeded(root: &Item) -> Option<(usize, String)> {
    let mut count = Count::default();
    count.item(root, "", 0).err()
}

#[derive(Default)]
struct Count {
    values: usize,
    patterns: usize,
}

impl Count {
    fn item(&mut self, item: &Item, key: &str, depth: usize) -> Result<(), (usize, String)> {
        match item {
            Item::None => Ok(()),
            Item::Value(value) => self.value(value, key, depth),
            Item::Table(table) => self.table(table, depth, depth + 1),
            Item::ArrayOfTables(tables) => {
                members(tables.len(), key, depth, tables.get(MEMBERS).and_then(|table| table.span()))?;
                tables.iter().try_for_each(|table| self.table(table, depth, depth + 2))
            }
        }
    }

    fn table(&mut self, table: &Table, depth: usize, inside: usize) -> Result<(), (usize, String)> {
        members(table.len(), "keys", depth, table.span())?;
        table.iter().try_for_each(|(key, item)| self.item(item, key, inside))
    }

    fn value(&mut self, value: &Value, key: &str, depth: usize) -> Result<(), (usize, String)> {
        match value {
            Value::Array(values) => {
                members(values.len(), key, depth, values.span())?;
                values.iter().try_for_each(|value| self.value(value, key, depth + 1))
            }
            Value::InlineTable(table) => {
                members(table.len(), "keys", depth, table.span())?;
                table.iter().try_for_each(|(key, value)| self.value(value, key, depth + 1))
            }
            _ => {
                self.values += 1;
                self.patterns += usize::from(PATTERN_KEYS.contains(&key));
                let (most, what) = match (self.patterns > PATTERNS, self.values > VALUES) {
                    (true, _) => (PATTERNS, "regular expressions"),
                    (_, true) => (VALUES, "values"),
                    _ => return Ok(()),
                };
                let at = value.span().map_or(0, |span| span.start);
                Err((at, format!("the file has more than {most} {what}")))
            }
        }
    }
}

fn members(
    found: usize,
    what: &str,
    depth: usize,
    span: Option<Range<usize>>,
) -> Result<(), (usize, String)> {
    let at = span.map_or(0, |span| span.start);
    match (found > MEMBERS, depth > DEPTH) {
        (true, _) => Err((at, format!("there are {found} {what}, more than {MEMBERS}"))),
        (_, true) => Err((at, format!("it is nested more than {DEPTH} deep"))),
        _ => Ok(()),
    }
}
