//! What the upstream of a branch did to a path that the branch does not have yet.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, SettingError};
use crate::id::CommitId;
use crate::path::RepoPath;
use crate::repo::ancestry::{Ancestry, CommitIx, with_ancestry};
use crate::repo::refs::References;
use crate::repo::revision::{commit_of, upstream_name};
use crate::repo::{Objects, Repo, commit_set};

use super::entries::{PathEntries, same};

/// Changes to a path in the upstream of a branch that a tip lacks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct UpstreamAhead {
    /// The reference that is ahead, such as `refs/remotes/origin/main`.
    pub upstream: String,
    /// Where it is.
    pub commit_id: CommitId,
    /// The commits that changed the path, newest first, as `git log TIP..UPSTREAM -- PATH` would name them.
    pub changes: Vec<CommitId>,
}

impl Repo {
    /// The changes to `path` that the upstream of `branch` has and `tip` lacks; `None` where the branch has no upstream,
    /// where its reference is not there, and where it has no such change. Nothing is fetched.
    ///
    /// `branch` is the full name, such as `refs/heads/main`; its upstream is what `branch.<name>.remote` and
    /// `branch.<name>.merge` say.
    ///
    /// # Errors
    /// [`SettingError::Value`] for an upstream that is configured badly; those of reading commits and trees.
    pub fn upstream_ahead(
        &self,
        branch: &str,
        tip: CommitId,
        path: &RepoPath,
    ) -> Result<Option<UpstreamAhead>> {
        upstream_ahead(&self.objects(), branch, tip, path)
    }
}

/// As [`Repo::upstream_ahead`], on objects at hand.
pub(crate) fn upstream_ahead(
    objects: &Objects,
    branch: &str,
    tip: CommitId,
    path: &RepoPath,
) -> Result<Option<UpstreamAhead>> {
    let Some((upstream, commit_id)) = upstream_of(objects, branch)? else { return Ok(None) };
    if commit_id == tip {
        return Ok(None);
    }
    let changes = with_ancestry(objects, |mut ancestry| changes_beyond(&mut ancestry, commit_id, tip, path))?;
    Ok((!changes.is_empty()).then_some(UpstreamAhead { upstream, commit_id, changes }))
}

/// The reference of the upstream and the commit it names.
fn upstream_of(objects: &Objects, branch: &str) -> Result<Option<(String, CommitId)>> {
    let repo = objects.gix();
    let Ok(name) = gix::refs::FullName::try_from(branch) else { return Ok(None) };
    let failed = |error: gix::Error| {
        Error::from(SettingError::Value {
            key: format!("branch.{}.merge", name.shorten()),
            why: error.to_string(),
        })
    };
    let Some(upstream) = upstream_name(repo, name.as_ref()) else { return Ok(None) };
    let upstream = upstream.map_err(failed)?;
    let Some(id) = References::of(repo)?.follow(upstream.as_bstr())? else { return Ok(None) };
    let commit = commit_of(repo, upstream.as_bstr(), id)?;
    Ok(Some((upstream.to_string(), commit)))
}

/// As `git log TIP..UPSTREAM -- PATH`: a parent in the range (or the tip itself) that has the path as it is explains it,
/// and is followed alone. A merge that took the path from what the tip has changed nothing, and its other parents, whose
/// changes it dropped, are looked at all the same.
fn changes_beyond(
    ancestry: &mut Ancestry<'_>,
    upstream: CommitId,
    tip: CommitId,
    path: &RepoPath,
) -> Result<Vec<CommitId>> {
    let (start, bottom) = (ancestry.index_of(upstream), ancestry.index_of(tip));
    let members = commit_set::difference(ancestry, &[start], &[bottom])?;
    let mut entries = PathEntries::new(path.clone());
    let mut reached = std::collections::HashSet::from([start]);
    let mut changes = std::collections::HashSet::new();
    let mut pending = vec![start];
    while let Some(commit) = pending.pop().filter(|commit| members.contains(commit)) {
        let is_relevant = |parent: CommitIx| parent == bottom || members.contains(&parent);
        let step = step(ancestry, commit, &mut entries, is_relevant)?;
        if step.is_change {
            changes.insert(commit);
        }
        let open =
            step.parents.into_iter().filter(|parent| members.contains(parent) && reached.insert(*parent));
        pending.extend(open);
    }
    let order = commit_set::newest_first(ancestry, &members, &[start])?;
    Ok(order
        .into_iter()
        .filter(|commit| changes.contains(commit))
        .map(|commit| ancestry.id(commit))
        .collect())
}

struct Step {
    parents: Vec<CommitIx>,
    is_change: bool,
}

fn step(
    ancestry: &mut Ancestry<'_>,
    commit: CommitIx,
    path: &mut PathEntries,
    is_relevant: impl Fn(CommitIx) -> bool,
) -> Result<Step> {
    let lineage = ancestry.lineage(commit)?;
    let objects = ancestry.objects();
    let here = path.in_tree(objects, lineage.tree)?;
    if lineage.parents.is_empty() {
        return Ok(Step { parents: Vec::new(), is_change: here.is_some() && !lineage.boundary });
    }
    let mut is_change = true;
    for parent in &lineage.parents {
        let there = path.in_tree(objects, ancestry.lineage(*parent)?.tree)?;
        let is_same = same(here, there);
        if is_same && is_relevant(*parent) {
            return Ok(Step { parents: vec![*parent], is_change: false });
        }
        is_change &= !is_same;
    }
    Ok(Step { parents: lineage.parents, is_change })
}
