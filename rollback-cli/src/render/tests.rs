//! What people see, as text beside the code: `cargo insta review` shows what a change does to it.

use anstream::adapter::strip_str;
use rollback_core::{Plan, Receipt};
use serde_json::{Value, json};

use super::human::{self, Ending, LandWith};
use super::*;
use crate::invocation::Invocation;

const TIP: &str = "65f041a0000000000000000000000000000000aa";
const MERGE: &str = "9c1d2e30000000000000000000000000000000aa";
const CULPRIT: &str = "3a8a50f0000000000000000000000000000000aa";
const GOOD: &str = "1b2c3d40000000000000000000000000000000aa";
const LATER: &str = "7e0f1a20000000000000000000000000000000aa";
const NEW: &str = "d00dfee0000000000000000000000000000000aa";
const TREE: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
const PATH: &str = "legacy/__init__.py";

fn id(hex: &str) -> CommitId {
    hex.parse().unwrap()
}

/// 2026-03-02 at noon, and so many days later.
fn day_after(days: i64) -> i64 {
    1_772_452_800 + days * 86_400
}

fn commits() -> Commits {
    let known = |hex: &str, subject: &str, days, parents: &[&str]| {
        let known = Known {
            short: hex[..7].into(),
            subject: text::escape(subject).into_owned(),
            time: day_after(days),
            parents: parents.iter().map(|hex| id(hex)).collect(),
        };
        (id(hex), known)
    };
    Commits(HashMap::from([
        known(NEW, "Revert \"legacy: remove the shim\" in legacy/__init__.py", 9, &[TIP]),
        known(TIP, "docs: say which versions are supported", 8, &[LATER]),
        known(LATER, "legacy: log who still imports it", 6, &[MERGE]),
        known(MERGE, "Merge branch 'cleanup'", 5, &[GOOD, CULPRIT]),
        known(CULPRIT, "legacy: remove the shim, which nothing is thought to use any more", 2, &[GOOD]),
        known(GOOD, "legacy: update the list of names", 0, &[]),
    ]))
}

/// An attempt that is clean, with some fields otherwise.
fn attempt(strategy: &str, fields: Value) -> Value {
    let mut attempt = json!({
        "strategy": strategy, "commit_id": CULPRIT, "result": "clean", "tree_id": TREE,
        "conflicts": [], "paths_touched": [PATH],
        "changes": [{"path": PATH, "before": null, "after": {"mode": "100644", "id": TREE}}],
        "loss": {"class": "inverse", "discards": []},
    });
    merge(&mut attempt, fields);
    attempt
}

fn conflict(path: &str, kind: &str) -> Value {
    json!({"path": path, "kind": kind, "stages": {}})
}

/// The plan of a file that came down with a merge, with some fields otherwise.
fn plan(fields: Value) -> Plan {
    let mut plan = json!({
        "schema_version": 1,
        "request": {"target": {"kind": "paths", "paths": [PATH]}, "options": {}},
        "repository": {"git_dir": "/r/.git", "work_dir": "/r", "object_format": "sha1"},
        "target": {
            "kind": "paths", "paths": [PATH],
            "culprit": {
                "commit_id": CULPRIT, "subject": "legacy: remove the shim, which nothing is thought to use any more",
                "author": "Ada Example", "time": day_after(2), "change": "deleted", "parents": [GOOD],
                "paths_touched": 14, "introduced_by": MERGE,
            },
            "last_good": {"commit_id": GOOD, "path": PATH, "blob_id": TREE, "mode": "100644"},
        },
        "tip": {"ref": "refs/heads/main", "commit_id": TIP},
        "attempts": [
            attempt("revert-commit", json!({
                "scope": "whole", "result": "not-applicable", "tree_id": null, "paths_touched": [],
                "reason": "it touches 13 other paths; --whole-commit takes it",
            })),
            attempt("revert-commit", json!({"scope": {"paths": [PATH]}, "loss": {"class": "exact", "discards": []}})),
        ],
        "chosen": 1,
        "message": "Revert \"legacy: remove the shim\" in legacy/__init__.py\n\nThis reverts the changes of commit 3a8a50f to:\n  legacy/__init__.py\n",
        "notes": [],
    });
    merge(&mut plan, fields);
    serde_json::from_value(plan).unwrap()
}

fn merge(into: &mut Value, fields: Value) {
    let (Value::Object(into), Value::Object(fields)) = (into, fields) else {
        panic!("both are objects");
    };
    into.extend(fields);
}

fn shown(plan: &Plan, look: Look, ending: Ending<'_>) -> String {
    strip_str(&human::plan(plan, &commits(), look, ending)).to_string()
}

fn dry_run() -> Ending<'static> {
    let command = "rb revert --file legacy/__init__.py".into();
    Ending::DryRun { land_with: Some(LandWith { command, needs: None }) }
}

#[test]
fn a_removed_file_that_came_down_with_a_merge() {
    insta::assert_snapshot!(shown(&plan(json!({})), Look::plain(), dry_run()));
}

#[test]
fn the_same_on_a_narrow_terminal_without_unicode() {
    let look = Look { signs: Signs::ASCII, columns: Some(60), verbose: false };
    let text = shown(&plan(json!({})), look, dry_run());
    insta::assert_snapshot!(text);
    let ours = text.lines().filter(|line| line.starts_with("  ") && !line.starts_with("    "));
    assert!(ours.clone().all(str::is_ascii));
}

