//! Finishing or taking back a landing whose process is gone, or that failed on the way.
//!
//! The reference decides: where it is new, what is left is finished; where it is old, everything is taken
//! back path by path, and a path that was written to since stays as it is and is reported; where
//! it is neither, nothing is touched. Doing it twice is the same as doing it once, and a lock that does
//! not hold the name of the operation is never removed.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::folder::{Folder, Parent, parent_of, remove_unless_filled};
use super::lock::{self, LandingLock};
use super::own::OwnFolder;
use super::stage::{Stage, displaced_of, folder_of, slot_name};
use super::swap::{Swapper, Undone};
use super::{
    anchor, durable, index_edit, keep, land, log, outside, preflight, reference, table_landing, tables,
};
use crate::error::{Error, NotPutBack, RepositoryError, Result, WorkTreeError};
use crate::journal::{Action, IndexedPath, Journal, Left, Step};
use crate::operation::OperationId;
use crate::path::RepoPath;
use crate::receipt::Recovery;
use crate::repo::Repo;
use crate::repo::config::Settings;
use crate::repo::index::{Index, IndexFile};
use crate::repo::refs::{Head, Storage};

/// The file of a landing that says that it has passed its commit point, where no reference moves.
const LANDED: &str = "landed";

/// What was found unfinished, and what became of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Recovered {
    /// Nothing was unfinished.
    #[default]
    Nothing,
    /// The result had landed; what follows the commit point was done now.
    Finished {
        /// The landing.
        operation: String,
        /// Paths outside of the repository that could not be put back.
        not_put_back: Vec<NotPutBack>,
    },
    /// The landing was taken back.
    TakenBack {
        /// The landing.
        operation: String,
        /// Paths that were written to meanwhile, left as they are.
        edited: Vec<RepoPath>,
    },
    /// The reference is neither where it was nor where it should go: work tree and index were left alone.
    SetAside {
        /// The landing.
        operation: String,
        /// Where the files lie that it had displaced.
        folder: PathBuf,
    },
    /// Files were written to after a landing that is over had displaced them.
    Kept {
        /// The landing.
        operation: String,
        /// The paths that the files had.
        paths: Vec<RepoPath>,
        /// Where they are now, each at its path.
        folder: PathBuf,
    },
}

impl From<Recovered> for Option<Recovery> {
    fn from(recovered: Recovered) -> Self {
        Some(match recovered {
            Recovered::Nothing => return None,
            Recovered::Finished { operation, not_put_back } => {
                Recovery::Finished { operation_id: operation, not_put_back }
            }
            Recovered::TakenBack { operation, edited } => {
                Recovery::TakenBack { operation_id: operation, edited }
            }
            Recovered::SetAside { operation, folder } => {
                Recovery::SetAside { operation_id: operation, folder: folder.display().to_string() }
            }
            Recovered::Kept { operation, paths, folder } => {
                Recovery::Kept { operation_id: operation, paths, folder: folder.display().to_string() }
            }
        })
    }
}

/// Deals with a landing that was not finished, if there is one and its process is gone.
///
/// # Errors
/// [`Error::Locked`] while another landing is under way.
pub(crate) fn recover(repo: &Repo) -> Result<Recovered> {
    match repo.storage() {
        Storage::Files => keep::sweep_locks(repo)?,
        Storage::Tables => tables::sweep_locks(repo)?,
    }
    let (landing, displaced) = (folder_of(repo.git_dir()), displaced_of(repo.git_dir()));
    if !durable::is_there(&landing)? && !durable::is_there(&displaced)? {
        return Ok(Recovered::Nothing);
    }
    let _span = tracing::debug_span!("recover").entered();
    let settings = Settings::of(repo)?;
    let _lock = LandingLock::take(repo.git_dir(), &settings)?;
    match recover_locked(repo, &settings)? {
        Recovered::Nothing => settle_displaced(repo),
        recovered => Ok(recovered),
    }
}

/// Throws away what the last landing displaced, but for files that were written to since.
pub(super) fn settle_displaced(repo: &Repo) -> Result<Recovered> {
    let folder = displaced_of(repo.git_dir());
    let is_there = durable::is_there(&folder)?;
    let Some(root) = repo.work_dir().filter(|_| is_there).map(|_| land::open_root(repo)).transpose()? else {
        return Ok(Recovered::Nothing);
    };
    let journal = match Journal::read(&folder) {
        Err(Error::Repository(RepositoryError::ForeignRecord { .. })) => return set_aside(repo, "displaced"),
        journal => journal?,
    };
    let stage = Stage::reopen(folder, Some(&root), None)?;
    let kept = match &journal {
        Left::Open(journal) | Left::Closed(journal) => keep_foreign(repo, &root, &stage, journal)?,
        // Killed while it was thrown away.
        Left::Nothing => None,
    };
    stage.remove(None)?;
    Ok(match (kept, journal) {
        (Some((paths, folder)), Left::Open(journal) | Left::Closed(journal)) => {
            Recovered::Kept { operation: journal.operation, paths, folder }
        }
        _ => Recovered::Nothing,
    })
}

