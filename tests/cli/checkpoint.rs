//! `rb checkpoint`: a state is kept whole, and comes back whole.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::{Value, json};
use test_kit::{Part, Sandbox, State};

use crate::kit::{Run, rb};

/// A work tree with everything in it that a checkpoint has to keep.
fn busy() -> Sandbox {
    let repo = Sandbox::new();
    repo.commit(
        "first",
        &[
            (".gitignore", "*.log\nbuild/\n"),
            ("src/a.txt", "a\n"),
            ("src/b.txt", "b\n"),
            ("gone", "g\n"),
            ("flagged", "f\n"),
            ("run.sh", "#!/bin/sh\n"),
        ],
    );
    repo.commit("second", &[("src/a.txt", "a2\n")]);
    repo.write("src/b.txt", "staged\n");
    repo.git(&["add", "src/b.txt"]);
    repo.write("src/b.txt", "staged and edited\r\n");
    repo.git(&["rm", "-q", "--cached", "gone"]);
    repo.write("new", "added\n");
    repo.git(&["add", "new"]);
    repo.write("intent", "later\n");
    repo.git(&["add", "-N", "intent"]);
    repo.write("untracked/deep/file", "u\n");
    repo.write("empty", "");
    repo.git(&["update-index", "--assume-unchanged", "flagged"]);
    repo.git(&["update-index", "--chmod=+x", "run.sh"]);
    std::os::unix::fs::symlink("nowhere", repo.path().join("link")).expect("a link can be made");
    repo.write("noise.log", "ignored\n");
    repo.write("build/out", "ignored too\n");
    repo
}

/// Everything but the references of rb's own, objects and times that no file keeps.
fn state(repo: &Sandbox) -> State {
    State::of(repo).only(&[Part::Index, Part::Flags, Part::Status, Part::Files, Part::Times])
}

fn branches(repo: &Sandbox) -> String {
    let head = repo.git(&["rev-parse", "--symbolic-full-name", "HEAD"]);
    format!("{head} {}", repo.git(&["for-each-ref", "--format=%(refname) %(objectname)", "refs/heads"]))
}

#[track_caller]
fn done(run: Run) -> Run {
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    run
}

#[track_caller]
fn assert_sound(repo: &Sandbox) {
    assert_eq!(repo.git(&["fsck", "--strict", "--no-dangling", "--no-progress"]), "");
}

/// Another state in every way.
fn wreck(repo: &Sandbox) {
    repo.git(&["update-index", "--no-assume-unchanged", "flagged"]);
    repo.git(&["reset", "-q", "--hard", "HEAD"]);
    for path in ["new", "intent", "empty", "link", "src/a.txt", "src/b.txt"] {
        let _ = std::fs::remove_file(repo.path().join(path));
    }
    std::fs::remove_dir_all(repo.path().join("untracked")).expect("it was there");
    repo.write("untracked", "a file where a folder was\n");
    repo.write("src/b.txt/now", "a folder where a file was\n");
    repo.write("fresh", "made since\n");
    repo.git(&["add", "fresh"]);
    repo.write("noise.log", "other noise\n");
}

#[test]
fn a_checkpoint_brings_back_index_flags_work_tree_and_untracked_files_and_moves_no_branch() {
    let repo = busy();
    let before = state(&repo);
    let made = done(rb(&repo, &["checkpoint", "create", "safe", "--json"])).json();
    before.assert_same(&state(&repo));
    let part = &made["checkpoint"]["work_tree"];
    assert_eq!((&part["untracked"], &part["conflicts"]), (&json!(4), &json!(0)), "{made}");

    wreck(&repo);
    repo.git(&["commit", "-q", "-m", "moved on"]);
    let (tip, wrecked) = (branches(&repo), state(&repo));
    let restored = done(rb(&repo, &["checkpoint", "restore", "safe", "--json"])).json();
    assert_eq!(restored["kind"], "staged");
    assert_eq!(branches(&repo), tip);
    // What is ignored stays as it is now.
    assert_eq!(std::fs::read(repo.path().join("noise.log")).expect("it is there"), b"other noise\n");
    repo.write("noise.log", "ignored\n");
    let after = state(&repo);
    let status = |repo: &Sandbox| repo.git(&["status", "--porcelain", "--untracked-files=all"]);
    assert!(status(&repo).contains("D  fresh"), "the commit made since is still the tip: {}", status(&repo));
    repo.git(&["update-ref", "HEAD", "HEAD~1"]);
    let ours = state(&repo).without(&[Part::Times]);
    before.without(&[Part::Times]).assert_same(&ours);
    assert_sound(&repo);

    // The present was kept before.
    repo.git(&["update-ref", "HEAD", "HEAD@{1}"]);
    after.assert_same(&state(&repo));
    repo.write("noise.log", "other noise\n");
    let run = rb(&repo, &["undo", "--json"]);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    wrecked.without(&[Part::Times]).assert_same(&state(&repo).without(&[Part::Times]));
    assert_eq!(branches(&repo), tip);
}

