//! The arguments by which a result leaves this machine once it has landed.

use clap::Args;
use rollback_core::process::push::Remote;

/// Whether a result is pushed, and how.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Publishing")]
pub(crate) struct Push {
    /// Push the result once it has landed, never by force; to the branch's own remote if none is named
    ///
    /// A push that is refused (a protected branch, a hook, commits that are not here) leaves the result as it is and
    /// exits with 8; the hint puts it on a branch of its own.
    #[arg(long, value_name = "REMOTE", num_args = 0..=1, require_equals = true, value_parser = remote)]
    pub(crate) push: Option<Option<Remote>>,
    /// Push it, to a branch of its own, and open a pull request with gh or glab (config: rb.forge)
    #[arg(long)]
    pub(crate) pr: bool,
    /// Let commits leave that rb did not make, where the remote lacks them
    #[arg(long)]
    pub(crate) with_others: bool,
}

impl Push {
    /// Whether anything is to leave.
    pub(crate) fn is_asked_for(&self) -> bool {
        self.push.is_some() || self.pr
    }

    /// The remote that was named.
    pub(crate) fn remote(&self) -> Option<&Remote> {
        self.push.as_ref()?.as_ref()
    }
}

/// A remote as it is typed.
pub(super) fn remote(text: &str) -> Result<Remote, &'static str> {
    Remote::parse(text)
}
