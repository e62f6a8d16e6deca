//! After the rollback: merged, brought back, tried again.

use super::bench::*;

/// A rollback that lands on a branch of its own.
fn on_a_branch() -> Procedure {
    procedure(&format!(
        "branch = \"rollback/{{phase.id}}\"\n[publish]\nmerge_into = \"main\"\nverify = [\"landed\"]\n[[check]]\nid = \"landed\"\nfile = \"shim.py\"\nlive = true\nexpect = {{ exists = true }}\n{RESTORE}"
    ))
}

#[test]
fn a_rollback_branch_is_merged_with_a_merge_commit_as_git_would() {
    let bench = Bench::new(removed());
    let procedure = on_a_branch();
    let mut request = bench.request(&procedure);
    let run = bench.start(&procedure, request.clone()).unwrap();
    assert_eq!(run.landed_on.as_deref(), Some("refs/heads/rollback/shim"));
    // Somebody works on meanwhile: it is a real merge.
    bench.sandbox.commit("meanwhile", &[("other.py", "o3\n")]);
    let twin = bench.sandbox.twin();
    twin.git(&["merge", "-q", "--no-ff", "-m", "by git", "rollback/shim"]);
    request.publish = true;
    let published =
        bench.with(|engine, _| engine.publish(&procedure, &run.id, request.clone(), &mut ())).unwrap();
    assert_eq!(published.ending, Some(Ending::Done), "{:?}", published.units);
    let tree = |repo: &Sandbox| repo.git(&["rev-parse", "HEAD^{tree}", "HEAD^1^{tree}", "HEAD^2^{tree}"]);
    assert_eq!(tree(&bench.sandbox), tree(&twin));
    assert_eq!(bench.sandbox.git(&["log", "-1", "--format=%s"]), "Merge branch 'rollback/shim' into main");
    assert_eq!(bench.sandbox.git(&["status", "--porcelain"]), "");
    assert_eq!(published.verdicts["landed"][&On::Live].outcome, Outcome::Pass);
    bench.sandbox.git(&["fsck", "--strict"]);
    // Publishing again merges nothing twice.
    let head = bench.head();
    bench.with(|engine, _| engine.publish(&procedure, &run.id, request, &mut ())).unwrap();
    assert_eq!(bench.head(), head);
}

#[test]
fn a_merge_that_conflicts_is_reported_and_writes_nothing() {
    let bench = Bench::new(removed());
    let procedure = on_a_branch();
    let mut request = bench.request(&procedure);
    request.publish = true;
    let run = bench.start(&procedure, bench.request(&procedure)).unwrap();
    let head = bench.sandbox.commit("their own shim", &[("shim.py", "four\n")]);
    let published = bench.with(|engine, _| engine.publish(&procedure, &run.id, request, &mut ())).unwrap();
    assert_eq!(published.ending, Some(Ending::LandedButFailed));
    let note = published.units.last().unwrap().note.clone().unwrap();
    assert_eq!(note, "merging into main conflicts in shim.py");
    assert_eq!((bench.head(), bench.sandbox.git(&["status", "--porcelain"])), (head, String::new()));
}

#[test]
fn a_merge_with_phases_of_others_is_taken_whole_only_when_that_is_said() {
    let text = r#"
[phase.one]
target = { merge_of = "feature/rng" }
ladder = [{ use = "revert-merge", mainline = 1 }, { use = "revert-merge", mainline = 1, scoped = true, when = ["not-applicable"] }]
paths = ["src/rng.py"]
[phase.two]
target = { merge_of = "feature/rng" }
paths = ["src/state.py"]
ladder = [{ use = "revert-merge", mainline = 1, scoped = true }]
"#;
    let bench = Bench::new(merged());
    let procedure = procedure(text);
    let twin = Bench::new(bench.sandbox.twin());
    let mut request = bench.request(&procedure);
    request.phase = Some("one".into());
    let run = bench.start(&procedure, request.clone()).unwrap();
    assert_eq!(run.rungs[0].why, "the merge of feature/rng brought in phase two too");
    assert_eq!(bench.sandbox.git(&["show", "--format=", "--name-only"]), "src/rng.py");
    request.whole_merge = true;
    let run = twin.start(&procedure, request).unwrap();
    assert_eq!(run.status, RunStatus::Complete, "{:?}", run.rungs);
    let changed = twin.sandbox.git(&["show", "--format=", "--name-only"]);
    assert_eq!(changed, "src/migrations/to_json.py\nsrc/rng.py\nsrc/state.py");
}

const UNDO: &str = r#"
[undo]
conditions = ["the importers were migrated", "48 hours were calm"]
validate = ["importers"]
[[check]]
id = "importers"
run = ["test", "-f", "migrated"]
"#;

