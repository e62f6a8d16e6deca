//! The history of a path for people: a line for each change, the change to undo marked.

use rollback_core::CommitId;
use rollback_core::history::{ChangeKind, HistoryChange, PathHistory};
use rollback_core::id::EntryKind;

use super::{Commits, Look, short_reference};
use crate::terminal::style::{Palette, paint};
use crate::terminal::text::{self, count};

/// The history of a path, and what to type to undo the change.
pub(crate) fn render(history: &PathHistory, commits: &Commits, look: Look, undo_with: &str) -> String {
    let sections = [
        headline(history, commits),
        changes(history, commits, look),
        verdict(history, commits),
        notes(history, commits),
        next(history, undo_with),
    ];
    let filled: Vec<_> = sections.into_iter().filter(|section| !section.is_empty()).collect();
    filled.join("\n")
}

fn headline(history: &PathHistory, commits: &Commits) -> String {
    let name = paint(Palette::NAME, text::path(&history.path));
    let tip = paint(Palette::ID, commits.short(history.tip));
    match history.at_tip {
        None => format!("{name} is not there at {tip}\n"),
        Some(entry) => format!(
            "{name} is {} at {tip} ({} {})\n",
            thing(entry.mode.kind()),
            entry.mode,
            entry.id.to_hex_with_len(10)
        ),
    }
}

fn thing(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Tree => "a folder",
        EntryKind::Blob => "a file",
        EntryKind::Executable => "an executable file",
        EntryKind::Symlink => "a symbolic link",
        EntryKind::Submodule => "a submodule",
    }
}

fn changes(history: &PathHistory, commits: &Commits, look: Look) -> String {
    let shown = look.shown(20);
    let author = history
        .changes
        .iter()
        .take(shown)
        .map(|change| text::width(&text::escape(&change.author.name)))
        .max()
        .unwrap_or(0)
        .min(20);
    let mut listed: String = history
        .changes
        .iter()
        .take(shown)
        .map(|change| line(change, history, author, commits, look))
        .collect();
    match history.changes.len().saturating_sub(shown) {
        0 if history.truncated => listed.push_str("  and more (--max-count)\n"),
        0 => {}
        more => listed.push_str(&format!("  and {more} more (-v shows all)\n")),
    }
    listed
}

fn line(
    change: &HistoryChange,
    history: &PathHistory,
    author: usize,
    commits: &Commits,
    look: Look,
) -> String {
    let (letter, style) = match change.kind {
        ChangeKind::Added => ("A", Palette::GOOD),
        ChangeKind::Modified => ("M", Palette::WARN),
        ChangeKind::Deleted => ("D", Palette::BAD),
        ChangeKind::Renamed => ("R", Palette::NAME),
    };
    let mark = mark(change.commit_id, history, look);
    let names = names(change, look);
    let day = change.time.get(..10).unwrap_or(&change.time);
    let short = commits.short(change.commit_id);
    let who = text::fit(&text::escape(&change.author.name), author, look.signs.ellipsis);
    let used = 2 + 1 + 2 + short.len() + 2 + 10 + 2 + author + 2;
    let room = look.width().saturating_sub(used + text::width(&names)).max(24);
    let subject = text::fit(&text::escape(&change.subject), room, look.signs.ellipsis);
    format!(
        "{mark} {}  {}  {}  {}  {subject}{}\n",
        paint(style, letter),
        paint(Palette::ID, short),
        paint(Palette::QUIET, day),
        text::pad(&who, author),
        paint(Palette::QUIET, names),
    )
}

/// What stands in front of the change to undo and of the last good state.
fn mark(commit: CommitId, history: &PathHistory, look: Look) -> String {
    let is_culprit = history.culprit.as_ref().is_some_and(|culprit| culprit.commit_id == commit);
    let is_good = history.last_good.as_ref().is_some_and(|good| good.commit_id == commit);
    match (is_culprit, is_good) {
        (true, _) => paint(Palette::BAD, look.signs.culprit),
        (false, true) => paint(Palette::GOOD, look.signs.good),
        (false, false) => " ".into(),
    }
}

fn names(change: &HistoryChange, look: Look) -> String {
    match (&change.from, &change.to) {
        (Some(from), _) => {
            format!("  ({} {} {})", text::path(from), look.signs.arrow, text::path(&change.path))
        }
        (None, Some(to)) => {
            format!("  ({} {} {})", text::path(&change.path), look.signs.arrow, text::path(to))
        }
        (None, None) => String::new(),
    }
}

fn verdict(history: &PathHistory, commits: &Commits) -> String {
    let mut said = String::new();
    if let Some(culprit) = &history.culprit {
        let verb = match culprit.kind {
            ChangeKind::Added => "which added it",
            ChangeKind::Modified => "which changed it",
            ChangeKind::Deleted => "which removed it",
            ChangeKind::Renamed => "which renamed it",
        };
        let mut facts = vec![verb.to_owned()];
        if let Some(merge) = culprit.introduced_by {
            facts.push(format!("came in through the merge {}", commits.short(merge)));
        }
        if !culprit.further_changes.is_empty() {
            facts.push(count(culprit.further_changes.len(), "further change"));
        }
        said.push_str(&format!(
            "{} {}\n           {}\n",
            paint(Palette::HEADING, "to undo:  "),
            reference(culprit.commit_id, commits),
            paint(Palette::QUIET, facts.join(", "))
        ));
    }
    if let Some(good) = &history.last_good {
        let name = if good.path == history.path {
            String::new()
        } else {
            format!(" as {}", paint(Palette::NAME, text::path(&good.path)))
        };
        said.push_str(&format!(
            "{} {}{name} ({} {})\n",
            paint(Palette::HEADING, "last good:"),
            reference(good.commit_id, commits),
            good.mode,
            good.blob_id.to_hex_with_len(10)
        ));
    }
    if let Some(rolled_back) = &history.already_rolled_back {
        let by = rolled_back.by.map(|id| format!(" by {}", reference(id, commits))).unwrap_or_default();
        said.push_str(&format!("{}{by}\n", paint(Palette::GOOD, "already rolled back")));
    }
    said
}

fn notes(history: &PathHistory, commits: &Commits) -> String {
    let mut said = Vec::new();
    for twin in &history.case_twins {
        said.push(format!("{} differs from it only in upper and lower case", text::path(twin)));
    }
    for removal in &history.removed_elsewhere {
        said.push(format!(
            "it was removed on {} by {}",
            short_reference(&removal.reference),
            reference(removal.commit_id, commits)
        ));
    }
    for boundary in &history.shallow_at {
        said.push(format!("history is shallow: it ends at {}", commits.short(*boundary)));
    }
    said.into_iter().map(|note| format!("{} {note}\n", paint(Palette::WARN, "note:"))).collect()
}

fn next(history: &PathHistory, undo_with: &str) -> String {
    if history.culprit.is_none() {
        return String::new();
    }
    format!(
        "{} see how it would be undone with: {}\n",
        paint(Palette::QUIET, "next:"),
        paint(Palette::COMMAND, text::escape(undo_with))
    )
}

/// The line above the patch of a change.
pub(crate) fn heading(change: &HistoryChange, commits: &Commits) -> String {
    let who =
        format!("{}, {}", text::escape(&change.author.name), change.time.get(..10).unwrap_or(&change.time));
    format!("{} {}\n", reference(change.commit_id, commits), paint(Palette::QUIET, format!("({who})")))
}

fn reference(id: CommitId, commits: &Commits) -> String {
    let short = paint(Palette::ID, commits.short(id));
    match commits.subject(id) {
        Some(subject) => format!("{short} {subject}"),
        None => short,
    }
}
