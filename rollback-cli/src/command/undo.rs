//! `rb undo`: take back what rb landed.

use rollback_core::oplog::{OperationRef, UndoOptions};

use super::Outcome;
use crate::args::Undo;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::progress;
use crate::render::{json, operations};
use crate::session::Session;
use crate::signals;

/// Runs `rb undo`.
pub(crate) fn run(args: Undo, session: &mut Session) -> Outcome {
    let repo = session.repo()?;
    let which = args.operation.map_or(OperationRef::Last, OperationRef::Id);
    let landing = signals::Landing::begin();
    let undone = progress::during(&session.console, "taking it back", || match args.dry_run {
        true => repo.check_undo(&which),
        false => repo.undo(&which, &UndoOptions::default()),
    })?;
    let console = &mut session.console;
    if !args.dry_run {
        console.has_landed();
    }
    if console.json() {
        console.print(&json::document(&undone));
    } else {
        let again = session.invocation.command(&["undo"]);
        console.tell(&operations::undone(&undone, &repo, &again, console.look()));
    }
    drop(landing);
    let Some(failure) = &undone.later_failure else { return Ok(Exit::Done) };
    let failure = Failure::new(Exit::LandedWithFailure, "later-failure", failure.as_str())
        .with_hint("the undo has landed and stays; see it with: git status");
    console.complain(&failure.text(console.look().verbose));
    Ok(Exit::LandedWithFailure)
}
