//! Two versions of a text side by side: the changes between them as `git diff` finds them, grouped into hunks with the
//! lines around them.

use std::ops::Range;

use super::Algorithm;
use super::diff::Differ;
use super::lines::Lines;
use crate::repo::FollowedGit;

pub(crate) use super::diff::Change;

/// How two versions of a text are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Comparison {
    /// The pairing of lines.
    pub(crate) algorithm: Algorithm,
    /// Whether runs of lines that could lie in several places are put where they read best.
    pub(crate) indent_heuristic: bool,
    /// The release of git that is equalled where releases differ.
    pub(crate) git: FollowedGit,
}

impl Default for Comparison {
    fn default() -> Self {
        Self { algorithm: Algorithm::Myers, indent_heuristic: true, git: FollowedGit::default() }
    }
}

/// Two versions of a text, and the changes that lead from one to the other, in order.
pub(crate) struct Compared {
    lines: Lines,
    /// By line, of the old version and of the new.
    pub(crate) changes: Vec<Change>,
}

impl Compared {
    /// Compares two versions.
    pub(crate) fn of(old: &[u8], new: &[u8], how: &Comparison) -> Self {
        let (mut lines, mut differ) = (Lines::default(), Differ::following(how.git.clone()));
        lines.load([old, old, new], super::Whitespace::default());
        let (old_tokens, new_tokens) = (lines.base.tokens.as_slice(), lines.theirs.tokens.as_slice());
        let (tokens, kinds) = ([old_tokens, new_tokens], lines.kinds());
        let changes = match how.indent_heuristic {
            true => {
                differ.changes_for_reading(how.algorithm, tokens, kinds, &lines.indents(&[old, old, new]))
            }
            false => differ.changes(how.algorithm, tokens[0], tokens[1], kinds),
        };
        Self { lines, changes }
    }

    /// How many lines the old version has, and the new.
    pub(crate) fn lengths(&self) -> (usize, usize) {
        (self.lines.base.len(), self.lines.theirs.len())
    }

    /// Where the bytes of these lines of the old version are.
    pub(crate) fn old_span(&self, lines: Range<usize>) -> Range<usize> {
        self.lines.base.span(lines)
    }

    /// Where the bytes of these lines of the new version are.
    pub(crate) fn new_span(&self, lines: Range<usize>) -> Range<usize> {
        self.lines.theirs.span(lines)
    }

    /// How many lines went, and how many came.
    pub(crate) fn counts(&self) -> (usize, usize) {
        self.changes
            .iter()
            .fold((0, 0), |(gone, made), change| (gone + change.old.len(), made + change.new.len()))
    }

    /// The changes in groups: those with no more than twice `context` lines between them are shown together, or `between`
    /// lines more.
    pub(crate) fn hunks(&self, context: usize, between: usize) -> Vec<Grouped> {
        let most = 2 * context + between;
        let mut hunks: Vec<Range<usize>> = Vec::new();
        for nth in 0..self.changes.len() {
            match hunks.last_mut() {
                Some(last) if self.changes[nth].old.start - self.changes[nth - 1].old.end <= most => {
                    last.end = nth + 1;
                }
                _ => hunks.push(nth..nth + 1),
            }
        }
        let (old_length, new_length) = self.lengths();
        let around = |changes: Range<usize>| {
            let (first, last) = (&self.changes[changes.start], &self.changes[changes.end - 1]);
            let behind = context.min(old_length - last.old.end).min(new_length - last.new.end);
            Grouped {
                old: first.old.start.saturating_sub(context)..last.old.end + behind,
                new: first.new.start.saturating_sub(context)..last.new.end + behind,
                changes,
            }
        };
        hunks.into_iter().map(around).collect()
    }
}

/// Changes that are shown together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grouped {
    /// Their numbers.
    pub(crate) changes: Range<usize>,
    /// The lines of the old version from the first line around them to the last.
    pub(crate) old: Range<usize>,
    /// The same of the new version.
    pub(crate) new: Range<usize>,
}
