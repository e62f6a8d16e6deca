//! The repository of the simulated world: commits as trees of a few files, records in memory.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::world::{Kind, MAIN, NOWHERE, Process, State, Tree, place_of};
use crate::checkpoint::{Checkpoint, CheckpointOptions, Verified};
use crate::error::{Error, LandingError, OperationError, Result, RevisionError};
use crate::history::{HistoryOptions, PathHistory, Return};
use crate::id::{CommitId, EntryMode, TreeId};
use crate::oplog::{Operation, OperationRef, UndoOptions, Undone};
use crate::path::RepoPath;
use crate::plan::{
    Attempt, AttemptResult, BranchMerge, Plan, PlanOptions, PlannedMerge, Repository, Request,
    ResolvedTarget, SCHEMA_VERSION, Step, Tip, TreeEdit,
};
use crate::procedure::engine::ports::{
    CandidateFiles, Candidates, Content, Held, History, Landings, Leases, RunRecords,
};
use crate::procedure::engine::{RunState, UnitKind, UnitState};
use crate::process::Holder;
use crate::receipt::{ApplyOptions, Destination, Outcome, OutcomeKind, Receipt};
use crate::record::Revision;
use crate::repo::identity::Role;
use crate::repo::{CommitSummary, Signature};
use crate::strategy::Strategy;
use crate::target::{CommitsTarget, RestoreTarget, Target};

const NOT_GENERATED: &str = "no generated procedure asks for this";

fn full(branch: &str) -> String {
    format!("refs/heads/{branch}")
}

impl RunRecords for Process {
    fn run(&self, id: &str) -> Result<Option<(RunState, Revision)>> {
        let found = self.call(Kind::Read, "reads a record", |state| {
            let found = state.records.iter().find(|record| record.run.id == id);
            Ok(found.map(|record| (record.run.clone(), record.revision)))
        })?;
        Ok(found.map(|(run, revision)| (run.located(self), revision)))
    }

    fn runs(&self) -> Result<Vec<RunState>> {
        self.call(Kind::Read, "reads the records", |state| {
            Ok(state.records.iter().map(|record| record.run.clone()).collect())
        })
    }

    fn run_plan(&self, id: &str) -> Result<Option<Vec<u8>>> {
        self.call(Kind::Read, "reads a record", |state| {
            Ok(state.records.get(state.at(id)).and_then(|record| record.plan.clone()))
        })
    }

    fn write_run(
        &self,
        run: &RunState,
        after: Option<Revision>,
        plan: Option<&[u8]>,
        what: &str,
    ) -> Result<Revision> {
        self.call(Kind::Guarded, &format!("records '{what}'"), |state| {
            let found = state.records.get(state.at(&run.id)).map(|record| record.revision);
            if found != after {
                return Err(Error::Locked { path: NOWHERE.into(), age: None });
            }
            let revision = Revision(after.map_or(1, |Revision(last)| last + 1));
            state.write(super::world::Record {
                run: run.unlocated(),
                revision,
                plan: plan.map(<[u8]>::to_vec),
            });
            Ok(revision)
        })
    }

    fn keep_run_file(&self, id: &str, name: &str, bytes: &[u8]) -> Result<()> {
        self.call(Kind::Write, &format!("keeps {name}"), |state| {
            let at = state.at(id);
            state.kept.insert((at, name.to_owned()), bytes.to_owned());
            if let Some(message) = name.strip_prefix("message/").and_then(|name| name.strip_suffix(".txt")) {
                state.told.insert((id.to_owned(), message.to_owned()));
            }
            Ok(())
        })
    }

    fn run_folder(&self, id: &str) -> PathBuf {
        Path::new(NOWHERE).join(id)
    }
}

impl Leases for Process {
    fn take_lease(&self, _: &Holder) -> Result<std::result::Result<Box<dyn Held>, Option<Holder>>> {
        self.lease()
    }
}

fn resolved(state: &State, spec: &str) -> Result<CommitId> {
    let unknown = || Error::from(RevisionError::Unknown { spec: spec.to_owned(), source: None });
    if let Some(id) = state.branches.get(spec).or_else(|| state.branches.get(&full(spec))) {
        return Ok(*id);
    }
    let id: CommitId = spec.parse().map_err(|_| unknown())?;
    state.commit(id).map(|commit| commit.id)
}

impl History for Process {
    fn work_dir(&self) -> Option<&Path> {
        Some(Path::new(NOWHERE))
    }

