//! How a run ends, and what of it leaves this machine: the words, the codes and the remote agree.
#![cfg(unix)]

use serde_json::Value;
use test_kit::Sandbox;

use crate::kit::{Run, done, hash_of, rb_with};

/// A change that a procedure takes back, with what is said of it at its beginning, its end and its failure.
const PROCEDURE: &str = r#"
schema = 1
id = "p"
default_phase = "x"
[publish]
push = "origin"
[[message]]
id = "begin"
on = "initiated"
text = "IT-BEGINS"
[[message]]
id = "done"
on = "complete"
text = "ALL-IS-WELL"
[[message]]
id = "sorry"
on = "failed"
text = "IT-FAILED: {run.status}"
"#;

const PHASE: &str = r#"
[phase.x]
paths = ["a"]
ladder = [{ use = "revert-commit" }]
target = { grep = "the change" }
"#;

/// A repository with such a procedure and a remote that has all of it.
fn world(more: &str) -> Sandbox {
    let repo = Sandbox::new();
    repo.commit("good", &[("a", "1\n")]);
    repo.commit("the change", &[("a", "2\n")]);
    repo.write(".rb/procedures/p.toml", format!("{PROCEDURE}{PHASE}{more}"));
    repo.commit("procedure", &[("b", "b\n")]);
    repo.git(&["init", "-q", "--bare", "-b", "main", "../remote.git"]);
    repo.git(&["remote", "add", "origin", "../remote.git"]);
    repo.git(&["push", "-q", "-u", "origin", "main"]);
    repo
}

fn far(repo: &Sandbox) -> String {
    repo.git(&["ls-remote", "origin", "main"]).split_whitespace().next().unwrap_or_default().to_owned()
}

#[track_caller]
fn trusting(repo: &Sandbox, args: &[&str]) -> Run {
    let hash = hash_of(repo, &["trust", "p"]);
    rb_with(repo, args, "", &[("RB_TRUSTED_HASH", &hash)])
}

fn said(run: &Run) -> String {
    format!("{}{}", run.stdout, run.stderr)
}

/// A check of the live system that fails, wherever the procedure may have one.
const FAILING: [(&str, &str); 4] = [
    ("verification", "verify = [\"live\"]\n[[check]]\nid = \"live\"\nrun = [\"false\"]\nlive = true\n"),
    ("a step", "after = [\"live\"]\n[[step]]\nid = \"live\"\nrun = [\"false\"]\n"),
    ("a group", "[group.g]\nchecks = [\"live\"]\n[[check]]\nid = \"live\"\nrun = [\"false\"]\nlive = true\n"),
    (
        "a missing program",
        "verify = [\"live\"]\n[[check]]\nid = \"live\"\nrun = [\"no-such-program-anywhere\"]\nlive = true\n",
    ),
];

#[test]
fn what_failed_after_landing_is_complete_nowhere() {
    for (what, more) in FAILING {
        let repo = world(more);
        let run = trusting(&repo, &["run", "p", "-y"]);
        assert_eq!(run.code, 8, "{what}: {}", said(&run));
        assert_eq!(repo.git(&["show", "HEAD:a"]), "1", "{what}: it landed");
        assert!(
            said(&run).contains("Landed, then failed")
                && said(&run).contains("IT-FAILED: landed, with failures"),
            "{what}: {}",
            said(&run)
        );
        let report = trusting(&repo, &["report"]);
        let json = trusting(&repo, &["report", "--format", "json"]).json();
        assert_eq!(json["outcome"]["word"], "Landed, then failed", "{what}");
        for text in [said(&run), said(&report), said(&trusting(&repo, &["status"]))] {
            assert!(!text.contains("ALL-IS-WELL"), "{what}: {text}");
            assert!(!text.lines().any(|line| line.to_lowercase().starts_with("complete")), "{what}: {text}");
        }
        let kept = report.stdout.contains("IT-BEGINS");
        assert!(kept, "{what}: people were told that it began: {}", report.stdout);
    }
}

