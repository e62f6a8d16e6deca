//! Git-native rollback as a library: find the change that broke something, try every way back in
//! memory, show what each would do, and land exactly one of them.
//!
//! The flow has one direction: a [`Target`] is resolved against a [`Repo`], a
//! [`Plan`] is computed without writing anything, and only applying it writes.
//! Conflicts, refusals and "nothing to do" are results, not errors.
//!
//! ```
//! # let folder = tempfile::tempdir()?;
//! # let repo = rollback_core::guide::sample(folder.path().join("r"))?;
//! use rollback_core::{ApplyOptions, PlanOptions, Target};
//!
//! // `app.py` was broken by some commit: who did it is found, and every way back is tried in memory.
//! let plan = repo.plan(&Target::paths(["app.py"]), &PlanOptions::default())?;
//! assert!(plan.chosen_attempt().is_some_and(|way| way.is_clean()));
//! // One move of the branch, or none.
//! let receipt = repo.apply(plan, &ApplyOptions::default())?;
//! assert_eq!(receipt.outcome.commit_ids.len(), 1);
//! assert_eq!(std::fs::read_to_string(folder.path().join("r/app.py"))?, "print('hello')\n");
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! [`guide`] goes through all of it.
//!
//! What this documentation shows is the surface for embedders. Modules that it hides serve the command line `rb`: they are
//! public, and may change in any version.
//!
//! What this crate never does: it does not print or exit, starts no `git` for its own work (only to push, or to compare
//! with it where that is asked for), and lets no type of the underlying object library into its public signatures.

mod apply;
pub mod bisect;
#[doc(hidden)]
pub mod bounded;
mod cancel;
mod charset;
pub mod checkpoint;
pub mod checks;
mod command_line;
pub mod conflict;
mod content;
pub mod cross_check;
pub mod error;
pub mod filters;
pub mod guide;
pub mod history;
pub mod hooks;
pub mod id;
pub mod import;
mod journal;
mod listing;
#[doc(hidden)]
pub mod local_time;
#[doc(hidden)]
pub mod markdown;
pub mod merge;
pub mod merge_drivers;
pub mod message;
mod operation;
pub mod oplog;
pub mod patch;
pub mod path;
pub mod plan;
#[cfg(feature = "procedures")]
pub mod procedure;
pub mod process;
mod progress;
pub mod promised;
pub mod publish;
pub mod receipt;
#[doc(hidden)]
pub mod record;
mod reftable;
pub mod rehearsal;
pub mod repo;
#[doc(hidden)]
pub mod report;
#[doc(hidden)]
pub mod scratch;
pub mod sequence;
pub mod strategy;
pub mod target;
pub mod trust;
pub mod uncommitted;
pub mod verdict;
mod workers;

pub use cancel::Cancel;
pub use error::{Error, Result};
pub use id::{CommitId, EntryMode, ObjectId, TreeId};
pub use path::RepoPath;
pub use plan::{Plan, PlanOptions};
pub use progress::{Progress, Stage};
pub use receipt::{ApplyOptions, Receipt};
pub use repo::Repo;
pub use repo::state::InProgress;
pub use target::Target;
