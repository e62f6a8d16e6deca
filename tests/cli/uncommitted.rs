//! `rb restore` without a source: what is edited or deleted and not committed comes back, and `rb undo` brings the edits
//! back. Where git has an opinion, `git restore` in a twin is the judge.

use std::os::unix::fs::{PermissionsExt, symlink};

use test_kit::{Part, Sandbox, State};

use crate::kit::{Run, rb, rb_in};

/// Files of every kind, committed.
fn committed() -> Sandbox {
    let repo = Sandbox::new();
    repo.write("run.sh", "#!/bin/sh\n");
    std::fs::set_permissions(repo.path().join("run.sh"), PermissionsExt::from_mode(0o755))
        .expect("files can be read and written");
    symlink("a", repo.path().join("link")).expect("files can be read and written");
    repo.commit("one", &[("a", "one\n"), ("dir/b", "two\n"), ("dir/deep/c", "three\n"), ("z", "z\n")]);
    repo
}

/// What `rb undo` has to bring back.
fn kept(repo: &Sandbox) -> State {
    State::of(repo).only(&[Part::Index, Part::Flags, Part::Status, Part::Files, Part::Times])
}

/// What git and rb have to agree on.
fn compared(repo: &Sandbox) -> State {
    State::of(repo).only(&[Part::Index, Part::Flags, Part::Status, Part::Files])
}

#[track_caller]
fn done(run: Run) -> Run {
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    run
}

/// Restores, holds the result against what git makes of it in a twin, and takes it back.
#[track_caller]
fn assert_restores(repo: &Sandbox, rb_words: &[&str], git_words: &[&str]) {
    let (before, twin) = (kept(repo), repo.twin());
    let dry: Vec<_> = rb_words.iter().copied().chain(["--dry-run"]).collect();
    let tip = repo.git(&["rev-parse", "HEAD"]);
    done(rb(repo, &dry));
    before.assert_same(&kept(repo));
    done(rb(repo, rb_words));
    twin.git(git_words);
    compared(&twin).assert_same(&compared(repo));
    assert_eq!(repo.git(&["rev-parse", "HEAD"]), tip, "no commit is made");
    done(rb(repo, &["undo"]));
    before.assert_same(&kept(repo));
    done(rb(repo, &["redo"]));
    compared(&twin).assert_same(&compared(repo));
}

fn remove(repo: &Sandbox, path: &str) {
    std::fs::remove_file(repo.path().join(path)).expect("files can be read and written");
}

#[test]
fn a_deleted_file_comes_back_and_undo_takes_it_away_again() {
    let repo = committed();
    remove(&repo, "a");
    assert_restores(&repo, &["restore", "a"], &["restore", "a"]);
}

#[test]
fn edits_modes_and_links_come_back_as_git_brings_them_back() {
    let repo = committed();
    repo.write("a", "edited\n");
    std::fs::set_permissions(repo.path().join("run.sh"), PermissionsExt::from_mode(0o644))
        .expect("files can be read and written");
    remove(&repo, "link");
    symlink("elsewhere", repo.path().join("link")).expect("files can be read and written");
    assert_restores(&repo, &["restore", "a", "run.sh", "link"], &["restore", "a", "run.sh", "link"]);
}

#[test]
fn a_folder_comes_back_and_what_git_does_not_track_in_it_stays() {
    let repo = committed();
    repo.write("dir/b", "edited\n");
    remove(&repo, "dir/deep/c");
    repo.write("dir/new", "untracked\n");
    assert_restores(&repo, &["restore", "dir"], &["restore", "dir"]);
    assert_restores_all(&repo);
}

#[track_caller]
fn assert_restores_all(repo: &Sandbox) {
    repo.git(&["reset", "-q", "--hard"]);
    std::fs::remove_dir_all(repo.path().join("dir")).expect("files can be read and written");
    remove(repo, "z");
    assert_restores(repo, &["restore", "."], &["restore", "."]);
}

#[test]
fn what_is_staged_too_comes_back_as_it_was_committed() {
    let repo = committed();
    repo.write("a", "staged\n");
    repo.git(&["add", "a"]);
    repo.write("a", "and edited\n");
    repo.git(&["rm", "-q", "z"]);
    repo.git(&["mv", "dir/b", "dir/moved"]);
    let words = ["restore", "-S", "-W", "-s", "HEAD", "a", "z", "dir/b"];
    assert_restores(&repo, &["restore", "a", "z", "dir/b"], &words);
}

