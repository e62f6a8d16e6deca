//! Checkpoints: states to come back to, by name.
//!
//! A checkpoint is a tree. It has what it says of itself (`checkpoint.json`), the bytes of every file of the work tree
//! (`work-tree`) with permissions and times (`files.json`), the index as a file (`index`) and as trees (`index-<stage>`),
//! so that garbage collection keeps what only the index names, and copies of paths outside the repository
//! (`outside-<number>`). It keeps the files of a merge, pick or revert in progress too, and the commits that these name.
//! A record of rb's own says which tree has which name. No reference names the tree, so that no push publishes it: it is
//! kept as everything is that records name (`apply::keep`).
//!
//! What git ignores is taken along only where it is named. Submodules and repositories of their own are never entered.
//! Nothing is restored but by the one room that lands results.
//!
//! ```
//! # let folder = tempfile::tempdir()?;
//! # let repo = rollback_core::guide::sample(folder.path().join("r"))?;
//! use rollback_core::checkpoint::{CheckpointOptions, MANUAL, RestoreOptions};
//!
//! std::fs::write(folder.path().join("r/notes"), "not tracked\n")?;
//! let kept = repo.create_checkpoint(MANUAL, "before-release", &CheckpointOptions::default())?;
//! assert_eq!(kept.full_name(), "manual/before-release");
//! assert_eq!(kept.work_tree.as_ref().map(|part| part.untracked), Some(1));
//! assert!(repo.verify_checkpoint(&kept, true)?.problems.is_empty());
//!
//! std::fs::remove_file(folder.path().join("r/notes"))?;
//! repo.restore_checkpoint(&repo.find_checkpoint("before-release")?, RestoreOptions::default())?;
//! assert_eq!(std::fs::read_to_string(folder.path().join("r/notes"))?, "not tracked\n");
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

mod document;
pub(crate) mod operation;
mod outside;
mod restore;
mod snapshot;
mod verify;
mod walk;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use self::document::{FileRow, Manifest, Named, VERSION};
use crate::apply::{Keeping, same_entries};
use crate::error::{CheckpointError, Error, RepositoryError, Result, RevisionError};
use crate::id::{CommitId, Entry, EntryMode, TreeId};
use crate::journal::StateFile;
use crate::path::RepoPath;
use crate::record::{Files, RecordKind, Revision, UnreadableRecord};
use crate::repo::config::Settings;
use crate::repo::index::Index;
use crate::repo::refs::Head;
use crate::repo::{Objects, Repo, Tree, TreeEntry};

pub use document::{Checkpoint, OutsideEntry, OutsideKind, OutsidePart, Skipped, WorkTreePart};
pub use restore::{BranchMove, RestoreOptions, Restored, RestoredOutside};
pub use verify::Verified;

/// The scope of checkpoints that people make.
pub const MANUAL: &str = "manual";

/// What a checkpoint takes along.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckpointOptions {
    /// The commit that it is about; HEAD's where absent.
    pub commit: Option<CommitId>,
    /// What its maker has to say.
    pub message: Option<String>,
    /// Ignored paths that are taken along, with all below them.
    pub ignored: Vec<RepoPath>,
    /// Paths outside the repository, from the root of the file system on.
    pub outside: Vec<PathBuf>,
    /// What becomes of a checkpoint of the same name.
    pub existing: Existing,
}

impl CheckpointOptions {
    /// Of a commit.
    pub fn at(commit: CommitId) -> Self {
        Self { commit: Some(commit), ..Self::default() }
    }

    /// The same with paths outside the repository.
    pub fn with_outside(mut self, outside: impl IntoIterator<Item = PathBuf>) -> Self {
        self.outside = outside.into_iter().collect();
        self
    }

    /// The same with ignored paths.
    pub fn with_ignored(mut self, ignored: impl IntoIterator<Item = RepoPath>) -> Self {
        self.ignored = ignored.into_iter().collect();
        self
    }

    /// The same with a message.
    pub fn with_message(mut self, message: Option<String>) -> Self {
        self.message = message;
        self
    }

    /// The same in place of an older one of the same commit.
    pub fn following(mut self) -> Self {
        self.existing = Existing::Follow;
        self
    }
}

