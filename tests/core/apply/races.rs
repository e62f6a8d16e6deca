//! Somebody else acts between two steps of a landing: strace holds the landing at one call, and meanwhile it happens.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use super::kit::*;
use super::shapes::{self, Shape};
use super::sweep::{self, Ended, Point, Scene, inject};

/// A landing that is held before the nth call of a kind while `act` is carried out, once `ready` is there.
fn meanwhile(
    shape: Shape,
    hold: (&str, usize),
    ready: &str,
    act: impl FnOnce(&Sandbox) + Send,
) -> (Sandbox, Ended, Scene) {
    let scene = Scene::new(shape);
    let copy = scene.shape.copy();
    let ready = copy.git_dir().join(ready);
    let ended = std::thread::scope(|scope| {
        let acting = scope.spawn(|| {
            let begun = Instant::now();
            while !ready.exists() && begun.elapsed() < Duration::from_secs(20) {
                std::thread::yield_now();
            }
            act(&copy);
        });
        let point = Point { call: hold.0.into(), nth: hold.1 };
        let ended = scene.run(&copy, "do", inject(&point, "delay_enter=400000"));
        acting.join().unwrap();
        ended
    });
    (copy, ended, scene)
}

/// The first lock is the second link: the first one keeps the index.
const FIRST_LOCK: (&str, usize) = ("linkat", 2);
const JOURNAL: &str = "rb/landing/journal.json";
const LOCKED: &str = "index.lock";

fn refused(ended: &Ended) -> bool {
    matches!(ended, Ended::Code(5, _))
}

#[test]
fn a_commit_between_the_plan_and_the_lock_is_not_lost() {
    if !sweep::can_trace() {
        return;
    }
    let (copy, ended, _) = meanwhile(shapes::one_file(), FIRST_LOCK, JOURNAL, |copy| {
        copy.git(&["commit", "-q", "--allow-empty", "-m", "mine"]);
    });
    assert!(refused(&ended), "{ended:?}");
    assert_eq!(copy.git(&["log", "-1", "--format=%s"]), "mine");
    assert_eq!(copy.git(&["status", "--porcelain"]), "");
    assert_nothing_left(&copy);
}

#[test]
fn what_is_staged_between_the_plan_and_the_lock_stays_staged() {
    if !sweep::can_trace() {
        return;
    }
    let (copy, ended, _) = meanwhile(shapes::one_file(), FIRST_LOCK, JOURNAL, |copy| {
        copy.write("other", "staged meanwhile\n").git(&["add", "other"]);
    });
    assert!(refused(&ended), "{ended:?}");
    assert_eq!(copy.git(&["status", "--porcelain"]), "M  other");
    assert_nothing_left(&copy);
}

#[test]
fn another_branch_checked_out_between_the_plan_and_the_lock_is_left_alone() {
    if !sweep::can_trace() {
        return;
    }
    let (copy, ended, _) = meanwhile(shapes::one_file(), FIRST_LOCK, JOURNAL, |copy| {
        copy.git(&["symbolic-ref", "HEAD", "refs/heads/aside"]);
        copy.git(&["branch", "-q", "aside", "main"]);
    });
    assert!(refused(&ended), "{ended:?}");
    assert_eq!(copy.git(&["symbolic-ref", "HEAD"]), "refs/heads/aside");
    assert_eq!(copy.git(&["rev-parse", "main"]), copy.git(&["rev-parse", "aside"]));
    assert_nothing_left(&copy);
}

#[test]
fn a_file_that_appears_where_one_is_added_is_not_overwritten() {
    if !sweep::can_trace() {
        return;
    }
    // A file is removed first, then one is added, then one is replaced.
    let (copy, ended, _) = meanwhile(shapes::added_and_deleted(), ("renameat2", 1), LOCKED, |copy| {
        copy.write("deep/er/gone", "mine\n");
    });
    assert!(refused(&ended), "{ended:?}");
    assert_eq!(fs::read(copy.path("deep/er/gone")).unwrap(), b"mine\n");
    assert_eq!(copy.git(&["status", "--porcelain", "-uall"]), "?? deep/er/gone");
    assert_nothing_left(&copy);
}

#[test]
fn an_edit_of_a_file_that_is_being_removed_is_put_back() {
    if !sweep::can_trace() {
        return;
    }
    let (copy, ended, _) = meanwhile(shapes::added_and_deleted(), ("renameat2", 1), LOCKED, |copy| {
        copy.write("fresh/folder/file", "mine\n");
    });
    assert!(refused(&ended), "{ended:?}");
    assert_eq!(fs::read(copy.path("fresh/folder/file")).unwrap(), b"mine\n");
    assert_eq!(copy.git(&["status", "--porcelain", "-uall"]), " M fresh/folder/file");
    assert_nothing_left(&copy);
}

#[test]
fn a_folder_that_turns_into_a_link_leads_no_write_outside() {
    if !sweep::can_trace() {
        return;
    }
    let outside = tempfile::tempdir().unwrap();
    // The very bytes that are expected: only the way there is wrong.
    fs::write(outside.path().join("file"), "two\n").unwrap();
    let (copy, ended, _) = meanwhile(shapes::one_file(), ("renameat2", 1), LOCKED, |copy| {
        turn_into_link(copy, "a", outside.path());
    });
    // The folder was open already, or it is refused; outside nothing happens.
    assert_eq!(fs::read(outside.path().join("file")).unwrap(), b"two\n", "{ended:?}");
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);
    assert_nothing_left(&copy);
}

#[test]
fn a_folder_that_turned_into_a_link_before_the_swap_is_refused() {
    if !sweep::can_trace() {
        return;
    }
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("file"), "two\n").unwrap();
    let (copy, ended, scene) = meanwhile(shapes::one_file(), FIRST_LOCK, JOURNAL, |copy| {
        turn_into_link(copy, "a", outside.path());
    });
    assert!(refused(&ended), "{ended:?}");
    assert_eq!(fs::read(outside.path().join("file")).unwrap(), b"two\n", "{ended:?}");
    fs::remove_file(copy.path("a")).unwrap();
    fs::rename(copy.path("elsewhere"), copy.path("a")).unwrap();
    assert_eq!(scene.verdict(&copy), Some("before"));
}

fn turn_into_link(copy: &Sandbox, folder: &str, outside: &Path) {
    fs::rename(copy.path(folder), copy.path("elsewhere")).unwrap();
    std::os::unix::fs::symlink(outside, copy.path(folder)).unwrap();
}
