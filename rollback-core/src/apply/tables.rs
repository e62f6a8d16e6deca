//! Writing a stack of reftables: a transaction is one more table, and the rename of the list that names it is the moment
//! at which it counts.
//!
//! As git does: `tables.list.lock` is taken, the table is written and renamed into the folder, then the list. A landing
//! holds the lock from before its first write to the end, by its journal. Every other transaction here is short, and its
//! locks hold a word of their own: whoever has the turn of the stack (a lock of the system, which dies with its holder)
//! knows that such a lock is left over, and removes it.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

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
use crate::repo::refs::own_stack;
use crate::repo::refs::stack::{FOLDER, LIST, Stack};

/// The word in locks that do not belong to a landing.
pub(super) const SHORT: &str = "tables";
/// How long another writer is waited for.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);
/// The folder of rb's own for a stack, in its git directory.
const OWN: [&str; 2] = ["rb", "tables"];

/// What a transaction changes in one stack.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) values: BTreeMap<BString, RefValue>,
    /// Lines that are added to logs, in this order.
    pub(super) lines: Vec<(BString, LogUpdate)>,
    /// Lines that are taken out, by name and number.
    pub(super) cut: Vec<(BString, u64)>,
}

impl Changes {
    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty() && self.lines.is_empty() && self.cut.is_empty()
    }

    /// Takes out all lines of a log.
    pub(super) fn drop_log(&mut self, stack: &Stack, name: &[u8]) -> Result<()> {
        let lines = stack.log(name, usize::MAX)?;
        self.cut.extend(lines.into_iter().map(|(index, _)| (name.into(), index)));
        Ok(())
    }

    /// Adds a line unless the log ends with it.
    pub(super) fn add_line(
        &mut self,
        stack: &Stack,
        name: &[u8],
        line: LogUpdate,
        layout: Layout,
    ) -> Result<()> {
        let line = cut_to_fit(line, layout);
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
    fn encode(self, stack: &Stack, unique: u32, layout: Layout) -> Result<(TableName, Vec<u8>)> {
        let first = stack.next_update_index();
        let mut numbers: HashMap<BString, u64> = HashMap::new();
        let mut logs = Vec::new();
        for (name, line) in self.lines {
            // Lines of one log differ in their numbers.
            let number = numbers.entry(name.clone()).or_insert(first);
            logs.push(LogRecord { name, update_index: *number, value: Some(cut_to_fit(line, layout)) });
            *number += 1;
        }
        let last = numbers.values().map(|next| next - 1).max().unwrap_or(first);
        let gone = |(name, update_index)| LogRecord { name, update_index, value: None };
        logs.extend(self.cut.into_iter().map(gone));
        logs.sort_by(|one, other| (&one.name, other.update_index).cmp(&(&other.name, one.update_index)));
        let references =
            self.values.into_iter().map(|(name, value)| RefRecord { name, update_index: first, value });
        let name = TableName { min_update_index: first, max_update_index: last, unique };
        let limits = Limits { min_update_index: first, max_update_index: last, hash: stack.hash };
        let bytes = reftable::write(limits, layout, references, logs);
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
    name: String,
    table: PathBuf,
    list: PathBuf,
}

impl Staged {
    /// Writes both into `place`, a folder on the same file system. The caller holds the lock of the stack.
    pub(super) fn write(
        stack: &Stack,
        changes: Changes,
        unique: u32,
        place: &Path,
        (settings, layout): (&Settings, Layout),
    ) -> Result<Self> {
        let (name, bytes) = changes.encode(stack, unique, layout)?;
        let mut names = stack.names.clone();
        names.push(name.to_string());
        Self::of(stack, name.to_string(), Some(&bytes), &names, place, settings)
    }

    /// As [`Staged::write`], for a table and a list at hand; without a table the list alone.
    pub(super) fn of(
        stack: &Stack,
        name: String,
        bytes: Option<&[u8]>,
        names: &[String],
        place: &Path,
        settings: &Settings,
    ) -> Result<Self> {
        let staged =
            Self { folder: stack.folder.clone(), name, table: place.join("table"), list: place.join(LIST) };
        let list: String = names.iter().map(|name| format!("{name}\n")).collect();
        let files = [(&staged.table, bytes), (&staged.list, Some(list.as_bytes()))];
        for (path, bytes) in files {
            durable::remove_if_there(path)?;
            if let Some(bytes) = bytes {
                durable::write_new(path, bytes, settings.shared, settings.fsync.references)?;
            }
        }
        Ok(staged)
    }

    /// Puts the table into the folder, then the list in place of the old one: that is the moment.
    pub(super) fn commit(&self, settings: &Settings) -> Result<()> {
        let path = self.folder.join(&self.name);
        if durable::is_file(&self.table)? {
            fs::rename(&self.table, &path).map_err(|error| Error::io("move", &path, error))?;
            // A list must never name a table that a power cut takes away.
            durable::sync_folder(&self.folder, settings.fsync.references)?;
        }
        let list = self.folder.join(LIST);
        fs::rename(&self.list, &list).map_err(|error| Error::io("replace", list, error))
    }
}

/// The lock that git takes before it writes the stack, as the journal names it.
pub(super) fn locks_of(repo: &Repo) -> Vec<Place> {
    let path = || RepoPath::new(format!("{FOLDER}/{LIST}.lock"));
    let own = own_stack(&repo.local()).map(|_| Place::GitDir(path()));
    own.into_iter().chain([Place::CommonDir(path())]).collect()
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

/// Writes a transaction by itself: what `changes` finds to be changed under the lock, if anything.
///
/// # Errors
/// [`Error::Locked`] while another process writes the stack; [`RepositoryError::LinkInGitDir`]; [`Error::Io`].
pub(super) fn transact(
    repo: &Repo,
    git_dir: &Path,
    settings: &Settings,
    changes: impl FnOnce(&Stack) -> Result<Changes>,
) -> Result<()> {
    let turn = Turn::take(git_dir, settings)?;
    turn.sweep(repo, settings)?;
    let tables = TableSettings::of(repo)?;
    let hash = repo.local().object_hash();
    turn.locked(settings, || {
        let stack = Stack::open(git_dir, hash)?;
        let changes = changes(&stack)?;
        if changes.is_empty() {
            return Ok(());
        }
        let staged = Staged::write(&stack, changes, random()?, &turn.own.path, (settings, tables.layout))?;
        staged.commit(settings)?;
        durable::sync_folder(&stack.folder, settings.fsync.references)
    })?;
    compact::compact(repo, &turn, settings, tables);
    Ok(())
}

/// Merges tables of the repository's stacks where they have become too many; what keeps rb from that is no failure.
pub(super) fn tidy(repo: &Repo, settings: &Settings) {
    let Ok(tables) = TableSettings::of(repo) else { return };
    for git_dir in stack_dirs(repo) {
        if let Ok(Some(turn)) = Turn::take_if_free(&git_dir, settings) {
            compact::compact(repo, &turn, settings, tables);
        }
    }
}

/// Removes the locks that a killed rb left on the repository's stacks.
///
/// # Errors
/// [`Error::Io`]; [`RepositoryError::BadReferences`].
pub(super) fn sweep_locks(repo: &Repo) -> Result<()> {
    for git_dir in stack_dirs(repo) {
        if left_over(&git_dir.join(FOLDER))?.is_empty() {
            continue;
        }
        let settings = Settings::of(repo)?;
        if let Some(turn) = Turn::take_if_free(&git_dir, &settings)? {
            turn.sweep(repo, &settings)?;
        }
    }
    Ok(())
}

/// The locks of short transactions in a stack.
fn left_over(folder: &Path) -> Result<Vec<PathBuf>> {
    let rows = match crate::listing::rows(folder) {
        Err(error) if !crate::bounded::is_absent(&error) => return Err(Error::io("list", folder, error)),
        rows => rows.unwrap_or_default(),
    };
    let mut found = Vec::new();
    for path in rows.iter().map(|row| row.path()) {
        if path.extension().is_some_and(|end| end == "lock") && lock::is_ours(&path, SHORT)? {
            found.push(path);
        }
    }
    Ok(found)
}

/// The right to write short transactions to a stack, until it is dropped or the process ends.
pub(super) struct Turn {
    _file: File,
    pub(super) git_dir: PathBuf,
    /// Where tables are written before they count.
    pub(super) own: OwnFolder,
}

impl Turn {
    fn take(git_dir: &Path, settings: &Settings) -> Result<Self> {
        let path = || git_dir.join(OWN[0]).join(OWN[1]).join("lock");
        Self::within(git_dir, settings, PATIENCE)?.ok_or_else(|| Error::Locked { path: path(), age: None })
    }

    fn take_if_free(git_dir: &Path, settings: &Settings) -> Result<Option<Self>> {
        Self::within(git_dir, settings, Duration::ZERO)
    }

    fn within(git_dir: &Path, settings: &Settings, patience: Duration) -> Result<Option<Self>> {
        refuse_links(git_dir)?;
        let own = OwnFolder::make(git_dir, &OWN, settings)?;
        let file = own.folder.open_or_create(b"lock", 0o666).map_err(|error| own.refusal("lock", error))?;
        durable::share_file(&file, &own.path.join("lock"), settings.shared)?;
        let begun = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Some(Self { _file: file, git_dir: git_dir.to_owned(), own })),
                Err(TryLockError::WouldBlock) if begun.elapsed() < patience => {
                    std::thread::sleep(Duration::from_millis(2));
                }
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => {
                    return Err(Error::io("lock", own.path.join("lock"), error));
                }
            }
        }
    }

    pub(super) fn folder(&self) -> PathBuf {
        self.git_dir.join(FOLDER)
    }

    /// Takes a lock of git's, beside a file of the stack.
    pub(super) fn take_lock(&self, name: &str, patience: Duration, settings: &Settings) -> Result<PathBuf> {
        let payload = self.own.path.join("payload");
        if !lock::is_ours(&payload, SHORT)? {
            durable::remove_if_there(&payload)?;
            lock::write_payload(&payload, SHORT, settings)?;
        }
        let path = self.folder().join(format!("{name}.lock"));
        lock::take(&path, &payload, SHORT, patience)?;
        Ok(path)
    }

    /// Does something under the lock of the stack.
    fn locked<T>(&self, settings: &Settings, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let lock = self.take_lock(LIST, PATIENCE, settings)?;
        let done = work();
        let released = lock::release([&lock], SHORT);
        done.and_then(|done| released.map(|()| done))
    }

    /// Removes what a killed transaction left: its locks, and tables that no list names.
    fn sweep(&self, repo: &Repo, settings: &Settings) -> Result<()> {
        let left = left_over(&self.folder())?;
        if left.is_empty() {
            return Ok(());
        }
        let list = self.folder().join(format!("{LIST}.lock"));
        let clean = || remove_unlisted(&Stack::open(&self.git_dir, repo.local().object_hash())?, None);
        match left.contains(&list) {
            true => clean()?,
            false => self.locked(settings, clean)?,
        }
        lock::release(&left, SHORT)?;
        durable::sync_folder(&self.folder(), settings.fsync.journal)
    }
}

