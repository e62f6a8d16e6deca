//! Commits that other tools wrote, and that git reads: they are reverted, picked, listed, and block nothing.

use test_kit::{Sandbox, State};

use super::{LANDED, as_git};
use crate::kit::{done, rb};

/// Headers after the parents, as no git of today writes them.
const ODD: &[&[u8]] = &[
    b"author A 1600000000 +0100\ncommitter C <c@x> 1600000000 +0100\n\nsub\n",
    b"author A <a@x> Mon Jan 1\ncommitter C <c@x> 1600000000 +0100\n\nsub\n",
    b"author A <a@x>\ncommitter C <c@x>\n\nsub\n",
    b"author A <a@x> 1600000000\ncommitter C <c@x> 1600000000\n\nsub\n",
    b"author  <> 1600000000 +0000\ncommitter  <> 1600000000 +0000\n\nsub\n",
    b"author <a@x> 1600000000 +0000\ncommitter C <c@x> 1600000000 +051800\n\nsub\n",
    b"author A <a@x> 1600000000 +9999\ncommitter C <c@x> 1600000000 --700\n\nsub\n",
    b"author A <a@x> -1 +0000\ncommitter C <c@x> -1 +0000\n\nsub\n",
    b"author A <a@x> 99999999999999999999 +0000\ncommitter C <c@x> 99999999999999999999 +0000\n\nsub\n",
    b"author A <a@x> 18446744073709551615 +0000\ncommitter C <c@x> 9223372036854775808 +0000\n\nsub\n",
    b"author A <<a@x>> 1600000000 +0000\ncommitter C <c> <d@x> 1600000000 +0000\n\nsub\n",
    b"author A <a@x> 1600000000 +0100\n\nno committer\n",
    b"committer C <c@x> 1600000000 +0100\n\nno author\n",
    b"\nnobody\n",
    b"author A <a@x> 1600000000 +0100\ncommitter C <c@x> 1600000000 +0100\nHG:extra x\nfoo\n bar\n \n\nsub\n",
    b"author A <a@x> 1600000000 +0100\ncommitter C <c@x> 1600000000 +0100\nencoding ISO-8859-1\n\ns\xfcb\n",
    b"author \xc4 <a@x> 1600000000 +0100\ncommitter C <c@x> 1600000000 +0100\nencoding no-such-thing\n\nsub\n",
    b"author A <a@x> 1600000000 +0100\ncommitter C <c@x> 1600000000 +0100\n\nsub\0 hidden\n",
    b"author A <a@x> 1600000000 +0100\ncommitter C <c@x> 1600000000 +0100\n",
    b"author A <a@x> 1600000000 +0100\ncommitter C <c@x> 1600000000 +0100\n\n",
    b"author A\tB <a@x>\t1600000000\t+0100\ncommitter C <c@x> 1600000000 +0100\n\nsub\n",
];

/// A commit `one`, the odd one, which changes `a`, and `three`, which adds `c`.
fn history(odd: &[u8]) -> Sandbox {
    let repo = Sandbox::new();
    let first = repo.commit("one", &[("a", "a\n"), ("k", "k\n")]);
    repo.write("a", "b\n");
    repo.git(&["add", "a"]);
    let tree = repo.git(&["write-tree"]);
    let raw = [format!("tree {tree}\nparent {first}\n").as_bytes(), odd].concat();
    let words = ["hash-object", "-t", "commit", "-w", "--literally", "--stdin"];
    let id = String::from_utf8(repo.git_with_input(&words, &raw)).expect("an id");
    repo.git(&["reset", "-q", "--hard", id.trim()]);
    repo.git(&["branch", "odd"]);
    repo.commit("three", &[("c", "c\n")]);
    repo
}

fn shown(odd: &[u8]) -> String {
    String::from_utf8_lossy(odd).into_owned()
}

#[test]
fn an_odd_commit_and_its_neighbours_are_reverted_as_under_git() {
    for odd in ODD {
        let repo = history(odd);
        as_git(&repo, &["revert", "--no-edit", "HEAD"], &["revert", "HEAD"], &[], &shown(odd));
        as_git(&repo, &["revert", "--no-edit", "odd"], &["revert", "odd"], &[], &shown(odd));
        as_git(&repo, &["revert", "--no-edit", "odd~"], &["revert", "odd~"], &[], &shown(odd));
    }
}

#[test]
fn a_pick_keeps_the_author_as_git_keeps_it() {
    for odd in ODD {
        let repo = history(odd);
        repo.git(&["switch", "-q", "-c", "side", "odd~"]);
        repo.commit("side", &[("s", "s\n")]);
        let name = shown(odd);
        let picked =
            as_git(&repo, &["cherry-pick", "--allow-empty-message", "odd"], &["pick", "odd"], &[], &name);
        if picked.code != 0 {
            // git picks no commit that names no author.
            continue;
        }
        as_git(
            &repo,
            &["revert", "--no-edit", "--reference", "odd"],
            &["revert", "--reference", "odd"],
            &[],
            &name,
        );
    }
}

#[test]
fn an_odd_commit_blocks_no_walk() {
    for odd in ODD {
        let repo = history(odd);
        let name = shown(odd);
        let history = done(rb(&repo, &["history", "a", "--json"])).json();
        assert_eq!(history["changes"].as_array().map(Vec::len), Some(2), "{name}");
        done(rb(&repo, &["history", "c"]));
        for words in [&["is-reverted", "odd"][..], &["is-reverted", "HEAD"]] {
            let code = rb(&repo, words).code;
            assert!(matches!(code, 0 | 3 | 10), "{words:?} {code}: {name}");
        }
        done(rb(&repo, &["revert", "--file", "a", "--dry-run"]));
        done(rb(&repo, &["revert", "odd~..HEAD", "--dry-run"]));
        done(rb(&repo, &["revert", "HEAD", "odd", "--dry-run"]));
        done(rb(&repo, &["restore", "a", "-s", "odd~", "--dry-run", "--allow-loss"]));
    }
}

#[test]
fn a_range_with_an_odd_commit_is_reverted_as_under_git() {
    for odd in ODD {
        let repo = history(odd);
        as_git(&repo, &["revert", "--no-edit", "odd~..HEAD"], &["revert", "odd~..HEAD"], &[], &shown(odd));
    }
}

#[test]
fn a_rollback_on_top_of_an_odd_tip_is_undone() {
    for odd in ODD {
        let repo = history(odd);
        repo.git(&["reset", "-q", "--hard", "odd"]);
        let before = State::of(&repo).only(&LANDED);
        done(rb(&repo, &["revert", "HEAD"]));
        done(rb(&repo, &["undo"]));
        assert_eq!(before.diff(&State::of(&repo).only(&LANDED)), "", "{}", shown(odd));
    }
}
