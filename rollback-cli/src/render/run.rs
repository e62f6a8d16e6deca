//! Runs of procedures: for people what will be done, what was done and what waits; for programs a document.

use std::path::PathBuf;

use rollback_core::Repo;
use rollback_core::procedure::Procedure;
use rollback_core::procedure::check::Verdict;
use rollback_core::procedure::engine::{
    Ending, Event, On, RunState, RunStatus, RungTried, UnitKind, UnitState,
};
use rollback_core::procedure::format::Period;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Look, short_reference};
use crate::command_line::CommandLine;
use crate::terminal::style::{Palette, paint};
use crate::terminal::text::{count, escape, pad};

/// The version of the lines of events; the state of a run has its own.
const SCHEMA_VERSION: u32 = 1;

/// What `--json` prints of an event, on one line.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct EventLine<'a> {
    /// The version of this document.
    schema_version: u32,
    /// When, in RFC 3339.
    time: String,
    #[serde(flatten)]
    event: &'a Event<'a>,
}

impl<'a> EventLine<'a> {
    /// The event, now.
    pub(crate) fn new(event: &'a Event<'a>) -> Self {
        Self { schema_version: SCHEMA_VERSION, time: jiff::Timestamp::now().to_string(), event }
    }
}

/// What `--json` prints of a run, after the lines of its events.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Document<'a> {
    #[serde(flatten)]
    state: &'a RunState,
    /// What to type next, where that can be said.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

impl<'a> Document<'a> {
    /// The state of a run, and what to type next.
    pub(crate) fn new(state: &'a RunState, next: Option<String>) -> Self {
        Self { state, next }
    }
}

/// What to type after a run.
#[derive(Clone, Debug)]
pub(crate) struct Next {
    /// What it is good for.
    pub(crate) what: &'static str,
    /// The command to type.
    pub(crate) command: CommandLine,
}

/// What a kind of work is called.
pub(crate) fn kind_name(kind: UnitKind) -> String {
    name_of(&kind)
}

/// What people call what a check ran on.
pub(crate) fn on_name(on: On) -> &'static str {
    match on {
        On::Control => "the tip as it is",
        On::Candidate => "the candidate",
        On::Live => "the live system",
    }
}

/// A rung by its place and its strategy.
pub(crate) fn rung_name(rung: &RungTried) -> String {
    match rung.kind {
        Some(kind) => format!("{} ({})", rung.at, name_of(&kind)),
        None => "of the edits".to_owned(),
    }
}

/// The name that a value has in documents.
fn name_of(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => name,
        _ => String::new(),
    }
}

/// The questions that a run would stop at, by the id that confirms them.
pub(crate) fn questions(state: &RunState, procedure: &Procedure) -> Vec<String> {
    let prechecks = &procedure.document.precheck;
    let asked = state.units.iter().filter(|unit| unit.kind == UnitKind::Precheck);
    asked
        .filter(|unit| prechecks.iter().any(|precheck| precheck.id == unit.id && precheck.ask.is_some()))
        .filter(|unit| !state.confirmed.contains(&unit.id))
        .map(|unit| unit.id.clone())
        .collect()
}

/// What a run would do; `run` is the command that does it, where that would not be refused.
pub(crate) fn planned(
    state: &RunState,
    procedure: &Procedure,
    waits: &[String],
    run: Option<&str>,
    repo: &Repo,
    look: Look,
) -> String {
    let mut text = heading(state, procedure.document.title.as_deref());
    text.push_str(&format!(
        "on {} at {}{}\n\n",
        short_reference(&state.reference),
        paint(Palette::ID, repo.abbreviation(state.tip)),
        state.rto.map_or(String::new(), |rto| format!(", to be done within {rto}"))
    ));
    for (at, unit) in state.units.iter().enumerate() {
        let id = if unit.id == kind_name(unit.kind) { String::new() } else { escape(&unit.id).into_owned() };
        let asks = if waits.contains(&unit.id) { paint(Palette::WARN, "  asks you") } else { String::new() };
        let line = format!("{:>4}  {}{id}{asks}", at + 1, pad(&kind_name(unit.kind), 11));
        text.push_str(&format!("{}\n", line.trim_end()));
    }
    text.push_str(&foreseen(state, repo, look));
    let inputs: Vec<_> =
        state.inputs.iter().map(|(name, value)| format!("{name}={}", escape(value))).collect();
    if !inputs.is_empty() {
        text.push_str(&format!("\nwith {}\n", inputs.join(" ")));
    }
    text.push('\n');
    let goes_on = match (state.ending, &state.pause) {
        (Some(Ending::Paused), Some(pause)) => {
            text.push_str(&format!("It would wait at {}: {}\n", escape(&pause.at), escape(&pause.why)));
            true
        }
        (Some(Ending::NothingToDo), _) => {
            text.push_str("There is nothing to do.\n");
            false
        }
        (Some(_), _) => {
            text.push_str("No way back can be taken as things are.\n");
            false
        }
        (None, _) => true,
    };
    text.push_str("Nothing was written and no program was run.");
    if let Some(run) = run.filter(|_| goes_on) {
        let (next, run) = (paint(Palette::QUIET, "next:"), paint(Palette::COMMAND, run));
        text.push_str(&format!(" {next} do it with: {run}"));
    }
    text.push('\n');
    text
}

