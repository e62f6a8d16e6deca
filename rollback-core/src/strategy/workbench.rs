//! The bench on which strategies are tried: a tip, the objects they create in memory, and the one merge
//! engine.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use serde::{Deserialize, Serialize};

use super::part::Part;
use super::scope;
use super::{Attempt, AttemptResult, Loss, LossClass, Restriction, Scope, Step, Strategy, dependents, hunks};
use crate::conflict::Conflict;
use crate::error::{Result, RevisionError, SettingError};
use crate::history::{
    NameThen, PathSet, Rename, Renames, commits_touching_since, name_in, names_in, newest_first,
    paths_between,
};
use crate::id::{CommitId, TreeId};
use crate::merge::{Engine, Favor, Labels, Merged, Options, Verdict};
use crate::path::{RepoPath, names_now};
use crate::repo::{Commit, Edits, Objects, Repo};

/// A tip and everything needed to try ways back from it.
pub(crate) struct Workbench {
    pub(crate) objects: Rc<Objects>,
    pub(crate) tip: Commit,
    /// The tree that every way starts from: that of the tip or, where the result is staged on top of it, of the index.
    pub(crate) start: TreeId,
    empty: EmptyCommits,
    /// How many later commits are taken along at most where they are in the way.
    pub(super) most_dependents: usize,
    engine: Engine,
    /// The side that wins where both changed the same lines, if one does.
    preference: Option<Preference>,
    /// What paths of the tip are called in commits, as far as that was looked up.
    names: RefCell<HashMap<RepoPath, HashMap<CommitId, NameThen>>>,
}

/// A preferred side, and the same merge without it: what is in force, and what the preference decided, is judged by that.
struct Preference {
    side: Favor,
    without: Engine,
}

/// What becomes of a picked commit that changes nothing where it is picked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum EmptyCommits {
    /// No commit is made for it.
    #[default]
    LeaveOut,
    /// A commit that was empty from the start is kept, as `git cherry-pick --allow-empty` does.
    KeepFromStart,
    /// It is kept, also where it only became empty, as `git cherry-pick --keep-redundant-commits` does.
    Keep,
}

impl EmptyCommits {
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// A commit to be undone or replayed, all of it or in part.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) commit: Commit,
    /// The mainline of a merge, counted from 1; `None` for any other commit.
    pub(crate) mainline: Option<usize>,
    /// The paths to which it is restricted; all of it where `None`.
    pub(crate) paths: Option<Vec<RepoPath>>,
    /// Which of the paths have another name at the tip.
    pub(crate) renamed: Vec<Rename>,
    /// Names that the change itself gave to paths and that stay: only what else it did to them is taken.
    pub(crate) kept_names: Vec<Rename>,
    /// The part of what it did to a file that is taken; all of it where `None`.
    pub(crate) part: Option<Part>,
}

/// Paths to be put back as they are in a commit.
#[derive(Clone, Debug)]
pub(crate) struct Restoration {
    /// The commit they are taken from; `None` takes them from the empty tree.
    pub(crate) from: Option<CommitId>,
    pub(crate) paths: Vec<RepoPath>,
    /// Which of the paths have another name in that commit.
    pub(crate) renamed: Vec<Rename>,
    /// The change being taken back: what touched the paths after it would be lost.
    pub(crate) since: CommitId,
    /// Keep the paths of a folder that the commit does not have.
    pub(crate) overlay: bool,
}

/// Whether a change is in force in a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Replaying it would change nothing, and undoing it would.
    InForce,
    /// Undoing it would change nothing, and replaying it would.
    TakenBack,
    /// Neither: the lines it changed were changed since.
    Unclear,
}

/// A state to which everything, or some paths, is brought back.
#[derive(Clone, Debug)]
pub(crate) struct BackTo {
    pub(crate) state: CommitId,
    /// Only these paths; everything where absent.
    pub(crate) paths: Option<Restoration>,
    /// What would be lost beyond the changes since that state: none where the branch was there.
    pub(crate) discards: Vec<CommitId>,
}

/// Which way a change is applied.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Undo,
    Replay,
}

impl Change {
    /// The whole of `commit` against `mainline`.
    ///
    /// # Errors
    /// [`RevisionError::MainlineOutOfRange`] where the commit has no such parent, or is no merge and one was named.
    pub(crate) fn whole(commit: Commit, mainline: Option<usize>) -> Result<Self> {
        let parents = commit.parents.len();
        let fits = match mainline {
            Some(number) => parents > 1 && (1..=parents).contains(&number),
            None => parents < 2,
        };
        if !fits {
            let mainline = mainline.unwrap_or(0);
            return Err(RevisionError::MainlineOutOfRange { commit: commit.id, mainline, parents }.into());
        }
        let (renamed, kept_names) = (Vec::new(), Vec::new());
        Ok(Self { commit, mainline, paths: None, renamed, kept_names, part: None })
    }

