//! Promises about rb's own state: each is broken in a control by what an earlier rb did, or what git does without care.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use test_kit::suite::Seeded;
use test_kit::{Sandbox, records};

use super::runbooks::{add, as_trusted};
use super::world::{Case, World};
use super::{one, words};

fn below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for path in fs::read_dir(folder).into_iter().flatten().map(|row| row.unwrap().path()) {
        match path.is_dir() && !path.is_symlink() {
            true => found.extend(below(&path)),
            false => found.push(path),
        }
    }
    found
}

fn landed(world: &World, line: &str) {
    let ended = world.rb(&words(line), &[]);
    assert_eq!(ended.0, 0, "rb {line}: {}", ended.1);
}

/// S11: what a person read of a plan is what lands.
pub(crate) fn plans(dice: &mut Seeded) -> Case {
    let world = World::new();
    world.repo.git(&["branch", "scratch"]);
    let told = world.rb(&words("revert HEAD --dry-run --json"), &[]).1;
    let mut plan: Value = serde_json::from_str(&told).unwrap_or_else(|error| panic!("{error}: {told}"));
    let what =
        one(dice, &["ref", "onto", "message", "words", "told", "paths", "loss", "tip", "tree", "steps"]);
    let before = plan.clone();
    match what {
        "ref" => plan["tip"]["ref"] = json!("refs/heads/scratch"),
        "onto" => plan["request"]["options"]["onto"] = json!("scratch"),
        "message" => plan["request"]["options"]["message"] = json!({"text": "hostile"}),
        "words" => plan["message"] = json!("hostile"),
        "told" => plan["attempts"][0]["steps"][0]["message"] = json!("hostile"),
        "paths" => plan["attempts"][0]["paths_touched"] = json!(["innocent"]),
        "loss" => plan["attempts"][0]["loss"] = json!({"class": "none "}),
        "tip" => plan["tip"]["commit_id"] = json!("0".repeat(40)),
        "tree" => plan["attempts"][0]["tree_id"] = json!("1".repeat(40)),
        _ => plan["attempts"][0]["steps"] = json!([{"commit_id": "2".repeat(40)}]),
    }
    assert_ne!(plan, before, "{what}");
    fs::write(world.git_dir().join("plan"), plan.to_string()).unwrap();
    let refs = world.repo.git(&["for-each-ref"]);
    Case::new(what, world, vec![words("apply .git/plan")], |world| {
        world.git(&["commit", "-q", "--allow-empty", "-m", "hostile"], &[]);
    })
    .wrong_if(move |world| world.repo.git(&["for-each-ref"]) != refs)
}

/// R1: what is said to be kept comes back, whatever lies in the object store under its name.
pub(crate) fn kept(dice: &mut Seeded) -> Case {
    let world = World::new();
    let text = "precious\n".repeat(400);
    world.repo.write("precious", &text);
    let id = world.repo.git(&["hash-object", "-w", "precious"]);
    let object = world.git_dir().join("objects").join(&id[..2]).join(&id[2..]);
    fs::set_permissions(&object, fs::Permissions::from_mode(0o644)).unwrap();
    let bytes = fs::read(&object).unwrap();
    let what = one(dice, &["cut", "empty", "zeros", "another"]);
    let damaged = match what {
        "cut" => bytes[..bytes.len() / 2].to_vec(),
        "empty" => Vec::new(),
        "another" => {
            let other = world.repo.git(&["rev-parse", "HEAD:b"]);
            fs::read(world.git_dir().join("objects").join(&other[..2]).join(&other[2..])).unwrap()
        }
        _ => vec![0; bytes.len()],
    };
    fs::write(&object, damaged).unwrap();
    let (precious, lost) = (world.path().join("precious"), text.clone());
    let commands = vec![words("checkpoint create k"), words("checkpoint verify k")];
    Case::new(what, world, commands, |world| {
        world.git(&["add", "precious"], &[]);
        fs::remove_file(world.path().join("precious")).unwrap();
        world.git(&["checkout", "-q", "--", "precious"], &[]);
    })
    .wrong_if(move |world| {
        if world.rb(&words("checkpoint show k"), &[]).0 == 0 {
            fs::write(&precious, "lost\n").unwrap();
            world.rb(&words("checkpoint restore k"), &[]);
        }
        fs::read_to_string(&precious).ok().as_ref() != Some(&lost)
    })
}

