//! `--no-commit` on top of what is staged, series that cancel out, and picks of empty commits: as git, which is asked
//! in a twin.

use test_kit::{Part, Sandbox, State};

use crate::kit::{done, rb, rb_with};

/// Four commits that add a file each, and a branch `topic` with two more, off the first.
fn four_files() -> Sandbox {
    let repo = Sandbox::new();
    for name in ["f1", "f2", "f3", "f4"] {
        repo.commit(&format!("add {name}"), &[(name, "1\n2\n3\n")]);
    }
    repo.git(&["checkout", "-q", "-b", "topic", "HEAD~3"]);
    repo.commit("add p", &[("p", "p\n")]);
    repo.commit("edit f1", &[("f1", "1\n2\nthree\n")]);
    repo.git(&["checkout", "-q", "main"]);
    repo
}

/// Index, files and git's own files beside the index must be the twin's.
#[track_caller]
fn assert_as_git(repo: &Sandbox, git: &Sandbox) {
    let parts = [Part::Refs, Part::Index, Part::Flags, Part::Status, Part::Files];
    let without_log = |repo: &Sandbox| {
        repo.try_git(&["update-ref", "-d", "refs/rb/log"]);
        State::of(repo).only(&parts)
    };
    without_log(&git.twin()).assert_same(&without_log(&repo.twin()));
    for file in ["MERGE_MSG", "REVERT_HEAD", "CHERRY_PICK_HEAD", "sequencer"] {
        let read = |repo: &Sandbox| std::fs::read_to_string(repo.path().join(".git").join(file)).ok();
        assert_eq!(read(repo), read(git), "{file}");
    }
}

/// Runs the same words after `rb` and after `git`, one line a run, and compares the states after each.
#[track_caller]
fn both(repo: &Sandbox, lines: &[&str]) -> Sandbox {
    let git = repo.twin();
    for line in lines {
        let words: Vec<&str> = line.split(' ').collect();
        let ours = rb(repo, &words);
        let gits: Vec<&str> =
            words.iter().map(|word| if *word == "pick" { "cherry-pick" } else { word }).collect();
        let theirs = git.try_git(&gits);
        assert_eq!(ours.code, 0, "rb {line}: {}{}", ours.stdout, ours.stderr);
        assert!(theirs.status.success(), "git {line}: {}", String::from_utf8_lossy(&theirs.stderr));
        assert_as_git(repo, &git);
    }
    git
}

#[test]
fn a_second_revert_without_commit_adds_to_the_first() {
    let repo = four_files();
    let git = both(&repo, &["revert -n HEAD", "revert -n HEAD~2"]);
    assert_eq!(repo.git(&["status", "--porcelain"]), "D  f2\nD  f4");
    for repo in [&repo, &git] {
        repo.git(&["commit", "-q", "--no-edit"]);
    }
    let commit = |repo: &Sandbox| repo.git(&["rev-parse", "HEAD"]);
    assert_eq!(commit(&repo), commit(&git), "the message waits in MERGE_MSG");
}

#[test]
fn reverts_and_picks_without_commit_add_up_in_any_order() {
    both(&four_files(), &["revert -n HEAD", "pick -n topic~1", "pick -n topic", "revert -n HEAD~1"]);
    both(&four_files(), &["pick -n topic~1", "pick -n topic"]);
    both(&four_files(), &["pick -n topic", "revert -n HEAD HEAD~1"]);
}

#[test]
fn the_same_file_takes_one_after_the_other() {
    let repo = Sandbox::new();
    let lines = |edit: fn(u32) -> String| (1..=30).map(edit).collect::<String>();
    repo.commit("one", &[("f", lines(|n| format!("{n}\n")))]);
    repo.commit("three", &[("f", lines(|n| if n == 3 { "three\n".into() } else { format!("{n}\n") }))]);
    repo.commit(
        "twenty",
        &[("f", lines(|n| if n == 3 || n == 20 { format!("number {n}\n") } else { format!("{n}\n") }))],
    );
    both(&repo, &["revert -n HEAD", "revert -n HEAD~1"]);
    assert_eq!(repo.git(&["show", ":f"]), repo.git(&["show", "HEAD~2:f"]));
}

#[test]
fn what_was_staged_elsewhere_stays_staged_and_what_was_edited_stays_edited() {
    let repo = four_files();
    repo.write("f1", "staged\n");
    repo.git(&["add", "f1"]);
    repo.write("f2", "edited\n");
    repo.write("new", "untracked\n");
    both(&repo, &["revert -n HEAD", "revert -n HEAD~1"]);
    assert_eq!(repo.git(&["status", "--porcelain"]), "M  f1\n M f2\nD  f3\nD  f4\n?? new");
}

