//! How git starts an editor or a pager.

use std::ffi::OsString;
use std::io;
use std::process::Command;

/// Starts the program with what `go` does with a command. As git, only where the setting holds more than a name it is
/// handed to a shell; what is added to the command are words of their own.
///
/// # Errors
/// Those of `go`: of a program that is started without a shell, that it is not there.
#[cfg(unix)]
pub(crate) fn started<T>(program: &OsString, go: impl Fn(&mut Command) -> io::Result<T>) -> io::Result<T> {
    /// That a file is no program: a script that does not name its interpreter.
    const NO_PROGRAM: i32 = 8;
    let by_shell = || {
        let mut script = program.clone();
        script.push(" \"$@\"");
        go(Command::new("sh").arg("-c").arg(script).arg(program))
    };
    if program.as_encoded_bytes().iter().any(|byte| b"|&;<>()$`\\\"' \t\n*?[#~=%".contains(byte)) {
        return by_shell();
    }
    match go(&mut Command::new(program)) {
        Err(error) if error.raw_os_error() == Some(NO_PROGRAM) => by_shell(),
        ended => ended,
    }
}

/// Starts the program itself: there is no shell to hand it to.
///
/// # Errors
/// Those of `go`.
#[cfg(not(unix))]
pub(crate) fn started<T>(program: &OsString, go: impl Fn(&mut Command) -> io::Result<T>) -> io::Result<T> {
    go(&mut Command::new(program))
}
