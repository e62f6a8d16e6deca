//! Commands that are more than one landing, killed at system calls of theirs: what comes next finishes or takes back.
//!
//! `RB_KILLS` says how many kills each command gets, `RB_HOSTILE_SEED` chooses them; a few run with the ordinary tests.
#![cfg(target_os = "linux")]
#![expect(clippy::print_stdout, reason = "a suite says what it tried")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Stdio;

use test_kit::Sandbox;
use test_kit::suite::Seeded;

use crate::kit::{Run, hash_of, rb_with, trust};

/// What is killed, and what is done before it.
#[derive(Clone, Copy)]
struct Scene {
    line: &'static str,
    before: &'static [&'static str],
    trusted: bool,
}

const SCENES: [Scene; 8] = [
    Scene { line: "run p -y", before: &[], trusted: true },
    Scene { line: "resume -y --confirm ready", before: &["run p -y --set ask=yes"], trusted: true },
    Scene { line: "abort", before: &["run p -y --set ask=yes"], trusted: true },
    Scene { line: "publish --yes", before: &["run p -y"], trusted: true },
    Scene { line: "verify p", before: &[], trusted: true },
    Scene {
        line: "prune --keep 0s",
        before: &["revert HEAD~1", "undo", "checkpoint create k"],
        trusted: true,
    },
    Scene { line: "checkpoint restore k", before: &["checkpoint create k", "revert HEAD~1"], trusted: true },
    Scene { line: "trust p --hash HASH", before: &[], trusted: false },
];

/// Calls that change something, or that decide.
const CALLS: &str = "openat,openat2,write,rename,renameat2,fsync,fdatasync,unlink,unlinkat,link,linkat,mkdirat,mkdir,\
                     flock,fchmod,ftruncate,clone,clone3,wait4,symlinkat,read,getdents64";

/// A procedure that takes 'the change' back after a step that must not be repeated, and a remote.
fn world(ask: bool) -> Sandbox {
    let repo = Sandbox::new();
    repo.commit("good", &[("a", "1\n")]);
    repo.commit("the change", &[("a", "2\n")]);
    let precheck = if ask { "[[precheck]]\nid = \"ready\"\nask = \"Is it so?\"\n" } else { "" };
    repo.write(
        ".rb/procedures/p.toml",
        format!(
            "schema = 1\nid = \"p\"\ndefault_phase = \"x\"\n[publish]\npush = \"origin\"\n[phase.x]\npaths = [\"a\"]\n\
             ladder = [{{ use = \"revert-commit\" }}]\ntarget = {{ grep = \"the change\" }}\nbefore = [\"s\"]\n\
             verify = [\"v\"]\n[[step]]\nid = \"s\"\nrun = [\"sh\", \"-c\", \"echo step >> .git/side\"]\n\
             [[check]]\nid = \"v\"\nrun = [\"true\"]\nlive = true\n{precheck}"
        ),
    );
    repo.commit("procedure", &[("b", "b\n")]);
    repo.git(&["init", "-q", "--bare", "-b", "main", "../remote.git"]);
    repo.git(&["remote", "add", "origin", "../remote.git"]);
    repo.git(&["push", "-q", "-u", "origin", "main"]);
    repo
}

/// A world in which the scene can begin, with the hash that is trusted in it.
fn begun(scene: Scene) -> (Sandbox, String) {
    let asks = scene.before.iter().any(|line| line.contains("ask=yes"));
    let repo = world(asks);
    let hash = hash_of(&repo, &["trust", "p"]);
    if scene.trusted {
        trust(&repo, "p");
    }
    for line in scene.before {
        let ended = rb(&repo, line.strip_suffix(" --set ask=yes").unwrap_or(line));
        assert!(matches!(ended.code, 0 | 7), "{line}: {}{}", ended.stdout, ended.stderr);
    }
    (repo, hash)
}

#[track_caller]
fn rb(repo: &Sandbox, line: &str) -> Run {
    let temp = repo.path().parent().expect("a folder around it").join("temp");
    fs::create_dir_all(&temp).expect("a folder");
    rb_with(repo, &line.split(' ').collect::<Vec<_>>(), "", &[("TMPDIR", &temp.display().to_string())])
}

/// Runs the command under strace; `inject` is what happens at a call.
fn traced(repo: &Sandbox, line: &str, inject: Option<(&str, usize)>) -> String {
    let temp = repo.path().parent().expect("a folder around it").join("temp");
    fs::create_dir_all(&temp).expect("a folder");
    let log = temp.with_file_name("trace");
    let mut command = repo.command("strace");
    command.env("TMPDIR", &temp).arg("-qq").arg("-o").arg(&log);
    match inject {
        Some((call, nth)) => command.args([
            "-e",
            &format!("trace={call}"),
            "-e",
            &format!("inject={call}:signal=KILL:when={nth}"),
        ]),
        None => command.args(["-e", &format!("trace={CALLS}")]),
    };
    command.arg(env!("CARGO_BIN_EXE_rb")).args(line.split(' ')).stdin(Stdio::null());
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    assert!(status.is_ok(), "{line}");
    fs::read_to_string(log).unwrap_or_default()
}

