//! What is done around the change: steps, evidence, messages, reports, follow-ups, publishing, as the file spells them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::check::Expect;
use super::named::Named;
use super::trigger::is_default;
use super::value::{FileName, Pattern, Period, Remote, Scalar, TreePath};

/// Whether a step that was cut off may simply run again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Effect {
    /// It changes nothing, so it runs again.
    Read,
    /// It changes something, so a person decides.
    #[default]
    Write,
}

/// One thing that is done. Exactly one of the kinds is given.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Step {
    /// The name by which phases call it.
    pub id: String,
    /// What it does, in a few words.
    pub title: Option<String>,
    /// Kind: a program and its arguments. No shell reads them; one that begins with `~/` means the home folder.
    #[serde(default)]
    pub run: Vec<String>,
    /// Kind: values of desired-state files, `"file:key.path" = value`.
    #[serde(default)]
    pub set: Named<Scalar>,
    /// Kind: tracked files and folders to remove from the candidate; `*` matches within a name.
    #[serde(default)]
    pub remove: Vec<TreePath>,
    /// Kind: lines to put into a text file of the candidate.
    pub insert: Option<Insert>,
    /// Kind: a text file of the candidate to write whole.
    pub write: Option<WriteFile>,
    /// Kind: paths of the candidate to take from a commit.
    pub restore: Option<Restore>,
    /// Kind: what a person has to do; the run pauses until it is done.
    pub manual: Option<String>,
    /// Kind: a file or folder outside the repository to copy.
    pub copy: Option<CopyFiles>,
    /// Kind: files or folders outside the repository to delete; what is not there is no error.
    #[serde(default)]
    pub delete: Vec<String>,
    /// Kind: variables to write into an environment file, which lasts where an `export` would not.
    pub env_file: Option<EnvFile>,
    /// Kind: a time to wait.
    pub wait: Option<Period>,
    /// Kind: a message to print, save and, where it has a way, send.
    pub message: Option<String>,
    /// What the program must do to count as done; exit code 0 unless given.
    pub expect: Option<Expect>,
    /// Text for the program's standard input. `{secret.NAME}` stands for a declared secret, here and nowhere else:
    /// arguments can be seen by every process of the machine.
    pub stdin: Option<String>,
    /// Variables for the program.
    #[serde(default)]
    pub env: Named<String>,
    /// Variables passed on from the environment and taken out of everything that is written.
    #[serde(default)]
    pub secrets: Vec<String>,
    /// After what time the program and all it started are killed; 10 minutes unless given.
    pub timeout: Option<Period>,
    /// How often it is tried again before a failure counts.
    #[serde(default, skip_serializing_if = "is_default")]
    pub retries: u32,
    /// Steps that must have been done before.
    #[serde(default)]
    pub needs: Vec<String>,
    /// A check that makes the step unnecessary where it passes, such as that of a manual step.
    pub unless: Option<String>,
    /// Whether it may run again after it was cut off.
    #[serde(default, skip_serializing_if = "is_default")]
    pub effect: Effect,
    /// Whether the run goes on when it fails; the report says so.
    #[serde(default, skip_serializing_if = "is_default")]
    pub optional: bool,
    /// Whether it is left out with `--emergency`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub skip_in_emergency: bool,
    /// Whether it runs only with `--emergency`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub only_in_emergency: bool,
    /// Whose approval it needs.
    pub approval: Option<String>,
    /// The program that takes it back, named by `rb abort` and never run unasked.
    #[serde(default)]
    pub undo: Vec<String>,
    /// Which outside program it needs.
    pub outside: Option<String>,
    /// What a reader should know.
    pub note: Option<String>,
}

/// Lines to put into a text file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Insert {
    /// The file; it is made where it is missing and no `after` is given.
    pub path: TreePath,
    /// The lines.
    pub lines: Vec<String>,
    /// The line they follow; it must match exactly once. At the end of the file unless given.
    pub after: Option<Pattern>,
}

/// A text file to write.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct WriteFile {
    /// The file.
    pub path: TreePath,
    /// Its whole content.
    pub text: String,
}

/// Paths to take from a commit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Restore {
    /// The paths.
    pub paths: Vec<TreePath>,
    /// Where from, as a rung's `from`.
    pub from: String,
    /// Whether paths that the source does not have are removed.
    #[serde(default, skip_serializing_if = "is_default")]
    pub exact: bool,
}

