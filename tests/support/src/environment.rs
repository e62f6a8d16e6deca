//! The environment that git and rb run in under test: one identity, a fixed clock, nobody's configuration.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

/// Seconds since the epoch at which the clock of the tests stands: 2025-01-01 00:00 UTC.
pub(crate) const EPOCH: i64 = 1_735_689_600;

/// Shuts the command off from the user: no variable of git but these, no configuration, an own home, UTC, English.
pub fn isolated<'a>(command: &'a mut Command, home: &Path) -> &'a mut Command {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("GIT_") || name.to_string_lossy().starts_with("RB_") {
            command.env_remove(&name);
        }
    }
    let date = format!("{EPOCH} +0000");
    if let Some(format) = ref_format() {
        command.env("GIT_DEFAULT_REF_FORMAT", format);
    }
    command
        .envs([
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_TERMINAL_PROMPT", "0"),
        ])
        .envs([("GIT_AUTHOR_NAME", "A U Thor"), ("GIT_AUTHOR_EMAIL", "author@example.com")])
        .envs([("GIT_COMMITTER_NAME", "C O Mitter"), ("GIT_COMMITTER_EMAIL", "committer@example.com")])
        .envs([("GIT_AUTHOR_DATE", &date), ("GIT_COMMITTER_DATE", &date)])
        .envs([("LC_ALL", "C.UTF-8"), ("TZ", "UTC"), ("PAGER", "cat"), ("NO_COLOR", "1")])
        .env("HOME", home)
        .env("XDG_CONFIG_HOME", home.join("config"))
        .env_remove("EDITOR")
        .env_remove("VISUAL")
}

/// What git stores references in, in repositories that tests make: `RB_REF_FORMAT`, `files` or `reftable`.
pub fn ref_format() -> Option<String> {
    std::env::var("RB_REF_FORMAT").ok().filter(|format| !format.is_empty())
}

/// The command `rb` in `folder`, isolated as git is. The caller knows the binary: `env!("CARGO_BIN_EXE_rb")`.
pub fn rb(binary: impl AsRef<OsStr>, folder: &Path) -> assert_cmd::Command {
    let mut command = Command::new(binary);
    isolated(&mut command, &home_beside(folder)).current_dir(folder);
    assert_cmd::Command::from_std(command)
}

/// A home that no test writes into.
pub(crate) fn home_beside(folder: &Path) -> std::path::PathBuf {
    folder.parent().unwrap_or(folder).join("home")
}
