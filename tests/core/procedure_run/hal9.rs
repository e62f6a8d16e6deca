//! The procedure of the migration as it ships.

use super::bench::*;

fn bench() -> Bench {
    Bench::with_programs(Fixture::import("hal9"))
}

fn of_phase(bench: &Bench, procedure: &Procedure, phase: &str) -> RunRequest {
    let mut request = bench.request(procedure);
    request.phase = Some(phase.into());
    request.roles = vec!["operator".into(), "lead".into()];
    request.trigger = "Error rate > 0.1%".into();
    request
}

fn shares(bench: &Bench, commit: &str) -> (String, String) {
    let text = bench.sandbox.git(&["show", &format!("{commit}:hal9/traffic.toml")]);
    let of = |key: &str| {
        let line = text.lines().find(|line| line.starts_with(key)).unwrap();
        line.split(['=', '#']).nth(1).unwrap().trim().to_owned()
    };
    (of("flat"), of("hierarchical"))
}

#[test]
fn traffic_goes_back_by_its_own_procedure_in_every_phase() {
    let procedure = built_in("hal9");
    for (phase, variant, set, changed, flat) in [
        ("shadow", None, None, "hal9/flags.toml", "70"),
        ("canary", None, None, "hal9/traffic.toml", "100"),
        ("canary", Some("immediate"), None, "hal9/traffic.toml", "100"),
        ("ramp-up", None, None, "hal9/traffic.toml", "100"),
        ("ramp-up", Some("canary"), None, "hal9/traffic.toml", "95"),
        ("full", None, None, "hal9/traffic.toml", "100"),
        ("emergency", None, None, "hal9/flags.toml\nhal9/traffic.toml", "100"),
        ("regions", None, Some(("region", "us-west-2")), "hal9/regions/us-west-2.toml", "70"),
        ("components", None, Some(("component", "cognitive")), "hal9/components/cognitive.toml", "70"),
        ("features", None, None, "hal9/flags.toml", "70"),
    ] {
        let bench = bench();
        let start = bench.head();
        let mut request = of_phase(&bench, &procedure, phase);
        request.variant = variant.map(ToOwned::to_owned);
        request.set.extend(set.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let run = bench.start(&procedure, request).unwrap_or_else(|error| panic!("{phase}: {error}"));
        let told = format!("{phase} {variant:?}: {:#?} {}", run.units, bench.calls());
        assert_eq!((run.status, run.ending), (RunStatus::Complete, Some(Ending::Done)), "{told}");
        assert_eq!(bench.sandbox.git(&["diff", "--name-only", &start, "HEAD"]), changed, "{told}");
        assert_eq!(shares(&bench, "HEAD").0, flat, "{told}");
        let slack = fs::read_to_string(bench.home.path().join("slack")).unwrap();
        assert!(slack.contains("Trigger: Error rate > 0.1%"), "{slack}");
        for call in
            ["pagerduty-cli incident create", "hal9-migrate report --rollback", "jira-cli issue update"]
        {
            assert!(bench.calls().contains(call), "{told}");
        }
        bench.sandbox.git(&["fsck", "--strict"]);
    }
}

#[test]
fn a_ramp_goes_back_in_commits_that_each_add_up_and_resumes_where_it_died() {
    let procedure = built_in("hal9");
    let whole = bench();
    let run = whole.start(&procedure, of_phase(&whole, &procedure, "canary")).unwrap();
    let steps: Vec<_> = run.commits.iter().map(|commit| shares(&whole, &commit.to_string())).collect();
    let wanted = [("76", "24"), ("82", "18"), ("88", "12"), ("94", "6"), ("100", "0")];
    assert_eq!(
        steps,
        wanted.map(|(flat, rest)| (flat.to_owned(), rest.to_owned())),
        "one commit a declared step"
    );

    for dies_after in 1..5 {
        let bench = bench();
        let landed = Cell::new(0);
        let outcome = std::panic::catch_unwind(AssertUnwindSafe(|| {
            let mut observer = |event: &Event<'_>| {
                landed.set(landed.get() + usize::from(matches!(event, Event::Landed { .. })));
                if landed.get() == dies_after {
                    std::panic::panic_any("the run dies here");
                }
            };
            let request = of_phase(&bench, &procedure, "canary");
            bench.with(|engine, _| engine.start(&procedure, request, &mut observer))
        }));
        assert!(outcome.is_err());
        assert_eq!(shares(&bench, "HEAD").0, wanted[dies_after - 1].0);
        let mut how = Resumption::default();
        how.request = of_phase(&bench, &procedure, "canary");
        let run = bench.resume(&procedure, how).unwrap();
        assert_eq!(
            (run.status, run.commits.len()),
            (RunStatus::Complete, 5),
            "{dies_after}: {:#?}",
            run.units
        );
        let now: Vec<_> = run.commits.iter().map(|commit| shares(&bench, &commit.to_string())).collect();
        assert_eq!(now, steps, "{dies_after}");
    }
}

