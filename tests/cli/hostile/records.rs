//! Records of rb's own in a repository that was handed over: journals, the operation log, checkpoints, runs.

use std::fs;

use serde_json::{Value, json};
use test_kit::hostile::{self, Row};
use test_kit::records;
use test_kit::suite::Seeded;

use super::world::{Case, World};
use super::{one, runbooks, some, words};

const ASKED: &[&str] = &["status", "revert HEAD", "undo", "checkpoint create x", "ops", "history src/a.txt"];

fn journal(world: &World) -> Value {
    let head = world.repo.git(&["rev-parse", "HEAD"]);
    let moved =
        json!({"name": "refs/heads/main", "old": null, "new": head, "log_line": "hostile", "logs": []});
    json!({
        "version": 1, "operation": "00ff00ff00ff00ff", "stage_in_work_tree": null, "reference": moved, "index": null,
        "steps": [], "missing_folders": [], "locks": [], "state_files": [], "log": null,
    })
}

pub(crate) fn journals(dice: &mut Seeded) -> Case {
    let world = World::new();
    let outside = world.outside.clone();
    let landing = world.git_dir().join("rb/landing");
    fs::create_dir_all(landing.join("files")).unwrap();
    fs::write(landing.join("files/0"), "hostile\n").unwrap();
    let mut record = journal(&world);
    let other = world.repo.git(&["rev-parse", "HEAD~1"]);
    let head = world.repo.git(&["rev-parse", "HEAD"]);
    let canary = world.repo.git_with_input(&["hash-object", "--stdin"], b"canary\n");
    let canary = json!({"kind": "file", "id": String::from_utf8_lossy(&canary).trim()});
    let hostile = world.repo.git_with_input(&["hash-object", "--stdin"], b"hostile\n");
    let hostile = json!({"kind": "file", "id": String::from_utf8_lossy(&hostile).trim()});
    // To be taken back: the branch is where it was before.
    let taken_back =
        json!({"name": "refs/heads/main", "old": head, "new": other, "log_line": "x", "logs": []});
    let what = match dice.below(12) {
        0 => {
            record["state_files"] = json!([{"name": "../../outside/planted", "content": "hostile\n"}]);
            "a state file"
        }
        1 => {
            record["state_files"] =
                json!([{"name": "hooks/post-checkout", "content": "#!/bin/sh\nhostile\n"}]);
            "a hook as a state file"
        }
        2 => {
            record["state_files"] = json!([{"name": "../../outside/folder", "content": null}]);
            "a state file that is removed"
        }
        3 => {
            record["reference"]["logs"] = json!([["HEAD", {"git-dir": "../../outside/canary"}]]);
            "a log"
        }
        4 => {
            let path = outside.join("canary").display().to_string();
            record["reference"]["logs"] = json!([["HEAD", {"elsewhere": path}]]);
            "a log elsewhere"
        }
        5 => {
            record["reference"] = taken_back;
            record["index"] = json!([]);
            record["steps"] = json!([{"path": "../outside/canary", "action": {"add": {"new": canary}}}]);
            fs::remove_file(landing.join("files/0")).unwrap();
            "a file that is taken away"
        }
        6 => {
            record["reference"] = taken_back;
            record["index"] = json!([]);
            record["steps"] = json!([{"path": "../outside/planted", "action": {"remove": {"old": hostile}}}]);
            "a file that comes back"
        }
        7 => {
            record["reference"] = taken_back;
            record["index"] = json!([]);
            record["missing_folders"] = json!(["../outside/empty"]);
            "a folder that is removed"
        }
        8 => {
            record["operation"] = json!("../../../../outside/planted");
            record["reference"]["new"] = json!(other);
            record["reference"]["old"] = json!(other);
            record["steps"] = json!([{"path": "x", "action": {"add": {"new": canary}}}]);
            "an operation that is a path"
        }
        9 => {
            fs::write(outside.join("folder/lock"), "rb 00ff00ff00ff00ff\n").unwrap();
            record["locks"] = json!([{"git-dir": "../../outside/folder/lock"}]);
            "a lock"
        }
        10 => {
            record["stage_in_work_tree"] = json!("../outside/folder");
            "a stage in the work tree"
        }
        _ => "a stage without a journal",
    };
    match what {
        "a stage without a journal" => {
            fs::write(landing.join("work-tree-stage"), "../outside/folder").unwrap()
        }
        _ => {
            let name = one(dice, &["journal.json", "journal.json", "journal.json", "closed.json"]);
            fs::write(landing.join(name), record.to_string()).unwrap();
        }
    }
    let mut commands = some(dice, ASKED, 3);
    commands.push(words("status"));
    Case::new(what, world, commands, move |world| replay(world, &record))
}

