//! Sets of commits such as `A..B`, and the order in which git lists them.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};

use super::ancestry::{Ancestry, CommitIx, UNKNOWN_GENERATION};
use crate::error::Result;

/// The commits that `include` reach and `exclude` do not.
///
/// The walk ends where no excluded commit is left that could reach a commit of the set: by generation where the
/// commit-graph knows both. Elsewhere dates must do, as they do for git (which looks 5 commits further): with a day's
/// leeway, [`PATIENCE`] commits further, and if a date is found on the way that runs backwards by more than the leeway,
/// dates are not believed and the walk goes on to the roots.
///
/// # Errors
/// Those of reading commits.
pub(crate) fn difference(
    ancestry: &mut Ancestry<'_>,
    include: &[CommitIx],
    exclude: &[CommitIx],
) -> Result<HashSet<CommitIx>> {
    let mut painting = Painting::new(ancestry);
    for commit in include {
        painting.paint(*commit, INCLUDED)?;
    }
    for commit in exclude {
        painting.paint(*commit, EXCLUDED)?;
    }
    while !painting.is_settled() && painting.spread()? {}
    let colours = painting.colours;
    Ok(colours.into_iter().filter(|(_, colour)| *colour == INCLUDED).map(|(commit, _)| commit).collect())
}

/// Commits in whose past lies all that `one` and `other` both reach: those at which their own pasts meet.
///
/// # Errors
/// Those of reading commits.
pub(crate) fn shared_past(
    ancestry: &mut Ancestry<'_>,
    one: CommitIx,
    other: CommitIx,
) -> Result<Vec<CommitIx>> {
    let mut apart = difference(ancestry, &[one], &[other])?;
    apart.extend(difference(ancestry, &[other], &[one])?);
    let mut shared: Vec<_> = [one, other].into_iter().filter(|end| !apart.contains(end)).collect();
    for commit in &apart {
        let parents = ancestry.lineage(*commit)?.parents;
        shared.extend(parents.into_iter().filter(|parent| !apart.contains(parent)));
    }
    shared.sort_unstable();
    shared.dedup();
    Ok(shared)
}

/// The members of the set in the order of `git rev-list`, newest first, and children before their parents even where
/// dates run backwards.
///
/// # Errors
/// Those of reading commits.
pub(crate) fn newest_first(
    ancestry: &mut Ancestry<'_>,
    members: &HashSet<CommitIx>,
    starts: &[CommitIx],
) -> Result<Vec<CommitIx>> {
    let mut places: HashMap<CommitIx, usize> = HashMap::new();
    let mut children: HashMap<CommitIx, usize> = HashMap::new();
    let mut seen = HashSet::new();
    let mut pending = BinaryHeap::new();
    let mut found = 0_u64;
    let mut push =
        |ancestry: &mut Ancestry<'_>, pending: &mut BinaryHeap<_>, commit: CommitIx| -> Result<()> {
            if members.contains(&commit) && seen.insert(commit) {
                // Of equal dates the one found first comes first.
                pending.push((ancestry.lineage(commit)?.seconds, Reverse(found), commit));
                found += 1;
            }
            Ok(())
        };
    for start in starts {
        push(ancestry, &mut pending, *start)?;
    }
    while let Some((_, _, commit)) = pending.pop() {
        places.insert(commit, places.len());
        for parent in ancestry.lineage(commit)?.parents {
            *children.entry(parent).or_default() += 1;
            push(ancestry, &mut pending, parent)?;
        }
    }
    let mut ready: BinaryHeap<_> = places
        .iter()
        .filter(|(commit, _)| !children.contains_key(*commit))
        .map(|(commit, place)| Reverse((*place, *commit)))
        .collect();
    let mut order = Vec::with_capacity(places.len());
    while let Some(Reverse((_, commit))) = ready.pop() {
        order.push(commit);
        for parent in ancestry.lineage(commit)?.parents {
            let left = children.get_mut(&parent).expect("its child counted it");
            *left -= 1;
            if let (0, Some(place)) = (*left, places.get(&parent)) {
                ready.push(Reverse((*place, parent)));
            }
        }
    }
    Ok(order)
}

