//! `rb ops`: what rb landed here, newest first, and what git did to branches.

use rollback_core::Repo;
use rollback_core::oplog::{GitMove, Operation};
use rollback_core::procedure::engine::{RunState, runs};
use serde::Serialize;

use super::{Outcome, Problem};
use crate::args::Ops;
use crate::exit::Exit;
use crate::render::{json, operations, records, run};
use crate::session::Session;

/// Runs `rb ops`.
pub(crate) fn run(args: &Ops, session: &mut Session) -> Outcome {
    let repo = session.repo()?;
    let most = args.max_count.unwrap_or(usize::MAX);
    if args.all {
        list_all(&repo, most, session)?;
    } else {
        list(&repo, most, session)?;
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

/// Lists what rb landed.
fn list(repo: &Repo, most: usize, session: &mut Session) -> Result<(), Problem> {
    let mut found = repo.operations()?;
    found.truncate(most);
    if session.console.json() {
        for operation in &found {
            session.console.print(&json::line(operation));
        }
    } else {
        if found.is_empty() {
            session.console.tell("rb has landed nothing here yet.\n");
        }
        let text = operations::list(&found, repo, session.console.look());
        session.console.print(&text);
        tell_of_runs(repo, most, session)?;
    }
    Ok(())
}

/// The runs that ended and have no operation, for people.
fn tell_of_runs(repo: &Repo, most: usize, session: &mut Session) -> Result<(), Problem> {
    let landed_nothing = |run: &RunState| !run.status.is_open() && run.operations.is_empty();
    let mut ended: Vec<_> = runs(repo)?.into_iter().filter(landed_nothing).collect();
    ended.reverse();
    ended.truncate(most);
    if !ended.is_empty() {
        let lines: String = ended.iter().map(run::ended_line).collect();
        session.console.print(&format!("runs that landed nothing:\n{lines}"));
    }
    Ok(())
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
    Rb(Box<Operation>),
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

/// Lists what rb landed and what git did in one, newest first.
fn list_all(repo: &Repo, most: usize, session: &mut Session) -> Result<(), Problem> {
    let mut rows: Vec<Row> = repo.operations()?.into_iter().map(Box::new).map(Row::Rb).collect();
    rows.extend(repo.git_moves(most)?.into_iter().map(Row::Git));
    rows.sort_by_key(|row| std::cmp::Reverse(row.time()));
    rows.truncate(most);
    if rows.is_empty() && !session.console.json() {
        session.console.tell("Neither rb nor git has moved a branch here yet.\n");
    }
    let (json, look) = (session.console.json(), session.console.look());
    for row in rows {
        let line = match (row, json) {
            (Row::Rb(operation), true) => json::line(&operation),
            (Row::Rb(operation), false) => operations::line(&operation, repo, look),
            (Row::Git(moved), true) => json::line(&MoveLine { kind: "git", moved }),
            (Row::Git(moved), false) => operations::git_move(&moved, repo, look),
        };
        session.console.print(&line);
    }
    match json {
        true => Ok(()),
        false => tell_of_runs(repo, most, session),
    }
}
