//! rb's own records as they are seen from outside: where they lie, what is believed of them, and what of them travels.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use test_kit::{Part, Sandbox, State, records};

use crate::kit::{self, Run, done, hash_of};

/// Where candidates of runs lie: beside the repository, so that they go with it.
fn temp(repo: &Sandbox) -> PathBuf {
    let temp = repo.path().parent().expect("a folder around it").join("temp");
    fs::create_dir_all(&temp).expect("a folder");
    temp
}

#[track_caller]
fn rb(repo: &Sandbox, args: &[&str]) -> Run {
    rb_with(repo, args, &[])
}

#[track_caller]
fn rb_with(repo: &Sandbox, args: &[&str], variables: &[(&str, &str)]) -> Run {
    let temp = temp(repo).display().to_string();
    kit::rb_with(repo, args, "", &[variables, &[("TMPDIR", &temp)]].concat())
}

/// A procedure that waits for a person.
const WAITING: &str = "schema = 1\nid = \"p\"\ndefault_phase = \"x\"\n[phase.x]\npaths = [\"src\"]\n\
    ladder = [{ use = \"revert-commit\" }]\ntarget = { grep = \"the change\" }\nedits = [\"hand\"]\n\
    [[step]]\nid = \"hand\"\nmanual = \"look\"\n";

/// One of each: two operations, a checkpoint, and a run that waits for a person.
fn furnished() -> Sandbox {
    let repo = Sandbox::new();
    repo.commit("good", &[("src/a", "1\n"), ("b", "b\n")]);
    repo.commit("the change", &[("src/a", "2\n")]);
    repo.write(".rb/procedures/p.toml", WAITING);
    repo.commit("later", &[("b", "c\n")]);
    done(rb(&repo, &["revert", "HEAD"]));
    done(rb(&repo, &["undo"]));
    repo.write("src/a", "not committed\n");
    done(rb(&repo, &["checkpoint", "create", "safe"]));
    repo.git(&["checkout", "-q", "--", "src/a"]);
    let hash = hash_of(&repo, &["trust", "p"]);
    let run = rb_with(&repo, &["run", "p", "-y"], &[("RB_TRUSTED_HASH", &hash)]);
    assert_eq!(run.code, 7, "{}{}", run.stdout, run.stderr);
    repo
}

fn git_dir(repo: &Sandbox) -> PathBuf {
    repo.path().join(repo.git(&["rev-parse", "--git-common-dir"]))
}

/// The file of the newest record of a kind.
fn newest(repo: &Sandbox, kind: &str) -> PathBuf {
    let (name, _) = records::all(&git_dir(repo), kind).pop().expect("there is one");
    records::folder(&git_dir(repo), kind).join(name)
}

/// Every file below a folder with its bytes, links not followed.
fn below(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for path in fs::read_dir(folder).into_iter().flatten().map(|row| row.expect("a row").path()) {
        match path.is_dir() && !path.is_symlink() {
            true => found.extend(below(&path)),
            false => drop(found.insert(path.clone(), fs::read(&path).unwrap_or_default())),
        }
    }
    found
}