#[test]
fn a_restore_is_taken_back_and_that_too_to_the_byte_and_the_second() {
    let repo = busy();
    done(rb(&repo, &["checkpoint", "create", "safe"]));
    let kept = state(&repo);
    wreck(&repo);
    let wrecked = state(&repo);
    done(rb(&repo, &["checkpoint", "restore", "safe"]));
    done(rb(&repo, &["undo"]));
    wrecked.assert_same(&state(&repo));
    done(rb(&repo, &["redo"]));
    repo.write("noise.log", "ignored\n");
    kept.without(&[Part::Times]).assert_same(&state(&repo).without(&[Part::Times]));
    assert_sound(&repo);
}

#[test]
fn with_move_branch_the_branch_goes_back_too_and_undo_brings_it_forward() {
    let repo = Sandbox::new();
    repo.commit("one", &[("a", "1\n")]);
    done(rb(&repo, &["checkpoint", "create", "one"]));
    let (kept, at_one) = (state(&repo), branches(&repo));
    repo.commit("two", &[("a", "2\n"), ("b", "2\n")]);
    let (moved, at_two) = (state(&repo), branches(&repo));
    let dry = done(rb(&repo, &["checkpoint", "restore", "one", "--move-branch", "--dry-run", "--json"]));
    assert_eq!((&dry.json()["kind"], &dry.json()["dry_run"]), (&json!("committed"), &json!(true)));
    assert_eq!(branches(&repo), at_two);
    done(rb(&repo, &["checkpoint", "restore", "one", "--move-branch"]));
    kept.assert_same(&state(&repo));
    assert_eq!(branches(&repo), at_one);
    assert_eq!(repo.git(&["status", "--porcelain"]), "");
    done(rb(&repo, &["undo"]));
    moved.assert_same(&state(&repo));
    assert_eq!(branches(&repo), at_two);
    repo.git(&["checkout", "-q", "-b", "other"]);
    let refused = rb(&repo, &["checkpoint", "restore", "one", "--move-branch"]);
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert!(refused.stderr.contains("refs/heads/other"), "{}", refused.stderr);
}

#[test]
fn stages_of_a_conflict_come_back_as_git_left_them() {
    let repo = Sandbox::new();
    repo.commit("base", &[("f", "1\n2\n3\n"), ("g", "g\n")]);
    repo.git(&["checkout", "-q", "-b", "side"]);
    repo.commit("side", &[("f", "1\nside\n3\n")]);
    repo.git(&["checkout", "-q", "main"]);
    repo.commit("main", &[("f", "1\nmain\n3\n")]);
    assert!(!repo.try_git(&["merge", "side"]).status.success());
    let conflicted = state(&repo);
    let stages = repo.git(&["ls-files", "-s"]);
    done(rb(&repo, &["checkpoint", "create", "middle"]));
    conflicted.assert_same(&state(&repo));
    assert_eq!(rb(&repo, &["checkpoint", "restore", "middle"]).code, 3, "it is as it was");
    repo.git(&["merge", "--abort"]);
    done(rb(&repo, &["checkpoint", "restore", "middle"]));
    assert_eq!(repo.git(&["ls-files", "-s"]), stages);
    conflicted.without(&[Part::Times]).assert_same(&state(&repo).without(&[Part::Times]));
    done(rb(&repo, &["undo"]));
    assert_eq!(repo.git(&["status", "--porcelain"]), "");
    assert_sound(&repo);
}

