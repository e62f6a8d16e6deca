//! Verdicts: what each expectation says of output and files, and that doubt is never a pass.
#![expect(clippy::unwrap_used, reason = "what fails in a test says so by its line")]

use rollback_core::procedure::check::{Outcome, Seen, Verdict, filled, judge};
use rollback_core::procedure::format::{Check, Procedure, Scalar};
use rollback_core::process::{Ended, Output, StartError};

/// A check as a procedure spells it.
fn check(lines: &str) -> Check {
    let text = format!("schema = 1\nid = \"x\"\n[phase.p]\n[[check]]\nid = \"c\"\n{lines}\n");
    let procedure =
        Procedure::parse("x.toml", text.as_bytes(), &()).unwrap_or_else(|problems| panic!("{problems}"));
    procedure.check("c").unwrap().clone()
}

fn program(expect: &str, output: &Output) -> Verdict {
    let check = check(&format!("run = [\"true\"]\nexpect = {{ {expect} }}"));
    judge(&check.expect.unwrap(), Seen::Program(output), None)
}

fn file(expect: &str, bytes: Option<&[u8]>) -> Verdict {
    let check = check(&format!("file = \"f\"\nexpect = {{ {expect} }}"));
    judge(&check.expect.unwrap(), Seen::File(bytes), None)
}

fn wrote(stdout: &str) -> Output {
    Output::new(Ended::Exited(0), stdout, "")
}

#[track_caller]
fn is(verdict: &Verdict, expected: &str) {
    assert_eq!(verdict.to_string(), expected);
}

#[test]
fn a_program_is_expected_to_exit_with_zero() {
    is(&program("", &wrote("")), "pass");
    let failed = Output::new(Ended::Exited(2), "", "");
    is(&program("", &failed), "fail: the exit code differs (expected exit code 0, found exit code 2)");
    is(&program("exit = 2", &failed), "pass");
}

#[test]
fn a_missing_program_a_timeout_and_a_signal_are_errors() {
    let expect = check("run = [\"true\"]\nexpect = { exit = 127 }").expect.unwrap();
    let missing = StartError::NotFound { program: "make".into() };
    is(&judge(&expect, Seen::NotStarted(&missing), None), "error: program 'make' was not found");
    assert_eq!(program("", &Output::new(Ended::TimedOut, "15 passed", "")).outcome, Outcome::Error);
    is(&program("", &Output::new(Ended::Signalled(9), "", "")), "error: it was ended by signal 9");
    let shell = Output::new(Ended::Exited(127), "", "sh: pytest: not found");
    is(
        &program("", &shell),
        "error: a program that it needs is missing (expected exit code 0, found exit code 127)",
    );
}

#[test]
fn fewer_than_an_exact_figure_fail_and_more_are_inconclusive() {
    let smoke = r"capture = '(\d+) passed', eq = 15";
    is(&program(smoke, &wrote("== 15 passed in 2s ==")), "pass (expected 15, found 15)");
    is(&program(smoke, &wrote("14 passed")), "fail: fewer of it than expected (expected 15, found 14)");
    let more = program(smoke, &wrote("16 passed"));
    assert_eq!((more.outcome, more.found.as_deref()), (Outcome::Inconclusive, Some("16")));
    assert!(more.blocks());
    is(
        &program(smoke, &wrote("no tests ran")),
        "error: nothing matches (\\d+) passed, so there is no figure to judge",
    );
}

#[test]
fn fifteen_passed_is_not_one_line_that_says_passed() {
    // The seed counts lines with `grep passed | wc -l`: a summary line is one of them whatever its figure.
    let summary = wrote("collected 15 items\n15 passed in 0.2s\n");
    assert_eq!(program(r"capture = '(\d+) passed', eq = 15", &summary).outcome, Outcome::Pass);
    assert_eq!(program("count = { regex = 'passed', min = 15 }", &summary).outcome, Outcome::Fail);
}

#[test]
fn the_exit_code_counts_although_the_figure_is_right() {
    // `make smoke | tee log` would have hidden it.
    let output = Output::new(Ended::Exited(1), "15 passed, 1 failed", "");
    assert_eq!(program(r"capture = '(\d+) passed', eq = 15", &output).outcome, Outcome::Fail);
}

#[test]
fn a_decimal_regression_fails_where_a_shell_would_only_complain() {
    // `[ 5.3 -gt 5 ]` is an error of the shell, so the seed's `if` never exits with 1.
    let delta = r"capture = 'delta: ([\d.]+)%', le = 5";
    is(
        &program(delta, &wrote("delta: 5.3%")),
        "fail: the figure is out of bounds (expected <= 5, found 5.3)",
    );
    is(&program(delta, &wrote("delta: 5.0%")), "pass (expected <= 5, found 5.0)");
    let unreadable = program(r"capture = 'delta: (\S+)', le = 5", &wrote("delta: n/a"));
    is(&unreadable, "error: 'n/a' is not a number (expected <= 5, found n/a)");
}

#[test]
fn the_last_match_of_either_stream_is_the_value() {
    let output = Output::new(Ended::Exited(0), "1 passed\n2 passed", "3 passed");
    assert_eq!(program(r"capture = '(\d+) passed', ge = 3", &output).found.as_deref(), Some("3"));
    assert_eq!(program(r"capture = '(\w+) passed', ne = 'all'", &wrote("all passed")).outcome, Outcome::Fail);
}

