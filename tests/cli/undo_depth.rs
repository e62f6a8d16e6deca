//! `rb undo` and `rb redo` in depth, and `rb undo --git`: the moves of branches that git made, taken back with index and
//! bytes, and never with the loss of work that is not committed.

use serde_json::{Value, json};
use test_kit::{Part, Sandbox, State};

use crate::kit::{done, rb};

/// What an undo brings back.
const PARTS: [Part; 5] = [Part::Refs, Part::Index, Part::Flags, Part::Status, Part::Files];

fn kept(repo: &Sandbox) -> State {
    State::of(repo).only(&PARTS)
}

fn lines(repo: &Sandbox, words: &[&str]) -> Vec<Value> {
    let run = done(rb(repo, words));
    run.stdout.lines().map(|line| serde_json::from_str(line).expect("a document a line")).collect()
}

fn three_landings() -> (Sandbox, Vec<State>) {
    let repo = Sandbox::new();
    repo.commit("base", &[("base", "1\n")]);
    for number in 0..4 {
        repo.commit(&format!("c{number}"), &[(format!("f{number}").as_str(), "1\n")]);
    }
    let mut states = vec![kept(&repo)];
    for number in 1..4 {
        done(rb(&repo, &["revert", &format!("HEAD^{{/^c{number}}}")]));
        states.push(kept(&repo));
    }
    (repo, states)
}

#[test]
fn undos_go_back_one_landing_each_and_redos_come_back_the_same_way() {
    let (repo, states) = three_landings();
    for state in states[..3].iter().rev() {
        done(rb(&repo, &["undo"]));
        state.assert_same(&kept(&repo));
    }
    let over = rb(&repo, &["undo", "--json"]);
    assert_eq!((over.code, &over.json()["error"]["code"]), (5, &json!("nothing-to-undo")));
    for state in &states[1..] {
        let foreseen = rb(&repo, &["redo", "--dry-run"]);
        assert!(done(foreseen).stdout.starts_with("Would do again; nothing was changed"));
        done(rb(&repo, &["redo"]));
        state.assert_same(&kept(&repo));
    }
    let over = rb(&repo, &["redo", "--json"]);
    assert_eq!((over.code, &over.json()["error"]["code"]), (5, &json!("nothing-to-redo")));
    // Back and forth from the middle.
    for (word, at) in [("undo", 2), ("undo", 1), ("redo", 2), ("undo", 1), ("redo", 2), ("redo", 3)] {
        done(rb(&repo, &[word]));
        states[at].assert_same(&kept(&repo));
    }
    assert_eq!(repo.git(&["fsck", "--strict", "--no-dangling"]), "");
}

#[test]
fn a_landing_ends_what_can_be_redone_and_each_undo_names_the_way_back() {
    let (repo, states) = three_landings();
    let undone = done(rb(&repo, &["undo"]));
    assert!(undone.stdout.ends_with("next: take the undo back with: rb redo\n"), "{}", undone.stdout);
    assert_eq!(done(rb(&repo, &["status", "--json"])).json()["next"], "rb redo");
    let redone = done(rb(&repo, &["redo"]));
    assert!(redone.stdout.starts_with("Done again: the undo is taken back: operation "), "{}", redone.stdout);
    assert!(redone.stdout.ends_with("next: undo it again with: rb undo\n"), "{}", redone.stdout);
    done(rb(&repo, &["undo"]));
    done(rb(&repo, &["revert", "HEAD^{/^c0}"]));
    let over = rb(&repo, &["redo"]);
    assert_eq!(over.code, 5, "{}", over.stdout);
    done(rb(&repo, &["undo"]));
    states[2].assert_same(&kept(&repo));
    done(rb(&repo, &["undo"]));
    states[1].assert_same(&kept(&repo));
}

/// A branch with a topic beside it, an upstream that is ahead, and patches to apply.
fn world() -> Sandbox {
    let repo = Sandbox::new();
    repo.commit("one", &[("a", "1\n2\n3\n4\n5\n"), ("gone", "g\n"), ("dir/deep", "d\n")]);
    repo.git(&["switch", "-q", "-c", "topic"]);
    repo.commit("topic", &[("topic", "t\n"), ("dir/deep", "D\n")]);
    repo.git(&["format-patch", "-q", "-1", "-o", "../patches"]);
    repo.git(&["switch", "-q", "-c", "far"]);
    repo.commit("far", &[("far", "f\n")]);
    repo.git(&["switch", "-q", "main"]);
    repo.git(&["rm", "-q", "gone"]);
    repo.commit("two", &[("a", "1\ntwo\n3\n4\n5\n"), ("new", "n\n")]);
    repo.commit("three", &[("a", "1\ntwo\n3\nfour\n5\n")]);
    repo.git(&["clone", "-q", "--bare", ".", "../upstream"]);
    repo.git(&["remote", "add", "origin", "../upstream"]);
    repo.git(&["push", "-q", "origin", "far:ahead"]);
    // Work that is not committed, and that no move touches.
    repo.write("untracked", "mine\n");
    repo
}