#[test]
fn people_hear_of_a_run_after_its_prechecks_and_not_before() {
    let ask = "[[precheck]]\nid = \"ready\"\nask = \"Is it so?\"\n";
    let fails = "[[precheck]]\nid = \"ready\"\ncheck = \"no\"\n[[check]]\nid = \"no\"\nrun = [\"false\"]\n";
    for (precheck, code) in [(ask, 7), (fails, 4)] {
        let repo = world(precheck);
        let run = trusting(&repo, &["run", "p", "-y"]);
        assert_eq!(run.code, code, "{}", said(&run));
        assert!(!said(&run).contains("IT-BEGINS"), "{}", said(&run));
    }
    let repo = world(ask);
    let run = trusting(&repo, &["run", "p", "-y", "--confirm", "ready"]);
    assert!(
        run.code == 0 && said(&run).contains("IT-BEGINS") && said(&run).contains("ALL-IS-WELL"),
        "{}",
        said(&run)
    );
}

#[test]
fn a_gradual_way_that_fails_half_way_has_landed() {
    let repo = Sandbox::new();
    repo.write(
        ".rb/procedures/p.toml",
        format!("{PROCEDURE}[phase.x]\ngradual = {{ over = \"2s\", steps = 2, checks = [] }}\nvalidate = [\"half\"]\n[phase.x.set]\n\"t.toml:x\" = 0\n[[check]]\nid = \"half\"\nrun = [\"grep\", \"-q\", \"[5-9]\", \"t.toml\"]\ncontrol = false\n"),
    );
    repo.commit("state", &[("t.toml", "x = 10\n")]);
    let run = trusting(&repo, &["run", "p", "-y"]);
    assert_eq!(run.code, 8, "{}", said(&run));
    assert!(said(&run).contains("Landed, then failed"), "{}", said(&run));
    assert_eq!(repo.git(&["show", "HEAD:t.toml"]), "x = 5");
}

#[test]
fn nothing_is_published_after_a_failure_unless_that_is_said() {
    for (what, more) in FAILING {
        let repo = world(more);
        let before = far(&repo);
        assert_eq!(trusting(&repo, &["run", "p", "-y", "--publish"]).code, 8, "{what}");
        assert_eq!(far(&repo), before, "{what}: by the run");
        let refused = trusting(&repo, &["publish", "--yes"]);
        assert_eq!(refused.code, 6, "{what}: {}", said(&refused));
        assert!(refused.line("hint:").ends_with("rb publish --yes --despite-failures"), "{}", said(&refused));
        assert_eq!(far(&repo), before, "{what}");
        let shown = done(trusting(&repo, &["publish", "--dry-run"]));
        assert!(shown.stdout.contains("It needs --despite-failures."), "{}", shown.stdout);
        let published = trusting(&repo, &["publish", "--yes", "--despite-failures"]);
        assert_eq!(published.code, 8, "{what}: publishing heals nothing: {}", said(&published));
        assert_eq!(far(&repo), repo.git(&["rev-parse", "HEAD"]), "{what}");
    }
}

#[test]
fn commits_that_the_run_did_not_make_are_named_and_stay() {
    let repo = world("");
    repo.commit("work of mine", &[("private", "p\n")]);
    let before = far(&repo);
    done(trusting(&repo, &["run", "p", "-y"]));
    let shown = done(trusting(&repo, &["publish", "--dry-run"]));
    assert!(
        shown.stdout.contains("work of mine") && shown.stdout.contains("Nothing was published."),
        "{}",
        shown.stdout
    );
    let document = done(trusting(&repo, &["publish", "--dry-run", "--json"])).json();
    assert_eq!(
        (document["commits"].as_array().map(Vec::len), document["others"].as_array().map(Vec::len)),
        (Some(1), Some(1))
    );
    let refused = trusting(&repo, &["publish", "--yes"]);
    assert_eq!((refused.code, far(&repo)), (6, before.clone()), "{}", said(&refused));
    let by_run = trusting(&repo, &["publish", "--yes", "--json"]);
    assert_eq!((by_run.code, &by_run.json()["error"]["code"]), (6, &Value::from("publish-others")));
    done(trusting(&repo, &["publish", "--yes", "--with-others"]));
    assert_eq!(far(&repo), repo.git(&["rev-parse", "HEAD"]));
}

