//! Which lines changed from one version to another: git's choice of algorithm, its pairing of lines and
//! its placement of the hunks, with the indent heuristic (what is shown uses it) and without (merges do not).

use std::ops::Range;

use gix::diff::blob::Token;

use super::histogram::Histogram;
use super::indent::{self, Indent};
use super::myers::{Effort, Myers};
use super::{Algorithm, patience};
use crate::repo::FollowedGit;

/// A run of lines of `old` that became a run of lines of `new`; one of them may be empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) old: Range<usize>,
    pub(crate) new: Range<usize>,
}

/// The state of a comparison, reused between files.
#[derive(Default)]
pub(super) struct Differ {
    flags: Flags,
    histogram: Histogram,
    myers: Myers,
    pub(super) minimal_fallback: bool,
    git: FollowedGit,
}

/// One flag a line: whether it has no partner in the other version.
#[derive(Default)]
pub(super) struct Flags {
    pub(super) old: Vec<bool>,
    pub(super) new: Vec<bool>,
}

/// A part of both versions that is still to be paired: where it begins and ends in each.
#[derive(Clone, Copy)]
pub(super) struct Part<N = usize> {
    pub(super) old: (N, N),
    pub(super) new: (N, N),
}

impl Part {
    /// All lines of both versions.
    pub(super) fn whole(old: &[Token], new: &[Token]) -> Self {
        Self { old: (0, old.len()), new: (0, new.len()) }
    }

    pub(super) fn is_empty_on_a_side(self) -> bool {
        self.old.0 == self.old.1 || self.new.0 == self.new.1
    }
}

impl Flags {
    /// Marks all lines of a part.
    pub(super) fn mark(&mut self, part: Part) {
        self.old[part.old.0..part.old.1].fill(true);
        self.new[part.new.0..part.new.1].fill(true);
    }

    /// Marks the lines of a part that Myers' algorithm finds no partner for.
    pub(super) fn mark_by(
        &mut self,
        myers: &mut Myers,
        part: Part,
        (old, new): (&[Token], &[Token]),
        kinds: u32,
        effort: Effort,
    ) {
        let (before, after) = (part.old.0..part.old.1, part.new.0..part.new.1);
        let marks = (&mut self.old[before.clone()], &mut self.new[after.clone()]);
        myers.mark((&old[before], &new[after]), kinds, effort, marks);
    }
}

impl Differ {
    /// One that pairs lines as this git does.
    pub(super) fn following(git: FollowedGit) -> Self {
        Self { git, ..Self::default() }
    }

    /// The changes from `old` to `new`, in order; `kinds` is the number of different tokens.
    pub(super) fn changes(
        &mut self,
        algorithm: Algorithm,
        old: &[Token],
        new: &[Token],
        kinds: u32,
    ) -> Vec<Change> {
        self.placed(algorithm, [old, new], kinds, None)
    }

    /// The same, with runs of lines that could lie in several places put where they read best; `indents` is by token.
    pub(super) fn changes_for_reading(
        &mut self,
        algorithm: Algorithm,
        tokens: [&[Token]; 2],
        kinds: u32,
        indents: &[Indent],
    ) -> Vec<Change> {
        self.placed(algorithm, tokens, kinds, Some(indents))
    }

    fn placed(
        &mut self,
        algorithm: Algorithm,
        [old, new]: [&[Token]; 2],
        kinds: u32,
        indents: Option<&[Indent]>,
    ) -> Vec<Change> {
        if old == new {
            return Vec::new();
        }
        let flags = &mut self.flags;
        flags.old.clear();
        flags.old.resize(old.len(), false);
        flags.new.clear();
        flags.new.resize(new.len(), false);
        let (myers, whole) = (&mut self.myers, Part::whole(old, new));
        match algorithm {
            Algorithm::Histogram => {
                let fallback = Effort { minimal: self.minimal_fallback, ..Effort::default() };
                self.histogram.mark((old, new), kinds, (myers, fallback), flags);
            }
            Algorithm::Patience => patience::mark((old, new), kinds, myers, flags),
            Algorithm::Myers => flags.mark_by(myers, whole, (old, new), kinds, Effort::default()),
            Algorithm::Minimal => {
                let effort = Effort { minimal: true, keeps_frequent: self.git.is_at_least(2, 50) };
                flags.mark_by(myers, whole, (old, new), kinds, effort);
            }
        }
        let again = |runs: &Met| {
            (algorithm == Algorithm::Histogram && runs.moved && self.git.is_at_least(2, 54)).then_some(kinds)
        };
        slide((Sliding { tokens: old, indents }, new), (&mut flags.old, &mut flags.new), again, myers);
        slide((Sliding { tokens: new, indents }, old), (&mut flags.new, &mut flags.old), again, myers);
        script(flags)
    }
}

