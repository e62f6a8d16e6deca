//! Merge drivers: programs that merge the files whose attribute says `merge=<name>`, see `gitattributes(5)`.
//!
//! Nothing here starts a program. The merge engine hands each [`DriverCall`] to a [`MergeDrivers`], which an embedder can
//! replace; the one that starts programs of this machine is [`crate::process::SystemMergeDrivers`].

use std::fmt;
use std::path::PathBuf;

/// A file that a driver is to merge.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DriverCall {
    /// The command as it is configured, for a shell; its `%` marks are those of `gitattributes(5)`.
    pub command: Vec<u8>,
    /// Where the result will lie (`%P`).
    pub path: Vec<u8>,
    /// The contents of base, ours and theirs (`%O`, `%A`, `%B`).
    pub versions: [Vec<u8>; 3],
    /// What base, ours and theirs are called (`%S`, `%X`, `%Y`).
    pub labels: [Vec<u8>; 3],
    /// How long conflict markers are (`%L`).
    pub marker_size: usize,
    /// The folder to run in: the root of the work tree, or the git directory where there is none.
    pub folder: PathBuf,
}

/// How a driver ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DriverEnd {
    /// It made this.
    Clean(Vec<u8>),
    /// It made this, with conflicts in it.
    Conflicted(Vec<u8>),
    /// It made nothing, and this is why.
    Failed(String),
}

/// Runs merge drivers.
pub trait MergeDrivers: fmt::Debug + Send + Sync {
    /// Runs the driver to its end.
    fn merge(&self, call: &DriverCall) -> DriverEnd;
}
