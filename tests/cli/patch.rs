//! `--patch`, `--stat` and `--color-words`: git's own text to the byte, which `git apply` takes; git is asked for the same
//! difference in each test.

use std::process::Output;

use test_kit::Sandbox;
use test_kit::patch::difference;

use crate::kit::rb;

/// Every kind of change that a patch can hold, as the second commit; HEAD undoes nothing yet.
pub(crate) fn every_shape() -> Sandbox {
    let repo = Sandbox::new();
    let long: String = (0..60).map(|n| format!("int line_{n}(void) {{ return {n}; }}\n")).collect();
    let write = |path: &str, bytes: &[u8]| repo.write(path, bytes);
    write("src/moved from.c", long.as_bytes());
    write("src/edited.c", long.as_bytes());
    write("gone.txt", b"one\ntwo\n");
    write("tool.sh", b"#!/bin/sh\n");
    write("swap", b"a file that becomes a link\n");
    write("blob.bin", b"\0\x01\x02binary");
    write("open end", b"no line feed");
    write("caf\u{e9} \"quoted\"\t.txt", b"old\n");
    write("emptied", b"something\n");
    write("latin1.txt", b"caf\xe9\n");
    repo.git(&["add", "-A"]);
    repo.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{},sub", "1".repeat(40))]);
    repo.git(&["update-index", "--add", "--cacheinfo", &format!("100644,{},odd", blob(&repo, b"x\n"))]);
    repo.commit_index(b"before");
    std::fs::create_dir_all(repo.path().join("lib")).expect("a folder");
    repo.git(&["mv", "src/moved from.c", "lib/moved to.c"]);
    write("lib/moved to.c", format!("{long}int more;\n").as_bytes());
    write("src/edited.c", long.replace("line_30(", "thirty(").replace("return 55", "return  55 ").as_bytes());
    repo.git(&["rm", "-q", "gone.txt"]);
    std::fs::remove_file(repo.path().join("swap")).expect("it is there");
    #[cfg(unix)]
    std::os::unix::fs::symlink("target", repo.path().join("swap")).expect("a link");
    write("blob.bin", b"\0\x01\x02other binary, rather longer than it was");
    write("open end", b"no line feed here either");
    write("caf\u{e9} \"quoted\"\t.txt", b"new\n");
    write("emptied", b"");
    write("made empty", b"");
    write("latin1.txt", b"th\xe9\n");
    repo.git(&["add", "-A", "--", ":!sub", ":!odd"]);
    repo.git(&["update-index", "--chmod=+x", "tool.sh"]);
    repo.git(&["update-index", "--cacheinfo", &format!("160000,{},sub", "2".repeat(40))]);
    let name: &std::ffi::OsStr = name(b"bytes \xff\xfe");
    let mut info = format!("100644,{},", blob(&repo, b"named in bytes\n")).into_bytes();
    info.extend(name.as_encoded_bytes());
    repo.git(&["update-index".as_ref(), "--add".as_ref(), "--cacheinfo".as_ref(), self::name(&info)]);
    repo.commit_index(b"every kind of change");
    repo.git(&["reset", "-q", "--hard"]);
    repo
}

#[cfg(unix)]
fn name(bytes: &[u8]) -> &std::ffi::OsStr {
    std::os::unix::ffi::OsStrExt::from_bytes(bytes)
}

fn blob(repo: &Sandbox, bytes: &[u8]) -> String {
    let id = repo.git_with_input(&["hash-object", "-w", "--stdin"], bytes);
    String::from_utf8_lossy(&id).trim().to_owned()
}

fn run(repo: &Sandbox, args: &[&str]) -> Output {
    let done = repo.rb(env!("CARGO_BIN_EXE_rb")).args(args).output().expect("rb runs");
    assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
    done
}

