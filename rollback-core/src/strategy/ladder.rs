//! The ladder: which ways are tried for a target, in which order, and when one may be taken.
//!
//! Fallback never picks hunks of one side, and it always starts again from the same tip. Every rung that is
//! not taken says why.

use regex::bytes::Regex;

use super::dependents::Found;
use super::scope::covers;
use super::workbench::{BackTo, Change, Restoration, Workbench};
use super::{Attempt, AttemptResult, Rejection, Scope, Strategy};
use crate::content::count_lines;
use crate::error::Result;
use crate::id::TreeId;
use crate::path::RepoPath;
use crate::progress::Stage;

/// One row of a ladder.
#[derive(Clone, Debug)]
pub(crate) enum Rung {
    /// Undo these changes, one commit each.
    Undo(Vec<Change>),
    /// Undo the later changes that stand in the way of these first.
    UndoWithDependents(Vec<Change>),
    /// Replay these changes, one commit each.
    Replay(Vec<Change>),
    /// Put paths back exactly as they are in a commit that was named.
    Restore(Vec<Restoration>),
    /// Put the paths of a change back exactly as they were before it.
    ReturnBefore(Vec<Restoration>),
    /// Bring everything, or some paths, back to what it is in a commit.
    BackTo(BackTo),
    /// A way that does not fit the case; the attempt says why.
    NotApplicable(Box<Attempt>),
}

impl Rung {
    /// A way that does not fit the case, because `reason`.
    pub(crate) fn not_applicable(strategy: Strategy, reason: impl Into<String>) -> Self {
        Self::NotApplicable(Box::new(Attempt::not_applicable(strategy, reason)))
    }

    /// The strategy that the rung follows.
    pub(crate) fn strategy(&self) -> Strategy {
        match self {
            Self::Undo(changes) | Self::UndoWithDependents(changes) => {
                changes.first().map_or(Strategy::RevertCommit, Change::undo_strategy)
            }
            Self::Replay(_) => Strategy::CherryPick,
            Self::Restore(_) | Self::ReturnBefore(_) | Self::BackTo(_) => Strategy::RestoreFile,
            Self::NotApplicable(attempt) => attempt.strategy,
        }
    }
}

/// What a result has to bring about before it may be taken.
#[derive(Debug, Default)]
pub(crate) struct Goal {
    /// Paths that must differ from the tip's.
    pub(crate) changed: Vec<RepoPath>,
    /// Paths that must exist.
    pub(crate) present: Vec<RepoPath>,
    /// What the content of the present paths must look like.
    pub(crate) content: ContentGoal,
}

/// What content has to look like to count as good.
#[derive(Debug, Default)]
pub(crate) struct ContentGoal {
    pub(crate) pattern: Option<Regex>,
    pub(crate) lines: Option<usize>,
}

impl ContentGoal {
    /// Whether nothing is asked of the content.
    pub(crate) fn is_unset(&self) -> bool {
        self.pattern.is_none() && self.lines.is_none()
    }

    /// What `content` lacks; `None` where it is good.
    pub(crate) fn missing_in(&self, content: &[u8]) -> Option<String> {
        if let Some(pattern) = &self.pattern
            && !pattern.is_match(content)
        {
            return Some(format!("does not match /{pattern}/"));
        }
        let found = count_lines(content);
        match self.lines {
            Some(wanted) if wanted != found => {
                let lines = if found == 1 { "line" } else { "lines" };
                Some(format!("has {found} {lines}, not {wanted}"))
            }
            _ => None,
        }
    }
}

/// What came of a ladder.
pub(crate) struct Climb {
    pub(crate) attempts: Vec<Attempt>,
    /// The index of the rung to be taken.
    pub(crate) chosen: Option<usize>,
}

/// How a rung is chosen.
#[derive(Clone, Copy)]
pub(crate) struct Choice<'a> {
    /// Stop at the first that may be taken.
    pub(crate) first_only: bool,
    /// What is not to be taken though it is clean.
    pub(crate) rejected: &'a [Rejection],
}

/// Tries the rungs in order. The first that may be taken is chosen; the rest is tried too, so that the plan
/// can say what they would do, unless `first_only`.
///
/// A rung that changes nothing ends the search only where the tip is what was asked for; where a rung before it found
/// the change in force, or the tip misses the goal, it falls through like any other.
pub(crate) fn climb(bench: &mut Workbench, rungs: &[Rung], goal: &Goal, choice: Choice<'_>) -> Result<Climb> {
    let mut climb = Climb { attempts: Vec::new(), chosen: None };
    let mut in_force = false;
    let count = bench.objects.count(Stage::Attempts, Some(rungs.len()));
    for rung in rungs {
        let mut attempt = bench.attempt(rung)?;
        count.step();
        let shortfall = match attempt.result {
            AttemptResult::Clean => goal.missed_by(bench, &attempt)?,
            AttemptResult::Empty if in_force => {
                Some("it would change nothing, and the change is still in force".into())
            }
            AttemptResult::Empty => goal
                .missing_in(bench, bench.start)?
                .map(|missing| format!("it would change nothing, and {missing}")),
            _ => None,
        };
        in_force |= attempt.shows_change_in_force();
        if let Some(reason) = shortfall {
            attempt.result = AttemptResult::NotApplicable;
            attempt.reason = Some(reason);
            attempt.tree_id = None;
        }
        if attempt.is_clean() && climb.chosen.is_none() {
            let rejection = choice.rejected.iter().find(|one| Some(one.tree_id) == attempt.tree_id);
            match rejection {
                Some(rejection) => attempt.reason = Some(rejection.reason.clone()),
                None => climb.chosen = Some(climb.attempts.len()),
            }
        }
        tracing::debug!(strategy = ?attempt.strategy, result = ?attempt.result, reason = ?attempt.reason, "tried");
        bench.objects.refuse_lacking()?;
        let nothing_left = attempt.result == AttemptResult::Empty;
        climb.attempts.push(attempt);
        if nothing_left && climb.chosen.is_none() || choice.first_only && climb.chosen.is_some() {
            break;
        }
    }
    Ok(climb)
}

