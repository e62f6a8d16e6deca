//! Stopping long work from another thread or from a signal handler.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A token that stops the work it was given to. Clones share one state; once it is cancelled it stays so.
///
/// ```
/// use rollback_core::Cancel;
///
/// let token = Cancel::new();
/// let given = token.clone();
/// assert!(!given.is_cancelled());
/// token.cancel();
/// assert!(given.is_cancelled());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// A token that is not cancelled.
    pub fn new() -> Self {
        Self::default()
    }

    /// Stops the work.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the work is to stop.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// The state itself, for a signal handler that can only set a flag.
    pub fn flag(&self) -> &Arc<AtomicBool> {
        &self.0
    }
}
