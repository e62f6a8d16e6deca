//! The report of a run of a procedure, from its record and from what it kept.

use jiff::{SignedDuration, Timestamp};

use super::graph::{Graph, Marks, Part, nodes};
use super::operation::SHOWN;
use super::origin::add_origin;
use super::{
    Changed, CheckReport, EvidenceReport, EvidenceState, Fact, Facts, FollowupReport, Look, MessageReport,
    Moment, Moved, Report, ReportKind, ReportOutcome, RungReport, SCHEMA_VERSION, Standing, Timing,
};
use crate::error::Result;
use crate::procedure::Procedure;
use crate::procedure::engine::{RunState, RunStatus, RungTried, Unit};
use crate::process::Redactor;
use crate::repo::Repo;
use crate::repo::refs::short_reference;
use crate::trust::sha256;
use crate::verdict::On;

/// How many bytes of the output of a check a report holds; of more, the start and the end.
const OUTPUT: usize = 32 * 1024;

impl Repo {
    /// The report of a run. Without its procedure it lacks what only that says: titles, recipients, follow-ups.
    ///
    /// # Errors
    /// What comparing the trees before and after can meet.
    pub fn report_of_run(&self, state: &RunState, procedure: Option<&Procedure>) -> Result<Report> {
        let elapsed_ms = state.finished.and_then(|end| millis_between(state.started, end));
        Ok(Report {
            schema_version: SCHEMA_VERSION,
            kind: ReportKind::Run,
            id: state.id.clone(),
            title: title(state, procedure),
            outcome: outcome(state),
            timing: Timing {
                started: state.started,
                finished: state.finished,
                elapsed_ms,
                target_ms: state.rto.and_then(|rto| u64::try_from(rto.0.as_millis()).ok()),
            },
            facts: facts(self, state),
            matrix: Vec::new(),
            timeline: state.units.iter().map(moment).collect(),
            graph: graph(self, state),
            ladder: state.rungs.iter().map(|rung| rung_report(self, rung)).collect(),
            changes: changes(self, state)?,
            moved: state.commits.last().map(|after| Moved { before: state.tip, after: *after }),
            diff: None,
            checks: checks(self, state, procedure),
            outside: state.outside_effects.clone(),
            evidence: evidence(self, state),
            followups: followups(state, procedure),
            messages: messages(self, state, procedure),
        })
    }
}

fn title(state: &RunState, procedure: Option<&Procedure>) -> String {
    let name = procedure.and_then(|procedure| procedure.document.title.as_deref());
    let variant = state.variant.as_ref().map_or(String::new(), |variant| format!(", {variant}"));
    format!("{}: {}{variant}", name.unwrap_or(&state.procedure), state.phase)
}

fn outcome(state: &RunState) -> ReportOutcome {
    let last = state.units.iter().rev().find_map(|unit| unit.note.clone()).unwrap_or_default();
    let failed = || state.failures().map(|unit| unit.id.as_str()).collect::<Vec<_>>().join(", ");
    let (standing, detail) = match state.status {
        RunStatus::Complete => (Standing::Good, String::new()),
        RunStatus::LandedWithFailures => (Standing::Attention, format!("What failed: {}", failed())),
        RunStatus::NothingToDo => (Standing::Good, last),
        RunStatus::Running => (Standing::Open, String::new()),
        RunStatus::Paused => {
            let pause = state.pause.as_ref().map(|pause| format!("At {}: {}", pause.at, pause.why));
            (Standing::Attention, pause.unwrap_or_default())
        }
        RunStatus::Failed => (Standing::Bad, last),
        RunStatus::Aborted => (Standing::Attention, String::new()),
    };
    ReportOutcome { word: state.standing().to_owned(), standing, detail }
}

