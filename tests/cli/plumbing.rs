//! `rb merge-tree`, `rb is-reverted` and `rb demo`.

use serde_json::json;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use test_kit::Sandbox;

use crate::kit::{rb, rb_with};

fn diverged() -> Sandbox {
    let repo = Sandbox::new();
    repo.commit("base", &[("f", "1\n2\n3\n4\n5\n")]);
    repo.git(&["branch", "base"]);
    repo.git(&["switch", "-q", "-c", "topic"]);
    repo.commit("topic", &[("f", "1\n2\n3\n4\nFIVE\n")]);
    repo.git(&["switch", "-q", "-c", "rival", "base"]);
    repo.commit("rival", &[("f", "ONE\n2\n3\n4\nfive\n")]);
    repo.git(&["switch", "-q", "main"]);
    repo.commit("main", &[("f", "one\n2\n3\n4\n5\n")]);
    repo
}

#[test]
fn merges_over_a_pipe_answer_as_git_does() {
    let repo = diverged();
    let questions = "base -- main topic\nbase -- main rival\nbase -- main main\n";
    for nul in [&["-z"][..], &[]] {
        let ours = rb_with(&repo, &[&["merge-tree", "--stdin"], nul].concat(), questions, &[]);
        assert_eq!((ours.code, ours.stderr.as_str()), (0, ""));
        let git = [&["merge-tree", "--write-tree", "--stdin", "--no-messages"], nul].concat();
        let theirs = repo.git_with_input(&git, questions.as_bytes());
        // git ends everything with NUL, whether asked to or not.
        let theirs = String::from_utf8(theirs).expect("names in ASCII");
        let theirs = if nul.is_empty() { theirs.replace('\0', "\n") } else { theirs };
        assert_eq!(ours.stdout, theirs);
    }
}

#[test]
fn merges_over_a_pipe_store_their_results_only_when_asked_to() {
    let repo = diverged();
    let questions = "base -- main topic\nbase -- main rival\n";
    let before = test_kit::State::of(&repo);
    let asked = rb_with(&repo, &["merge-tree", "--stdin", "-z"], questions, &[]);
    before.assert_unchanged(&repo);
    let trees: Vec<_> = asked.stdout.split('\0').filter(|part| part.len() == 40).collect();
    assert_eq!(trees.len(), 2, "{}", asked.stdout);
    assert!(trees.iter().all(|tree| !repo.try_git(&["cat-file", "-e", tree]).status.success()));

    let written = rb_with(&repo, &["merge-tree", "--stdin", "-z", "--write"], questions, &[]);
    assert_eq!((written.code, written.stdout.as_str()), (0, asked.stdout.as_str()), "{}", written.stderr);
    assert_eq!(repo.git(&["show", &format!("{}:f", trees[0])]), "one\n2\n3\n4\nFIVE");
    let marked = repo.git(&["show", &format!("{}:f", trees[1])]);
    assert!(marked.contains("<<<<<<< main") && marked.contains(">>>>>>> rival"), "{marked}");
    assert_eq!(repo.git(&["fsck", "--strict", "--no-dangling"]), "");
}

