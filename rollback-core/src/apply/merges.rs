//! Merges over pipes whose results are kept: what each creates is stored before its answer is given.
//!
//! No reference names these objects: as with `git merge-tree`, gc takes them unless they are used.

use std::io::{BufRead, Write};

use super::objects;
use crate::error::Result;
use crate::merge::{Options, batch};
use crate::repo::Repo;
use crate::repo::config::Settings;

impl Repo {
    /// As [`batch::answer`], on one thread, and every tree and blob of an answer can be read by other processes.
    ///
    /// # Writes
    /// Loose objects, as durable as `core.fsync` asks.
    ///
    /// # Errors
    /// Those of [`batch::answer`]; [`Error::Io`](crate::Error::Io) where an object cannot be stored.
    pub fn answer_and_store_merges(
        &self,
        options: &Options,
        input: impl BufRead,
        output: impl Write,
        batch: batch::BatchOptions,
    ) -> Result<()> {
        let settings = Settings::of(self)?;
        batch::answer_and_keep(self, options, input, output, batch, &mut |created| {
            objects::store(self, &created, &settings)
        })
    }
}
