//! The classic pairing of lines, which `git diff` uses unless it is told otherwise: Myers' algorithm in linear space,
//! with the shortcuts of xdiff. Which lines are left out before the search, when a search is cut short and where it is
//! divided decide which of several shortest (or nearly shortest) answers comes out, so all of it is as in xdiff.
//!
//! The crate below has this search too, with the same limits, and differs where it is cut short after a long run of equal
//! lines: it adds the distance from the middle to the worth of a diagonal where git takes it away, measures that distance
//! from another middle on the way back, and has other bounds. Without shortcuts it leaves no frequent lines out, which git
//! does up to 2.49. A patch that is to equal git's cannot use it.

use std::ops::Range;

use gix::diff::blob::Token;

use super::diff::Part;

/// A line with at least this many partners is frequent, however long the file is.
const MOST_PARTNERS: usize = 1024;
/// How far around a frequent line its neighbours are looked at.
const NEIGHBOURHOOD: usize = 100;
/// By how much lines without a partner have to outweigh frequent ones around a line that is to be left out.
const OUTWEIGHT: usize = 4;
/// A search over more edits than this may be cut short.
const LEAST_COST: i64 = 256;
/// So many equal lines in a row are worth dividing at.
const LONG_SNAKE: i64 = 20;
/// How far beyond the cost so far a diagonal has to have come to be worth dividing at.
const AHEAD: i64 = 4;
/// Beyond every line, and far from the end of the numbers.
const NOWHERE: i64 = i64::MAX / 4;

/// What is left out for the sake of speed.
#[derive(Clone, Copy, Default)]
pub(super) struct Effort {
    /// Whether the search may not be cut short.
    pub(super) minimal: bool,
    /// Whether frequent lines take part in the search wherever they stand.
    pub(super) keeps_frequent: bool,
}

/// How often each token occurs, reused between parts and files: all zero between two searches.
#[derive(Default)]
pub(super) struct Myers {
    in_old: Vec<u32>,
    in_new: Vec<u32>,
}

impl Myers {
    /// Marks the lines of `old` and `new` that have no partner; `kinds` is the number of different tokens.
    pub(super) fn mark(
        &mut self,
        (old, new): (&[Token], &[Token]),
        kinds: u32,
        effort: Effort,
        (old_marks, new_marks): (&mut [bool], &mut [bool]),
    ) {
        let head = old.iter().zip(new).take_while(|(old, new)| old == new).count();
        let pairs = old[head..].iter().rev().zip(new[head..].iter().rev());
        let tail = pairs.take_while(|(old, new)| old == new).count();
        let (old_range, new_range) = (head..old.len() - tail, head..new.len() - tail);
        if old_range.is_empty() || new_range.is_empty() {
            old_marks[old_range].fill(true);
            new_marks[new_range].fill(true);
            return;
        }
        self.count((old, new), kinds);
        let kept = |tokens: &[Token], range: Range<usize>, in_other: &[u32], marks: &mut [bool]| {
            let frequent = match effort.keeps_frequent {
                true => usize::MAX,
                false => about_root(tokens.len()).min(MOST_PARTNERS),
            };
            kept(tokens, range, (in_other, frequent), marks)
        };
        let old_kept = kept(old, old_range, &self.in_new, old_marks);
        let new_kept = kept(new, new_range, &self.in_old, new_marks);
        self.forget((old, new));
        search((old, &old_kept), (new, &new_kept), effort.minimal, (old_marks, new_marks));
    }

    fn count(&mut self, (old, new): (&[Token], &[Token]), kinds: u32) {
        for (counts, tokens) in [(&mut self.in_old, old), (&mut self.in_new, new)] {
            counts.resize(counts.len().max(kinds as usize), 0);
            for token in tokens {
                counts[token.0 as usize] += 1;
            }
        }
    }

    /// Takes back what was counted: the tokens of a part are few where parts are many.
    fn forget(&mut self, (old, new): (&[Token], &[Token])) {
        for (counts, tokens) in [(&mut self.in_old, old), (&mut self.in_new, new)] {
            for token in tokens {
                counts[token.0 as usize] = 0;
            }
        }
    }
}

