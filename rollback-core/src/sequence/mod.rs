//! Reverts and picks one after the other, with a stop where a person is needed: git's sequencer.
//!
//! Each commit is one merge and one landing; the files by which git knows what is in progress are written with it, so that
//! git can go on with what rb began, and rb with what git began. What git writes where, and when it stops, is mirrored from
//! `sequencer.c` and `builtin/commit.c` of git 2.47.
//!
//! Every landing of a sequence goes on with the entry of the operation log that the one before it left, so that taking
//! the last one back takes back all of it.

mod commit;
mod from_plan;
mod front;
mod logged;
mod named;
mod on_branch;
mod options;
mod pick;
mod report;
mod request;
mod rerere;
mod reset;
mod run;
mod state;
mod summary;

pub use front::{SequenceEvent, SequenceFront, StrategyCall};
pub use named::NamedCommits;
pub use options::{SequenceAction, SequenceOptions, SignCommits, WhenEmpty};
pub use report::{SequenceReport, SequenceStatus};
pub use request::{SequenceContext, SequenceRequest};
pub use rerere::RerereEvent;
pub use summary::{ChangeSummary, SummaryRow};

use self::front::Silent;
use self::run::Run;
use self::state::{Folder, HEAD_FILE, Item, OPTS_FILE, Todo, files_in_progress, safety};
use crate::apply::log::LoggedOperation;
use crate::apply::{LandOptions, Landing, land};
use crate::error::{Result, SequenceError};
use crate::id::CommitId;
use crate::journal::StateFile;
use crate::repo::Repo;

impl Repo {
    /// Undoes or replays commits one after the other, and stops where a person is needed.
    ///
    /// # Writes
    /// As a landing does, once for each commit; and git's files of what is in progress.
    ///
    /// # Errors
    /// [`SequenceError`], [`WorkTreeError::Unmerged`], [`WorkTreeError::InTheWay`] and the refusals of a landing. What was
    /// taken before stays.
    ///
    /// [`WorkTreeError::Unmerged`]: crate::error::WorkTreeError::Unmerged
    /// [`WorkTreeError::InTheWay`]: crate::error::WorkTreeError::InTheWay
    pub fn begin_sequence(
        &self,
        request: &SequenceRequest,
        context: &SequenceContext,
        front: &mut dyn SequenceFront,
    ) -> Result<SequenceReport> {
        let repo = &self.landing()?;
        let mut run = Run::new(repo, request.action, request.options.clone(), context, front)?;
        run.take_over(request);
        if let ([commit], true) = (request.commits.as_slice(), request.single) {
            let item = Item { action: request.action, commit: *commit };
            run.pick(item, None)?;
            return run.finish();
        }
        if let Some(command) = state::last_command(repo)? {
            let can_skip = [SequenceAction::Revert, SequenceAction::Pick]
                .iter()
                .any(|action| state::stopped_at(repo, *action).is_ok_and(|commit| commit.is_some()));
            return Err(SequenceError::AlreadyInProgress { command: command.command(), can_skip }.into());
        }
        let head = repo.head()?.commit();
        let todo = Todo::of(&run.objects, request.action, &request.commits)?;
        let first = request.commits.first().copied();
        let begun = head.or(first.map(|commit| CommitId(commit.0.null_like())));
        if head.is_none() && request.action == SequenceAction::Revert {
            return Err(SequenceError::NothingToRevert.into());
        }
        run.update_safety = true;
        run.pending.push(StateFile::write(HEAD_FILE, begun.map_or_else(String::new, |id| format!("{id}\n"))));
        let key = run.signing_key();
        let opts = run.options.to_file(key.as_deref())?;
        if !opts.is_empty() {
            run.pending.push(StateFile::write(OPTS_FILE, opts));
        }
        run.pending.push(safety(head));
        run.pick_all(todo)?;
        run.finish()
    }

