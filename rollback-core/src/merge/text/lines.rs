//! Lines as numbers: equal lines of the three versions get the same token, so that everything after
//! this compares integers. What counts as equal is decided here and nowhere else.

use std::ops::Range;

use bstr::ByteSlice;
use gix::diff::blob::Token;

use super::Whitespace;
use super::indent::{Indent, indent_of};
use crate::content::{is_space, without_space_at_end};
use crate::merge::hash::Seed;
use crate::merge::tree::common_prefix;

/// One version of a file: where its lines are, and which token each of them is.
#[derive(Default)]
pub(super) struct Version {
    /// Where each line ends, newline included; the first starts at 0.
    ends: Vec<u32>,
    pub(super) tokens: Vec<Token>,
}

impl Version {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The bytes that `lines` cover.
    pub(super) fn span(&self, lines: Range<usize>) -> Range<usize> {
        let start = |line: usize| {
            if line == 0 { 0 } else { self.ends[line - 1] as usize }
        };
        start(lines.start)..start(lines.end)
    }

    fn clear(&mut self) {
        self.ends.clear();
        self.tokens.clear();
    }

    /// Appends where the lines of `bytes[from..to]` end.
    fn split(&mut self, bytes: &[u8], from: usize, to: usize) {
        let mut at = from;
        while at < to {
            at = bytes[at..to].find_byte(b'\n').map_or(to, |newline| at + newline + 1);
            self.ends.push(at as u32);
        }
    }

    /// How many lines, from the first on, `other` has as well; its bytes and ours are given.
    fn shared_head(&self, bytes: &[u8], other: &[u8]) -> usize {
        let same = common_prefix(bytes, other);
        let lines = self.ends.partition_point(|end| *end as usize <= same);
        // The last line may go on in the other version.
        let open = lines > 0 && lines == self.len() && !bytes.ends_with(b"\n") && other.len() > bytes.len();
        lines - usize::from(open)
    }

    /// How many lines, from the last on, `other` has as well, behind the first `head` lines of both.
    fn shared_tail(&self, bytes: &[u8], other: &[u8], head: usize) -> usize {
        let begin = self.span(0..head).end;
        let same = common_suffix(&bytes[begin..], &other[begin..]);
        let first = bytes.len() - same;
        let mut line = head + self.ends[head..].partition_point(|end| (*end as usize) < first);
        // A line whose first byte is shared is shared if it begins a line there too.
        while line < self.len() {
            let start = self.span(line..line + 1).start;
            let there = (other.len() + start).checked_sub(bytes.len());
            let begins =
                there.is_some_and(|there| there == begin || there > begin && other[there - 1] == b'\n');
            if start >= first && begins {
                break;
            }
            line += 1;
        }
        self.len() - line
    }
}

/// The three versions of a file, and the table of their lines. It is emptied, not freed, between files.
#[derive(Default)]
pub(super) struct Lines {
    pub(super) base: Version,
    pub(super) ours: Version,
    pub(super) theirs: Version,
    table: Table,
    normalized: [Vec<u8>; 3],
}

impl Lines {
    pub(super) fn load(&mut self, bytes: [&[u8]; 3], whitespace: Whitespace) {
        if whitespace.is_exact() {
            self.load_exactly(bytes);
            return;
        }
        let mut versions = [&mut self.base, &mut self.ours, &mut self.theirs];
        for (version, bytes) in versions.iter_mut().zip(bytes) {
            version.clear();
            version.split(bytes, 0, bytes.len());
        }
        self.table.clear(versions.iter().map(|version| version.ends.len()).sum());
        let mut ends: [Vec<u32>; 3] = Default::default();
        for (source, version) in versions.iter().enumerate() {
            self.normalized[source].clear();
            let mut start = 0;
            for end in &version.ends {
                whitespace.normalize(&bytes[source][start..*end as usize], &mut self.normalized[source]);
                ends[source].push(self.normalized[source].len() as u32);
                start = *end as usize;
            }
        }
        let [base, ours, theirs] = &self.normalized;
        let bytes = [base.as_slice(), ours, theirs];
        for (source, version) in versions.iter_mut().enumerate() {
            let mut start = 0;
            for end in &ends[source] {
                version.tokens.push(self.table.intern(&bytes, source, start..*end));
                start = *end;
            }
        }
    }

    /// Loads versions whose lines are equal where their bytes are: most lines of a side are the base's, and are
    /// not looked at again.
    fn load_exactly(&mut self, bytes: [&[u8]; 3]) {
        let base = &mut self.base;
        base.clear();
        base.split(bytes[0], 0, bytes[0].len());
        self.table.clear(base.len());
        intern_from(0, 0, base, &mut self.table, &bytes);
        for (source, side) in [(1, &mut self.ours), (2, &mut self.theirs)] {
            side.clear();
            let head = base.shared_head(bytes[0], bytes[source]);
            let tail = base.len() - base.shared_tail(bytes[0], bytes[source], head);
            side.ends.extend_from_slice(&base.ends[..head]);
            side.tokens.extend_from_slice(&base.tokens[..head]);
            let shift = bytes[source].len() as i64 - bytes[0].len() as i64;
            let shifted = |end: usize| (end as i64 + shift) as usize;
            side.split(bytes[source], base.span(0..head).end, shifted(base.span(0..tail).end));
            intern_from(head, source, side, &mut self.table, &bytes);
            side.ends.extend(base.ends[tail..].iter().map(|end| shifted(*end as usize) as u32));
            side.tokens.extend_from_slice(&base.tokens[tail..]);
        }
    }

