//! The bench on which strategies are tried: a tip, the objects they create in memory, and the one merge
//! engine.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::scope::{self, covers};
use super::{Attempt, AttemptResult, Loss, LossClass, Scope, Step, Strategy};
use crate::conflict::Conflict;
use crate::error::{Error, Result};
use crate::history::{commits_touching_since, paths_between};
use crate::id::{CommitId, TreeId};
use crate::merge::{Engine, Labels, Merged, Options, Verdict};
use crate::path::RepoPath;
use crate::repo::{Commit, Edits, Objects, Repo};

/// A tip and everything needed to try ways back from it.
pub(crate) struct Workbench {
    pub(crate) objects: Rc<Objects>,
    pub(crate) tip: Commit,
    engine: Engine,
}

/// A commit to be undone or replayed, all of it or in part.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) commit: Commit,
    /// The mainline of a merge, counted from 1; `None` for any other commit.
    pub(crate) mainline: Option<usize>,
    /// The paths to which it is restricted; all of it where `None`.
    pub(crate) paths: Option<Vec<RepoPath>>,
}

/// Paths to be put back as they are in a commit.
#[derive(Clone, Debug)]
pub(crate) struct Restoration {
    /// The commit they are taken from; `None` takes them from the empty tree.
    pub(crate) from: Option<CommitId>,
    pub(crate) paths: Vec<RepoPath>,
    /// The change being taken back: what touched the paths after it would be lost.
    pub(crate) since: CommitId,
    /// Keep the paths of a folder that the commit does not have.
    pub(crate) overlay: bool,
}

/// Which way a change is applied.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Undo,
    Replay,
}

impl Change {
    /// The whole of `commit` against `mainline`.
    ///
    /// # Errors
    /// [`Error::MainlineOutOfRange`] where the commit has no such parent, or is no merge and one was named.
    pub(crate) fn whole(commit: Commit, mainline: Option<usize>) -> Result<Self> {
        let parents = commit.parents.len();
        let fits = match mainline {
            Some(number) => parents > 1 && (1..=parents).contains(&number),
            None => parents < 2,
        };
        if !fits {
            let mainline = mainline.unwrap_or(0);
            return Err(Error::MainlineOutOfRange { commit: commit.id, mainline, parents });
        }
        Ok(Self { commit, mainline, paths: None })
    }

    /// The same change restricted to `paths`.
    pub(crate) fn scoped(&self, paths: Vec<RepoPath>) -> Self {
        Self { paths: Some(paths), ..self.clone() }
    }

    /// The parent it is a change against; `None` for a root.
    pub(crate) fn parent(&self) -> Option<CommitId> {
        let index = self.mainline.map_or(0, |number| number - 1);
        self.commit.parents.get(index).copied()
    }

    pub(crate) fn undo_strategy(&self) -> Strategy {
        if self.mainline.is_some() { Strategy::RevertMerge } else { Strategy::RevertCommit }
    }
}

impl Workbench {
    /// A bench for ways back from `tip`.
    pub(crate) fn new(repo: &Repo, tip: CommitId) -> Result<Self> {
        let objects = Rc::new(repo.objects());
        let tip = objects.commit(tip)?;
        let engine = Engine::over(Rc::clone(&objects), Options::from_config(repo)?)?;
        Ok(Self { objects, tip, engine })
    }

    /// Undoes `changes` one after the other.
    pub(crate) fn undo(&mut self, changes: &[Change]) -> Result<Attempt> {
        let strategy = changes.first().map_or(Strategy::RevertCommit, Change::undo_strategy);
        self.merge_each(strategy, Direction::Undo, changes)
    }

    /// Replays `changes` one after the other.
    pub(crate) fn replay(&mut self, changes: &[Change]) -> Result<Attempt> {
        self.merge_each(Strategy::CherryPick, Direction::Replay, changes)
    }

