//! The index as git stores it: every entry with its stat data and flags, and the cached trees.
//!
//! It is our own reader and writer because an index that is rewritten must lose nothing: version 4 stays
//! version 4, flags and stat data of entries that were not touched stay bit for bit, and the cached trees
//! stay valid wherever they still are. What is dropped, and why:
//!
//! - `REUC` (how a conflict was resolved): git's own revert and pick drop it too.
//! - `FSMN` (file system monitor): its bitmap counts entries by position; git asks its monitor afresh.
//! - `UNTR` (untracked cache): kept switched on, emptied; git's next status fills it again.
//! - `EOIE` and `IEOT` (offsets for threads): git writes them again where `index.threads` asks for them.
//! - a split index becomes a whole one, which git splits again;
//! - the cached trees of a sparse index (`sparse`).
//!
//! Nothing here writes to disk.

mod cache_tree;
mod decode;
mod encode;
mod entry;
mod sparse;

pub(crate) use cache_tree::{CacheTree, Shift};
#[cfg(unix)]
pub(crate) use entry::munged_size;
pub(crate) use entry::{Flags, IndexEntry, Stat};

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::error::{Error, RepositoryError, Result, WorkTreeError};
use crate::id::{ObjectId, TreeId};
use crate::path::RepoPath;
use crate::repo::{Edits, Objects, Repo};

/// An index in memory.
#[derive(Clone, Debug)]
pub(crate) struct Index {
    version: u32,
    hash: gix::hash::Kind,
    entries: Vec<IndexEntry>,
    tree: Option<CacheTree>,
    /// The head of the untracked cache, enough to keep it switched on.
    untracked: Option<Vec<u8>>,
    /// When the file was written: seconds and nanoseconds. Entries that are not older are racy.
    written: (u32, u32),
}

/// An index together with the bytes of the file it came from.
#[derive(Debug)]
pub(crate) struct IndexFile {
    pub(crate) path: PathBuf,
    /// `None` where there is no file, which means an empty index.
    pub(crate) bytes: Option<Vec<u8>>,
    pub(crate) index: Index,
}

/// The entries of one path after an edit: none, one, or the stages of a conflict.
pub(crate) type Replacement = Vec<IndexEntry>;

impl Index {
    /// An index without entries.
    pub(crate) fn empty(hash: gix::hash::Kind) -> Self {
        Self { version: 2, hash, entries: Vec::new(), tree: None, untracked: None, written: (0, 0) }
    }

    /// All entries, sorted by path and stage.
    pub(crate) fn entries(&self) -> &[IndexEntry] {
        &self.entries
    }

    /// The entries of a path: none, one, or the stages of a conflict.
    pub(crate) fn entries_at(&self, path: &[u8]) -> &[IndexEntry] {
        let start = self.entries.partition_point(|entry| entry.path.as_slice() < path);
        let len = self.entries[start..].iter().take_while(|entry| entry.path == path).count();
        &self.entries[start..start + len]
    }

    /// The entry of a path that is not in conflict.
    pub(crate) fn entry_at(&self, path: &[u8]) -> Option<&IndexEntry> {
        self.entries_at(path).first().filter(|entry| entry.flags.stage() == 0)
    }

    /// The entries below a folder, whose path ends without a slash.
    pub(crate) fn entries_below(&self, folder: &[u8]) -> &[IndexEntry] {
        let mut prefix = folder.to_vec();
        prefix.push(b'/');
        let start = self.entries.partition_point(|entry| entry.path.as_slice() < prefix.as_slice());
        let len = self.entries[start..].iter().take_while(|entry| entry.path.starts_with(&prefix)).count();
        &self.entries[start..start + len]
    }

    /// The paths that have stages of a conflict, each once.
    pub(crate) fn unmerged(&self) -> Vec<RepoPath> {
        let mut paths: Vec<_> = self
            .entries
            .iter()
            .filter(|entry| entry.flags.stage() != 0)
            .map(|entry| RepoPath::new(entry.path.as_slice()))
            .collect();
        paths.dedup();
        paths
    }

    /// The tree that `git write-tree` makes of the entries: those of a conflict and those that are only intended to be
    /// added are left out.
    pub(crate) fn tree_of_entries(&self, objects: &Objects) -> Result<TreeId> {
        let written =
            self.entries.iter().filter(|entry| entry.flags.stage() == 0 && !entry.flags.intent_to_add());
        let edits: Edits =
            written.map(|entry| (RepoPath::new(entry.path.as_slice()), Some(entry.entry()))).collect();
        objects.edit_tree(objects.empty_tree(), &edits)
    }

