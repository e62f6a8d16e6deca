//! Ranges of commits as something to take back or to replay: `A..B` is the way from A to B along first parents.
//!
//! A set of commits, git's reading of `A..B`, is not that where merges lie between: it holds a merge and the commits that
//! the merge brought in, so that each of these would be undone twice, in an order that no tree ever had.

use std::collections::{BTreeSet, HashSet};

use gix::revision::plumbing::Spec;
use serde::{Deserialize, Serialize};

use super::ancestry::{Ancestry, CommitIx, with_ancestry};
use super::reach::{Question, Reach};
use super::revision::{Ends, parse_spec, peel};
use super::{Objects, Repo, commit_set};
use crate::error::{Result, RevisionError};
use crate::id::CommitId;

/// How a range of commits is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RangeReading {
    /// The first-parent commits after A, each merge as one change against its first parent. Refused where these are not
    /// all that B has and A lacks.
    #[default]
    Line,
    /// The same, from where the first-parent history of B leaves that of A, whatever merges between brought in.
    FirstParent,
    /// git's: every commit that is reached and not excluded.
    Set,
}

impl RangeReading {
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// The commits that a request names.
#[derive(Debug, Default)]
pub(crate) struct Named {
    /// The commits, each once: single names as they are given, those of a range newest first.
    pub(crate) commits: Vec<CommitId>,
    /// Those of a range that is read along first parents: a merge among them is taken against its first parent.
    pub(crate) on_line: HashSet<CommitId>,
    /// The runs of `commits` that come from one range each, as start and end.
    ranges: Vec<(usize, usize)>,
}

/// The first-parent commits of `tip` that `excluded` does not reach.
#[derive(Debug)]
pub(crate) struct Line {
    /// The commits, newest first.
    pub(crate) commits: Vec<CommitId>,
    /// The commit at which the line meets the past of what is excluded; `None` where it ends in a root.
    pub(crate) end: Option<CommitId>,
    /// Everything that the tip reaches and `excluded` does not, newest first.
    pub(crate) beyond: Vec<CommitId>,
    /// The merges on the line that brought in commits which `excluded` reaches, the oldest first. Where there are none,
    /// taking back the line takes back exactly `beyond`.
    pub(crate) brought_by: Vec<CommitId>,
}

impl Named {
    /// Puts the commits of each range oldest first, as they are replayed.
    pub(crate) fn reverse_ranges(&mut self) {
        for (start, end) in &self.ranges {
            self.commits[*start..*end].reverse();
        }
    }

    fn push(&mut self, commit: CommitId) {
        if !self.commits.contains(&commit) {
            self.commits.push(commit);
        }
    }

    fn push_range(&mut self, commits: Vec<CommitId>) {
        let start = self.commits.len();
        let known: HashSet<_> = self.commits.iter().copied().collect();
        self.commits.extend(commits.into_iter().filter(|commit| !known.contains(commit)));
        self.ranges.push((start, self.commits.len()));
    }
}

impl Repo {
    /// The commits that `specs` name as changes to take back or to replay. Each word is read by itself, unless one begins
    /// with `^`: that one excludes from all others, as `A..B` does from B.
    ///
    /// # Errors
    /// As [`Repo::resolve_commits`], and [`RevisionError::RangeOffLine`].
    pub(crate) fn resolve_changes(&self, specs: &[String], reading: RangeReading) -> Result<Named> {
        let mut named = Named::default();
        if reading == RangeReading::Set {
            let commits = self.resolve_commits(specs)?;
            match specs.iter().any(|spec| is_range(spec)) {
                true => named.push_range(commits),
                false => named.commits = commits,
            }
            return Ok(named);
        }
        let objects = self.objects();
        let together = specs.iter().any(|spec| spec.starts_with('^'));
        let mut all = Ends::default();
        for spec in specs {
            if together {
                all.add(&objects, spec)?;
            } else {
                named.add(&objects, spec, reading)?;
            }
        }
        if together {
            named.add_ends(&objects, &all, (&specs.join(" "), reading))?;
        }
        if named.commits.is_empty() {
            return Err(RevisionError::EmptyCommitSet { specs: specs.to_vec() }.into());
        }
        Ok(named)
    }
}

impl Named {
    fn add(&mut self, objects: &Objects, spec: &str, reading: RangeReading) -> Result<()> {
        let words = parse_spec(objects.gix(), spec)?;
        // `C^!` is C without its past: a name.
        if let Spec::ExcludeParents(id) = words {
            self.push(peel(objects.gix(), spec, id)?);
            return Ok(());
        }
        let mut ends = Ends::default();
        ends.add_words(objects, spec, words)?;
        match ends.is_walk {
            true => self.add_ends(objects, &ends, (spec, reading)),
            false => {
                ends.included.into_iter().for_each(|commit| self.push(commit));
                Ok(())
            }
        }
    }

