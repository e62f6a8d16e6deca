//! What leaves this machine once it has landed: `--push`, `--pr`, and `rb publish OP`.

use rollback_core::oplog::OperationRef;
use rollback_core::process::SystemRunner;
use rollback_core::process::push::Remote;
use rollback_core::publish::{Programs, PublishRequest, PullRequestText, branch_beside};
use rollback_core::receipt::{PublishState, Published, RefusalKind};
use rollback_core::{PlanOptions, Repo, RepoPath};

use super::Outcome;
use crate::args::{Publish, Push};
use crate::command_line::CommandLine;
use crate::exit::Exit;
use crate::failure::{Failure, Problem};
use crate::hint::Hint;
use crate::progress;
use crate::render::{json, published as render, pull_request};
use crate::session::Session;
use crate::signals;

/// A push that was asked for.
#[derive(Clone, Debug)]
pub(super) struct Pushing {
    remote: Remote,
    /// The branch of the remote; the operation's own where absent.
    branch: Option<String>,
    pr: bool,
    with_others: bool,
}

impl Pushing {
    /// What is said of it before anything has landed.
    pub(super) fn foreseen(&self) -> String {
        let branch = self.branch.as_ref().map(|branch| format!(", branch {branch}")).unwrap_or_default();
        let request = if self.pr { ", and a pull request opened" } else { "" };
        format!("It would then be pushed to {}{branch}{request}.\n", self.remote)
    }
}

/// What the arguments ask for, refused before anything lands where there is no remote or no branch for it.
pub(super) fn prepare(
    args: &Push,
    branch: Option<&str>,
    session: &mut Session,
) -> Result<Option<Pushing>, Problem> {
    if !args.is_asked_for() {
        return Ok(None);
    }
    let repo = session.repo()?;
    let here = repo.plan_tip(&PlanOptions::default())?.reference;
    let here = here.strip_prefix("refs/heads/");
    if here.is_none() && branch.is_none() && !args.pr {
        return Err(Failure::usage("HEAD is on no branch, so that there is none to push to")
            .with_hint(Hint::new(
                "name one for the result with",
                session.invocation.with(&["--branch", "rollback"]),
            ))
            .into());
    }
    let branches: Vec<&str> = branch.into_iter().chain(here).collect();
    let remote = repo.remote_to_push_to(args.remote(), &branches)?;
    Ok(Some(Pushing { remote, branch: None, pr: args.pr, with_others: args.with_others }))
}

/// Pushes what has landed; what became of it, and what is to be reported of it.
pub(super) fn after_landing(
    pushing: &Pushing,
    operation: &str,
    conflicts: &[RepoPath],
    session: &mut Session,
) -> (Option<Published>, Option<Failure>) {
    let which = OperationRef::Id(operation.to_owned());
    match push(pushing, &which, conflicts, session) {
        Ok(published) => {
            let failure = failure_of(&published, operation, pushing, session);
            (Some(published), failure)
        }
        Err(problem) => (None, Some(session.failure(problem).after_landing())),
    }
}

/// The hint that pushes later what is not pushed now.
pub(super) fn later(pushing: &Pushing, operation: &str, session: &Session) -> String {
    let command = command(pushing, operation, pushing.branch.as_deref(), &[], session);
    format!("note: it was not pushed; push it with: {command}\n")
}

fn push(
    pushing: &Pushing,
    which: &OperationRef,
    conflicts: &[RepoPath],
    session: &mut Session,
) -> Result<Published, Problem> {
    let repo = session.repo()?;
    let request = request(pushing, which, conflicts, &repo)?;
    with_programs(session, &repo, |programs| repo.publish(which, &request, programs))
}

