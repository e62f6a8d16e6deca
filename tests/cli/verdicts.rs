//! "Nothing to do" is said only where the state is what was asked for; elsewhere there is a result, or the end of the
//! ladder.

use test_kit::{Part, Sandbox, State};

use crate::kit::{Run, done, rb};

fn lines(range: std::ops::RangeInclusive<u32>) -> String {
    range.map(|number| format!("{number}\n")).collect()
}

/// The commit `bad` adds a file that was moved and edited since.
fn moved_and_edited() -> Sandbox {
    let repo = Sandbox::new();
    repo.commit("base", &[("base", lines(1..=30))]);
    repo.commit("bad", &[("bad.py", lines(1..=40))]);
    repo.git(&["mv", "bad.py", "moved.py"]);
    repo.commit("moved", &[("moved.py", lines(1..=40).replace("\n7\n", "\nseven\n"))]);
    repo
}

#[track_caller]
fn stays(repo: &Sandbox, words: &[&str], code: i32) -> Run {
    let before = State::of(repo);
    let run = rb(repo, words);
    assert_eq!(run.code, code, "{words:?}: {}{}", run.stdout, run.stderr);
    before.assert_unchanged(repo);
    run
}

#[test]
fn a_change_that_lives_on_under_another_name_conflicts_and_is_never_nothing_to_do() {
    let repo = moved_and_edited();
    assert_eq!(repo.twin().try_git(&["revert", "--no-edit", "HEAD~1"]).status.code(), Some(1));
    let said = stays(&repo, &["revert", "HEAD~1"], 1);
    assert!(said.stdout.contains("bad.py became moved.py since"), "{}", said.stdout);
    stays(&repo, &["revert", "HEAD~1", "--allow-noop"], 1);
    for words in [&["revert", "HEAD~1", "--json"][..], &["revert", "HEAD~1", "--dry-run", "--json"]] {
        let document = stays(&repo, words, 1).json();
        assert!(document["chosen"].is_null() && document["plan"]["chosen"].is_null());
        assert!(!document.to_string().contains("nothing-to-do"), "{document}");
    }
    stays(&repo, &["revert", "HEAD~1", "--via", "restore-file"], 1);
    stays(&repo, &["revert", "HEAD~1", "--", "bad.py"], 1);
}

#[test]
fn restoring_the_old_name_is_no_way_back_for_content_that_moved() {
    let repo = Sandbox::new();
    repo.commit("base", &[("a.py", lines(1..=30))]);
    repo.commit("bad", &[("a.py", lines(1..=30).replace("\n7\n", "\nseven\n"))]);
    repo.git(&["mv", "a.py", "b.py"]);
    repo.commit("moved", &[("b.py", lines(1..=30).replace("\n7\n", "\nSEVEN\n"))]);
    let said = stays(&repo, &["revert", "HEAD~1", "--allow-loss"], 1);
    assert!(said.stdout.contains("a.py became b.py since"), "{}", said.stdout);
    stays(&repo, &["revert", "--file", "a.py", "--change", "HEAD~1", "--allow-loss"], 1);
}

#[test]
fn a_merge_whose_file_moved_on_is_not_undone_by_leaving_everything_as_it_is() {
    let repo = Sandbox::new();
    repo.commit("base", &[("base", "1\n")]);
    repo.git(&["switch", "-q", "-c", "topic"]);
    repo.commit("bad", &[("bad.py", lines(1..=40))]);
    repo.git(&["switch", "-q", "main"]);
    repo.git(&["merge", "-q", "--no-ff", "--no-edit", "topic"]);
    repo.git(&["mv", "bad.py", "moved.py"]);
    repo.commit("moved", &[("moved.py", lines(1..=40).replace("\n7\n", "\nseven\n"))]);
    stays(&repo, &["revert", "-m", "1", "HEAD~1"], 1);
    stays(&repo, &["revert", "HEAD~1", "topic"], 1);
}

#[test]
fn what_was_undone_or_picked_already_is_nothing_to_do() {
    let repo = Sandbox::new();
    repo.commit("base", &[("a", "1\n"), ("b", "1\n")]);
    repo.commit("bad", &[("a", "2\n")]);
    repo.commit("other", &[("b", "2\n")]);
    done(rb(&repo, &["revert", "HEAD~1"]));
    for words in [
        &["revert", "HEAD~2"][..],
        &["revert", "HEAD~2", "--via", "restore-file"],
        &["revert", "HEAD~2", "--", "a"],
        &["pick", "HEAD~1"],
        &["restore", "a", "-s", "HEAD~3"],
        &["revert", "--file", "a"],
    ] {
        stays(&repo, words, 3);
        let with = |flag| [&words[..1], &[flag], &words[1..]].concat();
        stays(&repo, &with("--dry-run"), 3);
        stays(&repo, &with("--allow-noop"), 0);
    }
}

fn broken_main() -> Sandbox {
    let repo = Sandbox::new();
    repo.commit("good", &[("app.py", "def main():\n    return 0\n")]);
    repo.commit("break main", &[("app.py", "def main():\n    return 3\n")]);
    repo.commit("other", &[("x", "x\n")]);
    repo
}

