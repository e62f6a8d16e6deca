//! Nothing that a repository configures runs unasked, and nothing redirects `rb` into a mixture of two repositories.
//! Each trap is shown to be one: git walks into it.

use std::fs;
use std::path::PathBuf;

use test_kit::{Sandbox, State};

use crate::kit::{rb, rb_with};

/// A program that leaves a mark when it runs, and passes on what it is given.
struct Trap {
    program: String,
    mark: PathBuf,
}

impl Trap {
    fn in_repository(repo: &Sandbox) -> Self {
        use std::os::unix::fs::PermissionsExt;
        let folder = repo.path().parent().expect("a folder around it");
        let (program, mark) = (folder.join("trap"), folder.join("ran"));
        fs::write(&program, format!("#!/bin/sh\ntouch {}\ncat\n", mark.display())).expect("a new file");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("a file of ours");
        Self { program: program.display().to_string(), mark }
    }

    /// Whether it ran since it was last asked.
    fn ran(&self) -> bool {
        fs::remove_file(&self.mark).is_ok()
    }
}

fn broken() -> Sandbox {
    let repo = Sandbox::new();
    repo.commit("good", &[("a.txt", "good\n"), ("other", "o\n")]);
    repo.commit("bad", &[("a.txt", "bad\n")]);
    repo
}

#[test]
fn a_filter_of_the_repository_that_git_runs_is_not_run() {
    let repo = broken();
    let trap = Trap::in_repository(&repo);
    repo.write(".gitattributes", "*.txt filter=x\n");
    repo.commit("attributes", &[("other", "later\n")]);
    repo.git(&["config", "filter.x.smudge", &trap.program]);
    repo.git(&["config", "filter.x.clean", "cat"]);
    let twin = repo.twin();
    twin.git(&["revert", "--no-edit", "HEAD~1"]);
    assert!(trap.ran(), "the control: git runs it");
    let before = State::of(&repo);
    let run = rb(&repo, &["revert", "HEAD~1"]);
    assert_eq!(run.code, 6, "{}{}", run.stdout, run.stderr);
    assert!(!trap.ran());
    before.assert_unchanged(&repo);
}

#[test]
fn programs_that_the_repository_configures_do_not_run_unasked() {
    let keys = [
        "core.fsmonitor",
        "core.sshCommand",
        "core.pager",
        "core.editor",
        "diff.external",
        "sequence.editor",
        "gpg.program",
        "credential.helper",
        "diff.x.textconv",
        "merge.x.driver",
        "core.askPass",
    ];
    let repo = broken();
    let trap = Trap::in_repository(&repo);
    for key in keys {
        repo.git(&["config", key, &trap.program]);
    }
    let include = repo.path().join(".git/more");
    fs::write(&include, format!("[core]\n\tfsmonitor = {}\n", trap.program)).expect("a new file");
    repo.git(&["config", "include.path", "more"]);
    repo.try_git(&["status"]);
    assert!(trap.ran(), "the control: git runs what watches the file system");
    for words in [
        &["history", "a.txt"][..],
        &["revert", "HEAD", "--dry-run"],
        &["revert", "HEAD"],
        &["status"],
        &["ops"],
        &["undo"],
        &["restore", "a.txt", "-s", "HEAD~1", "--allow-loss"],
    ] {
        let run = rb(&repo, words);
        assert_eq!(run.code, 0, "{words:?}: {}{}", run.stdout, run.stderr);
        assert!(!trap.ran(), "{words:?}");
    }
}

#[test]
fn the_environment_leads_to_one_repository_and_never_to_two() {
    let (here, there) = (broken(), broken());
    there.commit("only there", &[("other", "there\n")]);
    let before = State::of(&here);
    let git_dir = there.path().join(".git").display().to_string();
    let work_tree = there.path().display().to_string();
    let variables = [("GIT_DIR", git_dir.as_str()), ("GIT_WORK_TREE", work_tree.as_str())];
    let run = rb_with(&here, &["revert", "HEAD~1"], "", &variables);
    assert_eq!(run.code, 0, "{}", run.stderr);
    before.assert_unchanged(&here);
    assert_eq!(there.git(&["show", "HEAD:a.txt"]), "good");
    assert_eq!(there.git(&["status", "--porcelain"]), "", "index and work tree are of the same repository");
}

#[test]
fn an_index_that_the_environment_names_is_the_one_that_is_written() {
    let repo = broken();
    let other = repo.path().parent().expect("a folder around it").join("another-index");
    fs::copy(repo.path().join(".git/index"), &other).expect("it can be copied");
    let own = fs::read(repo.path().join(".git/index")).expect("it is there");
    let named = other.display().to_string();
    let run = rb_with(&repo, &["revert", "HEAD"], "", &[("GIT_INDEX_FILE", named.as_str())]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(fs::read(repo.path().join(".git/index")).expect("it is there"), own);
    let mut git = repo.command("git");
    let diff = git.env("GIT_INDEX_FILE", &other).args(["diff-index", "--cached", "HEAD"]).output();
    assert_eq!(diff.expect("git starts").stdout, b"");
}
