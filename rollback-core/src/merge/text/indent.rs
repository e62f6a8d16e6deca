//! Where a run of lines that could lie in several places reads best: git's indent heuristic, with which it shows
//! differences, and without which it merges.
//!
//! A place for the run makes two cuts in the text, before and behind it. Each cut is rated by the indentation of the
//! lines around it and by the blank lines between them; the place with the lowest sum is taken, of equal ones the last.
//!
//! The crate below has this heuristic too, and differs from git's in three places: a line that is indented less, with only
//! blank ones behind it, costs 24 where git has 23; 20 blank lines up to an end of the file count as blank where git takes
//! what follows for text without indentation; and form feeds are blank where git takes them for text. Nor does it pair runs
//! again that meet while they are placed, as git does since 2.54.

use gix::diff::blob::Token;

use crate::content::is_space;

/// How far a line is indented, in columns; `None` for a blank one.
pub(super) type Indent = Option<i32>;

/// Deeper than this is as deep as this.
const DEEPEST: i32 = 200;
/// More blank lines than this are not counted.
const MOST_BLANKS: i32 = 20;
/// A run is moved up by this many lines at most.
const FURTHEST: usize = 100;

const AT_START: i32 = 1;
const AT_END: i32 = 21;
const BLANK: i32 = -30;
const BLANK_BEHIND: i32 = 6;
/// What a line costs that is indented more than the one before it, without blank lines between them and with.
const MORE: [i32; 2] = [-4, 10];
/// One that is indented less, where the line after it is indented more: the head of a block.
const LESS_BEFORE_MORE: [i32; 2] = [24, 17];
const LESS: [i32; 2] = [23, 17];
/// What a shallower cut is worth.
const SHALLOWER: i32 = 60;

/// The indentation of a line; a tab goes on to the next multiple of 8.
pub(super) fn indent_of(line: &[u8]) -> Indent {
    let mut columns = 0;
    for byte in line {
        match byte {
            b' ' => columns += 1,
            b'\t' => columns += 8 - columns % 8,
            byte if is_space(*byte) => {}
            _ => return Some(columns),
        }
        if columns >= DEEPEST {
            return Some(DEEPEST);
        }
    }
    None
}

/// The best end for a run of `length` lines that may end anywhere from `highest` to `lowest`.
pub(super) fn best_end(
    tokens: &[Token],
    indents: &[Indent],
    length: usize,
    highest: usize,
    lowest: usize,
) -> usize {
    let first = highest.max((lowest - length).saturating_sub(1)).max(lowest.saturating_sub(FURTHEST));
    let lines = Lines { tokens, indents };
    let mut best: Option<(usize, Score)> = None;
    for end in first..=lowest {
        let score = lines.cut(end).score(lines.cut(end - length).score(Score::default()));
        if best.is_none_or(|(_, known)| !score.is_worse_than(known)) {
            best = Some((end, score));
        }
    }
    best.map_or(lowest, |(end, _)| end)
}

/// How bad a place is.
#[derive(Clone, Copy, Default)]
struct Score {
    indent: i32,
    penalty: i32,
}

impl Score {
    fn is_worse_than(self, other: Self) -> bool {
        SHALLOWER * (self.indent - other.indent).signum() + (self.penalty - other.penalty) > 0
    }
}

struct Lines<'a> {
    tokens: &'a [Token],
    /// By token.
    indents: &'a [Indent],
}

/// What stands around the place before a line.
struct Cut {
    at_end: bool,
    indent: Indent,
    before: Indent,
    blanks_before: i32,
    behind: Indent,
    blanks_behind: i32,
}

impl Lines<'_> {
    fn cut(&self, line: usize) -> Cut {
        let at_end = line >= self.tokens.len();
        let (before, blanks_before) = self.next_text(self.tokens[..line].iter().rev());
        let (behind, blanks_behind) = match at_end {
            true => (None, 0),
            false => self.next_text(self.tokens[line + 1..].iter()),
        };
        let indent = if at_end { None } else { self.indents[self.tokens[line].0 as usize] };
        Cut { at_end, indent, before, blanks_before, behind, blanks_behind }
    }

    /// The indentation of the first line that is not blank, and how many blank ones come before it.
    fn next_text<'t>(&self, tokens: impl Iterator<Item = &'t Token>) -> (Indent, i32) {
        let mut blanks = 0;
        for token in tokens {
            let indent = self.indents[token.0 as usize];
            if indent.is_some() {
                return (indent, blanks);
            }
            blanks += 1;
            if blanks == MOST_BLANKS {
                return (Some(0), blanks);
            }
        }
        (None, blanks)
    }
}

impl Cut {
    /// `score` and what this cut adds to it.
    fn score(&self, mut score: Score) -> Score {
        if self.before.is_none() && self.blanks_before == 0 {
            score.penalty += AT_START;
        }
        if self.at_end {
            score.penalty += AT_END;
        }
        let blanks_behind = if self.indent.is_none() { 1 + self.blanks_behind } else { 0 };
        let blanks = self.blanks_before + blanks_behind;
        score.penalty += BLANK * blanks + BLANK_BEHIND * blanks_behind;
        let indent = self.indent.or(self.behind);
        score.indent += indent.unwrap_or(-1);
        let (Some(indent), Some(before)) = (indent, self.before) else { return score };
        let with_blanks = usize::from(blanks != 0);
        if indent > before {
            score.penalty += MORE[with_blanks];
        } else if indent < before && self.behind.is_some_and(|behind| behind > indent) {
            score.penalty += LESS_BEFORE_MORE[with_blanks];
        } else if indent < before {
            score.penalty += LESS[with_blanks];
        }
        score
    }
}
