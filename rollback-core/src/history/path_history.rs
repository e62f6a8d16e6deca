//! The history of one path as a document: its changes, who made them, what to undo and what was last good.

use serde::Serialize;

use crate::charset::text_for_people;
use crate::error::{Error, Result, RevisionError};
use crate::id::{CommitId, Entry};
use crate::path::RepoPath;
use crate::repo::{Objects, Repo, Signature};

use super::change::{Change, ChangeKind};
use super::culprit::{Culprit, FoundCulprit, LastGood, Predicates, RolledBack, culprit_along, find_culprit};
use super::elsewhere::{self, Removal};
use super::walk::{Follow, Node, PathWalk};
use crate::repo::ancestry::with_ancestry;

/// Which history of a path is wanted.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HistoryOptions {
    /// Where history begins, as a revision.
    pub tip: String,
    /// At most this many changes are listed, newest first. The culprit is found whatever the limit.
    pub limit: Option<usize>,
    /// Whether the path is followed through renames.
    pub follow_renames: bool,
    /// Whether other references are searched for commits that removed the path there.
    pub search_elsewhere: bool,
}

impl Default for HistoryOptions {
    fn default() -> Self {
        Self { tip: "HEAD".into(), limit: None, follow_renames: true, search_elsewhere: true }
    }
}

/// The history of a path in what a tip reaches.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct PathHistory {
    /// The path asked for.
    pub path: RepoPath,
    /// The commit at which history begins.
    pub tip: CommitId,
    /// The path at the tip; `None` where it is absent.
    pub at_tip: Option<Entry>,
    /// The changes, newest first, in the order of `git log --topo-order`.
    pub changes: Vec<HistoryChange>,
    /// Whether there are more changes than the limit allowed.
    pub truncated: bool,
    /// The change to undo.
    pub culprit: Option<FoundCulprit>,
    /// Why there is nothing to undo.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub already_rolled_back: Option<RolledBack>,
    /// The state before the culprit.
    pub last_good: Option<LastGood>,
    /// Paths at the tip that differ from this one in ASCII case alone.
    pub case_twins: Vec<RepoPath>,
    /// Commits that removed the path on other branches, for information.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub removed_elsewhere: Vec<Removal>,
    /// Where a shallow clone ends this history; what happened to the path there and before is not known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shallow_at: Vec<CommitId>,
}

/// One change to a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct HistoryChange {
    /// The commit.
    pub commit_id: CommitId,
    /// What it did.
    pub kind: ChangeKind,
    /// The name of the path in this commit or, where it removed the path, before it.
    pub path: RepoPath,
    /// The name the path had before, if the commit renamed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<RepoPath>,
    /// The name under which the path went away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<RepoPath>,
    /// The first line of the message, as UTF-8.
    pub subject: String,
    /// Who wrote the change.
    pub author: Person,
    /// When it was written: RFC 3339, in the author's own time zone.
    pub time: String,
}

/// A name and an address as a commit spells them, as UTF-8.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Person {
    /// The name.
    pub name: String,
    /// The mail address.
    pub email: String,
}

impl Repo {
    /// What changed `path`, who did it, and when it was last good. Nothing is written.
    ///
    /// # Errors
    /// [`RevisionError::Unknown`] and its kin for the tip; [`PathError::NeverExisted`];
    /// [`ObjectError::Missing`] and [`ObjectError::Corrupt`]; [`Error::Cancelled`].
    ///
    /// [`PathError::NeverExisted`]: crate::error::PathError::NeverExisted
    /// [`ObjectError::Missing`]: crate::error::ObjectError::Missing
    /// [`ObjectError::Corrupt`]: crate::error::ObjectError::Corrupt
    pub fn history(&self, path: &RepoPath, options: &HistoryOptions) -> Result<PathHistory> {
        let _span = tracing::debug_span!("history", ?path).entered();
        let tip = self.resolve_commit(&options.tip)?;
        let history = self.complete(|repo| path_history(&repo.objects(), tip, path, options))?;
        self.stop_if_cancelled()?;
        Ok(history)
    }
}

fn path_history(
    objects: &Objects,
    tip: CommitId,
    path: &RepoPath,
    options: &HistoryOptions,
) -> Result<PathHistory> {
    let mut history = with_ancestry(objects, |ancestry| {
        let follow = if options.follow_renames { Follow::Renames } else { Follow::NameOnly };
        let mut walk = PathWalk::new(ancestry, tip, path, follow);
        let start = walk.node(tip, path);
        let mut history = PathHistory::begin(tip, path.clone(), walk.entry(start)?);
        history.list(&mut walk, options.limit)?;
        if history.is_empty() {
            return Err(elsewhere::never_existed(objects, tip, path)?);
        }
        if options.follow_renames {
            history.judge(culprit_along(&mut walk, tip, path, &mut Predicates::default()))?;
        }
        Ok(history)
    })?;
    if !options.follow_renames {
        history.judge(find_culprit(objects, tip, path, &mut Predicates::default()))?;
    }
    history.case_twins = elsewhere::case_twins(objects, tip, path)?;
    if options.search_elsewhere {
        history.removed_elsewhere = elsewhere::removals(objects, tip, path)?;
    }
    Ok(history)
}

