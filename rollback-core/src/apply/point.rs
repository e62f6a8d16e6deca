//! Moves of a reference alone: no work tree, no index, no entry in the operation log.

use super::{Landing, RefUpdate, land};
use crate::error::{LandingError, Result};
use crate::id::CommitId;
use crate::receipt::CommitTime;
use crate::repo::identity::Role;
use crate::repo::{NewObjects, Repo, Signature};

impl Repo {
    /// Lets a new branch begin at an existing commit; one that is there already must name it.
    ///
    /// # Writes
    /// The reference.
    ///
    /// # Errors
    /// [`LandingError::BranchExists`] where the branch is somewhere else; [`LandingError::InvalidBranchName`].
    pub fn start_branch(&self, branch: &str, commit: CommitId) -> Result<()> {
        let name = format!("refs/heads/{branch}");
        match self.read_reference(name.as_bytes())? {
            Some(found) if found == commit => Ok(()),
            Some(found) => Err(LandingError::BranchExists { branch: branch.to_owned(), found }.into()),
            None => self.point(&name, None, commit, self.recorder(), Vec::new()),
        }
    }

    /// Moves the reference of this full name by compare-and-swap, with objects that must be there first.
    pub(crate) fn point(
        &self,
        name: &str,
        old: Option<CommitId>,
        new: CommitId,
        committer: Signature,
        objects: NewObjects,
    ) -> Result<()> {
        let update =
            RefUpdate { name: name.into(), old, new: Some(new), reflog: "rb: record".into(), committer };
        self.move_reference(update, objects)
    }

    /// Who keeps records: the committer, or rb itself where no name is configured.
    pub(crate) fn recorder(&self) -> Signature {
        let mut recorder = self.identity(Role::Committer).unwrap_or_else(|_| Signature {
            name: "rb".into(),
            email: "rb@localhost".into(),
            ..Signature::default()
        });
        if recorder.time.is_empty() {
            let now = CommitTime::now();
            recorder.seconds = now.seconds;
            recorder.time = now.to_string();
        }
        recorder
    }

    fn move_reference(&self, update: RefUpdate, objects: NewObjects) -> Result<()> {
        let unchanged = self.objects().empty_tree();
        let landing = Landing { objects, reference: Some(update), ..Landing::of_trees(unchanged, unchanged) };
        land(self, &landing, &Default::default()).map(|_| ())
    }
}