#[test]
fn percentages_outside_their_range_and_undeclared_regions_are_refused() {
    let (bench, procedure) = (bench(), built_in("hal9"));
    let refused = |phase: &str, name: &str, value: &str| {
        let mut request = of_phase(&bench, &procedure, phase);
        request.set = vec![(name.into(), value.into())];
        bench.start(&procedure, request).unwrap_err().to_string()
    };
    assert_eq!(
        refused("canary", "percentage", "101"),
        "input 'percentage': '101' is not a percentage between 0 and 100"
    );
    assert_eq!(
        refused("regions", "region", "us-west-3"),
        "input 'region': 'us-west-3' is not declared; did you mean 'us-west-2'? (declared: us-west-2, eu-west-1, ap-southeast-1)"
    );
    assert!(refused("components", "component", "cognitve").contains("did you mean 'cognitive'?"));
}

#[test]
fn components_and_regions_that_are_excluded_stay_as_they_are() {
    let procedure = built_in("hal9");
    for (phase, input, out, changed) in [
        ("regions", "region", "eu-west-1", "hal9/regions/ap-southeast-1.toml\nhal9/regions/us-west-2.toml"),
        (
            "components",
            "component",
            "substrate,protocol",
            "hal9/components/cognitive.toml\nhal9/components/orchestration.toml",
        ),
        ("features", "feature", "meta_cognition", "hal9/flags.toml"),
    ] {
        let bench = bench();
        let start = bench.head();
        let mut request = of_phase(&bench, &procedure, phase);
        request.exclude = vec![(input.into(), out.into())];
        let run = bench.start(&procedure, request).unwrap();
        assert_eq!(run.status, RunStatus::Complete, "{phase}: {:#?}", run.units);
        assert_eq!(bench.sandbox.git(&["diff", "--name-only", &start, "HEAD"]), changed);
        assert!(!bench.calls().contains(out), "{}", bench.calls());
    }
    let bench = bench();
    let mut request = of_phase(&bench, &procedure, "features");
    request.exclude = vec![("feature".into(), "meta_cognition".into())];
    bench.start(&procedure, request).unwrap();
    let flags = bench.read("hal9/flags.toml");
    assert_eq!(
        flags,
        "shadow_mode = true # mirrors all requests\nhierarchical_learning = false\nmeta_cognition = true\n"
    );
}

#[test]
fn the_state_migration_goes_back_to_a_checkpoint_that_is_read_whole_and_verified_deeply() {
    let (bench, procedure) = (bench(), built_in("hal9"));
    let good = bench.sandbox.git(&["rev-parse", "before-state-migration^{commit}"]);
    let name = "pre-state-migration-20250114";
    bench
        .with(|_, repo| repo.create_checkpoint("hal9", name, &CheckpointOptions::at(good.parse().unwrap())))
        .unwrap();
    let mut request = of_phase(&bench, &procedure, "state-migration");
    assert_eq!(bench.start(&procedure, request.clone()).unwrap_err().code(), "approval-missing");
    request.approvals = vec![("manager".into(), "Grace".into())];
    assert_eq!(bench.start(&procedure, request.clone()).unwrap_err().code(), "input-unset");
    request.set = vec![("checkpoint".into(), "pre-state-migration-2024".into())];
    let refused = bench.start(&procedure, request.clone()).unwrap_err();
    assert_eq!(refused.to_string(), "there is no checkpoint 'pre-state-migration-2024'");
    assert_eq!(bench.calls(), "", "nothing was stopped yet");
    request.set = vec![("checkpoint".into(), name.into())];
    request.allow_loss = true;
    let run = bench.start(&procedure, request.clone()).unwrap();
    assert_eq!((run.status, run.ending), (RunStatus::Complete, Some(Ending::Done)), "{:#?}", run.units);
    assert_eq!(bench.read("hal9/state.toml"), "schema = 1\nlayout = \"flat\"\n");
    assert_eq!(run.verdicts["state-verified"][&On::Live].outcome, Outcome::Pass);
    let calls = bench.calls();
    let at = |call: &str| calls.find(call).unwrap_or_else(|| panic!("{call}: {calls}"));
    assert!(at("state-migration --stop") < at("state list-checkpoints"));
    assert!(at("state list-checkpoints") < at("state restore --checkpoint pre-state-migration-20250114"));
    assert!(at("state restore") < at("state verify --deep"));

    // A checkpoint of which a file is gone is no way back.
    let bench = self::bench();
    bench
        .with(|_, repo| repo.create_checkpoint("hal9", name, &CheckpointOptions::at(good.parse().unwrap())))
        .unwrap();
    let blob = bench.sandbox.git(&["rev-parse", &format!("{good}:hal9/state.toml")]);
    fs::remove_file(bench.sandbox.path().join(".git/objects").join(&blob[..2]).join(&blob[2..])).unwrap();
    let mut again = of_phase(&bench, &procedure, "state-migration");
    (again.approvals, again.set, again.allow_loss) = (request.approvals, request.set, true);
    assert_eq!(bench.start(&procedure, again).unwrap_err().code(), "damaged-checkpoint");
    assert_eq!(bench.calls(), "");
}

