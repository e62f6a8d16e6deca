//! Objects that a partial clone left out: what fetching them is asked.
//!
//! Nothing here starts a program. A repository hands each [`FetchCall`] to an [`ObjectFetcher`], which an embedder can
//! replace; the one that runs the installed git is [`crate::process::SystemFetcher`]. Without one nothing is fetched.

use std::fmt;
use std::path::PathBuf;

use crate::id::ObjectId;

/// Objects to be fetched, all at once.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FetchCall {
    /// The remote that promised them, by the name it is configured under.
    pub remote: String,
    /// The git directory of the repository that lacks them.
    pub git_dir: PathBuf,
    /// The objects, each once.
    pub ids: Vec<ObjectId>,
}

/// Fetches objects into the object database of a repository.
pub trait ObjectFetcher: fmt::Debug + Send + Sync {
    /// Fetches the objects. Whether all of them came is looked up afterwards.
    ///
    /// # Errors
    /// What went wrong, as text for people.
    fn fetch(&self, call: &FetchCall) -> Result<(), String>;
}
