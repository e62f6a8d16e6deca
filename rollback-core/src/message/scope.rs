//! Messages of commits that undo or replay only a part of another commit: they name the part, and never claim the whole.

use bstr::{BString, ByteVec};

use super::{Paths, Style, encoding, push_line, revert, text};
use crate::path::{RepoPath, names_now};
use crate::repo::Commit;

/// `Revert "X" in P`, and below it the commit and every path.
pub(super) fn revert(commit: &Commit, mainline: Option<&Commit>, paths: Paths<'_>, style: &Style) -> BString {
    let mut out = revert::title(commit, style);
    push_scope(&mut out, &paths.names_now(), style);
    let against = mainline.map(|parent| format!(" against its parent {}", parent.id)).unwrap_or_default();
    out.push_str(format!("\nThis reverts the changes of commit {}{against} to:\n", commit.id));
    push_paths(&mut out, paths, style);
    out
}

/// `Revert part of "X" in P`, and below it the commit, the path and the lines.
pub(super) fn revert_part(
    commit: &Commit,
    mainline: Option<&Commit>,
    (paths, lines): (Paths<'_>, &str),
    style: &Style,
) -> BString {
    let mut out = BString::from("Revert part of \"");
    out.push_str(super::subject(&encoding::message_of(commit, style)));
    out.push_byte(b'"');
    push_scope(&mut out, &paths.names_now(), style);
    let against = mainline.map(|parent| format!(" against its parent {}", parent.id)).unwrap_or_default();
    out.push_str(format!("\nThis reverts a part of the changes of commit {}{against} to:\n", commit.id));
    push_paths(&mut out, paths, style);
    out.push_str(format!("\nThe part is what it did at {lines} of its version.\n"));
    out
}

/// `Pick "X" in P`, and below it the commit and every path.
pub(super) fn pick(commit: &Commit, paths: Paths<'_>, style: &Style) -> BString {
    let mut out = BString::from("Pick \"");
    out.push_str(super::subject(&encoding::message_of(commit, style)));
    out.push_byte(b'"');
    push_scope(&mut out, &paths.names_now(), style);
    out.push_str(format!("\nThis picks the changes of commit {} to:\n", commit.id));
    push_paths(&mut out, paths, style);
    out
}

impl Paths<'_> {
    fn names_now(&self) -> Vec<RepoPath> {
        names_now(self.named, self.renamed)
    }
}

/// Ends the title with ` in P`.
fn push_scope(out: &mut BString, paths: &[RepoPath], style: &Style) {
    out.push_str(" in ");
    push_line(out, &summary(paths, style));
}

/// The paths in a few words: one or two by name, of more the first one.
pub(super) fn summary(paths: &[RepoPath], style: &Style) -> BString {
    let mut out = BString::default();
    match paths {
        [] => out.push_str("no path"),
        [one] => out.push_str(shown(one, style)),
        [one, other] => {
            out.push_str(shown(one, style));
            out.push_str(" and ");
            out.push_str(shown(other, style));
        }
        [first, rest @ ..] => {
            out.push_str(shown(first, style));
            out.push_str(format!(" and {} other paths", rest.len()));
        }
    }
    out
}

/// Every path on a line of its own, with its other name where it has one, and indented so that no line can be taken for
/// a trailer.
pub(super) fn push_paths(out: &mut BString, paths: Paths<'_>, style: &Style) {
    for path in paths.named {
        out.push_str("  ");
        out.push_str(shown(path, style));
        for one in paths.renamed {
            match (one.then == *path, one.now == *path) {
                (true, _) => {
                    out.push_str(", now ");
                    out.push_str(shown(&one.now, style));
                }
                (_, true) => {
                    out.push_str(", there ");
                    out.push_str(shown(&one.then, style));
                }
                _ => {}
            }
        }
        push_line(out, b"");
    }
}

fn shown(path: &RepoPath, style: &Style) -> BString {
    let text = if path.is_root() { "/".into() } else { text::shown_path(path.as_bytes()) };
    encoding::from_utf8(&text, style)
}
