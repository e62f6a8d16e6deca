//! Faults of the world around `rb`: locks, damage, missing objects, clocks, signals, size.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime};

use test_kit::{Sandbox, State};

use crate::kit::rb;

/// A file that the last commit but one broke.
fn broken() -> Sandbox {
    let repo = Sandbox::new();
    repo.commit("good", &[("src/a.py", "good\n"), ("other", "o\n")]);
    repo.commit("bad", &[("src/a.py", "bad\n")]);
    repo.commit("later", &[("other", "later\n")]);
    repo
}

fn assert_reverted(repo: &Sandbox, context: &str) {
    assert_eq!(fs::read(repo.path().join("src/a.py")).expect("it is there"), b"good\n", "{context}");
    assert_eq!(repo.git(&["show", "HEAD:src/a.py"]), "good", "{context}");
    assert_eq!(repo.git(&["status", "--porcelain"]), "", "{context}");
}

#[test]
fn a_stale_lock_is_named_with_its_age_and_left_alone() {
    let repo = broken();
    let lock = repo.path().join(".git/index.lock");
    let file = fs::File::create(&lock).expect("a new file");
    file.set_modified(SystemTime::now() - Duration::from_secs(3 * 3600 + 60)).expect("a file of ours");
    let before = State::of(&repo);
    let run = rb(&repo, &["revert", "HEAD~1"]);
    assert_eq!(run.code, 75, "{}{}", run.stdout, run.stderr);
    assert!(run.line("error:").contains(".git/index.lock"), "{}", run.stderr);
    assert!(run.line("error:").contains("3 hours"), "{}", run.stderr);
    assert!(lock.exists(), "it is somebody's");
    before.assert_unchanged(&repo);
}

#[test]
fn a_second_rb_is_told_that_the_first_is_at_work() {
    let repo = broken();
    fs::create_dir_all(repo.path().join(".git/rb")).expect("a new folder");
    let held = fs::File::create(repo.path().join(".git/rb/lock")).expect("a new file");
    held.lock().expect("nobody holds it");
    let before = State::of(&repo);
    let begun = Instant::now();
    let run = rb(&repo, &["revert", "HEAD~1"]);
    assert_eq!(run.code, 75, "{}{}", run.stdout, run.stderr);
    assert!(begun.elapsed() < Duration::from_secs(20), "it does not wait for ever");
    before.assert_unchanged(&repo);
    drop(held);
    assert_eq!(rb(&repo, &["revert", "HEAD~1"]).code, 0);
    assert_reverted(&repo, "afterwards");
}

/// The files of the repository that hold history, by kind.
fn files(repo: &Sandbox, below: &str, is: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![repo.path().join(".git").join(below)];
    while let Some(folder) = folders.pop() {
        for row in fs::read_dir(folder).into_iter().flatten() {
            let path = row.expect("a row").path();
            match path.is_dir() {
                true => folders.push(path),
                false if is(&path.to_string_lossy()) => found.push(path),
                false => {}
            }
        }
    }
    found.sort();
    found
}

/// Damages a copy of the repository at some bytes of the files; each time the answer is right, or a refusal that has
/// changed nothing.
fn damage(repo: &Sandbox, below: &str, is: impl Fn(&str) -> bool + Copy, must_land: bool) -> usize {
    let mut tried = 0;
    for (nth, file) in files(repo, below, is).iter().enumerate() {
        let relative = file.strip_prefix(repo.path()).expect("it lies in it");
        let len = fs::metadata(file).expect("it is there").len() as usize;
        for at in (0..len).step_by((len / 5).max(1)).skip(nth % 2) {
            for cut in [false, true] {
                let twin = repo.twin();
                let mut bytes = fs::read(file).expect("it is there");
                match cut {
                    true => bytes.truncate(at),
                    false => bytes[at] ^= 0x15,
                }
                let path = twin.path().join(relative);
                fs::remove_file(&path).expect("it is there");
                fs::write(&path, bytes).expect("a new file");
                let context = format!("{} at {at}, cut {cut}", relative.display());
                assert_answer(&twin, &context, must_land);
                tried += 1;
            }
        }
    }
    assert!(tried > 0, "{below}");
    tried
}

