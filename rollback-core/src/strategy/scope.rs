//! Restricting a change to some paths: what the side that comes in looks like, and which paths belong
//! together because the change renamed one to the other.
//!
//! The scope restricts the input of the merge, never its result: the incoming side is the base with only
//! the scoped paths taken from the incoming tree, and then one ordinary merge follows.

use crate::error::Result;
use crate::history::{Change as PathChange, change_by, changed_paths};
use crate::id::{CommitId, TreeId};
use crate::path::RepoPath;
use crate::repo::{Edits, Objects};

/// The paths of a scoped rollback after the renames of the change were looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ScopedPaths {
    /// What was named, and the old names of what the change renamed into it.
    pub(crate) paths: Vec<RepoPath>,
    /// New names of what was named; they stay, because nobody named them.
    pub(crate) kept: Vec<RepoPath>,
}

impl ScopedPaths {
    /// Takes `named` and adds the paths that `commit`, seen from `mainline`, ties to it by a rename: the old name of
    /// a named new one always, the new name of a named old one only `with_renames`.
    ///
    /// `None` where the commit touches nothing of what was named.
    pub(crate) fn of(
        objects: &Objects,
        (commit, mainline): (CommitId, Option<usize>),
        named: &[RepoPath],
        with_renames: bool,
    ) -> Result<Option<Self>> {
        let mut scope = Self { paths: named.to_vec(), kept: Vec::new() };
        let mut touches = false;
        for touched in changed_paths(objects, commit, mainline)? {
            if !covers(named, &touched.path) {
                continue;
            }
            touches = true;
            // Only what appears or disappears can be one end of a rename.
            if touched.before.is_none() || touched.after.is_none() {
                let change = change_by(objects, commit, mainline, &touched.path)?;
                scope.follow(change, with_renames);
            }
        }
        Ok(touches.then_some(scope))
    }

    fn follow(&mut self, change: Option<PathChange>, with_renames: bool) {
        let Some(PathChange { from, to, .. }) = change else { return };
        self.paths.extend(from.filter(|from| !covers(&self.paths, from)));
        if let Some(to) = to.filter(|to| !covers(&self.paths, to)) {
            if with_renames { &mut self.paths } else { &mut self.kept }.push(to);
        }
    }
}

/// Whether `path` is one of `scope` or lies below one.
pub(crate) fn covers(scope: &[RepoPath], path: &RepoPath) -> bool {
    scope.iter().any(|scoped| scoped.contains(path))
}

/// The tree `base` with only `paths` taken from `incoming`.
pub(crate) fn restrict(
    objects: &Objects,
    base: TreeId,
    incoming: TreeId,
    paths: &[RepoPath],
) -> Result<TreeId> {
    let mut edits = Edits::new();
    for path in paths {
        edits.insert(path.clone(), objects.entry_at(incoming, path)?);
    }
    objects.edit_tree(base, &edits)
}
