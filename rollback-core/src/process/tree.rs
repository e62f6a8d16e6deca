//! Killing a program with everything it started.
//!
//! On Unix a program leads a process group of its own, which is killed as one. A descendant that left the group
//! (`setsid`) is found on Linux by a variable in its environment that names the run. Elsewhere the group is all that
//! can be reached, and on systems without process groups the program alone.

use std::process::Child;

use serde::{Deserialize, Serialize};

use super::ProcessId;

/// Carries the name of the run to every descendant.
pub(super) const COOKIE: &str = "RB_PROCESS";

/// A name for a tree of processes that no other tree has.
pub fn new_tree_name() -> String {
    format!("{:016x}", getrandom::u64().unwrap_or_else(|_| u64::from(std::process::id())))
}

/// Prepares a command so that its tree can be killed.
pub(super) fn lead_group(command: &mut std::process::Command) {
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    #[cfg(not(unix))]
    let _ = command;
}

/// A program that may have been left running by a process that died.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct LeftProgram {
    /// The name of its tree, known before it starts.
    pub tree: String,
    /// The program itself, known once it has started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<ProcessId>,
}

impl LeftProgram {
    /// A program that is about to start as the tree of this name.
    pub fn new(tree: impl Into<String>) -> Self {
        Self { tree: tree.into(), process: None }
    }

    /// Ends it with everything it started, as far as that can be found; whether there was anything to end.
    pub fn end(&self) -> bool {
        let found = self.is_running();
        #[cfg(unix)]
        if let Some(process) = self.process.as_ref().filter(|process| process.is_alive())
            && let Some(group) = i32::try_from(process.pid).ok().and_then(rustix::process::Pid::from_raw)
        {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        kill_strays(&self.tree);
        found
    }

    /// Whether anything of it can be found.
    pub fn is_running(&self) -> bool {
        self.process.as_ref().is_some_and(ProcessId::is_alive) || has_strays(&self.tree)
    }
}

#[cfg(target_os = "linux")]
fn has_strays(cookie: &str) -> bool {
    !strays(cookie).is_empty()
}

#[cfg(not(target_os = "linux"))]
fn has_strays(_: &str) -> bool {
    false
}

/// Kills the program and every descendant that can be found, and reaps the program.
pub(super) fn kill(child: &mut Child, cookie: &str) {
    #[cfg(unix)]
    if let Some(group) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
        // The child is not reaped yet, so its id is still its own.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.kill();
    kill_strays(cookie);
    let _ = child.wait();
}

/// Kills a program that leads no group, which has not been waited for yet, and every descendant that can be found.
pub(super) fn kill_unreaped(id: u32, cookie: &str) {
    #[cfg(unix)]
    if let Some(id) = i32::try_from(id).ok().and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process(id, rustix::process::Signal::KILL);
    }
    #[cfg(not(unix))]
    let _ = id;
    kill_strays(cookie);
}

/// A process may be forking while it is looked for: look again until none is left, but not for ever.
#[cfg(target_os = "linux")]
fn kill_strays(cookie: &str) {
    const ROUNDS: usize = 20;
    for _ in 0..ROUNDS {
        let strays = strays(cookie);
        if strays.is_empty() {
            return;
        }
        for stray in strays {
            let _ = rustix::process::kill_process(stray, rustix::process::Signal::KILL);
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

#[cfg(not(target_os = "linux"))]
fn kill_strays(_: &str) {}

#[cfg(target_os = "linux")]
fn strays(cookie: &str) -> Vec<rustix::process::Pid> {
    let wanted = format!("{COOKIE}={cookie}");
    let Ok(processes) = crate::listing::rows(std::path::Path::new("/proc")) else {
        return Vec::new();
    };
    processes
        .into_iter()
        .filter_map(|row| row.file_name().to_str()?.parse().ok())
        .filter(|pid: &i32| {
            // A zombie's environment is empty, so the dead are not found again.
            std::fs::read(format!("/proc/{pid}/environ")).is_ok_and(|environment| {
                environment.split(|byte| *byte == 0).any(|row| row == wanted.as_bytes())
            })
        })
        .filter_map(rustix::process::Pid::from_raw)
        .collect()
}
