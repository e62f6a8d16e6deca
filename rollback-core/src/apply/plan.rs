//! From a plan to a landing: is it still true, may it land, where does it go, and which commits does it make.

use bstr::ByteSlice;

use super::build::Builder;
use super::hooks::{self, LandingHooks, Occasion, Source};
use super::{Beside, LandOptions, Landing, Need, check_in_the_way, land, operation_left, preflight, recover};
use crate::error::{Error, LandingError, Result};
use crate::id::{CommitId, TreeId};
use crate::operation::OperationId;
use crate::plan::compare;
use crate::plan::{Attempt, NoteKind, Plan, PlanOptions};
use crate::receipt::{ApplyOptions, Destination, OnMoved, Outcome, OutcomeKind, Receipt, Recovery};
use crate::repo::refs::Head;
use crate::repo::{Objects, Repo};

impl Repo {
    /// Lands the chosen rung of `plan`, or says why there is nothing to land.
    ///
    /// A plan that was kept in a file, or whose branch has moved, is computed again first. It still counts where the
    /// planned paths are as they were and the rollback does the same to them.
    ///
    /// # Writes
    /// Objects, the index and work tree where the branch is checked out, the branch and its reflog, in this order,
    /// so that no reader in between finds a reference to a missing object.
    ///
    /// # Errors
    /// Refusals, all of them before the first write: [`LandingError::LossNotAllowed`], [`LandingError::UpstreamAhead`],
    /// [`LandingError::Moved`], [`WorkTreeError::InTheWay`], [`PathError::CaseCollision`], [`PathError::Hostile`],
    /// [`LandingError::BranchExists`], [`SettingError::NoIdentity`], [`WorkTreeError::OperationInProgress`],
    /// [`Error::Cancelled`] and their kin.
    ///
    /// [`WorkTreeError::InTheWay`]: crate::error::WorkTreeError::InTheWay
    /// [`PathError::CaseCollision`]: crate::error::PathError::CaseCollision
    /// [`PathError::Hostile`]: crate::error::PathError::Hostile
    /// [`SettingError::NoIdentity`]: crate::error::SettingError::NoIdentity
    /// [`WorkTreeError::OperationInProgress`]: crate::error::WorkTreeError::OperationInProgress
    pub fn apply(&self, plan: Plan, options: &ApplyOptions) -> Result<Receipt> {
        let plan = match options.on_moved {
            OnMoved::PlanAgain => self.recheck(plan)?,
            OnMoved::Refuse => self.unmoved(plan)?,
        };
        let Some(attempt) = plan.chosen_attempt() else { return Ok(not_landed(plan)) };
        let goal = self.admit(&plan, attempt, options)?;
        let landing = self.landing()?;
        if let Goal::Reference { name, old: Some(found), fresh: true, .. } = &goal {
            return landing.branch_that_exists(plan, name.clone(), *found);
        }
        landing.land_on(plan, goal, options)
    }

    /// Refuses what [`Repo::apply`] would refuse, writes nothing, and says what would become of the plan: a dry run ends
    /// as the real run would before landing.
    ///
    /// # Errors
    /// The refusals of [`Repo::apply`]. A plan without a chosen rung is none of them.
    pub fn check(&self, plan: &Plan, options: &ApplyOptions) -> Result<OutcomeKind> {
        let Some(attempt) = plan.chosen_attempt() else { return Ok(kind_of_not_landed(plan)) };
        let (kind, checkout) = match self.admit(plan, attempt, options)? {
            Goal::Stage => (OutcomeKind::Staged, true),
            Goal::Reference { name, old: Some(found), fresh: true, .. } => {
                return Ok(self.branch_that_exists(plan.clone(), name, found)?.outcome.kind);
            }
            Goal::Reference { checkout, .. } => (OutcomeKind::Committed, checkout),
        };
        if let (true, Some(result)) = (checkout, attempt.tree_id) {
            let objects = self.objects();
            objects.insert_new(plan.prepared.objects())?;
            check_in_the_way(self, &objects, self.base_tree(plan, &objects)?, result)?;
        }
        Ok(kind)
    }

