//! The command line as types: what can be typed, and what of it contradicts itself.
//!
//! Nothing here reads a repository; turning words into targets is the work of the commands.

mod asking;
mod bisect;
mod checkpoint;
mod checks;
mod landing;
mod overview;
mod procedures;
mod push;
mod rehearse;
mod running;
mod showing;

use std::path::PathBuf;

use clap::{ArgAction, CommandFactory, Parser, Subcommand, ValueEnum};

pub(crate) use asking::{
    Completions, Config, Demo, Document, History, IsReverted, Man, MergeTree, Ops, Prune, Report,
    ReportFormat, Schema, Show, Trusting,
};
pub(crate) use bisect::Bisect;
pub(crate) use checkpoint::{
    Checkpoint, CheckpointAction, CreateCheckpoint, DropCheckpoints, ListCheckpoints, RestoreCheckpoint,
    VerifyCheckpoint,
};
pub(crate) use checks::{Checks, Words, words};
pub(crate) use landing::{
    Apply, Continue, How, LandingHere, Message, NoEdit, OnConflict, PartOfFile, Pick, Ranges, Reapply, Redo,
    Restore, Revert, Sequencer, Undo,
};
pub(crate) use procedures::{Evaluate, EvaluateFormat, Moment, Procedure, ProcedureAction};
pub(crate) use push::Push;
pub(crate) use rehearse::Rehearse;
pub(crate) use running::{Abort, Consent, Publish, Publishing, Resume, Run, Trust, Verify};
pub(crate) use showing::Showing;

use crate::command_line::CommandLine;
use crate::invocation::Invocation;

/// Roll back a change, a merge or a file in a git repository: safely, and provably.
#[derive(Debug, Parser)]
#[command(
    name = "rb",
    version,
    disable_help_subcommand = true,
    max_term_width = 100,
    subcommand_help_heading = "Commands"
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags that every command takes.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Common options")]
pub(crate) struct Common {
    /// Work as if started in this folder
    #[arg(short = 'C', value_name = "DIR", global = true, value_hint = clap::ValueHint::DirPath)]
    pub(crate) folder: Option<PathBuf>,
    /// Print one JSON document on standard output, and text for people on standard error
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// When to use colour: auto, always or never
    #[arg(
        long,
        value_name = "WHEN",
        default_value = "auto",
        global = true,
        hide_possible_values = true,
        hide_default_value = true
    )]
    pub(crate) color: Color,
    /// Say only what went wrong
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Say more: all paths, all commits, the causes of errors
    #[arg(short, long, global = true, action = ArgAction::SetTrue)]
    pub(crate) verbose: bool,
    /// In a partial clone: fetch what is missing, also where nothing is to land
    #[arg(long, global = true, overrides_with = "no_fetch")]
    pub(crate) fetch: bool,
    /// In a partial clone: fetch nothing, and say what is missing
    #[arg(long, global = true, overrides_with = "fetch")]
    pub(crate) no_fetch: bool,
    /// Start no pager
    #[arg(long, global = true)]
    pub(crate) no_pager: bool,
}

impl Common {
    /// What holds where the words could not be parsed.
    pub(crate) fn unparsed(json: bool) -> Self {
        Self {
            folder: None,
            json,
            color: Color::Auto,
            quiet: false,
            verbose: false,
            fetch: false,
            no_fetch: false,
            no_pager: false,
        }
    }

