//! A rehearsal for people: a line a change, then what it comes to.

use rollback_core::CommitId;
use rollback_core::rehearsal::{Prospect, Rehearsal, RehearsalSummary, RehearsedChange};
use rollback_core::strategy::AttemptResult;

use super::{Commits, Look};
use crate::terminal::style::{Palette, paint};
use crate::terminal::text::{self, count};

/// More changes than this are not listed one by one where nothing is in their way.
const LISTED: usize = 60;

/// The table and the summary; `short` is the share that was asked for and not reached, `preview` the command that shows
/// how a change would be rolled back.
pub(crate) fn text(
    rehearsal: &Rehearsal,
    short: Option<f64>,
    commits: &Commits,
    preview: &str,
    look: Look,
) -> String {
    if rehearsal.changes.is_empty() {
        return match rehearsal.range.of {
            0 => "There is no change in that range.\n".into(),
            of => format!("None of the {} of that range is in this shard.\n", count(of, "change")),
        };
    }
    let onto = reference(rehearsal.range.tip, commits, look);
    let mut said = format!("Each change rolled back by itself onto {onto}\n\n");
    let all = look.verbose || rehearsal.changes.len() <= LISTED;
    let is_plain = |change: &RehearsedChange| change.prospect() == Prospect::Revertible;
    let listed = rehearsal.changes.iter().filter(|change| all || !is_plain(change));
    let mut blocked = None;
    for change in listed {
        blocked = blocked.or((change.prospect() == Prospect::Conflicted).then_some(change.commit_id));
        said.push_str(&row(change, rehearsal, commits, look));
    }
    let left_out = rehearsal.changes.iter().filter(|change| !all && is_plain(change)).count();
    if left_out > 0 {
        let more = format!("  and {left_out} that can be rolled back (-v shows all)\n");
        said.push_str(&paint(Palette::QUIET, more));
    }
    said.push('\n');
    said.push_str(&summary(rehearsal, commits, look));
    if let Some(wanted) = short {
        let percent = rehearsal.summary().percent();
        let line = format!("That is {percent:.1}%, and {wanted}% were asked for.");
        said.push_str(&format!("{}\n", paint(Palette::BAD, line)));
    }
    if let Some(blocked) = blocked {
        let command = format!("{preview} {}", commits.short(blocked));
        said.push_str(&format!("next: see what is in the way with: {}\n", paint(Palette::COMMAND, command)));
    }
    said
}

fn row(change: &RehearsedChange, rehearsal: &Rehearsal, commits: &Commits, look: Look) -> String {
    let (style, sign) = match change.prospect() {
        Prospect::Revertible => (Palette::GOOD, look.signs.yes),
        Prospect::Undone => (Palette::QUIET, look.signs.untried),
        Prospect::Conflicted | Prospect::ChecksFailed => (Palette::BAD, look.signs.no),
        _ => (Palette::WARN, look.signs.doubt),
    };
    let merge = if change.mainline.is_some() { " -m 1" } else { "" };
    let short = format!("{}{merge}", commits.short(change.commit_id));
    let room = look.width().saturating_sub(5 + text::width(&short));
    let subject = text::fit(&text::escape(&change.subject), room, look.signs.ellipsis);
    let mut said = format!("  {} {} {subject}\n", paint(style, sign), paint(Palette::ID, short));
    for note in notes(change, rehearsal, commits, look) {
        for line in text::wrap(&note, look.width().saturating_sub(8)) {
            said.push_str(&format!("      {}\n", paint(Palette::QUIET, line)));
        }
    }
    said
}

/// What there is to say about a change beside its result.
fn notes(change: &RehearsedChange, rehearsal: &Rehearsal, commits: &Commits, look: Look) -> Vec<String> {
    let mut notes = Vec::new();
    match change.prospect() {
        Prospect::Undone => notes.push("undone already".to_owned()),
        Prospect::NeedsReview => {
            notes.push(text::escape(change.reason.as_deref().unwrap_or("it needs a look")).into_owned());
        }
        Prospect::Conflicted => notes.push(conflicts(change)),
        _ => {}
    }
    if let Some(verdict) = change.check.as_ref().filter(|verdict| verdict.blocks()) {
        notes.push(text::escape(&verdict.reason).into_owned());
    }
    match change.blocked_by.as_deref() {
        None => {}
        Some([]) => notes.push("which later commits are in the way cannot be told".into()),
        Some([first, rest @ ..]) => {
            let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
            let with = match change.with_dependents {
                Some(AttemptResult::Clean) => "; with them it can (--with-dependents)",
                _ => "",
            };
            let name = named(*first, commits, rehearsal, look);
            notes.push(format!("blocked by {name}{more}{with}"));
        }
    }
    notes
}

