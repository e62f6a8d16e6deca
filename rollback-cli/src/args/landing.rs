//! The arguments of the commands that land something.

use std::ffi::OsString;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{ArgGroup, Args, ValueEnum};
use rollback_core::merge::Options;
use rollback_core::message::Trailer;
use rollback_core::strategy::Strategy;
use rollback_core::target::LineRange;

use super::{Checks, Push, Showing, Words, words};

/// `rb revert`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  rb revert --file src/shim.py            find what broke the file, and undo that
  rb revert --dry-run --file src/shim.py  only show what would be done
  rb revert --file src/shim.py --good-check 'make test'
                                          find what broke it by behaviour (see rb bisect)
  rb revert 3a8a50f                       undo a commit
  rb revert 3a8a50f -- src/a.py           undo what the commit did to one file
  rb revert 3a8a50f --file src/a.py --lines 12,20
                                          undo only what it did there, by today's numbers
  rb revert -m 1 9c1d2e3                  undo a merge, keeping its first parent
  rb revert main~3..main                  take main back by three commits, merges as one each,
                                          all or nothing
  rb revert --to v1.2                     all content as it was at v1.2, in one commit
  rb revert --to 'main@{yesterday}'       as main was yesterday, by its reflog
  rb revert HEAD --check 'make test'      land only what passes, else try the next way

A check is split into words as a shell splits them; no shell is run. It runs in a folder that
RB_CANDIDATE names, with a cleared environment, and before that on the tip as it is: a failure
there and here alike says nothing, and nothing lands (exit 7). What an editable installation
imports is not the result: link or set up what the check needs there.")]
#[command(group = ArgGroup::new("what").args(["commits", "files", "paths", "to", "continue", "abort", "skip", "quit"]).required(true).multiple(true))]
pub(crate) struct Revert {
    /// The commits to undo, as git spells revisions and ranges; newest first
    #[arg(value_name = "COMMIT", add = crate::completing::revisions())]
    pub(crate) commits: Vec<OsString>,
    /// A path to bring back; with commits, only what they did to it. Can be given again
    #[arg(long = "file", value_name = "PATH", value_hint = clap::ValueHint::AnyPath)]
    pub(crate) files: Vec<OsString>,
    /// The same, after two dashes
    #[arg(last = true, value_name = "PATH", value_hint = clap::ValueHint::AnyPath)]
    pub(crate) paths: Vec<OsString>,
    /// Bring the content back to what it was at this revision or date, in one commit; with paths, only theirs
    ///
    /// Every commit since is taken back and named. Where the branch was at that revision along its first parents, asking
    /// is consent enough; elsewhere (a side branch that was merged, another branch) the result is no return, and
    /// --allow-loss is needed. A date such as '2 days ago' or 2026-11-20 (the beginning of that day) means the newest
    /// first-parent commit by then; 'main@{yesterday}' is what the reflog says.
    #[arg(long, value_name = "REV|DATE", conflicts_with_all = NOT_WITH_TO, add = crate::completing::revisions())]
    pub(crate) to: Option<OsString>,
    /// With --to: one commit for each change taken back, merges whole, instead of one for all
    #[arg(long, requires = "to", conflicts_with = "commits")]
    pub(crate) each: bool,
    /// The mainline of a merge: the number of the parent to keep, from 1
    #[arg(short = 'm', long, value_name = "PARENT")]
    pub(crate) mainline: Option<usize>,

    #[command(flatten)]
    pub(crate) part: PartOfFile,
    #[command(flatten)]
    pub(crate) sequencer: Sequencer,
    #[command(flatten)]
    pub(crate) find: Find,
    #[command(flatten)]
    pub(crate) how: How,
    #[command(flatten)]
    pub(crate) conflicts: Conflicts,
    #[command(flatten)]
    pub(crate) landing: Landing,
    #[command(flatten)]
    pub(crate) message: Message,
    /// Refer to the commit as `abbreviated id (subject, date)`
    #[arg(long, help_heading = "Message", overrides_with = "no_reference")]
    pub(crate) reference: bool,
    /// Refer to the commit by its full id, whatever revert.reference says
    #[arg(long, help_heading = "Message", overrides_with = "reference")]
    pub(crate) no_reference: bool,
    /// Add a Signed-off-by trailer
    #[arg(short, long, help_heading = "Message")]
    pub(crate) signoff: bool,
}

