//! The procedures that ship: each parses, is named after its file, and loses nothing of its source document.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rollback_core::procedure::Procedure;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../rollback-cli/procedures")
}

fn procedures() -> Vec<Procedure> {
    let mut files: Vec<_> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    files.sort();
    files
        .iter()
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            Procedure::parse(name, &fs::read(path).unwrap(), &folder())
                .unwrap_or_else(|problems| panic!("{problems}"))
        })
        .collect()
}

#[test]
fn every_procedure_parses_and_is_named_after_its_file() {
    let names: Vec<_> = procedures().iter().map(|procedure| procedure.files[0].0.clone()).collect();
    assert_eq!(names, ["hal9.toml", "matriz.toml", "mdm.toml", "wp5.toml"]);
}

#[test]
fn every_check_step_evidence_and_report_is_used() {
    for procedure in procedures() {
        let document = serde_json::to_value(&procedure.document).unwrap();
        let mut used = BTreeSet::new();
        names_in(&document, &mut used);
        let declared = [
            ("check", procedure.document.check.iter().map(|row| &row.id).collect::<Vec<_>>()),
            ("step", procedure.document.step.iter().map(|row| &row.id).collect()),
            ("evidence", procedure.document.evidence.iter().map(|row| &row.id).collect()),
        ];
        for (kind, ids) in declared {
            for id in ids {
                assert!(used.contains(id.as_str()), "{}: nothing uses the {kind} '{id}'", procedure.id);
            }
        }
    }
}

/// Every text that stands in a list or under a key other than `id`.
fn names_in<'a>(value: &'a serde_json::Value, names: &mut BTreeSet<&'a str>) {
    match value {
        serde_json::Value::String(text) => {
            names.insert(text);
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| names_in(item, names)),
        serde_json::Value::Object(members) => {
            members.iter().filter(|(key, _)| *key != "id").for_each(|(_, member)| names_in(member, names));
        }
        _ => {}
    }
}

#[test]
fn every_program_of_the_outside_world_is_declared_as_such() {
    let own = ["git", "grep"];
    for procedure in procedures() {
        let document = &procedure.document;
        let rows = (document.check.iter().map(|row| (&row.id, &row.run, &row.outside)))
            .chain(document.step.iter().map(|row| (&row.id, &row.run, &row.outside)))
            .chain(document.evidence.iter().map(|row| (&row.id, &row.run, &row.outside)));
        for (id, run, outside) in rows {
            let Some(program) = run.first() else { continue };
            if own.contains(&program.as_str()) {
                continue;
            }
            let declared = outside
                .as_deref()
                .unwrap_or_else(|| panic!("{}: {id} does not say what it needs", procedure.id));
            assert_eq!(program.trim_start_matches("./"), declared, "{}: {id}", procedure.id);
        }
    }
}
