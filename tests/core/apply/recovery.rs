//! What an unfinished landing leaves, and what becomes of it. The states are made by stopping a landing
//! of the prepared kind by hand; the sweep makes them by killing it.

use std::fs;

use super::kit::*;
use super::shapes;
use super::sweep::{Ended, Point, inject};
use crate::apply::recover::{Recovered, recover};
use crate::apply::{LandOptions, land};
use crate::error::{Error, RepositoryError, WorkTreeError};
use crate::path::RepoPath;

/// A landing of the shape killed at the nth call of a kind.
fn killed_at(shape: shapes::Shape, call: &str, nth: usize) -> (Sandbox, super::sweep::Scene) {
    let scene = super::sweep::Scene::new(shape);
    let copy = scene.shape.sandbox.twin();
    let point = Point { call: call.to_owned(), nth };
    assert_eq!(scene.run(&copy, "do", inject(&point, "signal=KILL")), Ended::Killed);
    (copy, scene)
}

/// The last rename puts what was displaced aside, the one before it closes the journal.
fn closing(scene: &super::sweep::Scene) -> Point {
    scene.points().into_iter().rev().filter(|point| point.call == "rename").nth(1).unwrap()
}

#[test]
fn a_landing_killed_while_it_swaps_keeps_writers_out_until_it_is_taken_back() {
    if !super::sweep::can_trace() {
        return;
    }
    let (sandbox, scene) = killed_at(shapes::modes_and_links(), "renameat2", 2);
    assert!(sandbox.git_dir().join("index.lock").exists());
    assert!(!sandbox.try_git(&["commit", "-q", "-a", "-m", "mine"]).status.success(), "the lock holds");
    let recovered = recover(&sandbox.repo()).unwrap();
    assert!(matches!(&recovered, Recovered::TakenBack { edited, .. } if edited.is_empty()), "{recovered:?}");
    assert_eq!(scene.verdict(&sandbox), Some("before"));
    assert_eq!(recover(&sandbox.repo()).unwrap(), Recovered::Nothing);
    land(&sandbox.repo(), scene.shape.landing(), &LandOptions::default()).unwrap();
    assert_eq!(scene.verdict(&sandbox), Some("after"));
}

#[test]
fn new_objects_outlive_a_garbage_collection_in_the_middle() {
    if !super::sweep::can_trace() {
        return;
    }
    let (sandbox, scene) = killed_at(shapes::one_file(), "renameat2", 1);
    let new = scene.shape.landing().reference.as_ref().unwrap().new.unwrap().to_string();
    for lock in ["index.lock", "HEAD.lock", "refs/heads/main.lock"] {
        fs::remove_file(sandbox.git_dir().join(lock)).unwrap();
    }
    sandbox.git(&["gc", "-q", "--prune=now"]);
    sandbox.git(&["cat-file", "-e", &new]);
    recover(&sandbox.repo()).unwrap();
    assert_eq!(sandbox.git(&["for-each-ref", "--format=%(refname)"]), "refs/heads/main");
    sandbox.git(&["gc", "-q", "--prune=now"]);
    assert!(!sandbox.try_git(&["cat-file", "-e", &new]).status.success(), "nothing names it any more");
    land(&sandbox.repo(), scene.shape.landing(), &LandOptions::default()).unwrap();
}

#[test]
fn a_file_edited_after_the_crash_stays_and_is_reported() {
    if !super::sweep::can_trace() {
        return;
    }
    let (sandbox, _) = killed_at(shapes::modes_and_links(), "renameat2", 3);
    sandbox.write("becomes", "typed after the crash\n");
    let recovered = recover(&sandbox.repo()).unwrap();
    let expected = vec![RepoPath::from("becomes")];
    assert!(
        matches!(&recovered, Recovered::TakenBack { edited, .. } if *edited == expected),
        "{recovered:?}"
    );
    assert_eq!(fs::read(sandbox.path("becomes")).unwrap(), b"typed after the crash\n");
    assert_nothing_left(&sandbox);
}

