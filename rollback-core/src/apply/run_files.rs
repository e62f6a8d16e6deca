//! What a run keeps beside its record: logs, messages, evidence. Files below `rb/runs/<id>/` of the common git directory.
//!
//! A name is a few plain names with `/` between them. It is walked from the git directory on, one folder at a time and
//! never through a link, for writing and for reading: neither a procedure nor a record leads anywhere else.

use std::io::{ErrorKind, Read, Write};
use std::path::PathBuf;

use super::own::OwnFolder;
use crate::error::{Error, Result};
use crate::repo::Repo;
use crate::repo::config::Settings;

/// Where runs keep files, below the common git directory.
const RUNS: [&str; 2] = ["rb", "runs"];
/// What a file is called while it is written. No kept file has such a name.
const WRITTEN: &str = ".rb-written";
/// The most bytes of a kept file that are read.
const LIMIT: u64 = 256 << 20;

impl Repo {
    /// The folder in which a run keeps what is not git's, for people.
    pub fn run_folder(&self, id: &str) -> PathBuf {
        self.common_dir().join(RUNS[0]).join(RUNS[1]).join(id)
    }

    /// Keeps a file with a run, in place of one of the same name; only its user can read it.
    ///
    /// # Writes
    /// The file, below `rb/runs/` of the common git directory.
    ///
    /// # Errors
    /// [`Error::BadRequest`] for a name that leads out of the run's folder;
    /// [`RepositoryError::LinkInGitDir`](crate::error::RepositoryError::LinkInGitDir); [`Error::Io`].
    pub(crate) fn keep_run_file(&self, id: &str, name: &str, bytes: &[u8]) -> Result<()> {
        let (folders, file) = parts_of(id, name)?;
        let settings = Settings::of(self)?;
        let own = OwnFolder::make(&self.common_dir(), &folders, &settings)?;
        let failed = |error| Error::io("write", own.path.join(file), error);
        match own.folder.remove_file(WRITTEN.as_bytes()) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let mut written = own.folder.create_file(WRITTEN.as_bytes(), 0o600).map_err(failed)?;
        written.write_all(bytes).map_err(failed)?;
        own.folder.rename_over(WRITTEN.as_bytes(), &own.folder, file.as_bytes()).map_err(failed)
    }

    /// A file that a run has kept; `None` where there is none that may be read.
    pub(crate) fn run_file(&self, id: &str, name: &str) -> Option<Vec<u8>> {
        let (folders, file) = parts_of(id, name).ok()?;
        let own = OwnFolder::open(&self.common_dir(), &folders).ok()??;
        let open = own.folder.open_file(file.as_bytes()).ok()?;
        let metadata = open.metadata().ok()?;
        let mut bytes = Vec::new();
        let is_kept = metadata.is_file() && metadata.len() <= LIMIT;
        is_kept.then(|| open.take(LIMIT).read_to_end(&mut bytes).ok()).flatten()?;
        Some(bytes)
    }
}

/// Whether a name stays in the folder of its run.
pub(crate) fn stays_in_its_folder(name: &str) -> bool {
    name.split('/').all(is_plain)
}

fn is_plain(part: &str) -> bool {
    !part.is_empty()
        && !part.starts_with('.')
        && !part.contains(['\\', ':'])
        && !part.chars().any(char::is_control)
}

fn parts_of<'n>(id: &'n str, name: &'n str) -> Result<(Vec<&'n str>, &'n str)> {
    if !is_plain(id) || id.contains('/') || !stays_in_its_folder(name) {
        return Err(Error::BadRequest(format!("'{name}' is no name of a file that run {id} can keep")));
    }
    let (folders, file) = name.rsplit_once('/').map_or(("", name), |(folders, file)| (folders, file));
    let inner = folders.split('/').filter(|part| !part.is_empty());
    Ok((RUNS.into_iter().chain([id]).chain(inner).collect(), file))
}

#[cfg(test)]
mod tests {
    use test_kit::Sandbox;

    use super::*;

    #[test]
    fn what_is_kept_is_read_again_and_nothing_leads_out() {
        let sandbox = Sandbox::new();
        sandbox.commit("one", &[("a", "1\n")]);
        let repo = Repo::discover(sandbox.path()).unwrap();
        repo.keep_run_file("0a", "check/smoke/live", b"15 passed\n").unwrap();
        assert_eq!(repo.run_file("0a", "check/smoke/live").as_deref(), Some(&b"15 passed\n"[..]));
        for name in
            ["../x", "a/../../x", "/etc/x", "a//b", ".hidden", "a/.git", "a\\..\\b", "c:x", "a\nb", ""]
        {
            assert!(repo.keep_run_file("0a", name, b"").is_err(), "{name}");
            assert_eq!(repo.run_file("0a", name), None, "{name}");
        }
        assert!(repo.keep_run_file("..", "x", b"").is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_the_git_directory_is_never_followed() {
        let sandbox = Sandbox::new();
        sandbox.commit("one", &[("a", "1\n")]);
        let repo = Repo::discover(sandbox.path()).unwrap();
        let outside = sandbox.path().join("outside");
        std::fs::create_dir(&outside).unwrap();
        std::fs::write(outside.join("x"), "precious").unwrap();
        let runs = repo.common_dir().join("rb/runs/0a");
        std::fs::create_dir_all(&runs).unwrap();
        std::os::unix::fs::symlink(&outside, runs.join("evidence")).unwrap();
        assert!(repo.keep_run_file("0a", "evidence/x", b"other").is_err());
        assert_eq!(repo.run_file("0a", "evidence/x"), None);
        assert_eq!(std::fs::read(outside.join("x")).unwrap(), b"precious");
    }
}
