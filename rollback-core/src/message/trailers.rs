//! Trailers: where a block of them begins, and how one is added to it.
//!
//! A block is the last paragraph, other than the first, that holds nothing but trailers, or at least a quarter of them
//! and one that git itself writes or the configuration names (`git-interpret-trailers(1)`).

use bstr::{BString, ByteSlice, ByteVec};
use serde::{Deserialize, Serialize};

use super::cleanup::scissors_position;
use super::{Style, encoding, push_line, text};
use crate::id::CommitId;
use crate::repo::Signature;

/// A line such as `Rollback-Of: 3a8a50f…` at the end of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Trailer {
    /// What stands before the separator.
    pub key: String,
    /// What stands after it.
    pub value: String,
}

impl Trailer {
    /// The trailer that names what was rolled back.
    pub const OF: &'static str = "Rollback-Of";
    /// The trailer that names the strategy that was taken.
    pub const STRATEGY: &'static str = "Rollback-Strategy";
    /// The trailer that names the entry of the operation log.
    pub const OPERATION: &'static str = "Rollback-Operation";

    /// A trailer; white space around both parts goes.
    pub fn new(key: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        Self { key: key.as_ref().trim().into(), value: value.as_ref().trim().into() }
    }

    /// Reads `Key: value` or `Key=value`, as `git interpret-trailers --trailer` does; `None` without a key.
    pub fn parse(text: &str) -> Option<Self> {
        let (key, value) = text.split_once([':', '=']).unwrap_or((text, ""));
        let trailer = Self::new(key, value);
        (!trailer.key.is_empty()).then_some(trailer)
    }
}

/// What `git cherry-pick -x` adds.
pub(super) fn record_origin(text: &mut BString, origin: CommitId, style: &Style) {
    text::complete_line(text);
    if Block::find(text, style).is_none() {
        text.push_byte(b'\n');
    }
    push_line(text, format!("(cherry picked from commit {origin})").as_bytes());
}

/// What `--signoff` adds: nothing where the same line is the last trailer already.
pub(super) fn sign_off(text: &mut BString, committer: &Signature, style: &Style) {
    let mut line = BString::from("Signed-off-by: ");
    line.push_str(&committer.name);
    line.push_str(" <");
    line.push_str(&committer.email);
    line.push_str(">\n");
    text::complete_line(text);
    if *text == line {
        return;
    }
    match Block::find(text, style) {
        Some(block) if block.last_trailer_starts_with(text, &line, style) => return,
        Some(_) => {}
        // An empty message gets room for a title and a body.
        None if text.is_empty() => text.push_str("\n\n"),
        None if text.ends_with(b"\n\n") => {}
        None => text.push_byte(b'\n'),
    }
    text.push_str(line);
}

/// What `git interpret-trailers --trailer` makes of the message: the trailers at the end of the block, each left out
/// where the last one is the same.
pub(super) fn add(message: &[u8], trailers: &[Trailer], style: &Style) -> BString {
    let mut message = BString::from(message);
    text::complete_line(&mut message);
    let end = end_of_text(&message, style);
    let block = Block::find(&message, style).unwrap_or(Block { start: end, end });
    let mut items = block.items(&message, style);
    for trailer in trailers {
        let item = Item::Trailer {
            key: encoding::from_utf8(trailer.key.as_bytes(), style),
            value: encoding::from_utf8(trailer.value.as_bytes(), style),
        };
        if !items.last().is_some_and(|last| last.is_same_as(&item)) {
            items.push(item);
        }
    }

    let (before, after) = (&message[..block.start], &message[block.end..]);
    let mut out = BString::from(before);
    if !text::lines(before).next_back().is_some_and(text::is_blank) {
        out.push_byte(b'\n');
    }
    items.iter().for_each(|item| item.push_to(&mut out, style));
    out.push_str(after);
    out
}

/// The bytes of a message that are trailers.
struct Block {
    start: usize,
    end: usize,
}

impl Block {
    fn find(message: &[u8], style: &Style) -> Option<Self> {
        let end = end_of_text(message, style);
        let text = &message[..end];
        let lines: Vec<&[u8]> = text::lines(text).collect();
        let is_break = |line: &[u8]| !line.starts_with(&style.comment) && text::is_blank(line);
        let title_end = lines.iter().position(|line| is_break(line))?;
        let last = lines.iter().rposition(|line| !text::is_blank(line))?;
        let before = (title_end..=last).rev().find(|at| is_break(lines[*at]))?;

        let paragraph = &lines[before + 1..];
        let start = end - paragraph.iter().map(|line| line.len()).sum::<usize>();
        Census::of(paragraph, style).is_block().then_some(Self { start, end })
    }

    /// The trailers, each with its continuation lines, and the other lines of the block.
    fn items(&self, message: &[u8], style: &Style) -> Vec<Item> {
        let mut items: Vec<Item> = Vec::new();
        let mut continues = false;
        for line in self.folded(message, style, &mut continues) {
            if !line.starts_with(&style.comment) {
                items.push(Item::parse(&line, style));
            }
        }
        items
    }