#[test]
fn a_landing_killed_between_index_and_reference_is_taken_back_with_its_index() {
    if !super::sweep::can_trace() {
        return;
    }
    let scene = super::sweep::Scene::new(shapes::one_file());
    let sandbox = scene.shape.sandbox.twin();
    // The last three: the reference moves, the journal is closed, what was displaced is put aside.
    let moving = scene.points().into_iter().rev().filter(|point| point.call == "rename").nth(2).unwrap();
    assert_eq!(scene.run(&sandbox, "do", inject(&moving, "signal=KILL")), Ended::Killed);
    assert_eq!(sandbox.git(&["diff-index", "--cached", "--name-only", "HEAD"]), "a/file", "a staged revert");
    recover(&sandbox.repo()).unwrap();
    assert_eq!(scene.verdict(&sandbox), Some("before"));
}

#[test]
fn a_landing_killed_after_the_commit_point_is_finished_with_its_logs() {
    if !super::sweep::can_trace() {
        return;
    }
    let scene = super::sweep::Scene::new(shapes::one_file());
    let sandbox = scene.shape.sandbox.twin();
    let closing = closing(&scene);
    assert_eq!(scene.run(&sandbox, "do", inject(&closing, "signal=KILL")), Ended::Killed);
    let recovered = recover(&sandbox.repo()).unwrap();
    assert!(matches!(&recovered, Recovered::Finished { .. }), "{recovered:?}");
    assert_eq!(scene.verdict(&sandbox), Some("after"));
}

#[test]
fn a_recovery_takes_the_lock_of_a_stack_that_the_landing_has_lost() {
    if !super::sweep::can_trace() {
        return;
    }
    let scene = super::sweep::Scene::new(with_tables(|| shapes::named(&["not committed"])).remove(0));
    let killed = |point: Point| {
        let copy = scene.shape.copy();
        assert_eq!(scene.run(&copy, "do", inject(&point, "signal=KILL")), Ended::Killed);
        copy
    };
    let has_landed = |copy: &Sandbox| {
        copy.git_dir().join("rb/landing/landed").is_file() && copy.state_file("REVERT_HEAD").is_none()
    };
    let renames = scene.points().into_iter().rev().filter(|point| point.call == "rename");
    let sandbox = renames.map(killed).find(has_landed).expect("a table follows the commit point");
    // The lock is removed by hand; git moves a branch, and is at the next one.
    let lock = sandbox.git_dir().join("reftable/tables.list.lock");
    fs::remove_file(&lock).unwrap();
    sandbox.git(&["update-ref", "refs/heads/meanwhile", "HEAD"]);
    fs::write(&lock, "").unwrap();
    let list = || fs::read_to_string(sandbox.git_dir().join("reftable/tables.list")).unwrap();
    let before = list();
    assert_eq!(recover(&sandbox.repo()).expect_err("git holds the lock").code(), "locked");
    assert_eq!((list(), fs::read(&lock).unwrap().len()), (before, 0));
    fs::remove_file(&lock).unwrap();
    let recovered = recover(&sandbox.repo()).unwrap();
    assert!(matches!(&recovered, Recovered::Finished { .. }), "{recovered:?}");
    assert_nothing_left(&sandbox);
    assert_eq!(sandbox.git(&["rev-parse", "meanwhile"]), sandbox.git(&["rev-parse", "HEAD"]));
    sandbox.git(&["update-ref", "-d", "refs/heads/meanwhile"]);
    assert_eq!(scene.verdict(&sandbox), Some("after"));
}

/// The author of a repository could write both of these.
#[test]
fn a_stage_that_is_none_is_not_emptied() {
    let sandbox = Sandbox::new();
    sandbox.write("file", "f\n").commit("first");
    let mine = sandbox.root.with_file_name("mine");
    fs::create_dir(&mine).unwrap();
    fs::write(mine.join("letter"), "dear\n").unwrap();
    std::os::unix::fs::symlink(&mine, sandbox.path(".rb-landing-1")).unwrap();
    let landing = sandbox.git_dir().join("rb/landing");
    fs::create_dir_all(&landing).unwrap();
    for name in ["../mine", ".rb-landing-/../../mine", ".rb-landing-1/.", ".rb-landing-1"] {
        fs::write(landing.join("work-tree-stage"), name).unwrap();
        assert!(recover(&sandbox.repo()).is_err(), "{name}");
        assert_eq!(fs::read_to_string(mine.join("letter")).unwrap(), "dear\n", "{name}");
    }
}

