//! One run of the program: from what was typed to the exit code.

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::FromArgMatches;
use rollback_core::Repo;
use rollback_core::process::{SystemFetcher, SystemMergeDrivers, SystemRunner};

use crate::args::{self, Cli, Common};
use crate::command;
use crate::console::{Captured, Console};
use crate::exit::Exit;
use crate::failure::{self, Failure, Problem};
use crate::fetching::{Fetching, TellingFetcher};
use crate::hint::Situation;
use crate::invocation::Invocation;
use crate::render::{Look, json};
use crate::surroundings::Surroundings;
use crate::trusted;

/// What a command needs beside its own arguments.
pub(crate) struct Session {
    /// What was typed.
    pub(crate) invocation: Invocation,
    /// Where text goes.
    pub(crate) console: Console,
    /// The folder the command works in.
    folder: PathBuf,
    /// Whether `GIT_DIR` and its kin count.
    environment: bool,
    /// Whether objects that a partial clone left out may be fetched.
    fetching: Fetching,
    surroundings: Surroundings,
    repo: Option<Repo>,
}

impl Session {
    /// The folder the command works in.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The variables that programs get and procedures read.
    pub(crate) fn surroundings(&self) -> &Surroundings {
        &self.surroundings
    }

    /// The repository the command works in.
    pub(crate) fn repo(&mut self) -> Result<Repo, Problem> {
        if let Some(repo) = &self.repo {
            return Ok(repo.clone());
        }
        if !self.folder.is_dir() {
            let message = format!("there is no folder {}", self.folder.display());
            return Err(Failure::new(Exit::Refused, "no-such-folder", message).into());
        }
        let repo = if self.environment {
            Repo::discover_with_environment(&self.folder)?
        } else {
            Repo::discover(&self.folder)?
        };
        let repo = trusted::as_trusted(repo)?;
        let drivers = SystemMergeDrivers::new(Arc::new(SystemRunner), repo.program_timeout()?);
        let mut repo = repo.with_merge_drivers(Arc::new(drivers));
        if let Fetching::Allowed { quiet } = self.fetching {
            let fetcher = TellingFetcher::new(SystemFetcher::new(repo.program_timeout()?), quiet);
            repo = repo.with_fetcher(Arc::new(fetcher));
        }
        self.repo = Some(repo.clone());
        Ok(repo)
    }

    /// Runs the command; whatever it reports is written.
    fn run(mut self, command: args::Command) -> Exit {
        let outcome = command::run(command, &mut self);
        let exit = outcome.unwrap_or_else(|problem| self.report(problem));
        self.console.finish(exit)
    }

    /// The failure to report for a problem, with what to type next.
    pub(crate) fn failure(&self, problem: Problem) -> Failure {
        problem.into_failure(&Situation {
            invocation: &self.invocation,
            folder: &self.folder,
            repo: self.repo.as_ref(),
        })
    }

    fn report(&mut self, problem: Problem) -> Exit {
        let failure = self.failure(problem);
        report(&mut self.console, &failure);
        failure.exit()
    }
}

/// Runs the program as the process was called.
pub(crate) fn run(argv: Vec<OsString>) -> Exit {
    command::completions::answer_shell();
    let invocation = Invocation::new(argv);
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
pub(crate) fn run_captured(
    args: &[OsString],
    folder: &Path,
    surroundings: Surroundings,
    look: Look,
) -> (String, Exit) {
    let captured = Captured::default();
    let argv = std::iter::once(OsString::from("rb")).chain(args.iter().cloned()).collect();
    let invocation = Invocation::new(argv);
    let exit = match parse(&invocation) {
        Ok(cli) => Session {
            console: Console::captured(&cli.common, look, &captured),
            folder: folder.to_owned(),
            environment: false,
            fetching: Fetching::Refused,
            surroundings,
            repo: None,
            invocation,
        }
        .run(cli.command),
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
    let session = Session {
        invocation,
        fetching,
        console,
        folder: working_folder(cli.common.folder),
        environment: true,
        surroundings: Surroundings::default(),
        repo: None,
    };
    session.run(cli.command)
}

/// The folder to work in, as an absolute path where the system tells one.
fn working_folder(named: Option<PathBuf>) -> PathBuf {
    let folder = named.unwrap_or_else(|| PathBuf::from("."));
    std::path::absolute(&folder).unwrap_or(folder)
}

fn parse(invocation: &Invocation) -> Result<Cli, Refusal> {
    args::command(invocation)
        .try_get_matches_from(invocation.args())
        .and_then(|matches| Cli::from_arg_matches(&matches))
        .map_err(|error| Refusal::new(&error, invocation))
}

/// Why there is no command to run.
enum Refusal {
    /// Help or the version was asked for.
    Answer(String),
    /// Nothing was asked for: what could be.
    Lost(String),
    /// The words make no sense.
    Usage(Failure),
}

/// The overview, or the help of the command whose own command is missing.
fn help(invocation: &Invocation) -> String {
    let mut command = args::command(invocation);
    command.build();
    let named = invocation.args().iter().filter_map(|word| word.to_str());
    let named =
        named.filter(|word| !word.starts_with('-')).find(|word| command.find_subcommand(word).is_some());
    let help = match named.and_then(|name| command.clone().find_subcommand_mut(name).cloned()) {
        Some(mut command) => command.render_long_help(),
        None => command.render_help(),
    };
    help.ansi().to_string()
}

impl Refusal {
    fn new(error: &clap::Error, invocation: &Invocation) -> Self {
        use clap::error::ErrorKind;
        match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
                let text = match invocation.has("--json") {
                    true => error.render().to_string(),
                    false => error.render().ansi().to_string(),
                };
                Self::Answer(format!("{}\n", text.trim_end()))
            }
            ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
                if !invocation.has("--json") =>
            {
                Self::Lost(help(invocation))
            }
            _ => Self::Usage(args::usage::failure(error, invocation)),
        }
    }

    fn report(&self, invocation: &Invocation) -> Exit {
        let common = Common::from_words(invocation);
        let mut console = Console::of_process(&common);
        self.write(&mut console);
        console.finish(self.exit())
    }

    fn write(&self, console: &mut Console) {
        match self {
            Self::Answer(text) if console.json() => console.print(&json::text(text)),
            Self::Answer(text) => console.print(text),
            Self::Lost(text) => console.complain(text),
            Self::Usage(failure) => report(console, failure),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Answer(_) => Exit::Done,
            Self::Lost(_) => Exit::Usage,
            Self::Usage(failure) => failure.exit(),
        }
    }
}

fn report(console: &mut Console, failure: &Failure) {
    if console.json() {
        console.print(&json::document(&failure.document()));
    }
    console.complain(&failure.text(console.look().verbose));
}
