//! What a refusal says of the commits in the way: only those whose lines are, and the way around them only where it was
//! tried and is clean.

use test_kit::{Sandbox, State};

use crate::kit::{done, rb};

fn lines(changed: &[(u32, &str)]) -> String {
    let line =
        |n: u32| changed.iter().find(|(at, _)| *at == n).map_or(n.to_string(), |(_, text)| (*text).into());
    (1..=30).map(|n| line(n) + "\n").collect()
}

/// The commits listed as in the way, by their subjects, and whether taking them along is suggested.
fn in_the_way(repo: &Sandbox, words: &[&str]) -> (Vec<String>, bool) {
    let before = State::of(repo);
    let run = rb(repo, words);
    assert_eq!(run.code, 1, "{}{}", run.stdout, run.stderr);
    before.assert_unchanged(repo);
    let mut rest = run.stdout.lines().skip_while(|line| !line.starts_with("In the way of "));
    let suggested = rest.next().is_some_and(|heading| heading.contains("--with-dependents"));
    let named = rest.take_while(|line| !line.is_empty());
    (
        named
            .filter_map(|line| line.trim().split_once(' '))
            .map(|(_, rest)| rest.split_once("  (").map_or(rest, |(subject, _)| subject).to_owned())
            .collect(),
        suggested,
    )
}

#[test]
fn a_commit_that_only_touches_the_file_is_not_in_the_way() {
    let repo = Sandbox::new();
    repo.commit("start", &[("f", lines(&[]))]);
    let bad = repo.commit("bad", &[("f", lines(&[(5, "five")]))]);
    repo.commit("far away", &[("f", lines(&[(5, "five"), (25, "far")]))]);
    repo.commit("same line", &[("f", lines(&[(5, "FIVE"), (25, "far")]))]);
    repo.commit("elsewhere", &[("f", lines(&[(5, "FIVE"), (15, "else"), (25, "far")]))]);
    let words = ["revert", &bad, "--via", "revert-commit"];
    assert_eq!(in_the_way(&repo, &words), (vec!["same line".into()], true));
    // What is suggested works.
    done(rb(&repo, &["revert", &bad, "--with-dependents"]));
    assert_eq!(repo.git(&["show", "HEAD:f"]) + "\n", lines(&[(15, "else"), (25, "far")]));
    assert_eq!(repo.git(&["log", "-2", "--format=%s"]), "Revert \"bad\"\nRevert \"same line\"");
}

#[test]
fn what_builds_on_a_commit_in_the_way_is_in_the_way_too() {
    let repo = Sandbox::new();
    repo.commit("start", &[("f", lines(&[]))]);
    let bad = repo.commit("bad", &[("f", lines(&[(5, "five")]))]);
    repo.commit("once", &[("f", lines(&[(5, "FIVE")]))]);
    repo.commit("between", &[("f", lines(&[(5, "FIVE"), (20, "x")]))]);
    repo.commit("twice", &[("f", lines(&[(5, "Five!"), (20, "x")]))]);
    let words = ["revert", &bad, "--via", "revert-commit"];
    assert_eq!(in_the_way(&repo, &words), (vec!["twice".into(), "once".into()], true));
}

#[test]
fn what_they_depend_on_goes_along_and_no_more_than_is_allowed() {
    let repo = Sandbox::new();
    repo.commit("start", &[("f", lines(&[])), ("g", lines(&[]))]);
    let bad = repo.commit("bad", &[("f", lines(&[(5, "five")]))]);
    repo.commit("both", &[("f", lines(&[(5, "FIVE")])), ("g", lines(&[(9, "nine")]))]);
    repo.commit("only g", &[("g", lines(&[(9, "NINE")]))]);
    let words = ["revert", &bad, "--via", "revert-commit"];
    assert_eq!(in_the_way(&repo, &words), (vec!["only g".into(), "both".into()], true));
    let text = rb(&repo, &words).stdout;
    let both = repo.git(&["rev-parse", "--short", "HEAD~1"]);
    assert!(text.contains(&format!("only g  (g:9, in the way of {both})\n")), "{text}");
    assert!(text.contains("both  (f:5)\n"), "{text}");
    let too_few = rb(&repo, &["revert", &bad, "--with-dependents", "--max=1", "--via", "revert-commit"]);
    assert_eq!(too_few.code, 1, "{}", too_few.stdout);
    let plan = rb(&repo, &["revert", &bad, "--dry-run", "--json"]).json();
    let on = &plan["attempts"][0]["dependent_on"];
    assert_eq!((&on[0]["blocks"], &on[0]["reason"]), (&on[1]["commit_id"], &serde_json::json!("lines")));
    done(rb(&repo, &["revert", &bad, "--with-dependents"]));
    assert_eq!(repo.git(&["diff", "--stat", "HEAD~6", "HEAD"]), "");
}