/// git's own moves: a name, and shell that makes them of the world.
const MOVES: [(&str, &str); 18] = [
    ("reset --hard", "git reset -q --hard HEAD~2"),
    ("reset --mixed", "git reset -q HEAD~1"),
    ("reset --soft", "git reset -q --soft HEAD~2"),
    ("reset --keep", "git reset -q --keep topic"),
    ("rebase", "git rebase -q topic"),
    ("rebase --onto", "git rebase -q --onto topic HEAD~1"),
    (
        "merge, fast-forward",
        "git switch -q -C side HEAD~2 && git switch -q main && git reset -q --hard HEAD~2 && git merge -q topic",
    ),
    ("merge", "git merge -q --no-edit topic"),
    ("pull", "git pull -q --no-rebase --no-edit origin ahead"),
    ("pull --rebase", "git pull -q --rebase origin ahead"),
    ("cherry-pick", "git cherry-pick topic"),
    ("revert", "git revert --no-edit HEAD"),
    ("am", "git am -q ../patches/*.patch"),
    ("commit", "git rm -q new && echo 6 >>a && git add a && git commit -q -m more"),
    ("commit --amend", "echo 6 >>a && git add a && git commit -q --amend -m amended"),
    ("commit --amend, the message alone", "git commit -q --amend -m amended"),
    ("checkout -B", "git checkout -q -B main topic"),
    (
        "filter of one commit by an update-ref",
        "git update-ref -m 'by hand' refs/heads/main HEAD~1 && git reset -q --hard",
    ),
];

fn shell(repo: &Sandbox, script: &str) {
    let output = repo.command("bash").args(["-ec", script]).output().expect("a shell can be started");
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
}

/// What the state before a move is, so that only the last move of the script counts: all but the last command are run first.
fn before_last(script: &str) -> (&str, &str) {
    match script.split_once(" && git merge ") {
        Some((first, _)) => (first, &script[first.len() + 4..]),
        None => ("true", script),
    }
}

#[test]
fn every_kind_of_move_is_taken_back_with_bytes_and_index_and_comes_again() {
    for (name, script) in MOVES {
        let repo = world();
        let (first, last) = before_last(script);
        shell(&repo, first);
        let mut before = kept(&repo);
        let log = repo.git(&["reflog", "show", "--format=%gs", "main"]).lines().count();
        shell(&repo, last);
        if name.starts_with("commit") {
            // What was staged for the commit is the state right before it.
            let tip = repo.git(&["rev-parse", "main@{1}"]);
            let twin = repo.twin();
            twin.git(&["reset", "-q", "--soft", &tip]);
            before = kept(&twin);
        }
        let moves = repo.git(&["reflog", "show", "--format=%gs", "main"]).lines().count() - log;
        assert_eq!(moves, 1, "{name} is one move");
        // A fetch of the pull moves references of remotes, which no undo of a branch takes back.
        let fetched = repo.git(&["for-each-ref", "refs/remotes"]);
        let after = State::of(&repo);
        let foreseen = done(rb(&repo, &["undo", "--git", "--dry-run"]));
        assert!(
            foreseen.stdout.starts_with("Would undo; nothing was changed: "),
            "{name}: {}",
            foreseen.stdout
        );
        after.assert_unchanged(&repo);
        let undone = done(rb(&repo, &["undo", "--git"]));
        assert!(undone.stdout.starts_with("Undone: "), "{name}: {}", undone.stdout);
        assert_eq!(repo.git(&["for-each-ref", "refs/remotes"]), fetched, "{name}");
        let found = kept(&repo);
        let difference = before.diff(&found);
        assert!(difference.is_empty(), "{name}:\n{difference}");
        done(rb(&repo, &["undo"]));
        let difference = after.only(&PARTS).diff(&kept(&repo));
        assert!(difference.is_empty(), "{name}, and back:\n{difference}");
        assert_eq!(repo.git(&["fsck", "--strict", "--no-dangling"]), "", "{name}");
    }
}

