//! From words to arguments, or to why there are none.

mod usage;
mod version;

use clap::FromArgMatches;

use crate::args::{self, Cli, Common};
use crate::console::Console;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::invocation::Invocation;
use crate::render::json;
use crate::session::report;

/// The arguments that were typed.
pub(crate) fn parse(invocation: &Invocation) -> Result<Cli, Refusal> {
    args::command(invocation)
        .try_get_matches_from(invocation.args())
        .and_then(|matches| Cli::from_arg_matches(&matches))
        .map_err(|error| Refusal::new(&error, invocation))
}

/// Why there is no command to run.
pub(crate) enum Refusal {
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
                let mut text = format!("{}\n", text.trim_end());
                let verbose = invocation.has("-v") || invocation.has("--verbose");
                if error.kind() == ErrorKind::DisplayVersion && verbose {
                    text += &version::details();
                }
                Self::Answer(text)
            }
            ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
                if !invocation.has("--json") =>
            {
                Self::Lost(help(invocation))
            }
            _ => Self::Usage(usage::failure(error, invocation)),
        }
    }

    /// Writes it to the streams of the process.
    pub(crate) fn report(&self, invocation: &Invocation) -> Exit {
        let common = Common::from_words(invocation);
        let mut console = Console::of_process(&common);
        self.write(&mut console);
        console.finish(self.exit())
    }

    /// Writes it.
    pub(crate) fn write(&self, console: &mut Console) {
        match self {
            Self::Answer(text) if console.json() => console.print(&json::text(text)),
            Self::Answer(text) => console.print(text),
            Self::Lost(text) => console.complain(text),
            Self::Usage(failure) => report(console, failure),
        }
    }

    /// The exit code for it.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Answer(_) => Exit::Done,
            Self::Lost(_) => Exit::Usage,
            Self::Usage(failure) => failure.exit(),
        }
    }
}
