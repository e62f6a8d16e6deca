//! The procedures that ship: each parses, is named after its file, and loses nothing of its source document.
#![expect(clippy::unwrap_used, reason = "what fails in a test says so by its line")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rollback_core::procedure::Procedure;
use rollback_core::procedure::format::Occasion;
use rollback_core::procedure::show::{Block, show};
use rollback_core::procedure::trigger::{Samples, State, evaluate};

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
fn a_procedure_is_shown_whole_and_the_template_is_sound() {
    for procedure in procedures() {
        let blocks = show(&procedure);
        let document = &procedure.document;
        let names = (document.check.iter().map(|row| &row.id)).chain(document.step.iter().map(|row| &row.id));
        for name in names.chain(document.evidence.iter().map(|row| &row.id)) {
            let is_named = |block: &Block| matches!(block, Block::Table { rows, .. } if rows.iter().any(|row| row[0] == *name));
            assert!(blocks.iter().any(is_named), "{}: {name} is not shown", procedure.id);
        }
        let has_heading = |wanted: usize, start: String| {
            blocks.iter().any(|block| {
                matches!(block, Block::Heading { level, text } if *level == wanted && text.starts_with(&start))
            })
        };
        for (name, phase) in document.phase.iter() {
            assert!(has_heading(2, format!("{name}: ")), "{}: phase {name}", procedure.id);
            for variant in phase.variants.names() {
                let is_shown = has_heading(3, format!("{name}, {variant}: "));
                assert!(is_shown, "{}: {name} {variant}", procedure.id);
            }
        }
        let page = format!("{blocks:?}");
        for row in document.trigger.iter().filter_map(|row| row.title.as_ref()) {
            assert!(page.contains(row.as_str()), "{}: {row}", procedure.id);
        }
    }
    let template = folder().join("../src/command/procedure/new.toml");
    let template = fs::read_to_string(template).unwrap().replace("@NAME@", "new");
    Procedure::parse("new.toml", template.as_bytes(), &()).unwrap_or_else(|problems| panic!("{problems}"));
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

#[test]
fn the_triggers_have_the_figures_of_the_documents() {
    let mut shown = Vec::new();
    for procedure in procedures() {
        let evaluation =
            evaluate(&procedure.document, &Samples::default(), &[], jiff::Timestamp::from_second(0).unwrap());
        for trigger in evaluation.triggers.iter().filter(|trigger| trigger.state != State::Manual) {
            shown.push(format!("{}: {}", procedure.id, trigger.condition));
        }
    }
    assert_eq!(
        shown,
        [
            "hal9: error_rate > 0.1% for 2m",
            "hal9: latency_p99 > 50ms for 5m",
            "hal9: latency_p50 > 15ms for 5m",
            "hal9: health_failed >= 1 4 times in a row",
            "hal9: memory > 95%",
            "hal9: cpu > 95% for 5m",
            "matriz: validation_drift > 15%",
            "mdm: checksum_mismatches > 0",
            "mdm: storage_down > 0 for 5m",
            "mdm: memory > 90% for 10m",
            "mdm: error_rate > 25% for 5m",
            "mdm: critical_services_down > 0 for 2m",
            "wp5: perf_delta > 5%",
            "wp5: baseline_bytes > 1GB",
            "wp5: migration_failures > 10%",
            "wp5: ci_false_positives > 50%",
            "wp5: ci_minutes > 30m",
            "wp5: pr_slowdown > 2x",
            "wp5: type_ignores > 100",
            "wp5: perf_delta > 5%",
            "wp5: event_slowdown > 10%",
            "wp5: import_violations > 50",
            "wp5: ci_added > 5m",
        ]
    );
}

#[test]
fn the_decision_matrices_are_those_of_the_documents() {
    let mut shown = Vec::new();
    for procedure in procedures() {
        for row in &procedure.document.decision {
            let within = row.within.map_or(String::new(), |within| within.to_string());
            let eta = row.eta.map_or(String::new(), |eta| eta.to_string());
            shown.push(format!(
                "{} {}|{}|{}|{}|{within}{eta}",
                procedure.id,
                row.id,
                row.severity.as_deref().unwrap_or("-"),
                row.phases.join("+"),
                row.authority.join("+"),
            ));
        }
    }
    assert_eq!(
        shown,
        [
            "hal9 errors-1|emergency|emergency|operator|0s",
            "hal9 errors-0.1|full|full|operator|2m",
            "hal9 p99-100|emergency|emergency|operator|0s",
            "hal9 p99-50|full|full|operator|5m",
            "hal9 inconsistency|emergency|emergency+state-migration|lead+manager|0s",
            "hal9 complaints|gradual|canary|lead|10m",
            "hal9 degradation|partial|ramp-up|team|15m",
            "matriz p0-imports|P0|shim|sre|0s15m..30m",
            "matriz p0-outage|P0|shim|sre|0s15m..30m",
            "matriz p1-imports|P1|shim|sre|1h15m..30m",
            "matriz p1-degraded|P1|shim|sre|1h15m..30m",
            "matriz ask-commander|P2|shim|incident-commander|",
            "matriz p2-minor|P2|shim|sre|",
            "mdm test-failures|medium|1||5m..10m",
            "mdm configuration-errors|low-medium|3||10m..15m",
            "mdm data-corruption|critical|4||30m..1h",
            "mdm performance|high|4+5||20m..30m",
            "mdm registration-failures|high|6||15m..20m",
            "mdm system-failure|critical|full||1h..1h30m",
            "wp5 phase-0|low|0||15m",
            "wp5 phase-1.1|high|1.1||30m",
            "wp5 phase-1.2|medium|1.2||15m",
            "wp5 phase-2.1|medium|2.1||30m",
            "wp5 phase-2.2|low|2.2||10m",
            "wp5 phase-3.1|high|3.1||1h",
            "wp5 phase-3.2|medium|3.2||45m",
            "wp5 phase-4.1|low|4.1||15m",
            "wp5 phase-5|very-low|5||10m",
            "wp5 everything|critical|emergency|maintainer|2h",
        ]
    );
}

#[test]
fn every_phase_can_be_prepared_with_every_variant() {
    let mut prepared = Vec::new();
    for procedure in procedures() {
        for (name, phase) in procedure.document.phase.iter() {
            let whole = procedure.phase(name, None).unwrap();
            assert!(
                whole.says_what_to_change() || !whole.before.is_empty(),
                "{}: {name} does nothing",
                procedure.id
            );
            prepared.push(format!("{} {name}", procedure.id));
            for variant in phase.variants.names() {
                let varied = procedure.phase(name, Some(variant)).unwrap();
                assert_ne!(varied, whole, "{}: {name} {variant} changes nothing", procedure.id);
                assert!(
                    varied.says_what_to_change() || !varied.before.is_empty(),
                    "{}: {name} {variant}",
                    procedure.id
                );
                prepared.push(format!("{} {name} {variant}", procedure.id));
            }
        }
    }
    assert_eq!(prepared.len(), 11 + 1 + 14 + 21, "{prepared:#?}");
}

#[test]
fn what_people_are_told_and_asked_is_complete() {
    for procedure in procedures() {
        let document = &procedure.document;
        let on = |occasion| document.message.iter().any(|message| message.on == occasion);
        assert!(on(Occasion::Initiated) && on(Occasion::Complete), "{}", procedure.id);
        assert!(document.followup.iter().all(|followup| followup.due.is_some()), "{}", procedure.id);
        assert!(
            document.meta.is_some() && document.title.is_some() && document.purpose.is_some(),
            "{}",
            procedure.id
        );
    }
    let due: Vec<_> =
        procedures()[1].document.followup.iter().map(|row| row.due.unwrap().to_string()).collect();
    assert_eq!(due, ["15m", "15m", "15m", "1h", "1h", "1h", "1d", "1d", "1d"]);
    let every = |procedure: &Procedure| {
        procedure
            .document
            .message
            .iter()
            .find(|row| row.on == Occasion::Initiated)
            .unwrap()
            .every
            .map(|every| every.to_string())
    };
    assert_eq!(every(&procedures()[0]).as_deref(), Some("15m"));
    assert_eq!(every(&procedures()[1]).as_deref(), Some("15m"));
}

/// A row of COVERAGE.md: the document or design section it is under, the line, the keys, the test.
struct Row {
    document: String,
    procedure: String,
    line: Option<usize>,
    what: String,
    keys: Vec<String>,
    test: String,
}

fn coverage() -> Vec<Row> {
    let text = fs::read_to_string(folder().join("COVERAGE.md")).unwrap();
    let mut rows = Vec::new();
    let (mut document, mut procedure) = (String::new(), String::new());
    for line in text.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            let (name, file) = heading.split_once(": `").unwrap();
            (document, procedure) =
                (name.to_owned(), file.trim_end_matches("`").trim_end_matches(".toml").to_owned());
            continue;
        }
        let cells: Vec<&str> = line.split(" | ").map(|cell| cell.trim_matches(['|', ' '])).collect();
        let [place, what, .., test] = cells.as_slice() else { continue };
        if *place == "line" || *place == "section" || place.starts_with("---") || place.starts_with("|-") {
            continue;
        }
        let ticked =
            |cell: &str| cell.split('`').skip(1).step_by(2).map(ToOwned::to_owned).collect::<Vec<_>>();
        rows.push(Row {
            document: document.clone(),
            procedure: procedure.clone(),
            line: place.parse().ok(),
            what: (*what).to_owned(),
            keys: ticked(cells[2]),
            test: ticked(test).first().cloned().unwrap_or_default(),
        });
    }
    rows
}