#[test]
fn a_pick_onto_a_file_that_is_staged_merges_with_it() {
    let repo = four_files();
    repo.write("f1", "one\n2\n3\n");
    repo.git(&["add", "f1"]);
    both(&repo, &["pick -n topic"]);
    assert_eq!(repo.git(&["show", ":f1"]), "one\n2\nthree");
}

#[test]
fn a_conflict_with_what_is_staged_changes_nothing() {
    let repo = four_files();
    repo.write("f1", "1\n2\nTHREE\n");
    repo.git(&["add", "f1"]);
    let before = State::of(&repo);
    let run = rb(&repo, &["pick", "-n", "topic"]);
    assert_eq!(run.code, 1, "{}{}", run.stdout, run.stderr);
    before.assert_unchanged(&repo);
}

#[test]
fn a_snapshot_never_discards_what_is_staged() {
    let repo = Sandbox::new();
    repo.commit("one", &[("f", "1\n")]);
    let bad = repo.commit("two", &[("f", "2\n")]);
    repo.write("f", "staged\n");
    repo.git(&["add", "f"]);
    let before = State::of(&repo);
    let run = rb(&repo, &["revert", "-n", &bad, "--allow-loss"]);
    assert_eq!(run.code, 1, "{}{}", run.stdout, run.stderr);
    before.assert_unchanged(&repo);
}

#[test]
fn each_step_can_be_taken_back_by_itself() {
    let repo = four_files();
    let parts = [Part::Refs, Part::Index, Part::Flags, Part::Status, Part::Files, Part::GitFiles];
    let state = |repo: &Sandbox| {
        let state = State::of(repo).only(&parts);
        // The bytes of the index hold stat data, and what keeps rb's records alive moves with each operation.
        state
            .diff(&State::of(&Sandbox::new()).only(&[]))
            .lines()
            .collect::<Vec<_>>()
            .chunks(3)
            .filter(|fact| !["GitFiles index", "GitFiles RB_HEAD"].contains(&fact[0]))
            .map(|fact| fact.join("\n"))
            .collect::<Vec<_>>()
    };
    let start = state(&repo);
    done(rb(&repo, &["revert", "-n", "HEAD"]));
    let one = state(&repo);
    done(rb(&repo, &["pick", "-n", "topic"]));
    let two = state(&repo);
    done(rb(&repo, &["revert", "-n", "HEAD~1"]));
    for expected in [&two, &one, &start] {
        let last = rb(&repo, &["ops", "--json"]).stdout;
        let id = last
            .lines()
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
            .find(|operation| operation.get("undoes").is_none() && operation.get("undone_by").is_none())
            .and_then(|operation| operation["operation_id"].as_str().map(ToOwned::to_owned));
        done(rb(&repo, &["undo", &id.expect("an operation to take back")]));
        assert_eq!(&state(&repo), expected);
    }
}

#[test]
fn a_kept_plan_on_what_is_staged_lands_there_and_nowhere_else() {
    let repo = four_files();
    done(rb(&repo, &["revert", "-n", "HEAD"]));
    let plan = done(rb(&repo, &["revert", "-n", "HEAD~1", "--dry-run", "--json"]));
    assert!(plan.json()["tip"]["index_tree_id"].is_string(), "{}", plan.stdout);
    let before = State::of(&repo);
    let refused = rb_with(&repo, &["apply", "-"], &plan.stdout, &[]);
    assert_eq!(refused.code, 5, "a revert is in progress: {}", refused.stderr);
    before.assert_unchanged(&repo);
    repo.write("new", "staged\n");
    repo.git(&["add", "new"]);
    let moved = rb_with(&repo, &["apply", "-n", "-"], &plan.stdout, &[]);
    assert_eq!(
        (moved.code, moved.line("error:")),
        (5, "what is staged is not what it was when the plan was made")
    );
    repo.git(&["rm", "-q", "--cached", "new"]);
    done(rb_with(&repo, &["apply", "-n", "-"], &plan.stdout, &[]));
    assert_eq!(repo.git(&["diff", "--cached", "--name-only"]), "f3\nf4");
}

