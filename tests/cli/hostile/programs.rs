//! Programs that a repository or the environment names: none of them runs unasked.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use test_kit::suite::Seeded;

use super::world::{Case, World};
use super::{one, some};

/// What may ask for a program: landings, messages, comparisons with git.
const TEMPTING: &[&str] = &[
    "status",
    "history src/a.txt",
    "revert HEAD",
    "revert HEAD -n",
    "revert HEAD --dry-run",
    "revert HEAD --cross-check",
    "revert HEAD~1",
    "pick HEAD~1 --allow-noop",
    "restore src/a.txt -s HEAD~1 --allow-loss",
    "restore src/a.txt -s HEAD~1 -n --allow-loss",
    "checkpoint create safe",
    "checkpoint restore safe",
    "undo",
    "ops",
    "report",
    "trust",
];

/// A key of the configuration, what else has to be set for it to count, and how git is brought to run it.
struct Key {
    name: &'static str,
    also: &'static [(&'static str, &'static str)],
    attributes: &'static str,
    /// Words of git, several commands parted by `;`.
    git: &'static str,
}

const fn key(name: &'static str, git: &'static str) -> Key {
    Key { name, also: &[], attributes: "", git }
}

const fn with(name: &'static str, attributes: &'static str, git: &'static str) -> Key {
    Key { name, also: &[], attributes, git }
}

const KEYS: &[Key] = &[
    key("core.fsmonitor", "status"),
    key("core.pager", "-p log"),
    key("core.editor", "commit --amend --allow-empty"),
    key("sequence.editor", "rebase -i HEAD~1"),
    key("core.sshCommand", "ls-remote ssh://nowhere.invalid/x"),
    key("core.askPass", "ls-remote https://user@127.0.0.1:1/x;credential fill"),
    key("core.gitProxy", "ls-remote git://nowhere.invalid/x"),
    key("diff.external", "diff HEAD~1 HEAD"),
    key("alias.evil", "evil"),
    key("credential.helper", "credential fill"),
    Key {
        name: "gpg.program",
        also: &[("commit.gpgSign", "true")],
        attributes: "",
        git: "commit --allow-empty -m x",
    },
    Key {
        name: "gpg.ssh.program",
        also: &[("commit.gpgSign", "true"), ("gpg.format", "ssh"), ("user.signingKey", "key")],
        attributes: "",
        git: "commit --allow-empty -m x",
    },
    Key {
        name: "gpg.x509.program",
        also: &[("commit.gpgSign", "true"), ("gpg.format", "x509")],
        attributes: "",
        git: "commit --allow-empty -m x",
    },
    with("diff.x.textconv", "* diff=x\n", "log -p"),
    with("diff.x.command", "* diff=x\n", "diff HEAD~1 HEAD"),
    with("filter.x.smudge", "* filter=x\n", "checkout -f HEAD~1;revert --no-edit HEAD"),
    with("filter.x.clean", "* filter=x\n", "add --renormalize ."),
    with("filter.x.process", "* filter=x\n", "checkout -f HEAD~1"),
    with(
        "merge.x.driver",
        "* merge=x\n",
        "revert --no-edit HEAD~1;merge-tree --write-tree --merge-base=HEAD~1 HEAD left",
    ),
];

pub(crate) fn configured(dice: &mut Seeded) -> Case {
    let world = World::new();
    let key = &KEYS[dice.below(KEYS.len())];
    world.git(&["branch", "left"], &[]);
    if !key.attributes.is_empty() {
        // The attributes of a repository come from three places.
        match dice.below(3) {
            0 => world.repo.write(".gitattributes", key.attributes),
            1 => {
                fs::create_dir_all(world.git_dir().join("info")).unwrap();
                fs::write(world.git_dir().join("info/attributes"), key.attributes).unwrap();
            }
            _ => {
                fs::write(world.git_dir().join("attributes"), key.attributes).unwrap();
                let file = world.git_dir().join("attributes").display().to_string();
                world.repo.git(&["config", "core.attributesFile", &file]);
            }
        }
        world.repo.commit("attributes", &[("b", "b2\n"), ("src/a.txt", "three\n")]);
    }
    // Something to merge: the other side changes the same file elsewhere.
    world.repo.commit("four", &[("src/a.txt", "two\nmore\n")]);
    let value = match key.name {
        "alias.evil" => format!("!{}", world.trap),
        _ => world.trap.clone(),
    };
    let also = key.also.iter().map(|(name, value)| (*name, (*value).to_owned()));
    let settings: Vec<_> = also.chain([(key.name, value)]).collect();
    let how = dice.below(4);
    let more = world.git_dir().join("more");
    for (name, value) in &settings {
        match how {
            0 => world.repo.git(&["config", name, value]),
            1 => {
                world.repo.git(&["config", "extensions.worktreeConfig", "true"]);
                world.repo.git(&["config", "--worktree", name, value])
            }
            2 => world.repo.git(&["config", "--file", &more.display().to_string(), name, value]),
            _ => {
                world.repo.git(&["config", "--file", &more.display().to_string(), name, value]);
                let condition = format!("includeIf.gitdir:{}/.path", world.path().display());
                world.repo.git(&["config", &condition, "more"])
            }
        };
    }
    if how == 2 {
        world.repo.git(&["config", "include.path", "more"]);
    }
    // Setting it up may have asked for it.
    let _ = fs::remove_file(world.path().parent().unwrap().join("ran"));
    let commands = some(dice, TEMPTING, 6);
    Case::new(format!("{}, way {how}", key.name), world, commands, |world| {
        for line in key.git.split(';') {
            let words: Vec<&str> = line.split(' ').collect();
            world.git(&words, &[("PAGER".into(), String::new())]);
        }
    })
}

