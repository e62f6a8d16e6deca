//! `rb ops`: what rb landed here, newest first, and what git did to branches.

use rollback_core::oplog::{GitMove, Operation};
use rollback_core::procedure::engine::{RunState, runs};
use serde::Serialize;

use super::Outcome;
use crate::args::Ops;
use crate::exit::Exit;
use crate::render::{json, operations, records, run};
use crate::session::Session;

/// Runs `rb ops`.
pub(crate) fn run(args: &Ops, session: &mut Session) -> Outcome {
    let repo = session.repo()?;
    if args.all {
        return all(args.max_count.unwrap_or(usize::MAX), session);
    }
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

/// What `--json` prints of a move that git made.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(crate) struct MoveLine {
    /// Always `git`, where an operation has its strategy.
    kind: &'static str,
    /// The move.
    #[serde(flatten)]
    moved: GitMove,
}

/// An operation of rb's, or a move that git made.
enum Row {
    Rb(Operation),
    Git(GitMove),
}

impl Row {
    fn time(&self) -> i64 {
        match self {
            Self::Rb(operation) => operation.time,
            Self::Git(one) => one.time,
        }
    }
}

/// Lists both in one, newest first.
fn all(most: usize, session: &mut Session) -> Outcome {
    let repo = session.repo()?;
    let mut rows: Vec<Row> = repo.operations()?.into_iter().map(Row::Rb).collect();
    rows.extend(repo.git_moves(most)?.into_iter().map(Row::Git));
    rows.sort_by_key(|row| std::cmp::Reverse(row.time()));
    rows.truncate(most);
    let (json, look) = (session.console.json(), session.console.look());
    for row in rows {
        let line = match (row, json) {
            (Row::Rb(operation), true) => json::line(&operation),
            (Row::Rb(operation), false) => operations::line(&operation, &repo, look),
            (Row::Git(moved), true) => json::line(&MoveLine { kind: "git", moved }),
            (Row::Git(moved), false) => operations::git_move(&moved, &repo, look),
        };
        session.console.print(&line);
    }
    session.console.complain(&records::notes(&repo.unreadable_operations()?, &[]));
    Ok(Exit::Done)
}
