//! Conflicts that are left for a person: what a stop leaves is git's own, either program finishes it, and `rb undo` takes
//! all of it back.

use serde_json::json;
use test_kit::{Part, Sandbox, State};

use crate::kit::{Run, rb, rb_with};

/// What tells git that something is in progress, and what comes of it. Times and objects differ between twins.
const COMPARED: [Part; 4] = [Part::Index, Part::Flags, Part::Status, Part::Files];

/// Three commits that change one line, and a file beside it.
fn history() -> Sandbox {
    let repo = Sandbox::new();
    repo.commit("first", &[("f", "one\ntwo\nthree\n"), ("g", "g\n"), ("dir/h", "h\n")]);
    repo.commit("second", &[("f", "one\nTWO\nthree\n"), ("dir/h", "hh\n")]);
    repo.commit("third", &[("f", "one\nzwei\nthree\n")]);
    repo.commit("fourth", &[("g", "gg\n")]);
    repo
}

/// Both repositories have the same state, history and logs of HEAD.
#[track_caller]
fn assert_same(ours: &Sandbox, theirs: &Sandbox, what: &str) {
    let kept = |repo: &Sandbox| State::of(repo).only(&COMPARED);
    assert_eq!(kept(theirs).diff(&kept(ours)), "", "{what}");
    assert_eq!(ours.files_in_progress(), theirs.files_in_progress(), "{what}");
    let told = |repo: &Sandbox| {
        let log = repo.git(&["log", "--format=%T %an %ad %B", "HEAD"]);
        (log, repo.git(&["log", "-g", "--format=%gs", "HEAD"]))
    };
    assert_eq!(told(ours), told(theirs), "{what}");
}

#[track_caller]
fn ends(run: &Run, code: i32) {
    assert_eq!(run.code, code, "{}{}", run.stdout, run.stderr);
}

fn as_git(repo: &Sandbox, args: &[&str]) -> Run {
    rb_with(repo, args, "", &[("RB_COMPAT", "git"), ("GIT_EDITOR", ":")])
}

/// Follows the release of git that is installed.
fn follow_installed(repo: &Sandbox) {
    let version = repo.git(&["version"]);
    let release = version.split(' ').nth(2).expect("a version").to_owned();
    repo.git(&["config", "rb.gitVersion", &release]);
}

#[test]
fn a_conflict_touches_nothing_and_the_refusal_leads_with_the_way_to_resolve_it() {
    let repo = history();
    let before = State::of(&repo);
    let refused = rb(&repo, &["revert", "HEAD~2", "-v"]);
    ends(&refused, 6);
    assert_eq!(before.diff(&State::of(&repo)), "");
    assert_eq!(refused.line("hint:"), "resolve it by hand with: rb revert HEAD~2 -v --on-conflict=stop");
    for part in ["<<<<<<< HEAD", "zwei", "two", "f:2"] {
        assert!(refused.stdout.contains(part), "{part}: {}", refused.stdout);
    }
    let order =
        ["--on-conflict=stop", "--with-dependents\n", "--allow-loss"].map(|way| refused.stdout.rfind(way));
    assert!(order.is_sorted() && order[0].is_some(), "{order:?} {}", refused.stdout);

    let plan = rb(&repo, &["revert", "HEAD~2", "--dry-run", "--json"]).json();
    let hunk = &plan["attempts"][0]["hunks"][0];
    let text = format!(
        "<<<<<<< HEAD\nzwei\n=======\ntwo\n>>>>>>> parent of {} (second)\n",
        &id(&repo, "HEAD~2")[..7]
    );
    assert_eq!((&hunk["path"], &hunk["line"], &hunk["text"]), (&json!("f"), &json!(2), &json!(text)));

    ends(&rb(&repo, &["revert", "HEAD~2", "--on-conflict=stop", "--dry-run"]), 7);
    assert_eq!(before.diff(&State::of(&repo)), "");
}

fn id(repo: &Sandbox, revision: &str) -> String {
    repo.git(&["rev-parse", revision])
}

