//! `rb bisect`: which change turned a check from passing to failing, and the way back from it.

use rollback_core::bisect::{BisectOptions, BisectVerdict, BisectWatch, Bisection, JudgedCommit, Outlook};
use rollback_core::checks::{CheckOptions, Checker};
use rollback_core::process::SystemRunner;
use rollback_core::target::CommitsTarget;
use rollback_core::{CommitId, Plan, PlanOptions, Repo, Target};
use serde::Serialize;

use super::{Outcome, checks, optional_revision, warn_about_names};
use crate::args;
use crate::command_line::CommandLine;
use crate::exit::Exit;
use crate::failure::{Failure, Problem};
use crate::hint::{self, Hint};
use crate::paths::Base;
use crate::progress::{self, Lines};
use crate::render::{Commits, bisect as render, json};
use crate::session::Session;
use crate::signals;
use crate::terminal::style::{Palette, paint};

/// Runs `rb bisect`.
pub(crate) fn run(args: &args::Bisect, session: &mut Session) -> Outcome {
    let repo = session.repo()?;
    let mut options = BisectOptions::default();
    options.good = optional_revision(args.good.as_ref())?;
    options.bad = optional_revision(args.bad.as_ref())?;
    options.paths = Base::new(&repo, session.folder()).resolve_all(&args.paths)?;
    options.confirm = args.confirm;
    options.threads = args.jobs;
    let names = options.good.iter().chain(&options.bad).map(String::as_str);
    warn_about_names(names, &repo, &mut session.console);
    let Some(checks) = checks::options(&args.checks, session)? else {
        return Err(Failure::usage("a bisection needs a check")
            .with_hint(Hint::new(
                "see how one is given with",
                session.invocation.command(&["bisect", "--help"]),
            ))
            .into());
    };
    let found = search(&options, &checks, session)?;
    let plan = plan(&found, &repo, session)?;
    let failure = found.culprit.is_none().then(|| several(&found, session));
    let exit = failure.as_ref().map_or(Exit::Done, Failure::exit);
    if session.console.json() {
        let document = BisectionDocument { bisection: found, plan };
        session.console.print(&json::document_with(&document, failure.as_ref()));
        return Ok(exit);
    }
    let commits = Commits::look_up(named_commits(&found), &repo);
    let (prospect, next) = way_back(&found, plan.as_ref(), (args, &commits), &repo, session);
    let mut text = render::found(&found, prospect, &commits, session.console.look());
    if let Some((what, command)) = next {
        text.push_str(&format!("next: {what} with: {}\n", paint(Palette::COMMAND, command)));
    }
    session.console.print(&text);
    Ok(exit)
}

/// The failure of a bisection that commits which could not be judged leave at several.
pub(super) fn several(found: &Bisection, session: &Session) -> Failure {
    let message = format!("the check cannot tell which of {} commits turned it", found.suspects.len());
    let help = session.invocation.command(&["bisect", "--help"]);
    Failure::new(Exit::Paused, "checks-inconclusive", message)
        .with_hint(Hint::new("see how a check is made to judge more commits with", help))
}

/// What `rb bisect --json` prints.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "Bisection")]
pub(crate) struct BisectionDocument {
    #[serde(flatten)]
    bisection: Bisection,
    /// The plan that rolls the culprit back from HEAD; absent where HEAD does not have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<Plan>,
}

/// Searches, and tells each step on standard error.
pub(super) fn search(
    options: &BisectOptions,
    checks: &CheckOptions,
    session: &mut Session,
) -> Result<Bisection, Problem> {
    let repo = session.repo()?;
    let stopping = signals::Stopping::begin();
    // The lines say what goes on; counts of commits read or files written would say less.
    let checker = Checker::new(&repo, &SystemRunner).cancelled_by(stopping.token());
    let mut steps = Steps { lines: Lines::new(&mut session.console), repo: &repo, spent_ms: 0, judged: 0 };
    let found = checker.bisect(options, checks, &mut steps);
    drop(steps);
    drop(stopping);
    Ok(found?)
}

/// Tells the steps of a bisection.
struct Steps<'a> {
    lines: Lines<'a>,
    repo: &'a Repo,
    spent_ms: u64,
    judged: u64,
}

