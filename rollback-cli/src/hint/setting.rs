//! Hints after a setting that cannot be used: a person, a date, an encoding, configuration.

use std::ffi::OsString;

use rollback_core::error::SettingError;

use super::{Hint, Situation};
use crate::command_line::CommandLine;

pub(super) fn hint(situation: &Situation<'_>, error: &SettingError) -> Option<Hint> {
    let typed = || situation.invocation.as_typed();
    Some(match error {
        SettingError::NoIdentity { .. } => Hint::new("say who you are with", identity(situation)),
        SettingError::Identity { from, .. } if from.starts_with("GIT_") => {
            Hint::new("leave it to the configuration with", typed().without_variable(from))
        }
        SettingError::Identity { from, .. } => {
            Hint::new("set it with", situation.git(&["config", from, "Your Name"]))
        }
        SettingError::Date { variable, .. } => {
            Hint::new("leave it to the clock with", typed().without_variable(variable))
        }
        SettingError::Encoding { .. } => Hint::new(
            "put the result on a branch without writing files, with",
            situation
                .invocation
                .without(&["-n", "--no-commit"])
                .with(&["--branch", &situation.free_branch()]),
        ),
        SettingError::Value { key, .. } => Hint::new(
            "see where it is set with",
            situation.git(&["config", "--show-origin", "--get-all", key]),
        ),
        SettingError::File { path, line, .. } | SettingError::Format { path, line, .. } => {
            let words = [OsString::from("sed"), "-n".into(), format!("{line}p").into(), path.into()];
            Hint::new("see the line with", CommandLine::of(words))
        }
        SettingError::Environment { variable, .. } => {
            Hint::new("leave it out with", typed().without_variable(variable))
        }
        _ => return None,
    })
}

fn identity(situation: &Situation<'_>) -> CommandLine {
    CommandLine::all_of(&[
        situation.git(&["config", "user.name", "Your Name"]),
        situation.git(&["config", "user.email", "you@example.com"]),
    ])
}
