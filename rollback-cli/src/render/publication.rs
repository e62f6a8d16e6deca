//! What publishing a run would let leave this machine, for people.

use rollback_core::procedure::engine::Publication;
use rollback_core::{CommitId, Repo};

use super::{Look, short_reference};
use crate::terminal::style::{Palette, paint};
use crate::terminal::text::escape;

/// What would leave, where to, and what is wrong with it.
pub(crate) fn leaving(publication: &Publication, repo: &Repo, look: Look) -> String {
    let mut text = String::new();
    if let Some(branch) = &publication.merge_into {
        text.push_str(&format!("merged into {} first\n", short_reference(branch)));
    }
    if let Some(remote) = &publication.remote {
        let branch = short_reference(&publication.reference);
        text.push_str(&format!("to {} {branch}, never by force:\n", escape(remote)));
        text.push_str(&commits(&publication.commits, repo, look));
        if publication.commits.is_empty() {
            text.push_str("  nothing of the run: the remote has it\n");
        }
    }
    if !publication.others.is_empty() {
        text.push_str(&paint(Palette::WARN, "and these, which the run did not make:\n"));
        text.push_str(&commits(&publication.others, repo, look));
    }
    for program in &publication.programs {
        text.push_str(&format!("by the program: {}\n", escape(&program.join(" "))));
    }
    if !publication.failed.is_empty() {
        let failed = escape(&publication.failed.join(", ")).into_owned();
        text.push_str(&format!("{} {failed}\n", paint(Palette::BAD, "failed after it landed:")));
    }
    text
}

/// Commits, a line each.
pub(super) fn commits(commits: &[CommitId], repo: &Repo, look: Look) -> String {
    let shown = look.shown(12);
    let mut text = String::new();
    for commit in commits.iter().take(shown) {
        let subject = repo.commit_summary(*commit).map(|summary| summary.subject).unwrap_or_default();
        text.push_str(&format!(
            "  {} {}\n",
            paint(Palette::ID, repo.abbreviation(*commit)),
            escape(&subject)
        ));
    }
    if commits.len() > shown {
        text.push_str(&format!("  and {} more (-v shows all)\n", commits.len() - shown));
    }
    text
}
