//! `rb restore`: put back the exact content of paths, or what is edited or deleted and not committed.

use rollback_core::plan::SCHEMA_VERSION;
use rollback_core::receipt::OutcomeKind;
use rollback_core::target::RestoreTarget;
use rollback_core::uncommitted::{Added, RestoredUncommitted, UncommittedTarget};
use rollback_core::{PlanOptions, RepoPath, Target};
use serde::Serialize;

use super::{Outcome, land, optional_revision};
use crate::args::Restore;
use crate::exit::Exit;
use crate::failure::{Failure, Problem};
use crate::hint::Hint;
use crate::paths::Base;
use crate::progress;
use crate::render::{json, uncommitted};
use crate::session::Session;
use crate::signals;

/// What `rb restore --json` prints where no commit is made.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(crate) struct RestoredDocument {
    /// The version of this document.
    schema_version: u32,
    /// Whether this is what would be done, and nothing was.
    dry_run: bool,
    /// What was done.
    #[serde(flatten)]
    restored: RestoredUncommitted,
}

/// Runs `rb restore`.
pub(crate) fn run(args: Restore, session: &mut Session) -> Outcome {
    let repo = session.repo()?;
    let paths = Base::new(&repo, session.folder()).resolve_all(&args.paths)?;
    let Some(source) = optional_revision(args.source.as_ref())? else {
        refuse_words_of_a_commit(&args, session)?;
        return bring_back(&UncommittedTarget::of(paths), &args, session);
    };
    // Where HEAD has what is asked for, only what is not committed can differ from it.
    let lands_here = args.landing.onto.is_none() && args.landing.here.branch.is_none();
    if lands_here && repo.head_has(&source, &paths).unwrap_or(false) {
        let added = if args.overlay { Added::Keep } else { Added::Remove };
        let target = UncommittedTarget::of(paths.clone()).as_in_head(added);
        if !repo.check_restore_uncommitted(&target)?.paths.is_empty() {
            return bring_back(&target, &args, session);
        }
    }
    let mut target = RestoreTarget::new(paths);
    (target.source, target.overlay) = (Some(source), args.overlay);
    let target = Target::Restore(target);
    let mut options = PlanOptions::default();
    options.onto = optional_revision(args.landing.onto.as_ref())?;
    options.message = land::message(&args.message, args.signoff);
    // Content is put back as it was: nothing is merged, and nothing conflicts.
    let request = land::Request { target, options, edit: args.message.edit, on_conflict: None };
    land::run(request, &args.landing.here, session)
}

/// Without a source no commit is made, so that nothing that is said of one may go unheard.
fn refuse_words_of_a_commit(args: &Restore, session: &Session) -> Result<(), Problem> {
    let (here, message) = (&args.landing.here, &args.message);
    let given = [
        ("--onto", args.landing.onto.is_some()),
        ("--branch", here.branch.is_some()),
        ("--push", here.push.push.is_some()),
        ("--pr", here.push.pr),
        ("--check", here.checks.is_asked_for()),
        ("--cross-check", here.cross_check),
        ("--gpg-sign", here.gpg_sign),
        ("--message", message.message.is_some()),
        ("--reason", message.reason.is_some()),
        ("--trailer", !message.trailer.is_empty()),
        ("--edit", message.edit),
        ("--signoff", args.signoff),
    ];
    match given.iter().find(|(_, given)| *given) {
        None => Ok(()),
        Some((flag, _)) => Err(Failure::usage(format!(
            "without --source no commit is made, so that {flag} has nothing to act on"
        ))
        .with_hint(Hint::new(
            "take the content from the commit with",
            session.invocation.with(&["--source", "HEAD"]),
        ))
        .into()),
    }
}

fn bring_back(target: &UncommittedTarget, args: &Restore, session: &mut Session) -> Outcome {
    let repo = session.repo()?;
    let dry_run = args.landing.here.dry_run;
    let landing = signals::Landing::begin();
    let restored = progress::during(&session.console, "bringing back", || match dry_run {
        true => repo.check_restore_uncommitted(target),
        false => repo.restore_uncommitted(target),
    });
    drop(landing);
    let restored = restored?;
    let did = !dry_run && restored.outcome.kind == OutcomeKind::Staged;
    if did {
        session.console.has_landed();
    }
    let again = session.invocation.without_dry_run().as_typed().to_string();
    let undo = session.invocation.command(&["undo"]).to_string();
    let committed = |path: &&RepoPath| repo.head_has("HEAD", std::slice::from_ref(*path)).unwrap_or(false);
    let revert = first_file(target)
        .filter(committed)
        .map(|path| session.invocation.on_path(&["revert", "--dry-run", "--file"], path, &[]).to_string());
    let next = uncommitted::Next { undo: &undo, again: &again, revert: revert.as_deref() };
    let text = uncommitted::restored(&restored, dry_run, &next, session.console.look());
    let (kind, failure) = (restored.outcome.kind, restored.outcome.later_failure.clone());
    let document = RestoredDocument { schema_version: SCHEMA_VERSION, dry_run, restored };
    match session.console.json() {
        true => session.console.print(&json::document(&document)),
        false => session.console.tell(&text),
    }
    if let Some(failure) = failure {
        let failure = Failure::new(Exit::LandedWithFailure, "later-failure", failure).with_hint(Hint::new(
            "the files are back and stay; see them with",
            session.invocation.git(&["status"]),
        ));
        session.console.complain(&failure.text(session.console.look().verbose));
        return Ok(Exit::LandedWithFailure);
    }
    Ok(match kind {
        OutcomeKind::NothingToDo if !args.landing.here.allow_noop => Exit::NothingToDo,
        _ => Exit::Done,
    })
}

/// The first path that is not the root.
fn first_file(target: &UncommittedTarget) -> Option<&RepoPath> {
    target.paths.first().filter(|path| !path.is_root())
}
