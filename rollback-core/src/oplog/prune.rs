//! Forgetting what is old: entries of the operation log beyond a horizon, logs of runs that ended, and what landings of
//! long ago left aside.
//!
//! Nothing that an operation under way owns is touched, and no checkpoint. The newer part of the log is written anew
//! without the older one; its entries keep their names, so that what they say of each other stays true.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::apply::log::LOG;
use crate::apply::{LandingLock, log};
use crate::error::{Error, Result};
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[non_exhaustive]
pub struct Pruned {
    /// The operations that the log forgets, newest first. They cannot be taken back any more.
    pub operations: Vec<String>,
    /// How many the log keeps.
    pub operations_kept: usize,
    /// The folders and files below `rb/` in the git directory that go.
    pub files: Vec<String>,
}

impl Repo {
    /// Says what [`Repo::prune`] would remove; nothing is written.
    ///
    /// # Errors
    /// As [`Repo::operations`].
    pub fn check_prune(&self, options: &PruneOptions) -> Result<Pruned> {
        let entries = self.log_entries()?;
        let kept = entries.iter().take_while(|entry| entry.logged.time >= options.older_than).count();
        Ok(Pruned {
            operations: entries[kept..].iter().map(|entry| entry.logged.operation_id.clone()).collect(),
            operations_kept: kept,
            files: self.leftovers(options).iter().map(|path| path.display().to_string()).collect(),
        })
    }

    /// Removes what is old.
    ///
    /// # Writes
    /// `refs/rb/log` and the commits of its newer part; files below `rb/` in the git directory go.
    ///
    /// # Errors
    /// [`Error::Locked`] while a landing is under way; [`Error::Moved`] where something was logged meanwhile.
    pub fn prune(&self, options: &PruneOptions) -> Result<Pruned> {
        self.recover()?;
        let pruned = self.check_prune(options)?;
        if !pruned.operations.is_empty() {
            self.trim_log(pruned.operations_kept)?;
        }
        let _lock = LandingLock::take(self.git_dir(), &Settings::of(self)?)?;
        for path in self.leftovers(options) {
            let removed = match path.is_dir() {
                true => fs::remove_dir_all(&path),
                false => fs::remove_file(&path),
            };
            removed.map_err(|error| Error::io("remove", &path, error))?;
        }
        Ok(pruned)
    }

    /// Writes the newest entries anew, the oldest of them without one before it.
    fn trim_log(&self, keep: usize) -> Result<()> {
        let entries = self.log_entries()?;
        let Some(newest) = entries.first().map(|entry| entry.commit) else { return Ok(()) };
        let objects = self.objects();
        let mut before = None;
        for entry in entries[..keep].iter().rev() {
            let commit = objects.commit(entry.commit)?;
            let has_older = entries.iter().any(|other| Some(other.commit) == commit.parents.first().copied());
            let others = commit.parents.iter().skip(usize::from(has_older)).copied();
            let parents: Vec<_> = before.into_iter().chain(others).collect();
            let rows = objects.tree(commit.tree)?.entries.into_iter();
            let rows = rows.map(|row| (row.name.to_string(), row.entry)).collect();
            let message = commit.message.to_string();
            before = Some(log::write_record(&objects, rows, &parents, &commit.committer, &message)?);
        }
        match before {
            Some(new) => self.point(LOG, Some(newest), new, self.recorder(), objects.take_new()),
            None => self.remove_reference(LOG, newest),
        }
    }

    /// What is below `rb/` and old; of runs only those that ended.
    fn leftovers(&self, options: &PruneOptions) -> Vec<PathBuf> {
        let own = self.git_dir().join("rb");
        let horizon = UNIX_EPOCH + Duration::from_secs(u64::try_from(options.older_than).unwrap_or(0));
        let mut found: Vec<_> = rows(&own)
            .into_iter()
            .filter(|path| path.file_name().is_some_and(|name| is_leftover(&name.to_string_lossy())))
            .chain(rows(&own.join("reports")))
            .filter(|path| is_older(path, horizon))
            .collect();
        let is_name = |id: &&String| !id.is_empty() && !id.contains(['/', '\\']) && !id.starts_with('.');
        let runs = options.ended_runs.iter().filter(is_name).map(|id| own.join("runs").join(id));
        found.extend(runs.filter(|path| path.is_dir()));
        found.sort();
        found
    }
}

/// What a landing displaced and could not put back, or somebody wrote to afterwards.
fn is_leftover(name: &str) -> bool {
    name.starts_with("aside-") || name.starts_with("written-")
}

fn rows(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|row| row.path()).collect()
}

fn is_older(path: &Path, horizon: SystemTime) -> bool {
    let modified = fs::symlink_metadata(path).and_then(|metadata| metadata.modified());
    modified.is_ok_and(|modified| modified < horizon)
}
