//! Keeps objects that records name and no branch reaches: a log of `RB_HEAD`, in the common git directory.
//!
//! git's garbage collection keeps what a log of a reference names, as it keeps the older entries of a stash. `RB_HEAD`
//! itself names the empty tree and stands beside `HEAD`, outside of `refs/`: no fetch, push, clone or bundle carries it,
//! and neither `git log --all` nor `:/text` looks at it. The date of every line is the last one that git knows: what
//! `gc.reflogExpire` and `git reflog expire` take out is older than a moment, and no moment is later. `rb prune` takes
//! lines out.
//!
//! The log is replaced whole, under the lock that git's own `reflog expire` takes. Where references are stored in tables,
//! lines are added and taken out by transactions; what a landing keeps is part of its own.

use std::collections::HashSet;
use std::io::{ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use bstr::ByteSlice;

use super::own::OwnFolder;
use super::records::StoreLock;
use super::tables::{Changes, transact};
use super::{durable, log, objects};
use crate::error::{Error, Result};
use crate::id::ObjectId;
use crate::journal::LoggedEntry;
use crate::reftable::{LogUpdate, RefValue};
use crate::repo::config::Settings;
use crate::repo::reflog;
use crate::repo::refs::Storage;
use crate::repo::refs::stack::Stack;
use crate::repo::{NewObjects, Repo};

const NAME: &str = "RB_HEAD";
const LOCK: &str = "RB_HEAD.lock";

/// Who keeps, and when: git's `TIME_MAX`, by which `--expire=now` and `--expire=all` compare.
const SIGNATURE: &str = "rb <rb@localhost> 18446744073709551615 +0000";

/// How long git's `reflog expire` is waited for.
const PATIENCE: Duration = Duration::from_secs(1);

impl Repo {
    /// Keeps these objects, and all that they reach, for as long as `owner` has a record.
    ///
    /// # Writes
    /// `RB_HEAD` and its log in the common git directory.
    ///
    /// # Errors
    /// [`Error::Locked`] while git or another rb holds the lock;
    /// [`RepositoryError::LinkInGitDir`](crate::error::RepositoryError::LinkInGitDir); [`Error::Io`].
    pub(crate) fn keep_alive(&self, owner: &str, objects: &[ObjectId]) -> Result<()> {
        let settings = Settings::of(self)?;
        let store = StoreLock::take(self, &settings)?;
        keep_alive(self, &store, &settings, owner, objects)
    }

    /// Stores objects durably, with what they build on.
    ///
    /// # Writes
    /// Loose objects. Nothing names them until they are kept.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(crate) fn store_objects(&self, new: &NewObjects) -> Result<()> {
        let settings = Settings::of(self)?;
        objects::store(self, new, &settings)?;
        objects::flush_existing(self, &settings)
    }

    /// Stops keeping what was kept for owners that `is_wanted` does not know.
    ///
    /// # Writes
    /// As [`Repo::keep_alive`].
    ///
    /// # Errors
    /// As [`Repo::keep_alive`].
    pub(crate) fn stop_keeping(&self, is_wanted: &dyn Fn(&str) -> bool) -> Result<()> {
        let settings = Settings::of(self)?;
        let store = StoreLock::take(self, &settings)?;
        if self.storage() == Storage::Tables {
            return stop_keeping_in_tables(self, &settings, is_wanted);
        }
        let keeper = Keeper::open(self, &store, &settings)?;
        let before = keeper.read()?;
        let after: Vec<_> = before.iter().filter(|kept| is_wanted(&kept.owner)).cloned().collect();
        if after.len() == before.len() { Ok(()) } else { keeper.replace(&after) }
    }
}

/// Gives back the locks that a killed or failed rb left; while another rb holds the lock of the store they are its own.
///
/// The lock of the reference becomes the reference where there is none: git reads no log without it.
///
/// # Errors
/// [`RepositoryError::LinkInGitDir`](crate::error::RepositoryError::LinkInGitDir); [`Error::Io`].
pub(super) fn sweep_locks(repo: &Repo) -> Result<()> {
    let common_dir = repo.common_dir();
    if !durable::is_there(&common_dir.join(LOCK))? {
        return Ok(());
    }
    let settings = Settings::of(repo)?;
    let Some(store) = StoreLock::take_if_free(repo, &settings)? else { return Ok(()) };
    let keeper = Keeper::open(repo, &store, &settings)?;
    if read_file(&keeper.common, LOCK)?.is_some_and(|held| held == keeper.value().as_bytes()) {
        remove(&keeper.logs, LOCK)?;
        keeper.settle()?;
    }
    Ok(())
}