/// Pairs the lines that were kept, and marks those that have no partner.
fn search(
    (old, old_kept): (&[Token], &[usize]),
    (new, new_kept): (&[Token], &[usize]),
    minimal: bool,
    (old_marks, new_marks): (&mut [bool], &mut [bool]),
) {
    let of = |tokens: &[Token], kept: &[usize]| kept.iter().map(|line| tokens[*line].0).collect::<Vec<_>>();
    let (old_kinds, new_kinds) = (of(old, old_kept), of(new, new_kept));
    let diagonals = old_kept.len() + new_kept.len() + 3;
    let mut search = Search {
        old: &old_kinds,
        new: &new_kinds,
        forward: vec![0; diagonals + 1],
        backward: vec![0; diagonals + 1],
        origin: new_kept.len() as i64 + 1,
        most_cost: (about_root(diagonals) as i64).max(LEAST_COST),
    };
    let whole = Part { old: (0, old_kinds.len() as i64), new: (0, new_kinds.len() as i64) };
    let mut open = vec![(whole, minimal)];
    while let Some((part, minimal)) = open.pop() {
        let part = search.shrunk(part);
        if part.old.0 == part.old.1 {
            mark_all(new_kept, part.new, new_marks);
        } else if part.new.0 == part.new.1 {
            mark_all(old_kept, part.old, old_marks);
        } else {
            open.extend(search.divide(part, minimal));
        }
    }
}

fn mark_all(kept: &[usize], range: (i64, i64), marks: &mut [bool]) {
    for line in &kept[range.0 as usize..range.1 as usize] {
        marks[*line] = true;
    }
}

/// The root of a number, roughly, from above.
fn about_root(mut number: usize) -> usize {
    let mut root = 1;
    while number > 0 {
        root <<= 1;
        number >>= 2;
    }
    root
}

/// How often a line occurs in the other version.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Partners {
    None,
    Some,
    Many,
}

/// The lines of a range that take part in the search. Those without a partner, and frequent ones among such, are marked.
fn kept(
    tokens: &[Token],
    range: Range<usize>,
    (in_other, frequent): (&[u32], usize),
    marks: &mut [bool],
) -> Vec<usize> {
    let partners: Vec<Partners> = tokens[range.clone()]
        .iter()
        .map(|token| match in_other[token.0 as usize] as usize {
            0 => Partners::None,
            many if many >= frequent => Partners::Many,
            _ => Partners::Some,
        })
        .collect();
    let mut kept = Vec::with_capacity(range.len());
    for (nth, found) in partners.iter().enumerate() {
        let left_out = match found {
            Partners::None => true,
            Partners::Some => false,
            Partners::Many => stands_among_lone_lines(&partners, nth),
        };
        if left_out {
            marks[range.start + nth] = true;
        } else {
            kept.push(range.start + nth);
        }
    }
    kept
}

/// Whether a frequent line stands in a run of lines most of which have no partner.
fn stands_among_lone_lines(partners: &[Partners], nth: usize) -> bool {
    fn count<'p>(run: impl Iterator<Item = &'p Partners>) -> (usize, usize) {
        run.take(NEIGHBOURHOOD).take_while(|found| **found != Partners::Some).fold(
            (0, 0),
            |(lone, many), found| {
                if *found == Partners::None { (lone + 1, many) } else { (lone, many + 1) }
            },
        )
    }
    let (lone_before, many_before) = count(partners[..nth].iter().rev());
    if lone_before == 0 {
        return false;
    }
    let (lone_behind, many_behind) = count(partners[nth + 1..].iter());
    if lone_behind == 0 {
        return false;
    }
    // The line itself counts once on either side.
    let (lone, many) = (lone_before + lone_behind, many_before + many_behind + 2);
    many * OUTWEIGHT < many + lone
}

/// Where a part is divided, and whether the search in each half may not be cut short.
struct Split {
    old: i64,
    new: i64,
    before_minimal: bool,
    behind_minimal: bool,
}

struct Search<'a> {
    old: &'a [u32],
    new: &'a [u32],
    /// By diagonal (`old` less `new`, plus `origin`): how far in `old` a path has come from the beginning, from the end.
    forward: Vec<i64>,
    backward: Vec<i64>,
    origin: i64,
    most_cost: i64,
}

/// The diagonals that a path may be on, and those at which one of the two searches has arrived.
struct Band {
    lowest: i64,
    highest: i64,
    middle: i64,
    low: i64,
    high: i64,
}

