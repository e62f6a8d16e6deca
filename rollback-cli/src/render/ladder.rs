//! The ladder: every way back that was looked at, its verdict and the reason for it.

use rollback_core::plan::{Attempt, AttemptResult, LossClass, Scope};
use rollback_core::strategy::Strategy;
use rollback_core::{Plan, RepoPath};

use super::{Commits, Look};
use crate::terminal::style::{Palette, paint};
use crate::terminal::text::{self, count};

/// The ladder of a plan, one rung a line and its reason below where it does not fit.
pub(crate) fn render(plan: &Plan, commits: &Commits, look: Look) -> String {
    let rungs: Vec<_> = plan
        .attempts
        .iter()
        .enumerate()
        .map(|(index, attempt)| Rung::new(attempt, plan, plan.chosen == Some(index), commits, look))
        .collect();
    let widest = |cell: fn(&Rung) -> &str| rungs.iter().map(|rung| text::width(cell(rung))).max();
    let strategy = widest(|rung| &rung.strategy).unwrap_or(0);
    let what = widest(|rung| &rung.what).unwrap_or(0).min(look.width() / 3);
    rungs.iter().map(|rung| rung.render(strategy, what, look)).collect()
}

/// One rung in words.
struct Rung {
    sign: String,
    strategy: String,
    what: String,
    verdict: String,
    taken: bool,
}

impl Rung {
    fn new(attempt: &Attempt, plan: &Plan, taken: bool, commits: &Commits, look: Look) -> Self {
        Self {
            sign: sign(attempt, taken, look),
            strategy: attempt.strategy.name().to_owned(),
            what: what(attempt, &plan.target.paths, commits),
            verdict: verdict(attempt, taken, look),
            taken,
        }
    }

    fn render(&self, strategy: usize, what: usize, look: Look) -> String {
        let name = text::pad(&self.strategy, strategy);
        let name = if self.taken { paint(Palette::HEADING, name) } else { name };
        let cell = text::fit(&self.what, what, look.signs.ellipsis);
        let indent = 2 + 2 + strategy + 2 + what + 2;
        let room = look.width().saturating_sub(indent).max(24);
        let mut lines = text::wrap(&self.verdict, room).into_iter();
        let first = lines.next().unwrap_or_default();
        let mut rendered = format!("  {} {name}  {}  {first}\n", self.sign, text::pad(&cell, what));
        for line in lines {
            rendered.push_str(&format!("{}{line}\n", " ".repeat(indent)));
        }
        rendered
    }
}

fn sign(attempt: &Attempt, taken: bool, look: Look) -> String {
    let signs = look.signs;
    match attempt.result {
        AttemptResult::Clean if taken => paint(Palette::GOOD, signs.yes),
        AttemptResult::Clean if attempt.reason.is_some() => paint(Palette::BAD, signs.no),
        AttemptResult::Conflicted => paint(Palette::BAD, signs.no),
        AttemptResult::NeedsReview => paint(Palette::WARN, signs.doubt),
        AttemptResult::Empty | AttemptResult::AlreadyRolledBack if taken => paint(Palette::GOOD, signs.yes),
        _ => paint(Palette::QUIET, signs.untried),
    }
}

/// What the rung takes: a commit, all of it or a part, or the content of another one.
fn what(attempt: &Attempt, asked: &[RepoPath], commits: &Commits) -> String {
    let commit = attempt.commit_id.map(|id| commits.short(id));
    let source = attempt.from.map(|id| commits.short(id));
    match (attempt.strategy, commit, source) {
        (Strategy::RestoreFile, _, Some(source)) => format!("from {source}"),
        (_, Some(commit), _) => {
            let mainline = attempt.mainline.map(|number| format!(" -m {number}")).unwrap_or_default();
            let part = match &attempt.scope {
                Some(Scope::Paths(paths)) if paths == asked => match paths.len() {
                    1 => ", only this path".into(),
                    _ => ", only these paths".into(),
                },
                Some(Scope::Paths(paths)) => format!(", only {}", few(paths)),
                Some(_) => ", all of it".into(),
                None => String::new(),
            };
            format!("{commit}{mainline}{part}")
        }
        _ if attempt.steps.len() > 1 => count(attempt.steps.len(), "commit"),
        _ => String::new(),
    }
}

fn verdict(attempt: &Attempt, taken: bool, look: Look) -> String {
    // A clean result with a reason was rejected, and the reason says it all.
    if let (true, Some(reason)) = (attempt.is_clean(), &attempt.reason) {
        return text::escape(reason).into_owned();
    }
    let said = match attempt.result {
        AttemptResult::Clean => format!(
            "clean{}: {}, {}",
            if taken { "" } else { ", and not needed" },
            count(attempt.paths_touched.len(), "path"),
            kept(attempt)
        ),
        AttemptResult::Conflicted => format!(
            "conflicts in {}",
            conflicts(attempt, look.shown(2)).unwrap_or_else(|| "the merge".into())
        ),
        AttemptResult::Empty => "changes nothing".into(),
        AttemptResult::AlreadyRolledBack => "already rolled back".into(),
        AttemptResult::NotApplicable => "does not apply".into(),
        AttemptResult::NeedsReview => "needs a person".into(),
        _ => "unknown".into(),
    };
    match &attempt.reason {
        // The conflicts, or the verdict, say it already.
        Some(_) if !attempt.conflicts.is_empty() || attempt.result == AttemptResult::Empty => said,
        Some(reason) => format!("{said}: {}", text::escape(reason)),
        None => said,
    }
}

fn kept(attempt: &Attempt) -> String {
    match attempt.loss.class {
        LossClass::Exact => "exactly as before the change".into(),
        LossClass::Inverse => "later edits are kept".into(),
        LossClass::Snapshot if attempt.loss.discards.is_empty() => "nothing is discarded".into(),
        LossClass::Snapshot => format!("discards {}", count(attempt.loss.discards.len(), "later commit")),
    }
}

/// The first conflicts by path and kind; `None` where there are none.
fn conflicts(attempt: &Attempt, shown: usize) -> Option<String> {
    let first: Vec<_> =
        attempt.conflicts.iter().take(shown).map(|conflict| text::path(&conflict.path)).collect();
    let more = attempt.conflicts.len().saturating_sub(first.len());
    match (first.is_empty(), more) {
        (true, _) => None,
        (false, 0) => Some(first.join(", ")),
        (false, more) => Some(format!("{} and {more} more", first.join(", "))),
    }
}

/// One path by its name, several by their number.
pub(crate) fn few(paths: &[RepoPath]) -> String {
    match paths {
        [path] => text::path(path),
        paths => count(paths.len(), "path"),
    }
}