/// Where nothing can be traced the row shows nothing, and its control says so by the plainest harm.
fn untraceable(what: &str) -> Case {
    Case::new(format!("{what}: not traced"), World::new(), vec![words("status")], |world| {
        fs::write(world.outside.join("canary"), "hostile\n").unwrap();
    })
}

/// R2: before the branch moves, what git left to the system is on the disk.
pub(crate) fn unflushed(dice: &mut Seeded) -> Case {
    if !Sandbox::can_trace() {
        return untraceable("unflushed");
    }
    let world = World::new();
    world.repo.write("src/a.txt", "three\n");
    world.repo.git(&["-c", "core.fsync=none", "commit", "-q", "-a", "-m", "three"]);
    let line = one(dice, &["revert HEAD", "restore src/a.txt -s HEAD~1 --allow-loss", "revert --to HEAD~1"]);
    let tip = world.repo.git(&["rev-parse", "HEAD"]);
    let traced = |world: &World, to: &str, program: &[&str]| {
        let mut command = world.repo.command("strace");
        command.args(["-f", "-y", "-e", "trace=fsync,fdatasync,syncfs,rename,renameat,renameat2", "-o"]);
        let status = command.arg(world.git_dir().join(to)).args(program).stdout(Stdio::null()).status();
        assert!(status.is_ok(), "{program:?}");
    };
    Case::new(line, world, vec![words("status")], move |world| {
        traced(world, "control", &["git", "-c", "core.fsync=none", "revert", "--no-edit", "HEAD"]);
    })
    .wrong_if(move |world| {
        let control = world.git_dir().join("control");
        if !control.exists() {
            let program: Vec<_> = [env!("CARGO_BIN_EXE_rb")].into_iter().chain(line.split(' ')).collect();
            traced(world, "trace", &program);
        }
        let trace =
            fs::read_to_string(if control.exists() { control } else { world.git_dir().join("trace") });
        let trace = trace.unwrap();
        let object = format!("objects/{}/{}", &tip[..2], &tip[2..]);
        let moves = |line: &&str| line.contains("rename") && line.contains("refs/heads/main\"");
        let flushes =
            |line: &str| line.contains("syncfs(") || line.contains("sync(") && line.contains(&object);
        assert!(trace.lines().any(|line| moves(&line)), "{trace}");
        !trace.lines().take_while(|line| !moves(line)).any(flushes)
    })
}

