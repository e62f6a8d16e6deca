//! The stage of a landing: the new files, the journal, what the locks will hold; nothing of it counts yet.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::{Checkout, Run};
use crate::apply::changes::Change;
use crate::apply::content::Content;
use crate::apply::durable::Flushes;
use crate::apply::folder::{FileKind, Folder, Parent, group_at, parent_of};
use crate::apply::inspect::Found;
use crate::apply::stage::{Stage, Writing, slot_name};
use crate::apply::{anchor, durable, index_edit, lock, preflight, reference, tables};
use crate::error::{Error, Result};
use crate::id::{EntryKind, ObjectId};
use crate::journal::{Action, Journal, LoggedEntry, Place, Step};
use crate::path::RepoPath;
use crate::progress;
use crate::repo::Repo;
use crate::repo::refs::Storage;

impl Run<'_> {
    /// Stages files and writes the journal.
    pub(super) fn fill(
        &self,
        stage: &Stage,
        mut journal: Journal,
        changes: &[Change],
        looked: Option<&(Checkout, Vec<Found>)>,
        (logged, anchored): (Option<(LoggedEntry, Vec<u8>)>, ObjectId),
    ) -> Result<(Journal, Vec<PathBuf>)> {
        journal.stage_in_work_tree.clone_from(&stage.in_work_tree);
        journal.state_files.clone_from(&self.landing.state_files);
        if let Some((checkout, found)) = looked {
            journal.index = Some(match &self.landing.exact {
                Some(exact) => index_edit::differences(&exact.index_before, &exact.index_after),
                None => index_edit::touched(&checkout.index, changes, &self.landing.index_stages),
            });
            journal.steps = self.stage_files(stage, checkout, changes, found)?;
            journal.missing_folders = missing_folders(&checkout.root, &journal.steps)?;
            if let Some(bytes) = &checkout.index_bytes {
                self.keep_index(stage, &checkout.index_path, bytes)?;
            }
            journal.locks.push(place_of(&preflight::index_lock(self.repo), self.repo));
        }
        if let Some(update) = &self.landing.reference {
            let moved = reference::record(self.repo, update, self.settings)?;
            if let Some(new) = update.new.filter(|_| self.storage() == Storage::Files) {
                let content = format!("{new}\n");
                let sync = self.settings.fsync.references;
                self.write_own(&stage.path("reference"), content.as_bytes(), sync)?;
            }
            journal.reference = Some(moved);
        }
        journal.locks.extend(match self.storage() {
            Storage::Tables => tables::locks_of(self.repo)?,
            Storage::Files => {
                let update = self.landing.reference.as_ref();
                update.map_or(Vec::new(), |update| reference::locks_of(update, self.landing.checkout))
            }
        });
        if let Some((text, committer)) = &self.landing.head_line {
            journal.head_line = reference::head_line(self.repo, text, committer, self.settings)?;
        }
        if let Some((entry, record)) = logged {
            self.write_own(&stage.path("log"), &record, self.settings.fsync.journal)?;
            journal.logged = Some(entry);
        }
        anchor::drop_anchor(self.repo, stage, anchored, self.settings)?;
        lock::write_payload(&stage.path("lock"), &journal.operation, self.settings)?;
        let common_dir = self.repo.common_dir();
        let locks = journal
            .locks
            .iter()
            .map(|place| place.resolve(self.repo.git_dir(), &common_dir))
            .collect::<Result<_>>()?;
        self.write_journal(stage, &journal)?;
        Ok((journal, locks))
    }

    /// Keeps the index as it is: git replaces it and never writes into it, so a second name keeps it for free.
    fn keep_index(&self, stage: &Stage, index: &Path, bytes: &[u8]) -> Result<()> {
        let kept = stage.path("index.old");
        let linked = fs::hard_link(index, &kept).and_then(|()| fs::File::open(&kept));
        match linked {
            Ok(file) => durable::sync_file(&file, &kept, self.settings.fsync.journal)?,
            Err(_) => durable::remove_if_there(&kept)?,
        }
        // The index may have been replaced since it was read.
        if fs::read(&kept).is_ok_and(|found| found == bytes) {
            return Ok(());
        }
        durable::remove_if_there(&kept)?;
        self.write_own(&kept, bytes, self.settings.fsync.journal)
    }

    /// Makes a file of the stage.
    pub(super) fn write_own(&self, path: &Path, bytes: &[u8], sync: bool) -> Result<()> {
        durable::write_new(path, bytes, self.settings.shared, sync)
    }

    fn write_journal(&self, stage: &Stage, journal: &Journal) -> Result<()> {
        let sync = self.settings.fsync.journal;
        let (written, counts) = Journal::paths(&stage.folder);
        self.write_own(&written, &journal.encode()?, sync)?;
        // The staged files must be found under their names before the journal speaks of them.
        if let Some(files) = stage.files.as_ref().filter(|_| sync) {
            files.sync().map_err(|error| Error::io("flush", &stage.folder, error))?;
        }
        fs::rename(&written, &counts).map_err(|error| Error::io("write", &counts, error))?;
        durable::sync_folder(&stage.folder, sync)
    }

    fn stage_files(
        &self,
        stage: &Stage,
        checkout: &Checkout,
        changes: &[Change],
        found: &[Found],
    ) -> Result<Vec<Step>> {
        let content = match &self.landing.exact {
            Some(exact) if !exact.sides.converts() => None,
            _ => Some(Content::of_result(self.objects, &checkout.index, changes)?),
        };
        let mut writing = Writing { content, flushes: Flushes::new(self.settings.fsync.journal) };
        // Removals first: a file may have to go before a folder of its name can be made.
        let mut rows: Vec<_> = changes.iter().zip(found).collect();
        rows.sort_by_key(|(change, _)| change.new.is_some());
        let mut steps = Vec::new();
        let count = self.repo.count(progress::Stage::Staging, Some(rows.len()));
        for (change, found) in rows {
            self.repo.stop_if_cancelled()?;
            count.step();
            let way = makes_way(change, found);
            let found = if way.is_some() { &Found::Nothing } else { found };
            steps.extend(way.map(|action| Step { path: change.path.clone(), action }));
            let slot = steps.len();
            let action = self.stage_one(stage, slot, change, found, &mut writing)?;
            if let Some(Action::Add { .. } | Action::Replace { .. }) = action {
                // The stage lies elsewhere; git makes the file in its folder, whose group it gets.
                let group = group_at(&checkout.root, &change.path);
                let name = slot_name(slot);
                let files = stage.files()?;
                let given = group.and_then(|group| files.set_group(name.as_bytes(), group));
                given.map_err(|error| Error::io("stage", change.path.to_string(), error))?;
            }
            steps.extend(action.map(|action| Step { path: change.path.clone(), action }));
        }
        writing.flushes.finish()?;
        Ok(steps)
    }

    fn stage_one(
        &self,
        stage: &Stage,
        slot: usize,
        change: &Change,
        found: &Found,
        writing: &mut Writing<'_>,
    ) -> Result<Option<Action>> {
        if *found == Found::Skipped {
            return Ok(None);
        }
        if self.landing.absent.contains(&change.path) {
            return Ok(match found {
                Found::Clean(old) => Some(Action::Remove { old: *old }),
                _ => None,
            });
        }
        let Some(new) = change.new else {
            return Ok(match found {
                Found::Clean(old) => Some(Action::Remove { old: *old }),
                Found::Submodule => Some(Action::RemoveFolder),
                Found::Nothing | Found::Skipped => None,
            });
        };
        if new.mode.kind() == EntryKind::Submodule {
            return Ok((*found != Found::Submodule).then_some(Action::MakeFolder));
        }
        let mut write = || {
            let written = stage.write_file(slot, &change.path, new, self.objects, writing, self.settings)?;
            if let Some(attributes) = self.landing.attributes.get(&change.path) {
                let set = stage.files()?.set_attributes(slot_name(slot).as_bytes(), attributes);
                set.map_err(|error| Error::io("stage", change.path.to_string(), error))?;
            }
            Ok::<_, Error>(written)
        };
        Ok(Some(match found {
            Found::Clean(old) => Action::Replace { old: *old, new: write()? },
            _ => Action::Add { new: write()? },
        }))
    }
}

