//! JSON: the value's own bytes are replaced and nothing else is written again.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{FileFormat, Key, Segment, SetError, no_such_key};
use crate::procedure::format::Scalar;

pub(super) fn set(text: &str, key: &Key, value: &Scalar) -> Result<String, SetError> {
    let (raw, start) = find(text, key)?;
    plain(raw, key)?;
    let end = start + raw.len();
    let written = serde_json::to_string(value)
        .map_err(|error| SetError::Unfaithful { key: key.to_string(), why: error.to_string() })?;
    Ok(format!("{}{written}{}", &text[..start], &text[end..]))
}

pub(super) fn get(text: &str, key: &Key) -> Result<Scalar, SetError> {
    plain(find(text, key)?.0, key)
}

fn plain(raw: &str, key: &Key) -> Result<Scalar, SetError> {
    let not_plain = |found| Err(SetError::NotPlain { key: key.to_string(), found });
    match raw.as_bytes().first() {
        Some(b'{') => not_plain("an object"),
        Some(b'[') => not_plain("a list"),
        Some(b'n') => not_plain("null"),
        _ => serde_json::from_str(raw).map_err(|error| unreadable(&error)),
    }
}

/// The bytes of a value, and where they begin.
fn find<'a>(text: &'a str, key: &Key) -> Result<(&'a str, usize), SetError> {
    let root: &RawValue = serde_json::from_str(text).map_err(|error| unreadable(&error))?;
    let mut at = root.get();
    for (index, segment) in key.segments().iter().enumerate() {
        let node = Node::read(at).map_err(|error| unreadable(&error))?;
        let duplicate = |name: &str| SetError::Unfaithful {
            key: key.text(index + 1),
            why: format!("the name '{name}' stands there twice"),
        };
        let next = match (&node, segment) {
            (Node::Object(members), Segment::Name(name)) => {
                let mut named =
                    members.0.iter().filter(|(member, _)| member == name).map(|(_, value)| *value);
                let first = named.next();
                if named.next().is_some() {
                    return Err(duplicate(name));
                }
                first
            }
            (Node::List(items), Segment::Index(place)) => items.get(*place).copied(),
            (Node::List(items), Segment::Row { name, value }) => only_row(items, name, value),
            _ => None,
        };
        match next {
            Some(value) => at = value.get(),
            None => {
                let known: Vec<&str> = match &node {
                    Node::Object(members) => members.0.iter().map(|(name, _)| name.as_str()).collect(),
                    _ => Vec::new(),
                };
                return Err(no_such_key(key, index + 1, segment, known));
            }
        }
    }
    // A raw value is a piece of the text it was read from, so its place is the distance between their starts.
    let start = (at.as_ptr() as usize).checked_sub(text.as_ptr() as usize);
    let start = start.filter(|start| text.get(*start..start + at.len()) == Some(at));
    let start = start
        .ok_or_else(|| SetError::Unfaithful { key: key.to_string(), why: "its place is not known".into() })?;
    Ok((at, start))
}

/// The row of a list in which the name has the value; none where two have.
fn only_row<'a>(items: &[&'a RawValue], name: &str, value: &str) -> Option<&'a RawValue> {
    let mut rows = items.iter().copied().filter(|item| match Node::read(item.get()) {
        Ok(Node::Object(members)) => members.0.iter().any(|(member, raw)| {
            member == name
                && serde_json::from_str::<Scalar>(raw.get()).is_ok_and(|found| found.to_string() == value)
        }),
        _ => false,
    });
    let first = rows.next();
    if rows.next().is_some() { None } else { first }
}

fn unreadable(error: &serde_json::Error) -> SetError {
    SetError::Unreadable { format: FileFormat::Json, why: error.to_string() }
}

/// One level of a document; what lies below stays text.
enum Node<'a> {
    Object(Members<'a>),
    List(Vec<&'a RawValue>),
    Other,
}

impl<'a> Node<'a> {
    fn read(text: &'a str) -> Result<Self, serde_json::Error> {
        Ok(match text.as_bytes().first() {
            Some(b'{') => Self::Object(serde_json::from_str(text)?),
            Some(b'[') => Self::List(serde_json::from_str(text)?),
            _ => Self::Other,
        })
    }
}

/// Names and values in the order of the text, also a name that stands there twice.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Level;
        impl<'de> Visitor<'de> for Level {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                std::iter::from_fn(|| map.next_entry().transpose()).collect::<Result<_, _>>().map(Members)
            }
        }
        deserializer.deserialize_map(Level)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "{\n\t\"z\": 1.50,\n\t\"a\" : {\"on\":true, \"list\": [ 1, {\"name\": \"x\", \"n\": 2} ]},\n\t\"e\": 1e3\n}\n";

    fn edited(key: &str, value: impl Into<Scalar>) -> Result<String, SetError> {
        set(FILE, &key.parse().unwrap(), &value.into())
    }

    #[test]
    fn only_the_value_changes() {
        assert_eq!(edited("a.on", false).unwrap(), FILE.replace("true", "false"));
        assert_eq!(edited("z", "ü\"").unwrap(), FILE.replace("1.50", "\"ü\\\"\""));
        assert_eq!(edited("a.list[0]", 7).unwrap(), FILE.replace("[ 1,", "[ 7,"));
        assert_eq!(edited("a.list[name=x].n", 3).unwrap(), FILE.replace("\"n\": 2", "\"n\": 3"));
    }

    #[test]
    fn what_is_missing_double_or_not_plain_is_refused() {
        assert_eq!(edited("a.om", 1).unwrap_err().to_string(), "there is no key 'a.om'; did you mean 'on'?");
        assert!(matches!(edited("a", 1), Err(SetError::NotPlain { .. })));
        assert!(matches!(
            set("{\"a\":1,\"a\":2}", &"a".parse().unwrap(), &1.into()),
            Err(SetError::Unfaithful { .. })
        ));
        assert!(matches!(set("{", &"a".parse().unwrap(), &1.into()), Err(SetError::Unreadable { .. })));
        assert!(matches!(
            set("{\"a\":1} x", &"a".parse().unwrap(), &1.into()),
            Err(SetError::Unreadable { .. })
        ));
    }
}
