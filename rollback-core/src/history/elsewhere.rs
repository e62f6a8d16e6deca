//! What other places know about a path: other references, and other spellings at the tip. Information only; it
//! decides nothing.

use std::collections::HashSet;

use serde::Serialize;

use crate::error::{Error, LastSeen, PathError, Result};
use crate::id::{CommitId, TreeId};
use crate::path::RepoPath;
use crate::repo::Objects;

use super::nearest;
use super::reached::reaches;
use super::walk::{Follow, Node, PathWalk};
use crate::repo::ancestry::with_ancestry;
use crate::repo::refs::References;
use crate::repo::revision::commit_of;

/// A commit that removed the path on a branch, and that the tip does not have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Removal {
    /// The branch, such as `refs/heads/next`.
    pub reference: String,
    /// The commit.
    pub commit_id: CommitId,
}

/// The error for a path that the history of `tip` does not have: where else it was, and what it may be a slip of.
///
/// # Errors
/// Those of reading references, commits and trees.
pub(super) fn never_existed(objects: &Objects, tip: CommitId, path: &RepoPath) -> Result<Error> {
    Ok(PathError::NeverExisted {
        path: path.clone(),
        tip,
        last_seen: last_seen(objects, tip, path)?,
        case_twins: case_twins(objects, tip, path)?,
        nearest: nearest::paths(objects, tip, path)?,
    }
    .into())
}

/// Refuses a path that neither `tip` nor one of the `commits` concerned has, or had at any time.
///
/// # Errors
/// [`PathError::NeverExisted`], and those of reading commits and trees.
pub(crate) fn ensure_existed(
    objects: &Objects,
    tip: CommitId,
    commits: &[CommitId],
    path: &RepoPath,
) -> Result<()> {
    let has = |commit: CommitId| -> Result<bool> {
        Ok(path.is_root() || objects.entry_at(objects.commit_header(commit)?.tree, path)?.is_some())
    };
    if has(tip)? {
        return Ok(());
    }
    for commit in commits {
        if has(*commit)? {
            return Ok(());
        }
    }
    // What a commit removed was there before it: its own history knows. Of a range its ends know it all.
    let ends = [Some(tip), commits.first().copied(), commits.last().copied()];
    let known = with_ancestry(objects, |ancestry| {
        let mut walk = PathWalk::new(ancestry, tip, path, Follow::NameOnly);
        for end in ends.into_iter().flatten() {
            let start = walk.node(end, path);
            walk.restart(start);
            if walk.next_change()?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    })?;
    if known { Ok(()) } else { Err(never_existed(objects, tip, path)?) }
}

/// The paths at the tip that differ from `path` in ASCII case alone, in the tree's order.
///
/// # Errors
/// Those of reading trees.
pub(crate) fn case_twins(objects: &Objects, tip: CommitId, path: &RepoPath) -> Result<Vec<RepoPath>> {
    let mut twins = vec![(RepoPath::default(), Some(objects.commit_header(tip)?.tree))];
    for name in path.components() {
        let mut next = Vec::new();
        for (folder, tree) in twins {
            let Some(tree) = tree else { continue };
            for row in objects.tree(tree)?.entries {
                if row.name.eq_ignore_ascii_case(name) {
                    let below = row.entry.mode.is_tree().then_some(TreeId(row.entry.id));
                    next.push((folder.join(&row.name), below));
                }
            }
        }
        twins = next;
    }
    Ok(twins.into_iter().map(|(twin, _)| twin).filter(|twin| twin.is_case_twin_of(path)).collect())
}

/// The newest commit of another reference that has or removed the path.
fn last_seen(objects: &Objects, tip: CommitId, path: &RepoPath) -> Result<Option<LastSeen>> {
    let seen = last_changes(objects, tip, path, |_| true, |_, _| Ok(true))?;
    Ok(seen.into_iter().next().map(|(reference, commit_id)| LastSeen { reference, commit_id }))
}

/// The commits by which other branches lost the path, and that the tip does not have.
///
/// # Errors
/// Those of reading references, commits and trees.
pub(crate) fn removals(objects: &Objects, tip: CommitId, path: &RepoPath) -> Result<Vec<Removal>> {
    let is_branch = |name: &str| name.starts_with("refs/heads/") || name.starts_with("refs/remotes/");
    let removals = last_changes(objects, tip, path, is_branch, |walk, node| {
        let commit = walk.commit_id(node);
        Ok(walk.entry(node)?.is_none() && !reaches(walk.ancestry(), &[tip], commit)?)
    })?;
    Ok(removals.into_iter().map(|(reference, commit_id)| Removal { reference, commit_id }).collect())
}

/// For each reference that is wanted: its last change to the path, if it passes. A commit is named once, with the first
/// reference that reaches it, and of lines of history that meet, the first is followed.
fn last_changes(
    objects: &Objects,
    tip: CommitId,
    path: &RepoPath,
    is_wanted: impl Fn(&str) -> bool,
    mut passes: impl FnMut(&mut PathWalk<'_>, Node) -> Result<bool>,
) -> Result<Vec<(String, CommitId)>> {
    let references = references(objects)?;
    with_ancestry(objects, |ancestry| {
        let mut walk = PathWalk::new(ancestry, tip, path, Follow::NameOnly);
        let mut seen: HashSet<Node> = HashSet::new();
        let mut found = Vec::new();
        for (name, commit) in references.iter().filter(|(name, _)| is_wanted(name)) {
            let mut at = Some(walk.node(*commit, path));
            while let Some(node) = at.filter(|node| seen.insert(*node)) {
                // A reference whose history cannot be read is no reason to fail: this is information.
                let Ok(step) = walk.step(node) else { break };
                if step.is_change {
                    if passes(&mut walk, node).unwrap_or(false) {
                        found.push((name.clone(), walk.commit_id(node)));
                    }
                    break;
                }
                at = step.parents.first().copied();
            }
        }
        Ok(found)
    })
}

/// The commits that references name: branches first, then remote-tracking branches, tags and the rest.
fn references(objects: &Objects) -> Result<Vec<(String, CommitId)>> {
    let mut references = Vec::new();
    for (name, id) in References::of(objects.gix())?.below("refs/")? {
        // Broken references are git's to complain about; one that names no commit has no history.
        let Ok(commit) = commit_of(objects.gix(), name.as_ref(), id) else { continue };
        references.push((name.to_string(), commit));
    }
    let rank = |name: &str| {
        let kinds = ["refs/heads/", "refs/remotes/", "refs/tags/"];
        kinds.iter().position(|kind| name.starts_with(kind)).unwrap_or(kinds.len())
    };
    references.sort_by(|(one, _), (other, _)| rank(one).cmp(&rank(other)).then_with(|| one.cmp(other)));
    Ok(references)
}
