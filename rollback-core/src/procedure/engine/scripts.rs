//! Files of the tree that a command names: what was trusted is what runs, whichever folder it runs in.
//!
//! Trust pins the bytes of the work tree's copies. A candidate brings copies of its own, and a copy can change while a run
//! goes on: right before each start the copies that count are held to the bytes that were trusted. Nothing is run here.

use std::path::Path;

use super::{EngineError, Result, Run};
use crate::procedure::pins::{digest, is_trusted, named};

impl Run<'_> {
    /// Says why a command must not be started in a folder: a file that it names is not, or not any more, the trusted one.
    pub(super) fn foreign_script(&self, run: &[String], folder: &Path) -> Option<EngineError> {
        let work_dir = self.engine.place();
        named(run, &work_dir, folder).into_iter().find_map(|file| {
            let trusted = self.trusted.files.get(&file.key());
            let foreign = match digest(&file.place(&work_dir, folder)) {
                Some(found) => (file.is_code || trusted.is_some()) && !is_trusted(&found, trusted),
                // One that never was there cannot be started either, and the start says so.
                None => file.is_program && trusted.is_some_and(Option::is_some),
            };
            foreign.then(|| EngineError::ForeignScript {
                script: file.key(),
                place: if folder == work_dir { "the work tree" } else { "the candidate" },
                missing: digest(&file.place(&work_dir, folder)).is_none(),
            })
        })
    }

    /// Refuses a command that names a file which is not the one that was trusted.
    pub(super) fn refuse_foreign_script(&self, run: &[String], folder: &Path) -> Result<()> {
        self.foreign_script(run, folder).map_or(Ok(()), Err)
    }
}
