//! Which lines changed from one version to another: git's choice of algorithm, its pairing of lines and
//! its placement of the hunks, with the indent heuristic (what is shown uses it) and without (merges do not).

use std::ops::Range;

use gix::diff::blob::Token;

use super::histogram::Histogram;
use super::indent::{self, Indent};
use super::{Algorithm, myers, patience};
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
    pub(super) minimal_fallback: bool,
    git: FollowedGit,
}

/// One flag a line: whether it has no partner in the other version.
#[derive(Default)]
pub(super) struct Flags {
    pub(super) old: Vec<bool>,
    pub(super) new: Vec<bool>,
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
        match algorithm {
            Algorithm::Histogram => self.histogram.mark(old, new, kinds, self.minimal_fallback, flags),
            Algorithm::Patience => patience::mark(old, new, kinds, flags),
            Algorithm::Myers | Algorithm::Minimal => {
                let minimal = algorithm == Algorithm::Minimal;
                myers::mark((old, new), kinds, minimal, (&mut flags.old, &mut flags.new));
            }
        }
        let again = |runs: &Met| {
            (algorithm == Algorithm::Histogram && runs.moved && self.git.is_at_least(2, 54)).then_some(kinds)
        };
        slide((Sliding { tokens: old, indents }, new), (&mut flags.old, &mut flags.new), again);
        slide((Sliding { tokens: new, indents }, old), (&mut flags.new, &mut flags.old), again);
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
                myers::mark((old, new), kinds, false, (old_marks, new_marks));
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
