//! Runs: what lands, what does not, what pauses, and what is left after a crash.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "what fails in a test says so by its line")]

use std::cell::{Cell, RefCell};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use jiff::Timestamp;
use rollback_core::checkpoint::CheckpointOptions;
use rollback_core::procedure::Procedure;
use rollback_core::procedure::check::Outcome;
use rollback_core::procedure::engine::{
    Clock, Ending, Engine, EngineError, Event, On, Resumption, RunRequest, RunState, RunStatus, UnitState,
    fingerprint, runs,
};
use rollback_core::process::SystemRunner;
use rollback_core::receipt::{CommitTime, Identity};
use rollback_core::{Error, Repo};
use test_kit::{Fixture, Sandbox};

/// A clock that passes when it is waited on.
struct Hand(std::sync::atomic::AtomicI64);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(1_762_941_600 + self.0.load(std::sync::atomic::Ordering::Relaxed)).unwrap()
    }

    fn wait(&self, time: Duration) {
        self.0.fetch_add(i64::try_from(time.as_secs()).unwrap(), std::sync::atomic::Ordering::Relaxed);
    }
}

struct Bench {
    sandbox: Sandbox,
    home: tempfile::TempDir,
    clock: Hand,
}

impl Bench {
    fn new(sandbox: Sandbox) -> Self {
        let bench = Self { sandbox, home: tempfile::tempdir().unwrap(), clock: Hand(0.into()) };
        fs::create_dir(bench.home.path().join("bin")).unwrap();
        bench
    }

