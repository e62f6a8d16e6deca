//! A repository, programs that stand in for the outside world, and a clock that passes when it is waited on.

pub(crate) use std::cell::{Cell, RefCell};
pub(crate) use std::fs;
pub(crate) use std::os::unix::fs::PermissionsExt;
pub(crate) use std::panic::AssertUnwindSafe;
pub(crate) use std::time::Duration;

use jiff::Timestamp;
pub(crate) use rollback_core::checkpoint::CheckpointOptions;
pub(crate) use rollback_core::procedure::Procedure;
pub(crate) use rollback_core::procedure::check::Outcome;
pub(crate) use rollback_core::procedure::engine::{
    Clock, Ending, Engine, EngineError, Event, On, Purpose, Resumption, RunRequest, RunState, RunStatus,
    UnitKind, UnitState, fingerprint, runs,
};
pub(crate) use rollback_core::process::SystemRunner;
pub(crate) use rollback_core::receipt::{CommitTime, Identity};
pub(crate) use rollback_core::{Error, Repo};
pub(crate) use test_kit::{Fixture, Sandbox};

/// A clock that passes when it is waited on.
pub(crate) struct Hand(pub(crate) std::sync::atomic::AtomicI64);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(1_762_941_600 + self.0.load(std::sync::atomic::Ordering::Relaxed)).unwrap()
    }

    fn wait(&self, time: Duration) {
        self.0.fetch_add(i64::try_from(time.as_secs()).unwrap(), std::sync::atomic::Ordering::Relaxed);
    }
}

pub(crate) struct Bench {
    pub(crate) sandbox: Sandbox,
    pub(crate) home: tempfile::TempDir,
    pub(crate) clock: Hand,
}

impl Bench {
    pub(crate) fn new(sandbox: Sandbox) -> Self {
        let bench = Self { sandbox, home: tempfile::tempdir().unwrap(), clock: Hand(0.into()) };
        fs::create_dir(bench.home.path().join("bin")).unwrap();
        bench
    }

    /// With the programs of the outside world that the demos bring.
    pub(crate) fn with_programs(sandbox: Sandbox) -> Self {
        let bench = Self::new(sandbox);
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../rollback-cli/demos/programs");
        for row in fs::read_dir(folder).unwrap() {
            let row = row.unwrap();
            let to = bench.home.path().join("bin").join(row.file_name());
            fs::copy(row.path(), &to).unwrap();
            fs::set_permissions(to, fs::Permissions::from_mode(0o755)).unwrap();
        }
        bench
    }

    /// Lets a program fail from now on.
    pub(crate) fn fail(&self, program: &str) {
        fs::write(self.home.path().join("fail"), format!("{program}\n")).unwrap();
    }

    /// What was called, with its arguments.
    pub(crate) fn calls(&self) -> String {
        fs::read_to_string(self.home.path().join("calls")).unwrap_or_default()
    }

    /// A file of the work tree.
    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.sandbox.path().join(path)).unwrap_or_else(|_| "missing".into())
    }

    /// A program that stands in for one of the outside world.
    pub(crate) fn program(&self, name: &str, script: &str) {
        let file = self.home.path().join("bin").join(name);
        fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
    }

    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        let home = self.home.path().display();
        match name {
            "PATH" => Some(format!("{home}/bin:{}", std::env::var("PATH").unwrap())),
            "HOME" => Some(home.to_string()),
            "STATUS_PAGE_TOKEN" => Some("status-secret-token".into()),
            "API_TOKEN" => Some("correct-horse-battery".into()),
            _ => None,
        }
    }

    pub(crate) fn with<T>(&self, work: impl FnOnce(&Engine<'_>, &Repo) -> T) -> T {
        let repo = Repo::discover(self.sandbox.path()).unwrap();
        let environment = |name: &str| self.variable(name);
        let engine = Engine::new(&repo, &SystemRunner, &self.clock, &environment);
        work(&engine, &repo)
    }

    pub(crate) fn request(&self, procedure: &Procedure) -> RunRequest {
        let mut request = RunRequest::default();
        request.trusted_hash = Some(fingerprint(procedure, Some(self.sandbox.path())).hash);
        request.landing.identity = Some(Identity::new("Ada", "ada@example.com"));
        request.landing.time = Some(CommitTime::new(1_762_941_600, 0));
        request.reason = "imports fail".into();
        request
    }

    pub(crate) fn start(&self, procedure: &Procedure, request: RunRequest) -> Result<RunState, EngineError> {
        self.with(|engine, _| engine.start(procedure, request, &mut ()))
    }

    pub(crate) fn resume(&self, procedure: &Procedure, how: Resumption) -> Result<RunState, EngineError> {
        self.with(|engine, _| engine.resume(procedure, None, how, &mut ()))
    }

    pub(crate) fn resumption(&self, procedure: &Procedure) -> Resumption {
        let mut how = Resumption::default();
        how.request = self.request(procedure);
        how
    }

    pub(crate) fn head(&self) -> String {
        self.sandbox.git(&["rev-parse", "HEAD"])
    }
}

