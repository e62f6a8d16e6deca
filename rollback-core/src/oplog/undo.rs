//! Taking an operation back: the same landing with its two sides exchanged.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Entry, Log, kind, number_of};
use crate::apply::log::{
    LOG_VERSION, LogDraft, LoggedEdits, LoggedOperation, LoggedOutside, States, TouchedStateFile,
};
use crate::apply::{
    Beside, LandOptions, Landing, Need, RefUpdate, check, land, preflight, refuse_unwritable,
};
use crate::checkpoint::{RestoredOutside, operation};
use crate::error::{Error, LandingError, OperationError, RepositoryError, Result, RevisionError};
use crate::history::is_reached;
use crate::id::CommitId;
use crate::journal::StateFile;
use crate::operation::OperationId;
use crate::patch::{Diff, DiffDocument, DiffOptions};
use crate::path::RepoPath;
use crate::receipt::{Published, Recovery};
use crate::repo::Repo;
use crate::repo::index::Flags;
use crate::repo::refs::{Head, References, short_reference};
use crate::repo::revision::commit_of;
use crate::repo::state::InProgress;

/// Which operation is meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OperationRef {
    /// The newest one; after an undo that is the undo.
    #[default]
    Last,
    /// The newest landing that is not undone: what an undo takes back, so that two undos take back two.
    NextUndo,
    /// The newest undo that was not taken back and that no landing followed.
    NextRedo,
    /// The one of this id, or of the only id that begins so.
    Id(String),
}

/// How an operation is taken back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct UndoOptions {
    /// Whether paths outside of the repository that the operation put back may be written to.
    pub outside: RestoredOutside,
}

impl UndoOptions {
    /// The same with paths outside of the repository.
    pub fn with_outside(mut self) -> Self {
        self.outside = RestoredOutside::Restore;
        self
    }
}

/// An operation that was taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Undone {
    /// The name of the undo, which can be taken back in turn.
    pub operation_id: String,
    /// The operation that was taken back.
    pub undoes: String,
    /// What that operation was: its strategy, or `undo`.
    pub kind: String,
    /// The reference that moved back; the one that HEAD is on where only index and work tree changed.
    #[serde(rename = "ref")]
    pub reference: RepoPath,
    /// Where it was before the undo; absent where the operation had removed it.
    pub before: Option<CommitId>,
    /// Where it is now; absent where the operation had made it, and the undo removed it.
    pub after: Option<CommitId>,
    /// Whether only index and work tree changed.
    pub staged: bool,
    /// The paths that the operation had touched.
    pub paths: Vec<RepoPath>,
    /// Paths outside of the repository that the operation had put back, and the undo too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outside: Vec<RepoPath>,
    /// What an earlier landing had left unfinished, and what became of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovered: Option<Recovery>,
    /// What failed after the undo had landed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub later_failure: Option<String>,
    /// What changes, file by file; absent where it was not counted, and where no reference moves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diff: Option<DiffDocument>,
    /// What became of letting the result leave this machine, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<Published>,
}

impl Repo {
    /// Takes an operation back: the reference, and at the paths it touched the index and the bytes, permissions and times
    /// of the work tree. The undo is an operation itself.
    ///
    /// What an operation put back outside of the repository goes back with it. That is written to only where it is
    /// allowed: the log may have come with a repository from elsewhere.
    ///
    /// # Writes
    /// As a landing does: loose objects, work tree, index, the reference and its logs, the operation log.
    ///
    /// # Errors
    /// [`OperationError::Unknown`], [`OperationError::AlreadyUndone`], [`OperationError::LaterCommits`],
    /// [`OperationError::Published`], [`LandingError::Moved`], [`OperationError::MadeElsewhere`],
    /// [`OperationError::ReferenceGone`], [`OperationError::OutsideNotAllowed`], [`LandingError::BranchCheckedOut`] for
    /// a branch that would go, and the refusals of a landing.
    pub fn undo(&self, which: &OperationRef, options: &UndoOptions) -> Result<Undone> {
        let _span = tracing::debug_span!("undo", ?which).entered();
        let recovered = self.recover()?;
        if let Some(undone) = self.undo_stop(which, recovered.clone())? {
            return Ok(undone);
        }
        let operation = OperationId::random()?;
        let (mut undone, landing) = self.way_back(which, options, operation.to_string())?;
        let options = LandOptions { operation: Some(operation), ..LandOptions::default() };
        let landed = land(self, &landing, &options)?;
        undone.recovered = recovered.or(landed.recovered.into());
        undone.later_failure = landed.later_failure.map(|error| error.to_string());
        Ok(undone)
    }

