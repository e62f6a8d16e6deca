//! The paths at which two trees differ: what a landing writes, and all that it writes.

use std::collections::BTreeMap;

use super::hostile;
use crate::error::{Error, Result};
use crate::id::{Entry, TreeId};
use crate::path::RepoPath;
use crate::repo::{MAX_DEPTH, Objects, Tree};

/// More changed paths than this are refused: seven small trees can stand for a million entries.
const MAX_CHANGES: usize = 5_000_000;

/// One path at which two trees differ. Neither side is ever a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) path: RepoPath,
    pub(crate) old: Option<Entry>,
    pub(crate) new: Option<Entry>,
}

/// The paths at which the trees differ, sorted by their bytes. Modes that mean the same are the same.
///
/// # Errors
/// [`Error::HostilePath`] where the second tree holds a path that must not be written.
pub(crate) fn between(objects: &Objects, before: TreeId, after: TreeId) -> Result<Vec<Change>> {
    let mut found = Vec::new();
    compare(objects, Some(before), Some(after), &RepoPath::default(), 0, &mut found)?;
    found.sort_by(|a, b| a.path.cmp(&b.path));
    for change in &found {
        if let Some(new) = change.new {
            hostile::check_entry(&change.path, new)?;
        }
    }
    Ok(found)
}

fn compare(
    objects: &Objects,
    before: Option<TreeId>,
    after: Option<TreeId>,
    folder: &RepoPath,
    depth: usize,
    found: &mut Vec<Change>,
) -> Result<()> {
    if before == after {
        return Ok(());
    }
    if depth > MAX_DEPTH {
        return Err(Error::HostilePath {
            path: folder.clone(),
            why: "it is nested deeper than 2048 folders",
        });
    }
    let read = |id: Option<TreeId>| id.map_or_else(|| Ok(Tree::default()), |id| objects.tree(id));
    let (old_tree, new_tree) = (read(before)?, read(after)?);
    let mut rows: BTreeMap<&[u8], (Option<Entry>, Option<Entry>)> = BTreeMap::new();
    for row in &old_tree.entries {
        rows.entry(&row.name).or_default().0 = Some(row.entry);
    }
    for row in &new_tree.entries {
        let side = &mut rows.entry(&row.name).or_default().1;
        if side.replace(row.entry).is_some() {
            return Err(Error::HostilePath {
                path: folder.join(&row.name),
                why: "its folder lists it twice",
            });
        }
    }
    for (name, (old, new)) in rows {
        if old.is_some() && new.is_some_and(|new| old.is_some_and(|old| old.same_as(&new))) {
            continue;
        }
        if new.is_some()
            && let Some(why) = hostile::why_hostile(name)
        {
            return Err(Error::HostilePath { path: folder.join(name), why });
        }
        let path = folder.join(name);
        let (old_folder, old) = split(old);
        let (new_folder, new) = split(new);
        if old_folder.is_some() || new_folder.is_some() {
            compare(objects, old_folder, new_folder, &path, depth + 1, found)?;
        }
        if old.is_some() || new.is_some() {
            found.push(Change { path, old, new });
        }
        if found.len() > MAX_CHANGES {
            return Err(Error::HostilePath {
                path: folder.clone(),
                why: "the result changes too many paths",
            });
        }
    }
    Ok(())
}

fn split(entry: Option<Entry>) -> (Option<TreeId>, Option<Entry>) {
    match entry {
        Some(entry) if entry.mode.is_tree() => (Some(TreeId(entry.id)), None),
        other => (None, other),
    }
}
