//! The arguments of the commands that ask about procedures and run none.

use std::ffi::OsString;

use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;

/// `rb evaluate`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  rb evaluate release --samples metrics.jsonl                  exit code 10 where a trigger fires
  rb evaluate release --samples metrics.prom --format github   with annotations for a workflow
  rb evaluate release --observed users-complain                what a person has seen

Exit codes: 0 nothing fires, 7 the samples cannot tell, 10 a trigger fires or a decision matches.")]
pub(crate) struct Evaluate {
    /// The procedure: its name, or its file (with / or .toml)
    #[arg(value_name = "PROCEDURE", value_hint = clap::ValueHint::AnyPath)]
    pub(crate) procedure: String,
    /// The samples: JSON Lines (.jsonl), CSV (.csv) or a Prometheus text dump (.prom)
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) samples: Option<OsString>,
    /// A trigger or decision that a person has observed. Can be given again
    #[arg(long, value_name = "ID")]
    pub(crate) observed: Vec<String>,
    /// Evaluate as of this time (RFC 3339), or as of the newest sample with 'newest' (default: now)
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(crate) at: Option<Moment>,
    /// How the answer is written: text or github
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "text",
        hide_possible_values = true,
        hide_default_value = true
    )]
    pub(crate) format: EvaluateFormat,
}

/// As of when samples are evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// Then.
    At(Timestamp),
    /// When the newest sample was taken.
    Newest,
}

fn moment(text: &str) -> Result<Moment, String> {
    match text {
        "newest" => Ok(Moment::Newest),
        _ => text.parse().map(Moment::At).map_err(|_| "write it as 2026-03-08T12:00:00Z, or 'newest'".into()),
    }
}

/// How an evaluation is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EvaluateFormat {
    /// For people
    Text,
    /// Annotations of a workflow
    Github,
}

/// `rb procedure`.
#[derive(Debug, Args)]
#[command(
    subcommand_help_heading = "Commands",
    disable_help_subcommand = true,
    after_long_help = "\
Examples:
  rb procedure list                 which there are, and where each comes from
  rb procedure show release         the runbook, to read
  rb procedure new release          a commented file to begin with
  rb procedure check .rb/procedures/release.toml"
)]
pub(crate) struct Procedure {
    #[command(subcommand)]
    pub(crate) action: ProcedureAction,
}

/// What to do with procedures.
#[derive(Debug, Subcommand)]
pub(crate) enum ProcedureAction {
    /// List the procedures that can be named here, and where each comes from
    List,
    /// Show a procedure as a document
    Show {
        /// The procedure: its name, or its file (with / or .toml)
        #[arg(value_name = "PROCEDURE", value_hint = clap::ValueHint::AnyPath)]
        procedure: String,
        /// Print Markdown
        #[arg(long)]
        markdown: bool,
    },
    /// Check procedures: every mistake with its file, line and what was probably meant
    Check {
        /// The files; those of the work tree if none is given
        #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
        files: Vec<OsString>,
    },
    /// Begin a procedure: a commented file below .rb/procedures
    New {
        /// Its name
        #[arg(value_name = "NAME", value_parser = name)]
        name: String,
    },
}

/// A name that is a file name and a table key on every system.
fn name(text: &str) -> Result<String, &'static str> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    match text.chars().all(fits) && text.starts_with(|c: char| c.is_ascii_lowercase()) {
        true => Ok(text.to_owned()),
        false => Err("a name is lower-case letters, digits and dashes, and begins with a letter"),
    }
}
