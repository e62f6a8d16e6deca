//! Restricting a change to some paths: what the side that comes in looks like, which paths belong together because
//! the change renamed one to the other, and under which names they stand at the tip.
//!
//! The scope restricts the input of the merge, never its result: the incoming side is the base with only
//! the scoped paths taken from the incoming tree, and then one ordinary merge follows. A path that was renamed since is
//! put under its name of today on both sides first, so that a file that took over its old name is left alone.

use super::part::{self, Part};
use super::workbench::{Change, Workbench};
use crate::error::Result;
use crate::history::{self, Change as PathChange, NameThen, Rename, change_by, changed_paths};
use crate::id::TreeId;
use crate::path::RepoPath;
use crate::repo::{Edits, Objects};

/// The paths of a scoped rollback after the renames of the change, and those since, were looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ScopedPaths {
    /// What was named, by the names in the commit, and the old names of what the change renamed into it.
    pub(crate) paths: Vec<RepoPath>,
    /// Which of them have another name at the tip.
    pub(crate) renamed: Vec<Rename>,
    /// New names of what was named; they stay, because they were not named.
    pub(crate) kept: Vec<RepoPath>,
}

impl ScopedPaths {
    /// Takes `named`, by the names of the tip or of the commit, and adds the paths that the change ties to it by a rename:
    /// the old name of a named new one always, the new name of a named old one only `with_renames`.
    ///
    /// `None` where the commit touches nothing of what was named.
    pub(crate) fn of(
        bench: &Workbench,
        change: &Change,
        named: &[RepoPath],
        with_renames: bool,
    ) -> Result<Option<Self>> {
        let (commit, mainline) = (change.commit.id, change.mainline);
        let touched: Vec<_> = changed_paths(&bench.objects, commit, mainline)?;
        let names: Vec<_> = touched.iter().map(|one| one.path.clone()).collect();
        let mut scope = Self::default();
        for path in named {
            scope.name(bench, change, path, &names)?;
        }
        let in_scope: Vec<_> = touched.iter().filter(|one| covers(&scope.paths, &one.path)).collect();
        for one in &in_scope {
            // Only what appears or disappears can be one end of a rename.
            if one.before.is_none() || one.after.is_none() {
                let change = change_by(&bench.objects, commit, mainline, &one.path)?;
                scope.follow(change, with_renames);
            }
        }
        Ok((!in_scope.is_empty()).then_some(scope))
    }

    /// Adds a path that was named, under the name it has in the commit.
    fn name(
        &mut self,
        bench: &Workbench,
        change: &Change,
        path: &RepoPath,
        touched: &[RepoPath],
    ) -> Result<()> {
        let objects = &bench.objects;
        let Some(entry) = objects.entry_at(bench.start, path)? else {
            self.add(path.clone());
            return Ok(());
        };
        let then = bench.name_in(path, change.commit.id)?;
        if entry.mode.is_tree() {
            return self.name_folder(bench, change, (path, then), touched);
        }
        let is_touched = touched.contains(path);
        let then = match then {
            NameThen::Known(then) => then,
            // Another file took over the name since; where did the one that was meant go?
            NameThen::NotYet if is_touched => {
                self.add(path.clone());
                self.renamed.extend(successor(bench, change, path)?);
                return Ok(());
            }
            NameThen::Unknown if !is_touched => {
                let source = history::likely_source(objects, change.commit.tree, bench.start, path)?;
                source.unwrap_or_else(|| path.clone())
            }
            _ => path.clone(),
        };
        self.add(then.clone());
        if then != *path {
            self.renamed.push(Rename::new(then, path.clone()));
        }
        Ok(())
    }