/// R3: a restore that was killed has landed, or has not, and rb says which.
pub(crate) fn finished(dice: &mut Seeded) -> Case {
    if !Sandbox::can_trace() {
        return untraceable("finished");
    }
    let world = World::new();
    world.repo.write("src/a.txt", "work of a day\n");
    landed(&world, "checkpoint create k");
    world.repo.write("src/a.txt", "scribble\n");
    let (call, nth) = (one(dice, &["renameat2", "rename", "fsync", "unlinkat"]), 1 + dice.below(6));
    let mut command = world.repo.strace(call, &format!("signal=KILL:when={nth}"));
    command.arg(env!("CARGO_BIN_EXE_rb"));
    let status =
        command.args(["checkpoint", "restore", "k"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    assert!(status.is_ok());
    // As git advises, and as it then refreshes its index.
    for lock in ["index.lock", "HEAD.lock"] {
        let _ = fs::remove_file(world.git_dir().join(lock));
    }
    world.git(&["status", "-s"], &[]);
    let before = world.repo.git(&["rev-parse", "HEAD"]);
    Case::new(format!("killed at {call} {nth}"), world, vec![words("status")], move |world| {
        let tree = world.repo.git(&["rev-parse", "HEAD^{tree}"]);
        let logged = json!({
            "version": 1, "operation_id": "00ff00ff00ff00ff", "time": 0, "kind": "checkpoint-restore", "target": "k",
            "ref": "refs/heads/main", "before": before, "after": before, "commit_ids": [], "staged": true,
            "tree_before": tree, "tree_after": tree, "undoes": null, "paths": [], "state_files": [],
        });
        let files = [("operation.json".to_owned(), logged.to_string().into_bytes())].into();
        records::plant(&world.git_dir(), "operations", "0000000009-00ff00ff00ff00ff", &files);
        world.repo.write("src/a.txt", "scribble\n");
    })
    .wrong_if(|world| {
        let said = world.rb(&words("ops"), &[]).1.contains("checkpoint-restore");
        let text = fs::read_to_string(world.path().join("src/a.txt")).unwrap_or_default();
        !matches!((text.as_str(), said), ("scribble\n", false) | ("work of a day\n", true))
    })
}

/// R4: neither git's revisions nor rb's lead into what rb keeps.
pub(crate) fn searched(dice: &mut Seeded) -> Case {
    let world = World::new();
    landed(&world, "revert HEAD");
    landed(&world, "undo");
    landed(&world, "checkpoint create k");
    let text = one(
        dice,
        &[
            ":/operation",
            ":/undo",
            ":/checkpoint",
            ":/run",
            ":/revert-commit",
            "RB_HEAD",
            "HEAD^{/undo}",
            ":/two",
        ],
    );
    let commands = ["revert", "pick", "reapply"].map(|verb| vec![verb.to_owned(), text.to_owned()]).to_vec();
    Case::new(text, world, commands, |world| {
        let row = format!("100644 blob {}\toperation.json\n", world.repo.git(&["rev-parse", "HEAD:b"]));
        let tree = world.repo.git_with_input(&["mktree"], row.as_bytes());
        let tree = String::from_utf8_lossy(&tree).trim().to_owned();
        let commit = world.repo.git(&["commit-tree", "-m", "undo of an operation", &tree]);
        world.repo.git(&["update-ref", "refs/rb/log", &commit]);
    })
    .wrong_if(move |world| {
        let listed = |args: &[&str]| world.repo.git(args).lines().map(str::to_owned).collect::<BTreeSet<_>>();
        let names = listed(&["ls-tree", "-r", "--name-only", "HEAD"]);
        let strange = names != BTreeSet::from(["b", "src/a.txt"].map(str::to_owned));
        strange || listed(&["log", "--all", "--format=%H"]) != listed(&["log", "--format=%H", "HEAD"])
    })
}

/// A world whose procedure has a step that must not be repeated, and the words that run it.
fn with_step(script: &str) -> (World, Vec<String>) {
    let world = World::new();
    let step = format!("[[step]]\nid = \"s\"\nrun = [\"sh\", \"-c\", \"{script}\"]");
    add(&world, "before = [\"s\"]", &step);
    let trusted = as_trusted(&world);
    (world, trusted)
}

fn start(world: &World, words: &[String]) -> std::process::Child {
    let mut command = world.repo.command(env!("CARGO_BIN_EXE_rb"));
    command.args(words).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

/// R5: of two runs at once one does the step.
pub(crate) fn pairs(_: &mut Seeded) -> Case {
    let (world, trusted) = with_step("echo step >> .git/side; sleep 0.3");
    let both = [start(&world, &trusted), start(&world, &trusted)];
    for mut child in both {
        child.wait().unwrap();
    }
    let again = vec![words("status"), words("resume --yes")];
    Case::new("two at once", world, again, |world| {
        for _ in 0..2 {
            world.repo.command("sh").args(["-c", "echo step >> .git/side"]).status().unwrap();
        }
    })
    .wrong_if(|world| {
        fs::read_to_string(world.git_dir().join("side")).map_or(0, |text| text.lines().count()) != 1
    })
}

/// R6: what a killed run left running is ended before another goes on.
pub(crate) fn left_running(dice: &mut Seeded) -> Case {
    let (world, trusted) = with_step(one(
        dice,
        &[
            "echo step >> .git/side; sleep 20; echo late >> .git/side",
            "echo step >> .git/side; setsid sleep 20; echo late >> .git/side",
            "sleep 20 & echo step >> .git/side; sleep 20",
        ],
    ));
    let mut first = start(&world, &trusted);
    let begun = Instant::now();
    while !world.git_dir().join("side").exists() && begun.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(10));
    }
    first.kill().unwrap();
    first.wait().unwrap();
    let commands = vec![words(one(dice, &["abort", "resume --yes", "resume --yes --mark-done"]))];
    Case::new("killed in the step", world, commands, |world| {
        // It ends by itself.
        world.repo.command("sh").args(["-c", "sleep 3 >&- 2>&- &"]).status().unwrap();
        std::thread::sleep(Duration::from_millis(50));
    })
    .wrong_if(|world| {
        let rows = fs::read_dir("/proc").into_iter().flatten().flatten();
        let mut folders = rows.filter_map(|row| fs::read_link(row.path().join("cwd")).ok());
        folders.any(|folder| folder == world.path())
    })
}

/// R7: a file of variables keeps what it is beside the variable that is set.
pub(crate) fn variables(dice: &mut Seeded) -> Case {
    let world = World::new();
    let folder = world.path().parent().unwrap().join("home/etc");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("real.env"), "A=1\n").unwrap();
    std::os::unix::fs::symlink("real.env", folder.join("link.env")).unwrap();
    let mode = one(dice, &[0o640, 0o644, 0o600, 0o664]);
    fs::set_permissions(folder.join("real.env"), fs::Permissions::from_mode(mode)).unwrap();
    // Another owner, where that can be had.
    let _ = std::os::unix::fs::chown(folder.join("real.env"), Some(65534), Some(65534));
    let state = |folder: &Path| {
        let metadata = fs::metadata(folder.join("real.env")).unwrap();
        let names: BTreeSet<_> = fs::read_dir(folder).unwrap().map(|row| row.unwrap().file_name()).collect();
        let link = fs::read_link(folder.join("link.env")).ok();
        (metadata.mode(), metadata.uid(), metadata.gid(), names, link)
    };
    let before = state(&folder);
    let name = one(dice, &["real.env", "link.env"]);
    let step = format!("[[step]]\nid = \"s\"\nenv_file = {{ path = \"~/etc/{name}\", set = {{ B = 2 }} }}");
    add(&world, "before = [\"s\"]", &step);
    let trusted = as_trusted(&world);
    let ended = world.rb(&trusted, &[]);
    let text = fs::read_to_string(folder.join("real.env")).unwrap();
    assert_eq!((ended.0, text.as_str()), (0, "A=1\nB=2\n"), "{}", ended.1);
    let harmed = folder.clone();
    Case::new(format!("{name} {mode:o}"), world, vec![words("status")], move |_| {
        fs::rename(harmed.join("real.env"), harmed.join("x")).unwrap();
        fs::write(harmed.join("real.env"), "A=1\nB=2\n").unwrap();
        fs::set_permissions(harmed.join("real.env"), fs::Permissions::from_mode(0o666)).unwrap();
    })
    .wrong_if(move |_| state(&folder) != before)
}

