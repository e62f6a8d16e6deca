//! Building a tree from another one with some paths replaced.
//!
//! Only the trees on the way to an edited path are read and written; every other entry keeps its id and
//! its mode as it is spelled.

use std::collections::BTreeMap;

use super::{Objects, Tree, TreeEntry};
use crate::error::Result;
use crate::id::{Entry, EntryMode, TreeId};
use crate::path::RepoPath;

/// What paths become: an entry, or nothing.
pub(crate) type Edits = BTreeMap<RepoPath, Option<Entry>>;

/// The edits inside one folder, by the name of its entries.
#[derive(Default)]
struct FolderEdits<'a> {
    here: BTreeMap<&'a [u8], Option<Entry>>,
    below: BTreeMap<&'a [u8], FolderEdits<'a>>,
}

impl Objects {
    /// The tree that has `edits` in place of what `tree` has at these paths; folders left empty go away.
    ///
    /// An entry put below a path that is a file in `tree` turns that file into a folder. Where one edited path lies
    /// below another, the outer one is carried out first.
    pub(crate) fn edit_tree(&self, tree: TreeId, edits: &Edits) -> Result<TreeId> {
        if let Some(entry) = edits.get(&RepoPath::default()) {
            return Ok(entry.map_or_else(|| self.empty_tree(), |entry| TreeId(entry.id)));
        }
        let mut root = FolderEdits::default();
        for (path, entry) in edits {
            root.insert(path, *entry);
        }
        self.edit_folder(tree, &root)
    }

    fn edit_folder(&self, tree: TreeId, edits: &FolderEdits<'_>) -> Result<TreeId> {
        let before = self.tree(tree)?;
        let mut after: BTreeMap<&[u8], Entry> =
            before.entries.iter().map(|row| (row.name.as_slice(), row.entry)).collect();
        for (name, entry) in &edits.here {
            match entry {
                Some(entry) => after.insert(name, *entry),
                None => after.remove(name),
            };
        }
        for (name, below) in &edits.below {
            self.edit_child(&mut after, name, below)?;
        }
        let entries = after.into_iter().map(|(name, entry)| TreeEntry { name: name.into(), entry }).collect();
        self.write_tree(&Tree { entries })
    }

    fn edit_child<'a>(
        &self,
        folder: &mut BTreeMap<&'a [u8], Entry>,
        name: &'a [u8],
        edits: &FolderEdits<'_>,
    ) -> Result<()> {
        let before = folder.get(name).copied();
        let tree = match before {
            Some(entry) if entry.mode.is_tree() => TreeId(entry.id),
            Some(_) if !edits.adds_something() => return Ok(()),
            _ => self.empty_tree(),
        };
        let edited = self.edit_folder(tree, edits)?;
        if edited == self.empty_tree() {
            folder.remove(name);
        } else {
            folder.insert(name, Entry { mode: EntryMode::TREE, id: edited.0 });
        }
        Ok(())
    }
}

impl<'a> FolderEdits<'a> {
    fn insert(&mut self, path: &'a RepoPath, entry: Option<Entry>) {
        let mut parts: Vec<&[u8]> = path.components().collect();
        let Some(name) = parts.pop() else { return };
        let folder = parts.into_iter().fold(self, |folder, part| folder.below.entry(part).or_default());
        folder.here.insert(name, entry);
    }

    fn adds_something(&self) -> bool {
        self.here.values().any(Option::is_some) || self.below.values().any(Self::adds_something)
    }
}
