//! Which commit is judged next, and what is left once it was: a graph of candidates by number, without a repository.
//!
//! The candidates are what the bad commit reaches and no good one does. A bad verdict leaves the past of its commit, a good
//! one what is not in the past of its commit, as `git bisect` has it. What is judged next halves what is left, as with git,
//! but lies on the first-parent line while that has a commit to offer: a merge is one change until it is known to be the
//! bad one, or brought in most of what is left; then its side is entered, along the first-parent line of that side.

use std::collections::{BTreeSet, VecDeque};

/// A candidate. Its number is its place among the candidates, children before parents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Node {
    /// The numbers of its parents that are candidates, in the order of the parents.
    pub(super) parents: Vec<usize>,
    /// Its first parent, where that is a candidate.
    pub(super) first: Option<usize>,
    /// The candidate among its parents that has the same content, so that the same verdict holds there.
    pub(super) same_as: Option<usize>,
    /// Whether its content differs from that of every parent, so that it can be the culprit.
    pub(super) changes: bool,
}

/// What a verdict says of a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    Good,
    Bad,
    Skipped,
}

/// What is to be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Judge this candidate.
    Judge(usize),
    /// It is this one.
    Found(usize),
    /// It is one of these: all but the first, which is bad, could not be judged.
    OneOf(Vec<usize>),
}

/// What is known of the candidates.
#[derive(Clone, Debug)]
pub(super) struct Search<'g> {
    nodes: &'g [Node],
    bad: usize,
    /// Whether the culprit can still be this one.
    open: Vec<bool>,
    skipped: BTreeSet<usize>,
    /// How many could not be judged since the last that could.
    skips: u32,
}

impl<'g> Search<'g> {
    /// A search for what made `bad` bad; every other candidate is in its past.
    pub(super) fn new(nodes: &'g [Node], bad: usize) -> Self {
        let mut search =
            Self { nodes, bad, open: vec![true; nodes.len()], skipped: BTreeSet::new(), skips: 0 };
        search.set_bad(bad);
        search
    }

    /// Whether a verdict on the candidate would say anything more.
    pub(super) fn is_open(&self, at: usize) -> bool {
        self.open[at] && at != self.bad && !self.skipped.contains(&at)
    }

    /// How many candidates are left, the one that is known to be bad included.
    pub(super) fn left(&self) -> usize {
        self.others().count() + 1
    }

