//! Groups and their budgets, follow-ups, diagnoses, what is written down, and giving up.

use super::bench::*;

#[test]
fn a_group_over_its_budget_is_named_once_and_stops_nothing() {
    let bench = Bench::new(removed());
    let procedure = procedure(&format!(
        "{RESTORE}[group.assess]\ntitle = \"Assess\"\nbudget = \"2m\"\nat = \"before\"\nsteps = [\"look\", \"think\"]\n[group.verify]\nbudget = \"5m\"\nchecks = [\"fine\"]\n[[step]]\nid = \"look\"\nwait = \"1m\"\n[[step]]\nid = \"think\"\nwait = \"90s\"\n[[check]]\nid = \"fine\"\nrun = [\"true\"]\nlive = true\n"
    ));
    let mut overruns = Vec::new();
    let run = bench
        .with(|engine, _| {
            engine.start(&procedure, bench.request(&procedure), &mut |event: &Event<'_>| {
                if let Event::Overrun { what, budget } = event {
                    overruns.push(format!("{what}: {budget}"));
                }
            })
        })
        .unwrap();
    assert_eq!((run.status, overruns), (RunStatus::Complete, vec!["Assess: 2m".to_owned()]));
    assert_eq!(run.overruns, ["Assess"]);
}

#[test]
fn a_group_that_fails_fast_ends_at_its_first_failure_and_a_named_one_runs_when_it_is_named() {
    let bench = Bench::new(removed());
    let procedure = procedure(&format!(
        "{RESTORE}[group.full]\nat = \"asked\"\nfail_fast = true\nchecks = [\"good\", \"bad\", \"never\"]\n[[check]]\nid = \"good\"\nrun = [\"true\"]\nlive = true\n[[check]]\nid = \"bad\"\nrun = [\"false\"]\nlive = true\n[[check]]\nid = \"never\"\nrun = [\"touch\", \"never\"]\nlive = true\n"
    ));
    let mut request = bench.request(&procedure);
    assert_eq!(bench.with(|engine, _| engine.preview(&procedure, request.clone())).unwrap().units.len(), 1);
    request.groups = vec!["full".into()];
    let run = bench.start(&procedure, request.clone()).unwrap();
    let states: Vec<_> = run.units.iter().map(|unit| (unit.id.as_str(), unit.state)).collect();
    assert_eq!(
        states,
        [
            ("rollback", UnitState::Done),
            ("good", UnitState::Done),
            ("bad", UnitState::Failed),
            ("never", UnitState::Skipped)
        ]
    );
    assert_eq!(run.ending, Some(Ending::LandedButFailed));
    let verified = bench.with(|engine, _| engine.verify(&procedure, Some("full"), request, &mut ())).unwrap();
    assert_eq!(verified.verdicts.keys().collect::<Vec<_>>(), ["bad", "good"]);
    assert!(!bench.sandbox.path().join("never").exists());
}

#[test]
fn what_is_due_afterwards_is_done_on_request_and_written_down() {
    let bench = Bench::new(removed());
    let procedure = procedure(&format!(
        "{RESTORE}[[followup]]\nid = \"tidy\"\ntext = \"tidy up\"\ndue = \"1h\"\nstep = \"sweep\"\nchecks = [\"swept\"]\n[[step]]\nid = \"sweep\"\nrun = [\"touch\", \"swept\"]\n[[check]]\nid = \"swept\"\nfile = \"swept\"\nlive = true\nexpect = {{ exists = true }}\n"
    ));
    let request = bench.request(&procedure);
    let run = bench.start(&procedure, request.clone()).unwrap();
    assert!(!has_followed_up(&run, "tidy"));
    let done = |id: &str| {
        bench.with(|engine, _| engine.follow_up(&procedure, &run.id, id, request.clone(), &mut ()))
    };
    assert_eq!(
        done("tidi").unwrap_err().to_string(),
        "unknown follow-up 'tidi'; did you mean 'tidy'? (known: tidy)"
    );
    assert!(has_followed_up(&done("tidy").unwrap(), "tidy"));
    let kept = bench.with(|_, repo| runs(repo)).unwrap().remove(0);
    assert!(has_followed_up(&kept, "tidy") && bench.sandbox.path().join("swept").exists());
}

