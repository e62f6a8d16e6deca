//! The procedure of the compatibility shim as it ships.

use super::bench::*;

fn bench(branch: &str) -> Bench {
    let bench = Bench::with_programs(Fixture::import("matriz"));
    bench.sandbox.git(&["checkout", "-q", branch]);
    // Where the application logs imports that fail.
    bench.sandbox.write("logs/import_errors.log", "");
    bench
}

fn request(bench: &Bench, procedure: &Procedure) -> RunRequest {
    let mut request = bench.request(procedure);
    request.roles = vec!["sre".into()];
    request.severity = Some("P0".into());
    request.set = vec![("incident".into(), "42".into()), ("commander".into(), "ada".into())];
    request.confirmed = ["severity-confirmed", "root-cause", "communication-sent", "pr-available"]
        .map(ToOwned::to_owned)
        .to_vec();
    request
}

#[test]
fn the_shim_comes_back_by_its_own_procedure() {
    let (bench, procedure) = (bench("single-removal"), built_in("matriz"));
    let mut told = Vec::new();
    let run = bench
        .with(|engine, _| {
            engine.start(&procedure, request(&bench, &procedure), &mut |event: &Event<'_>| {
                if let Event::Message { text, .. } = event {
                    told.push((*text).to_owned());
                }
            })
        })
        .unwrap();
    assert_eq!((run.status, run.ending), (RunStatus::Complete, Some(Ending::Done)), "{:#?}", run.units);
    let shim = bench.read("MATRIZ/__init__.py");
    assert_eq!(shim.lines().count(), 104);
    assert_eq!(bench.sandbox.git(&["show", "--format=", "--name-only"]), "MATRIZ/__init__.py");
    let smoke = &run.verdicts["smoke"];
    assert_eq!((smoke[&On::Control].outcome, smoke[&On::Candidate].outcome), (Outcome::Fail, Outcome::Pass));
    assert_eq!(smoke[&On::Candidate].found.as_deref(), Some("15"));
    let message = bench.sandbox.git(&["log", "-1", "--format=%B"]);
    assert!(message.starts_with("fix(matriz): restore compatibility shim for import safety\n"), "{message}");
    assert!(message.contains("Closes: #42") && message.contains("Refs: T20251112041"), "{message}");
    assert!(
        told[0].contains("**Severity**: P0") && told[0].contains("**Next Update**: 15 minutes"),
        "{}",
        told[0]
    );
    assert!(told[1].contains("Smoke tests: 15/15 (pass)") && told[1].contains("104 lines"), "{}", told[1]);
}

#[test]
fn a_removal_that_touches_twenty_nine_files_brings_one_back() {
    let (bench, procedure) = (bench("main"), built_in("matriz"));
    let run = bench.start(&procedure, request(&bench, &procedure)).unwrap();
    assert_eq!(run.ending, Some(Ending::Done), "{:#?} {:#?}", run.rungs, run.verdicts);
    assert_eq!(bench.sandbox.git(&["show", "--format=", "--name-only"]), "MATRIZ/__init__.py");
    let again = bench.start(&procedure, request(&bench, &procedure)).unwrap();
    assert_eq!(again.ending, Some(Ending::NothingToDo));
}

#[test]
fn a_shim_that_does_not_make_the_imports_work_never_lands() {
    let (bench, procedure) = (bench("single-removal"), built_in("matriz"));
    bench.program("make", "if [ -f MATRIZ/__init__.py ]; then echo 14/15 passed; else echo 4/15 passed; fi");
    let before = bench.head();
    let run = bench.start(&procedure, request(&bench, &procedure)).unwrap();
    assert_eq!((run.ending, bench.head()), (Some(Ending::ChecksFailed), before));
    assert!(
        run.rungs.last().unwrap().why.contains("(expected 15 of input smoke_total, found 14)"),
        "{:?}",
        run.rungs
    );
    // What shows more was looked at and kept: option "smoke tests still failing".
    assert!(run.evidence.contains_key("diagnose/smoke-still-failing/1"), "{:?}", run.evidence.keys());
}

#[test]
fn one_line_with_a_number_is_not_fifteen_lines_and_a_pipe_hides_no_failure() {
    let (bench, procedure) = (bench("single-removal"), built_in("matriz"));
    bench.program("make", "echo '15/15 passed' | tee log; exit 2");
    let run = bench.start(&procedure, request(&bench, &procedure)).unwrap();
    let judged = &run.verdicts["smoke"][&On::Candidate];
    assert_ne!(judged.outcome, Outcome::Pass, "the exit code counts too: {judged}");
    assert!(run.commits.is_empty());
}

#[test]
fn the_pull_request_of_option_c_needs_the_commander() {
    let (bench, procedure) = (bench("single-removal"), built_in("matriz"));
    let mut request = request(&bench, &procedure);
    request.by_hand = true;
    request.set.push(("pr".into(), "1234".into()));
    assert_eq!(bench.start(&procedure, request.clone()).unwrap_err().code(), "approval-missing");
    request.approvals = vec![("incident-commander".into(), "Ada".into())];
    let before = bench.head();
    let run = bench.start(&procedure, request).unwrap();
    assert!(bench.calls().contains("gh pr merge 1234 --merge --admin\n"), "{}", bench.calls());
    assert_eq!((run.rungs[0].at, run.rungs[0].taken, bench.head()), (4, true, before));
    assert!(run.outside_effects.contains(&"gh pr merge 1234 --merge --admin".to_owned()));
}

#[test]
fn the_shim_goes_again_once_the_imports_were_migrated() {
    let (bench, procedure) = (bench("single-removal"), built_in("matriz"));
    bench.program("make", "case \"$1\" in smoke) if [ -f MATRIZ/__init__.py ] || [ -f migrated ]; then echo 15/15 passed; else echo 4/15 passed; exit 2; fi;; esac");
    bench.program("python3", "for p; do :; done; case \"$p\" in *'import matriz'*) echo DeprecationWarning >&2;; esac; printf '%s\\n' \"$p\" | sed -n \"s/.*print('\\(.*\\)').*/\\1/p\"");
    let run = bench.start(&procedure, request(&bench, &procedure)).unwrap();
    assert_eq!(run.ending, Some(Ending::Done), "{:#?}", run.verdicts);
    bench.sandbox.commit("migrate every import", &[("migrated", "yes\n")]);
    let mut undo = request(&bench, &procedure);
    undo.purpose = Purpose::Reapply { run: run.id };
    undo.soak = true;
    undo.confirmed = (1..=4).map(|at| format!("condition-{at}")).collect();
    let run = bench.start(&procedure, undo).unwrap();
    assert_eq!(run.ending, Some(Ending::Done), "{:#?}", run.verdicts);
    assert_eq!(bench.read("MATRIZ/__init__.py"), "missing");
    assert_eq!(bench.clock.now().as_second() - 1_762_941_600, 72 * 3600, "it was watched for 72 hours");
}
