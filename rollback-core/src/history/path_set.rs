//! Many paths, looked up in two trees at once: only folders that differ and hold one of them are read, so that the cost
//! is that of what differs, however many paths there are.

use std::collections::HashMap;
use std::rc::Rc;

use bstr::BString;

use crate::error::Result;
use crate::id::{Entry, EntryMode, TreeId};
use crate::path::RepoPath;
use crate::repo::Objects;
use crate::repo::ancestry::{Ancestry, CommitIx, Lineage};
use crate::repo::changed_paths::PathKey;

use super::entries::same;
use super::tree_diff::{self, Row, TreeReader, differing_part, differing_rows};

/// A set of paths.
pub(crate) struct PathSet {
    paths: Vec<RepoPath>,
    /// The folders of the paths and the paths; the root comes first.
    nodes: Vec<Node>,
    trees: TreeBytes,
}

/// A path of the set, or a folder of one.
struct Node {
    /// The last part of the path as the changed-path filters know it.
    key: PathKey,
    /// The number of the path, where it is one of the set.
    path: Option<usize>,
    below: HashMap<BString, usize>,
}

/// A path of the set that is not the same in two trees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    /// The number of the path.
    pub(crate) path: usize,
    pub(crate) before: Option<Entry>,
    pub(crate) after: Option<Entry>,
}

impl PathSet {
    /// The paths, numbered in the order in which each comes first.
    pub(crate) fn new<'p>(paths: impl IntoIterator<Item = &'p RepoPath>) -> Self {
        let mut set = Self {
            paths: Vec::new(),
            nodes: vec![Node::new(&RepoPath::default())],
            trees: TreeBytes::default(),
        };
        for path in paths {
            set.insert(path);
        }
        set
    }

    /// Adds a path, if it is new, and returns its number.
    pub(crate) fn insert(&mut self, path: &RepoPath) -> usize {
        let (mut at, mut folder) = (0, RepoPath::default());
        for name in path.components() {
            folder = folder.join(name);
            at = match self.nodes[at].below.get(name) {
                Some(known) => *known,
                None => {
                    let next = self.nodes.len();
                    self.nodes.push(Node::new(&folder));
                    self.nodes[at].below.insert(name.into(), next);
                    next
                }
            };
        }
        let next = self.paths.len();
        let number = *self.nodes[at].path.get_or_insert(next);
        if number == next {
            self.paths.push(path.clone());
        }
        number
    }

    /// The path of this number.
    pub(crate) fn path(&self, number: usize) -> &RepoPath {
        &self.paths[number]
    }

    /// The paths that differ from one tree to the other, by number.
    ///
    /// # Errors
    /// Those of reading trees.
    pub(crate) fn differing(
        &mut self,
        objects: &Objects,
        old: TreeId,
        new: TreeId,
    ) -> Result<Vec<Difference>> {
        self.differing_unless(objects, (old, new), &|_| false)
    }

    /// The paths that the commit changed, by number: they are in it what they are in none of its parents.
    ///
    /// # Errors
    /// Those of reading commits and trees.
    pub(crate) fn changed_by(
        &mut self,
        ancestry: &mut Ancestry<'_>,
        commit: CommitIx,
        lineage: &Lineage,
    ) -> Result<Vec<usize>> {
        let objects = ancestry.objects();
        let Some((first, rest)) = lineage.parents.split_first() else {
            let added = self.differing(objects, objects.empty_tree(), lineage.tree)?;
            return Ok(added.into_iter().map(|one| one.path).collect());
        };
        let parent = ancestry.lineage(*first)?.tree;
        // What is as in the first parent is no change, and of a merge neither.
        let is_unchanged = |key: &PathKey| ancestry.is_unchanged(commit, key);
        let differing = self.differing_unless(objects, (parent, lineage.tree), &is_unchanged)?;
        let mut changed: Vec<_> = differing.into_iter().map(|one| one.path).collect();
        for parent in rest {
            if changed.is_empty() {
                break;
            }
            let parent = ancestry.lineage(*parent)?.tree;
            let differing = self.differing(objects, parent, lineage.tree)?;
            changed.retain(|path| differing.binary_search_by_key(path, |one| one.path).is_ok());
        }
        Ok(changed)
    }

    fn differing_unless(
        &mut self,
        objects: &Objects,
        (old, new): (TreeId, TreeId),
        is_unchanged: &dyn Fn(&PathKey) -> bool,
    ) -> Result<Vec<Difference>> {
        let mut search = Search { objects, nodes: &self.nodes, is_unchanged, found: Vec::new() };
        let root = |tree: TreeId| Some(Entry { mode: EntryMode::TREE, id: tree.0 });
        search.compare(&mut self.trees, Place { node: 0, before: root(old), after: root(new) })?;
        let mut found = search.found;
        found.sort_unstable_by_key(|one| one.path);
        Ok(found)
    }
}

