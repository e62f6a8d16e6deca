//! What a run did, as Markdown: the same facts that the record holds.

use std::fmt::Write;

use super::event::On;
use super::state::{RunState, UnitState};
use crate::procedure::check::Verdict;
use crate::procedure::format::Procedure;

/// The checks as a list, one a line.
pub(super) fn results(state: &RunState) -> String {
    let mut text = String::new();
    for (check, verdicts) in &state.verdicts {
        let Some((_, verdict)) = verdicts.iter().rfind(|(on, _)| **on != On::Control) else {
            continue;
        };
        let mark = if verdict.blocks() { ' ' } else { 'x' };
        let _ = writeln!(text, "- [{mark}] {check}: {verdict}");
    }
    text.trim_end().to_owned()
}

/// The units as a list, with the time each began.
pub(super) fn timeline(state: &RunState) -> String {
    let mut text = String::new();
    for unit in state.units.iter().filter(|unit| unit.state != UnitState::Pending) {
        let at = unit.started.map_or_else(String::new, |at| at.strftime("%H:%M:%S").to_string());
        let note = unit.note.as_ref().map_or(String::new(), |note| format!(": {note}"));
        let _ = writeln!(text, "- {at} {} ({:?}){note}", unit.id, unit.state);
    }
    text.trim_end().to_owned()
}

/// The report of a run.
pub fn markdown(procedure: &Procedure, state: &RunState) -> String {
    let mut text = String::new();
    let title = procedure.document.title.as_deref().unwrap_or(&procedure.id);
    let variant = state.variant.as_ref().map_or(String::new(), |variant| format!(", {variant}"));
    let _ = writeln!(text, "# {title}: {}{variant}\n", state.phase);
    let _ = writeln!(text, "| | |\n|---|---|");
    let mut row = |name: &str, value: String| {
        if !value.is_empty() {
            let _ = writeln!(text, "| {name} | {} |", cell(&value));
        }
    };
    row("Run", state.id.clone());
    row("Status", state.standing().to_owned());
    row("Started", state.started.to_string());
    row("Finished", state.finished.map_or(String::new(), |at| at.to_string()));
    row("Target time", state.rto.map_or(String::new(), |rto| rto.to_string()));
    row("Reason", state.reason.clone());
    row("Trigger", state.trigger.clone());
    row("Severity", state.severity.clone().unwrap_or_default());
    row("Roles (stated, not enforced)", state.roles.join(", "));
    let approvals: Vec<_> = state.approvals.iter().map(|(role, who)| approval(state, role, who)).collect();
    row("Approvals", approvals.join(", "));
    row("Tip before", state.tip.to_string());
    row("Commits", state.commits.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "));
    row("Branch", state.landed_on.clone().unwrap_or_default());
    row("Checkpoint", state.checkpoint.clone().unwrap_or_default());
    row("Procedure hash", state.hash.clone());
    if let Some(pause) = &state.pause {
        let _ = writeln!(text, "\n**Paused at {}**: {}", pause.at, pause.why);
    }
    if !state.rungs.is_empty() {
        let _ = writeln!(
            text,
            "\n## Ladder\n\n| rung | strategy | taken | why | discards |\n|---|---|---|---|---|"
        );
        for rung in &state.rungs {
            let kind = rung.kind.map_or("edits".to_owned(), |kind| format!("{kind:?}"));
            let discards: Vec<_> = rung.discards.iter().map(|id| id.to_hex_with_len(8)).collect();
            let taken = if rung.taken { "yes" } else { "no" };
            let _ = writeln!(
                text,
                "| {} | {kind} | {taken} | {} | {} |",
                rung.at,
                cell(&rung.why),
                discards.join(", ")
            );
        }
    }
    if !state.verdicts.is_empty() {
        let _ = writeln!(text, "\n## Checks\n\n| check | before | candidate | live |\n|---|---|---|---|");
        for (check, verdicts) in &state.verdicts {
            let of =
                |on| verdicts.get(&on).map_or(String::new(), |verdict: &Verdict| cell(&verdict.to_string()));
            let _ = writeln!(
                text,
                "| {check} | {} | {} | {} |",
                of(On::Control),
                of(On::Candidate),
                of(On::Live)
            );
        }
    }
    let _ = writeln!(text, "\n## Timeline\n\n{}", timeline(state));
    if !state.outside_effects.is_empty() {
        let _ = writeln!(text, "\n## Outside the repository\n");
        for effect in &state.outside_effects {
            let _ = writeln!(text, "- {effect}");
        }
    }
    if !state.evidence.is_empty() {
        let _ = writeln!(text, "\n## Evidence\n\n| file | SHA-256 |\n|---|---|");
        for (file, hash) in &state.evidence {
            let _ = writeln!(text, "| {} | `{hash}` |", cell(file));
        }
    }
    if !procedure.document.followup.is_empty() {
        let _ = writeln!(text, "\n## Follow-ups\n\n| due | what |\n|---|---|");
        for followup in &procedure.document.followup {
            let end = state.finished.unwrap_or(state.started);
            let due = followup
                .due
                .and_then(|due| end.checked_add(jiff::SignedDuration::try_from(due.0).ok()?).ok());
            let due = due.map_or(String::new(), |due| due.strftime("%Y-%m-%d %H:%M UTC").to_string());
            let _ = writeln!(text, "| {due} | {} |", cell(&followup.text));
        }
    }
    text
}

/// An approval, and whether a signature stands behind it.
fn approval(state: &RunState, role: &str, who: &str) -> String {
    match state.signatures.iter().find(|signed| signed.role == role && signed.by == who) {
        Some(signed) => format!("{role}: {who} (signed, {})", signed.key),
        None => format!("{role}: {who} (not enforced)"),
    }
}

/// Text that cannot break out of its cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
