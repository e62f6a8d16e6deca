//! Later commits that touched given paths: what a return to an older state would discard.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use crate::error::{Result, RevisionError};
use crate::id::CommitId;
use crate::path::RepoPath;
use crate::repo::ancestry::{Ancestry, CommitIx, with_ancestry};
use crate::repo::reach::{Question, Reach, SetIx};
use crate::repo::{Objects, Repo, commit_set};

use super::order::newest_first_among;
use super::path_set::PathSet;

impl Repo {
    /// The commits that `tip` reaches and `since` does not and that changed any of `paths`, newest first.
    ///
    /// Every line of history counts, side branches too. A merge counts if one of the paths is in it what it is in none
    /// of its parents.
    ///
    /// # Errors
    /// [`RevisionError::ShallowHistory`] where one of the commits is the end of a shallow clone: what it changed is not
    /// known.
    pub fn commits_touching_since(
        &self,
        tip: CommitId,
        since: CommitId,
        paths: &[RepoPath],
    ) -> Result<Vec<CommitId>> {
        commits_touching_since(&self.objects(), tip, &[since], paths)
    }
}

/// As [`Repo::commits_touching_since`], on objects at hand; what any commit of `since` reaches is left out.
pub(crate) fn commits_touching_since(
    objects: &Objects,
    tip: CommitId,
    since: &[CommitId],
    paths: &[RepoPath],
) -> Result<Vec<CommitId>> {
    with_ancestry(objects, |mut ancestry| {
        let tip = ancestry.index_of(tip);
        let since: Vec<_> = since.iter().map(|commit| ancestry.index_of(*commit)).collect();
        let members = commit_set::difference(&mut ancestry, &[tip], &since)?;
        let mut paths = PathSet::new(paths);
        let mut touching = Vec::new();
        for commit in commit_set::newest_first(&mut ancestry, &members, &[tip])? {
            if !touched_by(&mut ancestry, commit, &mut paths)?.is_empty() {
                touching.push(ancestry.id(commit));
            }
        }
        Ok(touching)
    })
}

/// Paths that are put back as they were before a change.
#[derive(Clone, Debug)]
pub(crate) struct Restored {
    /// The change that is taken back.
    pub(crate) since: CommitId,
    /// The commit that they are taken from: what it contains comes back with it.
    pub(crate) from: Option<CommitId>,
    pub(crate) paths: Vec<RepoPath>,
    /// Later commits that are known to have changed them under other names.
    pub(crate) elsewhere: Vec<CommitId>,
}

/// The later commits that lose something where all of `restored` is put back: those of the first first, newest first,
/// then what the second adds. One walk over the commits since the oldest answers for all.
///
/// What is `undone` was named, and is not lost; where it is more than one commit, with all that the merges among it brought
/// in.
///
/// # Errors
/// [`RevisionError::ShallowHistory`] as [`Repo::commits_touching_since`]; those of reading commits and trees.
pub(crate) fn discarded_by(
    objects: &Objects,
    tip: CommitId,
    restored: &[Restored],
    undone: &[CommitId],
) -> Result<Vec<CommitId>> {
    if restored.is_empty() {
        return Ok(Vec::new());
    }
    with_ancestry(objects, |mut ancestry| {
        let mut later = Later::walk(&mut ancestry, tip, restored, undone)?;
        later.find_touches(&mut ancestry, restored)?;
        later.in_order(&mut ancestry)
    })
}

/// The commits after several changes, and which of them touched what.
struct Later {
    tip: CommitIx,
    reach: Reach,
    /// How many questions there are: the first ask for the commits after each change, the others for those undone with it.
    asked: usize,
    restored: usize,
    undone: HashSet<CommitIx>,
    /// The commits after any of the changes, each with its place in the order.
    places: HashMap<CommitIx, usize>,
    /// For each of the restored the commits after it that touch it.
    touching: Vec<Vec<CommitIx>>,
    /// For each of the restored how many commits it is the first to lose.
    adds: Vec<usize>,
    /// What commits of one reach are: the restored that they come after, and whether they are undone.
    standing: HashMap<SetIx, Rc<Standing>>,
}

/// How a commit stands to what is restored.
struct Standing {
    is_after: Vec<bool>,
    is_undone: bool,
}

