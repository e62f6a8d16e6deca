//! The facts about a change that may have been taken back: what its paths are at the tip, and what later commits say.
//!
//! What they come to is judged one room higher, in `plan`, which can also ask the merge engine.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use bstr::ByteSlice;
use serde::Serialize;

use crate::error::Result;
use crate::id::CommitId;
use crate::path::RepoPath;
use crate::repo::ancestry::with_ancestry;
use crate::repo::{Objects, commit_set};

use super::change::{PathChange, changed_paths};
use super::entries::same;
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
    /// Where the tip does not reach the commit: the pick of it that the answer is about. Its message names the commit
    /// (`git cherry-pick -x`) or, where no message does, its patch is the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picked_as: Option<CommitId>,
    /// How it is known that this is a pick of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picked_known_by: Option<Proof>,
    /// What each path of the change is now, in git's order.
    pub paths: Vec<PathVerdict>,
    /// The later commits that say they revert it and did, newest first. They decide where the state does not.
    pub claims: Vec<Claim>,
    /// The commits with which it stopped being in force, or came back, newest first: of the claims, and of the newest 256
    /// later commits that touched its paths. None where `shallow_at` is given.
    pub turns: Vec<Turn>,
    /// Later merges of a branch that has the change, newest first, which did not bring it back: for git it is merged.
    pub merged_again: Vec<CommitId>,
    /// Where a shallow clone ends a line of history that would have to be looked at for `picked_as`, `turns` or
    /// `merged_again`: what is missing there is not known. The verdict rests on the state at the tip.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shallow_at: Option<CommitId>,
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
            shallow_at: None,
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
    messages: &mut Messages,
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
        let said = messages.of(objects, id)?;
        if said.picked().any(|from| told.is_copy(from)) {
            told.copies.push((age, id));
        }
        for of in told.reverted_in(said) {
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
    fn reverted_in(&self, said: &Said) -> Vec<CommitId> {
        let copies = self.copies.iter().map(|(_, id)| *id);
        let mut known: Vec<_> = copies.chain(self.claims.iter().map(|claim| claim.by)).collect();
        known.retain(|id| is_named(*id, &said.reverts));
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

/// How git words a revert; the id is in full or, by reference, abbreviated.
const REVERTS: &[u8] = b"This reverts commit ";
/// How the message writer, a room above this one, words a revert of some paths.
const REVERTS_IN_PART: &[u8] = b"This reverts the changes of commit ";
/// The trailer of the message writer.
const ROLLBACK_OF: &[u8] = b"Rollback-Of: ";
/// How `git cherry-pick -x` words a pick.
const PICKS: &[u8] = b"(cherry picked from commit ";

/// What a message says of other commits, each by its full or an abbreviated id.
#[derive(Default)]
pub(crate) struct Said {
    reverts: Vec<String>,
    reverts_in_part: Vec<String>,
    trailers: Vec<String>,
    picks: Vec<String>,
}

impl Said {
    pub(crate) fn in_message(message: &[u8]) -> Self {
        let after = |words| ids_after(message, words).collect();
        Self {
            reverts: after(REVERTS),
            reverts_in_part: after(REVERTS_IN_PART),
            trailers: after(ROLLBACK_OF),
            picks: after(PICKS),
        }
    }

    /// The commits that the message says it takes back, whole or in part.
    pub(crate) fn taken_back(&self) -> impl Iterator<Item = &String> {
        self.reverts.iter().chain(&self.reverts_in_part).chain(&self.trailers)
    }

    /// How the message says that it takes back one of the commits.
    pub(crate) fn takes_back(&self, commits: &[CommitId]) -> Vec<Proof> {
        let names_one = |names: &[String]| commits.iter().any(|id| is_named(*id, names));
        let message = names_one(&self.reverts) || names_one(&self.reverts_in_part);
        let trailer = names_one(&self.trailers).then_some(Proof::Trailer);
        message.then_some(Proof::Message).into_iter().chain(trailer).collect()
    }

    /// Whether the message says that it picks one of the commits.
    pub(crate) fn picks(&self, commits: &[CommitId]) -> bool {
        commits.iter().any(|id| is_named(*id, &self.picks))
    }

    /// The commits that the message says it picks, by their full ids.
    fn picked(&self) -> impl Iterator<Item = CommitId> + '_ {
        self.picks.iter().filter_map(|name| name.parse().ok())
    }
}

fn is_named(id: CommitId, names: &[String]) -> bool {
    !names.is_empty() && names.iter().any(|name| id.to_string().starts_with(name))
}

/// What the messages of commits say, each read once.
#[derive(Default)]
pub(crate) struct Messages {
    known: HashMap<CommitId, Said>,
}

impl Messages {
    fn of(&mut self, objects: &Objects, id: CommitId) -> Result<&Said> {
        Ok(match self.known.entry(id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => unknown.insert(Said::in_message(&objects.commit(id)?.message)),
        })
    }
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
