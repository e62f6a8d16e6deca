//! One run of a command: the loop over the commits that are left.

use super::state::{
    FOLDER, LIST_FILE, SAFETY_FILE, Todo, has_folder, head_is_unmoved, is_there, safety, stopped_at,
};
use super::{
    SequenceAction, SequenceContext, SequenceEvent, SequenceFront, SequenceOptions, SequenceReport,
    SequenceRequest, SignCommits,
};
use crate::apply::changes;
use crate::apply::log::LoggedOperation;
use crate::error::{Result, SequenceError, WorkTreeError};
use crate::hooks::HookRun;
use crate::id::{CommitId, TreeId};
use crate::journal::StateFile;
use crate::message::MessageOptions;
use crate::path::RepoPath;
use crate::repo::{Objects, Repo};
use crate::strategy::Restriction;

/// Whether a step ended the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Taken,
    Stopped,
}

/// One run of a command.
pub(super) struct Run<'a> {
    pub(super) repo: &'a Repo,
    pub(super) objects: Objects,
    pub(super) action: SequenceAction,
    pub(super) options: SequenceOptions,
    pub(super) context: &'a SequenceContext,
    pub(super) front: &'a mut dyn SequenceFront,
    /// Files of git's state that the next landing writes.
    pub(super) pending: Vec<StateFile>,
    /// Whether `sequencer/abort-safety` is kept.
    pub(super) update_safety: bool,
    pub(super) restriction: Option<Restriction>,
    pub(super) wording: MessageOptions,
    pub(super) target: String,
    /// The entry of the operation log that this run goes on with.
    pub(super) previous: Option<LoggedOperation>,
    pub(super) report: SequenceReport,
}

impl<'a> Run<'a> {
    pub(super) fn new(
        repo: &'a Repo,
        action: SequenceAction,
        options: SequenceOptions,
        context: &'a SequenceContext,
        front: &'a mut dyn SequenceFront,
    ) -> Result<Self> {
        let mut report = SequenceReport::new(action);
        report.recovered = repo.recover()?;
        Ok(Self {
            repo,
            objects: repo.objects(),
            action,
            options,
            context,
            front,
            pending: Vec::new(),
            update_safety: has_folder(repo)?,
            restriction: None,
            wording: MessageOptions::default(),
            target: String::new(),
            previous: None,
            report,
        })
    }

    /// Takes over what a request says beside its commits.
    pub(super) fn take_over(&mut self, request: &SequenceRequest) {
        self.target.clone_from(&request.target);
        self.restriction.clone_from(&request.restriction);
        self.wording = request.wording.clone();
    }

    pub(super) fn finish(self) -> Result<SequenceReport> {
        Ok(self.report)
    }

    /// Takes the commits of the list, each with a landing of its own.
    pub(super) fn pick_all(&mut self, mut todo: Todo) -> Result<()> {
        while let Some((item, rest)) = todo.split() {
            self.repo.stop_if_cancelled()?;
            self.report.remaining = rest.len();
            self.pending.retain(|file| file.name != LIST_FILE);
            self.pending.push(StateFile::write(LIST_FILE, todo.text()));
            match self.pick(item, Some(&rest)) {
                Ok(Step::Taken) => todo = rest,
                Ok(Step::Stopped) => return Ok(()),
                Err(error) => {
                    // As git does: what was begun is known, though the commit was refused.
                    self.pending.retain(|file| file.name != SAFETY_FILE);
                    self.land_state(vec![safety(self.repo.head()?.commit())])?;
                    return Err(error);
                }
            }
        }
        self.end_sequence()
    }

    /// Removes what is left of a sequence that is over.
    pub(super) fn end_sequence(&mut self) -> Result<()> {
        self.pending.clear();
        match is_there(self.repo, FOLDER)? {
            true => self.land_state(vec![StateFile::remove(FOLDER)]),
            false => Ok(()),
        }
    }

    /// Goes on after a stop.
    pub(super) fn go_on(&mut self) -> Result<()> {
        let stopped = |run: &Self| -> Result<bool> {
            let pick = stopped_at(run.repo, SequenceAction::Pick)?;
            Ok(pick.is_some() || stopped_at(run.repo, SequenceAction::Revert)?.is_some())
        };
        self.previous = self.entry_to_go_on_with()?;
        let Some(todo) = Todo::read(self.repo, self.action)? else {
            if !stopped(self)? {
                return Err(SequenceError::NothingInProgress.into());
            }
            return self.commit_resolved(None).map(drop);
        };
        let Some((_, rest)) = todo.split() else { return self.end_sequence() };
        if stopped(self)? {
            self.report.remaining = rest.len();
            if self.commit_resolved(Some(&rest))? == Step::Stopped {
                return Ok(());
            }
            self.refuse_staged(self.repo.head()?.commit())?;
            return self.pick_all(rest);
        }
        let head = self.repo.head()?.commit();
        self.refuse_staged(head)?;
        // Where nobody has committed since, the commit in hand was refused and is still to be taken. git would leave it out.
        let is_left = !self.context.as_git && head_is_unmoved(self.repo, head)?;
        self.pick_all(if is_left { todo } else { rest })
    }

    /// Refuses where the index is not what HEAD has.
    pub(super) fn refuse_staged(&self, head: Option<CommitId>) -> Result<TreeId> {
        let tree = self.objects.tree_of(head)?;
        let index = self.repo.read_index()?.index;
        let unmerged = index.unmerged();
        if !unmerged.is_empty() {
            return Err(WorkTreeError::Unmerged { paths: unmerged }.into());
        }
        let added = index.entries().iter().filter(|entry| entry.flags.intent_to_add());
        let mut paths: Vec<_> = added.map(|entry| RepoPath::new(entry.path.as_slice())).collect();
        let staged = match index.tree().and_then(|cached| cached.root_id()) {
            Some(cached) => cached,
            None => index.tree_of_entries(&self.objects)?,
        };
        if staged != tree {
            let changes = changes::between(&self.objects, tree, staged)?;
            paths.extend(changes.into_iter().map(|change| change.path));
        }
        match paths.is_empty() {
            true => Ok(tree),
            false => Err(SequenceError::IndexDiffers { paths }.into()),
        }
    }

    /// Keeps what failed after a step has landed.
    pub(super) fn later(&mut self, failed: Result<()>) {
        let failure = failed.err().map(|error| error.to_string());
        self.report.later_failure = self.report.later_failure.take().or(failure);
    }

    /// Where HEAD is, or the null id's like on a branch without commits.
    pub(super) fn safety_after(&self, head: Option<CommitId>) -> Option<StateFile> {
        self.update_safety.then(|| safety(head))
    }

    /// Tells what hooks wrote, and keeps what became of them.
    pub(super) fn note_hooks(&mut self, runs: Vec<HookRun>) {
        for run in &runs {
            self.front.tell(SequenceEvent::Hook(run));
        }
        self.report.hooks.extend(runs);
    }

    /// The key to sign with, as `sequencer/opts` keeps it; `None` where nothing is signed.
    pub(super) fn signing_key(&self) -> Option<String> {
        match &self.options.sign {
            SignCommits::AsConfigured => self.repo.signs_commits().then(String::new),
            SignCommits::No => None,
            SignCommits::WithKey(key) => Some(key.clone()),
        }
    }

    pub(super) fn read_state(&self, name: &str) -> Result<Option<Vec<u8>>> {
        self.repo.read_state(name)
    }
}
