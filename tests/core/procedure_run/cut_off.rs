//! What the simulation of the engine found, one test each: runs that die or fail at an unlucky moment.

use rollback_core::procedure::engine::sweep_candidates;
use rollback_core::scratch::Place;

use super::bench::*;

const SYNC: &str = "\n[[step]]\nid = \"sync\"\nrun = [\"sh\", \"-c\", \"echo synced >> synced.log\"]\n";

fn with(after: &str, rows: &str) -> Procedure {
    procedure(&format!("{}{rows}", RESTORE.replace("[phase.shim]\n", &format!("[phase.shim]\n{after}\n"))))
}

/// Starts a run that dies once `fatal` says so.
fn dies(bench: &Bench, procedure: &Procedure, request: RunRequest, fatal: impl Fn(&Event<'_>) -> bool) {
    let mut observer = |event: &Event<'_>| {
        if fatal(event) {
            std::panic::panic_any("the run dies here");
        }
    };
    let outcome = std::panic::catch_unwind(AssertUnwindSafe(|| {
        bench.with(|engine, _| engine.start(procedure, request, &mut observer))
    }));
    assert!(outcome.is_err(), "it did not die");
}

fn kept(bench: &Bench) -> RunState {
    bench.with(|_, repo| runs(repo)).unwrap().pop().unwrap()
}

#[test]
fn an_abort_takes_back_a_landing_that_was_not_written_down() {
    let bench = Bench::new(removed());
    let procedure = procedure(RESTORE);
    let before = bench.head();
    dies(&bench, &procedure, bench.request(&procedure), |event| matches!(event, Event::Landed { .. }));
    assert_ne!(bench.head(), before, "it has landed");
    let run = bench.with(|engine, _| engine.abort(None)).unwrap();
    assert_eq!((bench.head(), run.commits.len(), run.operations.len()), (before, 0, 0));
}

#[test]
fn a_landing_that_was_not_written_down_is_found_below_a_later_commit() {
    let bench = Bench::new(removed());
    let procedure = procedure(RESTORE);
    dies(&bench, &procedure, bench.request(&procedure), |event| matches!(event, Event::Landed { .. }));
    let landed = bench.head();
    bench.sandbox.commit("meanwhile", &[("other.py", "o3\n")]);
    let run = bench.resume(&procedure, bench.resumption(&procedure)).unwrap();
    assert_eq!(run.status, RunStatus::Complete);
    assert_eq!(run.commits.iter().map(ToString::to_string).collect::<Vec<_>>(), [landed]);
    assert_eq!(run.operations.len(), 1);
}

#[test]
fn an_abort_goes_on_where_another_had_taken_the_landing_back() {
    let bench = Bench::new(removed());
    let procedure = with("after = [\"sign\"]", "\n[[step]]\nid = \"sign\"\nmanual = \"sign it\"\n");
    let run = bench.start(&procedure, bench.request(&procedure)).unwrap();
    bench
        .with(|_, repo| {
            repo.undo(&rollback_core::oplog::OperationRef::Id(run.operations[0].clone()), &Default::default())
        })
        .unwrap();
    let run = bench.with(|engine, _| engine.abort(None)).unwrap();
    assert_eq!((run.commits.len(), run.operations.len(), run.outside_effects.len()), (0, 0, 0), "{run:?}");
}

#[test]
fn a_run_whose_landing_was_taken_back_does_not_go_on_to_be_complete() {
    let bench = Bench::new(removed());
    let procedure = with("after = [\"sign\"]", "\n[[step]]\nid = \"sign\"\nmanual = \"sign it\"\n");
    bench.start(&procedure, bench.request(&procedure)).unwrap();
    bench.with(|_, repo| repo.undo(&Default::default(), &Default::default())).unwrap();
    let mut how = bench.resumption(&procedure);
    how.mark_done = true;
    assert_eq!(bench.resume(&procedure, how).unwrap_err().code(), "already-undone");
    assert_eq!(bench.with(|engine, _| engine.abort(None)).unwrap().commits.len(), 0);
}

#[test]
fn a_step_that_ran_before_an_error_is_not_begun_again_unasked() {
    let bench = Bench::new(removed());
    // What it wrote cannot be kept: there is a file where the folder of the run should be.
    let spoil = "echo synced >> synced.log; rm -rf .git/rb/runs; touch .git/rb/runs";
    let procedure = with(
        "before = [\"sync\"]",
        &format!("\n[[step]]\nid = \"sync\"\nrun = [\"sh\", \"-c\", \"{spoil}\"]\n"),
    );
    bench.start(&procedure, bench.request(&procedure)).unwrap_err();
    let run = kept(&bench);
    assert!(run.status.is_open() && run.units[0].state == UnitState::Started, "{:?}", run.units);
    fs::remove_file(bench.sandbox.path().join(".git/rb/runs")).unwrap();
    let how = bench.resumption(&procedure);
    assert_eq!(bench.resume(&procedure, how).unwrap_err().code(), "step-cut-off");
    assert_eq!(bench.read("synced.log"), "synced\n");
}