#[track_caller]
fn listed(repo: &Sandbox, args: &[&str]) -> Vec<Value> {
    let run = rb(repo, args);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    run.stdout.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

#[test]
fn records_are_checksummed_files_below_one_folder_and_nothing_of_them_is_a_reference() {
    let repo = furnished();
    let kinds: Vec<_> = fs::read_dir(git_dir(&repo).join("rb/records")).expect("it is there").collect();
    let mut kinds: Vec<_> =
        kinds.into_iter().map(|row| row.expect("a row").file_name().into_string().expect("plain")).collect();
    kinds.sort();
    assert_eq!(kinds, ["checkpoints", "lock", "operations", "runs"]);
    for (kind, file, count) in
        [("checkpoints", "checkpoint.json", 1), ("operations", "operation.json", 2), ("runs", "run.json", 1)]
    {
        let found = records::all(&git_dir(&repo), kind);
        assert_eq!(found.len(), count, "{kind}");
        for (name, files) in found {
            assert!(files.contains_key(file), "{name}");
            let bytes = fs::read(records::folder(&git_dir(&repo), kind).join(&name)).expect("a record");
            let line = bytes.split(|byte| *byte == b'\n').next().expect("a line");
            let words: Vec<_> = std::str::from_utf8(line).expect("text").split(' ').collect();
            let ["rb-record", "1", word, id, revision, length, checksum] = words[..] else {
                panic!("{words:?}")
            };
            assert_eq!((format!("{word}s"), id), (kind.to_owned(), name.as_str()));
            assert!(revision.parse::<u64>().is_ok_and(|revision| revision > 0), "{revision}");
            assert_eq!(length.parse(), Ok(bytes.len() - line.len() - 1));
            assert!(checksum.len() == 64 && checksum.bytes().all(|byte| byte.is_ascii_hexdigit()));
        }
    }
    let refs = repo.git(&["for-each-ref", "--format=%(refname)"]);
    assert_eq!(refs, "refs/heads/main");
    let empty_tree = repo.git(&["hash-object", "-t", "tree", "/dev/null"]);
    assert_eq!(
        fs::read_to_string(git_dir(&repo).join("RB_HEAD")).expect("a file"),
        format!("{empty_tree}\n")
    );
}

#[test]
fn neither_git_log_nor_a_search_of_messages_sees_what_rb_keeps() {
    let repo = furnished();
    let user = repo.git(&["log", "--format=%H", "HEAD"]);
    assert_eq!(repo.git(&["log", "--all", "--format=%H"]), user);
    assert_eq!(repo.git(&["rev-list", "--all", "--objects"]), repo.git(&["rev-list", "HEAD", "--objects"]));
    for text in [":/operation", ":/checkpoint", ":/Revert", ":/run"] {
        assert!(!repo.try_git(&["rev-parse", "--verify", "-q", text]).status.success(), "{text}");
        assert_eq!(rb(&repo, &["revert", "--dry-run", text]).code, 5, "{text}");
    }
    for args in
        [&["fsck", "--strict"][..], &["reflog", "show", "--all"], &["status"], &["log", "-g", "--all"]]
    {
        assert!(repo.try_git(args).status.success(), "git {args:?}");
    }
}

#[test]
fn what_undo_and_checkpoints_need_outlives_every_way_of_collecting_garbage() {
    let repo = furnished();
    done(rb(&repo, &["abort"]));
    let undone = records::newest(&git_dir(&repo), "operations", "operation.json");
    let undone: Value = serde_json::from_slice(&undone).expect("a document");
    for commands in [
        &[&["reflog", "expire", "--expire=now", "--all"][..], &["gc", "-q", "--prune=now"]][..],
        &[
            &["reflog", "expire", "--expire-unreachable=now", "--expire=all", "--all"],
            &["prune", "--expire=now"],
        ],
        &[&["repack", "-adq"], &["prune-packed"], &["maintenance", "run", "--task=gc"]],
        &[&["gc", "-q", "--aggressive", "--prune=all"]],
    ] {
        let twin = repo.twin();
        for command in commands {
            twin.git(command);
        }
        for key in ["before", "after"] {
            twin.git(&["cat-file", "-e", undone[key].as_str().expect("a commit")]);
        }
        twin.write("src/a", "something else\n");
        done(rb(&twin, &["checkpoint", "verify", "safe"]));
        done(rb(&twin, &["checkpoint", "restore", "safe"]));
        assert_eq!(fs::read_to_string(twin.path().join("src/a")).expect("a file"), "not committed\n");
        done(rb(&twin, &["undo"]));
        twin.git(&["checkout", "-q", "--", "src/a"]);
        done(rb(&twin, &["undo", undone["operation_id"].as_str().expect("an id")]));
        assert_eq!(twin.git(&["log", "-1", "--format=%s"]), "Revert \"later\"", "{commands:?}");
        assert_eq!(twin.git(&["fsck", "--strict", "--no-dangling", "--no-progress"]), "");
    }
}

/// A repository with a record for each kind that names a folder outside, as the first builds kept them: in references.
fn planted(victim: &Path) -> Sandbox {
    let repo = furnished();
    let tip = repo.git(&["rev-parse", "HEAD"]);
    let run = json!({
        "schema_version": 1, "id": "8d725d4a", "procedure": "p", "found_as": "p", "phase": "x", "status": "paused",
        "ending": "paused", "reference": "refs/heads/main", "tip": tip, "started": "2026-01-01T00:00:00Z",
        "candidate": {"folder": victim, "within": ["src"]}, "pause": {"at": "hand", "why": "x", "folder": victim},
        "units": [], "rungs": [], "targets": [tip], "commits": [],
    });
    let operation = json!({
        "version": 1, "operation_id": "00ff00ff00ff00ff", "time": 0, "kind": "planted", "target": "planted",
        "ref": "refs/heads/main", "before": tip, "after": tip, "staged": false, "commit_ids": [], "paths": [],
        "state_files": [{"name": victim.join("planted"), "before": "hostile\n", "after": null}],
    });
    for (name, file, document) in [
        ("refs/rb/runs/8d725d4a", "run.json", &run),
        ("refs/rb/log", "operation.json", &operation),
        ("refs/rb/checkpoints/manual/planted", "checkpoint.json", &operation),
    ] {
        let blob = repo.git_with_input(&["hash-object", "-w", "--stdin"], document.to_string().as_bytes());
        let row = format!("100644 blob {}\t{file}\n", String::from_utf8_lossy(&blob).trim());
        let tree = repo.git_with_input(&["mktree"], row.as_bytes());
        let tree = String::from_utf8_lossy(&tree).trim().to_owned();
        let commit = repo.git(&["commit-tree", "-m", "planted", "-p", &tip, &tree]);
        repo.git(&["update-ref", name, &commit]);
    }
    repo
}

/// What rb says and does where nothing is its own: no record, and no harm.
#[track_caller]
fn assert_believes_nothing(repo: &Sandbox, victim: &Path, how: &str) {
    let before = below(victim);
    assert_eq!(listed(repo, &["ops", "--json"]), Vec::<Value>::new(), "{how}");
    assert_eq!(rb(repo, &["checkpoint", "list", "--json"]).json()["checkpoints"], json!([]), "{how}");
    for args in [
        &["abort"][..],
        &["abort", "--run", "8d725d4a"],
        &["resume", "-y"],
        &["undo"],
        &["undo", "00ff"],
        &["checkpoint", "restore", "planted"],
        &["prune", "--keep", "0s"],
    ] {
        let run = rb(repo, args);
        assert!(matches!(run.code, 3 | 5), "{how}: {args:?}: {} {}", run.code, run.stderr);
        assert_eq!(below(victim), before, "{how}: {args:?}");
    }
}

#[test]
fn records_that_came_by_git_are_not_believed_and_named() {
    let around = Sandbox::new();
    let victim = around.path().join("victim");
    fs::create_dir_all(victim.join("sub")).expect("a folder");
    fs::write(victim.join("sub/thesis"), "precious\n").expect("a file");
    let source = planted(&victim);
    let from = source.path().display().to_string();
    let bundle = around.path().join("bundle").display().to_string();
    source.git(&["bundle", "create", "-q", &bundle, "--all"]);
    for (how, refs) in [
        ("clone", false),
        ("clone --mirror", true),
        ("fetch", true),
        ("fetch --prune", true),
        ("bundle", true),
        ("push --mirror", true),
    ] {
        let here = Sandbox::new();
        here.commit("of one's own", &[("x", "x\n")]);
        match how {
            "clone" => {
                here.git(&["pull", "-q", "--no-rebase", "--allow-unrelated-histories", "--no-edit", &from])
            }
            "clone --mirror" => {
                let mirror = around.path().join("mirror").display().to_string();
                around.git(&["clone", "-q", "--mirror", &from, &mirror]);
                fs::remove_dir_all(here.path().join(".git")).expect("it goes");
                fs::rename(&mirror, here.path().join(".git")).expect("it is moved");
                here.git(&["config", "core.bare", "false"]);
                here.git(&["reset", "-q", "--hard"])
            }
            "push --mirror" => {
                here.git(&["config", "receive.denyCurrentBranch", "ignore"]);
                source.git(&["push", "-q", "--mirror", &here.path().display().to_string()]);
                here.git(&["reset", "-q", "--hard"])
            }
            how => {
                let place = if how == "bundle" { &bundle } else { &from };
                let prune = if how == "fetch --prune" { "--prune" } else { "--no-prune" };
                here.git(&["fetch", "-q", prune, "--update-head-ok", place, "+refs/*:refs/*"]);
                here.git(&["reset", "-q", "--hard"])
            }
        };
        assert!(!here.path().join(".git/rb/records").exists(), "{how}");
        assert_believes_nothing(&here, &victim, how);
        let status = done(rb(&here, &["status", "--json"])).json();
        let named: Vec<_> = status["unused_references"].as_array().into_iter().flatten().collect();
        let expected = ["refs/rb/checkpoints/manual/planted", "refs/rb/log", "refs/rb/runs/8d725d4a"];
        assert_eq!(named, if refs { expected.to_vec() } else { vec![] }, "{how}");
        let told = rb(&here, &["status"]);
        assert_eq!(told.stderr.contains("git for-each-ref refs/rb"), refs, "{how}: {}", told.stderr);
    }
}

#[test]
fn what_rb_keeps_neither_travels_nor_goes_by_a_fetch_that_prunes() {
    let repo = furnished();
    let around = Sandbox::bare();
    let to = around.path().display().to_string();
    repo.git(&["push", "-q", "--mirror", &to]);
    assert_eq!(around.git(&["for-each-ref", "--format=%(refname)"]), "refs/heads/main");
    assert_eq!(
        around.git(&["rev-list", "--all", "--objects"]).lines().count(),
        around.git(&["cat-file", "--batch-all-objects", "--batch-check"]).lines().count(),
        "and no object but those of the branch"
    );
    let bundle = around.path().join("all.bundle").display().to_string();
    repo.git(&["bundle", "create", "-q", &bundle, "--all"]);
    let heads = repo.git(&["bundle", "list-heads", &bundle]);
    let names: Vec<_> = heads.lines().filter_map(|line| line.split(' ').nth(1)).collect();
    assert_eq!(names, ["refs/heads/main", "HEAD"]);

    let own = below(&git_dir(&repo).join("rb/records"));
    let kept = fs::read(git_dir(&repo).join("logs/RB_HEAD")).expect("it is there");
    for args in [
        &["fetch", "-q", "--prune", "--update-head-ok", &to, "+refs/*:refs/*"][..],
        &["fetch", "-q", "--prune", "--prune-tags", "--update-head-ok", &to, "+refs/*:refs/*"],
        &["remote", "add", "--mirror=fetch", "origin", &to],
        &["-c", "fetch.prune=true", "remote", "update", "--prune"],
        &["pack-refs", "--all", "--prune"],
    ] {
        repo.try_git(args);
        assert_eq!(below(&git_dir(&repo).join("rb/records")), own, "{args:?}");
        assert_eq!(fs::read(git_dir(&repo).join("logs/RB_HEAD")).ok(), Some(kept.clone()), "{args:?}");
    }
    repo.git(&["gc", "-q", "--prune=now"]);
    done(rb(&repo, &["checkpoint", "verify", "safe"]));
}

/// Damage, what is done to the bytes, and a word of what is said of it.
type Damage = (&'static str, fn(Vec<u8>) -> Vec<u8>, &'static str);

const DAMAGES: [Damage; 7] = [
    ("empty", |_| Vec::new(), "empty"),
    ("torn", |bytes| bytes[..bytes.len() - 8].to_vec(), "cut off or altered"),
    (
        "altered",
        |mut bytes| {
            let last = bytes.len() - 4;
            bytes[last] ^= 1;
            bytes
        },
        "cut off or altered",
    ),
    ("longer", |bytes| [bytes, b"more\n".to_vec()].concat(), "cut off or altered"),
    (
        "newer",
        |bytes| [b"rb-record 9 ".as_slice(), &bytes["rb-record 1 ".len()..]].concat(),
        "a newer rb wrote",
    ),
    ("foreign", |_| b"{\"schema_version\": 99}".to_vec(), "not written as records of rb are"),
    (
        "of another",
        |_| {
            let bytes = b"file run.json 2\n{}\n";
            [format!("rb-record 1 run other 1 {} {}\n", bytes.len(), "0".repeat(64)).as_bytes(), bytes]
                .concat()
        },
        "it is that of",
    ),
];

/// What has no need of one record works; the repository is another one afterwards.
#[track_caller]
fn assert_works(repo: &Sandbox, what: &str) {
    let works = |args: &[&str]| {
        let run = rb(repo, args);
        assert!(matches!(run.code, 0 | 3), "{what}: rb {args:?}: {} {}", run.code, run.stderr);
        run
    };
    for args in [&["status"][..], &["ops"], &["checkpoint", "list"], &["report"], &["procedure", "list"]] {
        works(args);
    }
    works(&["revert", "-y", "HEAD~1"]);
    assert_eq!(fs::read_to_string(repo.path().join("src/a")).expect("a file"), "1\n", "{what}");
    works(&["checkpoint", "create", "another"]);
    works(&["checkpoint", "verify", "another"]);
    works(&["undo"]);
    assert_eq!(fs::read_to_string(repo.path().join("src/a")).expect("a file"), "2\n", "{what}");
    works(&["prune", "--keep", "90d", "--allow-noop"]);
}

#[test]
fn a_record_that_cannot_be_used_is_named_and_nothing_else_depends_on_it() {
    let whole = furnished();
    for (nth, (kind, command)) in
        [("runs", "status"), ("operations", "ops"), ("checkpoints", "checkpoint list")]
            .into_iter()
            .enumerate()
    {
        for (at, (how, damage, said)) in DAMAGES.iter().enumerate() {
            let repo = whole.twin();
            let file = newest(&repo, kind);
            let bytes = fs::read(&file).expect("a record");
            fs::write(&file, damage(bytes)).expect("it is ours");
            let id = file.file_name().expect("a name").to_string_lossy().replace("%2F", "/");
            let status = done(rb(&repo, &["status", "--json"])).json();
            let named = status["unreadable"].as_array().cloned().unwrap_or_default();
            assert_eq!(named.len(), 1, "{kind} {how}: {status}");
            assert_eq!(named[0]["id"], json!(id), "{kind} {how}");
            assert_eq!(named[0]["damaged"], json!(*how != "newer"), "{kind} {how}");
            assert!(
                named[0]["why"].as_str().is_some_and(|why| why.contains(said)),
                "{kind} {how}: {named:?}"
            );
            let told = done(rb(&repo, &command.split(' ').collect::<Vec<_>>()));
            assert!(told.stderr.contains(&file.display().to_string()), "{kind} {how}: {}", told.stderr);
            assert_eq!(
                below(&records::folder(&git_dir(&repo), kind)).len(),
                1 + usize::from(kind == "operations")
            );
            // Each damage is tried on one kind with all commands: all of them together take too long.
            if (at + nth) % DAMAGES.len() == 1 {
                assert_works(&repo, &format!("{kind} {how}"));
            }
        }
    }
}

#[test]
fn a_record_without_end_or_that_is_no_file_is_named_within_a_moment() {
    for (how, said) in
        [("large", "more than any such record"), ("pipe", "no file"), ("folder", "no file"), ("link", "link")]
    {
        let repo = furnished();
        let file = newest(&repo, "checkpoints");
        fs::remove_file(&file).expect("it is ours");
        match how {
            "large" => fs::File::create(&file).and_then(|file| file.set_len(8 << 30)).expect("a sparse file"),
            "folder" => fs::create_dir(&file).expect("a folder"),
            "link" => symlink("/dev/zero", &file).expect("a link"),
            _ => assert!(repo.command("mkfifo").arg(&file).status().expect("it starts").success()),
        }
        let begun = std::time::Instant::now();
        let status = done(rb(&repo, &["status", "--json"])).json();
        let why = status["unreadable"][0]["why"].as_str().unwrap_or_default().to_owned();
        assert!(why.contains(said), "{how}: {status}");
        assert!(begun.elapsed().as_secs() < 5, "{how}");
        assert_eq!(rb(&repo, &["checkpoint", "restore", "safe"]).code, 5, "{how}");
        assert_works(&repo, how);
    }
}

#[test]
fn what_is_no_file_in_the_place_of_a_journal_is_refused_within_a_moment() {
    for name in
        ["landing/journal.json", "landing/closed.json", "landing/work-tree-stage", "displaced/closed.json"]
    {
        for how in ["pipe", "device", "large"] {
            let repo = Sandbox::new();
            repo.commit("one", &[("f", "1\n")]);
            repo.commit("two", &[("f", "2\n")]);
            let place = git_dir(&repo).join("rb").join(name);
            fs::create_dir_all(place.parent().expect("a folder above it")).expect("a folder");
            match how {
                "device" => symlink("/dev/zero", &place).expect("a link"),
                "large" => {
                    fs::File::create(&place).and_then(|file| file.set_len(8 << 30)).expect("a sparse file")
                }
                _ => assert!(repo.command("mkfifo").arg(&place).status().expect("it starts").success()),
            }
            for args in [&["status"][..], &["revert", "HEAD"]] {
                let mut command = repo.command("timeout");
                let ended =
                    command.args(["5", env!("CARGO_BIN_EXE_rb")]).args(args).output().expect("it starts");
                let said = String::from_utf8_lossy(&ended.stderr);
                let code = ended.status.code();
                assert!(matches!(code, Some(0 | 5 | 6 | 74)), "{name} {how} {args:?}: {code:?} {said}");
            }
        }
    }
}

#[test]
fn links_in_place_of_folders_and_files_of_rb_lead_nowhere() {
    let whole = furnished();
    let places: [(&str, bool); 14] = [
        ("rb", true),
        ("rb/records", true),
        ("rb/records/runs", true),
        ("rb/records/operations", true),
        ("rb/records/checkpoints", true),
        ("rb/runs", true),
        ("rb/landing", true),
        ("rb/displaced", true),
        ("rb/lock", false),
        ("rb/lease", false),
        ("rb/records/lock", false),
        ("RB_HEAD", false),
        ("RB_HEAD.lock", false),
        ("logs/RB_HEAD", false),
    ];
    for (place, is_folder) in places {
        let repo = whole.twin();
        let outside = repo.path().parent().expect("a folder around it").join("outside");
        fs::create_dir(&outside).expect("a folder");
        let at = git_dir(&repo).join(place);
        // What lies there goes with the link, so that it would be found where that leads.
        match fs::symlink_metadata(&at) {
            Ok(_) => fs::rename(&at, outside.join("it")).expect("it is moved"),
            Err(_) if is_folder => fs::create_dir(outside.join("it")).expect("a folder"),
            Err(_) => fs::write(outside.join("it"), "").expect("a file"),
        }
        symlink(outside.join("it"), &at).expect("a link");
        let before = below(&outside);
        for args in [
            &["status"][..],
            &["revert", "-y", "HEAD~1"],
            &["checkpoint", "create", "more"],
            &["checkpoint", "drop", "safe"],
            &["resume", "-y"],
            &["abort"],
            &["undo"],
            &["prune", "--keep", "0s"],
        ] {
            let run = rb(&repo, args);
            assert!(run.code <= 10, "{place}: {args:?}: {} {}", run.code, run.stderr);
            assert_eq!(below(&outside), before, "{place}: {args:?}");
        }
        assert!(at.is_symlink(), "{place} is left to its owner");
    }
}

/// Where the candidate of the run that waits lies.
fn candidate(temp: &Path) -> PathBuf {
    let root = fs::read_dir(temp).expect("a folder").find_map(|row| {
        let path = row.expect("a row").path();
        path.file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("rb-candidates"))
            .then_some(path)
    });
    let mut rows = fs::read_dir(root.expect("its root")).expect("a folder");
    rows.next().expect("a candidate").expect("a row").path()
}

