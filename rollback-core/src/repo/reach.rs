//! Which of some named commits reach each commit: one walk answers any number of questions of the kind "what do these
//! reach that those do not".
//!
//! What is remembered of a commit is the set of named commits that reach it. Most commits are reached by the same ones as
//! their child, so that few sets are ever made: the walk costs the commits it comes by and, for each set, the questions; not
//! the commits times the questions.

use std::collections::{BinaryHeap, HashMap, HashSet};
use std::rc::Rc;

use super::ancestry::{Ancestry, CommitIx, UNKNOWN_GENERATION};
use crate::error::Result;

/// The commits that one of `included` reaches and none of `excluded` does. A commit reaches itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct Question {
    pub(crate) included: Vec<CommitIx>,
    pub(crate) excluded: Vec<CommitIx>,
}

/// The answers to some questions.
pub(crate) struct Reach {
    sets: Sets,
    reached_by: HashMap<CommitIx, SetIx>,
}

impl Reach {
    /// Walks until no commit is left that could change an answer.
    ///
    /// # Errors
    /// Those of reading commits.
    pub(crate) fn walk(ancestry: &mut Ancestry<'_>, questions: &[Question]) -> Result<Self> {
        let mut names = HashMap::new();
        let mut number = |commit: &CommitIx| {
            let next = names.len() as u32;
            *names.entry(*commit).or_insert(next)
        };
        let numbered = questions.iter().map(|question| Numbered {
            included: question.included.iter().map(&mut number).collect(),
            excluded: question.excluded.iter().map(&mut number).collect(),
        });
        let sets = Sets::new(numbered.collect());
        let mut painting = Painting::new(ancestry, sets);
        let mut named: Vec<_> = names.into_iter().collect();
        named.sort_unstable_by_key(|(_, number)| *number);
        for (commit, number) in named {
            let colour = painting.sets.only(number);
            painting.paint(commit, colour)?;
        }
        while !painting.is_settled() && painting.spread()? {}
        Ok(Self { sets: painting.sets, reached_by: painting.colours })
    }

    /// The commits that answer any of the questions.
    pub(crate) fn members(&self) -> HashSet<CommitIx> {
        let open = self.reached_by.iter().filter(|(_, set)| self.sets.is_open(**set));
        open.map(|(commit, _)| *commit).collect()
    }

    /// Which of the named commits reach this one, as a number; commits of the same number answer the same questions.
    pub(crate) fn reached_by(&self, commit: CommitIx) -> SetIx {
        self.reached_by.get(&commit).copied().unwrap_or(NOTHING)
    }

    /// Whether commits that are reached so answer the question of this number.
    pub(crate) fn answers(&self, set: SetIx, question: usize) -> bool {
        let Some(bits) = self.sets.all.get(set.0 as usize) else { return false };
        self.sets.questions.get(question).is_some_and(|question| question.is_answered_by(bits))
    }
}

/// A set of named commits by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SetIx(u32);

/// The set that every commit begins with.
const NOTHING: SetIx = SetIx(0);

/// A question whose commits are places in a set.
struct Numbered {
    included: Vec<u32>,
    excluded: Vec<u32>,
}

impl Numbered {
    fn is_answered_by(&self, bits: &[u64]) -> bool {
        let has = |place: &u32| bits[(place / 64) as usize] & (1 << (place % 64)) != 0;
        self.included.iter().any(has) && !self.excluded.iter().any(has)
    }
}

/// The sets that were met, each once.
struct Sets {
    questions: Vec<Numbered>,
    words: usize,
    all: Vec<Rc<[u64]>>,
    numbers: HashMap<Rc<[u64]>, SetIx>,
    unions: HashMap<(SetIx, SetIx), SetIx>,
    /// Of each set, whether the commits that it reaches answer a question.
    open: Vec<bool>,
}

impl Sets {
    fn new(questions: Vec<Numbered>) -> Self {
        let places = questions.iter().flat_map(|question| question.included.iter().chain(&question.excluded));
        let words = places.max().map_or(0, |last| *last as usize / 64 + 1);
        let (all, open) = (Vec::new(), Vec::new());
        let (numbers, unions) = (HashMap::new(), HashMap::new());
        let mut sets = Self { questions, words, all, numbers, unions, open };
        sets.intern(vec![0; words]);
        sets
    }

    fn only(&mut self, place: u32) -> SetIx {
        let mut bits = vec![0; self.words];
        bits[(place / 64) as usize] |= 1 << (place % 64);
        self.intern(bits)
    }

    fn union(&mut self, one: SetIx, other: SetIx) -> SetIx {
        let (low, high) = (one.min(other), one.max(other));
        if low == high || low == NOTHING {
            return high;
        }
        if let Some(known) = self.unions.get(&(low, high)) {
            return *known;
        }
        let pairs = self.all[low.0 as usize].iter().zip(self.all[high.0 as usize].iter());
        let bits = pairs.map(|(one, other)| one | other).collect();
        let union = self.intern(bits);
        self.unions.insert((low, high), union);
        union
    }

    fn intern(&mut self, bits: Vec<u64>) -> SetIx {
        let bits: Rc<[u64]> = bits.into();
        if let Some(known) = self.numbers.get(&bits) {
            return *known;
        }
        let number = SetIx(self.all.len() as u32);
        self.open.push(self.questions.iter().any(|question| question.is_answered_by(&bits)));
        self.all.push(Rc::clone(&bits));
        self.numbers.insert(bits, number);
        number
    }

