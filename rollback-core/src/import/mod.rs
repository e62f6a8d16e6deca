//! Creates a repository from a `git fast-import` stream, without git.
//!
//! This is how a history that travels inside a program, a demo for instance, becomes a repository on disk. The room is
//! the one exception to the rule that only `apply` and its neighbours write, and it can be one because all it ever does
//! is fill an empty folder: it refuses any other, so there is nothing that it could damage and nothing to undo. For the
//! same reason it does not sync what it writes.
//!
//! It reads the part of the format that reviewable histories need: `blob`, `commit`, `tag`, `reset`, `done`; `M`
//! (inline or by mark), `D`, `R`, `C` and `deleteall`; both kinds of `data`. Everything else is refused by line.

mod checkout;
mod history;
mod stream;
mod tree;

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::repo::Repo;

/// What the new repository is to look like.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ImportOptions {
    /// The branch that is checked out.
    pub branch: String,
    /// Name and email for the configuration of the repository; `None` leaves them to the user's own.
    pub identity: Option<(String, String)>,
}

impl Default for ImportOptions {
    fn default() -> Self {
        Self { branch: "main".into(), identity: None }
    }
}

/// Creates a repository with the history of `stream` in `folder` and checks out a branch of it.
///
/// # Writes
/// The folder, which is made where it does not exist: `.git` as `git init` would make it, every object loose, the
/// references of the stream, the index, and the files.
///
/// # Errors
/// [`Error::BadRequest`] where the folder is not empty, where the stream cannot be understood (with the line), and
/// where it has no such branch; [`PathError::CaseCollision`](crate::error::PathError::CaseCollision) where two files of
/// the branch are one on this file system; [`Error::Io`].
pub fn create(folder: impl AsRef<Path>, stream: &[u8], options: &ImportOptions) -> Result<Repo> {
    let folder = folder.as_ref();
    refuse_what_is_not_empty(folder)?;
    let git_dir = init(folder, options)?;
    let repo = Repo::discover(folder)?;
    let history = history::read(&repo.local(), stream)?;
    history.write_references(&git_dir)?;
    let tree = history.tree_of_branch(&options.branch)?;
    checkout::check_out(&repo.local(), folder, tree)?;
    Repo::discover(folder)
}

fn refuse_what_is_not_empty(folder: &Path) -> Result<()> {
    match crate::listing::rows(folder).map(|rows| rows.is_empty()) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Error::BadRequest(format!("{} is not empty", folder.display()))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            fs::create_dir_all(folder).map_err(|source| Error::io("create", folder, source))
        }
        Err(source) => Err(Error::io("read", folder, source)),
    }
}

/// Makes the git directory, with what this file system can do in its configuration.
fn init(folder: &Path, options: &ImportOptions) -> Result<PathBuf> {
    use gix::create::{Kind, Options};
    gix::create::into(folder, Kind::WithWorktree, Options::default()).map_err(|error| {
        Error::internal(format!("cannot create a repository in {}", folder.display()), error)
    })?;
    let git_dir = folder.join(".git");
    write(&git_dir.join("HEAD"), format!("ref: refs/heads/{}\n", options.branch).as_bytes())?;
    if let Some((name, email)) = &options.identity {
        append_identity(&git_dir.join("config"), name, email)?;
    }
    Ok(git_dir)
}

fn append_identity(config: &Path, name: &str, email: &str) -> Result<()> {
    let quoted = |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let mut text = fs::read(config).map_err(|source| Error::io("read", config, source))?;
    text.extend_from_slice(
        format!("[user]\n\tname = \"{}\"\n\temail = \"{}\"\n", quoted(name), quoted(email)).as_bytes(),
    );
    write(config, &text)
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(path, bytes).map_err(|source| Error::io("write", path, source))
}
