//! What the suites share: running `rb`, and reading what came of it.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::Output;

use serde_json::Value;
use test_kit::Sandbox;

/// How a run of `rb` ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).expect("output is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("output is UTF-8"),
        }
    }

    /// The one document on standard output.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}\n{}", self.stdout, self.stderr))
    }

    /// The line that begins so, without its beginning.
    #[track_caller]
    pub(crate) fn line(&self, start: &str) -> &str {
        let mut lines = self.stderr.lines().chain(self.stdout.lines());
        lines
            .find_map(|line| line.strip_prefix(start))
            .unwrap_or_else(|| panic!("no line begins with '{start}':\n{}{}", self.stdout, self.stderr))
            .trim()
    }
}

/// Runs `rb` in the repository.
#[track_caller]
pub(crate) fn rb<S: AsRef<OsStr>>(repo: &Sandbox, args: &[S]) -> Run {
    let output = repo.rb(env!("CARGO_BIN_EXE_rb")).args(args).output();
    Run::of(output.expect("rb can be started"))
}

/// Runs `rb` in a folder of the repository.
#[track_caller]
pub(crate) fn rb_in<S: AsRef<OsStr>>(repo: &Sandbox, folder: &str, args: &[S]) -> Run {
    let mut command = repo.rb(env!("CARGO_BIN_EXE_rb"));
    let output = command.current_dir(repo.path().join(folder)).args(args).output();
    Run::of(output.expect("rb can be started"))
}

/// Runs `rb` with standard input and variables of its own.
#[track_caller]
pub(crate) fn rb_with(repo: &Sandbox, args: &[&str], stdin: &str, variables: &[(&str, &str)]) -> Run {
    let mut command = repo.rb(env!("CARGO_BIN_EXE_rb"));
    let output = command.args(args).envs(variables.iter().copied()).write_stdin(stdin).output();
    Run::of(output.expect("rb can be started"))
}

/// The system calls of a run of `rb` that flush, rename, remove and write, a line each, with the paths of open files.
#[track_caller]
pub(crate) fn traced_writes(repo: &Sandbox, args: &[&str]) -> String {
    let log = repo.around().join("trace");
    let mut command = repo.command("strace");
    let calls = "trace=fsync,rename,renameat,renameat2,unlink,write";
    command.args(["-qq", "-y", "-s", "200", "-e", calls, "-o"]).arg(&log);
    let output = command.arg(env!("CARGO_BIN_EXE_rb")).args(args).output().expect("strace can be started");
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    std::fs::read_to_string(log).expect("a trace")
}

/// Asserts that a trace has such lines, each first seen after the one before. A line is known by parts of it.
#[track_caller]
pub(crate) fn assert_order(trace: &str, lines: &[&[&str]]) {
    let at = |parts: &&[&str]| {
        let found = trace.lines().position(|line| parts.iter().all(|part| line.contains(part)));
        found.unwrap_or_else(|| panic!("{parts:?} is not in: {trace}"))
    };
    let order: Vec<_> = lines.iter().map(at).collect();
    assert!(order.is_sorted(), "{order:?} of {lines:?}: {trace}");
}

/// The path on which programs are looked for, with `rb` before all others.
pub(crate) fn path_with_rb() -> OsString {
    let folder = Path::new(env!("CARGO_BIN_EXE_rb")).parent().expect("a binary lies in a folder");
    let others = std::env::var_os("PATH").unwrap_or_default();
    let all = std::iter::once(folder.to_owned()).chain(std::env::split_paths(&others));
    std::env::join_paths(all).expect("folders can be joined")
}

/// A shell in the repository, with `rb` on its path.
#[track_caller]
pub(crate) fn shell(repo: &Sandbox, script: &str) -> Run {
    let mut command = repo.command("bash");
    command.env("PATH", path_with_rb()).args(["-c", script]);
    Run::of(command.output().expect("a shell can be started"))
}

/// The hash that `rb trust` wants, from its refusal.
#[track_caller]
pub(crate) fn hash_of(repo: &Sandbox, args: &[&str]) -> String {
    let refused = rb(repo, args);
    assert_eq!(refused.code, 6, "{}{}", refused.stdout, refused.stderr);
    let (_, rest) = refused.stderr.split_once("--hash ").expect("the hint names it");
    rest.split_whitespace().next().expect("a hash").to_owned()
}

/// Trusts a procedure as it is now.
#[track_caller]
pub(crate) fn trust(repo: &Sandbox, procedure: &str) {
    let hash = hash_of(repo, &["trust", procedure]);
    done(rb(repo, &["trust", procedure, "--hash", &hash]));
}

/// The run, which has done what it was asked.
#[track_caller]
pub(crate) fn done(run: Run) -> Run {
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    run
}
