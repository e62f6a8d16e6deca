//! Which later commits are in the way of undoing a change: those whose lines it would have to touch.
//!
//! Where both sides changed the same lines, the commits that wrote ours are found by what each of them added and took away,
//! the newest first. A file that one side deleted is held by the commit that deleted it, or by those that changed it.

use std::collections::hash_map::DefaultHasher;
use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::rc::Rc;

use super::dependents::{Dependent, DependentReason};
use super::workbench::Change;
use crate::conflict::{Conflict, ConflictKind};
use crate::error::Result;
use crate::history::LaterTouches;
use crate::id::{CommitId, Entry};
use crate::merge::text::hunks::{Compared, Comparison};
use crate::path::RepoPath;
use crate::repo::Objects;

/// How many of the later commits that touched a path are compared.
const LOOKED_AT: usize = 256;

/// An undo that conflicts.
pub(super) struct Stuck<'a> {
    pub(super) change: &'a Change,
    pub(super) conflicts: &'a [Conflict],
    /// The names in conflict, each with the name that it has in the change, where it has another.
    pub(super) names: HashMap<RepoPath, Vec<RepoPath>>,
}

/// Looks for what is in the way. What a commit wrote is compared once.
pub(super) struct Blockers {
    objects: Rc<Objects>,
    written: HashMap<(CommitId, RepoPath), Rc<Written>>,
}

/// The lines that a commit added to a file, and those that it took away, each by its hash.
#[derive(Default)]
struct Written {
    added: HashSet<u64>,
    removed: HashSet<u64>,
    is_merge: bool,
}

/// Lines of ours that changed since the change, where the undo would change them too.
struct Contested {
    added: Vec<u64>,
    removed: Vec<u64>,
    /// The lines in our version, counted from 1.
    lines: Range<usize>,
}

impl Blockers {
    pub(super) fn new(objects: Rc<Objects>) -> Self {
        Self { objects, written: HashMap::new() }
    }

    /// The later commits that are in the way and not `taken` yet. None is left out where it is the one that changed the
    /// lines last; where none is known to have changed them, it is the newest that touched the path.
    pub(super) fn of(
        &mut self,
        stuck: &Stuck<'_>,
        later: &LaterTouches,
        taken: &HashSet<CommitId>,
    ) -> Result<Vec<Dependent>> {
        let mut found: Vec<Dependent> = Vec::new();
        for conflict in stuck.conflicts {
            let open = open_commits(stuck, conflict, later, taken);
            for one in self.of_conflict(stuck, conflict, &open)? {
                if !found.iter().any(|known| known.commit_id == one.commit_id) {
                    found.push(one);
                }
            }
        }
        Ok(found)
    }

    fn of_conflict(
        &mut self,
        stuck: &Stuck<'_>,
        conflict: &Conflict,
        open: &[CommitId],
    ) -> Result<Vec<Dependent>> {
        let dependent = |commit: CommitId, reason, lines: Option<Range<usize>>| Dependent {
            commit_id: commit,
            blocks: stuck.change.commit.id,
            path: conflict.path.clone(),
            reason,
            first_line: lines.as_ref().map(|lines| lines.start),
            last_line: lines.map(|lines| lines.end),
        };
        let newest =
            |reason| open.first().map(|commit| dependent(*commit, reason, None)).into_iter().collect();
        let stages = &conflict.stages;
        match (conflict.kind, stages.base, stages.ours, stages.theirs) {
            (ConflictKind::Content, Some(base), Some(ours), Some(theirs)) => {
                let by_lines = self.by_lines(stuck, conflict, [base, ours, theirs], open)?;
                match by_lines.is_empty() {
                    true => Ok(newest(DependentReason::Touches)),
                    false => Ok(by_lines
                        .into_iter()
                        .map(|(commit, lines)| dependent(commit, DependentReason::Lines, Some(lines)))
                        .collect()),
                }
            }
            (ConflictKind::ModifyDelete, _, None, _) => Ok(newest(DependentReason::Deletes)),
            // The file that the change added goes only as it came.
            (ConflictKind::ModifyDelete, ..) => {
                Ok(open.iter().map(|commit| dependent(*commit, DependentReason::Modifies, None)).collect())
            }
            _ => Ok(newest(DependentReason::Touches)),
        }
    }

    /// The commits that wrote our side of the lines in conflict, each with the first of them.
    fn by_lines(
        &mut self,
        stuck: &Stuck<'_>,
        conflict: &Conflict,
        [base, ours, theirs]: [Entry; 3],
        open: &[CommitId],
    ) -> Result<Vec<(CommitId, Range<usize>)>> {
        let [base, ours, theirs] =
            [self.objects.blob(base.id)?, self.objects.blob(ours.id)?, self.objects.blob(theirs.id)?];
        let mut contested = contested(&base, &ours, &theirs);
        let mut found = Vec::new();
        let mut merges = Vec::new();
        for commit in open {
            let written = self.written_by(*commit, conflict, stuck)?;
            if written.is_merge {
                merges.push((*commit, written));
            } else if let Some(lines) = take(&mut contested, &written) {
                found.push((*commit, lines));
            }
        }
        // A merge wrote what none of its parents has; undoing it takes a whole branch along.
        for (commit, written) in merges {
            if let Some(lines) = take(&mut contested, &written) {
                found.push((commit, lines));
            }
        }
        Ok(found)
    }

