//! What lands, what does not, and what is found to be rolled back.

use rollback_core::error::LandingError;

use super::bench::*;

#[test]
fn a_removed_file_comes_back_checked_red_before_and_green_after() {
    let bench = Bench::new(removed());
    let procedure = procedure(&RESTORE.replace("[phase.shim]\n", "[phase.shim]\ncontrol = true\n"));
    let before = bench.head();
    let run = bench.start(&procedure, bench.request(&procedure)).unwrap();
    assert_eq!((run.status, run.ending), (RunStatus::Complete, Some(Ending::Done)));
    assert_eq!(bench.sandbox.git(&["rev-parse", "HEAD^"]), before);
    assert_eq!(bench.head(), run.commits[0].to_string());
    assert_eq!(bench.sandbox.git(&["show", "--format=", "--name-status"]), "A\tshim.py");
    assert_eq!(bench.sandbox.git(&["status", "--porcelain"]), "");
    assert_eq!(run.verdicts["smoke"][&On::Control].outcome, Outcome::Fail);
    assert_eq!(run.verdicts["smoke"][&On::Candidate].outcome, Outcome::Pass);
    let message = bench.sandbox.git(&["log", "-1", "--format=%B"]);
    assert!(
        message.contains(&format!("Rollback-Run: {}", run.id))
            && message.contains("Rollback-Procedure: x/shim")
    );

    let again = bench.start(&procedure, bench.request(&procedure)).unwrap();
    assert_eq!((again.status, again.ending), (RunStatus::NothingToDo, Some(Ending::NothingToDo)));
    assert_eq!(bench.head(), run.commits[0].to_string());
    bench.sandbox.git(&["fsck", "--strict"]);
}

#[test]
fn smoke_with_fourteen_of_fifteen_lands_nothing() {
    let bench = Bench::new(removed());
    bench.sandbox.commit("fewer", &[("count", "14\n")]);
    let procedure = procedure(RESTORE);
    let before = (bench.head(), bench.sandbox.git(&["for-each-ref", "refs/heads"]));
    let run = bench.start(&procedure, bench.request(&procedure)).unwrap();
    assert_eq!((run.status, run.ending), (RunStatus::Failed, Some(Ending::ChecksFailed)));
    assert_eq!((bench.head(), bench.sandbox.git(&["for-each-ref", "refs/heads"])), before);
    let tried: Vec<_> = run.rungs.iter().map(|rung| (rung.at, rung.taken, rung.why.as_str())).collect();
    let why = "smoke: fail: fewer of it than expected (expected 15, found 14)";
    assert_eq!(tried, [(1, false, why), (2, false, why)], "the next eligible rung was tried too");
}

#[test]
fn more_than_the_exact_figure_pauses_until_a_person_confirms_it() {
    let bench = Bench::new(removed());
    bench.sandbox.commit("more", &[("count", "16\n")]);
    let procedure = procedure(RESTORE);
    let run = bench.start(&procedure, bench.request(&procedure)).unwrap();
    assert_eq!((run.status, run.ending), (RunStatus::Paused, Some(Ending::Paused)));
    let pause = run.pause.unwrap();
    assert_eq!(pause.at, "smoke");
    assert!(pause.why.ends_with("(expected 15, found 16)"), "{}", pause.why);

    let mut how = bench.resumption(&procedure);
    how.confirmed = vec!["smoke".into()];
    let run = bench.resume(&procedure, how).unwrap();
    assert_eq!(run.status, RunStatus::Complete);
    assert!(bench.sandbox.path().join("shim.py").exists());
}