impl Workbench {
    fn attempt(&mut self, rung: &Rung) -> Result<Attempt> {
        match rung {
            Rung::Undo(changes) => self.undo_naming_dependents(changes),
            Rung::UndoWithDependents(changes) => self.undo_with_dependents(changes),
            Rung::Replay(changes) => self.replay(changes),
            Rung::Restore(restorations) => self.restore(restorations),
            Rung::ReturnBefore(restorations) => self.return_before(restorations),
            Rung::BackTo(state) => self.back_to(state),
            Rung::NotApplicable(attempt) => Ok(Attempt::clone(attempt)),
        }
    }

    /// Undoes `changes`; where that conflicts, names the later commits whose lines are in the way, and tries whether it is
    /// clean without them.
    pub(crate) fn undo_naming_dependents(&mut self, changes: &[Change]) -> Result<Attempt> {
        let mut attempt = self.undo(changes)?;
        if attempt.result != AttemptResult::Conflicted {
            return Ok(attempt);
        }
        let found = self.dependents(changes, self.most_dependents)?;
        attempt.name_dependents(&found);
        if !found.dependents.is_empty() {
            attempt.with_dependents = Some(match &found.all {
                Some(all) => self.undo(all)?.result,
                None => AttemptResult::Conflicted,
            });
        }
        Ok(attempt)
    }

    /// Undoes `changes` with the later commits that are in the way, newest first.
    fn undo_with_dependents(&mut self, changes: &[Change]) -> Result<Attempt> {
        let strategy = changes.first().map_or(Strategy::RevertCommit, Change::undo_strategy);
        let found = self.dependents(changes, self.most_dependents)?;
        if found.dependents.is_empty() {
            let reason = "no later commit is known to be in the way";
            return Ok(Attempt::not_applicable(strategy, reason));
        }
        let Some(all) = &found.all else {
            let reason = format!(
                "no set of up to {} later commits was found with which it is clean",
                self.most_dependents
            );
            return Ok(Attempt::not_applicable(strategy, reason));
        };
        let mut attempt = self.undo(all)?;
        attempt.name_dependents(&found);
        Ok(attempt)
    }
}

impl Attempt {
    fn name_dependents(&mut self, found: &Found) {
        self.dependents = Some(found.dependents.iter().map(|one| one.commit_id).collect());
        self.dependent_on.clone_from(&found.dependents);
    }
}

impl Goal {
    /// What the result of `attempt` does not bring about; `None` where it does everything.
    fn missed_by(&self, bench: &Workbench, attempt: &Attempt) -> Result<Option<String>> {
        let Some(tree) = attempt.tree_id else { return Ok(None) };
        if let Some(path) = self.unchanged_path(attempt) {
            return Ok(Some(format!("it would not change {path}")));
        }
        if let Some(outside) = outside_of_scope(bench, attempt)? {
            return Ok(Some(format!("it would also change {outside}")));
        }
        self.missing_in(bench, tree)
    }

    fn unchanged_path(&self, attempt: &Attempt) -> Option<&RepoPath> {
        self.changed.iter().find(|path| !attempt.paths_touched.iter().any(|touched| path.contains(touched)))
    }

    /// What the tree lacks of what must be there.
    fn missing_in(&self, bench: &Workbench, tree: TreeId) -> Result<Option<String>> {
        for path in &self.present {
            let Some(entry) = bench.objects.entry_at(tree, path)? else {
                return Ok(Some(format!("{path} would not exist")));
            };
            if self.content.is_unset() || !entry.mode.is_file() {
                continue;
            }
            if let Some(missing) = self.content.missing_in(&bench.objects.blob(entry.id)?) {
                return Ok(Some(format!("{path} {missing}")));
            }
        }
        Ok(None)
    }
}

/// A path that a scoped attempt changes though it was not named.
///
/// Where the tip has renamed a scoped path, the change lands on its new name, and that is no trespass; but a path
/// that was not named is never added or deleted.
fn outside_of_scope(bench: &Workbench, attempt: &Attempt) -> Result<Option<RepoPath>> {
    let (Some(Scope::Paths(scope)), Some(result)) = (&attempt.scope, attempt.tree_id) else {
        return Ok(None);
    };
    let mut renamed_away = false;
    for path in scope {
        renamed_away |= bench.objects.entry_at(bench.start, path)?.is_none();
    }
    for path in attempt.paths_touched.iter().filter(|path| !covers(scope, path)) {
        let before = bench.objects.entry_at(bench.start, path)?;
        let after = bench.objects.entry_at(result, path)?;
        if !renamed_away || before.is_none() || after.is_none() {
            return Ok(Some(path.clone()));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_good_where_every_part_holds() {
        let goal = ContentGoal { pattern: Some(Regex::new("alias").unwrap()), lines: Some(2) };
        assert_eq!(goal.missing_in(b"alias\nend\n"), None);
        assert_eq!(goal.missing_in(b"end\n").as_deref(), Some("does not match /alias/"));
        assert_eq!(goal.missing_in(b"alias\n").as_deref(), Some("has 1 line, not 2"));
    }
}
