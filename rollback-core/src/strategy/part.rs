//! A part of what a change did to one file: some of its places, each taken whole.
//!
//! The places are those at which `git diff` of the two versions shows a difference. What is chosen is kept as lines of the
//! version in the commit, so that it means the same wherever it is computed again. As a scope does, a part restricts the
//! input of the merge: the incoming file is the base with only the chosen places taken from the incoming one.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::id::{Entry, TreeId};
use crate::merge::text::hunks::{Change, Compared, Comparison};
use crate::path::RepoPath;
use crate::repo::{Edits, Objects};
use crate::target::LineRange;

/// Some places of a change to a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Part {
    /// The file, by its name at the tip.
    pub path: RepoPath,
    /// The places, in order.
    pub places: Vec<Place>,
}

/// A place at which a change put lines into a file, or took lines out of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Place {
    /// The number of its first line in the version of the commit, counted from 1.
    pub line: usize,
    /// How many lines of that version it has; 0 where the change only took lines out, before `line`.
    pub lines: usize,
}

/// Lines around a change with which it makes up a hunk, as `git diff` shows hunks unless it is told otherwise.
pub(crate) const CONTEXT: usize = 3;

/// What a file is in the commit, before it, and at the tip.
pub(crate) struct Versions {
    /// In the commit that is undone.
    pub(crate) commit: Vec<u8>,
    /// Before it.
    pub(crate) parent: Vec<u8>,
    /// At the tip.
    pub(crate) tip: Vec<u8>,
}

impl Versions {
    fn undoing(&self) -> Compared {
        Compared::of(&self.commit, &self.parent, &Comparison::default())
    }

    /// The places of the hunks with these numbers, counted from 1; `Err` with how many there are where one has none.
    pub(crate) fn in_hunks(&self, numbers: &[usize]) -> Result<Vec<Place>, usize> {
        let compared = self.undoing();
        let hunks = compared.hunks(CONTEXT, 0);
        let mut chosen = Vec::new();
        for number in numbers {
            let hunk = number.checked_sub(1).and_then(|at| hunks.get(at)).ok_or(hunks.len())?;
            chosen.extend(compared.changes[hunk.changes.clone()].iter().map(Place::of));
        }
        chosen.sort_by_key(|place| (place.line, place.lines));
        chosen.dedup();
        Ok(chosen)
    }

    /// The places that these lines of the tip touch.
    pub(crate) fn at_lines(&self, lines: LineRange) -> Vec<Place> {
        let since = Compared::of(&self.commit, &self.tip, &Comparison::default());
        let there = lines_before(&since.changes, lines.first.saturating_sub(1)..lines.last);
        let touched = |change: &&Change| match change.old.is_empty() {
            true => there.start <= change.old.start && change.old.start <= there.end,
            false => change.old.start < there.end && there.start < change.old.end,
        };
        self.undoing().changes.iter().filter(touched).map(Place::of).collect()
    }
}

/// Where lines of the new version were in the old one; lines that changed since stand for all that they came from.
fn lines_before(changes: &[Change], lines: Range<usize>) -> Range<usize> {
    let before = |line: usize, at_end: bool| {
        let mut shift = 0;
        for change in changes {
            let inside = if at_end { change.new.start < line } else { change.new.start <= line };
            if !inside {
                break;
            }
            let passed = if at_end { line > change.new.end } else { line >= change.new.end };
            if !passed {
                return if at_end { change.old.end } else { change.old.start };
            }
            shift = change.old.end as isize - change.new.end as isize;
        }
        line.saturating_add_signed(shift)
    };
    let start = before(lines.start, false);
    start..before(lines.end, true).max(start)
}

impl Part {
    /// The places in words, such as `lines 3 to 5 and 9`; the numbers are those of the commit's version.
    pub(crate) fn words(&self) -> String {
        let place = |place: &Place| match place.lines {
            0 => format!("before {}", place.line),
            1 => place.line.to_string(),
            lines => format!("{} to {}", place.line, place.line + lines - 1),
        };
        let noun = if let [Place { lines: 0 | 1, .. }] = self.places.as_slice() { "line" } else { "lines" };
        let mut places: Vec<_> = self.places.iter().map(place).collect();
        let last = places.pop().unwrap_or_default();
        match places.is_empty() {
            true => format!("{noun} {last}"),
            false => format!("{noun} {} and {last}", places.join(", ")),
        }
    }
}