#[test]
fn a_branch_that_is_not_checked_out_moves_alone() {
    let repo = world();
    let before = kept(&repo);
    repo.git(&["branch", "-q", "-f", "topic", "main"]);
    let undone = done(rb(&repo, &["undo", "--git", "topic"]));
    assert!(undone.stdout.contains("branch: Reset to main"), "{}", undone.stdout);
    before.assert_same(&kept(&repo));
    let bare = Sandbox::bare();
    bare.git(&["config", "core.logAllRefUpdates", "true"]);
    bare.git(&["fetch", "-q", &repo.path().display().to_string(), "main:main"]);
    bare.git(&["update-ref", "-m", "by hand", "refs/heads/main", "main~1"]);
    done(rb(&bare, &["undo", "--git"]));
    assert_eq!(bare.git(&["rev-parse", "main"]), repo.git(&["rev-parse", "main"]));
}

#[test]
fn a_branch_is_meant_and_no_tag_of_its_name_and_no_patch_is_promised() {
    let repo = world();
    let topic = repo.git(&["rev-parse", "refs/heads/topic"]);
    repo.git(&["tag", "topic", "main"]);
    for name in ["topic", "refs/heads/topic"] {
        repo.git(&["branch", "-q", "-f", "topic", "refs/heads/main"]);
        done(rb(&repo, &["undo", "--git", name]));
        assert_eq!(repo.git(&["rev-parse", "refs/heads/topic"]), topic, "{name}");
    }
    for asked in ["--patch", "--stat", "--color-words"] {
        assert_eq!(rb(&repo, &["undo", "--git", "--dry-run", asked]).code, 2, "{asked}");
    }
}

#[test]
fn a_move_of_gits_that_has_the_ends_of_one_of_rbs_stays_gits() {
    let repo = world();
    done(rb(&repo, &["revert", "HEAD"]));
    let after = repo.git(&["rev-parse", "HEAD"]);
    repo.tick();
    repo.git(&["reset", "-q", "--hard", "HEAD~1"]);
    let before = kept(&repo);
    repo.tick();
    repo.git(&["reset", "-q", "--hard", &after]);
    let all = lines(&repo, &["ops", "--all", "-n", "3", "--json"]);
    let kinds: Vec<_> = all.iter().map(|line| line["kind"].as_str().unwrap_or_default()).collect();
    assert_eq!(kinds, ["git", "git", "revert-commit"]);
    done(rb(&repo, &["undo", "--git"]));
    before.assert_same(&kept(&repo));
}

#[test]
fn once_more_takes_back_the_move_before() {
    let repo = world();
    let first = kept(&repo);
    repo.git(&["reset", "-q", "--hard", "HEAD~1"]);
    let second = kept(&repo);
    repo.git(&["merge", "-q", "--no-edit", "topic"]);
    let third = kept(&repo);
    done(rb(&repo, &["undo", "--git"]));
    second.assert_same(&kept(&repo));
    done(rb(&repo, &["undo", "--git"]));
    first.assert_same(&kept(&repo));
    // And each of them is an operation that can be taken back.
    done(rb(&repo, &["undo"]));
    second.assert_same(&kept(&repo));
    done(rb(&repo, &["undo"]));
    third.assert_same(&kept(&repo));
    done(rb(&repo, &["undo", "--git"]));
    second.assert_same(&kept(&repo));
}

#[test]
fn work_that_is_not_committed_stays_or_is_a_refusal() {
    let spoil: [(&str, &str); 4] = [
        ("an edit", "echo mine >>a"),
        ("a staged edit", "echo mine >>a && git add a"),
        ("a deletion", "rm a"),
        ("a file in the place of one that comes back", "echo mine >topic"),
    ];
    for (what, script) in spoil {
        let repo = world();
        match what {
            "a file in the place of one that comes back" => {
                repo.git(&["merge", "-q", "--no-edit", "topic"]);
                repo.git(&["reset", "-q", "--hard", "HEAD~1"]);
            }
            _ => drop(repo.git(&["reset", "-q", "--hard", "HEAD~1"])),
        }
        shell(&repo, script);
        let before = State::of(&repo);
        for words in [&["undo", "--git", "--json"][..], &["undo", "--git", "--dry-run", "--json"]] {
            let refused = rb(&repo, words);
            assert_eq!((refused.code, &refused.json()["error"]["code"]), (5, &json!("in-the-way")), "{what}");
            before.assert_unchanged(&repo);
        }
        assert!(
            done(rb(&repo, &["checkpoint", "list", "--json"])).json()["checkpoints"]
                .as_array()
                .is_some_and(Vec::is_empty),
            "{what}"
        );
    }
    // Elsewhere it stays, staged or not.
    let repo = world();
    repo.git(&["reset", "-q", "--hard", "HEAD~1"]);
    repo.write("dir/deep", "edited\n");
    repo.write("new", "staged\n");
    repo.git(&["add", "new"]);
    let status = repo.git(&["status", "--porcelain"]);
    let undone = done(rb(&repo, &["undo", "--git", "--json"])).json();
    assert_eq!(undone["written"], json!(["a"]));
    assert_eq!(repo.git(&["status", "--porcelain"]), status);
    assert_eq!(repo.git(&["show", ":new"]), "staged");
    // All of it was kept before, under the name that is told.
    let checkpoint = undone["checkpoint"].as_str().expect("a name");
    done(rb(&repo, &["checkpoint", "verify", checkpoint]));
    repo.git(&["reset", "-q", "--hard"]);
    done(rb(&repo, &["checkpoint", "restore", checkpoint, "--move-branch"]));
    assert_eq!(repo.git(&["show", ":new"]), "staged");
}

