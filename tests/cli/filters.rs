//! Filters: those of a trusted repository and of the user's configuration work as under `git revert`.
#![cfg(unix)]
#![expect(clippy::print_stderr, reason = "a test that cannot run here says so")]

use std::fs;

use serde_json::json;
use test_kit::{Part, Sandbox, State, filter};

use crate::kit::{done, hash_of, rb, rb_with, shell};

fn trust(repo: &Sandbox) {
    let hash = hash_of(repo, &["trust"]);
    done(rb(repo, &["trust", "--hash", &hash]));
}

/// A history in which paths go through a long-running filter; `None` where none can run.
fn filtered(extra: &[&str]) -> Option<Sandbox> {
    let repo = Sandbox::new();
    if !filter::install(&repo) {
        eprintln!("SKIPPED: no perl to run a long-running filter");
        return None;
    }
    repo.write(".gitattributes", "*.swap filter=swap\n*.crlf filter=swap eol=crlf\n");
    let named = |text: &str| -> Vec<(String, String)> {
        extra.iter().map(|path| ((*path).to_owned(), format!("{path} {text}\n"))).collect()
    };
    let write = |files: &[(String, String)]| files.iter().for_each(|(path, text)| repo.write(path, text));
    write(&named("First"));
    let big = "A line of Text that is Longer than a Packet\n".repeat(4000);
    repo.commit(
        "one",
        &[
            ("a.swap", "First\n"),
            ("sub/b.crlf", "One\nTwo\n"),
            ("big.swap", &big),
            ("empty.swap", ""),
            ("plain", "P\n"),
        ],
    );
    write(&named("Second"));
    repo.commit(
        "two",
        &[
            ("a.swap", "Second\n"),
            ("sub/b.crlf", "Three\n"),
            ("big.swap", "small\n"),
            ("empty.swap", "Full\n"),
        ],
    );
    filter::clear_log(&repo);
    Some(repo)
}

/// Every file of the work tree.
fn files(repo: &Sandbox) -> State {
    State::of(repo).only(&[Part::Files, Part::Index, Part::Status])
}

#[test]
fn a_long_running_filter_gives_the_work_tree_that_git_gives() {
    let Some(repo) = filtered(&[]) else { return };
    assert_eq!(repo.git(&["show", "HEAD:a.swap"]), "sECOND", "the filter works under git");
    let twin = repo.twin();
    filter::install(&twin);
    trust(&repo);
    twin.git(&["revert", "--no-edit", "HEAD"]);
    done(rb(&repo, &["revert", "HEAD"]));
    files(&twin).assert_same(&files(&repo));
    assert_eq!(fs::read_to_string(repo.path().join("a.swap")).unwrap(), "First\n");
    assert_eq!(repo.git(&["status", "--porcelain"]), "");
    repo.git(&["update-index", "--really-refresh"]);
    assert_eq!(repo.git(&["rev-parse", "HEAD"]), twin.git(&["rev-parse", "HEAD"]));
    let smudged = |repo: &Sandbox| {
        let mut lines: Vec<_> = filter::log(repo)
            .lines()
            .filter(|line| line.starts_with("smudge"))
            .map(ToOwned::to_owned)
            .collect();
        lines.sort();
        lines
    };
    assert_eq!(smudged(&repo), smudged(&twin), "the same paths and blobs, each once");
    // And back: the files that the filter wrote are recognised as what git keeps.
    done(rb(&repo, &["undo"]));
    twin.git(&["reset", "-q", "--hard", "HEAD~1"]);
    files(&twin).assert_same(&files(&repo));
}

#[test]
fn a_long_running_filter_of_the_users_configuration_needs_no_trust() {
    let Some(repo) = filtered(&[]) else { return };
    let config = repo.path().with_extension("config");
    let command = repo.git(&["config", "filter.swap.process"]).replace('"', "\\\"");
    fs::write(&config, format!("[filter \"swap\"]\n\tprocess = \"{command}\"\n")).unwrap();
    let variables = [("GIT_CONFIG_GLOBAL", config.to_str().unwrap())];
    repo.git(&["config", "--unset", "filter.swap.process"]);
    done(rb_with(&repo, &["revert", "HEAD"], "", &variables));
    assert_eq!(fs::read_to_string(repo.path().join("a.swap")).unwrap(), "First\n");
}

#[test]
fn a_filter_that_must_not_fail_refuses_the_path_and_nothing_changes() {
    for (name, why) in [
        ("refused.swap", "it answered 'error'"),
        ("broken.swap", ""),
        ("silent.swap", "it was silent for 1 s and was stopped (rb.programTimeout)"),
    ] {
        let Some(repo) = filtered(&[name]) else { return };
        repo.git(&["config", "filter.swap.required", "true"]);
        repo.git(&["config", "rb.programTimeout", "1"]);
        trust(&repo);
        let before = State::of(&repo).without(&[Part::Objects]);
        let refused = rb(&repo, &["revert", "HEAD", "--json"]);
        let error = &refused.json()["error"];
        assert_eq!(
            (refused.code, &error["code"], &error["paths"]),
            (5, &json!("filter-failed"), &json!([name])),
            "{error}"
        );
        let said = refused.line("error:");
        assert!(
            said.starts_with(&format!("filter 'swap' failed on {name}: ")) && said.ends_with(why),
            "{said}"
        );
        before.assert_same(&State::of(&repo).without(&[Part::Objects]));
    }
}

