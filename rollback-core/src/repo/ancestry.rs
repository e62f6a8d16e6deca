//! Commits as a graph: parents, root tree and generation of each, from the commit-graph file where there is one.
//!
//! A commit-graph is an index that can be stale or damaged; it never decides what is true. It is left out where
//! git leaves it out (shallow clones, replacement objects, `core.commitGraph=false`), and a question that fails
//! with it is asked again without it: [`with_ancestry`].

use std::collections::HashSet;

use gix::hashtable::HashMap;

use super::Objects;
use super::changed_paths::{ChangedPaths, PathKey};
use crate::error::{Error, ObjectError, Result, Source};
use crate::id::{CommitId, TreeId};
use crate::progress::{Count, Stage};

/// A commit by number: its position in the commit-graph, or past these in the order of discovery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct CommitIx(pub(crate) u32);

/// What the shape of history needs of one commit.
#[derive(Clone, Debug)]
pub(crate) struct Lineage {
    pub(crate) tree: TreeId,
    pub(crate) parents: Vec<CommitIx>,
    /// One more than the largest generation of the parents; [`UNKNOWN_GENERATION`] outside the commit-graph.
    pub(crate) generation: u32,
    /// The committer's time in seconds since the epoch.
    pub(crate) seconds: i64,
    /// Whether the commit has parents that a shallow clone does not hold. It looks like a root and is none.
    pub(crate) boundary: bool,
}

/// The generation of commits the commit-graph does not know. No such commit is an ancestor of one it knows.
pub(crate) const UNKNOWN_GENERATION: u32 = u32::MAX;

/// The graph of commits, read as it is walked.
pub(crate) struct Ancestry<'o> {
    objects: &'o Objects,
    graph: Option<gix::commitgraph::Graph>,
    filters: Option<ChangedPaths>,
    in_graph: u32,
    /// The boundary commits of a shallow clone, sorted.
    shallow: Vec<gix::ObjectId>,
    loose: Vec<Loose>,
    loose_by_id: HashMap<gix::ObjectId, u32>,
    count: Count,
    /// The commits of the graph that were counted.
    counted: HashSet<u32>,
    /// How often a commit was asked for, known ones too.
    #[cfg(test)]
    pub(crate) asked: usize,
}

/// A commit outside the commit-graph.
struct Loose {
    id: gix::ObjectId,
    lineage: Option<Lineage>,
}

/// Runs `ask` on the graph of commits; where it fails over an object with the help of the commit-graph file, once
/// more without that file, which may name objects that never were.
pub(crate) fn with_ancestry<'o, T>(
    objects: &'o Objects,
    mut ask: impl FnMut(Ancestry<'o>) -> Result<T>,
) -> Result<T> {
    let ancestry = Ancestry::new(objects)?;
    let graph_used = ancestry.graph.is_some();
    match ask(ancestry) {
        Err(Error::Object(ObjectError::Corrupt { .. } | ObjectError::Missing { .. })) if graph_used => {
            ask(Ancestry::without_graph(objects)?)
        }
        answer => answer,
    }
}

impl<'o> Ancestry<'o> {
    /// The graph of commits with the commit-graph file, where git would use it and it can be read.
    pub(crate) fn new(objects: &'o Objects) -> Result<Self> {
        let mut ancestry = Self::without_graph(objects)?;
        if ancestry.shallow.is_empty() {
            // A commit-graph that cannot be opened is as good as none: everything in it is in the objects too.
            ancestry.graph = objects.gix().commit_graph_if_enabled().ok().flatten();
            let graph = ancestry.graph.as_ref();
            ancestry.filters = graph.and_then(|graph| ChangedPaths::load(objects.gix(), graph));
            ancestry.in_graph = ancestry.graph.as_ref().map_or(0, gix::commitgraph::Graph::num_commits);
        }
        Ok(ancestry)
    }

    /// The graph of commits from the objects alone.
    pub(crate) fn without_graph(objects: &'o Objects) -> Result<Self> {
        let shallow = shallow_commits(objects)?;
        Ok(Self {
            objects,
            graph: None,
            filters: None,
            in_graph: 0,
            shallow,
            loose: Vec::new(),
            loose_by_id: HashMap::default(),
            count: objects.count(Stage::History, None),
            counted: HashSet::new(),
            #[cfg(test)]
            asked: 0,
        })
    }

