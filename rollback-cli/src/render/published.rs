//! What left this machine, or would leave it, for people.

use rollback_core::receipt::{PublishState, Published, PullRequest};
use rollback_core::{CommitId, Repo};

use super::Look;
use super::publication::commits;
use crate::terminal::style::{Palette, paint};
use crate::terminal::text::escape;

/// What became of a push, and of the pull request.
pub(crate) fn became(published: &Published, repo: &Repo, look: Look) -> String {
    let place = format!("{} {}", escape(&published.remote), escape(published.branch()));
    let mut text = match published.state {
        PublishState::Pushed => {
            format!("{} to {}\n", paint(Palette::GOOD, "Pushed"), paint(Palette::HEADING, place))
        }
        PublishState::UpToDate => format!("Nothing to push: {} has it\n", paint(Palette::HEADING, place)),
        _ => String::new(),
    };
    if published.state == PublishState::Pushed {
        text.push_str(&others(&published.others, repo, look));
    }
    for line in published.refusal.iter().flat_map(|refusal| &refusal.remote_says) {
        text.push_str(&format!("  {}: {}\n", escape(&published.remote), escape(line)));
    }
    if let Some(request) = &published.pull_request {
        text.push_str(&pull_request(request));
    }
    text
}

/// What would leave, and what is in its way.
pub(crate) fn leaving(published: &Published, repo: &Repo, look: Look) -> String {
    let (remote, branch) = (escape(&published.remote), escape(published.branch()));
    if published.state == PublishState::UpToDate {
        return format!("{remote} {branch} has it already\n");
    }
    let mut text = format!("to {remote} {branch}, never by force:\n");
    text.push_str(&commits(&published.commit_ids, repo, look));
    text.push_str(&others(&published.others, repo, look));
    if let Some(refusal) = &published.refusal {
        text.push_str(&format!("{} {}\n", paint(Palette::BAD, "It would not go:"), escape(&refusal.why)));
    }
    text
}

fn others(ids: &[CommitId], repo: &Repo, look: Look) -> String {
    match ids {
        [] => String::new(),
        ids => {
            let heading = paint(Palette::WARN, "and these, which rb did not make:");
            format!("{heading}\n{}", commits(ids, repo, look))
        }
    }
}

fn pull_request(request: &PullRequest) -> String {
    let Some(url) = &request.url else { return String::new() };
    let what = match (request.was_open, request.draft) {
        (true, _) => "The pull request is open:",
        (false, true) => "A draft pull request is open:",
        (false, false) => "A pull request is open:",
    };
    format!("{what} {}\n", paint(Palette::NAME, escape(url)))
}