fn facts(repo: &Repo, state: &RunState) -> Vec<Fact> {
    let mut facts = Facts::default();
    add_origin(&mut facts, repo, &state.reference, state.commits.last().copied());
    facts.add("Procedure", format!("{}, phase {}", state.procedure, state.phase));
    facts.add("Reason", &state.reason);
    facts.add("Trigger", &state.trigger);
    facts.add("Severity", state.severity.clone().unwrap_or_default());
    facts.add("Emergency", if state.emergency { "yes" } else { "" });
    facts.add("Roles (stated, not enforced)", state.roles.join(", "));
    let approvals: Vec<_> = state.approvals.iter().map(|(role, who)| format!("{role}: {who}")).collect();
    facts.add("Approvals (recorded, not enforced)", approvals.join(", "));
    facts.add("Confirmed", state.confirmed.join(", "));
    facts.add("Reference", &state.reference);
    facts.add("Tip before", state.tip.to_string());
    facts.add("Landed on", state.landed_on.clone().unwrap_or_default());
    facts.add("Checkpoint", state.checkpoint.clone().unwrap_or_default());
    facts.add("Procedure hash", &state.hash);
    facts.0
}

fn moment(unit: &Unit) -> Moment {
    Moment {
        at: unit.started,
        elapsed_ms: unit.started.zip(unit.ended).and_then(|(from, to)| millis_between(from, to)),
        kind: spelled(&unit.kind),
        name: unit.id.clone(),
        state: spelled(&unit.state),
        note: unit.note.clone(),
    }
}

/// A plain enum as the documents spell it.
fn spelled(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        _ => String::new(),
    }
}

fn graph(repo: &Repo, state: &RunState) -> Graph {
    let branch = short_reference(&state.reference);
    let around = |marks: &mut Marks, label: &str| {
        for target in state.targets.iter().take(SHOWN) {
            marks.add(*target, Part::Undone, label);
        }
        if let Some(source) = state.source {
            marks.add(source, Part::Good, "taken from here");
        }
    };
    let (mut before, mut after) = (Marks::default(), Marks::default());
    before.add(state.tip, Part::Tip, branch);
    around(&mut before, "to undo");
    let moved = state.landed_on.as_deref().map_or(branch, short_reference);
    after.add_new(&state.commits, moved, SHOWN);
    after.add(
        state.tip,
        Part::Tip,
        if moved == branch && !state.commits.is_empty() { "before" } else { branch },
    );
    around(&mut after, if state.commits.is_empty() { "to undo" } else { "undone" });
    Graph { before: nodes(repo, before.0), after: nodes(repo, after.0) }
}

fn rung_report(repo: &Repo, rung: &RungTried) -> RungReport {
    let result = match (&rung.reason, rung.taken) {
        (_, true) => "taken".to_owned(),
        (Some(reason), false) => spelled(reason).replace('-', " "),
        (None, false) => "not taken".to_owned(),
    };
    RungReport {
        strategy: rung.kind.as_ref().map_or("edits".to_owned(), spelled),
        subject: match rung.paths.len() {
            0 => String::new(),
            1 => "1 path".into(),
            number => format!("{number} paths"),
        },
        taken: rung.taken,
        result,
        why: rung.why.clone(),
        discards: rung.discards.iter().map(|id| repo.commit_line(*id)).collect(),
    }
}

/// What differs between the tip before and the last commit that was made.
fn changes(repo: &Repo, state: &RunState) -> Result<Vec<Changed>> {
    let Some(after) = state.commits.last() else { return Ok(Vec::new()) };
    let objects = repo.objects();
    let (before, after) = (repo.tree_of_commit(state.tip)?, repo.tree_of_commit(*after)?);
    let changed = crate::history::paths_between(&objects, before, after)?;
    Ok(changed
        .into_iter()
        .map(|change| {
            let kind = match (change.before, change.after) {
                (None, _) => "added",
                (_, None) => "deleted",
                _ => "modified",
            };
            Changed { path: change.path, kind: kind.into() }
        })
        .collect())
}

