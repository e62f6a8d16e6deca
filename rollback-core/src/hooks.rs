//! The hooks that git runs when it reverts or picks: what running one is asked, and what came of it.
//!
//! Nothing here starts a program. A landing hands each [`HookCall`] to a [`Hooks`], which an embedder can replace; the
//! one that starts programs of this machine is [`crate::process::SystemHooks`].

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A hook that git runs for the commit of a revert or pick. It runs neither `pre-commit` nor `commit-msg` there, but where
/// a conflict was resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Hook {
    /// Before the commit of a resolved conflict: it may refuse the commit.
    PreCommit,
    /// Before each commit: it may change the message, and refuse the commit.
    PrepareCommitMsg,
    /// Before the commit of a resolved conflict, after the message was edited: it may change the message, and refuse the
    /// commit.
    CommitMsg,
    /// After each commit.
    PostCommit,
}

impl Hook {
    /// The name of its file.
    pub fn name(self) -> &'static str {
        match self {
            Self::PreCommit => "pre-commit",
            Self::PrepareCommitMsg => "prepare-commit-msg",
            Self::CommitMsg => "commit-msg",
            Self::PostCommit => "post-commit",
        }
    }
}

impl fmt::Display for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A hook to be run, once.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HookCall {
    /// Which one.
    pub hook: Hook,
    /// The file to start.
    pub program: PathBuf,
    /// What git would give it.
    pub arguments: Vec<String>,
    /// The folder to run in: the root of the work tree.
    pub folder: PathBuf,
    /// The variables that git would set; all others that redirect git are to be left out.
    pub environment: Vec<(&'static str, String)>,
}

/// How a hook ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HookEnd {
    /// Why it is a failure, such as `exit code 3`; `None` for success.
    pub failure: Option<String>,
    /// Whether it was stopped.
    pub cancelled: bool,
    /// What it wrote, both streams, as text for people.
    pub output: String,
}

/// Runs hooks.
pub trait Hooks: fmt::Debug + Send + Sync {
    /// Runs the hook to its end. One that cannot be started has failed.
    fn run(&self, call: &HookCall) -> HookEnd;
}

/// What became of a hook that is installed, in one landing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct HookRun {
    /// The hook.
    pub hook: Hook,
    /// What became of it.
    pub result: HookResult,
    /// How often it ran.
    pub runs: usize,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// What it wrote, as text for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub output: String,
}

/// What became of a hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum HookResult {
    /// It runs after the landing: what the operation log says, which is written with the landing.
    ToRun,
    /// It ran, for each commit.
    Ran,
    /// It ran and failed after the landing.
    Failed,
    /// It was not run: the repository chose it, and it is not trusted as it is.
    NotTrusted,
    /// It was not run: the result is not checked out, and hooks expect a work tree that has it.
    NotCheckedOut,
    /// It was not run: the message was edited, and this hook runs before the editor.
    BeforeEditor,
    /// It was not run: it is not any more what it was when the landing began.
    Changed,
    /// It was not run: the landing had no `Hooks` to run it.
    NobodyToRun,
}

impl HookRun {
    pub(crate) fn new(hook: Hook, result: HookResult) -> Self {
        Self { hook, result, runs: 0, failure: None, output: String::new() }
    }
}
