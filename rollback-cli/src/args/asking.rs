//! The arguments of the commands that answer and change nothing.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use rollback_core::procedure::format::Period;

use super::Showing;

/// `rb history`.
#[derive(Debug, Args)]
pub(crate) struct History {
    /// The path to ask about
    #[arg(value_name = "PATH", value_hint = clap::ValueHint::AnyPath)]
    pub(crate) path: OsString,
    /// The revision whose history is searched
    #[arg(long = "in", value_name = "REV", default_value = "HEAD", add = crate::completing::revisions())]
    pub(crate) tip: OsString,
    /// List at most this many changes
    #[arg(short = 'n', long, value_name = "N")]
    pub(crate) max_count: Option<usize>,
    /// Do not follow the path through renames
    #[arg(long)]
    pub(crate) no_follow: bool,
    #[command(flatten)]
    pub(crate) showing: Showing,
}

/// `rb show`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  rb revert --file src/shim.py --dry-run --json > plan.json
  rb show plan.json --patch")]
pub(crate) struct Show {
    /// The file that holds the plan; `-` for standard input
    #[arg(value_name = "PLAN", value_hint = clap::ValueHint::FilePath)]
    pub(crate) plan: OsString,
    #[command(flatten)]
    pub(crate) showing: Showing,
}

/// `rb is-reverted`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  rb is-reverted 3a8a50f && echo undone     a gate: 0 where all of it is undone, 10 where it is not
  rb is-reverted 3a8a50f --in v1.4..v1.5    was it undone between the two?
  git rev-list v1.4..v1.5 | rb is-reverted --stdin

The state decides: a change is undone where undoing it would change nothing. Messages, trailers and
patches are evidence, and are told only of commits that did what they say.")]
pub(crate) struct IsReverted {
    /// The commit to ask about
    #[arg(
        value_name = "COMMIT",
        required_unless_present = "stdin",
        conflicts_with = "stdin",
        add = crate::completing::revisions()
    )]
    pub(crate) commit: Option<OsString>,
    /// Ask about each commit on standard input, one a line; 0 only where all of them are undone
    #[arg(long)]
    pub(crate) stdin: bool,
    /// Where to look: a revision, or a range within which it must have been undone
    #[arg(long = "in", value_name = "REV", default_value = "HEAD", add = crate::completing::revisions())]
    pub(crate) within: OsString,
}

/// `rb ops`.
#[derive(Debug, Args)]
pub(crate) struct Ops {
    /// List at most this many operations
    #[arg(short = 'n', long, value_name = "N")]
    pub(crate) max_count: Option<usize>,
    /// List the moves of branches that git made as well, from their logs
    #[arg(long)]
    pub(crate) all: bool,
}

/// `rb report`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  rb report                         the last operation, or the run that it belongs to, as Markdown
  rb report -o report.html          as one page that can be mailed or kept
  rb report --run 3fa2b1c0 --json   a run of a procedure, as data
  rb report --rehearsal r.jsonl     what rb rehearse --json printed, as a matrix")]
pub(crate) struct Report {
    /// The operation, or how its id begins; the last one if not given
    #[arg(value_name = "OP", conflicts_with = "run")]
    pub(crate) operation: Option<String>,
    /// A run of a procedure, or how its id begins
    #[arg(long, value_name = "ID")]
    pub(crate) run: Option<String>,
    /// What rb rehearse --json printed, all shards of it, as a matrix; - is standard input
    #[arg(
        long,
        value_name = "FILE",
        num_args = 1..,
        conflicts_with_all = ["operation", "run"],
        value_hint = clap::ValueHint::FilePath
    )]
    pub(crate) rehearsal: Vec<PathBuf>,
    /// How it is written: md, html or json (default: by the name of the file, else md)
    #[arg(long, value_name = "FORMAT", hide_possible_values = true)]
    pub(crate) format: Option<ReportFormat>,
    /// Write it to this file
    #[arg(short, long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
    /// In a JSON report: the patch too; pages always show it
    #[arg(long)]
    pub(crate) patch: bool,
}

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// Markdown
    Md,
    /// One HTML page
    Html,
    /// JSON
    Json,
}

/// `rb merge-tree`.
#[derive(Debug, Args)]
pub(crate) struct MergeTree {
    /// Read lines `BASE -- OURS THEIRS` from standard input
    #[arg(long, required = true)]
    pub(crate) stdin: bool,
    /// End records and paths with a NUL byte, and do not quote paths
    #[arg(short = 'z')]
    pub(crate) nul: bool,
    /// Store the trees and blobs of the answers in the repository
    #[arg(long, conflicts_with = "threads")]
    pub(crate) write: bool,
    /// Work on this many merges at a time
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) threads: usize,
}

/// `rb demo`.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// The story to show
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Leave the repository where it is, to try things in
    #[arg(long)]
    pub(crate) keep: bool,
    /// Let a program of the outside world fail, such as make or gh. Can be given again
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) fail: Vec<String>,
}

