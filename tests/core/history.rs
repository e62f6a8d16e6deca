//! Who changed a path, what to undo, and what was last good: told by history and state, on repositories made by git.

use regex::bytes::Regex;
use rollback_core::error::{PathError, RevisionError};
use rollback_core::history::{
    ChangeKind, Culprit, FoundCulprit, HistoryOptions, PathHistory, PathState, Predicates, Verdict,
};
use rollback_core::{CommitId, Error, Repo, RepoPath};
use test_kit::Sandbox;

const BODY: &str = "one\ntwo\nthree\nfour\nfive\nsix\n";

fn open(sandbox: &Sandbox) -> Repo {
    Repo::discover(sandbox.path()).expect("a repository")
}

fn path(text: &str) -> RepoPath {
    RepoPath::from(text)
}

fn id(hex: &str) -> CommitId {
    hex.parse().expect("an id")
}

fn history(sandbox: &Sandbox, name: &str) -> PathHistory {
    open(sandbox).history(&path(name), &HistoryOptions::default()).expect("a history")
}

fn culprit(sandbox: &Sandbox, name: &str, predicates: &mut Predicates<'_>) -> Culprit {
    let repo = open(sandbox);
    let tip = repo.resolve_commit("HEAD").expect("a commit");
    repo.culprit(tip, &path(name), predicates).expect("an answer")
}

#[track_caller]
fn found(culprit: Culprit) -> FoundCulprit {
    match culprit {
        Culprit::Found(found) => *found,
        other => panic!("{other:?}"),
    }
}

/// Kind, name, other name and commit of each change, newest first.
fn rows(history: &PathHistory) -> Vec<(ChangeKind, String, Option<String>, CommitId)> {
    let text = |path: &RepoPath| path.to_string();
    let row = |change: &rollback_core::history::HistoryChange| {
        let other = change.from.as_ref().or(change.to.as_ref()).map(text);
        (change.kind, text(&change.path), other, change.commit_id)
    };
    history.changes.iter().map(row).collect()
}

#[test]
fn the_culprit_of_a_path_that_is_gone_is_what_removed_it() {
    let sandbox = Sandbox::new();
    sandbox.commit("Add", &[("shim.py", BODY), ("other", "1\n")]);
    let update = sandbox.commit("Update", &[("shim.py", "one\ntwo\n")]);
    sandbox.git(&["rm", "-q", "shim.py"]);
    let removal = sandbox.commit("Remove", &[("other", "2\n")]);
    sandbox.commit("Later", &[("other", "3\n")]);

    let found = found(culprit(&sandbox, "shim.py", &mut Predicates::default()));
    assert_eq!((found.commit_id, found.kind, found.is_merge), (id(&removal), ChangeKind::Deleted, false));
    assert_eq!((found.introduced_by, found.further_changes), (None, vec![]));
    let good = found.last_good.expect("it was there");
    assert_eq!((good.commit_id, good.mode.to_string()), (id(&update), "100644".into()));
    assert_eq!(good.blob_id.to_string(), sandbox.git(&["rev-parse", &format!("{update}:shim.py")]));
}

#[test]
fn running_it_again_after_the_rollback_finds_nothing_to_undo() {
    let sandbox = Sandbox::new();
    sandbox.commit("Add", &[("f", BODY), ("g", BODY)]);
    let change = sandbox.commit("Change", &[("f", "broken\n")]);
    assert_eq!(found(culprit(&sandbox, "f", &mut Predicates::default())).commit_id, id(&change));
    sandbox.git(&["rm", "-q", "g"]);
    let removal = sandbox.commit("Remove", &[("h", "")]);

    let back = sandbox.commit("Both back", &[("f", BODY), ("g", BODY)]);
    for (name, of) in [("f", change), ("g", removal)] {
        let Culprit::AlreadyRolledBack(rolled_back) = culprit(&sandbox, name, &mut Predicates::default())
        else {
            panic!("{name} is as it was before");
        };
        assert_eq!((rolled_back.by, rolled_back.of), (Some(id(&back)), Some(id(&of))), "{name}");
    }
    let document = history(&sandbox, "g");
    assert!(document.culprit.is_none() && document.already_rolled_back.is_some());
}

