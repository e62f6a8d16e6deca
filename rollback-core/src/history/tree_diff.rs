//! The plain difference of two trees: which files were added, deleted or changed, in git's order, equal subtrees
//! skipped unread. Renames are the business of [`rename`](super::rename); nothing here reads a blob.

use std::cmp::Ordering;

use bstr::{BStr, BString, ByteSlice};
use gix::objs::TreeRefIter;

use crate::error::{Error, ObjectError, Result};
use crate::id::{Entry, EntryMode, ObjectId, TreeId};
use crate::path::RepoPath;
use crate::repo::{MAX_CHANGES, Objects};

/// A path that differs between two trees. Folders are not listed, what is in them is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TreeChange {
    pub(crate) path: RepoPath,
    pub(crate) before: Option<Entry>,
    pub(crate) after: Option<Entry>,
}

/// Folders deeper than this are taken for an attack; git's own default limit is the same.
const DEEPEST: usize = 2048;

/// More differing paths than this are taken for an attack: eight trees that name each other ten times each stand for
/// 100 million paths. The largest repositories have a few million.
const MOST: usize = MAX_CHANGES;

/// The differences from `old` to `new`, in the order of `git diff-tree -r`.
///
/// # Errors
/// [`ObjectError::Missing`] and [`ObjectError::Corrupt`] for a tree that cannot be read.
pub(crate) fn diff_trees(objects: &Objects, old: TreeId, new: TreeId) -> Result<Vec<TreeChange>> {
    let mut diff = Diff { objects, path: BString::default(), changes: Vec::new() };
    diff.trees(old, new)?;
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

/// Two entries of the same name and kind that differ, or an entry that one side lacks.
struct Pair {
    name: BString,
    before: Option<Entry>,
    after: Option<Entry>,
}

struct Diff<'o> {
    objects: &'o Objects,
    /// The folder being compared.
    path: BString,
    changes: Vec<TreeChange>,
}

impl Diff<'_> {
    /// Goes through the folders without recursion: the repository decides how deep they are nested.
    fn trees(&mut self, old: TreeId, new: TreeId) -> Result<()> {
        let mut levels = vec![(0, self.differing(Some(old), Some(new))?.into_iter())];
        while let Some((folder, pairs)) = levels.last_mut() {
            self.path.truncate(*folder);
            let Some(Pair { name, before, after }) = pairs.next() else {
                levels.pop();
                continue;
            };
            if !self.path.is_empty() {
                self.path.push(b'/');
            }
            self.path.extend_from_slice(&name);
            let file = |entry: Option<Entry>| entry.filter(|entry| !entry.mode.is_tree());
            let (old_file, new_file) = (file(before), file(after));
            if old_file.is_some() || new_file.is_some() {
                let path = RepoPath::from(self.path.as_bstr());
                self.changes.push(TreeChange { path, before: old_file, after: new_file });
            }
            let tree =
                |entry: Option<Entry>| entry.filter(|entry| entry.mode.is_tree()).map(|it| TreeId(it.id));
            let (old, new) = (tree(before), tree(after));
            let Some(either) = new.or(old).filter(|_| old != new) else { continue };
            if levels.len() > DEEPEST {
                return Err(corrupt(either, "its folders are nested deeper than 2048"));
            }
            if self.changes.len() > MOST {
                return Err(corrupt(either, format!("more than {MOST} paths differ in it and beside it")));
            }
            levels.push((self.path.len(), self.differing(old, new)?.into_iter()));
        }
        Ok(())
    }

    /// The rows in which two trees differ, in git's order.
    fn differing(&self, old: Option<TreeId>, new: Option<TreeId>) -> Result<Vec<Pair>> {
        let mut pairs = Vec::new();
        if old == new {
            return Ok(pairs);
        }
        let (mut old_bytes, mut new_bytes) = (Vec::new(), Vec::new());
        let old = self.rows(old, &mut old_bytes)?;
        let new = self.rows(new, &mut new_bytes)?;
        let (mut old, mut new) = (old.as_slice(), new.as_slice());
        loop {
            let order = match (old.first(), new.first()) {
                (None, None) => return Ok(pairs),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(one), Some(other)) => one.in_order(other),
            };
            let before = if order.is_le() { take_first(&mut old) } else { None };
            let after = if order.is_ge() { take_first(&mut new) } else { None };
            if let (Some(before), Some(after)) = (&before, &after)
                && before.entry.same_as(&after.entry)
            {
                continue;
            }
            let Some(name) = before.as_ref().or(after.as_ref()).map(|row| row.name.to_owned()) else {
                continue;
            };
            let (before, after) = (before.map(|row| row.entry), after.map(|row| row.entry));
            pairs.push(Pair { name, before, after });
        }
    }

    fn rows<'b>(&self, id: Option<TreeId>, bytes: &'b mut Vec<u8>) -> Result<Vec<Row<'b>>> {
        let Some(id) = id else { return Ok(Vec::new()) };
        self.objects.read_tree(id, bytes)?;
        TreeReader::new(id, bytes).sorted()
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
    ObjectError::Corrupt { kind: "tree", id: id.0, source: source.into() }.into()
}
