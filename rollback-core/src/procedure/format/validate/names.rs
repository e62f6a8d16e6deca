//! Names: declared once, and declared at all where they are used.

use std::collections::{BTreeMap, HashSet};

use super::{Index, Kind, Problem, Report, way};
use crate::procedure::format::limits;
use crate::procedure::format::phase::Phase;
use crate::procedure::format::source::{Part, Step};

/// Refuses a name that an earlier line or file has declared, and one that cannot be typed.
pub(super) fn unique(report: &mut Report<'_>, index: &Index<'_>, part: usize) {
    for (kind, declared) in &index.declared {
        for this in declared.iter().filter(|this| this.part == part) {
            if this.again {
                report.add(
                    "duplicate-id",
                    &this.way,
                    format!("the {} '{}' is declared twice", kind.word(), this.name),
                );
            }
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            if this.name.is_empty() || !this.name.chars().all(plain) || this.name.starts_with(['-', '.']) {
                let message = format!("'{}' is not a name: use letters, digits, '-', '_' and '.'", this.name);
                report.add("bad-id", &this.way, message);
            }
        }
    }
}

/// Refuses names that nothing declares.
pub(super) fn references(report: &mut Report<'_>, index: &Index<'_>) {
    let mut names = Names { report, index };
    names.of_the_whole();
    names.of_the_rows();
    for (name, phase) in names.report.document().phase.iter() {
        let way = way!["phase", name].to_vec();
        names.of_a_phase(&way, phase);
        for (variant, phase) in phase.variants.iter() {
            let way = [way.as_slice(), &way!["variant", variant]].concat();
            names.of_a_phase(&way, phase);
        }
    }
}

struct Names<'r, 'a, 'i, 'n> {
    report: &'r mut Report<'a>,
    index: &'i Index<'n>,
}

impl Names<'_, '_, '_, '_> {
    fn one(&mut self, kind: Kind, way: &[Step], name: &str) {
        if !self.index.has(kind, name) {
            let known = self.index.names(kind);
            self.report.unknown(kind.word(), kind.code(), way, name, &known);
        }
    }

    fn maybe(&mut self, kind: Kind, way: &[Step], key: &str, name: Option<&String>) {
        if let Some(name) = name {
            self.one(kind, &[way, &way![key]].concat(), name);
        }
    }

    fn all(&mut self, kind: Kind, way: &[Step], key: &str, names: &[String]) {
        for (at, name) in names.iter().enumerate() {
            self.one(kind, &[way, &way![key, at]].concat(), name);
        }
    }

    fn of_the_whole(&mut self) {
        let document = self.report.document();
        self.all(Kind::Role, &[], "authority", &document.authority);
        self.maybe(Kind::Phase, &[], "default_phase", document.default_phase.as_ref());
        if let Some(backup) = &document.backup {
            let way = way!["backup"];
            self.maybe(Kind::Step, &way, "step", Some(&backup.step));
            self.maybe(Kind::Check, &way, "verify", Some(&backup.verify));
            self.all(Kind::Phase, &way, "phases", &backup.phases);
        }
        if let Some(success) = &document.success {
            self.all(Kind::Check, &way!["success"], "all", &success.all);
        }
        if let Some(undo) = &document.undo {
            self.all(Kind::Check, &way!["undo"], "validate", &undo.validate);
        }
        if let Some(retry) = &document.retry {
            self.all(Kind::Step, &way!["retry"], "steps", &retry.steps);
        }
        if let Some(publish) = &document.publish {
            self.maybe(Kind::Role, &way!["publish"], "approval", publish.approval.as_ref());
            self.all(Kind::Check, &way!["publish"], "verify", &publish.verify);
        }
        if let Some(soak) = &document.soak {
            self.all(Kind::Check, &way!["soak"], "checks", &soak.checks);
            self.all(Kind::Step, &way!["soak"], "steps", &soak.steps);
        }
    }

