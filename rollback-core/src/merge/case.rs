//! What is known of one merge while it runs: every path that is not simply the same on all sides, the
//! folders that were walked, and what was found about renames.

use std::rc::Rc;

use super::content::{Content, RootAttributes};
use super::hash::Map;
use super::rename::Sides;
use super::store::Store;
use super::tree::{Tree, Version};
use super::{Labels, Options, ReviewReason};
use crate::conflict::ConflictKind;
use crate::error::Error;
use crate::path::RepoPath;

/// The three versions, as positions in arrays and as bits of a mask.
pub(super) const BASE: usize = 0;
pub(super) const OURS: usize = 1;
pub(super) const THEIRS: usize = 2;

/// The side across from `side`.
pub(super) fn other(side: usize) -> usize {
    3 - side
}

/// Why a merge ends early.
pub(super) enum Stop {
    Error(Error),
    Review(ReviewReason),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl Stop {
    pub(super) fn unsupported(what: &'static str) -> Self {
        Self::Review(ReviewReason::Unsupported { what })
    }
}

/// A path by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct PathId(u32);

/// Every path that was given a number.
#[derive(Default)]
pub(super) struct Paths {
    names: Vec<Rc<[u8]>>,
    ids: Map<Rc<[u8]>, PathId>,
    spelled: Vec<u8>,
}

impl Paths {
    pub(super) fn intern(&mut self, path: &[u8]) -> PathId {
        if let Some(id) = self.ids.get(path) {
            return *id;
        }
        let id = PathId(self.names.len() as u32);
        let name: Rc<[u8]> = path.into();
        self.names.push(name.clone());
        self.ids.insert(name, id);
        id
    }

    /// The path of `name` in a folder.
    fn intern_in(&mut self, folder: PathId, name: &[u8]) -> PathId {
        let mut path = std::mem::take(&mut self.spelled);
        path.clear();
        path.extend_from_slice(self.name(folder));
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend_from_slice(name);
        let id = self.intern(&path);
        self.spelled = path;
        id
    }

    pub(super) fn find(&self, path: &[u8]) -> Option<PathId> {
        self.ids.get(path).copied()
    }

    pub(super) fn name(&self, id: PathId) -> &Rc<[u8]> {
        &self.names[id.0 as usize]
    }
}

/// A path on which the versions differ in a way that is not settled at first sight.
#[derive(Clone, Debug)]
pub(super) struct Info {
    /// Base, ours and theirs.
    pub(super) stages: [Version; 3],
    /// Where each version lies; renames make them differ.
    pub(super) pathnames: [PathId; 3],
    /// Which versions are files (or links, or submodules), and which are folders.
    pub(super) filemask: u8,
    pub(super) dirmask: u8,
    /// Which versions are the same: none, or two of them.
    pub(super) match_mask: u8,
    /// A folder and a file at one path.
    pub(super) df_conflict: bool,
    /// A rename put something in doubt that content alone would settle.
    pub(super) path_conflict: Option<ConflictKind>,
    /// Nothing more to decide.
    pub(super) clean: bool,
    /// The result is that the path is not there.
    pub(super) is_null: bool,
    pub(super) result: Version,
    /// The folder it lies in, and the folder that it is.
    pub(super) folder: usize,
    pub(super) below: Option<usize>,
}

/// A folder that was walked, or made for a path that a folder's rename moves.
pub(super) struct Folder {
    pub(super) path: PathId,
    /// The three trees, empty where a version has no folder here.
    pub(super) trees: [Rc<Tree>; 3],
    /// Our tree's own entry.
    pub(super) ours: Version,
    /// Whether its entries were compared; otherwise it is only a place for moved files.
    pub(super) walked: bool,
    /// What differs from our tree: names with their version, absent where the name goes.
    pub(super) edits: Vec<(Rc<[u8]>, Version)>,
    /// The unsettled paths directly in it.
    pub(super) members: Vec<PathId>,
}

/// One merge.
pub(super) struct Case<'e> {
    pub(super) store: &'e mut Store,
    pub(super) content: &'e mut Content,
    pub(super) options: &'e Options,
    pub(super) labels: &'e Labels,
    pub(super) paths: Paths,
    /// By number of the path; `None` for a path that is only a name, or has moved away.
    infos: Vec<Option<Info>>,
    pub(super) folders: Vec<Folder>,
    /// How many paths git would have in its table, settled ones included.
    pub(super) path_count: usize,
    /// Whether entering deferred folders made that number so large that git would start over.
    pub(super) wants_second_walk: bool,
    pub(super) sides: Sides,
    pub(super) auto_merged: Vec<RepoPath>,
    /// The attributes at the root that this merge has, once that was asked.
    pub(super) root_attributes: Option<RootAttributes>,
    /// Conflicts that no path carries.
    pub(super) loose_conflicts: Vec<(PathId, ConflictKind)>,
    /// What is left in conflict, and under which path.
    pub(super) conflicted: Vec<(PathId, ConflictKind, Info)>,
}