pub(crate) fn built_in(name: &str) -> Procedure {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../rollback-cli/procedures");
    let bytes = fs::read(folder.join(format!("{name}.toml"))).unwrap();
    Procedure::parse(&format!("{name}.toml"), &bytes, &folder).unwrap()
}

pub(crate) fn procedure(text: &str) -> Procedure {
    let text = format!("schema = 1\nid = \"x\"\n{text}");
    Procedure::parse("x.toml", text.as_bytes(), &()).unwrap_or_else(|problems| panic!("{problems}"))
}

/// A file that a commit removed, and a check that wants it back.
pub(crate) fn removed() -> Sandbox {
    let repo = Sandbox::new();
    repo.commit("add", &[("shim.py", "one\ntwo\nthree\n"), ("other.py", "o\n"), ("count", "15\n")]);
    repo.git(&["rm", "-q", "shim.py"]);
    repo.commit("remove shim", &[("other.py", "o2\n")]);
    repo
}

pub(crate) const RESTORE: &str = r#"
[phase.shim]
target = { deleted = "shim.py" }
paths = ["shim.py"]
validate = ["smoke"]
ladder = [{ use = "revert-commit" }, { use = "restore-file", from = "last-good", when = ["validation-failed", "conflict"] }]
[[check]]
id = "smoke"
run = ["sh", "-c", "test -f shim.py && echo $(cat count) passed"]
expect = { capture = '(\d+) passed', eq = 15 }
"#;

pub(crate) const TRAFFIC: &str = r#"
[input.percentage]
type = "percentage"
default = 0
[input.region]
type = "list"
values = ["us", "eu", "ap"]
[[constraint]]
id = "adds-up"
sum = ["traffic.toml:flat", "traffic.toml:hierarchical"]
op = "=="
value = 100
[phase.canary]
gradual = { over = "10m", steps = 5 }
[phase.canary.set]
"traffic.toml:hierarchical" = "{input.percentage}"
"traffic.toml:flat" = "100 - {input.percentage}"
[phase.broken]
set = { "traffic.toml:flat" = 90 }
[phase.regions]
each = "region"
set = { "regions/{each.value}.toml:on" = false }
"#;

pub(crate) fn traffic() -> Sandbox {
    let repo = Sandbox::new();
    let on = "on = true # live\n";
    repo.commit(
        "state",
        &[
            ("traffic.toml", "flat = 93\nhierarchical = 7 # canary\n"),
            ("regions/us.toml", on),
            ("regions/eu.toml", on),
            ("regions/ap.toml", on),
        ],
    );
    repo
}

/// A branch of two commits that was merged, and one later commit on another file.
pub(crate) fn merged() -> Sandbox {
    let repo = Sandbox::new();
    repo.commit("base", &[("src/rng.py", "pickle\n"), ("src/state.py", "old\n"), ("other", "o\n")]);
    repo.git(&["checkout", "-q", "-b", "feature/rng"]);
    repo.commit("RNG: encode as JSON", &[("src/rng.py", "json\n")]);
    repo.commit("RNG: migrate", &[("src/state.py", "new\n"), ("src/migrations/to_json.py", "m\n")]);
    repo.git(&["checkout", "-q", "main"]);
    repo.git(&["merge", "-q", "--no-ff", "-m", "Merge branch 'feature/rng'", "feature/rng"]);
    repo.commit("later", &[("other", "o2\n")]);
    repo
}

/// Whether what was due after a run has been done.
pub(crate) fn has_followed_up(run: &RunState, id: &str) -> bool {
    run.unit(UnitKind::Followup, id).is_some_and(|unit| unit.state == UnitState::Done)
}
