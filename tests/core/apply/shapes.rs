//! The shapes of landing that the fault suites try, and a way to hand one to a child process.

use std::fs;

use gix::objs::Kind;
use serde_json::{Value, json};

use super::kit::*;
use crate::apply::{Landing, RefUpdate};
use crate::conflict::Conflict;
use crate::id::TreeId;
use crate::journal::StateFile;

/// A repository and what is to land in it.
pub(super) struct Shape {
    pub(super) name: &'static str,
    pub(super) sandbox: Sandbox,
    pub(super) landing: Landing,
}

/// Every shape.
pub(super) fn all() -> Vec<Shape> {
    vec![
        one_file(),
        added_and_deleted(),
        modes_and_links(),
        files_and_folders_swap(),
        detached(),
        packed_branch(),
        linked_work_tree(),
        new_branch(),
        bare(),
        not_committed(),
        conflicts_left(),
        work_elsewhere(),
        sha256(),
    ]
}

/// Reverts HEAD.
fn revert(name: &'static str, sandbox: Sandbox) -> Shape {
    let twin = sandbox.twin();
    twin.git(&["revert", "--no-edit", "HEAD"]);
    let landing = landing_like(&sandbox, &twin);
    Shape { name, sandbox, landing }
}

pub(super) fn one_file() -> Shape {
    let sandbox = Sandbox::new();
    sandbox
        .write("a/file", "one\n")
        .write("other", "o\n")
        .commit("first")
        .write("a/file", "two\n")
        .commit("second");
    revert("one file", sandbox)
}

fn added_and_deleted() -> Shape {
    let sandbox = Sandbox::new();
    sandbox.write("keep", "k\n").write("deep/er/gone", "g\n").write("changed", "1\n").commit("first");
    fs::remove_dir_all(sandbox.path("deep")).unwrap();
    sandbox.write("changed", "2\n").write("fresh/folder/file", "f\n").commit("second");
    revert("added and deleted", sandbox)
}

pub(super) fn modes_and_links() -> Shape {
    let sandbox = Sandbox::new();
    sandbox
        .write("run", "#!/bin/sh\n")
        .chmod("run", 0o755)
        .write("becomes", "b\n")
        .link("run", "link")
        .commit("first");
    sandbox.chmod("run", 0o644).remove("becomes").link("run", "becomes").remove("link").link("x", "link");
    sandbox.commit("second");
    revert("modes and links", sandbox)
}

fn files_and_folders_swap() -> Shape {
    let sandbox = Sandbox::new();
    sandbox.write("swap", "file\n").write("dir/a", "a\n").write("dir/sub/b", "b\n").commit("first");
    sandbox.remove("swap").write("swap/in/side", "s\n");
    fs::remove_dir_all(sandbox.path("dir")).unwrap();
    sandbox.write("dir", "now a file\n").commit("second");
    revert("files and folders swap", sandbox)
}

fn detached() -> Shape {
    let sandbox = Sandbox::new();
    sandbox.write("file", "one\n").commit("first").write("file", "two\n").commit("second");
    sandbox.git(&["checkout", "-q", "--detach"]);
    revert("detached", sandbox)
}

fn packed_branch() -> Shape {
    let sandbox = Sandbox::new();
    sandbox.git(&["checkout", "-q", "-b", "feature/deep/name"]);
    sandbox.write("file", "one\n").commit("first").write("file", "two\n").commit("second");
    sandbox.git(&["pack-refs", "--all", "--prune"]);
    revert("packed branch", sandbox)
}

fn linked_work_tree() -> Shape {
    let main = Sandbox::new();
    main.write("file", "one\n").write("gone", "g\n").commit("first");
    main.remove("gone").write("file", "two\n").commit("second");
    // Both in one folder, so that a copy of that folder has both.
    main.git(&["checkout", "-q", "--detach"]);
    main.git(&["worktree", "add", "-q", "linked", "main"]);
    revert("linked work tree", main.into_linked("linked"))
}

fn new_branch() -> Shape {
    let mut shape = one_file();
    shape.name = "new branch";
    shape.landing.checkout = false;
    let update = shape.landing.reference.as_mut().unwrap();
    (update.name, update.old) = ("refs/heads/rescue/one".into(), None);
    shape
}

fn bare() -> Shape {
    let mut shape = one_file();
    shape.sandbox.git(&["config", "core.bare", "true"]);
    shape.sandbox.git(&["config", "core.logAllRefUpdates", "true"]);
    shape.sandbox.clear_work_tree();
    shape.name = "bare";
    shape.landing.checkout = false;
    shape
}

fn not_committed() -> Shape {
    let mut shape = added_and_deleted();
    shape.name = "not committed";
    shape.landing.reference = None;
    shape.landing.state_files =
        vec![StateFile::write("MERGE_MSG", "Revert \"second\"\n"), StateFile::write("REVERT_HEAD", "x\n")];
    shape
}

