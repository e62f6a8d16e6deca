//! Every text of a document, with the way to it.

use serde_json::Value;

use crate::procedure::format::source::Step;

/// Visits each text of the value, and each key of its tables.
pub(super) fn each_text(value: &Value, way: &mut Vec<Step>, visit: &mut dyn FnMut(&[Step], Text<'_>)) {
    match value {
        Value::String(text) => visit(way, Text::Value(text)),
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                way.push(Step::from(at));
                each_text(item, way, visit);
                way.pop();
            }
        }
        Value::Object(members) => {
            for (key, member) in members {
                way.push(Step::from(key.as_str()));
                visit(way, Text::Key(key));
                each_text(member, way, visit);
                way.pop();
            }
        }
        _ => {}
    }
}

/// A text of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Text<'a> {
    Key(&'a str),
    Value(&'a str),
}
