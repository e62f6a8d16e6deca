//! `rb is-reverted` as a gate: with which commits a change went and came back, how that is known, many at once, and the
//! branch that was merged again after its merge was reverted.

use serde_json::{Value, json};
use test_kit::Sandbox;

use crate::kit::{done, rb, rb_with};
use crate::reapply::{history, lines};

fn head(repo: &Sandbox) -> String {
    repo.git(&["rev-parse", "HEAD"])
}

fn answer(repo: &Sandbox, commit: &str) -> Value {
    rb(repo, &["is-reverted", commit, "--json"]).json()
}

fn turn(id: &str, kind: &str, known_by: &[&str]) -> Value {
    json!({ "commit_id": id, "kind": kind, "known_by": known_by })
}

#[test]
fn a_change_that_went_and_came_back_is_relanded_with_the_evidence_of_each_turn() {
    let (repo, change) = history();
    repo.git(&["revert", "--no-edit", &change]);
    let went = head(&repo);
    let undone = answer(&repo, &change);
    assert_eq!((&undone["verdict"], &undone["reverted"]), (&json!("reverted"), &json!(true)));
    assert_eq!(undone["turns"], json!([turn(&went, "rolled-back", &["message", "patch", "state"])]));

    repo.git(&["revert", "--no-edit", "HEAD"]);
    let back = head(&repo);
    let relanded = rb(&repo, &["is-reverted", &change]);
    assert_eq!(relanded.code, 10);
    assert!(
        relanded.stdout.contains("change is in force again: it was undone, and came back"),
        "{}",
        relanded.stdout
    );
    let relanded = answer(&repo, &change);
    assert_eq!(relanded["verdict"], "relanded");
    assert_eq!(
        relanded["turns"],
        json!([
            turn(&back, "relanded", &["message", "patch", "state"]),
            turn(&went, "rolled-back", &["message", "patch", "state"]),
        ])
    );

    // By hand, without a word.
    repo.commit("tidy up", &[("f", lines(&[(25, "later")])), ("g", "1\n".into())]);
    let again = answer(&repo, &change);
    assert_eq!(
        (&again["verdict"], again["turns"][0]["known_by"].clone()),
        (&json!("reverted"), json!(["patch", "state"]))
    );
    assert_eq!(again["turns"].as_array().map(Vec::len), Some(3));
    repo.git(&["cherry-pick", "-x", &change]);
    let picked = answer(&repo, &change);
    assert_eq!((&picked["verdict"], &picked["turns"][0]["kind"]), (&json!("relanded"), &json!("relanded")));
    assert_eq!(picked["turns"][0]["known_by"], json!(["message", "patch", "state"]));
}

#[test]
fn what_was_never_undone_is_in_force_and_what_a_message_alone_says_is_no_turn() {
    let (repo, change) = history();
    repo.git(&[
        "commit",
        "-q",
        "--allow-empty",
        "-m",
        &format!("Revert it\n\nThis reverts commit {change}."),
    ]);
    repo.commit(&format!("lie\n\nRollback-Of: {change}"), &[("g", "3\n")]);
    let answer = answer(&repo, &change);
    assert_eq!(answer["turns"], json!([]));
    assert_ne!(answer["verdict"], "reverted");
}

#[test]
fn a_trailer_is_evidence_and_a_part_is_told_with_its_paths() {
    let (repo, change) = history();
    done(rb(&repo, &["revert", "--file", "g"]));
    let part = head(&repo);
    let in_part = rb(&repo, &["is-reverted", &change]);
    assert_eq!(in_part.code, 10);
    assert!(in_part.stdout.contains("was undone in part by"), "{}", in_part.stdout);
    let in_part = answer(&repo, &change);
    assert_eq!(in_part["verdict"], "partly-reverted");
    let mut expected = turn(&part, "rolled-back", &["message", "trailer", "state"]);
    expected["paths"] = json!(["g"]);
    assert_eq!(in_part["turns"], json!([expected]));
    done(rb(&repo, &["revert", &change, "--file", "f"]));
    let whole = answer(&repo, &change);
    assert_eq!((&whole["verdict"], whole["turns"].as_array().map(Vec::len)), (&json!("reverted"), Some(2)));
}

#[test]
fn a_pick_that_does_not_say_so_is_known_by_its_patch() {
    let (repo, change) = history();
    repo.git(&["checkout", "-q", "-b", "release", &format!("{change}^")]);
    repo.commit("of the release", &[("f", lines(&[(20, "release")]))]);
    assert_eq!(answer(&repo, &change)["verdict"], "not-in-history");
    repo.git(&["cherry-pick", &change]);
    repo.git(&["commit", "-q", "--amend", "-m", "in words of its own"]);
    let pick = head(&repo);
    let picked = answer(&repo, &change);
    assert_eq!(
        (&picked["verdict"], &picked["picked_as"], &picked["picked_known_by"]),
        (&json!("in-force"), &json!(pick), &json!("patch"))
    );
    assert!(rb(&repo, &["is-reverted", &change]).stdout.contains("by its patch"));
    // git says so too: the commit is equivalent to one that is here.
    assert!(repo.git(&["cherry", "HEAD", &change]).starts_with("- "));
    repo.git(&["revert", "--no-edit", "HEAD"]);
    assert_eq!(rb(&repo, &["is-reverted", &change]).code, 0);
    // With other lines it is another patch.
    let other = Sandbox::new();
    other.git(&["fetch", "-q", &repo.path().display().to_string(), "main:theirs"]);
    other.git(&["checkout", "-q", "-b", "other", &format!("{change}^")]);
    other.commit("nearly", &[("f", lines(&[(5, "FIVE")])), ("g", "2\n".into())]);
    assert_eq!(answer(&other, &change)["verdict"], "not-in-history");
}