#[test]
fn a_stop_is_gits_own_and_git_finishes_it() {
    let (ours, theirs) = (history(), history());
    let stopped = rb(&ours, &["revert", "HEAD~2", "--on-conflict=stop", "--json"]);
    ends(&stopped, 7);
    assert_eq!(stopped.json()["outcome"]["kind"], "left-conflicted");
    assert!(!theirs.try_git(&["revert", "--no-edit", "HEAD~2"]).status.success());
    assert_same(&ours, &theirs, "the stop");
    for repo in [&ours, &theirs] {
        repo.write("f", "one\nresolved\nthree\n");
        repo.git(&["add", "f"]);
        repo.git(&["-c", "core.editor=:", "revert", "--continue"]);
    }
    assert_same(&ours, &theirs, "the end");
}

#[test]
fn rb_finishes_what_git_began() {
    for (command, flag) in
        [("continue", "--continue"), ("skip", "--skip"), ("abort", "--abort"), ("quit", "--quit")]
    {
        let (ours, theirs) = (history(), history());
        for repo in [&ours, &theirs] {
            assert!(!repo.try_git(&["revert", "--no-edit", "HEAD", "HEAD~2"]).status.success());
            repo.write("beside", "untracked\n");
            if command == "continue" {
                repo.write("f", "one\nresolved\nthree\n");
                repo.git(&["add", "f"]);
            }
        }
        ends(&rb(&ours, &[command]), 0);
        theirs.git(&["-c", "core.editor=:", "revert", flag]);
        assert_same(&ours, &theirs, command);
    }
}

#[test]
fn a_sequence_is_one_operation_and_undo_takes_it_back_from_any_point() {
    let repo = history();
    let begun = (id(&repo, "HEAD"), State::of(&repo).only(&COMPARED));
    let at_begin = |repo: &Sandbox| {
        assert_eq!(id(repo, "HEAD"), begun.0);
        assert_eq!(begun.1.diff(&State::of(repo).only(&COMPARED)), "");
        assert!(!repo.path().join(".git/sequencer").exists() && repo.state_file("REVERT_HEAD").is_none());
    };
    let stopped = rb(&repo, &["revert", "--as-given", "HEAD", "HEAD~2", "--on-conflict=stop"]);
    ends(&stopped, 7);
    assert!(
        stopped.stdout.contains("committed") && stopped.stdout.contains("stopped:"),
        "{}",
        stopped.stdout
    );
    assert_eq!(rb(&repo, &["ops", "--json"]).stdout.lines().count(), 1);
    ends(&rb(&repo, &["undo"]), 0);
    at_begin(&repo);

    ends(&rb(&repo, &["revert", "--as-given", "HEAD", "HEAD~2", "--on-conflict=stop"]), 7);
    repo.write("f", "one\nresolved\nthree\n");
    repo.git(&["add", "f"]);
    ends(&rb(&repo, &["continue"]), 0);
    assert_eq!(repo.git(&["log", "--format=%s", "-2"]), "Revert \"second\"\nRevert \"fourth\"");
    let newest = rb(&repo, &["ops", "--json", "-n1"]).json();
    assert_eq!(
        (&newest["before"], newest["commit_ids"].as_array().map(Vec::len)),
        (&json!(begun.0), Some(2))
    );
    ends(&rb(&repo, &["undo"]), 0);
    at_begin(&repo);
}

#[test]
fn what_was_half_resolved_comes_back_by_undoing_the_abort() {
    let repo = history();
    ends(&rb(&repo, &["revert", "HEAD~2", "--on-conflict=stop"]), 7);
    repo.write("f", "half\n");
    let half = (State::of(&repo).only(&COMPARED), repo.files_in_progress());
    ends(&rb(&repo, &["abort"]), 0);
    assert_eq!(repo.git(&["status", "--porcelain"]), "");
    ends(&rb(&repo, &["undo"]), 0);
    assert_eq!(half.0.diff(&State::of(&repo).only(&COMPARED)), "");
    let (mut files, mut expected) = (repo.files_in_progress(), half.1);
    for rows in [&mut files, &mut expected] {
        rows.retain(|(name, _)| *name != "ORIG_HEAD");
    }
    assert_eq!(files, expected);
}

