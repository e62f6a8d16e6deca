//! `rb reapply`: bring back what a rollback took away.

use rollback_core::target::CommitsTarget;
use rollback_core::{PlanOptions, Target};

use super::{Outcome, land, optional_revision, revision};
use crate::args::Reapply;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::hint::Hint;
use crate::session::Session;

/// Runs `rb reapply`.
pub(crate) fn run(args: Reapply, session: &mut Session) -> Outcome {
    let repo = session.repo()?;
    let mut options = PlanOptions::default();
    options.strategy_options.clone_from(&args.conflicts.strategy_options);
    options.onto = optional_revision(args.landing.onto.as_ref())?;
    options.message = land::message(&args.message, args.signoff);
    let named = revision(&args.commit)?;
    let tip = repo.plan_tip(&options)?.commit_id;
    let Some(rollback) = repo.rollback_behind(repo.resolve_commit(&named)?, tip)? else {
        if args.landing.here.allow_noop {
            return Ok(Exit::Done);
        }
        let message = format!(
            "there is nothing to bring back: {named} is no rollback that stands, and none took it back"
        );
        let asked = session.invocation.command(&["is-reverted", &named]);
        return Err(Failure::new(Exit::NothingToDo, "nothing-to-reapply", message)
            .with_hint(Hint::new("see what became of it with", asked))
            .into());
    };
    let mut target = CommitsTarget::new(rollback.commits.iter().map(ToString::to_string));
    target.paths = rollback.paths;
    let target = Target::Commits(target);
    let request =
        land::Request { target, options, edit: args.message.edit, on_conflict: args.conflicts.on_conflict };
    land::run(request, &args.landing.here, session)
}
