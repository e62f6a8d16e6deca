//! Going back to a commit after a stop, as `git reset --merge` does: conflicts go, staged changes go, edits elsewhere stay.
//!
//! What stood in the files that go back is kept in the operation log, so that `rb undo` brings a half-done resolution back.

use std::collections::{BTreeMap, BTreeSet};

use bstr::BString;

use super::logged::NewEntry;
use super::run::Run;
use super::state::{self, Folder as SequenceFolder, Todo, files_in_progress};
use super::{SequenceEvent, SequenceStatus};
use crate::apply::changes::between;
use crate::apply::log::{EditsSide, LoggedEdits, LoggedOperation};
use crate::apply::{
    Expected, FileBytes, FileKind, Folder, Landing, Look, Onlooker, Parent, RefUpdate, Standing, View,
    entries_at, open_root, parent_of,
};
use crate::error::{Error, InTheWay, Result, SequenceError, WorkTreeError};
use crate::id::{CommitId, Entry, EntryMode, TreeId};
use crate::journal::{IndexedPath, StateFile};
use crate::operation::kind;
use crate::path::RepoPath;
use crate::repo::Edits;
use crate::repo::config::Settings;
use crate::repo::index::Index;
use crate::repo::sparse::Sparse;

impl Run<'_> {
    /// Leaves out the commit at which it stopped.
    pub(super) fn skip(&mut self) -> Result<()> {
        let stop = self.entry_to_go_on_with()?;
        let head = self.repo.head()?.commit();
        let rest = match Todo::read(self.repo, self.action)? {
            Some(todo) => todo.split().map(|(_, rest)| rest),
            None => None,
        };
        let over = rest.as_ref().is_none_or(|rest| rest.len() == 0);
        let folder = if over { SequenceFolder::Too } else { SequenceFolder::Stays };
        self.target = stop.as_ref().map(|stop| stop.target.clone()).unwrap_or_default();
        let undoes = stop.as_ref().filter(|_| over).map(|stop| stop.operation_id.clone());
        self.reset_to(head, folder, NewEntry { kind: Some("skip"), undoes, ..NewEntry::default() })?;
        self.target = String::new();
        self.previous = stop;
        match rest.filter(|_| !over) {
            Some(rest) => self.pick_all(rest),
            None => Ok(()),
        }
    }

    /// Gives everything up.
    pub(crate) fn abort(&mut self, kind: &str) -> Result<()> {
        let head = self.repo.head()?.commit();
        let stop = self.entry_to_go_on_with()?;
        self.target = stop.as_ref().map(|stop| stop.target.clone()).unwrap_or_default();
        let undoes = stop.map(|stop| stop.operation_id);
        self.report.status = SequenceStatus::Aborted;
        let target = match state::start(self.repo)? {
            Some(begun) if begun.0.is_null() => return Err(SequenceError::BeganUnborn.into()),
            Some(_) if !state::head_is_unmoved(self.repo, head)? => {
                self.front.tell(SequenceEvent::HeadMoved);
                self.report.status = SequenceStatus::HeadMoved;
                return self.end_sequence();
            }
            Some(begun) => begun,
            None => head.ok_or(SequenceError::BeganUnborn)?,
        };
        let entry = NewEntry { kind: Some(kind), undoes, ..NewEntry::default() };
        self.reset_to(Some(target), SequenceFolder::Too, entry)
    }

    /// Takes a stop back, to where the operation began.
    pub(super) fn take_back(&mut self, stop: &LoggedOperation) -> Result<()> {
        self.report.status = SequenceStatus::Aborted;
        let target = stop.before.ok_or(SequenceError::BeganUnborn)?;
        self.target = format!("{} {}", stop.kind, stop.target);
        let undoes = Some(stop.operation_id.clone());
        let entry = NewEntry { kind: Some(kind::UNDO), undoes, ..NewEntry::default() };
        self.reset_to(Some(target), SequenceFolder::Too, entry)
    }

    /// Takes HEAD, index and the files that differ to a commit.
    fn reset_to(
        &mut self,
        target: Option<CommitId>,
        folder: SequenceFolder,
        entry: NewEntry<'_>,
    ) -> Result<()> {
        let head = self.repo.head()?;
        let tree = self.objects.tree_of(target)?;
        let found = self.look(tree)?;
        let empty = self.objects.empty_tree();
        let before = self.objects.edit_tree(empty, &found.files(|one| one.stands))?;
        let after = self.objects.edit_tree(empty, &found.files(|one| one.file_wanted()))?;
        let mut edits = found.edits();
        edits.keep(&self.objects)?;
        let exact = edits.exact(found.index)?;
        let mut state_files = Vec::new();
        if let Some(old) = head.commit() {
            state_files.push(StateFile::write("ORIG_HEAD", format!("{old}\n")));
        }
        state_files.extend(files_in_progress(self.repo, folder)?);
        let committer = self.with_time(self.repo.recorder());
        let goal = target.map_or_else(|| "HEAD".to_owned(), |target| target.to_string());
        let reflog = BString::from(match &self.context.reflog_action {
            Some(action) => format!("{action}: moving to {goal}"),
            None => format!("reset: moving to {goal}"),
        });
        let mut landing = Landing {
            objects: self.objects.take_new(),
            checkout: true,
            state_files,
            exact: Some(exact),
            ..Landing::of_trees(before, after)
        };
        if target == head.commit() {
            landing.head_line = Some((reflog, committer));
        } else {
            landing.reference = Some(RefUpdate {
                name: head.name().as_bytes().into(),
                old: head.commit(),
                new: target,
                reflog,
                committer,
            });
        }
        self.land(landing, NewEntry { edits: Some(edits), ..entry })
    }

    /// What stands at the paths that differ from the tree, or are in conflict.
    fn look(&self, tree: TreeId) -> Result<Found> {
        let settings = Settings::of(self.repo)?;
        let index = self.repo.read_index()?.index;
        let root = open_root(self.repo)?;
        let unmerged: BTreeSet<RepoPath> = index.unmerged().into_iter().collect();
        let staged = index.tree_of_entries(&self.objects)?;
        let changes = between(&self.objects, staged, tree)?;
        let mut paths: BTreeSet<RepoPath> = changes.into_iter().map(|change| change.path).collect();
        paths.extend(unmerged.iter().cloned());
        let (flags, sparse) = (BTreeMap::new(), Sparse::of(self.repo, settings.ignore_case)?);
        let view = View {
            objects: &self.objects,
            settings: &settings,
            root: &root,
            index: &index,
            expected: Expected::Indexed,
            flags: &flags,
            sparse: sparse.as_ref(),
            conflicts: &[],
        };
        let mut onlooker = Onlooker::new(&view)?;
        let mut found = Vec::new();
        let mut in_the_way: Option<(InTheWay, Vec<RepoPath>)> = None;
        let mut refuse = |reason: InTheWay, path: &RepoPath| match &mut in_the_way {
            Some((known, paths)) if *known == reason => paths.push(path.clone()),
            Some(_) => {}
            None => in_the_way = Some((reason, vec![path.clone()])),
        };
        for path in paths {
            let wanted = self.objects.entry_at(tree, &path)?.filter(|entry| !entry.mode.is_tree());
            let stands = self.stands(&root, &path)?;
            if !unmerged.contains(&path) {
                match index.entry_at(path.as_bytes()) {
                    Some(entry) if entry.mode.is_file() => {
                        let standing = onlooker.at(&path, entry, Look::AtStat)?;
                        if !matches!(standing, Standing::Same | Standing::Nothing) {
                            refuse(InTheWay::Edited, &path);
                        }
                    }
                    None if stands.is_some() => refuse(InTheWay::Untracked, &path),
                    _ => {}
                }
            }
            found.push(FoundPath { path, wanted, stands });
        }
        if let Some((reason, paths)) = in_the_way {
            return Err(WorkTreeError::InTheWay { reason, paths }.into());
        }
        Ok(Found { index, paths: found })
    }

    /// The file or link that stands at a path, its bytes as they are kept in memory.
    fn stands(&self, root: &Folder, path: &RepoPath) -> Result<Option<Entry>> {
        let failed = |error| Error::io("read", path.to_string(), error);
        let Parent::Open(parent) = parent_of(root, path).map_err(failed)? else { return Ok(None) };
        let name = path.file_name();
        let Some(info) = parent.info(name).map_err(failed)? else { return Ok(None) };
        let (mode, bytes) = match info.kind {
            FileKind::Symlink => (EntryMode::SYMLINK, parent.read_link(name).map_err(failed)?),
            FileKind::File { executable } => {
                self.objects.refuse_too_large(path, info.size)?;
                let mut bytes = Vec::new();
                let read = parent.open_file(name);
                read.and_then(|mut file| std::io::Read::read_to_end(&mut file, &mut bytes))
                    .map_err(failed)?;
                (if executable { EntryMode::EXECUTABLE } else { EntryMode::BLOB }, bytes)
            }
            FileKind::Folder | FileKind::Other => return Ok(None),
        };
        Ok(Some(Entry { mode, id: self.objects.write_blob(&bytes)? }))
    }
}

