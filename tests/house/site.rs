//! The documentation site: its table of contents has every page, and every link and include leads somewhere. What its
//! pages type is played by `tests/cli/site.rs`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use test_kit::mutants::project;

fn folder() -> PathBuf {
    project().join("docs/src")
}

/// The pages of the site, as paths below its folder.
fn pages() -> BTreeSet<PathBuf> {
    let mut pages = BTreeSet::new();
    let mut folders = vec![folder()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                pages.insert(path.strip_prefix(folder()).expect("it is below").to_owned());
            }
        }
    }
    pages.remove(Path::new("SUMMARY.md"));
    pages
}

/// A page as mdBook reads it: includes are replaced by what they name.
fn text_of(page: &Path) -> String {
    let path = folder().join(page);
    let beside = path.parent().expect("it lies in a folder");
    let line = |line: &str| match line.strip_prefix("{{#include ").and_then(|rest| rest.strip_suffix("}}")) {
        Some(named) => {
            let named = named.split(':').next().unwrap_or_default();
            fs::read_to_string(beside.join(named))
                .unwrap_or_else(|error| panic!("{page:?}: {named}: {error}"))
        }
        None => format!("{line}\n"),
    };
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{page:?}: {error}")).lines().map(line).collect()
}

/// The text without blocks of code, whose brackets are no links.
fn prose(text: &str) -> String {
    let mut in_code = false;
    let mut lines = String::new();
    for line in text.lines() {
        let is_fence = line.trim_start().starts_with("```");
        in_code ^= is_fence;
        if !in_code && !is_fence {
            lines += line;
            lines.push('\n');
        }
    }
    lines
}

fn links(text: &str) -> Vec<String> {
    let rests = text.split("](").skip(1);
    rests.filter_map(|rest| rest.split_once(')')).map(|(link, _)| link.to_owned()).collect()
}

/// The names that headings have as targets of links.
fn anchors(text: &str) -> BTreeSet<String> {
    let anchor = |line: &str| {
        let heading = line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        heading.chars().filter(|c| c.is_alphanumeric() || "-_".contains(*c)).collect::<String>()
    };
    prose(text).lines().filter(|line| line.starts_with('#')).map(anchor).collect()
}

#[test]
fn the_table_of_contents_of_the_site_has_every_page_once() {
    let summary = fs::read_to_string(folder().join("SUMMARY.md")).expect("a table of contents");
    let named = links(&summary);
    let once: BTreeSet<PathBuf> = named.iter().map(PathBuf::from).collect();
    assert_eq!(once.len(), named.len(), "a page stands twice");
    assert_eq!(once, pages());
}

#[test]
fn every_link_of_the_site_leads_to_a_page_and_a_heading() {
    let pages = pages();
    let mut seen = 0;
    for page in &pages {
        let text = text_of(page);
        for link in links(&prose(&text)) {
            if link.contains("://") {
                continue;
            }
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let mut target = page.clone();
            if !path.is_empty() {
                target.pop();
                for part in Path::new(path) {
                    let went = if part == ".." {
                        target.pop()
                    } else {
                        target.push(part);
                        true
                    };
                    assert!(went, "{page:?}: {link} leads out of the site");
                }
            }
            assert!(pages.contains(&target), "{page:?}: {link} is no page of the site");
            let there = anchor.is_empty() || anchors(&text_of(&target)).contains(anchor);
            assert!(there, "{page:?}: {link} is no heading there");
            seen += 1;
        }
    }
    assert!(seen >= 30, "{seen} links: the test sees too little");
}

#[test]
fn the_site_is_the_pages_of_the_project_and_no_copies() {
    for name in ["TUTORIAL", "PROCEDURES", "RELIABILITY", "SECURITY", "BENCHMARKS", "CHANGELOG"] {
        let page = fs::read_to_string(folder().join(format!("{name}.md"))).expect("a page");
        assert_eq!(page, format!("{{{{#include ../../{name}.md}}}}\n"));
    }
}
