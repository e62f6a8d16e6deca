//! The order of chosen commits: children before parents.

use std::collections::{BTreeSet, BinaryHeap, HashMap, HashSet};

use crate::error::Result;
use crate::id::CommitId;
use crate::repo::Objects;
use crate::repo::ancestry::{Ancestry, CommitIx, UNKNOWN_GENERATION, with_ancestry};
use crate::repo::reach::{Horizon, Queue};

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
    with_ancestry(objects, |mut ancestry| {
        let wanted: Vec<CommitIx> = wanted.iter().map(|id| ancestry.index_of(*id)).collect();
        let children = count_children(&mut ancestry, &wanted)?;
        let ordered = ordered(&mut ancestry, &wanted, children)?;
        Ok(ordered.into_iter().map(|commit| ancestry.id(commit)).collect())
    })
}

/// The commits by descent; `children` has the number of children of whatever lies between them.
fn ordered(
    ancestry: &mut Ancestry<'_>,
    wanted: &[CommitIx],
    mut children: HashMap<CommitIx, usize>,
) -> Result<Vec<CommitIx>> {
    let mut left: HashSet<CommitIx> = wanted.iter().copied().collect();
    // Of commits that do not descend from each other the newest comes first.
    let mut ready = Vec::new();
    for tip in left.iter().copied().filter(|tip| !children.contains_key(tip)) {
        ready.push((ancestry.lineage(tip)?.seconds, ancestry.id(tip), tip));
    }
    ready.sort();
    let mut ready: Vec<CommitIx> = ready.into_iter().map(|(_, _, tip)| tip).collect();
    let mut ordered = Vec::with_capacity(left.len());
    while let Some(commit) = ready.pop().filter(|_| !left.is_empty()) {
        if left.remove(&commit) {
            ordered.push(commit);
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
    let mut horizon = Horizon::new();
    let mut queue: Queue = BinaryHeap::new();
    for tip in tips {
        let lineage = ancestry.lineage(*tip)?;
        horizon.include(lineage.generation, lineage.seconds);
        queue.push((lineage.generation, lineage.seconds, *tip));
    }
    let mut children = HashMap::new();
    let mut seen: HashSet<CommitIx> = tips.iter().copied().collect();
    while !horizon.is_passed(&queue) {
        let Some((generation, seconds, commit)) = queue.pop() else { break };
        let parents = ancestry.lineage(commit)?.parents;
        for parent in &parents {
            let lineage = ancestry.lineage(*parent)?;
            *children.entry(*parent).or_insert(0) += 1;
            if seen.insert(*parent) {
                queue.push((lineage.generation, lineage.seconds, *parent));
            }
        }
        if generation == UNKNOWN_GENERATION {
            horizon.doubt_dates(ancestry, seconds, &parents)?;
        }
    }
    Ok(children)
}
