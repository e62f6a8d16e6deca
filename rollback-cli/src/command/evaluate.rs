//! `rb evaluate`: do the samples say that it is time to roll back, and how.

use jiff::Timestamp;
use rollback_core::procedure::trigger::{Evaluation, evaluate};

use super::{Outcome, running};
use crate::args::{Evaluate, EvaluateFormat, Moment};
use crate::exit::Exit;
use crate::failure::{Failure, Problem};
use crate::procedures::{self, Found};
use crate::render::{evaluation, json};
use crate::session::Session;

/// Runs `rb evaluate`.
pub(crate) fn run(args: &Evaluate, session: &mut Session) -> Outcome {
    let found = procedures::find(&args.procedure, session)?;
    refuse_unknown(&args.observed, &found)?;
    let samples = running::samples(args.samples.as_deref(), &found, session.folder())?;
    let now = match args.at {
        None => Timestamp::now(),
        Some(Moment::At(moment)) => moment,
        Some(Moment::Newest) => samples.newest().unwrap_or_else(Timestamp::now),
    };
    let answer = evaluate(&found.procedure.document, &samples, &args.observed, now);
    if session.console.json() {
        session.console.print(&json::document(&answer));
    } else if args.format == EvaluateFormat::Github {
        for annotation in answer.annotations() {
            session.console.print(&format!("{annotation}\n"));
        }
    } else {
        let command = command(&found, &answer, session);
        session.console.print(&evaluation::text(&answer, command.as_deref(), session.console.look()));
    }
    Ok(match (answer.fires(), answer.is_inconclusive()) {
        (true, _) => Exit::GateSaysNo,
        (false, true) => Exit::Paused,
        (false, false) => Exit::Done,
    })
}

/// What is not declared cannot have been observed.
fn refuse_unknown(observed: &[String], found: &Found) -> Result<(), Problem> {
    let document = &found.procedure.document;
    let known = || {
        let triggers = document.trigger.iter().map(|row| row.id.as_str());
        triggers.chain(document.decision.iter().map(|row| row.id.as_str()))
    };
    match observed.iter().find(|id| !known().any(|name| name == id.as_str())) {
        None => Ok(()),
        Some(id) => Err(Failure::usage(format!(
            "procedure '{}' has no trigger and no decision '{id}'; there are: {}",
            found.procedure.id,
            known().collect::<Vec<_>>().join(", ")
        ))
        .into()),
    }
}

/// The command that follows the decision.
fn command(found: &Found, answer: &Evaluation, session: &Session) -> Option<String> {
    let decision = &answer.decision()?.decision;
    let name = found.typed();
    let mut words = vec!["run", name.as_str()];
    if let Some(phase) = decision.phases.first() {
        words.extend(["--phase", phase]);
    }
    if let Some(variant) = &decision.variant {
        words.extend(["--variant", variant]);
    }
    if decision.emergency {
        words.push("--emergency");
    }
    (!decision.phases.is_empty()).then(|| session.invocation.command(&words).to_string())
}
