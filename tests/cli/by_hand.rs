//! What a person merges by hand in the candidate's folder is shown, checked and landed.
#![cfg(unix)]

use std::path::{Path, PathBuf};

use serde_json::Value;
use test_kit::Sandbox;

use crate::kit::{Run, rb, rb_with, trust};

const PROCEDURE: &str = r#"
schema = 1
id = "extract"
[input.commit]
[phase.extract]
target = { commit = "{input.commit}" }
paths = ["monitor.py", "analyzers"]
validate = ["sure"]
[[phase.extract.ladder]]
use = "revert-commit"
scoped = true
[[phase.extract.ladder]]
use = "restore-file"
from = "target^1"
exact = true
when = ["conflict"]
[phase.extract.variant.by-hand]
edits = ["note", "merge"]
[[step]]
id = "note"
write = { path = "NOTES", text = "rolled back by hand\n" }
[[step]]
id = "merge"
manual = "merge monitor.py in {candidate.folder}"
[[check]]
id = "sure"
ask = "does it look right?"
"#;

/// A commit that extracted something, and later work on the same lines.
fn extracted() -> (Sandbox, String, String) {
    let repo = Sandbox::new();
    repo.write(".rb/procedures/extract.toml", PROCEDURE);
    repo.commit("base", &[("monitor.py", "a\nb\nc\n")]);
    let extraction = repo.commit("extract", &[("monitor.py", "a\nB\nc\n"), ("analyzers/x.py", "x\n")]);
    let later = repo.commit("work on it", &[("monitor.py", "a\nB, and more\nc\n")]);
    trust(&repo, "extract");
    (repo, extraction, later)
}

#[track_caller]
fn folder(repo: &Sandbox) -> PathBuf {
    let status = rb(repo, &["status", "--json"]).json();
    status["runs"][0]["pause"]["folder"].as_str().map(PathBuf::from).expect("it waits for a person")
}

#[track_caller]
fn edit(file: &Path, text: &str) {
    std::fs::write(file, text).expect("the candidate can be edited");
}

#[test]
fn what_is_merged_by_hand_is_shown_checked_and_landed_and_a_doubt_does_not_lose_it() {
    let (repo, extraction, later) = extracted();
    let set = format!("commit={extraction}");
    let refused = rb(&repo, &["run", "extract", "--set", &set]);
    assert_eq!(refused.code, 6, "{}", refused.stderr);
    assert_eq!(refused.line("error:"), "the result discards 1 later change to analyzers/x.py, monitor.py");
    assert!(refused.stderr.contains(&format!("discards {} work on it", &later[..7])), "{}", refused.stderr);

    let paused = rb(&repo, &["run", "extract", "--set", &set, "--variant", "by-hand"]);
    assert_eq!(paused.code, 7, "{}", paused.stderr);
    let folder = folder(&repo);
    assert_eq!(paused.line("waits at"), format!("merge: merge monitor.py in {}", folder.display()));
    assert_eq!(paused.line("next:"), "once the files there are as they should be: rb resume");
    edit(&folder.join("monitor.py"), "a\nb, and more\nc\n");
    std::fs::remove_dir_all(folder.join("analyzers")).expect("the candidate can be edited");

    let doubtful = rb(&repo, &["resume"]);
    assert_eq!(doubtful.code, 7, "{}", doubtful.stderr);
    assert!(doubtful.stderr.contains("-B, and more\n+b, and more\n"), "{}", doubtful.stderr);
    assert_eq!(doubtful.line("waits at"), "sure: inconclusive: does it look right?");
    assert_eq!(doubtful.line("next:"), "once that is so: rb resume --confirm sure");
    assert_eq!(repo.git(&["rev-parse", "HEAD"]), later);
    // Second thoughts, in the same folder.
    edit(&folder.join("monitor.py"), "a\nb, and much more\nc\n");

    let landed = rb(&repo, &["resume", "--confirm", "sure"]);
    assert_eq!(landed.code, 0, "{}", landed.stderr);
    let changed = repo.git(&["show", "--format=", "--name-status"]);
    assert_eq!(changed, "A\tNOTES\nD\tanalyzers/x.py\nM\tmonitor.py");
    assert_eq!(repo.git(&["show", "HEAD:monitor.py"]), "a\nb, and much more\nc");
    assert_eq!(repo.git(&["status", "--porcelain"]), "");
    assert!(!folder.exists(), "nothing is left behind");
}

