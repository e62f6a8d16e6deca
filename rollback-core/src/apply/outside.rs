//! Paths outside of the repository that a landing puts back.
//!
//! All that is to be written is staged before the journal is, in a folder beside each path and on its file system: a
//! full disk or a folder that may not be written to is a refusal that changed nothing. After the commit point the files
//! move into place by the swaps of the work tree, so that no file is ever half written, and what another process wrote
//! in that very moment is put back. Doing it twice is doing it once; what cannot be done is tried once more by the next
//! recovery, and then let go.
//!
//! Never: a path written because a journal says so. Without the folder that a landing staged on the spot nothing is done:
//! the author of a repository can write its journal, but cannot make that folder.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use bstr::ByteSlice;

use super::durable;
use super::folder::{Attributes, FileKind, Folder, Parent, parent_of, remove_unless_filled};
use super::stage::{Stage, slot_name};
use super::swap::Swapper;
use crate::error::{Error, InTheWay, NotPutBack, PathError, Result, WorkTreeError};
use crate::id::ObjectId;
use crate::journal::{Action, Fingerprint, OutsidePath, OutsideStep, Step};
use crate::path::RepoPath;
use crate::repo::config::Settings;
use crate::repo::{Objects, Repo};

/// How the folder of the staged files begins.
const STAGE: &str = ".rb-outside-";
/// The file of a landing that tells which of these folders were made, for a crash before the journal.
const MADE: &str = "outside-stages";
/// The file of a landing that says that what could not be put back is to be tried once more.
const AGAIN: &str = "outside-again";
/// The file of a landing that says that its folders outside could not be removed once.
const UNSWEPT: &str = "outside-unswept";

/// A path outside of the repository that changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OutsideChange {
    /// From the root of the file system on.
    pub(crate) path: RepoPath,
    pub(crate) rows: Vec<OutsideRow>,
}

/// What changes at it, or below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OutsideRow {
    /// Below the path that changes; empty for that path itself.
    pub(crate) path: RepoPath,
    /// What stands there.
    pub(crate) old: Option<OutsideThing>,
    /// What is to stand there.
    pub(crate) new: Option<OutsideThing>,
}

/// What stands at a path outside; the ids are those of blobs with the bytes as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OutsideThing {
    Folder {
        /// The permission bits.
        permissions: u32,
    },
    File {
        id: ObjectId,
        attributes: Attributes,
    },
    Symlink {
        id: ObjectId,
    },
}

impl OutsideThing {
    /// What a swap compares; a folder has no bytes.
    fn fingerprint(self) -> Option<Fingerprint> {
        match self {
            Self::Folder { .. } => None,
            Self::File { id, .. } => Some(Fingerprint::file(id, false)),
            Self::Symlink { id } => Some(Fingerprint::symlink(id)),
        }
    }
}

/// Something that is not as it was to be.
pub(super) struct Left {
    pub(super) said: NotPutBack,
    /// Whether trying again may help.
    transient: bool,
}

/// How a path stands to a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Done,
    Waiting,
    /// It is neither what it was nor what it is to be.
    Other,
}

/// Where the steps of one path are done.
struct Area<'a> {
    root: Folder,
    stage: Stage,
    hash: gix::hash::Kind,
    part: &'a OutsidePath,
}

/// Refuses what a landing would refuse outside of the repository, and writes nothing.
///
/// # Errors
/// [`WorkTreeError::InTheWay`]; [`Error::Io`] where a folder is gone or cannot be read.
pub(crate) fn check_outside(repo: &Repo, changes: &[OutsideChange]) -> Result<()> {
    look(repo, changes).map(drop)
}

