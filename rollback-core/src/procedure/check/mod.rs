//! Judging what a program wrote or a file holds: pure functions from bytes to a verdict.
//!
//! There are five outcomes, and doubt is never a pass: a missing program, a timeout or a number that cannot be read
//! is an error, and a figure higher than an exact one is inconclusive. Nothing here runs anything or reads a file.

mod figure;
mod json;
mod text;

use super::format::{Expect, Scalar};
use crate::process::{Ended, Output, StartError};
pub use crate::verdict::{Outcome, Verdict};

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
    let mut verdicts = Vec::new();
    match seen {
        Seen::NotStarted(error) => return Verdict::new(Outcome::Error, error.to_string()),
        Seen::Program(output) => match ended(expect, output) {
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

/// How a program ended; what it wrote is judged only where it ended by itself.
fn ended(expect: &Expect, output: &Output) -> Result<Verdict, Verdict> {
    let (expected, error) = (expect.exit.unwrap_or(0), |why| Err(Verdict::new(Outcome::Error, why)));
    let (outcome, why, found) = match output.ended {
        // Whole seconds: the same check on the tip runs out of the same time, give or take a little.
        Ended::TimedOut => {
            return error(format!(
                "it was killed after {:.0} s without an end",
                output.elapsed.as_secs_f64()
            ));
        }
        Ended::Cancelled => return error("it was cancelled".to_owned()),
        Ended::Signalled(signal) => return error(format!("it was ended by signal {signal}")),
        Ended::Exited(found) if found == expected => return Ok(Verdict::pass()),
        // A shell's own codes for a command that it could not find or start.
        Ended::Exited(found @ (126 | 127)) => (Outcome::Error, "a program that it needs is missing", found),
        Ended::Exited(found) => (Outcome::Fail, "the exit code differs", found),
    };
    Ok(Verdict::new(outcome, why).of(format!("exit code {expected}"), format!("exit code {found}")))
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
