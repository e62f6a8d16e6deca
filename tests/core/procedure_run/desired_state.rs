//! Values of desired-state files.

use super::bench::*;

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
fn a_state_comes_back_from_a_named_checkpoint_that_is_read_whole_first() {
    let bench = Bench::new(traffic());
    bench.sandbox.commit("state", &[("state.toml", "schema = 1\n")]);
    let good = bench.sandbox.git(&["rev-parse", "HEAD"]);
    bench
        .with(|_, repo| {
            let at = CheckpointOptions::at(good.parse().unwrap());
            repo.create_checkpoint("manual", "pre-state-migration-1", &at)
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