/// Moves what a landing left in `rb/` to a folder that nothing reads, because its journal cannot be read.
fn set_aside(repo: &Repo, name: &str) -> Result<Recovered> {
    let operation = OperationId::random()?.to_string();
    let aside = format!("aside-{operation}");
    if let Some(own) = OwnFolder::open(repo.git_dir(), &["rb"])? {
        let moved = own.folder.rename_to_free(name.as_bytes(), &own.folder, aside.as_bytes());
        moved.map_err(|error| Error::io("set aside", own.path.join(name), error))?;
    }
    Ok(Recovered::SetAside { operation, folder: repo.git_dir().join("rb").join(aside) })
}

/// The name of an unfinished landing, for those who only report it.
pub(crate) fn operation_left(repo: &Repo) -> Result<Option<String>> {
    Ok(match Journal::read(&folder_of(repo.git_dir()))? {
        Left::Nothing => None,
        Left::Open(journal) | Left::Closed(journal) => Some(journal.operation),
    })
}

pub(super) fn recover_locked(repo: &Repo, settings: &Settings) -> Result<Recovered> {
    let folder = folder_of(repo.git_dir());
    if !durable::is_there(&folder)? {
        return Ok(Recovered::Nothing);
    }
    let root = repo.work_dir().map(|_| land::open_root(repo)).transpose()?;
    let left = match Journal::read(&folder) {
        // It is over; only its locks may be left, and git names those.
        Err(Error::Repository(RepositoryError::ForeignRecord { path, .. })) if Journal::is_closed(&path) => {
            return set_aside(repo, "landing");
        }
        left => left?,
    };
    match left {
        Left::Nothing => {
            // A kill before the journal: nothing was locked or moved, only staged.
            anchor::weigh_anchor(repo)?;
            outside::sweep_made(repo, &folder, settings)?;
            let in_work_tree = durable::read_if_there(&folder.join("work-tree-stage"))?.map(RepoPath::new);
            Stage::reopen(folder, root.as_ref(), in_work_tree.as_ref())?.remove(root.as_ref())?;
            Ok(Recovered::Nothing)
        }
        Left::Closed(journal) => {
            let stage = Stage::reopen(folder, root.as_ref(), journal.stage_in_work_tree.as_ref())?;
            let again = outside::is_to_be_tried_again(&stage)?;
            let left = if again { outside::put_back(repo, &journal.outside, settings) } else { Vec::new() };
            clean_up(repo, &stage, &journal, settings)?;
            let not_put_back = left.into_iter().map(|left| left.said).collect();
            Ok(match again {
                true => Recovered::Finished { operation: journal.operation, not_put_back },
                false => Recovered::Nothing,
            })
        }
        Left::Open(journal) => {
            let stage = Stage::reopen(folder, root.as_ref(), journal.stage_in_work_tree.as_ref())?;
            recover_open(repo, &stage, &journal, settings)
        }
    }
}

fn recover_open(repo: &Repo, stage: &Stage, journal: &Journal, settings: &Settings) -> Result<Recovered> {
    let operation = journal.operation.clone();
    match reached(repo, stage, journal)? {
        Reached::New => {
            let not_put_back = finish(repo, stage, journal, settings)?;
            Ok(Recovered::Finished { operation, not_put_back })
        }
        Reached::Old => {
            let edited = take_back(repo, stage, journal, settings)?;
            Ok(Recovered::TakenBack { operation, edited })
        }
        Reached::Other if nothing_moved(repo, stage, journal)? => {
            let edited = take_back(repo, stage, journal, settings)?;
            Ok(Recovered::TakenBack { operation, edited })
        }
        Reached::Other => {
            let folder = repo.git_dir().join("rb").join(format!("aside-{operation}"));
            lock::release(&lock_paths(repo, journal)?, &operation)?;
            anchor::weigh_anchor(repo)?;
            // A checkpoint keeps what was staged; another process went on meanwhile.
            let _ = outside::sweep(repo, stage, &journal.outside, settings);
            fs::rename(&stage.folder, &folder)
                .map_err(|error| Error::io("set aside", &stage.folder, error))?;
            Ok(Recovered::SetAside { operation, folder })
        }
    }
}

