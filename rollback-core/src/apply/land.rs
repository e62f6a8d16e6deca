//! One landing, from the finished result to the unlocked repository.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Duration;

use bstr::BString;

use super::changes::{self, Change};
use super::content::Content;
use super::durable::Flushes;
use super::exact::{Exact, Sides};
use super::folder::{FileKind, Folder, Parent, group_at, parent_of};
use super::inspect::{self, Expected, Found, View};
use super::lock::{self, LandingLock};
use super::log::{self, LogDraft};
use super::outside::{self, OutsideChange};
use super::recover::{self, Recovered};
use super::reference::{self, RefUpdate};
use super::stage::{Stage, Writing, slot_name};
use super::swap::Swapper;
use super::{
    Attributes, anchor, durable, emptied, index_edit, objects, preflight, records, size, table_landing,
    tables,
};
use crate::conflict::Conflict;
use crate::error::{Error, InTheWay, LandingError, RepositoryError, Result, WorkTreeError};
use crate::id::{Entry, EntryKind, EntryMode, ObjectId, TreeId};
use crate::journal::{Action, Journal, LoggedEntry, Place, StateFile, Step};
use crate::operation::OperationId;
use crate::path::RepoPath;
use crate::progress;
use crate::repo::config::{FsyncPolicy, Settings};
use crate::repo::index::{Flags, Index, IndexFile};
use crate::repo::refs::{Head, Storage};
use crate::repo::sparse::Sparse;
use crate::repo::{NewObjects, Objects, Repo, Signature, Tree, TreeEntry};

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
    /// Everything that can be refused is refused here; nothing that counts is written.
    fn prepare(&self) -> Result<Prepared> {
        let landing = self.landing;
        let changes = changes::between(self.objects, landing.head_tree, landing.result_tree)?;
        let head = self.repo.head()?;
        if let Some(update) = &landing.reference {
            reference::check_unmoved(self.repo, update)?;
        }
        let looked = if landing.checkout { Some(self.look(&changes)?) } else { None };
        if let Some((checkout, found)) = &looked {
            self.fetch_missing(&checkout.index, &changes, found)?;
        }
        let outside = outside::look(self.repo, &landing.outside)?;
        self.repo.stop_if_cancelled()?;

        let logged = self.logged(&changes, looked.as_ref())?;
        objects::store(self.repo, &landing.objects, self.settings)?;
        objects::flush_existing(self.repo, self.settings)?;
        let anchored = self.anchored()?;
        objects::store(self.repo, &anchored.1, self.settings)?;
        let operation = self.options.operation.map_or_else(OperationId::random, Ok)?.to_string();
        let root = looked.as_ref().map(|(checkout, _)| &checkout.root);
        let stage = Stage::make(self.repo, root, &operation, self.settings)?;
        let filled = outside::stage(self.repo, self.objects, self.settings, &stage, outside, &operation)
            .and_then(|outside| {
                let mut journal = Journal::new(operation);
                journal.outside = outside;
                self.fill(&stage, journal, &changes, looked.as_ref(), (logged, anchored.0))
            });
        match filled {
            Ok((journal, locks)) => {
                let checkout = looked.map(|(checkout, _)| checkout);
                Ok(Prepared { changes, head, stage, journal, locks, checkout })
            }
            Err(error) => {
                // Nothing refers to the stage yet; if it cannot be removed, the next landing does it.
                let _ = anchor::weigh_anchor(self.repo);
                if outside::sweep_made(self.repo, &stage.folder, self.settings).is_ok() {
                    let _ = stage.remove(root);
                }
                Err(error)
            }
        }
    }

    /// The content of every file to be written must be there before anything is stored. What a partial clone lacks is
    /// fetched in one go.
    fn fetch_missing(&self, index: &Index, changes: &[Change], found: &[Found]) -> Result<()> {
        let written = changes.iter().zip(found).filter(|(_, found)| **found != Found::Skipped);
        if self.repo.fetch_lacking(self.objects, written.filter_map(|(change, _)| change.new))? {
            // How large they are was not known before.
            self.refuse_too_large(index, changes, found)?;
        }
        Ok(())
    }

    /// The object that names all that is new, and the objects that takes: what is only staged has no commit.
    fn anchored(&self) -> Result<(ObjectId, NewObjects)> {
        let moved = self.landing.reference.as_ref().and_then(|update| update.new.or(update.old));
        if let Some(commit) = moved {
            return Ok((commit.0, Vec::new()));
        }
        let row = |name: &str, tree: TreeId| TreeEntry {
            name: name.into(),
            entry: Entry { mode: EntryMode::TREE, id: tree.0 },
        };
        let objects = self.repo.objects();
        let entries = vec![row("after", self.landing.result_tree), row("before", self.landing.head_tree)];
        Ok((objects.write_tree(&Tree { entries })?.0, objects.take_new()))
    }

    /// The entry of the operation log.
    fn logged(
        &self,
        changes: &[Change],
        looked: Option<&(Checkout, Vec<Found>)>,
    ) -> Result<Option<(LoggedEntry, Vec<u8>)>> {
        let Some(draft) = &self.landing.log else { return Ok(None) };
        let looked =
            looked.map(|(checkout, found)| (&checkout.root, found.as_slice(), checkout.flags.as_slice()));
        let touched = log::touched(changes, looked)?;
        draft.build(self.repo, touched, &self.landing.state_files).map(Some)
    }

    fn look(&self, changes: &[Change]) -> Result<(Checkout, Vec<Found>)> {
        let root = open_root(self.repo)?;
        let IndexFile { path, bytes, mut index } = self.repo.read_index()?;
        let exact = self.landing.exact.as_ref();
        let sparse = Sparse::of(self.repo, self.settings.ignore_case)?;
        let view = View {
            objects: self.objects,
            settings: self.settings,
            root: &root,
            index: &index,
            expected: exact.map_or(Expected::Committed, |exact| exact.sides.expected()),
            flags: &self.landing.flags,
            sparse: sparse.as_ref(),
            conflicts: &self.landing.index_stages,
        };
        let found = inspect::inspect(&view, changes)?;
        let kept = |change: &Change| {
            index.entry_at(change.path.as_bytes()).map(|entry| entry.flags.kept()).unwrap_or_default()
        };
        let flags = changes.iter().map(kept).collect();
        if let Some(exact) = exact {
            exact.refuse_other_index(&index)?;
            index = exact.index_after.clone();
        } else {
            self.refuse_staged_conflicts(&index)?;
            let stages = &self.landing.index_stages;
            index_edit::edit(&mut index, changes, &found, stages, &self.landing.flags);
            let trees = (self.landing.head_tree, self.landing.result_tree);
            index_edit::shift_cached_trees(&mut index, self.objects, trees, changes, stages)?;
        }
        self.refuse_too_large(&index, changes, &found)?;
        Ok((Checkout { root, index_path: path, index_bytes: bytes, index, flags }, found))
    }

    fn refuse_too_large(&self, index: &Index, changes: &[Change], found: &[Found]) -> Result<()> {
        let converted = self.landing.exact.as_ref().is_none_or(|exact| exact.sides.converts());
        size::refuse_too_large(self.objects, converted.then_some(index), changes, found)
    }

    /// A path that gets stages must be in the index as the tree before has it, or not at all.
    fn refuse_staged_conflicts(&self, index: &Index) -> Result<()> {
        let mut staged = Vec::new();
        for conflict in &self.landing.index_stages {
            let entry = index.entry_at(conflict.path.as_bytes()).map(|entry| entry.entry());
            let committed = self.objects.entry_at(self.landing.head_tree, &conflict.path)?;
            let same = match (entry, committed.filter(|entry| !entry.mode.is_tree())) {
                (Some(entry), Some(committed)) => entry.same_as(&committed),
                (None, None) => true,
                _ => false,
            };
            if !same {
                staged.push(conflict.path.clone());
            }
        }
        match staged.is_empty() {
            true => Ok(()),
            false => Err(WorkTreeError::InTheWay { reason: InTheWay::Staged, paths: staged }.into()),
        }
    }

    /// Stages files and writes the journal.
    fn fill(
        &self,
        stage: &Stage,
        mut journal: Journal,
        changes: &[Change],
        looked: Option<&(Checkout, Vec<Found>)>,
        (logged, anchored): (Option<(LoggedEntry, Vec<u8>)>, ObjectId),
    ) -> Result<(Journal, Vec<PathBuf>)> {
        journal.stage_in_work_tree.clone_from(&stage.in_work_tree);
        journal.state_files.clone_from(&self.landing.state_files);
        if let Some((checkout, found)) = looked {
            journal.index = Some(match &self.landing.exact {
                Some(exact) => index_edit::differences(&exact.index_before, &exact.index_after),
                None => index_edit::touched(&checkout.index, changes, &self.landing.index_stages),
            });
            journal.steps = self.stage_files(stage, checkout, changes, found)?;
            journal.missing_folders = missing_folders(&checkout.root, &journal.steps)?;
            if let Some(bytes) = &checkout.index_bytes {
                self.keep_index(stage, &checkout.index_path, bytes)?;
            }
            journal.locks.push(place_of(&preflight::index_lock(self.repo), self.repo));
        }
        if let Some(update) = &self.landing.reference {
            let moved = reference::record(self.repo, update, self.settings)?;
            if let Some(new) = update.new.filter(|_| self.storage() == Storage::Files) {
                let content = format!("{new}\n");
                let sync = self.settings.fsync.references;
                self.write_own(&stage.path("reference"), content.as_bytes(), sync)?;
            }
            journal.reference = Some(moved);
        }
        journal.locks.extend(match self.storage() {
            Storage::Tables => tables::locks_of(self.repo)?,
            Storage::Files => {
                let update = self.landing.reference.as_ref();
                update.map_or(Vec::new(), |update| reference::locks_of(update, self.landing.checkout))
            }
        });
        if let Some((text, committer)) = &self.landing.head_line {
            journal.head_line = reference::head_line(self.repo, text, committer, self.settings)?;
        }
        if let Some((entry, record)) = logged {
            self.write_own(&stage.path("log"), &record, self.settings.fsync.journal)?;
            journal.logged = Some(entry);
        }
        anchor::drop_anchor(self.repo, stage, anchored, self.settings)?;
        lock::write_payload(&stage.path("lock"), &journal.operation, self.settings)?;
        let common_dir = self.repo.common_dir();
        let locks = journal
            .locks
            .iter()
            .map(|place| place.resolve(self.repo.git_dir(), &common_dir))
            .collect::<Result<_>>()?;
        self.write_journal(stage, &journal)?;
        Ok((journal, locks))
    }

    /// Keeps the index as it is: git replaces it and never writes into it, so a second name keeps it for free.
    fn keep_index(&self, stage: &Stage, index: &std::path::Path, bytes: &[u8]) -> Result<()> {
        let kept = stage.path("index.old");
        let linked = fs::hard_link(index, &kept).and_then(|()| fs::File::open(&kept));
        match linked {
            Ok(file) => durable::sync_file(&file, &kept, self.settings.fsync.journal)?,
            Err(_) => durable::remove_if_there(&kept)?,
        }
        // The index may have been replaced since it was read.
        if fs::read(&kept).is_ok_and(|found| found == bytes) {
            return Ok(());
        }
        durable::remove_if_there(&kept)?;
        self.write_own(&kept, bytes, self.settings.fsync.journal)
    }

    /// Makes a file of the stage.
    fn write_own(&self, path: &std::path::Path, bytes: &[u8], sync: bool) -> Result<()> {
        durable::write_new(path, bytes, self.settings.shared, sync)
    }

    fn write_journal(&self, stage: &Stage, journal: &Journal) -> Result<()> {
        let sync = self.settings.fsync.journal;
        let (written, counts) = Journal::paths(&stage.folder);
        self.write_own(&written, &journal.encode()?, sync)?;
        // The staged files must be found under their names before the journal speaks of them.
        if let Some(files) = stage.files.as_ref().filter(|_| sync) {
            files.sync().map_err(|error| Error::io("flush", &stage.folder, error))?;
        }
        fs::rename(&written, &counts).map_err(|error| Error::io("write", &counts, error))?;
        durable::sync_folder(&stage.folder, sync)
    }

    fn stage_files(
        &self,
        stage: &Stage,
        checkout: &Checkout,
        changes: &[Change],
        found: &[Found],
    ) -> Result<Vec<Step>> {
        let content = match &self.landing.exact {
            Some(exact) if !exact.sides.converts() => None,
            _ => Some(Content::of_result(self.objects, &checkout.index, changes)?),
        };
        let mut writing = Writing { content, flushes: Flushes::new(self.settings.fsync.journal) };
        // Removals first: a file may have to go before a folder of its name can be made.
        let mut rows: Vec<_> = changes.iter().zip(found).collect();
        rows.sort_by_key(|(change, _)| change.new.is_some());
        let mut steps = Vec::new();
        let count = self.repo.count(progress::Stage::Staging, Some(rows.len()));
        for (change, found) in rows {
            self.repo.stop_if_cancelled()?;
            count.step();
            let way = makes_way(change, found);
            let found = if way.is_some() { &Found::Nothing } else { found };
            steps.extend(way.map(|action| Step { path: change.path.clone(), action }));
            let slot = steps.len();
            let action = self.stage_one(stage, slot, change, found, &mut writing)?;
            if let Some(Action::Add { .. } | Action::Replace { .. }) = action {
                // The stage lies elsewhere; git makes the file in its folder, whose group it gets.
                let group = group_at(&checkout.root, &change.path);
                let name = slot_name(slot);
                let files = stage.files()?;
                let given = group.and_then(|group| files.set_group(name.as_bytes(), group));
                given.map_err(|error| Error::io("stage", change.path.to_string(), error))?;
            }
            steps.extend(action.map(|action| Step { path: change.path.clone(), action }));
        }
        writing.flushes.finish()?;
        Ok(steps)
    }

    fn stage_one(
        &self,
        stage: &Stage,
        slot: usize,
        change: &Change,
        found: &Found,
        writing: &mut Writing<'_>,
    ) -> Result<Option<Action>> {
        if *found == Found::Skipped {
            return Ok(None);
        }
        if self.landing.absent.contains(&change.path) {
            return Ok(match found {
                Found::Clean(old) => Some(Action::Remove { old: *old }),
                _ => None,
            });
        }
        let Some(new) = change.new else {
            return Ok(match found {
                Found::Clean(old) => Some(Action::Remove { old: *old }),
                Found::Submodule => Some(Action::RemoveFolder),
                Found::Nothing | Found::Skipped => None,
            });
        };
        if new.mode.kind() == EntryKind::Submodule {
            return Ok((*found != Found::Submodule).then_some(Action::MakeFolder));
        }
        let mut write = || {
            let written = stage.write_file(slot, &change.path, new, self.objects, writing, self.settings)?;
            if let Some(attributes) = self.landing.attributes.get(&change.path) {
                let set = stage.files()?.set_attributes(slot_name(slot).as_bytes(), attributes);
                set.map_err(|error| Error::io("stage", change.path.to_string(), error))?;
            }
            Ok::<_, Error>(written)
        };
        Ok(Some(match found {
            Found::Clean(old) => Action::Replace { old: *old, new: write()? },
            _ => Action::Add { new: write()? },
        }))
    }

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

