//! Writing the files of a tree into a folder of its own.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use bstr::ByteSlice;

use super::relative;
use crate::apply::content::Content;
use crate::apply::{Size, check_entry};
use crate::error::{Error, PathError, Result};
use crate::id::{Entry, EntryKind};
use crate::path::RepoPath;
use crate::progress::Count;
use crate::repo::Objects;
use crate::workers::{self, Spread};

/// How many files are worth a thread of their own.
const FILES_OF_A_THREAD: usize = 2_000;
/// More threads than this wait for the file system.
const MOST_THREADS: usize = 8;

/// Writes the files `paths` of `tree` into `folder`, converted by the attributes of the tree. Nothing may be there yet.
///
/// `view` opens the object database once for each thread.
///
/// # Errors
/// [`PathError::Hostile`] for a tree that would write elsewhere; [`Error::Io`].
pub(super) fn write_files(
    view: &(dyn Fn() -> Result<Objects> + Sync),
    tree: &BTreeMap<RepoPath, Entry>,
    folder: &Path,
    paths: &[&RepoPath],
    count: &Count,
) -> Result<()> {
    in_parallel(paths, &|share: &[&RepoPath]| {
        let objects = view()?;
        let mut writer = Writer::new(&objects, Content::of_tree(&objects, tree, folder)?, folder);
        let mut rows = share.iter().filter_map(|path| Some((*path, tree.get(*path)?)));
        rows.try_for_each(|(path, entry)| {
            objects.stop_if_cancelled()?;
            writer.write(path, *entry)?;
            count.step();
            Ok(())
        })
    })
    .map(drop)
}

/// Does the work of each share of `rows` in a thread of its own, where they are many. Returns when all have ended.
///
/// # Errors
/// That of the first share that failed.
pub(super) fn in_parallel<'r, T: Sync, R: Send>(
    rows: &'r [T],
    work: &(dyn Fn(&'r [T]) -> Result<R> + Sync),
) -> Result<Vec<R>> {
    let threads = workers::threads(0).min(MOST_THREADS);
    let threads = threads.min(rows.len() / FILES_OF_A_THREAD).max(1);
    let shares: Vec<_> = rows.chunks(rows.len().div_ceil(threads).max(1)).collect();
    Spread { threads, at_once: 1 }.over(&shares, &|| Ok(()), &|(), share: &&'r [T]| work(share))
}

/// Writes entries of a tree into a folder, one after the other, while no program is at work in it.
pub(super) struct Writer<'a> {
    objects: &'a Objects,
    content: Content<'a>,
    folder: &'a Path,
    /// Folders that were made or looked at.
    known: HashSet<PathBuf>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(objects: &'a Objects, content: Content<'a>, folder: &'a Path) -> Self {
        Self { objects, content, folder, known: HashSet::new() }
    }

    /// Writes one entry. Submodules have no files.
    pub(super) fn write(&mut self, path: &RepoPath, entry: Entry) -> Result<()> {
        if entry.mode.kind() == EntryKind::Submodule {
            return Ok(());
        }
        check_entry(path, entry)?;
        let file = self.make_parents(path)?;
        let failed = |error: std::io::Error| match error.kind() {
            ErrorKind::AlreadyExists => {
                PathError::Hostile { path: path.clone(), why: "another entry of the tree stands there" }
                    .into()
            }
            _ => Error::io("write", &file, error),
        };
        if entry.mode.kind() == EntryKind::Symlink {
            let bytes = self.objects.blob(entry.id)?;
            let target = bytes.to_path().map_err(|_| PathError::Invalid {
                path: path.to_string(),
                why: "this system cannot spell the target of the link",
            })?;
            return link_to(target, &file).map_err(failed);
        }
        let size = Size::of(path, entry, self.objects, Some(&mut self.content))?;
        let mut written = new_file(&file, entry.mode.kind() == EntryKind::Executable).map_err(failed)?;
        match size {
            Size::InPieces => self
                .objects
                .in_pieces(entry.id, &mut |piece| written.write_all(piece).map_err(failed))
                .map(drop),
            Size::Whole => {
                let bytes = self.objects.blob(entry.id)?;
                self.content.write_for_work_tree(path, entry.id, bytes, &mut written).map(drop)
            }
        }
    }

    fn make_parents(&mut self, path: &RepoPath) -> Result<PathBuf> {
        let file = self.folder.join(relative(path)?);
        if file.parent().is_none_or(|parent| !self.known.contains(parent)) {
            let made = parents_of(self.folder, path)?;
            self.known.extend(made.parent().map(ToOwned::to_owned));
        }
        Ok(file)
    }
}

/// The file of a path, its folders made. A link on the way would lead elsewhere.
pub(super) fn parents_of(folder: &Path, path: &RepoPath) -> Result<PathBuf> {
    let relative = relative(path)?;
    let mut at = folder.to_owned();
    let mut parts: Vec<_> = relative.components().collect();
    let name = parts.pop();
    for part in parts {
        at.push(part);
        // Another thread may have made it meanwhile, as a folder or as a link.
        match fs::create_dir(&at) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                return Err(Error::io("make", &at, error));
            }
            Err(_) if !fs::symlink_metadata(&at).is_ok_and(|metadata| metadata.is_dir()) => {
                let why = "it leads through a link or a file";
                return Err(PathError::Hostile { path: path.clone(), why }.into());
            }
            _ => {}
        }
    }
    at.extend(name);
    Ok(at)
}

/// Makes a file; an executable one may be run by all who may read it.
fn new_file(file: &Path, executable: bool) -> std::io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, if executable { 0o777 } else { 0o666 });
    #[cfg(not(unix))]
    let _ = executable;
    options.open(file)
}

#[cfg(unix)]
pub(super) fn link_to(target: &Path, link: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

#[cfg(windows)]
pub(super) fn link_to(target: &Path, link: &Path) -> std::io::Result<()> {
    if target.is_dir() {
        std::os::windows::fs::symlink_dir(target, link)
    } else {
        std::os::windows::fs::symlink_file(target, link)
    }
}