fn keep_alive(
    repo: &Repo,
    store: &StoreLock,
    settings: &Settings,
    owner: &str,
    objects: &[ObjectId],
) -> Result<()> {
    if repo.storage() == Storage::Tables {
        return keep_in_tables(repo, settings, owner, objects);
    }
    let keeper = Keeper::open(repo, store, settings)?;
    let mut kept = keeper.read()?;
    let new = unknown(&kept, owner, objects);
    if new.is_empty() {
        return Ok(());
    }
    kept.extend(new.into_iter().map(|id| Kept { id, owner: owner.to_owned() }));
    keeper.replace(&kept)
}

/// Those of the objects that are not kept for the owner yet.
fn unknown(kept: &[Kept], owner: &str, objects: &[ObjectId]) -> Vec<ObjectId> {
    let known: HashSet<_> = kept.iter().filter(|kept| kept.owner == owner).map(|kept| kept.id).collect();
    let mut new: Vec<_> = objects.iter().copied().filter(|id| !known.contains(id)).collect();
    new.dedup();
    new
}

/// The lines of the log in a stack, with their numbers, the oldest first.
fn read_stack(stack: &Stack) -> Result<Vec<(u64, Kept)>> {
    let lines = stack.log(NAME.as_bytes(), usize::MAX)?;
    let kept = |(number, line)| Some((number, Kept::of(line)?));
    Ok(lines.into_iter().rev().filter_map(kept).collect())
}

/// Adds lines, and the reference where it is missing.
fn add_lines(
    repo: &Repo,
    stack: &Stack,
    owner: &str,
    new: Vec<ObjectId>,
    changes: &mut Changes,
) -> Result<()> {
    let empty_tree = repo.objects().empty_tree().0;
    changes.set(stack, NAME.as_bytes(), RefValue::Object(empty_tree))?;
    let last = stack.log(NAME.as_bytes(), 1)?.first().map(|(_, line)| line.new);
    let mut old = last.unwrap_or_else(|| empty_tree.null_like());
    for id in new {
        let line = LogUpdate {
            old,
            new: id,
            name: "rb".into(),
            email: "rb@localhost".into(),
            time: u64::MAX,
            offset: 0,
            message: format!("rb: {owner}").into(),
        };
        changes.push_line(NAME.as_bytes(), line);
        old = id;
    }
    Ok(())
}

/// Adds to a transaction of a landing what its entry of the operation log keeps and the stack lacks.
pub(super) fn add_missing(
    repo: &Repo,
    stack: &Stack,
    entry: &LoggedEntry,
    changes: &mut Changes,
) -> Result<()> {
    let Some(operation) = log::operation_of(&entry.id) else { return Ok(()) };
    let owner = log::owner(operation);
    let kept: Vec<_> = read_stack(stack)?.into_iter().map(|(_, kept)| kept).collect();
    let new = unknown(&kept, &owner, &entry.keeps);
    if new.is_empty() { Ok(()) } else { add_lines(repo, stack, &owner, new, changes) }
}

fn keep_in_tables(repo: &Repo, settings: &Settings, owner: &str, objects: &[ObjectId]) -> Result<()> {
    let is_new = |stack: &Stack| -> Result<Vec<ObjectId>> {
        let kept: Vec<_> = read_stack(stack)?.into_iter().map(|(_, kept)| kept).collect();
        Ok(unknown(&kept, owner, objects))
    };
    let common_dir = repo.common_dir();
    // A landing has added them already, and holds the lock.
    if is_new(&Stack::open(&common_dir, repo.local().object_hash())?)?.is_empty() {
        return Ok(());
    }
    transact(repo, &common_dir, settings, |stack, changes| {
        let new = is_new(stack)?;
        if new.is_empty() { Ok(()) } else { add_lines(repo, stack, owner, new, changes) }
    })
}

fn stop_keeping_in_tables(repo: &Repo, settings: &Settings, is_wanted: &dyn Fn(&str) -> bool) -> Result<()> {
    transact(repo, &repo.common_dir(), settings, |stack, changes| {
        let unwanted = read_stack(stack)?.into_iter().filter(|(_, kept)| !is_wanted(&kept.owner));
        changes.cut.extend(unwanted.map(|(number, _)| (NAME.into(), number)));
        Ok(())
    })
}

/// A line of the log.
#[derive(Clone, Debug)]
struct Kept {
    id: ObjectId,
    owner: String,
}

impl Kept {
    /// What a line keeps; `None` for one that is not rb's.
    fn of(line: LogUpdate) -> Option<Self> {
        let owner = line.message.to_str().ok()?.trim_end().strip_prefix("rb: ")?.to_owned();
        Some(Self { id: line.new, owner })
    }
}

/// The folders of the reference and its log, under the lock of the store.
struct Keeper<'a> {
    settings: &'a Settings,
    common: OwnFolder,
    logs: OwnFolder,
    empty_tree: ObjectId,
}

