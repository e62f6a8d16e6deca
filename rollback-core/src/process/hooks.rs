//! Hooks as programs of this machine: started as git starts them, killed with all they started when their time is over.
//!
//! A hook gets the environment of this process, as under git, but for the variables that would lead it to another
//! repository; git's own stand in their place. What it writes is kept, the start and the end of it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::{Command, Ended, Output, Runner, StartError};
use crate::cancel::Cancel;
use crate::hooks::{HookCall, HookEnd, Hooks};

/// How much of what a hook writes is kept of each stream, in bytes.
const OUTPUT_LIMIT: usize = 64 * 1024;

/// Variables that are git's to set, and not to be passed on.
const GITS_OWN: &[&str] = &["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"];

/// Runs hooks of this machine.
pub struct SystemHooks {
    runner: Arc<dyn Runner>,
    timeout: Duration,
    prefix: String,
    cancel: Cancel,
}

impl SystemHooks {
    /// Hooks started by `runner`, each of which may take this long.
    pub fn new(runner: Arc<dyn Runner>, timeout: Duration) -> Self {
        Self { runner, timeout, prefix: String::new(), cancel: Cancel::default() }
    }

    /// Tells hooks from which folder of the work tree the command was called, with a slash at its end (`GIT_PREFIX`).
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Kills a running hook once the token is cancelled.
    #[must_use]
    pub fn cancel(mut self, cancel: Cancel) -> Self {
        self.cancel = cancel;
        self
    }

    fn command(&self, call: &HookCall, arguments: Vec<String>) -> Command {
        let inherited: Vec<String> = std::env::vars_os()
            .filter_map(|(name, _)| name.into_string().ok())
            .filter(|name| !GITS_OWN.contains(&name.as_str()))
            .collect();
        let mut command = Command::new(arguments, &call.folder)
            .inherit(inherited.iter().map(String::as_str))
            .env("GIT_PREFIX", self.prefix.as_str())
            .timeout(self.timeout)
            .output_limit(OUTPUT_LIMIT)
            .cancel(self.cancel.clone());
        for (name, value) in &call.environment {
            command = command.env(*name, value.as_str());
        }
        command
    }

    fn start(&self, call: &HookCall) -> Result<Output, StartError> {
        let program = text(&call.program)?;
        let words = || std::iter::once(program.clone()).chain(call.arguments.iter().cloned());
        match self.runner.run(&self.command(call, words().collect()), &mut ()) {
            // As git does: what the system does not know how to start is a script for the shell.
            Err(StartError::System { source, .. }) if is_no_program(&source) => {
                let words = std::iter::once("sh".to_owned()).chain(words());
                self.runner.run(&self.command(call, words.collect()), &mut ())
            }
            ended => ended,
        }
    }
}

impl Hooks for SystemHooks {
    fn run(&self, call: &HookCall) -> HookEnd {
        match self.start(call) {
            Err(error) => HookEnd { failure: Some(error.to_string()), ..HookEnd::default() },
            Ok(output) => HookEnd {
                failure: (!output.ended.is_success()).then(|| how_it_failed(&output, self.timeout)),
                cancelled: output.ended == Ended::Cancelled,
                output: format!("{}{}", output.stdout.to_str_lossy(), output.stderr.to_str_lossy()),
            },
        }
    }
}

impl std::fmt::Debug for SystemHooks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SystemHooks").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

fn how_it_failed(output: &Output, timeout: Duration) -> String {
    match output.ended {
        Ended::TimedOut => format!("it was stopped after {} s (rb.programTimeout)", timeout.as_secs()),
        ended => ended.to_string(),
    }
}

fn text(path: &Path) -> Result<String, StartError> {
    path.to_str()
        .map(ToOwned::to_owned)
        .ok_or_else(|| StartError::Refused { why: format!("the path {} is not UTF-8", path.display()) })
}

#[cfg(unix)]
fn is_no_program(error: &std::io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::NOEXEC.raw_os_error())
}

#[cfg(not(unix))]
fn is_no_program(_: &std::io::Error) -> bool {
    false
}
