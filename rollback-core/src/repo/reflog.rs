//! The log of a reference, which git writes and rb adds to: where it was, where it went, and what moved it.

use bstr::{BString, ByteSlice};

use super::Repo;
use super::refs::References;
use crate::error::Result;
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
    /// [`Error::Io`](crate::Error::Io) where it cannot be read;
    /// [`RepositoryError::BadReferences`](crate::error::RepositoryError::BadReferences).
    pub(crate) fn reference_log(&self, name: &[u8]) -> Result<Vec<LogLine>> {
        let local = self.local();
        let lines = References::of(&local)?.log(name, usize::MAX)?;
        Ok(lines.into_iter().map(LogLine::from).collect())
    }
}

impl From<LogUpdate> for LogLine {
    fn from(update: LogUpdate) -> Self {
        let id = |id: ObjectId| (!id.is_null()).then(|| CommitId::from(id));
        Self {
            before: id(update.old),
            after: id(update.new),
            // Times before the epoch wrap around.
            seconds: update.time.cast_signed(),
            message: update.message.trim_end().into(),
        }
    }
}

/// Reads a line of a log that is a file: `BEFORE AFTER NAME <MAIL> SECONDS ZONE`, a tab, the message. `None` for one that
/// says nothing.
pub(crate) fn parse(line: &[u8]) -> Option<LogUpdate> {
    let read = gix::refs::file::log::LineRef::from_bytes(line).ok()?;
    let (seconds, offset) = read.signature.time.split_once(' ')?;
    let before_epoch = || Some(seconds.parse::<i64>().ok()?.cast_unsigned());
    Some(LogUpdate {
        old: ObjectId(read.previous_oid()),
        new: ObjectId(read.new_oid()),
        name: read.signature.name.to_owned(),
        email: read.signature.email.to_owned(),
        // Times before the epoch wrap around, as git's do.
        time: seconds.parse().ok().or_else(before_epoch)?,
        offset: offset.parse().ok()?,
        message: read.message.to_owned(),
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

    #[test]
    fn lines_that_say_nothing_to_git_are_passed_over() {
        let sandbox = Sandbox::new();
        sandbox.commit("one", &[("a", "1\n")]);
        let id = sandbox.git(&["rev-parse", "HEAD"]);
        let lines = [
            format!("{id} {id} A <a@x> 1700000000 +0100\tall\n"),
            "nonsense\n".into(),
            format!("{id} {id} A <a@x> 1700000001\tno zone\n"),
            format!("{id} {} A <a@x> 1700000002 +0100\tshort id\n", &id[1..]),
            format!("{id} {id}{id} A <a@x> 1700000003 +0100\tlong id\n"),
            format!("{id} {id} <a@x> 1700000004 -0130\tno name\n"),
            format!("{id} {id} A B <a@x> 1700000005 +0000\n"),
        ];
        std::fs::write(sandbox.path().join(".git/logs/refs/heads/main"), lines.concat()).expect("written");
        let shown = sandbox.git(&["log", "-g", "--date=unix", "--format=%gd|%gs", "main"]);
        let read =
            Repo::discover(sandbox.path()).expect("it is a repository").reference_log(b"refs/heads/main");
        let read: Vec<_> = read.expect("it can be read");
        let read: Vec<_> =
            read.iter().map(|line| format!("main@{{{}}}|{}", line.seconds, line.message)).collect();
        assert_eq!(read, shown.lines().collect::<Vec<_>>());
    }
}
