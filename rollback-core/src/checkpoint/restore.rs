//! Coming back to a checkpoint: work tree and index become what they were, after the present was kept as a checkpoint
//! of its own.
//!
//! It is a landing like any other, with the journal and the swaps of `apply`, and an operation that `rb undo` takes
//! back. No branch moves unless that is asked for. Paths outside the repository are part of the landing, where asked for:
//! they follow when all else is there.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::document::{Checkpoint, FileRow, OutsidePart};
use super::outside::{self, Sides};
use super::{CheckpointOptions, Draft, MANUAL, Stored, operation, snapshot, verify};
use crate::apply::log::{LOG_VERSION, LogDraft, LoggedOperation, LoggedOutside, States};
use crate::apply::{
    Exact, Keeping, LandOptions, Landing, OutsideChange, RefUpdate, Sides as LandingSides, check,
    check_outside, land, refuse_unwritable, same_entries,
};
use crate::error::{CheckpointError, Error, PathError, Result, WorkTreeError};
use crate::id::TreeId;
use crate::journal::StateFile;
use crate::operation::{OperationId, kind};
use crate::path::RepoPath;
use crate::receipt::{OutcomeKind, Recovery};
use crate::repo::index::Index;
use crate::repo::{Objects, Repo};

/// Whether the branch goes back too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum BranchMove {
    /// It stays; what differs from it is staged or edited then.
    #[default]
    Stay,
    /// What HEAD is on moves to the commit of the checkpoint.
    Move,
}

/// Whether paths outside the repository are put back. That writes where rb writes nothing otherwise, so that the user
/// has to want it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RestoredOutside {
    /// They stay as they are.
    #[default]
    Leave,
    /// They become what they were.
    Restore,
}

/// How a checkpoint is restored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RestoreOptions {
    /// Whether the branch goes back too.
    pub branch: BranchMove,
    /// Whether paths outside the repository do.
    pub outside: RestoredOutside,
}

impl RestoreOptions {
    /// The same with the branch.
    pub fn moving_branch(mut self) -> Self {
        self.branch = BranchMove::Move;
        self
    }

    /// The same with the paths outside.
    pub fn with_outside(mut self) -> Self {
        self.outside = RestoredOutside::Restore;
        self
    }
}

/// What restoring a checkpoint did, or would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Restored {
    /// `staged` where work tree and index changed, `committed` where the branch moved, `nothing-to-do`.
    pub kind: OutcomeKind,
    /// The checkpoint.
    pub checkpoint: Checkpoint,
    /// The checkpoint that keeps what was there before; absent where nothing was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Checkpoint>,
    /// The name of the operation, which `rb undo` takes back; absent where nothing was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation_id: Option<String>,
    /// The files that were written or made.
    pub written: Vec<RepoPath>,
    /// The files that went, because they were not there then.
    pub removed: Vec<RepoPath>,
    /// Whether entries of the index changed.
    pub index_changed: bool,
    /// The operation of git that is in progress again, such as `a merge`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// The operation of git that was in progress before and is not any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation_put_aside: Option<String>,
    /// The branch that moved, or `HEAD`.
    #[serde(rename = "ref", default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<RepoPath>,
    /// Paths outside the repository that were put back, as far as nothing is said of a later failure.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outside: Vec<RepoPath>,
    /// Paths outside the repository that differ from the checkpoint and were left as they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outside_left: Vec<RepoPath>,
    /// What an earlier landing had left unfinished, and what became of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovered: Option<Recovery>,
    /// What failed after the state was there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub later_failure: Option<String>,
}

