//! Hints where a path means nothing in the history that was searched.

use std::ffi::OsStr;

use rollback_core::{Error, RepoPath};

use super::{Hint, Situation};
use crate::command_line::CommandLine;

pub(super) fn hint(situation: &Situation<'_>, error: &Error) -> Option<Hint> {
    Some(match error {
        Error::InvalidPath { .. } => Hint::new(
            "count from the root of the repository with a leading ':/', as in",
            situation.invocation.command(&["history", ":/PATH"]),
        ),
        Error::PathNeverExisted { path, case_twins, .. } if !case_twins.is_empty() => {
            Hint::new("did you mean", situation.with_path(path, &case_twins[0]))
        }
        Error::PathNeverExisted { path, last_seen: Some(seen), .. } => Hint::new(
            "it was last seen elsewhere; take it from there with",
            situation.invocation.on_path(&["restore"], path, &["-s", &seen.reference]),
        ),
        Error::PathNeverExisted { path, .. } => {
            let name = String::from_utf8_lossy(path.file_name());
            Hint::new(
                "look for its name in all of history with",
                situation.git(&["log", "--all", "--oneline", "--", &format!(":(top,icase,glob)**/{name}")]),
            )
        }
        Error::NotTracked { path, removed_by: Some(_) } => Hint::new(
            "see how it would come back from before that with",
            situation.invocation.on_path(&["revert", "--dry-run", "--file"], path, &[]),
        ),
        Error::NotTracked { removed_by: None, .. } => Hint::new(
            "a checkpoint may hold it; see what there is with",
            situation.invocation.command(&["checkpoint", "list"]),
        ),
        Error::KeptOut { path } => Hint::new("take it into the work tree with", situation.take_in(path)),
        Error::NeverGood { path, .. } => {
            Hint::new("see what happened to it with", situation.invocation.on_path(&["history"], path, &[]))
        }
        _ => return None,
    })
}

impl Situation<'_> {
    /// The index takes paths from the root of the work tree.
    fn take_in(&self, path: &RepoPath) -> CommandLine {
        let root = self.repo.and_then(|repo| repo.work_dir());
        let root = root.and_then(|root| std::path::absolute(root).ok()).unwrap_or(".".into());
        let words = ["git".into(), "-C".into(), root.into_os_string(), "update-index".into()];
        let path = crate::invocation::os_string(path.as_bytes().to_vec());
        CommandLine::of(words.into_iter().chain(["--no-skip-worktree".into(), "--".into(), path]))
    }

    /// What was typed, with the path spelled as its twin. Twins differ in case alone, so they are equally long.
    fn with_path(&self, path: &RepoPath, twin: &RepoPath) -> CommandLine {
        let typed = self.invocation;
        let respelled = typed.args().iter().find_map(|arg| {
            let tail = common_tail(arg.as_encoded_bytes(), path.as_bytes());
            let start = path.as_bytes().len() - tail;
            let same_folder = path.as_bytes()[..start] == twin.as_bytes()[..start];
            if tail < path.file_name().len() || !same_folder {
                return None;
            }
            let mut meant = arg.as_encoded_bytes()[..arg.len() - tail].to_vec();
            meant.extend_from_slice(&twin.as_bytes()[start..]);
            Some((arg, crate::invocation::os_string(meant)))
        });
        match respelled {
            Some((arg, meant)) => typed.with_replaced(arg, OsStr::new(&meant)),
            None => typed.on_path(&["history"], twin, &[]),
        }
    }
}

/// How many bytes at their ends are the same.
fn common_tail(one: &[u8], other: &[u8]) -> usize {
    one.iter().rev().zip(other.iter().rev()).take_while(|(a, b)| a == b).count()
}
