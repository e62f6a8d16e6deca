//! The culprit: the change to undo so that a path is again what it was when it was last good.
//!
//! State decides and never a message: a removal made by a revert is a removal. What counts as the last change, and
//! when it is itself a rollback, is told from the entries of the path alone.

use std::collections::{HashMap, HashSet};

use regex::bytes::Regex;
use serde::{Deserialize, Serialize};

use crate::content::count_lines;
use crate::error::{Error, Result, RevisionError};
use crate::id::{CommitId, Entry, EntryMode, ObjectId};
use crate::path::RepoPath;
use crate::repo::{Objects, Repo};

use super::change::{Change, ChangeKind};
use super::entries::{file_blob, same};
use super::mainline::introduced_by;
use super::walk::{Follow, Node, PathWalk, Visit};
use crate::repo::ancestry::with_ancestry;

/// What the search for a culprit came to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Culprit {
    /// There is a change to undo.
    Found(Box<FoundCulprit>),
    /// The path is as it was before: there is nothing to undo.
    AlreadyRolledBack(RolledBack),
    /// The predicates hold at the tip since its last change to the path, did not hold before it, and the path is not as
    /// it was when they held last: the last change is a repair, which no predicate asks to undo.
    Mended {
        /// The last change.
        by: CommitId,
    },
    /// The path exists and satisfied the predicates in no commit that the tip reaches.
    NeverGood {
        /// The changes to the path that were looked at, newest first.
        changes: Vec<CommitId>,
    },
}

/// The change to undo.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct FoundCulprit {
    /// The commit that made the change.
    pub commit_id: CommitId,
    /// The name of the path in that commit or, where it removed the path, before it.
    pub path: RepoPath,
    /// What it did.
    pub kind: ChangeKind,
    /// The name the path had before, if the commit renamed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<RepoPath>,
    /// The name under which the path went away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<RepoPath>,
    /// Whether the commit is a merge at which the path differs from every parent.
    pub is_merge: bool,
    /// The merge that brought the commit into the first-parent history of the tip; `None` where it was made there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub introduced_by: Option<CommitId>,
    /// The other changes to the path since it was last good, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub further_changes: Vec<CommitId>,
    /// Whether the predicates hold on both sides of the change: they do not tell good from bad, and the change is the
    /// culprit because it is the last one.
    #[serde(default, skip_serializing_if = "is_false")]
    pub indecisive: bool,
    /// The newest good state before the change.
    pub last_good: Option<LastGood>,
    /// Where a shallow clone ended the search for the last good state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shallow_at: Option<CommitId>,
}

fn is_false(value: &bool) -> bool {
    !*value
}

/// A state of the path that was good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct LastGood {
    /// The newest commit that has it.
    pub commit_id: CommitId,
    /// The name of the path there.
    pub path: RepoPath,
    /// The blob; of a folder the tree.
    pub blob_id: ObjectId,
    /// The mode of the entry.
    pub mode: EntryMode,
}

impl LastGood {
    /// The entry of the path.
    pub fn entry(&self) -> Entry {
        Entry { mode: self.mode, id: self.blob_id }
    }
}

/// Why there is nothing to undo.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct RolledBack {
    /// The change that did the rolling back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<CommitId>,
    /// The change it took back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<CommitId>,
    /// The path at the tip; `None` where it is absent.
    pub entry: Option<Entry>,
}

/// What makes a state of the path good, beside that the path exists. All that are given must hold.
#[derive(Default)]
#[non_exhaustive]
pub struct Predicates<'p> {
    /// The file matches.
    pub match_: Option<Regex>,
    /// The file has this many lines, a last one without a line feed included.
    pub lines: Option<usize>,
    /// The caller says so. Asked once for each state of the path, with the newest commit that has it.
    pub check: Option<&'p mut Check<'p>>,
}

/// A question to the caller about a state of the path.
pub type Check<'p> = dyn FnMut(&Candidate<'_>) -> Result<bool> + 'p;

/// A state of the path, in the newest commit that has it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Candidate<'a> {
    /// The commit.
    pub commit_id: CommitId,
    /// The name of the path there.
    pub path: &'a RepoPath,
    /// What stands there.
    pub entry: Entry,
}

impl Predicates<'_> {
    fn are_given(&self) -> bool {
        self.match_.is_some() || self.lines.is_some() || self.check.is_some()
    }

    fn hold(&mut self, objects: &Objects, candidate: &Candidate<'_>) -> Result<bool> {
        if self.match_.is_some() || self.lines.is_some() {
            let Some(blob) = file_blob(Some(candidate.entry)) else { return Ok(false) };
            let content = objects.blob(blob)?;
            if self.match_.as_ref().is_some_and(|regex| !regex.is_match(&content))
                || self.lines.is_some_and(|wanted| count_lines(&content) != wanted)
            {
                return Ok(false);
            }
        }
        self.check.as_mut().map_or(Ok(true), |check| check(candidate))
    }
}

