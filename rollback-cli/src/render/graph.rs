//! A small commit graph: the tip, what is to be undone, how it came in, and the last good state.
//!
//! The newest commit is on top, as in `git log --graph`; what lies between two commits is left out and
//! marked as a gap.

use rollback_core::receipt::Outcome;
use rollback_core::{CommitId, Plan};

use super::style::{Palette, paint};
use super::{Commits, Look, day, short_reference, text};

/// The most commits drawn of a kind.
const SHOWN: usize = 6;

/// What a commit is to the story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    New,
    Tip,
    Between,
    Merge,
    Undone,
    Good,
}

/// A commit of the graph.
#[derive(Clone, Debug)]
struct Node {
    id: CommitId,
    part: Part,
    labels: Vec<String>,
    /// Whether it stands in the second lane, between its merge and the commit it branched off from.
    aside: bool,
}

/// The graph around what a plan is about, and around the commits it has made.
pub(crate) fn render(plan: &Plan, landed: Option<&Outcome>, commits: &Commits, look: Look) -> String {
    let nodes = nodes(plan, landed, look);
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

/// Whether the commits of the target are drawn: those to be replayed need not be in the history of the tip.
fn undoes_commits(plan: &Plan) -> bool {
    plan.target.culprit.is_none() && plan.target.kind == "commits"
}

fn left_out(plan: &Plan, look: Look) -> usize {
    if undoes_commits(plan) { plan.target.commits.len().saturating_sub(look.shown(SHOWN)) } else { 0 }
}

fn nodes(plan: &Plan, landed: Option<&Outcome>, look: Look) -> Vec<Node> {
    let mut nodes = Nodes::default();
    let branch = short_reference(&plan.tip.reference);
    match landed {
        Some(outcome) if !outcome.commit_ids.is_empty() => {
            let moved = outcome.reference.as_deref().map_or_else(|| branch.clone(), short_reference);
            let before = if moved == branch { "before" } else { branch.as_str() };
            for (index, id) in outcome.commit_ids.iter().rev().take(look.shown(SHOWN)).enumerate() {
                let label = if index == 0 { format!("{moved}, new") } else { "new".to_owned() };
                nodes.add(*id, Part::New, &label);
            }
            nodes.add(plan.tip.commit_id, Part::Tip, before);
        }
        _ => nodes.add(plan.tip.commit_id, Part::Tip, &branch),
    }
    if let Some(culprit) = &plan.target.culprit {
        for id in culprit.further_changes.iter().take(look.shown(SHOWN)) {
            nodes.add(*id, Part::Between, "changed it again");
        }
        if let Some(merge) = culprit.introduced_by {
            nodes.add(merge, Part::Merge, "brought it in");
        }
        let aside = culprit.introduced_by.is_some();
        nodes.add_beside(culprit.commit_id, Part::Undone, "the change", aside);
    } else if undoes_commits(plan) {
        for id in plan.target.commits.iter().take(look.shown(SHOWN)) {
            nodes.add(*id, Part::Undone, "to undo");
        }
    }
    if let Some(good) = &plan.target.last_good {
        nodes.add(good.commit_id, Part::Good, "last good");
    }
    nodes.0
}

#[derive(Default)]
struct Nodes(Vec<Node>);

impl Nodes {
    fn add(&mut self, id: CommitId, part: Part, label: &str) {
        self.add_beside(id, part, label, false);
    }

    /// One commit can have two parts, such as the tip that is also the culprit: it is drawn once.
    fn add_beside(&mut self, id: CommitId, part: Part, label: &str, aside: bool) {
        if let Some(node) = self.0.iter_mut().find(|node| node.id == id) {
            node.labels.push(label.to_owned());
            if matches!(part, Part::Undone | Part::Good) {
                node.part = part;
            }
            return;
        }
        self.0.push(Node { id, part, labels: vec![label.to_owned()], aside });
    }
}

fn line(node: &Node, lanes: bool, commits: &Commits, look: Look) -> String {
    let signs = look.signs;
    let (sign, style) = match node.part {
        Part::New => (signs.commit, Palette::GOOD),
        Part::Undone => (signs.culprit, Palette::BAD),
        Part::Good => (signs.good, Palette::GOOD),
        Part::Tip => (signs.commit, Palette::NAME),
        Part::Between | Part::Merge => (signs.commit, Palette::QUIET),
    };
    let sign = paint(style, sign);
    let drawn = match (lanes, node.aside) {
        (true, true) => format!("{} {sign}", paint(Palette::QUIET, signs.line)),
        (true, false) => format!("{sign}  "),
        (false, _) => sign,
    };
    let short = commits.short(node.id);
    let labels = node.labels.join(", ");
    let date = commits.get(node.id).map(|known| format!("{}  ", day(known.time))).unwrap_or_default();
    let used = 2 + if lanes { 3 } else { 1 } + 2 + short.len() + 2 + text::width(&date);
    let room = look.width().saturating_sub(used + text::width(&labels) + 4).max(16);
    let subject = commits.subject(node.id).unwrap_or_default();
    let subject = text::fit(subject, room, signs.ellipsis);
    format!(
        "  {drawn}  {}  {}{subject}  {}\n",
        paint(Palette::ID, short),
        paint(Palette::QUIET, date),
        paint(style, format!("({labels})")),
    )
}

/// What is drawn between two commits: a line where the one below is a parent, a gap elsewhere.
fn between(upper: &Node, lower: &Node, commits: &Commits, look: Look) -> String {
    let signs = look.signs;
    let drawn = match (upper.aside, lower.aside) {
        (false, true) => signs.branch_off,
        (true, false) => signs.join,
        _ => {
            let adjacent = commits.get(upper.id).is_some_and(|known| known.parents.contains(&lower.id));
            if adjacent { signs.line } else { signs.gap }
        }
    };
    format!("  {}\n", paint(Palette::QUIET, drawn))
}