    /// Says what [`Repo::undo`] would do, and refuses what it would refuse. Nothing is written: the name of the undo is
    /// empty, and what a crash left is not dealt with.
    ///
    /// # Errors
    /// As [`Repo::undo`].
    pub fn check_undo(&self, which: &OperationRef, options: &UndoOptions) -> Result<Undone> {
        if let Some(logged) = self.stop(which)? {
            return Ok(undone_of(&logged, String::new()));
        }
        let (undone, landing) = self.way_back(which, options, String::new())?;
        check(self, &landing)?;
        Ok(undone)
    }

    /// What an undo changes in the files that are committed; `None` where no reference moves from one commit to another.
    ///
    /// # Errors
    /// Those of reading objects.
    pub fn undo_patch(&self, undone: &Undone, options: &DiffOptions) -> Result<Option<Diff>> {
        let (Some(before), Some(after), false) = (undone.before, undone.after, undone.staged) else {
            return Ok(None);
        };
        let (old, new) = (self.tree_of_commit(before)?, self.tree_of_commit(after)?);
        self.diff(old, new, options).map(Some)
    }

    /// The operation, where it stopped for a person and what it left is still in progress.
    fn stop(&self, which: &OperationRef) -> Result<Option<LoggedOperation>> {
        let Entry { logged, undone_by, continued_by, .. } = self.find_operation(which)?;
        if !logged.stopped || undone_by.is_some() || continued_by.is_some() {
            return Ok(None);
        }
        self.refuse_moved(&logged)?;
        match self.operation_in_progress() {
            Some(InProgress::Pick | InProgress::Revert) => Ok(Some(logged)),
            _ => Err(OperationError::NotInProgress { operation: logged.operation_id }.into()),
        }
    }

    /// Takes back a stop as giving it up does, so that what was resolved so far is kept.
    fn undo_stop(&self, which: &OperationRef, recovered: Option<Recovery>) -> Result<Option<Undone>> {
        let Some(logged) = self.stop(which)? else { return Ok(None) };
        let report = self.take_back_stop(&logged)?;
        let mut undone = undone_of(&logged, report.operation_id.unwrap_or_default());
        undone.recovered = recovered.or(report.recovered);
        undone.later_failure = report.later_failure;
        Ok(Some(undone))
    }

    fn way_back(
        &self,
        which: &OperationRef,
        options: &UndoOptions,
        operation_id: String,
    ) -> Result<(Undone, Landing)> {
        let Entry { logged, undone_by, continued_by, .. } = self.find_operation(which)?;
        if let Some(by) = continued_by {
            return Err(OperationError::Continued { operation: logged.operation_id, by }.into());
        }
        if let Some(by) = undone_by {
            return Err(OperationError::AlreadyUndone { operation: logged.operation_id, by }.into());
        }
        // What was not committed comes back wherever its paths are as they were left.
        let on_it = logged.edits.is_some() && logged.staged || self.refuse_moved(&logged)?;
        self.refuse_published(&logged)?;
        if let Some(outside) = logged.outside.as_ref().filter(|_| options.outside == RestoredOutside::Leave) {
            let (operation, paths) = (logged.operation_id.clone(), outside.paths.clone());
            return Err(OperationError::OutsideNotAllowed { operation, paths }.into());
        }
        let only_outside = logged.outside.is_some() && logged.states.is_none();
        let checkout = on_it && self.work_dir().is_some() && !only_outside;
        let work_tree = checkout.then_some("taking back an operation of this branch");
        let beside = if logged.staged { Beside::PickOrRevert } else { Beside::Nothing };
        match (&logged.edits, &logged.states) {
            (None, None) => preflight(self, Need { work_tree, identity: false, beside })?,
            // What is in progress is part of what was kept, or is left alone.
            (Some(_), _) => refuse_unwritable(self, "taking back a restore of the work tree")?,
            (None, Some(_)) => {
                refuse_unwritable(self, "taking back the restore of a checkpoint")?;
                operation::refuse_unkept(self)?;
            }
        }
        let undone = undone_of(&logged, operation_id);
        let landing = self.landing_back(&logged, &undone, checkout)?;
        Ok((undone, landing))
    }

