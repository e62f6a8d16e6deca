//! What a sequence tells, and what it asks of those who embed it: an editor, another merge strategy.

use std::path::Path;

use super::{RerereEvent, SequenceAction};
use crate::hooks::HookRun;
use crate::id::{CommitId, ObjectId};
use crate::merge::Merged;

/// Who is told what happens, and starts what the library does not start.
pub trait SequenceFront {
    /// Lets the message in this file be edited; `Err` with why it was not.
    ///
    /// # Errors
    /// Why there is no edited message, as text for people.
    fn edit(&mut self, file: &Path) -> Result<(), String>;

    /// Merges by a strategy of another program, as `git merge-NAME` does: into index and work tree. Returns its exit code.
    ///
    /// # Errors
    /// Why it could not be started.
    fn merge_by_strategy(&mut self, call: &StrategyCall<'_>) -> Result<i32, String>;

    /// Something happened.
    fn tell(&mut self, event: SequenceEvent<'_>);
}

/// A merge that another program is to make.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct StrategyCall<'a> {
    /// The name of the strategy.
    pub name: &'a str,
    /// Its options, as `-X` takes them.
    pub options: &'a [String],
    /// The commit that the change is compared with; the empty tree for a root.
    pub base: ObjectId,
    /// HEAD; the empty tree on a branch without commits.
    pub ours: ObjectId,
    /// The commit that comes in.
    pub theirs: CommitId,
}

/// What happened in a sequence.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum SequenceEvent<'a> {
    /// A commit was merged.
    Merged(&'a Merged),
    /// A commit was made.
    Committed(CommitId),
    /// A commit changes nothing any more, and was left out.
    Dropped(CommitId),
    /// A conflict was kept or resolved.
    Rerere(&'a RerereEvent),
    /// The merge of a commit has conflicts, or another program could not merge it.
    CouldNotMerge {
        /// The commit.
        commit: CommitId,
        /// What was to be done with it.
        action: SequenceAction,
        /// Whether there are conflicts to resolve.
        conflicts: bool,
    },
    /// A hook wrote something.
    Hook(&'a HookRun),
    /// HEAD is not where the last step left it, and stays where it is.
    HeadMoved,
}

/// A front that nobody looks at, for what neither edits nor merges.
pub(super) struct Silent;

impl SequenceFront for Silent {
    fn edit(&mut self, _: &Path) -> Result<(), String> {
        Err("there is no editor".to_owned())
    }

    fn merge_by_strategy(&mut self, _: &StrategyCall<'_>) -> Result<i32, String> {
        Err("no other program is started".to_owned())
    }

    fn tell(&mut self, _: SequenceEvent<'_>) {}
}