#[test]
fn a_conflict_falls_to_restoring_and_what_that_discards_needs_consent() {
    let repo = Sandbox::new();
    repo.commit("base", &[("monitor.py", "a\nb\nc\n")]);
    let extraction =
        repo.commit("extract analyzers", &[("monitor.py", "a\nB\nc\n"), ("analyzers/x.py", "x\n")]);
    let later = repo.commit("later work", &[("monitor.py", "a\nBB\nc\n")]);
    let bench = Bench::new(repo);
    let procedure = procedure(
        r#"
[input.commit]
[phase.extract]
target = { commit = "{input.commit}" }
paths = ["monitor.py", "analyzers"]
[[phase.extract.ladder]]
use = "revert-commit"
scoped = true
[[phase.extract.ladder]]
use = "restore-file"
from = "target^1"
exact = true
when = ["conflict"]
[phase.extract.variant.by-hand]
edits = ["merge"]
[[step]]
id = "merge"
manual = "merge monitor.py in {candidate.folder}"
"#,
    );
    let mut request = bench.request(&procedure);
    let unset = bench.start(&procedure, request.clone()).unwrap_err();
    assert_eq!((unset.code(), unset.to_string().as_str()), ("input-unset", "input 'commit' is not set"));
    request.set = vec![("commit".into(), extraction.clone())];
    let before = bench.head();
    let refused = bench.start(&procedure, request.clone()).unwrap_err();
    match refused {
        EngineError::Core(Error::Landing(LandingError::LossNotAllowed { discards, .. })) => {
            assert_eq!(discards[0].to_string(), later)
        }
        other => panic!("{other}"),
    }
    assert_eq!(bench.head(), before);

    // By hand instead: the later work stays.
    let twin = Bench::new(bench.sandbox.twin());
    let mut by_hand = request.clone();
    by_hand.variant = Some("by-hand".into());
    let run = twin.start(&procedure, by_hand).unwrap();
    let pause = run.pause.unwrap();
    let folder = pause.folder.clone().unwrap();
    assert_eq!(pause.why, format!("merge monitor.py in {}", folder.display()));
    fs::write(folder.join("monitor.py"), "a\nbb\nc\n").unwrap();
    fs::remove_dir_all(folder.join("analyzers")).unwrap();
    let mut shown = String::new();
    let mut watch = |event: &Event<'_>| {
        if let Event::Edited { diff } = event {
            shown.push_str(diff);
        }
    };
    let how = twin.resumption(&procedure);
    let run = twin.with(|engine, _| engine.resume(&procedure, None, how, &mut watch)).unwrap();
    let by_git = twin.sandbox.git(&["show", "--format="]);
    assert_eq!(shown.trim_end(), by_git);
    assert_eq!(run.status, RunStatus::Complete, "{:?}", run.units);
    assert_eq!(twin.sandbox.git(&["show", "--format=", "--name-status"]), "D\tanalyzers/x.py\nM\tmonitor.py");

    // With consent the restore lands, and removes what was added.
    request.allow_loss = true;
    let run = bench.start(&procedure, request).unwrap();
    assert_eq!(run.status, RunStatus::Complete);
    assert_eq!(bench.sandbox.git(&["diff", "HEAD", &format!("{extraction}^"), "--stat"]), "");
    assert_eq!(run.rungs.len(), 2);
}

#[test]
fn a_check_that_hangs_is_killed_and_nothing_lands() {
    let bench = Bench::new(removed());
    let text = RESTORE
        .replace("test -f shim.py && echo $(cat count) passed", "trap '' TERM; sleep 300 & wait")
        .replace("id = \"smoke\"", "id = \"smoke\"\ntimeout = \"300ms\"\ncontrol = false");
    let procedure = procedure(&text);
    let before = bench.head();
    let started = std::time::Instant::now();
    let run = bench.start(&procedure, bench.request(&procedure)).unwrap();
    assert!(started.elapsed() < Duration::from_secs(60));
    assert_eq!((run.ending, bench.head()), (Some(Ending::ChecksFailed), before));
    assert_eq!(run.verdicts["smoke"][&On::Candidate].outcome, Outcome::Error);
}

#[test]
fn several_merges_go_back_as_one_move_each_checked() {
    let repo = Sandbox::new();
    repo.commit("base", &[("base", "b\n")]);
    for (name, file) in [("feature/one", "one"), ("feature/two", "two")] {
        repo.git(&["checkout", "-q", "-b", name]);
        repo.commit(name, &[(file, "x\n")]);
        repo.commit("more", &[(file, "y\n")]);
        repo.git(&["checkout", "-q", "main"]);
        repo.git(&["merge", "-q", "--no-ff", "-m", &format!("Merge branch '{name}'"), name]);
    }
    // One branch is gone: its merge is known by its subject.
    repo.git(&["branch", "-q", "-D", "feature/one"]);
    let bench = Bench::new(repo);
    let procedure = procedure(
        r#"
[phase.all]
target = { merges_of = ["feature/two", "feature/one"] }
ladder = [{ use = "revert-merge", mainline = 1 }]
validate_each = ["base"]
validate = ["gone"]
branch = "emergency/{phase.id}-{date.compact}"
commit = { subject = "Rollback: all" }
[[check]]
id = "base"
file = "base"
expect = { exists = true }
[[check]]
id = "gone"
file = "one"
expect = { exists = false }
"#,
    );
    let before = bench.head();
    let run = bench.start(&procedure, bench.request(&procedure)).unwrap();
    assert_eq!(run.status, RunStatus::Complete, "{:?} {:?}", run.units, run.rungs);
    assert_eq!(bench.head(), before, "the current branch stays");
    assert_eq!(run.landed_on.as_deref(), Some("refs/heads/emergency/all-20251112"));
    assert_eq!(run.commits.len(), 2);
    assert_eq!(bench.sandbox.git(&["ls-tree", "-r", "--name-only", "emergency/all-20251112"]), "base");
}

