//! `--continue`, `--abort`, `--skip` and `--quit` of `rb revert` and `rb pick`: refused, with the command that
//! does what was meant to what is in progress.

use rollback_core::InProgress;
use rollback_core::procedure::engine::runs;

use crate::args::Sequencer;
use crate::exit::Exit;
use crate::failure::{Failure, Problem};
use crate::hint::Hint;
use crate::session::Session;

/// Refuses the flags, where one was given.
pub(super) fn refuse(flags: &Sequencer, session: &mut Session) -> Result<(), Problem> {
    let given = [
        (flags.go_on, "--continue", "go on with it with"),
        (flags.abort, "--abort", "give it up with"),
        (flags.skip, "--skip", "skip the commit that it stopped at with"),
        (flags.quit, "--quit", "forget it, and keep the files as they are, with"),
    ];
    let Some((_, flag, what)) = given.into_iter().find(|(given, ..)| *given) else { return Ok(()) };
    let repo = session.repo()?;
    let (message, hint) = match repo.operation_in_progress() {
        Some(operation) => {
            let message = format!("rb left nothing in progress; it is git that has {}", operation.describe());
            let hint = match git_command(operation, flag) {
                Some(command) => Hint::new(what, session.invocation.git(&[command, flag])),
                None => Hint::new("see how to go on with it with", session.invocation.git(&["status"])),
            };
            (message, hint)
        }
        None if runs(&repo)?.iter().any(|run| run.status.is_open()) => {
            let command = if flag == "--abort" || flag == "--quit" { "abort" } else { "resume" };
            let hint = Hint::new(what, session.invocation.command(&[command]));
            ("no revert or pick is in progress; it is a run of a procedure that waits".to_owned(), hint)
        }
        None => {
            let hint = Hint::new("see where things stand with", session.invocation.command(&["status"]));
            ("nothing is in progress here".to_owned(), hint)
        }
    };
    Err(Failure::new(Exit::Refused, "not-in-progress", format!("{flag}: {message}")).with_hint(hint).into())
}

/// The command of git that takes the flag for what is in progress.
fn git_command(operation: InProgress, flag: &str) -> Option<&'static str> {
    match operation {
        InProgress::Merge if flag == "--skip" => None,
        InProgress::Merge => Some("merge"),
        InProgress::Rebase => Some("rebase"),
        InProgress::Am => Some("am"),
        InProgress::Pick => Some("cherry-pick"),
        InProgress::Revert => Some("revert"),
        _ => None,
    }
}
