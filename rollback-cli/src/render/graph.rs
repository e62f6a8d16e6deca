//! A small commit graph: the tip, what is to be undone, how it came in, and the last good state.
//!
//! The newest commit is on top, as in `git log --graph`; what lies between two commits is left out and
//! marked as a gap.

use rollback_core::Plan;
use rollback_core::receipt::Outcome;
use rollback_core::report::{Mark, Part, marks_of_plan};

use super::{Commits, Look, day};
use crate::terminal::style::{Palette, paint};
use crate::terminal::text;

/// The most commits drawn of a kind.
const SHOWN: usize = 6;

/// The graph around what a plan is about, and around the commits it has made.
pub(crate) fn render(plan: &Plan, landed: Option<&Outcome>, commits: &Commits, look: Look) -> String {
    let nodes = marks_of_plan(plan, landed, look.shown(SHOWN));
    let lanes = nodes.iter().any(|node| node.aside);
    let mut drawn = String::new();
    for (index, node) in nodes.iter().enumerate() {
        drawn.push_str(&line(node, lanes, commits, look));
        if let Some(next) = nodes.get(index + 1) {
            drawn.push_str(&between(node, next, commits, look));
        }
    }
    let left_out = left_out(plan, look);
    if left_out > 0 {
        drawn.push_str(&format!("  {} and {left_out} more (-v shows all)\n", look.signs.gap));
    }
    drawn
}

fn left_out(plan: &Plan, look: Look) -> usize {
    if plan.undoes_named_commits() { plan.target.commits.len().saturating_sub(look.shown(SHOWN)) } else { 0 }
}

fn line(node: &Mark, lanes: bool, commits: &Commits, look: Look) -> String {
    let signs = look.signs;
    let (sign, style) = match node.part {
        Part::New => (signs.commit, Palette::GOOD),
        Part::Undone => (signs.culprit, Palette::BAD),
        Part::Good => (signs.good, Palette::GOOD),
        Part::Tip => (signs.commit, Palette::NAME),
        _ => (signs.commit, Palette::QUIET),
    };
    let sign = paint(style, sign);
    let drawn = match (lanes, node.aside) {
        (true, true) => format!("{} {sign}", paint(Palette::QUIET, signs.line)),
        (true, false) => format!("{sign}  "),
        (false, _) => sign,
    };
    let short = commits.short(node.commit_id);
    let labels = text::escape(&node.labels.join(", ")).into_owned();
    let date = commits.get(node.commit_id).map(|known| format!("{}  ", day(known.time))).unwrap_or_default();
    let used = 2 + if lanes { 3 } else { 1 } + 2 + short.len() + 2 + text::width(&date);
    let room = look.width().saturating_sub(used + text::width(&labels) + 4).max(16);
    let subject = commits.subject(node.commit_id).unwrap_or_default();
    let subject = text::fit(subject, room, signs.ellipsis);
    format!(
        "  {drawn}  {}  {}{subject}  {}\n",
        paint(Palette::ID, short),
        paint(Palette::QUIET, date),
        paint(style, format!("({labels})")),
    )
}

/// What is drawn between two commits: a line where the one below is a parent, a gap elsewhere.
fn between(upper: &Mark, lower: &Mark, commits: &Commits, look: Look) -> String {
    let signs = look.signs;
    let drawn = match (upper.aside, lower.aside) {
        (false, true) => signs.branch_off,
        (true, false) => signs.join,
        _ => {
            let adjacent =
                commits.get(upper.commit_id).is_some_and(|known| known.parents.contains(&lower.commit_id));
            if adjacent { signs.line } else { signs.gap }
        }
    };
    format!("  {}\n", paint(Palette::QUIET, drawn))
}