    /// As much of it as can be made out of words that could not be parsed.
    pub(crate) fn from_words(invocation: &Invocation) -> Self {
        let color = if invocation.has("--color=never") {
            Color::Never
        } else if invocation.has("--color=always") {
            Color::Always
        } else {
            Color::Auto
        };
        Self { color, ..Self::unparsed(invocation.has("--json")) }
    }
}

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Undo commits, or bring paths back to how they were before the change that broke them
    Revert(Box<Revert>),
    /// Replay commits
    #[command(visible_alias = "cherry-pick")]
    Pick(Pick),
    /// Put back the exact content of paths, and commit that
    Restore(Restore),
    /// Land a plan that was made with --dry-run --json
    Apply(Apply),
    /// Bring back what a rollback took away
    Reapply(Reapply),
    /// Carry out a procedure: check, roll back, verify, and keep the record
    Run(Box<Run>),
    /// Go on with a run that was cut off or waits for a person
    Resume(Resume),
    /// Commit what you have resolved, and go on with the rest
    Continue(Continue),
    /// Leave out the commit at which a pick or revert stopped, and go on
    Skip,
    /// Give up what waits: a pick or revert that stopped, or a run
    Abort(Abort),
    /// Forget a pick or revert that stopped; the files stay as they are
    Quit,
    /// Push what landed; what a run landed, as its procedure says
    Publish(Publish),
    /// Run the checks of a procedure on the system as it is, and change nothing
    Verify(Verify),
    /// Take back what rb landed, or what git did to a branch (--git)
    Undo(Undo),
    /// Take the last undo back
    Redo(Redo),
    /// Keep a state by name, and come back to it: HEAD, index, work tree, paths outside
    Checkpoint(Checkpoint),
    /// Show a plan from a file
    Show(Show),
    /// Show what happened to a path, what broke it, and when it was last good
    History(History),
    /// Ask whether a commit has been undone
    IsReverted(IsReverted),
    /// Ask which changes of a range could be rolled back by themselves today
    Rehearse(Box<Rehearse>),
    /// Find the change that turned a check from passing to failing
    Bisect(Box<Bisect>),
    /// List what rb landed here, newest first
    Ops(Ops),
    /// Finish or take back what a crash cut off, and say where things stand
    Status,
    /// Ask whether samples say that it is time for a procedure
    Evaluate(Evaluate),
    /// List, show, check or begin procedures
    Procedure(Procedure),
    /// Report what was done, to read, to mail or to keep
    Report(Report),
    /// Merge trees as `git merge-tree --stdin` does (plumbing)
    MergeTree(MergeTree),
    /// Build a broken repository in a temporary folder, roll it back, and show each step
    Demo(Demo),
    /// Say that the programs of a repository, or a procedure, may run here
    Trust(Trusting),
    /// Forget operations, logs of runs and leftovers that are old
    Prune(Prune),
    /// Print the completions of a shell
    Completions(Completions),
    /// Tell every setting that counts, its value, and where that comes from
    Config(Config),
    /// Print a manual page
    Man(Man),
    /// Print the JSON Schema of a document
    Schema(Schema),
}

impl Command {
    /// Whether the command lands something, a dry run of it aside.
    pub(crate) fn lands(&self) -> bool {
        matches!(
            self,
            Self::Revert(_)
                | Self::Pick(_)
                | Self::Restore(_)
                | Self::Apply(_)
                | Self::Reapply(_)
                | Self::Run(_)
                | Self::Resume(_)
                | Self::Continue(_)
                | Self::Skip
                | Self::Abort(_)
                | Self::Undo(_)
                | Self::Redo(_)
                | Self::Checkpoint(_)
        )
    }
}

/// The name of the command that was typed, if it can be made out.
pub(crate) fn command_name(invocation: &Invocation) -> Option<&str> {
    let definition = Cli::command();
    let mut words = invocation.args().iter().filter_map(|arg| arg.to_str());
    words.find(|word| definition.find_subcommand(word).is_some())
}

/// How the command that was typed is used.
pub(crate) fn usage(invocation: &Invocation) -> CommandLine {
    let words: Vec<_> = command_name(invocation).into_iter().chain(["--help"]).collect();
    invocation.command(&words)
}

/// The whole command line, under the name that it was called by.
pub(crate) fn command(invocation: &Invocation) -> clap::Command {
    let command = Cli::command().no_binary_name(true).bin_name(invocation.program());
    overview::arrange(command, invocation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_of_the_command_line_holds_together() {
        Cli::command().debug_assert();
    }
}
