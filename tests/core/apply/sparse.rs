//! Sparse checkouts: what the patterns leave out stays out, and is marked as git marks it.

use std::fs;

use super::kit::*;
use crate::apply::{LandOptions, land};
use crate::error::{Error, InTheWay, WorkTreeError};
use crate::id::TreeId;

/// The second commit changes, adds and removes files in three folders.
fn history() -> Sandbox {
    let sandbox = Sandbox::new();
    for folder in ["", "in/", "in/deep/", "out/", "out/deep/"] {
        sandbox.write(&format!("{folder}changed"), "one\n").write(&format!("{folder}removed"), "r\n");
        sandbox.write(&format!("{folder}kept"), "k\n");
    }
    sandbox.commit("first");
    for folder in ["", "in/", "in/deep/", "out/", "out/deep/"] {
        sandbox.write(&format!("{folder}changed"), "two\n").remove(&format!("{folder}removed"));
        sandbox.write(&format!("{folder}added"), "a\n");
    }
    sandbox.commit("second");
    sandbox
}

#[test]
fn what_a_cone_leaves_out_stays_out_as_under_git() {
    for cone in [&["in"][..], &["in/deep"], &["out/deep", "in"], &[]] {
        let sandbox = history();
        sandbox.git(&[&["sparse-checkout", "set", "--cone", "--no-sparse-index"], cone].concat());
        assert_lands_like_git(&sandbox);
        // And back again.
        assert_lands_like_git(&sandbox);
    }
}

#[test]
fn what_patterns_leave_out_stays_out_as_under_git() {
    for patterns in [
        &["/*", "!/out/"][..],
        &["removed"],
        &["/*", "!removed"],
        &["in/", "!deep/"],
        &["/*", "!*d", "/in/deep/"],
        &["**/deep/*", "!**/deep/r*"],
    ] {
        let sandbox = history();
        sandbox.git(&[&["sparse-checkout", "set", "--no-cone"], patterns].concat());
        assert_lands_like_git(&sandbox);
        assert_lands_like_git(&sandbox);
    }
}

#[test]
fn a_sparse_checkout_that_is_switched_off_leaves_nothing_out() {
    let sandbox = history();
    sandbox.git(&["sparse-checkout", "set", "--cone", "in"]);
    sandbox.git(&["sparse-checkout", "disable"]);
    assert_lands_like_git(&sandbox);
    sandbox.git(&["config", "core.sparseCheckout", "true"]);
    let _ = fs::remove_file(sandbox.path(".git/info/sparse-checkout"));
    assert_lands_like_git(&sandbox);
}

#[test]
fn a_file_that_the_user_put_where_the_patterns_leave_one_out_is_refused() {
    let sandbox = history();
    sandbox.git(&["sparse-checkout", "set", "--cone", "in"]);
    let twin = sandbox.twin();
    twin.git(&["revert", "--no-edit", "HEAD"]);
    let landing = landing_like(&sandbox, &twin);
    sandbox.write("out/removed", "mine\n");
    match assert_refused(&sandbox, &landing) {
        Error::WorkTree(WorkTreeError::InTheWay { reason, paths }) => {
            assert_eq!((reason, paths), (InTheWay::Untracked, vec!["out/removed".into()]));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn conflicts_are_written_wherever_they_are_as_git_does() {
    let sandbox = history();
    sandbox.write("out/changed", "three\n").commit("third");
    sandbox.git(&["sparse-checkout", "set", "--cone", "in"]);
    let twin = sandbox.twin();
    assert!(!twin.try_git(&["revert", "--no-commit", "HEAD~1"]).status.success());
    let tree = |rev: &str| TreeId(id(&twin.git(&["rev-parse", rev])));
    let mut landing = landing_like(&sandbox, &sandbox);
    landing.reference = None;
    landing.head_tree = tree("HEAD^{tree}");
    landing.result_tree = tree("AUTO_MERGE");
    landing.objects = objects_between_trees(&twin, "AUTO_MERGE");
    landing.index_stages = unmerged(&twin);
    land(&sandbox.repo(), &landing, &LandOptions::default()).unwrap();
    let (ours, gits) = (sandbox.state(), twin.state());
    assert_eq!((ours.index, ours.status, ours.files), (gits.index, gits.status, gits.files));
    assert_nothing_left(&sandbox);
}