    /// Puts paths back exactly, one commit for each commit that they are taken from.
    pub(crate) fn restore(&mut self, restorations: &[Restoration]) -> Result<Attempt> {
        let restorations = by_source(restorations);
        let mut attempt = Attempt::new(Strategy::RestoreFile);
        attempt.from = match restorations.as_slice() {
            [only] => only.from,
            _ => None,
        };
        attempt.scope = Some(Scope::Paths(all_paths(&restorations)));
        let mut tree = self.tip.tree;
        for one in &restorations {
            let restored = self.objects.edit_tree(tree, &self.edits(one)?)?;
            if restored != tree {
                tree = restored;
                let source = one.from.unwrap_or(one.since);
                attempt.steps.push(Step::new(source, tree, one.paths.clone()));
            }
        }
        attempt.loss = self.loss_of_restoring(&restorations)?;
        self.finish(attempt, tree)
    }

    fn edits(&self, one: &Restoration) -> Result<Edits> {
        let mut edits = Edits::new();
        let source = self.objects.tree_of(one.from)?;
        for path in &one.paths {
            let entry = self.objects.entry_at(source, path)?;
            if one.overlay && entry.is_some_and(|entry| entry.mode.is_tree()) {
                let there = paths_between(&self.objects, self.objects.empty_tree(), source)?;
                let below = there.into_iter().filter(|change| path.contains(&change.path));
                edits.extend(below.map(|change| (change.path, change.after)));
            } else {
                edits.insert(path.clone(), entry);
            }
        }
        Ok(edits)
    }

    fn merge_each(
        &mut self,
        strategy: Strategy,
        direction: Direction,
        changes: &[Change],
    ) -> Result<Attempt> {
        let mut attempt = Attempt::new(strategy);
        if let [only] = changes {
            attempt.commit_id = Some(only.commit.id);
            attempt.mainline = only.mainline;
        }
        attempt.scope = Some(scope_of(changes));
        let mut tree = self.tip.tree;
        for change in changes {
            let merged = self.merge_one(direction, change, tree)?;
            if merged.verdict != Verdict::Clean {
                return Ok(self.undecided(attempt, change, merged));
            }
            if merged.tree_id != tree {
                tree = merged.tree_id;
                let paths = change.paths.clone().unwrap_or_default();
                let step = Step::new(change.commit.id, tree, paths);
                attempt.steps.push(Step { mainline: change.mainline, ..step });
            }
        }
        attempt.loss = self.loss_of_merging(direction, changes, tree)?;
        self.finish(attempt, tree)
    }

    fn merge_one(&mut self, direction: Direction, change: &Change, ours: TreeId) -> Result<Merged> {
        let (commit, parent) = (change.commit.tree, self.objects.tree_of(change.parent())?);
        let (base, incoming) = match direction {
            Direction::Undo => (commit, parent),
            Direction::Replay => (parent, commit),
        };
        let theirs = match &change.paths {
            Some(paths) => scope::restrict(&self.objects, base, incoming, paths)?,
            None => incoming,
        };
        self.engine.merge(base, ours, theirs, &self.labels(direction, &change.commit))
    }

    /// The labels of conflict markers, as git's sequencer writes them.
    fn labels(&self, direction: Direction, commit: &Commit) -> Labels {
        let name = format!("{} ({})", self.objects.abbreviated(commit.id.0), commit.subject());
        let parent = format!("parent of {name}");
        let (base, theirs) = match direction {
            Direction::Undo => (name, parent),
            Direction::Replay => (parent, name),
        };
        Labels::new(base, "HEAD", theirs)
    }

    fn undecided(&self, mut attempt: Attempt, change: &Change, merged: Merged) -> Attempt {
        attempt.steps.clear();
        attempt.result = match merged.verdict {
            Verdict::NeedsReview(_) => AttemptResult::NeedsReview,
            _ => AttemptResult::Conflicted,
        };
        attempt.reason = Some(match &merged.verdict {
            Verdict::NeedsReview(reason) => reason.to_string(),
            _ => conflict_reason(&merged.conflicts),
        });
        attempt.commit_id = Some(change.commit.id);
        attempt.conflicts = merged.conflicts;
        attempt
    }

