//! What was run on a result before it was to land: a line each, and the end of what a failing one wrote.

use rollback_core::Plan;
use rollback_core::verdict::{CheckKind, CheckRun, On, Outcome, Verdict};

use super::Look;
use crate::command_line::quote;
use crate::terminal::style::{Palette, paint};
use crate::terminal::text;

/// How many lines of a failing check are shown.
const LINES: usize = 8;

/// The checks of a plan; nothing where none were run.
pub(crate) fn render(plan: &Plan, look: Look) -> String {
    let mut rendered = String::new();
    for (index, attempt) in plan.attempts.iter().enumerate() {
        let runs: Vec<_> = plan.checks.iter().filter(|run| run.attempt == Some(index)).collect();
        if runs.is_empty() {
            continue;
        }
        let heading = paint(Palette::HEADING, format!("Checks of {}", attempt.strategy));
        rendered.push_str(&format!("{heading}\n"));
        let widest = runs.iter().map(|run| text::width(&name(run))).max().unwrap_or(0);
        let column = widest.min(look.width() / 2);
        for run in runs {
            rendered.push_str(&line(run, control_of(plan, run), column, look));
        }
    }
    rendered
}

fn line(run: &CheckRun, control: Option<&CheckRun>, column: usize, look: Look) -> String {
    let cell = text::pad(&text::fit(&name(run), column, look.signs.ellipsis), column);
    let seconds = format!("{:>5.1} s", run.elapsed_ms as f64 / 1000.0);
    let mut said = in_words(&run.verdict);
    // An inconclusive verdict says itself what the tip does.
    if let Some(control) = control
        && run.verdict.outcome != Outcome::Inconclusive
    {
        said.push_str(&format!("; the tip as it is: {}", in_words(&control.verdict)));
    }
    let indent = 4 + column + 2 + text::width(&seconds) + 2;
    let lines = text::wrap(&said, look.width().saturating_sub(indent).max(24));
    let mut rendered = format!(
        "  {} {cell}  {}  {}\n",
        sign(run.verdict.outcome, look),
        paint(Palette::QUIET, seconds),
        lines.join(&format!("\n{}", " ".repeat(indent)))
    );
    if run.verdict.blocks() || look.verbose {
        rendered.push_str(&output(run, look));
    }
    rendered
}

/// The same check on the tip as it is.
fn control_of<'a>(plan: &'a Plan, run: &CheckRun) -> Option<&'a CheckRun> {
    plan.checks.iter().find(|other| other.on == On::Control && other.kind == run.kind && other.run == run.run)
}

fn name(run: &CheckRun) -> String {
    let words: Vec<_> = run.run.iter().map(|word| quote(word.as_bytes())).collect();
    let command = words.join(" ");
    if run.kind == CheckKind::Setup { format!("setup: {command}") } else { command }
}

fn sign(outcome: Outcome, look: Look) -> String {
    match outcome {
        Outcome::Pass => paint(Palette::GOOD, look.signs.yes),
        Outcome::Fail | Outcome::Error => paint(Palette::BAD, look.signs.no),
        Outcome::Inconclusive => paint(Palette::WARN, look.signs.doubt),
        Outcome::Skip => paint(Palette::QUIET, look.signs.untried),
    }
}

fn in_words(verdict: &Verdict) -> String {
    let found = verdict.found.as_deref().unwrap_or_default();
    match verdict.outcome {
        Outcome::Pass => "passes".to_owned(),
        Outcome::Fail => format!("fails with {}", text::escape(found)),
        Outcome::Skip => format!("not run: {}", text::escape(&verdict.reason)),
        Outcome::Inconclusive if !found.is_empty() => {
            format!("{} ({})", text::escape(&verdict.reason), text::escape(found))
        }
        Outcome::Error | Outcome::Inconclusive => text::escape(&verdict.reason).into_owned(),
    }
}

/// The end of what it wrote.
fn output(run: &CheckRun, look: Look) -> String {
    let all = format!("{}{}", ended(&run.stdout), ended(&run.stderr));
    let escaped = text::escape_lines(&all);
    let lines: Vec<_> = escaped.lines().collect();
    let shown = look.shown(LINES);
    let mut rendered = String::new();
    if let more @ 1.. = lines.len().saturating_sub(shown) {
        rendered.push_str(&format!(
            "      {}\n",
            paint(Palette::QUIET, format!("{more} earlier lines (-v shows all)"))
        ));
    }
    for line in &lines[lines.len().saturating_sub(shown)..] {
        rendered.push_str(&format!("      {}\n", paint(Palette::QUIET, line)));
    }
    rendered
}

/// The text with a line feed at its end, so that what follows begins a line of its own.
fn ended(text: &str) -> String {
    match text.is_empty() || text.ends_with('\n') {
        true => text.to_owned(),
        false => format!("{text}\n"),
    }
}
