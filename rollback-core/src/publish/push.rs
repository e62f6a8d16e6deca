//! The push: what would leave, what forbids it, and letting it leave.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;

use super::{Programs, PublishRequest};
use crate::error::{OperationError, Result};
use crate::id::CommitId;
use crate::oplog::{Operation, OperationRef};
use crate::plan::PlanOptions;
use crate::process::push::{
    PushAnswer, advertised, list_command, porcelain_push_command, pushed, remote_words,
};
use crate::process::{Command, Ended, Output, StartError};
use crate::receipt::{PublishRefusal, PublishState, Published, Receipt, RefusalKind};
use crate::repo::Repo;

/// The most lines of a remote that are kept.
const SAID: usize = 20;

/// What is to be pushed, after the remote was asked what it has.
pub(super) struct Departure {
    pub(super) operation_id: String,
    /// The branch that a pull request is for, where it is known.
    pub(super) base: Option<String>,
    pub(super) published: Published,
}

impl Repo {
    pub(super) fn departure(
        &self,
        which: &OperationRef,
        request: &PublishRequest,
        programs: &Programs<'_>,
    ) -> Result<Departure> {
        let (operation, receipt) = self.operation_with_receipt(which)?;
        let commit_id = self.result_to_push(&operation)?;
        let asked = self.advertised(request, programs);
        let heads = asked.as_ref().ok();
        let base = self.base_of(&operation, receipt.as_ref(), request.remote.as_str());
        let base = base.filter(|base| heads.is_none_or(|heads| heads.contains_key(&branch_reference(base))));
        let reference = branch_to_push(&operation, request, base.as_deref(), heads)?;
        let mut published = Published {
            time: Timestamp::now().as_second(),
            remote: programs.options().redactor.redact_str(request.remote.as_str()),
            reference,
            commit_id,
            state: PublishState::WouldPush,
            commit_ids: Vec::new(),
            others: Vec::new(),
            refusal: None,
            pull_request: None,
        };
        match asked {
            Ok(heads) => {
                self.compare_with_remote(&mut published, &operation, (&heads, request.with_others))?
            }
            Err(refusal) => refuse(&mut published, refusal),
        }
        Ok(Departure { operation_id: operation.operation_id, base, published })
    }

    /// The commit that an operation left, which its branch must have still.
    fn result_to_push(&self, operation: &Operation) -> Result<CommitId> {
        let nothing =
            |why: String| OperationError::NothingToPush { operation: operation.operation_id.clone(), why };
        let reference = operation.reference.to_string();
        let Some(commit) = operation.after.filter(|_| !operation.staged) else {
            let why = if operation.staged { "it made no commit" } else { "it removed the branch" };
            return Err(nothing(why.to_owned()).into());
        };
        let tip = self.resolve_commit(&reference).ok();
        let has = tip.map(|tip| self.commits_beyond(&[commit], &[tip])).transpose()?;
        match has.is_some_and(|beyond| beyond.is_empty()) {
            true => Ok(commit),
            false => {
                let short = self.abbreviation(commit);
                let branch = reference.strip_prefix("refs/heads/").unwrap_or(&reference);
                Err(nothing(format!("{branch} does not have its result {short} any more")).into())
            }
        }
    }

    /// The branch that the result is for: where its plan was made, as the upstream calls it.
    fn base_of(&self, operation: &Operation, receipt: Option<&Receipt>, remote: &str) -> Option<String> {
        let here = || self.plan_tip(&PlanOptions::default()).ok().map(|tip| tip.reference);
        let own = operation.before.map(|_| operation.reference.to_string());
        let planned = receipt.map(|receipt| receipt.plan.tip.reference.clone());
        let reference = planned.or(own).or_else(here)?;
        if let Some(branch) = reference.strip_prefix(&format!("refs/remotes/{remote}/")) {
            return Some(branch.to_owned());
        }
        let branch = reference.strip_prefix("refs/heads/")?;
        let config = |key: &str| self.config_string(&format!("branch.{branch}.{key}"));
        let upstream = config("merge").filter(|_| config("remote").as_deref() == Some(remote));
        let upstream = upstream.and_then(|name| name.strip_prefix("refs/heads/").map(ToOwned::to_owned));
        Some(upstream.unwrap_or_else(|| branch.to_owned()))
    }

    /// Says what would leave, and what forbids it.
    fn compare_with_remote(
        &self,
        published: &mut Published,
        operation: &Operation,
        (heads, with_others): (&BTreeMap<String, CommitId>, bool),
    ) -> Result<()> {
        let commit = published.commit_id;
        let is_here = |id: &CommitId| self.commit_summary(*id).is_ok();
        let known: Vec<CommitId> = match heads.get(&published.reference) {
            Some(theirs) if !is_here(theirs) => {
                let why = format!("{} has commits there that are not here", published.branch());
                refuse(published, PublishRefusal::new(RefusalKind::Moved, why));
                return Ok(());
            }
            Some(theirs) if self.commits_beyond(&[commit], &[*theirs])?.is_empty() => {
                published.state = PublishState::UpToDate;
                return Ok(());
            }
            Some(theirs) if !self.commits_beyond(&[*theirs], &[commit])?.is_empty() => {
                let why = format!("{} has commits there that the result lacks", published.branch());
                refuse(published, PublishRefusal::new(RefusalKind::Moved, why));
                return Ok(());
            }
            Some(theirs) => vec![*theirs],
            None => {
                // What was fetched of it left there before, even where the remote has gone on.
                let below = format!("refs/remotes/{}/", published.remote);
                let fetched = self.remote_tips()?.into_iter().filter(|(name, _)| name.starts_with(&below));
                heads.values().copied().filter(is_here).chain(fetched.map(|(_, tip)| tip)).collect()
            }
        };
        let own = match operation.before {
            Some(before) => self.commits_beyond(&[commit], &[before])?,
            None => operation.commit_ids.clone(),
        };
        let leaving = self.commits_beyond(&[commit], &known)?;
        (published.commit_ids, published.others) = leaving.into_iter().partition(|id| own.contains(id));
        if !published.others.is_empty() && !with_others {
            let why = match published.others.len() {
                1 => "1 commit that rb did not make would leave too".to_owned(),
                number => format!("{number} commits that rb did not make would leave too"),
            };
            refuse(published, PublishRefusal::new(RefusalKind::Others, why));
        }
        Ok(())
    }

