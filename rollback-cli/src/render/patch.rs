//! Patches for people: with git's colours, line by line or word by word, and as a table of counts.

mod stat;
mod words;

use rollback_core::patch::{Diff, FilePatch, PatchContent, SpelledKind, SpelledLine};

use crate::terminal::text;

pub(crate) use stat::stat;

const META: &str = "\x1b[1m";
const PLACE: &str = "\x1b[36m";
const OLD: &str = "\x1b[31m";
const NEW: &str = "\x1b[32m";
const WRONG_SPACE: &str = "\x1b[41m";
const RESET: &str = "\x1b[m";

/// How a patch is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// As git writes it: for files and programs.
    Exact,
    /// With git's colours.
    Coloured,
    /// Words coloured in place of lines.
    Words,
}

/// The patch of all files, handed out piece by piece.
///
/// # Errors
/// Those of reading files, and what `write` returns.
pub(crate) fn write(
    diff: &Diff,
    style: Style,
    mut write: impl FnMut(&[u8]),
) -> Result<(), rollback_core::Error> {
    for file in diff.files() {
        for patch in diff.patches(file)? {
            match style {
                Style::Exact => patch.lines()?.iter().for_each(|line| write(&line.text)),
                Style::Coloured => patch.lines()?.iter().for_each(|line| write(&coloured(line))),
                Style::Words => write(&by_words(&patch)?),
            }
        }
    }
    Ok(())
}

/// What may not reach a terminal as it is, spelled out.
pub(crate) fn for_terminal(bytes: &[u8]) -> String {
    // Colours that were put in here end in an `m` and hold nothing else.
    let mut shown = String::new();
    for (nth, piece) in String::from_utf8_lossy(bytes).split("\x1b[").enumerate() {
        let code = piece
            .find('m')
            .filter(|at| piece[..*at].bytes().all(|byte| byte.is_ascii_digit() || byte == b';'));
        match (nth, code) {
            (0, _) => shown.push_str(&text::escape_lines(piece)),
            (_, Some(end)) => {
                shown.push_str("\x1b[");
                shown.push_str(&piece[..=end]);
                shown.push_str(&text::escape_lines(&piece[end + 1..]));
            }
            (_, None) => {
                shown.push_str("\\x1b[");
                shown.push_str(&text::escape_lines(piece));
            }
        }
    }
    shown
}

/// A line as git colours it.
fn coloured(line: &SpelledLine) -> Vec<u8> {
    let text = line.text.strip_suffix(b"\n").unwrap_or(&line.text);
    let (text, carriage_return) = match text.strip_suffix(b"\r") {
        Some(text) if line.kind != SpelledKind::New => (text, b"\r".as_slice()),
        _ => (text, b"".as_slice()),
    };
    let mut out = match line.kind {
        SpelledKind::Meta => match text.strip_suffix(b"\t") {
            Some(name) => [painted(META, name), b"\t".to_vec()].concat(),
            None => painted(META, text),
        },
        SpelledKind::Hunk => place(text),
        SpelledKind::Old => painted(OLD, text),
        SpelledKind::New => came(text),
        SpelledKind::Context | SpelledKind::NoLineFeed => painted("", text),
        _ => text.to_vec(),
    };
    out.extend(carriage_return);
    out.push(b'\n');
    out
}

fn painted(colour: &str, text: &[u8]) -> Vec<u8> {
    [colour.as_bytes(), text, RESET.as_bytes()].concat()
}

/// Where a hunk lies in colour, the function behind it without.
fn place(text: &[u8]) -> Vec<u8> {
    let end = text[2..].windows(2).position(|pair| pair == b"@@").map_or(text.len(), |at| at + 4);
    let mut out = painted(PLACE, &text[..end]);
    if let Some(function) = text[end..].strip_prefix(b" ") {
        out.extend(painted("", b" "));
        out.extend(painted("", function));
    }
    out
}

/// A line that comes, the white space in it marked that git takes for a mistake: at its end, and blanks before a tab in its
/// indentation.
fn came(text: &[u8]) -> Vec<u8> {
    let (sign, line) = text.split_at(1);
    let mut out = painted(NEW, sign);
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | 0x0b | 0x0c);
    let end = line.len() - line.iter().rev().take_while(|byte| is_space(byte)).count();
    let indent = line[..end].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let mut at = 0;
    while let Some(tab) = line[at..indent].iter().position(|byte| *byte == b'\t') {
        if tab > 0 {
            out.extend(painted(WRONG_SPACE, &line[at..at + tab]));
        }
        out.extend(b"\t");
        at += tab + 1;
    }
    if at < end {
        out.extend(painted(NEW, &line[at..end]));
    }
    if end < line.len() {
        out.extend(painted(WRONG_SPACE, &line[end..]));
    }
    out
}

/// A file with the words that go and come in colour.
fn by_words(patch: &FilePatch) -> Result<Vec<u8>, rollback_core::Error> {
    let mut out = Vec::new();
    let PatchContent::Text(hunks) = &patch.content else {
        patch.lines()?.iter().for_each(|line| out.extend(coloured(line)));
        return Ok(out);
    };
    let lines = patch.lines()?;
    let head = lines.iter().take_while(|line| line.kind == SpelledKind::Meta);
    head.for_each(|line| out.extend(coloured(line)));
    for hunk in hunks {
        out.extend(place(hunk.header().trim_ascii_end()));
        out.push(b'\n');
        words::write(hunk, &mut out);
    }
    Ok(out)
}
