//! Conflicts that are left for a person, and `rb continue`, `rb skip`, `rb abort` and `rb quit`, which finish what rb or git
//! has begun.

use std::io::IsTerminal;
use std::path::Path;

use rollback_core::error::SequenceError;
use rollback_core::procedure::engine::runs;
use rollback_core::receipt::{OutcomeKind, Published};
use rollback_core::sequence::{
    SequenceContext, SequenceEvent, SequenceFront, SequenceReport, SequenceRequest, SequenceStatus,
    SignCommits, StrategyCall,
};
use rollback_core::{CommitId, Error, InProgress, Plan, Receipt, Repo};

use super::pushing::{self, Pushing};
use super::{Outcome, checks, land, running};
use crate::args::{Abort, Continue, LandingHere, OnConflict, Resume, Sequencer};
use crate::editor;
use crate::exit::Exit;
use crate::failure::{Failure, Problem};
use crate::hint::Hint;
use crate::render::stopped::{self, Stopped};
use crate::render::{Commits, json, published};
use crate::session::Session;
use crate::signals;

/// What is to become of a conflict: what was typed, else `rb.onConflict`.
pub(super) fn on_conflict(typed: Option<OnConflict>, repo: &Repo) -> Result<OnConflict, Problem> {
    let Some(configured) = repo.config_string(OnConflict::KEY).filter(|_| typed.is_none()) else {
        return Ok(typed.unwrap_or_default());
    };
    OnConflict::named(&configured).ok_or_else(|| {
        let why = format!("'{configured}' is neither 'refuse' nor 'stop'");
        Error::from(rollback_core::error::SettingError::Value { key: OnConflict::KEY.into(), why }).into()
    })
}

/// Goes as far as the conflict and leaves it for a person.
pub(super) fn stop(
    plan: Plan,
    mut request: SequenceRequest,
    (args, edit, pushing): (&LandingHere, bool, Option<Pushing>),
    session: &mut Session,
) -> Outcome {
    let repo = session.repo()?;
    let landing = signals::Landing::begin();
    let context = context(&repo, &landing, session)?;
    request.options.no_commit = args.no_commit;
    request.options.edit = edit.then_some(true);
    request.options.sign = match (args.gpg_sign, args.no_gpg_sign) {
        (true, _) => SignCommits::WithKey(String::new()),
        (_, true) => SignCommits::No,
        _ => SignCommits::AsConfigured,
    };
    let mut front = Front::new(&repo);
    let report = match &args.branch {
        Some(branch) => {
            let branch = branch.to_string_lossy().into_owned();
            repo.conflict_on_branch(&request, (plan.tip.commit_id, &branch), &context, &mut front)?
        }
        None if plan.request.options.onto.is_some() => {
            let message =
                "a conflict that is based on another revision is left on a branch of its own: name one";
            return Err(Failure::usage(message).with_hint(Hint::say("--branch NAME")).into());
        }
        None => repo.begin_sequence(&request, &context, &mut front)?,
    };
    drop(landing);
    let notes = front.notes;
    let mut receipt = Receipt::not_landed(plan);
    let outcome = &mut receipt.outcome;
    outcome.kind = OutcomeKind::LeftConflicted;
    outcome.commit_ids.clone_from(&report.commit_ids);
    outcome.operation_id.clone_from(&report.operation_id);
    outcome.reference = args.branch.as_ref().map(|name| format!("refs/heads/{}", name.to_string_lossy()));
    outcome.hooks.clone_from(&report.hooks);
    outcome.recovered.clone_from(&report.recovered);
    outcome.later_failure.clone_from(&report.later_failure);
    session.console.has_landed();
    // Markers leave only from a branch that was made for them.
    let operation = report.operation_id.as_deref().filter(|_| args.branch.is_some());
    let failure = pushing.zip(operation).and_then(|(pushing, operation)| {
        let paths: Vec<_> = report.conflicts.iter().map(|conflict| conflict.path.clone()).collect();
        let (published, failure) = pushing::after_landing(&pushing, operation, &paths, session);
        receipt.outcome.published = published;
        failure
    });
    if session.console.json() {
        session.console.print(&json::document_with(&receipt, failure.as_ref()));
    } else {
        let branch = receipt.outcome.reference.as_deref();
        tell(&Stopped { report: &report, branch, notes: &notes }, &repo, session);
        tell_published(receipt.outcome.published.as_ref(), &repo, session);
    }
    Ok(complain(failure, session).unwrap_or(Exit::Paused))
}

