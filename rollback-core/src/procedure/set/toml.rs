//! TOML, edited in place by its own editor: comments, order and spelling stay.

use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, TableLike, Value};

use super::{FileFormat, Key, Segment, SetError, no_such_key, only};
use crate::procedure::format::Scalar;

pub(super) fn set(text: &str, key: &Key, value: &Scalar) -> Result<String, SetError> {
    let mut document = read(text)?;
    match in_table(document.as_table_mut(), key, 0)? {
        Slot::Value(present) => replace(present, key, value)?,
        Slot::Missing(table, name) => {
            table.insert(name, Item::Value(plain(value)));
        }
        Slot::MissingRow { rows, row, name } => {
            let mut table = Table::new();
            table.insert(row.0, Item::Value(row.1.into()));
            table.insert(name, Item::Value(plain(value)));
            rows.push(table);
        }
        Slot::Other(found) => {
            return Err(SetError::NotPlain { key: key.to_string(), found });
        }
    }
    Ok(document.to_string())
}

pub(super) fn get(text: &str, key: &Key) -> Result<Scalar, SetError> {
    let mut document = read(text)?;
    let not_plain = |found| SetError::NotPlain { key: key.to_string(), found };
    match in_table(document.as_table_mut(), key, 0)? {
        Slot::Value(Value::String(text)) => Ok(Scalar::Text(text.value().clone())),
        Slot::Value(Value::Integer(number)) => Ok(Scalar::Integer(*number.value())),
        Slot::Value(Value::Float(number)) => Ok(Scalar::Float(*number.value())),
        Slot::Value(Value::Boolean(truth)) => Ok(Scalar::Bool(*truth.value())),
        Slot::Value(other) => Err(not_plain(other.type_name())),
        Slot::Other(found) => Err(not_plain(found)),
        Slot::Missing(..) | Slot::MissingRow { .. } => {
            Err(SetError::NoSuchKey { key: key.to_string(), nearest: None })
        }
    }
}

fn read(text: &str) -> Result<DocumentMut, SetError> {
    text.parse::<DocumentMut>().map_err(|error| SetError::Unreadable {
        format: FileFormat::Toml,
        why: error.message().trim().replace('\n', ", "),
    })
}

