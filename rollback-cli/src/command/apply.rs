//! `rb apply`: land a plan that was made before.

use std::io::Read;
use std::path::Path;

use rollback_core::{Error, Plan, bounded};

use super::{Outcome, land};
use crate::args::Apply;
use crate::exit::Exit;
use crate::failure::{Failure, Problem};
use crate::hint::Hint;
use crate::progress;
use crate::session::Session;

/// Runs `rb apply`.
pub(crate) fn run(args: Apply, session: &mut Session) -> Outcome {
    let text = read(Path::new(&args.plan), session.folder())?;
    let mut plan = parse(&text, session)?;
    if args.landing.dry_run {
        // What is shown must be what would land, not what a file says.
        let repo = session.repo()?;
        plan = progress::during(&session.console, "planning again", || repo.recheck(plan))?;
    }
    land::plan(plan, &args.landing, session)
}

/// The bytes of a plan from a file, or from standard input for `-`.
///
/// # Errors
/// [`Error::Io`].
pub(super) fn read(plan: &Path, folder: &Path) -> Result<Vec<u8>, Error> {
    let mut text = Vec::new();
    if plan == Path::new("-") {
        std::io::stdin().take(bounded::DOCUMENT).read_to_end(&mut text).map_err(|source| Error::Io {
            action: "read",
            path: "standard input".into(),
            source,
        })?;
        return Ok(text);
    }
    let path = folder.join(plan);
    bounded::read(&path, bounded::DOCUMENT).map_err(|source| Error::Io { action: "read", path, source })
}

/// The plan that a document holds.
///
/// # Errors
/// Where it holds none, or one of another version.
pub(super) fn parse(text: &[u8], session: &Session) -> Result<Plan, Problem> {
    #[derive(serde::Deserialize)]
    struct Version {
        schema_version: u32,
    }
    let refuse = |error: serde_json::Error| {
        Failure::new(Exit::Usage, "not-a-plan", "this is not a plan").caused_by(error).with_hint(Hint::new(
            "see how one is made with",
            session.invocation.command(&["apply", "--help"]),
        ))
    };
    let Version { schema_version } = serde_json::from_slice(text).map_err(refuse)?;
    if schema_version != rollback_core::plan::SCHEMA_VERSION {
        return Err(Failure::new(
            Exit::Refused,
            "unsupported-format",
            format!("plans of schema version {schema_version} are not supported"),
        )
        .with_hint(Hint::new("see which version this is with", session.invocation.command(&["--version"])))
        .into());
    }
    Ok(serde_json::from_slice(text).map_err(refuse)?)
}
