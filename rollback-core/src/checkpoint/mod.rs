//! Checkpoints: commits to come back to, by name, kept under `refs/rb/checkpoints/<procedure or manual>/<name>`.
//!
//! This is their first form: a checkpoint is a commit. Index, work tree and paths outside the repository follow with the
//! crash journal.

use crate::error::{Error, Result};
use crate::history::paths_between;
use crate::id::{CommitId, EntryMode};
use crate::repo::Repo;

/// A checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Checkpoint {
    /// Whose it is: a procedure, or `manual`.
    pub scope: String,
    /// Its name.
    pub name: String,
    /// The commit.
    pub commit_id: CommitId,
}

impl Repo {
    /// Remembers `commit` under a name, which must be new unless it names this very commit.
    ///
    /// # Writes
    /// One reference below `refs/rb/checkpoints/`.
    ///
    /// # Errors
    /// [`Error::BranchExists`] where the name stands for another commit; [`Error::InvalidBranchName`].
    pub fn create_checkpoint(&self, scope: &str, name: &str, commit: CommitId) -> Result<Checkpoint> {
        let reference = format!("checkpoints/{scope}/{name}");
        match self.checkpoint(scope, name)? {
            Some(found) if found.commit_id == commit => return Ok(found),
            Some(found) => return Err(Error::BranchExists { branch: reference, found: found.commit_id }),
            None => self.keep_commit(&reference, commit)?,
        }
        Ok(Checkpoint { scope: scope.to_owned(), name: name.to_owned(), commit_id: commit })
    }

    /// The checkpoint of this name.
    ///
    /// # Errors
    /// Where the reference cannot be read.
    pub fn checkpoint(&self, scope: &str, name: &str) -> Result<Option<Checkpoint>> {
        let reference = format!("refs/rb/checkpoints/{scope}/{name}");
        let found = self.read_reference(reference.as_bytes())?;
        Ok(found.map(|commit_id| Checkpoint { scope: scope.to_owned(), name: name.to_owned(), commit_id }))
    }

    /// The checkpoints of a procedure, by name.
    ///
    /// # Errors
    /// Where the references cannot be read.
    pub fn checkpoints(&self, scope: &str) -> Result<Vec<Checkpoint>> {
        let names = self.record_names(&format!("checkpoints/{scope}"))?;
        let found: Result<Vec<Option<Checkpoint>>> =
            names.iter().map(|name| self.checkpoint(scope, name)).collect();
        Ok(found?.into_iter().flatten().collect())
    }

    /// Reads the checkpoint back: its commit and trees, and with `deep` every file; returns how many files it has.
    ///
    /// # Errors
    /// [`Error::MissingObject`] and [`Error::CorruptObject`] for what could not be restored.
    pub fn verify_checkpoint(&self, checkpoint: &Checkpoint, deep: bool) -> Result<usize> {
        let objects = self.objects();
        let tree = objects.commit(checkpoint.commit_id)?.tree;
        let files = paths_between(&objects, objects.empty_tree(), tree)?;
        for file in files.iter().filter_map(|change| change.after).filter(|_| deep) {
            if file.mode.canonical() != EntryMode::SUBMODULE {
                objects.blob(file.id)?;
            }
        }
        Ok(files.len())
    }
}
