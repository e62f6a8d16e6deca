//! `rb reapply` knows every rollback that `rb is-reverted` knows, and brings back what git does by reverting the revert.

use test_kit::{Sandbox, State};

use crate::kit::{Run, done, rb};

/// Thirty lines, some of them changed.
pub(crate) fn lines(changed: &[(u32, &str)]) -> String {
    let line =
        |n: u32| changed.iter().find(|(at, _)| *at == n).map_or(n.to_string(), |(_, text)| (*text).into());
    (1..=30).map(|n| line(n) + "\n").collect()
}

/// A change of two files, and one of one of them since.
pub(crate) fn history() -> (Sandbox, String) {
    let repo = Sandbox::new();
    repo.commit("start", &[("f", lines(&[])), ("g", "1\n".into())]);
    let change = repo.commit("change", &[("f", lines(&[(5, "five")])), ("g", "2\n".into())]);
    repo.commit("later", &[("f", lines(&[(5, "five"), (25, "later")]))]);
    (repo, change)
}

fn is_reverted(repo: &Sandbox, commit: &str) -> Run {
    rb(repo, &["is-reverted", commit])
}

/// The rollback is HEAD. Named by it or by the change, what comes back is the tree of git's revert of the revert; twice is
/// once.
#[track_caller]
fn comes_back(repo: &Sandbox, change: &str) {
    let answer = is_reverted(repo, change);
    assert_eq!(answer.code, 0, "{}", answer.stdout);
    let rollback = repo.git(&["rev-parse", "HEAD"]);
    let git = repo.twin();
    git.git(&["revert", "--no-edit", "HEAD"]);
    for named in [rollback.as_str(), change] {
        let twin = repo.twin();
        let run = rb(&twin, &["reapply", named]);
        assert_eq!(run.code, 0, "{named}: {}{}", run.stdout, run.stderr);
        assert_eq!(
            twin.git(&["rev-parse", "HEAD^{tree}"]),
            git.git(&["rev-parse", "HEAD^{tree}"]),
            "{named}"
        );
        assert_eq!(twin.git(&["rev-parse", "HEAD^"]), rollback);
        assert_eq!(is_reverted(&twin, change).code, 10);
        let before = State::of(&twin);
        for again in [rollback.as_str(), change] {
            let run = rb(&twin, &["reapply", again]);
            assert_eq!(run.code, 3, "{named}, then {again}: {}{}", run.stdout, run.stderr);
        }
        before.assert_unchanged(&twin);
    }
}

#[test]
fn a_rollback_with_a_message_of_its_own() {
    let (repo, change) = history();
    done(rb(&repo, &["revert", &change, "--message", "revert: the change"]));
    comes_back(&repo, &change);
}

#[test]
fn a_rollback_that_refers_to_the_commit_in_short() {
    let (repo, change) = history();
    done(rb(&repo, &["revert", &change, "--reference"]));
    assert!(!repo.git(&["log", "-1", "--format=%B"]).contains(&change));
    comes_back(&repo, &change);
}

#[test]
fn a_snapshot() {
    let repo = Sandbox::new();
    repo.commit("one", &[("f", "1\n")]);
    let change = repo.commit("two", &[("f", "2\n")]);
    repo.commit("three", &[("f", "3\n")]);
    done(rb(&repo, &["revert", &change, "--allow-loss"]));
    assert_eq!(repo.git(&["log", "-1", "--format=%s"])[..9], *"Restore f");
    comes_back(&repo, &change);
}

#[test]
fn a_squashed_rollback_of_two_commits() {
    let (repo, change) = history();
    let other = repo
        .commit("other", &[("h", "h\n".into()), ("f", lines(&[(5, "five"), (15, "other"), (25, "later")]))]);
    repo.git(&["revert", "--no-commit", &other, &change]);
    repo.commit_index(b"back out both\n");
    comes_back(&repo, &change);
    comes_back(&repo, &other);
}

#[test]
fn a_revert_that_was_made_by_hand() {
    let (repo, change) = history();
    repo.commit("as it was", &[("f", lines(&[(25, "later")])), ("g", "1\n".into())]);
    let by_commit = rb(&repo, &["reapply", &change, "--dry-run", "--json"]);
    assert_eq!(by_commit.code, 0, "{}", by_commit.stderr);
    let by_rollback = rb(&repo, &["reapply", "HEAD", "--dry-run", "--json"]);
    assert_eq!(by_commit.json()["attempts"][0]["tree_id"], by_rollback.json()["attempts"][0]["tree_id"]);
    assert_eq!(by_commit.json()["attempts"][0]["tree_id"], repo.git(&["rev-parse", "HEAD~1^{tree}"]));
}

#[test]
fn a_rollback_whose_lines_moved_on() {
    let (repo, change) = history();
    done(rb(&repo, &["revert", &change, "--message", "undo it"]));
    repo.commit("on top", &[("f", lines(&[(12, "on top"), (25, "later")]))]);
    let git = repo.twin();
    git.git(&["revert", "--no-edit", "HEAD^"]);
    assert_eq!(is_reverted(&repo, &change).code, 0);
    done(rb(&repo, &["reapply", &change]));
    assert_eq!(repo.git(&["rev-parse", "HEAD^{tree}"]), git.git(&["rev-parse", "HEAD^{tree}"]));
}

#[test]
fn a_part_that_was_rolled_back_with_a_message_of_its_own() {
    let (repo, change) = history();
    done(rb(&repo, &["revert", &change, "--file", "g", "--message", "g as before"]));
    assert_eq!(is_reverted(&repo, &change).code, 10);
    for named in ["HEAD", &change] {
        let twin = repo.twin();
        done(rb(&twin, &["reapply", named]));
        assert_eq!(twin.git(&["rev-parse", "HEAD^{tree}"]), repo.git(&["rev-parse", "HEAD^^{tree}"]));
    }
}

