//! The arguments by which a result is checked before it lands.

use std::ffi::OsString;

use clap::Args;
use rollback_core::procedure::format::Period;

/// What is run on the result before it lands.
#[derive(Debug, Args)]
#[command(next_help_heading = "Checking before it lands")]
pub(crate) struct Checks {
    /// Land only what passes this program, run on the result in a folder of its own. Can be given again
    #[arg(long = "check", value_name = "CMD", value_parser = words, value_hint = clap::ValueHint::CommandString)]
    pub(crate) checks: Vec<Words>,
    /// Run this there first, such as an installation. Can be given again
    #[arg(long = "check-setup", value_name = "CMD", value_parser = words, requires = "checks", value_hint = clap::ValueHint::CommandString)]
    pub(crate) setup: Vec<Words>,
    /// Bring this path of the work tree in as a link, such as .venv. Can be given again
    #[arg(long = "check-link", value_name = "PATH", requires = "checks", value_hint = clap::ValueHint::AnyPath)]
    pub(crate) links: Vec<OsString>,
    /// Pass this variable of the environment on. Can be given again
    #[arg(long = "check-env", value_name = "NAME", value_parser = variable, requires = "checks")]
    pub(crate) environment: Vec<String>,
    /// Kill a program that runs longer than this
    #[arg(long = "check-timeout", value_name = "TIME", default_value = "10m", requires = "checks")]
    pub(crate) timeout: Period,
    /// Do not run the checks on the tip as it is, to compare with
    #[arg(long, requires = "checks")]
    pub(crate) no_check_control: bool,
}

impl Default for Checks {
    fn default() -> Self {
        let timeout = Period(std::time::Duration::from_secs(600));
        let (checks, setup, links, environment) = Default::default();
        Self { checks, setup, links, environment, timeout, no_check_control: false }
    }
}

impl Checks {
    /// Whether anything is to be checked.
    pub(crate) fn is_asked_for(&self) -> bool {
        !self.checks.is_empty()
    }
}

/// A program and its arguments, and the text in which they were typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Words(pub(crate) Vec<String>, pub(crate) String);

/// Splits a command as a shell splits it into words. No shell is run: `|`, `$` and the like mean nothing.
pub(crate) fn words(text: &str) -> Result<Words, &'static str> {
    let words = shlex::split(text).ok_or("a quote is not closed")?;
    match words.first() {
        Some(program) if !program.is_empty() => Ok(Words(words, text.to_owned())),
        _ => Err("it names no program"),
    }
}

fn variable(name: &str) -> Result<String, &'static str> {
    match name.is_empty() || name.contains(['=', '\0']) {
        true => Err("a variable is given by its name alone"),
        false => Ok(name.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_split_into_words_and_nothing_in_it_is_expanded() {
        let split = |text| words(text).map(|words| words.0);
        assert_eq!(split("make -k 'a b' \"c d\"").unwrap(), ["make", "-k", "a b", "c d"]);
        assert_eq!(split("echo $HOME *.rs a|b").unwrap(), ["echo", "$HOME", "*.rs", "a|b"]);
        assert_eq!(split("echo 'open"), Err("a quote is not closed"));
        assert_eq!(split("  "), Err("it names no program"));
        assert_eq!(split("''"), Err("it names no program"));
    }
}
