//! `rb prune`: forget what is old.

use rollback_core::oplog::{PruneOptions, Pruned};
use rollback_core::plan::SCHEMA_VERSION;
use rollback_core::procedure::engine;
use serde::Serialize;

use super::Outcome;
use crate::args::Prune;
use crate::exit::Exit;
use crate::render::{json, records};
use crate::session::Session;
use crate::terminal::text::escape;

/// What `--json` prints.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(crate) struct PruneDocument {
    /// The version of this document.
    schema_version: u32,
    /// Whether this is what would go, and nothing went.
    dry_run: bool,
    /// What went.
    #[serde(flatten)]
    pruned: Pruned,
    /// The checkpoints that went, because they were named.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    checkpoints: Vec<String>,
}

/// Runs `rb prune`.
pub(crate) fn run(args: &Prune, session: &mut Session) -> Outcome {
    let repo = session.repo()?;
    // All of them are found before anything goes.
    let checkpoints: Vec<_> =
        args.checkpoint.iter().map(|name| repo.find_checkpoint(name)).collect::<Result<_, _>>()?;
    let horizon = jiff::Timestamp::now().as_second().saturating_sub_unsigned(args.keep.0.as_secs());
    let ended = engine::runs(&repo)?
        .into_iter()
        .filter(|run| !run.status.is_open())
        .filter(|run| run.finished.is_some_and(|ended| ended.as_second() < horizon))
        .map(|run| run.id);
    let options = PruneOptions::older_than(horizon).with_ended_runs(ended);
    let pruned = match args.dry_run {
        true => repo.check_prune(&options)?,
        false => {
            for checkpoint in &checkpoints {
                repo.drop_checkpoint(checkpoint)?;
            }
            repo.prune(&options)?
        }
    };
    let checkpoints: Vec<_> = checkpoints.iter().map(|checkpoint| checkpoint.full_name()).collect();
    let document =
        PruneDocument { schema_version: SCHEMA_VERSION, dry_run: args.dry_run, pruned, checkpoints };
    let nothing = document.pruned.operations.is_empty()
        && document.pruned.files.is_empty()
        && document.checkpoints.is_empty();
    session.console.complain(&records::notes(&document.pruned.unreadable, &[]));
    match session.console.json() {
        true => session.console.print(&json::document(&document)),
        false => session.console.tell(&text(&document)),
    }
    Ok(if nothing && !args.allow_noop { Exit::NothingToDo } else { Exit::Done })
}

fn text(document: &PruneDocument) -> String {
    let goes = if document.dry_run { "would go" } else { "gone" };
    let mut said = format!(
        "operations: {} {goes}, {} kept\n",
        document.pruned.operations.len(),
        document.pruned.operations_kept
    );
    for file in &document.pruned.files {
        said.push_str(&format!("{goes}: {}\n", escape(file)));
    }
    for name in &document.checkpoints {
        said.push_str(&format!("{goes}: checkpoint {}\n", escape(name)));
    }
    said
}