    fn is_open(&self, set: SetIx) -> bool {
        self.open[set.0 as usize]
    }
}

/// Commits to be walked on from, the furthest from the roots first: by generation, then by date.
pub(crate) type Queue = BinaryHeap<(u32, i64, CommitIx)>;

/// How far a walk from children to parents has to go: until nothing is left that could reach the commits it is about.
///
/// Generations tell where the commit-graph knows both. Elsewhere dates must do, as they do for git (which looks 5 commits
/// further): with a day's leeway, [`PATIENCE`] commits further, and if a date is found on the way that runs backwards by
/// more than the leeway, dates are not believed and the walk goes on to the roots.
pub(crate) struct Horizon {
    /// Of the commits that the walk is about: the lowest generation, and the oldest outside the commit-graph.
    lowest: u32,
    oldest: i64,
    dates_are_believed: bool,
    /// How many commits are still looked at after dates have said that it is enough.
    patience: usize,
}

const LEEWAY_SECONDS: i64 = 24 * 60 * 60;
const PATIENCE: usize = 2_000;

impl Horizon {
    pub(crate) fn new() -> Self {
        Self { lowest: UNKNOWN_GENERATION, oldest: i64::MAX, dates_are_believed: true, patience: PATIENCE }
    }

    /// The walk is about this commit.
    pub(crate) fn include(&mut self, generation: u32, seconds: i64) {
        if generation == UNKNOWN_GENERATION {
            self.oldest = self.oldest.min(seconds);
        } else {
            self.lowest = self.lowest.min(generation);
        }
    }

    /// Looks whether the dates of the parents of a commit outside the commit-graph run backwards.
    pub(crate) fn doubt_dates(
        &mut self,
        ancestry: &mut Ancestry<'_>,
        seconds: i64,
        parents: &[CommitIx],
    ) -> Result<()> {
        for parent in parents {
            let parent = ancestry.lineage(*parent)?;
            self.dates_are_believed &= parent.seconds <= seconds.saturating_add(LEEWAY_SECONDS);
        }
        Ok(())
    }

    /// Whether nothing in the queue can reach what the walk is about.
    pub(crate) fn is_passed(&mut self, queue: &Queue) -> bool {
        let is_beyond = |(generation, seconds, _): &(u32, i64, CommitIx)| match *generation {
            UNKNOWN_GENERATION => {
                self.dates_are_believed && seconds.saturating_add(LEEWAY_SECONDS) < self.oldest
            }
            generation => generation <= self.lowest,
        };
        // Mostly the first tells for all.
        if queue.peek().is_some_and(|first| !is_beyond(first)) || !queue.iter().all(is_beyond) {
            return false;
        }
        let by_date = queue.peek().is_some_and(|(generation, ..)| *generation == UNKNOWN_GENERATION);
        if by_date && self.patience > 0 {
            self.patience -= 1;
            return false;
        }
        true
    }
}

/// Sets of named commits that spread from commits to their parents.
struct Painting<'a, 'o> {
    ancestry: &'a mut Ancestry<'o>,
    sets: Sets,
    colours: HashMap<CommitIx, SetIx>,
    spread: HashMap<CommitIx, SetIx>,
    queue: Queue,
    queued: HashSet<CommitIx>,
    /// How many queued commits answer a question as things stand.
    open: usize,
    horizon: Horizon,
}

impl<'a, 'o> Painting<'a, 'o> {
    fn new(ancestry: &'a mut Ancestry<'o>, sets: Sets) -> Self {
        Self {
            ancestry,
            sets,
            colours: HashMap::new(),
            spread: HashMap::new(),
            queue: BinaryHeap::new(),
            queued: HashSet::new(),
            open: 0,
            horizon: Horizon::new(),
        }
    }

    fn paint(&mut self, commit: CommitIx, colour: SetIx) -> Result<()> {
        let had = self.colours.get(&commit).copied().unwrap_or(NOTHING);
        let has = self.sets.union(had, colour);
        if has == had {
            return Ok(());
        }
        self.colours.insert(commit, has);
        let is_open = self.sets.is_open(has);
        if self.queued.insert(commit) {
            let lineage = self.ancestry.lineage(commit)?;
            self.queue.push((lineage.generation, lineage.seconds, commit));
            self.open += usize::from(is_open);
            if lineage.generation == UNKNOWN_GENERATION && !is_open {
                self.horizon.doubt_dates(self.ancestry, lineage.seconds, &lineage.parents)?;
            }
        } else {
            self.open -= usize::from(self.sets.is_open(had));
            self.open += usize::from(is_open);
        }
        Ok(())
    }

    /// Lets the colours of the furthest commit reach its parents. `false` where none is left.
    fn spread(&mut self) -> Result<bool> {
        let Some((generation, seconds, commit)) = self.queue.pop() else { return Ok(false) };
        self.queued.remove(&commit);
        let colour = self.colours[&commit];
        if self.sets.is_open(colour) {
            self.open -= 1;
            self.horizon.include(generation, seconds);
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
            self.horizon.doubt_dates(self.ancestry, seconds, &lineage.parents)?;
        }
        Ok(true)
    }

    /// Whether no queued commit can change an answer any more.
    fn is_settled(&mut self) -> bool {
        self.open == 0 && self.horizon.is_passed(&self.queue)
    }
}