    /// A program that stands in for one of the outside world.
    fn program(&self, name: &str, script: &str) {
        let file = self.home.path().join("bin").join(name);
        fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn variable(&self, name: &str) -> Option<String> {
        let home = self.home.path().display();
        match name {
            "PATH" => Some(format!("{home}/bin:{}", std::env::var("PATH").unwrap())),
            "HOME" => Some(home.to_string()),
            "API_TOKEN" => Some("correct-horse-battery".into()),
            _ => None,
        }
    }

    fn with<T>(&self, work: impl FnOnce(&Engine<'_>, &Repo) -> T) -> T {
        let repo = Repo::discover(self.sandbox.path()).unwrap();
        let environment = |name: &str| self.variable(name);
        let engine = Engine {
            repo: &repo,
            runner: &SystemRunner,
            clock: &self.clock,
            environment: &environment,
            cancel: None,
        };
        work(&engine, &repo)
    }

    fn request(&self, procedure: &Procedure) -> RunRequest {
        let mut request = RunRequest::new();
        request.trusted_hash = Some(fingerprint(procedure, Some(self.sandbox.path())).hash);
        request.landing.identity = Some(Identity { name: "Ada".into(), email: "ada@example.com".into() });
        request.landing.time = Some(CommitTime { seconds: 1_762_941_600, offset: 0 });
        request.reason = "imports fail".into();
        request
    }

    fn start(&self, procedure: &Procedure, request: RunRequest) -> Result<RunState, EngineError> {
        self.with(|engine, _| engine.start(procedure, request, &mut ()))
    }

    fn resume(&self, procedure: &Procedure, how: Resumption) -> Result<RunState, EngineError> {
        self.with(|engine, _| engine.resume(procedure, None, how, &mut ()))
    }

    fn resumption(&self, procedure: &Procedure) -> Resumption {
        let mut how = Resumption::new();
        how.request = self.request(procedure);
        how
    }

    fn head(&self) -> String {
        self.sandbox.git(&["rev-parse", "HEAD"])
    }
}

fn built_in(name: &str) -> Procedure {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../rollback-cli/procedures");
    let bytes = fs::read(folder.join(format!("{name}.toml"))).unwrap();
    Procedure::parse(&format!("{name}.toml"), &bytes, &folder).unwrap()
}

fn procedure(text: &str) -> Procedure {
    let text = format!("schema = 1\nid = \"x\"\n{text}");
    Procedure::parse("x.toml", text.as_bytes(), &()).unwrap_or_else(|problems| panic!("{problems}"))
}

/// A file that a commit removed, and a check that wants it back.
fn removed() -> Sandbox {
    let repo = Sandbox::new();
    repo.commit("add", &[("shim.py", "one\ntwo\nthree\n"), ("other.py", "o\n"), ("count", "15\n")]);
    repo.git(&["rm", "-q", "shim.py"]);
    repo.commit("remove shim", &[("other.py", "o2\n")]);
    repo
}

const RESTORE: &str = r#"
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

#[test]
fn a_removed_file_comes_back_checked_red_before_and_green_after() {
    let bench = Bench::new(removed());
    let procedure = procedure(RESTORE);
    let before = bench.head();
    let run = bench.start(&procedure, bench.request(&procedure)).unwrap();
    assert_eq!((run.status, run.ending), (RunStatus::Complete, Some(Ending::Done)));
    assert_eq!(bench.sandbox.git(&["rev-parse", "HEAD^"]), before);
    assert_eq!(bench.head(), run.commits[0].to_string());
    assert_eq!(bench.sandbox.git(&["show", "--format=", "--name-status"]), "A\tshim.py");
    assert_eq!(bench.sandbox.git(&["status", "--porcelain"]), "");
    assert_eq!(run.verdicts["smoke"][&On::Control].outcome, Outcome::Fail);
    assert_eq!(run.verdicts["smoke"][&On::Candidate].outcome, Outcome::Pass);
    let message = bench.sandbox.git(&["log", "-1", "--format=%B"]);
    assert!(
        message.contains(&format!("Rollback-Run: {}", run.id))
            && message.contains("Rollback-Procedure: x/shim")
    );

    let again = bench.start(&procedure, bench.request(&procedure)).unwrap();
    assert_eq!((again.status, again.ending), (RunStatus::NothingToDo, Some(Ending::NothingToDo)));
    assert_eq!(bench.head(), run.commits[0].to_string());
    bench.sandbox.git(&["fsck", "--strict"]);
}

#[test]
fn smoke_with_fourteen_of_fifteen_lands_nothing() {
    let bench = Bench::new(removed());
    bench.sandbox.commit("fewer", &[("count", "14\n")]);
    let procedure = procedure(RESTORE);
    let before = (bench.head(), bench.sandbox.git(&["for-each-ref", "refs/heads"]));
    let run = bench.start(&procedure, bench.request(&procedure)).unwrap();
    assert_eq!((run.status, run.ending), (RunStatus::Failed, Some(Ending::ChecksFailed)));
    assert_eq!((bench.head(), bench.sandbox.git(&["for-each-ref", "refs/heads"])), before);
    let tried: Vec<_> = run.rungs.iter().map(|rung| (rung.at, rung.taken, rung.why.as_str())).collect();
    let why = "smoke: fail: fewer of it than expected (expected 15, found 14)";
    assert_eq!(tried, [(1, false, why), (2, false, why)], "the next eligible rung was tried too");
}

#[test]
fn more_than_the_exact_figure_pauses_until_a_person_confirms_it() {
    let bench = Bench::new(removed());
    bench.sandbox.commit("more", &[("count", "16\n")]);
    let procedure = procedure(RESTORE);
    let run = bench.start(&procedure, bench.request(&procedure)).unwrap();
    assert_eq!((run.status, run.ending), (RunStatus::Paused, Some(Ending::Paused)));
    let pause = run.pause.unwrap();
    assert_eq!(pause.at, "smoke");
    assert!(pause.why.ends_with("(expected 15, found 16)"), "{}", pause.why);

    let mut how = bench.resumption(&procedure);
    how.confirmed = vec!["smoke".into()];
    let run = bench.resume(&procedure, how).unwrap();
    assert_eq!(run.status, RunStatus::Complete);
    assert!(bench.sandbox.path().join("shim.py").exists());
}

#[test]
fn a_conflict_falls_to_restoring_and_what_that_discards_needs_consent() {
    let repo = Sandbox::new();
    repo.commit("base", &[("monitor.py", "a\nb\nc\n")]);
    let extraction =
        repo.commit("extract analyzers", &[("monitor.py", "a\nB\nc\n"), ("analyzers/x.py", "x\n")]);
    let later = repo.commit("later work", &[("monitor.py", "a\nBB\nc\n")]);
    let bench = Bench::new(repo);
    let procedure = procedure(
        r#"
[input.commit]
[phase.extract]
target = { commit = "{input.commit}" }
paths = ["monitor.py", "analyzers"]
[[phase.extract.ladder]]
use = "revert-commit"
scoped = true
[[phase.extract.ladder]]
use = "restore-file"
from = "target^1"
exact = true
when = ["conflict"]
[phase.extract.variant.by-hand]
edits = ["merge"]
[[step]]
id = "merge"
manual = "merge monitor.py in {candidate.folder}"
"#,
    );
    let mut request = bench.request(&procedure);
    let unset = bench.start(&procedure, request.clone()).unwrap_err();
    assert_eq!((unset.code(), unset.to_string().as_str()), ("input-unset", "input 'commit' is not set"));
    request.set = vec![("commit".into(), extraction.clone())];
    let before = bench.head();
    let refused = bench.start(&procedure, request.clone()).unwrap_err();
    match refused {
        EngineError::Core(Error::LossNotAllowed { discards, .. }) => {
            assert_eq!(discards[0].to_string(), later)
        }
        other => panic!("{other}"),
    }
    assert_eq!(bench.head(), before);

    // By hand instead: the later work stays.
    let twin = Bench::new(bench.sandbox.twin());
    let mut by_hand = request.clone();
    by_hand.variant = Some("by-hand".into());
    let run = twin.start(&procedure, by_hand).unwrap();
    let pause = run.pause.unwrap();
    let folder = pause.folder.clone().unwrap();
    assert_eq!(pause.why, format!("merge monitor.py in {}", folder.display()));
    fs::write(folder.join("monitor.py"), "a\nbb\nc\n").unwrap();
    fs::remove_dir_all(folder.join("analyzers")).unwrap();
    let run = twin.resume(&procedure, twin.resumption(&procedure)).unwrap();
    assert_eq!(run.status, RunStatus::Complete, "{:?}", run.units);
    assert_eq!(twin.sandbox.git(&["show", "--format=", "--name-status"]), "D\tanalyzers/x.py\nM\tmonitor.py");

    // With consent the restore lands, and removes what was added.
    request.allow_loss = true;
    let run = bench.start(&procedure, request).unwrap();
    assert_eq!(run.status, RunStatus::Complete);
    assert_eq!(bench.sandbox.git(&["diff", "HEAD", &format!("{extraction}^"), "--stat"]), "");
    assert_eq!(run.rungs.len(), 2);
}

#[test]
fn a_check_that_hangs_is_killed_and_nothing_lands() {
    let bench = Bench::new(removed());
    let text = RESTORE
        .replace("test -f shim.py && echo $(cat count) passed", "trap '' TERM; sleep 60 & wait")
        .replace("id = \"smoke\"", "id = \"smoke\"\ntimeout = \"300ms\"\ncontrol = false");
    let procedure = procedure(&text);
    let before = bench.head();
    let started = std::time::Instant::now();
    let run = bench.start(&procedure, bench.request(&procedure)).unwrap();
    assert!(started.elapsed() < Duration::from_secs(20));
    assert_eq!((run.ending, bench.head()), (Some(Ending::ChecksFailed), before));
    assert_eq!(run.verdicts["smoke"][&On::Candidate].outcome, Outcome::Error);
}

#[test]
fn consent_is_asked_for_before_anything_changes() {
    let bench = Bench::new(removed());
    let procedure = procedure(
        &RESTORE
            .replace(
                "[phase.shim]\n",
                "authority = [\"sre\"]\n[role.sre]\n[role.lead]\n[phase.shim]\napprovals = [\"lead\"]\nconfirm = \"yes really\"\n",
            ),
    );
    let mut request = bench.request(&procedure);
    let before = bench.sandbox.git(&["for-each-ref"]);
    let code = |request: &RunRequest| bench.start(&procedure, request.clone()).unwrap_err().code();
    assert_eq!(code(&request), "authority-missing");
    request.roles = vec!["sre".into()];
    assert_eq!(code(&request), "approval-missing");
    request.approvals = vec![("lead".into(), "Grace".into())];
    assert_eq!(code(&request), "confirmation-missing");
    request.words = Some("yes really".into());
    let trusted = request.trusted_hash.take();
    assert_eq!(code(&request), "not-trusted");
    request.trusted_hash = Some("0".repeat(64));
    assert_eq!(code(&request), "not-trusted");
    assert_eq!(bench.sandbox.git(&["for-each-ref"]), before);
    request.trusted_hash = trusted;
    assert_eq!(bench.start(&procedure, request).unwrap().status, RunStatus::Complete);
}

#[test]
fn a_procedure_or_a_script_that_changed_after_it_was_trusted_does_not_run() {
    let repo = removed();
    repo.write("check.sh", "#!/bin/sh\necho 15 passed\n");
    fs::set_permissions(repo.path().join("check.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    let bench = Bench::new(repo);
    bench.sandbox.commit("script", &[("x", "x")]);
    let procedure = procedure(
        &RESTORE
            .replace(r#"["sh", "-c", "test -f shim.py && echo $(cat count) passed"]"#, r#"["./check.sh"]"#),
    );
    let request = bench.request(&procedure);
    bench.sandbox.write("check.sh", "#!/bin/sh\ntouch owned; echo 15 passed\n");
    assert_eq!(bench.start(&procedure, request).unwrap_err().code(), "not-trusted");
    assert!(!bench.sandbox.path().join("owned").exists());
}

#[test]
fn head_that_moved_while_a_run_paused_refuses_to_go_on() {
    let bench = Bench::new(removed());
    let procedure = procedure(&format!("{RESTORE}\n[[precheck]]\nid = \"sure\"\nask = \"sure?\"\n"));
    let run = bench.start(&procedure, bench.request(&procedure)).unwrap();
    assert_eq!(run.pause.unwrap().why, "sure?");
    let other = bench.start(&procedure, bench.request(&procedure)).unwrap_err();
    assert_eq!(other.code(), "concurrent-run");
    bench.sandbox.commit("meanwhile", &[("other.py", "o3\n")]);
    let mut how = bench.resumption(&procedure);
    how.confirmed = vec!["sure".into()];
    assert_eq!(bench.resume(&procedure, how).unwrap_err().code(), "moved");
    let aborted = bench.with(|engine, _| engine.abort(None)).unwrap();
    assert_eq!(aborted.status, RunStatus::Aborted);
}

#[test]
fn an_emergency_skips_questions_and_never_the_backup() {
    let bench = Bench::new(removed());
    let procedure = procedure(&format!(
        "{RESTORE}\n[[precheck]]\nid = \"sure\"\nask = \"sure?\"\n[backup]\nrequired = true\nstep = \"save\"\nverify = \"saved\"\n[[step]]\nid = \"save\"\nrun = [\"true\"]\n[[check]]\nid = \"saved\"\nfile = \"backup.tar\"\nlive = true\nexpect = {{ exists = true }}\n"
    ));
    let mut request = bench.request(&procedure);
    request.emergency = true;
    let before = bench.head();
    let run = bench.start(&procedure, request.clone()).unwrap();
    assert_eq!((run.ending, bench.head()), (Some(Ending::StepFailed), before));
    let failed = run.units.iter().find(|unit| unit.state == UnitState::Failed).unwrap();
    assert!(failed.note.as_ref().unwrap().starts_with("there is no usable backup"), "{failed:?}");
    bench.sandbox.write("backup.tar", "x");
    assert_eq!(bench.start(&procedure, request).unwrap().status, RunStatus::Complete);
}

#[test]
fn a_run_that_dies_anywhere_goes_on_to_the_same_end() {
    let text = format!(
        "{}\n[[step]]\nid = \"sync\"\nrun = [\"sh\", \"-c\", \"echo synced >> synced.log\"]\n",
        RESTORE.replace("validate = [\"smoke\"]", "validate = [\"smoke\"]\nafter = [\"sync\"]")
    );
    let procedure = procedure(&text);
    let undisturbed = Bench::new(removed());
    undisturbed.start(&procedure, undisturbed.request(&procedure)).unwrap();
    let tree = undisturbed.sandbox.git(&["rev-parse", "HEAD^{tree}"]);

    for death in 0.. {
        let bench = Bench::new(removed());
        let events = Cell::new(0);
        let died = RefCell::new(String::new());
        let mut observer = |event: &Event<'_>| {
            if events.get() == death {
                *died.borrow_mut() = format!("{event:?}");
                std::panic::panic_any("the run dies here");
            }
            events.set(events.get() + 1);
        };
        let outcome = std::panic::catch_unwind(AssertUnwindSafe(|| {
            bench.with(|engine, _| engine.start(&procedure, bench.request(&procedure), &mut observer))
        }));
        if outcome.is_ok() {
            assert!(death > 5, "it died at every event: {death}");
            break;
        }
        let mut how = bench.resumption(&procedure);
        // A step that writes was cut off: a person says whether it runs again.
        let interrupted = bench.with(|_, repo| {
            let run = runs(repo).unwrap().remove(0);
            run.units.iter().any(|unit| unit.state == UnitState::Started && !unit.repeatable)
        });
        if interrupted {
            assert_eq!(bench.resume(&procedure, how.clone()).unwrap_err().code(), "step-cut-off");
            how.retry = true;
        }
        let run = bench.resume(&procedure, how).unwrap_or_else(|error| panic!("{}: {error}", died.borrow()));
        assert_eq!(run.status, RunStatus::Complete, "{}", died.borrow());
        assert_eq!(bench.sandbox.git(&["rev-parse", "HEAD^{tree}"]), tree, "{}", died.borrow());
        assert_eq!(bench.sandbox.git(&["rev-list", "--count", "HEAD"]), "3", "{}", died.borrow());
    }
}

#[test]
fn a_secret_appears_nowhere_in_what_is_kept() {
    let bench = Bench::new(removed());
    bench.program("notify", "cat; echo token=$API_TOKEN; echo \"$@\"");
    let procedure = procedure(&format!(
        "{}\n[[step]]\nid = \"tell\"\nrun = [\"notify\", \"now\"]\nsecrets = [\"API_TOKEN\"]\nstdin = \"auth {{secret.API_TOKEN}}\"\n",
        RESTORE.replace("validate = [\"smoke\"]", "validate = [\"smoke\"]\nafter = [\"tell\"]")
    ));
    let mut seen = String::new();
    let run = bench
        .with(|engine, _| {
            engine.start(&procedure, bench.request(&procedure), &mut |event: &Event<'_>| {
                seen.push_str(&serde_json::to_string(event).unwrap());
            })
        })
        .unwrap();
    assert_eq!(run.status, RunStatus::Complete, "{:?}", run.units);
    let kept = std::process::Command::new("grep")
        .args(["-rl", "correct-horse", "."])
        .current_dir(bench.sandbox.path())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&kept.stdout), "");
    assert!(seen.contains("[redacted API_TOKEN]") && !seen.contains("correct-horse"));
    let log = bench.sandbox.path().join(".git/rb/runs").join(&run.id).join("step/tell");
    assert!(fs::read_to_string(&log).unwrap().contains("auth [redacted API_TOKEN]"));
    assert_eq!(fs::metadata(&log).unwrap().permissions().mode() & 0o777, 0o600);
}

const TRAFFIC: &str = r#"
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

fn traffic() -> Sandbox {
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

#[test]
fn gradual_steps_are_commits_that_add_up_and_wait_between_them() {
    let bench = Bench::new(traffic());
    let procedure = procedure(TRAFFIC);
    let mut request = bench.request(&procedure);
    request.phase = Some("canary".into());
    let run = bench.start(&procedure, request).unwrap();
    assert_eq!(run.status, RunStatus::Complete, "{:?}", run.units);
    let shown: Vec<String> = run
        .commits
        .iter()
        .map(|commit| bench.sandbox.git(&["show", &format!("{commit}:traffic.toml")]))
        .collect();
    let steps: Vec<_> = shown.iter().map(|text| text.replace(" # canary", "").replace('\n', ", ")).collect();
    assert_eq!(steps.last().unwrap(), "flat = 100, hierarchical = 0");
    assert!(steps.len() >= 4, "{steps:?}");
    assert!(shown.iter().all(|text| text.ends_with("# canary")), "formatting is kept");
    assert_eq!(bench.clock.now().as_second() - 1_762_941_600, 600, "four waits over ten minutes");

    let mut immediate = bench.request(&procedure);
    immediate.phase = Some("canary".into());
    immediate.set = vec![("percentage".into(), "5".into())];
    immediate.emergency = true;
    let run = bench.start(&procedure, immediate).unwrap();
    assert_eq!(run.commits.len(), 1, "an emergency goes at once");
    assert_eq!(
        fs::read_to_string(bench.sandbox.path().join("traffic.toml")).unwrap(),
        "flat = 95\nhierarchical = 5 # canary\n"
    );
}

#[test]
fn a_broken_constraint_and_an_undeclared_value_are_refused() {
    let bench = Bench::new(traffic());
    let procedure = procedure(TRAFFIC);
    let before = bench.head();
    let mut request = bench.request(&procedure);
    request.phase = Some("broken".into());
    let refused = bench.start(&procedure, request).unwrap_err();
    assert_eq!(refused.to_string(), "the constraint 'adds-up' would be broken: 90 + 7 = 97, and not == 100");
    let mut request = bench.request(&procedure);
    request.phase = Some("regions".into());
    request.set = vec![("region".into(), "us,uk".into())];
    let refused = bench.start(&procedure, request).unwrap_err().to_string();
    assert_eq!(refused, "input 'region': 'uk' is not declared; did you mean 'us'? (declared: us, eu, ap)");
    let mut request = bench.request(&procedure);
    request.phase = Some("canry".into());
    let refused = bench.start(&procedure, request).unwrap_err().to_string();
    assert_eq!(refused, "unknown phase 'canry'; did you mean 'canary'? (known: canary, broken, regions)");
    assert_eq!(bench.head(), before);
}

#[test]
fn excluded_members_of_a_list_stay_as_they_are() {
    let bench = Bench::new(traffic());
    let procedure = procedure(TRAFFIC);
    let mut request = bench.request(&procedure);
    request.phase = Some("regions".into());
    request.exclude = vec![("region".into(), "ap".into())];
    let run = bench.start(&procedure, request).unwrap();
    assert_eq!(run.status, RunStatus::Complete);
    let changed = bench.sandbox.git(&["show", "--format=", "--name-only"]);
    assert_eq!(changed, "regions/eu.toml\nregions/us.toml");
}

#[test]
fn several_merges_go_back_as_one_move_each_checked() {
    let repo = Sandbox::new();
    repo.commit("base", &[("base", "b\n")]);
    for (name, file) in [("feature/one", "one"), ("feature/two", "two")] {
        repo.git(&["checkout", "-q", "-b", name]);
        repo.commit(name, &[(file, "x\n")]);
        repo.commit("more", &[(file, "y\n")]);
        repo.git(&["checkout", "-q", "main"]);
        repo.git(&["merge", "-q", "--no-ff", "-m", &format!("Merge branch '{name}'"), name]);
    }
    // One branch is gone: its merge is known by its subject.
    repo.git(&["branch", "-q", "-D", "feature/one"]);
    let bench = Bench::new(repo);
    let procedure = procedure(
        r#"
[phase.all]
target = { merges_of = ["feature/two", "feature/one"] }
ladder = [{ use = "revert-merge", mainline = 1 }]
validate_each = ["base"]
validate = ["gone"]
branch = "emergency/{phase.id}-{date.compact}"
commit = { subject = "Rollback: all" }
[[check]]
id = "base"
file = "base"
expect = { exists = true }
[[check]]
id = "gone"
file = "one"
expect = { exists = false }
"#,
    );
    let before = bench.head();
    let run = bench.start(&procedure, bench.request(&procedure)).unwrap();
    assert_eq!(run.status, RunStatus::Complete, "{:?} {:?}", run.units, run.rungs);
    assert_eq!(bench.head(), before, "the current branch stays");
    assert_eq!(run.landed_on.as_deref(), Some("refs/heads/emergency/all-20251112"));
    assert_eq!(run.commits.len(), 2);
    assert_eq!(bench.sandbox.git(&["ls-tree", "-r", "--name-only", "emergency/all-20251112"]), "base");
}

#[test]
fn files_outside_are_replaced_and_never_nested_and_variables_last() {
    let bench = Bench::new(traffic());
    let home = bench.home.path();
    for (file, text) in [
        ("backup/config/a", "A"),
        ("backup/config/sub/b", "B"),
        ("live/config/a", "old"),
        ("live/config/stale", "s"),
        ("live/cache/x", "c"),
        ("live/env", "KEEP=1\nUSE_LEGACY=false\n"),
    ] {
        fs::create_dir_all(home.join(file).parent().unwrap()).unwrap();
        fs::write(home.join(file), text).unwrap();
    }
    let procedure = procedure(
        r#"
[phase.config]
before = ["restore", "clear", "legacy"]
[[step]]
id = "restore"
copy = { from = "~/backup/config", to = "~/live/config", exact = true }
[[step]]
id = "clear"
delete = ["~/live/cache", "~/live/never-there"]
[[step]]
id = "legacy"
env_file = { path = "~/live/env", set = { USE_LEGACY = true, MDM_X = "y" } }
"#,
    );
    let run = bench.start(&procedure, bench.request(&procedure)).unwrap();
    assert_eq!(run.status, RunStatus::Complete, "{:?}", run.units);
    let read = |file: &str| fs::read_to_string(home.join(file)).unwrap_or_else(|_| "missing".into());
    assert_eq!(read("live/config/a"), "A");
    assert_eq!(read("live/config/sub/b"), "B");
    assert_eq!(read("live/config/stale"), "missing");
    assert_eq!(read("live/config/config/a"), "missing");
    assert!(!home.join("live/cache").exists());
    assert_eq!(read("live/env"), "KEEP=1\nUSE_LEGACY=true\nMDM_X=y\n");
    assert_eq!(run.commits, []);
}

#[test]
fn a_missing_source_touches_nothing_and_dangerous_paths_are_refused() {
    let bench = Bench::new(traffic());
    let live = bench.home.path().join("live.yaml");
    fs::write(&live, "present\n").unwrap();
    let step =
        |step: &str| procedure(&format!("[phase.p]\nbefore = [\"s\"]\n[[step]]\nid = \"s\"\n{step}\n"));
    let missing = step("copy = { from = \"~/backup/none.yaml\", to = \"~/live.yaml\" }");
    assert_eq!(bench.start(&missing, bench.request(&missing)).unwrap_err().code(), "io");
    assert_eq!(fs::read_to_string(&live).unwrap(), "present\n", "no zero-byte file is left");
    for path in ["~/", "/", "/usr", "relative", "~/x/../..", &bench.sandbox.path().display().to_string()] {
        let delete = step(&format!("delete = [\"{path}\"]"));
        let error = bench.start(&delete, bench.request(&delete)).unwrap_err();
        assert_eq!(error.code(), "outside-path", "{path}");
    }
}

#[test]
fn the_shim_comes_back_by_its_own_procedure() {
    if std::process::Command::new("python3").arg("--version").output().is_err() {
        return;
    }
    let bench = Bench::new(Fixture::import("matriz"));
    bench.program(
        "gh",
        r#"case "$2" in list) echo '[{"status":"completed","conclusion":"success","name":"ci","headSha":"x"}]';; *) echo ok;; esac"#,
    );
    bench.sandbox.git(&["checkout", "-q", "single-removal"]);
    let procedure = built_in("matriz");
    let mut request = bench.request(&procedure);
    request.roles = vec!["sre".into()];
    request.emergency = true;
    request.severity = Some("P0".into());
    request.set = vec![("incident".into(), "42".into()), ("commander".into(), "ada".into())];
    let run = bench.start(&procedure, request).unwrap();
    assert!(!run.commits.is_empty(), "{:#?}\n{:#?}\n{:#?}", run.units, run.rungs, run.verdicts);
    let shim = fs::read_to_string(bench.sandbox.path().join("MATRIZ/__init__.py")).unwrap();
    assert_eq!(shim.lines().count(), 104);
    assert_eq!(bench.sandbox.git(&["show", "--format=", "--name-only"]), "MATRIZ/__init__.py");
    assert_eq!(run.verdicts["smoke"][&On::Candidate].found.as_deref(), Some("15"));
    let message = bench.sandbox.git(&["log", "-1", "--format=%B"]);
    assert!(message.starts_with("fix(matriz): restore compatibility shim for import safety\n"), "{message}");
    assert!(message.contains("Closes: #42") && message.contains("Refs: T20251112041"), "{message}");
}

/// A branch of two commits that was merged, and one later commit on another file.
fn merged() -> Sandbox {
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

#[test]
fn before_a_phase_is_the_first_parent_of_its_merge_and_reports_are_dated() {
    // `feature~1` would still hold the first of the two commits, and `checkout -- dir` would leave the migration.
    let bench = Bench::new(merged());
    let procedure = procedure(
        r#"
[phase.rng]
target = { merge_of = "feature/rng" }
paths = ["src", "REPORT.md"]
ladder = [{ use = "restore-file", from = "target^1", exact = true, paths = ["src/rng.py", "src/state.py", "src/migrations/to_json.py"] }]
report = "why"
[[report]]
id = "why"
path = "REPORT.md"
text = "**Date**: {date.iso}\n**Strategy**: {source.short}\n"
"#,
    );
    let base = bench.sandbox.git(&["rev-parse", "HEAD~2"]);
    let run = bench.start(&procedure, bench.request(&procedure)).unwrap();
    assert_eq!(run.status, RunStatus::Complete, "{:?}", run.rungs);
    assert_eq!(run.rungs[0].discards, [], "what the merge brought in is no loss");
    assert_eq!(bench.sandbox.git(&["diff", "--name-status", &base, "HEAD"]), "A\tREPORT.md\nM\tother");
    let report = fs::read_to_string(bench.sandbox.path().join("REPORT.md")).unwrap();
    assert_eq!(
        report,
        format!(
            "**Date**: 2025-11-12\n**Strategy**: {}\n",
            bench.sandbox.git(&["rev-parse", "--short", &base])
        )
    );
}

#[test]
fn commits_found_by_their_message_are_reverted_newest_first_and_others_are_no_target() {
    let bench = Bench::new(merged());
    bench.sandbox.git(&["checkout", "-q", "-b", "elsewhere"]);
    let stranger = bench.sandbox.commit("RNG: elsewhere", &[("src/rng.py", "xml\n")]);
    bench.sandbox.git(&["checkout", "-q", "main"]);
    let procedure = procedure(
        r#"
[input.commit]
default = "HEAD"
[phase.rng]
target = { grep = "^RNG", since = "2000-01-01", pick = "all" }
ladder = [{ use = "revert-commit" }]
[phase.one]
target = { grep = "^RNG" }
ladder = [{ use = "revert-commit" }]
[phase.named]
target = { commit = "{input.commit}" }
ladder = [{ use = "revert-commit" }]
[phase.none]
target = { grep = "^XYZ" }
ladder = [{ use = "revert-commit" }]
"#,
    );
    let phase = |name: &str| {
        let mut request = bench.request(&procedure);
        request.phase = Some(name.to_owned());
        request
    };
    let mut named = phase("named");
    named.set = vec![("commit".into(), stranger.clone())];
    let refused = bench.start(&procedure, named).unwrap_err().to_string();
    assert!(refused.starts_with(&format!("commit {stranger} is not in the history of ")), "{refused}");
    let run = bench.start(&procedure, phase("one")).unwrap();
    assert_eq!((run.ending, run.rungs[0].why.as_str()), (Some(Ending::NoRung), "2 commits match"));
    let run = bench.start(&procedure, phase("none")).unwrap();
    assert_eq!((run.ending, run.rungs[0].why.as_str()), (Some(Ending::NoRung), "no commit matches"));
    let run = bench.start(&procedure, phase("rng")).unwrap();
    assert_eq!((run.status, run.commits.len()), (RunStatus::Complete, 2));
    assert_eq!(bench.sandbox.git(&["ls-files", "src"]), "src/rng.py\nsrc/state.py");
    assert_eq!(fs::read_to_string(bench.sandbox.path().join("src/rng.py")).unwrap(), "pickle\n");
}

#[test]
fn publishing_soaking_and_verifying_are_asked_for() {
    let bench = Bench::new(removed());
    bench.sandbox.git(&["init", "-q", "--bare", "../remote.git"]);
    bench.sandbox.git(&["remote", "add", "origin", "../remote.git"]);
    let procedure = procedure(&format!(
        "{}\n[publish]\npush = \"origin\"\n[soak]\nfor = \"30m\"\nevery = \"1m\"\nchecks = [\"calm\"]\n[success]\nall = [\"calm\"]\n[[check]]\nid = \"calm\"\nrun = [\"true\"]\nlive = true\n",
        RESTORE.replace("[phase.shim]\n", "[phase.shim]\nverify = [\"calm\"]\n")
    ));
    let mut request = bench.request(&procedure);
    request.soak = true;
    let run = bench.start(&procedure, request.clone()).unwrap();
    assert_eq!(run.status, RunStatus::Complete, "{:?}", run.units);
    assert_eq!(bench.clock.now().as_second() - 1_762_941_600, 1800);
    assert_eq!(bench.sandbox.git(&["ls-remote", "origin"]), "", "nothing is published unasked");
    let published =
        bench.with(|engine, _| engine.publish(&procedure, &run.id, request.clone(), &mut ())).unwrap();
    assert_eq!(published.ending, Some(Ending::Done), "{:?}", published.units);
    assert!(bench.sandbox.git(&["ls-remote", "origin", "main"]).starts_with(&bench.head()));
    let verified = bench.with(|engine, _| engine.verify(&procedure, None, request, &mut ())).unwrap();
    assert_eq!(verified.verdicts["calm"][&On::Live].outcome, Outcome::Pass);
    let report = rollback_core::procedure::engine::report_markdown(&procedure, &run);
    assert!(report.contains("| smoke | fail") && report.contains("## Timeline"), "{report}");
}

#[test]
fn a_state_comes_back_from_a_named_checkpoint_that_is_read_whole_first() {
    let bench = Bench::new(traffic());
    bench.sandbox.commit("state", &[("state.toml", "schema = 1\n")]);
    let good = bench.sandbox.git(&["rev-parse", "HEAD"]);
    bench
        .with(|_, repo| {
            repo.create_checkpoint(
                "manual",
                "pre-state-migration-1",
                &CheckpointOptions::at(good.parse().unwrap()),
            )
        })
        .unwrap();
    bench
        .sandbox
        .commit("migrate", &[("state.toml", "schema = 2\n"), ("regions/us.toml", "on = true\nnew = 1\n")]);
    let procedure = procedure(
        r#"
[input.checkpoint]
[phase.state]
paths = ["state.toml"]
ladder = [{ use = "restore-file", from = "checkpoint:{input.checkpoint}", exact = true }]
"#,
    );
    let mut request = bench.request(&procedure);
    request.set = vec![("checkpoint".into(), "pre-state-migration-2".into())];
    let refused = bench.start(&procedure, request.clone()).unwrap_err().to_string();
    assert_eq!(refused, "there is no checkpoint 'pre-state-migration-2'");
    request.set = vec![("checkpoint".into(), "pre-state-migration-1".into())];
    let refused = bench.start(&procedure, request.clone()).unwrap_err();
    assert_eq!(refused.code(), "loss-not-allowed", "the migration is later work: {refused}");
    request.allow_loss = true;
    let run = bench.start(&procedure, request).unwrap();
    assert_eq!(run.status, RunStatus::Complete);
    assert_eq!(bench.sandbox.git(&["show", "--format=", "--name-only"]), "state.toml");
    assert_eq!(fs::read_to_string(bench.sandbox.path().join("state.toml")).unwrap(), "schema = 1\n");
    assert!(
        !bench.sandbox.git(&["log", "-1", "--format=%B"]).contains("Rollback-Of"),
        "no commit was the target"
    );
}

#[test]
fn traffic_goes_back_by_its_own_procedure_in_every_phase() {
    let sandbox = Sandbox::new();
    let on = "hierarchical = true # since May\n";
    let mut files: Vec<(String, &str)> = vec![
        ("hal9/traffic.toml".into(), "flat = 95\nhierarchical = 5\n"),
        (
            "hal9/flags.toml".into(),
            "shadow_mode = true\nhierarchical_learning = true\nmeta_cognition = true\n",
        ),
        ("hal9/state.toml".into(), "schema = 2\n"),
        ("hal9/monitoring.toml".into(), "on = true\n"),
    ];
    files.extend(
        ["us-west-2", "eu-west-1", "ap-southeast-1"].map(|name| (format!("hal9/regions/{name}.toml"), on)),
    );
    files.extend(
        ["cognitive", "orchestration", "substrate", "protocol"]
            .map(|name| (format!("hal9/components/{name}.toml"), on)),
    );
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), *text)).collect();
    sandbox.commit("desired state", &files);
    let start = sandbox.git(&["rev-parse", "HEAD"]);
    let procedure = built_in("hal9");
    for (phase, variant, changed) in [
        ("shadow", None, "hal9/flags.toml"),
        ("canary", None, "hal9/traffic.toml"),
        ("canary", Some("immediate"), "hal9/traffic.toml"),
        ("full", None, "hal9/traffic.toml"),
        ("emergency", None, "hal9/flags.toml\nhal9/traffic.toml"),
        ("regions", None, "hal9/regions/us-west-2.toml"),
        ("components", None, "hal9/components/cognitive.toml"),
        ("features", None, "hal9/flags.toml"),
    ] {
        let bench = Bench::new(sandbox.twin());
        let migrate = "case \"$*\" in *--verify) echo 'Flat: 100%, Hierarchical: 0%';; *hierarchical) echo 'No active requests';; *--error-rate*) echo '0.02%';; status) echo 'Phase: none';; esac; echo \"$@\" >> ~/migrate.log";
        for (program, script) in [
            ("hal9-migrate", migrate),
            ("hal9-cli", "echo ok"),
            ("kubectl", "echo '{\"spec\":{\"replicas\":0}}'"),
            ("pagerduty-cli", "echo ok"),
            ("slack-cli", "cat > ~/slack"),
            ("curl", "cat > /dev/null"),
            ("jira-cli", "echo ok"),
        ] {
            bench.program(program, script);
        }
        let mut request = bench.request(&procedure);
        request.phase = Some(phase.into());
        request.variant = variant.map(ToOwned::to_owned);
        request.roles = vec!["operator".into()];
        request.trigger = "Error rate > 0.1%".into();
        request.set = match phase {
            "regions" => vec![("region".into(), "us-west-2".into())],
            "components" => vec![("component".into(), "cognitive".into())],
            _ => Vec::new(),
        };
        let run = bench.start(&procedure, request).unwrap_or_else(|error| panic!("{phase}: {error}"));
        assert_eq!(
            (run.status, run.ending),
            (RunStatus::Complete, Some(Ending::Done)),
            "{phase}: {:#?}",
            run.units
        );
        assert_eq!(bench.sandbox.git(&["diff", "--name-only", &start, "HEAD"]), changed, "{phase}");
        let slack = fs::read_to_string(bench.home.path().join("slack")).unwrap();
        assert!(slack.contains("Trigger: Error rate > 0.1%"), "{slack}");
    }
}

