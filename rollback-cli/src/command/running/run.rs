//! `rb run`: carry out a procedure.

use rollback_core::procedure::engine::{
    EngineError, Foresight, Purpose, RunRequest, RunState, programs, runs,
};

use super::{engine_for_questions, exit_of, failure_of, find_again, given_hash, report, samples, sign, work};
use crate::args::Run;
use crate::command::Outcome;
use crate::exit::Exit;
use crate::failure::{Failure, Problem};
use crate::procedures::{self, Found};
use crate::render::{json, run as render};
use crate::session::Session;
use crate::terminal::text::escape;

/// Runs `rb run`.
pub(crate) fn run(args: Run, session: &mut Session) -> Outcome {
    let outcome = prepare_and_run(&args, session);
    super::as_a_line(outcome, session)
}

fn prepare_and_run(args: &Run, session: &mut Session) -> Outcome {
    let repo = session.repo()?;
    let before = args.again.as_deref().map(|id| run_before(id, session)).transpose()?;
    let found = match &before {
        Some(state) => find_again(state, session)?,
        None => procedures::find(args.procedure.as_deref().unwrap_or_default(), session)?,
    };
    let typed = found.typed();
    let mut request = request(args, &found, session)?;
    if let Some(state) = &before {
        as_before(&mut request, state);
    }
    if args.dry_run {
        let foresight =
            engine_for_questions(session, &repo, |engine| engine.foresee(&found.procedure, request))
                .map_err(|error| Problem::of_run(error, Some(&typed)))?;
        return show(foresight, args, &found, session);
    }
    // Everything else that would be refused comes before anybody is asked for trust.
    engine_for_questions(session, &repo, |engine| engine.preview(&found.procedure, request.clone()))
        .map_err(|error| Problem::of_run(error, Some(&typed)))?;
    let hash = given_hash(&args.consent.trust, session);
    request.trusted_hash =
        Some(procedures::trusted_hash(&found, hash.as_deref(), !args.consent.yes, session)?);
    let state =
        work(session, (&typed, None), |engine, watch| engine.start(&found.procedure, request, watch))?;
    report(&state, args.allow_noop, session)
}

/// The run that is to be done again, by the beginning of its id.
fn run_before(id: &str, session: &mut Session) -> Result<RunState, Problem> {
    let repo = session.repo()?;
    let mut found: Vec<_> = runs(&repo)?.into_iter().filter(|run| run.id.starts_with(id)).collect();
    match (found.len(), found.pop()) {
        (1, Some(run)) => Ok(run),
        (0, _) => Err(EngineError::NoRun(Some(id.to_owned())).into()),
        (_, last) => {
            let ids = found.into_iter().chain(last).map(|run| run.id).collect();
            Err(EngineError::SeveralRuns(ids).into())
        }
    }
}

/// Fills a request with what was given to a run before; what is given now counts for more.
fn as_before(request: &mut RunRequest, state: &RunState) {
    request.phase = Some(state.phase.clone());
    request.variant.clone_from(&state.variant);
    request.purpose.clone_from(&state.purpose);
    let given = std::mem::take(&mut request.set);
    request.set = state.inputs.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    request.set.extend(given);
    for (now, before) in [(&mut request.reason, &state.reason), (&mut request.trigger, &state.trigger)] {
        if now.is_empty() {
            now.clone_from(before);
        }
    }
    request.severity = request.severity.take().or_else(|| state.severity.clone());
    add_missing(&mut request.roles, &state.roles);
    add_missing(&mut request.confirmed, &state.confirmed);
    if !state.approvals_enforced {
        add_missing(&mut request.approvals, &state.approvals);
    }
    request.emergency |= state.emergency;
    request.by_hand |= state.by_hand;
    request.whole_merge |= state.whole_merge;
}

fn add_missing<T: Clone + PartialEq>(now: &mut Vec<T>, before: &[T]) {
    let missing: Vec<T> = before.iter().filter(|row| !now.contains(row)).cloned().collect();
    now.extend(missing);
}

