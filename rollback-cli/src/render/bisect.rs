//! A bisection for people: a line for each commit that was judged, then the culprit and the way back.

use std::time::Duration;

use rollback_core::CommitId;
use rollback_core::bisect::{BisectVerdict, Bisection, JudgedCommit, Outlook};
use rollback_core::procedure::format::Period;

use super::{Commits, Look};
use crate::terminal::style::{Palette, paint};
use crate::terminal::text::{self, count};

/// What there is to search, before the search begins; `each_ms` is how long a commit took so far, in milliseconds.
pub(crate) fn outlook(
    ends: (CommitId, CommitId),
    range: &Outlook,
    each_ms: u64,
    commits: &Commits,
    look: Look,
) -> String {
    let (good, bad) = (commits.short(ends.0), commits.short(ends.1));
    let line = match range.commits == range.on_first_parents {
        true => String::new(),
        false => format!(", {} on the first-parent line", range.on_first_parents),
    };
    let changes = count(range.commits, "change");
    let mut sentences = vec![format!("Between {good} (good) and {bad} (bad): {changes}{line}.")];
    if range.steps > 0 {
        sentences.push(steps(range.steps, each_ms));
    }
    let lines = sentences.iter().flat_map(|sentence| text::wrap(sentence, look.width()));
    lines.map(|line| paint(Palette::HEADING, line) + "\n").collect()
}

/// How many steps there are, and how long they take where one took so long.
fn steps(steps: u32, each_ms: u64) -> String {
    let about = format!("About {}", count(steps as usize, "step"));
    match u64::from(steps) * each_ms / 1000 {
        0 => format!("{about}, a second at most."),
        seconds => format!("{about}, {} at most.", Period(Duration::from_secs(seconds))),
    }
}

/// The line of a commit that was judged.
pub(crate) fn judged(judged: &JudgedCommit, left: Option<&Outlook>, commits: &Commits, look: Look) -> String {
    let (style, sign, word) = match judged.verdict {
        BisectVerdict::Good => (Palette::GOOD, look.signs.yes, "good"),
        BisectVerdict::Bad => (Palette::BAD, look.signs.no, "bad "),
        _ => (Palette::WARN, look.signs.doubt, "skip"),
    };
    let time = match judged.runs {
        // Another commit has the same files.
        0 => "   same".to_owned(),
        _ => format!("{:>5.1} s", judged.elapsed_ms as f64 / 1000.0),
    };
    let left = match left.filter(|_| judged.needed) {
        Some(left) => format!("{:>6} left", left.commits),
        None if judged.needed => String::new(),
        None => "     ahead".into(),
    };
    let id = commits.short(judged.commit_id);
    let front = format!("  {sign} {word} {id} {time}{left}  ");
    let room = look.width().saturating_sub(text::width(&front));
    let subject = commits.subject(judged.commit_id).unwrap_or_default();
    let subject = text::fit(subject, room, look.signs.ellipsis);
    let (sign, id) = (paint(style, format!("{sign} {word}")), paint(Palette::ID, id));
    let mut said = format!("  {sign} {id} {}  {subject}\n", paint(Palette::QUIET, format!("{time}{left}")));
    if judged.verdict == BisectVerdict::Skipped {
        said.push_str(&note(&judged.reason, look));
    } else if judged.is_flaky() {
        let runs = format!("its runs disagree: {} passed, {} failed", judged.passed, judged.failed);
        said.push_str(&note(&runs, look));
    }
    said
}

fn note(what: &str, look: Look) -> String {
    let lines = text::wrap(&text::escape(what), look.width().saturating_sub(9));
    lines.into_iter().map(|line| format!("         {}\n", paint(Palette::QUIET, line))).collect()
}

/// What was found; `prospect` says what would come of rolling it back.
pub(crate) fn found(found: &Bisection, prospect: Option<&str>, commits: &Commits, look: Look) -> String {
    let mut said = match &found.culprit {
        Some(culprit) => {
            let is = if culprit.mainline.is_some() { ", a merge" } else { "" };
            let heading = format!("The check fails since {}{is}:", commits.short(culprit.commit_id));
            let subject = text::fit(&text::escape(&culprit.subject), look.width() - 2, look.signs.ellipsis);
            format!("{}\n  {subject}\n", paint(Palette::HEADING, heading))
        }
        None => suspects(found, commits, look),
    };
    let mut notes = Vec::new();
    if let Some(culprit) = &found.culprit {
        if let Some(merge) = culprit.introduced_by {
            notes.push(format!("It came in with the merge {}.", named(merge, commits, look)));
        }
        let bad = found.judged.iter().find(|judged| judged.commit_id == culprit.commit_id);
        if let Some(reason) = bad.map(|judged| &judged.reason).filter(|reason| !reason.is_empty()) {
            notes.push(format!("There, {}.", text::escape(reason)));
        }
        if culprit.mainline.is_some() {
            notes.push("Each side that it brings together passes by itself.".to_owned());
        }
    }
    notes.extend(flaky(found, commits));
    notes.push(runs(found));
    notes.extend(prospect.map(ToOwned::to_owned));
    for note in notes {
        for line in text::wrap(&note, look.width()) {
            said.push_str(&format!("{line}\n"));
        }
    }
    said
}

/// Where commits that could not be judged leave several.
fn suspects(found: &Bisection, commits: &Commits, look: Look) -> String {
    let shown = look.shown(10);
    let heading =
        format!("It is one of {}, which could not all be judged:", count(found.suspects.len(), "commit"));
    let mut said = format!("{}\n", paint(Palette::WARN, heading));
    for id in found.suspects.iter().take(shown) {
        said.push_str(&format!("  {}\n", named(*id, commits, look)));
    }
    if let Some(more) = found.suspects.len().checked_sub(shown).filter(|more| *more > 0) {
        said.push_str(&format!("  and {more} more (-v shows all)\n"));
    }
    said
}

/// Whether the check can be relied on.
fn flaky(found: &Bisection, commits: &Commits) -> Option<String> {
    const SHOWN: usize = 3;
    let mut flaky: Vec<_> = found.flaky().map(|judged| commits.short(judged.commit_id)).collect();
    flaky.dedup();
    if flaky.is_empty() {
        return None;
    }
    let more = match flaky.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let some = flaky[..flaky.len().min(SHOWN)].join(", ");
    Some(format!("The check is flaky: its runs disagree at {some}{more}."))
}

fn runs(found: &Bisection) -> String {
    let runs = &found.runs;
    let ahead = match runs.ahead {
        0 => String::new(),
        ahead => format!(" ({ahead} ahead on another core, not needed)"),
    };
    format!("The check ran {}{ahead}.", count(runs.total(), "time"))
}

fn named(id: CommitId, commits: &Commits, look: Look) -> String {
    let subject = commits.subject(id).unwrap_or_default();
    format!("{} {}", commits.short(id), text::fit(subject, 50, look.signs.ellipsis))
}
