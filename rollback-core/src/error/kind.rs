//! What an error is called, who can mend it, and which paths it is about.

use super::{Error, Source};
use crate::path::RepoPath;

/// Who can mend an error; each class has one exit code of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorClass {
    /// The request is wrong as it was typed.
    Usage,
    /// The repository is not in a state in which the request could be carried out.
    Precondition,
    /// Loss, trust or approval was not given.
    Consent,
    /// A file could not be read or written.
    Io,
    /// Another process is at work here.
    Busy,
    /// A mistake of this crate.
    Internal,
}

impl Error {
    /// The stable name of the error, in kebab-case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotARepository { .. } => "not-a-repository",
            Self::NotOwned { .. } => "not-owned",
            Self::Unsupported { .. } => "unsupported-format",
            Self::ReferenceStorage { .. } => "unsupported-format",
            Self::SparseIndex => "unsupported-format",
            Self::LinkInGitDir { .. } => "link-in-git-directory",
            Self::WorkTreeElsewhere { .. } => "work-tree-elsewhere",
            Self::ForeignRecord { .. } => "foreign-record",
            Self::BadReferences { .. } => "bad-references",
            Self::NeedsWorkTree { .. } => "needs-work-tree",
            Self::UnknownRevision { .. } => "unknown-revision",
            Self::BeforeHistory { .. } => "before-history",
            Self::AmbiguousRevision { .. } => "ambiguous-revision",
            Self::NotACommit { .. } => "not-a-commit",
            Self::EmptyCommitSet { .. } => "empty-commit-set",
            Self::RangeOffLine { .. } => "range-off-line",
            Self::NeverThere { .. } => "never-there",
            Self::InvalidPath { .. } => "invalid-path",
            Self::PathNeverExisted { .. } => "path-never-existed",
            Self::NotTracked { .. } => "not-tracked",
            Self::KeptOut { .. } => "kept-out",
            Self::NeverGood { .. } => "never-good",
            Self::MainlineOutOfRange { .. } => "mainline-out-of-range",
            Self::BadRequest(_) => "bad-request",
            Self::MissingObject { .. } => "missing-object",
            Self::ObjectsNotFetched { .. } => "objects-not-fetched",
            Self::FetchFailed { .. } => "fetch-failed",
            Self::UnsafeRemote { .. } => "unsafe-remote",
            Self::FetchNotTrusted { .. } => "fetch-not-trusted",
            Self::CorruptObject { .. } => "corrupt-object",
            Self::ShallowHistory { .. } => "shallow-history",
            Self::Unborn { .. } => "unborn-branch",
            Self::OperationInProgress { .. } => "operation-in-progress",
            Self::OperationElsewhere { .. } => "operation-elsewhere",
            Self::Unmerged { .. } => "unmerged-index",
            Self::InTheWay { .. } => "in-the-way",
            Self::CaseCollision { .. } => "case-collision",
            Self::HostilePath { .. } => "hostile-path",
            Self::Moved { .. } => "moved",
            Self::IndexMoved => "index-moved",
            Self::PlanAltered { .. } => "plan-altered",
            Self::BranchExists { .. } => "branch-exists",
            Self::InvalidBranchName { .. } => "invalid-branch-name",
            Self::BranchCheckedOut { .. } => "branch-checked-out",
            Self::BadCheckpointName { .. } => "bad-checkpoint-name",
            Self::NothingLanded => "nothing-landed",
            Self::UnknownOperation { .. } => "unknown-operation",
            Self::AlreadyUndone { .. } => "already-undone",
            Self::UnknownCheckpoint { .. } => "unknown-checkpoint",
            Self::CheckpointExists { .. } => "checkpoint-exists",
            Self::DamagedCheckpoint { .. } => "damaged-checkpoint",
            Self::TooLarge { .. } => "too-large",
            Self::LaterCommits { .. } => "later-commits",
            Self::MadeElsewhere { .. } => "made-elsewhere",
            Self::ReferenceGone { .. } => "reference-gone",
            Self::Published { .. } => "published",
            Self::UpstreamAhead { .. } => "upstream-ahead",
            Self::LossNotAllowed { .. } => "loss-not-allowed",
            Self::DriverNotTrusted { .. } => "driver-not-trusted",
            Self::SignerNotTrusted { .. } => "signer-not-trusted",
            Self::FilterFailed { .. } => "filter-failed",
            Self::CrossCheckFailed { .. } => "cross-check-failed",
            Self::NoIdentity { .. } => "no-identity",
            Self::Signing { .. } => "signing-failed",
            Self::Hook { .. } => "hook-failed",
            Self::Config { .. } => "bad-configuration",
            Self::Setting(error) => error.code(),
            Self::Locked { .. } => "locked",
            Self::CorruptIndex { .. } => "corrupt-index",
            Self::SetAside { .. } => "set-aside",
            Self::NotPutBack { .. } => "not-put-back",
            Self::OutsideNotAllowed { .. } => "outside-not-allowed",
            Self::Io { .. } => "io",
            Self::Cancelled => "cancelled",
            Self::Internal { source, .. } if is_of_system(source) => "io",
            Self::Internal { .. } => "internal",
        }
    }

    /// Who can mend the error.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::InvalidPath { .. }
            | Self::MainlineOutOfRange { .. }
            | Self::BadRequest(_)
            | Self::InvalidBranchName { .. }
            | Self::BadCheckpointName { .. } => ErrorClass::Usage,
            Self::LossNotAllowed { .. }
            | Self::DriverNotTrusted { .. }
            | Self::SignerNotTrusted { .. }
            | Self::FetchNotTrusted { .. }
            | Self::OutsideNotAllowed { .. } => ErrorClass::Consent,
            Self::Io { .. } => ErrorClass::Io,
            Self::Locked { .. } => ErrorClass::Busy,
            Self::Internal { source, .. } if is_of_system(source) => ErrorClass::Io,
            Self::Internal { .. } => ErrorClass::Internal,
            Self::Setting(error) => error.class(),
            _ => ErrorClass::Precondition,
        }
    }

    /// The paths the error is about, for machines.
    pub fn paths(&self) -> Vec<RepoPath> {
        match self {
            Self::PathNeverExisted { path, .. }
            | Self::HostilePath { path, .. }
            | Self::NotTracked { path, .. }
            | Self::KeptOut { path }
            | Self::NeverGood { path, .. }
            | Self::UpstreamAhead { path, .. }
            | Self::FilterFailed { path, .. }
            | Self::DriverNotTrusted { path, .. } => vec![path.clone()],
            Self::CaseCollision { path, twin } => vec![path.clone(), twin.clone()],
            Self::Unmerged { paths }
            | Self::InTheWay { paths, .. }
            | Self::SetAside { paths, .. }
            | Self::OutsideNotAllowed { paths, .. }
            | Self::LossNotAllowed { paths, .. } => paths.clone(),
            Self::Setting(error) => error.paths(),
            Self::NotPutBack { left } => left.iter().map(|left| left.path.clone()).collect(),
            _ => Vec::new(),
        }
    }
}

