//! `rb history`: what happened to a path.

use rollback_core::CommitId;
use rollback_core::history::{HistoryOptions, PathHistory};

use super::{Outcome, revision};
use crate::args::History;
use crate::command_line::quote;
use crate::exit::Exit;
use crate::paths::Base;
use crate::progress;
use crate::render::{Commits, history, json};
use crate::session::Session;

/// Runs `rb history`.
pub(crate) fn run(args: &History, session: &mut Session) -> Outcome {
    let repo = session.repo()?;
    let path = Base::new(&repo, session.folder()).resolve(&args.path)?;
    let mut options = HistoryOptions::default();
    options.tip = revision(&args.tip)?;
    options.limit = args.max_count;
    options.follow_renames = !args.no_follow;
    let found = progress::during(&session.console, "reading history", || repo.history(&path, &options))?;
    if session.console.json() {
        session.console.print(&json::document(&found));
        return Ok(Exit::Done);
    }
    let commits = Commits::look_up(named_commits(&found), &repo);
    let typed = quote(args.path.as_encoded_bytes());
    let next = session.invocation.command(&["revert", "--dry-run", "--file"]);
    let text = history::render(&found, &commits, session.console.look(), &format!("{next} {typed}"));
    session.console.print(&text);
    Ok(Exit::Done)
}

fn named_commits(found: &PathHistory) -> Vec<CommitId> {
    let mut ids = vec![found.tip];
    ids.extend(found.changes.iter().map(|change| change.commit_id));
    ids.extend(found.removed_elsewhere.iter().map(|removal| removal.commit_id));
    if let Some(culprit) = &found.culprit {
        ids.extend(culprit.introduced_by);
    }
    ids.extend(found.last_good.iter().map(|good| good.commit_id));
    if let Some(rolled_back) = &found.already_rolled_back {
        ids.extend(rolled_back.by);
        ids.extend(rolled_back.of);
    }
    ids
}
