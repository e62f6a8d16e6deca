//! What a phase changes, checks and does around it, as the file spells it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::named::Named;
use super::step::Publish;
use super::trigger::is_default;
use super::value::{Pattern, Period, Scalar, TreePath};

/// How dangerous a change, or its rollback, is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Risk {
    /// Words only.
    VeryLow,
    /// No behaviour changes.
    Low,
    /// Tools or builds change.
    Medium,
    /// Behaviour changes.
    High,
    /// Data can be lost.
    Critical,
}

/// One thing a procedure can roll back.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    /// What it is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// When to choose it, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub when: Vec<String>,
    /// What a reader should know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// How dangerous it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<Risk>,
    /// Within which time it should be done; an overrun warns and never stops anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rto: Option<Period>,
    /// Who may run it, any of them; the procedure's own list unless given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authority: Vec<String>,
    /// Whose approval is needed beside it, all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<String>,
    /// Words that the operator has to type, for what cannot be taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm: Option<String>,
    /// Whether its outside effects cannot be undone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub irreversible: bool,
    /// What is rolled back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// The only paths it may touch: a rung that touches others exceeds the phase and is not applicable.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<TreePath>,
    /// The ways to roll back, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ladder: Vec<Rung>,
    /// Values of desired-state files: `"file:key.path" = value`.
    #[serde(default, skip_serializing_if = "Named::is_empty")]
    pub set: Named<Scalar>,
    /// A list input over whose members `set` is repeated; `{each.value}` is the member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub each: Option<String>,
    /// Moves numbers of `set` in steps instead of at once, one commit a step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gradual: Option<Gradual>,
    /// Steps that edit the candidate before it is checked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edits: Vec<String>,
    /// Paths, keys or systems that stay as they are, in words; paths among them are checked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub preserve: Vec<String>,
    /// The branch that takes the result; the current one unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// The commit; parts that are missing come from the procedure's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<CommitText>,
    /// Checks on the candidate, before anything lands.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub validate: Vec<String>,
    /// Checks on the candidate after each single revert, where several are made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub validate_each: Vec<String>,
    /// Checks after landing and after the steps, on the real system.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub verify: Vec<String>,
    /// Whether the checks also run on the tip as it is; true unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control: Option<bool>,
    /// Whether the first check that does not pass ends the checking.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fail_fast: Option<bool>,
    /// Steps in the real work tree before the branch moves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<String>,
    /// Steps in the real work tree after the branch has moved.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<String>,
    /// What is kept as evidence.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<String>,
    /// The report to write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<String>,
    /// How the result leaves this machine; the procedure's own way unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publish: Option<Publish>,
    /// How long to watch afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soak: Option<Soak>,
    /// What to look at when it does not work.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub diagnose: Vec<String>,
    /// Ignored paths that the checks need in the scratch work tree, such as `.venv`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub link: Vec<TreePath>,
    /// Whether a merge may be reverted whole although other phases came in through it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub whole_merge: bool,
    /// Whether this variant takes over neither changes, checks nor steps of its phase.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub alone: bool,
    /// Other ways to run it. A variant that says what to change replaces all that the phase would change.
    #[serde(default, rename = "variant", skip_serializing_if = "Named::is_empty")]
    pub variants: Named<Phase>,
}

/// Which of several matches is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Pick {
    /// There must be exactly one; several are the reason `multiple`.
    #[default]
    One,
    /// The newest.
    Newest,
    /// All of them, newest first.
    All,
}

/// What is rolled back. Filters beside each other must all hold.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The last change to this path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<TreePath>,
    /// The change that removed this path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<TreePath>,
    /// This commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// These commits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commits: Vec<String>,
    /// Commits whose message matches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grep: Option<Pattern>,
    /// Commits since this day, as `2025-10-14` or a time with an offset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Commits until this day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Commits whose author's name or mail matches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<Pattern>,
    /// Commits with this trailer, as `Key: value` or `Key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trailer: Option<String>,
    /// The merge that brought this branch in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merge_of: Option<String>,
    /// The merges that brought these branches in; they are reverted in this order, all or none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub merges_of: Vec<String>,
    /// The commit that this tag names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// Which of several matches is meant.
    #[serde(default, skip_serializing_if = "is_default")]
    pub pick: Pick,
    /// Where commits are looked for; what the tip reaches unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reachable_from: Option<String>,
}

/// Which commits a rung reverts instead of the phase's target.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommitFilter {
    /// Commits whose message matches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grep: Option<Pattern>,
    /// Commits since this day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Commits until this day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Commits whose author's name or mail matches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<Pattern>,
    /// Commits with this trailer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trailer: Option<String>,
}