fn steps(repo: &Sandbox) -> usize {
    fs::read_to_string(repo.path().join(".git/side")).map_or(0, |text| text.lines().count())
}

fn read(repo: &Sandbox) -> String {
    fs::read_to_string(repo.path().join("a")).unwrap_or_default()
}

/// What is wrong after the kill, and after what a person does next.
fn wrong(repo: &Sandbox, scene: Scene, hash: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut need = |holds: bool, what: &str| wrong.extend((!holds).then(|| what.to_owned()));
    let done_before = steps(repo);
    let looked = rb(repo, "status");
    need(looked.code == 0, &format!("status: {} {}", looked.code, looked.stderr));
    // A restore moves no branch: what it brings back is staged. All else ends in a commit, or in nothing.
    let restored = scene.line.starts_with("checkpoint") && read(repo) == "2\n";
    let (found, expected) = (repo.git(&["status", "--porcelain"]), if restored { "M  a" } else { "" });
    need(found == expected, &format!("neither before nor after: {found}"));
    let head = if restored { "1\n".to_owned() } else { read(repo) };
    need(repo.git(&["show", "HEAD:a"]) + "\n" == head, "the file is not that of HEAD");
    let locks = fs::read_dir(repo.path().join(".git")).expect("a folder").flatten();
    let mut locks = locks.filter(|row| row.path().extension().is_some_and(|end| end == "lock"));
    need(locks.next().is_none(), "a lock is left");
    let fsck = repo.try_git(&["fsck", "--strict", "--no-dangling", "--no-progress"]);
    need(fsck.status.success(), &String::from_utf8_lossy(&fsck.stderr));
    let again = rb(repo, &scene.line.replace("HASH", hash));
    need(again.code != 70, &format!("again: {}", again.stderr));
    match scene.line.split(' ').next().unwrap_or_default() {
        "run" | "resume" => {
            for line in ["resume -y --confirm ready", "resume -y --mark-done --confirm ready", "run p -y"] {
                if read(repo) != "1\n" {
                    rb(repo, line);
                }
            }
            // What had been noted as landed may wait for its verification.
            rb(repo, "resume -y");
            need(
                read(repo) == "1\n",
                &format!("it does not come to its end: {}{}", again.stdout, again.stderr),
            );
            need(steps(repo) <= 1, "the step was done twice");
            need(repo.git(&["rev-list", "--count", "--grep=^Revert", "HEAD"]) == "1", "it landed twice");
        }
        "abort" => {
            rb(repo, "abort");
            need(read(repo) == "2\n", "giving up changed the file");
            need(rb(repo, "abort").code != 0, "a run is open still");
        }
        "publish" => {
            let far = || repo.git(&["ls-remote", "origin", "main"]).split('\t').next().map(str::to_owned);
            rb(repo, "publish --yes");
            need(far() == Some(repo.git(&["rev-parse", "HEAD"])), "it was not published");
        }
        "verify" => need(steps(repo) == done_before, "verifying did a step"),
        "prune" => need(rb(repo, "ops --json").stdout.is_empty(), "operations are left"),
        "checkpoint" => need(read(repo) == "2\n", &format!("not restored: {}", again.stderr)),
        _ => {
            need(again.code == 0, &format!("trusting again: {}", again.stderr));
            need(rb(repo, "run p -y").code == 0 && read(repo) == "1\n", "it is not trusted");
        }
    }
    wrong
}

fn sweep(kills: usize) {
    if !Sandbox::can_trace() {
        return;
    }
    let seed = std::env::var("RB_HOSTILE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(2026);
    let mut dice = Seeded::new(seed);
    let (mut tried, mut found) = (0, Vec::new());
    for scene in SCENES {
        let (repo, hash) = begun(scene);
        let line = scene.line.replace("HASH", &hash);
        let trace = traced(&repo, &line, None);
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        trace
            .lines()
            .filter_map(|line| line.split_once('('))
            .for_each(|(call, _)| *counts.entry(call).or_default() += 1);
        let points: Vec<_> =
            counts.iter().flat_map(|(call, count)| (1..=*count).map(move |nth| (*call, nth))).collect();
        assert!(points.len() > 20, "{line}: {trace}");
        let mut chosen = BTreeSet::new();
        while chosen.len() < kills.min(points.len()) {
            chosen.insert(dice.below(points.len()));
        }
        for at in chosen {
            let (call, nth) = points[at];
            let (repo, hash) = begun(scene);
            traced(&repo, &scene.line.replace("HASH", &hash), Some((call, nth)));
            tried += 1;
            let wrong = wrong(&repo, scene, &hash);
            if !wrong.is_empty() {
                found.push(format!("{} killed at {call} {nth}: {wrong:?}", scene.line));
            }
        }
        println!("{:<28} {} calls, {} kills", scene.line, points.len(), kills.min(points.len()));
    }
    println!("{tried} kills, seed {seed}, {} outside of the promise", found.len());
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_slice_of_the_kills_of_whole_commands_ends_well() {
    sweep(1);
}

#[test]
#[ignore = "minutes: RB_KILLS of each command"]
fn kills_of_whole_commands() {
    sweep(std::env::var("RB_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(40));
}
