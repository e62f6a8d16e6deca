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
#[non_exhaustive]
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
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Phase {
    /// What it is called.
    pub title: Option<String>,
    /// When to choose it, in words.
    pub when: Vec<String>,
    /// What a reader should know.
    pub notes: Vec<String>,
    /// How dangerous it is.
    pub risk: Option<Risk>,
    /// Within which time it should be done; an overrun warns and never stops anything.
    pub rto: Option<Period>,
    /// Who may run it, any of them; the procedure's own list unless given.
    pub authority: Vec<String>,
    /// Whose approval is needed beside it, all of them.
    pub approvals: Vec<String>,
    /// Words that the operator has to type, for what cannot be taken back.
    pub confirm: Option<String>,
    /// Whether its outside effects cannot be undone.
    #[serde(skip_serializing_if = "is_default")]
    pub irreversible: bool,
    /// What is rolled back.
    pub target: Option<Target>,
    /// The only paths it may touch: a rung that touches others exceeds the phase and is not applicable.
    pub paths: Vec<TreePath>,
    /// The ways to roll back, in order.
    pub ladder: Vec<Rung>,
    /// Values of desired-state files: `"file:key.path" = value`.
    pub set: Named<Scalar>,
    /// A list input over whose members `set` is repeated; `{each.value}` is the member.
    pub each: Option<String>,
    /// Moves numbers of `set` in steps instead of at once, one commit a step.
    pub gradual: Option<Gradual>,
    /// Steps that edit the candidate before it is checked.
    pub edits: Vec<String>,
    /// Paths, keys or systems that stay as they are, in words; paths among them are checked.
    pub preserve: Vec<String>,
    /// The branch that takes the result; the current one unless given.
    pub branch: Option<String>,
    /// The commit; parts that are missing come from the procedure's own.
    pub commit: Option<CommitText>,
    /// Checks on the candidate, before anything lands.
    pub validate: Vec<String>,
    /// Checks on the candidate after each single revert, where several are made.
    pub validate_each: Vec<String>,
    /// Checks after landing and after the steps, on the real system.
    pub verify: Vec<String>,
    /// Whether the checks also run on the tip as it is; true unless given.
    pub control: Option<bool>,
    /// Whether the first check that does not pass ends the checking.
    pub fail_fast: Option<bool>,
    /// Steps in the real work tree before the branch moves.
    pub before: Vec<String>,
    /// Steps in the real work tree after the branch has moved.
    pub after: Vec<String>,
    /// What is kept as evidence.
    pub evidence: Vec<String>,
    /// The report to write.
    pub report: Option<String>,
    /// How the result leaves this machine; the procedure's own way unless given.
    pub publish: Option<Publish>,
    /// How long to watch afterwards.
    pub soak: Option<Soak>,
    /// What to look at when it does not work.
    pub diagnose: Vec<String>,
    /// Ignored paths that the checks need in the scratch work tree, such as `.venv`.
    pub link: Vec<TreePath>,
    /// Whether a merge may be reverted whole although other phases came in through it.
    #[serde(skip_serializing_if = "is_default")]
    pub whole_merge: bool,
    /// Whether this variant takes over neither changes, checks nor steps of its phase.
    #[serde(skip_serializing_if = "is_default")]
    pub alone: bool,
    /// Other ways to run it. A variant that says what to change replaces all that the phase would change.
    #[serde(rename = "variant")]
    pub variants: Named<Phase>,
}

/// Which of several matches is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
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
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Target {
    /// The last change to this path.
    pub path: Option<TreePath>,
    /// The change that removed this path.
    pub deleted: Option<TreePath>,
    /// This commit.
    pub commit: Option<String>,
    /// These commits.
    pub commits: Vec<String>,
    /// Commits whose message matches.
    pub grep: Option<Pattern>,
    /// Commits since this day, as `2025-10-14` or a time with an offset.
    pub since: Option<String>,
    /// Commits until this day.
    pub until: Option<String>,
    /// Commits whose author's name or mail matches.
    pub author: Option<Pattern>,
    /// Commits with this trailer, as `Key: value` or `Key`.
    pub trailer: Option<String>,
    /// The merge that brought this branch in.
    pub merge_of: Option<String>,
    /// The merges that brought these branches in; they are reverted in this order, all or none.
    pub merges_of: Vec<String>,
    /// The commit that this tag names.
    pub tag: Option<String>,
    /// Which of several matches is meant.
    #[serde(skip_serializing_if = "is_default")]
    pub pick: Pick,
    /// Where commits are looked for; what the tip reaches unless given.
    pub reachable_from: Option<String>,
}

impl Target {
    /// Whether it is found by what commits say.
    pub(crate) fn has_filters(&self) -> bool {
        self.grep.is_some() || self.author.is_some() || self.trailer.is_some()
    }
}