#[test]
fn a_folder_without_the_marker_of_the_run_is_neither_read_nor_written_nor_removed() {
    for how in ["no marker", "of another run", "a link"] {
        let repo = Sandbox::new();
        let temp = temp(&repo);
        repo.commit("good", &[("src/a", "1\n")]);
        repo.commit("the change", &[("src/a", "2\n")]);
        repo.write(".rb/procedures/p.toml", WAITING);
        repo.commit("procedure", &[("b", "b\n")]);
        let hash = hash_of(&repo, &["trust", "p"]);
        let trusted = [("RB_TRUSTED_HASH", hash.as_str())];
        let paused = rb_with(&repo, &["run", "p", "-y"], &trusted);
        assert_eq!(paused.code, 7, "{}", paused.stderr);
        let folder = candidate(&temp);
        let marker = folder.join("rb-candidate");
        let text = fs::read_to_string(&marker).expect("a marker");
        assert!(text.starts_with("rb candidate 1\nrun "), "{text}");
        let moved = temp.join("elsewhere");
        match how {
            "no marker" => fs::remove_file(&marker).expect("it is ours"),
            "of another run" => fs::write(&marker, text.replace("run ", "run f")).expect("it is ours"),
            _ => {
                fs::rename(&folder, &moved).expect("it is moved");
                symlink(&moved, &folder).expect("a link");
            }
        }
        fs::write(folder.join("files/src/thesis"), "precious\n").expect("a file");
        let before = below(&temp);
        let resumed = rb_with(&repo, &["resume", "-y"], &trusted);
        assert_ne!(resumed.code, 0, "{how}: {}", resumed.stdout);
        assert_eq!(below(&temp), before, "{how}");
        assert!(!repo.git(&["log", "--all", "--name-only"]).contains("thesis"), "{how}");
        rb(&repo, &["abort"]);
        rb(&repo, &["prune", "--keep", "0s"]);
        assert_eq!(below(&temp), before, "{how}");
        assert!(folder.join("files/src/thesis").exists(), "{how}");
    }
}

