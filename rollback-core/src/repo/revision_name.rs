//! The part of a revision that names a reference, where references are stored in tables: it is put as an object id, so
//! that the object library, which knows files alone, reads the steps that follow (`~2`, `^{tree}`, `:path`).
//!
//! `NAME`, `@`, `@{N}`, `@{DATE}`, `@{-N}`, `@{upstream}`, `@{push}` and any row of them (gitrevisions).

use std::borrow::Cow;

use bstr::{BStr, BString, ByteSlice};

use super::moment::moment;
use super::refs::{References, Target};
use super::revision::{unborn, upstream_name};
use crate::error::{Result, RevisionError};
use crate::id::ObjectId;

/// A number in `@{}` is a time from here on, and below it a count of moves (`object-name.c`, `get_oid_basic`).
const TIMES_FROM: i64 = 100_000_000;

/// What the words of one revision name so far.
enum Named {
    /// A reference, by its full name.
    Reference(BString),
    Object(ObjectId),
}

/// The revision with an id in place of its name. It stays as it is where it names no reference, and where references are
/// files.
///
/// # Errors
/// [`RevisionError::Unknown`] where the name is one and what is asked of it is not there; [`RevisionError::Unborn`];
/// [`RepositoryError::BadReferences`].
pub(super) fn resolved<'a>(repo: &gix::Repository, spec: &'a str) -> Result<Cow<'a, str>> {
    let references = References::of(repo)?;
    if !references.are_tables() {
        return Ok(spec.into());
    }
    let (caret, bare) = spec.strip_prefix('^').map_or(("", spec), |bare| ("^", bare));
    let (name, mut rest) = bare.split_at(end_of_name(bare));
    let reader = Reader { repo, references: &references, spec };
    let Some(mut named) = reader.named(name, rest)? else { return Ok(spec.into()) };
    while let Some((inner, after)) = rest.strip_prefix("@{").and_then(|rest| rest.split_once('}')) {
        named = reader.suffixed(named, name.is_empty(), inner)?;
        rest = after;
    }
    let id = match named {
        Named::Object(id) => id,
        Named::Reference(name) => match references.follow(&name)? {
            Some(id) => id,
            None => return Err(reader.dangling(&name)),
        },
    };
    Ok(format!("{caret}{id}{rest}").into())
}

/// Where the name ends with which a revision begins.
pub(super) fn end_of_name(spec: &str) -> usize {
    spec.find(['^', '~', ':']).into_iter().chain(spec.find("@{")).min().unwrap_or(spec.len())
}

struct Reader<'a> {
    repo: &'a gix::Repository,
    references: &'a References<'a>,
    spec: &'a str,
}

