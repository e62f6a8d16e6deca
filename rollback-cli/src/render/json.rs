//! Documents for programs: one to a run, indented, with a line feed at its end.
//!
//! Every document that is an object says its `schema_version`, and where a command fails after it made a document,
//! the failure stands in it as `error`.

use rollback_core::plan::SCHEMA_VERSION;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::failure::Failure;

/// The key of the version.
pub(crate) const VERSION: &str = "schema_version";
/// The key of the failure.
pub(crate) const ERROR: &str = "error";

/// The value as a document on one line, as JSON Lines has it.
pub(crate) fn line(value: &impl Serialize) -> String {
    line_with(value, None)
}

/// The value as a document on one line, with what failed.
pub(crate) fn line_with(value: &impl Serialize, failure: Option<&Failure>) -> String {
    let mut text = complete(value, failure).to_string();
    text.push('\n');
    text
}

/// The value as a document.
pub(crate) fn document(value: &impl Serialize) -> String {
    document_with(value, None)
}

/// The value as a document, with what failed.
pub(crate) fn document_with(value: &impl Serialize, failure: Option<&Failure>) -> String {
    format!("{:#}\n", complete(value, failure))
}

/// An answer that is text, as a document.
pub(crate) fn text(text: &str) -> String {
    document(&serde_json::json!({ "text": text }))
}

fn complete(value: &impl Serialize, failure: Option<&Failure>) -> Value {
    let value = as_value(value);
    let Value::Object(fields) = value else { return value };
    let mut all = Map::new();
    if !fields.contains_key(VERSION) {
        all.insert(VERSION.to_owned(), SCHEMA_VERSION.into());
    }
    all.extend(fields);
    if let Some(failure) = failure {
        all.insert(ERROR.to_owned(), as_value(&failure.document().error));
    }
    Value::Object(all)
}

fn as_value(value: &impl Serialize) -> Value {
    serde_json::to_value(value)
        .expect("documents hold strings, numbers and lists, which JSON can always spell")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::after_panic;

    #[test]
    fn a_panic_is_a_document_as_every_error_is() {
        let document = document(&after_panic().document());
        let document: Value = serde_json::from_str(&document).expect("it is JSON");
        let expected = serde_json::json!({
            "schema_version": 1,
            "error": {
                "code": "internal",
                "message": "internal error",
                "hint": "this is a bug; please report it with the command that was typed",
                "hint_command": null,
                "paths": [],
            },
        });
        assert_eq!(document, expected);
        assert_eq!(after_panic().exit().code(), 70);
    }
}
