//! Paths outside the repository: copied into a checkpoint with a hash each, and compared with what stands there later.
//!
//! Nothing is written here: what has to change becomes part of a landing, which puts a path nowhere but where it was,
//! follows no link on the way below it, and removes nothing that no checkpoint knows.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;
use std::path::Path;

use bstr::ByteSlice;

use super::document::{OutsideEntry, OutsideKind, OutsidePart};
use crate::apply::{
    Attributes, BlobStore, FileKind, Folder, Keeping, OutsideChange, OutsideRow, OutsideThing,
};
use crate::error::{Error, PathError, Result};
use crate::id::{Entry, EntryMode, ObjectId, TreeId};
use crate::path::RepoPath;
use crate::repo::config::Settings;
use crate::repo::{Objects, Repo};

/// Checks that a path is one that may be taken along, and spells it from the root of the file system on.
pub(super) fn check(repo: &Repo, path: &Path) -> Result<RepoPath> {
    let refuse = |why: &str| Err(Error::BadRequest(format!("{} {why}", path.display())));
    if !path.is_absolute() {
        return refuse("is not named from the root of the file system on");
    }
    if path.components().any(|part| matches!(part, std::path::Component::ParentDir)) {
        return refuse("steps through the folder tree with '..'");
    }
    if path.file_name().is_none() {
        return refuse("is the root of a file system");
    }
    // The folders above may be links; the path itself is taken as it is.
    let parent = path.parent().unwrap_or(path);
    let whole = parent.canonicalize().unwrap_or_else(|_| parent.to_owned());
    let whole = whole.join(path.file_name().unwrap_or_default());
    let own = [repo.work_dir().map(Path::to_owned), Some(repo.git_dir().to_owned()), Some(repo.common_dir())];
    for inside in own.into_iter().flatten() {
        let inside = inside.canonicalize().unwrap_or(inside);
        if whole.starts_with(&inside) {
            return refuse("lies in the repository, which is taken along anyway");
        }
        if inside.starts_with(&whole) {
            return refuse("holds the repository");
        }
    }
    let bytes = <[u8]>::from_path(&whole);
    bytes.map(RepoPath::new).ok_or_else(|| {
        PathError::Invalid { path: path.display().to_string(), why: "this system cannot spell it" }.into()
    })
}

/// Copies what stands at the path. The tree has a blob for each entry that has bytes, named by its number.
pub(super) fn copy(
    repo: &Repo,
    objects: &Objects,
    settings: &Settings,
    path: &RepoPath,
    keeping: Keeping,
) -> Result<(OutsidePart, TreeId)> {
    let blobs = BlobStore::new(repo, settings, keeping);
    let mut copier = Copier { blobs, entries: Vec::new(), rows: BTreeMap::new() };
    if let Some((parent, name)) = open_parent(path)? {
        copier.copy(&parent, &name, path, RepoPath::default())?;
    }
    let Copier { blobs, entries, rows } = copier;
    blobs.finish()?;
    let rows = rows.into_iter().map(|(name, entry)| (RepoPath::new(name.into_bytes()), Some(entry)));
    let tree = objects.edit_tree(objects.empty_tree(), &rows.collect())?;
    Ok((OutsidePart { path: path.clone(), entries }, tree))
}

fn open_parent(path: &RepoPath) -> Result<Option<(Folder, Vec<u8>)>> {
    let system = system_path(path)?;
    let Some((parent, name)) =
        system.parent().zip(<[u8]>::from_path(Path::new(system.file_name().unwrap_or_default())))
    else {
        return Ok(None);
    };
    match Folder::open(parent) {
        Ok(folder) => Ok(Some((folder, name.to_vec()))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io("open", parent, error)),
    }
}

fn system_path(path: &RepoPath) -> Result<std::borrow::Cow<'_, Path>> {
    path.to_relative_path().ok_or_else(|| {
        PathError::Invalid { path: path.to_string(), why: "this system cannot spell it" }.into()
    })
}

struct Copier<'a> {
    blobs: BlobStore<'a>,
    entries: Vec<OutsideEntry>,
    rows: BTreeMap<String, Entry>,
}