    fn git_dir(&self) -> &Path {
        Path::new(NOWHERE)
    }

    fn has_remote(&self, name: &str) -> bool {
        name == "origin"
    }

    fn identity(&self, _: Role) -> Result<Signature> {
        unreachable!("{NOT_GENERATED}")
    }

    fn resolve_commit(&self, spec: &str) -> Result<CommitId> {
        self.call(Kind::Read, "resolves", |state| resolved(state, spec))
    }

    fn resolve_commits(&self, specs: &[String]) -> Result<Vec<CommitId>> {
        self.call(Kind::Read, "resolves", |state| {
            let mut found = BTreeSet::new();
            for spec in specs {
                match spec.split_once("..") {
                    Some((from, to)) => {
                        let known = state.reach(&[resolved(state, from)?]);
                        found.extend(state.reach(&[resolved(state, to)?]).difference(&known));
                    }
                    None => {
                        found.insert(resolved(state, spec)?);
                    }
                }
            }
            Ok(found.into_iter().collect())
        })
    }

    fn abbreviation(&self, id: CommitId) -> String {
        id.to_hex_with_len(8)
    }

    fn commit_summary(&self, id: CommitId) -> Result<CommitSummary> {
        self.call(Kind::Read, "reads a commit", |state| {
            let commit = state.commit(id)?;
            Ok(CommitSummary {
                id,
                abbreviation: id.to_hex_with_len(8),
                subject: commit.message.lines().next().unwrap_or_default().to_owned(),
                author: "Ada".into(),
                time: 0,
                parents: commit.parents.clone(),
            })
        })
    }

    fn commit_message(&self, id: CommitId) -> Result<String> {
        self.call(Kind::Read, "reads a commit", |state| Ok(state.commit(id)?.message.clone()))
    }

    fn tree_of_commit(&self, id: CommitId) -> Result<TreeId> {
        self.call(Kind::Read, "reads a commit", |state| {
            let tree = state.commit(id)?.tree.clone();
            Ok(state.tree_id(&tree))
        })
    }

    fn commits_beyond(&self, tips: &[CommitId], known: &[CommitId]) -> Result<Vec<CommitId>> {
        self.call(Kind::Read, "walks", |state| {
            let known = state.reach(known);
            let mut beyond: Vec<_> = state.reach(tips).difference(&known).copied().collect();
            beyond.reverse();
            Ok(beyond)
        })
    }

    fn commits_touching_since(
        &self,
        tip: CommitId,
        since: CommitId,
        paths: &[RepoPath],
    ) -> Result<Vec<CommitId>> {
        self.call(Kind::Read, "walks", |state| {
            let known = state.reach(&[since]);
            let touches = |id: &CommitId| {
                let Ok(commit) = state.commit(*id) else { return false };
                let parent = commit.parents.first().and_then(|parent| state.commit(*parent).ok());
                paths
                    .iter()
                    .any(|path| parent.is_none_or(|parent| parent.tree.get(path) != commit.tree.get(path)))
            };
            Ok(state.reach(&[tip]).difference(&known).copied().filter(touches).collect())
        })
    }

    fn has_path(&self, _: CommitId, _: &RepoPath) -> Result<bool> {
        unreachable!("{NOT_GENERATED}")
    }

    fn return_of(&self, _: CommitId, _: &RepoPath) -> Result<Return> {
        unreachable!("{NOT_GENERATED}")
    }

    fn history(&self, _: &RepoPath, _: &HistoryOptions) -> Result<PathHistory> {
        unreachable!("{NOT_GENERATED}")
    }
}

/// The tip that a plan starts from.
fn tip_of(state: &State, options: &PlanOptions) -> Result<Tip> {
    let reference = options.onto.clone().unwrap_or_else(|| MAIN.to_owned());
    Ok(Tip { commit_id: resolved(state, &reference)?, reference, index_tree_id: None })
}

fn empty_plan(state: &State, target: &Target, options: &PlanOptions) -> Result<Plan> {
    Ok(Plan {
        schema_version: SCHEMA_VERSION,
        request: Request { target: target.clone(), options: options.clone() },
        repository: Repository { git_dir: NOWHERE.into(), work_dir: None, object_format: "sha1".into() },
        target: ResolvedTarget::default(),
        tip: tip_of(state, options)?,
        attempts: Vec::new(),
        chosen: None,
        message: None,
        notes: Vec::new(),
        checks: Vec::new(),
        cross_check: None,
        diff: None,
        prepared: Default::default(),
    })
}

