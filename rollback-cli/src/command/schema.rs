//! `rb schema`: the JSON Schema of a document.

use super::Outcome;
use crate::args::Schema;
use crate::exit::Exit;
use crate::render::{json, schema};
use crate::session::Session;

/// Runs `rb schema`.
pub(crate) fn run(args: &Schema, session: &mut Session) -> Outcome {
    let schema = schema::of(args.document);
    session.console.print(&json::document(&schema));
    Ok(Exit::Done)
}