    pub(crate) fn objects(&self) -> &'o Objects {
        self.objects
    }

    /// Whether the path is known to be in the commit what it is in its first parent. Known from a filter that can be
    /// damaged: see [`changed_paths`](super::changed_paths).
    pub(crate) fn is_unchanged(&self, ix: CommitIx, key: &PathKey) -> bool {
        ix.0 < self.in_graph
            && self.filters.as_ref().is_some_and(|filters| !filters.may_have_changed(ix.0, key))
    }

    /// The error for a commit whose filter said what the trees deny.
    pub(crate) fn filter_lied(&self, ix: CommitIx) -> Error {
        self.corrupt(ix, "a changed-path filter hides a change")
    }

    /// The number of a commit. The commit is not looked for yet.
    pub(crate) fn index_of(&mut self, id: CommitId) -> CommitIx {
        let id = id.gix();
        if let Some(position) = self.graph.as_ref().and_then(|graph| graph.lookup(id)) {
            return CommitIx(position.0);
        }
        let next = self.loose.len() as u32;
        let at = *self.loose_by_id.entry(id).or_insert(next);
        if at == next {
            self.loose.push(Loose { id, lineage: None });
        }
        CommitIx(self.in_graph + at)
    }

    /// The id of a numbered commit.
    pub(crate) fn id(&self, ix: CommitIx) -> CommitId {
        match (&self.graph, ix.0.checked_sub(self.in_graph)) {
            (Some(graph), None) => graph.id_at(gix::commitgraph::Position(ix.0)).to_owned().into(),
            (_, loose) => self.loose[loose.unwrap_or(ix.0) as usize].id.into(),
        }
    }

    /// Parents, tree and generation of a commit.
    ///
    /// # Errors
    /// [`ObjectError::Missing`] and [`ObjectError::Corrupt`] for a commit that cannot be read.
    pub(crate) fn lineage(&mut self, ix: CommitIx) -> Result<Lineage> {
        #[cfg(test)]
        {
            self.asked += 1;
        }
        let Some(at) = ix.0.checked_sub(self.in_graph) else {
            if self.count.is_read() && self.counted.insert(ix.0) {
                self.count.step();
            }
            return self.lineage_in_graph(ix);
        };
        if let Some(lineage) = &self.loose[at as usize].lineage {
            return Ok(lineage.clone());
        }
        let lineage = self.read(self.loose[at as usize].id)?;
        self.count.step();
        self.loose[at as usize].lineage = Some(lineage.clone());
        Ok(lineage)
    }

    fn lineage_in_graph(&self, ix: CommitIx) -> Result<Lineage> {
        self.objects.stop_if_cancelled()?;
        let graph = self.graph.as_ref().expect("numbers below in_graph are handed out with a graph only");
        let commit = graph.commit_at(gix::commitgraph::Position(ix.0));
        let parents = commit
            .iter_parents()
            .map(|parent| parent.map(|position| CommitIx(position.0)))
            .collect::<gix::Result<_>>()
            .map_err(|source| self.corrupt(ix, source))?;
        // Versions of git before 2.19 wrote zero for "not computed": such a graph orders nothing.
        let generation = commit.generation();
        if generation == 0 {
            return Err(self.corrupt(ix, "its generation is not computed"));
        }
        Ok(Lineage {
            tree: commit.root_tree_id().to_owned().into(),
            parents,
            generation,
            seconds: commit.committer_timestamp() as i64,
            boundary: false,
        })
    }

    /// Holds a parent against its child: a commit-graph in which generations do not fall could lead in circles.
    ///
    /// # Errors
    /// [`ObjectError::Corrupt`] where they do not.
    pub(crate) fn check_order(&self, child: CommitIx, generation: u32, parent: &Lineage) -> Result<()> {
        if generation == UNKNOWN_GENERATION || parent.generation < generation {
            return Ok(());
        }
        Err(self.corrupt(child, "its generation is not above that of its parents"))
    }

    fn corrupt(&self, ix: CommitIx, source: impl Into<Source>) -> Error {
        ObjectError::Corrupt { kind: "commit-graph entry", id: self.id(ix).0, source: source.into() }.into()
    }

    fn read(&mut self, id: gix::ObjectId) -> Result<Lineage> {
        let header = self.objects.commit_header(id.into())?;
        let boundary = self.shallow.binary_search(&id).is_ok();
        let parents = match boundary {
            true => Vec::new(),
            false => header.parents.into_iter().map(|parent| self.index_of(parent)).collect(),
        };
        Ok(Lineage {
            tree: header.tree,
            parents,
            generation: UNKNOWN_GENERATION,
            seconds: header.seconds,
            boundary,
        })
    }
}

/// Whether the clone is shallow and ends at this commit.
///
/// # Errors
/// [`Error::Internal`] where the list of boundary commits cannot be read.
pub(crate) fn is_boundary(objects: &Objects, commit: CommitId) -> Result<bool> {
    Ok(shallow_commits(objects)?.binary_search(&commit.gix()).is_ok())
}

/// The boundary commits of a shallow clone, sorted.
fn shallow_commits(objects: &Objects) -> Result<Vec<gix::ObjectId>> {
    let shallow = objects
        .gix()
        .shallow_commits()
        .map_err(|error| Error::internal("cannot read the list of shallow commits", error))?;
    Ok(shallow.map(|commits| commits.iter().copied().collect()).unwrap_or_default())
}
