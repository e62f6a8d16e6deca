//! Shapes: what excludes each other, what needs each other, and what cannot be.

use super::{Report, way};
use crate::procedure::format::check::{Check, Expect};
use crate::procedure::format::document::{Input, InputKind};
use crate::procedure::format::named::Named;
use crate::procedure::format::phase::{Phase, Reason, Rung, RungKind, Target};
use crate::procedure::format::source::Step;
use crate::procedure::format::step::StepKind;
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

/// What an included file may not have: it belongs to several procedures.
pub(super) fn of_an_include(report: &mut Report<'_>) {
    let document = report.document();
    let given = [
        ("id", document.id.is_some()),
        ("title", document.title.is_some()),
        ("purpose", document.purpose.is_some()),
        ("authority", !document.authority.is_empty()),
        ("rto", document.rto.is_some()),
        ("drill_every", document.drill_every.is_some()),
        ("default_phase", document.default_phase.is_some()),
        ("link", !document.link.is_empty()),
        ("meta", document.meta.is_some()),
        ("policy", document.policy.is_some()),
        ("severity", !document.severity.is_empty()),
        ("checkpoint", document.checkpoint.is_some()),
        ("backup", document.backup.is_some()),
        ("commit", document.commit.is_some()),
        ("branch", document.branch.is_some()),
        ("publish", document.publish.is_some()),
        ("soak", document.soak.is_some()),
        ("success", document.success.is_some()),
        ("undo", document.undo.is_some()),
        ("retry", document.retry.is_some()),
        ("changes", !document.changes.is_empty()),
    ];
    for (key, given) in given {
        if given {
            report.add(
                "not-in-an-include",
                &way![key],
                format!("'{key}' belongs into the procedure's own file"),
            );
        }
    }
}

