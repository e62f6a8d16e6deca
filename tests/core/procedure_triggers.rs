//! Triggers and decisions from recorded samples, at a given time.
#![expect(clippy::unwrap_used, reason = "what fails in a test says so by its line")]

use jiff::Timestamp;
use rollback_core::procedure::Procedure;
use rollback_core::procedure::check::Outcome;
use rollback_core::procedure::trigger::{
    Evaluation, SampleFormat, Samples, State, TriggerState, evaluate, judge_metric,
};

const PROCEDURE: &str = r#"schema = 1
id = "x"

[role.operator]
[role.lead]

[metric.error_rate]
ratio = true
prometheus = 'http_errors_ratio{job="api"}'

[metric.p99]
unit = "s"

[metric.health_failed]

[[trigger]]
id = "errors"
title = "Error rate"
metric = "error_rate"
op = ">"
threshold = "0.1%"
for = "2m"
interval = "30s"
window = "5m"
phase = "full"

[[trigger]]
id = "health"
metric = "health_failed"
op = ">="
threshold = "1 count"
consecutive = 4

[[trigger]]
id = "complaints"
manual = "User complaints spike"

[[severity]]
id = "critical"
any = [{ metric = "error_rate", op = ">", threshold = "50%" }]

[[severity]]
id = "high"
any = [{ metric = "error_rate", op = ">", threshold = "25%" }]

[[decision]]
id = "slow"
when = [{ metric = "p99", op = ">", threshold = "50ms" }]
severity = "high"
action = "full"
authority = ["operator"]
phases = ["full"]

[[decision]]
id = "broken"
when = [{ metric = "error_rate", op = ">", threshold = "1%" }]
severity = "critical"
action = "emergency"
emergency = true
phases = ["full"]

[[decision]]
id = "unhappy"
triggers = ["complaints"]
action = "gradual"
authority = ["lead"]

[phase.full]

[[check]]
id = "calm"
metric = "error_rate"
op = "<"
threshold = "1%"
live = true
"#;

fn procedure() -> Procedure {
    Procedure::parse("x.toml", PROCEDURE.as_bytes(), &()).unwrap_or_else(|problems| panic!("{problems}"))
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_762_941_600 + seconds).unwrap()
}

/// Samples of a metric, `(seconds, value)`.
fn samples(metric: &str, rows: &[(i64, &str)]) -> Samples {
    let lines: Vec<_> = rows
        .iter()
        .map(|(seconds, value)| {
            format!("{{\"metric\":\"{metric}\",\"time\":\"{}\",\"value\":\"{value}\"}}", at(*seconds))
        })
        .collect();
    Samples::read(lines.join("\n").as_bytes(), SampleFormat::JsonLines, &procedure().document, at(0)).unwrap()
}

fn evaluated(samples: &Samples, raised: &[&str], now: i64) -> Evaluation {
    let raised: Vec<String> = raised.iter().map(|id| (*id).to_owned()).collect();
    evaluate(&procedure().document, samples, &raised, at(now))
}

fn trigger(evaluation: &Evaluation, id: &str) -> TriggerState {
    evaluation.triggers.iter().find(|trigger| trigger.id == id).unwrap().clone()
}

#[test]
fn a_trigger_fires_once_it_has_held_long_enough() {
    let held = [(0, "0.05%"), (30, "0.2%"), (60, "0.2%"), (90, "0.3%"), (120, "0.2%"), (150, "0.2%")];
    let fired = trigger(&evaluated(&samples("error_rate", &held), &[], 150), "errors");
    assert_eq!((fired.state, fired.found.as_str()), (State::Fires, "0.2% for 2m"));
    assert_eq!(fired.condition, "error_rate > 0.1% for 2m");
    assert_eq!(fired.phase.as_deref(), Some("full"));

    let earlier = trigger(&evaluated(&samples("error_rate", &held), &[], 140), "errors");
    assert_eq!((earlier.state, earlier.found.as_str()), (State::Quiet, "0.2% for 1m30s"));
}

#[test]
fn a_break_a_hole_or_silence_is_not_an_alarm() {
    let state = |rows: &[(i64, &str)], now| {
        let trigger = trigger(&evaluated(&samples("error_rate", rows), &[], now), "errors");
        (trigger.state, trigger.found)
    };
    let broken = [(0, "1%"), (30, "1%"), (60, "0.1%"), (90, "1%"), (120, "1%"), (150, "1%")];
    assert_eq!(state(&broken, 150), (State::Quiet, "1% for 1m".to_owned()));
    let exactly = [(150, "0.1%")];
    assert_eq!(
        state(&exactly, 150),
        (State::Quiet, "0.1%".to_owned()),
        "the threshold itself is not above it"
    );
    let hole = [(0, "1%"), (30, "1%"), (120, "1%"), (150, "1%")];
    assert_eq!(state(&hole, 150), (State::Inconclusive, "1% for 30s, and no sample before that".to_owned()));
    let short = [(120, "1%"), (150, "1%")];
    assert_eq!(state(&short, 150).0, State::Inconclusive);
    assert_eq!(
        state(&[(0, "1%")], 1000),
        (State::Inconclusive, "no sample".to_owned()),
        "older than the window"
    );
    assert_eq!(state(&[], 0), (State::Inconclusive, "no sample".to_owned()));
}

#[test]
fn more_than_three_in_a_row_are_four() {
    let rows = |failures: usize| {
        let mut rows = vec![(0, "0")];
        rows.extend((1..=failures as i64).map(|n| (n * 10, "1")));
        samples("health_failed", &rows)
    };
    assert_eq!(trigger(&evaluated(&rows(3), &[], 100), "health").state, State::Quiet);
    let four = trigger(&evaluated(&rows(4), &[], 100), "health");
    assert_eq!((four.state, four.found.as_str()), (State::Fires, "1 4 times in a row"));
}

