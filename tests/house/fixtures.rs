//! The fixtures are what `ids.txt` says, and the kit sees what it should.

use test_kit::{Fixture, Part, Sandbox, State, hostile};

#[test]
fn every_stream_gives_the_recorded_ids() {
    let table = std::fs::read_to_string(Fixture::folder().join("ids.txt")).expect("the table");
    let recorded: Vec<&str> = table.lines().filter(|line| !line.starts_with('#')).collect();
    let mut found = Vec::new();
    for name in Fixture::names() {
        let repo = Fixture::import_without_work_tree(&name);
        let refs = repo.git(&["for-each-ref", &format!("--format={name} %(refname) %(objectname)")]);
        found.extend(refs.lines().map(ToOwned::to_owned));
        assert_eq!(repo.git(&["fsck", "--strict"]), "", "{name} is sound");
    }
    assert_eq!(found, recorded);
}

#[test]
fn the_shim_is_what_its_runbook_expects() {
    let repo = Fixture::import("matriz");
    let shim = repo.git_bytes(&["show", "v1.2.0:MATRIZ/__init__.py"]);
    let shim = String::from_utf8(shim).expect("UTF-8");
    assert_eq!(shim.matches('\n').count(), 104);
    assert!(shim.contains("sys.modules aliasing"));
    assert!((2900..=3100).contains(&shim.len()), "about 3 KB, not {}", shim.len());

    let touched =
        |removal: &str| repo.git(&["diff", "--name-only", &format!("{removal}^"), removal]).lines().count();
    assert_eq!(touched("main~3"), 29);
    assert_eq!(touched("single-removal^"), 1);
    let twins = repo.git(&["ls-tree", "-r", "--name-only", "case-twins"]);
    assert!(twins.contains("\nMATRIZ/__init__.py") && twins.contains("\nmatriz/__init__.py"));
}

#[test]
fn the_six_merges_can_be_reverted_and_the_hotfix_is_in_the_way_of_one() {
    let repo = Fixture::import("wp5");
    let merges = repo.git(&["log", "--merges", "--format=%H", "main"]);
    let merges: Vec<&str> = merges.lines().collect();
    assert_eq!(merges.len(), 6);
    for merge in &merges {
        repo.git(&["revert", "--no-edit", "-m1", merge]);
    }
    assert_eq!(
        repo.git(&["diff", "--name-only", "pre-wp5", "HEAD"]),
        "README.md\npyproject.toml\nsrc/townlet/utils/rng.py\nsrc/townlet/world/grid.py",
        "what later fixes changed is kept, and all else is as it was"
    );
    repo.git(&["checkout", "-q", "hotfix"]);
    assert!(!repo.try_git(&["revert", "--no-edit", "-m1", merges[2]]).status.success());
    assert_eq!(repo.git(&["diff", "--name-only", "--diff-filter=U"]), "src/townlet/stability/monitor.py");
}

#[test]
fn a_state_is_the_same_until_something_changes_and_says_what() {
    let repo = Fixture::import("octopus");
    let before = State::of(&repo);
    before.assert_unchanged(&repo);
    let twin = repo.twin();
    before.without(&[Part::GitFiles]).assert_same(&State::of(&twin).without(&[Part::GitFiles]));

    repo.write("untracked", "x");
    repo.git(&["update-index", "--skip-worktree", "base.txt"]);
    repo.git(&["branch", "new"]);
    let diff = before.diff(&State::of(&repo));
    for fact in
        ["Refs refs/heads/new", "Flags base.txt", "Status ?? untracked", "Files untracked", "GitFiles index"]
    {
        assert!(diff.contains(fact), "{fact} is missing in\n{diff}");
    }
}

#[test]
fn looking_at_a_state_changes_nothing() {
    let repo = Fixture::import("octopus");
    // A touched file makes `git status` want to refresh the index.
    repo.write("base.txt", std::fs::read(repo.path().join("base.txt")).expect("it is there"));
    let before = State::of(&repo);
    before.assert_unchanged(&repo);
}

#[test]
fn hostile_trees_hold_what_git_would_refuse() {
    for (name, why) in hostile::NAMES {
        let repo = hostile::with_name(name);
        let checkout = repo.try_git(&["fsck", "--strict"]);
        assert!(!checkout.status.success() || !checkout.stderr.is_empty(), "{} {why}", name.escape_ascii());
    }
    let repo = Sandbox::new();
    for (what, tree) in hostile::malformed(&repo) {
        assert_eq!(repo.git(&["cat-file", "-t", &tree]), "tree", "{what}");
    }
    let repo = hostile::with_link_and_folder();
    assert_eq!(repo.git(&["ls-tree", "--name-only", "hostile"]), "d\nd\nhonest.txt");
}