#[test]
fn a_pipeline_consents_with_the_hash_that_it_names_and_with_nothing_less() {
    let repo = world("");
    done(trusting(&repo, &["run", "p", "-y"]));
    let (before, hash) = (far(&repo), hash_of(&repo, &["trust", "p"]));
    let unasked = trusting(&repo, &["publish"]);
    assert_eq!((unasked.code, far(&repo)), (6, before.clone()), "{}", said(&unasked));
    let wrong = rb_with(&repo, &["publish", "--trusted-hash", &"0".repeat(64)], "", &[]);
    assert_eq!((wrong.code, far(&repo)), (6, before.clone()), "{}", said(&wrong));
    repo.git(&["commit", "-q", "--allow-empty", "-m", "somebody's own"]);
    let published = done(rb_with(&repo, &["publish", "--trusted-hash", &hash], "", &[]));
    assert!(published.stderr.contains("origin"), "what leaves is shown: {}", said(&published));
    assert_eq!(far(&repo), repo.git(&["rev-parse", "HEAD~1"]));
}

#[test]
fn what_was_committed_after_the_result_stays() {
    let repo = world("");
    done(trusting(&repo, &["run", "p", "-y"]));
    let result = repo.git(&["rev-parse", "HEAD"]);
    repo.commit("later work", &[("later", "l\n")]);
    done(trusting(&repo, &["publish", "--yes"]));
    assert_eq!(far(&repo), result);
}

#[test]
fn a_result_that_was_taken_back_is_not_published() {
    let repo = world("");
    let before = far(&repo);
    done(trusting(&repo, &["run", "p", "-y"]));
    done(trusting(&repo, &["undo"]));
    let refused = trusting(&repo, &["publish", "--yes"]);
    assert_eq!((refused.code, far(&repo)), (5, before), "{}", said(&refused));
}

#[test]
fn a_remote_that_is_none_is_refused_before_anything_is_done() {
    for remote in
        ["--receive-pack=touch owned;", "ext::sh -c touch% owned", "-x", "nowhere", "../remote.git", "fd::7"]
    {
        let repo = world("");
        repo.git(&["config", "protocol.ext.allow", "always"]);
        let text = std::fs::read_to_string(repo.path().join(".rb/procedures/p.toml")).unwrap();
        repo.write(
            ".rb/procedures/p.toml",
            text.replace("push = \"origin\"", &format!("push = \"{remote}\"")),
        );
        let head = repo.commit("another remote", &[("b", "c\n")]);
        // What is no remote at all is no procedure either: nobody is asked to trust it.
        let refused = match remote {
            "nowhere" => trusting(&repo, &["run", "p", "-y", "--publish"]),
            _ => rb_with(&repo, &["run", "p", "-y", "--publish"], "", &[]),
        };
        assert_eq!(refused.code, if remote == "nowhere" { 5 } else { 2 }, "{remote}: {}", said(&refused));
        assert_eq!(repo.git(&["rev-parse", "HEAD"]), head, "{remote}");
        assert!(!repo.path().join("owned").exists(), "{remote}");
    }
}

#[test]
fn a_configured_remote_cannot_start_a_program_either() {
    let repo = world("");
    repo.git(&["config", "protocol.ext.allow", "always"]);
    done(trusting(&repo, &["run", "p", "-y"]));
    repo.git(&["config", "remote.origin.url", "ext::sh -c touch% owned"]);
    let refused = trusting(&repo, &["publish", "--yes"]);
    assert!(refused.code != 0 && !repo.path().join("owned").exists(), "{}", said(&refused));
}
