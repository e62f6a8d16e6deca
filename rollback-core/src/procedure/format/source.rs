//! The text of a procedure file and where in it something stands.

use toml_edit::{Array, ArrayOfTables, Document as Spanned, Item, TableLike, Value};

use super::document::{Document, SCHEMA_VERSION};
use super::limits;
use super::problem::{Problem, Problems, nearest};

/// One part of the way to a value: a key, or a place in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Key(String),
    Index(usize),
}

impl From<&str> for Step {
    fn from(key: &str) -> Self {
        Self::Key(key.to_owned())
    }
}

impl From<usize> for Step {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

/// Builds the way to a value.
macro_rules! way {
    ($($step:expr),* $(,)?) => { [$($crate::procedure::format::source::Step::from($step)),*] };
}
pub(super) use way;

/// A file of a procedure: its text, its meaning, and where everything stands.
pub(crate) struct Part {
    pub(crate) file: String,
    pub(crate) text: String,
    pub(crate) document: Document,
    /// The document as JSON, whose ways are those of the file.
    pub(crate) value: serde_json::Value,
    spanned: Spanned<String>,
}

impl Part {
    /// Reads a file.
    pub(crate) fn parse(file: &str, bytes: &[u8]) -> Result<Self, Problems> {
        let text = std::str::from_utf8(bytes);
        let known = text.map_or_else(|error| &bytes[..error.valid_up_to()], str::as_bytes);
        let known = std::str::from_utf8(known).unwrap_or_default();
        let problem = |code, at: usize, message: String, nearest| {
            let (line, column) = position(known, at);
            Problems(vec![Problem { code, file: file.to_owned(), line, column, message, nearest }])
        };
        if bytes.len() > limits::BYTES {
            let message = format!("the file has {} bytes, more than {}", bytes.len(), limits::BYTES);
            return Err(problem("too-large", 0, message, None));
        }
        let text = text.map_err(|error| {
            let message = "the file is not UTF-8 from here on".to_owned();
            problem("not-utf8", error.valid_up_to(), message, None)
        })?;
        let spanned = Spanned::parse(text.to_owned()).map_err(|error| {
            let message = error.message().trim().replace('\n', ", ");
            problem("not-toml", error.span().map_or(0, |span| span.start), message, None)
        })?;
        if let Some((at, message)) = limits::exceeded(spanned.as_item()) {
            return Err(problem("too-large", at, message, None));
        }
        refuse_other_schema(&spanned, &problem)?;
        let document: Document =
            toml_edit::de::from_document(spanned.clone()).map_err(|error: toml_edit::de::Error| {
                let (code, message, nearest) = explain(error.message());
                problem(code, error.span().map_or(0, |span| span.start), message, nearest)
            })?;
        let value = document.to_json();
        Ok(Self { file: file.to_owned(), text: text.to_owned(), document, value, spanned })
    }

    /// A problem with the value at the end of the way, or with the last thing on it that exists.
    pub(crate) fn problem(&self, code: &'static str, way: &[Step], message: String) -> Problem {
        let (line, column) = position(&self.text, self.offset(way));
        Problem { code, file: self.file.clone(), line, column, message, nearest: None }
    }

    fn offset(&self, way: &[Step]) -> usize {
        let mut found = 0;
        let mut at = Place::of_item(self.spanned.as_item());
        for step in way {
            let Some((next, offset)) = at.step(step) else { break };
            found = offset.unwrap_or(found);
            at = next;
        }
        found
    }
}

/// What can be entered on the way to a value.
enum Place<'a> {
    Table(&'a dyn TableLike),
    Tables(&'a ArrayOfTables),
    List(&'a Array),
    /// Nothing lies in it.
    Value,
}

impl<'a> Place<'a> {
    fn of_item(item: &'a Item) -> Self {
        match item {
            Item::Table(table) => Self::Table(table),
            Item::ArrayOfTables(tables) => Self::Tables(tables),
            Item::Value(value) => Self::of_value(value),
            Item::None => Self::Value,
        }
    }

    fn of_value(value: &'a Value) -> Self {
        match value {
            Value::Array(list) => Self::List(list),
            Value::InlineTable(table) => Self::Table(table),
            _ => Self::Value,
        }
    }

    /// The next place and where it begins: a value at itself, a table at its key.
    fn step(&self, step: &Step) -> Option<(Self, Option<usize>)> {
        let (place, span) = match (self, step) {
            (Self::Table(table), Step::Key(key)) => {
                let (key, item) = table.get_key_value(key)?;
                (Self::of_item(item), item.as_value().and_then(Value::span).or_else(|| key.span()))
            }
            (Self::Tables(tables), Step::Index(index)) => {
                let table = tables.get(*index)?;
                (Self::Table(table), table.span())
            }
            (Self::List(list), Step::Index(index)) => {
                let value = list.get(*index)?;
                (Self::of_value(value), value.span())
            }
            _ => return None,
        };
        Some((place, span.map(|span| span.start)))
    }
}

/// Before anything else: a file of another version would be full of unknown keys.
fn refuse_other_schema(
    spanned: &Spanned<String>,
    problem: &dyn Fn(&'static str, usize, String, Option<String>) -> Problems,
) -> Result<(), Problems> {
    let Some(item) = spanned.get("schema") else {
        let message = format!("the file has no 'schema = {SCHEMA_VERSION}'");
        return Err(problem("missing-schema", 0, message, None));
    };
    if item.as_integer() == Some(i64::from(SCHEMA_VERSION)) {
        return Ok(());
    }
    let (found, at) = (item.to_string(), item.span().map_or(0, |span| span.start));
    let message = format!("schema {} is not known here, only schema {SCHEMA_VERSION} is", found.trim());
    Err(problem("unknown-schema", at, message, Some(SCHEMA_VERSION.to_string())))
}

/// Turns the decoder's words into a code, a message and the nearest thing that it would have taken.
fn explain(message: &str) -> (&'static str, String, Option<String>) {
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let suggestion = || {
        let (found, known) = quoted.split_first()?;
        nearest(found, known.iter().copied())
    };
    // A long list in front of what was probably meant would hide it.
    let listed = |what: &str| {
        let unknown = format!("unknown {what} '{}'", quoted.first().unwrap_or(&""));
        match suggestion() {
            Some(_) => unknown,
            None => format!("{unknown} (known: {})", quoted.get(1..).unwrap_or_default().join(", ")),
        }
    };
    if message.starts_with("unknown field") {
        ("unknown-key", listed("key"), suggestion())
    } else if message.starts_with("unknown variant") {
        ("unknown-value", listed("value"), suggestion())
    } else if message.starts_with("missing field") {
        ("missing-key", format!("the key '{}' is missing", quoted.first().unwrap_or(&"")), None)
    } else {
        ("bad-value", message.trim().replace('\n', ", "), None)
    }
}

/// Line and column of an offset, both counted from 1; the column in characters.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    let before = &text[..offset];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    (line, column)
}
