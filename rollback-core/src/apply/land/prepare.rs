//! What a landing asks, refuses and stages before its first lock.

use super::{Checkout, Prepared, Run, open_root};
use crate::apply::changes::Change;
use crate::apply::inspect::{Expected, Found, View};
use crate::apply::stage::Stage;
use crate::apply::{anchor, changes, index_edit, inspect, log, objects, outside, reference, size};
use crate::error::{InTheWay, Result, WorkTreeError};
use crate::id::{Entry, EntryMode, ObjectId, TreeId};
use crate::journal::{Journal, LoggedEntry};
use crate::operation::OperationId;
use crate::repo::index::{Index, IndexFile};
use crate::repo::sparse::Sparse;
use crate::repo::{NewObjects, Tree, TreeEntry};

impl Run<'_> {
    /// Everything that can be refused is refused here; nothing that counts is written.
    pub(super) fn prepare(&self) -> Result<Prepared> {
        let landing = self.landing;
        let changes = changes::between(self.objects, landing.head_tree, landing.result_tree)?;
        let head = self.repo.head()?;
        if let Some(update) = &landing.reference {
            reference::check_unmoved(self.repo, update)?;
        }
        let looked = if landing.checkout { Some(self.look(&changes)?) } else { None };
        if let Some((checkout, found)) = &looked {
            self.fetch_missing(&checkout.index, &changes, found)?;
        }
        let outside = outside::look(self.repo, &landing.outside)?;
        self.repo.stop_if_cancelled()?;

        let logged = self.logged(&changes, looked.as_ref())?;
        objects::store(self.repo, &landing.objects, self.settings)?;
        objects::flush_existing(self.repo, self.settings)?;
        let anchored = self.anchored()?;
        objects::store(self.repo, &anchored.1, self.settings)?;
        let operation = self.options.operation.map_or_else(OperationId::random, Ok)?.to_string();
        let root = looked.as_ref().map(|(checkout, _)| &checkout.root);
        let stage = Stage::make(self.repo, root, &operation, self.settings)?;
        let filled = outside::stage(self.repo, self.objects, self.settings, &stage, outside, &operation)
            .and_then(|outside| {
                let mut journal = Journal::new(operation);
                journal.outside = outside;
                self.fill(&stage, journal, &changes, looked.as_ref(), (logged, anchored.0))
            });
        match filled {
            Ok((journal, locks)) => {
                let checkout = looked.map(|(checkout, _)| checkout);
                Ok(Prepared { changes, head, stage, journal, locks, checkout })
            }
            Err(error) => {
                // Nothing refers to the stage yet; if it cannot be removed, the next landing does it.
                let _ = anchor::weigh_anchor(self.repo);
                if outside::sweep_made(self.repo, &stage.folder, self.settings).is_ok() {
                    let _ = stage.remove(root);
                }
                Err(error)
            }
        }
    }

    /// The content of every file to be written must be there before anything is stored. What a partial clone lacks is
    /// fetched in one go.
    fn fetch_missing(&self, index: &Index, changes: &[Change], found: &[Found]) -> Result<()> {
        let written = changes.iter().zip(found).filter(|(_, found)| **found != Found::Skipped);
        if self.repo.fetch_lacking(self.objects, written.filter_map(|(change, _)| change.new))? {
            // How large they are was not known before.
            self.refuse_too_large(index, changes, found)?;
        }
        Ok(())
    }

    /// The object that names all that is new, and the objects that takes: what is only staged has no commit.
    fn anchored(&self) -> Result<(ObjectId, NewObjects)> {
        let moved = self.landing.reference.as_ref().and_then(|update| update.new.or(update.old));
        if let Some(commit) = moved {
            return Ok((commit.0, Vec::new()));
        }
        let row = |name: &str, tree: TreeId| TreeEntry {
            name: name.into(),
            entry: Entry { mode: EntryMode::TREE, id: tree.0 },
        };
        let objects = self.repo.objects();
        let entries = vec![row("after", self.landing.result_tree), row("before", self.landing.head_tree)];
        Ok((objects.write_tree(&Tree { entries })?.0, objects.take_new()))
    }

    /// The entry of the operation log.
    fn logged(
        &self,
        changes: &[Change],
        looked: Option<&(Checkout, Vec<Found>)>,
    ) -> Result<Option<(LoggedEntry, Vec<u8>)>> {
        let Some(draft) = &self.landing.log else { return Ok(None) };
        let looked =
            looked.map(|(checkout, found)| (&checkout.root, found.as_slice(), checkout.flags.as_slice()));
        let touched = log::touched(changes, looked)?;
        draft.build(self.repo, touched, &self.landing.state_files).map(Some)
    }

    pub(super) fn look(&self, changes: &[Change]) -> Result<(Checkout, Vec<Found>)> {
        let root = open_root(self.repo)?;
        let IndexFile { path, bytes, mut index } = self.repo.read_index()?;
        let exact = self.landing.exact.as_ref();
        let sparse = Sparse::of(self.repo, self.settings.ignore_case)?;
        let view = View {
            objects: self.objects,
            settings: self.settings,
            root: &root,
            index: &index,
            expected: exact.map_or(Expected::Committed, |exact| exact.sides.expected()),
            flags: &self.landing.flags,
            sparse: sparse.as_ref(),
            conflicts: &self.landing.index_stages,
        };
        let found = inspect::inspect(&view, changes)?;
        let kept = |change: &Change| {
            index.entry_at(change.path.as_bytes()).map(|entry| entry.flags.kept()).unwrap_or_default()
        };
        let flags = changes.iter().map(kept).collect();
        if let Some(exact) = exact {
            exact.refuse_other_index(&index)?;
            index = exact.index_after.clone();
        } else {
            self.refuse_staged_conflicts(&index)?;
            let stages = &self.landing.index_stages;
            index_edit::edit(&mut index, changes, &found, stages, &self.landing.flags);
            let trees = (self.landing.head_tree, self.landing.result_tree);
            index_edit::shift_cached_trees(&mut index, self.objects, trees, changes, stages)?;
        }
        self.refuse_too_large(&index, changes, &found)?;
        Ok((Checkout { root, index_path: path, index_bytes: bytes, index, flags }, found))
    }

    fn refuse_too_large(&self, index: &Index, changes: &[Change], found: &[Found]) -> Result<()> {
        let converted = self.landing.exact.as_ref().is_none_or(|exact| exact.sides.converts());
        size::refuse_too_large(self.objects, converted.then_some(index), changes, found)
    }

    /// A path that gets stages must be in the index as the tree before has it, or not at all.
    fn refuse_staged_conflicts(&self, index: &Index) -> Result<()> {
        let mut staged = Vec::new();
        for conflict in &self.landing.index_stages {
            let entry = index.entry_at(conflict.path.as_bytes()).map(|entry| entry.entry());
            let committed = self.objects.entry_at(self.landing.head_tree, &conflict.path)?;
            let same = match (entry, committed.filter(|entry| !entry.mode.is_tree())) {
                (Some(entry), Some(committed)) => entry.same_as(&committed),
                (None, None) => true,
                _ => false,
            };
            if !same {
                staged.push(conflict.path.clone());
            }
        }
        match staged.is_empty() {
            true => Ok(()),
            false => Err(WorkTreeError::InTheWay { reason: InTheWay::Staged, paths: staged }.into()),
        }
    }
}