/// What becomes of a checkpoint of the same name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Existing {
    /// The new one is refused.
    #[default]
    Refuse,
    /// Where it is about the same commit: the same state is not kept twice, another one follows it and keeps it.
    Follow,
}

impl Repo {
    /// Keeps the state of HEAD, index and work tree under a name.
    ///
    /// # Writes
    /// Blobs and trees, what keeps them, and a record.
    ///
    /// # Errors
    /// [`CheckpointError::Exists`]; [`CheckpointError::BadName`]; [`Error::BadRequest`] for a path outside that cannot
    /// be taken along; [`RevisionError::Unborn`] where there is no commit yet;
    /// [`WorkTreeError::OperationInProgress`](crate::error::WorkTreeError::OperationInProgress) in the middle of a
    /// rebase or of `git am`; [`Error::Io`] for what cannot be read, or changed while it was.
    pub fn create_checkpoint(
        &self,
        scope: &str,
        name: &str,
        options: &CheckpointOptions,
    ) -> Result<Checkpoint> {
        self.recover()?;
        // Read, so that what cannot be is refused now and not when it is needed.
        let commit = match options.commit {
            Some(given) => self.objects().commit(given)?.id,
            None => self.head_commit()?,
        };
        let full_name = format!("{scope}/{name}");
        check_name(name)?;
        let (existing, revision) = self.stored_by_name(scope, name)?.unzip();
        if let Some(found) = &existing
            && (options.existing == Existing::Refuse || found.commit_id != commit)
        {
            return Err(CheckpointError::Exists { name: found.full_name(), commit: found.commit_id }.into());
        }
        let objects = self.objects();
        let draft = self.draft(&objects, commit, options, &BTreeSet::new(), Keeping::Store)?;
        if let Some(found) = existing.as_ref()
            && draft.is_same_state_as(&self.read_stored(found.record_id)?, &objects)?
        {
            return Ok(found.clone());
        }
        self.keep_draft(&objects, &full_name, revision, draft)
    }

    /// The checkpoint of this name.
    ///
    /// # Errors
    /// [`CheckpointError::Damaged`] and its kin where it cannot be read.
    pub fn checkpoint(&self, scope: &str, name: &str) -> Result<Option<Checkpoint>> {
        Ok(self.stored_by_name(scope, name)?.map(|(checkpoint, _)| checkpoint))
    }

    fn stored_by_name(&self, scope: &str, name: &str) -> Result<Option<(Checkpoint, Revision)>> {
        let full_name = format!("{scope}/{name}");
        let Some(record) = self.read_record(RecordKind::Checkpoint, &full_name)? else { return Ok(None) };
        let damaged = |why: String| {
            Error::from(CheckpointError::Damaged { name: full_name.clone(), problems: vec![why] })
        };
        let text = record.files.get(CHECKPOINT_FILE).map(Vec::as_slice).unwrap_or_default();
        let named: Named = serde_json::from_slice(text)
            .map_err(|error| damaged(format!("its record cannot be read: {error}")))?;
        if named.version > VERSION {
            return Err(newer(named.version, &full_name));
        }
        Ok(Some((self.read_stored(named.tree)?.document(&full_name), record.revision)))
    }

    /// The checkpoint that is meant by `scope/name`, or by a name alone: one that people made, or the only one.
    ///
    /// # Errors
    /// [`CheckpointError::Unknown`], [`RevisionError::Ambiguous`].
    pub fn find_checkpoint(&self, spec: &str) -> Result<Checkpoint> {
        if let Some((scope, name)) = spec.split_once('/')
            && let Some(found) = self.checkpoint(scope, name)?
        {
            return Ok(found);
        }
        if let Some(found) = self.checkpoint(MANUAL, spec)? {
            return Ok(found);
        }
        let names = self.record_ids(RecordKind::Checkpoint)?;
        let mut found: Vec<_> =
            names.iter().filter_map(|full| full.split_once('/')).filter(|(_, name)| *name == spec).collect();
        match (found.pop(), found.is_empty()) {
            (Some((scope, name)), true) => self
                .checkpoint(scope, name)?
                .ok_or_else(|| CheckpointError::Unknown { name: spec.to_owned() }.into()),
            (Some(last), false) => {
                found.push(last);
                let candidates = found.iter().map(|(scope, name)| format!("{scope}/{name}")).collect();
                Err(RevisionError::Ambiguous { spec: spec.to_owned(), candidates }.into())
            }
            (None, _) => Err(CheckpointError::Unknown { name: spec.to_owned() }.into()),
        }
    }