fn assert_answer(repo: &Sandbox, context: &str, must_land: bool) {
    let before = (fs::read(repo.path().join(".git/refs/heads/main")), fs::read(repo.path().join("src/a.py")));
    let run = rb(repo, &["revert", "HEAD~1"]);
    match run.code {
        0 => {
            assert_eq!(fs::read(repo.path().join("src/a.py")).expect("it is there"), b"good\n", "{context}");
        }
        1 | 5 | 74 if !must_land => {
            assert!(run.stderr.contains("error:"), "{context}: {}", run.stderr);
            let after =
                (fs::read(repo.path().join(".git/refs/heads/main")), fs::read(repo.path().join("src/a.py")));
            assert_eq!(before.0.ok(), after.0.ok(), "{context}");
            assert_eq!(before.1.ok(), after.1.ok(), "{context}");
        }
        code => panic!("{context}: {code}\n{}{}", run.stdout, run.stderr),
    }
}

#[test]
fn a_damaged_object_is_an_answer_and_never_a_wrong_result() {
    let repo = broken();
    let loose = damage(&repo, "objects", |name| !name.contains("info"), false);
    repo.git(&["gc", "-q"]);
    let packed =
        damage(&repo, "objects/pack", |name| name.ends_with(".pack") || name.ends_with(".idx"), false);
    println!("{loose} loose objects and {packed} packs damaged");
}

#[test]
fn a_damaged_index_is_refused_or_harmless() {
    damage(&broken(), "", |name| name.ends_with(".git/index"), false);
}

#[test]
fn a_damaged_commit_graph_is_done_without() {
    let repo = broken();
    repo.git(&["commit-graph", "write", "--reachable", "--changed-paths"]);
    damage(&repo, "objects/info", |name| name.ends_with("commit-graph"), true);
}

#[test]
fn a_blob_that_a_partial_clone_left_out_is_named_where_nothing_is_to_be_fetched() {
    let source = broken();
    source.git(&["config", "uploadpack.allowFilter", "true"]);
    let clone = Sandbox::folder();
    let url = format!("file://{}", source.path().display());
    clone.git(&["clone", "-q", "--filter=blob:none", &url, "."]);
    let missing = source.git(&["rev-parse", "HEAD~2:src/a.py"]);
    let objects = files(&clone, "objects", |_| true);
    let before = State::of(&clone);
    let run = rb(&clone, &["revert", "HEAD~1", "--no-fetch"]);
    assert_eq!(run.code, 5, "{}{}", run.stdout, run.stderr);
    assert!(run.stderr.contains(&missing[..7]), "{missing}: {}", run.stderr);
    assert_eq!(files(&clone, "objects", |_| true), objects, "nothing came from the remote");
    // Whoever looks at the state may have git fetch.
    before
        .without(&[test_kit::Part::Objects])
        .assert_same(&State::of(&clone).without(&[test_kit::Part::Objects]));
}

#[test]
fn dates_decide_nothing() {
    let trees: Vec<String> =
        [[0_i64, 0, 0], [4_102_444_800, 1, 4_000_000_000], [1_700_000_000, 1_700_000_060, 1_700_000_120]]
            .iter()
            .map(|dates| {
                let repo = Sandbox::new();
                let files = [("good", "good\n"), ("bad", "bad\n"), ("later", "bad\n")];
                for ((message, content), date) in files.iter().zip(dates) {
                    repo.write("src/a.py", content);
                    repo.write("other", message);
                    repo.git(&["add", "-A"]);
                    let mut commit = repo.command("git");
                    let date = format!("@{date} +0000");
                    commit.env("GIT_COMMITTER_DATE", &date).env("GIT_AUTHOR_DATE", &date);
                    assert!(
                        commit.args(["commit", "-q", "-m", message]).status().expect("git starts").success()
                    );
                }
                let history = rb(&repo, &["history", "src/a.py", "--json"]).json();
                assert_eq!(history["changes"][0]["subject"], "bad", "{dates:?}");
                let run = rb(&repo, &["revert", "--file", "src/a.py"]);
                assert_eq!(run.code, 0, "{dates:?}: {}", run.stderr);
                repo.git(&["rev-parse", "HEAD^{tree}"])
            })
            .collect();
    assert!(trees.iter().all(|tree| *tree == trees[0]), "{trees:?}");
}

