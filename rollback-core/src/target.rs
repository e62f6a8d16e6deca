//! What is to go back: commits, a path whose culprit is still to be found, commits to replay, or paths
//! to restore.
//!
//! A target is what was asked for, in the words of the user; resolving it against a repository is the first
//! step of a plan. Nothing here reads a repository.

use serde::{Deserialize, Serialize};

use crate::path::RepoPath;

/// What is asked for.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let repo = rollback_core::guide::sample(folder.path().join("r"))?;
/// use rollback_core::target::{CommitsTarget, RestoreTarget};
/// use rollback_core::{PlanOptions, Target};
///
/// // One function for the plain case of each; what else there is to say are fields.
/// let broken = repo.resolve_commit("HEAD~1")?;
/// let by_commit = repo.plan(&Target::commits([broken.to_string()]), &PlanOptions::default())?;
/// let by_path = repo.plan(&Target::paths(["app.py"]), &PlanOptions::default())?;
/// let tree = |plan: &rollback_core::Plan| plan.chosen_attempt().and_then(|way| way.tree_id);
/// assert_eq!(tree(&by_commit), tree(&by_path));
///
/// let mut of_one_file = CommitsTarget::new(["HEAD"]);
/// of_one_file.paths = vec!["README".into()];
/// assert!(repo.plan(&Target::Commits(of_one_file), &PlanOptions::default())?.chosen.is_some());
/// let mut from_the_first = RestoreTarget::new(["app.py"]);
/// from_the_first.source = Some("HEAD~2".into());
/// assert!(repo.plan(&Target::Restore(from_the_first), &PlanOptions::default())?.chosen.is_some());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Target {
    /// Undo these commits, one new commit each.
    Commits(CommitsTarget),
    /// Bring these paths back to how they were before the change that broke them.
    Paths(PathsTarget),
    /// Replay these commits.
    Pick(CommitsTarget),
    /// Put back the exact content of these paths.
    Restore(RestoreTarget),
    /// Bring the content of the branch back to what it was at a commit.
    To(ToTarget),
}

impl Target {
    /// Undo these commits, each a revision or a range.
    pub fn commits(revisions: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::Commits(CommitsTarget::new(revisions))
    }

    /// Bring these paths back to how they were before the change that broke them.
    pub fn paths(paths: impl IntoIterator<Item = impl Into<RepoPath>>) -> Self {
        Self::Paths(PathsTarget::new(paths))
    }

    /// Replay these commits, each a revision or a range.
    pub fn pick(revisions: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::Pick(CommitsTarget::new(revisions))
    }

    /// Put back the last good content of these paths.
    pub fn restore(paths: impl IntoIterator<Item = impl Into<RepoPath>>) -> Self {
        Self::Restore(RestoreTarget::new(paths))
    }

    /// Bring the content of the branch back to what it was at a revision, as one commit.
    pub fn to(revision: impl Into<String>) -> Self {
        Self::To(ToTarget::new(revision))
    }
}

/// A commit to whose content a branch is brought back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ToTarget {
    /// The revision.
    pub revision: String,
    /// Undo each change since by a commit of its own; one commit for all of them otherwise.
    #[serde(default)]
    pub each: bool,
    /// Only these paths and everything below them; everything where empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<RepoPath>,
}

impl ToTarget {
    /// Everything, back to a revision, as one commit.
    pub fn new(revision: impl Into<String>) -> Self {
        Self { revision: revision.into(), ..Self::default() }
    }
}

/// Lines of a file as it is at the tip, counted from 1, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct LineRange {
    /// The first.
    pub first: usize,
    /// The last.
    pub last: usize,
}

impl LineRange {
    /// The lines from `first` to `last`.
    pub const fn new(first: usize, last: usize) -> Self {
        Self { first, last }
    }
}

/// Commits that are named, in git's revision syntax.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct CommitsTarget {
    /// Revisions and ranges, such as `v1.2`, `HEAD~3` or `main..topic`.
    pub revisions: Vec<String>,
    /// Which parent of a merge is the mainline, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mainline: Option<usize>,
    /// Only what the commits did to these paths, and to everything below them; all of it where empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<RepoPath>,
    /// Of what one commit did to one path only the places that these lines of today touch, each of them whole. Undoing
    /// alone heeds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<LineRange>,
    /// The same for the hunks with these numbers, counted from 1; see [`Repo::hunks_to_revert`](crate::Repo::hunks_to_revert).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hunks: Vec<usize>,
}

impl CommitsTarget {
    /// Whether only a part of what a commit did to a file is meant.
    pub fn is_part(&self) -> bool {
        self.lines.is_some() || !self.hunks.is_empty()
    }

    /// These revisions and ranges, with all that they changed.
    pub fn new(revisions: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { revisions: revisions.into_iter().map(Into::into).collect(), ..Self::default() }
    }
}

/// Paths whose culprit is found, not typed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct PathsTarget {
    /// The paths; several with one culprit become one commit.
    pub paths: Vec<RepoPath>,
    /// How good content is told from bad.
    #[serde(default, skip_serializing_if = "Good::is_unset")]
    pub good: Good,
    /// The culprit by hand, as a revision; finding it is skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<String>,
    /// Which parent of a merge is the mainline, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mainline: Option<usize>,
}

impl PathsTarget {
    /// These paths; the change to undo is the one that broke them.
    pub fn new(paths: impl IntoIterator<Item = impl Into<RepoPath>>) -> Self {
        Self { paths: paths.into_iter().map(Into::into).collect(), ..Self::default() }
    }
}

/// What good content of a file looks like. Every part that is set must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Good {
    /// A regular expression that matches somewhere in the content.
    #[serde(default, rename = "match", skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// The number of lines, a last one without a line feed included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<usize>,
}

impl Good {
    /// Whether nothing was said about what is good.
    pub fn is_unset(&self) -> bool {
        *self == Self::default()
    }
}

/// Paths to be put back exactly.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct RestoreTarget {
    /// The paths; a folder is restored exactly, so that what was added to it since goes.
    pub paths: Vec<RepoPath>,
    /// The revision to take them from; the last good one where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Keep paths of a folder that the source does not have.
    #[serde(default)]
    pub overlay: bool,
}

impl RestoreTarget {
    /// The last good content of these paths.
    pub fn new(paths: impl IntoIterator<Item = impl Into<RepoPath>>) -> Self {
        Self { paths: paths.into_iter().map(Into::into).collect(), ..Self::default() }
    }
}
