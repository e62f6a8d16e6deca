//! What to type next, for every error of the library: a command that can be pasted, or the reason why
//! there is none.
//!
//! A file has the hints of one family of errors, and `common` those of what every room can meet. To add a hint, add its
//! arm to the file of its family and a row to the table in `tests.rs`; the suite `paste` asks for a scene that brings
//! the error about and pastes what the hint says.

mod bisect;
mod checkpoint;
mod common;
mod landing;
mod object;
mod operation;
mod path;
mod rehearsal;
mod repository;
mod revision;
mod run;
mod sequence;
mod setting;
mod work_tree;

use std::borrow::Cow;
use std::path::Path;

use rollback_core::{Error, Repo, RepoPath};

use crate::args;
use crate::command_line::CommandLine;
use crate::invocation::Invocation;

/// What is known when an error is reported.
pub(crate) struct Situation<'a> {
    /// What was typed.
    pub(crate) invocation: &'a Invocation,
    /// Where.
    pub(crate) folder: &'a Path,
    /// The repository, where one could be opened.
    pub(crate) repo: Option<&'a Repo>,
}

/// What to type next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Hint {
    /// A command that goes on from here.
    Type {
        /// What the command is good for.
        what: Cow<'static, str>,
        /// The command.
        command: CommandLine,
    },
    /// Advice that is no command.
    Say {
        /// What to do.
        what: Cow<'static, str>,
    },
    /// There is nothing to type, and why.
    Nothing {
        /// Why.
        why: &'static str,
    },
}

impl Hint {
    /// A command that goes on, and what it is good for.
    pub(crate) fn new(what: impl Into<Cow<'static, str>>, command: CommandLine) -> Self {
        Self::Type { what: what.into(), command }
    }

    /// Advice that is no command.
    pub(crate) fn say(what: impl Into<Cow<'static, str>>) -> Self {
        Self::Say { what: what.into() }
    }

    fn nothing(why: &'static str) -> Self {
        Self::Nothing { why }
    }

    /// The hint as it is printed.
    pub(crate) fn text(&self) -> Option<String> {
        match self {
            Self::Type { what, command } => Some(format!("{what}: {command}")),
            Self::Say { what } => Some(what.clone().into_owned()),
            Self::Nothing { .. } => None,
        }
    }

    /// The words of the command, where there is one.
    pub(crate) fn words(&self) -> Option<Vec<RepoPath>> {
        match self {
            Self::Type { command, .. } => Some(command.words()),
            Self::Say { .. } | Self::Nothing { .. } => None,
        }
    }
}

impl Situation<'_> {
    /// What to type after this error.
    pub(crate) fn hint(&self, error: &Error) -> Hint {
        let found = match error {
            Error::Repository(error) => repository::hint(self, error),
            Error::Revision(error) => revision::hint(self, error),
            Error::Path(error) => path::hint(self, error),
            Error::Object(error) => object::hint(self, error),
            Error::WorkTree(error) => work_tree::hint(self, error),
            Error::Landing(error) => landing::hint(self, error),
            Error::Sequence(error) => sequence::hint(self, error),
            Error::Operation(error) => operation::hint(self, error),
            Error::Checkpoint(error) => checkpoint::hint(self, error),
            Error::Bisect(error) => bisect::hint(self, error),
            Error::Rehearsal(error) => rehearsal::hint(self, error),
            Error::Setting(error) => setting::hint(self, error),
            error => common::hint(self, error),
        };
        found.unwrap_or(Hint::nothing("only a defect of this program has no hint of its own"))
    }

    /// A command of git.
    fn git(&self, args: &[&str]) -> CommandLine {
        self.invocation.git(args)
    }

    /// The command that was typed, if its name can be made out.
    fn command_name(&self) -> Option<&str> {
        args::command_name(self.invocation)
    }

    /// How the command that was typed is used.
    fn help(&self) -> CommandLine {
        args::usage(self.invocation)
    }

    /// A name for a branch that no reference has.
    fn free_branch(&self) -> String {
        free_branch(self.repo)
    }
}

/// A name for a branch that no reference of the repository has.
pub(crate) fn free_branch(repo: Option<&Repo>) -> String {
    const NAME: &str = "rollback";
    let taken = repo.and_then(|repo| repo.reference_names().ok()).unwrap_or_default();
    let is_free = |name: &String| {
        let (full, below) = (format!("refs/heads/{name}"), format!("refs/heads/{name}/"));
        !taken.iter().any(|taken| *taken == full || *taken == *name || taken.starts_with(&below))
    };
    let numbered = (2..).map(|number| format!("{NAME}-{number}"));
    std::iter::once(NAME.to_owned()).chain(numbered).find(is_free).expect("the numbers do not end")
}

#[cfg(test)]
mod tests;