#[test]
fn two_rollbacks_of_a_part_each_are_both_undone() {
    let (repo, change) = history();
    let before = repo.git(&["rev-parse", "HEAD^{tree}"]);
    done(rb(&repo, &["revert", &change, "--file", "g", "--message", "g as before"]));
    done(rb(&repo, &["revert", &change, "--file", "f", "--message", "f as before"]));
    assert_eq!(is_reverted(&repo, &change).code, 0);
    done(rb(&repo, &["reapply", &change]));
    assert_eq!(repo.git(&["rev-parse", "HEAD^{tree}"]), before);
}

#[test]
fn of_a_commit_that_did_more_only_the_rollback_is_undone() {
    let (repo, change) = history();
    repo.commit("release", &[("f", lines(&[(25, "later")])), ("g", "1\n".into()), ("version", "2\n".into())]);
    done(rb(&repo, &["reapply", &change]));
    assert_eq!(repo.git(&["show", "HEAD:version"]), "2");
    assert_eq!(repo.git(&["diff", "--name-only", "HEAD~2", "HEAD"]), "version");
}

#[test]
fn a_word_alone_is_no_rollback() {
    let (repo, change) = history();
    repo.commit(&format!("notes\n\nThis reverts commit {change}. No, it does not.\n"), &[("notes", "n\n")]);
    repo.git(&["commit", "-q", "--allow-empty", "-m", &format!("Revert\n\nThis reverts commit {change}.")]);
    let before = State::of(&repo);
    assert_eq!(is_reverted(&repo, &change).code, 10);
    for named in ["HEAD", "HEAD~1", &change] {
        let run = rb(&repo, &["reapply", named]);
        assert_eq!(run.code, 3, "{named}: {}", run.stdout);
    }
    before.assert_unchanged(&repo);
}

#[test]
fn a_pick_stands_for_its_commit() {
    let (repo, change) = history();
    repo.git(&["checkout", "-q", "-b", "release", &format!("{change}^")]);
    repo.commit("of the release", &[("r", "r\n")]);
    let absent = is_reverted(&repo, &change);
    assert_eq!(
        (absent.code, absent.stdout.contains("is not in this history")),
        (10, true),
        "{}",
        absent.stdout
    );
    repo.git(&["cherry-pick", "-x", &change]);
    let picked = is_reverted(&repo, &change);
    assert_eq!((picked.code, picked.stdout.contains("is in force")), (10, true), "{}", picked.stdout);
    assert!(picked.stdout.contains("It was picked here as "), "{}", picked.stdout);
    repo.git(&["revert", "--no-edit", "HEAD"]);
    let run = rb(&repo, &["is-reverted", &change, "--json"]);
    assert_eq!(run.code, 0, "{}", run.stdout);
    assert_eq!(run.json()["picked_as"], repo.git(&["rev-parse", "HEAD^"]));
    comes_back(&repo, &change);
}

#[test]
fn a_change_that_landed_again_is_in_force() {
    let relands: [fn(&Sandbox, &str); 3] = [
        |repo, change| drop(repo.git(&["cherry-pick", "-x", change])),
        |repo, change| drop(repo.git(&["cherry-pick", change])),
        |repo, _| drop(repo.git(&["revert", "--no-edit", "HEAD"])),
    ];
    for reland in relands {
        let (repo, change) = history();
        repo.git(&["revert", "--no-edit", &change]);
        assert_eq!(is_reverted(&repo, &change).code, 0);
        reland(&repo, &change);
        repo.commit("edit", &[("f", lines(&[(5, "five"), (17, "edit"), (25, "later")]))]);
        let answer = is_reverted(&repo, &change);
        assert_eq!((answer.code, answer.stdout.contains("is in force")), (10, true), "{}", answer.stdout);
        assert_eq!(rb(&repo, &["reapply", &change]).code, 3);
    }
}

#[test]
fn a_change_that_landed_again_with_a_fix_is_not_called_reverted() {
    let (repo, change) = history();
    repo.git(&["revert", "--no-edit", &change]);
    repo.git(&["cherry-pick", "-x", "--no-commit", &change]);
    repo.write("f", lines(&[(5, "five, fixed"), (25, "later")]));
    repo.git(&["add", "f"]);
    repo.commit_index(format!("change, fixed\n\n(cherry picked from commit {change})\n").as_bytes());
    assert_eq!(is_reverted(&repo, &change).code, 10);
}

#[test]
fn a_revert_with_later_edits_of_the_same_lines_still_counts() {
    let (repo, change) = history();
    repo.git(&["revert", "--no-edit", &change]);
    repo.commit("edit", &[("f", lines(&[(5, "quite different"), (25, "later")])), ("g", "3\n".into())]);
    let answer = is_reverted(&repo, &change);
    assert_eq!(answer.code, 0, "{}", answer.stdout);
}

#[test]
fn a_part_that_was_rolled_back_where_it_moved_to() {
    let (repo, change) = history();
    std::fs::create_dir(repo.path().join("lib")).expect("a folder");
    repo.git(&["mv", "f", "lib/f"]);
    repo.commit_index(b"move\n");
    done(rb(&repo, &["revert", &change, "--file", "lib/f", "--message", "five is wrong"]));
    assert_eq!(repo.git(&["diff", "--name-only", "HEAD^", "HEAD"]), "lib/f");
    for named in ["HEAD", &change] {
        let twin = repo.twin();
        done(rb(&twin, &["reapply", named]));
        assert_eq!(
            twin.git(&["rev-parse", "HEAD^{tree}"]),
            repo.git(&["rev-parse", "HEAD^^{tree}"]),
            "{named}"
        );
    }
}