    /// Adds a folder, and what the change did to the files that lie in it since.
    fn name_folder(
        &mut self,
        bench: &Workbench,
        change: &Change,
        (path, then): (&RepoPath, NameThen),
        touched: &[RepoPath],
    ) -> Result<()> {
        if touched.iter().any(|file| path.contains(file)) {
            self.add(path.clone());
        }
        let old_folder = match then {
            NameThen::Known(then) if then != *path => Some(then),
            _ => None,
        };
        for file in touched.iter().filter(|file| !path.contains(file)) {
            if bench.objects.entry_at(bench.start, file)?.is_some() {
                continue;
            }
            let below = old_folder.as_ref().and_then(|folder| moved_along(file, folder, path));
            let now = match below {
                Some(now) if bench.objects.entry_at(bench.start, &now)?.is_some() => Some(now),
                _ => history::likely_destination(&bench.objects, change.commit.tree, bench.start, file)?,
            };
            if let Some(now) = now.filter(|now| path.contains(now)) {
                self.add(file.clone());
                self.renamed.push(Rename::new(file.clone(), now));
            }
        }
        Ok(())
    }

    fn add(&mut self, path: RepoPath) {
        if !self.paths.contains(&path) {
            self.paths.push(path);
        }
    }

    fn follow(&mut self, change: Option<PathChange>, with_renames: bool) {
        let Some(PathChange { from, to, .. }) = change else { return };
        self.paths.extend(from.filter(|from| !covers(&self.paths, from)));
        if let Some(to) = to.filter(|to| !covers(&self.paths, to)) {
            if with_renames { &mut self.paths } else { &mut self.kept }.push(to);
        }
    }
}

/// Where the file went whose name in the commit, `path`, is another file's by now; `None` where that is not sure.
fn successor(bench: &Workbench, change: &Change, path: &RepoPath) -> Result<Option<Rename>> {
    let now = history::likely_destination(&bench.objects, change.commit.tree, bench.start, path)?;
    let Some(now) = now else { return Ok(None) };
    let then = history::name_in(&bench.objects, bench.tip.id, &now, change.commit.id)?;
    Ok((then == NameThen::Known(path.clone())).then(|| Rename::new(path.clone(), now)))
}

/// The path of `file` after its folder `from` became `to`.
fn moved_along(file: &RepoPath, from: &RepoPath, to: &RepoPath) -> Option<RepoPath> {
    let below = file.as_bytes().strip_prefix(from.as_bytes())?.strip_prefix(b"/")?;
    Some(to.join(below))
}

/// Whether `path` is one of `scope` or lies below one.
pub(crate) fn covers(scope: &[RepoPath], path: &RepoPath) -> bool {
    scope.iter().any(|scoped| scoped.contains(path))
}

/// The tree `base` with only `paths` taken from `incoming`.
fn restrict(objects: &Objects, base: TreeId, incoming: TreeId, paths: &[RepoPath]) -> Result<TreeId> {
    let mut edits = Edits::new();
    for path in paths {
        edits.insert(path.clone(), objects.entry_at(incoming, path)?);
    }
    objects.edit_tree(base, &edits)
}

/// The incoming side of a merge: all of it where no paths are given, else the base with only these taken from it and, of
/// one file, only a part.
pub(crate) fn incoming_side(
    objects: &Objects,
    base: TreeId,
    incoming: TreeId,
    paths: Option<&[RepoPath]>,
    part: Option<&Part>,
) -> Result<TreeId> {
    let scoped = match paths {
        Some(paths) => restrict(objects, base, incoming, paths)?,
        None => incoming,
    };
    match part {
        Some(part) => part::restrict(objects, base, scoped, part),
        None => Ok(scoped),
    }
}

/// The tree with every renamed path under the name it has now.
fn rename(objects: &Objects, tree: TreeId, renames: &[Rename]) -> Result<TreeId> {
    if renames.is_empty() {
        return Ok(tree);
    }
    let mut edits = Edits::new();
    for one in renames {
        edits.insert(one.then.clone(), None);
    }
    for one in renames {
        edits.insert(one.now.clone(), objects.entry_at(tree, &one.then)?);
    }
    objects.edit_tree(tree, &edits)
}

/// The trees before and after a change, with its paths under the names they have at the tip; first, the tree before
/// gets the names that the change gave to paths and that stay.
pub(crate) fn under_names_now(
    objects: &Objects,
    (parent, commit): (TreeId, TreeId),
    kept_names: &[Rename],
    renamed: &[Rename],
) -> Result<(TreeId, TreeId)> {
    let parent = rename(objects, parent, kept_names)?;
    Ok((rename(objects, parent, renamed)?, rename(objects, commit, renamed)?))
}
