//! Merge drivers as programs of this machine, started through a shell as git starts them.
//!
//! The three versions lie in a folder for temporary files, which is removed afterwards; git has them in the work tree,
//! under names of its own. The command is called with the whole paths in their place.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bstr::ByteSlice;

use super::{Command, Ended, Runner};
use crate::command_line::{expand, quoted};
use crate::merge_drivers::{DriverCall, DriverEnd, MergeDrivers};

/// How much of what a driver writes to its streams is kept, in bytes; it is not read.
const OUTPUT_LIMIT: usize = 4 * 1024;

/// Runs merge drivers of this machine.
pub struct SystemMergeDrivers {
    runner: Arc<dyn Runner>,
    timeout: Duration,
}

impl SystemMergeDrivers {
    /// Drivers started by `runner`, each of which may take this long.
    pub fn new(runner: Arc<dyn Runner>, timeout: Duration) -> Self {
        Self { runner, timeout }
    }

    fn attempt(&self, call: &DriverCall) -> Result<DriverEnd, String> {
        let told = |error: std::io::Error| error.to_string();
        let folder = tempfile::Builder::new().prefix("rb-merge-").tempdir().map_err(told)?;
        let files = ["base", "ours", "theirs"].map(|name| folder.path().join(name));
        for (file, bytes) in files.iter().zip(&call.versions) {
            fs::write(file, bytes).map_err(told)?;
        }
        let script = script(call, &files)?;
        let inherited: Vec<String> =
            std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()).collect();
        let command = Command::new(["sh", "-c", &script], &call.folder)
            .inherit(inherited.iter().map(String::as_str))
            .timeout(self.timeout)
            .output_limit(OUTPUT_LIMIT);
        let output = self.runner.run(&command, &mut ()).map_err(|error| error.to_string())?;
        let result = || fs::read(&files[1]).map_err(told);
        match output.ended {
            Ended::Exited(0) => result().map(DriverEnd::Clean),
            Ended::Exited(1..=128) => result().map(DriverEnd::Conflicted),
            Ended::TimedOut => {
                Err(format!("it was stopped after {} s (rb.programTimeout)", self.timeout.as_secs()))
            }
            ended => Err(ended.to_string()),
        }
    }
}

impl MergeDrivers for SystemMergeDrivers {
    fn merge(&self, call: &DriverCall) -> DriverEnd {
        self.attempt(call).unwrap_or_else(DriverEnd::Failed)
    }
}

impl std::fmt::Debug for SystemMergeDrivers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SystemMergeDrivers").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

/// The command with its marks expanded as git expands them.
fn script(call: &DriverCall, files: &[PathBuf; 3]) -> Result<String, String> {
    let file = |at: usize| Some(quoted(files[at].to_str()?.as_bytes()));
    let [base, ours, theirs] = &call.labels;
    let script = expand(call.command.as_bstr(), |letter| match letter {
        b'O' => file(0),
        b'A' => file(1),
        b'B' => file(2),
        b'L' => Some(call.marker_size.to_string().into()),
        b'P' => Some(quoted(&call.path)),
        b'S' => Some(quoted(base)),
        b'X' => Some(quoted(ours)),
        b'Y' => Some(quoted(theirs)),
        _ => None,
    });
    String::from_utf8(script.into()).map_err(|_| "its command line would not be UTF-8".to_owned())
}