#[test]
fn many_are_asked_about_at_once_and_all_of_them_have_to_be_undone() {
    let (repo, change) = history();
    let later = head(&repo);
    repo.git(&["revert", "--no-edit", &change]);
    let both = format!("{change} change\n\n{later}\n");
    let run = rb_with(&repo, &["is-reverted", "--stdin"], &both, &[]);
    assert_eq!(run.code, 10, "{}", run.stderr);
    let words: Vec<_> = run.stdout.lines().filter_map(|line| line.split("  ").next()).collect();
    assert_eq!(words, ["undone", "in force"]);
    assert!(run.stdout.lines().nth(1).is_some_and(|line| line.ends_with(" later")), "{}", run.stdout);
    assert_eq!(rb_with(&repo, &["is-reverted", "--stdin"], &change, &[]).code, 0);
    let lines = rb_with(&repo, &["is-reverted", "--stdin", "--json"], &both, &[]).stdout;
    let lines: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str(line).expect("a document a line")).collect();
    assert_eq!(
        lines.iter().map(|line| line["reverted"].clone()).collect::<Vec<_>>(),
        [json!(true), json!(false)]
    );
    let single =
        |id: &str, line: &Value| assert_eq!(*line, answer(&repo, id), "one at a time it is the same");
    single(&change, &lines[0]);
    single(&later, &lines[1]);
    let within = rb_with(&repo, &["is-reverted", "--stdin", "--in", "HEAD..HEAD"], &change, &[]);
    assert_eq!(within.code, 10, "it was undone before the range begins");
    assert_eq!(rb_with(&repo, &["is-reverted", "--stdin"], "nothing\n", &[]).code, 5);
    let nothing = rb_with(&repo, &["is-reverted", "--stdin"], "\n", &[]);
    assert_eq!((nothing.code, nothing.line("error:")), (2, "standard input names no commit"));
}

/// A commit on `main` that writes each of these files, newer than all there is.
fn many_commits(repo: &Sandbox, files: impl Iterator<Item = String>) {
    use std::fmt::Write as _;
    let mut stream = String::new();
    for (number, file) in files.enumerate() {
        let from = if number == 0 { "from refs/heads/main^0\n" } else { "" };
        let (seconds, text) = (1_900_000_000 + 60 * number, format!("{number}\n"));
        write!(
            stream,
            "commit refs/heads/main\ncommitter A <a@example.com> {seconds} +0000\ndata 2\nc\n{from}\
             M 100644 inline {file}\ndata {}\n{text}\n",
            text.len()
        )
        .expect("memory");
    }
    repo.git_with_input(&["fast-import", "--quiet"], stream.as_bytes());
    repo.git(&["reset", "-q", "--hard"]);
}

#[test]
fn a_rollback_that_says_so_is_told_however_many_commits_came_since() {
    let repo = Sandbox::new();
    repo.commit("start", &[("d/f", lines(&[])), ("d/g", "1\n".into())]);
    let change = repo.commit("change", &[("d/f", lines(&[(5, "five")])), ("d/g", "2\n".into())]);
    repo.git(&["revert", "--no-edit", "HEAD"]);
    let went = head(&repo);
    // More than are looked at one by one.
    many_commits(&repo, (0..280).map(|_| "d/g".to_owned()));
    let answer = answer(&repo, &change);
    assert_eq!(answer["claims"][0]["commit_id"], json!(went));
    assert_eq!(answer["turns"], json!([turn(&went, "rolled-back", &["message", "patch", "state"])]));
}

