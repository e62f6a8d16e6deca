//! The order of chosen commits: children before parents.

use std::collections::{BTreeSet, HashMap};

use crate::error::Result;
use crate::id::CommitId;
use crate::repo::Objects;
use crate::repo::ancestry::{Ancestry, CommitIx, with_ancestry};

/// The commits in topological order, newest first, as `git rev-list --topo-order --no-walk` cannot give it: by
/// descent, not by date. Each comes once.
///
/// # Errors
/// [`ObjectError::Missing`](crate::error::ObjectError::Missing) and
/// [`ObjectError::Corrupt`](crate::error::ObjectError::Corrupt) for commits that cannot be read.
pub(crate) fn newest_first(objects: &Objects, commits: &[CommitId]) -> Result<Vec<CommitId>> {
    let wanted: BTreeSet<CommitId> = commits.iter().copied().collect();
    if wanted.len() < 2 {
        return Ok(wanted.into_iter().collect());
    }
    with_ancestry(objects, |ancestry| ordered(ancestry, wanted.clone()))
}

fn ordered(mut ancestry: Ancestry<'_>, mut left: BTreeSet<CommitId>) -> Result<Vec<CommitId>> {
    let tips: Vec<CommitIx> = left.iter().map(|id| ancestry.index_of(*id)).collect();
    let mut children = count_children(&mut ancestry, &tips)?;
    // Of commits that do not descend from each other the newest comes first.
    let mut ready = Vec::new();
    for tip in tips.into_iter().filter(|tip| !children.contains_key(tip)) {
        ready.push((ancestry.lineage(tip)?.seconds, tip));
    }
    ready.sort();
    let mut ready: Vec<CommitIx> = ready.into_iter().map(|(_, tip)| tip).collect();
    let mut ordered = Vec::with_capacity(left.len());
    while let Some(commit) = ready.pop().filter(|_| !left.is_empty()) {
        let id = ancestry.id(commit);
        if left.remove(&id) {
            ordered.push(id);
        }
        for parent in ancestry.lineage(commit)?.parents {
            let Some(count) = children.get_mut(&parent) else { continue };
            *count -= 1;
            if *count == 0 {
                ready.push(parent);
            }
        }
    }
    Ok(ordered)
}

/// How many children each commit has among those that `tips` reach, as far down as one of them may lie.
fn count_children(ancestry: &mut Ancestry<'_>, tips: &[CommitIx]) -> Result<HashMap<CommitIx, usize>> {
    let mut lowest = u32::MAX;
    for tip in tips {
        lowest = lowest.min(ancestry.lineage(*tip)?.generation);
    }
    let mut children = HashMap::new();
    let mut seen: BTreeSet<CommitIx> = tips.iter().copied().collect();
    let mut open = tips.to_vec();
    while let Some(commit) = open.pop() {
        for parent in ancestry.lineage(commit)?.parents {
            if ancestry.lineage(parent)?.generation < lowest {
                continue;
            }
            *children.entry(parent).or_insert(0) += 1;
            if seen.insert(parent) {
                open.push(parent);
            }
        }
    }
    Ok(children)
}