/// Finds the steps that lead to what is wanted, and refuses what is neither that nor what is known to stand there.
///
/// # Errors
/// [`WorkTreeError::InTheWay`]; [`Error::Io`] where a folder is gone or cannot be read.
pub(super) fn look(repo: &Repo, changes: &[OutsideChange]) -> Result<Vec<OutsidePath>> {
    let mut planned = Vec::new();
    for change in changes {
        let mut part = OutsidePath {
            root: parent_path(&change.path)?,
            stage: RepoPath::default(),
            steps: steps_of(change),
        };
        let area = Area::open(repo, &part)?;
        let mut waiting = Vec::new();
        for step in &part.steps {
            match area.standing(step)? {
                Standing::Other => return Err(edited(part.whole(&step.step.path))),
                // A folder that is there still gets its permissions.
                Standing::Done if step.step.action != Action::MakeFolder => {}
                _ => waiting.push(step.clone()),
            }
        }
        if !waiting.is_empty() {
            part.stage = area.place_of_stage(&change.path)?;
            part.steps = waiting;
            planned.push(part);
        }
    }
    Ok(planned)
}

fn steps_of(change: &OutsideChange) -> Vec<OutsideStep> {
    let name = RepoPath::new(change.path.file_name());
    let mut steps = Vec::new();
    for row in &change.rows {
        let path = if row.path.is_root() { name.clone() } else { name.join(row.path.as_bytes()) };
        let (permissions, modified) = match row.new {
            Some(OutsideThing::Folder { permissions }) => (Some(permissions), None),
            Some(OutsideThing::File { attributes, .. }) => {
                (Some(attributes.permissions), Some(attributes.modified))
            }
            Some(OutsideThing::Symlink { .. }) | None => (None, None),
        };
        let is_folder = |thing: Option<OutsideThing>| matches!(thing, Some(OutsideThing::Folder { .. }));
        let old = row.old.and_then(OutsideThing::fingerprint);
        let new = row.new.and_then(OutsideThing::fingerprint);
        let mut push = |action| {
            steps.push(OutsideStep { step: Step { path: path.clone(), action }, permissions, modified });
        };
        match (old, new) {
            (Some(old), Some(new)) => push(Action::Replace { old, new }),
            (Some(old), None) => push(Action::Remove { old }),
            (None, Some(new)) => push(Action::Add { new }),
            (None, None) => {}
        }
        if is_folder(row.new) {
            push(Action::MakeFolder);
        } else if is_folder(row.old) {
            push(Action::RemoveFolder);
        }
    }
    let rank = |step: &OutsideStep| match step.step.action {
        Action::Remove { .. } => 0,
        Action::RemoveFolder => 1,
        Action::MakeFolder => 2,
        Action::Add { .. } | Action::Replace { .. } => 3,
    };
    steps.sort_by(|one, other| {
        let paths = one.step.path.cmp(&other.step.path);
        // A folder can go when those in it are gone.
        let paths = if rank(one) == 1 { paths.reverse() } else { paths };
        rank(one).cmp(&rank(other)).then(paths)
    });
    steps
}

/// Puts what is to be written beside the paths, and flushes it.
///
/// # Errors
/// [`Error::Io`]; what was made by then is removed by [`sweep_made`].
pub(super) fn stage(
    repo: &Repo,
    objects: &Objects,
    settings: &Settings,
    landing: &Stage,
    mut planned: Vec<OutsidePath>,
    operation: &str,
) -> Result<Vec<OutsidePath>> {
    if planned.is_empty() {
        return Ok(planned);
    }
    for (nth, part) in planned.iter_mut().enumerate() {
        part.stage = part.stage.join(format!("{STAGE}{operation}-{nth}").as_bytes());
    }
    let made: Vec<_> = planned.iter().map(|part| (&part.root, &part.stage)).collect();
    let made = serde_json::to_vec(&made).map_err(|error| Error::internal("cannot list the stages", error))?;
    let sync = settings.fsync.journal;
    durable::write_new(&landing.path(MADE), &made, settings.shared, sync)?;
    durable::sync_folder(&landing.folder, sync)?;
    for part in &planned {
        stage_part(repo, objects, settings, part)?;
    }
    Ok(planned)
}

