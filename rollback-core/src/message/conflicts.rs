//! What git leaves in `MERGE_MSG` when it stops.

use bstr::{BString, ByteVec};

use super::cleanup::scissors_line;
use super::{Cleanup, Style, text};
use crate::path::RepoPath;

/// The draft, and as comment lines the paths in conflict, in the order given (the index's).
pub(super) fn merge_msg(draft: &[u8], cleanup: Cleanup, style: &Style, conflicts: &[RepoPath]) -> BString {
    let mut out = BString::from(draft);
    if conflicts.is_empty() {
        return out;
    }
    if cleanup == Cleanup::Scissors {
        out.push_byte(b'\n');
        out.push_str(scissors_line(&style.comment));
        let note = b"Do not modify or remove the line above.\nEverything below it will be ignored.\n";
        out.push_str(text::commented(note, &style.comment));
        out.push_str(&style.comment);
    }
    out.push_byte(b'\n');
    out.push_str(text::commented(b"Conflicts:\n", &style.comment));
    for path in conflicts {
        let mut line = BString::from("\t");
        super::push_line(&mut line, path.as_bytes());
        out.push_str(text::commented(&line, &style.comment));
    }
    out
}
