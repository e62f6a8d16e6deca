//! The names of a file through its history: what it is called in another commit, and what changed it since.

use std::collections::{BTreeMap, HashSet};

use super::entries::same;
use super::rename::Renames;
use super::walk::{Follow, Node, PathWalk, Visit};
use crate::error::Result;
use crate::id::{CommitId, TreeId};
use crate::path::RepoPath;
use crate::repo::Objects;
use crate::repo::ancestry::{Ancestry, CommitIx, with_ancestry};
use crate::repo::reach::{Question, Reach};

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
    let names = names_in(objects, tip, &[path], &[other])?;
    Ok(names.into_iter().flatten().next().unwrap_or(NameThen::Unknown))
}

/// As [`name_in`] for several paths and commits, of each path in the order of the commits: each path is followed once, as
/// far as the oldest.
///
/// # Errors
/// Those of reading commits and trees.
pub(crate) fn names_in(
    objects: &Objects,
    tip: CommitId,
    paths: &[&RepoPath],
    others: &[CommitId],
) -> Result<Vec<Vec<NameThen>>> {
    let Some(first) = paths.first() else { return Ok(Vec::new()) };
    with_ancestry(objects, |ancestry| {
        let mut walk = PathWalk::new(ancestry, tip, first, Follow::Renames);
        let others: Vec<_> = others.iter().map(|other| walk.ancestry().index_of(*other)).collect();
        let reach = walk_since(walk.ancestry(), tip, &others)?;
        let mut names = vec![vec![NameThen::NotYet; others.len()]; paths.len()];
        for (path, names) in paths.iter().zip(&mut names) {
            let mut open: Vec<usize> = (0..others.len()).collect();
            let mut life = Life::of(&mut walk, tip, path);
            while !open.is_empty()
                && let Some(Visit { node, .. }) = life.next()?
            {
                let set = reach.reached_by(node.commit);
                open.retain(|number| {
                    if others[*number] == node.commit {
                        names[*number] = NameThen::Known(life.walk.path(node).clone());
                    } else if !reach.answers(set, *number) {
                        names[*number] = NameThen::Unknown;
                    }
                    names[*number] == NameThen::NotYet
                });
            }
        }
        Ok(names)
    })
}

/// Which commits the tip reaches and each of the others does not, by the number of the other.
fn walk_since(ancestry: &mut Ancestry<'_>, tip: CommitId, others: &[CommitIx]) -> Result<Reach> {
    let included = vec![ancestry.index_of(tip)];
    let asked = others.iter().map(|other| Question { included: included.clone(), excluded: vec![*other] });
    Reach::walk(ancestry, &asked.collect::<Vec<_>>())
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

/// The commits that changed the content of each path since the commit given with it, under whatever name, newest first. A
/// pure move is none. Each path is followed once, as far as the oldest asks.
///
/// # Errors
/// Those of reading commits and trees.
pub(crate) fn content_changes_since_each(
    objects: &Objects,
    tip: CommitId,
    asked: &[(CommitId, &RepoPath)],
) -> Result<Vec<Vec<CommitId>>> {
    let mut by_path: BTreeMap<&RepoPath, Vec<usize>> = BTreeMap::new();
    for (number, (_, path)) in asked.iter().enumerate() {
        by_path.entry(path).or_default().push(number);
    }
    let Some((_, first)) = asked.first() else { return Ok(Vec::new()) };
    with_ancestry(objects, |ancestry| {
        let mut walk = PathWalk::new(ancestry, tip, first, Follow::Renames);
        let since: Vec<_> = asked.iter().map(|(since, _)| walk.ancestry().index_of(*since)).collect();
        let reach = walk_since(walk.ancestry(), tip, &since)?;
        let mut changes = vec![Vec::new(); asked.len()];
        for (path, numbers) in &by_path {
            let mut open = numbers.clone();
            let mut life = Life::of(&mut walk, tip, path);
            while let Some(visit) = life.next()? {
                let set = reach.reached_by(visit.node.commit);
                open.retain(|number| reach.answers(set, *number));
                if open.is_empty() {
                    break;
                }
                if visit.step.is_change && !life.walk.is_pure_move(&visit)? {
                    let commit = life.walk.commit_id(visit.node);
                    open.iter().for_each(|number| changes[*number].push(commit));
                }
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

/// The history of a file from the tip back to where it was added. A walk goes on from there, along what had its name
/// before.
struct Life<'w, 'o> {
    walk: &'w mut PathWalk<'o>,
    /// The commits to come in which it is there.
    ahead: HashSet<Node>,
}

impl<'w, 'o> Life<'w, 'o> {
    fn of(walk: &'w mut PathWalk<'o>, tip: CommitId, path: &RepoPath) -> Self {
        let start = walk.node(tip, path);
        walk.restart(start);
        Self { walk, ahead: HashSet::from([start]) }
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
