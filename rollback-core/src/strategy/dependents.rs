//! The later commits that build on a change: with them it can be undone, and not without any one of them.
//!
//! Whatever keeps the undo from being clean is taken along, newest first, and what keeps that from being undone, until
//! all of it is clean. What is told was tried; what builds on a change only by its meaning is for a check to find.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::blockers::{Blockers, Stuck};
use super::workbench::{Change, Workbench};
use crate::conflict::Conflict;
use crate::error::Result;
use crate::history::{LaterTouches, PathChange, paths_between};
use crate::id::{CommitId, TreeId};
use crate::path::RepoPath;

/// How many later commits are taken along where [`PlanOptions::max_dependents`](crate::PlanOptions) says nothing.
pub(crate) const MOST: usize = 24;
/// Of more commits none is left out to see whether it is needed.
const MOST_TRIED: usize = 16;
/// A change with more conflicts than this is not followed further: it moved or rewrote much of the tree.
const MOST_CONFLICTS: usize = 48;
/// How many commits are read at most to find those that touched a path, one that is read for two paths counted twice.
const MOST_READ: usize = 20_000;

/// A later commit that keeps a change from being undone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Dependent {
    /// The commit.
    pub commit_id: CommitId,
    /// What it keeps from being undone: the change, or another dependent.
    pub blocks: CommitId,
    /// The file in which it does.
    pub path: RepoPath,
    /// How.
    pub reason: DependentReason,
    /// The first of its lines that are in the way, counted from 1 in the file as it is without the dependents that are
    /// newer. Where it only took lines away, the line behind them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_line: Option<usize>,
    /// The last of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_line: Option<usize>,
}

/// How a later commit keeps a change from being undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum DependentReason {
    /// It changed the same lines, or lines beside them.
    Lines,
    /// It changed the file, which would have to go.
    Modifies,
    /// It deleted the file, or moved it, and the content would have to change.
    Deletes,
    /// It is the newest that touched the path, and no line tells more.
    Touches,
}

/// What was found of the dependents of some changes.
pub(crate) struct Found {
    /// Newest first.
    pub(crate) dependents: Vec<Dependent>,
    /// They and the changes, in the order in which all can be undone; `None` where no such set was found. The dependents
    /// are then those that are in the way of the changes themselves.
    pub(crate) all: Option<Vec<Change>>,
}

impl Workbench {
    /// The later commits that keep `changes` from being undone one after the other, `most` at most.
    pub(crate) fn dependents(&mut self, changes: &[Change], most: usize) -> Result<Found> {
        let Some(oldest) = changes.last() else {
            return Ok(Found { dependents: Vec::new(), all: Some(Vec::new()) });
        };
        let later = LaterTouches::since(&self.objects, self.tip.id, oldest.commit.id)?;
        let blockers = Blockers::new(std::rc::Rc::clone(&self.objects));
        let search = Search {
            bench: self,
            changes,
            later,
            blockers,
            most,
            read: 0,
            taken: Vec::new(),
            undone: Vec::new(),
        };
        search.run()
    }
}

struct Search<'a> {
    bench: &'a mut Workbench,
    changes: &'a [Change],
    later: LaterTouches,
    blockers: Blockers,
    most: usize,
    /// How many commits were read so far.
    read: usize,
    taken: Vec<(Dependent, Change)>,
    /// What comes of undoing the first of all, the first two, and so on, as far as that is known.
    undone: Vec<(CommitId, TreeId)>,
}

