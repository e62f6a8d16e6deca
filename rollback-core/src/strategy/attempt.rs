//! What an attempt says: the part of the plan document that every strategy fills in.

use serde::{Deserialize, Serialize};

use super::Strategy;
use super::dependents::Dependent;
use super::hunks::ConflictHunk;
use super::part::Part;
use crate::conflict::Conflict;
use crate::error::{Error, LandingError};
use crate::history::{PathChange, Rename};
use crate::id::{CommitId, TreeId};
use crate::path::RepoPath;

/// One rung of the ladder, and what would come of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Attempt {
    /// The way that was tried.
    pub strategy: Strategy,
    /// Whether all of the commit was taken or only what it did to some paths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// The commit undone or replayed, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit_id: Option<CommitId>,
    /// The mainline of a merge, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mainline: Option<usize>,
    /// The commit that content was taken from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<CommitId>,
    /// What came of it.
    pub result: AttemptResult,
    /// Why this rung was not taken; a clean result with a reason was rejected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The tree that would be committed; absent unless the result is clean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tree_id: Option<TreeId>,
    /// Where the merge could not decide.
    pub conflicts: Vec<Conflict>,
    /// What stands there between conflict markers: the first hunks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hunks: Vec<ConflictHunk>,
    /// How the change that could not be merged was restricted to paths; absent where it was all of a commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restriction: Option<Restriction>,
    /// The paths whose entries would differ from the tip's.
    pub paths_touched: Vec<RepoPath>,
    /// The same paths with what stands there at the tip and what would stand there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<PathChange>,
    /// The paths in which a side was preferred, as [`PlanOptions::strategy_options`](crate::PlanOptions) asks (`ours`,
    /// `theirs`), and which would be in conflict otherwise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decided: Vec<RepoPath>,
    /// What would be lost.
    pub loss: Loss,
    /// Later commits whose lines are in the way, newest first; absent where that was not computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dependents: Option<Vec<CommitId>>,
    /// Of each of them what it is in the way of, and where; in the same order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dependent_on: Vec<Dependent>,
    /// What undoing those first, all of each, was found to come to; absent where it was not tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with_dependents: Option<AttemptResult>,
    /// Commits of which nothing is left to undo or replay: no commit is made for them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<CommitId>,
    /// The commits that would be made, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
}

impl Attempt {
    /// An attempt with `strategy` of which nothing is known yet.
    pub(crate) fn new(strategy: Strategy) -> Self {
        Self {
            strategy,
            scope: None,
            commit_id: None,
            mainline: None,
            from: None,
            result: AttemptResult::NotApplicable,
            reason: None,
            tree_id: None,
            conflicts: Vec::new(),
            hunks: Vec::new(),
            restriction: None,
            paths_touched: Vec::new(),
            changes: Vec::new(),
            decided: Vec::new(),
            loss: Loss { class: LossClass::Exact, discards: Vec::new() },
            dependents: None,
            dependent_on: Vec::new(),
            with_dependents: None,
            left_out: Vec::new(),
            steps: Vec::new(),
        }
    }

    /// An attempt with `strategy` that was not made, because `reason`.
    pub(crate) fn not_applicable(strategy: Strategy, reason: impl Into<String>) -> Self {
        Self { reason: Some(reason.into()), ..Self::new(strategy) }
    }

    /// Whether landing it needs consent: it discards later edits, and no one preferred the side that discards them.
    pub fn needs_consent(&self) -> bool {
        self.loss.class == LossClass::Snapshot && !self.loss.discards.is_empty() && self.decided.is_empty()
    }

    /// The paths that have another name at the tip than in the commits that were undone, replayed or taken from.
    pub fn renamed(&self) -> Vec<Rename> {
        let mut renamed: Vec<_> = self.steps.iter().flat_map(|step| step.renamed.clone()).collect();
        renamed.sort();
        renamed.dedup();
        renamed
    }

    /// The refusal to discard what it would discard.
    pub fn loss_refused(&self) -> Error {
        LandingError::LossNotAllowed {
            discards: self.loss.discards.clone(),
            paths: self.paths_touched.clone(),
            renamed: self.renamed(),
        }
        .into()
    }

    /// Whether the attempt met something of the change in the tip.
    pub(crate) fn shows_change_in_force(&self) -> bool {
        matches!(self.result, AttemptResult::Clean | AttemptResult::Conflicted | AttemptResult::NeedsReview)
    }

    /// Whether the result can be committed as it stands.
    pub fn is_clean(&self) -> bool {
        self.result == AttemptResult::Clean
    }
}

/// How a change is restricted to paths.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Restriction {
    /// The paths, as they are named in the commit.
    pub paths: Vec<RepoPath>,
    /// Which of them have another name at the tip.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub renamed: Vec<Rename>,
    /// Names that the commit itself gave to paths and that stay.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept_names: Vec<Rename>,
    /// The part of what the commit did to a file; absent where it is all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Part>,
}

/// A clean result that is not to be taken: a rung that comes to this tree is passed over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Rejection {
    /// The tree.
    pub tree_id: TreeId,
    /// Why, as a fragment.
    pub reason: String,
}

/// One commit to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Step {
    /// The commit undone, replayed or taken from.
    pub commit_id: CommitId,
    /// The mainline used, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mainline: Option<usize>,
    /// The paths it is restricted to; none where it takes all of the commit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<RepoPath>,
    /// Which paths have another name at the tip than in the commit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub renamed: Vec<Rename>,
    /// Names that the commit itself gave to paths and that stay: only what else it did to them is undone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept_names: Vec<Rename>,
    /// The part of what the commit did to a file; absent where it is all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Part>,
    /// Its tree.
    pub tree_id: TreeId,
    /// Its message, as text for people.
    pub message: String,
}

impl Step {
    pub(crate) fn new(commit_id: CommitId, tree_id: TreeId, paths: Vec<RepoPath>) -> Self {
        let (renamed, kept_names) = (Vec::new(), Vec::new());
        Self {
            commit_id,
            mainline: None,
            paths,
            renamed,
            kept_names,
            part: None,
            tree_id,
            message: String::new(),
        }
    }
}

/// How much of a commit is taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Scope {
    /// All of it.
    Whole,
    /// Only what it did to these paths.
    Paths(Vec<RepoPath>),
}

impl Scope {
    /// The paths it is restricted to; none where all of the commit is taken.
    pub fn paths(&self) -> &[RepoPath] {
        match self {
            Self::Whole => &[],
            Self::Paths(paths) => paths,
        }
    }
}

/// What came of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum AttemptResult {
    /// It can be done, and no hunk is in doubt.
    Clean,
    /// Both sides changed the same thing.
    Conflicted,
    /// It changes nothing.
    Empty,
    /// The tip is as it would be after it.
    AlreadyRolledBack,
    /// It does not fit the case.
    NotApplicable,
    /// The engine cannot decide it as git would, so it does not decide.
    NeedsReview,
}

/// What would be lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Loss {
    /// How much.
    pub class: LossClass,
    /// The later commits whose edits to the paths would be gone, newest first.
    pub discards: Vec<CommitId>,
}

/// How much of later work a way back keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum LossClass {
    /// The touched paths become what they were before the change; they were not edited since.
    Exact,
    /// The change is undone and later edits are kept.
    Inverse,
    /// Later edits to the paths are discarded.
    Snapshot,
}
