//! `rb resume`: go on with a run that was cut off or waits for a person.

use rollback_core::Error;
use rollback_core::error::LandingError;
use rollback_core::procedure::engine::{Resumption, RunState, runs};

use super::{anew, find_again, given_hash, report, samples, sign, work};
use crate::args::Resume;
use crate::command::Outcome;
use crate::failure::{Failure, Problem};
use crate::hint::Hint;
use crate::procedures::{self, Found};
use crate::session::Session;

/// Runs `rb resume`.
pub(crate) fn run(args: Resume, session: &mut Session) -> Outcome {
    let outcome = go_on(&args, session);
    super::as_a_line(outcome, session)
}

fn go_on(args: &Resume, session: &mut Session) -> Outcome {
    let state = open_run(args.run.as_deref(), session)?;
    let found = find_again(&state, session)?;
    let typed = found.typed();
    let mut how = Resumption::default();
    how.confirmed.clone_from(&args.consent.confirmed);
    how.retry = args.retry;
    how.mark_done = args.mark_done;
    how.request.approvals.clone_from(&args.consent.approvals);
    how.request.set.clone_from(&args.set);
    sign(&mut how.request, &args.consent, session)?;
    how.replan = args.replan;
    how.request.allow_loss = args.consent.allow_loss;
    how.request.landing.stale_ok = args.consent.stale_ok;
    how.request.samples = samples(args.samples.as_deref(), &found, session.folder())?;
    // A procedure that changed is refused for that, whether or not it is trusted now.
    if found.fingerprint.hash == state.hash {
        let hash = given_hash(&args.consent.trust, session);
        let trusted = procedures::trusted_hash(&found, hash.as_deref(), !args.consent.yes, session)?;
        how.request.trusted_hash = Some(trusted);
    }
    let worked = work(session, (&typed, Some(state.started)), |engine, watch| {
        engine.resume(&found.procedure, Some(&state.id), how, watch)
    });
    let state = match worked {
        Err(Problem::Library(refused @ Error::Landing(LandingError::LossNotAllowed { .. }))) => {
            return Err(lossy(refused, &state.id, &found, session)?.into());
        }
        other => other?,
    };
    report(&state, false, session)
}

/// A refusal of what would be lost ends a run that has landed nothing: it cannot go on with more permission.
fn lossy(refused: Error, id: &str, found: &Found, session: &mut Session) -> Result<Failure, Problem> {
    let state = runs(&session.repo()?)?.into_iter().find(|run| run.id == id);
    let failure = session.failure(refused.into());
    Ok(match state.filter(|state| !state.status.is_open()) {
        Some(state) => failure.with_hint(Hint::new(
            "the run has ended; if that is what you want, begin anew with",
            anew(&state, found, &["--allow-loss"], session),
        )),
        None => failure,
    })
}

/// The run that is meant: the one that was named, or the only one that has not ended.
pub(super) fn open_run(id: Option<&str>, session: &mut Session) -> Result<RunState, Problem> {
    use rollback_core::procedure::engine::EngineError;
    let repo = session.repo()?;
    let mut runs = runs(&repo)?;
    if let Some(id) = id {
        let found = runs.into_iter().find(|run| run.id == id);
        return found.ok_or_else(|| EngineError::NoRun(Some(id.to_owned())).into());
    }
    runs.retain(|run| run.status.is_open());
    match runs.len() {
        0 => Err(EngineError::NoRun(None).into()),
        1 => Ok(runs.remove(0)),
        _ => Err(EngineError::SeveralRuns(runs.into_iter().map(|run| run.id).collect()).into()),
    }
}
