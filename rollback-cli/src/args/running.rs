//! The arguments of the commands that run procedures.

use std::ffi::OsString;

use clap::Args;

use rollback_core::process::push::Remote;

use super::NoEdit;
use super::push::remote;

/// `rb run`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  rb run release --dry-run                       only show what would be done
  rb run release --phase canary --set region=eu  run one phase, with a value
  rb run .rb/procedures/release.toml --role sre  name the file, and what you are
  rb run --again 3f2a91bc --set smoke_total=16   once more, with the same answers and a new figure
  rb resume                                      go on after a pause or a crash")]
pub(crate) struct Run {
    /// The procedure: its name, or its file (with / or .toml)
    #[arg(value_name = "PROCEDURE", value_hint = clap::ValueHint::AnyPath, required_unless_present = "again")]
    pub(crate) procedure: Option<String>,
    /// Run what this run was, with what was given to it then; what is given now counts for more. Secrets are given again
    #[arg(long, value_name = "RUN", conflicts_with_all = ["procedure", "phase", "variant", "bring_back", "retry_plan"])]
    pub(crate) again: Option<String>,
    /// Show the plan and what would be refused; write nothing, run nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// The phase; the procedure's default if not given
    #[arg(long, value_name = "PHASE")]
    pub(crate) phase: Option<String>,
    /// The variant of the phase
    #[arg(long, value_name = "VARIANT")]
    pub(crate) variant: Option<String>,
    #[command(flatten)]
    pub(crate) values: Values,
    #[command(flatten)]
    pub(crate) story: Story,
    /// Leave out manual prechecks and gradual steps; never backup, trust or authority
    #[arg(long)]
    pub(crate) emergency: bool,
    /// Take the ways that are for people only (`manual`)
    #[arg(long)]
    pub(crate) by_hand: bool,
    /// Publish the result once it has landed, as the procedure says
    #[arg(long, visible_alias = "push")]
    pub(crate) publish: bool,
    #[command(flatten)]
    pub(crate) publishing: Publishing,
    /// Watch for as long as the procedure says before it is complete
    #[arg(long)]
    pub(crate) soak: bool,
    /// Revert merges whole, although other phases came in through them
    #[arg(long)]
    pub(crate) whole_merge: bool,
    /// Work off a group that is only worked off when it is named. Can be given again
    #[arg(long = "group", value_name = "GROUP")]
    pub(crate) groups: Vec<String>,
    /// Bring back what this run has rolled back, as the procedure's undo table says
    #[arg(long, value_name = "RUN", conflicts_with_all = ["phase", "variant", "retry_plan"])]
    pub(crate) bring_back: Option<String>,
    /// Prepare the next attempt, as the procedure's retry table says
    #[arg(long)]
    pub(crate) retry_plan: bool,
    /// Exit with 0 where there is nothing to do
    #[arg(long)]
    pub(crate) allow_noop: bool,
    #[command(flatten)]
    pub(crate) consent: Consent,
    /// The words that the procedure asks for before it does what cannot be taken back
    #[arg(long, value_name = "WORDS", help_heading = "Consent")]
    pub(crate) words: Option<String>,
    /// A role that you have. Can be given again
    #[arg(long = "role", value_name = "ROLE", help_heading = "Consent")]
    pub(crate) roles: Vec<String>,
    #[command(flatten)]
    pub(crate) no_edit: NoEdit,
}

/// The values that a procedure takes.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Values")]
pub(crate) struct Values {
    /// The value of an input. Can be given again
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    pub(crate) set: Vec<(String, String)>,
    /// A member to leave out of a list input. Can be given again
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    pub(crate) exclude: Vec<(String, String)>,
    /// The checkpoint to go back to; the same as --set checkpoint=NAME
    #[arg(long, value_name = "NAME")]
    pub(crate) checkpoint: Option<String>,
    /// Samples for checks of metrics: JSON Lines, CSV or a Prometheus text dump
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) samples: Option<OsString>,
}

/// Why a procedure runs, for its messages and reports.
#[derive(Debug, Args)]
#[command(next_help_heading = "For the record")]
pub(crate) struct Story {
    /// Why it runs
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub(crate) reason: String,
    /// What triggered it
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub(crate) trigger: String,
    /// The severity it was recognised as
    #[arg(long, value_name = "SEVERITY")]
    pub(crate) severity: Option<String>,
}

/// What is permitted, by whom.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Consent")]
pub(crate) struct Consent {
    /// An approval: the role that gave it, and who. Can be given again
    #[arg(long = "approve", value_name = "ROLE=NAME", value_parser = pair)]
    pub(crate) approvals: Vec<(String, String)>,
    /// A signed approval: the role, and a file that `ssh-keygen -Y sign -n rb-approval` wrote. Can be given again
    #[arg(long = "signature", value_name = "ROLE=FILE", value_parser = pair)]
    pub(crate) signatures: Vec<(String, String)>,
    /// Whose signatures count, as ssh-keygen's ALLOWED SIGNERS (or RB_ALLOWED_SIGNERS); unsigned approvals then do not
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) allowed_signers: Option<OsString>,
    /// A precheck, check or manual step that you have confirmed, by its id. Can be given again
    #[arg(long = "confirm", value_name = "ID")]
    pub(crate) confirmed: Vec<String>,
    /// Permit a result that discards later edits
    #[arg(long)]
    pub(crate) allow_loss: bool,
    /// Land although the upstream has newer changes to the paths
    #[arg(long)]
    pub(crate) stale_ok: bool,
    /// Ask nothing: what needs a permission is refused unless its flag is given
    #[arg(short = 'y', long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) trust: Trust,
}

