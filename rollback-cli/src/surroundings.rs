//! The variables that programs get and procedures read: those of the process, or those of a demo.
//!
//! A demo must neither see the user's files nor run the user's programs, and must not wait for hours. Nothing here
//! changes the environment of the process.

use std::collections::BTreeMap;
use std::sync::Arc;

/// The variable by which a pipeline says which hash it trusts.
pub(crate) const TRUSTED_HASH: &str = "RB_TRUSTED_HASH";

/// Where variables come from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Surroundings(Option<Arc<BTreeMap<String, String>>>);

impl Surroundings {
    /// Those of a demo: its own variables, and of the process only what it names.
    pub(crate) fn of_a_demo(variables: BTreeMap<String, String>) -> Self {
        Self(Some(Arc::new(variables)))
    }

    /// The value of a variable.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        match &self.0 {
            Some(own) => own.get(name).cloned(),
            None => std::env::var(name).ok(),
        }
    }

    /// Whether waiting takes as long as it says.
    pub(crate) fn takes_its_time(&self) -> bool {
        self.0.is_none()
    }
}
