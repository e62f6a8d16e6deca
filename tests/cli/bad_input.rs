//! Bad input: each has its message, its exit code and what to type next.

use test_kit::{Sandbox, State, hostile};

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
    assert!(run.line("hint:").starts_with("see which repositories lie below with: find "), "{}", run.stderr);
}

#[test]
fn a_folder_that_does_not_exist() {
    let run = rb(&Sandbox::folder(), &["-C", "nowhere", "revert", "HEAD"]);
    assert_eq!(run.code, 5);
    assert!(run.line("error:").starts_with("there is no folder "), "{}", run.stderr);
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
        "paths count from this folder, or from the root after ':/'; see which there are with: git ls-files --full-name :/",
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
        "COMMIT or --file PATH or PATH or --to REV or DATE is missing",
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

#[test]
fn revisions_that_name_nothing_or_too_much() {
    let repo = repo();
    assert_says(
        &rb(&repo, &["revert", "nothing"]),
        5,
        "unknown revision 'nothing'",
        "see the names there are with: git for-each-ref '--format=%(refname:short)'",
    );
    assert_says(
        &rb(&repo, &["revert", "3a8a50f"]),
        5,
        "unknown revision '3a8a50f'",
        "it may not be fetched yet; fetch with: git fetch --all",
    );
    assert_says(
        &rb(&repo, &["revert", "src/a.py"]),
        5,
        "unknown revision 'src/a.py'",
        "it looks like a path; did you mean: rb revert --file src/a.py",
    );
    assert_says(
        &rb(&repo, &["revert", "HEAD..HEAD"]),
        5,
        "no commit is in HEAD..HEAD",
        "see what lies between them with: git log --oneline --left-right HEAD...HEAD",
    );
    let tree = rb(&repo, &["revert", "HEAD:src"]);
    assert_eq!(tree.code, 5);
    assert_eq!(tree.line("error:"), "'HEAD:src' is a tree, not a commit");
}

#[test]
fn an_abbreviation_that_could_be_several_commits() {
    let repo = repo();
    // Among 2,000 ids two begin with the same four digits, as surely as two of so many people share a birthday.
    let stream: String = (0..2000)
        .map(|number| {
            format!(
                "commit refs/heads/many\ncommitter A <a@example.com> {} +0000\ndata 1\n.\n",
                1_700_000_000 + number
            )
        })
        .collect();
    repo.git_with_input(&["fast-import", "--quiet"], stream.as_bytes());
    let ids = repo.git(&["rev-list", "many"]);
    let mut firsts: Vec<_> = ids.lines().map(|id| &id[..4]).collect();
    firsts.sort_unstable();
    let twice = firsts.windows(2).find(|pair| pair[0] == pair[1]).expect("two begin alike")[0];
    let run = rb(&repo, &["revert", twice]);
    assert_eq!(run.code, 5);
    assert!(
        run.line("error:").starts_with(&format!("'{twice}' is ambiguous: it could be ")),
        "{}",
        run.stderr
    );
    let retry = run.line("hint: give more digits, such as: rb revert ");
    assert!(ids.lines().any(|id| id.starts_with(retry)), "{retry}");
}

#[test]
fn a_mainline_that_does_not_fit() {
    let repo = repo();
    let tip = repo.git(&["rev-parse", "HEAD"]);
    assert_says(
        &rb(&repo, &["revert", "-m", "3", "HEAD"]),
        2,
        &format!("mainline 3 does not fit {tip}, which has 1 parent"),
        "it is not a merge, so leave the mainline out: rb revert HEAD",
    );
    repo.git(&["switch", "-q", "-c", "topic", "HEAD~1"]);
    repo.commit("topic", &[("b.py", "topic\n")]);
    repo.git(&["switch", "-q", "main"]);
    repo.git(&["merge", "-q", "--no-edit", "topic"]);
    let merge = repo.git(&["rev-parse", "HEAD"]);
    assert_says(
        &rb(&repo, &["revert", "-m", "3", "HEAD"]),
        2,
        &format!("mainline 3 does not fit {merge}, which has 2 parents"),
        &format!("see its parents, counted from 1, with: git show --no-patch --format=%P {merge}"),
    );
}

#[test]
fn a_revert_that_would_be_empty() {
    let repo = repo();
    assert_eq!(rb(&repo, &["revert", "HEAD"]).code, 0);
    let run = rb(&repo, &["revert", "HEAD~1"]);
    assert_eq!(run.code, 3, "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.ends_with("Nothing to do.\n"), "{}", run.stdout);
}

#[test]
fn work_that_is_not_committed_stands_in_the_way() {
    let repo = repo();
    repo.write("src/a.py", "edited\n");
    assert_says(
        &rb(&repo, &["revert", "HEAD"]),
        5,
        "edits that are not committed would be overwritten: src/a.py",
        "put them aside with: git stash push -- :/src/a.py",
    );
    assert_eq!(std::fs::read_to_string(repo.path().join("src/a.py")).unwrap(), "edited\n");
}

#[test]
fn a_file_that_git_does_not_track_stands_in_the_way() {
    let repo = repo();
    repo.git(&["rm", "-q", "b.py"]);
    repo.commit_index(b"remove b\n");
    repo.write("b.py", "mine\n");
    assert_says(
        &rb(&repo, &["revert", "HEAD"]),
        5,
        "files that git does not track would be overwritten: b.py",
        "put them aside with: git stash push --include-untracked -- :/b.py",
    );
    assert_eq!(std::fs::read_to_string(repo.path().join("b.py")).unwrap(), "mine\n");
}

#[test]
fn an_operation_that_waits_to_be_finished() {
    let repo = repo();
    repo.git(&["switch", "-q", "-c", "topic", "HEAD~1"]);
    repo.commit("topic", &[("src/a.py", "topic\n")]);
    repo.git(&["switch", "-q", "main"]);
    assert!(!repo.try_git(&["merge", "topic"]).status.success(), "the merge conflicts");
    let run = rb(&repo, &["revert", "HEAD"]);
    assert_eq!(run.code, 5);
    assert!(run.line("error:").contains("in progress"), "{}", run.stderr);
    assert_eq!(run.line("hint:"), "see how to finish it or give it up with: git status");
}

#[test]
fn nobody_who_could_commit() {
    let repo = repo();
    let mut command = repo.rb(env!("CARGO_BIN_EXE_rb"));
    for variable in ["AUTHOR_NAME", "AUTHOR_EMAIL", "COMMITTER_NAME", "COMMITTER_EMAIL"] {
        command.env_remove(format!("GIT_{variable}"));
    }
    let output = command.args(["revert", "HEAD"]).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(5), "{stderr}");
    assert!(stderr.contains("identity: name and email are not configured"), "{stderr}");
    assert!(stderr.contains("git config user.name 'Your Name' && git config user.email"), "{stderr}");
}

#[test]
fn history_that_a_shallow_clone_cut_off() {
    let repo = repo();
    repo.commit("third", &[("src/a.py", "three\n")]);
    let clone = Sandbox::folder();
    let from = format!("file://{}", repo.path().display());
    clone.git(&["clone", "-q", "--depth", "1", &from, "."]);
    let run = rb(&clone, &["revert", "HEAD"]);
    assert_eq!(run.code, 5, "{}", run.stdout);
    assert!(run.line("error:").starts_with("history is shallow: it ends at "), "{}", run.stderr);
    assert_eq!(run.line("hint:"), "fetch more of it with: git fetch --deepen=1000");
}

#[test]
fn objects_that_are_missing_or_corrupt() {
    let repo = repo();
    let blob = repo.git(&["rev-parse", "HEAD~1:src/a.py"]);
    let file = repo.path().join(".git/objects").join(&blob[..2]).join(&blob[2..]);
    std::fs::remove_file(&file).unwrap();
    let missing = rb(&repo, &["revert", "HEAD"]);
    assert_says(
        &missing,
        5,
        &format!("blob {blob} is missing from the repository"),
        "see what else is missing with: git fsck --full",
    );
    std::fs::write(&file, "not an object").unwrap();
    let corrupt = rb(&repo, &["revert", "HEAD"]);
    assert_says(
        &corrupt,
        5,
        &format!("blob {blob} is corrupt"),
        "see how far the damage goes with: git fsck --full",
    );
}

#[test]
fn names_that_no_branch_can_have() {
    assert_says(
        &rb(&repo(), &["revert", "HEAD", "--branch", "a..b"]),
        2,
        "'a..b' is not a valid branch name",
        "give it a name that git accepts, such as: rb revert HEAD --branch rollback",
    );
}

#[test]
fn a_pattern_that_is_no_regular_expression() {
    let run = rb(&repo(), &["revert", "--file", "b.py", "--good-match", "("]);
    assert_eq!(run.code, 2, "{}{}", run.stdout, run.stderr);
}

#[test]
fn an_upstream_that_has_newer_changes_to_the_path() {
    let upstream = repo();
    let clone = Sandbox::folder();
    clone.git(&["clone", "-q", upstream.path().to_str().unwrap(), "."]);
    upstream.commit("meanwhile", &[("src/a.py", "three\n")]);
    clone.git(&["fetch", "-q"]);
    let words = ["revert", "--file", "src/a.py"];
    let refused = rb(&clone, &words);
    assert_says(
        &refused,
        5,
        "refs/remotes/origin/main has 1 newer change to src/a.py that the tip lacks",
        "take these changes in first (or land anyway with --stale-ok) with: git merge origin/main",
    );
    let dry = rb(&clone, &[&words[..], &["--dry-run"]].concat());
    assert_eq!(dry.code, 5, "a dry run exits as the real run would");
    assert_eq!(dry.line("note:"), "origin/main has newer changes to src/a.py that are not here");
    assert_eq!(dry.line("next: land it with:"), "rb revert --file src/a.py --stale-ok");
    let landed = rb(&clone, &[&words[..], &["--stale-ok"]].concat());
    assert_eq!(landed.code, 0, "{}", landed.stderr);
}

#[test]
fn a_conflict_is_not_left_where_the_upstream_is_newer() {
    let upstream = Sandbox::new();
    upstream.commit("first", &[("f", "one\n")]);
    upstream.commit("second", &[("f", "two\n")]);
    upstream.commit("third", &[("f", "three\n")]);
    let clone = Sandbox::folder();
    clone.git(&["clone", "-q", upstream.path().to_str().unwrap(), "."]);
    upstream.commit("meanwhile", &[("f", "four\n")]);
    clone.git(&["fetch", "-q"]);
    let words = ["revert", "--file", "f", "--change", "HEAD~1", "--on-conflict=stop"];
    let before = State::of(&clone);
    let message = "refs/remotes/origin/main has 1 newer change to f that the tip lacks";
    let way = "take these changes in first (or land anyway with --stale-ok) with: git merge origin/main";
    assert_says(&rb(&clone, &words), 5, message, way);
    let dry = rb(&clone, &[&words[..], &["--dry-run"]].concat());
    assert_eq!(dry.code, 5, "a dry run exits as the real run would");
    assert_eq!(
        dry.line("next: land it with:"),
        "rb revert --file f --change HEAD~1 --on-conflict=stop --stale-ok"
    );
    assert_eq!(before.diff(&State::of(&clone)), "");
    assert_eq!(rb(&clone, &[&words[..], &["--stale-ok"]].concat()).code, 7);
}

#[test]
fn names_that_the_file_system_does_not_tell_apart() {
    let repo = Sandbox::new();
    repo.commit("upper", &[("README", "upper\n")]);
    repo.git(&["rm", "-q", "README"]);
    repo.commit("lower", &[("readme", "lower\n")]);
    repo.git(&["config", "core.ignorecase", "true"]);
    let run = rb(&repo, &["revert", "--file", "README"]);
    assert_eq!(run.code, 5, "{}", run.stdout);
    assert!(run.line("error:").starts_with("path README differs only in case from readme"), "{}", run.stderr);
    assert_eq!(
        run.line("hint:"),
        "put the result on a branch without writing files, with: rb revert --file README --branch rollback"
    );
}

#[test]
fn trees_with_names_that_must_never_be_written() {
    for (name, what) in hostile::NAMES {
        let repo = hostile::with_name(name);
        let before = State::of(&repo);
        let run = rb(&repo, &["pick", "hostile"]);
        // What no path can hold is not merged; what a path could hold is not written.
        let (code, error) = match *name {
            b"" | b"a/b" => (1, "nothing was changed: a tree has names"),
            _ => (5, "refusing to write the path"),
        };
        assert_eq!(run.code, code, "{name:?} {what}: {}{}", run.stdout, run.stderr);
        assert!(run.line("error:").starts_with(error), "{name:?}: {}", run.stderr);
        before.assert_unchanged(&repo);
    }
}

#[test]
fn a_tree_that_would_write_through_its_own_link() {
    let repo = hostile::with_link_and_folder();
    let before = State::of(&repo);
    let run = rb(&repo, &["pick", "hostile"]);
    assert_eq!(run.code, 1, "{}{}", run.stdout, run.stderr);
    assert!(run.line("error:").starts_with("nothing was changed: a tree has names"), "{}", run.stderr);
    before.assert_unchanged(&repo);
    assert!(!repo.path().join("../outside").exists());
}

/// Permissions do not stop root, so the folder is mounted read-only there.
#[cfg(target_os = "linux")]
#[test]
fn a_repository_that_can_only_be_read() {
    let repo = repo();
    let git_dir = repo.path().join(".git");
    let before = State::of(&repo);
    let lock = ReadOnly::make(&git_dir);
    if lock.can_be_written() {
        eprintln!("SKIPPED: root without the right to mount can write everywhere");
        return;
    }
    let asked = rb(&repo, &["history", "src/a.py"]);
    let refused = rb(&repo, &["revert", "HEAD"]);
    drop(lock);
    assert_eq!(asked.code, 0, "{}", asked.stderr);
    assert_eq!(refused.code, 74, "{}{}", refused.stdout, refused.stderr);
    assert!(refused.line("error:").starts_with("cannot write "), "{}", refused.stderr);
    before.assert_unchanged(&repo);
}

/// A folder that cannot be written until this is dropped.
#[cfg(target_os = "linux")]
struct ReadOnly<'a> {
    folder: &'a std::path::Path,
    mounted: bool,
}

