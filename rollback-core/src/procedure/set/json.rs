//! JSON: the value's own bytes are replaced and nothing else is written again.

use serde_json::value::RawValue;

use super::{FileFormat, Key, Segment, SetError, no_such_key, only};
use crate::procedure::format::{Named, Scalar};

pub(super) fn set(text: &str, key: &Key, value: &Scalar) -> Result<String, SetError> {
    let raw = find(text, key)?;
    plain(raw, key)?;
    let written = serde_json::to_string(value).map_err(|error| unreadable(&error))?;
    // A raw value is a piece of the text it was read from, so its place is the distance between their starts.
    let start = (raw.as_ptr() as usize).wrapping_sub(text.as_ptr() as usize);
    let after = text.get(start..).and_then(|rest| rest.strip_prefix(raw));
    let after = after.ok_or_else(|| SetError::unfaithful(key.to_string(), "its place is not known"))?;
    Ok([&text[..start], &written, after].concat())
}

pub(super) fn get(text: &str, key: &Key) -> Result<Scalar, SetError> {
    plain(find(text, key)?, key)
}

fn plain(raw: &str, key: &Key) -> Result<Scalar, SetError> {
    let found = match raw.as_bytes().first() {
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b'n') => "null",
        _ => return serde_json::from_str(raw).map_err(|error| unreadable(&error)),
    };
    Err(SetError::NotPlain { key: key.to_string(), found })
}

/// The bytes of a value.
fn find<'a>(text: &'a str, key: &Key) -> Result<&'a str, SetError> {
    let mut at = serde_json::from_str::<&RawValue>(text).map_err(|error| unreadable(&error))?;
    for (index, segment) in key.segments().iter().enumerate() {
        let node = Node::read(at.get()).map_err(|error| unreadable(&error))?;
        let next = match (&node, segment) {
            (Node::Object(members), Segment::Name(name)) => only(named(members, name), key, index + 1)?,
            (Node::List(items), Segment::Index(place)) => items.get(*place).copied(),
            (Node::List(items), Segment::Row { name, value }) => {
                let rows = items.iter().copied().filter(|item| has(item, name, value));
                only(rows, key, index + 1)?
            }
            _ => None,
        };
        let known = || if let Node::Object(members) = &node { members.names().collect() } else { Vec::new() };
        at = next.ok_or_else(|| no_such_key(key, index + 1, known()))?;
    }
    Ok(at.get())
}

fn named<'m, 'a>(members: &'m Named<&'a RawValue>, name: &str) -> impl Iterator<Item = &'a RawValue> + 'm {
    let name = name.to_owned();
    members.iter().filter(move |(member, _)| *member == name).map(|(_, value)| *value)
}

/// Whether the name has the value in an object.
fn has(item: &RawValue, name: &str, value: &str) -> bool {
    let is = |raw: &RawValue| {
        serde_json::from_str::<Scalar>(raw.get()).is_ok_and(|found| found.to_string() == value)
    };
    matches!(Node::read(item.get()), Ok(Node::Object(members)) if named(&members, name).any(is))
}

fn unreadable(error: &serde_json::Error) -> SetError {
    SetError::Unreadable { format: FileFormat::Json, why: error.to_string() }
}

/// One level of a document; what lies below stays text. An object can have a name twice.
enum Node<'a> {
    Object(Named<&'a RawValue>),
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

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "{\n\t\"z\": 1.50,\n\t\"a\" : {\"on\":true, \"list\": [ 1, {\"name\": \"x\", \"n\": 2} ]},\n\t\"e\": 1e3\n}\n";

    fn edited(key: &str, value: &str) -> Result<String, SetError> {
        set(FILE, &key.parse().unwrap(), &Scalar::from_text(value))
    }

    #[test]
    fn only_the_value_changes() {
        assert_eq!(edited("a.on", "false").unwrap(), FILE.replace("true", "false"));
        assert_eq!(edited("z", "ü\"").unwrap(), FILE.replace("1.50", "\"ü\\\"\""));
        assert_eq!(edited("a.list[0]", "7").unwrap(), FILE.replace("[ 1,", "[ 7,"));
        assert_eq!(edited("a.list[name=x].n", "3").unwrap(), FILE.replace("\"n\": 2", "\"n\": 3"));
    }

    #[test]
    fn what_is_missing_double_or_not_plain_is_refused() {
        assert_eq!(
            edited("a.om", "1").unwrap_err().to_string(),
            "there is no key 'a.om'; did you mean 'on'?"
        );
        assert!(matches!(edited("a", "1"), Err(SetError::NotPlain { .. })));
        assert!(matches!(
            set("{\"a\":1,\"a\":2}", &"a".parse().unwrap(), &Scalar::Integer(1)),
            Err(SetError::Unfaithful { .. })
        ));
        assert!(matches!(
            set("{", &"a".parse().unwrap(), &Scalar::Integer(1)),
            Err(SetError::Unreadable { .. })
        ));
        assert!(matches!(
            set("{\"a\":1} x", &"a".parse().unwrap(), &Scalar::Integer(1)),
            Err(SetError::Unreadable { .. })
        ));
    }
}
