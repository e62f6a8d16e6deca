//! The layers of the house: ARCHITECTURE.md has the table, and every import of both crates points down in it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use test_kit::mutants::project;

/// The layer of each room of a crate, counted from the bottom.
type Layers = BTreeMap<String, usize>;

/// Reads the table below the heading "## Layers": in a row the number, the rooms of the library, those of the CLI.
fn layers(page: &str, column: usize) -> Layers {
    let table = page.split("\n## Layers\n").nth(1).expect("the page has the table");
    let table = table.split("\n## ").next().unwrap_or_default();
    let mut layers = Layers::new();
    for row in table.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| layer")) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let number = cells[0].parse().unwrap_or_else(|_| panic!("no number: {row}"));
        for room in cells[column].split(' ').filter(|room| !room.is_empty()) {
            assert!(layers.insert(room.to_owned(), number).is_none(), "{room} stands in two rows");
        }
    }
    layers
}

/// The code of a source file: no comments, and nothing from its tests on.
fn code(text: &str) -> String {
    let text = text.split("\n#[cfg(test)]\nmod ").next().unwrap_or_default();
    let text = text.split("\n#[cfg(all(test, unix))]\nmod ").next().unwrap_or_default();
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The first names of what stands behind a path: one, or those of a group in braces.
fn first_names(rest: &str) -> Vec<String> {
    let name = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let Some(group) = rest.strip_prefix('{') else { return vec![name(rest)] };
    let (mut depth, mut items, mut item) = (0, Vec::new(), String::new());
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => items.push(std::mem::take(&mut item)),
            _ => item.push(c),
        }
    }
    items.push(item);
    items.iter().map(|item| name(item.trim())).collect()
}

/// The rooms that a file names. `depth` is how many `super::` lead from it to the root of the crate.
fn rooms_named(code: &str, depth: usize) -> Vec<String> {
    let to_root = "super::".repeat(depth);
    let mut named = Vec::new();
    for path in ["crate::", to_root.as_str()] {
        for (at, _) in code.match_indices(path) {
            let before = code[..at].chars().next_back().unwrap_or(' ');
            if !before.is_alphanumeric() && !matches!(before, '_' | ':' | '$') {
                named.extend(first_names(&code[at + path.len()..]));
            }
        }
    }
    named
}

/// What is wrong with the imports of a file.
fn mistakes(file: &str, text: &str, layers: &Layers) -> Vec<String> {
    let parts: Vec<&str> = file.trim_end_matches(".rs").split('/').collect();
    let depth = parts.len() - usize::from(parts.last() == Some(&"mod"));
    let Some(own) = layers.get(parts[0]) else { return vec![format!("{file}: no layer for '{}'", parts[0])] };
    let named = rooms_named(&code(text), depth).into_iter().filter(|room| room != parts[0]);
    let upward = named.filter(|room| layers.get(room).is_some_and(|layer| layer >= own));
    upward.map(|room| format!("{file} of layer {own} uses '{room}' of layer {}", layers[&room])).collect()
}

fn check(folder: &Path, below: &str, layers: &Layers, found: &mut Vec<String>) -> usize {
    let mut files = 0;
    for row in fs::read_dir(folder).expect("a folder of the project") {
        let path = row.expect("a row").path();
        let name = format!("{below}{}", path.file_name().expect("a name").to_string_lossy());
        if path.is_dir() {
            if name != "tests" && !name.ends_with("/tests") {
                files += check(&path, &format!("{name}/"), layers, found);
            }
        } else if name.ends_with(".rs") && !name.ends_with("tests.rs") && name != "lib.rs" {
            found.extend(mistakes(&name, &fs::read_to_string(&path).expect("a source file"), layers));
            files += 1;
        }
    }
    files
}

#[test]
fn every_import_points_down_in_the_table_of_layers() {
    let page = fs::read_to_string(project().join("ARCHITECTURE.md")).expect("the page");
    let mut found = Vec::new();
    for (column, crate_folder) in [(1, "rollback-core/src"), (2, "rollback-cli/src")] {
        let layers = layers(&page, column);
        let files = check(&project().join(crate_folder), "", &layers, &mut found);
        assert!(files > 50, "{crate_folder}: {files} files");
        for room in layers.keys() {
            let folder = project().join(crate_folder);
            let exists = folder.join(room).is_dir() || folder.join(format!("{room}.rs")).is_file();
            assert!(exists, "the table names '{room}', which is not in {crate_folder}");
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn an_import_that_points_up_is_found_however_it_is_spelled() {
    let layers: Layers =
        [("path", 0), ("repo", 1), ("plan", 2)].map(|(room, at)| (room.to_owned(), at)).into();
    let upward = ["repo/refs.rs of layer 1 uses 'plan' of layer 2"];
    for planted in [
        "use crate::plan::Plan;",
        "use crate::{path::{RepoPath, Rename}, plan};",
        "use super::super::plan::Plan;",
        "fn of(plan: &crate::plan::Plan) {}",
    ] {
        assert_eq!(mistakes("repo/refs.rs", planted, &layers), upward, "{planted}");
    }
    assert_eq!(mistakes("repo.rs", "use super::plan::Plan;", &layers).len(), 1);
    for fine in [
        "use crate::path::RepoPath;",
        "use crate::repo::index::Index;",
        "use super::plan;",
        "// use crate::plan::Plan;",
        "fn x() {}\n#[cfg(test)]\nmod tests {\n    use crate::plan::Plan;\n}",
    ] {
        assert_eq!(mistakes("repo/refs.rs", fine, &layers), [""; 0], "{fine}");
    }
    assert_eq!(mistakes("new.rs", "", &layers), ["new.rs: no layer for 'new'"]);
}
