//! Bisection: which change turned what a check says from good to bad.
//!
//! The search goes along the first-parent line first, where each merge is one change, and then inside the merge that turned
//! bad. Several commits are judged at once, each in a folder of its own: beside the next one those that would be next after
//! its verdicts. A tree is judged once, whichever commits have it. Nothing is written to the repository.
//!
//! A verdict counts once [`BisectOptions::confirm`] more runs say so than say otherwise, so that a check that fails now and
//! then still leads to the culprit; commits at which its runs disagree are told.
//!
//! ```
//! # let folder = tempfile::tempdir()?;
//! # let repo = rollback_core::guide::sample(folder.path().join("r"))?;
//! use rollback_core::bisect::BisectOptions;
//! use rollback_core::checks::{CheckOptions, Checker};
//! use rollback_core::process::SystemRunner;
//!
//! let says_hello = ["grep", "-q", "hello", "app.py"].map(String::from).to_vec();
//! let checker = Checker::new(&repo, &SystemRunner);
//! // No good commit is named: one is searched for.
//! let found = checker.bisect(&BisectOptions::default(), &CheckOptions::new([says_hello]), &mut ())?;
//! let culprit = found.culprit.expect("every commit could be judged");
//! assert_eq!(culprit.subject, "break the greeting");
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

mod graph;
mod judge;
mod run;
mod search;
#[cfg(test)]
mod tests;

use serde::Serialize;

use crate::id::CommitId;
use crate::path::RepoPath;

pub use judge::{Judge, Ruling};

/// What is searched.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BisectOptions {
    /// A commit at which the check passes; searched for on the first-parent line of the bad one where `None`.
    pub good: Option<String>,
    /// A commit at which the check fails; HEAD where `None`.
    pub bad: Option<String>,
    /// Only commits that touch one of these paths can be the culprit; all where there are none.
    pub paths: Vec<RepoPath>,
    /// How many more runs have to say so than say otherwise before a verdict counts; at least 1.
    pub confirm: usize,
    /// How many commits are judged at once; one for each core where 0.
    pub threads: usize,
}

impl Default for BisectOptions {
    fn default() -> Self {
        Self { good: None, bad: None, paths: Vec::new(), confirm: 1, threads: 0 }
    }
}

/// What a bisection found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Bisection {
    /// The commit at which the check passes.
    pub good: CommitId,
    /// The commit at which it fails.
    pub bad: CommitId,
    /// Whether the good commit was searched for rather than named.
    pub good_was_searched: bool,
    /// The paths that a culprit has to touch.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<RepoPath>,
    /// What was searched.
    pub range: Outlook,
    /// The change that turned it bad; absent where commits that could not be judged leave several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub culprit: Option<BisectCulprit>,
    /// Where the culprit is not known, all that it can be; the first is bad, and no other could be judged.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub suspects: Vec<CommitId>,
    /// What was judged, in order.
    pub judged: Vec<JudgedCommit>,
    /// How often the check ran.
    pub runs: RunCounts,
}

impl Bisection {
    /// The commits at which runs of the check disagree.
    pub fn flaky(&self) -> impl Iterator<Item = &JudgedCommit> {
        self.judged.iter().filter(|judged| judged.is_flaky())
    }
}

/// The change that turned a check from good to bad.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct BisectCulprit {
    /// The commit.
    pub commit_id: CommitId,
    /// The first line of its message, as text for people.
    pub subject: String,
    /// The parent that a merge is compared with, counted from 1; absent for any other commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mainline: Option<usize>,
    /// The merge that brought it into the first-parent history of the bad commit; absent where it is part of that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub introduced_by: Option<CommitId>,
}

/// How much there is to search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Outlook {
    /// How many commits can be the culprit.
    pub commits: usize,
    /// How many commits the first-parent line between the ends has.
    pub on_first_parents: usize,
    /// About how many commits have to be judged.
    pub steps: u32,
}

/// A commit that was judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct JudgedCommit {
    /// The commit.
    pub commit_id: CommitId,
    /// What is said of it.
    pub verdict: BisectVerdict,
    /// Why, as a fragment; empty for a plain pass.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// How often the check ran on it: 0 where another commit with the same tree was judged before.
    pub runs: usize,
    /// How many runs passed.
    pub passed: usize,
    /// How many runs failed.
    pub failed: usize,
    /// How long they took together, in milliseconds.
    pub elapsed_ms: u64,
    /// Whether the search went by it: what is judged ahead, on a core that would idle, may not be needed.
    pub needed: bool,
}

impl JudgedCommit {
    /// What is said of another commit with the same files, on which nothing ran.
    fn for_same_files(&self, commit_id: CommitId) -> Self {
        Self { commit_id, runs: 0, passed: 0, failed: 0, elapsed_ms: 0, ..self.clone() }
    }

    /// Whether runs disagree.
    pub fn is_flaky(&self) -> bool {
        self.passed > 0 && self.failed > 0
    }
}

/// What a check says of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum BisectVerdict {
    /// It passes.
    Good,
    /// It fails.
    Bad,
    /// It says nothing.
    Skipped,
}

/// How often a check ran.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct RunCounts {
    /// On the ends of the range, and in the search for a good commit.
    pub ends: usize,
    /// On commits by which the search went.
    pub search: usize,
    /// On commits that were judged ahead and not needed.
    pub ahead: usize,
}

impl RunCounts {
    /// All of them.
    pub fn total(&self) -> usize {
        self.ends + self.search + self.ahead
    }
}

/// Sees how a bisection goes on.
pub trait BisectWatch {
    /// The ends are known.
    fn begins(&mut self, good: CommitId, bad: CommitId, range: &Outlook);
    /// These commits are going to be judged, at once.
    fn judges(&mut self, commits: &[CommitId]);
    /// A commit was judged; `left` is absent while ends are.
    fn judged(&mut self, judged: &JudgedCommit, left: Option<&Outlook>);
}

/// Sees nothing.
impl BisectWatch for () {
    fn begins(&mut self, _: CommitId, _: CommitId, _: &Outlook) {}
    fn judges(&mut self, _: &[CommitId]) {}
    fn judged(&mut self, _: &JudgedCommit, _: Option<&Outlook>) {}
}
