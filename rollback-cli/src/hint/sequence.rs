//! Hints for what can be wrong with a sequence of reverts or picks.

use rollback_core::error::SequenceError;

use super::{Hint, Situation};

/// What to type after an error about a sequence.
pub(super) fn hint(at: &Situation<'_>, error: &SequenceError) -> Option<Hint> {
    let typed = at.invocation;
    Some(match error {
        SequenceError::NothingInProgress | SequenceError::NotInProgress { .. } => {
            Hint::new("see where things stand with", typed.command(&["status"]))
        }
        SequenceError::AlreadyInProgress { .. } => {
            Hint::new("go back to how it was before that with", typed.command(&["abort"]))
        }
        SequenceError::OtherCommand { .. } | SequenceError::NothingToSkip { .. } => {
            Hint::new("go on with what is in progress with", typed.command(&["continue"]))
        }
        SequenceError::UnreadableTodo { .. }
        | SequenceError::UnreadableHead
        | SequenceError::UnreadableOptions { .. }
        | SequenceError::BeganUnborn => {
            Hint::new("forget it, and keep the files as they are, with", typed.command(&["quit"]))
        }
        SequenceError::IndexDiffers { .. } => {
            Hint::new("see what is staged with", at.git(&["diff", "--cached"]))
        }
        SequenceError::NeedsMainline { commit } | SequenceError::NoSuchParent { commit, .. } => {
            let commit = commit.to_string();
            Hint::new("see its parents with", at.git(&["log", "-1", "--format=%h: %p", &commit]))
        }
        SequenceError::NothingToRevert => Hint::new("see what there is with", at.git(&["status"])),
        SequenceError::NeedsReview { command, commit, .. } => {
            let commit = commit.to_string();
            Hint::new("let git do it with", at.git(&[command, "--no-edit", &commit]))
        }
        SequenceError::StrategyUnavailable { commit, name, .. } => {
            let (strategy, commit) = (format!("--strategy={name}"), commit.to_string());
            Hint::new("let git pick it with", at.git(&["cherry-pick", &strategy, &commit]))
        }
        _ => return None,
    })
}
