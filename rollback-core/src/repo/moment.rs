//! States of a branch by revision or by date.

use jiff::civil::Date;

use super::Repo;
use crate::error::{Error, Result, RevisionError};
use crate::id::CommitId;
use crate::local_time;

impl Repo {
    /// The commit that `spec` names: a revision, or else a date such as `2 days ago` or `2026-11-20`, which stands for the
    /// newest first-parent commit of `tip` that was committed by then. A day stands for its beginning, in local time.
    ///
    /// What the branch held at a date by its reflog is a revision: `main@{yesterday}`.
    ///
    /// # Errors
    /// As [`Repo::resolve_commit`]; [`RevisionError::BeforeHistory`] for a date before the first commit.
    pub fn resolve_state(&self, spec: &str, tip: CommitId) -> Result<CommitId> {
        let unknown = match self.resolve_commit(spec) {
            Err(error @ Error::Revision(RevisionError::Unknown { .. })) => error,
            other => return other,
        };
        let Some(moment) = moment(spec) else { return Err(unknown) };
        let objects = self.objects();
        let (mut at, mut oldest) = (Some(tip), moment);
        while let Some(id) = at {
            let commit = objects.commit_header(id)?;
            if commit.seconds <= moment {
                return Ok(id);
            }
            (at, oldest) = (commit.parents.first().copied(), commit.seconds);
        }
        let begins = jiff::Timestamp::from_second(oldest).map_or_else(
            |_| oldest.to_string(),
            |first| first.to_zoned(local_time::zone()).strftime("%Y-%m-%d").to_string(),
        );
        Err(RevisionError::BeforeHistory { date: spec.to_owned(), begins, tip }.into())
    }
}

/// The moment that a text names, in seconds since the epoch.
///
/// A slash stands between digits in a date; anywhere else the text is the name of a branch.
pub(super) fn moment(text: &str) -> Option<i64> {
    let digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
    let bytes = text.as_bytes();
    if (0..bytes.len())
        .any(|at| bytes[at] == b'/' && !(at > 0 && digit(bytes.get(at - 1)) && digit(bytes.get(at + 1))))
    {
        return None;
    }
    if let Ok(day) = text.trim().parse::<Date>() {
        return day.to_zoned(local_time::zone()).ok().map(|start| start.timestamp().as_second());
    }
    gix::date::parse(text, Some(local_time::now())).ok().map(|time| time.seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_and_words_are_none() {
        let now = local_time::now().timestamp().as_second();
        let ago = |text: &str| now - moment(text).expect("a date");
        assert!((86_390..86_410).contains(&ago("yesterday")));
        assert!((7_190..7_210).contains(&ago("2 hours ago")));
        assert_eq!(moment("2026-11-20 12:00:00 +0000"), Some(1_795_176_000));
        assert_eq!(moment("@1795176000 +0000").or(moment("1795176000")), Some(1_795_176_000));
        for word in ["main", "v1.2", "HEAD~3", "topic/2-days", "3a8a50f", "deadbeef", "20261"] {
            assert_eq!(moment(word), None, "{word}");
        }
    }
}
