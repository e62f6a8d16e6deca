//! The names of a file through its history: what it is called in another commit, and what changed it since.

use std::collections::HashSet;

use super::entries::same;
use super::rename::Renames;
use super::walk::{Follow, Node, PathWalk, Visit};
use crate::error::Result;
use crate::id::{CommitId, TreeId};
use crate::path::RepoPath;
use crate::repo::ancestry::{Ancestry, CommitIx, with_ancestry};
use crate::repo::{Objects, commit_set};

/// What a path of the tip is called in another commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NameThen {
    /// It has this name there.
    Known(RepoPath),
    /// It was added after that commit; a path of this name there is another one.
    NotYet,
    /// History does not tell: it does not lead from the tip through that commit.
    Unknown,
}

/// What `path`, which the tip has, is called in `other`.
///
/// # Errors
/// Those of reading commits and trees.
pub(crate) fn name_in(
    objects: &Objects,
    tip: CommitId,
    path: &RepoPath,
    other: CommitId,
) -> Result<NameThen> {
    with_ancestry(objects, |ancestry| {
        let mut life = Life::of(PathWalk::new(ancestry, tip, path, Follow::Renames), tip, path);
        let newer = commits_since(life.walk.ancestry(), tip, other)?;
        while let Some(Visit { node, .. }) = life.next()? {
            if life.walk.commit_id(node) == other {
                return Ok(NameThen::Known(life.walk.path(node).clone()));
            }
            if !newer.contains(&node.commit) {
                return Ok(NameThen::Unknown);
            }
        }
        Ok(NameThen::NotYet)
    })
}

/// The path in the tree `old` whose content `path` of the tree `new` most likely is: one that `new` lacks.
///
/// # Errors
/// Those of reading trees.
pub(crate) fn likely_source(
    objects: &Objects,
    old: TreeId,
    new: TreeId,
    path: &RepoPath,
) -> Result<Option<RepoPath>> {
    match objects.entry_at(new, path)? {
        Some(entry) => Renames::new(objects).source_of(old, new, path, entry),
        None => Ok(None),
    }
}

/// The path in the tree `new` that `path` of the tree `old` most likely became: one that `old` lacks.
///
/// # Errors
/// Those of reading trees.
pub(crate) fn likely_destination(
    objects: &Objects,
    old: TreeId,
    new: TreeId,
    path: &RepoPath,
) -> Result<Option<RepoPath>> {
    match objects.entry_at(old, path)? {
        Some(entry) => Renames::new(objects).destination_of(old, new, path, entry),
        None => Ok(None),
    }
}

/// The commits that changed the content of `path` since `since`, under whatever name, newest first. A pure move is none.
///
/// # Errors
/// Those of reading commits and trees.
pub(crate) fn content_changes_since(
    objects: &Objects,
    tip: CommitId,
    since: CommitId,
    path: &RepoPath,
) -> Result<Vec<CommitId>> {
    with_ancestry(objects, |ancestry| {
        let mut life = Life::of(PathWalk::new(ancestry, tip, path, Follow::Renames), tip, path);
        let newer = commits_since(life.walk.ancestry(), tip, since)?;
        let mut changes = Vec::new();
        while let Some(visit) = life.next()?.filter(|visit| newer.contains(&visit.node.commit)) {
            if visit.step.is_change && !life.walk.is_pure_move(&visit)? {
                changes.push(life.walk.commit_id(visit.node));
            }
        }
        Ok(changes)
    })
}

/// The newest changes to `path` in what `start` reaches, at most `limit` of them, each with the name the path had there.
/// It is followed through renames, and on to what had its name before.
///
/// # Errors
/// Those of reading commits and trees.
pub(crate) fn last_changes_of(
    objects: &Objects,
    start: CommitId,
    path: &RepoPath,
    limit: usize,
) -> Result<Vec<(CommitId, RepoPath)>> {
    with_ancestry(objects, |ancestry| {
        let mut walk = PathWalk::new(ancestry, start, path, Follow::Renames);
        let mut changes = Vec::new();
        while changes.len() < limit
            && let Some(visit) = walk.next_change()?
        {
            if visit.step.is_change {
                changes.push((walk.commit_id(visit.node), walk.path(visit.node).clone()));
            }
        }
        Ok(changes)
    })
}

/// The commits that `tip` reaches and `other` does not.
fn commits_since(ancestry: &mut Ancestry<'_>, tip: CommitId, other: CommitId) -> Result<HashSet<CommitIx>> {
    let (tip, other) = (ancestry.index_of(tip), ancestry.index_of(other));
    commit_set::difference(ancestry, &[tip], &[other])
}

/// The history of a file from the tip back to where it was added. A walk goes on from there, along what had its name
/// before.
struct Life<'o> {
    walk: PathWalk<'o>,
    /// The commits to come in which it is there.
    ahead: HashSet<Node>,
}

impl<'o> Life<'o> {
    fn of(mut walk: PathWalk<'o>, tip: CommitId, path: &RepoPath) -> Self {
        let ahead = HashSet::from([walk.node(tip, path)]);
        Self { walk, ahead }
    }

    fn next(&mut self) -> Result<Option<Visit>> {
        while !self.ahead.is_empty()
            && let Some(visit) = self.walk.next()?
        {
            if !self.ahead.remove(&visit.node) {
                continue;
            }
            for parent in &visit.step.parents {
                if self.walk.entry(*parent)?.is_some() {
                    self.ahead.insert(*parent);
                }
            }
            return Ok(Some(visit));
        }
        Ok(None)
    }
}

impl PathWalk<'_> {
    /// Whether the commit only gave the path its name, and its content is what it was under the old one.
    pub(super) fn is_pure_move(&mut self, visit: &Visit) -> Result<bool> {
        let [parent] = visit.step.parents.as_slice() else { return Ok(false) };
        if parent.path == visit.node.path {
            return Ok(false);
        }
        let (before, after) = (self.entry(*parent)?, self.entry(visit.node)?);
        Ok(after.is_some() && same(before, after))
    }
}
