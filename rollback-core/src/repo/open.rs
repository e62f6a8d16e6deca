//! Finding and opening a repository: whose it is, which environment counts, which formats are refused.

use std::path::Path;
use std::sync::Arc;

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
        let options = trusted_options(false);
        let found = gix::ThreadSafeRepository::discover_opts(folder, Default::default(), options);
        Self::checked(folder, found)
    }

    /// Opens the repository as git itself would from `folder`: `GIT_DIR`, and with it `GIT_WORK_TREE`,
    /// `GIT_INDEX_FILE`, `GIT_OBJECT_DIRECTORY` and their kin, are honoured together, so that two repositories are
    /// never mixed.
    ///
    /// # Errors
    /// As [`Repo::discover`].
    pub fn discover_with_environment(folder: impl AsRef<Path>) -> Result<Self> {
        let folder = folder.as_ref();
        let found = gix::ThreadSafeRepository::discover_with_environment_overrides_opts(
            folder,
            Default::default(),
            trusted_options(true),
        );
        Self::checked(folder, found)
    }

    fn checked(folder: &Path, found: gix::Result<gix::ThreadSafeRepository>) -> Result<Self> {
        let inner = found.map_err(|error| open_error(folder, error))?;
        let local = inner.to_thread_local();
        refuse_unsupported_formats(&local)?;
        // The one default that comes from a higher room: whoever says nothing gets the programs of this machine.
        Ok(Self {
            inner,
            programs: Programs::default(),
            filters: Arc::new(SystemFilters),
            merge_drivers: None,
        })
    }
}

/// The same options whatever the owner: a repository of somebody else is refused, not half-read.
fn trusted_options(environment: bool) -> gix::sec::trust::Mapping<gix::open::Options> {
    let options = |trust| {
        let mut options = gix::open::Options::default_for_level(trust).bail_if_untrusted(true);
        if !environment {
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

fn refuse_unsupported_formats(repo: &gix::Repository) -> Result<()> {
    let config = repo.config_snapshot();
    if let Some(storage) = config.string("extensions.refStorage")
        && storage.as_slice() != b"files"
    {
        return Err(Error::Unsupported {
            what: format!("reference storage '{storage}'"),
            why: "only the 'files' storage can be read and written".into(),
        });
    }
    Ok(())
}
