//! `rb bisect` and `rb revert --good-check`: the culprit by behaviour, and the command that rolls it back.
//!
//! `RB_BISECTS` (default 2) says how many planted regressions are searched for by processes of both, `RB_RANDOM_SEED`
//! (default 1) where to begin.

use std::time::{Duration, Instant};

use test_kit::planted::Planted;
use test_kit::{Sandbox, State};

use crate::kit::{Run, done, rb, shell};

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().expect("a number"))
}

/// A line of work with a topic that brings the file `bad`; the names `broke` and `merge` stand for its commits.
fn history() -> Sandbox {
    let repo = Sandbox::new();
    repo.commit("one", &[("a", "1\n")]);
    repo.git(&["tag", "start"]);
    repo.commit("two", &[("a", "2\n")]);
    repo.git(&["switch", "-q", "-c", "topic"]);
    repo.commit("begin the topic", &[("t", "1\n")]);
    repo.commit("break it", &[("bad", "1\n")]);
    repo.git(&["tag", "broke"]);
    repo.commit("end the topic", &[("t", "2\n")]);
    repo.git(&["switch", "-q", "main"]);
    repo.commit("beside", &[("b", "1\n")]);
    repo.git(&["merge", "-q", "--no-ff", "--no-edit", "topic"]);
    repo.git(&["tag", "merge"]);
    for number in 3..6 {
        repo.commit(&format!("work {number}"), &[("a", format!("{number}\n"))]);
    }
    repo
}

fn short(repo: &Sandbox, name: &str) -> String {
    repo.git(&["rev-parse", "--short", name])
}

const CHECK: [&str; 2] = ["--check", "test ! -e bad"];

fn bisect(repo: &Sandbox, more: &[&str]) -> Run {
    rb(repo, &[&["bisect"], &CHECK[..], more].concat())
}

/// The command of the line `next: …`, pasted into a shell.
fn paste_next(repo: &Sandbox, run: &Run) -> Run {
    let line = run.stdout.lines().find(|line| line.starts_with("next: ")).expect("a next command");
    shell(repo, line.split_once(" with: ").expect("a command").1)
}

#[test]
fn the_culprit_inside_a_merge_is_named_and_the_next_command_rolls_it_back() {
    let repo = history();
    let before = State::of(&repo);
    let run = done(bisect(&repo, &["--good", "start", "-j1"]));
    before.assert_unchanged(&repo);
    let (broke, merge) = (short(&repo, "broke"), short(&repo, "merge"));
    assert!(
        run.stdout.starts_with(&format!("The check fails since {broke}:\n  break it\n")),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout.contains(&format!("It came in with the merge {merge} Merge branch 'topic'.")),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("It can be rolled back cleanly."), "{}", run.stdout);
    let next = format!("next: roll it back, checked, with: rb revert {broke} --check 'test ! -e bad'\n");
    assert!(run.stdout.ends_with(&next), "{}", run.stdout);
    assert!(
        run.stderr.contains("(bad): 9 changes, 6 on the first-parent line.\nAbout 4 steps, "),
        "{}",
        run.stderr
    );
    done(paste_next(&repo, &run));
    assert_eq!(bisect(&repo, &[]).code, 5, "the check passes at the tip");
    assert!(!repo.path().join("bad").exists());
}

#[test]
fn a_merge_that_breaks_what_each_side_has_working_is_rolled_back_against_its_first_parent() {
    let repo = Sandbox::new();
    repo.commit("one", &[("a", "1\n")]);
    repo.git(&["switch", "-q", "-c", "topic"]);
    repo.commit("uses b", &[("uses", "b\n")]);
    repo.git(&["switch", "-q", "main"]);
    repo.commit("removes b", &[("removed", "b\n")]);
    repo.git(&["merge", "-q", "--no-ff", "--no-edit", "topic"]);
    let merge = short(&repo, "HEAD");
    repo.commit("later", &[("c", "1\n")]);
    let check = "sh -c 'test ! -e uses || test ! -e removed'";
    let run = done(rb(&repo, &["bisect", "--check", check]));
    assert!(run.stdout.contains(&format!("The check fails since {merge}, a merge:")), "{}", run.stdout);
    assert!(run.stdout.contains(&format!(" with: rb revert -m 1 {merge} --check ")), "{}", run.stdout);
    done(paste_next(&repo, &run));
    assert!(!repo.path().join("uses").exists() && repo.path().join("removed").exists());
}

