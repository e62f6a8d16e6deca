//! Hints about operations of the log and checkpoints.

use rollback_core::Error;

use super::landing::branch_name;
use super::{Hint, Situation};

pub(super) fn hint(situation: &Situation<'_>, error: &Error) -> Option<Hint> {
    situation.undo(error).or_else(|| situation.checkpoint(error))
}

impl Situation<'_> {
    fn undo(&self, error: &Error) -> Option<Hint> {
        let typed = self.invocation;
        Some(match error {
            Error::BadCheckpointName { name, .. } => {
                let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
                let better: String = name.trim().chars().map(|c| if plain(c) { c } else { '-' }).collect();
                let better = better.trim_start_matches('-').chars().take(40).collect::<String>();
                let better = if better.is_empty() { "before".to_owned() } else { better };
                Hint::new("give it another name, such as", typed.command(&["checkpoint", "create", &better]))
            }
            Error::NothingLanded => Hint::new("see what it can do with", typed.command(&["--help"])),
            Error::UnknownOperation { .. } => Hint::new("see what there is with", typed.command(&["ops"])),
            Error::AlreadyUndone { by, .. } => {
                Hint::new("take the undo back with", typed.command(&["undo", by]))
            }
            Error::LaterCommits { commits, .. } if commits.is_empty() => {
                Hint::new("see what came later with", self.git(&["log", "--oneline", "-20"]))
            }
            Error::LaterCommits { commits, .. } | Error::Published { commits, .. } => {
                let commits: Vec<_> = commits.iter().map(ToString::to_string).collect();
                let words: Vec<_> =
                    std::iter::once("revert").chain(commits.iter().map(String::as_str)).collect();
                Hint::new("undo it by a commit of its own with", typed.command(&words))
            }
            Error::MadeElsewhere { made_on, .. } if made_on.as_bytes() == b"HEAD" => {
                Hint::new("it was detached; see which work tree has it with", self.git(&["worktree", "list"]))
            }
            Error::MadeElsewhere { made_on, .. } => {
                Hint::new("go back to that first with", self.git(&["switch", &branch_name(made_on)]))
            }
            Error::ReferenceGone { reference, expected, .. } => Hint::new(
                "if it is to be there, bring it back with",
                self.git(&["branch", &branch_name(reference), &expected.to_string()]),
            ),
            _ => return None,
        })
    }

    fn checkpoint(&self, error: &Error) -> Option<Hint> {
        let typed = self.invocation;
        Some(match error {
            Error::UnknownCheckpoint { .. } => {
                Hint::new("see what there is with", typed.command(&["checkpoint", "list"]))
            }
            Error::OperationElsewhere { .. } => {
                Hint::new("go back to where it began, with the branch, with", typed.with(&["--move-branch"]))
            }
            Error::CheckpointExists { name, .. } => Hint::new(
                "give it another name, or drop it with",
                typed.command(&["checkpoint", "drop", name]),
            ),
            _ => return None,
        })
    }
}
