//! Records that cannot be used, of all kinds.

use crate::error::Result;
#[cfg(feature = "procedures")]
use crate::procedure::engine;
use crate::record::UnreadableRecord;
use crate::repo::Repo;

impl Repo {
    /// The records of rb's own that cannot be used: entries of the operation log, checkpoints and runs. Everything else
    /// goes on without them.
    ///
    /// # Errors
    /// [`RepositoryError::LinkInGitDir`](crate::error::RepositoryError::LinkInGitDir) and
    /// [`Error::Io`](crate::Error::Io) where their folders cannot be read.
    pub fn unreadable_records(&self) -> Result<Vec<UnreadableRecord>> {
        let mut found = self.unreadable_operations()?;
        found.extend(self.unreadable_checkpoints()?);
        #[cfg(feature = "procedures")]
        found.extend(engine::unreadable_runs(self)?);
        Ok(found)
    }

    /// References below `refs/rb/`: an earlier rb kept its records there, and a fetch of
    /// all references brings those of another repository. They are never read.
    ///
    /// # Errors
    /// [`RepositoryError::BadReferences`](crate::error::RepositoryError::BadReferences) where references cannot be
    /// read.
    pub fn unused_references(&self) -> Result<Vec<String>> {
        self.references_below("refs/rb/")
    }
}
