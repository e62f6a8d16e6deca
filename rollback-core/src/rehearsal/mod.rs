//! Rehearsals: each change of a range rolled back by itself onto a tip, in memory.
//!
//! A rehearsal answers before an incident whether every change since the last release could be rolled back with one
//! command today, and what stands in the way of those that could not. A change is a commit on the first-parent line of
//! the range, a merge being one change against its first parent. Nothing is written; checks run in folders of their own.
//!
//! A rehearsal can be cut into shards, which other processes or machines rehearse: each line tells its number and its
//! [range](RehearsedRange), so that [`Rehearsal::join`] knows whether the parts make a whole.
//!
//! ```
//! # let folder = tempfile::tempdir()?;
//! # let repo = rollback_core::guide::sample(folder.path().join("r"))?;
//! use rollback_core::rehearsal::{Rehearsal, RehearsalOptions, Shard};
//!
//! let since_first = ["HEAD~2..HEAD".to_owned()];
//! let whole = repo.rehearse(&since_first, &RehearsalOptions::default())?;
//! let summary = whole.summary();
//! assert_eq!((summary.changes, summary.revertible), (2, 2));
//!
//! // Two shards, rehearsed anywhere, are the same as the whole.
//! let mut parts = Vec::new();
//! for number in [2, 1] {
//!     let mut options = RehearsalOptions::default();
//!     options.shard = Shard::new(number, 2);
//!     parts.push(repo.rehearse(&since_first, &options)?);
//! }
//! assert_eq!(Rehearsal::join(parts)?, whole);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

mod join;
mod run;

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::id::{CommitId, TreeId};
use crate::path::RepoPath;
use crate::strategy::AttemptResult;
use crate::verdict::{Outcome, Verdict};

/// How changes are rehearsed.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct RehearsalOptions {
    /// The revision onto which each change is rolled back; HEAD where `None`.
    pub onto: Option<String>,
    /// The part of the changes that is rehearsed; all of them where `None`.
    pub shard: Option<Shard>,
    /// How many threads work; one for each core where 0.
    pub threads: usize,
    /// Whether the later commits are looked for that stand in the way of a change that conflicts. It takes longer than
    /// the rehearsal itself.
    pub blockers: bool,
}

/// A part of the changes: every `count`-th, beginning with the `number`-th.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    number: usize,
    count: usize,
}

impl Shard {
    /// The shard `number`, counted from 1, of `count`; `None` where there is no such shard.
    pub fn new(number: usize, count: usize) -> Option<Self> {
        (1..=count).contains(&number).then_some(Self { number, count })
    }

    /// Whether the change of this number, counted from 1, belongs to the shard.
    pub fn has(self, change: usize) -> bool {
        change % self.count == self.number % self.count
    }
}

/// The text is no shard.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a shard is given as I/N, such as 1/4, with I from 1 to N")]
pub struct NoShard;

impl FromStr for Shard {
    type Err = NoShard;

    fn from_str(text: &str) -> Result<Self, NoShard> {
        let (number, count) = text.split_once('/').ok_or(NoShard)?;
        let number_of = |text: &str| text.parse().map_err(|_| NoShard);
        Self::new(number_of(number)?, number_of(count)?).ok_or(NoShard)
    }
}

/// Changes, each rolled back by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rehearsal {
    /// The range that they are of.
    pub range: RehearsedRange,
    /// The changes that were rehearsed, newest first.
    pub changes: Vec<RehearsedChange>,
}

/// A range of changes and the tip onto which they are rolled back: the same in all shards of a rehearsal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct RehearsedRange {
    /// How many changes the range has.
    pub of: usize,
    /// The commit onto which each is rolled back.
    pub tip: CommitId,
    /// What the range is known by: the SHA-256 of the ids of its changes, newest first, a line each, as
    /// `git rev-list --first-parent A..B | sha256sum` prints it.
    pub range_id: String,
}