/// Files to copy. The target becomes what the source is: nothing is nested into it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CopyFiles {
    /// The file or folder to read.
    pub from: String,
    /// What it is to become.
    pub to: String,
    /// Whether files of the target that the source does not have are removed.
    #[serde(default, skip_serializing_if = "is_default")]
    pub exact: bool,
}

/// An environment file of `NAME=value` lines; other lines stay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct EnvFile {
    /// The file.
    pub path: String,
    /// The variables.
    pub set: Named<Scalar>,
}

/// When evidence is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum EvidenceTime {
    /// Before anything changes.
    #[default]
    Before,
    /// After landing.
    After,
    /// When the run does not succeed.
    Failure,
}

/// Something to keep, redacted, under the run's own folder.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Evidence {
    /// The name by which phases call it.
    pub id: String,
    /// What it is.
    pub title: Option<String>,
    /// The program whose output is kept; its exit code is recorded and does not matter.
    #[serde(default)]
    pub run: Vec<String>,
    /// Files to copy; `*` matches within a name.
    #[serde(default)]
    pub files: Vec<String>,
    /// The name it is kept under; the id unless given.
    pub to: Option<FileName>,
    /// When it is taken.
    #[serde(default, skip_serializing_if = "is_default")]
    pub when: EvidenceTime,
    /// After what time the program is killed.
    pub timeout: Option<Period>,
    /// Variables passed on from the environment and taken out of everything that is written.
    #[serde(default)]
    pub secrets: Vec<String>,
    /// Whether the run goes on without it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub optional: bool,
    /// Which outside program it needs.
    pub outside: Option<String>,
}

/// When a message is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Occasion {
    /// When the run begins.
    #[default]
    Initiated,
    /// While it runs.
    Update,
    /// When it has succeeded.
    Complete,
    /// When it has not.
    Failed,
    /// Only when a step names it.
    Asked,
}

/// Words for people. They are printed and saved, and sent only by `send`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Message {
    /// Its name.
    pub id: String,
    /// When it is due.
    #[serde(default)]
    pub on: Occasion,
    /// For whom, such as channels.
    #[serde(default)]
    pub to: Vec<String>,
    /// The subject line.
    pub subject: Option<String>,
    /// The words.
    pub text: String,
    /// How often an update follows.
    pub every: Option<Period>,
    /// The program that sends it; the text is its standard input.
    #[serde(default)]
    pub send: Vec<String>,
    /// Variables passed on from the environment and taken out of everything that is written.
    #[serde(default)]
    pub secrets: Vec<String>,
}

/// A report of the procedure's own, beside the one that every run has.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Report {
    /// Its name.
    pub id: String,
    /// Its title.
    pub title: Option<String>,
    /// The file of the repository that is committed with the rollback; only saved with the run unless given.
    pub path: Option<TreePath>,
    /// Its text.
    pub text: String,
}

/// Something that is due after the rollback.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Followup {
    /// Its name.
    pub id: String,
    /// What is to be done.
    pub text: String,
    /// By when, counted from the end of the run.
    pub due: Option<Period>,
    /// A check that shows that it was done.
    #[serde(default)]
    pub checks: Vec<String>,
    /// A step that does it.
    pub step: Option<String>,
}

/// How the result leaves this machine.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Publish {
    /// The remote to push to, never by force: a name, or a URL that git opens itself.
    pub push: Option<Remote>,
    /// A program that publishes, such as one that opens a pull request; the report is its standard input.
    pub run: Vec<String>,
    /// Variables passed on to git and to the program, and taken out of everything that is written.
    pub secrets: Vec<String>,
    /// The branch that a rollback branch is merged into, with a merge commit.
    pub merge_into: Option<String>,
    /// Whose approval it needs.
    pub approval: Option<String>,
    /// Checks once it is published, such as the pipeline.
    pub verify: Vec<String>,
    /// Which outside program it needs.
    pub outside: Option<String>,
    /// After what time the program is killed.
    pub timeout: Option<Period>,
}

impl Publish {
    /// Whether it is done again after a crash without asking: a second push of the same commit changes nothing. What a
    /// program does is not known, and a merge is a landing.
    pub fn is_repeatable(&self) -> bool {
        self.run.is_empty() && self.merge_into.is_none()
    }
}