#[test]
fn a_check_that_fails_keeps_a_resolution_from_being_committed() {
    let repo = history();
    ends(&rb(&repo, &["revert", "HEAD~2", "--on-conflict=stop"]), 7);
    let unresolved = rb(&repo, &["continue"]);
    ends(&unresolved, 5);
    assert_eq!(unresolved.line("error:"), "the index has unmerged entries: f");
    repo.write("f", "one\nresolved\nthree\n");
    repo.git(&["add", "f"]);
    let before = State::of(&repo);
    ends(&rb(&repo, &["continue", "--no-check-control", "--check", "grep -q nothing f"]), 4);
    assert_eq!(before.diff(&State::of(&repo)), "");
    ends(&rb(&repo, &["continue", "--check", "grep -q resolved f"]), 0);
}

#[test]
fn a_change_to_some_paths_stops_with_those_alone() {
    let repo = history();
    ends(&rb(&repo, &["revert", "HEAD~2", "--on-conflict=stop", "--", "f"]), 7);
    assert_eq!(repo.git(&["status", "--porcelain"]), "UU f");
    repo.write("f", "one\nresolved\nthree\n");
    repo.git(&["add", "f"]);
    ends(&rb(&repo, &["continue"]), 0);
    assert_eq!(repo.git(&["show", "--format=", "--name-only", "HEAD"]), "f");
    assert!(repo.git(&["log", "-1", "--format=%B"]).contains("second"), "{}", repo.git(&["log", "-1"]));
}

#[test]
fn a_conflict_on_a_branch_is_a_commit_that_says_so() {
    let repo = history();
    let before = State::of(&repo).only(&COMPARED);
    let run = rb(&repo, &["revert", "HEAD~2", "--on-conflict=stop", "--branch", "draft"]);
    ends(&run, 7);
    assert_eq!(before.diff(&State::of(&repo).only(&COMPARED)), "");
    assert_eq!(id(&repo, "draft~1"), id(&repo, "HEAD"));
    assert!(repo.git(&["show", "draft:f"]).contains("<<<<<<< HEAD"));
    assert_eq!(
        repo.git(&["log", "-1", "--format=%(trailers:key=Rollback-Conflict,valueonly)", "draft"]),
        "f"
    );
    ends(&rb(&repo, &["revert", "HEAD~2", "--on-conflict=stop", "--branch", "draft"]), 5);
    ends(&rb(&repo, &["undo"]), 0);
    assert!(!repo.try_git(&["rev-parse", "-q", "--verify", "draft"]).status.success());
}

#[test]
fn the_configuration_can_ask_for_stops() {
    let repo = history();
    repo.git(&["config", "rb.onConflict", "stop"]);
    ends(&rb(&repo, &["revert", "HEAD~2", "--on-conflict=refuse"]), 6);
    ends(&rb(&repo, &["revert", "HEAD~2"]), 7);
    ends(&rb(&repo, &["abort"]), 0);
    repo.git(&["config", "rb.onConflict", "perhaps"]);
    let wrong = rb(&repo, &["revert", "HEAD~2"]);
    assert_eq!(wrong.code, 5, "{}", wrong.stderr);
    assert!(wrong.stderr.contains("'perhaps' is neither 'refuse' nor 'stop'"), "{}", wrong.stderr);
}

#[test]
fn nothing_in_progress_is_said() {
    let repo = history();
    for command in ["continue", "skip", "abort", "quit"] {
        let run = rb(&repo, &[command]);
        ends(&run, 5);
        assert_eq!(run.line("error:"), "no cherry-pick or revert is in progress", "{command}");
    }
}

#[test]
fn conflicts_that_are_remembered_are_resolved_again() {
    remembers("");
    remembers("f conflict-marker-size=10\n");
    remembers("f conflict-marker-size=5\n");
}

