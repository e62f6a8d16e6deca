//! Hints where parts of a rehearsal cannot be joined.

use rollback_core::error::RehearsalError;

use super::{Hint, Situation};
use crate::command_line::CommandLine;

pub(super) fn hint(situation: &Situation<'_>, error: &RehearsalError) -> Option<Hint> {
    let typed = situation.invocation;
    Some(match error {
        // What came on standard input is gone.
        RehearsalError::Unreadable { name, .. } if name == "-" => return None,
        RehearsalError::Unreadable { name, .. } => {
            Hint::new("see what it holds with", CommandLine::of(["head", "-n", "3", "--", name.as_str()]))
        }
        RehearsalError::Mixed { .. } => Hint::new(
            "name the range and the tip by ids or tags, which do not move; how is told by",
            typed.command(&["rehearse", "--help"]),
        ),
        RehearsalError::Nothing | RehearsalError::Incomplete { .. } => Hint::new(
            "give the files of all shards; how they are made is told by",
            typed.command(&["rehearse", "--help"]),
        ),
        _ => return None,
    })
}
