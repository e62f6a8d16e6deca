//! Who commits: names, mails and the time, from the configuration and the environment as git reads them.
//!
//! There is no guess from the host name: an identity that is not configured is an error.

use crate::error::{Error, Result};
use crate::repo::{Repo, Signature};

/// The part somebody plays in a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Wrote the change.
    Author,
    /// Made the commit.
    Committer,
}

impl Repo {
    /// Who plays `role` in a commit made now.
    ///
    /// # Errors
    /// [`Error::NoIdentity`] where name or mail is not configured.
    pub(crate) fn identity(&self, role: Role) -> Result<Signature> {
        let local = self.local();
        let (name, found) = match role {
            Role::Author => ("author", local.author()),
            Role::Committer => ("committer", local.committer()),
        };
        let found = found.ok_or(Error::NoIdentity { role: name })?;
        let actor = found.map_err(|error| Error::internal("cannot read the identity", error))?;
        let trimmed = actor.trim();
        if trimmed.name.is_empty() || trimmed.email.is_empty() {
            return Err(Error::NoIdentity { role: name });
        }
        Ok(Signature {
            name: trimmed.name.to_owned(),
            email: trimmed.email.to_owned(),
            seconds: trimmed.seconds(),
            time: trimmed.time.to_owned(),
        })
    }

    /// Whether `commit.gpgSign` asks for signed commits.
    pub(crate) fn signs_commits(&self) -> bool {
        self.local().config_snapshot().boolean("commit.gpgSign").unwrap_or(false)
    }
}
