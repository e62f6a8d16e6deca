//! Paths outside of the repository in a landing: what a crash, an edit or a missing folder makes of them.

use std::fs;
use std::path::PathBuf;

use super::kit::*;
use super::shapes;
use super::sweep::{Ended, Point, Scene, can_trace, inject, outside_of};
use crate::Error;
use crate::apply::recover::{Recovered, recover};
use crate::checkpoint::RestoreOptions;
use crate::error::{InTheWay, NotPutBack, OperationError, RepositoryError, WorkTreeError};
use crate::journal::{Journal, Left};
use crate::oplog::{OperationRef, UndoOptions};

fn folder(scene: &Scene) -> PathBuf {
    scene.shape.outside.as_ref().unwrap()[0].clone()
}

/// The moves of the landing that put files outside in place, in order: no others change places there.
fn moves(scene: &Scene) -> Vec<Point> {
    scene.points().into_iter().filter(|point| point.call == "renameat2").collect()
}

/// A copy in which a landing was stopped at one of the moves outside.
fn stopped_at(scene: &Scene, nth: usize, how: &str) -> (Sandbox, Ended) {
    let point = moves(scene)[nth].clone();
    let copy = scene.shape.copy();
    let ended = scene.run(&copy, "do", inject(&point, how));
    (copy, ended)
}

fn finished(recovered: Recovered) -> Vec<NotPutBack> {
    let Recovered::Finished { not_put_back, .. } = recovered else { panic!("{recovered:?}") };
    not_put_back
}

fn restore(sandbox: &Sandbox) -> crate::Result<crate::checkpoint::Restored> {
    let repo = sandbox.repo();
    repo.restore_checkpoint(&repo.find_checkpoint("kept")?, RestoreOptions::default().with_outside())
}

fn stages(scene: &Scene) -> Vec<PathBuf> {
    let is_stage = |path: &PathBuf| path.to_string_lossy().contains(".rb-");
    outside_of(&folder(scene)).into_keys().filter(is_stage).collect()
}

#[test]
fn paths_outside_that_a_crash_left_old_are_put_back_by_the_next_recovery() {
    if !can_trace() {
        return;
    }
    let scene = Scene::new(shapes::only_paths_outside());
    let (sandbox, ended) = stopped_at(&scene, 2, "signal=KILL");
    assert_eq!(ended, Ended::Killed);
    assert_eq!(scene.verdict(&sandbox), None, "some are old, some are not");
    assert!(finished(recover(&sandbox.repo()).unwrap()).is_empty());
    assert_eq!(scene.verdict(&sandbox), Some("after"));
    assert_nothing_left(&sandbox);
    assert_eq!(recover(&sandbox.repo()).unwrap(), Recovered::Nothing);
}

#[test]
fn a_failure_outside_is_a_later_one_locks_nobody_out_and_is_mended_by_the_next_recovery() {
    if !can_trace() {
        return;
    }
    let scene = Scene::new(shapes::only_paths_outside());
    let (sandbox, ended) = stopped_at(&scene, 1, "error=EACCES");
    assert!(matches!(ended, Ended::Code(8, _)), "{ended:?}");
    assert_eq!(scene.verdict(&sandbox), None);
    sandbox.twin().git(&["commit", "-q", "--allow-empty", "-m", "nobody holds a lock"]);
    assert!(finished(recover(&sandbox.repo()).unwrap()).is_empty());
    assert_eq!(scene.verdict(&sandbox), Some("after"));
    assert_nothing_left(&sandbox);
}

#[test]
fn what_recovery_cannot_put_back_is_named_and_let_go() {
    if !can_trace() {
        return;
    }
    let scene = Scene::new(shapes::only_paths_outside());
    let (sandbox, _) = stopped_at(&scene, 0, "signal=KILL");
    let (there, gone) = (folder(&scene), folder(&scene).with_file_name("elsewhere"));
    fs::rename(&there, &gone).unwrap();
    let left = finished(recover(&sandbox.repo()).unwrap());
    let named: Vec<_> = left.iter().map(|left| left.path.to_string()).collect();
    let expected = ["absent", "etc", "single"].map(|name| there.join(name).display().to_string());
    assert_eq!(named, expected, "{left:?}");
    assert!(left.iter().all(|left| left.why.contains("No such file")), "{left:?}");
    // Once more, because it may have helped; then never again.
    assert_eq!(finished(recover(&sandbox.repo()).unwrap()).len(), 3);
    assert_nothing_left(&sandbox);
    assert_eq!(recover(&sandbox.repo()).unwrap(), Recovered::Nothing);
    fs::rename(&gone, &there).unwrap();
    let restored = restore(&sandbox).unwrap();
    assert_eq!((restored.later_failure, restored.recovered), (None, None), "doing it again helps");
}

#[test]
fn what_was_edited_outside_after_the_crash_stays_and_is_named() {
    if !can_trace() {
        return;
    }
    let scene = Scene::new(shapes::only_paths_outside());
    let (sandbox, _) = stopped_at(&scene, 0, "signal=KILL");
    let edited = folder(&scene).join("etc/changed");
    fs::write(&edited, "typed after the crash\n").unwrap();
    let left = finished(recover(&sandbox.repo()).unwrap());
    let named: Vec<_> = left.iter().map(|left| left.path.to_string()).collect();
    assert_eq!(named, [edited.display().to_string()]);
    assert_eq!(fs::read_to_string(&edited).unwrap(), "typed after the crash\n");
    assert_eq!(fs::read_to_string(folder(&scene).join("single")).unwrap(), "one\n", "all else is put back");
    assert_nothing_left(&sandbox);
    assert_eq!(stages(&scene), [""; 0].map(PathBuf::from));
    assert_eq!(recover(&sandbox.repo()).unwrap(), Recovered::Nothing);
}