#[test]
fn what_only_reads_begins_again_though_it_is_called_done() {
    let bench = Bench::new(removed());
    let procedure = procedure(RESTORE);
    dies(&bench, &procedure, bench.request(&procedure), |event| matches!(event, Event::Check { .. }));
    let mut how = bench.resumption(&procedure);
    how.mark_done = true;
    let run = bench.resume(&procedure, how).unwrap();
    assert_eq!(
        (run.status, run.commits.len()),
        (RunStatus::Complete, 1),
        "it landed, whatever was said of it"
    );
}

#[test]
fn a_step_that_is_called_done_is_listed_as_one() {
    let bench = Bench::new(removed());
    let procedure = with("before = [\"sync\"]", SYNC);
    dies(&bench, &procedure, bench.request(&procedure), |event| {
        matches!(event, Event::Ended { id: "sync", .. })
    });
    let mut how = bench.resumption(&procedure);
    how.mark_done = true;
    let run = bench.resume(&procedure, how).unwrap();
    assert_eq!((run.status, run.outside_effects), (RunStatus::Complete, vec!["sync".to_owned()]));
}

#[test]
fn a_manual_step_of_a_precheck_can_be_confirmed() {
    let bench = Bench::new(removed());
    let rows =
        "\n[[precheck]]\nid = \"ready\"\nstep = \"tell\"\n[[step]]\nid = \"tell\"\nmanual = \"tell them\"\n";
    let procedure = with("", rows);
    assert_eq!(bench.start(&procedure, bench.request(&procedure)).unwrap().status, RunStatus::Paused);
    let mut how = bench.resumption(&procedure);
    how.mark_done = true;
    assert_eq!(bench.resume(&procedure, how).unwrap().status, RunStatus::Complete);
}

#[test]
fn a_run_that_has_not_ended_is_not_published_and_so_not_complete() {
    let bench = Bench::new(removed());
    let rows = "\n[publish]\nrun = [\"true\"]\n[[step]]\nid = \"sign\"\nmanual = \"sign it\"\n";
    let procedure = with("after = [\"sign\"]", rows);
    let run = bench.start(&procedure, bench.request(&procedure)).unwrap();
    assert_eq!(run.status, RunStatus::Paused);
    let publish = || {
        let request = bench.request(&procedure);
        bench.with(|engine, _| engine.publish(&procedure, &run.id, request, &mut ()))
    };
    assert_eq!(publish().unwrap_err().code(), "concurrent-run");
    assert_eq!(kept(&bench).status, RunStatus::Paused);
}

#[test]
fn publishing_and_following_up_are_not_done_twice_unasked() {
    let bench = Bench::new(removed());
    let program = "run = [\"sh\", \"-c\", \"echo done; echo done >> done.log\"]";
    let rows = format!(
        "\n[publish]\n{program}\n[[followup]]\nid = \"due\"\ntext = \"tidy up\"\nstep = \"tidy\"\n[[step]]\nid = \"tidy\"\n{program}\n"
    );
    let procedure = with("", &rows);
    let run = bench.start(&procedure, bench.request(&procedure)).unwrap();
    let work = |publishes: bool, retry: bool, dies: bool| {
        let mut request = bench.request(&procedure);
        request.retry = retry;
        let mut observer = |event: &Event<'_>| {
            if dies && matches!(event, Event::Line { .. }) {
                std::panic::panic_any("it dies here");
            }
        };
        bench.with(|engine, _| match publishes {
            true => engine.publish(&procedure, &run.id, request, &mut observer),
            false => engine.follow_up(&procedure, &run.id, "due", request, &mut observer),
        })
    };
    for publishes in [true, false] {
        let died = std::panic::catch_unwind(AssertUnwindSafe(|| work(publishes, false, true)));
        assert!(died.is_err());
        assert_eq!(work(publishes, false, false).unwrap_err().code(), "step-cut-off");
        let state = work(publishes, true, false).unwrap();
        assert_eq!(state.status, RunStatus::Complete);
        assert!(work(publishes, false, false).is_ok(), "it is over");
    }
}

