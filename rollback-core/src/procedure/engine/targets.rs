//! What a phase rolls back, found in the history of the tip.

use std::collections::{BinaryHeap, HashSet};

use jiff::Timestamp;

use super::ports::Ground;
use super::{EngineError, Result, Run};
use crate::id::CommitId;
use crate::procedure::format::{CommitFilter, Pattern, Pick, Target};
use crate::repo::CommitSummary;

impl Run<'_> {
    /// The commits that the target names, newest first; none for a target that is a path.
    pub(super) fn commits_of(&self, target: &Target) -> Result<Vec<CommitId>> {
        let repo = self.engine.repo;
        let from = match &target.reachable_from {
            Some(revision) => repo.resolve_commit(&self.words(revision)?)?,
            None => self.state.tip,
        };
        let reachable = |revision: &String| self.reachable(&self.words(revision)?, from);
        let merge = |branch: &String| self.merge_of(&self.words(branch)?, from);
        let tag = target.tag.iter().map(|tag| Ok(repo.resolve_commit(&self.words(tag)?)?));
        // The format has one of them alone.
        let named = target.commit.iter().chain(&target.commits).map(reachable).chain(tag);
        let named = named.chain(target.merge_of.iter().chain(&target.merges_of).map(merge));
        let named = named.collect::<Result<Vec<_>>>()?;
        if !named.is_empty() || target.path.is_some() || target.deleted.is_some() {
            return Ok(named);
        }
        let filter = CommitFilter {
            grep: target.grep.clone(),
            since: target.since.clone(),
            until: target.until.clone(),
            author: target.author.clone(),
            trailer: target.trailer.clone(),
        };
        let mut found = self.filtered(&filter, from)?;
        if target.pick == Pick::Newest {
            found.truncate(1);
        }
        Ok(found)
    }

    /// The commits that pass a filter, newest first.
    pub(super) fn filtered(&self, filter: &CommitFilter, from: CommitId) -> Result<Vec<CommitId>> {
        let moment = |text: &Option<String>| -> Result<Option<i64>> {
            text.as_deref().map(|text| seconds(&self.words(text)?)).transpose()
        };
        let (since, until) = (moment(&filter.since)?, moment(&filter.until)?);
        let repo = self.engine.repo;
        let mut found = Vec::new();
        walk(repo, from, since, |commit| {
            let concerned = commit.parents.len() <= 1 && until.is_none_or(|until| commit.time <= until);
            if concerned && passes(repo, filter, commit)? {
                found.push(commit.id);
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// A commit that the tip does not reach was never part of what would be rolled back.
    fn reachable(&self, revision: &str, from: CommitId) -> Result<CommitId> {
        let repo = self.engine.repo;
        let commit = repo.resolve_commit(revision)?;
        if commit == from {
            return Ok(commit);
        }
        let beyond = repo.resolve_commits(&[format!("{from}..{commit}")]).unwrap_or_default();
        if beyond.contains(&commit) {
            let from = repo.abbreviation(from);
            return Err(EngineError::Target(format!("commit {revision} is not in the history of {from}")));
        }
        Ok(commit)
    }

    /// The merge on the first-parent line of the tip that brought the branch in.
    fn merge_of(&self, branch: &str, from: CommitId) -> Result<CommitId> {
        let repo = self.engine.repo;
        let tip = repo.resolve_commit(branch).ok();
        let mut at = Some(from);
        while let Some(id) = at {
            let commit = repo.commit_summary(id)?;
            let merged = commit.parents.iter().skip(1).any(|parent| Some(*parent) == tip);
            if merged || commit.parents.len() > 1 && names_branch(&commit.subject, branch) {
                return Ok(id);
            }
            if let ([first, second, ..], Some(tip)) = (commit.parents.as_slice(), tip)
                && repo.resolve_commits(&[format!("{first}..{second}")])?.contains(&tip)
            {
                return Ok(id);
            }
            at = commit.parents.first().copied();
        }
        let last = tip.map_or(String::new(), |tip| format!(" (the branch is at {})", repo.abbreviation(tip)));
        Err(EngineError::Target(format!("no merge of '{branch}' is in the history of the tip{last}")))
    }
}

/// Whether the subject is git's for a merge of this branch.
fn names_branch(subject: &str, branch: &str) -> bool {
    subject.starts_with("Merge ")
        && subject.split(['\'', '"', ' ']).any(|word| {
            word == branch
                || word.strip_prefix("origin/") == Some(branch)
                || word.ends_with(&format!("/{branch}")) && word.contains(':')
        })
}

fn passes(repo: &dyn Ground, filter: &CommitFilter, commit: &CommitSummary) -> Result<bool> {
    let matches = |pattern: &Option<Pattern>, text: &str| {
        pattern.as_ref().is_none_or(|pattern| pattern.regex().is_match(text.as_bytes()))
    };
    if !matches(&filter.author, &commit.author) {
        return Ok(false);
    }
    if filter.grep.is_none() && filter.trailer.is_none() {
        return Ok(true);
    }
    let message = repo.commit_message(commit.id)?;
    let has_trailer = filter.trailer.as_ref().is_none_or(|wanted| {
        message.lines().any(|line| match wanted.contains(':') {
            true => line.trim() == wanted.trim(),
            false => line.split_once(':').is_some_and(|(key, _)| key == wanted),
        })
    });
    Ok(has_trailer && matches(&filter.grep, &message))
}

/// Visits what `from` reaches, the newest first, and nothing older than `since`.
fn walk(
    repo: &dyn Ground,
    from: CommitId,
    since: Option<i64>,
    mut visit: impl FnMut(&CommitSummary) -> Result<()>,
) -> Result<()> {
    let mut seen = HashSet::from([from]);
    let mut queue = BinaryHeap::from([(repo.commit_summary(from)?.time, from)]);
    while let Some((time, id)) = queue.pop() {
        if since.is_some_and(|since| time < since) {
            continue;
        }
        let commit = repo.commit_summary(id)?;
        visit(&commit)?;
        for parent in commit.parents {
            if seen.insert(parent) {
                queue.push((repo.commit_summary(parent)?.time, parent));
            }
        }
    }
    Ok(())
}

/// Seconds since the epoch of a day (its beginning in UTC) or a time with an offset.
fn seconds(text: &str) -> Result<i64> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time.as_second());
    }
    let day: jiff::civil::Date = text.parse().map_err(|_| {
        EngineError::Target(format!("'{text}' is not a day: write 2025-10-14, or a time with an offset"))
    })?;
    let start = day.to_zoned(jiff::tz::TimeZone::UTC);
    start.map(|start| start.timestamp().as_second()).map_err(|error| EngineError::Target(error.to_string()))
}
