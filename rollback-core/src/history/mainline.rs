//! The first-parent history of a tip, and the merge through which a commit came into it.

use std::collections::{HashMap, HashSet};

use crate::error::Result;
use crate::id::CommitId;
use crate::repo::ancestry::{Ancestry, CommitIx};
use crate::repo::commit_set;

/// The oldest commit of the first-parent history of `tip` that has `commit` in its past: the merge that brought it in.
/// `None` where the commit is part of that history itself or is not reached.
///
/// # Errors
/// Those of reading commits.
pub(crate) fn introduced_by(
    ancestry: &mut Ancestry<'_>,
    tip: CommitId,
    commit: CommitId,
) -> Result<Option<CommitId>> {
    let wanted = ancestry.index_of(commit);
    let mut at = ancestry.index_of(tip);
    // Whatever has the commit in its past is not in the commit's past, so nothing else needs to be looked at.
    let later = commit_set::difference(ancestry, &[at], &[wanted])?;
    let mut containing = Containing { ancestry, later, known: HashMap::from([(wanted, true)]) };
    if at == wanted || !containing.has(at)? {
        return Ok(None);
    }
    loop {
        match containing.ancestry.lineage(at)?.parents.first() {
            Some(first) if *first == wanted => return Ok(None),
            Some(first) if containing.has(*first)? => at = *first,
            _ => return Ok(Some(containing.ancestry.id(at))),
        }
    }
}

/// The commits that contain the wanted one, as `git branch --contains` has it, remembered from question to question.
struct Containing<'a, 'o> {
    ancestry: &'a mut Ancestry<'o>,
    later: HashSet<CommitIx>,
    known: HashMap<CommitIx, bool>,
}

impl Containing<'_, '_> {
    fn has(&mut self, start: CommitIx) -> Result<bool> {
        let mut pending = vec![start];
        while let Some(at) = pending.last().copied() {
            let answer = match self.known.get(&at) {
                Some(known) => Some(*known),
                None => self.answer_or_ask(at, &mut pending)?,
            };
            if let Some(answer) = answer {
                self.known.insert(at, answer);
                pending.pop();
            }
        }
        Ok(self.known[&start])
    }

    /// Whether `at` reaches the wanted commit; or puts the parent on the pile on which that depends.
    fn answer_or_ask(&mut self, at: CommitIx, pending: &mut Vec<CommitIx>) -> Result<Option<bool>> {
        if !self.later.contains(&at) {
            return Ok(Some(false));
        }
        let lineage = self.ancestry.lineage(at)?;
        if lineage.parents.iter().any(|parent| self.known.get(parent) == Some(&true)) {
            return Ok(Some(true));
        }
        let Some(open) = lineage.parents.iter().find(|parent| !self.known.contains_key(*parent)) else {
            return Ok(Some(false));
        };
        let parent = self.ancestry.lineage(*open)?;
        self.ancestry.check_order(at, lineage.generation, &parent)?;
        pending.push(*open);
        Ok(None)
    }
}
