//! `rb undo` and `rb redo`: take back what rb landed, or what git did to a branch.

use rollback_core::RepoPath;
use rollback_core::oplog::{OperationRef, UndoOptions, kind};

use super::{Outcome, optional_revision, pushing, showing};
use crate::args::{Push, Redo, Showing, Undo};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::hint::Hint;
use crate::progress;
use crate::render::{json, operations, published};
use crate::session::Session;
use crate::signals;

/// Runs `rb undo`.
pub(crate) fn run(args: Undo, session: &mut Session) -> Outcome {
    if let Some(branch) = &args.git {
        return undo_git(optional_revision(branch.as_ref())?.as_deref(), args.dry_run, session);
    }
    let which = args.operation.map_or(OperationRef::NextUndo, OperationRef::Id);
    take_back(
        &which,
        &How {
            dry_run: args.dry_run,
            with_outside: args.with_outside,
            push: &args.push,
            showing: &args.showing,
        },
        session,
    )
}

/// Runs `rb redo`.
pub(crate) fn redo(args: &Redo, session: &mut Session) -> Outcome {
    let (push, showing) = (&args.push, &args.showing);
    let how = How { dry_run: args.dry_run, with_outside: args.with_outside, push, showing };
    take_back(&OperationRef::NextRedo, &how, session)
}

/// How an operation is taken back.
struct How<'a> {
    dry_run: bool,
    with_outside: bool,
    push: &'a Push,
    showing: &'a Showing,
}

fn take_back(which: &OperationRef, how: &How<'_>, session: &mut Session) -> Outcome {
    let repo = session.repo()?;
    let dry_run = how.dry_run;
    let mut options = UndoOptions::default();
    if how.with_outside {
        options = options.with_outside();
    }
    let pushing = pushing::prepare(how.push, None, session)?;
    let landing = signals::Landing::begin();
    let mut undone = progress::during(&session.console, "taking it back", || match dry_run {
        true => repo.check_undo(which, &options),
        false => repo.undo(which, &options),
    })?;
    let again = match undone.kind.as_str() {
        // What was done again can be undone again.
        kind::UNDO => undo_command(session, &undone.outside),
        _ => redo_command(session, &undone.outside),
    };
    let mut failure = later_failure(undone.later_failure.as_deref(), session);
    let shown =
        showing::found(&repo, how.showing, &session.console, |options| repo.undo_patch(&undone, options));
    // What was not asked for is no failure, and neither is what has landed.
    let shown = match shown {
        Err(error) if dry_run && how.showing.is_asked_for() => return Err(error.into()),
        Err(error) if how.showing.is_asked_for() => {
            showing::warn(&error, &mut session.console);
            None
        }
        shown => shown.unwrap_or(None),
    };
    undone.diff = shown.as_ref().map(|shown| shown.document.clone());
    if let (Some(pushing), None, false) = (&pushing, &failure, dry_run) {
        (undone.published, failure) = pushing::after_landing(pushing, &undone.operation_id, &[], session);
    }
    let console = &mut session.console;
    if !dry_run {
        console.has_landed();
    }
    showing::begin(shown.as_ref(), how.showing, &repo, console);
    if console.json() {
        console.print(&json::document_with(&undone, failure.as_ref()));
    } else {
        console.tell(&operations::undone(&undone, &repo, &again, console.look()));
        if let Some(published) = &undone.published {
            console.tell(&published::became(published, &repo, console.look()));
        }
    }
    let written = showing::write(shown.as_ref(), how.showing, console);
    console.end_paging();
    drop(landing);
    match written {
        Err(error) if dry_run => return Err(error.into()),
        Err(error) => showing::warn(&error, &mut session.console),
        Ok(()) => {}
    }
    Ok(ending(failure, session))
}

/// Takes back what git did last to a branch.
fn undo_git(branch: Option<&str>, dry_run: bool, session: &mut Session) -> Outcome {
    let repo = session.repo()?;
    let landing = signals::Landing::begin();
    let undone = progress::during(&session.console, "taking it back", || match dry_run {
        true => repo.check_undo_git(branch),
        false => repo.undo_git(branch),
    })?;
    let again = undo_command(session, &[]);
    let failure = later_failure(undone.later_failure.as_deref(), session);
    let console = &mut session.console;
    if !dry_run {
        console.has_landed();
    }
    if console.json() {
        console.print(&json::document_with(&undone, failure.as_ref()));
    } else {
        console.tell(&operations::git_undone(&undone, &repo, &again, console.look()));
    }
    drop(landing);
    Ok(ending(failure, session))
}

/// What failed after an undo had landed.
fn later_failure(failure: Option<&str>, session: &Session) -> Option<Failure> {
    let status = session.invocation.git(&["status"]);
    failure.map(|failure| {
        Failure::new(Exit::LandedWithFailure, "later-failure", failure)
            .with_hint(Hint::new("the undo has landed and stays; see it with", status))
    })
}

fn ending(failure: Option<Failure>, session: &mut Session) -> Exit {
    let Some(failure) = failure else { return Exit::Done };
    let console = &mut session.console;
    console.complain(&failure.text(console.look().verbose));
    Exit::LandedWithFailure
}

/// What takes the last undo back.
pub(crate) fn redo_command(session: &Session, outside: &[RepoPath]) -> String {
    let words: &[&str] = if outside.is_empty() { &["redo"] } else { &["redo", "--with-outside"] };
    session.invocation.command(words).to_string()
}

/// What takes the last operation back, which had put these paths back outside of the repository.
pub(crate) fn undo_command(session: &Session, outside: &[RepoPath]) -> String {
    let undo = match outside.is_empty() {
        true => session.invocation.command(&["undo"]),
        false => session.invocation.command(&["undo", "--with-outside"]),
    };
    undo.to_string()
}