#[cfg(target_os = "linux")]
impl<'a> ReadOnly<'a> {
    fn make(folder: &'a std::path::Path) -> Self {
        let mount = |options: &[&str]| {
            let done = std::process::Command::new("mount").args(options).arg(folder).output();
            done.is_ok_and(|done| done.status.success())
        };
        let bound = mount(&["--bind", folder.to_str().expect("a temporary folder is UTF-8")]);
        let mounted = bound && mount(&["-o", "remount,ro,bind"]);
        if !mounted {
            Self::permit(folder, 0o555);
        }
        Self { folder, mounted }
    }

    fn can_be_written(&self) -> bool {
        let probe = self.folder.join("probe");
        std::fs::write(&probe, "").is_ok() && std::fs::remove_file(&probe).is_ok()
    }

    fn permit(folder: &std::path::Path, mode: u32) {
        use std::os::unix::fs::PermissionsExt;
        for folder in [folder.to_owned(), folder.join("objects")] {
            std::fs::set_permissions(folder, std::fs::Permissions::from_mode(mode))
                .expect("the test owns the folder");
        }
    }
}

#[cfg(target_os = "linux")]
impl Drop for ReadOnly<'_> {
    fn drop(&mut self) {
        if self.mounted {
            let _ = std::process::Command::new("umount").arg(self.folder).status();
        } else {
            Self::permit(self.folder, 0o755);
        }
    }
}

