//! The report of an operation, of a run or of a rehearsal, as data: what happened, when, what was tried, what was checked, what is left
//! to do. Markdown, HTML and JSON are renderings of it.
//!
//! It is put together from what the operation log and the record of a run hold; nothing is run, decided or written.

mod graph;
mod operation;
mod origin;
mod rehearsal;
#[cfg(feature = "procedures")]
mod run;
mod unreadable;

pub use graph::{Graph, Mark, Node, Part, marks_of_plan};
pub use rehearsal::MatrixRow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::id::CommitId;
use crate::patch::{Diff, DiffDocument, DiffOptions};
use crate::path::RepoPath;
use crate::repo::Repo;
use crate::verdict::Verdict;

/// The version of the document.
pub const SCHEMA_VERSION: u32 = 1;

/// A report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Report {
    /// The version of this document, [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Of what.
    pub kind: ReportKind,
    /// The id of the operation or of the run; of a rehearsal the beginning of its tip's.
    pub id: String,
    /// What it was about, in a line.
    pub title: String,
    /// What came of it.
    pub outcome: ReportOutcome,
    /// When.
    pub timing: Timing,
    /// What else there is to know, in order.
    pub facts: Vec<Fact>,
    /// The changes of a rehearsal, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub matrix: Vec<MatrixRow>,
    /// What happened, in order.
    pub timeline: Vec<Moment>,
    /// The commits concerned, before and after.
    pub graph: Graph,
    /// The ways that were tried, in order.
    pub ladder: Vec<RungReport>,
    /// The paths that changed.
    pub changes: Vec<Changed>,
    /// From which commit to which the reference moved; absent where it did not, or where one of them is not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved: Option<Moved>,
    /// What changed, file by file; absent where it was not counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diff: Option<DiffDocument>,
    /// The checks, and what they said on each side.
    pub checks: Vec<CheckReport>,
    /// What happened outside of the repository.
    pub outside: Vec<String>,
    /// What was kept as evidence.
    pub evidence: Vec<EvidenceReport>,
    /// What is still to be done.
    pub followups: Vec<FollowupReport>,
    /// What was said to people.
    pub messages: Vec<MessageReport>,
}

/// From which commit to which a reference moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Moved {
    /// Where it was.
    pub before: CommitId,
    /// Where it is.
    pub after: CommitId,
}

impl Repo {
    /// What changed where the reference of a report moved; `None` where it did not.
    ///
    /// # Errors
    /// Those of reading objects.
    pub fn report_patch(&self, report: &Report, options: &DiffOptions) -> Result<Option<Diff>> {
        let Some(Moved { before, after }) = report.moved else { return Ok(None) };
        self.diff(self.tree_of_commit(before)?, self.tree_of_commit(after)?, options).map(Some)
    }
}

/// Of what a report is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ReportKind {
    /// An operation of the operation log.
    Operation,
    /// A run of a procedure.
    Run,
    /// A rehearsal of the changes of a range.
    Rehearsal,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ReportOutcome {
    /// In a word or two, such as `Landed`.
    pub word: String,
    /// Whether that is good.
    pub standing: Standing,
    /// A sentence more; empty where there is nothing to say.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// Whether an outcome is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Standing {
    /// What was asked for is done.
    Good,
    /// It goes on, or waits.
    Open,
    /// It needs a look.
    Attention,
    /// It failed.
    Bad,
}

/// When something began and ended, and within which time it should have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Timing {
    /// When it began.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub started: Timestamp,
    /// When it ended; absent where it is still open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub finished: Option<Timestamp>,
    /// How long it took, in milliseconds; absent where it is still open, or was not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elapsed_ms: Option<u64>,
    /// Within which time it should be done, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_ms: Option<u64>,
}

/// Something to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Fact {
    /// What.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Moment {
    /// When it began; absent where that was not noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub at: Option<Timestamp>,
    /// How long it took, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elapsed_ms: Option<u64>,
    /// What kind of thing, in words.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// What came of it: `done`, `skipped`, `failed`, `started` or `pending`.
    pub state: String,
    /// What there is to say about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A way that was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct RungReport {
    /// The strategy.
    pub strategy: String,
    /// What it takes, such as a commit or a source.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// Whether it was taken.
    pub taken: bool,
    /// What came of it, in a word or two.
    pub result: String,
    /// Why it was taken or not.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// The later commits whose edits it discards.
    pub discards: Vec<CommitLine>,
}

/// A commit in a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct CommitLine {
    /// The commit.
    pub commit_id: CommitId,
    /// Its id as people know it.
    pub short: String,
    /// The first line of its message.
    pub subject: String,
}

/// A path that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Changed {
    /// The path.
    pub path: RepoPath,
    /// What became of it: `added`, `modified` or `deleted`.
    pub kind: String,
}

/// A check, and what it said on each side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct CheckReport {
    /// Its name, or its command.
    pub name: String,
    /// What it shows, or on the result of which way it ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// On the tip as it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Look>,
    /// On the result, before it landed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidate: Option<Look>,
    /// On the live system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<Look>,
}

/// What a check said once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Look {
    /// The verdict.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// How long it took, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elapsed_ms: Option<u64>,
    /// What it wrote: redacted, and of much output the start and the end.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub output: String,
}

/// A file that was kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct EvidenceReport {
    /// Its name below the folder of the run.
    pub name: String,
    /// The SHA-256 of what was kept, in hexadecimal.
    pub sha256: String,
    /// Whether that is what is there now.
    pub state: EvidenceState,
    /// How many bytes are there now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
}

/// Whether evidence is still what was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum EvidenceState {
    /// It is there, byte for byte.
    Intact,
    /// Something else is there.
    Altered,
    /// Nothing is there.
    Missing,
}

/// Something still to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct FollowupReport {
    /// By when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub due: Option<Timestamp>,
    /// What.
    pub text: String,
}

/// What was said to people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct MessageReport {
    /// Its name.
    pub name: String,
    /// For whom.
    pub to: Vec<String>,
    /// The subject line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The words.
    pub text: String,
}

/// Facts that have a value.
#[derive(Default)]
struct Facts(Vec<Fact>);

impl Facts {
    fn add(&mut self, name: &str, value: impl Into<String>) {
        let value = value.into();
        if !value.is_empty() {
            self.0.push(Fact { name: name.to_owned(), value });
        }
    }
}
