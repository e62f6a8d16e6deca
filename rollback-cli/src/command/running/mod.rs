//! What the commands that run procedures share: the engine, the signals that stop it, and how a run ends.

pub(super) mod abort;
pub(super) mod publish;
pub(super) mod resume;
pub(super) mod run;
pub(super) mod verify;

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rollback_core::procedure::engine::{
    Clock, Ending, Engine, EngineError, Observer, Pause, RunRequest, RunState, RunStatus, SignedApproval,
};
use rollback_core::procedure::input::Inputs;
use rollback_core::procedure::trigger::{SampleFormat, Samples};
use rollback_core::process::SystemRunner;
use rollback_core::{Cancel, Repo, bounded};

use super::Outcome;
use crate::args::{Consent, Trust};
use crate::command_line::CommandLine;
use crate::environment::{Environment, TRUSTED_HASH};
use crate::exit::Exit;
use crate::failure::{Failure, Problem};
use crate::hint::Hint;
use crate::procedures::{self, Found};
use crate::render::json;
use crate::render::run::{self as render, Document, Next};
use crate::session::Session;
use crate::signals;
use crate::terminal::text;
use crate::watch::Watch;

/// The system's clock, whose waits end when the run is to stop. In a demo, time that would be waited for
/// has passed.
struct PatientClock {
    cancel: Cancel,
    environment: Environment,
}

impl Clock for PatientClock {
    fn now(&self) -> Timestamp {
        self.environment.now()
    }

    fn wait(&self, time: Duration) {
        if self.environment.skip(time) {
            return;
        }
        const SLICE: Duration = Duration::from_millis(100);
        let end = Instant::now() + time;
        while !self.cancel.is_cancelled() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            std::thread::sleep(left.min(SLICE));
        }
    }
}

