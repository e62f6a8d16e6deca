//! `-X`: what git's options of the merge come to, and what a preferred side discards is said.

use serde_json::json;
use test_kit::{Part, Sandbox, State};

use crate::kit::rb;

/// The second commit changes two files, of which the third changes one again; the fourth indents a line.
fn history() -> Sandbox {
    let repo = Sandbox::new();
    repo.commit("first", &[("f", "one\ntwo\nthree\n"), ("g", "a\n"), ("h", "x\ny\nz\n")]);
    repo.commit("second", &[("f", "one\nTWO\nthree\n"), ("g", "A\n"), ("h", "x\nY\nz\n")]);
    repo.commit("third", &[("f", "one\nzwei\nthree\n")]);
    repo.commit("fourth", &[("h", "x\n  Y\nz\n")]);
    repo
}

#[test]
fn every_option_comes_to_what_it_comes_to_under_git() {
    for options in [
        &["theirs"][..],
        &["ours"],
        &["theirs", "ignore-space-change"],
        &["ours", "theirs"],
        &["theirs", "diff-algorithm=myers"],
        &["theirs", "renormalize"],
        &["theirs", "find-renames=40%"],
        &["ours", "patience"],
    ] {
        let (ours, theirs) = (history(), history());
        let options: Vec<_> = options.iter().flat_map(|option| ["-X", option]).collect();
        theirs.git(&[&["revert", "--no-edit"], options.as_slice(), &["HEAD~2"]].concat());
        let run = rb(&ours, &[&["revert", "--cross-check"], options.as_slice(), &["HEAD~2"]].concat());
        assert_eq!(run.code, 0, "{options:?} {}{}", run.stdout, run.stderr);
        let kept = |repo: &Sandbox| State::of(repo).only(&[Part::Index, Part::Status, Part::Files]);
        assert_eq!(kept(&theirs).diff(&kept(&ours)), "", "{options:?}");
    }
}

#[test]
fn a_side_that_wins_names_what_it_decided_and_what_is_discarded() {
    let repo = history();
    let [third, fourth] = ["HEAD~1", "HEAD"].map(|name| repo.git(&["rev-parse", name]));
    let told = rb(&repo, &["revert", "-X", "theirs", "HEAD~2", "--dry-run", "--json"]).json();
    let way = &told["attempts"][0];
    assert_eq!(way["decided"], json!(["f", "h"]));
    assert_eq!(way["loss"], json!({"class": "snapshot", "discards": [fourth, third]}));
    let shown = rb(&repo, &["revert", "-X", "theirs", "HEAD~2", "--dry-run"]);
    assert_eq!(shown.line("note:"), "-X theirs decided what would be a conflict in f and h");

    let told = rb(&repo, &["revert", "-X", "ours", "HEAD~2", "--dry-run", "--json"]).json();
    let way = &told["attempts"][0];
    assert_eq!((&way["decided"], &way["loss"]["class"]), (&json!(["f", "h"]), &json!("inverse")));
    assert_eq!(way["paths_touched"], json!(["g"]));
}

#[test]
fn a_side_that_keeps_everything_is_not_taken_for_nothing_to_do() {
    let repo = history();
    let before = State::of(&repo);
    let words = ["revert", "-X", "ours", "HEAD~2", "--file", "f"];
    let run = rb(&repo, &words);
    assert_eq!(
        (run.code, before.diff(&State::of(&repo))),
        (6, String::new()),
        "{}{}",
        run.stdout,
        run.stderr
    );
    let way = &rb(&repo, &[&words[..], &["--dry-run", "--json"]].concat()).json()["attempts"][0];
    assert_eq!(
        (&way["result"], &way["reason"]),
        (&json!("not-applicable"), &json!("the tip's lines are kept wherever it would change something"))
    );
}

#[test]
fn a_plan_keeps_its_options_and_a_stop_hands_them_on() {
    let repo = history();
    let plan = rb(&repo, &["revert", "-X", "theirs", "HEAD~2", "--dry-run", "--json"]);
    repo.write("../plan.json", &plan.stdout);
    let run = rb(&repo, &["apply", "../plan.json"]);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    assert_eq!(repo.git(&["show", "HEAD:f"]), "one\ntwo\nthree");
    assert_eq!(rb(&repo, &["undo"]).code, 0);

    let stopped = rb(&repo, &["revert", "-X", "patience", "HEAD~2", "--on-conflict=stop"]);
    assert_eq!(stopped.code, 7, "{}{}", stopped.stdout, stopped.stderr);
    assert_eq!(rb(&repo, &["abort"]).code, 0);
}

#[test]
fn an_option_that_git_does_not_know_is_refused_as_it_is_typed() {
    let repo = history();
    let run = rb(&repo, &["revert", "-X", "mine", "HEAD"]);
    assert_eq!(run.code, 2, "{}{}", run.stdout, run.stderr);
    assert!(run.stderr.contains("'mine'") && run.stderr.contains("theirs"), "{}", run.stderr);
}
