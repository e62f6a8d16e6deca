//! `rb restore`: put back the exact content of paths.

use rollback_core::target::RestoreTarget;
use rollback_core::{PlanOptions, Target};

use super::{Outcome, land, optional_revision};
use crate::args::Restore;
use crate::paths::Base;
use crate::session::Session;

/// Runs `rb restore`.
pub(crate) fn run(args: Restore, session: &mut Session) -> Outcome {
    let repo = session.repo()?;
    let base = Base::new(&repo, session.folder());
    let target = Target::Restore(RestoreTarget {
        paths: base.resolve_all(&args.paths)?,
        source: optional_revision(args.source.as_ref())?,
        overlay: args.overlay,
    });
    let mut options = PlanOptions::default();
    options.onto = optional_revision(args.landing.onto.as_ref())?;
    options.message = land::message(&args.message, args.signoff);
    let request = land::Request { target, options, edit: args.message.edit };
    land::run(request, &args.landing.here, session)
}
