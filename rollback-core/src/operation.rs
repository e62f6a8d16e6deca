//! The id of an operation: random, chosen before its commit is built, so that the commit can name it. And the kinds of
//! operations that are no strategy.

use std::fmt;

use crate::error::{Error, Result};

/// The kinds of operations that are no strategy; any other operation has its strategy for a kind.
pub mod kind {
    /// Takes an operation back.
    pub const UNDO: &str = "undo";
    /// Takes back an operation of the kind [`UNDO`].
    pub const REDO: &str = "redo";
    /// Takes back a move of a branch that git made.
    pub const UNDO_GIT: &str = "undo-git";
    /// Goes back to a checkpoint.
    pub const CHECKPOINT_RESTORE: &str = "checkpoint-restore";
    /// Brings back what was not committed.
    pub const RESTORE_UNCOMMITTED: &str = "restore-uncommitted";
}

/// The name of one landing, as it stands in trailers, receipts and the operation log.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct OperationId([u8; 8]);

impl OperationId {
    /// A new id from the system's source of randomness.
    ///
    /// # Errors
    /// [`Error::Internal`] where the system has none to give.
    pub(crate) fn random() -> Result<Self> {
        let mut bytes = [0; 8];
        getrandom::fill(&mut bytes).map_err(|error| Error::internal("no random number to be had", error))?;
        Ok(Self(bytes))
    }

    /// Whether the text can be the name of an operation: digits alone, so that a file named after it lies where it should.
    pub(crate) fn is_spelled_so(text: &str) -> bool {
        !text.is_empty() && text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
    }
}

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
