//! Moving staged files into the work tree and back.
//!
//! No byte of the work tree is overwritten or unlinked: a file is displaced into the stage, looked at
//! there, and put back if it is not the one that was expected.

use std::io::ErrorKind;

use super::folder::{FileInfo, FileKind, Folder, Parent, make_parent_of, parent_of, remove_unless_filled};
use super::inspect::fingerprint;
use super::stage::{Stage, displaced_name, slot_name};
use crate::error::{Error, InTheWay, Result, WorkTreeError};
use crate::journal::{Action, Fingerprint, FingerprintKind, Step};
use crate::path::RepoPath;

/// Both ends of the moves.
pub(crate) struct Swapper<'a> {
    pub(crate) root: &'a Folder,
    pub(crate) stage: &'a Stage,
    pub(crate) hash: gix::hash::Kind,
    /// `core.fileMode`: whether the executable bit is part of what was expected.
    pub(crate) file_mode: bool,
}

/// What taking a step back found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Undone {
    /// The path is as it was before.
    Before,
    /// It was written to since; it stays as it is.
    Edited,
}

impl Swapper<'_> {
    /// Carries out the step whose staged file is number `slot`.
    ///
    /// # Errors
    /// [`WorkTreeError::InTheWay`] where the work tree no longer holds what was expected; then it is as before.
    pub(crate) fn apply(&self, slot: usize, step: &Step) -> Result<()> {
        let failed = |error| Error::io("write", step.path.to_string(), error);
        match &step.action {
            Action::Add { .. } => self.add(slot, &step.path),
            Action::Replace { old, .. } => self.replace(slot, &step.path, old),
            Action::Remove { old } => self.remove(slot, &step.path, old),
            Action::MakeFolder => {
                let parent = make_parent_of(self.root, &step.path, &mut Vec::new()).map_err(failed)?;
                match parent.make_folder(step.path.file_name()) {
                    Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(failed(error)),
                    _ => Ok(()),
                }
            }
            Action::RemoveFolder => {
                // A submodule that is checked out stays, as git leaves it.
                if let Parent::Open(parent) = parent_of(self.root, &step.path).map_err(failed)? {
                    remove_unless_filled(&parent, step.path.file_name()).map_err(failed)?;
                }
                Ok(())
            }
        }
    }

    fn add(&self, slot: usize, path: &RepoPath) -> Result<()> {
        let failed = |error| Error::io("write", path.to_string(), error);
        let parent = make_parent_of(self.root, path, &mut Vec::new()).map_err(|error| {
            match error.kind() {
                // What opening a link without following it gives differs between systems.
                // A folder that is missing was not made: the system refused, and no file stands there.
                _ if self.open_parent(path).is_err_and(|error| is_obstructed(&error)) => {
                    in_the_way(InTheWay::Obstructed, path)
                }
                _ => failed(error),
            }
        })?;
        let files = self.stage.files()?;
        let name = path.file_name();
        let moved = match files.rename_to_free(slot_name(slot).as_bytes(), &parent, name) {
            // Folders that lost their last file stand where the file goes; only empty ones yield.
            Err(error) if error.kind() == ErrorKind::AlreadyExists && remove_empty_folder(&parent, name) => {
                files.rename_to_free(slot_name(slot).as_bytes(), &parent, name)
            }
            moved => moved,
        };
        moved.map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => in_the_way(InTheWay::Untracked, path),
            _ => failed(error),
        })
    }

    fn replace(&self, slot: usize, path: &RepoPath, old: &Fingerprint) -> Result<()> {
        let failed = |error| Error::io("write", path.to_string(), error);
        let parent = self.open_parent(path)?;
        let files = self.stage.files()?;
        let (name, staged) = (path.file_name(), slot_name(slot));
        match files.exchange(staged.as_bytes(), &parent, name) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::Unsupported => {
                return self.replace_in_two_moves(slot, path, old, &parent);
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(in_the_way(InTheWay::Edited, path));
            }
            Err(error) => return Err(failed(error)),
        }
        let displaced = self.holds(files, staged.as_bytes(), old);
        if matches!(displaced, Ok(true)) {
            return Ok(());
        }
        files.exchange(staged.as_bytes(), &parent, name).map_err(failed)?;
        Err(displaced.err().unwrap_or_else(|| in_the_way(InTheWay::Edited, path)))
    }

    fn replace_in_two_moves(
        &self,
        slot: usize,
        path: &RepoPath,
        old: &Fingerprint,
        parent: &Folder,
    ) -> Result<()> {
        let failed = |error| Error::io("write", path.to_string(), error);
        let files = self.stage.files()?;
        let (name, displaced) = (path.file_name(), displaced_name(slot));
        parent.rename_to_free(name, files, displaced.as_bytes()).map_err(failed)?;
        let expected = self.holds(files, displaced.as_bytes(), old);
        if !matches!(expected, Ok(true)) {
            files.rename_to_free(displaced.as_bytes(), parent, name).map_err(failed)?;
            return Err(expected.err().unwrap_or_else(|| in_the_way(InTheWay::Edited, path)));
        }
        files.rename_to_free(slot_name(slot).as_bytes(), parent, name).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => in_the_way(InTheWay::Untracked, path),
            _ => failed(error),
        })
    }

    fn remove(&self, slot: usize, path: &RepoPath, old: &Fingerprint) -> Result<()> {
        let failed = |error| Error::io("remove", path.to_string(), error);
        let parent = self.open_parent(path)?;
        let files = self.stage.files()?;
        let (name, staged) = (path.file_name(), slot_name(slot));
        match parent.rename_to_free(name, files, staged.as_bytes()) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(in_the_way(InTheWay::Edited, path));
            }
            moved => moved.map_err(failed)?,
        }
        let displaced = self.holds(files, staged.as_bytes(), old);
        if matches!(displaced, Ok(true)) {
            return Ok(());
        }
        files.rename_to_free(staged.as_bytes(), &parent, name).map_err(failed)?;
        Err(displaced.err().unwrap_or_else(|| in_the_way(InTheWay::Edited, path)))
    }

    /// Takes back what [`Swapper::apply`] may have done, as far as nothing was written there since.
    pub(crate) fn undo(&self, slot: usize, step: &Step) -> Result<Undone> {
        let failed = |error| Error::io("restore", step.path.to_string(), error);
        let path = &step.path;
        match &step.action {
            Action::Add { new } => self.undo_add(slot, path, new),
            Action::Replace { old, new } => self.undo_replace(slot, path, old, new),
            Action::Remove { old } => self.undo_remove(slot, path, old),
            Action::MakeFolder => {
                if let Parent::Open(parent) = parent_of(self.root, path).map_err(failed)? {
                    remove_unless_filled(&parent, path.file_name()).map_err(failed)?;
                }
                Ok(Undone::Before)
            }
            Action::RemoveFolder => {
                let parent = make_parent_of(self.root, path, &mut Vec::new()).map_err(failed)?;
                match parent.make_folder(path.file_name()) {
                    Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(failed(error)),
                    _ => Ok(Undone::Before),
                }
            }
        }
    }

    fn undo_add(&self, slot: usize, path: &RepoPath, new: &Fingerprint) -> Result<Undone> {
        let failed = |error| Error::io("restore", path.to_string(), error);
        let files = self.stage.files()?;
        let staged = slot_name(slot);
        let still_staged = files.info(staged.as_bytes()).map_err(failed)?;
        let Parent::Open(parent) = parent_of(self.root, path).map_err(failed)? else {
            return Ok(Undone::Before);
        };
        let name = path.file_name();
        if let Some(still_staged) = still_staged {
            // Whatever stands at the path is not ours, unless it is a second link to the staged file.
            let same =
                |info: FileInfo| (info.device, info.stat.ino) == (still_staged.device, still_staged.stat.ino);
            if cfg!(unix) && parent.info(name).map_err(failed)?.is_some_and(same) {
                parent.remove_file(name).map_err(failed)?;
            }
            return Ok(Undone::Before);
        }
        match parent.info(name).map_err(failed)? {
            None => Ok(Undone::Before),
            Some(_) if self.holds(&parent, name, new)? => {
                parent.rename_to_free(name, files, staged.as_bytes()).map_err(failed)?;
                Ok(Undone::Before)
            }
            Some(_) => Ok(Undone::Edited),
        }
    }

    fn undo_replace(
        &self,
        slot: usize,
        path: &RepoPath,
        old: &Fingerprint,
        new: &Fingerprint,
    ) -> Result<Undone> {
        let failed = |error| Error::io("restore", path.to_string(), error);
        let files = self.stage.files()?;
        let (name, staged, displaced) = (path.file_name(), slot_name(slot), displaced_name(slot));
        let Parent::Open(parent) = parent_of(self.root, path).map_err(failed)? else {
            return Ok(Undone::Edited);
        };
        let there =
            |folder: &Folder, name: &[u8]| folder.info(name).map(|info| info.is_some()).map_err(failed);
        if there(files, displaced.as_bytes())? {
            // The two moves of a system that cannot swap.
            if self.holds(&parent, name, new)? {
                parent.rename_to_free(name, files, staged.as_bytes()).map_err(failed)?;
            }
            if !there(&parent, name)? {
                files.rename_to_free(displaced.as_bytes(), &parent, name).map_err(failed)?;
                return Ok(Undone::Before);
            }
            return Ok(Undone::Edited);
        }
        if self.holds(&parent, name, old)? {
            return Ok(Undone::Before);
        }
        let swapped = there(files, staged.as_bytes())? && !self.holds(files, staged.as_bytes(), new)?;
        if swapped && self.holds(&parent, name, new)? {
            // What was displaced goes back, even if it turns out not to be what was expected.
            files.exchange(staged.as_bytes(), &parent, name).map_err(failed)?;
            return Ok(Undone::Before);
        }
        Ok(if swapped { Undone::Edited } else { Undone::Before })
    }

    fn undo_remove(&self, slot: usize, path: &RepoPath, old: &Fingerprint) -> Result<Undone> {
        let failed = |error| Error::io("restore", path.to_string(), error);
        let files = self.stage.files()?;
        let staged = slot_name(slot);
        if files.info(staged.as_bytes()).map_err(failed)?.is_none() {
            return Ok(Undone::Before);
        }
        let parent = make_parent_of(self.root, path, &mut Vec::new()).map_err(failed)?;
        match files.rename_to_free(staged.as_bytes(), &parent, path.file_name()) {
            Ok(()) => Ok(Undone::Before),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                Ok(if self.holds(&parent, path.file_name(), old)? { Undone::Before } else { Undone::Edited })
            }
            Err(error) => Err(failed(error)),
        }
    }

    /// The names in the stage under which lies what is neither the file before nor the one after: a process that had it
    /// open wrote to it while it was displaced.
    pub(crate) fn foreign(&self, slot: usize, step: &Step) -> Result<Vec<String>> {
        let files = self.stage.files()?;
        let expected = match &step.action {
            Action::Add { new } => vec![new],
            Action::Replace { old, new } => vec![old, new],
            Action::Remove { old } => vec![old],
            Action::MakeFolder | Action::RemoveFolder => return Ok(Vec::new()),
        };
        let mut foreign = Vec::new();
        for name in [slot_name(slot), displaced_name(slot)] {
            let failed = |error| Error::io("examine", &name, error);
            let mut known = files.info(name.as_bytes()).map_err(failed)?.is_none();
            for expected in &expected {
                known = known || self.holds(files, name.as_bytes(), expected)?;
            }
            if !known {
                foreign.push(name);
            }
        }
        Ok(foreign)
    }

    fn open_parent(&self, path: &RepoPath) -> Result<Folder> {
        match parent_of(self.root, path).map_err(|error| Error::io("open", path.to_string(), error))? {
            Parent::Open(parent) => Ok(parent),
            Parent::Missing => Err(in_the_way(InTheWay::Edited, path)),
            Parent::Obstructed(at) => Err(in_the_way(InTheWay::Obstructed, &at)),
        }
    }

    /// Whether the staged file number `slot` is there and is this one.
    pub(crate) fn stage_holds(&self, slot: usize, expected: &Fingerprint) -> Result<bool> {
        self.stage
            .files
            .as_ref()
            .map_or(Ok(false), |files| self.holds(files, slot_name(slot).as_bytes(), expected))
    }

    /// Whether the name holds exactly what the fingerprint tells. What cannot be read is an error: taking it
    /// for something else could lose it.
    pub(crate) fn holds(&self, folder: &Folder, name: &[u8], expected: &Fingerprint) -> Result<bool> {
        let failed = |error| Error::io("examine", RepoPath::new(name).to_string(), error);
        let Some(info) = folder.info(name).map_err(failed)? else { return Ok(false) };
        if matches!(info.kind, FileKind::Folder | FileKind::Other) {
            return Ok(false);
        }
        let found = match fingerprint(folder, name, &info, self.hash) {
            Ok(found) => found,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(failed(error)),
        };
        let link = |kind| kind == FingerprintKind::Symlink;
        let same_kind =
            found.kind == expected.kind || (!self.file_mode && !link(found.kind) && !link(expected.kind));
        Ok(found.id == expected.id && same_kind)
    }
}

/// Removes a folder that holds nothing but empty folders; says whether it is gone.
fn remove_empty_folder(parent: &Folder, name: &[u8]) -> bool {
    let Ok(folder) = parent.open_folder(name) else {
        return false;
    };
    let Ok(names) = folder.names() else {
        return false;
    };
    names.iter().all(|inner| remove_empty_folder(&folder, inner)) && parent.remove_folder(name).is_ok()
}

fn is_obstructed(error: &Error) -> bool {
    matches!(error, Error::WorkTree(WorkTreeError::InTheWay { reason: InTheWay::Obstructed, .. }))
}

fn in_the_way(reason: InTheWay, path: &RepoPath) -> Error {
    WorkTreeError::InTheWay { reason, paths: vec![path.clone()] }.into()
}
