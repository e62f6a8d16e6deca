//! A procedure as the file spells it: the top of the document and what it says about itself.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::check::Check;
use super::figure::Operator;
use super::named::Named;
use super::phase::{CommitText, Phase, Soak};
use super::step::{Evidence, Followup, Message, Publish, Report, Step};
use super::trigger::{Decision, Metric, Severity, Trigger};
use super::value::{Pattern, Period, PeriodRange, Scalar, TreePath};

/// The version of the format that this crate reads.
pub const SCHEMA_VERSION: u32 = 1;

/// A procedure.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// The version of the format: 1.
    pub schema: u32,
    /// Its name, which is also the name of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What it is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// Files beside this one whose checks, steps, inputs and the like belong to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<String>,
    /// Who may run it, any of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authority: Vec<String>,
    /// Within which time a run should be done; an overrun warns and never stops anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rto: Option<Period>,
    /// How often it should be rehearsed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drill_every: Option<Period>,
    /// The phase that runs where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_phase: Option<String>,
    /// Ignored paths that every phase's checks need in the scratch work tree.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub link: Vec<TreePath>,
    /// What the document says about itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
    /// Who has to read and sign it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signoff: Vec<Signoff>,
    /// Whom to call.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contact: Vec<Contact>,
    /// Documents, dashboards and scripts that belong to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// The roles that `authority` and approvals name.
    #[serde(default, skip_serializing_if = "Named::is_empty")]
    pub role: Named<Role>,
    /// The rules it follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
    /// The values a run takes.
    #[serde(default, skip_serializing_if = "Named::is_empty")]
    pub input: Named<Input>,
    /// What must be true of desired-state files before and after.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub constraint: Vec<Constraint>,
    /// Metrics and where their samples come from.
    #[serde(default, skip_serializing_if = "Named::is_empty")]
    pub metric: Named<Metric>,
    /// When to use it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trigger: Vec<Trigger>,
    /// When not to use it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub avoid: Vec<Avoid>,
    /// How bad it is; the severest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub severity: Vec<Severity>,
    /// Which phase for which symptom.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decision: Vec<Decision>,
    /// What must be so before anything is done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub precheck: Vec<Precheck>,
    /// What is remembered of the repository before anything is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<Checkpoint>,
    /// What is saved of the outside world before anything is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<Backup>,
    /// Parts of the document with a time budget.
    #[serde(default, skip_serializing_if = "Named::is_empty")]
    pub group: Named<Group>,
    /// What can be rolled back.
    #[serde(default, skip_serializing_if = "Named::is_empty")]
    pub phase: Named<Phase>,
    /// Checks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub check: Vec<Check>,
    /// Steps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub step: Vec<Step>,
    /// Evidence.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
    /// Messages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub message: Vec<Message>,
    /// Reports.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub report: Vec<Report>,
    /// What is due afterwards.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub followup: Vec<Followup>,
    /// The commit of a rollback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<CommitText>,
    /// The branch that takes the result; the current one unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// How the result leaves this machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publish: Option<Publish>,
    /// How long to watch afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soak: Option<Soak>,
    /// When the rollback counts as successful.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success: Option<Success>,
    /// How the rollback itself is taken back once the ground is better.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<Undo>,
    /// How the change is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    /// What to do when it does not work.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub diagnose: Vec<Diagnose>,
    /// What happened to the document itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
}

/// What the document says about itself.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Meta {
    /// Its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Its state, such as `ACTIVE`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// How urgent it is, such as `P0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<String>,
    /// How critical the system is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub criticality: Option<String>,
    /// How dangerous the rollback is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<String>,
    /// How long it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimate: Option<PeriodRange>,
    /// Whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// When it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// When it was last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated: Option<String>,
    /// When it was last rehearsed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_tested: Option<String>,
    /// When it is to be read again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_review: Option<String>,
    /// How sure its authors are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<String>,
    /// What a reader should know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// Somebody who has to sign.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Signoff {
    /// The role.
    pub role: String,
    /// Who signed; nobody yet unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
}

/// Somebody to call.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// What for, such as `primary`.
    pub role: String,
    /// Who.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where: a channel, an address, a handle.
    pub at: String,
}

/// A document, dashboard or script.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// What it is.
    pub title: String,
    /// Where it is.
    pub to: String,
    /// What a reader should know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Who somebody is to this procedure.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// What it is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Mail addresses of those who have it; anybody who says so unless given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<String>,
}

