//! What renames make of the paths on record: the versions of the old path come together with those of the
//! new one, and conflicts that only a rename can cause are noted.

use super::{Case, Rename};
use crate::conflict::ConflictKind;
use crate::merge::case::{BASE, Info, OURS, PathId, Stop, THEIRS, other};

/// Content that was merged before its paths are: its markers must not be taken for those of the later merge.
const NESTED_MARKERS: usize = 1;

impl Case<'_> {
    /// Applies the renames of both sides, which are sorted by their old path.
    pub(super) fn apply_renames(&mut self, renames: &[Rename]) -> Result<(), Stop> {
        let mut rest = renames;
        while let Some((rename, behind)) = rest.split_first() {
            rest = behind;
            // A folder rename brought the file back to its own path.
            if rename.from == rename.to && self.options.git.is_at_least(2, 51) {
                continue;
            }
            let Some(old) = self.info(rename.from) else {
                continue;
            };
            // The other side left the file as it was, or something else settled it.
            if old.clean {
                continue;
            }
            match rest.first().filter(|next| next.from == rename.from) {
                Some(next) => {
                    rest = &rest[1..];
                    self.both_renamed(rename, next)?;
                }
                None => self.one_renamed(rename)?,
            }
        }
        Ok(())
    }

    fn recorded(&self, path: PathId) -> Result<Info, Stop> {
        self.info(path).cloned().ok_or_else(|| Stop::unsupported("a rename of a path that is settled"))
    }

    pub(super) fn change(&mut self, path: PathId, change: impl FnOnce(&mut Info)) {
        if let Some(info) = self.info_mut(path) {
            change(info);
        }
    }

    fn both_renamed(&mut self, ours: &Rename, theirs: &Rename) -> Result<(), Stop> {
        let base = self.recorded(ours.from)?;
        let pathnames = [ours.from, ours.to, theirs.to];
        if ours.to == theirs.to {
            self.change(ours.to, |info| {
                info.stages[BASE] = base.stages[BASE];
                info.filemask |= 1;
            });
            self.change(ours.from, settle_as_removed);
            return Ok(());
        }
        let (our_version, their_version) =
            (self.recorded(ours.to)?.stages[OURS], self.recorded(theirs.to)?.stages[THEIRS]);
        let versions = [base.stages[BASE], our_version, their_version];
        require_one_type(&versions)?;
        let merged = self.merge_content(ours.from, &versions, pathnames, NESTED_MARKERS)?;
        // What cannot be merged stays what it is on either path.
        let unmerged = merged.conflict.is_some() && merged.version == our_version;
        self.change(ours.to, |info| info.stages[OURS] = merged.version);
        self.change(theirs.to, |info| {
            info.stages[THEIRS] = if unmerged { their_version } else { merged.version };
        });
        for path in pathnames {
            self.change(path, |info| info.path_conflict = Some(ConflictKind::RenameRename));
        }
        Ok(())
    }

    fn one_renamed(&mut self, rename: &Rename) -> Result<(), Stop> {
        let (side, across) = (rename.side, other(rename.side));
        let old = self.recorded(rename.from)?;
        let new = self.recorded(rename.to)?;
        let deleted = old.filemask == 1;
        let type_changed = !deleted && old.stages[across].is_file() != new.stages[side].is_file();
        // A change of type under a rename stands for a second rename, which is not detected.
        let collides = new.filemask & (1 << across) != 0 && !type_changed;
        if collides && !deleted {
            let mut versions = [old.stages[BASE]; 3];
            versions[across] = old.stages[across];
            versions[side] = new.stages[side];
            let mut pathnames = [rename.from; 3];
            pathnames[side] = rename.to;
            require_one_type(&versions)?;
            let merged = self.merge_content(rename.from, &versions, pathnames, NESTED_MARKERS)?;
            self.change(rename.to, |info| info.stages[side] = merged.version);
        } else if collides {
            self.change(rename.to, |info| info.path_conflict = Some(ConflictKind::RenameDelete));
        } else {
            self.change(rename.to, |info| {
                info.stages[BASE] = old.stages[BASE];
                info.filemask |= 1;
                info.pathnames[BASE] = rename.from;
                if type_changed {
                    return;
                }
                if deleted {
                    info.path_conflict = Some(ConflictKind::RenameDelete);
                } else {
                    info.stages[across] = old.stages[across];
                    info.filemask |= 1 << across;
                    info.pathnames[across] = rename.from;
                }
            });
            if type_changed {
                let absent = self.store.absent();
                self.change(rename.from, |info| {
                    info.stages[BASE] = absent;
                    info.filemask &= 6;
                });
            }
        }
        if !type_changed {
            self.change(rename.from, settle_as_removed);
        }
        Ok(())
    }
}

fn settle_as_removed(info: &mut Info) {
    info.is_null = true;
    info.clean = true;
}

fn require_one_type(versions: &[crate::merge::tree::Version; 3]) -> Result<(), Stop> {
    if versions[OURS].same_type(&versions[THEIRS]) {
        return Ok(());
    }
    Err(Stop::unsupported("a rename onto a path of another type"))
}