/// The strategy of a rung.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RungKind {
    /// The inverse of a commit.
    #[default]
    RevertCommit,
    /// The inverse of a merge.
    RevertMerge,
    /// A commit of the past once more.
    CherryPick,
    /// The exact content of paths from a commit.
    RestoreFile,
    /// An outside program.
    Command,
}

impl std::fmt::Display for RungKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::RevertCommit => "revert-commit",
            Self::RevertMerge => "revert-merge",
            Self::CherryPick => "cherry-pick",
            Self::RestoreFile => "restore-file",
            Self::Command => "command",
        })
    }
}

/// Why a rung before this one was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// It conflicts.
    Conflict,
    /// It changes nothing.
    Empty,
    /// It does not fit the target, or exceeds the phase.
    NotApplicable,
    /// The engine cannot decide as git would.
    NeedsReview,
    /// Several changes match.
    Multiple,
    /// Nothing matches.
    NotFound,
    /// Its candidate did not pass the checks.
    ValidationFailed,
    /// Somebody asked for it by name.
    Manual,
}

/// One way to roll back.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rung {
    /// The strategy.
    #[serde(rename = "use")]
    pub kind: RungKind,
    /// What it is called in the document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Where the content comes from: `last-good`, `target^N`, `checkpoint:NAME`, `tag:NAME` or a revision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The reasons after which it may be tried, any of them. The first rung needs none; later ones need theirs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub when: Vec<Reason>,
    /// The parent, counted from 1, that a merge is reverted against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mainline: Option<u32>,
    /// Whether only the phase's paths are taken.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub scoped: bool,
    /// The commits it reverts instead of the phase's target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commits: Option<CommitFilter>,
    /// The paths it restores instead of the phase's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<TreePath>,
    /// Whether paths that the source does not have are removed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub exact: bool,
    /// Whose approval it needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<String>,
    /// The program of a `command` rung.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub run: Vec<String>,
    /// Variables passed on to the program, and taken out of everything that is written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<String>,
    /// Which outside program it needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outside: Option<String>,
    /// What a reader should know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Moving numbers in steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gradual {
    /// How long the whole way takes.
    pub over: Period,
    /// In how many steps, each a commit of its own.
    #[serde(default = "Gradual::default_steps")]
    pub steps: u32,
    /// Checks between the steps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<String>,
}

impl Gradual {
    fn default_steps() -> u32 {
        5
    }
}

/// The text of a commit.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommitText {
    /// The first line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What follows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Trailers, beside those that say what was rolled back and how.
    #[serde(default, skip_serializing_if = "Named::is_empty")]
    pub trailers: Named<String>,
}

/// Watching after the rollback.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Soak {
    /// For how long.
    #[serde(rename = "for")]
    pub lasting: Period,
    /// How often the checks run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Period>,
    /// The checks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<String>,
    /// The program that watches.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<String>,
    /// What to watch for, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub watch: Vec<String>,
    /// What to do once it is over, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub then: Vec<String>,
}

impl Phase {
    /// The phase as it runs with one of its variants; `None` where there is no such variant.
    pub fn with_variant(&self, name: &str) -> Option<Self> {
        let variant = self.variants.get(name)?.clone();
        let mut phase = Self { variants: Named::default(), ..self.clone() };
        if variant.alone {
            phase.before.clear();
            phase.after.clear();
            phase.validate.clear();
            phase.validate_each.clear();
            phase.verify.clear();
            phase.paths.clear();
        }
        if variant.alone || variant.says_what_to_change() {
            phase.target = None;
            phase.ladder.clear();
            phase.set = Named::default();
            phase.each = None;
            phase.gradual = None;
            phase.edits.clear();
        }
        phase.overlay(variant);
        Some(phase)
    }

    /// Whether it names a ladder, values or edits.
    pub fn says_what_to_change(&self) -> bool {
        !self.ladder.is_empty() || !self.set.is_empty() || !self.edits.is_empty()
    }

    fn overlay(&mut self, over: Self) {
        macro_rules! option {
            ($($field:ident),*) => { $(if over.$field.is_some() { self.$field = over.$field; })* };
        }
        macro_rules! list {
            ($($field:ident),*) => { $(if !over.$field.is_empty() { self.$field = over.$field; })* };
        }
        option!(
            title, risk, rto, confirm, target, each, gradual, branch, commit, control, fail_fast, report,
            publish, soak
        );
        list!(
            when,
            notes,
            authority,
            approvals,
            paths,
            ladder,
            set,
            edits,
            preserve,
            validate,
            validate_each,
            verify,
            before,
            after,
            evidence,
            diagnose,
            link
        );
        self.irreversible |= over.irreversible;
        self.whole_merge |= over.whole_merge;
    }
}
