//! Hints where a checkpoint cannot be made, found or restored.

use rollback_core::error::CheckpointError;

use super::{Hint, Situation};

pub(super) fn hint(situation: &Situation<'_>, error: &CheckpointError) -> Option<Hint> {
    let typed = situation.invocation;
    Some(match error {
        CheckpointError::OperationElsewhere { .. } => {
            Hint::new("go back to where it began, with the branch, with", typed.with(&["--move-branch"]))
        }
        CheckpointError::BadName { name, .. } => {
            let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            let better: String = name.trim().chars().map(|c| if plain(c) { c } else { '-' }).collect();
            let better = better.trim_start_matches('-').chars().take(40).collect::<String>();
            let better = if better.is_empty() { "before".to_owned() } else { better };
            Hint::new("give it another name, such as", typed.command(&["checkpoint", "create", &better]))
        }
        CheckpointError::Unknown { .. } => {
            Hint::new("see what there is with", typed.command(&["checkpoint", "list"]))
        }
        CheckpointError::Exists { name, .. } => {
            Hint::new("give it another name, or drop it with", typed.command(&["checkpoint", "drop", name]))
        }
        CheckpointError::Damaged { .. } => {
            Hint::new("see how far the damage goes with", situation.git(&["fsck", "--full"]))
        }
        _ => return None,
    })
}
