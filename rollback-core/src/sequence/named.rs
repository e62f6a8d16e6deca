//! Which commits words name, in the order in which `git revert` and `git cherry-pick` take them.
//!
//! This is the part of git's revision walk that sequences are asked with: names, ranges, a number, filters.

use bstr::ByteSlice;
use regex::bytes::{Regex, RegexBuilder};

use super::SequenceAction;
use crate::error::{Error, Result, RevisionError};
use crate::id::CommitId;
use crate::repo::{Commit, Repo};

/// The commits that words name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NamedCommits {
    /// The commits, in the order in which they are taken.
    pub commits: Vec<CommitId>,
    /// Whether one commit was named, and no walk.
    pub single: bool,
}

/// The words of one request.
#[derive(Default)]
struct Words {
    named: Vec<CommitId>,
    excluded: Vec<CommitId>,
    plain_names: usize,
    walks: bool,
    negated: bool,
    reverse: bool,
    limit: Option<usize>,
    skip: usize,
    parents: Parents,
    patterns: Vec<(Field, Regex)>,
}

/// How many parents commits may have.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Parents {
    #[default]
    Any,
    AtMostOne,
    Several,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    Author,
    Committer,
    Message,
}

impl Repo {
    /// The commits that these words name. What is no option of a walk is a revision.
    ///
    /// # Errors
    /// [`RevisionError::Unknown`] and its kin for a name, [`RevisionError::NotACommit`] for a blob or tree,
    /// [`RevisionError::EmptyCommitSet`], and [`Error::BadRequest`] for an option that is not known.
    pub fn commits_for_sequence(&self, action: SequenceAction, words: &[String]) -> Result<NamedCommits> {
        let mut read = Words::default();
        let mut rest = words.iter();
        let mut options = true;
        while let Some(word) = rest.next() {
            match word.as_str() {
                "--" | "--end-of-options" if options => options = false,
                option if options && option.len() > 1 && option.starts_with('-') => {
                    read.option(self, option, &mut rest)?;
                }
                revision => read.revision(self, revision)?,
            }
        }
        let commits = read.commits(self, action)?;
        if commits.is_empty() {
            return Err(RevisionError::EmptyCommitSet { specs: words.to_vec() }.into());
        }
        let single =
            read.plain_names == 1 && read.named.len() == 1 && read.excluded.is_empty() && !read.walks;
        Ok(NamedCommits { commits, single })
    }
}

impl Words {
    fn option<'a>(
        &mut self,
        repo: &Repo,
        option: &str,
        rest: &mut impl Iterator<Item = &'a String>,
    ) -> Result<()> {
        let unknown = || Error::BadRequest(format!("unknown option `{}'", option.trim_start_matches('-')));
        let number = |text: &str| text.parse::<usize>().map_err(|_| unknown());
        if let Some(digits) =
            option.strip_prefix('-').filter(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
        {
            (self.limit, self.walks) = (Some(number(digits)?), true);
            return Ok(());
        }
        let (name, value) =
            option.split_once('=').map_or((option, None), |(name, value)| (name, Some(value)));
        let mut value_of = || match value {
            Some(value) => Ok(value.to_owned()),
            None => rest.next().cloned().ok_or_else(unknown),
        };
        match name {
            "--max-count" => (self.limit, self.walks) = (Some(number(&value_of()?)?), true),
            "--skip" => self.skip = number(&value_of()?)?,
            "--author" => self.pattern(Field::Author, &value_of()?)?,
            "--committer" => self.pattern(Field::Committer, &value_of()?)?,
            "--grep" => self.pattern(Field::Message, &value_of()?)?,
            "--reverse" => self.reverse = !self.reverse,
            "--no-merges" => self.parents = Parents::AtMostOne,
            "--merges" => self.parents = Parents::Several,
            "--not" => self.negated = !self.negated,
            "--no-walk" => self.walks = false,
            "--do-walk" => self.walks = true,
            "--all" => self.references(repo, "refs/")?,
            "--branches" => self.references(repo, "refs/heads/")?,
            "--tags" => self.references(repo, "refs/tags/")?,
            "--remotes" => self.references(repo, "refs/remotes/")?,
            _ => return Err(unknown()),
        }
        Ok(())
    }

    fn pattern(&mut self, field: Field, pattern: &str) -> Result<()> {
        let regex = RegexBuilder::new(pattern).unicode(false).multi_line(true).build();
        let regex = regex.map_err(|error| Error::BadRequest(format!("'{pattern}': {error}")))?;
        self.patterns.push((field, regex));
        Ok(())
    }

    fn references(&mut self, repo: &Repo, prefix: &str) -> Result<()> {
        for name in repo.references_below(prefix)? {
            if let Ok(commit) = repo.resolve_commit(&name) {
                self.add(commit);
            }
        }
        Ok(())
    }

    fn add(&mut self, commit: CommitId) {
        if self.negated {
            self.excluded.push(commit);
        } else if !self.named.contains(&commit) {
            self.named.push(commit);
        }
    }

    fn revision(&mut self, repo: &Repo, word: &str) -> Result<()> {
        let (negated, word) = match word.strip_prefix('^') {
            Some(word) => (true, word),
            None => (false, word),
        };
        let ends = repo.revision_ends(word)?;
        self.plain_names += usize::from(!ends.is_walk && !negated);
        for commit in ends.included {
            match negated {
                true => self.excluded.push(commit),
                false => self.add(commit),
            }
        }
        self.walks |= ends.is_walk || negated || self.negated;
        self.excluded.extend(ends.excluded);
        Ok(())
    }

    fn commits(&self, repo: &Repo, action: SequenceAction) -> Result<Vec<CommitId>> {
        let walks = self.walks || !self.excluded.is_empty();
        let mut commits = match walks {
            true => repo.commits_beyond(&self.named, &self.excluded)?,
            false => self.named.clone(),
        };
        let objects = repo.objects();
        if !self.patterns.is_empty() || self.parents != Parents::Any {
            let mut kept = Vec::new();
            for id in commits {
                let commit = objects.commit(id)?;
                if self.wants(&commit) {
                    kept.push(id);
                }
            }
            commits = kept;
        }
        commits = commits.into_iter().skip(self.skip).take(self.limit.unwrap_or(usize::MAX)).collect();
        // A range is replayed oldest first.
        if self.reverse != (walks && action == SequenceAction::Pick) {
            commits.reverse();
        }
        Ok(commits)
    }

    fn wants(&self, commit: &Commit) -> bool {
        let several = commit.parents.len() > 1;
        let parents = match self.parents {
            Parents::Any => true,
            Parents::AtMostOne => !several,
            Parents::Several => several,
        };
        let matches = |wanted: Field| {
            let mut patterns = self.patterns.iter().filter(|(field, _)| *field == wanted).peekable();
            let line = match wanted {
                Field::Author => commit.author_line.clone().unwrap_or_default(),
                Field::Committer => commit.committer_line.clone().unwrap_or_default(),
                Field::Message => commit.message.clone(),
            };
            // The time is no part of a name.
            let text = match wanted {
                Field::Message => line.as_bytes(),
                _ => line.find_byte(b'>').map_or(line.as_bytes(), |end| &line[..=end]),
            };
            patterns.peek().is_none() || patterns.any(|(_, regex)| regex.is_match(text))
        };
        parents && [Field::Author, Field::Committer, Field::Message].into_iter().all(matches)
    }
}