#[test]
fn a_stage_goes_back_by_its_own_procedure_after_a_verified_backup() {
    let sandbox = Sandbox::new();
    let script = "#!/bin/sh\necho \"$0 $@\" >> ~/ran.log\n";
    let names = ["backup_mdm_state", "preserve_logs", "generate_rollback_report", "collect_logs"];
    for name in names {
        sandbox.write(&format!("scripts/{name}.sh"), script);
        let file = sandbox.path().join(format!("scripts/{name}.sh"));
        fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
    }
    sandbox.commit("stable", &[("src/mdm/interfaces/a.py", "old\n"), ("src/mdm/adapters/b.py", "old\n")]);
    sandbox.git(&["tag", "stable"]);
    sandbox.commit(
        "refactor",
        &[("src/mdm/interfaces/a.py", "new\n"), ("src/mdm/interfaces/added.py", "x\n"), ("other", "o\n")],
    );
    let bench = Bench::new(sandbox);
    bench.program("mdm", "echo \"mdm $@ abstraction=$MDM_FEATURE_FLAGS_USE_ABSTRACTION\" >> ~/ran.log");
    fs::create_dir_all(bench.home.path().join(".mdm/cache/interfaces")).unwrap();
    fs::write(bench.home.path().join(".mdm/mdm.yaml"), "storage: local\n").unwrap();
    let procedure = built_in("mdm");
    let mut request = bench.request(&procedure);
    request.phase = Some("2".into());
    request.roles = vec!["devops".into()];
    request.confirmed =
        ["operations-stopped", "users-notified", "issue-documented"].map(ToOwned::to_owned).to_vec();
    request.set = vec![("stable".into(), "stable".into())];
    request.allow_loss = true;
    let run = bench.start(&procedure, request).unwrap();
    assert_eq!((run.status, run.ending), (RunStatus::Complete, Some(Ending::Done)), "{:#?}", run.units);
    let diff = bench.sandbox.git(&["diff", "--name-only", "stable", "HEAD"]);
    assert_eq!(diff, "other", "what was added is gone and the rest stays");
    let ran = fs::read_to_string(bench.home.path().join("ran.log")).unwrap();
    let backup = ran.find("--output rollback-backups/").unwrap();
    assert!(
        backup < ran.find("--verify rollback-backups/").unwrap()
            && ran.contains("mdm restart --force abstraction=false"),
        "{ran}"
    );
    assert!(!bench.home.path().join(".mdm/cache/interfaces").exists());
    let env = fs::read_to_string(bench.home.path().join(".mdm/rollback.env")).unwrap();
    assert_eq!(env, "MDM_FEATURE_FLAGS_USE_ABSTRACTION=false\n");
    let kept = bench.with(|_, repo| repo.checkpoints(Some("mdm"))).unwrap();
    let outside: Vec<_> =
        kept[0].outside.iter().map(|part| (part.path.to_string(), part.entries.len())).collect();
    let home = bench.home.path().canonicalize().unwrap();
    let named = |name: &str| home.join(".mdm").join(name).display().to_string();
    assert_eq!(
        outside,
        [(named("config"), 0), (named("feature_flags.yaml"), 0), (named("mdm.yaml"), 1)],
        "what is named outside the repository is kept, and what was not there is known not to be"
    );
}

