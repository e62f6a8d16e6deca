//! What all landing commands share: plan, show or ask, land, report.

use std::sync::Arc;

use rollback_core::checks::CheckOptions;
use rollback_core::error::LandingError;
use rollback_core::hooks::Hooks;
use rollback_core::plan::MessageOptions;
use rollback_core::process::{SystemHooks, SystemRunner};
use rollback_core::receipt::{Destination, OnMoved, OutcomeKind};
use rollback_core::{ApplyOptions, Error, Plan, PlanOptions, Receipt, Repo, Target};

use super::pushing::Pushing;
use super::revert::switch;
use super::showing::Shown;
use super::{Outcome, checks, choose, cross_check, pushing, sequencer, showing, warn_about_names};
use crate::args::{LandingHere, Message, OnConflict, Showing};
use crate::console::Console;
use crate::editor;
use crate::exit::Exit;
use crate::failure::{Failure, Problem};
use crate::hint::Hint;
use crate::paths::Base;
use crate::progress;
use crate::render::human::{self, Ending, LandWith};
use crate::render::{Commits, json, published, stuck};
use crate::session::Session;
use crate::signals;

/// What is to be planned.
pub(super) struct Request {
    /// What is to go back.
    pub(super) target: Target,
    /// How.
    pub(super) options: PlanOptions,
    /// Whether the message is edited first.
    pub(super) edit: bool,
    /// What becomes of a conflict.
    pub(super) on_conflict: Option<OnConflict>,
}

/// What the arguments say about the message.
pub(super) fn message(args: &Message, signoff: bool) -> MessageOptions {
    let mut message = MessageOptions::default();
    message.text = args.message.clone();
    message.reason = args.reason.clone();
    message.trailers = args.trailer.clone();
    message.signoff = signoff;
    message
}

/// Plans, and lands what was planned.
pub(super) fn run(mut request: Request, args: &LandingHere, session: &mut Session) -> Outcome {
    let repo = session.repo()?;
    // What is restored must be as it is committed: a staged file would be lost.
    request.options.on_index = args.no_commit && !matches!(request.target, Target::Restore(_));
    if !args.dry_run {
        repo.preflight(&request.options, &apply_options(args)?)?;
    }
    warn_about_names(names(&request), &repo, &mut session.console);
    let checks = checks::options(&args.checks, session)?;
    // A person who asked for a dry run wants to see every way; a landing takes the first that may be taken.
    request.options.first_only = !args.dry_run;
    let found = make_plan(&repo, &request.target, &request.options, &session.console)?;
    let message =
        if request.edit && !args.no_commit { MessageSource::Edited } else { MessageSource::AsPlanned };
    let on_conflict = sequencer::on_conflict(request.on_conflict, &repo)?;
    finish(found, LandRequest { args, checks, message, on_conflict }, session)
}

/// The revisions that a request names.
fn names(request: &Request) -> impl Iterator<Item = &str> {
    let (several, one) = match &request.target {
        Target::Commits(target) | Target::Pick(target) => (target.revisions.as_slice(), None),
        Target::Paths(target) => (&[][..], target.change.as_deref()),
        Target::Restore(target) => (&[][..], target.source.as_deref()),
        _ => (&[][..], None),
    };
    several.iter().map(String::as_str).chain(one).chain(request.options.onto.as_deref())
}

/// Shows a plan or lands it, as the arguments say.
pub(super) fn plan(plan: Plan, args: &LandingHere, session: &mut Session) -> Outcome {
    let checks = checks::options(&args.checks, session)?;
    finish(
        plan,
        LandRequest { args, checks, message: MessageSource::AsPlanned, on_conflict: OnConflict::Refuse },
        session,
    )
}

/// What is to become of a plan.
struct LandRequest<'a> {
    args: &'a LandingHere,
    checks: Option<CheckOptions>,
    message: MessageSource,
    on_conflict: OnConflict,
}

/// Which words the message has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum MessageSource {
    AsPlanned,
    Edited,
}