    /// Fills in what a decided result says: clean or empty, and the paths that differ from the tip's.
    fn finish(&self, mut attempt: Attempt, tree: TreeId) -> Result<Attempt> {
        if tree == self.tip.tree {
            attempt.result = AttemptResult::Empty;
            attempt.reason = Some("it would change nothing".into());
            attempt.steps.clear();
            return Ok(attempt);
        }
        let changes = paths_between(&self.objects, self.tip.tree, tree)?;
        attempt.paths_touched = changes.iter().map(|change| change.path.clone()).collect();
        attempt.changes = changes;
        attempt.result = AttemptResult::Clean;
        attempt.tree_id = Some(tree);
        Ok(attempt)
    }

    /// A rollback is exact where every path it touches becomes what it was before the change.
    fn loss_of_merging(&self, direction: Direction, changes: &[Change], result: TreeId) -> Result<Loss> {
        let inverse = Loss { class: LossClass::Inverse, discards: Vec::new() };
        let [only] = changes else { return Ok(inverse) };
        if direction == Direction::Replay {
            return Ok(inverse);
        }
        let parent = self.objects.tree_of(only.parent())?;
        for change in paths_between(&self.objects, parent, only.commit.tree)? {
            let in_scope = only.paths.as_ref().is_none_or(|paths| covers(paths, &change.path));
            if in_scope && self.objects.entry_at(result, &change.path)? != change.before {
                return Ok(inverse);
            }
        }
        Ok(Loss { class: LossClass::Exact, discards: Vec::new() })
    }

    /// A restoration is exact where nobody touched the paths after the change that is taken back.
    fn loss_of_restoring(&self, restorations: &[Restoration]) -> Result<Loss> {
        let mut discards = Vec::new();
        let mut seen: BTreeSet<_> = restorations.iter().map(|one| one.since).collect();
        for one in restorations {
            if self.is_untouched_since(one)? {
                continue;
            }
            let later = commits_touching_since(&self.objects, self.tip.id, one.since, &one.paths)?;
            discards.extend(later.into_iter().filter(|id| seen.insert(*id)));
        }
        let class = if discards.is_empty() { LossClass::Exact } else { LossClass::Snapshot };
        Ok(Loss { class, discards })
    }

    fn is_untouched_since(&self, one: &Restoration) -> Result<bool> {
        let after = self.objects.commit(one.since)?.tree;
        for path in &one.paths {
            if self.objects.entry_at(after, path)? != self.objects.entry_at(self.tip.tree, path)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The later commits that touched the paths on which undoing `change` conflicts, newest first.
    pub(crate) fn dependents(&self, change: &Change, conflicts: &[Conflict]) -> Result<Vec<CommitId>> {
        let paths: Vec<_> = conflicts.iter().map(|conflict| conflict.path.clone()).collect();
        let mut later = commits_touching_since(&self.objects, self.tip.id, change.commit.id, &paths)?;
        later.retain(|id| *id != change.commit.id);
        Ok(later)
    }
}

fn scope_of(changes: &[Change]) -> Scope {
    let mut paths = Vec::new();
    for change in changes {
        match &change.paths {
            None => return Scope::Whole,
            Some(scoped) => paths.extend(scoped.iter().cloned()),
        }
    }
    Scope::Paths(paths)
}

/// The restorations with those from one commit put together, in the order of the first of each.
fn by_source(restorations: &[Restoration]) -> Vec<Restoration> {
    let mut merged: Vec<Restoration> = Vec::new();
    for one in restorations {
        let same = |other: &&mut Restoration| {
            (other.from, other.since, other.overlay) == (one.from, one.since, one.overlay)
        };
        match merged.iter_mut().find(same) {
            Some(other) => other.paths.extend(one.paths.iter().cloned()),
            None => merged.push(one.clone()),
        }
    }
    merged
}

/// Every path of the restorations once, sorted.
fn all_paths(restorations: &[Restoration]) -> Vec<RepoPath> {
    let paths: BTreeSet<_> = restorations.iter().flat_map(|one| &one.paths).collect();
    paths.into_iter().cloned().collect()
}

fn conflict_reason(conflicts: &[Conflict]) -> String {
    match conflicts {
        [only] => format!("conflict in {}", only.path),
        [first, rest @ ..] => format!("conflicts in {} and {} more", first.path, rest.len()),
        [] => "the merge is not clean".into(),
    }
}
