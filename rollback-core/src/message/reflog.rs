//! The text of a reflog entry.

use bstr::{BString, ByteVec};

use super::text;

/// `<action>: <first line>` as git writes it: runs of white space become one blank, none at the end.
pub(super) fn line(action: &str, first_line: &[u8]) -> BString {
    let mut spelled = BString::from(action);
    spelled.push_str(": ");
    spelled.push_str(first_line);
    let words = spelled.split(|byte| text::is_space(*byte)).filter(|word| !word.is_empty());
    bstr::join(" ", words).into()
}
