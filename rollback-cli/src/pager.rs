//! The program through which long text is read on a terminal: the one that git would start.

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::{Child, Stdio};

use rollback_core::Repo;

use crate::shell::started;

/// A pager that runs. What is written to it is shown; it ends when the user leaves it.
pub(crate) struct Pager(Child);

impl Pager {
    /// Starts the user's pager; `None` where the text is to go to the terminal as it is.
    pub(crate) fn start(repo: &Repo) -> Option<Self> {
        let program = program(|name| std::env::var_os(name), repo.config_string("core.pager"))?;
        let pager = started(&program, |command| {
            // git's own: colours pass, and what fits on the screen stays there.
            for (name, value) in [("LESS", "FRX"), ("LV", "-c")] {
                if std::env::var_os(name).is_none() {
                    command.env(name, value);
                }
            }
            command.stdin(Stdio::piped()).spawn()
        });
        // Without it the text is shown all the same.
        pager.ok().map(Self)
    }

    /// Waits until the user has left it.
    pub(crate) fn finish(mut self) {
        drop(self.0.stdin.take());
        // How it ends is no concern of the text that was shown.
        let _ = self.0.wait();
    }
}

impl Write for Pager {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.stdin.as_mut() {
            Some(stdin) => stdin.write(bytes),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.stdin.as_mut().map_or(Ok(()), Write::flush)
    }
}

/// git's order (`git var GIT_PAGER`); nothing, and `cat`, is none.
fn program(variable: impl Fn(&str) -> Option<OsString>, configured: Option<String>) -> Option<OsString> {
    let named = variable("GIT_PAGER").or_else(|| configured.map(Into::into)).or_else(|| variable("PAGER"));
    Some(named.unwrap_or_else(|| "less".into())).filter(|program| !program.is_empty() && program != "cat")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(variables: &[(&str, &str)], configured: Option<&str>) -> Option<String> {
        let variable = |name: &str| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
        };
        program(variable, configured.map(Into::into)).map(|pager| pager.to_string_lossy().into_owned())
    }

    #[test]
    fn the_pager_is_found_in_gits_order() {
        let both = [("GIT_PAGER", "a"), ("PAGER", "c")];
        assert_eq!(chosen(&both, Some("b")).as_deref(), Some("a"));
        assert_eq!(chosen(&both[1..], Some("b")).as_deref(), Some("b"));
        assert_eq!(chosen(&both[1..], None).as_deref(), Some("c"));
        assert_eq!(chosen(&[], None).as_deref(), Some("less"));
        assert_eq!(chosen(&[("GIT_PAGER", "")], Some("b")), None);
        assert_eq!(chosen(&[("PAGER", "cat")], None), None);
    }
}
