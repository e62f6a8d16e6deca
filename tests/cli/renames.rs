//! Scopes follow renames in both directions. git judges by `merge-tree`, fed with the restricted trees, and by `show`.

use test_kit::{Sandbox, State};

use crate::kit::{Run, done, rb};

/// Thirty lines, some of them changed.
fn lines(changed: &[(u32, &str)]) -> String {
    let line =
        |n: u32| changed.iter().find(|(at, _)| *at == n).map_or(n.to_string(), |(_, text)| (*text).into());
    (1..=30).map(|n| line(n) + "\n").collect()
}

fn bad() -> String {
    lines(&[(7, "seven")])
}

/// `a.py`, changed by `bad` beside another file, and moved to `lib/a.py` since.
struct Moved {
    repo: Sandbox,
    good: String,
    bad: String,
}

fn moved() -> Moved {
    let repo = Sandbox::new();
    let good = repo.commit("good", &[("a.py", lines(&[])), ("other", "1\n".into())]);
    let bad = repo.commit("bad", &[("a.py", bad()), ("other", "2\n".into())]);
    move_to(&repo, "a.py", "lib/a.py");
    repo.commit("later", &[("x", "x\n")]);
    Moved { repo, good, bad }
}

fn move_to(repo: &Sandbox, from: &str, to: &str) -> String {
    if let Some((folder, _)) = to.rsplit_once('/') {
        std::fs::create_dir_all(repo.path().join(folder)).expect("a folder");
    }
    repo.git(&["mv", from, to]);
    repo.commit_index(format!("move {from} to {to}\n").as_bytes())
}

/// The paths that HEAD changes, with their letters.
fn changed(repo: &Sandbox) -> String {
    assert_eq!(repo.git(&["status", "--porcelain"]), "");
    repo.git(&["diff-tree", "-r", "--no-renames", "--name-status", "HEAD^", "HEAD"]).replace('\t', " ")
}

fn show(repo: &Sandbox, what: &str) -> String {
    repo.git(&["show", what]) + "\n"
}

#[test]
fn a_commit_is_undone_in_a_file_by_its_name_of_today() {
    for words in [&["--file", "lib/a.py"][..], &["--", "lib/a.py"], &["--", "lib"], &["--file", "a.py"]] {
        let Moved { repo, bad, good } = moved();
        let run = done(rb(&repo, &[&["revert", &bad], words].concat()));
        assert_eq!(changed(&repo), "M lib/a.py", "{words:?} {}", run.stdout);
        assert_eq!(
            repo.git(&["rev-parse", "HEAD:lib/a.py"]),
            repo.git(&["rev-parse", &format!("{good}:a.py")])
        );
        assert_eq!(rb(&repo, &[&["revert", &bad], words].concat()).code, 3, "once is enough");
    }
}

#[test]
fn what_comes_of_it_is_what_git_makes_of_the_restricted_tree() {
    let Moved { repo, bad, .. } = moved();
    repo.commit("edit", &[("lib/a.py", lines(&[(7, "seven"), (20, "twenty")]))]);
    // The tree of `bad` with `a.py` alone taken from its parent.
    repo.git(&["read-tree", &bad]);
    let entry = repo.git(&["rev-parse", &format!("{bad}^:a.py")]);
    repo.git(&["update-index", "--cacheinfo", &format!("100644,{entry},a.py")]);
    let theirs = repo.git(&["write-tree"]);
    repo.git(&["reset", "-q"]);
    let base = format!("--merge-base={bad}^{{tree}}");
    let merged = repo.git(&["merge-tree", "--write-tree", &base, "HEAD^{tree}", &theirs]);
    done(rb(&repo, &["revert", &bad, "--file", "lib/a.py"]));
    assert_eq!(repo.git(&["rev-parse", "HEAD^{tree}"]), merged);
    assert_eq!(show(&repo, "HEAD:lib/a.py"), lines(&[(20, "twenty")]), "the later edit is kept");
}

#[test]
fn the_message_and_the_plan_say_both_names() {
    let Moved { repo, bad, .. } = moved();
    let run = done(rb(&repo, &["revert", &bad, "--file", "lib/a.py"]));
    let short = repo.git(&["rev-parse", "--short", &bad]);
    assert!(run.stdout.contains(&format!("{short}, only this path")), "{}", run.stdout);
    assert!(run.stdout.contains(&format!("note: lib/a.py is called a.py in {short}")), "{}", run.stdout);
    let message = repo.git(&["log", "-1", "--format=%B"]);
    assert!(message.starts_with("Revert \"bad\" in lib/a.py\n"), "{message}");
    assert!(message.contains(&format!("of commit {bad} to:\n  a.py, now lib/a.py")), "{message}");
}

