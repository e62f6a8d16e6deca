//! `rb publish`: let the result of a run leave this machine, as its procedure says.

use rollback_core::Repo;
use rollback_core::procedure::engine::{EngineError, RunRequest, RunState, runs};

use super::{find_again, given_hash, report, work};
use crate::args::Publish;
use crate::command::Outcome;
use crate::exit::Exit;
use crate::failure::{Failure, Problem};
use crate::hint::Hint;
use crate::procedures;
use crate::render::text::escape;
use crate::session::Session;

/// Runs `rb publish`.
pub(crate) fn run(args: &Publish, session: &mut Session) -> Outcome {
    let outcome = publish(args, session);
    super::as_a_line(outcome, session)
}

fn publish(args: &Publish, session: &mut Session) -> Outcome {
    let repo = session.repo()?;
    let state = run_that_landed(args, &repo, session)?;
    let found = find_again(&state, session)?;
    let typed = found.typed();
    let mut request = RunRequest::new();
    request.approvals.clone_from(&args.approvals);
    let hash = given_hash(&args.trust, session);
    request.trusted_hash = Some(procedures::trusted_hash(&found, hash.as_deref(), true, session)?);
    let state = work(session, (&typed, None), |engine, watch| {
        engine.publish(&found.procedure, &state.id, request, watch)
    })?;
    report(&state, false, session)
}

/// The run that is named, or that landed the operation, or that landed last.
fn run_that_landed(args: &Publish, repo: &Repo, session: &Session) -> Result<RunState, Problem> {
    let mut runs = runs(repo)?;
    if let Some(id) = &args.run {
        let found = runs.into_iter().find(|run| run.id == *id);
        return found.ok_or_else(|| EngineError::NoRun { id: Some(id.clone()) }.into());
    }
    runs.retain(|run| run.landed_on.is_some());
    let Some(operation) = &args.operation else {
        return runs.pop().ok_or_else(|| EngineError::NoRun { id: None }.into());
    };
    let operations = repo.operations()?;
    let matching: Vec<_> =
        operations.iter().filter(|row| row.operation_id.starts_with(operation.as_str())).collect();
    let [row] = matching.as_slice() else {
        return Err(rollback_core::Error::UnknownOperation { spec: operation.clone() }.into());
    };
    let found = runs.into_iter().find(|run| row.after.is_some_and(|after| run.commits.contains(&after)));
    found.ok_or_else(|| {
        let branch = row.reference.to_string();
        let branch = branch.strip_prefix("refs/heads/").unwrap_or(&branch).to_owned();
        let message = format!("operation {} was not landed by a procedure", escape(&row.operation_id));
        Failure::new(Exit::Refused, "not-a-run", message)
            .with_hint(Hint::new(
                "push its branch with",
                session.invocation.git(&["push", "origin", &branch]),
            ))
            .into()
    })
}
