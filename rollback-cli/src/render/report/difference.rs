//! What changed, as a page shows it: file by file, with line numbers, and marks on the words that differ.

use rollback_core::patch::{
    ChangedFile, Diff, FileCounts, FilePatch, Hunk, LineKind, PatchContent, PatchLine, word_changes,
};
use serde::Serialize;

use super::Format;
use crate::terminal::text;

/// A page shows so many lines of patches at most, and so many bytes; the rest is counted.
const LINES: usize = 4000;
const BYTES: usize = 1 << 20;
/// Of a longer line only its beginning is shown.
const LINE: usize = 2000;
/// Larger files, in bytes, are counted and not compared for the page.
const COMPARED: u64 = 64 << 20;
/// Files with fewer lines than this, in reports with fewer files than that, are unfolded.
const UNFOLDED: (usize, usize) = (60, 4);

/// What changed.
#[derive(Serialize)]
pub(super) struct Difference {
    added: usize,
    deleted: usize,
    files: Vec<File>,
    /// What is left out, in words.
    more: Option<String>,
}

#[derive(Serialize)]
struct File {
    kind: &'static str,
    name: String,
    from: Option<String>,
    tally: String,
    /// What there is to say beside the lines.
    notes: Vec<String>,
    open: bool,
    /// The patch, line by line; for HTML.
    hunks: Vec<HunkView>,
    /// The patch as text; for Markdown.
    text: String,
}

#[derive(Serialize)]
struct HunkView {
    header: String,
    lines: Vec<LineView>,
}

#[derive(Serialize)]
struct LineView {
    kind: &'static str,
    sign: &'static str,
    old: String,
    new: String,
    pieces: Vec<Piece>,
}

#[derive(Clone, Serialize)]
struct Piece {
    text: String,
    mark: bool,
}

/// What a page shows of a difference; files that cannot be read are only named.
pub(super) fn of(diff: &Diff, format: Format) -> Difference {
    let mut view = Difference { added: 0, deleted: 0, files: Vec::new(), more: None };
    let mut room = Size { lines: LINES, bytes: BYTES };
    let mut left_out = 0;
    for file in diff.files() {
        let (counts, patches) = compared(diff, file, room);
        view.added += counts.as_ref().and_then(|counts| counts.added).unwrap_or(0);
        view.deleted += counts.as_ref().and_then(|counts| counts.deleted).unwrap_or(0);
        let mut shown = self::file(file, counts.as_ref());
        let hunks: Vec<&Hunk> = patches.iter().filter_map(hunks).flatten().collect();
        let size = Size::of(&hunks);
        let is_text = counts.as_ref().is_some_and(|counts| counts.bytes.is_none());
        match room.without(size) {
            Some(rest) if !patches.is_empty() => {
                room = rest;
                match format {
                    Format::Html => shown.hunks = hunks.into_iter().map(hunk_view).collect(),
                    Format::Markdown => shown.text = hunks.into_iter().map(as_text).collect(),
                }
            }
            _ => left_out += usize::from(is_text),
        }
        shown.open = size.lines < UNFOLDED.0 && diff.files().len() < UNFOLDED.1;
        view.files.push(shown);
    }
    view.more =
        (left_out > 0).then(|| format!("The lines of {} are left out.", text::count(left_out, "file")));
    view
}

/// The counts of a file, and its patches where there is room for any.
fn compared(diff: &Diff, file: &ChangedFile, room: Size) -> (Option<FileCounts>, Vec<FilePatch>) {
    let is_small = diff.size(file).is_ok_and(|size| size <= COMPARED);
    if room.lines > 0 && is_small {
        let patches = diff.patches(file).unwrap_or_default();
        if !patches.is_empty() {
            return (diff.counts_of_patches(file, &patches).ok(), patches);
        }
    }
    (diff.counts(file).ok(), Vec::new())
}

fn hunks(patch: &FilePatch) -> Option<&Vec<Hunk>> {
    match &patch.content {
        PatchContent::Text(hunks) => Some(hunks),
        _ => None,
    }
}

/// How much of a page lines take up.
#[derive(Clone, Copy)]
struct Size {
    lines: usize,
    bytes: usize,
}

impl Size {
    fn of(hunks: &[&Hunk]) -> Self {
        let lines = || hunks.iter().flat_map(|hunk| &hunk.lines);
        Self { lines: lines().count(), bytes: lines().map(|line| line.text.len().min(LINE)).sum() }
    }

    fn without(self, other: Self) -> Option<Self> {
        let lines = self.lines.checked_sub(other.lines)?;
        Some(Self { lines, bytes: self.bytes.checked_sub(other.bytes)? })
    }
}

