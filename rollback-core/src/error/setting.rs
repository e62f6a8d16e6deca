//! What the configuration, the environment or the attributes say and cannot be used.

use std::path::PathBuf;

use super::kind::{ErrorClass, Family};
use crate::path::RepoPath;

/// A setting that git refuses, or that asks for something that is not supported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingError {
    /// Name or mail of the user is not known.
    #[error("no {role} identity: name and email are not configured")]
    NoIdentity {
        /// `author` or `committer`.
        role: &'static str,
    },
    /// A name that git would not put into a commit.
    #[error("{from} gives no {role} name that a commit could hold: {why}")]
    Identity {
        /// `author` or `committer`.
        role: &'static str,
        /// The variable or the key that it comes from.
        from: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A date of the environment that git cannot read.
    #[error("{variable} is no date that git reads: '{value}'")]
    Date {
        /// The variable.
        variable: &'static str,
        /// What it says.
        value: String,
    },
    /// A file that has to be written, or compared, in an encoding that is not known.
    #[error("{path} has working-tree-encoding={encoding}, an encoding that is not known here")]
    Encoding {
        /// The file.
        path: RepoPath,
        /// The name of the encoding.
        encoding: String,
    },
    /// A configuration value cannot be understood.
    #[error("bad value for {key}: {why}")]
    Value {
        /// The key, such as `core.abbrev`.
        key: String,
        /// What is wrong.
        why: String,
    },
    /// An option of the merge (`-X`) that git does not know.
    #[error("unknown strategy option '{option}'")]
    StrategyOption {
        /// What was asked for.
        option: String,
    },
    /// A configuration file that git refuses.
    #[error("bad configuration in {}, line {line}: {why}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong there.
        why: String,
    },
    /// A repository format that git refuses, or that is not supported.
    #[error("{what} ({}, line {line})", path.display())]
    Format {
        /// What it is, such as `unknown extension 'x'`.
        what: String,
        /// The configuration file that says so.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
    },
    /// Configuration of the environment (`git -c`, `GIT_CONFIG_COUNT`) that git refuses.
    #[error("bad configuration in {variable}: {why}")]
    Environment {
        /// The variable.
        variable: String,
        /// What is wrong with it.
        why: String,
    },
}

impl Family for SettingError {
    fn code(&self) -> &'static str {
        match self {
            Self::NoIdentity { .. } => "no-identity",
            Self::Identity { .. } => "bad-identity",
            Self::Date { .. } => "bad-date",
            Self::Encoding { .. } => "unknown-encoding",
            Self::Value { .. } | Self::File { .. } | Self::Environment { .. } => "bad-configuration",
            Self::Format { .. } => "unsupported-format",
            Self::StrategyOption { .. } => "unknown-strategy-option",
        }
    }

    fn class(&self) -> ErrorClass {
        match self {
            Self::StrategyOption { .. } => ErrorClass::Usage,
            _ => ErrorClass::Precondition,
        }
    }

    fn paths(&self) -> Vec<RepoPath> {
        match self {
            Self::Encoding { path, .. } => vec![path.clone()],
            _ => Vec::new(),
        }
    }
}