fn finish(plan: Plan, request: LandRequest<'_>, session: &mut Session) -> Outcome {
    let args = request.args;
    let branch = args.branch.as_deref().and_then(|name| name.to_str());
    let pushing = pushing::prepare(&args.push, branch, session)?;
    if args.dry_run {
        let exit = show(plan, request, session)?;
        if let Some(pushing) = pushing.filter(|_| exit == Exit::Done) {
            session.console.tell(&pushing.foreseen());
        }
        return Ok(exit);
    }
    let repo = session.repo()?;
    if request.on_conflict == OnConflict::Stop
        && let Some(stop) = repo.sequence_of_plan(&plan)?
    {
        repo.check_stop(&plan, &apply_options(args)?)?;
        let edit = request.message == MessageSource::Edited;
        return sequencer::stop(plan, stop, (args, edit, pushing), session);
    }
    let mut options = apply_options(args)?;
    let mut shown = false;
    if let Some(loss) = loss_of(&plan)
        && !args.allow_loss
    {
        let text = human::plan(&plan, &commits_of(&plan, &repo), session.console.look(), Ending::None);
        session.console.tell(&format!("{text}\n"));
        if !ask_about_loss(args, session) {
            session.console.tell(&stuck::ways_on(&plan, &session.invocation));
            let hint = stuck::ways(&plan, &session.invocation).into_iter().next();
            let failure = session.failure(loss.into());
            return Err(match hint {
                Some(hint) => failure.with_hint(hint).into(),
                None => failure.into(),
            });
        }
        options.allow_loss = true;
        shown = true;
    }
    let mut plan = plan;
    if let Some(checks) = request.checks {
        // What could not land anyway is refused before anything is run.
        repo.check(&plan, &options)?;
        let checked = checks::run(plan, checks, &options, session)?;
        if let Some(failure) = checks::refusal(&checked.conclusion, session) {
            return Ok(refuse(checked.plan, failure, &repo, session));
        }
        // Only what was checked may land.
        options.on_moved = OnMoved::Refuse;
        plan = checked.plan;
    }
    plan = cross_check::compare(plan, args, &repo, &mut session.console)?;
    if plan.cross_check.is_some() {
        options.on_moved = OnMoved::Refuse;
    }
    let landing = signals::Landing::begin();
    options.hooks = Some(hooks(&repo, &landing, session)?);
    if request.message == MessageSource::Edited {
        plan = reworded(plan, &options, &repo, session)?;
    }
    // What is staged now is not what it was once the result has landed.
    let before = (plan.tip.clone(), showing::of_plan(&plan, &args.showing, &repo, &session.console)?);
    let mut receipt = progress::during(&session.console, "landing", || repo.apply(plan, &options))?;
    let changes = match before {
        (tip, changes) if tip == receipt.plan.tip => changes,
        _ => {
            showing::of_plan(&receipt.plan, &args.showing, &repo, &session.console).unwrap_or_else(|error| {
                showing::warn(&error, &mut session.console);
                None
            })
        }
    };
    receipt.plan.diff = changes.as_ref().map(|changes| changes.document.clone());
    let not_pushed = pushing.and_then(|pushing| push(&mut receipt, &pushing, session));
    let exit = report(&receipt, (shown, changes.as_ref()), not_pushed, &repo, args, session);
    drop(landing);
    Ok(exit)
}

/// Pushes what has landed; what is to be reported where that did not go well.
fn push(receipt: &mut Receipt, pushing: &Pushing, session: &mut Session) -> Option<Failure> {
    let outcome = &mut receipt.outcome;
    let operation = outcome.operation_id.clone().filter(|_| outcome.kind == OutcomeKind::Committed)?;
    if outcome.later_failure.is_some() {
        session.console.complain(&pushing::later(pushing, &operation, session));
        return None;
    }
    let (published, failure) = pushing::after_landing(pushing, &operation, &[], session);
    outcome.published = published;
    failure
}

/// Who runs the hooks: a signal stops one that runs, and with it what has not landed yet.
pub(super) fn hooks(
    repo: &Repo,
    landing: &signals::Landing,
    session: &Session,
) -> Result<Arc<dyn Hooks>, Problem> {
    let mut prefix = Base::new(repo, session.folder()).prefix().to_string();
    if !prefix.is_empty() {
        prefix.push('/');
    }
    let hooks = SystemHooks::new(Arc::new(SystemRunner), repo.program_timeout()?);
    Ok(Arc::new(hooks.prefix(prefix).cancel(landing.token())))
}

