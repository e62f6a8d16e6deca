//! References as files: a loose file each, and `packed-refs` for the rest. Loose files are read first, as git does.

use std::fs;
use std::path::{Path, PathBuf};

use bstr::{BString, ByteSlice};

use super::{Target, is_of_work_tree, path_of};
use crate::bounded;
use crate::error::{Error, RepositoryError, Result};
use crate::id::ObjectId;
use crate::reftable::LogUpdate;
use crate::repo::reflog;

/// The git directory that has the file of a reference, and that of its log.
fn base_of<'a>(repo: &'a gix::Repository, name: &[u8]) -> &'a Path {
    if is_of_work_tree(name) { repo.git_dir() } else { repo.common_dir() }
}

/// The bytes of a file; `None` where there is none of this name. A folder is none: what lies below the name is there.
fn read_file(path: &Path) -> Result<Option<Vec<u8>>> {
    match bounded::read(path, bounded::CONTENT) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if bounded::is_absent(&error) || path.is_dir() => Ok(None),
        Err(error) => Err(Error::io("read", path, error)),
    }
}

/// What the reference of this full name holds; `None` where there is none.
pub(super) fn read(repo: &gix::Repository, name: &[u8]) -> Result<Option<Target>> {
    let path = base_of(repo, name).join(path_of(name)?);
    let Some(bytes) = read_file(&path)? else {
        return Ok(read_packed(&repo.common_dir().join("packed-refs"), name)?.map(Target::Object));
    };
    match bytes.strip_prefix(b"ref:") {
        Some(target) => Ok(Some(Target::Symbolic(BString::from(target.trim())))),
        None => parse_id(first_word(&bytes), &path).map(|id| Some(Target::Object(id))),
    }
}

/// The id with which a file begins: `FETCH_HEAD` says more, and `MERGE_HEAD` can have more lines (`refs/files-backend.c`,
/// `parse_loose_ref_contents`).
fn first_word(bytes: &[u8]) -> &[u8] {
    let is_space = |byte: u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
    let end = bytes.iter().position(|byte| is_space(*byte)).unwrap_or(bytes.len());
    &bytes[..end]
}

fn read_packed(path: &Path, name: &[u8]) -> Result<Option<ObjectId>> {
    let Some(bytes) = read_file(path)? else { return Ok(None) };
    let mut wanted = vec![b' '];
    wanted.extend_from_slice(name);
    for start in bytes.find_iter(&wanted) {
        let end = start + wanted.len();
        let ends_line = bytes.get(end).is_none_or(|byte| matches!(byte, b'\n' | b'\r'));
        let line = bytes[..start].rfind_byte(b'\n').map_or(0, |newline| newline + 1);
        if ends_line && !matches!(bytes.get(line), Some(b'#' | b'^')) {
            return parse_id(&bytes[line..start], path).map(Some);
        }
    }
    Ok(None)
}

fn log_path(repo: &gix::Repository, name: &[u8]) -> Result<PathBuf> {
    Ok(base_of(repo, name).join("logs").join(path_of(name)?))
}

/// Whether there is a log, if only one without lines.
pub(super) fn has_log(repo: &gix::Repository, name: &[u8]) -> Result<bool> {
    let path = log_path(repo, name)?;
    match fs::metadata(&path) {
        Ok(metadata) => Ok(metadata.is_file()),
        Err(error) if bounded::is_absent(&error) => Ok(false),
        Err(error) => Err(Error::io("read", path, error)),
    }
}

/// The lines of a log, the newest first, at most `most` of them. Those that say nothing are passed over, as git does.
pub(super) fn log(repo: &gix::Repository, name: &[u8], most: usize) -> Result<Vec<LogUpdate>> {
    let bytes = read_file(&log_path(repo, name)?)?.unwrap_or_default();
    Ok(bytes.lines().rev().filter_map(reflog::parse).take(most).collect())
}

/// The names below a prefix that ends in `/`, and the objects that they lead to, in order; broken ones are passed over.
pub(super) fn below(repo: &gix::Repository, prefix: &str) -> Result<Vec<(BString, ObjectId)>> {
    let platform = repo.references().map_err(RepositoryError::unreadable_references)?;
    let found = match prefix {
        "refs/" => platform.all(),
        prefix => platform.prefixed(prefix),
    };
    let mut below = Vec::new();
    for reference in found.map_err(RepositoryError::unreadable_references)? {
        let Ok(mut reference) = reference else { continue };
        let name = reference.name().as_bstr().to_owned();
        if name.starts_with(prefix.as_bytes())
            && let Ok(id) = reference.follow_to_object()
        {
            below.push((name, ObjectId(id.detach())));
        }
    }
    below.sort();
    Ok(below)
}

fn parse_id(bytes: &[u8], path: &Path) -> Result<ObjectId> {
    gix::ObjectId::from_hex(bytes).map(ObjectId).map_err(|_| {
        RepositoryError::BadReferences { why: format!("{} holds no object id", path.display()) }.into()
    })
}
