//! The histogram pairing of lines, as git pairs them: the longest run around the rarest common line
//! first, then what is left on either side of it.
//!
//! The crate below has a histogram diff too, which first cuts off what both ends have in common. git does
//! not, and where lines repeat the two pair differently; a merge that is to equal git's cannot use it.

use gix::diff::blob::Token;

use super::diff::{Flags, Part};
use super::myers::{Effort, Myers};

/// A line that occurs more often than this is no anchor; where all common lines do, Myers decides.
const MOST_OCCURRENCES: u32 = 64;

const NONE: u32 = u32::MAX;

/// Where each line of a part of the old version occurs, reused between parts and files.
#[derive(Default)]
pub(super) struct Histogram {
    /// By token: its first line in the part, and how many there are.
    first: Vec<u32>,
    count: Vec<u32>,
    /// By line of the old version: the next line with the same token.
    next: Vec<u32>,
}

/// A run of equal lines: where it begins in either version, and its length less one, which is how git
/// compares lengths: a first run of a single line is taken for its rarity alone.
#[derive(Clone, Copy)]
struct Anchor {
    old: usize,
    new: usize,
    length: usize,
}

enum Found {
    /// Pair these lines and go on around them.
    Anchor(Anchor),
    /// The parts have no line in common.
    NothingInCommon,
    /// They have, and every common line is too frequent.
    TooFrequent,
}

impl Histogram {
    pub(super) fn mark(
        &mut self,
        (old, new): (&[Token], &[Token]),
        kinds: u32,
        (myers, fallback): (&mut Myers, Effort),
        flags: &mut Flags,
    ) {
        self.first.clear();
        self.first.resize(kinds as usize, NONE);
        self.count.clear();
        self.count.resize(kinds as usize, 0);
        self.next.resize(old.len().max(self.next.len()), NONE);
        // The part after an anchor is taken up first in git as well; the order does not matter to the result.
        let mut parts = vec![Part::whole(old, new)];
        while let Some(part) = parts.pop() {
            if part.is_empty_on_a_side() {
                flags.mark(part);
                continue;
            }
            match self.anchor(old, new, part) {
                Found::Anchor(anchor) => {
                    parts.push(Part { old: (part.old.0, anchor.old), new: (part.new.0, anchor.new) });
                    parts.push(Part {
                        old: (anchor.old + anchor.length, part.old.1),
                        new: (anchor.new + anchor.length, part.new.1),
                    });
                }
                Found::NothingInCommon => flags.mark(part),
                Found::TooFrequent => flags.mark_by(myers, part, (old, new), kinds, fallback),
            }
        }
    }

    fn anchor(&mut self, old: &[Token], new: &[Token], part: Part) -> Found {
        for line in (part.old.0..part.old.1).rev() {
            let token = old[line].0 as usize;
            self.next[line] = self.first[token];
            self.first[token] = line as u32;
            self.count[token] += 1;
        }
        let found = self.search(old, new, part);
        for token in &old[part.old.0..part.old.1] {
            self.first[token.0 as usize] = NONE;
            self.count[token.0 as usize] = 0;
        }
        found
    }

    fn search(&self, old: &[Token], new: &[Token], part: Part) -> Found {
        let mut best: Option<Anchor> = None;
        let mut rarest = MOST_OCCURRENCES + 1;
        let mut common = false;
        let mut line = part.new.0;
        while line < part.new.1 {
            let token = new[line].0 as usize;
            let occurrences = self.count[token];
            let mut behind = line + 1;
            common |= occurrences > 0;
            let mut at = if occurrences > rarest { NONE } else { self.first[token] };
            while at != NONE {
                let (anchor, rarity) = self.extend(old, new, part, at as usize, line, occurrences);
                let old_end = anchor.old + anchor.length;
                behind = behind.max(anchor.new + anchor.length);
                let longest = best.map_or(1, |best| best.length);
                if anchor.length > longest || rarity < rarest {
                    best = Some(anchor);
                    rarest = rarity;
                }
                // Occurrences inside the run just found would only find it again.
                at = self.next[at as usize];
                while at != NONE && (at as usize) < old_end {
                    at = self.next[at as usize];
                }
            }
            line = behind;
        }
        match best {
            _ if common && rarest > MOST_OCCURRENCES => Found::TooFrequent,
            Some(anchor) => Found::Anchor(anchor),
            None => Found::NothingInCommon,
        }
    }

    /// The longest run of equal lines around a pair of equal lines, and the occurrences of its rarest line.
    fn extend(
        &self,
        old: &[Token],
        new: &[Token],
        part: Part,
        old_line: usize,
        new_line: usize,
        occurrences: u32,
    ) -> (Anchor, u32) {
        let (mut old_start, mut new_start) = (old_line, new_line);
        let mut rarity = occurrences;
        while old_start > part.old.0 && new_start > part.new.0 && old[old_start - 1] == new[new_start - 1] {
            old_start -= 1;
            new_start -= 1;
            rarity = rarity.min(self.count[old[old_start].0 as usize]);
        }
        let (mut old_end, mut new_end) = (old_line + 1, new_line + 1);
        while old_end < part.old.1 && new_end < part.new.1 && old[old_end] == new[new_end] {
            rarity = rarity.min(self.count[old[old_end].0 as usize]);
            old_end += 1;
            new_end += 1;
        }
        (Anchor { old: old_start, new: new_start, length: old_end - old_start }, rarity)
    }
}
