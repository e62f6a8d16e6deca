//! From a rung to a candidate: what would be committed, in a scratch work tree where it can be edited and checked.

use std::collections::BTreeSet;

use super::state::Pause;
use super::{EngineError, Result, Run};
use crate::id::CommitId;
use crate::path::RepoPath;
use crate::plan::{AttemptResult, LossClass, Plan, PlanOptions};
use crate::procedure::format::{Pick, Reason, Rung, RungKind, Scalar, Step, TreePath};
use crate::procedure::set::{Place, apply_set, read_value};
use crate::scratch::Scratch;
use crate::strategy::Strategy;
use crate::target::{CommitsTarget, PathsTarget, Target};

/// What could be committed, and what is known of it.
pub(super) struct Candidate {
    pub(super) plan: Plan,
    pub(super) scratch: Scratch,
    /// What is rolled back.
    pub(super) targets: Vec<CommitId>,
    /// Where restored content comes from.
    pub(super) source: Option<CommitId>,
    /// Later commits whose edits it discards.
    pub(super) discards: Vec<CommitId>,
    /// The paths that edits may touch.
    within: Vec<RepoPath>,
    base: Option<Plan>,
}

/// What came of trying a rung.
pub(super) enum Tried {
    Candidate(Box<Candidate>),
    Fell {
        reason: Reason,
        why: String,
    },
    NothingToDo(String),
    Paused(Pause),
    /// An outside program does it; there is no candidate.
    Command,
}

/// What a rung starts from.
enum Base {
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

pub(super) fn repo_path(path: &TreePath) -> RepoPath {
    RepoPath::from(path.as_str())
}

impl Run<'_> {
    /// Whether the rung can come into question in this run at all.
    pub(super) fn is_eligible_at_all(&self, rung: &Rung) -> bool {
        rung.when != [Reason::Manual] || self.request.by_hand
    }

    /// Tries a rung, or the edits alone. `progress` is how much of the way a gradual step goes.
    pub(super) fn attempt(&mut self, rung: Option<&Rung>, progress: f64) -> Result<Tried> {
        let base = match rung {
            Some(rung) => self.base(rung)?,
            None => Base::Tip,
        };
        let repo = self.engine.repo;
        let tip = self.present_tip();
        let (plan, targets) = match &base {
            Base::Plan { plan, targets } => (Some(plan.as_ref().clone()), targets.clone()),
            Base::Restore { targets, .. } => (None, targets.clone()),
            Base::Tip => (None, Vec::new()),
            Base::Other(_) => {
                let Base::Other(tried) = base else { unreachable!("it was just looked at") };
                return Ok(tried);
            }
        };
        let reopened = self.reopened.take();
        let fresh = reopened.is_none();
        let scratch = match (reopened, &plan) {
            (Some(folder), plan) => Scratch::reopen(repo, plan.as_ref(), tip, folder)?,
            (None, Some(plan)) => Scratch::of_plan(repo, plan)?,
            (None, None) => Scratch::of_commit(repo, tip)?,
        };
        let mut candidate = Candidate {
            plan: repo.plan_with_edits(plan.clone(), &[], Some("candidate"), &PlanOptions::default())?,
            scratch,
            targets,
            source: None,
            discards: Vec::new(),
            within: self.phase.paths.iter().map(repo_path).collect(),
            base: plan,
        };
        self.state.targets.clone_from(&candidate.targets);
        if let Some(attempt) = candidate.base.as_ref().and_then(Plan::chosen_attempt) {
            candidate.source = attempt.from;
            if attempt.loss.class == LossClass::Snapshot {
                candidate.discards.clone_from(&attempt.loss.discards);
            }
        }
        if let Base::Restore { from, paths, exact, .. } = base {
            candidate.source = Some(from);
            candidate.discards = self.discarded(from, &paths, &candidate.targets)?;
            candidate.within.extend(paths.clone());
            if fresh {
                candidate.scratch.restore(repo, from, &paths, exact)?;
            }
        }
        self.state.source = candidate.source;
        self.link(&mut candidate.scratch)?;
        if fresh {
            self.set_values(&mut candidate, progress)?;
        }
        match self.edit(candidate)? {
            Ok(candidate) => self.judge_shape(candidate),
            Err(pause) => Ok(Tried::Paused(pause)),
        }
    }

