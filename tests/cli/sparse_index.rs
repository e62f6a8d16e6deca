//! A sparse index: what rb leaves is what git leaves, folders included.

use test_kit::{Part, Sandbox, State};

use crate::kit::{rb, rb_with};

/// A cone of one folder, beside folders of which some are changed: HEAD~2 in the cone, HEAD~1 outside of it, HEAD in both.
fn history() -> Sandbox {
    let repo = Sandbox::new();
    let lines = |first: &str, last: &str| format!("{first}\n2\n3\n4\n5\n6\n{last}\n");
    let files = |cone: &str, deep: &str, other: &str| {
        [
            ("top", "top\n".to_owned()),
            ("cone/f", lines(cone, "7")),
            ("cone/deep/g", "g\n".to_owned()),
            ("out/a/f", lines(deep, "7")),
            ("out/a/g", "g\n".to_owned()),
            ("out/b/h", "h\n".to_owned()),
            ("other/x/y/z", lines("1", other)),
            ("other/w", "w\n".to_owned()),
            ("out-of-order", "o\n".to_owned()),
        ]
    };
    repo.commit("start", &files("1", "1", "7"));
    repo.commit("in the cone", &files("one", "1", "7"));
    repo.commit("outside", &files("one", "one", "7"));
    repo.commit(
        "both",
        &[
            ("cone/f", lines("one", "seven")),
            ("other/x/y/z", lines("1", "seven")),
            ("other/new/n", "n\n".into()),
        ],
    );
    repo.git(&["sparse-checkout", "set", "--cone", "--sparse-index", "cone"]);
    let listed = repo.git(&["ls-files", "--sparse"]);
    assert!(listed.contains("out/\n") && listed.contains("other/\n"), "{listed}");
    repo
}

/// Both have the same entries, folded alike, and nothing to say.
#[track_caller]
fn assert_same(ours: &Sandbox, theirs: &Sandbox, what: &str) {
    let listed = |repo: &Sandbox| repo.git(&["ls-files", "--sparse", "-t", "--stage"]);
    assert_eq!(listed(ours), listed(theirs), "{what}");
    let parts = [Part::Index, Part::Flags, Part::Status, Part::Files];
    let kept = |repo: &Sandbox| State::of(repo).only(&parts);
    assert_eq!(kept(theirs).diff(&kept(ours)), "", "{what}");
    assert_eq!(ours.git(&["log", "--format=%T %s"]), theirs.git(&["log", "--format=%T %s"]), "{what}");
    assert_eq!(ours.git(&["fsck", "--no-dangling"]), "", "{what}");
}

#[test]
fn reverts_in_and_out_of_the_cone_leave_the_index_of_git() {
    for (name, commits) in [
        ("in the cone", &["HEAD~2"][..]),
        ("outside", &["HEAD~1"]),
        ("both, with a file that goes", &["HEAD"]),
        ("all of them", &["HEAD", "HEAD~1", "HEAD~2"]),
    ] {
        let (ours, theirs) = (history(), history());
        theirs.git(&[&["revert", "--no-edit"], commits].concat());
        let run = rb(&ours, &[&["revert"], commits].concat());
        assert_eq!(run.code, 0, "{name}: {}{}", run.stdout, run.stderr);
        assert_same(&ours, &theirs, name);

        let before = history();
        assert_eq!(rb(&ours, &["undo"]).code, 0, "{name}");
        assert_same(&ours, &before, name);
    }
}

#[test]
fn what_is_staged_only_and_what_comes_back_is_folded_as_well() {
    let (ours, theirs) = (history(), history());
    theirs.git(&["revert", "--no-commit", "HEAD~1"]);
    assert_eq!(rb(&ours, &["revert", "-n", "HEAD~1"]).code, 0);
    let listed = |repo: &Sandbox| repo.git(&["ls-files", "-t", "--stage"]);
    assert_eq!(listed(&ours), listed(&theirs));
    assert_eq!(ours.git(&["status", "--short"]), theirs.git(&["status", "--short"]));

    let (ours, theirs) = (history(), history());
    theirs.git(&["checkout", "-q", "HEAD~3", "--", "cone/f"]);
    theirs.git(&["commit", "-q", "-m", "as it was"]);
    let run = rb(&ours, &["restore", "cone/f", "-s", "HEAD~3", "--message", "as it was", "--allow-loss"]);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    assert_same(&ours, &theirs, "restore");
}

#[test]
fn a_conflict_outside_of_the_cone_unfolds_what_it_must_and_an_abort_folds_it() {
    let (ours, theirs) = (history(), history());
    for repo in [&ours, &theirs] {
        repo.git(&["sparse-checkout", "disable"]);
        repo.commit("again, outside", &[("out/a/f", "top\n")]);
        repo.git(&["sparse-checkout", "set", "--cone", "--sparse-index", "cone"]);
    }
    assert!(!theirs.try_git(&["revert", "--no-edit", "HEAD~2"]).status.success());
    let run = rb_with(&ours, &["revert", "--no-edit", "HEAD~2"], "", &[("RB_COMPAT", "git")]);
    assert_eq!(run.code, 1, "{}{}", run.stdout, run.stderr);
    assert_same(&ours, &theirs, "stopped");
    theirs.git(&["revert", "--abort"]);
    assert_eq!(rb(&ours, &["abort"]).code, 0);
    assert_same(&ours, &theirs, "given up");
}

#[test]
fn a_checkpoint_of_a_sparse_index_comes_back() {
    let (ours, before) = (history(), history());
    assert_eq!(rb(&ours, &["checkpoint", "create", "here"]).code, 0);
    assert_eq!(rb(&ours, &["revert", "-n", "HEAD~1"]).code, 0);
    let run = rb(&ours, &["checkpoint", "restore", "here"]);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    assert_same(&ours, &before, "checkpoint");
}