#[test]
fn the_source_head_is_the_same_and_makes_no_commit_with_and_without_n() {
    for words in [&["restore", "-n", "-s", "HEAD", "a", "dir"][..], &["restore", "-s", "main", "a", "dir"]] {
        let repo = committed();
        repo.write("a", "staged\n");
        repo.git(&["add", "a"]);
        remove(&repo, "a");
        repo.write("dir/added", "added and staged\n");
        repo.git(&["add", "dir/added"]);
        let git = ["restore", "-S", "-W", "-s", "HEAD", "a", "dir"];
        assert_restores(&repo, words, &git);
    }
}

#[test]
fn a_file_that_was_only_staged_comes_back_from_the_index() {
    let repo = committed();
    repo.write("new", "staged\n");
    repo.git(&["add", "new"]);
    remove(&repo, "new");
    assert_restores(&repo, &["restore", "new"], &["restore", "new"]);
    repo.write("new", "edited\n");
    assert_restores(&repo, &["restore", "."], &["restore", "."]);
}

#[test]
fn a_file_that_became_a_folder_and_a_folder_that_became_a_link_come_back() {
    let repo = committed();
    remove(&repo, "a");
    repo.write("a/inner", "untracked\n");
    std::fs::remove_dir_all(repo.path().join("dir")).expect("files can be read and written");
    symlink("elsewhere", repo.path().join("dir")).expect("files can be read and written");
    let before = kept(&repo);
    done(rb(&repo, &["restore", "a", "dir"]));
    assert_eq!(repo.git(&["status", "--porcelain"]), "");
    done(rb(&repo, &["undo"]));
    before.assert_same(&kept(&repo));
    let refused = rb(&repo, &["restore", "dir/b"]);
    assert_eq!(refused.code, 5, "the link was not named: {}", refused.stderr);
    before.assert_same(&kept(&repo));
}

#[test]
fn line_ends_are_those_of_the_work_tree_and_edits_come_back_byte_for_byte() {
    let repo = Sandbox::new();
    repo.commit("one", &[(".gitattributes", "*.txt eol=crlf\n"), ("t.txt", "one\n"), ("u.txt", "two\n")]);
    repo.git(&["rm", "-q", "--cached", "-r", "."]);
    repo.git(&["reset", "-q", "--hard"]);
    repo.write("t.txt", "mixed\r\nends\n");
    remove(&repo, "u.txt");
    assert_restores(&repo, &["restore", "t.txt", "u.txt"], &["restore", "t.txt", "u.txt"]);
    done(rb(&repo, &["undo"]));
    assert_eq!(
        std::fs::read(repo.path().join("t.txt")).expect("files can be read and written"),
        b"mixed\r\nends\n"
    );
}

#[test]
fn before_the_first_commit_what_is_staged_comes_back() {
    let repo = Sandbox::new();
    repo.write("a", "staged\n");
    repo.git(&["add", "a"]);
    repo.write("a", "edited\n");
    let before = kept(&repo);
    done(rb(&repo, &["restore", "a"]));
    assert_eq!(std::fs::read(repo.path().join("a")).expect("files can be read and written"), b"staged\n");
    assert_eq!(repo.git(&["status", "--porcelain"]), "A  a");
    done(rb(&repo, &["undo"]));
    before.assert_same(&kept(&repo));
}

#[test]
fn in_the_middle_of_a_merge_what_is_staged_comes_back_and_conflicts_are_refused() {
    let repo = committed();
    repo.git(&["switch", "-qc", "side"]);
    repo.commit("side", &[("z", "side\n"), ("a", "side\n")]);
    repo.git(&["switch", "-q", "main"]);
    repo.commit("main", &[("a", "main\n")]);
    repo.try_git(&["merge", "-q", "side"]);
    remove(&repo, "z");
    let refused = rb(&repo, &["restore", "a"]);
    assert_eq!(refused.code, 5, "{}", refused.stderr);
    assert!(refused.stderr.contains("unmerged entries: a"), "{}", refused.stderr);
    let before = kept(&repo);
    let twin = repo.twin();
    done(rb(&repo, &["restore", "z"]));
    twin.git(&["restore", "z"]);
    compared(&twin).assert_same(&compared(&repo));
    done(rb(&repo, &["undo"]));
    before.assert_same(&kept(&repo));
}

#[test]
fn edits_come_back_after_later_commits_and_not_over_newer_edits() {
    let repo = committed();
    repo.write("a", "precious\n");
    done(rb(&repo, &["restore", "a"]));
    repo.commit("later", &[("z", "later\n")]);
    repo.write("a", "newer\n");
    let refused = rb(&repo, &["undo"]);
    assert_eq!(refused.code, 5, "{}", refused.stderr);
    assert_eq!(std::fs::read(repo.path().join("a")).expect("files can be read and written"), b"newer\n");
    repo.git(&["restore", "a"]);
    done(rb(&repo, &["undo"]));
    assert_eq!(std::fs::read(repo.path().join("a")).expect("files can be read and written"), b"precious\n");
    assert_eq!(repo.git(&["log", "-1", "--format=%s"]), "later");
}

