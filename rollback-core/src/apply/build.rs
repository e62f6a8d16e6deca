//! From a plan to what is landed: its commits, its reference, and the files that git expects beside a staged result.

use std::collections::BTreeMap;

use bstr::BString;

use super::commit::NewCommit;
use super::hooks::{self, LandingHooks, Source};
use super::log::{LOG_VERSION, LogDraft, LoggedOperation};
use super::{Landing, RefUpdate};
use crate::error::{Error, Result};
use crate::id::CommitId;
use crate::journal::StateFile;
use crate::message::{self, Message, Trailer};
use crate::operation::OperationId;
use crate::path::RepoPath;
use crate::plan::Plan;
use crate::receipt::{ApplyOptions, CommitTime, Outcome, Receipt};
use crate::repo::identity::Role;
use crate::repo::{Objects, Repo, Signature};
use crate::strategy::Strategy;
use crate::target::Target;

/// Builds the commits of a plan on top of its tip.
pub(super) struct Builder<'a> {
    pub(super) repo: &'a Repo,
    pub(super) objects: &'a Objects,
    pub(super) plan: &'a Plan,
    pub(super) options: &'a ApplyOptions,
}

/// Commits that were built, and how their reference moves.
pub(super) struct Built {
    pub(super) ids: Vec<CommitId>,
    /// The messages, where a hook has changed one.
    pub(super) changed: BTreeMap<usize, BString>,
    reflog: BString,
    committer: Signature,
}

