//! `rb report`: an operation and a run as Markdown, as a page and as data.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends there")]

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use rollback_core::Repo;
use rollback_core::procedure::Procedure;
use rollback_core::procedure::engine::{Clock, Engine, RunRequest, fingerprint};
use rollback_core::process::SystemRunner;
use rollback_core::receipt::{CommitTime, Identity};
use serde_json::{Value, json};
use test_kit::Sandbox;

use crate::kit::rb;

/// A procedure with something for every section of a report.
const PROCEDURE: &str = r#"
schema = 1
id = "shim"
title = "The shim is <gone> & back"
rto = "30m"
[phase.main]
control = true
target = { deleted = "shim.py" }
paths = ["shim.py"]
validate = ["size", "smoke"]
ladder = [{ use = "revert-commit" }, { use = "restore-file", from = "last-good", when = ["not-applicable"] }]
before = ["look"]
evidence = ["tools"]
[[step]]
id = "look"
run = ["echo", "looked"]
effect = "read"
[[evidence]]
id = "tools"
run = ["echo", "tools of the day"]
[[check]]
id = "size"
title = "The shim has its lines"
file = "shim.py"
expect = { lines = 3 }
[[check]]
id = "smoke"
run = ["sh", "-c", "echo '<script>alert(1)</script>'; test -f shim.py"]
[[message]]
id = "begin"
on = "initiated"
to = ["\#ops"]
subject = "Rollback begun"
text = "We are rolling back: {run.reason}."
[[followup]]
id = "review"
text = "Write the postmortem"
due = "24h"
"#;

struct Hand(AtomicI64);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(1_762_941_600 + self.0.fetch_add(7, Ordering::Relaxed)).unwrap()
    }

    fn wait(&self, _: Duration) {}
}

/// A file that a commit removed together with another change.
pub(crate) fn removed() -> Sandbox {
    let repo = Sandbox::new();
    repo.commit("add the shim", &[("shim.py", "one\ntwo\nthree\n"), ("other.py", "o\n")]);
    repo.git(&["rm", "-q", "shim.py"]);
    repo.commit("remove the shim <b>", &[("other.py", "o2\n")]);
    repo
}

/// A repository in which the procedure has run; the id of the run.
pub(crate) fn with_run() -> (Sandbox, String) {
    let sandbox = removed();
    let text = PROCEDURE.replace("\\#", "#");
    sandbox.write(".rb/procedures/shim.toml", &text);
    let procedure = Procedure::parse("shim.toml", text.as_bytes(), &()).unwrap_or_else(|bad| panic!("{bad}"));
    let repo = Repo::discover(sandbox.path()).unwrap();
    let clock = Hand(AtomicI64::new(0));
    let environment = |name: &str| std::env::var(name).ok().filter(|_| name == "PATH");
    let engine = Engine::new(&repo, &SystemRunner, &clock, &environment);
    let mut request = RunRequest::default();
    request.trusted_hash = Some(fingerprint(&procedure, Some(sandbox.path())).hash);
    request.landing.identity = Some(Identity::new("Ada", "ada@example.com"));
    request.landing.time = Some(CommitTime::new(1_762_941_600, 0));
    request.reason = "imports fail".into();
    let state = engine.start(&procedure, request, &mut ()).unwrap();
    assert_eq!(state.status.as_str(), "Complete", "{state:#?}");
    (sandbox, state.id)
}