/// What says which change is undone, and so has no place beside a state.
const NOT_WITH_TO: [&str; 11] = [
    "commits",
    "change",
    "good_match",
    "good_lines",
    "good_check",
    "mainline",
    "via",
    "whole_commit",
    "with_dependents",
    "as_given",
    "first_parent",
];

/// Which part of what a commit did to a file is undone.
#[derive(Debug, Args)]
#[command(next_help_heading = "A part of a file (with COMMIT --file PATH)")]
pub(crate) struct PartOfFile {
    /// Only where the commit touched these lines, by their numbers of today
    #[arg(long, value_name = "A,B", value_parser = line_range, conflicts_with_all = ["hunks", "interactive", "to"])]
    pub(crate) lines: Option<LineRange>,
    /// Only this hunk, by its number as --patch shows it. Can be given again
    #[arg(long = "hunk", value_name = "N", conflicts_with_all = ["interactive", "to"])]
    pub(crate) hunks: Vec<usize>,
    /// Choose the hunks one by one
    #[arg(short = 'p', long, conflicts_with = "to")]
    pub(crate) interactive: bool,
}

/// Lines as they are typed: `12,20`, or `12` for one.
fn line_range(text: &str) -> Result<LineRange, &'static str> {
    let (first, last) = text.split_once(',').unwrap_or((text, text));
    match (first.trim().parse(), last.trim().parse()) {
        (Ok(first), Ok(last)) if 0 < first && first <= last => Ok(LineRange::new(first, last)),
        _ => Err("lines are two numbers from 1 on, such as 12,20"),
    }
}

/// How the change that broke a path is found.
#[derive(Debug, Args)]
#[command(next_help_heading = "Finding the change")]
pub(crate) struct Find {
    /// The change that broke the paths, where you know better
    #[arg(long, value_name = "COMMIT", conflicts_with = "commits", add = crate::completing::revisions())]
    pub(crate) change: Option<OsString>,
    /// Good content matches this regular expression
    #[arg(long, value_name = "REGEX", conflicts_with = "commits")]
    pub(crate) good_match: Option<String>,
    /// Good content has this many lines
    #[arg(long, value_name = "N", conflicts_with = "commits")]
    pub(crate) good_lines: Option<usize>,
    /// The commits are good where this program ends with 0: the change to the paths that turned it is found by bisection
    #[arg(long, value_name = "CMD", value_parser = words, conflicts_with_all = ["commits", "change", "good_match", "good_lines"], value_hint = clap::ValueHint::CommandString)]
    pub(crate) good_check: Option<Words>,
}

/// Which way back is taken.
#[derive(Debug, Args)]
#[command(next_help_heading = "Choosing the way")]
pub(crate) struct How {
    /// Take this strategy or none
    #[arg(long, value_name = "STRATEGY", value_parser = strategy())]
    pub(crate) via: Option<Strategy>,
    /// Undo all of the commit that broke a path, whatever else it touches
    #[arg(long)]
    pub(crate) whole_commit: bool,
    /// Undo the later commits that stand in the way, too: all of each, newest first
    #[arg(long)]
    pub(crate) with_dependents: bool,
    /// With --with-dependents: no more of them than this [default: 24]
    #[arg(long, value_name = "N", requires = "with_dependents")]
    pub(crate) max: Option<usize>,
    /// Where the change renamed a path, remove the new name
    #[arg(long)]
    pub(crate) with_renames: bool,
    /// Take several commits in the order given
    #[arg(long)]
    pub(crate) as_given: bool,
    #[command(flatten)]
    pub(crate) ranges: Ranges,
}

/// How ranges are read.
#[derive(Debug, Args)]
pub(crate) struct Ranges {
    /// Take a range along first parents, whatever its merges brought in
    #[arg(long)]
    pub(crate) first_parent: bool,
}

