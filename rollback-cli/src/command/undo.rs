//! `rb undo`: take back what rb landed.

use rollback_core::RepoPath;
use rollback_core::oplog::{OperationRef, UndoOptions};

use super::Outcome;
use crate::args::Undo;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::hint::Hint;
use crate::progress;
use crate::render::{json, operations};
use crate::session::Session;
use crate::signals;

/// Runs `rb undo`.
pub(crate) fn run(args: Undo, session: &mut Session) -> Outcome {
    let repo = session.repo()?;
    let which = args.operation.map_or(OperationRef::Last, OperationRef::Id);
    let mut options = UndoOptions::default();
    if args.with_outside {
        options = options.with_outside();
    }
    let landing = signals::Landing::begin();
    let undone = progress::during(&session.console, "taking it back", || match args.dry_run {
        true => repo.check_undo(&which, &options),
        false => repo.undo(&which, &options),
    })?;
    let again = undo_command(session, &undone.outside);
    let failure = undone.later_failure.as_ref().map(|failure| {
        Failure::new(Exit::LandedWithFailure, "later-failure", failure.as_str()).with_hint(Hint::new(
            "the undo has landed and stays; see it with",
            session.invocation.git(&["status"]),
        ))
    });
    let console = &mut session.console;
    if !args.dry_run {
        console.has_landed();
    }
    if console.json() {
        console.print(&json::document_with(&undone, failure.as_ref()));
    } else {
        console.tell(&operations::undone(&undone, &repo, &again, console.look()));
    }
    drop(landing);
    let Some(failure) = failure else { return Ok(Exit::Done) };
    console.complain(&failure.text(console.look().verbose));
    Ok(Exit::LandedWithFailure)
}

/// What takes the last operation back, which had put these paths back outside of the repository.
pub(crate) fn undo_command(session: &Session, outside: &[RepoPath]) -> String {
    let undo = match outside.is_empty() {
        true => session.invocation.command(&["undo"]),
        false => session.invocation.command(&["undo", "--with-outside"]),
    };
    undo.to_string()
}
