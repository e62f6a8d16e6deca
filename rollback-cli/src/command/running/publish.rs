//! `rb publish`: let the result of a run leave this machine, as its procedure says, after showing what that is.

use rollback_core::Repo;
use rollback_core::error::OperationError;
use rollback_core::oplog::{Operation, OperationRef};
use rollback_core::procedure::engine::{
    EngineError, Publication, PublishConsent, RunRequest, RunState, runs,
};

use super::{engine_for_questions, find_again, given_hash, report, work};
use crate::args::{Publish, Publishing};
use crate::command::{Outcome, pushing};
use crate::exit::Exit;
use crate::failure::{Failure, Problem};
use crate::hint::Hint;
use crate::procedures;
use crate::render::{json, publication as render};
use crate::session::Session;
use crate::terminal::text::escape;

/// Runs `rb publish`.
pub(crate) fn run(args: &Publish, session: &mut Session) -> Outcome {
    let outcome = publish(args, session);
    super::as_a_line(outcome, session)
}

fn publish(args: &Publish, session: &mut Session) -> Outcome {
    let repo = session.repo()?;
    if let Some(which) = operation_meant(args, &repo, session)? {
        return pushing::publish(&which, args, session);
    }
    let state = run_that_landed(args, &repo)?;
    let found = find_again(&state, session)?;
    let typed = found.typed();
    let mut request = RunRequest::default();
    request.approvals.clone_from(&args.approvals);
    request.publishing = consent(&args.publishing);
    request.set.clone_from(&args.set);
    request.retry = args.retry;
    let hash = given_hash(&args.trust, session);
    request.trusted_hash = Some(procedures::trusted_hash(&found, hash.as_deref(), !args.yes, session)?);
    let publication = engine_for_questions(session, &repo, |engine| {
        engine.publication(&found.procedure, &state.id, request.clone())
    })
    .map_err(|error| Problem::of_run(error, Some(&typed)))?;
    if args.dry_run {
        return show(&publication, &repo, session);
    }
    refuse_unasked(&publication, args, &typed)?;
    if !args.yes && !confirmed(&publication, args, &repo, session) {
        let failure = Failure::new(Exit::Consent, "publish-unconfirmed", "nothing was published");
        let again = session.invocation.with(&["--yes"]);
        return Err(failure.with_hint(Hint::new("if that is what should leave", again)).into());
    }
    let state = work(session, (&typed, None), |engine, watch| {
        engine.publish(&found.procedure, &state.id, request, watch)
    })?;
    report(&state, false, session)
}

/// The permissions that were given.
pub(super) fn consent(args: &Publishing) -> PublishConsent {
    let mut consent = PublishConsent::default();
    consent.despite_failures = args.despite_failures;
    consent.with_others = args.with_others;
    consent
}

fn show(publication: &Publication, repo: &Repo, session: &mut Session) -> Outcome {
    if session.console.json() {
        session.console.print(&json::line(publication));
        return Ok(Exit::Done);
    }
    let mut text = render::leaving(publication, repo, session.console.look());
    let mut flags = Vec::new();
    flags.extend((!publication.failed.is_empty()).then_some("--despite-failures"));
    flags.extend((!publication.others.is_empty()).then_some("--with-others"));
    let missing: Vec<&str> = flags.into_iter().filter(|flag| !session.invocation.has(flag)).collect();
    let needs =
        if missing.is_empty() { String::new() } else { format!(" It needs {}.", missing.join(" and ")) };
    let command = session.invocation.without(&["--dry-run"]).with(&missing);
    text.push_str(&format!("Nothing was published.{needs} next: {command}\n"));
    session.console.tell(&text);
    Ok(Exit::Done)
}

/// Refuses what a flag has to permit before anybody is asked.
fn refuse_unasked(publication: &Publication, args: &Publish, typed: &str) -> Result<(), Problem> {
    let refused = |error| Err(Problem::of_run(error, Some(typed)));
    if !publication.failed.is_empty() && !args.publishing.despite_failures {
        return refused(EngineError::PublishAfterFailure(publication.failed.clone()));
    }
    if !publication.others.is_empty() && !args.publishing.with_others {
        return refused(EngineError::PublishOthers(publication.others.clone()));
    }
    Ok(())
}

/// Shows what would leave, and asks for consent.
///
/// A pipeline cannot be asked. There, a `--trusted-hash` that was typed is the consent: the hash covers where the
/// procedure publishes to, and everything beyond the run's own result has been refused before.
fn confirmed(publication: &Publication, args: &Publish, repo: &Repo, session: &mut Session) -> bool {
    let can_ask = session.console.can_ask();
    if !can_ask && args.trust.trusted_hash.is_none() {
        return false;
    }
    let text = render::leaving(publication, repo, session.console.look());
    if !can_ask {
        session.console.complain(&text);
        return true;
    }
    session.console.complain(&format!("{text}Publish it? [y/N] "));
    session.console.read_yes()
}

/// The run that is named, or that landed the operation, or that landed last.
fn run_that_landed(args: &Publish, repo: &Repo) -> Result<RunState, Problem> {
    let mut runs = runs(repo)?;
    if let Some(id) = &args.run {
        let found = runs.into_iter().find(|run| run.id == *id);
        return found.ok_or_else(|| EngineError::NoRun(Some(id.clone())).into());
    }
    runs.retain(|run| run.landed_on.is_some());
    let Some(operation) = &args.operation else {
        return runs.pop().ok_or_else(|| EngineError::NoRun(None).into());
    };
    let operations = repo.operations()?;
    let matching: Vec<_> =
        operations.iter().filter(|row| row.operation_id.starts_with(operation.as_str())).collect();
    let [row] = matching.as_slice() else {
        return Err(Problem::Library(OperationError::Unknown { spec: operation.clone() }.into()));
    };
    run_of(row, &runs).cloned().ok_or_else(|| EngineError::NoRun(None).into())
}

/// The run that landed an operation.
fn run_of<'a>(operation: &Operation, runs: &'a [RunState]) -> Option<&'a RunState> {
    runs.iter().find(|run| operation.after.is_some_and(|after| run.commits.contains(&after)))
}

/// The operation that is meant, where it is not published as a procedure says.
///
/// # Errors
/// Where a run landed it and the arguments say how it is to be pushed: its procedure can ask for an approval or checks.
fn operation_meant(args: &Publish, repo: &Repo, session: &Session) -> Result<Option<OperationRef>, Problem> {
    let says_how = args.push.is_some() || args.branch.is_some() || args.pr;
    if args.run.is_some() {
        return Ok(None);
    }
    let runs = runs(repo)?;
    let which = match &args.operation {
        Some(id) => OperationRef::Id(id.clone()),
        None if says_how || runs.iter().all(|run| run.landed_on.is_none()) => OperationRef::Last,
        None => return Ok(None),
    };
    let (operation, _) = repo.operation_with_receipt(&which)?;
    match run_of(&operation, &runs) {
        None => Ok(Some(OperationRef::Id(operation.operation_id))),
        Some(_) if !says_how => Ok(None),
        Some(run) => {
            let message = format!(
                "operation {} was landed by a run of {}, which says how it is published",
                escape(&operation.operation_id),
                escape(&run.procedure)
            );
            let command = session.invocation.command(&["publish", "--run", &run.id, "--dry-run"]);
            Err(Failure::new(Exit::Refused, "landed-by-a-run", message)
                .with_hint(Hint::new("see what would leave with", command))
                .into())
        }
    }
}
