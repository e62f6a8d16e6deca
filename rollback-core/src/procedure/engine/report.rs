//! What a run did, as Markdown: the same facts that the record holds.

use std::fmt::Write;

use super::event::On;
use super::state::{RunState, UnitState};
use crate::markdown::{cell, code};
use crate::procedure::format::{Followup, Procedure, text};

/// The checks as a list, one a line.
pub(super) fn results(state: &RunState) -> String {
    let rows = state.verdicts.iter().filter_map(|(check, verdicts)| {
        let (_, verdict) = verdicts.iter().rfind(|(on, _)| **on != On::Control)?;
        Some(format!("- [{}] {check}: {verdict}\n", if verdict.blocks() { ' ' } else { 'x' }))
    });
    rows.collect::<String>().trim_end().to_owned()
}

/// The units as a list, with the time each began.
pub(super) fn timeline(state: &RunState) -> String {
    let rows = state.units.iter().filter(|unit| unit.state != UnitState::Pending).map(|unit| {
        let at = unit.started.map_or_else(String::new, |at| at.strftime("%H:%M:%S").to_string());
        let note = unit.note.as_ref().map_or(String::new(), |note| format!(": {note}"));
        format!("- {at} {} ({:?}){note}\n", unit.id, unit.state)
    });
    rows.collect::<String>().trim_end().to_owned()
}

/// The report of a run.
pub fn markdown(procedure: &Procedure, state: &RunState) -> String {
    let mut page = Page(String::new());
    page.head(procedure, state);
    page.what_was_tried(state);
    page.list("Timeline", timeline(state).lines().map(cell));
    page.list(
        "Outside the repository",
        state.outside_effects.iter().map(|effect| format!("- {}", code(effect))),
    );
    let evidence = state.evidence.iter().map(|(file, hash)| vec![cell(file), code(hash)]);
    page.table("Evidence", &["file", "SHA-256"], evidence);
    let end = state.finished.unwrap_or(state.started);
    let due = |followup: &Followup| {
        let due = end.checked_add(jiff::SignedDuration::try_from(followup.due?.0).ok()?).ok()?;
        Some(due.strftime("%Y-%m-%d %H:%M UTC").to_string())
    };
    let followups = procedure.document.followup.iter();
    let followups = followups.map(|row| vec![due(row).unwrap_or_default(), cell(&row.text)]);
    page.table("Follow-ups", &["due", "what"], followups);
    page.0
}

struct Page(String);

impl Page {
    /// A section that is left out where it has no row.
    fn table(&mut self, title: &str, head: &[&str], rows: impl Iterator<Item = Vec<String>>) {
        for (at, row) in rows.enumerate() {
            if at == 0 {
                let rule = "---|".repeat(head.len());
                let _ = writeln!(self.0, "\n## {title}\n\n| {} |\n|{rule}", head.join(" | "));
            }
            let _ = writeln!(self.0, "| {} |", row.join(" | "));
        }
    }

    /// A section of rows that begin as those of a list, left out where it has none.
    fn list(&mut self, title: &str, rows: impl Iterator<Item = String>) {
        for (at, row) in rows.enumerate() {
            if at == 0 {
                let _ = writeln!(self.0, "\n## {title}\n");
            }
            let _ = writeln!(self.0, "{row}");
        }
    }

    fn head(&mut self, procedure: &Procedure, state: &RunState) {
        let title = procedure.document.title.as_deref().unwrap_or(&procedure.id);
        let variant = state.variant.as_ref().map_or(String::new(), |variant| format!(", {variant}"));
        let _ = writeln!(self.0, "# {}\n", cell(&format!("{title}: {}{variant}", state.phase)));
        let _ = writeln!(self.0, "| | |\n|---|---|");
        let mut row = |name: &str, value: String| {
            if !value.is_empty() {
                let _ = writeln!(self.0, "| {name} | {} |", cell(&value));
            }
        };
        row("Run", state.id.clone());
        row("Status", state.standing().to_owned());
        row("Started", state.started.to_string());
        row("Finished", text(state.finished));
        row("Target time", text(state.rto));
        row("Reason", state.reason.clone());
        row("Trigger", state.trigger.clone());
        row("Severity", state.severity.clone().unwrap_or_default());
        row("Roles (stated, not enforced)", state.roles.join(", "));
        let approvals = state.approvals.iter().map(|(role, who)| approval(state, role, who));
        row("Approvals", approvals.collect::<Vec<_>>().join(", "));
        row("Tip before", state.tip.to_string());
        row("Commits", state.commits.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "));
        row("Branch", state.landed_on.clone().unwrap_or_default());
        row("Checkpoint", state.checkpoint.clone().unwrap_or_default());
        row("Procedure hash", state.hash.clone());
        if let Some(pause) = &state.pause {
            let _ = writeln!(self.0, "\n**Paused at {}**: {}", cell(&pause.at), cell(&pause.why));
        }
    }

    fn what_was_tried(&mut self, state: &RunState) {
        let rungs = state.rungs.iter().map(|rung| {
            let kind = rung.kind.map_or("edits".to_owned(), |kind| format!("{kind:?}"));
            let taken = if rung.taken { "yes" } else { "no" };
            let discards: Vec<_> = rung.discards.iter().map(|id| id.to_hex_with_len(8)).collect();
            vec![rung.at.to_string(), kind, taken.to_owned(), cell(&rung.why), discards.join(", ")]
        });
        self.table("Ladder", &["rung", "strategy", "taken", "why", "discards"], rungs);
        let checks = state.verdicts.iter().map(|(check, verdicts)| {
            let of = |on| verdicts.get(&on).map_or(String::new(), |verdict| cell(&verdict.to_string()));
            vec![cell(check), of(On::Control), of(On::Candidate), of(On::Live)]
        });
        self.table("Checks", &["check", "before", "candidate", "live"], checks);
    }
}

/// An approval, and whether a signature stands behind it.
fn approval(state: &RunState, role: &str, who: &str) -> String {
    match state.signatures.iter().find(|signed| signed.role == role && signed.by == who) {
        Some(signed) => format!("{role}: {who} (signed, {})", signed.key),
        None => format!("{role}: {who} (not enforced)"),
    }
}
