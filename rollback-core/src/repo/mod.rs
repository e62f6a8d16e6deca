//! The repository as the rest of the crate sees it: the only room that opens one, and the border
//! behind which the object library stays.
//!
//! Nothing here writes to disk. What a plan creates lives in the memory of an `Objects` view.

mod abbreviation;
pub(crate) mod ancestry;
mod big_blob;
pub(crate) mod changed_paths;
mod commit;
pub(crate) mod commit_set;
pub(crate) mod config;
mod config_check;
mod config_env;
pub(crate) mod config_file;
mod config_origin;
mod config_rules;
mod date;
mod digest;
pub(crate) mod followed;
mod format;
pub(crate) mod hooks;
pub(crate) mod identity;
pub(crate) mod index;
mod kept_objects;
mod moment;
pub(crate) mod names;
mod objects;
mod open;
pub(crate) mod promised;
pub(crate) mod range;
pub(crate) mod reach;
pub(crate) mod reflog;
pub(crate) mod refs;
pub(crate) mod revision;
mod revision_name;
pub(crate) mod sparse;
pub(crate) mod state;
mod summary;
mod text_search;
mod tree_edit;

pub use config_origin::{ConfigScope, ConfigValue};
pub use followed::{FollowedGit, GitRelease};
pub use summary::{CommitPeople, CommitSummary};

pub(crate) use commit::{Commit, Signature};
pub(crate) use digest::sha256;
pub(crate) use objects::{NewObjects, Objects, Tree, TreeEntry};
pub(crate) use summary::program_timeout;
pub(crate) use tree_edit::Edits;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::cancel::Cancel;
use crate::error::{Error, Result};
use crate::filters::Filters;
use crate::merge_drivers::MergeDrivers;
use crate::progress::{Count, Progress, Sink, Stage};
use crate::promised::ObjectFetcher;

/// How deep folders may be nested in trees that are read for writing.
pub(crate) const MAX_DEPTH: usize = 2048;

/// The most paths in which two trees may differ: small trees that name each other stand for any number of them.
pub(crate) const MAX_CHANGES: usize = 5_000_000;

/// A handle on a repository. It is cheap to clone and can be shared between threads.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let repo = rollback_core::guide::sample(folder.path().join("r"))?;
/// use rollback_core::{Cancel, Repo, RepoPath, Stage};
///
/// let tip = repo.resolve_commit("main")?;
/// assert_eq!(repo.commit_summary(tip)?.subject, "explain the rest");
///
/// // Variants of a handle are handles of their own.
/// let cancel = Cancel::new();
/// let stoppable = repo.clone().cancelled_by(cancel.clone());
/// cancel.cancel();
/// assert!(stoppable.history(&RepoPath::from("app.py"), &Default::default()).is_err());
/// let other = std::thread::spawn(move || repo.history(&RepoPath::from("app.py"), &Default::default()));
/// assert_eq!(other.join().expect("it does not panic")?.changes.len(), 2);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Repo {
    inner: gix::ThreadSafeRepository,
    kept: kept_objects::KeptObjects,
    /// How references are stored.
    storage: refs::Storage,
    programs: Programs,
    filters: Arc<dyn Filters>,
    merge_drivers: Option<Arc<dyn MergeDrivers>>,
    /// Who fetches objects that a partial clone left out.
    fetcher: Option<Arc<dyn ObjectFetcher>>,
    /// What a computation lacks is noted there and fetched afterwards.
    lacking: Option<promised::Lacking>,
    /// Stops reading, see [`Repo::cancelled_by`].
    cancel: Cancel,
    progress: Sink,
    /// Asked for its release where releases differ, see [`Repo::with_installed_git`].
    installed_git: followed::InstalledGit,
    /// Whether a landing is at work: it asks the token itself, and not after its commit point.
    is_landing: bool,
}

/// Which of the programs that the repository itself names may run: filters of its own configuration, and hooks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Programs {
    /// None; a path that needs one is refused, a hook is not run.
    #[default]
    Refused,
    /// Those that the user has seen, as they were then: what they are, by name.
    Trusted(Arc<BTreeMap<String, String>>),
}

impl Repo {
    /// The git directory of this work tree.
    pub fn git_dir(&self) -> &Path {
        self.inner.git_dir()
    }

    /// The root of the work tree; `None` in a bare repository.
    pub fn work_dir(&self) -> Option<&Path> {
        self.inner.work_dir()
    }

    /// The same repository, of whose programs these may run.
    pub(crate) fn with_programs(mut self, programs: Programs) -> Self {
        self.programs = programs;
        self
    }

    /// The same repository, whose filters `filters` starts.
    pub fn with_filters(mut self, filters: Arc<dyn Filters>) -> Self {
        self.filters = filters;
        self
    }

    /// The same repository, whose merge drivers run; without this no plan starts a program.
    pub fn with_merge_drivers(mut self, drivers: Arc<dyn MergeDrivers>) -> Self {
        self.merge_drivers = Some(drivers);
        self
    }

    /// The same repository, whose plans, histories and landings stop with [`Error::Cancelled`] within some milliseconds
    /// once `cancel` is cancelled. A landing stops up to its commit point, and comes to its end after that.
    pub fn cancelled_by(mut self, cancel: Cancel) -> Self {
        self.cancel = cancel;
        self
    }

    /// The same repository, whose plans, histories, landings, checkpoints and scratch work trees tell `progress` how far
    /// they have come.
    pub fn with_progress(mut self, progress: Arc<dyn Progress>) -> Self {
        self.progress = Sink::new(progress);
        self
    }

    /// Work of a stage that is counted from now on.
    pub(crate) fn count(&self, stage: Stage, total: Option<usize>) -> Count {
        self.progress.count(stage, total)
    }

    /// Stops where the token is cancelled.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub(crate) fn stop_if_cancelled(&self) -> Result<()> {
        stop_if(&self.cancel)
    }

    /// The same repository for a landing, whose objects can be read whatever the token says.
    ///
    /// # Errors
    /// [`Error::Cancelled`] where it is cancelled before the landing begins.
    pub(crate) fn landing(&self) -> Result<Self> {
        self.stop_if_cancelled()?;
        Ok(Self { is_landing: true, ..self.clone() })
    }

    /// The token that stops reading.
    fn reading_until(&self) -> Cancel {
        if self.is_landing { Cancel::default() } else { self.cancel.clone() }
    }

    /// A view of the object database that keeps what it is given in memory.
    pub(crate) fn objects(&self) -> Objects {
        Objects::new(self.local(), self)
    }

    /// The object library's own handle, for one thread.
    pub(crate) fn local(&self) -> gix::Repository {
        let mut local = self.inner.to_thread_local();
        self.kept.serve(&mut local);
        local
    }
}

fn stop_if(cancel: &Cancel) -> Result<()> {
    if cancel.is_cancelled() { Err(Error::Cancelled) } else { Ok(()) }
}

impl std::fmt::Debug for Repo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Repo").field("git_dir", &self.git_dir()).finish()
    }
}
