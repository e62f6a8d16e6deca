//! Where an operation took place and whose it was: the repository, its remote, the operator, the pull request.

use std::sync::LazyLock;

use regex::Regex;

use super::Facts;
use crate::id::CommitId;
use crate::process::Redactor;
use crate::repo::Repo;

/// How forges name a pull or merge request in the message of the commit that merges it: GitHub's merges, its squashed
/// commits (and those of many others), GitLab's merges.
static REQUESTS: LazyLock<[Regex; 3]> = LazyLock::new(|| {
    [r"^Merge pull request (#\d+) ", r"^[^\n]*\((#\d+)\)\s*(?:\n|$)", r"(?m)^See merge request (\S*!\d+)\s*$"]
        .map(|pattern| Regex::new(pattern).expect("the pattern is a literal of this file"))
});

/// The repository, its remote for a reference, and who made a commit, where they are known.
pub(super) fn add_origin(facts: &mut Facts, repo: &Repo, reference: &str, made: Option<CommitId>) {
    let folder = repo.work_dir().unwrap_or_else(|| repo.git_dir());
    facts.add("Repository", folder.display().to_string());
    facts.add("Remote", remote(repo, reference).unwrap_or_default());
    let operator = made.and_then(|id| repo.commit_people(id).ok());
    facts.add("Operator", operator.map_or(String::new(), |people| people.committer));
}

/// The address of the remote that a branch follows, else of `origin`, without user names and passwords.
fn remote(repo: &Repo, reference: &str) -> Option<String> {
    let branch = reference.strip_prefix("refs/heads/").unwrap_or(reference);
    let name = repo.config_string(&format!("branch.{branch}.remote")).unwrap_or_else(|| "origin".into());
    let url = repo.config_string(&format!("remote.{name}.url"))?;
    Some(format!("{name}, {}", Redactor::default().redact_str(&url)))
}

/// The pull request that brought commits in, as their messages say.
pub(super) fn add_requests(facts: &mut Facts, repo: &Repo, commits: &[CommitId]) {
    /// More are not looked at.
    const MOST: usize = 20;
    let mut found = Vec::new();
    for commit in commits.iter().take(MOST) {
        let message = repo.commit_message(*commit).unwrap_or_default();
        let named = REQUESTS.iter().find_map(|pattern| pattern.captures(&message)?.get(1));
        if let Some(request) = named.map(|name| name.as_str().to_owned()).filter(|name| !found.contains(name))
        {
            found.push(request);
        }
    }
    facts.add("Pull request", found.join(", "));
}