impl Place {
    fn of(change: &Change) -> Self {
        Self { line: change.old.start + 1, lines: change.old.len() }
    }

    fn is(self, change: &Change) -> bool {
        self == Self::of(change)
    }
}

/// The tree `base` with only the chosen places of the file taken from `incoming`; where `base` has no such file nothing is.
///
/// # Errors
/// Those of reading the file.
pub(crate) fn restrict(objects: &Objects, base: TreeId, incoming: TreeId, part: &Part) -> Result<TreeId> {
    let before = objects.entry_at(base, &part.path)?;
    let Some(before) = before.filter(|entry| entry.mode.is_file()) else { return Ok(base) };
    let after = objects.entry_at(incoming, &part.path)?.filter(|entry| entry.mode.is_file());
    let old = objects.blob(before.id)?;
    let new = after.map_or(Ok(Vec::new()), |entry| objects.blob(entry.id))?;
    let compared = Compared::of(&old, &new, &Comparison::default());
    let is_chosen = |change: &&Change| part.places.iter().any(|place| place.is(change));
    let mut edits = Edits::new();
    if after.is_none() && compared.changes.iter().all(|change| is_chosen(&change)) {
        // All that was in the file goes, and the file with it.
        edits.insert(part.path.clone(), None);
        return objects.edit_tree(base, &edits);
    }
    let mut bytes = Vec::with_capacity(old.len());
    let mut done = 0;
    for change in compared.changes.iter().filter(is_chosen) {
        bytes.extend_from_slice(&old[compared.old_span(done..change.old.start)]);
        bytes.extend_from_slice(&new[compared.new_span(change.new.clone())]);
        done = change.old.end;
    }
    bytes.extend_from_slice(&old[compared.old_span(done..compared.lengths().0)]);
    edits.insert(part.path.clone(), Some(Entry { mode: before.mode, id: objects.write_blob(&bytes)? }));
    objects.edit_tree(base, &edits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn versions(parent: &str, commit: &str, tip: &str) -> Versions {
        Versions { commit: commit.into(), parent: parent.into(), tip: tip.into() }
    }

    fn place(line: usize, lines: usize) -> Place {
        Place { line, lines }
    }

    #[test]
    fn lines_of_today_are_found_where_they_were() {
        let parent = "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n";
        let commit = "a\nB\nc\nd\ne\nf\ng\nh\nI\nj\n";
        let tip = "new\nnew\na\nB\nc\nd\ne\nf\ng\nh\nI\nj\n";
        let file = versions(parent, commit, tip);
        assert_eq!(file.at_lines(LineRange::new(4, 4)), [place(2, 1)]);
        assert_eq!(file.at_lines(LineRange::new(1, 3)), []);
        assert_eq!(file.at_lines(LineRange::new(11, 99)), [place(9, 1)]);
        assert_eq!(file.at_lines(LineRange::new(1, 12)), [place(2, 1), place(9, 1)]);
    }

    #[test]
    fn lines_that_the_change_took_out_belong_to_their_neighbours() {
        let file = versions("a\nb\nc\n", "a\nc\n", "a\nc\n");
        assert_eq!(file.at_lines(LineRange::new(1, 1)), [place(2, 0)]);
        assert_eq!(file.at_lines(LineRange::new(2, 2)), [place(2, 0)]);
    }

    #[test]
    fn hunks_have_the_numbers_in_which_they_are_shown() {
        let lines = |edits: &[usize]| -> String {
            (1..=40)
                .map(|n| if edits.contains(&n) { format!("edited {n}\n") } else { format!("{n}\n") })
                .collect()
        };
        let file = versions(&lines(&[]), &lines(&[3, 6, 30]), &lines(&[3, 6, 30]));
        assert_eq!(file.in_hunks(&[1]), Ok(vec![place(3, 1), place(6, 1)]));
        assert_eq!(file.in_hunks(&[2, 1, 2]).map(|places| places.len()), Ok(3));
        assert_eq!(file.in_hunks(&[3]), Err(2));
        assert_eq!(file.in_hunks(&[0]), Err(2));
    }
}