pub(crate) fn hooks(dice: &mut Seeded) -> Case {
    const NAMES: [(&str, &str); 9] = [
        ("pre-commit", "commit --allow-empty -m x"),
        ("prepare-commit-msg", "commit --allow-empty -m x"),
        ("commit-msg", "commit --allow-empty -m x"),
        ("post-commit", "commit --allow-empty -m x"),
        ("post-checkout", "checkout -f HEAD~1"),
        ("post-rewrite", "commit --amend --no-edit --allow-empty"),
        ("reference-transaction", "branch x"),
        ("post-index-change", "update-index --force-write-index"),
        ("pre-auto-gc", "-c gc.auto=1 gc --auto"),
    ];
    let world = World::new();
    let (name, git) = one(dice, &NAMES);
    if name == "pre-auto-gc" {
        for number in 0..600 {
            let text = format!("{number}\n");
            world.repo.git_with_input(&["hash-object", "-w", "--stdin"], text.as_bytes());
        }
    }
    let folder = match dice.below(3) {
        0 => world.git_dir().join("hooks"),
        1 => {
            world.repo.git(&["config", "core.hooksPath", ".hooks"]);
            world.path().join(".hooks")
        }
        _ => {
            let folder = world.git_dir().join("other-hooks");
            world.repo.git(&["config", "core.hooksPath", &folder.display().to_string()]);
            folder
        }
    };
    fs::create_dir_all(&folder).unwrap();
    fs::copy(&world.trap, folder.join(name)).unwrap();
    fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    let _ = fs::remove_file(world.path().parent().unwrap().join("ran"));
    let commands = some(dice, TEMPTING, 6);
    Case::new(format!("{name} in {}", folder.display()), world, commands, move |world| {
        let words: Vec<&str> = git.split(' ').collect();
        world.git(&words, &[]);
    })
}

pub(crate) fn variables(dice: &mut Seeded) -> Case {
    let world = World::new();
    let planted = world.outside.join("planted").display().to_string();
    let trap = world.trap.clone();
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let configured = |key: &str| {
        vec![pair("GIT_CONFIG_COUNT", "1"), pair("GIT_CONFIG_KEY_0", key), pair("GIT_CONFIG_VALUE_0", &trap)]
    };
    let (variables, git) = match dice.below(10) {
        0 => (configured("core.fsmonitor"), "status"),
        1 => (configured("diff.external"), "diff HEAD~1 HEAD"),
        2 => (vec![pair("GIT_CONFIG_PARAMETERS", &format!("'core.fsmonitor'='{trap}'"))], "status"),
        3 => (vec![pair("GIT_EXTERNAL_DIFF", &trap)], "diff HEAD~1 HEAD"),
        4 => (vec![pair("GIT_TRACE", &planted)], "status"),
        5 => (vec![pair("GIT_TRACE2_EVENT", &planted)], "status"),
        6 => (vec![pair("GIT_TRACE_SETUP", &planted), pair("GIT_TRACE_PERFORMANCE", &planted)], "status"),
        7 => (vec![pair("GIT_SSH_COMMAND", &trap)], "ls-remote ssh://nowhere.invalid/x"),
        8 => (vec![pair("GIT_PAGER", &trap)], "-p log"),
        _ => (vec![pair("GIT_ASKPASS", &trap)], "credential fill"),
    };
    let commands = some(dice, TEMPTING, 6);
    let shown = format!("{variables:?}");
    let given = variables.clone();
    let mut case = Case::new(shown, world, commands, move |world| {
        let words: Vec<&str> = git.split(' ').collect();
        world.git(&words, &given);
    });
    case.variables = variables;
    case
}
