//! From a plan to a landing: is it still true, may it land, where does it go, and which commits does it make.

use bstr::BString;

use super::commit::NewCommit;
use super::{Landing, Need, RefUpdate, land, preflight};
use crate::error::{Error, Result};
use crate::id::CommitId;
use crate::journal::StateFile;
use crate::message::{Message, Trailer};
use crate::operation::OperationId;
use crate::plan::{Attempt, LossClass, NoteKind, Plan, PlanOptions};
use crate::receipt::{ApplyOptions, CommitTime, Destination, Outcome, OutcomeKind, Receipt};
use crate::repo::identity::Role;
use crate::repo::refs::Head;
use crate::repo::{Objects, Repo, Signature};
use crate::strategy::Strategy;
use crate::target::Target;

impl Repo {
    /// Lands the chosen rung of `plan`, or says why there is nothing to land.
    ///
    /// A plan that was kept in a file, or whose branch has moved, is computed again first. It still counts where the
    /// planned paths are as they were and the rollback does the same to them.
    ///
    /// # Writes
    /// Objects, the index and work tree where the branch is checked out, the branch and its reflog, in this order,
    /// so that whoever looks in between never finds a reference to a missing object.
    ///
    /// # Errors
    /// Refusals, all of them before the first write: [`Error::LossNotAllowed`], [`Error::UpstreamAhead`],
    /// [`Error::Moved`], [`Error::InTheWay`], [`Error::CaseCollision`], [`Error::HostilePath`],
    /// [`Error::BranchExists`], [`Error::NoIdentity`], [`Error::OperationInProgress`] and their kin.
    pub fn apply(&self, plan: Plan, options: &ApplyOptions) -> Result<Receipt> {
        let plan = self.still_true(plan)?;
        let Some(attempt) = plan.chosen_attempt() else { return Ok(not_landed(plan)) };
        refuse_loss(attempt, options)?;
        refuse_stale(&plan, options)?;
        self.preflight(&plan.request.options, options)?;
        let goal = self.goal(&plan, options)?;
        if let Goal::Reference { name, old: Some(found), fresh: true, .. } = &goal {
            return self.branch_that_exists(plan, name.clone(), *found);
        }
        self.land_on(plan, goal, options)
    }

    /// Refuses what could not land whatever the plan says, so that a refusal comes before any long work.
    ///
    /// # Errors
    /// [`Error::NeedsWorkTree`], [`Error::Unborn`], [`Error::OperationInProgress`], [`Error::Unmerged`],
    /// [`Error::NoIdentity`], [`Error::Locked`], [`Error::Io`] for a git directory that cannot be written.
    pub fn preflight(&self, planning: &PlanOptions, landing: &ApplyOptions) -> Result<()> {
        let elsewhere = match &planning.onto {
            Some(onto) => !self.is_on(&self.full_name(onto))?,
            None => false,
        };
        let work_tree = match &landing.destination {
            Destination::Branch(_) => None,
            Destination::CurrentBranch if elsewhere => None,
            Destination::CurrentBranch => Some("landing on the current branch"),
            Destination::Stage => Some("staging a result"),
        };
        let identity = landing.identity.is_none() && landing.destination != Destination::Stage;
        preflight(self, Need { work_tree, identity, continues: false })
    }

    /// The plan itself where it was just made; elsewhere the plan as it is now, if it still does the same.
    fn still_true(&self, plan: Plan) -> Result<Plan> {
        let tip = self.tip(&plan.request.options)?;
        if plan.prepared.is_some() && tip == plan.tip {
            return Ok(plan);
        }
        let again = self.plan(&plan.request.target, &plan.request.options)?;
        if plan.tip.commit_id == again.tip.commit_id && same_result(&plan, &again)
            || self.does_the_same(&plan, &again)?
        {
            return Ok(again);
        }
        Err(Error::Moved {
            reference: plan.tip.reference,
            expected: plan.tip.commit_id,
            found: again.tip.commit_id,
        })
    }

