//! Paths outside the repository: copied into a checkpoint with a hash each, and put back where they came from.
//!
//! They are put back file by file, each by a rename over the old one after it was flushed, so that a file is never half
//! written; all of them at once cannot be. Doing it again finishes what was cut off. A path is never put anywhere but
//! where it was, no link is followed on the way below it, and what is not known to a checkpoint is not removed.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Write};
use std::path::Path;

use bstr::ByteSlice;

use super::document::{OutsideEntry, OutsideKind, OutsidePart};
use crate::apply::{Attributes, BlobStore, FileKind, Folder, Keeping, Parent, make_parent_of, parent_of};
use crate::error::{Error, Result};
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
    bytes.map(RepoPath::new).ok_or_else(|| Error::InvalidPath {
        path: path.display().to_string(),
        why: "this system cannot spell it",
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
    path.to_relative_path()
        .ok_or_else(|| Error::InvalidPath { path: path.to_string(), why: "this system cannot spell it" })
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

/// What putting a path back does to it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Difference {
    /// What is written, folders included.
    pub(super) written: Vec<usize>,
    /// What goes: positions in `known`, what stands there now and is kept by another checkpoint.
    pub(super) removed: Vec<usize>,
}

/// Compares what stands there now, as another checkpoint has it, with what is to stand there.
pub(super) fn difference(known: &OutsidePart, wanted: &OutsidePart) -> Difference {
    let now: BTreeMap<_, _> = known.entries.iter().map(|entry| (&entry.path, &entry.kind)).collect();
    let then: BTreeSet<_> = wanted.entries.iter().map(|entry| &entry.path).collect();
    let written =
        wanted.entries.iter().enumerate().filter(|(_, entry)| now.get(&entry.path) != Some(&&entry.kind));
    let removed = known.entries.iter().enumerate().filter(|(_, entry)| !then.contains(&entry.path));
    Difference { written: written.map(|(at, _)| at).collect(), removed: removed.map(|(at, _)| at).collect() }
}

/// A path outside that is put back.
pub(super) struct Restorer<'a> {
    pub(super) objects: &'a Objects,
    pub(super) settings: &'a Settings,
    /// What stands there now; a checkpoint keeps it.
    pub(super) known: &'a OutsidePart,
    pub(super) wanted: &'a OutsidePart,
    /// The blobs of what is wanted.
    pub(super) tree: TreeId,
    /// Part of the names of files that are not in place yet.
    pub(super) operation: &'a str,
}