#[test]
fn the_culprit_is_the_change_of_content_and_never_the_move() {
    let Moved { repo, bad, good } = moved();
    let plan = rb(&repo, &["revert", "--file", "lib/a.py", "--dry-run", "--json"]).json();
    assert_eq!(plan["target"]["culprit"]["commit_id"], bad.as_str());
    done(rb(&repo, &["revert", "--file", "lib/a.py"]));
    assert_eq!(changed(&repo), "M lib/a.py");
    assert_eq!(repo.git(&["rev-parse", "HEAD:lib/a.py"]), repo.git(&["rev-parse", &format!("{good}:a.py")]));
    let again = rb(&repo, &["revert", "--file", "lib/a.py"]);
    assert_eq!(again.code, 3, "{}{}", again.stdout, again.stderr);
}

#[test]
fn a_chain_of_names_is_followed_with_edits_on_the_way() {
    let repo = Sandbox::new();
    repo.commit("good", &[("a", lines(&[]))]);
    let bad = repo.commit("bad", &[("a", bad()), ("o", "o\n".into())]);
    move_to(&repo, "a", "b");
    // More than half of it is another by now: nothing but the history tells what it was.
    let mut now = bad_and_new(10);
    repo.commit("grow", &[("b", now.clone())]);
    move_to(&repo, "b", "c/d");
    now = bad_and_new(60);
    repo.commit("grow more", &[("c/d", now.clone())]);
    move_to(&repo, "c/d", "e");
    done(rb(&repo, &["revert", &bad, "--file", "e"]));
    assert_eq!(changed(&repo), "M e");
    assert_eq!(show(&repo, "HEAD:e"), now.replace("seven\n", "7\n"));
}

fn bad_and_new(more: u32) -> String {
    bad() + &(1..=more).map(|n| format!("new line number {n}\n")).collect::<String>()
}

#[test]
fn a_file_that_took_over_the_old_name_is_left_alone() {
    for named in ["lib/a.py", "a.py"] {
        let Moved { repo, bad, .. } = moved();
        repo.commit("another", &[("a.py", "#!/usr/bin/env python\nprint('another')\n")]);
        done(rb(&repo, &["revert", &bad, "--file", named]));
        assert_eq!(changed(&repo), "M lib/a.py", "{named}");
        assert_eq!(show(&repo, "HEAD:lib/a.py"), lines(&[]));
    }
}

#[test]
fn the_new_file_of_an_old_name_has_a_history_of_its_own() {
    let Moved { repo, bad, .. } = moved();
    repo.commit("another", &[("a.py", "one\ntwo\n")]);
    let worse = repo.commit("worse", &[("a.py", "one\n2\n")]);
    let plan = rb(&repo, &["revert", "--file", "a.py", "--dry-run", "--json"]).json();
    assert_eq!(plan["target"]["culprit"]["commit_id"], worse.as_str());
    let plan = rb(&repo, &["revert", "--file", "lib/a.py", "--dry-run", "--json"]).json();
    assert_eq!(plan["target"]["culprit"]["commit_id"], bad.as_str());
}

#[test]
fn a_folder_that_was_renamed_covers_what_lay_in_it() {
    let repo = Sandbox::new();
    repo.commit("good", &[("src/a", lines(&[])), ("src/sub/b", lines(&[])), ("top", "1\n".into())]);
    let bad =
        repo.commit("bad", &[("src/a", bad()), ("src/sub/b", lines(&[(3, "three")])), ("top", "2\n".into())]);
    repo.git(&["mv", "src", "lib"]);
    repo.commit_index(b"rename the folder\n");
    let twin = repo.twin();
    done(rb(&repo, &["revert", &bad, "--", "lib"]));
    assert_eq!(changed(&repo), "M lib/a\nM lib/sub/b");
    done(rb(&twin, &["revert", &bad, "--", "lib/sub"]));
    assert_eq!(changed(&twin), "M lib/sub/b");
    done(rb(&twin, &["restore", "lib", "-s", &format!("{bad}^"), "--allow-loss"]));
    assert_eq!(twin.git(&["rev-parse", "HEAD:lib"]), twin.git(&["rev-parse", &format!("{bad}^:src")]));
}

#[test]
fn a_file_moved_into_the_folder_counts_and_one_moved_out_does_not() {
    let repo = Sandbox::new();
    repo.commit(
        "good",
        &[("in", lines(&[])), ("lib/out", lines(&[(1, "out")])), ("lib/stays", "1\n".into())],
    );
    let bad = repo.commit(
        "bad",
        &[("in", bad()), ("lib/out", lines(&[(1, "out"), (9, "nine")])), ("lib/stays", "2\n".into())],
    );
    move_to(&repo, "in", "lib/in");
    done(rb(&repo, &["revert", &bad, "--", "lib"]));
    assert_eq!(changed(&repo), "M lib/in\nM lib/out\nM lib/stays");
}

