//! Sets of commits such as `A..B`, and the order in which git lists them.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};

use super::ancestry::{Ancestry, CommitIx};
use super::reach::{Question, Reach};
use crate::error::Result;

/// The commits that `include` reach and `exclude` do not. Several such questions are asked of one walk: [`Reach`].
///
/// # Errors
/// Those of reading commits.
pub(crate) fn difference(
    ancestry: &mut Ancestry<'_>,
    include: &[CommitIx],
    exclude: &[CommitIx],
) -> Result<HashSet<CommitIx>> {
    let question = Question { included: include.to_vec(), excluded: exclude.to_vec() };
    Ok(Reach::walk(ancestry, &[question])?.members())
}

/// Commits in whose past lies all that `one` and `other` both reach: those at which their own pasts meet.
///
/// # Errors
/// Those of reading commits.
pub(crate) fn shared_past(
    ancestry: &mut Ancestry<'_>,
    one: CommitIx,
    other: CommitIx,
) -> Result<Vec<CommitIx>> {
    let past_of = |one, other| Question { included: vec![one], excluded: vec![other] };
    let apart = Reach::walk(ancestry, &[past_of(one, other), past_of(other, one)])?.members();
    let mut shared: Vec<_> = [one, other].into_iter().filter(|end| !apart.contains(end)).collect();
    for commit in &apart {
        let parents = ancestry.lineage(*commit)?.parents;
        shared.extend(parents.into_iter().filter(|parent| !apart.contains(parent)));
    }
    shared.sort_unstable();
    shared.dedup();
    Ok(shared)
}

/// The members of the set in the order of `git rev-list`, newest first, and children before their parents even where
/// dates run backwards.
///
/// # Errors
/// Those of reading commits.
pub(crate) fn newest_first(
    ancestry: &mut Ancestry<'_>,
    members: &HashSet<CommitIx>,
    starts: &[CommitIx],
) -> Result<Vec<CommitIx>> {
    let mut places: HashMap<CommitIx, usize> = HashMap::new();
    let mut children: HashMap<CommitIx, usize> = HashMap::new();
    let mut seen = HashSet::new();
    let mut pending = BinaryHeap::new();
    let mut found = 0_u64;
    let mut push =
        |ancestry: &mut Ancestry<'_>, pending: &mut BinaryHeap<_>, commit: CommitIx| -> Result<()> {
            if members.contains(&commit) && seen.insert(commit) {
                // Of equal dates the one found first comes first.
                pending.push((ancestry.lineage(commit)?.seconds, Reverse(found), commit));
                found += 1;
            }
            Ok(())
        };
    for start in starts {
        push(ancestry, &mut pending, *start)?;
    }
    while let Some((_, _, commit)) = pending.pop() {
        places.insert(commit, places.len());
        for parent in ancestry.lineage(commit)?.parents {
            *children.entry(parent).or_default() += 1;
            push(ancestry, &mut pending, parent)?;
        }
    }
    let mut ready: BinaryHeap<_> = places
        .iter()
        .filter(|(commit, _)| !children.contains_key(*commit))
        .map(|(commit, place)| Reverse((*place, *commit)))
        .collect();
    let mut order = Vec::with_capacity(places.len());
    while let Some(Reverse((_, commit))) = ready.pop() {
        order.push(commit);
        for parent in ancestry.lineage(commit)?.parents {
            let left = children.get_mut(&parent).expect("its child counted it");
            *left -= 1;
            if let (0, Some(place)) = (*left, places.get(&parent)) {
                ready.push(Reverse((*place, parent)));
            }
        }
    }
    Ok(order)
}
