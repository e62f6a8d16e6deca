//! Submodules in the way: their folders are never entered and never removed with what is in them.

use std::fs;

use super::kit::*;
use super::{shapes, sweep};
use crate::error::{Error, InTheWay, WorkTreeError};
use crate::oplog::{OperationRef, UndoOptions};

const LINK: &str = "1111111111111111111111111111111111111111";

/// What stands at `p`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Link,
    File,
    Executable,
    Symlink,
    Folder,
}

fn put(sandbox: &Sandbox, at: At) {
    let _ = sandbox.try_git(&["rm", "-r", "-q", "--cached", "p"]);
    let path = sandbox.path("p");
    let _ = fs::remove_file(&path);
    let _ = fs::remove_dir_all(&path);
    match at {
        At::Link => {
            sandbox.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{LINK},p")]);
            fs::create_dir(&path).unwrap();
        }
        At::File => {
            sandbox.write("p", "a file\n").git(&["add", "p"]);
        }
        At::Executable => {
            sandbox.write("p", "#!/bin/sh\n").chmod("p", 0o755).git(&["add", "p"]);
        }
        At::Symlink => {
            sandbox.link("other", "p").git(&["add", "p"]);
        }
        At::Folder => {
            sandbox.write("p/inner", "inner\n").git(&["add", "p"]);
        }
    }
}

/// The last commit turns `before` into `after`.
fn history(before: At, after: At) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("other", "o\n").git(&["add", "-A"]);
    for (at, subject) in [(before, "first"), (after, "second")] {
        put(&sandbox, at);
        sandbox.git(&["commit", "-q", "-m", subject]);
    }
    sandbox
}

/// A checked-out submodule with a commit, an edit and a file of its own.
fn fill(sandbox: &Sandbox) {
    sandbox.git(&["init", "-q", "p"]);
    sandbox.write("p/inner", "theirs\n");
    sandbox.git(&["-C", "p", "add", "-A"]);
    sandbox.git(&["-C", "p", "commit", "-q", "-m", "own"]);
    sandbox.write("p/inner", "edited\n").write("p/untracked", "work\n");
}

/// The landing of what git makes where nothing is checked out.
fn assert_obstructed(sandbox: &Sandbox, prepare: impl Fn(&Sandbox)) {
    let twin = sandbox.twin();
    twin.git(&["revert", "--no-edit", "HEAD"]);
    let landing = landing_like(sandbox, &twin);
    prepare(sandbox);
    match assert_refused(sandbox, &landing) {
        Error::WorkTree(WorkTreeError::InTheWay { reason, paths }) => {
            assert_eq!((reason, paths), (InTheWay::Obstructed, vec!["p".into()]));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_submodule_that_is_checked_out_is_not_replaced_by_a_file_or_a_folder() {
    // git 2.47 removes the folder of a submodule with all work in it when a file takes its place.
    assert_obstructed(&history(At::File, At::Link), fill);
    assert_obstructed(&history(At::Folder, At::Link), fill);
}

#[test]
fn a_file_or_a_symbolic_link_and_a_submodule_change_places_as_under_git() {
    let others = [At::File, At::Symlink, At::Executable];
    for (before, after) in others.into_iter().flat_map(|at| [(at, At::Link), (At::Link, at)]) {
        assert_lands_like_git(&history(before, after));
        let without = history(before, after);
        let _ = fs::remove_dir(without.path("p"));
        let _ = fs::remove_file(without.path("p"));
        assert_lands_like_git(&without);
    }
}

#[test]
fn what_lies_in_the_folder_of_a_submodule_is_not_replaced_by_a_file() {
    assert_obstructed(&history(At::File, At::Link), |sandbox| {
        sandbox.write("p/untracked", "work\n");
    });
    assert_obstructed(&history(At::File, At::Link), |sandbox| {
        fs::create_dir_all(sandbox.path("p/empty")).unwrap();
    });
}

#[test]
fn the_undo_of_a_file_that_became_a_submodule_brings_back_what_was_there() {
    let pairs = [(At::File, At::Link), (At::Link, At::File), (At::Link, At::Folder), (At::Folder, At::Link)];
    for (before, after) in pairs {
        let sandbox = history(before, after);
        let start = (sandbox.state(), sandbox.times());
        let deed = shapes::Deed::Revert("HEAD");
        assert!(!sweep::carry_out(&sandbox.repo(), &deed).unwrap());
        assert_ne!(sandbox.state().index, start.0.index);
        sandbox.repo().undo(&OperationRef::Last, &UndoOptions::default()).unwrap();
        let mut now = (sandbox.state(), sandbox.times());
        // The logs tell of both.
        now.0.head_log.clone_from(&start.0.head_log);
        assert_eq!(now, start, "{before:?} to {after:?}");
    }
}

#[test]
fn a_folder_and_a_submodule_change_places_as_under_git() {
    assert_lands_like_git(&history(At::Folder, At::Link));
    assert_lands_like_git(&history(At::Link, At::Folder));
    let sandbox = history(At::Link, At::Folder);
    sandbox.write("p/untracked", "work\n");
    assert_lands_like_git(&sandbox);
}

#[test]
fn an_edit_where_a_submodule_comes_back_is_refused_as_an_edit() {
    let sandbox = history(At::Link, At::File);
    let twin = sandbox.twin();
    twin.git(&["revert", "--no-edit", "HEAD"]);
    let landing = landing_like(&sandbox, &twin);
    sandbox.write("p", "mine\n");
    assert!(matches!(
        assert_refused(&sandbox, &landing),
        Error::WorkTree(WorkTreeError::InTheWay { reason: InTheWay::Edited, .. })
    ));
}

#[test]
fn links_of_a_dirty_submodule_move_and_go_while_its_folder_stays_as_it_is() {
    let added = Sandbox::new();
    added.write("other", "o\n").commit("first");
    fill(&added);
    added.git(&["add", "p"]);
    added.git(&["commit", "-q", "-m", "second"]);
    let moved = added.twin();
    moved.git(&["update-index", "--cacheinfo", &format!("160000,{LINK},p")]);
    moved.git(&["commit", "-q", "-m", "third"]);
    for sandbox in [added, moved] {
        let before = (sandbox.inodes(), fs::read(sandbox.path("p/.git/index")).unwrap());
        let Reverted { twin, result } = revert_both(&sandbox);
        result.unwrap();
        let (ours, gits) = (sandbox.state(), twin.state());
        assert_eq!((&ours.index, &ours.status, &ours.head), (&gits.index, &gits.status, &gits.head));
        let inner = |inodes: std::collections::BTreeMap<std::path::PathBuf, _>| {
            inodes
                .into_iter()
                .filter(|(path, _)| path.starts_with("p") && !path.starts_with("p/.git"))
                .collect::<Vec<_>>()
        };
        assert_eq!(inner(sandbox.inodes()), inner(before.0));
        assert_nothing_left(&sandbox);
    }
}
