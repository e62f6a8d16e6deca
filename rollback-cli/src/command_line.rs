//! Commands to type next: shown as a line for a shell, and given to programs as words.

use std::ffi::OsString;
use std::fmt;

use rollback_core::RepoPath;

use crate::invocation::quote;

/// A command that can be pasted into a POSIX shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CommandLine {
    /// One program with its arguments.
    Words(Vec<OsString>),
    /// More than one program, or a redirection: only a shell can run it.
    Script(String),
}

impl CommandLine {
    /// A program and its arguments.
    pub(crate) fn of<I>(words: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<OsString>,
    {
        Self::Words(words.into_iter().map(Into::into).collect())
    }

    /// The same command with more words.
    pub(crate) fn followed_by(self, more: impl IntoIterator<Item = OsString>) -> Self {
        match self {
            Self::Words(words) => Self::Words(words.into_iter().chain(more).collect()),
            Self::Script(script) => Self::Script(script),
        }
    }

    /// Several commands, each run only if the one before it succeeded.
    pub(crate) fn all_of(commands: &[Self]) -> Self {
        let lines: Vec<_> = commands.iter().map(ToString::to_string).collect();
        Self::Script(lines.join(" && "))
    }

    /// The words that a program can start without a shell of its own; a script is handed to `sh`.
    pub(crate) fn words(&self) -> Vec<RepoPath> {
        let word = |word: &OsString| RepoPath::new(word.as_encoded_bytes());
        match self {
            Self::Words(words) => words.iter().map(word).collect(),
            Self::Script(script) => ["sh", "-c", script].map(RepoPath::from).to_vec(),
        }
    }
}

impl fmt::Display for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Words(words) => {
                let words: Vec<_> = words.iter().map(|word| quote(word.as_encoded_bytes())).collect();
                f.write_str(&words.join(" "))
            }
            Self::Script(script) => f.write_str(script),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_and_its_words_are_the_same_command() {
        let command = CommandLine::of(["git", "log", "--", "a b"]);
        assert_eq!(command.to_string(), "git log -- 'a b'");
        assert_eq!(command.words(), ["git", "log", "--", "a b"].map(RepoPath::from));
    }

    #[test]
    fn several_commands_are_a_script_of_sh() {
        let both = CommandLine::all_of(&[CommandLine::of(["true"]), CommandLine::of(["echo", "a b"])]);
        assert_eq!(both.to_string(), "true && echo 'a b'");
        assert_eq!(both.words(), ["sh", "-c", "true && echo 'a b'"].map(RepoPath::from));
    }
}