impl Repo {
    /// Brings work tree and index back to what they were, after a checkpoint of the present was made.
    ///
    /// # Writes
    /// That checkpoint; then as a landing does: work tree, index, the branch where asked for, the operation log and,
    /// where asked for, the paths outside.
    ///
    /// # Errors
    /// [`CheckpointError::Damaged`]; [`WorkTreeError::OperationInProgress`]; [`WorkTreeError::InTheWay`] where
    /// something was edited in this very moment; [`Error::Io`] where a path outside cannot be written to; the refusals
    /// of a landing.
    pub fn restore_checkpoint(&self, checkpoint: &Checkpoint, options: RestoreOptions) -> Result<Restored> {
        let recovered = self.recover()?;
        let operation = OperationId::random()?;
        let objects = self.objects();
        let Ready { landing, mut restored } = self.ready(&objects, checkpoint, options, &operation)?;
        if let Some(landing) = landing {
            let how = LandOptions { operation: Some(operation), ..LandOptions::default() };
            let landed = land(self, &landing, &how)?;
            restored.recovered = landed.recovered.into();
            restored.later_failure = landed.later_failure.map(|error| error.to_string());
        }
        restored.recovered = recovered.or(restored.recovered);
        Ok(restored)
    }

    /// Keeps the present, and makes the landing that leads from it to the checkpoint; none where they are the same.
    pub(crate) fn ready(
        &self,
        objects: &Objects,
        checkpoint: &Checkpoint,
        options: RestoreOptions,
        operation: &OperationId,
    ) -> Result<Ready> {
        let Comparison { draft, stored, mut restored, update, state_files } =
            self.compare(objects, checkpoint, options, Keeping::Store)?;
        let index_before = draft.index();
        if restored.kind == OutcomeKind::NothingToDo {
            return Ok(Ready { landing: None, restored });
        }
        let head_tree = draft.work_tree.as_ref().map_or(objects.empty_tree(), |taken| taken.tree);
        let outside = draft.outside_changes(objects, &stored, &restored.outside)?;
        // Before the present is kept, so that a refusal leaves nothing behind.
        check_outside(self, &outside)?;
        let before = self.keep_draft(objects, &format!("{MANUAL}/before-{operation}"), None, draft)?;
        restored.operation_id = Some(operation.to_string());
        let states = States { before: before.record_id, after: stored.record };
        restored.before = Some(before);
        let landing = match restored.changes_repository() {
            true => {
                let exact = self.exact(objects, &stored, index_before)?;
                let trees = (head_tree, stored.folder("work-tree").unwrap_or(objects.empty_tree()));
                self.landing_of(objects, (&stored, states), trees, (exact, update), &restored)?
            }
            false => self.landing_outside(objects, states, head_tree, &restored)?,
        };
        Ok(Ready { landing: Some(Landing { outside, state_files, ..landing }), restored })
    }

    /// Says what [`Repo::restore_checkpoint`] would do, refuses what it would refuse, and writes nothing.
    ///
    /// # Errors
    /// As [`Repo::restore_checkpoint`].
    pub fn check_restore(&self, checkpoint: &Checkpoint, options: RestoreOptions) -> Result<Restored> {
        let objects = self.objects();
        let Comparison { draft, stored, restored, update, state_files } =
            self.compare(&objects, checkpoint, options, Keeping::OnlyName)?;
        let head_tree = draft.work_tree.as_ref().map_or(objects.empty_tree(), |taken| taken.tree);
        let outside = draft.outside_changes(&objects, &stored, &restored.outside)?;
        let states = States { before: stored.record, after: stored.record };
        let landing = match restored.changes_repository() {
            true => {
                let exact = self.exact(&objects, &stored, draft.index())?;
                let trees = (head_tree, stored.folder("work-tree").unwrap_or(objects.empty_tree()));
                self.landing_of(&objects, (&stored, states), trees, (exact, update), &restored)?
            }
            false => self.landing_outside(&objects, states, head_tree, &restored)?,
        };
        check(self, &Landing { outside, state_files, ..landing })?;
        Ok(restored)
    }

