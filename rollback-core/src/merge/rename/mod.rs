//! Renames: which files of either side are the same file under another name, which folders moved with them,
//! and what that makes of the paths on record.

mod apply;
mod detect;
mod folders;
pub(super) mod matching;
pub(super) mod similarity;

use std::collections::BTreeMap;
use std::rc::Rc;

use super::DirectoryRenames;
use super::case::{Case, OURS, PathId, Stop, THEIRS, other};
use super::hash::{Map, Set};
use super::tree::Version;
pub(super) use detect::Known;
use folders::FolderCounts;

/// How much the renames out of a removed folder matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relevance {
    None,
    /// A folder above needs them.
    Ancestor,
    /// The other side added a file to it.
    Own,
}

/// Why the new place of a deleted file matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SourceRelevance {
    /// The other side changed the file.
    Content,
    /// It tells where its folder went.
    Location,
    /// It would, but that is known already.
    NoMore,
}

/// A file that a side added, deleted, or renamed.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    /// The path of the source; of an addition, the path it was added at.
    from: PathId,
    /// The path of the target; of a deletion, the path it was deleted at.
    to: PathId,
    source: Option<Version>,
    target: Option<Version>,
}

/// What became of a [`Pair`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    Added,
    Deleted,
    Renamed,
}

impl Pair {
    pub(super) fn deleted(path: PathId, version: Version) -> Self {
        Self { from: path, to: path, source: Some(version), target: None }
    }

    pub(super) fn added(path: PathId, version: Version) -> Self {
        Self { from: path, to: path, source: None, target: Some(version) }
    }

    fn status(&self) -> Status {
        match (&self.source, &self.target) {
            (None, _) => Status::Added,
            (Some(_), None) => Status::Deleted,
            (Some(_), Some(_)) => Status::Renamed,
        }
    }
}

/// What is known of one side's renames.
pub(super) struct Side {
    pub(super) pairs: Vec<Pair>,
    pub(super) relevant_sources: Map<PathId, SourceRelevance>,
    pub(super) removed_folders: Map<Rc<[u8]>, Relevance>,
    /// Folders that only this side touched and that were not entered, with how relevant renames are there.
    pub(super) deferred: Vec<(PathId, u8)>,
    /// Whether such folders may still be passed over.
    pub(super) defer: bool,
    /// The folders that have to be entered in the second walk, because a renamed file lies in them.
    pub(super) target_folders: Set<Rc<[u8]>>,
    pub(super) found: Found,
    counts: FolderCounts,
    /// Where each renamed folder went.
    folder_renames: Map<Rc<[u8]>, Rc<[u8]>>,
}

impl Default for Side {
    fn default() -> Self {
        Self {
            pairs: Vec::new(),
            relevant_sources: Map::default(),
            removed_folders: Map::default(),
            deferred: Vec::new(),
            defer: true,
            target_folders: Set::default(),
            found: Found::default(),
            counts: FolderCounts::default(),
            folder_renames: Map::default(),
        }
    }
}

impl Side {
    /// Whether the folder at a path may be passed over for now.
    pub(super) fn defers(&self, path: &[u8]) -> bool {
        self.defer && !self.target_folders.contains(path)
    }

    /// Forgets everything but the renames that were found, and counted.
    fn start_over(&mut self) {
        *self = Self {
            found: std::mem::take(&mut self.found),
            counts: std::mem::take(&mut self.counts),
            ..Self::default()
        };
    }

    /// Remembers for a second walk what the first found out about the sources that matter.
    fn remember_pairs(&mut self) {
        for pair in &self.pairs {
            match self.relevant_sources.get(&pair.from) {
                Some(SourceRelevance::NoMore) => {
                    self.found.irrelevant.insert(pair.from);
                }
                Some(_) if pair.status() != Status::Added => {
                    let to = (pair.status() == Status::Renamed).then_some(pair.to);
                    self.found.places.insert(pair.from, to);
                    self.found.targets.extend(to);
                }
                _ => {}
            }
        }
    }

    /// Adds the remembered renames to those of the second walk.
    fn recall_pairs(&mut self, nowhere: Version) {
        for (from, to) in &self.found.places {
            let source = Some(nowhere);
            let target = to.map(|_| nowhere);
            self.pairs.push(Pair { from: *from, to: to.unwrap_or(*from), source, target });
        }
    }

    fn relevance(&self, folder: &[u8]) -> Relevance {
        self.removed_folders.get(folder).copied().unwrap_or(Relevance::None)
    }
}