    /// The candidates that can be the culprit in place of the one that is known to be bad.
    fn others(&self) -> impl Iterator<Item = usize> + '_ {
        let all = self.nodes.iter().enumerate();
        all.filter(|(at, node)| self.open[*at] && *at != self.bad && node.changes).map(|(at, _)| at)
    }

    /// Takes a verdict in.
    pub(super) fn note(&mut self, at: usize, finding: Finding) {
        if !self.is_open(at) {
            return;
        }
        match finding {
            Finding::Skipped => {
                self.skipped.insert(at);
                self.skips += 1;
                return;
            }
            Finding::Good => {
                for past in self.past_of(at) {
                    self.open[past] = false;
                }
            }
            Finding::Bad => self.set_bad(at),
        }
        self.skips = 0;
    }

    /// Leaves the past of a bad commit. Where a parent has the same content, it is as bad, and the change is further back.
    fn set_bad(&mut self, at: usize) {
        let mut bad = at;
        while let Some(parent) = self.nodes[bad].same_as.filter(|parent| self.open[*parent]) {
            bad = parent;
        }
        let past = self.past_of(bad);
        self.open = vec![false; self.nodes.len()];
        for at in past {
            self.open[at] = true;
        }
        self.bad = bad;
    }

    /// What is left of the past of a candidate, itself included.
    fn past_of(&self, at: usize) -> Vec<usize> {
        let mut seen = vec![false; self.nodes.len()];
        self.enter(at, &mut seen)
    }

    /// What is left of the past of a candidate and was not seen yet.
    fn enter(&self, at: usize, seen: &mut [bool]) -> Vec<usize> {
        let mut entered = Vec::new();
        let mut pending = vec![at];
        while let Some(at) = pending.pop() {
            if self.open[at] && !std::mem::replace(&mut seen[at], true) {
                entered.push(at);
                pending.extend(&self.nodes[at].parents);
            }
        }
        entered
    }

    /// What is to be done next.
    pub(super) fn next(&self) -> Next {
        if self.others().next().is_none() {
            return Next::Found(self.bad);
        }
        match self.next_on_a_line().or_else(|| self.anywhere()) {
            Some(at) => Next::Judge(at),
            None => Next::OneOf(std::iter::once(self.bad).chain(self.others()).collect()),
        }
    }

    /// The candidate on the first line behind the bad commit that has one to offer. Where the line parts
    /// what is left worse than one to two, because one merge brought in most of it, that merge is entered at once.
    fn next_on_a_line(&self) -> Option<usize> {
        let lines = self.nodes[self.bad].parents.iter().map(|parent| self.line_from(*parent));
        let mut offers = lines.filter_map(|line| self.closest(&line).map(|best| (line, best)));
        let (line, (at, weight)) = offers.next()?;
        let left = self.left();
        if self.skips > 0 || 3 * weight.min(left - weight) >= left {
            return Some(at);
        }
        let heaviest = self.heaviest(&line);
        let sides =
            self.nodes[heaviest].parents.iter().filter(|parent| Some(**parent) != self.nodes[heaviest].first);
        let inside = sides.flat_map(|side| self.line_from(*side));
        let all: Vec<_> = std::iter::once((at, weight)).chain(inside).collect();
        self.closest(&all).map(|(at, _)| at)
    }

    /// Of a line and the bad commit before it the one that brought in most by itself.
    fn heaviest(&self, line: &[(usize, usize)]) -> usize {
        let mut below = 0;
        let mut heaviest = (0, self.bad);
        for (at, weight) in line.iter().copied().chain([(self.bad, self.left())]) {
            heaviest = heaviest.max((weight - below, at));
            below = weight;
        }
        heaviest.1
    }

    /// The candidates on the first-parent line from `start`, the oldest first, with their weights: how many can be the
    /// culprit where that one is bad.
    fn line_from(&self, start: usize) -> Vec<(usize, usize)> {
        let mut line = Vec::new();
        let mut at = Some(start).filter(|start| self.open[*start]);
        while let Some(commit) = at {
            line.push(commit);
            at = self.nodes[commit].first.filter(|parent| self.open[*parent]);
        }
        let mut seen = vec![false; self.nodes.len()];
        let mut weight = 0;
        let mut weighed = Vec::with_capacity(line.len());
        for commit in line.into_iter().rev() {
            let entered = self.enter(commit, &mut seen);
            let more = entered.iter().filter(|at| self.nodes[**at].changes).count();
            // One that adds nothing is as good or bad as the one before.
            if more > 0 {
                weight += more;
                weighed.push((commit, weight));
            }
        }
        weighed
    }

    /// The candidate anywhere that comes closest to what is wanted: where lines have only what could not be judged.
    fn anywhere(&self) -> Option<usize> {
        let weight = |at| self.past_of(at).iter().filter(|at| self.nodes[**at].changes).count();
        let all: Vec<_> = self.others().filter(|at| self.is_open(*at)).map(|at| (at, weight(at))).collect();
        self.closest(&all).map(|(at, _)| at)
    }

    /// Of candidates with their weights the one that halves what is left.
    ///
    /// Next to what could not be judged is often more of that kind. The wanted share changes with each: a half, a
    /// quarter, three quarters, an eighth, and so on, so that a few attempts come by any such stretch.
    fn closest(&self, weighed: &[(usize, usize)]) -> Option<(usize, usize)> {
        let order = self.skips + 1;
        let bits = 32 - order.leading_zeros();
        let share = f64::from(order.reverse_bits() >> (32 - bits)) / f64::from(1_u32 << bits);
        let wanted = self.left() as f64 * share;
        let distance = |weight: usize| (weight as f64 - wanted).abs();
        let able = weighed.iter().copied().filter(|(at, _)| self.is_open(*at));
        able.min_by(|one, other| distance(one.1).total_cmp(&distance(other.1)))
    }

    /// Up to `count` candidates to judge at once: the next, then those that would be next after its verdicts, the more
    /// likely verdict first.
    pub(super) fn next_at_once(&self, count: usize) -> Vec<usize> {
        let mut chosen = Vec::new();
        let mut worlds = VecDeque::from([self.clone()]);
        while chosen.len() < count
            && let Some(world) = worlds.pop_front()
        {
            let Next::Judge(at) = world.next() else { continue };
            if !chosen.contains(&at) {
                chosen.push(at);
            }
            let mut after = [Finding::Bad, Finding::Good].map(|finding| {
                let mut after = world.clone();
                after.note(at, finding);
                after
            });
            after.sort_by_key(|world| std::cmp::Reverse(world.left()));
            worlds.extend(after);
        }
        chosen
    }
}

/// About how many candidates have to be judged where so many are left.
pub(super) fn steps(left: usize) -> u32 {
    left.max(1).next_power_of_two().trailing_zeros()
}
