//! Later commits that touched given paths: what a return to an older state would discard.

use crate::error::{Result, RevisionError};
use crate::id::CommitId;
use crate::path::RepoPath;
use crate::repo::ancestry::{Ancestry, CommitIx, with_ancestry};
use crate::repo::{Objects, Repo, commit_set};

use super::entries::{PathEntries, same};

impl Repo {
    /// The commits that `tip` reaches and `since` does not and that changed any of `paths`, newest first.
    ///
    /// Every line of history counts, side branches too. A merge counts if one of the paths is in it what it is in none
    /// of its parents.
    ///
    /// # Errors
    /// [`RevisionError::ShallowHistory`] where one of the commits is the end of a shallow clone: what it changed is not
    /// known.
    pub fn commits_touching_since(
        &self,
        tip: CommitId,
        since: CommitId,
        paths: &[RepoPath],
    ) -> Result<Vec<CommitId>> {
        commits_touching_since(&self.objects(), tip, &[since], paths)
    }
}

/// As [`Repo::commits_touching_since`], on objects at hand; what any commit of `since` reaches is left out.
pub(crate) fn commits_touching_since(
    objects: &Objects,
    tip: CommitId,
    since: &[CommitId],
    paths: &[RepoPath],
) -> Result<Vec<CommitId>> {
    with_ancestry(objects, |mut ancestry| {
        let tip = ancestry.index_of(tip);
        let since: Vec<_> = since.iter().map(|commit| ancestry.index_of(*commit)).collect();
        let members = commit_set::difference(&mut ancestry, &[tip], &since)?;
        let mut entries: Vec<PathEntries> = paths.iter().cloned().map(PathEntries::new).collect();
        let mut touching = Vec::new();
        for commit in commit_set::newest_first(&mut ancestry, &members, &[tip])? {
            if touches(&mut ancestry, commit, &mut entries)? {
                touching.push(ancestry.id(commit));
            }
        }
        Ok(touching)
    })
}

/// The commits that a merge brought into its first parent's history; none for any other commit.
pub(crate) fn brought_in(objects: &Objects, merge: CommitId) -> Result<Vec<CommitId>> {
    with_ancestry(objects, |mut ancestry| {
        let merge = ancestry.index_of(merge);
        let parents = ancestry.lineage(merge)?.parents;
        if parents.len() < 2 {
            return Ok(Vec::new());
        }
        let brought = commit_set::difference(&mut ancestry, &parents[1..], &parents[..1])?;
        Ok(brought.into_iter().map(|commit| ancestry.id(commit)).collect())
    })
}

fn touches(ancestry: &mut Ancestry<'_>, commit: CommitIx, paths: &mut [PathEntries]) -> Result<bool> {
    let lineage = ancestry.lineage(commit)?;
    if lineage.boundary {
        let what = "the later changes to the paths".to_owned();
        return Err(RevisionError::ShallowHistory { boundary: ancestry.id(commit), what }.into());
    }
    // What is as in the first parent is no change, and of a merge neither.
    let has_parents = !lineage.parents.is_empty();
    if has_parents && paths.iter().all(|path| ancestry.is_unchanged(commit, path.key())) {
        return Ok(false);
    }
    let mut parents = Vec::with_capacity(lineage.parents.len());
    for parent in lineage.parents {
        parents.push(ancestry.lineage(parent)?.tree);
    }
    let objects = ancestry.objects();
    for path in paths {
        let here = path.in_tree(objects, lineage.tree)?;
        let mut differs = !parents.is_empty() || here.is_some();
        for parent in &parents {
            if same(here, path.in_tree(objects, *parent)?) {
                differs = false;
                break;
            }
        }
        if differs {
            return Ok(true);
        }
    }
    Ok(false)
}
