//! The procedure of the work package as it ships.

use crate::bench::*;

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