    /// The whole of `commit` against its first parent.
    pub(crate) fn of_mainline(commit: Commit) -> Result<Self> {
        let mainline = (commit.parents.len() > 1).then_some(1);
        Self::whole(commit, mainline)
    }

    /// The same change restricted to `paths`, of which some were `renamed` since.
    pub(crate) fn scoped(&self, paths: Vec<RepoPath>, renamed: Vec<Rename>) -> Self {
        Self { paths: Some(paths), renamed, ..self.clone() }
    }

    /// The same change without the name that it gave to a path: the path stays, and only its content goes back.
    pub(crate) fn keeping_name(mut self, moved: Rename) -> Self {
        if let Some(paths) = &mut self.paths {
            paths.retain(|path| *path != moved.then);
        }
        self.kept_names.push(moved);
        self
    }

    /// The same change with only a part of what it did to a file.
    pub(crate) fn part(self, part: Part) -> Self {
        Self { part: Some(part), ..self }
    }

    /// The paths to which it is restricted, by their names at the tip.
    pub(crate) fn paths_now(&self) -> Option<Vec<RepoPath>> {
        Some(names_now(self.paths.as_ref()?, &self.renamed))
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
        let (start, empty) = (tip.tree, EmptyCommits::default());
        Ok(Self {
            objects,
            tip,
            start,
            empty,
            most_dependents: dependents::MOST,
            engine,
            preference: None,
            names: RefCell::default(),
        })
    }

    /// The same bench with options of the merge, each as git's `-X` takes them.
    ///
    /// # Errors
    /// [`SettingError::StrategyOption`] for one that git does not know.
    pub(crate) fn with_strategy_options(mut self, repo: &Repo, names: &[String]) -> Result<Self> {
        if names.is_empty() {
            return Ok(self);
        }
        let mut options = Options::from_config(repo)?;
        for name in names {
            if !options.set_strategy_option(name) {
                return Err(SettingError::StrategyOption { option: name.clone() }.into());
            }
        }
        if let Some(side) = options.favor {
            let without = Options { favor: None, ..options.clone() };
            let without = Engine::over(Rc::clone(&self.objects), without)?;
            self.preference = Some(Preference { side, without });
        }
        self.engine = Engine::over(Rc::clone(&self.objects), options)?;
        Ok(self)
    }

    /// The same bench with another rule for picked commits that change nothing.
    pub(crate) fn keeping(self, empty: EmptyCommits) -> Self {
        Self { empty, ..self }
    }

    /// The same bench, which takes along at most so many later commits.
    pub(crate) fn taking_along(self, most: Option<usize>) -> Self {
        Self { most_dependents: most.unwrap_or(dependents::MOST), ..self }
    }

    /// Looks up what `paths` are called in `commits`: each is followed once, however many commits there are.
    pub(crate) fn look_up_names(&self, paths: &[RepoPath], commits: &[CommitId]) -> Result<()> {
        let mut there = Vec::new();
        for path in paths {
            if self.objects.entry_at(self.start, path)?.is_some() {
                there.push(path);
            }
        }
        let found = names_in(&self.objects, self.tip.id, &there, commits)?;
        let mut names = self.names.borrow_mut();
        for (path, found) in there.into_iter().zip(found) {
            names.entry(path.clone()).or_default().extend(commits.iter().copied().zip(found));
        }
        Ok(())
    }

    /// What a path of the tip is called in the commit.
    pub(super) fn name_in(&self, path: &RepoPath, commit: CommitId) -> Result<NameThen> {
        let known = self.names.borrow().get(path).and_then(|names| names.get(&commit).cloned());
        match known {
            Some(known) => Ok(known),
            None => name_in(&self.objects, self.tip.id, path, commit),
        }
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
        if let Some(path) = self.staged_path(&restorations)? {
            attempt.reason = Some(format!("what is staged in {path} would be lost"));
            return Ok(attempt);
        }
        let mut tree = self.start;
        for one in &restorations {
            let restored = self.objects.edit_tree(tree, &self.edits(one)?)?;
            if restored != tree {
                tree = restored;
                let source = one.from.unwrap_or(one.since);
                let step = Step::new(source, tree, one.paths.clone());
                attempt.steps.push(Step { renamed: one.renamed.clone(), ..step });
            }
        }
        if tree == self.start {
            attempt.steps.clear();
        }
        attempt.loss = self.loss_of_restoring(&restorations)?;
        self.finish(attempt, tree)
    }

