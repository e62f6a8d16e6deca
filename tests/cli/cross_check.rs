//! `--cross-check`: git merges, too.

use serde_json::json;
use test_kit::{Sandbox, State};

use crate::kit::{rb, rb_with};

/// Two commits that can be undone without a conflict, each beside a later edit.
fn history() -> Sandbox {
    let repo = Sandbox::new();
    let lines =
        |first: &str, middle: &str, last: &str| format!("{first}\na\nb\nc\nd\n{middle}\ne\nf\ng\n{last}\n");
    repo.commit("base", &[("f", lines("1", "2", "3")), ("g", "g\n".into())]);
    repo.commit("first", &[("f", lines("one", "2", "3")), ("g", "G\n".into())]);
    repo.commit("second", &[("f", lines("one", "2", "three"))]);
    repo.commit("later", &[("f", lines("one", "two", "three"))]);
    repo
}

/// A folder to search programs in: with a `git` that answers as the script says, or with nothing.
fn programs(repo: &Sandbox, git: Option<&str>) -> String {
    let folder = repo.path().join(".git/programs");
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    if let Some(script) = git {
        let file = folder.join("git");
        std::fs::write(&file, format!("#!/bin/sh\n{script}\n")).expect("the program can be written");
        #[cfg(unix)]
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .expect("it can be made executable");
    }
    folder.to_str().expect("the folder has a UTF-8 name").to_owned()
}

#[test]
fn what_git_comes_to_as_well_lands() {
    let repo = history();
    let run = rb(&repo, &["revert", "--cross-check", "--json", "HEAD~2", "HEAD~1"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let landed = run.json();
    assert_eq!(landed["cross_check"]["merges"], json!(2));
    assert_eq!(landed["cross_check"]["differences"], json!([]));
    assert_eq!(repo.git(&["rev-list", "--count", "HEAD"]), "6");
    assert_eq!(repo.git(&["fsck", "--strict"]), "");
}

#[test]
fn a_scoped_rollback_and_a_pick_are_compared_in_their_scope() {
    let repo = history();
    let scoped = rb(&repo, &["revert", "--cross-check", "HEAD~2", "--", "f"]);
    assert_eq!(scoped.code, 0, "{}", scoped.stderr);
    assert!(
        scoped.stdout.contains("comes to the same tree") || scoped.stderr.contains("comes to the same tree")
    );
    assert_eq!(repo.git(&["diff", "--name-only", "HEAD~1", "HEAD"]), "f");
    let pick = rb(&repo, &["pick", "--cross-check", "HEAD~3", "--file", "f", "--json"]);
    assert_eq!(pick.code, 0, "{}", pick.stderr);
    assert_eq!(pick.json()["cross_check"]["merges"], json!(1));
}

#[test]
fn a_dry_run_compares_and_writes_nothing() {
    let repo = history();
    let before = State::of(&repo);
    let run = rb(&repo, &["revert", "--dry-run", "--cross-check", "--json", "HEAD~1"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(run.json()["cross_check"]["merges"], json!(1));
    before.assert_unchanged(&repo);
}

#[cfg(unix)]
#[test]
fn what_git_makes_something_else_of_is_refused_with_a_report() {
    let repo = history();
    let tree = repo.git(&["rev-parse", "HEAD^{tree}"]);
    let other =
        programs(&repo, Some(&format!("[ \"$1\" = version ] && echo 'git version 9' || echo {tree}")));
    let before = State::of(&repo);
    let args = ["revert", "--cross-check", "HEAD~1", "--json"];
    let run = rb_with(&repo, &args, "", &[("PATH", &other)]);
    assert_eq!(run.code, 5, "{}", run.stderr);
    assert_eq!(run.json()["error"]["code"], "cross-check-differs");
    before.assert_unchanged(&repo);

    let reports = repo.path().join(".git/rb/reports");
    let [report] =
        &std::fs::read_dir(&reports).unwrap().map(|row| row.unwrap().path()).collect::<Vec<_>>()[..]
    else {
        panic!("one report is kept in {}", reports.display());
    };
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
    assert_eq!(report["git"], "git version 9");
    assert_eq!(report["differences"][0]["tree_of_git"], json!(tree));
    assert_eq!(report["differences"][0]["clean_for_git"], json!(true));
}

#[test]
fn without_a_git_the_flag_refuses_and_the_configuration_says_so_and_lands() {
    let repo = history();
    repo.git(&["config", "rb.crossCheck", "true"]);
    let nothing = programs(&repo, None);
    let before = State::of(&repo);
    let asked = rb_with(&repo, &["revert", "--cross-check", "HEAD~1"], "", &[("PATH", &nothing)]);
    assert_eq!(asked.code, 5, "{}", asked.stderr);
    assert!(asked.stderr.contains("no git is installed"), "{}", asked.stderr);
    before.assert_unchanged(&repo);
    let configured = rb_with(&repo, &["revert", "HEAD~1"], "", &[("PATH", &nothing)]);
    assert_eq!(configured.code, 0, "{}", configured.stderr);
    assert!(
        configured.stdout.contains("not compared with git"),
        "{}{}",
        configured.stdout,
        configured.stderr
    );
}

#[test]
fn the_configuration_asks_and_a_flag_takes_it_back() {
    let repo = history();
    repo.git(&["config", "rb.crossCheck", "true"]);
    let without = rb(&repo, &["revert", "--dry-run", "--no-cross-check", "--json", "HEAD~1"]);
    assert!(without.json().get("cross_check").is_none());
    let with = rb(&repo, &["revert", "--dry-run", "--json", "HEAD~1"]);
    assert_eq!(with.json()["cross_check"]["merges"], json!(1));
    repo.git(&["config", "rb.crossCheck", "perhaps"]);
    assert_eq!(rb(&repo, &["revert", "HEAD~1"]).code, 5);
}