#[test]
fn an_operation_is_reported_as_data() {
    let repo = removed();
    let words = ["revert", "--file", "shim.py", "--reason", "No import works.", "--check", "test -f shim.py"];
    let landed = rb(&repo, &words);
    assert_eq!(landed.code, 0, "{}", landed.stderr);
    let report = rb(&repo, &["report", "--json"]).json();
    assert_eq!((&report["schema_version"], &report["kind"]), (&json!(1), &json!("operation")));
    assert_eq!(report["outcome"]["word"], "Landed");
    assert_eq!(report["outcome"]["standing"], "good");
    assert_eq!(report["changes"], json!([{"path": "shim.py", "kind": "added"}]));
    let taken: Vec<_> =
        report["ladder"].as_array().unwrap().iter().map(|rung| rung["taken"].clone()).collect();
    assert_eq!(taken, [json!(false), json!(true)]);
    let check = &report["checks"][0];
    assert_eq!(check["name"], "test -f shim.py");
    assert_eq!(
        (&check["before"]["outcome"], &check["candidate"]["outcome"]),
        (&json!("fail"), &json!("pass"))
    );
    let parts = |side: &str| -> Vec<Value> {
        report["graph"][side].as_array().unwrap().iter().map(|node| node["part"].clone()).collect()
    };
    assert_eq!(parts("before"), ["undone", "good"]);
    assert_eq!(parts("after"), ["new", "undone", "good"]);
    let fact = |name: &str| {
        let facts = report["facts"].as_array().unwrap();
        facts.iter().find(|fact| fact["name"] == name).map(|fact| fact["value"].clone())
    };
    assert_eq!(fact("Reason"), Some(json!("No import works.")));
    assert_eq!(fact("After"), Some(json!(repo.git(&["rev-parse", "HEAD"]))));

    rb(&repo, &["undo"]);
    let id = report["id"].as_str().unwrap();
    let again = rb(&repo, &["report", id, "--json"]).json();
    assert_eq!(again["outcome"]["word"], "Taken back");
    let undo = rb(&repo, &["report", "--json"]).json();
    assert_eq!((&undo["outcome"]["word"], &undo["ladder"]), (&json!("Landed"), &json!([])));
    assert!(undo["title"].as_str().unwrap().starts_with("Undo of "), "{undo}");

    let title = |words: &[&str]| {
        let run = rb(&repo, words);
        assert_eq!(run.code, 0, "{words:?}: {}", run.stderr);
        rb(&repo, &["report", "--json"]).json()["title"].as_str().unwrap().to_owned()
    };
    assert_eq!(title(&["redo"]), undo["title"].as_str().unwrap().replace("Undo", "Redo"));
    assert_eq!(title(&["undo"]), undo["title"].as_str().unwrap());
    repo.git(&["reset", "-q", "--hard", "HEAD~1"]);
    assert_eq!(title(&["undo", "--git"]), "Undo of git's reset: moving to HEAD~1");
    let name = rb(&repo, &["checkpoint", "list", "--json"]).json()["checkpoints"][0]["name"].clone();
    let name = name.as_str().unwrap();
    repo.write("more", "1\n");
    let back = title(&["checkpoint", "restore", name]);
    assert!(back.starts_with("Return to the checkpoint ") && back.ends_with(name), "{back}");
    repo.git(&["stash", "-q", "-u"]);
    repo.git(&["switch", "-q", "-c", "side"]);
    let picked = repo.commit("to pick", &[("picked", "1\n")]);
    repo.git(&["switch", "-q", "-"]);
    assert!(title(&["cherry-pick", &picked]).starts_with("Pick of "));
}

#[test]
fn a_run_is_reported_with_all_that_its_procedure_says() {
    let (repo, id) = with_run();
    let report = rb(&repo, &["report", "--json"]).json();
    assert_eq!((&report["kind"], &report["id"]), (&json!("run"), &json!(id)));
    assert_eq!(report["title"], "The shim is <gone> & back: main");
    assert_eq!(report["outcome"], json!({"word": "Complete", "standing": "good"}));
    assert_eq!(report["timing"]["target_ms"], 1_800_000);
    assert!(report["timing"]["elapsed_ms"].as_u64().unwrap() > 0);
    assert_eq!(report["changes"], json!([{"path": "shim.py", "kind": "added"}]));
    assert_eq!(report["messages"][0]["to"], json!(["#ops"]));
    assert_eq!(report["messages"][0]["text"], "We are rolling back: imports fail.");
    assert_eq!(report["followups"][0]["text"], "Write the postmortem");
    let finished: Timestamp = report["timing"]["finished"].as_str().unwrap().parse().unwrap();
    let due: Timestamp = report["followups"][0]["due"].as_str().unwrap().parse().unwrap();
    assert_eq!(due.duration_since(finished).as_hours(), 24);
    let smoke = report["checks"].as_array().unwrap().iter().find(|check| check["name"] == "smoke").unwrap();
    assert_eq!(
        (&smoke["before"]["outcome"], &smoke["candidate"]["outcome"]),
        (&json!("fail"), &json!("pass"))
    );
    assert!(smoke["candidate"]["output"].as_str().unwrap().contains("<script>"), "{smoke}");
    assert!(report["evidence"].as_array().unwrap().iter().all(|file| file["state"] == "intact"), "{report}");

    let kept = repo.path().join(".git/rb/runs").join(&id).join("evidence/tools");
    std::fs::write(&kept, "something else").unwrap();
    let again = rb(&repo, &["report", "--run", &id[..6], "--json"]).json();
    let files = again["evidence"].as_array().unwrap();
    let tools = files.iter().find(|file| file["name"] == "evidence/tools").unwrap();
    assert_eq!((&tools["state"], &tools["bytes"]), (&json!("altered"), &json!(14)));
}