impl Search<'_> {
    fn run(mut self) -> Result<Found> {
        // What is in the way of the first that conflicts is told in any case.
        let mut first = None;
        loop {
            let all = self.in_order();
            let Some((nth, conflicts)) = self.first_conflict(&all)? else { break };
            let found = match conflicts.len() <= MOST_CONFLICTS || first.is_none() {
                true => self.in_the_way(&all[nth], &conflicts)?,
                false => Vec::new(),
            };
            tracing::debug!(taken = self.taken.len(), stuck = %all[nth].commit.id, ?found, "in the way");
            let newest = found.iter().min_by_key(|one| self.later.place(one.commit_id)).cloned();
            first.get_or_insert(found);
            match newest.filter(|_| self.taken.len() < self.most) {
                Some(newest) => self.take(newest)?,
                None => {
                    let mut dependents = first.unwrap_or_default();
                    dependents.sort_by_key(|one| self.later.place(one.commit_id));
                    return Ok(Found { dependents, all: None });
                }
            }
        }
        self.leave_out_unneeded()?;
        let all = self.in_order();
        let named: HashSet<_> = all.iter().map(|change| change.commit.id).collect();
        let undone = self.changes.first().map(|change| change.commit.id);
        for (dependent, _) in &mut self.taken {
            if !named.contains(&dependent.blocks) {
                dependent.blocks = undone.unwrap_or(dependent.blocks);
            }
        }
        Ok(Found { dependents: self.newest_first(), all: Some(all) })
    }

    fn take(&mut self, dependent: Dependent) -> Result<()> {
        let commit = self.bench.objects.commit(dependent.commit_id)?;
        self.taken.push((dependent, Change::of_mainline(commit)?));
        Ok(())
    }

    /// The dependents and the changes, newest first; where the changes are in an order of their own, after all others.
    fn in_order(&self) -> Vec<Change> {
        let place = |change: &Change| self.later.place(change.commit.id).unwrap_or(usize::MAX);
        let mut all: Vec<_> = self.taken.iter().map(|(_, change)| change.clone()).collect();
        all.sort_by_key(place);
        all.extend(self.changes.iter().cloned());
        if self.changes.is_sorted_by_key(place) {
            all.sort_by_key(place);
        }
        all
    }

    /// The first of the changes that is not clean after those before it, and its conflicts.
    fn first_conflict(&mut self, all: &[Change]) -> Result<Option<(usize, Vec<Conflict>)>> {
        let known = self.undone.iter().zip(all).take_while(|(known, change)| known.0 == change.commit.id);
        let known = known.count();
        self.undone.truncate(known);
        for (nth, change) in all.iter().enumerate().skip(known) {
            let tree = self.undone.last().map_or(self.bench.start, |(_, tree)| *tree);
            match self.bench.undone_or_conflicts(change, tree)? {
                Ok(undone) => self.undone.push((change.commit.id, undone)),
                Err(conflicts) => return Ok(Some((nth, conflicts))),
            }
        }
        Ok(None)
    }

    fn in_the_way(&mut self, change: &Change, conflicts: &[Conflict]) -> Result<Vec<Dependent>> {
        let mut names = HashMap::new();
        for conflict in conflicts {
            let then = self.name_then(change, conflict)?;
            names.insert(conflict.path.clone(), [conflict.path.clone()].into_iter().chain(then).collect());
        }
        let mut paths: Vec<RepoPath> = names.values().flatten().cloned().collect();
        paths.sort();
        if !self.later.knows(&paths) {
            self.read += self.later.len();
            if self.read > MOST_READ && self.read > self.later.len() {
                return Ok(Vec::new());
            }
        }
        self.later.look_up(&self.bench.objects, &paths)?;
        let taken = self.taken.iter().map(|(_, change)| change.commit.id);
        let taken = taken.chain(self.changes.iter().map(|change| change.commit.id)).collect();
        self.blockers.of(&Stuck { change, conflicts, names }, &self.later, &taken)
    }

    /// What a path in conflict is called in the change, where that is another name: that of the file which both sides have
    /// in common.
    fn name_then(&self, change: &Change, conflict: &Conflict) -> Result<Option<RepoPath>> {
        let (objects, tree) = (&self.bench.objects, change.commit.tree);
        let Some(base) = conflict.stages.base else { return Ok(None) };
        if objects.entry_at(tree, &conflict.path)?.is_some() {
            return Ok(None);
        }
        let changed = paths_between(objects, objects.tree_of(change.parent())?, tree)?;
        let is_it = |one: &PathChange| one.after.is_some_and(|after| after.id == base.id);
        Ok(changed.into_iter().find(is_it).map(|one| one.path))
    }

    /// Leaves out each of the dependents without which it is clean as well, the oldest first.
    fn leave_out_unneeded(&mut self) -> Result<()> {
        if self.taken.len() > MOST_TRIED {
            return Ok(());
        }
        self.taken.sort_by_key(|(dependent, _)| std::cmp::Reverse(self.later.place(dependent.commit_id)));
        let mut at = 0;
        while at < self.taken.len() {
            let left = self.taken.remove(at);
            let without = self.in_order();
            if self.first_conflict(&without)?.is_some() {
                self.taken.insert(at, left);
                at += 1;
            }
        }
        Ok(())
    }

    fn newest_first(mut self) -> Vec<Dependent> {
        self.taken.sort_by_key(|(dependent, _)| self.later.place(dependent.commit_id));
        self.taken.into_iter().map(|(dependent, _)| dependent).collect()
    }
}
