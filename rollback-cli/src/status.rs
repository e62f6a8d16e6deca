//! What goes on, for a line that a person sees while it does.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rollback_core::{Progress, Stage};

/// What goes on, in a few words that change while the work does, and how far it has come.
#[derive(Clone, Debug, Default)]
pub(crate) struct Status(Arc<Mutex<Doing>>);

#[derive(Debug, Default)]
struct Doing {
    what: String,
    /// The stage, how many units are done, and of how many.
    counted: Option<(Stage, u64, Option<u64>)>,
}

impl Status {
    /// Says something else from now on.
    pub(crate) fn say(&self, what: impl Into<String>) {
        *self.doing() = Doing { what: what.into(), counted: None };
    }

    /// What goes on now.
    pub(crate) fn text(&self) -> String {
        let doing = self.doing();
        match doing.counted {
            None => doing.what.clone(),
            Some((stage, done, None)) => format!("{}: {done} {}", doing.what, stage.unit()),
            Some((stage, done, Some(total))) => format!("{}: {done} of {total} {}", doing.what, stage.unit()),
        }
    }

    fn doing(&self) -> MutexGuard<'_, Doing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Progress for Status {
    fn progress(&self, stage: Stage, done: u64, total: Option<u64>) {
        self.doing().counted = Some((stage, done, total));
    }
}
