//! A branch merged into another with a merge commit, as `git merge --no-ff` does: how a rollback branch is published.
//!
//! There is no new way to merge or to land here: the merge engine decides the tree and the plan lands like any other.
//! A merge that is not clean is reported. Nothing is written.

use std::rc::Rc;

use super::prepared::{Prepared, PreparedCommit};
use super::{AttemptResult, Plan, PlanOptions};
use crate::error::{Error, Result};
use crate::history::paths_between;
use crate::id::CommitId;
use crate::merge::{Engine, Labels, Options};
use crate::message::Message;
use crate::path::RepoPath;
use crate::repo::Repo;
use crate::strategy::{Attempt, Scope, Step, Strategy};

/// What is merged into what.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BranchMerge {
    /// The branch to merge, by its short name.
    pub branch: String,
    /// The branch that takes it, by its short name.
    pub into: String,
    /// The message of the merge commit.
    pub message: String,
}

/// What merging a branch would come to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlannedMerge {
    /// A plan that is to land on the branch that takes it: without another destination.
    Clean(Box<Plan>),
    /// The branch was merged before.
    AlreadyMerged,
    /// It conflicts at these paths, or cannot be decided where there are none.
    Conflicts(Vec<RepoPath>),
}

impl Repo {
    /// The merge of a branch into another with a merge commit, even where the other could be moved forward.
    ///
    /// # Errors
    /// [`RevisionError::Unknown`](crate::error::RevisionError::Unknown), [`Error::BadRequest`] for branches that share
    /// no history.
    pub fn plan_merge(&self, merge: &BranchMerge) -> Result<PlannedMerge> {
        let full = |branch: &str| format!("refs/heads/{branch}");
        let (ours, theirs) =
            (self.resolve_commit(&full(&merge.into))?, self.resolve_commit(&full(&merge.branch))?);
        let base = self.one_merge_base(ours, theirs)?;
        if base == theirs {
            return Ok(PlannedMerge::AlreadyMerged);
        }
        let options = PlanOptions { onto: Some(full(&merge.into)), ..PlanOptions::default() };
        let mut plan = self.plan_with_edits(None, &[], Some(&merge.message), &options)?;
        let objects = Rc::new(self.objects());
        let (base, before) = (objects.commit(base)?.tree, objects.commit(ours)?.tree);
        let after = objects.commit(theirs)?.tree;
        let mut engine = Engine::over(objects.clone(), Options::from_config(self)?)?;
        let labels = Labels::new("base", merge.into.as_str(), merge.branch.as_str());
        let merged = engine.merge(base, before, after, &labels)?;
        if !merged.is_clean() {
            let paths = merged.conflicts.into_iter().map(|conflict| conflict.path).collect();
            return Ok(PlannedMerge::Conflicts(paths));
        }
        let changes = paths_between(&objects, before, merged.tree_id)?;
        let mut attempt = Attempt::new(Strategy::Set);
        attempt.result = AttemptResult::Clean;
        attempt.tree_id = Some(merged.tree_id);
        attempt.paths_touched = changes.iter().map(|change| change.path.clone()).collect();
        attempt.scope = Some(Scope::Paths(attempt.paths_touched.clone()));
        attempt.changes = changes;
        attempt.steps = vec![Step::new(theirs, merged.tree_id, Vec::new())];
        let commit = PreparedCommit {
            tree: merged.tree_id,
            message: Message::of_text(&merge.message, &self.message_style()),
            author: None,
            merged: Some(theirs),
        };
        plan.message = Some(commit.message.text.to_string());
        plan.attempts = vec![attempt];
        plan.chosen = Some(0);
        plan.prepared = Prepared::new(vec![commit], objects.take_new())?;
        Ok(PlannedMerge::Clean(Box::new(plan)))
    }

    /// The one commit from which both went apart.
    fn one_merge_base(&self, ours: CommitId, theirs: CommitId) -> Result<CommitId> {
        let objects = self.objects();
        let bases = objects
            .gix()
            .merge_bases_many(ours.0.0, &[theirs.0.0])
            .map_err(|error| Error::internal("cannot find where the branches went apart", error))?;
        match bases.as_slice() {
            [one] => Ok(CommitId::from(one.detach())),
            [] => Err(Error::BadRequest("the branches share no history".into())),
            _ => Err(Error::BadRequest("the branches went apart in more than one place".into())),
        }
    }
}
