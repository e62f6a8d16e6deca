//! `rb revert`: undo commits, or what broke a path.

use rollback_core::bisect::BisectOptions;
use rollback_core::checks::CheckOptions;
use rollback_core::plan::RangeReading;
use rollback_core::target::{CommitsTarget, PathsTarget, ToTarget};
use rollback_core::{CommitId, PlanOptions, Repo, Target};

use super::{Outcome, bisect, checks, choose, land, optional_revision, revisions, sequencer};
use crate::args::{How, Ranges, Revert, Words};
use crate::failure::Problem;
use crate::paths::Base;
use crate::session::Session;

/// Runs `rb revert`.
pub(crate) fn run(args: Revert, session: &mut Session) -> Outcome {
    if let Some(answer) = sequencer::answer(&args.sequencer, session) {
        return answer;
    }
    let repo = session.repo()?;
    let base = Base::new(&repo, session.folder());
    let mut options = options(&args.how);
    options.onto = optional_revision(args.landing.onto.as_ref())?;
    options.strategy_options.clone_from(&args.conflicts.strategy_options);
    let target = match optional_revision(args.to.as_ref())? {
        Some(state) => to(&state, &args, &base, repo.plan_tip(&options)?.commit_id, &repo)?,
        None => target(&args, &base)?,
    };
    let target = match &args.find.good_check {
        Some(check) => found_by_check(target, check, &args, &options, session)?,
        None => target,
    };
    let target = choose::part(target, &args.part, &options, session)?;
    options.message = land::message(&args.message, args.signoff);
    options.message.reference = switch(args.reference, args.no_reference);
    let request =
        land::Request { target, options, edit: args.message.edit, on_conflict: args.conflicts.on_conflict };
    land::run(request, &args.landing.here, session)
}

/// A date or an entry of a reflog means another commit tomorrow, so what it means now is asked for.
fn to(state: &str, args: &Revert, base: &Base, tip: CommitId, repo: &Repo) -> Result<Target, Problem> {
    let mut target = ToTarget::new(repo.resolve_state(state, tip)?.to_string());
    target.each = args.each;
    target.paths = base.resolve_all(args.files.iter().chain(&args.paths))?;
    Ok(Target::To(target))
}

fn target(args: &Revert, base: &Base) -> Result<Target, Problem> {
    let paths = base.resolve_all(args.files.iter().chain(&args.paths))?;
    if !args.commits.is_empty() {
        let mut target = CommitsTarget::new(revisions(&args.commits)?);
        (target.mainline, target.paths) = (args.mainline, paths);
        return Ok(Target::Commits(target));
    }
    let mut target = PathsTarget::new(paths);
    target.good.pattern = args.find.good_match.clone();
    target.good.lines = args.find.good_lines;
    target.change = optional_revision(args.find.change.as_ref())?;
    target.mainline = args.mainline;
    Ok(Target::Paths(target))
}

/// The target with the change that is to be undone found by behaviour: the one to the paths that turned the check.
fn found_by_check(
    target: Target,
    check: &Words,
    args: &Revert,
    options: &PlanOptions,
    session: &mut Session,
) -> Result<Target, Problem> {
    let Target::Paths(mut target) = target else { return Ok(target) };
    let mut checks = match checks::options(&args.landing.here.checks, session)? {
        Some(checks) => checks,
        None => CheckOptions::new([]),
    };
    checks.checks = vec![check.0.clone()];
    let mut search = BisectOptions::default();
    search.bad.clone_from(&options.onto);
    search.paths.clone_from(&target.paths);
    let found = bisect::search(&search, &checks, session)?;
    let Some(culprit) = found.culprit else {
        return Err(bisect::several(&found, session).about("nothing was changed").into());
    };
    let short = session.repo()?.commit_summary(culprit.commit_id)?.abbreviation;
    // What is to be typed next does not search again.
    session.invocation = session.invocation.with_option_in_place_of("--good-check", "--change", &short);
    target.change = Some(culprit.commit_id.to_string());
    target.mainline = target.mainline.or(culprit.mainline);
    Ok(Target::Paths(target))
}

fn options(how: &How) -> PlanOptions {
    let mut options = PlanOptions::default();
    options.via = how.via;
    options.whole_commit = how.whole_commit;
    options.with_dependents = how.with_dependents;
    options.max_dependents = how.max;
    options.with_renames = how.with_renames;
    options.as_given = how.as_given;
    options.ranges = reading(&how.ranges);
    options
}

/// How ranges are read: along first parents, and as git reads them where `RB_COMPAT` asks for git's ways.
pub(super) fn reading(ranges: &Ranges) -> RangeReading {
    let as_git = std::env::var_os("RB_COMPAT").is_some_and(|value| value == "git");
    match (ranges.first_parent, as_git) {
        (true, _) => RangeReading::FirstParent,
        (false, true) => RangeReading::Set,
        (false, false) => RangeReading::Line,
    }
}

/// What two opposite flags say; nothing where neither was given.
pub(super) fn switch(on: bool, off: bool) -> Option<bool> {
    match (on, off) {
        (true, _) => Some(true),
        (false, true) => Some(false),
        (false, false) => None,
    }
}
