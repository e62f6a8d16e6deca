//! A bisection from its ends to the culprit: rounds of commits that are judged at once.

use std::collections::HashMap;

use super::graph::{Candidates, Content, FirstParents, first_parent_line, meeting};
use super::judge::{Judge, confirmed};
use super::search::{Finding, Next, Search, steps};
use super::{
    BisectCulprit, BisectOptions, BisectVerdict, BisectWatch, Bisection, JudgedCommit, Outlook, RunCounts,
};
use crate::error::{BisectError, Error, Result, RevisionError};
use crate::history::mainline::introduced_by;
use crate::id::{CommitId, TreeId};
use crate::progress::{Count, Stage};
use crate::repo::Repo;
use crate::repo::ancestry::with_ancestry;
use crate::workers::{Spread, threads};

impl Repo {
    /// Finds the change that turned a commit from good to bad, as `judge` says what is good.
    ///
    /// Where every commit behind the culprit is bad and every other one good, the culprit is the one that `git bisect`
    /// finds. The ends are judged first. Without a good commit the first-parent line is searched back for one, in steps
    /// that double.
    ///
    /// # Errors
    /// [`BisectError`] where the ends are not what they were named as; [`RevisionError::ShallowHistory`] where a shallow
    /// clone ends before a good commit; those of resolving revisions and of `judge`; [`Error::Cancelled`].
    pub fn bisect(
        &self,
        options: &BisectOptions,
        judge: &dyn Judge,
        watch: &mut dyn BisectWatch,
    ) -> Result<Bisection> {
        let _span = tracing::debug_span!("bisect", good = ?options.good, bad = ?options.bad).entered();
        let bad = self.resolve_commit(options.bad.as_deref().unwrap_or("HEAD"))?;
        let good = options.good.as_deref().map(|good| self.resolve_commit(good)).transpose()?;
        let mut run = Run {
            repo: self,
            options,
            judge,
            watch,
            threads: threads(options.threads),
            count: self.count(Stage::Bisection, None),
            known: HashMap::new(),
            judged: Vec::new(),
            runs: RunCounts::default(),
        };
        let ends = match good {
            Some(good) => run.judge_ends(bad, good)?,
            None => run.search_good(bad)?,
        };
        let found = run.search(ends)?;
        Ok(Bisection {
            good: ends.good,
            bad,
            good_was_searched: good.is_none(),
            paths: options.paths.clone(),
            range: found.range,
            culprit: found.culprit.map(|culprit| run.describe(bad, culprit)).transpose()?,
            suspects: found.suspects,
            judged: run.judged,
            runs: run.runs,
        })
    }
}

/// Between what the change lies.
#[derive(Clone, Copy)]
struct Ends {
    good: CommitId,
    /// The oldest commit that is known to be bad.
    bad: CommitId,
}

struct Found {
    range: Outlook,
    culprit: Option<CommitId>,
    suspects: Vec<CommitId>,
}

/// For what a commit is judged.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    End,
    Search,
    Ahead,
}

struct Run<'a> {
    repo: &'a Repo,
    options: &'a BisectOptions,
    judge: &'a dyn Judge,
    watch: &'a mut dyn BisectWatch,
    threads: usize,
    count: Count,
    /// The verdict on each tree: what is checked are files, and the same files are as good or bad in any commit.
    known: HashMap<TreeId, JudgedCommit>,
    judged: Vec<JudgedCommit>,
    runs: RunCounts,
}

