//! How plans, receipts and answers look: for people, and for programs.
//!
//! Nothing here reads a repository or writes to a stream; a renderer turns values into text.

pub(crate) mod bisect;
pub(crate) mod changes;
pub(crate) mod checkpoints;
pub(crate) mod checks;
pub(crate) mod document;
pub(crate) mod evaluation;
pub(crate) mod graph;
pub(crate) mod history;
pub(crate) mod human;
pub(crate) mod is_reverted;
pub(crate) mod json;
pub(crate) mod ladder;
pub(crate) mod markdown;
pub(crate) mod operations;
pub(crate) mod patch;
pub(crate) mod publication;
pub(crate) mod published;
pub(crate) mod pull_request;
pub(crate) mod records;
pub(crate) mod rehearsal;
pub(crate) mod report;
pub(crate) mod run;
pub(crate) mod settings;
pub(crate) mod stopped;
pub(crate) mod stuck;
pub(crate) mod uncommitted;

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use rollback_core::repo::CommitSummary;
use rollback_core::{CommitId, Repo};

use crate::terminal::style::Signs;
use crate::terminal::text;

/// What the place can show.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    /// The signs to draw with.
    pub(crate) signs: Signs,
    /// How wide the terminal is; `None` where the output goes elsewhere.
    pub(crate) columns: Option<usize>,
    /// Whether lists are shown in full.
    pub(crate) verbose: bool,
}

impl Look {
    /// For output that is no terminal.
    #[cfg(test)]
    pub(crate) const fn plain() -> Self {
        Self { signs: Signs::UNICODE, columns: None, verbose: false }
    }

    /// How wide a line may be.
    pub(crate) fn width(self) -> usize {
        self.columns.unwrap_or(100).max(40)
    }

    /// How many of a list are shown before the rest is counted.
    pub(crate) fn shown(self, usual: usize) -> usize {
        if self.verbose { usize::MAX } else { usual }
    }
}

/// A commit as it is shown; its texts are escaped.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    /// The id as people know it.
    pub(crate) short: String,
    /// The first line of the message.
    pub(crate) subject: String,
    /// When it was committed, in seconds since the epoch.
    pub(crate) time: i64,
    /// Its parents, in order.
    pub(crate) parents: Vec<CommitId>,
}

impl From<CommitSummary> for Known {
    fn from(summary: CommitSummary) -> Self {
        Self {
            short: summary.abbreviation,
            subject: text::escape(&summary.subject).into_owned(),
            time: summary.time,
            parents: summary.parents,
        }
    }
}

/// What is known of the commits that a document names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Commits(HashMap<CommitId, Known>);

impl Commits {
    /// Looks the commits up; one that cannot be read is shown by its id alone.
    pub(crate) fn look_up(ids: impl IntoIterator<Item = CommitId>, repo: &Repo) -> Self {
        let mut commits = HashMap::new();
        for id in ids {
            if let Entry::Vacant(vacant) = commits.entry(id)
                && let Ok(summary) = repo.commit_summary(id)
            {
                vacant.insert(summary.into());
            }
        }
        Self(commits)
    }

    /// The id as people know it.
    pub(crate) fn short(&self, id: CommitId) -> String {
        self.0.get(&id).map_or_else(|| id.to_hex_with_len(7), |known| known.short.clone())
    }

    /// The first line of the message, escaped.
    pub(crate) fn subject(&self, id: CommitId) -> Option<&str> {
        self.0.get(&id).map(|known| known.subject.as_str())
    }

    /// What is known of the commit.
    pub(crate) fn get(&self, id: CommitId) -> Option<&Known> {
        self.0.get(&id)
    }
}

/// The short name of a reference.
pub(crate) fn short_reference(name: &str) -> String {
    let short = ["refs/heads/", "refs/remotes/", "refs/tags/"]
        .iter()
        .find_map(|prefix| name.strip_prefix(prefix))
        .unwrap_or(name);
    text::escape(short).into_owned()
}

/// The day of a moment, in the local time zone.
pub(crate) fn day(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(
        |_| "at an unknown time".into(),
        |moment| moment.to_zoned(rollback_core::local_time::zone()).strftime("%Y-%m-%d").to_string(),
    )
}

#[cfg(test)]
mod tests;