#[test]
fn what_git_gc_would_take_is_kept_for_the_undo() {
    let repo = committed();
    repo.write("a", "staged\n");
    repo.git(&["add", "a"]);
    repo.write("a", "edited\n");
    let before = kept(&repo);
    done(rb(&repo, &["restore", "a"]));
    repo.git(&["reflog", "expire", "--expire=now", "--all"]);
    repo.git(&["gc", "-q", "--prune=now"]);
    done(rb(&repo, &["undo"]));
    before.assert_same(&kept(&repo));
    assert_eq!(repo.git(&["show", ":a"]), "staged");
}

#[test]
fn nothing_that_is_edited_is_nothing_to_do_and_running_it_twice_changes_nothing_more() {
    let repo = committed();
    remove(&repo, "a");
    done(rb(&repo, &["restore", "a"]));
    let before = State::of(&repo);
    for words in [&["restore", "a"][..], &["restore", "dir"], &["restore", "-n", "-s", "HEAD", "a"]] {
        let run = rb(&repo, words);
        assert_eq!(run.code, 3, "{words:?}: {}", run.stderr);
        before.assert_unchanged(&repo);
    }
    assert_eq!(rb(&repo, &["restore", "a", "--allow-noop"]).code, 0);
    let run = rb(&repo, &["restore", "a"]);
    assert!(run.stdout.contains("rb revert --dry-run --file :/a"), "{}", run.stdout);
}

#[test]
fn paths_that_git_has_no_version_of_are_refused_by_name_and_nothing_changes() {
    let repo = committed();
    repo.git(&["rm", "-q", "z"]);
    repo.commit_index(b"remove z\n");
    repo.write("untracked", "u\n");
    repo.write("announced", "n\n");
    repo.git(&["add", "-N", "announced"]);
    remove(&repo, "a");
    let before = kept(&repo);
    for (path, code, words) in [
        ("never", "path-never-existed", "'never'"),
        ("*.py", "path-never-existed", "'*.py'"),
        ("untracked", "not-tracked", "'untracked'"),
        ("announced", "not-tracked", "'announced'"),
        ("z", "not-tracked", "removed it"),
    ] {
        let run = rb(&repo, &["restore", "a", path, "--json"]);
        assert_eq!(run.code, 5, "{path}: {}", run.stderr);
        assert_eq!(run.json()["error"]["code"], code, "{path}");
        assert!(run.stderr.contains(words), "{path}: {}", run.stderr);
        before.assert_same(&kept(&repo));
    }
}

#[test]
fn a_file_that_is_kept_out_is_refused_and_left_alone_in_its_folder() {
    let repo = committed();
    repo.git(&["update-index", "--skip-worktree", "dir/b"]);
    remove(&repo, "dir/b");
    remove(&repo, "dir/deep/c");
    let run = rb(&repo, &["restore", "dir/b", "--json"]);
    assert_eq!((run.code, run.json()["error"]["code"].as_str()), (5, Some("kept-out")), "{}", run.stderr);
    assert_restores(&repo, &["restore", "dir"], &["restore", "dir"]);
}

#[test]
fn words_about_a_commit_are_refused_without_a_source() {
    let repo = committed();
    remove(&repo, "a");
    for flags in [&["--message", "m"][..], &["--onto", "main"], &["--branch", "b"], &["--check", "true"]] {
        let words: Vec<_> = ["restore", "a"].iter().chain(flags).collect();
        let run = rb(&repo, &words);
        assert_eq!(run.code, 2, "{flags:?}: {}", run.stderr);
        assert!(run.stderr.contains(flags[0]), "{}", run.stderr);
    }
}

#[test]
fn the_document_says_what_came_back_and_from_where() {
    let repo = committed();
    repo.write("new", "staged\n");
    repo.git(&["add", "new"]);
    remove(&repo, "new");
    repo.write("a", "edited\n");
    repo.git(&["add", "a"]);
    let run = done(rb_in(&repo, "dir", &["restore", "../a", "../new", "b", "--json"]));
    let document = run.json();
    assert_eq!(document["outcome"]["kind"], "staged");
    assert!(document["outcome"]["operation_id"].is_string());
    assert_eq!(document["unchanged"], serde_json::json!(["dir/b"]));
    assert_eq!(
        document["paths"],
        serde_json::json!([
            {"path": "a", "file": "edited", "staged": true, "from": "head"},
            {"path": "new", "file": "deleted", "staged": false, "from": "index"},
        ])
    );
    let told = done(rb(&repo, &["undo"]));
    assert!(told.stdout.contains("restore-uncommitted"), "{}", told.stdout);
}
