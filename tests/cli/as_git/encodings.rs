//! `working-tree-encoding`: what iconv and rb both know is as under git, what rb lacks is refused by its name.

use std::fs;

use test_kit::{Sandbox, State};

use super::as_git;
use crate::kit::{done, rb};

/// Two versions of `f`, in UTF-8, that the work tree has in the encoding; `other` has no encoding.
fn encoded(encoding: &str, one: &str, two: &str) -> Sandbox {
    let repo = Sandbox::new();
    let attributes = format!("f working-tree-encoding={encoding}\n");
    let commit = |message: &str, text: &str| {
        repo.write(".gitattributes", &attributes);
        repo.write("other", text);
        let id = repo.git_with_input(&["hash-object", "-w", "--stdin"], text.as_bytes());
        let id = String::from_utf8(id).expect("an id");
        repo.git(&["update-index", "--add", ".gitattributes", "other"]);
        repo.git(&["update-index", "--add", "--cacheinfo", &format!("100644,{},f", id.trim())]);
        repo.commit_index(message.as_bytes());
    };
    commit("one", one);
    commit("two", two);
    repo.git(&["checkout", "-q", "--force", "HEAD", "--", "f"]);
    repo
}

#[test]
fn encodings_are_written_as_under_git() {
    let known = [
        ("UTF-16", "a\u{20ac}\n"),
        ("utf16", "a\u{1f600}\n"),
        ("UTF-16LE", "a\u{20ac}\n"),
        ("UTF-16BE", "a\u{20ac}\n"),
        ("UTF-16LE-BOM", "a\u{20ac}\n"),
        ("UTF-32", "a\u{1f600}\n"),
        ("UTF32LE", "a\u{20ac}\n"),
        ("UTF-32BE", "a\u{20ac}\n"),
        ("ISO-8859-1", "\u{e9}\u{85}\n"),
        ("latin-1", "\u{e9}\n"),
        ("ISO_8859-15", "\u{e9}\u{20ac}\n"),
        ("LATIN9", "\u{20ac}\n"),
        ("ISO8859-2", "\u{159}\n"),
        ("CP1252", "\u{20ac}\u{2019}\n"),
        ("windows-1251", "\u{436}\n"),
        ("KOI8-R", "\u{436}\n"),
        ("IBM866", "\u{436}\n"),
        ("SHIFT-JIS", "\u{65e5}\u{672c}\n"),
        ("GBK", "\u{4e2d}\u{6587}\n"),
        ("UTF-8", "\u{e9}\n"),
    ];
    for (encoding, text) in known {
        let repo = encoded(encoding, text, &text.repeat(2));
        as_git(&repo, &["revert", "--no-edit", "HEAD"], &["revert", "HEAD"], &[], encoding);
        assert_eq!(repo.git(&["status", "--porcelain"]), "", "{encoding}");
    }
}

#[test]
fn an_encoding_that_is_not_known_is_refused_by_its_name_before_anything_is_written() {
    for encoding in ["IBM437", "EUC-JP", "no-such-encoding", "UTF-7", "UTF-32LE-BOM", "CP1252//TRANSLIT"] {
        let repo = encoded(encoding, "one\n", "two\n");
        let before = State::of(&repo);
        let run = rb(&repo, &["revert", "HEAD"]);
        assert_eq!(run.code, 5, "{encoding}: {}", run.stderr);
        assert!(run.stderr.contains(&format!("f has working-tree-encoding={encoding}")), "{}", run.stderr);
        assert!(!run.stderr.contains("not committed"), "{}", run.stderr);
        let changed = before.diff(&State::of(&repo));
        assert!(changed.is_empty(), "{encoding}: {changed}");
        let document = rb(&repo, &["revert", "HEAD", "--json"]).json();
        assert_eq!(document["error"]["code"], "unknown-encoding");
        assert_eq!(document["error"]["paths"][0], "f");
        done(rb(&repo, &["revert", "HEAD", "--branch", "rescue"]));
        assert_eq!(repo.git(&["show", "rescue:f"]), "one", "{encoding}: no file is written for a branch");
    }
}

#[test]
fn a_file_in_an_unknown_encoding_is_not_in_the_way_of_others() {
    let repo = encoded("IBM437", "one\n", "two\n");
    as_git(
        &repo,
        &["checkout", "HEAD~1", "--", "other"],
        &["restore", "other", "-s", "HEAD~1", "-n", "--allow-loss"],
        &[],
        "another file",
    );
}

#[test]
fn a_clean_file_in_an_unknown_encoding_can_be_removed() {
    let repo = Sandbox::new();
    repo.commit("one", &[("a", "a\n")]);
    repo.commit("two", &[(".gitattributes", "*.u working-tree-encoding=IBM437\n"), ("f.u", "plain\n")]);
    as_git(&repo, &["revert", "--no-edit", "HEAD"], &["revert", "HEAD"], &[], "removal");
    assert!(!repo.path().join("f.u").exists());
}

#[test]
fn a_rollback_that_takes_the_unknown_encoding_away_writes_the_file() {
    let repo = Sandbox::new();
    repo.commit("one", &[("f.u", "plain\n")]);
    repo.commit("two", &[(".gitattributes", "*.u working-tree-encoding=IBM437\n"), ("f.u", "other\n")]);
    as_git(&repo, &["revert", "--no-edit", "HEAD"], &["revert", "HEAD"], &[], "encoding gone");
    assert_eq!(fs::read(repo.path().join("f.u")).expect("it is there"), b"plain\n");
}
