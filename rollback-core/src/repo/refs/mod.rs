//! HEAD, branches and where they are checked out, read from the files that git's own writers lock.
//!
//! Loose files are read before `packed-refs`, as git does. Nothing here writes.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use bstr::{BString, ByteSlice};

use crate::bounded;
use crate::error::{Error, LandingError, RepositoryError, Result};
use crate::id::CommitId;
use crate::path::RepoPath;
use crate::repo::Repo;

/// Where HEAD is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Head {
    /// On a branch; `commit` is `None` while the branch has none.
    Branch {
        /// The full name, such as `refs/heads/main`.
        name: BString,
        commit: Option<CommitId>,
    },
    /// On a commit.
    Detached(CommitId),
}

impl Head {
    /// The commit that HEAD reaches.
    pub(crate) fn commit(&self) -> Option<CommitId> {
        match self {
            Self::Branch { commit, .. } => *commit,
            Self::Detached(commit) => Some(*commit),
        }
    }

    /// The full name of the branch; `HEAD` where it is detached.
    pub(crate) fn name(&self) -> RepoPath {
        match self {
            Self::Branch { name, .. } => RepoPath::new(name.as_slice()),
            Self::Detached(_) => "HEAD".into(),
        }
    }
}

impl Repo {
    /// The folder that linked work trees share: objects, branches, configuration.
    pub fn common_dir(&self) -> PathBuf {
        self.local().common_dir().to_owned()
    }

    /// Whether history is cut off here: the clone is shallow.
    pub fn is_shallow(&self) -> bool {
        self.local().is_shallow().is_ok_and(|shallow| shallow)
    }

    /// Reads HEAD of this work tree.
    ///
    /// # Errors
    /// [`RepositoryError::Unsupported`] where HEAD is a symbolic link of the file system.
    pub(crate) fn head(&self) -> Result<Head> {
        let path = self.git_dir().join("HEAD");
        let metadata = fs::symlink_metadata(&path).map_err(|error| Error::io("read", &path, error))?;
        if metadata.is_symlink() {
            return Err(RepositoryError::Unsupported {
                what: "HEAD as a symbolic link".into(),
                why: "git symbolic-ref HEAD refs/heads/NAME writes it anew".into(),
            }
            .into());
        }
        let bytes = fs::read(&path).map_err(|error| Error::io("read", &path, error))?;
        match bytes.strip_prefix(b"ref:") {
            Some(target) => {
                let name = BString::from(target.trim());
                let commit = self.read_reference(&name)?;
                Ok(Head::Branch { name, commit })
            }
            None => parse_id(&bytes, &path).map(Head::Detached),
        }
    }

    /// The commit that the reference called `name` holds; `None` where there is no such reference.
    ///
    /// # Errors
    /// [`RepositoryError::Unsupported`] for a reference that names another one.
    pub(crate) fn read_reference(&self, name: &[u8]) -> Result<Option<CommitId>> {
        let path = self.reference_path(name)?;
        match fs::read(&path) {
            Ok(bytes) if bytes.starts_with(b"ref:") => Err(RepositoryError::Unsupported {
                what: format!("symbolic reference {}", name.as_bstr()),
                why: "only HEAD may name another reference".into(),
            }
            .into()),
            Ok(bytes) => parse_id(&bytes, &path).map(Some),
            Err(error) if is_no_file(&error) => self.read_packed_reference(name),
            Err(error) => Err(Error::io("read", path, error)),
        }
    }

    /// The loose file of a reference: HEAD belongs to the work tree, all that rb writes else is shared.
    pub(crate) fn reference_path(&self, name: &[u8]) -> Result<PathBuf> {
        let relative = name.to_path().map_err(|_| invalid_name(name))?;
        Ok(match name {
            b"HEAD" => self.git_dir().join(relative),
            _ => self.common_dir().join(relative),
        })
    }

