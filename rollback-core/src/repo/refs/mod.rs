//! HEAD, branches and where they are checked out, read from what git's own writers lock: files, or stacks of reftables.
//!
//! Nothing reads a reference but through this room: the object library knows files alone. Nothing here writes.

mod files;
pub(crate) mod stack;
mod store;

use std::fs;
use std::path::{Path, PathBuf};

use bstr::{BString, ByteSlice};

use crate::bounded;
use crate::error::{Error, LandingError, RepositoryError, Result};
use crate::id::{CommitId, ObjectId};
use crate::path::RepoPath;
use crate::reftable::RefValue;
use crate::repo::Repo;

pub(crate) use store::{References, Storage, own_stack, stack_dir};

/// What a reference holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Object(ObjectId),
    /// Another reference, by its full name.
    Symbolic(BString),
}

impl Target {
    /// The bytes of the file that git would keep it in.
    fn as_file(&self) -> Vec<u8> {
        match self {
            Self::Object(id) => format!("{id}\n").into_bytes(),
            Self::Symbolic(name) => [b"ref: ", name.as_slice(), b"\n"].concat(),
        }
    }
}

/// Whether the name is in capital letters alone, as those of references beside `refs/` are.
fn is_root_word(name: &[u8]) -> bool {
    name.iter().all(|byte| byte.is_ascii_uppercase() || matches!(byte, b'-' | b'_'))
}

/// Whether a reference of this name belongs to one work tree (`refs.c`, `is_current_worktree_ref`).
pub(crate) fn is_of_work_tree(name: &[u8]) -> bool {
    let folders: [&[u8]; 3] = [b"refs/worktree/", b"refs/bisect/", b"refs/rewritten/"];
    is_root_word(name) || folders.iter().any(|folder| name.starts_with(folder))
}

/// Whether git keeps it in a file whatever references are stored in: it can say more than a reference can.
fn is_always_a_file(name: &[u8]) -> bool {
    matches!(name, b"FETCH_HEAD" | b"MERGE_HEAD")
}

/// The name of a reference as people say it.
pub(crate) fn short_reference(name: &str) -> &str {
    let prefixes = ["refs/heads/", "refs/remotes/", "refs/tags/"];
    prefixes.iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name)
}

/// Whether a file of git's state is a reference where references are stored in tables (`refs.c`, `is_root_ref`).
fn is_state_reference(name: &str) -> bool {
    const OTHERS: [&str; 5] =
        ["AUTO_MERGE", "BISECT_EXPECTED_REV", "NOTES_MERGE_PARTIAL", "NOTES_MERGE_REF", "MERGE_AUTOSTASH"];
    let name_of_head = is_root_word(name.as_bytes()) && name.ends_with("_HEAD");
    !is_always_a_file(name.as_bytes()) && (name_of_head || OTHERS.contains(&name))
}

fn commit_at(references: &References<'_>, name: &[u8]) -> Result<Option<CommitId>> {
    match references.read(name)? {
        Some(Target::Object(id)) => Ok(Some(id.into())),
        Some(Target::Symbolic(_)) => Err(RepositoryError::Unsupported {
            what: format!("symbolic reference {}", name.as_bstr()),
            why: "only HEAD may name another reference".into(),
        }
        .into()),
        None => Ok(None),
    }
}

fn refuse_linked_head(path: &Path) -> Result<()> {
    let metadata = fs::symlink_metadata(path).map_err(|error| Error::io("read", path, error))?;
    match metadata.is_symlink() {
        true => Err(RepositoryError::Unsupported {
            what: "HEAD as a symbolic link".into(),
            why: "git symbolic-ref HEAD refs/heads/NAME writes it anew".into(),
        }
        .into()),
        false => Ok(()),
    }
}

