//! `rb revert`, `rb pick`, `rb restore` and `rb apply` from the words to the exit code. Whether what lands is what git
//! would land is shown by the library's own suites.

use serde_json::json;
use test_kit::{Fixture, Sandbox, State};

use crate::kit::{done, rb, rb_in, rb_with, shell};

/// A file that a commit with other changes removed.
fn removed() -> Sandbox {
    let repo = Sandbox::new();
    repo.commit("add files", &[("src/shim.py", "one\n"), ("readme", "r\n")]);
    repo.write("readme", "changed\n");
    repo.git(&["rm", "-q", "src/shim.py"]);
    repo.git(&["add", "."]);
    repo.commit_index(b"remove the shim\n");
    repo.commit("later", &[("later", "l\n")]);
    repo
}

/// A line that was changed twice: undoing the first change conflicts.
fn overlapping() -> Sandbox {
    let repo = Sandbox::new();
    repo.commit("one", &[("f", "1\n2\n3\n")]);
    repo.commit("two", &[("f", "1\ntwo\n3\n")]);
    repo.commit("three", &[("f", "1\nTWO\n3\n")]);
    repo
}

#[test]
fn a_removed_file_comes_back_in_one_command() {
    let repo = removed();
    let run = rb(&repo, &["revert", "--file", "src/shim.py"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{}", run.stdout);
    assert_eq!(repo.git(&["show", "HEAD:src/shim.py"]), "one");
    assert_eq!(repo.git(&["show", "HEAD:readme"]), "changed");
    assert_eq!(repo.git(&["status", "--porcelain"]), "");
    assert!(run.stdout.contains("Landed on main: "), "{}", run.stdout);
    assert!(run.stdout.contains("A src/shim.py"), "{}", run.stdout);
}

#[test]
fn run_again_it_has_nothing_to_do_and_changes_nothing() {
    let repo = removed();
    rb(&repo, &["revert", "--file", "src/shim.py"]);
    let before = State::of(&repo);
    let again = rb(&repo, &["revert", "--file", "src/shim.py"]);
    assert_eq!(again.code, 3, "{}", again.stdout);
    assert!(again.stdout.ends_with("Nothing to do.\n"), "{}", again.stdout);
    assert_eq!(rb(&repo, &["revert", "--file", "src/shim.py", "--allow-noop", "-q"]).code, 0);
    before.assert_unchanged(&repo);
}

#[test]
fn a_dry_run_prints_the_plan_and_writes_nothing() {
    let repo = removed();
    let before = State::of(&repo);
    let run = rb_in(&repo, "", &["revert", "--dry-run", "--json", "--", "src/shim.py"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    let plan = run.json();
    assert_eq!(plan["schema_version"], 1);
    assert_eq!(plan["request"]["target"]["kind"], "paths");
    assert_eq!(plan["target"]["culprit"]["commit_id"], json!(repo.git(&["rev-parse", "HEAD~1"])));
    assert_eq!(plan["tip"], json!({"ref": "refs/heads/main", "commit_id": repo.git(&["rev-parse", "HEAD"])}));
    let chosen = &plan["attempts"][plan["chosen"].as_u64().expect("a rung is chosen") as usize];
    assert_eq!(chosen["strategy"], "revert-commit");
    assert_eq!(chosen["result"], "clean");
    assert_eq!(chosen["conflicts"], json!([]));
    assert_eq!(chosen["paths_touched"], json!(["src/shim.py"]));
    assert_eq!(chosen["loss"], json!({"class": "exact", "discards": []}));
    assert!(
        plan["message"].as_str().is_some_and(|message| message.starts_with("Revert \"remove the shim\""))
    );
    assert!(plan.get("outcome").is_none(), "a plan has no outcome");
    before.assert_unchanged(&repo);

    let shown = rb(&repo, &["revert", "--dry-run", "--file", "src/shim.py"]);
    assert!(shown.stdout.contains("This was a dry run: nothing was written."), "{}", shown.stdout);
    assert_eq!(shown.line("next: land it with:"), "rb revert --file src/shim.py");
    before.assert_unchanged(&repo);
}

#[test]
fn a_landing_prints_the_plan_and_its_outcome() {
    let repo = removed();
    let receipt = rb(&repo, &["revert", "--file", "src/shim.py", "--json"]).json();
    let outcome = &receipt["outcome"];
    assert_eq!(outcome["kind"], "committed");
    assert_eq!(outcome["commit_ids"], json!([repo.git(&["rev-parse", "HEAD"])]));
    assert_eq!(outcome["ref"], "refs/heads/main");
    assert!(outcome.get("operation_id").is_some());
    assert_eq!(receipt["target"]["kind"], "paths");

    let again = rb(&repo, &["revert", "--file", "src/shim.py", "--json"]);
    assert_eq!((again.code, again.stderr.as_str()), (3, ""));
    assert_eq!(again.json()["outcome"]["kind"], "nothing-to-do");
}

#[test]
fn a_plan_that_was_kept_lands_as_it_is() {
    let repo = removed();
    let plan = rb(&repo, &["revert", "--file", "src/shim.py", "--dry-run", "--json"]).stdout;
    std::fs::write(repo.path().join("../plan.json"), &plan).unwrap();
    let tip = repo.git(&["rev-parse", "HEAD"]);
    let shown = rb(&repo, &["apply", "../plan.json", "--dry-run"]);
    assert_eq!(shown.code, 0, "{}", shown.stderr);
    assert_eq!(repo.git(&["rev-parse", "HEAD"]), tip);
    let landed = rb_with(&repo, &["apply", "-"], &plan, &[]);
    assert_eq!(landed.code, 0, "{}", landed.stderr);
    assert_eq!(repo.git(&["rev-parse", "HEAD~1"]), tip);
    assert_eq!(repo.git(&["show", "HEAD:src/shim.py"]), "one");
}

#[test]
fn a_plan_that_no_longer_holds_is_refused() {
    let repo = removed();
    let plan = rb(&repo, &["revert", "--file", "src/shim.py", "--dry-run", "--json"]).stdout;
    repo.commit("somebody else was faster", &[("src/shim.py", "other\n")]);
    let before = State::of(&repo);
    for words in [&["apply", "-"][..], &["apply", "-", "--dry-run"]] {
        let run = rb_with(&repo, words, &plan, &[]);
        assert_eq!(run.code, 5, "{}", run.stdout);
        assert!(run.line("error:").starts_with("refs/heads/main moved from "), "{}", run.stderr);
        assert_eq!(run.line("hint:"), "make the plan again; see how with: rb apply --help");
    }
    before.assert_unchanged(&repo);
}

#[test]
fn what_is_no_plan_is_refused() {
    let repo = removed();
    let run = rb_with(&repo, &["apply", "-", "--json"], "{}", &[]);
    assert_eq!((run.code, run.json()["error"]["code"].as_str()), (2, Some("not-a-plan")));
    let run = rb_with(&repo, &["apply", "-"], r#"{"schema_version": 99}"#, &[]);
    assert_eq!((run.code, run.line("error:")), (5, "plans of schema version 99 are not supported"));
    let run = rb(&repo, &["apply", "nowhere.json"]);
    assert_eq!(run.code, 74);
    assert!(run.line("error:").starts_with("cannot read "), "{}", run.stderr);
}

#[test]
fn a_conflict_changes_nothing_and_is_a_plan_not_an_error() {
    let repo = overlapping();
    let before = State::of(&repo);
    let words = ["revert", "HEAD~1", "--via", "revert-commit"];
    let run = rb(&repo, &words);
    assert_eq!(run.code, 1);
    assert_eq!(run.line("error:"), "nothing was changed: revert-commit conflicts in f");
    assert_eq!(run.line("hint:"), "let all strategies be tried with: rb revert HEAD~1");
    assert!(run.stdout.contains("f: both sides changed the same lines"), "{}", run.stdout);

    let landed = rb(&repo, &[&words[..], &["--json"]].concat());
    assert_eq!(landed.code, 1);
    assert_eq!(landed.json()["outcome"]["kind"], "not-landed");
    assert_eq!(landed.json()["attempts"][0]["result"], "conflicted");
    assert_eq!(landed.json()["attempts"][0]["conflicts"][0]["path"], "f");
    assert_eq!(landed.json()["attempts"][0]["conflicts"][0]["kind"], "content");
    assert!(landed.json()["attempts"][0]["conflicts"][0]["stages"]["base"]["id"].is_string());
    assert!(landed.stderr.starts_with("error: "), "{}", landed.stderr);

    let dry = rb(&repo, &[&words[..], &["--json", "--dry-run"]].concat());
    assert_eq!((dry.code, &dry.json()["chosen"]), (1, &json!(null)));
    before.assert_unchanged(&repo);
}

#[test]
fn discarding_later_edits_needs_consent() {
    let repo = overlapping();
    let before = State::of(&repo);
    let run = rb(&repo, &["revert", "HEAD~1"]);
    assert_eq!(run.code, 6);
    assert_eq!(run.line("error:"), "the result discards 1 later change to f");
    assert_eq!(run.line("hint:"), "resolve it by hand with: rb revert HEAD~1 --on-conflict=stop");
    assert!(run.stdout.contains("\n    rb revert HEAD~1 --with-dependents\n"), "{}", run.stdout);
    assert!(run.stdout.contains("Discards what 1 later commit did to f"), "{}", run.stdout);
    let yes = rb(&repo, &["revert", "HEAD~1", "--yes"]);
    assert_eq!(yes.code, 6, "to ask nothing is not to consent");
    let document = rb(&repo, &["revert", "HEAD~1", "--json"]);
    assert_eq!((document.code, document.json()["error"]["code"].as_str()), (6, Some("loss-not-allowed")));
    let dry = rb(&repo, &["revert", "HEAD~1", "--dry-run", "--json"]);
    assert_eq!(dry.code, 6, "a dry run exits as the real run would");
    assert!(dry.json()["chosen"].is_number());
    before.assert_unchanged(&repo);

    let landed = rb(&repo, &["revert", "HEAD~1", "--allow-loss"]);
    assert_eq!(landed.code, 0, "{}", landed.stderr);
    assert_eq!(repo.git(&["show", "HEAD:f"]), "1\n2\n3");
}

#[test]
fn the_result_can_go_to_a_branch() {
    let repo = removed();
    let tip = repo.git(&["rev-parse", "main"]);
    let words = ["revert", "--file", "src/shim.py", "--branch", "rescue"];
    let run = rb(&repo, &words);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(repo.git(&["rev-parse", "main", "rescue~1"]), format!("{tip}\n{tip}"));
    assert_eq!(repo.git(&["status", "--porcelain"]), "");
    let again = rb(&repo, &words);
    assert_eq!(again.code, 3);
    assert!(again.stdout.ends_with("Nothing to do: rescue holds this result already.\n"), "{}", again.stdout);
    let other = rb(&repo, &["revert", "HEAD", "--branch", "rescue"]);
    assert_eq!(other.code, 5);
    assert!(other.line("error:").starts_with("branch rescue already exists at "), "{}", other.stderr);
    assert_eq!(other.line("hint:"), "see what it holds with: git log --oneline -5 rescue");
}

#[test]
fn a_bare_repository_takes_the_result_on_a_branch() {
    let repo = Fixture::import_without_work_tree("matriz");
    let words = ["revert", "--file", "MATRIZ/__init__.py"];
    let refused = rb(&repo, &words);
    assert_eq!(refused.code, 5, "{}", refused.stdout);
    assert_eq!(
        refused.line("hint:"),
        "put the result on a branch with: rb revert --file MATRIZ/__init__.py --branch rollback"
    );
    let run = rb(&repo, &[&words[..], &["--branch", "rescue"]].concat());
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    assert_eq!(repo.git(&["show", "rescue:MATRIZ/__init__.py"]).lines().count(), 104);
}

#[test]
fn several_commits_land_in_one_move() {
    let repo = Sandbox::new();
    repo.commit("base", &[("a", "1\n"), ("b", "1\n")]);
    repo.commit("first", &[("a", "2\n")]);
    repo.commit("second", &[("b", "2\n")]);
    let run = rb(&repo, &["revert", "HEAD~2..HEAD"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let log = repo.git(&["log", "--format=%s", "-2"]);
    assert_eq!(log, "Revert \"first\"\nRevert \"second\"");
    assert_eq!(repo.git(&["reflog", "-2", "--format=%gs", "main"]).lines().count(), 2);
    assert_eq!(
        repo.git(&["rev-parse", "main@{1}"]),
        repo.git(&["rev-parse", "HEAD~2"]),
        "one move of the branch"
    );
}

#[test]
fn a_pick_and_a_restore_land_as_commits() {
    let repo = Sandbox::new();
    repo.commit("base", &[("a", "1\n"), ("b", "1\n")]);
    repo.git(&["switch", "-q", "-c", "topic"]);
    repo.commit("on the side", &[("b", "2\n")]);
    repo.git(&["switch", "-q", "main"]);
    repo.commit("meanwhile", &[("a", "2\n")]);
    let pick = rb(&repo, &["cherry-pick", "-x", "topic"]);
    assert_eq!(pick.code, 0, "{}", pick.stderr);
    let body = repo.git(&["log", "-1", "--format=%B"]);
    assert!(body.starts_with("on the side\n\n(cherry picked from commit "), "{body}");
    let restore = rb(&repo, &["restore", "a", "-s", "HEAD~2", "--allow-loss"]);
    assert_eq!(restore.code, 0, "{}", restore.stderr);
    assert_eq!(repo.git(&["show", "HEAD:a"]), "1");
}

#[test]
fn without_a_commit_index_and_work_tree_hold_the_result() {
    let repo = removed();
    let tip = repo.git(&["rev-parse", "HEAD"]);
    let run = rb(&repo, &["revert", "--file", "src/shim.py", "-n"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(repo.git(&["rev-parse", "HEAD"]), tip);
    assert_eq!(repo.git(&["status", "--porcelain"]), "A  src/shim.py");
    assert_eq!(run.line("next: look at it with:"), "git diff --cached");
}

#[test]
fn the_message_says_what_it_is_told_to() {
    let repo = removed();
    let words = [
        "revert",
        "--file",
        "src/shim.py",
        "--message",
        "Bring the shim back",
        "--trailer",
        "Ticket: 42",
        "-s",
    ];
    let run = rb(&repo, &words);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let body = repo.git(&["log", "-1", "--format=%B"]);
    assert!(body.starts_with("Bring the shim back\n"), "{body}");
    assert!(body.contains("Ticket: 42"), "{body}");
    assert!(body.contains("Signed-off-by: C O Mitter <committer@example.com>"), "{body}");
}

#[test]
fn the_message_can_be_edited_before_it_lands() {
    let repo = removed();
    let words = ["revert", "--file", "src/shim.py", "--edit"];
    let editor = [("GIT_EDITOR", "sed -i -e '1s/.*/Edited subject/' -e '2a # a comment'")];
    let run = rb_with(&repo, &words, "", &editor);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let body = repo.git(&["log", "-1", "--format=%B"]);
    assert!(body.starts_with("Edited subject\n\nThis reverts"), "{body}");
    assert!(!body.contains('#'), "{body}");
}

#[test]
fn an_edit_that_comes_to_nothing_lands_nothing() {
    let repo = removed();
    let before = State::of(&repo);
    let words = ["revert", "--file", "src/shim.py", "--edit"];
    let emptied = rb_with(&repo, &words, "", &[("GIT_EDITOR", "true >")]);
    assert_eq!(
        (emptied.code, emptied.line("error:")),
        (5, "nothing was changed: the message came back empty")
    );
    let failed = rb_with(&repo, &words, "", &[("GIT_EDITOR", "false")]);
    assert_eq!(failed.code, 5);
    assert!(failed.line("error:").contains("the editor 'false' failed"), "{}", failed.stderr);
    let none = rb(&repo, &words);
    assert_eq!((none.code, none.line("hint:")), (5, "give the message with --message"));
    before.assert_unchanged(&repo);
}

#[test]
fn a_quiet_landing_says_nothing() {
    let run = rb(&removed(), &["revert", "--file", "src/shim.py", "-q"]);
    assert_eq!((run.code, run.stdout.as_str(), run.stderr.as_str()), (0, "", ""));
}

#[test]
fn a_reader_that_goes_away_does_not_keep_the_result_from_landing() {
    let repo = removed();
    let run = shell(&repo, "rb revert --file src/shim.py | true; echo \"${PIPESTATUS[0]}\"");
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("0\n", ""));
    assert_eq!(repo.git(&["show", "HEAD:src/shim.py"]), "one");
}

#[cfg(target_os = "linux")]
#[test]
fn a_landing_that_cannot_be_reported_has_landed() {
    let repo = removed();
    let run = shell(&repo, "rb revert --file src/shim.py >/dev/full");
    assert_eq!((run.code, run.line("error:")), (8, "cannot write to standard output"));
    assert_eq!(repo.git(&["show", "HEAD:src/shim.py"]), "one");
}

#[test]
fn a_dry_run_says_what_would_be_refused() {
    let repo = removed();
    repo.write("src/shim.py", "mine\n");
    let before = State::of(&repo);
    let run = rb(&repo, &["revert", "--file", "src/shim.py", "--dry-run"]);
    assert_eq!(run.code, 5, "{}", run.stdout);
    assert_eq!(
        run.line("error:"),
        "landing this would be refused: files that git does not track would be overwritten: src/shim.py"
    );
    assert_eq!(run.line("hint:"), "put them aside with: git stash push --include-untracked -- :/src/shim.py");
    assert!(run.stdout.contains("A src/shim.py"), "the plan is shown all the same: {}", run.stdout);
    let document = rb(&repo, &["revert", "--file", "src/shim.py", "--dry-run", "--json"]);
    assert_eq!((document.code, document.json()["chosen"].is_number()), (5, true));
    before.assert_unchanged(&repo);
}

#[test]
fn a_hook_that_git_would_run_is_named_and_not_run() {
    use std::os::unix::fs::PermissionsExt;
    let repo = Sandbox::new();
    repo.commit("one", &[("a", "one\n")]);
    repo.commit("two", &[("a", "two\n")]);
    let hook = repo.path().join(".git/hooks/post-commit");
    std::fs::create_dir_all(hook.parent().expect("it lies in a folder")).unwrap();
    std::fs::write(&hook, "#!/bin/sh\ntouch ran\n").unwrap();
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    let run = rb(&repo, &["revert", "HEAD", "--json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let note = &run.json()["notes"][0];
    assert_eq!((&note["kind"], &note["ref"]), (&"hook-skipped".into(), &"post-commit".into()), "{note}");
    assert!(!repo.path().join("ran").exists());
}

#[test]
fn a_merge_that_was_rolled_back_comes_back_by_reapply_and_not_by_merging_again() {
    let repo = Sandbox::new();
    repo.commit("base", &[("base", "b\n")]);
    repo.git(&["switch", "-q", "-c", "topic"]);
    repo.commit("topic", &[("topic", "t\n")]);
    repo.git(&["switch", "-q", "main"]);
    repo.commit("main", &[("main", "m\n")]);
    repo.git(&["merge", "-q", "--no-ff", "--no-edit", "topic"]);
    let merge = repo.git(&["rev-parse", "HEAD"]);
    let merged = repo.git(&["rev-parse", "HEAD^{tree}"]);
    let nothing = rb(&repo, &["reapply", "HEAD"]);
    assert_eq!(nothing.code, 3, "{}", nothing.stderr);
    assert!(nothing.stderr.contains("there is nothing to bring back"), "{}", nothing.stderr);

    let undone = rb(&repo, &["revert", "-m", "1", &merge]);
    assert_eq!(undone.code, 0, "{}", undone.stderr);
    assert!(undone.stdout.contains("(rb reapply will)"), "{}", undone.stdout);
    assert!(repo.git(&["merge", "topic"]).contains("Already up to date"), "the trap is real");
    let twin = repo.twin();
    twin.git(&["revert", "--no-edit", "HEAD"]);

    let back = rb(&repo, &["reapply", &merge]);
    assert_eq!(back.code, 0, "{}", back.stderr);
    assert_eq!(repo.git(&["rev-parse", "HEAD^{tree}"]), merged);
    let words = ["log", "-1", "--format=%s%n%b"];
    assert_eq!(repo.git(&words), twin.git(&words));
    assert_eq!(rb(&repo, &["reapply", &merge]).code, 3, "it stands again");
}

#[test]
fn a_part_that_was_rolled_back_comes_back_too() {
    let repo = removed();
    let removal = repo.git(&["rev-parse", "HEAD~1"]);
    rb(&repo, &["revert", "--file", "src/shim.py"]);
    let rollback = repo.git(&["rev-parse", "HEAD"]);
    for named in [&removal, &rollback] {
        let back = rb(&repo, &["reapply", named, "--dry-run", "--json"]);
        assert_eq!(back.code, 0, "{}", back.stderr);
        assert_eq!(back.json()["attempts"][0]["paths_touched"], json!(["src/shim.py"]));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_larger_than_the_memory_lands_in_pieces() {
    let repo = Sandbox::new();
    std::fs::File::create(repo.path().join("large")).unwrap().set_len(256 << 20).unwrap();
    repo.commit("first", &[("small", "one\n")]);
    repo.git(&["rm", "-q", "large"]);
    repo.commit("second", &[("small", "two\n")]);
    // Address space, in KiB: less than the file has.
    let short_of_memory = || {
        let script = "ulimit -v 260000; exec \"$0\" revert HEAD";
        repo.command("sh").args(["-c", script, env!("CARGO_BIN_EXE_rb")]).output().unwrap()
    };
    let seen = || (repo.git(&["rev-parse", "HEAD"]), repo.git(&["status", "--porcelain"]));
    let before = seen();
    assert!(!short_of_memory().status.success(), "below the threshold it is read whole");
    assert_eq!(seen(), before);
    repo.git(&["config", "core.bigFileThreshold", "64m"]);
    let output = short_of_memory();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(std::fs::metadata(repo.path().join("large")).unwrap().len(), 256 << 20);
    assert_eq!(repo.git(&["status", "--porcelain"]), "");
}

#[cfg(unix)]
#[test]
fn what_lands_in_folders_of_another_group_is_of_that_group_as_under_git() {
    use std::os::unix::fs::MetadataExt;
    let repo = Sandbox::new();
    repo.commit("base", &[("src/a", "1\n"), ("new/f", "1\n")]);
    repo.commit("the change", &[("src/a", "2\n")]);
    repo.git(&["rm", "-q", "new/f"]);
    repo.commit_index(b"away");
    let given = |repo: &Sandbox| {
        let script = "chgrp 65534 src . src/a && chmod g+s src . && git update-index -q --refresh";
        repo.command("sh").args(["-c", script]).stderr(std::process::Stdio::null()).status()
    };
    if !given(&repo).is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: no folder can be given to another group here");
        return;
    }
    let groups = |repo: &Sandbox| {
        let of = |path: &str| std::fs::metadata(repo.path().join(path)).expect(path).gid();
        ["src/a", "new", "new/f"].map(of)
    };
    let twin = repo.twin();
    given(&twin).expect("it could be given before");
    twin.git(&["revert", "--no-edit", "HEAD", "HEAD~1"]);
    assert_eq!(groups(&twin), [65534; 3], "git gives them the group of the folder");
    done(rb(&repo, &["revert", "HEAD", "HEAD~1"]));
    assert_eq!(groups(&repo), groups(&twin));
    done(rb(&repo, &["checkpoint", "create", "k"]));
    std::fs::remove_dir_all(repo.path().join("new")).expect("it is there");
    repo.write("src/a", "scribble\n");
    done(rb(&repo, &["checkpoint", "restore", "k"]));
    assert_eq!(groups(&repo), groups(&twin), "a restore does too");
    done(rb(&repo, &["undo"]));
    done(rb(&repo, &["checkpoint", "restore", "k"]));
    done(rb(&repo, &["undo"]));
    let of = std::fs::metadata(repo.path().join("src/a")).expect("it is there").gid();
    assert_eq!(of, 65534, "and so does an undo");
}
