//! Writing a stack of reftables: a transaction is one more table, and the rename of the list that names it is the moment
//! at which it counts.
//!
//! As git does: `tables.list.lock` is taken, the table is written and renamed into the folder, then the list. A landing
//! holds the lock from before its first write to the end, by its journal. Every other transaction here is short, and its
//! locks hold a word of their own: the process that has the [`StackLock`] (a lock of the system, which dies with its
//! holder) knows that such a lock is stale, and removes it.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bstr::{BString, ByteSlice};

use super::own::OwnFolder;
use super::{compact, durable, lock};
use crate::error::{Error, RepositoryError, Result};
use crate::journal::Place;
use crate::path::RepoPath;
use crate::reftable::{
    self, Layout, Limits, LogRecord, LogUpdate, RefRecord, RefValue, TableError, TableName,
};
use crate::repo::Repo;
use crate::repo::config::{Settings, TableSettings};
use crate::repo::reflog;
use crate::repo::refs::own_stack;
use crate::repo::refs::stack::{FOLDER, LIST, Stack};

/// The word in locks that do not belong to a landing.
pub(super) const SHORT_LOCK: &str = "tables";
/// How long another writer is waited for.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);
/// The folder of rb's own for a stack, in its git directory.
const OWN: [&str; 2] = ["rb", "tables"];
/// The name of a table there.
const TABLE: &str = "table";

/// What a transaction changes in one stack.
#[derive(Debug)]
pub(super) struct Changes {
    layout: Layout,
    values: BTreeMap<BString, RefValue>,
    /// Lines that are added to logs, in this order; each as it is stored.
    lines: Vec<(BString, LogUpdate)>,
    /// Lines that are taken out, by name and number.
    pub(super) cut: Vec<(BString, u64)>,
}

impl Changes {
    /// None, for a table of this layout.
    pub(super) fn new(layout: Layout) -> Self {
        Self { layout, values: BTreeMap::new(), lines: Vec::new(), cut: Vec::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty() && self.lines.is_empty() && self.cut.is_empty()
    }

    /// Takes out all lines of a log.
    pub(super) fn drop_log(&mut self, stack: &Stack, name: &[u8]) -> Result<()> {
        let lines = stack.log(name, usize::MAX)?;
        self.cut.extend(lines.into_iter().map(|(index, _)| (name.into(), index)));
        Ok(())
    }

    /// Adds a line.
    pub(super) fn push_line(&mut self, name: &[u8], line: LogUpdate) {
        self.lines.push((name.into(), cut_to_fit(line, self.layout)));
    }

    /// Adds a line unless the log ends with it.
    pub(super) fn add_line(&mut self, stack: &Stack, name: &[u8], line: LogUpdate) -> Result<()> {
        let line = cut_to_fit(line, self.layout);
        let last = stack.log(name, 1)?;
        if last.first().is_none_or(|(_, last)| *last != line) {
            self.lines.push((name.into(), line));
        }
        Ok(())
    }

    /// Sets a value unless the reference has it.
    pub(super) fn set(&mut self, stack: &Stack, name: &[u8], value: RefValue) -> Result<()> {
        let now = stack.value(name)?.unwrap_or(RefValue::Deletion);
        if now != value {
            self.values.insert(name.into(), value);
        }
        Ok(())
    }

    /// The table that says so, as the next one of the stack.
    fn encode(self, stack: &Stack, unique: u32) -> Result<(TableName, Vec<u8>)> {
        let first = stack.next_update_index()?;
        let mut last = first;
        let mut numbers: HashMap<BString, u64> = HashMap::new();
        let mut logs = Vec::new();
        for (name, line) in self.lines {
            // Lines of one log differ in their numbers.
            let number = numbers.get(&name).map_or(Ok(first), |before| stack.index_after(*before))?;
            numbers.insert(name.clone(), number);
            last = last.max(number);
            logs.push(LogRecord { name, update_index: number, value: Some(line) });
        }
        let gone = |(name, update_index)| LogRecord { name, update_index, value: None };
        logs.extend(self.cut.into_iter().map(gone));
        logs.sort_by(|one, other| (&one.name, other.update_index).cmp(&(&other.name, one.update_index)));
        let references =
            self.values.into_iter().map(|(name, value)| RefRecord { name, update_index: first, value });
        let name = TableName { min_update_index: first, max_update_index: last, unique };
        let limits = Limits { min_update_index: first, max_update_index: last, hash: stack.hash };
        let bytes = reftable::write(limits, self.layout, references.map(Ok), logs.into_iter().map(Ok));
        let bytes = bytes.map_err(|error| stack.failed(&name.to_string(), error))?;
        bytes
            .map(|bytes| (name, bytes))
            .ok_or_else(|| stack.failed(LIST, TableError::Malformed("nothing to write")))
    }
}

/// A line with a message that fits into a block, as git cuts it, and with its end.
fn cut_to_fit(mut line: LogUpdate, layout: Layout) -> LogUpdate {
    line.message.truncate(layout.block_size / 2);
    let end = line.message.trim_end_with(|end| end == '\n').len();
    line.message.truncate(end);
    line.message.push(b'\n');
    line
}

/// A table and the list that names it, written and not yet in place.
#[derive(Debug)]
pub(super) struct Staged {
    folder: PathBuf,
    /// Where the table is, and where it goes.
    table: Option<(PathBuf, PathBuf)>,
    list: PathBuf,
}

impl Staged {
    /// Writes both into `place`, a folder on the same file system. The caller holds the lock of the list.
    pub(super) fn write(
        stack: &Stack,
        changes: Changes,
        unique: u32,
        place: &Path,
        settings: &Settings,
    ) -> Result<Self> {
        let (name, bytes) = changes.encode(stack, unique)?;
        let mut names = stack.names.clone();
        names.push(name.to_string());
        Self::of(stack, Some((&name, &bytes)), &names, place, settings)
    }