/// Lets the plan come to a tree.
fn come_to(state: &mut State, plan: &mut Plan, strategy: Strategy, tree: &Tree, message: &str) -> Result<()> {
    let before = state.commit(plan.tip.commit_id)?.tree.clone();
    let touched: BTreeSet<_> = before.keys().chain(tree.keys()).collect();
    let touched: Vec<_> =
        touched.into_iter().filter(|path| before.get(*path) != tree.get(*path)).cloned().collect();
    let id = state.tree_id(tree);
    let mut attempt = plan.attempts.pop().unwrap_or_else(|| Attempt::new(strategy));
    attempt.result = if touched.is_empty() { AttemptResult::Empty } else { AttemptResult::Clean };
    attempt.tree_id = Some(id);
    attempt.paths_touched = touched;
    attempt.steps = vec![Step::new(plan.tip.commit_id, id, Vec::new())];
    plan.chosen = attempt.is_clean().then_some(0);
    plan.attempts.push(attempt);
    plan.message = Some(message.to_owned());
    Ok(())
}

/// The tree that a plan comes to; that of its tip where nothing of it is chosen.
fn tree_of_plan(state: &State, plan: &Plan) -> Result<Tree> {
    let chosen = plan.chosen_attempt().and_then(|attempt| attempt.tree_id).and_then(|id| state.tree(id));
    match chosen {
        Some(tree) => Ok(tree.clone()),
        None => Ok(state.commit(plan.tip.commit_id)?.tree.clone()),
    }
}

/// The tree without what a commit did; `None` where that conflicts.
fn without(state: &State, tip: CommitId, undone: CommitId) -> Result<Option<Tree>> {
    let (tip, commit) = (state.commit(tip)?, state.commit(undone)?);
    let parent = state.commit(commit.parents[0])?;
    let mut tree = tip.tree.clone();
    for path in commit.tree.keys().chain(parent.tree.keys()) {
        let (before, after, now) = (parent.tree.get(path), commit.tree.get(path), tip.tree.get(path));
        if before == after || now == before {
            continue;
        }
        if now != after {
            return Ok(None);
        }
        match before {
            Some(bytes) => tree.insert(path.clone(), bytes.clone()),
            None => tree.remove(path),
        };
    }
    Ok(Some(tree))
}

/// The run that a message names.
fn run_of(message: &str) -> Option<&str> {
    message.lines().find_map(|line| line.strip_prefix("Rollback-Run: "))
}

/// A landing of a run is in its record before it happens.
fn judge_landing(state: &mut State, message: &str, tree: &Tree) {
    let Some(id) = run_of(message).map(ToOwned::to_owned) else {
        return state.violation("a commit of no run landed");
    };
    let landing = |unit: &crate::procedure::engine::Unit| {
        unit.state == UnitState::Started && matches!(unit.kind, UnitKind::Rollback | UnitKind::Publish)
    };
    let recorded = state.run(&id).is_some_and(|run| run.units.iter().any(landing));
    let merges = message.starts_with("Merge branch");
    let has_plan = state.records.get(state.at(&id)).is_some_and(|record| record.plan.is_some());
    if !recorded || !merges && !has_plan {
        state.violation(format!("run {id} lands without a record of it"));
    }
    let twin = state.commits.iter().find(|commit| {
        run_of(&commit.message) == Some(&id) && commit.message == message && commit.tree == *tree
    });
    let reached = state.reach(&state.branches.values().copied().collect::<Vec<_>>());
    if twin.is_some_and(|twin| reached.contains(&twin.id)) {
        state.violation(format!("run {id} lands again what it landed"));
    }
}

impl Landings for Process {
    fn plan_tip(&self, options: &PlanOptions) -> Result<Tip> {
        self.call(Kind::Read, "reads the tip", |state| tip_of(state, options))
    }

