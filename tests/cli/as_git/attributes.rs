//! Files are written by the attributes of the result.

use std::fs;

use test_kit::{Part, Sandbox, State};

use super::{LANDED, as_git, assert_same_landing, status};
use crate::kit::{done, rb};

/// A change to attributes and to a file that they cover.
struct Situation {
    name: &'static str,
    before: &'static [(&'static str, &'static str)],
    /// `None` removes the file.
    after: &'static [(&'static str, Option<&'static str>)],
}

const SITUATIONS: &[Situation] = &[
    Situation {
        name: "line ends that are gone",
        before: &[("f", "a\nb\n")],
        after: &[(".gitattributes", Some("f text eol=crlf\n")), ("f", Some("a\nB\n"))],
    },
    Situation {
        name: "line ends that are gone in a folder",
        before: &[("d/e/f", "a\nb\n"), ("d/g", "g\n")],
        after: &[("d/.gitattributes", Some("f text eol=crlf\n")), ("d/e/f", Some("a\nB\n"))],
    },
    Situation {
        name: "line ends that come back",
        before: &[(".gitattributes", "f text eol=crlf\n"), ("f", "a\nb\n")],
        after: &[(".gitattributes", None), ("f", Some("a\nB\n"))],
    },
    Situation {
        name: "line ends that change",
        before: &[(".gitattributes", "* text eol=crlf\n"), ("f", "a\nb\n"), ("g", "g\n")],
        after: &[(".gitattributes", Some("* text eol=lf\n")), ("f", Some("a\nB\n"))],
    },
    Situation {
        name: "a folder with its attributes that comes back",
        before: &[("d/.gitattributes", "f text eol=crlf\n"), ("d/f", "a\nb\n"), ("other", "o\n")],
        after: &[("d/.gitattributes", None), ("d/f", None)],
    },
    Situation {
        name: "an inner file of attributes that hid the outer one",
        before: &[(".gitattributes", "*.t text eol=crlf\n"), ("d/f.t", "a\nb\n")],
        after: &[("d/.gitattributes", Some("*.t text eol=lf\n")), ("d/f.t", Some("a\nB\n"))],
    },
    Situation {
        name: "a filter that is gone",
        before: &[("s", "hello\n")],
        after: &[(".gitattributes", Some("s filter=rot\n")), ("s", Some("world\n"))],
    },
    Situation {
        name: "a filter that must not fail and comes back",
        before: &[(".gitattributes", "s filter=must\n"), ("s", "hello\n")],
        after: &[(".gitattributes", None), ("s", Some("world\n"))],
    },
    Situation {
        name: "an encoding that is gone",
        before: &[("f.u", "a\u{e9}\n")],
        after: &[
            (".gitattributes", Some("*.u working-tree-encoding=UTF-16LE\n")),
            ("f.u", Some("b\u{e8}\n")),
        ],
    },
    Situation {
        name: "an encoding that changes",
        before: &[(".gitattributes", "*.u working-tree-encoding=ISO_8859-15\n"), ("f.u", "a\u{20ac}\n")],
        after: &[
            (".gitattributes", Some("*.u working-tree-encoding=UTF-16\n")),
            ("f.u", Some("b\u{20ac}\n")),
        ],
    },
    Situation {
        name: "keywords that are gone",
        before: &[("f", "$Id$ a\n")],
        after: &[(".gitattributes", Some("f ident\n")), ("f", Some("$Id$ b\n"))],
    },
    Situation {
        name: "a macro that is gone",
        before: &[(".gitattributes", "[attr]dos text eol=crlf\nf dos\n"), ("f", "a\n")],
        after: &[(".gitattributes", Some("[attr]dos text eol=lf\nf dos\n")), ("f", Some("b\n"))],
    },
    Situation {
        name: "attributes that become a folder of that name",
        before: &[(".gitattributes/x", "x\n"), ("f", "a\n")],
        after: &[
            (".gitattributes/x", None),
            (".gitattributes", Some("f text eol=crlf\n")),
            ("f", Some("b\n")),
        ],
    },
];

