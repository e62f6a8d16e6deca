//! Which commits are in the past of others.

use std::collections::HashSet;

use crate::error::Result;
use crate::id::CommitId;
use crate::repo::ancestry::{Ancestry, with_ancestry};
use crate::repo::reach::{Question, Reach};
use crate::repo::{Objects, commit_set};

/// Whether `commit` is one of the tips or in the past of one.
///
/// # Errors
/// Those of reading commits.
pub(crate) fn is_reached(objects: &Objects, tips: &[CommitId], commit: CommitId) -> Result<bool> {
    with_ancestry(objects, |mut ancestry| reaches(&mut ancestry, tips, commit))
}

/// As [`is_reached`], on a graph at hand.
pub(super) fn reaches(ancestry: &mut Ancestry<'_>, tips: &[CommitId], commit: CommitId) -> Result<bool> {
    let commit = ancestry.index_of(commit);
    let tips: Vec<_> = tips.iter().map(|tip| ancestry.index_of(*tip)).collect();
    Ok(!commit_set::difference(ancestry, &[commit], &tips)?.contains(&commit))
}

/// Of each tip those of `commits` that it is or has in its past. One walk answers for all.
///
/// # Errors
/// Those of reading commits.
pub(crate) fn reached_by_each(
    objects: &Objects,
    tips: &[CommitId],
    commits: &[CommitId],
) -> Result<Vec<HashSet<CommitId>>> {
    with_ancestry(objects, |mut ancestry| {
        let asked: Vec<_> = commits.iter().map(|commit| (*commit, ancestry.index_of(*commit))).collect();
        let included: Vec<_> = asked.iter().map(|(_, commit)| *commit).collect();
        let question = |tip| Question { included: included.clone(), excluded: vec![tip] };
        let questions: Vec<_> = tips.iter().map(|tip| question(ancestry.index_of(*tip))).collect();
        let reach = Reach::walk(&mut ancestry, &questions)?;
        // A commit that the tip does not reach answers the question by itself.
        let has = |number, commit| !reach.answers(reach.reached_by(commit), number);
        let of_tip = |number| asked.iter().filter(|(_, ix)| has(number, *ix)).map(|(id, _)| *id).collect();
        Ok((0..tips.len()).map(of_tip).collect())
    })
}