    /// As [`Staged::write`], for a table and a list at hand; without a table the list alone.
    pub(super) fn of(
        stack: &Stack,
        table: Option<(&TableName, &[u8])>,
        names: &[String],
        place: &Path,
        settings: &Settings,
    ) -> Result<Self> {
        let write = |path: &Path, bytes: &[u8]| {
            durable::remove_if_there(path)?;
            durable::write_new(path, bytes, settings.shared, settings.fsync.references)
        };
        let mut staged = Self { folder: stack.folder.clone(), table: None, list: place.join(LIST) };
        if let Some((name, bytes)) = table {
            let path = place.join(TABLE);
            write(&path, bytes)?;
            staged.table = Some((path, stack.folder.join(name.to_string())));
        }
        let list: String = names.iter().map(|name| format!("{name}\n")).collect();
        write(&staged.list, list.as_bytes())?;
        Ok(staged)
    }

    /// Puts the table into the folder, then the list in place of the old one: that is the moment.
    pub(super) fn commit(&self, settings: &Settings) -> Result<()> {
        if let Some((from, to)) = &self.table {
            fs::rename(from, to).map_err(|error| Error::io("move", to, error))?;
            // A list must never name a table that a power cut takes away.
            durable::sync_folder(&self.folder, settings.fsync.references)?;
        }
        let list = self.folder.join(LIST);
        fs::rename(&self.list, &list).map_err(|error| Error::io("replace", list, error))
    }
}

/// The locks that git takes before it writes the stacks of this repository and work tree, as the journal names them.
///
/// # Errors
/// [`RepositoryError::LinkInGitDir`] for a stack that a symbolic link would lead elsewhere.
pub(super) fn locks_of(repo: &Repo) -> Result<Vec<Place>> {
    stack_dirs(repo).iter().try_for_each(|git_dir| refuse_links(git_dir))?;
    let path = || RepoPath::new(format!("{FOLDER}/{LIST}.lock"));
    let own = own_stack(&repo.local()).map(|_| Place::GitDir(path()));
    Ok(own.into_iter().chain([Place::CommonDir(path())]).collect())
}

/// The git directories whose stacks belong to this repository and work tree.
pub(super) fn stack_dirs(repo: &Repo) -> Vec<PathBuf> {
    let own = own_stack(&repo.local()).map(Path::to_owned);
    own.into_iter().chain([repo.common_dir()]).collect()
}

/// Refuses a stack that a symbolic link would lead elsewhere.
pub(super) fn refuse_links(git_dir: &Path) -> Result<()> {
    durable::refuse_links(git_dir, &Path::new(FOLDER).join(LIST))
}

/// Writes a transaction by itself: what `change` finds to be changed under the lock, if anything.
///
/// # Errors
/// [`Error::Locked`] while another process writes the stack; [`RepositoryError::LinkInGitDir`]; [`Error::Io`].
pub(super) fn transact(
    repo: &Repo,
    git_dir: &Path,
    settings: &Settings,
    change: impl FnOnce(&Stack, &mut Changes) -> Result<()>,
) -> Result<()> {
    let lock = StackLock::take(repo, git_dir, settings)?;
    lock.sweep(settings)?;
    let tables = TableSettings::of(repo)?;
    lock.with_list(settings, || {
        let stack = lock.open()?;
        let mut changes = Changes::new(tables.layout);
        change(&stack, &mut changes)?;
        if changes.is_empty() {
            return Ok(());
        }
        Staged::write(&stack, changes, random()?, &lock.own.path, settings)?.commit(settings)?;
        durable::sync_folder(&stack.folder, settings.fsync.references)
    })?;
    compact::compact(&lock, settings, tables);
    Ok(())
}

/// Merges tables of the repository's stacks where they have become too many; what keeps rb from that is no failure.
pub(super) fn tidy(repo: &Repo, settings: &Settings) {
    let Ok(tables) = TableSettings::of(repo) else { return };
    for git_dir in stack_dirs(repo) {
        if let Ok(Some(lock)) = StackLock::take_if_free(repo, &git_dir, settings) {
            compact::compact(&lock, settings, tables);
        }
    }
}

/// Removes what a killed rb left on the repository's stacks.
///
/// # Errors
/// [`Error::Io`]; [`RepositoryError::BadReferences`].
pub(super) fn sweep_locks(repo: &Repo) -> Result<()> {
    for git_dir in stack_dirs(repo) {
        if stale_locks(&git_dir.join(FOLDER))?.is_empty() {
            continue;
        }
        let settings = Settings::of(repo)?;
        if let Some(lock) = StackLock::take_if_free(repo, &git_dir, &settings)? {
            lock.sweep(&settings)?;
        }
    }
    Ok(())
}

/// The locks of short transactions in a stack: stale, but for those of the process that has the [`StackLock`].
fn stale_locks(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for path in paths_in(folder)? {
        if path.extension().is_some_and(|end| end == "lock") && lock::is_ours(&path, SHORT_LOCK)? {
            found.push(path);
        }
    }
    Ok(found)
}

/// What lies in the folder of a stack.
fn paths_in(folder: &Path) -> Result<Vec<PathBuf>> {
    match crate::listing::rows(folder) {
        Ok(rows) => Ok(rows.iter().map(|row| row.path()).collect()),
        Err(error) if crate::bounded::is_absent(&error) => Ok(Vec::new()),
        Err(error) => Err(Error::io("list", folder, error)),
    }
}

/// The right to write short transactions to a stack, until it is dropped or the process ends.
pub(super) struct StackLock {
    _file: File,
    git_dir: PathBuf,
    /// Where tables are written before they count.
    pub(super) own: OwnFolder,
    /// The hash of the ids.
    pub(super) hash: gix::hash::Kind,
}

impl StackLock {
    fn take(repo: &Repo, git_dir: &Path, settings: &Settings) -> Result<Self> {
        let path = || git_dir.join(OWN[0]).join(OWN[1]).join("lock");
        let taken = Self::within(repo, git_dir, settings, PATIENCE)?;
        taken.ok_or_else(|| Error::Locked { path: path(), age: None })
    }