/// Runs `rb continue`.
pub(crate) fn go_on(args: Continue, session: &mut Session) -> Outcome {
    let repo = session.repo()?;
    if !is_meant(args.run.as_deref(), "continue", &repo, session)? {
        let args = Resume { run: args.run, ..Resume::default() };
        return running::resume::run(args, session);
    }
    if let Some(refusal) = checks::of_staged(&args.checks, session)? {
        return Ok(session.report(refusal.into()));
    }
    let edit = match (args.edit, args.no_edit) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    };
    let pushing = pushing::prepare(&args.push, None, session)?;
    work(session, pushing, |repo, context, front| repo.continue_sequence(None, edit, context, front))
}

/// Runs `rb skip`.
pub(crate) fn skip(session: &mut Session) -> Outcome {
    let repo = session.repo()?;
    is_meant(None, "skip", &repo, session)?;
    work(session, None, |repo, context, front| repo.skip_in_sequence(None, context, front))
}

/// Runs `rb abort`.
pub(crate) fn abort(args: &Abort, session: &mut Session) -> Outcome {
    let repo = session.repo()?;
    match is_meant(args.run.as_deref(), "abort", &repo, session)? {
        true => work(session, None, |repo, context, front| repo.abort_sequence(context, front)),
        false => running::abort::run(args, session),
    }
}

/// Runs `rb quit`.
pub(crate) fn quit(session: &mut Session) -> Outcome {
    let repo = session.repo()?;
    is_meant(None, "quit", &repo, session)?;
    work(session, None, |repo, _, _| match repo.operation_in_progress() {
        Some(InProgress::Pick | InProgress::Revert) => repo.quit_sequence(),
        _ => Err(SequenceError::NothingInProgress.into()),
    })
}

/// Does what `--continue`, `--abort`, `--skip` and `--quit` of `rb revert` and `rb pick` ask for; `None` where none was
/// given.
pub(super) fn answer(flags: &Sequencer, session: &mut Session) -> Option<Outcome> {
    if flags.go_on {
        Some(go_on(Continue::default(), session))
    } else if flags.abort {
        Some(abort(&Abort::default(), session))
    } else if flags.skip {
        Some(skip(session))
    } else if flags.quit {
        Some(quit(session))
    } else {
        None
    }
}

/// Whether a pick or revert is meant, and not a run of a procedure.
///
/// # Errors
/// Where git has another operation in progress, and where both wait and no run was named.
fn is_meant(
    run: Option<&str>,
    command: &'static str,
    repo: &Repo,
    session: &Session,
) -> Result<bool, Problem> {
    if run.is_some() {
        return Ok(false);
    }
    let open = runs(repo)?.into_iter().find(|run| run.status.is_open());
    let flag = format!("--{command}");
    match (repo.operation_in_progress(), open) {
        (Some(InProgress::Pick | InProgress::Revert), None) => Ok(true),
        (Some(InProgress::Pick | InProgress::Revert), Some(run)) => {
            let message = "two things wait here: a pick or revert, and a run of a procedure";
            let hint =
                Hint::new("name the run with", session.invocation.command(&[command, "--run", &run.id]));
            Err(Failure::usage(message).with_hint(hint).into())
        }
        (Some(other), None) => {
            let git = match other {
                InProgress::Merge => "merge",
                InProgress::Rebase => "rebase",
                _ => "am",
            };
            let message = format!("{} is in progress, which is git's to finish", other.describe());
            let hint = match (git, command) {
                ("merge", "skip") => {
                    Hint::new("see how to go on with it with", session.invocation.git(&["status"]))
                }
                _ => Hint::new("finish it with", session.invocation.git(&[git, &flag])),
            };
            Err(Failure::new(Exit::Refused, "operation-in-progress", message).with_hint(hint).into())
        }
        (_, Some(_)) => Ok(false),
        (None, None) => Err(Error::from(SequenceError::NothingInProgress).into()),
    }
}

