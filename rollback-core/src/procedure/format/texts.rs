//! Every text of a document, with the way to it.

use serde_json::Value;

use super::source::Step;

/// Visits each text of the value, and each key of its tables.
pub(crate) fn each_text(value: &Value, way: &mut Vec<Step>, visit: &mut dyn FnMut(&[Step], Text<'_>)) {
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
pub(crate) enum Text<'a> {
    Key(&'a str),
    Value(&'a str),
}

impl<'a> Text<'a> {
    /// The text, wherever it stands.
    pub(crate) fn text(self) -> &'a str {
        let (Self::Key(text) | Self::Value(text)) = self;
        text
    }
}