/// Lets the engine work in the session's repository, stopped by signals and watched. `typed` names the procedure on a
/// command line, `began` is when a run began that is there already.
fn work(
    session: &mut Session,
    (typed, began): (&str, Option<Timestamp>),
    work: impl FnOnce(&Engine<'_>, &mut dyn Observer) -> Result<RunState, EngineError>,
) -> Result<RunState, Problem> {
    let repo = session.repo()?;
    let stopping = signals::Stopping::begin();
    let environment = session.environment().clone();
    let clock = PatientClock { cancel: stopping.token(), environment: environment.clone() };
    let variable = |name: &str| environment.variable(name);
    let engine = Engine::new(&repo, &SystemRunner, &clock, &variable).cancelled_by(stopping.token());
    let mut watch = Watch::new(&mut session.console, &repo, &environment, began);
    let worked = work(&engine, &mut watch);
    let seen = watch.finish();
    if seen.landed {
        session.console.has_landed();
    }
    worked.map_err(|error| {
        if let EngineError::Core(rollback_core::Error::Cancelled) = error {
            let go_on = session.invocation.command(&["resume"]);
            return Failure::new(Exit::Paused, "cancelled", "a signal stopped the run")
                .with_hint(Hint::new("it stopped where it was; go on with", go_on))
                .into();
        }
        let problem = Problem::of_run(error, Some(typed));
        match seen.landed {
            true => session.failure(problem).after_landing().into(),
            false => problem,
        }
    })
}

/// What would be done, without doing it.
fn engine_for_questions<T>(session: &Session, repo: &Repo, ask: impl FnOnce(&Engine<'_>) -> T) -> T {
    let environment = session.environment();
    let variable = |name: &str| environment.variable(name);
    let clock = PatientClock { cancel: Cancel::default(), environment: environment.clone() };
    ask(&Engine::new(repo, &SystemRunner, &clock, &variable))
}

/// The hash that a pipeline trusts: of the flag, else of the variable.
fn given_hash(trust: &Trust, session: &Session) -> Option<String> {
    let set = || session.environment().variable(TRUSTED_HASH).filter(|hash| !hash.is_empty());
    trust.trusted_hash.clone().or_else(set)
}

/// Where the list of allowed signers is looked for that no flag names.
const ALLOWED_SIGNERS: &str = "RB_ALLOWED_SIGNERS";

/// Reads the signatures that were given, and the list they are checked against: of the flag, else of the variable, and
/// never of the repository.
fn sign(request: &mut RunRequest, consent: &Consent, session: &Session) -> Result<(), Failure> {
    let read = |file: &OsStr| {
        let path = session.folder().join(file);
        std::fs::read_to_string(&path).map_err(|error| {
            let message = format!("cannot read {}", text::escape(&path.to_string_lossy()));
            Failure::new(Exit::Io, "io", message).caused_by(error)
        })
    };
    let set = || session.environment().variable(ALLOWED_SIGNERS).filter(|file| !file.is_empty());
    if let Some(file) = consent.allowed_signers.clone().or_else(|| set().map(Into::into)) {
        request.allowed_signers = Some(read(&file)?);
    }
    for (role, file) in &consent.signatures {
        request.signatures.push(SignedApproval::new(role, read(OsStr::new(file))?));
    }
    Ok(())
}

/// Reads samples as the end of the file's name says.
pub(super) fn samples(file: Option<&OsStr>, found: &Found, folder: &Path) -> Result<Samples, Failure> {
    let Some(file) = file else { return Ok(Samples::default()) };
    let name = file.to_string_lossy();
    let refused = |why: String| Failure::new(Exit::Usage, "bad-samples", format!("{name}: {why}"));
    let format = SampleFormat::of(&name).ok_or_else(|| {
        refused("samples end in .jsonl, .csv or .prom, which says how they are written".to_owned())
    })?;
    let bytes = bounded::read(&folder.join(file), bounded::DOCUMENT)
        .map_err(|error| Failure::new(Exit::Io, "io", format!("cannot read {name}")).caused_by(error))?;
    let read = Samples::read(&bytes, format, &found.procedure.document, Timestamp::now());
    read.map_err(|error| refused(error.to_string()))
}

/// Says how a run ended, and what to type next.
fn report(state: &RunState, allow_noop: bool, session: &mut Session) -> Outcome {
    let repo = session.repo()?;
    let next = next(state, &repo, session);
    let exit = exit_of(state, allow_noop);
    let failure = failure_of(state, exit, &repo, session);
    if session.console.json() {
        // For people the pause is the text itself; a program looks for it where every other ending stands.
        let paused = (exit == Exit::Paused).then(|| paused(state, next.as_ref()));
        let document = Document::new(state, next.as_ref().map(|next| next.command.to_string()));
        session.console.print(&json::line_with(&document, failure.as_ref().or(paused.as_ref())));
    } else {
        let text = render::ended(state, &repo, next.as_ref(), session.console.look());
        session.console.tell(&text);
    }
    if let Some(failure) = failure {
        session.console.complain(&failure.text(session.console.look().verbose));
    }
    Ok(exit)
}

/// A run that waits, as programs are told.
fn paused(state: &RunState, next: Option<&Next>) -> Failure {
    let at = state.pause.as_ref().map_or(state.id.as_str(), |pause| pause.at.as_str());
    let failure = Failure::new(Exit::Paused, "paused", format!("the run waits at {at}"));
    match next {
        Some(next) => failure.with_hint(Hint::new(next.what, next.command.clone())),
        None => failure,
    }
}

/// What to type next, for a run that waits or has landed.
pub(crate) fn next(state: &RunState, repo: &Repo, session: &Session) -> Option<Next> {
    let trusted = given_on_the_line(session);
    let several = rollback_core::procedure::engine::runs(repo)
        .is_ok_and(|runs| runs.iter().filter(|run| run.status.is_open()).count() > 1);
    let approval: String;
    let mut words = vec!["resume"];
    if several {
        words.extend(["--run", state.id.as_str()]);
    }
    let (what, line) = match (state.status, &state.pause) {
        (RunStatus::Paused, Some(pause))
            if pause.folder.is_some() && !state.verdicts.contains_key(&pause.at) =>
        {
            ("once the files there are as they should be", words)
        }
        (RunStatus::Paused, Some(Pause { approval: Some(role), .. })) => {
            approval = format!("{role}=NAME");
            words.extend(["--approve", &approval]);
            ("once it is given, name who gave it", words)
        }
        (RunStatus::Paused, Some(pause)) => {
            words.extend(["--confirm", pause.at.as_str()]);
            ("once that is so", words)
        }
        (RunStatus::Running | RunStatus::Paused, _) => ("go on with", words),
        (RunStatus::Complete | RunStatus::LandedWithFailures, _) if !state.commits.is_empty() => {
            ("take it back with", vec!["undo"])
        }
        _ => return None,
    };
    let mut line = line;
    if line[0] == "resume" {
        line.extend(trusted.iter().flat_map(|hash| ["--trusted-hash", hash]));
    }
    Some(Next { what, command: session.invocation.command(&line) })
}

/// The hash that was typed: the next command has to give it again.
fn given_on_the_line(session: &Session) -> Option<String> {
    let args = session.invocation.args();
    let at = args.iter().position(|arg| arg.to_string_lossy().starts_with("--trusted-hash"))?;
    match args[at].to_str()?.split_once('=') {
        Some((_, hash)) => Some(hash.to_owned()),
        None => args.get(at + 1)?.to_str().map(ToOwned::to_owned),
    }
}

fn exit_of(state: &RunState, allow_noop: bool) -> Exit {
    match state.ending {
        Some(Ending::Done) => Exit::Done,
        Some(Ending::NothingToDo) if allow_noop => Exit::Done,
        Some(Ending::NothingToDo) => Exit::NothingToDo,
        Some(Ending::NoRung) => Exit::NoCleanRung,
        Some(Ending::ChecksFailed) => Exit::ChecksFailed,
        Some(Ending::StepFailed | Ending::Refused) => Exit::Refused,
        Some(Ending::LandedButFailed) => Exit::LandedWithFailure,
        Some(Ending::Paused) | None => Exit::Paused,
    }
}

/// The line that says what went wrong, where something did.
fn failure_of(state: &RunState, exit: Exit, repo: &Repo, session: &Session) -> Option<Failure> {
    let (code, what) = match exit {
        Exit::NoCleanRung => ("no-clean-rung", "no way back could be taken, and nothing landed"),
        Exit::ChecksFailed => ("checks-failed", "checks failed, and nothing landed"),
        Exit::Refused => ("step-failed", "a step failed, and nothing landed"),
        Exit::LandedWithFailure => ("later-failure", "it has landed, and what came after that failed"),
        _ => return None,
    };
    let why = render::failures(state);
    let message = if why.is_empty() { what.to_owned() } else { format!("{what}: {why}") };
    let hint = match (exit, figure_that_differs(state)) {
        (Exit::ChecksFailed, Some(set)) => Hint::new(
            "if what was found is right now, run it again with",
            session.invocation.command(&["run", "--again", &state.id, "--set", &set]),
        ),
        (Exit::LandedWithFailure, _) => {
            Hint::new("the result stays; take it back with", session.invocation.command(&["undo"]))
        }
        _ => {
            let folder = render::kept_in(state, repo).into_os_string();
            let look = CommandLine::of([OsString::from("ls"), "-R".into(), folder]);
            Hint::new("what the programs wrote is kept; look at it with", look)
        }
    };
    Some(Failure::new(exit, code, message).with_hint(hint))
}

/// The input whose figure was not found, with the one that was, as `--set` takes it.
fn figure_that_differs(state: &RunState) -> Option<String> {
    let mut verdicts = state.verdicts.keys().filter_map(|check| state.verdict(check));
    verdicts.find_map(|verdict| Some(format!("{}={}", verdict.input.as_ref()?, verdict.found.as_ref()?)))
}

/// Reports a problem on one line of JSON, because lines of events may stand before it.
fn as_a_line(outcome: Outcome, session: &mut Session) -> Outcome {
    match outcome {
        Err(problem) if session.console.json() => {
            let failure = session.failure(problem);
            session.console.print(&json::line(&failure.document()));
            let verbose = session.console.look().verbose;
            session.console.complain(&failure.text(verbose));
            Ok(failure.exit())
        }
        other => other,
    }
}

/// The command that begins such a run anew: what was given then, as far as it is not the procedure's own default.
fn anew(state: &RunState, found: &Found, flags: &[&str], session: &Session) -> CommandLine {
    let defaults = Inputs::resolve(&found.procedure.document, &[], &[]).unwrap_or_default();
    let mut words = vec!["run".to_owned(), found.typed(), "--phase".to_owned(), state.phase.clone()];
    let mut add = |flag: &str, value: String| words.extend([flag.to_owned(), value]);
    state.variant.iter().for_each(|variant| add("--variant", variant.clone()));
    for (name, value) in state.inputs.iter().filter(|(name, value)| defaults.get(name) != Ok(value)) {
        add("--set", format!("{name}={value}"));
    }
    state.roles.iter().for_each(|role| add("--role", role.clone()));
    state.approvals.iter().for_each(|(role, name)| add("--approve", format!("{role}={name}")));
    state.confirmed.iter().for_each(|id| add("--confirm", id.clone()));
    words.extend(state.emergency.then(|| "--emergency".to_owned()));
    words.extend(flags.iter().map(|flag| (*flag).to_owned()));
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    session.invocation.command(&words)
}

/// The procedure of a run that is there already, found as it was found then.
fn find_again(state: &RunState, session: &mut Session) -> Result<Found, Problem> {
    procedures::find(state.found_as.as_deref().unwrap_or(&state.procedure), session)
}
