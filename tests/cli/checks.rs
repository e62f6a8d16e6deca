//! `--check` from the words to the exit code: what passes lands, what does not lands nothing.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends there")]

use serde_json::{Value, json};
use test_kit::{Sandbox, State};

use crate::kit::{Run, rb, rb_with, shell};

/// A change that broke `f` and, rightly, added to `g`.
fn broken() -> Sandbox {
    let repo = Sandbox::new();
    repo.commit(
        "good",
        &[("f", "good\n"), ("g", "1\n"), ("good.sh", "grep good f\n"), ("grown.sh", "grep -q 2 g\n")],
    );
    repo.commit("break f, add to g", &[("f", "bad\n"), ("g", "1\n2\n")]);
    repo
}

/// A change and a later one to other lines of the same file.
fn edited_since() -> Sandbox {
    let repo = Sandbox::new();
    let lines = |first: &str, last: &str| format!("{first}\n2\n3\n4\n5\n{last}\n");
    repo.commit("one", &[("f", lines("1", "6"))]);
    repo.commit("two", &[("f", lines("one", "6"))]);
    repo.commit("three", &[("f", lines("one", "six"))]);
    repo
}

/// Outcomes of the runs, in order: on what, which rung, how.
fn outcomes(document: &Value) -> Vec<(String, Option<u64>, String)> {
    let text = |value: &Value| value.as_str().expect("it is text").to_owned();
    let runs = document["checks"].as_array().expect("checks were run").iter();
    runs.map(|run| (text(&run["on"]), run["attempt"].as_u64(), text(&run["outcome"]))).collect()
}

fn row(on: &str, attempt: Option<u64>, outcome: &str) -> (String, Option<u64>, String) {
    (on.to_owned(), attempt, outcome.to_owned())
}

/// Runs `rb` with a folder for temporary files of its own and shows that nothing is left in it.
#[track_caller]
fn rb_leaving_nothing(repo: &Sandbox, args: &[&str]) -> Run {
    let temporary = repo.path().parent().unwrap().join("temporary");
    std::fs::create_dir_all(&temporary).unwrap();
    let run = rb_with(repo, args, "", &[("TMPDIR", temporary.to_str().unwrap())]);
    let left: Vec<_> = std::fs::read_dir(&temporary).unwrap().map(|row| row.unwrap().file_name()).collect();
    assert!(left.is_empty(), "{left:?}");
    run
}