    fn of_the_rows(&mut self) {
        let document = self.report.document();
        for (at, row) in document.precheck.iter().enumerate() {
            let way = way!["precheck", at];
            self.maybe(Kind::Check, &way, "check", row.check.as_ref());
            self.maybe(Kind::Step, &way, "step", row.step.as_ref());
            self.maybe(Kind::Input, &way, "input", row.input.as_ref());
            self.all(Kind::Phase, &way, "phases", &row.phases);
        }
        for (at, row) in document.trigger.iter().enumerate() {
            let way = way!["trigger", at];
            self.maybe(Kind::Metric, &way, "metric", row.metric.as_ref());
            self.maybe(Kind::Severity, &way, "severity", row.severity.as_ref());
            self.phase_and_variant(&way, row.phase.as_slice(), row.variant.as_ref());
        }
        for (at, row) in document.severity.iter().enumerate() {
            for (condition, row) in row.any.iter().enumerate() {
                self.maybe(
                    Kind::Metric,
                    &way!["severity", at, "any", condition],
                    "metric",
                    Some(&row.metric),
                );
            }
        }
        for (at, row) in document.decision.iter().enumerate() {
            let way = way!["decision", at];
            for (condition, row) in row.when.iter().enumerate() {
                self.maybe(
                    Kind::Metric,
                    &way!["decision", at, "when", condition],
                    "metric",
                    Some(&row.metric),
                );
            }
            self.all(Kind::Trigger, &way, "triggers", &row.triggers);
            self.all(Kind::Role, &way, "authority", &row.authority);
            self.maybe(Kind::Severity, &way, "severity", row.severity.as_ref());
            self.phase_and_variant(&way, &row.phases, row.variant.as_ref());
        }
        for (at, row) in document.check.iter().enumerate() {
            self.maybe(Kind::Metric, &way!["check", at], "metric", row.metric.as_ref());
        }
        for (at, row) in document.step.iter().enumerate() {
            let way = way!["step", at];
            self.all(Kind::Step, &way, "needs", &row.needs);
            self.maybe(Kind::Check, &way, "unless", row.unless.as_ref());
            self.maybe(Kind::Message, &way, "message", row.message.as_ref());
            self.maybe(Kind::Role, &way, "approval", row.approval.as_ref());
        }
        for (at, row) in document.followup.iter().enumerate() {
            let way = way!["followup", at];
            self.all(Kind::Check, &way, "checks", &row.checks);
            self.maybe(Kind::Step, &way, "step", row.step.as_ref());
        }
        for (name, row) in document.group.iter() {
            let way = way!["group", name];
            self.all(Kind::Step, &way, "steps", &row.steps);
            self.all(Kind::Check, &way, "checks", &row.checks);
            self.all(Kind::Evidence, &way, "evidence", &row.evidence);
            self.all(Kind::Phase, &way, "phases", &row.phases);
        }
    }

    fn phase_and_variant(&mut self, way: &[Step], phases: &[String], variant: Option<&String>) {
        let key = if way.first() == Some(&Step::from("trigger")) { "phase" } else { "phases" };
        for (at, name) in phases.iter().enumerate() {
            let full = if key == "phase" { way![key].to_vec() } else { way![key, at].to_vec() };
            self.one(Kind::Phase, &[way, &full].concat(), name);
            let Some(variant) = variant else { continue };
            let Some(phase) = self.report.document().phase.get(name) else {
                continue;
            };
            if phase.variants.get(variant).is_none() {
                let known: Vec<&str> = phase.variants.names().collect();
                let kind = format!("variant of phase '{name}'");
                self.report.unknown(
                    &kind,
                    "unknown-name",
                    &[way, &way!["variant"]].concat(),
                    variant,
                    &known,
                );
            }
        }
    }

    fn of_a_phase(&mut self, way: &[Step], phase: &Phase) {
        self.all(Kind::Role, way, "authority", &phase.authority);
        self.all(Kind::Role, way, "approvals", &phase.approvals);
        self.all(Kind::Check, way, "validate", &phase.validate);
        self.all(Kind::Check, way, "validate_each", &phase.validate_each);
        self.all(Kind::Check, way, "verify", &phase.verify);
        self.all(Kind::Step, way, "edits", &phase.edits);
        self.all(Kind::Step, way, "before", &phase.before);
        self.all(Kind::Step, way, "after", &phase.after);
        self.all(Kind::Evidence, way, "evidence", &phase.evidence);
        self.all(Kind::Diagnose, way, "diagnose", &phase.diagnose);
        self.maybe(Kind::Report, way, "report", phase.report.as_ref());
        self.maybe(Kind::Input, way, "each", phase.each.as_ref());
        for (at, rung) in phase.ladder.iter().enumerate() {
            let way = [way, &way!["ladder", at]].concat();
            self.maybe(Kind::Role, &way, "approval", rung.approval.as_ref());
        }
        if let Some(gradual) = &phase.gradual {
            self.all(Kind::Check, &[way, &way!["gradual"]].concat(), "checks", &gradual.checks);
        }
        if let Some(publish) = &phase.publish {
            let way = [way, &way!["publish"]].concat();
            self.maybe(Kind::Role, &way, "approval", publish.approval.as_ref());
            self.all(Kind::Check, &way, "verify", &publish.verify);
        }
        if let Some(soak) = &phase.soak {
            let way = [way, &way!["soak"]].concat();
            self.all(Kind::Check, &way, "checks", &soak.checks);
            self.all(Kind::Step, &way, "steps", &soak.steps);
        }
    }
}

/// Refuses steps that wait for each other.
pub(super) fn cycles(parts: &[Part], found: &mut Vec<Problem>) {
    let needs: BTreeMap<&str, &[String]> = parts
        .iter()
        .flat_map(|part| &part.document.step)
        .map(|step| (step.id.as_str(), step.needs.as_slice()))
        .collect();
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
