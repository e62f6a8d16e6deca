//! References as files: a loose file each, and `packed-refs` for the rest. Loose files are read first, as git does.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use bstr::{BString, ByteSlice};

use super::{Target, is_no_file, is_of_work_tree, path_of};
use crate::error::{Error, RepositoryError, Result};
use crate::id::ObjectId;

/// What the reference of this full name holds; `None` where there is none.
pub(super) fn read(repo: &gix::Repository, name: &[u8]) -> Result<Option<Target>> {
    let base = if is_of_work_tree(name) { repo.git_dir() } else { repo.common_dir() };
    let path = base.join(path_of(name)?);
    match fs::read(&path) {
        Ok(bytes) => match bytes.strip_prefix(b"ref:") {
            Some(target) => Ok(Some(Target::Symbolic(BString::from(target.trim())))),
            None => parse_id(&bytes, &path).map(|id| Some(Target::Object(id))),
        },
        Err(error) if is_no_file(&error) => {
            Ok(read_packed(&repo.common_dir().join("packed-refs"), name)?.map(Target::Object))
        }
        Err(error) => Err(Error::io("read", path, error)),
    }
}

fn read_packed(path: &Path, name: &[u8]) -> Result<Option<ObjectId>> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io("read", path, error)),
    };
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

/// The id that a file holds, whatever white space is around it.
pub(super) fn parse_id(bytes: &[u8], path: &Path) -> Result<ObjectId> {
    gix::ObjectId::from_hex(bytes.trim()).map(ObjectId).map_err(|_| {
        RepositoryError::BadReferences { why: format!("{} holds no object id", path.display()) }.into()
    })
}
