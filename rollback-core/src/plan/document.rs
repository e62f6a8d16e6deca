//! The plan as a document: the types behind `rb revert … --dry-run --json`.
//!
//! Field names are a contract; fields may be added, none is renamed or removed within a schema version.

use serde::{Deserialize, Serialize};

use crate::conflict::Conflict;
use crate::id::{CommitId, EntryMode, ObjectId, TreeId};
use crate::path::RepoPath;
use crate::strategy::Strategy;
use crate::target::Target;

/// The version of the document. It changes when a field is renamed, removed or changes its meaning.
pub const SCHEMA_VERSION: u32 = 1;

/// What would be done, why, and what else was tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[non_exhaustive]
pub struct Plan {
    /// The version of this document, [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// What was asked for: enough to compute the plan again.
    pub request: Request,
    /// Where the plan was made.
    pub repository: Repository,
    /// What the target turned out to be.
    pub target: ResolvedTarget,
    /// The commit the result would be based on.
    pub tip: Tip,
    /// Every rung that was looked at, in order.
    pub attempts: Vec<Attempt>,
    /// The index in `attempts` of the rung to be taken; `None` where none may be.
    pub chosen: Option<usize>,
    /// The message of the commit to be made; of the last one where there are several.
    pub message: Option<String>,
    /// What somebody should know before landing this.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
}

impl Plan {
    /// The rung to be taken.
    pub fn chosen_attempt(&self) -> Option<&Attempt> {
        self.attempts.get(self.chosen?)
    }

    /// Whether there is nothing to do: the state asked for is the state of the tip.
    pub fn is_nothing_to_do(&self) -> bool {
        self.chosen.is_none()
            && self.attempts.last().is_some_and(|last| {
                matches!(last.result, AttemptResult::Empty | AttemptResult::AlreadyRolledBack)
            })
    }
}

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[non_exhaustive]
pub struct Request {
    /// The target in the words of whoever asked.
    pub target: Target,
    /// How to look for a way.
    pub options: PlanOptions,
}

/// How to look for a way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
#[non_exhaustive]
pub struct PlanOptions {
    /// The revision the result is based on; HEAD where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub onto: Option<String>,
    /// Take this strategy or none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub via: Option<Strategy>,
    /// Undo the whole culprit of a path, whatever else it touches.
    pub whole_commit: bool,
    /// Take along the later commits that stand in the way.
    pub with_dependents: bool,
    /// Let a scoped rollback of a rename remove the new name too.
    pub with_renames: bool,
    /// Several commits in the order given, not newest first.
    pub as_given: bool,
    /// What the message says beyond the usual.
    pub message: MessageOptions,
}

/// What the message says beyond the usual.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
#[non_exhaustive]
pub struct MessageOptions {
    /// This text in place of the one that would be written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// A paragraph that says why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Trailers to add, as `Key: value`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub trailers: Vec<String>,
    /// Refer to the reverted commit as git's `--reference` does; `revert.reference` decides where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<bool>,
    /// Name the commit that a pick came from, as git's `-x` does.
    pub record_origin: bool,
    /// Add `Signed-off-by` with the committer.
    pub signoff: bool,
}

/// The repository a plan was made in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Repository {
    /// The git directory, as text for people.
    pub git_dir: String,
    /// The root of the work tree, as text for people; absent in a bare repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work_dir: Option<String>,
    /// `sha1` or `sha256`.
    pub object_format: String,
}

/// What the target turned out to be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[non_exhaustive]
pub struct ResolvedTarget {
    /// The kind of the target: `commits`, `paths`, `pick` or `restore`.
    pub kind: String,
    /// The commits concerned, in the order in which they are taken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commits: Vec<CommitId>,
    /// The paths concerned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<RepoPath>,
    /// The change that broke the paths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub culprit: Option<CulpritFound>,
    /// The state in which the paths were last good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_good: Option<LastGoodState>,
}

/// The change that broke a path, and how it got there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[non_exhaustive]
pub struct CulpritFound {
    /// The commit.
    pub commit_id: CommitId,
    /// The first line of its message.
    pub subject: String,
    /// Who wrote it.
    pub author: String,
    /// When it was committed, in seconds since the epoch.
    pub time: i64,
    /// What it did to the path: `added`, `modified`, `deleted` or `renamed`.
    pub change: String,
    /// The parents, in order.
    pub parents: Vec<CommitId>,
    /// How many paths it touches in all.
    pub paths_touched: usize,
    /// The merge that brought it into the history of the tip, if it came through one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub introduced_by: Option<CommitId>,
    /// Later changes to the path, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub further_changes: Vec<CommitId>,
    /// Whether it was named by hand.
    #[serde(default)]
    pub given: bool,
}

/// A path in the state in which it was last good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct LastGoodState {
    /// A commit that has the path in that state.
    pub commit_id: CommitId,
    /// The content; a tree for a folder.
    pub blob_id: ObjectId,
    /// The mode.
    pub mode: EntryMode,
}

/// The commit the result is based on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Tip {
    /// The reference that would move: a branch, `HEAD` when detached, or the revision given with `onto`.
    #[serde(rename = "ref")]
    pub reference: String,
    /// Where it is.
    pub commit_id: CommitId,
}

/// One rung of the ladder, and what would come of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
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
    /// Why this rung was not taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The tree that would be committed; absent unless the result is clean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tree_id: Option<TreeId>,
    /// Where the merge could not decide.
    pub conflicts: Vec<Conflict>,
    /// The paths whose entries would differ from the tip's.
    pub paths_touched: Vec<RepoPath>,
    /// What would be lost.
    pub loss: Loss,
    /// Later commits that stand in the way; absent where that was not computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dependents: Option<Vec<CommitId>>,
    /// The commits that would be made, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
}

/// One commit to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[non_exhaustive]
pub struct Step {
    /// The commit undone, replayed or taken from.
    pub commit_id: CommitId,
    /// The mainline used, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mainline: Option<usize>,
    /// Its tree.
    pub tree_id: TreeId,
    /// Its message, as text for people.
    pub message: String,
}

/// How much of a commit is taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Scope {
    /// All of it.
    Whole,
    /// Only what it did to these paths.
    Paths(Vec<RepoPath>),
}

/// What came of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Loss {
    /// How much.
    pub class: LossClass,
    /// The later commits whose edits to the paths would be gone, newest first.
    pub discards: Vec<CommitId>,
}

/// How much of later work a way back keeps.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum LossClass {
    /// The touched paths become what they were before the change; nobody edited them since.
    Exact,
    /// The change is undone and later edits are kept.
    Inverse,
    /// Later edits to the paths are discarded.
    Snapshot,
}

/// Something to know before landing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[non_exhaustive]
pub struct Note {
    /// What kind of thing.
    pub kind: NoteKind,
    /// The commits it is about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commits: Vec<CommitId>,
    /// The paths it is about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<RepoPath>,
    /// The reference it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

/// What kind of thing to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum NoteKind {
    /// The culprit came into the history of the tip through this merge.
    IntroducedByMerge,
    /// The mainline of a merge was not named; the first parent was taken.
    MainlineAssumed,
    /// After a reverted merge, merging the branch again brings nothing back.
    RemergeTrap,
    /// The change renamed the path; the new name stays unless it is named too.
    RenameKept,
    /// More than one change to the path since it was last good.
    Multiple,
    /// The upstream of the branch changed the path, and the tip lacks that.
    UpstreamAhead,
    /// Another path differs from this one in case alone.
    CaseTwin,
    /// The path was also removed on another branch.
    RemovedElsewhere,
    /// A hook is installed that git would have run.
    HookSkipped,
}
