//! Which of several possible renames are taken: git's order of them.

use std::cmp::Ordering;

use crate::merge::hash::Map;

/// How many candidates a target keeps.
const CANDIDATES: usize = 4;

/// Equal files beyond this many are not looked at for a better name.
const EQUAL_FILES: usize = 100;

/// Of files that went with the content of one that came the one to take: of the same name where there is one, else the
/// first.
pub(crate) fn best_equal(
    candidates: impl Iterator<Item = usize>,
    has_same_name: impl Fn(usize) -> bool,
) -> Option<usize> {
    let mut first = None;
    for source in candidates.take(EQUAL_FILES) {
        if has_same_name(source) {
            return Some(source);
        }
        first = first.or(Some(source));
    }
    first
}

/// A possible rename in the comparison of everything with everything.
#[derive(Clone, Copy)]
pub(crate) struct Candidate {
    /// The number of the file that went.
    pub(crate) source: usize,
    /// The number of the file that came.
    pub(crate) target: usize,
    pub(crate) score: u64,
    pub(crate) same_name: bool,
}

impl Candidate {
    /// The more similar first; of equally similar ones those with the same name.
    fn better_first(&self, other: &Self) -> Ordering {
        other.score.cmp(&self.score).then(other.same_name.cmp(&self.same_name))
    }
}

/// The best candidates of one target.
#[derive(Default)]
pub(crate) struct Best([Option<Candidate>; CANDIDATES]);

impl Best {
    /// Keeps a candidate if it is better than the worst that is kept.
    pub(crate) fn offer(&mut self, candidate: Candidate) {
        let compare = |a: &Option<Candidate>, b: &Option<Candidate>| match (a, b) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(a), Some(b)) => a.better_first(b),
        };
        let best = &mut self.0;
        let mut worst = 0;
        for index in 1..CANDIDATES {
            if compare(&best[index], &best[worst]) == Ordering::Greater {
                worst = index;
            }
        }
        if compare(&best[worst], &Some(candidate)) == Ordering::Greater {
            best[worst] = Some(candidate);
        }
    }

    /// All candidates of all targets, the best first.
    pub(crate) fn in_order(of_targets: Vec<Self>) -> Vec<Candidate> {
        let mut candidates: Vec<_> = of_targets.into_iter().flat_map(|best| best.0).flatten().collect();
        candidates.sort_by(Candidate::better_first);
        candidates
    }
}

/// Each name with its index, or without one if several have it.
pub(crate) fn unique<'n>(names: impl Iterator<Item = (&'n [u8], usize)>) -> Map<&'n [u8], Option<usize>> {
    let mut unique = Map::default();
    for (name, index) in names {
        unique.entry(name).and_modify(|index| *index = None).or_insert(Some(index));
    }
    unique
}
