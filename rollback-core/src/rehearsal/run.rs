//! Rehearsing: first every change is merged, then what stands in the way of conflicts is looked for, then checks run.

use bstr::ByteSlice;

use super::{Rehearsal, RehearsalOptions, RehearsedChange, RehearsedRange};
use crate::charset::text_for_people;
use crate::checks::{CheckOptions, Checker, Control, TreeChecker};
use crate::error::{Error, Result, RevisionError};
use crate::id::{CommitId, TreeId};
use crate::merge::{Engine, Options, Verdict};
use crate::progress::Stage;
use crate::repo::range::RangeReading;
use crate::repo::{Commit, NewObjects, Objects, Repo, sha256};
use crate::strategy::AttemptResult;
use crate::strategy::workbench::{Change, Workbench, labels_of_undo};
use crate::verdict::{CheckRun, On, Outcome, Verdict as CheckVerdict};
use crate::workers::{Spread, threads};

/// How many neighbours of a range a thread takes at once: their trees have most in common.
const AT_ONCE: usize = 8;

impl Repo {
    /// Rolls back each change of `ranges` by itself onto the tip, in memory. No change at all is an empty rehearsal.
    ///
    /// A range `A..B` is the first-parent line from B down to what A reaches; a merge on it is one change against its
    /// first parent. A single name is one change.
    ///
    /// # Errors
    /// Those of resolving revisions, and of the merge engine; [`Error::Cancelled`].
    pub fn rehearse(&self, ranges: &[String], options: &RehearsalOptions) -> Result<Rehearsal> {
        let _span = tracing::debug_span!("rehearse", ?ranges).entered();
        self.complete(|repo| repo.rehearse_once(ranges, options))
    }

    fn rehearse_once(&self, ranges: &[String], options: &RehearsalOptions) -> Result<Rehearsal> {
        let tip = match &options.onto {
            Some(onto) => self.resolve_commit(onto)?,
            None => self.resolve_commit("HEAD")?,
        };
        let commits = match self.resolve_changes(ranges, RangeReading::FirstParent) {
            Ok(named) => named.commits,
            Err(Error::Revision(RevisionError::EmptyCommitSet { .. })) => Vec::new(),
            Err(error) => return Err(error),
        };
        let range = RehearsedRange { of: commits.len(), tip, range_id: range_id(&commits) };
        let rows: Vec<_> = (1..)
            .zip(commits)
            .filter(|(number, _)| options.shard.is_none_or(|shard| shard.has(*number)))
            .collect();
        let mut changes = self.merge_all(&range, &rows, options.threads)?;
        if options.blockers {
            self.look_for_blockers(tip, &mut changes, options.threads)?;
        }
        self.objects().refuse_lacking()?;
        Ok(Rehearsal { range, changes })
    }

    fn merge_all(&self, range: &RehearsedRange, rows: &[Row], asked: usize) -> Result<Vec<RehearsedChange>> {
        let options = Options::from_config(self)?;
        let engines = Engine::makers(self, &options);
        let tip_tree = self.tree_of_commit(range.tip)?;
        let count = self.count(Stage::Rehearsal, Some(rows.len()));
        let start = || Ok(Rehearser { engine: engines()?, objects: self.objects(), range, tip_tree });
        let spread = Spread { threads: threads(asked), at_once: AT_ONCE };
        spread.over(rows, &start, &|rehearser: &mut Rehearser<'_>, row| {
            let change = rehearser.rehearse(row)?;
            count.step();
            Ok(change)
        })
    }

    /// Tells of every change that conflicts which later commits are in its way.
    fn look_for_blockers(&self, tip: CommitId, changes: &mut [RehearsedChange], asked: usize) -> Result<()> {
        let conflicted: Vec<_> = changes
            .iter()
            .enumerate()
            .filter(|(_, change)| change.result == AttemptResult::Conflicted)
            .map(|(at, change)| (at, change.commit_id))
            .collect();
        let count = self.count(Stage::Blockers, Some(conflicted.len()));
        let spread = Spread { threads: threads(asked), at_once: 1 };
        let found =
            spread.over(&conflicted, &|| Workbench::new(self, tip), &|bench: &mut Workbench, (_, id)| {
                let change = Change::of_mainline(bench.objects.commit(*id)?)?;
                let attempt = bench.undo_naming_dependents(&[change])?;
                // What was tried is told, not kept.
                drop(bench.objects.take_new());
                count.step();
                Ok((attempt.dependents, attempt.with_dependents))
            })?;
        for ((at, _), (dependents, with_dependents)) in conflicted.into_iter().zip(found) {
            changes[at].blocked_by = dependents;
            changes[at].with_dependents = with_dependents;
        }
        Ok(())
    }
}

/// The number of a change in its range, and the change.
type Row = (usize, CommitId);

/// What a thread merges with.
struct Rehearser<'r> {
    engine: Engine,
    objects: Objects,
    range: &'r RehearsedRange,
    tip_tree: TreeId,
}

