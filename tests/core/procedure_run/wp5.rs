//! The procedure of the work package as it ships.

use rollback_core::error::LandingError;

use super::bench::*;

fn bench() -> Bench {
    Bench::with_programs(Fixture::import("wp5"))
}

fn of_phase(bench: &Bench, procedure: &Procedure, phase: &str, variant: Option<&str>) -> RunRequest {
    let mut request = bench.request(procedure);
    request.phase = Some(phase.into());
    request.variant = variant.map(ToOwned::to_owned);
    request.roles = vec!["developer".into(), "maintainer".into()];
    request.words = Some("revert all of WP5".into());
    request.allow_loss = true;
    request.confirmed =
        ["team-notified", "telemetry-unchanged", "docs-consistent", "update-imports", "no-analyzer-imports"]
            .map(ToOwned::to_owned)
            .to_vec();
    request
}

#[track_caller]
fn landed(bench: &Bench, procedure: &Procedure, request: RunRequest) -> RunState {
    let what = format!("{:?} {:?}", request.phase, request.variant);
    let before = bench.head();
    let run = bench.start(procedure, request).unwrap_or_else(|error| panic!("{what}: {error}"));
    let told = format!("{what}: {:#?} {:#?} {:#?} {:#?}", run.pause, run.rungs, run.units, run.verdicts);
    assert_eq!((run.status, run.ending), (RunStatus::Complete, Some(Ending::Done)), "{told}");
    assert_eq!(bench.head(), before, "the result is on a branch of its own: {what}");
    run
}

#[test]
fn six_merges_go_back_as_one_move_by_their_own_procedure() {
    let (bench, procedure) = (bench(), built_in("wp5"));
    let mut request = of_phase(&bench, &procedure, "emergency", None);
    request.words = None;
    assert_eq!(bench.start(&procedure, request.clone()).unwrap_err().code(), "confirmation-missing");
    request.words = Some("revert all of WP5".into());
    let run = landed(&bench, &procedure, request);
    assert_eq!((run.commits.len(), run.operations.len()), (6, 1));
    assert_eq!(run.landed_on.as_deref(), Some("refs/heads/emergency/rollback-wp5"));
    // git reverts the same merges one by one.
    let twin = bench.sandbox.twin();
    for target in &run.targets {
        twin.git(&["revert", "--no-edit", "-m", "1", &target.to_string()]);
    }
    let tree = |repo: &Sandbox, revision: &str| repo.git(&["rev-parse", &format!("{revision}^{{tree}}")]);
    assert_eq!(tree(&bench.sandbox, "emergency/rollback-wp5"), tree(&twin, "HEAD"));
    let each = bench.calls().matches("pytest --maxfail=1\n").count();
    assert!(each >= 6, "every revert was tested: {each}");
    bench.sandbox.git(&["fsck", "--strict"]);
}

#[test]
fn one_merge_of_the_six_that_cannot_go_back_leaves_all_where_they_are() {
    let (bench, procedure) = (bench(), built_in("wp5"));
    bench.sandbox.git(&["checkout", "-q", "hotfix"]);
    let before = bench.sandbox.git(&["for-each-ref", "refs/heads"]);
    let run = bench.start(&procedure, of_phase(&bench, &procedure, "emergency", None)).unwrap();
    assert_eq!(run.ending, Some(Ending::NoRung), "{:?}", run.rungs);
    assert!(run.rungs[0].why.contains("conflict"), "{:?}", run.rungs);
    assert_eq!(bench.sandbox.git(&["for-each-ref", "refs/heads"]), before);
    bench.sandbox.git(&["checkout", "-q", "main"]);
    bench.fail("pytest");
    let run = bench.start(&procedure, of_phase(&bench, &procedure, "emergency", None)).unwrap();
    assert!(run.commits.is_empty(), "a suite that fails before and after says nothing: {:?}", run.ending);
    assert_eq!(bench.sandbox.git(&["for-each-ref", "refs/heads"]), before);
}

const LINT: &str = "\
name: lint
on: [push]
jobs:
  lint:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - name: Check docstrings
        run: interrogate src
      - name: Check import boundaries
        run: import-linter --config .importlinter
";

