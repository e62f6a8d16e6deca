//! Whether a change was taken back, by which commits, and what to undo so that it comes back.
//!
//! State decides: a change is in force in a tree where replaying it changes nothing, and taken back where undoing it
//! changes nothing. A message is a lead, and counts only where the commit did what it says.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::Result;
use crate::history::{
    self, Claim, IsReverted, PathState, PathVerdict, Verdict, changed_paths, commits_touching_since,
    last_changes_of, newest_first, path_verdicts, rolled_back_in, words_about,
};
use crate::id::CommitId;
use crate::path::RepoPath;
use crate::repo::{Objects, Repo};
use crate::strategy::workbench::{Change, Standing, Workbench};

/// How many commits are tried, a path, when it is looked for which of them took a change back.
const TRIED: usize = 256;
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
    /// [`Error::ShallowHistory`](crate::Error::ShallowHistory) for a commit at the end of a shallow clone.
    pub fn is_reverted(&self, commit: CommitId, tip: CommitId) -> Result<IsReverted> {
        Judge::new(self, tip)?.judge(commit)
    }

    /// What to undo so that `commit` comes back at `tip`: itself where it is a rollback that stands, else what took it
    /// back. `None` where there is nothing to bring back.
    ///
    /// A rollback is known by its state: it took its paths back to what they were, or undid earlier commits exactly.
    ///
    /// # Errors
    /// Those of reading commits, and of [`Repo::is_reverted`].
    pub fn rollback_behind(&self, commit: CommitId, tip: CommitId) -> Result<Option<RollbackBehind>> {
        Judge::new(self, tip)?.behind(commit)
    }
}

/// Judges changes at one tip.
struct Judge<'r> {
    repo: &'r Repo,
    bench: Workbench,
}

impl<'r> Judge<'r> {
    fn new(repo: &'r Repo, tip: CommitId) -> Result<Self> {
        Ok(Self { repo, bench: Workbench::new(repo, tip)? })
    }

    fn objects(&self) -> std::rc::Rc<Objects> {
        self.bench.objects.clone()
    }

    fn change(&self, id: CommitId) -> Result<Change> {
        Change::of_mainline(self.bench.objects.commit(id)?)
    }

    fn judge(&mut self, commit: CommitId) -> Result<IsReverted> {
        let (objects, tip) = (self.objects(), self.bench.tip.id);
        let mut confirm = |by: CommitId, of: CommitId| self.took_back(by, of);
        let words = words_about(&objects, commit, tip, &mut confirm)?;
        let picked_as = match history::is_reached(&objects, tip, commit)? {
            true => None,
            false => match words.picks.first() {
                Some(pick) => Some(*pick),
                None => return Ok(IsReverted::not_in_history(commit, tip)),
            },
        };
        let change = self.change(picked_as.unwrap_or(commit))?;
        let mut paths = path_verdicts(&objects, change.commit.id, tip)?;
        for path in paths.iter_mut().filter(|path| path.state == PathState::Edited) {
            path.in_force = self.in_force(&change, path)?;
        }
        let verdict = self.verdict(&change, &paths, &words.claims)?;
        Ok(IsReverted {
            verdict,
            picked_as,
            paths,
            claims: words.claims,
            ..IsReverted::not_in_history(commit, tip)
        })
    }

    /// Whether the change is in force in one path at the tip; `None` where a merge cannot tell.
    fn in_force(&mut self, change: &Change, path: &PathVerdict) -> Result<Option<bool>> {
        let scoped = change.scoped(vec![path.path.clone()], Vec::new());
        Ok(match self.bench.standing(&scoped, self.bench.tip.tree)? {
            Standing::InForce => Some(true),
            Standing::TakenBack => Some(false),
            Standing::Unclear => None,
        })
    }

