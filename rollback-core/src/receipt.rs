//! What landing a plan is asked to do, and what it says it did.

mod published;

use std::fmt;
use std::sync::Arc;

pub use published::{PublishRefusal, PublishState, Published, PullRequest, RefusalKind};
use serde::{Deserialize, Serialize};

use crate::error::NotPutBack;
use crate::hooks::{HookRun, Hooks};
use crate::id::CommitId;
use crate::path::RepoPath;
use crate::plan::Plan;

/// How a plan is to land. Nothing here changes what the plan does to the tree.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let repo = rollback_core::guide::sample(folder.path().join("r"))?;
/// use rollback_core::receipt::{CommitTime, Destination, Identity};
/// use rollback_core::{ApplyOptions, PlanOptions, Target};
///
/// let mut options = ApplyOptions::default();
/// options.destination = Destination::Branch("rollback/greeting".into());
/// options.identity = Some(Identity::new("Release Bot", "bot@example.com"));
/// options.time = Some(CommitTime::new(1_800_000_000, 0));
/// let plan = repo.plan(&Target::paths(["app.py"]), &PlanOptions::default())?;
/// repo.apply(plan, &options)?;
/// // The branch is new; HEAD, index and work tree are as they were.
/// let landed = repo.resolve_commit("rollback/greeting")?;
/// assert_eq!(repo.commit_summary(landed)?.time, 1_800_000_000);
/// assert_eq!(std::fs::read_to_string(folder.path().join("r/app.py"))?, "print('bye')\n");
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ApplyOptions {
    /// Where the result goes.
    pub destination: Destination,
    /// Permit a result that discards later edits.
    pub allow_loss: bool,
    /// What happens where the tip has moved since the plan was made.
    pub on_moved: OnMoved,
    /// Permit landing where the upstream has newer changes to the paths.
    pub stale_ok: bool,
    /// Sign the commits, or do not; `commit.gpgSign` decides where absent.
    pub sign: Option<bool>,
    /// Who commits; configuration and environment decide where absent.
    pub identity: Option<Identity>,
    /// The time of the commits; the system's clock and zone where absent.
    pub time: Option<CommitTime>,
    /// Who runs the hooks that may run; none is run where absent.
    pub hooks: Option<Arc<dyn Hooks>>,
}

/// Where the result goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Destination {
    /// The branch that HEAD is on, with work tree and index; the branch named by `onto` where one was given.
    #[default]
    CurrentBranch,
    /// A branch of this short name, without touching work tree or index.
    Branch(String),
    /// Index and work tree only; no commit is made.
    Stage,
}

/// What happens where the tip has moved since a plan was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnMoved {
    /// The plan is computed again, and lands where the planned paths are as they were and it does the same to them.
    #[default]
    PlanAgain,
    /// It is refused: what was checked is the result on the old tip and no other.
    Refuse,
}

/// Name and mail of the committer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Identity {
    /// The name.
    pub name: String,
    /// The mail address, without angle brackets.
    pub email: String,
}

/// A moment and the offset it is written with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CommitTime {
    /// Seconds since the epoch.
    pub seconds: i64,
    /// Offset from UTC in seconds, east positive.
    pub offset: i32,
}

impl Identity {
    /// A name and a mail address without angle brackets.
    pub fn new(name: impl Into<String>, email: impl Into<String>) -> Self {
        Self { name: name.into(), email: email.into() }
    }
}

impl CommitTime {
    /// `seconds` since the epoch, written with an offset in seconds, east positive.
    pub fn new(seconds: i64, offset: i32) -> Self {
        Self { seconds, offset }
    }

    /// The system's clock and time zone.
    pub fn now() -> Self {
        let now = crate::local_time::now();
        Self { seconds: now.timestamp().as_second(), offset: now.offset().seconds() }
    }
}

/// As a commit spells it: seconds since the epoch and the offset as `+hhmm`.
impl fmt::Display for CommitTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minutes = self.offset.unsigned_abs() / 60;
        let sign = if self.offset < 0 { '-' } else { '+' };
        write!(f, "{} {sign}{:02}{:02}", self.seconds, minutes / 60, minutes % 60)
    }
}

/// What became of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Receipt {
    /// The plan as it was landed.
    #[serde(flatten)]
    pub plan: Plan,
    /// What happened.
    pub outcome: Outcome,
}

/// What happened when a plan was to land.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Outcome {
    /// What became of it.
    pub kind: OutcomeKind,
    /// The commits made, in order.
    pub commit_ids: Vec<CommitId>,
    /// The id of the operation, as it stands in the trailers.
    pub operation_id: Option<String>,
    /// The reference that moved.
    #[serde(rename = "ref", default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// What an earlier landing had left unfinished, and what became of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovered: Option<Recovery>,
    /// What failed after the result had landed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub later_failure: Option<String>,
    /// What became of the hooks that are installed, where commits were made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hooks: Vec<HookRun>,
    /// What became of letting the result leave this machine, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<Published>,
}

impl Receipt {
    /// The receipt of a plan that was not landed.
    pub fn not_landed(plan: Plan) -> Self {
        Self { plan, outcome: Outcome::of(OutcomeKind::NotLanded) }
    }
}

impl Outcome {
    /// An outcome of which nothing but its kind is known.
    pub(crate) fn of(kind: OutcomeKind) -> Self {
        Self {
            kind,
            commit_ids: Vec::new(),
            operation_id: None,
            reference: None,
            recovered: None,
            later_failure: None,
            hooks: Vec::new(),
            published: None,
        }
    }
}

/// What became of a landing that a crash had cut off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Recovery {
    /// The result had landed; what follows it was done now.
    Finished {
        /// The landing.
        operation_id: String,
        /// Paths outside of the repository that could not be put back; they are let go.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        not_put_back: Vec<NotPutBack>,
    },
    /// The landing was taken back.
    TakenBack {
        /// The landing.
        operation_id: String,
        /// Paths that were written to meanwhile, left as they are.
        edited: Vec<RepoPath>,
    },
    /// The reference is neither where it was nor where it should go: work tree and index were left alone.
    SetAside {
        /// The landing.
        operation_id: String,
        /// Where the files lie that it had displaced, as text for people.
        folder: String,
    },
    /// The landing was over, but files that it had displaced were written to since by a process that had them open.
    Kept {
        /// The landing.
        operation_id: String,
        /// The paths that the files had.
        paths: Vec<RepoPath>,
        /// Where they are now, each at its path, as text for people.
        folder: String,
    },
}

/// What became of a plan that was to land.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum OutcomeKind {
    /// Commits were made and a reference moved.
    Committed,
    /// Index and work tree hold the result.
    Staged,
    /// Index and work tree hold a conflict to be resolved.
    LeftConflicted,
    /// The state asked for was there already.
    NothingToDo,
    /// No rung may be taken; nothing was changed.
    NotLanded,
}