fn stage_part(repo: &Repo, objects: &Objects, settings: &Settings, part: &OutsidePath) -> Result<()> {
    let shown = part.shown(&part.stage);
    let failed = |error| Error::io("create", &shown, error);
    let root = open_root(part)?;
    let Parent::Open(parent) = parent_of(&root, &part.stage).map_err(failed)? else {
        return Err(failed(ErrorKind::NotFound.into()));
    };
    let name = part.stage.file_name();
    parent.make_folder(name).map_err(failed)?;
    // Only this user can read it before it is in place.
    parent.set_attributes(name, &Attributes { permissions: 0o700, modified: (0, 0) }).map_err(failed)?;
    let area = Area::open(repo, part)?;
    let files = area.stage.files()?;
    let device = files.device().map_err(failed)?;
    for (slot, step) in part.steps.iter().enumerate() {
        let at = part.shown(&step.step.path);
        let failed = |error| Error::io("stage", &at, error);
        if let Parent::Open(parent) = parent_of(&root, &step.step.path).map_err(failed)?
            && parent.device().map_err(failed)? != device
        {
            return Err(Error::BadRequest(format!("{at} lies on another file system than {shown}")));
        }
        let (Action::Add { new } | Action::Replace { new, .. }) = &step.step.action else { continue };
        let name = slot_name(slot);
        if new.kind == crate::journal::FingerprintKind::Symlink {
            files.create_symlink(&objects.blob(new.id)?, name.as_bytes()).map_err(failed)?;
            continue;
        }
        let mut file = files.create_file(name.as_bytes(), 0o600).map_err(failed)?;
        objects.in_pieces(new.id, &mut |piece| file.write_all(piece).map_err(failed))?;
        if let (Some(permissions), Some(modified)) = (step.permissions, step.modified) {
            let attributes = Attributes { permissions, modified };
            files.set_attributes(name.as_bytes(), &attributes).map_err(failed)?;
        }
        if settings.fsync.journal {
            file.sync_all().map_err(failed)?;
        }
    }
    if settings.fsync.journal {
        files.sync().and_then(|()| parent.sync()).map_err(failed)?;
    }
    Ok(())
}

/// Moves what is staged into place, as far as that is not done; says what could not be.
pub(super) fn put_back(repo: &Repo, outside: &[OutsidePath], settings: &Settings) -> Vec<Left> {
    let mut left = Vec::new();
    for part in outside {
        match Area::open(repo, part) {
            Ok(area) => area.put_back(settings, &mut left),
            Err(error) => left.push(Left::at(part.named(), &error)),
        }
    }
    left
}

/// Notes that the next recovery is to try again, where it has not been noted before and may help.
pub(super) fn try_again(landing: &Stage, left: &[Left], settings: &Settings) -> bool {
    // A second mark is refused. Where even the first cannot be made it is let go: it was reported.
    left.iter().any(|left| left.transient)
        && durable::write_new(&landing.path(AGAIN), b"", settings.shared, false).is_ok()
}

/// Whether a landing that is over has left something to be tried again.
///
/// # Errors
/// [`Error::Io`] where that cannot be told.
pub(super) fn is_to_be_tried_again(landing: &Stage) -> Result<bool> {
    durable::is_there(&landing.path(AGAIN))
}

/// Removes the staged files of a landing that is over.
///
/// # Errors
/// [`WorkTreeError::SetAside`] where a file was written to after it was displaced: those stay; [`Error::Io`] the first
/// time that something cannot be removed, and never again.
pub(super) fn sweep(
    repo: &Repo,
    landing: &Stage,
    outside: &[OutsidePath],
    settings: &Settings,
) -> Result<()> {
    let mut kept = None;
    for part in outside {
        if let Some(found) = once(&landing.folder, settings, sweep_part(repo, part))?.flatten() {
            kept = Some(found);
        }
    }
    kept.map_or(Ok(()), |(paths, folder)| Err(WorkTreeError::SetAside { paths, folder }.into()))
}

/// Lets an error of the system be one the first time only: it must not keep everybody from landing for ever.
fn once<T>(landing: &Path, settings: &Settings, swept: Result<T>) -> Result<Option<T>> {
    let mark = landing.join(UNSWEPT);
    match swept {
        Ok(swept) => Ok(Some(swept)),
        // A second mark is refused.
        Err(error @ Error::Io { .. }) if durable::write_new(&mark, b"", settings.shared, false).is_ok() => {
            Err(error)
        }
        Err(_) => Ok(None),
    }
}

