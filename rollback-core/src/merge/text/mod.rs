//! The merge of one text file: three versions in, one out, with conflict markers where the sides changed
//! the same lines.
//!
//! Every byte of the result is git's (`git merge-file`, `ll-merge`): the pairing of lines, where hunks come
//! to lie, how conflicts are refined, what the markers look like, and when a carriage return follows them.
//! Nothing here reads objects or attributes; whether a file is text at all is its caller's question.

mod diff;
mod histogram;
pub(crate) mod hunks;
mod indent;
mod lines;
mod myers;
mod patience;
mod regions;
mod render;

use bstr::BStr;

use diff::Differ;
use lines::Lines;
use regions::{Owner, Refinement};

use crate::repo::FollowedGit;

/// How lines of two versions are paired.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Algorithm {
    /// Rare lines first; what git merges with unless `diff.algorithm` says otherwise.
    #[default]
    Histogram,
    /// Lines that occur once first.
    Patience,
    /// Myers, with its shortcuts for large files.
    Myers,
    /// Myers without the shortcuts.
    Minimal,
}

/// Which differences in white space do not count (`-X ignore-…`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Whitespace {
    /// All white space is ignored (`ignore-all-space`).
    pub ignore_all: bool,
    /// Runs of white space are equal to each other, and at the end of a line to nothing (`ignore-space-change`).
    pub ignore_change: bool,
    /// White space at the end of a line is ignored (`ignore-space-at-eol`).
    pub ignore_at_eol: bool,
    /// A carriage return at the end of a line is ignored (`ignore-cr-at-eol`).
    pub ignore_cr_at_eol: bool,
}

/// What stands between the conflict markers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConflictStyle {
    /// The two sides.
    #[default]
    Merge,
    /// The two sides and the base.
    Diff3,
    /// As `Diff3`, without the lines that both sides begin or end with.
    Zdiff3,
}

/// Which side wins where both changed the same lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Favor {
    /// `-X ours`.
    Ours,
    /// `-X theirs`.
    Theirs,
    /// Both, ours first: the `union` driver.
    Union,
}

/// How a text is merged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TextOptions {
    /// The pairing of lines.
    pub algorithm: Algorithm,
    /// Differences in white space that do not count.
    pub whitespace: Whitespace,
    /// What conflicts look like.
    pub style: ConflictStyle,
    /// Who wins; `None` leaves conflicts.
    pub favor: Option<Favor>,
    /// Where a histogram falls back on Myers, it does so without shortcuts (git up to 2.49 with `diff.algorithm=minimal`).
    pub minimal_fallback: bool,
    /// The length of a conflict marker; 0 is git's 7.
    pub marker_size: usize,
    /// Joins conflicts that have only lines without letters and digits between them, as `git merge-file` does
    /// and a merge of trees does not.
    pub join_over_punctuation: bool,
}

/// What the conflict markers call the three versions.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct TextLabels<'a> {
    /// Behind `|||||||`.
    pub base: &'a BStr,
    /// Behind `<<<<<<<`.
    pub ours: &'a BStr,
    /// Behind `>>>>>>>`.
    pub theirs: &'a BStr,
}

impl<'a> TextLabels<'a> {
    /// The names of base, ours and theirs.
    pub fn new(base: &'a BStr, ours: &'a BStr, theirs: &'a BStr) -> Self {
        Self { base, ours, theirs }
    }
}

/// The result of merging a text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MergedText {
    /// The merged bytes, with markers where the sides conflict.
    pub bytes: Vec<u8>,
    /// How many conflicts are left.
    pub conflicts: usize,
}

/// Merges texts; keep one for many files, it reuses its memory.
#[derive(Default)]
pub struct TextMerger {
    lines: Lines,
    differ: Differ,
}

impl TextMerger {
    /// A merger that has seen nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A merger whose results are those of this git.
    pub fn following(git: FollowedGit) -> Self {
        Self { lines: Lines::default(), differ: Differ::following(git) }
    }

    /// Merges the changes that led from `base` to `ours` and from `base` to `theirs`.
    pub fn merge(
        &mut self,
        base: &[u8],
        ours: &[u8],
        theirs: &[u8],
        labels: TextLabels<'_>,
        options: &TextOptions,
    ) -> MergedText {
        self.lines.load([base, ours, theirs], options.whitespace);
        let kinds = self.lines.kinds();
        let (differ, lines) = (&mut self.differ, &self.lines);
        differ.minimal_fallback = options.minimal_fallback;
        let our_changes = differ.changes(options.algorithm, &lines.base.tokens, &lines.ours.tokens, kinds);
        if our_changes.is_empty() {
            return MergedText { bytes: theirs.to_vec(), conflicts: 0 };
        }
        let their_changes =
            differ.changes(options.algorithm, &lines.base.tokens, &lines.theirs.tokens, kinds);
        if their_changes.is_empty() {
            return MergedText { bytes: ours.to_vec(), conflicts: 0 };
        }
        let met = regions::regions(lines, &our_changes, &their_changes);
        let refinement = Refinement {
            style: options.style,
            algorithm: options.algorithm,
            join_over_punctuation: options.join_over_punctuation,
        };
        let refined = regions::refine(met, lines, ours, differ, refinement);
        let left = refined.iter().filter(|region| region.owner == Owner::Conflict).count();
        MergedText {
            bytes: render::render(&refined, lines, [base, ours, theirs], labels, options),
            conflicts: if options.favor.is_some() { 0 } else { left },
        }
    }
}
