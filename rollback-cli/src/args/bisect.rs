//! The arguments of `rb bisect`.

use std::ffi::OsString;

use clap::Args;

use super::Checks;

/// `rb bisect`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  rb bisect --check 'make test'                    search back for a good commit, then for the culprit
  rb bisect --check 'make test' --good v1.4        the change between v1.4 and HEAD
  rb bisect --check ./smoke.sh --confirm 3         a check that fails now and then
  rb bisect --check 'make test' -- src/parser      only commits that touch src/parser
  rb revert --file a.py --good-check 'make test'   the same for a file, and roll it back

The search goes along first parents, then inside the merge that turned bad, and ends with the command
that rolls the culprit back. Both ends are checked first. Nothing is written to the repository; the
check runs in folders of its own, on a commit for each core, and a tree is checked once.

A check is split into words as a shell splits them; no shell is run. RB_CANDIDATE names its folder.
Exit code 0 is good and 125 skips the commit, as does a program that is missing or a setup that
fails; every other end is bad, a crash and running out of time included.

Exit codes: 0 found; 5 the ends are not what they were named as; 7 skipped commits leave several.")]
pub(crate) struct Bisect {
    /// A commit at which the check passes (default: searched for along first parents)
    #[arg(long, value_name = "REV", add = crate::completing::revisions())]
    pub(crate) good: Option<OsString>,
    /// A commit at which it fails (default: HEAD)
    #[arg(long, value_name = "REV", add = crate::completing::revisions())]
    pub(crate) bad: Option<OsString>,
    /// Count a verdict once N more runs say so than say otherwise, and name the commits where runs disagree
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=100), hide_default_value = true)]
    pub(crate) confirm: usize,
    /// Check this many commits at a time (default: one for each core)
    #[arg(short = 'j', long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    pub(crate) jobs: usize,
    /// Only commits that touch these paths
    #[arg(last = true, value_name = "PATH", value_hint = clap::ValueHint::AnyPath)]
    pub(crate) paths: Vec<OsString>,

    #[command(flatten)]
    pub(crate) checks: Checks,
}
