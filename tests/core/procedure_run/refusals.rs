//! What is refused before anybody is told, anything is backed up or any step has run.

use super::bench::*;

/// A procedure whose first step leaves a trace.
fn traced(text: &str) -> Procedure {
    procedure(&format!(
        "{text}\n[[step]]\nid = \"trace\"\nrun = [\"touch\", \"trace\"]\n[[message]]\nid = \"hello\"\ntext = \"hello\"\n"
    ))
}

#[track_caller]
fn refused(bench: &Bench, procedure: &Procedure, change: impl FnOnce(&mut RunRequest)) -> EngineError {
    let before = test_kit::State::of(&bench.sandbox);
    let mut request = bench.request(procedure);
    change(&mut request);
    let mut told = 0;
    let refused = bench.with(|engine, _| {
        engine.start(procedure, request, &mut |event: &Event<'_>| {
            told += usize::from(matches!(event, Event::Message { .. }));
        })
    });
    let refused = refused.expect_err("it is refused");
    assert_eq!(told, 0, "nobody was told: {refused}");
    before.assert_unchanged(&bench.sandbox);
    refused
}

#[test]
fn a_merge_that_is_missing_a_path_that_never_was_and_a_commit_elsewhere_are_refused() {
    let bench = Bench::new(merged());
    bench.sandbox.git(&["checkout", "-q", "-b", "elsewhere"]);
    let stranger = bench.sandbox.commit("RNG: elsewhere", &[("src/rng.py", "xml\n")]);
    bench.sandbox.git(&["checkout", "-q", "main"]);
    let merge = bench.sandbox.git(&["rev-parse", "HEAD^"]);
    let phase = |rest: &str| traced(&format!("[phase.p]\nbefore = [\"trace\"]\n{rest}"));
    for (text, code, words) in [
        (
            "target = { merge_of = \"feature/none\" }\nladder = [{ use = \"revert-merge\", mainline = 1 }]"
                .to_owned(),
            "target-not-found",
            "no merge of 'feature/none' is in the history of the tip".to_owned(),
        ),
        (
            "target = { path = \"src/rgn.py\" }\nladder = [{ use = \"revert-commit\" }]".to_owned(),
            "path-never-existed",
            String::new(),
        ),
        (
            format!("target = {{ commit = \"{stranger}\" }}\nladder = [{{ use = \"revert-commit\" }}]"),
            "target-not-found",
            format!("commit {stranger} is not in the history of "),
        ),
        (
            format!("target = {{ commit = \"{merge}\" }}\nladder = [{{ use = \"revert-commit\" }}]"),
            "target-not-found",
            format!("{} is a merge, and the rung names no mainline", &merge[..7]),
        ),
        (
            "target = { commit = \"HEAD\" }\nladder = [{ use = \"revert-commit\", mainline = 1 }]".to_owned(),
            "mainline-out-of-range",
            String::new(),
        ),
        (
            "ladder = [{ use = \"restore-file\", from = \"checkpoint:none\", exact = true }]".to_owned(),
            "target-not-found",
            "there is no checkpoint 'none'".to_owned(),
        ),
    ] {
        let error = refused(&bench, &phase(&text), |_| {});
        assert!(error.to_string().starts_with(&words), "{text}: {error}");
        assert_eq!(error.code(), code, "{text}: {error}");
    }
}

#[test]
fn an_edited_or_untracked_file_in_the_way_is_refused() {
    let bench = Bench::new(removed());
    let procedure = traced(&RESTORE.replace("[phase.shim]\n", "[phase.shim]\nbefore = [\"trace\"]\n"));
    bench.sandbox.write("shim.py", "mine\n");
    let error = refused(&bench, &procedure, |_| {});
    assert_eq!(error.code(), "in-the-way", "{error}");
    assert_eq!(fs::read_to_string(bench.sandbox.path().join("shim.py")).unwrap(), "mine\n");
}

#[test]
fn values_that_break_a_constraint_or_are_not_there_are_refused_before_any_step() {
    let bench = Bench::new(traffic());
    let text = TRAFFIC.replace("[phase.broken]\n", "[phase.broken]\nbefore = [\"trace\"]\n");
    let procedure = traced(&format!(
        "{text}[phase.none]\nbefore = [\"trace\"]\nset = {{ \"none.toml:a\" = 1 }}\n[phase.key]\nbefore = [\"trace\"]\nset = {{ \"traffic.toml:flat.part\" = 1 }}\n"
    ));
    let of = |phase: &'static str| move |request: &mut RunRequest| request.phase = Some(phase.into());
    assert_eq!(refused(&bench, &procedure, of("broken")).code(), "constraint-broken");
    assert_eq!(refused(&bench, &procedure, of("none")).code(), "target-not-found");
    let error = refused(&bench, &procedure, of("key"));
    assert_eq!(error.code(), "not-settable", "{error}");
    bench.sandbox.write("traffic.toml", "flat = 1\nhierarchical = 99\n");
    assert_eq!(refused(&bench, &procedure, of("canary")).code(), "in-the-way");
}

#[test]
fn an_operation_in_progress_a_detached_history_and_another_run_are_refused() {
    let bench = Bench::new(removed());
    let procedure = traced(&RESTORE.replace("[phase.shim]\n", "[phase.shim]\nbefore = [\"trace\"]\n"));
    let head = bench.head();
    fs::write(bench.sandbox.path().join(".git/CHERRY_PICK_HEAD"), format!("{head}\n")).unwrap();
    let error = refused(&bench, &procedure, |_| {});
    assert_eq!(error.code(), "operation-in-progress", "{error}");
    fs::remove_file(bench.sandbox.path().join(".git/CHERRY_PICK_HEAD")).unwrap();
    let error = refused(&bench, &procedure, |request| request.groups = vec!["none".into()]);
    assert_eq!(error.code(), "unknown-name");
}

#[test]
fn a_history_that_is_cut_off_before_the_culprit_is_refused() {
    let origin = removed();
    let bench = Bench::new(Sandbox::new());
    let url = format!("file://{}", origin.path().display());
    bench.sandbox.git(&["fetch", "-q", "--depth", "1", &url, "main"]);
    bench.sandbox.git(&["reset", "-q", "--hard", "FETCH_HEAD"]);
    let procedure = traced(&RESTORE.replace("[phase.shim]\n", "[phase.shim]\nbefore = [\"trace\"]\n"));
    let error = refused(&bench, &procedure, |_| {});
    assert_eq!(error.code(), "shallow-history", "{error}");
}
