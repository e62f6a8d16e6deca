//! What changed, as a page shows it: file by file, with line numbers, and marks on the words that differ.

use rollback_core::patch::{
    ChangedFile, Diff, FileCounts, FilePatch, Hunk, LineKind, PatchContent, PatchLine, word_changes,
};
use serde::Serialize;

use crate::terminal::text;

/// A page shows so many lines of patches at most; the rest is counted.
const LINES: usize = 4000;
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
    hunks: Vec<HunkView>,
    /// The patch as text.
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
pub(super) fn of(diff: &Diff) -> Difference {
    let mut view = Difference { added: 0, deleted: 0, files: Vec::new(), more: None };
    let (mut room, mut left_out) = (LINES, 0);
    for file in diff.files() {
        let counts = diff.counts(file).ok();
        view.added += counts.as_ref().and_then(|counts| counts.added).unwrap_or(0);
        view.deleted += counts.as_ref().and_then(|counts| counts.deleted).unwrap_or(0);
        let is_text = counts.as_ref().is_some_and(|counts| counts.bytes.is_none());
        let patches = if room > 0 && is_text { diff.patches(file).unwrap_or_default() } else { Vec::new() };
        let mut shown = self::file(file, counts.as_ref(), &patches);
        let lines: usize = shown.hunks.iter().map(|hunk| hunk.lines.len()).sum();
        if lines > room || room == 0 && is_text {
            shown.hunks.clear();
            shown.text.clear();
            left_out += 1;
        } else {
            room -= lines;
        }
        shown.open = lines < UNFOLDED.0 && diff.files().len() < UNFOLDED.1;
        view.files.push(shown);
    }
    view.more =
        (left_out > 0).then(|| format!("The lines of {} are left out.", text::count(left_out, "file")));
    view
}

fn file(file: &ChangedFile, counts: Option<&FileCounts>, patches: &[FilePatch]) -> File {
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
    let texts = patches.iter().filter_map(|patch| match &patch.content {
        PatchContent::Text(hunks) => Some(hunks),
        _ => None,
    });
    let hunks: Vec<&Hunk> = texts.flatten().collect();
    File {
        kind,
        name: text::path(file.path()),
        from: file.moved_from().map(text::path),
        tally,
        notes,
        open: false,
        text: hunks.iter().map(|hunk| as_text(hunk)).collect(),
        hunks: hunks.into_iter().map(hunk_view).collect(),
    }
}

fn as_text(hunk: &Hunk) -> String {
    let mut text = String::from_utf8_lossy(&hunk.header()).into_owned();
    for line in &hunk.lines {
        text.push_str(sign(line.kind));
        text.push_str(&words(&line.text));
        text.push('\n');
    }
    text
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
                    lines.push(line_view(&rest[0], vec![plain(&rest[0].text)]));
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
    let paired = gone.len() == made.len();
    let marked = |line: &PatchLine, other: Option<&PatchLine>, old: bool| match other {
        Some(other) if paired => {
            let (before, after) = if old { (line, other) } else { (other, line) };
            let changes = word_changes(&before.text, &after.text);
            pieces(&line.text, changes.into_iter().map(|change| if old { change.old } else { change.new }))
        }
        _ => vec![plain(&line.text)],
    };
    let old = gone.iter().enumerate().map(|(nth, line)| line_view(line, marked(line, made.get(nth), true)));
    let new = made.iter().enumerate().map(|(nth, line)| line_view(line, marked(line, gone.get(nth), false)));
    old.chain(new).collect()
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
