//! The index after a landing: the touched paths changed, every other entry bit for bit as it was.

use std::collections::{BTreeMap, BTreeSet};

use super::changes::Change;
use super::content::Content;
use super::folder::{Folder, Parent, parent_of};
use super::inspect::{Found, fingerprint};
use crate::conflict::Conflict;
use crate::error::{Error, Result};
use crate::id::{Entry, EntryKind, TreeId};
use crate::journal::IndexedPath;
use crate::path::RepoPath;
use crate::repo::Objects;
use crate::repo::config::Settings;
use crate::repo::index::{Flags, Index, IndexEntry, Replacement, Shift, Stat};

/// Racy entries up to this number are read to see whether they are clean; beyond it git is left to do so.
const READ_RACY: usize = 256;

/// Makes the index what it will be, with no stat data yet for the touched paths.
pub(crate) fn edit(
    index: &mut Index,
    changes: &[Change],
    found: &[Found],
    conflicts: &[Conflict],
    wanted: &BTreeMap<RepoPath, Flags>,
) {
    let mut replacements: BTreeMap<Vec<u8>, Replacement> = BTreeMap::new();
    for (change, found) in changes.iter().zip(found) {
        let path = change.path.as_bytes();
        let kept = index.entry_at(path).map(|entry| entry.flags.kept()).unwrap_or_default();
        let replacement = change.new.map(|new| {
            let mut entry = IndexEntry::new(path, new, 0);
            entry.flags = match wanted.get(&change.path) {
                Some(flags) if flags.skip_work_tree() || *found != Found::Skipped => *flags,
                _ if *found == Found::Skipped => kept.with_skip_work_tree(),
                _ => kept.without_skip_work_tree(),
            };
            entry
        });
        replacements.insert(path.to_vec(), replacement.into_iter().collect());
    }
    for conflict in conflicts {
        let path = conflict.path.as_bytes();
        let stages = [(conflict.stages.base, 1), (conflict.stages.ours, 2), (conflict.stages.theirs, 3)];
        let entries =
            stages.into_iter().filter_map(|(entry, stage)| Some(IndexEntry::new(path, entry?, stage)));
        replacements.insert(path.to_vec(), entries.collect());
    }
    index.replace(replacements);
}

/// Brings the cached trees along.
pub(crate) fn shift_cached_trees(
    index: &mut Index,
    objects: &Objects,
    (before, after): (TreeId, TreeId),
    changes: &[Change],
    conflicts: &[Conflict],
) -> Result<()> {
    let conflicted: BTreeSet<&RepoPath> = conflicts.iter().map(|conflict| &conflict.path).collect();
    let paths: BTreeSet<RepoPath> =
        changes.iter().map(|change| &change.path).chain(conflicted.iter().copied()).cloned().collect();
    let paths: Vec<_> = paths.into_iter().collect();
    let Some(tree) = index.tree_mut() else {
        return Ok(());
    };
    let is_conflicted = |path: &RepoPath| conflicted.contains(path);
    tree.shift(before, after, &Shift { objects, paths: &paths, is_conflicted: &is_conflicted })
}

/// Fills in the stat data of the touched paths from the files that now stand there.
pub(crate) fn refresh(index: &mut Index, root: &Folder, changes: &[Change]) -> Result<()> {
    let mut stats: BTreeMap<&[u8], Stat> = BTreeMap::new();
    for change in
        changes.iter().filter(|change| change.new.is_some_and(|new| new.mode.is_file() || is_link(new)))
    {
        let failed = |error| Error::io("examine", change.path.to_string(), error);
        if let Parent::Open(parent) = parent_of(root, &change.path).map_err(failed)?
            && let Some(info) = parent.info(change.path.file_name()).map_err(failed)?
        {
            stats.insert(change.path.as_bytes(), info.stat);
        }
    }
    for entry in index.entries_mut() {
        if entry.flags.stage() == 0
            && !entry.flags.skip_work_tree()
            && let Some(stat) = stats.get(entry.path.as_slice())
        {
            entry.stat = *stat;
        }
    }
    Ok(())
}

fn is_link(entry: Entry) -> bool {
    entry.mode.kind() == EntryKind::Symlink
}