#[test]
fn a_pattern_that_holds_before_and_after_the_change_says_so_and_undoes_the_change() {
    let repo = broken_main();
    let run = done(rb(&repo, &["revert", "--file", "app.py", "--good-match", "def main"]));
    assert!(run.stdout.contains("before and after"), "{}", run.stdout);
    assert_eq!(repo.git(&["show", "HEAD:app.py"]), "def main():\n    return 0");
    let notes = |words: &[&str]| rb(&broken_main(), words).json()["notes"].to_string();
    let dry = ["revert", "--file", "app.py", "--good-match", "def main", "--dry-run", "--json"];
    assert!(notes(&dry).contains("good-on-both-sides"));
}

#[test]
fn a_rollback_is_known_by_its_state_with_a_pattern_too() {
    let repo = broken_main();
    done(rb(&repo, &["revert", "--file", "app.py", "--good-match", "return 0"]));
    stays(&repo, &["revert", "--file", "app.py", "--good-match", "return 0"], 3);
    stays(&repo, &["revert", "--file", "app.py", "--good-match", "def main"], 3);
}

#[test]
fn a_repair_is_not_taken_for_the_change_that_broke_the_file() {
    let repo = broken_main();
    let repair = repo.commit("repair", &[("app.py", "def main():\n    log()\n    return 0\n")]);
    let words = ["revert", "--file", "app.py", "--good-match", "return 0"];
    let said = stays(&repo, &words, 1);
    assert!(said.stderr.contains("which repaired it and did not roll it back"), "{}", said.stderr);
    let hint = format!("undo that change all the same with: rb revert --file :/app.py --change {repair}");
    assert_eq!(said.line("hint:"), hint);
    done(rb(&repo, &["revert", "--file", ":/app.py", "--change", &repair]));
    assert_eq!(repo.git(&["show", "HEAD:app.py"]), "def main():\n    return 3");
}

#[test]
fn a_last_line_without_a_line_feed_counts_everywhere() {
    let repo = Sandbox::new();
    repo.commit("good", &[("f", "1\n2\n3")]);
    repo.commit("bad", &[("f", "1\n")]);
    done(rb(&repo, &["revert", "--file", "f", "--good-lines", "3"]));
    assert_eq!(repo.git_bytes(&["show", "HEAD:f"]), b"1\n2\n3");
    stays(&repo, &["revert", "--file", "f", "--good-lines", "3"], 3);
}

#[test]
fn a_procedure_whose_check_the_broken_content_passes_still_rolls_back() {
    for expect in ["exists = true, contains = \"def main\"", "exists = true", "contains = \"def main\""] {
        let repo = broken_main();
        let procedure = format!(
            "schema = 1\nid = \"p\"\ndefault_phase = \"x\"\n[phase.x]\npaths = [\"app.py\"]\n\
             ladder = [{{ use = \"revert-commit\" }}]\ntarget = {{ path = \"app.py\" }}\nvalidate = [\"v\"]\n\
             [[check]]\nid = \"v\"\nfile = \"app.py\"\nexpect = {{ {expect} }}\n"
        );
        repo.commit("procedure", &[(".rb/procedures/p.toml", procedure)]);
        let hash = crate::kit::hash_of(&repo, &["trust", "p"]);
        done(rb(&repo, &["run", "p", "-y", "--trusted-hash", &hash]));
        assert_eq!(repo.git(&["show", "HEAD:app.py"]), "def main():\n    return 0", "{expect}");
        assert_eq!(repo.git(&["status", "--porcelain"]), "");
    }
}

#[test]
fn a_removed_path_that_came_back_otherwise_is_not_taken_for_rolled_back() {
    let run = |back: &str, again: &[(&str, &str)]| {
        let repo = Sandbox::new();
        repo.commit("good", &[("shim.py", "alias\n")]);
        repo.git(&["rm", "-q", "shim.py"]);
        repo.commit("removed", &[("x", "x\n")]);
        repo.commit("back", &[("shim.py", back)]);
        for (path, content) in again {
            repo.commit("edited", &[(*path, *content)]);
        }
        let procedure = "schema = 1\nid = \"p\"\ndefault_phase = \"x\"\n[phase.x]\npaths = [\"shim.py\"]\n\
             ladder = [{ use = \"revert-commit\", scoped = true }]\ntarget = { deleted = \"shim.py\" }\n\
             validate = [\"v\"]\n[[check]]\nid = \"v\"\nfile = \"shim.py\"\nexpect = { exists = true }\n";
        repo.commit("procedure", &[(".rb/procedures/p.toml", procedure)]);
        let hash = crate::kit::hash_of(&repo, &["trust", "p"]);
        let before = State::of(&repo).only(&[Part::Files]);
        let run = rb(&repo, &["run", "p", "-y", "--trusted-hash", &hash]);
        before.assert_same(&State::of(&repo).only(&[Part::Files]));
        run.code
    };
    assert_eq!(run("alias\n", &[]), 3);
    assert_eq!(run("alias\n", &[("shim.py", "alias\nmore\n")]), 3, "later edits are no removal");
    assert_eq!(run("", &[]), 1, "an empty file in its place is not what was there");
}
