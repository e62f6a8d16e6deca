//! What a plan keeps in memory beside the document, so that landing it at once computes nothing twice.

use std::collections::HashMap;
use std::sync::Arc;

use bstr::BString;
use gix::objs::Kind;

use crate::error::Result;
use crate::id::{CommitId, ObjectId, TreeId};
use crate::message::Message;
use crate::repo::{NewObjects, Tree};

/// The commits of the chosen rung and the objects they need. It is never serialised: a plan that was read from a
/// file has none and is computed again.
#[derive(Clone, Default)]
pub(crate) struct Prepared(Option<Arc<Contents>>);

struct Contents {
    commits: Vec<PreparedCommit>,
    objects: NewObjects,
}

/// A commit that lacks only its parent, its committer and the time.
#[derive(Clone, Debug)]
pub(crate) struct PreparedCommit {
    pub(crate) tree: TreeId,
    pub(crate) message: Message,
    /// The `author` header to keep; the author of the landing where `None`.
    pub(crate) author: Option<BString>,
    /// The second parent of a merge commit.
    pub(crate) merged: Option<CommitId>,
}

impl Prepared {
    /// Keeps `commits` and, of `created`, what they need: the attempts that were not chosen leave nothing behind.
    ///
    /// # Errors
    /// [`ObjectError::Corrupt`](crate::error::ObjectError::Corrupt) for a created tree that cannot be read.
    pub(crate) fn new(commits: Vec<PreparedCommit>, created: NewObjects) -> Result<Self> {
        let mut created: HashMap<_, _> =
            created.into_iter().map(|(id, kind, bytes)| (id, (kind, bytes))).collect();
        let mut wanted: Vec<ObjectId> = commits.iter().map(|commit| commit.tree.0).collect();
        let mut objects = NewObjects::new();
        while let Some(id) = wanted.pop() {
            // What was not created here is in the repository, and with it all that it needs.
            let Some((kind, bytes)) = created.remove(&id) else { continue };
            if kind == Kind::Tree {
                wanted.extend(Tree::parse(TreeId(id), &bytes)?.entries.iter().map(|row| row.entry.id));
            }
            objects.push((id, kind, bytes));
        }
        objects.sort_by_key(|(id, ..)| *id);
        Ok(Self(Some(Arc::new(Contents { commits, objects }))))
    }

    /// Whether there is anything.
    pub(crate) fn is_some(&self) -> bool {
        self.0.is_some()
    }

    /// The commits, in order; `None` where they must be computed again.
    pub(crate) fn commits(&self) -> Option<&[PreparedCommit]> {
        self.0.as_ref().map(|contents| contents.commits.as_slice())
    }

    /// The objects that the commits need and the repository may lack.
    pub(crate) fn objects(&self) -> &[(ObjectId, Kind, Vec<u8>)] {
        self.0.as_ref().map_or(&[], |contents| contents.objects.as_slice())
    }
}

/// Two plans are equal where their documents are: what is kept beside one follows from it.
impl PartialEq for Prepared {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Prepared {}

impl std::fmt::Debug for Prepared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "Prepared" } else { "Unprepared" })
    }
}