    fn folded(&self, message: &[u8], style: &Style, continues: &mut bool) -> Vec<BString> {
        let mut folded: Vec<BString> = Vec::new();
        for line in text::lines(&message[self.start..self.end]) {
            if *continues
                && text::is_space(line[0])
                && let Some(last) = folded.last_mut()
            {
                last.push_str(line);
                continue;
            }
            *continues = separator_position(line, &style.separators).is_some_and(|at| at > 0);
            folded.push(line.into());
        }
        folded
    }

    fn last_trailer_starts_with(&self, message: &[u8], line: &[u8], style: &Style) -> bool {
        self.folded(message, style, &mut false).last().is_some_and(|last| last.starts_with(line))
    }
}

/// One entry of a block.
enum Item {
    Trailer { key: BString, value: BString },
    Other(BString),
}

impl Item {
    fn parse(line: &[u8], style: &Style) -> Self {
        match separator_position(line, &style.separators) {
            Some(at) if at > 0 => {
                Self::Trailer { key: line[..at].trim().into(), value: line[at + 1..].trim().into() }
            }
            _ => Self::Other(text::trim_end(line).into()),
        }
    }

    /// Whether git takes the two for one trailer: by the shorter key, and without regard to case.
    fn is_same_as(&self, other: &Self) -> bool {
        let (Self::Trailer { key, value }, Self::Trailer { key: other_key, value: other_value }) =
            (self, other)
        else {
            return false;
        };
        let shorter = key.len().min(other_key.len());
        key[..shorter].eq_ignore_ascii_case(&other_key[..shorter]) && value.eq_ignore_ascii_case(other_value)
    }

    fn push_to(&self, out: &mut BString, style: &Style) {
        match self {
            Self::Trailer { key, value } => {
                out.push_str(key);
                if !key.last().is_some_and(|last| style.separators.contains(last)) {
                    out.push_byte(style.separators.first().copied().unwrap_or(b':'));
                    out.push_byte(b' ');
                }
                push_line(out, value);
            }
            Self::Other(line) => push_line(out, line),
        }
    }
}

/// What a paragraph is made of.
#[derive(Default)]
struct Census {
    trailers: usize,
    others: usize,
    /// Whether a trailer is one that git writes or the configuration names.
    recognized: bool,
}

impl Census {
    fn of(paragraph: &[&[u8]], style: &Style) -> Self {
        let mut census = Self::default();
        let mut after_trailer = false;
        for line in paragraph {
            if line.starts_with(&style.comment) {
                after_trailer = false;
            } else if is_written_by_git(line) {
                census.trailers += 1;
                census.recognized = true;
                after_trailer = true;
            } else if text::is_space(line[0]) {
                // A continuation of the trailer above it, if there is one.
                census.others += usize::from(!after_trailer);
            } else if let Some(at) = separator_position(line, &style.separators).filter(|at| *at > 0) {
                census.trailers += 1;
                census.recognized |= is_configured(&line[..at], style);
                after_trailer = true;
            } else {
                census.others += 1;
                after_trailer = false;
            }
        }
        census
    }

    fn is_block(&self) -> bool {
        self.trailers > 0 && (self.others == 0 || self.recognized && self.trailers * 3 >= self.others)
    }
}

fn is_written_by_git(line: &[u8]) -> bool {
    line.starts_with(b"Signed-off-by: ") || line.starts_with(b"(cherry picked from commit ")
}

fn is_configured(key: &[u8], style: &Style) -> bool {
    style
        .known_trailers
        .iter()
        .any(|known| known.len() >= key.len() && known[..key.len()].eq_ignore_ascii_case(key))
}

/// Where the separator stands after a key of letters, digits and hyphens, which blanks may follow.
fn separator_position(line: &[u8], separators: &[u8]) -> Option<usize> {
    let mut blanks = false;
    for (at, byte) in line.iter().enumerate() {
        match byte {
            byte if separators.contains(byte) => return Some(at),
            b' ' | b'\t' if at > 0 => blanks = true,
            byte if !blanks && (byte.is_ascii_alphanumeric() || *byte == b'-') => {}
            _ => return None,
        }
    }
    None
}

/// Where the text ends and the blank lines, comments and old-style list of conflicts after it begin.
fn end_of_text(message: &[u8], style: &Style) -> usize {
    let cut = scissors_position(message, &style.comment);
    let mut at = 0;
    let mut tail = None;
    let mut in_conflicts = false;
    for line in text::lines(&message[..cut]) {
        if line == b"Conflicts:\n" {
            in_conflicts = true;
        } else if !(line == b"\n" || line.starts_with(&style.comment) || in_conflicts && line[0] == b'\t') {
            (tail, in_conflicts) = (None, false);
            at += line.len();
            continue;
        }
        // A message that is comment from its first byte on has, for git, no tail that begins there.
        tail = tail.or((at > 0).then_some(at));
        at += line.len();
    }
    tail.unwrap_or(cut)
}