#[test]
fn a_removal_made_by_a_revert_is_a_culprit_too() {
    let sandbox = Sandbox::new();
    sandbox.commit("Start", &[("g", "1\n")]);
    sandbox.commit("Add", &[("f", BODY)]);
    sandbox.git(&["revert", "--no-edit", "HEAD"]);
    let revert = sandbox.git(&["rev-parse", "HEAD"]);
    let found = found(culprit(&sandbox, "f", &mut Predicates::default()));
    assert_eq!((found.commit_id, found.kind), (id(&revert), ChangeKind::Deleted));
}

#[test]
fn history_follows_a_path_through_its_names() {
    let sandbox = Sandbox::new();
    let add = sandbox.commit("Add", &[("old.py", BODY)]);
    sandbox.git(&["mv", "old.py", "new.py"]);
    let rename = sandbox.commit("Rename and edit", &[("new.py", "one\ntwo\nthree\nfour\nfive\n6\n")]);
    let edit = sandbox.commit("Edit", &[("new.py", "1\ntwo\nthree\nfour\nfive\n6\n")]);

    use ChangeKind::{Added, Modified, Renamed};
    let name = |text: &str| text.to_owned();
    assert_eq!(
        rows(&history(&sandbox, "new.py")),
        [
            (Modified, name("new.py"), None, id(&edit)),
            (Renamed, name("new.py"), Some(name("old.py")), id(&rename)),
            (Added, name("old.py"), None, id(&add)),
        ]
    );
    let gone = history(&sandbox, "old.py");
    assert_eq!(
        rows(&gone),
        [
            (Renamed, name("old.py"), Some(name("new.py")), id(&rename)),
            (Added, name("old.py"), None, id(&add))
        ]
    );
    let found = gone.culprit.expect("it was renamed away");
    assert_eq!((found.commit_id, found.to), (id(&rename), Some(path("new.py"))));
    assert_eq!(gone.last_good.expect("it was there").commit_id, id(&add));
}

#[test]
fn a_folder_has_a_history_and_is_followed_too() {
    let sandbox = Sandbox::new();
    let add = sandbox.commit("Add", &[("src/a", BODY), ("src/b/c", "deep\n")]);
    let edit = sandbox.commit("Edit", &[("src/b/c", "deeper\n")]);
    sandbox.git(&["mv", "src", "lib"]);
    let rename = sandbox.commit("Move", &[("other", "")]);
    let ids = |name: &str| rows(&history(&sandbox, name)).into_iter().map(|row| row.3).collect::<Vec<_>>();
    assert_eq!(ids("lib"), [id(&rename), id(&edit), id(&add)]);
    assert_eq!(ids("lib/b"), [id(&rename), id(&edit), id(&add)]);
    let found = history(&sandbox, "src").culprit.expect("it was moved away");
    assert_eq!((found.commit_id, found.to), (id(&rename), Some(path("lib"))));
    assert_eq!(found.last_good.expect("it was there").mode.to_string(), "040000");
}

#[test]
fn a_rename_that_was_taken_back_is_not_taken_back_again() {
    let sandbox = Sandbox::new();
    sandbox.commit("Add", &[("old", BODY)]);
    sandbox.git(&["mv", "old", "new"]);
    let rename = sandbox.commit::<&str>("Rename", &[]);
    sandbox.git(&["revert", "--no-edit", "HEAD"]);
    let Culprit::AlreadyRolledBack(rolled_back) = culprit(&sandbox, "new", &mut Predicates::default()) else {
        panic!("'new' is gone as before the rename, and 'old' is what it was");
    };
    assert_eq!((rolled_back.of, rolled_back.entry), (Some(id(&rename)), None));
}

#[test]
fn a_culprit_that_came_through_a_merge_is_named_with_the_merge() {
    let sandbox = Sandbox::new();
    sandbox.commit("Add", &[("f", BODY), ("g", "1\n")]);
    sandbox.git(&["checkout", "-q", "-b", "topic"]);
    let change = sandbox.commit("Break", &[("f", "broken\n")]);
    sandbox.commit("More", &[("h", "1\n")]);
    sandbox.git(&["checkout", "-q", "main"]);
    sandbox.commit("Main", &[("g", "2\n")]);
    sandbox.git(&["merge", "-q", "--no-ff", "-m", "Merge topic", "topic"]);
    let merge = sandbox.git(&["rev-parse", "HEAD"]);
    sandbox.commit("After", &[("g", "3\n")]);
    let found = found(culprit(&sandbox, "f", &mut Predicates::default()));
    assert_eq!((found.commit_id, found.introduced_by), (id(&change), Some(id(&merge))));
    assert!(!found.is_merge);
}