impl Later {
    fn walk(
        ancestry: &mut Ancestry<'_>,
        tip: CommitId,
        restored: &[Restored],
        undone: &[CommitId],
    ) -> Result<Self> {
        let tip = ancestry.index_of(tip);
        let mut questions = Vec::new();
        for one in restored {
            let kept = one.from.into_iter().chain([one.since]);
            let excluded = kept.map(|commit| ancestry.index_of(commit)).collect();
            questions.push(Question { included: vec![tip], excluded });
        }
        let several = undone.len() > 1;
        let undone: HashSet<_> = undone.iter().map(|commit| ancestry.index_of(*commit)).collect();
        for commit in undone.iter().filter(|_| several) {
            let parents = ancestry.lineage(*commit)?.parents;
            if let [first, _, ..] = parents[..] {
                questions.push(Question { included: vec![*commit], excluded: vec![first] });
            }
        }
        let reach = Reach::walk(ancestry, &questions)?;
        Ok(Self {
            tip,
            reach,
            asked: questions.len(),
            restored: restored.len(),
            undone,
            places: HashMap::new(),
            touching: vec![Vec::new(); restored.len()],
            adds: vec![0; restored.len()],
            standing: HashMap::new(),
        })
    }

    fn standing(&mut self, commit: CommitIx) -> Rc<Standing> {
        let set = self.reach.reached_by(commit);
        if let Some(known) = self.standing.get(&set) {
            return Rc::clone(known);
        }
        let answers = |question| self.reach.answers(set, question);
        let standing = Rc::new(Standing {
            is_after: (0..self.restored).map(answers).collect(),
            is_undone: (self.restored..self.asked).any(answers),
        });
        self.standing.insert(set, Rc::clone(&standing));
        standing
    }

    /// Looks at each commit once, however many paths it may have touched.
    fn find_touches(&mut self, ancestry: &mut Ancestry<'_>, restored: &[Restored]) -> Result<()> {
        let mut paths = PathSet::new(restored.iter().flat_map(|one| &one.paths));
        let mut owners: Vec<Vec<usize>> = Vec::new();
        for (number, one) in restored.iter().enumerate() {
            for path in &one.paths {
                let path = paths.insert(path);
                owners.resize(owners.len().max(path + 1), Vec::new());
                owners[path].push(number);
            }
        }
        let members = self.reach.members();
        let order = commit_set::newest_first(ancestry, &members, &[self.tip])?;
        self.places = order.iter().enumerate().map(|(place, commit)| (*commit, place)).collect();
        for commit in order {
            for path in touched_by(ancestry, commit, &mut paths)? {
                self.note(commit, &owners[path]);
            }
        }
        for (number, one) in restored.iter().enumerate() {
            for id in &one.elsewhere {
                let commit = ancestry.index_of(*id);
                self.note(commit, &[number]);
            }
        }
        self.count_first_losses();
        Ok(())
    }

    fn note(&mut self, commit: CommitIx, owners: &[usize]) {
        let standing = self.standing(commit);
        for owner in owners.iter().copied().filter(|owner| standing.is_after[*owner]) {
            if self.touching[owner].last() != Some(&commit) {
                self.touching[owner].push(commit);
            }
        }
    }

    fn count_first_losses(&mut self) {
        let mut seen = HashSet::new();
        for number in 0..self.restored {
            for commit in self.touching[number].clone() {
                if !self.is_undone(commit) && seen.insert(commit) {
                    self.adds[number] += 1;
                }
            }
        }
    }

    fn is_undone(&mut self, commit: CommitIx) -> bool {
        self.undone.contains(&commit) || self.standing(commit).is_undone
    }

    fn in_order(mut self, ancestry: &mut Ancestry<'_>) -> Result<Vec<CommitId>> {
        let mut seen = HashSet::new();
        let mut discarded = Vec::new();
        for number in 0..self.restored {
            let touching = std::mem::take(&mut self.touching[number]);
            let last = touching.iter().filter_map(|commit| self.places.get(commit)).max().copied();
            let is_between =
                |commit: CommitIx| self.places.get(&commit).is_some_and(|place| Some(*place) <= last);
            let ordered = match self.adds[number] {
                0 => continue,
                1 => touching,
                _ => newest_first_among(ancestry, &touching, is_between)?,
            };
            for commit in ordered {
                if !self.is_undone(commit) && seen.insert(commit) {
                    discarded.push(ancestry.id(commit));
                }
            }
        }
        Ok(discarded)
    }
}

/// The paths that the commit touched, by number.
fn touched_by(ancestry: &mut Ancestry<'_>, commit: CommitIx, paths: &mut PathSet) -> Result<Vec<usize>> {
    let lineage = ancestry.lineage(commit)?;
    if lineage.boundary {
        let what = "the later changes to the paths".to_owned();
        return Err(RevisionError::ShallowHistory { boundary: ancestry.id(commit), what }.into());
    }
    paths.changed_by(ancestry, commit, &lineage)
}
