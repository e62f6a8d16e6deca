//! `rb completions`, and what the shell gets when it asks for one: commands and flags from the
//! definition of the command line, revisions from the repository.

use clap_complete::env::{CompleteEnv, Shells};

use super::Outcome;
use crate::args::{self, Completions};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::invocation::Invocation;
use crate::render::json;
use crate::session::Session;

/// The variable by which a shell asks.
const VARIABLE: &str = "COMPLETE";

/// Runs `rb completions`.
pub(crate) fn run(args: &Completions, session: &mut Session) -> Outcome {
    let shells = Shells::builtins();
    let script = shells
        .completer(args.shell.name())
        .ok_or_else(|| std::io::Error::other("no such shell"))
        .and_then(|shell| {
            let mut script = Vec::new();
            shell.write_registration(VARIABLE, "rb", "rb", "rb", &mut script)?;
            Ok(script)
        })
        .map_err(|error| {
            Failure::new(Exit::Internal, "internal", "cannot write the completions").caused_by(error)
        })?;
    match session.console.json() {
        true => session.console.print(&json::text(&String::from_utf8_lossy(&script))),
        false => session.console.print_bytes(&script),
    }
    Ok(Exit::Done)
}

/// Answers a shell that asks for completions, and ends the process then.
pub(crate) fn answer_shell() {
    CompleteEnv::with_factory(|| args::command(&Invocation::new(vec!["rb".into()])).no_binary_name(false))
        .var(VARIABLE)
        .complete();
}