fn with_programs(
    session: &Session,
    repo: &Repo,
    work: impl FnOnce(&Programs<'_>) -> Result<Published, rollback_core::Error>,
) -> Result<Published, Problem> {
    let stopping = signals::Stopping::begin();
    let environment = session.environment().clone();
    let variable = |name: &str| environment.variable(name);
    let mut programs = Programs::new(&SystemRunner, &variable);
    programs.timeout = repo.program_timeout()?;
    programs.cancel = stopping.token();
    Ok(progress::during(&session.console, "pushing", || work(&programs))?)
}

fn request(
    pushing: &Pushing,
    which: &OperationRef,
    conflicts: &[RepoPath],
    repo: &Repo,
) -> Result<PublishRequest, Problem> {
    let mut request = PublishRequest::to(pushing.remote.clone());
    request.branch.clone_from(&pushing.branch);
    request.with_others = pushing.with_others;
    if pushing.pr {
        let (operation, receipt) = repo.operation_with_receipt(which)?;
        let report = repo.report_of_operation(which)?;
        let words = pull_request::words(&report, &operation, receipt.as_ref(), conflicts, repo);
        let mut text = PullRequestText::new(words.title, words.body);
        text.draft = !conflicts.is_empty();
        request.pull_request = Some(text);
    }
    Ok(request)
}

/// What is to be reported of a push that did not do all that was asked for, and what to type next.
fn failure_of(
    published: &Published,
    operation: &str,
    pushing: &Pushing,
    session: &Session,
) -> Option<Failure> {
    if published.is_complete() {
        return None;
    }
    let (branch, remote) = (published.branch(), &published.remote);
    let again = |branch: Option<&str>, flags: &[&str]| command(pushing, operation, branch, flags, session);
    let Some(refusal) = &published.refusal else {
        let why = published.pull_request.as_ref().and_then(|request| request.failure.clone());
        let message =
            format!("{branch} is pushed, but no pull request was opened: {}", why.unwrap_or_default());
        let failure = Failure::new(Exit::LandedWithFailure, "no-pull-request", message);
        return Some(
            failure.with_hint(Hint::new("once that is mended, open it with", again(Some(branch), &[]))),
        );
    };
    let message = format!("it has landed, but was not pushed to {remote} {branch}: {}", refusal.why);
    let beside = branch_beside(operation, |_| false);
    let hint = match refusal.kind {
        RefusalKind::Others => {
            Hint::new("see what would leave with", again(pushing.branch.as_deref(), &["--dry-run"]))
        }
        RefusalKind::Moved | RefusalKind::Declined if branch != beside => {
            Hint::new("push it to a branch of its own with", again(Some(&beside), &[]))
        }
        _ => Hint::new("the result stays; try again with", again(pushing.branch.as_deref(), &[])),
    };
    Some(Failure::new(Exit::LandedWithFailure, "not-pushed", message).with_hint(hint))
}

fn command(
    pushing: &Pushing,
    operation: &str,
    branch: Option<&str>,
    flags: &[&str],
    session: &Session,
) -> CommandLine {
    let push = format!("--push={}", pushing.remote);
    let mut words = vec!["publish", operation, &push];
    words.extend(branch.into_iter().flat_map(|branch| ["--branch", branch]));
    words.extend(pushing.pr.then_some("--pr"));
    words.extend(pushing.with_others.then_some("--with-others"));
    words.extend(flags);
    session.invocation.command(&words)
}

/// Runs `rb publish` for an operation that no procedure landed.
pub(super) fn publish(which: &OperationRef, args: &Publish, session: &mut Session) -> Outcome {
    let repo = session.repo()?;
    let (operation, _) = repo.operation_with_receipt(which)?;
    let id = operation.operation_id.clone();
    let which = &OperationRef::Id(id.clone());
    let reference = operation.reference.to_string();
    let branch = reference.strip_prefix("refs/heads/");
    let named = args.push.as_ref().and_then(Option::as_ref);
    let tip = repo.plan_tip(&PlanOptions::default())?.reference;
    let branches: Vec<&str> = branch.into_iter().chain(tip.strip_prefix("refs/heads/")).collect();
    let pushing = Pushing {
        remote: repo.remote_to_push_to(named, &branches)?,
        branch: args.branch.clone(),
        pr: args.pr,
        with_others: args.publishing.with_others,
    };
    // What was typed says what is to leave; a bare name of an operation does not say where to.
    let consented = args.yes || args.push.is_some() || args.pr;
    if args.dry_run || !consented {
        let asked = request(&pushing, which, &[], &repo)?;
        let published =
            with_programs(session, &repo, |programs| repo.check_publish(which, &asked, programs))?;
        if args.dry_run {
            return show(&published, &id, &pushing, &repo, session);
        }
        if published.state == PublishState::WouldPush && !confirmed(&published, &repo, session) {
            let failure = Failure::new(Exit::Consent, "publish-unconfirmed", "nothing was published");
            let again = session.invocation.with(&["--yes"]);
            return Err(failure.with_hint(Hint::new("if that is what should leave", again)).into());
        }
    }
    let published = push(&pushing, which, &[], session)?;
    let failure = failure_of(&published, &id, &pushing, session);
    tell(&published, failure.as_ref(), &repo, session);
    Ok(failure.map_or(Exit::Done, |failure| failure.exit()))
}

fn tell(published: &Published, failure: Option<&Failure>, repo: &Repo, session: &mut Session) {
    let look = session.console.look();
    match session.console.json() {
        true => session.console.print(&json::document_with(published, failure)),
        false => session.console.tell(&render::became(published, repo, look)),
    }
    if let Some(failure) = failure {
        session.console.complain(&failure.text(look.verbose));
    }
}

fn show(
    published: &Published,
    operation: &str,
    pushing: &Pushing,
    repo: &Repo,
    session: &mut Session,
) -> Outcome {
    let console = &mut session.console;
    if console.json() {
        console.print(&json::document(published));
        return Ok(Exit::Done);
    }
    let mut text = render::leaving(published, repo, console.look());
    let again = match &published.refusal {
        Some(refusal) if refusal.kind == RefusalKind::Others => {
            command(pushing, operation, pushing.branch.as_deref(), &["--with-others"], session)
        }
        Some(refusal) if matches!(refusal.kind, RefusalKind::Moved | RefusalKind::Declined) => {
            let beside = branch_beside(operation, |_| false);
            command(pushing, operation, Some(&beside), &[], session)
        }
        _ => command(pushing, operation, pushing.branch.as_deref(), &[], session),
    };
    text.push_str(&match published.state {
        PublishState::UpToDate => "Nothing would leave.\n".to_owned(),
        _ => format!("Nothing was published. next: {again}\n"),
    });
    session.console.tell(&text);
    Ok(Exit::Done)
}

fn confirmed(published: &Published, repo: &Repo, session: &mut Session) -> bool {
    if !session.console.can_ask() {
        return false;
    }
    let text = render::leaving(published, repo, session.console.look());
    session.console.complain(&format!("{text}Publish it? [y/N] "));
    session.console.read_yes()
}
