//! Operations for people: the log, an undo, and where things stand.

use rollback_core::Repo;
use rollback_core::oplog::{GitMove, GitUndone, Operation, Undone, kind};
use rollback_core::procedure::engine::RunState;
use rollback_core::receipt::Recovery;
use rollback_core::record::UnreadableRecord;
use serde::Serialize;

use super::Look;
use crate::terminal::style::{Palette, paint};
use crate::terminal::text;

/// What `rb status --json` prints.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(crate) struct Status {
    /// What a landing had left unfinished, and what became of it now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) recovered: Option<Recovery>,
    /// What git has begun here and not finished.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) in_progress: Option<&'static str>,
    /// What rb landed last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_operation: Option<Operation>,
    /// Runs of procedures that have not ended, the newest last.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) runs: Vec<OpenRun>,
    /// The run that ended last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_run: Option<RunState>,
    /// Records of rb's own that cannot be used; everything else goes on without them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) unreadable: Vec<UnreadableRecord>,
    /// References below `refs/rb/` that an earlier rb or another repository left; they are not used.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) unused_references: Vec<String>,
    /// What to type next.
    pub(crate) next: String,
}

/// A run that has not ended.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(crate) struct OpenRun {
    /// Where it stands.
    #[serde(flatten)]
    pub(crate) state: RunState,
    /// What to type to go on with it.
    pub(crate) next: String,
}

/// The log, a line an operation.
pub(crate) fn list(operations: &[Operation], repo: &Repo, look: Look) -> String {
    let mut said = String::new();
    for operation in operations {
        said.push_str(&line(operation, repo, look));
    }
    said
}

/// An operation as a line of the log.
pub(crate) fn line(operation: &Operation, repo: &Repo, look: Look) -> String {
    row(operation, repo, look) + "\n"
}

fn row(operation: &Operation, repo: &Repo, look: Look) -> String {
    let moved = match operation.before {
        _ if operation.stopped => "stopped".to_owned(),
        _ if operation.staged => "staged".to_owned(),
        before => moves(
            before.map(|id| repo.abbreviation(id)),
            operation.after.map(|id| repo.abbreviation(id)),
            look,
        ),
    };
    let undone = match &operation.undone_by {
        Some(by) => paint(Palette::WARN, format!("  (undone by {})", text::escape(by))),
        None => String::new(),
    };
    format!(
        "{}  {}  {}  {}  {}  {}{undone}",
        paint(Palette::ID, text::escape(&operation.operation_id)),
        moment(operation.time),
        text::pad(&text::escape(&operation.kind), 13),
        branch(&text::path(&operation.reference)),
        paint(Palette::QUIET, moved),
        text::escape(&operation.target),
    )
}

/// What an undo did, and how to take it back.
pub(crate) fn undone(undone: &Undone, repo: &Repo, again: &str, look: Look) -> String {
    let name = text::path(&undone.reference);
    let mut said = undone.recovered.as_ref().map(recovery).unwrap_or_default();
    said.push_str(&format!(
        "{}: operation {} ({}).\n",
        match (undone.operation_id.is_empty(), undone.kind == kind::UNDO) {
            (true, false) => "Would undo; nothing was changed",
            (false, false) => "Undone",
            (true, true) => "Would do again; nothing was changed",
            (false, true) => "Done again: the undo is taken back",
        },
        paint(Palette::ID, text::escape(&undone.undoes)),
        text::escape(&undone.kind)
    ));
    if undone.staged {
        said.push_str("Index and work tree are as they were before it.\n");
    } else {
        let short = |id: Option<rollback_core::CommitId>| id.map(|id| repo.abbreviation(id));
        let moves = moves(short(undone.before), short(undone.after), look);
        let back = if undone.after.is_some() { "is back" } else { "is no branch any more" };
        said.push_str(&format!("{} {back}: {moves}\n", branch(&name)));
    }
    let shown = look.shown(12);
    for path in undone.paths.iter().take(shown) {
        said.push_str(&format!("  {}\n", text::path(path)));
    }
    if undone.paths.len() > shown {
        said.push_str(&format!("  and {} more (-v shows all)\n", undone.paths.len() - shown));
    }
    for path in &undone.outside {
        said.push_str(&format!("  {} (outside of the repository)\n", text::path(path)));
    }
    if !undone.operation_id.is_empty() {
        let what = if undone.kind == kind::UNDO { "undo it again with" } else { "take the undo back with" };
        said.push_str(&format!("next: {what}: {}\n", paint(Palette::COMMAND, again)));
    }
    said
}

