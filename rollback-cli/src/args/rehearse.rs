//! The arguments of `rb rehearse`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use rollback_core::rehearsal::Shard;

use super::Checks;

/// `rb rehearse`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  rb rehearse v1.4..                       could each change since v1.4 be rolled back today?
  rb rehearse v1.4.. --blockers            and which later commits are in the way
  rb rehearse v1.4.. --check 'make test'   and does the result still pass?
  rb rehearse v1.4.. --min-revertible 95   a gate: exit code 10 below 95%

In shards, on as many machines as there are (ready files: the folder pipelines of the sources):
  rb rehearse v1.4..v1.5 --onto v1.5 --shard 2/4 --json > part-2.jsonl
  rb rehearse --merge part-*.jsonl --min-revertible 95
  rb report --rehearsal part-*.jsonl -o rehearsal.html

Each change is rolled back onto the tip in memory, as rb revert COMMIT would, a merge against its
first parent. Nothing is written; checks run in folders of their own, which are reused.")]
pub(crate) struct Rehearse {
    /// The changes: A..B is the first-parent line from B down to what A reaches; a name is one change
    #[arg(
        value_name = "RANGE",
        required_unless_present = "merge",
        conflicts_with = "merge",
        add = crate::completing::revisions()
    )]
    pub(crate) ranges: Vec<OsString>,
    /// Roll them back onto this revision instead of HEAD
    #[arg(long, value_name = "REV", conflicts_with = "merge", add = crate::completing::revisions())]
    pub(crate) onto: Option<OsString>,
    /// Name the later commits that are in the way of a change that conflicts; it takes longer
    #[arg(long, conflicts_with = "merge")]
    pub(crate) blockers: bool,
    /// Rehearse every N-th change only, beginning with the I-th; I counts from 1
    #[arg(long, value_name = "I/N", conflicts_with = "merge")]
    pub(crate) shard: Option<Shard>,
    /// Join what shards printed with --json; - is standard input
    #[arg(long, value_name = "FILE", num_args = 1.., value_hint = clap::ValueHint::FilePath)]
    pub(crate) merge: Vec<PathBuf>,
    /// End with 10 where fewer than PCT percent of the changes can be rolled back, or are undone
    #[arg(long, value_name = "PCT", value_parser = percent)]
    pub(crate) min_revertible: Option<f64>,
    /// Work on this many changes at a time (default: one for each core)
    #[arg(short = 'j', long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    pub(crate) jobs: usize,

    #[command(flatten)]
    pub(crate) checks: Checks,
}

/// A share in percent, with or without its sign.
fn percent(text: &str) -> Result<f64, &'static str> {
    let number: Option<f64> = text.strip_suffix('%').unwrap_or(text).parse().ok();
    number.filter(|number| (0.0..=100.0).contains(number)).ok_or("a share is a number from 0 to 100")
}
