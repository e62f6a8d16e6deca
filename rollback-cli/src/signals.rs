//! Signals while a result is landing: the writes finish first, then the process ends as the signal asks.
//!
//! While programs run on a result, they are stopped and their folders removed first; while a pager shows what was written,
//! it is left first. Otherwise nothing is written, and a signal ends the process at once.

use rollback_core::Cancel;

/// A stretch of time in which signals wait.
pub(crate) struct Landing;

impl Landing {
    /// From now until the value is dropped signals wait.
    pub(crate) fn begin() -> Self {
        state::begin();
        Self
    }

    /// Cancelled once a signal has arrived.
    pub(crate) fn token(&self) -> Cancel {
        state::token()
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        state::end();
    }
}

/// A stretch of time in which a signal asks the work to stop, and takes its effect once that has cleaned up.
pub(crate) struct Stopping;

impl Stopping {
    /// From now until the value is dropped signals only cancel the token.
    pub(crate) fn begin() -> Self {
        state::begin();
        Self
    }

    /// Cancelled once a signal has arrived.
    pub(crate) fn token(&self) -> Cancel {
        state::token()
    }
}

impl Drop for Stopping {
    fn drop(&mut self) {
        state::end();
    }
}

/// Takes over the signals that people and supervisors send.
pub(crate) fn defer_while_landing() {
    state::install();
}

/// Ends the process as a signal that had to wait would have ended it.
pub(crate) fn deliver_deferred() {
    state::deliver();
}

#[cfg(unix)]
mod state {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::sync::{Arc, LazyLock};

    use rollback_core::Cancel;
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::{flag, low_level};

    struct State {
        /// Whether a signal takes its usual effect at once.
        immediate: Arc<AtomicBool>,
        /// How many stretches in which signals wait have begun and not ended: one may lie in another.
        stretches: AtomicUsize,
        /// The last signal that arrived; 0 where none did.
        arrived: Arc<AtomicUsize>,
        /// Whether one did.
        stop: Cancel,
    }

    static STATE: LazyLock<State> = LazyLock::new(|| State {
        immediate: Arc::new(AtomicBool::new(true)),
        stretches: AtomicUsize::new(0),
        arrived: Arc::new(AtomicUsize::new(0)),
        stop: Cancel::new(),
    });

    pub(super) fn install() {
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            // Where a handler cannot be installed the signal keeps its usual effect, which is safe before a landing.
            let number = usize::try_from(signal).unwrap_or_default();
            let _ = flag::register_conditional_default(signal, Arc::clone(&STATE.immediate));
            let _ = flag::register_usize(signal, Arc::clone(&STATE.arrived), number);
            let _ = flag::register(signal, Arc::clone(STATE.stop.flag()));
        }
    }

    pub(super) fn token() -> Cancel {
        STATE.stop.clone()
    }

    pub(super) fn begin() {
        STATE.stretches.fetch_add(1, Ordering::SeqCst);
        STATE.immediate.store(false, Ordering::SeqCst);
    }

    pub(super) fn end() {
        if STATE.stretches.fetch_sub(1, Ordering::SeqCst) == 1 {
            STATE.immediate.store(true, Ordering::SeqCst);
        }
    }

    pub(super) fn deliver() {
        let number = STATE.arrived.load(Ordering::SeqCst);
        if let Ok(signal) = i32::try_from(number)
            && signal != 0
        {
            let _ = low_level::emulate_default_handler(signal);
        }
    }
}

#[cfg(not(unix))]
mod state {
    pub(super) fn install() {}
    pub(super) fn token() -> super::Cancel {
        super::Cancel::new()
    }
    pub(super) fn begin() {}
    pub(super) fn end() {}
    pub(super) fn deliver() {}
}
