//! The walk over the three trees: what is the same is passed over, what one look settles is settled, and the
//! rest goes on record, together with what rename detection will need to know.
//!
//! A folder that only one side touched is not entered at first: if no rename of that side matters, its tree
//! is taken as it is (git's `t6423-merge-rename-directories.sh` speaks of trivial directory merges). Most
//! merges end there, having read little more than the trees above the files that both sides changed.

use std::cmp::Ordering;
use std::rc::Rc;

use super::ReviewReason;
use super::case::{BASE, Case, Folder, Info, Known, OURS, PathId, Stop, THEIRS, split};
use super::order;
use super::rename::{Pair, Relevance, SourceRelevance};
use super::tree::{Row, Tree, Version};
use crate::id::TreeId;

/// Folders deeper than this are not walked.
const DEPTH_LIMIT: usize = 2048;
/// How git knows a folder in which both sides' additions matter.
const EVERY_RENAME: u8 = 7;

/// By how much entering deferred folders must multiply the paths for a second walk to be worth it.
const WORTH_A_SECOND_WALK: usize = 3;

/// A folder that is being walked.
struct Step {
    folder: usize,
    trees: [Rc<Tree>; 3],
    names: std::vec::IntoIter<Names>,
    relevant: u8,
}

/// One name in up to three trees.
#[derive(Clone, Copy)]
struct Names {
    rows: [Option<usize>; 3],
    mask: u8,
    dirmask: u8,
}

impl Names {
    fn filemask(&self) -> u8 {
        self.mask & !self.dirmask
    }
}