    fn verdict(&mut self, change: &Change, paths: &[PathVerdict], claims: &[Claim]) -> Result<Verdict> {
        let all =
            |wanted: Option<bool>| !paths.is_empty() && paths.iter().all(|path| path.in_force == wanted);
        if all(Some(false)) {
            return Ok(Verdict::Reverted);
        }
        if all(Some(true)) {
            return Ok(Verdict::InForce);
        }
        if !paths.is_empty() && paths.iter().all(|path| path.in_force.is_some()) {
            return Ok(Verdict::PartlyReverted);
        }
        // All of it at once: a merge that sees every path also sees where they were moved to.
        match self.bench.standing(change, self.bench.tip.tree)? {
            Standing::TakenBack => return Ok(Verdict::Reverted),
            Standing::InForce => return Ok(Verdict::InForce),
            Standing::Unclear => {}
        }
        let known_in_force = paths.iter().any(|path| path.in_force == Some(true));
        let claimed = claims.iter().any(|claim| !claim.reverted) && !known_in_force;
        Ok(match (claimed, paths.is_empty()) {
            (true, _) => Verdict::Reverted,
            (false, true) => Verdict::InForce,
            (false, false) => Verdict::EditedSince,
        })
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
        for path in &common {
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

    fn paths_of(&self, change: &Change) -> Result<Vec<RepoPath>> {
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
        let message = change.commit.message.clone();
        for name in rolled_back_in(&message) {
            if let Ok(of) = self.repo.resolve_commit(&name)
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
        let mut earlier = Vec::new();
        for path in &paths {
            earlier.extend(last_changes_of(&self.bench.objects, parent, path, TRIED_BEFORE)?);
        }
        earlier.sort_unstable();
        earlier.dedup();
        let earlier = newest_first(&self.bench.objects, &earlier)?;
        Ok(!paths.is_empty()
            && (self.returns_to(change, &paths, &earlier)? || self.undoes(change, &earlier)?))
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

    /// Whether undoing those of the earlier commits that the change took back gives its very tree.
    fn undoes(&mut self, change: &Change, earlier: &[CommitId]) -> Result<bool> {
        let mut tree = self.bench.objects.tree_of(change.parent())?;
        for id in earlier {
            let one = self.change(*id)?;
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

    /// The commits that took the change back, path by path.
    fn what_took_back(&mut self, change: &Change, answer: &IsReverted) -> Result<Option<RollbackBehind>> {
        let mut found: BTreeMap<CommitId, BTreeSet<RepoPath>> = BTreeMap::new();
        for path in answer.paths.iter().filter(|path| path.in_force == Some(false)) {
            let path = &path.path;
            if let Some(by) = self.took_back_path(change, path)? {
                found.entry(by).or_default().insert(path.clone());
            }
        }
        if found.is_empty() && answer.verdict == Verdict::Reverted {
            let standing = answer.claims.iter().filter(|claim| !claim.reverted);
            found.extend(standing.map(|claim| (claim.commit_id, BTreeSet::new())).take(1));
        }
        if found.is_empty() {
            return Ok(None);
        }
        let ids: Vec<_> = found.keys().copied().collect();
        let commits = newest_first(&self.bench.objects, &ids)?;
        let mut is_scoped = false;
        for (id, taken) in found.iter().filter(|(_, taken)| !taken.is_empty()) {
            let by = self.change(*id)?;
            let only_these = self.paths_of(&by)?.iter().all(|path| taken.contains(path));
            is_scoped |= !only_these && !self.is_confirmed_rollback(&by)? && !self.is_rollback(&by)?;
        }
        let paths = if is_scoped { found.into_values().flatten().collect() } else { Vec::new() };
        Ok(Some(RollbackBehind { commits, paths }))
    }

    /// The newest commit with which the change stopped being in force in the path.
    fn took_back_path(&mut self, change: &Change, path: &RepoPath) -> Result<Option<CommitId>> {
        let paths = std::slice::from_ref(path);
        let objects = self.objects();
        let later = commits_touching_since(&objects, self.bench.tip.id, change.commit.id, paths)?;
        let scoped = change.scoped(paths.to_vec(), Vec::new());
        for id in later.into_iter().take(TRIED) {
            if self.flips(&scoped, &self.change(id)?)? {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }
}

/// Whether a subject calls its commit a rollback.
fn is_called_rollback(subject: &str) -> bool {
    const WORDS: [&str; 7] = ["revert", "rollback", "roll back", "back out", "backout", "undo", "restore"];
    let subject = subject.to_ascii_lowercase();
    WORDS.iter().any(|word| subject.contains(word))
}