    /// The checkpoints of a procedure or, under `manual`, of people, by name; of all where no scope is given. One that
    /// cannot be read is passed over; [`Repo::unreadable_checkpoints`] names it.
    ///
    /// # Errors
    /// [`Error::Io`] where the folder of records cannot be read.
    pub fn checkpoints(&self, scope: Option<&str>) -> Result<Vec<Checkpoint>> {
        let names = self.record_ids(RecordKind::Checkpoint)?;
        let wanted = names
            .iter()
            .filter_map(|full| full.split_once('/'))
            .filter(|(found, _)| scope.is_none_or(|scope| scope == *found));
        Ok(wanted.filter_map(|(scope, name)| self.checkpoint(scope, name).ok().flatten()).collect())
    }

    /// The checkpoints that cannot be read, and why. The others are not concerned.
    ///
    /// # Errors
    /// As [`Repo::checkpoints`].
    pub fn unreadable_checkpoints(&self) -> Result<Vec<UnreadableRecord>> {
        let kind = RecordKind::Checkpoint;
        let read = |id: &String| {
            let (scope, name) = id.split_once('/').unwrap_or((MANUAL, id));
            self.checkpoint(scope, name).err().map(|error| self.unreadable(kind, id, &error))
        };
        Ok(self.record_ids(kind)?.iter().filter_map(read).collect())
    }

    /// Forgets a checkpoint; git's garbage collection takes what nothing else names.
    ///
    /// # Writes
    /// The record goes, and what it kept is kept no more.
    ///
    /// # Errors
    /// [`CheckpointError::Unknown`] where it is not what it was a moment ago.
    pub fn drop_checkpoint(&self, checkpoint: &Checkpoint) -> Result<()> {
        let full_name = checkpoint.full_name();
        let found = self.checkpoint(&checkpoint.scope, &checkpoint.name)?;
        if found.is_none_or(|found| found.record_id != checkpoint.record_id) {
            return Err(CheckpointError::Unknown { name: full_name }.into());
        }
        self.remove_records(RecordKind::Checkpoint, std::slice::from_ref(&full_name))?;
        let owner = owner(&full_name);
        self.stop_keeping(&|kept| kept != owner)
    }

    fn head_commit(&self) -> Result<CommitId> {
        match self.head()? {
            Head::Detached(commit) | Head::Branch { commit: Some(commit), .. } => Ok(commit),
            Head::Branch { name, commit: None } => {
                Err(RevisionError::Unborn { branch: name.to_string() }.into())
            }
        }
    }

    /// The present state in memory; blobs are stored where that is wanted.
    fn draft(
        &self,
        objects: &Objects,
        commit: CommitId,
        options: &CheckpointOptions,
        known: &BTreeSet<RepoPath>,
        keeping: Keeping,
    ) -> Result<Draft> {
        let settings = Settings::of(self)?;
        let mut trees = Vec::new();
        let mut copied = Vec::new();
        for (nth, path) in self.outside_paths(&options.outside)?.iter().enumerate() {
            let (part, tree) = outside::copy(self, objects, &settings, path, keeping)?;
            copied.push(part);
            trees.push((format!("outside-{nth}"), tree));
        }
        let work_tree = match walk::root_of(self)? {
            Some(root) => {
                let named = walk::Named { paths: &options.ignored, known };
                Some(snapshot::take(self, objects, &root, &settings, named, keeping)?)
            }
            None => None,
        };
        let manifest = Manifest {
            version: VERSION,
            commit_id: commit,
            head: self.head()?.name(),
            time: self.recorder().seconds,
            message: options.message.clone(),
            operation: Some(operation::take(self)?),
            work_tree: work_tree.as_ref().map(|taken| taken.part.clone()),
            outside: copied,
        };
        Ok(Draft { manifest, work_tree, outside_trees: trees })
    }

