//! Words that people bring along from git: help in any form, flags of scripts, plans that were altered, names that are
//! almost right.

use serde_json::Value;
use test_kit::Sandbox;

use crate::kit::{done, rb, rb_with, shell};

fn repo() -> Sandbox {
    let repo = Sandbox::new();
    repo.commit("one", &[("f", "1\n"), ("g", "1\n")]);
    repo.commit("two", &[("f", "2\n")]);
    repo.commit("three", &[("g", "3\n")]);
    repo
}

#[test]
fn help_is_a_command_as_well_as_an_option() {
    for place in [Sandbox::folder(), Sandbox::new()] {
        for command in [&["revert"][..], &["undo"], &["checkpoint"], &["procedure", "show"], &[]] {
            let option = done(rb(&place, &[command, &["--help"]].concat()));
            let word = done(rb(&place, &[&["help"], command].concat()));
            assert_eq!(word.stdout, option.stdout, "{command:?}");
        }
        assert_eq!(rb(&place, &["help", "nothing"]).code, 2);
        let short = done(rb(&place, &["revert", "-h"])).stdout;
        let long = done(rb(&place, &["revert", "--help"])).stdout;
        assert!(short.len() < long.len() && long.contains("Examples:"), "-h is the short one");
    }
}

#[test]
fn answers_that_are_text_are_documents_where_documents_are_wanted() {
    for words in [&["--help"][..], &["--version"], &["help", "revert"], &["man"], &["completions", "bash"]] {
        let answer = done(rb(&Sandbox::folder(), &[words, &["--json"]].concat())).json();
        assert_eq!(answer["schema_version"], 1, "{words:?}");
        assert!(answer["text"].as_str().is_some_and(|text| !text.is_empty()), "{words:?}");
    }
}

#[test]
fn no_edit_is_taken_by_everything_that_lands() {
    let repo = repo();
    for words in [
        &["revert", "--no-edit", "HEAD"][..],
        &["pick", "HEAD~1", "--no-edit"],
        &["restore", "f", "-s", "HEAD~3", "--no-edit"],
        &["reapply", "HEAD", "--no-edit"],
        &["undo", "--no-edit"],
        &["revert", "-e", "--no-edit", "HEAD"],
    ] {
        let run = rb(&repo, words);
        assert!([0, 3].contains(&run.code), "{words:?}: {}", run.stderr);
    }
    let plan = done(rb(&repo, &["revert", "HEAD", "--dry-run", "--json"])).stdout;
    done(rb_with(&repo, &["apply", "-", "--no-edit"], &plan, &[]));
}

#[test]
fn flags_of_a_sequence_lead_to_the_command_that_takes_them() {
    let conflict = "git switch -qc t HEAD~2; echo x >f; git commit -qam x; git %s >/dev/null 2>&1; true";
    for (begin, flag, next) in [
        ("revert main~1", "--continue", "git status"),
        ("merge main", "--quit", "git merge --quit"),
        ("merge main", "--skip", "git status"),
        ("rebase main", "--abort", "git rebase --abort"),
        ("status", "--abort", "rb status"),
    ] {
        let repo = repo();
        shell(&repo, &conflict.replace("%s", begin));
        for command in ["revert", "pick"] {
            let run = rb(&repo, &[command, flag]);
            assert_eq!(run.code, 5, "{}", run.stderr);
            assert!(run.line("hint:").ends_with(&format!(": {next}")), "{begin}: {}", run.stderr);
        }
    }
    for (begin, flag) in
        [("revert main~1", "--skip"), ("cherry-pick main~1", "--abort"), ("revert main~1", "--quit")]
    {
        let repo = repo();
        shell(&repo, &conflict.replace("%s", begin));
        for (command, code) in [("revert", 0), ("pick", 5)] {
            assert_eq!(rb(&repo, &[command, flag]).code, code, "{begin} {flag}");
        }
    }
}