#[test]
fn when_the_branch_went_elsewhere_after_the_crash_nothing_is_touched() {
    if !super::sweep::can_trace() {
        return;
    }
    let (sandbox, _) = killed_at(shapes::modes_and_links(), "renameat2", 2);
    // Somebody breaks the locks by hand and commits.
    for lock in ["index.lock", "HEAD.lock", "refs/heads/main.lock"] {
        fs::remove_file(sandbox.git_dir().join(lock)).unwrap();
    }
    sandbox.git(&["commit", "-q", "--allow-empty", "-m", "by hand"]);
    let (files, head) = (sandbox.files(), sandbox.git(&["rev-parse", "HEAD"]));
    let recovered = recover(&sandbox.repo()).unwrap();
    let Recovered::SetAside { folder, .. } = recovered else { panic!("{recovered:?}") };
    assert!(folder.join("files").is_dir(), "what was displaced is kept");
    assert_eq!((sandbox.files(), sandbox.git(&["rev-parse", "HEAD"])), (files, head));
    assert_nothing_left(&sandbox);
    assert_eq!(recover(&sandbox.repo()).unwrap(), Recovered::Nothing);
}

#[test]
fn locks_that_others_took_after_the_crash_stay() {
    if !super::sweep::can_trace() {
        return;
    }
    let (sandbox, _) = killed_at(shapes::one_file(), "renameat2", 1);
    let lock = sandbox.git_dir().join("HEAD.lock");
    fs::remove_file(&lock).unwrap();
    fs::write(&lock, "somebody else\n").unwrap();
    recover(&sandbox.repo()).unwrap();
    assert_eq!(fs::read(&lock).unwrap(), b"somebody else\n");
    assert!(!sandbox.git_dir().join("index.lock").exists());
}

#[test]
fn an_edit_between_the_look_and_the_swap_is_put_back_and_the_landing_refused() {
    if !super::sweep::can_trace() {
        return;
    }
    // The writer comes in while the swap is delayed; nothing tells the landing but the file itself.
    let scene = super::sweep::Scene::new(shapes::one_file());
    let copy = scene.shape.sandbox.twin();
    let path = copy.path("a/file");
    let lock = copy.git_dir().join("index.lock");
    let writer = std::thread::spawn(move || {
        while !lock.exists() {
            std::thread::yield_now();
        }
        fs::write(path, "typed at the last moment\n").unwrap();
    });
    let point = Point { call: "renameat2".into(), nth: 1 };
    let ended = scene.run(&copy, "do", inject(&point, "delay_enter=300000"));
    writer.join().unwrap();
    assert!(matches!(&ended, Ended::Code(5, words) if words.contains("a/file")), "{ended:?}");
    assert_eq!(fs::read(copy.path("a/file")).unwrap(), b"typed at the last moment\n");
    assert_eq!(copy.git(&["status", "--porcelain"]), " M a/file");
    assert_eq!(copy.git(&["log", "-1", "--format=%s"]), "second");
    assert_nothing_left(&copy);
}

/// A folder that the landing made, and that cannot be removed for once, is not what somebody else wrote.
#[test]
fn a_recovery_that_fails_at_a_folder_is_done_again() {
    if !super::sweep::can_trace() {
        return;
    }
    let scene = super::sweep::Scene::new(shapes::files_and_folders_swap());
    let last = scene.points().into_iter().rfind(|point| point.call == "renameat2").unwrap();
    for nth in [1, 2] {
        let copy = scene.shape.sandbox.twin();
        assert_eq!(scene.run(&copy, "do", inject(&last, "signal=KILL")), Ended::Killed);
        let point = Point { call: "unlinkat".into(), nth };
        let failed = scene.run(&copy, "recover", inject(&point, "error=EIO"));
        assert!(matches!(failed, Ended::Code(5, _)), "the folder is still there: {failed:?}");
        assert!(scene.run(&copy, "recover", Vec::new()).is_success());
        assert_eq!(scene.verdict(&copy), Some("before"));
    }
}

