//! The facts about a change that may have been taken back: what its paths are at the tip, and what later commits say.
//!
//! What they come to is judged one room higher, in `plan`, which can also ask the merge engine.

use std::collections::HashSet;

use bstr::ByteSlice;
use serde::Serialize;

use crate::error::Result;
use crate::id::CommitId;
use crate::path::RepoPath;
use crate::repo::ancestry::with_ancestry;
use crate::repo::{Objects, commit_set};

use super::change::{PathChange, changed_paths};
use super::entries::same;
use super::mainline::reaches;
use super::path_history::describe;
use super::walk::{Follow, PathWalk};

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct IsReverted {
    /// The commit asked about.
    pub commit_id: CommitId,
    /// The tip it was looked for in.
    pub tip: CommitId,
    /// The answer.
    pub verdict: Verdict,
    /// Where the tip does not reach the commit: the pick of it (`git cherry-pick -x`) that the answer is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picked_as: Option<CommitId>,
    /// How it is known that this is a pick of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picked_known_by: Option<Proof>,
    /// What each path of the change is now, in git's order.
    pub paths: Vec<PathVerdict>,
    /// The later commits that say they revert it and did, newest first. They decide where the state does not.
    pub claims: Vec<Claim>,
    /// The commits with which it stopped being in force, or came back, newest first.
    pub turns: Vec<Turn>,
    /// Later merges of a branch that has the change, newest first, which did not bring it back: for git it is merged.
    pub merged_again: Vec<CommitId>,
}

impl IsReverted {
    /// What is known of a commit that the tip does not reach.
    pub(crate) fn not_in_history(commit_id: CommitId, tip: CommitId) -> Self {
        Self {
            commit_id,
            tip,
            verdict: Verdict::NotInHistory,
            picked_as: None,
            picked_known_by: None,
            paths: Vec::new(),
            claims: Vec::new(),
            turns: Vec::new(),
            merged_again: Vec::new(),
        }
    }
}

/// Whether a change is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Verdict {
    /// The change was taken back.
    Reverted,
    /// The change is in force.
    InForce,
    /// The change is in force again: it was taken back, and came back.
    Relanded,
    /// Some of its paths were taken back and others are in force.
    PartlyReverted,
    /// The tip does not reach the commit: there is nothing to take back.
    NotInHistory,
    /// Its paths were edited since, and neither they nor a commit that reverts the change tell.
    EditedSince,
}

/// A commit with which a change, or a part of it, was taken back or came back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Turn {
    /// The commit.
    pub commit_id: CommitId,
    /// Which way it went.
    pub kind: TurnKind,
    /// How that is known, the surest last.
    pub known_by: Vec<Proof>,
    /// The paths to which it is restricted; none where it was all of the change.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<RepoPath>,
}

/// Which way a change went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum TurnKind {
    /// It was taken back.
    RolledBack,
    /// It came back.
    Relanded,
}

/// How something is known of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Proof {
    /// Its message says so, as git words it. A message alone proves nothing.
    Message,
    /// A `Rollback-Of` trailer says so.
    Trailer,
    /// Its patch is that of the change, or the inverse of it.
    Patch,
    /// The tree before it has the change, and the tree after it has not; or the other way round.
    State,
}

/// What a path of a change is at the tip.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct PathVerdict {
    /// The path.
    pub path: RepoPath,
    /// What it is.
    pub state: PathState,
    /// Whether the change is in force in it; absent where it was edited since and a merge cannot tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_force: Option<bool>,
    /// The last change to the path, where the change is not in force any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<CommitId>,
}

/// A path at the tip, held against the change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum PathState {
    /// As it was before the change.
    AsBefore,
    /// As the change made it, here or under a later name.
    AsAfter,
    /// Neither: edited since.
    Edited,
}

/// A commit that says it reverts the change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Claim {
    /// The commit.
    pub commit_id: CommitId,
    /// Whether a later commit that still stands reverts this one, or picks the change anew.
    pub reverted: bool,
}

/// What each path of the change is at the tip, in git's order.
///
/// # Errors
/// [`RevisionError::ShallowHistory`](crate::error::RevisionError::ShallowHistory) for a commit at the end of a shallow
/// clone.
pub(crate) fn path_verdicts(objects: &Objects, commit: CommitId, tip: CommitId) -> Result<Vec<PathVerdict>> {
    let changes = changed_paths(objects, commit, None)?;
    changes.iter().map(|change| path_verdict(objects, tip, change)).collect()
}

