//! One landing, from the finished result to the unlocked repository.

mod prepare;
mod staging;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Duration;

use bstr::BString;

use super::changes::Change;
use super::exact::{Exact, Sides};
use super::folder::Folder;
use super::inspect::{Expected, View};
use super::lock::LandingLock;
use super::log::LogDraft;
use super::outside::OutsideChange;
use super::recover::Recovered;
use super::reference::RefUpdate;
use super::stage::Stage;
use super::swap::Swapper;
use super::{
    Attributes, changes, durable, emptied, index_edit, inspect, lock, outside, records, recover, reference,
    table_landing, tables,
};
use crate::conflict::Conflict;
use crate::error::{Error, LandingError, RepositoryError, Result};
use crate::id::TreeId;
use crate::journal::{Journal, StateFile};
use crate::operation::OperationId;
use crate::path::RepoPath;
use crate::progress;
use crate::repo::config::{FsyncPolicy, Settings};
use crate::repo::index::{Flags, Index};
use crate::repo::refs::{Head, Storage};
use crate::repo::sparse::Sparse;
use crate::repo::{NewObjects, Objects, Repo, Signature};

/// A finished result.
#[derive(Debug)]
pub(crate) struct Landing {
    /// Every object of the result that may not be stored yet.
    pub(crate) objects: NewObjects,
    /// What the touched paths of index and work tree hold before: the tree of the tip, or of the index
    /// where the result builds on that.
    pub(crate) head_tree: TreeId,
    /// What they hold after.
    pub(crate) result_tree: TreeId,
    /// The reference to move; `None` where only index and work tree change.
    pub(crate) reference: Option<RefUpdate>,
    /// Whether index and work tree change.
    pub(crate) checkout: bool,
    /// Files of git's state, written when all else is done.
    pub(crate) state_files: Vec<StateFile>,
    /// Paths that the index gets as conflicts; the result tree has them as the work tree will show them.
    pub(crate) index_stages: Vec<Conflict>,
    /// What the files of the work tree get beside their content, where that is not the usual.
    pub(crate) attributes: BTreeMap<RepoPath, Attributes>,
    /// Paths that the index gets and the work tree does not: their files had been removed.
    pub(crate) absent: BTreeSet<RepoPath>,
    /// What entries of the index are marked with, where that is not what they are marked with now.
    pub(crate) flags: BTreeMap<RepoPath, Flags>,
    /// Where the trees are the bytes of the work tree as they are, and the index is exchanged as a whole.
    pub(crate) exact: Option<Exact>,
    /// Paths outside of the repository that follow when all else has landed.
    pub(crate) outside: Vec<OutsideChange>,
    /// A line for HEAD's log where HEAD stays where it is, as git notes a reset: its text, and who does it.
    pub(crate) head_line: Option<(BString, Signature)>,
    /// What the operation log is told; nothing where rb keeps its own books.
    pub(crate) log: Option<LogDraft>,
}

impl Landing {
    /// A landing that makes one tree of another and does nothing else.
    pub(crate) fn of_trees(before: TreeId, after: TreeId) -> Self {
        Self {
            objects: NewObjects::new(),
            head_tree: before,
            result_tree: after,
            reference: None,
            checkout: false,
            state_files: Vec::new(),
            index_stages: Vec::new(),
            attributes: BTreeMap::new(),
            absent: BTreeSet::new(),
            flags: BTreeMap::new(),
            exact: None,
            outside: Vec::new(),
            head_line: None,
            log: None,
        }
    }
}

/// How to land.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LandOptions {
    /// The name of the landing; a random one where absent.
    pub(crate) operation: Option<OperationId>,
    /// What to flush, where it is not to be what the configuration says.
    pub(crate) fsync: Option<FsyncPolicy>,
    /// How long to wait for the lock of another process.
    pub(crate) patience: Duration,
}

impl Default for LandOptions {
    fn default() -> Self {
        Self { operation: None, fsync: None, patience: Duration::from_secs(1) }
    }
}

/// A landing that happened.
#[derive(Debug)]
pub(crate) struct Landed {
    /// What was found unfinished and dealt with before.
    pub(crate) recovered: Recovered,
    /// A failure after the commit point: the result is there, something that follows is not.
    pub(crate) later_failure: Option<Error>,
}

