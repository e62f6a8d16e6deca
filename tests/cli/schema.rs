//! Every document fits the schema that `rb schema` prints for it.

use serde_json::Value;
use test_kit::Sandbox;

use crate::kit::rb;

/// What of JSON Schema the schemas use. What they do not use is not checked here.
struct Validator<'a> {
    root: &'a Value,
}

impl Validator<'_> {
    /// What does not fit, with the place in the document.
    fn misfits(&self, schema: &Value, value: &Value, at: &str) -> Vec<String> {
        if let Some(reference) = schema["$ref"].as_str() {
            let pointer = reference.strip_prefix('#').expect("references are within the schema");
            let target = self.root.pointer(pointer).expect("references lead somewhere");
            return self.misfits(target, value, at);
        }
        let mut found = Vec::new();
        for choice in ["anyOf", "oneOf"] {
            let choices = schema[choice].as_array();
            if choices.is_some_and(|all| all.iter().all(|one| !self.misfits(one, value, at).is_empty())) {
                found.push(format!("{at}: none of {choice} fits {value}"));
            }
        }
        if schema["enum"].as_array().is_some_and(|allowed| !allowed.contains(value)) {
            found.push(format!("{at}: {value} is not in the list"));
        }
        if schema.get("const").is_some_and(|only| only != value) {
            found.push(format!("{at}: {value} is not {}", schema["const"]));
        }
        if !fits_type(&schema["type"], value) {
            found.push(format!("{at}: {value} is not of type {}", schema["type"]));
        }
        found.extend(self.misfits_within(schema, value, at));
        found
    }

    fn misfits_within(&self, schema: &Value, value: &Value, at: &str) -> Vec<String> {
        let mut found = Vec::new();
        if let Some(object) = value.as_object() {
            for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                if !object.contains_key(name) {
                    found.push(format!("{at}: {name} is missing"));
                }
            }
            for (name, part) in object {
                match schema["properties"].get(name) {
                    Some(schema) => found.extend(self.misfits(schema, part, &format!("{at}.{name}"))),
                    None if schema["additionalProperties"] == Value::Bool(false) => {
                        found.push(format!("{at}: {name} is not known"));
                    }
                    None => {}
                }
            }
        }
        if schema["items"].is_object() {
            for (index, part) in value.as_array().into_iter().flatten().enumerate() {
                found.extend(self.misfits(&schema["items"], part, &format!("{at}[{index}]")));
            }
        }
        found
    }
}

fn fits_type(types: &Value, value: &Value) -> bool {
    let fits = |name: &str| match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("a type that JSON Schema does not have: {other}"),
    };
    match types {
        Value::String(name) => fits(name),
        Value::Array(names) => names.iter().filter_map(Value::as_str).any(fits),
        _ => true,
    }
}

#[track_caller]
fn assert_fits(document: &str, repo: &Sandbox, words: &[&str]) {
    let schema = rb(repo, &["schema", document]).json();
    let value = rb(repo, &[words, &["--json"]].concat()).json();
    let misfits = Validator { root: &schema }.misfits(&schema, &value, document);
    assert!(misfits.is_empty(), "{words:?}: {misfits:#?}");
}

fn repo() -> Sandbox {
    let repo = Sandbox::new();
    repo.commit("one", &[("f", "1\n2\n3\n"), ("g", "1\n")]);
    repo.commit("two", &[("f", "1\ntwo\n3\n")]);
    repo.commit("three", &[("f", "1\nTWO\n3\n")]);
    repo.git(&["rm", "-q", "g"]);
    repo.commit_index(b"remove g\n");
    repo
}

#[test]
fn the_validator_finds_what_does_not_fit() {
    let schema = serde_json::json!({
        "type": "object", "required": ["a"], "additionalProperties": false,
        "properties": {"a": {"$ref": "#/$defs/A"}}, "$defs": {"A": {"type": ["string", "null"]}},
    });
    let misfits = |value: Value| Validator { root: &schema }.misfits(&schema, &value, "it").len();
    assert_eq!(misfits(serde_json::json!({"a": null})), 0);
    assert_eq!(misfits(serde_json::json!({"a": 1})), 1);
    assert_eq!(misfits(serde_json::json!({"b": 1})), 2);
}

#[test]
fn plans_fit() {
    let repo = repo();
    assert_fits("plan", &repo, &["revert", "--file", "g", "--dry-run"]);
    assert_fits("plan", &repo, &["revert", "HEAD~2", "--dry-run"]);
    assert_fits("plan", &repo, &["revert", "HEAD~2", "--via", "revert-commit", "--dry-run"]);
    assert_fits("plan", &repo, &["restore", "f", "-s", "HEAD~2", "--dry-run"]);
    assert_fits("plan", &repo, &["pick", "HEAD~1", "--dry-run"]);
    assert_fits("plan", &repo, &["revert", "HEAD~1", "--dry-run", "--check", "sh -c 'echo x; exit 1'"]);
}

