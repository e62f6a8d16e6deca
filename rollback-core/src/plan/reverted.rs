//! Whether a change was taken back, by which commits, and what to undo so that it comes back.
//!
//! State decides: a change is in force in a tree where replaying it changes nothing, and taken back where undoing it
//! changes nothing. A message is a lead, and counts only where the commit did what it says.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::{Error, Result, RevisionError};
use crate::history::{
    self, Claim, IsReverted, Messages, PathState, PathVerdict, Proof, Said, Verdict, changed_paths,
    commits_touching_since, content_changes_since_each, last_changes_of, likely_destination, newest_first,
    path_verdicts, words_about,
};
use crate::id::CommitId;
use crate::path::RepoPath;
use crate::repo::{Objects, Repo};
use crate::strategy::workbench::{Change, Standing, Workbench};
use crate::workers::{self, Spread};

/// How many commits are tried, a path, when it is looked for which of them took a change back.
pub(super) const TRIED: usize = 256;
/// How many paths of a commit are looked at one by one.
pub(super) const MOST_PATHS: usize = 200;
/// How many earlier commits are tried, a path, when it is looked for what a commit took back.
const TRIED_BEFORE: usize = 48;

/// What to undo so that a change comes back.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RollbackBehind {
    /// The commits to undo, newest first.
    pub commits: Vec<CommitId>,
    /// The paths to which that is restricted, because the commits did more than take the change back; none where all of
    /// them is undone.
    pub paths: Vec<RepoPath>,
}

impl RollbackBehind {
    fn whole(commit: CommitId) -> Self {
        Self { commits: vec![commit], paths: Vec::new() }
    }
}

impl Repo {
    /// Whether what `commit` changed (of a merge: as seen from its first parent) is taken back at `tip`.
    ///
    /// State decides where it can: paths that are as before the change or as after it, and in edited ones whether undoing
    /// the change, or replaying it, would change anything. Where that is open, a commit decides that says it reverts this
    /// one, that did so, and that was not reverted in turn. A commit that the tip does not reach is judged by its pick.
    ///
    /// # Errors
    /// [`RevisionError::ShallowHistory`] for a commit at the end of a
    /// shallow clone.
    pub fn is_reverted(&self, commit: CommitId, tip: CommitId) -> Result<IsReverted> {
        self.complete(|repo| Judge::new(repo, tip)?.judge_with_turns(commit))
    }

    /// As [`Repo::is_reverted`] for each of the commits, on as many threads; one for each core where `threads` is 0.
    ///
    /// # Errors
    /// As [`Repo::is_reverted`].
    pub fn are_reverted(
        &self,
        commits: &[CommitId],
        tip: CommitId,
        threads: usize,
    ) -> Result<Vec<IsReverted>> {
        self.judge_each(commits, (tip, threads), &|judge, commit| judge.judge_with_turns(commit))
    }

    /// The verdicts of [`Repo::are_reverted`] where it does not matter how it came to them: a change that was relanded is
    /// [`Verdict::InForce`].
    ///
    /// # Errors
    /// As [`Repo::is_reverted`].
    pub fn verdicts(&self, commits: &[CommitId], tip: CommitId, threads: usize) -> Result<Vec<Verdict>> {
        self.judge_each(commits, (tip, threads), &|judge, commit| Ok(judge.judge(commit)?.verdict))
    }

    fn judge_each<T: Send>(
        &self,
        commits: &[CommitId],
        (tip, threads): (CommitId, usize),
        ask: &(dyn Fn(&mut Judge<'_>, CommitId) -> Result<T> + Sync),
    ) -> Result<Vec<T>> {
        let spread = Spread { threads: workers::threads(threads), at_once: 1 };
        self.complete(|repo| {
            spread.over(commits, &|| Judge::new(repo, tip), &|judge: &mut Judge<'_>, commit| {
                let answer = ask(judge, *commit);
                // What was tried for one change says nothing of the next.
                drop(judge.bench.objects.take_new());
                answer
            })
        })
    }

    /// What to undo so that `commit` comes back at `tip`: itself where it is a rollback that stands, else what took it
    /// back. `None` where there is nothing to bring back.
    ///
    /// A rollback is known by its state: it took its paths back to what they were, or undid earlier commits exactly.
    ///
    /// # Errors
    /// Those of reading commits, and of [`Repo::is_reverted`].
    pub fn rollback_behind(&self, commit: CommitId, tip: CommitId) -> Result<Option<RollbackBehind>> {
        self.complete(|repo| Judge::new(repo, tip)?.behind(commit))
    }
}

/// Judges changes at one tip.
pub(super) struct Judge<'r> {
    repo: &'r Repo,
    pub(super) bench: Workbench,
    messages: Messages,
}

