//! The checks of `--check`: from the arguments to what the library says about the result.

use std::ffi::OsString;

use rollback_core::checks::{CheckOptions, Checked, Checker, Conclusion, Control, Watch};
use rollback_core::process::SystemRunner;
use rollback_core::verdict::On;
use rollback_core::{ApplyOptions, Plan};

use crate::args::Checks;
use crate::command_line::CommandLine;
use crate::exit::Exit;
use crate::failure::{Failure, Problem};
use crate::hint::Hint;
use crate::paths::Base;
use crate::progress;
use crate::session::Session;
use crate::signals;
use crate::status::Status;

/// What the arguments ask for; nothing where they ask for no check.
pub(super) fn options(args: &Checks, session: &mut Session) -> Result<Option<CheckOptions>, Problem> {
    if args.checks.is_empty() {
        return Ok(None);
    }
    let repo = session.repo()?;
    let mut options = CheckOptions::new(args.checks.iter().map(|words| words.0.clone()));
    options.setup = args.setup.iter().map(|words| words.0.clone()).collect();
    options.links = Base::new(&repo, session.folder()).resolve_all(&args.links)?;
    options.environment = args.environment.clone();
    options.timeout = args.timeout.0;
    if args.no_check_control {
        options.control = Control::Skip;
    }
    for link in &options.links {
        let there = repo
            .work_dir()
            .zip(link.to_relative_path())
            .is_some_and(|(work_dir, path)| work_dir.join(path).exists());
        if !there {
            let message = format!("there is no {link} in the work tree that could be linked");
            return Err(Failure::new(Exit::Refused, "no-such-path", message)
                .with_hint(Hint::new(
                    "see what is there with",
                    CommandLine::of([OsString::from("ls"), "-A".into(), session.folder().into()]),
                ))
                .into());
        }
    }
    Ok(Some(options))
}

/// Runs the checks on what the plan would land.
pub(super) fn run(
    plan: Plan,
    mut options: CheckOptions,
    landing: &ApplyOptions,
    session: &mut Session,
) -> Result<Checked, Problem> {
    let repo = session.repo()?;
    options.allow_loss = landing.allow_loss;
    let stopping = signals::Stopping::begin();
    let checker = Checker::new(&repo, &SystemRunner).cancelled_by(stopping.token());
    let checked = progress::with_status(&session.console, |status| {
        checker.check(plan, &options, &mut Tail { status, running: String::new() })
    });
    drop(stopping);
    Ok(checked?)
}

/// Runs the checks that are asked for on what is staged; why it may not be committed, where they say so.
pub(super) fn of_staged(args: &Checks, session: &mut Session) -> Result<Option<Failure>, Problem> {
    let Some(options) = options(args, session)? else { return Ok(None) };
    let repo = session.repo()?;
    let stopping = signals::Stopping::begin();
    let checker = Checker::new(&repo, &SystemRunner).cancelled_by(stopping.token());
    let checked = progress::with_status(&session.console, |status| {
        checker.check_staged(&options, &mut Tail { status, running: String::new() })
    });
    drop(stopping);
    let (_, conclusion) = checked?;
    let refused = |exit, code, why: String| {
        let failure = Failure::new(exit, code, format!("nothing was committed: {why}"));
        failure.with_hint(Hint::new("see what is staged with", session.invocation.git(&["diff", "--cached"])))
    };
    Ok(match conclusion {
        Conclusion::Failed { why, .. } => Some(refused(Exit::ChecksFailed, "checks-failed", why)),
        Conclusion::Inconclusive { why } => {
            Some(refused(Exit::Paused, "checks-inconclusive", format!("the checks cannot tell: {why}")))
        }
        _ => None,
    })
}

/// Why nothing may land, where the checks say so.
pub(super) fn refusal(conclusion: &Conclusion, session: &Session) -> Option<Failure> {
    let typed = session.invocation.without(&["--dry-run"]);
    match conclusion {
        Conclusion::Failed { why, loss_would_help } => {
            let failure =
                Failure::new(Exit::ChecksFailed, "checks-failed", format!("nothing was changed: {why}"));
            Some(match loss_would_help {
                true => failure.with_hint(Hint::new(
                    "let the way that discards later edits be tried with",
                    typed.with(&["--allow-loss"]),
                )),
                false => failure
                    .with_hint(Hint::new("see all that it wrote with", typed.with(&["--dry-run", "-v"]))),
            })
        }
        Conclusion::Inconclusive { why } => Some(
            Failure::new(
                Exit::Paused,
                "checks-inconclusive",
                format!("nothing was changed, because the checks cannot tell: {why}"),
            )
            .with_hint(Hint::new("see all that it wrote with", typed.with(&["--dry-run", "-v"]))),
        ),
        _ => None,
    }
}

/// Says which check runs, and its last line.
struct Tail<'a> {
    status: &'a Status,
    running: String,
}

impl Watch for Tail<'_> {
    fn begins(&mut self, run: &[String], on: On) {
        let on = if on == On::Control { " on the tip as it is" } else { "" };
        self.running = format!("{}{on}", run.join(" "));
        self.status.say(self.running.as_str());
    }

    fn line(&mut self, line: &str) {
        self.status.say(format!("{}: {line}", self.running));
    }
}
