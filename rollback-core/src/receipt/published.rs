//! What became of letting a result leave this machine.

use serde::{Deserialize, Serialize};

use crate::id::CommitId;

/// A push of a result, and the pull request for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Published {
    /// When, in seconds since the epoch.
    pub time: i64,
    /// The remote, by its name or its URL, without passwords.
    pub remote: String,
    /// The reference of the remote that was to name the commit.
    #[serde(rename = "ref")]
    pub reference: String,
    /// The commit.
    pub commit_id: CommitId,
    /// What became of it.
    pub state: PublishState,
    /// The commits of the result that the remote lacked, newest first.
    pub commit_ids: Vec<CommitId>,
    /// The commits that leave too and are not the result's own, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<CommitId>,
    /// Why it was not pushed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<PublishRefusal>,
    /// The pull request, where one was asked for and the push went well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pull_request: Option<PullRequest>,
}

/// What became of a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum PublishState {
    /// It would be pushed: this was asked, and nothing left.
    WouldPush,
    /// The remote has it.
    Pushed,
    /// The remote had it before.
    UpToDate,
    /// It was not pushed.
    NotPushed,
}

/// Why a result was not pushed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct PublishRefusal {
    /// Of what kind the reason is.
    pub kind: RefusalKind,
    /// The reason, as a fragment.
    pub why: String,
    /// What the remote itself said, line by line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remote_says: Vec<String>,
}

/// Of what kind the reason is that something was not pushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RefusalKind {
    /// The branch of the remote has commits that the result lacks.
    Moved,
    /// The remote declined: a hook, or a protected branch.
    Declined,
    /// Commits that the operation did not make would leave too, and no permission was given.
    Others,
    /// The remote could not be asked, or did not answer.
    Unreachable,
}

/// A pull request, or why there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct PullRequest {
    /// The program that was asked: `gh` or `glab`.
    pub program: String,
    /// Its address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Whether it was open before.
    #[serde(default)]
    pub was_open: bool,
    /// Whether it is not to be merged yet.
    #[serde(default)]
    pub draft: bool,
    /// Why there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

impl Published {
    /// The name of the branch at the remote.
    pub fn branch(&self) -> &str {
        self.reference.strip_prefix("refs/heads/").unwrap_or(&self.reference)
    }

    /// Whether all that was asked for is there: the commit at the remote, and the pull request where one was wanted.
    pub fn is_complete(&self) -> bool {
        let request = self.pull_request.as_ref().is_none_or(|request| request.failure.is_none());
        request && matches!(self.state, PublishState::Pushed | PublishState::UpToDate)
    }
}
