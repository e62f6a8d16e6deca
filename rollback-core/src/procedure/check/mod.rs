//! Judging what a program wrote or a file holds: pure functions from bytes to a verdict.
//!
//! There are five outcomes, and doubt is never a pass: a missing program, a timeout or a number that cannot be read
//! is an error, and a figure higher than an exact one is inconclusive. Nothing here runs anything or reads a file.

mod figure;
mod json;
mod text;

use super::format::{Expect, Scalar};
use crate::checks::judge_ending;
use crate::process::{Output, StartError};
pub use crate::verdict::{Outcome, Verdict};

/// What a check looked at.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
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
    let mut verdicts = Vec::new();
    match seen {
        Seen::NotStarted(error) => return Verdict::new(Outcome::Error, error.to_string()),
        Seen::Program(output) => match judge_ending(output, expect.exit.unwrap_or(0)) {
            Ok(verdict) => verdicts.push(verdict),
            Err(verdict) => return verdict,
        },
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
    let mut filled = expect.clone();
    filled.contains = expect.contains.as_deref().map(&fill).transpose()?;
    for value in filled.scalars_mut() {
        *value = scalar(value)?;
    }
    Ok(filled)
}

/// The verdict that says most against passing; among equals the first.
fn worst(verdicts: Vec<Verdict>) -> Verdict {
    let heaviest = verdicts.iter().map(|verdict| weight(verdict.outcome)).max().unwrap_or(0);
    let mut heavy = verdicts.into_iter().filter(|verdict| weight(verdict.outcome) == heaviest);
    // A pass with figures tells more than one without.
    match heavy.next() {
        Some(first) if first.outcome == Outcome::Pass && first.found.is_none() => {
            heavy.find(|verdict| verdict.found.is_some()).unwrap_or(first)
        }
        Some(first) => first,
        None => Verdict::pass(),
    }
}

/// A failure says more than an error, and an error more than a doubt.
fn weight(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Pass => 0,
        Outcome::Skip => 1,
        Outcome::Inconclusive => 2,
        Outcome::Error => 3,
        Outcome::Fail => 4,
    }
}