fn conflicts_left() -> Shape {
    let sandbox = Sandbox::new();
    sandbox.write("file", "1\n2\n3\n").write("gone", "d\n").write("d/clean", "c\n").commit("first");
    sandbox.write("file", "1\ntwo\n3\n").write("gone", "changed\n").write("d/clean", "C\n").commit("second");
    sandbox.write("file", "1\nzwei\n3\n").remove("gone").commit("third");
    let twin = sandbox.twin();
    assert!(!twin.try_git(&["revert", "--no-edit", "HEAD~1"]).status.success());
    let tree = |rev: &str| TreeId(id(&twin.git(&["rev-parse", rev])));
    let mut landing = landing_like(&sandbox, &sandbox);
    landing.reference = None;
    landing.head_tree = tree("HEAD^{tree}");
    landing.result_tree = tree("AUTO_MERGE");
    landing.objects = objects_between_trees(&twin, "AUTO_MERGE");
    landing.index_stages = unmerged(&twin);
    let bytes = |name: &str| fs::read(twin.git_dir().join(name)).unwrap();
    landing.state_files =
        ["REVERT_HEAD", "MERGE_MSG", "AUTO_MERGE"].map(|name| StateFile::write(name, bytes(name))).to_vec();
    landing.state_files.push(StateFile::write("sequencer/todo", "revert 1234567 second\n"));
    Shape { name: "conflicts left", sandbox, landing }
}

fn work_elsewhere() -> Shape {
    let sandbox = Sandbox::new();
    sandbox.write(".gitattributes", "*.txt text eol=crlf\n").write("a.txt", "1\r\n").write("staged", "s\n");
    sandbox.write("edited", "e\n").write("d/kept", "k\n").commit("first");
    sandbox.write("a.txt", "2\r\n").write("d/added", "a\n").commit("second");
    let mut shape = revert("work elsewhere", sandbox);
    let sandbox = &mut shape.sandbox;
    sandbox
        .write("staged", "staged change\n")
        .write("both", "new and staged\n")
        .git(&["add", "staged", "both"]);
    sandbox.write("edited", "edited\n").write("d/untracked", "u\n");
    shape
}

fn sha256() -> Shape {
    let sandbox = Sandbox::with_format("sha256");
    sandbox
        .write("a/file", "one\n")
        .commit("first")
        .write("a/file", "two\n")
        .write("b", "b\n")
        .commit("second");
    revert("sha256", sandbox)
}

/// A landing as bytes.
pub(super) fn encode(landing: &Landing) -> Vec<u8> {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let objects: Vec<Value> = landing
        .objects
        .iter()
        .map(|(id, kind, bytes)| json!({ "id": id, "kind": kind.to_string(), "bytes": hex(bytes) }))
        .collect();
    let reference = landing.reference.as_ref().map(|update| {
        json!({ "name": update.name.to_string(), "old": update.old, "new": update.new, "reflog": update.reflog.to_string() })
    });
    let value = json!({
        "objects": objects,
        "head_tree": landing.head_tree,
        "result_tree": landing.result_tree,
        "reference": reference,
        "checkout": landing.checkout,
        "state_files": landing.state_files,
        "index_stages": landing.index_stages,
    });
    serde_json::to_vec(&value).unwrap()
}

/// The landing of these bytes.
pub(super) fn decode(bytes: &[u8]) -> Landing {
    let value: Value = serde_json::from_slice(bytes).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let unhex = |hex: &str| {
        (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
            .collect::<Vec<_>>()
    };
    let objects = value["objects"].as_array().unwrap().iter().map(|object| {
        let kind = Kind::from_bytes(text(&object["kind"]).as_bytes()).unwrap();
        (id(&text(&object["id"])), kind, unhex(&text(&object["bytes"])))
    });
    let reference = &value["reference"];
    Landing {
        objects: objects.collect(),
        head_tree: TreeId(id(&text(&value["head_tree"]))),
        result_tree: TreeId(id(&text(&value["result_tree"]))),
        reference: (!reference.is_null()).then(|| RefUpdate {
            name: text(&reference["name"]).into(),
            old: serde_json::from_value(reference["old"].clone()).unwrap(),
            new: serde_json::from_value(reference["new"].clone()).unwrap(),
            reflog: text(&reference["reflog"]).into(),
            committer: committer(),
        }),
        checkout: value["checkout"].as_bool().unwrap(),
        state_files: serde_json::from_value(value["state_files"].clone()).unwrap(),
        index_stages: serde_json::from_value::<Vec<Conflict>>(value["index_stages"].clone()).unwrap(),
        attributes: Default::default(),
        flags: Default::default(),
        exact: None,
        log: None,
    }
}
