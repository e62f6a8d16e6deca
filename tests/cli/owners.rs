//! One owner a run: pairs of runs at once, runs whose process was killed, and what they leave.
#![cfg(target_os = "linux")]

use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use test_kit::Sandbox;

use crate::kit::{Run, hash_of, rb_with};

/// How many pairs race: a few, or as many as `RB_PAIRS` says.
fn pairs() -> usize {
    std::env::var("RB_PAIRS").ok().and_then(|count| count.parse().ok()).unwrap_or(6)
}

/// A procedure that takes 'the change' back after a step that must not be repeated.
fn world(step: &str) -> Sandbox {
    let repo = Sandbox::new();
    repo.commit("good", &[("a", "1\n")]);
    repo.commit("the change", &[("a", "2\n")]);
    repo.write(
        ".rb/procedures/p.toml",
        format!(
            "schema = 1\nid = \"p\"\ndefault_phase = \"x\"\n[phase.x]\npaths = [\"a\"]\nladder = [{{ use = \"revert-commit\" }}]\ntarget = {{ grep = \"the change\" }}\nbefore = [\"s\"]\n[[step]]\nid = \"s\"\nrun = [\"sh\", \"-c\", \"{step}\"]\n"
        ),
    );
    repo.commit("procedure", &[("b", "b\n")]);
    repo
}

#[track_caller]
fn trusting(repo: &Sandbox, args: &[&str]) -> Run {
    let hash = hash_of(repo, &["trust", "p"]);
    rb_with(repo, args, "", &[("RB_TRUSTED_HASH", &hash)])
}

/// Starts `rb` and does not wait for it.
fn start(repo: &Sandbox, args: &[&str], hash: &str) -> Child {
    let mut command = repo.command(env!("CARGO_BIN_EXE_rb"));
    command.env("RB_TRUSTED_HASH", hash).args(args);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("rb can be started")
}

fn lines(file: &Path) -> usize {
    std::fs::read_to_string(file).map_or(0, |text| text.lines().count())
}

fn wait_for(what: &str, mut there: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !there() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{what} never came");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn of_two_runs_at_once_one_does_the_step_and_the_other_is_told_who_is_at_it() {
    for pair in 0..pairs() {
        let repo = world("echo step >> .git/side; sleep 1");
        let hash = hash_of(&repo, &["trust", "p"]);
        let both = [0, 1].map(|_| start(&repo, &["run", "p", "-y"], &hash));
        let mut codes = both.map(|mut child| child.wait().expect("it ends").code());
        codes.sort_unstable();
        assert_eq!(lines(&repo.path().join(".git/side")), 1, "pair {pair}: {codes:?}");
        assert_eq!(codes, [Some(0), Some(75)], "pair {pair}");
        assert_eq!(repo.git(&["rev-list", "--count", "--grep=Revert", "HEAD"]), "1", "pair {pair}");
    }
}

#[test]
fn whoever_comes_second_is_told_who_is_at_work() {
    let repo = world("echo step >> .git/side; sleep 5");
    let hash = hash_of(&repo, &["trust", "p"]);
    let mut first = start(&repo, &["run", "p", "-y"], &hash);
    wait_for("the step", || repo.path().join(".git/side").exists());
    for words in [&["run", "p", "-y"][..], &["resume", "-y"], &["resume", "-y", "--retry"], &["abort"]] {
        let second = rb_with(&repo, words, "", &[("RB_TRUSTED_HASH", &hash)]);
        assert_eq!(second.code, 75, "{words:?}: {}{}", second.stdout, second.stderr);
        let said = second.line("error:");
        assert!(
            said.contains(&format!("process {}", first.id())) && said.contains("'p'"),
            "{words:?}: {said}"
        );
    }
    assert!(first.wait().expect("it ends").success());
    assert_eq!(lines(&repo.path().join(".git/side")), 1);
}

#[test]
fn what_a_killed_run_left_running_is_ended_before_it_goes_on() {
    for (leaves, words, code) in [
        ("sleep 30", &["resume", "-y"][..], 5),
        ("setsid sleep 30", &["resume", "-y", "--mark-done"], 0),
        ("sleep 30 & sleep 30", &["abort"], 0),
    ] {
        let repo = world(&format!("echo step >> .git/side; {leaves}; echo late >> .git/side"));
        let hash = hash_of(&repo, &["trust", "p"]);
        let mut first = start(&repo, &["run", "p", "-y"], &hash);
        wait_for("the step", || repo.path().join(".git/side").exists());
        first.kill().expect("it runs");
        first.wait().expect("it ends");
        let second = rb_with(&repo, words, "", &[("RB_TRUSTED_HASH", &hash)]);
        assert_eq!(second.code, code, "{leaves}: {}{}", second.stdout, second.stderr);
        assert!(!is_running(&repo), "{leaves}");
        assert_eq!(lines(&repo.path().join(".git/side")), 1, "{leaves}: neither twice nor to its end");
    }
}

/// Whether a process runs in the work tree.
fn is_running(repo: &Sandbox) -> bool {
    let rows = std::fs::read_dir("/proc").expect("it is there").flatten();
    let mut folders = rows.filter_map(|row| std::fs::read_link(row.path().join("cwd")).ok());
    folders.any(|folder| folder == repo.path())
}

#[test]
fn a_step_that_was_cut_off_is_never_started_twice_unasked() {
    let repo = world("echo step >> .git/side; sleep 30");
    let hash = hash_of(&repo, &["trust", "p"]);
    let mut first = start(&repo, &["run", "p", "-y"], &hash);
    wait_for("the step", || repo.path().join(".git/side").exists());
    first.kill().expect("it runs");
    first.wait().expect("it ends");
    for _ in 0..2 {
        let refused = trusting(&repo, &["resume", "-y"]);
        assert_eq!((refused.code, lines(&repo.path().join(".git/side"))), (5, 1), "{}", refused.stderr);
    }
    assert_eq!(trusting(&repo, &["resume", "-y", "--mark-done"]).code, 0);
    assert_eq!(lines(&repo.path().join(".git/side")), 1);
    assert_eq!(repo.git(&["show", "HEAD:a"]), "1");
}
