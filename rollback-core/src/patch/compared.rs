//! One file, compared line by line.

use super::files::{ChangedFile, FileCounts};
use super::options::DiffOptions;
use crate::content::without_space_at_end;
use crate::merge::text::hunks::{Compared, Comparison, Grouped};

/// The most bytes of a line that stands for a function.
const FUNCTION: usize = 80;

/// The patch of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FilePatch {
    /// The file.
    pub file: ChangedFile,
    /// What becomes of its content.
    pub content: PatchContent,
    /// The ids of both sides, as the patch spells them; `None` where the content stays.
    pub(super) ids: Option<[String; 2]>,
    pub(super) quote_path: bool,
}

/// What becomes of the content of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PatchContent {
    /// It stays.
    Unchanged,
    /// Lines of it change; none where one side is empty and the other is not there.
    Text(Vec<Hunk>),
    /// It is no text.
    Binary {
        /// The bytes before.
        old: Vec<u8>,
        /// The bytes after.
        new: Vec<u8>,
    },
}

/// Changes that are near each other, with the lines around them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hunk {
    /// The number of its first line before, counted from 1; the number of the line before it where it has none there.
    pub old_start: usize,
    /// How many lines it has before.
    pub old_lines: usize,
    /// The number of its first line after, likewise.
    pub new_start: usize,
    /// How many lines it has after.
    pub new_lines: usize,
    /// The last line before it that begins a function, by git's default rule; empty where there is none.
    pub function: Vec<u8>,
    /// Its lines.
    pub lines: Vec<PatchLine>,
}

/// What a line of a hunk is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LineKind {
    /// It stays.
    Context,
    /// It goes.
    Old,
    /// It comes.
    New,
}

/// A line of a hunk.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PatchLine {
    /// What it is.
    pub kind: LineKind,
    /// Its bytes, with the line feed unless the file ends without one.
    pub text: Vec<u8>,
    /// Its number before, counted from 1.
    pub old_number: Option<usize>,
    /// Its number after, counted from 1.
    pub new_number: Option<usize>,
}

impl FilePatch {
    /// How many lines of the file come and go, as [`Diff::counts`](super::Diff::counts) counts them.
    pub fn counts(&self) -> FileCounts {
        let mut counts = FileCounts::of_nothing(&self.file);
        match &self.content {
            PatchContent::Unchanged => (counts.added, counts.deleted) = (Some(0), Some(0)),
            PatchContent::Binary { old, new } => {
                counts.bytes = Some([old, new].map(|bytes| bytes.len() as u64));
            }
            PatchContent::Text(hunks) => {
                let lines =
                    |kind| hunks.iter().flat_map(|hunk| &hunk.lines).filter(move |line| line.kind == kind);
                counts.added = Some(lines(LineKind::New).count());
                counts.deleted = Some(lines(LineKind::Old).count());
            }
        }
        counts
    }
}

impl PatchContent {
    pub(super) fn of_text(old: &[u8], new: &[u8], how: &Comparison, options: &DiffOptions) -> Self {
        let compared = Compared::of(old, new, how);
        let texts = Texts { old, new, compared: &compared };
        let mut functions = Functions { looked_at: None, last: Vec::new() };
        let hunks = compared.hunks(options.context, options.between);
        Self::Text(hunks.iter().map(|hunk| texts.hunk(hunk, &mut functions)).collect())
    }
}

impl Hunk {
    /// The hunks between two texts, as `git diff` shows them with so many lines around each change.
    pub(crate) fn between(old: &[u8], new: &[u8], context: usize) -> Vec<Self> {
        let options = DiffOptions { context, ..DiffOptions::default() };
        match PatchContent::of_text(old, new, &Comparison::default(), &options) {
            PatchContent::Text(hunks) => hunks,
            _ => Vec::new(),
        }
    }
}

struct Texts<'a> {
    old: &'a [u8],
    new: &'a [u8],
    compared: &'a Compared,
}

impl Texts<'_> {
    fn hunk(&self, hunk: &Grouped, functions: &mut Functions) -> Hunk {
        let mut lines = Vec::with_capacity(hunk.old.len() + hunk.new.len());
        let (mut old, mut new) = (hunk.old.start, hunk.new.start);
        for change in &self.compared.changes[hunk.changes.clone()] {
            (old, new) = self.context(&mut lines, (old, new), change.old.start);
            lines.extend(change.old.clone().map(|line| self.line(LineKind::Old, line, 0)));
            lines.extend(change.new.clone().map(|line| self.line(LineKind::New, 0, line)));
            (old, new) = (old.max(change.old.end), new.max(change.new.end));
        }
        self.context(&mut lines, (old, new), hunk.old.end);
        let start = |start: usize, length: usize| if length == 0 { start } else { start + 1 };
        Hunk {
            old_start: start(hunk.old.start, hunk.old.len()),
            old_lines: hunk.old.len(),
            new_start: start(hunk.new.start, hunk.new.len()),
            new_lines: hunk.new.len(),
            function: functions.before(hunk.old.start, self).to_vec(),
            lines,
        }
    }

    /// Adds the lines that stay, up to the line `end` of the old version.
    fn context(&self, lines: &mut Vec<PatchLine>, (old, new): (usize, usize), end: usize) -> (usize, usize) {
        lines.extend((old..end).zip(new..).map(|(old, new)| self.line(LineKind::Context, old, new)));
        (end, new + end - old)
    }

    fn line(&self, kind: LineKind, old: usize, new: usize) -> PatchLine {
        let text = match kind {
            LineKind::New => &self.new[self.compared.new_span(new..new + 1)],
            LineKind::Old | LineKind::Context => self.old_line(old),
        };
        PatchLine {
            kind,
            text: text.to_vec(),
            old_number: (kind != LineKind::New).then_some(old + 1),
            new_number: (kind != LineKind::Old).then_some(new + 1),
        }
    }

    fn old_line(&self, line: usize) -> &[u8] {
        &self.old[self.compared.old_span(line..line + 1)]
    }
}

/// The lines that begin functions, looked for from one hunk up to the one before it.
struct Functions {
    looked_at: Option<usize>,
    last: Vec<u8>,
}

impl Functions {
    /// The last line before the line `start` of the old version that begins a function.
    fn before(&mut self, start: usize, texts: &Texts<'_>) -> &[u8] {
        let unseen = self.looked_at.map_or(0, |line| line + 1)..start;
        let found = unseen.rev().map(|line| texts.old_line(line)).find(|line| begins_function(line));
        if let Some(line) = found {
            let cut = &line[..line.len().min(FUNCTION)];
            self.last = without_space_at_end(cut).to_vec();
        }
        self.looked_at = start.checked_sub(1);
        &self.last
    }
}

fn begins_function(line: &[u8]) -> bool {
    line.first().is_some_and(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'$'))
}