/// `rb completions`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  rb completions bash > ~/.local/share/bash-completion/completions/rb
  rb completions zsh > ~/.zfunc/_rb
  rb completions fish > ~/.config/fish/completions/rb.fish")]
pub(crate) struct Completions {
    /// The shell
    pub(crate) shell: Shell,
}

/// A shell that completions can be made for.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Elvish,
    Fish,
    Powershell,
    Zsh,
}

impl Shell {
    /// The name that the completion engine knows it by.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bash => "bash",
            Self::Elvish => "elvish",
            Self::Fish => "fish",
            Self::Powershell => "powershell",
            Self::Zsh => "zsh",
        }
    }
}

/// `rb trust`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  rb trust              the filters and hooks that this repository names
  rb trust PROCEDURE    a procedure, with its includes and scripts
  rb trust --list")]
pub(crate) struct Trusting {
    /// The procedure; the programs that the repository itself names if not given
    #[arg(value_name = "PROCEDURE")]
    pub(crate) procedure: Option<String>,
    /// What it must be, where no question can be asked
    #[arg(long, value_name = "SHA-256")]
    pub(crate) hash: Option<String>,
    /// List what is trusted, everywhere
    #[arg(long, conflicts_with_all = ["procedure", "remove", "hash"])]
    pub(crate) list: bool,
    /// Print the hash of it as it is now, for a pipeline that has it read; trust nothing
    #[arg(long, conflicts_with_all = ["list", "remove", "hash"])]
    pub(crate) show_hash: bool,
    /// Do not trust it any more
    #[arg(long, conflicts_with = "hash")]
    pub(crate) remove: bool,
}

/// `rb prune`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  rb prune --dry-run
  rb prune --keep 30d --checkpoint before-deploy")]
pub(crate) struct Prune {
    /// How far back to keep things
    #[arg(long, value_name = "TIME", default_value = "90d")]
    pub(crate) keep: Period,
    /// Drop this checkpoint too; none goes unless it is named
    #[arg(long, value_name = "NAME")]
    pub(crate) checkpoint: Vec<String>,
    /// Say what would go, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// End with 0 where there is nothing to do
    #[arg(long)]
    pub(crate) allow_noop: bool,
}

/// `rb config`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  rb config                   the keys of rb's own, and whatever else is set
  rb config --all             all of them
  rb config rb.onConflict     one, and what it is for
  rb config --json            all of them for programs

Nothing is written: a key is set with git config.")]
pub(crate) struct Config {
    /// The setting; all if not given
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Tell those that are not set, too
    #[arg(long)]
    pub(crate) all: bool,
}

/// `rb man`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  rb man revert | man -l -
  rb man > /usr/local/share/man/man1/rb.1")]
pub(crate) struct Man {
    /// The command; the overview if not given
    #[arg(value_name = "COMMAND")]
    pub(crate) command: Option<String>,
    /// Write all pages into this folder, git-rb.1 among them, so that `git rb --help` finds it
    #[arg(long, value_name = "FOLDER", value_hint = clap::ValueHint::DirPath, conflicts_with = "command")]
    pub(crate) into: Option<PathBuf>,
}

/// `rb schema`.
#[derive(Debug, Args)]
pub(crate) struct Schema {
    /// The document
    #[arg(value_name = "DOCUMENT", default_value = "plan")]
    pub(crate) document: Document,
}

/// A document that has a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Document {
    /// What a dry run prints, and what `rb apply` takes
    Plan,
    /// What a landing prints
    Receipt,
    /// What `rb continue` and its kin print
    Sequence,
    /// What `rb history` prints
    History,
    /// What `rb is-reverted` prints
    IsReverted,
    /// What `rb rehearse` prints, a line each
    Rehearsal,
    /// What `rb bisect` prints
    Bisection,
    /// What `rb ops` prints, a line each
    Operation,
    /// What `rb ops --all` prints of a move that git made, a line each
    GitMove,
    /// What `rb undo` and `rb redo` print
    Undo,
    /// What `rb undo --git` prints
    UndoGit,
    /// What `rb restore` prints where no commit is made
    Restore,
    /// What `rb checkpoint create` and `show` print
    Checkpoint,
    /// What `rb checkpoint list` and `drop` print
    Checkpoints,
    /// What `rb checkpoint verify` prints
    CheckpointVerify,
    /// What `rb checkpoint restore` prints
    CheckpointRestore,
    /// What `rb trust` prints
    Trust,
    /// What `rb prune` prints
    Prune,
    /// What `rb config` prints
    Config,
    /// What `rb status` prints
    Status,
    /// What `rb run` and its kin print, on the last line
    Run,
    /// What `rb run` and its kin print before, a line each
    Event,
    /// What `rb publish --dry-run` prints for a run
    Publication,
    /// What `rb publish` prints for an operation
    Published,
    /// What `rb report --format json` prints
    Report,
    /// What `rb evaluate` prints
    Evaluation,
    /// What is written in the file of a procedure
    Procedure,
    /// What a failure prints
    Error,
}
