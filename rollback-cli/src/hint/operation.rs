//! Hints where an operation of the log is not there, or cannot be taken back.

use std::ffi::OsStr;

use rollback_core::RepoPath;
use rollback_core::error::OperationError;

use super::{Hint, Situation};

pub(super) fn hint(situation: &Situation<'_>, error: &OperationError) -> Option<Hint> {
    let typed = situation.invocation;
    Some(match error {
        OperationError::NothingLanded => Hint::new("see what it can do with", typed.command(&["--help"])),
        OperationError::NothingToUndo => {
            Hint::new("bring the last of it back with", typed.command(&["redo"]))
        }
        OperationError::NothingToRedo => Hint::new("see what was done here with", typed.command(&["ops"])),
        OperationError::NoGitMove { .. } => {
            Hint::new("see all moves of branches with", typed.command(&["ops", "--all"]))
        }
        OperationError::MovedByRb { operation, .. } => {
            Hint::new("take that back first with", typed.command(&["undo", operation]))
        }
        OperationError::Unknown { .. } => Hint::new("see what there is with", typed.command(&["ops"])),
        OperationError::NotInProgress { .. } => {
            Hint::new("see where things stand with", situation.git(&["status"]))
        }
        OperationError::Continued { by, .. } => {
            Hint::new("take both back with", typed.command(&["undo", by]))
        }
        OperationError::AlreadyUndone { by, .. } => {
            Hint::new("take the undo back with", typed.command(&["undo", by]))
        }
        OperationError::LaterCommits { commits, .. } if commits.is_empty() => {
            Hint::new("see what came later with", situation.git(&["log", "--oneline", "-20"]))
        }
        OperationError::LaterCommits { commits, .. } | OperationError::Published { commits, .. } => {
            let commits: Vec<_> = commits.iter().map(ToString::to_string).collect();
            let words: Vec<_> = std::iter::once("revert").chain(commits.iter().map(String::as_str)).collect();
            Hint::new("undo it by a commit of its own with", typed.command(&words))
        }
        OperationError::MadeElsewhere { made_on, .. } if made_on.as_bytes() == b"HEAD" => Hint::new(
            "it was detached; see which work tree has it with",
            situation.git(&["worktree", "list"]),
        ),
        OperationError::MadeElsewhere { made_on, .. } => {
            Hint::new("go back to that first with", situation.git(&["switch", &branch_name(made_on)]))
        }
        OperationError::ReferenceGone { reference, expected, .. } => Hint::new(
            "if it is to be there, bring it back with",
            situation.git(&["branch", &branch_name(reference), &expected.to_string()]),
        ),
        OperationError::NothingToPush { .. } => Hint::new("see what landed with", typed.command(&["ops"])),
        OperationError::NoRemote { named: Some(name), remotes } if !remotes.is_empty() => {
            let (old, new) = (format!("--push={name}"), format!("--push={}", remotes[0]));
            let command = match typed.has(&old) {
                true => typed.with_replaced(OsStr::new(&old), OsStr::new(&new)),
                false => typed.with_replaced(OsStr::new(name), OsStr::new(&remotes[0])),
            };
            Hint::new("name one that there is, such as", command)
        }
        OperationError::NoRemote { named: None, remotes } if !remotes.is_empty() => {
            let (old, new) = (OsStr::new("--push"), format!("--push={}", remotes[0]));
            let command = match typed.has("--push") {
                true => typed.with_replaced(old, OsStr::new(&new)),
                false => typed.with(&[&new]),
            };
            Hint::new("name one, such as", command)
        }
        OperationError::NoRemote { .. } => {
            Hint::new("see which remotes there are with", situation.git(&["remote", "-v"]))
        }
        OperationError::OutsideNotAllowed { .. } => {
            Hint::new("take those back too with", typed.with(&["--with-outside"]))
        }
        _ => return None,
    })
}

/// The name of a branch without `refs/heads/`.
fn branch_name(reference: &RepoPath) -> String {
    let name = reference.to_string();
    name.strip_prefix("refs/heads/").map(ToOwned::to_owned).unwrap_or(name)
}
