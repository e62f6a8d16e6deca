//! Finding and opening a repository: whose it is, which environment counts, which formats are refused.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bstr::BString;

use super::big_blob::{DEFAULT_LIMIT, blob_limit};
use super::config_file::Setting;
use super::refs::Storage;
use super::{Programs, Repo, config_check, config_env};
use crate::cancel::Cancel;
use crate::error::{Error, RepositoryError, Result};
use crate::process::SystemFilters;
use crate::progress::Sink;

impl Repo {
    /// Opens the repository that `folder` lies in, and nothing else: no `GIT_*` variable redirects it. Configuration of
    /// the environment (`GIT_CONFIG_COUNT`, `GIT_CONFIG_PARAMETERS`) counts.
    ///
    /// # Errors
    /// [`RepositoryError::NotARepository`] where there is none, [`RepositoryError::NotOwned`] where it belongs to
    /// another user, [`RepositoryError::Unsupported`] and [`Error::Setting`] for formats and configurations that git
    /// refuses or that would be misread.
    pub fn discover(folder: impl AsRef<Path>) -> Result<Self> {
        let folder = absolute(folder.as_ref())?;
        let settings = config_env::settings(&variable)?;
        let found = within_limits(|limit| {
            let options = trusted_options(Environment::Ignored, &settings, limit);
            gix::ThreadSafeRepository::discover_opts(&folder, Default::default(), options)
        });
        Self::checked(&folder, found, &settings, Environment::Ignored)
    }

    /// Opens the repository as git itself would from `folder`: `GIT_DIR`, and with it `GIT_WORK_TREE`,
    /// `GIT_INDEX_FILE`, `GIT_OBJECT_DIRECTORY` and their kin, are honoured together, so that two repositories are
    /// never mixed.
    ///
    /// # Errors
    /// As [`Repo::discover`].
    pub fn discover_with_environment(folder: impl AsRef<Path>) -> Result<Self> {
        let folder = absolute(folder.as_ref())?;
        let settings = config_env::settings(&variable)?;
        let found = within_limits(|limit| {
            gix::ThreadSafeRepository::discover_with_environment_overrides_opts(
                &folder,
                Default::default(),
                trusted_options(Environment::Honoured, &settings, limit),
            )
        });
        Self::checked(&folder, found, &settings, Environment::Honoured)
    }

    fn checked(
        folder: &Path,
        found: gix::Result<gix::ThreadSafeRepository>,
        settings: &[Setting],
        environment: Environment,
    ) -> Result<Self> {
        let found = found.map_err(|error| open_error(folder, error, environment))?;
        let mut local = found.to_thread_local();
        config_check::check(&local)?;
        refuse_work_tree_elsewhere(folder, &local, environment)?;
        add_configuration(&mut local, settings)?;
        tracing::debug!(git_dir = ?local.git_dir(), "opened");
        // The one default that comes from a higher room: without another choice the programs of this machine run.
        Ok(Self {
            storage: Storage::of(&local),
            inner: local.into_sync(),
            kept: Default::default(),
            programs: Programs::default(),
            filters: Arc::new(SystemFilters),
            merge_drivers: None,
            fetcher: None,
            lacking: None,
            cancel: Cancel::default(),
            progress: Sink::default(),
            installed_git: Default::default(),
            is_landing: false,
        })
    }
}

