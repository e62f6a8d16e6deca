//! From a rung to a candidate: what would be committed, in a scratch work tree where it can be edited and checked.

use super::base::Base;
use super::event::Event;
use super::ports::{CandidateFiles, Content};
use super::state::{KeptCandidate, Pause};
use super::values::inserted;
use super::{EngineError, Result, Run};
use crate::id::CommitId;
use crate::path::RepoPath;
use crate::plan::{LossClass, Plan, PlanOptions};
use crate::procedure::check::{Outcome, Verdict};
use crate::procedure::format::{Action, Insert, Reason, Rung, Step, TreePath};
use crate::strategy::Strategy;

/// What could be committed, and what is known of it.
pub(super) struct Candidate {
    pub(super) plan: Plan,
    pub(super) scratch: Box<dyn CandidateFiles>,
    /// What is rolled back.
    pub(super) targets: Vec<CommitId>,
    /// Where restored content comes from.
    pub(super) source: Option<CommitId>,
    /// Later commits whose edits it discards.
    pub(super) discards: Vec<CommitId>,
    /// The paths that edits may touch.
    pub(super) within: Vec<RepoPath>,
    base: Option<Plan>,
}

impl Candidate {
    /// What is lost by it.
    pub(super) fn loss(&self) -> LossClass {
        match self.base.as_ref().and_then(Plan::chosen_attempt) {
            Some(attempt) => attempt.loss.class,
            None if self.discards.is_empty() => LossClass::Exact,
            None => LossClass::Snapshot,
        }
    }
}

/// What came of trying a rung.
pub(super) enum Tried {
    Candidate(Box<Candidate>),
    Fell { reason: Reason, why: String },
    Stopped(Stop),
}

/// Why a rung has no candidate although it did not fall.
pub(super) enum Stop {
    NothingToDo(String),
    Paused(Pause),
    /// This outside program does it.
    Command(Vec<String>),
}

