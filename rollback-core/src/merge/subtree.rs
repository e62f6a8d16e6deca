//! A side that lies in a folder of the other (`-X subtree`): before the merge it is moved to where the other
//! side has it. Which folder that is can be said, or found by comparing the trees.

use std::cmp::Ordering;

use gix::ObjectId;

use super::Subtree;
use super::case::{Case, Stop};
use super::tree::{Tree, Version};
use crate::id::{EntryKind, EntryMode, TreeId};
use crate::path::RepoPath;

/// How many folders deep a subtree is looked for.
const DEPTH: usize = 2;

impl Case<'_> {
    /// `tree` moved to where it lies in `ours`.
    pub(super) fn shifted(&mut self, ours: TreeId, tree: TreeId) -> Result<TreeId, Stop> {
        let (one, two) = (ours.0.0, tree.0.0);
        let shifted = match self.options.subtree.clone() {
            None => two,
            Some(Subtree::Below(folder)) => self.shifted_by(one, two, &folder)?,
            Some(Subtree::Guess) => self.shifted_by_guess(one, two)?,
        };
        Ok(TreeId::from(shifted))
    }

    fn shifted_by(&mut self, one: ObjectId, two: ObjectId, folder: &RepoPath) -> Result<ObjectId, Stop> {
        let below_one = self.folder_below(one, folder.as_bytes())?;
        let below_two = self.folder_below(two, folder.as_bytes())?;
        let (mut down, mut up) = (below_one, below_two);
        if let (Some(below_one), Some(below_two)) = (below_one, below_two) {
            let apart = self.likeness(one, two)?;
            let below = self.likeness(below_one, two)?;
            let above = self.likeness(below_two, one)?;
            down = down.filter(|_| below > apart);
            up = up.filter(|_| above > apart.max(below));
            if up.is_some() {
                down = None;
            }
        }
        match (down, up) {
            (Some(_), _) => self.spliced(one, folder.as_bytes(), two),
            (None, Some(tree)) => Ok(tree),
            (None, None) => Ok(two),
        }
    }

    fn shifted_by_guess(&mut self, one: ObjectId, two: ObjectId) -> Result<ObjectId, Stop> {
        let likeness = self.likeness(one, two)?;
        let (mut down, mut up) = (Best::of(likeness), Best::of(likeness));
        self.find_alike(one, two, &mut down, b"", DEPTH)?;
        self.find_alike(two, one, &mut up, b"", DEPTH)?;
        if down.likeness < up.likeness {
            return match self.folder_below(two, &up.folder)? {
                Some(tree) if !up.folder.is_empty() => Ok(tree),
                _ => Ok(two),
            };
        }
        if down.folder.is_empty() { Ok(two) } else { self.spliced(one, &down.folder, two) }
    }

    /// Looks for the folder of `within` that is most like `wanted`.
    fn find_alike(
        &mut self,
        within: ObjectId,
        wanted: ObjectId,
        best: &mut Best,
        above: &[u8],
        depth: usize,
    ) -> Result<(), Stop> {
        self.check_cancelled()?;
        let tree = self.store.tree(within)?;
        for row in tree.rows().iter().filter(|row| row.mode.is_tree()) {
            let id = tree.version(row).id;
            let likeness = self.likeness(id, wanted)?;
            if best.likeness < likeness {
                *best = Best { likeness, folder: [above, tree.name(row)].concat() };
            }
            if depth > 0 {
                self.find_alike(id, wanted, best, &[above, tree.name(row), b"/"].concat(), depth - 1)?;
            }
        }
        Ok(())
    }

    /// How alike two trees are, by their own rows.
    fn likeness(&mut self, one: ObjectId, two: ObjectId) -> Result<i64, Stop> {
        let (one, two) = (self.store.tree(one)?, self.store.tree(two)?);
        let (mut at_one, mut at_two) = (0, 0);
        let mut likeness = 0;
        loop {
            let heads = (one.rows().get(at_one), two.rows().get(at_two));
            let order = match heads {
                (Some(a), Some(b)) => Tree::order(&one, a, &two, b),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => return Ok(likeness),
            };
            likeness += match (order, heads) {
                (Ordering::Less, (Some(row), _)) | (Ordering::Greater, (_, Some(row))) => missing(row.mode),
                (_, (Some(a), Some(b))) => common(one.version(a), two.version(b)),
                _ => 0,
            };
            at_one += usize::from(order != Ordering::Greater);
            at_two += usize::from(order != Ordering::Less);
        }
    }

    fn folder_below(&mut self, tree: ObjectId, folder: &[u8]) -> Result<Option<ObjectId>, Stop> {
        let mut at = tree;
        for name in folder.split(|byte| *byte == b'/').filter(|name| !name.is_empty()) {
            match self.store.tree(at)?.find(name) {
                Some(version) if version.is_tree() => at = version.id,
                _ => return Ok(None),
            }
        }
        Ok(Some(at))
    }

    /// The tree `into` with `tree` in place of the folder at a path.
    fn spliced(&mut self, into: ObjectId, folder: &[u8], tree: ObjectId) -> Result<ObjectId, Stop> {
        let mut parts = folder.splitn(2, |byte| *byte == b'/');
        let name = parts.next().unwrap_or_default();
        let outer = self.store.tree(into)?;
        let inner = match (outer.find(name), parts.next().filter(|rest| !rest.is_empty())) {
            (Some(version), Some(rest)) if version.is_tree() => self.spliced(version.id, rest, tree)?,
            (Some(version), None) if version.is_tree() => tree,
            _ => return Err(Stop::unsupported("a subtree at a path that is no folder")),
        };
        let version = Version { mode: EntryMode::TREE, id: inner };
        match outer.edited(&[(name, version)]) {
            Some(raw) => Ok(self.store.make_readable_tree(raw)?),
            None => Ok(into),
        }
    }
}

/// The folder found so far.
struct Best {
    likeness: i64,
    folder: Vec<u8>,
}

impl Best {
    fn of(likeness: i64) -> Self {
        Self { likeness, folder: Vec::new() }
    }
}

fn missing(mode: EntryMode) -> i64 {
    match mode.kind() {
        EntryKind::Tree => -1000,
        EntryKind::Symlink => -500,
        _ => -50,
    }
}

fn common(one: Version, two: Version) -> i64 {
    let kinds = (one.mode.kind(), two.mode.kind());
    let differs = |kind| (kinds.0 == kind) != (kinds.1 == kind);
    if differs(EntryKind::Tree) {
        return -100;
    }
    if differs(EntryKind::Symlink) {
        return -50;
    }
    match kinds.0 {
        _ if one.id != two.id => -5,
        EntryKind::Tree => 1000,
        EntryKind::Symlink => 500,
        _ => 250,
    }
}