    /// How far the lines are indented, by token; `bytes` are those that were loaded.
    pub(super) fn indents(&self, bytes: &[&[u8]; 3]) -> Vec<Indent> {
        let text = |line: &Line| &bytes[line.source as usize][line.start as usize..line.end as usize];
        self.table.lines.iter().map(|line| indent_of(text(line))).collect()
    }

    /// How many different lines there are.
    pub(super) fn kinds(&self) -> u32 {
        self.table.lines.len() as u32
    }
}

/// Gives the lines of a version from `line` on their tokens.
fn intern_from(line: usize, source: usize, version: &mut Version, table: &mut Table, bytes: &[&[u8]; 3]) {
    let mut start = version.span(0..line).end as u32;
    for end in &version.ends[line..] {
        version.tokens.push(table.intern(bytes, source, start..*end));
        start = *end;
    }
}

fn common_suffix(a: &[u8], b: &[u8]) -> usize {
    const STEP: usize = 64;
    let shared = a.len().min(b.len());
    let (a, b) = (&a[a.len() - shared..], &b[b.len() - shared..]);
    let mut left = shared;
    while left >= STEP && a[left - STEP..left] == b[left - STEP..left] {
        left -= STEP;
    }
    let rest = a[..left].iter().rev().zip(b[..left].iter().rev()).take_while(|(a, b)| a == b).count();
    shared - left + rest
}

/// An open-addressing table from line to token. It points into the files and owns no bytes.
#[derive(Default)]
struct Table {
    /// Token plus one; 0 is an empty slot.
    slots: Vec<u32>,
    lines: Vec<Line>,
    seed: Seed,
}

struct Line {
    hash: u64,
    source: u8,
    start: u32,
    end: u32,
}

impl Table {
    fn clear(&mut self, lines: usize) {
        let wanted = (lines * 2).next_power_of_two().max(64);
        self.slots.clear();
        self.slots.resize(wanted, 0);
        self.lines.clear();
    }

    fn intern(&mut self, sources: &[&[u8]; 3], source: usize, line: Range<u32>) -> Token {
        let bytes = &sources[source][line.start as usize..line.end as usize];
        let hash = self.seed.of(bytes);
        let mask = self.slots.len() - 1;
        let mut slot = (hash >> 32) as usize & mask;
        loop {
            match self.slots[slot] {
                0 => break,
                token => {
                    let known = &self.lines[token as usize - 1];
                    if known.hash == hash
                        && sources[known.source as usize][known.start as usize..known.end as usize] == *bytes
                    {
                        return Token(token - 1);
                    }
                }
            }
            slot = (slot + 1) & mask;
        }
        if self.lines.len() * 2 >= self.slots.len() {
            self.grow();
            return self.intern(sources, source, line);
        }
        self.lines.push(Line { hash, source: source as u8, start: line.start, end: line.end });
        self.slots[slot] = self.lines.len() as u32;
        Token(self.lines.len() as u32 - 1)
    }

    fn grow(&mut self) {
        let wanted = self.slots.len() * 2;
        self.slots.clear();
        self.slots.resize(wanted, 0);
        for (token, line) in self.lines.iter().enumerate() {
            let mut slot = (line.hash >> 32) as usize & (wanted - 1);
            while self.slots[slot] != 0 {
                slot = (slot + 1) & (wanted - 1);
            }
            self.slots[slot] = token as u32 + 1;
        }
    }
}

impl Whitespace {
    fn is_exact(self) -> bool {
        self == Self::default()
    }

    /// Appends `line` in a spelling that is the same for all lines that count as equal.
    fn normalize(self, line: &[u8], to: &mut Vec<u8>) {
        let space = |byte: &u8| is_space(*byte);
        if self.ignore_all {
            to.extend(line.iter().filter(|byte| !space(byte)));
        } else if self.ignore_change {
            let mut in_space = false;
            for byte in without_space_at_end(line) {
                if !space(byte) {
                    to.push(*byte);
                } else if !in_space {
                    to.push(b' ');
                }
                in_space = space(byte);
            }
        } else if self.ignore_at_eol {
            to.extend_from_slice(without_space_at_end(line));
        } else if self.ignore_cr_at_eol {
            let complete = line.strip_suffix(b"\n");
            let text = complete.map_or(line, |text| text.strip_suffix(b"\r").unwrap_or(text));
            to.extend_from_slice(text);
        } else {
            to.extend_from_slice(line);
        }
    }
}
