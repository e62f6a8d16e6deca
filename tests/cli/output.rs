//! Colour, closed pipes, quiet and documents: what reaches which stream.

use test_kit::Sandbox;

use crate::kit::{rb, rb_with, shell};

fn repo() -> Sandbox {
    let repo = Sandbox::new();
    repo.commit("add the file", &[("a.txt", "one\n")]);
    repo.commit("change the file", &[("a.txt", "two\n")]);
    repo
}

#[test]
fn colour_is_for_terminals_unless_it_is_asked_for() {
    let repo = repo();
    let plain = rb(&repo, &["history", "a.txt"]);
    assert!(!plain.stdout.contains('\u{1b}'), "{:?}", plain.stdout);
    let coloured = rb_with(&repo, &["--color=always", "history", "a.txt"], "", &[("NO_COLOR", "")]);
    assert!(coloured.stdout.contains("\u{1b}["), "{:?}", coloured.stdout);
    let asked = rb_with(&repo, &["--color=always", "history", "a.txt"], "", &[("NO_COLOR", "1")]);
    assert_eq!(asked.stdout, coloured.stdout, "what is asked for by name counts more than the environment");
    let never = rb(&repo, &["--color", "never", "history", "a.txt"]);
    assert_eq!(never.stdout, plain.stdout);
}

#[test]
fn errors_are_coloured_by_the_same_rules() {
    let repo = repo();
    let plain = rb(&repo, &["history", "never"]);
    assert!(plain.stderr.starts_with("error: "), "{:?}", plain.stderr);
    let coloured = rb(&repo, &["--color=always", "history", "never"]);
    assert!(coloured.stderr.contains("\u{1b}["), "{:?}", coloured.stderr);
}

#[test]
fn signs_are_plain_where_the_locale_is() {
    let repo = repo();
    let ascii = rb_with(&repo, &["history", "a.txt"], "", &[("LC_ALL", "C")]);
    assert!(ascii.stdout.is_ascii(), "{}", ascii.stdout);
    let unicode = rb_with(&repo, &["history", "a.txt"], "", &[("LC_ALL", "C.UTF-8")]);
    assert!(unicode.stdout.contains('✗'), "{}", unicode.stdout);
}

#[test]
fn a_reader_that_goes_away_changes_nothing_about_the_exit_code() {
    let script = r#"
        rb schema plan | head -1
        echo "${PIPESTATUS[0]}"
        rb history never 2>&1 >/dev/null | true
        echo "${PIPESTATUS[0]}"
        rb schema plan >&-
        echo "$?"
    "#;
    let run = shell(&repo(), script);
    assert_eq!(run.stdout, "{\n0\n5\n0\n", "{}", run.stderr);
    assert_eq!(run.stderr, "");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_under_standard_output_is_an_error_of_its_own() {
    let run = shell(&repo(), "rb schema plan >/dev/full");
    assert_eq!((run.code, run.line("error:")), (74, "cannot write to standard output"));
}

#[test]
fn with_json_there_is_one_document_on_standard_output() {
    let repo = repo();
    let good = rb(&repo, &["history", "a.txt", "--json"]);
    assert_eq!((good.code, good.stderr.as_str()), (0, ""));
    assert_eq!(good.json()["path"], "a.txt");

    let bad = rb(&repo, &["history", "never", "--json"]);
    assert_eq!(bad.code, 5);
    assert_eq!(bad.json()["schema_version"], 1);
    assert_eq!(bad.json()["error"]["code"], "path-never-existed");
    assert_eq!(bad.json()["error"]["paths"][0], "never");
    assert!(bad.json()["error"]["hint"].is_string());
    assert!(bad.stderr.starts_with("error: "), "people read it on standard error: {}", bad.stderr);
}

#[test]
fn wrong_words_are_a_document_too() {
    let run = rb(&repo(), &["revert", "--json", "--nonsense"]);
    assert_eq!(run.code, 2);
    assert_eq!(run.json()["error"]["code"], "usage");
    assert_eq!(run.json()["error"]["message"], "unexpected argument '--nonsense'");
}

#[cfg(unix)]
#[test]
fn a_path_that_is_no_text_is_spelled_in_hexadecimal() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let repo = Sandbox::new();
    std::fs::write(repo.path().join(OsStr::from_bytes(b"caf\xe9")), "x\n").unwrap();
    repo.git(&["add", "."]);
    repo.commit_index(b"odd name\n");
    let args = [OsStr::new("history"), OsStr::from_bytes(b"caf\xe9"), OsStr::new("--json")];
    let document = rb(&repo, &args).json();
    assert_eq!(document["path"]["bytes_hex"], "636166e9");
    let shown = rb(&repo, &args[..2]);
    assert!(shown.stdout.starts_with(r"caf\xe9 is a file"), "{}", shown.stdout);
}

#[test]
fn text_of_a_repository_does_not_reach_the_terminal_as_it_is() {
    let repo = Sandbox::new();
    repo.commit("\u{1b}]0;owned\u{7} \u{202e}txt", &[("a", "1\n")]);
    let run = rb(&repo, &["--color=always", "history", "a"]);
    assert!(run.stdout.contains(r"\x1b]0;owned\x07 \u{202e}txt"), "{:?}", run.stdout);
    assert!(!run.stdout.contains("\u{1b}]"), "{:?}", run.stdout);
}

#[test]
fn what_the_library_does_is_logged_where_it_is_asked_for_and_nowhere_else() {
    let repo = repo();
    let plain = rb(&repo, &["history", "a.txt"]);
    let logged = rb_with(&repo, &["history", "a.txt"], "", &[("RB_LOG", "debug")]);
    assert_eq!((logged.code, &logged.stdout), (plain.code, &plain.stdout));
    assert_eq!(plain.stderr, "");
    let (opened, walked) = logged.stderr.split_once('\n').expect("a line for each");
    assert!(opened.contains("DEBUG rollback_core::repo::open: opened git_dir="), "{opened}");
    assert!(walked.contains("history{path=") && walked.contains(": close time.busy="), "{walked}");

    let only_landings = [("RB_LOG", "rollback_core::apply=debug")];
    assert_eq!(rb_with(&repo, &["history", "a.txt"], "", &only_landings).stderr, "");

    let wrong = rb_with(&repo, &["--json", "history", "a.txt"], "", &[("RB_LOG", "a=b=c")]);
    assert_eq!((wrong.code, wrong.json()["error"]["code"].as_str()), (2, Some("bad-environment")));
    assert_eq!(wrong.line("hint:"), "leave it out with: env -u RB_LOG rb --json history a.txt");
}
