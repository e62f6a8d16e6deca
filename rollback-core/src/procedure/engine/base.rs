//! What a rung starts from: the target found in the history and planned in memory, or why it is not to be had.

use std::collections::BTreeSet;

use super::candidate::{Stop, Tried, repo_path};
use super::{EngineError, Result, Run};
use crate::error::{Error, PathError};
use crate::history::{HistoryOptions, Return};
use crate::id::CommitId;
use crate::path::RepoPath;
use crate::plan::{AttemptResult, Plan, PlanOptions};
use crate::procedure::format::{Pick, Reason, Rung, RungKind, TreePath, Way};
use crate::strategy::Strategy;
use crate::target::{CommitsTarget, Good, PathsTarget, RestoreTarget, Target};

/// What a rung starts from.
pub(super) enum Base {
    Plan {
        plan: Box<Plan>,
        targets: Vec<CommitId>,
    },
    Restore {
        from: CommitId,
        paths: Vec<RepoPath>,
        exact: bool,
        targets: Vec<CommitId>,
    },
    /// Only edits.
    Tip,
    Other(Tried),
}

fn fell(reason: Reason, why: impl Into<String>) -> Base {
    Base::Other(Tried::Fell { reason, why: why.into() })
}

impl Run<'_> {
    pub(super) fn base(&mut self, rung: &Rung) -> Result<Base> {
        // It was planned before anything was done; landing compares the tip.
        let is_first = self.phase.ladder.first() == Some(rung);
        if let Some((plan, targets)) = self.first.take_if(|_| is_first) {
            return Ok(Base::Plan { plan, targets });
        }
        if let Ok(Way::Command(run)) = rung.way() {
            return Ok(Base::Other(Tried::Stopped(Stop::Command(run.to_vec()))));
        }
        let target = self.phase.target.clone().unwrap_or_default();
        if let Some(returned) = target.deleted.as_ref().map(|path| self.returned(path)).transpose()?.flatten()
        {
            return Ok(returned);
        }
        if let Some(filter) = &rung.commits {
            let found = self.filtered(filter, self.present_tip())?;
            return match found.is_empty() {
                true => Ok(fell(Reason::NotFound, "no commit matches")),
                false => self.undo(rung, found),
            };
        }
        let commits = if self.phase.target.is_some() { self.commits_of(&target)? } else { Vec::new() };
        let by_path = target.path.as_ref().or(target.deleted.as_ref());
        if commits.is_empty() && by_path.is_none() && self.phase.target.is_some() {
            return Ok(fell(Reason::NotFound, "no commit matches"));
        }
        if commits.len() > 1 && target.has_filters() && target.pick == Pick::One {
            return Ok(fell(Reason::Multiple, format!("{} commits match", commits.len())));
        }
        match (rung.way(), by_path) {
            (Ok(Way::Restore(from)), path) if from != "last-good" || path.is_none() => {
                self.restore_from(rung, from, commits)
            }
            (_, Some(path)) => self.by_path(rung.kind, path),
            (Ok(Way::Pick), None) => {
                let target = Target::Pick(self.commits_target(rung, &commits));
                self.planned(&target, &commits, Strategy::CherryPick)
            }
            _ => self.undo(rung, commits),
        }
    }

    /// What there is to say where a path whose removal is to be undone is there again.
    fn returned(&self, path: &TreePath) -> Result<Option<Base>> {
        let (repo, tip) = (self.engine.repo, self.present_tip());
        if !repo.has_path(tip, &repo_path(path))? {
            return Ok(None);
        }
        Ok(Some(match repo.return_of(tip, &repo_path(path))? {
            Return::Otherwise { removed_by } => {
                let commit = repo.abbreviation(removed_by);
                let why = format!("{path} is there, and not as it was before {commit} removed it");
                fell(Reason::NotApplicable, why)
            }
            _ => Base::Other(Tried::Stopped(Stop::NothingToDo(format!("{path} is there")))),
        }))
    }

    fn undo(&self, rung: &Rung, commits: Vec<CommitId>) -> Result<Base> {
        let merges = rung.mainline.is_some();
        if !merges {
            self.refuse_merges(&commits)?;
        }
        if let Some(why) = self.beyond_the_phase(rung) {
            return Ok(fell(Reason::NotApplicable, why));
        }
        let via = if merges { Strategy::RevertMerge } else { Strategy::RevertCommit };
        self.planned(&Target::Commits(self.commits_target(rung, &commits)), &commits, via)
    }

    /// Refuses a merge whose mainline the rung does not name: none is guessed.
    fn refuse_merges(&self, commits: &[CommitId]) -> Result<()> {
        for commit in commits {
            if self.engine.repo.commit_summary(*commit)?.parents.len() > 1 {
                let commit = self.engine.repo.abbreviation(*commit);
                let why = format!("{commit} is a merge, and the rung names no mainline");
                return Err(EngineError::Target(why));
            }
        }
        Ok(())
    }

    /// Whether merges are taken whole, whatever the phase's paths are.
    pub(super) fn takes_merges_whole(&self) -> bool {
        self.phase.whole_merge || self.state.whole_merge
    }

    /// Other phases that came in through the merge that a rung would revert whole.
    fn beyond_the_phase(&self, rung: &Rung) -> Option<String> {
        let branch = self.phase.target.as_ref().and_then(|target| target.merge_of.as_ref())?;
        if rung.mainline.is_none() || rung.scoped || rung.commits.is_some() || self.takes_merges_whole() {
            return None;
        }
        let shares = |target: &crate::procedure::format::Target| target.merge_of.as_ref() == Some(branch);
        let others: Vec<&str> = (self.procedure.document.phase.iter())
            .filter(|(name, phase)| *name != self.state.phase && phase.target.as_ref().is_some_and(shares))
            .map(|(name, _)| name)
            .collect();
        (!others.is_empty())
            .then(|| format!("the merge of {branch} brought in phase {} too", others.join(", ")))
    }

    /// What landing the rung would do, as far as a plan can say it; edits of the candidate are not made.
    pub(super) fn rehearse(&mut self, rung: &Rung) -> Result<Option<Plan>> {
        match self.base(rung)? {
            Base::Plan { plan, targets } => {
                self.first = Some((plan.clone(), targets));
                Ok(Some(*plan))
            }
            Base::Restore { from, paths, exact, .. } => {
                let target =
                    Target::Restore(RestoreTarget { paths, source: Some(from.to_string()), overlay: !exact });
                // A path that only other rungs can restore is theirs to miss.
                let plan = self.engine.repo.plan(&target, &PlanOptions::default());
                Ok(plan.ok().filter(|plan| plan.chosen.is_some()))
            }
            Base::Tip | Base::Other(_) => Ok(None),
        }
    }

    fn commits_target(&self, rung: &Rung, commits: &[CommitId]) -> CommitsTarget {
        let paths = if rung.paths.is_empty() { &self.phase.paths } else { &rung.paths };
        let scoped = rung.scoped && !(rung.mainline.is_some() && self.state.whole_merge);
        CommitsTarget {
            revisions: commits.iter().map(ToString::to_string).collect(),
            mainline: rung.mainline.and_then(|mainline| usize::try_from(mainline).ok()),
            paths: if scoped { self.scope_of(rung, paths) } else { Vec::new() },
            ..CommitsTarget::default()
        }
    }

    /// The paths of a scoped rung. Those of a phase bound what it may touch, so that it may name paths that are not there
    /// yet; those of a rung are a request, and an unknown one is refused by name.
    fn scope_of(&self, rung: &Rung, paths: &[TreePath]) -> Vec<RepoPath> {
        let all: Vec<RepoPath> = paths.iter().map(repo_path).collect();
        if !rung.paths.is_empty() {
            return all;
        }
        let options = HistoryOptions {
            tip: self.present_tip().to_string(),
            limit: Some(1),
            follow_renames: false,
            search_elsewhere: false,
        };
        let is_unknown = |path: &RepoPath| {
            matches!(
                self.engine.repo.history(path, &options),
                Err(Error::Path(PathError::NeverExisted { .. }))
            )
        };
        let known: Vec<RepoPath> = all.iter().filter(|path| !is_unknown(path)).cloned().collect();
        if known.is_empty() { all } else { known }
    }

    /// The change to a path is found by the plan itself.
    fn by_path(&self, kind: RungKind, path: &TreePath) -> Result<Base> {
        let via = match kind {
            RungKind::RevertCommit => Strategy::RevertCommit,
            RungKind::RevertMerge => Strategy::RevertMerge,
            RungKind::CherryPick => Strategy::CherryPick,
            _ => Strategy::RestoreFile,
        };
        let (paths, good) = (vec![repo_path(path)], self.good(path)?);
        let target = Target::Paths(PathsTarget { paths, good, ..PathsTarget::default() });
        let options = PlanOptions { via: Some(via), ..PlanOptions::default() };
        let plan = self.engine.repo.plan(&target, &options)?;
        if let Some(culprit) = &plan.target.culprit
            && kind == RungKind::RevertCommit
            && plan.chosen.is_none()
            && !culprit.further_changes.is_empty()
        {
            let why = format!("{} later changes touch {path}", culprit.further_changes.len());
            return Ok(fell(Reason::Multiple, why));
        }
        let targets = plan.target.culprit.as_ref().map(|culprit| culprit.commit_id).into_iter().collect();
        Ok(of_a_plan(plan, targets))
    }

    /// What good content of the path looks like: what the phase's checks want it to contain. A count of lines or bytes
    /// never decides which version is good: such figures rot.
    fn good(&self, path: &TreePath) -> Result<Good> {
        let checks = self.phase.validate.iter().filter_map(|id| self.procedure.check(id));
        let mut wanted = Vec::new();
        for check in checks.filter(|check| check.file.as_ref() == Some(path)) {
            if let Some(text) = check.expect.as_ref().and_then(|expect| expect.contains.as_ref()) {
                wanted.push(regex::escape(&self.words(text)?));
            }
        }
        // One pattern for one text: several would have to match in one order.
        let pattern = if wanted.len() == 1 { wanted.pop() } else { None };
        Ok(Good { pattern, lines: None })
    }

    fn planned(&self, target: &Target, commits: &[CommitId], via: Strategy) -> Result<Base> {
        let options = PlanOptions { via: Some(via), ..PlanOptions::default() };
        let plan = self.engine.repo.plan(target, &options)?;
        Ok(of_a_plan(plan, commits.to_vec()))
    }

    fn restore_from(&self, rung: &Rung, from: &str, targets: Vec<CommitId>) -> Result<Base> {
        let from = self.revision(from, &targets)?;
        let paths = if rung.paths.is_empty() { &self.phase.paths } else { &rung.paths };
        let filled = paths.iter().map(|path| Ok(RepoPath::from(self.words(path.as_str())?.as_str())));
        let mut paths = filled.collect::<Result<Vec<_>>>()?;
        if paths.is_empty() {
            paths.push(RepoPath::default());
        }
        Ok(Base::Restore { from, paths, exact: rung.exact, targets })
    }

    /// The commit that a rung's `from` names.
    pub(super) fn revision(&self, from: &str, targets: &[CommitId]) -> Result<CommitId> {
        let repo = self.engine.repo;
        let from = self.words(from)?;
        if let Some(name) = from.strip_prefix("checkpoint:") {
            let missing = || EngineError::Target(format!("there is no checkpoint '{name}'"));
            let found = repo.checkpoint(&self.procedure.id, name)?.or(repo.checkpoint("manual", name)?);
            let found = found.ok_or_else(missing)?;
            repo.verify_checkpoint(&found, true)?.sound(&found)?;
            return Ok(found.commit_id);
        }
        if let Some(rest) = from.strip_prefix("target") {
            let missing = || EngineError::Target("the phase has no target commit".into());
            let target = targets.first().ok_or_else(missing)?;
            return Ok(repo.resolve_commit(&format!("{target}{rest}"))?);
        }
        let name = from.strip_prefix("tag:").map_or(from.clone(), |tag| format!("refs/tags/{tag}"));
        Ok(repo.resolve_commit(&name)?)
    }

    /// Later commits to the paths that are no part of what is rolled back.
    pub(super) fn discarded(
        &self,
        from: CommitId,
        paths: &[RepoPath],
        targets: &[CommitId],
    ) -> Result<Vec<CommitId>> {
        let repo = self.engine.repo;
        let mut rolled_back: BTreeSet<CommitId> = targets.iter().copied().collect();
        for target in targets {
            if let [first, others @ ..] = repo.commit_summary(*target)?.parents.as_slice() {
                let brought_in =
                    |other| repo.resolve_commits(&[format!("{first}..{other}")]).unwrap_or_default();
                rolled_back.extend(others.iter().flat_map(brought_in));
            }
        }
        let touching = repo.commits_touching_since(self.present_tip(), from, paths)?;
        Ok(touching.into_iter().filter(|commit| !rolled_back.contains(commit)).collect())
    }
}

/// What a plan offers, or why it offers nothing.
fn of_a_plan(plan: Plan, targets: Vec<CommitId>) -> Base {
    if plan.chosen.is_some() {
        return Base::Plan { plan: Box::new(plan), targets };
    }
    let Some(last) = plan.attempts.last() else {
        return fell(Reason::NotApplicable, "nothing could be tried");
    };
    let why = last.reason.clone().unwrap_or_else(|| match last.conflicts.first() {
        Some(conflict) => format!("it conflicts in {}", conflict.path),
        None => "it is not clean".to_owned(),
    });
    match last.result {
        AttemptResult::AlreadyRolledBack => Base::Other(Tried::Stopped(Stop::NothingToDo(why))),
        AttemptResult::Conflicted => fell(Reason::Conflict, why),
        AttemptResult::Empty => fell(Reason::Empty, "it changes nothing"),
        AttemptResult::NeedsReview => fell(Reason::NeedsReview, why),
        _ => fell(Reason::NotApplicable, why),
    }
}
