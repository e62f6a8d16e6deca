//! Later commits that touched given paths: what a return to an older state would discard.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::error::{Result, RevisionError};
use crate::id::CommitId;
use crate::path::RepoPath;
use crate::repo::ancestry::{Ancestry, CommitIx, with_ancestry};
use crate::repo::reach::{Question, Reach, SetIx};
use crate::repo::{Objects, Repo, commit_set};

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

/// The commits after a change, and which of them touched which paths. Each path is looked up once.
pub(crate) struct LaterTouches {
    /// Newest first, children before parents.
    order: Vec<CommitId>,
    places: HashMap<CommitId, usize>,
    by_path: HashMap<RepoPath, Vec<CommitId>>,
}

impl LaterTouches {
    /// The commits that `tip` reaches and `since` does not.
    ///
    /// # Errors
    /// Those of reading commits.
    pub(crate) fn since(objects: &Objects, tip: CommitId, since: CommitId) -> Result<Self> {
        let order = with_ancestry(objects, |mut ancestry| {
            let (tip, since) = (ancestry.index_of(tip), ancestry.index_of(since));
            let members = commit_set::difference(&mut ancestry, &[tip], &[since])?;
            let order = commit_set::newest_first(&mut ancestry, &members, &[tip])?;
            Ok(order.into_iter().map(|commit| ancestry.id(commit)).collect::<Vec<_>>())
        })?;
        let places = order.iter().enumerate().map(|(place, commit)| (*commit, place)).collect();
        Ok(Self { order, places, by_path: HashMap::new() })
    }

    /// Finds out which of the commits touched `paths`, those that are not known yet.
    ///
    /// # Errors
    /// As [`Repo::commits_touching_since`].
    pub(crate) fn look_up(&mut self, objects: &Objects, paths: &[RepoPath]) -> Result<()> {
        let new: BTreeSet<_> =
            paths.iter().filter(|path| !self.by_path.contains_key(*path)).cloned().collect();
        if new.is_empty() {
            return Ok(());
        }
        let found = with_ancestry(objects, |mut ancestry| {
            let mut set = PathSet::new(&new);
            let mut touching = vec![Vec::new(); new.len()];
            for id in &self.order {
                let commit = ancestry.index_of(*id);
                for path in touched_by(&mut ancestry, commit, &mut set)? {
                    touching[path].push(*id);
                }
            }
            Ok(touching)
        })?;
        self.by_path.extend(new.into_iter().zip(found));
        Ok(())
    }

    /// How many commits there are.
    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether all of the paths were looked up.
    pub(crate) fn knows(&self, paths: &[RepoPath]) -> bool {
        paths.iter().all(|path| self.by_path.contains_key(path))
    }

    /// The commits that touched a path that was looked up, newest first.
    pub(crate) fn touching(&self, path: &RepoPath) -> &[CommitId] {
        self.by_path.get(path).map_or(&[], Vec::as_slice)
    }

    /// Where a commit stands among all of them, counted from the newest; `None` for one that is none of them.
    pub(crate) fn place(&self, commit: CommitId) -> Option<usize> {
        self.places.get(&commit).copied()
    }
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
    with_ancestry(objects, |mut ancestry| discarded_in(&mut ancestry, tip, restored, undone))
}

/// As [`discarded_by`], on a graph at hand.
fn discarded_in(
    ancestry: &mut Ancestry<'_>,
    tip: CommitId,
    restored: &[Restored],
    undone: &[CommitId],
) -> Result<Vec<CommitId>> {
    let mut later = Later::walk(ancestry, tip, restored, undone)?;
    later.find_touches(ancestry, restored)?;
    Ok(later.in_order(ancestry))
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
    /// Whether commits that are reached so are undone with a merge.
    undone_with: HashMap<SetIx, bool>,
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
            undone_with: HashMap::new(),
        })
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
        Ok(())
    }

    fn note(&mut self, commit: CommitIx, owners: &[usize]) {
        let set = self.reach.reached_by(commit);
        for owner in owners.iter().copied().filter(|owner| self.reach.answers(set, *owner)) {
            if self.touching[owner].last() != Some(&commit) {
                self.touching[owner].push(commit);
            }
        }
    }

    fn is_undone(&mut self, commit: CommitIx) -> bool {
        let (set, reach) = (self.reach.reached_by(commit), &self.reach);
        let mut with_merges = self.restored..self.asked;
        self.undone.contains(&commit)
            || *self
                .undone_with
                .entry(set)
                .or_insert_with(|| with_merges.any(|question| reach.answers(set, question)))
    }

    fn in_order(mut self, ancestry: &Ancestry<'_>) -> Vec<CommitId> {
        let mut seen = HashSet::new();
        let mut discarded = Vec::new();
        for mut touching in std::mem::take(&mut self.touching) {
            // What comes after a change is on the walk, and has a place.
            touching.sort_by_key(|commit| self.places.get(commit));
            for commit in touching {
                if !self.is_undone(commit) && seen.insert(commit) {
                    discarded.push(ancestry.id(commit));
                }
            }
        }
        discarded
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

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use test_kit::Sandbox;

    use super::*;

    /// The walk costs the commits, however many of them are restored: not even what is known already is asked for again for
    /// each of them.
    #[test]
    fn the_walk_does_not_grow_with_what_is_restored() {
        let sandbox = Sandbox::bare();
        let mut stream = String::new();
        for number in 0..300 {
            write!(
                stream,
                "commit refs/heads/main\ncommitter A <a@example.com> {} +0000\ndata 2\nc\n\
                 M 100644 inline f{}\ndata 4\n{number:03}\n\n",
                1_700_000_000 + 60 * number,
                number % 10
            )
            .expect("memory");
        }
        sandbox.git_with_input(&["fast-import", "--quiet"], stream.as_bytes());
        let repo = Repo::discover(sandbox.path()).expect("a repository");
        let (objects, tip) = (repo.objects(), repo.resolve_commit("main").expect("a branch"));
        let listed = sandbox.git(&["rev-list", "main~250..main~50"]);
        let since: Vec<CommitId> = listed.lines().rev().map(|id| id.parse().expect("an id")).collect();
        let walk = |every: usize| {
            let path = |nth: usize| RepoPath::from(format!("f{}", (nth + 50) % 10).as_str());
            let restored: Vec<_> = (0..since.len())
                .step_by(every)
                .map(|nth| Restored {
                    since: since[nth],
                    from: None,
                    paths: vec![path(nth), path(nth + 1)],
                    elsewhere: Vec::new(),
                })
                .collect();
            with_ancestry(&objects, |mut ancestry| {
                let discarded = discarded_in(&mut ancestry, tip, &restored, &[])?;
                Ok((discarded, restored.len(), ancestry.asked))
            })
            .expect("it can be walked")
        };
        let ((of_few, few, asked_by_few), (of_all, all, asked_by_all)) = (walk(50), walk(1));
        assert_eq!((few, all), (4, 200));
        let later = format!("{}..main", since[0]);
        let of_git = |paths: &[&str]| -> HashSet<String> {
            let listed = sandbox.git(&[&["rev-list", &later, "--"], paths].concat());
            listed.lines().map(ToOwned::to_owned).collect()
        };
        let names = |commits: &[CommitId]| commits.iter().map(ToString::to_string).collect::<HashSet<_>>();
        assert_eq!(names(&of_few), of_git(&["f0", "f1"]));
        assert_eq!(names(&of_all), of_git(&["."]));
        assert!(
            asked_by_all <= asked_by_few + 2 * all,
            "{few} restored asked for {asked_by_few} commits, {all} for {asked_by_all}"
        );
    }
}
