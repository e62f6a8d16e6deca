//! The engine: options, caches and buffers that outlive a merge.

use std::rc::Rc;

use super::{Labels, Merged, Options, ReviewReason, Verdict};
use crate::error::Result;
use crate::id::TreeId;
use crate::repo::{Objects, Repo};

/// Merges trees; keep one for many merges, it reuses what it has read.
pub struct Engine {
    #[expect(dead_code, reason = "the merge below tree level comes next")]
    objects: Rc<Objects>,
    #[expect(dead_code, reason = "the merge below tree level comes next")]
    options: Options,
}

impl Engine {
    /// An engine with a view of the repository of its own; what its merges create stays in its memory.
    ///
    /// # Errors
    /// [`crate::Error::Config`] for attributes that cannot be read.
    pub fn new(repo: &Repo, options: Options) -> Result<Self> {
        Self::over(Rc::new(repo.objects()), options)
    }

    /// An engine over a view that others use too: trees created there can be merged here, and results read back.
    pub(crate) fn over(objects: Rc<Objects>, options: Options) -> Result<Self> {
        Ok(Self { objects, options })
    }

    /// Merges what led from `base` to `theirs` into `ours`.
    ///
    /// # Errors
    /// [`crate::Error::MissingObject`] and [`crate::Error::CorruptObject`] for what the merge had to read;
    /// [`crate::Error::Cancelled`].
    pub fn merge(&mut self, base: TreeId, ours: TreeId, theirs: TreeId, labels: &Labels) -> Result<Merged> {
        let _ = labels;
        let (tree_id, verdict) = if base == theirs || ours == theirs {
            (ours, Verdict::Clean)
        } else if base == ours {
            (theirs, Verdict::Clean)
        } else {
            (ours, Verdict::NeedsReview(ReviewReason::Unsupported { what: "changes on both sides" }))
        };
        Ok(Merged { tree_id, verdict, conflicts: Vec::new(), auto_merged: Vec::new() })
    }
}
