//! The engine: options, caches and buffers that outlive a merge.

use std::rc::Rc;

use super::case::{Case, Info, Stop};
use super::content::Content;
use super::pack::PackFiles;
use super::rename::Followed;
use super::store::{Keep, Store};
use super::{Labels, Merged, Options, ReviewReason, Verdict};
use crate::conflict::{Conflict, ConflictKind, Stages};
use crate::error::Result;
use crate::id::{Entry, ObjectId, TreeId};
use crate::path::RepoPath;
use crate::repo::{Objects, Repo};

/// Merges trees; keep one for many merges, it reuses what it has read.
pub struct Engine {
    store: Store,
    content: Content,
    options: Options,
}

impl Engine {
    /// An engine with a view of the repository of its own. It tells what comes of merges; the objects that these
    /// would create are not kept.
    ///
    /// # Errors
    /// [`crate::Error::Internal`] for attributes that cannot be read.
    pub fn new(repo: &Repo, options: Options) -> Result<Self> {
        let objects = repo.objects();
        let packs = PackFiles::open(objects.gix());
        Self::with(Rc::new(objects), packs, options, Keep::Nothing)
    }

    /// As [`Engine::new`], with packs that several engines share.
    pub(super) fn sharing(packs: PackFiles, repo: &Repo, options: Options) -> Result<Self> {
        Self::with(Rc::new(repo.objects()), packs, options, Keep::Nothing)
    }

    /// Makes engines for threads that merge at the same time: they share the packs of the repository, and each has a view
    /// of its own.
    pub(crate) fn makers<'r>(
        repo: &'r Repo,
        options: &'r Options,
    ) -> impl Fn() -> Result<Self> + Sync + use<'r> {
        let packs = PackFiles::open(&repo.local());
        move || Self::sharing(packs.clone(), repo, options.clone())
    }

    /// An engine over a view that others use too: trees created there can be merged here, and what is created
    /// here can be read there.
    pub(crate) fn over(objects: Rc<Objects>, options: Options) -> Result<Self> {
        let packs = PackFiles::open(objects.gix());
        Self::with(objects, packs, options, Keep::Everything)
    }

    fn with(objects: Rc<Objects>, packs: PackFiles, options: Options, keep: Keep) -> Result<Self> {
        let content = Content::new(&objects, options.git.clone())?;
        Ok(Self { store: Store::new(objects, packs, keep), content, options })
    }

    /// The tree that a full id stands for: its own, or that of the commit or tag.
    pub(super) fn tree_behind(&mut self, id: ObjectId) -> Result<TreeId> {
        self.store.peel_to_tree(id.0).map(TreeId::from)
    }

    /// Merges what led from `base` to `theirs` into `ours`.
    ///
    /// # Errors
    /// [`ObjectError::Missing`](crate::error::ObjectError::Missing) and
    /// [`ObjectError::Corrupt`](crate::error::ObjectError::Corrupt) for what the merge had to read;
    /// [`crate::Error::Cancelled`] soon after the token of [`Repo::cancelled_by`] is cancelled.
    pub fn merge(&mut self, base: TreeId, ours: TreeId, theirs: TreeId, labels: &Labels) -> Result<Merged> {
        self.store.begin();
        let mut case = Case::new(&mut self.store, &mut self.content, &self.options, labels);
        match case.run(base, ours, theirs) {
            Ok(merged) => Ok(merged),
            Err(Stop::Error(error)) => Err(error),
            Err(Stop::Review(reason)) => Ok(needs_review(ours, reason)),
        }
    }
}

fn needs_review(ours: TreeId, reason: ReviewReason) -> Merged {
    Merged {
        tree_id: ours,
        verdict: Verdict::NeedsReview(reason),
        conflicts: Vec::new(),
        auto_merged: Vec::new(),
    }
}

impl Case<'_> {
    fn run(&mut self, base: TreeId, ours: TreeId, theirs: TreeId) -> Result<Merged, Stop> {
        let (base, theirs) = (self.shifted(ours, base)?, self.shifted(ours, theirs)?);
        self.collect(base, ours, theirs)?;
        if self.follow_renames()? == Followed::WalkAgain {
            self.collect(base, ours, theirs)?;
            self.follow_renames()?;
        }
        let tree = self.decide()?;
        let conflicts = self.conflicts();
        let mut auto_merged = std::mem::take(&mut self.auto_merged);
        auto_merged.sort();
        auto_merged.dedup();
        Ok(Merged {
            tree_id: tree.into(),
            verdict: if conflicts.is_empty() { Verdict::Clean } else { Verdict::Conflicted },
            conflicts,
            auto_merged,
        })
    }

    fn conflicts(&mut self) -> Vec<Conflict> {
        let on_paths = std::mem::take(&mut self.conflicted);
        let loose = std::mem::take(&mut self.loose_conflicts);
        let mut conflicts: Vec<Conflict> = on_paths
            .into_iter()
            .map(|(path, kind, info)| Conflict::new(self.repo_path(path), kind, stages(&info)))
            .chain(loose.into_iter().map(|(path, kind)| without_stages(self.repo_path(path), kind)))
            .collect();
        conflicts.sort_by(|a, b| a.path.cmp(&b.path));
        conflicts
    }
}

fn without_stages(path: RepoPath, kind: ConflictKind) -> Conflict {
    Conflict::new(path, kind, Stages::default())
}

fn stages(info: &Info) -> Stages {
    let entry = |side: usize| {
        let version = &info.stages[side];
        (info.filemask & (1 << side) != 0).then_some(Entry { mode: version.mode, id: ObjectId(version.id) })
    };
    Stages { base: entry(0), ours: entry(1), theirs: entry(2) }
}
