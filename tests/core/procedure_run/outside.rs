//! What happens outside the repository: programs, files, messages, publishing.

use super::bench::*;

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
fn publishing_soaking_and_verifying_are_asked_for() {
    let bench = Bench::new(removed());
    bench.sandbox.git(&["init", "-q", "--bare", "../remote.git"]);
    bench.sandbox.git(&["remote", "add", "origin", "../remote.git"]);
    let procedure = procedure(&format!(
        "{}\n[publish]\npush = \"origin\"\n[soak]\nfor = \"30m\"\nevery = \"1m\"\nchecks = [\"calm\"]\n[success]\nall = [\"calm\"]\n[[check]]\nid = \"calm\"\nrun = [\"true\"]\nlive = true\n",
        RESTORE.replace("[phase.shim]\n", "[phase.shim]\ncontrol = true\nverify = [\"calm\"]\n")
    ));
    bench.sandbox.git(&["push", "-q", "origin", "main"]);
    let remote = || bench.sandbox.git(&["ls-remote", "origin", "main"]);
    let mut request = bench.request(&procedure);
    request.soak = true;
    request.reason = "see <img src=x> ![y](http://z) | more".into();
    let before = bench.head();
    let run = bench.start(&procedure, request.clone()).unwrap();
    assert_eq!(run.status, RunStatus::Complete, "{:?}", run.units);
    assert_eq!(bench.clock.now().as_second() - 1_762_941_600, 1800);
    assert!(remote().starts_with(&before), "nothing is published unasked");
    let published =
        bench.with(|engine, _| engine.publish(&procedure, &run.id, request.clone(), &mut ())).unwrap();
    assert_eq!(published.ending, Some(Ending::Done), "{:?}", published.units);
    assert!(remote().starts_with(&bench.head()));
    let verified = bench.with(|engine, _| engine.verify(&procedure, None, request, &mut ())).unwrap();
    assert_eq!(verified.verdicts["calm"][&On::Live].outcome, Outcome::Pass);
    let report = rollback_core::procedure::engine::report_markdown(&procedure, &run);
    assert!(report.contains("| smoke | fail") && report.contains("## Timeline"), "{report}");
    let reason = r"| Reason | see &lt;img src=x> \![y\](http://z) \| more |";
    assert!(report.contains(reason), "{report}");
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