impl Reader<'_> {
    fn unknown(&self) -> crate::Error {
        RevisionError::Unknown { spec: self.spec.to_owned(), source: None }.into()
    }

    /// The error of a reference that leads to one that is not there, as HEAD does on a branch without commits.
    fn dangling(&self, name: &[u8]) -> crate::Error {
        match self.references.unborn_branch() {
            Ok(Some(branch)) if name == b"HEAD" || name == branch => unborn(&branch),
            _ => self.unknown(),
        }
    }

    /// What the name before all suffixes means; `None` where it is no reference's.
    fn named(&self, name: &str, rest: &str) -> Result<Option<Named>> {
        if name.is_empty() {
            // Without a name the branch that is checked out is meant, and where there is none, HEAD.
            if !rest.starts_with("@{") {
                return Ok(None);
            }
            return Ok(Some(Named::Reference(match self.references.head()? {
                Target::Symbolic(name) => name,
                Target::Object(_) => "HEAD".into(),
            })));
        }
        if name.len() == self.repo.object_hash().len_in_hex()
            && name.bytes().all(|byte| byte.is_ascii_hexdigit())
        {
            return Ok(None);
        }
        Ok(self.references.find(BStr::new(name))?.map(Named::Reference))
    }

    /// What `@{inner}` makes of it.
    fn suffixed(&self, named: Named, without_name: bool, inner: &str) -> Result<Named> {
        if let Some(back) = inner.strip_prefix('-').and_then(|digits| digits.parse::<usize>().ok()) {
            return if without_name { self.checked_out_before(back) } else { Err(self.unknown()) };
        }
        let Named::Reference(name) = named else { return Err(self.unknown()) };
        let is = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(inner));
        if is(&["u", "upstream"]) {
            return self.sibling(name, gix::remote::Direction::Fetch);
        }
        if is(&["push"]) {
            return self.sibling(name, gix::remote::Direction::Push);
        }
        let is_number = inner.bytes().all(|byte| byte.is_ascii_digit());
        match inner.parse::<i64>().ok().filter(|_| is_number) {
            Some(seconds) if seconds >= TIMES_FROM => return self.logged_at(&name, seconds),
            Some(nth) => return self.logged(&name, usize::try_from(nth).unwrap_or(usize::MAX)),
            None => {}
        }
        match moment(inner) {
            Some(seconds) => self.logged_at(&name, seconds),
            None => Err(self.unknown()),
        }
    }

    /// The branch, or the commit, that was left by the `back`th checkout before.
    fn checked_out_before(&self, back: usize) -> Result<Named> {
        let lines = self.references.log(b"HEAD", usize::MAX)?;
        let left = lines.iter().filter_map(|line| {
            let moved = line.message.trim_end().strip_prefix(b"checkout: moving from ")?;
            Some(moved[..moved.find(" to ")?].as_bstr())
        });
        let name = back
            .checked_sub(1)
            .and_then(|skipped| left.clone().nth(skipped))
            .ok_or_else(|| self.unknown())?;
        let branch = BString::from([b"refs/heads/", name.as_bytes()].concat());
        if self.references.read(&branch)?.is_some() {
            return Ok(Named::Reference(branch));
        }
        let id = name.to_str().ok().and_then(|hex| hex.parse().ok());
        id.map(Named::Object).ok_or_else(|| self.unknown())
    }

    fn sibling(&self, name: BString, direction: gix::remote::Direction) -> Result<Named> {
        let name = match self.references.read(&name)? {
            Some(Target::Symbolic(branch)) => branch,
            _ => name,
        };
        let full = gix::refs::FullName::try_from(name.as_bstr()).map_err(|_| self.unknown())?;
        let found = match direction {
            gix::remote::Direction::Fetch => upstream_name(self.repo, full.as_ref()),
            gix::remote::Direction::Push => {
                self.repo.branch_remote_tracking_ref_name(full.as_ref(), direction)
            }
        };
        match found {
            Some(Ok(found)) => Ok(Named::Reference(found.as_bstr().to_owned())),
            _ => Err(self.unknown()),
        }
    }

    /// What the reference held `nth` moves before.
    fn logged(&self, name: &[u8], nth: usize) -> Result<Named> {
        let lines = self.references.log(name, nth.saturating_add(1))?;
        match (lines.get(nth), lines.last()) {
            (Some(line), _) => Ok(Named::Object(line.new)),
            (None, Some(oldest)) if lines.len() == nth && !oldest.old.is_null() => {
                Ok(Named::Object(oldest.old))
            }
            (None, None) if nth == 0 => Ok(Named::Reference(name.into())),
            _ => Err(self.unknown()),
        }
    }

    /// What the reference held at a moment; before its log begins, what it held first.
    fn logged_at(&self, name: &[u8], seconds: i64) -> Result<Named> {
        let lines = self.references.log(name, usize::MAX)?;
        let then = u64::try_from(seconds).unwrap_or(0);
        match (lines.iter().find(|line| line.time <= then), lines.last()) {
            (Some(line), _) => Ok(Named::Object(line.new)),
            (None, Some(oldest)) => {
                Ok(Named::Object(if oldest.old.is_null() { oldest.new } else { oldest.old }))
            }
            (None, None) => Ok(Named::Reference(name.into())),
        }
    }
}
