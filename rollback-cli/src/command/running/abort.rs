//! `rb abort`: give a run up.

use super::{engine_for_questions, resume};
use crate::args::Abort;
use crate::command::Outcome;
use crate::exit::Exit;
use crate::failure::Problem;
use crate::render::{json, run as render};
use crate::session::Session;
use crate::signals;

/// Runs `rb abort`.
pub(crate) fn run(args: &Abort, session: &mut Session) -> Outcome {
    let repo = session.repo()?;
    let id = resume::open_run(args.run.as_deref(), session)?.id;
    let landing = signals::Landing::begin();
    let state = engine_for_questions(session, &repo, |engine| engine.abort(Some(&id)))
        .map_err(|error| Problem::of_run(error, None))?;
    drop(landing);
    if session.console.json() {
        session.console.print(&json::document(&render::Document::new(&state, None)));
    } else {
        let undo = session.invocation.command(&["undo"]).to_string();
        let text = render::aborted(&state, &repo, &undo, session.console.look());
        session.console.tell(&text);
    }
    Ok(Exit::Done)
}
