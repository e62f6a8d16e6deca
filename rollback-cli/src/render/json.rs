//! Documents for programs: one to a run, indented, with a line feed at its end.

use serde::Serialize;

/// The value as a document on one line, as JSON Lines has it.
pub(crate) fn line(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string(value)
        .expect("documents hold strings, numbers and lists, which JSON can always spell");
    text.push('\n');
    text
}

/// The value as a document.
pub(crate) fn document(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value)
        .expect("documents hold strings, numbers and lists, which JSON can always spell");
    text.push('\n');
    text
}