/// What would come of each rung, which paths it touches, and what that costs.
fn foreseen(state: &RunState, repo: &Repo, look: Look) -> String {
    let mut text = String::new();
    for rung in &state.rungs {
        text.push_str(&rung_line(rung, look));
        if let Some(loss) = &rung.loss {
            let shown = look.shown(12);
            let mut paths: Vec<String> =
                rung.paths.iter().take(shown).map(|path| escape(&path.to_string()).into_owned()).collect();
            if rung.paths.len() > shown {
                paths.push(format!("{} more (-v shows all)", rung.paths.len() - shown));
            }
            text.push_str(&format!("    {}, touches {}\n", name_of(loss), paths.join(", ")));
        }
        for line in discards(rung, repo, look) {
            text.push_str(&format!("  {line}\n"));
        }
    }
    text
}

/// How a run ended, or where it waits.
pub(crate) fn ended(state: &RunState, repo: &Repo, next: Option<&Next>, look: Look) -> String {
    let mut text = format!("{}: run {}, ", status(state), paint(Palette::ID, &state.id));
    text.push_str(&heading(state, None));
    if let Some(time) = taken(state) {
        let within = state.rto.map_or(String::new(), |rto| format!(" of {rto}"));
        text.push_str(&format!("took {time}{within}\n"));
    }
    text.push_str(&rungs(state, repo, look));
    text.push_str(&checks(state));
    for unit in state.units.iter().filter(|unit| unit.state == UnitState::Failed) {
        let note = unit.note.as_deref().unwrap_or_default();
        let failed = paint(Palette::BAD, "failed:");
        text.push_str(&format!("{failed} {} {}: {}\n", kind_name(unit.kind), escape(&unit.id), escape(note)));
    }
    if let (Some(reference), false) = (&state.landed_on, state.commits.is_empty()) {
        let ids: Vec<_> = state.commits.iter().map(|id| repo.abbreviation(*id)).collect();
        text.push_str(&format!(
            "landed on {}: {}\n",
            short_reference(reference),
            paint(Palette::ID, ids.join(" "))
        ));
    }
    if let Some(pause) = &state.pause {
        text.push_str(&format!("waits at {}: {}\n", escape(&pause.at), escape(&pause.why)));
        if let Some(folder) = &pause.folder {
            text.push_str(&format!("the candidate lies in {}\n", escape(&folder.display().to_string())));
        }
    }
    text.push_str(&effects(state));
    if let Some(next) = next {
        text.push_str(&format!(
            "next: {}: {}\n",
            next.what,
            paint(Palette::COMMAND, next.command.to_string())
        ));
    }
    text
}

/// What is left of a run that was given up.
pub(crate) fn aborted(state: &RunState, repo: &Repo, undo: &str, look: Look) -> String {
    let mut text = ended(state, repo, None, look);
    if !state.commits.is_empty() {
        text.push_str(&format!(
            "What it landed stays. {} take it back with: {}\n",
            paint(Palette::QUIET, "next:"),
            paint(Palette::COMMAND, undo)
        ));
    }
    text
}

/// The verdicts of the checks of the live system.
pub(crate) fn verified(state: &RunState, look: Look) -> String {
    if state.verdicts.is_empty() {
        return "There is nothing to check.\n".to_owned();
    }
    let width = state.verdicts.keys().map(String::len).max().unwrap_or_default();
    let mut text = String::new();
    for check in state.verdicts.keys() {
        let Some(verdict) = state.verdict(check) else { continue };
        let (sign, style) =
            if verdict.blocks() { (look.signs.no, Palette::BAD) } else { (look.signs.yes, Palette::GOOD) };
        text.push_str(&format!(
            "{} {}  {}\n",
            paint(style, sign),
            pad(&escape(check), width),
            escape(&verdict.to_string())
        ));
    }
    text
}

/// A run that has not ended, on a line or two.
pub(crate) fn open(state: &RunState, next: &str) -> String {
    let mut text = format!(
        "run {} is {}: {}",
        paint(Palette::ID, &state.id),
        paint(Palette::WARN, state.status.as_str()),
        heading(state, None)
    );
    if let Some(pause) = &state.pause {
        text.push_str(&format!("  waits at {}: {}\n", escape(&pause.at), escape(&pause.why)));
        if let Some(folder) = &pause.folder {
            text.push_str(&format!("  the candidate lies in {}\n", escape(&folder.display().to_string())));
        }
    } else if let Some(unit) = state.units.iter().find(|unit| unit.state == UnitState::Started) {
        text.push_str(&format!("  was at {} {}\n", kind_name(unit.kind), escape(&unit.id)));
    }
    text.push_str(&format!("  next: {}\n", paint(Palette::COMMAND, next)));
    text
}