impl Case<'_> {
    /// Walks the trees of a merge.
    pub(super) fn collect(&mut self, base: TreeId, ours: TreeId, theirs: TreeId) -> Result<(), Stop> {
        let ids = [base, ours, theirs].map(|id| id.0.0);
        let trees = [self.store.tree(ids[0])?, self.store.tree(ids[1])?, self.store.tree(ids[2])?];
        let root = self.paths.intern(b"");
        let ours = Version { mode: crate::id::EntryMode::TREE, id: ids[1] };
        self.folders.push(Folder {
            path: root,
            trees,
            ours,
            walked: true,
            edits: Vec::new(),
            members: Vec::new(),
        });
        self.walk(0, 0, 0)?;
        self.enter_deferred()
    }

    /// Walks a folder and what is below it, without recursion: trees may be deeper than a stack. `relevant` is the
    /// mask of the side whose additions make renames of this folder matter, or [`EVERY_RENAME`].
    fn walk(&mut self, folder: usize, relevant: u8, depth: usize) -> Result<(), Stop> {
        let mut steps = vec![self.open(folder, relevant, depth)?];
        while let Some(step) = steps.last_mut() {
            let Some(names) = step.names.next() else {
                steps.pop();
                continue;
            };
            if let Some((path, inner)) = self.visit(step.folder, &step.trees, names, step.relevant)? {
                let depth = depth + steps.len();
                let folder = self.enter(path)?;
                steps.push(self.open(folder, inner, depth)?);
            }
        }
        Ok(())
    }

    fn open(&mut self, folder: usize, mut relevant: u8, depth: usize) -> Result<Step, Stop> {
        self.check_cancelled()?;
        let trees = self.folders[folder].trees.clone();
        if depth > DEPTH_LIMIT || !trees.iter().all(|tree| tree.is_sound) {
            return Err(self.malformed(self.folders[folder].path));
        }
        let (names, settled) = joined(&trees);
        self.path_count += settled + names.len();
        if relevant != 0 && relevant != EVERY_RENAME && names.iter().any(|names| names.filemask() == relevant)
        {
            relevant = EVERY_RENAME;
        }
        Ok(Step { folder, trees, names: names.into_iter(), relevant })
    }

    fn malformed(&self, path: PathId) -> Stop {
        Stop::Review(ReviewReason::MalformedTree { path: self.repo_path(path) })
    }

    /// Looks at one name; tells which folder to enter next, and how relevant renames are there.
    fn visit(
        &mut self,
        folder: usize,
        trees: &[Rc<Tree>; 3],
        names: Names,
        relevant: u8,
    ) -> Result<Option<(PathId, u8)>, Stop> {
        let absent = self.store.absent();
        let mut stages = [absent; 3];
        let mut name: &[u8] = b"";
        for side in [BASE, OURS, THEIRS] {
            if let Some(row) = names.rows[side] {
                let row = &trees[side].rows()[row];
                stages[side] = trees[side].version(row);
                name = trees[side].name(row);
            }
        }
        let has = |side: usize| names.mask & (1 << side) != 0;
        let same = |a: usize, b: usize| has(a) && has(b) && stages[a] == stages[b];
        let (ours_same, theirs_same, sides_same) = (same(BASE, OURS), same(BASE, THEIRS), same(OURS, THEIRS));
        let filemask = names.filemask();
        let all_files = filemask == 7;
        if ours_same && theirs_same || all_files && (sides_same || theirs_same) {
            return Ok(None);
        }
        if all_files && ours_same {
            self.folders[folder].edits.push((name.into(), stages[THEIRS]));
            return Ok(None);
        }
        let match_mask = match (ours_same, theirs_same, sides_same) {
            (true, _, _) => 3,
            (_, true, _) => 5,
            (_, _, true) => 6,
            _ => 0,
        };
        let path = self.path_in(folder, name);
        let inner = self.note_for_renames(folder, path, &stages, names, match_mask, relevant);
        self.folders[folder].members.push(path);
        self.put(
            path,
            Info {
                stages,
                pathnames: [path; 3],
                filemask,
                dirmask: names.dirmask,
                match_mask,
                df_conflict: filemask != 0 && names.dirmask != 0,
                path_conflict: None,
                clean: false,
                is_null: names.dirmask != 0,
                result: absent,
                folder,
                below: None,
            },
        );
        if names.dirmask == 0 {
            return Ok(None);
        }
        let mut changed_by = match (ours_same, theirs_same) {
            (true, _) => Some(THEIRS),
            (_, true) => Some(OURS),
            _ => None,
        };
        if filemask == 0 && (names.dirmask == 2 || names.dirmask == 4) {
            changed_by = Some(usize::from(names.dirmask / 2));
            self.update(path, |info| info.match_mask = 7 - names.dirmask);
        }
        if let Some(side) = changed_by
            && inner != EVERY_RENAME
            && self.sides.at(side).defers(self.paths.name(path))
        {
            self.sides.at_mut(side).deferred.push((path, inner));
            return Ok(None);
        }
        Ok(Some((path, inner)))
    }

    fn update(&mut self, path: PathId, change: impl FnOnce(&mut Info)) {
        change(self.info_mut(path).expect("the path was just put on record"));
    }

    /// Puts the folder at `path` on record.
    fn enter(&mut self, path: PathId) -> Result<usize, Stop> {
        let info = self.info(path).expect("only recorded folders are entered");
        let stages = info.stages;
        let trees = [
            self.store.tree_of(&stages[BASE])?,
            self.store.tree_of(&stages[OURS])?,
            self.store.tree_of(&stages[THEIRS])?,
        ];
        let folder = self.folders.len();
        self.folders.push(Folder {
            path,
            trees,
            ours: stages[OURS],
            walked: true,
            edits: Vec::new(),
            members: Vec::new(),
        });
        self.update(path, |info| {
            info.match_mask &= info.filemask;
            info.below = Some(folder);
        });
        Ok(folder)
    }

    /// Takes down what rename detection needs of a path, and returns how relevant renames are below it.
    fn note_for_renames(
        &mut self,
        folder: usize,
        path: PathId,
        stages: &[Version; 3],
        names: Names,
        match_mask: u8,
        relevant: u8,
    ) -> u8 {
        let (filemask, dirmask) = (names.filemask(), names.dirmask);
        let mut inner = relevant;
        if relevant != EVERY_RENAME && (dirmask == 3 || dirmask == 5) {
            inner = dirmask & !1;
        }
        if matches!(dirmask, 1 | 3 | 5) {
            let relevance = if inner == EVERY_RENAME { Relevance::Ancestor } else { Relevance::None };
            for side in [OURS, THEIRS] {
                if dirmask & (1 << side) == 0 {
                    self.sides.at_mut(side).removed_folders.insert(self.paths.name(path).clone(), relevance);
                }
            }
        }
        if inner == EVERY_RENAME && (filemask == 2 || filemask == 4) {
            let side = 3 - usize::from(filemask >> 1);
            let folder = self.paths.name(self.folders[folder].path).clone();
            self.sides.at_mut(side).removed_folders.insert(folder, Relevance::Own);
        }
        if filemask == 0 || filemask == 7 {
            return inner;
        }
        for side in [OURS, THEIRS] {
            let in_base = filemask & 1 != 0;
            let in_side = filemask & (1 << side) != 0;
            let renames = self.sides.at_mut(side);
            if in_base && !in_side {
                let content = match_mask & filemask == 0;
                if content {
                    renames.found.irrelevant.remove(&path);
                }
                if content || inner == EVERY_RENAME {
                    let why = if content { SourceRelevance::Content } else { SourceRelevance::Location };
                    renames.relevant_sources.insert(path, why);
                }
                if !renames.found.knows(path) {
                    renames.pairs.push(Pair::deleted(path, stages[BASE]));
                }
            }
            if !in_base && in_side && !renames.found.targets.contains(&path) {
                renames.pairs.push(Pair::added(path, stages[side]));
            }
        }
        inner
    }

    /// Settles the folders that only one side touched, or walks them after all.
    fn enter_deferred(&mut self) -> Result<(), Stop> {
        let before = self.path_count;
        let mut entered_all = false;
        for side in [OURS, THEIRS] {
            let trivial = self.find_target_folders(side);
            self.sides.at_mut(side).defer = trivial;
            let deferred = std::mem::take(&mut self.sides.at_mut(side).deferred);
            let names: Vec<_> = deferred.iter().map(|(path, _)| self.paths.name(*path).clone()).collect();
            for index in order::walk(&names) {
                let (path, relevant) = deferred[index];
                if self.sides.at(side).defers(&names[index]) {
                    self.settle(path, side);
                } else {
                    let depth = names[index].iter().filter(|byte| **byte == b'/').count();
                    let folder = self.enter(path)?;
                    self.walk(folder, relevant, depth + 1)?;
                }
            }
            for (path, _) in std::mem::take(&mut self.sides.at_mut(side).deferred) {
                self.settle(path, side);
            }
            entered_all |= !trivial;
        }
        self.wants_second_walk = entered_all && self.path_count / before.max(1) >= WORTH_A_SECOND_WALK;
        Ok(())
    }

    /// Whether the new places of all sources that matter are known, so that no folder has to be entered to find
    /// them but those in which they are.
    fn find_target_folders(&mut self, side: usize) -> bool {
        let mut folders = Vec::new();
        let renames = self.sides.at(side);
        for source in renames.relevant_sources.keys() {
            if renames.found.irrelevant.contains(source) {
                continue;
            }
            let Some(place) = renames.found.places.get(source) else {
                return false;
            };
            let Some(place) =
                place.filter(|place| matches!(self.known(self.paths.name(*place)), Known::Nothing))
            else {
                continue;
            };
            let mut folder = split(self.paths.name(place)).0;
            while !folder.is_empty() {
                folders.push(folder.into());
                folder = split(folder).0;
            }
        }
        self.sides.at_mut(side).target_folders.extend(folders);
        true
    }

    /// Takes the version of the one side that touched a folder. Where that is a file, it may be part of a rename yet.
    fn settle(&mut self, path: PathId, side: usize) {
        let replaced =
            self.info(path).is_some_and(|info| info.df_conflict) && self.options.git.is_at_least(2, 53);
        self.update(path, |info| {
            info.result = info.stages[side];
            info.is_null = info.stages[side].is_absent();
            if replaced {
                info.dirmask &= !info.match_mask;
                info.filemask &= !info.match_mask;
                info.df_conflict = false;
            }
            info.match_mask = 0;
            info.clean = !replaced || info.dirmask != 0;
        });
    }
}

