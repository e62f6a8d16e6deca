//! What one commit did to paths, seen from one of its parents.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::{Result, RevisionError};
use crate::id::{CommitId, Entry, TreeId};
use crate::path::RepoPath;
use crate::repo::{Objects, Repo};

use super::rename::Renames;
use super::tree_diff::{TreeChange, diff_trees};

/// What became of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum ChangeKind {
    /// The path was not there before, under this or another name.
    Added,
    /// Content or mode changed.
    Modified,
    /// The path is gone, and its content with it.
    Deleted,
    /// The path took over the content of another, or went away under another name.
    Renamed,
}

impl fmt::Display for ChangeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Added => "added",
            Self::Modified => "modified",
            Self::Deleted => "deleted",
            Self::Renamed => "renamed",
        })
    }
}

/// What one commit did to one path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Change {
    /// The commit.
    pub commit_id: CommitId,
    /// The parent the commit was compared with, counted from 1; `None` for a root, compared with nothing.
    pub mainline: Option<usize>,
    /// The path asked about.
    pub path: RepoPath,
    /// What became of it.
    pub kind: ChangeKind,
    /// The path in that parent; under its old name if it was renamed to `path`.
    pub before: Option<Entry>,
    /// The path in the commit.
    pub after: Option<Entry>,
    /// The name that `path` had before.
    pub from: Option<RepoPath>,
    /// The name under which `path` went away.
    pub to: Option<RepoPath>,
}

/// A path that a commit touched. Folders are not listed, the files in them are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct PathChange {
    /// The path.
    pub path: RepoPath,
    /// What stood there before; `None` where the commit added it.
    pub before: Option<Entry>,
    /// What stands there after; `None` where the commit removed it.
    pub after: Option<Entry>,
}

impl From<TreeChange> for PathChange {
    fn from(TreeChange { path, before, after }: TreeChange) -> Self {
        Self { path, before, after }
    }
}

impl Repo {
    /// What `commit` did to `path` as seen from parent `mainline` (counted from 1; the first by default). `None` where
    /// it did nothing to it.
    ///
    /// # Errors
    /// [`RevisionError::MainlineOutOfRange`]; [`RevisionError::ShallowHistory`] for a commit whose parents a shallow
    /// clone lacks.
    pub fn change_by(
        &self,
        commit: CommitId,
        mainline: Option<usize>,
        path: &RepoPath,
    ) -> Result<Option<Change>> {
        change_by(&self.objects(), commit, mainline, path)
    }

    /// The paths that `commit` touched as seen from parent `mainline` (the first by default), in git's order. A renamed
    /// file is two paths: one that went and one that came.
    ///
    /// # Errors
    /// As [`Repo::change_by`].
    pub fn changed_paths(&self, commit: CommitId, mainline: Option<usize>) -> Result<Vec<PathChange>> {
        changed_paths(&self.objects(), commit, mainline)
    }
}

/// As [`Repo::change_by`], on objects at hand.
pub(crate) fn change_by(
    objects: &Objects,
    commit: CommitId,
    mainline: Option<usize>,
    path: &RepoPath,
) -> Result<Option<Change>> {
    let (parent, old, new) = sides(objects, commit, mainline)?;
    let before = objects.entry_at(old, path)?;
    let after = objects.entry_at(new, path)?;
    if super::entries::same(before, after) {
        return Ok(None);
    }
    let mut renames = Renames::new(objects);
    let mut change = Change::at(commit, parent, path.clone(), (before, after));
    change.complete(objects, &mut renames, old, new)?;
    Ok(Some(change))
}

impl Change {
    pub(super) fn at(
        commit_id: CommitId,
        mainline: Option<usize>,
        path: RepoPath,
        (before, after): (Option<Entry>, Option<Entry>),
    ) -> Self {
        Self { commit_id, mainline, path, kind: ChangeKind::Modified, before, after, from: None, to: None }
    }

    /// Finds the kind, and the other name where the path was renamed.
    pub(super) fn complete(
        &mut self,
        objects: &Objects,
        renames: &mut Renames<'_>,
        old: TreeId,
        new: TreeId,
    ) -> Result<()> {
        self.kind = match (self.before, self.after) {
            (None, Some(after)) => {
                self.from = renames.source_of(old, new, &self.path, after)?;
                if let Some(from) = &self.from {
                    self.before = objects.entry_at(old, from)?;
                }
                if self.from.is_some() { ChangeKind::Renamed } else { ChangeKind::Added }
            }
            (Some(before), None) => {
                self.to = renames.destination_of(old, new, &self.path, before)?;
                if self.to.is_some() { ChangeKind::Renamed } else { ChangeKind::Deleted }
            }
            _ => ChangeKind::Modified,
        };
        Ok(())
    }
}

/// As [`Repo::changed_paths`], on objects at hand.
pub(crate) fn changed_paths(
    objects: &Objects,
    commit: CommitId,
    mainline: Option<usize>,
) -> Result<Vec<PathChange>> {
    let (_, old, new) = sides(objects, commit, mainline)?;
    paths_between(objects, old, new)
}

/// The paths that differ between two trees, in git's order.
///
/// # Errors
/// Those of reading trees.
pub(crate) fn paths_between(objects: &Objects, old: TreeId, new: TreeId) -> Result<Vec<PathChange>> {
    Ok(diff_trees(objects, old, new)?.into_iter().map(PathChange::from).collect())
}

/// The parent chosen, its tree and the commit's.
fn sides(
    objects: &Objects,
    commit: CommitId,
    mainline: Option<usize>,
) -> Result<(Option<usize>, TreeId, TreeId)> {
    let header = objects.commit_header(commit)?;
    if header.parents.is_empty() && mainline.is_none_or(|mainline| mainline == 1) {
        return Ok((None, objects.empty_tree(), header.tree));
    }
    if crate::repo::ancestry::is_boundary(objects, commit)? {
        let what = format!("what {commit} changed");
        return Err(RevisionError::ShallowHistory { boundary: commit, what }.into());
    }
    let number = mainline.unwrap_or(1);
    let parent = number.checked_sub(1).and_then(|at| header.parents.get(at)).ok_or_else(|| {
        RevisionError::MainlineOutOfRange { commit, mainline: number, parents: header.parents.len() }
    })?;
    Ok((Some(number), objects.commit_header(*parent)?.tree, header.tree))
}