    /// The present beside the checkpoint.
    fn compare(
        &self,
        objects: &Objects,
        checkpoint: &Checkpoint,
        options: RestoreOptions,
        keeping: Keeping,
    ) -> Result<Comparison> {
        self.verify_checkpoint(checkpoint, true)?.sound(checkpoint)?;
        refuse_unwritable(self, "restoring a checkpoint")?;
        operation::refuse_unkept(self)?;
        let stored = self.read_stored(checkpoint.record_id)?;
        let Some(tree) = stored.folder("work-tree") else {
            return Err(Error::BadRequest(format!(
                "checkpoint {} was made without a work tree and cannot be restored into one",
                checkpoint.full_name()
            )));
        };
        let known = verify::paths_of(objects, tree)?.into_iter().collect();
        let part = stored.manifest.work_tree.as_ref();
        let asked = CheckpointOptions {
            message: Some(format!("before restoring {}", checkpoint.full_name())),
            ignored: part.map(|part| part.ignored.clone()).unwrap_or_default(),
            outside: stored
                .manifest
                .outside
                .iter()
                .map(|part| system_path(&part.path))
                .collect::<Result<_>>()?,
            ..CheckpointOptions::default()
        };
        let draft = self.draft(objects, self.head_commit()?, &asked, &known, keeping)?;
        let update = self.branch_move(&stored, checkpoint, options.branch)?;
        let state_files = self.operation_between(&draft, &stored, checkpoint, update.as_ref())?;
        let mut restored =
            differences(objects, (&draft, &stored), checkpoint, (update.as_ref(), options.outside))?;
        restored.note_operation(&draft, &stored, &state_files);
        Ok(Comparison { draft, stored, restored, update, state_files })
    }

    /// The files of git's state that change. An operation comes back only where HEAD is as it was when it began: elsewhere
    /// its result would take back what HEAD has since.
    fn operation_between(
        &self,
        draft: &Draft,
        stored: &Stored,
        checkpoint: &Checkpoint,
        update: Option<&RefUpdate>,
    ) -> Result<Vec<StateFile>> {
        let now = draft.manifest.operation.as_deref().unwrap_or_default();
        let Some(then) = stored.manifest.operation.as_deref() else {
            return match operation::name(now) {
                Some(operation) => Err(WorkTreeError::OperationInProgress { operation }.into()),
                None => Ok(Vec::new()),
            };
        };
        let (began, head) = (stored.manifest.commit_id, self.head_commit()?);
        if let Some(operation) = operation::name(then)
            && update.is_none()
            && began != head
        {
            let checkpoint = checkpoint.full_name();
            return Err(CheckpointError::OperationElsewhere { checkpoint, operation, began, head }.into());
        }
        Ok(operation::changes(now, then))
    }

    fn branch_move(
        &self,
        stored: &Stored,
        checkpoint: &Checkpoint,
        wanted: BranchMove,
    ) -> Result<Option<RefUpdate>> {
        let (now, commit) = (self.head()?.name(), self.head_commit()?);
        if wanted == BranchMove::Stay {
            return Ok(None);
        }
        if now != stored.manifest.head {
            return Err(Error::BadRequest(format!(
                "HEAD is on {now}, and was on {} when checkpoint {} was made",
                stored.manifest.head,
                checkpoint.full_name()
            )));
        }
        Ok((commit != stored.manifest.commit_id).then(|| RefUpdate {
            name: now.as_bytes().into(),
            old: Some(commit),
            new: Some(stored.manifest.commit_id),
            reflog: format!("checkpoint: restore {}", checkpoint.full_name()).into(),
            committer: self.recorder(),
        }))
    }

    /// The index of a landing from one kept state to another.
    pub(crate) fn exchange(&self, from: TreeId, to: TreeId) -> Result<Exact> {
        let objects = self.objects();
        let from = self.read_stored(from)?;
        self.exact(&objects, &self.read_stored(to)?, from.index(&objects)?)
    }

    fn exact(&self, objects: &Objects, to: &Stored, index_before: Index) -> Result<Exact> {
        let files = to.files(objects)?;
        let present = self.read_index()?.index;
        let index_after = snapshot::settled(to.index(objects)?, &files, &present);
        let clean = files.into_iter().filter(|row| row.clean).map(|row| row.path).collect();
        let folders = BTreeSet::new();
        Ok(Exact { index_before, index_after, clean, folders, sides: LandingSides::WholeState })
    }

