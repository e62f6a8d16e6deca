//! Trees as the merge reads them: parsed once, compared as bytes, and rewritten with the fewest copies.

use std::cmp::Ordering;
use std::rc::Rc;

use gix::ObjectId;

use crate::id::{EntryKind, EntryMode};

/// A mode and an object; mode 0 is the absence of both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Version {
    /// The canonical mode, as git compares and writes it.
    pub(super) mode: EntryMode,
    pub(super) id: ObjectId,
}

impl Version {
    pub(super) fn absent(hash: gix::hash::Kind) -> Self {
        Self { mode: EntryMode::from_bits(0), id: hash.null() }
    }

    pub(super) fn is_absent(&self) -> bool {
        self.mode.bits() == 0
    }

    pub(super) fn is_tree(&self) -> bool {
        !self.is_absent() && self.mode.is_tree()
    }

    pub(super) fn is_file(&self) -> bool {
        !self.is_absent() && self.mode.is_file()
    }

    pub(super) fn is_submodule(&self) -> bool {
        !self.is_absent() && self.mode.kind() == EntryKind::Submodule
    }

    /// Whether both are files, both links, or both submodules.
    pub(super) fn same_type(&self, other: &Self) -> bool {
        self.mode.bits() & 0o170_000 == other.mode.bits() & 0o170_000
    }
}

/// A parsed tree.
pub(super) struct Tree {
    raw: Rc<Vec<u8>>,
    rows: Vec<Row>,
    hash: gix::hash::Kind,
    /// Sorted, no name twice, no name that would be two: git and we read it alike.
    pub(super) is_sound: bool,
    /// Spelled as git spells today, so that an unchanged copy has this tree's own id.
    is_canonical: bool,
}

/// One row, as positions in the raw bytes.
#[derive(Clone, Copy)]
pub(super) struct Row {
    name: u32,
    id: u32,
    pub(super) mode: EntryMode,
}

/// The tree ends in the middle of a row, or a row makes no sense.
#[derive(Debug, thiserror::Error)]
#[error("row {row} of the tree cannot be parsed")]
pub(super) struct Malformed {
    row: usize,
}

impl Tree {
    pub(super) fn empty(hash: gix::hash::Kind) -> Self {
        Self { raw: Rc::default(), rows: Vec::new(), hash, is_sound: true, is_canonical: true }
    }

    pub(super) fn parse(raw: Rc<Vec<u8>>, hash: gix::hash::Kind) -> Result<Self, Malformed> {
        let id_length = hash.len_in_bytes();
        let mut tree =
            Self { rows: Vec::with_capacity(raw.len() / 32), raw, hash, is_sound: true, is_canonical: true };
        let mut at = 0;
        while at < tree.raw.len() {
            let malformed = Malformed { row: tree.rows.len() };
            let Some((row, next)) = parse_row(&tree.raw, at, id_length) else {
                return Err(malformed);
            };
            let octal = &tree.raw[at..row.name as usize - 1];
            tree.is_canonical &= is_canonical(octal, row.mode);
            tree.is_sound &= tree.follows(&row);
            tree.rows.push(row);
            at = next;
        }
        tree.is_canonical &= tree.is_sound;
        Ok(tree)
    }

    /// Whether `row` may stand behind the rows so far.
    fn follows(&self, row: &Row) -> bool {
        let name = self.name(row);
        if name.is_empty() || name.contains(&b'/') || self.id_bytes(row).iter().all(|byte| *byte == 0) {
            return false;
        }
        let Some(last) = self.rows.last() else {
            return true;
        };
        if order(self.name(last), last.mode.is_tree(), name, row.mode.is_tree()) != Ordering::Less {
            return false;
        }
        // A file of the same name can hide in front of a folder: `a`, `a.c`, `a/`.
        !(row.mode.is_tree()
            && self
                .rows
                .iter()
                .rev()
                .map(|row| self.name(row))
                .take_while(|before| before.starts_with(name))
                .any(|before| before == name))
    }

    pub(super) fn rows(&self) -> &[Row] {
        &self.rows
    }

    pub(super) fn size(&self) -> usize {
        self.raw.len() + self.rows.len() * size_of::<Row>() + size_of::<Self>()
    }

    pub(super) fn name(&self, row: &Row) -> &[u8] {
        &self.raw[row.name as usize..row.id as usize - 1]
    }

    fn id_bytes(&self, row: &Row) -> &[u8] {
        &self.raw[row.id as usize..row.id as usize + self.hash.len_in_bytes()]
    }

    pub(super) fn version(&self, row: &Row) -> Version {
        Version { mode: row.mode, id: ObjectId::from_bytes_or_panic(self.id_bytes(row)) }
    }

    /// Whether a row of this tree and one of `other` have the same name, mode and object.
    pub(super) fn same_row(&self, row: &Row, other: &Self, other_row: &Row) -> bool {
        row.mode == other_row.mode
            && self.raw[row.name as usize..self.end(row)]
                == other.raw[other_row.name as usize..other.end(other_row)]
    }

    /// The order of a row of one tree and a row of another, as git sorts rows.
    pub(super) fn order(one: &Self, row: &Row, two: &Self, other: &Row) -> Ordering {
        order(one.name(row), row.mode.is_tree(), two.name(other), other.mode.is_tree())
    }

    /// How many rows from `row` on are spelled as those of `other` from `other_row` on.
    pub(super) fn same_rows(&self, row: usize, other: &Self, other_row: usize) -> usize {
        let start = self.start(row);
        let same = common_prefix(&self.raw[start..], &other.raw[other.start(other_row)..]);
        self.rows[row..].partition_point(|row| self.end(row) <= start + same)
    }