/// The history of the situation, its work tree as a fresh checkout has it.
fn history(situation: &Situation) -> Sandbox {
    let repo = Sandbox::new();
    repo.commit("one", situation.before);
    // The content is what the situation says, whatever the attributes make of the work tree.
    for (path, _) in situation.after {
        repo.git(&["update-index", "--force-remove", path]);
        let _ = fs::remove_file(repo.path().join(path));
        let _ = path.rsplit_once('/').map(|(folder, _)| fs::remove_dir(repo.path().join(folder)));
    }
    for (path, content) in situation.after {
        if let Some(content) = content {
            let id = repo.git_with_input(&["hash-object", "-w", "--stdin"], content.as_bytes());
            let id = String::from_utf8(id).expect("an id");
            repo.git(&["update-index", "--add", "--cacheinfo", &format!("100644,{},{path}", id.trim())]);
        }
    }
    repo.commit_index(b"two\n");
    for row in repo.git(&["ls-files"]).lines() {
        let _ = fs::remove_file(repo.path().join(row));
    }
    git_filtered(&repo, &["checkout", "-q", "HEAD", "--", "."]);
    repo
}

/// Filters of the user's own, as `git -c` gives them.
const FILTERS: [(&str, &str); 11] = [
    ("GIT_CONFIG_COUNT", "5"),
    ("GIT_CONFIG_KEY_0", "filter.rot.clean"),
    ("GIT_CONFIG_VALUE_0", "tr a-z n-za-m"),
    ("GIT_CONFIG_KEY_1", "filter.rot.smudge"),
    ("GIT_CONFIG_VALUE_1", "tr n-za-m a-z"),
    ("GIT_CONFIG_KEY_2", "filter.must.clean"),
    ("GIT_CONFIG_VALUE_2", "tr a-z n-za-m"),
    ("GIT_CONFIG_KEY_3", "filter.must.smudge"),
    ("GIT_CONFIG_VALUE_3", "tr n-za-m a-z"),
    ("GIT_CONFIG_KEY_4", "filter.must.required"),
    ("GIT_CONFIG_VALUE_4", "true"),
];

