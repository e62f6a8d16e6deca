//! The plain difference of two trees: which files were added, deleted or changed, in git's order, equal subtrees
//! skipped unread. Renames are the business of [`rename`](super::rename); nothing here reads a blob.

use std::cmp::Ordering;

use bstr::{BStr, BString, ByteSlice};
use gix::objs::TreeRefIter;

use crate::error::{Error, Result};
use crate::id::{Entry, EntryMode, ObjectId, TreeId};
use crate::path::RepoPath;
use crate::repo::Objects;

/// A path that differs between two trees. Folders are not listed, what is in them is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TreeChange {
    pub(crate) path: RepoPath,
    pub(crate) before: Option<Entry>,
    pub(crate) after: Option<Entry>,
}

/// Folders deeper than this are taken for an attack; git's own default limit is the same.
const DEEPEST: usize = 2048;

/// The differences from `old` to `new`, in the order of `git diff-tree -r`.
///
/// # Errors
/// [`Error::MissingObject`] and [`Error::CorruptObject`] for a tree that cannot be read.
pub(crate) fn diff_trees(objects: &Objects, old: TreeId, new: TreeId) -> Result<Vec<TreeChange>> {
    let mut diff = Diff { objects, path: BString::default(), depth: 0, changes: Vec::new() };
    diff.trees(Some(old), Some(new))?;
    Ok(diff.changes)
}

/// Whether the entry is the folder without entries, which git takes for no folder at all.
pub(super) fn is_empty_tree(entry: &Entry) -> bool {
    entry.mode.is_tree() && entry.id.0.is_empty_tree()
}

/// The rows of one tree's bytes.
pub(super) struct TreeReader<'a> {
    id: TreeId,
    rows: TreeRefIter<'a>,
}

/// A row of a tree, borrowed.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) name: &'a BStr,
    pub(super) entry: Entry,
}

impl<'a> TreeReader<'a> {
    pub(super) fn new(id: TreeId, bytes: &'a [u8]) -> Self {
        Self { id, rows: TreeRefIter::from_bytes(bytes, id.0.0.kind()) }
    }

    /// The entry called `name`. The search is linear: old trees are not always sorted.
    pub(super) fn find(self, name: &[u8]) -> Result<Option<Entry>> {
        let id = self.id;
        for row in self.rows {
            let row = row.map_err(|source| corrupt(id, source))?;
            if row.filename == name {
                return Ok(Some(entry_of(&row)));
            }
        }
        Ok(None)
    }

    /// All rows, in git's order even where the tree has another.
    pub(super) fn sorted(self) -> Result<Vec<Row<'a>>> {
        let id = self.id;
        let mut rows = self
            .rows
            .map(|row| row.map(|row| Row { name: row.filename, entry: entry_of(&row) }))
            .collect::<gix::Result<Vec<_>>>()
            .map_err(|source| corrupt(id, source))?;
        if !rows.is_sorted_by(|one, next| one.in_order(next) != Ordering::Greater) {
            rows.sort_by(Row::in_order);
        }
        Ok(rows)
    }
}

impl Row<'_> {
    /// Git's order of entries: by name, a folder's as if it ended in a slash.
    fn in_order(&self, other: &Self) -> Ordering {
        let shared = self.name.len().min(other.name.len());
        self.name[..shared].cmp(&other.name[..shared]).then_with(|| {
            let next = |row: &Self| match row.name.get(shared) {
                Some(byte) => *byte,
                None if row.entry.mode.is_tree() => b'/',
                None => 0,
            };
            next(self).cmp(&next(other)).then_with(|| self.name.len().cmp(&other.name.len()))
        })
    }
}

struct Diff<'o> {
    objects: &'o Objects,
    /// The folder being compared, and its depth.
    path: BString,
    depth: usize,
    changes: Vec<TreeChange>,
}

impl Diff<'_> {
    fn trees(&mut self, old: Option<TreeId>, new: Option<TreeId>) -> Result<()> {
        if old == new {
            return Ok(());
        }
        if self.depth > DEEPEST {
            let id = new.or(old).expect("one side is a tree, or both would be equal").0;
            return Err(corrupt(TreeId(id), "its folders are nested too deeply"));
        }
        let (mut old_bytes, mut new_bytes) = (Vec::new(), Vec::new());
        let old = self.rows(old, &mut old_bytes)?;
        let new = self.rows(new, &mut new_bytes)?;
        let (mut old, mut new) = (old.as_slice(), new.as_slice());
        loop {
            let order = match (old.first(), new.first()) {
                (None, None) => return Ok(()),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(one), Some(other)) => one.in_order(other),
            };
            let before = if order.is_le() { take_first(&mut old) } else { None };
            let after = if order.is_ge() { take_first(&mut new) } else { None };
            self.pair(before, after)?;
        }
    }

    fn rows<'b>(&self, id: Option<TreeId>, bytes: &'b mut Vec<u8>) -> Result<Vec<Row<'b>>> {
        let Some(id) = id else { return Ok(Vec::new()) };
        self.objects.read_tree(id, bytes)?;
        TreeReader::new(id, bytes).sorted()
    }

    /// Two rows of the same name and kind, or a row that one side lacks.
    fn pair(&mut self, before: Option<Row<'_>>, after: Option<Row<'_>>) -> Result<()> {
        if let (Some(before), Some(after)) = (&before, &after)
            && before.entry.same_as(&after.entry)
        {
            return Ok(());
        }
        let Some(name) = before.as_ref().or(after.as_ref()).map(|row| row.name) else { return Ok(()) };
        let folder = self.path.len();
        if folder > 0 {
            self.path.push(b'/');
        }
        self.path.extend_from_slice(name);
        let done = self.named_pair(before.map(|row| row.entry), after.map(|row| row.entry));
        self.path.truncate(folder);
        done
    }

    fn named_pair(&mut self, before: Option<Entry>, after: Option<Entry>) -> Result<()> {
        let tree =
            |entry: Option<Entry>| entry.filter(|entry| entry.mode.is_tree()).map(|entry| TreeId(entry.id));
        let file = |entry: Option<Entry>| entry.filter(|entry| !entry.mode.is_tree());
        let (old_file, new_file) = (file(before), file(after));
        if old_file.is_some() || new_file.is_some() {
            let path = RepoPath::from(self.path.as_bstr());
            self.changes.push(TreeChange { path, before: old_file, after: new_file });
        }
        if tree(before).is_none() && tree(after).is_none() {
            return Ok(());
        }
        self.depth += 1;
        let done = self.trees(tree(before), tree(after));
        self.depth -= 1;
        done
    }
}

fn take_first<'b>(rows: &mut &[Row<'b>]) -> Option<Row<'b>> {
    let (first, rest) = rows.split_first()?;
    *rows = rest;
    Some(*first)
}

fn entry_of(row: &gix::objs::tree::EntryRef<'_>) -> Entry {
    Entry { mode: EntryMode::from_bits(row.mode.value()), id: ObjectId(row.oid.to_owned()) }
}

fn corrupt(id: TreeId, source: impl Into<crate::error::Source>) -> Error {
    Error::CorruptObject { kind: "tree", id: id.0, source: source.into() }
}
