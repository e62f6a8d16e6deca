//! Hints where a path means nothing in the history that was searched, or must not be written.

use rollback_core::RepoPath;
use rollback_core::error::{LastSeen, PathError};

use super::{Hint, Situation};
use crate::command_line::{CommandLine, os_string};

pub(super) fn hint(situation: &Situation<'_>, error: &PathError) -> Option<Hint> {
    Some(match error {
        PathError::Invalid { .. } => Hint::new(
            "paths count from this folder, or from the root after ':/'; see which there are with",
            situation.git(&["ls-files", "--full-name", ":/"]),
        ),
        PathError::NeverExisted { path, case_twins, nearest, last_seen, .. } => {
            if let Some(meant) = situation.invocation.with_options_in_front(path.as_bytes()) {
                return Some(Hint::new("options stand before the two dashes; did you mean", meant));
            }
            if let Some(meant) = case_twins.first().or(nearest.first()) {
                return Some(Hint::new("did you mean", situation.with_path(path, meant)));
            }
            elsewhere(situation, path, last_seen.as_ref())
        }
        PathError::NotTracked { path, removed_by: Some(_) } => Hint::new(
            "see how it would come back from before that with",
            situation.invocation.on_path(&["revert", "--dry-run", "--file"], path, &[]),
        ),
        PathError::NotTracked { removed_by: None, .. } => Hint::new(
            "a checkpoint may hold it; see what there is with",
            situation.invocation.command(&["checkpoint", "list"]),
        ),
        PathError::KeptOut { path } => Hint::new("take it into the work tree with", situation.take_in(path)),
        PathError::NeverGood { path, .. } => {
            Hint::new("see what happened to it with", situation.invocation.on_path(&["history"], path, &[]))
        }
        PathError::CaseCollision { .. } => Hint::new(
            "put the result on a branch without writing files, with",
            situation
                .invocation
                .without(&["-n", "--no-commit"])
                .with(&["--branch", &situation.free_branch()]),
        ),
        PathError::Hostile { .. } => Hint::nothing("no command makes it safe to write such a path"),
        _ => return None,
    })
}

/// Where a path can be looked for that the history of the tip does not have.
fn elsewhere(situation: &Situation<'_>, path: &RepoPath, last_seen: Option<&LastSeen>) -> Hint {
    if let Some(seen) = last_seen {
        return Hint::new(
            "it was last seen elsewhere; take it from there with",
            situation.invocation.on_path(&["restore"], path, &["-s", &seen.reference]),
        );
    }
    let name = String::from_utf8_lossy(path.file_name());
    Hint::new(
        "look for its name in all of history with",
        situation.git(&["log", "--all", "--oneline", "--", &format!(":(top,icase,glob)**/{name}")]),
    )
}

impl Situation<'_> {
    /// The index takes paths from the root of the work tree.
    fn take_in(&self, path: &RepoPath) -> CommandLine {
        let root = self.repo.and_then(|repo| repo.work_dir());
        let root = root.and_then(|root| std::path::absolute(root).ok()).unwrap_or(".".into());
        let words = ["git".into(), "-C".into(), root.into_os_string(), "update-index".into()];
        let path = os_string(path.as_bytes().to_vec());
        CommandLine::of(words.into_iter().chain(["--no-skip-worktree".into(), "--".into(), path]))
    }

    /// What was typed, with another path in place of `path`; a look at that path where it cannot be made out.
    fn with_path(&self, path: &RepoPath, meant: &RepoPath) -> CommandLine {
        let typed = self.invocation;
        let respelled = typed.args().iter().find_map(|arg| {
            let word = arg.as_encoded_bytes();
            let option = if word.starts_with(b"--file=") { b"--file=".len() } else { 0 };
            let spelled = respelled(&word[option..], path.as_bytes(), meant.as_bytes())?;
            Some((arg, os_string([&word[..option], &spelled].concat())))
        });
        match respelled {
            Some((arg, meant)) => typed.with_replaced(arg, &meant),
            None => typed.on_path(&["history"], meant, &[]),
        }
    }
}

/// `meant` as it would have been typed by a person who typed `path` as `word`: from the same folder, or from the root.
/// `None` where the word is not that path.
fn respelled(word: &[u8], path: &[u8], meant: &[u8]) -> Option<Vec<u8>> {
    let from_root = |path: &[u8]| [b":/", path].concat();
    if word == from_root(path) {
        return Some(from_root(meant));
    }
    let common = common_tail(word, path);
    // A slash that both have before the rest belongs to the folders.
    let tail = if common < word.len() && word[word.len() - common..].starts_with(b"/") {
        common - 1
    } else {
        common
    };
    let name = path.iter().rev().take_while(|byte| **byte != b'/').count();
    // Where more is typed than the end of the path, it leads there from a folder beside or above.
    let leads_there = tail == word.len() || word[..word.len() - tail].ends_with(b"/");
    let (typed, folder) = (&word[..word.len() - tail], &path[..path.len() - tail]);
    if tail < name || !leads_there || !(folder.is_empty() || folder.ends_with(b"/")) {
        return None;
    }
    Some(match meant.strip_prefix(folder) {
        Some(rest) => [typed, rest].concat(),
        None => from_root(meant),
    })
}

/// How many bytes at their ends are the same.
fn common_tail(one: &[u8], other: &[u8]) -> usize {
    one.iter().rev().zip(other.iter().rev()).take_while(|(a, b)| a == b).count()
}