impl PathHistory {
    fn begin(tip: CommitId, path: RepoPath, at_tip: Option<Entry>) -> Self {
        Self {
            path,
            tip,
            at_tip,
            changes: Vec::new(),
            truncated: false,
            culprit: None,
            already_rolled_back: None,
            last_good: None,
            case_twins: Vec::new(),
            removed_elsewhere: Vec::new(),
            shallow_at: Vec::new(),
        }
    }

    fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.shallow_at.is_empty() && !self.truncated
    }

    fn list(&mut self, walk: &mut PathWalk<'_>, limit: Option<usize>) -> Result<()> {
        while let Some(visit) = walk.next_change()? {
            if visit.step.boundary {
                self.shallow_at.push(walk.commit_id(visit.node));
                continue;
            }
            if limit.is_some_and(|limit| self.changes.len() >= limit) {
                self.truncated = true;
                break;
            }
            let change = describe(walk, visit.node)?;
            self.changes.push(HistoryChange::new(walk.ancestry().objects(), change)?);
        }
        Ok(())
    }

    fn judge(&mut self, culprit: Result<Culprit>) -> Result<()> {
        match culprit {
            Ok(Culprit::Found(found)) => {
                self.last_good = found.last_good.clone();
                self.culprit = Some(*found);
            }
            Ok(Culprit::AlreadyRolledBack(rolled_back)) => self.already_rolled_back = Some(rolled_back),
            Ok(Culprit::Mended { .. } | Culprit::NeverGood { .. }) => {}
            // The changes that are here are still worth showing.
            Err(Error::Revision(RevisionError::ShallowHistory { .. })) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

/// What the commit of a walk did to the path, as seen from its first parent.
pub(super) fn describe(walk: &mut PathWalk<'_>, node: Node) -> Result<Change> {
    let path = walk.path(node).clone();
    let after = walk.entry(node)?;
    let new = walk.tree(node)?;
    let step = walk.step(node)?;
    let objects = walk.ancestry().objects();
    let Some(parent) = step.parents.first().copied() else {
        let mut change = Change::at(walk.commit_id(node), None, path, (None, after));
        change.kind = ChangeKind::Added;
        return Ok(change);
    };
    let old = walk.tree(parent)?;
    let before = walk.entry(parent)?;
    let mut change = Change::at(walk.commit_id(node), Some(1), path, (before, after));
    let came_from = walk.path(parent);
    if came_from != &change.path {
        change.kind = ChangeKind::Renamed;
        change.from = Some(came_from.clone());
        return Ok(change);
    }
    change.kind = match (before, after) {
        (None, _) => ChangeKind::Added,
        (Some(_), Some(_)) => ChangeKind::Modified,
        (Some(_), None) => {
            change.complete(objects, walk.renames(), old, new)?;
            change.kind
        }
    };
    Ok(change)
}

impl HistoryChange {
    fn new(objects: &Objects, change: Change) -> Result<Self> {
        let commit = objects.commit(change.commit_id)?;
        let text =
            |bytes: &[u8]| text_for_people(bytes, commit.encoding.as_ref().map(|name| name.as_slice()));
        let subject = commit.message.split(|byte| *byte == b'\n').next().unwrap_or_default();
        Ok(Self {
            commit_id: change.commit_id,
            kind: change.kind,
            path: change.path,
            from: change.from,
            to: change.to,
            subject: text(subject),
            author: Person { name: text(&commit.author.name), email: text(&commit.author.email) },
            time: rfc3339(&commit.author),
        })
    }
}

/// The time in the zone the commit spells; one that no calendar has is given in seconds since the epoch.
fn rfc3339(who: &Signature) -> String {
    let offset = who.time.split_whitespace().nth(1).and_then(offset_seconds).unwrap_or(0);
    let time =
        jiff::Timestamp::from_second(who.seconds).ok().zip(jiff::tz::Offset::from_seconds(offset).ok());
    time.map_or_else(
        || who.seconds.to_string(),
        |(time, offset)| time.display_with_offset(offset).to_string(),
    )
}

/// The seconds of an offset such as `+0130`.
fn offset_seconds(text: &str) -> Option<i32> {
    let number: i32 = text.parse().ok()?;
    Some((number / 100 * 60 + number % 100) * 60)
}