#[test]
fn garbage_collection_leaves_a_checkpoint_whole() {
    let repo = busy();
    done(rb(&repo, &["checkpoint", "create", "safe"]));
    let kept = repo.git(&["ls-files", "-s"]);
    repo.git(&["reset", "-q", "--hard", "HEAD"]);
    repo.git(&["clean", "-q", "-f", "-d"]);
    repo.git(&["reflog", "expire", "--expire=now", "--all"]);
    repo.git(&["gc", "-q", "--prune=now"]);
    let verified = done(rb(&repo, &["checkpoint", "verify", "safe", "--json"])).json();
    assert_eq!((&verified["sound"], &verified["problems"]), (&json!(true), &json!([])));
    done(rb(&repo, &["checkpoint", "restore", "safe"]));
    assert_eq!(repo.git(&["ls-files", "-s"]), kept);
    assert_eq!(std::fs::read(repo.path().join("src/b.txt")).expect("it is back"), b"staged and edited\r\n");
}

#[test]
fn ignored_files_are_taken_along_where_they_are_named_and_touched_nowhere_else() {
    let repo = busy();
    done(rb(&repo, &["checkpoint", "create", "all", "--ignored", "build"]));
    repo.write("build/out", "changed\n");
    repo.write("build/more", "more\n");
    repo.write("noise.log", "changed\n");
    done(rb(&repo, &["checkpoint", "restore", "all"]));
    let read = |path: &str| std::fs::read_to_string(repo.path().join(path)).ok();
    assert_eq!(read("build/out").as_deref(), Some("ignored too\n"));
    assert_eq!(read("build/more"), None, "a named folder becomes what it was");
    assert_eq!(read("noise.log").as_deref(), Some("changed\n"));
    done(rb(&repo, &["undo"]));
    assert_eq!(read("build/more").as_deref(), Some("more\n"));
}

#[test]
fn a_file_that_came_to_be_ignored_meanwhile_is_kept_and_put_back_all_the_same() {
    let repo = Sandbox::new();
    repo.commit("one", &[("a", "1\n")]);
    repo.write("local.cfg", "mine\n");
    done(rb(&repo, &["checkpoint", "create", "safe"]));
    repo.write(".gitignore", "local.cfg\n");
    repo.write("local.cfg", "theirs\n");
    done(rb(&repo, &["checkpoint", "restore", "safe"]));
    assert_eq!(std::fs::read(repo.path().join("local.cfg")).expect("it is there"), b"mine\n");
    assert!(!repo.path().join(".gitignore").exists());
    done(rb(&repo, &["undo"]));
    assert_eq!(std::fs::read(repo.path().join("local.cfg")).expect("it is there"), b"theirs\n");
}

#[test]
fn the_same_state_is_nothing_to_do_and_makes_no_checkpoint() {
    let repo = busy();
    done(rb(&repo, &["checkpoint", "create", "safe"]));
    let before = State::of(&repo);
    let run = rb(&repo, &["checkpoint", "restore", "safe", "--json"]);
    assert_eq!((run.code, &run.json()["kind"]), (3, &json!("nothing-to-do")));
    assert_eq!(rb(&repo, &["checkpoint", "restore", "safe", "--allow-noop"]).code, 0);
    before.assert_unchanged(&repo);
}

#[test]
fn a_dry_run_tells_and_changes_nothing() {
    let repo = busy();
    done(rb(&repo, &["checkpoint", "create", "safe"]));
    wreck(&repo);
    let before = State::of(&repo);
    let told = done(rb(&repo, &["checkpoint", "restore", "safe", "--dry-run", "--json"])).json();
    before.assert_unchanged(&repo);
    let did = done(rb(&repo, &["checkpoint", "restore", "safe", "--json"])).json();
    for part in ["kind", "written", "removed", "index_changed"] {
        assert_eq!(told[part], did[part], "{part}");
    }
    assert_eq!(did["removed"], json!(["fresh", "src/b.txt/now", "untracked"]));
}

