//! Where releases of git differ, rb does what the installed one does, and says which that is.

use test_kit::Sandbox;

use crate::kit::{rb, rb_with};

/// The lines that the last commit but one changes are far from the line that the last one changes. git up to 2.53 lets the
/// hunks meet, since equal lines stand between them.
fn history() -> Sandbox {
    let repo = Sandbox::new();
    let lines = |first: &str, fourth: &str| format!("{first}\n\nA\n{fourth}\nA\n\nA\nA\nA\n");
    repo.commit("base", &[("f", lines("A", "x"))]);
    repo.commit("change", &[("f", lines("A", "A"))]);
    repo.commit("later", &[("f", lines("z", "A"))]);
    repo
}

/// A folder to search programs in, with a `git` that is this release, or with none.
fn installed(repo: &Sandbox, release: Option<&str>) -> String {
    let folder = repo.path().join(".git/programs");
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    let file = folder.join("git");
    match release {
        None => drop(std::fs::remove_file(&file)),
        Some(release) => {
            let script =
                format!("#!/bin/sh\necho git version {release}; echo asked >> {}.log\n", file.display());
            std::fs::write(&file, script).expect("the program can be written");
            #[cfg(unix)]
            std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o755))
                .expect("it can be made executable");
        }
    }
    folder.to_str().expect("the folder has a UTF-8 name").to_owned()
}

#[test]
fn a_merge_is_that_of_the_installed_release_or_of_the_one_that_is_named() {
    let repo = history();
    for (release, code) in [
        (Some("2.47.3"), 6),
        (Some("2.53.1"), 6),
        (Some("2.54.0"), 0),
        (Some("2.55.GIT"), 0),
        (Some("3.1.0"), 0),
        (Some("of another kind"), 0),
        (None, 0),
    ] {
        let path = installed(&repo, release);
        let run = rb_with(&repo, &["revert", "HEAD~1", "--dry-run"], "", &[("PATH", &path)]);
        assert_eq!(run.code, code, "{release:?} {}{}", run.stdout, run.stderr);
    }
    let path = installed(&repo, Some("2.47.3"));
    repo.git(&["config", "rb.gitVersion", "2.54"]);
    let run = rb_with(&repo, &["revert", "HEAD~1", "--dry-run"], "", &[("PATH", &path)]);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    // The library decides as the git of these tests does, too.
    repo.git(&["config", "--unset", "rb.gitVersion"]);
    let reverted = repo.twin().try_git(&["revert", "--no-edit", "HEAD~1"]).status.success();
    assert_eq!(rb(&repo, &["revert", "HEAD~1", "--dry-run"]).code == 0, reverted);
}

#[test]
fn git_is_asked_once_and_only_where_releases_differ() {
    let repo = history();
    let path = installed(&repo, Some("2.47.3"));
    let log = repo.path().join(".git/programs/git.log");
    let run = rb_with(&repo, &["revert", "HEAD", "--dry-run"], "", &[("PATH", &path)]);
    assert_eq!((run.code, log.exists()), (0, false), "{}{}", run.stdout, run.stderr);
    rb_with(&repo, &["revert", "HEAD~1", "--dry-run"], "", &[("PATH", &path)]);
    assert_eq!(std::fs::read_to_string(log).expect("git was asked"), "asked\n");
}

#[test]
fn the_long_version_names_the_release_that_is_followed() {
    let repo = history();
    for (release, said) in [
        (Some("2.47.3"), "follows git 2.47: 2.47.3 is installed (rb.gitVersion names another)"),
        (Some("3.1.0"), "follows git 2.55, the newest it knows: 3.1.0 is installed"),
        (None, "follows git 2.55, the newest it knows: none is installed"),
    ] {
        let path = installed(&repo, release);
        let run = rb_with(&repo, &["--version", "-v"], "", &[("PATH", &path)]);
        let lines: Vec<&str> = run.stdout.lines().collect();
        assert_eq!((run.code, lines.len(), lines[2]), (0, 3, said), "{}{}", run.stdout, run.stderr);
        assert!(lines[0].starts_with("rb ") && lines[1].contains("gix "), "{}", run.stdout);
        let short = rb_with(&repo, &["--version"], "", &[("PATH", &path)]);
        assert_eq!(short.stdout, format!("{}\n", lines[0]));
    }
}