/// What a key leads to.
enum Slot<'a> {
    Value(&'a mut Value),
    /// The table is there, the name is not.
    Missing(&'a mut dyn TableLike, &'a str),
    /// The list of tables is there, the row is not.
    MissingRow {
        rows: &'a mut ArrayOfTables,
        row: (&'a str, &'a str),
        name: &'a str,
    },
    Other(&'static str),
}

fn in_table<'a>(table: &'a mut dyn TableLike, key: &'a Key, at: usize) -> Result<Slot<'a>, SetError> {
    let last = at + 1 == key.segments().len();
    let Segment::Name(name) = &key.segments()[at] else {
        return Err(no_such_key(key, at + 1, []));
    };
    if !table.contains_key(name) {
        return match last {
            true => Ok(Slot::Missing(table, name)),
            false => Err(no_such_key(key, at + 1, table.iter().map(|(name, _)| name))),
        };
    }
    match (table.get_mut(name).expect("it was just found"), last) {
        (Item::Value(value), true) => Ok(Slot::Value(value)),
        (other, true) => Ok(Slot::Other(other.type_name())),
        (Item::Value(value), _) => in_value(value, key, at + 1),
        (Item::Table(table), _) => in_table(table, key, at + 1),
        (Item::ArrayOfTables(rows), _) => in_rows(rows, key, at + 1),
        (Item::None, _) => Err(no_such_key(key, at + 1, [])),
    }
}

fn in_rows<'a>(rows: &'a mut ArrayOfTables, key: &'a Key, at: usize) -> Result<Slot<'a>, SetError> {
    let segments = key.segments();
    let place = match &segments[at] {
        Segment::Index(place) => Some(*place).filter(|place| *place < rows.len()),
        Segment::Row { name, value } => {
            let has = |table: &Table| table.get(name).and_then(Item::as_str) == Some(value);
            only(rows.iter().enumerate().filter(|(_, row)| has(row)), key, at + 1)?.map(|(place, _)| place)
        }
        Segment::Name(_) => None,
    };
    match (place, &segments[at..]) {
        (Some(_), [_]) => Ok(Slot::Other("table")),
        (Some(place), _) => in_table(rows.get_mut(place).expect("its place was just found"), key, at + 1),
        (None, [Segment::Row { name: row, value }, Segment::Name(name)]) => {
            Ok(Slot::MissingRow { rows, row: (row, value), name })
        }
        (None, _) => Err(no_such_key(key, at + 1, [])),
    }
}

fn in_value<'a>(value: &'a mut Value, key: &'a Key, at: usize) -> Result<Slot<'a>, SetError> {
    let value = match (value, &key.segments()[at]) {
        (Value::InlineTable(table), Segment::Name(_)) => return in_table(table, key, at),
        (Value::Array(list), Segment::Index(place)) => list.get_mut(*place),
        _ => None,
    };
    match value {
        Some(value) if at + 1 == key.segments().len() => Ok(Slot::Value(value)),
        Some(value) => in_value(value, key, at + 1),
        None => Err(no_such_key(key, at + 1, [])),
    }
}

fn replace(present: &mut Value, key: &Key, value: &Scalar) -> Result<(), SetError> {
    if matches!(present, Value::Array(_) | Value::InlineTable(_) | Value::Datetime(_)) {
        return Err(SetError::NotPlain { key: key.to_string(), found: present.type_name() });
    }
    let decor = present.decor().clone();
    *present = plain(value);
    *present.decor_mut() = decor;
    Ok(())
}

fn plain(value: &Scalar) -> Value {
    match value {
        Scalar::Bool(truth) => (*truth).into(),
        Scalar::Integer(number) => (*number).into(),
        Scalar::Float(number) => (*number).into(),
        Scalar::Text(text) => text.as_str().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# traffic of the service\n[split]   # percent\nflat = 0          # the old way\nhierarchical = 100# new\n\n[\"tool.x\"]\nname = 'keep me'\n";

    fn edited(key: &str, value: &str) -> Result<String, SetError> {
        set(FILE, &key.parse().unwrap(), &Scalar::from_text(value))
    }

    #[test]
    fn only_the_value_changes() {
        assert_eq!(edited("split.flat", "100").unwrap(), FILE.replace("flat = 0 ", "flat = 100 "));
        assert_eq!(edited("\"tool.x\".name", "it's").unwrap(), FILE.replace("'keep me'", "\"it's\""));
        assert_eq!(edited("split.flat", "0").unwrap(), FILE);
    }

    #[test]
    fn a_key_is_added_to_a_table_that_is_there_and_to_no_other() {
        let text = edited("split.shadow", "false").unwrap();
        assert_eq!(text, FILE.replace("100# new\n", "100# new\nshadow = false\n"));
        assert_eq!(get(&text, &"split.shadow".parse().unwrap()).unwrap(), Scalar::Bool(false));
        assert_eq!(
            edited("splits.flat", "1").unwrap_err().to_string(),
            "there is no key 'splits'; did you mean 'split'?"
        );
    }

    #[test]
    fn a_row_of_a_list_is_found_by_what_it_says_or_added() {
        let file = "[[tool.mypy.overrides]]\nmodule = \"town.a.*\"\nstrict = true  # a\n\n[[tool.mypy.overrides]]\nmodule = \"town.b.*\"\n";
        let strict =
            |module: &str| format!("tool.mypy.overrides[module=town.{module}.*].strict").parse().unwrap();
        let off = Scalar::Bool(false);
        assert_eq!(set(file, &strict("a"), &off).unwrap(), file.replace("true ", "false "));
        assert_eq!(set(file, &strict("b"), &off).unwrap(), format!("{file}strict = false\n"));
        let added = set(file, &strict("c"), &off).unwrap();
        assert_eq!(
            added,
            format!("{file}\n[[tool.mypy.overrides]]\nmodule = \"town.c.*\"\nstrict = false\n")
        );
        assert_eq!(set(&added, &strict("c"), &off).unwrap(), added);
    }

    #[test]
    fn what_is_not_a_plain_value_is_refused() {
        assert!(matches!(edited("split", "1"), Err(SetError::NotPlain { .. })));
        assert!(matches!(
            set("a = [1]", &"a".parse().unwrap(), &Scalar::Integer(1)),
            Err(SetError::NotPlain { .. })
        ));
        assert!(matches!(
            set("a = ", &"a".parse().unwrap(), &Scalar::Integer(1)),
            Err(SetError::Unreadable { .. })
        ));
        let twice = "[tool.interrogate]\nfail-under = 80\n[tool.interrogate]\nfail-under = 50\n";
        assert!(matches!(
            set(twice, &"tool.interrogate.fail-under".parse().unwrap(), &Scalar::Integer(50)),
            Err(SetError::Unreadable { .. })
        ));
    }

    #[test]
    fn values_are_read_back() {
        assert_eq!(get(FILE, &"split.hierarchical".parse().unwrap()).unwrap(), Scalar::Integer(100));
        assert!(matches!(get(FILE, &"split.none".parse().unwrap()), Err(SetError::NoSuchKey { .. })));
    }
}
