//! Hints where the repository itself stands in the way: it is missing, of another owner, or of another format.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use rollback_core::error::RepositoryError;

use super::{Hint, Situation};
use crate::command_line::CommandLine;

pub(super) fn hint(situation: &Situation<'_>, error: &RepositoryError) -> Option<Hint> {
    let git = |args: &[&str]| situation.git(args);
    Some(match error {
        RepositoryError::NotARepository { path } => {
            Hint::new("see which repositories lie below with", repositories_below(path))
        }
        RepositoryError::NotOwned { path } => {
            let words = ["git", "config", "--global", "--add", "safe.directory"].map(OsString::from);
            let folder = work_tree_of(path).into_os_string();
            Hint::new("if you trust its owner", CommandLine::of(words.into_iter().chain([folder])))
        }
        RepositoryError::Unsupported { .. } => Hint::nothing("git has no command that takes the format away"),
        RepositoryError::LinkInGitDir { path } => Hint::new("see where it leads with", list(path)),
        RepositoryError::WorkTreeElsewhere { work_tree } => {
            let mut variable = OsString::from("GIT_WORK_TREE=");
            variable.push(work_tree);
            let typed = situation.invocation.as_typed().in_environment([variable]);
            Hint::new("if that is what you mean, say so with", typed)
        }
        RepositoryError::ForeignRecord { path, .. } => {
            Hint::new("if no rb of yours left it, put it aside with", aside(path))
        }
        RepositoryError::BadReferences { .. } => {
            Hint::new("see what else is wrong with", git(&["fsck", "--full"]))
        }
        RepositoryError::NeedsWorkTree { .. } => Hint::new(
            "put the result on a branch with",
            situation
                .invocation
                .without(&["-n", "--no-commit"])
                .with(&["--branch", &situation.free_branch()]),
        ),
        RepositoryError::CorruptIndex { .. } => {
            Hint::new("write it anew from HEAD, which unstages what is staged, with", new_index(situation))
        }
        _ => return None,
    })
}

fn new_index(situation: &Situation<'_>) -> CommandLine {
    let index = situation.repo.map(|repo| repo.git_dir().join("index"));
    let index = index.and_then(|index| std::path::absolute(index).ok()).unwrap_or(".git/index".into());
    let remove = CommandLine::of([OsString::from("rm"), index.into()]);
    CommandLine::all_of(&[remove, situation.git(&["reset"])])
}

fn repositories_below(folder: &Path) -> CommandLine {
    let words = ["-maxdepth", "3", "-name", ".git", "-prune"].map(OsString::from);
    CommandLine::of([OsString::from("find"), folder.into()].into_iter().chain(words))
}

fn list(path: &Path) -> CommandLine {
    CommandLine::of([OsString::from("ls"), "-ld".into(), path.into()])
}

/// A record goes aside alone: no other depends on it. The journal of a landing means nothing without what lies beside it,
/// so that the whole folder goes.
fn aside(record: &Path) -> CommandLine {
    let folder = record.ancestors().find(|folder| folder.file_name() == Some(OsStr::new("rb")));
    let folder = folder.unwrap_or(record);
    if record.starts_with(folder.join("records")) {
        return CommandLine::of([OsString::from("mv"), record.into(), folder.into()]);
    }
    let mut beside = folder.as_os_str().to_owned();
    beside.push(".aside");
    CommandLine::of([OsString::from("mv"), folder.into(), beside])
}

fn work_tree_of(git_dir: &Path) -> PathBuf {
    match git_dir.parent() {
        Some(parent) if git_dir.file_name() == Some(OsStr::new(".git")) => parent.to_owned(),
        _ => git_dir.to_owned(),
    }
}