fn git_filtered(repo: &Sandbox, args: &[&str]) {
    let done = super::git_with(repo, args, &FILTERS);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

fn rb_filtered(repo: &Sandbox, args: &[&str]) {
    done(crate::kit::rb_with(repo, args, "", &FILTERS));
}

#[test]
fn a_rollback_of_attributes_gives_gits_bytes_and_a_clean_status_and_comes_back() {
    for situation in SITUATIONS {
        let repo = history(situation);
        let before = State::of(&repo).only(&LANDED);
        as_git(&repo, &["revert", "--no-edit", "HEAD"], &["revert", "HEAD"], &FILTERS, situation.name);
        assert_eq!(status(&repo, &FILTERS), "", "{}", situation.name);
        rb_filtered(&repo, &["undo"]);
        let changed = before.diff(&State::of(&repo).only(&LANDED));
        assert_eq!(changed, "", "{}: undo", situation.name);
    }
}

#[test]
fn a_pick_a_staged_revert_and_a_plan_write_by_the_attributes_of_the_result() {
    for situation in SITUATIONS {
        let picked = history(situation);
        git_filtered(&picked, &["switch", "-q", "--detach", "HEAD~1"]);
        as_git(&picked, &["cherry-pick", "main"], &["pick", "main"], &FILTERS, situation.name);

        let staged = history(situation);
        as_git(&staged, &["revert", "-n", "HEAD"], &["revert", "-n", "HEAD"], &FILTERS, situation.name);

        let planned = history(situation);
        let twin = planned.twin();
        let plan = crate::kit::rb_with(&planned, &["revert", "HEAD", "--dry-run", "--json"], "", &FILTERS);
        let file = planned.path().with_extension("plan");
        fs::write(&file, &plan.stdout).expect("written");
        rb_filtered(&planned, &["apply", &file.display().to_string()]);
        git_filtered(&twin, &["revert", "--no-edit", "HEAD"]);
        assert_same_landing(&planned, &twin, situation.name);
    }
}

#[test]
fn a_restore_and_a_checkpoint_write_by_the_attributes_of_the_result() {
    // A restore brings back paths that the source has.
    let restorable = |situation: &&Situation| {
        let known: Vec<_> = situation.before.iter().map(|(path, _)| *path).collect();
        situation.after.iter().all(|(path, _)| known.contains(path))
    };
    for situation in SITUATIONS.iter().filter(restorable) {
        let repo = history(situation);
        let before = State::of(&repo).only(&[Part::Index, Part::Files]);
        rb_filtered(&repo, &["checkpoint", "create", "kept"]);
        let named: Vec<&str> = situation.after.iter().map(|(path, _)| *path).collect();
        let twin = repo.twin();
        let words = [&["restore"][..], &named, &["-n", "-s", "HEAD~1", "--allow-loss"]].concat();
        rb_filtered(&repo, &words);
        git_filtered(&twin, &["revert", "-n", "HEAD"]);
        let files = |repo: &Sandbox| State::of(repo).only(&[Part::Files, Part::Index]);
        assert_eq!(files(&twin).diff(&files(&repo)), "", "{}", situation.name);
        rb_filtered(&repo, &["checkpoint", "restore", "kept", "--move-branch"]);
        let after = State::of(&repo).only(&[Part::Index, Part::Files]);
        assert_eq!(before.diff(&after), "", "{}: checkpoint", situation.name);
    }
}

#[test]
fn a_check_sees_the_bytes_that_would_land() {
    for situation in SITUATIONS {
        let repo = history(situation);
        let twin = repo.twin();
        git_filtered(&twin, &["revert", "-n", "HEAD"]);
        // A file that the rollback writes.
        let is_written = |path: &str| situation.after.iter().any(|(other, _)| *other == path);
        let mut files = situation.before.iter().map(|(path, _)| *path);
        let Some(path) = files.find(|path| !path.ends_with(".gitattributes") && is_written(path)) else {
            continue;
        };
        let wanted = repo.path().with_extension("wanted");
        fs::copy(twin.path().join(path), &wanted).expect("the file is there");
        let check = format!("cmp {path} {}", wanted.display());
        rb_filtered(&repo, &["revert", "HEAD", "--check", &check]);
        let landed = fs::read(repo.path().join(path)).expect("the file is there");
        assert_eq!(landed, fs::read(&wanted).expect("the copy is there"), "{}", situation.name);
    }
}

#[test]
fn attributes_that_git_does_not_track_count_as_under_git() {
    let repo = Sandbox::new();
    repo.commit("one", &[("f", "a\n"), ("d/g", "a\n")]);
    repo.commit("two", &[("f", "b\n"), ("d/g", "b\n")]);
    repo.write(".gitattributes", "f text eol=crlf\n");
    repo.write("d/.gitattributes", "g text eol=crlf\n");
    as_git(&repo, &["revert", "--no-edit", "HEAD"], &["revert", "HEAD"], &[], "untracked");
    assert_eq!(fs::read(repo.path().join("d/g")).expect("it is there"), b"a\r\n");
}

#[test]
fn edited_attributes_decide_what_is_clean_and_those_of_the_result_what_is_written() {
    let repo = Sandbox::new();
    repo.commit("one", &[(".gitattributes", "f text eol=lf\n"), ("f", "a\n")]);
    repo.commit("two", &[("f", "b\n")]);
    repo.write(".gitattributes", "f text eol=crlf\n");
    repo.write("f", "b\r\n");
    repo.git(&["add", "f"]);
    as_git(&repo, &["revert", "--no-edit", "HEAD"], &["revert", "HEAD"], &[], "edited");
    assert_eq!(fs::read(repo.path().join("f")).expect("it is there"), b"a\n");
}

#[test]
fn a_file_whose_attributes_change_and_whose_content_does_not_is_not_rewritten() {
    let repo = Sandbox::new();
    repo.commit("one", &[("f", "a\n"), ("g", "a\n")]);
    repo.commit("two", &[(".gitattributes", "f text eol=crlf\n"), ("g", "b\n")]);
    let before = State::of(&repo).only(&[Part::Times]);
    let seen = |state: &State| before.diff(state).contains("f\n");
    done(rb(&repo, &["revert", "HEAD"]));
    assert!(!seen(&State::of(&repo).only(&[Part::Times])), "f was not touched");
    assert_eq!(repo.git(&["status", "--porcelain"]), "");
}