/// What is asked of the run; whether it is trusted is seen to later.
fn request(args: &Run, found: &Found, session: &Session) -> Result<RunRequest, Problem> {
    let mut request = RunRequest::default();
    request.phase.clone_from(&args.phase);
    request.variant.clone_from(&args.variant);
    request.set.clone_from(&args.values.set);
    request.set.extend(args.values.checkpoint.iter().map(|name| ("checkpoint".to_owned(), name.clone())));
    request.exclude.clone_from(&args.values.exclude);
    request.emergency = args.emergency;
    request.allow_loss = args.consent.allow_loss;
    request.reason.clone_from(&args.story.reason);
    request.trigger.clone_from(&args.story.trigger);
    request.severity.clone_from(&args.story.severity);
    request.roles.clone_from(&args.roles);
    request.approvals.clone_from(&args.consent.approvals);
    sign(&mut request, &args.consent, session)?;
    request.whole_merge = args.whole_merge;
    request.groups.clone_from(&args.groups);
    request.purpose = match (&args.bring_back, args.retry_plan) {
        (Some(run), _) => Purpose::Reapply { run: run.clone() },
        (None, true) => Purpose::Retry,
        (None, false) => Purpose::Rollback,
    };
    request.confirmed.clone_from(&args.consent.confirmed);
    request.words.clone_from(&args.words);
    request.by_hand = args.by_hand;
    request.publish = args.publish;
    request.publishing = super::publish::consent(&args.publishing);
    request.soak = args.soak;
    request.samples = samples(args.values.samples.as_deref(), found, session.folder())?;
    request.landing.stale_ok = args.consent.stale_ok;
    request.found_as = Some(found.found_as(session.folder()));
    Ok(request)
}

/// Shows what would be done, and ends as the real run would before landing: without trust no program would start,
/// questions come before the ladder, and the ladder before what it would land. Reading needs no trust: where the
/// procedure names no program, the missing trust is said and the exit code tells what would land.
fn show(foresight: Foresight, args: &Run, found: &Found, session: &mut Session) -> Outcome {
    let hash = given_hash(&args.consent.trust, session);
    let untrusted = procedures::trusted_hash(found, hash.as_deref(), false, session).err();
    let repo = session.repo()?;
    let Foresight { state, refusal, missing_programs, .. } = foresight;
    let waits = render::questions(&state, &found.procedure);
    let mut is_trusted = true;
    let untrusted = match untrusted {
        Some(untrusted) if programs(&found.procedure).is_empty() => {
            let failure = session.failure(untrusted).about("running this would be refused");
            session.console.complain(&failure.text(session.console.look().verbose));
            is_trusted = false;
            None
        }
        other => other,
    };
    let refusal = match (untrusted, refusal) {
        (Some(untrusted), _) => Some(untrusted),
        (None, Some(refusal)) if waits.is_empty() => Some(Problem::of_run(refusal, Some(&found.typed()))),
        _ => None,
    };
    let failure = refusal.map(|refusal| session.failure(refusal).about("running this would be refused"));
    if session.console.json() {
        let exit = state.ending.map_or(Exit::Done, |_| exit_of(&state, args.allow_noop));
        let foreseen = match waits.is_empty() {
            true => failure_of(&state, exit, &repo, session),
            false => Some(Failure::new(Exit::Paused, "paused", "the run would wait for answers")),
        };
        let failure = failure.clone().or(foreseen);
        session.console.print(&json::document_with(&render::Document::new(&state, None), failure.as_ref()));
    } else {
        let run = session.invocation.without(&["--dry-run"]).as_typed().to_string();
        let run = Some(run.as_str()).filter(|_| is_trusted && failure.is_none());
        let text = render::planned(&state, &found.procedure, &waits, run, &repo, session.console.look());
        session.console.tell(&text);
        if !missing_programs.is_empty() {
            session
                .console
                .complain(&format!("warning: not found: {}\n", escape(&missing_programs.join(", "))));
        }
    }
    if let Some(failure) = failure {
        session.console.complain(&failure.text(session.console.look().verbose));
        return Ok(failure.exit());
    }
    if !waits.is_empty() {
        return Ok(Exit::Paused);
    }
    // A run that has not ended before it lands would land.
    Ok(state.ending.map_or(Exit::Done, |_| exit_of(&state, args.allow_noop)))
}