/// The object library takes no relative path that leads up and then to a bare repository.
fn absolute(folder: &Path) -> Result<PathBuf> {
    std::path::absolute(folder).map_err(|error| Error::io("find", folder, error))
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

/// The same options whatever the owner: a repository of another user is refused, not half-read. The limit to a single
/// allocation, in bytes, is set over whatever the configuration says.
///
/// Of the configuration of the environment only `safe.directory` counts while opening; the rest is added afterwards.
fn trusted_options(
    environment: Environment,
    settings: &[Setting],
    limit: u64,
) -> gix::sec::trust::Mapping<gix::open::Options> {
    let safe = settings.iter().filter(|setting| setting.key() == "safe.directory");
    let safe: Vec<BString> = safe.filter_map(|setting| setting.value.clone()).collect();
    let options = |trust| {
        let mut permissions = gix::open::Permissions::default_for_level(trust);
        permissions.config.env = false;
        if environment == Environment::Ignored {
            permissions.env.git_prefix = gix::sec::Permission::Deny;
        }
        gix::open::Options::default_for_level(trust)
            .bail_if_untrusted(true)
            .permissions(permissions)
            .cli_overrides(safe.iter().map(|value| format!("safe.directory={value}")))
            .config_overrides([format!("gitoxide.objects.allocLimit={limit}")])
    };
    use gix::sec::trust::DefaultForLevel;
    gix::sec::trust::Mapping {
        full: options(gix::sec::Trust::Full),
        reduced: options(gix::sec::Trust::Reduced),
    }
}

fn variable(name: &str) -> Option<BString> {
    std::env::var_os(name).map(|value| value.into_encoded_bytes().into())
}

/// Puts the configuration of the environment above that of the files.
fn add_configuration(repo: &mut gix::Repository, settings: &[Setting]) -> Result<()> {
    let failed = |error| Error::internal("cannot add the configuration of the environment", error);
    if !settings.is_empty() {
        let file = config_env::file(settings, repo.git_dir())?;
        let mut config = repo.config_snapshot_mut();
        config.append(file).map_err(failed)?;
        config.commit().map_err(failed)?;
    }
    // git takes a `core.eol` that it does not know for none, and the object library refuses to convert anything.
    let eol = repo.config_snapshot().string("core.eol");
    let is_known =
        |eol: &BString| [&b"lf"[..], b"crlf", b"native"].iter().any(|one| eol.eq_ignore_ascii_case(one));
    if eol.is_some_and(|eol| !is_known(&eol)) {
        let mut config = repo.config_snapshot_mut();
        config.append_config(["core.eol=native"], gix::config::Source::Api).map_err(failed)?;
        config.commit().map_err(failed)?;
    }
    Ok(())
}

fn open_error(folder: &Path, error: gix::Error, environment: Environment) -> Error {
    let text = error.to_string();
    if error.classify().has(gix::error::Class::PermissionDenied) {
        return RepositoryError::NotOwned { path: folder.to_owned() }.into();
    }
    if let Some(explained) = config_check::explain(git_dir_of(folder, environment).as_deref()) {
        return explained;
    }
    if error.is_unsupported() {
        return RepositoryError::Unsupported { what: text, why: "this format is not known here".into() }
            .into();
    }
    if text.contains("onfiguration") {
        let why = causes(&error);
        return RepositoryError::Unsupported { what: "the configuration of the repository".into(), why }
            .into();
    }
    if error.is_not_found() || text.contains("not a git repository") || text.contains("Could not find") {
        return RepositoryError::NotARepository { path: folder.to_owned() }.into();
    }
    Error::internal(format!("cannot open the repository at {}", folder.display()), error)
}

/// Refuses a repository that was found by its folder and whose configuration puts the work tree elsewhere: who hands over
/// such a folder chooses what is written to. A user who means it sets `GIT_DIR` or `GIT_WORK_TREE`.
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
        Ok(whole) if found_at != Some(&whole) => {
            Err(RepositoryError::WorkTreeElsewhere { work_tree: whole }.into())
        }
        _ => Ok(()),
    }
}

/// The git directory that would have been opened.
fn git_dir_of(folder: &Path, environment: Environment) -> Option<PathBuf> {
    match std::env::var_os("GIT_DIR").filter(|_| environment == Environment::Honoured) {
        Some(named) => Some(folder.join(named)),
        None => Some(gix::discover::upwards(folder).ok()?.0.into_repository_and_work_tree_directories().0),
    }
}

/// The error and what caused it, in one line.
fn causes(error: &gix::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text.push_str(&format!(": {inner}"));
        cause = inner.source();
    }
    text
}

#[cfg(all(test, unix))]
mod tests {
    use test_kit::Sandbox;

    use super::*;

    /// The path as it is spelled from the present folder.
    fn relative(path: &Path) -> PathBuf {
        let here = std::env::current_dir().expect("there is a folder");
        let up: PathBuf = here.components().skip(1).map(|_| "..").collect();
        up.join(path.strip_prefix("/").expect("it is absolute"))
    }

    #[test]
    fn a_repository_is_found_by_every_spelling_of_its_folder() {
        let sandbox = Sandbox::new();
        sandbox.commit("one", &[("d/f", "1\n")]);
        sandbox.git(&["clone", "-q", "--bare", ".", "../x.git"]);
        let bare = sandbox.path().with_file_name("x.git");
        for (folder, is_bare) in [(sandbox.path().join("d"), false), (bare, true)] {
            for spelled in [folder.clone(), relative(&folder)] {
                let found = Repo::discover(&spelled).map(|repo| repo.work_dir().is_none());
                assert_eq!(found.expect("it is there"), is_bare, "{}", spelled.display());
            }
        }
        let refused = Repo::discover(relative(&sandbox.path().with_file_name("y.git")));
        assert_eq!(refused.err().map(|error| error.code()), Some("not-a-repository"));
    }
}
