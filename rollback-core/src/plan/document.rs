//! The plan as a document: the types behind `rb revert … --dry-run --json`.
//!
//! Field names are a contract; fields may be added, none is renamed or removed within a schema version.

use std::collections::BTreeMap;

use bstr::BString;
use serde::{Deserialize, Serialize};

use super::cross_check::CrossCheck;
use super::prepared::Prepared;
use crate::history::{ChangeKind, LastGood};
use crate::id::{CommitId, TreeId};
use crate::message::MessageOptions;
use crate::patch::DiffDocument;
use crate::path::RepoPath;
use crate::repo::range::RangeReading;
use crate::strategy::{Attempt, AttemptResult, EmptyCommits, Rejection, Strategy};
use crate::target::Target;
use crate::verdict::CheckRun;

/// The version of the document. It changes when a field is renamed, removed or changes its meaning.
pub const SCHEMA_VERSION: u32 = 1;

/// What would be done, why, and what else was tried.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let repo = rollback_core::guide::sample(folder.path().join("r"))?;
/// use rollback_core::strategy::{AttemptResult, LossClass};
/// use rollback_core::{PlanOptions, Target};
///
/// let plan = repo.plan(&Target::paths(["app.py"]), &PlanOptions::default())?;
/// // Undoing the change and putting the file back come to the same here; the first is taken.
/// let tried: Vec<_> = plan.attempts.iter().map(|way| (way.result, way.loss.class)).collect();
/// assert!(tried.contains(&(AttemptResult::Clean, LossClass::Exact)));
/// assert_eq!(plan.chosen, Some(0));
/// assert!(plan.message.as_ref().is_some_and(|text| text.starts_with("Revert \"break the greeting\"")));
/// // A plan is a document with a version.
/// let document = serde_json::to_value(&plan)?;
/// assert_eq!(document["schema_version"], 1);
/// assert_eq!(document["tip"]["ref"], "refs/heads/main");
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
    /// What to know before landing this.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
    /// What was run to judge the results, in order; none where no checks were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<CheckRun>,
    /// What the installed git came to in the same merges; absent where it was not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cross_check: Option<CrossCheck>,
    /// What changes, file by file; absent where it was not counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diff: Option<DiffDocument>,
    /// The commits and objects of the chosen rung, for landing it at once.
    #[serde(skip)]
    #[cfg_attr(feature = "schema", schemars(skip))]
    pub(crate) prepared: Prepared,
}

impl Plan {
    /// The rung to be taken.
    pub fn chosen_attempt(&self) -> Option<&Attempt> {
        self.attempts.get(self.chosen?)
    }

    /// Takes over messages that hooks have changed, by the number of their commit.
    pub(crate) fn reword(&mut self, changed: BTreeMap<usize, BString>) {
        let Some(chosen) = self.chosen else { return };
        let steps = &mut self.attempts[chosen].steps;
        for (nth, text) in changed {
            if nth + 1 == steps.len() {
                self.message = Some(text.to_string());
            }
            if let Some(step) = steps.get_mut(nth) {
                step.message = text.to_string();
            }
        }
    }

    /// Whether there is nothing to do: the state asked for is the state of the tip.
    pub fn is_nothing_to_do(&self) -> bool {
        self.chosen.is_none()
            && !self.is_rejected()
            && self.attempts.last().is_some_and(|last| {
                matches!(last.result, AttemptResult::Empty | AttemptResult::AlreadyRolledBack)
            })
    }

    /// The plan with what was run to judge another one that comes to the same result, such as the same plan with other
    /// words.
    #[must_use]
    pub fn with_checks_of(mut self, other: Self) -> Self {
        self.checks = other.checks;
        self.cross_check = other.cross_check;
        self
    }

    /// Whether there are clean ways and none may be taken: each was rejected, see [`PlanOptions::rejected`].
    pub fn is_rejected(&self) -> bool {
        self.chosen.is_none() && self.attempts.iter().any(Attempt::is_clean)
    }
}

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Request {
    /// The target as it was asked for.
    pub target: Target,
    /// How to look for a way.
    pub options: PlanOptions,
}

/// How to look for a way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
    /// How many of them at most; 24 where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_dependents: Option<usize>,
    /// Let a scoped rollback of a rename remove the new name too.
    pub with_renames: bool,
    /// Several commits in the order given, not newest first.
    pub as_given: bool,
    /// Build on the index as it is and not on the commit of the tip, as `git revert --no-commit` does. Such a result can
    /// only be staged.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub on_index: bool,
    /// What becomes of commits that change nothing where they are picked.
    #[serde(skip_serializing_if = "EmptyCommits::is_default")]
    pub empty: EmptyCommits,
    /// Options of the merge, each as git's `-X` takes it, such as `theirs` or `ignore-space-change`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub strategy_options: Vec<String>,
    /// How ranges such as `A..B` are read.
    #[serde(skip_serializing_if = "RangeReading::is_default")]
    pub ranges: RangeReading,
    /// Stop at the first way that may be taken; the plan then says nothing of the rest.
    pub first_only: bool,
    /// Results that are not to be taken though they are clean.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rejected: Vec<Rejection>,
    /// What the message says beyond the usual.
    pub message: MessageOptions,
}

/// The repository a plan was made in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ResolvedTarget {
    /// The kind of the target: `commits`, `paths`, `pick`, `restore` or `to`.
    pub kind: String,
    /// The commits concerned, in the order in which they are taken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commits: Vec<CommitId>,
    /// The paths concerned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<RepoPath>,
    /// The change that broke the paths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub culprit: Option<CulpritSummary>,
    /// The commit to whose content the branch is brought back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub back_to: Option<CommitId>,
    /// The state in which the paths were last good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_good: Option<LastGood>,
}

/// The change that broke a path, and how it got there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct CulpritSummary {
    /// The commit.
    pub commit_id: CommitId,
    /// The first line of its message.
    pub subject: String,
    /// Who wrote it.
    pub author: String,
    /// When it was committed, in seconds since the epoch.
    pub time: i64,
    /// What it did to the path.
    pub change: ChangeKind,
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

/// The commit the result is based on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Tip {
    /// The reference that would move: a branch, `HEAD` when detached, or the revision given with `onto`.
    #[serde(rename = "ref")]
    pub reference: String,
    /// Where it is.
    pub commit_id: CommitId,
    /// What is staged, as a tree, where the result builds on that and it is not what the commit has; see
    /// [`PlanOptions::on_index`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index_tree_id: Option<TreeId>,
}

/// Something to know before landing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
    /// The reference, or the hook, it is about.
    #[serde(rename = "ref", default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

/// What kind of thing to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
    /// The path, the first one, had another name in the commit: the second one.
    RenamedSince,
    /// More than one change to the path since it was last good.
    Multiple,
    /// What is asked of good content holds before and after this change alike: it does not tell good from bad, and the
    /// change is the last one.
    GoodOnBothSides,
    /// The path is good since this commit, which did not roll it back; it is left as it is.
    Mended,
    /// The upstream of the branch changed the path, and the tip lacks that.
    UpstreamAhead,
    /// The branch never was at the commit that its content is brought back to: that is no return along its first parents.
    NeverThere,
    /// Another path differs from this one in case alone.
    CaseTwin,
    /// A hook is installed that git would have run; it is not run, because it is not trusted.
    HookSkipped,
    /// A hook is installed that runs when the result lands on the branch that is checked out.
    HookToRun,
    /// A partial clone lacks the content of these paths: landing fetches it first, from the remote that is named.
    ContentToFetch,
}