fn path_verdict(objects: &Objects, tip: CommitId, change: &PathChange) -> Result<PathVerdict> {
    let verdict = |state: PathState, by: Option<CommitId>| {
        let in_force = match state {
            PathState::AsBefore => Some(false),
            PathState::AsAfter => Some(true),
            PathState::Edited => None,
        };
        PathVerdict { path: change.path.clone(), state, in_force, by }
    };
    let at_tip = objects.entry_at(objects.commit_header(tip)?.tree, &change.path)?;
    if same(at_tip, change.after) {
        return Ok(verdict(PathState::AsAfter, None));
    }
    with_ancestry(objects, |ancestry| {
        let mut walk = PathWalk::new(ancestry, tip, &change.path, Follow::NameOnly);
        let last = walk.next_change()?;
        let mut state = if same(at_tip, change.before) { PathState::AsBefore } else { PathState::Edited };
        let mut by = None;
        if let Some(last) = last.filter(|last| last.step.is_change) {
            let last = describe(&mut walk, last.node)?;
            by = Some(last.commit_id);
            // What the change added lives on elsewhere: moving it did not take it back.
            if let (None, Some(to)) = (change.before, &last.to) {
                let moved = objects.entry_at(objects.commit_header(tip)?.tree, to)?;
                state = if same(moved, change.after) { PathState::AsAfter } else { PathState::Edited };
            }
        }
        Ok(verdict(state, by))
    })
}

/// Whether `commit` is `tip` or in its past.
///
/// # Errors
/// Those of reading commits.
pub(crate) fn is_reached(objects: &Objects, tip: CommitId, commit: CommitId) -> Result<bool> {
    with_ancestry(objects, |mut ancestry| reaches(&mut ancestry, tip, commit))
}

/// What later commits say about a change.
#[derive(Debug, Default)]
pub(crate) struct Words {
    /// Those that say they revert it, newest first.
    pub(crate) claims: Vec<Claim>,
    /// Those that say they pick it, newest first.
    pub(crate) picks: Vec<CommitId>,
}

/// What the commits that `tip` reaches and `commit` does not say about `commit`: reverts, reverts of these, and picks.
///
/// A word alone counts for nothing: `confirm` is asked whether the first commit did take back the second one.
///
/// # Errors
/// Those of reading commits, and of `confirm`.
pub(crate) fn words_about(
    objects: &Objects,
    commit: CommitId,
    tip: CommitId,
    confirm: &mut dyn FnMut(CommitId, CommitId) -> Result<bool>,
) -> Result<Words> {
    let later = with_ancestry(objects, |mut ancestry| {
        let (from, to) = (ancestry.index_of(tip), ancestry.index_of(commit));
        let members = commit_set::difference(&mut ancestry, &[from], &[to])?;
        let order = commit_set::newest_first(&mut ancestry, &members, &[from])?;
        Ok(order.into_iter().map(|commit| ancestry.id(commit)).collect::<Vec<_>>())
    })?;
    let mut told = Told { copies: vec![(0, commit)], claims: Vec::new() };
    for (age, id) in (1..).zip(later.into_iter().rev()) {
        let message = objects.commit(id)?.message;
        if picked_from(&message).any(|from| told.is_copy(from)) {
            told.copies.push((age, id));
        }
        for of in told.reverted_in(&message) {
            if confirm(id, of)? {
                told.claims.push(ToldClaim { age, by: id, of });
            }
        }
    }
    Ok(told.words())
}

/// What was read so far, oldest first; ages grow with time.
struct Told {
    /// The commit and its picks.
    copies: Vec<(usize, CommitId)>,
    /// Reverts of these, and of one another.
    claims: Vec<ToldClaim>,
}

#[derive(Clone, Copy)]
struct ToldClaim {
    age: usize,
    by: CommitId,
    of: CommitId,
}

impl Told {
    fn is_copy(&self, commit: CommitId) -> bool {
        self.copies.iter().any(|(_, copy)| *copy == commit)
    }