    /// The branches that the remote has.
    fn advertised(
        &self,
        request: &PublishRequest,
        programs: &Programs<'_>,
    ) -> Result<BTreeMap<String, CommitId>, PublishRefusal> {
        let command = list_command(&self.place(), &request.remote, &programs.options());
        let unreachable = |why| PublishRefusal::new(RefusalKind::Unreachable, why);
        match self.run_git(command, programs) {
            Ok(output) if output.ended.is_success() => Ok(advertised(output.stdout.as_bytes())),
            Ok(output) => Err(unreachable(why_failed(&output))),
            Err(error) => Err(unreachable(error.to_string())),
        }
    }

    /// Pushes, and says what the remote did.
    pub(super) fn push(&self, published: &mut Published, request: &PublishRequest, programs: &Programs<'_>) {
        let what = (published.commit_id, published.reference.as_str());
        let command = porcelain_push_command(&self.place(), &request.remote, what, &programs.options());
        let output = match self.run_git(command, programs) {
            Ok(output) => output,
            Err(error) => {
                refuse(published, PublishRefusal::new(RefusalKind::Unreachable, error.to_string()));
                return;
            }
        };
        let (kind, why) = match pushed(output.stdout.as_bytes()) {
            PushAnswer::Accepted if output.ended.is_success() => {
                published.state = PublishState::Pushed;
                return;
            }
            PushAnswer::Moved(_) => (
                RefusalKind::Moved,
                format!("{} has commits there that the result lacks", published.branch()),
            ),
            PushAnswer::Declined(why) => (RefusalKind::Declined, why),
            _ => (RefusalKind::Unreachable, why_failed(&output)),
        };
        let mut refusal = PublishRefusal::new(kind, why);
        refusal.remote_says = remote_words(&output.stderr.to_str_lossy());
        refusal.remote_says.truncate(SAID);
        refuse(published, refusal);
    }

    /// Where the programs run.
    pub(super) fn place(&self) -> PathBuf {
        self.work_dir().unwrap_or_else(|| self.git_dir()).to_owned()
    }

    fn run_git(&self, command: Command, programs: &Programs<'_>) -> Result<Output, StartError> {
        // The environment can name another repository than the folder.
        let command = match self.git_dir().to_str() {
            Some(folder) => command.env("GIT_DIR", folder),
            None => command,
        };
        programs.runner.run(&command.cancel(programs.cancel.clone()), &mut ())
    }
}

impl PublishRefusal {
    fn new(kind: RefusalKind, why: String) -> Self {
        Self { kind, why, remote_says: Vec::new() }
    }
}

fn refuse(published: &mut Published, refusal: PublishRefusal) {
    published.state = PublishState::NotPushed;
    published.refusal = Some(refusal);
}

/// The reference of the remote that is to name the result.
fn branch_to_push(
    operation: &Operation,
    request: &PublishRequest,
    base: Option<&str>,
    heads: Option<&BTreeMap<String, CommitId>>,
) -> Result<String> {
    let reference = operation.reference.to_string();
    let own = reference.strip_prefix("refs/heads/");
    let branch = match (&request.branch, own, &request.pull_request) {
        (Some(branch), _, _) => branch.clone(),
        (None, Some(own), None) => own.to_owned(),
        (None, Some(own), Some(_)) if base.is_some_and(|base| base != own) => own.to_owned(),
        (None, _, Some(_)) => branch_beside(&operation.operation_id, |name| {
            heads.is_some_and(|heads| heads.contains_key(&branch_reference(name)))
        }),
        (None, None, None) => {
            let why = format!("{reference} is no branch; name one for the remote");
            let operation = operation.operation_id.clone();
            return Err(OperationError::NothingToPush { operation, why }.into());
        }
    };
    Ok(branch_reference(&branch))
}

/// The name of a branch for the result of an operation, beside the one that it is for. `is_taken` says whether the remote
/// has a branch.
pub fn branch_beside(operation_id: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let short = &operation_id[..operation_id.len().min(8)];
    // A branch and a folder of branches cannot have one name.
    match is_taken("rollback") {
        true => format!("rollback-{short}"),
        false => format!("rollback/{short}"),
    }
}

fn branch_reference(branch: &str) -> String {
    format!("refs/heads/{branch}")
}

/// Why a program that ended did not do it.
pub(super) fn why_failed(output: &Output) -> String {
    match output.ended {
        Ended::TimedOut => "it took too long and was stopped (rb.programTimeout)".to_owned(),
        Ended::Cancelled => "a signal stopped it".to_owned(),
        _ => {
            let text = output.stderr.to_str_lossy();
            let telling = |line: &&str| line.starts_with("fatal: ") || line.starts_with("error: ");
            let line = text
                .lines()
                .find(telling)
                .or_else(|| text.lines().rev().find(|line| !line.trim().is_empty()));
            let line = line.unwrap_or("nothing was said").trim();
            line.trim_start_matches("fatal: ").trim_start_matches("error: ").to_owned()
        }
    }
}