#[test]
fn the_document_tells_all_that_was_judged_and_holds_the_plan() {
    let repo = history();
    let run = done(bisect(&repo, &["--json", "--good", "start"]));
    let document = run.json();
    let id = |name: &str| repo.git(&["rev-parse", name]);
    assert_eq!(document["schema_version"], 1);
    assert_eq!(document["good"], id("start"));
    assert_eq!(document["bad"], id("HEAD"));
    assert_eq!(document["good_was_searched"], false);
    assert_eq!(document["culprit"]["commit_id"], id("broke"));
    assert_eq!(document["culprit"]["introduced_by"], id("merge"));
    assert_eq!(document["plan"]["attempts"][0]["result"], "clean");
    let judged = document["judged"].as_array().expect("a list");
    let of =
        |name: &str| judged.iter().find(|judged| judged["commit_id"] == id(name)).expect("it was judged");
    assert_eq!((&of("HEAD")["verdict"], &of("start")["verdict"]), (&"bad".into(), &"good".into()));
    assert_eq!(of("HEAD")["reason"], "it ended with exit code 1");
    let runs: u64 = judged.iter().map(|judged| judged["runs"].as_u64().expect("a number")).sum();
    let total = ["ends", "search", "ahead"].map(|of| document["runs"][of].as_u64().expect("a number"));
    assert_eq!(total.iter().sum::<u64>(), runs);
}

#[test]
fn a_bare_repository_will_do_and_the_rollback_goes_to_a_branch() {
    let repo = history();
    repo.git(&["clone", "-q", "--bare", ".", "bare.git"]);
    let run = done(rb(&repo, &["-C", "bare.git", "bisect", "--check", "test ! -e bad"]));
    assert!(run.stdout.contains(" --branch rollback --check "), "{}", run.stdout);
    done(paste_next(&repo, &run));
    let files = repo.git(&["-C", "bare.git", "ls-tree", "--name-only", "rollback"]);
    assert_eq!(files, "a\nb\nt");
}

#[test]
fn paths_narrow_the_search_and_a_change_elsewhere_is_told() {
    let repo = history();
    let run = done(bisect(&repo, &["--good", "start", "--", "bad", "b"]));
    assert!(run.stderr.contains("(bad): 3 changes, "), "{}", run.stderr);
    assert!(run.stdout.contains(&short(&repo, "broke")), "{}", run.stdout);
    let run = bisect(&repo, &["--good", "start", "--", "a"]);
    assert_eq!(run.code, 5, "{}{}", run.stdout, run.stderr);
    assert!(run.stderr.contains("is no change to the given paths"), "{}", run.stderr);
    assert!(
        run.stderr
            .contains("hint: search all commits with: rb bisect --check 'test ! -e bad' --good start\n"),
        "{}",
        run.stderr
    );
}

#[test]
fn exit_code_125_and_missing_programs_skip_a_commit_and_leave_several() {
    let repo = history();
    let check = "sh -c 'test ! -e bad || { test $(cat a) -gt 4 && exit 1; exit 125; }'";
    let run = rb(&repo, &["bisect", "--good", "start", "--check", check]);
    assert_eq!(run.code, 7, "{}{}", run.stdout, run.stderr);
    // The work after the merge, the merge, and the topic from where it broke.
    assert!(
        run.stdout.starts_with("It is one of 6 commits, which could not all be judged:\n"),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains(&short(&repo, "broke")), "{}", run.stdout);
    assert!(run.stderr.contains("it ended with exit code 125, which skips"), "{}", run.stderr);
    let run = rb(&repo, &["bisect", "--good", "start", "--check", "no-such-program-here"]);
    assert_eq!(run.code, 5, "{}{}", run.stdout, run.stderr);
    assert!(run.stderr.contains("the check says nothing about"), "{}", run.stderr);
}

#[test]
fn a_setup_prepares_each_folder_and_what_programs_left_there_is_gone_for_the_next() {
    let repo = history();
    let check = "sh -c 'test -e made && test ! -e left && touch left && test ! -e bad'";
    let run = done(rb(&repo, &["bisect", "--check", check, "--check-setup", "touch made", "--confirm", "2"]));
    assert!(run.stdout.contains(&short(&repo, "broke")), "{}", run.stdout);
    assert!(!run.stdout.contains("flaky"), "{}", run.stdout);
}

#[test]
fn a_flaky_check_is_named() {
    let repo = history();
    let log = repo.around().join("runs");
    // The third run of all fails, whatever it is about.
    let check = format!("sh -c 'echo >>{0}; test $(wc -l <{0}) != 3 && test ! -e bad'", log.display());
    let run = done(rb(&repo, &["bisect", "-j1", "--good", "start", "--confirm", "2", "--check", &check]));
    assert!(run.stdout.contains(&short(&repo, "broke")), "{}", run.stdout);
    let start = short(&repo, "start");
    assert!(
        run.stdout.contains(&format!("The check is flaky: its runs disagree at {start}.")),
        "{}",
        run.stdout
    );
    assert!(run.stderr.contains("its runs disagree: 3 passed, 1 failed"), "{}", run.stderr);
}

