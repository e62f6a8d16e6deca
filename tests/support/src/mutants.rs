//! Planted faults: data that says what is taken away from the sources, and which tests must notice.
//!
//! All of them go into one copy of the sources, each behind a question to the environment, so that one build serves for
//! all. The sources themselves know nothing of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// The variable that names the fault that is planted.
pub const VARIABLE: &str = "RB_MUTANT";

/// A fault.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mutant {
    /// What is wrong then.
    pub name: String,
    /// The file of the project it goes into.
    pub file: PathBuf,
    /// The text that is taken away: whole statements, or an expression.
    pub find: String,
    /// What stands in for it.
    pub replace: Option<String>,
    /// The whole text that takes its place, in which `PLANTED` asks whether the fault is planted.
    pub instead: Option<String>,
    /// The tests of the library that must notice, as filters.
    pub tests: Vec<String>,
}

#[derive(Deserialize)]
struct Table {
    mutant: Vec<Mutant>,
}

/// The top level of the project.
pub fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the project is there")
}

/// All faults, in the order of the file.
pub fn all() -> Vec<Mutant> {
    let path = project().join("tests/suites/mutants.toml");
    let text = std::fs::read_to_string(path).expect("the list of faults");
    let table: Table = toml_edit::de::from_str(&text).expect("a list of faults");
    table.mutant
}

impl Mutant {
    /// The text that takes the place of what is found.
    pub fn text(&self) -> String {
        let planted = format!("crate::mutant::on({:?})", self.name);
        match (&self.instead, &self.replace) {
            (Some(instead), _) => instead.replace("PLANTED", &planted),
            (None, replace) => {
                let replace = replace.as_deref().unwrap_or_default();
                format!("if {planted} {{ {replace} }} else {{ {} }}", self.find)
            }
        }
    }
}

/// The text of every file that gets faults, with all of them in it.
///
/// # Errors
/// One line for each fault that does not fit the sources any more.
pub fn planted(root: &Path, mutants: &[Mutant]) -> Result<BTreeMap<PathBuf, String>, Vec<String>> {
    let (mut files, mut errors) = (BTreeMap::<PathBuf, String>::new(), Vec::new());
    for mutant in mutants {
        let original = std::fs::read_to_string(root.join(&mutant.file)).unwrap_or_default();
        let count = original.matches(&mutant.find).count();
        if count != 1 {
            errors.push(format!("{}: found {count} times in {}", mutant.name, mutant.file.display()));
            continue;
        }
        let text = files.entry(mutant.file.clone()).or_insert(original);
        if !text.contains(&mutant.find) {
            errors.push(format!("{}: another fault has taken its place", mutant.name));
            continue;
        }
        *text = text.replacen(&mutant.find, &mutant.text(), 1);
    }
    if errors.is_empty() { Ok(files) } else { Err(errors) }
}
