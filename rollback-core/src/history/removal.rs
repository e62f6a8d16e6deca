//! Whether the removal of a path was taken back: by the state in which the path came back, never by its presence alone.

use crate::error::Result;
use crate::id::CommitId;
use crate::path::RepoPath;
use crate::repo::Repo;
use crate::repo::ancestry::with_ancestry;

use super::entries::same;
use super::walk::{Follow, PathWalk};

/// What became of the newest removal of a path that is there again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Return {
    /// No commit that the tip reaches removed it.
    NeverRemoved,
    /// It came back as it was before it was removed.
    AsBefore,
    /// It came back with other content or another mode.
    Otherwise {
        /// The commit that removed it.
        removed_by: CommitId,
    },
}

impl Repo {
    /// How `path`, which is there at `tip`, came back after it was last removed.
    ///
    /// # Errors
    /// Those of reading commits and trees.
    pub fn return_of(&self, tip: CommitId, path: &RepoPath) -> Result<Return> {
        with_ancestry(&self.objects(), |ancestry| {
            let mut walk = PathWalk::new(ancestry, tip, path, Follow::NameOnly);
            let mut came_back = None;
            while let Some(visit) = walk.next_change()? {
                let entry = walk.entry(visit.node)?;
                if entry.is_some() || visit.step.boundary {
                    came_back = entry;
                    continue;
                }
                let before = match visit.step.parents.first() {
                    Some(parent) => walk.entry(*parent)?,
                    None => None,
                };
                return Ok(match same(came_back, before) {
                    true => Return::AsBefore,
                    false => Return::Otherwise { removed_by: walk.commit_id(visit.node) },
                });
            }
            Ok(Return::NeverRemoved)
        })
    }
}
