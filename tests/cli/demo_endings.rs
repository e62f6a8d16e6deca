//! How the runs of the demos end, whichever program fails: the last lines, the exit code, the messages, `rb status`,
//! `rb ops` and `rb report` tell the same.
//!
//! Demos and programs are those that `rb demo` names. A few programs run with the ordinary tests, chosen by
//! `RB_HOSTILE_SEED`; `demos_end_as_they_say_whichever_program_fails` takes all of them.
#![cfg(unix)]
#![expect(clippy::print_stdout, reason = "a suite says what it tried")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde_json::Value;
use test_kit::suite::Seeded;
use test_kit::{Sandbox, records};

use crate::kit::{Run, rb, rb_in, rb_with};

/// What a run is called that has ended so, its exit codes, and how its last line begins.
const ENDINGS: [(&str, &[i32], &str); 7] = [
    ("Complete", &[0], ""),
    ("Landed, then failed", &[8], "hint: "),
    ("Paused", &[7], "next: "),
    ("Nothing to do", &[3], "took "),
    ("Checks failed, nothing landed", &[4], "hint: "),
    ("Failed, nothing landed", &[1, 5], "hint: "),
    ("Aborted", &[0], ""),
];

/// A command of a demo, what it printed, and how it ended.
#[derive(Debug)]
struct Step {
    command: String,
    lines: Vec<String>,
    code: i32,
}

impl Step {
    /// What the run is called at its end, and its id.
    fn ending(&self) -> Option<(&'static str, &str)> {
        self.lines.iter().find_map(|line| {
            ENDINGS.iter().find_map(|(word, ..)| {
                let rest = line.strip_prefix(word)?.strip_prefix(": run ")?;
                Some((*word, rest.split(',').next()?))
            })
        })
    }

    fn has(&self, start: &str) -> bool {
        self.lines.iter().any(|line| line.starts_with(start))
    }

    /// The lines that begin so, without their beginning.
    fn all<'a>(&'a self, start: &'a str) -> impl Iterator<Item = &'a str> {
        self.lines.iter().filter_map(move |line| line.strip_prefix(start))
    }

    /// What became of each unit: kind, name, and what its line says.
    fn units(&self) -> Vec<(String, String, String)> {
        let signs = ["✓ ", "✗ ", "· ", "? "];
        let ended = self.lines.iter().filter(|line| line.starts_with('[')).filter_map(|line| {
            let (_, rest) = line.split_once("] ")?;
            let rest = signs.iter().find_map(|sign| rest.strip_prefix(sign))?;
            let (unit, said) = rest.split_once(": ")?;
            let (kind, name) = unit.split_once(' ').unwrap_or((unit, unit));
            let said = said.rsplit_once(" (").map_or(said, |(said, _)| said);
            Some((kind.to_owned(), name.to_owned(), said.to_owned()))
        });
        ended.collect()
    }
}

/// A demo that was played, and the folder that it left.
struct Played {
    steps: Vec<Step>,
    around: Sandbox,
    repository: PathBuf,
}

impl Played {
    fn new(demo: &str, fail: Option<&str>) -> Self {
        let around = Sandbox::folder();
        let temp = around.path().display().to_string();
        let mut words = vec!["demo", demo, "--keep"];
        words.extend(fail.into_iter().flat_map(|program| ["--fail", program]));
        let run = rb_with(&around, &words, "", &[("TMPDIR", &temp)]);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{words:?}: {}", run.stdout);
        let repository = PathBuf::from(run.line("The repository stays in "));
        Self { steps: steps(&run.stdout), around, repository }
    }

    /// `rb` as the user would type it in the folder that was kept.
    fn rb(&self, words: &[&str]) -> Run {
        rb_in(&self.around, &self.repository.display().to_string(), words)
    }
}

/// The commands that a demo shows.
fn steps(shown: &str) -> Vec<Step> {
    let mut found: Vec<Step> = Vec::new();
    let mut open = false;
    for line in shown.lines() {
        if let Some(command) = line.strip_prefix("   $ rb ") {
            found.push(Step { command: command.to_owned(), lines: Vec::new(), code: -1 });
            open = true;
        } else if let (true, Some(step)) = (open, found.last_mut()) {
            if let Some(said) = line.strip_prefix("   │") {
                step.lines.push(said.strip_prefix(' ').unwrap_or(said).to_owned());
            } else if let Some(code) = line.strip_prefix("   exit code ") {
                let code = code.split(',').next().unwrap_or_default();
                step.code = code.parse().expect("a number");
                open = false;
            }
        }
    }
    found
}