/// What goes before a file and a submodule can change places: the file, or the empty folder.
fn makes_way(change: &Change, found: &Found) -> Option<Action> {
    let becomes_submodule = change.new?.mode.kind() == EntryKind::Submodule;
    match found {
        Found::Clean(old) if becomes_submodule => Some(Action::Remove { old: *old }),
        Found::Submodule if !becomes_submodule => Some(Action::RemoveFolder),
        _ => None,
    }
}

fn place_of(path: &Path, repo: &Repo) -> Place {
    use bstr::ByteSlice;
    let bytes = |path: &Path| RepoPath::new(<[u8]>::from_path(path).unwrap_or_default());
    match path.strip_prefix(repo.git_dir()) {
        Ok(relative) => Place::GitDir(bytes(relative)),
        Err(_) => Place::Elsewhere(bytes(path)),
    }
}

/// The folders above added files that are not there yet, outermost first.
fn missing_folders(root: &Folder, steps: &[Step]) -> Result<Vec<RepoPath>> {
    let mut missing = BTreeSet::new();
    for step in steps.iter().filter(|step| matches!(step.action, Action::Add { .. } | Action::MakeFolder)) {
        let mut folder = step.path.parent();
        while let Some(path) = folder.filter(|path| !path.is_root() && !missing.contains(path)) {
            let parent =
                parent_of(root, &path).map_err(|error| Error::io("examine", path.to_string(), error))?;
            let there = match parent {
                Parent::Open(parent) => {
                    let info = parent.info(path.file_name());
                    let info = info.map_err(|error| Error::io("examine", path.to_string(), error))?;
                    info.is_some_and(|info| info.kind == FileKind::Folder)
                }
                Parent::Missing | Parent::Obstructed(_) => false,
            };
            if there {
                break;
            }
            folder = path.parent();
            missing.insert(path);
        }
    }
    Ok(missing.into_iter().collect())
}
