//! What was brought back without a commit, for people.

use rollback_core::RepoPath;
use rollback_core::receipt::OutcomeKind;
use rollback_core::uncommitted::{FileBefore, RestoredPath, RestoredUncommitted, TakenFrom};

use super::Look;
use crate::terminal::style::{Palette, paint};
use crate::terminal::text;

/// The commands that may follow.
pub(crate) struct Next<'a> {
    /// Takes it back.
    pub(crate) undo: &'a str,
    /// Does what a dry run has shown.
    pub(crate) again: &'a str,
    /// Shows what undoing the last committed change of the first path would do.
    pub(crate) revert: Option<&'a str>,
}

/// What was brought back, or would be.
pub(crate) fn restored(restored: &RestoredUncommitted, dry_run: bool, next: &Next<'_>, look: Look) -> String {
    if restored.outcome.kind == OutcomeKind::NothingToDo {
        return nothing_to_do(&restored.unchanged, next);
    }
    let mut said = match dry_run {
        true => "Would bring back, without a commit; nothing was changed:\n".to_owned(),
        false => "Brought back, without a commit:\n".to_owned(),
    };
    let shown = look.shown(12);
    for path in restored.paths.iter().take(shown) {
        said.push_str(&format!("  {}: {}\n", text::path(&path.path), words(path)));
    }
    if restored.paths.len() > shown {
        said.push_str(&format!("  and {} more (-v shows all)\n", restored.paths.len() - shown));
    }
    if !restored.unchanged.is_empty() {
        said.push_str(&format!("nothing is edited at: {}\n", names(&restored.unchanged)));
    }
    said.push_str(&match dry_run {
        true => format!("next: do it with: {}\n", paint(Palette::COMMAND, next.again)),
        false => {
            let undo = paint(Palette::COMMAND, next.undo);
            format!("What was there before is kept.\nnext: bring the edits back with: {undo}\n")
        }
    });
    said
}

fn nothing_to_do(paths: &[RepoPath], next: &Next<'_>) -> String {
    let mut said = format!("Nothing to do: nothing is edited or deleted at {}.\n", names(paths));
    if let Some(revert) = next.revert {
        let revert = paint(Palette::COMMAND, revert);
        said.push_str(&format!("next: see how its last committed change would be undone with: {revert}\n"));
    }
    said
}

/// What was wrong with a path, and what is there now.
fn words(path: &RestoredPath) -> String {
    let mut said = match (path.file, path.staged) {
        (FileBefore::Edited, false) => "was edited",
        (FileBefore::Edited, true) => "was edited, and staged",
        (FileBefore::Deleted, false) => "was deleted",
        (FileBefore::Deleted, true) => "was deleted, and that was staged",
        (FileBefore::Same, _) => "only the index differed",
        (_, true) => "was added, and goes",
        _ => "stood in the way, and goes",
    }
    .to_owned();
    if path.from == Some(TakenFrom::Index) {
        said.push_str("; back to what is staged");
    }
    said
}

fn names(paths: &[RepoPath]) -> String {
    let name = |path: &RepoPath| if path.is_root() { ".".to_owned() } else { text::path(path) };
    paths.iter().map(name).collect::<Vec<_>>().join(", ")
}
