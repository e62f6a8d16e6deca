//! The later commits whose lines are in the way of undoing a change: it is clean without all of them, and not without
//! any one less.

use std::collections::HashSet;

use super::workbench::{Change, Workbench};
use crate::conflict::Conflict;
use crate::error::Result;
use crate::history::commits_touching_since;
use crate::id::{CommitId, TreeId};
use crate::path::RepoPath;

/// How many later commits are looked at.
const LOOKED_AT: usize = 256;
/// How many of them are taken away, newest first, before it is given up; of more, none can be told.
const MOST: usize = 24;

impl Workbench {
    /// The later commits whose lines keep `changes[stuck]` from being undone after the changes before it, newest first.
    ///
    /// None where they cannot be told: a commit that touches the same file is not in the way for that alone.
    pub(crate) fn dependents(
        &mut self,
        changes: &[Change],
        stuck: usize,
        conflicts: &[Conflict],
    ) -> Result<Vec<CommitId>> {
        let change = &changes[stuck];
        let mut start = self.start;
        for before in &changes[..stuck] {
            start = self.undone_in(before, start)?.unwrap_or(start);
        }
        let paths: Vec<_> = conflicts.iter().map(|conflict| conflict.path.clone()).collect();
        let later = self.later_changes(changes, stuck, &paths)?;
        let Some(needed) = self.needed(change, &later, start)? else { return Ok(Vec::new()) };
        Ok(needed.iter().map(|one| one.commit.id).collect())
    }

    /// What the later commits did to the paths that are not to be undone themselves: the newest first, as many as are
    /// looked at.
    fn later_changes(&self, changes: &[Change], stuck: usize, paths: &[RepoPath]) -> Result<Vec<Change>> {
        let since = changes[stuck].commit.id;
        let named: HashSet<_> = changes.iter().map(|change| change.commit.id).collect();
        let ids = commits_touching_since(&self.objects, self.tip.id, &[since], paths)?;
        let ids = ids.into_iter().filter(|id| !named.contains(id)).take(LOOKED_AT);
        ids.map(|id| Ok(Change::of_mainline(self.objects.commit(id)?)?.scoped(paths.to_vec(), Vec::new())))
            .collect()
    }

    /// The fewest of the later changes without which the change can be undone; `None` where that is not found.
    fn needed(&mut self, change: &Change, later: &[Change], start: TreeId) -> Result<Option<Vec<Change>>> {
        let mut needed = self.on_its_lines(change, later)?;
        if needed.len() > MOST || !self.is_clean_without(&needed, change, start)? {
            match self.newest_until_clean(change, later, start)? {
                Some(newest) => needed = newest,
                None => return Ok(None),
            }
        }
        let mut at = 0;
        while at < needed.len() {
            let left = needed.remove(at);
            if !self.is_clean_without(&needed, change, start)? {
                needed.insert(at, left);
                at += 1;
            }
        }
        Ok(Some(needed))
    }

    /// The later changes that alone, right after the change, would keep it from being undone, and those that build on
    /// them.
    fn on_its_lines(&mut self, change: &Change, later: &[Change]) -> Result<Vec<Change>> {
        let right_after = change.commit.tree;
        let mut with_those = right_after;
        let mut found = Vec::new();
        for one in later.iter().rev() {
            let is_on_them = match self.replayed_in(one, right_after)? {
                Some(tree) => self.undone_in(change, tree)?.is_none(),
                None => !found.is_empty() && self.replayed_in(one, with_those)?.is_some(),
            };
            if is_on_them {
                with_those = self.replayed_in(one, with_those)?.unwrap_or(with_those);
                found.push(one.clone());
            }
        }
        found.reverse();
        Ok(found)
    }

    /// The newest of the later changes, as many as it takes until the change can be undone without them.
    fn newest_until_clean(
        &mut self,
        change: &Change,
        later: &[Change],
        start: TreeId,
    ) -> Result<Option<Vec<Change>>> {
        let mut tree = start;
        for (nth, one) in later.iter().enumerate().take(MOST) {
            let Some(undone) = self.undone_in(one, tree)? else { return Ok(None) };
            tree = undone;
            if self.undone_in(change, tree)?.is_some() {
                return Ok(Some(later[..=nth].to_vec()));
            }
        }
        Ok(None)
    }

    fn is_clean_without(&mut self, others: &[Change], change: &Change, start: TreeId) -> Result<bool> {
        let mut tree = start;
        for one in others.iter().chain([change]) {
            match self.undone_in(one, tree)? {
                Some(undone) => tree = undone,
                None => return Ok(false),
            }
        }
        Ok(true)
    }
}
