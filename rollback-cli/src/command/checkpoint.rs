//! `rb checkpoint`: keep states by name, look at them, come back to them.

use rollback_core::checkpoint::{Checkpoint, CheckpointOptions, MANUAL, RestoreOptions, Verified};
use rollback_core::plan::SCHEMA_VERSION;
use rollback_core::receipt::OutcomeKind;
use serde::Serialize;

use super::Outcome;
use super::undo::undo_command;
use crate::args::{
    CheckpointAction, CreateCheckpoint, DropCheckpoints, ListCheckpoints, RestoreCheckpoint, VerifyCheckpoint,
};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::hint::Hint;
use crate::paths::Base;
use crate::progress;
use crate::render::{checkpoints, json, records};
use crate::session::Session;
use crate::signals;

/// What `--json` prints of one checkpoint.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(crate) struct One {
    /// The version of this document.
    schema_version: u32,
    /// The checkpoint.
    checkpoint: Checkpoint,
}

/// What `rb checkpoint list --json` and `drop` print.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(crate) struct Several {
    /// The version of this document.
    schema_version: u32,
    /// The checkpoints, by scope and name.
    checkpoints: Vec<Checkpoint>,
}

/// What `rb checkpoint verify --json` prints.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(crate) struct Verdict {
    /// The version of this document.
    schema_version: u32,
    /// The checkpoint, with its scope.
    name: String,
    /// Whether it could be restored.
    sound: bool,
    /// What was read.
    #[serde(flatten)]
    verified: Verified,
}

/// What `rb checkpoint restore --json` prints.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(crate) struct RestoredDocument {
    /// The version of this document.
    schema_version: u32,
    /// Whether this is what would be done, and nothing was.
    dry_run: bool,
    /// What was done.
    #[serde(flatten)]
    restored: rollback_core::checkpoint::Restored,
}

/// Runs `rb checkpoint`.
pub(crate) fn run(action: CheckpointAction, session: &mut Session) -> Outcome {
    match action {
        CheckpointAction::Create(args) => create(args, session),
        CheckpointAction::List(args) => list(&args, session),
        CheckpointAction::Show(args) => {
            let repo = session.repo()?;
            let checkpoint = repo.find_checkpoint(&args.name)?;
            let text = checkpoints::show(&checkpoint, &repo, session.console.look());
            answer(session, &One { schema_version: SCHEMA_VERSION, checkpoint }, &text)
        }
        CheckpointAction::Verify(args) => verify(&args, session),
        CheckpointAction::Restore(args) => restore(&args, session),
        CheckpointAction::Drop(args) => drop_all(&args, session),
    }
}

fn create(args: CreateCheckpoint, session: &mut Session) -> Outcome {
    let repo = session.repo()?;
    let base = Base::new(&repo, session.folder());
    let ignored = args.ignored.iter().map(|path| base.resolve(path)).collect::<Result<Vec<_>, _>>()?;
    let folder = session.folder().to_owned();
    let options = CheckpointOptions::default()
        .with_message(args.message)
        .with_ignored(ignored)
        .with_outside(args.outside.into_iter().map(|path| folder.join(path)));
    let landing = signals::Landing::begin();
    let made = progress::during(&session.console, "keeping the state", || {
        repo.create_checkpoint(MANUAL, &args.name, &options)
    });
    drop(landing);
    let checkpoint = made?;
    let again = session.invocation.command(&["checkpoint", "restore", &args.name]).to_string();
    let text = checkpoints::created(&checkpoint, &repo, &again, session.console.look());
    let document = One { schema_version: SCHEMA_VERSION, checkpoint };
    tell(session, &document, &text);
    Ok(Exit::Done)
}