/// Reports a plan that is not landed because of its checks.
fn refuse(plan: Plan, failure: Failure, repo: &Repo, session: &mut Session) -> Exit {
    if session.console.json() {
        session.console.print(&json::document_with(&Receipt::not_landed(plan), Some(&failure)));
    } else {
        let text = human::plan(&plan, &commits_of(&plan, repo), session.console.look(), Ending::None);
        session.console.tell(&format!("{text}\n"));
    }
    session.console.complain(&failure.text(session.console.look().verbose));
    failure.exit()
}

/// The same plan with a message that the user has edited.
fn reworded(plan: Plan, landing: &ApplyOptions, repo: &Repo, session: &mut Session) -> Result<Plan, Problem> {
    let Some(text) = edited_message(&plan, landing, repo, session)? else { return Ok(plan) };
    let mut options = plan.request.options.clone();
    options.message.text = Some(text);
    options.message.edited = true;
    let again = make_plan(repo, &plan.request.target, &options, &session.console)?;
    let result = |plan: &Plan| plan.chosen_attempt().and_then(|attempt| attempt.tree_id);
    if again.tip != plan.tip || result(&again) != result(&plan) {
        let (reference, expected) = (plan.tip.reference, plan.tip.commit_id);
        return Err(Problem::Library(
            LandingError::Moved { reference, expected, found: again.tip.commit_id }.into(),
        ));
    }
    Ok(again.with_checks_of(plan))
}

/// Makes a plan, with a sign of life beside it.
pub(super) fn make_plan(
    repo: &Repo,
    target: &Target,
    options: &PlanOptions,
    console: &Console,
) -> Result<Plan, Error> {
    progress::during(console, "looking for a way back", || repo.plan(target, options))
}

/// Shows a plan, and says whether it would land: a dry run ends as the real run would before landing.
fn show(plan: Plan, request: LandRequest<'_>, session: &mut Session) -> Outcome {
    let args = request.args;
    let repo = session.repo()?;
    let options = apply_options(args)?;
    let mut refusal = None;
    let mut plan = plan;
    let would_stop = request.on_conflict == OnConflict::Stop && repo.sequence_of_plan(&plan)?.is_some();
    if args.branch.is_none() {
        repo.note_what_to_fetch(&mut plan)?;
    }
    let mut admitted = match would_stop {
        true => repo.check_stop(&plan, &options),
        false => repo.check(&plan, &options),
    };
    // A conflict cannot be checked: `rb continue` checks what becomes of it.
    if let (Ok(_), Some(checks), false) = (&admitted, request.checks, would_stop) {
        let checked = checks::run(plan, checks, &options, session)?;
        refusal = checks::refusal(&checked.conclusion, session);
        plan = checked.plan;
        admitted = repo.check(&plan, &options);
    }
    if admitted.is_ok() && refusal.is_none() {
        plan = cross_check::compare(plan, args, &repo, &mut session.console)?;
    }
    let land_with = match &refusal {
        None => land_with(admitted.as_ref().err(), session),
        Some(_) => None,
    };
    // For people the flag that is missing stands in the command that lands it.
    let is_told = admitted.as_ref().err().is_some_and(|refusal| permission_for(refusal).is_some());
    let (exit, failure) = match (refusal, admitted) {
        (Some(failure), _) => (failure.exit(), Some(failure)),
        (None, Ok(kind)) => {
            let exit = exit_of(kind, args);
            (exit, stuck_failure(&plan, exit, session))
        }
        (None, Err(refusal)) => {
            let failure = session.failure(refusal.into()).about("landing this would be refused");
            (failure.exit(), Some(failure))
        }
    };
    let look = session.console.look();
    write_plan(plan, land_with, failure.as_ref(), &args.showing, session)?;
    if let Some(failure) = failure.filter(|_| session.console.json() || !is_told) {
        session.console.tell("\n");
        session.console.complain(&failure.text(look.verbose));
    }
    Ok(exit)
}

/// Shows a plan that is not to land now.
pub(super) fn show_plan(
    plan: Plan,
    land_with: Option<LandWith>,
    showing: &Showing,
    session: &mut Session,
) -> Outcome {
    let land_with = land_with.filter(|_| plan.chosen.is_some());
    write_plan(plan, land_with, None, showing, session)?;
    Ok(Exit::Done)
}

