//! Editing a commit message before it lands, with the editor that git would start.

use std::ffi::OsString;

use rollback_core::{Error, Repo};

use crate::exit::Exit;
use crate::failure::{Failure, Problem};
use crate::hint::Hint;
use crate::shell::started;

/// The message with a note for its editor.
pub(crate) fn template(message: &str, repo: &Repo) -> String {
    let comment = comment_string(repo);
    format!(
        "{}\n\n{comment} Lines that begin with '{comment}' are left out, and an empty message lands nothing.\n",
        message.trim_end()
    )
}

/// The template as the user left it.
///
/// # Errors
/// Where no editor can be started, where it ends with an error, and where the message comes back empty.
pub(crate) fn edit(template: &str, repo: &Repo, terminal: bool) -> Result<String, Problem> {
    let editor = editor(|name| std::env::var_os(name), repo.config_string("core.editor"), terminal)?;
    let comment = comment_string(repo);
    let file = tempfile::Builder::new()
        .prefix("rb-")
        .suffix(".COMMIT_EDITMSG")
        .tempfile()
        .map_err(|error| io("create", "a temporary file".into(), error))?;
    let path = file.path().to_owned();
    std::fs::write(&path, template).map_err(|error| io("write", path.clone(), error))?;
    run(&editor, &path)?;
    let text = std::fs::read_to_string(&path).map_err(|error| io("read", path, error))?;
    if says_nothing(&text, &comment) {
        return Err(Failure::new(
            Exit::Refused,
            "empty-message",
            "nothing was changed: the message came back empty",
        )
        .into());
    }
    Ok(text)
}

/// Lets a file be edited in place, as git does: `:` edits nothing.
///
/// # Errors
/// Why it was not, as text for people.
pub(crate) fn edit_file(file: &std::path::Path, repo: &Repo, terminal: bool) -> Result<(), String> {
    let editor = editor(|name| std::env::var_os(name), repo.config_string("core.editor"), terminal)
        .map_err(|_| "Terminal is dumb, but EDITOR unset".to_owned())?;
    if editor == ":" {
        return Ok(());
    }
    let problem =
        |why: &str| Err(format!("There was a problem with the editor '{}'{why}.", editor.display()));
    match started(&editor, |command| command.arg(file).status()) {
        Ok(ended) if ended.success() => Ok(()),
        Ok(_) => problem(""),
        Err(error) => problem(&format!(": {error}")),
    }
}

fn comment_string(repo: &Repo) -> String {
    repo.config_string("core.commentChar")
        .filter(|mark| !mark.is_empty() && mark != "auto")
        .unwrap_or_else(|| "#".into())
}

/// git's order (`git var GIT_EDITOR`): the most particular first, and `vi` only in front of a person.
fn editor(
    variable: impl Fn(&str) -> Option<OsString>,
    configured: Option<String>,
    terminal: bool,
) -> Result<OsString, Failure> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    let dumb = set("TERM").is_none_or(|term| term == "dumb");
    let named = set("GIT_EDITOR")
        .or_else(|| configured.filter(|value| !value.is_empty()).map(Into::into))
        .or_else(|| set("VISUAL").filter(|_| !dumb))
        .or_else(|| set("EDITOR"));
    match named {
        Some(editor) => Ok(editor),
        None if terminal && !dumb => Ok("vi".into()),
        None => Err(Failure::new(
            Exit::Refused,
            "no-editor",
            "no editor is set, and there is no terminal to start one in",
        )
        .with_hint(Hint::say("give the message with --message"))),
    }
}

fn run(editor: &OsString, path: &std::path::Path) -> Result<(), Problem> {
    let failed = |error| io("start", editor.into(), error);
    let status = started(editor, |command| command.arg(path).status()).map_err(failed)?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Refused,
        "editor-failed",
        format!("nothing was changed: the editor '{}' failed ({status})", editor.display()),
    )
    .into())
}

/// Whether git would take the message for empty. Cleaning it up otherwise is the library's work.
fn says_nothing(text: &str, comment: &str) -> bool {
    text.lines().all(|line| line.starts_with(comment) || line.trim().is_empty())
}

fn io(action: &'static str, path: std::path::PathBuf, source: std::io::Error) -> Problem {
    Error::Io { action, path, source }.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(variables: &[(&str, &str)], configured: Option<&str>, terminal: bool) -> Option<String> {
        let variable = |name: &str| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
        };
        editor(variable, configured.map(Into::into), terminal)
            .ok()
            .map(|editor| editor.to_string_lossy().into_owned())
    }

    #[test]
    fn the_editor_is_found_in_gits_order() {
        let all = [("GIT_EDITOR", "a"), ("VISUAL", "c"), ("EDITOR", "d"), ("TERM", "xterm")];
        assert_eq!(chosen(&all, Some("b"), false).as_deref(), Some("a"));
        assert_eq!(chosen(&all[1..], Some("b"), false).as_deref(), Some("b"));
        assert_eq!(chosen(&all[1..], None, false).as_deref(), Some("c"));
        assert_eq!(chosen(&all[1..3], None, true).as_deref(), Some("d"));
        assert_eq!(chosen(&all[3..], None, true).as_deref(), Some("vi"));
        assert_eq!(chosen(&all[3..], None, false), None);
        assert_eq!(chosen(&[], None, true), None);
    }

    #[test]
    fn a_message_of_comments_and_blank_lines_says_nothing() {
        assert!(says_nothing("", "#"));
        assert!(says_nothing("\n# only\n \n", "#"));
        assert!(!says_nothing("#1 fixed\n; no\n", ";"));
    }
}
