//! `rb run --dry-run`: the ladder is climbed in memory, nothing is run or written, and it ends as the run would.
#![cfg(unix)]

use serde_json::{Value, json};
use test_kit::{Sandbox, State};

use crate::kit::{Run, rb};

/// A procedure whose programs would leave a trace outside of the repository.
fn procedure(repo: &Sandbox, phase: &str) {
    let text = format!(
        "schema = 1\nid = \"shim\"\n[phase.shim]\nbefore = [\"trace\"]\n{phase}\n[[check]]\nid = \"smoke\"\nrun = [\"touch\", \"{0}\"]\n[[step]]\nid = \"trace\"\nrun = [\"touch\", \"{0}\"]\n",
        trace(repo)
    );
    repo.write(".rb/procedures/shim.toml", text);
}

fn trace(repo: &Sandbox) -> String {
    repo.path().parent().expect("it lies in a folder").join("ran").display().to_string()
}

/// A commit that removed a shim, and a later one to what it touched besides.
fn removed(later: &[(&str, &str)]) -> Sandbox {
    let repo = Sandbox::new();
    repo.commit("add", &[("shim.py", "one\ntwo\n"), ("other.py", "o\n")]);
    repo.git(&["rm", "-q", "shim.py"]);
    repo.commit("remove the shim", &[("other.py", "o2\n")]);
    if !later.is_empty() {
        repo.commit("later", later);
    }
    repo
}

/// A dry run, which changes nothing at all.
#[track_caller]
fn dry(repo: &Sandbox, more: &[&str]) -> Run {
    trust(repo);
    let before = State::of(repo);
    let run = rb(repo, &[&["run", "shim", "--dry-run"], more].concat());
    before.assert_unchanged(repo);
    assert!(!std::path::Path::new(&trace(repo)).exists(), "no program was run");
    run
}

/// The exit code of a dry run, and its one document.
#[track_caller]
fn told(repo: &Sandbox, more: &[&str]) -> (i32, Value) {
    let run = dry(repo, &[more, &["--json"]].concat());
    (run.code, run.json())
}

#[track_caller]
fn trust(repo: &Sandbox) {
    let refused = rb(repo, &["trust", "shim"]);
    if let Some((_, hash)) = refused.stderr.split_once("--hash ") {
        let hash = hash.split_whitespace().next().expect("a hash");
        assert_eq!(rb(repo, &["trust", "shim", "--hash", hash]).code, 0, "{}", refused.stderr);
    }
}

const WHOLE_THEN_RESTORE: &str = r#"
target = { commit = "HEAD~1" }
validate = ["smoke"]
ladder = [
  { use = "revert-commit" },
  { use = "restore-file", from = "target^1", paths = ["shim.py"], when = ["not-found"] },
  { use = "restore-file", from = "target^1", paths = ["shim.py", "other.py"], when = ["conflict"] },
]
"#;

#[test]
fn every_rung_that_a_run_would_try_is_shown_with_its_paths_its_loss_and_what_it_discards() {
    let repo = removed(&[("other.py", "o3\n")]);
    procedure(&repo, WHOLE_THEN_RESTORE);
    let later = repo.git(&["rev-parse", "HEAD"]);
    let (code, document) = told(&repo, &["--allow-loss"]);
    assert_eq!(code, 0, "{document:#}");
    assert_eq!(
        document["rungs"],
        json!([
            {
                "at": 1, "kind": "revert-commit", "taken": false, "reason": "conflict",
                "why": "conflict in other.py", "paths": [], "discards": []
            },
            {
                "at": 3, "kind": "restore-file", "taken": true, "why": "it would land once these pass: smoke",
                "paths": ["other.py", "shim.py"], "loss": "snapshot", "discards": [later]
            }
        ])
    );
    assert_eq!(document.get("ending"), None, "it would go on to land");
    let text = dry(&repo, &["--allow-loss"]).stdout;
    for line in [
        "rung 1 (revert-commit): conflict in other.py",
        "rung 3 (restore-file): it would land once these pass: smoke",
        "    snapshot, touches other.py, shim.py",
        &format!("    discards {} later", &later[..7]),
        "Nothing was written and no program was run. next: do it with: rb run shim --allow-loss",
    ] {
        assert!(text.contains(line), "{line}:\n{text}");
    }
}

#[test]
fn a_loss_that_is_not_permitted_is_refused_as_the_run_refuses_it() {
    let repo = removed(&[("other.py", "o3\n")]);
    procedure(&repo, WHOLE_THEN_RESTORE);
    let run = dry(&repo, &["--json"]);
    assert_eq!(run.code, 6, "{}", run.stderr);
    let document = run.json();
    assert_eq!(document["rungs"][1]["taken"], false);
    assert_eq!(document["rungs"][1]["why"], "it discards later changes, and that was not permitted");
    let (words, hint) = (run.line("error:").to_owned(), run.line("hint:").to_owned());
    assert!(words.starts_with("running this would be refused: "), "{words}");
    assert!(hint.ends_with("--allow-loss"), "{hint}");
    let real = rb(&repo, &["run", "shim"]);
    assert_eq!(real.code, 6, "{}", real.stderr);
    assert!(words.ends_with(real.line("error:")), "{words}: {}", real.stderr);
}

