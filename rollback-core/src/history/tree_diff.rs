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
        if old == new {
            return Ok(Vec::new());
        }
        let (mut old_bytes, mut new_bytes) = (Vec::new(), Vec::new());
        let old = self.rows(old, &mut old_bytes)?;
        let new = self.rows(new, &mut new_bytes)?;
        let pair = |(before, after): (Option<Row<'_>>, Option<Row<'_>>)| {
            let name = before.or(after)?.name.to_owned();
            let (before, after) = (before.map(|row| row.entry), after.map(|row| row.entry));
            Some(Pair { name, before, after })
        };
        Ok(differing_rows(&old, &new).filter_map(pair).collect())
    }

    fn rows<'b>(&self, id: Option<TreeId>, bytes: &'b mut Vec<u8>) -> Result<Vec<Row<'b>>> {
        let Some(id) = id else { return Ok(Vec::new()) };
        self.objects.read_tree(id, bytes)?;
        TreeReader::new(id, bytes).sorted()
    }
}

/// The rows of two sorted trees that are not in both, those of one name and kind together.
pub(super) fn differing_rows<'b>(
    mut old: &'b [Row<'b>],
    mut new: &'b [Row<'b>],
) -> impl Iterator<Item = (Option<Row<'b>>, Option<Row<'b>>)> {
    std::iter::from_fn(move || {
        loop {
            let order = match (old.first(), new.first()) {
                (None, None) => return None,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(one), Some(other)) => one.in_order(other),
            };
            let before = if order.is_le() { take_first(&mut old) } else { None };
            let after = if order.is_ge() { take_first(&mut new) } else { None };
            match (&before, &after) {
                (Some(before), Some(after)) if before.entry.same_as(&after.entry) => {}
                _ => return Some((before, after)),
            }
        }
    })
}

/// The parts of two trees' bytes in which they differ: the rows with which both begin, and those with which both end, are
/// left out unread. All of both where one has no rows that can be told apart.
pub(super) fn differing_part<'b>(old: &'b [u8], new: &'b [u8], hash_len: usize) -> (&'b [u8], &'b [u8]) {
    let row_end = |bytes: &[u8], start: usize| {
        let end = bytes.get(start..)?.find_byte(0)? + start + 1 + hash_len;
        (end <= bytes.len()).then_some(end)
    };
    let (head, mut start) = (shared_head(old, new), 0);
    while let Some(end) = row_end(old, start).filter(|end| *end <= head) {
        start = end;
    }
    let (old, new) = (&old[start..], &new[start..]);
    let tail = shared_tail(old, new);
    let (mut old_end, mut new_end) = (0, 0);
    loop {
        let (old_left, new_left) = (old.len() - old_end, new.len() - new_end);
        if old_left == new_left && old_left <= tail {
            return (&old[..old_end], &new[..new_end]);
        }
        let (bytes, end) = if old_left >= new_left { (old, &mut old_end) } else { (new, &mut new_end) };
        match row_end(bytes, *end) {
            Some(next) => *end = next,
            None => return (old, new),
        }
    }
}

/// How many bytes are compared at once.
const BLOCK: usize = 64;

fn shared_head(one: &[u8], other: &[u8]) -> usize {
    let blocks = one.chunks_exact(BLOCK).zip(other.chunks_exact(BLOCK));
    let shared = blocks.take_while(|(one, other)| one == other).count() * BLOCK;
    let rest = one[shared..].iter().zip(&other[shared..]);
    shared + rest.take_while(|(one, other)| one == other).count()
}

fn shared_tail(one: &[u8], other: &[u8]) -> usize {
    let blocks = one.rchunks_exact(BLOCK).zip(other.rchunks_exact(BLOCK));
    let shared = blocks.take_while(|(one, other)| one == other).count() * BLOCK;
    let rest = one[..one.len() - shared].iter().rev().zip(other[..other.len() - shared].iter().rev());
    shared + rest.take_while(|(one, other)| one == other).count()
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

#[cfg(test)]
mod tests {
    use super::*;

    const HASH_LEN: usize = 20;

    fn tree(rows: &[(&str, u8)]) -> Vec<u8> {
        let row = |(name, id): &(&str, u8)| [b"100644 ", name.as_bytes(), &[0], &[*id; HASH_LEN]].concat();
        rows.iter().flat_map(row).collect()
    }

    #[test]
    fn rows_that_two_trees_share_at_both_ends_are_left_out() {
        let part = |old: &[(&str, u8)], new: &[(&str, u8)]| {
            let (old, new) = (tree(old), tree(new));
            let (old, new) = differing_part(&old, &new, HASH_LEN);
            (old.to_vec(), new.to_vec())
        };
        let all = [("a", 1), ("b", 2), ("c", 3)];
        assert_eq!(part(&all, &all), (Vec::new(), Vec::new()));
        assert_eq!(part(&all, &[]), (tree(&all), Vec::new()));
        assert_eq!(part(&all, &[("a", 1), ("b", 9), ("c", 3)]), (tree(&[("b", 2)]), tree(&[("b", 9)])));
        assert_eq!(part(&all, &[("a", 1), ("c", 3)]), (tree(&[("b", 2)]), Vec::new()));
        assert_eq!(
            part(&[("c", 3)], &[("a", 3), ("b", 3), ("c", 3)]),
            (Vec::new(), tree(&[("a", 3), ("b", 3)]))
        );
        // An id that holds the zeros and letters of a row does not shift where rows begin.
        assert_eq!(part(&[("a", 0), ("b", 0)], &[("b", 0)]), (tree(&[("a", 0)]), Vec::new()));
    }

    #[test]
    fn bytes_without_rows_are_left_whole() {
        let damaged = b"100644 a\0short".to_vec();
        assert_eq!(differing_part(&damaged, b"", HASH_LEN), (&damaged[..], &b""[..]));
    }
}
