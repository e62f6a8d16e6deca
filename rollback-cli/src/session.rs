//! What a command works with: the repository, the streams, the variables.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rollback_core::Repo;
use rollback_core::process::{SystemFetcher, SystemMergeDrivers, SystemRunner, installed_version};
use rollback_core::repo::GitRelease;

use crate::console::Console;
use crate::environment::Environment;
use crate::exit::Exit;
use crate::failure::{Failure, Problem};
use crate::fetching::{Fetching, TellingFetcher};
use crate::hint::Situation;
use crate::invocation::Invocation;
use crate::render::{Look, json};
use crate::trusted;

/// What a command needs beside its own arguments.
pub(crate) struct Session {
    /// What was typed.
    pub(crate) invocation: Invocation,
    /// Where text goes.
    pub(crate) console: Console,
    /// The folder the command works in.
    pub(crate) folder: PathBuf,
    /// Whether `GIT_DIR` and its kin count.
    pub(crate) with_git_environment: bool,
    /// Whether objects that a partial clone left out may be fetched.
    pub(crate) fetching: Fetching,
    pub(crate) environment: Environment,
    /// Runs another command as a part of this one.
    pub(crate) nested: Nested,
    /// The repository, once it was asked for.
    pub(crate) repo: Option<Repo>,
}

/// Runs a command inside a folder, whatever the environment says, and returns what it wrote and its exit code.
pub(crate) type Nested = fn(&[OsString], &Path, Environment, Look) -> (String, Exit);

impl Session {
    /// The folder the command works in.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The variables that programs get and procedures read.
    pub(crate) fn environment(&self) -> &Environment {
        &self.environment
    }

    /// The repository the command works in.
    pub(crate) fn repo(&mut self) -> Result<Repo, Problem> {
        if let Some(repo) = &self.repo {
            return Ok(repo.clone());
        }
        if !self.folder.is_dir() {
            let message = format!("there is no folder {}", self.folder.display());
            return Err(Failure::new(Exit::Refused, "no-such-folder", message).into());
        }
        let repo = if self.with_git_environment {
            Repo::discover_with_environment(&self.folder)?
        } else {
            Repo::discover(&self.folder)?
        };
        if let Some(value) = repo.config_string("color.ui") {
            self.console.color_ui(&value);
        }
        let repo = trusted::as_trusted(repo)?;
        let drivers = SystemMergeDrivers::new(Arc::new(SystemRunner), repo.program_timeout()?);
        let mut repo = following_installed_git(repo).with_merge_drivers(Arc::new(drivers));
        if self.console.draws_progress() {
            repo = repo.with_progress(Arc::new(self.console.status().clone()));
        }
        if let Fetching::Allowed { quiet } = self.fetching {
            let fetcher = TellingFetcher::new(SystemFetcher::new(repo.program_timeout()?), quiet);
            repo = repo.with_fetcher(Arc::new(fetcher));
        }
        self.repo = Some(repo.clone());
        Ok(repo)
    }

    /// The failure to report for a problem, with what to type next.
    pub(crate) fn failure(&self, problem: Problem) -> Failure {
        problem.into_failure(&Situation {
            invocation: &self.invocation,
            folder: &self.folder,
            repo: self.repo.as_ref(),
        })
    }

    /// Writes what the problem is; the exit code for it.
    pub(crate) fn report(&mut self, problem: Problem) -> Exit {
        let failure = self.failure(problem);
        report(&mut self.console, &failure);
        failure.exit()
    }
}

/// Writes a failure, for programs and for people.
pub(crate) fn report(console: &mut Console, failure: &Failure) {
    if console.json() {
        console.print(&json::document(&failure.document()));
    }
    console.complain(&failure.text(console.look().verbose));
}

/// The repository, whose merges are those of the installed git; it is started only where releases differ.
pub(crate) fn following_installed_git(repo: Repo) -> Repo {
    let folder = repo.git_dir().to_owned();
    repo.with_installed_git(move || GitRelease::parse(&installed_version(&SystemRunner, &folder)?))
}