    /// A path of the restorations that is staged and not committed.
    fn staged_path(&self, restorations: &[Restoration]) -> Result<Option<RepoPath>> {
        if self.start == self.tip.tree {
            return Ok(None);
        }
        let staged = paths_between(&self.objects, self.tip.tree, self.start)?;
        let mut paths = restorations.iter().flat_map(|one| &one.paths);
        Ok(paths.find(|path| staged.iter().any(|one| path.contains(&one.path))).cloned())
    }

    /// Puts the paths of a change back as they were before it.
    ///
    /// Does not apply where one of the paths moved since: its old name says nothing of the change that lives on elsewhere.
    pub(crate) fn return_before(&mut self, restorations: &[Restoration]) -> Result<Attempt> {
        let mut renames = Renames::new(&self.objects);
        for one in restorations {
            let after = self.objects.commit_header(one.since)?.tree;
            let mut paths = PathSet::new(&one.paths);
            for gone in paths.differing(&self.objects, after, self.start)? {
                let (Some(entry), None) = (gone.before, gone.after) else { continue };
                let path = paths.path(gone.path);
                if let Some(name) = renames.destination_of(after, self.start, path, entry)? {
                    let reason = format!("{path} became {name} since, and the change would stay there");
                    return Ok(Attempt::not_applicable(Strategy::RestoreFile, reason));
                }
            }
        }
        self.restore(restorations)
    }

    /// Brings everything, or some paths, back to what it is in a commit.
    pub(crate) fn back_to(&mut self, one: &BackTo) -> Result<Attempt> {
        let mut attempt = match &one.paths {
            Some(paths) => self.restore(std::slice::from_ref(paths))?,
            None => self.whole_tree_of(one.state)?,
        };
        attempt.loss = match one.discards.is_empty() {
            true => Loss { class: LossClass::Exact, discards: Vec::new() },
            false => Loss { class: LossClass::Snapshot, discards: one.discards.clone() },
        };
        Ok(attempt)
    }

    fn whole_tree_of(&self, state: CommitId) -> Result<Attempt> {
        let mut attempt = Attempt::new(Strategy::RestoreFile);
        attempt.from = Some(state);
        attempt.scope = Some(Scope::Whole);
        if self.start != self.tip.tree {
            attempt.reason = Some("what is staged would be lost".into());
            return Ok(attempt);
        }
        let tree = self.objects.tree_of(Some(state))?;
        if tree != self.start {
            attempt.steps.push(Step::new(state, tree, Vec::new()));
        }
        self.finish(attempt, tree)
    }

