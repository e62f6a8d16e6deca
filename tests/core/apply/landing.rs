//! What lands, compared with what `git revert` leaves in a twin.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use super::kit::*;
use crate::apply::recover::Recovered;
use crate::apply::{LandOptions, RefUpdate, land};
use crate::id::{CommitId, TreeId};
use crate::journal::StateFile;

#[test]
fn a_changed_file_lands_as_git_reverts_it() {
    let sandbox = Sandbox::new();
    sandbox.write("a/b/file", "one\n").write("other", "x\n").commit("first");
    sandbox.write("a/b/file", "two\n").commit("second");
    assert_lands_like_git(&sandbox);
}

#[test]
fn added_deleted_and_moved_files_land_with_their_folders() {
    let sandbox = Sandbox::new();
    sandbox.write("keep", "k\n").write("deep/er/gone", "g\n").write("x/old-name", "n\n").commit("first");
    sandbox.remove("deep/er/gone").remove("x/old-name");
    sandbox.write("y/new-name", "n\n").write("fresh/folder/file", "f\n").commit("second");
    assert_lands_like_git(&sandbox);
}

#[test]
fn executable_bits_and_links_land_with_their_modes() {
    let sandbox = Sandbox::new();
    sandbox.write("run", "#!/bin/sh\n").chmod("run", 0o755).write("plain", "p\n");
    sandbox.link("plain", "link").link("nowhere", "retargeted").write("becomes-link", "b\n").commit("first");
    sandbox.chmod("run", 0o644).chmod("plain", 0o755).remove("link").write("link", "a file now\n");
    sandbox.remove("retargeted").link("elsewhere", "retargeted");
    sandbox.remove("becomes-link").link("plain", "becomes-link").commit("second");
    assert_lands_like_git(&sandbox);
}

#[test]
fn a_file_becomes_a_folder_and_a_folder_a_file() {
    let sandbox = Sandbox::new();
    sandbox
        .write("swap", "file\n")
        .write("dir/a", "a\n")
        .write("dir/sub/b", "b\n")
        .link("dir", "l")
        .commit("first");
    sandbox.remove("swap").write("swap/in/side", "s\n").remove("l").write("l/inner", "i\n");
    fs::remove_dir_all(sandbox.path("dir")).unwrap();
    sandbox.write("dir", "now a file\n").commit("second");
    assert_lands_like_git(&sandbox);
}

