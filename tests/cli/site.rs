//! The pages of the documentation site that are made: what they type is run, and the runbooks are what rb prints of them.
//!
//! `RB_BLESS=1 cargo test --workspace --test cli site` writes them again.
#![cfg(unix)]

use test_kit::page::hold;
use test_kit::{Sandbox, mutants};

use crate::kit::{done, rb};
use crate::tutorial::hold_to_a_run;

#[test]
fn the_pages_of_the_site_print_what_they_say() {
    for page in ["commit", "merge", "file", "release", "bisect", "conflict", "lost"] {
        hold_to_a_run(&format!("docs/src/howto/{page}.md"));
    }
    hold_to_a_run("docs/src/comparison.md");
    hold_to_a_run("docs/src/faq.md");
}

#[test]
fn every_page_that_types_commands_is_run() {
    let folder = mutants::project().join("docs/src/howto");
    assert_eq!(std::fs::read_dir(folder).expect("a folder").count(), 7, "add the page above");
}

#[test]
fn the_runbooks_of_the_site_are_what_rb_shows() {
    let folder = Sandbox::folder();
    for name in ["matriz", "wp5", "mdm", "hal9"] {
        let shown = done(rb(&folder, &["procedure", "show", name, "--markdown"]));
        hold(&format!("docs/src/runbooks/{name}.md"), &shown.stdout, str::to_owned);
    }
}