impl<'r> Judge<'r> {
    fn new(repo: &'r Repo, tip: CommitId) -> Result<Self> {
        Ok(Self { repo, bench: Workbench::new(repo, tip)?, messages: Messages::default() })
    }

    pub(super) fn objects(&self) -> std::rc::Rc<Objects> {
        self.bench.objects.clone()
    }

    pub(super) fn change(&self, id: CommitId) -> Result<Change> {
        Change::of_mainline(self.bench.objects.commit(id)?)
    }

    pub(super) fn judge(&mut self, commit: CommitId) -> Result<IsReverted> {
        let (objects, tip) = (self.objects(), self.bench.tip.id);
        let mut messages = std::mem::take(&mut self.messages);
        let mut shallow_at = None;
        let mut confirm = |by: CommitId, of: CommitId| known_history(self.took_back(by, of), &mut shallow_at);
        let words = words_about(&objects, commit, tip, &mut messages, &mut confirm);
        self.messages = messages;
        let words = words?;
        let (picked_as, picked_known_by) = match history::is_reached(&objects, &[tip], commit)? {
            true => (None, None),
            false => match words.picks.first() {
                Some(pick) => (Some(*pick), Some(Proof::Message)),
                None => match known_history(self.same_patch_as(commit), &mut shallow_at)? {
                    Some(pick) => (Some(pick), Some(Proof::Patch)),
                    None => {
                        return Ok(IsReverted { shallow_at, ..IsReverted::not_in_history(commit, tip) });
                    }
                },
            },
        };
        let change = self.change(picked_as.unwrap_or(commit))?;
        let mut paths = path_verdicts(&objects, change.commit.id, tip)?;
        self.judge_edited(&change, &mut paths)?;
        let verdict = verdict(&paths, &words.claims);
        Ok(IsReverted {
            verdict,
            picked_as,
            picked_known_by,
            paths,
            claims: words.claims,
            shallow_at,
            ..IsReverted::not_in_history(commit, tip)
        })
    }

    /// Tells of edited paths whether the change is in force in them: of all at once, which also sees where they were moved
    /// to, else of one after the other.
    fn judge_edited(&mut self, change: &Change, paths: &mut [PathVerdict]) -> Result<()> {
        let edited = || paths.iter().filter(|path| path.state == PathState::Edited).count();
        if edited() == 0 {
            return Ok(());
        }
        let tip = self.bench.tip.tree;
        let of_all = in_force(self.bench.standing(change, tip)?);
        let edited = paths.iter_mut().filter(|path| path.state == PathState::Edited);
        for (nth, path) in edited.enumerate() {
            path.in_force = of_all;
            if of_all.is_none() && nth < MOST_PATHS {
                let scoped = change.scoped(vec![path.path.clone()], Vec::new());
                path.in_force = in_force(self.bench.standing(&scoped, tip)?);
            }
        }
        Ok(())
    }

    /// Whether the commit `by` took back what `of` changed, all of it or what it did to some path.
    fn took_back(&mut self, by: CommitId, of: CommitId) -> Result<bool> {
        let (by, of) = (self.change(by)?, self.change(of)?);
        let before = self.bench.objects.tree_of(by.parent())?;
        if before == by.commit.tree {
            return Ok(false);
        }
        if self.flips(&of, &by)? || self.bench.undone_in(&of, before)? == Some(by.commit.tree) {
            return Ok(true);
        }
        let touched = self.paths_of(&by)?;
        let mut common = self.paths_of(&of)?;
        common.retain(|path| touched.contains(path));
        for path in common.iter().take(MOST_PATHS) {
            if self.flips(&of.scoped(vec![path.clone()], Vec::new()), &by)? {
                return Ok(true);
            }
        }
        // A revert that conflicted was resolved by hand, and then its word has to do.
        Ok(!common.is_empty() && self.bench.undone_in(&of, before)?.is_none())
    }

    /// Whether the change was taken back in the commit `by` and not before it.
    fn flips(&mut self, change: &Change, by: &Change) -> Result<bool> {
        let before = self.bench.objects.tree_of(by.parent())?;
        Ok(self.bench.standing(change, by.commit.tree)? == Standing::TakenBack
            && self.bench.standing(change, before)? != Standing::TakenBack)
    }

    pub(super) fn paths_of(&self, change: &Change) -> Result<Vec<RepoPath>> {
        let changed = changed_paths(&self.bench.objects, change.commit.id, change.mainline)?;
        Ok(changed.into_iter().map(|one| one.path).collect())
    }

