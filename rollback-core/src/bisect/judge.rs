//! What a commit is judged by: a function of the caller, or checks on its files.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::{BisectOptions, BisectVerdict, BisectWatch, Bisection, JudgedCommit};
use crate::checks::{CheckOptions, Checker, TreeChecker};
use crate::error::Result;
use crate::id::CommitId;
use crate::repo::NewObjects;
use crate::verdict::{CheckKind, CheckRun, On, Outcome};

/// The exit code by which a check says that it cannot judge, as `git bisect run` has it.
const SKIP_CODE: i32 = 125;

/// After how many runs for each that has to agree a check is given up that does not come to a verdict.
const PATIENCE: usize = 10;

/// What one run says of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ruling {
    /// It is good.
    Good,
    /// It is bad: why, as a fragment.
    Bad(String),
    /// It cannot be judged: why, as a fragment.
    Skip(String),
}

/// Judges commits; called from several threads at once. Functions are judges, too.
pub trait Judge: Sync {
    /// What one run says of the commit.
    ///
    /// # Errors
    /// What ends the whole search, such as [`Error::Cancelled`](crate::Error::Cancelled).
    fn judge(&self, commit: CommitId) -> Result<Ruling>;
}

impl<F: Fn(CommitId) -> Result<Ruling> + Sync> Judge for F {
    fn judge(&self, commit: CommitId) -> Result<Ruling> {
        self(commit)
    }
}

/// Judges a commit as often as it takes until a verdict is `confirm` runs ahead.
pub(super) fn confirmed(judge: &dyn Judge, commit: CommitId, confirm: usize) -> Result<JudgedCommit> {
    let began = Instant::now();
    let confirm = confirm.max(1);
    let (mut runs, mut passed, mut failed, mut why) = (0, 0, 0, String::new());
    let (verdict, reason) = loop {
        runs += 1;
        match judge.judge(commit)? {
            Ruling::Good => passed += 1,
            Ruling::Bad(reason) => {
                failed += 1;
                why = reason;
            }
            Ruling::Skip(reason) => break (BisectVerdict::Skipped, reason),
        }
        if passed >= failed + confirm {
            break (BisectVerdict::Good, String::new());
        }
        if failed >= passed + confirm {
            break (BisectVerdict::Bad, why);
        }
        if runs >= PATIENCE * confirm {
            break (
                BisectVerdict::Skipped,
                format!("its runs disagree: {passed} passed and {failed} failed"),
            );
        }
    };
    let elapsed_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(JudgedCommit { commit_id: commit, verdict, reason, runs, passed, failed, elapsed_ms, needed: true })
}

/// Judges by checks, in folders that are reused: as many as are judged at once.
struct Folders<'a> {
    checker: &'a Checker<'a>,
    options: &'a CheckOptions,
    idle: Mutex<Vec<TreeChecker<'a>>>,
}

impl Judge for Folders<'_> {
    fn judge(&self, commit: CommitId) -> Result<Ruling> {
        let tree = self.checker.repo.tree_of_commit(commit)?;
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = idle().pop();
        let mut trees = kept.unwrap_or_else(|| TreeChecker::new(self.checker, self.options, &[]));
        let runs = trees.run(On::Candidate, (tree, &NewObjects::new()), &mut ())?;
        idle().push(trees);
        Ok(ruling(&runs))
    }
}

/// What runs on a commit say together: what cannot be prepared is not judged, and one failure is enough.
fn ruling(runs: &[CheckRun]) -> Ruling {
    let said = |run: &CheckRun| {
        let verdict = &run.verdict;
        match &verdict.found {
            Some(found) if verdict.outcome == Outcome::Fail => format!("it ended with {found}"),
            _ => verdict.reason.clone(),
        }
    };
    let blocked_setup = |run: &&CheckRun| run.kind == CheckKind::Setup && run.verdict.blocks();
    if let Some(setup) = runs.iter().find(blocked_setup) {
        return Ruling::Skip(format!("the setup did not succeed: {}", said(setup)));
    }
    let failed = |run: &&CheckRun| matches!(run.verdict.outcome, Outcome::Fail | Outcome::Error);
    match (runs.iter().find(failed), runs.iter().find(|run| run.verdict.outcome != Outcome::Pass)) {
        (Some(failure), _) => Ruling::Bad(said(failure)),
        (None, Some(doubt)) => Ruling::Skip(said(doubt)),
        (None, None) => Ruling::Good,
    }
}

impl Checker<'_> {
    /// Finds the change that turned the checks from passing to failing.
    ///
    /// A commit is bad where a check fails, crashes or runs out of time, and good where all pass. It is skipped where a check
    /// ends with exit code 125, a program is missing, or the setup does not succeed.
    ///
    /// # Writes
    /// Folders below the system's folder for temporary files, gone at the end, and whatever the programs write.
    ///
    /// # Errors
    /// As [`Repo::bisect`](crate::Repo::bisect); [`PathError::Hostile`](crate::error::PathError::Hostile) for a tree that
    /// would write outside of its folder.
    pub fn bisect(
        &self,
        options: &BisectOptions,
        checks: &CheckOptions,
        watch: &mut dyn BisectWatch,
    ) -> Result<Bisection> {
        let checks = CheckOptions { skip_code: Some(SKIP_CODE), ..checks.clone() };
        let folders = Folders { checker: self, options: &checks, idle: Mutex::new(Vec::new()) };
        self.repo.bisect(options, &folders, watch)
    }
}
