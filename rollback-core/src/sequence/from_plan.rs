//! From a plan that met a conflict to a sequence that stops at it.

use crate::apply::words_of;
use crate::error::Result;
use crate::message::{MessageOptions, Trailer};
use crate::plan::{Attempt, AttemptResult, LossClass, Plan};
use crate::repo::Repo;
use crate::sequence::{SequenceAction, SequenceRequest};
use crate::strategy::Strategy;
use crate::target::Target;

impl Plan {
    /// The way whose conflict can be left for a person; `None` where the plan has a way that keeps later work, or met no
    /// conflict that could be left in the work tree.
    pub fn stops_at(&self) -> Option<&Attempt> {
        if self
            .chosen_attempt()
            .is_some_and(|way| way.loss.class != LossClass::Snapshot || !way.decided.is_empty())
        {
            return None;
        }
        let pick = matches!(self.request.target, Target::Pick(_));
        let of_kind = |attempt: &&Attempt| match attempt.strategy {
            Strategy::RevertCommit | Strategy::RevertMerge => !pick,
            Strategy::CherryPick => pick,
            _ => false,
        };
        let conflicted = |attempt: &&Attempt| attempt.result == AttemptResult::Conflicted;
        let found = self.attempts.iter().filter(of_kind).find(conflicted)?;
        // git's list of what is left names commits and no paths.
        (found.commit_id.is_some() && !(self.takes_several() && found.restriction.is_some())).then_some(found)
    }

    fn takes_several(&self) -> bool {
        matches!(self.request.target, Target::Commits(_) | Target::Pick(_)) && self.target.commits.len() > 1
    }
}

impl Repo {
    /// The sequence that goes as far as the conflict of a plan, for a person to resolve; `None` where there is none
    /// ([`Plan::stops_at`]).
    ///
    /// # Errors
    /// Where a commit cannot be read.
    pub fn sequence_of_plan(&self, plan: &Plan) -> Result<Option<SequenceRequest>> {
        let Some(attempt) = plan.stops_at() else { return Ok(None) };
        let several = plan.takes_several();
        let action = match plan.request.target {
            Target::Pick(_) => SequenceAction::Pick,
            _ => SequenceAction::Revert,
        };
        let commits = match several {
            true => plan.target.commits.clone(),
            false => attempt.commit_id.into_iter().collect(),
        };
        let mut request = SequenceRequest::new(action, commits);
        request.single = !several;
        request.options.mainline = match several {
            false => attempt.mainline,
            true => self.has_merge(&request.commits)?.then_some(1),
        };
        request.target = words_of(&plan.request.target);
        request.wording = wording(plan, attempt);
        request.restriction.clone_from(&attempt.restriction);
        request.options.reference = plan.request.options.message.reference;
        request.options.strategy_options.clone_from(&plan.request.options.strategy_options);
        Ok(Some(request))
    }

    fn has_merge(&self, commits: &[crate::id::CommitId]) -> Result<bool> {
        let objects = self.objects();
        for commit in commits {
            if objects.commit_header(*commit)?.parents.len() > 1 {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// What the caller said of the message, and the trailers by which a rollback of paths is known.
fn wording(plan: &Plan, attempt: &Attempt) -> MessageOptions {
    let mut wording = plan.request.options.message.clone();
    if matches!(plan.request.target, Target::Paths(_)) {
        wording.trailers.extend(attempt.commit_id.map(|id| Trailer::new(Trailer::OF, id.to_string())));
        wording.trailers.push(Trailer::new(Trailer::STRATEGY, attempt.strategy.name()));
    }
    wording
}
