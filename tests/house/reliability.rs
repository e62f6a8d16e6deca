//! RELIABILITY.md is what its lists make of it, and every test that it or TRAPS.md names exists.
//!
//! `RB_BLESS=1 cargo test --workspace --test house reliability` writes the page.

use test_kit::mutants::project;
use test_kit::page::hold;
use test_kit::reliability::{all_tests, lists, page};

#[test]
fn the_reliability_page_is_made_from_its_lists() {
    hold("RELIABILITY.md", &page(), str::to_owned);
}

#[test]
fn the_reliability_page_has_no_long_lines_and_no_holes() {
    for line in page().lines() {
        assert!(line.chars().count() <= 120, "{line}");
        assert!(!line.contains("{{"), "nothing fills: {line}");
    }
}

#[test]
fn every_row_of_the_reliability_page_names_tests_that_exist() {
    let (lists, tests) = (lists(), all_tests());
    let rows = lists.fault.iter().chain(&lists.input);
    for row in rows.clone() {
        assert!(row.names().next().is_some(), "no test: {}", row.what);
        for name in row.names() {
            assert!(tests.contains(name), "{name} is no test, in: {}", row.what);
        }
    }
    assert!(rows.count() >= 50);
    let invariants: Vec<_> = tests.iter().filter_map(|name| name.strip_prefix("invariant_")).collect();
    for (at, name) in invariants.iter().enumerate() {
        assert!(name.starts_with(&format!("{:02}_", at + 1)), "each number once: {invariants:?}");
    }
    assert!(invariants.len() >= 13, "{invariants:?}");
}

#[test]
fn the_commands_of_the_suites_choose_tests_that_exist() {
    let tests = all_tests();
    let lists = lists();
    let filters = lists.suite.iter().filter_map(|suite| {
        let words = suite.command.split(' ').take_while(|word| *word != "--");
        words.last().filter(|word| word.contains('_') && suite.command.contains("cargo test"))
    });
    let mut found = 0;
    for filter in filters {
        assert!(tests.iter().any(|test| test.contains(filter)), "no test is called {filter}");
        found += 1;
    }
    assert!(found >= 10, "{found}");
}

#[test]
fn every_trap_of_the_documents_names_tests_that_exist() {
    let page = std::fs::read_to_string(project().join("rollback-cli/procedures/TRAPS.md")).expect("the page");
    let tests = all_tests();
    let mut rows = 0;
    for row in page.lines().filter(|line| line.starts_with("| ")).skip(1) {
        let shown = row.trim_end_matches(" |").rsplit(" | ").next().unwrap_or_default();
        let named: Vec<&str> =
            shown.split('`').skip(1).step_by(2).filter(|name| name.contains('_')).collect();
        assert!(!named.is_empty(), "no test: {row}");
        for name in named {
            assert!(tests.contains(name), "{name} is no test, in: {row}");
        }
        rows += 1;
    }
    assert_eq!(rows, 16);
}
