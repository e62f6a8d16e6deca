//! How git starts an editor or a pager.

use std::ffi::OsString;
use std::process::Command;

/// git hands such a program to a shell, so that the setting may hold arguments; what follows are words of their own.
#[cfg(unix)]
pub(crate) fn shell(program: &OsString) -> Command {
    let mut script = program.clone();
    script.push(" \"$@\"");
    let mut command = Command::new("sh");
    command.arg("-c").arg(script).arg(program);
    command
}

/// The program itself: there is no shell to hand it to.
#[cfg(not(unix))]
pub(crate) fn shell(program: &OsString) -> Command {
    Command::new(program)
}