#[test]
fn six_merges_go_back_as_one_move_by_their_own_procedure_and_phases_alone() {
    let procedure = built_in("wp5");
    for (phase, variant, commits) in [
        ("emergency", None, 6),
        ("1.1", None, 1),
        ("3.1", None, 1),
        ("3.2", None, 1),
        ("2.1", Some("full"), 1),
        ("5", None, 1),
    ] {
        let bench = Bench::new(Fixture::import("wp5"));
        for program in ["pytest", "mypy", "bandit", "gh"] {
            bench.program(program, "echo '820 passed'");
        }
        bench.program(
            "python",
            "case \"$*\" in *simulation*) : > rollback_telemetry.jsonl;; *) echo 'delta: 0.4%';; esac",
        );
        let mut request = bench.request(&procedure);
        request.phase = Some(phase.into());
        request.variant = variant.map(ToOwned::to_owned);
        request.roles = vec!["developer".into(), "maintainer".into()];
        request.words = Some("revert all of WP5".into());
        request.allow_loss = true;
        request.confirmed = [
            "team-notified",
            "telemetry-unchanged",
            "no-analyzer-imports",
            "docs-consistent",
            "update-imports",
        ]
        .map(ToOwned::to_owned)
        .to_vec();
        let before = bench.head();
        let run = bench.start(&procedure, request).unwrap_or_else(|error| panic!("{phase}: {error}"));
        let told = format!("{phase}: {:#?} {:#?} {:#?}", run.pause, run.rungs, run.verdicts);
        assert_eq!(run.commits.len(), commits, "{told}");
        assert_eq!(bench.head(), before, "the result is on a branch of its own");
        let branch = run.landed_on.unwrap();
        let expected = if phase == "emergency" { "emergency/rollback-wp5" } else { "rollback/phase-" };
        assert!(branch.contains(expected), "{branch}");
    }
}

