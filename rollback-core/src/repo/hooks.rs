//! Which hooks are installed, whose they are, and whether they may run. Nothing here runs or writes anything.
//!
//! A folder of hooks is the user's own where `core.hooksPath` of the system's or the user's configuration names it by an
//! absolute path outside of the repository. Every other folder is the repository's: its author chose what
//! lies in it, so a hook from there runs only where the user trusts the repository, and only as it was then.

use std::path::{Path, PathBuf};

use gix::config::Source;

use super::{Programs, Repo, sha256};
use crate::error::{Error, Result};
use crate::hooks::Hook;

/// Where git looks for hooks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HooksFolder {
    pub(crate) path: PathBuf,
    pub(crate) owner: Owner,
}

/// Who chose the hooks of a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    User,
    Repository,
}

/// A hook that git would run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InstalledHook {
    pub(crate) hook: Hook,
    pub(crate) path: PathBuf,
    /// The SHA-256 of its bytes, in hexadecimal.
    pub(crate) hash: String,
    pub(crate) permission: Permission,
}

/// Whether a hook may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Permission {
    Given,
    /// The repository chose it, and it is not trusted as it is.
    NotTrusted,
}

impl Repo {
    /// The folder in which git looks for hooks.
    pub(crate) fn hooks_folder(&self) -> HooksFolder {
        let local = self.local();
        let config = local.config_snapshot();
        let configured = config.trusted_path("core.hooksPath").ok().flatten();
        let Some(path) = configured else {
            return HooksFolder { path: local.common_dir().join("hooks"), owner: Owner::Repository };
        };
        // As git does: relative to the folder in which hooks run.
        let base = self.work_dir().unwrap_or(self.git_dir());
        let named_by_user = path.is_absolute() && is_configured_by_user(&config);
        let path = base.join(path);
        let owner = match named_by_user && !self.holds(&path) {
            true => Owner::User,
            false => Owner::Repository,
        };
        HooksFolder { path, owner }
    }

    /// The hook, where it is installed so that git would run it.
    ///
    /// # Errors
    /// [`Error::Io`] for a hook that cannot be read.
    pub(crate) fn installed_hook(&self, hook: Hook) -> Result<Option<InstalledHook>> {
        let folder = self.hooks_folder();
        let path = folder.path.join(hook.name());
        if !can_run(&path) {
            return Ok(None);
        }
        let bytes = std::fs::read(&path).map_err(|error| Error::io("read", &path, error))?;
        let hash = sha256(&bytes);
        let permission = match (folder.owner, &self.programs) {
            (Owner::User, _) => Permission::Given,
            (Owner::Repository, Programs::Trusted(pinned))
                if pinned.get(&key_of(hook.name())) == Some(&hash) =>
            {
                Permission::Given
            }
            (Owner::Repository, _) => Permission::NotTrusted,
        };
        Ok(Some(InstalledHook { hook, path, hash, permission }))
    }

    /// Whether the path lies in the work tree or the git directory, however it is spelled.
    fn holds(&self, path: &Path) -> bool {
        let whole = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let folders =
            [self.work_dir().map(Path::to_owned), Some(self.git_dir().to_owned()), Some(self.common_dir())];
        folders
            .into_iter()
            .flatten()
            .any(|folder| path.starts_with(&folder) || whole(path).starts_with(whole(&folder)))
    }
}

impl InstalledHook {
    /// Whether it still is what it was found to be: a landing may have written to the folder since.
    pub(crate) fn is_as_found(&self) -> bool {
        can_run(&self.path) && std::fs::read(&self.path).is_ok_and(|bytes| sha256(&bytes) == self.hash)
    }
}

/// What a hook is called among the programs of a repository.
pub(crate) fn key_of(name: &str) -> String {
    format!("hooks/{name}")
}

/// Whether the value of `core.hooksPath` that counts stands in the system's or the user's configuration, or was typed
/// with `git -c`.
fn is_configured_by_user(config: &gix::config::Snapshot<'_>) -> bool {
    let sections = config.plumbing().sections_by_name("core").into_iter().flatten();
    let named = sections.filter(|section| section.header().subsection_name().is_none());
    let last = named.filter(|section| section.value("hooksPath").is_some()).last();
    last.is_some_and(|section| {
        // `git -c` is the user's own word, too.
        matches!(
            section.meta().source,
            Source::GitInstallation | Source::System | Source::Git | Source::User | Source::Cli
        )
    })
}

/// Whether git would run the file: it is there and, where files say so, executable.
fn can_run(hook: &Path) -> bool {
    let Ok(metadata) = hook.metadata() else { return false };
    #[cfg(unix)]
    let executable = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o111 != 0;
    #[cfg(not(unix))]
    let executable = true;
    metadata.is_file() && executable
}