impl Band {
    fn new(part: Part<i64>, middle: i64) -> Self {
        Self {
            lowest: part.old.0 - part.new.1,
            highest: part.old.1 - part.new.0,
            middle,
            low: middle,
            high: middle,
        }
    }

    /// Grows by a diagonal to both sides, whose neighbours are set to `unreached`; at the border it shrinks.
    fn grow(&mut self, reached: &mut [i64], origin: i64, unreached: i64) {
        if self.low > self.lowest {
            self.low -= 1;
            reached[(self.low - 1 + origin) as usize] = unreached;
        } else {
            self.low += 1;
        }
        if self.high < self.highest {
            self.high += 1;
            reached[(self.high + 1 + origin) as usize] = unreached;
        } else {
            self.high -= 1;
        }
    }

    /// Every second diagonal from the highest down.
    fn diagonals(&self) -> impl Iterator<Item = i64> + use<> {
        let (low, high) = (self.low, self.high);
        (0..).map(move |nth| high - 2 * nth).take_while(move |diagonal| *diagonal >= low)
    }

    fn has(&self, diagonal: i64) -> bool {
        (self.low..=self.high).contains(&diagonal)
    }
}

impl Search<'_> {
    fn same(&self, old: i64, new: i64) -> bool {
        self.old[old as usize] == self.new[new as usize]
    }

    /// The part without the equal lines that it begins and ends with.
    fn shrunk(&self, mut part: Part<i64>) -> Part<i64> {
        let is_open = |part: &Part<i64>| part.old.0 < part.old.1 && part.new.0 < part.new.1;
        while is_open(&part) && self.same(part.old.0, part.new.0) {
            part.old.0 += 1;
            part.new.0 += 1;
        }
        while is_open(&part) && self.same(part.old.1 - 1, part.new.1 - 1) {
            part.old.1 -= 1;
            part.new.1 -= 1;
        }
        part
    }

    /// Both halves, each with whether the search in it may not be cut short.
    fn divide(&mut self, part: Part<i64>, minimal: bool) -> [(Part<i64>, bool); 2] {
        let split = self.split(part, minimal);
        let before = Part { old: (part.old.0, split.old), new: (part.new.0, split.new) };
        let behind = Part { old: (split.old, part.old.1), new: (split.new, part.new.1) };
        [(before, split.before_minimal), (behind, split.behind_minimal)]
    }

    /// A point that a shortest path goes through, or, where that takes too long, a promising one.
    fn split(&mut self, part: Part<i64>, minimal: bool) -> Split {
        let mut ahead = Band::new(part, part.old.0 - part.new.0);
        let mut behind = Band::new(part, part.old.1 - part.new.1);
        let odd = (ahead.middle - behind.middle) & 1 != 0;
        self.forward[(ahead.middle + self.origin) as usize] = part.old.0;
        self.backward[(behind.middle + self.origin) as usize] = part.old.1;
        let mut cost = 1;
        loop {
            let mut snake = false;
            ahead.grow(&mut self.forward, self.origin, -1);
            for diagonal in ahead.diagonals() {
                let (at, long) = self.advance(part, diagonal);
                snake |= long;
                if odd && behind.has(diagonal) && self.backward[(diagonal + self.origin) as usize] <= at {
                    return Split::met(at, diagonal);
                }
            }
            behind.grow(&mut self.backward, self.origin, NOWHERE);
            for diagonal in behind.diagonals() {
                let (at, long) = self.retreat(part, diagonal);
                snake |= long;
                if !odd && ahead.has(diagonal) && at <= self.forward[(diagonal + self.origin) as usize] {
                    return Split::met(at, diagonal);
                }
            }
            if !minimal {
                if snake && cost > LEAST_COST {
                    let found = self.good_forward(part, &ahead, cost);
                    if let Some(split) = found.or_else(|| self.good_backward(part, &behind, cost)) {
                        return split;
                    }
                }
                if cost >= self.most_cost {
                    return self.furthest(part, &ahead, &behind);
                }
            }
            cost += 1;
        }
    }

    /// Takes the path from the beginning one edit further on a diagonal; tells whether many equal lines followed.
    fn advance(&mut self, part: Part<i64>, diagonal: i64) -> (i64, bool) {
        let here = (diagonal + self.origin) as usize;
        let start = match (self.forward[here - 1], self.forward[here + 1]) {
            (below, above) if below >= above => below + 1,
            (_, above) => above,
        };
        let mut at = start;
        while at < part.old.1 && at - diagonal < part.new.1 && self.same(at, at - diagonal) {
            at += 1;
        }
        self.forward[here] = at;
        (at, at - start > LONG_SNAKE)
    }

    /// The same for the path from the end.
    fn retreat(&mut self, part: Part<i64>, diagonal: i64) -> (i64, bool) {
        let here = (diagonal + self.origin) as usize;
        let start = match (self.backward[here - 1], self.backward[here + 1]) {
            (below, above) if below < above => below,
            (_, above) => above - 1,
        };
        let mut at = start;
        while at > part.old.0 && at - diagonal > part.new.0 && self.same(at - 1, at - diagonal - 1) {
            at -= 1;
        }
        self.backward[here] = at;
        (at, start - at > LONG_SNAKE)
    }

    /// The end of the path from the beginning that is far ahead of its cost and has just gone through equal lines.
    fn good_forward(&self, part: Part<i64>, band: &Band, cost: i64) -> Option<Split> {
        let mut best = (0, None);
        for diagonal in band.diagonals() {
            let old = self.forward[(diagonal + self.origin) as usize];
            let new = old - diagonal;
            let value = (old - part.old.0) + (new - part.new.0) - (diagonal - band.middle).abs();
            let inside = part.old.0 + LONG_SNAKE <= old
                && old < part.old.1
                && part.new.0 + LONG_SNAKE <= new
                && new < part.new.1;
            if value > AHEAD * cost
                && value > best.0
                && inside
                && (1..=LONG_SNAKE).all(|back| self.same(old - back, new - back))
            {
                best = (value, Some((old, new)));
            }
        }
        best.1.map(|(old, new)| Split { old, new, before_minimal: true, behind_minimal: false })
    }

    fn good_backward(&self, part: Part<i64>, band: &Band, cost: i64) -> Option<Split> {
        let mut best = (0, None);
        for diagonal in band.diagonals() {
            let old = self.backward[(diagonal + self.origin) as usize];
            let new = old - diagonal;
            let value = (part.old.1 - old) + (part.new.1 - new) - (diagonal - band.middle).abs();
            let inside = part.old.0 < old
                && old <= part.old.1 - LONG_SNAKE
                && part.new.0 < new
                && new <= part.new.1 - LONG_SNAKE;
            if value > AHEAD * cost
                && value > best.0
                && inside
                && (0..LONG_SNAKE).all(|on| self.same(old + on, new + on))
            {
                best = (value, Some((old, new)));
            }
        }
        best.1.map(|(old, new)| Split { old, new, before_minimal: false, behind_minimal: true })
    }

    /// The point that one of the two searches has come furthest to.
    fn furthest(&self, part: Part<i64>, ahead: &Band, behind: &Band) -> Split {
        let (mut most, mut most_old) = (-1, -1);
        for diagonal in ahead.diagonals() {
            let mut old = self.forward[(diagonal + self.origin) as usize].min(part.old.1);
            let mut new = old - diagonal;
            if part.new.1 < new {
                (old, new) = (part.new.1 + diagonal, part.new.1);
            }
            if most < old + new {
                (most, most_old) = (old + new, old);
            }
        }
        let (mut least, mut least_old) = (NOWHERE, NOWHERE);
        for diagonal in behind.diagonals() {
            let mut old = self.backward[(diagonal + self.origin) as usize].max(part.old.0);
            let mut new = old - diagonal;
            if new < part.new.0 {
                (old, new) = (part.new.0 + diagonal, part.new.0);
            }
            if old + new < least {
                (least, least_old) = (old + new, old);
            }
        }
        if (part.old.1 + part.new.1) - least < most - (part.old.0 + part.new.0) {
            Split { old: most_old, new: most - most_old, before_minimal: true, behind_minimal: false }
        } else {
            Split { old: least_old, new: least - least_old, before_minimal: false, behind_minimal: true }
        }
    }
}

impl Split {
    /// Where the two searches meet.
    fn met(old: i64, diagonal: i64) -> Self {
        Self { old, new: old - diagonal, before_minimal: true, behind_minimal: true }
    }
}
