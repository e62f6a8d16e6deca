//! `rb procedure` and `rb evaluate`: what a procedure says, whether it holds together, and what samples say of it.

use serde_json::json;
use test_kit::{Sandbox, State};

use crate::kit::{Run, rb};

const GATE: &str = r#"
schema = 1
id = "gate"
title = "A gate"
[metric.error_rate]
unit = "%"
[metric.latency]
unit = "s"
[[severity]]
id = "P0"
any = [{ metric = "error_rate", op = ">", threshold = "5%" }]
[[severity]]
id = "P1"
any = [{ metric = "error_rate", op = ">", threshold = "1%" }]
[[trigger]]
id = "errors"
title = "Requests fail"
metric = "error_rate"
op = ">"
threshold = "1%"
for = "2m"
phase = "main"
[[trigger]]
id = "slow"
metric = "latency"
op = ">"
threshold = "50ms"
[[trigger]]
id = "complaints"
manual = "users complain"
[[decision]]
id = "bad"
title = "Some requests fail"
when = [{ metric = "error_rate", op = ">", threshold = "1%" }]
severity = "P1"
phases = ["main"]
[[decision]]
id = "worst"
title = "Most requests fail"
when = [{ metric = "error_rate", op = ">", threshold = "5%" }]
severity = "P0"
action = "emergency"
phases = ["main"]
emergency = true
[phase.main]
target = { path = "f" }
ladder = [{ use = "revert-commit" }]
"#;

fn gate() -> Sandbox {
    let repo = Sandbox::new();
    repo.commit("one", &[("f", "1\n")]);
    repo.write(".rb/procedures/gate.toml", GATE);
    repo
}