#[test]
fn people_hear_of_progress_and_of_failure() {
    let bench = Bench::new(removed());
    bench.sandbox.commit("fewer", &[("count", "14\n")]);
    let procedure = procedure(&format!(
        "{}\n[[message]]\nid = \"first\"\non = \"initiated\"\nevery = \"15m\"\ntext = \"begun\"\n[[message]]\nid = \"more\"\non = \"update\"\ntext = \"still at it\"\n[[message]]\nid = \"sorry\"\non = \"failed\"\ntext = \"failed: {{run.reason}}\"\n[[evidence]]\nid = \"why\"\nrun = [\"git\", \"status\"]\nwhen = \"failure\"\n[[step]]\nid = \"nap\"\nwait = \"16m\"\n",
        RESTORE.replace("[phase.shim]\n", "[phase.shim]\nbefore = [\"nap\"]\nevidence = [\"why\"]\n")
    ));
    let mut told = Vec::new();
    let run = bench
        .with(|engine, _| {
            engine.start(&procedure, bench.request(&procedure), &mut |event: &Event<'_>| {
                if let Event::Message { text, .. } = event {
                    told.push((*text).to_owned());
                }
            })
        })
        .unwrap();
    assert_eq!(run.status, RunStatus::Failed);
    assert_eq!(told, ["begun", "still at it", "failed: imports fail"]);
    assert!(run.evidence.contains_key("evidence/why"), "{:?}", run.evidence);
}

