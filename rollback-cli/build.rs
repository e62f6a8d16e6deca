//! Lists what travels inside the program: each `demos/NAME.toml` with its history of `fixtures`, the programs of
//! `demos/programs`, and each `procedures/NAME.toml`. Says what it was built of.

use std::error::Error;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let here = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let demos = here.join("demos");
    let fixtures = here.join("fixtures").canonicalize()?;
    println!("cargo::rerun-if-changed={}", demos.display());
    let mut table = String::from("&[\n");
    for script in scripts(&demos)? {
        let text = fs::read_to_string(&script)?;
        let name = script.file_stem().and_then(|name| name.to_str()).ok_or("a demo needs a name in UTF-8")?;
        // A demo plays in the history of its own name, unless it says another.
        let other = text.lines().find_map(|line| line.strip_prefix("history = \"")?.strip_suffix('"'));
        let history = fixtures.join(format!("{}.fi", other.unwrap_or(name)));
        println!("cargo::rerun-if-changed={}", history.display());
        // The debug format of a path is a string literal of Rust, whatever stands in the path.
        writeln!(table, "    ({name:?}, include_str!({script:?}), include_bytes!({history:?})),")?;
    }
    table.push(']');
    let out = env::var("OUT_DIR")?;
    fs::write(Path::new(&out).join("demos.rs"), table)?;
    fs::write(Path::new(&out).join("programs.rs"), programs(&demos.join("programs"))?)?;
    fs::write(Path::new(&out).join("procedures.rs"), procedures(&here.join("procedures"))?)?;
    println!("cargo::rustc-env=RB_BUILT_OF={}", built_of(&here));
    Ok(())
}

/// The version of the object library, and the commit as a release build is told it (`RB_COMMIT`).
fn built_of(here: &Path) -> String {
    println!("cargo::rerun-if-env-changed=RB_COMMIT");
    let locks = [here.join("Cargo.lock"), here.join("../Cargo.lock")];
    let lock = locks.iter().find_map(|lock| fs::read_to_string(lock).ok()).unwrap_or_default();
    let version = lock.split("name = \"gix\"\nversion = \"").nth(1).and_then(|rest| rest.split('"').next());
    let library = version.map(|version| format!("gix {version}"));
    env::var("RB_COMMIT").ok().into_iter().chain(library).collect::<Vec<_>>().join(", ")
}

/// The programs that stand in for those of the outside world, by name.
fn programs(folder: &Path) -> Result<String, Box<dyn Error>> {
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|row| row.map(|row| row.path())).collect::<Result<_, _>>()?;
    files.sort();
    let mut table = String::from("&[\n");
    for file in files {
        println!("cargo::rerun-if-changed={}", file.display());
        let name =
            file.file_name().and_then(|name| name.to_str()).ok_or("a program needs a name in UTF-8")?;
        writeln!(table, "    ({name:?}, include_str!({file:?})),")?;
    }
    table.push(']');
    Ok(table)
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
