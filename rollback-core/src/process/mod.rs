//! The one room that starts programs: checks, steps, hooks, signers, push, and git to compare with.
//!
//! Everything goes through [`Runner`], which an embedder can replace. A program gets an argument list and never a
//! shell line, a cleared environment plus an allow-list, and a time after which its whole tree is killed. Output
//! is capped while it is read, and secrets leave it before anybody else sees it.
//!
//! What this room never does: it never waits for the end of a pipe, because a grandchild can hold it open for
//! ever, and it never judges a result.

mod capture;
mod command;
mod fetch;
mod filters;
pub mod forge;
mod hooks;
mod identity;
mod merge_drivers;
pub(crate) mod merge_tree;
pub mod push;
mod redact;
mod search_path;
mod strategy;
mod system;
mod tree;

pub use capture::Captured;
pub use command::{Command, DEFAULT_ENVIRONMENT, DEFAULT_OUTPUT_LIMIT};
pub use fetch::SystemFetcher;
pub use filters::SystemFilters;
pub use hooks::SystemHooks;
pub use identity::{Holder, ProcessId};
pub use merge_drivers::SystemMergeDrivers;
pub use merge_tree::installed_version;
pub use redact::Redactor;
pub use strategy::merge_by_strategy;
pub use system::SystemRunner;
pub use tree::{LeftProgram, new_tree_name};

use std::time::Duration;

/// Starts a program and waits for it. The system's own is [`SystemRunner`].
pub trait Runner: Send + Sync {
    /// Runs the program to its end, its timeout or its cancellation, and reports each line to `watch` as it comes.
    ///
    /// # Errors
    /// [`StartError`] where the program could not be started at all. However it ended after that is an [`Output`].
    fn run(&self, command: &Command, watch: &mut dyn Watch) -> Result<Output, StartError>;

    /// Ends what a process that died left running; whether there was anything to end.
    fn end(&self, left: &LeftProgram) -> bool {
        left.end()
    }
}

/// Sees a program start, and its lines, already redacted.
pub trait Watch {
    /// A whole line, or what stood in an unfinished one when the program ended.
    fn line(&mut self, stream: Stream, line: &str);

    /// The program has started.
    fn started(&mut self, process: &ProcessId) {
        let _ = process;
    }
}

/// Sees nothing.
impl Watch for () {
    fn line(&mut self, _: Stream, _: &str) {}
}

impl<F: FnMut(Stream, &str)> Watch for F {
    fn line(&mut self, stream: Stream, line: &str) {
        self(stream, line);
    }
}

/// Where a line was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Ended {
    /// By itself, with this exit code.
    Exited(i32),
    /// By a signal that this room did not send.
    Signalled(i32),
    /// It ran out of time and its tree was killed.
    TimedOut,
    /// It was cancelled and its tree was killed.
    Cancelled,
}

impl Ended {
    /// Whether the program ended by itself with exit code 0.
    pub fn is_success(self) -> bool {
        self == Self::Exited(0)
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exited(code) => write!(f, "exit code {code}"),
            Self::Signalled(signal) => write!(f, "signal {signal}"),
            Self::TimedOut => f.write_str("timed out"),
            Self::Cancelled => f.write_str("cancelled"),
        }
    }
}

/// What a program left behind, redacted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Output {
    /// How it ended.
    pub ended: Ended,
    /// What it wrote to standard output.
    pub stdout: Captured,
    /// What it wrote to standard error.
    pub stderr: Captured,
    /// How long it ran.
    pub elapsed: Duration,
}

impl Output {
    /// An output as a replaced [`Runner`] gives it: nothing omitted.
    pub fn new(ended: Ended, stdout: impl Into<Vec<u8>>, stderr: impl Into<Vec<u8>>) -> Self {
        Self {
            ended,
            stdout: Captured::whole(stdout.into()),
            stderr: Captured::whole(stderr.into()),
            elapsed: Duration::ZERO,
        }
    }
}

/// Why a program could not be started. It never ran.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// There is no such program.
    #[error("program '{program}' was not found")]
    NotFound {
        /// What was looked for.
        program: String,
    },
    /// The program may not be executed.
    #[error("program '{program}' may not be executed")]
    NotExecutable {
        /// What was to be started.
        program: String,
    },
    /// The folder to run in is not there.
    #[error("folder {} does not exist", folder.display())]
    NoFolder {
        /// The folder.
        folder: std::path::PathBuf,
    },
    /// The argument list is empty, or one argument holds a zero byte.
    #[error("not a command: {why}")]
    NotACommand {
        /// What is wrong with it.
        why: &'static str,
    },
    /// The runner refuses to start the program as it is.
    #[error("{why}")]
    Refused {
        /// Why not.
        why: String,
    },
    /// The system refused.
    #[error("program '{program}' could not be started")]
    System {
        /// What was to be started.
        program: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}