/// The demos that run a procedure, each with the programs that it names.
fn demos() -> BTreeMap<String, Vec<String>> {
    let folder = Sandbox::folder();
    let named = rb(&folder, &["demo", "nothing"]);
    let names = named.line("error: there is no demo 'nothing'; there are:").to_owned();
    let mut found = BTreeMap::new();
    for name in names.split(", ") {
        let refused = rb(&folder, &["demo", name, "--fail", "nothing"]);
        assert_eq!(refused.code, 2, "{}", refused.stderr);
        if let Some((_, programs)) = refused.line("error:").split_once("'nothing'; there are: ") {
            found.insert(name.to_owned(), programs.split(", ").map(str::to_owned).collect());
        }
    }
    assert_eq!(found.len(), 4, "{found:?}");
    found
}

/// What is wrong with the lines and the code of a command by themselves.
fn wrong_words(step: &Step) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut need = |holds: bool, what: &str| wrong.extend((!holds).then(|| what.to_owned()));
    let last = step.lines.last().map_or("", String::as_str);
    let Some((word, _)) = step.ending() else {
        let answers = step.command.contains("--dry-run") || step.code == 0;
        need(answers || step.has("error: ") && last.starts_with("hint: "), "neither a run nor an error");
        need(!step.has("landed on "), "it landed without a run");
        return wrong;
    };
    let (_, codes, start) = ENDINGS.iter().find(|(known, ..)| *known == word).expect("it is known");
    need(codes.contains(&step.code), &format!("{word} with exit code {}", step.code));
    need(last.starts_with(start), &format!("{word}, and the last line is: {last}"));
    need(step.has("error: ") == last.starts_with("hint: "), "an error and a hint go together");
    let failed = step.units().iter().any(|(_, _, said)| said.starts_with("failed"));
    need(failed == step.has("failed: "), "what failed is told at the end");
    need(!(word == "Complete" && failed), "it is complete, and something failed");
    need((word == "Paused") == step.has("waits at "), "it waits where it says so");
    let undo = step.has("next: take it back with: rb undo");
    let landed = step.has("landed on ");
    let must_not =
        matches!(word, "Nothing to do" | "Checks failed, nothing landed" | "Failed, nothing landed");
    need(!(landed && must_not), "it has landed, and says that nothing has");
    need(undo == landed || word == "Aborted", "what has landed can be taken back, and nothing else");
    need(word != "Complete" || last.starts_with("next: ") == landed, "how it is taken back comes last");
    let told = step.all("  message ").any(|line| line.starts_with("complete"));
    need(!told || word == "Complete", "it is complete, a message says");
    wrong
}

/// What a unit's line says in the words of a report.
fn state_of(said: &str) -> &'static str {
    match said.split([':', ' ']).next().unwrap_or_default() {
        "done" => "done",
        "left" => "skipped",
        "failed" => "failed",
        "waits" => "pending",
        _ => "?",
    }
}