impl Repo {
    /// Finds the change to undo so that `path` is again what it was when it was last good, in what `tip` reaches.
    ///
    /// A path that is absent at the tip: the change that removed it. A path that is there, without predicates: the
    /// last change, unless that is itself a rollback. With predicates: the oldest change since they last held; where they
    /// hold at the tip, state decides as without them.
    ///
    /// # Errors
    /// [`PathError::NeverExisted`](crate::error::PathError::NeverExisted); [`RevisionError::ShallowHistory`] where the
    /// clone ends before the answer; [`Error::BadRequest`] for predicates on the content of a folder.
    pub fn culprit(
        &self,
        tip: CommitId,
        path: &RepoPath,
        predicates: &mut Predicates<'_>,
    ) -> Result<Culprit> {
        find_culprit(&self.objects(), tip, path, predicates)
    }
}

/// As [`Repo::culprit`], on objects at hand.
pub(crate) fn find_culprit(
    objects: &Objects,
    tip: CommitId,
    path: &RepoPath,
    predicates: &mut Predicates<'_>,
) -> Result<Culprit> {
    with_ancestry(objects, |ancestry| {
        let mut walk = PathWalk::new(ancestry, tip, path, Follow::Renames);
        culprit_along(&mut walk, tip, path, predicates)
    })
}

/// As [`find_culprit`], with what a walk along the history of the path has read already.
pub(super) fn culprit_along(
    walk: &mut PathWalk<'_>,
    tip: CommitId,
    path: &RepoPath,
    predicates: &mut Predicates<'_>,
) -> Result<Culprit> {
    let mut search = Search::new(walk, tip, path, predicates);
    match search.at_tip()? {
        None => search.absent(),
        Some(entry) if search.predicates.are_given() => search.since_good(entry),
        Some(entry) => search.last_change(entry),
    }
}

struct Search<'o, 's, 'p> {
    objects: &'o Objects,
    walk: &'s mut PathWalk<'o>,
    predicates: &'s mut Predicates<'p>,
    tip: CommitId,
    path: &'s RepoPath,
    start: Node,
    good: HashMap<(Node, Entry), bool>,
    judged: HashMap<(RepoPath, Entry), bool>,
}

/// What a search along history for a good state came to.
#[derive(Default)]
struct Hunt {
    good: Option<LastGood>,
    /// The changes passed on the way, newest first.
    passed: Vec<Node>,
    /// The first place where a shallow clone cut a line that was followed.
    boundary: Option<CommitId>,
}

impl<'o, 's, 'p> Search<'o, 's, 'p> {
    fn new(
        walk: &'s mut PathWalk<'o>,
        tip: CommitId,
        path: &'s RepoPath,
        predicates: &'s mut Predicates<'p>,
    ) -> Self {
        let objects = walk.ancestry().objects();
        let start = walk.node(tip, path);
        walk.restart(start);
        Self { objects, walk, predicates, tip, path, start, good: HashMap::new(), judged: HashMap::new() }
    }

    fn at_tip(&mut self) -> Result<Option<Entry>> {
        let entry = self.walk.entry(self.start)?;
        let about_content = self.predicates.match_.is_some() || self.predicates.lines.is_some();
        if about_content && entry.is_some_and(|entry| entry.mode.is_tree()) {
            let what = format!("'{}' is a folder, and only a file's content can be matched", self.path);
            return Err(Error::BadRequest(what));
        }
        Ok(entry)
    }

    /// The path is absent: whatever removed it is the culprit.
    fn absent(&mut self) -> Result<Culprit> {
        let Some((last, on_mainline)) = self.first_change()? else { return Err(self.never_existed()?) };
        let change = self.describe(last.node)?;
        if let Some(to) = &change.to
            && let Some(rolled_back) = self.rename_taken_back(&last, to)?
        {
            return Ok(Culprit::AlreadyRolledBack(rolled_back));
        }
        self.found(&last, change, Vec::new(), on_mainline)
    }

    /// The path is there and anything may be wrong with it: the last change to its content is the culprit, if it is no
    /// rollback.
    fn last_change(&mut self, entry: Entry) -> Result<Culprit> {
        let Some((last, on_mainline)) = self.first_content_change()? else {
            return Err(self.never_existed()?);
        };
        if let Some(before_last) = self.next_content_change()? {
            self.refuse_boundary(&before_last, "the change before the last")?;
            if let Some(earlier) = before_last.step.parents.first()
                && same(self.walk.entry(*earlier)?, Some(entry))
            {
                return Ok(Culprit::AlreadyRolledBack(RolledBack {
                    by: Some(self.walk.commit_id(last.node)),
                    of: Some(self.walk.commit_id(before_last.node)),
                    entry: Some(entry),
                }));
            }
        }
        let change = self.describe(last.node)?;
        self.found(&last, change, Vec::new(), on_mainline)
    }