/// Writes a plan as a dry run does, with what it changes.
fn write_plan(
    mut plan: Plan,
    land_with: Option<LandWith>,
    failure: Option<&Failure>,
    args: &Showing,
    session: &mut Session,
) -> Result<(), Problem> {
    let repo = session.repo()?;
    let shown = showing::of_plan(&plan, args, &repo, &session.console)?;
    plan.diff = shown.as_ref().map(|shown| shown.document.clone());
    let console = &mut session.console;
    if console.json() {
        console.print(&json::document_with(&plan, failure));
        return Ok(());
    }
    showing::begin(shown.as_ref(), args, &repo, console);
    let ending = Ending::DryRun { land_with };
    console.tell(&human::plan(&plan, &commits_of(&plan, &repo), console.look(), ending));
    if args.patch && !console.quiet() {
        console.tell(&choose::numbers(&plan, &repo)?);
    }
    let written = showing::write(shown.as_ref(), args, console);
    console.end_paging();
    Ok(written?)
}

/// The command that lands what a dry run has shown; nothing where more than a flag is missing.
fn land_with(refusal: Option<&Error>, session: &Session) -> Option<LandWith> {
    let typed = session.invocation.without_dry_run();
    match refusal {
        None => Some(LandWith { command: typed.as_typed().to_string(), needs: None }),
        Some(refusal) => {
            let (flag, needs) = permission_for(refusal)?;
            Some(LandWith { command: typed.with(&[flag]).to_string(), needs: Some(needs) })
        }
    }
}

/// The flag that gives the consent a refusal asks for, and to what.
fn permission_for(refusal: &Error) -> Option<(&'static str, &'static str)> {
    match refusal {
        Error::Landing(LandingError::LossNotAllowed { .. }) => Some(("--allow-loss", "what it discards")),
        Error::Landing(LandingError::UpstreamAhead { .. }) => {
            Some(("--stale-ok", "what the upstream has and this branch lacks"))
        }
        _ => None,
    }
}

/// Why nothing may land, where that is how the run ends.
fn stuck_failure(plan: &Plan, exit: Exit, session: &Session) -> Option<Failure> {
    (exit == Exit::NoCleanRung).then(|| stuck::failure(plan, &session.invocation))
}

fn report(
    receipt: &Receipt,
    (shown, changes): (bool, Option<&Shown>),
    not_pushed: Option<Failure>,
    repo: &Repo,
    args: &LandingHere,
    session: &mut Session,
) -> Exit {
    let commits = commits_of_receipt(receipt, repo);
    let exit = match &not_pushed {
        Some(failure) => failure.exit(),
        None => exit_of_receipt(receipt, args),
    };
    let failure = match &receipt.outcome.later_failure {
        Some(failure) => Some(
            Failure::new(Exit::LandedWithFailure, "later-failure", failure.as_str()).with_hint(Hint::new(
                "the result has landed and stays; see it with",
                session.invocation.git(&["status"]),
            )),
        ),
        None => not_pushed.or_else(|| stuck_failure(&receipt.plan, exit, session)),
    };
    let console = &mut session.console;
    if matches!(receipt.outcome.kind, OutcomeKind::Committed | OutcomeKind::Staged) {
        console.has_landed();
    }
    let look = console.look();
    let changes = changes.filter(|_| receipt.outcome.kind != OutcomeKind::NothingToDo);
    showing::begin(changes, &args.showing, repo, console);
    if console.json() {
        console.print(&json::document_with(receipt, failure.as_ref()));
    } else if shown {
        console.tell(&human::outcome(&receipt.plan, &receipt.outcome, &commits, look));
    } else {
        console.tell(&human::plan(&receipt.plan, &commits, look, Ending::Landed(&receipt.outcome)));
    }
    if let Err(error) = showing::write(changes, &args.showing, console) {
        showing::warn(&error, console);
    }
    console.end_paging();
    if let Some(published) = &receipt.outcome.published {
        console.tell(&published::became(published, repo, look));
    }
    if let Some(failure) = failure {
        if exit == Exit::NoCleanRung {
            console.tell("\n");
            console.tell(&stuck::ways_on(&receipt.plan, &session.invocation));
        }
        console.complain(&failure.text(look.verbose));
    }
    exit
}