    /// See [`Repo::rollback_behind`].
    fn behind(&mut self, named: CommitId) -> Result<Option<RollbackBehind>> {
        let answer = self.judge(named)?;
        let commit = answer.picked_as.unwrap_or(named);
        let change = self.change(commit)?;
        let says_so = self.is_confirmed_rollback(&change)?;
        match answer.verdict {
            Verdict::NotInHistory => Ok(None),
            // What it took back is in force again; once more would take that back.
            Verdict::Reverted if says_so => Ok(None),
            // What is left of a rollback is undone.
            _ if says_so => Ok(Some(RollbackBehind::whole(commit))),
            Verdict::Reverted | Verdict::PartlyReverted => self.what_took_back(&change, &answer),
            _ if self.is_rollback(&change)? => Ok(Some(RollbackBehind::whole(commit))),
            _ => self.what_took_back(&change, &answer),
        }
    }

    /// Whether the commit says that it takes another one back, and did. A word like "revert" in its subject has to do
    /// for a name where the state says what it took back.
    fn is_confirmed_rollback(&mut self, change: &Change) -> Result<bool> {
        let said = Said::in_message(&change.commit.message);
        for name in said.taken_back() {
            if let Ok(of) = self.repo.resolve_commit(name)
                && self.took_back(change.commit.id, of)?
            {
                return Ok(true);
            }
        }
        Ok(is_called_rollback(&change.commit.subject()) && self.is_rollback(change)?)
    }

    /// Whether all that the commit did was to take its paths back: to what they were in one earlier commit, or by undoing
    /// earlier commits.
    fn is_rollback(&mut self, change: &Change) -> Result<bool> {
        let Some(parent) = change.parent() else { return Ok(false) };
        let paths = self.paths_of(change)?;
        let mut earlier: BTreeMap<CommitId, Vec<RepoPath>> = BTreeMap::new();
        for path in paths.iter().take(MOST_PATHS) {
            for (id, name) in last_changes_of(&self.bench.objects, parent, path, TRIED_BEFORE)? {
                earlier.entry(id).or_default().push(name);
            }
        }
        let ids: Vec<_> = earlier.keys().copied().collect();
        let mut ids = newest_first(&self.bench.objects, &ids)?;
        ids.truncate(TRIED);
        if paths.is_empty() || self.returns_to(change, &paths, &ids)? {
            return Ok(!paths.is_empty());
        }
        let earlier: Vec<_> =
            ids.into_iter().map(|id| (id, earlier.remove(&id).unwrap_or_default())).collect();
        self.undoes(change, &earlier)
    }