/// What goes before a file and a submodule can change places: the file, or the empty folder.
fn makes_way(change: &Change, found: &Found) -> Option<Action> {
    let becomes_submodule = change.new?.mode.kind() == EntryKind::Submodule;
    match found {
        Found::Clean(old) if becomes_submodule => Some(Action::Remove { old: *old }),
        Found::Submodule if !becomes_submodule => Some(Action::RemoveFolder),
        _ => None,
    }
}

fn place_of(path: &std::path::Path, repo: &Repo) -> Place {
    use bstr::ByteSlice;
    let bytes = |path: &std::path::Path| RepoPath::new(<[u8]>::from_path(path).unwrap_or_default());
    match path.strip_prefix(repo.git_dir()) {
        Ok(relative) => Place::GitDir(bytes(relative)),
        Err(_) => Place::Elsewhere(bytes(path)),
    }
}

/// The folders above added files that are not there yet, outermost first.
fn missing_folders(root: &Folder, steps: &[Step]) -> Result<Vec<RepoPath>> {
    let mut missing = BTreeSet::new();
    for step in steps.iter().filter(|step| matches!(step.action, Action::Add { .. } | Action::MakeFolder)) {
        let mut folder = step.path.parent();
        while let Some(path) = folder.filter(|path| !path.is_root() && !missing.contains(path)) {
            let parent =
                parent_of(root, &path).map_err(|error| Error::io("examine", path.to_string(), error))?;
            let there = match parent {
                Parent::Open(parent) => {
                    let info = parent.info(path.file_name());
                    let info = info.map_err(|error| Error::io("examine", path.to_string(), error))?;
                    info.is_some_and(|info| info.kind == FileKind::Folder)
                }
                Parent::Missing | Parent::Obstructed(_) => false,
            };
            if there {
                break;
            }
            folder = path.parent();
            missing.insert(path);
        }
    }
    Ok(missing.into_iter().collect())
}