fn exit_of_receipt(receipt: &Receipt, args: &LandingHere) -> Exit {
    match receipt.outcome.later_failure {
        Some(_) => Exit::LandedWithFailure,
        None => exit_of(receipt.outcome.kind, args),
    }
}

/// How a run ends, or would end, that is not refused.
fn exit_of(kind: OutcomeKind, args: &LandingHere) -> Exit {
    match kind {
        OutcomeKind::NothingToDo if args.allow_noop => Exit::Done,
        OutcomeKind::NothingToDo => Exit::NothingToDo,
        OutcomeKind::NotLanded => Exit::NoCleanRung,
        OutcomeKind::LeftConflicted => Exit::Paused,
        _ => Exit::Done,
    }
}

/// What the chosen rung would discard, as the refusal it needs a permission against.
fn loss_of(plan: &Plan) -> Option<Error> {
    let chosen = plan.chosen_attempt()?;
    chosen.needs_consent().then(|| chosen.loss_refused())
}

fn ask_about_loss(args: &LandingHere, session: &mut Session) -> bool {
    if args.yes || !session.console.can_ask() {
        return false;
    }
    session.console.complain("This discards the later changes named above. Land it? [y/N] ");
    let mut answer = String::new();
    // No answer is a no.
    let _ = std::io::stdin().read_line(&mut answer);
    matches!(answer.trim(), "y" | "Y" | "yes")
}

fn apply_options(args: &LandingHere) -> Result<ApplyOptions, Problem> {
    let mut options = ApplyOptions::default();
    options.destination = match &args.branch {
        Some(name) => Destination::Branch(name.to_str().map(ToOwned::to_owned).ok_or_else(|| {
            Error::from(LandingError::InvalidBranchName { name: name.to_string_lossy().into_owned() })
        })?),
        None if args.no_commit => Destination::Stage,
        None => Destination::CurrentBranch,
    };
    options.allow_loss = args.allow_loss;
    options.stale_ok = args.stale_ok;
    options.sign = switch(args.gpg_sign, args.no_gpg_sign);
    Ok(options)
}

fn edited_message(
    plan: &Plan,
    landing: &ApplyOptions,
    repo: &Repo,
    session: &mut Session,
) -> Result<Option<String>, Problem> {
    let Some(chosen) = plan.chosen_attempt() else {
        return Ok(None);
    };
    if chosen.steps.len() > 1 {
        return Err(Failure::usage(format!(
            "--edit edits one message, and this makes {} commits",
            chosen.steps.len()
        ))
        .into());
    }
    let template = editor::template(&plan.message.clone().unwrap_or_default(), repo);
    let prepared = repo.prepare_template(plan, &template, landing)?;
    editor::edit(&prepared.unwrap_or(template), repo, session.console.interactive()).map(Some)
}

fn commits_of_receipt(receipt: &Receipt, repo: &Repo) -> Commits {
    let mut ids = named_commits(&receipt.plan);
    ids.extend(&receipt.outcome.commit_ids);
    Commits::look_up(ids, repo)
}

fn commits_of(plan: &Plan, repo: &Repo) -> Commits {
    Commits::look_up(named_commits(plan), repo)
}

/// Every commit that the text about a plan may name.
fn named_commits(plan: &Plan) -> Vec<rollback_core::CommitId> {
    /// Beyond this many of a kind only the count is shown.
    const SHOWN: usize = 50;
    let mut ids = vec![plan.tip.commit_id];
    ids.extend(plan.target.commits.iter().take(SHOWN));
    if let Some(culprit) = &plan.target.culprit {
        ids.push(culprit.commit_id);
        ids.extend(&culprit.parents);
        ids.extend(culprit.introduced_by);
        ids.extend(culprit.further_changes.iter().take(SHOWN));
    }
    ids.extend(plan.target.back_to);
    ids.extend(plan.target.last_good.iter().map(|good| good.commit_id));
    for attempt in &plan.attempts {
        ids.extend(attempt.commit_id);
        ids.extend(attempt.from);
        ids.extend(attempt.loss.discards.iter().take(SHOWN));
        ids.extend(attempt.dependents.iter().flatten().take(SHOWN));
        ids.extend(attempt.left_out.iter().take(SHOWN));
    }
    for note in &plan.notes {
        ids.extend(note.commits.iter().take(SHOWN));
    }
    ids
}