/// Keeps the proof that racy entries need: in a younger index their stat data would be believed.
///
/// As git's `ce_smudge_racily_clean_entry`: the size of an entry whose file changed becomes 0.
pub(crate) fn settle_racy(
    index: &mut Index,
    touched: &[Change],
    root: &Folder,
    objects: &Objects,
    settings: &Settings,
) -> Result<()> {
    let touched: BTreeSet<&[u8]> = touched.iter().map(|change| change.path.as_bytes()).collect();
    let racy: Vec<usize> = index
        .entries()
        .iter()
        .enumerate()
        .filter(|(_, entry)| index.is_racy(entry) && (entry.mode.is_file() || is_link(entry.entry())))
        .filter(|(_, entry)| entry.stat.size != 0 && !entry.flags.skip_work_tree())
        .filter(|(_, entry)| !touched.contains(entry.path.as_slice()))
        .map(|(at, _)| at)
        .collect();
    if racy.is_empty() {
        return Ok(());
    }
    let mut content = Content::of_work_tree(objects, index)?;
    let read = racy.len() <= READ_RACY;
    for at in racy {
        let entry = &index.entries()[at];
        if !read || may_have_changed(entry, root, &mut content, objects, settings) {
            index.entries_mut()[at].stat.size = 0;
        }
    }
    Ok(())
}

/// Whether the file differs from the entry although its stat data is the same. In doubt it does.
fn may_have_changed(
    entry: &IndexEntry,
    root: &Folder,
    content: &mut Content<'_>,
    objects: &Objects,
    settings: &Settings,
) -> bool {
    let path = RepoPath::new(entry.path.as_slice());
    let Ok(Parent::Open(parent)) = parent_of(root, &path) else {
        return false;
    };
    let Ok(Some(info)) = parent.info(path.file_name()) else {
        return false;
    };
    if !entry.stat.matches(&info.stat, settings.trust_ctime, settings.check_stat) {
        return false;
    }
    let hash = objects.gix().object_hash();
    if fingerprint(&parent, path.file_name(), &info, hash).is_ok_and(|found| found.id == entry.id) {
        return false;
    }
    if !objects.blob_limit().is_ok_and(|limit| info.size <= limit) {
        return true;
    }
    let read = || -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut parent.open_file(path.file_name())?, &mut bytes)?;
        Ok(bytes)
    };
    let Ok(bytes) = read() else { return true };
    !content.blob_id(&path, &bytes, Some(entry.id)).is_ok_and(|id| id == entry.id)
}

/// What the index holds at the touched paths, for the journal.
pub(crate) fn touched(index: &Index, changes: &[Change], conflicts: &[Conflict]) -> Vec<IndexedPath> {
    let paths: BTreeSet<&RepoPath> = changes
        .iter()
        .map(|change| &change.path)
        .chain(conflicts.iter().map(|conflict| &conflict.path))
        .collect();
    paths
        .into_iter()
        .map(|path| IndexedPath { path: path.clone(), entries: entries_at(index, path) })
        .collect()
}

/// What the index holds at a path, in the form of records: flags, stage, mode and object.
pub(crate) fn entries_at(index: &Index, path: &RepoPath) -> Vec<(u8, Entry)> {
    index.entries_at(path.as_bytes()).iter().map(|entry| (entry.flags.tag(), entry.entry())).collect()
}

/// The paths at which two indexes differ in anything but stat data, with what the second one holds there.
pub(crate) fn differences(before: &Index, after: &Index) -> Vec<IndexedPath> {
    let paths: BTreeSet<&[u8]> =
        before.entries().iter().chain(after.entries()).map(|entry| entry.path.as_slice()).collect();
    paths
        .into_iter()
        .map(RepoPath::new)
        .filter(|path| entries_at(before, path) != entries_at(after, path))
        .map(|path| IndexedPath { entries: entries_at(after, &path), path })
        .collect()
}

/// Whether both hold the same entries, stat data aside.
pub(crate) fn same_entries(one: &Index, other: &Index) -> bool {
    let row = |entry: &IndexEntry| (entry.path.clone(), entry.flags.tag(), entry.entry());
    one.entries().iter().map(row).eq(other.entries().iter().map(row))
}

/// Whether the index holds at all these paths what the journal says that it will.
pub(crate) fn holds(index: &Index, after: &[IndexedPath]) -> bool {
    after.iter().all(|indexed| entries_at(index, &indexed.path) == indexed.entries)
}

/// The index with the touched paths as they were in `before`, as far as they still are what the landing
/// made of them.
pub(crate) fn taken_back(index: &Index, before: &Index, after: &[IndexedPath]) -> Index {
    let replacements = after
        .iter()
        .filter(|indexed| entries_at(index, &indexed.path) == indexed.entries)
        .map(|indexed| {
            let path = indexed.path.as_bytes();
            (path.to_vec(), before.entries_at(path).to_vec())
        })
        .collect();
    let mut index = index.clone();
    index.replace(replacements);
    index.forget_trees();
    index
}