#[test]
fn a_step_of_the_pipeline_goes_by_hand_and_is_not_asked_for_where_it_is_gone() {
    let procedure = built_in("wp5");
    for (phase, variant, step, line) in [
        (
            "2.2",
            Some("remove"),
            "remove-interrogate-step",
            "      - name: Check docstrings\n        run: interrogate src\n",
        ),
        (
            "4.1",
            None,
            "remove-importlinter-step",
            "      - name: Check import boundaries\n        run: import-linter --config .importlinter\n",
        ),
    ] {
        let bench = bench();
        bench.sandbox.commit("ci: lint in one job", &[(".github/workflows/lint.yml", LINT)]);
        let request = of_phase(&bench, &procedure, phase, variant);
        let pause = bench.start(&procedure, request.clone()).unwrap().pause.unwrap();
        assert_eq!(pause.at, step);
        fs::write(pause.folder.unwrap().join(".github/workflows/lint.yml"), LINT.replace(line, "")).unwrap();
        let mut how = Resumption::default();
        how.request = request;
        let run = bench.resume(&procedure, how).unwrap();
        assert_eq!(run.ending, Some(Ending::Done), "{:#?} {:#?}", run.rungs, run.pause);
        let branch = run.landed_on.unwrap();
        let shown = bench.sandbox.git(&["show", &format!("{branch}:.github/workflows/lint.yml")]);
        assert_eq!(shown, LINT.replace(line, "").trim_end());
        let linter = bench.sandbox.git(&["ls-tree", "--name-only", &branch, ".importlinter"]);
        assert_eq!(linter.is_empty(), phase == "4.1");
    }
    let bench = bench();
    let run = landed(&bench, &procedure, of_phase(&bench, &procedure, "4.1", None));
    let changed = bench.sandbox.git(&["diff", "--name-only", "HEAD", &run.landed_on.unwrap()]);
    assert_eq!(changed, ".importlinter", "the step was not there, and nobody was asked for it");
}

#[test]
fn every_phase_and_variant_goes_back_and_touches_nothing_of_another_phase() {
    let procedure = built_in("wp5");
    let package = || vec![("package".to_owned(), "snapshots".to_owned())];
    for (phase, variant, set, touched) in [
        ("0", None, vec![], &["tests/fixtures/baselines/"][..]),
        (
            "1.1",
            None,
            vec![],
            &["src/townlet/utils/rng.py", "src/townlet/snapshots/", "tests/", "docs/architecture_review/"],
        ),
        ("1.2", None, vec![], &[".github/workflows/security.yml", "pyproject.toml"]),
        ("1.2", Some("warning-only"), vec![], &[".github/workflows/security.yml"]),
        ("2.1", None, package(), &["pyproject.toml", "docs/architecture_review/"]),
        ("2.1", Some("full"), vec![], &["pyproject.toml"]),
        ("2.2", None, vec![], &["pyproject.toml"]),
        ("2.2", Some("non-blocking"), vec![], &[".github/workflows/lint.yml"]),
        ("3.1", None, vec![], &["src/townlet/stability/", "tests/stability/", "docs/architecture_review/"]),
        ("3.2", None, vec![], &["src/townlet/telemetry/"]),
        ("4.1", Some("loosen"), vec![], &[".importlinter"]),
        ("4.1", Some("warn-only"), vec![], &[".github/workflows/lint.yml"]),
        ("5", None, vec![], &["docs/"]),
        ("5", Some("config"), vec![], &["docs/", "src/townlet/config/"]),
    ] {
        let bench = bench();
        bench.sandbox.commit("ci: lint in one job", &[(".github/workflows/lint.yml", LINT)]);
        let mut request = of_phase(&bench, &procedure, phase, variant);
        request.set = set;
        let run = landed(&bench, &procedure, request);
        let branch = run.landed_on.clone().unwrap();
        assert!(branch.starts_with(&format!("refs/heads/rollback/phase-{phase}")), "{branch}");
        let changed = bench.sandbox.git(&["diff", "--name-only", "HEAD", &branch]);
        let mine = |path: &str| touched.iter().any(|own| path.starts_with(own));
        assert!(!changed.is_empty() && changed.lines().all(mine), "{phase} {variant:?}: {changed}");
        assert_eq!(bench.sandbox.git(&["status", "--porcelain"]), "", "{phase} {variant:?}");
    }
}