/// Carries the record out as it stands, by naive means.
fn replay(world: &World, record: &Value) {
    let git_dir = world.git_dir();
    for file in record["state_files"].as_array().into_iter().flatten() {
        let path = git_dir.join(file["name"].as_str().unwrap());
        match file["content"].as_str() {
            Some(content) => fs::write(path, content).unwrap(),
            None => fs::remove_dir_all(path).unwrap(),
        }
    }
    for log in record["reference"]["logs"].as_array().into_iter().flatten() {
        let place = log[1]["git-dir"].as_str().or(log[1]["elsewhere"].as_str()).unwrap();
        fs::write(git_dir.join(place), "canary\nhostile\n").unwrap();
    }
    for step in record["steps"].as_array().into_iter().flatten() {
        let path = world.path().join(step["path"].as_str().unwrap());
        match step["action"]["add"].is_object() {
            true => drop(fs::remove_file(path)),
            false => fs::write(path, "hostile\n").unwrap(),
        }
    }
    for folder in record["missing_folders"].as_array().into_iter().flatten() {
        fs::remove_dir(world.path().join(folder.as_str().unwrap())).unwrap();
    }
    for lock in record["locks"].as_array().into_iter().flatten() {
        fs::remove_file(git_dir.join(lock["git-dir"].as_str().unwrap())).unwrap();
    }
    let operation = record["operation"].as_str().unwrap();
    if operation.contains('/') {
        fs::create_dir_all(git_dir.join("rb/written-")).unwrap();
        fs::create_dir_all(git_dir.join(format!("rb/written-{operation}"))).unwrap();
    }
    let stage = record["stage_in_work_tree"].as_str().map(ToOwned::to_owned);
    let stage = stage.or_else(|| fs::read_to_string(git_dir.join("rb/landing/work-tree-stage")).ok());
    if let Some(stage) = stage {
        fs::remove_dir_all(world.path().join(stage)).unwrap();
    }
}

pub(crate) fn operations(dice: &mut Seeded) -> Case {
    let world = World::new();
    let head = world.repo.git(&["rev-parse", "HEAD"]);
    let tree = world.repo.git(&["rev-parse", "HEAD^{tree}"]);
    let blob = Row::file(&world.repo, "100755", b"planted", b"hostile\n");
    let evil = hostile::tree(&world.repo, &[blob]);
    let evil = hostile::tree(&world.repo, &[Row::raw("40000", b"..", evil)]);
    let mut logged = json!({
        "version": 1, "operation_id": "00ff00ff00ff00ff", "time": 0, "kind": "revert-commit", "target": "x",
        "ref": "refs/heads/main", "before": head, "after": head, "commit_ids": [], "staged": true,
        "tree_before": tree, "tree_after": tree, "undoes": null, "paths": [], "state_files": [],
    });
    let state = |name: &str, content: Value| json!([{"name": name, "before": content, "after": null}]);
    let what = match dice.below(6) {
        0 => {
            logged["state_files"] = state("../../outside/planted", json!("hostile\n"));
            "a state file"
        }
        1 => {
            logged["state_files"] = state("hooks/post-checkout", json!("#!/bin/sh\nhostile\n"));
            "a hook"
        }
        2 => {
            let canary = json!("canary\n");
            logged["state_files"] =
                json!([{"name": "../../outside/canary", "before": null, "after": canary}]);
            "a state file that goes"
        }
        3 => {
            logged["tree_before"] = json!(evil);
            "a tree that leads out"
        }
        4 => {
            logged["staged"] = json!(false);
            logged["ref"] = json!("refs/heads/../../../outside/planted");
            logged["after"] = json!(null);
            "a reference"
        }
        _ => {
            logged["paths"] = json!([{"path": "../outside/canary", "before": null, "after": null,
                "attributes": {"permissions": 0o777, "modified": [0, 0]}, "absent": true}]);
            logged["state_files"] = state("../../outside/planted", json!("hostile\n"));
            "a path with attributes"
        }
    };
    let files = [("operation.json".to_owned(), logged.to_string().into_bytes())].into();
    records::plant(&world.git_dir(), "operations", "0000000001-00ff00ff00ff00ff", &files);
    let mut commands = vec![words("undo")];
    commands.extend(some(dice, &["undo --dry-run", "ops", "undo 00ff", "report", "status"], 3));
    Case::new(what, world, commands, move |world| {
        let name = logged["state_files"][0]["name"].as_str().unwrap_or("../../outside/planted");
        let content = logged["state_files"][0]["before"].as_str();
        fs::write(world.git_dir().join(name), content.unwrap_or("hostile\n")).unwrap();
    })
}

