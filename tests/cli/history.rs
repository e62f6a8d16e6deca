//! `rb history`.

use serde_json::json;
use test_kit::Sandbox;

use crate::kit::{rb, rb_in};

fn removed() -> (Sandbox, String, String) {
    let repo = Sandbox::new();
    repo.commit("add the shim", &[("src/shim.py", "one\n"), ("readme", "r\n")]);
    let good = repo.commit("update the shim", &[("src/shim.py", "one\ntwo\n")]);
    repo.git(&["rm", "-q", "src/shim.py"]);
    let culprit = repo.commit_index(b"remove the shim\n");
    (repo, good, culprit)
}

#[test]
fn the_history_of_a_removed_file_names_what_to_undo() {
    let (repo, _, _) = removed();
    let run = rb(&repo, &["history", "src/shim.py"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    insta::assert_snapshot!(run.stdout);
}

#[test]
fn the_document_holds_the_fixed_fields() {
    let (repo, good, culprit) = removed();
    let document = rb(&repo, &["history", "src/shim.py", "--json"]).json();
    assert_eq!(document["path"], "src/shim.py");
    assert_eq!(document["at_tip"], json!(null));
    assert_eq!(document["changes"][0]["commit_id"], json!(culprit));
    assert_eq!(document["changes"][0]["kind"], "deleted");
    assert_eq!(document["changes"][0]["subject"], "remove the shim");
    assert!(document["changes"][0]["time"].is_string());
    assert_eq!(document["culprit"]["commit_id"], json!(culprit));
    assert_eq!(document["last_good"]["commit_id"], json!(good));
    assert_eq!(document["last_good"]["mode"], "100644");
    assert_eq!(document["case_twins"], json!([]));
}

#[test]
fn paths_are_relative_to_the_folder_or_to_the_root() {
    let (repo, _, culprit) = removed();
    std::fs::create_dir_all(repo.path().join("docs/deep")).unwrap();
    let absolute = repo.path().join("src/shim.py");
    let absolute = absolute.to_str().unwrap();
    for typed in ["../../src/shim.py", ":/src/shim.py", absolute] {
        let document = rb_in(&repo, "docs/deep", &["history", typed, "--json"]).json();
        assert_eq!(document["culprit"]["commit_id"], json!(culprit), "{typed}");
    }
    let by_flag = rb_in(&repo, "docs/deep", &["-C", "../../docs", "history", "../src/shim.py", "--json"]);
    assert_eq!(by_flag.json()["culprit"]["commit_id"], json!(culprit));
}

#[test]
fn history_can_be_asked_of_another_revision_and_cut_short() {
    let (repo, good, _) = removed();
    let document = rb(&repo, &["history", "src/shim.py", "--in", "HEAD~1", "-n", "1", "--json"]).json();
    assert_eq!(document["changes"].as_array().map(Vec::len), Some(1));
    assert_eq!(document["changes"][0]["commit_id"], json!(good));
    assert_eq!(document["truncated"], json!(true));
    let run = rb(&repo, &["history", "src/shim.py", "-n", "1"]);
    assert!(run.stdout.contains("and more"), "{}", run.stdout);
}