/// `rb pick`.
#[derive(Debug, Args)]
pub(crate) struct Pick {
    /// The commits to replay, as git spells revisions and ranges
    #[arg(value_name = "COMMIT", required_unless_present_any = ["continue", "abort", "skip", "quit"], add = crate::completing::revisions())]
    pub(crate) commits: Vec<OsString>,
    /// Only what they did to this path. Can be given again
    #[arg(long = "file", value_name = "PATH", value_hint = clap::ValueHint::AnyPath)]
    pub(crate) files: Vec<OsString>,
    /// The same, after two dashes
    #[arg(last = true, value_name = "PATH", value_hint = clap::ValueHint::AnyPath)]
    pub(crate) paths: Vec<OsString>,
    /// The mainline of a merge: the number of the parent to compare with, from 1
    #[arg(short = 'm', long, value_name = "PARENT")]
    pub(crate) mainline: Option<usize>,
    /// Keep commits that are empty from the start
    #[arg(long)]
    pub(crate) allow_empty: bool,
    /// Keep commits that change nothing here, too
    #[arg(long)]
    pub(crate) keep_redundant_commits: bool,
    #[command(flatten)]
    pub(crate) ranges: Ranges,
    #[command(flatten)]
    pub(crate) sequencer: Sequencer,

    #[command(flatten)]
    pub(crate) conflicts: Conflicts,
    #[command(flatten)]
    pub(crate) landing: Landing,
    #[command(flatten)]
    pub(crate) message: Message,
    /// Say in the message which commit it came from
    #[arg(short = 'x', help_heading = "Message")]
    pub(crate) record_origin: bool,
    /// Add a Signed-off-by trailer
    #[arg(short, long, help_heading = "Message")]
    pub(crate) signoff: bool,
}

/// `rb restore`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  rb restore src/shim.py            what was edited or deleted comes back as it was committed
  rb restore src/shim.py -s v1.2    as it was in v1.2, as a commit
  rb restore -n src -s v1.2         into index and work tree, without a commit
  rb revert --file src/shim.py      what a commit did to it is undone

Without a source no commit is made. What was there is kept: rb undo brings the edits back.")]
pub(crate) struct Restore {
    /// The paths to put back; a folder exactly, so that what was added to it since goes
    #[arg(value_name = "PATH", required = true, value_hint = clap::ValueHint::AnyPath)]
    pub(crate) paths: Vec<OsString>,
    /// The revision to take them from; if not given, what is not committed is brought back
    #[arg(short, long, value_name = "REV", add = crate::completing::revisions())]
    pub(crate) source: Option<OsString>,
    /// Keep what was added to a folder since
    #[arg(long)]
    pub(crate) overlay: bool,

    #[command(flatten)]
    pub(crate) landing: Landing,
    #[command(flatten)]
    pub(crate) message: Message,
    /// Add a Signed-off-by trailer
    #[arg(long, help_heading = "Message")]
    pub(crate) signoff: bool,
}

/// `rb apply`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  rb revert --file src/shim.py --dry-run --json > plan.json
  rb apply plan.json")]
pub(crate) struct Apply {
    /// The file that holds the plan; `-` for standard input
    #[arg(value_name = "PLAN", value_hint = clap::ValueHint::FilePath)]
    pub(crate) plan: OsString,
    #[command(flatten)]
    pub(crate) no_edit: NoEdit,

    #[command(flatten)]
    pub(crate) landing: LandingHere,
}

/// What becomes of a conflict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnConflict {
    /// Nothing is touched
    #[default]
    Refuse,
    /// It is left in index and work tree, for you to resolve
    Stop,
}

impl OnConflict {
    /// The configuration key that decides where nothing was typed.
    pub(crate) const KEY: &str = "rb.onConflict";

    /// The one of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::from_str(name, false).ok()
    }
}

