//! The turns of a change: with which commits it was taken back and came back, and how that is known.
//!
//! State decides here too: a message or a trailer is told where the commit did what it says.

use std::collections::{HashMap, HashSet};

use super::patch_identity::patch_identity;
use super::reverted::{Judge, MOST_PATHS, TRIED, known_history};
use crate::error::Result;
use crate::history::{
    IsReverted, Proof, Said, Turn, TurnKind, Verdict, commits_touching_since, newest_first, reached_by_each,
};
use crate::id::{CommitId, TreeId};
use crate::path::RepoPath;
use crate::repo::range::line_between;
use crate::strategy::workbench::{Change, Standing};

/// How many paths of a change are followed one by one in a commit that touches only some of them.
const PATHS_BY_THEMSELVES: usize = 16;
/// How many later merges, the newest, are looked at for one that merged the change again.
const MERGES: usize = 256;

impl Judge<'_> {
    /// What became of a change, with the commits with which it went and came back. Where a shallow clone hides those, the
    /// state at the tip decides alone.
    pub(super) fn judge_with_turns(&mut self, commit: CommitId) -> Result<IsReverted> {
        let mut answer = self.judge(commit)?;
        if answer.verdict == Verdict::NotInHistory {
            return Ok(answer);
        }
        let change = self.change(answer.picked_as.unwrap_or(commit))?;
        let mut copies = vec![commit];
        copies.extend(answer.picked_as);
        let claimed: Vec<_> = answer.claims.iter().map(|claim| claim.commit_id).collect();
        answer.turns = known_history(self.turns(&change, &copies, &claimed), &mut answer.shallow_at)?;
        let went = |turn: &&Turn| turn.kind == TurnKind::RolledBack;
        match (answer.verdict, answer.turns.iter().find(went).map(|turn| turn.commit_id)) {
            (Verdict::InForce, Some(_)) => answer.verdict = Verdict::Relanded,
            (Verdict::InForce, None) | (_, None) => {}
            (_, Some(newest)) => {
                let found = self.merged_again(&change, newest);
                answer.merged_again = known_history(found, &mut answer.shallow_at)?;
            }
        }
        Ok(answer)
    }

    /// A commit of the tip's history that does what `commit` does, though it does not say so: the newest one.
    pub(super) fn same_patch_as(&mut self, commit: CommitId) -> Result<Option<CommitId>> {
        let (objects, tip) = (self.objects(), self.bench.tip.id);
        let change = self.change(commit)?;
        let Some(wanted) = self.identity(&change)? else { return Ok(None) };
        let paths = self.paths_of(&change)?;
        if paths.len() > MOST_PATHS {
            return Ok(None);
        }
        for id in commits_touching_since(&objects, tip, &[commit], &paths)?.into_iter().take(TRIED) {
            let other = self.change(id)?;
            if self.paths_of(&other)? == paths && self.identity(&other)?.as_ref() == Some(&wanted) {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    fn identity(&self, change: &Change) -> Result<Option<String>> {
        let objects = &self.bench.objects;
        patch_identity(objects, objects.tree_of(change.parent())?, change.commit.tree)
    }

    /// See [`IsReverted::turns`]. `copies` are the change and its pick, `claimed` the commits that say they revert it and
    /// did.
    fn turns(&mut self, change: &Change, copies: &[CommitId], claimed: &[CommitId]) -> Result<Vec<Turn>> {
        let paths = self.paths_of(change)?;
        let mut later = self.later_touches(change, &paths)?;
        later.extend(claimed);
        let later = newest_first(&self.bench.objects, &later)?;
        let mut search =
            TurnSearch { change, copies: copies.to_vec(), paths, known: HashMap::new(), turns: Vec::new() };
        for id in later.into_iter().rev() {
            let by = self.change(id)?;
            if let Some(turn) = search.turn(self, &by, claimed.contains(&id))? {
                if turn.kind == TurnKind::Relanded {
                    search.copies.push(id);
                }
                search.turns.push(turn);
            }
        }
        search.turns.reverse();
        Ok(search.turns)
    }

    /// See [`IsReverted::merged_again`]. `rollback` is the newest commit that took the change back.
    fn merged_again(&mut self, change: &Change, rollback: CommitId) -> Result<Vec<CommitId>> {
        let objects = self.objects();
        let line = line_between(&objects, self.bench.tip.id, &[rollback])?;
        // What a merge brought in is what its branch has; the merge itself is none of that.
        let on_branch: Vec<_> = match change.mainline {
            Some(mainline) => {
                let others = change.commit.parents.iter().enumerate();
                others.filter(|(at, _)| at + 1 != mainline).map(|(_, parent)| *parent).collect()
            }
            None => vec![change.commit.id],
        };
        let mut merges = Vec::new();
        for id in line.commits {
            let parents = objects.commit_header(id)?.parents;
            if parents.len() > 1 {
                merges.extend(parents.into_iter().skip(1).map(|side| (id, side)));
            }
            if merges.len() >= MERGES {
                break;
            }
        }
        let sides: Vec<_> = merges.iter().map(|(_, side)| *side).collect();
        let asked: Vec<_> = on_branch.iter().copied().chain([rollback]).collect();
        let reached = reached_by_each(&objects, &sides, &asked)?;
        let brings_it = |reached: &HashSet<CommitId>| {
            on_branch.iter().any(|commit| reached.contains(commit)) && !reached.contains(&rollback)
        };
        let again = merges.into_iter().zip(reached).filter(|(_, reached)| brings_it(reached));
        let mut found: Vec<_> = again.map(|((merge, _), _)| merge).collect();
        found.dedup();
        Ok(found)
    }
}

/// The turns of a change that are known so far, oldest first.
struct TurnSearch<'c> {
    change: &'c Change,
    /// The change and all that landed it anew.
    copies: Vec<CommitId>,
    paths: Vec<RepoPath>,
    /// Whether the change is in force in a tree, of all it did.
    known: HashMap<TreeId, Standing>,
    turns: Vec<Turn>,
}

impl TurnSearch<'_> {
    /// Which way the change went with `by`; `None` where it stayed as it was.
    fn turn(&mut self, judge: &mut Judge<'_>, by: &Change, is_claimed: bool) -> Result<Option<Turn>> {
        let before = judge.bench.objects.tree_of(by.parent())?;
        let whole = kind_of(self.standing(judge, before)?, self.standing(judge, by.commit.tree)?);
        let (mut kind, mut paths) = (whole, Vec::new());
        if kind.is_none() {
            (kind, paths) = self.in_part(judge, by, before)?;
        }
        let mut known_by = Vec::new();
        if kind.is_some() {
            known_by.push(Proof::State);
        }
        let said = Said::in_message(&by.commit.message);
        if is_claimed && kind.is_none() {
            // It was resolved by hand, and nothing denies that it did what it says.
            kind = Some(TurnKind::RolledBack);
        }
        let Some(kind) = kind else { return Ok(None) };
        if !self.can_follow(judge, kind, by.commit.id)? {
            return Ok(None);
        }
        known_by.extend(self.said(&said, kind));
        if paths.is_empty() && self.is_same_patch(judge, by, before, kind)? {
            known_by.push(Proof::Patch);
        }
        known_by.sort_unstable();
        known_by.dedup();
        Ok(Some(Turn { commit_id: by.commit.id, kind, known_by, paths }))
    }

    /// Whether such a turn can be: what was not taken back in the past of a commit does not come back with it, and what a
    /// commit does not have in its past it does not take back.
    fn can_follow(&self, judge: &Judge<'_>, kind: TurnKind, id: CommitId) -> Result<bool> {
        let before = match kind {
            TurnKind::RolledBack => self.copies.clone(),
            TurnKind::Relanded => self.rollbacks(),
        };
        Ok(reached_by_each(&judge.bench.objects, &[id], &before)?.iter().any(|reached| !reached.is_empty()))
    }

    /// The commits known so far that took the change back.
    fn rollbacks(&self) -> Vec<CommitId> {
        let went = self.turns.iter().filter(|turn| turn.kind == TurnKind::RolledBack);
        went.map(|turn| turn.commit_id).collect()
    }

    fn said(&self, said: &Said, kind: TurnKind) -> Vec<Proof> {
        match kind {
            TurnKind::RolledBack => said.takes_back(&self.copies),
            TurnKind::Relanded => {
                let picks = said.picks(&self.copies).then_some(Proof::Message);
                said.takes_back(&self.rollbacks()).into_iter().chain(picks).collect()
            }
        }
    }

    /// Whether the patch of `by` is that of the change, or its inverse.
    fn is_same_patch(&self, judge: &Judge<'_>, by: &Change, before: TreeId, kind: TurnKind) -> Result<bool> {
        let objects = &judge.bench.objects;
        let (from, to) = (objects.tree_of(self.change.parent())?, self.change.commit.tree);
        if judge.paths_of(by)? != self.paths || self.paths.len() > MOST_PATHS {
            return Ok(false);
        }
        let own = match kind {
            TurnKind::RolledBack => patch_identity(objects, to, from)?,
            TurnKind::Relanded => patch_identity(objects, from, to)?,
        };
        Ok(own.is_some() && own == patch_identity(objects, before, by.commit.tree)?)
    }

    /// Which way some paths of the change went with `by`, where they all went one way.
    fn in_part(
        &mut self,
        judge: &mut Judge<'_>,
        by: &Change,
        before: TreeId,
    ) -> Result<(Option<TurnKind>, Vec<RepoPath>)> {
        let touched = judge.paths_of(by)?;
        let common: Vec<_> = self.paths.iter().filter(|path| touched.contains(path)).cloned().collect();
        let mut found = (None, Vec::new());
        for path in common.into_iter().take(PATHS_BY_THEMSELVES) {
            let scoped = self.change.scoped(vec![path.clone()], Vec::new());
            let bench = &mut judge.bench;
            let kind = kind_of(bench.standing(&scoped, before)?, bench.standing(&scoped, by.commit.tree)?);
            if kind.is_some() && (found.0.is_none() || found.0 == kind) {
                found.0 = kind;
                found.1.push(path);
            }
        }
        if found.1 == self.paths {
            found.1.clear();
        }
        Ok(found)
    }

    fn standing(&mut self, judge: &mut Judge<'_>, at: TreeId) -> Result<Standing> {
        if let Some(known) = self.known.get(&at) {
            return Ok(*known);
        }
        let standing = judge.bench.standing(self.change, at)?;
        self.known.insert(at, standing);
        Ok(standing)
    }
}

fn kind_of(before: Standing, after: Standing) -> Option<TurnKind> {
    match (before, after) {
        (Standing::InForce | Standing::Unclear, Standing::TakenBack) => Some(TurnKind::RolledBack),
        (Standing::TakenBack, Standing::InForce) => Some(TurnKind::Relanded),
        _ => None,
    }
}