/// The names of three sorted trees in the order in which git visits them, without those that are the same in
/// all three; and how many these are.
fn joined(trees: &[Rc<Tree>; 3]) -> (Vec<Names>, usize) {
    let rows = [trees[0].rows(), trees[1].rows(), trees[2].rows()];
    let mut cursors = [Cursor::default(), Cursor::default(), Cursor::default()];
    let mut names = Vec::new();
    let mut settled = 0;
    loop {
        let heads = [cursors[0].head(rows[0]), cursors[1].head(rows[1]), cursors[2].head(rows[2])];
        if let (Some(base), Some(ours), Some(theirs)) = (heads[0], heads[1], heads[2]) {
            let same = trees[0].same_rows(base, &trees[1], ours);
            let same = if same > 0 { same.min(trees[0].same_rows(base, &trees[2], theirs)) } else { 0 };
            let (base, ours, theirs) = (&rows[0][base], &rows[1][ours], &rows[2][theirs]);
            let pending = cursors.iter().any(|cursor| !cursor.taken.is_empty());
            if same > 0 && !pending {
                settled += same;
                cursors.iter_mut().for_each(|cursor| cursor.at += same);
                continue;
            }
            // Old trees spell modes in more than one way.
            if trees[0].same_row(base, &trees[1], ours) && trees[0].same_row(base, &trees[2], theirs) {
                settled += 1;
                cursors.iter_mut().for_each(Cursor::advance);
                continue;
            }
        }
        let name_at = |side: usize, row: usize| trees[side].name(&rows[side][row]);
        let Some(first) = (0..3).filter_map(|side| Some(name_at(side, heads[side]?))).min() else {
            return (names, settled);
        };
        let mut found = Names { rows: [None; 3], mask: 0, dirmask: 0 };
        for side in 0..3 {
            let Some(row) = cursors[side].find(first, &trees[side], rows[side]) else {
                continue;
            };
            found.rows[side] = Some(row);
            found.mask |= 1 << side;
            if rows[side][row].mode.is_tree() {
                found.dirmask |= 1 << side;
            }
        }
        names.push(found);
    }
}