    fn plan(&self, target: &Target, options: &PlanOptions) -> Result<Plan> {
        self.call(Kind::Read, "plans", |state| {
            let mut plan = empty_plan(state, target, options)?;
            let Target::Commits(CommitsTarget { revisions, .. }) = target else {
                let Target::Restore(RestoreTarget { source, paths, .. }) = target else {
                    unreachable!("{NOT_GENERATED}")
                };
                let from = resolved(state, source.as_deref().unwrap_or_default())?;
                let (from, mut tree) = (state.commit(from)?.tree.clone(), tree_of_plan(state, &plan)?);
                for path in paths {
                    from.get(path).map(|bytes| tree.insert(path.clone(), bytes.clone()));
                }
                come_to(state, &mut plan, Strategy::Set, &tree, "restore")?;
                return Ok(plan);
            };
            let strategy = options.via.unwrap_or(Strategy::RevertCommit);
            let commit = resolved(state, &revisions[0])?;
            match without(state, plan.tip.commit_id, commit)? {
                Some(tree) => come_to(state, &mut plan, strategy, &tree, "revert")?,
                None => {
                    let mut attempt = Attempt::not_applicable(strategy, "it conflicts");
                    attempt.result = AttemptResult::Conflicted;
                    plan.attempts.push(attempt);
                }
            }
            Ok(plan)
        })
    }

    fn plan_with_edits(
        &self,
        base: Option<Plan>,
        edits: &[TreeEdit],
        message: Option<&str>,
        options: &PlanOptions,
    ) -> Result<Plan> {
        self.call(Kind::Read, "plans edits", |state| {
            let target = Target::Restore(RestoreTarget { paths: Vec::new(), source: None, overlay: true });
            let mut plan = match base {
                Some(plan) => plan,
                None => empty_plan(state, &target, options)?,
            };
            let mut tree = tree_of_plan(state, &plan)?;
            for edit in edits {
                match &edit.content {
                    Some((_, bytes)) => tree.insert(edit.path.clone(), bytes.clone()),
                    None => tree.remove(&edit.path),
                };
            }
            let message = message.map(ToOwned::to_owned).or(plan.message.clone()).unwrap_or_default();
            come_to(state, &mut plan, Strategy::Set, &tree, &message)?;
            Ok(plan)
        })
    }

    fn plan_merge(&self, merge: &BranchMerge) -> Result<PlannedMerge> {
        self.call(Kind::Read, "plans a merge", |state| {
            let (into, branch) = (resolved(state, &merge.into)?, resolved(state, &merge.branch)?);
            if state.reach(&[into]).contains(&branch) {
                return Ok(PlannedMerge::AlreadyMerged);
            }
            let target = Target::Restore(RestoreTarget { paths: Vec::new(), source: None, overlay: true });
            let options = PlanOptions { onto: Some(full(&merge.into)), ..PlanOptions::default() };
            let mut plan = empty_plan(state, &target, &options)?;
            let mut tree = state.commit(into)?.tree.clone();
            tree.extend(state.commit(branch)?.tree.clone());
            come_to(state, &mut plan, Strategy::Set, &tree, &merge.message)?;
            Ok(match plan.chosen {
                Some(_) => PlannedMerge::Clean(Box::new(plan)),
                None => PlannedMerge::Conflicts(Vec::new()),
            })
        })
    }

    fn plan_diff(&self, _: &Plan) -> Result<String> {
        Ok("a diff".into())
    }

    fn preflight(&self, planning: &PlanOptions, landing: &ApplyOptions) -> Result<()> {
        self.call(Kind::Read, "looks ahead", |state| {
            let Destination::Branch(branch) = &landing.destination else { return Ok(()) };
            let (tip, branch) = (tip_of(state, planning)?.commit_id, full(branch));
            match state.branches.get(&branch).copied().filter(|at| *at != tip) {
                Some(found) => Err(LandingError::BranchExists { branch, found }.into()),
                None => Ok(()),
            }
        })
    }

    fn check(&self, _: &Plan, _: &ApplyOptions) -> Result<OutcomeKind> {
        Ok(OutcomeKind::Committed)
    }

    fn apply(&self, plan: Plan, options: &ApplyOptions) -> Result<Receipt> {
        self.call(Kind::Guarded, "lands", |state| {
            let tree = tree_of_plan(state, &plan)?;
            let tip = tip_of(state, &plan.request.options)?;
            if tip.commit_id != plan.tip.commit_id {
                return Err(LandingError::Moved {
                    reference: tip.reference,
                    expected: plan.tip.commit_id,
                    found: tip.commit_id,
                }
                .into());
            }
            let reference = match &options.destination {
                Destination::Branch(branch) => full(branch),
                _ => tip.reference.clone(),
            };
            if let Some(found) = state.branches.get(&reference).copied().filter(|at| *at != tip.commit_id) {
                return Err(LandingError::BranchExists { branch: reference, found }.into());
            }
            if plan.chosen.is_none() {
                return Ok(Receipt { plan, outcome: Outcome::of(OutcomeKind::NothingToDo) });
            }
            let message = plan.message.clone().unwrap_or_default();
            judge_landing(state, &message, &tree);
            let mut parents = vec![tip.commit_id];
            if message.starts_with("Merge branch") {
                let merged = message.split('\'').nth(1).map(|branch| resolved(state, branch));
                parents.extend(merged.transpose()?);
            }
            let commit = state.add_commit(parents, tree, &message);
            let operation = state.land(&reference, Some(commit));
            let mut outcome = Outcome::of(OutcomeKind::Committed);
            outcome.commit_ids = vec![commit];
            outcome.operation_id = Some(operation);
            outcome.reference = Some(reference);
            if state.dice().chance(3) {
                outcome.later_failure = Some("a hook failed after it".into());
            }
            Ok(Receipt { plan, outcome })
        })
    }