/// Whether an error of the system, such as a permission that is missing, is among the causes.
fn is_of_system(source: &Option<Source>) -> bool {
    fn is(error: &(dyn std::error::Error + 'static)) -> bool {
        let io = error.downcast_ref::<std::io::Error>();
        // An error inside of an error of the standard library is not among its sources.
        let inner =
            io.and_then(std::io::Error::get_ref).map(|inner| inner as &(dyn std::error::Error + 'static));
        io.and_then(std::io::Error::raw_os_error).is_some() || inner.or(error.source()).is_some_and(is)
    }
    source.as_deref().is_some_and(|source| is(source))
}

#[cfg(test)]
mod tests {
    use std::io::{Error as IoError, ErrorKind};

    use super::*;

    fn class_of(source: IoError) -> (&'static str, ErrorClass) {
        let error = Error::internal("x", source);
        (error.code(), error.class())
    }

    #[test]
    fn an_error_of_the_system_is_one_however_it_is_wrapped() {
        let denied = || IoError::from_raw_os_error(13);
        let io = ("io", ErrorClass::Io);
        assert_eq!(class_of(denied()), io);
        assert_eq!(class_of(IoError::other(denied())), io);
        assert_eq!(class_of(IoError::other(Error::io("read", "a", denied()))), io);
        let internal = ("internal", ErrorClass::Internal);
        assert_eq!(class_of(IoError::new(ErrorKind::InvalidData, "no number")), internal);
    }
}
