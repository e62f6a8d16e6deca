//! Lists what travels inside the program: each `demos/NAME.toml` with the history `fixtures/NAME.fi`, and each
//! `procedures/NAME.toml`.

use std::error::Error;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let here = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let demos = here.join("demos");
    let fixtures = here.join("../fixtures").canonicalize()?;
    println!("cargo::rerun-if-changed={}", demos.display());
    let mut table = String::from("&[\n");
    for script in scripts(&demos)? {
        let name = script.file_stem().and_then(|name| name.to_str()).ok_or("a demo needs a name in UTF-8")?;
        let history = fixtures.join(format!("{name}.fi"));
        println!("cargo::rerun-if-changed={}", history.display());
        // The debug format of a path is a string literal of Rust, whatever stands in the path.
        writeln!(table, "    ({name:?}, include_str!({script:?}), include_bytes!({history:?})),")?;
    }
    table.push(']');
    let out = env::var("OUT_DIR")?;
    fs::write(Path::new(&out).join("demos.rs"), table)?;
    fs::write(Path::new(&out).join("procedures.rs"), procedures(&here.join("procedures"))?)?;
    Ok(())
}

/// File names and texts, so that no procedure's name stands in the program.
fn procedures(folder: &Path) -> Result<String, Box<dyn Error>> {
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut table = String::from("&[\n");
    for procedure in scripts(folder)? {
        println!("cargo::rerun-if-changed={}", procedure.display());
        let name = procedure
            .file_name()
            .and_then(|name| name.to_str())
            .ok_or("a procedure needs a name in UTF-8")?;
        writeln!(table, "    ({name:?}, include_str!({procedure:?})),")?;
    }
    table.push(']');
    Ok(table)
}

fn scripts(folder: &Path) -> Result<Vec<PathBuf>, std::io::Error> {
    let mut scripts = Vec::new();
    for row in fs::read_dir(folder)? {
        let path = row?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            scripts.push(path);
        }
    }
    scripts.sort();
    Ok(scripts)
}
