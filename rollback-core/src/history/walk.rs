//! The walk along the history of one path: git's default simplification, children before parents, and the path
//! followed through its renames.
//!
//! A merge that took the path as it is from one parent is followed into the first such parent alone. Every commit
//! at which the path differs from all parents is a change. The order is that of `git log --topo-order`; it is produced
//! as far as it is asked for: as long as one line of history is left to follow, nothing beyond the next commit is read,
//! and where lines run side by side the generations of the commit-graph say how far they must be known.

use std::collections::{BinaryHeap, HashMap};

use crate::error::Result;
use crate::id::{CommitId, Entry, TreeId};
use crate::path::RepoPath;

use super::entries::{PathEntries, same};
use super::rename::Renames;
use crate::repo::ancestry::{Ancestry, CommitIx, Lineage, UNKNOWN_GENERATION};

/// Whether a path is the same path before it got its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Follow {
    /// When the path appears in a commit that deletes what it was made of, the walk goes on with that name.
    Renames,
    /// One name only, as `git log` without `--follow`.
    NameOnly,
}

/// A commit, looked at under the name the path has there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Node {
    pub(crate) commit: CommitIx,
    pub(crate) path: PathIx,
}

/// One of the names a walk has met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PathIx(u32);

/// What simplification makes of a commit.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// Where the walk goes on, mainline first.
    pub(crate) parents: Vec<Node>,
    /// The path differs from what it is in every parent.
    pub(crate) is_change: bool,
    /// The walk goes on with the first parent, if with any.
    pub(crate) on_mainline: bool,
    /// The commit is where a shallow clone ends: whether it changed the path is not known.
    pub(crate) boundary: bool,
}

/// A commit the walk came by.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    pub(crate) node: Node,
    pub(crate) step: Step,
}

/// The history of one path, as one question after another about its commits.
pub(crate) struct PathWalk<'o> {
    ancestry: Ancestry<'o>,
    follow: Follow,
    names: Vec<PathEntries>,
    renames: Renames<'o>,
    /// Commits whose children have all been visited; the next visit is the last of them.
    ready: Vec<Node>,
    /// Commits that are known and not visited yet, with the number of children to be visited before them.
    explored: HashMap<Node, Step>,
    children_left: HashMap<Node, usize>,
    /// Where the commits before this one were skipped unseen: the newest of them.
    skipped_from: HashMap<Node, Node>,
}

impl<'o> PathWalk<'o> {
    /// A walk from `tip` along the history of `path`.
    pub(crate) fn new(ancestry: Ancestry<'o>, tip: CommitId, path: &RepoPath, follow: Follow) -> Self {
        let mut walk = Self {
            renames: Renames::new(ancestry.objects()),
            ancestry,
            follow,
            names: Vec::new(),
            ready: Vec::new(),
            explored: HashMap::new(),
            children_left: HashMap::new(),
            skipped_from: HashMap::new(),
        };
        let start = walk.node(tip, path);
        walk.restart(start);
        walk
    }

    /// Begins again at `start`; what was read is kept.
    pub(crate) fn restart(&mut self, start: Node) {
        self.explored.clear();
        self.children_left.clear();
        self.ready = vec![start];
    }

    /// The commit under this name as a place to walk from.
    pub(crate) fn node(&mut self, commit: CommitId, path: &RepoPath) -> Node {
        Node { commit: self.ancestry.index_of(commit), path: self.intern(path) }
    }

    pub(crate) fn commit_id(&self, node: Node) -> CommitId {
        self.ancestry.id(node.commit)
    }

    pub(crate) fn path(&self, node: Node) -> &RepoPath {
        self.names[node.path.0 as usize].path()
    }

