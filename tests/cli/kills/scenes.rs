//! The commands that are interrupted, and the worlds that they are run in.

use std::fs;
use std::path::{Path, PathBuf};

use test_kit::Sandbox;

use crate::kit::{Run, hash_of, rb_with};

/// A command, and what is done before it.
#[derive(Clone, Copy)]
pub(super) struct Scene {
    pub(super) line: &'static str,
    /// Commands of rb; what follows `>` is the file that the standard output goes to.
    pub(super) before: &'static [&'static str],
    /// Whether the procedure is trusted.
    trusted: bool,
    /// Whether the procedure asks, and its run waits for the answer.
    waits: bool,
    pub(super) end: End,
}

/// What it means that a command has come to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The repository is in the state that the command leaves, by one landing. The command again would do more.
    Landed,
    /// As `Landed`, with a step that is done once at most, and no run is open.
    Run,
    NoRunIsOpen,
    Published,
    Verified,
    Pruned,
    Kept,
    Trusted,
}

const fn scene(line: &'static str, before: &'static [&'static str], end: End) -> Scene {
    let trusted = matches!(end, End::Run | End::NoRunIsOpen | End::Published | End::Verified);
    Scene { line, before, trusted, waits: false, end }
}

/// A scene whose run waits for an answer.
const fn waiting(line: &'static str, end: End) -> Scene {
    Scene { line, before: &["run p -y"], trusted: true, waits: true, end }
}

pub(super) const SCENES: [Scene; 16] = [
    scene("run p -y", &[], End::Run),
    waiting("resume -y --confirm ready", End::Run),
    waiting("abort", End::NoRunIsOpen),
    scene("publish --yes", &["run p -y"], End::Published),
    scene("verify p", &[], End::Verified),
    scene("prune --keep 0s", &["revert HEAD~1", "undo", "checkpoint create k"], End::Pruned),
    scene("checkpoint restore k", &["checkpoint create k", "revert HEAD~1"], End::Landed),
    scene("trust p --hash HASH", &[], End::Trusted),
    scene("undo", &["revert HEAD~1"], End::Landed),
    scene("apply ../plan", &["revert HEAD~1 --dry-run --json > ../plan"], End::Landed),
    scene("revert HEAD~2..HEAD", &[], End::Landed),
    scene("revert HEAD~1 --branch out", &[], End::Landed),
    scene("revert HEAD~1 -n", &[], End::Landed),
    scene("reapply HEAD", &["revert HEAD~1"], End::Landed),
    scene("restore a -s HEAD~2 --allow-loss", &[], End::Landed),
    scene("checkpoint create k", &[], End::Kept),
];

/// A repository in which a scene can begin, and its remote.
pub(super) struct World {
    pub(super) repo: Sandbox,
    /// Lies elsewhere: a power cut at home is none there.
    remote: Sandbox,
    /// The hash that the procedure is trusted by.
    hash: String,
    pub(super) scene: Scene,
}

impl World {
    /// The words of the command.
    pub(super) fn line(&self) -> String {
        self.scene.line.replace("HASH", &self.hash)
    }

    /// The folder for temporary files, which lies on the same disk.
    pub(super) fn temp(&self) -> PathBuf {
        let temp = self.repo.around().join("temp");
        fs::create_dir_all(&temp).expect("a folder");
        temp
    }

    #[track_caller]
    pub(super) fn rb(&self, line: &str) -> Run {
        let temp = self.temp().display().to_string();
        rb_with(&self.repo, &line.split(' ').collect::<Vec<_>>(), "", &[("TMPDIR", &temp)])
    }

    /// A copy of everything below `parent`. Trust is for one path, so it is given again.
    pub(super) fn copy_in(&self, parent: &Path) -> Self {
        let (repo, remote) = (self.repo.twin_with_surroundings(parent), self.remote.twin());
        repo.git(&["remote", "set-url", "origin", &remote.path().display().to_string()]);
        let copy = Self { repo, remote, hash: self.hash.clone(), scene: self.scene };
        if copy.scene.trusted {
            copy.trust();
        }
        copy
    }

    fn trust(&self) {
        let trusted = self.rb(&format!("trust p --hash {}", self.hash));
        assert_eq!(trusted.code, 0, "{}{}", trusted.stdout, trusted.stderr);
    }
}

/// What every scene begins with: once with a procedure that asks nothing, and once with one that asks.
pub(super) struct Start {
    plain: World,
    asking: World,
}

impl Start {
    pub(super) fn new() -> Self {
        Self { plain: world(""), asking: world("[[precheck]]\nid = \"ready\"\nask = \"Is it so?\"\n") }
    }

    /// The world right before the command of the scene.
    pub(super) fn begin(&self, scene: Scene) -> World {
        let start = if scene.waits { &self.asking } else { &self.plain };
        let mut world = start.copy_in(&std::env::temp_dir());
        world.scene = scene;
        if scene.trusted {
            world.trust();
        }
        for line in scene.before {
            let (line, file) =
                line.split_once(" > ").map_or((*line, None), |(line, file)| (line, Some(file)));
            let ended = world.rb(line);
            let code = if scene.waits { 7 } else { 0 };
            assert_eq!(ended.code, code, "{line}: {}{}", ended.stdout, ended.stderr);
            if let Some(file) = file {
                fs::write(world.repo.path().join(file), ended.stdout).expect("it can be written");
            }
        }
        world
    }
}

/// A procedure that takes 'the change' back after a step that must not be repeated, and a remote.
fn world(asks: &str) -> World {
    let (repo, remote) = (Sandbox::new(), Sandbox::bare());
    repo.commit("good", &[("a", "1\n")]);
    repo.commit("the change", &[("a", "2\n")]);
    repo.write(
        ".rb/procedures/p.toml",
        format!(
            "schema = 1\nid = \"p\"\ndefault_phase = \"x\"\n[publish]\npush = \"origin\"\n[phase.x]\npaths = [\"a\"]\n\
             ladder = [{{ use = \"revert-commit\" }}]\ntarget = {{ grep = \"the change\" }}\nbefore = [\"s\"]\n\
             verify = [\"v\"]\n[[step]]\nid = \"s\"\nrun = [\"sh\", \"-c\", \"echo step >> .git/side\"]\n\
             [[check]]\nid = \"v\"\nrun = [\"true\"]\nlive = true\n{asks}"
        ),
    );
    repo.commit("procedure", &[("b", "b\n")]);
    repo.git(&["remote", "add", "origin", &remote.path().display().to_string()]);
    repo.git(&["push", "-q", "-u", "origin", "main"]);
    let hash = hash_of(&repo, &["trust", "p"]);
    World { repo, remote, hash, scene: scene("", &[], End::Landed) }
}
