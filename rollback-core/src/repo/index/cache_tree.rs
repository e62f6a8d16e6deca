//! The cached trees of the index (`TREE`): which folders of the index are known to equal which tree.
//!
//! They are brought up to date, not dropped: without them git's next status and commit compute every
//! folder anew. A folder counts as known only where it was known to equal the tree before.

use crate::error::Result;
use crate::id::{EntryKind, TreeId};
use crate::path::RepoPath;
use crate::repo::{Objects, Tree};

/// One folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CacheTree {
    name: Vec<u8>,
    /// How many entries of the index lie below, and the tree they make; `None` where that is not known.
    known: Option<(u32, gix::ObjectId)>,
    children: Vec<CacheTree>,
}

/// A change of the whole index from one tree to another, as far as certain paths are concerned.
pub(crate) struct Shift<'a> {
    pub(crate) objects: &'a Objects,
    /// Sorted, without duplicates: every path at which the trees differ, and every one that gets stages.
    pub(crate) paths: &'a [RepoPath],
    /// Whether the path is in conflict now, which leaves its folders unknown.
    pub(crate) is_conflicted: &'a dyn Fn(&RepoPath) -> bool,
}

impl CacheTree {
    /// The tree of the whole index, where it is known.
    pub(crate) fn root_id(&self) -> Option<TreeId> {
        self.known.map(|(_, id)| id.into())
    }

    /// Every folder that is known: its path, how many entries lie below, and its tree.
    #[cfg(test)]
    pub(crate) fn known_folders(&self) -> Vec<(String, u32, TreeId)> {
        let mut found = Vec::new();
        self.collect_known("", &mut found);
        found
    }

    #[cfg(test)]
    fn collect_known(&self, path: &str, found: &mut Vec<(String, u32, TreeId)>) {
        if let Some((count, id)) = self.known {
            found.push((path.trim_end_matches('/').to_owned(), count, id.into()));
        }
        for child in &self.children {
            let name = String::from_utf8_lossy(&child.name);
            child.collect_known(&format!("{path}{name}/"), found);
        }
    }

    pub(super) fn decode(data: &[u8], hash: gix::hash::Kind) -> Option<Self> {
        let (tree, rest) = decode_one(data, hash, 0)?;
        rest.is_empty().then_some(tree)
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.encode_into(&mut bytes);
        bytes
    }

    fn encode_into(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.name);
        bytes.push(0);
        let count = self.known.map_or(-1, |(count, _)| i64::from(count));
        bytes.extend_from_slice(format!("{count} {}\n", self.children.len()).as_bytes());
        if let Some((_, id)) = &self.known {
            bytes.extend_from_slice(id.as_bytes());
        }
        for child in &self.children {
            child.encode_into(bytes);
        }
    }

    /// Follows the index from the tree `before` to the tree `after`.
    pub(crate) fn shift(&mut self, before: TreeId, after: TreeId, shift: &Shift<'_>) -> Result<()> {
        self.shift_folder(Some(before), Some(after), b"", shift.paths, shift)
    }

    fn shift_folder(
        &mut self,
        before: Option<TreeId>,
        after: Option<TreeId>,
        prefix: &[u8],
        paths: &[RepoPath],
        shift: &Shift<'_>,
    ) -> Result<()> {
        let was_known = self.known.is_some_and(|(_, id)| before.is_some_and(|before| before.0.0 == id));
        let conflicted = paths.iter().any(shift.is_conflicted);
        let before_rows = rows(shift.objects, before)?;
        let after_rows = rows(shift.objects, after)?;
        let mut rest = paths;
        while let Some(first) = rest.first() {
            let name = first_component(first, prefix).to_vec();
            let len = rest.iter().take_while(|path| first_component(path, prefix) == name).count();
            let (group, others) = rest.split_at(len);
            rest = others;
            let mut inner = prefix.to_vec();
            inner.extend_from_slice(&name);
            inner.push(b'/');
            let below: Vec<_> =
                group.iter().filter(|path| path.as_bytes().starts_with(&inner)).cloned().collect();
            if !below.is_empty() {
                self.shift_child(&name, &before_rows, &after_rows, &inner, &below, was_known, shift)?;
            }
        }
        self.known = match (was_known && !conflicted, after) {
            (true, Some(after)) => self.count(&after_rows).map(|count| (count, after.0.0)),
            _ => None,
        };
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "one step of a recursion over five parallel structures")]
    fn shift_child(
        &mut self,
        name: &[u8],
        before: &Tree,
        after: &Tree,
        inner: &[u8],
        below: &[RepoPath],
        parent_was_known: bool,
        shift: &Shift<'_>,
    ) -> Result<()> {
        let folder =
            |tree: &Tree| tree.find(name).filter(|entry| entry.mode.is_tree()).map(|entry| TreeId(entry.id));
        let (before, after) = (folder(before), folder(after));
        let at = self.children.iter().position(|child| child.name == name);
        match (at, after) {
            (Some(at), None) => {
                self.children.remove(at);
            }
            (Some(at), Some(_)) => self.children[at].shift_folder(before, after, inner, below, shift)?,
            // A new folder in a known one holds nothing but what the tree has.
            (None, Some(after)) if parent_was_known && before.is_none() => {
                if let Some(child) = build(shift.objects, name, after)? {
                    self.children.push(child);
                    self.children.sort_by(|a, b| subtree_order(&a.name, &b.name));
                }
            }
            (None, _) => {}
        }
        Ok(())
    }

    /// How many entries of the index make up this folder; `None` where a folder below is not known.
    fn count(&self, rows: &Tree) -> Option<u32> {
        let mut count = 0u32;
        for row in &rows.entries {
            count += match row.entry.mode.kind() {
                EntryKind::Tree => self.children.iter().find(|child| child.name == row.name)?.known?.0,
                _ => 1,
            };
        }
        Some(count)
    }
}