    /// Refuses what may not be left as a conflict ([`Repo::sequence_of_plan`]) for a reason of the plan. Loss is none: a
    /// conflict discards nothing.
    ///
    /// # Errors
    /// [`LandingError::UpstreamAhead`].
    pub fn check_stop(&self, plan: &Plan, options: &ApplyOptions) -> Result<OutcomeKind> {
        refuse_stale(plan, options)?;
        Ok(OutcomeKind::LeftConflicted)
    }

    /// What index and work tree hold before the plan lands, put into the memory of `objects`.
    ///
    /// # Errors
    /// [`LandingError::IndexMoved`].
    pub(crate) fn base_tree(&self, plan: &Plan, objects: &Objects) -> Result<TreeId> {
        let Some(staged) = plan.tip.index_tree_id else {
            return Ok(objects.commit_header(plan.tip.commit_id)?.tree);
        };
        match self.index_tree(objects)? == staged {
            true => Ok(staged),
            false => Err(LandingError::IndexMoved.into()),
        }
    }

    /// Where a plan goes that may land.
    fn admit(&self, plan: &Plan, attempt: &Attempt, options: &ApplyOptions) -> Result<Goal> {
        refuse_loss(attempt, options)?;
        refuse_stale(plan, options)?;
        self.preflight(&plan.request.options, options)?;
        self.goal(plan, options)
    }

