//! What keeps a checkpoint from being made, found or restored.

use super::ErrorClass;
use super::kind::Family;
use crate::id::CommitId;

/// A checkpoint that cannot be made, found or restored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// A checkpoint holds an operation in progress, and HEAD is not where that began.
    #[error("checkpoint {checkpoint} holds {operation} that began at {began}, and HEAD is at {head}")]
    OperationElsewhere {
        /// The checkpoint, with its scope.
        checkpoint: String,
        /// What was in progress, such as `a merge`.
        operation: &'static str,
        /// Where HEAD was then.
        began: CommitId,
        /// Where it is.
        head: CommitId,
    },
    /// A checkpoint cannot have this name.
    #[error("a checkpoint cannot be called '{}': {why}", name.escape_debug())]
    BadName {
        /// What was given.
        name: String,
        /// What is wrong with it, as the end of a sentence.
        why: &'static str,
    },
    /// No checkpoint has this name.
    #[error("there is no checkpoint '{name}'")]
    Unknown {
        /// What was given.
        name: String,
    },
    /// A checkpoint of this name is there.
    #[error("checkpoint {name} is there already, made at {commit}")]
    Exists {
        /// Its name, with its scope.
        name: String,
        /// Where HEAD was then.
        commit: CommitId,
    },
    /// Something that a checkpoint holds is missing or is not what was recorded.
    #[error("checkpoint {name} is damaged: {}", problems.join("; "))]
    Damaged {
        /// Its name, with its scope.
        name: String,
        /// What is wrong, for people.
        problems: Vec<String>,
    },
}

impl Family for CheckpointError {
    fn code(&self) -> &'static str {
        match self {
            Self::OperationElsewhere { .. } => "operation-elsewhere",
            Self::BadName { .. } => "bad-checkpoint-name",
            Self::Unknown { .. } => "unknown-checkpoint",
            Self::Exists { .. } => "checkpoint-exists",
            Self::Damaged { .. } => "damaged-checkpoint",
        }
    }

    fn class(&self) -> ErrorClass {
        match self {
            Self::BadName { .. } => ErrorClass::Usage,
            _ => ErrorClass::Precondition,
        }
    }
}
