//! What is refused, and that a refusal changes nothing outside `rb/`.

use std::fs;
use std::time::Duration;

use super::kit::*;
use crate::apply::{Beside, LandOptions, Landing, Need, check_in_the_way, land, preflight};
use crate::cancel::Cancel;
use crate::error::{Error, InTheWay, LandingError, PathError, RepositoryError, RevisionError, WorkTreeError};
use crate::id::{CommitId, Entry, EntryMode, TreeId};
use crate::path::RepoPath;
use crate::repo::{Tree, TreeEntry};

/// The second commit changes `changed`, adds `added`, deletes `d/deleted` and turns `type` into a link.
/// The landing is its revert.
fn scene() -> (Sandbox, Landing) {
    let sandbox = Sandbox::new();
    sandbox.write(".gitignore", "*.ignored\n").write("changed", "one\n").write("d/deleted", "d\n");
    sandbox.write("d/ignored-by-rule.ignored", "i\n").write("type", "t\n");
    sandbox.git(&["add", "-f", "d/ignored-by-rule.ignored"]);
    sandbox.commit("first");
    fs::remove_dir_all(sandbox.path("d")).unwrap();
    sandbox
        .remove("type")
        .link("changed", "type")
        .write("changed", "two\n")
        .write("added", "a\n")
        .commit("second");
    let landing = planned(&sandbox);
    (sandbox, landing)
}

fn planned(sandbox: &Sandbox) -> Landing {
    let twin = sandbox.twin();
    twin.git(&["revert", "--no-edit", "HEAD"]);
    landing_like(sandbox, &twin)
}

