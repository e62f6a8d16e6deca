//! Scripts that a procedure names by path: what was trusted is what runs, whichever folder it runs in.
//!
//! Trust pins the bytes of the work tree's copy. A candidate brings a copy of its own, and a copy can change while a run
//! goes on: right before each start the copy that would run is held to the bytes that were trusted. Nothing is run here.

use std::path::Path;

use super::{EngineError, Result, Run};
use crate::trust::sha256;

/// Whether a program is a script named by its path in the tree, and no program of the system.
pub(super) fn is_script(program: &str) -> bool {
    program.contains('/') && !program.starts_with('/')
}

/// A script of the tree, if it is there.
pub(super) fn read(folder: &Path, script: &str) -> Option<Vec<u8>> {
    std::fs::read(folder.join(script)).ok()
}

impl Run<'_> {
    /// Says why a command must not be started in a folder: its script is not, or not any more, the one that was trusted.
    pub(super) fn foreign_script(&self, run: &[String], folder: &Path) -> Option<EngineError> {
        let script = run.first().filter(|program| is_script(program))?;
        let trusted = self.trusted.files.get(script).and_then(Option::as_ref);
        let found = read(folder, script).map(|bytes| sha256(&bytes));
        // One that never was there cannot be started either, and the start says so.
        if found.as_ref() == trusted {
            return None;
        }
        let place = if folder == self.engine.place() { "the work tree" } else { "the candidate" };
        Some(EngineError::ForeignScript { script: script.clone(), place, missing: found.is_none() })
    }

    /// Refuses a command whose script is not the one that was trusted.
    pub(super) fn refuse_foreign_script(&self, run: &[String], folder: &Path) -> Result<()> {
        self.foreign_script(run, folder).map_or(Ok(()), Err)
    }
}