#[test]
fn a_folder_outside_that_is_gone_is_a_refusal_that_changes_nothing() {
    let scene = Scene::new(shapes::paths_outside());
    let sandbox = scene.shape.copy();
    let (there, gone) = (folder(&scene), folder(&scene).with_file_name("elsewhere"));
    fs::rename(&there, &gone).unwrap();
    let error = restore(&sandbox).unwrap_err();
    assert!(matches!(&error, Error::Io { path, .. } if *path == there), "{error:?}");
    fs::rename(&gone, &there).unwrap();
    assert_eq!(scene.verdict(&sandbox), Some("before"));
    assert_nothing_left(&sandbox);
    assert_eq!(restore(&sandbox).unwrap().later_failure, None);
    assert_eq!(scene.verdict(&sandbox), Some("after"));
}

/// Whoever hands over a repository writes its journal, and not what lies beside it.
#[test]
fn a_journal_that_was_handed_over_writes_nothing_outside() {
    if !can_trace() {
        return;
    }
    let scene = Scene::new(shapes::only_paths_outside());
    for names in ["as they are", "that lead elsewhere"] {
        let (sandbox, _) = stopped_at(&scene, 0, "signal=KILL");
        for stage in stages(&scene).into_iter().filter(|path| path.is_dir()) {
            fs::remove_dir_all(stage).unwrap();
        }
        let landing = sandbox.git_dir().join("rb/landing");
        let Left::Open(mut journal) = Journal::read(&landing).unwrap() else { panic!("it is open") };
        if names == "that lead elsewhere" {
            // A stage that is there, in the repository, for files that are not.
            fs::create_dir(sandbox.path(".rb-outside-0")).unwrap();
            for part in &mut journal.outside {
                part.root = sandbox.root.to_str().unwrap().into();
                part.stage = ".rb-outside-0".into();
                for step in &mut part.steps {
                    let up = format!("../{}", step.step.path);
                    step.step.path = up.as_str().into();
                }
            }
            fs::write(landing.join("journal.json"), journal.encode().unwrap()).unwrap();
        }
        let before = outside_of(&folder(&scene));
        let recovered = recover(&sandbox.repo());
        assert_eq!(outside_of(&folder(&scene)), before, "{names}");
        if names == "that lead elsewhere" {
            assert!(
                matches!(recovered, Err(Error::Repository(RepositoryError::ForeignRecord { .. }))),
                "{recovered:?}"
            );
            continue;
        }
        assert!(!finished(recovered.unwrap()).is_empty());
        recover(&sandbox.repo()).unwrap();
        assert_nothing_left(&sandbox);
    }
}

#[test]
fn an_undo_puts_paths_outside_back_where_that_is_allowed() {
    let scene = Scene::new(shapes::only_paths_outside());
    let sandbox = scene.shape.copy();
    let before = outside_of(&folder(&scene));
    restore(&sandbox).unwrap();
    let after = outside_of(&folder(&scene));
    let repo = sandbox.repo();
    let error = repo.undo(&OperationRef::Last, &UndoOptions::default()).unwrap_err();
    assert!(
        matches!(&error, Error::Operation(OperationError::OutsideNotAllowed { paths, .. }) if paths.len() == 3),
        "{error:?}"
    );
    assert_eq!(outside_of(&folder(&scene)), after);
    assert_eq!(scene.verdict(&sandbox), Some("after"));

    let allowed = UndoOptions::default().with_outside();
    let undone = repo.undo(&OperationRef::Last, &allowed).unwrap();
    assert_eq!((undone.outside.len(), &undone.later_failure), (3, &None));
    assert_eq!(outside_of(&folder(&scene)), before, "to the byte, the permissions and the times");
    repo.undo(&OperationRef::Last, &allowed).unwrap();
    assert_eq!(outside_of(&folder(&scene)), after, "the undo of the undo");
    let operations = repo.operations().unwrap();
    let kinds: Vec<_> = operations.iter().map(|operation| operation.kind.as_str()).collect();
    assert_eq!(kinds, ["redo", "undo", "checkpoint-restore"]);
}

#[test]
fn an_undo_does_not_overwrite_what_was_edited_outside_since() {
    let scene = Scene::new(shapes::only_paths_outside());
    let sandbox = scene.shape.copy();
    restore(&sandbox).unwrap();
    fs::write(folder(&scene).join("single"), "mine\n").unwrap();
    let now = outside_of(&folder(&scene));
    let error = sandbox.repo().undo(&OperationRef::Last, &UndoOptions::default().with_outside()).unwrap_err();
    assert!(
        matches!(&error, Error::WorkTree(WorkTreeError::InTheWay { reason: InTheWay::Edited, .. })),
        "{error:?}"
    );
    assert_eq!(outside_of(&folder(&scene)), now);
    assert_nothing_left(&sandbox);
}

/// The index says nothing then: the landing needs another mark of its commit point.
#[test]
fn a_restore_of_untracked_files_that_is_logged_is_not_taken_back_after_a_crash() {
    if !can_trace() {
        return;
    }
    let scene = Scene::new(shapes::untracked_restored());
    let closing = scene.points().into_iter().rev().filter(|point| point.call == "rename").nth(1).unwrap();
    let sandbox = scene.shape.copy();
    assert_eq!(scene.run(&sandbox, "do", inject(&closing, "signal=KILL")), Ended::Killed);
    assert!(finished(recover(&sandbox.repo()).unwrap()).is_empty());
    assert_eq!(scene.verdict(&sandbox), Some("after"));
}