#[test]
fn the_page_escapes_what_it_shows_and_loads_nothing() {
    let (repo, id) = with_run();
    let run = rb(&repo, &["report", "--run", &id, "-o", "../report.html"]);
    assert_eq!((run.code, run.stdout.as_str()), (0, "The report is in ../report.html.\n"), "{}", run.stderr);
    let page = std::fs::read_to_string(repo.path().join("../report.html")).unwrap();
    for section in [
        "summary",
        "timeline",
        "graph",
        "ladder",
        "checks",
        "changes",
        "followups",
        "messages",
        "evidence",
        "facts",
    ] {
        assert!(page.contains(&format!("id=\"{section}\"")), "{section}");
    }
    assert!(page.contains("The shim is &lt;gone&gt; &amp; back"), "{page}");
    assert!(page.contains("&lt;script&gt;alert(1)"), "{page}");
    for forbidden in
        ["<script", "http:", "https:", "url(", "@import", "<img", "<link", "javascript:", " onload"]
    {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    assert!(page.contains("prefers-color-scheme:dark"));
}

#[test]
fn markdown_cannot_be_broken_by_what_it_shows() {
    let (repo, id) = with_run();
    let page = rb(&repo, &["report", "--run", &id]).stdout;
    for heading in
        ["## Ways tried", "## Checks", "## Timeline", "## Still to do", "## Messages", "## Evidence"]
    {
        assert!(page.contains(&format!("\n{heading}\n")), "{heading}\n{page}");
    }
    assert!(page.starts_with("# The shim is &lt;gone> & back: main\n"), "{page}");
    assert!(page.contains("- [ ] Write the postmortem (due 2025-11-13 "), "{page}");
    assert!(page.contains("```\nWe are rolling back: imports fail.\n```"), "{page}");
}

#[test]
fn a_page_is_bounded_whatever_the_lines_and_counts_what_it_leaves_out() {
    let repo = Sandbox::new();
    let lines = |mark: &str| (0..3).map(|n| format!("{n}{}\n", mark.repeat(400_000))).collect::<String>();
    let many = |mark: &str| (0..700).map(|n| format!("{n}{}\n", mark.repeat(1500))).collect::<String>();
    repo.commit("one", &[("long", lines("a")), ("many", many("a"))]);
    repo.commit("two", &[("long", lines("b")), ("many", many("b"))]);
    repo.git(&["reset", "-q", "--hard"]);
    assert_eq!(rb(&repo, &["revert", "HEAD"]).code, 0);
    for (kind, page) in ["../report.html", "../report.md"].map(|file| {
        assert_eq!(rb(&repo, &["report", "-o", file]).code, 0);
        (file, std::fs::read_to_string(repo.path().join(file)).unwrap())
    }) {
        assert!(page.len() < 200_000, "{kind}: {}", page.len());
        assert!(page.contains("(398002 bytes more)"), "{kind}");
        assert!(page.contains("The lines of 1 file are left out."), "{kind}");
        assert!(page.contains("+703"), "{kind}");
    }
}

#[test]
fn what_is_not_there_cannot_be_reported() {
    let repo = removed();
    let run = rb(&repo, &["report"]);
    assert_eq!((run.code, run.line("error:")), (5, "rb has landed nothing here yet"));
    let run = rb(&repo, &["report", "abc"]);
    assert_eq!((run.code, run.line("error:")), (5, "'abc' names no operation of the log"));
    let run = rb(&repo, &["report", "--run", "abc"]);
    assert_eq!((run.code, run.line("error:")), (5, "there is no run 'abc'"));
    rb(&repo, &["revert", "--file", "shim.py"]);
    let run = rb(&repo, &["report", "-o", "no/such/folder.html"]);
    assert_eq!(run.code, 74);
    assert!(run.line("error:").starts_with("cannot write "), "{}", run.stderr);
}
