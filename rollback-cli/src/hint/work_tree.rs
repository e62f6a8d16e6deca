//! Hints where the work tree, the index or an operation in progress stands in the way.

use std::ffi::OsString;

use rollback_core::RepoPath;
use rollback_core::error::{InTheWay, WorkTreeError};

use super::{Hint, Situation};
use crate::command_line::{CommandLine, from_root, os_string};

pub(super) fn hint(situation: &Situation<'_>, error: &WorkTreeError) -> Option<Hint> {
    Some(match error {
        // Giving it up would throw work away, so the line to paste is the one that explains both.
        WorkTreeError::OperationInProgress { .. } => {
            Hint::new("see how to finish it or give it up with", situation.git(&["status"]))
        }
        WorkTreeError::Unmerged { .. } => {
            Hint::new("see what waits to be resolved with", situation.git(&["status"]))
        }
        WorkTreeError::InTheWay { reason, paths } => situation.in_the_way(*reason, paths),
        WorkTreeError::SetAside { folder, .. } => Hint::new(
            "see what was kept with",
            CommandLine::of([OsString::from("find"), folder.into(), "-type".into(), "f".into()]),
        ),
        _ => return None,
    })
}

impl Situation<'_> {
    fn in_the_way(&self, reason: InTheWay, paths: &[RepoPath]) -> Hint {
        match reason {
            InTheWay::Edited | InTheWay::Staged => Hint::new("put them aside with", self.stash(&[], paths)),
            InTheWay::Untracked => {
                Hint::new("put them aside with", self.stash(&["--include-untracked"], paths))
            }
            InTheWay::Ignored => Hint::new("put them aside with", self.stash(&["--all"], paths)),
            InTheWay::SkipWorktree => {
                Hint::new("let git see them with", self.update_index("--no-skip-worktree", paths))
            }
            InTheWay::AssumeUnchanged => {
                Hint::new("let git see them with", self.update_index("--no-assume-unchanged", paths))
            }
            InTheWay::IntentToAdd => Hint::new("stage them in full with", self.on_paths(&["add"], paths)),
            InTheWay::Obstructed => match paths.first() {
                Some(path) => Hint::new("put it aside with", self.move_aside(path)),
                None => Hint::new("see what it is with", self.git(&["status"])),
            },
        }
    }

    fn stash(&self, flags: &[&str], paths: &[RepoPath]) -> CommandLine {
        self.on_paths(&[&["stash", "push"][..], flags].concat(), paths)
    }

    /// A command of git with paths after two dashes.
    fn on_paths(&self, start: &[&str], paths: &[RepoPath]) -> CommandLine {
        self.git(&[start, &["--"]].concat()).followed_by(pathspecs(paths))
    }

    /// `git update-index` takes paths and no pathspecs.
    fn update_index(&self, flag: &str, paths: &[RepoPath]) -> CommandLine {
        let paths = paths.iter().map(|path| self.in_work_tree(path.as_bytes().to_vec()));
        self.git(&["update-index", flag, "--"]).followed_by(paths)
    }

    fn move_aside(&self, path: &RepoPath) -> CommandLine {
        let beside = [path.as_bytes(), b".aside"].concat();
        let [from, to] = [path.as_bytes().to_vec(), beside].map(|path| self.in_work_tree(path));
        CommandLine::of([OsString::from("mv"), from, to])
    }

    /// Where the path is in the file system, whatever the folder that the command is pasted in.
    fn in_work_tree(&self, path: Vec<u8>) -> OsString {
        match self.repo.and_then(|repo| repo.work_dir()) {
            Some(root) => std::path::absolute(root).unwrap_or(root.to_owned()).join(os_string(path)).into(),
            None => os_string(path),
        }
    }
}

/// Paths as git takes them in any folder.
fn pathspecs(paths: &[RepoPath]) -> Vec<OsString> {
    const SHOWN: usize = 8;
    match paths.len() > SHOWN {
        true => vec![":/".into()],
        false => paths.iter().map(from_root).collect(),
    }
}
