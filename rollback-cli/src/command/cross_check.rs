//! `--cross-check`: the installed git merges, too, and only what both come to lands.

use rollback_core::cross_check::keep_report;
use rollback_core::error::LandingError;
use rollback_core::plan::CrossCheck;
use rollback_core::process::SystemRunner;
use rollback_core::{Plan, Repo};

use crate::args::LandingHere;
use crate::command_line::CommandLine;
use crate::console::Console;
use crate::exit::Exit;
use crate::failure::{Failure, Problem};
use crate::hint::Hint;
use crate::progress;

/// Compares the plan with what git comes to; the plan comes back as it may land. Without the flag `rb.crossCheck`
/// decides, and then a machine without git is no reason to refuse.
pub(super) fn compare(
    plan: Plan,
    args: &LandingHere,
    repo: &Repo,
    console: &mut Console,
) -> Result<Plan, Problem> {
    let configured = !args.no_cross_check && repo.config_switch("rb.crossCheck")? == Some(true);
    if !args.cross_check && !configured {
        return Ok(plan);
    }
    let checked = (!plan.checks.is_empty()).then(|| plan.tip.clone());
    let mut plan = repo.recheck(plan)?;
    // What was checked may not be exchanged for what was not.
    if let Some(tip) = checked.filter(|tip| *tip != plan.tip) {
        let (reference, expected) = (tip.reference, tip.commit_id);
        return Err(Problem::Library(
            LandingError::Moved { reference, expected, found: plan.tip.commit_id }.into(),
        ));
    }
    let check = progress::during(console, "comparing with git", || repo.cross_check(&plan, &SystemRunner))?;
    let Some(check) = check else {
        if args.cross_check {
            return Err(Problem::Library(
                LandingError::CrossCheckFailed { why: "no git is installed".into() }.into(),
            ));
        }
        console.tell("not compared with git, as rb.crossCheck asks: no git is installed\n");
        return Ok(plan);
    };
    if check.agrees() {
        console.tell(&format!("{}\n", said(&check)));
        plan.cross_check = Some(check);
        return Ok(plan);
    }
    Err(differs(&check, args, repo).into())
}

fn said(check: &CrossCheck) -> String {
    match check.merges {
        0 => "cross-check: nothing is merged, so there is nothing to compare with git".to_owned(),
        1 => format!("cross-check: {} comes to the same tree", check.git),
        merges => format!("cross-check: {} comes to the same tree in all {merges} merges", check.git),
    }
}

/// A difference refuses. A dry run writes nothing, and so no report.
fn differs(check: &CrossCheck, args: &LandingHere, repo: &Repo) -> Failure {
    let first = &check.differences[0];
    let verdict = if first.clean_for_git { "another tree" } else { "a conflict" };
    let failure = Failure::new(
        Exit::Refused,
        "cross-check-differs",
        format!(
            "{} comes to {verdict} where this program comes to tree {}; nothing was landed",
            check.git, first.tree_id
        ),
    );
    let [base, ours, theirs] = first.merge;
    let failure = failure.with_hint(Hint::new(
        "see what git makes of it with",
        CommandLine::of([
            "git".to_owned(),
            "merge-tree".to_owned(),
            format!("--merge-base={base}"),
            ours.to_string(),
            theirs.to_string(),
        ]),
    ));
    if args.dry_run {
        return failure;
    }
    match keep_report(repo, check) {
        Ok(path) => failure.caused_by(format!("the report is in {}", path.display())),
        Err(error) => failure.caused_by(format!("no report could be kept: {error}")),
    }
}