    pub(crate) fn ancestry(&mut self) -> &mut Ancestry<'o> {
        &mut self.ancestry
    }

    pub(crate) fn renames(&mut self) -> &mut Renames<'o> {
        &mut self.renames
    }

    /// The root tree of a commit.
    pub(crate) fn tree(&mut self, node: Node) -> Result<TreeId> {
        Ok(self.ancestry.lineage(node.commit)?.tree)
    }

    /// What stands at the path in the commit.
    pub(crate) fn entry(&mut self, node: Node) -> Result<Option<Entry>> {
        let tree = self.tree(node)?;
        self.entry_in(tree, node.path)
    }

    /// The next commit in topological order, whether it changed the path or not.
    ///
    /// # Errors
    /// Those of reading commits and trees.
    pub(crate) fn next(&mut self) -> Result<Option<Visit>> {
        let Some(node) = self.ready.pop() else { return Ok(None) };
        if !self.explored.contains_key(&node) {
            self.explore(node)?;
        }
        let step = self.explored.remove(&node).expect("exploring a commit makes it known");
        for parent in &step.parents {
            let left = self.children_left.get_mut(parent).expect("every edge was counted when it was found");
            *left -= 1;
            if *left == 0 {
                self.children_left.remove(parent);
                self.ready.push(*parent);
            }
        }
        Ok(Some(Visit { node, step }))
    }

    /// The next commit that changed the path or, being where a shallow clone ends, may have.
    ///
    /// # Errors
    /// Those of reading commits and trees.
    pub(crate) fn next_change(&mut self) -> Result<Option<Visit>> {
        while let Some(visit) = self.next()? {
            if visit.step.is_change || visit.step.boundary {
                return Ok(Some(visit));
            }
        }
        Ok(None)
    }

    /// What simplification makes of the commit.
    ///
    /// # Errors
    /// Those of reading commits and trees.
    pub(crate) fn step(&mut self, node: Node) -> Result<Step> {
        let Lineage { tree, parents, boundary, generation, .. } = self.ancestry.lineage(node.commit)?;
        if let Some(first) = parents.first()
            && self.ancestry.is_unchanged(node.commit, self.names[node.path.0 as usize].key())
        {
            let parent = self.ancestry.lineage(*first)?;
            self.ancestry.check_order(node.commit, generation, &parent)?;
            return Ok(self.skip(node, *first));
        }
        let here = self.entry_in(tree, node.path)?;
        self.check_skipped(node, here)?;
        if parents.is_empty() {
            let is_change = here.is_some() && !boundary;
            return Ok(Step { parents: Vec::new(), is_change, on_mainline: true, boundary });
        }
        let mut before = Vec::with_capacity(parents.len());
        for parent in &parents {
            let lineage = self.ancestry.lineage(*parent)?;
            self.ancestry.check_order(node.commit, generation, &lineage)?;
            let parent_tree = lineage.tree;
            let there = if parent_tree == tree { here } else { self.entry_in(parent_tree, node.path)? };
            if same(here, there) {
                let only = Node { commit: *parent, path: node.path };
                let on_mainline = before.is_empty();
                return Ok(Step { parents: vec![only], is_change: false, on_mainline, boundary });
            }
            before.push((*parent, parent_tree, there));
        }
        let mut next = Vec::with_capacity(parents.len());
        for (commit, parent_tree, there) in before {
            let path = match (here, there) {
                (Some(entry), None) => self.name_before(node.path, entry, parent_tree, tree)?,
                _ => node.path,
            };
            next.push(Node { commit, path });
        }
        let on_mainline = next.len() == 1;
        Ok(Step { parents: next, is_change: true, on_mainline, boundary })
    }

    /// Goes on to the first parent on the word of a filter, and remembers from where.
    fn skip(&mut self, node: Node, first: CommitIx) -> Step {
        let parent = Node { commit: first, path: node.path };
        let start = self.skipped_from.get(&node).copied().unwrap_or(node);
        self.skipped_from.insert(parent, start);
        Step { parents: vec![parent], is_change: false, on_mainline: true, boundary: false }
    }

    /// At the end of a line of commits that were skipped the path must be what it is at the beginning.
    fn check_skipped(&mut self, node: Node, here: Option<Entry>) -> Result<()> {
        let Some(start) = self.skipped_from.get(&node).copied() else { return Ok(()) };
        if same(self.entry(start)?, here) {
            return Ok(());
        }
        Err(self.ancestry.filter_lied(start.commit))
    }

    /// The name in the parent of a path that the parent lacks.
    fn name_before(
        &mut self,
        path: PathIx,
        entry: Entry,
        parent_tree: TreeId,
        tree: TreeId,
    ) -> Result<PathIx> {
        if self.follow == Follow::NameOnly {
            return Ok(path);
        }
        let name = self.names[path.0 as usize].path();
        Ok(match self.renames.source_of(parent_tree, tree, name, entry)? {
            Some(source) => self.intern(&source),
            None => path,
        })
    }

    /// Makes known what must be known before the parents of `start` can be put in order: all that is reachable, up
    /// to the one commit through which everything else is reached.
    fn explore(&mut self, start: Node) -> Result<()> {
        let mut frontier = BinaryHeap::from([self.frontier(start)?]);
        let mut is_line = true;
        while let Some(next) = frontier.pop() {
            let step = self.step(next.node)?;
            is_line &= step.parents.len() <= 1;
            for parent in &step.parents {
                let children = self.children_left.entry(*parent).or_default();
                *children += 1;
                if *children == 1 {
                    frontier.push(self.frontier(*parent)?);
                }
            }
            self.explored.insert(next.node, step);
            if frontier.len() == 1 && (is_line || self.closes(&frontier)) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Whether the one commit left is not an ancestor's descendant: nothing explored can lie below it.
    fn closes(&self, frontier: &BinaryHeap<Frontier>) -> bool {
        frontier.peek().is_some_and(|last| last.generation != UNKNOWN_GENERATION)
    }

    fn frontier(&mut self, node: Node) -> Result<Frontier> {
        let Lineage { generation, seconds, .. } = self.ancestry.lineage(node.commit)?;
        Ok(Frontier { generation, seconds, node })
    }

    fn entry_in(&mut self, tree: TreeId, path: PathIx) -> Result<Option<Entry>> {
        self.names[path.0 as usize].in_tree(self.ancestry.objects(), tree)
    }

    fn intern(&mut self, path: &RepoPath) -> PathIx {
        let at = self.names.iter().position(|known| known.path() == path).unwrap_or_else(|| {
            self.names.push(PathEntries::new(path.clone()));
            self.names.len() - 1
        });
        PathIx(at as u32)
    }
}

/// A commit to be explored, the furthest from the roots first.
#[derive(PartialEq, Eq)]
struct Frontier {
    generation: u32,
    seconds: i64,
    node: Node,
}

impl Ord for Frontier {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let rank = |frontier: &Self| (frontier.generation, frontier.seconds, frontier.node.commit);
        rank(self).cmp(&rank(other)).then_with(|| self.node.path.0.cmp(&other.node.path.0))
    }
}

impl PartialOrd for Frontier {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