enum Reached {
    Old,
    New,
    Other,
}

/// Whether the commit point was passed.
fn reached(repo: &Repo, stage: &Stage, journal: &Journal) -> Result<Reached> {
    if let Some(moved) = &journal.reference {
        let found = match moved.name.as_bytes() {
            b"HEAD" => match repo.head()? {
                Head::Detached(commit) => Some(commit),
                Head::Branch { .. } => return Ok(Reached::Other),
            },
            name => repo.read_reference(name)?,
        };
        return Ok(match found {
            found if found == moved.new => Reached::New,
            found if found == moved.old => Reached::Old,
            _ => Reached::Other,
        });
    }
    // The index says nothing: `git status` refreshes it, and where only files change it may be the one from before.
    Ok(if durable::is_there(&stage.path(LANDED))? { Reached::New } else { Reached::Old })
}

/// Marks a landing that moves no reference as landed: its index may be the one before, byte for byte.
pub(super) fn mark_landed(stage: &Stage, settings: &Settings) -> Result<()> {
    durable::write_new(&stage.path(LANDED), b"", settings.shared, settings.fsync.journal)?;
    durable::sync_folder(&stage.folder, settings.fsync.journal)
}

/// The index as it was before the landing, from the copy in the stage.
fn index_before(repo: &Repo, stage: &Stage) -> Result<IndexFile> {
    let path = stage.path("index.old");
    let hash = repo.local().object_hash();
    match fs::read(&path) {
        Ok(bytes) => {
            let index = Index::decode(&bytes, (0, 0), &path, &repo.objects())?;
            Ok(IndexFile { path, bytes: Some(bytes), index })
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Ok(IndexFile { path, bytes: None, index: Index::empty(hash) })
        }
        Err(error) => Err(Error::io("read", path, error)),
    }
}

/// Whether no file of the work tree and no byte of the index was touched yet.
fn nothing_moved(repo: &Repo, stage: &Stage, journal: &Journal) -> Result<bool> {
    let staged = |slot: usize| {
        stage
            .files
            .as_ref()
            .is_some_and(|files| files.info(slot_name(slot).as_bytes()).is_ok_and(|info| info.is_some()))
    };
    let Some(root) = repo.work_dir().map(|_| land::open_root(repo)).transpose()? else {
        return Ok(true);
    };
    let swapper = swapper(repo, &root, stage)?;
    let mut moved = false;
    for (slot, step) in journal.steps.iter().enumerate() {
        moved |= match &step.action {
            Action::Add { .. } => !staged(slot),
            Action::Replace { new, .. } => !swapper.stage_holds(slot, new)?,
            Action::Remove { .. } => staged(slot),
            Action::MakeFolder | Action::RemoveFolder => false,
        };
    }
    let index = journal.index.as_ref().map_or(Ok(false), |after| {
        Ok::<_, Error>(!after.is_empty() && index_edit::holds(&repo.read_index()?.index, after))
    })?;
    Ok(!moved && !index)
}

fn swapper<'a>(repo: &Repo, root: &'a Folder, stage: &'a Stage) -> Result<Swapper<'a>> {
    let file_mode = Settings::of(repo)?.file_mode;
    Ok(Swapper { root, stage, hash: repo.local().object_hash(), file_mode })
}

/// What follows the commit point: the move itself on the disk, the logs, the state files, what lies outside of the
/// repository, the locks. Returns what outside could not be put back.
pub(super) fn finish(
    repo: &Repo,
    stage: &Stage,
    journal: &Journal,
    settings: &Settings,
) -> Result<Vec<NotPutBack>> {
    match repo.storage() {
        Storage::Files => reference::settle(repo, journal, settings)?,
        Storage::Tables => table_landing::settle(repo, stage, journal, settings)?,
    }
    if let Some(entry) = &journal.logged {
        log::advance(repo, &stage.path("log"), entry, settings)?;
    }
    write_state_files(repo, stage, journal, settings)?;
    let left = outside::put_back(repo, &journal.outside, settings);
    if outside::try_again(stage, &left, settings) {
        close_journal(stage, settings)?;
        // The locks are given back; what was staged stays for the next recovery.
        release_locks(repo, journal, settings)?;
    } else {
        close(repo, stage, journal, settings)?;
    }
    Ok(left.into_iter().map(|left| left.said).collect())
}