/// Which hash of a procedure is trusted.
#[derive(Debug, Default, Args)]
pub(crate) struct Trust {
    /// Run the procedure only if it has this hash, which the pipeline's configuration holds (or RB_TRUSTED_HASH)
    #[arg(long, value_name = "SHA256", help_heading = "Consent")]
    pub(crate) trusted_hash: Option<String>,
}

/// `rb resume`.
#[derive(Debug, Default, Args)]
#[command(after_long_help = "\
Examples:
  rb resume                          go on after a crash, or after editing the candidate's folder
  rb resume --confirm users-told     answer the question that it waits with
  rb resume --retry                  run the step again that was cut off
  rb resume --mark-done              take it for done")]
pub(crate) struct Resume {
    /// The run, where several have not ended
    #[arg(long, value_name = "ID")]
    pub(crate) run: Option<String>,
    /// Run the step that was cut off once more
    #[arg(long, conflicts_with = "mark_done")]
    pub(crate) retry: bool,
    /// Take the step that was cut off, or the manual one, for done
    #[arg(long)]
    pub(crate) mark_done: bool,
    /// Roll back from where the branch is now, where it moved since the run began
    #[arg(long)]
    pub(crate) replan: bool,
    /// The value of a secret input, which was not written down. Can be given again
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    pub(crate) set: Vec<(String, String)>,
    #[command(flatten)]
    pub(crate) no_edit: NoEdit,
    /// Samples for checks of metrics: JSON Lines, CSV or a Prometheus text dump
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) samples: Option<OsString>,
    #[command(flatten)]
    pub(crate) consent: Consent,
}

/// `rb abort`.
#[derive(Debug, Default, Args)]
pub(crate) struct Abort {
    /// The run, where several have not ended or a pick or revert waits too
    #[arg(long, value_name = "ID")]
    pub(crate) run: Option<String>,
}

/// What may be published beyond a result that passed everything.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Consent")]
pub(crate) struct Publishing {
    /// Publish although something failed after the result landed
    #[arg(long)]
    pub(crate) despite_failures: bool,
    /// Let commits leave that rb did not make for this, where the remote lacks them
    #[arg(long)]
    pub(crate) with_others: bool,
}

/// `rb publish`.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("what").args(["operation", "run"]))]
#[command(after_help = "\
Examples:
  rb publish 3f2a91bc --push=origin    push what this operation landed, never by force
  rb publish 3f2a91bc --push --branch rollback/shim --pr
                                       to a branch of its own, with a pull request
  rb publish --dry-run                 only show what would leave
  rb publish --yes                     publish the last run that landed; ask nothing
  rb publish --run 3f2a91bc            publish this run, as its procedure says
  rb publish --trusted-hash SHA256     in a pipeline: the hash is the consent

What a run landed is published as its procedure says, and by nothing else.")]
pub(crate) struct Publish {
    /// The operation that landed the result, as `rb ops` lists it; the last run that landed if not given, else (and
    /// with --push, --branch or --pr) the last operation
    #[arg(value_name = "OP")]
    pub(crate) operation: Option<String>,
    /// The run that landed it
    #[arg(long, value_name = "ID")]
    pub(crate) run: Option<String>,
    /// Push an operation, never by force; to the branch's own remote if none is named
    #[arg(long, value_name = "REMOTE", num_args = 0..=1, value_parser = remote, conflicts_with = "run")]
    pub(crate) push: Option<Option<Remote>>,
    /// The branch of the remote that is to have it; the branch that it landed on if not given
    #[arg(long, value_name = "NAME", conflicts_with = "run")]
    pub(crate) branch: Option<String>,
    /// Open a pull request for it with gh or glab (config: rb.forge)
    #[arg(long, conflicts_with = "run")]
    pub(crate) pr: bool,
    /// An approval: the role that gave it, and who. Can be given again
    #[arg(long = "approve", value_name = "ROLE=NAME", value_parser = pair)]
    pub(crate) approvals: Vec<(String, String)>,
    /// The value of a secret input, which was not written down. Can be given again
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    pub(crate) set: Vec<(String, String)>,
    /// Publish once more after that was cut off and may have been done in part
    #[arg(long)]
    pub(crate) retry: bool,
    /// Show what would leave; let nothing leave
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Ask nothing; what needs a permission is refused unless its flag is given
    #[arg(short = 'y', long, help_heading = "Consent")]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) publishing: Publishing,
    #[command(flatten)]
    pub(crate) trust: Trust,
}

/// `rb verify`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  rb verify release                  is the live system as a rollback would leave it?
  rb verify release --phase canary   with the checks of one phase
  rb verify release --group health   a group of checks only")]
pub(crate) struct Verify {
    /// The procedure: its name, or its file (with / or .toml)
    #[arg(value_name = "PROCEDURE", value_hint = clap::ValueHint::AnyPath)]
    pub(crate) procedure: String,
    /// The phase whose checks run too
    #[arg(long, value_name = "PHASE")]
    pub(crate) phase: Option<String>,
    /// The variant of the phase
    #[arg(long, value_name = "VARIANT", requires = "phase")]
    pub(crate) variant: Option<String>,
    /// The group whose checks run, and no others
    #[arg(long, value_name = "GROUP")]
    pub(crate) group: Option<String>,
    #[command(flatten)]
    pub(crate) values: Values,
    /// A check that you have confirmed, by its id. Can be given again
    #[arg(long = "confirm", value_name = "ID")]
    pub(crate) confirmed: Vec<String>,
    #[command(flatten)]
    pub(crate) trust: Trust,
}

/// A name and a value with `=` between them.
fn pair(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("it is a name, '=' and a value"),
    }
}
