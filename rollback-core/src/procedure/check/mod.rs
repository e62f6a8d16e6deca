//! Judging what a program wrote or a file holds: pure functions from bytes to a verdict.
//!
//! There are five outcomes, and doubt is never a pass: a missing program, a timeout or a number that cannot be read
//! is an error, and a figure higher than an exact one is inconclusive. Nothing here runs anything or reads a file.

mod figure;
mod json;
mod text;

use serde::{Deserialize, Serialize};

use super::format::{Expect, Scalar};
use crate::process::{Ended, Output, StartError};

/// What came of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
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

    /// A failure says more than an error, and an error more than a doubt.
    fn weight(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Skip => 1,
            Self::Inconclusive => 2,
            Self::Error => 3,
            Self::Fail => 4,
        }
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An outcome with its reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
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
}

impl Verdict {
    /// A verdict without figures.
    pub fn new(outcome: Outcome, reason: impl Into<String>) -> Self {
        Self { outcome, reason: reason.into(), expected: None, found: None }
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
            (Some(expected), Some(found)) => write!(f, " (expected {expected}, found {found})"),
            _ => Ok(()),
        }
    }
}

/// What a check looked at.
#[derive(Debug, Clone, Copy)]
pub enum Seen<'a> {
    /// A program that ran.
    Program(&'a Output),
    /// A program that could not be started.
    NotStarted(&'a StartError),
    /// A file's bytes; `None` where there is no such file.
    File(Option<&'a [u8]>),
}

impl<'a> Seen<'a> {
    /// Standard output, or the file.
    fn first(self) -> &'a [u8] {
        match self {
            Self::Program(output) => output.stdout.as_bytes(),
            Self::File(bytes) => bytes.unwrap_or_default(),
            Self::NotStarted(_) => &[],
        }
    }

    /// Both streams, or the file.
    fn all(self) -> impl Iterator<Item = &'a [u8]> {
        let second = match self {
            Self::Program(output) => Some(output.stderr.as_bytes()),
            _ => None,
        };
        std::iter::once(self.first()).chain(second)
    }
}

/// Judges what was seen. `same_as` is the file that the expectation of this name compares with.
///
/// Placeholders must have been filled before, see [`filled`].
pub fn judge(expect: &Expect, seen: Seen<'_>, same_as: Option<&[u8]>) -> Verdict {
    if let Some(verdict) = could_not_look(seen) {
        return verdict;
    }
    let mut verdicts = Vec::new();
    match seen {
        Seen::Program(output) => verdicts.push(exit_code(expect, output)),
        Seen::File(bytes) => match (bytes.is_some(), expect.exists) {
            (true, Some(false)) => {
                return Verdict::new(Outcome::Fail, "the file exists").of("no file", "a file");
            }
            (false, Some(false)) => return Verdict::pass(),
            (false, _) => {
                return Verdict::new(Outcome::Fail, "the file does not exist").of("a file", "no file");
            }
            (true, _) => {}
        },
        Seen::NotStarted(_) => {}
    }
    verdicts.extend(text::judge(expect, seen, same_as));
    verdicts.extend(figure::judge(expect, seen));
    verdicts.extend(expect.json.iter().map(|expected| json::judge(expected, seen.first())));
    worst(verdicts)
}

/// The expectation with every placeholder replaced.
///
/// # Errors
/// The first error of `fill`.
pub fn filled<E>(expect: &Expect, fill: impl Fn(&str) -> Result<String, E>) -> Result<Expect, E> {
    let scalar = |value: &Scalar| match value {
        Scalar::Text(text) if text.contains('{') => fill(text).map(|text| Scalar::from_text(&text)),
        other => Ok(other.clone()),
    };
    let maybe = |value: &Option<Scalar>| value.as_ref().map(scalar).transpose();
    let mut filled = expect.clone();
    filled.contains = expect.contains.as_deref().map(&fill).transpose()?;
    filled.lines = maybe(&expect.lines)?;
    filled.eq = maybe(&expect.eq)?;
    filled.ne = maybe(&expect.ne)?;
    filled.lt = maybe(&expect.lt)?;
    filled.le = maybe(&expect.le)?;
    filled.gt = maybe(&expect.gt)?;
    filled.ge = maybe(&expect.ge)?;
    for expected in &mut filled.json {
        expected.value = scalar(&expected.value)?;
    }
    Ok(filled)
}

fn could_not_look(seen: Seen<'_>) -> Option<Verdict> {
    let output = match seen {
        Seen::NotStarted(error) => return Some(Verdict::new(Outcome::Error, error.to_string())),
        Seen::File(_) => return None,
        Seen::Program(output) => output,
    };
    match output.ended {
        Ended::TimedOut => Some(Verdict::new(
            Outcome::Error,
            format!("it was killed after {:.1} s without an end", output.elapsed.as_secs_f64()),
        )),
        Ended::Cancelled => Some(Verdict::new(Outcome::Error, "it was cancelled")),
        Ended::Signalled(signal) => {
            Some(Verdict::new(Outcome::Error, format!("it was ended by signal {signal}")))
        }
        Ended::Exited(_) => None,
    }
}

fn exit_code(expect: &Expect, output: &Output) -> Verdict {
    let expected = expect.exit.unwrap_or(0);
    match output.ended {
        Ended::Exited(found) if found == expected => Verdict::pass(),
        // A shell's own codes for a command that it could not find or start.
        Ended::Exited(found @ (126 | 127)) => {
            Verdict::new(Outcome::Error, "a program that it needs is missing").of(exit(expected), exit(found))
        }
        Ended::Exited(found) => {
            Verdict::new(Outcome::Fail, "the exit code differs").of(exit(expected), exit(found))
        }
        other => Verdict::new(Outcome::Error, other.to_string()),
    }
}

fn exit(code: i32) -> String {
    format!("exit code {code}")
}

/// The verdict that says most against passing; among equals the first.
fn worst(verdicts: Vec<Verdict>) -> Verdict {
    let heaviest = verdicts.iter().map(|verdict| verdict.outcome.weight()).max().unwrap_or(0);
    let mut heavy = verdicts.into_iter().filter(|verdict| verdict.outcome.weight() == heaviest);
    // A pass with figures tells more than one without.
    match heavy.next() {
        Some(first) if first.outcome == Outcome::Pass && first.found.is_none() => {
            heavy.find(|verdict| verdict.found.is_some()).unwrap_or(first)
        }
        Some(first) => first,
        None => Verdict::pass(),
    }
}
