//! Scripts named by path: what was trusted is what runs, and no other copy of it ever does.

use test_kit::{Part, State};

use super::bench::*;

/// The last commit removed a shim and brought the smoke test that is trusted; the one before it had another.
fn rewritten(old: Option<&str>) -> Bench {
    let bench = Bench::new(Sandbox::new());
    if let Some(old) = old {
        script(&bench, "smoke.sh", old);
    }
    bench.sandbox.commit("add", &[("shim.py", "one\n"), ("other.py", "o\n")]);
    bench.sandbox.git(&["rm", "-q", "shim.py"]);
    script(&bench, "smoke.sh", "test -f shim.py && echo 15 passed");
    bench.sandbox.commit("remove the shim", &[("other.py", "o2\n")]);
    bench
}

fn script(bench: &Bench, name: &str, text: &str) {
    bench.sandbox.write(name, format!("#!/bin/sh\n{text}\n"));
    fs::set_permissions(bench.sandbox.path().join(name), fs::Permissions::from_mode(0o755)).unwrap();
}

/// A script that leaves a trace outside of every work tree and says that all is well.
fn intruder(bench: &Bench) -> String {
    format!("touch {}/owned; echo 15 passed", bench.home.path().display())
}

#[track_caller]
fn assert_not_owned(bench: &Bench) {
    assert!(!bench.home.path().join("owned").exists(), "another script than the trusted one ran");
}

/// Everything that a rollback could have changed; a run that failed is still written down.
fn landed(bench: &Bench) -> (State, String, String) {
    let parts = [Part::Index, Part::Flags, Part::Status, Part::Files, Part::Times];
    let refs = bench.sandbox.git(&["for-each-ref", "refs/heads", "refs/tags"]);
    (State::of(&bench.sandbox).only(&parts), refs, bench.head())
}

#[track_caller]
fn assert_nothing_landed(bench: &Bench, before: &(State, String, String)) {
    let after = landed(bench);
    before.0.assert_same(&after.0);
    assert_eq!((&before.1, &before.2), (&after.1, &after.2));
    assert_not_owned(bench);
}

const WHOLE: &str = r#"
[phase.p]
target = { commit = "HEAD" }
validate = ["smoke"]
ladder = [{ use = "revert-commit" }]
[[check]]
id = "smoke"
run = ["./smoke.sh"]
expect = { capture = '(\d+) passed', eq = 15 }
"#;

const OF_THE_CANDIDATE: &str = "the candidate's copy of ./smoke.sh is not the one that was trusted";

#[test]
fn a_candidate_is_never_checked_by_a_script_of_its_own() {
    let home = Bench::new(Sandbox::new());
    let bench = rewritten(Some(&intruder(&home)));
    let procedure = procedure(WHOLE);
    let before = landed(&bench);
    let run = bench.start(&procedure, bench.request(&procedure)).unwrap();
    assert_eq!(run.ending, Some(Ending::ChecksFailed));
    let verdict = &run.verdicts["smoke"][&On::Candidate];
    assert_eq!((verdict.outcome, verdict.reason.as_str()), (Outcome::Error, OF_THE_CANDIDATE));
    assert_nothing_landed(&bench, &before);
    assert_not_owned(&home);
}

#[test]
fn a_rung_that_leaves_the_script_alone_is_taken_in_its_place() {
    let bench = rewritten(Some("echo 15 passed"));
    let procedure = procedure(&WHOLE.replace(
        "ladder = [{ use = \"revert-commit\" }]",
        "ladder = [{ use = \"revert-commit\" }, { use = \"restore-file\", from = \"target^1\", paths = [\"shim.py\"], when = [\"validation-failed\"] }]",
    ));
    let run = bench.start(&procedure, bench.request(&procedure)).unwrap();
    assert_eq!(run.ending, Some(Ending::Done));
    assert_eq!(run.rungs.iter().map(|rung| rung.taken).collect::<Vec<_>>(), [false, true]);
    assert_eq!(run.rungs[0].why, format!("smoke: error: {OF_THE_CANDIDATE}"));
    assert_eq!(run.verdicts["smoke"][&On::Candidate].outcome, Outcome::Pass, "the positive control");
    assert_eq!(bench.sandbox.git(&["diff", "--name-status", "HEAD~1", "HEAD"]), "A\tshim.py");
}

