//! Hints where the work tree, the index or an operation in progress stands in the way.

use std::ffi::OsString;

use rollback_core::error::InTheWay;
use rollback_core::{Error, RepoPath};

use super::{Hint, Situation};
use crate::command_line::CommandLine;
use crate::invocation::{from_root, os_string};

pub(super) fn hint(situation: &Situation<'_>, error: &Error) -> Option<Hint> {
    Some(match error {
        // Giving it up would throw work away, so the line to paste is the one that explains both.
        Error::OperationInProgress { .. } => {
            Hint::new("see how to finish it or give it up with", situation.git(&["status"]))
        }
        Error::Unmerged { .. } => Hint::new("see what waits to be resolved with", situation.git(&["status"])),
        Error::InTheWay { reason, paths } => situation.in_the_way(*reason, paths),
        Error::CaseCollision { .. } => Hint::new(
            "put the result on a branch without writing files, with",
            situation
                .invocation
                .without(&["-n", "--no-commit"])
                .with(&["--branch", &situation.free_branch()]),
        ),
        Error::HostilePath { .. } => Hint::nothing("no command makes it safe to write such a path"),
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
            InTheWay::Obstructed => match paths.first() {
                Some(path) => Hint::new("put it aside with", self.move_aside(path)),
                None => Hint::new("see what it is with", self.git(&["status"])),
            },
        }
    }

    fn stash(&self, flags: &[&str], paths: &[RepoPath]) -> CommandLine {
        let start = [&["stash", "push"][..], flags, &["--"]].concat();
        let CommandLine::Words(mut words) = self.git(&start) else { unreachable!() };
        words.extend(pathspecs(paths));
        CommandLine::Words(words)
    }

    fn move_aside(&self, path: &RepoPath) -> CommandLine {
        let at = |bytes: Vec<u8>| match self.repo.and_then(|repo| repo.work_dir()) {
            Some(root) => std::path::absolute(root).unwrap_or(root.to_owned()).join(os_string(bytes)).into(),
            None => os_string(bytes),
        };
        let beside = [path.as_bytes(), b".aside"].concat();
        CommandLine::of([OsString::from("mv"), at(path.as_bytes().to_vec()), at(beside)])
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