#[test]
fn a_candidate_whose_folder_is_gone_is_edited_anew_and_an_aborted_one_is_removed() {
    let (repo, extraction, later) = extracted();
    let set = format!("commit={extraction}");
    let run = ["run", "extract", "--set", &set, "--variant", "by-hand"];
    assert_eq!(rb(&repo, &run).code, 7);
    let first = folder(&repo);
    std::fs::remove_dir_all(&first).expect("the candidate can be removed");
    let again = rb(&repo, &["resume"]);
    assert_eq!(again.code, 7, "{}", again.stderr);
    let second = folder(&repo);
    assert_eq!(first, second, "it is made anew where the run has its place");
    let aborted = rb(&repo, &["abort"]);
    assert_eq!((aborted.code, second.exists()), (0, false), "{}", aborted.stderr);
    assert_eq!(repo.git(&["rev-parse", "HEAD"]), later);
    assert_eq!(rb(&repo, &["resume"]).code, 5);
}

#[test]
fn a_refusal_on_the_way_says_how_to_begin_anew() {
    let (repo, extraction, _) = extracted();
    let asking = format!("{PROCEDURE}[[precheck]]\nid = \"told\"\nask = \"told?\"\n");
    repo.write(".rb/procedures/extract.toml", asking);
    trust(&repo, "extract");
    let set = format!("commit={extraction}");
    assert_eq!(rb(&repo, &["run", "extract", "--set", &set]).code, 7);
    let refused = rb(&repo, &["resume", "--confirm", "told"]);
    assert_eq!(refused.code, 6, "{}", refused.stderr);
    let anew =
        format!("rb run extract --phase extract --set commit={extraction} --confirm told --allow-loss");
    assert_eq!(
        refused.line("hint:"),
        format!("the run has ended; if that is what you want, begin anew with: {anew}")
    );
}

/// Runs `rb` with programs that stand in for those of the outside world.
fn with_programs(repo: &Sandbox, programs: &Path, args: &[&str]) -> Run {
    let path = std::env::var("PATH").expect("there is a path");
    rb_with(repo, args, "", &[("PATH", &format!("{}:{path}", programs.display()))])
}

#[test]
#[ignore = "needs a clone of the public repository in the folder that RB_TOWNLET names"]
fn the_real_conflict_of_the_monitor_is_refused_named_and_merged_by_hand() {
    let origin = std::env::var("RB_TOWNLET").expect("RB_TOWNLET names a clone");
    let repo = Sandbox::new();
    repo.git(&["fetch", "-q", &origin, "feature/consolidated-wp1-to-wp5"]);
    repo.git(&["reset", "-q", "--hard", "FETCH_HEAD"]);
    let programs = tempfile::tempdir().expect("a folder");
    for program in ["pytest", "python", "gh", "mypy"] {
        let file = programs.path().join(program);
        edit(&file, "#!/bin/sh\necho '900 passed'; : > rollback_telemetry.jsonl\n");
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(file, executable).expect("it was written");
    }
    let before = repo.git(&["rev-parse", "HEAD"]);
    let asked = ["run", "wp5", "--phase", "3.1", "--set", "commit=ed75116", "--role", "developer"];
    let asked = [&asked[..], &["--confirm", "team-notified"]].concat();
    let refused = with_programs(&repo, programs.path(), &[&asked[..], &["--variant", "commit"]].concat());
    assert_eq!(refused.code, 6, "{}", refused.stderr);
    assert!(refused.stderr.contains("not taken: conflict in src/townlet/stability/monitor.py"));
    assert!(refused.stderr.contains("    discards 6f4225c "), "{}", refused.stderr);
    assert_eq!(repo.git(&["rev-parse", "HEAD"]), before);

    let paused = with_programs(&repo, programs.path(), &[&asked[..], &["--variant", "by-hand"]].concat());
    assert_eq!(paused.code, 7, "{}", paused.stderr);
    let monitor = folder(&repo).join("src/townlet/stability/monitor.py");
    let text = std::fs::read_to_string(&monitor).expect("it is there");
    edit(&monitor, &format!("{text}# merged by hand\n"));
    let mut args = vec!["resume".to_owned(), "--json".to_owned()];
    let landed = loop {
        let words: Vec<&str> = args.iter().map(String::as_str).collect();
        let run = with_programs(&repo, programs.path(), &words);
        let state: Value =
            serde_json::from_str(run.stdout.lines().last().unwrap_or_default()).expect("a document");
        match state["pause"]["at"].as_str() {
            Some(at) if args.len() < 20 => args.extend(["--confirm".to_owned(), at.to_owned()]),
            _ => break run,
        }
    };
    assert_eq!(landed.code, 0, "{}", landed.stderr);
    let state: Value =
        serde_json::from_str(landed.stdout.lines().last().unwrap_or_default()).expect("a document");
    let branch = state["landed_on"].as_str().expect("it has landed");
    let merged = repo.git(&["show", &format!("{branch}:src/townlet/stability/monitor.py")]);
    assert!(merged.ends_with("# merged by hand"));
    assert_eq!(repo.git(&["rev-parse", "HEAD"]), before, "it landed on its rollback branch");
}
