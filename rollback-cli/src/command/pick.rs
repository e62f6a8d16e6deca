//! `rb pick`: replay commits.

use rollback_core::strategy::EmptyCommits;
use rollback_core::target::CommitsTarget;
use rollback_core::{PlanOptions, Target};

use super::{Outcome, land, optional_revision, revert, revisions, sequencer};
use crate::args::Pick;
use crate::paths::Base;
use crate::session::Session;

/// Runs `rb pick`.
pub(crate) fn run(args: Pick, session: &mut Session) -> Outcome {
    if let Some(answer) = sequencer::answer(&args.sequencer, session) {
        return answer;
    }
    let repo = session.repo()?;
    let base = Base::new(&repo, session.folder());
    let mut target = CommitsTarget::new(revisions(&args.commits)?);
    target.mainline = args.mainline;
    target.paths = base.resolve_all(args.files.iter().chain(&args.paths))?;
    let target = Target::Pick(target);
    let mut options = PlanOptions::default();
    options.onto = optional_revision(args.landing.onto.as_ref())?;
    options.strategy_options.clone_from(&args.conflicts.strategy_options);
    options.ranges = revert::reading(&args.ranges);
    options.message = land::message(&args.message, args.signoff);
    options.message.record_origin = args.record_origin;
    options.empty = match (args.keep_redundant_commits, args.allow_empty) {
        (true, _) => EmptyCommits::Keep,
        (false, true) => EmptyCommits::KeepFromStart,
        (false, false) => EmptyCommits::LeaveOut,
    };
    let request =
        land::Request { target, options, edit: args.message.edit, on_conflict: args.conflicts.on_conflict };
    land::run(request, &args.landing.here, session)
}