/// Holds a landing at its first swap, sends it the signal, and says how it ended.
fn signalled(repo: &Sandbox, signal: &str) -> Option<i32> {
    use std::os::unix::process::ExitStatusExt;
    let mut command = repo.strace("renameat2", "delay_enter=700000:when=1");
    command.arg(env!("CARGO_BIN_EXE_rb")).args(["revert", "HEAD~1"]).stdin(Stdio::null());
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
    let begun = Instant::now();
    while !repo.path().join(".git/index.lock").exists() && begun.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(2));
    }
    let tracer = child.id().to_string();
    let children = fs::read_to_string(format!("/proc/{tracer}/task/{tracer}/children")).ok()?;
    let rb = children.split_whitespace().next()?.to_owned();
    assert!(repo.command("kill").args([signal, &rb]).status().expect("kill starts").success());
    let status = child.wait().expect("it ends");
    Some(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)))
}

#[test]
fn a_signal_in_the_middle_of_a_landing_ends_before_or_after() {
    if !Sandbox::can_trace() {
        return;
    }
    for (signal, code) in [("-INT", 130), ("-TERM", 143), ("-HUP", 129)] {
        let repo = broken();
        let before = State::of(&repo);
        let ended = signalled(&repo, signal).expect("it was started");
        assert!(ended == code || ended == 0, "{signal}: {ended}");
        // The next rb finishes what may be left.
        assert_eq!(rb(&repo, &["status"]).code, 0);
        assert!(!repo.path().join(".git/index.lock").exists(), "{signal}");
        match repo.git(&["log", "-1", "--format=%s"]).as_str() {
            "later" => before
                .without(&[test_kit::Part::Objects])
                .assert_same(&State::of(&repo).without(&[test_kit::Part::Objects])),
            _ => assert_reverted(&repo, signal),
        }
    }
}

#[test]
fn a_huge_file_lands_in_bounded_memory() {
    let repo = Sandbox::new();
    repo.commit("small", &[("readme", "r\n")]);
    let size: u64 = 192 << 20;
    let path = repo.path().join("huge");
    fs::File::create(&path).and_then(|file| file.set_len(size)).expect("a sparse file");
    repo.git(&["-c", "core.bigFileThreshold=1m", "add", "huge"]);
    repo.commit_index(b"huge\n");
    repo.git(&["rm", "-q", "huge"]);
    repo.commit_index(b"removed\n");
    let mut command = repo.command("prlimit");
    let run = command.arg("--as=1073741824").arg(env!("CARGO_BIN_EXE_rb")).args(["revert", "HEAD"]).output();
    let run = run.expect("prlimit starts");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    assert_eq!(fs::metadata(&path).expect("it is back").len(), size);
}

/// Whether the tests run as root, who may give files away.
fn is_root(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(path).is_ok_and(|metadata| metadata.uid() == 0)
}

#[test]
fn a_repository_of_somebody_else_is_refused_whatever_sudo_says() {
    let repo = broken();
    if !is_root(repo.path()) {
        eprintln!("SKIPPED: only root can give files away");
        return;
    }
    assert_eq!(rb(&repo, &["history", "src/a.py"]).code, 0, "the control: it is ours");
    let given = repo.command("chown").args(["-R", "1234", "."]).status().expect("chown starts");
    assert!(given.success());
    for arguments in [&["history", "src/a.py"][..], &["revert", "HEAD~1"], &["status"]] {
        let run = rb(&repo, arguments);
        assert_eq!(run.code, 5, "{arguments:?}: {}{}", run.stdout, run.stderr);
    }
    repo.command("chown").args(["-R", "0", "."]).status().expect("chown starts");
    assert_eq!(repo.git(&["log", "-1", "--format=%s"]), "later");
}