    /// Whether the stat data of the entry is too young to prove anything: the file may have changed after
    /// the index was written and still carry the same time.
    pub(crate) fn is_racy(&self, entry: &IndexEntry) -> bool {
        // Whole seconds, as git compares unless it was built with USE_NSEC.
        self.written.0 != 0 && self.written.0 <= entry.stat.mtime.0
    }

    /// Whether the untracked cache was switched on.
    #[cfg(test)]
    pub(crate) fn has_untracked_cache(&self) -> bool {
        self.untracked.is_some()
    }

    /// The cached trees.
    pub(crate) fn tree(&self) -> Option<&CacheTree> {
        self.tree.as_ref()
    }

    /// The cached trees, to be brought up to date.
    pub(crate) fn tree_mut(&mut self) -> Option<&mut CacheTree> {
        self.tree.as_mut()
    }

    /// Drops the cached trees, where what they are worth is not known.
    pub(crate) fn forget_trees(&mut self) {
        self.tree = None;
    }

    /// All entries, for changes to their stat data or flags.
    pub(crate) fn entries_mut(&mut self) -> &mut [IndexEntry] {
        &mut self.entries
    }

    /// Replaces the entries of the paths given; all others stay as they are.
    ///
    /// The cached trees are not touched: that takes knowledge of trees.
    pub(crate) fn replace(&mut self, mut replacements: BTreeMap<Vec<u8>, Replacement>) {
        let mut entries = Vec::with_capacity(self.entries.len() + replacements.len());
        let mut next = replacements.pop_first();
        for entry in std::mem::take(&mut self.entries) {
            while let Some((path, with)) = next.take_if(|(path, _)| path.as_slice() < entry.path.as_slice()) {
                debug_assert!(with.iter().all(|entry| entry.path == path));
                entries.extend(with);
                next = replacements.pop_first();
            }
            if next.as_ref().is_none_or(|(path, _)| *path != entry.path.as_slice()) {
                entries.push(entry);
            }
        }
        entries.extend(next.into_iter().chain(replacements).flat_map(|(_, with)| with));
        self.entries = entries;
    }
}

impl Repo {
    /// Where the index of this work tree is; `GIT_INDEX_FILE` counts where the environment was honoured.
    pub(crate) fn index_path(&self) -> PathBuf {
        self.local().index_path()
    }

    /// The paths of the index that are in conflict, found without reading more than that takes.
    pub(crate) fn unmerged_paths(&self) -> Result<Vec<RepoPath>> {
        let path = self.index_path();
        match std::fs::read(&path) {
            Ok(bytes) => decode::scan_unmerged(&bytes, self.local().object_hash()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(Error::io("read", path, error)),
        }
    }

    /// The tree of the index, put into the memory of `objects`.
    ///
    /// # Errors
    /// [`WorkTreeError::Unmerged`] for an index in conflict; those of reading it.
    pub(crate) fn index_tree(&self, objects: &Objects) -> Result<TreeId> {
        let index = self.read_index()?.index;
        let unmerged = index.unmerged();
        match unmerged.is_empty() {
            true => index.tree_of_entries(objects),
            false => Err(WorkTreeError::Unmerged { paths: unmerged }.into()),
        }
    }

    /// Reads the index.
    ///
    /// # Errors
    /// [`RepositoryError::CorruptIndex`] for one that is corrupt; those of reading the trees of a sparse one.
    pub(crate) fn read_index(&self) -> Result<IndexFile> {
        let path = self.index_path();
        let hash = self.local().object_hash();
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(IndexFile { path, bytes: None, index: Index::empty(hash) });
            }
            Err(error) => return Err(Error::io("read", path, error)),
        };
        let written = std::fs::metadata(&path)
            .map(|metadata| Stat::of(&metadata).mtime)
            .map_err(|error| Error::io("read", path.clone(), error))?;
        let mut index = Index::decode_as_written(&bytes, hash, written, &path)?;
        if index.is_folded() {
            index = index.expanded(&self.objects())?;
        }
        Ok(IndexFile { path, bytes: Some(bytes), index })
    }
}

/// The error of an index that cannot be read.
fn corrupt(why: impl Into<String>) -> Error {
    RepositoryError::CorruptIndex { source: why.into().into() }.into()
}

/// The id as the crate spells it.
fn object_id(bytes: &[u8]) -> Result<ObjectId> {
    gix::ObjectId::try_from(bytes).map(ObjectId).map_err(|_| corrupt("an object id is cut short"))
}
