//! Names: declared once, and declared at all where they are used.

use std::collections::{BTreeMap, HashSet};

use super::{Index, Kind, Problem, Report};
use crate::procedure::format::limits;
use crate::procedure::format::source::{Part, Step, way};
use crate::procedure::format::texts::{Text, each_text};

/// Refuses a name that an earlier line or file has declared, and one that cannot be typed.
pub(super) fn unique(report: &mut Report<'_>, index: &Index<'_>, part: usize) {
    for (kind, declared) in &index.declared {
        for this in declared.iter().filter(|this| this.part == part) {
            if this.again {
                let message = format!("the {} '{}' is declared twice", kind.word(), this.name);
                report.add("duplicate-id", &this.way, message);
            }
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            if this.name.is_empty() || !this.name.chars().all(plain) || this.name.starts_with(['-', '.']) {
                let message = format!("'{}' is not a name: use letters, digits, '-', '_' and '.'", this.name);
                report.add("bad-id", &this.way, message);
            }
        }
    }
}

/// Where names stand: the ways whose texts are names of a kind, separated by blanks; `*` is any key, or any place in a
/// list.
const OF_THE_WHOLE: [(Kind, &str); 13] = [
    (Kind::Role, "authority.* publish.approval step.*.approval decision.*.authority.*"),
    (Kind::Phase, "default_phase backup.phases.* precheck.*.phases.* trigger.*.phase decision.*.phases.*"),
    (Kind::Phase, "group.*.phases.*"),
    (Kind::Step, "backup.step retry.steps.* soak.steps.* precheck.*.step step.*.needs.* followup.*.step"),
    (Kind::Step, "group.*.steps.*"),
    (Kind::Check, "backup.verify success.all.* undo.validate.* publish.verify.* soak.checks.*"),
    (Kind::Check, "precheck.*.check step.*.unless followup.*.checks.* group.*.checks.*"),
    (Kind::Input, "precheck.*.input"),
    (Kind::Metric, "trigger.*.metric severity.*.any.*.metric decision.*.when.*.metric check.*.metric"),
    (Kind::Severity, "trigger.*.severity decision.*.severity"),
    (Kind::Trigger, "decision.*.triggers.*"),
    (Kind::Message, "step.*.message"),
    (Kind::Evidence, "group.*.evidence.*"),
];

/// The same within a phase and within a variant of one.
const OF_A_PHASE: [(Kind, &str); 7] = [
    (Kind::Role, "authority.* approvals.* ladder.*.approval publish.approval"),
    (Kind::Check, "validate.* validate_each.* verify.* gradual.checks.* publish.verify.* soak.checks.*"),
    (Kind::Step, "edits.* before.* after.* soak.steps.*"),
    (Kind::Evidence, "evidence.*"),
    (Kind::Diagnose, "diagnose.*"),
    (Kind::Report, "report"),
    (Kind::Input, "each"),
];

/// The kind of name that stands at the end of a way, where one does.
fn kind_at(way: &[Step]) -> Option<Kind> {
    let is = |step: &Step, name: &str| matches!(step, Step::Key(key) if key == name);
    let (table, way): (&[(Kind, &str)], _) = match way {
        [phase, _, variant, _, way @ ..] if is(phase, "phase") && is(variant, "variant") => {
            (&OF_A_PHASE, way)
        }
        [phase, _, way @ ..] if is(phase, "phase") => (&OF_A_PHASE, way),
        way => (&OF_THE_WHOLE, way),
    };
    let fits = |pattern: &str| {
        let mut parts = pattern.split('.');
        way.iter().all(|step| parts.next().is_some_and(|part| part == "*" || is(step, part)))
            && parts.next().is_none()
    };
    table.iter().find(|(_, patterns)| patterns.split(' ').any(fits)).map(|(kind, _)| *kind)
}

/// Refuses names that nothing declares.
pub(super) fn references(report: &mut Report<'_>, index: &Index<'_>) {
    let part = report.part;
    each_text(&part.value, &mut Vec::new(), &mut |way, text| {
        if let Text::Value(name) = text
            && let Some(kind) = kind_at(way)
            && !index.has(kind, name)
        {
            report.unknown(kind.word(), kind.code(), way, name, &index.names(kind));
        }
    });
    for (at, row) in part.document.trigger.iter().enumerate() {
        variant(report, &way!["trigger", at, "variant"], row.phase.as_slice(), row.variant.as_ref());
    }
    for (at, row) in part.document.decision.iter().enumerate() {
        variant(report, &way!["decision", at, "variant"], &row.phases, row.variant.as_ref());
    }
}

/// Refuses a variant that one of the phases of the file does not have.
fn variant(report: &mut Report<'_>, way: &[Step], phases: &[String], variant: Option<&String>) {
    let (Some(variant), part) = (variant, report.part) else { return };
    for name in phases {
        let Some(phase) = part.document.phase.get(name) else { continue };
        if phase.variants.get(variant).is_none() {
            let known: Vec<&str> = phase.variants.names().collect();
            report.unknown(&format!("variant of phase '{name}'"), "unknown-name", way, variant, &known);
        }
    }
}

/// Refuses steps that wait for each other.
pub(super) fn cycles(parts: &[Part], found: &mut Vec<Problem>) {
    let steps = parts.iter().flat_map(|part| &part.document.step);
    let needs: BTreeMap<&str, &[String]> = steps.map(|step| (step.id.as_str(), &step.needs[..])).collect();
    for part in parts {
        for (at, step) in part.document.step.iter().enumerate() {
            let mut way = vec![step.id.as_str()];
            if found.len() < limits::PROBLEMS
                && leads_back(&step.id, &step.id, &needs, &mut way, &mut HashSet::new())
            {
                let message = format!("the step '{}' waits for itself: {}", step.id, way.join(" -> "));
                found.push(part.problem("cycle", &way!["step", at, "needs"], message));
            }
        }
    }
}

/// Whether `start` can be reached again from `at`; `way` is how. What was `seen` leads to nothing new.
fn leads_back<'a>(
    start: &str,
    at: &str,
    needs: &BTreeMap<&'a str, &'a [String]>,
    way: &mut Vec<&'a str>,
    seen: &mut HashSet<&'a str>,
) -> bool {
    for next in needs.get(at).copied().unwrap_or_default() {
        if next == start {
            way.push(next);
            return true;
        }
        if !seen.insert(next) {
            continue;
        }
        way.push(next);
        if leads_back(start, next, needs, way, seen) {
            return true;
        }
        way.pop();
    }
    false
}
