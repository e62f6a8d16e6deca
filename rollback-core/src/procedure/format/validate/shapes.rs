//! Shapes: what excludes each other, what needs each other, and what cannot be.

use super::Report;
use crate::procedure::format::check::Expect;
use crate::procedure::format::document::{Input, InputKind};
use crate::procedure::format::named::Named;
use crate::procedure::format::phase::{Phase, Reason, Rung, RungKind, Target};
use crate::procedure::format::source::{Step, way};
use crate::procedure::format::trigger::Trigger;

/// What only the procedure's own file must have.
pub(super) fn of_the_whole(report: &mut Report<'_>) {
    let document = report.document();
    let name = report.part.file.rsplit(['/', '\\']).next().unwrap_or_default();
    let stem = name.strip_suffix(".toml").unwrap_or(name);
    match &document.id {
        None => report.add("missing-key", &[], "the key 'id' is missing"),
        Some(id) if id != stem => {
            report.add("id-differs", &way!["id"], format!("id '{id}' differs from the file's name '{stem}'"));
        }
        Some(_) => {}
    }
    if document.phase.is_empty() && document.include.is_empty() {
        report.add("missing-key", &[], "there is no phase: nothing could be rolled back");
    }
}

/// The keys that an included file may have; the rest belongs to one procedure.
const SHARED: &str = "schema include contact links role input constraint metric trigger avoid decision precheck \
    group phase check step evidence message report followup diagnose signoff";

/// Refuses what an included file may not have.
pub(super) fn of_an_include(report: &mut Report<'_>) {
    let keys = report.part.value.as_object().into_iter().flat_map(|document| document.keys());
    for key in keys.filter(|key| !SHARED.split(' ').any(|shared| shared == *key)) {
        let message = format!("'{key}' belongs into the procedure's own file");
        report.add("not-in-an-include", &way![key.as_str()], message);
    }
}

/// What every file must get right.
pub(super) fn of_the_parts(report: &mut Report<'_>) {
    let document = report.document();
    of_the_rows(report);
    for (at, constraint) in document.constraint.iter().enumerate() {
        for (item, place) in constraint.sum.iter().enumerate() {
            of_a_place(report, &way!["constraint", at, "sum", item], place);
        }
        if constraint.value.as_f64().is_none() && !constraint.value.to_string().contains('{') {
            let message = format!("'{}' is not a number", constraint.value);
            report.add("bad-value", &way!["constraint", at, "value"], message);
        }
    }
    for (name, input) in document.input.iter() {
        of_an_input(report, &way!["input", name], input);
    }
    for (name, phase) in document.phase.iter() {
        let way = way!["phase", name].to_vec();
        of_a_phase(report, &way, phase);
        for (variant, over) in phase.variants.iter() {
            let way = [&way[..], &way!["variant", variant]].concat();
            if !over.variants.is_empty() {
                report.add("nested-variant", &way, "a variant cannot have variants");
            }
            // Its own mistakes, seen with the paths and words that it takes over.
            let mut over = over.clone();
            if over.paths.is_empty() && !over.alone {
                over.paths.clone_from(&phase.paths);
            }
            over.confirm = over.confirm.or_else(|| phase.confirm.clone());
            of_a_phase(report, &way, &over);
        }
    }
}

/// Rows of one kind each.
fn of_the_rows(report: &mut Report<'_>) {
    let document = report.document();
    for (at, check) in document.check.iter().enumerate() {
        let way = way!["check", at];
        report.misshapen(&way, check.subject());
        if let Some(expect) = &check.expect {
            of_an_expectation(report, &[&way[..], &way!["expect"]].concat(), expect, check.file.is_some());
        }
    }
    for (at, step) in document.step.iter().enumerate() {
        let way = way!["step", at];
        report.misshapen(&way, step.action());
        of_a_set(report, &way, &step.set);
        if let Some(expect) = &step.expect {
            of_an_expectation(report, &[&way[..], &way!["expect"]].concat(), expect, false);
        }
    }
    for (at, evidence) in document.evidence.iter().enumerate() {
        report.misshapen(&way!["evidence", at], evidence.origin());
    }
    for (at, precheck) in document.precheck.iter().enumerate() {
        report.misshapen(&way!["precheck", at], precheck.demand());
    }
    for (at, trigger) in document.trigger.iter().enumerate() {
        of_a_trigger(report, &way!["trigger", at], trigger);
    }
    for (at, decision) in document.decision.iter().enumerate() {
        if decision.when.is_empty() && decision.manual.is_none() && decision.triggers.is_empty() {
            let message = format!("the decision '{}' needs 'when', 'triggers' or 'manual'", decision.id);
            report.add("incomplete", &way!["decision", at], message);
        }
    }
}

