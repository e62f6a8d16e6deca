//! The codes of errors, as the sources define them: what lists every error is compared with these.

use std::collections::BTreeSet;
use std::fs;

use crate::mutants::project;

/// The codes of all families of `rollback_core::Error`, and of what every room can meet.
pub fn of_errors() -> BTreeSet<String> {
    let folder = project().join("rollback-core/src/error");
    let rows = fs::read_dir(folder).expect("the families of errors");
    let sources = rows.map(|row| fs::read_to_string(row.expect("a row").path()).expect("a source"));
    sources.filter_map(|source| of_source(&source)).flatten().collect()
}

/// The codes that the function `code` of this source gives. `path` counts from the top of the project.
pub fn of_file(path: &str) -> BTreeSet<String> {
    let source = fs::read_to_string(project().join(path)).expect("a source");
    of_source(&source).expect("its errors have codes")
}

fn of_source(source: &str) -> Option<BTreeSet<String>> {
    // Where codes stand beside classes, the function that gives the codes has none itself.
    let functions = ["fn code_and_class(", "fn kind(", "fn code("];
    let begin = functions.iter().find_map(|function| source.find(function))?;
    let codes = source[begin..].split_once("\n    }\n").expect("a function ends").0;
    let rows = codes.lines().filter_map(|line| Some(line.split_once("=> ")?.1));
    let rows = rows.map(|row| row.trim_start_matches("Kind::Common").trim_start_matches('('));
    let codes = rows.filter_map(|row| Some(row.strip_prefix('"')?.split_once('"')?.0.to_owned()));
    Some(codes.collect())
}