/// What every file must get right.
pub(super) fn of_the_parts(report: &mut Report<'_>) {
    let document = report.document();
    for (at, check) in document.check.iter().enumerate() {
        of_a_check(report, &way!["check", at], check);
    }
    for (at, step) in document.step.iter().enumerate() {
        let way = way!["step", at];
        let kinds = step.kinds();
        if kinds.len() != 1 {
            report.add(
                "ambiguous-step",
                &way,
                format!("the step '{}' has {} kinds instead of one", step.id, kinds.len()),
            );
        }
        of_a_set(report, &way, &step.set);
        if let Some(expect) = &step.expect {
            of_an_expectation(report, &[&way[..], &way!["expect"]].concat(), expect, false);
        }
    }
    for (at, evidence) in document.evidence.iter().enumerate() {
        if evidence.run.is_empty() == evidence.files.is_empty() {
            let message = format!("the evidence '{}' needs either 'run' or 'files'", evidence.id);
            report.add("ambiguous-evidence", &way!["evidence", at], message);
        }
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
    for (at, precheck) in document.precheck.iter().enumerate() {
        let given = [&precheck.ask, &precheck.check, &precheck.step, &precheck.input];
        if given.iter().filter(|given| given.is_some()).count() != 1 {
            let message =
                format!("the precheck '{}' needs one of 'ask', 'check', 'step', 'input'", precheck.id);
            report.add("incomplete", &way!["precheck", at], message);
        }
    }
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

fn of_a_check(report: &mut Report<'_>, way: &[Step], check: &Check) {
    let subjects = [!check.run.is_empty(), check.file.is_some(), check.metric.is_some(), check.ask.is_some()];
    if subjects.iter().filter(|given| **given).count() != 1 {
        let message = format!("the check '{}' needs one of 'run', 'file', 'metric', 'ask'", check.id);
        report.add("ambiguous-check", way, message);
    }
    if check.metric.is_some() && (check.op.is_none() || check.threshold.is_none()) {
        report.add(
            "incomplete",
            way,
            format!("the check '{}' of a metric needs 'op' and 'threshold'", check.id),
        );
    }
    if check.file.is_some() && check.expect.is_none() {
        report.add("incomplete", way, format!("the check '{}' of a file needs 'expect'", check.id));
    }
    if let Some(expect) = &check.expect {
        of_an_expectation(report, &[way, &way!["expect"]].concat(), expect, check.file.is_some());
    }
}

fn of_an_expectation(report: &mut Report<'_>, way: &[Step], expect: &Expect, of_a_file: bool) {
    let compared = [&expect.eq, &expect.ne, &expect.lt, &expect.le, &expect.gt, &expect.ge];
    let compares = compared.iter().any(|operand| operand.is_some());
    match &expect.capture {
        None if compares => report.add("incomplete", way, "a comparison needs 'capture'"),
        Some(pattern) if pattern.regex().captures_len() < 2 => {
            let message = format!("the pattern '{pattern}' captures nothing: put the value into (…)");
            report.add("bad-value", &[way, &way!["capture"]].concat(), message);
        }
        Some(_) if !compares => {
            report.add("incomplete", way, "'capture' needs a comparison, such as eq or le")
        }
        _ => {}
    }
    if let Some(count) = &expect.count
        && count.min.is_none()
        && count.max.is_none()
    {
        report.add("incomplete", &[way, &way!["count"]].concat(), "'count' needs 'min' or 'max'");
    }
    for (bounds, key) in [
        (expect.bytes.as_ref().map(|b| (b.min, b.max)), "bytes"),
        (expect.count.as_ref().map(|c| (c.min, c.max)), "count"),
    ] {
        if let Some((Some(min), Some(max))) = bounds
            && min > max
        {
            report.add(
                "impossible",
                &[way, &way![key]].concat(),
                format!("nothing lies between {min} and {max}"),
            );
        }
    }
    if of_a_file {
        for (key, given) in [
            ("exit", expect.exit.is_some()),
            ("stdout", expect.stdout.is_some()),
            ("stderr", expect.stderr.is_some()),
        ] {
            if given {
                report.add("not-for-files", &[way, &way![key]].concat(), format!("a file has no '{key}'"));
            }
        }
    } else if expect.exists.is_some() {
        report.add("only-for-files", &[way, &way!["exists"]].concat(), "'exists' is for the check of a file");
    }
}

fn of_a_trigger(report: &mut Report<'_>, way: &[Step], trigger: &Trigger) {
    let measured = trigger.metric.is_some();
    if measured == trigger.manual.is_some() {
        report.add(
            "incomplete",
            way,
            format!("the trigger '{}' needs either 'metric' or 'manual'", trigger.id),
        );
    }
    if measured && (trigger.op.is_none() || trigger.threshold.is_none()) {
        report.add("incomplete", way, format!("the trigger '{}' needs 'op' and 'threshold'", trigger.id));
    }
    if let (Some(lasting), Some(interval)) = (trigger.lasting, trigger.interval)
        && lasting < interval
    {
        let message =
            format!("'for' ({lasting}) is shorter than 'interval' ({interval}): one sample would decide");
        report.add("impossible", &[way, &way!["for"]].concat(), message);
    }
    if let (Some(lasting), Some(window)) = (trigger.lasting, trigger.window)
        && lasting > window
    {
        let message = format!("'for' ({lasting}) is longer than 'window' ({window}): it could never fire");
        report.add("impossible", &[way, &way!["for"]].concat(), message);
    }
    if trigger.consecutive == Some(0) {
        report.add("impossible", &[way, &way!["consecutive"]].concat(), "'consecutive' counts from 1");
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
        report.add("bad-value", &[way, &way!["default"]].concat(), why);
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
        report.add(
            "incomplete",
            &[way, &way!["gradual"]].concat(),
            "'gradual' needs 'set': there is nothing to move",
        );
    }
    if phase.gradual.as_ref().is_some_and(|gradual| gradual.steps == 0) {
        report.add("impossible", &[way, &way!["gradual", "steps"]].concat(), "'steps' counts from 1");
    }
    if let Some(each) = &phase.each
        && let Some(input) = report.document().input.get(each)
        && input.kind != InputKind::List
    {
        report.add("bad-value", &[way, &way!["each"]].concat(), format!("the input '{each}' is not a list"));
    }
    of_the_times(report, way, phase);
}

/// A check of the live system cannot look at a candidate; a step that edits has no candidate after landing.
fn of_the_times(report: &mut Report<'_>, way: &[Step], phase: &Phase) {
    let document = report.document();
    for (key, ids) in [("validate", &phase.validate), ("validate_each", &phase.validate_each)] {
        for (at, id) in ids.iter().enumerate() {
            if document.check.iter().any(|check| check.id == *id && (check.live || check.metric.is_some())) {
                let message = format!("the check '{id}' looks at the live system: it belongs into 'verify'");
                report.add("wrong-time", &[way, &way![key, at]].concat(), message);
            }
        }
    }
    let kind_of = |id: &String| {
        document.step.iter().find(|step| step.id == *id).and_then(|step| step.kinds().first().copied())
    };
    let wrong = |edits: bool, kind: StepKind| {
        if edits { !kind.edits_the_candidate() } else { !kind.acts_outside() }
    };
    for (key, ids, edits) in
        [("edits", &phase.edits, true), ("before", &phase.before, false), ("after", &phase.after, false)]
    {
        for (at, id) in ids.iter().enumerate() {
            if kind_of(id).is_some_and(|kind| wrong(edits, kind)) {
                let where_to = if edits { "'before' or 'after'" } else { "'edits'" };
                let message = format!("the step '{id}' belongs into {where_to}");
                report.add("wrong-time", &[way, &way![key, at]].concat(), message);
            }
        }
    }
}

fn of_a_target(report: &mut Report<'_>, way: &[Step], target: &Target) {
    let filters = target.grep.is_some() || target.author.is_some() || target.trailer.is_some();
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
    if named > 1 || named == 0 && !filters {
        let message = "a target is one of 'path', 'deleted', 'commit', 'commits', 'merge_of', 'merges_of', 'tag', or filters";
        report.add("ambiguous-target", way, message);
    }
    if (target.since.is_some() || target.until.is_some()) && !filters {
        report.add("incomplete", way, "'since' and 'until' narrow 'grep', 'author' or 'trailer'");
    }
}

fn of_a_rung(report: &mut Report<'_>, way: &[Step], at: usize, rung: &Rung, phase: &Phase) {
    if at > 0 && rung.when.is_empty() {
        report.add(
            "incomplete",
            way,
            "a rung after the first needs 'when': the reasons after which it is tried",
        );
    }
    let of_a_merge =
        phase.target.as_ref().is_some_and(|target| target.merge_of.is_some() || !target.merges_of.is_empty());
    let reverts_the_merge = rung.kind == RungKind::RevertCommit && of_a_merge && rung.commits.is_none();
    if (rung.kind == RungKind::RevertMerge || reverts_the_merge) && rung.mainline.is_none() {
        report.add(
            "merge-without-mainline",
            way,
            "reverting a merge needs its mainline: mainline = 1 keeps what the branch was merged into",
        );
    }
    if rung.mainline == Some(0) {
        report.add("impossible", &[way, &way!["mainline"]].concat(), "parents count from 1");
    }
    if rung.mainline.is_some() && matches!(rung.kind, RungKind::RestoreFile | RungKind::Command) {
        report.add(
            "not-for-this-rung",
            &[way, &way!["mainline"]].concat(),
            "only reverting and picking have a mainline",
        );
    }
    if rung.kind == RungKind::RestoreFile && rung.from.is_none() {
        report.add("incomplete", way, "restoring needs 'from', such as last-good");
    }
    if (rung.kind == RungKind::Command) == rung.run.is_empty() {
        report.add("incomplete", way, "'run' belongs to a command rung, and only there");
    }
    if rung.kind == RungKind::Command && rung.approval.is_none() && rung.when != [Reason::Manual] {
        report.add(
            "incomplete",
            way,
            "a command rung needs 'approval' or when = [\"manual\"]: nothing can be previewed of it",
        );
    }
    if rung.scoped && phase.paths.is_empty() && rung.paths.is_empty() {
        report.add("incomplete", way, "'scoped' needs 'paths'");
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