fn refusal(sandbox: &Sandbox, landing: &Landing) -> (InTheWay, Vec<String>) {
    match assert_refused(sandbox, landing) {
        Error::WorkTree(WorkTreeError::InTheWay { reason, paths }) => {
            (reason, paths.iter().map(ToString::to_string).collect())
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn edited_files_are_refused_whatever_their_times_and_flags_say() {
    for name in ["changed", "added"] {
        let (sandbox, landing) = scene();
        sandbox.write(name, "mine\n");
        assert_eq!(refusal(&sandbox, &landing), (InTheWay::Edited, vec![name.to_owned()]));
        sandbox.git(&["update-index", "--assume-unchanged", name]);
        assert_eq!(refusal(&sandbox, &landing), (InTheWay::AssumeUnchanged, vec![name.to_owned()]));
    }
    let (sandbox, landing) = scene();
    sandbox.chmod("changed", 0o755);
    assert_eq!(refusal(&sandbox, &landing).0, InTheWay::Edited);
    sandbox.chmod("changed", 0o644).remove("type").link("elsewhere", "type");
    assert_eq!(refusal(&sandbox, &landing), (InTheWay::Edited, vec!["type".to_owned()]));
}

#[test]
fn an_edit_of_the_same_size_and_time_is_seen_while_the_index_is_as_young() {
    let (sandbox, landing) = scene();
    let time = fs::metadata(sandbox.path("changed")).unwrap().modified().unwrap();
    sandbox.write("changed", "TWO\n");
    fs::File::options().write(true).open(sandbox.path("changed")).unwrap().set_modified(time).unwrap();
    assert_eq!(refusal(&sandbox, &landing).0, InTheWay::Edited);
}

#[test]
fn staged_changes_on_the_paths_are_refused() {
    let (sandbox, landing) = scene();
    sandbox.write("changed", "staged\n").git(&["add", "changed"]);
    assert_eq!(refusal(&sandbox, &landing), (InTheWay::Staged, vec!["changed".to_owned()]));
    sandbox.git(&["reset", "-q", "--hard"]);
    sandbox.git(&["rm", "-q", "--cached", "added"]);
    assert_eq!(refusal(&sandbox, &landing), (InTheWay::Staged, vec!["added".to_owned()]));
    sandbox.git(&["add", "--intent-to-add", "added"]);
    assert_eq!(refusal(&sandbox, &landing), (InTheWay::IntentToAdd, vec!["added".to_owned()]));
    sandbox.git(&["reset", "-q", "--hard"]);
    sandbox.write("d", "a file where the result has a folder\n").git(&["add", "d"]);
    sandbox.remove("d");
    assert_eq!(refusal(&sandbox, &landing).0, InTheWay::Staged);
}

#[test]
fn untracked_and_ignored_files_are_refused_even_with_the_same_content() {
    let (sandbox, landing) = scene();
    sandbox.write("d/deleted", "d\n");
    assert_eq!(refusal(&sandbox, &landing), (InTheWay::Untracked, vec!["d/deleted".to_owned()]));
    sandbox.remove("d/deleted").write("d/ignored-by-rule.ignored", "work\n");
    assert_eq!(
        refusal(&sandbox, &landing),
        (InTheWay::Ignored, vec!["d/ignored-by-rule.ignored".to_owned()])
    );
}

#[test]
fn links_files_and_folders_of_another_kind_in_the_way_are_refused() {
    let (sandbox, landing) = scene();
    fs::create_dir(sandbox.path("elsewhere")).unwrap();
    sandbox.link("elsewhere", "d");
    assert_eq!(refusal(&sandbox, &landing), (InTheWay::Obstructed, vec!["d".to_owned()]));
    sandbox.remove("d").write("d", "a file\n");
    assert_eq!(refusal(&sandbox, &landing).0, InTheWay::Obstructed);
    sandbox.remove("d").remove("changed").write("changed/inner", "mine\n");
    assert_eq!(refusal(&sandbox, &landing), (InTheWay::Obstructed, vec!["changed".to_owned()]));
    fs::remove_dir_all(sandbox.path("changed")).unwrap();
    sandbox.git(&["checkout", "-q", "changed"]);
    sandbox.write("d/deleted/untracked", "mine\n");
    assert_eq!(refusal(&sandbox, &landing), (InTheWay::Untracked, vec!["d/deleted/untracked".to_owned()]));
}

#[test]
fn a_folder_with_only_empty_folders_yields_as_it_does_to_git() {
    let (sandbox, landing) = scene();
    fs::create_dir_all(sandbox.path("d/deleted/empty/deeper")).unwrap();
    land(&sandbox.repo(), &landing, &LandOptions::default()).unwrap();
    assert_eq!(fs::read(sandbox.path("d/deleted")).unwrap(), b"d\n");
}

#[test]
fn case_twins_are_refused_where_the_file_system_folds_case() {
    let sandbox = Sandbox::new();
    sandbox.write("MATRIZ/x", "x\n").commit("first");
    sandbox.git(&["mv", "MATRIZ/x", "elsewhere"]);
    sandbox.commit("second");
    sandbox.write("matriz/X", "twin\n").commit("third");
    let twin = sandbox.twin();
    twin.git(&["revert", "--no-edit", "HEAD~1"]);
    let landing = landing_like(&sandbox, &twin);
    sandbox.git(&["config", "core.ignoreCase", "true"]);
    let error = assert_refused(&sandbox, &landing);
    assert!(
        matches!(&error, Error::Path(PathError::CaseCollision { path, twin })
        if *path == RepoPath::from("MATRIZ/x") && *twin == RepoPath::from("matriz/X")),
        "{error:?}"
    );
    sandbox.git(&["config", "core.ignoreCase", "false"]);
    land(&sandbox.repo(), &landing, &LandOptions::default()).unwrap();
}

#[test]
fn locks_of_others_are_waited_for_and_never_removed() {
    for lock in ["index.lock", "HEAD.lock", "refs/heads/main.lock"] {
        let (sandbox, landing) = scene();
        let path = sandbox.path(".git").join(lock);
        fs::write(&path, "somebody else\n").unwrap();
        let objects = |sandbox: &Sandbox| {
            sandbox
                .git_dir_bytes()
                .into_keys()
                .filter(|path| !path.starts_with("objects"))
                .collect::<Vec<_>>()
        };
        let before = (objects(&sandbox), sandbox.files(), sandbox.inodes());
        let options = LandOptions { patience: Duration::from_millis(20), ..Default::default() };
        let error = land(&sandbox.repo(), &landing, &options).unwrap_err();
        assert!(matches!(&error, Error::Locked { path: named, .. } if named.ends_with(lock)), "{error:?}");
        assert_eq!((objects(&sandbox), sandbox.files(), sandbox.inodes()), before);
        assert_eq!(fs::read(&path).unwrap(), b"somebody else\n");
        fs::remove_file(&path).unwrap();
        land(&sandbox.repo(), &landing, &LandOptions::default()).unwrap();
    }
}

#[test]
fn a_tip_that_moved_since_the_plan_is_refused() {
    let (sandbox, landing) = scene();
    sandbox.write("other", "o\n").commit("third");
    let error = assert_refused(&sandbox, &landing);
    assert!(matches!(error, Error::Landing(LandingError::Moved { .. })), "{error:?}");
    sandbox.git(&["checkout", "-q", "-b", "side", "HEAD~1"]);
    let error = assert_refused(&sandbox, &landing);
    assert!(matches!(error, Error::Landing(LandingError::Moved { .. }) | Error::BadRequest(_)), "{error:?}");
}

#[test]
fn branches_are_refused_that_exist_or_are_checked_out_or_cannot_be_named() {
    let (sandbox, mut landing) = scene();
    sandbox.git(&["branch", "taken"]);
    sandbox.git(&["worktree", "add", "-q", "-b", "busy", "../busy"]);
    landing.checkout = false;
    let mut refused = |name: &str, old: Option<CommitId>| {
        let update = landing.reference.as_mut().unwrap();
        (update.name, update.old) = (name.into(), old);
        assert_refused(&sandbox, &landing)
    };
    let tip = Some(CommitId(id(&sandbox.git(&["rev-parse", "HEAD"]))));
    assert!(matches!(refused("refs/heads/taken", None), Error::Landing(LandingError::BranchExists { .. })));
    assert!(matches!(refused("refs/heads/taken/inner", None), Error::BadRequest(_)));
    assert!(matches!(refused("refs/heads/main", tip), Error::Landing(LandingError::BranchCheckedOut { .. })));
    assert!(
        matches!(refused("refs/heads/busy", tip), Error::Landing(LandingError::BranchCheckedOut { worktree, .. }) if worktree.ends_with("busy"))
    );
    for name in [
        "hooks/pre-commit",
        "refs/heads/-x",
        "refs/heads/a..b",
        "refs/heads/HEAD",
        "refs/tags/v1",
        "HEAD",
        "refs/heads/a.lock",
        "refs/heads/../../x",
    ] {
        let error = refused(name, None);
        assert!(
            matches!(error, Error::Landing(LandingError::InvalidBranchName { .. }) | Error::BadRequest(_)),
            "{name}: {error:?}"
        );
    }
    fs::create_dir(sandbox.root.parent().unwrap().join("outside")).unwrap();
    sandbox.link("../../../../outside", ".git/refs/heads/led");
    assert!(matches!(
        refused("refs/heads/led/astray", None),
        Error::Repository(RepositoryError::LinkInGitDir { .. })
    ));
}

#[test]
fn a_branch_that_is_packed_is_compared_too() {
    let (sandbox, mut landing) = scene();
    sandbox.git(&["branch", "packed"]);
    sandbox.git(&["pack-refs", "--all"]);
    landing.checkout = false;
    landing.reference.as_mut().unwrap().name = "refs/heads/packed".into();
    landing.reference.as_mut().unwrap().old = None;
    assert!(matches!(assert_refused(&sandbox, &landing), Error::Landing(LandingError::BranchExists { .. })));
    landing.reference.as_mut().unwrap().old = Some(CommitId(id(&sandbox.git(&["rev-parse", "HEAD"]))));
    land(&sandbox.repo(), &landing, &LandOptions::default()).unwrap();
    assert_eq!(sandbox.git(&["rev-parse", "packed"]), landing.reference.unwrap().new.unwrap().to_string());
}

#[test]
fn an_unmerged_or_broken_index_is_refused() {
    let (sandbox, landing) = scene();
    let blob = sandbox.git(&["rev-parse", "HEAD:added"]);
    let mut command = sandbox.command(&["update-index", "--index-info"]);
    let mut child = command.stdin(std::process::Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(
        child.stdin.as_mut().unwrap(),
        format!("100644 {blob} 1\tconflict\n").as_bytes(),
    )
    .unwrap();
    assert!(child.wait().unwrap().success());
    assert!(matches!(assert_refused(&sandbox, &landing), Error::WorkTree(WorkTreeError::Unmerged { .. })));

    let (sandbox, landing) = scene();
    let bytes = fs::read(sandbox.path(".git/index")).unwrap();
    for at in (0..bytes.len()).step_by(7) {
        let mut broken = bytes.clone();
        broken[at] ^= 0x40;
        fs::write(sandbox.path(".git/index"), &broken).unwrap();
        assert!(land(&sandbox.repo(), &landing, &LandOptions::default()).is_err(), "byte {at}");
        fs::write(sandbox.path(".git/index"), &bytes[..at]).unwrap();
        assert!(land(&sandbox.repo(), &landing, &LandOptions::default()).is_err(), "cut at {at}");
    }
    fs::write(sandbox.path(".git/index"), &bytes).unwrap();
    assert_eq!(sandbox.git(&["status", "--porcelain"]), "");
}

#[test]
fn drivers_that_the_repository_configures_are_neither_run_nor_skipped() {
    let sandbox = Sandbox::new();
    let marker = sandbox.root.parent().unwrap().join("it-ran");
    sandbox
        .write(".gitattributes", "*.evil filter=evil\n")
        .write("x.evil", "one\n")
        .write("y", "y\n")
        .commit("first");
    sandbox.write("x.evil", "two\n").write("y", "Y\n").commit("second");
    let landing = planned(&sandbox);
    for key in ["smudge", "clean", "process"] {
        let command = format!("touch {}; cat", marker.display());
        sandbox.git(&["config", &format!("filter.evil.{key}"), &command]);
        let before = sandbox.files();
        let error = land(&sandbox.repo(), &landing, &LandOptions::default()).unwrap_err();
        assert!(
            matches!(&error, Error::Landing(LandingError::DriverNotTrusted { path, driver })
            if *path == RepoPath::from("x.evil") && driver == "filter 'evil'"),
            "{error:?}"
        );
        assert!(!marker.exists(), "{key} was run");
        assert_eq!(sandbox.files(), before);
        sandbox.git(&["config", "--remove-section", "filter.evil"]);
    }
    land(&sandbox.repo(), &landing, &LandOptions::default()).unwrap();
}

#[test]
fn hostile_trees_write_nothing_anywhere() {
    let sandbox = Sandbox::new();
    sandbox.write("file", "one\n").commit("first");
    let tip = sandbox.git(&["rev-parse", "HEAD"]);
    let head_tree = TreeId(id(&sandbox.git(&["rev-parse", "HEAD^{tree}"])));
    let row = |name: &[u8], mode: EntryMode, object| TreeEntry {
        name: name.into(),
        entry: Entry { mode, id: object },
    };
    let repo = sandbox.repo();
    let try_tree = |build: &dyn Fn(&crate::repo::Objects) -> Vec<TreeEntry>| {
        let objects = repo.objects();
        let mut rows = build(&objects);
        rows.push(row(b"file", EntryMode::BLOB, id(&sandbox.git(&["rev-parse", "HEAD:file"]))));
        let result_tree = objects.write_tree(&Tree { entries: rows }).unwrap();
        let landing = Landing {
            objects: objects.take_new(),
            checkout: true,
            ..Landing::of_trees(head_tree, result_tree)
        };
        assert_refused(&sandbox, &landing)
    };
    let mut names: Vec<&[u8]> =
        vec![b".git", b".GiT", b"git~1", b".git.", b".git::$INDEX_ALLOCATION", b"..", b".", b"", b"a/b"];
    names.extend([&b".git\\hooks"[..], b"git~1\\x", ".g\u{200c}it".as_bytes()]);
    for name in names {
        for nested in [false, true] {
            let error = try_tree(&|objects| {
                let blob = objects.write_blob(b"evil").unwrap();
                let inner = vec![row(b"config", EntryMode::BLOB, blob)];
                let tree = objects.write_tree(&Tree { entries: inner }).unwrap();
                match nested {
                    true => vec![row(name, EntryMode::TREE, tree.0)],
                    false => vec![row(name, EntryMode::BLOB, blob)],
                }
            });
            assert!(matches!(error, Error::Path(PathError::Hostile { .. })), "{name:?}: {error:?}");
        }
    }
    let error = try_tree(&|objects| {
        let link = objects.write_blob(b"/etc/passwd").unwrap();
        vec![row(b".gitattributes", EntryMode::SYMLINK, link)]
    });
    assert!(matches!(error, Error::Path(PathError::Hostile { .. })), "{error:?}");
    let error = try_tree(&|objects| {
        let link = objects.write_blob(b"/tmp").unwrap();
        let blob = objects.write_blob(b"through the link").unwrap();
        let tree = objects.write_tree(&Tree { entries: vec![row(b"f", EntryMode::BLOB, blob)] }).unwrap();
        vec![row(b"d", EntryMode::SYMLINK, link), row(b"d", EntryMode::TREE, tree.0)]
    });
    assert!(matches!(error, Error::Path(PathError::Hostile { .. })), "{error:?}");
    assert_eq!(sandbox.git(&["rev-parse", "HEAD"]), tip);
}

#[test]
fn a_cancelled_landing_leaves_everything_as_it_was() {
    let (sandbox, landing) = scene();
    let cancel = Cancel::new();
    cancel.cancel();
    let before = (sandbox.git_dir_bytes(), sandbox.files(), sandbox.inodes());
    let repo = sandbox.repo().cancelled_by(cancel);
    assert!(matches!(land(&repo, &landing, &LandOptions::default()), Err(Error::Cancelled)));
    assert_eq!((sandbox.git_dir_bytes(), sandbox.files(), sandbox.inodes()), before);
}

#[test]
fn a_second_landing_at_the_same_time_is_told_that_the_first_is_at_work() {
    let (sandbox, landing) = scene();
    fs::create_dir_all(sandbox.path(".git/rb")).unwrap();
    let held = fs::File::create(sandbox.path(".git/rb/lock")).unwrap();
    held.lock().unwrap();
    let error = assert_refused(&sandbox, &landing);
    assert!(matches!(&error, Error::Locked { path, .. } if path.ends_with("rb/lock")), "{error:?}");
    drop(held);
    land(&sandbox.repo(), &landing, &LandOptions::default()).unwrap();
}

#[test]
fn preflight_names_what_would_stop_a_landing() {
    let need = Need { work_tree: Some("revert"), identity: false, beside: Beside::Nothing };
    let (sandbox, _) = scene();
    preflight(&sandbox.repo(), need).unwrap();
    for (file, operation) in [
        ("MERGE_HEAD", "a merge"),
        ("CHERRY_PICK_HEAD", "a cherry-pick"),
        ("REVERT_HEAD", "a revert"),
        ("rebase-merge/x", "a rebase"),
        ("rebase-apply/applying", "git am"),
        ("sequencer/todo", "a cherry-pick"),
    ] {
        sandbox.write(&format!(".git/{file}"), "pick 1234567 x\n");
        let error = preflight(&sandbox.repo(), need).unwrap_err();
        assert!(
            matches!(error, Error::WorkTree(WorkTreeError::OperationInProgress { operation: named }) if named == operation),
            "{file}"
        );
        let continues = preflight(&sandbox.repo(), Need { beside: Beside::PickOrRevert, ..need });
        assert_eq!(
            continues.is_ok(),
            matches!(file, "CHERRY_PICK_HEAD" | "REVERT_HEAD" | "sequencer/todo"),
            "{file}"
        );
        let staged = preflight(&sandbox.repo(), Need { beside: Beside::Staged, ..need });
        assert_eq!(staged.is_ok(), file == "REVERT_HEAD", "{file}");
        match file.split_once('/') {
            Some((folder, _)) => fs::remove_dir_all(sandbox.path(".git").join(folder)).unwrap(),
            None => fs::remove_file(sandbox.path(".git").join(file)).unwrap(),
        }
    }
    sandbox.write(".git/BISECT_LOG", "");
    preflight(&sandbox.repo(), need).unwrap();
    sandbox.write(".git/index.lock", "");
    assert!(matches!(preflight(&sandbox.repo(), need), Err(Error::Locked { .. })));
    fs::remove_file(sandbox.path(".git/index.lock")).unwrap();
    sandbox.git(&["checkout", "-q", "--orphan", "unborn"]);
    assert!(matches!(preflight(&sandbox.repo(), need), Err(Error::Revision(RevisionError::Unborn { .. }))));
    sandbox.git(&["clone", "-q", "--bare", ".", "../bare"]);
    assert!(matches!(
        preflight(&sandbox.sibling("bare").repo(), need),
        Err(Error::Repository(RepositoryError::NeedsWorkTree { .. }))
    ));
}

#[test]
fn the_check_for_things_in_the_way_needs_no_lock_and_writes_nothing() {
    let (sandbox, landing) = scene();
    sandbox.write("changed", "mine\n").write(".git/index.lock", "");
    let before = (sandbox.git_dir_bytes(), sandbox.files(), sandbox.inodes());
    let repo = sandbox.repo();
    let objects = repo.objects();
    objects.insert_new(&landing.objects).unwrap();
    let error = check_in_the_way(&repo, &objects, landing.head_tree, landing.result_tree).unwrap_err();
    assert!(
        matches!(error, Error::WorkTree(WorkTreeError::InTheWay { reason: InTheWay::Edited, .. })),
        "{error:?}"
    );
    assert_eq!((sandbox.git_dir_bytes(), sandbox.files(), sandbox.inodes()), before);
    assert!(!sandbox.path(".git/rb").exists());
}