/// A name as a path of this system.
fn path_of(name: &[u8]) -> Result<&Path> {
    name.to_path().map_err(|_| invalid_name(name))
}

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
        let local = self.local();
        let references = References::of(&local)?;
        if !references.are_tables() {
            refuse_linked_head(&self.git_dir().join("HEAD"))?;
        }
        match references.head()? {
            Target::Symbolic(name) => {
                let commit = commit_at(&references, &name)?;
                Ok(Head::Branch { name, commit })
            }
            Target::Object(id) => Ok(Head::Detached(id.into())),
        }
    }

    /// The commit that the reference called `name` holds; `None` where there is no such reference.
    ///
    /// # Errors
    /// [`RepositoryError::Unsupported`] for a reference that names another one.
    pub(crate) fn read_reference(&self, name: &[u8]) -> Result<Option<CommitId>> {
        commit_at(&References::of(&self.local())?, name)
    }

    /// How references are stored here.
    pub(crate) fn storage(&self) -> Storage {
        self.storage
    }

    /// Whether a file of git's state of this name is a reference here, such as `REVERT_HEAD` where references are stored
    /// in tables.
    pub(crate) fn keeps_as_reference(&self, name: &str) -> bool {
        self.storage == Storage::Tables && is_state_reference(name)
    }

    /// The loose file of a reference: HEAD belongs to the work tree, all that rb writes else is shared.
    pub(crate) fn reference_path(&self, name: &[u8]) -> Result<PathBuf> {
        let relative = path_of(name)?;
        Ok(match is_of_work_tree(name) {
            true => self.git_dir().join(relative),
            false => self.common_dir().join(relative),
        })
    }

    /// What a file of git's state holds, such as `REVERT_HEAD`; `None` where there is none. Where references are stored in
    /// tables, some of these are references, and read here as their files would.
    ///
    /// # Errors
    /// [`Error::Io`]; [`RepositoryError::BadReferences`].
    pub(crate) fn read_state(&self, name: &str) -> Result<Option<Vec<u8>>> {
        if self.keeps_as_reference(name) {
            return Ok(References::of(&self.local())?.read(name.as_bytes())?.map(|target| target.as_file()));
        }
        let path = self.git_dir().join(name);
        match bounded::read(&path, bounded::CONTENT) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if bounded::is_absent(&error) => Ok(None),
            Err(error) => Err(Error::io("read", path, error)),
        }
    }

    /// Whether some reference stands in the way of one called `name`, as `a` does of `a/b` and the other
    /// way round; returns its name.
    pub(crate) fn reference_in_the_way(&self, name: &[u8]) -> Result<Option<BString>> {
        let local = self.local();
        let references = References::of(&local)?;
        let mut at = 0;
        while let Some(slash) = name[at..].find_byte(b'/') {
            let parent = &name[..at + slash];
            at += slash + 1;
            if parent.starts_with(b"refs/") && references.read(parent)?.is_some() {
                return Ok(Some(parent.into()));
            }
        }
        references.any_below(name)
    }

    /// The full names of the references below a prefix that ends in `/`, in order; broken ones are passed over.
    ///
    /// # Errors
    /// [`RepositoryError::BadReferences`] where they cannot be listed.
    pub(crate) fn references_below(&self, prefix: &str) -> Result<Vec<String>> {
        let local = self.local();
        let found = References::of(&local)?.below(prefix)?;
        Ok(found.into_iter().map(|(name, _)| name.to_string()).collect())
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
            if fs::canonicalize(&git_dir).is_ok_and(|path| path == own) || !self.is_on_branch(&git_dir, name)
            {
                continue;
            }
            if git_dir == common && self.main_is_bare() {
                continue;
            }
            return Ok(Some(work_tree_of(&git_dir, &common)));
        }
        Ok(None)
    }

    /// Whether HEAD of this git directory, or a rebase in it, is on the branch.
    fn is_on_branch(&self, git_dir: &Path, name: &[u8]) -> bool {
        let names = |file: &str, prefix: &[u8]| match bounded::read(&git_dir.join(file), bounded::DOCUMENT) {
            Ok(bytes) => bytes.strip_prefix(prefix).is_some_and(|rest| rest.trim() == name),
            // What cannot be read may hold it.
            Err(error) => !bounded::is_absent(&error),
        };
        let head = match self.storage {
            Storage::Files => names("HEAD", b"ref:"),
            Storage::Tables => {
                let stack = stack::Stack::open(git_dir, self.local().object_hash());
                let head = stack.and_then(|stack| stack.value(b"HEAD"));
                head.map_or(true, |head| matches!(head, Some(RefValue::Symbolic(branch)) if branch == name))
            }
        };
        head || names("rebase-merge/head-name", b"") || names("rebase-apply/head-name", b"")
    }

    fn main_is_bare(&self) -> bool {
        self.local().config_snapshot().boolean("core.bare").unwrap_or(false)
    }
}

fn work_tree_of(git_dir: &Path, common: &Path) -> PathBuf {
    let linked = bounded::read(&git_dir.join("gitdir"), bounded::DOCUMENT).ok().and_then(|bytes| {
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
