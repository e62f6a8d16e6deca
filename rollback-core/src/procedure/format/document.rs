//! A procedure as the file spells it: the top of the document and what it says about itself.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::check::Check;
use super::figure::Operator;
use super::named::Named;
use super::phase::{CommitText, Phase, Soak};
use super::step::{Evidence, Followup, Message, Publish, Report, Step};
use super::trigger::{Decision, Metric, Severity, Trigger, is_default};
use super::value::{Pattern, Period, PeriodRange, Scalar, TreePath};

/// The version of the format that this crate reads.
pub const SCHEMA_VERSION: u32 = 1;

/// A procedure.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Document {
    /// The version of the format: 1.
    pub schema: u32,
    /// Its name, which is also the name of the file.
    pub id: Option<String>,
    /// What it is called.
    pub title: Option<String>,
    /// What it is for.
    pub purpose: Option<String>,
    /// Files beside this one whose checks, steps, inputs and the like belong to it.
    pub include: Vec<String>,
    /// Who may run it, any of them.
    pub authority: Vec<String>,
    /// Within which time a run should be done; an overrun warns and never stops anything.
    pub rto: Option<Period>,
    /// How often it should be rehearsed.
    pub drill_every: Option<Period>,
    /// The phase that runs where none is named.
    pub default_phase: Option<String>,
    /// Ignored paths that every phase's checks need in the scratch work tree.
    pub link: Vec<TreePath>,
    /// What the document says about itself.
    pub meta: Option<Meta>,
    /// Who has to read and sign it.
    pub signoff: Vec<Signoff>,
    /// Whom to call.
    pub contact: Vec<Contact>,
    /// Documents, dashboards and scripts that belong to it.
    pub links: Vec<Link>,
    /// The roles that `authority` and approvals name.
    pub role: Named<Role>,
    /// The rules it follows.
    pub policy: Option<Policy>,
    /// The values a run takes.
    pub input: Named<Input>,
    /// What must be true of desired-state files before and after.
    pub constraint: Vec<Constraint>,
    /// Metrics and where their samples come from.
    pub metric: Named<Metric>,
    /// When to use it.
    pub trigger: Vec<Trigger>,
    /// When not to use it.
    pub avoid: Vec<Avoid>,
    /// How bad it is; the severest first.
    pub severity: Vec<Severity>,
    /// Which phase for which symptom.
    pub decision: Vec<Decision>,
    /// What must be so before anything is done.
    pub precheck: Vec<Precheck>,
    /// What is remembered of the repository before anything is done.
    pub checkpoint: Option<Checkpoint>,
    /// What is saved of the outside world before anything is done.
    pub backup: Option<Backup>,
    /// Parts of the document with a time budget.
    pub group: Named<Group>,
    /// What can be rolled back.
    pub phase: Named<Phase>,
    /// Checks.
    pub check: Vec<Check>,
    /// Steps.
    pub step: Vec<Step>,
    /// Evidence.
    pub evidence: Vec<Evidence>,
    /// Messages.
    pub message: Vec<Message>,
    /// Reports.
    pub report: Vec<Report>,
    /// What is due afterwards.
    pub followup: Vec<Followup>,
    /// The commit of a rollback.
    pub commit: Option<CommitText>,
    /// The branch that takes the result; the current one unless given.
    pub branch: Option<String>,
    /// How the result leaves this machine.
    pub publish: Option<Publish>,
    /// How long to watch afterwards.
    pub soak: Option<Soak>,
    /// When the rollback counts as successful.
    pub success: Option<Success>,
    /// How the rollback itself is taken back once the ground is better.
    pub undo: Option<Undo>,
    /// How the change is tried again.
    pub retry: Option<Retry>,
    /// What to do when it does not work.
    pub diagnose: Vec<Diagnose>,
    /// What happened to the document itself.
    pub changes: Vec<Change>,
}

impl Document {
    /// The document as JSON. A key that the file does not have, or that is an empty list, is absent.
    pub fn to_json(&self) -> Value {
        let mut document = serde_json::to_value(self).unwrap_or_default();
        remove_absent(&mut document);
        document
    }
}

/// Removes the keys of tables that stand for nothing.
fn remove_absent(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null() && *member != Value::Array(Vec::new()));
            members.values_mut().for_each(remove_absent);
        }
        Value::Array(items) => items.iter_mut().for_each(remove_absent),
        _ => {}
    }
}

/// What the document says about itself.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Meta {
    /// Its version.
    pub version: Option<String>,
    /// Its state, such as `ACTIVE`.
    pub status: Option<String>,
    /// How urgent it is, such as `P0`.
    pub priority: Option<String>,
    /// How critical the system is.
    pub criticality: Option<String>,
    /// How dangerous the rollback is.
    pub risk: Option<String>,
    /// How long it takes.
    pub estimate: Option<PeriodRange>,
    /// Whose it is.
    pub owner: Option<String>,
    /// When it was written.
    pub created: Option<String>,
    /// When it was last changed.
    pub updated: Option<String>,
    /// When it was last rehearsed.
    pub last_tested: Option<String>,
    /// When it is to be read again.
    pub next_review: Option<String>,
    /// How sure its authors are.
    pub confidence: Option<String>,
    /// What a reader should know.
    pub notes: Vec<String>,
}

/// A person who has to sign.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Signoff {
    /// The role.
    pub role: String,
    /// Who signed; not signed yet unless given.
    pub name: Option<String>,
    /// When.
    pub date: Option<String>,
}