#[test]
fn names_are_listed_shown_refused_twice_and_dropped() {
    let repo = busy();
    assert_eq!(rb(&repo, &["checkpoint", "list"]).stdout, "There are no checkpoints.\n");
    done(rb(&repo, &["checkpoint", "create", "one", "--message", "before \x1b[31mred"]));
    done(rb(&repo, &["checkpoint", "create", "two"]));
    let twice = rb(&repo, &["checkpoint", "create", "one", "--json"]);
    assert_eq!((twice.code, &twice.json()["error"]["code"]), (5, &json!("checkpoint-exists")));
    let listed = done(rb(&repo, &["checkpoint", "list", "--json"])).json();
    let names: Vec<_> =
        listed["checkpoints"].as_array().expect("a list").iter().map(|row| row["name"].clone()).collect();
    assert_eq!(names, ["one", "two"]);
    let shown = done(rb(&repo, &["checkpoint", "show", "manual/one"])).stdout;
    assert!(shown.contains("before \\x1b[31mred") && !shown.contains('\x1b'), "{shown}");
    let dropped = done(rb(&repo, &["checkpoint", "drop", "one", "--json"])).json();
    assert_eq!(dropped["checkpoints"][0]["name"], "one");
    let records = || test_kit::records::all(&repo.path().join(".git"), "checkpoints");
    assert_eq!(records().iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["manual%2Ftwo"]);
    assert_eq!(repo.git(&["for-each-ref", "refs/rb"]), "");
    let unknown = rb(&repo, &["checkpoint", "show", "one", "--json"]);
    assert_eq!((unknown.code, &unknown.json()["error"]["code"]), (5, &json!("unknown-checkpoint")));
    repo.git(&["pack-refs", "--all"]);
    done(rb(&repo, &["checkpoint", "drop", "two"]));
    assert!(records().is_empty());
    assert_sound(&repo);
}

#[test]
fn nested_repositories_pipes_and_hostile_names_are_left_out_by_name() {
    let repo = busy();
    repo.write("git~1", "no\n");
    std::fs::create_dir_all(repo.path().join("inner")).expect("a folder can be made");
    repo.git(&["init", "-q", "inner"]);
    repo.write("inner/file", "theirs\n");
    assert!(repo.command("mkfifo").arg("pipe").status().expect("mkfifo runs").success());
    let made = done(rb(&repo, &["checkpoint", "create", "safe", "--json"])).json();
    let skipped: Vec<_> = made["checkpoint"]["work_tree"]["skipped"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|row| row["path"].as_str().expect("a name"))
        .collect();
    assert_eq!(skipped, ["git~1", "inner", "pipe"]);
    repo.write("inner/file", "still theirs\n");
    repo.write("src/a.txt", "other\n");
    done(rb(&repo, &["checkpoint", "restore", "safe"]));
    assert_eq!(std::fs::read(repo.path().join("inner/file")).expect("it is there"), b"still theirs\n");
    assert!(repo.path().join("pipe").exists() && repo.path().join("git~1").exists());
}

#[test]
fn damage_is_found_and_nothing_is_restored_from_it() {
    let repo = busy();
    done(rb(&repo, &["checkpoint", "create", "safe"]));
    let tree = done(rb(&repo, &["checkpoint", "show", "safe", "--json"])).json();
    let tree = tree["checkpoint"]["record_id"].as_str().expect("it has a tree").to_owned();
    let blob = repo.git(&["rev-parse", &format!("{tree}:work-tree/untracked/deep/file")]);
    let object = repo.path().join(".git/objects").join(&blob[..2]).join(&blob[2..]);
    std::fs::remove_file(&object).expect("it is loose");
    repo.write("src/a.txt", "other\n");
    let before = State::of(&repo);
    let verified = rb(&repo, &["checkpoint", "verify", "safe", "--json"]);
    assert_eq!((verified.code, &verified.json()["sound"]), (10, &json!(false)), "{}", verified.stdout);
    assert!(verified.json()["problems"][0].as_str().expect("text").contains(&blob), "{}", verified.stdout);
    let refused = rb(&repo, &["checkpoint", "restore", "safe", "--json"]);
    assert_eq!((refused.code, &refused.json()["error"]["code"]), (5, &json!("damaged-checkpoint")));
    before.assert_unchanged(&repo);
    // An object of the right kind with other bytes.
    let other = repo.git(&["rev-parse", "HEAD:src/a.txt"]);
    let from = repo.path().join(".git/objects").join(&other[..2]).join(&other[2..]);
    std::fs::copy(from, &object).expect("it can be copied");
    let verified = rb(&repo, &["checkpoint", "verify", "safe"]);
    assert_eq!(verified.code, 10, "{}", verified.stdout);
    assert!(verified.stdout.contains(&blob), "{}", verified.stdout);
}

fn read(path: &Path) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