    fn written_by(
        &mut self,
        commit: CommitId,
        conflict: &Conflict,
        stuck: &Stuck<'_>,
    ) -> Result<Rc<Written>> {
        let key = (commit, conflict.path.clone());
        if let Some(known) = self.written.get(&key) {
            return Ok(Rc::clone(known));
        }
        let none = Vec::new();
        let names = stuck.names.get(&conflict.path).unwrap_or(&none);
        let header = self.objects.commit_header(commit)?;
        let new = self.content(Some(commit), names)?;
        let mut written: Option<Written> = None;
        let parents: Vec<Option<CommitId>> = match header.parents.as_slice() {
            [] => vec![None],
            parents => parents.iter().copied().map(Some).collect(),
        };
        for parent in &parents {
            let against = Written::between(&self.content(*parent, names)?, &new);
            written = Some(match written {
                None => against,
                Some(before) => before.intersection(&against),
            });
        }
        let mut written = written.unwrap_or_default();
        written.is_merge = parents.len() > 1;
        let written = Rc::new(written);
        self.written.insert(key, Rc::clone(&written));
        Ok(written)
    }

    /// What the file is in the commit under the first of its names that is there; nothing where none is.
    fn content(&self, commit: Option<CommitId>, names: &[RepoPath]) -> Result<Vec<u8>> {
        let tree = self.objects.tree_of(commit)?;
        for name in names {
            if let Some(entry) = self.objects.entry_at(tree, name)?.filter(|entry| entry.mode.is_file()) {
                return self.objects.blob(entry.id);
            }
        }
        Ok(Vec::new())
    }
}

/// The later commits that touched the path of the conflict and are not taken, newest first.
fn open_commits(
    stuck: &Stuck<'_>,
    conflict: &Conflict,
    later: &LaterTouches,
    taken: &HashSet<CommitId>,
) -> Vec<CommitId> {
    let place = |commit| later.place(commit).unwrap_or(usize::MAX);
    let end = place(stuck.change.commit.id);
    let names = stuck.names.get(&conflict.path).into_iter().flatten();
    let mut open: Vec<CommitId> = names.flat_map(|name| later.touching(name)).copied().collect();
    open.retain(|commit| !taken.contains(commit) && place(*commit) < end);
    open.sort_by_key(|commit| place(*commit));
    open.dedup();
    open.truncate(LOOKED_AT);
    open
}

impl Written {
    fn between(old: &[u8], new: &[u8]) -> Self {
        let compared = Compared::of(old, new, &Comparison::default());
        let mut written = Self::default();
        for change in &compared.changes {
            written
                .removed
                .extend(change.old.clone().map(|line| hash(&old[compared.old_span(line..line + 1)])));
            written
                .added
                .extend(change.new.clone().map(|line| hash(&new[compared.new_span(line..line + 1)])));
        }
        written
    }

    fn intersection(&self, other: &Self) -> Self {
        Self {
            added: &self.added & &other.added,
            removed: &self.removed & &other.removed,
            is_merge: self.is_merge,
        }
    }
}

/// The changes of ours that lie where theirs lie, or right beside them.
fn contested(base: &[u8], ours: &[u8], theirs: &[u8]) -> Vec<Contested> {
    let how = Comparison::default();
    let (here, there) = (Compared::of(base, ours, &how), Compared::of(base, theirs, &how));
    let meets = |old: &Range<usize>| {
        there.changes.iter().any(|other| old.start <= other.old.end && other.old.start <= old.end)
    };
    let mut contested = Vec::new();
    for change in here.changes.iter().filter(|change| meets(&change.old)) {
        let removed: Vec<_> = change.old.clone().map(|line| &base[here.old_span(line..line + 1)]).collect();
        let added: Vec<_> = change.new.clone().map(|line| &ours[here.new_span(line..line + 1)]).collect();
        let telling = added.iter().chain(&removed).any(|line| is_telling(line));
        let hashes = |lines: Vec<&[u8]>| {
            lines.into_iter().filter(|line| !telling || is_telling(line)).map(hash).collect()
        };
        contested.push(Contested {
            added: hashes(added),
            removed: hashes(removed),
            lines: change.new.start + 1..change.new.end.max(change.new.start + 1),
        });
    }
    contested
}

/// Takes out the lines that a commit wrote, and returns those of the first place where it wrote any.
fn take(contested: &mut [Contested], written: &Written) -> Option<Range<usize>> {
    let mut first = None;
    for place in contested {
        let before = place.added.len() + place.removed.len();
        place.added.retain(|line| !written.added.contains(line));
        place.removed.retain(|line| !written.removed.contains(line));
        if place.added.len() + place.removed.len() < before {
            first.get_or_insert_with(|| place.lines.clone());
        }
    }
    first
}

/// Whether a line says something by itself: a lone brace stands anywhere.
fn is_telling(line: &[u8]) -> bool {
    line.iter().filter(|byte| byte.is_ascii_alphanumeric() || !byte.is_ascii()).count() > 1
}

fn hash(line: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    line.hash(&mut hasher);
    hasher.finish()
}