#[test]
fn before_a_phase_is_the_first_parent_of_its_merge_and_reports_are_dated() {
    // `feature~1` would still hold the first of the two commits, and `checkout -- dir` would leave the migration.
    let bench = Bench::new(merged());
    let procedure = procedure(
        r#"
[phase.rng]
target = { merge_of = "feature/rng" }
paths = ["src", "REPORT.md"]
ladder = [{ use = "restore-file", from = "target^1", exact = true, paths = ["src/rng.py", "src/state.py", "src/migrations/to_json.py"] }]
report = "why"
[[report]]
id = "why"
path = "REPORT.md"
text = "**Date**: {date.iso}\n**Strategy**: {source.short}\n"
"#,
    );
    let base = bench.sandbox.git(&["rev-parse", "HEAD~2"]);
    let run = bench.start(&procedure, bench.request(&procedure)).unwrap();
    assert_eq!(run.status, RunStatus::Complete, "{:?}", run.rungs);
    assert_eq!(run.rungs[0].discards, [], "what the merge brought in is no loss");
    assert_eq!(bench.sandbox.git(&["diff", "--name-status", &base, "HEAD"]), "A\tREPORT.md\nM\tother");
    let report = fs::read_to_string(bench.sandbox.path().join("REPORT.md")).unwrap();
    assert_eq!(
        report,
        format!(
            "**Date**: 2025-11-12\n**Strategy**: {}\n",
            bench.sandbox.git(&["rev-parse", "--short", &base])
        )
    );
}

#[test]
fn commits_found_by_their_message_are_reverted_newest_first_and_others_are_no_target() {
    let bench = Bench::new(merged());
    bench.sandbox.git(&["checkout", "-q", "-b", "elsewhere"]);
    let stranger = bench.sandbox.commit("RNG: elsewhere", &[("src/rng.py", "xml\n")]);
    bench.sandbox.git(&["checkout", "-q", "main"]);
    let procedure = procedure(
        r#"
[input.commit]
default = "HEAD"
[phase.rng]
target = { grep = "^RNG", since = "2000-01-01", pick = "all" }
ladder = [{ use = "revert-commit" }]
[phase.one]
target = { grep = "^RNG" }
ladder = [{ use = "revert-commit" }]
[phase.named]
target = { commit = "{input.commit}" }
ladder = [{ use = "revert-commit" }]
[phase.none]
target = { grep = "^XYZ" }
ladder = [{ use = "revert-commit" }]
"#,
    );
    let phase = |name: &str| {
        let mut request = bench.request(&procedure);
        request.phase = Some(name.to_owned());
        request
    };
    let mut named = phase("named");
    named.set = vec![("commit".into(), stranger.clone())];
    let refused = bench.start(&procedure, named).unwrap_err().to_string();
    assert!(refused.starts_with(&format!("commit {stranger} is not in the history of ")), "{refused}");
    let refused = bench.start(&procedure, phase("one")).unwrap_err();
    assert_eq!(refused.code(), "ambiguous-target");
    assert!(refused.to_string().starts_with("2 commits match, and one is wanted: "), "{refused}");
    let run = bench.start(&procedure, phase("none")).unwrap();
    assert_eq!((run.ending, run.rungs[0].why.as_str()), (Some(Ending::NoRung), "no commit matches"));
    let run = bench.start(&procedure, phase("rng")).unwrap();
    assert_eq!((run.status, run.commits.len()), (RunStatus::Complete, 2));
    assert_eq!(bench.sandbox.git(&["ls-files", "src"]), "src/rng.py\nsrc/state.py");
    assert_eq!(fs::read_to_string(bench.sandbox.path().join("src/rng.py")).unwrap(), "pickle\n");
}

#[test]
fn a_candidate_that_a_program_could_not_edit_does_not_land() {
    let bench = Bench::new(Sandbox::new());
    bench.sandbox.commit("one", &[("f", "1\n")]);
    bench.sandbox.commit("two", &[("f", "2\n")]);
    let head = bench.head();
    let procedure = procedure(
        r#"
[phase.p]
target = { commit = "HEAD" }
edits = ["generate"]
ladder = [{ use = "revert-commit" }]
[[step]]
id = "generate"
run = ["sh", "-c", "echo half > generated; exit 3"]
"#,
    );
    let run = bench.start(&procedure, bench.request(&procedure)).unwrap();
    assert_eq!(run.ending, Some(Ending::ChecksFailed), "{:#?}", run.rungs);
    assert!(run.rungs[0].why.contains("step 'generate' that edits it"), "{:#?}", run.rungs);
    assert_eq!((bench.head(), bench.sandbox.git(&["status", "--porcelain"])), (head, String::new()));
}
