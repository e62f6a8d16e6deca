//! Coming back to a checkpoint: work tree and index become what they were, after the present was kept as a checkpoint
//! of its own.
//!
//! It is a landing like any other, with the journal and the swaps of `apply`, and an operation that `rb undo` takes
//! back. No branch moves unless that is asked for. Paths outside the repository follow last, each file by itself.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::document::{Checkpoint, FileRow, OutsidePart};
use super::outside::{self, Restorer};
use super::{CheckpointOptions, Draft, MANUAL, Stored, snapshot, verify};
use crate::apply::log::{LOG_VERSION, LogDraft, LoggedOperation, States};
use crate::apply::{
    Exact, Keeping, LandOptions, Landing, Need, RefUpdate, check, land, preflight, same_entries,
};
use crate::error::{Error, Result};
use crate::id::{CommitId, TreeId};
use crate::operation::OperationId;
use crate::path::RepoPath;
use crate::receipt::{OutcomeKind, Recovery};
use crate::repo::config::Settings;
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

/// Whether paths outside the repository are put back. That writes where rb writes nothing otherwise, so that somebody
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
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
    /// The branch that moved, or `HEAD`.
    #[serde(rename = "ref", default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<RepoPath>,
    /// Paths outside the repository that were put back.
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
    /// That checkpoint; then as a landing does: work tree, index, the branch where asked for, the operation log; then,
    /// where asked for, the paths outside.
    ///
    /// # Errors
    /// [`Error::DamagedCheckpoint`]; [`Error::OperationInProgress`]; [`Error::InTheWay`] where something was edited in
    /// this very moment; the refusals of a landing.
    pub fn restore_checkpoint(&self, checkpoint: &Checkpoint, options: RestoreOptions) -> Result<Restored> {
        let recovered = self.recover()?;
        let operation = OperationId::random()?;
        let objects = self.objects();
        let Ready { landing, stored, known, mut restored } =
            self.ready(&objects, checkpoint, options, &operation)?;
        if let Some(landing) = landing {
            let how = LandOptions { operation: Some(operation), ..LandOptions::default() };
            let landed = land(self, &landing, &how)?;
            restored.recovered = landed.recovered.into();
            restored.later_failure = landed.later_failure.map(|error| error.to_string());
        }
        restored.recovered = recovered.or(restored.recovered);
        if let Err(error) = self.put_outside_back(&objects, &stored, &known, &mut restored) {
            restored.later_failure.get_or_insert(error.to_string());
        }
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
        let Comparison { draft, stored, mut restored, update } =
            self.compare(objects, checkpoint, options, Keeping::Store)?;
        let (index_before, known) = draft.parts();
        if restored.kind == OutcomeKind::NothingToDo {
            return Ok(Ready { landing: None, stored, known, restored });
        }
        let head_tree = draft.work_tree.as_ref().map_or(objects.empty_tree(), |taken| taken.tree);
        let before = self.keep_draft(objects, &format!("{MANUAL}/before-{operation}"), None, draft)?;
        restored.operation_id = Some(operation.to_string());
        let states = States { before: before.record_id, after: stored.record };
        restored.before = Some(before);
        let mut landing = None;
        if restored.changes_repository() {
            let exact = self.exact(objects, &stored, index_before)?;
            let trees = (head_tree, stored.folder("work-tree").unwrap_or(objects.empty_tree()));
            landing = Some(self.landing_of(objects, (&stored, states), trees, (exact, update), &restored)?);
        }
        Ok(Ready { landing, stored, known, restored })
    }

    /// Says what [`Repo::restore_checkpoint`] would do, refuses what it would refuse, and writes nothing.
    ///
    /// # Errors
    /// As [`Repo::restore_checkpoint`].
    pub fn check_restore(&self, checkpoint: &Checkpoint, options: RestoreOptions) -> Result<Restored> {
        let objects = self.objects();
        let Comparison { draft, stored, restored, update } =
            self.compare(&objects, checkpoint, options, Keeping::OnlyName)?;
        if restored.changes_repository() {
            let (index_before, _) = draft.parts();
            let exact = self.exact(&objects, &stored, index_before)?;
            let head_tree = draft.work_tree.as_ref().map_or(objects.empty_tree(), |taken| taken.tree);
            let trees = (head_tree, stored.folder("work-tree").unwrap_or(objects.empty_tree()));
            let states = States { before: stored.record, after: stored.record };
            check(self, &self.landing_of(&objects, (&stored, states), trees, (exact, update), &restored)?)?;
        }
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
        let work_tree = Some("restoring a checkpoint");
        preflight(self, Need { work_tree, identity: false, continues: false })?;
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
        let restored =
            differences(objects, (&draft, &stored), checkpoint, (update.as_ref(), options.outside))?;
        Ok(Comparison { draft, stored, restored, update })
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
    pub(crate) fn exchange(&self, from: CommitId, to: CommitId) -> Result<Exact> {
        let objects = self.objects();
        let from = self.read_stored(from)?;
        self.exact(&objects, &self.read_stored(to)?, from.index(&objects)?)
    }

    fn exact(&self, objects: &Objects, to: &Stored, index_before: Index) -> Result<Exact> {
        let files = to.files(objects)?;
        let present = self.read_index()?.index;
        let index_after = snapshot::settled(to.index(objects)?, &files, &present);
        let clean = files.into_iter().filter(|row| row.clean).map(|row| row.path).collect();
        Ok(Exact { index_before, index_after, clean })
    }

    fn landing_of(
        &self,
        objects: &Objects,
        (stored, states): (&Stored, States),
        (head_tree, result_tree): (TreeId, TreeId),
        (exact, reference): (Exact, Option<RefUpdate>),
        restored: &Restored,
    ) -> Result<Landing> {
        let committer = self.recorder();
        let mut receipt = serde_json::to_vec_pretty(restored)
            .map_err(|error| Error::internal("cannot write the receipt", error))?;
        receipt.push(b'\n');
        let commit = self.head_commit()?;
        let operation = LoggedOperation {
            version: LOG_VERSION,
            operation_id: restored.operation_id.clone().unwrap_or_default(),
            time: committer.seconds,
            kind: "checkpoint-restore".into(),
            target: restored.checkpoint.full_name(),
            reference: self.head()?.name(),
            before: Some(commit),
            after: reference.as_ref().map_or(Some(commit), |update| update.new),
            commit_ids: Vec::new(),
            staged: reference.is_none(),
            tree_before: head_tree,
            tree_after: result_tree,
            undoes: None,
            paths: Vec::new(),
            state_files: Vec::new(),
            states: Some(states),
        };
        let wanted: BTreeSet<_> = restored.written.iter().collect();
        let attributes: BTreeMap<_, _> = stored
            .files(objects)?
            .into_iter()
            .filter(|row| wanted.contains(&row.path))
            .map(|FileRow { path, attributes, .. }| (path, attributes))
            .collect();
        Ok(Landing {
            objects: objects.take_new(),
            head_tree,
            result_tree,
            reference,
            checkout: true,
            state_files: Vec::new(),
            index_stages: Vec::new(),
            attributes,
            absent: Default::default(),
            flags: BTreeMap::new(),
            exact: Some(exact),
            log: Some(LogDraft { operation, receipt, committer }),
        })
    }

    fn put_outside_back(
        &self,
        objects: &Objects,
        stored: &Stored,
        known: &[OutsidePart],
        restored: &mut Restored,
    ) -> Result<()> {
        let settings = Settings::of(self)?;
        let operation = restored.operation_id.clone().unwrap_or_default();
        let wanted = std::mem::take(&mut restored.outside);
        for (nth, part) in stored.manifest.outside.iter().enumerate() {
            let Some(now) = known.iter().find(|now| now.path == part.path) else { continue };
            let Some(tree) = stored.folder(&format!("outside-{nth}")) else { continue };
            if wanted.contains(&part.path) {
                let restorer = Restorer {
                    objects,
                    settings: &settings,
                    known: now,
                    wanted: part,
                    tree,
                    operation: &operation,
                };
                restorer.restore()?;
                restored.outside.push(part.path.clone());
            }
        }
        Ok(())
    }
}