    fn read_packed_reference(&self, name: &[u8]) -> Result<Option<CommitId>> {
        let path = self.common_dir().join("packed-refs");
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io("read", path, error)),
        };
        let mut wanted = vec![b' '];
        wanted.extend_from_slice(name);
        for start in bytes.find_iter(&wanted) {
            let end = start + wanted.len();
            let ends_line = bytes.get(end).is_none_or(|byte| matches!(byte, b'\n' | b'\r'));
            let line = bytes[..start].rfind_byte(b'\n').map_or(0, |newline| newline + 1);
            if ends_line && !matches!(bytes.get(line), Some(b'#' | b'^')) {
                return parse_id(&bytes[line..start], &path).map(Some);
            }
        }
        Ok(None)
    }

    /// Whether some reference stands in the way of one called `name`, as `a` does of `a/b` and the other
    /// way round; returns its name.
    pub(crate) fn reference_in_the_way(&self, name: &[u8]) -> Result<Option<BString>> {
        let mut at = 0;
        while let Some(slash) = name[at..].find_byte(b'/') {
            let parent = &name[..at + slash];
            at += slash + 1;
            if parent.starts_with(b"refs/") && self.read_reference(parent).is_ok_and(|found| found.is_some())
            {
                return Ok(Some(parent.into()));
            }
        }
        let mut prefix = name.to_vec();
        prefix.push(b'/');
        let local = self.local();
        let platform = local.references().map_err(RepositoryError::unreadable_references)?;
        let mut below =
            platform.prefixed(prefix.as_bstr()).map_err(RepositoryError::unreadable_references)?;
        Ok(below.next().and_then(Result::ok).map(|reference| reference.name().as_bstr().to_owned()))
    }

    /// The full names of the references below a prefix that ends in `/`, in order; broken ones are passed over.
    ///
    /// # Errors
    /// [`RepositoryError::BadReferences`] where they cannot be listed.
    pub(crate) fn references_below(&self, prefix: &str) -> Result<Vec<String>> {
        let local = self.local();
        let platform = local.references().map_err(RepositoryError::unreadable_references)?;
        let found = platform.prefixed(prefix).map_err(RepositoryError::unreadable_references)?;
        let names = found.filter_map(std::result::Result::ok);
        let mut names: Vec<_> = names.map(|reference| reference.name().as_bstr().to_string()).collect();
        names.sort();
        Ok(names)
    }

    /// The other work tree in which the branch is checked out, or being rebased.
    pub(crate) fn checked_out_elsewhere(&self, name: &[u8]) -> Result<Option<PathBuf>> {
        let common = self.common_dir();
        let own = fs::canonicalize(self.git_dir()).unwrap_or_else(|_| self.git_dir().to_owned());
        let mut git_dirs = vec![common.clone()];
        if let Ok(rows) = crate::listing::rows(&common.join("worktrees")) {
            git_dirs.extend(rows.iter().map(|row| row.path()));
        }
        for git_dir in git_dirs {
            if fs::canonicalize(&git_dir).is_ok_and(|path| path == own) || !holds(&git_dir, name) {
                continue;
            }
            if git_dir == common && self.main_is_bare() {
                continue;
            }
            return Ok(Some(work_tree_of(&git_dir, &common)));
        }
        Ok(None)
    }

    fn main_is_bare(&self) -> bool {
        self.local().config_snapshot().boolean("core.bare").unwrap_or(false)
    }
}

/// Whether HEAD of this git directory, or a rebase in it, is on the branch.
fn holds(git_dir: &Path, name: &[u8]) -> bool {
    let names = |file: &str, prefix: &[u8]| {
        fs::read(git_dir.join(file))
            .is_ok_and(|bytes| bytes.strip_prefix(prefix).is_some_and(|rest| rest.trim() == name))
    };
    names("HEAD", b"ref:") || names("rebase-merge/head-name", b"") || names("rebase-apply/head-name", b"")
}

fn work_tree_of(git_dir: &Path, common: &Path) -> PathBuf {
    let linked = fs::read(git_dir.join("gitdir")).ok().and_then(|bytes| {
        let path = bytes.trim().to_path().ok()?.parent()?.to_owned();
        Some(if path.is_relative() { git_dir.join(path) } else { path })
    });
    let main = || match common.file_name() {
        Some(name) if name == ".git" => common.parent().unwrap_or(common).to_owned(),
        _ => common.to_owned(),
    };
    linked.unwrap_or_else(main)
}

/// Checks that `name` is a reference that rb may write: a branch or one of its own.
///
/// # Errors
/// [`LandingError::InvalidBranchName`].
pub(crate) fn check_writable_name(name: &[u8]) -> Result<()> {
    let short = name.strip_prefix(b"refs/heads/").or_else(|| name.strip_prefix(b"refs/rb/"));
    // `refs/heads/-x` cannot be named on a command line, and `refs/heads/HEAD` is taken for HEAD.
    let bad = short.is_none_or(|short| short.starts_with(b"-") || short == b"HEAD");
    if bad || gix::refs::FullName::try_from(name.as_bstr()).is_err() {
        return Err(invalid_name(name));
    }
    Ok(())
}

/// The error names the branch as it is typed.
fn invalid_name(name: &[u8]) -> Error {
    let typed = name.strip_prefix(b"refs/heads/").unwrap_or(name);
    LandingError::InvalidBranchName { name: typed.to_str_lossy().into_owned() }.into()
}

fn parse_id(bytes: &[u8], path: &Path) -> Result<CommitId> {
    gix::ObjectId::from_hex(bytes.trim()).map(CommitId::from).map_err(|_| {
        RepositoryError::BadReferences { why: format!("{} holds no object id", path.display()) }.into()
    })
}

/// Whether the error says that there is no such file; a folder of that name is none.
fn is_no_file(error: &std::io::Error) -> bool {
    bounded::is_absent(error) || error.kind() == ErrorKind::IsADirectory
}
