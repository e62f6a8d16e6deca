//! The commits that a rollback is about: the tip, what was undone, how that came in, the last good state, what is new.
//!
//! Newest first. What lies between two of them is left out, and said to be.

use serde::{Deserialize, Serialize};

use crate::id::CommitId;
use crate::plan::Plan;
use crate::receipt::{Outcome, OutcomeKind};
use crate::repo::Repo;
use crate::repo::refs::short_reference;

/// The commits before and after.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Graph {
    /// Before, newest first.
    pub before: Vec<Node>,
    /// After, newest first.
    pub after: Vec<Node>,
}

/// A commit of the graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Node {
    /// What it is to the story.
    #[serde(flatten)]
    pub mark: Mark,
    /// Its id as people know it.
    pub short: String,
    /// The first line of its message.
    pub subject: String,
    /// When it was committed, in seconds since the epoch; absent where it cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<i64>,
    /// Whether the next one is a parent of it; elsewhere there is a gap between them.
    pub adjacent: bool,
}

/// What a commit is to the story.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Mark {
    /// The commit.
    pub commit_id: CommitId,
    /// Its part.
    pub part: Part,
    /// The same in words, and the references that are there.
    pub labels: Vec<String>,
    /// Whether it stands beside the mainline: a merge brought it in.
    pub aside: bool,
}

/// The part of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Part {
    /// The rollback made it.
    New,
    /// The tip it is based on.
    Tip,
    /// It changed the same path since.
    Between,
    /// It brought in what was undone.
    Merge,
    /// It was undone.
    Undone,
    /// The last good state, or where content was taken from.
    Good,
}

/// The commits that a plan is about, and those that its landing made, newest first, at most `limit` of a kind.
pub fn marks_of_plan(plan: &Plan, landed: Option<&Outcome>, limit: usize) -> Vec<Mark> {
    let mut marks = Marks::default();
    let branch = short_reference(&plan.tip.reference);
    match landed {
        Some(outcome) if !outcome.commit_ids.is_empty() => {
            let moved = outcome.reference.as_deref().map_or(branch, short_reference);
            marks.add_new(&outcome.commit_ids, moved, limit);
            marks.add(plan.tip.commit_id, Part::Tip, if moved == branch { "before" } else { branch });
        }
        _ => marks.add(plan.tip.commit_id, Part::Tip, branch),
    }
    if let Some(culprit) = &plan.target.culprit {
        for id in culprit.further_changes.iter().take(limit) {
            marks.add(*id, Part::Between, "changed it again");
        }
        if let Some(merge) = culprit.introduced_by {
            marks.add(merge, Part::Merge, "brought it in");
        }
        marks.add_beside(culprit.commit_id, Part::Undone, "the change", culprit.introduced_by.is_some());
    } else if plan.undoes_named_commits() {
        for id in plan.target.commits.iter().take(limit) {
            let label = if landed.is_some_and(is_in) { "undone" } else { "to undo" };
            marks.add(*id, Part::Undone, label);
        }
    }
    if let Some(state) = plan.target.back_to {
        marks.add(state, Part::Good, "as it was here");
    }
    if let Some(good) = &plan.target.last_good {
        marks.add(good.commit_id, Part::Good, "last good");
    }
    marks.0
}

/// Whether what was asked for is the state now.
fn is_in(outcome: &Outcome) -> bool {
    matches!(outcome.kind, OutcomeKind::Committed | OutcomeKind::Staged | OutcomeKind::NothingToDo)
}

impl Plan {
    /// Whether it undoes commits of the tip's history that were named, each or by where they begin. Those to be replayed
    /// need not be there.
    pub fn undoes_named_commits(&self) -> bool {
        self.target.culprit.is_none() && matches!(self.target.kind.as_str(), "commits" | "to")
    }
}

/// Marks while they are gathered.
#[derive(Default)]
pub(super) struct Marks(pub(super) Vec<Mark>);

impl Marks {
    /// The commits that were made, in the order in which they were, of which the last one is where `moved` is now.
    pub(super) fn add_new(&mut self, commits: &[CommitId], moved: &str, limit: usize) {
        for (index, id) in commits.iter().rev().take(limit).enumerate() {
            let label = if index == 0 { format!("{moved}, new") } else { "new".to_owned() };
            self.add(*id, Part::New, &label);
        }
    }

    pub(super) fn add(&mut self, id: CommitId, part: Part, label: &str) {
        self.add_beside(id, part, label, false);
    }

    /// One commit can have two parts, such as the tip that is also the culprit: it is listed once.
    pub(super) fn add_beside(&mut self, id: CommitId, part: Part, label: &str, aside: bool) {
        if let Some(mark) = self.0.iter_mut().find(|mark| mark.commit_id == id) {
            mark.labels.push(label.to_owned());
            if matches!(part, Part::Undone | Part::Good) {
                mark.part = part;
            }
            return;
        }
        self.0.push(Mark { commit_id: id, part, labels: vec![label.to_owned()], aside });
    }
}

/// The marks with what is known of their commits; one that cannot be read is known by its id alone.
pub(super) fn nodes(repo: &Repo, marks: Vec<Mark>) -> Vec<Node> {
    let summaries: Vec<_> = marks.iter().map(|mark| repo.commit_summary(mark.commit_id).ok()).collect();
    let next_ids: Vec<_> = marks.iter().skip(1).map(|mark| Some(mark.commit_id)).chain([None]).collect();
    let rows = marks.into_iter().zip(summaries).zip(next_ids);
    rows.map(|((mark, summary), next)| {
        let adjacent =
            next.is_some_and(|next| summary.as_ref().is_some_and(|known| known.parents.contains(&next)));
        match summary {
            Some(known) => Node {
                mark,
                short: known.abbreviation,
                subject: known.subject,
                time: Some(known.time),
                adjacent,
            },
            None => {
                let short = mark.commit_id.to_hex_with_len(7);
                Node { mark, short, subject: String::new(), time: None, adjacent }
            }
        }
    })
    .collect()
}
