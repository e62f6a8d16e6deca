//! The candidates of a bisection, read from a repository.

use std::collections::HashMap;

use super::search::Node;
use crate::error::{Result, RevisionError};
use crate::id::{CommitId, Entry, TreeId};
use crate::path::RepoPath;
use crate::repo::ancestry::{Ancestry, with_ancestry};
use crate::repo::commit_set::{difference, newest_first, shared_past};
use crate::repo::{Objects, Repo};

/// The commits that a bad one reaches and no good one does.
#[derive(Debug)]
pub(super) struct Candidates {
    /// The commits, children before parents; the first is the bad one.
    pub(super) commits: Vec<CommitId>,
    /// The tree of each.
    pub(super) trees: Vec<TreeId>,
    pub(super) nodes: Vec<Node>,
}

impl Candidates {
    /// Reads them; with paths, only commits that touch one of these can be the culprit.
    ///
    /// # Errors
    /// Those of reading commits and trees; [`RevisionError::ShallowHistory`] where a shallow clone ends between.
    pub(super) fn read(repo: &Repo, bad: CommitId, good: &[CommitId], paths: &[RepoPath]) -> Result<Self> {
        repo.complete(|repo| {
            let objects = repo.objects();
            let found = with_ancestry(&objects, |mut ancestry| {
                Self::walk(&mut ancestry, bad, good, &mut Content::of(&objects, paths))
            })?;
            objects.refuse_lacking()?;
            Ok(found)
        })
    }

    fn walk(
        ancestry: &mut Ancestry<'_>,
        bad: CommitId,
        good: &[CommitId],
        content: &mut Content<'_>,
    ) -> Result<Self> {
        let start = ancestry.index_of(bad);
        let ends: Vec<_> = good.iter().map(|good| ancestry.index_of(*good)).collect();
        let members = difference(ancestry, &[start], &ends)?;
        let order = newest_first(ancestry, &members, &[start])?;
        let places: HashMap<_, _> =
            order.iter().enumerate().map(|(place, commit)| (*commit, place)).collect();
        let (mut commits, mut trees, mut nodes) = (Vec::new(), Vec::new(), Vec::new());
        for commit in order {
            let lineage = ancestry.lineage(commit)?;
            if lineage.boundary {
                let what = "all commits between the good and the bad one".to_owned();
                return Err(RevisionError::ShallowHistory { boundary: ancestry.id(commit), what }.into());
            }
            let own = content.at(lineage.tree)?;
            let mut node = Node { changes: true, ..Node::default() };
            node.first = lineage.parents.first().and_then(|first| places.get(first)).copied();
            for parent in lineage.parents {
                let place = places.get(&parent).copied();
                node.parents.extend(place);
                if content.at(ancestry.lineage(parent)?.tree)? == own {
                    node.changes = false;
                    node.same_as = node.same_as.or(place);
                }
            }
            commits.push(ancestry.id(commit));
            trees.push(lineage.tree);
            nodes.push(node);
        }
        Ok(Self { commits, trees, nodes })
    }

    /// How many are on the first-parent line of the bad one.
    pub(super) fn on_line(&self) -> usize {
        let first = |at: &usize| self.nodes[*at].first;
        std::iter::successors((!self.nodes.is_empty()).then_some(0), first).count()
    }

    /// How many can be the culprit.
    pub(super) fn changing(&self) -> usize {
        self.nodes.iter().filter(|node| node.changes).count()
    }
}

/// What of a tree counts, as a number that equal content shares.
pub(super) struct Content<'a> {
    objects: &'a Objects,
    paths: &'a [RepoPath],
    of_trees: HashMap<TreeId, usize>,
    of_entries: HashMap<Vec<Option<Entry>>, usize>,
}

impl<'a> Content<'a> {
    /// The whole tree or, where there are any, the entries of `paths`.
    pub(super) fn of(objects: &'a Objects, paths: &'a [RepoPath]) -> Self {
        Self { objects, paths, of_trees: HashMap::new(), of_entries: HashMap::new() }
    }

    pub(super) fn at(&mut self, tree: TreeId) -> Result<usize> {
        let next = self.of_trees.len();
        if let Some(known) = self.of_trees.get(&tree) {
            return Ok(*known);
        }
        let number = match self.paths {
            [] => next,
            paths => {
                let entries: Result<_> = paths.iter().map(|path| self.objects.entry_at(tree, path)).collect();
                let next = self.of_entries.len();
                *self.of_entries.entry(entries?).or_insert(next)
            }
        };
        self.of_trees.insert(tree, number);
        Ok(number)
    }
}

/// A first-parent line, the newest commit first, each with its tree.
pub(super) struct FirstParents {
    pub(super) commits: Vec<(CommitId, TreeId)>,
    /// The shallow boundary, where the line ends at one.
    pub(super) boundary: Option<CommitId>,
}

/// The first-parent line of a commit.
///
/// # Errors
/// Those of reading commits.
pub(super) fn first_parent_line(objects: &Objects, tip: CommitId) -> Result<FirstParents> {
    with_ancestry(objects, |mut ancestry| {
        let mut line = FirstParents { commits: Vec::new(), boundary: None };
        let mut at = Some(ancestry.index_of(tip));
        while let Some(commit) = at {
            let lineage = ancestry.lineage(commit)?;
            line.commits.push((ancestry.id(commit), lineage.tree));
            if lineage.boundary {
                line.boundary = Some(ancestry.id(commit));
                break;
            }
            at = lineage.parents.first().copied();
        }
        Ok(line)
    })
}

/// The commits at which the pasts of two meet.
///
/// # Errors
/// Those of reading commits.
pub(super) fn meeting(objects: &Objects, one: CommitId, other: CommitId) -> Result<Vec<CommitId>> {
    with_ancestry(objects, |mut ancestry| {
        let (one, other) = (ancestry.index_of(one), ancestry.index_of(other));
        let shared = shared_past(&mut ancestry, one, other)?;
        Ok(shared.into_iter().map(|commit| ancestry.id(commit)).collect())
    })
}