/// As above, for the folder of a submodule that takes the place of a file. Found by the kill sweep.
#[test]
fn a_recovery_that_fails_at_the_folder_of_a_submodule_is_done_again() {
    if !super::sweep::can_trace() {
        return;
    }
    let scene = super::sweep::Scene::new(shapes::submodules_change_places());
    let points = scene.points();
    let made = points.iter().rposition(|point| point.call == "mkdirat").unwrap();
    let copy = scene.shape.sandbox.twin();
    assert_eq!(scene.run(&copy, "do", inject(&points[made + 1], "signal=KILL")), Ended::Killed);
    let point = Point { call: "unlinkat".into(), nth: 1 };
    let failed = scene.run(&copy, "recover", inject(&point, "error=EIO"));
    assert!(matches!(failed, Ended::Code(5, _)), "the folder is still there: {failed:?}");
    assert!(scene.run(&copy, "recover", Vec::new()).is_success());
    assert_eq!(scene.verdict(&copy), Some("before"));
}

/// A program that had the file open when it was displaced writes to it when everything else is done.
#[test]
fn what_is_written_to_a_displaced_file_is_kept_and_reported() {
    if !super::sweep::can_trace() {
        return;
    }
    let scene = super::sweep::Scene::new(shapes::one_file());
    let copy = scene.shape.sandbox.twin();
    let mut open = fs::File::options().append(true).open(copy.path("a/file")).unwrap();
    let closing = closing(&scene);
    assert_eq!(scene.run(&copy, "do", inject(&closing, "signal=KILL")), Ended::Killed);
    std::io::Write::write_all(&mut open, b"typed all the while\n").unwrap();
    let error = recover(&copy.repo()).unwrap_err();
    let Error::WorkTree(WorkTreeError::SetAside { paths, folder }) = error else { panic!("{error:?}") };
    assert_eq!(paths, [RepoPath::from("a/file")]);
    assert_eq!(fs::read(folder.join("a/file")).unwrap(), b"two\ntyped all the while\n");
    assert_eq!(scene.verdict(&copy), Some("after"), "the landing is finished all the same");
    assert_nothing_left(&copy);
    assert_eq!(recover(&copy.repo()).unwrap(), Recovered::Nothing);
}

/// The same, when the landing is long over: what was displaced is kept until the next one.
#[test]
fn what_is_written_to_a_displaced_file_after_the_landing_is_kept_too() {
    let shape = shapes::one_file();
    let mut open = fs::File::options().append(true).open(shape.sandbox.path("a/file")).unwrap();
    land(&shape.sandbox.repo(), shape.landing(), &LandOptions::default()).unwrap();
    std::io::Write::write_all(&mut open, b"typed much later\n").unwrap();
    let recovered = recover(&shape.sandbox.repo()).unwrap();
    let Recovered::Kept { paths, folder, .. } = recovered else { panic!("{recovered:?}") };
    assert_eq!(paths, [RepoPath::from("a/file")]);
    assert_eq!(fs::read(folder.join("a/file")).unwrap(), b"two\ntyped much later\n");
    assert_eq!(fs::read(shape.sandbox.path("a/file")).unwrap(), b"one\n");
    assert!(!shape.sandbox.git_dir().join("rb/displaced").exists());
    assert_eq!(recover(&shape.sandbox.repo()).unwrap(), Recovered::Nothing);
}