/// What is left to do when the present is kept.
pub(crate) struct Ready {
    pub(crate) landing: Option<Landing>,
    stored: Stored,
    known: Vec<OutsidePart>,
    restored: Restored,
}

/// The present and the checkpoint.
struct Comparison {
    draft: Draft,
    stored: Stored,
    restored: Restored,
    update: Option<RefUpdate>,
}

impl Draft {
    fn parts(&self) -> (Index, Vec<OutsidePart>) {
        let empty = || Index::empty(gix::hash::Kind::Sha1);
        let index = self.work_tree.as_ref().map_or_else(empty, |taken| taken.index.clone());
        (index, self.manifest.outside.clone())
    }
}

impl Restored {
    fn changes_repository(&self) -> bool {
        !self.written.is_empty() || !self.removed.is_empty() || self.index_changed || self.reference.is_some()
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
    let (index, known) = draft.parts();
    let differing = stored.manifest.outside.iter().filter(|part| {
        let now = known.iter().find(|now| now.path == part.path);
        now.is_none_or(|now| outside::difference(now, part) != outside::Difference::default())
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
    path.to_relative_path()
        .map(std::borrow::Cow::into_owned)
        .ok_or_else(|| Error::InvalidPath { path: path.to_string(), why: "this system cannot spell it" })
}