    /// The commits known here that the message says it reverts.
    fn reverted_in(&self, message: &[u8]) -> Vec<CommitId> {
        let copies = self.copies.iter().map(|(_, id)| *id);
        let mut known: Vec<_> = copies.chain(self.claims.iter().map(|claim| claim.by)).collect();
        let names: Vec<_> = reverted_commits(message).collect();
        known.retain(|id| names.iter().any(|name| id.to_string().starts_with(name)));
        known.sort_unstable();
        known.dedup();
        known
    }

    fn words(self) -> Words {
        // A claim stands unless one on it stands, or the change was picked again. Those are newer, so they come first.
        let mut standing: HashSet<CommitId> = HashSet::new();
        let newest_copy = self.copies.last().map_or(0, |(age, _)| *age);
        for claim in self.claims.iter().rev() {
            let taken_back =
                self.claims.iter().any(|on_it| on_it.of == claim.by && standing.contains(&on_it.by));
            let picked_again = self.is_copy(claim.of) && newest_copy > claim.age;
            if !taken_back && !picked_again {
                standing.insert(claim.by);
            }
        }
        let on_it = self.claims.iter().rev().filter(|claim| self.is_copy(claim.of));
        let claims = on_it
            .map(|claim| Claim { commit_id: claim.by, reverted: !standing.contains(&claim.by) })
            .collect();
        let picks = self.copies.iter().rev().filter(|(age, _)| *age > 0).map(|(_, id)| *id).collect();
        Words { claims, picks }
    }
}

/// The commits that a message says it reverts, as git words it: full ids or, by reference, abbreviated ones.
fn reverted_commits(message: &[u8]) -> impl Iterator<Item = String> + '_ {
    ids_after(message, b"This reverts commit ")
}

/// The commits that a message says it picks, as `git cherry-pick -x` words it.
fn picked_from(message: &[u8]) -> impl Iterator<Item = CommitId> + '_ {
    ids_after(message, b"(cherry picked from commit ").filter_map(|name| name.parse().ok())
}

/// What a message says of other commits.
pub(crate) struct Said {
    reverts: Vec<String>,
    trailers: Vec<String>,
    picks: Vec<String>,
}

impl Said {
    pub(crate) fn in_message(message: &[u8]) -> Self {
        let partly = ids_after(message, b"This reverts the changes of commit ");
        Self {
            reverts: ids_after(message, b"This reverts commit ").chain(partly).collect(),
            trailers: ids_after(message, b"Rollback-Of: ").collect(),
            picks: ids_after(message, b"(cherry picked from commit ").collect(),
        }
    }

    /// How the message says that it takes back one of the commits.
    pub(crate) fn takes_back(&self, commits: &[CommitId]) -> Vec<Proof> {
        let message = names_one(&self.reverts, commits).then_some(Proof::Message);
        let trailer = names_one(&self.trailers, commits).then_some(Proof::Trailer);
        message.into_iter().chain(trailer).collect()
    }

    /// Whether the message says that it picks one of the commits.
    pub(crate) fn picks(&self, commits: &[CommitId]) -> bool {
        names_one(&self.picks, commits)
    }
}

fn names_one(names: &[String], commits: &[CommitId]) -> bool {
    commits.iter().any(|id| names.iter().any(|name| id.to_string().starts_with(name)))
}

/// The commits that a message says it takes back, whole or in part: full ids or abbreviated ones.
pub(crate) fn rolled_back_in(message: &[u8]) -> Vec<String> {
    // As the message writer, a room above this one, spells the last two.
    let words: [&[u8]; 3] =
        [b"This reverts commit ", b"This reverts the changes of commit ", b"Rollback-Of: "];
    words.into_iter().flat_map(|words| ids_after(message, words)).collect()
}

/// Every hexadecimal word of a plausible length that stands after `words`.
fn ids_after<'m>(message: &'m [u8], words: &'static [u8]) -> impl Iterator<Item = String> + 'm {
    const SHORTEST: usize = 4;
    message.find_iter(words).filter_map(move |at| {
        let digits = message[at + words.len()..].iter().take_while(|byte| byte.is_ascii_hexdigit());
        let name: String = digits.map(|byte| char::from(byte.to_ascii_lowercase())).collect();
        (name.len() >= SHORTEST).then_some(name)
    })
}
