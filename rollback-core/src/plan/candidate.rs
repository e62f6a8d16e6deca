//! A plan whose result was edited: what a procedure sets, removes, restores or leaves to a person to edit.
//!
//! The edits come on top of what the plan would commit, or of the tip where there is no plan. Nothing is written: the
//! new trees and blobs stay in memory until the plan lands like any other.

use super::prepared::{Prepared, PreparedCommit};
use super::{AttemptResult, Plan, PlanOptions, Request, ResolvedTarget, SCHEMA_VERSION, compute};
use crate::error::{Error, Result};
use crate::history::paths_between;
use crate::id::{CommitId, Entry, EntryMode, TreeId};
use crate::message::Message;
use crate::path::RepoPath;
use crate::repo::{Edits, Objects, Repo};
use crate::strategy::{Attempt, Scope, Step, Strategy};
use crate::target::{RestoreTarget, Target};

/// What a path of a result becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TreeEdit {
    /// The path.
    pub path: RepoPath,
    /// Its mode and bytes; `None` removes it.
    pub content: Option<(EntryMode, Vec<u8>)>,
}

/// The tree with the edits, in the memory of `objects`.
fn edited(objects: &Objects, tree: TreeId, edits: &[TreeEdit]) -> Result<TreeId> {
    let mut tree_edits = Edits::new();
    for edit in edits {
        let entry = match &edit.content {
            Some((mode, bytes)) => Some(Entry { mode: *mode, id: objects.write_blob(bytes)? }),
            None => None,
        };
        tree_edits.insert(edit.path.clone(), entry);
    }
    if tree_edits.is_empty() { Ok(tree) } else { objects.edit_tree(tree, &tree_edits) }
}

/// The commits, the last of which has this tree and, where one is given, this message; one commit where there are none.
fn with_last(
    commits: &[PreparedCommit],
    tree: TreeId,
    message: Option<Message>,
) -> Result<Vec<PreparedCommit>> {
    let mut commits = commits.to_vec();
    match commits.last_mut() {
        Some(last) => {
            last.tree = tree;
            last.message = message.unwrap_or_else(|| last.message.clone());
        }
        None => {
            let needed = || Error::BadRequest("a commit of edits needs a message".into());
            let message = message.ok_or_else(needed)?;
            commits.push(PreparedCommit { tree, message, author: None, merged: None });
        }
    }
    Ok(commits)
}

impl Repo {
    /// The commit that a plan with `options` would be based on now.
    ///
    /// # Errors
    /// [`RevisionError::Unborn`](crate::error::RevisionError::Unborn),
    /// [`RevisionError::Unknown`](crate::error::RevisionError::Unknown).
    pub fn plan_tip(&self, options: &PlanOptions) -> Result<super::Tip> {
        self.tip(options)
    }

    /// The plan `base` with `edits` on top of its result and, where given, another message for its last commit; a plan
    /// of one commit with these edits on the tip where there is no base.
    ///
    /// A result that is the tip itself is a plan without a chosen rung.
    ///
    /// # Errors
    /// [`Error::BadRequest`] for a base of which nothing is chosen, or that was read from a file.
    pub fn plan_with_edits(
        &self,
        base: Option<Plan>,
        edits: &[TreeEdit],
        message: Option<&str>,
        options: &PlanOptions,
    ) -> Result<Plan> {
        let objects = self.objects();
        let mut plan = match base {
            Some(base) => base,
            None => self.bare_plan(edits, options)?,
        };
        objects.insert_new(plan.prepared.objects())?;
        let tip_tree = objects.commit(plan.tip.commit_id)?.tree;
        let at = match plan.chosen {
            Some(at) => at,
            None if plan.attempts.is_empty() => 0,
            None => return Err(Error::BadRequest("there is no chosen rung to edit".into())),
        };
        let before = plan.attempts.get(at).and_then(|attempt| attempt.tree_id).unwrap_or(tip_tree);
        let tree = edited(&objects, before, edits)?;
        let message = message.map(|text| Message::of_text(text, &self.message_style()));
        let commits = with_last(plan.prepared.commits().unwrap_or_default(), tree, message)?;
        let changes = paths_between(&objects, tip_tree, tree)?;
        if plan.attempts.is_empty() {
            plan.attempts.push(Attempt::new(Strategy::Set));
        }
        let attempt = &mut plan.attempts[at];
        attempt.tree_id = Some(tree);
        attempt.paths_touched = changes.iter().map(|change| change.path.clone()).collect();
        attempt.result = if changes.is_empty() { AttemptResult::Empty } else { AttemptResult::Clean };
        attempt.changes = changes;
        if attempt.steps.is_empty() {
            attempt.scope = Some(Scope::Paths(attempt.paths_touched.clone()));
            attempt.steps.push(Step::new(plan.tip.commit_id, tree, Vec::new()));
        }
        for (step, commit) in attempt.steps.iter_mut().zip(&commits) {
            step.tree_id = commit.tree;
            step.message = commit.message.text.to_string();
        }
        plan.chosen = (attempt.result == AttemptResult::Clean).then_some(at);
        plan.message = commits.last().map(|commit| commit.message.text.to_string());
        plan.prepared = Prepared::new(commits, objects.take_new())?;
        Ok(plan)
    }

    /// A plan that does nothing yet.
    fn bare_plan(&self, edits: &[TreeEdit], options: &PlanOptions) -> Result<Plan> {
        let tip = self.tip(options)?;
        let paths = edits.iter().map(|edit| edit.path.clone()).collect();
        let target = Target::Restore(RestoreTarget { paths, source: None, overlay: true });
        Ok(Plan {
            schema_version: SCHEMA_VERSION,
            request: Request { target, options: options.clone() },
            repository: compute::repository(self),
            target: ResolvedTarget { kind: "edits".into(), ..ResolvedTarget::default() },
            tip,
            attempts: Vec::new(),
            chosen: None,
            message: None,
            notes: Vec::new(),
            checks: Vec::new(),
            cross_check: None,
            diff: None,
            prepared: Prepared::default(),
        })
    }

    /// Whether a commit has the path.
    ///
    /// # Errors
    /// Those of reading trees.
    pub fn has_path(&self, commit: CommitId, path: &RepoPath) -> Result<bool> {
        let objects = self.objects();
        Ok(objects.entry_at(objects.commit(commit)?.tree, path)?.is_some())
    }

    /// The tree that landing `plan` would make, readable at once through the plan.
    pub(crate) fn result_tree(&self, plan: &Plan) -> Option<TreeId> {
        plan.chosen_attempt().and_then(|attempt| attempt.tree_id)
    }
}
