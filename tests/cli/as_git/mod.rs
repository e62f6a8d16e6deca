//! What git reads, writes and refuses, rb reads, writes and refuses too: bytes by attributes, people and dates, old
//! commits, configuration. git is the twin in each.
#![cfg(unix)]

mod attributes;
mod configuration;
mod encodings;
mod old_commits;
mod people;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use test_kit::{Part, Sandbox, State};

use crate::kit::{Run, rb_with};

/// The parts in which a revert by git and one by rb agree.
const LANDED: [Part; 4] = [Part::Refs, Part::Index, Part::Flags, Part::Files];

/// Runs git with variables of the test's own.
fn git_with(repo: &Sandbox, args: &[&str], variables: &[(&str, &str)]) -> Output {
    repo.command("git").args(args).envs(variables.iter().copied()).output().expect("git can be started")
}

/// Holds `rb WORDS` to `git WORDS` in a twin: both land the same, or both refuse.
#[track_caller]
fn as_git(repo: &Sandbox, git: &[&str], rb: &[&str], variables: &[(&str, &str)], name: &str) -> Run {
    let twin = repo.twin();
    let theirs = git_with(&twin, git, variables);
    let before = bytes_of(repo);
    let ours = rb_with(repo, rb, "", variables);
    if theirs.status.success() {
        assert_eq!(ours.code, 0, "{name}: {}", ours.stderr);
        assert_same_landing(repo, &twin, name);
        assert_eq!(status(repo, variables), status(&twin, variables), "{name}");
    } else {
        assert_eq!(ours.code, 5, "{name}: {}{}", ours.stderr, String::from_utf8_lossy(&theirs.stderr));
        assert!(before == bytes_of(repo), "{name}: something was changed");
    }
    ours
}

#[track_caller]
fn assert_same_landing(ours: &Sandbox, theirs: &Sandbox, name: &str) {
    let (ours, theirs) = (State::of(ours).only(&LANDED), State::of(theirs).only(&LANDED));
    assert_eq!(theirs.diff(&ours), "", "{name}");
}

/// `git status` with variables of the test's own.
fn status(repo: &Sandbox, variables: &[(&str, &str)]) -> String {
    String::from_utf8_lossy(&git_with(repo, &["status", "--porcelain"], variables).stdout).into_owned()
}

/// Every file of the work tree and the git directory but rb's own, where git may refuse to say anything.
fn bytes_of(repo: &Sandbox) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![repo.path().to_owned()];
    while let Some(folder) = open.pop() {
        for row in fs::read_dir(&folder).expect("a folder") {
            let path = row.expect("a row").path();
            if path == repo.path().join(".git/rb") {
                continue;
            }
            match path.is_dir() {
                true => open.push(path),
                false => drop(found.insert(path.clone(), read(&path))),
            }
        }
    }
    found
}

fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_default()
}
