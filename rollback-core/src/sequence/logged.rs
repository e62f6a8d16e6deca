//! Landing a step, and telling the operation log: each entry goes on with the one before it.

use std::collections::BTreeSet;

use super::run::Run;
use super::state::FOLDER;
use super::{SequenceAction, SequenceStatus};
use crate::apply::log::{LOG_VERSION, LogDraft, LoggedEdits, LoggedOperation};
use crate::apply::{LandOptions, Landing, land};
use crate::error::{Error, Result};
use crate::id::CommitId;
use crate::journal::StateFile;
use crate::operation::OperationId;
use crate::path::RepoPath;

/// What the operation log is told of a step.
#[derive(Default)]
pub(super) struct NewEntry<'a> {
    /// What it is called, where it is neither a revert nor a pick.
    pub(super) kind: Option<&'a str>,
    /// The commit that was taken.
    pub(super) commit: Option<CommitId>,
    pub(super) makes_commit: bool,
    /// Why it waits for a person.
    pub(super) stopped: Option<SequenceStatus>,
    pub(super) undoes: Option<String>,
    pub(super) edits: Option<LoggedEdits>,
}

impl NewEntry<'_> {
    /// A commit was made of this one.
    pub(super) fn of_commit(taken: CommitId) -> Self {
        Self { commit: Some(taken), makes_commit: true, ..Self::default() }
    }

    /// The step waits for a person.
    pub(super) fn of_stop(commit: CommitId, why: SequenceStatus) -> Self {
        Self { commit: Some(commit), stopped: Some(why), ..Self::default() }
    }
}

impl Run<'_> {
    /// The newest entry of the operation log, where it is the stop that is gone on with.
    pub(super) fn entry_to_go_on_with(&self) -> Result<Option<LoggedOperation>> {
        let Some(newest) = self.repo.newest_operation()? else { return Ok(None) };
        let head = self.repo.head()?;
        let same = newest.stopped && newest.reference == head.name() && newest.after == head.commit();
        Ok(same.then_some(newest))
    }

    /// Writes only files of git's state.
    pub(super) fn land_state(&mut self, files: Vec<StateFile>) -> Result<()> {
        let mut state_files = std::mem::take(&mut self.pending);
        state_files.extend(files);
        if state_files.is_empty() {
            return Ok(());
        }
        let empty = self.objects.empty_tree();
        let landing = Landing { state_files, ..Landing::of_trees(empty, empty) };
        land(self.repo, &landing, &LandOptions::default()).map(drop)
    }

    /// Lands a step and logs it.
    pub(super) fn land(&mut self, mut landing: Landing, entry: NewEntry<'_>) -> Result<()> {
        let operation = OperationId::random()?;
        let mut state_files = std::mem::take(&mut self.pending);
        state_files.append(&mut landing.state_files);
        // The last word counts: a folder that goes takes with it what would be written into it.
        let gone = state_files.iter().any(|file| file.name == FOLDER && file.content.is_none());
        let mut names = BTreeSet::new();
        state_files.reverse();
        state_files.retain(|file| {
            let below = gone && file.name.starts_with("sequencer/");
            !below && names.insert(file.name.clone())
        });
        state_files.reverse();
        landing.state_files.clone_from(&state_files);
        landing.log = Some(self.log(&landing, &entry, &operation)?);
        let options = LandOptions { operation: Some(operation), ..LandOptions::default() };
        let landed = match land(self.repo, &landing, &options) {
            Ok(landed) => landed,
            Err(error) => {
                // What was to be known of the sequence is still to be written.
                self.pending =
                    state_files.into_iter().filter(|file| file.name.starts_with("sequencer/")).collect();
                return Err(error);
            }
        };
        // It has landed; where its entry cannot be read, what follows is an operation of its own.
        let newest = self.repo.newest_operation().ok().flatten();
        self.previous = newest.filter(|entry| entry.operation_id == operation.to_string());
        self.report.operation_id = Some(operation.to_string());
        self.report.recovered = self.report.recovered.take().or(landed.recovered.into());
        self.report.later_failure =
            self.report.later_failure.take().or(landed.later_failure.map(|error| error.to_string()));
        Ok(())
    }

    pub(super) fn log(
        &self,
        landing: &Landing,
        entry: &NewEntry<'_>,
        operation: &OperationId,
    ) -> Result<LogDraft> {
        let head = self.repo.head()?;
        let (mut before, after) = match &landing.reference {
            Some(moved) => (moved.old, moved.new),
            None => (head.commit(), head.commit()),
        };
        let receipt = self.receipt(entry, operation)?;
        let previous = self.previous.as_ref().filter(|_| entry.edits.is_none());
        let mut commit_ids = previous.map(|known| known.commit_ids.clone()).unwrap_or_default();
        commit_ids
            .extend(landing.reference.as_ref().filter(|_| entry.makes_commit).and_then(|moved| moved.new));
        let (mut tree_before, mut tree_after) = (landing.head_tree, landing.result_tree);
        if let Some(known) = previous {
            before = known.before;
            tree_before = known.tree_before;
        }
        let staged = before == after;
        if !staged && entry.stopped.is_none() && entry.edits.is_none() {
            // As a whole it leads from one commit to another.
            (tree_before, tree_after) = (self.objects.tree_of(before)?, landing.result_tree);
        }
        let target = match (&self.target, previous) {
            (given, _) if !given.is_empty() => given.clone(),
            (_, Some(known)) => known.target.clone(),
            _ => entry.commit.map(|commit| commit.to_string()).unwrap_or_default(),
        };
        let kind = entry.kind.unwrap_or(match self.action {
            SequenceAction::Revert => "revert-commit",
            SequenceAction::Pick => "cherry-pick",
        });
        let operation = LoggedOperation {
            version: LOG_VERSION,
            operation_id: operation.to_string(),
            time: self.repo.recorder().seconds,
            kind: kind.into(),
            target,
            reference: match &landing.reference {
                Some(moved) => RepoPath::new(moved.name.as_slice()),
                None => head.name(),
            },
            before,
            after,
            commit_ids,
            staged,
            tree_before,
            tree_after,
            undoes: entry.undoes.clone(),
            paths: Vec::new(),
            state_files: Vec::new(),
            states: None,
            outside: None,
            edits: entry.edits.clone(),
            stopped: entry.stopped.is_some(),
            continues: previous.map(|known| known.operation_id.clone()),
        };
        let mut draft = LogDraft::new(operation, receipt);
        draft.previous = previous.cloned().map(Box::new);
        Ok(draft)
    }

    /// The document that the log keeps of a step.
    pub(super) fn receipt(&self, entry: &NewEntry<'_>, operation: &OperationId) -> Result<Vec<u8>> {
        let mut report = self.report.clone();
        report.operation_id = Some(operation.to_string());
        if let Some(why) = entry.stopped {
            (report.status, report.stopped_at) = (why, entry.commit);
        }
        let mut receipt = serde_json::to_vec_pretty(&report)
            .map_err(|error| Error::internal("cannot write the receipt", error))?;
        receipt.push(b'\n');
        Ok(receipt)
    }
}