#[test]
fn what_rb_moved_last_is_named_and_a_branch_without_moves_is_refused() {
    let repo = world();
    repo.git(&["reset", "-q", "--hard", "HEAD~1"]);
    done(rb(&repo, &["revert", "HEAD"]));
    let before = State::of(&repo);
    let refused = rb(&repo, &["undo", "--git", "--json"]);
    assert_eq!((refused.code, &refused.json()["error"]["code"]), (5, &json!("moved-by-rb")));
    before.assert_unchanged(&repo);
    done(rb(&repo, &["undo"]));
    assert!(done(rb(&repo, &["undo", "--git"])).stdout.contains("reset: moving to HEAD~1"));
    repo.git(&["branch", "-q", "fresh"]);
    for (branch, code) in
        [("fresh", "no-git-move"), ("nothing", "unknown-revision"), ("HEAD", "unknown-revision")]
    {
        let refused = rb(&repo, &["undo", "--git", branch, "--json"]);
        assert_eq!((refused.code, &refused.json()["error"]["code"]), (5, &json!(code)), "{branch}");
    }
    repo.git(&["checkout", "-q", "--detach", "main~1"]);
    let refused = rb(&repo, &["undo", "--git", "--json"]);
    assert_eq!((refused.code, &refused.json()["error"]["code"]), (5, &json!("no-git-move")), "on no branch");
    // In the middle of something else nothing is taken back.
    repo.git(&["switch", "-q", "-c", "clash", "main~1"]);
    repo.commit("clash", &[("a", "other\n")]);
    assert_eq!(repo.try_git(&["merge", "-q", "main"]).status.code(), Some(1));
    let refused = rb(&repo, &["undo", "--git", "--json"]);
    assert_eq!((refused.code, &refused.json()["error"]["code"]), (5, &json!("operation-in-progress")));
}

#[test]
fn both_logs_are_one_list_and_a_move_of_rbs_stands_there_once() {
    let repo = world();
    repo.git(&["reset", "-q", "--hard", "HEAD~1"]);
    repo.tick();
    done(rb(&repo, &["revert", "HEAD"]));
    repo.tick();
    done(rb(&repo, &["undo"]));
    repo.tick();
    done(rb(&repo, &["undo", "--git"]));
    let all = lines(&repo, &["ops", "--all", "--json"]);
    let on_main: Vec<_> = all
        .iter()
        .filter(|line| line["ref"] == "refs/heads/main")
        .take(4)
        .map(|line| (line["kind"].as_str().unwrap_or_default(), line["message"].as_str().unwrap_or_default()))
        .collect();
    assert_eq!(
        on_main,
        [("undo-git", ""), ("undo", ""), ("revert-commit", ""), ("git", "reset: moving to HEAD~1")]
    );
    let reset = all.iter().find(|line| line["message"] == "reset: moving to HEAD~1").expect("it is there");
    assert_eq!(reset["undone"], true);
    // Every line of every log is there once: what git says of them, less what rb did.
    let listed: usize = ["main", "topic", "far"]
        .map(|branch| repo.git(&["reflog", "show", "--format=%H", branch]).lines().count())
        .iter()
        .sum();
    assert_eq!(all.len(), listed);
    let text = done(rb(&repo, &["ops", "--all", "-n", "4"])).stdout;
    assert_eq!(text.lines().count(), 4, "{text}");
    assert!(text.contains("reset: moving to HEAD~1  (undone)"), "{text}");
    assert_eq!(lines(&repo, &["ops", "--json"]).len(), 3, "without --all only rb's");
}