    fn landing_of(
        &self,
        objects: &Objects,
        (stored, states): (&Stored, States),
        (head_tree, result_tree): (TreeId, TreeId),
        (exact, reference): (Exact, Option<RefUpdate>),
        restored: &Restored,
    ) -> Result<Landing> {
        let log = self.logged_restore(restored, (head_tree, result_tree), states, reference.as_ref())?;
        let wanted: BTreeSet<_> = restored.written.iter().collect();
        let attributes: BTreeMap<_, _> = stored
            .files(objects)?
            .into_iter()
            .filter(|row| wanted.contains(&row.path))
            .map(|FileRow { path, attributes, .. }| (path, attributes))
            .collect();
        Ok(Landing {
            objects: objects.take_new(),
            reference,
            checkout: true,
            attributes,
            exact: Some(exact),
            log: Some(log),
            ..Landing::of_trees(head_tree, result_tree)
        })
    }

    /// The landing that changes nothing in the repository but its operation log.
    fn landing_outside(
        &self,
        objects: &Objects,
        states: States,
        tree: TreeId,
        restored: &Restored,
    ) -> Result<Landing> {
        Ok(Landing {
            objects: objects.take_new(),
            log: Some(self.logged_restore(restored, (tree, tree), states, None)?),
            ..Landing::of_trees(tree, tree)
        })
    }

    fn logged_restore(
        &self,
        restored: &Restored,
        (tree_before, tree_after): (TreeId, TreeId),
        records: States,
        reference: Option<&RefUpdate>,
    ) -> Result<LogDraft> {
        let mut receipt = serde_json::to_vec_pretty(restored)
            .map_err(|error| Error::internal("cannot write the receipt", error))?;
        receipt.push(b'\n');
        let commit = self.head_commit()?;
        let operation = LoggedOperation {
            version: LOG_VERSION,
            operation_id: restored.operation_id.clone().unwrap_or_default(),
            time: self.recorder().seconds,
            kind: kind::CHECKPOINT_RESTORE.into(),
            target: restored.checkpoint.full_name(),
            reference: self.head()?.name(),
            before: Some(commit),
            after: reference.map_or(Some(commit), |update| update.new),
            commit_ids: Vec::new(),
            staged: reference.is_none(),
            tree_before,
            tree_after,
            undoes: None,
            paths: Vec::new(),
            state_files: Vec::new(),
            states: restored.changes_repository().then(|| records.clone()),
            outside: (!restored.outside.is_empty())
                .then(|| LoggedOutside { records, paths: restored.outside.clone() }),
            edits: None,
            stopped: false,
            continues: None,
        };
        Ok(LogDraft::new(operation, receipt))
    }

    /// What has to change outside for what one record keeps to become what another one does.
    pub(crate) fn outside_between(&self, records: &States, paths: &[RepoPath]) -> Result<Vec<OutsideChange>> {
        let objects = self.objects();
        let (known, wanted) = (self.read_stored(records.before)?, self.read_stored(records.after)?);
        let sides = paths
            .iter()
            .filter_map(|path| Some(Sides { known: known.outside(path)?, wanted: wanted.outside(path)? }));
        sides.map(|sides| outside::change(&objects, sides)).collect()
    }
}

/// What is left to do when the present is kept.
pub(crate) struct Ready {
    pub(crate) landing: Option<Landing>,
    restored: Restored,
}

/// The present and the checkpoint.
struct Comparison {
    draft: Draft,
    stored: Stored,
    restored: Restored,
    update: Option<RefUpdate>,
    /// The files of git's state that change.
    state_files: Vec<StateFile>,
}

impl Draft {
    fn index(&self) -> Index {
        let empty = || Index::empty(gix::hash::Kind::Sha1);
        self.work_tree.as_ref().map_or_else(empty, |taken| taken.index.clone())
    }