/// Whether the procedure has what a key of COVERAGE.md names.
fn exists(procedure: &Procedure, key: &str) -> bool {
    let document = serde_json::to_value(&procedure.document).unwrap();
    let Some((kind, name)) = key.split_once(':') else {
        return key
            .split('.')
            .try_fold(&document, |at, part| at.get(part))
            .is_some_and(|found| !found.is_null());
    };
    if kind != "phase" && kind != "group" {
        let named = document[kind].get(name).is_some();
        return named
            || document[kind].as_array().is_some_and(|rows| rows.iter().any(|row| row["id"] == name));
    }
    let table = &document[kind];
    if let Some((name, rung)) = name.split_once("/ladder/") {
        let rung: usize = rung.parse().unwrap();
        return table[name]["ladder"].get(rung - 1).is_some();
    }
    if table.get(name).is_some() {
        return true;
    }
    if let Some((name, variant)) = name.split_once(':') {
        return table[name]["variant"].get(variant).is_some();
    }
    name.rsplit_once('.').is_some_and(|(name, key)| table[name].get(key).is_some())
}

#[test]
fn the_coverage_names_only_what_exists() {
    let procedures = procedures();
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut tests = String::new();
    for file in ["builtin", "checks", "format", "triggers"] {
        let text = fs::read_to_string(here.join(format!("../tests/core/procedure_{file}.rs"))).unwrap();
        tests.push_str(&text.replace("fn ", &format!("fn procedure_{file}::")));
    }
    for entry in fs::read_dir(here.join("../tests/core/procedure_run")).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        tests.push_str(&text.replace("fn ", "fn procedure_run::"));
    }
    for format in ["toml", "yaml", "json"] {
        let text = fs::read_to_string(here.join(format!("src/procedure/set/{format}.rs"))).unwrap();
        tests.push_str(&text.replace("fn ", &format!("fn procedure::set::{format}::")));
    }
    let rows = coverage();
    assert!(rows.len() > 340, "{}", rows.len());
    for row in rows {
        let procedure = procedures.iter().find(|procedure| procedure.id == row.procedure).unwrap();
        let place = format!("{} {:?} {}", row.document, row.line, row.what);
        assert!(!row.keys.is_empty(), "{place}: no key");
        for key in &row.keys {
            assert!(exists(procedure, key), "{place}: {key} does not exist");
        }
        assert!(tests.contains(&format!("fn {}(", row.test)), "{place}: there is no test {}", row.test);
    }
}