fn sweep_part(repo: &Repo, part: &OutsidePath) -> Result<Option<(Vec<RepoPath>, PathBuf)>> {
    let Some(area) = Area::open_if_there(repo, part)?.filter(|area| area.stage.files.is_some()) else {
        return Ok(None);
    };
    let mut foreign = Vec::new();
    for (slot, step) in part.steps.iter().enumerate() {
        if !area.swapper().foreign(slot, &step.step)?.is_empty() {
            foreign.push(part.whole(&step.step.path));
        }
    }
    if foreign.is_empty() {
        area.remove_stage()?;
        return Ok(None);
    }
    Ok(Some((foreign, area.stage.folder)))
}

/// Removes what was staged before there was a journal.
///
/// # Errors
/// As [`sweep`].
pub(super) fn sweep_made(repo: &Repo, landing: &Path, settings: &Settings) -> Result<()> {
    let Some(bytes) = durable::read_if_there(&landing.join(MADE))? else { return Ok(()) };
    // Cut off while it was written: nothing had been made yet.
    let made: Vec<(RepoPath, RepoPath)> = serde_json::from_slice(&bytes).unwrap_or_default();
    for (root, stage) in made {
        let part = OutsidePath { root, stage, steps: Vec::new() };
        let removed =
            Area::open_if_there(repo, &part).and_then(|area| area.map_or(Ok(()), |area| area.remove_stage()));
        once(landing, settings, removed)?;
    }
    Ok(())
}