    /// The commit that the next landing builds on.
    pub(super) fn present_tip(&self) -> CommitId {
        match &self.state.landed_on {
            Some(reference) if *reference == self.state.reference => {
                *self.state.commits.last().unwrap_or(&self.state.tip)
            }
            _ => self.state.tip,
        }
    }

    pub(super) fn link(&self, scratch: &mut Scratch) -> Result<()> {
        let Some(work_dir) = self.engine.repo.work_dir() else { return Ok(()) };
        for path in self.procedure.document.link.iter().chain(&self.phase.link) {
            scratch.link(work_dir, &repo_path(path))?;
        }
        Ok(())
    }

    fn base(&self, rung: &Rung) -> Result<Base> {
        if rung.kind == RungKind::Command {
            return Ok(Base::Other(Tried::Command));
        }
        let target = self.phase.target.clone().unwrap_or_default();
        if let Some(path) = &target.deleted
            && self.engine.repo.has_path(self.present_tip(), &repo_path(path))?
        {
            return Ok(Base::Other(Tried::NothingToDo(format!("{path} is there"))));
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
        let filtered = target.grep.is_some() || target.author.is_some() || target.trailer.is_some();
        if commits.len() > 1 && filtered && target.pick == Pick::One {
            return Ok(fell(Reason::Multiple, format!("{} commits match", commits.len())));
        }
        match (rung.kind, by_path) {
            (RungKind::RestoreFile, path) if rung.from.as_deref() != Some("last-good") || path.is_none() => {
                self.restore_from(rung, commits)
            }
            (kind, Some(path)) => self.by_path(kind, path),
            (RungKind::CherryPick, None) => self.planned(
                &Target::Pick(self.commits_target(rung, &commits)),
                &commits,
                Strategy::CherryPick,
            ),
            _ => self.undo(rung, commits),
        }
    }

    fn undo(&self, rung: &Rung, commits: Vec<CommitId>) -> Result<Base> {
        let merges = rung.mainline.is_some();
        let via = if merges { Strategy::RevertMerge } else { Strategy::RevertCommit };
        self.planned(&Target::Commits(self.commits_target(rung, &commits)), &commits, via)
    }

    fn commits_target(&self, rung: &Rung, commits: &[CommitId]) -> CommitsTarget {
        let paths = if rung.paths.is_empty() { &self.phase.paths } else { &rung.paths };
        CommitsTarget {
            revisions: commits.iter().map(ToString::to_string).collect(),
            mainline: rung.mainline.and_then(|mainline| usize::try_from(mainline).ok()),
            paths: if rung.scoped { paths.iter().map(repo_path).collect() } else { Vec::new() },
        }
    }

    /// The change to a path is found by the plan itself.
    fn by_path(&self, kind: RungKind, path: &TreePath) -> Result<Base> {
        let via = match kind {
            RungKind::RevertCommit => Strategy::RevertCommit,
            RungKind::RevertMerge => Strategy::RevertMerge,
            RungKind::CherryPick => Strategy::CherryPick,
            _ => Strategy::RestoreFile,
        };
        let target = Target::Paths(PathsTarget { paths: vec![repo_path(path)], ..PathsTarget::default() });
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

    fn planned(&self, target: &Target, commits: &[CommitId], via: Strategy) -> Result<Base> {
        let options = PlanOptions { via: Some(via), ..PlanOptions::default() };
        let plan = self.engine.repo.plan(target, &options)?;
        Ok(of_a_plan(plan, commits.to_vec()))
    }

    fn restore_from(&self, rung: &Rung, targets: Vec<CommitId>) -> Result<Base> {
        let from = rung.from.clone().unwrap_or_default();
        let from = self.revision(&from, &targets)?;
        let paths = if rung.paths.is_empty() { &self.phase.paths } else { &rung.paths };
        let paths: Result<Vec<_>> =
            paths.iter().map(|path| Ok(RepoPath::from(self.words(path.as_str())?.as_str()))).collect();
        let mut paths = paths?;
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
            let found = repo.checkpoint(&self.procedure.id, name)?.or(repo.checkpoint("manual", name)?);
            let found =
                found.ok_or_else(|| EngineError::Target(format!("there is no checkpoint '{name}'")))?;
            repo.verify_checkpoint(&found, true)?.sound(&found)?;
            return Ok(found.commit_id);
        }
        if let Some(rest) = from.strip_prefix("target") {
            let target = targets
                .first()
                .ok_or_else(|| EngineError::Target("the phase has no target commit".into()))?;
            return Ok(repo.resolve_commit(&format!("{target}{rest}"))?);
        }
        let name = from.strip_prefix("tag:").map_or(from.clone(), |tag| format!("refs/tags/{tag}"));
        Ok(repo.resolve_commit(&name)?)
    }

    /// Later commits to the paths that are no part of what is rolled back.
    fn discarded(&self, from: CommitId, paths: &[RepoPath], targets: &[CommitId]) -> Result<Vec<CommitId>> {
        let repo = self.engine.repo;
        let mut rolled_back: BTreeSet<CommitId> = targets.iter().copied().collect();
        for target in targets {
            let commit = repo.commit_summary(*target)?;
            if let [first, others @ ..] = commit.parents.as_slice() {
                for other in others {
                    rolled_back
                        .extend(repo.resolve_commits(&[format!("{first}..{other}")]).unwrap_or_default());
                }
            }
        }
        let touching = repo.commits_touching_since(self.present_tip(), from, paths)?;
        Ok(touching.into_iter().filter(|commit| !rolled_back.contains(commit)).collect())
    }

    fn set_values(&self, candidate: &mut Candidate, progress: f64) -> Result<()> {
        let phase = self.phase.clone();
        let members = match &phase.each {
            Some(input) => self.state.inputs.list(input)?.into_iter().map(Some).collect(),
            None => vec![None],
        };
        for member in members {
            for (place, value) in phase.set.iter() {
                self.set(candidate, place, value, member.as_deref(), progress)?;
            }
        }
        Ok(())
    }

    fn set(
        &self,
        candidate: &mut Candidate,
        place: &str,
        value: &Scalar,
        each: Option<&str>,
        progress: f64,
    ) -> Result<()> {
        let place: Place = self
            .words_for(place, each)?
            .parse()
            .map_err(|error: crate::procedure::set::BadKey| EngineError::Target(error.0))?;
        let failed = |source| EngineError::Set { place: place.to_string(), source };
        let value = match value {
            Scalar::Text(text) => arithmetic(&self.words_for(text, each)?),
            other => other.clone(),
        };
        let path = repo_path(&place.file);
        let bytes = candidate.scratch.read(&path)?;
        let bytes = bytes
            .ok_or_else(|| EngineError::Target(format!("there is no file {path} to set {} in", place.key)))?;
        let present = read_value(&bytes, place.format, &place.key).ok();
        let value = between(present.as_ref(), &value, progress);
        let edited = apply_set(&bytes, place.format, &place.key, &value).map_err(failed)?;
        candidate.scratch.write(&path, &edited)?;
        candidate.within.push(path);
        Ok(())
    }

    /// Carries out the steps that edit the candidate.
    fn edit(&mut self, mut candidate: Candidate) -> Result<Result<Candidate, Pause>> {
        let steps = self.phase.edits.clone();
        for (at, id) in steps.iter().enumerate().skip(self.state.edits_done) {
            let Some(step) = self.procedure.step(id).cloned() else { continue };
            if let Some(check) = &step.unless
                && self.passes_in(check, candidate.scratch.folder())?
            {
                self.state.edits_done = at + 1;
                continue;
            }
            if let Some(manual) = &step.manual {
                self.state.edits_done = at + 1;
                let folder = candidate.scratch.keep();
                let mut pause = Pause { at: id.clone(), why: String::new(), folder: Some(folder) };
                self.state.pause = Some(pause.clone());
                pause.why = self.words(manual)?;
                return Ok(Err(pause));
            }
            self.edit_step(&mut candidate, &step)?;
            self.state.edits_done = at + 1;
        }
        Ok(Ok(candidate))
    }

    fn edit_step(&mut self, candidate: &mut Candidate, step: &Step) -> Result<()> {
        for (place, value) in step.set.iter() {
            self.set(candidate, place, value, None, 1.0)?;
        }
        let scratch = &candidate.scratch;
        for pattern in &step.remove {
            for path in scratch.matching(&self.words(pattern.as_str())?)? {
                scratch.remove(&path)?;
                candidate.within.push(path);
            }
        }
        if let Some(insert) = &step.insert {
            let path = repo_path(&insert.path);
            let lines: Result<Vec<String>> = insert.lines.iter().map(|line| self.words(line)).collect();
            let bytes = scratch.read(&path)?;
            let edited = inserted(bytes.as_deref(), &lines?, insert.after.as_ref())
                .map_err(|why| EngineError::Target(format!("{path}: {why}")))?;
            scratch.write(&path, &edited)?;
            candidate.within.push(path);
        }
        if let Some(write) = &step.write {
            let path = repo_path(&write.path);
            scratch.write(&path, self.words(&write.text)?.as_bytes())?;
            candidate.within.push(path);
        }
        if let Some(restore) = &step.restore {
            let from = self.revision(&restore.from, &candidate.targets)?;
            let paths: Vec<RepoPath> = restore.paths.iter().map(repo_path).collect();
            scratch.restore(self.engine.repo, from, &paths, restore.exact)?;
            candidate.within.extend(paths);
        }
        if !step.run.is_empty() {
            let folder = scratch.folder().to_owned();
            self.run_step_in(step, &folder)?;
        }
        Ok(())
    }

    /// Makes the plan of the edited candidate and refuses what the phase does not permit.
    fn judge_shape(&mut self, mut candidate: Candidate) -> Result<Tried> {
        self.refresh(&mut candidate)?;
        let Some(attempt) = candidate.plan.chosen_attempt() else {
            return Ok(match self.phase.ladder.is_empty() {
                true => Tried::NothingToDo("everything is as it should be".into()),
                false => Tried::Fell { reason: Reason::Empty, why: "it changes nothing".into() },
            });
        };
        let permitted = |path: &RepoPath| {
            let edited = candidate.within.iter().any(|outer| outer.contains(path));
            self.phase.paths.is_empty() || edited
        };
        if let Some(path) = attempt.paths_touched.iter().find(|path| !permitted(path)) {
            return Ok(Tried::Fell {
                reason: Reason::NotApplicable,
                why: format!("it exceeds the phase: it touches {path}"),
            });
        }
        for preserved in self.phase.preserve.iter().filter_map(|text| text.parse::<TreePath>().ok()) {
            let preserved = repo_path(&preserved);
            if let Some(path) = attempt.paths_touched.iter().find(|path| preserved.contains(path)) {
                return Err(EngineError::Preserved { path: path.to_string() });
            }
        }
        self.refuse_broken_constraints(&candidate.scratch)?;
        Ok(Tried::Candidate(Box::new(candidate)))
    }

    /// Makes the plan anew from what the folder holds.
    pub(super) fn refresh(&self, candidate: &mut Candidate) -> Result<()> {
        let everything = [RepoPath::default()];
        let by_hand = self.phase.edits.iter().filter_map(|id| self.procedure.step(id));
        let open = self.phase.paths.is_empty()
            && by_hand.into_iter().any(|step| step.manual.is_some() || !step.run.is_empty());
        let within: &[RepoPath] = if open { &everything } else { &candidate.within };
        let edits = candidate.scratch.edits(within)?;
        let message = self.commit_message(candidate)?;
        candidate.plan = self.engine.repo.plan_with_edits(
            candidate.base.clone(),
            &edits,
            message.as_deref(),
            &PlanOptions::default(),
        )?;
        Ok(())
    }

    /// Adds a file to the candidate.
    pub(super) fn add_file(&self, candidate: &mut Candidate, path: &TreePath, text: &str) -> Result<()> {
        let path = repo_path(path);
        candidate.scratch.write(&path, text.as_bytes())?;
        candidate.within.push(path);
        self.refresh(candidate)
    }

    fn refuse_broken_constraints(&self, scratch: &Scratch) -> Result<()> {
        for constraint in &self.procedure.document.constraint {
            let mut sum = 0.0;
            let mut terms = Vec::new();
            for place in &constraint.sum {
                let Ok(place) = self.words(place)?.parse::<Place>() else { continue };
                let Some(bytes) = scratch.read(&repo_path(&place.file))? else { continue };
                let value = read_value(&bytes, place.format, &place.key)
                    .map_err(|source| EngineError::Set { place: place.to_string(), source })?;
                sum += value.as_f64().unwrap_or(f64::NAN);
                terms.push(value.to_string());
            }
            let wanted = arithmetic(&self.words(&constraint.value.to_string())?);
            if !terms.is_empty() && !constraint.op.holds(sum, wanted.as_f64().unwrap_or(f64::NAN)) {
                let found = format!("{} = {sum}, and not {} {wanted}", terms.join(" + "), constraint.op);
                return Err(EngineError::Constraint { id: constraint.id.clone(), found });
            }
        }
        Ok(())
    }

    /// The commit's message with its trailers.
    fn commit_message(&self, candidate: &Candidate) -> Result<Option<String>> {
        let (document, own) = (&self.procedure.document, self.phase.commit.as_ref());
        let common = document.commit.as_ref();
        let subject =
            own.and_then(|text| text.subject.as_ref()).or(common.and_then(|text| text.subject.as_ref()));
        let body = match own {
            Some(own) if own.subject.is_some() => own.body.as_ref(),
            _ => own.and_then(|text| text.body.as_ref()).or(common.and_then(|text| text.body.as_ref())),
        };
        let planned = candidate.base.as_ref().and_then(|plan| plan.message.clone());
        let mut text = match (subject, planned) {
            (Some(subject), _) => {
                let body = body.map(|body| self.words(body)).transpose()?.unwrap_or_default();
                format!("{}\n\n{}", self.words(subject)?, body.trim())
            }
            (None, Some(planned)) => planned,
            (None, None) => format!("Rollback: {}", self.words("{phase.title}")?),
        };
        text = text.trim_end().to_owned();
        text.push_str("\n\n");
        for trailers in common.into_iter().chain(own).map(|text| &text.trailers) {
            for (key, value) in trailers.iter() {
                text.push_str(&format!("{key}: {}\n", self.words(value)?.replace('\n', " ")));
            }
        }
        for target in &candidate.targets {
            text.push_str(&format!("Rollback-Of: {target}\n"));
        }
        let variant = self.state.variant.as_ref().map_or(String::new(), |variant| format!(" ({variant})"));
        text.push_str(&format!("Rollback-Procedure: {}/{}{variant}\n", self.procedure.id, self.state.phase));
        text.push_str(&format!("Rollback-Run: {}\n", self.state.id));
        Ok(Some(text))
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
        AttemptResult::AlreadyRolledBack => Base::Other(Tried::NothingToDo(why)),
        AttemptResult::Conflicted => fell(Reason::Conflict, why),
        AttemptResult::Empty => fell(Reason::Empty, "it changes nothing"),
        AttemptResult::NeedsReview => fell(Reason::NeedsReview, why),
        _ => fell(Reason::NotApplicable, why),
    }
}

/// A difference of two numbers, such as `100 - 5`, or the value as it stands.
fn arithmetic(text: &str) -> Scalar {
    let number = |text: &str| text.trim().trim_end_matches('%').parse::<f64>().ok();
    if let Some((left, right)) = text.split_once(" - ")
        && let (Some(left), Some(right)) = (number(left), number(right))
    {
        return whole(left - right);
    }
    Scalar::from_text(text)
}

fn whole(number: f64) -> Scalar {
    if number.fract() == 0.0 && number.abs() < 1e15 {
        Scalar::Integer(number as i64)
    } else {
        Scalar::Float(number)
    }
}

/// The value part of the way: rounded away from the present one when it grows and towards the goal when it shrinks,
/// so that parts of a whole still add up to it.
fn between(present: Option<&Scalar>, goal: &Scalar, progress: f64) -> Scalar {
    let (Some(Scalar::Integer(present)), Scalar::Integer(goal)) = (present, goal) else {
        return goal.clone();
    };
    if progress >= 1.0 {
        return Scalar::Integer(*goal);
    }
    let exact = *present as f64 + (*goal - *present) as f64 * progress;
    Scalar::Integer(if goal < present { exact.floor() } else { exact.ceil() } as i64)
}

/// The text with lines added after the only line that matches, or at its end; as it is where they are there already.
fn inserted(
    bytes: Option<&[u8]>,
    lines: &[String],
    after: Option<&crate::procedure::format::Pattern>,
) -> Result<Vec<u8>, String> {
    let text = match bytes {
        Some(bytes) => std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?,
        None if after.is_none() => "",
        None => return Err("there is no such file".to_owned()),
    };
    let present: Vec<&str> = text.lines().collect();
    if !lines.is_empty() && present.windows(lines.len()).any(|window| window == lines) {
        return Ok(text.as_bytes().to_vec());
    }
    let at = match after {
        None => present.len(),
        Some(pattern) => {
            let matching: Vec<usize> =
                (0..present.len()).filter(|at| pattern.regex().is_match(present[*at].as_bytes())).collect();
            match matching.as_slice() {
                [one] => one + 1,
                found => return Err(format!("{} lines match {pattern} instead of one", found.len())),
            }
        }
    };
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let mut all: Vec<&str> = present[..at].to_vec();
    all.extend(lines.iter().map(String::as_str));
    all.extend(&present[at..]);
    Ok((all.join(end) + end).into_bytes())
}
