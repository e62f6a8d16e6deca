//! Building commits in memory: the headers as git writes them, signed where asked for.

use bstr::BString;
use gix::objs::Kind;

use crate::error::{Error, LandingError, Result};
use crate::id::{CommitId, TreeId};
use crate::message::Message;
use crate::repo::config::own_signers;
use crate::repo::{Objects, Programs, Signature};

/// Everything a commit says.
pub(crate) struct NewCommit<'a> {
    pub(crate) tree: TreeId,
    /// The first parent; none for a root.
    pub(crate) parent: Option<CommitId>,
    /// The second parent of a merge.
    pub(crate) merged: Option<CommitId>,
    /// The value of the `author` header.
    pub(crate) author: &'a BString,
    pub(crate) committer: &'a Signature,
    pub(crate) message: &'a Message,
}

impl NewCommit<'_> {
    /// Puts the commit into the memory of `objects`, signed where `sign` says so.
    ///
    /// # Errors
    /// [`LandingError::Signing`] where the signer fails, [`LandingError::SignerNotTrusted`] where the repository itself
    /// names the signer; nothing was written then.
    pub(crate) fn write(&self, objects: &Objects, sign: bool) -> Result<CommitId> {
        match sign {
            true => self.write_signed_with(objects, ""),
            false => Ok(objects.write_raw(Kind::Commit, &self.bytes())?.into()),
        }
    }

    /// Puts the commit into the memory of `objects`, signed with a key; with the one that is configured, or the
    /// committer's own, where it is empty.
    ///
    /// # Errors
    /// As [`NewCommit::write`].
    pub(crate) fn write_signed_with(&self, objects: &Objects, key: &str) -> Result<CommitId> {
        let unsigned = objects.write_raw(Kind::Commit, &self.bytes())?;
        let pinned = match objects.programs() {
            Programs::Refused => None,
            Programs::Trusted(pinned) => Some(pinned),
        };
        let mut own = own_signers(objects.gix()).into_iter();
        let foreign = own.find(|(key, what)| {
            pinned.and_then(|pinned| pinned.get(key)).is_none_or(|seen| what != seen.as_bytes())
        });
        if let Some((key, _)) = foreign {
            return Err(LandingError::SignerNotTrusted { key }.into());
        }
        let failed = |source| Error::from(LandingError::Signing { source });
        let mut keyed = objects.gix().clone();
        if !key.is_empty() {
            let mut config = keyed.config_snapshot_mut();
            config
                .set_raw_value("user.signingKey", key)
                .map(drop)
                .and_then(|()| config.commit().map(drop))
                .map_err(|error| failed(error.into()))?;
        }
        let signed = keyed.find_commit(unsigned.0).and_then(|commit| commit.signed());
        let signed = signed.map_err(|error| failed(error.into()))?;
        Ok(objects.write_raw(Kind::Commit, &signed.data)?.into())
    }

    /// The object as bytes. It is built here and not by the object library, which would spell an unusual time of a
    /// picked author anew.
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = format!("tree {}\n", self.tree).into_bytes();
        for parent in self.parent.into_iter().chain(self.merged) {
            bytes.extend_from_slice(format!("parent {parent}\n").as_bytes());
        }
        push_header(&mut bytes, b"author", self.author);
        push_header(&mut bytes, b"committer", &self.committer.line());
        if let Some(encoding) = &self.message.encoding {
            push_header(&mut bytes, b"encoding", encoding);
        }
        bytes.push(b'\n');
        bytes.extend_from_slice(&self.message.text);
        bytes
    }
}

fn push_header(bytes: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    bytes.extend_from_slice(name);
    bytes.push(b' ');
    bytes.extend_from_slice(value);
    bytes.push(b'\n');
}