/// R8: in a shared repository everything of rb's is its group's.
pub(crate) fn shared(dice: &mut Seeded) -> Case {
    let world = World::new();
    world.repo.git(&["config", "core.sharedRepository", "group"]);
    world.repo.git(&["init", "-q"]);
    let lines =
        ["revert HEAD", "undo", "checkpoint create k", "revert HEAD -n", "revert HEAD --branch other"];
    let commands = vec![words(one(dice, &lines)), words("revert HEAD --branch another"), words("status")];
    Case::new("group", world, commands, |world| {
        fs::create_dir_all(world.git_dir().join("rb")).unwrap();
        fs::write(world.git_dir().join("rb/lock"), "").unwrap();
        fs::set_permissions(world.git_dir().join("rb/lock"), fs::Permissions::from_mode(0o644)).unwrap();
    })
    .wrong_if(|world| {
        let git_dir = world.git_dir();
        let own = below(&git_dir.join("rb")).into_iter().chain([git_dir.join("RB_HEAD")]);
        // What a landing displaced is the user's file, with the permissions that it had.
        let mut own = own.filter(|path| !path.starts_with(git_dir.join("rb/displaced/files")));
        own.any(|path| fs::metadata(path).is_ok_and(|metadata| metadata.mode() & 0o060 != 0o060))
    })
}

