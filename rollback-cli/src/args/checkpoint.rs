//! The words of `rb checkpoint`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

/// `rb checkpoint`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  rb checkpoint create before-deploy
  rb checkpoint create before-deploy --outside /etc/app --ignored .env
  rb checkpoint restore before-deploy --dry-run
  rb checkpoint restore PROCEDURE/20251112 --move-branch")]
pub(crate) struct Checkpoint {
    #[command(subcommand)]
    pub(crate) action: CheckpointAction,
}

/// What to do with checkpoints.
#[derive(Debug, Subcommand)]
pub(crate) enum CheckpointAction {
    /// Keep HEAD, index and work tree, files that git does not track included
    Create(CreateCheckpoint),
    /// List the checkpoints there are
    List(ListCheckpoints),
    /// Show what a checkpoint holds
    Show(NamedCheckpoint),
    /// Read everything that a checkpoint holds again, and compare the hashes
    Verify(VerifyCheckpoint),
    /// Bring work tree and index back, after a checkpoint of the present was made
    Restore(RestoreCheckpoint),
    /// Forget checkpoints
    Drop(DropCheckpoints),
}

/// `rb checkpoint create`.
#[derive(Debug, Args)]
pub(crate) struct CreateCheckpoint {
    /// Its name
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    pub(crate) message: Option<String>,
    /// Take this ignored path along, with all below it
    #[arg(long, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub(crate) ignored: Vec<OsString>,
    /// Copy this path outside the repository too
    #[arg(long, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub(crate) outside: Vec<PathBuf>,
}

/// `rb checkpoint list`.
#[derive(Debug, Args)]
pub(crate) struct ListCheckpoints {
    /// Only those of a procedure, or 'manual'
    #[arg(long, value_name = "SCOPE")]
    pub(crate) scope: Option<String>,
}

/// A checkpoint that is there.
#[derive(Debug, Args)]
pub(crate) struct NamedCheckpoint {
    /// Its name, with its scope before it where that is not 'manual'
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
}

/// `rb checkpoint verify`.
#[derive(Debug, Args)]
pub(crate) struct VerifyCheckpoint {
    #[command(flatten)]
    pub(crate) checkpoint: NamedCheckpoint,
    /// See only whether everything is there, without reading it
    #[arg(long)]
    pub(crate) shallow: bool,
}

/// `rb checkpoint restore`.
#[derive(Debug, Args)]
pub(crate) struct RestoreCheckpoint {
    #[command(flatten)]
    pub(crate) checkpoint: NamedCheckpoint,
    /// Move the branch back too
    #[arg(long)]
    pub(crate) move_branch: bool,
    /// Put the paths outside the repository back too
    #[arg(long)]
    pub(crate) with_outside: bool,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// End with 0 where there is nothing to do
    #[arg(long)]
    pub(crate) allow_noop: bool,
}

/// `rb checkpoint drop`.
#[derive(Debug, Args)]
pub(crate) struct DropCheckpoints {
    /// Their names
    #[arg(value_name = "NAME", required = true)]
    pub(crate) names: Vec<String>,
}