/// Changes the words of a record and makes it whole again, as a person can who writes into the git directory.
fn forge(repo: &Sandbox, kind: &str, change: impl Fn(&mut Value)) {
    let (name, mut files) = records::all(&git_dir(repo), kind).pop().expect("there is one");
    let file = format!("{}.json", kind.trim_end_matches('s'));
    let mut document: Value = serde_json::from_slice(&files[&file]).expect("a document");
    change(&mut document);
    files.insert(file, document.to_string().into_bytes());
    records::plant(&git_dir(repo), kind, &name, &files);
}

/// What is forged, and how the document is changed, with the place that it is to name.
type Forgery = (&'static str, fn(&mut Value, &str));

#[test]
fn a_record_names_and_never_locates() {
    let whole = furnished();
    let victim = whole.path().parent().expect("a folder around it").join("victim");
    fs::create_dir_all(victim.join("src")).expect("a folder");
    fs::write(victim.join("src/thesis"), "precious\n").expect("a file");
    let place = victim.display().to_string();
    let forged: [Forgery; 5] = [
        ("a folder in the candidate", |run, place| {
            run["candidate"]["folder"] = json!(place);
            run["candidate"]["path"] = json!(place);
        }),
        ("a folder in the pause", |run, place| run["pause"]["folder"] = json!(place)),
        ("an id that is a path", |run, place| run["id"] = json!(format!("../../..{place}"))),
        ("what lies outside is within", |run, place| {
            run["candidate"]["within"] = json!([place, "../victim"])
        }),
        ("folders left over", |run, place| {
            run["outside_effects"] = json!([place]);
            run["leftover"] = json!([{"folder": place}]);
        }),
    ];
    for (what, change) in forged {
        let repo = whole.twin();
        forge(&repo, "runs", |run| change(run, &place));
        let before = (below(&victim), State::of(&repo).only(&[Part::Refs, Part::Files]));
        let hash = hash_of(&repo, &["trust", "p"]);
        for args in [&["status"][..], &["resume", "-y"], &["abort"], &["prune", "--keep", "0s"]] {
            let run: Run = rb_with(&repo, args, &[("RB_TRUSTED_HASH", &hash)]);
            assert!(run.code <= 10, "{what}: {args:?}: {} {}", run.code, run.stderr);
            assert_eq!(below(&victim), before.0, "{what}: {args:?}");
        }
        assert!(!repo.git(&["log", "--all", "--name-only"]).contains("thesis"), "{what}");
    }
}

/// The permissions and groups of what lies in the git directory, but for objects, which git makes read-only.
fn modes(repo: &Sandbox) -> BTreeMap<String, (u32, u32)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![git_dir(repo)];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).expect("a folder").map(|row| row.expect("a row").path()) {
            let metadata = fs::symlink_metadata(&path).expect("it is there");
            let name = path.strip_prefix(git_dir(repo)).expect("below it").display().to_string();
            let is_gits = ["hooks", "info", "description", "config", "branches"]
                .iter()
                .any(|own| name.starts_with(own));
            if !is_gits {
                found.insert(name, (metadata.mode() & 0o7777, metadata.gid()));
            }
            if metadata.is_dir() {
                folders.push(path);
            }
        }
    }
    found
}