fn checks(repo: &Repo, state: &RunState, procedure: Option<&Procedure>) -> Vec<CheckReport> {
    let row = |(id, verdicts): (&String, &std::collections::BTreeMap<On, crate::verdict::Verdict>)| {
        let look = |on: On| {
            let verdict = verdicts.get(&on)?.clone();
            let output = output(repo.run_file(&state.id, &format!("check/{id}/{}", spelled(&on))));
            Some(Look { verdict, elapsed_ms: None, output })
        };
        let check = procedure.and_then(|procedure| procedure.check(id));
        CheckReport {
            name: id.clone(),
            title: check.and_then(|check| check.title.clone()),
            before: look(On::Control),
            candidate: look(On::Candidate),
            live: look(On::Live),
        }
    };
    state.verdicts.iter().map(row).collect()
}

/// What was kept of a program's output, redacted once more: the folder is the user's, and files can be put there.
fn output(kept: Option<Vec<u8>>) -> String {
    let bytes = Redactor::default().redact(&kept.unwrap_or_default());
    let omitted = bytes.len().saturating_sub(OUTPUT);
    if omitted == 0 {
        return String::from_utf8_lossy(&bytes).into_owned();
    }
    let (start, end) = (&bytes[..OUTPUT / 2], &bytes[bytes.len() - OUTPUT / 2..]);
    format!(
        "{}\n[... {omitted} bytes omitted ...]\n{}",
        String::from_utf8_lossy(start),
        String::from_utf8_lossy(end)
    )
}

fn evidence(repo: &Repo, state: &RunState) -> Vec<EvidenceReport> {
    let row = |(name, hash): (&String, &String)| {
        let bytes = repo.run_file(&state.id, name);
        let evidence = match &bytes {
            None => EvidenceState::Missing,
            Some(bytes) if sha256(bytes) == *hash => EvidenceState::Intact,
            Some(_) => EvidenceState::Altered,
        };
        EvidenceReport {
            name: name.clone(),
            sha256: hash.clone(),
            state: evidence,
            bytes: bytes.map(|bytes| bytes.len() as u64),
        }
    };
    state.evidence.iter().map(row).collect()
}

fn followups(state: &RunState, procedure: Option<&Procedure>) -> Vec<FollowupReport> {
    let end = state.finished.unwrap_or(state.started);
    let due = |period: crate::procedure::format::Period| -> Option<Timestamp> {
        end.checked_add(SignedDuration::try_from(period.0).ok()?).ok()
    };
    procedure
        .iter()
        .flat_map(|procedure| &procedure.document.followup)
        .map(|followup| FollowupReport { due: followup.due.and_then(due), text: followup.text.clone() })
        .collect()
}

/// The messages as they were kept, in the order of the procedure.
fn messages(repo: &Repo, state: &RunState, procedure: Option<&Procedure>) -> Vec<MessageReport> {
    let declared = procedure.map_or(&[][..], |procedure| &procedure.document.message);
    let kept = |name: &&String| name.starts_with("message/") && name.ends_with(".txt");
    let mut messages: Vec<_> = state
        .evidence
        .keys()
        .filter(kept)
        .filter_map(|file| message(file, repo.run_file(&state.id, file)?))
        .map(|mut message| {
            let known = declared.iter().find(|row| row.id == message.name);
            message.to = known.map(|row| row.to.clone()).unwrap_or_default();
            message
        })
        .collect();
    messages.sort_by_key(|message| declared.iter().position(|row| row.id == message.name));
    messages
}

fn message(name: &str, kept: Vec<u8>) -> Option<MessageReport> {
    let text = String::from_utf8(kept).ok()?;
    let name = name.trim_start_matches("message/").trim_end_matches(".txt").to_owned();
    let (subject, text) = match text.strip_prefix("Subject: ").and_then(|rest| rest.split_once('\n')) {
        Some((subject, text)) => (Some(subject.to_owned()), text),
        None => (None, text.as_str()),
    };
    Some(MessageReport { name, to: Vec::new(), subject, text: text.trim().to_owned() })
}

/// The time between two moments, in milliseconds; none where the clock went back.
fn millis_between(from: Timestamp, to: Timestamp) -> Option<u64> {
    u64::try_from(to.as_millisecond() - from.as_millisecond()).ok()
}