    fn take_if_free(repo: &Repo, git_dir: &Path, settings: &Settings) -> Result<Option<Self>> {
        Self::within(repo, git_dir, settings, Duration::ZERO)
    }

    fn within(repo: &Repo, git_dir: &Path, settings: &Settings, patience: Duration) -> Result<Option<Self>> {
        refuse_links(git_dir)?;
        let own = OwnFolder::make(git_dir, &OWN, settings)?;
        let file = own.lock("lock", patience, settings)?;
        let hash = repo.local().object_hash();
        Ok(file.map(|file| Self { _file: file, git_dir: git_dir.to_owned(), own, hash }))
    }

    fn folder(&self) -> PathBuf {
        self.git_dir.join(FOLDER)
    }

    /// The stack as it is now.
    pub(super) fn open(&self) -> Result<Stack> {
        Stack::open(&self.git_dir, self.hash)
    }

    /// Takes a lock of git's, beside a file of the stack.
    pub(super) fn take_lock(&self, name: &str, patience: Duration, settings: &Settings) -> Result<PathBuf> {
        let payload = self.own.path.join("payload");
        if !lock::is_ours(&payload, SHORT_LOCK)? {
            durable::remove_if_there(&payload)?;
            lock::write_payload(&payload, SHORT_LOCK, settings)?;
        }
        let path = self.folder().join(format!("{name}.lock"));
        lock::take(&path, &payload, SHORT_LOCK, patience)?;
        Ok(path)
    }

