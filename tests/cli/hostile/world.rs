//! The repository under attack, what lies around it, and the harm that is looked for.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use test_kit::Sandbox;

/// A repository with something outside that must stay as it is, and a program that must not run.
pub(crate) struct World {
    pub(crate) repo: Sandbox,
    /// The program; it takes down that it ran and passes on what it is given.
    pub(crate) trap: String,
    /// A folder beside the repository.
    pub(crate) outside: PathBuf,
}

/// What lies around the repository, and in it where code could be planted.
pub(crate) type Surroundings = BTreeMap<PathBuf, String>;

impl World {
    /// Two commits on `main`, checked out.
    pub(crate) fn new() -> Self {
        let repo = Sandbox::new();
        repo.commit("one", &[("src/a.txt", "one\n"), ("b", "b\n")]);
        repo.commit("two", &[("src/a.txt", "two\n")]);
        let around = repo.path().parent().unwrap().to_owned();
        let outside = around.join("outside");
        fs::create_dir_all(outside.join("empty")).unwrap();
        fs::write(outside.join("canary"), "canary\n").unwrap();
        fs::create_dir_all(outside.join("folder")).unwrap();
        fs::write(outside.join("folder/canary"), "canary\n").unwrap();
        let trap = around.join("trap");
        fs::create_dir(around.join("home")).unwrap();
        let mark = around.join("ran");
        fs::write(&trap, format!("#!/bin/sh\necho \"$0 $*\" >> '{}'\ncat\n", mark.display())).unwrap();
        fs::set_permissions(&trap, fs::Permissions::from_mode(0o755)).unwrap();
        Self { trap: trap.display().to_string(), outside, repo }
    }

    pub(crate) fn path(&self) -> &Path {
        self.repo.path()
    }

    pub(crate) fn git_dir(&self) -> PathBuf {
        self.repo.path().join(".git")
    }

    /// Runs `rb`; the exit code and what it wrote.
    pub(crate) fn rb(&self, words: &[String], variables: &[(String, String)]) -> (i32, String) {
        let mut command = self.repo.command("timeout");
        command.args(["-k", "5", "60", env!("CARGO_BIN_EXE_rb")]).args(words);
        command.envs(variables.iter().map(|(name, value)| (name, value))).stdin(Stdio::null());
        let output = command.output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&text).into_owned())
    }

    /// Runs git with variables, whatever comes of it.
    pub(crate) fn git(&self, words: &[&str], variables: &[(String, String)]) {
        let with = |program: &str, args: &[&str]| {
            let mut command = self.repo.command(program);
            command.args(args);
            command
        };
        let line = format!("git {}", words.join(" "));
        let mut command = match words.first() {
            // git starts a pager on a terminal alone,
            Some(&"-p") => with("script", &["-qec", &line, "/dev/null"]),
            // and asks for a password where it is told what for.
            Some(&"credential") => {
                with("sh", &["-c", &format!("printf 'protocol=https\\nhost=x\\n\\n' | {line}")])
            }
            _ => with("git", words),
        };
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).output().unwrap();
    }

    pub(crate) fn surroundings(&self) -> Surroundings {
        let mut found = Surroundings::new();
        let around = self.repo.path().parent().unwrap();
        let mut folders = vec![around.to_owned(), self.git_dir().join("hooks"), self.git_dir().join("info")];
        found.insert("config".into(), describe(&self.git_dir().join("config")));
        while let Some(folder) = folders.pop() {
            for path in fs::read_dir(&folder).into_iter().flatten().map(|row| row.unwrap().path()) {
                if path == self.repo.path() {
                    continue;
                }
                found.insert(path.clone(), describe(&path));
                if path.is_dir() && !path.is_symlink() {
                    folders.push(path);
                }
            }
        }
        found
    }
}

fn describe(path: &Path) -> String {
    let Ok(metadata) = path.symlink_metadata() else { return "nothing".into() };
    let mode = metadata.permissions().mode();
    if metadata.is_symlink() {
        return format!("{mode:o} {}", fs::read_link(path).unwrap().display());
    }
    match metadata.is_dir() {
        true => format!("{mode:o} folder"),
        false => format!("{mode:o} {}", fs::read(path).unwrap_or_default().escape_ascii()),
    }
}

/// Whether something happened that must not.
pub(crate) type Wrong = Box<dyn Fn(&World) -> bool>;

/// A hostile input, and what is asked of it.
pub(crate) struct Case {
    pub(crate) what: String,
    pub(crate) world: World,
    pub(crate) commands: Vec<Vec<String>>,
    pub(crate) variables: Vec<(String, String)>,
    /// What else would be harm, in the repository itself.
    pub(crate) wrong: Wrong,
    /// Does the harm by naive means, or has git do it.
    pub(crate) control: Box<dyn Fn(&World)>,
}

impl Case {
    pub(crate) fn new(
        what: impl Into<String>,
        world: World,
        commands: Vec<Vec<String>>,
        control: impl Fn(&World) + 'static,
    ) -> Self {
        let control = Box::new(control);
        Self {
            what: what.into(),
            world,
            commands,
            variables: Vec::new(),
            wrong: Box::new(|_| false),
            control,
        }
    }

    pub(crate) fn wrong_if(mut self, wrong: impl Fn(&World) -> bool + 'static) -> Self {
        self.wrong = Box::new(wrong);
        self
    }

    /// What changed that must not have.
    pub(crate) fn harm(&self, before: &Surroundings) -> Vec<String> {
        let after = self.world.surroundings();
        let names: BTreeSet<_> = before.keys().chain(after.keys()).collect();
        let changed = names.into_iter().filter(|name| before.get(*name) != after.get(*name));
        let mut harm: Vec<String> = changed.map(|name| name.display().to_string()).collect();
        if (self.wrong)(&self.world) {
            harm.push("in the repository".into());
        }
        harm
    }
}
