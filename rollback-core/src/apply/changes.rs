//! The paths at which two trees differ: what a landing writes, and all that it writes.

use std::collections::BTreeMap;

use super::hostile;
use crate::error::{PathError, Result};
use crate::id::{Entry, TreeId};
use crate::path::RepoPath;
use crate::repo::{MAX_CHANGES, MAX_DEPTH, Objects, Tree};

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
/// [`PathError::Hostile`] where the second tree holds a path that must not be written.
pub(crate) fn between(objects: &Objects, before: TreeId, after: TreeId) -> Result<Vec<Change>> {
    if before == after {
        return Ok(Vec::new());
    }
    let mut found = compare(objects, before, after)?;
    found.sort_by(|a, b| a.path.cmp(&b.path));
    for change in &found {
        if let Some(new) = change.new {
            hostile::check_entry(&change.path, new)?;
        }
    }
    Ok(found)
}

/// Two folders of the same path, either of which may not be there.
struct Folders {
    before: Option<TreeId>,
    after: Option<TreeId>,
    path: RepoPath,
    depth: usize,
}

/// Goes through the folders without recursion: the repository decides how deep they are nested.
fn compare(objects: &Objects, before: TreeId, after: TreeId) -> Result<Vec<Change>> {
    let (before, after) = (Some(before), Some(after));
    let mut open = vec![Folders { before, after, path: RepoPath::default(), depth: 0 }];
    let mut found = Vec::new();
    while let Some(folders) = open.pop() {
        let refuse = |why| Err(PathError::Hostile { path: folders.path.clone(), why }.into());
        if folders.depth > MAX_DEPTH {
            return refuse("it is nested deeper than 2048 folders");
        }
        if found.len() + open.len() > MAX_CHANGES {
            return refuse("the result changes too many paths");
        }
        compare_folders(objects, &folders, &mut open, &mut found)?;
    }
    Ok(found)
}

fn compare_folders(
    objects: &Objects,
    folders: &Folders,
    open: &mut Vec<Folders>,
    found: &mut Vec<Change>,
) -> Result<()> {
    let folder = &folders.path;
    let read = |id: Option<TreeId>| id.map_or_else(|| Ok(Tree::default()), |id| objects.tree(id));
    let (old_tree, new_tree) = (read(folders.before)?, read(folders.after)?);
    let mut rows: BTreeMap<&[u8], (Option<Entry>, Option<Entry>)> = BTreeMap::new();
    for row in &old_tree.entries {
        rows.entry(&row.name).or_default().0 = Some(row.entry);
    }
    for row in &new_tree.entries {
        let side = &mut rows.entry(&row.name).or_default().1;
        if side.replace(row.entry).is_some() {
            return Err(PathError::Hostile {
                path: folder.join(&row.name),
                why: "its folder lists it twice",
            }
            .into());
        }
    }
    for (name, (old, new)) in rows {
        if old.is_some() && new.is_some_and(|new| old.is_some_and(|old| old.same_as(&new))) {
            continue;
        }
        if let Some(new) = new {
            // A folder without an object would be read as an empty one.
            let why = hostile::why_hostile(name).or(new.id.is_null().then_some("its entry names no object"));
            if let Some(why) = why {
                return Err(PathError::Hostile { path: folder.join(name), why }.into());
            }
        }
        let path = folder.join(name);
        let (before, old) = split(old);
        let (after, new) = split(new);
        if before != after {
            open.push(Folders { before, after, path: path.clone(), depth: folders.depth + 1 });
        }
        if old.is_some() || new.is_some() {
            found.push(Change { path, old, new });
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