/// What taking back a move of git's did, and how to take that back.
pub(crate) fn git_undone(undone: &GitUndone, repo: &Repo, again: &str, look: Look) -> String {
    let mut said = undone.recovered.as_ref().map(recovery).unwrap_or_default();
    let dry = undone.operation_id.is_empty();
    said.push_str(&format!(
        "{}: {} ({})\n",
        if dry { "Would undo; nothing was changed" } else { "Undone" },
        text::escape(&undone.moved.message),
        moment(undone.moved.time),
    ));
    let short = |id| repo.abbreviation(id);
    let back = moves(Some(short(undone.moved.after)), undone.moved.before.map(short), look);
    let name = text::path(&undone.moved.reference);
    said.push_str(&format!("{} {}: {back}\n", branch(&name), if dry { "would go back" } else { "is back" }));
    if undone.keeps_files {
        said.push_str("Index and files stay as they are: what was committed is staged.\n");
    }
    let shown = look.shown(12);
    for path in undone.written.iter().take(shown) {
        said.push_str(&format!("  {}\n", text::path(path)));
    }
    if undone.written.len() > shown {
        said.push_str(&format!("  and {} more (-v shows all)\n", undone.written.len() - shown));
    }
    if let Some(checkpoint) = &undone.checkpoint {
        said.push_str(&format!(
            "What was there before is kept in the checkpoint {}.\n",
            text::escape(checkpoint)
        ));
    }
    if !dry {
        said.push_str(&format!("next: take it back with: {}\n", paint(Palette::COMMAND, again)));
    }
    said
}

/// A move that git made, as a line of the log.
pub(crate) fn git_move(one: &GitMove, repo: &Repo, look: Look) -> String {
    let id = |id| repo.abbreviation(id);
    let undone = if one.undone { paint(Palette::WARN, "  (undone)") } else { String::new() };
    format!(
        "{}  {}  {}  {}  {}  {}{undone}\n",
        paint(Palette::QUIET, text::pad("git", 16)),
        moment(one.time),
        text::pad("", 13),
        branch(&text::path(&one.reference)),
        paint(Palette::QUIET, moves(one.before.map(id), Some(id(one.after)), look)),
        text::escape(&one.message),
    )
}

/// How a reference moved.
fn moves(before: Option<String>, after: Option<String>, look: Look) -> String {
    match (before, after) {
        (None, Some(after)) => format!("new at {after}"),
        (Some(before), None) => format!("removed, was at {before}"),
        (before, after) => {
            format!("{} {} {}", before.unwrap_or_default(), look.signs.arrow, after.unwrap_or_default())
        }
    }
}

/// Where things stand.
pub(crate) fn status(status: &Status, repo: &Repo, look: Look) -> String {
    let mut said = match &status.recovered {
        Some(recovered) => recovery(recovered),
        None => "No landing was left unfinished.\n".to_owned(),
    };
    if let Some(operation) = status.in_progress {
        said.push_str(&format!("in progress: {operation}\n"));
    }
    match &status.last_operation {
        Some(operation) => said.push_str(&format!("last: {}\n", row(operation, repo, look))),
        None => said.push_str("rb has landed nothing here yet.\n"),
    }
    if let Some(run) = &status.last_run {
        said.push_str(&format!("last run: {}", super::run::ended_line(run)));
    }
    for run in &status.runs {
        said.push_str(&super::run::open(&run.state, &run.next));
    }
    if status.runs.is_empty() {
        said.push_str(&format!("next: {}\n", paint(Palette::COMMAND, &status.next)));
    }
    said
}

/// What became of a landing that a crash had cut off.
fn recovery(recovered: &Recovery) -> String {
    match recovered {
        Recovery::Finished { operation_id, not_put_back } => {
            let mut said = format!("Operation {operation_id} had landed and was finished now.\n");
            for left in not_put_back {
                let (path, why) = (text::path(&left.path), text::escape(&left.why));
                said.push_str(&format!("  could not be put back: {path} ({why})\n"));
            }
            said
        }
        Recovery::TakenBack { operation_id, edited } => {
            let mut said = format!("Operation {operation_id} was cut off and was taken back.\n");
            for path in edited {
                said.push_str(&format!("  left with a later edit: {}\n", text::path(path)));
            }
            said
        }
        Recovery::SetAside { operation_id, folder } => format!(
            "Operation {operation_id} was cut off, and its branch has moved since: nothing was touched.\n  \
             The files it had displaced lie in {}\n",
            text::escape(folder)
        ),
        Recovery::Kept { operation_id, paths, folder } => {
            let mut said = format!(
                "Files that operation {operation_id} had replaced were written to since.\n  What was written lies in {}\n",
                text::escape(folder)
            );
            for path in paths {
                said.push_str(&format!("  {}\n", text::path(path)));
            }
            said
        }
        _ => String::new(),
    }
}

fn branch(name: &str) -> &str {
    name.strip_prefix("refs/heads/").unwrap_or(name)
}

pub(super) fn moment(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(
        |_| seconds.to_string(),
        |moment| moment.to_zoned(rollback_core::local_time::zone()).strftime("%Y-%m-%d %H:%M").to_string(),
    )
}
