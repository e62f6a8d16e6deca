//! Hints after what every room of the library can meet: a bad request, a file, a lock, a limit.

use std::ffi::OsString;

use rollback_core::Error;

use super::{Hint, Situation};
use crate::command_line::CommandLine;

pub(super) fn hint(situation: &Situation<'_>, error: &Error) -> Option<Hint> {
    Some(match error {
        Error::BadRequest(_) => Hint::new("see how it is used with", situation.help()),
        Error::Io { .. } => Hint::new(
            "put right what the system refused, then try again with",
            situation.invocation.as_typed(),
        ),
        Error::Locked { path, .. } => Hint::new(
            "if no git is running, remove the lock with",
            CommandLine::of([OsString::from("rm"), path.into()]),
        ),
        Error::TooLarge { size, .. } => Hint::new(
            "if that fits into memory, raise the limit with",
            situation.git(&["config", "rb.blobLimit", &size.to_string()]),
        ),
        Error::Cancelled => Hint::nothing("the one who cancelled knows"),
        Error::Internal { .. } => Hint::nothing("a defect of this program is to be reported"),
        _ => return None,
    })
}