#[test]
fn line_endings_idents_and_encodings_land_as_git_checks_them_out() {
    for autocrlf in ["false", "true", "input"] {
        let sandbox = Sandbox::new();
        sandbox.git(&["config", "core.autocrlf", autocrlf]);
        sandbox.git(&["config", "core.safecrlf", "false"]);
        sandbox.write(".gitattributes", "*.crlf text eol=crlf\n*.lf text eol=lf\n*.id ident\n*.u16 text working-tree-encoding=UTF-16LE\n*.bin -text\n");
        sandbox
            .write("auto", "a\nb\n")
            .write("x.crlf", "a\r\nb\r\n")
            .write("x.lf", "a\nb\n")
            .write("x.bin", "a\r\nb\n");
        sandbox.write("x.id", "$Id$\n").write("x.u16", utf16("a\nb\n")).commit("first");
        for (name, content) in
            [("auto", "A\nb\n"), ("x.crlf", "A\r\nb\r\n"), ("x.lf", "A\nb\n"), ("x.bin", "A\r\nb\n")]
        {
            sandbox.write(name, content);
        }
        sandbox
            .write("x.id", "$Id$ changed\n")
            .write("x.u16", utf16("A\nb\n"))
            .write("sub/new.crlf", "n\r\n")
            .commit("second");
        // A clean checkout first: the files above were typed, not checked out.
        sandbox.git(&["rm", "-q", "--cached", "-r", "."]);
        sandbox.git(&["reset", "-q", "--hard"]);
        assert_lands_like_git(&sandbox);
    }
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[test]
fn attributes_that_change_in_the_same_landing_decide_how_files_are_written() {
    let sandbox = Sandbox::new();
    sandbox.write(".gitattributes", "*.txt text eol=crlf\n").write("a.txt", "one\r\n").commit("first");
    sandbox.write(".gitattributes", "*.txt text eol=lf\n").write("a.txt", "two\n").commit("second");
    assert_lands_like_git(&sandbox);
}

#[test]
fn names_that_are_not_utf8_land_byte_for_byte() {
    let sandbox = Sandbox::new();
    let name = OsStr::from_bytes(b"caf\xe9/\xff\x01 name");
    fs::create_dir_all(sandbox.root.join(name).parent().unwrap()).unwrap();
    fs::write(sandbox.root.join(name), "one\n").unwrap();
    sandbox.write("new\nline", "one\n").commit("first");
    fs::write(sandbox.root.join(name), "two\n").unwrap();
    sandbox.remove("new\nline").commit("second");
    assert_lands_like_git(&sandbox);
}

#[test]
fn a_detached_head_moves_with_its_own_log() {
    let sandbox = Sandbox::new();
    sandbox.write("file", "one\n").commit("first").write("file", "two\n").commit("second");
    sandbox.git(&["checkout", "-q", "--detach"]);
    assert_lands_like_git(&sandbox);
}

#[test]
fn packed_branches_with_slashes_are_compared_and_moved() {
    let sandbox = Sandbox::new();
    sandbox.git(&["checkout", "-q", "-b", "feature/deep/name"]);
    sandbox.write("file", "one\n").commit("first").write("file", "two\n").commit("second");
    sandbox.git(&["pack-refs", "--all", "--prune"]);
    assert_lands_like_git(&sandbox);
}

#[test]
fn a_linked_work_tree_lands_in_its_own_head_and_the_shared_branch() {
    let sandbox = Sandbox::new();
    sandbox.write("file", "one\n").write("gone", "g\n").commit("first");
    sandbox.remove("gone").write("file", "two\n").commit("second");
    let twin = sandbox.twin();
    for side in [&sandbox, &twin] {
        side.git(&["worktree", "add", "-q", "-b", "side", "../linked"]);
    }
    let [ours, gits] = [&sandbox, &twin].map(|side| side.sibling("linked"));
    gits.git(&["revert", "--no-edit", "HEAD"]);
    let landed = land(&ours.repo(), &landing_like(&ours, &gits), &LandOptions::default()).unwrap();
    assert!(landed.later_failure.is_none());
    assert_same(&ours, &gits);
    assert_same(&sandbox, &twin);
    assert_nothing_left(&ours);
}

#[test]
fn sha256_repositories_land_too() {
    let sandbox = Sandbox::with_format("sha256");
    sandbox
        .write("a/file", "one\n")
        .commit("first")
        .write("a/file", "two\n")
        .write("b", "b\n")
        .commit("second");
    assert_lands_like_git(&sandbox);
}

#[test]
fn every_kind_of_index_stays_what_it_was() {
    for prepare in [
        &["update-index", "--index-version", "4"][..],
        &["config", "index.skipHash", "true"],
        &["update-index", "--untracked-cache"],
        &["update-index", "--split-index"],
        &["update-index", "--assume-unchanged", "flagged"],
        &["update-index", "--skip-worktree", "flagged"],
        &["update-index", "--force-remove", "nothing"],
        &["config", "core.checkStat", "minimal"],
        &["config", "core.sharedRepository", "group"],
        &["config", "core.logAllRefUpdates", "false"],
        &["config", "core.fsync", "none"],
    ] {
        let sandbox = Sandbox::new();
        sandbox
            .write("a/b/file", "one\n")
            .write("a/c", "c\n")
            .write("flagged", "f\n")
            .write("gone/g", "g\n")
            .commit("first");
        fs::remove_dir_all(sandbox.path("gone")).unwrap();
        sandbox.write("a/b/file", "two\n").write("x/new", "n\n").commit("second");
        sandbox.git(prepare);
        sandbox.git(&["status"]);
        assert_lands_like_git(&sandbox);
        assert_eq!(sandbox.git(&["write-tree"]), sandbox.git(&["rev-parse", "HEAD^{tree}"]), "{prepare:?}");
        let index = sandbox.repo().read_index().unwrap();
        assert_eq!(prepare.contains(&"--untracked-cache"), index.index.has_untracked_cache());
        assert_eq!(index.bytes.as_ref().unwrap()[7] == 4, prepare.contains(&"4"), "{prepare:?}");
        if !prepare.contains(&"--split-index") {
            assert_eq!(
                index.index.tree().unwrap().root_id().unwrap().to_string(),
                sandbox.git(&["write-tree"])
            );
        }
    }
}

#[test]
fn cached_trees_stay_true_in_every_folder_whatever_changes() {
    let sandbox = Sandbox::new();
    for folder in ["a", "a/b", "a/b/c", "z", "long-name/x", "same/one", "same/two"] {
        sandbox.write(&format!("{folder}/file"), folder);
    }
    sandbox.write("root", "r").write("swap", "s").commit("first");
    fs::remove_dir_all(sandbox.path("same/one")).unwrap();
    sandbox
        .remove("swap")
        .write("swap/inner/file", "i")
        .write("a/b/file", "changed")
        .write("new/dir/file", "n");
    sandbox.write("z/g", "g").commit("second");
    sandbox.write("long-name/x/staged", "s");
    sandbox.git(&["add", "long-name/x/staged"]);
    sandbox.git(&["write-tree"]);
    let twin = sandbox.twin();
    twin.git(&["reset", "-q", "--hard"]);
    twin.git(&["revert", "--no-edit", "HEAD"]);
    land(&sandbox.repo(), &landing_like(&sandbox, &twin), &LandOptions::default()).unwrap();
    let index = sandbox.repo().read_index().unwrap().index;
    let written = sandbox.git(&["write-tree"]);
    sandbox.remove_cached_trees();
    assert_eq!(written, sandbox.git(&["write-tree"]), "the cached trees tell the truth");
    let nodes = index.tree().unwrap().known_folders();
    assert!(nodes.len() > 6, "most folders are still known: {nodes:?}");
    for (folder, count, tree) in nodes {
        assert_eq!(tree.to_string(), sandbox.git(&["rev-parse", &format!("{written}:{folder}")]), "{folder}");
        let listed = sandbox.git(&["ls-files", if folder.is_empty() { "." } else { &folder }]);
        assert_eq!(count as usize, listed.lines().count(), "{folder}");
    }
}

#[test]
fn staged_edited_and_untracked_files_elsewhere_stay_and_are_not_committed() {
    let sandbox = Sandbox::new();
    sandbox
        .write("file", "one\n")
        .write("staged", "s\n")
        .write("edited", "e\n")
        .write("d/kept", "k\n")
        .commit("first");
    sandbox.write("file", "two\n").write("d/added", "a\n").commit("second");
    let twin = sandbox.twin();
    twin.git(&["revert", "--no-edit", "HEAD"]);
    sandbox.write("staged", "staged change\n").write("both", "new and staged\n");
    sandbox.git(&["add", "staged", "both"]);
    sandbox.write("edited", "edited\n").write("d/untracked", "u\n").write("intended", "i\n");
    sandbox.git(&["add", "--intent-to-add", "intended"]);
    let inodes = sandbox.inodes();
    let status = sandbox.git(&["status", "--porcelain"]);
    let landed = land(&sandbox.repo(), &landing_like(&sandbox, &twin), &LandOptions::default()).unwrap();
    assert_eq!(landed.recovered, Recovered::Nothing);
    assert!(landed.later_failure.is_none());
    assert_eq!(sandbox.git(&["rev-parse", "HEAD^{tree}"]), twin.git(&["rev-parse", "HEAD^{tree}"]));
    assert_eq!(sandbox.git(&["status", "--porcelain"]), status);
    assert_eq!(fs::read(sandbox.path("file")).unwrap(), b"one\n");
    let after = sandbox.inodes();
    for (path, inode) in inodes {
        let touched = ["file", "d/added", "d/"].iter().any(|name| path == std::path::Path::new(name));
        assert!(touched || after.get(&path) == Some(&inode), "{} was not touched", path.display());
    }
}

#[test]
fn submodule_links_are_recorded_and_their_folders_never_entered() {
    let sandbox = Sandbox::new();
    let entry = |sandbox: &Sandbox, id: &str| {
        sandbox.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{id},mod/ule")]);
    };
    sandbox.write("file", "one\n").commit("first");
    entry(&sandbox, "1111111111111111111111111111111111111111");
    sandbox.git(&["commit", "-q", "-m", "adds a link"]);
    fs::create_dir_all(sandbox.path("mod/ule")).unwrap();
    assert_lands_like_git(&sandbox);
    // And back again, where git makes the empty folder.
    assert_lands_like_git(&sandbox);
    entry(&sandbox, "2222222222222222222222222222222222222222");
    sandbox.git(&["commit", "-q", "-m", "moves the link"]);
    sandbox.write("mod/ule/own", "work in the submodule\n");
    assert_lands_like_git(&sandbox);
    assert_eq!(fs::read(sandbox.path("mod/ule/own")).unwrap(), b"work in the submodule\n");
}

#[test]
fn files_the_user_deleted_are_written_again_or_stay_away() {
    let sandbox = Sandbox::new();
    sandbox.write("changed", "one\n").write("d/removed-by-revert", "x\n").commit("first");
    sandbox.write("changed", "two\n").write("d/added", "a\n").commit("second");
    sandbox.remove("changed").remove("d/added");
    assert_lands_like_git(&sandbox);
}

#[test]
fn without_a_commit_index_and_work_tree_change_and_nothing_else() {
    let sandbox = Sandbox::new();
    sandbox.write("file", "one\n").write("gone", "g\n").commit("first");
    sandbox.remove("gone").write("file", "two\n").write("new", "n\n").commit("second");
    let twin = sandbox.twin();
    twin.git(&["revert", "--no-edit", "HEAD"]);
    let mut landing = landing_like(&sandbox, &twin);
    twin.git(&["reset", "-q", "--hard", "HEAD~1"]);
    twin.git(&["reflog", "expire", "--expire=all", "--all"]);
    sandbox.git(&["reflog", "expire", "--expire=all", "--all"]);
    twin.git(&["revert", "--no-commit", "HEAD"]);
    landing.reference = None;
    let message = fs::read(twin.git_dir().join("MERGE_MSG")).unwrap();
    let head = twin.state_file("REVERT_HEAD").unwrap();
    landing.state_files = vec![StateFile::write("MERGE_MSG", message), StateFile::write("REVERT_HEAD", head)];
    land(&sandbox.repo(), &landing, &LandOptions::default()).unwrap();
    assert_same(&sandbox, &twin);
    for name in ["MERGE_MSG", "REVERT_HEAD"] {
        assert_eq!(sandbox.state_file(name).unwrap(), twin.state_file(name).unwrap());
    }
    assert_nothing_left(&sandbox);
    sandbox.git(&["revert", "--abort"]);
    assert_eq!(sandbox.git(&["status", "--porcelain"]), "");
}

#[test]
fn conflicts_are_left_as_stages_and_markers_as_git_leaves_them() {
    let sandbox = Sandbox::new();
    sandbox.write("file", "1\n2\n3\n").write("deleted-later", "d\n").write("d/clean", "c\n").commit("first");
    sandbox
        .write("file", "1\ntwo\n3\n")
        .write("deleted-later", "changed\n")
        .write("d/clean", "C\n")
        .commit("second");
    sandbox.write("file", "1\nzwei\n3\n").remove("deleted-later").commit("third");
    let twin = sandbox.twin();
    assert!(!twin.try_git(&["revert", "--no-edit", "HEAD~1"]).status.success());
    let tree = |rev: &str| TreeId(id(&twin.git(&["rev-parse", rev])));
    let mut landing = landing_like(&sandbox, &sandbox);
    landing.reference = None;
    landing.head_tree = tree("HEAD^{tree}");
    landing.result_tree = tree("AUTO_MERGE");
    landing.objects = objects_between_trees(&twin, "AUTO_MERGE");
    landing.index_stages = unmerged(&twin);
    let bytes = |name: &str| twin.state_file(name).unwrap();
    landing.state_files =
        ["REVERT_HEAD", "MERGE_MSG", "AUTO_MERGE"].map(|name| StateFile::write(name, bytes(name))).to_vec();
    land(&sandbox.repo(), &landing, &LandOptions::default()).unwrap();
    assert_same(&sandbox, &twin);
    assert_eq!(sandbox.git(&["status"]), twin.git(&["status"]));
    assert_nothing_left(&sandbox);
    for side in [&sandbox, &twin] {
        side.write("file", "resolved\n").git(&["add", "-A"]);
        side.git(&["revert", "--continue"]);
    }
    assert_same(&sandbox, &twin);
}

#[test]
fn a_new_branch_gets_the_result_and_nothing_is_checked_out() {
    let sandbox = Sandbox::new();
    sandbox.write("file", "one\n").commit("first").write("file", "two\n").commit("second");
    let twin = sandbox.twin();
    twin.git(&["revert", "--no-edit", "HEAD"]);
    let mut landing = landing_like(&sandbox, &twin);
    landing.checkout = false;
    let update = landing.reference.as_mut().unwrap();
    (update.name, update.old) = ("refs/heads/rescue/one".into(), None);
    let before = sandbox.state();
    land(&sandbox.repo(), &landing, &LandOptions::default()).unwrap();
    let after = sandbox.state();
    assert_eq!(
        (after.files, after.index, after.head, after.head_log),
        (before.files, before.index, before.head, before.head_log)
    );
    assert_eq!(sandbox.git(&["rev-parse", "rescue/one"]), twin.git(&["rev-parse", "HEAD"]));
    assert_nothing_left(&sandbox);
}

#[test]
fn a_bare_repository_lands_on_its_branch() {
    let sandbox = Sandbox::new();
    sandbox.write("file", "one\n").commit("first").write("file", "two\n").commit("second");
    let twin = sandbox.twin();
    twin.git(&["revert", "--no-edit", "HEAD"]);
    sandbox.git(&["clone", "-q", "--bare", ".", "../bare"]);
    let bare = sandbox.sibling("bare");
    let mut landing = landing_like(&sandbox, &twin);
    landing.checkout = false;
    land(&bare.repo(), &landing, &LandOptions::default()).unwrap();
    assert_eq!(bare.git(&["rev-parse", "main"]), twin.git(&["rev-parse", "HEAD"]));
    assert_eq!(bare.git(&["fsck", "--strict"]), "");
    assert!(!bare.path("logs").exists(), "a bare repository logs nothing by default");
}

#[test]
fn a_zero_length_object_left_by_a_power_cut_is_written_anew() {
    let sandbox = Sandbox::new();
    sandbox.write("file", "one\n").commit("first").write("file", "two\n").commit("second");
    let twin = sandbox.twin();
    twin.git(&["revert", "--no-edit", "HEAD"]);
    let commit = twin.git(&["rev-parse", "HEAD"]);
    sandbox.write(&format!(".git/objects/{}/{}", &commit[..2], &commit[2..]), "");
    land(&sandbox.repo(), &landing_like(&sandbox, &twin), &LandOptions::default()).unwrap();
    assert_same(&sandbox, &twin);
}

#[test]
fn a_file_changed_within_the_second_of_the_index_is_still_seen_as_changed() {
    let sandbox = Sandbox::new();
    sandbox
        .write("file", "one\n")
        .write("racy", "aaa\n")
        .commit("first")
        .write("file", "two\n")
        .commit("second");
    let twin = sandbox.twin();
    twin.git(&["revert", "--no-edit", "HEAD"]);
    // The same size and, by force, the same time: only the content tells.
    sandbox.write("racy", "aaa\n").git(&["add", "racy"]);
    let time = fs::metadata(sandbox.path("racy")).unwrap().modified().unwrap();
    sandbox.git(&["config", "core.trustctime", "false"]);
    let racy = fs::OpenOptions::new().write(true).open(sandbox.path("racy")).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&racy, b"bbb\n", 0).unwrap();
    racy.set_modified(time).unwrap();
    let index = fs::File::options().write(true).open(sandbox.path(".git/index")).unwrap();
    index.set_modified(time).unwrap();
    land(&sandbox.repo(), &landing_like(&sandbox, &twin), &LandOptions::default()).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(20));
    assert_eq!(sandbox.git(&["status", "--porcelain"]), " M racy");
}

