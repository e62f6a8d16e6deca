//! `--patch`, `--stat` and `--color-words`: git's own text to the byte, which `git apply` takes; git is asked for the same
//! difference in each test.

use std::process::Output;

use test_kit::Sandbox;

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

/// The lines of a patch without what stands in binary files, which another library compresses.
fn without_binary(patch: &[u8]) -> Vec<String> {
    let mut binary = false;
    let mut kept = Vec::new();
    for line in patch.split(|byte| *byte == b'\n') {
        binary = if line.starts_with(b"diff --git ") { false } else { binary || line == b"GIT binary patch" };
        if !binary {
            kept.push(line.escape_ascii().to_string());
        }
    }
    kept
}

#[test]
fn a_patch_of_every_kind_of_change_is_gits_and_git_applies_it() {
    let repo = every_shape();
    let patch = run(&repo, &["revert", "HEAD", "--dry-run", "--patch", "-q"]).stdout;
    let expected = repo.git_bytes(&["diff", "--binary", "HEAD", "HEAD~"]);
    assert_eq!(without_binary(&patch), without_binary(&expected));
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
        let lines = |text: &[u8]| {
            let (mut binary, mut kept) = (false, Vec::new());
            for line in text.split(|byte| *byte == b'\n') {
                let line = line.escape_ascii().to_string();
                let is_meta = line.contains("diff --git ");
                binary = !is_meta && (binary || line.contains("GIT binary patch"));
                if !binary {
                    kept.push(line);
                }
            }
            kept
        };
        let (shown, expected) = (lines(&shown), lines(&expected));
        let first = shown.iter().zip(&expected).find(|(shown, expected)| shown != expected);
        assert_eq!((first, shown.len()), (None, expected.len()), "{ours}");
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
