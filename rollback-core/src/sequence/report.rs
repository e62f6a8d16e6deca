//! What came of a sequence, as a document.

use serde::{Deserialize, Serialize};

use super::SequenceAction;
use crate::conflict::Conflict;
use crate::hooks::HookRun;
use crate::id::CommitId;
use crate::receipt::{Published, Recovery};
use crate::strategy::ConflictHunk;

/// How a sequence stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum SequenceStatus {
    /// Every commit was taken.
    Done,
    /// A conflict is to be resolved.
    Conflicted,
    /// A commit changes nothing here: it is to be skipped, or committed by hand.
    Empty,
    /// A hook refused the commit, which is staged.
    HookFailed,
    /// The message was not edited; the commit is staged.
    EditorFailed,
    /// The message came back empty; the commit is staged.
    EmptyMessage,
    /// Another merge strategy failed.
    StrategyFailed,
    /// It was given up; all is as before.
    Aborted,
    /// It was given up, and HEAD stays where somebody else moved it.
    HeadMoved,
    /// It was forgotten; index and work tree stay as they are.
    Quit,
}

/// What came of a sequence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct SequenceReport {
    /// git's name for the command: `revert` or `cherry-pick`.
    pub command: String,
    /// How it stands.
    pub status: SequenceStatus,
    /// The commits that were made by this call, in order.
    pub commit_ids: Vec<CommitId>,
    /// The commit at which it stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_at: Option<CommitId>,
    /// Where the merge could not decide.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<Conflict>,
    /// What stands there between conflict markers: the first hunks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hunks: Vec<ConflictHunk>,
    /// How many commits are left after the one in hand.
    pub remaining: usize,
    /// The operation that `rb undo` takes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation_id: Option<String>,
    /// What became of the hooks that are installed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hooks: Vec<HookRun>,
    /// What an earlier landing had left unfinished, and what became of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovered: Option<Recovery>,
    /// What failed after a result had landed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub later_failure: Option<String>,
    /// What became of letting the result leave this machine, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<Published>,
}

impl SequenceReport {
    pub(super) fn new(action: SequenceAction) -> Self {
        Self {
            command: action.command().to_owned(),
            status: SequenceStatus::Done,
            commit_ids: Vec::new(),
            stopped_at: None,
            conflicts: Vec::new(),
            hunks: Vec::new(),
            remaining: 0,
            operation_id: None,
            hooks: Vec::new(),
            recovered: None,
            later_failure: None,
            published: None,
        }
    }

    /// Whether something waits for a person.
    pub fn is_stopped(&self) -> bool {
        !matches!(
            self.status,
            SequenceStatus::Done | SequenceStatus::Aborted | SequenceStatus::HeadMoved | SequenceStatus::Quit
        )
    }
}
