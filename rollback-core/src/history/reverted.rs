//! Whether a change was taken back: by the state of its paths first, by what later commits say of themselves second.

use std::collections::{HashMap, HashSet};

use bstr::ByteSlice;
use serde::Serialize;

use crate::error::Result;
use crate::id::CommitId;
use crate::path::RepoPath;
use crate::repo::ancestry::with_ancestry;
use crate::repo::{Objects, Repo, commit_set};

use super::change::{PathChange, changed_paths};
use super::entries::same;
use super::mainline::reaches;
use super::path_history::describe;
use super::walk::{Follow, PathWalk};

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[non_exhaustive]
pub struct IsReverted {
    /// The commit asked about.
    pub commit_id: CommitId,
    /// The tip it was looked for in.
    pub tip: CommitId,
    /// The answer.
    pub verdict: Verdict,
    /// What each path of the change is now, in git's order.
    pub paths: Vec<PathVerdict>,
    /// The later commits that say they revert it, newest first. They decide where the paths alone do not.
    pub claims: Vec<Claim>,
}

/// Whether a change is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Verdict {
    /// The change was taken back.
    Reverted,
    /// The change is in force.
    InForce,
    /// Some of its paths were taken back and others are in force.
    PartlyReverted,
    /// The tip does not reach the commit: there is nothing to take back.
    NotInHistory,
    /// Its paths were edited since and no commit says that it reverts the change.
    EditedSince,
}

/// What a path of a change is at the tip.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[non_exhaustive]
pub struct PathVerdict {
    /// The path.
    pub path: RepoPath,
    /// What it is.
    pub state: PathState,
    /// The last change to the path, where the change is not in force any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<CommitId>,
}

/// A path at the tip, held against the change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[non_exhaustive]
pub struct Claim {
    /// The commit.
    pub commit_id: CommitId,
    /// Whether a later commit that still stands says it reverts this one.
    pub reverted: bool,
}

impl Repo {
    /// Whether what `commit` changed (of a merge: as seen from its first parent) is taken back at `tip`.
    ///
    /// State decides where it can: every path as before the change means reverted, every path as after it in force. Where
    /// paths were edited since, a commit decides that says it reverts this one and that was not reverted in turn.
    ///
    /// # Errors
    /// [`Error::ShallowHistory`](crate::Error::ShallowHistory) for a commit at the end of a shallow clone.
    pub fn is_reverted(&self, commit: CommitId, tip: CommitId) -> Result<IsReverted> {
        is_reverted(&self.objects(), commit, tip)
    }

    /// The commit to undo so that `commit` comes back: itself where it is a rollback, else the newest commit at `tip` that
    /// says it took it back, whole or in part, and still stands. `None` where there is none.
    ///
    /// A rollback says so in git's words (`This reverts commit …`) or by a `Rollback-Of` trailer.
    ///
    /// # Errors
    /// Those of reading commits.
    pub fn rollback_behind(&self, commit: CommitId, tip: CommitId) -> Result<Option<CommitId>> {
        let objects = self.objects();
        if !rolled_back_by(&objects.commit(commit)?.message).is_empty() {
            return Ok(Some(commit));
        }
        let claims = claims(&objects, commit, tip, rolled_back_by)?;
        Ok(claims.into_iter().find(|claim| !claim.reverted).map(|claim| claim.commit_id))
    }
}

/// As [`Repo::is_reverted`], on objects at hand.
pub(crate) fn is_reverted(objects: &Objects, commit: CommitId, tip: CommitId) -> Result<IsReverted> {
    let mut answer = IsReverted {
        commit_id: commit,
        tip,
        verdict: Verdict::NotInHistory,
        paths: Vec::new(),
        claims: Vec::new(),
    };
    if !with_ancestry(objects, |mut ancestry| reaches(&mut ancestry, tip, commit))? {
        return Ok(answer);
    }
    for change in changed_paths(objects, commit, None)? {
        answer.paths.push(path_verdict(objects, tip, &change)?);
    }
    answer.claims = claims(objects, commit, tip, |message| reverted_commits(message).collect())?;
    answer.verdict = verdict(&answer.paths, &answer.claims);
    Ok(answer)
}