    /// What the log will say of the undo of an operation.
    fn operation_of_undo(
        &self,
        logged: &LoggedOperation,
        operation_id: &str,
        time: i64,
    ) -> Result<LoggedOperation> {
        let only_edits = logged.edits.is_some() && logged.staged;
        let head = only_edits.then(|| self.head()).transpose()?;
        let (reference, before, after) = match &head {
            Some(head) => (head.name(), head.commit(), head.commit()),
            None => (logged.reference.clone(), logged.after, logged.before),
        };
        Ok(LoggedOperation {
            version: LOG_VERSION,
            operation_id: operation_id.to_owned(),
            time,
            // What takes an undo back does what was undone again.
            kind: if logged.kind == kind::UNDO { kind::REDO } else { kind::UNDO }.into(),
            target: format!("{} {}", logged.kind, logged.target),
            reference,
            before,
            after,
            commit_ids: Vec::new(),
            staged: logged.staged,
            tree_before: logged.tree_after,
            tree_after: logged.tree_before,
            undoes: Some(logged.operation_id.clone()),
            paths: Vec::new(),
            state_files: Vec::new(),
            states: logged.states.as_ref().map(States::exchanged),
            outside: logged.outside.as_ref().map(|outside| LoggedOutside {
                records: outside.records.exchanged(),
                paths: outside.paths.clone(),
            }),
            edits: logged.edits.as_ref().map(LoggedEdits::exchanged),
            stopped: false,
            continues: None,
        })
    }

    fn landing_back(&self, logged: &LoggedOperation, undone: &Undone, checkout: bool) -> Result<Landing> {
        let committer = self.recorder();
        let mut receipt = serde_json::to_vec_pretty(undone)
            .map_err(|error| Error::internal("cannot write the receipt", error))?;
        receipt.push(b'\n');
        let operation = self.operation_of_undo(logged, &undone.operation_id, committer.seconds)?;
        let outside = match &operation.outside {
            Some(outside) => self.outside_between(&outside.records, &outside.paths)?,
            None => Vec::new(),
        };
        let reference = (!logged.staged).then(|| RefUpdate {
            name: logged.reference.as_bytes().into(),
            old: logged.after,
            new: logged.before,
            reflog: format!("undo: {} {}", logged.kind, logged.operation_id).into(),
            committer,
        });
        let attributes: BTreeMap<_, _> = logged
            .paths
            .iter()
            .filter_map(|touched| Some((touched.path.clone(), touched.attributes?)))
            .collect();
        let absent = logged.paths.iter().filter(|touched| touched.absent).map(|touched| &touched.path);
        let there_before = logged.paths.iter().filter(|touched| touched.before.is_some());
        let flags = there_before.map(|touched| (touched.path.clone(), Flags::from_tag(touched.flags)));
        let exact = match (&operation.edits, logged.states.as_ref().filter(|_| checkout)) {
            (Some(edits), _) => Some(edits.exact(self.read_index()?.index)?),
            (None, Some(states)) => Some(self.exchange(states.after, states.before)?),
            (None, None) => None,
        };
        Ok(Landing {
            reference,
            checkout,
            state_files: self.state_back(&logged.state_files)?,
            attributes,
            absent: absent.cloned().collect(),
            flags: flags.collect(),
            exact,
            outside,
            log: Some(LogDraft::new(operation, receipt)),
            ..Landing::of_trees(logged.tree_after, logged.tree_before)
        })
    }

    /// The files of git's state that still are what the operation made of them, as they were before.
    fn state_back(&self, files: &[TouchedStateFile]) -> Result<Vec<StateFile>> {
        let mut back = Vec::new();
        for file in files.iter().filter(|file| StateFile::is_known(&file.name)) {
            if self.read_state(&file.name)?.map(RepoPath::new) == file.after {
                back.push(StateFile { name: file.name.clone(), content: file.before.clone() });
            }
        }
        Ok(back)
    }

    pub(super) fn find_operation(&self, which: &OperationRef) -> Result<Entry> {
        let Log { entries, unreadable } = self.read_log()?;
        let unknown = |spec: &str| Error::from(OperationError::Unknown { spec: spec.to_owned() });
        let spec = match which {
            OperationRef::Id(spec) => spec,
            _ => {
                // Whether it was the last one cannot be told from an entry that cannot be read.
                let last = entries.first().map_or("", |entry| number_of(&entry.id));
                if let Some(record) = unreadable.into_iter().find(|record| number_of(&record.id) > last) {
                    return Err(RepositoryError::ForeignRecord { path: record.path, why: record.why }.into());
                }
                return next(entries, which).map_err(Into::into);
            }
        };
        let mut found: Vec<_> = entries
            .into_iter()
            .filter(|entry| !spec.is_empty() && entry.logged.operation_id.starts_with(spec.as_str()))
            .collect();
        if found.len() > 1 {
            let candidates = found.into_iter().map(|entry| entry.logged.operation_id).collect();
            return Err(RevisionError::Ambiguous { spec: spec.clone(), candidates }.into());
        }
        found.pop().ok_or_else(|| unknown(spec))
    }

