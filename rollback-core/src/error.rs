//! What can go wrong: a family of errors for each thing that can be wrong, a file each, and [`Error`], which holds them
//! all and what every room can meet. Codes, classes and paths stand beside the variants of a family.
//!
//! A conflict, an empty result or "already rolled back" is not here: those are results of a plan. The
//! texts are fragments without hints; the next command to type is the CLI's to name.

mod bisect;
mod checkpoint;
mod facts;
mod kind;
mod landing;
mod object;
mod operation;
mod path;
mod rehearsal;
mod repository;
mod revision;
mod sequence;
mod setting;
mod words;
mod work_tree;

use std::path::PathBuf;

use words::for_how_long;

pub use bisect::BisectError;
pub use checkpoint::CheckpointError;
pub use facts::{InTheWay, LastSeen, NotPutBack};
pub use kind::ErrorClass;
pub use landing::LandingError;
pub use object::ObjectError;
pub use operation::OperationError;
pub use path::PathError;
pub use rehearsal::RehearsalError;
pub use repository::RepositoryError;
pub use revision::RevisionError;
pub use sequence::SequenceError;
pub use setting::SettingError;
pub use work_tree::WorkTreeError;

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of the library below, kept for its text.
pub type Source = Box<dyn std::error::Error + Send + Sync + 'static>;

/// Why a request could not be carried out.
///
/// [`Error::code`] is the stable name of the error; [`Error::class`] says who can mend it. A family adds nothing to the
/// text or the causes of what it holds.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The repository cannot be used, or not for what was asked.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
    /// A revision does not name what was wanted.
    #[error(transparent)]
    Revision(#[from] RevisionError),
    /// A path means nothing here, or must not be written.
    #[error(transparent)]
    Path(#[from] PathError),
    /// An object cannot be had.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// The work tree or the index stands in the way.
    #[error(transparent)]
    WorkTree(#[from] WorkTreeError),
    /// The result may not land, or did not land as it was to.
    #[error(transparent)]
    Landing(#[from] LandingError),
    /// A sequence of reverts or picks cannot be begun or gone on with.
    #[error(transparent)]
    Sequence(#[from] SequenceError),
    /// An operation of the log cannot be taken back.
    #[error(transparent)]
    Operation(#[from] OperationError),
    /// A checkpoint cannot be made, found or restored.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// There is nothing to bisect, or nothing that a check tells apart.
    #[error(transparent)]
    Bisect(#[from] BisectError),
    /// Parts of a rehearsal cannot be joined.
    #[error(transparent)]
    Rehearsal(#[from] RehearsalError),
    /// A setting of the configuration, the environment or the attributes cannot be used.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// A request contradicts itself or lacks what it needs.
    #[error("{0}")]
    BadRequest(String),
    /// Reading or writing a file failed.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried, such as `write`.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Another process holds a lock.
    #[error("{} is locked by another process{}", path.display(), for_how_long(*age))]
    Locked {
        /// The lock file.
        path: PathBuf,
        /// How old it is, where it is a file that goes with the lock.
        age: Option<std::time::Duration>,
    },
    /// A file is larger than what this crate holds in memory at once.
    #[error("{what} has {size} bytes, more than the {limit} that rb handles")]
    TooLarge {
        /// The file or object.
        what: String,
        /// Its size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// The request was cancelled.
    #[error("cancelled")]
    Cancelled,
    /// Something that should not happen, from the object library or this crate.
    #[error("{context}")]
    Internal {
        /// What was being done.
        context: String,
        /// What was said.
        #[source]
        source: Option<Source>,
    },
}

impl Error {
    pub(crate) fn internal(context: impl Into<String>, source: impl Into<Source>) -> Self {
        Self::Internal { context: context.into(), source: Some(source.into()) }
    }

    /// The lock file of another process, with its age.
    pub(crate) fn locked_by_file(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let modified = std::fs::symlink_metadata(&path).and_then(|metadata| metadata.modified());
        Self::Locked { age: modified.ok().and_then(|modified| modified.elapsed().ok()), path }
    }

    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>, source: std::io::Error) -> Self {
        Self::Io { action, path: path.into(), source }
    }
}