fn verdict(paths: &[PathVerdict], claims: &[Claim]) -> Verdict {
    let all = |state: PathState| !paths.is_empty() && paths.iter().all(|path| path.state == state);
    let any = |state: PathState| paths.iter().any(|path| path.state == state);
    let claimed = claims.iter().any(|claim| !claim.reverted);
    if all(PathState::AsBefore) {
        Verdict::Reverted
    } else if all(PathState::AsAfter) {
        Verdict::InForce
    } else if !any(PathState::Edited) && !paths.is_empty() {
        Verdict::PartlyReverted
    } else if claimed {
        Verdict::Reverted
    } else if paths.is_empty() {
        Verdict::InForce
    } else {
        Verdict::EditedSince
    }
}

fn path_verdict(objects: &Objects, tip: CommitId, change: &PathChange) -> Result<PathVerdict> {
    let at_tip = objects.entry_at(objects.commit_header(tip)?.tree, &change.path)?;
    if same(at_tip, change.after) {
        return Ok(PathVerdict { path: change.path.clone(), state: PathState::AsAfter, by: None });
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
        Ok(PathVerdict { path: change.path.clone(), state, by })
    })
}

/// The commits since that say they revert `commit`, as `claimed` reads it from their messages, and whether they were
/// reverted in turn.
fn claims(
    objects: &Objects,
    commit: CommitId,
    tip: CommitId,
    claimed: fn(&[u8]) -> Vec<CommitId>,
) -> Result<Vec<Claim>> {
    let later = with_ancestry(objects, |mut ancestry| {
        let (from, to) = (ancestry.index_of(tip), ancestry.index_of(commit));
        let members = commit_set::difference(&mut ancestry, &[from], &[to])?;
        let order = commit_set::newest_first(&mut ancestry, &members, &[from])?;
        Ok(order.into_iter().map(|commit| ancestry.id(commit)).collect::<Vec<_>>())
    })?;
    // Who claims to revert whom, newest first on both sides.
    let mut claims: HashMap<CommitId, Vec<CommitId>> = HashMap::new();
    let mut order = Vec::new();
    for id in later {
        for reverted in claimed(&objects.commit(id)?.message) {
            order.push((id, reverted));
            claims.entry(reverted).or_default().push(id);
        }
    }
    // A claim stands unless one on it stands. Those are newer, so they are judged before it.
    let mut standing: HashSet<CommitId> = HashSet::new();
    for (claim, _) in &order {
        let on_it = claims.get(claim).map(Vec::as_slice).unwrap_or_default();
        if !on_it.iter().any(|newer| standing.contains(newer)) {
            standing.insert(*claim);
        }
    }
    let on_commit = claims.remove(&commit).unwrap_or_default();
    Ok(on_commit
        .into_iter()
        .map(|commit_id| Claim { commit_id, reverted: !standing.contains(&commit_id) })
        .collect())
}

/// The commits that a message says it reverts: whole, as git words it.
fn reverted_commits(message: &[u8]) -> impl Iterator<Item = CommitId> + '_ {
    const WORDS: &[u8] = b"This reverts commit ";
    let mut rest = message;
    std::iter::from_fn(move || {
        loop {
            let at = rest.windows(WORDS.len()).position(|window| window == WORDS)?;
            rest = &rest[at + WORDS.len()..];
            let digits = rest.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
            let id = std::str::from_utf8(&rest[..digits]).ok().and_then(|hex| hex.parse().ok());
            if id.is_some() {
                return id;
            }
        }
    })
}

/// The commits that a message says it takes back, whole or in part.
fn rolled_back_by(message: &[u8]) -> Vec<CommitId> {
    // As the message writer, a room above this one, spells it.
    const TRAILER: &[u8] = b"Rollback-Of: ";
    let named = message.lines().filter_map(|line| line.strip_prefix(TRAILER));
    let named = named.filter_map(|id| id.trim().to_str().ok()?.parse().ok());
    reverted_commits(message).chain(named).collect()
}