/// Both sides edit `f`, and the merge has the edits of both.
fn both_sides_edit(sandbox: &Sandbox, main: &str, topic: &str) -> (String, String, String) {
    sandbox.commit("Add", &[("f", BODY)]);
    sandbox.git(&["checkout", "-q", "-b", "topic"]);
    let on_topic = sandbox.commit("Topic", &[("f", BODY.replace("six", topic))]);
    sandbox.git(&["checkout", "-q", "main"]);
    let on_main = sandbox.commit("Main", &[("f", BODY.replace("one", main))]);
    sandbox.git(&["merge", "-q", "--no-ff", "-m", "Merge topic", "topic"]);
    (on_main, on_topic, sandbox.git(&["rev-parse", "HEAD"]))
}

#[test]
fn a_merge_is_the_culprit_where_the_path_differs_from_every_parent() {
    let sandbox = Sandbox::new();
    let (on_main, _, merge) = both_sides_edit(&sandbox, "1", "6");
    let found = found(culprit(&sandbox, "f", &mut Predicates::default()));
    assert_eq!((found.commit_id, found.is_merge), (id(&merge), true));
    assert_eq!(found.last_good.expect("the mainline has it").commit_id, id(&on_main));
}

#[test]
fn predicates_look_past_a_merge_for_the_side_that_broke_them() {
    for (main, topic, expected) in [("1", "broken", 1), ("broken", "6", 0)] {
        let sandbox = Sandbox::new();
        let (on_main, on_topic, merge) = both_sides_edit(&sandbox, main, topic);
        let mut predicates = Predicates::default();
        let mut check = |candidate: &rollback_core::history::Candidate<'_>| {
            let text = sandbox.git(&["cat-file", "blob", &candidate.entry.id.to_string()]);
            Ok(!text.contains("broken"))
        };
        predicates.check = Some(&mut check);
        let found = found(culprit(&sandbox, "f", &mut predicates));
        assert_eq!(found.commit_id, id([&on_main, &on_topic][expected]));
        assert_eq!(found.further_changes, [id(&merge)]);
    }
}

#[test]
fn predicates_find_the_oldest_change_after_the_last_good_state() {
    let sandbox = Sandbox::new();
    sandbox.commit("Add", &[("f", "alias\none\n")]);
    let good = sandbox.commit("Good", &[("f", "alias\none\ntwo\n")]);
    sandbox.commit("Elsewhere", &[("g", "")]);
    let last_good = sandbox.git(&["rev-parse", "HEAD"]);
    let breaks = sandbox.commit("Break", &[("f", "one\ntwo\n")]);
    let worse = sandbox.commit("Worse", &[("f", "one\n")]);
    let worst = sandbox.commit("Worst", &[("f", "")]);

    let alias = || Some(Regex::new("(?m)^alias$").expect("a pattern"));
    let mut by_text = Predicates::default();
    by_text.match_ = alias();
    let mut by_lines = Predicates::default();
    by_lines.lines = Some(3);
    for predicates in [&mut by_text, &mut by_lines] {
        let found = found(culprit(&sandbox, "f", predicates));
        assert_eq!((found.commit_id, found.kind), (id(&breaks), ChangeKind::Modified));
        assert_eq!(found.further_changes, [id(&worst), id(&worse)]);
        assert_eq!(found.last_good.expect("it was good").commit_id, id(&last_good));
    }

    let mut both = Predicates::default();
    (both.match_, both.lines) = (alias(), Some(7));
    let Culprit::NeverGood { changes } = culprit(&sandbox, "f", &mut both) else {
        panic!("no commit has both")
    };
    assert_eq!(changes.len(), 5);

    sandbox.git(&["checkout", "-q", &good]);
    let last = found(culprit(&sandbox, "f", &mut by_text));
    assert_eq!(
        (last.commit_id, last.indecisive),
        (id(&good), true),
        "a predicate alone is no sign of a rollback"
    );
}