impl Area<'_> {
    fn open<'a>(repo: &Repo, part: &'a OutsidePath) -> Result<Area<'a>> {
        let root = open_root(part)?;
        let shown = part.shown(&part.stage);
        let failed = |error| Error::io("open", &shown, error);
        // While it is only looked at there is no stage yet.
        let is_stage = part.stage.file_name().starts_with(STAGE.as_bytes());
        let files = match is_stage.then(|| parent_of(&root, &part.stage)).transpose().map_err(failed)? {
            Some(Parent::Open(parent)) => match parent.open_folder(part.stage.file_name()) {
                Ok(files) => Some(files),
                Err(error) if error.kind() == ErrorKind::NotFound => None,
                Err(error) => return Err(failed(error)),
            },
            _ => None,
        };
        let stage = Stage::outside(PathBuf::from(&shown), files);
        Ok(Area { root, stage, hash: repo.local().object_hash(), part })
    }

    /// The same; nothing where the folder that holds the path is gone.
    fn open_if_there<'a>(repo: &Repo, part: &'a OutsidePath) -> Result<Option<Area<'a>>> {
        match Area::open(repo, part) {
            Err(Error::Io { source, .. }) if source.kind() == ErrorKind::NotFound => Ok(None),
            area => area.map(Some),
        }
    }

    /// Beside the path, or in it where it is the root of a file system of its own.
    fn place_of_stage(&self, path: &RepoPath) -> Result<RepoPath> {
        let failed = |error| Error::io("examine", path.to_string(), error);
        let name = path.file_name();
        match self.root.info(name).map_err(failed)? {
            Some(info)
                if info.kind == FileKind::Folder && info.device != self.root.device().map_err(failed)? =>
            {
                Ok(RepoPath::new(name))
            }
            _ => Ok(RepoPath::default()),
        }
    }

    fn swapper(&self) -> Swapper<'_> {
        // Permissions are compared by themselves.
        Swapper { root: &self.root, stage: &self.stage, hash: self.hash, file_mode: false }
    }

    fn standing(&self, OutsideStep { step, permissions, modified }: &OutsideStep) -> Result<Standing> {
        let failed = |error| Error::io("examine", self.part.shown(&step.path), error);
        let name = step.path.file_name();
        let Parent::Open(parent) = parent_of(&self.root, &step.path).map_err(failed)? else {
            return Ok(match step.action {
                Action::Remove { .. } | Action::RemoveFolder => Standing::Done,
                // What stands in the place of a folder goes before.
                Action::Add { .. } | Action::MakeFolder => Standing::Waiting,
                Action::Replace { .. } => Standing::Other,
            });
        };
        let swapper = self.swapper();
        let holds = |expected: &Fingerprint| swapper.holds(&parent, name, expected);
        let is_as_it_was_to_be = || -> Result<bool> {
            let (Some(permissions), Some(modified)) = (*permissions, *modified) else { return Ok(true) };
            let found = parent.attributes(name).map_err(failed)?;
            Ok(found == Some(Attributes { permissions, modified }))
        };
        let kind = parent.info(name).map_err(failed)?.map(|info| info.kind);
        let is_folder = kind == Some(FileKind::Folder);
        let either = |done: bool, waiting: bool| match (done, waiting) {
            (true, _) => Standing::Done,
            (false, true) => Standing::Waiting,
            (false, false) => Standing::Other,
        };
        Ok(match &step.action {
            Action::MakeFolder => either(is_folder, true),
            Action::RemoveFolder => either(!is_folder, true),
            // Folders that are empty by then make room.
            Action::Add { .. } if kind.is_none() || is_folder => Standing::Waiting,
            Action::Remove { .. } if kind.is_none() || is_folder => Standing::Done,
            Action::Replace { .. } if kind.is_none() || is_folder => Standing::Other,
            Action::Add { new } => either(holds(new)?, false),
            Action::Remove { old } => either(false, holds(old)?),
            // The same bytes with other permissions or times.
            Action::Replace { old, new } if old == new => {
                either(holds(new)? && is_as_it_was_to_be()?, holds(old)?)
            }
            Action::Replace { old, new } => either(holds(new)?, holds(old)?),
        })
    }

    fn put_back(&self, settings: &Settings, left: &mut Vec<Left>) {
        for (slot, step) in self.part.steps.iter().enumerate() {
            if let Err(error) = self.put_back_one(slot, step) {
                left.push(Left::at(self.part.whole(&step.step.path), &error));
            }
        }
        // The innermost first: a folder without write permission is closed when all in it is done.
        for step in self.part.steps.iter().rev().filter(|step| step.step.action == Action::MakeFolder) {
            if let Err(error) = self.set_permissions(step) {
                left.push(Left::at(self.part.whole(&step.step.path), &error));
            }
        }
        if settings.fsync.journal
            && let Err(error) = self.sync()
        {
            // A flush that failed is not tried again and trusted.
            left.push(Left { transient: false, ..Left::at(self.part.named(), &error) });
        }
    }

    fn put_back_one(&self, slot: usize, step: &OutsideStep) -> Result<()> {
        let standing = self.standing(step)?;
        let untouched = || self.is_untouched(slot, step);
        match standing {
            Standing::Done => Ok(()),
            // It was written to after it was in place.
            Standing::Other if !untouched()? => Ok(()),
            Standing::Other => Err(edited(self.part.whole(&step.step.path))),
            Standing::Waiting => {
                self.stage.files()?;
                match step.step.action {
                    // A folder that stays would be left unsaid by the swap.
                    Action::RemoveFolder => self.remove_folder(&step.step.path),
                    _ => self.swapper().apply(slot, &step.step),
                }
            }
        }
    }

    fn remove_folder(&self, path: &RepoPath) -> Result<()> {
        let failed = |error| Error::io("remove", self.part.shown(path), error);
        match parent_of(&self.root, path).map_err(failed)? {
            Parent::Open(parent) => remove_unless_filled(&parent, path.file_name()).map_err(failed),
            _ => Ok(()),
        }
    }

    /// Whether the stage says that a step has not been done.
    fn is_untouched(&self, slot: usize, step: &OutsideStep) -> Result<bool> {
        let Some(files) = &self.stage.files else { return Ok(true) };
        Ok(match &step.step.action {
            Action::Add { new } | Action::Replace { new, .. } => self.swapper().stage_holds(slot, new)?,
            Action::Remove { .. } => {
                let found = files.info(slot_name(slot).as_bytes());
                found.map_err(|error| Error::io("examine", &self.stage.folder, error))?.is_none()
            }
            Action::MakeFolder | Action::RemoveFolder => true,
        })
    }

    fn set_permissions(&self, OutsideStep { step, permissions, .. }: &OutsideStep) -> Result<()> {
        let failed = |error| Error::io("change the permissions of", self.part.shown(&step.path), error);
        let (Some(permissions), true) = (*permissions, self.stage.files.is_some()) else { return Ok(()) };
        let Parent::Open(parent) = parent_of(&self.root, &step.path).map_err(failed)? else { return Ok(()) };
        let name = step.path.file_name();
        match parent.attributes(name).map_err(failed)? {
            Some(found) if found.permissions != permissions => {
                parent.set_attributes(name, &Attributes { permissions, ..found }).map_err(failed)
            }
            _ => Ok(()),
        }
    }

    /// Flushes every folder whose names changed.
    fn sync(&self) -> Result<()> {
        let touched: std::collections::BTreeSet<_> =
            self.part.steps.iter().filter_map(|step| step.step.path.parent()).collect();
        for folder in touched {
            let failed = |error| Error::io("flush", self.part.shown(&folder), error);
            if let Parent::Open(open) = parent_of(&self.root, &folder.join(b"x")).map_err(failed)? {
                open.sync().map_err(failed)?;
            }
        }
        Ok(())
    }

    fn remove_stage(&self) -> Result<()> {
        let Some(files) = &self.stage.files else { return Ok(()) };
        let failed = |error| Error::io("remove", &self.stage.folder, error);
        for name in files.names().map_err(failed)? {
            files.remove_file(&name).map_err(failed)?;
        }
        match parent_of(&self.root, &self.part.stage).map_err(failed)? {
            Parent::Open(parent) => parent.remove_folder(self.part.stage.file_name()).map_err(failed),
            _ => Ok(()),
        }
    }
}

