//! Verdicts: what came of a check, on what it ran, and what it wrote. Plain data; nothing here runs or judges.

use serde::{Deserialize, Serialize};

use crate::id::TreeId;

/// What came of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Everything expected holds.
    Pass,
    /// Something expected does not hold.
    Fail,
    /// Nothing could be judged: the program is missing, ran out of time, or wrote what cannot be read.
    Error,
    /// It was not looked at, on purpose.
    Skip,
    /// It was looked at, and a person has to decide.
    Inconclusive,
}

impl Outcome {
    /// The outcome as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Error => "error",
            Self::Skip => "skip",
            Self::Inconclusive => "inconclusive",
        }
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An outcome with its reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Verdict {
    /// The outcome.
    pub outcome: Outcome,
    /// Why, as a fragment; empty for a plain pass.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// What was expected, where one figure or text decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What was found there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// The input that the expected figure is the value of, where one is and what was found differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
}

impl Verdict {
    /// A verdict without figures.
    pub fn new(outcome: Outcome, reason: impl Into<String>) -> Self {
        Self { outcome, reason: reason.into(), expected: None, found: None, input: None }
    }

    /// Everything holds.
    pub fn pass() -> Self {
        Self::new(Outcome::Pass, "")
    }

    /// With what was expected and what was found.
    #[must_use]
    pub fn of(mut self, expected: impl ToString, found: impl ToString) -> Self {
        self.expected = Some(expected.to_string());
        self.found = Some(found.to_string());
        self
    }

    /// Whether it stands in the way of landing.
    pub fn blocks(&self) -> bool {
        matches!(self.outcome, Outcome::Fail | Outcome::Error | Outcome::Inconclusive)
    }

    /// What this verdict on the candidate is worth, given the verdict of the same check on the tip as it is.
    ///
    /// A program that is missing on both sides, or the same failure on both, says nothing about the candidate.
    #[must_use]
    pub fn against_control(self, control: &Self) -> Self {
        let same =
            self.outcome == control.outcome && self.reason == control.reason && self.found == control.found;
        if !same || !matches!(self.outcome, Outcome::Fail | Outcome::Error) {
            return self;
        }
        Self {
            outcome: Outcome::Inconclusive,
            reason: format!("the tip as it is does the same: {}", self.reason),
            ..self
        }
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.outcome.as_str())?;
        if !self.reason.is_empty() {
            write!(f, ": {}", self.reason)?;
        }
        match (&self.expected, &self.found) {
            (Some(expected), Some(found)) => {
                let input = self.input.as_ref().map_or(String::new(), |input| format!(" of input {input}"));
                write!(f, " (expected {expected}{input}, found {found})")
            }
            _ => Ok(()),
        }
    }
}

/// On what a check ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum On {
    /// The tip as it is.
    Control,
    /// The candidate.
    Candidate,
    /// The real work tree and system.
    Live,
}

/// A program that was run to judge a result before it lands, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct CheckRun {
    /// Whether it prepares the work tree or judges it.
    pub kind: CheckKind,
    /// The program and its arguments.
    pub run: Vec<String>,
    /// On what it ran.
    pub on: On,
    /// The index in `attempts` of the rung whose result it ran on; absent on the tip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<usize>,
    /// The tree it ran on.
    pub tree_id: TreeId,
    /// What came of it.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// How long it ran, in milliseconds.
    pub elapsed_ms: u64,
    /// What it wrote to standard output: redacted, and of much output the start and the end.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub stdout: String,
    /// What it wrote to standard error, likewise.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub stderr: String,
}

/// What a program is run for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum CheckKind {
    /// It prepares the work tree for the checks.
    Setup,
    /// It judges.
    Check,
}
