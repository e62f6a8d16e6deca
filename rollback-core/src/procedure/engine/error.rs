//! Why a run did not start, did not go on, or must not.

use crate::error::ErrorClass;
use crate::id::CommitId;
use crate::procedure::format::{Problems, Procedure, UnknownName};
use crate::procedure::input::InputError;
use crate::process::Holder;

/// The result of running a procedure.
pub type Result<T, E = EngineError> = std::result::Result<T, E>;

/// Why a run was refused. Nothing was changed unless the run says otherwise.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The repository says no.
    #[error(transparent)]
    Core(#[from] crate::Error),
    /// The procedure is wrong.
    #[error(transparent)]
    Procedure(#[from] Problems),
    /// A name that the procedure does not have.
    #[error(transparent)]
    Unknown(#[from] UnknownName),
    /// A value is missing or refused.
    #[error(transparent)]
    Input(#[from] InputError),
    /// Values are missing.
    #[error("{}", missing(inputs, programs))]
    Missing {
        /// The inputs that are not set, with what they are for.
        inputs: Vec<(String, Option<String>)>,
        /// The programs that the run would start and that are not found.
        programs: Vec<String>,
    },
    /// The request names no phase, and the procedure has no default; these phases are there.
    #[error("no phase was named (known: {})", .0.join(", "))]
    NoPhase(Vec<String>),
    /// The caller has none of the roles that may.
    #[error("{what} needs one of these roles: {}", needed.join(", "))]
    Authority {
        /// What was asked for.
        what: String,
        /// The roles that may.
        needed: Vec<String>,
    },
    /// An approval is missing.
    #[error("{what} needs the approval of {role}")]
    Approval {
        /// What needs it.
        what: String,
        /// Whose.
        role: String,
    },
    /// An approval is missing, or is not signed where only signed ones count.
    #[error("{what} needs the signed approval of {role}")]
    Unsigned {
        /// What needs it.
        what: String,
        /// Whose.
        role: String,
        /// The text to sign, in the namespace [`APPROVAL_NAMESPACE`](super::APPROVAL_NAMESPACE).
        text: String,
    },
    /// A signed approval that does not hold.
    #[error("the signed approval of {role} does not hold: {why}")]
    BadApproval {
        /// The role.
        role: String,
        /// Why.
        why: String,
    },
    /// The caller takes a role whose members are declared, and is none of them.
    #[error("{who} does not have the role '{role}' (members: {})", members.join(", "))]
    NotAMember {
        /// The role.
        role: String,
        /// Who asked or approved.
        who: String,
        /// Who has it.
        members: Vec<String>,
    },
    /// The operator has to type words for what cannot be taken back.
    #[error("{what} cannot be taken back and needs the words '{words}'")]
    Confirmation {
        /// What needs them.
        what: String,
        /// The words.
        words: String,
    },
    /// The procedure is not trusted as it is now.
    #[error("procedure '{procedure}' is not trusted{}", if changed.is_empty() { String::new() } else { format!(" any more: {} changed since", changed.join(", ")) })]
    NotTrusted {
        /// The procedure.
        procedure: String,
        /// Its hash as it is now.
        hash: String,
        /// What changed since it was trusted.
        changed: Vec<String>,
    },
    /// A file of the tree that the procedure names is not the one that was trusted with it.
    #[error("{place}'s copy of {script} is not the one that was trusted{}", if *missing { ": it is not there" } else { "" })]
    ForeignScript {
        /// The script, as the procedure names it.
        script: String,
        /// Where it would have run.
        place: &'static str,
        /// Whether there is none at all.
        missing: bool,
    },
    /// A value would become an option of the program that gets it as an argument.
    #[error("the value '{value}' of {argument} begins with '-' and would become an option")]
    ValueIsOption {
        /// The argument as the procedure has it.
        argument: String,
        /// What it would become.
        value: String,
    },
    /// A declared constraint would be broken.
    #[error("the constraint '{id}' would be broken: {found}")]
    Constraint {
        /// The constraint.
        id: String,
        /// What was found.
        found: String,
    },
    /// This path must stay and would change.
    #[error("{0} is to be preserved and would change")]
    Preserved(String),
    /// The target cannot be found.
    #[error("{0}")]
    Target(String),
    /// Several commits could be meant, and no rung takes several: they, abbreviated, newest first.
    #[error("{} commits match, and one is wanted: {}", .0.len(), .0.join(", "))]
    Ambiguous(Vec<String>),
    /// A value of a desired-state file cannot be set.
    #[error("{place}: {source}")]
    Set {
        /// Where.
        place: String,
        /// Why.
        source: crate::procedure::set::SetError,
    },
    /// A path outside the repository that must not be touched.
    #[error("refusing to touch {path}: {why}")]
    Outside {
        /// The path.
        path: String,
        /// Why.
        why: &'static str,
    },
    /// The remote to publish to is none, cannot be reached, or has what is not known here.
    #[error("cannot push to '{remote}': {why}")]
    Remote {
        /// The remote, as the procedure spells it.
        remote: String,
        /// Why.
        why: String,
    },
    /// These units failed after the result landed, and it was to be published.
    #[error("the run landed and then failed: {}", .0.join(", "))]
    PublishAfterFailure(Vec<String>),
    /// Commits would leave that the run did not make: they, newest first.
    #[error("{} would leave too that the run did not make", count(.0.len()))]
    PublishOthers(Vec<CommitId>),
    /// Another run has not ended.
    #[error("the run {id} of procedure '{procedure}' has not ended: it is {status}")]
    Concurrent {
        /// That run.
        id: String,
        /// Its procedure.
        procedure: String,
        /// Where it stands.
        status: &'static str,
    },
    /// Another process carries out a run here; who, where that could be read.
    #[error("{}", at_work(.0.as_deref()))]
    AtWork(Option<Box<Holder>>),
    /// There is no run of this id, or none to go on with.
    #[error("there is no run {}", .0.as_deref().unwrap_or("to go on with"))]
    NoRun(Option<String>),
    /// Several runs could be meant: their ids.
    #[error("several runs have not ended: {}", .0.join(", "))]
    SeveralRuns(Vec<String>),
    /// The run has ended.
    #[error("the run {id} has ended: {status}")]
    Ended {
        /// The run.
        id: String,
        /// How.
        status: &'static str,
    },
    /// The procedure is not what it was when the run began.
    #[error("procedure '{procedure}' has changed since the run {id} began")]
    Changed {
        /// The run.
        id: String,
        /// The procedure.
        procedure: String,
    },
    /// The tip is not where it was when the run began.
    #[error("{reference} moved from {expected} to {found} since the run began")]
    Moved {
        /// The reference.
        reference: String,
        /// Where it was.
        expected: CommitId,
        /// Where it is.
        found: CommitId,
    },
    /// This unit changes something and was cut off; how far it came is not known.
    #[error("'{0}' was cut off and may have done its work in part")]
    CutOff(String),
}

fn at_work(holder: Option<&Holder>) -> String {
    let Some(Holder { process, procedure, run, since, .. }) = holder else {
        return "another process carries out a run here".to_owned();
    };
    let run = run.as_ref().map_or_else(|| "a run".to_owned(), |run| format!("the run {run}"));
    let since = since.strftime("%Y-%m-%d %H:%M:%S UTC");
    format!("process {} carries out {run} of procedure '{procedure}' since {since}", process.pid)
}

fn missing(inputs: &[(String, Option<String>)], programs: &[String]) -> String {
    let one = |(name, help): &(String, Option<String>)| {
        let help = help.as_ref().map_or(String::new(), |help| format!(": {help}"));
        format!("input '{name}' is not set{help}")
    };
    let mut parts: Vec<String> = inputs.iter().map(one).collect();
    if !programs.is_empty() {
        parts.push(format!("these programs are not found: {}", programs.join(", ")));
    }
    parts.join("; ")
}

fn count(commits: usize) -> String {
    if commits == 1 { "1 commit".to_owned() } else { format!("{commits} commits") }
}

impl EngineError {
    /// That a procedure has no table of this name.
    pub(super) fn lacks(procedure: &Procedure, table: &str) -> Self {
        Self::Target(format!("procedure '{}' has no [{table}]", procedure.id))
    }

    /// The stable name of the error, in kebab-case.
    pub fn code(&self) -> &'static str {
        self.code_and_class().0
    }

    fn code_and_class(&self) -> (&'static str, ErrorClass) {
        use ErrorClass::{Busy, Consent, Precondition, Usage};
        match self {
            Self::Core(error) => (error.code(), error.class()),
            Self::Procedure(_) => ("bad-procedure", Usage),
            Self::Unknown(_) => ("unknown-name", Usage),
            Self::Missing { .. } | Self::Input(InputError::Unset { .. }) => ("input-unset", Usage),
            Self::Input(_) => ("bad-input", Usage),
            Self::NoPhase(_) => ("no-phase", Usage),
            Self::Authority { .. } => ("authority-missing", Consent),
            Self::Approval { .. } => ("approval-missing", Consent),
            Self::Unsigned { .. } => ("approval-unsigned", Consent),
            Self::BadApproval { .. } => ("bad-approval", Consent),
            Self::NotAMember { .. } => ("not-a-member", Consent),
            Self::Ambiguous(_) => ("ambiguous-target", Precondition),
            Self::Confirmation { .. } => ("confirmation-missing", Consent),
            Self::NotTrusted { .. } => ("not-trusted", Consent),
            Self::ForeignScript { .. } => ("script-not-trusted", Consent),
            Self::ValueIsOption { .. } => ("value-is-option", Usage),
            Self::Constraint { .. } => ("constraint-broken", Precondition),
            Self::Preserved(_) => ("preserved-path", Precondition),
            Self::Target(_) => ("target-not-found", Precondition),
            Self::Set { .. } => ("not-settable", Precondition),
            Self::Outside { .. } => ("outside-path", Precondition),
            Self::Remote { .. } => ("bad-remote", Precondition),
            Self::PublishAfterFailure(_) => ("publish-after-failure", Consent),
            Self::PublishOthers(_) => ("publish-others", Consent),
            Self::Concurrent { .. } => ("concurrent-run", Busy),
            Self::AtWork(_) => ("run-at-work", Busy),
            Self::NoRun(_) => ("no-run", Precondition),
            Self::SeveralRuns(_) => ("several-runs", Usage),
            Self::Ended { .. } => ("run-ended", Precondition),
            Self::Changed { .. } => ("procedure-changed", Precondition),
            Self::Moved { .. } => ("moved", Precondition),
            Self::CutOff(_) => ("step-cut-off", Precondition),
        }
    }

    /// Who can mend it.
    pub fn class(&self) -> ErrorClass {
        self.code_and_class().1
    }
}