#[test]
fn text_that_must_or_must_not_occur() {
    is(&program("never = 'ERROR|FAIL'", &wrote("ok")), "pass");
    is(
        &program("never = 'ERROR|FAIL'", &Output::new(Ended::Exited(0), "ok", "x\n  E: ERROR in a.py \n")),
        "fail: ERROR|FAIL matches (expected no match, found E: ERROR in a.py)",
    );
    is(&program("contains = 'Phase: none'", &wrote("Phase: canary")), "fail: 'Phase: none' does not occur");
    is(&program("stdout = '^Phase: none$'", &wrote("Phase: none\nok")), "pass");
    is(
        &program("stderr = 'DeprecationWarning'", &wrote("DeprecationWarning")),
        "fail: stderr does not match DeprecationWarning",
    );
    is(
        &program("empty = true", &wrote("x")),
        "fail: there is output where none is expected (expected 0 bytes, found 1 bytes)",
    );
}

#[test]
fn files_are_judged_by_lines_bytes_and_content() {
    let shim = "x = 'sys.modules aliasing'\n".to_owned() + &"#\n".repeat(103);
    let expect = "lines = 104, contains = \"sys.modules aliasing\", bytes = { min = 100, max = 4000 }";
    is(&file(expect, Some(shim.as_bytes())), "pass (expected 104, found 104)");
    is(&file(expect, None), "fail: the file does not exist (expected a file, found no file)");
    is(&file(expect, Some(b"")), "fail: 'sys.modules aliasing' does not occur");
    assert_eq!(file("lines = 104", Some((shim.clone() + "#\n").as_bytes())).outcome, Outcome::Inconclusive);
    assert_eq!(file("lines = 3", Some(b"a\nb\nc")).outcome, Outcome::Pass);
    is(&file("exists = false", None), "pass");
    is(&file("exists = false", Some(b"")), "fail: the file exists (expected no file, found a file)");
}

#[test]
fn a_file_is_compared_with_its_baseline() {
    let expect = check("run = [\"x\"]\nexpect = { same_as = \"base.jsonl\" }").expect.unwrap();
    let verdict = judge(&expect, Seen::Program(&wrote("a\nB\nc\n")), Some(b"a\nb\nc\n"));
    is(&verdict, "fail: it differs from base.jsonl in line 2 (expected b, found B)");
    is(&judge(&expect, Seen::Program(&wrote("a\n")), Some(b"a\n")), "pass");
    is(
        &judge(&expect, Seen::Program(&wrote("a\n")), None),
        "error: base.jsonl cannot be read to compare with",
    );
}

#[test]
fn values_inside_json_must_hold_for_every_member_or_a_share_of_them() {
    let runs = |conclusions: &[&str]| {
        let rows: Vec<_> = conclusions
            .iter()
            .map(|c| format!("{{\"status\":\"completed\",\"conclusion\":\"{c}\"}}"))
            .collect();
        wrote(&format!("[{}]", rows.join(",")))
    };
    let all = "json = [{ path = \"*.conclusion\", op = \"==\", value = \"success\" }]";
    let most = "json = [{ path = \"*.conclusion\", op = \"==\", value = \"success\", share = \"95%\" }]";
    let five = runs(&["success"; 5]);
    let four = runs(&["success", "success", "failure", "success", "success"]);
    assert_eq!(program(all, &five).outcome, Outcome::Pass);
    is(
        &program(most, &four),
        "fail: a value differs (expected more than 95% of '*.conclusion' == success, found 4 of 5)",
    );
    assert_eq!(program(most, &five).outcome, Outcome::Pass);
    assert_eq!(program(all, &wrote("[]")).outcome, Outcome::Inconclusive);
    assert_eq!(program(all, &wrote("oops")).outcome, Outcome::Error);
    let figure = "json = [{ path = \"a.0.n\", op = \"<\", value = 5 }]";
    is(
        &program(figure, &wrote("{\"a\":[{\"n\":7}]}")),
        "fail: a value differs (expected 'a.0.n' < 5, found 7)",
    );
    is(&program(figure, &wrote("{}")), "error: there is no 'a.0.n' in it");
}

#[test]
fn the_same_failure_on_the_tip_as_it_is_says_nothing_about_the_candidate() {
    let red = Verdict::new(Outcome::Fail, "the exit code differs").of("exit code 0", "exit code 2");
    let missing = Verdict::new(Outcome::Error, "program 'make' was not found");
    let fewer = Verdict::new(Outcome::Fail, "fewer").of(15, 14);
    assert_eq!(red.clone().against_control(&red).outcome, Outcome::Inconclusive);
    assert_eq!(missing.clone().against_control(&missing).outcome, Outcome::Inconclusive);
    assert_eq!(fewer.clone().against_control(&Verdict::new(Outcome::Fail, "fewer").of(15, 3)), fewer);
    assert_eq!(Verdict::pass().against_control(&red), Verdict::pass());
    assert_eq!(red.clone().against_control(&Verdict::pass()), red);
}

#[test]
fn placeholders_in_expectations_become_figures() {
    let text = "schema = 1\nid = \"x\"\n[input.total]\n[phase.p]\n[[check]]\nid = \"c\"\nrun = [\"true\"]\nexpect = { capture = '(\\d+)', eq = \"{input.total}\" }\n";
    let procedure = Procedure::parse("x.toml", text.as_bytes(), &()).unwrap();
    let expect = procedure.check("c").unwrap().expect.clone().unwrap();
    let filled = filled(&expect, |text| Ok::<_, ()>(text.replace("{input.total}", "15"))).unwrap();
    assert_eq!(filled.eq, Some(Scalar::Integer(15)));
}
