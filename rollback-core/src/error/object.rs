//! What cannot be had of the objects.

use super::kind::Family;
use super::words::{counted, listed};
use super::{ErrorClass, Source};
use crate::id::ObjectId;

/// An object that is missing, corrupt or not to be fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ObjectError {
    /// An object that is needed is not in the database.
    #[error("{kind} {id} is missing from the repository")]
    Missing {
        /// What kind of object was wanted.
        kind: &'static str,
        /// Its id.
        id: ObjectId,
        /// Whether the repository is a partial clone, where such objects can be fetched.
        partial_clone: bool,
    },
    /// Objects that a partial clone left out are needed, and fetching is off.
    #[error("{} that {remote} has and this partial clone lacks: {}", counted(ids.len(), "object"), listed(ids))]
    NotFetched {
        /// The objects.
        ids: Vec<ObjectId>,
        /// The remote that promised them.
        remote: String,
    },
    /// Objects that a partial clone left out could not be fetched.
    #[error("{} could not be fetched from {remote}: {why} ({})", counted(ids.len(), "object"), listed(ids))]
    FetchFailed {
        /// The objects.
        ids: Vec<ObjectId>,
        /// The remote that was asked.
        remote: String,
        /// What went wrong.
        why: String,
    },
    /// The remote that promised objects is one that must not be asked.
    #[error("remote '{remote}' is not asked for objects: {why}")]
    UnsafeRemote {
        /// Its name.
        remote: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Objects would be fetched by a program that the repository itself configures, and the repository is not trusted.
    #[error(
        "objects are to be fetched with what this repository configures as {key}, and the repository is not trusted"
    )]
    FetchNotTrusted {
        /// The key, such as `core.sshCommand`.
        key: String,
    },
    /// An object is there and cannot be read.
    #[error("{kind} {id} is corrupt")]
    Corrupt {
        /// What kind of object was wanted.
        kind: &'static str,
        /// Its id.
        id: ObjectId,
        /// What is wrong with it.
        #[source]
        source: Source,
    },
}

impl Family for ObjectError {
    fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "missing-object",
            Self::NotFetched { .. } => "objects-not-fetched",
            Self::FetchFailed { .. } => "fetch-failed",
            Self::UnsafeRemote { .. } => "unsafe-remote",
            Self::FetchNotTrusted { .. } => "fetch-not-trusted",
            Self::Corrupt { .. } => "corrupt-object",
        }
    }

    fn class(&self) -> ErrorClass {
        match self {
            Self::FetchNotTrusted { .. } => ErrorClass::Consent,
            _ => ErrorClass::Precondition,
        }
    }
}
