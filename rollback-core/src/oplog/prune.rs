//! Forgetting what is old: entries of the operation log beyond a horizon, logs of runs that ended, and what landings of
//! long ago left aside.
//!
//! Nothing that an operation under way owns is touched, and no checkpoint. What the log forgets is no longer kept from
//! git's garbage collection.

use std::collections::HashSet;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::Entry;
use crate::apply::{FileKind, LandingLock, OwnFolder, log, remove_tree};
use crate::checkpoint;
use crate::error::{Error, Result};
use crate::journal::is_leftover_name;
use crate::record::{self, RecordKind, UnreadableRecord};
use crate::repo::Repo;
use crate::repo::config::Settings;

/// What is old, and what is over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PruneOptions {
    /// Everything older goes: seconds since the epoch.
    pub older_than: i64,
    /// Runs of procedures that ended before that moment; their logs go, what they did stays on record.
    pub ended_runs: Vec<String>,
}

impl PruneOptions {
    /// Everything older than this moment, in seconds since the epoch.
    pub fn older_than(seconds: i64) -> Self {
        Self { older_than: seconds, ..Self::default() }
    }

    /// The same with runs that ended before that moment.
    pub fn with_ended_runs(mut self, runs: impl IntoIterator<Item = String>) -> Self {
        self.ended_runs = runs.into_iter().collect();
        self
    }
}

/// What went, or would go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Pruned {
    /// The operations that the log forgets, newest first. They cannot be taken back any more.
    pub operations: Vec<String>,
    /// How many the log keeps.
    pub operations_kept: usize,
    /// The folders and files below `rb/` in the git directory that go.
    pub files: Vec<String>,
    /// Operations whose records could not be read and stay: they are in neither number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<UnreadableRecord>,
}

impl Repo {
    /// Says what [`Repo::prune`] would remove; nothing is written.
    ///
    /// # Errors
    /// As [`Repo::operations`].
    pub fn check_prune(&self, options: &PruneOptions) -> Result<Pruned> {
        self.prunable(options).map(|prunable| prunable.said)
    }

    /// Removes what is old.
    ///
    /// # Writes
    /// Records of operations go, what they kept is kept no more, and files below `rb/` in the git directory go.
    ///
    /// # Errors
    /// [`Error::Locked`] while a landing is under way.
    pub fn prune(&self, options: &PruneOptions) -> Result<Pruned> {
        self.recover()?;
        let _lock = LandingLock::take(self.git_dir(), &Settings::of(self)?)?;
        let Prunable { said, records, leftovers } = self.prunable(options)?;
        for (kind, id) in &records {
            self.remove_records(*kind, std::slice::from_ref(id))?;
        }
        self.keep_what_records_name()?;
        for Leftover { folder, name } in &leftovers {
            let removed = remove_tree(&folder.folder, name);
            removed.map_err(|error| Error::io("remove", folder.path_of(name), error))?;
        }
        Ok(said)
    }

    fn prunable(&self, options: &PruneOptions) -> Result<Prunable> {
        let log = self.read_log()?;
        let is_kept = |entry: &&Entry| entry.logged.time >= options.older_than;
        let kept = log.entries.iter().take_while(is_kept).count();
        let old = log.entries.get(kept..).unwrap_or_default();
        let mut records: Vec<_> = old.iter().map(|entry| (RecordKind::Operation, entry.id.clone())).collect();
        let mut leftovers = self.leftovers(options)?;
        leftovers.extend(self.unreadable_leftovers(options)?);
        records.sort_by(|(_, one), (_, other)| one.cmp(other));
        let goes = |record: &UnreadableRecord| {
            leftovers.iter().any(|found| found.folder.path_of(&found.name) == record.path)
        };
        let said = Pruned {
            unreadable: log.unreadable.iter().filter(|record| !goes(record)).cloned().collect(),
            operations: old.iter().map(|entry| entry.logged.operation_id.clone()).collect(),
            operations_kept: kept,
            files: leftovers
                .iter()
                .map(|found| found.folder.path_of(&found.name).display().to_string())
                .collect(),
        };
        Ok(Prunable { said, records, leftovers })
    }

