//! Files and index of a work tree that has just been made and holds nothing.

use std::collections::HashMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use bstr::{BStr, BString, ByteSlice};

use crate::error::{Error, ObjectError, PathError, Result};
use crate::id::{EntryKind, EntryMode, ObjectId, TreeId};
use crate::path::RepoPath;

/// Writes the files of the tree, as filters and line ends want them, and an index that knows them.
pub(super) fn check_out(repo: &gix::Repository, folder: &Path, tree: TreeId) -> Result<()> {
    let mut index = repo
        .index_from_tree(&tree.0.0)
        .map_err(|error| Error::internal("cannot make an index of the tree", error))?;
    refuse_case_collisions(repo, &index)?;

    let (mut filters, _) =
        repo.filter_pipeline(None).map_err(|error| Error::internal("cannot prepare the filters", error))?;
    let mut rows: Vec<(BString, gix::ObjectId, EntryMode)> = index
        .entries()
        .iter()
        .map(|entry| {
            (entry.path(&index).to_owned(), entry.id, EntryMode::from_bits(entry.mode.bits() as u16))
        })
        .collect();
    // Attributes decide how other files are written, and are read from the work tree.
    rows.sort_by_key(|(path, ..)| !path.ends_with(b".gitattributes"));
    let links = repo.config_snapshot().boolean("core.symlinks").unwrap_or(true);
    for (path, id, mode) in &rows {
        let blob = repo.find_blob(*id).map_err(|source| ObjectError::Corrupt {
            kind: "blob",
            id: ObjectId(*id),
            source: source.into(),
        })?;
        let file = place(folder, path.as_bstr())?;
        if mode.kind() == EntryKind::Symlink && links {
            write_link(&file, blob.data.as_bstr())?;
        } else {
            let content = filters
                .convert_to_worktree(&blob.data, path.as_bstr(), Default::default())
                .map_err(|error| Error::internal(format!("cannot convert {path}"), error))?;
            let content = content
                .as_bytes()
                .ok_or_else(|| Error::BadRequest(format!("{path} goes through a filter program")))?;
            write_file(&file, content, mode.kind() == EntryKind::Executable)?;
        }
    }

    for (entry, path) in index.entries_mut_with_paths() {
        let file = place(folder, path)?;
        let meta = gix::index::fs::Metadata::from_path_no_follow(&file)
            .map_err(|source| Error::io("read", &file, source))?;
        entry.stat = gix::index::entry::Stat::from_fs(&meta).map_err(|error| {
            Error::internal(format!("cannot read the times of {}", file.display()), error)
        })?;
    }
    index
        .write(gix::index::write::Options::default())
        .map_err(|error| Error::internal("cannot write the index", error))
}

fn refuse_case_collisions(repo: &gix::Repository, index: &gix::index::File) -> Result<()> {
    if !repo.config_snapshot().boolean("core.ignoreCase").unwrap_or(false) {
        return Ok(());
    }
    let mut seen = HashMap::new();
    for entry in index.entries() {
        let path = entry.path(index);
        if let Some(twin) = seen.insert(path.to_ascii_lowercase(), path) {
            return Err(
                PathError::CaseCollision { path: RepoPath::from(path), twin: RepoPath::from(twin) }.into()
            );
        }
    }
    Ok(())
}

/// Where the file system has the path.
fn place(folder: &Path, path: &BStr) -> Result<PathBuf> {
    let path = RepoPath::from(path);
    match path.to_relative_path() {
        Some(relative) => Ok(folder.join(relative)),
        None => Err(PathError::Invalid { path: path.to_string(), why: "this system cannot spell it" }.into()),
    }
}

fn write_file(file: &Path, content: &[u8], executable: bool) -> Result<()> {
    make_folder_of(file)?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(if executable { 0o777 } else { 0o666 });
    }
    #[cfg(not(unix))]
    let _ = executable;
    options
        .open(file)
        .and_then(|mut open| open.write_all(content))
        .map_err(|source| Error::io("write", file, source))
}

#[cfg(unix)]
fn write_link(file: &Path, target: &BStr) -> Result<()> {
    make_folder_of(file)?;
    std::os::unix::fs::symlink(target.to_os_str_lossy(), file)
        .map_err(|source| Error::io("write", file, source))
}

#[cfg(not(unix))]
fn write_link(file: &Path, target: &BStr) -> Result<()> {
    write_file(file, target, false)
}

fn make_folder_of(file: &Path) -> Result<()> {
    let Some(folder) = file.parent() else { return Ok(()) };
    fs::create_dir_all(folder).map_err(|source| Error::io("create", folder, source))
}