#[test]
fn a_ladder_without_a_clean_rung_is_1_and_nothing_to_do_is_3_as_in_the_run() {
    let conflicting = removed(&[("other.py", "o3\n")]);
    procedure(&conflicting, "target = { commit = \"HEAD~1\" }\nladder = [{ use = \"revert-commit\" }]");
    let there = removed(&[("shim.py", "one\ntwo\n")]);
    procedure(&there, "target = { deleted = \"shim.py\" }\nladder = [{ use = \"revert-commit\" }]");
    assert_eq!(told(&there, &["--allow-noop"]).0, 0);
    for (repo, code, ending, sentence) in [
        (&conflicting, 1, "no-rung", "No way back can be taken as things are."),
        (&there, 3, "nothing-to-do", "There is nothing to do."),
    ] {
        let (found, document) = told(repo, &[]);
        assert_eq!((found, &document["ending"]), (code, &json!(ending)), "{document:#}");
        let text = dry(repo, &[]).stdout;
        assert!(text.contains(sentence) && !text.contains("do it with:"), "{text}");
        let real = rb(repo, &["run", "shim"]);
        assert_eq!(real.code, code, "{}", real.stderr);
    }
}

#[test]
fn what_would_be_refused_or_wait_before_landing_ends_so() {
    let repo = removed(&[]);
    let of = |rest: &str| format!("target = {{ commit = \"HEAD\" }}\n{rest}");
    procedure(&repo, &of("ladder = [{ use = \"revert-commit\" }]"));
    assert_eq!(told(&repo, &[]).0, 0);
    // A file of the user's in the way.
    repo.write("shim.py", "mine\n");
    assert_eq!(told(&repo, &[]).0, 5);
    std::fs::remove_file(repo.path().join("shim.py")).expect("it is there");
    // Authority and approval.
    procedure(
        &repo,
        &of("authority = [\"sre\"]\nladder = [{ use = \"revert-commit\", approval = \"sre\" }]\n[role.sre]"),
    );
    assert_eq!(told(&repo, &[]).0, 6);
    assert_eq!(told(&repo, &["--role", "sre"]).0, 6);
    assert_eq!(told(&repo, &["--role", "sre", "--approve", "sre=Ada"]).0, 0);
    // A person who edits the candidate.
    procedure(
        &repo,
        &of(
            "ladder = [{ use = \"revert-commit\" }]\nedits = [\"by-hand\"]\n[[step]]\nid = \"by-hand\"\nmanual = \"mend the imports\"",
        ),
    );
    let (code, document) = told(&repo, &[]);
    assert_eq!((code, &document["pause"]["at"]), (7, &json!("by-hand")), "{document:#}");
    // Nobody has vouched for what it is now.
    procedure(&repo, &of("ladder = [{ use = \"revert-commit\" }]\nrto = \"5m\""));
    let before = State::of(&repo);
    let untrusted = rb(&repo, &["run", "shim", "--dry-run", "--json"]);
    before.assert_unchanged(&repo);
    assert_eq!(untrusted.code, 6, "{}", untrusted.stderr);
    assert_eq!(untrusted.json()["rungs"][0]["taken"], true, "it can be looked at all the same");
}

#[test]
fn values_and_edits_are_made_in_memory_and_what_a_program_would_edit_is_left_open() {
    let repo = Sandbox::new();
    repo.commit("state", &[("traffic.toml", "flat = 93\nnew = 7\n"), ("notes", "n\n")]);
    procedure(&repo, "set = { \"traffic.toml:flat\" = 100, \"traffic.toml:new\" = 0 }");
    let (code, document) = told(&repo, &[]);
    assert_eq!(code, 0, "{document:#}");
    let rungs = json!([{
        "at": 0, "taken": true, "why": "it would land", "paths": ["traffic.toml"], "loss": "exact", "discards": []
    }]);
    assert_eq!(document["rungs"], rungs);
    procedure(&repo, "set = { \"traffic.toml:flat\" = 93 }");
    assert_eq!(told(&repo, &[]).0, 3);
    procedure(&repo, "edits = [\"trace\"]");
    let (code, document) = told(&repo, &[]);
    assert_eq!(code, 0, "{document:#}");
    assert_eq!(document["rungs"][0]["why"], "what 'trace' edits is not known before it runs; it would land");
}