/// A person to call.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Contact {
    /// What for, such as `primary`.
    pub role: String,
    /// Who.
    pub name: Option<String>,
    /// Where: a channel, an address, a handle.
    pub at: String,
}

/// A document, dashboard or script.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Link {
    /// What it is.
    pub title: String,
    /// Where it is.
    pub to: String,
    /// What a reader should know.
    pub note: Option<String>,
}

/// What a person is to this procedure.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Role {
    /// What it is called.
    pub title: Option<String>,
    /// Mail addresses of those who have it; every user who names the role unless given.
    pub members: Vec<String>,
}

/// The rules it follows, in words; the tool keeps those it knows.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Policy {
    /// What holds always.
    pub principles: Vec<String>,
    /// What is never done.
    pub never: Vec<String>,
    /// How branches are used.
    pub branches: Vec<String>,
    /// What to do before, in words.
    pub before: Vec<String>,
    /// What to do during, in words.
    pub during: Vec<String>,
    /// What to do after, in words.
    pub after: Vec<String>,
}

/// What an input is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
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
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Input {
    /// What it is.
    #[serde(rename = "type")]
    pub kind: InputKind,
    /// What it is for.
    pub help: Option<String>,
    /// Its value where none is given; without one it must be given where it is used. Lists default to all `values`.
    pub default: Option<Scalar>,
    /// The only values it may have.
    pub values: Vec<String>,
    /// What it must match.
    pub pattern: Option<Pattern>,
    /// The least it may be.
    pub min: Option<Scalar>,
    /// The most it may be.
    pub max: Option<Scalar>,
    /// Whether it is taken out of everything that is written.
    #[serde(skip_serializing_if = "is_default")]
    pub secret: bool,
}

/// What must be true of figures in desired-state files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
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
#[non_exhaustive]
pub struct Avoid {
    /// In words.
    pub when: String,
    /// What to do instead.
    pub instead: Option<String>,
}

/// What must be so before anything is done: a question or a check.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Precheck {
    /// Its name.
    pub id: String,
    /// What a person confirms.
    pub ask: Option<String>,
    /// The check that must pass, in the real work tree.
    pub check: Option<String>,
    /// The step that does it.
    pub step: Option<String>,
    /// The input that must be set.
    pub input: Option<String>,
    /// The phases it is for; all unless given.
    #[serde(default)]
    pub phases: Vec<String>,
    /// Whether it counts even with `--emergency`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub always: bool,
}

/// What is remembered of the repository.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Checkpoint {
    /// Its name; its scope is the procedure.
    pub name: String,
    /// Paths outside the repository that are copied with it.
    #[serde(default)]
    pub outside: Vec<String>,
    /// Whether every object and copy is read back when it is verified.
    #[serde(default, skip_serializing_if = "is_default")]
    pub deep: bool,
}

/// What is saved of the outside world. A phase never runs without it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Backup {
    /// Whether phases refuse to run without it.
    #[serde(default)]
    pub required: bool,
    /// The step that makes it.
    pub step: String,
    /// The check that shows that it can be used.
    pub verify: String,
    /// The phases that need it; all unless given.
    #[serde(default)]
    pub phases: Vec<String>,
}

/// A part of the document with a time budget.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Group {
    /// What it is called.
    pub title: Option<String>,
    /// How long it should take; an overrun warns.
    pub budget: Option<Period>,
    /// Steps, before anything changes (`at = "before"`) or after landing.
    pub steps: Vec<String>,
    /// Checks, at the same time.
    pub checks: Vec<String>,
    /// Evidence, at the same time.
    pub evidence: Vec<String>,
    /// When the group is worked off.
    pub at: GroupTime,
    /// Whether the first check that does not pass ends the group.
    #[serde(skip_serializing_if = "is_default")]
    pub fail_fast: bool,
    /// The phases it belongs to; all unless given.
    pub phases: Vec<String>,
    /// What to decide or do, in words.
    pub notes: Vec<String>,
}

/// When a group is worked off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum GroupTime {
    /// Before anything changes.
    Before,
    /// After landing.
    #[default]
    After,
    /// Only when it is named.
    Asked,
}

/// When the rollback counts as successful.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Success {
    /// The checks that must all have passed.
    pub all: Vec<String>,
    /// What else, in words.
    pub notes: Vec<String>,
}

/// How the rollback itself is taken back.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Undo {
    /// What must be so first; each is confirmed by a person.
    pub conditions: Vec<String>,
    /// The checks on the candidate.
    pub validate: Vec<String>,
    /// How it leaves this machine.
    pub publish: Option<Publish>,
    /// How long to watch afterwards.
    pub soak: Option<Soak>,
}

/// How the change is tried again.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Retry {
    /// What to do, in words.
    pub plan: Vec<String>,
    /// Steps that prepare it; they run with `rb run PROCEDURE --retry-plan`.
    pub steps: Vec<String>,
    /// The branch it is prepared on.
    pub branch: Option<String>,
}

/// What to do when it does not work.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Diagnose {
    /// The name by which phases call it.
    pub id: String,
    /// What is seen.
    pub symptom: String,
    /// Programs that show more; they only read.
    #[serde(default)]
    pub run: Vec<Vec<String>>,
    /// What it may be.
    #[serde(default)]
    pub causes: Vec<String>,
    /// What helps.
    pub solution: Option<String>,
    /// Which outside program it needs.
    pub outside: Option<String>,
}

/// A row of the document's own history. Runs are listed by `rb ops`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Change {
    /// When.
    pub date: String,
    /// What.
    pub action: String,
    /// With what outcome.
    pub outcome: Option<String>,
}
