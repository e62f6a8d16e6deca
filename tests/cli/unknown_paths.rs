//! Paths that never existed are refused by name wherever they stand, and never stand in a message.

use test_kit::{Sandbox, State};

use crate::kit::{done, rb, rb_in};

fn two_files() -> Sandbox {
    let repo = Sandbox::new();
    repo.commit("one", &[("docs.md", "1\n"), ("src/app.py", "1\n")]);
    repo.commit("two", &[("docs.md", "2\n"), ("src/app.py", "2\n")]);
    repo
}

#[test]
fn a_path_that_never_was_is_refused_by_name_also_beside_ones_that_were() {
    let repo = two_files();
    let before = State::of(&repo);
    for words in [
        &["revert", "HEAD", "--", "docs.md", "nowhere"][..],
        &["revert", "HEAD", "--", "nowhere"],
        &["revert", "HEAD", "--file", "docs.md", "--file", "nowhere"],
        &["revert", "HEAD~1..HEAD", "--", "docs.md", "nowhere"],
        &["revert", "--file", "docs.md", "--file", "nowhere"],
        &["revert", "--change", "HEAD", "--file", "nowhere"],
        &["revert", "--to", "HEAD~1", "--file", "nowhere"],
        &["pick", "HEAD", "--", "docs.md", "nowhere"],
        &["restore", "docs.md", "nowhere", "-s", "HEAD~1"],
        &["restore", "nowhere"],
        &["history", "nowhere"],
        &["revert", "HEAD", "--branch", "x", "--", "docs.md", "nowhere"],
        &["revert", "HEAD", "--dry-run", "--", "docs.md", "nowhere"],
    ] {
        let refused = rb(&repo, words);
        assert_eq!(refused.code, 5, "{words:?}: {}{}", refused.stdout, refused.stderr);
        assert!(refused.line("error:").contains("'nowhere' never existed"), "{words:?}: {}", refused.stderr);
    }
    before.assert_unchanged(&repo);
}

#[test]
fn what_stands_behind_two_dashes_is_a_path_and_never_an_option() {
    let repo = two_files();
    let before = State::of(&repo);
    let refused = rb(&repo, &["revert", "HEAD", "--", "docs.md", "--dry-run"]);
    assert_eq!(refused.code, 5, "{}", refused.stderr);
    assert_eq!(
        refused.line("hint:"),
        "options stand before the two dashes; did you mean: rb revert HEAD --dry-run -- docs.md"
    );
    before.assert_unchanged(&repo);

    repo.commit("odd", &[("--dry-run", "1\n"), ("docs.md", "3\n")]);
    done(rb(&repo, &["revert", "HEAD", "--", "--dry-run"]));
    assert_eq!(repo.git(&["diff", "--name-status", "HEAD~1", "HEAD"]), "D\t--dry-run");
    done(rb(&repo, &["restore", "-s", "HEAD~1", "--allow-loss", "--", "--dry-run"]));
    assert_eq!(repo.git(&["show", "HEAD:--dry-run"]), "1");
    assert_eq!(rb(&repo, &["history", "--", "--dry-run"]).code, 0);
    let shown = done(rb(&repo, &["revert", "HEAD~2", "--dry-run", "--", "--dry-run", "docs.md"]));
    let landing = "land it with: rb revert HEAD~2 -- --dry-run docs.md";
    assert!(shown.stdout.contains(landing), "{}", shown.stdout);
}

#[test]
fn the_nearest_names_are_offered_as_they_would_be_typed() {
    let repo = two_files();
    for (folder, words, hint) in [
        ("", &["revert", "HEAD", "--", "dosc.md"][..], "did you mean: rb revert HEAD -- docs.md"),
        ("", &["revert", "HEAD", "--file=src/ap.py"], "did you mean: rb revert HEAD --file=src/app.py"),
        ("src", &["restore", "apq.py", "-s", "HEAD~1"], "did you mean: rb restore app.py -s HEAD~1"),
        ("", &["history", "app.py"], "did you mean: rb history src/app.py"),
        ("", &["revert", "HEAD", "--", "sr"], "did you mean: rb revert HEAD -- src"),
    ] {
        let refused = rb_in(&repo, folder, words);
        assert_eq!((refused.code, refused.line("hint:")), (5, hint), "{words:?}");
    }
}

#[test]
fn paths_that_were_somewhere_once_are_known() {
    let repo = two_files();
    repo.git(&["rm", "-q", "docs.md"]);
    repo.commit("removed", &[("src/app.py", "3\n")]);
    repo.git(&["switch", "-q", "--orphan", "island"]);
    repo.commit("island", &[("only/here", "1\n")]);
    repo.git(&["switch", "-q", "main"]);
    done(rb(&repo, &["revert", "HEAD", "--", "src/app.py"]));
    let known = rb(&repo, &["revert", "HEAD~2", "--dry-run", "--", "src/app.py", "docs.md"]);
    assert_eq!(known.code, 6, "it is known, and what came later is lost: {}", known.stderr);
    done(rb(&repo, &["pick", "island", "--", "only/here"]));
    done(rb(&repo, &["revert", "HEAD", "--", "."]));
}