#[test]
fn what_passes_lands_and_the_receipt_shows_red_before_and_green_after() {
    let repo = broken();
    let run = rb_leaving_nothing(&repo, &["revert", "--file", "f", "--check", "sh good.sh", "--json"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{}", run.stdout);
    let receipt = run.json();
    assert_eq!(outcomes(&receipt), [row("control", None, "fail"), row("candidate", Some(1), "pass")]);
    let passed = &receipt["checks"][1];
    assert_eq!(passed["run"], json!(["sh", "good.sh"]));
    assert_eq!(passed["stdout"], "good\n");
    assert_eq!(passed["tree_id"], receipt["attempts"][1]["tree_id"]);
    assert_eq!(receipt["checks"][0]["found"], "exit code 1");
    assert_eq!(receipt["outcome"]["kind"], "committed");
    assert_eq!(repo.git(&["rev-parse", "HEAD^{tree}"]), passed["tree_id"].as_str().unwrap());
    assert_eq!(repo.git(&["status", "--porcelain"]), "");
}

#[test]
fn what_fails_lands_nothing() {
    let repo = broken();
    let before = State::of(&repo);
    let words = ["revert", "HEAD", "--check", "sh grown.sh"];
    for dry_run in [&[][..], &["--dry-run"]] {
        let run = rb_leaving_nothing(&repo, &[&words[..], dry_run].concat());
        assert_eq!(run.code, 4, "{}{}", run.stdout, run.stderr);
        assert_eq!(run.line("error:"), "nothing was changed: sh grown.sh ended with exit code 1");
        assert_eq!(
            run.line("hint:"),
            "see all that it wrote with: rb revert HEAD --check 'sh grown.sh' --dry-run -v"
        );
        assert!(run.stdout.contains("checks failed: sh grown.sh ended with exit code 1"), "{}", run.stdout);
        before.assert_unchanged(&repo);
    }
    let refused = rb(&repo, &[&words[..], &["--json"]].concat());
    let receipt = refused.json();
    assert_eq!((refused.code, &receipt["outcome"]["kind"]), (4, &json!("not-landed")));
    assert_eq!(receipt["chosen"], Value::Null);
    assert_eq!(receipt["attempts"][0]["result"], "clean");
    assert_eq!(receipt["attempts"][0]["reason"], "checks failed: sh grown.sh ended with exit code 1");
    assert_eq!(receipt["checks"][1]["expected"], "exit code 0");
    before.assert_unchanged(&repo);
}

#[test]
fn where_a_way_fails_the_next_one_is_tried_from_the_same_tip() {
    let repo = broken();
    let run = rb(&repo, &["revert", "--file", "f", "--whole-commit", "--check", "sh grown.sh", "--json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let receipt = run.json();
    assert_eq!(
        outcomes(&receipt),
        [row("control", None, "pass"), row("candidate", Some(0), "fail"), row("candidate", Some(1), "pass")]
    );
    assert_eq!(receipt["chosen"], 1);
    assert_eq!(receipt["attempts"][1]["scope"], json!({"paths": ["f"]}));
    assert_eq!(repo.git(&["show", "HEAD:f"]), "good");
    assert_eq!(repo.git(&["show", "HEAD:g"]), "1\n2");
    assert_eq!(repo.git(&["rev-list", "--count", "HEAD"]), "3");
}

#[test]
fn a_way_that_discards_later_edits_is_tried_only_where_that_is_permitted() {
    let repo = edited_since();
    let before = State::of(&repo);
    // The tip passes, the revert keeps the later edit and fails, the restore discards it and passes.
    let check = "sh -c 'grep -q one f || grep -q 6 f'";
    let words = ["revert", "HEAD~1", "--check", check];
    let refused = rb(&repo, &words);
    assert_eq!(refused.code, 4, "{}", refused.stdout);
    assert!(
        refused.stdout.contains("it discards later edits, and that was not permitted"),
        "{}",
        refused.stdout
    );
    assert!(
        refused.line("hint:").starts_with("let the way that discards later edits be tried with: rb revert "),
        "{}",
        refused.stderr
    );
    before.assert_unchanged(&repo);
    let landed = rb(&repo, &[&words[..], &["--allow-loss"]].concat());
    assert_eq!(landed.code, 0, "{}", landed.stderr);
    assert_eq!(repo.git(&["show", "HEAD:f"]), "1\n2\n3\n4\n5\n6");
}

#[test]
fn a_failure_that_the_tip_has_too_says_nothing_and_pauses() {
    let repo = broken();
    let before = State::of(&repo);
    let words = ["revert", "HEAD", "--check", "sh -c 'exit 3'"];
    let run = rb(&repo, &[&words[..], &["--json"]].concat());
    assert_eq!(run.code, 7, "{}", run.stdout);
    let receipt = run.json();
    assert_eq!(outcomes(&receipt), [row("control", None, "fail"), row("candidate", Some(0), "inconclusive")]);
    assert_eq!(receipt["outcome"]["kind"], "not-landed");
    assert_eq!(
        run.line("error:"),
        "nothing was changed, because the checks cannot tell: sh -c 'exit 3': the tip as it is does the same: \
         the exit code differs (exit code 3)"
    );
    let alone = rb(&repo, &[&words[..], &["--no-check-control", "--json"]].concat());
    assert_eq!(alone.code, 4, "{}", alone.stdout);
    assert_eq!(outcomes(&alone.json()), [row("candidate", Some(0), "fail")]);
    before.assert_unchanged(&repo);
}

#[test]
fn a_program_that_is_missing_is_no_verdict() {
    let repo = broken();
    let before = State::of(&repo);
    for check in ["no-such-program --all", "sh -c no-such-program", "./not/there"] {
        for control in [&[][..], &["--no-check-control"]] {
            let run = rb(&repo, &[&["revert", "HEAD", "--check", check][..], control].concat());
            assert_eq!(run.code, 7, "{check} {control:?}: {}{}", run.stdout, run.stderr);
        }
    }
    before.assert_unchanged(&repo);
}

#[test]
fn a_check_that_hangs_is_killed_and_fails() {
    let repo = broken();
    let before = State::of(&repo);
    let check = "sh -c 'grep -q bad f || sleep 300 & wait'";
    let run =
        rb_leaving_nothing(&repo, &["revert", "HEAD", "--check", check, "--check-timeout", "1s", "--json"]);
    assert_eq!(run.code, 4, "{}", run.stdout);
    let receipt = run.json();
    assert_eq!(outcomes(&receipt), [row("control", None, "pass"), row("candidate", Some(0), "error")]);
    assert_eq!(receipt["checks"][1]["reason"], "it was killed after 1 s without an end");
    before.assert_unchanged(&repo);
}

#[test]
fn all_checks_are_run_and_one_failure_is_enough() {
    let repo = broken();
    let run = rb(
        &repo,
        &[
            "revert",
            "HEAD",
            "--check",
            "sh grown.sh",
            "--check",
            "sh good.sh",
            "--no-check-control",
            "--json",
        ],
    );
    assert_eq!(run.code, 4, "{}", run.stdout);
    assert_eq!(outcomes(&run.json()), [row("candidate", Some(0), "fail"), row("candidate", Some(0), "pass")]);
}

#[test]
fn a_check_gets_an_allow_list_of_variables_and_secrets_are_not_kept() {
    let repo = broken();
    let words = ["revert", "HEAD", "--check", "env", "--check-env", "PASSED_ON", "--json"];
    let variables = [("PASSED_ON", "a-value-nobody-may-see"), ("KEPT_BACK", "x"), ("GIT_DIR_LIKE", "y")];
    let run = rb_with(&repo, &words, "", &variables);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let receipt = run.json();
    let seen = receipt["checks"][1]["stdout"].as_str().unwrap();
    assert!(seen.contains("PASSED_ON=[redacted PASSED_ON]\n"), "{seen}");
    assert!(seen.contains("\nPATH=") || seen.starts_with("PATH="), "{seen}");
    assert!(seen.lines().any(|line| line.starts_with("RB_CANDIDATE=/")), "{seen}");
    assert!(!seen.contains("KEPT_BACK") && !seen.contains("GIT_"), "{seen}");
    let everything = shell(&repo, "git log --all -p; cat .git/rb/records/operations/*");
    assert!(everything.stdout.contains("[redacted PASSED_ON]"), "{}", everything.stdout);
    assert!(!format!("{}{}", run.stdout, everything.stdout).contains("a-value-nobody-may-see"));
}

#[test]
fn a_check_runs_in_the_folder_of_the_result_with_what_was_linked_and_set_up() {
    let repo = broken();
    repo.write(".gitignore", "deps\n");
    repo.commit("ignore dependencies", &[("x", "x\n")]);
    repo.write("deps/tool", "tool\n");
    let check = r#"sh -c 'test "$PWD" = "$RB_CANDIDATE" && cat deps/tool made f && test ! -e .git'"#;
    let words = [
        "revert",
        "--file",
        "f",
        "--check",
        check,
        "--check-setup",
        "sh -c 'echo made > made'",
        "--check-link",
        "deps",
        "--json",
    ];
    let run = rb_leaving_nothing(&repo, &words);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    let receipt = run.json();
    let kinds: Vec<_> = receipt["checks"].as_array().unwrap().iter().map(|run| run["kind"].clone()).collect();
    assert_eq!(kinds, ["setup", "check", "setup", "check"]);
    assert_eq!(receipt["checks"][1]["stdout"], "tool\nmade\nbad\n");
    assert_eq!(receipt["checks"][3]["stdout"], "tool\nmade\ngood\n");
    assert_eq!(repo.git(&["ls-tree", "--name-only", "HEAD"]), ".gitignore\nf\ng\ngood.sh\ngrown.sh\nx");
    assert_eq!(repo.git(&["status", "--porcelain"]), "");
    assert_eq!(std::fs::read_to_string(repo.path().join("deps/tool")).unwrap(), "tool\n");
}

#[test]
fn where_the_setup_fails_no_check_is_run() {
    let repo = broken();
    let words = ["revert", "HEAD", "--check", "sh good.sh", "--check-setup", "sh grown.sh", "--json"];
    let run = rb(&repo, &words);
    assert_eq!(run.code, 4, "{}", run.stdout);
    assert_eq!(
        outcomes(&run.json()),
        [
            row("control", None, "pass"),
            row("control", None, "fail"),
            row("candidate", Some(0), "fail"),
            row("candidate", Some(0), "skip")
        ]
    );
    assert_eq!(run.line("error:"), "nothing was changed: setup sh grown.sh ended with exit code 1");
}

#[test]
fn a_tip_that_moves_while_checks_run_refuses_what_was_checked_on_the_old_one() {
    let repo = broken();
    let commit = format!(
        "git -C {} -c user.name=x -c user.email=x@y commit -q --allow-empty -m meanwhile",
        repo.path().display()
    );
    let run = rb(&repo, &["revert", "HEAD", "--check", &commit, "--no-check-control"]);
    assert_eq!(run.code, 5, "{}{}", run.stdout, run.stderr);
    assert!(run.line("error:").starts_with("refs/heads/main moved from "), "{}", run.stderr);
    assert_eq!(repo.git(&["log", "--format=%s"]), "meanwhile\nbreak f, add to g\ngood");
    assert_eq!(repo.git(&["status", "--porcelain"]), "");
}

#[test]
fn picks_restores_and_kept_plans_are_checked_too() {
    let repo = broken();
    let before = State::of(&repo);
    let plan = rb(&repo, &["revert", "HEAD", "--dry-run", "--json"]).stdout;
    let failing = ["--check", "sh -c 'grep -q bad f && grep -q 2 g'"];
    for (words, stdin) in
        [(&["restore", "f", "-s", "HEAD~1", "--allow-loss"][..], ""), (&["apply", "-"], plan.as_str())]
    {
        let run = rb_with(&repo, &[words, &failing].concat(), stdin, &[]);
        assert_eq!(run.code, 4, "{words:?}: {}{}", run.stdout, run.stderr);
        before.assert_unchanged(&repo);
    }
    let applied = rb_with(&repo, &["apply", "-", "--check", "sh good.sh", "--json"], &plan, &[]);
    assert_eq!(applied.code, 0, "{}", applied.stderr);
    assert_eq!(outcomes(&applied.json()).len(), 2);
    let picked = rb(&repo, &["pick", "HEAD~1", "--check", "sh good.sh"]);
    assert_eq!(picked.code, 4, "{}{}", picked.stdout, picked.stderr);
    let staged = rb(&repo, &["pick", "HEAD~1", "--check", "sh grown.sh", "-n"]);
    assert_eq!(staged.code, 0, "{}", staged.stderr);
    assert_eq!(repo.git(&["status", "--porcelain"]), "M  f\nM  g");
}

#[test]
fn a_message_is_edited_once_the_result_has_passed() {
    let repo = broken();
    let editor = [("GIT_EDITOR", "sh -c 'echo Edited subject > \"$1\"; touch ../edited' -")];
    let edited = repo.path().parent().unwrap().join("edited");
    let failed = rb_with(&repo, &["revert", "HEAD", "-e", "--check", "sh grown.sh"], "", &editor);
    assert_eq!((failed.code, edited.exists()), (4, false), "{}", failed.stderr);
    let landed = rb_with(&repo, &["revert", "HEAD", "-e", "--check", "sh good.sh", "--json"], "", &editor);
    assert_eq!((landed.code, edited.exists()), (0, true), "{}", landed.stderr);
    assert_eq!(repo.git(&["log", "-1", "--format=%s"]), "Edited subject");
    assert_eq!(outcomes(&landed.json()).len(), 2);
}

#[test]
fn much_output_is_kept_in_part_and_says_so() {
    let repo = broken();
    let check = "sh -c 'seq 100000; exit 1'";
    let run = rb(&repo, &["revert", "HEAD", "--check", check, "--no-check-control", "--json"]);
    let document = run.json();
    let kept = document["checks"][0]["stdout"].as_str().unwrap();
    assert!(kept.len() < 20_000, "{}", kept.len());
    assert!(kept.starts_with("1\n2\n3\n") && kept.ends_with("\n100000\n"), "{kept}");
    assert!(kept.contains(" bytes omitted ..."), "{kept}");
    let shown = rb(&repo, &["revert", "HEAD", "--check", check, "--no-check-control"]);
    assert!(shown.stdout.contains(" earlier lines (-v shows all)\n      99993\n"), "{}", shown.stdout);
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_is_run() {
    let repo = broken();
    let before = State::of(&repo);
    for (words, code, error) in [
        (&["--check", "'open"][..], 2, "''open' is no value for --check <CMD>: a quote is not closed"),
        (&["--check", " "], 2, "' ' is no value for --check <CMD>: it names no program"),
        (&["--check-setup", "make"], 2, "--check CMD is missing"),
        (
            &["--check", "env", "--check-timeout", "5"],
            2,
            "'5' is no value for --check-timeout <TIME>: '5' is not a length of time: it has no unit; did you mean \
             '5s' or '5m'?",
        ),
        (
            &["--check", "env", "--check-env", "A=b"],
            2,
            "'A=b' is no value for --check-env <NAME>: a variable is given by its name alone",
        ),
        (
            &["--check", "env", "--check-link", "deps"],
            5,
            "there is no deps in the work tree that could be linked",
        ),
    ] {
        let run = rb(&repo, &[&["revert", "HEAD"][..], words].concat());
        assert_eq!((run.code, run.line("error:")), (code, error));
    }
    before.assert_unchanged(&repo);
}

#[test]
fn what_cannot_land_is_refused_before_a_check_is_run() {
    let repo = broken();
    repo.write("f", "edited\n");
    let marker = repo.path().parent().unwrap().join("ran");
    let check = format!("touch {}", marker.display());
    for dry_run in [&[][..], &["--dry-run"]] {
        let run = rb(&repo, &[&["revert", "HEAD", "--check", &check][..], dry_run].concat());
        assert_eq!((run.code, marker.exists()), (5, false), "{}{}", run.stdout, run.stderr);
    }
}
