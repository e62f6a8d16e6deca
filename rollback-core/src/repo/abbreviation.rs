//! Abbreviated ids in repositories whose ids are longer than those of SHA-1: the object library takes an id of up to 40
//! digits for one of SHA-1, and finds nothing.

use std::borrow::Cow;
use std::collections::HashSet;

use bstr::BStr;

use super::refs::References;
use crate::error::{Error, Result, RevisionError};

/// The fewest digits that git takes for an id.
const FEWEST_DIGITS: usize = 4;

/// The revision with the whole id in place of an abbreviated one. It stays as it is where its name is none, or is a
/// reference too.
///
/// # Errors
/// [`RevisionError::Ambiguous`] where several commits or tags, or else several objects, begin so.
pub(super) fn in_full<'a>(repo: &gix::Repository, spec: Cow<'a, str>) -> Result<Cow<'a, str>> {
    let hash = repo.object_hash();
    if hash == gix::hash::Kind::Sha1 {
        return Ok(spec);
    }
    let (caret, bare) = spec.strip_prefix('^').map_or(("", &*spec), |bare| ("^", bare));
    let (name, rest) = bare.split_at(super::revision_name::end_of_name(bare));
    // What `git describe` tells ends with an id.
    let digits = name.rsplit_once("-g").map_or(name, |(_, digits)| digits);
    let is_short = (FEWEST_DIGITS..hash.len_in_hex()).contains(&digits.len());
    if !is_short || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(spec);
    }
    if References::of(repo)?.find(BStr::new(name))?.is_some() {
        return Ok(spec);
    }
    match the_one(repo, digits, bare)? {
        Some(id) => Ok(format!("{caret}{id}{rest}").into()),
        None => Ok(spec),
    }
}

/// The digits as the beginning of an id of this repository, whatever its hash; `None` where they are none, or too few.
pub(super) fn prefix(repo: &gix::Repository, digits: &str) -> Option<gix::hash::Prefix> {
    let padded = format!("{digits:0<width$}", width = repo.object_hash().len_in_hex());
    let padded = gix::ObjectId::from_hex(padded.as_bytes()).ok()?;
    gix::hash::Prefix::new(&padded, digits.len()).ok()
}

/// The object whose id begins with these digits: a commit or tag where there is just one of them.
fn the_one(repo: &gix::Repository, digits: &str, spec: &str) -> Result<Option<gix::ObjectId>> {
    let Some(prefix) = prefix(repo, digits) else { return Ok(None) };
    let mut found = HashSet::new();
    let looked = repo.objects.lookup_prefix(prefix, Some(&mut found));
    looked.map_err(|error| {
        Error::internal(format!("cannot look for objects that begin with {digits}"), error)
    })?;
    let mut found: Vec<_> = found.into_iter().collect();
    found.sort();
    let kind = |id: &gix::ObjectId| repo.find_header(*id).ok().map(|header| header.kind());
    let is_revision = |id: &gix::ObjectId| {
        kind(id).is_some_and(|kind| matches!(kind, gix::objs::Kind::Commit | gix::objs::Kind::Tag))
    };
    let revisions: Vec<_> = found.iter().copied().filter(is_revision).collect();
    match (revisions.as_slice(), found.as_slice()) {
        ([only], _) | ([], [only]) => Ok(Some(*only)),
        ([], []) => Ok(None),
        _ => {
            let told = |id: &gix::ObjectId| kind(id).map_or(id.to_string(), |kind| format!("{id} {kind}"));
            let candidates = found.iter().map(told).collect();
            Err(RevisionError::Ambiguous { spec: spec.to_owned(), candidates }.into())
        }
    }
}