fn conflicts(change: &RehearsedChange) -> String {
    match change.conflicts.as_slice() {
        [] => "it conflicts".into(),
        [only] => format!("conflict in {}", text::path(only)),
        [first, rest @ ..] => format!("conflicts in {} and {} more", text::path(first), rest.len()),
    }
}

/// What it comes to, in a sentence or two.
fn summary(rehearsal: &Rehearsal, commits: &Commits, look: Look) -> String {
    let counts = rehearsal.summary();
    let can = format!(
        "{} of {} can be rolled back with one command",
        counts.revertible,
        count(counts.changes, "change")
    );
    let style =
        if counts.revertible + counts.undone == counts.changes { Palette::GOOD } else { Palette::WARN };
    let rest = parts(&counts, &blockers(rehearsal, commits));
    let sentence = match rest.is_empty() {
        true => format!("{can}."),
        false => format!("{can}; {}.", rest.join(", ")),
    };
    let lines = text::wrap(&sentence, look.width());
    lines.into_iter().map(|line| format!("{}\n", paint(style, line))).collect()
}

/// How the changes stand that cannot be rolled back.
fn parts(counts: &RehearsalSummary, blocked_by: &str) -> Vec<String> {
    let verb = |number: usize| if number == 1 { "is" } else { "are" };
    let mut parts = Vec::new();
    if counts.undone > 0 {
        parts.push(format!("{} {} undone already", counts.undone, verb(counts.undone)));
    }
    if counts.conflicted > 0 {
        parts.push(format!("{} {} blocked {blocked_by}", counts.conflicted, verb(counts.conflicted)));
    }
    if counts.checks_failed > 0 {
        let fail = if counts.checks_failed == 1 { "fails" } else { "fail" };
        parts.push(format!("{} {fail} the checks", counts.checks_failed));
    }
    if counts.inconclusive > 0 {
        let verb = verb(counts.inconclusive);
        parts.push(format!("{} {verb} in doubt: the checks cannot tell", counts.inconclusive));
    }
    if counts.needs_review > 0 {
        let need = if counts.needs_review == 1 { "needs" } else { "need" };
        parts.push(format!("{} {need} a look", counts.needs_review));
    }
    parts
}

/// By what changes are blocked; later changes, where nothing more is known.
fn blockers(rehearsal: &Rehearsal, commits: &Commits) -> String {
    const SHOWN: usize = 3;
    let all = rehearsal.blockers();
    if all.is_empty() {
        return "by later changes".into();
    }
    let name = |(id, times): &(CommitId, usize)| match times {
        1 => commits.short(*id),
        times => format!("{} ({times} times)", commits.short(*id)),
    };
    let names: Vec<_> = all.iter().take(SHOWN).map(name).collect();
    match all.len().saturating_sub(SHOWN) {
        0 => format!("by {}", names.join(", ")),
        more => format!("by {} and {}", names.join(", "), count(more, "other commit")),
    }
}

/// A commit as a reader knows it, from the repository or from the rehearsal itself.
fn named(id: CommitId, commits: &Commits, rehearsal: &Rehearsal, look: Look) -> String {
    let own = rehearsal.changes.iter().find(|change| change.commit_id == id);
    let subject = commits.subject(id).map(ToOwned::to_owned);
    let subject = subject.or_else(|| own.map(|change| text::escape(&change.subject).into_owned()));
    match subject {
        Some(subject) => format!("{} {}", commits.short(id), text::fit(&subject, 40, look.signs.ellipsis)),
        None => commits.short(id),
    }
}

fn reference(id: CommitId, commits: &Commits, look: Look) -> String {
    let short = commits.short(id);
    match commits.subject(id) {
        Some(subject) => {
            let room = look.width().saturating_sub(40 + text::width(&short));
            format!(
                "{} {}",
                paint(Palette::ID, &short),
                text::fit(subject, room.max(20), look.signs.ellipsis)
            )
        }
        None => paint(Palette::ID, short),
    }
}
