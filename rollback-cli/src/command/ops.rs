//! `rb ops`: what rb landed here, newest first.

use rollback_core::procedure::engine::{RunState, runs};

use super::Outcome;
use crate::args::Ops;
use crate::exit::Exit;
use crate::render::{json, operations, records, run};
use crate::session::Session;

/// Runs `rb ops`.
pub(crate) fn run(args: &Ops, session: &mut Session) -> Outcome {
    let repo = session.repo()?;
    let mut found = repo.operations()?;
    found.truncate(args.max_count.unwrap_or(usize::MAX));
    if session.console.json() {
        for operation in &found {
            session.console.print(&json::line(operation));
        }
    } else {
        if found.is_empty() {
            session.console.tell("rb has landed nothing here yet.\n");
        }
        let text = operations::list(&found, &repo, session.console.look());
        session.console.print(&text);
        let landed_nothing = |run: &RunState| !run.status.is_open() && run.operations.is_empty();
        let mut ended: Vec<_> = runs(&repo)?.into_iter().filter(landed_nothing).collect();
        ended.reverse();
        ended.truncate(args.max_count.unwrap_or(usize::MAX));
        if !ended.is_empty() {
            let lines: String = ended.iter().map(run::ended_line).collect();
            session.console.print(&format!("runs that landed nothing:\n{lines}"));
        }
    }
    session.console.complain(&records::notes(&repo.unreadable_operations()?, &[]));
    if let Some(operation) = repo.unfinished_operation()? {
        let status = session.invocation.command(&["status"]);
        session
            .console
            .complain(&format!("note: operation {operation} is not finished; see to it with: {status}\n"));
    }
    Ok(Exit::Done)
}