const INCLUDED: u8 = 1;
const EXCLUDED: u8 = 2;
const LEEWAY_SECONDS: i64 = 24 * 60 * 60;
const PATIENCE: usize = 2_000;

/// Two colours that spread from commits to their parents.
struct Painting<'a, 'o> {
    ancestry: &'a mut Ancestry<'o>,
    colours: HashMap<CommitIx, u8>,
    spread: HashMap<CommitIx, u8>,
    queue: BinaryHeap<(u32, i64, CommitIx)>,
    queued: HashSet<CommitIx>,
    /// How many queued commits have the first colour alone.
    open: usize,
    /// Of the commits that had the first colour alone: the lowest generation, and the oldest outside the commit-graph.
    lowest: u32,
    oldest: i64,
    dates_are_believed: bool,
    /// How many commits are still looked at after dates have said that it is enough.
    patience: usize,
}

impl<'a, 'o> Painting<'a, 'o> {
    fn new(ancestry: &'a mut Ancestry<'o>) -> Self {
        Self {
            ancestry,
            colours: HashMap::new(),
            spread: HashMap::new(),
            queue: BinaryHeap::new(),
            queued: HashSet::new(),
            open: 0,
            lowest: UNKNOWN_GENERATION,
            oldest: i64::MAX,
            dates_are_believed: true,
            patience: PATIENCE,
        }
    }

    fn paint(&mut self, commit: CommitIx, colour: u8) -> Result<()> {
        let had = self.colours.get(&commit).copied().unwrap_or_default();
        let has = had | colour;
        if has == had {
            return Ok(());
        }
        self.colours.insert(commit, has);
        let was_queued = self.queued.contains(&commit);
        if was_queued && had == INCLUDED {
            self.open -= 1;
        }
        if !was_queued {
            let lineage = self.ancestry.lineage(commit)?;
            self.queue.push((lineage.generation, lineage.seconds, commit));
            self.queued.insert(commit);
            if has == INCLUDED {
                self.open += 1;
            }
            if lineage.generation == UNKNOWN_GENERATION && has & EXCLUDED != 0 {
                self.doubt_dates(lineage.seconds, &lineage.parents)?;
            }
        }
        Ok(())
    }

    /// Lets the colours of the furthest commit reach its parents. `false` where none is left.
    fn spread(&mut self) -> Result<bool> {
        let Some((generation, seconds, commit)) = self.queue.pop() else { return Ok(false) };
        self.queued.remove(&commit);
        let colour = self.colours[&commit];
        if colour == INCLUDED {
            self.open -= 1;
            if generation == UNKNOWN_GENERATION {
                self.oldest = self.oldest.min(seconds);
            } else {
                self.lowest = self.lowest.min(generation);
            }
        }
        if self.spread.insert(commit, colour) == Some(colour) {
            return Ok(true);
        }
        let lineage = self.ancestry.lineage(commit)?;
        for parent in &lineage.parents {
            let parent_lineage = self.ancestry.lineage(*parent)?;
            self.ancestry.check_order(commit, generation, &parent_lineage)?;
            self.paint(*parent, colour)?;
        }
        if generation == UNKNOWN_GENERATION {
            self.doubt_dates(seconds, &lineage.parents)?;
        }
        Ok(true)
    }

    fn doubt_dates(&mut self, seconds: i64, parents: &[CommitIx]) -> Result<()> {
        for parent in parents {
            let parent = self.ancestry.lineage(*parent)?;
            self.dates_are_believed &= parent.seconds <= seconds.saturating_add(LEEWAY_SECONDS);
        }
        Ok(())
    }

    /// Whether no queued commit can change the set any more.
    fn is_settled(&mut self) -> bool {
        if self.open > 0 {
            return false;
        }
        let mut by_date = false;
        let settled = self.queue.iter().all(|(generation, seconds, _)| match *generation {
            UNKNOWN_GENERATION => {
                by_date = true;
                self.dates_are_believed && seconds.saturating_add(LEEWAY_SECONDS) < self.oldest
            }
            generation => generation <= self.lowest,
        });
        if settled && by_date && self.patience > 0 {
            self.patience -= 1;
            return false;
        }
        settled
    }
}
