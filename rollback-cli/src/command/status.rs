//! `rb status`: recover what a crash cut off, and say where things stand.

use rollback_core::InProgress;
use rollback_core::oplog::kind;
use rollback_core::procedure::engine::{runs, sweep_candidates};
use rollback_core::receipt::Recovery;

use super::undo::{redo_command, undo_command};
use super::{Outcome, running};
use crate::exit::Exit;
use crate::render::operations::{OpenRun, Status};
use crate::render::{json, operations, records};
use crate::session::Session;

/// Runs `rb status`.
pub(crate) fn run(session: &mut Session) -> Outcome {
    let repo = session.repo()?;
    let recovered = repo.recover()?;
    sweep_candidates(&repo)?;
    let in_progress = repo.git_operation_in_progress();
    let last_operation = repo.operations()?.into_iter().next();
    let (open, ended): (Vec<_>, Vec<_>) = runs(&repo)?.into_iter().partition(|run| run.status.is_open());
    let last_run = ended.into_iter().max_by_key(|run| run.finished);
    let runs: Vec<OpenRun> = open
        .into_iter()
        .map(|state| {
            let next = running::next(&state, &repo, session)
                .map(|next| next.command.to_string())
                .unwrap_or_default();
            OpenRun { state, next }
        })
        .collect();
    let next = match (&recovered, &last_operation) {
        _ if matches!(repo.operation_in_progress(), Some(InProgress::Pick | InProgress::Revert)) => {
            let waits = repo.unmerged()?.is_empty();
            match waits {
                true => session.invocation.command(&["continue"]).to_string(),
                false => session.invocation.git(&["status"]).to_string(),
            }
        }
        _ if in_progress.is_some() => session.invocation.git(&["status"]).to_string(),
        (Some(Recovery::SetAside { .. }), _) => session.invocation.git(&["status"]).to_string(),
        _ if !runs.is_empty() => runs[0].next.clone(),
        (_, Some(operation)) if operation.before.is_some() => match operation.kind.as_str() {
            kind::UNDO => redo_command(session, &operation.outside),
            _ => undo_command(session, &operation.outside),
        },
        (_, Some(_)) => session.invocation.command(&["ops"]).to_string(),
        (_, None) => session.invocation.command(&["--help"]).to_string(),
    };
    let (unreadable, unused_references) = (repo.unreadable_records()?, repo.unused_references()?);
    let status = Status {
        recovered,
        in_progress,
        last_operation,
        runs,
        last_run,
        unreadable,
        unused_references,
        next,
    };
    if session.console.json() {
        session.console.print(&json::document(&status));
    } else {
        let text = operations::status(&status, &repo, session.console.look());
        session.console.print(&text);
        let notes = records::notes(&status.unreadable, &status.unused_references);
        session.console.complain(&notes);
    }
    Ok(Exit::Done)
}