#[test]
fn predicates_that_hold_at_the_tip_mean_a_rollback_only_where_the_state_says_so() {
    let sandbox = Sandbox::new();
    sandbox.commit("Good", &[("f", "alias\none\n")]);
    sandbox.commit("Break", &[("f", "one\n")]);
    sandbox.commit("Worse", &[("f", "")]);
    let alias = || {
        let mut predicates = Predicates::default();
        predicates.match_ = Some(Regex::new("(?m)^alias$").expect("a pattern"));
        predicates
    };
    let breaks = sandbox.git(&["rev-parse", "HEAD~1"]);
    let back = sandbox.commit("Both taken back at once", &[("f", "alias\none\n")]);
    let Culprit::AlreadyRolledBack(rolled_back) = culprit(&sandbox, "f", &mut alias()) else {
        panic!("f is as it was before it broke")
    };
    assert_eq!((rolled_back.by, rolled_back.of), (Some(id(&back)), Some(id(&breaks))));

    sandbox.git(&["reset", "-q", "--hard", "HEAD~1"]);
    let repair = sandbox.commit("Repair", &[("f", "alias\nanother\n")]);
    assert_eq!(culprit(&sandbox, "f", &mut alias()), Culprit::Mended { by: id(&repair) });

    let edit = sandbox.commit("Edit", &[("f", "alias\nanother edit\n")]);
    let last = found(culprit(&sandbox, "f", &mut alias()));
    assert_eq!((last.commit_id, last.indecisive), (id(&edit), true));
    assert_eq!(last.last_good.expect("before the edit").commit_id, id(&repair));
}

#[test]
fn what_was_only_ever_added_is_no_rollback_however_good_it_is() {
    let sandbox = Sandbox::new();
    let added = sandbox.commit("Add", &[("f", "alias\n")]);
    let mut predicates = Predicates::default();
    predicates.lines = Some(1);
    let last = found(culprit(&sandbox, "f", &mut predicates));
    assert_eq!((last.commit_id, last.kind, last.last_good), (id(&added), ChangeKind::Added, None));
}

#[test]
fn a_path_that_is_gone_goes_back_to_the_newest_state_in_which_the_predicates_held() {
    let sandbox = Sandbox::new();
    let good = sandbox.commit("Good", &[("f", "alias\n")]);
    let broken = sandbox.commit("Break", &[("f", "nothing\n"), ("g", "")]);
    sandbox.git(&["rm", "-q", "f"]);
    let removal = sandbox.commit("Remove", &[("g", "1")]);
    let mut predicates = Predicates::default();
    predicates.match_ = Some(Regex::new("alias").expect("a pattern"));
    let found = found(culprit(&sandbox, "f", &mut predicates));
    assert_eq!(found.commit_id, id(&removal));
    assert_eq!(found.further_changes, [id(&broken)]);
    assert_eq!(found.last_good.expect("it was good").commit_id, id(&good));
}

#[test]
fn the_content_of_a_folder_cannot_be_matched() {
    let sandbox = Sandbox::new();
    sandbox.commit("Add", &[("d/f", BODY)]);
    let repo = open(&sandbox);
    let tip = repo.resolve_commit("HEAD").expect("a commit");
    let mut predicates = Predicates::default();
    predicates.lines = Some(6);
    assert!(matches!(repo.culprit(tip, &path("d"), &mut predicates), Err(Error::BadRequest(_))));
}

#[test]
fn a_path_that_never_existed_is_looked_for_elsewhere() {
    let sandbox = Sandbox::new();
    sandbox.commit("Add", &[("MATRIX/init.py", BODY), ("matrix/other", "")]);
    sandbox.git(&["checkout", "-q", "-b", "legacy"]);
    let legacy = sandbox.commit("Elsewhere", &[("only/here", "1\n")]);
    sandbox.git(&["checkout", "-q", "main"]);
    let repo = open(&sandbox);
    let error =
        |name: &str| repo.history(&path(name), &HistoryOptions::default()).expect_err("it never existed");
    match error("only/here") {
        Error::Path(PathError::NeverExisted { last_seen: Some(seen), case_twins, .. }) => {
            assert_eq!((seen.reference.as_str(), seen.commit_id), ("refs/heads/legacy", id(&legacy)));
            assert!(case_twins.is_empty());
        }
        other => panic!("{other}"),
    }
    match error("matrix/init.py") {
        Error::Path(PathError::NeverExisted { last_seen: None, case_twins, .. }) => {
            assert_eq!(case_twins, [path("MATRIX/init.py")]);
        }
        other => panic!("{other}"),
    }
}