/// The lines of headings, table rows and code blocks of a Markdown document.
fn items(text: &str) -> Vec<usize> {
    let mut lines = Vec::new();
    let mut fenced = false;
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.starts_with("```") {
            if !fenced {
                lines.push(at + 1);
            }
            fenced = !fenced;
        } else if !fenced {
            let rule = line.chars().all(|c| "|-: ".contains(c));
            let heading = line.starts_with('#') && line.trim_start_matches('#').starts_with(' ');
            if heading || line.starts_with('|') && !rule {
                lines.push(at + 1);
            }
        }
    }
    lines
}

#[test]
fn the_coverage_leaves_nothing_of_the_documents_out() {
    let Ok(seeds) = std::env::var("RB_SEEDS") else { return };
    let rows = coverage();
    for entry in fs::read_dir(seeds).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let missing: Vec<_> = items(&fs::read_to_string(&path).unwrap())
            .into_iter()
            .filter(|line| !rows.iter().any(|row| row.document == name && row.line == Some(*line)))
            .collect();
        assert!(missing.is_empty(), "{name}: {missing:?}");
    }
}

/// Keys that are words for people: they are shown, and nothing acts on them.
const WORDS: &[&str] = &[
    "advice",
    "avoid",
    "branches",
    "causes",
    "changes",
    "confidence",
    "contact",
    "created",
    "criticality",
    "date",
    "estimate",
    "eta",
    "instead",
    "last_tested",
    "links",
    "meta",
    "never",
    "next_review",
    "note",
    "notes",
    "owner",
    "policy",
    "principles",
    "priority",
    "purpose",
    "risk",
    "signoff",
    "solution",
    "symptom",
    "then",
    "updated",
    "validation",
    "version",
    "watch",
];