/// Goes on with what is in progress, and says how it stands.
fn work(
    session: &mut Session,
    pushing: Option<Pushing>,
    deed: impl FnOnce(&Repo, &SequenceContext, &mut Front<'_>) -> Result<SequenceReport, Error>,
) -> Outcome {
    let repo = session.repo()?;
    let landing = signals::Landing::begin();
    let context = context(&repo, &landing, session)?;
    let mut front = Front::new(&repo);
    let mut report = deed(&repo, &context, &mut front)?;
    drop(landing);
    let notes = front.notes;
    session.console.has_landed();
    let operation = report.operation_id.clone().filter(|_| report.status == SequenceStatus::Done);
    let not_pushed = pushing.zip(operation).and_then(|(pushing, operation)| {
        if report.later_failure.is_some() {
            session.console.complain(&pushing::later(&pushing, &operation, session));
            return None;
        }
        let (published, failure) = pushing::after_landing(&pushing, &operation, &[], session);
        report.published = published;
        failure
    });
    if session.console.json() {
        session.console.print(&json::document_with(&report, not_pushed.as_ref()));
    } else {
        tell(&Stopped { report: &report, branch: None, notes: &notes }, &repo, session);
        tell_published(report.published.as_ref(), &repo, session);
    }
    if let Some(exit) = complain(not_pushed, session) {
        return Ok(exit);
    }
    if let Some(failure) = &report.later_failure {
        let failure = Failure::new(Exit::LandedWithFailure, "later-failure", failure.as_str());
        session.console.complain(&failure.text(session.console.look().verbose));
        return Ok(Exit::LandedWithFailure);
    }
    Ok(if report.is_stopped() { Exit::Paused } else { Exit::Done })
}

fn tell_published(published: Option<&Published>, repo: &Repo, session: &mut Session) {
    if let Some(published) = published {
        let text = published::became(published, repo, session.console.look());
        session.console.tell(&text);
    }
}

/// Says what failed after a result had landed; how the process ends then.
fn complain(failure: Option<Failure>, session: &mut Session) -> Option<Exit> {
    let failure = failure?;
    session.console.complain(&failure.text(session.console.look().verbose));
    Some(failure.exit())
}

fn tell(stopped: &Stopped<'_>, repo: &Repo, session: &mut Session) {
    let report = stopped.report;
    let named = report.commit_ids.iter().copied().chain(report.stopped_at);
    let commits = Commits::look_up(named, repo);
    let text = stopped::render(stopped, &commits, &session.invocation, session.console.look());
    session.console.tell(&text);
}

fn context(repo: &Repo, landing: &signals::Landing, session: &Session) -> Result<SequenceContext, Problem> {
    let mut context = SequenceContext::default();
    context.hooks = Some(land::hooks(repo, landing, session)?);
    context.reflog_action = session.environment().variable("GIT_REFLOG_ACTION");
    Ok(context)
}

/// Keeps what is worth telling, and starts the editor.
struct Front<'a> {
    repo: &'a Repo,
    notes: Vec<String>,
}

impl<'a> Front<'a> {
    fn new(repo: &'a Repo) -> Self {
        Self { repo, notes: Vec::new() }
    }
}

impl SequenceFront for Front<'_> {
    fn edit(&mut self, file: &Path) -> Result<(), String> {
        let edited = editor::edit_file(file, self.repo, std::io::stdin().is_terminal());
        edited.inspect_err(|why| self.notes.push(why.clone()))
    }

    fn merge_by_strategy(&mut self, _: &StrategyCall<'_>) -> Result<i32, String> {
        Err("it is a program of git's".into())
    }

    fn tell(&mut self, event: SequenceEvent<'_>) {
        match event {
            SequenceEvent::Rerere(event) => self.notes.push(stopped::rerere(event)),
            SequenceEvent::Dropped(commit) => self.notes.push(dropped(commit)),
            SequenceEvent::HeadMoved => self.notes.push("HEAD was moved since, and stays where it is".into()),
            _ => {}
        }
    }
}

fn dropped(commit: CommitId) -> String {
    format!("{commit} changes nothing here and was left out")
}