#[test]
fn files_of_a_shared_repository_are_those_of_its_group() {
    for (value, file, folder) in [("group", 0o660, 0o2770), ("all", 0o664, 0o2775), ("0640", 0o640, 0o2750)] {
        let repo = Sandbox::new();
        repo.git(&["config", "core.sharedRepository", value]);
        repo.git(&["init", "-q"]);
        repo.commit("one", &[("f", "1\n")]);
        repo.commit("two", &[("f", "2\n")]);
        let before = modes(&repo);
        for args in [
            &["revert", "HEAD"][..],
            &["undo"],
            &["revert", "HEAD", "-n"],
            &["undo"],
            &["checkpoint", "create", "safe"],
            &["revert", "HEAD", "--branch", "other"],
        ] {
            let mut command = repo.command("sh");
            command.args(["-c", "umask 077; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_rb")]).args(args);
            assert!(command.output().expect("it starts").status.success(), "{value}: {args:?}");
        }
        let mut ours = modes(&repo);
        ours.retain(|name, _| !before.contains_key(name) && !name.starts_with("objects"));
        assert!(ours.len() > 12, "{ours:?}");
        for (name, (mode, _)) in ours {
            // What a landing displaced is the user's file, with the permissions that it had.
            if name.starts_with("rb/displaced/files/") {
                continue;
            }
            let is_folder = git_dir(&repo).join(&name).is_dir();
            let wanted = if is_folder { folder } else { file };
            assert_eq!(format!("{mode:o}"), format!("{wanted:o}"), "{value}: {name}");
        }
    }
}