/// Changes one place of a plan.
fn altered(plan: &Value, pointer: &str, value: Value) -> String {
    let mut plan = plan.clone();
    *plan.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer} is not there")) = value;
    plan.to_string()
}

#[test]
fn a_plan_that_was_altered_is_refused_by_the_field() {
    let repo = repo();
    repo.git(&["branch", "scratch"]);
    let plan = done(rb(&repo, &["revert", "HEAD~1", "--dry-run", "--json"])).json();
    let before = repo.git(&["for-each-ref"]);
    let null = "0".repeat(40);
    let other = repo.git(&["rev-parse", "HEAD~2^{tree}"]);
    for (pointer, value) in [
        ("/tip/ref", "refs/heads/scratch".into()),
        ("/tip/commit_id", null.clone().into()),
        ("/message", "another".into()),
        ("/target/commits/0", null.into()),
        ("/attempts/0/strategy", "restore-file".into()),
        ("/attempts/0/paths_touched", serde_json::json!(["innocent"])),
        ("/attempts/0/tree_id", other.clone().into()),
        ("/attempts/0/loss/class", "snapshot".into()),
        ("/attempts/0/steps/0/message", "another".into()),
        ("/attempts/0/steps/0/tree_id", other.into()),
        ("/request/options/message", serde_json::json!({ "text": "another" })),
        ("/request/target/revisions/0", "HEAD".into()),
    ] {
        for words in [&["apply", "-"][..], &["apply", "-", "--dry-run"]] {
            let run = rb_with(&repo, words, &altered(&plan, pointer, value.clone()), &[]);
            assert_eq!(run.code, 5, "{pointer}: {}", run.stderr);
            assert_eq!(repo.git(&["for-each-ref"]), before, "{pointer}");
        }
    }
    let onto = altered(&plan, "/request/options", serde_json::json!({ "onto": "scratch" }));
    assert_eq!(rb_with(&repo, &["apply", "-"], &onto, &[]).code, 5);
    done(rb_with(&repo, &["apply", "-"], &plan.to_string(), &[]));
    let report = done(rb(&repo, &["report"]));
    assert!(report.stdout.contains("Ways tried"), "{}", report.stdout);
    done(rb(&repo, &["undo"]));
    done(rb(&repo, &["report"]));
}

#[test]
fn a_plan_of_another_branch_is_none_of_this_one() {
    let repo = repo();
    let plan = done(rb(&repo, &["revert", "HEAD~1", "--dry-run", "--json"])).stdout;
    repo.git(&["switch", "-q", "-c", "elsewhere"]);
    let run = rb_with(&repo, &["apply", "-"], &plan, &[]);
    assert_eq!(run.code, 5);
    assert!(run.line("error:").contains("'tip.ref' differs"), "{}", run.stderr);
}

#[test]
fn a_name_that_is_almost_right_is_put_right_in_the_command() {
    let repo = repo();
    repo.git(&["branch", "release"]);
    for (typed, meant) in [
        (&["revert", "mian"][..], "rb revert main"),
        (&["revert", "HEAD~2..relaese~1"], "rb revert HEAD~2..release~1"),
        (&["revert", "relese..main"], "rb revert release..main"),
        (&["is-reverted", "HEAD", "--in", "mai"], "rb is-reverted HEAD --in main"),
    ] {
        let run = rb(&repo, typed);
        assert_eq!((run.code, run.line("hint: did you mean:")), (5, meant), "{}", run.stderr);
    }
}

#[test]
fn a_name_of_two_things_is_warned_about_as_git_does() {
    let repo = repo();
    repo.git(&["branch", "both"]);
    repo.git(&["tag", "both", "HEAD~1"]);
    for words in [&["revert", "both"][..], &["is-reverted", "both"], &["restore", "f", "-s", "both", "-n"]] {
        let run = rb(&repo, words);
        assert!(run.stderr.contains("warning: refname 'both' is ambiguous.\n"), "{words:?}: {}", run.stderr);
    }
}
