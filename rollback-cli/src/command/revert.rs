//! `rb revert`: undo commits, or what broke a path.

use rollback_core::target::{CommitsTarget, Good, PathsTarget};
use rollback_core::{PlanOptions, Target};

use super::{Outcome, land, optional_revision, revisions};
use crate::args::{How, Revert};
use crate::failure::Problem;
use crate::paths::Base;
use crate::session::Session;

/// Runs `rb revert`.
pub(crate) fn run(args: Revert, session: &mut Session) -> Outcome {
    let repo = session.repo()?;
    let base = Base::new(&repo, session.folder());
    let target = target(&args, &base)?;
    let mut options = options(&args.how);
    options.onto = optional_revision(args.landing.onto.as_ref())?;
    options.message = land::message(&args.message, args.signoff);
    options.message.reference = switch(args.reference, args.no_reference);
    let request = land::Request { target, options, edit: args.message.edit };
    land::run(request, &args.landing.here, session)
}

fn target(args: &Revert, base: &Base) -> Result<Target, Problem> {
    let paths = base.resolve_all(args.files.iter().chain(&args.paths))?;
    if !args.commits.is_empty() {
        return Ok(Target::Commits(CommitsTarget {
            revisions: revisions(&args.commits)?,
            mainline: args.mainline,
            paths,
        }));
    }
    Ok(Target::Paths(PathsTarget {
        paths,
        good: Good { pattern: args.find.good_match.clone(), lines: args.find.good_lines },
        change: optional_revision(args.find.change.as_ref())?,
        mainline: args.mainline,
    }))
}

fn options(how: &How) -> PlanOptions {
    let mut options = PlanOptions::default();
    options.via = how.via;
    options.whole_commit = how.whole_commit;
    options.with_dependents = how.with_dependents;
    options.with_renames = how.with_renames;
    options.as_given = how.as_given;
    options
}

/// What two opposite flags say; nothing where neither was given.
pub(super) fn switch(on: bool, off: bool) -> Option<bool> {
    match (on, off) {
        (true, _) => Some(true),
        (false, true) => Some(false),
        (false, false) => None,
    }
}