impl Rehearser<'_> {
    fn rehearse(&mut self, (number, commit): &Row) -> Result<RehearsedChange> {
        let change = Change::of_mainline(self.objects.commit(*commit)?)?;
        let ours = self.tip_tree;
        let (base, theirs) = (change.commit.tree, self.objects.tree_of(change.parent())?);
        let labels = labels_of_undo(&self.objects, &change.commit);
        let merged = self.engine.merge(base, ours, theirs, &labels)?;
        let result = match &merged.verdict {
            Verdict::Clean if merged.tree_id == ours => AttemptResult::Empty,
            Verdict::Clean => AttemptResult::Clean,
            Verdict::Conflicted => AttemptResult::Conflicted,
            Verdict::NeedsReview(_) => AttemptResult::NeedsReview,
        };
        let reason = match &merged.verdict {
            Verdict::NeedsReview(reason) => Some(reason.to_string()),
            _ => None,
        };
        let mut conflicts: Vec<_> = merged.conflicts.into_iter().map(|conflict| conflict.path).collect();
        conflicts.dedup();
        Ok(RehearsedChange {
            number: *number,
            range: self.range.clone(),
            commit_id: change.commit.id,
            mainline: change.mainline,
            subject: subject_of(&change.commit),
            result,
            reason,
            tree_id: (merged.verdict == Verdict::Clean).then_some(merged.tree_id),
            conflicts,
            blocked_by: None,
            with_dependents: None,
            check: None,
        })
    }
}

impl Rehearsal {
    /// Runs checks on the result of every change that can be rolled back, in as many folders as threads work; each folder
    /// is reused. The results are made again for it: of one that does not come out as it is recorded, the checks say
    /// nothing.
    ///
    /// The checks run on the tip as it is first, once, unless [`Control::Skip`] says otherwise.
    ///
    /// # Writes
    /// Folders below the system's folder for temporary files, gone at the end, and whatever the programs write.
    ///
    /// # Errors
    /// [`Error::Cancelled`];
    /// [`PathError::Hostile`](crate::error::PathError::Hostile) for a tree that would write outside of its folder.
    pub fn check(&mut self, checker: &Checker<'_>, options: &CheckOptions, asked: usize) -> Result<()> {
        let repo = checker.repo;
        let clean = |(_, change): &(usize, &RehearsedChange)| change.result == AttemptResult::Clean;
        let row = |(at, change): (usize, &RehearsedChange)| (at, change.commit_id, change.tree_id);
        let rows: Vec<_> = self.changes.iter().enumerate().filter(clean).map(row).collect();
        if rows.is_empty() {
            return Ok(());
        }
        let tip = self.range.tip;
        let control = control_runs(repo, checker, options, tip)?;
        let count = repo.count(Stage::Checks, Some(rows.len()));
        let spread = Spread { threads: threads(asked), at_once: 1 };
        let verdicts: Vec<CheckVerdict> = spread.over(
            &rows,
            &|| Ok::<_, Error>(TreeChecker::new(checker, options, &control)),
            &|trees: &mut TreeChecker<'_>, (_, id, recorded)| {
                let (tree, made) = repo.complete(|repo| made_again(repo, tip, *id))?;
                let verdict = match tree.filter(|tree| Some(*tree) == *recorded) {
                    Some(tree) => trees.judge((tree, &made), &mut ())?,
                    None => CheckVerdict::new(Outcome::Inconclusive, "the result cannot be made again"),
                };
                count.step();
                Ok(verdict)
            },
        )?;
        for ((at, ..), verdict) in rows.into_iter().zip(verdicts) {
            self.changes[at].check = Some(verdict);
        }
        Ok(())
    }
}

/// See [`RehearsedRange::range_id`].
fn range_id(changes: &[CommitId]) -> String {
    let lines: String = changes.iter().map(|id| format!("{id}\n")).collect();
    sha256(lines.as_bytes())
}

/// The tree of the tip without the change, `None` where that is no clean merge, and the objects made for it.
fn made_again(repo: &Repo, tip: CommitId, id: CommitId) -> Result<(Option<TreeId>, NewObjects)> {
    let mut bench = Workbench::new(repo, tip)?;
    let change = Change::of_mainline(bench.objects.commit(id)?)?;
    let start = bench.start;
    let tree = bench.undone_in(&change, start)?;
    Ok((tree, bench.objects.take_new()))
}

fn subject_of(commit: &Commit) -> String {
    let first_line = commit.message.lines().next().unwrap_or_default();
    text_for_people(first_line, commit.encoding.as_ref().map(|name| name.as_slice()))
}

/// What the checks say of the tip as it is; nothing where they are not to be asked.
fn control_runs(
    repo: &Repo,
    checker: &Checker<'_>,
    options: &CheckOptions,
    tip: CommitId,
) -> Result<Vec<CheckRun>> {
    if options.control == Control::Skip {
        return Ok(Vec::new());
    }
    let tree = (repo.tree_of_commit(tip)?, &NewObjects::new());
    TreeChecker::new(checker, options, &[]).run(On::Control, tree, &mut ())
}
