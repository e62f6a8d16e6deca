//! `rb show`: a plan from a file, as a dry run shows it.

use super::{Outcome, apply, land};
use crate::args::Show;
use crate::command_line::quote;
use crate::progress;
use crate::render::human::LandWith;
use crate::session::Session;

/// Runs `rb show`.
pub(crate) fn run(args: &Show, session: &mut Session) -> Outcome {
    let text = apply::read(args.plan.as_ref(), session.folder())?;
    let plan = apply::parse(&text, session)?;
    let repo = session.repo()?;
    // What is shown must be what would land, not what a file says.
    let plan = progress::during(&session.console, "planning again", || repo.recheck(plan))?;
    let command = session.invocation.command(&["apply"]);
    let land_with = (args.plan != "-").then(|| LandWith {
        command: format!("{command} {}", quote(args.plan.as_encoded_bytes())),
        needs: None,
    });
    land::show_plan(plan, land_with, &args.showing, session)
}