#[test]
fn a_file_that_came_goes_with_what_changed_it_and_one_that_went_comes_back() {
    let repo = Sandbox::new();
    repo.commit("start", &[("f", lines(&[])), ("g", "g\n".into())]);
    let bad = repo.commit("bad", &[("f", lines(&[(5, "five")])), ("new", "1\n".into())]);
    repo.commit("later", &[("new", "2\n")]);
    repo.commit("unrelated", &[("g", "G\n")]);
    repo.git(&["rm", "-q", "f"]);
    repo.commit_index(b"drop f\n");
    let words = ["revert", &bad, "--via", "revert-commit"];
    assert_eq!(in_the_way(&repo, &words), (vec!["drop f".into(), "later".into()], true));
    done(rb(&repo, &["revert", &bad, "--with-dependents"]));
    assert_eq!(repo.git(&["diff", "--name-only", "HEAD~7", "HEAD"]), "g");
}

#[test]
fn the_loss_of_a_snapshot_names_the_way_around_only_where_it_is_clean() {
    let repo = Sandbox::new();
    repo.commit("start", &[("f", "1\n")]);
    let bad = repo.commit("bad", &[("f", "2\n")]);
    repo.commit("later", &[("f", "3\n")]);
    let run = rb(&repo, &["revert", &bad]);
    assert_eq!(run.code, 6, "{}", run.stderr);
    let later = repo.git(&["rev-parse", "--short", "HEAD"]);
    let way_around = format!("did to f (--with-dependents undoes only {later})\n");
    assert!(run.stdout.contains(&way_around), "{}", run.stdout);
    let next = "undo what is in the way first, each by a commit of its own, with\n    ";
    let typed = format!("rb revert {bad} --with-dependents\n");
    assert!(run.stdout.contains(&format!("{next}{typed}")), "{}", run.stdout);
    let plan = rb(&repo, &["revert", &bad, "--dry-run", "--json"]).json();
    assert_eq!(plan["attempts"][0]["with_dependents"], "clean");
    done(rb(&repo, &["revert", &bad, "--with-dependents"]));
    assert_eq!(repo.git(&["show", "HEAD:f"]), "1");
}

#[test]
fn a_commit_is_called_undone_only_where_it_is() {
    let repo = Sandbox::new();
    repo.commit("start", &[("f", "1\n")]);
    let bad = repo.commit("bad", &[("f", "2\n")]);
    repo.commit("later", &[("f", "3\n")]);
    let stuck = rb(&repo, &["revert", &bad, "--via", "revert-commit"]);
    assert!(stuck.stdout.contains("(to undo)") && !stuck.stdout.contains("(undone)"), "{}", stuck.stdout);
    let landed = done(rb(&repo, &["revert", "HEAD"]));
    assert!(landed.stdout.contains("undone)"), "{}", landed.stdout);
}

#[test]
fn of_many_later_commits_the_one_on_the_lines_is_named() {
    let repo = Sandbox::new();
    repo.commit("start", &[("f", lines(&[]))]);
    let bad = repo.commit("bad", &[("f", lines(&[(5, "five")]))]);
    repo.commit("same line", &[("f", lines(&[(5, "FIVE")]))]);
    for n in 0..30 {
        repo.commit("elsewhere", &[("f", lines(&[(5, "FIVE"), (25, &format!("edit {n}"))]))]);
    }
    let words = ["revert", &bad, "--via", "revert-commit"];
    assert_eq!(in_the_way(&repo, &words), (vec!["same line".into()], true));
}

#[test]
fn a_merge_that_brought_the_lines_in_is_no_riddle() {
    let repo = Sandbox::new();
    repo.commit("start", &[("f", lines(&[]))]);
    let bad = repo.commit("bad", &[("f", lines(&[(5, "five")]))]);
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.commit("on topic", &[("f", lines(&[(5, "topic")]))]);
    repo.git(&["checkout", "-q", "main"]);
    repo.commit("on main", &[("f", lines(&[(5, "five"), (25, "main")]))]);
    repo.git(&["merge", "-q", "--no-ff", "-m", "merge topic", "topic"]);
    let words = ["revert", &bad, "--via", "revert-commit"];
    assert_eq!(in_the_way(&repo, &words), (vec!["on topic".into()], true));
    done(rb(&repo, &["revert", &bad, "--with-dependents"]));
    assert_eq!(repo.git(&["show", "HEAD:f"]) + "\n", lines(&[(25, "main")]));
}