/// Five minutes of samples.
fn samples(repo: &Sandbox, errors: &str, latency: &str) -> String {
    let rows = (0..6).flat_map(|minute| {
        let time = format!("2026-03-08T12:0{minute}:00Z");
        [
            format!(r#"{{"metric":"error_rate","time":"{time}","value":"{errors}"}}"#),
            format!(r#"{{"metric":"latency","time":"{time}","value":"{latency}"}}"#),
        ]
    });
    repo.write("samples.jsonl", rows.collect::<Vec<_>>().join("\n"));
    "samples.jsonl".to_owned()
}

fn evaluate(repo: &Sandbox, more: &[&str]) -> Run {
    let words = ["evaluate", "gate", "--samples", "samples.jsonl", "--at", "newest"];
    rb(repo, &[&words[..], more].concat())
}

#[test]
fn a_trigger_that_fires_ends_with_10_and_the_severest_decision_comes_first() {
    let repo = gate();
    samples(&repo, "7%", "10ms");
    let run = evaluate(&repo, &["--json"]);
    assert_eq!((run.code, run.stderr.as_str()), (10, ""), "{}", run.stdout);
    let answer = run.json();
    let states: Vec<_> =
        answer["triggers"].as_array().unwrap().iter().map(|row| row["state"].clone()).collect();
    assert_eq!(states, ["fires", "quiet", "manual"]);
    assert_eq!(answer["severity"], "P0");
    let order: Vec<_> = answer["decisions"].as_array().unwrap().iter().map(|row| row["id"].clone()).collect();
    assert_eq!(order, ["worst", "bad"], "all are shown");

    let shown = evaluate(&repo, &[]);
    assert_eq!(shown.code, 10);
    assert!(shown.stdout.contains("The severest decision that matches is worst.\n"), "{}", shown.stdout);
    assert_eq!(shown.line("next: follow it with:"), "rb run gate --phase main --emergency");
}

#[test]
fn nothing_that_fires_is_0_and_doubt_is_never_that() {
    let repo = gate();
    samples(&repo, "0.1%", "10ms");
    let quiet = evaluate(&repo, &[]);
    assert_eq!((quiet.code, quiet.stdout.ends_with("\nNothing fires.\n")), (0, true), "{}", quiet.stdout);
    let silent = rb(&repo, &["evaluate", "gate"]);
    assert_eq!(silent.code, 7, "{}", silent.stdout);
    assert!(silent.stdout.contains("the samples cannot tell"), "{}", silent.stdout);
    let observed = evaluate(&repo, &["--observed", "complaints"]);
    assert_eq!(observed.code, 10, "{}", observed.stdout);
    let earlier = rb(
        &repo,
        &["evaluate", "gate", "--samples", "samples.jsonl", "--at", "2026-03-08T11:00:00Z", "--json"],
    );
    assert_eq!((earlier.code, &earlier.json()["triggers"][0]["state"]), (7, &json!("inconclusive")));
}

#[test]
fn a_workflow_gets_annotations_and_the_same_exit_code() {
    let repo = gate();
    samples(&repo, "7%", "10ms");
    let run = evaluate(&repo, &["--format", "github"]);
    assert_eq!(run.code, 10);
    let lines: Vec<_> = run.stdout.lines().collect();
    assert_eq!(lines.len(), 3, "{}", run.stdout);
    assert!(lines[0].starts_with("::error title=errors::Requests fail: "), "{}", lines[0]);
    assert!(lines[1].starts_with("::notice title=worst::Most requests fail: emergency"), "{}", lines[1]);
}

#[test]
fn csv_and_prometheus_are_read_too_and_bad_lines_are_named() {
    let repo = gate();
    repo.write(
        "s.csv",
        "time,error_rate\n2026-03-08T12:00:00Z,7%\n2026-03-08T12:01:00Z,7%\n2026-03-08T12:02:00Z,7%\n",
    );
    let csv = rb(&repo, &["evaluate", "gate", "--samples", "s.csv", "--at", "newest", "--json"]);
    assert_eq!((csv.code, &csv.json()["triggers"][0]["state"]), (10, &json!("fires")));
    repo.write("s.prom", "# TYPE latency gauge\nlatency 0.2\n");
    let prometheus = rb(&repo, &["evaluate", "gate", "--samples", "s.prom", "--json"]);
    assert_eq!((prometheus.code, &prometheus.json()["triggers"][1]["state"]), (10, &json!("fires")));
    repo.write("bad.jsonl", "{\"metric\":\"latency\",\"value\":1}\nnonsense\n");
    let bad = rb(&repo, &["evaluate", "gate", "--samples", "bad.jsonl"]);
    assert_eq!(bad.code, 2);
    assert!(bad.line("error:").starts_with("bad.jsonl: line "), "{}", bad.stderr);
    let unknown = rb(&repo, &["evaluate", "gate", "--observed", "nothing"]);
    assert_eq!(
        (unknown.code, unknown.line("error:")),
        (
            2,
            "procedure 'gate' has no trigger and no decision 'nothing'; there are: errors, slow, complaints, bad, worst"
        )
    );
    let when = rb(&repo, &["evaluate", "gate", "--at", "yesterday"]);
    assert_eq!(
        (when.code, when.line("error:")),
        (2, "'yesterday' is no value for --at <TIME>: write it as 2026-03-08T12:00:00Z, or 'newest'")
    );
}

#[test]
fn a_new_procedure_holds_together_and_is_never_written_over() {
    let repo = Sandbox::new();
    repo.commit("one", &[("src/app.py", "1\n")]);
    let before = repo.git(&["status", "--porcelain", "-uall"]);
    let nothing = rb(&repo, &["procedure", "check"]);
    assert_eq!((nothing.code, nothing.line("hint:")), (5, "begin one with: rb procedure new release"));
    assert_eq!(repo.git(&["status", "--porcelain", "-uall"]), before);

    let made = rb(&repo, &["procedure", "new", "release"]);
    assert_eq!((made.code, made.stderr.as_str()), (0, ""), "{}", made.stdout);
    assert_eq!(repo.git(&["status", "--porcelain", "-uall"]), "?? .rb/procedures/release.toml");
    let checked = rb(&repo, &["procedure", "check"]);
    assert_eq!(
        (checked.code, checked.stdout.as_str()),
        (0, "1 procedure: no mistake.\n"),
        "{}",
        checked.stderr
    );
    let shown = rb(&repo, &["procedure", "show", "release"]).stdout;
    assert!(shown.starts_with("# release: what is rolled back, in one line\n"), "{shown}");

    let state = State::of(&repo);
    let again = rb(&repo, &["procedure", "new", "release"]);
    assert_eq!((again.code, again.line("error:")), (5, ".rb/procedures/release.toml is there already"));
    let bad = rb(&repo, &["procedure", "new", "../x"]);
    assert_eq!(bad.code, 2, "{}", bad.stderr);
    state.assert_unchanged(&repo);
}

#[test]
fn every_mistake_is_named_with_its_line_and_what_was_meant() {
    let repo = gate();
    let text = GATE.replace("id = \"slow\"", "id = \"slow\"\nphase = \"mian\"").replace("\"50ms\"", "\"50\"");
    repo.write("bad.toml", text);
    let run = rb(&repo, &["procedure", "check", "bad.toml", ".rb/procedures/gate.toml"]);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""));
    let lines: Vec<_> = run.stderr.lines().collect();
    assert!(
        lines.iter().any(|line| line.starts_with("bad.toml:") && line.contains("'50'")),
        "{}",
        run.stderr
    );
    let document = rb(&repo, &["procedure", "check", "bad.toml", "--json"]);
    let mistakes = document.json()["mistakes"].as_array().unwrap().clone();
    assert!(
        mistakes.iter().all(|one| one["file"] == "bad.toml" && one["line"].as_u64() > Some(1)),
        "{mistakes:?}"
    );
    let misspelt = GATE.replace("phase = \"main\"", "phase = \"mian\"");
    repo.write("bad.toml", misspelt);
    let run = rb(&repo, &["procedure", "check", "bad.toml"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("; did you mean 'main'?"), "{}", run.stderr);
    let missing = rb(&repo, &["procedure", "check", "./none.toml"]);
    assert_eq!(missing.code, 2, "{}", missing.stderr);
}

#[test]
fn a_list_says_where_each_comes_from() {
    let repo = gate();
    repo.write(".rb/procedures/broken.toml", "schema = 1\nnonsense = 2\n");
    let shown = rb(&repo, &["procedure", "list"]).stdout;
    let row = |name: &str| {
        let found = shown.lines().find(|line| line.split_whitespace().next() == Some(name));
        found.unwrap_or_else(|| panic!("{name}: {shown}")).split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(row("gate"), "gate .rb/procedures/gate.toml A gate");
    assert!(row("broken").starts_with("broken .rb/procedures/broken.toml "), "{shown}");
    let listed = rb(&repo, &["procedure", "list", "--json"]).json();
    let rows = listed["procedures"].as_array().expect("a list");
    assert_eq!(rows.iter().filter(|row| row["place"] == "built-in").count(), 4);
    assert!(rows.iter().any(|row| row["name"] == "gate" && row["place"] == "work-tree"), "{listed}");
}

#[test]
fn a_procedure_is_shown_as_markdown_and_on_a_terminal_as_text() {
    let repo = gate();
    let page = rb(&repo, &["procedure", "show", "gate", "--markdown"]).stdout;
    assert!(page.starts_with("# A gate\n"), "{page}");
    assert!(page.contains("| Requests fail | error_rate > 1% for 2m | main |"), "{page}");
    let unknown = rb(&repo, &["procedure", "show", "gaet"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.line("error:").contains("did you mean 'gate'?"), "{}", unknown.stderr);
    let alone = rb(&repo, &["procedure"]);
    assert_eq!(alone.code, 2);
    assert!(alone.stderr.contains("rb procedure check .rb/procedures/"), "{}", alone.stderr);
}
