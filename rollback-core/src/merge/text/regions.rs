//! Where the changes of the two sides meet: an ordered list of regions, each belonging to one side or
//! being in conflict, refined as git refines them at its zealous level.

use std::ops::Range;

use super::diff::{Change, Differ};
use super::lines::Lines;
use super::{Algorithm, ConflictStyle};

/// Whose lines stand in the result for a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    Ours,
    Theirs,
    Conflict,
    /// Both sides have the same lines; found only while a conflict is refined.
    Agreed,
}

/// A region that is not simply the lines all three versions share.
#[derive(Clone, Debug)]
pub(super) struct Region {
    pub(super) owner: Owner,
    pub(super) base: Range<usize>,
    pub(super) ours: Range<usize>,
    pub(super) theirs: Range<usize>,
}

/// The regions of a merge whose sides changed the base by `ours` and `theirs`.
pub(super) fn regions(lines: &Lines, ours: &[Change], theirs: &[Change]) -> Vec<Region> {
    let mut regions = Vec::new();
    let (mut our_rest, mut their_rest) = (ours, theirs);
    // How far a side's line numbers are from the base's at this point.
    let (mut our_shift, mut their_shift) = (0, 0);
    loop {
        match (our_rest.first(), their_rest.first()) {
            (None, None) => return regions,
            (Some(change), other) if other.is_none_or(|other| change.old.end < other.old.start) => {
                push(
                    &mut regions,
                    Region {
                        owner: Owner::Ours,
                        base: change.old.clone(),
                        ours: change.new.clone(),
                        theirs: shifted(&change.old, their_shift),
                    },
                );
                advance(&mut our_rest, &mut our_shift);
            }
            (other, Some(change)) if other.is_none_or(|other| change.old.end < other.old.start) => {
                push(
                    &mut regions,
                    Region {
                        owner: Owner::Theirs,
                        base: change.old.clone(),
                        ours: shifted(&change.old, our_shift),
                        theirs: change.new.clone(),
                    },
                );
                advance(&mut their_rest, &mut their_shift);
            }
            (Some(our), Some(their)) => {
                if !same_edit(lines, our, their) {
                    push(&mut regions, overlap(our, their));
                }
                let (our_end, their_end) = (our.old.end, their.old.end);
                if our_end >= their_end {
                    advance(&mut their_rest, &mut their_shift);
                }
                if their_end >= our_end {
                    advance(&mut our_rest, &mut our_shift);
                }
            }
            (Some(_), None) | (None, Some(_)) => {
                unreachable!("a change without a counterpart was taken above")
            }
        }
    }
}

fn advance(rest: &mut &[Change], shift: &mut isize) {
    if let Some((change, behind)) = rest.split_first() {
        *shift = change.new.end as isize - change.old.end as isize;
        *rest = behind;
    }
}

fn shifted(range: &Range<usize>, by: isize) -> Range<usize> {
    range.start.saturating_add_signed(by)..range.end.saturating_add_signed(by)
}

/// Whether both sides replaced the same lines by the same lines.
fn same_edit(lines: &Lines, our: &Change, their: &Change) -> bool {
    our.old == their.old && lines.ours.tokens[our.new.clone()] == lines.theirs.tokens[their.new.clone()]
}

/// The conflict of two changes that touch: both sides widened to the base lines that either changed.
fn overlap(our: &Change, their: &Change) -> Region {
    let base = our.old.start.min(their.old.start)..our.old.end.max(their.old.end);
    let widened = |change: &Change| {
        let before = change.old.start - base.start;
        let after = base.end - change.old.end;
        change.new.start.saturating_sub(before)..change.new.end + after
    };
    Region { owner: Owner::Conflict, ours: widened(our), theirs: widened(their), base }
}