#[test]
fn a_patch_of_every_kind_of_change_is_gits_and_git_applies_it() {
    let repo = every_shape();
    let patch = run(&repo, &["revert", "HEAD", "--dry-run", "--patch", "-q"]).stdout;
    let expected = repo.git_bytes(&["diff", "--binary", "HEAD", "HEAD~"]);
    assert_eq!(difference(&patch, &expected), None);
    repo.git_with_input(&["apply", "--cached"], &patch);
    assert_eq!(repo.git(&["write-tree"]), repo.git(&["rev-parse", "HEAD~^{tree}"]));
}

#[test]
fn a_patch_behind_the_text_for_people_is_taken_as_well() {
    let repo = every_shape();
    let told = run(&repo, &["revert", "HEAD", "--dry-run", "--patch"]).stdout;
    assert!(told.starts_with(b"undoing "), "{}", String::from_utf8_lossy(&told));
    repo.git_with_input(&["apply", "--cached"], &told);
    assert_eq!(repo.git(&["write-tree"]), repo.git(&["rev-parse", "HEAD~^{tree}"]));
}

#[test]
fn the_table_of_counts_is_gits() {
    let repo = every_shape();
    let table = run(&repo, &["revert", "HEAD", "--dry-run", "--stat", "-q"]).stdout;
    let expected = repo.git_bytes(&["-c", "core.quotePath=false", "diff", "--stat=80", "HEAD", "HEAD~"]);
    let lines = |text: &[u8]| {
        let text = String::from_utf8_lossy(text).into_owned();
        // rb shows names as it shows them everywhere, without git's quotes.
        text.lines()
            .filter(|line| !line.contains("caf") && !line.contains("bytes "))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(lines(&table), lines(&expected));
}

#[test]
fn colours_are_gits_line_by_line_and_word_by_word() {
    let repo = every_shape();
    let revert = ["revert", "HEAD", "--dry-run", "-q", "--color=always"];
    for (ours, theirs) in [("--patch", "--binary"), ("--color-words", "--color-words")] {
        let shown = run(&repo, &[&revert[..], &[ours]].concat()).stdout;
        let expected = repo.git_bytes(&["diff", theirs, "--binary", "--color=always", "HEAD", "HEAD~"]);
        assert_eq!(difference(&shown, &expected), None, "{ours}");
    }
}

#[test]
fn documents_have_counts_always_and_the_patch_where_it_is_asked_for() {
    let repo = every_shape();
    let json = |args: &[&str]| -> serde_json::Value {
        serde_json::from_slice(&run(&repo, args).stdout).expect("a document")
    };
    let plan = json(&["revert", "HEAD", "--dry-run", "--json"]);
    let files = plan["diff"]["files"].as_array().expect("files");
    let edited = files.iter().find(|file| file["path"] == "src/edited.c").expect("it is edited");
    assert_eq!((&edited["added"], &edited["deleted"]), (&2.into(), &2.into()));
    let moved = files.iter().find(|file| file["path"] == "src/moved from.c").expect("it moves back");
    assert_eq!(
        (&moved["from"], &moved["added"], &moved["deleted"]),
        (&"lib/moved to.c".into(), &0.into(), &1.into())
    );
    assert!(files.iter().any(|file| file["bytes"] == serde_json::json!([42, 9])), "{files:?}");
    assert_eq!(plan["diff"].get("patch"), None);

    let plan = json(&["revert", "HEAD", "--dry-run", "--json", "--patch"]);
    // Content that is not UTF-8 stands in it.
    let hex = plan["diff"]["patch"]["bytes_hex"].as_str().expect("bytes");
    let bytes: Vec<u8> = (0..hex.len() / 2)
        .map(|nth| u8::from_str_radix(&hex[2 * nth..2 * nth + 2], 16).expect("digits"))
        .collect();
    repo.git_with_input(&["apply", "--cached"], &bytes);
    assert_eq!(repo.git(&["write-tree"]), repo.git(&["rev-parse", "HEAD~^{tree}"]));
}

#[test]
fn results_undos_plans_and_histories_show_the_same_patch() {
    let repo = Sandbox::new();
    repo.commit("one", &[("a.txt", "one\ntwo\n")]);
    repo.commit("two", &[("a.txt", "one\n2\n")]);
    repo.git(&["checkout", "-q", "-f", "HEAD"]);
    let diff = |old: &str, new: &str| String::from_utf8(repo.git_bytes(&["diff", old, new])).expect("text");
    let (forward, backward) = (diff("HEAD~", "HEAD"), diff("HEAD", "HEAD~"));
    let shown = |args: &[&str]| String::from_utf8(run(&repo, args).stdout).expect("text");

    assert!(shown(&["history", "a.txt", "--patch"]).contains(&forward));
    let plan = shown(&["revert", "HEAD", "--dry-run", "--json"]);
    std::fs::write(repo.around().join("plan.json"), plan).expect("written");
    let file = repo.around().join("plan.json");
    let show = shown(&["show", file.to_str().expect("text"), "--patch"]);
    assert!(show.ends_with(&backward), "{show}");
    assert!(show.contains("  M a.txt  +1 -1\n"), "{show}");
    assert!(show.contains("apply "), "{show}");

    let landed = shown(&["revert", "HEAD", "--patch"]);
    assert!(landed.ends_with(&backward), "{landed}");
    let undo = shown(&["undo", "--dry-run", "--patch"]);
    assert!(undo.ends_with(&forward), "{undo}");
    assert!(shown(&["undo", "--patch"]).ends_with(&forward));
}

#[test]
fn form_feeds_and_vertical_tabs_are_no_white_space_as_in_git() {
    let repo = Sandbox::new();
    let body: String = (0..9).map(|n| format!("  step {n};\n")).collect();
    let old = format!("first(void)\x0c\n{body}\x0c\nlast\n\x0b \n  end\n{body}one\x0ctwo\x0bthree\n  x\n");
    let new =
        old.replace("step 8", "step eight\x0c").replace("two", "2").replace("last\n", "last\n\x0c\nlast\n");
    repo.commit("one", &[("f", new.clone()), ("g", "g\n".to_owned())]);
    repo.commit("two", &[("f", old), ("g", format!("{new}\x0b\n\t \x0c"))]);
    repo.git(&["reset", "-q", "--hard"]);
    let revert = ["revert", "HEAD", "--dry-run", "-q"];
    for how in [&["--patch"][..], &["--patch", "--color=always"], &["--color-words", "--color=always"]] {
        let shown = run(&repo, &[&revert[..], how].concat()).stdout;
        let theirs = how.iter().map(|word| if *word == "--patch" { "--binary" } else { *word });
        let args: Vec<&str> = ["diff"].into_iter().chain(theirs).chain(["HEAD", "HEAD~"]).collect();
        assert_eq!(difference(&shown, &repo.git_bytes(&args)), None, "{how:?}");
    }
}

/// Two texts whose frequent lines `}` stand among lines without a partner; and how many lines `git diff --minimal` has come
/// and go, up to 2.49 and since.
#[test]
fn minimal_patches_are_those_of_the_git_that_is_followed() {
    let repo = Sandbox::new();
    let text = |lines: &str| lines.split(' ').map(|line| format!("{line}\n")).collect::<String>();
    repo.commit("one", &[("f", text("} } x2 } x4 } } } x8 x9 x10 x11 x12 } } x15 }"))]);
    repo.commit("two", &[("f", text("} y1 y2 y3 } y5 y6 y7 y8 y9 y10 y11 y12 } y14 y15 }"))]);
    repo.git(&["reset", "-q", "--hard"]);
    repo.git(&["config", "diff.algorithm", "minimal"]);
    for (release, changed) in [
        ("2.49", " 1 file changed, 15 insertions(+), 15 deletions(-)"),
        ("2.50", " 1 file changed, 13 insertions(+), 13 deletions(-)"),
    ] {
        repo.git(&["config", "rb.gitVersion", release]);
        let shown = run(&repo, &["revert", "HEAD", "--dry-run", "--stat"]).stdout;
        assert!(
            String::from_utf8_lossy(&shown).contains(changed),
            "{release}: {}",
            String::from_utf8_lossy(&shown)
        );
    }
    repo.git(&["config", "--unset", "rb.gitVersion"]);
    let patch = run(&repo, &["revert", "HEAD", "--dry-run", "--patch", "-q"]).stdout;
    assert_eq!(difference(&patch, &repo.git_bytes(&["diff", "HEAD", "HEAD~"])), None);
}

#[test]
fn of_many_equal_files_as_many_are_looked_at_for_the_name_as_git_looks_at() {
    // The one of the same name is the last that git looks at, and the first that it does not.
    for nth in [99, 100] {
        let repo = Sandbox::new();
        let path = |at: usize| match at == nth {
            true => format!("from/{at:03}/name"),
            false => format!("from/{at:03}/other"),
        };
        let files: Vec<(String, &str)> = (0..110).map(|at| (path(at), "the same in all of them\n")).collect();
        for (path, content) in &files {
            repo.write(path, content.as_bytes());
        }
        repo.git(&["add", "-A"]);
        repo.commit_index(b"one");
        repo.git(&["rm", "-q", "-r", "from"]);
        repo.write("to/name", b"the same in all of them\n");
        repo.git(&["add", "-A"]);
        repo.commit_index(b"two");
        let undo = ["revert", "HEAD", "--dry-run", "--patch", "-q"];
        repo.git(&["revert", "--no-edit", "HEAD"]);
        let shown = run(&repo, &undo).stdout;
        let expected = repo.git_bytes(&["diff", "--binary", "HEAD", "HEAD~"]);
        assert_eq!(difference(&shown, &expected), None, "{nth}");
        let taken = format!("rename from {}\n", path(if nth == 99 { 99 } else { 0 }));
        assert!(String::from_utf8_lossy(&expected).contains(&taken), "{nth}");
    }
}

#[test]
fn settings_of_git_diff_are_refused_where_git_refuses_them_and_mean_the_same() {
    let repo = every_shape();
    for (key, value) in [
        ("diff.context", "-1"),
        ("diff.context", "some"),
        ("diff.interHunkContext", "-2"),
        ("diff.renameLimit", "many"),
        ("diff.indentHeuristic", "perhaps"),
    ] {
        repo.git(&["config", key, value]);
        assert!(!repo.try_git(&["diff", "HEAD", "HEAD~"]).status.success(), "{key}={value}");
        let shown = rb(&repo, &["revert", "HEAD", "--dry-run", "--patch"]);
        assert_ne!(shown.code, 0, "{key}={value}: {}", shown.stdout);
        assert!(shown.line("error:").to_lowercase().contains(&key.to_lowercase()), "{}", shown.stderr);
        repo.git(&["config", "--unset", key]);
    }
    repo.git(&["config", "diff.context", "1"]);
    repo.git(&["config", "diff.interHunkContext", "9"]);
    for limit in ["1", "-1"] {
        repo.git(&["config", "diff.renameLimit", limit]);
        let shown = run(&repo, &["revert", "HEAD", "--dry-run", "--patch", "-q"]).stdout;
        let expected = repo.git_bytes(&["diff", "--binary", "HEAD", "HEAD~"]);
        assert_eq!(difference(&shown, &expected), None, "{limit}");
    }
}

#[test]
fn the_command_that_lands_what_was_shown_does_not_show_it_again() {
    let repo = Sandbox::new();
    repo.commit("one", &[("a.txt", "one\n")]);
    repo.commit("two", &[("a.txt", "two\n")]);
    repo.git(&["reset", "-q", "--hard"]);
    for shown in ["--patch", "--stat", "--color-words"] {
        let told = rb(&repo, &["revert", "HEAD", "--dry-run", shown]);
        assert_eq!(told.line("next:"), "land it with: rb revert HEAD", "{}", told.stdout);
    }
}

#[test]
fn what_may_not_be_in_memory_is_counted_and_its_patch_is_no_failure_of_what_has_landed() {
    let repo = Sandbox::new();
    let content = |letter: &[u8]| letter.repeat(2 << 20);
    repo.commit("one", &[("big", content(b"a"))]);
    repo.commit("two", &[("big", content(b"b"))]);
    repo.git(&["reset", "-q", "--hard"]);
    repo.git(&["config", "core.bigFileThreshold", "512k"]);
    repo.git(&["config", "rb.blobLimit", "1m"]);
    let refused = rb(&repo, &["revert", "HEAD", "--dry-run", "--patch"]);
    assert_eq!(refused.code, 5, "{}{}", refused.stdout, refused.stderr);
    assert!(refused.line("error:").contains("more than the 1048576 that rb handles"), "{}", refused.stderr);
    for command in [&["revert", "HEAD", "--patch"][..], &["undo", "--patch"], &["redo", "--patch"]] {
        let before = repo.git(&["rev-parse", "HEAD"]);
        let landed = rb(&repo, command);
        assert_eq!(landed.code, 0, "{command:?}: {}{}", landed.stdout, landed.stderr);
        assert!(landed.line("warning:").starts_with("the patch cannot be shown: blob "), "{}", landed.stderr);
        assert_ne!(repo.git(&["rev-parse", "HEAD"]), before, "{command:?}");
    }

    repo.git(&["rm", "-q", "big"]);
    repo.write("moved", content(b"c"));
    repo.git(&["add", "-A"]);
    repo.commit_index(b"moved and edited");
    let table = rb(&repo, &["revert", "HEAD", "--dry-run", "--stat"]);
    assert_eq!(table.code, 0, "{}{}", table.stdout, table.stderr);
    assert!(table.stdout.contains(" big   | Bin 0 -> 2097152 bytes\n"), "{}", table.stdout);
}

/// A run on a terminal of its own; what reaches it.
#[cfg(unix)]
fn on_a_terminal(repo: &Sandbox, line: &str, variables: &[(&str, &str)]) -> String {
    let mut command = repo.command("script");
    let line = format!("{} {line}", env!("CARGO_BIN_EXE_rb"));
    command.args(["-qec", &line, "/dev/null"]).envs(variables.iter().copied());
    let done = command.stdin(std::process::Stdio::null()).output().expect("script can be started");
    String::from_utf8_lossy(&done.stdout).into_owned()
}

/// A change whose lines would steer a terminal.
#[cfg(unix)]
fn hostile() -> Sandbox {
    let repo = Sandbox::new();
    repo.commit("one", &[("a.txt", "one\n\x1b[8mhidden\x1b[0m\x1b]0;title\x07\n")]);
    repo.commit("two", &[("a.txt", "one\n\x1b[31mred\u{202e}\r\n")]);
    repo.git(&["reset", "-q", "--hard"]);
    repo
}

#[cfg(unix)]
#[test]
fn no_byte_of_a_file_steers_the_terminal_before_a_pager_or_behind_one() {
    let repo = hostile();
    for pager in ["no-such-pager", "cat", "sh -c cat"] {
        for how in ["--patch", "--patch --color=always", "--color-words --color=always"] {
            let line = format!("revert HEAD --dry-run {how}");
            let shown = on_a_terminal(&repo, &line, &[("GIT_PAGER", pager), ("TERM", "xterm")]);
            for expected in [r"\x1b[8mhidden\x1b[0m\x1b]0;title\x07", r"\x1b[31mred\u{202e}"] {
                assert!(shown.contains(expected), "{pager} {how}: {shown:?}");
            }
            let planted = ["\x1b[8m", "\x1b[31mred", "\x1b]", "\x07", "\u{202e}"];
            assert!(planted.iter().all(|bytes| !shown.contains(bytes)), "{pager} {how}: {shown:?}");
        }
    }
}

#[cfg(unix)]
#[test]
fn an_interrupt_is_the_pagers_and_rb_ends_when_it_is_left() {
    let repo = hostile();
    let left = repo.around().join("left");
    let pager = format!("kill -INT $PPID; sleep 1; cat > /dev/null; echo left > '{}'; :", left.display());
    on_a_terminal(&repo, "revert HEAD --dry-run --patch", &[("GIT_PAGER", &pager), ("TERM", "xterm")]);
    assert_eq!(std::fs::read_to_string(&left).unwrap_or_default(), "left\n");
}
