//! What keeps parts of a rehearsal from being joined.

use super::ErrorClass;
use super::kind::Family;

/// Parts of a rehearsal that cannot be joined.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RehearsalError {
    /// A line is none that a rehearsal printed.
    #[error("line {line} of {name} is no line of a rehearsal: {why}")]
    Unreadable {
        /// The file, as it was named.
        name: String,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
    /// There is no line to join: a shard that was cut off writes none, and a range without changes writes one.
    #[error("there is no line of a rehearsal to join")]
    Nothing,
    /// The parts are of different rehearsals.
    #[error("the parts are of different rehearsals: {why}")]
    Mixed {
        /// How that shows.
        why: String,
    },
    /// Changes are missing.
    #[error("{} of {of} changes are missing: numbers {}", missing.len(), numbers(missing))]
    Incomplete {
        /// The numbers of those that are missing, from 1.
        missing: Vec<usize>,
        /// How many there are.
        of: usize,
    },
}

impl Family for RehearsalError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "bad-rehearsal",
            Self::Nothing => "no-rehearsal",
            Self::Mixed { .. } => "mixed-rehearsals",
            Self::Incomplete { .. } => "incomplete-rehearsal",
        }
    }

    fn class(&self) -> ErrorClass {
        match self {
            Self::Unreadable { .. } | Self::Mixed { .. } => ErrorClass::Usage,
            Self::Nothing | Self::Incomplete { .. } => ErrorClass::Precondition,
        }
    }
}

/// The first numbers of a list.
fn numbers(all: &[usize]) -> String {
    const SHOWN: usize = 8;
    let mut said: Vec<_> = all.iter().take(SHOWN).map(ToString::to_string).collect();
    if all.len() > SHOWN {
        said.push("…".into());
    }
    said.join(", ")
}
