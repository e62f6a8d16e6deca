//! The commands, one room each: arguments to a target, the library's answer to text and an exit code.

mod apply;
pub(crate) mod bisect;
pub(crate) mod checkpoint;
mod checks;
mod choose;
pub(crate) mod completions;
mod config;
mod cross_check;
mod demo;
mod evaluate;
pub(crate) mod history;
pub(crate) mod is_reverted;
mod land;
mod man;
mod merge_tree;
pub(crate) mod ops;
mod pick;
mod procedure;
pub(crate) mod prune;
mod pushing;
mod reapply;
mod rehearse;
mod report;
pub(crate) mod restore;
mod revert;
mod running;
mod schema;
mod sequencer;
mod show;
mod showing;
pub(crate) mod status;
pub(crate) mod trust;
mod undo;

use std::ffi::{OsStr, OsString};

use rollback_core::error::RevisionError;
use rollback_core::{Error, Repo};

use crate::args::Command;
use crate::console::Console;
use crate::exit::Exit;
use crate::failure::Problem;
use crate::session::Session;
use crate::terminal::text::escape;

/// How a command ends.
pub(crate) type Outcome = Result<Exit, Problem>;

/// Runs the command.
pub(crate) fn run(command: Command, session: &mut Session) -> Outcome {
    match command {
        Command::Revert(args) => revert::run(*args, session),
        Command::Pick(args) => pick::run(args, session),
        Command::Restore(args) => restore::run(args, session),
        Command::Apply(args) => apply::run(args, session),
        Command::Reapply(args) => reapply::run(args, session),
        Command::History(args) => history::run(&args, session),
        Command::Show(args) => show::run(&args, session),
        Command::IsReverted(args) => is_reverted::run(&args, session),
        Command::Run(args) => running::run::run(*args, session),
        Command::Resume(args) => running::resume::run(args, session),
        Command::Continue(args) => sequencer::go_on(args, session),
        Command::Skip => sequencer::skip(session),
        Command::Abort(args) => sequencer::abort(&args, session),
        Command::Quit => sequencer::quit(session),
        Command::Publish(args) => running::publish::run(&args, session),
        Command::Verify(args) => running::verify::run(&args, session),
        Command::Undo(args) => undo::run(args, session),
        Command::Redo(args) => undo::redo(&args, session),
        Command::Checkpoint(args) => checkpoint::run(args.action, session),
        Command::Trust(args) => trust::run(&args, session),
        Command::Prune(args) => prune::run(&args, session),
        Command::Rehearse(args) => rehearse::run(&args, session),
        Command::Bisect(args) => bisect::run(&args, session),
        Command::Ops(args) => ops::run(&args, session),
        Command::Status => status::run(session),
        Command::Evaluate(args) => evaluate::run(&args, session),
        Command::Procedure(args) => procedure::run(args, session),
        Command::Report(args) => report::run(args, session),
        Command::MergeTree(args) => merge_tree::run(&args, session),
        Command::Demo(args) => demo::run(&args, session),
        Command::Completions(args) => completions::run(&args, session),
        Command::Config(args) => config::run(&args, session),
        Command::Man(args) => man::run(&args, session),
        Command::Schema(args) => schema::run(&args, session),
    }
}

/// Revisions as text.
fn revisions(words: &[OsString]) -> Result<Vec<String>, Error> {
    words.iter().map(|word| revision(word)).collect()
}

/// A revision as text. A name that is not UTF-8 names nothing that a plan could hold.
fn revision(word: &OsStr) -> Result<String, Error> {
    word.to_str().map(ToOwned::to_owned).ok_or_else(|| {
        RevisionError::Unknown { spec: word.to_string_lossy().into_owned(), source: None }.into()
    })
}

/// Warns about names that name more than one thing, in git's words.
fn warn_about_names<'a>(specs: impl IntoIterator<Item = &'a str>, repo: &Repo, console: &mut Console) {
    for name in specs.into_iter().flat_map(|spec| repo.ambiguous_names(spec)) {
        console.complain(&format!("warning: refname '{}' is ambiguous.\n", escape(&name)));
    }
}

fn optional_revision(word: Option<&OsString>) -> Result<Option<String>, Error> {
    word.map(|word| revision(word)).transpose()
}
