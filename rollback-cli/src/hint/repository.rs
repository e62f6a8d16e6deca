//! Hints where the repository itself stands in the way: it is missing, of another owner, or of another format.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use rollback_core::Error;

use super::{Hint, Situation};
use crate::command_line::CommandLine;

pub(super) fn hint(situation: &Situation<'_>, error: &Error) -> Option<Hint> {
    let git = |args: &[&str]| situation.git(args);
    Some(match error {
        Error::NotARepository { path } => {
            Hint::new("see which repositories lie below with", repositories_below(path))
        }
        Error::NotOwned { path } => {
            let words = ["git", "config", "--global", "--add", "safe.directory"].map(OsString::from);
            let folder = work_tree_of(path).into_os_string();
            Hint::new("if you trust its owner", CommandLine::of(words.into_iter().chain([folder])))
        }
        Error::ReferenceStorage { .. } => {
            Hint::new("convert the references with", git(&["refs", "migrate", "--ref-format=files"]))
        }
        Error::SparseIndex => {
            Hint::new("write the index in full with", git(&["sparse-checkout", "init", "--no-sparse-index"]))
        }
        Error::Unsupported { .. } => Hint::nothing("git has no command that takes the format away"),
        Error::LinkInGitDir { path } => Hint::new("see where it leads with", list(path)),
        Error::WorkTreeElsewhere { work_tree } => {
            let mut variable = OsString::from("GIT_WORK_TREE=");
            variable.push(work_tree);
            let CommandLine::Words(typed) = situation.invocation.as_typed() else { return None };
            let words = [OsString::from("env"), variable].into_iter().chain(typed);
            Hint::new("if that is what you mean, say so with", CommandLine::of(words))
        }
        Error::ForeignRecord { path, .. } => {
            Hint::new("if no rb of yours left it, put it aside with", aside(path))
        }
        Error::BadReferences { .. } => Hint::new("see what else is wrong with", git(&["fsck", "--full"])),
        Error::NeedsWorkTree { .. } => Hint::new(
            "put the result on a branch with",
            situation
                .invocation
                .without(&["-n", "--no-commit"])
                .with(&["--branch", &situation.free_branch()]),
        ),
        Error::Config { key, .. } => {
            Hint::new("see where it is set with", git(&["config", "--show-origin", "--get-all", key]))
        }
        _ => return None,
    })
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