#[test]
fn an_undo_that_cannot_read_a_state_file_is_refused() {
    if !super::sweep::can_trace() {
        return;
    }
    let scene = super::sweep::Scene::new(shapes::undo_of_staged());
    let copy = scene.shape.sandbox.twin();
    let mut strace = inject(&Point { call: "openat".into(), nth: 1 }, "error=EIO");
    // Only calls that name the file count.
    strace.extend(["-P".into(), copy.git_dir().join("REVERT_HEAD").display().to_string()]);
    assert!(matches!(scene.run(&copy, "do", strace), Ended::Code(5, _)));
    assert_eq!(scene.verdict(&copy), Some("before"));
}

#[test]
fn a_mark_that_cannot_be_looked_at_is_an_error() {
    if !super::sweep::can_trace() {
        return;
    }
    let scene = super::sweep::Scene::new(shapes::only_paths_outside());
    let mark = |copy: &Sandbox| copy.git_dir().join("rb/landing/landed");
    // The last rename at which the commit point was passed and all else was not done.
    let mut renames = scene.points().into_iter().rev().filter(|point| point.call.starts_with("rename"));
    let killed = renames.find_map(|point| {
        let copy = scene.shape.copy();
        let ended = scene.run(&copy, "do", inject(&point, "signal=KILL"));
        (ended == Ended::Killed && mark(&copy).exists()).then_some(copy)
    });
    let copy = killed.expect("the mark is made");
    let mark = mark(&copy);
    let mut strace = inject(&Point { call: "statx".into(), nth: 1 }, "error=EIO");
    strace.extend(["-P".into(), mark.display().to_string()]);
    // It was taken for absent, and what had landed was taken back in part.
    assert!(!scene.run(&copy, "recover", strace).is_success());
    assert!(scene.run(&copy, "recover", Vec::new()).is_success());
    assert_eq!(scene.verdict(&copy), Some("after"));
}

#[test]
fn invariant_11_recovery_done_twice_is_recovery_done_once() {
    if !super::sweep::can_trace() {
        return;
    }
    let mut dice = super::sweep::Dice::new(11);
    for shape in [shapes::modes_and_links(), shapes::files_and_folders_swap(), shapes::added_and_deleted()] {
        let scene = super::sweep::Scene::new(shape);
        let points = scene.points();
        for _ in 0..6 {
            // In the second half there is something to recover.
            let point = &points[points.len() / 2 + dice.below(points.len() / 2)];
            let copy = scene.shape.sandbox.twin();
            let _ = scene.run(&copy, "do", inject(point, "signal=KILL"));
            recover(&copy.repo()).unwrap();
            let once = (copy.git_dir_bytes(), copy.files(), copy.inodes());
            assert_eq!(recover(&copy.repo()).unwrap(), Recovered::Nothing, "{point:?}");
            assert_eq!((copy.git_dir_bytes(), copy.files(), copy.inodes()), once, "{point:?}");
        }
    }
}

#[test]
fn a_stage_without_a_journal_is_thrown_away() {
    let shape = shapes::one_file();
    let git_dir = shape.sandbox.git_dir();
    fs::create_dir_all(git_dir.join("rb/landing/files")).unwrap();
    fs::write(git_dir.join("rb/landing/files/0"), "staged\n").unwrap();
    fs::write(git_dir.join("rb/landing/journal.tmp"), "{").unwrap();
    let landed = land(&shape.sandbox.repo(), shape.landing(), &LandOptions::default()).unwrap();
    assert_eq!(landed.recovered, Recovered::Nothing);
    assert_nothing_left(&shape.sandbox);
}

#[test]
fn a_journal_that_cannot_be_read_stops_everything_and_is_left_for_a_person() {
    let shape = shapes::one_file();
    let journal = shape.sandbox.git_dir().join("rb/landing/journal.json");
    fs::create_dir_all(journal.parent().unwrap()).unwrap();
    fs::write(&journal, "not a journal").unwrap();
    let error = land(&shape.sandbox.repo(), shape.landing(), &LandOptions::default()).unwrap_err();
    assert!(
        matches!(&error, Error::Repository(RepositoryError::ForeignRecord { path, .. }) if path.ends_with("journal.json")),
        "{error:?}"
    );
    assert_eq!(fs::read(&journal).unwrap(), b"not a journal");
}