    /// Whether HEAD is on the reference, which must be where the operation left it.
    fn refuse_moved(&self, logged: &LoggedOperation) -> Result<bool> {
        let name = logged.reference.as_bytes();
        let head = self.head()?;
        let on_it = head.name() == logged.reference;
        if !on_it && (logged.staged || name == b"HEAD") {
            let (operation, made_on) = (logged.operation_id.clone(), logged.reference.clone());
            return Err(OperationError::MadeElsewhere { operation, made_on, head: head.name() }.into());
        }
        let found = match head {
            Head::Detached(commit) if on_it => Some(commit),
            _ => self.read_reference(name)?,
        };
        if found == logged.after {
            return Ok(on_it);
        }
        let operation = logged.operation_id.clone();
        let (expected, found) = match (logged.after, found) {
            (Some(expected), Some(found)) => (expected, found),
            (Some(expected), None) => {
                let reference = logged.reference.clone();
                return Err(OperationError::ReferenceGone { operation, reference, expected }.into());
            }
            (None, Some(found)) => {
                return Err(LandingError::BranchExists {
                    branch: short_reference(&logged.reference.to_string()).to_owned(),
                    found,
                }
                .into());
            }
            (None, None) => return Ok(on_it),
        };
        let reference = logged.reference.to_string();
        Err(match is_reached(&self.objects(), &[found], expected)? {
            true => OperationError::LaterCommits {
                operation,
                reference,
                found,
                commits: logged.commit_ids.clone(),
            }
            .into(),
            false => LandingError::Moved { reference, expected, found }.into(),
        })
    }

    fn refuse_published(&self, logged: &LoggedOperation) -> Result<()> {
        // A branch with a later one has the first.
        let Some(first) = logged.commit_ids.first().copied() else { return Ok(()) };
        let remotes = self.remote_tips()?;
        let tips: Vec<_> = remotes.iter().map(|(_, tip)| *tip).collect();
        if tips.is_empty() || !is_reached(&self.objects(), &tips, first)? {
            return Ok(());
        }
        for (reference, tip) in remotes {
            if is_reached(&self.objects(), &[tip], first)? {
                return Err(OperationError::Published {
                    operation: logged.operation_id.clone(),
                    reference,
                    commits: logged.commit_ids.clone(),
                }
                .into());
            }
        }
        Ok(())
    }

    /// The remote-tracking references and the commits they name.
    pub(crate) fn remote_tips(&self) -> Result<Vec<(String, CommitId)>> {
        let repo = self.local();
        let all = References::of(&repo)?.below("refs/remotes/")?;
        let commits =
            all.into_iter().filter_map(|(name, id)| Some((commit_of(&repo, name.as_ref(), id).ok()?, name)));
        Ok(commits.map(|(commit, name)| (name.to_string(), commit)).collect())
    }
}

/// The entry that is taken back next.
fn next(entries: Vec<Entry>, which: &OperationRef) -> Result<Entry, OperationError> {
    if entries.is_empty() {
        return Err(OperationError::NothingLanded);
    }
    let mut whole = entries.into_iter().filter(|entry| entry.continued_by.is_none());
    match which {
        OperationRef::NextUndo => whole
            .find(|entry| !is_undo_or_redo(&entry.logged) && entry.undone_by.is_none())
            .ok_or(OperationError::NothingToUndo),
        OperationRef::NextRedo => whole
            .find(|entry| entry.logged.kind != kind::REDO && entry.undone_by.is_none())
            .filter(|entry| entry.logged.kind == kind::UNDO)
            .ok_or(OperationError::NothingToRedo),
        _ => whole.next().ok_or(OperationError::NothingLanded),
    }
}

fn is_undo_or_redo(logged: &LoggedOperation) -> bool {
    logged.kind == kind::UNDO || logged.kind == kind::REDO
}

fn undone_of(logged: &LoggedOperation, operation_id: String) -> Undone {
    Undone {
        operation_id,
        undoes: logged.operation_id.clone(),
        kind: logged.kind.clone(),
        reference: logged.reference.clone(),
        before: logged.after,
        after: logged.before,
        staged: logged.staged,
        paths: logged.paths.iter().map(|touched| touched.path.clone()).collect(),
        outside: logged.outside.as_ref().map(|outside| outside.paths.clone()).unwrap_or_default(),
        recovered: None,
        later_failure: None,
        diff: None,
        published: None,
    }
}
