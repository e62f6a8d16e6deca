//! `rb verify`: run the checks of the live system, and nothing else.

use rollback_core::procedure::check::Outcome as Judged;
use rollback_core::procedure::engine::{RunRequest, RunState};

use super::{given_hash, samples, work};
use crate::args::Verify;
use crate::command::Outcome;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::procedures;
use crate::render::{json, run as render};
use crate::session::Session;

/// Runs `rb verify`.
pub(crate) fn run(args: &Verify, session: &mut Session) -> Outcome {
    let outcome = verify(args, session);
    super::as_a_line(outcome, session)
}

fn verify(args: &Verify, session: &mut Session) -> Outcome {
    let found = procedures::find(&args.procedure, session)?;
    let typed = found.typed();
    let mut request = RunRequest::default();
    request.phase.clone_from(&args.phase);
    request.variant.clone_from(&args.variant);
    request.set.clone_from(&args.values.set);
    request.set.extend(args.values.checkpoint.iter().map(|name| ("checkpoint".to_owned(), name.clone())));
    request.exclude.clone_from(&args.values.exclude);
    request.confirmed.clone_from(&args.confirmed);
    request.samples = samples(args.values.samples.as_deref(), &found, session.folder())?;
    let hash = given_hash(&args.trust, session);
    request.trusted_hash = Some(procedures::trusted_hash(&found, hash.as_deref(), true, session)?);
    let state = work(session, (&typed, None), |engine, watch| {
        engine.verify(&found.procedure, args.group.as_deref(), request, watch)
    })?;
    let exit = exit_of(&state);
    if session.console.json() {
        let failure = match exit {
            Exit::ChecksFailed => Some(Failure::new(exit, "checks-failed", "checks failed")),
            Exit::Paused => Some(Failure::new(exit, "checks-inconclusive", "checks cannot tell")),
            _ => None,
        };
        session.console.print(&json::line_with(&render::Document::new(&state, None), failure.as_ref()));
    } else {
        let text = render::verified(&state, session.console.look());
        session.console.tell(&text);
    }
    Ok(exit)
}

/// A failure outweighs a doubt.
fn exit_of(state: &RunState) -> Exit {
    let judged = |wanted: &[Judged]| {
        let mut verdicts = state.verdicts.keys().filter_map(|check| state.verdict(check));
        verdicts.any(|verdict| wanted.contains(&verdict.outcome))
    };
    if judged(&[Judged::Fail, Judged::Error]) {
        Exit::ChecksFailed
    } else if judged(&[Judged::Inconclusive]) {
        Exit::Paused
    } else {
        Exit::Done
    }
}
