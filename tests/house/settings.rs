//! Every setting that the sources read stands in the one table of them, `rollback-cli/src/settings.rs`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use test_kit::mutants::project;

/// Variables that rb gives to programs, and names that are no settings.
const NOT_READ: [&str; 6] = ["RB_BUILT_OF", "RB_CANDIDATE", "RB_HEAD", "RB_PHASE", "RB_PROCESS", "RB_RUN"];

/// The quoted names in a text that begin so.
fn named(text: &str, beginning: &str, found: &mut BTreeSet<String>) {
    for rest in text.split(&format!("\"{beginning}")).skip(1) {
        let Some((name, _)) = rest.split_once('"') else { continue };
        if !name.is_empty() && name.chars().all(|c| c.is_ascii_alphabetic() || c == '_') {
            found.insert(format!("{beginning}{name}"));
        }
    }
}

fn read(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        match path.extension() {
            None if path.is_dir() => read(&path, found),
            Some(extension) if extension == "rs" && !path.ends_with("settings.rs") => {
                let text = fs::read_to_string(&path).expect("a source");
                named(&text, "rb.", found);
                named(&text, "RB_", found);
            }
            _ => {}
        }
    }
}

#[test]
fn every_setting_of_rb_that_is_read_stands_in_the_table() {
    let mut found = BTreeSet::new();
    for sources in ["rollback-core/src", "rollback-cli/src"] {
        read(&project().join(sources), &mut found);
    }
    assert!(found.contains("rb.onConflict") && found.contains("RB_COMPAT"), "the reader reads: {found:?}");
    let table = fs::read_to_string(project().join("rollback-cli/src/settings.rs")).expect("the table");
    let missing: Vec<_> = found
        .iter()
        .filter(|name| !NOT_READ.contains(&name.as_str()) && !table.contains(&format!("\"{name}\",")))
        .collect();
    assert!(missing.is_empty(), "not in the table: {missing:?}");
}