fn of_an_expectation(report: &mut Report<'_>, way: &[Step], expect: &Expect, of_a_file: bool) {
    let compares = expect.comparisons().next().is_some();
    match &expect.capture {
        None if compares => report.add("incomplete", way, "a comparison needs 'capture'"),
        Some(pattern) if pattern.regex().captures_len() < 2 => {
            let message = format!("the pattern '{pattern}' captures nothing: put the value into (…)");
            report.add_at("bad-value", way, "capture", message);
        }
        Some(_) if !compares => {
            report.add("incomplete", way, "'capture' needs a comparison, such as eq or le")
        }
        _ => {}
    }
    let count = expect.count.as_ref().map(|count| (count.min, count.max));
    if count == Some((None, None)) {
        report.add_at("incomplete", way, "count", "'count' needs 'min' or 'max'");
    }
    let bytes = expect.bytes.as_ref().map(|bytes| (bytes.min, bytes.max));
    for (bounds, key) in [(bytes, "bytes"), (count, "count")] {
        if let Some((Some(min), Some(max))) = bounds
            && min > max
        {
            report.add_at("impossible", way, key, format!("nothing lies between {min} and {max}"));
        }
    }
    if !of_a_file && expect.exists.is_some() {
        report.add_at("only-for-files", way, "exists", "'exists' is for the check of a file");
    }
    let (exit, stdout, stderr) = (expect.exit.is_some(), expect.stdout.is_some(), expect.stderr.is_some());
    let of_programs = [("exit", exit), ("stdout", stdout), ("stderr", stderr)];
    for (key, _) in of_programs.iter().filter(|(_, given)| of_a_file && *given) {
        report.add_at("not-for-files", way, key, format!("a file has no '{key}'"));
    }
}

fn of_a_trigger(report: &mut Report<'_>, way: &[Step], trigger: &Trigger) {
    report.misshapen(way, trigger.source());
    let mut impossible = |key: &str, message: String| report.add_at("impossible", way, key, message);
    let Trigger { lasting, interval, window, consecutive, .. } = trigger;
    if let Some((lasting, interval)) = lasting.zip(*interval).filter(|(lasting, interval)| lasting < interval)
    {
        let why = format!("is shorter than 'interval' ({interval}): one sample would decide");
        impossible("for", format!("'for' ({lasting}) {why}"));
    }
    if let Some((lasting, window)) = lasting.zip(*window).filter(|(lasting, window)| lasting > window) {
        impossible(
            "for",
            format!("'for' ({lasting}) is longer than 'window' ({window}): it could never fire"),
        );
    }
    if *consecutive == Some(0) {
        impossible("consecutive", "'consecutive' counts from 1".to_owned());
    }
}

fn of_an_input(report: &mut Report<'_>, way: &[Step], input: &Input) {
    for (at, value) in input.values.iter().enumerate().filter(|(_, value)| value.starts_with('-')) {
        let message = format!("'{value}' begins with '-' and could become an option");
        report.add("bad-value", &[way, &way!["values", at]].concat(), message);
    }
    let Some(default) = &input.default else {
        if input.kind == InputKind::List && input.values.is_empty() {
            report.add("incomplete", way, "a list needs 'values'");
        }
        return;
    };
    if let Err(why) = crate::procedure::input::accept(input, &default.to_string()) {
        report.add_at("bad-value", way, "default", why);
    }
}

fn of_a_phase(report: &mut Report<'_>, way: &[Step], phase: &Phase) {
    if let Some(target) = &phase.target {
        of_a_target(report, &[way, &way!["target"]].concat(), target);
    }
    for (at, rung) in phase.ladder.iter().enumerate() {
        of_a_rung(report, &[way, &way!["ladder", at]].concat(), at, rung, phase);
    }
    of_a_set(report, way, &phase.set);
    if phase.irreversible && phase.confirm.is_none() {
        report.add("incomplete", way, "what cannot be taken back needs 'confirm': the words to type for it");
    }
    if phase.gradual.is_some() && phase.set.is_empty() {
        report.add_at("incomplete", way, "gradual", "'gradual' needs 'set': there is nothing to move");
    }
    if phase.gradual.as_ref().is_some_and(|gradual| gradual.steps == 0) {
        report.add("impossible", &[way, &way!["gradual", "steps"]].concat(), "'steps' counts from 1");
    }
    if let Some(each) = &phase.each
        && let Some(input) = report.document().input.get(each)
        && input.kind != InputKind::List
    {
        report.add_at("bad-value", way, "each", format!("the input '{each}' is not a list"));
    }
    of_the_times(report, way, phase);
}

