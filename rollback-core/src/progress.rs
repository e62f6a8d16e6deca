//! How far long work has come, for a caller who shows it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What is being worked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Stage {
    /// Commits of the history are read. How many there will be is not known.
    History,
    /// Ways back are tried, of all that the plan may try.
    Attempts,
    /// Files of a tree are written into a scratch work tree.
    Checkout,
    /// Files of the result are converted and written beside the work tree.
    Staging,
    /// Files of the work tree are exchanged for those of the result.
    Landing,
    /// Files of the work tree are read into a checkpoint.
    Checkpoint,
    /// Changes of a range are rolled back by themselves, in memory.
    Rehearsal,
    /// What stands in the way of changes that conflict is looked for.
    Blockers,
    /// Results are checked by programs.
    Checks,
    /// Commits are judged in the search for the one that turned bad. How many there will be is not known.
    Bisection,
}

impl Stage {
    /// What is counted, in the plural.
    pub fn unit(self) -> &'static str {
        match self {
            Self::History | Self::Bisection => "commits",
            Self::Attempts => "ways",
            Self::Rehearsal => "changes",
            Self::Blockers => "conflicts",
            Self::Checks => "results",
            Self::Checkout | Self::Staging | Self::Landing | Self::Checkpoint => "files",
        }
    }
}

/// Receives how far work has come, see [`Repo::with_progress`](crate::Repo::with_progress).
///
/// Closures are sinks, too. A sink is called from the threads that work, often, and should return at once.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use rollback_core::history::HistoryOptions;
/// use rollback_core::{RepoPath, Stage};
///
/// # let folder = tempfile::tempdir()?;
/// # let repo = rollback_core::guide::sample(folder.path().join("r"))?;
/// let commits = Arc::new(AtomicU64::new(0));
/// let seen = Arc::clone(&commits);
/// let repo = repo.with_progress(Arc::new(move |stage: Stage, done: u64, _total: Option<u64>| {
///     if stage == Stage::History {
///         seen.store(done, Ordering::Relaxed);
///     }
/// }));
/// repo.history(&RepoPath::from("app.py"), &HistoryOptions::default())?;
/// assert_eq!(commits.load(Ordering::Relaxed), 3);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub trait Progress: Send + Sync {
    /// `done` units of the stage are done, of `total` where that is known.
    fn progress(&self, stage: Stage, done: u64, total: Option<u64>);
}

impl<F: Fn(Stage, u64, Option<u64>) + Send + Sync> Progress for F {
    fn progress(&self, stage: Stage, done: u64, total: Option<u64>) {
        self(stage, done, total);
    }
}

/// Where progress goes; nowhere by default.
#[derive(Clone, Default)]
pub(crate) struct Sink(Option<Arc<dyn Progress>>);

impl Sink {
    pub(crate) fn new(progress: Arc<dyn Progress>) -> Self {
        Self(Some(progress))
    }

    /// A count of one stage, from zero.
    pub(crate) fn count(&self, stage: Stage, total: Option<usize>) -> Count {
        Count { sink: self.clone(), stage, done: AtomicU64::new(0), total: total.map(|total| total as u64) }
    }
}

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Sink(…)" } else { "Sink(none)" })
    }
}

/// Work of one stage that is being counted, by one thread or several.
#[derive(Debug)]
pub(crate) struct Count {
    sink: Sink,
    stage: Stage,
    done: AtomicU64,
    total: Option<u64>,
}

impl Count {
    /// Whether there is a reader: a count that costs something is not kept without one.
    pub(crate) fn is_read(&self) -> bool {
        self.sink.0.is_some()
    }

    /// One more is done.
    pub(crate) fn step(&self) {
        if let Some(sink) = &self.sink.0 {
            let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
            sink.progress(self.stage, done, self.total);
        }
    }
}