/// R9: one record that cannot be read disables nothing else, whether it is rb's own, a reference that an earlier rb made,
/// or what a landing left.
pub(crate) fn unreadable(dice: &mut Seeded) -> Case {
    let world = World::new();
    landed(&world, "revert HEAD");
    landed(&world, "undo");
    landed(&world, "checkpoint create k");
    add(&world, "edits = [\"s\"]", "[[step]]\nid = \"s\"\nmanual = \"look\"");
    let paused = world.rb(&as_trusted(&world), &[]);
    assert_eq!(paused.0, 7, "{}", paused.1);
    let name = spoiled(dice, &world);
    let lines = ["status", "ops", "checkpoint list", "report", "procedure list", "prune --allow-noop"];
    Case::new(name, world, lines.map(words).to_vec(), |world| {
        // As where each command began with reading all records.
        fs::write(world.git_dir().join("index.lock"), "").unwrap();
    })
    .wrong_if(|world| {
        let lines = [
            "status",
            "checkpoint create z",
            "checkpoint verify z",
            "run evil --dry-run",
            "revert HEAD~1",
            "ops",
            "undo",
        ];
        let answers = |line: &&str| matches!(world.rb(&words(line), &[]).0, 0 | 3 | 7);
        !lines.iter().all(answers)
    })
}

/// Spoils one record; its name.
fn spoiled(dice: &mut Seeded, world: &World) -> String {
    let how = one(dice, &["empty", "cut", "empty", "cut", "of a reference", "of what was displaced"]);
    match how {
        "of a reference" => {
            let text = one(dice, &["{\"schema_version\":99}", "{\"sch"]);
            let blob = world.repo.git_with_input(&["hash-object", "-w", "--stdin"], text.as_bytes());
            let row = format!("100644 blob {}\trun.json\n", String::from_utf8_lossy(&blob).trim());
            let tree = world.repo.git_with_input(&["mktree"], row.as_bytes());
            let tree = String::from_utf8_lossy(&tree).trim().to_owned();
            let commit = world.repo.git(&["commit-tree", "-m", "x", &tree]);
            world.repo.git(&["update-ref", "refs/rb/runs/deadbeef", &commit]);
            format!("{text} {how}")
        }
        "of what was displaced" => {
            let folder = world.git_dir().join("rb/displaced");
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("closed.json"), "").unwrap();
            format!("empty {how}")
        }
        how => {
            let mut own = below(&world.git_dir().join("rb"));
            own.retain(|path| !path.ends_with("lock") && !path.ends_with("lease"));
            own.sort();
            let file = one(dice, &own);
            let bytes = fs::read(&file).unwrap();
            fs::write(&file, if how == "cut" { &bytes[..bytes.len() / 2] } else { &[] }).unwrap();
            format!("{how} {}", file.strip_prefix(world.git_dir()).unwrap().display())
        }
    }
}