    fn undo(&self, which: &OperationRef, _: &UndoOptions) -> Result<Undone> {
        self.call(Kind::Guarded, "takes a landing back", |state| {
            let OperationRef::Id(id) = which else { unreachable!("{NOT_GENERATED}") };
            let at = state.operations.iter().position(|landed| landed.id == *id);
            let at = at.ok_or_else(|| OperationError::Unknown { spec: id.clone() })?;
            let landed = &state.operations[at];
            if let Some(by) = landed.undone_by.clone() {
                return Err(OperationError::AlreadyUndone { operation: id.clone(), by }.into());
            }
            let (reference, before, after) = (landed.reference.clone(), landed.before, landed.after);
            let found = state.branches.get(&reference).copied();
            if found != after {
                return Err(OperationError::LaterCommits {
                    operation: id.clone(),
                    reference,
                    found: found.or(after).expect("it landed something"),
                    commits: Vec::new(),
                }
                .into());
            }
            let published: Vec<_> = state.remote.values().copied().collect();
            if after.is_some_and(|after| state.reach(&published).contains(&after)) {
                return Err(OperationError::Published {
                    operation: id.clone(),
                    reference,
                    commits: after.into_iter().collect(),
                }
                .into());
            }
            let by = state.land(&reference, before);
            state.operations[at].undone_by = Some(by.clone());
            Ok(Undone {
                operation_id: by,
                undoes: id.clone(),
                kind: "set".into(),
                reference: RepoPath::from(reference.as_str()),
                before: after,
                after: before,
                staged: false,
                paths: Vec::new(),
                outside: Vec::new(),
                recovered: None,
                later_failure: None,
                diff: None,
                published: None,
            })
        })
    }

    fn operations(&self) -> Result<Vec<Operation>> {
        self.call(Kind::Read, "reads the operations", |state| {
            let rows = state.operations.iter().rev().map(|landed| Operation {
                operation_id: landed.id.clone(),
                time: 0,
                kind: "set".into(),
                target: String::new(),
                reference: RepoPath::from(landed.reference.as_str()),
                before: landed.before,
                after: landed.after,
                commit_ids: landed.after.into_iter().collect(),
                staged: false,
                paths: Vec::new(),
                outside: Vec::new(),
                undoes: None,
                undone_by: landed.undone_by.clone(),
                stopped: false,
                published: None,
            });
            Ok(rows.collect())
        })
    }

    fn start_branch(&self, branch: &str, commit: CommitId) -> Result<()> {
        self.call(Kind::Guarded, "starts a branch", |state| {
            state.branches.entry(full(branch)).or_insert(commit);
            Ok(())
        })
    }

    fn checkpoint(&self, _: &str, _: &str) -> Result<Option<Checkpoint>> {
        unreachable!("{NOT_GENERATED}")
    }

    fn create_checkpoint(&self, _: &str, _: &str, _: &CheckpointOptions) -> Result<Checkpoint> {
        unreachable!("{NOT_GENERATED}")
    }

    fn verify_checkpoint(&self, _: &Checkpoint, _: bool) -> Result<Verified> {
        unreachable!("{NOT_GENERATED}")
    }
}

/// The files of a candidate, which lie in the world.
struct FolderFiles {
    world: std::sync::Arc<super::world::World>,
    folder: PathBuf,
    base: RefCell<Tree>,
}

impl FolderFiles {
    fn with<T>(&self, work: impl FnOnce(&mut Tree) -> T) -> T {
        work(self.world.state().folders.entry(self.folder.clone()).or_default())
    }
}

impl CandidateFiles for FolderFiles {
    fn folder(&self) -> &Path {
        &self.folder
    }

