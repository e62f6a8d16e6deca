//! Reverts that conflict on the tip of real histories: how many come clean with the later commits that are named, and
//! whether git agrees.
//!
//! ```text
//! cargo run --release -p rollback-test-kit --bin dependents -- --rb target/release/rb \
//!     --repo A --repo B [--count 300] [--last 1500] [--seed 1]
//! ```
//!
//! A case is a commit whose undo conflicts. Where a set of later commits is named with which it is clean, `git revert`
//! undoes the same commits in the same order in a clone: none of them may conflict, and the tree must be the one that
//! `rb revert C --with-dependents` plans. Where the undo is clean by itself, nothing may be named. Ends with 1 where
//! anything differs, or where fewer than 60% of the cases come clean.
#![expect(clippy::print_stdout, reason = "the report is what the suite is for")]

use std::path::Path;
use std::process::ExitCode;

use serde_json::Value;
use test_kit::Sandbox;
use test_kit::suite::{Arguments, Seeded, Subject, Tally, document, last_commits};

fn main() -> ExitCode {
    test_kit::suite::main(run)
}

fn run() -> Result<ExitCode, String> {
    let arguments = Arguments::read(300)?;
    println!("seed {}", arguments.seed);
    let (mut left, mut total) = (arguments.count, Tally::default());
    for (at, source) in arguments.repos.iter().enumerate() {
        let share = left.div_ceil(arguments.repos.len() - at);
        let subject = Subject::clone_of(source)?;
        let seed = arguments.seed.wrapping_add(at as u64);
        let tally = try_reverts(&arguments.rb, &subject, share, seed, arguments.number("--last", 1500));
        left = left.saturating_sub(tally.of("conflicts"));
        println!("{}", tally.report(&source.display().to_string()));
        total.add(&tally);
    }
    println!("{}", total.report("all repositories"));
    let (cases, clean) = (total.of("conflicts"), total.of("clean with them"));
    println!("{clean} of {cases} come clean with the commits that are named");
    let holds = total.differences().is_empty() && cases > 0 && clean * 100 >= cases * 60;
    Ok(if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn try_reverts(rb: &Path, subject: &Subject, count: usize, seed: u64, last: usize) -> Tally {
    let (repo, mut tally) = (subject.repo(), Tally::default());
    let mut samples = last_commits(repo, last);
    Seeded::new(seed).shuffle(&mut samples);
    for sample in samples {
        if tally.of("conflicts") >= count {
            break;
        }
        let plan = plan(rb, repo, &[&sample.id]);
        let undo = &plan["attempts"][0];
        let named = undo["dependents"].as_array().map_or(0, Vec::len);
        if undo["result"] != "conflicted" {
            tally.count("no conflict");
            if named > 0 {
                tally.difference(format!("{}: {named} are named of an undo that is clean", sample.id));
            }
            continue;
        }
        tally.count("conflicts");
        tally.count(match (undo["with_dependents"].as_str(), named) {
            (Some("clean"), _) => "clean with them",
            (_, 0) => "none is named",
            (_, 1..=8) => "no set is clean, up to 8 named",
            _ => "no set is clean, more are named",
        });
        if undo["with_dependents"] == "clean"
            && let Err(difference) = compare(rb, repo, &sample.id)
        {
            tally.difference(format!("{}: {difference}", sample.id));
        }
    }
    tally
}

fn plan(rb: &Path, repo: &Sandbox, words: &[&str]) -> Value {
    let out = repo.rb(rb).arg("revert").args(words).args(["--dry-run", "--json"]).output();
    document(&out.expect("rb can be started"))
}

/// Undoes with git what rb plans to undo, one after the other.
fn compare(rb: &Path, repo: &Sandbox, id: &str) -> Result<(), String> {
    let plan = plan(rb, repo, &[id, "--with-dependents", "--via", "revert-commit"]);
    let at = plan["chosen"].as_u64().ok_or("with them no way is chosen")?;
    let way = &plan["attempts"][usize::try_from(at).map_err(|_| "no number")?];
    let undone = undo_each(repo, way);
    let tree = repo.git(&["write-tree"]);
    repo.git(&["reset", "-q", "--hard", "ORIG"]);
    undone?;
    match way["tree_id"] == tree {
        true => Ok(()),
        false => Err(format!("git made {tree}, the plan {}", way["tree_id"])),
    }
}

fn undo_each(repo: &Sandbox, way: &Value) -> Result<(), String> {
    repo.git(&["tag", "-f", "ORIG"]);
    let steps = way["steps"].as_array().ok_or("the way has no steps")?;
    for step in steps {
        let id = step["commit_id"].as_str().ok_or("a step names no commit")?;
        let mut words = vec!["revert", "--no-edit", id];
        if step.get("mainline").is_some() {
            words.extend(["-m", "1"]);
        }
        if !repo.try_git(&words).status.success() {
            repo.try_git(&["revert", "--abort"]);
            return Err(format!("git's undo of {id} conflicts"));
        }
    }
    Ok(())
}