/// git and rb keep the same of a conflict and of its resolution, and resolve it the same again.
#[track_caller]
fn remembers(attributes: &str) {
    let (ours, theirs) = (history(), history());
    for repo in [&ours, &theirs] {
        repo.write(".git/info/attributes", attributes);
        repo.git(&["config", "rerere.enabled", "true"]);
        follow_installed(repo);
    }
    let revert = ["revert", "--no-edit", "HEAD~2"];
    let both = |args: &[&str]| {
        let by_git = theirs.command("git").env("GIT_EDITOR", ":").args(args).output().expect("git starts");
        let by_rb = as_git(&ours, args);
        assert_eq!(Some(by_rb.code), by_git.status.code(), "{args:?} {}", by_rb.stderr);
        assert_eq!(by_rb.stderr, String::from_utf8_lossy(&by_git.stderr), "{args:?}");
        assert_same(&ours, &theirs, args[1]);
    };
    both(&revert);
    for repo in [&ours, &theirs] {
        repo.write("f", "one\nresolved\nthree\n");
        repo.git(&["add", "f"]);
    }
    both(&["revert", "--continue"]);
    for repo in [&ours, &theirs] {
        repo.git(&["reset", "-q", "--hard", "HEAD~1"]);
    }
    both(&revert);
    assert_eq!(
        std::fs::read_to_string(ours.path().join("f")).expect("it is there"),
        "one\nresolved\nthree\n"
    );
    let cache = |repo: &Sandbox| {
        let folder = repo.path().join(".git/rr-cache");
        let mut names: Vec<_> = std::fs::read_dir(folder)
            .expect("the cache")
            .flatten()
            .map(|row| {
                let read = |name: &str| std::fs::read_to_string(row.path().join(name)).unwrap_or_default();
                (row.file_name(), read("preimage"), read("postimage"))
            })
            .collect();
        names.sort();
        names
    };
    assert_eq!(cache(&ours), cache(&theirs));
}

/// git keeps conflicts as the work tree has them, which a merge in memory does not see.
#[test]
fn conflicts_are_not_remembered_where_the_work_tree_has_other_bytes() {
    let (ours, theirs) = (history(), history());
    for repo in [&ours, &theirs] {
        repo.write(".git/info/attributes", "f text eol=crlf\n");
        repo.git(&["config", "rerere.enabled", "true"]);
        repo.git(&["rm", "-q", "--cached", "f"]);
        repo.git(&["reset", "-q", "--hard"]);
        assert_eq!(repo.try_git(&["revert", "--no-edit", "HEAD~2"]).status.code(), Some(1));
        repo.write("f", "one\r\nresolved\r\nthree\r\n");
        repo.git(&["add", "f"]);
        repo.git(&["-c", "core.editor=:", "revert", "--continue"]);
        repo.git(&["reset", "-q", "--hard", "HEAD~1"]);
    }
    theirs.git(&["config", "rerere.enabled", "false"]);
    assert_eq!(theirs.try_git(&["revert", "--no-edit", "HEAD~2"]).status.code(), Some(1));
    let kept =
        |repo: &Sandbox| std::fs::read_dir(repo.path().join(".git/rr-cache")).expect("it is there").count();
    let before = kept(&ours);
    ends(&rb(&ours, &["revert", "HEAD~2", "--on-conflict=stop"]), 7);
    assert_eq!((before, kept(&ours)), (1, 1));
    assert_eq!(std::fs::read(ours.path().join(".git/MERGE_RR")).unwrap_or_default(), b"");
    let read = |repo: &Sandbox| std::fs::read_to_string(repo.path().join("f")).expect("it is there");
    assert_eq!(read(&ours), read(&theirs));
    assert_eq!(ours.git(&["ls-files", "-s"]), theirs.git(&["ls-files", "-s"]));
    assert_eq!(ours.files_in_progress()[..4], theirs.files_in_progress()[..4]);
}

