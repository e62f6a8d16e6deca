//! Bringing back what is edited or deleted and not committed.
//!
//! The present is kept first: the operation log holds the bytes, permissions and times of every file that is replaced
//! and all that the index had at its path, so that `rb undo` brings the edits back. No commit is made and no reference
//! moves but that of the log.
//!
//! What comes back is the committed state, in work tree and index; for a file that was added and never committed, what
//! is staged; and while git is in the middle of an operation, what is staged for every file, because the index holds
//! that operation's result. Files that git does not track are left alone unless they stand in the place of what comes
//! back.

mod look;

use std::collections::BTreeSet;
use std::io::Cursor;

use serde::{Deserialize, Serialize};

use self::look::{Found, FoundPath};
use crate::apply::log::{EditsSide, LOG_VERSION, LogDraft, LoggedEdits, LoggedOperation};
use crate::apply::{
    BlobStore, FileBytes, FileKind, Folder, Keeping, LandOptions, Landing, Parent, check, entries_at, land,
    parent_of, refuse_unwritable,
};
use crate::error::{Error, InTheWay, Result, WorkTreeError};
use crate::id::CommitId;
use crate::journal::IndexedPath;
use crate::operation::{OperationId, kind};
use crate::path::RepoPath;
use crate::receipt::{Outcome, OutcomeKind};
use crate::repo::config::Settings;
use crate::repo::{Edits, Objects, Repo};

/// Which paths are brought back, and to what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct UncommittedTarget {
    /// The paths, each with all below it.
    pub paths: Vec<RepoPath>,
    /// The state that comes back.
    pub state: KnownState,
}

impl UncommittedTarget {
    /// These paths, as far as git knows them.
    pub fn of(paths: impl IntoIterator<Item = RepoPath>) -> Self {
        Self { paths: paths.into_iter().collect(), state: KnownState::default() }
    }

    /// The same paths exactly as HEAD has them.
    pub fn as_in_head(mut self, added: Added) -> Self {
        self.state = KnownState::Head(added);
        self
    }
}

/// The state that comes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum KnownState {
    /// What is committed, else what is staged.
    #[default]
    Newest,
    /// What HEAD has.
    Head(Added),
}

/// What becomes of files that were added to the index and that HEAD does not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Added {
    /// They go, as from any folder that is restored exactly.
    #[default]
    Remove,
    /// They stay.
    Keep,
}

/// What was brought back, or would be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct RestoredUncommitted {
    /// What HEAD is on: a branch, or `HEAD` where it is detached.
    #[serde(rename = "ref")]
    pub reference: RepoPath,
    /// The commit that HEAD is at; absent before the first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit_id: Option<CommitId>,
    /// The paths that were brought back.
    pub paths: Vec<RestoredPath>,
    /// Paths that were named and hold nothing that is not committed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unchanged: Vec<RepoPath>,
    /// What happened: `staged`, or `nothing-to-do`.
    pub outcome: Outcome,
}

/// One path that was brought back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct RestoredPath {
    /// The path.
    pub path: RepoPath,
    /// What the work tree had there before.
    pub file: FileBefore,
    /// Whether the index had something else than what came back.
    pub staged: bool,
    /// Where the content came from; absent where the path went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<TakenFrom>,
}

/// What the work tree had at a path that was brought back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FileBefore {
    /// A file with other content or another mode.
    Edited,
    /// No file.
    Deleted,
    /// The very file; only the index differed.
    Same,
    /// Something that stood in the way of what came back, and went.
    InTheWay,
}

/// Where content came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum TakenFrom {
    /// The commit that HEAD is at.
    Head,
    /// The index.
    Index,
}