fn write_state_files(repo: &Repo, stage: &Stage, journal: &Journal, settings: &Settings) -> Result<()> {
    for (nth, state) in journal.state_files.iter().enumerate() {
        if repo.keeps_as_reference(&state.name) {
            continue;
        }
        durable::refuse_links(repo.git_dir(), Path::new(&state.name).parent().unwrap_or(Path::new("")))?;
        let path = repo.git_dir().join(&state.name);
        let Some(content) = &state.content else {
            match fs::symlink_metadata(&path) {
                Ok(metadata) if metadata.is_dir() => {
                    fs::remove_dir_all(&path).map_err(|error| Error::io("remove", &path, error))?;
                }
                _ => durable::remove_if_there(&path)?,
            }
            if let Some(folder) = path.parent().filter(|folder| *folder != repo.git_dir()) {
                // git takes a folder for a sequence, even an empty one.
                let _ = fs::remove_dir(folder);
            }
            continue;
        };
        let staged = stage.path(&format!("state-{nth}"));
        durable::remove_if_there(&staged)?;
        durable::write_new(&staged, content.as_bytes(), settings.shared, settings.fsync.journal)?;
        if let Some(folder) = path.parent() {
            durable::make_folders(folder, settings.shared, false)?;
        }
        fs::rename(&staged, &path).map_err(|error| Error::io("write", &path, error))?;
    }
    match journal.state_files.is_empty() {
        true => Ok(()),
        false => durable::sync_folder(repo.git_dir(), settings.fsync.journal),
    }
}

/// Takes everything back; returns the paths that were written to meanwhile.
pub(super) fn take_back(
    repo: &Repo,
    stage: &Stage,
    journal: &Journal,
    settings: &Settings,
) -> Result<Vec<RepoPath>> {
    let mut edited = Vec::new();
    // From here on it has not landed, even if this is cut off.
    durable::remove_if_there(&stage.path(LANDED))?;
    if let Some(after) = &journal.index {
        let root = land::open_root(repo)?;
        let swapper = swapper(repo, &root, stage)?;
        let mut undo = |removals: bool| -> Result<()> {
            let is_removal = |step: &Step| matches!(step.action, Action::Remove { .. });
            for (slot, step) in journal.steps.iter().enumerate().rev() {
                if is_removal(step) == removals && swapper.undo(slot, step)? == Undone::Edited {
                    edited.push(step.path.clone());
                }
            }
            Ok(())
        };
        // A file that was removed may have made room for a folder, which has to go before it comes back.
        undo(false)?;
        remove_made_folders(&root, &journal.missing_folders)?;
        undo(true)?;
        if settings.fsync.journal {
            sync_touched(&root, journal)?;
        }
        restore_index(repo, stage, journal, after, settings)?;
    }
    if repo.storage() == Storage::Tables {
        table_landing::take_back(repo, journal)?;
    }
    close(repo, stage, journal, settings)?;
    Ok(edited)
}

/// Removes the folders in which nothing lies. One that cannot be removed for another reason is an
/// error: the file whose place it takes would be taken for lost.
fn remove_made_folders(root: &Folder, folders: &[RepoPath]) -> Result<()> {
    for path in folders.iter().rev() {
        let failed = |error| Error::io("remove", path.to_string(), error);
        let Parent::Open(parent) = parent_of(root, path).map_err(failed)? else { continue };
        remove_unless_filled(&parent, path.file_name()).map_err(failed)?;
    }
    Ok(())
}

/// Puts the old index back, or the old entries into one that another process wrote since.
fn restore_index(
    repo: &Repo,
    stage: &Stage,
    journal: &Journal,
    after: &[IndexedPath],
    settings: &Settings,
) -> Result<()> {
    let before = index_before(repo, stage)?;
    let now = repo.read_index()?;
    if now.bytes == before.bytes || after.is_empty() || !index_edit::holds(&now.index, after) {
        return Ok(());
    }
    let lock = preflight::index_lock(repo);
    let ours = lock::is_ours(&lock, &journal.operation)?;
    if !ours {
        lock::take(&lock, &stage.path("lock"), &journal.operation, std::time::Duration::from_secs(1))?;
    }
    let bytes = match (ours, before.bytes) {
        (true, None) => return durable::remove_if_there(&now.path),
        // The lock was held all the time: no other process can have written the index.
        (true, Some(bytes)) => bytes,
        (false, _) => {
            let now = repo.read_index()?;
            index_edit::taken_back(&now.index, &before.index, after)
                .encode(settings.skip_hash, repo.index_folding()?.as_ref())?
        }
    };
    let staged = stage.path("index.restored");
    durable::remove_if_there(&staged)?;
    durable::write_new(&staged, &bytes, settings.shared, settings.fsync.index)?;
    fs::rename(&staged, &now.path).map_err(|error| Error::io("replace", &now.path, error))?;
    durable::sync_folder(now.path.parent().unwrap_or(repo.git_dir()), settings.fsync.index)
}