#[test]
fn of_several_decisions_the_severest_wins_and_all_are_shown() {
    let mut both = samples("error_rate", &[(0, "2%")]);
    for sample in samples("p99", &[(0, "80ms")]).of("p99") {
        both.push("p99", sample.clone());
    }
    let evaluation = evaluated(&both, &[], 0);
    assert_eq!(evaluation.decision().unwrap().id, "broken");
    let shown: Vec<_> =
        evaluation.decisions.iter().map(|row| (row.id.as_str(), row.state, row.found.as_str())).collect();
    assert_eq!(
        shown,
        [
            ("broken", State::Fires, "2%"),
            ("slow", State::Fires, "80ms"),
            ("unhappy", State::Manual, "it was not reported"),
        ]
    );
    assert!(evaluation.fires());
}

#[test]
fn what_a_person_observes_raises_triggers_and_decisions() {
    let evaluation = evaluated(&Samples::default(), &["complaints"], 0);
    assert_eq!(trigger(&evaluation, "complaints").state, State::Fires);
    let decision = evaluation.decision().unwrap();
    assert_eq!(
        (decision.id.as_str(), decision.found.as_str()),
        ("unhappy", "User complaints spike: observed")
    );
    assert!(!evaluated(&Samples::default(), &[], 0).fires());
}

#[test]
fn severity_is_recognised_by_its_figures() {
    let severity = |value: &str| evaluated(&samples("error_rate", &[(0, value)]), &[], 0).severity;
    assert_eq!(severity("51%").as_deref(), Some("critical"));
    assert_eq!(severity("26%").as_deref(), Some("high"));
    assert_eq!(severity("10%"), None);
}

#[test]
fn csv_long_and_wide_and_prometheus_give_the_same_samples() {
    let document = procedure().document;
    let read = |text: &str, format| Samples::read(text.as_bytes(), format, &document, at(0)).unwrap();
    let lines = read(
        "{\"metric\":\"error_rate\",\"time\":1762941600,\"value\":0.002}\n\n{\"metric\":\"p99\",\"time\":\"2025-11-12T10:00:00Z\",\"value\":\"80ms\"}\n",
        SampleFormat::JsonLines,
    );
    assert_eq!(lines.of("error_rate")[0].value, 0.2, "a ratio stands for percent");
    assert_eq!(
        read("metric,time,value\nerror_rate,1762941600,0.002\np99,1762941600,\"0.08\"\n", SampleFormat::Csv),
        lines
    );
    assert_eq!(read("time,error_rate,p99\n2025-11-12T10:00:00Z,0.002,80ms\n", SampleFormat::Csv), lines);
    let dump = "# HELP x\nhttp_errors_ratio{job=\"web\",x=\"a\\\"}b\"} 0.9\nhttp_errors_ratio{x=\"1\",job=\"api\"} 0.002 1762941600000\np99 0.08 1762941600000\nother NaN\nhttp_errors_ratio{job=\"api\"} NaN\n";
    assert_eq!(read(dump, SampleFormat::Prometheus), lines);
}

#[test]
fn samples_that_cannot_be_read_are_refused_with_their_line() {
    let document = procedure().document;
    let error = |text: &str, format| {
        Samples::read(text.as_bytes(), format, &document, at(0)).unwrap_err().to_string()
    };
    assert!(error("{\"metric\":\"p99\",\"value\":1}\n{", SampleFormat::JsonLines).starts_with("line 2: "));
    assert_eq!(
        error("metric,time,value\np99,yesterday,1\n", SampleFormat::Csv),
        "line 2: 'yesterday' is not a time: write 2025-11-12T10:00:00Z, or seconds since the epoch"
    );
    assert_eq!(error("time,p99\n0,many\n", SampleFormat::Csv), "line 2: 'many' is not a figure");
    assert_eq!(error("time,p99\n0\n", SampleFormat::Csv), "line 2: 1 fields, and the header has 2");
    assert_eq!(error("p99\n", SampleFormat::Prometheus), "line 1: it is not 'name{labels} value'");
}

#[test]
fn a_metric_is_checked_and_silence_is_inconclusive() {
    let procedure = procedure();
    let calm = procedure.check("calm").unwrap();
    let verdict = |value| judge_metric(calm, &samples("error_rate", &[(0, value)]), at(0));
    assert_eq!(verdict("0.4%").to_string(), "pass (expected error_rate < 1%, found 0.4%)");
    assert_eq!(verdict("1%").outcome, Outcome::Fail);
    assert_eq!(judge_metric(calm, &Samples::default(), at(0)).outcome, Outcome::Inconclusive);
}

#[test]
fn annotations_are_workflow_commands_that_no_text_can_break_out_of() {
    let mut evaluation = evaluated(
        &samples("error_rate", &[(0, "2%"), (30, "2%"), (60, "2%"), (90, "2%"), (120, "2%")]),
        &[],
        120,
    );
    let texts: Vec<_> = evaluation.annotations().iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "::error title=errors::Error rate: 2%25 for 2m (error_rate > 0.1%25 for 2m)",
            "::warning title=health::health: no sample (health_failed >= 1 4 times in a row)",
            "::notice title=broken::broken: emergency, phase full",
        ]
    );
    evaluation.triggers[0].title = "a\n::error::b".to_owned();
    assert!(evaluation.annotations()[0].to_string().contains("a%0A::error::b"));
}