/// What stands at the paths that go back.
struct Found {
    index: Index,
    paths: Vec<FoundPath>,
}

struct FoundPath {
    path: RepoPath,
    /// What the commit has.
    wanted: Option<Entry>,
    /// What stands in the work tree.
    stands: Option<Entry>,
}

impl FoundPath {
    /// The file that the commit has; the folder of a submodule is left alone.
    fn file_wanted(&self) -> Option<Entry> {
        self.wanted.filter(|entry| entry.mode.is_file() || entry.mode == EntryMode::SYMLINK)
    }
}

impl Found {
    fn files(&self, side: impl Fn(&FoundPath) -> Option<Entry>) -> Edits {
        self.paths.iter().filter_map(|one| Some((one.path.clone(), Some(side(one)?)))).collect()
    }

    fn edits(&self) -> LoggedEdits {
        let before = |one: &FoundPath| IndexedPath {
            path: one.path.clone(),
            entries: entries_at(&self.index, &one.path),
        };
        let after = |one: &FoundPath| IndexedPath {
            path: one.path.clone(),
            entries: one
                .wanted
                .map(|entry| (0, Entry { mode: entry.mode.canonical(), id: entry.id }))
                .into_iter()
                .collect(),
        };
        let clean = self.paths.iter().filter(|one| one.file_wanted().is_some());
        LoggedEdits {
            before: EditsSide {
                files: FileBytes::AsTheyAre,
                index: self.paths.iter().map(before).collect(),
                clean: BTreeSet::new(),
                folders: BTreeSet::new(),
                kept: Vec::new(),
            },
            after: EditsSide {
                files: FileBytes::AsGitKeepsThem,
                index: self.paths.iter().map(after).collect(),
                clean: clean.map(|one| one.path.clone()).collect(),
                folders: BTreeSet::new(),
                kept: Vec::new(),
            },
        }
    }
}