#[test]
fn what_is_staged_in_a_shared_repository_can_be_recovered_by_another_user() {
    let repo = Sandbox::new();
    repo.git(&["config", "core.sharedRepository", "group"]);
    repo.git(&["init", "-q"]);
    repo.commit("one", &[("f", "1\n")]);
    repo.commit("two", &[("f", "2\n")]);
    let mut command = repo.strace("renameat2", "signal=KILL:when=1");
    command.args(["sh", "-c", "umask 077; exec \"$0\" revert HEAD", env!("CARGO_BIN_EXE_rb")]);
    let Ok(ended) = command.output() else { return };
    assert!(!ended.status.success());
    let landing = git_dir(&repo).join("rb/landing");
    let journal = landing.join("journal.json");
    assert!(journal.exists(), "it was killed in the middle: {}", String::from_utf8_lossy(&ended.stderr));
    for path in below(&git_dir(&repo)).into_keys() {
        let is_its_own = path.starts_with(&landing) || path.extension().is_some_and(|end| end == "lock");
        let mode = fs::metadata(&path).expect("it is there").permissions().mode();
        if is_its_own && !path.starts_with(landing.join("files")) {
            // The old index is git's own file under a second name.
            let expected = if path.ends_with("index.old") { mode | 0o660 } else { 0o100_660 };
            assert_eq!(format!("{mode:o}"), format!("{expected:o}"), "{}", path.display());
        }
    }
    done(rb(&repo, &["status"]));
    assert_eq!(fs::read_to_string(repo.path().join("f")).expect("a file"), "2\n");
    assert_eq!(repo.git(&["status", "--porcelain"]), "");
}