#[test]
fn paths_outside_come_back_with_consent_only_to_where_they_were() {
    let repo = busy();
    let outside = Sandbox::folder();
    let folder = outside.path().join("etc");
    outside.write("etc/app.conf", "one\n");
    outside.write("etc/deep/key", "secret\n");
    outside.write("etc/.git/config", "[core]\n");
    std::os::unix::fs::symlink("app.conf", folder.join("current")).expect("a link can be made");
    let key = folder.join("deep/key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).expect("it can be changed");
    let etc = folder.to_str().expect("a name");
    let made = done(rb(&repo, &["checkpoint", "create", "safe", "--outside", etc, "--json"])).json();
    let entries = made["checkpoint"]["outside"][0]["entries"].as_array().expect("a list").clone();
    let app = entries.iter().find(|row| row["path"] == "app.conf").expect("it was copied");
    assert_eq!(app["sha256"], "2c8b08da5ce60398e1f19af0e5dccc744df274b826abe585eaba68c525434806");
    assert_sound(&repo);

    outside.write("etc/app.conf", "two\n");
    outside.write("etc/added", "new\n");
    std::fs::remove_file(&key).expect("it was there");
    std::fs::remove_file(folder.join("current")).expect("it was there");
    std::os::unix::fs::symlink("deep/key", folder.join("current")).expect("a link can be made");
    let without = rb(&repo, &["checkpoint", "restore", "safe", "--json"]);
    assert_eq!((without.code, &without.json()["outside_left"]), (3, &json!([etc])), "{}", without.stdout);
    assert_eq!(read(&folder.join("app.conf")).as_deref(), Some("two\n"));

    let with = done(rb(&repo, &["checkpoint", "restore", "safe", "--with-outside", "--json"])).json();
    assert_eq!(with["outside"], json!([etc]));
    assert_eq!(read(&folder.join("app.conf")).as_deref(), Some("one\n"));
    assert_eq!(read(&key).as_deref(), Some("secret\n"));
    assert_eq!(std::fs::metadata(&key).expect("it is back").permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read_link(folder.join("current")).expect("a link"), Path::new("app.conf"));
    assert!(!folder.join("added").exists());
    let names: Vec<_> =
        std::fs::read_dir(&folder).expect("a folder").flatten().map(|row| row.file_name()).collect();
    assert!(names.iter().all(|name| !name.to_string_lossy().starts_with(".rb-")), "{names:?}");

    // It is an operation though nothing changed in the repository, and an undo takes it back with consent only.
    let refused = rb(&repo, &["undo", "--json"]);
    assert_eq!((refused.code, &refused.json()["error"]["code"]), (6, &json!("outside-not-allowed")));
    assert_eq!(refused.json()["error"]["paths"], json!([etc]));
    assert!(refused.json()["error"]["hint"].as_str().expect("a hint").contains("--with-outside"));
    assert_eq!(read(&folder.join("app.conf")).as_deref(), Some("one\n"));
    let next = done(rb(&repo, &["status", "--json"])).json()["next"].clone();
    assert_eq!(next, json!("rb undo --with-outside"));
    let foreseen = done(rb(&repo, &["undo", "--with-outside", "--dry-run"]));
    assert!(foreseen.stdout.contains(&format!("{etc} (outside of the repository)")), "{}", foreseen.stdout);
    assert_eq!(read(&folder.join("app.conf")).as_deref(), Some("one\n"), "a dry run writes nothing");
    let undone = done(rb(&repo, &["undo", "--with-outside", "--json"])).json();
    assert_eq!(undone["outside"], json!([etc]));
    assert_eq!(read(&folder.join("app.conf")).as_deref(), Some("two\n"));
    assert_eq!(read(&folder.join("added")).as_deref(), Some("new\n"));
    assert!(!key.exists());
    done(rb(&repo, &["redo", "--with-outside"]));
    assert_eq!(read(&folder.join("app.conf")).as_deref(), Some("one\n"));

    // What was there is kept by the checkpoint that was made before.
    let before = with["before"]["name"].as_str().expect("a name").to_owned();
    done(rb(&repo, &["checkpoint", "restore", &before, "--with-outside"]));
    assert_eq!(read(&folder.join("added")).as_deref(), Some("new\n"));
    assert_eq!(read(&folder.join("app.conf")).as_deref(), Some("two\n"));
    assert!(!key.exists());
}

#[test]
fn a_path_outside_whose_folder_is_gone_is_refused_by_name_before_anything_changes() {
    let repo = busy();
    let outside = Sandbox::folder();
    outside.write("etc/app.conf", "one\n");
    let conf = outside.path().join("etc/app.conf");
    done(rb(&repo, &["checkpoint", "create", "safe", "--outside", conf.to_str().expect("a name")]));
    repo.write("a.txt", "edited since\n");
    std::fs::remove_dir_all(outside.path().join("etc")).expect("it was there");
    let before = State::of(&repo);
    let refused = rb(&repo, &["checkpoint", "restore", "safe", "--with-outside"]);
    assert_eq!(refused.code, 74, "{}", refused.stderr);
    let folder = outside.path().join("etc").display().to_string();
    assert!(refused.stderr.contains(&folder), "{}", refused.stderr);
    // The copies that were taken to compare may stay until the next garbage collection.
    before.without(&[Part::Objects]).assert_same(&State::of(&repo).without(&[Part::Objects]));
    outside.write("etc/other", "");
    done(rb(&repo, &["checkpoint", "restore", "safe", "--with-outside"]));
    assert_eq!(read(&conf).as_deref(), Some("one\n"));
}

#[test]
fn what_lies_in_the_repository_is_not_outside() {
    let repo = busy();
    let inside = repo.path().join("src");
    let refused = rb(&repo, &["checkpoint", "create", "x", "--outside", inside.to_str().expect("a name")]);
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    let parent = repo.path().parent().expect("a folder").to_str().expect("a name").to_owned();
    assert_eq!(rb(&repo, &["checkpoint", "create", "x", "--outside", &parent]).code, 2);
    assert_eq!(rb(&repo, &["checkpoint", "create", "x", "--outside", "/"]).code, 2);
}

#[test]
fn a_racy_edit_is_still_an_edit_after_a_restore() {
    let repo = Sandbox::new();
    repo.commit("one", &[("a", "1\n"), ("b", "1\n")]);
    for round in 0..8 {
        repo.git(&["reset", "-q", "--hard"]);
        // Of the same size and in the same second as the index.
        repo.write("a", format!("{round}\n").replace('1', "9"));
        done(rb(&repo, &["checkpoint", "create", &format!("r{round}")]));
        let status = repo.git(&["status", "--porcelain"]);
        repo.write("a", "1\n");
        repo.write("b", "other\n");
        done(rb(&repo, &["checkpoint", "restore", &format!("r{round}")]));
        assert_eq!(repo.git(&["status", "--porcelain"]), status, "round {round}");
        assert_eq!(status, " M a");
    }
}

#[test]
fn documents_name_their_version() {
    let repo = busy();
    for args in [&["create", "a"][..], &["list"], &["show", "a"], &["verify", "a"], &["drop", "a"]] {
        let words: Vec<_> = ["checkpoint"].iter().chain(args).chain(&["--json"]).copied().collect();
        let document: Value = done(rb(&repo, &words)).json();
        assert_eq!(document["schema_version"], 1, "{args:?}");
    }
}

/// Two branches that can be merged, in conflict or not.
fn diverged(side: &str) -> Sandbox {
    let repo = Sandbox::new();
    repo.commit("base", &[("f", "1\n2\n3\n"), ("g", "g\n")]);
    repo.git(&["checkout", "-q", "-b", "side"]);
    repo.commit("side", &[(side, "1\nside\n3\n")]);
    repo.git(&["checkout", "-q", "main"]);
    repo.commit("main", &[("f", "1\nmain\n3\n")]);
    repo
}

/// The files by which git knows what is in progress, and what it says of them.
fn in_progress(repo: &Sandbox) -> String {
    let mut said = repo.git(&["status"]);
    for name in [
        "MERGE_HEAD",
        "MERGE_MSG",
        "MERGE_MODE",
        "AUTO_MERGE",
        "CHERRY_PICK_HEAD",
        "REVERT_HEAD",
        "sequencer/todo",
        "sequencer/head",
        "sequencer/opts",
        "sequencer/abort-safety",
    ] {
        let content = std::fs::read_to_string(repo.path().join(".git").join(name)).ok();
        said.push_str(&format!("{name}: {content:?}\n"));
    }
    said
}

#[test]
fn operations_in_progress_come_back_and_go_on_as_if_they_had_never_been_given_up() {
    /// The file that the other branch changes, and git's words that begin, give up and go on.
    type Row = (&'static str, &'static [&'static str], &'static [&'static str], &'static [&'static str]);
    let rows: [Row; 6] = [
        ("g", &["merge", "--no-commit", "side"], &["merge", "--abort"], &["merge", "--continue"]),
        ("f", &["merge", "side"], &["merge", "--abort"], &["merge", "--continue"]),
        ("f", &["cherry-pick", "side"], &["cherry-pick", "--abort"], &["cherry-pick", "--continue"]),
        ("f", &["cherry-pick", "side~1..side"], &["cherry-pick", "--abort"], &["cherry-pick", "--continue"]),
        ("f", &["revert", "--no-edit", "HEAD~1", "HEAD"], &["revert", "--abort"], &["revert", "--skip"]),
        ("g", &["revert", "-n", "HEAD"], &["reset", "-q", "--hard"], &["commit", "-qm", "by hand"]),
    ];
    for (side, begin, give_up, go_on) in rows {
        let repo = diverged(side);
        repo.try_git(begin);
        let twin = repo.twin();
        let (begun, expected) = (state(&repo), in_progress(&repo));
        done(rb(&repo, &["checkpoint", "create", "middle"]));
        begun.assert_same(&state(&repo));
        repo.git(give_up);
        repo.git(&["reflog", "expire", "--expire=now", "--all"]);
        repo.git(&["gc", "-q", "--prune=now"]);
        let clean = in_progress(&repo);
        done(rb(&repo, &["checkpoint", "restore", "middle", "--dry-run"]));
        assert_eq!(in_progress(&repo), clean, "{begin:?}");
        let told = done(rb(&repo, &["checkpoint", "restore", "middle"]));
        assert!(told.stdout.contains("in progress again: a "), "{begin:?}: {}", told.stdout);
        assert_eq!(in_progress(&repo), expected, "{begin:?}");
        done(rb(&repo, &["undo"]));
        assert_eq!(in_progress(&repo), clean, "{begin:?}");
        done(rb(&repo, &["redo"]));
        assert_eq!(in_progress(&repo), expected, "{begin:?}");
        for one in [&repo, &twin] {
            one.write("f", "1\nresolved\n3\n");
            one.git(&["add", "f"]);
            let editor = [&["-c", "core.editor=true"], go_on].concat();
            one.try_git(&editor);
        }
        let told = |repo: &Sandbox| {
            let log = repo.git(&["log", "-1", "--format=%s%n%T%n%P"]);
            format!("{log}\n{}", repo.git(&["status", "--porcelain"]))
        };
        assert_eq!(told(&repo), told(&twin), "{begin:?}");
        assert_sound(&repo);
    }
}

#[test]
fn in_the_middle_of_a_merge_its_own_checkpoint_and_an_older_one_come_back() {
    let repo = diverged("f");
    done(rb(&repo, &["checkpoint", "create", "before"]));
    repo.try_git(&["merge", "side"]);
    done(rb(&repo, &["checkpoint", "create", "conflict"]));
    let conflict = (in_progress(&repo), repo.git(&["ls-files", "-s"]));
    repo.write("f", "1\nhalf resolved\n3\n");
    repo.git(&["add", "f"]);
    done(rb(&repo, &["checkpoint", "restore", "conflict"]));
    assert_eq!((in_progress(&repo), repo.git(&["ls-files", "-s"])), conflict);
    let told = done(rb(&repo, &["checkpoint", "restore", "before"]));
    assert!(told.stdout.contains("put aside: a merge"), "{}", told.stdout);
    assert!(!repo.path().join(".git/MERGE_HEAD").exists());
    assert_eq!(repo.git(&["status", "--porcelain"]), "");
    done(rb(&repo, &["undo"]));
    assert_eq!((in_progress(&repo), repo.git(&["ls-files", "-s"])), conflict);
}

#[test]
fn an_operation_comes_back_only_where_it_began() {
    let repo = diverged("g");
    repo.git(&["merge", "-q", "--no-commit", "side"]);
    done(rb(&repo, &["checkpoint", "create", "middle"]));
    repo.git(&["merge", "--abort"]);
    repo.commit("later", &[("later", "l\n")]);
    let before = state(&repo);
    let refused = rb(&repo, &["checkpoint", "restore", "middle", "--json"]);
    assert_eq!(refused.code, 5, "{}", refused.stderr);
    assert_eq!(refused.json()["error"]["code"], "operation-elsewhere");
    assert!(refused.stderr.contains("--move-branch"), "{}", refused.stderr);
    before.assert_same(&state(&repo));
    done(rb(&repo, &["checkpoint", "restore", "middle", "--move-branch"]));
    repo.git(&["-c", "core.editor=true", "merge", "--continue"]);
    assert_eq!(repo.git(&["log", "-1", "--format=%P"]).split(' ').count(), 2, "a merge");
    assert_eq!(repo.git(&["log", "-1", "--format=%s", "HEAD^1"]), "main");
}

#[test]
fn a_rebase_and_a_branch_without_commits_are_refused_by_name() {
    let repo = diverged("f");
    repo.try_git(&["rebase", "side"]);
    let refused = rb(&repo, &["checkpoint", "create", "middle"]);
    assert_eq!(refused.code, 5, "{}", refused.stderr);
    assert!(refused.stderr.contains("a rebase"), "{}", refused.stderr);
    repo.git(&["rebase", "--abort"]);
    repo.git(&["checkout", "-q", "--orphan", "fresh"]);
    let refused = rb(&repo, &["checkpoint", "create", "fresh"]);
    assert_eq!(refused.code, 5, "{}", refused.stderr);
    assert!(refused.stderr.contains("git commit --allow-empty --only -m Begin"), "{}", refused.stderr);
    let staged = repo.git(&["ls-files", "-s"]);
    repo.git(&["commit", "-q", "--allow-empty", "--only", "-m", "Begin"]);
    assert_eq!(repo.git(&["ls-files", "-s"]), staged, "the hint leaves what is staged");
    done(rb(&repo, &["checkpoint", "create", "fresh"]));
}

/// A repository with a file outside that a checkpoint `k` keeps, both edited since.
fn edited_since() -> (Sandbox, std::path::PathBuf) {
    let repo = Sandbox::new();
    repo.commit("one", &[("a", "1\n"), ("b", "b\n")]);
    let outside = repo.around().join("etc/tool");
    std::fs::create_dir_all(outside.parent().expect("a folder")).expect("it can be made");
    std::fs::write(&outside, "A\n").expect("it can be written");
    std::fs::set_permissions(&outside, std::fs::Permissions::from_mode(0o6755)).expect("it is there");
    repo.write("a", "work of a day\n");
    let folder = outside.parent().expect("a folder").display().to_string();
    done(rb(&repo, &["checkpoint", "create", "k", "--outside", &folder]));
    repo.write("a", "scribble\n");
    std::fs::write(&outside, "A2\n").expect("it can be written");
    std::fs::set_permissions(&outside, std::fs::Permissions::from_mode(0o644)).expect("it is there");
    (repo, outside)
}

#[test]
fn a_restore_gives_no_file_the_rights_of_its_owner() {
    let (repo, outside) = edited_since();
    done(rb(&repo, &["checkpoint", "restore", "k", "--with-outside"]));
    assert_eq!(std::fs::read_to_string(&outside).expect("it is there"), "A\n");
    let mode = std::fs::metadata(&outside).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o7000, 0, "{mode:o}");
}

#[test]
fn a_restore_that_was_killed_has_landed_or_not_as_it_is_told_though_its_locks_were_removed() {
    if !Sandbox::can_trace() {
        return;
    }
    let points = [
        ("renameat2", 1),
        ("renameat2", 3),
        ("rename", 2),
        ("fsync", 8),
        ("fsync", 20),
        ("unlinkat", 2),
        ("syncfs", 1),
    ];
    for (call, nth) in points {
        let (repo, outside) = edited_since();
        let mut command = repo.strace(call, &format!("signal=KILL:when={nth}"));
        command.arg(env!("CARGO_BIN_EXE_rb")).args(["checkpoint", "restore", "k", "--with-outside"]);
        command.output().expect("strace can be started");
        // As git advises, and as it then refreshes its index.
        for lock in ["index.lock", "HEAD.lock"] {
            let _ = std::fs::remove_file(repo.path().join(".git").join(lock));
        }
        repo.git(&["status", "-s"]);
        done(rb(&repo, &["status"]));
        let read = || {
            let texts = [repo.path().join("a"), outside.clone()].map(std::fs::read_to_string);
            texts.map(|text| text.expect("it is there")).concat()
        };
        let told = rb(&repo, &["ops"]).stdout.contains("checkpoint-restore");
        let whole =
            matches!((read().as_str(), told), ("scribble\nA2\n", false) | ("work of a day\nA\n", true));
        assert!(whole, "killed at {call} {nth}: {:?}, told {told}", read());
        rb(&repo, &["checkpoint", "restore", "k", "--with-outside"]);
        assert_eq!(read(), "work of a day\nA\n", "again after {call} {nth}");
    }
}
