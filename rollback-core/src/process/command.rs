//! What to start: arguments, folder, environment, limits.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::Redactor;
use crate::cancel::Cancel;

/// The variables that reach a program unless the caller says otherwise.
///
/// They say who and where the user is and how text is written; none of them carries a credential or redirects git.
pub const DEFAULT_ENVIRONMENT: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "LC_MESSAGES",
    "TZ",
    "TMPDIR",
    "TEMP",
    "TMP",
    "SystemRoot",
    "ComSpec",
    "PATHEXT",
    "USERPROFILE",
];

/// How many bytes of each stream are kept unless the caller says otherwise: half from the start, half from the end.
pub const DEFAULT_OUTPUT_LIMIT: usize = 1024 * 1024;

/// A program to start. The environment holds exactly what was put in: begin with [`Command::inherit`].
#[derive(Debug, Clone)]
pub struct Command {
    pub(super) arguments: Vec<String>,
    pub(super) folder: PathBuf,
    pub(super) environment: BTreeMap<String, String>,
    pub(super) input: Vec<u8>,
    pub(super) timeout: Option<Duration>,
    pub(super) output_limit: usize,
    pub(super) redactor: Arc<Redactor>,
    pub(super) cancel: Cancel,
    pub(super) tree: Option<String>,
}

impl Command {
    /// A variable that the program gets.
    #[cfg(test)]
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        self.environment.get(name).map(String::as_str)
    }

    /// The name of the tree of processes.
    #[cfg(test)]
    pub(crate) fn tree_name(&self) -> Option<&str> {
        self.tree.as_deref()
    }

    /// The program and its arguments, to be run in `folder`. A relative program with a slash is relative to `folder`.
    pub fn new(arguments: impl IntoIterator<Item = impl Into<String>>, folder: impl Into<PathBuf>) -> Self {
        Self {
            arguments: arguments.into_iter().map(Into::into).collect(),
            folder: folder.into(),
            environment: BTreeMap::new(),
            input: Vec::new(),
            timeout: None,
            output_limit: DEFAULT_OUTPUT_LIMIT,
            redactor: Arc::default(),
            cancel: Cancel::default(),
            tree: None,
        }
    }

    /// Passes these variables on from this process, where they are set and are text.
    #[must_use]
    pub fn inherit<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Self {
        for name in names {
            if let Ok(value) = std::env::var(name) {
                self.environment.insert(name.to_owned(), value);
            }
        }
        self
    }

    /// Sets a variable.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.environment.insert(name.into(), value.into());
        self
    }

    /// Gives the program these bytes on standard input, which is empty otherwise.
    #[must_use]
    pub fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = bytes.into();
        self
    }

    /// Kills the program and all it started after this time.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Keeps at most this many bytes of each stream.
    #[must_use]
    pub fn output_limit(mut self, bytes: usize) -> Self {
        self.output_limit = bytes;
        self
    }

    /// Takes these secrets out of everything the program writes.
    #[must_use]
    pub fn redact(mut self, redactor: Arc<Redactor>) -> Self {
        self.redactor = redactor;
        self
    }

    /// Kills the program and all it started once the token is cancelled.
    #[must_use]
    pub fn cancel(mut self, cancel: Cancel) -> Self {
        self.cancel = cancel;
        self
    }

    /// Gives the tree of processes this name, from [`new_tree_name`](super::new_tree_name), so that it can be found again.
    #[must_use]
    pub fn tree(mut self, name: impl Into<String>) -> Self {
        self.tree = Some(name.into());
        self
    }

    /// The program and its arguments.
    pub fn arguments(&self) -> &[String] {
        &self.arguments
    }

    /// The folder it runs in.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The environment it runs with.
    pub fn environment(&self) -> &BTreeMap<String, String> {
        &self.environment
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }
}
