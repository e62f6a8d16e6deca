//! Object graphs made of any bytes, in memory, for the fuzzer alone: it compiles with `--cfg fuzzing`.

use std::rc::Rc;

use gix::objs::{Kind, Write};

use super::{Engine, Options};
use crate::error::{Error, Result};
use crate::id::ObjectId;
use crate::repo::{Objects, Repo};

/// Objects that were not checked.
pub struct Graph(Rc<Objects>);

impl Graph {
    /// A graph without objects, over a repository.
    pub fn new(repo: &Repo) -> Self {
        Self(Rc::new(repo.objects()))
    }

    /// Adds a blob.
    ///
    /// # Errors
    /// [`Error::Internal`] where the bytes collide on purpose.
    pub fn blob(&self, bytes: &[u8]) -> Result<ObjectId> {
        self.add(Kind::Blob, bytes)
    }

    /// Adds a tree of these raw bytes.
    ///
    /// # Errors
    /// [`Error::Internal`] where the bytes collide on purpose.
    pub fn tree(&self, bytes: &[u8]) -> Result<ObjectId> {
        self.add(Kind::Tree, bytes)
    }

    /// An engine that merges trees of this graph.
    ///
    /// # Errors
    /// As [`Engine::new`].
    pub fn engine(&self, options: Options) -> Result<Engine> {
        Engine::over(self.0.clone(), options)
    }

    fn add(&self, kind: Kind, bytes: &[u8]) -> Result<ObjectId> {
        let added = self.0.gix().objects.write_buf(kind, bytes);
        added.map(ObjectId).map_err(|error| Error::internal("cannot add an object", error))
    }
}
