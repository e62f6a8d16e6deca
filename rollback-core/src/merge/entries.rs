//! The last step: every path on record is decided, folders from the inside out, and their trees are made.

use std::rc::Rc;

use super::case::{BASE, Case, Info, OURS, PathId, Stop, THEIRS, split};
use super::tree::Version;
use crate::conflict::ConflictKind;
use crate::id::EntryMode;

/// A folder whose paths are being decided.
struct Step {
    folder: usize,
    /// Where it lies; `None` for the root.
    path: Option<PathId>,
    members: std::vec::IntoIter<PathId>,
}

impl Case<'_> {
    /// Decides all paths and returns the merged tree.
    pub(super) fn decide(&mut self) -> Result<gix::ObjectId, Stop> {
        match self.decide_folder(0)? {
            Some(tree) => Ok(tree.id),
            None => Ok(gix::ObjectId::empty_tree(self.store.hash())),
        }
    }

    /// Decides what lies in a folder and below it, from the inside out and without recursion; `None` where
    /// nothing is left in it.
    fn decide_folder(&mut self, folder: usize) -> Result<Option<Version>, Stop> {
        let mut steps = vec![self.step(folder, None)];
        loop {
            let step = steps.last_mut().expect("the outermost folder ends the loop");
            let Some(path) = step.members.next() else {
                let (folder, path) = (step.folder, step.path);
                let tree = self.make_tree(folder)?;
                steps.pop();
                let (Some(path), Some(above)) = (path, steps.last()) else { return Ok(tree) };
                if let Some(info) = self.info_mut(path) {
                    info.is_null = tree.is_none();
                    info.result = tree.unwrap_or(info.result);
                }
                self.decide_member(above.folder, path)?;
                continue;
            };
            // Unless something is recorded for it below, the name goes.
            let absent = self.store.absent();
            self.record(step.folder, path, absent);
            match self.info(path).map(|info| info.below) {
                None => {}
                Some(None) => self.decide_member(step.folder, path)?,
                Some(Some(below)) => {
                    let inner = self.step(below, Some(path));
                    steps.push(inner);
                }
            }
        }
    }

    fn step(&mut self, folder: usize, path: Option<PathId>) -> Step {
        let mut members = std::mem::take(&mut self.folders[folder].members);
        members.sort_by(|a, b| as_folders(self.paths.name(*b), self.paths.name(*a)));
        members.dedup();
        Step { folder, path, members: members.into_iter() }
    }

    fn decide_member(&mut self, folder: usize, path: PathId) -> Result<(), Stop> {
        let Some(info) = self.info(path).cloned() else { return Ok(()) };
        if info.clean {
            self.record_result(folder, path, &info);
            return Ok(());
        }
        self.decide_path(folder, path, info)
    }

    fn make_tree(&mut self, folder: usize) -> Result<Option<Version>, Stop> {
        let mut edits = std::mem::take(&mut self.folders[folder].edits);
        // Of several records for a name the one that keeps it counts.
        edits.sort_by(|(a, a_version), (b, b_version)| {
            a.cmp(b).then(a_version.is_absent().cmp(&b_version.is_absent()))
        });
        edits.dedup_by(|later, earlier| later.0 == earlier.0);
        let ours = self.folders[folder].ours;
        let tree = self.folders[folder].trees[OURS].clone();
        let edits: Vec<(&[u8], Version)> =
            edits.iter().map(|(name, version)| (name.as_ref(), *version)).collect();
        match tree.edited(&edits) {
            None if tree.rows().is_empty() => Ok(None),
            None => Ok(Some(Version { mode: EntryMode::TREE, id: ours.id })),
            Some(raw) if raw.is_empty() => Ok(None),
            Some(raw) => Ok(Some(Version { mode: EntryMode::TREE, id: self.store.make_tree(&raw)? })),
        }
    }

    fn record(&mut self, folder: usize, path: PathId, version: Version) {
        let name: Rc<[u8]> = split(self.paths.name(path)).1.into();
        self.folders[folder].edits.push((name, version));
    }

    fn record_result(&mut self, folder: usize, path: PathId, info: &Info) {
        if !info.is_null {
            self.record(folder, path, info.result);
        }
    }

    fn decide_path(&mut self, folder: usize, mut path: PathId, mut info: Info) -> Result<(), Stop> {
        let mut file_side = 0;
        if info.dirmask != 0 {
            self.record_result(folder, path, &info);
            if info.filemask == 0 {
                return Ok(());
            }
        }
        if info.df_conflict && info.result.is_absent() {
            // The folder came to nothing: the file can stay.
            info.df_conflict = false;
            info.is_null = false;
            self.keep_files(&mut info);
        } else if info.df_conflict {
            if info.filemask == 1 {
                return Ok(());
            }
            self.keep_files_of(&mut info);
            file_side = if info.dirmask & 2 != 0 { THEIRS } else { OURS };
            info.dirmask = 0;
            let old = self.paths.name(path).clone();
            path = self.unique_path(&old, file_side);
            self.put(path, info.clone());
        }
        let mut kind = info.path_conflict.unwrap_or(ConflictKind::FileDirectory);
        let undisturbed = !info.df_conflict && info.path_conflict.is_none();
        let [base, ours, theirs] = info.stages;
        if info.match_mask == 6 {
            info.clean = undisturbed;
            info.result = ours;
        } else if info.match_mask != 0 {
            info.result = if info.match_mask == 3 { theirs } else { ours };
            info.is_null = info.result.is_absent();
            info.clean = undisturbed || info.is_null;
        } else if info.filemask >= 6 && !ours.same_type(&theirs) {
            return self.part_types(folder, path, info);
        } else if info.filemask >= 6 {
            let merged = self.merge_content(path, &info.stages, info.pathnames, 0)?;
            info.clean = merged.conflict.is_none() && undisturbed;
            info.result = merged.version;
            info.is_null = info.result.is_absent();
            if merged.conflict.is_none() && info.df_conflict {
                info.filemask = 1 << file_side;
                info.stages[file_side] = merged.version;
            }
            if let Some(conflict) = merged.conflict {
                kind = if info.filemask == 6 && conflict == ConflictKind::Content {
                    ConflictKind::AddAdd
                } else {
                    conflict
                };
            }
        } else if info.filemask == 3 || info.filemask == 5 {
            let side = if info.filemask == 5 { THEIRS } else { OURS };
            info.result = info.stages[side];
            info.clean = false;
            if self.differs_in_endings_only(path, &base, &info.stages[side])? {
                info.is_null = info.path_conflict.is_none();
                info.clean = info.is_null;
            } else if info.path_conflict.is_none() || base.id != info.stages[side].id {
                kind = ConflictKind::ModifyDelete;
            }
        } else if info.filemask == 2 || info.filemask == 4 {
            info.result = info.stages[usize::from(info.filemask >> 1)];
            info.clean = undisturbed;
        } else if info.filemask == 1 {
            info.is_null = true;
            info.result = self.store.absent();
            info.clean = info.path_conflict.is_none();
        }
        self.record_result(folder, path, &info);
        if !info.clean {
            self.conflicted.push((path, kind, info));
        }
        Ok(())
    }

    /// Takes the folders out of the versions.
    fn keep_files(&self, info: &mut Info) {
        self.keep_files_of(info);
        info.dirmask = 0;
    }

    fn keep_files_of(&self, info: &mut Info) {
        info.match_mask &= !info.dirmask;
        for side in [BASE, OURS, THEIRS] {
            if info.filemask & (1 << side) == 0 {
                info.stages[side] = self.store.absent();
            }
        }
    }

    /// Two different types at one path: files make room for what is none, and where neither is a file both do.
    fn part_types(&mut self, folder: usize, path: PathId, info: Info) -> Result<(), Stop> {
        let [base, ours, theirs] = info.stages;
        let name = self.paths.name(path).clone();
        let move_ours = ours.is_file() || !theirs.is_file();
        let move_theirs = !ours.is_file();
        let our_path = if move_ours { self.unique_path(&name, OURS) } else { path };
        let their_path = if move_theirs { self.unique_path(&name, THEIRS) } else { path };
        for (side, at, version) in [(THEIRS, their_path, theirs), (OURS, our_path, ours)] {
            let mut part = info.clone();
            part.result = version;
            part.clean = false;
            part.is_null = false;
            part.stages = [self.store.absent(); 3];
            part.stages[side] = version;
            part.filemask = 1 << side;
            if base.same_type(&version) {
                part.stages[BASE] = base;
                part.filemask |= 1;
            }
            self.record(folder, at, version);
            self.put(at, part.clone());
            self.conflicted.push((at, ConflictKind::DistinctTypes, part));
        }
        Ok(())
    }
}

/// The order of paths when every one of them ends in a slash, folders before what they hold.
fn as_folders(a: &[u8], b: &[u8]) -> std::cmp::Ordering {
    let slashed = |path: &'_ [u8], at: usize| path.get(at).copied().unwrap_or(b'/');
    let shared = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    slashed(a, shared).cmp(&slashed(b, shared)).then(a.len().cmp(&b.len()))
}
