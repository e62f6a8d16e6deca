//! One merge by the installed git: it never writes the repository, never fetches, and creates its objects elsewhere.

use std::path::Path;
use std::time::Duration;

use super::{Command, DEFAULT_ENVIRONMENT, Ended, Output, Runner, StartError};
use crate::error::{Error, LandingError, Result};
use crate::id::TreeId;

/// git may take its time: some single merges take it half a minute.
const PATIENCE: Duration = Duration::from_secs(600);

/// The installed git in a repository.
pub(crate) struct MergingGit<'a> {
    pub(crate) runner: &'a dyn Runner,
    pub(crate) git_dir: &'a Path,
    /// The objects of the repository.
    pub(crate) objects: &'a Path,
    /// Where further objects lie, and where new ones go.
    pub(crate) created: &'a Path,
    /// Options of the merge, each as `-X` takes it.
    pub(crate) strategy_options: &'a [String],
}

impl MergingGit<'_> {
    /// Merges what led from the first tree to the third into the second: whether without a conflict, and the result.
    ///
    /// # Errors
    /// [`LandingError::CrossCheckFailed`] where git is too old for it (2.45 is needed) or fails.
    pub(crate) fn merge(&self, [base, ours, theirs]: [TreeId; 3]) -> Result<(bool, TreeId)> {
        let mut words: Vec<_> = ["merge-tree", "--write-tree", "--no-messages"].map(str::to_owned).into();
        words.extend(self.strategy_options.iter().map(|option| format!("--strategy-option={option}")));
        words.extend([format!("--merge-base={base}"), ours.to_string(), theirs.to_string()]);
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        let command = git(self.git_dir, &words)
            .env("GIT_OBJECT_DIRECTORY", path_text(self.created)?)
            .env("GIT_ALTERNATE_OBJECT_DIRECTORIES", quoted(path_text(self.objects)?));
        let output = self.runner.run(&command, &mut ()).map_err(|error| failed(error.to_string()))?;
        let clean = match output.ended {
            Ended::Exited(0) => true,
            Ended::Exited(1) => false,
            _ => return Err(failed(what_git_said(&output))),
        };
        let first = output.stdout.as_bytes().split(|byte| *byte == b'\n').next().unwrap_or_default();
        let tree = std::str::from_utf8(first).ok().and_then(|id| id.trim().parse().ok());
        tree.map(|tree| (clean, tree)).ok_or_else(|| failed(what_git_said(&output)))
    }
}

/// What the installed git calls itself; `None` where none is installed.
///
/// # Errors
/// [`LandingError::CrossCheckFailed`].
pub(crate) fn installed_git(runner: &dyn Runner, git_dir: &Path) -> Result<Option<String>> {
    match runner.run(&git(git_dir, &["version"]), &mut ()) {
        Err(StartError::NotFound { .. }) => Ok(None),
        Err(error) => Err(failed(error.to_string())),
        Ok(output) => Ok(Some(String::from_utf8_lossy(output.stdout.as_bytes()).trim().to_owned())),
    }
}

/// The version of the installed git, such as `2.55.0`; `None` where none is installed or it does not tell. It is started in
/// `folder`.
pub fn installed_version(runner: &dyn Runner, folder: &Path) -> Option<String> {
    installed_git(runner, folder).ok()??.strip_prefix("git version ").map(ToOwned::to_owned)
}

fn git(git_dir: &Path, words: &[&str]) -> Command {
    Command::new(std::iter::once("git").chain(words.iter().copied()), git_dir)
        .inherit(DEFAULT_ENVIRONMENT.iter().copied())
        .env("GIT_DIR", git_dir.to_string_lossy())
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("LC_ALL", "C")
        .timeout(PATIENCE)
}

fn what_git_said(output: &Output) -> String {
    let said = String::from_utf8_lossy(output.stderr.as_bytes());
    match said.lines().next() {
        Some(line) => format!("git merge-tree ended with {}: {line}", output.ended),
        None => format!("git merge-tree ended with {}", output.ended),
    }
}

fn failed(why: String) -> Error {
    LandingError::CrossCheckFailed { why }.into()
}

fn path_text(path: &Path) -> Result<&str> {
    path.to_str().ok_or_else(|| failed(format!("the path {} is not UTF-8", path.display())))
}

/// A path in a list of paths, as git unquotes it: a colon would end it.
fn quoted(path: &str) -> String {
    if path.contains([':', ';', '"']) {
        format!("\"{}\"", path.replace('\\', "\\\\").replace('"', "\\\""))
    } else {
        path.to_owned()
    }
}
