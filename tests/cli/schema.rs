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
    let list = rb(&repo, &["procedure", "list", "--json"]).json();
    assert_eq!(list["schema_version"], 1);
    for row in list["procedures"].as_array().expect("a list") {
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
    crate::kit::trust(&repo, "ask");
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
    crate::kit::trust(&repo, "ask");
    assert_eq!(rb(&repo, &["run", "ask"]).code, 7);
    assert_fits("status", &repo, &["status"]);
    assert_eq!(rb(&repo, &["status", "--json"]).json()["runs"][0]["next"], "rb resume --confirm told");
}

/// A run of a procedure whose checks say what `CHECK` says.
const JUDGED: &str = "schema = 1\nid = \"judged\"\ndefault_phase = \"x\"\n[phase.x]\npaths = [\"f\"]\n\
    ladder = [{ use = \"revert-commit\" }]\ntarget = { grep = \"three\" }\nbefore = [\"s\"]\n\
    [[step]]\nid = \"s\"\nrun = [\"CHECK\"]\n";

/// Every command with its endings, in order: the exit code, the words, and the schema that the document fits.
const ENDINGS: &[(i32, &str, &str)] = &[
    (0, "revert HEAD --dry-run", "plan"),
    (1, "revert HEAD~1 --via revert-commit --dry-run", "plan"),
    (1, "revert HEAD~1 --via revert-commit", "receipt"),
    (2, "revert", "error"),
    (2, "frobnicate", "error"),
    (2, "--frobnicate", "error"),
    (2, "revert -m 1 HEAD", "error"),
    (2, "help nothing", "error"),
    (3, "restore f -s HEAD --dry-run", "plan"),
    (3, "restore f -s HEAD", "receipt"),
    (4, "revert HEAD --check 'grep -q three f'", "receipt"),
    (4, "revert HEAD --check 'grep -q three f' --dry-run", "plan"),
    (5, "revert nothing", "error"),
    (5, "revert --continue", "error"),
    (5, "revert --file never", "error"),
    (6, "revert HEAD~1 -y", "error"),
    (6, "revert HEAD~1 -y --dry-run", "plan"),
    (7, "revert HEAD --check false", "receipt"),
    (74, "apply nowhere.json", "error"),
    (1, "pick HEAD~1 --dry-run", "plan"),
    (5, "pick nothing", "error"),
    (3, "reapply HEAD", "error"),
    (0, "history f", "history"),
    (5, "history never", "error"),
    (10, "is-reverted HEAD", "is-reverted"),
    (0, "rehearse HEAD~1..", "rehearsal"),
    (10, "rehearse HEAD~1 --min-revertible 100", "rehearsal"),
    (5, "rehearse nothing", "error"),
    (74, "rehearse --merge nowhere.jsonl", "error"),
    (2, "rehearse", "error"),
    (0, "bisect --check 'grep -q one f'", "bisection"),
    (5, "bisect --check true", "error"),
    (7, "bisect --check 'sh -c \"grep -q one f || { grep -q three f && exit 1; exit 125; }\"'", "bisection"),
    (2, "bisect", "error"),
    (5, "is-reverted nothing", "error"),
    (0, "status", "status"),
    (5, "undo", "error"),
    (5, "report", "error"),
    (5, "report --run none", "error"),
    (0, "checkpoint create c", "checkpoint"),
    (5, "checkpoint create c", "error"),
    (0, "checkpoint list", "checkpoints"),
    (0, "checkpoint verify c", "checkpoint-verify"),
    (3, "checkpoint restore c", "checkpoint-restore"),
    (5, "checkpoint restore none", "error"),
    (0, "checkpoint drop c", "checkpoints"),
    (3, "prune --dry-run", "prune"),
    (5, "procedure check", "error"),
    (2, "run nothing", "error"),
    (5, "resume", "error"),
    (5, "abort", "error"),
    (5, "publish", "error"),
    (5, "revert HEAD --push", "error"),
    (2, "schema nothing", "error"),
    (2, "man nothing", "error"),
    (2, "demo nothing", "error"),
    (0, "revert HEAD", "receipt"),
    (0, "is-reverted HEAD~1", "is-reverted"),
    (0, "ops", "operation"),
    (0, "report", "report"),
    (0, "undo", "undo"),
    (5, "undo", "error"),
    (0, "redo", "undo"),
    (5, "redo", "error"),
    (0, "undo", "undo"),
    (0, "undo --git --dry-run", "undo-git"),
    (5, "undo --git nothing", "error"),
    (0, "ops --all -n 1", "operation"),
    (7, "revert HEAD~1 --on-conflict=stop", "receipt"),
    (5, "continue", "error"),
    (0, "skip", "sequence"),
    (5, "quit", "error"),
];

/// What the document lacks that every document of this ending has.
fn lacks(code: i32, document: &str, value: &Value) -> Vec<&'static str> {
    let mut lacks = Vec::new();
    if value["schema_version"].as_u64().is_none() {
        lacks.push("schema_version");
    }
    let stops = value["outcome"]["kind"] == "left-conflicted";
    let fails = document == "error" || ![0, 3, 10].contains(&code) && !stops;
    if fails && value["error"]["code"].as_str().is_none() {
        lacks.push("error.code");
    }
    let (hint, command) = (&value["error"]["hint"], &value["error"]["hint_command"]);
    if hint.as_str().is_some_and(|hint| hint.contains(": ")) && command.as_array().is_none() {
        lacks.push("error.hint_command");
    }
    lacks
}

