//! What the author of contents can hand over: trees, links, procedures.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use test_kit::hostile::{self, Row};
use test_kit::suite::Seeded;

use super::world::{Case, World};
use super::{ASKED, one, some, words};

/// Commits a raw tree of these rows and the honest ones on top of `main`, as `hostile`, in git's order.
fn commit(world: &World, mut rows: Vec<(Vec<u8>, Row<'_>)>) -> String {
    let repo = &world.repo;
    rows.push((b"b".to_vec(), Row::raw("100644", b"b", repo.git(&["rev-parse", "main:b"]))));
    rows.push((b"src/".to_vec(), Row::raw("40000", b"src", repo.git(&["rev-parse", "main~1:src"]))));
    rows.sort_by(|(one, _), (other, _)| one.cmp(other));
    let rows: Vec<_> = rows.into_iter().map(|(_, row)| row).collect();
    commit_raw(world, &rows)
}

fn commit_raw(world: &World, rows: &[Row<'_>]) -> String {
    let tree = hostile::tree(&world.repo, rows);
    let tip = world.repo.git(&["rev-parse", "main"]);
    let commit = hostile::commit(&world.repo, &tree, Some(&tip), "hostile");
    world.repo.git(&["update-ref", "refs/heads/hostile", &commit]);
    tree
}

fn at(world: &World, name: &[u8]) -> PathBuf {
    world.path().join(OsStr::from_bytes(name))
}

/// A spelling of the git directory, or a name that leads out of its folder.
fn name(dice: &mut Seeded) -> Vec<u8> {
    const IGNORED: [&str; 5] = ["\u{200c}", "\u{200f}", "\u{202e}", "\u{206f}", "\u{feff}"];
    const ENDS: [&str; 7] = [".", " ", ". .", "::$INDEX_ALLOCATION", ":x", "\\hooks", "\\"];
    const SHORT: [&str; 5] = ["git~1", "GIT~1", "Git~1.", "git~1\\hooks", "git~1:x"];
    if dice.below(2) == 0 {
        return one(dice, hostile::NAMES).0.to_vec();
    }
    let mut letters: Vec<String> = ".git".chars().map(String::from).collect();
    for letter in &mut letters {
        if dice.below(2) == 0 {
            *letter = letter.to_uppercase();
        }
    }
    match dice.below(3) {
        0 => letters.insert(dice.below(4), one(dice, &IGNORED).into()),
        1 => letters.push(one(dice, &ENDS).into()),
        _ => letters = vec![one(dice, &SHORT).into()],
    }
    letters.concat().into_bytes()
}

pub(crate) fn names(dice: &mut Seeded) -> Case {
    let world = World::new();
    let (name, nested) = (name(dice), dice.below(2) == 1);
    let hook = Row::file(&world.repo, "100755", b"post-checkout", b"#!/bin/sh\nhostile\n");
    let hooks = hostile::tree(&world.repo, &[hook]);
    let mut folder = hostile::tree(&world.repo, &[Row::raw("40000", b"hooks", hooks)]);
    let mut first = name.clone();
    if nested {
        folder = hostile::tree(&world.repo, &[Row::raw("40000", &name, folder)]);
        first = b"sub".to_vec();
    }
    commit(&world, vec![([&first[..], b"/"].concat(), Row::raw("40000", &first, folder))]);
    let written = match nested {
        true => [b"sub/", &name[..]].concat(),
        false => name.clone(),
    };
    let hook = [&written[..], b"/hooks/post-checkout"].concat();
    let planted = hook.clone();
    let mut commands = some(dice, ASKED, 4);
    commands.push(words("pick hostile"));
    if dice.below(3) == 0 {
        // The hostile tree is what is there already, and its removal is asked for.
        world.repo.git(&["symbolic-ref", "HEAD", "refs/heads/hostile"]);
    }
    Case::new(name.escape_ascii().to_string(), world, commands, move |world| {
        let path = at(world, &planted);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "#!/bin/sh\nhostile\n").unwrap();
    })
    .wrong_if(move |world| at(world, &hook).exists())
}

pub(crate) fn shapes(dice: &mut Seeded) -> Case {
    let world = World::new();
    let repo = &world.repo;
    let file = |mode, name: &'static [u8]| Row::file(repo, mode, name, b"hostile\n");
    let null = "0".repeat(40);
    let (what, rows) = match dice.below(7) {
        0 => ("the same name twice", vec![file("100644", b"x"), file("100755", b"x")]),
        1 => ("a null id", vec![Row::raw("100644", b"x", null)]),
        2 => ("a null tree", vec![Row::raw("40000", b"x", null)]),
        3 => ("mode 0", vec![file("0", b"x")]),
        4 => ("an unknown mode", vec![file("20644", b"x")]),
        5 => ("a folder that is a blob", vec![file("40000", b"x")]),
        _ => (
            "a file and a folder",
            vec![file("100644", b"x"), Row::raw("40000", b"x", repo.git(&["rev-parse", "main:src"]))],
        ),
    };
    let tree = commit_raw(&world, &rows);
    let mut commands = some(dice, ASKED, 4);
    commands.push(words("pick hostile"));
    Case::new(what, world, commands, |world| {
        world.git(&["update-ref", "refs/heads/main", "hostile"], &[]);
    })
    .wrong_if(move |world| {
        let listed = world.repo.try_git(&["ls-tree", "-r", "-t", "HEAD"]).stdout;
        let listed = String::from_utf8_lossy(&listed).into_owned();
        world.repo.git(&["rev-parse", "HEAD^{tree}"]) == tree || listed.contains(&"0".repeat(40))
    })
}

pub(crate) fn links(dice: &mut Seeded) -> Case {
    const NAMES: [&str; 12] = [
        ".gitmodules",
        ".gitattributes",
        ".gitignore",
        ".mailmap",
        ".GITMODULES",
        ".gitAttributes",
        ".gitignore ",
        ".gitmodules.",
        "gitmod~1",
        "GI7D29~1",
        ".gitat\u{200c}tributes",
        ".gitignore::$DATA",
    ];
    let world = World::new();
    let name = one(dice, &NAMES);
    let link = Row::file(&world.repo, "120000", name.as_bytes(), b"../outside/canary");
    commit(&world, vec![(name.as_bytes().to_vec(), link)]);
    let mut commands = some(dice, ASKED, 4);
    commands.push(words("pick hostile"));
    Case::new(name, world, commands, move |world| {
        symlink("../outside/canary", world.path().join(name)).unwrap();
    })
    .wrong_if(move |world| world.path().join(name).is_symlink())
}

pub(crate) fn link_and_folder(dice: &mut Seeded) -> Case {
    let world = World::new();
    let target = one(dice, &["../outside", "../outside/folder", ".git/hooks", "../outside/empty/../folder"]);
    let repo = &world.repo;
    let planted = Row::file(repo, "100755", b"canary", b"hostile\n");
    let folder = hostile::tree(repo, &[planted]);
    let link = || (b"d".to_vec(), Row::file(repo, "120000", b"d", target.as_bytes()));
    let inside = || (b"d/".to_vec(), Row::raw("40000", b"d", folder.clone()));
    let mut commands = some(dice, ASKED, 3);
    let what = match dice.below(4) {
        0 => {
            commit(&world, vec![link(), inside()]);
            commands.push(words("pick hostile"));
            "both in one tree"
        }
        1 => {
            symlink(target, world.path().join("d")).unwrap();
            repo.commit("a link", &[("b", "b2\n")]);
            commit(&world, vec![inside()]);
            commands.insert(0, words("pick hostile"));
            commands.push(words("restore d -s hostile --allow-loss"));
            "a folder where a link is checked out"
        }
        2 => {
            commit(&world, vec![inside()]);
            symlink(target, world.path().join("d")).unwrap();
            commands.push(words("pick hostile"));
            commands.push(words("restore d/canary -s hostile"));
            "a folder where an untracked link stands"
        }
        _ => {
            repo.commit("a folder", &[("d/canary", "old\n")]);
            repo.commit("its end", &[("d/canary", "new\n")]);
            fs::remove_dir_all(world.path().join("d")).unwrap();
            symlink(target, world.path().join("d")).unwrap();
            commit(&world, vec![inside()]);
            commands.push(words("revert --file d/canary --allow-loss"));
            commands.push(words("restore d/canary -s HEAD~1 --allow-loss"));
            "a link where a folder was checked out"
        }
    };
    Case::new(format!("{what}, to {target}"), world, commands, move |world| {
        let link = world.path().join("d");
        if !link.is_symlink() {
            symlink(target, &link).unwrap();
        }
        fs::write(link.join("canary"), "hostile\n").unwrap();
    })
}

pub(crate) fn procedures(dice: &mut Seeded) -> Case {
    let world = World::new();
    let name = one(dice, &["evil", "matriz", "wp5"]);
    let command = match dice.below(3) {
        0 => format!("[\"{}\"]", world.trap),
        1 => "[\"./evil.sh\"]".to_owned(),
        _ => format!("[\"sh\", \"-c\", \"{} x\"]", world.trap),
    };
    let text = format!(
        "schema = 1\nid = \"{name}\"\ntitle = \"Evil\"\n[phase.main]\ntarget = {{ path = \"src/a.txt\" }}\n\
         validate = [\"trap\"]\nafter = [\"boom\"]\n[[phase.main.ladder]]\nuse = \"revert-commit\"\n\
         [[check]]\nid = \"trap\"\nrun = {command}\ntimeout = \"5s\"\n\
         [[step]]\nid = \"boom\"\ntitle = \"Boom\"\nrun = {command}\n"
    );
    let script = format!("#!/bin/sh\nexec {} x\n", world.trap);
    world.repo.write("evil.sh", script);
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(world.path().join("evil.sh"), executable).unwrap();
    let file = format!(".rb/procedures/{name}.toml");
    world.repo.commit("hostile", &[(&file, text)]);
    world.repo.git(&["branch", "hostile"]);
    let lines = [
        format!("run {name}"),
        format!("run {name} --yes"),
        format!("run {file} --yes"),
        format!("run {file} --dry-run"),
        format!("procedure check {file}"),
        format!("procedure show {file}"),
        "procedure list".into(),
        format!("verify {file}"),
        format!("run {file} --yes --trusted-hash {}", "0".repeat(64)),
        "resume".into(),
        "trust".into(),
        format!("trust {file}"),
    ];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let commands = some(dice, &lines, 6);
    Case::new(format!("{file}: {command}"), world, commands, move |world| {
        let refused = world.rb(&words(&format!("verify {file} --trusted-hash 0")), &[]).1;
        let (_, hash) = refused.rsplit_once("--trusted-hash ").unwrap_or_else(|| panic!("{refused}"));
        world.rb(&words(&format!("run {file} --yes --trusted-hash {}", hash.trim())), &[]);
    })
}