/// A place in a tree, and the rows behind it that were taken early.
#[derive(Default)]
struct Cursor {
    at: usize,
    taken: Vec<usize>,
}

impl Cursor {
    /// The first row that was not taken.
    fn head(&mut self, rows: &[Row]) -> Option<usize> {
        while !self.taken.is_empty() && self.taken.contains(&self.at) {
            self.taken.retain(|row| *row != self.at);
            self.at += 1;
        }
        (self.at < rows.len()).then_some(self.at)
    }

    fn advance(&mut self) {
        self.at += 1;
    }

    /// Takes the row called `name`. It may stand behind others: a folder `t` comes after `t-2`, and another
    /// tree may have a file `t` at this point.
    fn find(&mut self, name: &[u8], tree: &Tree, rows: &[Row]) -> Option<usize> {
        let head = self.head(rows)?;
        for (row, found) in rows.iter().enumerate().skip(head) {
            if self.taken.contains(&row) {
                continue;
            }
            let found = tree.name(found);
            match found.cmp(name) {
                Ordering::Equal if row == head => {
                    self.advance();
                    return Some(row);
                }
                Ordering::Equal => {
                    self.taken.push(row);
                    return Some(row);
                }
                Ordering::Less => {}
                Ordering::Greater => {
                    if !(found.starts_with(name) && found[name.len()] < b'/') {
                        return None;
                    }
                }
            }
        }
        None
    }
}