/// What is wrong with the document and the exit code of a command that ends so.
fn mistakes(repo: &Sandbox, code: i32, words: &str, document: &str) -> Vec<String> {
    let run = crate::kit::shell(repo, &format!("rb {words} --json"));
    let mut mistakes = Vec::new();
    if run.code != code {
        mistakes.push(format!("rb {words} ends with {}: {}", run.code, run.stderr));
    }
    let Ok(value) = serde_json::from_str::<Value>(&run.stdout) else {
        mistakes.push(format!("rb {words}: no document: {}", run.stdout));
        return mistakes;
    };
    // Not in the repository, which may be one that no command reads.
    let schema = rb(&Sandbox::folder(), &["schema", document]).json();
    let misfits = Validator { root: &schema }.misfits(&schema, &value, document);
    mistakes.extend(misfits.into_iter().map(|misfit| format!("rb {words}: {misfit}")));
    mistakes.extend(lacks(code, document, &value).iter().map(|lack| format!("rb {words} lacks {lack}")));
    mistakes
}

fn three_commits() -> Sandbox {
    let repo = Sandbox::new();
    for number in ["one", "two", "three"] {
        repo.commit(number, &[("f", format!("{number}\n"))]);
    }
    repo
}

#[test]
fn every_ending_of_every_command_is_one_document_that_fits_its_schema() {
    let repo = three_commits();
    let found = ENDINGS.iter().flat_map(|(code, words, document)| mistakes(&repo, *code, words, document));
    let found: Vec<_> = found.collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Endings that need a world of their own: the exit code, shell that makes it after three commits to `f`, the words,
/// and the schema that the document fits.
const WORLDS: &[(i32, &str, &str, &str)] = &[
    (75, "touch .git/index.lock", "revert HEAD", "error"),
    (75, "touch .git/index.lock", "restore f -s HEAD~1 --allow-loss", "error"),
    (75, "rb revert HEAD; touch .git/index.lock", "undo", "error"),
    (75, "rb checkpoint create c; echo x >f; touch .git/index.lock", "checkpoint restore c", "error"),
    (
        8,
        "rm .git/logs/refs/heads/main; mkdir -p .git/logs/refs/heads/main/in; touch .git/logs/refs/heads/main/in/file",
        "revert HEAD",
        "receipt",
    ),
    (
        8,
        "rm .git/logs/refs/heads/main; mkdir -p .git/logs/refs/heads/main/in; touch .git/logs/refs/heads/main/in/file",
        "restore f -s HEAD~1 --allow-loss",
        "receipt",
    ),
    (5, "echo x >.git/index", "revert HEAD", "error"),
    (5, "echo garbage >.git/packed-refs", "status", "error"),
    (5, "printf '[core\n' >>.git/config", "status", "error"),
    (74, "mkdir .git/plan.json", "apply .git/plan.json", "error"),
    (2, "echo '{}' >.git/plan.json", "apply .git/plan.json", "error"),
    (
        5,
        "rb revert HEAD --dry-run --json >.git/plan.json; git commit -q --allow-empty -m x",
        "apply .git/plan.json",
        "error",
    ),
    (6, "git config filter.x.smudge cat; echo 'f filter=x' >.git/info/attributes", "revert HEAD", "error"),
];

#[test]
fn endings_that_need_a_world_of_their_own_are_documents_that_fit() {
    let mut found = Vec::new();
    for (code, world, words, document) in WORLDS {
        let repo = three_commits();
        crate::kit::shell(&repo, world);
        let here = mistakes(&repo, *code, words, document);
        found.extend(here.into_iter().map(|mistake| format!("after {world}: {mistake}")));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn pages_are_texts_in_a_document() {
    let repo = repo();
    rb(&repo, &["revert", "HEAD"]);
    for format in ["md", "html"] {
        let text = rb(&repo, &["report", "--format", format]).stdout;
        let document = rb(&repo, &["report", "--format", format, "--json"]).json();
        assert_eq!(document, serde_json::json!({ "schema_version": 1, "text": text }));
    }
    let written = rb(&repo, &["report", "-o", "page.html", "--json"]).json();
    assert_eq!(written, serde_json::json!({ "schema_version": 1, "text": "The report is in page.html.\n" }));
}

#[test]
fn outside_of_a_repository_and_without_a_program_the_document_is_an_error() {
    let folder = Sandbox::folder();
    let schema = rb(&folder, &["schema", "error"]).json();
    for words in
        [&["status"][..], &["revert", "HEAD"], &["ops"], &["undo"], &["report"], &["trust"], &["prune"]]
    {
        let run = rb(&folder, &[words, &["--json"]].concat());
        assert_eq!(run.code, 5, "{words:?}");
        assert_eq!(Validator { root: &schema }.misfits(&schema, &run.json(), "error"), [""; 0]);
    }
}

#[test]
fn runs_say_in_their_last_line_why_they_stopped() {
    let schema = rb(&Sandbox::folder(), &["schema", "run"]).json();
    for (check, wanted) in [("false", [4, 5, 8]), ("true", [0, 0, 0])] {
        let repo = repo();
        repo.write(".rb/procedures/judged.toml", JUDGED.replace("CHECK", check));
        repo.git(&["add", "."]);
        repo.commit_index(b"procedure\n");
        let hash = crate::kit::hash_of(&repo, &["trust", "judged"]);
        let run = rb(&repo, &["run", "judged", "-y", "--trusted-hash", &hash, "--json"]);
        assert!(wanted.contains(&run.code), "{}: {}{}", run.code, run.stdout, run.stderr);
        let last = run.stdout.lines().last().expect("a line");
        let value: Value = serde_json::from_str(last).expect("a document");
        assert_eq!(Validator { root: &schema }.misfits(&schema, &value, "run"), [""; 0]);
        assert_eq!(lacks(run.code, "run", &value), [""; 0], "{last}");
    }
}
