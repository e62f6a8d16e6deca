//! What stands at one path in one tree after another: the lookup that a walk through history repeats
//! thousands of times, with every subtree on the way looked into once.

use bstr::BString;
use gix::hashtable::HashMap;

use crate::error::Result;
use crate::id::{Entry, EntryMode, ObjectId, TreeId};
use crate::path::RepoPath;
use crate::repo::Objects;
use crate::repo::changed_paths::PathKey;

use super::tree_diff::{self, TreeReader};

/// The entries of one path across the trees of a history.
pub(crate) struct PathEntries {
    path: RepoPath,
    key: PathKey,
    components: Vec<BString>,
    /// For each component of the path: what a tree at that depth leads to in the end.
    known: Vec<HashMap<gix::ObjectId, Option<Entry>>>,
    visited: Vec<gix::ObjectId>,
    buffer: Vec<u8>,
}

impl PathEntries {
    pub(crate) fn new(path: RepoPath) -> Self {
        let components: Vec<BString> = path.components().map(BString::from).collect();
        let known = components.iter().map(|_| HashMap::default()).collect();
        let key = PathKey::new(&path);
        Self { path, key, components, known, visited: Vec::new(), buffer: Vec::new() }
    }

    /// The path as the changed-path filters know it.
    pub(crate) fn key(&self) -> &PathKey {
        &self.key
    }

    pub(crate) fn path(&self) -> &RepoPath {
        &self.path
    }

    /// The entry of the path below the root tree; a folder without entries counts as absent, as it does in git.
    ///
    /// # Errors
    /// [`ObjectError::Missing`](crate::error::ObjectError::Missing) and
    /// [`ObjectError::Corrupt`](crate::error::ObjectError::Corrupt) for a tree that cannot be read.
    pub(crate) fn in_tree(&mut self, objects: &Objects, root: TreeId) -> Result<Option<Entry>> {
        self.visited.clear();
        let mut at = Some(Entry { mode: EntryMode::TREE, id: root.0 });
        let mut depth = 0;
        while let Some(entry) = at
            && depth < self.components.len()
        {
            if !entry.mode.is_tree() {
                at = None;
                break;
            }
            if let Some(known) = self.known[depth].get(&entry.id.0) {
                at = *known;
                break;
            }
            self.visited.push(entry.id.0);
            objects.read_tree(TreeId(entry.id), &mut self.buffer)?;
            at = TreeReader::new(TreeId(entry.id), &self.buffer).find(&self.components[depth])?;
            depth += 1;
        }
        let found = at.filter(|entry| !tree_diff::is_empty_tree(entry));
        for (depth, tree) in self.visited.drain(..).enumerate() {
            self.known[depth].insert(tree, found);
        }
        Ok(found)
    }
}

/// Whether a path is the same on both sides: absent twice, or the same object with modes that mean the same.
pub(crate) fn same(one: Option<Entry>, other: Option<Entry>) -> bool {
    match (one, other) {
        (None, None) => true,
        (Some(one), Some(other)) => one.same_as(&other),
        _ => false,
    }
}

/// The blob of a file entry; `None` for folders, links and submodules.
pub(crate) fn file_blob(entry: Option<Entry>) -> Option<ObjectId> {
    entry.filter(|entry| entry.mode.is_file()).map(|entry| entry.id)
}
