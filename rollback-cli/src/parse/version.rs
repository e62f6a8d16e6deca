//! `rb --version`, and with `-v` what it was built of and which git it follows.

use std::path::Path;

use rollback_core::process::{SystemRunner, installed_version};
use rollback_core::repo::GitRelease;

/// What it was built of: the commit, where the build was told it, and the version of the object library.
const BUILT_OF: &str = env!("RB_BUILT_OF");

/// The lines behind the version.
pub(super) fn details() -> String {
    let newest = GitRelease::NEWEST;
    let installed = installed_version(&SystemRunner, Path::new("."));
    let release = installed.as_deref().and_then(GitRelease::parse);
    let git = match (installed, release) {
        (Some(version), Some(release)) if release <= newest => {
            format!("follows git {release}: {version} is installed (rb.gitVersion names another)")
        }
        (Some(version), _) => {
            format!("follows git {newest}, the newest it knows: {version} is installed")
        }
        (None, _) => format!("follows git {newest}, the newest it knows: none is installed"),
    };
    format!("built of {BUILT_OF}\n{git}\n")
}