    /// Whether the planned paths are at the new tip what they were at the old one, and become the same.
    fn does_the_same(&self, old: &Plan, new: &Plan) -> Result<bool> {
        let mut then = old.request.options.clone();
        then.onto = Some(old.tip.commit_id.to_string());
        let old = &match self.plan(&old.request.target, &then) {
            Ok(recomputed) if same_result(old, &recomputed) => recomputed,
            _ => return Ok(false),
        };
        let (Some(one), Some(other)) = (old.chosen_attempt(), new.chosen_attempt()) else { return Ok(false) };
        let (Some(old_result), Some(new_result)) = (one.tree_id, other.tree_id) else { return Ok(false) };
        if one.strategy != other.strategy || one.paths_touched != other.paths_touched {
            return Ok(false);
        }
        let objects = self.objects();
        objects.insert_new(old.prepared.objects())?;
        objects.insert_new(new.prepared.objects())?;
        let (before, now) =
            (objects.commit(old.tip.commit_id)?.tree, objects.commit(new.tip.commit_id)?.tree);
        for path in &one.paths_touched {
            if objects.entry_at(before, path)? != objects.entry_at(now, path)?
                || objects.entry_at(old_result, path)? != objects.entry_at(new_result, path)?
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn goal(&self, plan: &Plan, options: &ApplyOptions) -> Result<Goal> {
        let reference = |checkout| Goal::Reference {
            name: plan.tip.reference.clone(),
            old: Some(plan.tip.commit_id),
            checkout,
            fresh: false,
        };
        match (&options.destination, &plan.request.options.onto) {
            (Destination::Stage, Some(_)) => Err(Error::BadRequest(
                "a result that is based on another revision cannot be staged here".into(),
            )),
            (Destination::Stage, None) => Ok(Goal::Stage),
            (Destination::Branch(short), _) => {
                let name = format!("refs/heads/{short}");
                let old = self.read_reference(name.as_bytes())?;
                Ok(Goal::Reference { name, old, checkout: false, fresh: true })
            }
            (Destination::CurrentBranch, None) => Ok(reference(true)),
            (Destination::CurrentBranch, Some(_)) if self.is_on(&plan.tip.reference)? => Ok(reference(true)),
            (Destination::CurrentBranch, Some(onto)) => {
                if !plan.tip.reference.starts_with("refs/heads/") {
                    return Err(Error::BadRequest(format!("'{onto}' is no branch: name one for the result")));
                }
                Ok(reference(false))
            }
        }
    }

    fn is_on(&self, reference: &str) -> Result<bool> {
        Ok(match self.head()? {
            Head::Branch { name, .. } => name == reference,
            Head::Detached(_) => reference == "HEAD",
        })
    }

    /// A branch of the name is there: nothing to do where it holds this very result, a refusal elsewhere.
    fn branch_that_exists(&self, plan: Plan, name: String, found: CommitId) -> Result<Receipt> {
        let steps = plan.chosen_attempt().map_or(0, |attempt| attempt.steps.len());
        let result = plan.chosen_attempt().and_then(|attempt| attempt.tree_id);
        let objects = self.objects();
        let mut at = objects.commit(found)?;
        let same_tree = Some(at.tree) == result;
        for _ in 0..steps {
            let Some(parent) = at.parents.first() else { break };
            at = objects.commit(*parent)?;
        }
        if same_tree && at.id == plan.tip.commit_id {
            let mut receipt = receipt(plan, OutcomeKind::NothingToDo);
            receipt.outcome.reference = Some(name);
            return Ok(receipt);
        }
        let branch = name.trim_start_matches("refs/heads/").to_owned();
        Err(Error::BranchExists { branch, found })
    }

    fn land_on(&self, plan: Plan, goal: Goal, options: &ApplyOptions) -> Result<Receipt> {
        let objects = self.objects();
        objects.insert_new(plan.prepared.objects())?;
        let head_tree = objects.commit(plan.tip.commit_id)?.tree;
        let result_tree = plan
            .chosen_attempt()
            .and_then(|attempt| attempt.tree_id)
            .ok_or_else(|| Error::BadRequest("the chosen rung has no result".into()))?;
        let builder = Builder { repo: self, objects: &objects, plan: &plan, options };
        match goal {
            Goal::Stage => {
                let state_files = builder.state_of_staged();
                let landing = Landing {
                    objects: plan.prepared.objects().to_vec(),
                    head_tree,
                    result_tree,
                    reference: None,
                    checkout: true,
                    state_files,
                    index_stages: Vec::new(),
                };
                let landed = land(self, &landing, &Default::default())?;
                let mut receipt = receipt(plan, OutcomeKind::Staged);
                receipt.outcome.later_failure = landed.later_failure.map(|error| error.to_string());
                Ok(receipt)
            }
            Goal::Reference { name, old, checkout, .. } => {
                let operation = OperationId::random()?;
                let commits = builder.commits(&operation)?;
                let new = *commits.ids.last().ok_or_else(|| Error::BadRequest("nothing to commit".into()))?;
                let landing = Landing {
                    objects: objects.take_new(),
                    head_tree,
                    result_tree,
                    reference: Some(RefUpdate {
                        name: name.as_str().into(),
                        old,
                        new,
                        reflog: commits.reflog,
                        committer: commits.committer,
                    }),
                    checkout,
                    state_files: Vec::new(),
                    index_stages: Vec::new(),
                };
                let landed = land(self, &landing, &Default::default())?;
                let mut receipt = receipt(plan, OutcomeKind::Committed);
                receipt.outcome.commit_ids = commits.ids;
                receipt.outcome.operation_id = Some(operation.to_string());
                receipt.outcome.reference = Some(name);
                receipt.outcome.later_failure = landed.later_failure.map(|error| error.to_string());
                Ok(receipt)
            }
        }
    }
}

/// Whether both plans would do the same by the same way; two that would do nothing are the same.
fn same_result(one: &Plan, other: &Plan) -> bool {
    match (one.chosen_attempt(), other.chosen_attempt()) {
        (None, None) => true,
        (Some(one), Some(other)) => one.strategy == other.strategy && one.tree_id == other.tree_id,
        _ => false,
    }
}

/// Where the result goes.
enum Goal {
    /// Index and work tree.
    Stage,
    /// A reference; `fresh` where it is to be made and must not be there.
    Reference { name: String, old: Option<CommitId>, checkout: bool, fresh: bool },
}

fn refuse_loss(attempt: &Attempt, options: &ApplyOptions) -> Result<()> {
    let loss = &attempt.loss;
    if options.allow_loss || loss.class != LossClass::Snapshot || loss.discards.is_empty() {
        return Ok(());
    }
    Err(Error::LossNotAllowed { discards: loss.discards.clone(), paths: attempt.paths_touched.clone() })
}

fn refuse_stale(plan: &Plan, options: &ApplyOptions) -> Result<()> {
    let ahead = plan.notes.iter().find(|note| note.kind == NoteKind::UpstreamAhead);
    match ahead {
        Some(note) if !options.stale_ok => Err(Error::UpstreamAhead {
            upstream: note.reference.clone().unwrap_or_default(),
            count: note.commits.len(),
            path: note.paths.first().cloned().unwrap_or_default(),
        }),
        _ => Ok(()),
    }
}

fn not_landed(plan: Plan) -> Receipt {
    let kind = if plan.is_nothing_to_do() { OutcomeKind::NothingToDo } else { OutcomeKind::NotLanded };
    receipt(plan, kind)
}

fn receipt(plan: Plan, kind: OutcomeKind) -> Receipt {
    Receipt {
        plan,
        outcome: Outcome {
            kind,
            commit_ids: Vec::new(),
            operation_id: None,
            reference: None,
            later_failure: None,
        },
    }
}

/// Builds the commits of a plan on top of its tip.
struct Builder<'a> {
    repo: &'a Repo,
    objects: &'a Objects,
    plan: &'a Plan,
    options: &'a ApplyOptions,
}

struct Built {
    ids: Vec<CommitId>,
    reflog: BString,
    committer: Signature,
}

impl Builder<'_> {
    fn commits(&self, operation: &OperationId) -> Result<Built> {
        let committer = self.actor(Role::Committer)?;
        let author = self.actor(Role::Author)?;
        let sign = self.options.sign.unwrap_or_else(|| self.repo.signs_commits());
        let prepared = self.plan.prepared.commits().unwrap_or_default();
        let mut parent = self.plan.tip.commit_id;
        let mut ids = Vec::new();
        let mut reflog = BString::default();
        for one in prepared {
            let message = self.finished(&one.message, operation);
            let commit = NewCommit {
                tree: one.tree,
                parent,
                author: one.author.as_ref().unwrap_or(&author),
                committer: &committer,
                message: &message,
            };
            parent = commit.write(self.objects, sign)?;
            ids.push(parent);
            reflog = message.reflog_line(self.verb());
        }
        Ok(Built { ids, reflog, committer })
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

    /// What git leaves after `-n`, so that the commit that follows has its message.
    fn state_of_staged(&self) -> Vec<StateFile> {
        let Some(message) = &self.plan.message else { return Vec::new() };
        let mut files = vec![StateFile::write("MERGE_MSG", message.as_bytes())];
        let attempt = self.plan.chosen_attempt();
        if let Some(Strategy::RevertCommit | Strategy::RevertMerge) = attempt.map(|one| one.strategy)
            && let Some(commit) = attempt.and_then(|one| one.commit_id)
        {
            files.push(StateFile::write("REVERT_HEAD", format!("{commit}\n")));
        }
        files
    }
}
