//! The variables that programs get and procedures read: those of the process, or those of a demo.
//!
//! A demo must neither see the user's files nor run the user's programs, and must not wait for hours. Nothing here
//! changes the environment of the process.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// The variable by which a pipeline says which hash it trusts.
pub(crate) const TRUSTED_HASH: &str = "RB_TRUSTED_HASH";

/// Where variables come from, and how time goes by.
#[derive(Clone, Debug, Default)]
pub(crate) struct Environment(Option<Arc<OfDemo>>);

#[derive(Debug)]
struct OfDemo {
    variables: BTreeMap<String, String>,
    ahead: Ahead,
}

/// The milliseconds that a demo did not wait for. Its steps share them, so that what comes later has a later time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ahead(Arc<AtomicI64>);

impl Environment {
    /// Those of a demo: its own variables, and of the process only what it names.
    pub(crate) fn of_a_demo(variables: BTreeMap<String, String>, ahead: Ahead) -> Self {
        Self(Some(Arc::new(OfDemo { variables, ahead })))
    }

    /// The value of a variable.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        match &self.0 {
            Some(own) => own.variables.get(name).cloned(),
            None => std::env::var(name).ok(),
        }
    }

    /// The time; in a demo, later by what was not waited for.
    pub(crate) fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        let ahead = self.0.as_ref().map_or(0, |own| own.ahead.0.load(Ordering::Relaxed));
        now.checked_add(SignedDuration::from_millis(ahead)).unwrap_or(now)
    }

    /// In a demo, lets time go by at once; returns whether that is so.
    pub(crate) fn skip(&self, time: Duration) -> bool {
        let Some(own) = &self.0 else { return false };
        own.ahead.0.fetch_add(i64::try_from(time.as_millis()).unwrap_or_default(), Ordering::Relaxed);
        true
    }
}