impl OutsidePath {
    /// A path below the root, in full.
    fn whole(&self, path: &RepoPath) -> RepoPath {
        RepoPath::new(self.root.as_bytes().trim_end_with(|end| end == '/')).join(path.as_bytes())
    }

    fn shown(&self, path: &RepoPath) -> String {
        self.whole(path).to_string()
    }

    /// The path that was named.
    fn named(&self) -> RepoPath {
        let first = self.steps.first().and_then(|step| step.step.path.components().next());
        self.whole(&RepoPath::new(first.unwrap_or_default()))
    }
}

impl Left {
    fn at(path: RepoPath, error: &Error) -> Self {
        let mut why = error.to_string();
        if let Some(source) = std::error::Error::source(error) {
            why = format!("{why}: {source}");
        }
        let transient = matches!(error, Error::Io { .. });
        Self { said: NotPutBack { path, why }, transient }
    }
}

fn edited(path: RepoPath) -> Error {
    WorkTreeError::InTheWay { reason: InTheWay::Edited, paths: vec![path] }.into()
}

fn parent_path(path: &RepoPath) -> Result<RepoPath> {
    let cannot =
        || Error::from(PathError::Invalid { path: path.to_string(), why: "this system cannot spell it" });
    let system = path.to_relative_path().ok_or_else(cannot)?;
    let parent = system.parent().and_then(<[u8]>::from_path).ok_or_else(cannot)?;
    Ok(RepoPath::new(parent))
}

/// Opens the folder that holds the path. The journal was held to plain names below it.
fn open_root(part: &OutsidePath) -> Result<Folder> {
    let why = "it does not name one place from the root of the file system on";
    let refused = || Error::from(PathError::Invalid { path: part.root.to_string(), why });
    let path = part.root.to_relative_path().filter(|path| path.is_absolute()).ok_or_else(refused)?;
    if path.components().any(|part| matches!(part, std::path::Component::ParentDir)) {
        return Err(refused());
    }
    Folder::open(&path).map_err(|error| Error::io("open", path.as_ref(), error))
}