    /// Whether the paths are after the change what they were before one of the earlier commits.
    fn returns_to(&self, change: &Change, paths: &[RepoPath], earlier: &[CommitId]) -> Result<bool> {
        let objects = &self.bench.objects;
        for id in earlier {
            let before = objects.tree_of(objects.commit(*id)?.parents.first().copied())?;
            let mut all = true;
            for path in paths {
                all = all && objects.entry_at(before, path)? == objects.entry_at(change.commit.tree, path)?;
            }
            if all {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether undoing what earlier commits did to the paths, where the change took it back, gives its very tree.
    fn undoes(&mut self, change: &Change, earlier: &[(CommitId, Vec<RepoPath>)]) -> Result<bool> {
        let mut tree = self.bench.objects.tree_of(change.parent())?;
        for (id, names) in earlier {
            let one = self.change(*id)?.scoped(names.clone(), Vec::new());
            if !self.flips(&one, change)? {
                continue;
            }
            match self.bench.undone_in(&one, tree)? {
                Some(undone) => tree = undone,
                None => return Ok(false),
            }
        }
        Ok(tree == change.commit.tree)
    }

    /// The commits that took the change back, restricted to its paths where one of them did more than that.
    fn what_took_back(&mut self, change: &Change, answer: &IsReverted) -> Result<Option<RollbackBehind>> {
        let mut found = self.took_back_by_path(change, answer)?;
        if found.is_empty() && answer.verdict == Verdict::Reverted {
            let claimed = answer.claims.iter().find(|claim| !claim.reverted).map(|claim| claim.commit_id);
            if let Some(by) = self.took_back_in(change, None)?.or(claimed) {
                found.insert(by, self.paths_of(change)?.into_iter().collect());
            }
        }
        if found.is_empty() {
            return Ok(None);
        }
        let ids: Vec<_> = found.keys().copied().collect();
        let commits = newest_first(&self.bench.objects, &ids)?;
        let mut did_more = false;
        for (id, taken) in &found {
            let by = self.change(*id)?;
            let only_these = self.paths_of(&by)?.iter().all(|path| taken.contains(path));
            did_more |= !only_these && !self.is_confirmed_rollback(&by)? && !self.is_rollback(&by)?;
        }
        let paths = if did_more { found.into_values().flatten().collect() } else { Vec::new() };
        Ok(Some(RollbackBehind { commits, paths }))
    }

    /// The commits that took the change back in a path, and the paths of each; none where there are too many paths to look
    /// at one by one.
    fn took_back_by_path(
        &mut self,
        change: &Change,
        answer: &IsReverted,
    ) -> Result<BTreeMap<CommitId, BTreeSet<RepoPath>>> {
        let mut found: BTreeMap<CommitId, BTreeSet<RepoPath>> = BTreeMap::new();
        let taken: Vec<_> = answer.paths.iter().filter(|path| path.in_force == Some(false)).collect();
        if taken.len() > MOST_PATHS {
            return Ok(found);
        }
        for path in taken.into_iter().map(|path| &path.path) {
            if let Some(by) = self.took_back_in(change, Some(path))? {
                found.entry(by).or_default().insert(self.name_now(change, path)?);
            }
        }
        Ok(found)
    }

    /// The name at the tip of a path that the change left behind.
    pub(super) fn name_now(&self, change: &Change, path: &RepoPath) -> Result<RepoPath> {
        let (objects, tip) = (&self.bench.objects, self.bench.tip.tree);
        let moved = match objects.entry_at(tip, path)? {
            Some(_) => None,
            None => likely_destination(objects, change.commit.tree, tip, path)?,
        };
        Ok(moved.unwrap_or_else(|| path.clone()))
    }

    /// The newest commits after the change that touched the paths, under their names of today too: as many as are tried.
    pub(super) fn later_touches(&self, change: &Change, paths: &[RepoPath]) -> Result<Vec<CommitId>> {
        let objects = &self.bench.objects;
        let (tip, since) = (self.bench.tip.id, change.commit.id);
        let mut later = commits_touching_since(objects, tip, &[since], paths)?;
        let mut moved = Vec::new();
        for path in paths.iter().take(MOST_PATHS) {
            let now = self.name_now(change, path)?;
            if now != *path {
                moved.push(now);
            }
        }
        let asked: Vec<_> = moved.iter().map(|now| (since, now)).collect();
        later.extend(content_changes_since_each(objects, tip, &asked)?.into_iter().flatten());
        let mut later = newest_first(objects, &later)?;
        later.truncate(TRIED);
        Ok(later)
    }

    /// The newest commit with which the change stopped being in force: in the path, or as a whole.
    fn took_back_in(&mut self, change: &Change, path: Option<&RepoPath>) -> Result<Option<CommitId>> {
        let (paths, change) = match path {
            Some(path) => (vec![path.clone()], change.scoped(vec![path.clone()], Vec::new())),
            None => (self.paths_of(change)?, change.clone()),
        };
        for id in self.later_touches(&change, &paths)? {
            if self.flips(&change, &self.change(id)?)? {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }
}

/// What was found out from history; nothing where a shallow clone ends it, which is then noted.
pub(super) fn known_history<T: Default>(found: Result<T>, shallow_at: &mut Option<CommitId>) -> Result<T> {
    match found {
        Err(Error::Revision(RevisionError::ShallowHistory { boundary, .. })) => {
            shallow_at.get_or_insert(boundary);
            Ok(T::default())
        }
        found => found,
    }
}

fn in_force(standing: Standing) -> Option<bool> {
    match standing {
        Standing::InForce => Some(true),
        Standing::TakenBack => Some(false),
        Standing::Unclear => None,
    }
}

/// The paths decide where they can; a commit that reverts the change decides where none of them tells that it is in force.
fn verdict(paths: &[PathVerdict], claims: &[Claim]) -> Verdict {
    let is_all = |wanted: Option<bool>| paths.iter().all(|path| path.in_force == wanted);
    let is_known = paths.iter().all(|path| path.in_force.is_some());
    let is_in_force = paths.iter().any(|path| path.in_force == Some(true));
    let is_claimed = claims.iter().any(|claim| !claim.reverted);
    if paths.is_empty() {
        return if is_claimed { Verdict::Reverted } else { Verdict::InForce };
    }
    match (is_known, is_claimed && !is_in_force) {
        _ if is_all(Some(false)) => Verdict::Reverted,
        _ if is_all(Some(true)) => Verdict::InForce,
        (true, _) => Verdict::PartlyReverted,
        (false, true) => Verdict::Reverted,
        (false, false) => Verdict::EditedSince,
    }
}

/// Whether a subject calls its commit a rollback.
fn is_called_rollback(subject: &str) -> bool {
    const WORDS: [&str; 7] = ["revert", "rollback", "roll back", "back out", "backout", "undo", "restore"];
    let subject = subject.to_ascii_lowercase();
    WORDS.iter().any(|word| subject.contains(word))
}
