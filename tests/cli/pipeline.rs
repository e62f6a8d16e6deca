//! The script of a release pipeline, run from a clone of depth 1 against origins that take its branch and that do not.
#![cfg(unix)]
#![expect(clippy::print_stderr, reason = "a test that cannot run here says so")]

use std::fs;

use test_kit::Sandbox;

use crate::kit::path_with_rb;
use crate::push::{FORGE, script};

/// A trigger, and samples that let it fire.
const PROCEDURE: &str = r#"
schema = 1
id = "gate"
[metric.error_rate]
unit = "%"
[[trigger]]
id = "errors"
metric = "error_rate"
op = ">"
threshold = "1%"
[phase.main]
target = { path = "f" }
ladder = [{ use = "revert-commit" }]
"#;

/// An origin whose second commit is the bad one, and a clone of depth 1 of it.
struct World {
    repo: Sandbox,
    bad: String,
}

impl World {
    fn new(errors: &str) -> Self {
        let repo = Sandbox::new();
        repo.commit("good", &[("f", "1\n"), ("g", "1\n")]);
        let bad = repo.commit("bad", &[("f", "2\n")]);
        repo.write(".rb/procedures/gate.toml", PROCEDURE);
        repo.commit("later", &[("g", "2\n")]);
        repo.git(&["init", "-q", "--bare", "-b", "main", "../remote.git"]);
        repo.git(&["push", "-q", "../remote.git", "main"]);
        let row = format!(r#"{{"metric":"error_rate","time":"2026-03-08T12:00:00Z","value":"{errors}"}}"#);
        fs::write(repo.around().join("samples.jsonl"), row).expect("a file");
        let world = Self { repo, bad };
        world.clone_anew();
        world
    }

    fn clone_anew(&self) {
        let _ = fs::remove_dir_all(self.repo.around().join("clone"));
        let url = format!("file://{}", self.repo.around().join("remote.git").display());
        self.repo.git(&["clone", "-q", "--depth", "1", &url, "../clone"]);
    }

    /// Runs the script in the clone; how it ended and what it said.
    fn release(&self, most: &str) -> (Option<i32>, String) {
        let folder = self.repo.around().join("forge");
        script(folder.join("gh"), FORGE);
        let mut path = std::ffi::OsString::from(folder);
        path.push(":");
        path.push(path_with_rb());
        let mut command = self.repo.command("sh");
        command.current_dir(self.repo.around().join("clone")).env("PATH", path);
        let release = concat!(env!("CARGO_MANIFEST_DIR"), "/pipelines/release.sh");
        let output =
            command.args([release, "gate", "../samples.jsonl", &self.bad, "grep -q 1 f", most]).output();
        let output = output.expect("a shell can be started");
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&said).into_owned())
    }

    /// The branches of the origin.
    fn far(&self) -> Vec<String> {
        let found = self.repo.git(&["ls-remote", "--heads", "../remote.git"]);
        found.lines().filter_map(|line| line.split_whitespace().nth(1)).map(ToOwned::to_owned).collect()
    }

    fn branch(&self) -> String {
        format!("refs/heads/rollback/{}", &self.bad[..12])
    }

    fn opened(&self) -> usize {
        let asked = fs::read_to_string(self.repo.around().join("asked")).unwrap_or_default();
        asked.lines().filter(|word| *word == "create").count()
    }
}

fn has_jq(repo: &Sandbox) -> bool {
    let there = repo.command("jq").arg("--version").output().is_ok_and(|output| output.status.success());
    if !there {
        eprintln!("SKIPPED: jq is not installed");
    }
    there
}

#[test]
fn a_release_is_rolled_back_once_however_often_the_script_runs() {
    let world = World::new("7%");
    if !has_jq(&world.repo) {
        return;
    }
    let (code, said) = world.release("20");
    assert_eq!(code, Some(0), "{said}");
    assert_eq!((world.far(), world.opened()), (vec!["refs/heads/main".to_owned(), world.branch()], 1));
    let result = world.repo.git(&["ls-remote", "../remote.git", &world.branch()]);
    assert_eq!(world.repo.git(&["-C", "../remote.git", "show", &format!("{}:f", world.branch())]), "1");
    assert!(world.repo.around().join("clone/report.html").is_file(), "{said}");
    for anew in [false, true] {
        if anew {
            world.clone_anew();
        }
        let (code, said) = world.release("20");
        assert_eq!((code, world.opened()), (Some(0), 1), "{said}");
        assert_eq!(world.repo.git(&["ls-remote", "../remote.git", &world.branch()]), result, "anew: {anew}");
    }
}

#[test]
fn an_origin_that_refuses_keeps_the_result_here_until_it_takes_it() {
    let world = World::new("7%");
    if !has_jq(&world.repo) {
        return;
    }
    let hook = world.repo.around().join("remote.git/hooks/pre-receive");
    script(hook.clone(), "#!/bin/sh\necho closed >&2\nexit 1\n");
    let (code, said) = world.release("20");
    assert_eq!(
        (code, world.far(), world.opened()),
        (Some(8), vec!["refs/heads/main".to_owned()], 0),
        "{said}"
    );
    let kept = world.repo.git(&["-C", "../clone", "rev-parse", &world.branch()]);
    let (code, said) = world.release("20");
    assert_eq!((code, world.opened()), (Some(8), 0), "{said}");
    assert_eq!(
        world.repo.git(&["-C", "../clone", "rev-parse", &world.branch()]),
        kept,
        "nothing is landed twice"
    );
    fs::remove_file(hook).expect("a hook");
    let (code, said) = world.release("20");
    assert_eq!((code, world.opened()), (Some(0), 1), "{said}");
    assert!(world.repo.git(&["ls-remote", "../remote.git", &world.branch()]).starts_with(&kept));
}

#[test]
fn what_is_too_much_or_not_called_for_goes_nowhere() {
    for (errors, most, ends) in [("0.1%", "20", 0), ("7%", "0", 1)] {
        let world = World::new(errors);
        if !has_jq(&world.repo) {
            return;
        }
        let (code, said) = world.release(most);
        assert_eq!(code, Some(ends), "{said}");
        assert_eq!((world.far(), world.opened()), (vec!["refs/heads/main".to_owned()], 0), "{said}");
        let branches = world.repo.git(&["-C", "../clone", "branch", "--format=%(refname)"]);
        assert_eq!(branches, "refs/heads/main", "nothing has landed");
    }
}
