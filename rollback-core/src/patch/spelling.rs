//! A patch as git spells it, line by line.

use std::io::Write;

use super::binary;
use super::compared::{FilePatch, Hunk, LineKind, PatchContent};
use super::files::FileSide;
use crate::error::{Error, Result};
use crate::id::EntryMode;
use crate::path::{joined_as_git, quoted_as_git};

/// What a line of a patch is; git has a colour for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpelledKind {
    /// What is said about the file as a whole.
    Meta,
    /// Where a hunk lies; the function follows behind the second `@@`.
    Hunk,
    /// A line that stays.
    Context,
    /// A line that goes.
    Old,
    /// A line that comes.
    New,
    /// That the line before it has no line feed.
    NoLineFeed,
    /// Content of a binary file.
    Binary,
}

/// A line of a patch.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpelledLine {
    /// What it is.
    pub kind: SpelledKind,
    /// Its bytes, with the line feed.
    pub text: Vec<u8>,
}

impl SpelledLine {
    fn new(kind: SpelledKind, text: impl Into<Vec<u8>>) -> Self {
        Self { kind, text: text.into() }
    }
}

impl FilePatch {
    /// The lines of the patch, which make up what `git diff --binary` writes.
    ///
    /// # Errors
    /// [`Error::Internal`] where a binary file cannot be compressed.
    pub fn lines(&self) -> Result<Vec<SpelledLine>> {
        let mut lines = self.header();
        match &self.content {
            PatchContent::Unchanged => {}
            PatchContent::Text(hunks) => {
                if !hunks.is_empty() {
                    lines.extend(self.names());
                }
                lines.extend(hunks.iter().flat_map(Hunk::spelled));
            }
            PatchContent::Binary { old, new } => {
                let mut binary = vec![b"GIT binary patch\n".to_vec()];
                binary.extend(binary::literal(new)?);
                binary.extend(binary::literal(old)?);
                lines.extend(binary.into_iter().map(|text| SpelledLine::new(SpelledKind::Binary, text)));
            }
        }
        Ok(lines)
    }

    /// Writes the patch, as `git diff --binary` would.
    ///
    /// # Errors
    /// As [`FilePatch::lines`]; [`Error::Io`] where it cannot be written.
    pub fn write_to(&self, out: &mut dyn Write) -> Result<()> {
        for line in self.lines()? {
            out.write_all(&line.text).map_err(|error| Error::io("write", "a patch", error))?;
        }
        Ok(())
    }

    /// The lines before the first hunk, the names of both sides aside.
    fn header(&self) -> Vec<SpelledLine> {
        let file = &self.file;
        let quote = |name: &FileSide| quoted_as_git(name.path.as_bytes(), self.quote_path);
        let [a, b] = self.prefixed();
        let mut lines = vec![[b"diff --git ".as_slice(), &a, b" ", &b, b"\n"].concat()];
        match (&file.before, &file.after) {
            (None, Some(new)) => lines.push(about_mode("new file mode", new.entry.mode)),
            (Some(old), None) => lines.push(about_mode("deleted file mode", old.entry.mode)),
            (Some(old), Some(new)) => {
                if old.entry.mode.canonical() != new.entry.mode.canonical() {
                    lines.push(about_mode("old mode", old.entry.mode));
                    lines.push(about_mode("new mode", new.entry.mode));
                }
                if let Some(percent) = file.similarity {
                    lines.push(format!("similarity index {percent}%\n").into_bytes());
                    lines.push([b"rename from ".as_slice(), &quote(old), b"\n"].concat());
                    lines.push([b"rename to ".as_slice(), &quote(new), b"\n"].concat());
                }
            }
            (None, None) => {}
        }
        lines.extend(self.index());
        lines.into_iter().map(|text| SpelledLine::new(SpelledKind::Meta, text)).collect()
    }

    /// The line with the ids of both sides, and the mode where both have the same.
    fn index(&self) -> Option<Vec<u8>> {
        let [old, new] = self.ids.as_ref()?;
        let mode = |side: &Option<FileSide>| side.as_ref().map(|side| side.entry.mode.canonical());
        let mode = match (mode(&self.file.before), mode(&self.file.after)) {
            (Some(old), Some(new)) if old == new => format!(" {:06o}", new.bits()),
            _ => String::new(),
        };
        Some(format!("index {old}..{new}{mode}\n").into_bytes())
    }

    /// The two lines that name both sides before the first hunk.
    fn names(&self) -> [SpelledLine; 2] {
        let [a, b] = self.prefixed();
        let line = |sign: &[u8], side: &Option<FileSide>, name: Vec<u8>| {
            let name = if side.is_some() { name } else { b"/dev/null".to_vec() };
            // A tab ends a name with spaces, for programs other than git.
            let end: &[u8] = if name.contains(&b' ') { b"\t\n" } else { b"\n" };
            SpelledLine::new(SpelledKind::Meta, [sign, name.as_slice(), end].concat())
        };
        [line(b"--- ", &self.file.before, a), line(b"+++ ", &self.file.after, b)]
    }

    /// The names of both sides with their prefixes; a side that is not there has the name of the other.
    fn prefixed(&self) -> [Vec<u8>; 2] {
        let (before, after) = (self.file.before.as_ref(), self.file.after.as_ref());
        let name =
            |side: Option<&FileSide>| side.map_or(self.file.path(), |side| &side.path).as_bytes().to_vec();
        [
            joined_as_git(b"a/", &name(before), self.quote_path),
            joined_as_git(b"b/", &name(after), self.quote_path),
        ]
    }
}

fn about_mode(what: &str, mode: EntryMode) -> Vec<u8> {
    format!("{what} {:06o}\n", mode.canonical().bits()).into_bytes()
}

impl Hunk {
    /// The line before it: where it lies, and in which function.
    pub fn header(&self) -> Vec<u8> {
        let lines = |count: usize| if count == 1 { String::new() } else { format!(",{count}") };
        let place = format!(
            "@@ -{}{} +{}{} @@",
            self.old_start,
            lines(self.old_lines),
            self.new_start,
            lines(self.new_lines)
        );
        let gap: &[u8] = if self.function.is_empty() { b"" } else { b" " };
        [place.as_bytes(), gap, &self.function, b"\n"].concat()
    }

    fn spelled(&self) -> Vec<SpelledLine> {
        let mut lines = vec![SpelledLine::new(SpelledKind::Hunk, self.header())];
        for line in &self.lines {
            let (kind, sign) = match line.kind {
                LineKind::Context => (SpelledKind::Context, b" "),
                LineKind::Old => (SpelledKind::Old, b"-"),
                LineKind::New => (SpelledKind::New, b"+"),
            };
            let mut text = [sign.as_slice(), &line.text].concat();
            if text.ends_with(b"\n") && text.len() > 1 {
                lines.push(SpelledLine::new(kind, text));
            } else {
                text.push(b'\n');
                lines.push(SpelledLine::new(kind, text));
                lines.push(SpelledLine::new(
                    SpelledKind::NoLineFeed,
                    b"\\ No newline at end of file\n".as_slice(),
                ));
            }
        }
        lines
    }
}