impl<'a> Keeper<'a> {
    /// The lock of the store says that a lock file of rb's own is left over.
    fn open(repo: &Repo, _: &StoreLock, settings: &'a Settings) -> Result<Self> {
        let common_dir = repo.common_dir();
        let common = OwnFolder::make(&common_dir, &[], settings)?;
        let logs = OwnFolder::make(&common_dir, &["logs"], settings)?;
        Ok(Self { settings, common, logs, empty_tree: repo.objects().empty_tree().0 })
    }

    /// What the reference holds, and its lock.
    fn value(&self) -> String {
        format!("{}\n", self.empty_tree)
    }

    /// What is kept. A line that cannot be read keeps nothing for git either.
    fn read(&self) -> Result<Vec<Kept>> {
        let bytes = read_file(&self.logs, NAME)?.unwrap_or_default();
        Ok(bytes.lines().filter_map(reflog::parse).filter_map(Kept::of).collect())
    }

    fn replace(&self, kept: &[Kept]) -> Result<()> {
        self.lock()?;
        let replaced = self.write_log(kept);
        // A log that was not replaced leaves its lock, which would stop git's `reflog expire`.
        let unlocked = remove(&self.logs, LOCK);
        let settled = self.settle();
        replaced.and(unlocked).and(settled)
    }

    /// Takes the lock: a file with the value of the reference, as under git.
    fn lock(&self) -> Result<()> {
        const STAGED: &str = "RB_HEAD.new";
        let begun = Instant::now();
        loop {
            if read_file(&self.common, LOCK)?.is_some_and(|held| held == self.value().as_bytes()) {
                remove(&self.common, LOCK)?;
            }
            write(&self.common, STAGED, self.value().as_bytes(), self.settings)?;
            let (staged, lock) = (STAGED.as_bytes(), LOCK.as_bytes());
            match self.common.folder.rename_to_free(staged, &self.common.folder, lock) {
                Ok(()) => return Ok(()),
                Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                    return Err(Error::io("create", self.common.path.join(LOCK), error));
                }
                Err(_) => remove(&self.common, STAGED)?,
            }
            if begun.elapsed() > PATIENCE {
                return Err(Error::locked_by_file(self.common.path.join(LOCK)));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn write_log(&self, kept: &[Kept]) -> Result<()> {
        let mut log = String::new();
        let mut old = self.empty_tree.null_like();
        for Kept { id, owner } in kept {
            log.push_str(&format!("{old} {id} {SIGNATURE}\trb: {owner}\n"));
            old = *id;
        }
        write(&self.logs, LOCK, log.as_bytes(), self.settings)?;
        rename(&self.logs, LOCK, NAME)?;
        sync(&self.logs, self.settings)
    }

    /// Gives the lock back, by which the reference gets its value where it had none.
    fn settle(&self) -> Result<()> {
        if read_file(&self.common, NAME)?.is_some_and(|found| found == self.value().as_bytes()) {
            return remove(&self.common, LOCK);
        }
        rename(&self.common, LOCK, NAME)?;
        sync(&self.common, self.settings)
    }
}

fn read_file(own: &OwnFolder, name: &str) -> Result<Option<Vec<u8>>> {
    let mut file = match own.folder.open_file(name.as_bytes()) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(own.refusal(name, error)),
    };
    let mut bytes = Vec::new();
    let read = file.read_to_end(&mut bytes);
    read.map_err(|error| Error::io("read", own.path.join(name), error))?;
    Ok(Some(bytes))
}

/// Writes a new file in place of what a kill left under its name.
fn write(own: &OwnFolder, name: &str, bytes: &[u8], settings: &Settings) -> Result<()> {
    remove(own, name)?;
    let path = own.path.join(name);
    let failed = |error| Error::io("write", &path, error);
    let mut file = own.folder.create_file(name.as_bytes(), 0o666).map_err(failed)?;
    durable::share_file(&file, &path, settings.shared)?;
    file.write_all(bytes).map_err(failed)?;
    durable::sync_file(&file, &path, settings.fsync.references)
}

fn rename(own: &OwnFolder, from: &str, to: &str) -> Result<()> {
    let renamed = own.folder.rename_over(from.as_bytes(), &own.folder, to.as_bytes());
    renamed.map_err(|error| Error::io("write", own.path.join(to), error))
}

fn remove(own: &OwnFolder, name: &str) -> Result<()> {
    match own.folder.remove_file(name.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(Error::io("remove", own.path.join(name), error))
        }
        _ => Ok(()),
    }
}

fn sync(own: &OwnFolder, settings: &Settings) -> Result<()> {
    match settings.fsync.references {
        true => own.folder.sync().map_err(|error| Error::io("flush", &own.path, error)),
        false => Ok(()),
    }
}
