//! The moves of branches that git made, as the logs of the branches tell of them.
//!
//! The log of a branch has a line for every move, also for those of rb. A line is rb's where an operation of rb's moved that
//! branch from there to there, and no other such line is nearer to it in time; an operation and its undo cancel each other
//! out.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::{Operation, kind};
use crate::error::{OperationError, Result};
use crate::id::CommitId;
use crate::path::RepoPath;
use crate::repo::Repo;
use crate::repo::reflog::LogLine;

/// A move of a branch that git made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct GitMove {
    /// The branch, by its full name.
    #[serde(rename = "ref")]
    pub reference: RepoPath,
    /// Where it was; absent where the move made it.
    pub before: Option<CommitId>,
    /// Where it went.
    pub after: CommitId,
    /// When, in seconds since the epoch.
    pub time: i64,
    /// What moved it, as git noted it, such as `reset: moving to HEAD~1`.
    pub message: String,
    /// Whether it was taken back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub undone: bool,
}

/// Whose a line of a log is.
enum Maker<'o> {
    Git,
    /// An operation that is no undo and still counts.
    Rb(&'o Operation),
    /// An operation that takes back the line before it that counts.
    TakesBack,
    /// An operation that takes back such a one.
    TakesThatBack,
}

impl Repo {
    /// The moves that git made of the local branches, newest first, `limit` of each branch.
    ///
    /// # Errors
    /// Where references, logs or the operation log cannot be read.
    pub fn git_moves(&self, limit: usize) -> Result<Vec<GitMove>> {
        let operations = self.operations()?;
        let mut all = Vec::new();
        for reference in self.local_branches()? {
            all.extend(self.moves_of(&reference, &operations, limit)?.0);
        }
        // Within a second and a branch the order of the log holds.
        all.sort_by_key(|one| std::cmp::Reverse(one.time));
        Ok(all)
    }

    /// The newest move of the branch that git made and that was not taken back.
    ///
    /// # Errors
    /// [`OperationError::MovedByRb`] where rb moved the branch since; [`OperationError::NoGitMove`].
    pub(super) fn last_git_move(&self, reference: &RepoPath) -> Result<GitMove> {
        const LOOKED_AT: usize = 1000;
        let operations = self.operations()?;
        let (moves, by_rb) = self.moves_of(reference, &operations, LOOKED_AT)?;
        let none = || OperationError::NoGitMove { reference: reference.clone() };
        let newest = moves.into_iter().find(|one| !one.undone);
        match (by_rb, newest) {
            (Some(operation), _) => {
                Err(OperationError::MovedByRb { reference: reference.clone(), operation }.into())
            }
            (None, Some(newest)) if newest.before.is_some() => Ok(newest),
            (None, _) => Err(none().into()),
        }
    }

    /// The moves of a branch that git made, newest first; and the operation of rb that moved it after all that count.
    fn moves_of(
        &self,
        reference: &RepoPath,
        operations: &[Operation],
        limit: usize,
    ) -> Result<(Vec<GitMove>, Option<String>)> {
        let own: Vec<&Operation> =
            operations.iter().filter(|one| one.reference == *reference && one.before != one.after).collect();
        let lines = self.reference_log(reference.as_bytes())?;
        let made_by = lines_of(&own, &lines);
        let (mut moves, mut by_rb) = (Vec::new(), None);
        // How many of the lines to come were taken back, and how many of the undos to come were.
        let (mut taken_back, mut brought_back) = (0_usize, 0_usize);
        for (at, line) in lines.into_iter().enumerate().take(limit) {
            let (Some(after), true) = (line.after, line.before != line.after) else { continue };
            match maker(made_by.get(&at).copied(), operations) {
                Maker::TakesThatBack => brought_back += 1,
                Maker::TakesBack if brought_back > 0 => brought_back -= 1,
                Maker::TakesBack => taken_back += 1,
                Maker::Rb(_) if taken_back > 0 => taken_back -= 1,
                Maker::Rb(operation) if moves.iter().all(|one: &GitMove| one.undone) => {
                    by_rb = by_rb.or_else(|| Some(operation.operation_id.clone()));
                }
                Maker::Rb(_) => {}
                Maker::Git => {
                    let undone = taken_back > 0;
                    taken_back = taken_back.saturating_sub(1);
                    moves.push(GitMove {
                        reference: reference.clone(),
                        before: line.before,
                        after,
                        time: line.seconds,
                        message: line.message.to_string(),
                        undone,
                    });
                }
            }
        }
        Ok((moves, by_rb))
    }

    fn local_branches(&self) -> Result<Vec<RepoPath>> {
        Ok(self.references_below("refs/heads/")?.into_iter().map(RepoPath::new).collect())
    }
}

/// The lines that operations made, by their place in the log: of several lines with its ends, an operation has the one that
/// is nearest to it in time. What git moved from there to there at another time stays git's.
fn lines_of<'o>(operations: &[&'o Operation], lines: &[LogLine]) -> HashMap<usize, &'o Operation> {
    let mut by_ends: HashMap<_, Vec<usize>> = HashMap::new();
    for (at, line) in lines.iter().enumerate() {
        by_ends.entry((line.before, line.after)).or_default().push(at);
    }
    let mut made_by = HashMap::new();
    for operation in operations {
        let Some(same) = by_ends.get_mut(&(operation.before, operation.after)) else { continue };
        // Both lists are newest first, so that of one second the newest have each other.
        let apart = |at: &usize| lines[*at].seconds.abs_diff(operation.time);
        if let Some(nearest) = (0..same.len()).min_by_key(|nth| apart(&same[*nth])) {
            made_by.insert(same.remove(nearest), *operation);
        }
    }
    made_by
}

/// Whose a line is that this operation made, if one did.
fn maker<'o>(made_by: Option<&'o Operation>, all: &[Operation]) -> Maker<'o> {
    let Some(operation) = made_by else { return Maker::Git };
    match depth(operation, all) {
        0 => Maker::Rb(operation),
        odd if odd % 2 == 1 => Maker::TakesBack,
        _ => Maker::TakesThatBack,
    }
}

/// How many times over the operation takes something back: 1 for an undo, 2 for what takes an undo back.
fn depth(operation: &Operation, all: &[Operation]) -> usize {
    let (mut at, mut depth) = (operation, 0);
    while depth < all.len() {
        match (at.kind.as_str(), &at.undoes) {
            (kind::UNDO_GIT, _) => return depth + 1,
            (kind::UNDO | kind::REDO, Some(undoes)) => {
                match all.iter().find(|one| one.operation_id == *undoes) {
                    Some(undone) => (at, depth) = (undone, depth + 1),
                    // It was forgotten; its undo says what it was.
                    None => return depth + if at.kind == kind::REDO { 2 } else { 1 },
                }
            }
            _ => return depth,
        }
    }
    depth
}
