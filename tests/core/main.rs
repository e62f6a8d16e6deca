//! The library as a caller meets it: most answers are compared with git's.

mod bisect;
mod cancel;
mod history;
mod history_oracle;
mod history_random;
mod import;
mod merge_hostile;
mod merge_text;
mod merge_trees;
mod patch_oracle;
mod plan_walk;
mod procedure_builtin;
mod procedure_checks;
mod procedure_format;
mod procedure_run;
mod procedure_triggers;
mod process;
mod properties;
mod revision;

/// The repository, with merges like those of the git that the tests compare with.
#[expect(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]
fn opened(repo: &test_kit::Sandbox) -> rollback_core::Repo {
    rollback_core::Repo::discover(repo.path()).unwrap().with_installed_git(installed_git)
}

/// The release of the git that the tests compare with.
fn installed_git() -> Option<rollback_core::repo::GitRelease> {
    let runner = rollback_core::process::SystemRunner;
    let version = rollback_core::process::installed_version(&runner, std::path::Path::new("."))?;
    rollback_core::repo::GitRelease::parse(&version)
}
