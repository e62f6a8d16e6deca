//! Filters as programs of this machine, started through a shell as git starts them.
//!
//! A filter shares the terminal with rb, because a helper of it may ask for a password there; so it leads no process
//! group of its own. What it started is found by its environment on Linux; elsewhere only the program itself is killed.

use std::io;
use std::process::Stdio;
use std::sync::Arc;

use super::{search_path, tree};
use crate::filters::{FilterCall, Filters, RunningFilter};

/// Starts filters of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemFilters;

impl Filters for SystemFilters {
    fn start(&self, call: &FilterCall) -> io::Result<RunningFilter> {
        let cookie = tree::new_tree_name();
        let mut process = std::process::Command::new(gix::path::env::shell());
        if let Some(path) = std::env::var_os("PATH") {
            match search_path::absolute(&path) {
                Some(path) => process.env("PATH", path),
                None => process.env_remove("PATH"),
            };
        }
        let child = process
            .arg("-c")
            .arg(&call.command)
            .current_dir(&call.folder)
            .envs(call.environment.iter().map(|(name, value)| (*name, value)))
            .env(tree::COOKIE, &cookie)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let id = child.id();
        Ok(RunningFilter { child, stop: Arc::new(move || tree::kill_unreaped(id, &cookie)) })
    }
}
