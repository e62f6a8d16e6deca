//! Taking the state of the work tree and the index: every file as the blob of its bytes, the index as a file and as
//! trees, so that all it names stays.

use std::collections::BTreeMap;
use std::io::Cursor;

use super::document::{FileRow, WorkTreePart};
use super::walk::{self, Named, Standing};
use crate::apply::{BlobStore, FileInfo, FileKind, Folder, Keeping, Parent, parent_of};
use crate::error::{Error, Result};
use crate::id::{Entry, EntryMode, ObjectId, TreeId};
use crate::path::RepoPath;
use crate::progress::Stage;
use crate::repo::config::Settings;
use crate::repo::index::{Index, IndexEntry};
use crate::repo::{Edits, Objects, Repo};

/// The state of a work tree and its index.
pub(super) struct Snapshot {
    /// The bytes of the files as they are.
    pub(super) tree: TreeId,
    pub(super) files: Vec<FileRow>,
    pub(super) index: Index,
    pub(super) part: WorkTreePart,
}

/// Takes the state; of what git ignores only what is `named`. Who is only curious stores nothing. Trees stay in the
/// memory of `objects`.
///
/// # Writes
/// A blob for each file whose bytes are not stored yet. Nothing names them until a record does.
pub(super) fn take(
    repo: &Repo,
    objects: &Objects,
    root: &Folder,
    settings: &Settings,
    named: Named<'_>,
    keeping: Keeping,
) -> Result<Snapshot> {
    let index = repo.read_index()?.index;
    let local = repo.local();
    let walk = walk::standing(&local, root, &index, named)?;
    let (found, skipped) = (walk.found, walk.skipped);
    let mut taker = Taker { root, settings, index: &index, blobs: BlobStore::new(repo, settings, keeping) };
    let mut edits = Edits::new();
    let mut files = Vec::with_capacity(found.len());
    let count = repo.count(Stage::Checkpoint, Some(found.len()));
    for standing in &found {
        repo.stop_if_cancelled()?;
        let (entry, row) = taker.take(standing)?;
        edits.insert(standing.path.clone(), Some(entry));
        files.push(row);
        count.step();
    }
    taker.blobs.finish()?;
    let tree = objects.edit_tree(objects.empty_tree(), &edits)?;
    let part = WorkTreePart {
        files: files.len(),
        untracked: found.iter().filter(|standing| !standing.tracked).count(),
        index_entries: index.entries().len(),
        conflicts: index.unmerged().len(),
        ignored: named.paths.to_vec(),
        skipped,
    };
    Ok(Snapshot { tree, files, index, part })
}

struct Taker<'a> {
    root: &'a Folder,
    settings: &'a Settings,
    index: &'a Index,
    blobs: BlobStore<'a>,
}

impl Taker<'_> {
    fn take(&mut self, standing: &Standing) -> Result<(Entry, FileRow)> {
        let Standing { path, info, .. } = standing;
        let failed = |error| Error::io("read", path.to_string(), error);
        let Parent::Open(parent) = parent_of(self.root, path).map_err(failed)? else {
            return Err(changed(path));
        };
        let name = path.file_name();
        let (mode, id) = match info.kind {
            FileKind::Symlink => {
                let target = parent.read_link(name).map_err(failed)?;
                let size = target.len() as u64;
                (EntryMode::SYMLINK, self.blobs.keep(&mut Cursor::new(target), size, &mut |_| {}))
            }
            FileKind::File { executable } => {
                let mode = if executable { EntryMode::EXECUTABLE } else { EntryMode::BLOB };
                let mut file = parent.open_file(name).map_err(failed)?;
                (mode, self.blobs.keep(&mut file, info.size, &mut |_| {}))
            }
            FileKind::Folder | FileKind::Other => return Err(changed(path)),
        };
        let id = id.map_err(failed)?.ok_or_else(|| changed(path))?;
        let attributes = parent.attributes(name).map_err(failed)?.ok_or_else(|| changed(path))?;
        let clean = self.index.entry_at(path.as_bytes()).is_some_and(|entry| self.is_clean(entry, info, id));
        Ok((Entry { mode, id }, FileRow { path: path.clone(), attributes, clean }))
    }

    /// Whether the index is known to be right about the file.
    fn is_clean(&self, entry: &IndexEntry, info: &FileInfo, id: ObjectId) -> bool {
        let settings = self.settings;
        let same = entry.stat.matches(&info.stat, settings.trust_ctime, settings.check_stat);
        same && (!self.index.is_racy(entry) || entry.id == id)
    }
}

fn changed(path: &RepoPath) -> Error {
    Error::io("read", path.to_string(), std::io::Error::other("it changed while it was read"))
}

/// The entries of the index as trees, one for each stage that occurs: what keeps their objects.
pub(super) fn index_trees(objects: &Objects, index: &Index) -> Result<Vec<(u8, TreeId)>> {
    let mut stages: BTreeMap<u8, Edits> = BTreeMap::new();
    for entry in index.entries() {
        if entry.flags.intent_to_add() {
            // git has no object for it yet and still names one.
            objects.write_blob(b"")?;
        }
        let path = RepoPath::new(entry.path.as_slice());
        stages.entry(entry.flags.stage()).or_default().insert(path, Some(entry.entry()));
    }
    let tree = |(stage, edits)| Ok((stage, objects.edit_tree(objects.empty_tree(), &edits)?));
    stages.into_iter().map(tree).collect()
}

/// The index for a work tree in which the files at `rewritten` are new: an entry keeps its stat data only where it can
/// be believed.
pub(super) fn settled(mut index: Index, files: &[FileRow], present: &Index) -> Index {
    let clean: BTreeMap<&[u8], bool> = files.iter().map(|row| (row.path.as_bytes(), row.clean)).collect();
    for entry in index.entries_mut().iter_mut().filter(|entry| entry.flags.stage() == 0) {
        // Without stat data git reads the file when it next asks.
        match clean.get(entry.path.as_slice()) {
            Some(true) => {
                let now = present.entry_at(&entry.path).filter(|now| now.id == entry.id);
                entry.stat = now.map_or(entry.stat, |now| now.stat);
            }
            _ => entry.stat = Default::default(),
        }
    }
    index
}