/// Which commits a rung reverts instead of the phase's target.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct CommitFilter {
    /// Commits whose message matches.
    pub grep: Option<Pattern>,
    /// Commits since this day.
    pub since: Option<String>,
    /// Commits until this day.
    pub until: Option<String>,
    /// Commits whose author's name or mail matches.
    pub author: Option<Pattern>,
    /// Commits with this trailer.
    pub trailer: Option<String>,
}

/// The strategy of a rung.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
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

/// Why a rung before this one was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
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
    /// It was asked for by name.
    Manual,
}

/// One way to roll back.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Rung {
    /// The strategy.
    #[serde(rename = "use")]
    pub kind: RungKind,
    /// What it is called in the document.
    pub title: Option<String>,
    /// Where the content comes from: `last-good`, `target^N`, `checkpoint:NAME`, `tag:NAME` or a revision.
    pub from: Option<String>,
    /// The reasons after which it may be tried, any of them. The first rung needs none; later ones need theirs.
    #[serde(default)]
    pub when: Vec<Reason>,
    /// The parent, counted from 1, that a merge is reverted against.
    pub mainline: Option<u32>,
    /// Whether only the phase's paths are taken.
    #[serde(default, skip_serializing_if = "is_default")]
    pub scoped: bool,
    /// The commits it reverts instead of the phase's target.
    pub commits: Option<CommitFilter>,
    /// The paths it restores instead of the phase's.
    #[serde(default)]
    pub paths: Vec<TreePath>,
    /// Whether paths that the source does not have are removed.
    #[serde(default, skip_serializing_if = "is_default")]
    pub exact: bool,
    /// Whose approval it needs.
    pub approval: Option<String>,
    /// The program of a `command` rung.
    #[serde(default)]
    pub run: Vec<String>,
    /// Variables passed on to the program, and taken out of everything that is written.
    #[serde(default)]
    pub secrets: Vec<String>,
    /// Which outside program it needs.
    pub outside: Option<String>,
    /// What a reader should know.
    pub note: Option<String>,
}

/// Moving numbers in steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Gradual {
    /// How long the whole way takes.
    pub over: Period,
    /// In how many steps, each a commit of its own.
    #[serde(default = "Gradual::default_steps")]
    pub steps: u32,
    /// Checks between the steps.
    #[serde(default)]
    pub checks: Vec<String>,
}

impl Gradual {
    fn default_steps() -> u32 {
        5
    }
}

/// The text of a commit.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct CommitText {
    /// The first line.
    pub subject: Option<String>,
    /// What follows it.
    pub body: Option<String>,
    /// Trailers, beside those that say what was rolled back and how.
    pub trailers: Named<String>,
}

/// Watching after the rollback.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Soak {
    /// For how long.
    #[serde(rename = "for")]
    pub lasting: Period,
    /// How often the checks run.
    pub every: Option<Period>,
    /// The checks.
    #[serde(default)]
    pub checks: Vec<String>,
    /// The program that watches.
    #[serde(default)]
    pub steps: Vec<String>,
    /// What to watch for, in words.
    #[serde(default)]
    pub watch: Vec<String>,
    /// What to do once it is over, in words.
    #[serde(default)]
    pub then: Vec<String>,
}

impl Phase {
    /// The phase as it runs with one of its variants; `None` where there is no such variant.
    pub fn with_variant(&self, name: &str) -> Option<Self> {
        let variant = self.variants.get(name)?.clone();
        let mut phase = Self { variants: Named::default(), ..self.clone() };
        if variant.alone {
            (phase.before, phase.after, phase.paths) = Default::default();
            (phase.validate, phase.validate_each, phase.verify) = Default::default();
        }
        if variant.alone || variant.says_what_to_change() {
            (phase.target, phase.ladder, phase.edits) = Default::default();
            (phase.set, phase.each, phase.gradual) = Default::default();
        }
        phase.overlay(variant);
        Some(phase)
    }

    /// Whether it names a ladder, values or edits.
    pub fn says_what_to_change(&self) -> bool {
        !self.ladder.is_empty() || !self.set.is_empty() || !self.edits.is_empty()
    }

    fn overlay(&mut self, over: Self) {
        macro_rules! take {
            ($is_absent:ident: $($field:ident)*) => {
                $(if !over.$field.$is_absent() { self.$field = over.$field; })*
            };
        }
        take! {
            is_none: title risk rto confirm target each gradual branch commit control fail_fast report publish soak
        }
        take! {
            is_empty: when notes authority approvals paths ladder set edits preserve validate validate_each verify
                before after evidence diagnose link
        }
        self.irreversible |= over.irreversible;
        self.whole_merge |= over.whole_merge;
    }
}