#[test]
fn what_shows_more_of_a_failure_is_kept_and_what_lacks_an_input_is_left_out() {
    let bench = Bench::new(removed());
    bench.sandbox.commit("fewer", &[("count", "14\n")]);
    let procedure = procedure(&format!(
        "{}[input.job]\n[[diagnose]]\nid = \"smoke\"\nsymptom = \"it fails\"\nrun = [[\"git\", \"log\", \"--format=%s\", \"-1\"], [\"echo\", \"{{input.job}}\"]]\n",
        RESTORE.replace("[phase.shim]\n", "[phase.shim]\ndiagnose = [\"smoke\"]\n")
    ));
    let run = bench.start(&procedure, bench.request(&procedure)).unwrap();
    assert_eq!(run.ending, Some(Ending::ChecksFailed));
    let folder = bench.sandbox.path().join(".git/rb/runs").join(&run.id).join("diagnose/smoke");
    let kept = fs::read_to_string(folder.join("1")).unwrap();
    assert!(kept.contains("\nfewer\n"), "{kept}");
    assert!(!folder.join("2").exists() && run.evidence.contains_key("diagnose/smoke/1"));
}

#[test]
fn the_record_of_a_run_holds_its_plan_state_evidence_and_transitions() {
    let bench = Bench::new(removed());
    let procedure = procedure(RESTORE);
    let run = bench.start(&procedure, bench.request(&procedure)).unwrap();
    let (id, files) = test_kit::records::all(&bench.sandbox.path().join(".git"), "runs").pop().unwrap();
    assert_eq!(id, run.id);
    assert_eq!(files.keys().collect::<Vec<_>>(), ["plan.json", "run.json", "transitions.txt"]);
    let plan: serde_json::Value = serde_json::from_slice(&files["plan.json"]).unwrap();
    let chosen = usize::try_from(plan["chosen"].as_u64().unwrap()).unwrap();
    assert_eq!(plan["attempts"][chosen]["paths_touched"], serde_json::json!(["shim.py"]));
    let state: serde_json::Value = serde_json::from_slice(&files["run.json"]).unwrap();
    assert!(state["evidence"].get("check/smoke/candidate").is_some(), "{state}");
    let told = String::from_utf8(files["transitions.txt"].clone()).unwrap();
    let told: Vec<&str> = told.lines().map(|line| line.split_once(' ').unwrap().1).collect();
    let wanted = [
        "started",
        "rollback started",
        "smoke starts a program",
        "a program started",
        "rollback landing",
        "rollback done",
        "complete",
    ];
    assert_eq!(told, wanted);
    assert_eq!(bench.sandbox.git(&["for-each-ref", "refs/rb"]), "");
}

#[test]
fn giving_up_takes_back_what_landed_and_lists_what_remains_outside() {
    let bench = Bench::new(removed());
    let procedure = procedure(&format!(
        "{}[[step]]\nid = \"sync\"\ntitle = \"Sync\"\nrun = [\"true\"]\nundo = [\"unsync\", \"{{phase.id}}\"]\n[[check]]\nid = \"well\"\nask = \"is all well?\"\nlive = true\n",
        RESTORE.replace("[phase.shim]\n", "[phase.shim]\nafter = [\"sync\"]\nverify = [\"well\"]\n")
    ));
    let before = (bench.head(), bench.sandbox.git(&["status", "--porcelain"]));
    let run = bench.start(&procedure, bench.request(&procedure)).unwrap();
    assert_eq!((run.status, run.commits.len()), (RunStatus::Paused, 1));
    let aborted = bench.with(|engine, _| engine.abort(None)).unwrap();
    assert_eq!(aborted.status, RunStatus::Aborted);
    assert_eq!((bench.head(), bench.sandbox.git(&["status", "--porcelain"])), before);
    assert_eq!(aborted.outside_effects, ["Sync (taken back by: unsync shim)"]);
    assert_eq!(aborted.commits, []);

    // What somebody has built on stays, and that is said.
    bench.start(&procedure, bench.request(&procedure)).unwrap();
    let later = bench.sandbox.commit("later", &[("other.py", "o3\n")]);
    let aborted = bench.with(|engine, _| engine.abort(None)).unwrap();
    assert_eq!(bench.head(), later);
    assert_eq!(aborted.commits.len(), 1);
    assert!(
        aborted.outside_effects[1].starts_with("the commits of operation "),
        "{:?}",
        aborted.outside_effects
    );
}

#[test]
fn a_run_whose_tip_moved_goes_on_from_the_new_one_when_that_is_asked_for() {
    let bench = Bench::new(removed());
    let procedure = procedure(&format!("{RESTORE}\n[[precheck]]\nid = \"sure\"\nask = \"sure?\"\n"));
    bench.start(&procedure, bench.request(&procedure)).unwrap();
    let moved = bench.sandbox.commit("meanwhile", &[("other.py", "o3\n")]);
    let mut how = bench.resumption(&procedure);
    how.confirmed = vec!["sure".into()];
    assert_eq!(bench.resume(&procedure, how.clone()).unwrap_err().code(), "moved");
    how.replan = true;
    let run = bench.resume(&procedure, how).unwrap();
    assert_eq!(run.status, RunStatus::Complete);
    assert_eq!(bench.sandbox.git(&["rev-parse", "HEAD^"]), moved);
    assert_eq!(run.tip.to_string(), moved);
}