/// What is wrong between what a run said at its end and what is known of it afterwards. `step` is its last command.
fn wrong_records(played: &Played, step: &Step, status: &Value, logged: &[Value]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut need = |holds: bool, what: String| wrong.extend((!holds).then_some(what));
    let Some((word, id)) = step.ending() else { return wrong };
    let report = played.rb(&["report", "--run", id, "--json"]).json();
    let outcome = report["outcome"]["word"].as_str().unwrap_or_default();
    need(outcome == word, format!("the report says {outcome}"));
    let rows = |key: &str| report[key].as_array().cloned().unwrap_or_default();
    for (kind, name, said) in step.units() {
        let state = state_of(&said);
        let same = |row: &&Value| row["kind"] == kind.as_str() && row["name"] == name.as_str();
        let timeline = rows("timeline");
        let known: Vec<_> = timeline.iter().filter(same).map(|row| row["state"].clone()).collect();
        // A unit that a run has several times, one a part, has as many rows.
        need(known.iter().any(|known| known == state), format!("{kind} {name} is {state}: {known:?}"));
    }
    let open = status["runs"].as_array().into_iter().flatten().find(|run| run["id"] == id);
    need(open.is_some() == (word == "Paused"), format!("status has it open: {}", open.is_some()));
    need(
        open.is_none_or(|run| {
            step.lines.iter().any(|line| line.ends_with(run["next"].as_str().unwrap_or("?")))
        }),
        "status names another way on".to_owned(),
    );
    let landed: BTreeSet<&str> = step
        .all("landed on ")
        .filter_map(|line| line.split_once(": "))
        .flat_map(|(_, ids)| ids.split(' '))
        .collect();
    let known = |short: &&str| {
        let ids = logged.iter().flat_map(|row| row["commit_ids"].as_array().into_iter().flatten());
        ids.filter_map(Value::as_str).any(|id| id.starts_with(*short))
    };
    need(landed.iter().all(known), format!("the log of operations does not have all of {landed:?}"));
    let sent: BTreeSet<String> =
        step.all("  message ").filter_map(|line| line.split(' ').next()).map(str::to_owned).collect();
    let reported: BTreeSet<String> =
        rows("messages").iter().filter_map(|row| row["name"].as_str()).map(str::to_owned).collect();
    need(sent.is_subset(&reported), format!("messages {sent:?}, and in the report {reported:?}"));
    let resumed = step.command.starts_with("resume") || step.command.starts_with("abort");
    need(resumed || sent == reported, format!("messages {sent:?}, and in the report {reported:?}"));
    wrong
}

/// Plays a demo and says where it disagrees with itself.
fn disagreements(demo: &str, fail: Option<&str>) -> Vec<String> {
    let played = Played::new(demo, fail);
    let status = played.rb(&["status", "--json"]).json();
    let logged = played.rb(&["ops", "--json"]).stdout;
    let logged: Vec<Value> = logged.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let mut last: BTreeMap<&str, &Step> = BTreeMap::new();
    let mut wrong = Vec::new();
    for step in &played.steps {
        wrong.extend(wrong_words(step).into_iter().map(|what| format!("rb {}: {what}", step.command)));
        last.extend(step.ending().map(|(_, id)| (id, step)));
    }
    assert!(!last.is_empty(), "{demo}: no run");
    for (id, step) in &last {
        let told = wrong_records(&played, step, &status, &logged).into_iter();
        wrong.extend(told.map(|what| format!("rb {} ({id}): {what}", step.command)));
    }
    let kept = records::all(&played.repository.join(".git"), "runs");
    let kept: BTreeSet<&str> = kept.iter().map(|(id, _)| id.as_str()).collect();
    if kept != last.keys().copied().collect() {
        wrong.push(format!("records of {kept:?}, and these ended: {:?}", last.keys()));
    }
    let ended = played.steps.iter().rev().filter_map(Step::ending).find(|(word, _)| *word != "Paused");
    let last_run = status["last_run"]["id"].as_str();
    if last_run != ended.map(|(_, id)| id) {
        wrong.push(format!("status names {last_run:?} as the last run: {ended:?}"));
    }
    wrong.into_iter().map(|what| format!("{demo}, {}: {what}", fail.unwrap_or("nothing fails"))).collect()
}

fn play(cases: &[(String, Option<String>)]) {
    let wrong: Vec<_> = cases.iter().flat_map(|(demo, fail)| disagreements(demo, fail.as_deref())).collect();
    println!("{} demos played, {} disagreements", cases.len(), wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn demos_end_as_they_say_whatever_fails_of_a_few_programs() {
    let seed = std::env::var("RB_HOSTILE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(2026);
    let mut dice = Seeded::new(seed);
    let cases: Vec<_> = demos()
        .into_iter()
        .map(|(demo, programs)| (demo, Some(programs[dice.below(programs.len())].clone())))
        .collect();
    play(&cases);
}

#[test]
#[ignore = "minutes: every program of every demo"]
fn demos_end_as_they_say_whichever_program_fails() {
    let cases = |(demo, programs): (String, Vec<String>)| {
        let all = std::iter::once(None).chain(programs.into_iter().map(Some));
        all.map(move |fail| (demo.clone(), fail)).collect::<Vec<_>>()
    };
    play(&demos().into_iter().flat_map(cases).collect::<Vec<_>>());
}
