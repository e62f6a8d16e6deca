//! What must hold of every simulated run, whatever happened to it.

use super::world::{Last, State};
use crate::procedure::engine::{Ending, RunState, RunStatus, Unit, UnitKind, UnitState};
use crate::process::Ended;

/// Looks at every run that the records have.
pub(super) fn runs(state: &mut State) {
    let wrong: Vec<_> = state.records.iter().flat_map(|record| judged(state, &record.run)).collect();
    wrong.into_iter().for_each(|what| state.violation(what));
    // What is written down is what is read again.
    let now_and_then = state.trace.len().is_multiple_of(4);
    if let Some(record) = state.records.last().filter(|_| now_and_then) {
        let read = serde_json::to_vec(&record.run).and_then(|bytes| serde_json::from_slice(&bytes));
        if !read.is_ok_and(|read: RunState| read == record.run) {
            state.violation("a record is not read as it was written");
        }
    }
}

fn judged(state: &State, run: &RunState) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut must = |holds: bool, what: &str| {
        if !holds {
            wrong.push(format!("{what} ({:?}, {:?})", run.status, run.ending));
        }
    };
    let open = run.status.is_open();
    let left = |unit: &Unit| matches!(unit.state, UnitState::Pending | UnitState::Started);
    let failed = run.failures().next().is_some();
    let told = |message: &str| state.told.contains(&(run.id.clone(), message.to_owned()));
    let said = |program: &str| state.said.get(&(run.id.clone(), program.to_owned())).copied();
    let rollback: Vec<_> = run.units.iter().filter(|unit| unit.kind == UnitKind::Rollback).collect();
    let rung = said("rung-1") == Some(Ended::Exited(0));
    // What a person asks for once the run has ended.
    let later = |unit: &Unit| {
        matches!(unit.kind, UnitKind::Publish | UnitKind::Followup) && unit.started >= run.finished
    };

    // How it ended, and what it says of that.
    if let (false, Some(ending)) = (open || run.status == RunStatus::Aborted, run.ending) {
        must(ending.status() == run.status, "its status is not that of its ending");
    }
    must(open || run.finished.is_some(), "it ended at no time");
    match run.status {
        RunStatus::Complete => {
            must(!failed, "it is complete and something failed");
            must(
                !run.units.iter().any(|unit| left(unit) && !later(unit)),
                "it is complete and something is left to do",
            );
            // A result that could not be published at first can be later.
            must(!told("failed") || run.units.iter().any(later), "it is complete and said that it failed");
            // Unless a person said so.
            let vouched = |unit: &Unit| unit.note.as_deref() == Some("taken for done");
            let lands = rollback.iter().any(|unit| unit.state == UnitState::Done && !vouched(unit));
            must(
                !lands || !run.commits.is_empty() || rung || run.confirmed.iter().any(|id| id == "rollback"),
                "it is complete and nothing landed",
            );
            let sent = |unit: &&Unit| unit.state == UnitState::Done && !vouched(unit);
            let mut sent = run.units.iter().filter(sent);
            let expected = sent.any(|unit| unit.kind == UnitKind::Message && unit.id == "complete");
            must(!expected || told("complete"), "the message was not told");
        }
        RunStatus::LandedWithFailures => {
            must(failed || run.units.iter().any(later), "nothing failed");
            must(
                !told("complete") || run.units.iter().any(later),
                "something failed, and it said that it is complete",
            );
        }
        RunStatus::Failed => {
            must(run.commits.is_empty(), "it says that nothing landed, and has commits");
            must(!rung, "it says that nothing landed, and an outside program did it");
            must(!told("complete"), "it failed and said that it is complete");
        }
        RunStatus::Aborted => {
            must(run.operations.is_empty() || !run.commits.is_empty(), "operations stay without commits");
        }
        _ => {}
    }
    if run.ending == Some(Ending::NothingToDo) {
        must(run.commits.is_empty(), "it had nothing to do and has commits");
    }

    // What was checked.
    for unit in run.units.iter().filter(|unit| unit.kind == UnitKind::Verify && unit.state == UnitState::Done)
    {
        must(said(&unit.id).is_some(), "a check is done that never ran");
    }

    // What landed.
    let reached = state.reach(&state.branches.values().copied().collect::<Vec<_>>());
    let trailer = format!("Rollback-Run: {}", run.id);
    let landed: Vec<_> = (state.commits.iter())
        .filter(|commit| reached.contains(&commit.id) && commit.message.contains(&trailer))
        .map(|commit| commit.id)
        .collect();
    // What a publication landed right before it died is found by the next one.
    let publishes = |unit: &Unit| unit.kind == UnitKind::Publish && unit.state == UnitState::Started;
    if !open && !run.units.iter().any(publishes) {
        let known = landed.iter().all(|commit| run.commits.contains(commit));
        must(known, "it ended, and a commit of it is not in its record");
        let there = run.commits.iter().all(|commit| landed.contains(commit));
        must(there, "its record has a commit that no branch has");
    }

    // What is done outside is listed.
    for unit in run.units.iter().filter(|unit| unit.kind == UnitKind::Step && unit.state == UnitState::Done) {
        let key = (run.id.clone(), format!("step-{}", unit.id));
        let passed = state.starts.get(&key) == Some(&Last::Passed);
        let listed = run.outside_effects.iter().any(|effect| effect.starts_with(&unit.id));
        must(!passed || listed, "a step was done and is not listed");
    }

    // The report is that of the end.
    if run.status == RunStatus::Complete
        && !run.units.iter().any(later)
        && let Some(report) = state.kept.get(&(state.at(&run.id), "report.md".to_owned()))
    {
        let line = format!("| Status | {} |", run.standing());
        must(String::from_utf8_lossy(report).contains(&line), "its report says something else");
    }
    wrong
}
