//! Where a value of the configuration comes from: the file and its line, the command line or the environment.

use std::path::PathBuf;

use bstr::ByteSlice;
use gix::config::Source;
use serde::Serialize;

use super::Repo;
use super::config_file;

/// The value of a configuration key that counts, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ConfigValue {
    /// The value as text; `true` for a name without `=`.
    pub value: String,
    /// Whose word it is.
    pub scope: ConfigScope,
    /// The file; absent where it was not read from one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub path: Option<PathBuf>,
    /// Its line in the file, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
}

/// Whose word a value of the configuration is, as `git config --show-scope` says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ConfigScope {
    /// The machine's.
    System,
    /// The user's.
    Global,
    /// The repository's.
    Local,
    /// That of this work tree.
    Worktree,
    /// `git -c`, or the variables that stand for it.
    Command,
}

impl ConfigScope {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Global => "global",
            Self::Local => "local",
            Self::Worktree => "worktree",
            Self::Command => "command",
        }
    }
}

impl Repo {
    /// The last value of a key without a subsection, such as `core.editor`, and where it stands; `None` where it is not set.
    pub fn config_value(&self, key: &str) -> Option<ConfigValue> {
        let (section, name) = key.split_once('.')?;
        let repo = self.local();
        let config = repo.config_snapshot();
        let sections = config.plumbing().sections_by_name(section)?;
        let of_key = sections.filter(|section| section.header().subsection_name().is_none());
        let last = of_key.filter(|section| section.contains_value_name(name)).last()?;
        let value = last.value(name).map_or("true".to_owned(), |value| value.to_str_lossy().into_owned());
        let scope = match last.meta().source {
            Source::GitInstallation | Source::System => ConfigScope::System,
            Source::Git | Source::User => ConfigScope::Global,
            Source::Local => ConfigScope::Local,
            Source::Worktree => ConfigScope::Worktree,
            _ => ConfigScope::Command,
        };
        let path = last.meta().path.clone();
        let line = path.as_ref().and_then(|path| {
            let settings = config_file::read(&std::fs::read(path).ok()?).ok()?;
            let is_key = |setting: &&config_file::Setting| setting.key().eq_ignore_ascii_case(key);
            settings.iter().rfind(is_key).map(|setting| setting.line)
        });
        Some(ConfigValue { value, scope, path, line })
    }
}