#[test]
fn a_program_can_ask_one_merge_at_a_time() {
    let repo = diverged();
    let mut command = repo.command(env!("CARGO_BIN_EXE_rb"));
    command.args(["merge-tree", "--stdin", "-z"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut questions = child.stdin.take().unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap());
    for _ in 0..3 {
        questions.write_all(b"base -- main topic\n").unwrap();
        questions.flush().unwrap();
        let mut verdict = Vec::new();
        answers.read_until(0, &mut verdict).unwrap();
        assert_eq!(verdict, b"1\0");
        for _ in 0..2 {
            answers.read_until(0, &mut Vec::new()).unwrap();
        }
    }
    drop(questions);
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_line_that_is_no_merge_is_refused() {
    let run = rb_with(&diverged(), &["merge-tree", "--stdin"], "base main topic\n", &[]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    let run = rb_with(&diverged(), &["merge-tree", "--stdin"], "base -- main nothing\n", &[]);
    assert_eq!(run.code, 5, "{}", run.stderr);
}

#[test]
fn a_commit_that_was_reverted_is_told_from_one_that_is_in_force() {
    let repo = Sandbox::new();
    repo.commit("base", &[("a", "1\n")]);
    let change = repo.commit("change", &[("a", "2\n")]);
    repo.git(&["tag", "before"]);
    let no = rb(&repo, &["is-reverted", &change]);
    assert_eq!(no.code, 10, "{}", no.stderr);
    assert!(no.stdout.contains("change is in force"), "{}", no.stdout);

    repo.git(&["revert", "--no-edit", &change]);
    let yes = rb(&repo, &["is-reverted", &change]);
    assert_eq!(yes.code, 0, "{}", yes.stdout);
    assert!(yes.stdout.contains("change has been undone"), "{}", yes.stdout);
    assert_eq!(rb(&repo, &["is-reverted", &change, "--in", "before"]).code, 10);
    assert_eq!(rb(&repo, &["is-reverted", &change, "--in", "before..HEAD"]).code, 0);

    repo.commit("more", &[("b", "1\n")]);
    let earlier = rb(&repo, &["is-reverted", &change, "--in", "HEAD~1..HEAD", "--json"]);
    assert_eq!(earlier.code, 10, "it was undone before the range begins");
    assert_eq!(earlier.json()["reverted"], json!(false));
    assert_eq!(earlier.json()["at_start"], "reverted");
    assert_eq!(earlier.json()["verdict"], "reverted");
    assert_eq!(earlier.json()["commit_id"], json!(change));
}

#[test]
fn every_demo_goes_as_its_script_says() {
    let folder = Sandbox::folder();
    let refused = rb(&folder, &["demo", "nothing"]);
    assert_eq!(refused.code, 2);
    let names = refused.line("error: there is no demo 'nothing'; there are:");
    for name in names.split(", ") {
        let run = rb(&folder, &["demo", name]);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{}", run.stdout);
        assert!(!run.stdout.contains("was expected"), "{}", run.stdout);
    }
}

#[test]
fn the_usual_demo_can_be_kept_and_has_nothing_left_to_do() {
    let folder = Sandbox::folder();
    let played = rb(&folder, &["demo", "--keep", "--json"]).json();
    let kept = played["folder"].as_str().expect("it says where it is").to_owned();
    let steps = played["steps"].as_array().expect("steps");
    assert!(steps.iter().all(|step| step["as_promised"] == json!(true)), "{played:#}");
    let landed = steps.iter().rev().find(|step| step["exit_code"] == json!(0) && step["command"].is_string());
    let words: Vec<_> = landed.expect("a step lands")["command"].as_str().unwrap().split(' ').collect();
    let file = words.iter().position(|word| *word == "--file").expect("a file is rolled back");
    let again = rb(&folder, &["-C", &kept, "revert", "--file", words[file + 1]]);
    assert_eq!(again.code, 3, "{}{}", again.stdout, again.stderr);
    std::fs::remove_dir_all(&kept).unwrap();
}

#[test]
fn a_demo_does_not_touch_the_repository_it_is_started_in() {
    let repo = diverged();
    let before = test_kit::State::of(&repo);
    let git_dir = repo.path().join(".git");
    let inherited =
        [("GIT_DIR", git_dir.to_str().unwrap()), ("GIT_WORK_TREE", repo.path().to_str().unwrap())];
    let run = rb_with(&repo, &["demo", "-q"], "", &inherited);
    assert_eq!((run.code, run.stdout.as_str()), (0, ""), "{}", run.stderr);
    before.assert_unchanged(&repo);
}

#[cfg(unix)]
#[test]
fn a_signal_ends_a_run_that_writes_nothing() {
    use std::os::unix::process::ExitStatusExt;
    let repo = diverged();
    let mut command = repo.command(env!("CARGO_BIN_EXE_rb"));
    command.args(["merge-tree", "--stdin"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap());
    child.stdin.as_mut().unwrap().write_all(b"base -- main topic\n").unwrap();
    // Once it has answered it is up and waits.
    answers.read_until(b'\n', &mut Vec::new()).unwrap();
    let killed =
        std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    assert_eq!(child.wait().unwrap().signal(), Some(15), "a shell reports 128 + 15");
}
