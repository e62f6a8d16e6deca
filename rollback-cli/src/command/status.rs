//! `rb status`: recover what a crash cut off, and say where things stand.

use rollback_core::oplog::Operation;
use rollback_core::procedure::engine::{RunState, runs, sweep_candidates};
use rollback_core::receipt::Recovery;
use rollback_core::record::UnreadableRecord;
use serde::Serialize;

use super::undo::undo_command;
use super::{Outcome, running};
use crate::exit::Exit;
use crate::render::{json, operations, records};
use crate::session::Session;

/// What `--json` prints.
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
        _ if in_progress.is_some() => session.invocation.git(&["status"]).to_string(),
        (Some(Recovery::SetAside { .. }), _) => session.invocation.git(&["status"]).to_string(),
        _ if !runs.is_empty() => runs[0].next.clone(),
        (_, Some(operation)) if operation.before.is_some() => undo_command(session, &operation.outside),
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
