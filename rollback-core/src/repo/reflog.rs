//! The log of a reference, which git writes and rb adds to: where it was, where it went, and what moved it.

use bstr::{BString, ByteSlice};

use super::refs::References;
use super::{Repo, Signature};
use crate::bounded;
use crate::error::{Error, Result};
use crate::id::{CommitId, ObjectId};
use crate::reftable::LogUpdate;

/// A line of the log of a reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogLine {
    /// Where it was; `None` where it was not there.
    pub(crate) before: Option<CommitId>,
    /// Where it went; `None` where it went away.
    pub(crate) after: Option<CommitId>,
    /// When, in seconds since the epoch.
    pub(crate) seconds: i64,
    /// What moved it, such as `reset: moving to HEAD~1`.
    pub(crate) message: BString,
}

impl Repo {
    /// The log of the reference `name`, newest first; empty where there is none. A line that says nothing is passed over.
    ///
    /// # Errors
    /// [`Error::Io`] where it cannot be read;
    /// [`RepositoryError::BadReferences`](crate::error::RepositoryError::BadReferences).
    pub(crate) fn reference_log(&self, name: &[u8]) -> Result<Vec<LogLine>> {
        let local = self.local();
        let references = References::of(&local)?;
        if references.are_tables() {
            return Ok(references.log(name, usize::MAX)?.into_iter().map(LogLine::from).collect());
        }
        let relative = self.reference_path(name)?;
        let root = if name == b"HEAD" { self.git_dir().to_owned() } else { self.common_dir() };
        let below = relative.strip_prefix(&root).unwrap_or(&relative);
        let path = root.join("logs").join(below);
        match bounded::read(&path, bounded::CONTENT) {
            Ok(bytes) => Ok(bytes.lines().rev().filter_map(line).collect()),
            Err(error) if bounded::is_absent(&error) => Ok(Vec::new()),
            // Logs of branches below this name lie there.
            Err(_) if path.is_dir() => Ok(Vec::new()),
            Err(error) => Err(Error::io("read", path, error)),
        }
    }
}

impl From<LogUpdate> for LogLine {
    fn from(update: LogUpdate) -> Self {
        let id = |id: ObjectId| (!id.is_null()).then(|| CommitId::from(id));
        Self {
            before: id(update.old),
            after: id(update.new),
            seconds: i64::try_from(update.time).unwrap_or_default(),
            message: update.message.trim_end().into(),
        }
    }
}

/// `BEFORE AFTER NAME <MAIL> SECONDS ZONE`, a tab, the message.
fn line(line: &[u8]) -> Option<LogLine> {
    let (head, message) = line.split_once_str("\t").unwrap_or((line, b""));
    let (before, rest) = head.split_once_str(" ")?;
    let (after, who) = rest.split_once_str(" ")?;
    let id = |hex: &[u8]| -> Option<Option<CommitId>> {
        let id: CommitId = hex.to_str().ok()?.parse().ok()?;
        Some((!id.0.is_null()).then_some(id))
    };
    Some(LogLine {
        before: id(before)?,
        after: id(after)?,
        seconds: Signature::parse(who).seconds,
        message: message.into(),
    })
}

#[cfg(test)]
mod tests {
    use test_kit::Sandbox;

    use super::*;

    #[test]
    fn the_log_is_what_git_shows_of_it() {
        let sandbox = Sandbox::new();
        sandbox.commit("one", &[("a", "1\n")]);
        sandbox.commit("two", &[("a", "2\n")]);
        sandbox.git(&["reset", "-q", "--hard", "HEAD~1"]);
        sandbox.git(&["switch", "-q", "-c", "side/branch"]);
        let repo = Repo::discover(sandbox.path()).expect("it is a repository");
        for name in ["refs/heads/main", "refs/heads/side/branch", "HEAD"] {
            let shown = sandbox.git(&["log", "-g", "--format=%H %gs", name]);
            let read = repo.reference_log(name.as_bytes()).expect("it can be read");
            let read: Vec<_> = read
                .iter()
                .map(|line| format!("{} {}", line.after.expect("it went there"), line.message))
                .collect();
            assert_eq!(read, shown.lines().collect::<Vec<_>>(), "{name}");
        }
        let main = repo.reference_log(b"refs/heads/main").expect("it can be read");
        assert_eq!((main[0].before, main[0].after), (main[1].after, main[1].before));
        assert_eq!(main.last().map(|line| line.before), Some(None));
        assert_eq!(repo.reference_log(b"refs/heads/none").expect("no log is no error"), []);
        assert_eq!(repo.reference_log(b"refs/heads/side").expect("a folder is no log"), []);
    }
}