#[test]
fn a_landed_result_names_the_new_commit_and_what_to_type() {
    let receipt = json!({
        "outcome": {"kind": "committed", "commit_ids": [NEW], "operation_id": "x", "ref": "refs/heads/main"},
    });
    let mut document = serde_json::to_value(plan(json!({}))).unwrap();
    merge(&mut document, receipt);
    let receipt: Receipt = serde_json::from_value(document).unwrap();
    insta::assert_snapshot!(shown(&receipt.plan, Look::plain(), Ending::Landed(&receipt.outcome)));
}

#[test]
fn a_result_that_discards_later_commits_names_each() {
    let snapshot = plan(json!({
        "attempts": [
            attempt("revert-commit", json!({
                "result": "conflicted", "tree_id": null, "scope": {"paths": [PATH]},
                "conflicts": [conflict(PATH, "content")],
            })),
            attempt("cherry-pick", json!({"result": "empty", "commit_id": GOOD, "tree_id": null, "paths_touched": []})),
            attempt("restore-file", json!({
                "from": GOOD, "commit_id": null, "loss": {"class": "snapshot", "discards": [LATER, TIP]},
            })),
        ],
        "chosen": 2,
        "notes": [
            {"kind": "multiple", "commits": [LATER, CULPRIT]},
            {"kind": "upstream-ahead", "paths": [PATH], "ref": "refs/remotes/origin/main"},
            {"kind": "case-twin", "paths": ["Legacy/__init__.py"]},
        ],
    }));
    let command = "rb revert --file legacy/__init__.py --allow-loss".into();
    let ending = Ending::DryRun { land_with: Some(LandWith { command, needs: Some("what it discards") }) };
    insta::assert_snapshot!(shown(&snapshot, Look::plain(), ending));
}

#[test]
fn where_no_rung_may_be_taken_the_conflicts_are_shown() {
    let plan = plan(json!({
        "attempts": [
            attempt("revert-commit", json!({
                "result": "conflicted", "tree_id": null, "scope": "whole",
                "conflicts": [conflict(PATH, "modify-delete"), conflict("src/b.py", "content"), conflict("src/c.py", "rename-delete")],
            })),
            attempt("revert-commit", json!({
                "result": "needs-review", "tree_id": null, "scope": {"paths": [PATH]},
                "reason": "hunks that touch each other",
            })),
            attempt("restore-file", json!({
                "from": GOOD, "commit_id": null, "result": "not-applicable", "tree_id": null,
                "reason": "only revert-commit was asked for",
            })),
        ],
        "chosen": null, "message": null,
    }));
    insta::assert_snapshot!(shown(&plan, Look::plain(), dry_run()));
    let typed = Invocation::new(vec!["rb".into(), "revert".into()]);
    assert_eq!(
        strip_str(&stuck::failure(&plan, &typed).text(false)).to_string(),
        "error: nothing was changed: 1 of 3 strategies conflicts in legacy/__init__.py and 2 more\n\
         hint: resolve it by hand with: rb revert --on-conflict=stop\n"
    );
}

#[test]
fn a_path_that_is_back_already_has_nothing_to_do() {
    let done = plan(json!({
        "target": {"kind": "paths", "paths": [PATH]},
        "attempts": [attempt("revert-commit", json!({
            "result": "already-rolled-back", "tree_id": null, "paths_touched": [],
            "reason": "3a8a50f was taken back by 65f041a",
        }))],
        "chosen": null, "message": null,
    }));
    insta::assert_snapshot!(shown(&done, Look::plain(), dry_run()));
}

#[test]
fn several_commits_are_listed_in_the_order_in_which_they_are_taken() {
    let several = plan(json!({
        "target": {"kind": "commits", "commits": [LATER, CULPRIT]},
        "attempts": [attempt("revert-commit", json!({
            "scope": "whole", "commit_id": null,
            "paths_touched": [PATH, "src/b.py"],
            "steps": [
                {"commit_id": LATER, "tree_id": TREE, "message": "Revert \"x\"\n"},
                {"commit_id": CULPRIT, "tree_id": TREE, "message": "Revert \"y\"\n"},
            ],
        }))],
        "chosen": 0,
    }));
    insta::assert_snapshot!(shown(&several, Look::plain(), dry_run()));
}

#[test]
fn text_of_a_repository_cannot_steer_the_terminal() {
    let evil = "\u{1b}]0;owned\u{7}\u{202e}";
    let mut hostile = serde_json::to_value(plan(json!({}))).unwrap();
    hostile["target"]["paths"] = json!([evil]);
    hostile["target"]["culprit"]["subject"] = json!(evil);
    hostile["target"]["culprit"]["author"] = json!(evil);
    hostile["attempts"][1]["paths_touched"] = json!([evil]);
    hostile["attempts"][1]["reason"] = json!(evil);
    hostile["message"] = json!(evil);
    hostile["tip"]["ref"] = json!(format!("refs/heads/{evil}"));
    let hostile: Plan = serde_json::from_value(hostile).unwrap();
    let text = human::plan(&hostile, &commits(), Look::plain(), dry_run());
    let ours = strip_str(&text).to_string();
    assert!(!ours.chars().any(|c| c != '\n' && text::is_unsafe(c)), "{ours:?}");
    assert!(!text.contains("\u{1b}]"), "{text:?}");
}