#[test]
fn the_work_is_brought_back_under_its_conditions_checked_first() {
    let bench = Bench::new(removed());
    let procedure = procedure(&format!("{RESTORE}{UNDO}"));
    let run = bench.start(&procedure, bench.request(&procedure)).unwrap();
    let mut request = bench.request(&procedure);
    request.purpose = Purpose::Reapply { run: run.id.clone() };
    let again = bench.start(&procedure, request.clone()).unwrap();
    assert_eq!(again.pause.unwrap().why, "the importers were migrated");
    let mut how = bench.resumption(&procedure);
    how.confirmed = vec!["condition-1".into(), "condition-2".into()];
    let doubt = bench.resume(&procedure, how.clone()).unwrap().pause.unwrap();
    assert_eq!(
        doubt.at, "importers",
        "they are not migrated after all, with the shim or without: {}",
        doubt.why
    );
    bench.with(|engine, _| engine.abort(None)).unwrap();
    assert!(bench.sandbox.path().join("shim.py").exists());

    bench.sandbox.commit("migrate", &[("migrated", "yes\n")]);
    request.confirmed = how.confirmed;
    // The check names a file that the tree has only now, so it is another thing to trust.
    assert_eq!(bench.start(&procedure, request.clone()).unwrap_err().code(), "not-trusted");
    request.trusted_hash = bench.request(&procedure).trusted_hash;
    let again = bench.start(&procedure, request).unwrap();
    assert_eq!(again.status, RunStatus::Complete, "{:?}", again.rungs);
    assert_eq!(bench.sandbox.git(&["show", "--format=", "--name-status"]), "D\tshim.py");
    let message = bench.sandbox.git(&["log", "-1", "--format=%B"]);
    assert!(message.contains(&format!("Rollback-Of: {}", run.commits[0])), "{message}");
    assert_eq!(again.purpose, Purpose::Reapply { run: run.id });
}

#[test]
fn the_next_attempt_is_prepared_on_a_branch_of_its_own() {
    let bench = Bench::new(removed());
    let procedure = procedure(&format!(
        "{RESTORE}[retry]\nbranch = \"retry/{{phase.id}}\"\nsteps = [\"analyze\"]\nplan = [\"think\"]\n[[step]]\nid = \"analyze\"\nrun = [\"touch\", \"analysis\"]\n"
    ));
    let mut request = bench.request(&procedure);
    request.purpose = Purpose::Retry;
    let head = bench.head();
    let run = bench.start(&procedure, request.clone()).unwrap();
    assert_eq!(run.status, RunStatus::Complete);
    assert_eq!(
        run.units.iter().map(|unit| unit.kind).collect::<Vec<_>>(),
        [UnitKind::Step, UnitKind::Branch]
    );
    assert_eq!(bench.sandbox.git(&["rev-parse", "retry/shim"]), head);
    assert!(bench.sandbox.path().join("analysis").exists() && run.commits.is_empty());
    bench.sandbox.commit("on", &[("other.py", "o3\n")]);
    request.trusted_hash = bench.request(&procedure).trusted_hash;
    assert_eq!(bench.start(&procedure, request).unwrap_err().code(), "branch-exists");
}

#[test]
fn merging_a_branch_again_after_its_rollback_brings_nothing_and_bringing_the_work_back_does() {
    let bench = Bench::new(merged());
    let procedure = procedure(
        "[phase.rng]\ntarget = { merge_of = \"feature/rng\" }\nladder = [{ use = \"revert-merge\", mainline = 1 }]\n[undo]\n",
    );
    let before = bench.sandbox.git(&["rev-parse", "HEAD^{tree}"]);
    let run = bench.start(&procedure, bench.request(&procedure)).unwrap();
    assert_eq!(bench.sandbox.git(&["merge", "feature/rng"]), "Already up to date.");
    let mut request = bench.request(&procedure);
    request.purpose = Purpose::Reapply { run: run.id };
    bench.start(&procedure, request).unwrap();
    assert_eq!(bench.sandbox.git(&["rev-parse", "HEAD^{tree}"]), before);
}

#[test]
fn the_last_good_version_is_one_that_contains_what_its_checks_want() {
    let repo = Sandbox::new();
    let good = repo.commit("good", &[("shim.py", "import aliasing\n"), ("other", "o\n")]);
    repo.commit("hollow it out", &[("shim.py", "pass\n")]);
    repo.git(&["rm", "-q", "shim.py"]);
    repo.commit("remove shim", &[("other", "o2\n")]);
    let bench = Bench::new(repo);
    let procedure = procedure(
        r#"
[phase.shim]
target = { deleted = "shim.py" }
paths = ["shim.py"]
validate = ["shim"]
ladder = [{ use = "revert-commit" }, { use = "restore-file", from = "last-good", when = ["multiple"] }]
[[check]]
id = "shim"
file = "shim.py"
expect = { contains = "aliasing", lines = 1 }
"#,
    );
    let mut request = bench.request(&procedure);
    request.allow_loss = true;
    let run = bench.start(&procedure, request).unwrap();
    assert_eq!(run.status, RunStatus::Complete, "{:?}", run.rungs);
    let blob = |commit: &str| bench.sandbox.git(&["rev-parse", &format!("{commit}:shim.py")]);
    assert_eq!(blob("HEAD"), blob(&good), "the last version that existed is not the last good one");
}