    fn add_ends(
        &mut self,
        objects: &Objects,
        ends: &Ends,
        (spec, reading): (&str, RangeReading),
    ) -> Result<()> {
        for end in &ends.included {
            let line = line_between(objects, *end, &ends.excluded)?;
            if reading == RangeReading::Line && !line.brought_by.is_empty() {
                return Err(RevisionError::RangeOffLine {
                    spec: spec.to_owned(),
                    brought_by: line.brought_by,
                }
                .into());
            }
            self.on_line.extend(&line.commits);
            self.push_range(line.commits);
        }
        Ok(())
    }
}

/// The first-parent commits from `tip` down to what `excluded` reaches.
///
/// # Errors
/// Those of reading commits; [`RevisionError::ShallowHistory`] where a shallow clone ends the line.
pub(crate) fn line_between(objects: &Objects, tip: CommitId, excluded: &[CommitId]) -> Result<Line> {
    with_ancestry(objects, |mut ancestry| Line::read(&mut ancestry, tip, excluded))
}

impl Line {
    fn read(ancestry: &mut Ancestry<'_>, tip: CommitId, excluded: &[CommitId]) -> Result<Self> {
        let tip = ancestry.index_of(tip);
        let excluded: Vec<_> = excluded.iter().map(|commit| ancestry.index_of(*commit)).collect();
        let members = commit_set::difference(ancestry, &[tip], &excluded)?;
        let (line, end) = first_parents(ancestry, tip, &members)?;
        let below: Vec<_> = end.into_iter().collect();
        let brought_by = match excluded.iter().all(|commit| below.contains(commit)) {
            true => Vec::new(),
            false => bringing_in(ancestry, &line, &below, &members)?,
        };
        let beyond = commit_set::newest_first(ancestry, &members, &[tip])?;
        let ids = |commits: Vec<CommitIx>| commits.into_iter().map(|commit| ancestry.id(commit)).collect();
        let end = end.map(|end| ancestry.id(end));
        Ok(Self { commits: ids(line), end, beyond: ids(beyond), brought_by: ids(brought_by) })
    }
}

/// The first-parent commits from `tip` on that are `members`, and the first that is none.
fn first_parents(
    ancestry: &mut Ancestry<'_>,
    tip: CommitIx,
    members: &HashSet<CommitIx>,
) -> Result<(Vec<CommitIx>, Option<CommitIx>)> {
    let mut line = Vec::new();
    let mut at = Some(tip);
    while let Some(commit) = at.filter(|commit| members.contains(commit)) {
        let lineage = ancestry.lineage(commit)?;
        if lineage.boundary {
            let what = "where the range begins".to_owned();
            return Err(RevisionError::ShallowHistory { boundary: ancestry.id(commit), what }.into());
        }
        line.push(commit);
        at = lineage.parents.first().copied();
    }
    Ok((line, at))
}

/// The merges on `line` that brought in what lies between `below` and the line and is none of the `members`, the oldest
/// first.
fn bringing_in(
    ancestry: &mut Ancestry<'_>,
    line: &[CommitIx],
    below: &[CommitIx],
    members: &HashSet<CommitIx>,
) -> Result<Vec<CommitIx>> {
    let Some(tip) = line.first() else { return Ok(Vec::new()) };
    let mut foreign = commit_set::difference(ancestry, &[*tip], below)?;
    foreign.retain(|commit| !members.contains(commit));
    let mut merges = Vec::new();
    let mut questions = Vec::new();
    for commit in line.iter().rev().filter(|_| !foreign.is_empty()) {
        if let [first, _, ..] = ancestry.lineage(*commit)?.parents[..] {
            merges.push(*commit);
            questions.push(Question { included: vec![*commit], excluded: vec![first] });
        }
    }
    let reach = Reach::walk(ancestry, &questions)?;
    let ways: HashSet<_> = foreign.iter().map(|commit| reach.reached_by(*commit)).collect();
    let first_of = |set| (0..merges.len()).find(|merge| reach.answers(set, *merge));
    let bringing: BTreeSet<_> = ways.into_iter().filter_map(first_of).collect();
    Ok(bringing.into_iter().map(|merge| merges[merge]).collect())
}

/// Whether the word excludes commits.
pub(crate) fn is_range(spec: &str) -> bool {
    spec.contains("..") || spec.starts_with('^')
}
