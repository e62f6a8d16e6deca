//! When objects that a partial clone left out are fetched, and that it is said before.

use std::io::Write;

use rollback_core::process::SystemFetcher;
use rollback_core::promised::{FetchCall, ObjectFetcher};

use crate::args::Cli;
use crate::invocation::Invocation;
use crate::terminal::text;

/// Whether objects may be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fetching {
    /// They may, and that is said unless only failures are to be.
    Allowed {
        /// Whether nothing is said.
        quiet: bool,
    },
    /// What is missing is named.
    Refused,
}

impl Fetching {
    /// What was asked for: `--fetch` and `--no-fetch` first, then `GIT_NO_LAZY_FETCH`, which git heeds too; else whatever
    /// lands something fetches.
    pub(crate) fn of(cli: &Cli, invocation: &Invocation) -> Self {
        let allowed = Self::Allowed { quiet: cli.common.quiet };
        if cli.common.fetch {
            return allowed;
        }
        let lands = cli.command.lands() && !invocation.has("--dry-run");
        if cli.common.no_fetch || !lands || is_on("GIT_NO_LAZY_FETCH") { Self::Refused } else { allowed }
    }
}

/// Whether a variable is set to what git takes for true.
fn is_on(name: &str) -> bool {
    let value = std::env::var(name).unwrap_or_default().to_ascii_lowercase();
    !matches!(value.as_str(), "" | "0" | "false" | "no" | "off")
}

/// Says what is fetched, then fetches it.
#[derive(Debug)]
pub(crate) struct TellingFetcher {
    inner: SystemFetcher,
    quiet: bool,
}

impl TellingFetcher {
    /// The fetcher of this machine.
    pub(crate) fn new(inner: SystemFetcher, quiet: bool) -> Self {
        Self { inner, quiet }
    }
}

impl ObjectFetcher for TellingFetcher {
    fn fetch(&self, call: &FetchCall) -> Result<(), String> {
        if !self.quiet {
            let (objects, remote) = (text::count(call.ids.len(), "object"), text::escape(&call.remote));
            // A closed standard error keeps nothing from being fetched.
            let _ = writeln!(
                std::io::stderr(),
                "fetching {objects} that this partial clone lacks, from {remote}"
            );
        }
        self.inner.fetch(call)
    }
}
