//! Settings, their values and where those come from, for people and programs.

use rollback_core::repo::ConfigScope;
use serde::Serialize;

use super::Look;
use crate::terminal::style::{Palette, paint};
use crate::terminal::text::{escape, pad, wrap};

/// What `rb config --json` prints.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(crate) struct Settings {
    /// The version of this document.
    pub(crate) schema_version: u32,
    /// The settings, in the order of the manual: keys of rb, keys of git, variables.
    pub(crate) settings: Vec<Row>,
}

/// A setting, and what holds.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(crate) struct Row {
    /// Its name; `<name>` stands for any.
    pub(crate) name: &'static str,
    /// Whether it is a key of the configuration or a variable of the environment.
    pub(crate) kind: Kind,
    /// What it is for.
    pub(crate) about: &'static str,
    /// What holds where it is not set.
    pub(crate) default: &'static str,
    /// The value; absent where it is not set, and `set` for a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<String>,
    /// Whose word the value of a key is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) scope: Option<ConfigScope>,
    /// The file that the value of a key stands in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<String>,
    /// Its line there, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) line: Option<usize>,
}

/// What a setting is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// A key of rb's own.
    Key,
    /// A key of git's.
    GitKey,
    /// A variable of the environment.
    Variable,
}

/// The settings, a line each; what each is for is told too where that was asked for.
pub(crate) fn list(rows: &[Row], told: bool, look: Look) -> String {
    let mut text = String::new();
    let width = rows.iter().map(|row| row.name.len()).max().unwrap_or(0).min(28);
    let mut kind = None;
    for row in rows {
        if kind != Some(row.kind) && !told {
            let heading = match row.kind {
                Kind::Key => "Keys of rb's own",
                Kind::GitKey => "Keys of git's that count",
                Kind::Variable => "Variables of the environment",
            };
            let gap = if kind.is_some() { "\n" } else { "" };
            text.push_str(&format!("{gap}{}\n", paint(Palette::HEADING, heading)));
        }
        kind = Some(row.kind);
        let name = paint(Palette::NAME, pad(row.name, width));
        let value = match (&row.value, row.default) {
            (Some(value), _) => escape(value).into_owned(),
            (None, "") => "not set".to_owned(),
            (None, default) => default.to_owned(),
        };
        let from = paint(Palette::QUIET, format!("({})", origin(row)));
        text.push_str(&format!("{name}  {value}  {from}\n"));
        if told || look.verbose {
            for line in wrap(row.about, look.width().max(60) - 4) {
                text.push_str(&format!("    {line}\n"));
            }
        }
    }
    text
}

/// Where the value comes from.
fn origin(row: &Row) -> String {
    match (&row.scope, &row.path, &row.value) {
        (Some(scope), Some(path), _) => {
            let line = row.line.map(|line| format!(":{line}")).unwrap_or_default();
            format!("{}, {}{line}", scope.as_str(), escape(path))
        }
        (Some(scope), None, _) => scope.as_str().to_owned(),
        (None, _, Some(_)) => "environment".to_owned(),
        (None, _, None) if row.name.contains('<') => "rb config tells no single value".to_owned(),
        _ => "default".to_owned(),
    }
}