    /// Commits what was resolved, and goes on with the rest. Where `action` is absent, with whatever is in progress.
    ///
    /// # Errors
    /// [`SequenceError::NothingInProgress`], [`WorkTreeError::Unmerged`] for conflicts that are left, and those of
    /// [`Repo::begin_sequence`].
    ///
    /// [`WorkTreeError::Unmerged`]: crate::error::WorkTreeError::Unmerged
    pub fn continue_sequence(
        &self,
        action: Option<SequenceAction>,
        edit: Option<bool>,
        context: &SequenceContext,
        front: &mut dyn SequenceFront,
    ) -> Result<SequenceReport> {
        let repo = &self.landing()?;
        let action = action.map_or_else(|| in_progress(repo), Ok)?;
        let mut options = state::options(repo)?;
        options.edit = options.edit.or(edit);
        let mut run = Run::new(repo, action, options, context, front)?;
        run.go_on()?;
        run.finish()
    }

    /// Leaves the commit out at which it stopped, and goes on with the rest.
    ///
    /// # Errors
    /// [`SequenceError::NotInProgress`], [`SequenceError::NothingToSkip`], and those of [`Repo::continue_sequence`].
    pub fn skip_in_sequence(
        &self,
        action: Option<SequenceAction>,
        context: &SequenceContext,
        front: &mut dyn SequenceFront,
    ) -> Result<SequenceReport> {
        let repo = &self.landing()?;
        let action = action.map_or_else(|| in_progress(repo), Ok)?;
        let last = state::last_command(repo)?;
        if state::stopped_at(repo, action)?.is_none() {
            if last != Some(action) {
                return Err(SequenceError::NotInProgress { command: action.command() }.into());
            }
            if !state::head_is_unmoved(repo, repo.head()?.commit())? {
                return Err(SequenceError::NothingToSkip { command: action.command() }.into());
            }
        }
        let options = state::options(repo)?;
        let mut run = Run::new(repo, action, options, context, front)?;
        run.skip()?;
        run.finish()
    }

    /// Gives up what is in progress: HEAD, index and the files it touched go back to where they were. Edits in files with
    /// conflicts are kept in the operation log.
    ///
    /// # Errors
    /// [`SequenceError::NothingInProgress`], [`SequenceError::BeganUnborn`], [`WorkTreeError::InTheWay`].
    ///
    /// [`WorkTreeError::InTheWay`]: crate::error::WorkTreeError::InTheWay
    pub fn abort_sequence(
        &self,
        context: &SequenceContext,
        front: &mut dyn SequenceFront,
    ) -> Result<SequenceReport> {
        let repo = &self.landing()?;
        let action = in_progress(repo)?;
        let mut run = Run::new(repo, action, SequenceOptions::default(), context, front)?;
        run.abort("abort")?;
        run.finish()
    }

    /// Takes back an operation that stopped, for `rb undo`.
    pub(crate) fn take_back_stop(&self, stop: &LoggedOperation) -> Result<SequenceReport> {
        let repo = &self.landing()?;
        let (context, mut silent) = (SequenceContext::default(), Silent);
        let action = in_progress(repo)?;
        let mut run = Run::new(repo, action, SequenceOptions::default(), &context, &mut silent)?;
        run.take_back(stop)?;
        run.finish()
    }

    /// Forgets what is in progress; index and work tree stay as they are. Nothing in progress is no error.
    ///
    /// # Errors
    /// Where the files cannot be removed.
    pub fn quit_sequence(&self) -> Result<SequenceReport> {
        let repo = &self.landing()?;
        let action = in_progress(repo).unwrap_or(SequenceAction::Pick);
        let files = files_in_progress(repo, Folder::Too)?;
        let mut report = SequenceReport::new(action);
        report.status = SequenceStatus::Quit;
        if !files.is_empty() {
            let empty = repo.objects().empty_tree();
            let landing = Landing { state_files: files, ..Landing::of_trees(empty, empty) };
            report.recovered = land(repo, &landing, &LandOptions::default())?.recovered.into();
        }
        Ok(report)
    }
}

/// What is in progress: a commit at which it stopped, or a sequence.
fn in_progress(repo: &Repo) -> Result<SequenceAction> {
    for action in [SequenceAction::Pick, SequenceAction::Revert] {
        if state::stopped_at(repo, action)?.is_some() {
            return Ok(action);
        }
    }
    state::last_command(repo)?.ok_or_else(|| SequenceError::NothingInProgress.into())
}