/// What becomes of a conflict, where a merge can have one.
#[derive(Debug, Args)]
#[command(next_help_heading = "Landing")]
pub(crate) struct Conflicts {
    /// On a conflict: refuse, or stop with it in the files (config: rb.onConflict)
    #[arg(long, value_name = "WHAT", hide_possible_values = true)]
    pub(crate) on_conflict: Option<OnConflict>,
    /// An option of the merge as git has them, such as theirs or ignore-space-change
    ///
    /// ours and theirs decide only what would be a conflict: ours keeps the lines of the tip, theirs takes those that the
    /// rollback would bring back. What that discards is named.
    #[arg(short = 'X', long = "strategy-option", value_name = "OPTION", value_parser = strategy_option)]
    pub(crate) strategy_options: Vec<String>,
}

/// Where the result goes, and what is permitted.
#[derive(Debug, Args)]
#[command(next_help_heading = "Landing")]
pub(crate) struct Landing {
    /// Base the result on this revision (default: HEAD)
    #[arg(long, value_name = "REV", add = crate::completing::revisions())]
    pub(crate) onto: Option<OsString>,
    #[command(flatten)]
    pub(crate) here: LandingHere,
}

/// Where the result of a finished plan goes, and what is permitted.
#[derive(Debug, Args)]
#[command(next_help_heading = "Landing")]
pub(crate) struct LandingHere {
    /// Show what would be done, and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Put the result on this branch; index and work tree stay as they are
    #[arg(long, value_name = "NAME", conflicts_with = "no_commit")]
    pub(crate) branch: Option<OsString>,
    /// Change index and work tree, and make no commit
    #[arg(short = 'n', long, conflicts_with_all = ["push", "pr"])]
    pub(crate) no_commit: bool,
    /// Permit a result that discards later edits
    #[arg(long)]
    pub(crate) allow_loss: bool,
    /// Land although the upstream has newer changes to the paths
    #[arg(long)]
    pub(crate) stale_ok: bool,
    /// Land only what the installed git comes to as well (config: rb.crossCheck)
    #[arg(long, overrides_with = "no_cross_check")]
    pub(crate) cross_check: bool,
    /// Do not ask git, whatever rb.crossCheck says
    #[arg(long, overrides_with = "cross_check")]
    pub(crate) no_cross_check: bool,
    /// Exit with 0 where there is nothing to do
    #[arg(long)]
    pub(crate) allow_noop: bool,
    /// Ask nothing: what needs a permission is refused unless its flag is given
    #[arg(short = 'y', long)]
    pub(crate) yes: bool,
    /// Sign the commits
    #[arg(short = 'S', long, overrides_with = "no_gpg_sign")]
    pub(crate) gpg_sign: bool,
    /// Sign nothing, whatever commit.gpgSign says
    #[arg(long, overrides_with = "gpg_sign")]
    pub(crate) no_gpg_sign: bool,
    #[command(flatten)]
    pub(crate) push: Push,
    #[command(flatten)]
    pub(crate) showing: Showing,
    #[command(flatten)]
    pub(crate) checks: Checks,
}

/// What the commit message says.
#[derive(Debug, Args)]
#[command(next_help_heading = "Message")]
pub(crate) struct Message {
    /// Use this message
    #[arg(long, value_name = "TEXT")]
    pub(crate) message: Option<String>,
    /// Add a paragraph that says why
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// Add a trailer, as `Key: value`. Can be given again
    #[arg(long, value_name = "TRAILER", value_parser = trailer)]
    pub(crate) trailer: Vec<Trailer>,
    /// Edit the message before it lands
    #[arg(short, long, overrides_with = "no_edit")]
    pub(crate) edit: bool,
    /// Land the message as it is, which is the default
    #[arg(long, overrides_with = "edit")]
    pub(crate) no_edit: bool,
}

/// Taken where no message can be edited: scripts give it to every command that lands.
#[derive(Debug, Default, Args)]
pub(crate) struct NoEdit {
    /// Land the message as it is, which is the default
    #[arg(long, hide = true)]
    pub(crate) no_edit: bool,
}

/// `rb continue`.
#[derive(Debug, Default, Args)]
pub(crate) struct Continue {
    /// The run of a procedure that is meant, where a pick or revert waits too
    #[arg(long, value_name = "ID")]
    pub(crate) run: Option<String>,
    /// Edit the message first
    #[arg(short, long, overrides_with = "no_edit")]
    pub(crate) edit: bool,
    /// Commit the message as it is, which is the default
    #[arg(long, overrides_with = "edit")]
    pub(crate) no_edit: bool,
    #[command(flatten)]
    pub(crate) push: Push,
    #[command(flatten)]
    pub(crate) checks: Checks,
}