/// A run that has ended, on a line.
pub(crate) fn ended_line(state: &RunState) -> String {
    let when = state.finished.unwrap_or(state.started).strftime("%Y-%m-%d %H:%M");
    format!("{}  {when}  {}: {}", paint(Palette::ID, &state.id), status(state), heading(state, None))
}

/// What went wrong, in the words of what failed.
pub(crate) fn failures(state: &RunState) -> String {
    let notes: Vec<String> = state
        .failures()
        .map(|unit| match &unit.note {
            Some(note) if unit.kind == UnitKind::Rollback => note.clone(),
            Some(note) => format!("{}: {note}", unit.id),
            None => unit.id.clone(),
        })
        .collect();
    notes.join("; ")
}

/// Where the run keeps what programs wrote.
pub(crate) fn kept_in(state: &RunState, repo: &Repo) -> PathBuf {
    repo.git_dir().join("rb").join("runs").join(&state.id)
}

fn heading(state: &RunState, title: Option<&str>) -> String {
    let variant = state.variant.as_ref().map_or(String::new(), |variant| format!(", {}", escape(variant)));
    let title = title.map_or(String::new(), |title| format!("{}: ", escape(title)));
    let emergency = if state.emergency { paint(Palette::WARN, " (emergency)") } else { String::new() };
    format!(
        "{title}{} phase {}{variant}{emergency}\n",
        paint(Palette::NAME, escape(&state.procedure)),
        escape(&state.phase)
    )
}

fn status(state: &RunState) -> String {
    let style = match state.status {
        RunStatus::Complete => Palette::GOOD,
        RunStatus::NothingToDo | RunStatus::Aborted => Palette::QUIET,
        RunStatus::Failed | RunStatus::LandedWithFailures => Palette::BAD,
        RunStatus::Running | RunStatus::Paused => Palette::WARN,
    };
    paint(style, state.standing())
}

fn taken(state: &RunState) -> Option<Period> {
    let time: std::time::Duration = state.finished?.duration_since(state.started).try_into().ok()?;
    Some(Period(std::time::Duration::from_secs(time.as_secs())))
}

fn rungs(state: &RunState, repo: &Repo, look: Look) -> String {
    let mut text = String::new();
    for rung in &state.rungs {
        text.push_str(&rung_line(rung, look));
        for line in discards(rung, repo, look) {
            text.push_str(&format!("  {line}\n"));
        }
    }
    text
}

fn rung_line(rung: &RungTried, look: Look) -> String {
    let (sign, style) = match rung.taken {
        true => (look.signs.yes, Palette::GOOD),
        false => (look.signs.no, Palette::BAD),
    };
    format!("{} rung {}: {}\n", paint(style, sign), rung_name(rung), escape(&rung.why))
}

/// The later commits whose edits a rung discards, a line each.
pub(crate) fn discards(rung: &RungTried, repo: &Repo, look: Look) -> Vec<String> {
    let shown = look.shown(12);
    let mut lines = Vec::new();
    for commit in rung.discards.iter().take(shown) {
        let subject = repo.commit_summary(*commit).map(|summary| summary.subject).unwrap_or_default();
        let id = paint(Palette::ID, repo.abbreviation(*commit));
        lines.push(format!("  discards {id} {}", escape(&subject)));
    }
    if rung.discards.len() > shown {
        lines.push(format!("  and {} more (-v shows all)", rung.discards.len() - shown));
    }
    lines
}

/// Red before, green after.
fn checks(state: &RunState) -> String {
    let mut text = String::new();
    for (check, verdicts) in &state.verdicts {
        let told = |on: On| {
            verdicts.get(&on).map(|verdict: &Verdict| {
                let style = if verdict.blocks() { Palette::BAD } else { Palette::GOOD };
                format!("{}: {}", on_name(on), paint(style, escape(&verdict.to_string())))
            })
        };
        let all: Vec<_> = [On::Control, On::Candidate, On::Live].into_iter().filter_map(told).collect();
        text.push_str(&format!("check {}: {}\n", escape(check), all.join("; ")));
    }
    text
}

/// What git cannot take back.
fn effects(state: &RunState) -> String {
    if state.outside_effects.is_empty() {
        return String::new();
    }
    let mut text = format!(
        "outside the repository, and not taken back by git: {}\n",
        count(state.outside_effects.len(), "effect")
    );
    for effect in &state.outside_effects {
        text.push_str(&format!("  {}\n", escape(effect)));
    }
    text
}