/// A linear congruence: the same cases in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// A history whose commits meet each other: lines of two files, a file that comes and goes, a merge.
fn dense() -> Sandbox {
    let repo = Sandbox::new();
    let lines = |at: usize, word: &str| {
        let line = |nth: usize| if nth == at { format!("{word}\n") } else { format!("line {nth}\n") };
        (0..12).map(line).collect::<String>()
    };
    repo.commit("begin", &[("a", lines(99, "")), ("b", lines(99, ""))]);
    repo.commit("a3", &[("a", lines(3, "three"))]);
    repo.commit("a3 again", &[("a", lines(3, "drei"))]);
    repo.commit("b5", &[("b", lines(5, "five"))]);
    repo.commit("add", &[("c", "c\n".to_owned())]);
    repo.commit("edit", &[("c", "cc\n".to_owned()), ("b", lines(5, "fuenf"))]);
    repo.git(&["checkout", "-q", "-b", "side", "HEAD~2"]);
    repo.commit("side", &[("d", "d\n")]);
    repo.git(&["checkout", "-q", "main"]);
    repo.git(&["merge", "-q", "--no-edit", "side"]);
    repo.git(&["rm", "-q", "c"]);
    repo.commit_index(b"remove\n");
    repo.commit("last", &[("a", lines(4, "four"))]);
    follow_installed(&repo);
    repo
}

#[test]
fn with_rb_compat_every_step_is_gits() {
    let begin = dense();
    let commits: Vec<String> = begin.git(&["rev-list", "--all"]).lines().map(ToOwned::to_owned).collect();
    let mut stops = 0;
    for seed in 0..40 {
        let mut dice = Dice(seed * 7919 + 5);
        let (ours, theirs) = (begin.twin(), begin.twin());
        let mut args = vec![if dice.below(2) == 0 { "revert" } else { "cherry-pick" }];
        let command = args[0];
        args.extend((command == "revert").then_some("--no-edit"));
        args.extend((dice.below(5) == 0).then_some("-n"));
        args.extend((dice.below(5) == 0).then_some("-s"));
        args.extend((dice.below(3) == 0).then_some("-m1"));
        for _ in 0..=dice.below(3) {
            args.push(&commits[dice.below(commits.len() as u64) as usize]);
        }
        let both = |args: &[&str], at: &str| {
            let by_git =
                theirs.command("git").env("GIT_EDITOR", ":").args(args).output().expect("git starts");
            let by_rb = as_git(&ours, args);
            let said = format!("seed {seed} {at} {args:?}: {}{}", by_rb.stdout, by_rb.stderr);
            assert_eq!(Some(by_rb.code), by_git.status.code(), "{said}");
            assert_same(&ours, &theirs, &said);
            by_rb.code
        };
        let mut code = both(&args, "begin");
        for round in 0..4 {
            if code != 1 {
                break;
            }
            stops += 1;
            let flag = ["--continue", "--skip", "--abort", "--quit"][dice.below(4) as usize];
            if flag == "--continue" {
                for repo in [&ours, &theirs] {
                    repo.write("a", "resolved\n");
                    repo.git(&["add", "-A"]);
                }
            }
            code = both(&[command, flag], &format!("round {round}"));
        }
    }
    assert!(stops > 15, "{stops} stops");
}

/// git leaves the commit out that a file was in the way of; nobody asked for that.
#[test]
fn a_commit_that_was_refused_is_taken_when_the_sequence_goes_on() {
    let repo = history();
    repo.git(&["switch", "-qc", "side", "HEAD~3"]);
    repo.commit("a", &[("a", "a\n")]);
    repo.commit("b", &[("b", "b\n")]);
    repo.commit("c", &[("c", "c\n")]);
    repo.git(&["switch", "-q", "-"]);
    repo.write("b", "mine\n");
    assert_eq!(repo.try_git(&["cherry-pick", "side~2", "side~1", "side"]).status.code(), Some(128));
    ends(&rb(&repo, &["continue"]), 5);
    assert_eq!(std::fs::read_to_string(repo.path().join("b")).unwrap(), "mine\n");
    std::fs::remove_file(repo.path().join("b")).unwrap();
    ends(&rb(&repo, &["continue"]), 0);
    assert_eq!(repo.git(&["log", "-3", "--format=%s"]), "c\nb\na");
    assert_eq!(repo.git(&["status", "--porcelain"]), "");
}
