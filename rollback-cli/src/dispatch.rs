//! One run of the program: from what was typed to the exit code.

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use crate::args::{Cli, Command, Common};
use crate::command;
use crate::compat;
use crate::console::{Captured, Console};
use crate::environment::Environment;
use crate::exit::Exit;
use crate::failure::{self, Failure};
use crate::fetching::Fetching;
use crate::hint::Hint;
use crate::invocation::Invocation;
use crate::logging;
use crate::parse::parse;
use crate::render::{Look, json};
use crate::session::Session;

/// Runs the program as the process was called.
pub(crate) fn run(argv: Vec<OsString>) -> Exit {
    command::completions::answer_shell();
    let invocation = Invocation::new(argv);
    if let Some(exit) = compat::answer(&invocation) {
        return exit;
    }
    let invocation = invocation.with_help_as_option();
    let json = invocation.has("--json");
    let run = AssertUnwindSafe(|| match parse(&invocation) {
        Ok(cli) => start(invocation, cli),
        Err(refusal) => refusal.report(&invocation),
    });
    catch_unwind(run).unwrap_or_else(|_| {
        let failure = failure::after_panic();
        if json {
            let mut console = Console::of_process(&Common::unparsed(true));
            console.print(&json::document(&failure.document()));
            console.finish(failure.exit());
        }
        failure.exit()
    })
}

/// Runs a command inside a folder, whatever the environment says, and gives what it wrote.
fn run_captured(args: &[OsString], folder: &Path, environment: Environment, look: Look) -> (String, Exit) {
    let captured = Captured::default();
    let argv = std::iter::once(OsString::from("rb")).chain(args.iter().cloned()).collect();
    let invocation = Invocation::new(argv);
    let exit = match parse(&invocation) {
        Ok(cli) => {
            let session = Session {
                console: Console::captured(&cli.common, look, &captured),
                folder: folder.to_owned(),
                with_git_environment: false,
                fetching: Fetching::Refused,
                environment,
                nested: run_captured,
                repo: None,
                invocation,
            };
            carry_out(session, cli.command)
        }
        Err(refusal) => {
            let mut console = Console::captured(&Common::unparsed(false), look, &captured);
            refusal.write(&mut console);
            console.finish(refusal.exit())
        }
    };
    (captured.text(), exit)
}

fn start(invocation: Invocation, cli: Cli) -> Exit {
    let console = Console::of_process(&cli.common);
    let fetching = Fetching::of(&cli, &invocation);
    let mut session = Session {
        invocation,
        fetching,
        console,
        folder: working_folder(cli.common.folder),
        with_git_environment: true,
        environment: Environment::default(),
        nested: run_captured,
        repo: None,
    };
    match logging::start() {
        Ok(()) => carry_out(session, cli.command),
        Err(why) => {
            let without = session.invocation.as_typed().without_variable(logging::VARIABLE);
            let hint = Hint::new("leave it out with", without);
            let failure = Failure::new(Exit::Usage, "bad-environment", why).with_hint(hint);
            let exit = session.report(failure.into());
            session.console.finish(exit)
        }
    }
}

/// The folder to work in, as an absolute path where the system tells one.
fn working_folder(named: Option<PathBuf>) -> PathBuf {
    let folder = named.unwrap_or_else(|| PathBuf::from("."));
    std::path::absolute(&folder).unwrap_or(folder)
}

/// Runs the command; whatever it reports is written.
fn carry_out(mut session: Session, command: Command) -> Exit {
    let outcome = command::run(command, &mut session);
    let exit = outcome.unwrap_or_else(|problem| session.report(problem));
    session.console.finish(exit)
}