    fn edits(&self, one: &Restoration) -> Result<Edits> {
        let mut edits = Edits::new();
        let source = self.objects.tree_of(one.from)?;
        for path in &one.paths {
            let entry = self.objects.entry_at(source, one.name_there(path))?;
            if let Some(folder) = entry.filter(|entry| one.overlay && entry.mode.is_tree()) {
                let below = paths_between(&self.objects, self.objects.empty_tree(), TreeId(folder.id))?;
                let placed = |name: &RepoPath| path.join(name.as_bytes());
                edits.extend(below.into_iter().map(|change| (placed(&change.path), change.after)));
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
        let mut tree = self.start;
        for change in changes {
            let merged = self.merge_one(direction, change, tree)?;
            if merged.verdict != Verdict::Clean {
                return self.undecided(attempt, change, merged);
            }
            self.note_decided(direction, change, tree, &mut attempt.decided)?;
            if merged.tree_id == tree && !self.keeps_empty(direction, change)? {
                attempt.left_out.push(change.commit.id);
                continue;
            }
            tree = merged.tree_id;
            let paths = change.paths.clone().unwrap_or_default();
            let step = Step::new(change.commit.id, tree, paths);
            attempt.steps.push(Step {
                mainline: change.mainline,
                renamed: change.renamed.clone(),
                kept_names: change.kept_names.clone(),
                part: change.part.clone(),
                ..step
            });
        }
        if attempt.steps.is_empty() && !attempt.decided.is_empty() {
            attempt.left_out.clear();
            attempt.reason = Some("the tip's lines are kept wherever it would change something".into());
            return Ok(attempt);
        }
        attempt.loss = match self.later_edits_decided(changes, &attempt.decided)? {
            discards if discards.is_empty() => self.loss_of_merging(direction, changes, tree)?,
            discards => Loss { class: LossClass::Snapshot, discards },
        };
        self.finish(attempt, tree)
    }

    /// Adds the paths in which a side was preferred to what would be a conflict.
    fn note_decided(
        &mut self,
        direction: Direction,
        change: &Change,
        ours: TreeId,
        decided: &mut Vec<RepoPath>,
    ) -> Result<()> {
        if self.preference.is_none() {
            return Ok(());
        }
        let merged = self.judge_one(direction, change, ours)?;
        for conflict in merged.conflicts {
            if !decided.contains(&conflict.path) {
                decided.push(conflict.path);
            }
        }
        Ok(())
    }

    /// The later commits whose lines in `decided` lost to those of the changes.
    fn later_edits_decided(&self, changes: &[Change], decided: &[RepoPath]) -> Result<Vec<CommitId>> {
        let side = self.preference.as_ref().map(|preference| preference.side);
        if decided.is_empty() || side != Some(Favor::Theirs) {
            return Ok(Vec::new());
        }
        let kept: Vec<_> = changes.iter().map(|change| change.commit.id).collect();
        let later = commits_touching_since(&self.objects, self.tip.id, &kept, decided)?;
        newest_first(&self.objects, &later)
    }

    /// Whether a commit is made for a change of which nothing is left to take.
    fn keeps_empty(&self, direction: Direction, change: &Change) -> Result<bool> {
        Ok(match (direction, self.empty) {
            (Direction::Undo, _) | (_, EmptyCommits::LeaveOut) => false,
            (Direction::Replay, EmptyCommits::Keep) => true,
            (Direction::Replay, EmptyCommits::KeepFromStart) => {
                change.commit.tree == self.objects.tree_of(change.parent())?
            }
        })
    }

    fn merge_one(&mut self, direction: Direction, change: &Change, ours: TreeId) -> Result<Merged> {
        let [base, ours, theirs] = self.operands(direction, change, ours)?;
        self.engine.merge(base, ours, theirs, &labels(&self.objects, direction, &change.commit))
    }

    fn operands(&self, direction: Direction, change: &Change, ours: TreeId) -> Result<[TreeId; 3]> {
        let (parent, commit) = self.sides(change)?;
        let (base, incoming) = match direction {
            Direction::Undo => (commit, parent),
            Direction::Replay => (parent, commit),
        };
        let (paths, part) = (change.paths_now(), change.part.as_ref());
        let theirs = scope::incoming_side(&self.objects, base, incoming, paths.as_deref(), part)?;
        Ok([base, ours, theirs])
    }

    /// The merge with no side that wins.
    fn judge_one(&mut self, direction: Direction, change: &Change, ours: TreeId) -> Result<Merged> {
        let [base, ours, theirs] = self.operands(direction, change, ours)?;
        let labels = labels(&self.objects, direction, &change.commit);
        let engine = self.preference.as_mut().map_or(&mut self.engine, |preference| &mut preference.without);
        engine.merge(base, ours, theirs, &labels)
    }

    /// Whether the change is in force in the tree `at`.
    pub(crate) fn standing(&mut self, change: &Change, at: TreeId) -> Result<Standing> {
        let (undone, replayed) = (self.undone_in(change, at)?, self.replayed_in(change, at)?);
        Ok(match (undone == Some(at), replayed == Some(at)) {
            (true, false) => Standing::TakenBack,
            (false, true) => Standing::InForce,
            _ => Standing::Unclear,
        })
    }

    /// The tree `at` without the change, or what is in conflict: nothing where the merge needs review.
    pub(super) fn undone_or_conflicts(
        &mut self,
        change: &Change,
        at: TreeId,
    ) -> Result<std::result::Result<TreeId, Vec<Conflict>>> {
        let undone = self.judge_one(Direction::Undo, change, at)?;
        Ok(match undone.verdict {
            Verdict::Clean => Ok(undone.tree_id),
            _ => Err(undone.conflicts),
        })
    }

    /// The tree `at` without the change; `None` where the merge is not clean.
    pub(crate) fn undone_in(&mut self, change: &Change, at: TreeId) -> Result<Option<TreeId>> {
        let undone = self.judge_one(Direction::Undo, change, at)?;
        Ok((undone.verdict == Verdict::Clean).then_some(undone.tree_id))
    }

    /// The tree `at` with the change replayed; `None` where the merge is not clean.
    pub(crate) fn replayed_in(&mut self, change: &Change, at: TreeId) -> Result<Option<TreeId>> {
        let replayed = self.judge_one(Direction::Replay, change, at)?;
        Ok((replayed.verdict == Verdict::Clean).then_some(replayed.tree_id))
    }

    /// The trees before and after the change, with the paths of its scope under their names at the tip.
    pub(crate) fn sides(&self, change: &Change) -> Result<(TreeId, TreeId)> {
        let trees = (self.objects.tree_of(change.parent())?, change.commit.tree);
        scope::under_names_now(&self.objects, trees, &change.kept_names, &change.renamed)
    }

    fn undecided(&self, mut attempt: Attempt, change: &Change, merged: Merged) -> Result<Attempt> {
        attempt.steps.clear();
        attempt.hunks = hunks::of(&self.objects, merged.tree_id, &merged.conflicts)?;
        attempt.restriction = change.paths.as_ref().map(|paths| Restriction {
            paths: paths.clone(),
            renamed: change.renamed.clone(),
            kept_names: change.kept_names.clone(),
            part: change.part.clone(),
        });
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
        Ok(attempt)
    }

    /// Fills in what a decided result says: clean or empty, and the paths that differ from those at the start.
    ///
    /// A series whose commits cancel out is not empty: each of them is made, as git makes them.
    fn finish(&self, mut attempt: Attempt, tree: TreeId) -> Result<Attempt> {
        if attempt.steps.is_empty() {
            attempt.result = AttemptResult::Empty;
            attempt.reason = Some("it would change nothing".into());
            attempt.left_out.clear();
            return Ok(attempt);
        }
        let changes = paths_between(&self.objects, self.start, tree)?;
        attempt.paths_touched = changes.iter().map(|change| change.path.clone()).collect();
        attempt.changes = changes;
        attempt.result = AttemptResult::Clean;
        attempt.tree_id = Some(tree);
        Ok(attempt)
    }
}

/// The labels of the conflict markers of an undo of `commit`, as git's sequencer writes them.
pub(crate) fn labels_of_undo(objects: &Objects, commit: &Commit) -> Labels {
    labels(objects, Direction::Undo, commit)
}

fn labels(objects: &Objects, direction: Direction, commit: &Commit) -> Labels {
    let name = format!("{} ({})", objects.abbreviated(commit.id.0), commit.subject());
    let parent = format!("parent of {name}");
    let (base, theirs) = match direction {
        Direction::Undo => (name, parent),
        Direction::Replay => (parent, name),
    };
    Labels::new(base, "HEAD", theirs)
}

/// The paths by their names at the tip.
fn scope_of(changes: &[Change]) -> Scope {
    let mut paths = Vec::new();
    for change in changes {
        match change.paths_now() {
            None => return Scope::Whole,
            Some(scoped) => paths.extend(scoped),
        }
    }
    Scope::Paths(paths)
}

impl Attempt {
    /// The whole of `change`, which is not to be undone, because `reason`.
    pub(crate) fn whole_not_applicable(change: &Change, reason: impl Into<String>) -> Self {
        Self {
            scope: Some(Scope::Whole),
            commit_id: Some(change.commit.id),
            mainline: change.mainline,
            ..Self::not_applicable(change.undo_strategy(), reason)
        }
    }
}

impl Restoration {
    /// One path, put back as `there` is in the commit `from`; what touched it after `since` would be lost.
    pub(crate) fn of(path: &RepoPath, there: &RepoPath, (from, since): (CommitId, CommitId)) -> Self {
        let renamed = (path != there).then(|| Rename::new(there.clone(), path.clone()));
        Self {
            from: Some(from),
            paths: vec![path.clone()],
            renamed: renamed.into_iter().collect(),
            since,
            overlay: false,
        }
    }

    /// The same, with or without keeping what the source lacks.
    pub(crate) fn overlay(self, overlay: bool) -> Self {
        Self { overlay, ..self }
    }

    /// What `path` is called in the commit that it is taken from.
    pub(super) fn name_there<'a>(&'a self, path: &'a RepoPath) -> &'a RepoPath {
        self.renamed.iter().find(|one| one.now == *path).map_or(path, |one| &one.then)
    }

    /// The paths that have the same name there.
    pub(super) fn same_names(&self) -> Vec<RepoPath> {
        self.paths.iter().filter(|path| self.name_there(path) == *path).cloned().collect()
    }
}

/// The restorations with those from one commit put together, in the order of the first of each.
fn by_source(restorations: &[Restoration]) -> Vec<Restoration> {
    let mut merged: Vec<Restoration> = Vec::new();
    for one in restorations {
        let same = |other: &&mut Restoration| {
            (other.from, other.since, other.overlay) == (one.from, one.since, one.overlay)
        };
        match merged.iter_mut().find(same) {
            Some(other) => {
                other.paths.extend(one.paths.iter().cloned());
                other.renamed.extend(one.renamed.iter().cloned());
            }
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