/// A key that the parser takes and nobody reads would be a promise without a deed. The sources are searched, which finds
/// keys with a name of their own; those that share one with another key are shown by the tests of COVERAGE.md.
#[test]
fn every_key_of_the_format_is_acted_on_or_shown() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/procedure");
    let mut acting = String::new();
    for folder in ["engine", "check", "trigger"] {
        for entry in fs::read_dir(here.join(folder)).unwrap() {
            acting.push_str(&fs::read_to_string(entry.unwrap().path()).unwrap());
        }
    }
    for file in ["input.rs", "format/source.rs", "format/mod.rs", "format/phase.rs", "format/shape.rs"] {
        let text = fs::read_to_string(here.join(file)).unwrap();
        // Declarations are no deeds.
        acting.extend(
            text.lines()
                .filter(|line| !line.trim_start().starts_with("pub "))
                .map(|line| format!("{line}\n")),
        );
    }
    let shown = fs::read_to_string(here.join("show.rs")).unwrap();
    let reads = |text: &str, key: &str| {
        let field = match key {
            "for" => "lasting",
            "use" | "type" => "kind",
            "variant" => "variants",
            other => other,
        };
        text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == field)
    };
    let schema = serde_json::to_value(Procedure::json_schema()).unwrap();
    let mut keys = BTreeSet::new();
    let rows = schema["$defs"].as_object().unwrap().values().chain([&schema]);
    for properties in rows.filter_map(|row| row["properties"].as_object()) {
        keys.extend(properties.keys().map(String::as_str));
    }
    assert!(keys.len() > 150, "{}", keys.len());
    let missing: Vec<_> = keys
        .into_iter()
        .filter(|key| match WORDS.contains(key) {
            true => !reads(&shown, key),
            false => !reads(&acting, key),
        })
        .collect();
    assert_eq!(missing, [""; 0], "the parser takes these and nothing reads them");
}