#[test]
fn twins_and_removals_on_other_branches_are_told_and_decide_nothing() {
    let sandbox = Sandbox::new();
    let add = sandbox.commit("Add", &[("Shim/a", BODY), ("shim/a", "twin\n")]);
    sandbox.git(&["checkout", "-q", "-b", "cleanup"]);
    sandbox.git(&["rm", "-q", "Shim/a"]);
    let removal = sandbox.commit("Clean up", &[("g", "")]);
    sandbox.git(&["checkout", "-q", "main"]);
    let document = history(&sandbox, "Shim/a");
    assert_eq!(document.case_twins, [path("shim/a")]);
    let elsewhere: Vec<_> =
        document.removed_elsewhere.iter().map(|row| (row.reference.as_str(), row.commit_id)).collect();
    assert_eq!(elsewhere, [("refs/heads/cleanup", id(&removal))]);
    assert_eq!(document.culprit.expect("the last change").commit_id, id(&add));
}

#[test]
fn the_end_of_a_shallow_clone_is_neither_a_root_nor_a_culprit() {
    let origin = Sandbox::new();
    origin.commit("Add", &[("f", BODY)]);
    let boundary = origin.commit("Boundary", &[("g", "1\n")]);
    let change = origin.commit("Change", &[("f", "2\n")]);
    origin.commit("Tip", &[("g", "2\n")]);
    let clone = Sandbox::folder();
    let url = format!("file://{}", origin.path().display());
    clone.git(&["clone", "-q", "--depth=3", &url, "."]);
    let repo = open(&clone);
    let tip = repo.resolve_commit("HEAD").expect("a commit");

    let listed = repo.history(&path("f"), &HistoryOptions::default()).expect("a history");
    assert_eq!(listed.changes.iter().map(|row| row.commit_id).collect::<Vec<_>>(), [id(&change)]);
    assert_eq!(listed.shallow_at, [id(&boundary)]);
    match repo.culprit(tip, &path("f"), &mut Predicates::default()) {
        // What was before the change before the last is not here, so it cannot be told from a rollback.
        Err(Error::Revision(RevisionError::ShallowHistory { boundary: found, .. })) => {
            assert_eq!(found, id(&boundary))
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(
        repo.changed_paths(id(&boundary), None),
        Err(Error::Revision(RevisionError::ShallowHistory { .. }))
    ));
    assert!(matches!(
        repo.culprit(tip, &path("never"), &mut Predicates::default()),
        Err(Error::Revision(RevisionError::ShallowHistory { .. }))
    ));
}

#[test]
fn a_corrupt_commit_graph_is_ignored() {
    let sandbox = Sandbox::new();
    for number in 0..12 {
        sandbox.commit("c", &[("f", format!("{}\n", number / 3)), ("g", format!("{number}\n"))]);
    }
    let expected = rows(&history(&sandbox, "f"));
    sandbox.git(&["commit-graph", "write", "--reachable", "--changed-paths"]);
    let file = sandbox.path().join(".git/objects/info/commit-graph");
    let whole = std::fs::read(&file).expect("it was written");
    let mut read_only = std::fs::metadata(&file).expect("it is there").permissions();
    #[expect(clippy::permissions_set_readonly_false, reason = "a file in a temporary folder")]
    read_only.set_readonly(false);
    std::fs::set_permissions(&file, read_only).expect("it is ours");
    for at in (0..whole.len()).step_by(7) {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x55;
        std::fs::write(&file, &damaged).expect("it is ours");
        assert_eq!(rows(&history(&sandbox, "f")), expected, "byte {at}");
    }
    for length in (0..whole.len()).step_by(41) {
        std::fs::write(&file, &whole[..length]).expect("it is ours");
        assert_eq!(rows(&history(&sandbox, "f")), expected, "{length} bytes");
    }
}

#[test]
fn a_change_is_seen_from_the_parent_that_is_asked_for() {
    let sandbox = Sandbox::new();
    let (_, _, merge) = both_sides_edit(&sandbox, "1", "6");
    let repo = open(&sandbox);
    let blob = |rev: &str| Some(sandbox.git(&["rev-parse", &format!("{rev}:f")]));
    for mainline in [1, 2] {
        let change =
            repo.change_by(id(&merge), Some(mainline), &path("f")).expect("an answer").expect("it did");
        assert_eq!(change.kind, ChangeKind::Modified);
        assert_eq!(change.before.map(|entry| entry.id.to_string()), blob(&format!("{merge}^{mainline}")));
        assert_eq!(change.after.map(|entry| entry.id.to_string()), blob(&merge));
    }
    assert!(matches!(
        repo.change_by(id(&merge), Some(3), &path("f")),
        Err(Error::Revision(RevisionError::MainlineOutOfRange { mainline: 3, parents: 2, .. }))
    ));
    assert_eq!(repo.change_by(id(&merge), None, &path("nowhere")).expect("an answer"), None);
}

#[test]
fn a_change_names_the_other_end_of_a_rename() {
    let sandbox = Sandbox::new();
    sandbox.commit("Add", &[("q", BODY), ("r", "something else entirely\n")]);
    sandbox.git(&["mv", "q", "p"]);
    sandbox.git(&["rm", "-q", "r"]);
    let rename =
        sandbox.commit("Rename", &[("p", format!("{BODY}seven\n")), ("unlike", "\0\x01\x02".into())]);
    let repo = open(&sandbox);
    let change =
        |name: &str| repo.change_by(id(&rename), None, &path(name)).expect("an answer").expect("it did");
    assert_eq!((change("p").kind, change("p").from), (ChangeKind::Renamed, Some(path("q"))));
    assert!(change("p").before.is_some(), "what q was");
    assert_eq!((change("q").kind, change("q").to), (ChangeKind::Renamed, Some(path("p"))));
    assert_eq!((change("r").kind, change("r").to), (ChangeKind::Deleted, None));
    assert_eq!((change("unlike").kind, change("unlike").from), (ChangeKind::Added, None));
}

#[test]
fn later_changes_to_a_path_count_on_every_line_of_history() {
    let sandbox = Sandbox::new();
    let start = sandbox.commit("Add", &[("f", BODY), ("d/g", "1\n")]);
    sandbox.git(&["checkout", "-q", "-b", "topic"]);
    let on_topic = sandbox.commit("Topic", &[("f", BODY.replace("six", "6"))]);
    sandbox.git(&["checkout", "-q", "main"]);
    let on_main = sandbox.commit("Main", &[("d/g", "2\n")]);
    sandbox.git(&["merge", "-q", "--no-ff", "-m", "Merge topic", "topic"]);
    sandbox.commit("Elsewhere", &[("h", "1\n")]);
    let repo = open(&sandbox);
    let tip = repo.resolve_commit("HEAD").expect("a commit");
    let touching = |names: &[&str]| {
        let paths: Vec<_> = names.iter().map(|name| path(name)).collect();
        repo.commits_touching_since(tip, id(&start), &paths).expect("an answer")
    };
    assert_eq!(touching(&["f"]), [id(&on_topic)]);
    assert_eq!(touching(&["d"]), [id(&on_main)]);
    assert_eq!(touching(&["f", "d/g"]), [id(&on_main), id(&on_topic)]);
    assert_eq!(touching(&["nowhere"]), []);
}

#[test]
fn the_upstream_is_asked_for_newer_changes() {
    let origin = Sandbox::new();
    origin.commit("Add", &[("f", BODY), ("g", "1\n")]);
    let clone = Sandbox::folder();
    clone.git(&["clone", "-q", &origin.path().display().to_string(), "."]);
    let fix = origin.commit("Fix", &[("f", "fixed\n")]);
    clone.git(&["fetch", "-q"]);
    let repo = open(&clone);
    let tip = repo.resolve_commit("HEAD").expect("a commit");
    let ahead =
        repo.upstream_ahead("refs/heads/main", tip, &path("f")).expect("an answer").expect("one change");
    assert_eq!((ahead.upstream.as_str(), ahead.changes), ("refs/remotes/origin/main", vec![id(&fix)]));
    assert_eq!(repo.upstream_ahead("refs/heads/main", tip, &path("g")).expect("an answer"), None);
    assert_eq!(repo.upstream_ahead("refs/heads/none", tip, &path("f")).expect("an answer"), None);
}

#[test]
fn whether_a_change_is_reverted_is_told_by_state_and_then_by_words() {
    let sandbox = Sandbox::new();
    sandbox.commit("Add", &[("f", BODY), ("g", "1\n")]);
    let change = sandbox.commit("Change", &[("f", BODY.replace("six", "6")), ("g", "2\n".into())]);
    let verdict = |sandbox: &Sandbox| {
        let repo = open(sandbox);
        repo.is_reverted(id(&change), repo.resolve_commit("HEAD").expect("a commit")).expect("an answer")
    };
    assert_eq!(verdict(&sandbox).verdict, Verdict::InForce);
    sandbox.commit("Half", &[("g", "1\n")]);
    let half = verdict(&sandbox);
    assert_eq!(half.verdict, Verdict::PartlyReverted);
    let states: Vec<_> = half.paths.iter().map(|row| (row.path.to_string(), row.state)).collect();
    assert_eq!(states, [("f".into(), PathState::AsAfter), ("g".into(), PathState::AsBefore)]);
    sandbox.commit("Whole again", &[("g", "2\n")]);

    sandbox.git(&["revert", "--no-edit", &change]);
    let revert = sandbox.git(&["rev-parse", "HEAD"]);
    assert_eq!(verdict(&sandbox).verdict, Verdict::Reverted);
    sandbox.commit("Edit after", &[("f", BODY.replace("one", "1")), ("g", "3\n".into())]);
    let edited = verdict(&sandbox);
    assert_eq!(edited.verdict, Verdict::Reverted, "its words decide where the paths were edited since");
    assert_eq!(
        edited.claims.iter().map(|claim| (claim.commit_id, claim.reverted)).collect::<Vec<_>>(),
        [(id(&revert), false)]
    );
    sandbox.git(&[
        "commit",
        "-q",
        "--allow-empty",
        "-m",
        &format!("Reapply\n\nThis reverts commit {revert}."),
    ]);
    assert_eq!(verdict(&sandbox).verdict, Verdict::Reverted, "a word alone brings nothing back");
    let unsaid =
        sandbox.commit("Back", &[("f", BODY.replace("one", "1").replace("six", "6")), ("g", "3\n".into())]);
    let back = verdict(&sandbox);
    assert_eq!(back.paths.iter().map(|row| row.in_force).collect::<Vec<_>>(), [Some(true), None], "{unsaid}");
    assert_eq!(
        back.verdict,
        Verdict::EditedSince,
        "nor does it outweigh a path in which the change is in force"
    );
}

#[test]
fn a_file_that_moved_on_was_not_reverted() {
    let sandbox = Sandbox::new();
    sandbox.commit("Start", &[("g", "1\n")]);
    let add = sandbox.commit("Add", &[("f", BODY)]);
    sandbox.git(&["mv", "f", "h"]);
    sandbox.commit::<&str>("Move", &[]);
    let repo = open(&sandbox);
    let tip = repo.resolve_commit("HEAD").expect("a commit");
    assert_eq!(repo.is_reverted(id(&add), tip).expect("an answer").verdict, Verdict::InForce);
}

#[test]
fn the_document_has_the_fields_of_the_contract() {
    let sandbox = Sandbox::new();
    sandbox.commit("Add f\n\nbody", &[("f", BODY)]);
    let change = sandbox.commit("Change f", &[("f", "x\n")]);
    let document = serde_json::to_value(history(&sandbox, "f")).expect("a document");
    let row = &document["changes"][0];
    assert_eq!(row["commit_id"], change.as_str());
    assert_eq!((&row["kind"], &row["subject"]), (&"modified".into(), &"Change f".into()));
    assert_eq!(row["time"], "2025-01-01T00:02:00+00:00");
    assert_eq!(row["author"]["email"], "author@example.com");
    assert_eq!(document["changes"][1]["kind"], "added");
    assert_eq!(document["culprit"]["commit_id"], change.as_str());
    assert_eq!(document["at_tip"]["mode"], "100644");
    let good = document["last_good"].as_object().expect("a state");
    assert!(["commit_id", "blob_id", "mode"].iter().all(|field| good.contains_key(*field)), "{good:?}");
    assert_eq!(document["case_twins"], serde_json::json!([]));
}