impl Node {
    fn new(path: &RepoPath) -> Self {
        Self { key: PathKey::of_last(path), path: None, below: HashMap::new() }
    }
}

/// One look for what differs between two trees.
struct Search<'a> {
    objects: &'a Objects,
    nodes: &'a [Node],
    is_unchanged: &'a dyn Fn(&PathKey) -> bool,
    found: Vec<Difference>,
}

impl Search<'_> {
    /// Notes what differs at the place and below it.
    fn compare(&mut self, trees: &mut TreeBytes, place: Place) -> Result<()> {
        let mut open = vec![place];
        while let Some(Place { node, before, after }) = open.pop() {
            let node = &self.nodes[node];
            // A folder without entries is none to git.
            let real = |entry: Option<Entry>| entry.filter(|entry| !tree_diff::is_empty_tree(entry));
            let (before, after) = (real(before), real(after));
            if same(before, after) {
                continue;
            }
            if let Some(path) = node.path {
                self.found.push(Difference { path, before, after });
            }
            if node.below.values().all(|child| (self.is_unchanged)(&self.nodes[*child].key)) {
                continue;
            }
            let tree = |entry: Option<Entry>| {
                entry.filter(|entry| entry.mode.is_tree()).map(|entry| TreeId(entry.id))
            };
            open.extend(self.differing_children(trees, node, (tree(before), tree(after)))?);
        }
        Ok(())
    }

    fn differing_children(
        &self,
        trees: &mut TreeBytes,
        node: &Node,
        (old, new): (Option<TreeId>, Option<TreeId>),
    ) -> Result<Vec<Place>> {
        let (old_bytes, new_bytes) = (trees.of(self.objects, old)?, trees.of(self.objects, new)?);
        let hash_len = self.objects.gix().object_hash().len_in_bytes();
        let (old_part, new_part) = differing_part(&old_bytes, &new_bytes, hash_len);
        let (old, new) = (rows(old, old_part)?, rows(new, new_part)?);
        let mut children: Vec<Place> = Vec::new();
        for (before, after) in differing_rows(&old, &new) {
            let Some(name) = before.or(after).map(|row| row.name) else { continue };
            let Some(child) = node.below.get(name) else { continue };
            let (before, after) = (before.map(|row| row.entry), after.map(|row| row.entry));
            // A file and a folder of one name are two rows.
            match children.iter_mut().find(|known| known.node == *child) {
                Some(known) => (known.before, known.after) = (known.before.or(before), known.after.or(after)),
                None => children.push(Place { node: *child, before, after }),
            }
        }
        Ok(children)
    }
}

/// What stands at a node in two trees.
struct Place {
    node: usize,
    before: Option<Entry>,
    after: Option<Entry>,
}

fn rows(id: Option<TreeId>, bytes: &[u8]) -> Result<Vec<Row<'_>>> {
    id.map_or_else(|| Ok(Vec::new()), |id| TreeReader::new(id, bytes).sorted())
}

/// The trees that were read last: along a line of history each is asked for twice.
#[derive(Default)]
struct TreeBytes {
    recent: HashMap<TreeId, Rc<[u8]>>,
    /// How many bytes the recent ones have.
    size: usize,
    /// What was recent before; goes when the recent ones are as many.
    older: HashMap<TreeId, Rc<[u8]>>,
}

/// This many bytes are kept as recent, and as many as older.
const KEPT_BYTES: usize = 8 << 20;

impl TreeBytes {
    fn of(&mut self, objects: &Objects, id: Option<TreeId>) -> Result<Rc<[u8]>> {
        let Some(id) = id else { return Ok(Rc::default()) };
        if let Some(known) = self.recent.get(&id) {
            return Ok(Rc::clone(known));
        }
        let bytes = match self.older.remove(&id) {
            Some(known) => known,
            None => {
                let mut bytes = Vec::new();
                objects.read_tree(id, &mut bytes)?;
                bytes.into()
            }
        };
        if self.size + bytes.len() > KEPT_BYTES {
            self.older = std::mem::take(&mut self.recent);
            self.size = 0;
        }
        self.size += bytes.len();
        self.recent.insert(id, Rc::clone(&bytes));
        Ok(bytes)
    }
}