/// The flags by which git goes on with what is in progress; rb has commands for it.
#[derive(Debug, Args)]
pub(crate) struct Sequencer {
    /// As `rb continue`
    #[arg(id = "continue", long = "continue", hide = true)]
    pub(crate) go_on: bool,
    /// As `rb abort`
    #[arg(long, hide = true)]
    pub(crate) abort: bool,
    /// As `rb skip`
    #[arg(long, hide = true)]
    pub(crate) skip: bool,
    /// As `rb quit`
    #[arg(long, hide = true)]
    pub(crate) quit: bool,
}

fn strategy() -> impl TypedValueParser<Value = Strategy> {
    PossibleValuesParser::new(Strategy::ALL.map(Strategy::name))
        .map(|name| name.parse().expect("the possible values are the names of strategies"))
}

/// An option of the merge as it is typed.
fn strategy_option(text: &str) -> Result<String, String> {
    match Options::default().set_strategy_option(text) {
        true => Ok(text.to_owned()),
        false => Err(format!("git has {}", Options::STRATEGY_OPTIONS.join(", "))),
    }
}

/// A trailer as it is typed.
fn trailer(text: &str) -> Result<Trailer, &'static str> {
    Trailer::parse(text).ok_or("a trailer is a key, a colon and a value")
}

/// `rb reapply`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  rb reapply 3a8a50f       3a8a50f is a rollback: undo it
  rb reapply 9c1d2e3       9c1d2e3 was rolled back: undo what took it back, which merging again would not")]
pub(crate) struct Reapply {
    /// A rollback, or the change or merge that was rolled back
    #[arg(value_name = "COMMIT", add = crate::completing::revisions())]
    pub(crate) commit: OsString,

    #[command(flatten)]
    pub(crate) conflicts: Conflicts,
    #[command(flatten)]
    pub(crate) landing: Landing,
    #[command(flatten)]
    pub(crate) message: Message,
    /// Add a Signed-off-by trailer
    #[arg(short, long, help_heading = "Message")]
    pub(crate) signoff: bool,
}

/// `rb undo`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  rb undo                    the last landing of rb that is not undone; once more the one before it
  rb redo                    take the last undo back
  rb undo --git --dry-run    what git did last to this branch, and what taking that back would change
  rb undo --git              a reset, rebase, merge, pull or amended commit of git's, taken back

git's moves are read from the log of the branch. Work that is not committed is never lost: it is a
refusal, and a checkpoint of everything is made first. A commit leaves index and files as they are,
and so does taking it back.")]
pub(crate) struct Undo {
    /// The operation, or how its id begins; the last one that is not undone if not given
    #[arg(value_name = "OP", conflicts_with = "git")]
    pub(crate) operation: Option<String>,
    /// Take back the last move of a branch that git made; of the branch that HEAD is on if none is given
    #[arg(
        long,
        value_name = "BRANCH",
        num_args = 0..=1,
        require_equals = false,
        conflicts_with_all = ["patch", "stat", "color_words", "push", "pr"],
        add = crate::completing::revisions()
    )]
    pub(crate) git: Option<Option<OsString>>,
    /// Say what would be taken back, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Take along what the operation put back outside of the repository
    #[arg(long, conflicts_with = "git")]
    pub(crate) with_outside: bool,
    #[command(flatten)]
    pub(crate) push: Push,
    #[command(flatten)]
    pub(crate) showing: Showing,
    #[command(flatten)]
    pub(crate) no_edit: NoEdit,
}

/// `rb redo`.
#[derive(Debug, Args)]
pub(crate) struct Redo {
    /// Say what would be done again, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Take along what the operation put back outside of the repository
    #[arg(long)]
    pub(crate) with_outside: bool,
    #[command(flatten)]
    pub(crate) push: Push,
    #[command(flatten)]
    pub(crate) showing: Showing,
}