/// On a clone of the public repository, whose folder `RB_TOWNLET` names; nothing of it is kept here.
#[test]
fn the_real_conflict_of_the_monitor_falls_to_restoring_and_names_what_that_discards() {
    let Ok(origin) = std::env::var("RB_TOWNLET") else { return };
    let sandbox = Sandbox::new();
    sandbox.git(&["fetch", "-q", &origin, "feature/consolidated-wp1-to-wp5"]);
    sandbox.git(&["reset", "-q", "--hard", "FETCH_HEAD"]);
    let bench = Bench::new(sandbox);
    for program in ["pytest", "python", "gh", "mypy"] {
        bench.program(program, "echo '900 passed'; : > rollback_telemetry.jsonl");
    }
    let procedure = built_in("wp5");
    let mut request = bench.request(&procedure);
    request.phase = Some("3.1".into());
    request.variant = Some("commit".into());
    request.roles = vec!["developer".into()];
    request.confirmed = vec!["team-notified".into()];
    request.set = vec![("commit".into(), "ed75116".into())];
    let before = bench.head();
    let refused = bench.start(&procedure, request.clone()).unwrap_err();
    let EngineError::Core(Error::LossNotAllowed { discards, paths }) = &refused else { panic!("{refused}") };
    assert_eq!(discards.iter().map(|id| id.to_hex_with_len(7)).collect::<Vec<_>>(), ["6f4225c"]);
    assert!(paths.iter().any(|path| path.to_string() == "src/townlet/stability/monitor.py"), "{paths:?}");
    let run = bench.with(|_, repo| runs(repo)).unwrap().remove(0);
    assert_eq!(run.rungs[0].why, "conflict in src/townlet/stability/monitor.py");
    assert_eq!(bench.head(), before);

    request.variant = Some("by-hand".into());
    let run = bench.start(&procedure, request).unwrap();
    let folder = run.pause.clone().unwrap().folder.unwrap();
    let monitor = folder.join("src/townlet/stability/monitor.py");
    let merged = fs::read_to_string(&monitor).unwrap() + "# merged by hand\n";
    fs::write(&monitor, merged).unwrap();
    let mut how = bench.resumption(&procedure);
    how.confirmed = [
        "no-analyzer-imports",
        "telemetry-unchanged",
        "characterization",
        "stability-monitor",
        "telemetry-run",
    ]
    .map(ToOwned::to_owned)
    .to_vec();
    let run = bench.resume(&procedure, how).unwrap();
    assert!(!run.commits.is_empty(), "{:#?} {:#?}", run.rungs, run.verdicts);
    let branch = run.landed_on.clone().unwrap();
    let changed = bench.sandbox.git(&["diff", "--name-only", &before, &branch]);
    assert!(changed.contains("src/townlet/stability/monitor.py"), "{changed}");
    assert_eq!(bench.head(), before, "it landed on its rollback branch");
}