/// A check of the live system cannot look at a candidate; a step that edits has no candidate after landing.
fn of_the_times(report: &mut Report<'_>, way: &[Step], phase: &Phase) {
    let document = report.document();
    let mut wrong = |key: &str, ids: &[String], message: &dyn Fn(&str) -> Option<String>| {
        for (at, id) in ids.iter().enumerate() {
            if let Some(message) = message(id) {
                report.add("wrong-time", &[way, &way![key, at]].concat(), message);
            }
        }
    };
    let live = |id: &str| {
        let check = document.check.iter().find(|check| check.id == id).filter(|check| check.is_live())?;
        Some(format!("the check '{}' looks at the live system: it belongs into 'verify'", check.id))
    };
    wrong("validate", &phase.validate, &live);
    wrong("validate_each", &phase.validate_each, &live);
    let action = |id: &str| document.step.iter().find(|step| step.id == id)?.action().ok();
    let belongs = |id: &str, to: &str| format!("the step '{id}' belongs into {to}");
    wrong("edits", &phase.edits, &|id| {
        (!action(id)?.edits_the_candidate()).then(|| belongs(id, "'before' or 'after'"))
    });
    for (key, ids) in [("before", &phase.before), ("after", &phase.after)] {
        wrong(key, ids, &|id| (!action(id)?.acts_outside()).then(|| belongs(id, "'edits'")));
    }
}

fn of_a_target(report: &mut Report<'_>, way: &[Step], target: &Target) {
    let named = [
        target.path.is_some(),
        target.deleted.is_some(),
        target.commit.is_some(),
        !target.commits.is_empty(),
        target.merge_of.is_some(),
        !target.merges_of.is_empty(),
        target.tag.is_some(),
    ];
    let named = named.iter().filter(|given| **given).count();
    if named > 1 || named == 0 && !target.has_filters() {
        let message = "a target is one of 'path', 'deleted', 'commit', 'commits', 'merge_of', 'merges_of', 'tag', or filters";
        report.add("ambiguous-target", way, message);
    }
    if (target.since.is_some() || target.until.is_some()) && !target.has_filters() {
        report.add("incomplete", way, "'since' and 'until' narrow 'grep', 'author' or 'trailer'");
    }
}

fn of_a_rung(report: &mut Report<'_>, way: &[Step], at: usize, rung: &Rung, phase: &Phase) {
    let target = phase.target.as_ref();
    let of_a_merge = target.is_some_and(|target| target.merge_of.is_some() || !target.merges_of.is_empty());
    let reverts_the_merge = rung.kind == RungKind::RevertCommit && of_a_merge && rung.commits.is_none();
    report.misshapen(way, rung.way());
    if at > 0 && rung.when.is_empty() {
        let message = "a rung after the first needs 'when': the reasons after which it is tried";
        report.add("incomplete", way, message);
    }
    if rung.kind == RungKind::Command && rung.approval.is_none() && rung.when != [Reason::Manual] {
        let message =
            "a command rung needs 'approval' or when = [\"manual\"]: nothing can be previewed of it";
        report.add("incomplete", way, message);
    }
    if rung.scoped && phase.paths.is_empty() && rung.paths.is_empty() {
        report.add("incomplete", way, "'scoped' needs 'paths'");
    }
    if (rung.kind == RungKind::RevertMerge || reverts_the_merge) && rung.mainline.is_none() {
        let message =
            "reverting a merge needs its mainline: mainline = 1 keeps what the branch was merged into";
        report.add("merge-without-mainline", way, message);
    }
    if rung.mainline == Some(0) {
        report.add_at("impossible", way, "mainline", "parents count from 1");
    }
    if rung.mainline.is_some() && matches!(rung.kind, RungKind::RestoreFile | RungKind::Command) {
        report.add_at("not-for-this-rung", way, "mainline", "only reverting and picking have a mainline");
    }
}

/// Keys of `set` are `file:key.path`.
fn of_a_set<T>(report: &mut Report<'_>, way: &[Step], set: &Named<T>) {
    for place in set.names() {
        of_a_place(report, &[way, &way!["set", place]].concat(), place);
    }
}

fn of_a_place(report: &mut Report<'_>, way: &[Step], place: &str) {
    if let Err(error) = place.parse::<crate::procedure::set::Place>() {
        report.add("bad-value", way, error.to_string());
    }
}