#[test]
fn the_random_numbers_go_back_to_before_the_phase_and_the_report_is_dated_and_committed() {
    let (bench, procedure) = (bench(), built_in("wp5"));
    let run = landed(&bench, &procedure, of_phase(&bench, &procedure, "1.1", None));
    let branch = run.landed_on.clone().unwrap();
    let shown = |path: &str| bench.sandbox.git(&["show", &format!("{branch}:{path}")]);
    assert!(shown("src/townlet/utils/rng.py").contains("pickle"));
    let report = shown("docs/architecture_review/WP_NOTES/WP5/ROLLBACK_REPORT_PHASE1.md");
    assert!(report.contains("2025-11-12"), "{report}");
    assert_eq!(run.verdicts["rng-roundtrip"][&On::Control].outcome, Outcome::Fail);
    assert_eq!(run.verdicts["rng-roundtrip"][&On::Candidate].outcome, Outcome::Pass);
}

#[test]
fn one_analyzer_goes_back_and_the_other_four_stay() {
    let (bench, procedure) = (bench(), built_in("wp5"));
    bench.program("pytest", "echo '820 passed in 1.0s'");
    let mut request = of_phase(&bench, &procedure, "3.1", Some("partial"));
    request.set = vec![("analyzer".into(), "rivalry".into())];
    let run = bench.start(&procedure, request.clone()).unwrap();
    let pause = run.pause.clone().unwrap();
    assert_eq!(pause.at, "inline-analyzer");
    let folder = pause.folder.unwrap();
    assert!(!folder.join("src/townlet/stability/analyzers/rivalry.py").exists());
    let monitor = folder.join("src/townlet/stability/monitor.py");
    let text = fs::read_to_string(&monitor).unwrap();
    fs::write(&monitor, text + "\n# rivalry, inline\n").unwrap();
    let mut how = Resumption::default();
    how.request = request;
    let run = bench.resume(&procedure, how).unwrap();
    assert_eq!(run.status, RunStatus::Complete, "{:#?} {:#?}", run.pause, run.rungs);
    let branch = run.landed_on.unwrap();
    let left = bench.sandbox.git(&["ls-tree", "--name-only", &branch, "src/townlet/stability/analyzers/"]);
    assert_eq!(left.lines().filter(|line| !line.contains("__init__")).count(), 4, "{left}");
}

#[test]
fn a_merge_is_reverted_whole_only_when_that_is_said() {
    let (bench, procedure) = (bench(), built_in("wp5"));
    let mut request = of_phase(&bench, &procedure, "3.2", None);
    request.whole_merge = true;
    let run = landed(&bench, &procedure, request);
    let changed = bench.sandbox.git(&["diff", "--name-only", "HEAD", &run.landed_on.unwrap()]);
    assert!(changed.contains("src/townlet/stability/monitor.py"), "{changed}");
    assert!(changed.contains("src/townlet/telemetry/publisher.py"), "{changed}");
}

#[test]
fn the_rollback_branch_is_merged_and_pushed_and_the_next_attempt_has_its_branch() {
    let (bench, procedure) = (bench(), built_in("wp5"));
    bench.sandbox.git(&["init", "-q", "--bare", "../remote.git"]);
    bench.sandbox.git(&["remote", "add", "origin", "../remote.git"]);
    bench.sandbox.git(&["push", "-q", "origin", "main"]);
    let mut request = of_phase(&bench, &procedure, "5", None);
    request.publish = true;
    let before = bench.head();
    let run = bench.start(&procedure, request.clone()).unwrap();
    assert_eq!(run.ending, Some(Ending::Done), "{:#?}", run.units);
    assert_eq!(bench.sandbox.git(&["rev-parse", "HEAD^1"]), before);
    assert_eq!(bench.sandbox.git(&["rev-list", "--count", "--merges", &format!("{before}..HEAD")]), "1");
    assert!(bench.sandbox.git(&["ls-remote", "origin", "main"]).starts_with(&bench.head()));
    assert!(bench.calls().contains("gh run watch --exit-status"));
    request.purpose = Purpose::Retry;
    request.publish = false;
    bench.start(&procedure, request).unwrap();
    assert_eq!(bench.sandbox.git(&["rev-parse", "retry/5"]), bench.head());
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
    let EngineError::Core(Error::Landing(LandingError::LossNotAllowed { discards, paths, .. })) = &refused
    else {
        panic!("{refused}")
    };
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