#[test]
fn a_symlink_lands_as_a_file_where_links_are_switched_off() {
    let sandbox = Sandbox::new();
    sandbox.write("target", "t\n").link("target", "link").commit("first");
    sandbox.remove("link").link("other", "link").commit("second");
    sandbox.git(&["config", "core.symlinks", "false"]);
    sandbox.git(&["config", "core.fileMode", "false"]);
    sandbox.remove("link").write("link", "other");
    assert_lands_like_git(&sandbox);
}

#[test]
fn many_landings_in_a_row_keep_pace_with_git() {
    let sandbox = Sandbox::new();
    sandbox.write("a", "0\n").write("d/b", "0\n").write("d/kept", "k\n").commit("start");
    for round in 0..6 {
        let text = format!("{round}\n");
        sandbox.write("a", &text).write(&format!("d/new-{round}"), &text).commit(&format!("change {round}"));
        if round % 2 == 1 {
            fs::remove_dir_all(sandbox.path("d")).unwrap();
            sandbox.write("d", "a file for once\n").commit("the folder becomes a file");
        }
        assert_lands_like_git(&sandbox);
    }
}

#[test]
fn a_reflog_message_is_one_line_whatever_it_holds() {
    let sandbox = Sandbox::new();
    sandbox.write("file", "one\n").commit("first").write("file", "two\n").commit("second");
    let twin = sandbox.twin();
    twin.git(&["revert", "--no-edit", "HEAD"]);
    let mut landing = landing_like(&sandbox, &twin);
    let update: &mut RefUpdate = landing.reference.as_mut().unwrap();
    update.reflog = " revert:  two\n\nlines\t".into();
    update.committer.name = "C <O>\nMitter".into();
    let (old, new) = (update.old.unwrap(), update.new.unwrap());
    land(&sandbox.repo(), &landing, &LandOptions::default()).unwrap();
    let log = fs::read_to_string(sandbox.path(".git/logs/HEAD")).unwrap();
    assert!(log.ends_with(&format!("{old} {new} C OMitter <{EMAIL}> {DATE}\trevert: two lines\n")), "{log}");
    let _: CommitId = old;
}
