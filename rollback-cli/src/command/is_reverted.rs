//! `rb is-reverted`: whether a commit has been undone.

use rollback_core::history::{IsReverted, Verdict};
use rollback_core::{CommitId, Error, Repo};
use serde::Serialize;

use super::{Outcome, revision, warn_about_names};
use crate::args;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::hint::Hint;
use crate::progress;
use crate::render::{Commits, is_reverted as render, json};
use crate::session::Session;

/// Runs `rb is-reverted`. Yes is exit code 0, and anything less than that is not.
pub(crate) fn run(args: &args::IsReverted, session: &mut Session) -> Outcome {
    let repo = session.repo()?;
    let within = revision(&args.within)?;
    let named = match &args.commit {
        Some(commit) => vec![revision(commit)?],
        None => lines_of_stdin()?,
    };
    if named.is_empty() {
        // What was to be listed may have failed, and a gate that is asked nothing must not say yes.
        return Err(Failure::usage("standard input names no commit")
            .with_hint(Hint::new(
                "see how commits are given with",
                session.invocation.command(&["is-reverted", "--help"]),
            ))
            .into());
    }
    let names = named.iter().map(String::as_str).chain([within.as_str()]);
    warn_about_names(names, &repo, &mut session.console);
    let commits = named.iter().map(|name| repo.resolve_commit(name)).collect::<Result<Vec<_>, _>>()?;
    let answers = progress::during(&session.console, "comparing", || Answer::find(&commits, &within, &repo))?;
    if session.console.json() {
        let spell = if args.stdin { json::line } else { json::document };
        for answer in &answers {
            session.console.print(&spell(answer));
        }
    } else {
        let commits = Commits::look_up(answers.iter().flat_map(Answer::named_commits), &repo);
        let look = session.console.look();
        let reapply = session.invocation.command(&["reapply"]).to_string();
        let text: String = match args.stdin {
            true => answers.iter().map(|answer| render::line(&answer.at_end, &commits, look)).collect(),
            false => answers
                .iter()
                .map(|answer| render::text(&answer.at_end, answer.at_start, (&commits, &reapply), look))
                .collect(),
        };
        session.console.tell(&text);
    }
    Ok(if answers.iter().all(|answer| answer.reverted) { Exit::Done } else { Exit::GateSaysNo })
}

/// The commits on standard input: the first word of each line, so that lists with subjects do.
fn lines_of_stdin() -> Result<Vec<String>, Error> {
    let text = std::io::read_to_string(std::io::stdin());
    let text = text.map_err(|source| Error::Io { action: "read", path: "standard input".into(), source })?;
    Ok(text.lines().filter_map(|line| line.split_whitespace().next()).map(ToOwned::to_owned).collect())
}

/// What `--json` prints.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(crate) struct Answer {
    /// Whether the commit has been undone; of a range, within it.
    reverted: bool,
    /// What held at the start of the range; a change that was undone before it and relanded was in force there.
    #[serde(skip_serializing_if = "Option::is_none")]
    at_start: Option<Verdict>,
    /// What holds at the tip.
    #[serde(flatten)]
    at_end: IsReverted,
}

impl Answer {
    /// Commits that were undone before a range begins have not been undone within it.
    fn find(commits: &[CommitId], within: &str, repo: &Repo) -> Result<Vec<Self>, Error> {
        let named = |name: &str| repo.resolve_commit(if name.is_empty() { "HEAD" } else { name });
        let (start, end) = match within.split_once("..") {
            Some((start, end)) => (Some(named(start)?), named(end)?),
            None => (None, named(within)?),
        };
        let at_end = repo.are_reverted(commits, end, 0)?;
        let at_start: Vec<Option<Verdict>> = match start {
            Some(start) => repo.verdicts(commits, start, 0)?.into_iter().map(Some).collect(),
            None => vec![None; commits.len()],
        };
        let answer = |(at_end, at_start): (IsReverted, Option<Verdict>)| {
            let reverted = at_end.verdict == Verdict::Reverted && at_start != Some(Verdict::Reverted);
            Self { reverted, at_start, at_end }
        };
        Ok(at_end.into_iter().zip(at_start).map(answer).collect())
    }

    fn named_commits(&self) -> Vec<CommitId> {
        let mut ids = vec![self.at_end.commit_id, self.at_end.tip];
        ids.extend(self.at_end.picked_as);
        ids.extend(self.at_end.claims.iter().map(|claim| claim.commit_id));
        ids.extend(self.at_end.paths.iter().filter_map(|path| path.by));
        ids.extend(self.at_end.turns.iter().map(|turn| turn.commit_id));
        ids.extend(&self.at_end.merged_again);
        ids
    }
}