impl Repo {
    /// Whether HEAD has at all these paths, which exist, the very thing that another revision has there.
    ///
    /// # Errors
    /// [`RevisionError::Unknown`](crate::error::RevisionError::Unknown) and its kin.
    pub fn head_has(&self, revision: &str, paths: &[RepoPath]) -> Result<bool> {
        let objects = self.objects();
        let Some(head) = self.head()?.commit() else { return Ok(false) };
        let (head, other) = (objects.commit(head)?.tree, self.resolve_commit(revision)?);
        let other = objects.commit(other)?.tree;
        for path in paths {
            match (objects.entry_at(head, path)?, objects.entry_at(other, path)?) {
                (Some(here), Some(there)) if here.same_as(&there) => {}
                _ => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Brings back what is edited or deleted at these paths and not committed, after the present was kept in the operation
    /// log.
    ///
    /// # Writes
    /// The bytes that are replaced, as blobs; then as a landing does: work tree, index and the operation log.
    ///
    /// # Errors
    /// [`PathError::NotTracked`] for a path that neither HEAD nor the index has, [`PathError::NeverExisted`] for one
    /// that no commit had either, [`PathError::KeptOut`] for one that is kept out of the work tree,
    /// [`WorkTreeError::Unmerged`] for conflicts, [`WorkTreeError::InTheWay`] for what stands above a path or cannot be
    /// kept, and the refusals of a landing.
    ///
    /// [`PathError::NotTracked`]: crate::error::PathError::NotTracked
    /// [`PathError::NeverExisted`]: crate::error::PathError::NeverExisted
    /// [`PathError::KeptOut`]: crate::error::PathError::KeptOut
    pub fn restore_uncommitted(&self, target: &UncommittedTarget) -> Result<RestoredUncommitted> {
        let recovered = self.recover()?;
        let objects = self.objects();
        let found = self.look_at_uncommitted(&objects, target)?;
        let mut restored = found.document(self)?;
        restored.outcome.recovered = recovered;
        if found.paths.is_empty() {
            return Ok(restored);
        }
        let operation = OperationId::random()?;
        restored.outcome.operation_id = Some(operation.to_string());
        self.keep_bytes(&found)?;
        let landing = self.landing_of_uncommitted(&objects, found, target, &restored)?;
        let how = LandOptions { operation: Some(operation), ..LandOptions::default() };
        let landed = land(self, &landing, &how)?;
        restored.outcome.recovered = restored.outcome.recovered.or(landed.recovered.into());
        restored.outcome.later_failure = landed.later_failure.map(|error| error.to_string());
        Ok(restored)
    }

    /// Says what [`Repo::restore_uncommitted`] would do, refuses what it would refuse, and writes nothing.
    ///
    /// # Errors
    /// As [`Repo::restore_uncommitted`].
    pub fn check_restore_uncommitted(&self, target: &UncommittedTarget) -> Result<RestoredUncommitted> {
        let objects = self.objects();
        let found = self.look_at_uncommitted(&objects, target)?;
        let restored = found.document(self)?;
        if !found.paths.is_empty() {
            check(self, &self.landing_of_uncommitted(&objects, found, target, &restored)?)?;
        }
        Ok(restored)
    }

    fn look_at_uncommitted(&self, objects: &Objects, target: &UncommittedTarget) -> Result<Found> {
        refuse_unwritable(self, "bringing back files")?;
        if target.state != KnownState::Newest
            && let Some(operation) = self.git_operation_in_progress()
        {
            return Err(WorkTreeError::OperationInProgress { operation }.into());
        }
        look::look(self, objects, target)
    }

    /// Stores the bytes of the files that will be replaced.
    fn keep_bytes(&self, found: &Found) -> Result<()> {
        let settings = Settings::of(self)?;
        let mut blobs = BlobStore::new(self, &settings, Keeping::Store);
        for (path, entry) in found.paths.iter().filter_map(|one| Some((&one.path, one.raw?))) {
            let failed = |error| Error::io("read", path.to_string(), error);
            let kept = keep(&mut blobs, &found.root, path).map_err(failed)?;
            if kept != Some(entry.id) {
                return Err(
                    WorkTreeError::InTheWay { reason: InTheWay::Edited, paths: vec![path.clone()] }.into()
                );
            }
        }
        blobs.finish()
    }

    fn landing_of_uncommitted(
        &self,
        objects: &Objects,
        found: Found,
        target: &UncommittedTarget,
        restored: &RestoredUncommitted,
    ) -> Result<Landing> {
        let empty = objects.empty_tree();
        let tree_before = objects.edit_tree(empty, &found.files(|one| one.raw))?;
        let tree_after = objects.edit_tree(empty, &found.files(|one| one.to_write()))?;
        let mut edits = found.edits();
        edits.keep(objects)?;
        let exact = edits.exact(found.index)?;
        let mut receipt = serde_json::to_vec_pretty(restored)
            .map_err(|error| Error::internal("cannot write the receipt", error))?;
        receipt.push(b'\n');
        let names: Vec<_> = target.paths.iter().map(name_of).collect();
        let operation = LoggedOperation {
            version: LOG_VERSION,
            operation_id: restored.outcome.operation_id.clone().unwrap_or_default(),
            time: self.recorder().seconds,
            kind: kind::RESTORE_UNCOMMITTED.into(),
            target: names.join(", "),
            reference: restored.reference.clone(),
            before: restored.commit_id,
            after: restored.commit_id,
            commit_ids: Vec::new(),
            staged: true,
            tree_before,
            tree_after,
            undoes: None,
            paths: Vec::new(),
            state_files: Vec::new(),
            states: None,
            outside: None,
            edits: Some(edits),
            stopped: false,
            continues: None,
        };
        Ok(Landing {
            objects: objects.take_new(),
            checkout: true,
            exact: Some(exact),
            log: Some(LogDraft::new(operation, receipt)),
            ..Landing::of_trees(tree_before, tree_after)
        })
    }
}

fn name_of(path: &RepoPath) -> String {
    if path.is_root() { ".".to_owned() } else { path.to_string() }
}

/// Stores the bytes of a file or link; `None` where it is neither any more.
fn keep(
    blobs: &mut BlobStore<'_>,
    root: &Folder,
    path: &RepoPath,
) -> std::io::Result<Option<crate::id::ObjectId>> {
    let Parent::Open(parent) = parent_of(root, path)? else { return Ok(None) };
    let name = path.file_name();
    let Some(info) = parent.info(name)? else { return Ok(None) };
    match info.kind {
        FileKind::Symlink => {
            let target = parent.read_link(name)?;
            let size = target.len() as u64;
            blobs.keep(&mut Cursor::new(target), size, &mut |_| {})
        }
        FileKind::File { .. } => blobs.keep(&mut parent.open_file(name)?, info.size, &mut |_| {}),
        FileKind::Folder | FileKind::Other => Ok(None),
    }
}

impl Found {
    fn document(&self, repo: &Repo) -> Result<RestoredUncommitted> {
        let head = repo.head()?;
        let kind = if self.paths.is_empty() { OutcomeKind::NothingToDo } else { OutcomeKind::Staged };
        Ok(RestoredUncommitted {
            reference: head.name(),
            commit_id: head.commit(),
            paths: self.paths.iter().map(FoundPath::document).collect(),
            unchanged: self.unchanged.clone(),
            outcome: Outcome::of(kind),
        })
    }

    /// The files of one side of the landing, as far as they change.
    fn files(&self, side: impl Fn(&FoundPath) -> Option<crate::id::Entry>) -> Edits {
        self.paths.iter().filter_map(|one| Some((one.path.clone(), Some(side(one)?)))).collect()
    }

    fn edits(&self) -> LoggedEdits {
        let rows = |after: bool| -> Vec<IndexedPath> {
            let row = |one: &FoundPath| IndexedPath {
                path: one.path.clone(),
                entries: if after { one.index_after() } else { entries_at(&self.index, &one.path) },
            };
            self.paths.iter().map(row).collect()
        };
        let paths = |wanted: &dyn Fn(&FoundPath) -> bool| -> BTreeSet<RepoPath> {
            self.paths.iter().filter(|one| wanted(one)).map(|one| one.path.clone()).collect()
        };
        LoggedEdits {
            before: EditsSide {
                files: FileBytes::AsTheyAre,
                index: rows(false),
                clean: paths(&|one| one.clean_in_index),
                folders: self.folders.clone(),
                kept: Vec::new(),
            },
            after: EditsSide {
                files: FileBytes::AsGitKeepsThem,
                index: rows(true),
                clean: paths(&|one| one.wanted.is_some()),
                folders: BTreeSet::new(),
                kept: Vec::new(),
            },
        }
    }
}
