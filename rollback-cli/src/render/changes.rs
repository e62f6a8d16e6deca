//! The paths that a way back changes: a letter and a name each, and how many there are of a kind.

use rollback_core::RepoPath;
use rollback_core::history::PathChange;
use rollback_core::patch::DiffDocument;
use rollback_core::strategy::Attempt;

use super::Look;
use crate::terminal::style::{Palette, paint};
use crate::terminal::text;

/// What becomes of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Added,
    Modified,
    Deleted,
}

/// How many paths are changed, and how each of them.
pub(crate) fn render(attempt: &Attempt, diff: Option<&DiffDocument>, look: Look) -> String {
    let shown = look.shown(12);
    let all = attempt.paths_touched.len();
    let mut listed = paint(Palette::QUIET, summary(attempt));
    listed.push('\n');
    for path in attempt.paths_touched.iter().take(shown) {
        let counts = diff.map(|diff| counts(diff, path)).unwrap_or_default();
        listed.push_str(&format!("  {} {}{counts}\n", letter(attempt, path), text::path(path)));
    }
    if all > shown {
        listed.push_str(&format!("  and {} more (-v shows all)\n", all - shown));
    }
    listed
}

/// How many lines of a path come and go, and where it moved.
fn counts(diff: &DiffDocument, path: &RepoPath) -> String {
    if let Some(moved) = diff.files.iter().find(|file| file.from.as_ref() == Some(path)) {
        return paint(Palette::QUIET, format!("  (becomes {})", text::path(&moved.path)));
    }
    let Some(file) = diff.files.iter().find(|file| file.path == *path) else { return String::new() };
    match (file.bytes, file.added, file.deleted) {
        (Some([old, new]), ..) => paint(Palette::QUIET, format!("  binary, {old} -> {new} bytes")),
        (None, Some(added), Some(deleted)) if added + deleted > 0 => {
            let part = |style, sign, number| match number {
                0 => String::new(),
                number => format!(" {}", paint(style, format!("{sign}{number}"))),
            };
            format!(" {}{}", part(Palette::GOOD, '+', added), part(Palette::BAD, '-', deleted))
        }
        _ => String::new(),
    }
}

/// Such as `3 paths: 1 added, 2 modified` or `1 path, added`; only the count where nothing more is known.
fn summary(attempt: &Attempt) -> String {
    if attempt.paths_touched.is_empty() {
        return "nothing, all in all".into();
    }
    let paths = text::count(attempt.paths_touched.len(), "path");
    let number = |wanted: Kind| attempt.changes.iter().filter(|change| kind(change) == wanted).count();
    let kinds = [(Kind::Added, "added"), (Kind::Modified, "modified"), (Kind::Deleted, "deleted")];
    let counted: Vec<_> = kinds
        .into_iter()
        .map(|(kind, name)| (number(kind), name))
        .filter(|(number, _)| *number > 0)
        .map(|(number, name)| format!("{number} {name}"))
        .collect();
    match (counted.as_slice(), kinds.iter().find(|(kind, _)| number(*kind) == attempt.paths_touched.len())) {
        ([], _) => paths,
        (_, Some((_, name))) => format!("{paths}, {name}"),
        (counted, None) => format!("{paths}: {}", counted.join(", ")),
    }
}

fn letter(attempt: &Attempt, path: &RepoPath) -> String {
    // Both lists are in the order of the tree; a plan from a file may hold the first one only.
    match attempt.changes.iter().find(|change| change.path == *path).map(kind) {
        Some(Kind::Added) => paint(Palette::GOOD, "A"),
        Some(Kind::Modified) => paint(Palette::WARN, "M"),
        Some(Kind::Deleted) => paint(Palette::BAD, "D"),
        None => " ".into(),
    }
}

fn kind(change: &PathChange) -> Kind {
    match (change.before, change.after) {
        (None, _) => Kind::Added,
        (Some(_), None) => Kind::Deleted,
        (Some(_), Some(_)) => Kind::Modified,
    }
}