/// Beside `src/a.py` a file that is larger than the limit, changed on one side or on both.
fn with_large(both: bool) -> Sandbox {
    let repo = Sandbox::new();
    let large = |first: &str, last: &str| format!("{first}\n{}{last}\n", "line\n".repeat(20_000));
    repo.commit("first", &[("large", large("1", "1")), ("src/a.py", "one\n".to_owned())]);
    repo.commit("second", &[("large", large("2", "1")), ("src/a.py", "two\n".to_owned())]);
    let last = if both { large("2", "2") } else { large("2", "1") };
    repo.commit("third", &[("large", last), ("other", "o\n".to_owned())]);
    repo.git(&["config", "rb.blobLimit", "64k"]);
    repo
}

#[test]
fn a_large_file_that_has_to_be_merged() {
    let repo = with_large(true);
    let before = State::of(&repo);
    assert_says(
        &rb(&repo, &["revert", "HEAD~1"]),
        5,
        "large has 100004 bytes, more than the 65536 that rb handles",
        "if that fits into memory, raise the limit with: git config rb.blobLimit 100004",
    );
    assert_eq!(State::of(&repo), before);
}

#[test]
fn a_large_file_that_need_not_be_merged_is_no_obstacle() {
    let repo = with_large(false);
    repo.git(&["config", "core.bigFileThreshold", "64k"]);
    let twin = repo.twin();
    twin.git(&["revert", "--no-edit", "HEAD~1"]);
    let run = rb(&repo, &["revert", "HEAD~1"]);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    assert_eq!(repo.git(&["rev-parse", "HEAD^{tree}"]), twin.git(&["rev-parse", "HEAD^{tree}"]));
    assert_eq!(repo.git(&["status", "--porcelain"]), "");
}

#[test]
fn references_that_nobody_can_read_are_refused_with_the_reason() {
    let repo = Sandbox::new();
    repo.commit("first", &[("file", "f\n")]);
    repo.write(".git/packed-refs", "canary\n");
    for args in [&["status"][..], &["revert", "HEAD"]] {
        let run = rb(&repo, args);
        assert_eq!(run.code, 5, "{args:?}: {}", run.stderr);
        assert!(run.stderr.contains("canary"), "{args:?}: {}", run.stderr);
    }
}
