//! The ports of the engine: everything that it asks of the repository, as small traits.
//!
//! [`Repo`] is the one real implementation; a simulation in memory is the other (`tests/core/simulation`). Programs and
//! the time have ports of their own, [`Runner`](crate::process::Runner) and [`Clock`](super::Clock).

use std::path::{Path, PathBuf};

use super::RunState;
use crate::apply::Leased;
use crate::checkpoint::{Checkpoint, CheckpointOptions, Verified};
use crate::error::Result;
use crate::history::{HistoryOptions, PathHistory, Return};
use crate::id::{CommitId, TreeId};
use crate::oplog::{Operation, OperationRef, UndoOptions, Undone};
use crate::path::RepoPath;
use crate::plan::{BranchMerge, Plan, PlanOptions, PlannedMerge, Tip, TreeEdit};
use crate::process::Holder;
use crate::receipt::{ApplyOptions, OutcomeKind, Receipt};
use crate::record::Revision;
use crate::repo::identity::Role;
use crate::repo::{CommitSummary, Repo, Signature};
use crate::scratch::{self, Place, Scratch};
use crate::target::Target;

/// A trait of methods that a type has of its own.
macro_rules! port {
    ($(#[$about:meta])* $name:ident of $own:ty: $($(#[$doc:meta])* fn $method:ident(&self $(, $arg:ident: $of:ty)* $(,)?) $(-> $result:ty)?;)*) => {
        $(#[$about])*
        pub(crate) trait $name {
            $($(#[$doc])* fn $method(&self $(, $arg: $of)*) $(-> $result)?;)*
        }

        impl $name for $own {
            $(fn $method(&self $(, $arg: $of)*) $(-> $result)? { <$own>::$method(self $(, $arg)*) })*
        }
    };
}

/// The records of runs. A writer names the revision that it read, and the store compares and replaces in one step.
pub(crate) trait RunRecords {
    fn run(&self, id: &str) -> Result<Option<(RunState, Revision)>>;
    /// Those that can be read, the oldest first.
    fn runs(&self) -> Result<Vec<RunState>>;
    /// The plan of the candidate of a run, as JSON; `None` where none was ready to land.
    fn run_plan(&self, id: &str) -> Result<Option<Vec<u8>>>;
    /// Writes a run down in place of revision `after`, or as a new one; `what` says what has happened.
    fn write_run(
        &self,
        run: &RunState,
        after: Option<Revision>,
        plan: Option<&[u8]>,
        what: &str,
    ) -> Result<Revision>;
    /// Keeps a file beside the record of a run.
    fn keep_run_file(&self, id: &str, name: &str, bytes: &[u8]) -> Result<()>;
    fn run_folder(&self, id: &str) -> PathBuf;
}

port! {
    /// What is read of the history, and where the repository lies.
    History of Repo:
    fn work_dir(&self) -> Option<&Path>;
    fn git_dir(&self) -> &Path;
    fn has_remote(&self, name: &str) -> bool;
    fn identity(&self, role: Role) -> Result<Signature>;
    fn resolve_commit(&self, spec: &str) -> Result<CommitId>;
    fn resolve_commits(&self, specs: &[String]) -> Result<Vec<CommitId>>;
    fn abbreviation(&self, id: CommitId) -> String;
    fn commit_summary(&self, id: CommitId) -> Result<CommitSummary>;
    fn commit_message(&self, id: CommitId) -> Result<String>;
    fn tree_of_commit(&self, commit: CommitId) -> Result<TreeId>;
    fn commits_beyond(&self, tips: &[CommitId], known: &[CommitId]) -> Result<Vec<CommitId>>;
    fn commits_touching_since(&self, tip: CommitId, since: CommitId, paths: &[RepoPath]) -> Result<Vec<CommitId>>;
    fn has_path(&self, commit: CommitId, path: &RepoPath) -> Result<bool>;
    fn return_of(&self, tip: CommitId, path: &RepoPath) -> Result<Return>;
    fn history(&self, path: &RepoPath, options: &HistoryOptions) -> Result<PathHistory>;
}

port! {
    /// Planning, landing, and taking back what landed.
    Landings of Repo:
    fn plan_tip(&self, options: &PlanOptions) -> Result<Tip>;
    fn plan(&self, target: &Target, options: &PlanOptions) -> Result<Plan>;
    fn plan_with_edits(&self, base: Option<Plan>, edits: &[TreeEdit], message: Option<&str>, options: &PlanOptions) -> Result<Plan>;
    fn plan_merge(&self, merge: &BranchMerge) -> Result<PlannedMerge>;
    fn plan_diff(&self, plan: &Plan) -> Result<String>;
    fn preflight(&self, planning: &PlanOptions, landing: &ApplyOptions) -> Result<()>;
    fn check(&self, plan: &Plan, options: &ApplyOptions) -> Result<OutcomeKind>;
    fn apply(&self, plan: Plan, options: &ApplyOptions) -> Result<Receipt>;
    fn undo(&self, which: &OperationRef, options: &UndoOptions) -> Result<Undone>;
    fn operations(&self) -> Result<Vec<Operation>>;
    fn start_branch(&self, branch: &str, commit: CommitId) -> Result<()>;
    fn checkpoint(&self, scope: &str, name: &str) -> Result<Option<Checkpoint>>;
    fn create_checkpoint(&self, scope: &str, name: &str, options: &CheckpointOptions) -> Result<Checkpoint>;
    fn verify_checkpoint(&self, checkpoint: &Checkpoint, deep: bool) -> Result<Verified>;
}

/// The right to carry out runs, held until it is dropped or the process ends.
pub(crate) trait Held {
    /// Says who holds it.
    fn note(&mut self, holder: &Holder);
}

impl Held for crate::apply::Lease {
    fn note(&mut self, holder: &Holder) {
        Self::note(self, holder);
    }
}

/// The right to carry out runs, which one process has at a time.
pub(crate) trait Leases {
    /// Takes the right; `Err` says who has it, where that could be read.
    fn take_lease(&self, holder: &Holder) -> Result<std::result::Result<Box<dyn Held>, Option<Holder>>>;
}

impl Leases for Repo {
    fn take_lease(&self, holder: &Holder) -> Result<std::result::Result<Box<dyn Held>, Option<Holder>>> {
        Ok(match self.lease(holder)? {
            Leased::Taken(lease) => Ok(Box::new(lease)),
            Leased::Held(holder) => Err(holder),
        })
    }
}

port! {
    /// The files of a candidate. Dropping them removes them unless they lie in the place of a run.
    CandidateFiles of Scratch:
    fn folder(&self) -> &Path;
    fn link(&self, work_dir: &Path, path: &RepoPath) -> Result<()>;
    fn restore(&self, commit: CommitId, paths: &[RepoPath], exact: bool) -> Result<()>;
    fn remove(&self, path: &RepoPath) -> Result<()>;
    fn read(&self, path: &RepoPath) -> Result<Option<Vec<u8>>>;
    fn write(&self, path: &RepoPath, bytes: &[u8]) -> Result<()>;
    fn matching(&self, pattern: &str) -> Result<Vec<RepoPath>>;
    fn edits(&self, within: &[RepoPath]) -> Result<Vec<TreeEdit>>;
}

/// What the files of a candidate are made of.
#[derive(Clone, Copy)]
pub(crate) enum Content<'p> {
    /// The result of a plan.
    Plan(&'p Plan),
    /// The state after one of the commits of a plan, counted from 0.
    Step(&'p Plan, usize),
    /// A commit.
    Commit(CommitId),
}

/// Candidates: the place of a run's, and others that last as long as they are held.
pub(crate) trait Candidates {
    /// Files that are removed once they are dropped.
    fn files_of(&self, content: Content<'_>) -> Result<Box<dyn CandidateFiles>>;
    /// Files in the place of a run: the result of the plan, or `tip` without one.
    fn place_files(&self, run: &str, plan: Option<&Plan>, tip: CommitId) -> Result<Box<dyn CandidateFiles>>;
    /// The files that lie in the place of a run, edited since they were made of the plan or of `tip`.
    fn reopen_files(&self, run: &str, plan: Option<&Plan>, tip: CommitId) -> Result<Box<dyn CandidateFiles>>;
    /// The folder in the place of a run, where there is one.
    fn placed(&self, run: &str) -> Option<PathBuf>;
    /// Empties the place of a run.
    fn remove_placed(&self, run: &str) -> Result<()>;
    /// Empties the places of all runs that are not open.
    fn sweep_placed(&self, is_open: &dyn Fn(&str) -> bool) -> Result<()>;
}

impl Candidates for Repo {
    fn files_of(&self, content: Content<'_>) -> Result<Box<dyn CandidateFiles>> {
        Ok(Box::new(match content {
            Content::Plan(plan) => Scratch::of_plan(self, plan)?,
            Content::Step(plan, at) => Scratch::of_step(self, plan, at)?,
            Content::Commit(commit) => Scratch::of_commit(self, commit)?,
        }))
    }

    fn place_files(&self, run: &str, plan: Option<&Plan>, tip: CommitId) -> Result<Box<dyn CandidateFiles>> {
        Ok(Box::new(Scratch::at(self, plan, tip, &Place::of_run(self, run)?)?))
    }

    fn reopen_files(&self, run: &str, plan: Option<&Plan>, tip: CommitId) -> Result<Box<dyn CandidateFiles>> {
        Ok(Box::new(Scratch::reopen(self, plan, tip, &Place::of_run(self, run)?)?))
    }

    fn placed(&self, run: &str) -> Option<PathBuf> {
        let place = Place::of_run(self, run).ok().filter(Place::is_there)?;
        Some(place.files())
    }

    fn remove_placed(&self, run: &str) -> Result<()> {
        Place::of_run(self, run)?.remove()
    }

    fn sweep_placed(&self, is_open: &dyn Fn(&str) -> bool) -> Result<()> {
        scratch::sweep(self, is_open)
    }
}

/// The repository as the engine knows it.
pub(crate) trait Ground: RunRecords + Leases + History + Landings + Candidates {}

impl<T: RunRecords + Leases + History + Landings + Candidates> Ground for T {}