/// Removes tables that the list does not name: those that are older than its newest, as `git pack-refs` does, and those
/// of one landing. The caller holds the lock of the stack.
pub(super) fn remove_unlisted(stack: &Stack, unique: Option<u32>) -> Result<()> {
    let rows = match crate::listing::rows(&stack.folder) {
        Err(error) if !crate::bounded::is_absent(&error) => {
            return Err(Error::io("list", &stack.folder, error));
        }
        rows => rows.unwrap_or_default(),
    };
    for row in rows {
        let name = row.file_name().to_string_lossy().into_owned();
        let Some(read) = TableName::parse(&name).filter(|_| !stack.names.contains(&name)) else { continue };
        if unique == Some(read.unique)
            || unique.is_none() && read.max_update_index < stack.next_update_index()
        {
            durable::remove_if_there(&row.path())?;
        }
    }
    Ok(())
}

/// Eight digits that no other table has.
pub(super) fn random() -> Result<u32> {
    getrandom::u32().map_err(|error| Error::internal("no random number to be had", error))
}

/// What a line of a log in a file says.
pub(super) fn log_update(line: &[u8]) -> Result<LogUpdate> {
    let read = || {
        let (head, message) = line.split_once_str("\t").unwrap_or((line, b""));
        let (old, rest) = head.split_once_str(" ")?;
        let (new, person) = rest.split_once_str(" ")?;
        let (name, rest) = person.split_once_str("<")?;
        let (email, time) = rest.split_once_str("> ")?;
        let (seconds, offset) = time.trim().split_once_str(" ")?;
        let id = |hex: &[u8]| hex.to_str().ok()?.parse().ok();
        let seconds = seconds.to_str().ok()?;
        Some(LogUpdate {
            old: id(old)?,
            new: id(new)?,
            name: name.trim_end().into(),
            email: email.into(),
            // Times before the epoch wrap around, as git's do.
            time: seconds.parse().ok().or_else(|| Some(seconds.parse::<i64>().ok()? as u64))?,
            offset: offset.to_str().ok()?.parse().ok()?,
            message: message.trim_end_with(|end| end == '\n').into(),
        })
    };
    let why = || format!("a line of a log cannot be stored in a table: {}", line.as_bstr());
    read().ok_or_else(|| RepositoryError::BadReferences { why: why() }.into())
}
