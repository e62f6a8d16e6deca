//! `rb ops`, `rb undo` and `rb status`: what landed is logged, and taken back as a whole.

use serde_json::{Value, json};
use test_kit::{Part, Sandbox, State, records};

use crate::kit::{done, rb, rb_in, rb_with};

/// A file that was removed and one that was edited, with a file of its own permissions and age beside them.
fn broken() -> Sandbox {
    let repo = Sandbox::new();
    repo.commit("add files", &[("src/shim.py", "one\n"), ("readme", "r\n"), ("run.sh", "#!/bin/sh\n")]);
    repo.write("readme", "changed\n");
    repo.git(&["rm", "-q", "src/shim.py"]);
    repo.git(&["update-index", "--chmod=+x", "run.sh"]);
    repo.git(&["checkout", "-q", "run.sh"]);
    repo.git(&["add", "readme"]);
    repo.commit_index(b"break things\n");
    repo.commit("later", &[("later", "l\n")]);
    for path in ["readme", "run.sh", "later"] {
        let file = std::fs::File::options()
            .write(true)
            .open(repo.path().join(path))
            .expect("the file can be touched");
        let long_ago = std::time::UNIX_EPOCH + std::time::Duration::new(1_500_000_000, 123_456_789);
        file.set_modified(long_ago).expect("the file can be touched");
    }
    repo.git(&["update-index", "--refresh"]);
    repo
}

/// What an operation that is taken back must leave as it was. Objects stay, logs tell of it, the log of rb is its own.
fn kept(repo: &Sandbox) -> State {
    let state = State::of(repo);
    state.only(&[Part::Index, Part::Flags, Part::Status, Part::Files, Part::Times])
}

fn references(repo: &Sandbox) -> String {
    let refs = repo.git(&["for-each-ref", "--format=%(refname) %(objectname)"]);
    format!("{}\n{refs}", repo.git(&["rev-parse", "--symbolic-full-name", "HEAD"]))
}