impl Copier<'_> {
    fn copy(&mut self, parent: &Folder, name: &[u8], whole: &RepoPath, path: RepoPath) -> Result<()> {
        let failed = |error| Error::io("read", whole.to_string(), error);
        let Some(info) = parent.info(name).map_err(failed)? else { return Ok(()) };
        let Some(Attributes { permissions, modified }) = parent.attributes(name).map_err(failed)? else {
            return Ok(());
        };
        match info.kind {
            FileKind::Folder => {
                self.entries
                    .push(OutsideEntry { path: path.clone(), kind: OutsideKind::Folder { permissions } });
                let folder = parent.open_folder(name).map_err(failed)?;
                let mut names = folder.names().map_err(failed)?;
                names.sort();
                for inner in names {
                    self.copy(&folder, &inner, &whole.join(&inner), path.join(&inner))?;
                }
            }
            FileKind::File { .. } => {
                let mut file = parent.open_file(name).map_err(failed)?;
                let mut hasher = Sha256::new();
                let kept = self.blobs.keep(&mut file, info.size, &mut |piece| hasher.see(piece));
                let id = kept.map_err(failed)?.ok_or_else(|| changed(whole))?;
                let sha256 = hasher.finish();
                self.push(path, OutsideKind::File { permissions, size: info.size, sha256, modified }, id);
            }
            FileKind::Symlink => {
                let target = parent.read_link(name).map_err(failed)?;
                let size = target.len() as u64;
                let kept = self.blobs.keep(&mut Cursor::new(&target), size, &mut |_| {});
                let id = kept.map_err(failed)?.ok_or_else(|| changed(whole))?;
                self.push(path, OutsideKind::Symlink { target: RepoPath::new(target) }, id);
            }
            FileKind::Other => {
                return Err(Error::BadRequest(format!(
                    "{whole} is neither a file, a folder nor a link, and cannot be copied"
                )));
            }
        }
        Ok(())
    }

    fn push(&mut self, path: RepoPath, kind: OutsideKind, id: ObjectId) {
        self.rows.insert(self.entries.len().to_string(), Entry { mode: EntryMode::BLOB, id });
        self.entries.push(OutsideEntry { path, kind });
    }
}

fn changed(path: &RepoPath) -> Error {
    Error::io("read", path.to_string(), std::io::Error::other("it changed while it was read"))
}

/// SHA-256 over pieces. A store asks for the bytes once or twice; only the first time counts.
pub(super) struct Sha256 {
    hasher: gix::hash::Hasher,
}

impl Sha256 {
    pub(super) fn new() -> Self {
        Self { hasher: gix::hash::hasher(gix::hash::Kind::Sha256) }
    }

    pub(super) fn see(&mut self, piece: &[u8]) {
        self.hasher.update(piece);
    }

    pub(super) fn finish(self) -> String {
        self.hasher.try_finalize().map_or_else(|_| String::new(), |hash| hash.to_string())
    }
}

/// A path outside at two times, with the trees that hold the bytes.
#[derive(Clone, Copy)]
pub(super) struct Sides<'a> {
    /// What stands there now, as another checkpoint keeps it.
    pub(super) known: (&'a OutsidePart, TreeId),
    /// What is to stand there.
    pub(super) wanted: (&'a OutsidePart, TreeId),
}

/// Whether what stands there is what is to stand there.
pub(super) fn is_same(known: &OutsidePart, wanted: &OutsidePart) -> bool {
    known.entries == wanted.entries
}

/// What has to change for the one to become the other.
pub(super) fn change(objects: &Objects, sides: Sides<'_>) -> Result<OutsideChange> {
    let known = things(objects, sides.known)?;
    let wanted = things(objects, sides.wanted)?;
    let paths: BTreeSet<_> = known.keys().chain(wanted.keys()).copied().collect();
    let rows = paths.into_iter().map(|path| OutsideRow {
        path: path.clone(),
        old: known.get(path).copied(),
        new: wanted.get(path).copied(),
    });
    let rows = rows.filter(|row| row.old != row.new).collect();
    Ok(OutsideChange { path: sides.wanted.0.path.clone(), rows })
}

fn things<'a>(
    objects: &Objects,
    (part, tree): (&'a OutsidePart, TreeId),
) -> Result<BTreeMap<&'a RepoPath, OutsideThing>> {
    let blobs = objects.tree(tree)?;
    let mut things = BTreeMap::new();
    for (nth, entry) in part.entries.iter().enumerate() {
        let blob = || {
            let found = blobs.find(nth.to_string().as_bytes()).map(|entry| entry.id);
            found.ok_or_else(|| {
                Error::internal(format!("the copy of {} is missing", part.path), "no such blob")
            })
        };
        let thing = match &entry.kind {
            OutsideKind::Folder { permissions } => OutsideThing::Folder { permissions: *permissions },
            OutsideKind::File { permissions, modified, .. } => OutsideThing::File {
                id: blob()?,
                attributes: Attributes { permissions: *permissions, modified: *modified },
            },
            OutsideKind::Symlink { .. } => OutsideThing::Symlink { id: blob()? },
        };
        things.insert(&entry.path, thing);
    }
    Ok(things)
}