impl Builder<'_> {
    /// Builds the commits, each the parent of the next, with the messages that the hooks leave.
    pub(super) fn commits(&self, operation: &OperationId, hooks: &mut LandingHooks<'_>) -> Result<Built> {
        let committer = self.actor(Role::Committer)?;
        let author = self.actor(Role::Author)?.line();
        let sign = self.options.sign.unwrap_or_else(|| self.repo.signs_commits());
        let prepared = self.plan.prepared.commits().unwrap_or_default();
        let mut parent = self.plan.tip.commit_id;
        let mut before = self.objects.commit(parent)?.tree;
        let (mut ids, mut changed) = (Vec::new(), BTreeMap::new());
        let mut reflog = BString::default();
        for one in prepared {
            let wanted = self.finished(&one.message, operation);
            let change = hooks::Change { plan: self.plan, objects: self.objects, before, after: one.tree };
            let message = hooks.prepare(wanted.clone(), &change, Source::Message)?;
            if message.text != wanted.text {
                changed.insert(ids.len(), message.text.clone());
            }
            before = one.tree;
            let commit = NewCommit {
                tree: one.tree,
                parent: Some(parent),
                merged: one.merged,
                author: one.author.as_ref().unwrap_or(&author),
                committer: &committer,
                message: &message,
            };
            parent = commit.write(self.objects, sign)?;
            ids.push(parent);
            reflog = message.reflog_line(self.verb());
        }
        Ok(Built { ids, changed, reflog, committer })
    }

    /// The message with the id of the operation, where it carries provenance at all.
    fn finished(&self, message: &Message, operation: &OperationId) -> Message {
        match self.plan.request.target {
            Target::Paths(_) => {
                let trailer = Trailer::new(Trailer::OPERATION, operation.to_string());
                message.clone().with_trailer(&trailer, &self.repo.message_style())
            }
            _ => message.clone(),
        }
    }

    fn verb(&self) -> &'static str {
        match self.plan.chosen_attempt().map(|attempt| attempt.strategy) {
            Some(Strategy::CherryPick) => "cherry-pick",
            Some(Strategy::RestoreFile) => "restore",
            Some(Strategy::Set) => "set",
            _ => "revert",
        }
    }

    fn actor(&self, role: Role) -> Result<Signature> {
        let mut actor = match &self.options.identity {
            Some(given) => Signature {
                name: given.name.as_str().into(),
                email: given.email.as_str().into(),
                ..Signature::default()
            },
            None => self.repo.identity(role)?,
        };
        if let Some(time) = self.options.time.or_else(|| actor.time.is_empty().then(CommitTime::now)) {
            actor.seconds = time.seconds;
            actor.time = time.to_string();
        }
        Ok(actor)
    }

    /// The landing that moves a reference to the commits.
    pub(super) fn committed(
        &self,
        commits: Built,
        name: &str,
        old: Option<CommitId>,
        checkout: bool,
    ) -> Result<Landing> {
        let new = commits.ids.last().copied();
        let new = new.ok_or_else(|| Error::BadRequest("the chosen rung makes no commit".into()))?;
        let reference = RefUpdate {
            name: name.into(),
            old,
            new: Some(new),
            reflog: commits.reflog,
            committer: commits.committer,
        };
        Ok(Landing { reference: Some(reference), checkout, ..self.bare_landing()? })
    }

    /// The landing that only fills index and work tree.
    pub(super) fn staged(&self) -> Result<Landing> {
        Ok(Landing { checkout: true, state_files: self.state_of_staged(), ..self.bare_landing()? })
    }

    /// What the operation log is told of the landing.
    pub(super) fn logged(&self, landing: &Landing, outcome: &Outcome, checked_out: &str) -> Result<LogDraft> {
        let seconds = self.options.time.map_or_else(|| self.repo.recorder().seconds, |time| time.seconds);
        let tip = self.plan.tip.commit_id;
        let receipt = Receipt { plan: self.plan.clone(), outcome: outcome.clone() };
        let mut receipt = serde_json::to_vec_pretty(&receipt)
            .map_err(|error| Error::internal("cannot write the receipt", error))?;
        receipt.push(b'\n');
        let moved = landing.reference.as_ref();
        let operation = LoggedOperation {
            version: LOG_VERSION,
            operation_id: outcome.operation_id.clone().unwrap_or_default(),
            time: seconds,
            kind: self.plan.chosen_attempt().map_or("none", |attempt| attempt.strategy.name()).into(),
            target: words_of(&self.plan.request.target),
            reference: moved.map_or_else(|| checked_out.into(), |moved| RepoPath::new(moved.name.as_slice())),
            before: moved.map_or(Some(tip), |moved| moved.old),
            after: moved.map_or(Some(tip), |moved| moved.new),
            commit_ids: outcome.commit_ids.clone(),
            staged: moved.is_none(),
            tree_before: landing.head_tree,
            tree_after: landing.result_tree,
            undoes: None,
            paths: Vec::new(),
            state_files: Vec::new(),
            states: None,
            outside: None,
            edits: None,
            stopped: false,
            continues: None,
        };
        Ok(LogDraft::new(operation, receipt))
    }

    fn bare_landing(&self) -> Result<Landing> {
        let result_tree = self.plan.chosen_attempt().and_then(|attempt| attempt.tree_id);
        let head_tree = self.repo.base_tree(self.plan, self.objects)?;
        let result_tree =
            result_tree.ok_or_else(|| Error::BadRequest("the chosen rung has no result".into()))?;
        Ok(Landing { objects: self.objects.take_new(), ..Landing::of_trees(head_tree, result_tree) })
    }

    /// What git leaves after `-n`, so that the commit that follows has its message.
    fn state_of_staged(&self) -> Vec<StateFile> {
        let Some(commit) = self.plan.prepared.commits().and_then(<[_]>::last) else { return Vec::new() };
        let options = &self.plan.request.options.message;
        let text = message::merge_msg(&commit.message.text, options, &self.repo.message_style(), &[]);
        let mut files = vec![StateFile::write("MERGE_MSG", text)];
        let attempt = self.plan.chosen_attempt();
        if let Some(Strategy::RevertCommit | Strategy::RevertMerge) = attempt.map(|one| one.strategy)
            && let Some(last) = attempt.and_then(|one| one.steps.last())
        {
            files.push(StateFile::write("REVERT_HEAD", format!("{}\n", last.commit_id)));
        }
        files
    }
}

/// The target in a few words.
pub(crate) fn words_of(target: &Target) -> String {
    let paths = |paths: &[RepoPath]| paths.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    match target {
        Target::Commits(commits) | Target::Pick(commits) if commits.paths.is_empty() => {
            commits.revisions.join(" ")
        }
        Target::Commits(commits) | Target::Pick(commits) => {
            format!("{} -- {}", commits.revisions.join(" "), paths(&commits.paths))
        }
        Target::Paths(target) => paths(&target.paths),
        Target::Restore(target) => paths(&target.paths),
        Target::To(target) if target.paths.is_empty() => format!("--to {}", target.revision),
        Target::To(target) => format!("--to {} -- {}", target.revision, paths(&target.paths)),
    }
}