    /// What has to change at these paths outside.
    fn outside_changes(
        &self,
        objects: &Objects,
        stored: &Stored,
        paths: &[RepoPath],
    ) -> Result<Vec<OutsideChange>> {
        let known = |path: &RepoPath| {
            let nth = self.manifest.outside.iter().position(|part| part.path == *path)?;
            Some((&self.manifest.outside[nth], self.outside_trees.get(nth)?.1))
        };
        let sides = paths
            .iter()
            .filter_map(|path| Some(Sides { known: known(path)?, wanted: stored.outside(path)? }));
        sides.map(|sides| outside::change(objects, sides)).collect()
    }
}

impl Stored {
    /// What it keeps of a path outside.
    fn outside(&self, path: &RepoPath) -> Option<(&OutsidePart, TreeId)> {
        let nth = self.manifest.outside.iter().position(|part| part.path == *path)?;
        Some((&self.manifest.outside[nth], self.folder(&format!("outside-{nth}"))?))
    }
}

impl Restored {
    fn changes_repository(&self) -> bool {
        let operation = self.operation.is_some() || self.operation_put_aside.is_some();
        let files = !self.written.is_empty() || !self.removed.is_empty();
        files || self.index_changed || self.reference.is_some() || operation
    }

    fn note_operation(&mut self, draft: &Draft, stored: &Stored, changed: &[StateFile]) {
        let name = |files: &Option<Vec<StateFile>>| {
            files.as_deref().and_then(operation::name).map(ToOwned::to_owned)
        };
        let heads =
            changed.iter().any(|file| file.name.ends_with("_HEAD") || file.name.starts_with("sequencer"));
        if heads {
            self.operation = name(&stored.manifest.operation);
            self.operation_put_aside = name(&draft.manifest.operation);
        }
        if self.kind == OutcomeKind::NothingToDo && self.changes_repository() {
            self.kind = OutcomeKind::Staged;
        }
    }
}

fn differences(
    objects: &Objects,
    (draft, stored): (&Draft, &Stored),
    checkpoint: &Checkpoint,
    (update, outside): (Option<&RefUpdate>, RestoredOutside),
) -> Result<Restored> {
    let empty = objects.empty_tree();
    let now = draft.work_tree.as_ref().map_or(empty, |taken| taken.tree);
    let then = stored.folder("work-tree").unwrap_or(empty);
    let changes = crate::history::paths_between(objects, now, then)?;
    let (written, removed): (Vec<_>, Vec<_>) = changes.into_iter().partition(|change| change.after.is_some());
    let (index, known) = (draft.index(), &draft.manifest.outside);
    let differing = stored.manifest.outside.iter().filter(|part| {
        let now = known.iter().find(|now| now.path == part.path);
        now.is_none_or(|now| !outside::is_same(now, part))
    });
    let differing: Vec<_> = differing.map(|part| part.path.clone()).collect();
    let (outside, outside_left) = match outside {
        RestoredOutside::Restore => (differing, Vec::new()),
        RestoredOutside::Leave => (Vec::new(), differing),
    };
    let mut restored = Restored {
        kind: OutcomeKind::Staged,
        checkpoint: checkpoint.clone(),
        before: None,
        operation_id: None,
        written: written.into_iter().map(|change| change.path).collect(),
        removed: removed.into_iter().map(|change| change.path).collect(),
        index_changed: !same_entries(&index, &stored.index(objects)?),
        operation: None,
        operation_put_aside: None,
        reference: update.map(|update| RepoPath::new(update.name.as_slice())),
        outside,
        outside_left,
        recovered: None,
        later_failure: None,
    };
    if restored.reference.is_some() {
        restored.kind = OutcomeKind::Committed;
    } else if !restored.changes_repository() && restored.outside.is_empty() {
        restored.kind = OutcomeKind::NothingToDo;
    }
    Ok(restored)
}

fn system_path(path: &RepoPath) -> Result<std::path::PathBuf> {
    path.to_relative_path().map(std::borrow::Cow::into_owned).ok_or_else(|| {
        PathError::Invalid { path: path.to_string(), why: "this system cannot spell it" }.into()
    })
}
