//! Checkpoints: states to come back to, by name, kept under `refs/rb/checkpoints/<procedure or manual>/<name>`.
//!
//! A checkpoint is a commit of rb's own. Its tree has what it says of itself (`checkpoint.json`), the bytes of every file
//! of the work tree (`work-tree`) with permissions and times (`files.json`), the index as a file (`index`) and as trees
//! (`index-<stage>`), so that garbage collection keeps what only the index names, and copies of paths outside the
//! repository (`outside-<number>`). Its first parent is the commit that HEAD was at.
//!
//! What git ignores is taken along only where it is named. Submodules and repositories of their own are never entered.
//! Nothing is restored but by the one room that lands results.

mod document;
mod outside;
mod restore;
mod snapshot;
mod verify;
mod walk;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use self::document::{FileRow, Manifest, VERSION};
use self::walk::Named;
use crate::apply::{Keeping, log, same_entries};
use crate::error::{Error, Result};
use crate::id::{CommitId, Entry, EntryMode, TreeId};
use crate::path::RepoPath;
use crate::repo::config::Settings;
use crate::repo::index::Index;
use crate::repo::refs::Head;
use crate::repo::{Objects, Repo, Tree};

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
    /// Blobs, trees and a commit, and one reference below `refs/rb/checkpoints/`.
    ///
    /// # Errors
    /// [`Error::CheckpointExists`]; [`Error::InvalidBranchName`]; [`Error::BadRequest`] for a path outside that cannot be
    /// taken along; [`Error::Unborn`] where there is no commit yet; [`Error::Io`] for what cannot be read, or changed
    /// while it was.
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
        let existing = self.checkpoint(scope, name)?;
        if let Some(found) = &existing
            && (options.existing == Existing::Refuse || found.commit_id != commit)
        {
            return Err(Error::CheckpointExists { name: found.full_name(), commit: found.commit_id });
        }
        let objects = self.objects();
        let draft = self.draft(&objects, commit, options, &BTreeSet::new(), Keeping::Store)?;
        if let Some(found) = existing.as_ref()
            && draft.is_same_state_as(&self.read_stored(found.record_id)?, &objects)?
        {
            return Ok(found.clone());
        }
        let full_name = format!("{scope}/{name}");
        self.keep_draft(&objects, &full_name, existing.map(|found| found.record_id), draft)
    }

    /// The checkpoint of this name.
    ///
    /// # Errors
    /// [`Error::DamagedCheckpoint`] and its kin where it cannot be read.
    pub fn checkpoint(&self, scope: &str, name: &str) -> Result<Option<Checkpoint>> {
        match self.read_reference(reference(scope, name).as_bytes())? {
            Some(record) => self.read_stored(record).map(|stored| Some(stored.document(scope, name))),
            None => Ok(None),
        }
    }

    /// The checkpoint that is meant by `scope/name`, or by a name alone: one that people made, or the only one.
    ///
    /// # Errors
    /// [`Error::UnknownCheckpoint`], [`Error::AmbiguousRevision`].
    pub fn find_checkpoint(&self, spec: &str) -> Result<Checkpoint> {
        if let Some((scope, name)) = spec.split_once('/')
            && let Some(found) = self.checkpoint(scope, name)?
        {
            return Ok(found);
        }
        if let Some(found) = self.checkpoint(MANUAL, spec)? {
            return Ok(found);
        }
        let names = self.record_names("checkpoints")?;
        let mut found: Vec<_> =
            names.iter().filter_map(|full| full.split_once('/')).filter(|(_, name)| *name == spec).collect();
        match (found.pop(), found.is_empty()) {
            (Some((scope, name)), true) => self
                .checkpoint(scope, name)?
                .ok_or_else(|| Error::UnknownCheckpoint { name: spec.to_owned() }),
            (Some(last), false) => {
                found.push(last);
                let candidates = found.iter().map(|(scope, name)| format!("{scope}/{name}")).collect();
                Err(Error::AmbiguousRevision { spec: spec.to_owned(), candidates })
            }
            (None, _) => Err(Error::UnknownCheckpoint { name: spec.to_owned() }),
        }
    }

    /// The checkpoints of a procedure or, under `manual`, of people, by name; of all where no scope is given.
    ///
    /// # Errors
    /// As [`Repo::checkpoint`].
    pub fn checkpoints(&self, scope: Option<&str>) -> Result<Vec<Checkpoint>> {
        let names = self.record_names("checkpoints")?;
        let wanted = names
            .iter()
            .filter_map(|full| full.split_once('/'))
            .filter(|(found, _)| scope.is_none_or(|scope| scope == *found));
        let found: Result<Vec<_>> = wanted.map(|(scope, name)| self.checkpoint(scope, name)).collect();
        Ok(found?.into_iter().flatten().collect())
    }

    /// Forgets a checkpoint; git's garbage collection takes what nothing else names.
    ///
    /// # Writes
    /// The reference goes.
    ///
    /// # Errors
    /// [`Error::Moved`] where it is not what it was a moment ago.
    pub fn drop_checkpoint(&self, checkpoint: &Checkpoint) -> Result<()> {
        let name = reference(&checkpoint.scope, &checkpoint.name);
        self.remove_reference(&name, checkpoint.record_id)
    }

    fn head_commit(&self) -> Result<CommitId> {
        match self.head()? {
            Head::Detached(commit) | Head::Branch { commit: Some(commit), .. } => Ok(commit),
            Head::Branch { name, commit: None } => Err(Error::Unborn { branch: name.to_string() }),
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
                let named = Named { paths: &options.ignored, known };
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
            work_tree: work_tree.as_ref().map(|taken| taken.part.clone()),
            outside: copied,
        };
        Ok(Draft { manifest, work_tree, outside_trees: trees })
    }

    fn outside_paths(&self, paths: &[PathBuf]) -> Result<BTreeSet<RepoPath>> {
        paths.iter().map(|path: &PathBuf| outside::check(self, Path::new(path))).collect()
    }

    fn keep_draft(
        &self,
        objects: &Objects,
        full_name: &str,
        old: Option<CommitId>,
        draft: Draft,
    ) -> Result<Checkpoint> {
        let committer = self.recorder();
        let parents: Vec<_> = std::iter::once(draft.manifest.commit_id).chain(old).collect();
        let rows = draft.rows(objects)?;
        let subject = format!("checkpoint {full_name}");
        let record = log::write_record(objects, rows, &parents, &committer, &subject)?;
        let name = format!("refs/rb/checkpoints/{full_name}");
        self.point(&name, old, record, committer, objects.take_new())?;
        let (scope, name) = full_name.split_once('/').unwrap_or((MANUAL, full_name));
        Ok(document(draft.manifest, record, scope, name))
    }

    fn read_stored(&self, record: CommitId) -> Result<Stored> {
        let objects = self.objects();
        let tree = objects.tree(objects.commit(record)?.tree)?;
        let damaged =
            |why: &str| Error::DamagedCheckpoint { name: record.to_string(), problems: vec![why.to_owned()] };
        let file = tree.find(b"checkpoint.json").ok_or_else(|| damaged("it does not say what it holds"))?;
        let manifest: Manifest = serde_json::from_slice(&objects.blob(file.id)?)
            .map_err(|error| damaged(&format!("what it says of itself cannot be read: {error}")))?;
        if manifest.version > VERSION {
            return Err(Error::Unsupported {
                what: format!("version {} of checkpoints", manifest.version),
                why: format!("a newer rb made {record}"),
            });
        }
        let below = |entry: &OutsideEntry| entry.path.is_root() || entry.path.is_plain();
        if !manifest.outside.iter().flat_map(|part| &part.entries).all(below) {
            return Err(damaged("it names something outside of the paths that it kept"));
        }
        Ok(Stored { record, manifest, tree })
    }
}

