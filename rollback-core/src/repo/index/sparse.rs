//! A sparse index: a folder that a sparse checkout leaves out whole is one entry, which names its tree.
//!
//! It is expanded when it is read, so that everything else sees the files, and folded when it is written, as git does:
//! not at all where a path is in conflict, and else each outermost folder that is out of the cone, of whose files none is
//! in the work tree, and whose tree there is.

use bstr::{BString, ByteSlice};

use super::{Index, IndexEntry};
use crate::error::{Error, ObjectError, Result};
use crate::id::{Entry, EntryKind, EntryMode, ObjectId, TreeId};
use crate::repo::sparse::Sparse;
use crate::repo::{MAX_CHANGES, MAX_DEPTH, Objects, Repo};

/// What tells which folders of an index are folded.
pub(crate) struct Folding {
    sparse: Sparse,
    objects: Objects,
}

impl Repo {
    /// How the index of this work tree is folded; `None` where it is written in full (`index.sparse`).
    ///
    /// # Errors
    /// Those of reading the patterns.
    pub(crate) fn index_folding(&self) -> Result<Option<Folding>> {
        let local = self.local();
        let config = local.config_snapshot();
        let is_set = |key: &str| config.boolean(key) == Some(true);
        if !is_set("index.sparse") || !is_set("core.sparseCheckoutCone") {
            return Ok(None);
        }
        let ignore_case = is_set("core.ignoreCase");
        Ok(Sparse::of(self, ignore_case)?.map(|sparse| Folding { sparse, objects: self.objects() }))
    }
}

impl Index {
    /// Whether there are folders among the entries, as a file has them.
    pub(super) fn is_folded(&self) -> bool {
        self.entries.iter().any(|entry| entry.mode.is_tree())
    }

    /// The index with the files that its folders stand for.
    ///
    /// # Errors
    /// [`ObjectError::Missing`] and [`ObjectError::Corrupt`] for their trees.
    pub(super) fn expanded(mut self, objects: &Objects) -> Result<Self> {
        if !self.is_folded() {
            return Ok(self);
        }
        let mut expanded = Vec::new();
        for entry in std::mem::take(&mut self.entries) {
            match entry.mode.is_tree() {
                true => expand(objects, &entry.path, (TreeId(entry.id), 0), &mut expanded)?,
                false => expanded.push(entry),
            }
        }
        self.entries = expanded;
        // They count folders where there are files now.
        self.tree = None;
        Ok(self)
    }

    /// The entries with folders where they can be; `None` where there are none.
    ///
    /// # Errors
    /// [`Error::Internal`] where a tree cannot be hashed.
    pub(super) fn folded(&self, folding: &Folding) -> Result<Option<Vec<IndexEntry>>> {
        if self.entries.iter().any(|entry| entry.flags.stage() != 0) {
            return Ok(None);
        }
        let fold = self.fold(folding, 0, &self.entries)?;
        Ok((fold.entries.len() != self.entries.len()).then_some(fold.entries))
    }

    /// Folds what has the first `prefix` bytes of its paths, those of a folder, in common.
    fn fold(&self, folding: &Folding, prefix: usize, inside: &[IndexEntry]) -> Result<Fold> {
        let mut rows = Vec::new();
        let mut entries = Vec::new();
        let mut is_whole = true;
        let mut rest = inside;
        while let Some(entry) = rest.first() {
            let Some(slash) = entry.path[prefix..].find_byte(b'/').map(|slash| prefix + slash) else {
                is_whole &= entry.flags.skip_work_tree() && !entry.flags.intent_to_add();
                is_whole &= entry.mode.kind() != EntryKind::Submodule;
                push_row(&mut rows, entry.entry(), &entry.path[prefix..]);
                entries.push(entry.clone());
                rest = &rest[1..];
                continue;
            };
            let below = rest.partition_point(|other| other.path.starts_with(&entry.path[..=slash]));
            let (deeper, behind) = rest.split_at(below);
            let folded = self.fold(folding, slash + 1, deeper)?;
            match folded.tree {
                Some(tree) => push_row(&mut rows, tree, &entry.path[prefix..slash]),
                None => is_whole = false,
            }
            entries.extend(folded.entries);
            rest = behind;
        }
        if prefix == 0 || !is_whole {
            return Ok(Fold { tree: None, entries });
        }
        let folder = &inside[0].path[..prefix];
        let id = gix::objs::compute_hash(self.hash, gix::objs::Kind::Tree, &rows)
            .map_err(|error| Error::internal("cannot hash a tree", error))?;
        let tree = Entry { mode: EntryMode::TREE, id: ObjectId(id) };
        if folding.sparse.leaves_out_folder(&folder[..prefix - 1]) && folding.objects.has(tree.id) {
            let mut entry = IndexEntry::new(folder, tree, 0);
            entry.flags = entry.flags.with_skip_work_tree();
            entries = vec![entry];
        }
        Ok(Fold { tree: Some(tree), entries })
    }
}

/// What a folder comes to: its tree, where all below it is out of the work tree, and the entries to write.
struct Fold {
    tree: Option<Entry>,
    entries: Vec<IndexEntry>,
}

/// A row of a tree, as its bytes have it.
fn push_row(rows: &mut Vec<u8>, entry: Entry, name: &[u8]) {
    rows.extend(format!("{:o} ", entry.mode.bits()).bytes());
    rows.extend_from_slice(name);
    rows.push(0);
    rows.extend_from_slice(entry.id.as_bytes());
}

/// Adds the files below a folder, whose path ends in a slash.
fn expand(
    objects: &Objects,
    folder: &BString,
    (tree, depth): (TreeId, usize),
    entries: &mut Vec<IndexEntry>,
) -> Result<()> {
    if depth > MAX_DEPTH || entries.len() > MAX_CHANGES {
        let source = "it is nested too deep or has too many files".into();
        return Err(ObjectError::Corrupt { kind: "tree", id: tree.0, source }.into());
    }
    for row in objects.tree(tree)?.entries {
        let mut path = folder.clone();
        path.extend_from_slice(&row.name);
        if row.entry.mode.is_tree() {
            path.push(b'/');
            expand(objects, &path, (TreeId(row.entry.id), depth + 1), entries)?;
            continue;
        }
        let mut entry = IndexEntry::new(&path, row.entry, 0);
        entry.flags = entry.flags.with_skip_work_tree();
        entries.push(entry);
    }
    Ok(())
}