    /// The path is there and the predicates hold. They alone are no sign of a rollback: only where the path is as it was
    /// before the changes that broke it is there nothing to undo.
    fn good_at_tip(&mut self, entry: Entry) -> Result<Culprit> {
        let mut last = match self.last_change(entry)? {
            Culprit::Found(last) => last,
            other => return Ok(other),
        };
        if last.kind == ChangeKind::Added {
            return Ok(Culprit::Found(last));
        }
        // Changes between the last one and the last good state: the predicates did not hold before the last one.
        let broken_before = last.last_good.is_none() || !last.further_changes.is_empty();
        if !broken_before {
            last.indecisive = true;
            return Ok(Culprit::Found(last));
        }
        let (by, of) = (last.commit_id, last.further_changes.last().copied());
        let as_before = last
            .last_good
            .is_some_and(|good| good.path == *self.path && same(Some(good.entry()), Some(entry)));
        Ok(match as_before {
            true => Culprit::AlreadyRolledBack(RolledBack { by: Some(by), of, entry: Some(entry) }),
            false => Culprit::Mended { by },
        })
    }

    /// The path is there and the predicates tell good from bad: the oldest change after the last good state.
    fn since_good(&mut self, entry: Entry) -> Result<Culprit> {
        if self.is_good(self.start)? {
            return self.good_at_tip(entry);
        }
        let mut passed: Vec<(Node, Option<usize>)> = Vec::new();
        let mut pending = vec![(self.start, None)];
        let mut seen = HashSet::from([self.start]);
        let mut partly_good = None;
        let mut boundary = None;
        while let Some((node, newer)) = pending.pop() {
            let step = self.walk.step(node)?;
            if step.boundary {
                boundary.get_or_insert(self.walk.commit_id(node));
                continue;
            }
            let mut trail = newer;
            if step.is_change {
                passed.push((node, newer));
                trail = Some(passed.len() - 1);
            }
            let mut bad = Vec::new();
            for parent in &step.parents {
                if step.is_change && self.is_good(*parent)? {
                    continue;
                }
                bad.push(*parent);
            }
            let found = (step.is_change && !step.parents.is_empty()).then_some(Visit { node, step });
            match found {
                Some(visit) if bad.is_empty() => return self.broken_by(&visit, &passed),
                Some(visit) if bad.len() < visit.step.parents.len() => {
                    partly_good.get_or_insert((visit, passed.clone()));
                }
                _ => {}
            }
            // Mainline last onto the stack, so that it is followed first.
            pending.extend(
                bad.into_iter().rev().filter(|parent| seen.insert(*parent)).map(|parent| (parent, trail)),
            );
        }
        match (partly_good, boundary) {
            (Some((visit, passed)), _) => self.broken_by(&visit, &passed),
            (None, Some(boundary)) => Err(RevisionError::ShallowHistory {
                boundary,
                what: format!("a good state of '{}'", self.path),
            }
            .into()),
            (None, None) => Ok(Culprit::NeverGood {
                changes: passed.into_iter().map(|(node, _)| self.walk.commit_id(node)).collect(),
            }),
        }
    }

    /// The last of the changes passed turned a good state into a bad one.
    fn broken_by(&mut self, visit: &Visit, passed: &[(Node, Option<usize>)]) -> Result<Culprit> {
        let mut further = Vec::new();
        let mut at = passed.last().and_then(|(_, newer)| *newer);
        while let Some(index) = at {
            further.push(self.walk.commit_id(passed[index].0));
            at = passed[index].1;
        }
        further.reverse();
        let change = self.describe(visit.node)?;
        self.found(visit, change, further, false)
    }

    fn found(
        &mut self,
        visit: &Visit,
        change: Change,
        mut further_changes: Vec<CommitId>,
        on_mainline: bool,
    ) -> Result<Culprit> {
        let hunt = self.last_good(&visit.step.parents)?;
        for node in hunt.passed {
            further_changes.push(self.walk.commit_id(node));
        }
        let introduced_by = match on_mainline {
            true => None,
            false => introduced_by(self.walk.ancestry(), self.tip, change.commit_id)?,
        };
        Ok(Culprit::Found(Box::new(FoundCulprit {
            commit_id: change.commit_id,
            path: change.path,
            kind: change.kind,
            from: change.from,
            to: change.to,
            is_merge: visit.step.parents.len() > 1,
            introduced_by,
            further_changes,
            indecisive: false,
            last_good: hunt.good,
            shallow_at: hunt.boundary,
        })))
    }

