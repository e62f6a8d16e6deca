//! `rb report`: what an operation or a run did, as a page or as data.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rollback_core::oplog::{Operation, OperationRef};
use rollback_core::patch::{Diff, DiffOptions};
use rollback_core::procedure::Procedure;
use rollback_core::procedure::engine::{RunState, runs};
use rollback_core::report::Report;
use rollback_core::{Error, Repo};

use super::{Outcome, rehearse};
use crate::args::{self, ReportFormat};
use crate::exit::Exit;
use crate::failure::{Failure, Problem};
use crate::hint::Hint;
use crate::procedures;
use crate::render::{json, report};
use crate::session::Session;

/// Runs `rb report`.
pub(crate) fn run(args: args::Report, session: &mut Session) -> Outcome {
    let format = format(&args, session);
    let mut found = find(&args, session)?;
    let diff = diff(&mut found, args.patch, format, session);
    let text = match format {
        ReportFormat::Md => report::markdown(&found, diff.as_ref()),
        ReportFormat::Html => report::html(&found, diff.as_ref()),
        ReportFormat::Json => json::document(&found),
    };
    let wrapped = session.console.json();
    match &args.output {
        None if wrapped && format != ReportFormat::Json => session.console.print(&json::text(&text)),
        None => session.console.print(&text),
        Some(file) => {
            let path = session.folder().join(file);
            std::fs::write(&path, text).map_err(|source| Error::Io { action: "write", path, source })?;
            let said = format!("The report is in {}.\n", file.display());
            match wrapped {
                true => session.console.print(&json::text(&said)),
                false => session.console.tell(&said),
            }
        }
    }
    Ok(Exit::Done)
}

/// What changed, counted into the report. A report is made without it where it cannot be had.
fn diff(found: &mut Report, with_patch: bool, format: ReportFormat, session: &mut Session) -> Option<Diff> {
    let repo = session.repo().ok()?;
    let options = DiffOptions::from_config(&repo).unwrap_or_default();
    let diff = repo.report_patch(found, &options).ok()??;
    let document = diff.document(with_patch && format == ReportFormat::Json);
    found.diff = document.ok();
    Some(diff)
}

fn format(args: &args::Report, session: &Session) -> ReportFormat {
    let extension = args.output.as_deref().and_then(Path::extension).and_then(|name| name.to_str());
    match (args.format, extension) {
        (Some(format), _) => format,
        (None, Some("html" | "htm")) => ReportFormat::Html,
        (None, Some("json")) => ReportFormat::Json,
        (None, None) if session.console.json() => ReportFormat::Json,
        (None, _) => ReportFormat::Md,
    }
}

fn find(args: &args::Report, session: &mut Session) -> Result<Report, Problem> {
    if !args.rehearsal.is_empty() {
        let rehearsal = rehearse::joined(&args.rehearsal, session)?;
        return Ok(Report::of_rehearsal(&rehearsal, made_at(&args.rehearsal, session)));
    }
    let repo = session.repo()?;
    if let Some(id) = &args.run {
        let state = find_run(&repo, id, session)?;
        return of_run(&repo, &state, session);
    }
    if let Some(id) = &args.operation {
        return Ok(repo.report_of_operation(&OperationRef::Id(id.clone()))?);
    }
    let runs = runs(&repo)?;
    let last = repo.operations()?.into_iter().next();
    // The run says more than the operation by which it landed; one that landed nothing has no operation.
    let newer = |run: &RunState, operation: &Operation| {
        let ended = run.finished.unwrap_or(run.started).as_second();
        run.operations.contains(&operation.operation_id) || ended > operation.time
    };
    let of_last = runs.iter().max_by_key(|run| run.finished.unwrap_or(run.started));
    let of_last = of_last.filter(|run| last.as_ref().is_none_or(|operation| newer(run, operation)));
    match (of_last, last) {
        (Some(state), _) => of_run(&repo, state, session),
        (None, Some(_)) => Ok(repo.report_of_operation(&OperationRef::Last)?),
        (None, None) => {
            Err(Failure::new(Exit::Refused, "nothing-to-report", "rb has landed nothing here yet")
                .with_hint(Hint::new("see what it can do with", session.invocation.command(&["--help"])))
                .into())
        }
    }
}

/// When the newest of the files was written; now where none tells.
fn made_at(files: &[PathBuf], session: &Session) -> Timestamp {
    let written = |file: &PathBuf| std::fs::metadata(session.folder().join(file)).ok()?.modified().ok();
    let newest = files.iter().filter_map(written).max();
    newest.and_then(|at| Timestamp::try_from(at).ok()).unwrap_or_else(Timestamp::now)
}

fn find_run(repo: &Repo, id: &str, session: &Session) -> Result<RunState, Problem> {
    let mut found: Vec<_> = runs(repo)?.into_iter().filter(|run| run.id.starts_with(id)).collect();
    let list = session.invocation.command(&["status"]);
    match (found.len(), found.pop()) {
        (1, Some(run)) => Ok(run),
        (0, _) => Err(Failure::new(Exit::Refused, "unknown-run", format!("there is no run '{id}'"))
            .with_hint(Hint::new("see which runs are open with", list))
            .into()),
        _ => Err(Failure::new(Exit::Refused, "ambiguous-run", format!("several runs begin with '{id}'"))
            .with_hint(Hint::new("give more of the id; see open runs with", list))
            .into()),
    }
}

fn of_run(repo: &Repo, state: &RunState, session: &mut Session) -> Result<Report, Problem> {
    Ok(repo.report_of_run(state, procedure_of(state, session).as_ref())?)
}

/// The procedure of a run, where it can still be found; the record says the most without it.
fn procedure_of(state: &RunState, session: &mut Session) -> Option<Procedure> {
    let name = state.found_as.as_deref().unwrap_or(&state.procedure);
    procedures::catalogue(session).load(name).ok().map(|(procedure, _)| procedure)
}