/// Lands a result, all of it or nothing.
///
/// # Errors
/// Every refusal leaves the repository as it was, `rb/` in the git directory aside.
///
/// # Writes
/// Loose objects, the paths at which the two trees differ, the index, one reference and its logs, the
/// state files named, and `rb/` in the git directory.
pub(crate) fn land(repo: &Repo, landing: &Landing, options: &LandOptions) -> Result<Landed> {
    let _span = tracing::debug_span!("land").entered();
    let repo = &repo.landing()?;
    let mut settings = Settings::of(repo)?;
    settings.fsync = options.fsync.unwrap_or(settings.fsync);
    refuse_linked_stacks(repo)?;
    if let Some(update) = &landing.reference {
        reference::check_request(repo, update, landing.checkout)?;
    }
    if landing.log.is_some() {
        records::refuse_links(repo)?;
    }
    let _lock = LandingLock::take(repo.git_dir(), &settings)?;
    let mut recovered = recover::recover_locked(repo, &settings)?;
    if landing.checkout && recovered == Recovered::Nothing {
        recovered = recover::settle_displaced(repo)?;
    }
    let objects = repo.objects();
    objects.insert_new(&landing.objects)?;
    let run = Run { repo, landing, options, settings: &settings, objects: &objects };
    let prepared = run.prepare()?;
    tracing::debug!(paths = prepared.changes.len(), "staged");
    let later_failure = run.carry_out(prepared)?;
    tracing::debug!(later_failure = ?later_failure, "landed");
    Ok(Landed { recovered, later_failure })
}

/// Refuses where something uncommitted stands in the way of a result.
///
/// # Errors
/// [`WorkTreeError::InTheWay`], [`PathError::CaseCollision`](crate::error::PathError::CaseCollision),
/// [`PathError::Hostile`](crate::error::PathError::Hostile), [`LandingError::DriverNotTrusted`],
/// [`WorkTreeError::Unmerged`].
pub(crate) fn check_in_the_way(repo: &Repo, objects: &Objects, before: TreeId, after: TreeId) -> Result<()> {
    let settings = Settings::of(repo)?;
    let changes = changes::between(objects, before, after)?;
    let index = repo.read_index()?.index;
    let root = open_root(repo)?;
    let flags = BTreeMap::new();
    let sparse = Sparse::of(repo, settings.ignore_case)?;
    let view = View {
        objects,
        settings: &settings,
        root: &root,
        index: &index,
        expected: Expected::Committed,
        flags: &flags,
        sparse: sparse.as_ref(),
        conflicts: &[],
    };
    inspect::inspect(&view, &changes).map(drop)
}

/// Refuses what [`land`] would refuse, and writes nothing.
///
/// # Errors
/// As [`land`].
pub(crate) fn check(repo: &Repo, landing: &Landing) -> Result<()> {
    let settings = Settings::of(repo)?;
    refuse_linked_stacks(repo)?;
    if let Some(update) = &landing.reference {
        reference::check_request(repo, update, landing.checkout)?;
        reference::check_unmoved(repo, update)?;
    }
    let objects = repo.objects();
    objects.insert_new(&landing.objects)?;
    let run = Run { repo, landing, options: &LandOptions::default(), settings: &settings, objects: &objects };
    if landing.checkout {
        run.look(&changes::between(&objects, landing.head_tree, landing.result_tree)?)?;
    }
    outside::look(repo, &landing.outside)?;
    Ok(())
}

/// Every landing on tables writes them, whatever it moves: the anchor, `RB_HEAD`.
fn refuse_linked_stacks(repo: &Repo) -> Result<()> {
    match repo.storage() {
        Storage::Files => Ok(()),
        Storage::Tables => tables::locks_of(repo).map(drop),
    }
}

pub(crate) fn open_root(repo: &Repo) -> Result<Folder> {
    let path = repo.work_dir().ok_or_else(|| RepositoryError::NeedsWorkTree {
        operation: "updating files",
        git_dir: repo.git_dir().to_owned(),
    })?;
    Folder::open(path).map_err(|error| Error::io("open", path, error))
}

struct Run<'a> {
    repo: &'a Repo,
    landing: &'a Landing,
    options: &'a LandOptions,
    settings: &'a Settings,
    objects: &'a Objects,
}

/// All that is known before the first lock.
struct Prepared {
    changes: Vec<Change>,
    head: Head,
    stage: Stage,
    journal: Journal,
    locks: Vec<PathBuf>,
    checkout: Option<Checkout>,
}

/// The work tree and index side of a landing.
struct Checkout {
    root: Folder,
    index_path: PathBuf,
    /// The bytes of the index before; `None` where there was none.
    index_bytes: Option<Vec<u8>>,
    /// The index as it will be.
    index: Index,
    /// What the entries of the changes are marked with before.
    flags: Vec<Flags>,
}