    fn link(&self, _: &Path, _: &RepoPath) -> Result<()> {
        Ok(())
    }

    fn restore(&self, commit: CommitId, paths: &[RepoPath], _: bool) -> Result<()> {
        let source = self.world.state().commit(commit)?.tree.clone();
        self.with(|tree| {
            let within = |path: &RepoPath| paths.iter().any(|outer| outer.contains(path));
            tree.extend(source.into_iter().filter(|(path, _)| within(path)));
        });
        Ok(())
    }

    fn remove(&self, path: &RepoPath) -> Result<()> {
        self.with(|tree| tree.remove(path));
        Ok(())
    }

    fn read(&self, path: &RepoPath) -> Result<Option<Vec<u8>>> {
        Ok(self.with(|tree| tree.get(path).cloned()))
    }

    fn write(&self, path: &RepoPath, bytes: &[u8]) -> Result<()> {
        self.with(|tree| tree.insert(path.clone(), bytes.to_owned()));
        Ok(())
    }

    fn matching(&self, _: &str) -> Result<Vec<RepoPath>> {
        Ok(Vec::new())
    }

    fn edits(&self, within: &[RepoPath]) -> Result<Vec<TreeEdit>> {
        let (now, base) = (self.with(|tree| tree.clone()), self.base.borrow());
        let concerned = |path: &&RepoPath| within.iter().any(|outer| outer.contains(path));
        let changed = now.keys().chain(base.keys()).collect::<BTreeSet<_>>().into_iter().filter(concerned);
        let changed = changed.filter(|path| now.get(*path) != base.get(*path));
        Ok(changed
            .map(|path| TreeEdit {
                path: path.clone(),
                content: now.get(path).map(|bytes| (EntryMode::BLOB, bytes.clone())),
            })
            .collect())
    }
}

impl Process {
    fn files(&self, folder: PathBuf, base: Tree) -> Box<dyn CandidateFiles> {
        Box::new(FolderFiles { world: self.world.clone(), folder, base: RefCell::new(base) })
    }
}

fn base_of(state: &State, plan: Option<&Plan>, tip: CommitId) -> Result<Tree> {
    match plan {
        Some(plan) => tree_of_plan(state, plan),
        None => Ok(state.commit(tip)?.tree.clone()),
    }
}

impl Candidates for Process {
    fn files_of(&self, content: Content<'_>) -> Result<Box<dyn CandidateFiles>> {
        let (folder, base) = self.call(Kind::Write, "makes a scratch folder", |state| {
            state.made += 1;
            let folder = Path::new("/rb-simulation/scratch").join(state.made.to_string());
            let base = match content {
                Content::Plan(plan) | Content::Step(plan, _) => tree_of_plan(state, plan)?,
                Content::Commit(commit) => state.commit(commit)?.tree.clone(),
            };
            state.folders.insert(folder.clone(), base.clone());
            Ok((folder, base))
        })?;
        Ok(self.files(folder, base))
    }

    fn place_files(&self, run: &str, plan: Option<&Plan>, tip: CommitId) -> Result<Box<dyn CandidateFiles>> {
        let base = self.call(Kind::Guarded, "makes the candidate", |state| {
            let base = base_of(state, plan, tip)?;
            state.folders.insert(place_of(run), base.clone());
            Ok(base)
        })?;
        Ok(self.files(place_of(run), base))
    }

    fn reopen_files(&self, run: &str, plan: Option<&Plan>, tip: CommitId) -> Result<Box<dyn CandidateFiles>> {
        let base = self.call(Kind::Read, "opens the candidate again", |state| base_of(state, plan, tip))?;
        Ok(self.files(place_of(run), base))
    }

    fn placed(&self, run: &str) -> Option<PathBuf> {
        let there = self.world.state().folders.contains_key(&place_of(run));
        there.then(|| place_of(run))
    }

    fn remove_placed(&self, run: &str) -> Result<()> {
        self.call(Kind::Write, "removes the candidate", |state| {
            state.folders.remove(&place_of(run));
            Ok(())
        })
    }

    fn sweep_placed(&self, is_open: &dyn Fn(&str) -> bool) -> Result<()> {
        self.call(Kind::Write, "sweeps candidates", |state| {
            let prefix = place_of("");
            state.folders.retain(|folder, _| match folder.strip_prefix(&prefix) {
                Ok(run) => is_open(&run.to_string_lossy()),
                Err(_) => true,
            });
            Ok(())
        })
    }
}
