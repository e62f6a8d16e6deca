//! Placeholders: each names something that a run will know.

use serde_json::Value;

use super::{Index, Kind, Report};
use crate::procedure::format::source::Step;
use crate::procedure::placeholder::{Placeholder, placeholders};

/// What can stand after each namespace; `None` where the names are declared by the procedure.
const KNOWN: &[(&str, Option<&[&str]>)] = &[
    ("input", None),
    ("check", None),
    ("secret", None),
    (
        "run",
        Some(&[
            "id", "started", "finished", "duration", "minutes", "operator", "reason", "status", "results",
            "evidence", "timeline",
        ]),
    ),
    ("date", Some(&["iso", "compact", "stamp", "time"])),
    ("phase", Some(&["id", "title", "rto", "severity"])),
    ("target", Some(&["commit", "short", "subject", "path", "parent"])),
    ("source", Some(&["commit", "short"])),
    ("result", Some(&["commit", "short", "branch", "strategy", "tree"])),
    ("tip", Some(&["commit", "short", "branch"])),
    ("trigger", Some(&["id", "text"])),
    ("each", Some(&["value"])),
    ("candidate", Some(&["folder"])),
    ("procedure", Some(&["id", "title"])),
];

/// What of a check can be told.
const OF_A_CHECK: &[&str] = &["outcome", "expected", "found"];

pub(super) fn check(report: &mut Report<'_>, index: &Index<'_>) {
    let document = serde_json::to_value(report.document()).unwrap_or_default();
    walk(report, index, &mut Vec::new(), &document);
}

/// The document as it is written leads to the same ways as the file.
fn walk(report: &mut Report<'_>, index: &Index<'_>, way: &mut Vec<Step>, value: &Value) {
    match value {
        Value::String(text) => {
            for found in placeholders(text) {
                one(report, index, way, found);
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                way.push(Step::from(at));
                walk(report, index, way, item);
                way.pop();
            }
        }
        Value::Object(members) => {
            for (key, member) in members {
                way.push(Step::from(key.as_str()));
                for found in placeholders(key) {
                    one(report, index, way, found);
                }
                walk(report, index, way, member);
                way.pop();
            }
        }
        _ => {}
    }
}

fn one(report: &mut Report<'_>, index: &Index<'_>, way: &[Step], found: Placeholder<'_>) {
    let namespaces: Vec<&str> = KNOWN.iter().map(|(namespace, _)| *namespace).collect();
    let Some((_, names)) = KNOWN.iter().find(|(namespace, _)| *namespace == found.namespace) else {
        return report.unknown("placeholder", "unknown-placeholder", way, found.namespace, &namespaces);
    };
    match (found.namespace, names) {
        (_, Some(names)) if !names.contains(&found.name) => {
            report.unknown(
                &format!("'{}' placeholder", found.namespace),
                "unknown-placeholder",
                way,
                found.name,
                names,
            );
        }
        ("input", _) if !index.has(Kind::Input, found.name) => {
            report.unknown("input", "unknown-input", way, found.name, &index.names(Kind::Input));
        }
        ("secret", _) if way.last() != Some(&Step::from("stdin")) => {
            report.add(
                "exposed-secret",
                way,
                format!("{found} can stand in 'stdin' only: arguments and texts are seen by others"),
            );
        }
        ("secret", _) if !declares_secret(report, way, found.name) => {
            report.add(
                "unknown-secret",
                way,
                format!("the secret '{}' is not in the step's 'secrets'", found.name),
            );
        }
        ("check", _) => {
            let (check, what) = found.name.rsplit_once('.').unwrap_or((found.name, ""));
            if !index.has(Kind::Check, check) {
                report.unknown("check", "unknown-check", way, check, &index.names(Kind::Check));
            } else if !OF_A_CHECK.contains(&what) {
                report.unknown("'check' placeholder", "unknown-placeholder", way, what, OF_A_CHECK);
            }
        }
        _ => {}
    }
}

fn declares_secret(report: &Report<'_>, way: &[Step], name: &str) -> bool {
    let [Step::Key(list), Step::Index(at), _] = way else { return false };
    let steps = &report.document().step;
    list == "step" && steps.get(*at).is_some_and(|step| step.secrets.iter().any(|secret| secret == name))
}
