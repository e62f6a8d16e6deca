//! Finding and opening a repository: whose it is, which environment counts, which formats are refused.

use std::path::Path;
use std::sync::Arc;

use super::big_blob::{DEFAULT_LIMIT, blob_limit};
use super::{Programs, Repo};
use crate::error::{Error, Result};
use crate::process::SystemFilters;

impl Repo {
    /// Opens the repository that `folder` lies in, and nothing else: no `GIT_*` variable redirects it.
    ///
    /// # Errors
    /// [`Error::NotARepository`] where there is none, [`Error::NotOwned`] where it belongs to somebody else, and
    /// [`Error::Unsupported`] for formats that would be misread.
    pub fn discover(folder: impl AsRef<Path>) -> Result<Self> {
        let folder = folder.as_ref();
        let found = within_limits(|limit| {
            let options = trusted_options(Environment::Ignored, limit);
            gix::ThreadSafeRepository::discover_opts(folder, Default::default(), options)
        });
        Self::checked(folder, found, Environment::Ignored)
    }

    /// Opens the repository as git itself would from `folder`: `GIT_DIR`, and with it `GIT_WORK_TREE`,
    /// `GIT_INDEX_FILE`, `GIT_OBJECT_DIRECTORY` and their kin, are honoured together, so that two repositories are
    /// never mixed.
    ///
    /// # Errors
    /// As [`Repo::discover`].
    pub fn discover_with_environment(folder: impl AsRef<Path>) -> Result<Self> {
        let folder = folder.as_ref();
        let found = within_limits(|limit| {
            gix::ThreadSafeRepository::discover_with_environment_overrides_opts(
                folder,
                Default::default(),
                trusted_options(Environment::Honoured, limit),
            )
        });
        Self::checked(folder, found, Environment::Honoured)
    }

    fn checked(
        folder: &Path,
        found: gix::Result<gix::ThreadSafeRepository>,
        environment: Environment,
    ) -> Result<Self> {
        let inner = found.map_err(|error| open_error(folder, error))?;
        let local = inner.to_thread_local();
        refuse_unsupported_formats(&local)?;
        refuse_work_tree_elsewhere(folder, &local, environment)?;
        // The one default that comes from a higher room: whoever says nothing gets the programs of this machine.
        Ok(Self {
            inner,
            programs: Programs::default(),
            filters: Arc::new(SystemFilters),
            merge_drivers: None,
            fetcher: None,
            lacking: None,
        })
    }
}

/// Whether variables say which repository is meant.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Environment {
    Honoured,
    Ignored,
}

/// Opens a repository whose objects are refused where one of them would need more memory than the limit on blobs allows,
/// whatever its kind: a few bytes of a pack can claim to be a commit of many GiB.
fn within_limits(
    open: impl Fn(u64) -> gix::Result<gix::ThreadSafeRepository>,
) -> gix::Result<gix::ThreadSafeRepository> {
    let found = open(DEFAULT_LIMIT)?;
    // What cannot be read here is refused with its name where it is used.
    match blob_limit(&found.to_thread_local()) {
        Ok(limit) if limit > DEFAULT_LIMIT => open(limit),
        _ => Ok(found),
    }
}

/// The same options whatever the owner: a repository of somebody else is refused, not half-read. The limit to a single
/// allocation, in bytes, is set over whatever the configuration says.
fn trusted_options(environment: Environment, limit: u64) -> gix::sec::trust::Mapping<gix::open::Options> {
    let options = |trust| {
        let mut options = gix::open::Options::default_for_level(trust)
            .bail_if_untrusted(true)
            .config_overrides([format!("gitoxide.objects.allocLimit={limit}")]);
        if environment == Environment::Ignored {
            let mut permissions = gix::open::Permissions::default_for_level(trust);
            permissions.env.git_prefix = gix::sec::Permission::Deny;
            options = options.permissions(permissions);
        }
        options
    };
    use gix::sec::trust::DefaultForLevel;
    gix::sec::trust::Mapping {
        full: options(gix::sec::Trust::Full),
        reduced: options(gix::sec::Trust::Reduced),
    }
}

fn open_error(folder: &Path, error: gix::Error) -> Error {
    let text = error.to_string();
    if error.classify().has(gix::error::Class::PermissionDenied) || text.contains("trust") {
        return Error::NotOwned { path: folder.to_owned() };
    }
    if error.is_unsupported() {
        return Error::Unsupported { what: text, why: "this format is not known here".into() };
    }
    if error.is_not_found() || text.contains("not a git repository") || text.contains("Could not find") {
        return Error::NotARepository { path: folder.to_owned() };
    }
    Error::internal(format!("cannot open the repository at {}", folder.display()), error)
}

/// Refuses a repository that was found by its folder and whose configuration puts the work tree elsewhere: who hands over
/// such a folder chooses what is written to. Whoever means it says so with `GIT_DIR` or `GIT_WORK_TREE`.
fn refuse_work_tree_elsewhere(folder: &Path, repo: &gix::Repository, environment: Environment) -> Result<()> {
    let named = |name| environment == Environment::Honoured && std::env::var_os(name).is_some();
    if named("GIT_DIR") || named("GIT_WORK_TREE") || repo.config_snapshot().string("core.worktree").is_none()
    {
        return Ok(());
    }
    let (Some(work_tree), Ok(folder)) = (repo.workdir(), folder.canonicalize()) else { return Ok(()) };
    // A submodule's configuration leads back to the folder that its `.git` file lies in.
    let found_at = folder.ancestors().find(|folder| folder.join(".git").exists());
    match work_tree.canonicalize() {
        Ok(whole) if found_at != Some(&whole) => Err(Error::WorkTreeElsewhere { work_tree: whole }),
        _ => Ok(()),
    }
}

fn refuse_unsupported_formats(repo: &gix::Repository) -> Result<()> {
    let config = repo.config_snapshot();
    if let Some(storage) = config.string("extensions.refStorage")
        && storage.as_slice() != b"files"
    {
        return Err(Error::ReferenceStorage { storage: storage.to_string() });
    }
    Ok(())
}