fn file(file: &ChangedFile, counts: Option<&FileCounts>) -> File {
    let kind = match (&file.before, &file.after) {
        (None, _) => "added",
        (_, None) => "deleted",
        _ if file.moved_from().is_some() => "renamed",
        _ => "modified",
    };
    let mut notes = Vec::new();
    if let Some(percent) = file.similarity {
        notes.push(format!("{percent}% the same"));
    }
    if let (Some(before), Some(after)) = (&file.before, &file.after)
        && before.entry.mode.canonical() != after.entry.mode.canonical()
    {
        notes.push(format!("mode {} becomes {}", before.entry.mode, after.entry.mode));
    }
    let tally = match counts {
        Some(FileCounts { bytes: Some([old, new]), .. }) => format!("binary, {old} \u{2192} {new} bytes"),
        Some(FileCounts { added: Some(added), deleted: Some(deleted), .. }) => {
            let part = |sign, number: usize| (number > 0).then(|| format!("{sign}{number}"));
            [part('+', *added), part('\u{2212}', *deleted)]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(" ")
        }
        _ => String::new(),
    };
    File {
        kind,
        name: text::path(file.path()),
        from: file.moved_from().map(text::path),
        tally,
        notes,
        open: false,
        hunks: Vec::new(),
        text: String::new(),
    }
}

fn as_text(hunk: &Hunk) -> String {
    let mut text = String::from_utf8_lossy(&hunk.header()).into_owned();
    for line in &hunk.lines {
        text.push_str(sign(line.kind));
        let (bytes, left_out) = beginning(&line.text);
        text.push_str(&words(bytes));
        text.push_str(&left_out.unwrap_or_default());
        text.push('\n');
    }
    text
}

/// What is shown of a line, and in words what is not.
fn beginning(line: &[u8]) -> (&[u8], Option<String>) {
    if line.len() <= LINE {
        return (line, None);
    }
    // Not within a letter.
    let end = (0..=LINE).rev().find(|at| line[*at] & 0xc0 != 0x80).unwrap_or(LINE);
    (&line[..end], Some(format!(" … ({} more)", text::count(line.len() - end, "byte"))))
}

fn words(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end_matches('\n').to_owned()
}

fn sign(kind: LineKind) -> &'static str {
    match kind {
        LineKind::Old => "-",
        LineKind::New => "+",
        _ => " ",
    }
}

fn hunk_view(hunk: &Hunk) -> HunkView {
    let mut lines = Vec::new();
    for run in
        hunk.lines.chunk_by(|one, other| (one.kind == LineKind::Context) == (other.kind == LineKind::Context))
    {
        // Within a run all that goes stands before all that comes, once for each change.
        let mut rest = run;
        while !rest.is_empty() {
            let gone = rest.iter().take_while(|line| line.kind == LineKind::Old).count();
            let made = rest[gone..].iter().take_while(|line| line.kind == LineKind::New).count();
            match gone + made {
                0 => {
                    lines.push(line_view(&rest[0], vec![plain(beginning(&rest[0].text).0)]));
                    rest = &rest[1..];
                }
                changed => {
                    lines.extend(changed_views(&rest[..gone], &rest[gone..changed]));
                    rest = &rest[changed..];
                }
            }
        }
    }
    HunkView { header: words(&hunk.header()), lines }
}

/// The lines of a change; the words that differ are marked where as many lines come as go.
fn changed_views(gone: &[PatchLine], made: &[PatchLine]) -> Vec<LineView> {
    if gone.len() != made.len() {
        return gone
            .iter()
            .chain(made)
            .map(|line| line_view(line, vec![plain(beginning(&line.text).0)]))
            .collect();
    }
    let (mut old, mut new) = (Vec::with_capacity(gone.len()), Vec::with_capacity(made.len()));
    for (before, after) in gone.iter().zip(made) {
        let texts = [beginning(&before.text).0, beginning(&after.text).0];
        let changes = word_changes(texts[0], texts[1]);
        old.push(line_view(before, pieces(texts[0], changes.iter().map(|change| change.old.clone()))));
        new.push(line_view(after, pieces(texts[1], changes.iter().map(|change| change.new.clone()))));
    }
    old.into_iter().chain(new).collect()
}

fn plain(line: &[u8]) -> Piece {
    Piece { text: words(line), mark: false }
}

fn pieces(line: &[u8], marks: impl Iterator<Item = std::ops::Range<usize>>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut at = 0;
    for mark in marks.filter(|mark| !mark.is_empty()) {
        pieces.push(plain(&line[at..mark.start]));
        pieces.push(Piece { mark: true, ..plain(&line[mark.clone()]) });
        at = mark.end;
    }
    pieces.push(plain(&line[at..]));
    // A line that differs in every word gains nothing from marks.
    if pieces.iter().all(|piece| piece.mark || piece.text.trim().is_empty()) {
        return vec![plain(line)];
    }
    pieces.retain(|piece| !piece.text.is_empty());
    pieces
}

fn line_view(line: &PatchLine, pieces: Vec<Piece>) -> LineView {
    let kind = match line.kind {
        LineKind::Old => "old",
        LineKind::New => "new",
        _ => "same",
    };
    let number = |number: Option<usize>| number.map(|number| number.to_string()).unwrap_or_default();
    let mut pieces = pieces;
    pieces.extend(beginning(&line.text).1.map(|text| Piece { text, mark: false }));
    if !line.text.ends_with(b"\n") {
        pieces.push(Piece { text: " (no line feed)".into(), mark: false });
    }
    LineView {
        kind,
        sign: sign(line.kind),
        old: number(line.old_number),
        new: number(line.new_number),
        pieces,
    }
}
