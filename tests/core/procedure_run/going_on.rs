//! Runs that were cut off, paused or overtaken.

use super::bench::*;

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