impl Run<'_> {
    /// Judges the ends that were named, at once; where they do not lie behind each other, also where their pasts meet.
    fn judge_ends(&mut self, bad: CommitId, good: CommitId) -> Result<Ends> {
        let objects = self.repo.objects();
        let bases = meeting(&objects, bad, good)?;
        if bases.contains(&bad) {
            return Err(BisectError::NothingBetween { good, bad }.into());
        }
        let bases: Vec<_> = bases.into_iter().filter(|base| *base != good).collect();
        let ends: Vec<_> = [bad, good].into_iter().chain(bases).collect();
        let judged = self.judge_at_once(&ends)?;
        for judged in &judged {
            self.record(judged.clone(), Purpose::End, None);
        }
        refuse_unless_bad(&judged[0])?;
        for judged in &judged[1..] {
            let commit = judged.commit_id;
            match judged.verdict {
                BisectVerdict::Good => {}
                BisectVerdict::Bad if commit == good => {
                    return Err(BisectError::GoodIsBad { commit, reason: judged.reason.clone() }.into());
                }
                BisectVerdict::Bad => return Err(BisectError::MendedSince { base: commit, good }.into()),
                BisectVerdict::Skipped => return Err(not_judged(judged)),
            }
        }
        Ok(Ends { good, bad })
    }

    /// Goes back along first parents, in steps that double, until a commit is good.
    fn search_good(&mut self, tip: CommitId) -> Result<Ends> {
        let objects = self.repo.objects();
        let FirstParents { commits: line, boundary } = first_parent_line(&objects, tip)?;
        let mut content = Content::of(&objects, &self.options.paths);
        let mut far = |from: usize, wanted: usize| -> Result<usize> {
            let (mut at, mut passed) = (from, 0);
            while at + 1 < line.len() && passed < wanted {
                let changes = content.at(line[at].1)? != content.at(line[at + 1].1)?;
                passed += usize::from(changes);
                at += 1;
            }
            Ok(at)
        };
        let (mut place, mut stride, mut judged) = (0, 1, 0);
        let mut bad = tip;
        let mut round = vec![tip];
        loop {
            while round.len() < self.threads.max(1) && place + 1 < line.len() {
                place = far(place, stride)?;
                stride *= 2;
                round.push(line[place].0);
            }
            if round.is_empty() {
                let oldest = line.last().map_or(tip, |(commit, _)| *commit);
                return Err(match boundary {
                    Some(boundary) => {
                        let what = "a commit at which the check passes".to_owned();
                        RevisionError::ShallowHistory { boundary, what }.into()
                    }
                    None => BisectError::NoGood { oldest, judged }.into(),
                });
            }
            judged += round.len();
            let mut good = None;
            for said in self.judge_at_once(&std::mem::take(&mut round))? {
                let purpose = if good.is_none() { Purpose::End } else { Purpose::Ahead };
                self.record(said.clone(), purpose, None);
                match (said.commit_id == tip, said.verdict) {
                    (true, _) => refuse_unless_bad(&said)?,
                    (_, BisectVerdict::Bad) if good.is_none() => bad = said.commit_id,
                    (_, BisectVerdict::Good) => good = good.or(Some(said.commit_id)),
                    _ => {}
                }
            }
            if let Some(good) = good {
                return Ok(Ends { good, bad });
            }
        }
    }

    /// Halves what lies between the ends until one change is left.
    fn search(&mut self, ends: Ends) -> Result<Found> {
        let Ends { good, bad } = ends;
        let candidates = Candidates::read(self.repo, bad, &[good], &self.options.paths)?;
        let not_in_paths = || Error::from(BisectError::NotInPaths { good, bad });
        if candidates.changing() == 0 {
            return Err(not_in_paths());
        }
        let mut search = Search::new(&candidates.nodes, 0);
        let on_first_parents = candidates.on_line();
        let outlook = |commits| Outlook { commits, on_first_parents, steps: steps(commits) };
        let range = outlook(candidates.changing());
        self.watch.begins(good, bad, &range);
        loop {
            let at = match search.next() {
                Next::Judge(at) => at,
                Next::Found(at) if candidates.nodes[at].changes || self.options.paths.is_empty() => {
                    if !self.options.paths.is_empty() && !self.turns_at(candidates.commits[at])? {
                        return Err(not_in_paths());
                    }
                    let culprit = Some(candidates.commits[at]);
                    return Ok(Found { range, culprit, suspects: Vec::new() });
                }
                Next::Found(_) => return Err(not_in_paths()),
                Next::OneOf(all) => {
                    let suspects = all.into_iter().map(|at| candidates.commits[at]).collect();
                    return Ok(Found { range, culprit: None, suspects });
                }
            };
            let round = match self.known.contains_key(&candidates.trees[at]) {
                true => vec![at],
                false => search.next_at_once(self.threads),
            };
            let commits: Vec<_> = round.iter().map(|at| candidates.commits[*at]).collect();
            for (at, judged) in round.into_iter().zip(self.judge_at_once(&commits)?) {
                let purpose = if search.is_open(at) { Purpose::Search } else { Purpose::Ahead };
                search.note(at, finding(judged.verdict));
                self.record(judged, purpose, Some(outlook(search.left())));
            }
        }
    }

    /// Whether the commit is bad and no parent is. With paths that is inferred from what has the same content there, and
    /// what turned it can lie elsewhere.
    fn turns_at(&mut self, commit: CommitId) -> Result<bool> {
        let parents = self.repo.commit_summary(commit)?.parents;
        let asked: Vec<_> = std::iter::once(commit).chain(parents).collect();
        let judged = self.judge_at_once(&asked)?;
        let turns = judged.iter().enumerate().all(|(at, judged)| match judged.verdict {
            BisectVerdict::Good => at > 0,
            BisectVerdict::Bad => at == 0,
            BisectVerdict::Skipped => true,
        });
        // Verdicts that the search has met were told then.
        for judged in judged.into_iter().filter(|judged| judged.runs > 0) {
            self.record(judged, Purpose::Search, None);
        }
        Ok(turns)
    }

    /// Judges commits on as many threads as there are; each tree once.
    fn judge_at_once(&mut self, commits: &[CommitId]) -> Result<Vec<JudgedCommit>> {
        self.repo.stop_if_cancelled()?;
        let mut rows: Vec<(CommitId, TreeId)> = Vec::new();
        let mut trees = Vec::with_capacity(commits.len());
        for commit in commits {
            let tree = self.repo.tree_of_commit(*commit)?;
            trees.push(tree);
            if !self.known.contains_key(&tree) && !rows.iter().any(|(_, other)| *other == tree) {
                rows.push((*commit, tree));
            }
        }
        if !rows.is_empty() {
            self.watch.judges(&rows.iter().map(|(commit, _)| *commit).collect::<Vec<_>>());
        }
        let (judge, confirm, count) = (self.judge, self.options.confirm, &self.count);
        let spread = Spread { threads: self.threads, at_once: 1 };
        let fresh = spread.over(&rows, &|| Ok::<_, Error>(()), &|(), (commit, _)| {
            let judged = confirmed(judge, *commit, confirm)?;
            count.step();
            Ok(judged)
        })?;
        self.known.extend(rows.iter().map(|(_, tree)| *tree).zip(fresh));
        let said = |(commit, tree): (&CommitId, TreeId)| {
            let known = &self.known[&tree];
            match rows.contains(&(*commit, tree)) {
                true => known.clone(),
                false => known.for_same_files(*commit),
            }
        };
        Ok(commits.iter().zip(trees).map(said).collect())
    }

    /// Keeps what was judged, and tells it.
    fn record(&mut self, mut judged: JudgedCommit, purpose: Purpose, left: Option<Outlook>) {
        judged.needed = purpose != Purpose::Ahead;
        *match purpose {
            Purpose::End => &mut self.runs.ends,
            Purpose::Search => &mut self.runs.search,
            Purpose::Ahead => &mut self.runs.ahead,
        } += judged.runs;
        self.watch.judged(&judged, left.as_ref());
        self.judged.push(judged);
    }

    fn describe(&self, bad: CommitId, culprit: CommitId) -> Result<BisectCulprit> {
        let summary = self.repo.commit_summary(culprit)?;
        let objects = self.repo.objects();
        Ok(BisectCulprit {
            commit_id: culprit,
            subject: summary.subject,
            mainline: (summary.parents.len() > 1).then_some(1),
            introduced_by: with_ancestry(&objects, |mut ancestry| {
                introduced_by(&mut ancestry, bad, culprit)
            })?,
        })
    }
}

fn finding(verdict: BisectVerdict) -> Finding {
    match verdict {
        BisectVerdict::Good => Finding::Good,
        BisectVerdict::Bad => Finding::Bad,
        BisectVerdict::Skipped => Finding::Skipped,
    }
}

fn refuse_unless_bad(judged: &JudgedCommit) -> Result<()> {
    match judged.verdict {
        BisectVerdict::Bad => Ok(()),
        BisectVerdict::Good => Err(BisectError::BadIsGood { commit: judged.commit_id }.into()),
        BisectVerdict::Skipped => Err(not_judged(judged)),
    }
}

fn not_judged(judged: &JudgedCommit) -> Error {
    BisectError::NotJudged { commit: judged.commit_id, reason: judged.reason.clone() }.into()
}