    /// Refuses what could not land whatever the plan says, so that a refusal comes before any long work.
    ///
    /// # Errors
    /// [`RepositoryError::NeedsWorkTree`], [`RevisionError::Unborn`], [`WorkTreeError::OperationInProgress`],
    /// [`WorkTreeError::Unmerged`], [`SettingError::NoIdentity`], [`Error::Locked`], [`Error::Io`] for a git directory
    /// that cannot be written.
    ///
    /// [`RepositoryError::NeedsWorkTree`]: crate::error::RepositoryError::NeedsWorkTree
    /// [`RevisionError::Unborn`]: crate::error::RevisionError::Unborn
    /// [`WorkTreeError::OperationInProgress`]: crate::error::WorkTreeError::OperationInProgress
    /// [`WorkTreeError::Unmerged`]: crate::error::WorkTreeError::Unmerged
    /// [`SettingError::NoIdentity`]: crate::error::SettingError::NoIdentity
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
        let beside = match landing.destination {
            Destination::Stage => Beside::Staged,
            _ => Beside::Nothing,
        };
        preflight(self, Need { work_tree, identity, beside })
    }

    /// The plan itself where it was just made; elsewhere the plan as it is now, if it still does the same. Nothing is
    /// written: [`Repo::apply`] does this first.
    ///
    /// # Errors
    /// [`LandingError::Moved`] where the plan no longer holds, [`LandingError::PlanAltered`] for a document that says
    /// something else than planning does, and whatever [`Repo::plan`] fails with.
    pub fn recheck(&self, plan: Plan) -> Result<Plan> {
        let tip = self.tip(&plan.request.options)?;
        if plan.prepared.is_some() && tip == plan.tip {
            return Ok(plan);
        }
        let again = self.plan(&plan.request.target, &plan.request.options)?;
        if plan.tip.commit_id == again.tip.commit_id && !plan.prepared.is_some() {
            if plan.tip.index_tree_id != again.tip.index_tree_id {
                return Err(LandingError::IndexMoved.into());
            }
            compare::refuse_altered(&plan, &again)?;
            return Ok(again);
        }
        if plan.tip.commit_id == again.tip.commit_id && same_result(&plan, &again)
            || self.does_the_same(&plan, &again)?
        {
            return Ok(again);
        }
        if plan.tip.commit_id == again.tip.commit_id && plan.tip.index_tree_id != again.tip.index_tree_id {
            return Err(LandingError::IndexMoved.into());
        }
        Err(LandingError::Moved {
            reference: plan.tip.reference,
            expected: plan.tip.commit_id,
            found: again.tip.commit_id,
        }
        .into())
    }

    /// The plan itself, where its tip is where it was.
    fn unmoved(&self, plan: Plan) -> Result<Plan> {
        let found = self.tip(&plan.request.options)?;
        if found.commit_id == plan.tip.commit_id && found.index_tree_id != plan.tip.index_tree_id {
            return Err(LandingError::IndexMoved.into());
        }
        if found != plan.tip {
            let (reference, expected) = (plan.tip.reference, plan.tip.commit_id);
            return Err(LandingError::Moved { reference, expected, found: found.commit_id }.into());
        }
        self.recheck(plan)
    }

    /// Whether the planned paths are at the new tip what they were at the old one, and become the same.
    fn does_the_same(&self, old: &Plan, new: &Plan) -> Result<bool> {
        if !old.prepared.is_some() && old.tip.reference != new.tip.reference {
            return Ok(false);
        }
        let mut then = old.request.options.clone();
        then.onto = Some(old.tip.commit_id.to_string());
        then.on_index = false;
        let old = &match self.plan(&old.request.target, &then) {
            Ok(recomputed) if is_as_written(old, &recomputed)? => recomputed,
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
            _ if plan.tip.index_tree_id.is_some() => Err(Error::BadRequest(
                "a plan that builds on what is staged can only be staged: land it with --no-commit".into(),
            )),
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
            let outcome = Outcome { reference: Some(name), ..Outcome::of(OutcomeKind::NothingToDo) };
            return Ok(Receipt { plan, outcome });
        }
        let branch = name.trim_start_matches("refs/heads/").to_owned();
        Err(LandingError::BranchExists { branch, found }.into())
    }

    fn land_on(&self, plan: Plan, goal: Goal, options: &ApplyOptions) -> Result<Receipt> {
        let objects = self.objects();
        objects.insert_new(plan.prepared.objects())?;
        let operation = OperationId::random()?;
        let (name, old, checkout) = match goal {
            Goal::Stage => {
                let builder = Builder { repo: self, objects: &objects, plan: &plan, options };
                let (landing, outcome) = (builder.staged()?, Outcome::of(OutcomeKind::Staged));
                return self
                    .land_logged(&builder, landing, outcome, operation)
                    .map(|outcome| Receipt { plan, outcome });
            }
            Goal::Reference { name, old, checkout, .. } => (name, old, checkout),
        };
        let occasion = Occasion { checkout, edited: plan.request.options.message.edited };
        let mut hooks = LandingHooks::of(self, options, occasion)?;
        let recovered = if hooks.has_prepare() { self.make_way_for_hooks(&plan, &objects)? } else { None };
        let mut plan = plan;
        let mut commits = Builder { repo: self, objects: &objects, plan: &plan, options }
            .commits(&operation, &mut hooks)?;
        plan.reword(std::mem::take(&mut commits.changed));
        let builder = Builder { repo: self, objects: &objects, plan: &plan, options };
        let mut outcome = Outcome::of(OutcomeKind::Committed);
        outcome.commit_ids = commits.ids.clone();
        outcome.reference = Some(name.clone());
        outcome.hooks = hooks.runs().to_vec();
        let landing = builder.committed(commits, &name, old, checkout)?;
        let mut outcome = self.land_logged(&builder, landing, outcome, operation)?;
        outcome.recovered = outcome.recovered.or(recovered);
        let failed = hooks.landed(outcome.commit_ids.len());
        outcome.later_failure = outcome.later_failure.or(failed);
        outcome.hooks = hooks.runs().to_vec();
        Ok(Receipt { plan, outcome })
    }

    fn land_logged(
        &self,
        builder: &Builder<'_>,
        mut landing: Landing,
        mut outcome: Outcome,
        operation: OperationId,
    ) -> Result<Outcome> {
        outcome.operation_id = Some(operation.to_string());
        landing.log = Some(builder.logged(&landing, &outcome, &builder.plan.tip.reference)?);
        let landed =
            land(self, &landing, &LandOptions { operation: Some(operation), ..LandOptions::default() })?;
        Ok(Outcome {
            recovered: landed.recovered.into(),
            later_failure: landed.later_failure.map(|error| error.to_string()),
            ..outcome
        })
    }

    /// Before a hook is asked, all is refused that would be refused anyway, and no lock of a dead landing is left.
    fn make_way_for_hooks(&self, plan: &Plan, objects: &Objects) -> Result<Option<Recovery>> {
        let recovered = match operation_left(self)? {
            Some(_) => recover(self)?.into(),
            None => None,
        };
        if let Some(result) = plan.chosen_attempt().and_then(|attempt| attempt.tree_id) {
            check_in_the_way(self, objects, objects.commit(plan.tip.commit_id)?.tree, result)?;
        }
        Ok(recovered)
    }

    /// What an editor is to show: `template` as the hook `prepare-commit-msg` leaves it, where that is installed and may
    /// run. `None` elsewhere, and for a plan of more or less than one commit.
    ///
    /// A plan whose message was edited asks that hook no more, as under git.
    ///
    /// # Writes
    /// Objects of the result; the hook sees them.
    ///
    /// # Errors
    /// The refusals of [`Repo::apply`]; [`LandingError::Hook`] where the hook refuses.
    pub fn prepare_template(
        &self,
        plan: &Plan,
        template: &str,
        options: &ApplyOptions,
    ) -> Result<Option<String>> {
        let Some(attempt) = plan.chosen_attempt() else { return Ok(None) };
        let Goal::Reference { checkout: true, .. } = self.admit(plan, attempt, options)? else {
            return Ok(None);
        };
        let Some([commit]) = plan.prepared.commits() else { return Ok(None) };
        let mut hooks = LandingHooks::of(self, options, Occasion { checkout: true, edited: false })?;
        if !hooks.has_prepare() {
            return Ok(None);
        }
        let objects = self.objects();
        objects.insert_new(plan.prepared.objects())?;
        self.make_way_for_hooks(plan, &objects)?;
        let before = objects.commit(plan.tip.commit_id)?.tree;
        let change = hooks::Change { plan, objects: &objects, before, after: commit.tree };
        let template = commit.message.rewritten(template.as_bytes(), &self.message_style());
        let prepared = hooks.prepare(template, &change, Source::Merge)?;
        Ok(Some(prepared.draft().to_str_lossy().into_owned()))
    }

    /// The id of a landing that is under way or was cut off; nothing is done about it.
    ///
    /// # Errors
    /// Where its journal cannot be read.
    pub fn unfinished_operation(&self) -> Result<Option<String>> {
        operation_left(self)
    }

    /// Finishes or takes back a landing that a crash cut off; `None` where there was none.
    ///
    /// # Errors
    /// [`Error::Locked`] while another landing is under way.
    ///
    /// # Writes
    /// What the order of writes left open: work tree, index, reference and its log.
    pub fn recover(&self) -> Result<Option<Recovery>> {
        recover(&self.landing()?).map(Into::into)
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

/// Whether a plan says what the same request says now, at the same commit; a document must say it field by field.
fn is_as_written(plan: &Plan, recomputed: &Plan) -> Result<bool> {
    if plan.prepared.is_some() {
        return Ok(same_result(plan, recomputed));
    }
    // The base was given as a commit, which names no reference.
    let mut recomputed = recomputed.clone();
    recomputed.tip.reference = plan.tip.reference.clone();
    Ok(compare::first_difference(plan, &recomputed)?.is_none())
}

/// Where the result goes.
enum Goal {
    /// Index and work tree.
    Stage,
    /// A reference; `fresh` where it is to be made and must not be there.
    Reference { name: String, old: Option<CommitId>, checkout: bool, fresh: bool },
}

fn refuse_loss(attempt: &Attempt, options: &ApplyOptions) -> Result<()> {
    if options.allow_loss || !attempt.needs_consent() {
        return Ok(());
    }
    Err(attempt.loss_refused())
}

fn refuse_stale(plan: &Plan, options: &ApplyOptions) -> Result<()> {
    let ahead = plan.notes.iter().find(|note| note.kind == NoteKind::UpstreamAhead);
    match ahead {
        Some(note) if !options.stale_ok => Err(LandingError::UpstreamAhead {
            upstream: note.reference.clone().unwrap_or_default(),
            count: note.commits.len(),
            path: note.paths.first().cloned().unwrap_or_default(),
        }
        .into()),
        _ => Ok(()),
    }
}

fn not_landed(plan: Plan) -> Receipt {
    let outcome = Outcome::of(kind_of_not_landed(&plan));
    Receipt { plan, outcome }
}

fn kind_of_not_landed(plan: &Plan) -> OutcomeKind {
    if plan.is_nothing_to_do() { OutcomeKind::NothingToDo } else { OutcomeKind::NotLanded }
}