#[track_caller]
fn operations(repo: &Sandbox) -> Vec<Value> {
    let run = rb(repo, &["ops", "--json"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    run.stdout.lines().map(|line| serde_json::from_str(line).expect("a document a line")).collect()
}

#[track_caller]
fn assert_sound(repo: &Sandbox) {
    let said = repo.git(&["fsck", "--strict", "--no-dangling", "--no-progress"]);
    assert_eq!(said, "");
}

#[test]
fn a_landing_that_is_undone_leaves_everything_as_it_was_and_undoing_that_brings_it_back() {
    let repo = broken();
    let before = (kept(&repo), references(&repo));
    let landed = rb(&repo, &["revert", "HEAD~1"]);
    assert_eq!(landed.code, 0, "{}{}", landed.stdout, landed.stderr);
    let after = (kept(&repo), references(&repo));
    assert_ne!(before.1, after.1);

    let run = rb(&repo, &["undo", "--json"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{}", run.stdout);
    before.0.assert_same(&kept(&repo));
    assert_eq!(references(&repo), before.1);
    let undone = run.json();
    assert_eq!(undone["kind"], "revert-commit");
    assert_eq!(undone["paths"], json!(["readme", "run.sh", "src/shim.py"]));

    let again = rb(&repo, &["redo"]);
    assert_eq!(again.code, 0, "{}", again.stderr);
    after.0.assert_same(&kept(&repo));
    assert_eq!(references(&repo), after.1);

    let logged = operations(&repo);
    let of = |field: &str| logged.iter().map(|row| row[field].clone()).collect::<Vec<_>>();
    assert_eq!(of("kind"), ["redo", "undo", "revert-commit"]);
    assert_eq!(logged[1]["undone_by"], logged[0]["operation_id"]);
    assert_eq!(logged[2].get("undone_by"), None, "its undo was taken back");
    assert_eq!(logged[2]["commit_ids"], json!([repo.git(&["rev-parse", "HEAD"])]));
    assert_sound(&repo);
}

#[test]
fn what_the_log_names_outlives_garbage_collection() {
    let repo = broken();
    rb(&repo, &["revert", "HEAD~1"]);
    let landed = repo.git(&["rev-parse", "HEAD"]);
    rb(&repo, &["undo"]);
    repo.git(&["reflog", "expire", "--expire=now", "--all"]);
    repo.git(&["gc", "-q", "--prune=now"]);
    let run = rb(&repo, &["redo"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(repo.git(&["rev-parse", "HEAD"]), landed);
    assert_eq!(repo.git(&["status", "--porcelain"]), "");
    assert_sound(&repo);
}

#[test]
fn a_staged_result_is_undone_with_the_files_git_keeps_beside_it() {
    let repo = broken();
    let parts = [Part::Index, Part::Flags, Part::Status, Part::Files, Part::Times];
    let before = (State::of(&repo).only(&parts), references(&repo));
    let landed = rb(&repo, &["revert", "-n", "HEAD~1"]);
    assert_eq!(landed.code, 0, "{}", landed.stderr);
    assert!(repo.state_file("REVERT_HEAD").is_some());
    let run = rb(&repo, &["undo"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    before.0.assert_same(&State::of(&repo).only(&parts));
    assert_eq!(references(&repo), before.1);
    assert!(repo.state_file("REVERT_HEAD").is_none());
    assert!(!repo.path().join(".git/MERGE_MSG").exists());
    assert_sound(&repo);
}

#[test]
fn later_commits_stand_in_the_way_and_the_hint_reverts() {
    let repo = broken();
    rb(&repo, &["revert", "HEAD~1"]);
    let landed = repo.git(&["rev-parse", "HEAD"]);
    repo.commit("more", &[("more", "m\n")]);
    let before = State::of(&repo);
    let run = rb(&repo, &["undo", "--json"]);
    assert_eq!(run.code, 5, "{}", run.stdout);
    assert_eq!(run.json()["error"]["code"], "later-commits", "{}", run.stdout);
    assert!(run.stderr.contains(&format!("rb revert {landed}")), "{}", run.stderr);
    before.assert_unchanged(&repo);
}

#[test]
fn what_a_remote_has_already_is_not_undone() {
    let repo = broken();
    rb(&repo, &["revert", "HEAD~1"]);
    repo.git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
    let before = State::of(&repo);
    let run = rb(&repo, &["undo", "--json"]);
    assert_eq!(run.code, 5, "{}", run.stdout);
    assert_eq!(run.json()["error"]["code"], "published", "{}", run.stdout);
    before.assert_unchanged(&repo);
}

#[test]
fn an_edit_made_since_is_never_overwritten() {
    let repo = broken();
    rb(&repo, &["revert", "HEAD~1"]);
    repo.write("readme", "mine\n");
    let before = State::of(&repo).without(&[Part::Objects]);
    assert_eq!(rb(&repo, &["undo"]).code, 5);
    before.assert_same(&State::of(&repo).without(&[Part::Objects]));
}

#[test]
fn an_operation_is_undone_once_and_a_name_must_be_known() {
    let repo = broken();
    rb(&repo, &["revert", "HEAD~1"]);
    let id = operations(&repo)[0]["operation_id"].as_str().unwrap().to_owned();
    assert_eq!(rb(&repo, &["undo", &id[..6]]).code, 0);
    let again = rb(&repo, &["undo", &id, "--json"]);
    assert_eq!((again.code, &again.json()["error"]["code"]), (5, &json!("already-undone")));
    let unknown = rb(&repo, &["undo", "nothing", "--json"]);
    assert_eq!((unknown.code, &unknown.json()["error"]["code"]), (5, &json!("unknown-operation")));
}

#[test]
fn a_branch_that_an_operation_made_goes_with_its_log_and_comes_back() {
    for packed in [false, true] {
        let repo = broken();
        let before = (kept(&repo), references(&repo));
        assert_eq!(rb(&repo, &["revert", "HEAD~1", "--branch", "rescue/one"]).code, 0);
        let made = references(&repo);
        let logged = operations(&repo);
        assert_eq!(
            (&logged[0]["ref"], &logged[0]["before"]),
            (&json!("refs/heads/rescue/one"), &Value::Null)
        );
        if packed {
            repo.git(&["pack-refs", "--all", "--prune"]);
        }
        let whole = State::of(&repo);
        let dry = rb(&repo, &["undo", "--dry-run", "--json"]);
        assert_eq!((dry.code, &dry.json()["operation_id"]), (0, &json!("")), "{}", dry.stderr);
        whole.assert_unchanged(&repo);
        let run = rb(&repo, &["undo"]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        before.0.assert_same(&kept(&repo));
        assert_eq!(references(&repo), before.1);
        // As `git branch -D` leaves it, empty folders included.
        for gone in ["logs/refs/heads/rescue", "refs/heads/rescue"] {
            assert!(!repo.path().join(".git").join(gone).exists(), "{gone}");
        }
        assert_eq!(operations(&repo)[0]["after"], Value::Null);
        assert_sound(&repo);
        assert_eq!(rb(&repo, &["redo"]).code, 0, "the undo is taken back");
        assert_eq!(references(&repo), made);
        before.0.assert_same(&kept(&repo));
        assert_sound(&repo);
    }
}

#[test]
fn a_branch_that_somebody_uses_or_moved_is_not_removed() {
    let repo = broken();
    assert_eq!(rb(&repo, &["revert", "HEAD~1", "--branch", "rescue"]).code, 0);
    repo.git(&["checkout", "-q", "rescue"]);
    let before = State::of(&repo);
    for args in [&["undo", "--json"][..], &["undo", "--dry-run", "--json"]] {
        let refused = rb(&repo, args);
        assert_eq!((refused.code, &refused.json()["error"]["code"]), (5, &json!("branch-checked-out")));
        before.assert_unchanged(&repo);
    }
    repo.commit("more", &[("more", "m\n")]);
    repo.git(&["checkout", "-q", "main"]);
    let refused = rb(&repo, &["undo", "--json"]);
    assert_eq!((refused.code, &refused.json()["error"]["code"]), (5, &json!("later-commits")));
    let left_at = operations(&repo)[0]["after"].as_str().unwrap().to_owned();
    repo.git(&["branch", "-q", "-D", "rescue"]);
    let refused = rb(&repo, &["undo", "--json"]);
    assert_eq!((refused.code, &refused.json()["error"]["code"]), (5, &json!("reference-gone")));
    assert!(refused.stderr.contains(&format!("git branch rescue {left_at}")), "{}", refused.stderr);
}

#[test]
fn what_was_staged_on_one_branch_is_not_undone_on_another() {
    let repo = broken();
    assert_eq!(rb(&repo, &["revert", "-n", "HEAD~1"]).code, 0);
    repo.git(&["worktree", "add", "-q", "-b", "other", ".git/linked"]);
    let before = State::of(&repo);
    let refused = rb_in(&repo, ".git/linked", &["undo", "--json"]);
    assert_eq!((refused.code, &refused.json()["error"]["code"]), (5, &json!("made-elsewhere")));
    assert!(refused.stderr.contains("git switch main"), "{}", refused.stderr);
    before.assert_unchanged(&repo);
    assert_eq!(rb(&repo, &["undo"]).code, 0);
}

#[test]
fn a_branch_made_anew_meanwhile_is_not_overwritten_by_the_undo_of_its_removal() {
    let repo = broken();
    assert_eq!(rb(&repo, &["revert", "HEAD~1", "--branch", "rescue"]).code, 0);
    assert_eq!(rb(&repo, &["undo"]).code, 0);
    repo.git(&["branch", "rescue", "HEAD~2"]);
    let before = State::of(&repo);
    let refused = rb(&repo, &["redo", "--json"]);
    assert_eq!((refused.code, &refused.json()["error"]["code"]), (5, &json!("branch-exists")));
    before.assert_unchanged(&repo);
}

#[test]
fn a_dry_undo_tells_refuses_and_changes_nothing() {
    let repo = broken();
    assert_eq!(rb(&repo, &["revert", "HEAD~1"]).code, 0);
    let before = State::of(&repo);
    let dry = rb(&repo, &["undo", "--dry-run"]);
    assert_eq!(dry.code, 0, "{}", dry.stderr);
    assert!(dry.stdout.starts_with("Would undo; nothing was changed"), "{}", dry.stdout);
    before.assert_unchanged(&repo);
    repo.write("readme", "mine\n");
    let before = State::of(&repo);
    assert_eq!(rb(&repo, &["undo", "--dry-run"]).code, 5);
    before.assert_unchanged(&repo);
}

#[test]
fn flags_of_the_index_come_back_where_the_entry_had_gone() {
    let repo = Sandbox::new();
    repo.commit("one", &[("keep", "k\n"), ("a", "1\n")]);
    repo.commit("two", &[("a", "2\n"), ("assumed", "x\n"), ("skipped", "s\n")]);
    repo.git(&["update-index", "--assume-unchanged", "assumed"]);
    repo.git(&["update-index", "--skip-worktree", "skipped"]);
    std::fs::remove_file(repo.path().join("skipped")).expect("it was there");
    let before = (kept(&repo), references(&repo));
    let landed = rb(&repo, &["revert", "HEAD"]);
    assert_eq!(landed.code, 0, "{}", landed.stderr);
    assert_eq!(repo.git(&["ls-files"]), "a\nkeep");
    let undone = rb(&repo, &["undo"]);
    assert_eq!(undone.code, 0, "{}", undone.stderr);
    before.0.assert_same(&kept(&repo));
    assert_eq!(references(&repo), before.1);
    assert_eq!(rb(&repo, &["redo"]).code, 0);
    assert_eq!(rb(&repo, &["undo"]).code, 0);
    before.0.assert_same(&kept(&repo));
    assert!(!repo.path().join("skipped").exists());
}

#[test]
fn nothing_to_do_and_asking_log_nothing() {
    let repo = broken();
    let before = State::of(&repo);
    assert_eq!(rb(&repo, &["ops"]).stdout, "rb has landed nothing here yet.\n");
    assert_eq!(rb(&repo, &["revert", "HEAD~1", "--dry-run"]).code, 0);
    assert_eq!(rb(&repo, &["undo"]).code, 5);
    assert!(rb(&repo, &["status"]).stdout.contains("rb has landed nothing here yet."));
    before.assert_unchanged(&repo);
}

#[test]
fn the_log_steers_no_terminal() {
    let repo = Sandbox::new();
    repo.commit("one", &[("a\x1b[31mb", "1\n")]);
    repo.commit("two", &[("a\x1b[31mb", "2\n")]);
    let run = rb(&repo, &["revert", "HEAD", "--", "a\x1b[31mb"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let ops = rb(&repo, &["ops"]);
    assert!(!ops.stdout.contains('\x1b') && ops.stdout.contains("\\x1b"), "{}", ops.stdout);
}

#[test]
fn status_names_the_last_operation_and_what_git_is_in_the_middle_of() {
    let repo = broken();
    rb(&repo, &["revert", "HEAD~1"]);
    let run = rb(&repo, &["status", "--json"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    let status = run.json();
    let mut last = operations(&repo)[0].clone();
    let version = last.as_object_mut().expect("an operation").remove("schema_version");
    assert_eq!(
        (&status["schema_version"], &status["last_operation"]),
        (&version.expect("of the line"), &last)
    );
    assert_eq!(status["next"], "rb undo");
    assert_eq!(status.get("in_progress"), None);
    repo.write(".git/MERGE_HEAD", format!("{}\n", repo.git(&["rev-parse", "HEAD~1"])));
    let text = rb(&repo, &["status"]).stdout;
    assert!(text.contains("in progress: a merge\n"), "{text}");
    assert!(text.ends_with("next: git status\n"), "{text}");
}

#[test]
fn what_landed_before_a_failure_is_logged_when_it_is_recovered() {
    let repo = broken();
    if repo.path().join(".git/reftable").is_dir() {
        return; // A log there is of the table that moves the branch, it cannot fail on its own.
    }
    let log = repo.path().join(".git/logs/refs/heads/main");
    std::fs::remove_file(&log).unwrap();
    std::fs::create_dir_all(log.join("in/the/way")).unwrap();
    std::fs::write(log.join("in/the/way/file"), "").unwrap();
    let landed = rb(&repo, &["revert", "HEAD~1"]);
    assert_eq!(landed.code, 8, "{}{}", landed.stdout, landed.stderr);
    assert!(operations_text(&repo).contains("is not finished"));
    assert_eq!(rb(&repo, &["ops", "--all"]).stderr, operations_text(&repo));
    std::fs::remove_dir_all(&log).unwrap();

    let status = rb(&repo, &["status"]);
    assert_eq!(status.code, 0, "{}", status.stderr);
    assert!(status.stdout.contains("had landed and was finished now."), "{}", status.stdout);
    let logged = operations(&repo);
    assert_eq!(logged.len(), 1, "{logged:?}");
    assert_eq!(logged[0]["after"], json!(repo.git(&["rev-parse", "HEAD"])));
    let settled = State::of(&repo);
    assert!(rb(&repo, &["status"]).stdout.starts_with("No landing was left unfinished."));
    settled.assert_unchanged(&repo);
    assert_eq!(rb(&repo, &["undo"]).code, 0);
    assert_eq!(repo.git(&["status", "--porcelain"]), "");
    assert_sound(&repo);
}

fn operations_text(repo: &Sandbox) -> String {
    rb(repo, &["ops"]).stderr
}

#[test]
fn a_branch_that_is_not_checked_out_goes_back_alone() {
    let repo = broken();
    repo.git(&["branch", "topic"]);
    let before = (kept(&repo), references(&repo));
    let landed = rb(&repo, &["revert", "HEAD~1", "--onto", "topic"]);
    assert_eq!(landed.code, 0, "{}{}", landed.stdout, landed.stderr);
    assert_ne!(references(&repo), before.1);
    let run = rb(&repo, &["undo"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    before.0.assert_same(&kept(&repo));
    assert_eq!(references(&repo), before.1);
    assert_sound(&repo);
}

#[test]
fn a_detached_head_goes_back_and_so_do_several_commits() {
    let repo = broken();
    repo.git(&["checkout", "-q", "--detach"]);
    let before = (kept(&repo), references(&repo), repo.git(&["rev-parse", "HEAD"]));
    let landed = rb(&repo, &["revert", "HEAD", "HEAD~1"]);
    assert_eq!(landed.code, 0, "{}{}", landed.stdout, landed.stderr);
    assert_eq!(operations(&repo)[0]["commit_ids"].as_array().map(Vec::len), Some(2));
    let run = rb(&repo, &["undo"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    before.0.assert_same(&kept(&repo));
    assert_eq!((references(&repo), repo.git(&["rev-parse", "HEAD"])), (before.1, before.2));
    assert_sound(&repo);
}

#[test]
#[cfg(unix)]
fn permissions_and_the_age_of_links_come_back() {
    use std::os::unix::fs::PermissionsExt;
    let repo = Sandbox::new();
    repo.write("private", "1\n");
    std::os::unix::fs::symlink("private", repo.path().join("link")).unwrap();
    repo.commit("one", &[("other", "o\n")]);
    std::fs::remove_file(repo.path().join("link")).unwrap();
    std::os::unix::fs::symlink("other", repo.path().join("link")).unwrap();
    repo.commit("two", &[("private", "2\n")]);
    let private = repo.path().join("private");
    std::fs::set_permissions(&private, std::fs::Permissions::from_mode(0o600)).unwrap();
    repo.git(&["update-index", "--refresh"]);
    let mode = || std::fs::metadata(&private).unwrap().permissions().mode() & 0o777;
    let age = || std::fs::symlink_metadata(repo.path().join("link")).unwrap().modified().unwrap();
    let before = (kept(&repo), mode(), age());
    assert_eq!(rb(&repo, &["revert", "HEAD"]).code, 0);
    assert_ne!(mode(), 0o600, "a landing writes files as git does");
    assert_eq!(rb(&repo, &["undo"]).code, 0);
    before.0.assert_same(&kept(&repo));
    assert_eq!((mode(), age()), (before.1, before.2));
}

#[test]
fn what_is_old_is_forgotten_and_what_is_newer_can_still_be_taken_back() {
    let repo = broken();
    // The clock of the tests stands still, long ago.
    assert_eq!(rb(&repo, &["revert", "HEAD~1"]).code, 0);
    assert_eq!(rb(&repo, &["undo"]).code, 0);
    assert_eq!(rb(&repo, &["checkpoint", "create", "kept"]).code, 0);
    assert_eq!(rb(&repo, &["checkpoint", "create", "named"]).code, 0);
    let before = (kept(&repo), references(&repo));
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("it is later");
    let date = format!("{} +0000", now.as_secs());
    let landed = rb_with(&repo, &["revert", "HEAD~1"], "", &[("GIT_COMMITTER_DATE", &date)]);
    assert_eq!(landed.code, 0, "{}", landed.stderr);
    let logged = operations(&repo);
    let aside = repo.path().join(".git/rb/aside-00ff");
    std::fs::create_dir_all(aside.join("files")).expect("a folder can be made");

    let whole = State::of(&repo);
    let dry = rb(&repo, &["prune", "--dry-run", "--json"]);
    let ids: Vec<_> = logged[1..].iter().map(|row| row["operation_id"].clone()).collect();
    assert_eq!((dry.code, &dry.json()["operations"]), (0, &json!(ids)), "{}", dry.stderr);
    assert_eq!(dry.json()["files"], json!([]), "it was made just now");
    whole.assert_unchanged(&repo);

    let pruned = rb(&repo, &["prune", "--checkpoint", "named", "--json"]);
    assert_eq!((pruned.code, &pruned.json()["operations"]), (0, &json!(ids)), "{}", pruned.stderr);
    assert_eq!(operations(&repo), &logged[..1], "the newer one says what it said");
    assert_eq!(rb(&repo, &["checkpoint", "show", "kept"]).code, 0, "no checkpoint goes unless it is named");
    assert_eq!(rb(&repo, &["checkpoint", "show", "named"]).code, 5);
    assert_sound(&repo);
    assert_eq!(rb(&repo, &["prune"]).code, 3);
    repo.git(&["reflog", "expire", "--expire=now", "--all"]);
    repo.git(&["gc", "-q", "--prune=now"]);
    assert_eq!(rb(&repo, &["undo"]).code, 0);
    before.0.assert_same(&kept(&repo));
    assert!(before.1.starts_with(&references(&repo)));

    let long_ago = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_500_000_000);
    std::fs::File::open(&aside).and_then(|folder| folder.set_modified(long_ago)).expect("it can be aged");
    let all = rb(&repo, &["prune", "--keep", "0s"]);
    assert_eq!(all.code, 0, "{}", all.stderr);
    assert_eq!(rb(&repo, &["ops"]).stdout, "rb has landed nothing here yet.\n");
    assert!(!aside.exists(), "and it is old now");
    assert_sound(&repo);
}

#[test]
fn a_lock_of_somebody_else_is_named_with_its_age_and_stays() {
    let repo = broken();
    repo.write(".git/index.lock", "");
    let lock = repo.path().join(".git/index.lock");
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(3 * 3600 + 60);
    std::fs::File::options()
        .write(true)
        .open(&lock)
        .and_then(|file| file.set_modified(old))
        .expect("it can be aged");
    let refused = rb(&repo, &["revert", "HEAD~1"]);
    assert_eq!(refused.code, 75, "{}", refused.stderr);
    assert!(
        refused.stderr.contains("index.lock is locked by another process, for 3 hours"),
        "{}",
        refused.stderr
    );
    assert!(lock.exists());
}

#[test]
fn a_record_that_prune_cannot_read_stays_and_is_named() {
    let repo = Sandbox::new();
    repo.commit("one", &[("a", "1\n")]);
    repo.commit("two", &[("a", "2\n")]);
    done(rb(&repo, &["revert", "HEAD"]));
    done(rb(&repo, &["undo"]));
    let (id, _) = records::all(&repo.path().join(".git"), "operations").pop().expect("a record");
    let file = records::folder(&repo.path().join(".git"), "operations").join(&id);
    let record = std::fs::read(&file).expect("a record");
    let newer = [b"rb-record 9", record.strip_prefix(b"rb-record 1").expect("its version")].concat();
    std::fs::write(&file, &newer).expect("it can be written");
    let pruned = done(rb(&repo, &["prune", "--keep", "0s", "--json"]));
    let said = pruned.json();
    let counts = (said["operations"].as_array().map(Vec::len), &said["operations_kept"]);
    assert_eq!(counts, (Some(1), &json!(0)), "{said:#}");
    assert_eq!(said["unreadable"].as_array().map(Vec::len), Some(1), "{said:#}");
    assert_eq!(said["unreadable"][0]["id"], json!(id));
    let note = pruned.line("note: the record of operation");
    assert!(note.starts_with(&format!("{id} is not used: ")), "{note}");
    assert_eq!(std::fs::read(&file).expect("it is there"), newer);
}
