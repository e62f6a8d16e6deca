//! What a check looks at and what it expects, as the file spells it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::figure::{Operator, Threshold};
use super::named::Named;
use super::trigger::is_default;
use super::value::{Pattern, Period, Scalar, TreePath};

/// A check: a program, a file, a metric or a question, and what is expected of it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Check {
    /// The name by which phases call it.
    pub id: String,
    /// What it shows, in a few words.
    pub title: Option<String>,
    /// The program and its arguments; the folder is the candidate's work tree, or the real one where `live` is set.
    #[serde(default)]
    pub run: Vec<String>,
    /// The file to look at, in the same folder.
    pub file: Option<TreePath>,
    /// The metric to look at in the samples.
    pub metric: Option<String>,
    /// How the metric is compared with `threshold`; the check passes where it holds.
    pub op: Option<Operator>,
    /// What the metric is compared with.
    pub threshold: Option<Threshold>,
    /// What a person is asked to confirm; inconclusive until it is confirmed.
    pub ask: Option<String>,
    /// What is expected; a program alone is expected to exit with 0.
    pub expect: Option<Expect>,
    /// After what time the program and all it started are killed; 10 minutes unless given.
    pub timeout: Option<Period>,
    /// How often it is tried again before a failure counts.
    #[serde(default, skip_serializing_if = "is_default")]
    pub retries: u32,
    /// How long to wait before it is tried again.
    pub retry_wait: Option<Period>,
    /// Variables for the program.
    #[serde(default)]
    pub env: Named<String>,
    /// Variables passed on from the environment and taken out of everything that is written.
    #[serde(default)]
    pub secrets: Vec<String>,
    /// Whether it looks at the live system, so that it can only run after landing.
    #[serde(default, skip_serializing_if = "is_default")]
    pub live: bool,
    /// Whether it also runs on the tip as it is, so that the report shows red before and green after.
    pub control: Option<bool>,
    /// Only for the work tree that the procedure's author runs by hand: which outside program it needs.
    pub outside: Option<String>,
    /// What a reader should know.
    pub note: Option<String>,
}

/// What is expected. All that is given must hold.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Expect {
    /// The exit code; 0 unless given.
    pub exit: Option<i32>,
    /// A pattern that standard output must match.
    pub stdout: Option<Pattern>,
    /// A pattern that standard error must match.
    pub stderr: Option<Pattern>,
    /// A pattern that neither stream, nor the file, may match.
    pub never: Option<Pattern>,
    /// Text that must occur in either stream or in the file.
    pub contains: Option<String>,
    /// Whether the file must exist (`true`) or must not (`false`).
    pub exists: Option<bool>,
    /// Whether standard output, or the file, must be empty.
    pub empty: Option<bool>,
    /// How many lines: an exact figure, where more is inconclusive and fewer fail.
    pub lines: Option<Scalar>,
    /// How many bytes.
    pub bytes: Option<Bounds>,
    /// How often a pattern matches.
    pub count: Option<Count>,
    /// A pattern whose first group is a value, taken from the last match in either stream or in the file.
    pub capture: Option<Pattern>,
    /// The captured value is exactly this: a lower figure fails, a higher one is inconclusive.
    pub eq: Option<Scalar>,
    /// The captured value is not this.
    pub ne: Option<Scalar>,
    /// The captured figure is less.
    pub lt: Option<Scalar>,
    /// The captured figure is less or equal.
    pub le: Option<Scalar>,
    /// The captured figure is greater.
    pub gt: Option<Scalar>,
    /// The captured figure is greater or equal.
    pub ge: Option<Scalar>,
    /// Values inside standard output, or the file, read as JSON.
    pub json: Vec<JsonExpect>,
    /// A file whose bytes standard output, or the file, must equal.
    pub same_as: Option<TreePath>,
}

/// Limits of a figure, both included.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Bounds {
    /// The least.
    pub min: Option<u64>,
    /// The most.
    pub max: Option<u64>,
}

/// How often a pattern may match.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Count {
    /// The pattern; every match counts, also several in a line.
    pub regex: Pattern,
    /// The least.
    pub min: Option<u64>,
    /// The most.
    pub max: Option<u64>,
}

/// A value inside a JSON document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct JsonExpect {
    /// Where: names and numbers separated by dots; `*` stands for every member, and all of them must hold.
    pub path: String,
    /// How it is compared.
    pub op: Operator,
    /// With what.
    pub value: Scalar,
    /// Which part of the members that `*` stands for must hold, such as `95%`; all unless given.
    pub share: Option<Threshold>,
}
