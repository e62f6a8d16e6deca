//! The order of chosen commits: children before parents.

use std::collections::BTreeSet;

use gix::traverse::commit::topo::{Builder, Sorting};

use crate::error::{Error, Result};
use crate::id::CommitId;
use crate::repo::Objects;

/// The commits in topological order, newest first, as `git rev-list --topo-order --no-walk` cannot give it: by
/// descent, not by date. Each comes once.
///
/// # Errors
/// [`Error::Internal`] where history cannot be walked.
pub(crate) fn newest_first(objects: &Objects, commits: &[CommitId]) -> Result<Vec<CommitId>> {
    let mut left: BTreeSet<CommitId> = commits.iter().copied().collect();
    if left.len() < 2 {
        return Ok(left.into_iter().collect());
    }
    let failed = |error: gix::Error| Error::internal("cannot walk history", error);
    let tips: Vec<gix::ObjectId> = left.iter().map(CommitId::gix).collect();
    let walk = Builder::from_iters(&objects.gix().objects, tips, None::<Vec<gix::ObjectId>>)
        .with_commit_graph(objects.gix().commit_graph_if_enabled().ok().flatten())
        .sorting(Sorting::TopoOrder)
        .build()
        .map_err(failed)?;
    let mut ordered = Vec::with_capacity(left.len());
    for info in walk {
        let id = CommitId::from(info.map_err(failed)?.id);
        if left.remove(&id) {
            ordered.push(id);
        }
        if left.is_empty() {
            break;
        }
    }
    Ok(ordered)
}
