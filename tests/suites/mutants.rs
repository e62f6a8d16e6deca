//! Plants one fault after the other and says which of them the tests notice.
//!
//! `cargo run -p rollback-test-kit --bin mutants [NAME…]`: the sources are copied to a temporary folder, the faults of
//! `tests/suites/mutants.toml` go into the copy, and the tests that each of them names are run with and without it. A
//! NAME chooses the faults that contain it. Ends with 1 where one survives.

#![expect(clippy::print_stdout, reason = "it reports to whoever started it")]

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use test_kit::mutants::{self, Mutant, VARIABLE};

/// A run that takes longer hangs, and a hang is noticed.
const SECONDS: &str = "180";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let chosen = |mutant: &Mutant| words.is_empty() || words.iter().any(|word| mutant.name.contains(word));
    let project = mutants::project();
    match run(&project, &mutants::all().into_iter().filter(chosen).collect::<Vec<_>>()) {
        Ok(survived) if survived.is_empty() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            println!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(project: &Path, chosen: &[Mutant]) -> Result<Vec<String>, String> {
    let copy = tempfile::tempdir().map_err(|error| error.to_string())?;
    copy_sources(project, copy.path())?;
    plant(copy.path(), chosen)?;
    let program = build(project, copy.path())?;
    // What fails without a fault proves nothing about one.
    let filters: BTreeSet<&String> = chosen.iter().flat_map(|mutant| &mutant.tests).collect();
    for filter in filters {
        let sound = outcome(copy.path(), &program, std::slice::from_ref(filter), None)?;
        if sound != Outcome::Passed {
            return Err(format!("without a fault, {filter}: {sound:?}"));
        }
    }
    let mut survived = Vec::new();
    let mut faults: Vec<(&String, Vec<String>)> = Vec::new();
    for mutant in chosen {
        match faults.iter_mut().find(|(name, _)| *name == &mutant.name) {
            Some((_, tests)) => tests.extend(mutant.tests.iter().cloned()),
            None => faults.push((&mutant.name, mutant.tests.clone())),
        }
    }
    for (name, tests) in &faults {
        let begun = Instant::now();
        let outcome = outcome(copy.path(), &program, tests, Some(name))?;
        let verdict = match &outcome {
            Outcome::Passed => {
                survived.push((*name).clone());
                "SURVIVED".to_owned()
            }
            Outcome::Hung => "caught: it hangs".to_owned(),
            Outcome::Failed(tests) => format!("caught by {}", tests.join(", ")),
        };
        println!("{name:<60} {verdict} ({:.1} s)", begun.elapsed().as_secs_f32());
        let _ = std::io::stdout().flush();
    }
    println!(
        "{} faults, {} caught, {} survived",
        faults.len(),
        faults.len() - survived.len(),
        survived.len()
    );
    Ok(survived)
}

fn copy_sources(project: &Path, to: &Path) -> Result<(), String> {
    let listed = said(Command::new("git").args(["ls-files", "-z"]).current_dir(project))?;
    for name in listed.split('\0').filter(|name| !name.is_empty()) {
        let target = to.join(name);
        std::fs::create_dir_all(target.parent().unwrap_or(to)).map_err(|error| error.to_string())?;
        std::fs::copy(project.join(name), &target).map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(())
}

fn plant(copy: &Path, chosen: &[Mutant]) -> Result<(), String> {
    for (file, text) in mutants::planted(copy, chosen).map_err(|errors| errors.join("\n"))? {
        std::fs::write(copy.join(file), text).map_err(|error| error.to_string())?;
    }
    let library = copy.join("rollback-core/src/lib.rs");
    let mut text = std::fs::read_to_string(&library).map_err(|error| error.to_string())?;
    text.push_str(&format!(
        "mod mutant {{ pub(crate) fn on(name: &str) -> bool {{ std::env::var_os({VARIABLE:?}).is_some_and(|on| on == name) }} }}\n"
    ));
    std::fs::write(&library, text).map_err(|error| error.to_string())
}

/// Builds the tests of the library; what other packages it needs is taken from the project's own folder.
fn build(project: &Path, copy: &Path) -> Result<PathBuf, String> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(project.join("target"), PathBuf::from);
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    cargo.args(["test", "--locked", "--no-run", "-p", "rollback-core", "--lib"]);
    // What does not compile is told on standard error as usual.
    cargo.arg("--message-format=json-render-diagnostics");
    cargo.arg("--target-dir").arg(target).current_dir(copy);
    let said = said(&mut cargo)?;
    let rows = said.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let built = rows.filter_map(|row| row["executable"].as_str().map(PathBuf::from)).next_back();
    let built = built.ok_or("cargo names no program")?;
    // The next build of anybody may replace it.
    let kept = copy.join("the-tests");
    std::fs::copy(&built, &kept).map_err(|error| error.to_string())?;
    Ok(kept)
}

#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Passed,
    Failed(Vec<String>),
    Hung,
}

fn outcome(copy: &Path, program: &Path, tests: &[String], fault: Option<&str>) -> Result<Outcome, String> {
    let mut command = Command::new("timeout");
    command.args(["-k", "5", SECONDS]).arg(program).args(tests).current_dir(copy.join("rollback-core"));
    command.env_remove(VARIABLE).envs(fault.map(|fault| (VARIABLE, fault)));
    let out = command.output().map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&out.stdout);
    if text.contains("running 0 tests") {
        return Err(format!("no test is called {tests:?}"));
    }
    if matches!(out.status.code(), Some(124 | 137)) {
        return Ok(Outcome::Hung);
    }
    if out.status.success() {
        return Ok(Outcome::Passed);
    }
    let failed = text.lines().filter_map(|line| line.strip_prefix("test ")?.strip_suffix(" ... FAILED"));
    let short = |name: &str| name.rsplit("::").next().unwrap_or(name).to_owned();
    Ok(Outcome::Failed(failed.map(short).collect()))
}

/// What a program printed that must succeed.
fn said(command: &mut Command) -> Result<String, String> {
    let out = command.output().map_err(|error| error.to_string())?;
    match out.status.success() {
        true => Ok(String::from_utf8_lossy(&out.stdout).into_owned()),
        false => Err(format!("{command:?}: {}", String::from_utf8_lossy(&out.stderr))),
    }
}
