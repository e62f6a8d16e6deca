//! Why nothing landed, where no rung may be taken: one line, and what to type next.

use rollback_core::history::ChangeKind;
use rollback_core::plan::{Attempt, AttemptResult, CulpritSummary, Scope};
use rollback_core::{Plan, RepoPath, Target};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::hint::Hint;
use crate::invocation::Invocation;
use crate::terminal::style::{Palette, paint};
use crate::terminal::text;

/// The failure to report beside the plan.
pub(crate) fn failure(plan: &Plan, typed: &Invocation) -> Failure {
    let failure =
        Failure::new(Exit::NoCleanRung, "no-way-back", format!("nothing was changed: {}", reason(plan)));
    match hint(plan, typed) {
        Some(hint) => failure.with_hint(hint),
        None => failure,
    }
}

/// The ways on from a conflict, the best one first: by hand, without what is in the way where that was tried and is clean,
/// and with the loss of what came later.
pub(crate) fn ways(plan: &Plan, typed: &Invocation) -> Vec<Hint> {
    let mut ways = Vec::new();
    let on_a_branch = typed.args().iter().any(|word| word.to_string_lossy().starts_with("--branch"));
    let here = plan.request.options.onto.is_none() && plan.repository.work_dir.is_some();
    if plan.stops_at().is_some() && (here || on_a_branch) {
        let typed = typed.without_dry_run().without_option("--on-conflict", "--on-conflict");
        ways.push(Hint::new("resolve it by hand with", typed.with(&["--on-conflict=stop"])));
    }
    let is_clean = |attempt: &Attempt| attempt.with_dependents == Some(AttemptResult::Clean);
    let named = matches!(plan.request.target, Target::Commits(_));
    if named && !plan.request.options.with_dependents && plan.attempts.iter().any(is_clean) {
        let what = "undo what is in the way first, each by a commit of its own, with";
        ways.push(Hint::new(what, typed.with(&["--with-dependents"])));
    }
    if let Some(lossy) = plan.chosen_attempt().filter(|way| !way.loss.discards.is_empty()) {
        let what = format!("discard {} with", text::count(lossy.loss.discards.len(), "later commit"));
        ways.push(Hint::new(what, typed.with(&["--allow-loss"])));
    }
    ways
}

/// The ways on as lines of a text, where there is a choice.
pub(crate) fn ways_on(plan: &Plan, typed: &Invocation) -> String {
    let ways = ways(plan, typed);
    if ways.len() < 2 {
        return String::new();
    }
    let mut out = format!("{}\n", paint(Palette::HEADING, "Ways on"));
    for line in ways.iter().filter_map(Hint::text) {
        let (what, command) = line.split_once(": ").unwrap_or((&line, ""));
        out.push_str(&format!("  {what}\n    {}\n", paint(Palette::COMMAND, command)));
    }
    out.push('\n');
    out
}

fn reason(plan: &Plan) -> String {
    let conflicted: Vec<_> = with_conflicts(plan).collect();
    let paths = conflicted_paths(&conflicted);
    let Some(first) = paths.first() else {
        let reason = plan.attempts.iter().rev().find_map(|last| last.reason.as_deref());
        return reason.unwrap_or("no strategy applies").to_owned();
    };
    let place = match paths.len() - 1 {
        0 => text::path(first),
        more => format!("{} and {more} more", text::path(first)),
    };
    match (conflicted.as_slice(), plan.attempts.len()) {
        ([only], 1) => format!("{} conflicts in {place}", only.strategy),
        ([_], all) => format!("1 of {all} strategies conflicts in {place}"),
        (several, all) => format!("{} of {all} strategies conflict in {place}", several.len()),
    }
}

fn hint(plan: &Plan, typed: &Invocation) -> Option<Hint> {
    if plan.request.options.via.is_some() {
        let all = typed.without_option("--via", "--via").as_typed();
        return Some(Hint::new("let all strategies be tried with", all));
    }
    if let Some(hint) = insist(plan, typed) {
        return Some(hint);
    }
    if let Some(hint) = ways(plan, typed).into_iter().next() {
        return Some(hint);
    }
    let conflicted: Vec<_> = with_conflicts(plan).collect();
    if let (Some(culprit), []) = (adding_culprit(plan), conflicted.as_slice()) {
        let id = culprit.commit_id.to_hex_with_len(10);
        let removal = typed.on_path(&["revert", &id, "--file"], plan.target.paths.first()?, &[]);
        return Some(Hint::new("to remove what it added, name it", removal));
    }
    let path = conflicted_paths(&conflicted).into_iter().next()?;
    Some(Hint::new("see who changed it since with", typed.on_path(&["history"], path, &[])))
}

/// The culprit that was found and not named, where undoing it would remove the path.
fn adding_culprit(plan: &Plan) -> Option<&CulpritSummary> {
    plan.target.culprit.as_ref().filter(|culprit| culprit.change == ChangeKind::Added && !culprit.given)
}

/// How a change is undone that was found and left alone because it repaired the path.
fn insist(plan: &Plan, typed: &Invocation) -> Option<Hint> {
    let Target::Paths(target) = &plan.request.target else { return None };
    let (None, None, [attempt]) = (&target.change, &plan.target.culprit, plan.attempts.as_slice()) else {
        return None;
    };
    let (Some(id), Some(Scope::Paths(paths))) = (attempt.commit_id, &attempt.scope) else { return None };
    let insisting = typed.on_path(&["revert", "--file"], paths.first()?, &["--change", &id.to_string()]);
    Some(Hint::new("undo that change all the same with", insisting))
}

fn with_conflicts(plan: &Plan) -> impl Iterator<Item = &Attempt> {
    plan.attempts
        .iter()
        .filter(|attempt| attempt.result == AttemptResult::Conflicted && !attempt.conflicts.is_empty())
}

fn conflicted_paths<'a>(attempts: &[&'a Attempt]) -> Vec<&'a RepoPath> {
    let mut paths: Vec<_> =
        attempts.iter().flat_map(|attempt| &attempt.conflicts).map(|conflict| &conflict.path).collect();
    paths.sort();
    paths.dedup();
    paths
}