impl Restorer<'_> {
    /// Puts the path back.
    ///
    /// # Errors
    /// [`Error::Io`], naming what could not be written; [`Error::BadRequest`] where it is not what it was a moment ago.
    pub(super) fn restore(&self) -> Result<()> {
        let difference = difference(self.known, self.wanted);
        if difference == Difference::default() {
            return Ok(());
        }
        let Some((parent, name)) = open_parent(&self.wanted.path)? else {
            let path = self.wanted.path.parent().unwrap_or_default();
            return Err(Error::io("open", path.to_string(), std::io::ErrorKind::NotFound.into()));
        };
        let name = RepoPath::new(name);
        let below = |path: &RepoPath| if path.is_root() { name.clone() } else { name.join(path.as_bytes()) };
        // Deepest first: a folder can go when what is in it is gone.
        for at in difference.removed.iter().rev() {
            let entry = &self.known.entries[*at];
            self.remove(&parent, &below(&entry.path), &entry.kind)?;
        }
        let blobs = self.objects.tree(self.tree)?;
        for at in difference.written {
            let entry = &self.wanted.entries[at];
            let path = below(&entry.path);
            let known = self.known.entries.iter().find(|known| known.path == entry.path);
            let kind_changes = known.is_some_and(|known| !same_kind(&known.kind, &entry.kind));
            if let Some(known) = known.filter(|_| kind_changes) {
                self.remove(&parent, &path, &known.kind)?;
            }
            let blob = blobs.find(at.to_string().as_bytes()).map(|entry| entry.id);
            self.write(&parent, &path, entry, blob)?;
        }
        Ok(())
    }

    fn failed(&self, path: &RepoPath) -> impl Fn(std::io::Error) -> Error + use<> {
        let shown = self.shown(path);
        move |error| Error::io("write", &shown, error)
    }

    fn shown(&self, path: &RepoPath) -> String {
        self.wanted.path.parent().unwrap_or_default().join(path.as_bytes()).to_string()
    }

    fn remove(&self, root: &Folder, path: &RepoPath, known: &OutsideKind) -> Result<()> {
        let failed = self.failed(path);
        let Parent::Open(parent) = parent_of(root, path).map_err(&failed)? else { return Ok(()) };
        let name = path.file_name();
        match known {
            // Somebody may have put something there meanwhile; then it stays.
            OutsideKind::Folder { .. } => {
                let _ = parent.remove_folder(name);
                Ok(())
            }
            known if self.is_still(&parent, name, known).map_err(&failed)? => {
                parent.remove_file(name).map_err(&failed)
            }
            _ => Err(Error::BadRequest(format!("{} changed while it was put back", self.shown(path)))),
        }
    }

    fn is_still(&self, parent: &Folder, name: &[u8], known: &OutsideKind) -> std::io::Result<bool> {
        let Some(info) = parent.info(name)? else { return Ok(false) };
        Ok(match (known, info.kind) {
            (OutsideKind::Symlink { target }, FileKind::Symlink) => {
                parent.read_link(name)? == target.as_bytes()
            }
            (OutsideKind::File { sha256, .. }, FileKind::File { .. }) => {
                let mut hasher = Sha256::new();
                let mut file = parent.open_file(name)?;
                let mut buffer = vec![0; 64 * 1024];
                loop {
                    match std::io::Read::read(&mut file, &mut buffer)? {
                        0 => break,
                        read => hasher.see(&buffer[..read]),
                    }
                }
                hasher.finish() == *sha256
            }
            _ => false,
        })
    }

    fn write(
        &self,
        root: &Folder,
        path: &RepoPath,
        entry: &OutsideEntry,
        blob: Option<ObjectId>,
    ) -> Result<()> {
        let failed = self.failed(path);
        let parent = make_parent_of(root, path, &mut Vec::new()).map_err(&failed)?;
        let name = path.file_name();
        let staged = format!(".rb-checkpoint-{}", self.operation).into_bytes();
        let missing = || failed(std::io::ErrorKind::NotFound.into());
        match &entry.kind {
            OutsideKind::Folder { permissions } => {
                match parent.make_folder(name) {
                    Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                        return Err(failed(error));
                    }
                    _ => {}
                }
                let modified = parent.attributes(name).map_err(&failed)?.ok_or_else(missing)?.modified;
                let attributes = Attributes { permissions: *permissions, modified };
                parent.set_attributes(name, &attributes).map_err(&failed)
            }
            OutsideKind::File { permissions, modified, .. } => {
                let blob = blob.ok_or_else(missing)?;
                let mut file = parent.create_file(&staged, 0o600).map_err(&failed)?;
                self.objects.in_pieces(blob, &mut |piece| file.write_all(piece).map_err(&failed))?;
                let attributes = Attributes { permissions: *permissions, modified: *modified };
                parent.set_attributes(&staged, &attributes).map_err(&failed)?;
                file.sync_all().map_err(&failed)?;
                self.put_in_place(&parent, &staged, path)
            }
            OutsideKind::Symlink { target } => {
                parent.create_symlink(target.as_bytes(), &staged).map_err(&failed)?;
                self.put_in_place(&parent, &staged, path)
            }
        }
    }

    /// Over what is known to stand there, and over nothing else.
    fn put_in_place(&self, parent: &Folder, staged: &[u8], path: &RepoPath) -> Result<()> {
        let failed = self.failed(path);
        let below = RepoPath::new(path.as_bytes().splitn_str(2, b"/").nth(1).unwrap_or_default());
        let known = self.known.entries.iter().find(|known| known.path == below);
        let name = path.file_name();
        let there = parent.info(name).map_err(&failed)?.is_some();
        let expected = match known.filter(|_| there) {
            Some(known) => self.is_still(parent, name, &known.kind).map_err(&failed)?,
            None => !there,
        };
        let moved = match expected {
            true if there => parent.rename_over(staged, name).map_err(&failed),
            true => parent.rename_to_free(staged, parent, name).map_err(&failed),
            false => Err(Error::BadRequest(format!("{} changed while it was put back", self.shown(path)))),
        };
        if moved.is_err() {
            let _ = parent.remove_file(staged);
        }
        moved?;
        match self.settings.fsync.journal {
            true => parent.sync().map_err(&failed),
            false => Ok(()),
        }
    }
}

fn same_kind(one: &OutsideKind, other: &OutsideKind) -> bool {
    std::mem::discriminant(one) == std::mem::discriminant(other)
}