#[test]
fn a_file_is_rolled_back_by_behaviour() {
    let repo = Sandbox::new();
    for number in 1..=8 {
        let good = if number < 5 { "good" } else { "bad" };
        // What breaks it changes nothing else there.
        let below = if number == 5 { 4 } else { number };
        repo.commit(
            &format!("c{number}"),
            &[("f", format!("{good}\n\n\n\n\n{below}\n")), ("g", format!("{number}\n"))],
        );
        repo.commit(&format!("other {number}"), &[("h", format!("{number}\n"))]);
    }
    let run = done(rb(&repo, &["revert", "--file", "f", "--good-check", "grep -q good f", "--dry-run"]));
    let broke = repo.git(&["log", "--format=%h", "--grep=^c5$"]);
    assert!(run.stdout.contains(&broke), "{}", run.stdout);
    assert!(run.stderr.contains("Between "), "{}", run.stderr);
    let next = format!("next: land it with: rb revert --file f --change {broke}\n");
    assert!(run.stdout.ends_with(&next), "{}", run.stdout);
    done(rb(&repo, &["revert", "--file", "f", "--good-check", "grep -q good f"]));
    let text = std::fs::read_to_string(repo.path().join("f")).expect("the file");
    assert!(text.starts_with("good\n"), "{text}");
    let again = rb(&repo, &["revert", "--file", "f", "--good-check", "grep -q good f"]);
    assert_eq!(again.code, 5, "{}{}", again.stdout, again.stderr);
    assert!(again.stderr.contains("there is nothing to find"), "{}", again.stderr);
}

#[test]
fn a_signal_ends_the_search_and_leaves_no_folder() {
    let repo = history();
    let folders = repo.around().join("folders");
    std::fs::create_dir(&folders).expect("a folder");
    let mut command = repo.command(env!("CARGO_BIN_EXE_rb"));
    command.args(["bisect", "--check", "sh -c 'touch ../../begun; sleep 60'"]).env("TMPDIR", &folders);
    command.stderr(std::process::Stdio::null());
    let mut child = command.spawn().expect("rb starts");
    let began = Instant::now();
    while shell(&repo, &format!("pgrep -P {} sh", child.id())).code != 0 {
        assert!(began.elapsed() < Duration::from_secs(30), "no check began");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(shell(&repo, &format!("kill -INT {}", child.id())).code, 0);
    assert!(!child.wait().expect("it ends").success());
    assert!(began.elapsed() < Duration::from_secs(40));
    let left: Vec<_> = std::fs::read_dir(&folders).expect("the folder").flatten().collect();
    assert!(left.iter().all(|row| !row.path().join("files").exists()), "{left:?}");
}

#[test]
fn planted_regressions_are_found_by_processes_as_git_finds_them() {
    let first = number("RB_RANDOM_SEED", 1);
    let count = number("RB_BISECTS", 2);
    let (mut ours, mut theirs) = (Duration::ZERO, Duration::ZERO);
    let (mut search, mut ends, mut ahead, mut git_runs) = (0, 0, 0, 0);
    for seed in first..first + count {
        let planted = Planted::new(seed, 60);
        let repo = Sandbox::folder();
        repo.git(&["clone", "-q", planted.sandbox.path().to_str().expect("UTF-8"), "."]);
        let good = &planted.ids[0];
        // Both wait as long as a short test takes.
        let check = format!(
            "sh -c 'sleep {}; test ! -e bad'",
            std::env::var("RB_BISECT_SLEEP").unwrap_or("0".into())
        );
        let began = Instant::now();
        let found = done(rb(&repo, &["bisect", "--json", "--good", good, "--check", &check])).json();
        ours += began.elapsed();
        assert_eq!(found["culprit"]["commit_id"], planted.culprit_id(), "seed {seed}");
        let runs = |of: &str| found["runs"][of].as_u64().expect("a number");
        (search, ends, ahead) = (search + runs("search"), ends + runs("ends"), ahead + runs("ahead"));
        let began = Instant::now();
        repo.git(&["bisect", "start", "HEAD", good]);
        let log = repo.git(&["bisect", "run", "sh", "-c", &format!("echo a-run; {check}")]);
        theirs += began.elapsed();
        git_runs += log.lines().filter(|line| *line == "a-run").count();
        assert_eq!(repo.git(&["rev-parse", "refs/bisect/bad"]), planted.culprit_id(), "seed {seed}");
    }
    println!(
        "{count} found: rb ran the check {search} times in the search, {ends} on the ends, {ahead} ahead in {ours:.1?}; git \
         bisect run {git_runs} times in {theirs:.1?}"
    );
}
