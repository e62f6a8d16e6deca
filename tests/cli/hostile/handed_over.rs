//! What whoever hands over a folder with its `.git` can prepare: references, links, a work tree elsewhere.

use std::fs;
use std::os::unix::fs::symlink;

use test_kit::suite::Seeded;

use super::world::{Case, World};
use super::{one, some, words};

/// What writes references, logs, state files, records and objects.
const WRITING: &[&str] = &[
    "status",
    "revert HEAD",
    "revert HEAD -n",
    "revert HEAD --branch led/astray",
    "revert HEAD --branch other",
    "pick HEAD --allow-noop",
    "restore src/a.txt -s HEAD~1",
    "checkpoint create safe",
    "checkpoint restore safe",
    "checkpoint drop safe",
    "undo",
    "ops",
    "prune --keep 0d",
];

pub(crate) fn references(dice: &mut Seeded) -> Case {
    const NAMES: [&str; 14] = [
        "../hooks/pre-commit",
        "../../hooks/post-checkout",
        "../../../outside/planted",
        "x/../../../../outside/planted",
        "-x",
        "--delete",
        "HEAD",
        "a..b",
        "a.lock",
        "/etc/x",
        "a//b",
        "a/.hidden",
        "@{-1}",
        "a\\..\\hooks",
    ];
    let world = World::new();
    let name = one(dice, &NAMES);
    let line = one(dice, &["revert HEAD", "pick HEAD --allow-noop", "restore src/a.txt -s HEAD~1"]);
    let mut command = words(line);
    command.push(format!("--branch={name}"));
    let before = world.repo.git(&["for-each-ref"]);
    Case::new(name, world, vec![command], move |world| {
        // As a writer would that takes the name for a path.
        let path =
            world.git_dir().join("refs/heads").join(name.trim_start_matches('/').trim_start_matches('-'));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let _ = fs::write(path, format!("{}\n", world.repo.git(&["rev-parse", "HEAD"])));
        let _ = fs::write(world.git_dir().join("refs/heads").join(name.replace(['/', '\\'], "-")), "x\n");
    })
    .wrong_if(move |world| {
        let after = world.repo.git(&["for-each-ref"]);
        after != before || fs::read_dir(world.git_dir().join("refs/heads")).unwrap().count() != 1
    })
}

pub(crate) fn links(dice: &mut Seeded) -> Case {
    const LINKS: [(&str, &str); 25] = [
        ("refs/heads/led", "folder"),
        ("refs/rb", "folder"),
        ("refs/rb/checkpoints", "folder"),
        ("refs/worktree", "folder"),
        ("logs", "folder"),
        ("logs/HEAD", "canary"),
        ("logs/refs", "folder"),
        ("logs/refs/heads/main", "canary"),
        ("logs/HEAD", "new"),
        ("rb", "folder"),
        ("rb/lock", "new"),
        ("rb/records", "folder"),
        ("rb/records/operations", "folder"),
        ("rb/records/checkpoints", "folder"),
        ("rb/records/lock", "new"),
        ("RB_HEAD", "canary"),
        ("RB_HEAD.lock", "new"),
        ("logs/RB_HEAD", "canary"),
        ("rb/landing", "folder"),
        ("rb/displaced", "folder"),
        ("sequencer", "folder"),
        ("MERGE_MSG", "canary"),
        ("REVERT_HEAD", "new"),
        ("packed-refs", "canary"),
        ("objects", "fan-out"),
    ];
    let world = World::new();
    let (link, target) = one(dice, &LINKS);
    let (git_dir, outside) = (world.git_dir(), world.outside.clone());
    if target == "fan-out" {
        for byte in 0..=255u8 {
            let folder = git_dir.join(format!("objects/{byte:02x}"));
            if !folder.exists() {
                symlink(outside.join("folder"), folder).unwrap();
            }
        }
    } else {
        let path = git_dir.join(link);
        if path.is_dir() {
            fs::remove_dir_all(&path).unwrap();
        }
        let _ = fs::remove_file(&path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(outside.join(target), &path).unwrap();
    }
    let commands = some(dice, WRITING, 7);
    Case::new(format!(".git/{link} leads to {target}"), world, commands, move |world| {
        let path = world.git_dir().join(link);
        match target {
            // git itself goes where the links of its own folders lead.
            "folder" if link == "refs/heads/led" => world.git(&["branch", "led/astray"], &[]),
            "folder" => fs::write(path.join("planted"), "hostile\n").unwrap(),
            "fan-out" => {
                for number in 0..64 {
                    let name = format!("object {number}\n");
                    world.repo.git_with_input(&["hash-object", "-w", "--stdin"], name.as_bytes());
                }
            }
            _ => fs::write(path, "hostile\n").unwrap(),
        }
    })
}

pub(crate) fn work_tree(dice: &mut Seeded) -> Case {
    let world = World::new();
    let relative = one(dice, &["../../outside", "../../outside/folder", "../.."]);
    let absolute = world.outside.join("folder").display().to_string();
    let value = one(dice, &[relative.to_owned(), absolute]);
    let how = dice.below(2);
    match how {
        0 => world.repo.git(&["config", "core.worktree", &value]),
        _ => {
            let more = world.git_dir().join("more");
            fs::write(more, format!("[core]\n\tworktree = {value}\n")).unwrap();
            world.repo.git(&["config", "include.path", "more"])
        }
    };
    let mut commands = some(dice, WRITING, 4);
    commands.push(words("restore b -s HEAD~1 --allow-loss"));
    Case::new(format!("core.worktree={value}"), world, commands, move |world| {
        // git follows the setting where it stands in the configuration itself, and not where that includes it.
        world.git(&["checkout", "-f", "HEAD~1"], &[]);
        if how == 1 {
            fs::write(world.git_dir().join(&value).join("planted"), "hostile\n").unwrap();
        }
    })
}
