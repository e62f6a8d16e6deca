//! Programs between git and the work tree: filters, which `filter.<name>.clean|smudge|process` name.
//!
//! Nothing here starts a program. The conversion of a file asks a [`Filters`] for the running program, which an embedder
//! can replace; the one that starts programs of this machine is [`crate::process::SystemFilters`].

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::process::Child;
use std::sync::Arc;

/// A filter to be started.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FilterCall {
    /// The command as it is configured, for a shell, with the path in place of `%f`.
    pub command: OsString,
    /// The folder to run in: the root of the work tree, or the git directory where there is none.
    pub folder: PathBuf,
    /// Variables to set beside those of this process.
    pub environment: Vec<(&'static str, OsString)>,
}

/// A filter that runs.
#[non_exhaustive]
pub struct RunningFilter {
    /// The program, with both its standard input and its standard output piped.
    pub child: Child,
    /// Kills it with all that it started.
    pub stop: Arc<dyn Fn() + Send + Sync>,
}

/// Starts filters.
pub trait Filters: fmt::Debug + Send + Sync {
    /// Starts the program.
    ///
    /// # Errors
    /// Where the system refuses.
    fn start(&self, call: &FilterCall) -> io::Result<RunningFilter>;
}

impl fmt::Debug for RunningFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunningFilter").field("child", &self.child).finish_non_exhaustive()
    }
}
