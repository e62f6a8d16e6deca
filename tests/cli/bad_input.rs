//! Bad input: each has its message, its exit code and what to type next.

use test_kit::Sandbox;

use crate::kit::{Run, rb, rb_in};

fn repo() -> Sandbox {
    let repo = Sandbox::new();
    repo.commit("add files", &[("src/a.py", "one\n"), ("b.py", "one\n")]);
    repo.commit("change a", &[("src/a.py", "two\n")]);
    repo
}

#[track_caller]
fn assert_says(run: &Run, code: i32, error: &str, hint: &str) {
    assert_eq!(
        (run.code, run.line("error:"), run.line("hint:")),
        (code, error, hint),
        "{}{}",
        run.stdout,
        run.stderr
    );
}

#[test]
fn a_folder_that_is_no_repository() {
    let run = rb(&Sandbox::folder(), &["revert", "HEAD"]);
    assert_eq!(run.code, 5);
    assert!(
        run.line("error:").starts_with("not a git repository (or any of its parents): "),
        "{}",
        run.stderr
    );
    assert_eq!(run.line("hint:"), "name the folder of a repository with: rb -C FOLDER …");
}

#[test]
fn a_folder_that_does_not_exist() {
    let run = rb(&Sandbox::folder(), &["-C", "nowhere", "revert", "HEAD"]);
    assert_eq!(run.code, 5, "{}", run.stderr);
}

#[test]
fn a_path_that_never_existed_but_differs_in_case_from_one_that_does() {
    let run = rb_in(&repo(), "src", &["history", "A.py"]);
    assert_eq!(run.code, 5);
    assert_eq!(run.line("hint:"), "did you mean: rb history a.py");
}

#[test]
fn a_path_that_is_on_another_branch_only() {
    let repo = repo();
    repo.git(&["switch", "-q", "-c", "legacy"]);
    repo.commit("legacy only", &[("old.py", "x\n")]);
    repo.git(&["switch", "-q", "main"]);
    let run = rb(&repo, &["history", "old.py"]);
    assert_eq!(run.code, 5);
    assert_eq!(
        run.line("hint:"),
        "it was last seen elsewhere; take it from there with: rb restore :/old.py -s refs/heads/legacy"
    );
}

#[test]
fn a_path_outside_of_the_repository() {
    let run = rb_in(&repo(), "src", &["history", "../../x"]);
    assert_says(
        &run,
        2,
        "'../../x' is not a path inside the repository: it leads out of the repository",
        "count from the root of the repository with a leading ':/', as in: rb history :/PATH",
    );
}

#[test]
fn a_repository_whose_references_are_in_a_reftable() {
    let repo = Sandbox::folder();
    repo.git(&["init", "-q", "--ref-format=reftable", "."]);
    repo.git(&["commit", "-q", "--allow-empty", "-m", "one"]);
    let run = rb(&repo, &["history", "a"]);
    assert_says(
        &run,
        5,
        "reference storage 'reftable' is not supported: only the 'files' storage can be read and written",
        "convert the references with: git refs migrate --ref-format=files",
    );
}

#[test]
fn a_repository_without_a_commit() {
    let run = rb(&Sandbox::new(), &["history", "a"]);
    assert_eq!((run.code, run.line("error:")), (5, "the current branch main has no commit yet"));
}

#[test]
fn words_that_make_no_sense() {
    let repo = repo();
    assert_says(
        &rb(&repo, &["revert", "--dry", "HEAD"]),
        2,
        "unexpected argument '--dry'",
        "did you mean: rb revert --dry-run HEAD",
    );
    assert_says(&rb(&repo, &["revret"]), 2, "'revret' is not a command", "did you mean: rb revert");
    assert_says(
        &rb(&repo, &["revert"]),
        2,
        "COMMIT or --file PATH or PATH is missing",
        "see how it is used with: rb revert --help",
    );
    assert_says(
        &rb(&repo, &["revert", "HEAD", "-n", "--branch", "x"]),
        2,
        "--no-commit cannot be used together with --branch <NAME>",
        "see how it is used with: rb revert --help",
    );
    assert_says(
        &rb(&repo, &["revert", "HEAD", "-m", "one"]),
        2,
        "'one' is no value for --mainline <PARENT>: invalid digit found in string",
        "see how it is used with: rb revert --help",
    );
    assert_says(
        &rb(&repo, &["revert", "HEAD", "--via", "revert"]),
        2,
        "'revert' is no value for --via <STRATEGY>; there are: revert-commit, revert-merge, cherry-pick, restore-file",
        "did you mean: rb revert HEAD --via revert-merge",
    );
}
