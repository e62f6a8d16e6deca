//! What people want to see of a commit, and the names by which they know commits.

use std::time::Duration;

use bstr::ByteSlice;

use super::refs::{Head, References};
use super::{Repo, Signature};
use crate::charset::text_for_people;
use crate::error::{Error, Result, SettingError};
use crate::id::{CommitId, TreeId};

/// A commit in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CommitSummary {
    /// The commit.
    pub id: CommitId,
    /// As many digits of its id as tell it apart, `core.abbrev` considered.
    pub abbreviation: String,
    /// The first line of its message, as text for people.
    pub subject: String,
    /// The name of its author, as text for people; empty where the commit names none.
    pub author: String,
    /// When it was committed, in seconds since the epoch.
    pub time: i64,
    /// Its parents, in order.
    pub parents: Vec<CommitId>,
}

/// Who made a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CommitPeople {
    /// `Name <mail>` of the author, as text for people.
    pub author: String,
    /// `Name <mail>` of the committer, as text for people.
    pub committer: String,
    /// When the author made it, in the author's zone, such as `Thu Apr 7 15:14:13 2005 -0700`.
    pub date: String,
}

/// A time as git spells it by default; the words themselves where they are no time.
fn date_of(time: &str) -> String {
    let spelled = || {
        let (seconds, zone) = time.split_once(' ')?;
        let number: i32 = zone.trim().parse().ok()?;
        let offset = (number / 100 * 60 + number % 100) * 60;
        let zone_of = jiff::tz::Offset::from_seconds(offset).ok()?.to_time_zone();
        let moment = jiff::Timestamp::from_second(seconds.parse().ok()?).ok()?.to_zoned(zone_of);
        Some(format!("{} {}", moment.strftime("%a %b %-d %H:%M:%S %Y"), zone.trim()))
    };
    spelled().unwrap_or_else(|| time.to_owned())
}

impl Repo {
    /// The tree of a commit.
    ///
    /// # Errors
    /// [`ObjectError::Missing`](crate::error::ObjectError::Missing) and
    /// [`ObjectError::Corrupt`](crate::error::ObjectError::Corrupt).
    pub fn tree_of_commit(&self, commit: CommitId) -> Result<TreeId> {
        self.objects().commit(commit).map(|commit| commit.tree)
    }

    /// The commit in one line.
    ///
    /// # Errors
    /// [`ObjectError::Missing`](crate::error::ObjectError::Missing) and
    /// [`ObjectError::Corrupt`](crate::error::ObjectError::Corrupt) for commits that cannot be read.
    pub fn commit_summary(&self, id: CommitId) -> Result<CommitSummary> {
        let objects = self.objects();
        let commit = objects.commit(id)?;
        let label = commit.encoding.as_ref();
        let text = |bytes: &[u8]| text_for_people(bytes, label.map(|name| name.as_slice()));
        let first_line = commit.message.lines().next().unwrap_or_default();
        Ok(CommitSummary {
            id,
            abbreviation: self.abbreviation(id),
            subject: text(first_line),
            author: text(&commit.author.name),
            time: commit.committer.seconds,
            parents: commit.parents,
        })
    }

    /// The whole message of a commit, as text for people.
    ///
    /// # Errors
    /// As [`Repo::commit_summary`].
    pub fn commit_message(&self, id: CommitId) -> Result<String> {
        let commit = self.objects().commit(id)?;
        Ok(text_for_people(&commit.message, commit.encoding.as_ref().map(|name| name.as_slice())))
    }

    /// Who made a commit, and when its author made it, as `git log` shows them.
    ///
    /// # Errors
    /// As [`Repo::commit_summary`].
    pub fn commit_people(&self, id: CommitId) -> Result<CommitPeople> {
        let commit = self.objects().commit(id)?;
        let label = commit.encoding.as_ref();
        let text = |bytes: &[u8]| text_for_people(bytes, label.map(|name| name.as_slice()));
        let person = |who: &Signature| format!("{} <{}>", text(&who.name), text(&who.email));
        Ok(CommitPeople {
            author: person(&commit.author),
            committer: person(&commit.committer),
            date: date_of(&commit.author.time),
        })
    }

    /// The short name of the branch that HEAD is on; `None` where it is detached.
    pub fn head_branch(&self) -> Option<String> {
        match self.head().ok()? {
            Head::Branch { name, .. } => {
                let short = name.strip_prefix(b"refs/heads/").unwrap_or(&name);
                Some(short.to_str_lossy().into_owned())
            }
            Head::Detached(_) => None,
        }
    }

    /// As many digits of the id as tell it apart, `core.abbrev` considered; all of them where that cannot be found out.
    pub fn abbreviation(&self, id: CommitId) -> String {
        use gix::prelude::ObjectIdExt;
        let mut repo = self.local();
        // An id that nothing else begins with is no reason to look for new packs.
        repo.objects.refresh_never();
        id.0.0.attach(&repo).shorten().map_or_else(|_| id.to_string(), |prefix| prefix.to_string())
    }

    /// The last value of a configuration key, such as `core.editor`, as text.
    pub fn config_string(&self, key: &str) -> Option<String> {
        let repo = self.local();
        let value = repo.config_snapshot().string(key)?;
        Some(value.to_str_lossy().into_owned())
    }

    /// The last value of a configuration key that is on or off; `None` where it is not set.
    ///
    /// # Errors
    /// [`SettingError::Value`] for a value that is neither.
    pub fn config_switch(&self, key: &'static str) -> Result<Option<bool>> {
        let repo = self.local();
        let snapshot = repo.config_snapshot();
        snapshot
            .try_boolean(key)
            .map_err(|error| SettingError::Value { key: key.into(), why: error.to_string() }.into())
    }

    /// How long a hook may run, and how long a filter may be silent, before it is stopped: `rb.programTimeout` in
    /// seconds, or ten minutes.
    ///
    /// # Errors
    /// [`SettingError::Value`] for a value that is no number of seconds above zero.
    pub fn program_timeout(&self) -> Result<Duration> {
        program_timeout(&self.local())
    }

    /// The short names of branches, remote-tracking branches and tags.
    ///
    /// # Errors
    /// [`RepositoryError::BadReferences`](crate::error::RepositoryError::BadReferences).
    pub fn reference_names(&self) -> Result<Vec<String>> {
        let local = self.local();
        let all = References::of(&local)?.below("refs/")?;
        let shown = ["refs/heads/", "refs/remotes/", "refs/tags/"];
        let short = |name: &[u8]| {
            let rest = shown.iter().find_map(|prefix| name.strip_prefix(prefix.as_bytes()));
            rest.map(|short| short.to_str_lossy().into_owned())
        };
        Ok(all.iter().filter_map(|(name, _)| short(name)).collect())
    }
}

/// As [`Repo::program_timeout`].
pub(crate) fn program_timeout(repo: &gix::Repository) -> Result<Duration> {
    const KEY: &str = "rb.programTimeout";
    let wrong = |why: String| Error::from(SettingError::Value { key: KEY.into(), why });
    match repo.config_snapshot().try_integer(KEY) {
        Ok(None) => Ok(Duration::from_secs(600)),
        Ok(Some(seconds)) => match u64::try_from(seconds) {
            Ok(seconds) if seconds > 0 => Ok(Duration::from_secs(seconds)),
            _ => Err(wrong("it is not above zero".into())),
        },
        Err(error) => Err(wrong(error.to_string())),
    }
}
