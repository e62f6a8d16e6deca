//! The scripts of the Action, against a local origin: recorded events of a forge, hostile ones among them, and what comes of
//! each. `action/harness.sh` plays them; the forge's API and `gh` are a stand-in that it makes.
#![cfg(unix)]

use std::process::Stdio;

use test_kit::{Sandbox, mutants};

use crate::kit::path_with_rb;

/// A line an event: mode, event and inputs, the exit code, the status, and what origin has got by it.
const EXPECTED: &str = include_str!("action/expected.txt");

#[test]
fn recorded_events_end_as_they_should_and_hostile_ones_do_no_harm() {
    let folder = Sandbox::folder();
    let jq = folder.command("jq").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !jq.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: jq is not installed");
        return;
    }
    let project = mutants::project();
    let mut harness = folder.command("bash");
    harness.arg(project.join("tests/cli/action/harness.sh"));
    harness
        .args([project.join("action"), project.join("tests/cli/action/events")])
        .env("PATH", path_with_rb());
    let output = harness.output().expect("a shell can be started");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    for (found, expected) in said.lines().zip(EXPECTED.lines()) {
        assert_eq!(found, expected, "VERBOSE=1 tests/cli/action/harness.sh ACTION EVENTS shows why");
    }
    assert_eq!(said.lines().count(), EXPECTED.lines().count());
}

#[test]
fn no_text_of_an_event_is_read_as_a_script() {
    let action = std::fs::read_to_string(mutants::project().join("action.yml")).expect("the Action");
    let (_, runs) = action.split_once("\nruns:\n").expect("what it runs");
    let scripts: Vec<_> = runs.lines().filter(|line| line.trim_start().starts_with("run:")).collect();
    assert_eq!(scripts, [r#"      run: '"$GITHUB_ACTION_PATH/action/run.sh"'"#]);
    // Every input that is declared reaches the script by its environment, and nothing else does.
    let (inputs, _) = action.split_once("\noutputs:\n").expect("its inputs");
    let (_, inputs) = inputs.split_once("\ninputs:\n").expect("its inputs");
    let declared: Vec<_> = inputs
        .lines()
        .filter_map(|line| line.strip_prefix("  ")?.strip_suffix(':'))
        .filter(|name| !name.starts_with(' '))
        .collect();
    for name in &declared {
        assert!(runs.contains(&format!("${{{{ inputs.{name} ")), "{name} is read nowhere");
    }
    assert_eq!(runs.matches("inputs.").count(), declared.len(), "{declared:?}");
}
