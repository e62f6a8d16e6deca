//! `rb is-reverted`: whether a commit has been undone.

use rollback_core::history::{IsReverted, Verdict};
use rollback_core::{CommitId, Error, Repo};
use serde::Serialize;

use super::{Outcome, revision, warn_about_names};
use crate::args;
use crate::exit::Exit;
use crate::progress;
use crate::render::{Commits, is_reverted as render, json};
use crate::session::Session;

/// Runs `rb is-reverted`. Yes is exit code 0, and anything less than that is not.
pub(crate) fn run(args: &args::IsReverted, session: &mut Session) -> Outcome {
    let repo = session.repo()?;
    let (named, within) = (revision(&args.commit)?, revision(&args.within)?);
    warn_about_names([named.as_str(), within.as_str()], &repo, &mut session.console);
    let commit = repo.resolve_commit(&named)?;
    let answer = progress::during(&session.console, "comparing", || Answer::find(commit, &within, &repo))?;
    if session.console.json() {
        session.console.print(&json::document(&answer));
    } else {
        let commits = Commits::look_up(answer.named_commits(), &repo);
        let look = session.console.look();
        session.console.tell(&render::text(&answer.at_end, answer.at_start, &commits, look));
    }
    Ok(if answer.reverted { Exit::Done } else { Exit::GateSaysNo })
}

/// What `--json` prints.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(crate) struct Answer {
    /// Whether the commit has been undone; of a range, within it.
    reverted: bool,
    /// What held at the start of the range.
    #[serde(skip_serializing_if = "Option::is_none")]
    at_start: Option<Verdict>,
    /// What holds at the tip.
    #[serde(flatten)]
    at_end: IsReverted,
}

impl Answer {
    /// A commit that was undone before a range begins has not been undone within it.
    fn find(commit: CommitId, within: &str, repo: &Repo) -> Result<Self, Error> {
        let named = |name: &str| repo.resolve_commit(if name.is_empty() { "HEAD" } else { name });
        let (start, end) = match within.split_once("..") {
            Some((start, end)) => (Some(named(start)?), named(end)?),
            None => (None, named(within)?),
        };
        let at_end = repo.is_reverted(commit, end)?;
        let at_start =
            start.map(|start| repo.is_reverted(commit, start)).transpose()?.map(|answer| answer.verdict);
        let reverted = at_end.verdict == Verdict::Reverted && at_start != Some(Verdict::Reverted);
        Ok(Self { reverted, at_start, at_end })
    }

    fn named_commits(&self) -> Vec<CommitId> {
        let mut ids = vec![self.at_end.commit_id, self.at_end.tip];
        ids.extend(self.at_end.picked_as);
        ids.extend(self.at_end.claims.iter().map(|claim| claim.commit_id));
        ids.extend(self.at_end.paths.iter().filter_map(|path| path.by));
        ids
    }
}
