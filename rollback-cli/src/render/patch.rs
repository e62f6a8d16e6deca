//! Patches for people: with git's colours, line by line or word by word, and as a table of counts.

mod stat;
mod words;

use std::borrow::Cow;
use std::ops::ControlFlow;

use rollback_core::patch::{Diff, FilePatch, PatchContent, SpelledKind, SpelledLine, is_space};

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

/// Writes the patch of all files, piece by piece, until `write` wants no more. What goes to a terminal is `escaped`, line by
/// line and before it is coloured: no byte of a repository steers the terminal.
///
/// # Errors
/// Those of reading files.
pub(crate) fn write(
    diff: &Diff,
    style: Style,
    escaped: bool,
    mut write: impl FnMut(&[u8]) -> ControlFlow<()>,
) -> Result<(), rollback_core::Error> {
    let brush = Brush { escaped };
    for file in diff.files() {
        for patch in diff.patches(file)? {
            let written = match style {
                Style::Exact => patch.lines()?.iter().try_for_each(|line| write(&brush.plain(&line.text))),
                Style::Coloured => patch.lines()?.iter().try_for_each(|line| write(&brush.coloured(line))),
                Style::Words => write(&brush.by_words(&patch)?),
            };
            if written.is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Puts text into colours.
#[derive(Clone, Copy)]
struct Brush {
    /// Whether what could steer a terminal, or hide on it, is spelled out.
    escaped: bool,
}

impl Brush {
    /// The text without colours.
    fn plain(self, text: &[u8]) -> Cow<'_, [u8]> {
        match self.escaped {
            true => Cow::Owned(text::escape_lines(&String::from_utf8_lossy(text)).into_bytes()),
            false => Cow::Borrowed(text),
        }
    }

    fn painted(self, colour: &str, text: &[u8]) -> Vec<u8> {
        [colour.as_bytes(), &self.plain(text), RESET.as_bytes()].concat()
    }

    /// A line as git colours it.
    fn coloured(self, line: &SpelledLine) -> Vec<u8> {
        let text = line.text.strip_suffix(b"\n").unwrap_or(&line.text);
        let (text, carriage_return) = match text.strip_suffix(b"\r") {
            Some(text) if line.kind != SpelledKind::New => (text, b"\r".as_slice()),
            _ => (text, b"".as_slice()),
        };
        let mut out = match line.kind {
            SpelledKind::Meta => match text.strip_suffix(b"\t") {
                Some(name) => [self.painted(META, name), b"\t".to_vec()].concat(),
                None => self.painted(META, text),
            },
            SpelledKind::Hunk => self.place(text),
            SpelledKind::Old => self.painted(OLD, text),
            SpelledKind::New => self.came(text),
            SpelledKind::Context | SpelledKind::NoLineFeed => self.painted("", text),
            _ => self.plain(text).into_owned(),
        };
        out.extend(&*self.plain(carriage_return));
        out.push(b'\n');
        out
    }

    /// Where a hunk lies in colour, the function behind it without.
    fn place(self, text: &[u8]) -> Vec<u8> {
        let end = text[2..].windows(2).position(|pair| pair == b"@@").map_or(text.len(), |at| at + 4);
        let mut out = self.painted(PLACE, &text[..end]);
        if let Some(function) = text[end..].strip_prefix(b" ") {
            out.extend(self.painted("", b" "));
            out.extend(self.painted("", function));
        }
        out
    }

    /// A line that comes, the white space in it marked that git takes for a mistake: at its end, and blanks before a tab in its
    /// indentation.
    fn came(self, text: &[u8]) -> Vec<u8> {
        let (sign, line) = text.split_at(1);
        let mut out = self.painted(NEW, sign);
        let end = line.len() - line.iter().rev().take_while(|byte| is_space(**byte)).count();
        let indent = line[..end].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let mut at = 0;
        while let Some(tab) = line[at..indent].iter().position(|byte| *byte == b'\t') {
            if tab > 0 {
                out.extend(self.painted(WRONG_SPACE, &line[at..at + tab]));
            }
            out.extend(b"\t");
            at += tab + 1;
        }
        if at < end {
            out.extend(self.painted(NEW, &line[at..end]));
        }
        if end < line.len() {
            out.extend(self.painted(WRONG_SPACE, &line[end..]));
        }
        out
    }

    /// A file with the words that go and come in colour.
    fn by_words(self, patch: &FilePatch) -> Result<Vec<u8>, rollback_core::Error> {
        let mut out = Vec::new();
        let PatchContent::Text(hunks) = &patch.content else {
            patch.lines()?.iter().for_each(|line| out.extend(self.coloured(line)));
            return Ok(out);
        };
        let lines = patch.lines()?;
        let head = lines.iter().take_while(|line| line.kind == SpelledKind::Meta);
        head.for_each(|line| out.extend(self.coloured(line)));
        for hunk in hunks {
            out.extend(self.place(hunk.header().strip_suffix(b"\n").unwrap_or_default()));
            out.push(b'\n');
            words::write(hunk, self, &mut out);
        }
        Ok(out)
    }
}
