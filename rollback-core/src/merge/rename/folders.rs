//! Folders that were renamed: counted by the renames of the files in them, the majority decides. What the
//! other side put into such a folder moves along, and by default that is a conflict for people to confirm.

use std::rc::Rc;

use super::{Case, Collisions, Pair, Relevance, Side};
use crate::conflict::ConflictKind;
use crate::merge::DirectoryRenames;
use crate::merge::case::{BASE, Folder, Info, Known, PathId, Stop, other, split};
use crate::merge::hash::Map;
use crate::merge::order;

/// The path of a folder.
type Name = Rc<[u8]>;

/// How git writes the place of a file whose rename is still unknown.
const UNKNOWN: &[u8] = b"/";

/// By removed folder: the folders its files went to, in the order of their first file, and how many each.
#[derive(Default)]
pub(super) struct FolderCounts(Map<Name, Vec<(Name, usize)>>);

impl FolderCounts {
    fn count(&mut self, old: &[u8], new: &[u8]) {
        let counts = match self.0.get_mut(old) {
            Some(counts) => counts,
            None => self.0.entry(old.into()).or_default(),
        };
        match counts.iter_mut().find(|(folder, _)| folder.as_ref() == new) {
            Some((_, count)) => *count += 1,
            None => counts.push((new.into(), 1)),
        }
    }
}

impl Side {
    /// Counts a renamed file for its folder, and for the folders above as long as the names of the parts
    /// agree: `a/b/c/d/e/f` to `a/x/d/e/f` says where `a/b/c/d/e` and `a/b/c/d` went, and no more.
    pub(super) fn count_rename(&mut self, old: &[u8], new: &[u8]) {
        let (mut old, mut new) = (split(old).0, split(new).0);
        let mut first = true;
        loop {
            let Some(relevance) = self.removed_folders.get(old).copied() else {
                return;
            };
            if relevance == Relevance::Own || first {
                self.counts.count(old, new);
            }
            if relevance == Relevance::None || old.is_empty() || new.is_empty() {
                return;
            }
            first = false;
            let (old_folder, old_part) = split(old);
            let (new_folder, new_part) = split(new);
            if old_part != new_part {
                return;
            }
            (old, new) = (old_folder, new_folder);
        }
    }

    pub(super) fn forget_counts(&mut self) {
        self.counts = FolderCounts::default();
    }

    /// For each folder with renamed files the one place that most of them went to.
    pub(super) fn guesses(&self) -> Map<Name, Name> {
        let best = |counts: &[(Rc<[u8]>, usize)]| {
            let names: Vec<_> = counts.iter().map(|(folder, _)| folder.clone()).collect();
            let mut best: Option<&(Rc<[u8]>, usize)> = None;
            // Of equal counts the first wins that git's table yields.
            for index in order::walk(&names) {
                if best.is_none_or(|best| counts[index].1 > best.1) {
                    best = Some(&counts[index]);
                }
            }
            best.map(|(folder, _)| folder.clone())
        };
        self.counts.0.iter().filter_map(|(old, counts)| Some((old.clone(), best(counts)?))).collect()
    }

    /// Counts files whose new place is unknown for every removed folder they were in, and notes where the
    /// majority is certain already.
    pub(super) fn count_unknown(&mut self, files: &[Rc<[u8]>]) {
        for file in files {
            let mut folder = split(file).0;
            while !folder.is_empty() && self.relevance(folder) != Relevance::None {
                self.counts.count(folder, UNKNOWN);
                folder = split(folder).0;
            }
        }
        for (folder, counts) in &self.counts.0 {
            if let Some(relevance) = self.removed_folders.get_mut(folder)
                && *relevance == Relevance::Own
                && is_certain(counts)
            {
                *relevance = Relevance::Ancestor;
            }
        }
    }

    /// Whether no folder above a file needs to know where the file went.
    pub(super) fn is_decided(&self, file: &[u8]) -> bool {
        let mut folder = split(file).0;
        loop {
            match self.relevance(folder) {
                Relevance::None => return true,
                Relevance::Own => return false,
                Relevance::Ancestor => folder = split(folder).0,
            }
        }
    }

    /// Keeps the counts of removed folders that matter.
    pub(super) fn finish_counts(&mut self) {
        let removed = &self.removed_folders;
        self.counts.0.retain(|folder, counts| {
            counts.retain(|(new, _)| new.as_ref() != UNKNOWN);
            removed.get(folder).is_some_and(|relevance| *relevance != Relevance::None)
        });
    }
}

