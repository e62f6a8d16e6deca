//! What a way back would lose.

use super::scope::covers;
use super::workbench::{Change, Direction, Restoration, Workbench};
use super::{Loss, LossClass};
use crate::error::Result;
use crate::history::{PathSet, Restored, content_changes_since_each, discarded_by, paths_between};
use crate::id::TreeId;

impl Workbench {
    /// A rollback is exact where every path it touches becomes what it was before the change.
    pub(super) fn loss_of_merging(
        &self,
        direction: Direction,
        changes: &[Change],
        result: TreeId,
    ) -> Result<Loss> {
        let inverse = Loss { class: LossClass::Inverse, discards: Vec::new() };
        let [only] = changes else { return Ok(inverse) };
        if direction == Direction::Replay || only.part.is_some() {
            return Ok(inverse);
        }
        let ((parent, commit), scope) = (self.sides(only)?, only.paths_now());
        for change in paths_between(&self.objects, parent, commit)? {
            let in_scope = scope.as_ref().is_none_or(|paths| covers(paths, &change.path));
            if in_scope && self.objects.entry_at(result, &change.path)? != change.before {
                return Ok(inverse);
            }
        }
        Ok(Loss { class: LossClass::Exact, discards: Vec::new() })
    }

    /// A restoration is exact where no commit touched the paths after the change that is taken back.
    pub(super) fn loss_of_restoring(&self, restorations: &[Restoration]) -> Result<Loss> {
        let mut touched = Vec::new();
        for one in restorations {
            if !self.is_untouched_since(one)? {
                touched.push(one);
            }
        }
        // What is taken back was named, with all that its merges brought in.
        let undone: Vec<_> = restorations.iter().map(|one| one.since).collect();
        let discards = discarded_by(&self.objects, self.tip.id, &self.restored(&touched)?, &undone)?;
        let class = if discards.is_empty() { LossClass::Exact } else { LossClass::Snapshot };
        Ok(Loss { class, discards })
    }

    fn restored(&self, restorations: &[&Restoration]) -> Result<Vec<Restored>> {
        let mut asked = Vec::new();
        for one in restorations {
            asked.extend(one.renamed.iter().map(|renamed| (one.since, &renamed.now)));
        }
        let mut changes = content_changes_since_each(&self.objects, self.tip.id, &asked)?.into_iter();
        let restored = restorations.iter().map(|one| Restored {
            since: one.since,
            from: one.from,
            paths: one.same_names(),
            elsewhere: changes.by_ref().take(one.renamed.len()).flatten().collect(),
        });
        Ok(restored.collect())
    }

    fn is_untouched_since(&self, one: &Restoration) -> Result<bool> {
        let after = self.objects.commit_header(one.since)?.tree;
        for renamed in one.paths.iter().filter(|path| one.name_there(path) != *path) {
            let mut names = [renamed, one.name_there(renamed)].into_iter();
            let since = names.find_map(|name| self.objects.entry_at(after, name).transpose()).transpose()?;
            if since != self.objects.entry_at(self.start, renamed)? {
                return Ok(false);
            }
        }
        let mut paths = PathSet::new(&one.same_names());
        Ok(paths.differing(&self.objects, after, self.start)?.is_empty())
    }
}
