//! `rb revert --to`: the content of the branch as it was, by revision and by date.

use test_kit::{Sandbox, State};

use crate::kit::{done, rb};

fn tree(repo: &Sandbox, commit: &str) -> String {
    repo.git(&["rev-parse", &format!("{commit}^{{tree}}")])
}

/// A mainline of four commits, the last of which merges a topic of two.
fn released() -> Sandbox {
    let repo = Sandbox::new();
    repo.commit("base", &[("a", "1\n"), ("src/b", "1\n")]);
    repo.git(&["tag", "-a", "-m", "release", "v1"]);
    repo.commit("edit", &[("a", "2\n")]);
    repo.git(&["switch", "-q", "-c", "topic", "HEAD~1"]);
    repo.commit("topic one", &[("src/t", "1\n")]);
    repo.commit("topic two", &[("src/b", "2\n")]);
    repo.git(&["switch", "-q", "main"]);
    repo.git(&["merge", "-q", "--no-ff", "-m", "merge topic", "topic"]);
    repo.commit("last", &[("new", "1\n")]);
    repo
}

#[test]
fn the_content_is_as_it_was_in_one_commit_that_names_what_it_takes_back() {
    let repo = released();
    let since = repo.git(&["rev-list", "v1..HEAD"]);
    let plan = done(rb(&repo, &["revert", "--to", "v1", "--dry-run", "--json"])).json();
    let named: Vec<_> = plan["target"]["commits"].as_array().expect("commits").iter().collect();
    assert_eq!(named.len(), 5);
    assert!(since.lines().all(|id| named.iter().any(|known| *known == id)));
    let chosen = &plan["attempts"][0];
    assert_eq!(
        (&chosen["loss"]["class"], chosen["loss"]["discards"].as_array().map(Vec::len)),
        (&"exact".into(), Some(0))
    );
    assert_eq!(plan["target"]["back_to"], repo.git(&["rev-parse", "v1^{commit}"]).as_str());

    let run = done(rb(&repo, &["revert", "--to", "v1"]));
    assert!(run.stdout.starts_with("bringing main back to "), "{}", run.stdout);
    assert_eq!(tree(&repo, "HEAD"), tree(&repo, "v1"));
    assert_eq!(repo.git(&["rev-list", "--count", "HEAD"]), "7");
    assert_eq!(repo.git(&["status", "--porcelain"]), "");
    let message = repo.git(&["log", "-1", "--format=%B"]);
    assert!(message.starts_with("Roll back to "), "{message}");
    for subject in ["last", "merge topic", "topic one", "topic two", "edit"] {
        assert!(message.contains(&format!("({subject}, ")), "{message}");
    }
    assert_eq!(message.matches("Rollback-Of: ").count(), 5);
    assert!(run.stdout.contains("merging the branch of"), "{}", run.stdout);

    done(rb(&repo, &["undo"]));
    assert_eq!(tree(&repo, "HEAD"), tree(&repo, "main@{1}~1"));
    done(rb(&repo, &["revert", "--to", "v1"]));
    let before = State::of(&repo);
    assert_eq!(rb(&repo, &["revert", "--to", "v1"]).code, 3);
    assert_eq!(rb(&repo, &["revert", "--to", "HEAD"]).code, 3);
    assert_eq!(rb(&repo, &["revert", "--to", "HEAD", "--each"]).code, 3);
    before.assert_unchanged(&repo);
}

#[test]
fn each_makes_a_commit_of_each_first_parent_change() {
    let repo = released();
    done(rb(&repo, &["revert", "--to", "v1", "--each"]));
    assert_eq!(tree(&repo, "HEAD"), tree(&repo, "v1"));
    let subjects = repo.git(&["log", "--format=%s", "-3"]);
    assert_eq!(subjects, "Revert \"edit\"\nRevert \"merge topic\"\nRevert \"last\"");
    assert!(repo.git(&["log", "-1", "--skip=1", "--format=%b"]).contains(", reversing\nchanges made to "));
}

#[test]
fn only_the_paths_that_are_named_go_back() {
    let repo = released();
    done(rb(&repo, &["revert", "--to", "v1", "--file", "src"]));
    assert_eq!(repo.git(&["diff", "--name-status", "HEAD~1", "HEAD"]), "M\tsrc/b\nD\tsrc/t");
    let message = repo.git(&["log", "-1", "--format=%B"]);
    assert!(message.starts_with("Roll back src to ") && !message.contains("(last, "), "{message}");
    let before = State::of(&repo);
    assert_eq!(rb(&repo, &["revert", "--to", "v1", "--", "src", "nowhere"]).code, 5);
    before.assert_unchanged(&repo);
    done(rb(&repo, &["revert", "--to", "v1", "--each", "--", "a"]));
    assert_eq!(repo.git(&["log", "-1", "--format=%s"]), "Revert \"edit\" in a");
}