impl Run<'_> {
    /// From the first lock to the last; returns a failure that came after the commit point.
    fn carry_out(&self, mut prepared: Prepared) -> Result<Option<Error>> {
        match self.until_commit_point(&mut prepared) {
            Ok(()) => {}
            Err(error) => {
                // If taking back fails too, the journal stays and the next rb goes on from there.
                let _ = recover::take_back(self.repo, &prepared.stage, &prepared.journal, self.settings);
                return Err(error);
            }
        }
        let finished = recover::finish(self.repo, &prepared.stage, &prepared.journal, self.settings);
        if self.storage() == Storage::Tables {
            tables::tidy(self.repo, self.settings);
        }
        Ok(match finished {
            Ok(left) if left.is_empty() => None,
            Ok(left) => Some(LandingError::NotPutBack { left }.into()),
            Err(error) => Some(error),
        })
    }

    fn storage(&self) -> Storage {
        self.repo.storage()
    }

    fn until_commit_point(&self, prepared: &mut Prepared) -> Result<()> {
        let payload = prepared.stage.path("lock");
        for lock in &prepared.locks {
            if let Some(folder) = lock.parent() {
                durable::make_folders(folder, self.settings.shared, self.settings.fsync.references)?;
            }
            lock::take(lock, &payload, &prepared.journal.operation, self.options.patience)?;
        }
        self.look_again(prepared)?;
        let table = match self.storage() {
            Storage::Files => None,
            Storage::Tables => {
                table_landing::stage(self.repo, &prepared.stage, &prepared.journal, self.settings)?
            }
        };
        if let Some(checkout) = &mut prepared.checkout {
            self.swap(&prepared.stage, &prepared.journal, checkout)?;
            self.write_index(&prepared.stage, &prepared.journal, &prepared.changes, checkout)?;
        }
        self.repo.stop_if_cancelled()?;
        let Some(update) = &self.landing.reference else {
            return recover::mark_landed(&prepared.stage, self.settings);
        };
        if self.storage() == Storage::Tables {
            return table.map_or(Ok(()), |table| table.commit(self.settings));
        }
        match update.new {
            Some(_) => {
                let staged = prepared.stage.path("reference");
                reference::commit(self.repo, &staged, &update.name, self.settings)
            }
            None => reference::remove(self.repo, &prepared.stage, &update.name, self.settings),
        }
    }

    /// Under the locks nothing can move any more that git's own writers move; what did meanwhile is seen.
    fn look_again(&self, prepared: &Prepared) -> Result<()> {
        if let Some(update) = &self.landing.reference {
            reference::check_unmoved(self.repo, update)?;
        }
        let Some(checkout) = &prepared.checkout else {
            return Ok(());
        };
        let head = self.repo.head()?;
        if head != prepared.head {
            return Err(match (prepared.head.commit(), head.commit()) {
                (Some(expected), Some(found)) if expected != found => {
                    LandingError::Moved { reference: "HEAD".into(), expected, found }.into()
                }
                _ => Error::BadRequest("HEAD moved to another branch since the plan was made".into()),
            });
        }
        let path = &checkout.index_path;
        let bytes = match fs::read(path) {
            Ok(bytes) => Some(bytes),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(Error::io("read", path, error)),
        };
        if bytes != checkout.index_bytes {
            // A refreshed index says the same in other words, but then its stat data is newer than ours.
            return Err(Error::Locked { path: path.clone(), age: None });
        }
        Ok(())
    }

    fn swap(&self, stage: &Stage, journal: &Journal, checkout: &Checkout) -> Result<()> {
        let swapper = Swapper {
            root: &checkout.root,
            stage,
            hash: self.objects.gix().object_hash(),
            file_mode: self.settings.file_mode,
        };
        let count = self.repo.count(progress::Stage::Landing, Some(journal.steps.len()));
        for (slot, step) in journal.steps.iter().enumerate() {
            self.repo.stop_if_cancelled()?;
            swapper.apply(slot, step)?;
            count.step();
        }
        let none = BTreeSet::new();
        let kept = self.landing.exact.as_ref().map_or(&none, |exact| &exact.folders);
        emptied::remove_emptied_folders(&checkout.root, &journal.steps, kept)?;
        if self.settings.fsync.journal {
            recover::sync_touched(&checkout.root, journal)?;
        }
        Ok(())
    }

    fn write_index(
        &self,
        stage: &Stage,
        journal: &Journal,
        changes: &[Change],
        checkout: &mut Checkout,
    ) -> Result<()> {
        let Checkout { root, index_path, index, .. } = checkout;
        if let Some(exact) = &self.landing.exact {
            let clean: Vec<_> =
                changes.iter().filter(|change| exact.clean.contains(&change.path)).cloned().collect();
            index_edit::refresh(index, root, &clean)?;
            if exact.sides != Sides::WholeState {
                index_edit::settle_racy(index, changes, root, self.objects, self.settings)?;
            }
        } else if journal.index.as_ref().is_none_or(Vec::is_empty) {
            return Ok(());
        } else {
            index_edit::refresh(index, root, changes)?;
            index_edit::settle_racy(index, changes, root, self.objects, self.settings)?;
        }
        let staged = stage.path("index.new");
        let bytes = index.encode(self.settings.skip_hash, self.repo.index_folding()?.as_ref())?;
        self.write_own(&staged, &bytes, self.settings.fsync.index)?;
        self.repo.stop_if_cancelled()?;
        fs::rename(&staged, &*index_path).map_err(|error| Error::io("replace", &*index_path, error))?;
        let folder = index_path.parent().unwrap_or(self.repo.git_dir());
        durable::sync_folder(folder, self.settings.fsync.index)
    }
}