    /// Lets git's garbage collection take what no record names any more. A record that cannot be read keeps what was
    /// kept for it.
    fn keep_what_records_name(&self) -> Result<()> {
        let mut owners = HashSet::new();
        for id in self.record_ids(RecordKind::Operation)? {
            owners.extend(log::operation_of(&id).map(log::owner));
        }
        for name in self.record_ids(RecordKind::Checkpoint)? {
            owners.insert(checkpoint::owner(&name));
        }
        for id in self.record_ids(RecordKind::Run)? {
            owners.insert(format!("run {id}"));
        }
        self.stop_keeping(&|owner| owners.contains(owner))
    }

    /// What is below `rb/` and old; of runs only those that ended.
    fn leftovers(&self, options: &PruneOptions) -> Result<Vec<Leftover>> {
        let mut found = Vec::new();
        let horizon = options.horizon();
        found.extend(old_in(self.git_dir(), &["rb"], horizon, &is_leftover_name)?);
        found.extend(old_in(self.git_dir(), &["rb", "reports"], horizon, &|_| true)?);
        let ended = |name: &[u8]| options.ended_runs.iter().any(|id| id.as_bytes() == name);
        let ended_runs = |name: &[u8]| record::id_of(name).is_some() && ended(name);
        found.extend(old_in(self.git_dir(), &["rb", "runs"], SystemTime::now(), &ended_runs)?);
        Ok(found)
    }

    /// Records that cannot be read, as old as that.
    fn unreadable_leftovers(&self, options: &PruneOptions) -> Result<Vec<Leftover>> {
        let mut found = Vec::new();
        for kind in RecordKind::ALL {
            let unreadable = self.records(kind)?.unreadable;
            let is_one = |name: &[u8]| {
                let id = record::id_of(name);
                unreadable.iter().any(|record| id.as_ref() == Some(&record.id) && record.damaged)
            };
            let names = ["rb", "records", kind.folder()];
            found.extend(old_in(&self.common_dir(), &names, options.horizon(), &is_one)?);
        }
        Ok(found)
    }
}

impl PruneOptions {
    fn horizon(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(u64::try_from(self.older_than).unwrap_or(0))
    }
}

/// What goes.
struct Prunable {
    said: Pruned,
    records: Vec<(RecordKind, String)>,
    leftovers: Vec<Leftover>,
}

/// A file or folder of rb's own that goes.
struct Leftover {
    folder: Rc<OwnFolder>,
    name: Vec<u8>,
}

/// The names in a folder of rb's own that are wanted and were last modified before `horizon`.
fn old_in(
    base: &Path,
    below: &[&str],
    horizon: SystemTime,
    is_wanted: &dyn Fn(&[u8]) -> bool,
) -> Result<Vec<Leftover>> {
    let Some(own) = OwnFolder::open(base, below)?.map(Rc::new) else { return Ok(Vec::new()) };
    let failed = |error| Error::io("read", &own.path, error);
    let mut names = own.folder.names().map_err(failed)?;
    names.sort();
    let mut found = Vec::new();
    for name in names.into_iter().filter(|name| is_wanted(name)) {
        let info = own.folder.info(&name).map_err(failed)?;
        let attributes = own.folder.attributes(&name).map_err(failed)?;
        let modified = attributes.map(|attributes| attributes.modified);
        let is_old = modified.is_some_and(|(seconds, _)| {
            UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap_or(0)) < horizon
        });
        // A link is none of rb's: it stays where it is.
        if is_old && info.is_some_and(|info| info.kind != FileKind::Symlink) {
            found.push(Leftover { folder: Rc::clone(&own), name });
        }
    }
    Ok(found)
}
