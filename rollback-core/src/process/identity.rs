//! Which process is meant, where a number alone is given to another one later; and what it is at work on.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A process, told apart from all others that have or had its number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ProcessId {
    /// Its number.
    pub pid: u32,
    /// When it started, in clock ticks since the system did; absent where the system does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<u64>,
    /// The start of the system in which it runs; absent where the system does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot: Option<String>,
}

impl ProcessId {
    /// The process that has this number now.
    pub fn of(pid: u32) -> Self {
        Self { pid, started: start_of(pid), boot: boot_id() }
    }

    /// This process.
    pub fn of_this_process() -> Self {
        Self::of(std::process::id())
    }

    /// Whether this very process is there still; where the system does not tell, it counts as gone.
    pub fn is_alive(&self) -> bool {
        self.started.is_some() && self.boot == boot_id() && start_of(self.pid) == self.started
    }
}

/// Who is at work on a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Holder {
    /// The process.
    pub process: ProcessId,
    /// The procedure.
    pub procedure: String,
    /// The run, once it has an id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// Since when.
    pub since: Timestamp,
}

impl Holder {
    /// This process, at work on a procedure.
    pub fn this_process(procedure: &str, run: Option<&str>, since: Timestamp) -> Self {
        let (procedure, run) = (procedure.to_owned(), run.map(ToOwned::to_owned));
        Self { process: ProcessId::of_this_process(), procedure, run, since }
    }
}

#[cfg(target_os = "linux")]
fn boot_id() -> Option<String> {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(text.trim().to_owned())
}

#[cfg(not(target_os = "linux"))]
fn boot_id() -> Option<String> {
    None
}

#[cfg(target_os = "linux")]
fn start_of(pid: u32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name of the program stands in brackets and may hold anything; the fields after it are numbers.
    let (_, fields) = text.rsplit_once(')')?;
    let mut fields = fields.split_whitespace();
    let state = fields.next()?;
    let is_dead = matches!(state, "Z" | "X" | "x");
    fields.nth(18)?.parse().ok().filter(|_| !is_dead)
}

#[cfg(not(target_os = "linux"))]
fn start_of(_: u32) -> Option<u64> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_told_apart_from_a_later_one_with_its_number() {
        let this = ProcessId::of_this_process();
        assert!(this.is_alive());
        assert!(!ProcessId { started: this.started.map(|start| start + 1), ..this.clone() }.is_alive());
        assert!(!ProcessId { boot: Some("another".into()), ..this }.is_alive());
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let gone = ProcessId::of(child.id());
        child.wait().unwrap();
        assert!(!gone.is_alive());
    }
}