pub(crate) fn checkpoints(dice: &mut Seeded) -> Case {
    let world = World::new();
    let named = world.outside.join("folder").display().to_string();
    let made = world.rb(&words(&format!("checkpoint create safe --outside {named}")), &[]);
    assert_eq!(made.0, 0, "{}", made.1);
    let record = records::newest(&world.git_dir(), "checkpoints", "checkpoint.json");
    let record: Value = serde_json::from_slice(&record).unwrap();
    let tree = record["tree"].as_str().unwrap();
    let text = world.repo.git(&["cat-file", "blob", &format!("{tree}:checkpoint.json")]);
    let mut manifest: Value = serde_json::from_str(&text).unwrap();
    let entries = manifest["outside"][0]["entries"].as_array_mut().unwrap();
    assert_eq!(entries.len(), 2, "{text}");
    let path = one(dice, &["../planted", "../../outside/planted", "x/../../planted", "/../planted"]);
    let what = match dice.below(3) {
        0 => {
            entries[1]["path"] = json!(path);
            "a file"
        }
        1 => {
            entries[1] = json!({"path": path, "kind": "symlink", "target": "/"});
            "a link"
        }
        _ => {
            entries[1] = json!({"path": path, "kind": "folder", "permissions": 0o777});
            "a folder"
        }
    };
    let listing = world.repo.git(&["ls-tree", tree]);
    let blob = world.repo.git_with_input(&["hash-object", "-w", "--stdin"], manifest.to_string().as_bytes());
    let blob = String::from_utf8_lossy(&blob).trim().to_owned();
    let lines = listing.lines().map(|line| match line.ends_with("\tcheckpoint.json") {
        true => format!("100644 blob {blob}\tcheckpoint.json\n"),
        false => format!("{line}\n"),
    });
    let tree = world.repo.git_with_input(&["mktree"], lines.collect::<String>().as_bytes());
    let tree = String::from_utf8_lossy(&tree).trim().to_owned();
    let named = json!({"version": 1, "tree": tree}).to_string().into_bytes();
    let files = [("checkpoint.json".to_owned(), named)].into();
    records::plant(&world.git_dir(), "checkpoints", "manual%2Fsafe", &files);
    let mut commands = vec![words("checkpoint restore safe --with-outside")];
    commands.extend(some(
        dice,
        &["checkpoint verify safe", "checkpoint show safe", "checkpoint restore safe"],
        2,
    ));
    Case::new(format!("{what} at {path}"), world, commands, move |world| {
        let path = path.trim_start_matches('/').replace("x/../", "");
        fs::write(world.outside.join("folder").join(path), "hostile\n").unwrap();
    })
}

/// S3: a run whose record names a folder, as a record of today, and as references that a fetch brings.
pub(crate) fn runs(dice: &mut Seeded) -> Case {
    let world = World::new();
    let folder = world.outside.join("folder").display().to_string();
    fs::create_dir(world.outside.join("folder/src")).unwrap();
    fs::write(world.outside.join("folder/src/key"), "s3cret-of-the-user\n").unwrap();
    let step = "[[step]]\nid = \"hand\"\nmanual = \"look\"";
    runbooks::add(&world, "edits = [\"hand\"]", step);
    let trusted = runbooks::as_trusted(&world);
    let temp = world.git_dir().join("temp");
    fs::create_dir(&temp).unwrap();
    let variables = vec![("TMPDIR".to_owned(), temp.display().to_string())];
    let paused = world.rb(&trusted, &variables);
    assert_eq!(paused.0, 7, "{}", paused.1);
    let (id, mut files) = records::all(&world.git_dir(), "runs").pop().unwrap();
    let mut run: Value = serde_json::from_slice(&files["run.json"]).unwrap();
    for at in ["candidate", "pause"] {
        run[at]["folder"] = json!(folder);
        run[at]["path"] = json!(folder);
    }
    run["candidate"]["within"] = json!(["../outside", folder]);
    let what = match dice.below(3) {
        0 => {
            files.insert("run.json".to_owned(), run.to_string().into_bytes());
            records::plant(&world.git_dir(), "runs", &id, &files);
            "a record"
        }
        1 => {
            run["id"] = json!(format!("../../..{folder}"));
            files.insert("run.json".to_owned(), run.to_string().into_bytes());
            records::plant(&world.git_dir(), "runs", &id, &files);
            "an id that is a path"
        }
        _ => {
            fs::remove_file(records::folder(&world.git_dir(), "runs").join(&id)).unwrap();
            let blob =
                world.repo.git_with_input(&["hash-object", "-w", "--stdin"], run.to_string().as_bytes());
            let row = format!("100644 blob {}\trun.json\n", String::from_utf8_lossy(&blob).trim());
            let tree = world.repo.git_with_input(&["mktree"], row.as_bytes());
            let tree = String::from_utf8_lossy(&tree).trim().to_owned();
            let commit = world.repo.git(&["commit-tree", "-m", "run", &tree]);
            world.repo.git(&["update-ref", &format!("refs/rb/runs/{id}"), &commit]);
            "a reference"
        }
    };
    let going_on = ["resume --yes", "resume --yes --retry", "resume --yes --mark-done", "run evil --yes"];
    let mut commands =
        vec![words(one(dice, &["abort", "prune --keep 0s", going_on[0], going_on[1], going_on[2]]))];
    commands.extend(some(
        dice,
        &["abort", going_on[0], going_on[3], "status", "prune --keep 0s", "report"],
        3,
    ));
    let mut case = Case::new(what, world, commands, move |_| fs::remove_dir_all(&folder).unwrap())
        .wrong_if(|world| runbooks::keeps(world, "s3cret-of-the-user"));
    case.variables = variables;
    case
}

