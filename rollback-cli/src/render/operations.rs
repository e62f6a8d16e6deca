//! Operations for people: the log, an undo, and where things stand.

use rollback_core::Repo;
use rollback_core::oplog::{Operation, Undone};
use rollback_core::receipt::Recovery;

use super::style::{Palette, paint};
use super::{Look, text};
use crate::command::status::Status;

/// The log, a line an operation.
pub(crate) fn list(operations: &[Operation], repo: &Repo, look: Look) -> String {
    let mut said = String::new();
    for operation in operations {
        said.push_str(&row(operation, repo, look));
        said.push('\n');
    }
    said
}

fn row(operation: &Operation, repo: &Repo, look: Look) -> String {
    let moved = match operation.before {
        _ if operation.staged => "staged".to_owned(),
        None => format!("new at {}", repo.abbreviation(operation.after)),
        Some(before) => format!(
            "{} {} {}",
            repo.abbreviation(before),
            look.signs.arrow,
            repo.abbreviation(operation.after)
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
        "Undone: operation {} ({}).\n",
        paint(Palette::ID, text::escape(&undone.undoes)),
        text::escape(&undone.kind)
    ));
    if undone.staged {
        said.push_str("Index and work tree are as they were before it.\n");
    } else {
        said.push_str(&format!(
            "{} is back: {} {} {}\n",
            branch(&name),
            repo.abbreviation(undone.before),
            look.signs.arrow,
            repo.abbreviation(undone.after)
        ));
    }
    let shown = look.shown(12);
    for path in undone.paths.iter().take(shown) {
        said.push_str(&format!("  {}\n", text::path(path)));
    }
    if undone.paths.len() > shown {
        said.push_str(&format!("  and {} more (-v shows all)\n", undone.paths.len() - shown));
    }
    said.push_str(&format!("next: take the undo back with: {}\n", paint(Palette::COMMAND, again)));
    said
}

/// Where things stand.
pub(crate) fn status(status: &Status, repo: &Repo, look: Look) -> String {
    let mut said = match &status.recovered {
        Some(recovered) => recovery(recovered),
        None => "No landing was left unfinished.\n".to_owned(),
    };
    if let Some(operation) = status.in_progress {
        said.push_str(&format!("git is in the middle of {operation}.\n"));
    }
    match &status.last_operation {
        Some(operation) => said.push_str(&format!("last: {}\n", row(operation, repo, look))),
        None => said.push_str("rb has landed nothing here yet.\n"),
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
        Recovery::Finished { operation_id } => {
            format!("Operation {operation_id} had landed and was finished now.\n")
        }
        Recovery::TakenBack { operation_id, edited } => {
            let mut said = format!("Operation {operation_id} was cut off and was taken back.\n");
            for path in edited {
                said.push_str(&format!("  left as somebody edited it: {}\n", text::path(path)));
            }
            said
        }
        Recovery::SetAside { operation_id, folder } => format!(
            "Operation {operation_id} was cut off, and its branch has moved since: nothing was touched.\n  \
             The files it had displaced lie in {}\n",
            text::escape(folder)
        ),
        _ => String::new(),
    }
}

fn branch(name: &str) -> &str {
    name.strip_prefix("refs/heads/").unwrap_or(name)
}

fn moment(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(
        |_| seconds.to_string(),
        |moment| moment.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string(),
    )
}