/// A candidate before its edits, and whether it is a fresh one; or why there is none.
type Built = Result<(Candidate, bool), Tried>;

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
        let (candidate, fresh) = match self.build_candidate(rung, progress)? {
            Ok(begun) => begun,
            Err(tried) => return Ok(tried),
        };
        let tried = match self.edit(candidate)? {
            Ok(candidate) => self.judge_shape(candidate)?,
            Err(tried) => return Ok(tried),
        };
        if let (Tried::Candidate(candidate), false) = (&tried, fresh) {
            let diff = self.redactor.redact_str(&self.engine.repo.plan_diff(&candidate.plan)?);
            self.keep("candidate.diff", diff.as_bytes())?;
            self.observer.event(&Event::Edited { diff: &diff });
        }
        Ok(tried)
    }

    /// Makes the candidate of a rung, or of the edits alone, or takes up the one that was kept.
    pub(super) fn build_candidate(&mut self, rung: Option<&Rung>, progress: f64) -> Result<Built> {
        let base = rung.map(|rung| self.base(rung)).transpose()?.unwrap_or(Base::Tip);
        let (plan, targets, restored) = match base {
            Base::Plan { plan, targets } => (Some(*plan), targets, None),
            Base::Restore { from, paths, exact, targets } => (None, targets, Some((from, paths, exact))),
            Base::Tip => (None, Vec::new(), None),
            Base::Other(tried) => return Ok(Err(tried)),
        };
        let there = self.engine.repo.placed(&self.state.id).is_some();
        // One that a crash took away with its folder is made and edited anew.
        self.state.candidate.take_if(|_| !there);
        let kept = self.state.candidate.clone();
        let fresh = kept.is_none();
        if fresh {
            self.state.edits_done = 0;
        }
        // A plan that may land has something to do; of anything else that is known once its edits are made.
        let attempt = plan.as_ref().and_then(Plan::chosen_attempt);
        let may_land =
            attempt.is_some_and(|attempt| attempt.loss.discards.is_empty() || self.request.allow_loss);
        if fresh && may_land && self.record.exists() {
            self.control_in_place()?;
        }
        let scratch = self.scratch(plan.as_ref(), fresh)?;
        let mut candidate = self.new_candidate(plan, scratch)?;
        candidate.targets = targets;
        candidate.within.extend(self.phase.paths.iter().map(repo_path));
        candidate.within.extend(kept.into_iter().flat_map(|kept| kept.within));
        self.state.targets.clone_from(&candidate.targets);
        if let Some((from, paths, exact)) = restored {
            candidate.source = Some(from);
            candidate.discards = self.discarded(from, &paths, &candidate.targets)?;
            if fresh {
                candidate.scratch.restore(from, &paths, exact)?;
            }
            candidate.within.extend(paths);
        }
        self.state.source = candidate.source;
        self.link(&*candidate.scratch)?;
        if fresh {
            self.set_values(&mut candidate, progress)?;
        }
        Ok(Ok((candidate, fresh)))
    }

    /// The folder of a candidate: the one that was kept, or a fresh one.
    fn scratch(&self, plan: Option<&Plan>, fresh: bool) -> Result<Box<dyn CandidateFiles>> {
        let (repo, tip) = (self.engine.repo, self.present_tip());
        Ok(match plan {
            _ if !fresh => repo.reopen_files(&self.state.id, plan, tip)?,
            _ if self.record.exists() => repo.place_files(&self.state.id, plan, tip)?,
            // What is only looked at ahead has no place of its own.
            Some(plan) => repo.files_of(Content::Plan(plan))?,
            None => repo.files_of(Content::Commit(tip))?,
        })
    }

    fn new_candidate(&self, base: Option<Plan>, scratch: Box<dyn CandidateFiles>) -> Result<Candidate> {
        let (mut source, mut discards) = (None, Vec::new());
        if let Some(attempt) = base.as_ref().and_then(Plan::chosen_attempt) {
            source = attempt.from;
            if attempt.loss.class == LossClass::Snapshot {
                discards.clone_from(&attempt.loss.discards);
            }
        }
        let options = PlanOptions::default();
        let plan = self.engine.repo.plan_with_edits(base.clone(), &[], Some("candidate"), &options)?;
        Ok(Candidate { plan, scratch, targets: Vec::new(), source, discards, within: Vec::new(), base })
    }

    /// The tip in a scratch work tree.
    pub(super) fn empty_candidate(&self) -> Result<Candidate> {
        self.new_candidate(None, self.engine.repo.files_of(Content::Commit(self.present_tip()))?)
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

    pub(super) fn link(&self, scratch: &dyn CandidateFiles) -> Result<()> {
        let Some(work_dir) = self.engine.repo.work_dir() else { return Ok(()) };
        for path in self.procedure.document.link.iter().chain(&self.phase.link) {
            scratch.link(work_dir, &repo_path(path))?;
        }
        Ok(())
    }

    /// Carries out the steps that edit the candidate.
    fn edit(&mut self, mut candidate: Candidate) -> Result<Result<Candidate, Tried>> {
        let steps = self.phase.edits.clone();
        for (at, id) in steps.iter().enumerate().skip(self.state.edits_done) {
            let Some(step) = self.procedure.step(id) else { continue };
            if let Some(check) = &step.unless
                && self.passes_in(check, candidate.scratch.folder())?
            {
                self.state.edits_done = at + 1;
                continue;
            }
            if let Ok(Action::Manual(what)) = step.action() {
                self.state.edits_done = at + 1;
                let folder = candidate.scratch.folder().to_owned();
                self.state.candidate = Some(KeptCandidate { within: candidate.within });
                let mut pause = Pause { folder: Some(folder), ..Pause::new(id, "") };
                self.state.pause = Some(pause.clone());
                pause.why = self.words(what)?;
                return Ok(Err(Tried::Stopped(Stop::Paused(pause))));
            }
            if let Some(failed) = self.edit_step(&mut candidate, step)? {
                let why = format!("step '{id}' that edits it: {failed}");
                return Ok(Err(Tried::Fell { reason: Reason::ValidationFailed, why }));
            }
            self.state.edits_done = at + 1;
        }
        Ok(Ok(candidate))
    }

    pub(super) fn edit_step(&mut self, candidate: &mut Candidate, step: &Step) -> Result<Option<Verdict>> {
        match step.action() {
            Ok(Action::Set(values)) => {
                for (place, value) in values.iter() {
                    self.set(candidate, place, value, None, 1.0)?;
                }
            }
            Ok(Action::Remove(patterns)) => {
                for pattern in patterns {
                    for path in candidate.scratch.matching(&self.words(pattern.as_str())?)? {
                        candidate.scratch.remove(&path)?;
                        candidate.within.push(path);
                    }
                }
            }
            Ok(Action::Insert(insert)) => self.insert(candidate, insert)?,
            Ok(Action::Write(write)) => {
                let path = repo_path(&write.path);
                candidate.scratch.write(&path, self.words_for_tree(&write.text, None)?.as_bytes())?;
                candidate.within.push(path);
            }
            Ok(Action::Restore(restore)) => {
                let from = self.revision(&restore.from, &candidate.targets)?;
                let paths: Vec<RepoPath> = restore.paths.iter().map(repo_path).collect();
                candidate.scratch.restore(from, &paths, restore.exact)?;
                candidate.within.extend(paths);
            }
            Ok(Action::Run(_)) => {
                let folder = candidate.scratch.folder().to_owned();
                let verdict = self.run_step_in(step, &folder)?;
                return Ok((verdict.outcome != Outcome::Pass).then_some(verdict));
            }
            // The format has no other step that edits; what a person does is taken up elsewhere.
            Ok(_) | Err(_) => {}
        }
        Ok(None)
    }

    fn insert(&self, candidate: &mut Candidate, insert: &Insert) -> Result<()> {
        let path = repo_path(&insert.path);
        let lines = insert.lines.iter().map(|line| self.words_for_tree(line, None));
        let lines = lines.collect::<Result<Vec<_>>>()?;
        let edited = inserted(candidate.scratch.read(&path)?.as_deref(), &lines, insert.after.as_ref());
        let edited = edited.map_err(|why| EngineError::Target(format!("{path}: {why}")))?;
        candidate.scratch.write(&path, &edited)?;
        candidate.within.push(path);
        Ok(())
    }

    /// Makes the plan of the edited candidate and refuses what the phase does not permit.
    pub(super) fn judge_shape(&mut self, mut candidate: Candidate) -> Result<Tried> {
        self.refresh(&mut candidate)?;
        let Some(attempt) = candidate.plan.chosen_attempt() else {
            return Ok(match self.phase.ladder.is_empty() {
                true => Tried::Stopped(Stop::NothingToDo("everything is as it should be".into())),
                false => Tried::Fell { reason: Reason::Empty, why: "it changes nothing".into() },
            });
        };
        let whole = self.takes_merges_whole() && attempt.strategy == Strategy::RevertMerge;
        let permitted = |path: &RepoPath| {
            let edited = candidate.within.iter().any(|outer| outer.contains(path));
            self.phase.paths.is_empty() || edited || whole
        };
        if let Some(path) = attempt.paths_touched.iter().find(|path| !permitted(path)) {
            let why = format!("it exceeds the phase: it touches {path}");
            return Ok(Tried::Fell { reason: Reason::NotApplicable, why });
        }
        for preserved in self.phase.preserve.iter().filter_map(|text| text.parse::<TreePath>().ok()) {
            let preserved = repo_path(&preserved);
            if let Some(path) = attempt.paths_touched.iter().find(|path| preserved.contains(path)) {
                return Err(EngineError::Preserved(path.to_string()));
            }
        }
        self.refuse_broken_constraints(&*candidate.scratch)?;
        Ok(Tried::Candidate(Box::new(candidate)))
    }

    /// Makes the plan anew from what the folder holds.
    pub(super) fn refresh(&self, candidate: &mut Candidate) -> Result<()> {
        let everything = [RepoPath::default()];
        let mut edits = self.phase.edits.iter().filter_map(|id| self.procedure.step(id));
        let by_hand = |step: &Step| matches!(step.action(), Ok(Action::Manual(_) | Action::Run(_)));
        let open = self.phase.paths.is_empty() && edits.any(by_hand);
        let within: &[RepoPath] = if open { &everything } else { &candidate.within };
        let (edits, message) = (candidate.scratch.edits(within)?, self.commit_message(candidate)?);
        let (base, options) = (candidate.base.clone(), PlanOptions::default());
        candidate.plan = self.engine.repo.plan_with_edits(base, &edits, Some(&message), &options)?;
        Ok(())
    }

    /// Adds a file to the candidate.
    pub(super) fn add_file(&self, candidate: &mut Candidate, path: &TreePath, text: &str) -> Result<()> {
        let path = repo_path(path);
        candidate.scratch.write(&path, text.as_bytes())?;
        candidate.within.push(path);
        self.refresh(candidate)
    }

    /// The commit's message with its trailers.
    fn commit_message(&self, candidate: &Candidate) -> Result<String> {
        let (document, own) = (&self.procedure.document, self.phase.commit.as_ref());
        // A procedure's text speaks of its rollback, and would be false of anything else.
        let common = document.commit.as_ref().filter(|_| self.state.purpose.is_rollback());
        let texts = || own.into_iter().chain(common);
        let subject = texts().find_map(|text| text.subject.as_ref());
        let body = match own {
            Some(own) if own.subject.is_some() => own.body.as_ref(),
            _ => texts().find_map(|text| text.body.as_ref()),
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
        Ok(text)
    }
}
