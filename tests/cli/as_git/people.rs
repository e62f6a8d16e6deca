//! Names, mails and dates of new commits are those that git would write, in the commit, its trailers and the reflog.

use test_kit::{Sandbox, State};

use super::{as_git, git_with};
use crate::kit::{done, rb, rb_with};

fn two_commits() -> Sandbox {
    let repo = Sandbox::new();
    repo.commit("one", &[("a", "a\n")]);
    repo.commit("two", &[("a", "b\n")]);
    repo
}

/// Variables that leave the people to the configuration.
const FROM_CONFIG: &[&str] =
    &["GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"];

/// The commit that git, and that rb, makes of `revert --signoff` with this configuration: the whole object and the log.
#[track_caller]
fn reverted(configuration: &[(&str, &str)]) -> (Option<String>, Option<String>) {
    let repo = two_commits();
    for (key, value) in configuration {
        repo.git(&["config", key, value]);
    }
    let twin = repo.twin();
    let run = |repo: &Sandbox, program: &str, words: &[&str]| {
        let mut command = repo.command(program);
        for name in FROM_CONFIG {
            command.env_remove(name);
        }
        let output = command.args(words).output().expect("it can be started");
        output.status.success().then(|| {
            repo.git(&["cat-file", "commit", "HEAD"])
                + "\n"
                + &repo.git(&["reflog", "-1", "--format=%gn <%ge> %gs"])
        })
    };
    let theirs = run(&twin, "git", &["revert", "--no-edit", "--signoff", "HEAD"]);
    let ours = run(&repo, env!("CARGO_BIN_EXE_rb"), &["revert", "--signoff", "HEAD"]);
    (theirs, ours)
}

#[test]
fn people_are_cleaned_as_git_cleans_them() {
    let names = [
        "A <B>",
        "'q'",
        "Jo \"x\"",
        "Foo Bar, Jr.",
        " , ; x",
        "x\\",
        "a\tb",
        "\u{1}x\u{2}y\u{3}",
        "O'Neil",
        "é",
        "«q»",
        "a:b:",
        "<>",
        ",",
        "'",
        "",
        ".",
        "x.",
        "Name <mail@x>",
        "a\nb",
    ];
    for name in names {
        let (theirs, ours) = reverted(&[("user.name", name), ("user.email", "a@b.example")]);
        assert_eq!(ours, theirs, "user.name={name:?}");
    }
    for mail in ["<a@b.example>", "a@b", "", "<>", " a@b ", "a<b>c@d", "\"a\"@b", "a@b."] {
        let (theirs, ours) = reverted(&[("user.name", "A"), ("user.email", mail)]);
        assert_eq!(ours, theirs, "user.email={mail:?}");
    }
    let roles: [&[(&str, &str)]; 3] = [
        &[("user.name", "U"), ("user.email", "u@x"), ("author.name", "A"), ("committer.email", "c@x")],
        &[("user.name", "U"), ("user.email", "u@x"), ("author.name", ""), ("author.email", "")],
        &[("author.name", "A"), ("author.email", "a@x"), ("committer.name", "C"), ("committer.email", "c@x")],
    ];
    for role in roles {
        let (theirs, ours) = reverted(role);
        assert_eq!(ours, theirs, "{role:?}");
    }
}

#[test]
fn people_of_the_environment_are_cleaned_too_and_an_empty_name_is_refused() {
    for name in ["<X>", "'x'", "", " ", ";;", "x\ny"] {
        let repo = two_commits();
        let variables =
            [("GIT_AUTHOR_NAME", name), ("GIT_COMMITTER_NAME", name), ("GIT_AUTHOR_EMAIL", "<e@x>")];
        as_git(&repo, &["revert", "--no-edit", "HEAD"], &["revert", "HEAD"], &variables, name);
    }
    let repo = two_commits();
    let run = rb_with(&repo, &["revert", "HEAD"], "", &[("GIT_AUTHOR_NAME", "")]);
    assert_eq!(
        run.line("error: "),
        "GIT_AUTHOR_NAME gives no author name that a commit could hold: it is empty"
    );
    assert!(run.line("hint: ").ends_with("env -u GIT_AUTHOR_NAME rb revert HEAD"), "{}", run.stderr);
}

#[test]
fn dates_of_the_environment_are_gits_or_refused() {
    let dates = [
        "04/07/2005 10:00",
        "2005-04-07T22:13:13 EST",
        "07.04.2005 10:00:00",
        "@1 +0100",
        "1970-01-01 00:00:00 +0100",
        "Thu, 07 Apr 2005 22:13:13 +0200",
        "20050407T221313Z",
        "garbage",
        "yesterday",
        "-1 +0000",
        "2100-01-01 00:00",
        " ",
        "",
    ];
    for date in dates {
        let repo = two_commits();
        let variables = [("GIT_AUTHOR_DATE", date), ("GIT_COMMITTER_DATE", date), ("TZ", "IST-5:30")];
        let twin = repo.twin();
        let theirs = git_with(&twin, &["revert", "--no-edit", "HEAD"], &variables).status.success();
        let before = State::of(&repo);
        let ours = rb_with(&repo, &["revert", "HEAD"], "", &variables);
        assert_eq!(ours.code, if theirs { 0 } else { 5 }, "{date:?}: {}", ours.stderr);
        if !theirs {
            assert!(
                ours.stderr.contains(&format!("GIT_AUTHOR_DATE is no date that git reads: '{date}'")),
                "{date}"
            );
            assert_eq!(before.diff(&State::of(&repo)), "", "{date:?}");
        } else if !date.is_empty() {
            assert_eq!(repo.git(&["rev-parse", "HEAD"]), twin.git(&["rev-parse", "HEAD"]), "{date:?}");
        } else {
            let zone = repo.git(&["log", "-1", "--format=%ad", "--date=raw"]);
            assert!(zone.ends_with(" +0530") && !zone.starts_with("1735689600"), "the clock counts: {zone}");
        }
    }
}

#[test]
fn a_date_that_cannot_be_read_is_no_obstacle_to_what_makes_no_commit() {
    let repo = two_commits();
    let variables = [("GIT_AUTHOR_DATE", "garbage"), ("GIT_COMMITTER_DATE", "garbage")];
    for words in [&["history", "a"][..], &["is-reverted", "HEAD"], &["ops"]] {
        let run = rb_with(&repo, words, "", &variables);
        assert_ne!(run.code, 70, "{words:?}: {}", run.stderr);
        assert!(!run.stderr.contains("garbage"), "{words:?}: {}", run.stderr);
    }
    done(rb(&repo, &["history", "a"]));
}