    fn outside_paths(&self, paths: &[PathBuf]) -> Result<BTreeSet<RepoPath>> {
        paths.iter().map(|path: &PathBuf| outside::check(self, Path::new(path))).collect()
    }

    /// Stores a draft under a name. Objects first, then what keeps them, then the record that counts.
    fn keep_draft(
        &self,
        objects: &Objects,
        full_name: &str,
        revision: Option<Revision>,
        draft: Draft,
    ) -> Result<Checkpoint> {
        let rows = draft.rows(objects)?.into_iter();
        let entries = rows.map(|(name, entry)| TreeEntry { name: name.into(), entry }).collect();
        let tree = objects.write_tree(&Tree { entries })?;
        let operation = draft.manifest.operation.as_deref().unwrap_or_default();
        let named = operation::commits(self, operation).into_iter().map(|id| id.0);
        let named: Vec<_> = named.filter(|id| objects.has(*id)).collect();
        self.store_objects(&objects.take_new())?;
        // An object that was there already may be damaged: what is kept is read back.
        let made = document(draft.manifest, tree, full_name);
        self.verify_checkpoint(&made, true)?.sound(&made)?;
        self.keep_alive(&owner(full_name), &[&[tree.0, made.commit_id.0], named.as_slice()].concat())?;
        let text = serde_json::to_vec(&Named { version: VERSION, tree })
            .map_err(|error| Error::internal("cannot write a checkpoint", error))?;
        let files = Files::from([(CHECKPOINT_FILE.to_owned(), text)]);
        self.write_record(RecordKind::Checkpoint, full_name, revision, &files)?;
        Ok(made)
    }

    fn read_stored(&self, record: TreeId) -> Result<Stored> {
        let objects = self.objects();
        let tree = objects.tree(record)?;
        let damaged = |why: &str| {
            Error::from(CheckpointError::Damaged { name: record.to_string(), problems: vec![why.to_owned()] })
        };
        let file = tree.find(b"checkpoint.json").ok_or_else(|| damaged("it does not say what it holds"))?;
        let manifest: Manifest = serde_json::from_slice(&objects.blob(file.id)?)
            .map_err(|error| damaged(&format!("what it says of itself cannot be read: {error}")))?;
        if manifest.version > VERSION {
            return Err(newer(manifest.version, &record.to_string()));
        }
        let below = |entry: &OutsideEntry| entry.path.is_root() || entry.path.is_plain();
        if !manifest.outside.iter().flat_map(|part| &part.entries).all(below) {
            return Err(damaged("it names something outside of the paths that it kept"));
        }
        if !manifest.operation.iter().flatten().all(|file| StateFile::is_known(&file.name)) {
            return Err(damaged("it names files that are none of git's state"));
        }
        Ok(Stored { record, manifest, tree })
    }
}

/// The file of the record.
const CHECKPOINT_FILE: &str = "checkpoint.json";

/// The longest name of a checkpoint, in bytes: its record is a file, whose name may spell one byte as three.
const LONGEST_NAME: usize = 80;

/// # Errors
/// [`CheckpointError::BadName`] for a name that could not be typed or shown.
fn check_name(name: &str) -> Result<()> {
    let why = match name {
        "" => "it is empty",
        _ if name.len() > LONGEST_NAME => "it has more than 80 bytes",
        _ if name.starts_with('-') => "it begins with '-' as an option does",
        _ if name.trim() != name => "it begins or ends with a blank",
        _ if name.chars().any(char::is_control) => "it has control characters",
        _ => return Ok(()),
    };
    Err(CheckpointError::BadName { name: name.to_owned(), why }.into())
}

/// For whom objects are kept.
pub(crate) fn owner(full_name: &str) -> String {
    format!("checkpoint {full_name}")
}

fn newer(version: u32, name: &str) -> Error {
    let (what, why) = (format!("version {version} of checkpoints"), format!("a newer rb made {name}"));
    RepositoryError::Unsupported { what, why }.into()
}

fn document(manifest: Manifest, record: TreeId, full_name: &str) -> Checkpoint {
    let (scope, name) = full_name.split_once('/').unwrap_or((MANUAL, full_name));
    Checkpoint {
        scope: scope.to_owned(),
        name: name.to_owned(),
        commit_id: manifest.commit_id,
        record_id: record,
        head: manifest.head,
        time: manifest.time,
        message: manifest.message,
        operation: manifest.operation.as_deref().and_then(operation::name).map(ToOwned::to_owned),
        work_tree: manifest.work_tree,
        outside: manifest.outside,
    }
}