/// The rules it follows, in words; the tool keeps those it knows.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// What holds always.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub principles: Vec<String>,
    /// What is never done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub never: Vec<String>,
    /// How branches are used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub branches: Vec<String>,
    /// What to do before, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<String>,
    /// What to do during, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub during: Vec<String>,
    /// What to do after, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<String>,
}

/// What an input is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum InputKind {
    /// Text.
    #[default]
    Text,
    /// A whole number.
    Integer,
    /// A number between 0 and 100.
    Percentage,
    /// A length of time.
    Duration,
    /// Yes or no.
    Boolean,
    /// A commit: any revision.
    Commit,
    /// A path inside the repository.
    Path,
    /// Several declared values, separated by commas.
    List,
}

/// A value that a run takes, with `--set NAME=VALUE`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// What it is.
    #[serde(default, rename = "type")]
    pub kind: InputKind,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Its value where none is given; without one it must be given where it is used. Lists default to all `values`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Scalar>,
    /// The only values it may have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// What it must match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<Pattern>,
    /// The least it may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<Scalar>,
    /// The most it may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Scalar>,
    /// Whether it is taken out of everything that is written.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub secret: bool,
}

/// What must be true of figures in desired-state files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Constraint {
    /// Its name.
    pub id: String,
    /// The figures that are added up, each `"file:key.path"`.
    pub sum: Vec<String>,
    /// How the sum is compared.
    pub op: Operator,
    /// With what.
    pub value: Scalar,
}

/// When not to use the procedure.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Avoid {
    /// In words.
    pub when: String,
    /// What to do instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead: Option<String>,
}

/// What must be so before anything is done: a question or a check.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Precheck {
    /// Its name.
    pub id: String,
    /// What a person confirms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ask: Option<String>,
    /// The check that must pass, in the real work tree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// The step that does it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// The input that must be set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
    /// The phases it is for; all unless given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phases: Vec<String>,
    /// Whether it counts even with `--emergency`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub always: bool,
}

/// What is remembered of the repository.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// Its name; its scope is the procedure.
    pub name: String,
    /// Paths outside the repository that are copied with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outside: Vec<String>,
    /// Whether every object and copy is read back when it is verified.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deep: bool,
}

/// What is saved of the outside world. A phase never runs without it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Backup {
    /// Whether phases refuse to run without it.
    #[serde(default)]
    pub required: bool,
    /// The step that makes it.
    pub step: String,
    /// The check that shows that it can be used.
    pub verify: String,
    /// The phases that need it; all unless given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phases: Vec<String>,
}

/// A part of the document with a time budget.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// What it is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// How long it should take; an overrun warns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Period>,
    /// Steps, before anything changes (`at = "before"`) or after landing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<String>,
    /// Checks, at the same time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<String>,
    /// Evidence, at the same time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<String>,
    /// When the group is worked off.
    #[serde(default)]
    pub at: GroupTime,
    /// Whether the first check that does not pass ends the group.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fail_fast: bool,
    /// The phases it belongs to; all unless given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phases: Vec<String>,
    /// What to decide or do, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// When a group is worked off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GroupTime {
    /// Before anything changes.
    Before,
    /// After landing.
    #[default]
    After,
    /// Only when somebody names it.
    Asked,
}

/// When the rollback counts as successful.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Success {
    /// The checks that must all have passed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub all: Vec<String>,
    /// What else, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// How the rollback itself is taken back.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Undo {
    /// What must be so first; each is confirmed by a person.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<String>,
    /// The checks on the candidate.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub validate: Vec<String>,
    /// How it leaves this machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publish: Option<Publish>,
    /// How long to watch afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soak: Option<Soak>,
}

/// How the change is tried again.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Retry {
    /// What to do, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub plan: Vec<String>,
    /// Steps that prepare it; they run with `rb run PROCEDURE --retry-plan`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<String>,
    /// The branch it is prepared on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
}

/// What to do when it does not work.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Diagnose {
    /// The name by which phases call it.
    pub id: String,
    /// What is seen.
    pub symptom: String,
    /// Programs that show more; they only read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub run: Vec<Vec<String>>,
    /// What it may be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<String>,
    /// What helps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub solution: Option<String>,
    /// Which outside program it needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outside: Option<String>,
}

/// A row of the document's own history. Runs are listed by `rb ops`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// When.
    pub date: String,
    /// What.
    pub action: String,
    /// With what outcome.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
}
