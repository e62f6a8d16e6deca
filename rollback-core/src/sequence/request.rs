//! What a sequence is asked for, and what it works with.

use std::sync::Arc;

use super::{SequenceAction, SequenceOptions};
use crate::hooks::Hooks;
use crate::id::CommitId;
use crate::message::MessageOptions;
use crate::receipt::{CommitTime, Identity};
use crate::strategy::Restriction;

/// What is to be undone or replayed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SequenceRequest {
    /// What is done with the commits.
    pub action: SequenceAction,
    /// The commits, in the order in which they are taken.
    pub commits: Vec<CommitId>,
    /// Whether it is one commit that was named, which may be taken while a sequence waits.
    pub single: bool,
    /// How.
    pub options: SequenceOptions,
    /// How a single commit is restricted to paths; all of it is taken where absent.
    pub restriction: Option<Restriction>,
    /// What is said of the message beyond what the options say.
    pub wording: MessageOptions,
    /// What was asked for, as text for people; the operation log has it.
    pub target: String,
}

impl SequenceRequest {
    /// These commits, as git takes them.
    pub fn new(action: SequenceAction, commits: Vec<CommitId>) -> Self {
        let target = commits.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        let (single, options) = (commits.len() == 1, SequenceOptions::default());
        let (restriction, wording) = (None, MessageOptions::default());
        Self { action, commits, single, options, restriction, wording, target }
    }
}

/// What a sequence works with beside the repository.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct SequenceContext {
    /// Who runs hooks; none is run where absent.
    pub hooks: Option<Arc<dyn Hooks>>,
    /// Whether all is done as git does it, also what rb does more safely: hooks of a repository run although it is not
    /// trusted, and a commit that was refused (a file was in the way) is left out when the sequence goes on.
    pub as_git: bool,
    /// What the logs of references call the action (`GIT_REFLOG_ACTION`); git's own word where absent.
    pub reflog_action: Option<String>,
    /// Whether another program helps with conflicts and makes the commit itself (`GIT_CHERRY_PICK_HELP`).
    pub helped: bool,
    /// Who commits; configuration and environment decide where absent.
    pub identity: Option<Identity>,
    /// The time of the commits; the system's clock and zone where absent.
    pub time: Option<CommitTime>,
    /// Whether the message of a resolved conflict is edited where nothing says so.
    pub edits_resolved: bool,
}