fn script(flags: &Flags) -> Vec<Change> {
    let mut changes = Vec::new();
    let (mut old, mut new) = (0, 0);
    loop {
        let old_run = run(&flags.old, old);
        let new_run = run(&flags.new, new);
        if old_run > old || new_run > new {
            changes.push(Change { old: old..old_run, new: new..new_run });
        }
        if old_run == flags.old.len() {
            return changes;
        }
        // Behind a run stands a pair of equal lines.
        (old, new) = (old_run + 1, new_run + 1);
    }
}

/// Where the run of marked lines that begins at `from` ends.
fn run(marked: &[bool], from: usize) -> usize {
    marked[from..].iter().position(|marked| !marked).map_or(marked.len(), |length| from + length)
}

/// A run of marked lines that stands beside a run of the other version.
struct Met {
    /// Whether it is not the run that was found, but moved or joined.
    moved: bool,
}

/// Moves each run of marked lines as far down as equal lines allow, or up to where it meets a run of the
/// other version, joining runs that touch on the way. Runs that met are paired again by Myers where `again` says so, and
/// tells the number of different tokens.
fn slide(
    (version, other_tokens): (Sliding<'_>, &[Token]),
    (marked, other): (&mut [bool], &mut [bool]),
    again: impl Fn(&Met) -> Option<u32>,
    myers: &mut Myers,
) {
    let tokens = version.tokens;
    let mut here = Run::first(marked);
    let mut there = Run::first(other);
    loop {
        if !here.is_empty() {
            let found = (here.start, here.end);
            place(version, marked, other, &mut here, &mut there);
            let met = Met { moved: found != (here.start, here.end) };
            if !there.is_empty()
                && let Some(kinds) = again(&met)
            {
                let (ours, theirs) = (here.start..here.end, there.start..there.end);
                marked[ours.clone()].fill(false);
                other[theirs.clone()].fill(false);
                let (old, new) = (&tokens[ours.clone()], &other_tokens[theirs.clone()]);
                let (old_marks, new_marks) = (&mut marked[ours], &mut other[theirs]);
                myers.mark((old, new), kinds, Effort::default(), (old_marks, new_marks));
            }
        }
        if !here.next(marked) {
            return;
        }
        there.next(other);
    }
}

/// The version whose runs are moved.
#[derive(Clone, Copy)]
struct Sliding<'a> {
    tokens: &'a [Token],
    /// By token; without them a run that meets none of the other version stays as far down as it goes.
    indents: Option<&'a [Indent]>,
}

fn place(version: Sliding<'_>, marked: &mut [bool], other: &[bool], here: &mut Run, there: &mut Run) {
    let tokens = version.tokens;
    let mut meets_other;
    let mut highest_end;
    loop {
        let length = here.len();
        while here.up(tokens, marked) {
            there.previous(other);
        }
        highest_end = here.end;
        meets_other = !there.is_empty();
        while here.down(tokens, marked) {
            there.next(other);
            meets_other |= !there.is_empty();
        }
        // A longer run has swallowed a neighbour and may move further up.
        if here.len() == length {
            break;
        }
    }
    if here.end == highest_end {
        return;
    }
    if meets_other {
        while there.is_empty() && here.up(tokens, marked) {
            there.previous(other);
        }
    } else if let Some(indents) = version.indents {
        let best = indent::best_end(tokens, indents, here.len(), highest_end, here.end);
        while here.end > best && here.up(tokens, marked) {
            there.previous(other);
        }
    }
}

/// A run of marked lines, possibly empty, with an unmarked line (or an end of the file) on either side.
struct Run {
    start: usize,
    end: usize,
}

impl Run {
    fn first(marked: &[bool]) -> Self {
        Self { start: 0, end: run(marked, 0) }
    }

    fn is_empty(&self) -> bool {
        self.start == self.end
    }

    fn len(&self) -> usize {
        self.end - self.start
    }

    fn next(&mut self, marked: &[bool]) -> bool {
        if self.end == marked.len() {
            return false;
        }
        self.start = self.end + 1;
        self.end = run(marked, self.start);
        true
    }

    fn previous(&mut self, marked: &[bool]) -> bool {
        if self.start == 0 {
            return false;
        }
        self.end = self.start - 1;
        self.start = self.end;
        self.grow_up(marked);
        true
    }

    fn grow_up(&mut self, marked: &[bool]) {
        while self.start > 0 && marked[self.start - 1] {
            self.start -= 1;
        }
    }

    fn up(&mut self, tokens: &[Token], marked: &mut [bool]) -> bool {
        if self.start == 0 || tokens[self.start - 1] != tokens[self.end - 1] {
            return false;
        }
        self.start -= 1;
        self.end -= 1;
        marked[self.start] = true;
        marked[self.end] = false;
        self.grow_up(marked);
        true
    }

    fn down(&mut self, tokens: &[Token], marked: &mut [bool]) -> bool {
        if self.end == marked.len() || tokens[self.start] != tokens[self.end] {
            return false;
        }
        marked[self.start] = false;
        marked[self.end] = true;
        self.start += 1;
        self.end = run(marked, self.end + 1);
        true
    }
}