#[test]
fn files_that_are_brought_back_fit() {
    let repo = repo();
    assert_fits("restore", &repo, &["restore", "f"]);
    repo.write("f", "edited\n");
    assert_fits("restore", &repo, &["restore", "f", "--dry-run"]);
    assert_fits("restore", &repo, &["restore", "f"]);
    assert_fits("error", &repo, &["restore", "never"]);
}

#[test]
fn receipts_fit() {
    let repo = repo();
    assert_fits("receipt", &repo, &["revert", "HEAD~2", "--via", "revert-commit"]);
    assert_fits("receipt", &repo, &["revert", "--file", "g"]);
    assert_fits("receipt", &repo, &["revert", "--file", "g"]);
    assert_fits("receipt", &repo, &["revert", "HEAD", "--check", "true", "--check-setup", "true"]);
    assert_fits("receipt", &repo, &["revert", "HEAD", "--check", "false", "--no-check-control"]);
    assert_fits("receipt", &repo, &["revert", "HEAD", "-n"]);
}

#[test]
fn procedures_and_evaluations_fit() {
    let repo = repo();
    rb(&repo, &["procedure", "new", "release"]);
    let names = rb(&repo, &["procedure", "list", "--json"]).stdout;
    for line in names.lines() {
        let row: Value = serde_json::from_str(line).expect("a row is a document");
        let name = row["name"].as_str().expect("a procedure has a name");
        assert_fits("procedure", &repo, &["procedure", "show", name]);
        assert_fits("evaluation", &repo, &["evaluate", name]);
    }
}

#[test]
fn reports_fit() {
    let (repo, _) = crate::report::with_run();
    assert_fits("report", &repo, &["report"]);
    rb(&repo, &["revert", "--file", "other.py", "--check", "true"]);
    assert_fits("report", &repo, &["report"]);
    rb(&repo, &["undo"]);
    assert_fits("report", &repo, &["report"]);
}

#[test]
fn answers_and_errors_fit() {
    let repo = repo();
    assert_fits("history", &repo, &["history", "f"]);
    assert_fits("history", &repo, &["history", "g"]);
    assert_fits("is-reverted", &repo, &["is-reverted", "HEAD~1"]);
    assert_fits("error", &repo, &["history", "never"]);
    assert_fits("error", &repo, &["revert", "nothing"]);
    assert_fits("error", &repo, &["revert", "--nonsense"]);
    assert_fits("error", &repo, &["revert", "HEAD~2"]);
}

/// A procedure that only asks and says.
const ASKING: &str = "schema = 1\nid = \"ask\"\nrto = \"5m\"\n[phase.p]\n[[precheck]]\nid = \"told\"\nask = \"told?\"\n\
    [[message]]\nid = \"begun\"\non = \"initiated\"\nto = [\"people\"]\ntext = \"it begins\"\n";

#[test]
fn runs_and_their_events_fit() {
    let repo = repo();
    repo.write(".rb/procedures/ask.toml", ASKING);
    let (run, event) = (rb(&repo, &["schema", "run"]).json(), rb(&repo, &["schema", "event"]).json());
    let mut kinds = std::collections::BTreeSet::new();
    for (words, code) in [(&["run", "ask"][..], 7), (&["resume", "--confirm", "told"], 0)] {
        let done = rb(&repo, &[words, &["--json"]].concat());
        assert_eq!(done.code, code, "{}", done.stderr);
        let lines: Vec<Value> =
            done.stdout.lines().map(|line| serde_json::from_str(line).expect("a document a line")).collect();
        let (last, events) = lines.split_last().expect("there are lines");
        assert_eq!(Validator { root: &run }.misfits(&run, last, "run"), [""; 0]);
        for line in events {
            assert_eq!(Validator { root: &event }.misfits(&event, line, "event"), [""; 0]);
            kinds.insert(line["event"].as_str().expect("it is named").to_owned());
        }
        assert_eq!(last["schema_version"], 1);
    }
    let known = ["ended", "message", "paused", "run", "started"];
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), known);
    let planned = rb(&repo, &["run", "ask", "--dry-run", "--json"]).json();
    assert_eq!(Validator { root: &run }.misfits(&run, &planned, "run"), [""; 0]);
    let refused = rb(&repo, &["run", "none", "--json"]);
    assert_eq!((refused.code, refused.stdout.lines().count()), (2, 1), "an error is a line among lines");
}

#[test]
fn runs_that_have_not_ended_fit_into_the_status() {
    let repo = repo();
    repo.write(".rb/procedures/ask.toml", ASKING);
    assert_eq!(rb(&repo, &["run", "ask"]).code, 7);
    assert_fits("status", &repo, &["status"]);
    assert_eq!(rb(&repo, &["status", "--json"]).json()["runs"][0]["next"], "rb resume --confirm told");
}
