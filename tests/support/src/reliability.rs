//! The page RELIABILITY.md, made from lists: the text of `tests/suites/reliability.md`, the rows of
//! `tests/suites/reliability.toml`, and the lists that the suites themselves work through.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

use serde::Deserialize;

use crate::mutants::{self, project};
use crate::page::{filled, item, wrapped};

/// The rows of the page.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lists {
    /// The suites, with the commands that run them.
    pub suite: Vec<Suite>,
    /// What the suites have measured.
    pub figure: Vec<Figure>,
    /// Faults, each with the tests that show what happens.
    pub fault: Vec<Shown>,
    /// Hostile inputs, each with the tests that show what happens.
    pub input: Vec<Shown>,
}

/// A suite.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suite {
    /// What it tries.
    pub what: String,
    /// The command that runs it.
    pub command: String,
    /// The variables that choose what is tried.
    pub chosen_by: String,
}

/// A measurement.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// The day.
    pub measured: String,
    /// The suite; `* ` in front of it says that it ran before the last repair.
    pub suite: String,
    /// How much was tried.
    pub tried: String,
    /// The seed, where the suite has one.
    pub seed: Option<String>,
    /// How much of it ended outside of the promise.
    pub outside: String,
}

/// A fault or an input, and the tests that show what happens.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shown {
    /// The fault or the input.
    pub what: String,
    /// Names of tests, each with a remark in brackets after it where there is one; a row that ends with a colon is a label.
    tests: Vec<String>,
}

impl Shown {
    /// The names of the tests.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let rows = self.tests.iter().filter(|row| !row.ends_with(':'));
        rows.map(|row| row.split(' ').next().unwrap_or_default())
    }

    /// The tests as Markdown.
    fn list(&self) -> String {
        let mut list = String::new();
        for (at, row) in self.tests.iter().enumerate() {
            let before = self.tests[..at].last();
            list += match before {
                None => "",
                Some(label) if label.ends_with(':') => " ",
                Some(_) if row.ends_with(':') => "; ",
                Some(_) => ", ",
            };
            match row.split_once(' ') {
                _ if row.ends_with(':') => list += row,
                Some((name, remark)) => list += &format!("`{name}` {remark}"),
                None => list += &format!("`{row}`"),
            }
        }
        list
    }
}

/// The rows of `tests/suites/reliability.toml`.
pub fn lists() -> Lists {
    toml_edit::de::from_str(&read("tests/suites/reliability.toml")).expect("the lists of the page")
}

/// The page as it should be.
pub fn page() -> String {
    let lists = lists();
    let inputs = rows_of("tests/cli/hostile/mod.rs", &["Row { name: \""]);
    let damage = rows_of("tests/cli/hostile/damage.rs", &["(\""]);
    let shapes = rows_of("tests/core/apply/shapes.rs", &["(\""]);
    let commands = rows_of("tests/cli/kills/scenes.rs", &["scene(\"", "waiting(\""]);
    let mutants: BTreeSet<String> = mutants::all().into_iter().map(|mutant| mutant.name).collect();
    let invariants = all_tests().into_iter().filter(|name| name.starts_with("invariant_"));

    let numbers = BTreeMap::from([
        ("shapes", shapes.len().to_string()),
        ("kinds of input", inputs.len().to_string()),
        ("kinds of damage", damage.len().to_string()),
        ("commands", commands.len().to_string()),
        ("planted faults", mutants.len().to_string()),
    ]);
    let commands: Vec<_> = commands.iter().map(|line| format!("`rb {line}`")).collect();
    let texts = BTreeMap::from([
        ("list of suites", items(lists.suite.iter().map(|suite| suite_item(suite, &numbers)))),
        ("list of figures", figures(&lists.figure)),
        ("list of faults", items(lists.fault.iter().map(shown))),
        ("list of inputs", items(lists.input.iter().map(shown))),
        ("list of invariants", items(invariants.map(|name| format!("- `{name}`")))),
        ("list of shapes", wrapped(&shapes.join("; "), "")),
        ("list of kinds of input", wrapped(&inputs.join("; "), "")),
        ("list of kinds of damage", wrapped(&damage.join("; "), "")),
        ("list of commands", wrapped(&commands.join("; "), "")),
    ]);
    filled(&filled(&read("tests/suites/reliability.md"), &numbers), &texts)
}

/// The functions of the project that are tests.
pub fn all_tests() -> BTreeSet<String> {
    let mut tests = BTreeSet::new();
    for folder in ["tests", "rollback-core/src", "rollback-cli/src"] {
        tests_below(&project().join(folder), &mut tests);
    }
    tests
}

fn tests_below(folder: &Path, found: &mut BTreeSet<String>) {
    for row in std::fs::read_dir(folder).expect("a folder of the project") {
        let path = row.expect("a row").path();
        if path.is_dir() {
            tests_below(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = std::fs::read_to_string(&path).expect("a source file");
            let mut is_test = false;
            for line in text.lines().map(str::trim) {
                is_test |= line == "#[test]";
                if let Some(rest) = line.strip_prefix("fn ") {
                    let name = rest.split('(').next().unwrap_or_default().to_owned();
                    if std::mem::take(&mut is_test) {
                        found.insert(name);
                    }
                }
            }
        }
    }
}

fn read(path: &str) -> String {
    std::fs::read_to_string(project().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The names in a list of a suite: the text in quotes that each line has which begins so.
fn rows_of(path: &str, starts: &[&str]) -> Vec<String> {
    let text = read(path);
    let name = |line: &str| {
        let rest = starts.iter().find_map(|start| line.strip_prefix(start))?;
        rest.split('"').next().map(ToOwned::to_owned)
    };
    let rows: Vec<String> = text.lines().map(str::trim).filter_map(name).collect();
    assert!(!rows.is_empty(), "{path}: no line begins with {starts:?}");
    rows
}

fn items(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join("\n")
}

fn suite_item(suite: &Suite, numbers: &BTreeMap<&str, String>) -> String {
    let Suite { what, command, chosen_by } = suite;
    item(
        &format!("**{}**", filled(what, numbers)),
        &[format!("`{command}`"), format!("chosen by {chosen_by}")],
    )
}

fn shown(row: &Shown) -> String {
    item(&format!("**{}**", row.what), &[row.list()])
}

/// The figures, a list for each day.
fn figures(figures: &[Figure]) -> String {
    let days: BTreeSet<&str> = figures.iter().map(|figure| figure.measured.as_str()).collect();
    let mut text = String::new();
    for day in days.into_iter().rev() {
        let of_day = figures.iter().filter(|figure| figure.measured == day);
        let _ = write!(text, "Measured on {day}:\n\n{}\n\n", items(of_day.map(figure)));
    }
    text.trim_end().to_owned()
}

fn figure(figure: &Figure) -> String {
    let Figure { suite, tried, outside, .. } = figure;
    let seed = match &figure.seed {
        Some(seed) if seed.contains(',') => format!(", seeds {seed}"),
        Some(seed) => format!(", seed {seed}"),
        None => String::new(),
    };
    let (mark, suite) = suite.strip_prefix("* ").map_or(("", suite.as_str()), |suite| ("* ", suite));
    let escaped = |text: &str| text.replace('*', "\\*");
    let tried = format!("{}**{}**{seed}: {}", escaped(mark), escaped(suite), escaped(tried));
    item(&format!("{tried} → **{outside}**"), &[])
}