    /// Does something under the lock of the list. What it wrote and what does not count is removed where it fails.
    pub(super) fn with_list<T>(&self, settings: &Settings, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let lock = self.take_lock(LIST, PATIENCE, settings)?;
        let done = work();
        let cleared = if done.is_err() { self.clear() } else { Ok(()) };
        let released = lock::release([&lock], SHORT_LOCK);
        done.and_then(|done| cleared.and(released).map(|()| done))
    }

    /// Removes what a killed transaction left: its locks, what it staged, and tables that no list names.
    fn sweep(&self, settings: &Settings) -> Result<()> {
        let stale = stale_locks(&self.folder())?;
        if stale.is_empty() {
            return Ok(());
        }
        match stale.contains(&self.folder().join(format!("{LIST}.lock"))) {
            true => self.clear()?,
            false => self.with_list(settings, || self.clear())?,
        }
        lock::release(&stale, SHORT_LOCK)?;
        durable::sync_folder(&self.folder(), settings.fsync.journal)
    }

    /// Removes what was written and does not count, under the lock of the list: without it no table gets its name.
    fn clear(&self) -> Result<()> {
        for name in [TABLE, LIST] {
            durable::remove_if_there(&self.own.path.join(name))?;
        }
        remove_unlisted(&self.open()?, None)
    }
}

/// Removes tables that the list does not name: all of them, for which the caller holds the lock of the list, or those of
/// one landing.
pub(super) fn remove_unlisted(stack: &Stack, unique: Option<u32>) -> Result<()> {
    for path in paths_in(&stack.folder)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let is_meant = |read: &TableName| unique.is_none_or(|unique| unique == read.unique);
        if TableName::parse(&name).is_some_and(|read| is_meant(&read)) && !stack.names.contains(&name) {
            durable::remove_if_there(&path)?;
        }
    }
    Ok(())
}

/// Eight digits that no other table has.
pub(super) fn random() -> Result<u32> {
    getrandom::u32().map_err(|error| Error::internal("no random number to be had", error))
}

/// What a line of a log in a file says, as it is stored.
pub(super) fn log_update(line: &[u8]) -> Result<LogUpdate> {
    let why = || format!("a line of a log cannot be stored in a table: {}", line.as_bstr());
    reflog::parse(line).ok_or_else(|| RepositoryError::BadReferences { why: why() }.into())
}