impl BisectWatch for Steps<'_> {
    fn begins(&mut self, good: CommitId, bad: CommitId, range: &Outlook) {
        let commits = Commits::look_up([good, bad], self.repo);
        let each = self.spent_ms / self.judged.max(1);
        let text = render::outlook((good, bad), range, each, &commits, self.lines.look());
        self.lines.stay(&text);
    }

    fn judges(&mut self, commits: &[CommitId]) {
        let known = Commits::look_up(commits.iter().copied(), self.repo);
        let names: Vec<_> = commits.iter().map(|id| known.short(*id)).collect();
        self.lines.now(&format!("checking {}", names.join(" and ")));
    }

    fn judged(&mut self, judged: &JudgedCommit, left: Option<&Outlook>) {
        if judged.runs > 0 {
            self.spent_ms += judged.elapsed_ms;
            self.judged += 1;
        }
        let look = self.lines.look();
        if judged.needed || look.verbose || judged.verdict == BisectVerdict::Skipped {
            let commits = Commits::look_up([judged.commit_id], self.repo);
            self.lines.stay(&render::judged(judged, left, &commits, look));
        }
    }
}

/// The plan that rolls the culprit back from HEAD, where HEAD has it.
fn plan(found: &Bisection, repo: &Repo, session: &Session) -> Result<Option<Plan>, Problem> {
    let Some(culprit) = &found.culprit else { return Ok(None) };
    let Ok(head) = repo.resolve_commit("HEAD") else { return Ok(None) };
    if !repo.commits_beyond(&[culprit.commit_id], &[head])?.is_empty() {
        return Ok(None);
    }
    let mut target = CommitsTarget::new([culprit.commit_id.to_string()]);
    target.mainline = culprit.mainline;
    let planned = progress::during(&session.console, "planning", || {
        repo.plan(&Target::Commits(target), &PlanOptions::default())
    });
    Ok(Some(planned?))
}

/// What would come of rolling the culprit back, and the command to type next, with what it does.
fn way_back(
    found: &Bisection,
    plan: Option<&Plan>,
    (args, commits): (&args::Bisect, &Commits),
    repo: &Repo,
    session: &Session,
) -> (Option<&'static str>, Option<(&'static str, CommandLine)>) {
    let Some(culprit) = &found.culprit else {
        let again = session.invocation.command(&["bisect", "--help"]);
        return (None, Some(("see how a check is made to judge more commits", again)));
    };
    let Some(plan) = plan else { return (Some("HEAD does not have it."), None) };
    let id = commits.short(culprit.commit_id);
    let revert: Vec<_> = match culprit.mainline {
        Some(_) => vec!["revert", "-m", "1", &id],
        None => vec!["revert", &id],
    };
    let typed = |more: &[&str]| {
        let words: Vec<_> = revert.iter().chain(more).copied().collect();
        session.invocation.command(&words)
    };
    match plan.chosen_attempt() {
        Some(attempt) if attempt.needs_consent() => {
            let prospect = "Rolling it back would discard later edits.";
            (Some(prospect), Some(("see what they are", typed(&["--dry-run"]))))
        }
        Some(_) => {
            let branch = repo.work_dir().is_none().then(|| hint::free_branch(Some(repo)));
            let mut more: Vec<&str> = Vec::new();
            if let Some(branch) = &branch {
                more.extend(["--branch", branch]);
            }
            for check in &args.checks.checks {
                more.extend(["--check", &check.1]);
            }
            (Some("It can be rolled back cleanly."), Some(("roll it back, checked,", typed(&more))))
        }
        None => {
            let prospect = "There is no clean way to roll it back from HEAD.";
            (Some(prospect), Some(("see why", typed(&["--dry-run"]))))
        }
    }
}

fn named_commits(found: &Bisection) -> Vec<CommitId> {
    let mut ids = vec![found.good, found.bad];
    ids.extend(found.culprit.iter().map(|culprit| culprit.commit_id));
    ids.extend(found.culprit.iter().filter_map(|culprit| culprit.introduced_by));
    ids.extend(&found.suspects);
    ids.extend(found.flaky().map(|judged| judged.commit_id));
    ids
}