impl<'e> Case<'e> {
    pub(super) fn new(
        store: &'e mut Store,
        content: &'e mut Content,
        options: &'e Options,
        labels: &'e Labels,
    ) -> Self {
        Self {
            store,
            content,
            options,
            labels,
            paths: Paths::default(),
            infos: Vec::new(),
            folders: Vec::new(),
            path_count: 0,
            wants_second_walk: false,
            sides: Sides::default(),
            auto_merged: Vec::new(),
            root_attributes: None,
            loose_conflicts: Vec::new(),
            conflicted: Vec::new(),
        }
    }

    /// Forgets everything but the renames that were found, for a second walk.
    pub(super) fn start_over(&mut self) {
        self.infos.clear();
        self.folders.clear();
        self.path_count = 0;
        self.wants_second_walk = false;
        self.sides.start_over();
    }

    /// Fails where the caller has lost interest.
    pub(super) fn check_cancelled(&self) -> Result<(), Stop> {
        Ok(self.store.stop_if_cancelled()?)
    }

    pub(super) fn info(&self, path: PathId) -> Option<&Info> {
        self.infos.get(path.0 as usize)?.as_ref()
    }

    pub(super) fn info_mut(&mut self, path: PathId) -> Option<&mut Info> {
        self.infos.get_mut(path.0 as usize)?.as_mut()
    }

    pub(super) fn put(&mut self, path: PathId, info: Info) {
        let at = path.0 as usize;
        if self.infos.len() <= at {
            self.infos.resize(at + 1, None);
        }
        self.infos[at] = Some(info);
    }

    pub(super) fn take(&mut self, path: PathId) -> Option<Info> {
        self.infos.get_mut(path.0 as usize)?.take()
    }

    /// The path of `name` in a folder.
    pub(super) fn path_in(&mut self, folder: usize, name: &[u8]) -> PathId {
        self.paths.intern_in(self.folders[folder].path, name)
    }

    /// What is at a path, as far as the merge has looked.
    pub(super) fn known(&self, path: &[u8]) -> Known {
        if let Some(id) = self.paths.find(path)
            && (id.0 as usize) < self.infos.len()
            && let Some(info) = &self.infos[id.0 as usize]
        {
            return Known::Unsettled(info.clean, info.filemask | info.dirmask);
        }
        let (folder, name) = split(path);
        let settled = self.folder_at(folder).is_some_and(|folder| {
            folder.walked
                && !self.was_member(folder, path)
                && folder.trees.iter().any(|tree| tree.find(name).is_some())
        });
        if settled { Known::Settled } else { Known::Nothing }
    }

    fn was_member(&self, folder: &Folder, path: &[u8]) -> bool {
        self.paths.find(path).is_some_and(|id| folder.members.contains(&id))
    }

    /// The folder at a path, where it was walked or made.
    pub(super) fn folder_at(&self, path: &[u8]) -> Option<&Folder> {
        if path.is_empty() {
            return self.folders.first();
        }
        let below = self.info(self.paths.find(path)?)?.below?;
        self.folders.get(below)
    }

    /// A name for a file that has to make room: `path~label`, with a number where that is taken.
    pub(super) fn unique_path(&mut self, path: &[u8], side: usize) -> PathId {
        let label = if side == OURS { &self.labels.ours } else { &self.labels.theirs };
        let mut name = path.to_vec();
        name.push(b'~');
        name.extend(label.iter().map(|byte| if *byte == b'/' { b'_' } else { *byte }));
        let plain = name.len();
        let mut number = 0;
        while !matches!(self.known(&name), Known::Nothing) {
            name.truncate(plain);
            name.extend_from_slice(format!("_{number}").as_bytes());
            number += 1;
        }
        self.paths.intern(&name)
    }

    pub(super) fn repo_path(&self, path: PathId) -> RepoPath {
        RepoPath::new(self.paths.name(path).to_vec())
    }
}

/// What is at a path.
pub(super) enum Known {
    /// Nothing that was looked at.
    Nothing,
    /// The same on all sides, or settled at first sight.
    Settled,
    /// On record: whether it is clean, and the versions that have it.
    Unsettled(bool, u8),
}

/// A path as its folder and its name.
pub(super) fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(slash) => (&path[..slash], &path[slash + 1..]),
        None => (b"", path),
    }
}
