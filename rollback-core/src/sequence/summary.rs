//! What a commit changed, in numbers, as git sums it up after a commit.

use crate::error::Result;
use crate::history::paths_between;
use crate::id::{CommitId, Entry, EntryMode};
use crate::merge::text::hunks::{Compared, Comparison};
use crate::path::RepoPath;
use crate::repo::Repo;

/// What a commit changed against its first parent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChangeSummary {
    /// How many files differ.
    pub files: usize,
    /// How many lines were added.
    pub insertions: usize,
    /// How many lines went.
    pub deletions: usize,
    /// Files that were made, went, or have another mode.
    pub rows: Vec<SummaryRow>,
}

/// A file that was made, went, or has another mode.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SummaryRow {
    /// It was made.
    Created(EntryMode, RepoPath),
    /// It went.
    Deleted(EntryMode, RepoPath),
    /// Its mode changed.
    ModeChanged(EntryMode, EntryMode, RepoPath),
    /// Its name changed and nothing else.
    Renamed(RepoPath, RepoPath),
}

impl Repo {
    /// What a commit changed against its first parent; a root against nothing. Files that moved with their content
    /// unchanged count as renamed.
    ///
    /// # Errors
    /// Where an object cannot be read.
    pub fn change_summary(&self, commit: CommitId) -> Result<ChangeSummary> {
        let objects = self.objects();
        let after = objects.commit(commit)?;
        let before = objects.tree_of(after.parents.first().copied())?;
        let changes = paths_between(&objects, before, after.tree)?;
        let mut summary = ChangeSummary::default();
        let gone: Vec<_> = changes.iter().filter(|change| change.after.is_none()).collect();
        let mut taken = Vec::new();
        for change in &changes {
            let (Some(new), None) = (change.after, change.before) else { continue };
            let from = gone.iter().find(|old| {
                old.before.is_some_and(|old| old.id == new.id && new.mode.is_file())
                    && !taken.iter().any(|(from, _)| *from == &old.path)
            });
            taken.extend(from.map(|old| (&old.path, &change.path)));
        }
        for change in &changes {
            if taken.iter().any(|(from, _)| *from == &change.path) {
                continue;
            }
            summary.files += 1;
            if let Some((from, to)) = taken.iter().find(|(_, to)| *to == &change.path) {
                summary.rows.push(SummaryRow::Renamed((*from).clone(), (*to).clone()));
                continue;
            }
            let read = |entry: Option<Entry>| match entry {
                Some(entry) if entry.mode.is_file() || entry.mode == EntryMode::SYMLINK => {
                    objects.blob(entry.id)
                }
                Some(entry) => Ok(format!("Subproject commit {}\n", entry.id).into_bytes()),
                None => Ok(Vec::new()),
            };
            let (old, new) = (read(change.before)?, read(change.after)?);
            let binary = crate::merge::looks_binary(&old) || crate::merge::looks_binary(&new);
            if !binary && old != new {
                let (gone, made) = Compared::of(&old, &new, &Comparison::default()).counts();
                summary.deletions += gone;
                summary.insertions += made;
            }
            let path = change.path.clone();
            match (change.before, change.after) {
                (None, Some(new)) => summary.rows.push(SummaryRow::Created(new.mode, path)),
                (Some(old), None) => summary.rows.push(SummaryRow::Deleted(old.mode, path)),
                (Some(old), Some(new)) if old.mode.canonical() != new.mode.canonical() => {
                    summary.rows.push(SummaryRow::ModeChanged(old.mode, new.mode, path));
                }
                _ => {}
            }
        }
        Ok(summary)
    }
}