#[test]
fn an_edit_in_the_same_commit_as_the_move_is_undone_and_the_name_stays() {
    let repo = Sandbox::new();
    repo.commit("good", &[("a", lines(&[])), ("b", "1\n".into())]);
    repo.git(&["mv", "a", "c"]);
    let culprit = repo.commit("move and edit", &[("c", bad())]);
    repo.commit("later", &[("b", "2\n")]);
    let named = repo.twin();
    let run = done(rb(&repo, &["revert", "--file", "c"]));
    assert_eq!(changed(&repo), "M c", "{}", run.stdout);
    assert_eq!(show(&repo, "HEAD:c"), lines(&[]));
    assert_eq!(rb(&repo, &["revert", "--file", "c"]).code, 3);
    // Who names the commit has its rename undone as well.
    done(rb(&named, &["revert", &culprit, "--file", "c"]));
    assert_eq!(changed(&named), "A a\nD c");
}

#[test]
fn a_path_that_was_only_named_is_never_deleted() {
    let repo = Sandbox::new();
    repo.commit("start", &[("x", "x\n")]);
    let added = repo.commit("add", &[("new", "n\n"), ("y", "y\n")]);
    move_to(&repo, "new", "lib/new");
    let before = State::of(&repo);
    let run = rb(&repo, &["revert", "--file", "lib/new"]);
    assert_eq!(run.code, 1, "{}{}", run.stdout, run.stderr);
    before.assert_unchanged(&repo);
    let short = &added[..10];
    let hint = format!("to remove what it added, name it: rb revert {short} --file :/lib/new");
    assert_eq!(run.line("hint:"), hint);
    done(rb(&repo, &["revert", short, "--file", ":/lib/new"]));
    assert_eq!(changed(&repo), "D lib/new");
}

#[test]
fn the_old_name_comes_back_and_the_new_one_stays_unless_it_is_asked_for() {
    let away = || {
        let repo = Sandbox::new();
        repo.commit("start", &[("p", lines(&[])), ("x", "x\n".into())]);
        repo.git(&["mv", "p", "q"]);
        let gone = repo.commit("move", &[("x", "y\n")]);
        (repo, gone)
    };
    let (repo, gone) = away();
    done(rb(&repo, &["revert", &gone, "--file", "p"]));
    assert_eq!(changed(&repo), "A p");
    for words in [&["--file", "p", "--with-renames"][..], &["--file", "p", "--file", "q"], &["--file", "q"]] {
        let (repo, gone) = away();
        done(rb(&repo, &[&["revert", &gone], words].concat()));
        assert_eq!(changed(&repo), "A p\nD q", "{words:?}");
    }
}

#[test]
fn a_copy_is_no_rename() {
    let repo = Sandbox::new();
    repo.commit("good", &[("a", lines(&[])), ("o", "1\n".into())]);
    let bad = repo.commit("bad", &[("a", bad()), ("o", "2\n".into())]);
    repo.commit("copy", &[("copy", self::bad())]);
    let before = State::of(&repo);
    let run = rb(&repo, &["revert", &bad, "--file", "copy"]);
    assert_ne!(run.code, 0, "{}", run.stdout);
    before.assert_unchanged(&repo);
    done(rb(&repo, &["revert", &bad, "--file", "a"]));
    assert_eq!(changed(&repo), "M a");
}

#[test]
fn a_name_that_changed_in_case_alone_is_followed() {
    let repo = Sandbox::new();
    repo.commit("good", &[("readme.md", lines(&[])), ("o", "1\n".into())]);
    let bad = repo.commit("bad", &[("readme.md", bad()), ("o", "2\n".into())]);
    move_to(&repo, "readme.md", "README.md");
    done(rb(&repo, &["revert", &bad, "--file", "README.md"]));
    assert_eq!(changed(&repo), "M README.md");
    assert_eq!(show(&repo, "HEAD:README.md"), lines(&[]));
}