/// S4: what a landing displaced, and where a recovery puts what was written to it, as links.
pub(crate) fn displaced(dice: &mut Seeded) -> Case {
    let world = World::new();
    let rb = world.git_dir().join("rb");
    fs::create_dir_all(rb.join("displaced/files")).unwrap();
    fs::write(rb.join("displaced/files/0"), "hostile\n").unwrap();
    let canary = world.repo.git_with_input(&["hash-object", "--stdin"], b"canary\n");
    let canary = json!({"kind": "file", "id": String::from_utf8_lossy(&canary).trim()});
    let mut record = journal(&world);
    record["reference"] = json!(null);
    record["steps"] = json!([{"path": "planted", "action": {"add": {"new": canary}}}]);
    fs::write(rb.join("displaced/closed.json"), record.to_string()).unwrap();
    let folder = world.outside.join("folder");
    let link =
        one(dice, &["written-00ff00ff00ff00ff", "aside-00ff00ff00ff00ff", "displaced", "landing", "runs"]);
    match link {
        "displaced" => {
            fs::rename(rb.join("displaced"), folder.join("it")).unwrap();
            std::os::unix::fs::symlink(folder.join("it"), rb.join("displaced")).unwrap();
        }
        link => std::os::unix::fs::symlink(&folder, rb.join(link)).unwrap(),
    }
    let mut commands = vec![words("status"), words("revert HEAD")];
    commands.extend(some(dice, &["ops", "undo", "checkpoint create x", "prune --keep 0s"], 3));
    Case::new(link, world, commands, move |world| {
        fs::write(world.git_dir().join("rb").join(link).join("planted"), "hostile\n").unwrap();
    })
}

/// S7: permissions of a record beyond those that a file of a tree has.
pub(crate) fn permissions(dice: &mut Seeded) -> Case {
    let world = World::new();
    let made = world.rb(&words("revert HEAD"), &[]);
    assert_eq!(made.0, 0, "{}", made.1);
    let (id, mut files) = records::all(&world.git_dir(), "operations").pop().unwrap();
    let mut logged: Value = serde_json::from_slice(&files["operation.json"]).unwrap();
    let bits = one(dice, &[0o6755, 0o4755, 0o2755, 0o1777, 0o7777]);
    for path in logged["paths"].as_array_mut().unwrap() {
        path["attributes"] = json!({"permissions": bits, "modified": [0, 0]});
    }
    files.insert("operation.json".to_owned(), logged.to_string().into_bytes());
    records::plant(&world.git_dir(), "operations", &id, &files);
    let commands = ["undo", "undo", "checkpoint create k", "checkpoint restore k"].map(words).to_vec();
    Case::new(format!("{bits:o}"), world, commands, move |world| {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(bits);
        fs::set_permissions(world.path().join("src/a.txt"), mode).unwrap();
    })
    .wrong_if(|world| {
        let file = fs::metadata(world.path().join("src/a.txt")).unwrap();
        std::os::unix::fs::MetadataExt::mode(&file) & 0o7000 != 0
    })
}