#[test]
fn dates_are_states_of_the_first_parent_line_and_of_the_reflog() {
    let repo = released();
    let date = |revision: &str| repo.git(&["log", "-1", "--format=%cI", revision]);
    let plan = |state: &str| done(rb(&repo, &["revert", "--to", state, "--dry-run", "--json"])).json();
    // At that time the topic had a commit of its own; the mainline was at its second commit.
    let state = plan(&date("topic~1"));
    assert_eq!(state["target"]["back_to"], repo.git(&["rev-parse", "HEAD~2"]).as_str());
    for words in ["main@{1}", "HEAD~1", "main@{2 minutes ago}"] {
        let wanted = repo.git(&["rev-parse", words]);
        let run = rb(&repo, &["revert", "--to", words, "--dry-run", "--json"]);
        assert_eq!(run.json()["target"]["back_to"], wanted.as_str(), "{words}");
    }
    let refused = rb(&repo, &["revert", "--to", "1999-01-01"]);
    let tip = repo.git(&["rev-parse", "--short=10", "HEAD"]);
    let begins = repo.git(&["log", "--reverse", "--format=%cd", "--date=short-local"]);
    let begins = begins.lines().next().expect("a commit");
    let said = format!("nothing was committed by 1999-01-01: the history of {tip} begins on {begins}");
    assert_eq!((refused.code, refused.line("error:")), (5, &*said), "{}", refused.stderr);
    assert_eq!(rb(&repo, &["revert", "--to", "no-such-thing"]).code, 5);
}

#[test]
fn what_the_branch_never_was_at_needs_consent_and_is_said_to_be_no_return() {
    let repo = released();
    repo.git(&["switch", "-q", "-c", "other", "v1"]);
    repo.commit("elsewhere", &[("other", "1\n")]);
    repo.git(&["switch", "-q", "main"]);
    for state in ["topic", "other"] {
        let before = State::of(&repo);
        let refused = rb(&repo, &["revert", "--to", state, "-y"]);
        assert_eq!(refused.code, 6, "{}{}", refused.stdout, refused.stderr);
        assert!(refused.stdout.contains("never was at"), "{}", refused.stdout);
        assert_eq!(refused.stdout.contains("it came in through"), state == "topic", "{}", refused.stdout);
        let each = rb(&repo, &["revert", "--to", state, "--each"]);
        assert_eq!(each.code, 5, "{}", each.stderr);
        assert_eq!(
            each.line("hint:"),
            format!("take its content in one commit with: rb revert --to {state}")
        );
        before.assert_unchanged(&repo);
        let plan = rb(&repo, &["revert", "--to", state, "--dry-run", "--json"]).json();
        let loss = &plan["attempts"][0]["loss"];
        assert_eq!(loss["class"], "snapshot");
        let contained = repo.git(&["rev-list", state]);
        let lost = repo.git(&["rev-list", &format!("{state}..HEAD")]);
        let discards: Vec<_> =
            loss["discards"].as_array().expect("discards").iter().filter_map(|id| id.as_str()).collect();
        assert_eq!(discards.len(), lost.lines().count());
        assert!(discards.iter().all(|id| !contained.contains(id)));
        done(rb(&repo, &["revert", "--to", state, "--allow-loss"]));
        assert_eq!(tree(&repo, "HEAD"), tree(&repo, state));
        done(rb(&repo, &["undo"]));
    }
}

#[test]
fn it_goes_to_a_branch_onto_another_and_through_a_check() {
    let repo = released();
    let main = repo.git(&["rev-parse", "main"]);
    done(rb(&repo, &["revert", "--to", "v1", "--branch", "rescue"]));
    assert_eq!((tree(&repo, "rescue"), repo.git(&["rev-parse", "main"])), (tree(&repo, "v1"), main.clone()));
    repo.git(&["branch", "elsewhere", "main"]);
    done(rb(&repo, &["revert", "--to", "elsewhere~2", "--onto", "elsewhere"]));
    assert_eq!(tree(&repo, "elsewhere"), tree(&repo, &format!("{main}~2")));
    let before = State::of(&repo);
    assert_eq!(rb(&repo, &["revert", "--to", "v1", "--check", "test -e new"]).code, 4);
    before.assert_unchanged(&repo);
    done(rb(&repo, &["revert", "--to", "v1", "--check", "test ! -e new"]));
}

#[test]
fn a_plan_of_it_lands_later_and_contradictions_are_usage_errors() {
    let repo = released();
    let plan = done(rb(&repo, &["revert", "--to", "main@{0}~2", "--dry-run", "--json"]));
    repo.write("../plan.json", plan.stdout);
    let wanted = tree(&repo, "HEAD~2");
    done(rb(&repo, &["apply", "../plan.json"]));
    assert_eq!(tree(&repo, "HEAD"), wanted);
    for words in [
        &["revert", "--to", "v1", "HEAD"][..],
        &["revert", "--each", "HEAD"],
        &["revert", "--to", "v1", "--change", "HEAD", "--file", "a"],
        &["revert", "--to", "v1", "-m", "1"],
        &["revert", "--to", "v1..HEAD"],
    ] {
        assert_eq!(rb(&repo, words).code, 2, "{words:?}");
    }
}