fn reference(scope: &str, name: &str) -> String {
    format!("refs/rb/checkpoints/{scope}/{name}")
}

fn document(manifest: Manifest, record: CommitId, scope: &str, name: &str) -> Checkpoint {
    Checkpoint {
        scope: scope.to_owned(),
        name: name.to_owned(),
        commit_id: manifest.commit_id,
        record_id: record,
        head: manifest.head,
        time: manifest.time,
        message: manifest.message,
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
        if let Some(taken) = &self.work_tree {
            rows.insert("work-tree".to_owned(), folder(taken.tree));
            rows.insert("files.json".to_owned(), blob(&json(serde_json::to_vec(&taken.files))?)?);
            rows.insert("index".to_owned(), blob(&taken.index.encode(false)?)?);
            for (stage, tree) in snapshot::index_trees(objects, &taken.index)? {
                rows.insert(format!("index-{stage}"), folder(tree));
            }
        }
        Ok(rows)
    }

    /// Whether all but the time and the words is the same, stat data aside.
    fn is_same_state_as(&self, stored: &Stored, objects: &Objects) -> Result<bool> {
        let (ours, theirs) = (&self.manifest, &stored.manifest);
        if ours.head != theirs.head || ours.outside != theirs.outside {
            return Ok(false);
        }
        let Some(taken) = &self.work_tree else { return Ok(theirs.work_tree.is_none()) };
        Ok(stored.folder("work-tree") == Some(taken.tree)
            && same_entries(&taken.index, &stored.index(objects)?))
    }
}

/// A checkpoint as it is kept.
struct Stored {
    record: CommitId,
    manifest: Manifest,
    tree: Tree,
}

impl Stored {
    fn document(self, scope: &str, name: &str) -> Checkpoint {
        document(self.manifest, self.record, scope, name)
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
        let hash = objects.gix().object_hash();
        Index::decode(&bytes, hash, (0, 0), Path::new("index"))
            .map_err(|error| self.damaged(format!("its index cannot be read: {error}")))
    }

    fn damaged(&self, problem: String) -> Error {
        Error::DamagedCheckpoint { name: self.record.to_string(), problems: vec![problem] }
    }
}