fn rows(objects: &Objects, id: Option<TreeId>) -> Result<Tree> {
    id.map_or_else(|| Ok(Tree::default()), |id| objects.tree(id))
}

/// The folder as it stands in the tree, all of it known.
fn build(objects: &Objects, name: &[u8], id: TreeId) -> Result<Option<CacheTree>> {
    let tree = objects.tree(id)?;
    let mut built = CacheTree { name: name.to_vec(), known: None, children: Vec::new() };
    for row in tree.entries.iter().filter(|row| row.entry.mode.is_tree()) {
        match build(objects, &row.name, TreeId(row.entry.id))? {
            Some(child) => built.children.push(child),
            None => return Ok(None),
        }
    }
    built.children.sort_by(|a, b| subtree_order(&a.name, &b.name));
    built.known = built.count(&tree).map(|count| (count, id.0.0));
    Ok(Some(built))
}

/// git sorts cached subtrees by length first (`subtree_name_cmp`), and searches them so.
fn subtree_order(a: &[u8], b: &[u8]) -> std::cmp::Ordering {
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

fn first_component<'a>(path: &'a RepoPath, prefix: &[u8]) -> &'a [u8] {
    let rest = &path.as_bytes()[prefix.len()..];
    rest.split(|byte| *byte == b'/').next().unwrap_or(rest)
}

fn decode_one(data: &[u8], hash: gix::hash::Kind, depth: usize) -> Option<(CacheTree, &[u8])> {
    if depth > crate::repo::MAX_DEPTH {
        return None;
    }
    let split = |data: &'_ [u8], byte: u8| data.iter().position(|found| *found == byte);
    let end = split(data, 0)?;
    let (name, data) = (data[..end].to_vec(), &data[end + 1..]);
    let end = split(data, b' ')?;
    let count: i64 = std::str::from_utf8(&data[..end]).ok()?.parse().ok()?;
    let data = &data[end + 1..];
    let end = split(data, b'\n')?;
    let subtrees: usize = std::str::from_utf8(&data[..end]).ok()?.parse().ok()?;
    let mut data = &data[end + 1..];
    let mut known = None;
    if count >= 0 {
        let (id, rest) = data.split_at_checked(hash.len_in_bytes())?;
        known = Some((u32::try_from(count).ok()?, gix::ObjectId::try_from(id).ok()?));
        data = rest;
    }
    let mut children = Vec::new();
    for _ in 0..subtrees {
        let (child, rest) = decode_one(data, hash, depth + 1)?;
        children.push(child);
        data = rest;
    }
    Some((CacheTree { name, known, children }, data))
}
