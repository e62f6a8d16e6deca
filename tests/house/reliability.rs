//! RELIABILITY.md and TRAPS.md name tests; every one of them exists.

use std::collections::BTreeSet;
use std::path::Path;

use test_kit::mutants::project;

/// The functions of every source file below a folder.
fn functions(folder: &Path, found: &mut BTreeSet<String>) {
    for row in std::fs::read_dir(folder).expect("a folder of the project") {
        let path = row.expect("a row").path();
        if path.is_dir() {
            functions(&path, found);
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

/// Every test of the project.
fn all_tests() -> BTreeSet<String> {
    let mut tests = BTreeSet::new();
    for folder in ["tests", "rollback-core/src", "rollback-cli/src"] {
        functions(&project().join(folder), &mut tests);
    }
    tests
}

/// Checks that every row of a table names tests that exist in its last cell; says how many rows there are.
fn check_rows(table: &str, tests: &BTreeSet<String>) -> usize {
    let mut rows = 0;
    for row in table.lines().filter(|line| line.starts_with("| ")).skip(1) {
        let shown = row.trim_end_matches(" |").rsplit(" | ").next().unwrap_or_default();
        let named: Vec<&str> =
            shown.split('`').skip(1).step_by(2).filter(|name| name.contains('_')).collect();
        assert!(!named.is_empty(), "no test: {row}");
        for name in named {
            assert!(tests.contains(name), "{name} is no test, in: {row}");
        }
        rows += 1;
    }
    rows
}

#[test]
fn every_row_of_the_reliability_page_names_tests_that_exist() {
    let page = std::fs::read_to_string(project().join("RELIABILITY.md")).expect("the page");
    let tests = all_tests();
    let with_tests = ["The faults,", "Hostile inputs,", "The invariants"];
    let rows: usize = page
        .split("\n## ")
        .filter(|section| with_tests.iter().any(|title| section.starts_with(title)))
        .map(|section| check_rows(section, &tests))
        .sum();
    assert!(rows >= 45, "{rows} rows");
}

#[test]
fn every_trap_of_the_documents_names_tests_that_exist() {
    let page = std::fs::read_to_string(project().join("rollback-cli/procedures/TRAPS.md")).expect("the page");
    assert_eq!(check_rows(&page, &all_tests()), 16);
}
