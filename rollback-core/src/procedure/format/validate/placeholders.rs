//! Placeholders: each names something that a run will know.

use super::{Index, Kind, Report};
use crate::procedure::format::source::Step;
use crate::procedure::format::texts::each_text;
use crate::procedure::placeholder::{Placeholder, Unknown, Word, placeholders};

pub(super) fn check(report: &mut Report<'_>, index: &Index<'_>) {
    let part = report.part;
    each_text(&part.value, &mut Vec::new(), &mut |way, text| {
        placeholders(text.text()).for_each(|found| one(report, index, way, found));
    });
}

fn one(report: &mut Report<'_>, index: &Index<'_>, way: &[Step], found: Placeholder<'_>) {
    let code = "unknown-placeholder";
    match found.word() {
        Err(Unknown::Namespace(known)) => report.unknown("placeholder", code, way, found.namespace, &known),
        Err(Unknown::Name(name, known)) => {
            // A check that is not there is the mistake that was made first.
            let check = found.name.rsplit_once('.').map_or(found.name, |(check, _)| check);
            if found.namespace == "check" && !index.has(Kind::Check, check) {
                return report.unknown("check", "unknown-check", way, check, &index.names(Kind::Check));
            }
            report.unknown(&format!("'{}' placeholder", found.namespace), code, way, name, &known);
        }
        Ok(Word::Input(name)) if !index.has(Kind::Input, name) => {
            report.unknown("input", "unknown-input", way, name, &index.names(Kind::Input));
        }
        Ok(Word::Check(name, _)) if !index.has(Kind::Check, name) => {
            report.unknown("check", "unknown-check", way, name, &index.names(Kind::Check));
        }
        Ok(Word::Secret(_)) if way.last() != Some(&Step::from("stdin")) => {
            let why = "can stand in 'stdin' only: arguments and texts are seen by others";
            report.add("exposed-secret", way, format!("{found} {why}"));
        }
        Ok(Word::Secret(name)) if !declares_secret(report, way, name) => {
            let message = format!("the secret '{name}' is not in the step's 'secrets'");
            report.add("unknown-secret", way, message);
        }
        Ok(_) => {}
    }
}

fn declares_secret(report: &Report<'_>, way: &[Step], name: &str) -> bool {
    let [Step::Key(list), Step::Index(at), _] = way else { return false };
    let steps = &report.document().step;
    list == "step" && steps.get(*at).is_some_and(|step| step.secrets.iter().any(|secret| secret == name))
}