/// Whether the most frequent place stays so wherever the unknown files are.
fn is_certain(counts: &[(Rc<[u8]>, usize)]) -> bool {
    let (mut first, mut second, mut unknown) = (0, 0, 0);
    for (folder, count) in counts {
        if folder.as_ref() == UNKNOWN {
            unknown = *count;
        } else if *count >= first {
            (first, second) = (*count, first);
        } else {
            second = second.max(*count);
        }
    }
    first > second + unknown
}

/// A path below `old` as it is once `old` is called `new`.
pub(super) fn renamed(path: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let below = &path[old.len() + usize::from(new.is_empty())..];
    [new, below].concat()
}

impl Case<'_> {
    /// Names the one place that each renamed folder of a side went to; where there are several, says so.
    pub(super) fn name_renamed_folders(&mut self, side: usize) {
        let renames = self.sides.at_mut(side);
        let mut split_folders = Vec::new();
        for (old, counts) in &renames.counts.0 {
            let Some(most) = counts.iter().map(|(_, count)| *count).max() else {
                continue;
            };
            let mut best = counts.iter().filter(|(_, count)| *count == most);
            match (best.next(), best.next()) {
                (Some((new, _)), None) => {
                    renames.folder_renames.insert(old.clone(), new.clone());
                }
                _ => split_folders.push(old.clone()),
            }
        }
        split_folders.sort();
        for folder in split_folders {
            self.loose_conflict(&folder);
        }
    }

    fn loose_conflict(&mut self, path: &[u8]) {
        let path = self.paths.intern(path);
        self.loose_conflicts.push((path, ConflictKind::DirectoryRename));
    }

    /// A folder that both sides renamed has no one place.
    pub(super) fn drop_folders_renamed_twice(&mut self) {
        let ours = &self.sides.at(1).folder_renames;
        let theirs = &self.sides.at(2).folder_renames;
        let twice: Vec<_> = ours.keys().filter(|folder| theirs.contains_key(*folder)).cloned().collect();
        for folder in twice {
            self.sides.at_mut(1).folder_renames.remove(&folder);
            self.sides.at_mut(2).folder_renames.remove(&folder);
        }
    }

    /// The innermost folder above `path` that `side` renamed, and where to.
    pub(super) fn folder_rename_over(&self, path: &[u8], side: usize) -> Option<(Name, Name)> {
        let renames = &self.sides.at(side).folder_renames;
        let mut folder = path;
        while !renames.is_empty() && folder.contains(&b'/') {
            folder = split(folder).0;
            if let Some((old, new)) = renames.get_key_value(folder) {
                return Some((old.clone(), new.clone()));
            }
        }
        None
    }

    /// Where a folder rename of the other side puts a file that `side` added or renamed; `None` where there is
    /// none, or none that can be followed.
    pub(super) fn moved_with_folder(
        &mut self,
        pair: &Pair,
        side: usize,
        collisions: &mut [Collisions; 2],
    ) -> Option<Vec<u8>> {
        let name = self.paths.name(pair.to).clone();
        if self.sides.at(other(side)).folder_renames.is_empty()
            || collisions[other(side) - 1].contains_key(name.as_ref())
        {
            return None;
        }
        let (old, new) = self.folder_rename_over(&name, other(side))?;
        // A folder that this side renamed itself is no place to follow the other side to.
        if self.sides.at(side).folder_renames.contains_key(&new) {
            return None;
        }
        let target = renamed(&name, &old, &new);
        let in_the_way = match self.known(&target) {
            Known::Nothing => false,
            Known::Settled => true,
            Known::Unsettled(clean, versions) => {
                clean || versions & (1 << side) != 0 || self.replaces_file_of_base(&target, pair)
            }
        };
        let collision = collisions[side - 1].get_mut(&target)?;
        if !collision.reported && !in_the_way && collision.sources.len() == 1 {
            return Some(target);
        }
        let first = !std::mem::replace(&mut collision.reported, true);
        if first {
            self.loose_conflict(&target);
        }
        None
    }

    /// Whether the base has a file at `target` that is another one than the source of the pair.
    fn replaces_file_of_base(&self, target: &[u8], pair: &Pair) -> bool {
        let Some(id) = self.paths.find(target) else { return false };
        let has_file = self.info(id).is_some_and(|info| info.filemask & 1 != 0);
        has_file && id != pair.from && self.options.git.is_at_least(2, 51)
    }

    /// Puts what is on record at `path` on record at `target`, which the other side's folder rename suggests.
    pub(super) fn move_with_folder(&mut self, path: PathId, target: &[u8]) -> Result<PathId, Stop> {
        let mut moving =
            self.take(path).ok_or_else(|| Stop::unsupported("a file that moves with its folder twice"))?;
        if moving.dirmask != 0 {
            if moving.filemask == 2 {
                // git loses the file here.
                return Err(Stop::unsupported(
                    "a file of ours that replaced a folder and moves with another",
                ));
            }
            self.leave_folder_behind(path, &mut moving);
        }
        let folder = self.make_folders(split(target).0, moving.filemask)?;
        let target = self.paths.intern(target);
        moving.folder = folder;
        match self.info_mut(target) {
            None => {
                self.folders[folder].members.push(target);
                self.put(target, moving);
            }
            Some(there) => {
                if there.clean || there.filemask & moving.filemask != 0 {
                    return Err(Stop::unsupported("a folder rename onto a settled path"));
                }
                let side = usize::from(moving.filemask >> 1);
                there.filemask |= moving.filemask;
                there.df_conflict |= there.dirmask != 0;
                there.pathnames[side] = moving.pathnames[side];
                there.stages[side] = moving.stages[side];
            }
        }
        if self.options.directory_renames == DirectoryRenames::Conflict
            && let Some(info) = self.info_mut(target)
        {
            info.path_conflict = Some(ConflictKind::DirectoryRename);
        }
        Ok(target)
    }

    /// A folder of the base is at the old path too: it stays on record there, without the file.
    fn leave_folder_behind(&mut self, path: PathId, moving: &mut Info) {
        let absent = self.store.absent();
        let mut folder = moving.clone();
        folder.filemask = 0;
        folder.clean = true;
        for side in 0..3 {
            if folder.dirmask & (1 << side) == 0 {
                folder.stages[side] = absent;
            }
        }
        self.put(path, folder);
        moving.dirmask = 0;
        moving.below = None;
        moving.df_conflict = false;
        moving.is_null = false;
        moving.stages[BASE] = absent;
    }

    /// The folder at a path, made if it is not on record, with those above it.
    fn make_folders(&mut self, path: &[u8], filemask: u8) -> Result<usize, Stop> {
        if path.is_empty() {
            return Ok(0);
        }
        match self.known(path) {
            Known::Unsettled(..) => {
                let id = self.paths.find(path).expect("it is on record");
                if let Some(folder) = self.info(id).expect("it is on record").below {
                    return Ok(folder);
                }
                if self.options.directory_renames != DirectoryRenames::Conflict {
                    return Err(Stop::unsupported("a folder rename into a settled path"));
                }
                // What is at the path stays there; git lists what moves below it and leaves it out of the tree.
                let folder = self.make_folder(id)?;
                self.change(id, |info| info.below = Some(folder));
                return Ok(folder);
            }
            Known::Settled => return Err(Stop::unsupported("a folder rename into a settled path")),
            Known::Nothing => {}
        }
        let above = self.make_folders(split(path).0, filemask)?;
        let id = self.paths.intern(path);
        let absent = self.store.absent();
        let folder = self.make_folder(id)?;
        self.folders[above].members.push(id);
        self.put(
            id,
            Info {
                stages: [absent; 3],
                pathnames: [id; 3],
                filemask: 0,
                dirmask: filemask,
                match_mask: 0,
                df_conflict: false,
                path_conflict: None,
                clean: false,
                is_null: false,
                result: absent,
                folder: above,
                below: Some(folder),
            },
        );
        Ok(folder)
    }

    /// A folder that none of the versions has.
    fn make_folder(&mut self, path: PathId) -> Result<usize, Stop> {
        let absent = self.store.absent();
        let empty = self.store.tree_of(&absent)?;
        self.folders.push(Folder {
            path,
            trees: [empty.clone(), empty.clone(), empty],
            ours: absent,
            walked: false,
            edits: Vec::new(),
            members: Vec::new(),
        });
        Ok(self.folders.len() - 1)
    }
}