#[test]
fn an_operation_that_is_not_rbs_own_still_stops_it() {
    for state in ["CHERRY_PICK_HEAD", "MERGE_HEAD", "sequencer/todo"] {
        let repo = four_files();
        done(rb(&repo, &["revert", "-n", "HEAD"]));
        let content = format!("{}\n", repo.git(&["rev-parse", "HEAD~1"]));
        std::fs::create_dir_all(repo.path().join(".git/sequencer")).expect("a folder");
        if !state.contains('/') {
            std::fs::remove_dir(repo.path().join(".git/sequencer")).expect("it is empty");
        }
        std::fs::write(repo.path().join(".git").join(state), content).expect("a file");
        let run = rb(&repo, &["revert", "-n", "HEAD~1"]);
        assert_eq!(run.code, 5, "{state}: {}", run.stdout);
    }
}

#[test]
fn a_series_that_cancels_out_is_made_as_git_makes_it() {
    let repo = four_files();
    repo.git(&["revert", "--no-edit", "HEAD"]);
    let (revert, reverted) = (repo.git(&["rev-parse", "HEAD"]), repo.git(&["rev-parse", "HEAD~1"]));
    let git = repo.twin();
    repo.tick();
    git.tick();
    done(rb(&repo, &["revert", &revert, &reverted]));
    git.git(&["revert", "--no-edit", &revert, &reverted]);
    let log = |repo: &Sandbox| repo.git(&["log", "-3", "--format=%s %T", "main"]);
    assert_eq!(log(&repo), log(&git));
    assert_eq!(repo.git(&["rev-parse", "HEAD^{tree}"]), repo.git(&["rev-parse", "HEAD~2^{tree}"]));
    assert_eq!(repo.git(&["status", "--porcelain"]), "");
}

#[test]
fn picks_of_a_change_and_its_revert_are_both_made() {
    let repo = four_files();
    repo.git(&["checkout", "-q", "topic"]);
    repo.git(&["revert", "--no-edit", "HEAD"]);
    repo.git(&["checkout", "-q", "main"]);
    let git = both(&repo, &["pick topic~1 topic"]);
    assert_eq!(git.git(&["rev-parse", "HEAD^{tree}"]), git.git(&["rev-parse", "HEAD~2^{tree}"]));
    // Taken back as one.
    done(rb(&repo, &["undo"]));
    assert_eq!(repo.git(&["log", "-1", "--format=%s"]), "add f4");
}

/// A branch `topic` with a commit that is empty from the start and, beside it, what `main` has already.
fn markers() -> Sandbox {
    let repo = Sandbox::new();
    repo.commit("one", &[("f", "1\n")]);
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.git(&["commit", "-q", "--allow-empty", "-m", "marker"]);
    repo.commit("two", &[("f", "2\n")]);
    repo.commit("three", &[("g", "3\n")]);
    repo.git(&["checkout", "-q", "main"]);
    repo.commit("two as well", &[("f", "2\n")]);
    repo
}

#[test]
fn an_empty_commit_is_kept_where_that_is_asked_for() {
    both(&markers(), &["pick --allow-empty topic~2"]);
    both(&markers(), &["pick --allow-empty topic~2 topic"]);
    both(&markers(), &["pick --keep-redundant-commits topic~2 topic~1 topic"]);
    both(&markers(), &["pick -n --allow-empty topic~2"]);
}

#[test]
fn one_that_became_empty_is_not_kept_and_said_to_be_left_out() {
    let repo = markers();
    let before = State::of(&repo);
    assert_eq!(rb(&repo, &["pick", "--allow-empty", "topic~1"]).code, 3);
    assert_eq!(rb(&repo, &["pick", "topic~2"]).code, 3);
    before.assert_unchanged(&repo);
    let run = done(rb(&repo, &["pick", "--allow-empty", "topic~2", "topic~1", "topic"]));
    assert_eq!(repo.git(&["log", "-3", "--format=%s"]), "three\nmarker\ntwo as well");
    assert!(run.stdout.contains(" changes nothing here and is left out"), "{}", run.stdout);
    let git = markers();
    git.git(&["cherry-pick", "--allow-empty", "--empty=drop", "topic~2", "topic~1", "topic"]);
    assert_eq!(repo.git(&["rev-parse", "HEAD^{tree}"]), git.git(&["rev-parse", "HEAD^{tree}"]));
}

#[test]
fn git_is_asked_about_the_very_same_merges() {
    let repo = four_files();
    done(rb(&repo, &["revert", "-n", "HEAD"]));
    let run = done(rb(&repo, &["revert", "-n", "HEAD~1", "--cross-check", "--json"]));
    assert_eq!(run.json()["cross_check"]["differences"], serde_json::json!([]));
    assert_eq!(run.json()["cross_check"]["merges"], 1);
}