    /// Where a row begins.
    fn start(&self, row: usize) -> usize {
        row.checked_sub(1).map_or(0, |before| self.end(&self.rows[before]))
    }

    fn end(&self, row: &Row) -> usize {
        row.id as usize + self.hash.len_in_bytes()
    }

    /// The row called `name`.
    pub(super) fn find(&self, name: &[u8]) -> Option<Version> {
        self.rows.iter().find(|row| self.name(row) == name).map(|row| self.version(row))
    }

    /// The tree with `edits` made, as bytes; `None` where it is this very tree. The edits are sorted by name,
    /// one a name; an absent version takes the row out.
    pub(super) fn edited(&self, edits: &[(&[u8], Version)]) -> Option<Vec<u8>> {
        if edits.is_empty() && self.is_canonical {
            return None;
        }
        if let Some(patched) = self.patched(edits) {
            return (patched != *self.raw).then_some(patched);
        }
        let mut rows: Vec<(&[u8], Version)> = Vec::with_capacity(self.rows.len() + edits.len());
        for row in &self.rows {
            if edits.binary_search_by(|(name, _)| (*name).cmp(self.name(row))).is_err() {
                rows.push((self.name(row), self.version(row)));
            }
        }
        let kept = rows.len();
        rows.extend(edits.iter().filter(|(_, version)| !version.is_absent()));
        if rows.len() > kept || !self.is_canonical {
            rows.sort_by(|(a, a_version), (b, b_version)| {
                order(a, a_version.is_tree(), b, b_version.is_tree())
            });
        }
        let bytes = spell(&rows, self.raw.len() + 64 * edits.len());
        (!self.is_canonical || bytes != *self.raw).then_some(bytes)
    }

    /// The bytes with `edits` made in place, if these only change ids and kinds of files.
    fn patched(&self, edits: &[(&[u8], Version)]) -> Option<Vec<u8>> {
        if !self.is_canonical {
            return None;
        }
        let mut raw = self.raw.to_vec();
        for (name, version) in edits {
            let is_tree = version.is_tree();
            let place = |row: &Row| order(self.name(row), row.mode.is_tree(), name, is_tree);
            let row = &self.rows[self.rows.binary_search_by(place).ok()?];
            if version.is_absent() || row.mode.is_tree() != is_tree || self.name(row) != *name {
                return None;
            }
            if row.mode != version.mode {
                let spelled = spelling(version.mode);
                let end = row.name as usize - 1;
                raw[end - spelled.len()..end].copy_from_slice(spelled);
            }
            raw[row.id as usize..self.end(row)].copy_from_slice(version.id.as_bytes());
        }
        Some(raw)
    }
}

/// How many bytes two slices have in common from their start.
pub(super) fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    const STEP: usize = 64;
    let shared = a.len().min(b.len());
    let mut at = 0;
    while at + STEP <= shared && a[at..at + STEP] == b[at..at + STEP] {
        at += STEP;
    }
    at + a[at..shared].iter().zip(&b[at..shared]).take_while(|(a, b)| a == b).count()
}

fn parse_row(raw: &[u8], start: usize, id_length: usize) -> Option<(Row, usize)> {
    let mut mode = 0u32;
    let mut at = start;
    loop {
        match raw.get(at)? {
            b' ' if at > start => break,
            digit @ b'0'..=b'7' => mode = mode.checked_mul(8)? + u32::from(digit - b'0'),
            _ => return None,
        }
        at += 1;
    }
    let name = at + 1;
    let id = name + memchr(raw.get(name..)?)? + 1;
    let next = id + id_length;
    if next > raw.len() {
        return None;
    }
    let mode = EntryMode::from_bits((mode & 0xffff) as u16).canonical();
    Some((Row { name: name as u32, id: id as u32, mode }, next))
}

fn memchr(bytes: &[u8]) -> Option<usize> {
    bstr::ByteSlice::find_byte(bytes, 0)
}

fn is_canonical(octal: &[u8], mode: EntryMode) -> bool {
    octal == spelling(mode)
}

/// A mode as git writes it.
fn spelling(mode: EntryMode) -> &'static [u8] {
    match mode.kind() {
        EntryKind::Tree => b"40000",
        EntryKind::Blob => b"100644",
        EntryKind::Executable => b"100755",
        EntryKind::Symlink => b"120000",
        EntryKind::Submodule => b"160000",
    }
}

/// The order of git's trees: a folder sorts as if its name ended in a slash.
fn order(a: &[u8], a_is_tree: bool, b: &[u8], b_is_tree: bool) -> Ordering {
    let shared = a.len().min(b.len());
    let end =
        |name: &[u8], is_tree: bool| name.get(shared).copied().unwrap_or(if is_tree { b'/' } else { 0 });
    a[..shared].cmp(&b[..shared]).then_with(|| end(a, a_is_tree).cmp(&end(b, b_is_tree)))
}

/// Rows as the bytes of a tree; they are in order.
fn spell(rows: &[(&[u8], Version)], capacity: usize) -> Vec<u8> {
    let mut raw = Vec::with_capacity(capacity);
    for (name, version) in rows {
        raw.extend_from_slice(spelling(version.mode));
        raw.push(b' ');
        raw.extend_from_slice(name);
        raw.push(0);
        raw.extend_from_slice(version.id.as_bytes());
    }
    raw
}