    /// From the mainline parent on (then from the others) the first good state.
    fn last_good(&mut self, parents: &[Node]) -> Result<Hunt> {
        let mut hunt = Hunt::default();
        let mut pending: Vec<Node> = parents.iter().rev().copied().collect();
        let mut seen: HashSet<Node> = pending.iter().copied().collect();
        while let Some(node) = pending.pop() {
            if self.is_good(node)? {
                let entry = self.walk.entry(node)?.expect("only what exists is good");
                hunt.good = Some(LastGood {
                    commit_id: self.walk.commit_id(node),
                    path: self.walk.path(node).clone(),
                    blob_id: entry.id,
                    mode: entry.mode,
                });
                hunt.boundary = None;
                return Ok(hunt);
            }
            let step = self.walk.step(node)?;
            if step.boundary {
                hunt.boundary.get_or_insert(self.walk.commit_id(node));
            }
            if step.is_change {
                hunt.passed.push(node);
            }
            pending.extend(step.parents.into_iter().rev().filter(|parent| seen.insert(*parent)));
        }
        // Without a good state there is nothing that the changes came after.
        hunt.passed.clear();
        Ok(hunt)
    }

    fn is_good(&mut self, node: Node) -> Result<bool> {
        let Some(entry) = self.walk.entry(node)? else { return Ok(false) };
        if !self.predicates.are_given() {
            return Ok(true);
        }
        if let Some(known) = self.good.get(&(node, entry)) {
            return Ok(*known);
        }
        let path = self.walk.path(node).clone();
        let known = self.judged.get(&(path.clone(), entry)).copied();
        let good = match known {
            Some(good) => good,
            None => {
                let candidate = Candidate { commit_id: self.walk.commit_id(node), path: &path, entry };
                self.predicates.hold(self.objects, &candidate)?
            }
        };
        self.judged.insert((path, entry), good);
        self.good.insert((node, entry), good);
        Ok(good)
    }

    /// The newest change, and whether the way there was along first parents alone.
    fn first_change(&mut self) -> Result<Option<(Visit, bool)>> {
        let mut on_mainline = true;
        while let Some(visit) = self.walk.next()? {
            self.refuse_boundary(&visit, "the last change")?;
            if visit.step.is_change {
                return Ok(Some((visit, on_mainline)));
            }
            on_mainline &= visit.step.on_mainline;
        }
        Ok(None)
    }

    /// As [`Self::first_change`], but for commits that only moved the file: they did nothing to its content.
    fn first_content_change(&mut self) -> Result<Option<(Visit, bool)>> {
        let mut on_mainline = true;
        while let Some((visit, along)) = self.first_change()? {
            on_mainline &= along;
            if !self.walk.is_pure_move(&visit)? {
                return Ok(Some((visit, on_mainline)));
            }
        }
        Ok(None)
    }

    fn next_content_change(&mut self) -> Result<Option<Visit>> {
        while let Some(visit) = self.walk.next_change()? {
            if !self.walk.is_pure_move(&visit)? {
                return Ok(Some(visit));
            }
        }
        Ok(None)
    }

    /// A commit whose parents are not here may look like the one that added everything: it is never an answer.
    fn refuse_boundary(&self, visit: &Visit, what: &str) -> Result<()> {
        if !visit.step.boundary {
            return Ok(());
        }
        let boundary = self.walk.commit_id(visit.node);
        Err(RevisionError::ShallowHistory { boundary, what: format!("{what} to '{}'", self.path) }.into())
    }

    /// The path went away to the very name that the change before had taken it from: that rename was taken back.
    fn rename_taken_back(&mut self, last: &Visit, to: &RepoPath) -> Result<Option<RolledBack>> {
        let Some(before_last) = self.walk.next_change()? else { return Ok(None) };
        let Some(earlier) = before_last.step.parents.first().copied() else { return Ok(None) };
        if self.walk.path(before_last.node) != self.path || self.walk.path(earlier) != to {
            return Ok(None);
        }
        let now = self.walk.node(self.tip, to);
        if !same(self.walk.entry(earlier)?, self.walk.entry(now)?) {
            return Ok(None);
        }
        Ok(Some(RolledBack {
            by: Some(self.walk.commit_id(last.node)),
            of: Some(self.walk.commit_id(before_last.node)),
            entry: None,
        }))
    }

    fn describe(&mut self, node: Node) -> Result<Change> {
        super::path_history::describe(self.walk, node)
    }

    fn never_existed(&mut self) -> Result<Error> {
        super::elsewhere::never_existed(self.objects, self.tip, self.path)
    }
}
