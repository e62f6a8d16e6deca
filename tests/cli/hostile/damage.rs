//! Damaged files of git and of rb's own: the answer is right, or a refusal that changes nothing and says what is wrong.
//!
//! `RB_DAMAGE` is the number of damages of each kind, `RB_HOSTILE_SEED` chooses them.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use test_kit::suite::Seeded;
use test_kit::{Sandbox, records};

use super::{number, one, words};

/// A repository that has one of everything: an operation, a checkpoint, two packs, a graph, an index.
fn furnished(packed: bool) -> Sandbox {
    let repo = Sandbox::new();
    repo.commit("good", &[("src/a.txt", "good\n"), ("other", "o\n")]);
    repo.commit("bad", &[("src/a.txt", "bad\n")]);
    repo.commit("later", &[("other", "later\n")]);
    for line in ["checkpoint create safe", "revert HEAD"] {
        let ended = run(&repo, line);
        assert_eq!(ended.0, 0, "{}", ended.1);
    }
    if packed {
        repo.git(&["gc", "-q"]);
        repo.git(&["commit-graph", "write", "--reachable", "--changed-paths"]);
    }
    repo
}

fn run(repo: &Sandbox, line: &str) -> (i32, String) {
    let mut command = repo.command("timeout");
    let output =
        command.args(["-k", "5", "60", env!("CARGO_BIN_EXE_rb")]).args(words(line)).output().unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    (output.status.code().unwrap_or(-1), text)
}

/// The files below `.git` whose path holds the words.
fn files(repo: &Sandbox, wanted: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![repo.path().join(".git")];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|row| row.unwrap().path()) {
            match path.is_dir() {
                true => folders.push(path),
                false if path.to_string_lossy().contains(wanted) => found.push(path),
                false => {}
            }
        }
    }
    found.sort();
    found
}

/// The loose objects of a checkpoint.
fn record(repo: &Sandbox) -> Vec<PathBuf> {
    let record = records::newest(&repo.path().join(".git"), "checkpoints", "checkpoint.json");
    let record: serde_json::Value = serde_json::from_slice(&record).unwrap();
    let revision = record["tree"].as_str().unwrap();
    let mut ids = vec![revision.to_owned()];
    let listed = repo.git(&["ls-tree", "-r", revision]);
    ids.extend(listed.lines().map(|line| line.split(['\t', ' ']).nth(2).unwrap().to_owned()));
    ids.iter().map(|id| repo.path().join(".git/objects").join(&id[..2]).join(&id[2..])).collect()
}

fn damaged(dice: &mut Seeded, bytes: &[u8]) -> (String, Vec<u8>) {
    let mut bytes = bytes.to_vec();
    let at = dice.below(bytes.len().max(1));
    let how = match dice.below(4) {
        0 => {
            bytes.truncate(at);
            format!("cut at {at}")
        }
        1 => {
            bytes.splice(at..at, [0; 3]);
            format!("three zeros at {at}")
        }
        _ => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << dice.below(8);
            }
            format!("a bit at {at}")
        }
    };
    (how, bytes)
}

/// What is asked, and what the answer has to be where there is one.
const ASKED: &[&str] = &[
    "history src/a.txt",
    "revert --file src/a.txt",
    "undo",
    "ops",
    "checkpoint restore safe",
    "checkpoint verify safe",
    "status",
    "revert HEAD~1 --dry-run",
];

#[test]
fn damaged_files_of_git_and_of_rb_are_named_and_never_a_wrong_result() {
    let (count, seed) = (number("RB_DAMAGE", 6), number("RB_HOSTILE_SEED", 2026));
    let mut dice = Seeded::new(seed);
    let (loose, packed) = (furnished(false), furnished(true));
    let kinds: Vec<(&str, &Sandbox, Vec<PathBuf>)> = vec![
        ("loose objects", &loose, files(&loose, ".git/objects/")),
        ("index", &loose, files(&loose, ".git/index")),
        ("references", &loose, files(&loose, ".git/refs/")),
        ("operations", &loose, files(&loose, ".git/rb/records/operations/")),
        ("records of checkpoints", &loose, files(&loose, ".git/rb/records/checkpoints/")),
        ("checkpoints", &loose, record(&loose)),
        ("what was displaced", &loose, files(&loose, ".git/rb/displaced/")),
        ("packs", &packed, files(&packed, ".pack")),
        ("indices of packs", &packed, files(&packed, ".idx")),
        ("reverse indices", &packed, files(&packed, ".rev")),
        ("commit-graph", &packed, files(&packed, "commit-graph")),
        ("packed references", &packed, files(&packed, "packed-refs")),
    ];
    let mut tried: BTreeMap<&str, BTreeMap<i32, usize>> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (kind, source, files) in &kinds {
        assert!(!files.is_empty(), "{kind}");
        for _ in 0..count {
            let file = one(&mut dice, files);
            let (how, bytes) = damaged(&mut dice, &fs::read(&file).unwrap());
            let line = one(&mut dice, ASKED);
            let twin = source.twin();
            let path = twin.path().join(file.strip_prefix(source.path()).unwrap());
            fs::remove_file(&path).unwrap();
            fs::write(&path, bytes).unwrap();
            let before = state(&twin);
            let (code, text) = run(&twin, line);
            *tried.entry(kind).or_default().entry(code).or_default() += 1;
            let after = state(&twin);
            let refused = matches!(code, 1 | 2 | 5 | 6 | 10 | 74 | 75);
            let named = !refused || code == 10 || text.contains("error: ");
            let expected = match (code, line) {
                // What is asked only is answered and changes nothing; so does a refusal.
                (_, _) if refused => before == after,
                (0 | 3, "revert --file src/a.txt") => after.1 == b"good\n" || before == after,
                (0 | 3, "undo") => after.1 == b"bad\n",
                (0 | 3, "checkpoint restore safe") => after.1 == b"bad\n",
                (0 | 3, _) => before.1 == after.1,
                _ => false,
            };
            if !expected || !named || text.contains("panicked") {
                let file = file.strip_prefix(source.path()).unwrap().display().to_string();
                wrong.push(format!(
                    "{kind}: {file}, {how}: rb {line}: exit {code}\n{text}\n{before:?}\n{after:?}"
                ));
            }
        }
    }
    println!("damages, seed {seed}, exit codes by kind: {tried:#?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The branch and the file that the damage may have changed.
fn state(repo: &Sandbox) -> (Vec<u8>, Vec<u8>) {
    let branch = fs::read(repo.path().join(".git/refs/heads/main")).unwrap_or_default();
    (branch, fs::read(repo.path().join("src/a.txt")).unwrap_or_default())
}
