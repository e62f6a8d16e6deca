//! Whether a commit has been undone, for people: the answer first, then what it rests on.

use rollback_core::CommitId;
use rollback_core::history::{Claim, IsReverted, PathState, Proof, Turn, TurnKind, Verdict};

use super::{Commits, Look};
use crate::terminal::style::{Palette, paint};
use crate::terminal::text;

/// The answer in a line.
pub(crate) fn line(answer: &IsReverted, commits: &Commits, look: Look) -> String {
    let word = match answer.verdict {
        Verdict::Reverted => paint(Palette::GOOD, "undone   "),
        Verdict::InForce => paint(Palette::BAD, "in force "),
        Verdict::Relanded => paint(Palette::BAD, "relanded "),
        Verdict::PartlyReverted => paint(Palette::WARN, "in part  "),
        Verdict::NotInHistory => paint(Palette::WARN, "not here "),
        _ => paint(Palette::WARN, "edited   "),
    };
    let short = commits.short(answer.commit_id);
    let room = look.width().saturating_sub(11 + text::width(&short));
    let subject = text::fit(commits.subject(answer.commit_id).unwrap_or_default(), room, look.signs.ellipsis);
    format!("{word} {} {subject}\n", paint(Palette::ID, short))
}

/// The answer; `at_start` is what held where a range begins, `reapply` the command that brings a change back.
pub(crate) fn text(
    answer: &IsReverted,
    at_start: Option<Verdict>,
    (commits, reapply): (&Commits, &str),
    look: Look,
) -> String {
    let mut said = format!("{} {}\n", reference(answer.commit_id, commits), verdict(answer.verdict));
    if let Some(pick) = answer.picked_as {
        let known = match answer.picked_known_by {
            Some(Proof::Patch) => ", by its patch",
            _ => "",
        };
        said.push_str(&format!("It was picked here as {}{known}.\n", reference(pick, commits)));
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
    for turn in answer.turns.iter().take(look.shown(6)) {
        said.push_str(&row(turn, commits));
    }
    let turned = |claim: &&Claim| !answer.turns.iter().any(|turn| turn.commit_id == claim.commit_id);
    for claim in answer.claims.iter().filter(turned).take(look.shown(4)) {
        let taken_back = if claim.reverted { ", and was reverted itself" } else { "" };
        let claim = reference(claim.commit_id, commits);
        said.push_str(&format!(
            "  {claim}  {}\n",
            paint(Palette::QUIET, format!("says it reverts it{taken_back}"))
        ));
    }
    said.push_str(&merged_again(answer, commits, reapply));
    if let Some(boundary) = answer.shallow_at {
        said.push_str(&format!(
            "{} history is cut off at {} (shallow clone): with which commits it was\n      undone or picked is not \
             known beyond\n",
            paint(Palette::WARN, "note:"),
            paint(Palette::ID, commits.short(boundary)),
        ));
    }
    said
}

/// A commit with which the change went or came back, and how that is known.
fn row(turn: &Turn, commits: &Commits) -> String {
    let what = match turn.kind {
        TurnKind::Relanded => "came back with",
        _ if turn.paths.is_empty() => "was undone by",
        _ => "was undone in part by",
    };
    let proofs: Vec<_> = turn.known_by.iter().map(|proof| proof_word(*proof)).collect();
    let known = paint(Palette::QUIET, format!("({})", proofs.join(", ")));
    format!("  {what} {}  {known}\n", reference(turn.commit_id, commits))
}

fn proof_word(proof: Proof) -> &'static str {
    match proof {
        Proof::Message => "message",
        Proof::Trailer => "trailer",
        Proof::Patch => "patch",
        _ => "state",
    }
}

/// That a merge did not bring the change back, and what does.
fn merged_again(answer: &IsReverted, commits: &Commits, reapply: &str) -> String {
    let Some(merge) = answer.merged_again.first() else { return String::new() };
    let command = format!("{reapply} {}", commits.short(answer.commit_id));
    format!(
        "{} its branch was merged again by {}, which did not bring it\n      back: git takes it for merged\n\
         next: bring it back with: {}\n",
        paint(Palette::WARN, "note:"),
        paint(Palette::ID, commits.short(*merge)),
        paint(Palette::COMMAND, command),
    )
}

fn verdict(verdict: Verdict) -> String {
    match verdict {
        Verdict::Reverted => paint(Palette::GOOD, "has been undone"),
        Verdict::InForce => paint(Palette::BAD, "is in force"),
        Verdict::Relanded => paint(Palette::BAD, "is in force again: it was undone, and came back"),
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