/// A change that was rolled back by itself onto the tip, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct RehearsedChange {
    /// Its number among the changes of the range, from 1, newest first.
    pub number: usize,
    /// The range that it is of.
    #[serde(flatten)]
    pub range: RehearsedRange,
    /// The change.
    pub commit_id: CommitId,
    /// The parent of a merge that it was compared with, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mainline: Option<usize>,
    /// The first line of its message, as text for people.
    pub subject: String,
    /// What came of it.
    pub result: AttemptResult,
    /// Why it is not decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The tree of the tip without the change; absent where that is in doubt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tree_id: Option<TreeId>,
    /// The paths that are in conflict, in git's order.
    pub conflicts: Vec<RepoPath>,
    /// The later commits whose lines are in the way, newest first; absent where they were not looked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked_by: Option<Vec<CommitId>>,
    /// What undoing those first came to; absent where it was not tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with_dependents: Option<AttemptResult>,
    /// What the checks say of the result; absent where none ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<Verdict>,
}

/// How a change stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Prospect {
    /// It can be rolled back with one command.
    Revertible,
    /// The tip is as it would be without it.
    Undone,
    /// Later changes are in the way.
    Conflicted,
    /// A person has to look at it.
    NeedsReview,
    /// The result fails the checks.
    ChecksFailed,
    /// The checks say nothing about the result.
    Inconclusive,
}

impl RehearsedChange {
    /// How the change stands.
    pub fn prospect(&self) -> Prospect {
        match (self.result, self.check.as_ref().map(|verdict| verdict.outcome)) {
            (AttemptResult::Clean, None | Some(Outcome::Pass | Outcome::Skip)) => Prospect::Revertible,
            (AttemptResult::Clean, Some(Outcome::Inconclusive)) => Prospect::Inconclusive,
            (AttemptResult::Clean, Some(_)) => Prospect::ChecksFailed,
            (AttemptResult::Empty | AttemptResult::AlreadyRolledBack, _) => Prospect::Undone,
            (AttemptResult::Conflicted, _) => Prospect::Conflicted,
            _ => Prospect::NeedsReview,
        }
    }
}

/// How many changes stand how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RehearsalSummary {
    /// All of them.
    pub changes: usize,
    /// Those that can be rolled back with one command.
    pub revertible: usize,
    /// Those of which nothing is left to roll back.
    pub undone: usize,
    /// Those that conflict with later changes.
    pub conflicted: usize,
    /// Those that a person has to look at.
    pub needs_review: usize,
    /// Those whose result fails the checks.
    pub checks_failed: usize,
    /// Those about whose result the checks say nothing.
    pub inconclusive: usize,
}

impl RehearsalSummary {
    /// The share of changes that nothing stands in the way of, in percent; 100 where there are none.
    pub fn percent(&self) -> f64 {
        match self.changes {
            0 => 100.0,
            all => 100.0 * (self.revertible + self.undone) as f64 / all as f64,
        }
    }
}

impl Rehearsal {
    /// How many changes stand how.
    pub fn summary(&self) -> RehearsalSummary {
        let mut summary = RehearsalSummary { changes: self.changes.len(), ..Default::default() };
        for change in &self.changes {
            *match change.prospect() {
                Prospect::Revertible => &mut summary.revertible,
                Prospect::Undone => &mut summary.undone,
                Prospect::Conflicted => &mut summary.conflicted,
                Prospect::NeedsReview => &mut summary.needs_review,
                Prospect::ChecksFailed => &mut summary.checks_failed,
                Prospect::Inconclusive => &mut summary.inconclusive,
            } += 1;
        }
        summary
    }

    /// The commits that stand in the way of changes, and of how many each; the one in the way of most first.
    pub fn blockers(&self) -> Vec<(CommitId, usize)> {
        let mut found: Vec<(CommitId, usize)> = Vec::new();
        for id in self.changes.iter().flat_map(|change| change.blocked_by.iter().flatten()) {
            match found.iter_mut().find(|(known, _)| known == id) {
                Some((_, count)) => *count += 1,
                None => found.push((*id, 1)),
            }
        }
        found.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_counted_from_one_and_part_the_changes() {
        for wrong in ["", "1", "0/4", "5/4", "1/0", "-1/4", "a/b", "1/2/3"] {
            assert_eq!(wrong.parse::<Shard>(), Err(NoShard), "{wrong}");
        }
        let shards: Vec<Shard> = (1..=3).map(|number| format!("{number}/3").parse().unwrap()).collect();
        for change in 1..20 {
            assert_eq!(shards.iter().filter(|shard| shard.has(change)).count(), 1, "{change}");
        }
        assert!(shards[0].has(1) && shards[2].has(3));
    }

    #[test]
    fn no_change_at_all_misses_no_share() {
        assert_eq!(RehearsalSummary::default().percent(), 100.0);
    }
}
