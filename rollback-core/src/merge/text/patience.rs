//! The patience pairing of lines, for repositories that set `diff.algorithm=patience`: lines that occur
//! exactly once on either side are the anchors, in the longest sequence that keeps their order.

use gix::diff::blob::Token;

use super::diff::{Flags, Part};
use super::myers::{Effort, Myers};

/// A line that occurs once in either version.
#[derive(Clone, Copy)]
struct Pair {
    old: usize,
    new: usize,
}

pub(super) fn mark((old, new): (&[Token], &[Token]), kinds: u32, myers: &mut Myers, flags: &mut Flags) {
    let mut search = Search { old, new, kinds, myers, seen: vec![Seen::default(); kinds as usize] };
    let mut parts = vec![Part::whole(old, new)];
    while let Some(part) = parts.pop() {
        search.pair(part, &mut parts, flags);
    }
}

/// How often a token was seen in the part at hand, and where.
#[derive(Clone, Copy, Default)]
struct Seen {
    in_old: u32,
    in_new: u32,
    new_line: usize,
}

struct Search<'a> {
    old: &'a [Token],
    new: &'a [Token],
    kinds: u32,
    myers: &'a mut Myers,
    seen: Vec<Seen>,
}

impl Search<'_> {
    fn pair(&mut self, part: Part, parts: &mut Vec<Part>, flags: &mut Flags) {
        if part.is_empty_on_a_side() {
            return flags.mark(part);
        }
        let (anchors, common) = self.anchors(part);
        if !common {
            flags.mark(part);
        } else if anchors.is_empty() {
            flags.mark_by(self.myers, part, (self.old, self.new), self.kinds, Effort::default());
        } else {
            self.split(part, &anchors, parts);
        }
    }

    /// The lines to pair first, and whether the parts have any line in common.
    fn anchors(&mut self, part: Part) -> (Vec<Pair>, bool) {
        for token in &self.old[part.old.0..part.old.1] {
            self.seen[token.0 as usize].in_old += 1;
        }
        let mut common = false;
        for line in part.new.0..part.new.1 {
            let seen = &mut self.seen[self.new[line].0 as usize];
            common |= seen.in_old > 0;
            seen.in_new += 1;
            seen.new_line = line;
        }
        let unique: Vec<Pair> = (part.old.0..part.old.1)
            .filter_map(|line| {
                let seen = self.seen[self.old[line].0 as usize];
                (seen.in_old == 1 && seen.in_new == 1).then_some(Pair { old: line, new: seen.new_line })
            })
            .collect();
        for token in self.old[part.old.0..part.old.1].iter().chain(&self.new[part.new.0..part.new.1]) {
            self.seen[token.0 as usize] = Seen::default();
        }
        (longest_ascending(&unique), common)
    }

    /// Queues what is left between the anchors, after these have grown over their equal neighbours.
    fn split(&self, part: Part, anchors: &[Pair], parts: &mut Vec<Part>) {
        let (mut old_at, mut new_at) = (part.old.0, part.new.0);
        let mut rest = anchors;
        loop {
            let (mut old_next, mut new_next) = (part.old.1, part.new.1);
            if let Some(anchor) = rest.first() {
                (old_next, new_next) = (anchor.old, anchor.new);
                while old_next > old_at
                    && new_next > new_at
                    && self.old[old_next - 1] == self.new[new_next - 1]
                {
                    old_next -= 1;
                    new_next -= 1;
                }
            }
            while old_at < old_next && new_at < new_next && self.old[old_at] == self.new[new_at] {
                old_at += 1;
                new_at += 1;
            }
            if old_next > old_at || new_next > new_at {
                parts.push(Part { old: (old_at, old_next), new: (new_at, new_next) });
            }
            let Some(mut last) = rest.first().copied() else {
                return;
            };
            rest = &rest[1..];
            while let Some(next) =
                rest.first().filter(|next| next.old == last.old + 1 && next.new == last.new + 1)
            {
                last = *next;
                rest = &rest[1..];
            }
            (old_at, new_at) = (last.old + 1, last.new + 1);
        }
    }
}

/// The longest subsequence whose new lines ascend too; of several, the one that patience sorting gives.
fn longest_ascending(pairs: &[Pair]) -> Vec<Pair> {
    let mut tops: Vec<usize> = Vec::new();
    let mut previous = vec![usize::MAX; pairs.len()];
    for (index, pair) in pairs.iter().enumerate() {
        let pile = tops.partition_point(|top| pairs[*top].new <= pair.new);
        if pile > 0 {
            previous[index] = tops[pile - 1];
        }
        if pile == tops.len() {
            tops.push(index);
        } else {
            tops[pile] = index;
        }
    }
    let mut sequence = Vec::with_capacity(tops.len());
    let mut at = tops.last().copied().unwrap_or(usize::MAX);
    while at != usize::MAX {
        sequence.push(pairs[at]);
        at = previous[at];
    }
    sequence.reverse();
    sequence
}
