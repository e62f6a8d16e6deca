//! `rb history`: what happened to a path.

use rollback_core::history::{HistoryChange, HistoryOptions, PathHistory};
use rollback_core::patch::{DiffDocument, DiffOptions};
use rollback_core::{CommitId, Repo};
use serde::Serialize;

use super::showing::Shown;
use super::{Outcome, revision, showing};
use crate::args::{History, Showing};
use crate::command_line::quote;
use crate::exit::Exit;
use crate::failure::Problem;
use crate::paths::Base;
use crate::progress;
use crate::render::{Commits, history, json};
use crate::session::Session;

/// Runs `rb history`.
pub(crate) fn run(args: &History, session: &mut Session) -> Outcome {
    let repo = session.repo()?;
    let typed = args.path.clone();
    let path = Base::new(&repo, session.folder()).resolve(&args.path)?;
    let mut options = HistoryOptions::default();
    options.tip = revision(&args.tip)?;
    options.limit = args.max_count;
    options.follow_renames = !args.no_follow;
    let found = progress::during(&session.console, "reading history", || repo.history(&path, &options))?;
    let args = &args.showing;
    let diffs = match args.is_asked_for() {
        true => diffs(&found, args, &repo, session)?,
        false => Vec::new(),
    };
    if session.console.json() {
        let diffs = diffs.into_iter().map(|(_, shown)| shown.document).collect();
        session.console.print(&json::document(&HistoryDocument { history: found, diffs }));
        return Ok(Exit::Done);
    }
    let commits = Commits::look_up(named_commits(&found), &repo);
    let typed = quote(typed.as_encoded_bytes());
    let next = session.invocation.command(&["revert", "--dry-run", "--file"]);
    let text = history::render(&found, &commits, session.console.look(), &format!("{next} {typed}"));
    let console = &mut session.console;
    showing::begin(diffs.first().map(|(_, shown)| shown), args, &repo, console);
    console.print(&text);
    let written = diffs.iter().try_for_each(|(change, shown)| {
        console.tell(&format!("\n{}", history::heading(change, &commits)));
        showing::write(Some(shown), args, console)
    });
    console.end_paging();
    written?;
    Ok(Exit::Done)
}

/// What `rb history --json` prints.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "PathHistory")]
pub(crate) struct HistoryDocument {
    #[serde(flatten)]
    history: PathHistory,
    /// What each of the changes did to the path, in their order; none where it was not asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    diffs: Vec<DiffDocument>,
}

/// What each change did to the path, under the names that it had.
fn diffs<'h>(
    found: &'h PathHistory,
    args: &Showing,
    repo: &Repo,
    session: &Session,
) -> Result<Vec<(&'h HistoryChange, Shown)>, Problem> {
    let mut diffs = Vec::new();
    for change in &found.changes {
        let paths = [Some(&change.path), change.from.as_ref(), change.to.as_ref()];
        let of_change = |options: &DiffOptions| {
            let options = options.clone().of_paths(paths.into_iter().flatten().cloned());
            repo.commit_patch(change.commit_id, &options).map(Some)
        };
        let shown = showing::found(repo, args, &session.console, of_change)?;
        diffs.extend(shown.map(|shown| (change, shown)));
    }
    Ok(diffs)
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