#[test]
fn a_script_that_the_candidate_lacks_is_an_error_and_nobody_can_confirm_it_away() {
    for confirmed in [Vec::new(), vec!["smoke".to_owned()]] {
        // Gone with the candidate, and, where it was never committed, missing on both sides.
        for committed in [true, false] {
            let bench = rewritten(None);
            if !committed {
                bench.sandbox.git(&["rm", "-q", "--cached", "smoke.sh"]);
                bench.sandbox.git(&["commit", "-q", "--amend", "--no-edit"]);
            }
            let procedure = procedure(WHOLE);
            let before = landed(&bench);
            let mut request = bench.request(&procedure);
            request.confirmed.clone_from(&confirmed);
            let run = bench.start(&procedure, request).unwrap();
            assert_eq!(run.ending, Some(Ending::ChecksFailed), "{confirmed:?} {committed}");
            let verdict = &run.verdicts["smoke"][&On::Candidate];
            assert_eq!(verdict.outcome, Outcome::Error);
            assert_eq!(verdict.reason, format!("{OF_THE_CANDIDATE}: it is not there"));
            assert_nothing_landed(&bench, &before);
        }
    }
}

#[test]
fn a_step_that_edits_the_candidate_does_not_run_a_script_of_the_candidate() {
    let home = Bench::new(Sandbox::new());
    let bench = rewritten(Some(&intruder(&home)));
    let procedure = procedure(
        "[phase.p]\ntarget = { commit = \"HEAD\" }\nedits = [\"generate\"]\nladder = [{ use = \"revert-commit\" }]\n[[step]]\nid = \"generate\"\nrun = [\"./smoke.sh\"]\n",
    );
    let before = landed(&bench);
    let refused = bench.start(&procedure, bench.request(&procedure)).unwrap_err();
    assert_eq!((refused.code(), refused.to_string().as_str()), ("script-not-trusted", OF_THE_CANDIDATE));
    assert_nothing_landed(&bench, &before);
    assert_not_owned(&home);
}

#[test]
fn a_script_of_the_work_tree_that_changed_after_the_run_began_is_not_run() {
    let bench = rewritten(Some("true"));
    script(&bench, "tell.sh", "true");
    let write = format!("echo '{}' > tell.sh", intruder(&bench));
    let steps = format!(
        "[[step]]\nid = \"write\"\nrun = [\"sh\", \"-c\", \"{write}\"]\n[[step]]\nid = \"tell\"\nrun = [\"./tell.sh\"]\n"
    );
    let phase = |when: &str| {
        procedure(&format!(
            "[phase.p]\n{when} = [\"write\", \"tell\"]\ntarget = {{ commit = \"HEAD\" }}\nladder = [{{ use = \"revert-commit\" }}]\n{steps}"
        ))
    };
    let words = "the work tree's copy of ./tell.sh is not the one that was trusted";
    let head = bench.head();
    for (when, has_landed) in [("before", false), ("after", true)] {
        script(&bench, "tell.sh", "true");
        let procedure = phase(when);
        let refused = bench.start(&procedure, bench.request(&procedure)).unwrap_err();
        assert_eq!((refused.code(), refused.to_string().as_str()), ("script-not-trusted", words));
        assert_eq!(bench.head() != head, has_landed, "{when}");
        let run = bench.with(|_, repo| runs(repo)).unwrap().remove(0);
        let told = run.units.iter().find(|unit| unit.id == "tell").unwrap();
        assert_eq!(told.state, UnitState::Pending, "{when}");
        bench.with(|engine, _| engine.abort(Some(&run.id))).ok();
        assert_not_owned(&bench);
    }
}

#[test]
fn what_only_tells_and_keeps_does_not_run_another_script_and_stands_in_nobodys_way() {
    let bench = rewritten(Some("true"));
    script(&bench, "tell.sh", "true");
    let write = format!("echo '{}' > tell.sh", intruder(&bench));
    let procedure = procedure(&format!(
        "[phase.p]\nbefore = [\"write\"]\nevidence = [\"state\"]\ntarget = {{ commit = \"HEAD\" }}\nladder = [{{ use = \"revert-commit\" }}]\n[[step]]\nid = \"write\"\nrun = [\"sh\", \"-c\", \"{write}\"]\n[[evidence]]\nid = \"state\"\nwhen = \"after\"\nrun = [\"./tell.sh\"]\n[[message]]\nid = \"done\"\non = \"complete\"\ntext = \"done\"\nsend = [\"./tell.sh\"]\n"
    ));
    let run = bench.start(&procedure, bench.request(&procedure)).unwrap();
    assert_eq!((run.status, run.ending), (RunStatus::Complete, Some(Ending::Done)));
    let note = |id: &str| run.units.iter().find(|unit| unit.id == id).unwrap().note.clone().unwrap();
    let words = "the work tree's copy of ./tell.sh is not the one that was trusted";
    assert_eq!(note("state"), words);
    assert_eq!(note("done"), format!("not sent: error: {words}"));
    assert_not_owned(&bench);
}
