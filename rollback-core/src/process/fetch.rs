//! Fetching the objects that a partial clone left out, by the installed git and as git itself fetches them: by id, without
//! tags, without asking what else is there, and without writing a reference.
//!
//! git shares the terminal, because a helper of it may ask for a password there. What it starts for the connection is the
//! choice of the user's configuration; what the repository's own configuration names was refused before.

use std::io::{Read, Write};
use std::process::{Child, ChildStderr, ChildStdin, Stdio};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use super::system::with_thread;
use super::tree;
use crate::promised::{FetchCall, ObjectFetcher};

/// How often the end of git is looked for.
const TICK: Duration = Duration::from_millis(10);
/// How many bytes of what git says are kept.
const SAID: u64 = 64 * 1024;
/// The protocols that git may use; addresses may be rewritten by the repository's configuration.
const PROTOCOLS: &str = "file:git:http:https:ssh";

/// Variables that would lead git to another repository, or are for rb alone.
const NOT_PASSED_ON: [&str; 8] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_PREFIX",
];

/// What no fetch of objects needs: hooks, a monitor of files, and housekeeping that would run programs.
const SETTINGS: [&str; 6] = [
    "fetch.negotiationAlgorithm=noop",
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "fetch.writeCommitGraph=false",
];

/// Fetches with the installed git.
#[derive(Clone, Copy, Debug)]
pub struct SystemFetcher {
    timeout: Duration,
}

impl SystemFetcher {
    /// Fetches each of which may take this long.
    pub fn new(timeout: Duration) -> Self {
        Self { timeout }
    }
}

impl ObjectFetcher for SystemFetcher {
    fn fetch(&self, call: &FetchCall) -> Result<(), String> {
        let cookie = tree::new_tree_name();
        let refused = |error| format!("git cannot be started: {error}");
        let input: String = call.ids.iter().map(|id| format!("{id}\n")).collect();
        // A git that ends early says why itself.
        let feed = move |mut stdin: ChildStdin| drop(stdin.write_all(input.as_bytes()));
        let feeder = with_thread(feed).map_err(refused)?;
        let (say, said) = channel();
        let listener = with_thread(move |stderr| drop(say.send(kept_of(stderr)))).map_err(refused)?;
        let mut child = command(call, &cookie).spawn().map_err(refused)?;
        if let Some(stdin) = child.stdin.take() {
            let _ = feeder.send(stdin);
        }
        if let Some(stderr) = child.stderr.take() {
            let _ = listener.send(stderr);
        }
        let success = self.wait(&mut child, &cookie)?;
        drop(listener);
        let said = said.recv().unwrap_or_default();
        if success { Ok(()) } else { Err(last_words(&said)) }
    }
}

/// What a program says first; the rest is read, so that the program goes on, and dropped.
fn kept_of(stderr: ChildStderr) -> Vec<u8> {
    let mut said = Vec::new();
    let mut kept = stderr.take(SAID);
    let _ = kept.read_to_end(&mut said);
    let _ = std::io::copy(&mut kept.into_inner(), &mut std::io::sink());
    said
}

impl SystemFetcher {
    fn wait(&self, child: &mut Child, cookie: &str) -> Result<bool, String> {
        let started = Instant::now();
        loop {
            match child.try_wait() {
                Ok(Some(status)) => return Ok(status.success()),
                Ok(None) if started.elapsed() < self.timeout => std::thread::sleep(TICK),
                Ok(None) => {
                    tree::kill_unreaped(child.id(), cookie);
                    let _ = child.wait();
                    let seconds = self.timeout.as_secs();
                    return Err(format!("it was stopped after {seconds} s (rb.programTimeout)"));
                }
                Err(error) => return Err(format!("git cannot be waited for: {error}")),
            }
        }
    }
}

fn command(call: &FetchCall, cookie: &str) -> std::process::Command {
    let mut command = std::process::Command::new("git");
    for name in NOT_PASSED_ON {
        command.env_remove(name);
    }
    for setting in SETTINGS {
        command.args(["-c", setting]);
    }
    command
        .args(["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--recurse-submodules=no"])
        .args(["--filter=blob:none", "--stdin"])
        .arg(&call.remote)
        .current_dir(&call.git_dir)
        .env("GIT_DIR", &call.git_dir)
        .env("LC_ALL", "C")
        .env(tree::COOKIE, cookie)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    if std::env::var_os("GIT_ALLOW_PROTOCOL").is_none() {
        command.env("GIT_ALLOW_PROTOCOL", PROTOCOLS);
    }
    command
}

/// The line in which git says what went wrong.
fn last_words(said: &[u8]) -> String {
    let text = String::from_utf8_lossy(said);
    let telling = |line: &&str| line.starts_with("fatal: ") || line.starts_with("error: ");
    let line = text.lines().find(telling).or_else(|| text.lines().last());
    line.unwrap_or("git said nothing").trim_start_matches("fatal: ").trim_start_matches("error: ").to_owned()
}