/// Marks the landing as over, then gives the locks back, then removes the stage.
fn close(repo: &Repo, stage: &Stage, journal: &Journal, settings: &Settings) -> Result<()> {
    close_journal(stage, settings)?;
    clean_up(repo, stage, journal, settings)
}

fn close_journal(stage: &Stage, settings: &Settings) -> Result<()> {
    Journal::close(&stage.folder)?;
    durable::sync_folder(&stage.folder, settings.fsync.journal)
}

fn release_locks(repo: &Repo, journal: &Journal, settings: &Settings) -> Result<()> {
    let locks = lock_paths(repo, journal)?;
    lock::release(&locks, &journal.operation)?;
    // A lock that a power cut brings back must find the record that it is ours.
    let folders: BTreeSet<_> = locks.iter().filter_map(|lock| lock.parent()).collect();
    folders.into_iter().try_for_each(|folder| {
        let is_there = durable::is_folder(folder)?;
        durable::sync_folder(folder, settings.fsync.journal && is_there)
    })
}

fn clean_up(repo: &Repo, stage: &Stage, journal: &Journal, settings: &Settings) -> Result<()> {
    release_locks(repo, journal, settings)?;
    let is_file = repo.storage() == Storage::Files;
    if let Some(moved) = journal.reference.as_ref().filter(|moved| is_file && moved.new.is_none()) {
        // Its lock was the last file there.
        let path = repo.reference_path(moved.name.as_bytes())?;
        reference::remove_empty_parents(&path, &repo.common_dir());
    }
    anchor::weigh_anchor(repo)?;
    let root = repo.work_dir().map(|_| land::open_root(repo)).transpose()?;
    let swept = outside::sweep(repo, stage, &journal.outside, settings);
    if let Err(Error::Io { .. }) = &swept {
        // The next recovery tries that once more.
        return swept;
    }
    let kept = root.as_ref().map_or(Ok(None), |root| keep_foreign(repo, root, stage, journal))?;
    match journal.steps.is_empty() {
        true => stage.remove(root.as_ref())?,
        false => stage.retire(root.as_ref(), repo.git_dir())?,
    }
    kept.map_or(swept, |(paths, folder)| Err(WorkTreeError::SetAside { paths, folder }.into()))
}

/// A process that had a file open when it was displaced may have written to it since. Such a file is not thrown away
/// with the stage: it goes to a folder of its own, at its path. Returns the paths and the folder.
fn keep_foreign(
    repo: &Repo,
    root: &Folder,
    stage: &Stage,
    journal: &Journal,
) -> Result<Option<(Vec<RepoPath>, PathBuf)>> {
    if stage.files.is_none() {
        return Ok(None);
    }
    // The executable bit is no content.
    let swapper = Swapper { file_mode: false, ..swapper(repo, root, stage)? };
    let folder_name = format!("written-{}", journal.operation);
    let folder = repo.git_dir().join("rb").join(&folder_name);
    let settings = &Settings::of(repo)?;
    let mut kept = None;
    let mut paths = Vec::new();
    for (slot, step) in journal.steps.iter().enumerate() {
        for name in swapper.foreign(slot, step)? {
            let kept = match &mut kept {
                Some(kept) => kept,
                none => none.insert(OwnFolder::make(repo.git_dir(), &["rb", &folder_name], settings)?),
            };
            stage.set_aside(&name, &step.path, &kept.folder)?;
            paths.push(step.path.clone());
        }
    }
    Ok((!paths.is_empty()).then_some((paths, folder)))
}

fn lock_paths(repo: &Repo, journal: &Journal) -> Result<Vec<PathBuf>> {
    let common_dir = repo.common_dir();
    journal.locks.iter().map(|place| place.resolve(repo.git_dir(), &common_dir)).collect()
}

/// Flushes every folder whose names the landing changes.
pub(super) fn sync_touched(root: &Folder, journal: &Journal) -> Result<()> {
    let touched: BTreeSet<RepoPath> = journal
        .steps
        .iter()
        .map(|step: &Step| &step.path)
        .chain(&journal.missing_folders)
        .filter_map(RepoPath::parent)
        .collect();
    for folder in touched {
        // A folder that is gone was removed from its parent, which is flushed where that matters.
        let inside = folder.join(b"x");
        if let Ok(Parent::Open(open)) = parent_of(root, &inside) {
            open.sync().map_err(|error| Error::io("flush", folder.to_string(), error))?;
        }
    }
    Ok(())
}