#[test]
fn a_filter_that_may_fail_leaves_the_bytes_as_git_leaves_them() {
    for name in ["refused.swap", "broken.swap"] {
        let Some(repo) = filtered(&[name]) else { return };
        let twin = repo.twin();
        filter::install(&twin);
        trust(&repo);
        twin.git(&["revert", "--no-edit", "HEAD"]);
        done(rb(&repo, &["revert", "HEAD"]));
        let read = |repo: &Sandbox| fs::read_to_string(repo.path().join(name)).unwrap();
        let swapped = |text: String| -> String {
            let swap = |letter: u8| if letter.is_ascii_alphabetic() { letter ^ 0x20 } else { letter };
            text.bytes().map(|letter| char::from(swap(letter))).collect()
        };
        let kept = swapped(format!("{name} First\n"));
        assert_eq!((read(&repo), read(&twin)), (kept.clone(), kept), "as git keeps it");
        assert_eq!(
            fs::read_to_string(repo.path().join("a.swap")).unwrap(),
            "First\n",
            "the next file is filtered"
        );
    }
}

#[test]
fn filters_that_run_for_each_file_end_as_under_git() {
    for (smudge, required) in [
        ("tr a-z A-Z", true),
        ("cat >/dev/null; printf '%%s\\n' %f", true),
        ("echo ignores its input", false),
        ("exit 3", false),
        ("head -c 3; exit 1", false),
        ("no-such-program-anywhere", false),
    ] {
        let repo = Sandbox::new();
        repo.commit("one", &[(".gitattributes", "*.up filter=up\n"), ("it's.up", "first\n")]);
        repo.commit("two", &[("it's.up", "second\n")]);
        repo.git(&["config", "filter.up.smudge", smudge]);
        repo.git(&["config", "filter.up.required", if required { "true" } else { "false" }]);
        if required {
            repo.git(&["config", "filter.up.clean", "tr A-Z a-z"]);
        }
        let twin = repo.twin();
        trust(&repo);
        twin.git(&["revert", "--no-edit", "HEAD"]);
        done(rb(&repo, &["revert", "HEAD"]));
        let read = |repo: &Sandbox| fs::read_to_string(repo.path().join("it's.up")).unwrap();
        assert_eq!(read(&repo), read(&twin), "{smudge}");
        assert_eq!(repo.git(&["rev-parse", "HEAD"]), twin.git(&["rev-parse", "HEAD"]), "{smudge}");
    }
}

#[test]
fn a_pointer_becomes_a_large_file_in_little_memory() {
    const LARGE: u64 = 300 << 20;
    for required in ["true", "false"] {
        let repo = Sandbox::new();
        repo.commit("one", &[(".gitattributes", "*.big filter=big\n"), ("x.big", "pointer one\n")]);
        repo.commit("two", &[("x.big", "pointer two\n")]);
        repo.git(&["config", "filter.big.smudge", &format!("head -c {LARGE} /dev/zero")]);
        repo.git(&["config", "filter.big.clean", "echo pointer one"]);
        repo.git(&["config", "filter.big.required", required]);
        trust(&repo);
        // Address space in KiB: far less than the file.
        let run = done(shell(&repo, "ulimit -v 200000; exec rb revert HEAD"));
        let large = fs::metadata(repo.path().join("x.big")).unwrap();
        assert_eq!(large.len(), LARGE, "{}", run.stderr);
        assert_eq!(repo.git(&["status", "--porcelain"]), "");
    }
}

#[test]
fn git_lfs_works_end_to_end_trusted_or_not() {
    if !std::process::Command::new("git")
        .args(["lfs", "version"])
        .output()
        .is_ok_and(|out| out.status.success())
    {
        eprintln!("SKIPPED: git-lfs is not installed");
        return;
    }
    for trusted in [false, true] {
        let repo = Sandbox::new();
        // What it writes into the configuration starts the same program as a global installation: known, so no trust.
        repo.git(&["lfs", "install", "--local"]);
        repo.git(&["lfs", "track", "*.bin"]);
        let content = |byte: u8| vec![byte; 3 << 20];
        repo.commit("one", &[("x.bin", content(1)), ("plain", b"1\n".to_vec())]);
        repo.commit("two", &[("x.bin", content(2)), ("sub/new.bin", content(3))]);
        assert!(
            repo.git(&["show", "HEAD:x.bin"]).starts_with("version https://git-lfs"),
            "git stores a pointer"
        );
        let twin = repo.twin();
        if trusted {
            trust(&repo);
        }
        twin.git(&["revert", "--no-edit", "HEAD"]);
        done(rb(&repo, &["revert", "HEAD"]));
        assert!(fs::read(repo.path().join("x.bin")).unwrap() == content(1));
        files(&twin).assert_same(&files(&repo));
        done(rb(&repo, &["undo"]));
        assert!(fs::read(repo.path().join("sub/new.bin")).unwrap() == content(3));
        assert_eq!(repo.git(&["status", "--porcelain"]), "");
    }
}