/// A state that is not kept yet.
struct Draft {
    manifest: Manifest,
    work_tree: Option<snapshot::Snapshot>,
    outside_trees: Vec<(String, TreeId)>,
}

impl Draft {
    fn rows(&self, objects: &Objects) -> Result<BTreeMap<String, Entry>> {
        let blob = |bytes: &[u8]| -> Result<Entry> {
            Ok(Entry { mode: EntryMode::BLOB, id: objects.write_blob(bytes)? })
        };
        let folder = |tree: TreeId| Entry { mode: EntryMode::TREE, id: tree.0 };
        let json = |bytes: serde_json::Result<Vec<u8>>| {
            bytes.map_err(|error| Error::internal("cannot write a checkpoint", error))
        };
        let mut rows = BTreeMap::new();
        rows.insert("checkpoint.json".to_owned(), blob(&json(serde_json::to_vec_pretty(&self.manifest))?)?);
        for (name, tree) in &self.outside_trees {
            rows.insert(name.clone(), folder(*tree));
        }
        let files = self.manifest.operation.as_deref().unwrap_or_default();
        if let Some(tree) = operation::merged_tree(objects, files) {
            rows.insert("auto-merge".to_owned(), folder(tree));
        }
        if let Some(taken) = &self.work_tree {
            rows.insert("work-tree".to_owned(), folder(taken.tree));
            rows.insert("files.json".to_owned(), blob(&json(serde_json::to_vec(&taken.files))?)?);
            rows.insert("index".to_owned(), blob(&taken.index.encode(false, None)?)?);
            for (stage, tree) in snapshot::index_trees(objects, &taken.index)? {
                rows.insert(format!("index-{stage}"), folder(tree));
            }
        }
        Ok(rows)
    }

    /// Whether all but the time and the words is the same, stat data aside.
    fn is_same_state_as(&self, stored: &Stored, objects: &Objects) -> Result<bool> {
        let (ours, theirs) = (&self.manifest, &stored.manifest);
        let same_operation =
            ours.operation.as_deref().unwrap_or_default() == theirs.operation.as_deref().unwrap_or_default();
        if ours.head != theirs.head || ours.outside != theirs.outside || !same_operation {
            return Ok(false);
        }
        let Some(taken) = &self.work_tree else { return Ok(theirs.work_tree.is_none()) };
        Ok(stored.folder("work-tree") == Some(taken.tree)
            && same_entries(&taken.index, &stored.index(objects)?))
    }
}

/// A checkpoint as it is kept.
struct Stored {
    record: TreeId,
    manifest: Manifest,
    tree: Tree,
}

impl Stored {
    fn document(self, full_name: &str) -> Checkpoint {
        document(self.manifest, self.record, full_name)
    }

    fn folder(&self, name: &str) -> Option<TreeId> {
        self.tree.find(name.as_bytes()).filter(|entry| entry.mode.is_tree()).map(|entry| TreeId(entry.id))
    }

    fn file(&self, objects: &Objects, name: &str) -> Result<Vec<u8>> {
        let entry = self.tree.find(name.as_bytes()).filter(|entry| entry.mode.is_file());
        let entry = entry.ok_or_else(|| self.damaged(format!("'{name}' is missing")))?;
        objects.blob(entry.id)
    }

    fn files(&self, objects: &Objects) -> Result<Vec<FileRow>> {
        serde_json::from_slice(&self.file(objects, "files.json")?)
            .map_err(|error| self.damaged(format!("'files.json' cannot be read: {error}")))
    }

    fn index(&self, objects: &Objects) -> Result<Index> {
        let bytes = self.file(objects, "index")?;
        Index::decode(&bytes, (0, 0), Path::new("index"), objects)
            .map_err(|error| self.damaged(format!("its index cannot be read: {error}")))
    }

    fn damaged(&self, problem: String) -> Error {
        CheckpointError::Damaged { name: self.record.to_string(), problems: vec![problem] }.into()
    }
}