#[test]
fn a_push_that_was_cut_off_is_done_again_and_a_push_with_a_program_is_not() {
    for (program, second) in [("", None), ("run = [\"true\"]", Some("step-cut-off"))] {
        let bench = Bench::new(removed());
        bench.sandbox.git(&["init", "-q", "--bare", "-b", "main", "../far.git"]);
        bench.sandbox.git(&["remote", "add", "far", "../far.git"]);
        bench.sandbox.git(&["push", "-q", "far", "main"]);
        let procedure = with(
            "",
            &format!(
                "\n[publish]\npush = \"far\"\n{program}\nverify = [\"live\"]\n[[check]]\nid = \"live\"\nrun = [\"echo\", \"well\"]\nlive = true\n"
            ),
        );
        let run = bench.start(&procedure, bench.request(&procedure)).unwrap();
        let publish = |dies: bool| {
            let mut observer = |event: &Event<'_>| {
                if dies && matches!(event, Event::Line { id: "live", .. }) {
                    std::panic::panic_any("it dies here");
                }
            };
            let request = bench.request(&procedure);
            bench.with(|engine, _| engine.publish(&procedure, &run.id, request, &mut observer))
        };
        assert!(std::panic::catch_unwind(AssertUnwindSafe(|| publish(true))).is_err());
        let again = publish(false);
        assert_eq!(again.as_ref().err().map(EngineError::code), second, "{program}");
        let status = again.map(|state| state.status).ok();
        assert_eq!(status, second.is_none().then_some(RunStatus::Complete));
        let far = bench.sandbox.git(&["ls-remote", "far", "main"]);
        assert!(far.starts_with(&bench.sandbox.git(&["rev-parse", "HEAD"])), "{far}");
    }
}

#[test]
fn candidates_of_runs_that_have_ended_are_removed_and_those_of_open_ones_stay() {
    let bench = Bench::new(removed());
    let waits = with("edits = [\"hand\"]", "\n[[step]]\nid = \"hand\"\nmanual = \"look\"\n");
    let open = bench.start(&waits, bench.request(&waits)).unwrap();
    assert_eq!(open.status, RunStatus::Paused);
    let repo = Repo::discover(bench.sandbox.path()).unwrap();
    let place = Place::of_run(&repo, &open.id).unwrap();
    sweep_candidates(&repo).unwrap();
    assert!(place.is_there(), "a person works in it");
    bench.with(|engine, _| engine.abort(Some(&open.id))).unwrap();
    // As an error leaves it that kept it from being removed.
    place.make().unwrap();
    sweep_candidates(&repo).unwrap();
    assert!(!place.is_there());
}

#[test]
fn a_step_that_fails_after_it_deleted_something_can_go_on_and_is_no_refusal() {
    let bench = Bench::new(removed());
    let file = bench.home.path().join("cache/a");
    fs::create_dir(bench.home.path().join("cache")).unwrap();
    fs::write(&file, "a").unwrap();
    // The second path is there and cannot be removed.
    let rows = format!(
        "\n[[step]]\nid = \"clean\"\ndelete = [{:?}, \"/proc/1/status\"]\n",
        file.display().to_string()
    );
    let procedure = with("before = [\"clean\"]", &rows);
    let failed = bench.start(&procedure, bench.request(&procedure)).unwrap_err();
    assert_eq!(failed.code(), "io");
    let run = kept(&bench);
    assert!(!file.exists() && run.status.is_open(), "{:?} {:?}", run.status, run.units);
    // It may be repeated: what is gone already is none of its work.
    let again = bench.resume(&procedure, bench.resumption(&procedure)).unwrap_err();
    assert_eq!((again.code(), kept(&bench).status), ("io", run.status));
}

#[test]
fn that_a_run_failed_is_sent_once() {
    let bench = Bench::new(removed());
    let rows = "\n[[check]]\nid = \"live\"\nrun = [\"false\"]\nlive = true\n[[message]]\nid = \"alarm\"\non = \"failed\"\ntext = \"it failed\"\nsend = [\"sh\", \"-c\", \"echo sent; echo sent >> sent.log\"]\n";
    let procedure = with("verify = [\"live\"]", rows);
    dies(&bench, &procedure, bench.request(&procedure), |event| {
        matches!(event, Event::Line { id: "alarm", .. })
    });
    let run = kept(&bench);
    assert_eq!(run.ending, Some(Ending::LandedButFailed));
    assert_eq!(bench.resume(&procedure, bench.resumption(&procedure)).unwrap_err().code(), "no-run");
}

#[test]
fn a_rung_that_is_a_program_counts_as_carried_out() {
    let bench = Bench::new(removed());
    bench.sandbox.commit("fewer", &[("count", "14\n")]);
    let text = RESTORE.replace("validate", "after = [\"bad\"]\nvalidate").replace(
        "{ use = \"restore-file\", from = \"last-good\", when",
        "{ use = \"command\", run = [\"true\"], approval = \"lead\", when",
    );
    let procedure = procedure(&format!("[role.lead]\n{text}\n[[step]]\nid = \"bad\"\nrun = [\"false\"]\n"));
    let mut request = bench.request(&procedure);
    request.approvals = vec![("lead".into(), "grace".into())];
    let run = bench.start(&procedure, request).unwrap();
    assert_eq!(run.status, RunStatus::LandedWithFailures, "{:?}", run.units);
}
