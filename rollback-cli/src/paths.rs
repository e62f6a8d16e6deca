//! Paths as they are typed, turned into paths of the repository.
//!
//! They are literal, as bytes, and relative to the folder the command works in; `:/` counts from the
//! root of the repository. Nothing is looked up: a path need not exist.

use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};

use rollback_core::error::PathError;
use rollback_core::{Error, Repo, RepoPath, Result};

/// Where in the repository typed paths begin.
#[derive(Clone, Debug)]
pub(crate) struct Base {
    /// The root of the work tree and other spellings of it; none in a bare repository.
    roots: Vec<PathBuf>,
    /// The folder the command works in, from the root.
    prefix: RepoPath,
}

impl Base {
    /// For a command that works in `folder`.
    pub(crate) fn new(repo: &Repo, folder: &Path) -> Self {
        let Some(work_dir) = repo.work_dir() else {
            return Self { roots: Vec::new(), prefix: RepoPath::default() };
        };
        let mut roots = vec![work_dir.to_owned()];
        roots.extend(work_dir.canonicalize());
        let prefix = folder.canonicalize().ok().and_then(|folder| below(&folder, &roots)).unwrap_or_default();
        Self { roots, prefix }
    }

    /// The folder the command works in, from the root.
    pub(crate) fn prefix(&self) -> &RepoPath {
        &self.prefix
    }

    /// The paths of the repository that these words mean.
    ///
    /// # Errors
    /// [`PathError::Invalid`] for words that mean no path inside the repository.
    pub(crate) fn resolve_all<'a>(
        &self,
        typed: impl IntoIterator<Item = &'a OsString>,
    ) -> Result<Vec<RepoPath>> {
        let mut paths = Vec::new();
        for word in typed {
            let path = self.resolve(word)?;
            if !paths.contains(&path) {
                paths.push(path);
            }
        }
        Ok(paths)
    }

    /// The path of the repository that this word means.
    ///
    /// # Errors
    /// As [`Base::resolve_all`].
    pub(crate) fn resolve(&self, typed: &OsStr) -> Result<RepoPath> {
        let invalid =
            |why| Error::from(PathError::Invalid { path: typed.to_string_lossy().into_owned(), why });
        if typed.is_empty() {
            return Err(invalid("it is empty"));
        }
        let path = Path::new(typed);
        let resolved = if path.is_absolute() {
            self.inside_work_tree(path).ok_or_else(|| invalid("it lies outside of the work tree"))?
        } else if let Some(from_root) = strip_root_marker(typed) {
            normalize(RepoPath::default(), Path::new(&from_root))
                .ok_or_else(|| invalid("it leads out of the repository"))?
        } else {
            normalize(self.prefix.clone(), path).ok_or_else(|| invalid("it leads out of the repository"))?
        };
        if resolved.components().next() == Some(b".git") {
            return Err(invalid("it lies inside the git directory"));
        }
        Ok(resolved)
    }

    fn inside_work_tree(&self, path: &Path) -> Option<RepoPath> {
        if let Some(found) = below(path, &self.roots) {
            return Some(found);
        }
        // The folder may be reached through a symbolic link; the last part need not exist and is not followed.
        let existing =
            path.ancestors().skip(1).find_map(|folder| folder.canonicalize().ok().map(|real| (folder, real)));
        let (folder, real) = existing?;
        below(&real.join(path.strip_prefix(folder).ok()?), &self.roots)
    }
}

fn below(path: &Path, roots: &[PathBuf]) -> Option<RepoPath> {
    roots
        .iter()
        .find_map(|root| path.strip_prefix(root).ok())
        .and_then(|inside| normalize(RepoPath::default(), inside))
}

/// The word without the `:/` in front, which git reads as the root of the work tree.
fn strip_root_marker(typed: &OsStr) -> Option<OsString> {
    let from_root = typed.as_encoded_bytes().strip_prefix(b":/")?;
    // What follows an ASCII prefix of an `OsStr` is one; without `unsafe` only text can be cut on every platform.
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        Some(OsStr::from_bytes(from_root).to_owned())
    }
    #[cfg(not(unix))]
    {
        std::str::from_utf8(from_root).ok().map(OsString::from)
    }
}

/// The path with `.` and `..` taken literally, without asking the file system; `None` where it leads out.
fn normalize(start: RepoPath, path: &Path) -> Option<RepoPath> {
    let mut resolved = start;
    for component in path.components() {
        match component {
            Component::Normal(name) => resolved = resolved.join(name.as_encoded_bytes()),
            Component::ParentDir => resolved = resolved.parent()?,
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(resolved)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base() -> Base {
        Base { roots: vec![PathBuf::from("/work tree")], prefix: RepoPath::from("src/deep") }
    }

    fn resolved(typed: &str) -> Option<String> {
        let path = base().resolve(OsStr::new(typed)).ok()?;
        Some(path.to_string())
    }

    #[test]
    fn paths_are_relative_to_the_folder_and_literal() {
        assert_eq!(resolved("a.py").as_deref(), Some("src/deep/a.py"));
        assert_eq!(resolved("../a.py").as_deref(), Some("src/a.py"));
        assert_eq!(resolved("./*/").as_deref(), Some("src/deep/*"));
        assert_eq!(resolved(".").as_deref(), Some("src/deep"));
        assert_eq!(resolved("../..").as_deref(), Some(""));
    }

    #[test]
    fn a_leading_colon_and_slash_counts_from_the_root() {
        assert_eq!(resolved(":/a.py").as_deref(), Some("a.py"));
        assert_eq!(resolved(":/").as_deref(), Some(""));
        assert_eq!(resolved(":odd").as_deref(), Some("src/deep/:odd"));
    }

    #[cfg(unix)]
    #[test]
    fn absolute_paths_lie_in_the_work_tree_or_are_refused() {
        assert_eq!(resolved("/work tree/x/y").as_deref(), Some("x/y"));
        assert_eq!(resolved("/elsewhere/x"), None);
    }

    #[test]
    fn what_leads_out_of_the_repository_is_refused() {
        assert_eq!(resolved("../../../x"), None);
        assert_eq!(resolved(""), None);
        assert_eq!(resolved(":/../x"), None);
        assert_eq!(resolved(":/.git/config"), None);
    }

    #[cfg(unix)]
    #[test]
    fn bytes_that_are_no_text_stay_as_they_are() {
        use std::os::unix::ffi::OsStrExt;
        let path = base().resolve(OsStr::from_bytes(b":/caf\xe9")).unwrap();
        assert_eq!(path.as_bytes(), b"caf\xe9");
    }
}