#[test]
fn people_are_told_at_the_beginning_every_quarter_of_an_hour_and_at_the_end() {
    let (bench, procedure) = (bench(), built_in("hal9"));
    let mut request = of_phase(&bench, &procedure, "full");
    request.soak = true;
    request.set = vec![("operator_name".into(), "Ada".into()), ("impact".into(), "none known".into())];
    let mut told = Vec::new();
    let run = bench
        .with(|engine, _| {
            engine.start(&procedure, request, &mut |event: &Event<'_>| {
                if let Event::Message { id, text, .. } = event {
                    told.push((
                        (*id).to_owned(),
                        (*text).to_owned(),
                        bench.clock.now().as_second() - 1_762_941_600,
                    ));
                }
            })
        })
        .unwrap();
    assert_eq!(run.ending, Some(Ending::Done), "{:#?}", run.units);
    let when: Vec<_> = told.iter().map(|(id, _, at)| (id.as_str(), at / 60)).collect();
    assert_eq!(when, [("initiated", 0), ("slack", 0), ("update", 15), ("update", 30), ("complete", 30)]);
    for words in ["imports fail", "none known", "Ada", "5-30 minutes"] {
        assert!(told[0].1.contains(words), "{words}: {}", told[0].1);
    }
    for words in ["30m", "Ada", "to be scheduled"] {
        assert!(told.last().unwrap().1.contains(words), "{words}: {}", told.last().unwrap().1);
    }
    let report = bench.sandbox.path().join(".git/rb/runs").join(&run.id).join("report/incident.md");
    let report = fs::read_to_string(report).unwrap();
    assert!(
        report.contains("## Timeline\n- 10:00:00") && report.contains("[x] traffic-verified"),
        "{report}"
    );
}

#[test]
fn a_program_that_fails_after_landing_is_said_and_a_verification_that_fails_too() {
    let procedure = built_in("hal9");
    let bench = bench();
    bench.fail("hal9-migrate");
    let run = bench.start(&procedure, of_phase(&bench, &procedure, "full")).unwrap();
    assert_eq!(
        (run.status, run.ending, run.commits.len()),
        (RunStatus::LandedWithFailures, Some(Ending::LandedButFailed), 1)
    );
    let failed: Vec<_> = run
        .units
        .iter()
        .filter(|unit| unit.state == UnitState::Failed)
        .map(|unit| unit.id.as_str())
        .collect();
    assert_eq!(failed, ["rollback-full", "traffic-verified", "no-hierarchical", "health", "error-rate"]);
    let kept = std::process::Command::new("grep")
        .args(["-rl", "status-secret", "."])
        .current_dir(bench.sandbox.path())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&kept.stdout), "", "the token of the status page is nowhere");
}

#[test]
fn the_next_attempt_is_prepared_by_its_own_steps() {
    let (bench, procedure) = (bench(), built_in("hal9"));
    let mut request = of_phase(&bench, &procedure, "full");
    let run = bench.start(&procedure, request.clone()).unwrap();
    let done =
        bench.with(|engine, _| engine.follow_up(&procedure, &run.id, "root-cause", request.clone(), &mut ()));
    assert!(has_followed_up(&done.unwrap(), "root-cause"));
    request.purpose = Purpose::Retry;
    let run = bench.start(&procedure, request).unwrap();
    assert_eq!(run.status, RunStatus::Complete);
    let calls = bench.calls();
    let at = |call: &str| calls.rfind(call).unwrap_or_else(|| panic!("{call}: {calls}"));
    assert!(at("analyze --failure") < at("reset --keep-learnings"));
    assert!(at("reset --keep-learnings") < at("plan --conservative"));
}