#[test]
fn a_restore_takes_the_file_under_the_name_it_had_and_says_so() {
    let Moved { repo, good, bad } = moved();
    repo.commit("edit", &[("lib/a.py", lines(&[(7, "seven"), (20, "twenty")]))]);
    let edit = repo.git(&["rev-parse", "--short", "HEAD"]);
    let refused = rb(&repo, &["restore", "lib/a.py", "-s", &good]);
    assert_eq!(refused.code, 6, "{}{}", refused.stdout, refused.stderr);
    let discards = |run: &Run| run.stdout.lines().filter(|line| line.starts_with("  ")).count();
    assert!(refused.line("error:").ends_with("to lib/a.py (lib/a.py was a.py)"), "{}", refused.stderr);
    assert!(refused.stdout.contains(&edit) && refused.stdout.contains(&bad[..7]), "{}", refused.stdout);
    assert!(discards(&refused) > 0 && !refused.stdout.contains("move a.py"), "{}", refused.stdout);
    let run = done(rb(&repo, &["restore", "lib/a.py", "-s", &good, "--allow-loss"]));
    assert!(run.stdout.contains("note: lib/a.py is called a.py in "), "{}", run.stdout);
    assert_eq!(changed(&repo), "M lib/a.py");
    assert_eq!(show(&repo, "HEAD:lib/a.py"), lines(&[]));
    let message = repo.git(&["log", "-1", "--format=%B"]);
    assert!(message.contains("  lib/a.py, there a.py\n"), "{message}");
}

#[test]
fn a_restore_from_a_branch_that_still_has_the_old_name() {
    let repo = Sandbox::new();
    repo.commit("start", &[("a.py", lines(&[]))]);
    repo.git(&["checkout", "-q", "-b", "stable"]);
    repo.commit("fix", &[("a.py", lines(&[(9, "fixed")]))]);
    repo.git(&["checkout", "-q", "main"]);
    move_to(&repo, "a.py", "lib/a.py");
    done(rb(&repo, &["restore", "lib/a.py", "-s", "stable", "--allow-loss"]));
    assert_eq!(changed(&repo), "M lib/a.py");
    assert_eq!(show(&repo, "HEAD:lib/a.py"), lines(&[(9, "fixed")]));
}

#[test]
fn a_pick_lands_in_the_file_that_was_renamed_here() {
    let repo = Sandbox::new();
    repo.commit("start", &[("a.py", lines(&[])), ("o", "1\n".into())]);
    repo.git(&["checkout", "-q", "-b", "stable"]);
    let fix = repo.commit("fix", &[("a.py", lines(&[(9, "fixed")])), ("o", "2\n".into())]);
    repo.git(&["checkout", "-q", "main"]);
    move_to(&repo, "a.py", "lib/a.py");
    done(rb(&repo, &["pick", &fix, "--file", "lib/a.py"]));
    assert_eq!(changed(&repo), "M lib/a.py");
}

#[test]
fn what_is_staged_does_not_hide_the_name() {
    let Moved { repo, bad, .. } = moved();
    done(rb(&repo, &["revert", "-n", &bad, "--file", "lib/a.py"]));
    assert_eq!(repo.git(&["status", "--porcelain"]), "M  lib/a.py");
    assert_eq!(show(&repo, ":lib/a.py"), lines(&[]));
}

#[test]
fn git_comes_to_the_same_when_it_is_asked_beside() {
    let Moved { repo, bad, .. } = moved();
    repo.commit("another", &[("a.py", "#!/usr/bin/env python\n")]);
    let run = done(rb(&repo, &["revert", &bad, "--file", "lib/a.py", "--cross-check", "--json"]));
    assert_eq!(run.json()["cross_check"]["merges"], 1);
    let repo = Sandbox::new();
    repo.commit("good", &[("a", lines(&[])), ("b", "1\n".into())]);
    repo.git(&["mv", "a", "c"]);
    repo.commit("move and edit", &[("c", self::bad())]);
    move_to(&repo, "c", "d");
    done(rb(&repo, &["revert", "--file", "d", "--cross-check"]));
    assert_eq!(changed(&repo), "M d");
    assert_eq!(show(&repo, "HEAD:d"), lines(&[]));
}

#[test]
fn a_culprit_that_is_named_is_found_under_the_name_of_its_day() {
    let Moved { repo, bad, .. } = moved();
    repo.commit("edit", &[("lib/a.py", lines(&[(7, "seven"), (20, "twenty")]))]);
    done(rb(&repo, &["revert", "--file", "lib/a.py", "--change", &bad]));
    assert_eq!(changed(&repo), "M lib/a.py");
    assert_eq!(show(&repo, "HEAD:lib/a.py"), lines(&[(20, "twenty")]));
}

#[test]
fn predicates_are_asked_of_the_old_name_too() {
    let Moved { repo, bad, .. } = moved();
    repo.commit("edit", &[("lib/a.py", lines(&[(7, "seven"), (20, "twenty")]))]);
    let plan =
        rb(&repo, &["revert", "--file", "lib/a.py", "--good-match", "^7$", "--dry-run", "--json"]).json();
    assert_eq!(plan["target"]["culprit"]["commit_id"], bad.as_str());
    done(rb(&repo, &["revert", "--file", "lib/a.py", "--good-match", "^7$"]));
    assert_eq!(changed(&repo), "M lib/a.py");
}