/// Appends a region, or joins it to the last where they touch on either side.
fn push(regions: &mut Vec<Region>, region: Region) {
    match regions.last_mut() {
        Some(last) if region.ours.start <= last.ours.end || region.theirs.start <= last.theirs.end => {
            if last.owner != region.owner {
                last.owner = Owner::Conflict;
            }
            last.base.end = region.base.end;
            last.ours.end = region.ours.end;
            last.theirs.end = region.theirs.end;
        }
        _ => regions.push(region),
    }
}

/// How conflicts are refined.
#[derive(Clone, Copy)]
pub(super) struct Refinement {
    pub(super) style: ConflictStyle,
    pub(super) algorithm: Algorithm,
    /// Also join conflicts that have only punctuation between them.
    pub(super) join_over_punctuation: bool,
}

/// Makes conflicts as small as the style allows.
pub(super) fn refine(
    regions: Vec<Region>,
    lines: &Lines,
    ours: &[u8],
    differ: &mut Differ,
    refinement: Refinement,
) -> Vec<Region> {
    match refinement.style {
        ConflictStyle::Diff3 => regions,
        ConflictStyle::Zdiff3 => regions.into_iter().map(|region| trimmed(region, lines)).collect(),
        ConflictStyle::Merge => {
            let split =
                regions.into_iter().flat_map(|region| split(region, lines, differ, refinement.algorithm));
            join_near(split.collect(), lines, ours, refinement.join_over_punctuation)
        }
    }
}

/// Takes lines that both sides begin or end with out of a conflict.
fn trimmed(mut region: Region, lines: &Lines) -> Region {
    if region.owner != Owner::Conflict {
        return region;
    }
    let (ours, theirs) = (&lines.ours.tokens, &lines.theirs.tokens);
    while !region.ours.is_empty()
        && !region.theirs.is_empty()
        && ours[region.ours.start] == theirs[region.theirs.start]
    {
        region.ours.start += 1;
        region.theirs.start += 1;
    }
    while !region.ours.is_empty()
        && !region.theirs.is_empty()
        && ours[region.ours.end - 1] == theirs[region.theirs.end - 1]
    {
        region.ours.end -= 1;
        region.theirs.end -= 1;
    }
    region
}

/// Splits a conflict into the places where the sides really differ.
fn split(region: Region, lines: &Lines, differ: &mut Differ, algorithm: Algorithm) -> Vec<Region> {
    if region.owner != Owner::Conflict || region.ours.is_empty() || region.theirs.is_empty() {
        return vec![region];
    }
    let ours = &lines.ours.tokens[region.ours.clone()];
    let theirs = &lines.theirs.tokens[region.theirs.clone()];
    let changes = differ.changes(algorithm, ours, theirs, lines.kinds());
    if changes.is_empty() {
        return vec![Region { owner: Owner::Agreed, ..region }];
    }
    changes
        .into_iter()
        .map(|change| Region {
            owner: Owner::Conflict,
            base: region.base.clone(),
            ours: change.old.start + region.ours.start..change.old.end + region.ours.start,
            theirs: change.new.start + region.theirs.start..change.new.end + region.theirs.start,
        })
        .collect()
}

/// Joins conflicts with three lines or fewer between them: two sets of markers would be longer.
fn join_near(regions: Vec<Region>, lines: &Lines, ours: &[u8], over_punctuation: bool) -> Vec<Region> {
    let mut joined: Vec<Region> = Vec::with_capacity(regions.len());
    for region in regions {
        match joined.last_mut() {
            Some(last) if last.owner == Owner::Conflict && region.owner == Owner::Conflict => {
                let between = last.ours.end..region.ours.start;
                let near = between.len() <= 3
                    || over_punctuation
                        && !ours[lines.ours.span(between)].iter().any(u8::is_ascii_alphanumeric);
                if near {
                    last.ours.end = region.ours.end;
                    last.theirs.end = region.theirs.end;
                } else {
                    joined.push(region);
                }
            }
            _ => joined.push(region),
        }
    }
    joined
}
