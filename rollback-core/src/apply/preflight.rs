//! The guards that are asked before any long work, so that a refusal comes at once.
//!
//! Nothing here writes. What can change meanwhile is asked again under the locks.

use std::path::PathBuf;
use std::time::Duration;

use super::{lock, tables};
use crate::error::{Error, RepositoryError, Result, RevisionError, WorkTreeError};
use crate::repo::Repo;
use crate::repo::identity::Role;
use crate::repo::refs::{Head, Storage};
use crate::repo::state::InProgress;

/// What a landing will need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Need {
    /// A work tree and an index that can be written, named after what is being done.
    pub(crate) work_tree: Option<&'static str>,
    /// Names and mails for a commit.
    pub(crate) identity: bool,
    /// Which operations of git in progress are no obstacle.
    pub(crate) beside: Beside,
}

/// Which operations in progress a landing is compatible with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beside {
    /// None of them.
    Nothing,
    /// What an earlier `--no-commit` left: a revert that is staged and not committed yet.
    Staged,
    /// A pick or revert in progress: it is what is taken back or continued.
    PickOrRevert,
}

/// Refuses what could not land.
///
/// # Errors
/// [`RepositoryError::NeedsWorkTree`], [`RevisionError::Unborn`], [`WorkTreeError::OperationInProgress`],
/// [`WorkTreeError::Unmerged`], [`SettingError::NoIdentity`](crate::error::SettingError::NoIdentity),
/// [`Error::Locked`], [`Error::Io`] for a git directory that cannot be written.
pub(crate) fn preflight(repo: &Repo, need: Need) -> Result<()> {
    if need.identity {
        repo.identity(Role::Author)?;
        repo.identity(Role::Committer)?;
    }
    if let Some(operation) = need.work_tree {
        if repo.work_dir().is_none() {
            return Err(
                RepositoryError::NeedsWorkTree { operation, git_dir: repo.git_dir().to_owned() }.into()
            );
        }
        if let Head::Branch { name, commit: None } = repo.head()? {
            return Err(RevisionError::Unborn { branch: name.to_string() }.into());
        }
        refuse_in_progress(repo, need.beside)?;
        let unmerged = repo.unmerged_paths()?;
        if !unmerged.is_empty() && need.beside != Beside::PickOrRevert {
            return Err(WorkTreeError::Unmerged { paths: unmerged }.into());
        }
        refuse_locked(repo)?;
    }
    refuse_locked_stacks(repo)?;
    refuse_read_only(repo)
}

/// `git revert --no-commit` leaves `REVERT_HEAD`, and so does rb; a second one adds to what is staged. A sequence of
/// picks or reverts is one that stopped.
fn refuse_in_progress(repo: &Repo, beside: Beside) -> Result<()> {
    let in_sequence = super::durable::is_there(&repo.git_dir().join("sequencer"))?;
    match (repo.operation_in_progress(), beside) {
        (None, _) | (Some(InProgress::Pick | InProgress::Revert), Beside::PickOrRevert) => Ok(()),
        (Some(InProgress::Revert), Beside::Staged) if !in_sequence => Ok(()),
        (Some(other), _) => Err(WorkTreeError::OperationInProgress { operation: other.describe() }.into()),
    }
}

/// Refuses where index and work tree cannot be written, whatever state they are in.
///
/// # Errors
/// [`RepositoryError::NeedsWorkTree`], [`Error::Locked`], [`Error::Io`].
pub(crate) fn refuse_unwritable(repo: &Repo, operation: &'static str) -> Result<()> {
    if repo.work_dir().is_none() {
        return Err(RepositoryError::NeedsWorkTree { operation, git_dir: repo.git_dir().to_owned() }.into());
    }
    refuse_locked(repo)?;
    refuse_locked_stacks(repo)?;
    refuse_read_only(repo)
}

fn refuse_locked(repo: &Repo) -> Result<()> {
    let operation = super::recover::operation_left(repo)?;
    for path in [index_lock(repo), repo.git_dir().join("HEAD.lock")] {
        lock::wait_for(&path, operation.as_deref().as_slice(), Duration::ZERO)?;
    }
    Ok(())
}

fn refuse_locked_stacks(repo: &Repo) -> Result<()> {
    if repo.storage() == Storage::Files {
        return Ok(());
    }
    let operation = super::recover::operation_left(repo)?;
    // Those of rb's own short transactions are waited for, or removed where they are stale, when the landing writes.
    let ours: Vec<_> = operation.as_deref().into_iter().chain([tables::SHORT_LOCK]).collect();
    for place in tables::locks_of(repo)? {
        let path = place.resolve(repo.git_dir(), &repo.common_dir())?;
        // Every transaction holds one of these for a moment, in whatever work tree.
        lock::wait_for(&path, &ours, tables::PATIENCE)?;
    }
    Ok(())
}

/// The lock that git takes before it writes the index.
pub(crate) fn index_lock(repo: &Repo) -> PathBuf {
    let mut path = repo.index_path().into_os_string();
    path.push(".lock");
    path.into()
}

/// Asks whether files can be made, without making one.
fn refuse_read_only(repo: &Repo) -> Result<()> {
    for folder in [repo.git_dir().to_owned(), repo.common_dir(), repo.common_dir().join("objects")] {
        #[cfg(unix)]
        {
            use rustix::fs::{Access, AtFlags, CWD, accessat};
            accessat(CWD, &folder, Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS)
                .map_err(|error| Error::io("write to", &folder, error.into()))?;
        }
        #[cfg(not(unix))]
        if std::fs::metadata(&folder).is_ok_and(|metadata| metadata.permissions().readonly()) {
            return Err(Error::io("write to", &folder, std::io::ErrorKind::PermissionDenied.into()));
        }
    }
    Ok(())
}