#[test]
fn a_shallow_clone_has_the_verdict_of_the_state_and_says_what_it_does_not_know() {
    let repo = Sandbox::new();
    repo.commit("start", &[("f", lines(&[])), ("g", "1\n".into())]);
    repo.git(&["switch", "-q", "-c", "side"]);
    for number in 0..8 {
        repo.commit(&format!("side {number}"), &[("side", format!("{number}\n"))]);
    }
    repo.git(&["switch", "-q", "main"]);
    repo.commit("before", &[("g", "2\n")]);
    let change = repo.commit("change", &[("f", lines(&[(5, "five")]))]);
    repo.git(&["revert", "--no-edit", "HEAD"]);
    repo.git(&["merge", "-q", "--no-edit", "side"]);
    let clone = Sandbox::folder();
    let from = format!("file://{}", repo.path().display());
    clone.git(&["clone", "-q", "--depth", "4", &from, "."]);
    let shallow = std::fs::read_to_string(clone.path().join(".git/shallow")).expect("a shallow clone");
    assert!(!shallow.contains(&change), "the change itself is whole");
    let (deep, cut) = (answer(&repo, &change), answer(&clone, &change));
    assert_eq!((&cut["verdict"], &cut["reverted"]), (&json!("reverted"), &json!(true)));
    assert_eq!((&cut["paths"], &cut["claims"]), (&deep["paths"], &deep["claims"]));
    assert_eq!((&cut["turns"], deep.get("shallow_at")), (&json!([]), None));
    let boundary = cut["shallow_at"].as_str().expect("where it ends");
    assert!(shallow.lines().any(|line| line == boundary), "{boundary} of {shallow}");
    let run = rb(&clone, &["is-reverted", &change]);
    assert!(run.stdout.contains("history is cut off at "), "{}", run.stdout);
    assert_eq!(run.code, 0);
}

/// The history of git's `howto/revert-a-faulty-merge`: merged, reverted, continued, merged again.
fn merged_again() -> (Sandbox, String, String) {
    let repo = Sandbox::new();
    repo.commit("base", &[("f", lines(&[])), ("g", "1\n".into())]);
    repo.git(&["switch", "-q", "-c", "topic"]);
    let first = repo.commit("first work", &[("f", lines(&[(5, "five")]))]);
    repo.commit("second work", &[("new", "1\n")]);
    repo.git(&["switch", "-q", "main"]);
    repo.commit("of main", &[("g", "2\n")]);
    repo.git(&["merge", "-q", "--no-ff", "--no-edit", "topic"]);
    let merge = head(&repo);
    repo.git(&["revert", "--no-edit", "-m", "1", "HEAD"]);
    repo.git(&["switch", "-q", "topic"]);
    repo.commit("the fix", &[("fix", "1\n")]);
    repo.git(&["switch", "-q", "main"]);
    repo.commit("more of main", &[("g", "3\n")]);
    repo.git(&["merge", "-q", "--no-ff", "--no-edit", "topic"]);
    (repo, merge, first)
}

#[test]
fn a_branch_that_was_merged_again_after_its_merge_was_reverted_is_announced_and_relanded() {
    let (repo, merge, first) = merged_again();
    let again = head(&repo);
    // git has brought the fix, and not what was reverted.
    assert!(repo.path().join("fix").is_file() && !repo.path().join("new").exists());
    for asked in [&merge, &first] {
        let run = rb(&repo, &["is-reverted", asked]);
        assert_eq!(run.code, 0, "{}", run.stdout);
        let short = repo.git(&["rev-parse", "--short", &again]);
        assert!(run.stdout.contains(&format!("its branch was merged again by {short}")), "{}", run.stdout);
        assert_eq!(answer(&repo, asked)["merged_again"], json!([again]));
    }
    // However many commits came since: it is merges that are counted.
    let grown = repo.twin();
    many_commits(&grown, (0..300).map(|number| format!("later/{number}")));
    assert_eq!(answer(&grown, &merge)["merged_again"], json!([again]));
    // What the note says to type brings all of the branch back: the tree of both sides, and that of git's way.
    let asked = rb(&repo, &["is-reverted", &merge]).line("next: bring it back with: rb ").to_owned();
    let words: Vec<&str> = asked.split(' ').collect();
    let git = repo.twin();
    git.git(&["revert", "--no-edit", &git.git(&["rev-parse", "HEAD~2"])]);
    done(rb(&repo, &words));
    let tree = |repo: &Sandbox, revision: &str| repo.git(&["rev-parse", &format!("{revision}^{{tree}}")]);
    assert_eq!(tree(&repo, "HEAD"), tree(&git, "HEAD"));
    git.git(&["switch", "-q", "--detach", &merge]);
    git.commit("more of main", &[("g", "3\n")]);
    git.git(&["merge", "-q", "--no-ff", "--no-edit", "topic"]);
    assert_eq!(tree(&repo, "HEAD"), tree(&git, "HEAD"), "as if nothing had been reverted");
    let relanded = answer(&repo, &merge);
    assert_eq!((&relanded["verdict"], &relanded["merged_again"]), (&json!("relanded"), &json!([])));
    assert_eq!(rb(&repo, &["reapply", &merge]).code, 3, "twice is once");
}

#[test]
fn a_branch_that_was_not_merged_again_is_not_announced() {
    let (repo, merge, _) = merged_again();
    repo.git(&["reset", "-q", "--hard", "HEAD~1"]);
    assert_eq!(answer(&repo, &merge)["merged_again"], json!([]));
    // A branch that has the revert brings nothing back either, and is no second try.
    repo.git(&["switch", "-q", "-c", "other"]);
    repo.commit("other work", &[("o", "1\n")]);
    repo.git(&["switch", "-q", "main"]);
    repo.git(&["merge", "-q", "--no-ff", "--no-edit", "other"]);
    assert_eq!(answer(&repo, &merge)["merged_again"], json!([]));
}
