//! Letting the result of an operation leave this machine: a push that is never forced, and a pull request for it.
//!
//! The result has landed before, and stays whatever becomes of this. What leaves is the commit of the operation and what
//! it stands on; commits that the remote lacks and the operation did not make need a permission. The remote is asked by
//! the installed git and the forge by the installed `gh` or `glab`, through the [`Runner`] that is given.
//!
//! ```
//! # let folder = tempfile::tempdir()?;
//! # let repo = rollback_core::guide::sample(folder.path().join("r"))?;
//! use rollback_core::oplog::OperationRef;
//! use rollback_core::process::{SystemRunner, push::Remote};
//! use rollback_core::publish::{Programs, PublishRequest};
//! use rollback_core::receipt::RefusalKind;
//! use rollback_core::{ApplyOptions, PlanOptions, Target};
//!
//! let plan = repo.plan(&Target::paths(["app.py"]), &PlanOptions::default())?;
//! repo.apply(plan, &ApplyOptions::default())?;
//! let request = PublishRequest::to(Remote::parse("file:///nowhere.git")?);
//! let variable = |name: &str| std::env::var(name).ok();
//! let published = repo.publish(&OperationRef::Last, &request, &Programs::new(&SystemRunner, &variable))?;
//! assert_eq!(published.refusal.map(|refusal| refusal.kind), Some(RefusalKind::Unreachable));
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

mod pull_request;
mod push;

pub use push::branch_beside;

use std::sync::Arc;
use std::time::Duration;

use crate::cancel::Cancel;
use crate::error::{OperationError, Result};
use crate::oplog::OperationRef;
use crate::process::forge::FORGE_SECRETS;
use crate::process::push::{PushOptions, Remote};
use crate::process::{Redactor, Runner};
use crate::receipt::{PublishState, Published};
use crate::repo::Repo;

/// How long a program may take, unless the caller says otherwise.
const PATIENCE: Duration = Duration::from_secs(600);

/// What is to leave this machine, and where to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PublishRequest {
    /// The remote.
    pub remote: Remote,
    /// The branch of the remote; the operation's own name of it where absent, and a new one for a pull request that
    /// would otherwise be from a branch to itself.
    pub branch: Option<String>,
    /// Lets commits leave that the operation did not make.
    pub with_others: bool,
    /// The pull request to open once it is pushed.
    pub pull_request: Option<PullRequestText>,
}

impl PublishRequest {
    /// A push of the operation's branch, and nothing more.
    pub fn to(remote: Remote) -> Self {
        Self { remote, branch: None, with_others: false, pull_request: None }
    }
}

/// The words of a pull request.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct PullRequestText {
    /// Its title.
    pub title: String,
    /// Its description, in Markdown.
    pub body: String,
    /// Whether it is not to be merged yet.
    pub draft: bool,
}

impl PullRequestText {
    /// A title and a description in Markdown.
    pub fn new(title: impl Into<String>, body: impl Into<String>) -> Self {
        Self { title: title.into(), body: body.into(), draft: false }
    }
}

/// Who starts the programs, with what and for how long.
#[derive(Clone)]
#[non_exhaustive]
pub struct Programs<'a> {
    /// Starts them.
    pub runner: &'a dyn Runner,
    /// The variables of the environment.
    pub environment: &'a dyn Fn(&str) -> Option<String>,
    /// After what time each is stopped.
    pub timeout: Duration,
    /// Stops them.
    pub cancel: Cancel,
}

impl<'a> Programs<'a> {
    /// Programs that may take ten minutes each.
    pub fn new(runner: &'a dyn Runner, environment: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { runner, environment, timeout: PATIENCE, cancel: Cancel::default() }
    }

    fn options(&self) -> PushOptions<'a> {
        let secrets = FORGE_SECRETS.iter().filter_map(|name| Some((*name, (self.environment)(name)?)));
        PushOptions {
            environment: self.environment,
            secrets: &[],
            redactor: Arc::new(Redactor::new(secrets)),
            timeout: self.timeout,
        }
    }
}

impl Repo {
    /// The remote to push to: the one named, else what `branch.<name>.pushRemote`, `remote.pushDefault` and
    /// `branch.<name>.remote` say of these branches, else the only one, else `origin`.
    ///
    /// # Errors
    /// [`OperationError::NoRemote`].
    pub fn remote_to_push_to(&self, named: Option<&Remote>, branches: &[&str]) -> Result<Remote> {
        let remotes = self.remote_names();
        if let Some(remote) = named {
            return match remote.is_name() && !self.has_remote(remote.as_str()) {
                true => Err(OperationError::NoRemote { named: Some(remote.to_string()), remotes }.into()),
                false => Ok(remote.clone()),
            };
        }
        let of_branches =
            |key: &'static str| branches.iter().map(move |branch| format!("branch.{branch}.{key}"));
        let keys = of_branches("pushRemote")
            .chain(std::iter::once("remote.pushDefault".to_owned()))
            .chain(of_branches("remote"));
        let configured = keys.filter_map(|key| self.config_string(&key)).find(|name| name != ".");
        let only = || (remotes.len() == 1).then(|| remotes[0].clone());
        let origin = || remotes.iter().find(|name| *name == "origin").cloned();
        let found = configured.or_else(only).or_else(origin);
        match found.as_deref().map(Remote::parse) {
            Some(Ok(remote)) => Ok(remote),
            Some(Err(_)) => Err(OperationError::NoRemote { named: found, remotes }.into()),
            None => Err(OperationError::NoRemote { named: None, remotes }.into()),
        }
    }

    /// What publishing an operation would let leave this machine. Asks the remote what it has; changes nothing.
    ///
    /// # Errors
    /// As [`Repo::publish`].
    pub fn check_publish(
        &self,
        which: &OperationRef,
        request: &PublishRequest,
        programs: &Programs<'_>,
    ) -> Result<Published> {
        Ok(self.departure(which, request, programs)?.published)
    }

    /// Pushes the result of an operation, never by force, and opens a pull request for it where one is asked for. What
    /// the remote or the forge refuses is a part of the answer and no error; the result stays as it is.
    ///
    /// # Writes
    /// The remote, by the installed git, which moves the remote-tracking reference too; the record of the operation.
    ///
    /// # Errors
    /// [`OperationError::Unknown`]; [`OperationError::NothingToPush`] where it moved no branch, or where the branch does
    /// not have the result any more; those of reading commits.
    pub fn publish(
        &self,
        which: &OperationRef,
        request: &PublishRequest,
        programs: &Programs<'_>,
    ) -> Result<Published> {
        let departure = self.departure(which, request, programs)?;
        let mut published = departure.published;
        if published.state == PublishState::WouldPush {
            self.push(&mut published, request, programs);
        }
        if let (Some(text), PublishState::Pushed | PublishState::UpToDate) =
            (&request.pull_request, published.state)
        {
            let request = (request, text);
            published.pull_request =
                Some(self.open_pull_request(&published, departure.base.as_deref(), request, programs));
        }
        self.note_published(&departure.operation_id, &published)?;
        Ok(published)
    }
}