/// What a first walk found out about sources that matter, for a second one.
#[derive(Default)]
pub(super) struct Found {
    /// Where each went; `None` for one that is simply gone.
    pub(super) places: BTreeMap<PathId, Option<PathId>>,
    pub(super) targets: Set<PathId>,
    pub(super) irrelevant: Set<PathId>,
}

impl Found {
    pub(super) fn knows(&self, source: PathId) -> bool {
        self.places.contains_key(&source) || self.irrelevant.contains(&source)
    }
}

/// Both sides.
#[derive(Default)]
pub(super) struct Sides([Side; 2]);

impl Sides {
    pub(super) fn start_over(&mut self) {
        self.0.iter_mut().for_each(Side::start_over);
    }

    pub(super) fn at(&self, side: usize) -> &Side {
        &self.0[side - 1]
    }

    pub(super) fn at_mut(&mut self, side: usize) -> &mut Side {
        &mut self.0[side - 1]
    }
}

/// How far [`Case::follow_renames`] came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Followed {
    Done,
    /// The renames are known now; the trees are to be walked once more.
    WalkAgain,
}

/// What a search for renames looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Searched {
    Nothing,
    All,
    /// There were more pairs than the limit allows.
    NotAll,
}

/// A rename and the side that made it.
struct Rename {
    from: PathId,
    to: PathId,
    side: usize,
}

/// Where the other side's folder renames would put several files at once.
type Collisions = Map<Vec<u8>, Collision>;

#[derive(Default)]
struct Collision {
    sources: Set<PathId>,
    reported: bool,
}

impl Case<'_> {
    /// Finds the renames of both sides and changes the paths on record accordingly. Where the walk had to enter
    /// many folders only to find them, the trees are walked again without those: git does so, and it shows.
    pub(super) fn follow_renames(&mut self) -> Result<Followed, Stop> {
        let possible = |side: &Side| !side.pairs.is_empty() && !side.relevant_sources.is_empty();
        let [ours, theirs] = &self.sides.0;
        let found = !ours.found.places.is_empty() || !theirs.found.places.is_empty();
        let detects = self.options.renames.detect || !self.options.git.is_at_least(2, 50);
        if !detects || !(possible(ours) || possible(theirs) || found) {
            return Ok(Followed::Done);
        }
        let mut searched = [Searched::Nothing; 2];
        for side in [OURS, THEIRS] {
            searched[side - 1] = self.detect(side)?;
        }
        let complete = !searched.contains(&Searched::NotAll);
        if self.wants_second_walk && complete && searched.contains(&Searched::All) {
            self.sides.0.iter_mut().for_each(Side::remember_pairs);
            self.start_over();
            return Ok(Followed::WalkAgain);
        }
        let nowhere = self.store.absent();
        self.sides.0.iter_mut().for_each(|side| side.recall_pairs(nowhere));
        if self.options.directory_renames != DirectoryRenames::Off {
            self.name_renamed_folders(OURS);
            self.name_renamed_folders(THEIRS);
            self.drop_folders_renamed_twice();
        }
        let mut collisions = [self.collisions(OURS), self.collisions(THEIRS)];
        let mut renames = Vec::new();
        for side in [OURS, THEIRS] {
            self.gather(side, &mut collisions, &mut renames)?;
        }
        renames.sort_by(|a, b| self.paths.name(a.from).cmp(self.paths.name(b.from)));
        self.apply_renames(&renames)?;
        Ok(Followed::Done)
    }

    /// The renames of one side, after the other side's folder renames moved their targets, and its additions
    /// where these move too.
    fn gather(
        &mut self,
        side: usize,
        collisions: &mut [Collisions; 2],
        renames: &mut Vec<Rename>,
    ) -> Result<(), Stop> {
        for mut pair in std::mem::take(&mut self.sides.at_mut(side).pairs) {
            let status = pair.status();
            if status == Status::Deleted {
                continue;
            }
            let moved = self.moved_with_folder(&pair, side, collisions);
            if let Some(moved) = &moved {
                pair.to = self.move_with_folder(pair.to, moved)?;
            }
            if status == Status::Renamed || moved.is_some() {
                renames.push(Rename { from: pair.from, to: pair.to, side });
            }
        }
        Ok(())
    }

    /// The targets that folder renames of the other side would give to the additions and renames of `side`.
    fn collisions(&self, side: usize) -> Collisions {
        let mut collisions = Collisions::default();
        for pair in &self.sides.at(side).pairs {
            if pair.status() == Status::Deleted {
                continue;
            }
            let path = self.paths.name(pair.to);
            if let Some((old, new)) = self.folder_rename_over(path, other(side)) {
                collisions.entry(folders::renamed(path, &old, &new)).or_default().sources.insert(pair.to);
            }
        }
        collisions
    }
}
