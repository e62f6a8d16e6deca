//! Reports as pages: Markdown, and one HTML file that holds all it needs.
//!
//! What a report says is data of the library; nothing here reads a repository. Every text is escaped twice over: what
//! could steer or hide is spelled out, and what means something to the format is quoted.

mod difference;
mod filters;
mod lanes;

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use rollback_core::patch::Diff;
use rollback_core::rehearsal::Prospect;
use rollback_core::report::{MatrixRow, Moment, Report};
use rollback_core::verdict::Outcome;
use serde::Serialize;
use serde_json::Value;

use crate::terminal::text;

const HTML: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const MARKDOWN: &str = include_str!("page.md");

/// The report as one page that loads nothing and runs nothing.
pub(crate) fn html(report: &Report, diff: Option<&Diff>) -> String {
    rendered(Format::Html, report, diff)
}

/// The report as Markdown.
pub(crate) fn markdown(report: &Report, diff: Option<&Diff>) -> String {
    let text = rendered(Format::Markdown, report, diff);
    text.trim_end().to_owned() + "\n"
}

/// What a report is written as.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Html,
    Markdown,
}

fn rendered(format: Format, report: &Report, diff: Option<&Diff>) -> String {
    let (name, template) = match format {
        Format::Html => ("page.html", HTML),
        Format::Markdown => ("page.md", MARKDOWN),
    };
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|name| match name.ends_with(".html") {
        true => AutoEscape::Html,
        false => AutoEscape::None,
    });
    // What is absent from a report is absent from its page.
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    filters::add(&mut environment);
    let page = Page {
        report: shown(report),
        timeline: shown(&timeline(report)),
        changes: shown(&changes(report)),
        matrix: shown(&matrix(report)),
        diff: shown(&diff.map(|diff| difference::of(diff, format))),
        before: lanes::draw(&report.graph.before),
        after: lanes::draw(&report.graph.after),
        sides: sides(report),
        counts: counts(report),
        meter: meter(report),
        style: STYLE,
        version: env!("CARGO_PKG_VERSION"),
    };
    environment
        .add_template(name, template)
        .and_then(|()| environment.get_template(name)?.render(Serde(&page)))
        .expect("the templates are part of the program, and tests render every section of them")
}

/// What a template is given.
#[derive(Serialize)]
struct Page {
    report: Value,
    timeline: Value,
    changes: Value,
    matrix: Value,
    diff: Value,
    before: lanes::Drawing,
    after: lanes::Drawing,
    sides: Vec<Side>,
    counts: Counts,
    meter: Option<Meter>,
    style: &'static str,
    version: &'static str,
}

/// The value with every text escaped, so that nothing in it can hide or reorder what stands beside it.
pub(super) fn shown(value: &impl Serialize) -> Value {
    let mut value = serde_json::to_value(value).unwrap_or_default();
    escape(&mut value);
    value
}

fn escape(value: &mut Value) {
    match value {
        Value::String(raw) => *raw = text::escape_lines(raw),
        Value::Array(values) => values.iter_mut().for_each(escape),
        Value::Object(values) => values.values_mut().for_each(escape),
        _ => {}
    }
}

/// What happened, without what was never begun.
fn timeline(report: &Report) -> Vec<&Moment> {
    report.timeline.iter().filter(|moment| moment.state != "pending").collect()
}

/// The paths by a name that a page can show, whatever their bytes.
fn changes(report: &Report) -> Vec<Value> {
    let row = |change: &rollback_core::report::Changed| serde_json::json!({ "kind": change.kind, "name": text::path(&change.path) });
    report.changes.iter().map(row).collect()
}

/// The changes of a rehearsal, with paths by names that a page can show.
fn matrix(report: &Report) -> Vec<Value> {
    let row = |row: &MatrixRow| {
        let mut value = serde_json::to_value(row).unwrap_or_default();
        value["conflicts"] = row.conflicts.iter().map(text::path).collect();
        value["words"] = words(row.prospect).into();
        value
    };
    report.matrix.iter().map(row).collect()
}

/// How a change stands, in a word or two.
fn words(prospect: Prospect) -> &'static str {
    match prospect {
        Prospect::Revertible => "can go back",
        Prospect::Undone => "undone already",
        Prospect::Conflicted => "blocked",
        Prospect::ChecksFailed => "fails the checks",
        Prospect::Inconclusive => "in doubt",
        _ => "needs a look",
    }
}

/// A side that at least one check ran on.
#[derive(Serialize)]
struct Side {
    key: &'static str,
    title: &'static str,
}

fn sides(report: &Report) -> Vec<Side> {
    let checks = &report.checks;
    let all = [
        (checks.iter().any(|check| check.before.is_some()), "before", "Before"),
        (checks.iter().any(|check| check.candidate.is_some()), "candidate", "Result"),
        (checks.iter().any(|check| check.live.is_some()), "live", "Live"),
    ];
    all.into_iter().filter(|(ran, ..)| *ran).map(|(_, key, title)| Side { key, title }).collect()
}

/// Figures of the summary.
#[derive(Serialize)]
struct Counts {
    checks: usize,
    passed: usize,
    discards: usize,
}

fn counts(report: &Report) -> Counts {
    let last = |check: &&rollback_core::report::CheckReport| {
        let look = check.live.as_ref().or(check.candidate.as_ref());
        look.is_some_and(|look| look.verdict.outcome == Outcome::Pass)
    };
    let taken = report.ladder.iter().filter(|rung| rung.taken);
    Counts {
        checks: report.checks.len(),
        passed: report.checks.iter().filter(last).count(),
        discards: taken.map(|rung| rung.discards.len()).sum(),
    }
}

/// How much of the time was used.
#[derive(Serialize)]
struct Meter {
    percent: u64,
    tone: &'static str,
    words: String,
}

fn meter(report: &Report) -> Option<Meter> {
    let (elapsed, target) = (report.timing.elapsed_ms?, report.timing.target_ms.filter(|ms| *ms > 0)?);
    let percent = elapsed.saturating_mul(100) / target;
    let within = elapsed <= target;
    let target = filters::lasting(target);
    Some(match within {
        true => {
            Meter { percent, tone: "within", words: format!("{percent}% of the target time of {target}") }
        }
        false => Meter {
            percent: 100,
            tone: "over",
            words: format!(
                "longer than the target time of {target}, by a factor of {:.1}",
                percent as f64 / 100.0
            ),
        },
    })
}
