//! A merge by another strategy of git's, such as `resolve`: a program of git that changes index and work tree itself.

use std::path::Path;
use std::process::Command;

use crate::error::{Error, Result};
use crate::id::ObjectId;

/// Runs `git merge-NAME` in a work tree, with git's own streams, and returns its exit code. The three ids are the base,
/// what HEAD has, and what comes in.
///
/// # Errors
/// [`Error::Io`] where git cannot be started.
pub fn merge_by_strategy(
    work_dir: &Path,
    name: &str,
    options: &[String],
    [base, ours, theirs]: [ObjectId; 3],
) -> Result<i32> {
    let mut command = Command::new("git");
    command.current_dir(work_dir).arg(format!("merge-{name}"));
    command.args(options.iter().map(|option| format!("--{option}")));
    command.arg(base.to_string()).arg("--").arg(ours.to_string()).arg(theirs.to_string());
    let ended = command.status().map_err(|error| Error::io("start", "git", error))?;
    Ok(ended.code().unwrap_or(128))
}
