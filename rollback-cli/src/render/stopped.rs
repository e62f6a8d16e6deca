//! A sequence that stopped, went on, or was given up: where it stands, what conflicts, and what to type next.

use rollback_core::plan::ConflictHunk;
use rollback_core::sequence::{RerereEvent, SequenceReport, SequenceStatus};

use super::human::explain;
use super::{Commits, Look};
use crate::invocation::Invocation;
use crate::terminal::style::{Palette, paint};
use crate::terminal::text::{self, count};

/// How many hunks are shown before the rest is counted.
const HUNKS: usize = 3;

/// What is shown.
pub(crate) struct Stopped<'a> {
    /// How it stands.
    pub(crate) report: &'a SequenceReport,
    /// The branch that holds the conflict, where it is not in the work tree.
    pub(crate) branch: Option<&'a str>,
    /// What else happened.
    pub(crate) notes: &'a [String],
}

/// The text for people.
pub(crate) fn render(stopped: &Stopped<'_>, commits: &Commits, typed: &Invocation, look: Look) -> String {
    let report = stopped.report;
    let mut out = String::new();
    for id in &report.commit_ids {
        let subject = commits.subject(*id).unwrap_or_default();
        let made = if stopped.branch.is_some() { "on the branch" } else { "committed" };
        out.push_str(&format!("{} {} {subject}\n", paint(Palette::GOOD, made), commits.short(*id)));
    }
    out.push_str(&headline(stopped, commits, look));
    for conflict in report.conflicts.iter().take(look.shown(12)) {
        out.push_str(&format!(
            "  {} {}: {}\n",
            paint(Palette::BAD, look.signs.no),
            text::path(&conflict.path),
            explain(conflict.kind)
        ));
    }
    let hidden = report.conflicts.len().saturating_sub(look.shown(12));
    if hidden > 0 {
        out.push_str(&format!("  and {hidden} more\n"));
    }
    out.push_str(&hunks(&report.hunks, look));
    for note in stopped.notes {
        out.push_str(&format!("{} {}\n", paint(Palette::HEADING, "note:"), text::escape(note)));
    }
    if report.remaining > 0 && report.is_stopped() {
        out.push_str(&format!("{} to go after this one\n", count(report.remaining, "commit")));
    }
    out.push_str(&next(stopped, typed));
    out
}

fn headline(stopped: &Stopped<'_>, commits: &Commits, look: Look) -> String {
    let report = stopped.report;
    let what = if report.command == "revert" { "the revert" } else { "the pick" };
    let of = report.stopped_at.map(|id| {
        let subject = commits.subject(id).unwrap_or_default();
        format!(" of {} {subject}", commits.short(id))
    });
    let of = of.unwrap_or_default();
    let said = match report.status {
        SequenceStatus::Conflicted => match stopped.branch {
            Some(branch) => {
                let branch = super::short_reference(branch);
                format!("left with its conflicts on {branch}: {what}{of}")
            }
            None => format!("stopped: {what}{of} conflicts"),
        },
        SequenceStatus::Empty => format!("stopped: nothing is left of {what}{of}"),
        SequenceStatus::HookFailed => format!("stopped: a hook refused the commit of {what}{of}"),
        SequenceStatus::EditorFailed => format!("stopped: the message of {what}{of} was not edited"),
        SequenceStatus::EmptyMessage => format!("stopped: the message of {what}{of} is empty"),
        SequenceStatus::StrategyFailed => format!("stopped: another program could not merge {what}{of}"),
        SequenceStatus::Aborted => format!("taken back: all is as before {what}"),
        SequenceStatus::HeadMoved => format!("given up: {what} is over, and HEAD stays where it is"),
        SequenceStatus::Quit => {
            format!("forgotten: {what} is over, and index and work tree stay as they are")
        }
        _ => format!("done: {what} is over"),
    };
    let style = if report.is_stopped() { Palette::WARN } else { Palette::GOOD };
    let (first, rest) = said.split_once(':').unwrap_or((&said, ""));
    let line = format!("{}{rest}", paint(style, format!("{first}:")));
    text::wrap(&line, look.width().max(60)).join("\n  ") + "\n"
}

/// The first hunks; all of them where more is wanted.
pub(crate) fn hunks(hunks: &[ConflictHunk], look: Look) -> String {
    let shown = look.shown(HUNKS);
    let mut out = String::new();
    for hunk in hunks.iter().take(shown) {
        let place = format!("{}:{}", text::path(&hunk.path), hunk.line);
        out.push_str(&format!("\n  {}\n", paint(Palette::NAME, place)));
        for line in hunk.text.lines() {
            let line = text::escape_lines(line);
            let marker =
                ["<<<<<<<", "=======", ">>>>>>>", "|||||||"].iter().any(|mark| line.starts_with(mark));
            let line = if marker { paint(Palette::QUIET, line) } else { line };
            out.push_str(&format!("    {line}\n"));
        }
        if hunk.left_out > 0 {
            out.push_str(&format!("    and {} more\n", count(hunk.left_out, "line")));
        }
    }
    let hidden = hunks.len().saturating_sub(shown);
    if hidden > 0 {
        out.push_str(&format!("\n  and {} more (-v shows them)\n", count(hidden, "hunk")));
    }
    if !out.is_empty() {
        out.push('\n');
    }
    out
}

/// What happened to a conflict that is remembered.
pub(crate) fn rerere(event: &RerereEvent) -> String {
    match event {
        RerereEvent::RecordedPreimage(path) => format!("the conflict in {path} will be remembered (rerere)"),
        RerereEvent::RecordedResolution(path) => format!("how {path} was resolved is remembered (rerere)"),
        RerereEvent::Resolved(path) => format!("{path} was resolved as before (rerere); it is not staged"),
        RerereEvent::Staged(path) => format!("{path} was resolved as before (rerere), and staged"),
    }
}

fn next(stopped: &Stopped<'_>, typed: &Invocation) -> String {
    let report = stopped.report;
    if !report.is_stopped() {
        let undo = typed.command(&["undo"]);
        return match (report.status, &report.operation_id) {
            (SequenceStatus::Done, Some(_)) => line("take it back with", &undo.to_string()),
            (SequenceStatus::Aborted, Some(_)) => line("bring the conflict back with", &undo.to_string()),
            _ => String::new(),
        };
    }
    if let Some(branch) = stopped.branch {
        let branch = super::short_reference(branch);
        return line("look at it with", &typed.git(&["show", &branch]).to_string());
    }
    let go_on = typed.command(&["continue"]).to_string();
    let first = match report.status {
        SequenceStatus::Conflicted => line("resolve the files, mark them with git add, then", &go_on),
        SequenceStatus::Empty => String::new(),
        _ => line("commit it with", &go_on),
    };
    let others = [
        ("leave this commit out with", typed.command(&["skip"]).to_string()),
        ("go back to how it was with", typed.command(&["abort"]).to_string()),
    ];
    let others = others.map(|(what, command)| labelled("or:", what, &command));
    format!("{first}{}", others.concat())
}

fn line(what: &str, command: &str) -> String {
    labelled("next:", what, command)
}

fn labelled(label: &str, what: &str, command: &str) -> String {
    let label = paint(Palette::HEADING, text::pad(label, 5));
    format!("{label} {what}: {}\n", paint(Palette::COMMAND, command))
}
