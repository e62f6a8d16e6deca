//! The message of a whole revert, byte for byte git's.

use bstr::{BString, ByteSlice, ByteVec};

use super::text;
use super::{Context, Style, encoding, push_line};
use crate::repo::Commit;

/// The message without `--reference`.
pub(super) fn whole(commit: &Commit, mainline: Option<&Commit>, style: &Style) -> BString {
    let mut out = title(commit, style);
    out.push_str("\n\nThis reverts commit ");
    out.push_str(commit.id.to_string());
    if let Some(parent) = mainline {
        out.push_str(format!(", reversing\nchanges made to {}", parent.id));
    }
    out.push_str(".\n");
    out
}

/// The message of `--reference`: its title is a comment that asks for one, and without an editor it stays. Up to git 2.47
/// it begins with `#` whatever `core.commentString` says.
pub(super) fn by_reference(commit: &Commit, mainline: Option<&Commit>, context: &Context<'_>) -> BString {
    let comment = match context.style.git.is_at_least(2, 48) {
        true => context.style.comment.as_slice(),
        false => b"#",
    };
    let mut out = text::commented(b"*** SAY WHY WE ARE REVERTING ON THE TITLE LINE ***\n", comment);
    out.push_str("\nThis reverts commit ");
    out.push_str(reference(commit, context));
    if let Some(parent) = mainline {
        out.push_str(", reversing\nchanges made to ");
        out.push_str(reference(parent, context));
    }
    push_line(&mut out, b".");
    out
}

/// The title without the end of its line. `Revert "X"` becomes `Reapply "X"`, unless what it reverts is a revert
/// already: two of them in a row stay and grow (`t3501-revert-cherry-pick.sh`). No closing quote is looked for.
pub(super) fn title(commit: &Commit, style: &Style) -> BString {
    let message = encoding::message_of(commit, style);
    let subject = super::subject(&message);
    let reverted = subject.strip_prefix(b"Revert \"").filter(|inner| !inner.starts_with(b"Revert \""));
    let mut out = BString::default();
    match reverted {
        Some(inner) => {
            out.push_str("Reapply \"");
            out.push_str(inner);
        }
        None => {
            out.push_str("Revert \"");
            out.push_str(subject);
            out.push_byte(b'"');
        }
    }
    out
}

/// The commit as git's `reference` format names it: `abbreviated id (subject, author date)`.
///
/// The subject keeps the encoding of its commit, as git leaves it.
pub(super) fn reference(commit: &Commit, context: &Context<'_>) -> BString {
    let mut out = BString::from((context.abbreviate)(commit.id));
    out.push_str(" (");
    out.push_str(joined_subject(&commit.message));
    out.push_str(", ");
    out.push_str(date(&commit.author.time));
    out.push_byte(b')');
    out
}

/// The first paragraph on one line, as `%s` gives it.
fn joined_subject(message: &[u8]) -> BString {
    let paragraph: Vec<&[u8]> = text::lines(text::without_leading_blank_lines(message))
        .take_while(|line| !text::is_blank(line))
        .map(text::trim_end)
        .collect();
    bstr::join(" ", paragraph).into()
}

/// The day in the time zone of the author; nothing where the commit spells no time, and the epoch where no calendar has
/// it.
fn date(time: &str) -> String {
    if time.is_empty() {
        return String::new();
    }
    day_of(time).unwrap_or_else(|| "1970-01-01".into())
}

fn day_of(time: &str) -> Option<String> {
    let (seconds, zone) = time.split_once(' ')?;
    let zone: i64 = zone.trim().as_bytes().to_str().ok()?.parse().ok()?;
    let offset = (zone / 100 * 60 + zone % 100) * 60;
    let local = seconds.parse::<i64>().ok()?.checked_add(offset)?;
    let day = jiff::Timestamp::from_second(local).ok()?.to_zoned(jiff::tz::TimeZone::UTC).date();
    Some(day.to_string())
}