fn list(args: &ListCheckpoints, session: &mut Session) -> Outcome {
    let repo = session.repo()?;
    let found = repo.checkpoints(args.scope.as_deref())?;
    session.console.complain(&records::notes(&repo.unreadable_checkpoints()?, &[]));
    let text = checkpoints::list(&found, &repo, session.console.look());
    answer(session, &Several { schema_version: SCHEMA_VERSION, checkpoints: found }, &text)
}

fn verify(args: &VerifyCheckpoint, session: &mut Session) -> Outcome {
    let repo = session.repo()?;
    let checkpoint = repo.find_checkpoint(&args.checkpoint.name)?;
    let verified = progress::during(&session.console, "reading it again", || {
        repo.verify_checkpoint(&checkpoint, !args.shallow)
    })?;
    let sound = verified.problems.is_empty();
    let text = checkpoints::verified(&checkpoint, &verified, session.console.look());
    let document = Verdict { schema_version: SCHEMA_VERSION, name: checkpoint.full_name(), sound, verified };
    answer(session, &document, &text)?;
    Ok(if sound { Exit::Done } else { Exit::GateSaysNo })
}

fn restore(args: &RestoreCheckpoint, session: &mut Session) -> Outcome {
    let repo = session.repo()?;
    let checkpoint = repo.find_checkpoint(&args.checkpoint.name)?;
    let mut options = RestoreOptions::default();
    if args.move_branch {
        options = options.moving_branch();
    }
    if args.with_outside {
        options = options.with_outside();
    }
    let landing = signals::Landing::begin();
    let restored = progress::during(&session.console, "restoring", || match args.dry_run {
        true => repo.check_restore(&checkpoint, options),
        false => repo.restore_checkpoint(&checkpoint, options),
    });
    drop(landing);
    let restored = restored?;
    if !args.dry_run {
        session.console.has_landed();
    }
    let with_outside = session.invocation.with(&["--with-outside"]).to_string();
    let undo = undo_command(session, &restored.outside);
    let mut text = checkpoints::restored(&restored, args.dry_run, session.console.look());
    text.push_str(&checkpoints::after_restoring(&restored, args.dry_run, &with_outside, &undo));
    let (kind, failure) = (restored.kind, restored.later_failure.clone());
    let document = RestoredDocument { schema_version: SCHEMA_VERSION, dry_run: args.dry_run, restored };
    let failure = failure.map(|failure| {
        Failure::new(Exit::LandedWithFailure, "later-failure", failure)
            .with_hint(Hint::new("do what is left with", session.invocation.as_typed()))
    });
    match session.console.json() {
        true => session.console.print(&json::document_with(&document, failure.as_ref())),
        false => session.console.tell(&text),
    }
    if let Some(failure) = failure {
        session.console.complain(&failure.text(session.console.look().verbose));
        return Ok(Exit::LandedWithFailure);
    }
    Ok(match kind {
        OutcomeKind::NothingToDo if !args.allow_noop => Exit::NothingToDo,
        _ => Exit::Done,
    })
}

fn drop_all(args: &DropCheckpoints, session: &mut Session) -> Outcome {
    let repo = session.repo()?;
    // All of them are found before the first one goes.
    let found: Vec<_> = args.names.iter().map(|name| repo.find_checkpoint(name)).collect::<Result<_, _>>()?;
    for checkpoint in &found {
        repo.drop_checkpoint(checkpoint)?;
    }
    let text = checkpoints::dropped(&found);
    tell(session, &Several { schema_version: SCHEMA_VERSION, checkpoints: found }, &text);
    Ok(Exit::Done)
}

/// What was asked for is the output.
fn answer(session: &mut Session, document: &impl Serialize, text: &str) -> Outcome {
    match session.console.json() {
        true => session.console.print(&json::document(document)),
        false => session.console.print(text),
    }
    Ok(Exit::Done)
}

/// What was done is told.
fn tell(session: &mut Session, document: &impl Serialize, text: &str) {
    match session.console.json() {
        true => session.console.print(&json::document(document)),
        false => session.console.tell(text),
    }
}
