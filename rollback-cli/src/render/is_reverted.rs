//! Whether a commit has been undone, for people: the answer first, then what it rests on.

use rollback_core::CommitId;
use rollback_core::history::{IsReverted, PathState, Verdict};

use super::{Commits, Look};
use crate::terminal::style::{Palette, paint};
use crate::terminal::text;

/// The answer; `at_start` is what held where a range begins.
pub(crate) fn text(answer: &IsReverted, at_start: Option<Verdict>, commits: &Commits, look: Look) -> String {
    let mut said = format!("{} {}\n", reference(answer.commit_id, commits), verdict(answer.verdict));
    if let Some(pick) = answer.picked_as {
        said.push_str(&format!("It was picked here as {}.\n", reference(pick, commits)));
    }
    if at_start == Some(Verdict::Reverted) {
        said.push_str("It was undone already where the range begins.\n");
    }
    let shown = look.shown(12);
    for path in answer.paths.iter().take(shown) {
        let (sign, state) = match path.state {
            PathState::AsBefore => (paint(Palette::GOOD, look.signs.yes), "as before it"),
            PathState::AsAfter => (paint(Palette::BAD, look.signs.no), "as it made it"),
            _ if path.in_force == Some(false) => {
                (paint(Palette::GOOD, look.signs.yes), "without it, and edited since")
            }
            _ if path.in_force == Some(true) => {
                (paint(Palette::BAD, look.signs.no), "with it, and edited since")
            }
            _ => (paint(Palette::WARN, look.signs.doubt), "edited since"),
        };
        let by = path.by.map(|id| format!(", last by {}", commits.short(id))).unwrap_or_default();
        said.push_str(&format!(
            "  {sign} {}  {}\n",
            text::path(&path.path),
            paint(Palette::QUIET, format!("{state}{by}"))
        ));
    }
    if answer.paths.len() > shown {
        said.push_str(&format!("  and {} more (-v shows all)\n", answer.paths.len() - shown));
    }
    for claim in answer.claims.iter().take(look.shown(4)) {
        let taken_back = if claim.reverted { ", and was reverted itself" } else { "" };
        let claim = reference(claim.commit_id, commits);
        said.push_str(&format!(
            "  {claim}  {}\n",
            paint(Palette::QUIET, format!("says it reverts it{taken_back}"))
        ));
    }
    said
}

fn verdict(verdict: Verdict) -> String {
    match verdict {
        Verdict::Reverted => paint(Palette::GOOD, "has been undone"),
        Verdict::InForce => paint(Palette::BAD, "is in force"),
        Verdict::PartlyReverted => paint(Palette::WARN, "has been undone in part"),
        Verdict::NotInHistory => paint(Palette::WARN, "is not in this history"),
        _ => paint(Palette::WARN, "was edited since, and no commit is known to revert it"),
    }
}

fn reference(id: CommitId, commits: &Commits) -> String {
    let short = paint(Palette::ID, commits.short(id));
    match commits.subject(id) {
        Some(subject) => format!("{short} {subject}"),
        None => short,
    }
}
