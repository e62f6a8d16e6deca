//! `rb rehearse`: whether each change of a range could be rolled back by itself.

use std::io::Read;
use std::path::{Path, PathBuf};

use rollback_core::checks::Checker;
use rollback_core::process::SystemRunner;
use rollback_core::rehearsal::{Rehearsal, RehearsalOptions};
use rollback_core::{CommitId, Error};

use super::{Outcome, checks, optional_revision, revisions, warn_about_names};
use crate::args::Rehearse;
use crate::command_line::CommandLine;
use crate::exit::Exit;
use crate::failure::{Failure, Problem};
use crate::hint::Hint;
use crate::progress;
use crate::render::{Commits, json, rehearsal as render};
use crate::session::Session;
use crate::signals;

/// Runs `rb rehearse`.
pub(crate) fn run(args: &Rehearse, session: &mut Session) -> Outcome {
    if !args.merge.is_empty() && args.checks.is_asked_for() {
        let message = "--check runs where changes are rehearsed, and --merge joins what was";
        return Err(Failure::usage(message)
            .with_hint(Hint::new("see how shards are checked with", help(session)))
            .into());
    }
    let rehearsal = match args.merge.is_empty() {
        true => rehearse(args, session)?,
        false => joined(&args.merge, session)?,
    };
    // Of one shard the whole is not known; the join decides.
    let wanted = args.min_revertible.filter(|_| args.shard.is_none());
    let short = wanted.filter(|wanted| rehearsal.summary().percent() < *wanted);
    if session.console.json() {
        if rehearsal.range.of == 0 {
            session.console.print(&json::line(&rehearsal.range));
        }
        for change in &rehearsal.changes {
            session.console.print(&json::line(change));
        }
    } else {
        let commits = match session.repo() {
            Ok(repo) => Commits::look_up(named_commits(&rehearsal), &repo),
            // The join of shards needs no repository.
            Err(_) => Commits::default(),
        };
        let preview = session.invocation.command(&["revert", "--dry-run"]).to_string();
        let text = render::text(&rehearsal, short, &commits, &preview, session.console.look());
        session.console.print(&text);
    }
    Ok(if short.is_some() { Exit::GateSaysNo } else { Exit::Done })
}

fn help(session: &Session) -> CommandLine {
    session.invocation.command(&["rehearse", "--help"])
}

fn rehearse(args: &Rehearse, session: &mut Session) -> Result<Rehearsal, Problem> {
    let repo = session.repo()?;
    let ranges = revisions(&args.ranges)?;
    warn_about_names(ranges.iter().map(String::as_str), &repo, &mut session.console);
    let mut options = RehearsalOptions::default();
    options.onto = optional_revision(args.onto.as_ref())?;
    options.shard = args.shard;
    options.threads = args.jobs;
    options.blockers = args.blockers;
    let checks = checks::options(&args.checks, session)?;
    let stopping = checks.is_some().then(signals::Stopping::begin);
    let rehearsal = progress::with_status(&session.console, |status| -> Result<Rehearsal, Error> {
        status.say("rehearsing");
        let mut rehearsal = repo.rehearse(&ranges, &options)?;
        if let (Some(checks), Some(stopping)) = (&checks, &stopping) {
            let checker = Checker::new(&repo, &SystemRunner).cancelled_by(stopping.token());
            rehearsal.check(&checker, checks, args.jobs)?;
        }
        Ok(rehearsal)
    });
    drop(stopping);
    Ok(rehearsal?)
}

/// The rehearsal whose parts are in `files`; `-` is standard input.
pub(super) fn joined(files: &[PathBuf], session: &Session) -> Result<Rehearsal, Error> {
    let mut parts = Vec::new();
    for file in files {
        let text = match file == Path::new("-") {
            true => {
                let mut text = String::new();
                std::io::stdin().read_to_string(&mut text).map(|_| text)
            }
            false => std::fs::read_to_string(session.folder().join(file)),
        };
        let text = text.map_err(|source| Error::Io { action: "read", path: file.clone(), source })?;
        parts.extend(Rehearsal::read(&file.display().to_string(), &text)?);
    }
    Rehearsal::join(parts)
}

fn named_commits(rehearsal: &Rehearsal) -> Vec<CommitId> {
    let mut ids = vec![rehearsal.range.tip];
    for change in &rehearsal.changes {
        ids.push(change.commit_id);
        ids.extend(change.blocked_by.iter().flatten());
    }
    ids
}
