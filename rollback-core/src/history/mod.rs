//! What changed a path, who did it, and when it was last good: answers from the object graph alone.
//!
//! The walk is git's own: default history simplification, children before parents. Beyond git it follows renames
//! along every line of history, tells a rollback from a change by state, and never takes the end of a shallow clone for
//! the beginning of history. Nothing here writes, not even to memory.
//!
//! ```
//! # let folder = tempfile::tempdir()?;
//! # let repo = rollback_core::guide::sample(folder.path().join("r"))?;
//! use rollback_core::RepoPath;
//! use rollback_core::history::{ChangeKind, HistoryOptions};
//!
//! let history = repo.history(&RepoPath::from("app.py"), &HistoryOptions::default())?;
//! let kinds: Vec<_> = history.changes.iter().map(|change| change.kind).collect();
//! assert_eq!(kinds, [ChangeKind::Modified, ChangeKind::Added]);
//! // Who broke it, and the last commit in which it was good.
//! let broken_by = history.culprit.expect("a change that can be undone");
//! let good = history.last_good.expect("it was good before");
//! assert_eq!(repo.commit_summary(broken_by.commit_id)?.subject, "break the greeting");
//! assert_eq!(repo.commit_summary(good.commit_id)?.subject, "greet");
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

pub(crate) mod change;
pub(crate) mod culprit;
mod elsewhere;
mod entries;
pub(crate) mod mainline;
mod names;
mod nearest;
mod order;
mod path_history;
mod path_set;
mod reached;
mod removal;
mod rename;
mod reverted;
mod similarity;
pub(crate) mod touching;
mod tree_diff;
pub(crate) mod upstream;
mod walk;

pub use change::{Change, ChangeKind, PathChange};
pub use culprit::{Candidate, Check, Culprit, FoundCulprit, LastGood, Predicates, RolledBack};
pub use elsewhere::Removal;
pub use path_history::{HistoryChange, HistoryOptions, PathHistory, Person};
pub use removal::Return;
pub use reverted::{Claim, IsReverted, PathState, PathVerdict, Proof, Turn, TurnKind, Verdict};
pub use upstream::UpstreamAhead;

pub use crate::path::Rename;

pub(crate) use change::{change_by, changed_paths, paths_between};
pub(crate) use culprit::find_culprit;
pub(crate) use elsewhere::{case_twins, ensure_existed};
pub(crate) use names::{
    NameThen, content_changes_since_each, last_changes_of, likely_destination, likely_source, name_in,
    names_in,
};
pub(crate) use order::newest_first;
pub(crate) use path_set::PathSet;
pub(crate) use reached::{is_reached, reached_by_each};
pub(crate) use rename::Renames;
pub(crate) use reverted::{Messages, Said, path_verdicts, words_about};
pub(crate) use touching::{LaterTouches, Restored, commits_touching_since, discarded_by};
pub(crate) use upstream::upstream_ahead;
